/* SPDX-License-Identifier: Apache-2.0 */
/* REST: a seller's topics and who is told. */
#include "server/rest.h"

static enum souk_err
topics_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct jw w;
	enum souk_err r = rest_seller(c, 0, &seller);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = topic_list(tx, c->scope, seller, str_c(c->svc->region), &w);
	rest_list_close(&w, STR(""));
	return r;
}

static void
topic_json(struct call *c, struct str seller, struct str name)
{
	struct buf arn = { 0 };
	struct jw w;

	topic_arn_format(str_c(c->svc->region), seller, name, &arn);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_str(&w, "name", name);
	jw_str(&w, "topicArn", buf_str(&arn));
	jw_close(&w, '}');
	buf_done(&arn);
}

static enum souk_err
topic_add(struct call *c, struct db_tx *tx)
{
	const struct str *name = c->input;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = topic_create(tx, c->scope, seller, *name, &c->fail)) != SOUK_OK)
		return r;
	topic_json(c, seller, *name);
	rest_created_here(c, *name);
	rest_audit(c, "topic", *name, seller);
	return SOUK_OK;
}

static enum souk_err
topic_show(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct jw w;
	enum souk_err r = rest_seller(c, 0, &seller);

	jw_init(&w, &c->out);
	return r == SOUK_OK
		   ? topic_get(tx, c->scope, seller, c->params[1], str_c(c->svc->region), &w)
		   : r;
}

static enum souk_err
topic_remove(struct call *c, struct db_tx *tx)
{
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = topic_delete(tx, c->scope, seller, c->params[1], &c->fail)) != SOUK_OK)
		return r;
	rest_audit(c, "topic", c->params[1], seller);
	return SOUK_OK;
}

static enum souk_err
endpoints_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct jw w;
	enum souk_err r = rest_seller(c, 0, &seller);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = endpoint_list(tx, c->scope, seller, c->params[1], &w);
	rest_list_close(&w, STR(""));
	return r;
}

static enum souk_err
endpoint_read(struct call *c)
{
	return rest_read_text(c, "url");
}

static void
endpoint_json(struct call *c, const struct guid *id, struct str url, bool confirmed)
{
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_guid(&w, "endpointId", id);
	jw_str(&w, "url", url);
	jw_c(&w, "state", confirmed ? "confirmed" : "pending");
	jw_close(&w, '}');
}

static enum souk_err
endpoint_post(struct call *c, struct db_tx *tx)
{
	const struct str *url = c->input;
	char text[GUID_TEXT_LEN + 1];
	struct str seller;
	struct guid id;
	bool confirmed;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = endpoint_add(tx, c->svc->topics, c->scope, seller, c->params[1], *url, &id,
		 &confirmed, &c->fail)) != SOUK_OK)
		return r;
	endpoint_json(c, &id, *url, confirmed);
	guid_format(&id, text);
	rest_created_here(c, (struct str){ text, GUID_TEXT_LEN });
	rest_audit_guid(c, "endpoint", &id, seller);
	return SOUK_OK;
}

static enum souk_err
endpoint_show(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct guid id;
	struct jw w;
	enum souk_err r;

	jw_init(&w, &c->out);
	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = call_param_guid(c, 2, &id)) != SOUK_OK)
		return r;
	return endpoint_get(tx, c->scope, seller, c->params[1], &id, c->arena, &w);
}

static enum souk_err
endpoint_delete(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct guid id;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = call_param_guid(c, 2, &id)) != SOUK_OK ||
	    (r = endpoint_remove(tx, c->scope, seller, c->params[1], &id)) != SOUK_OK)
		return r;
	rest_audit_guid(c, "endpoint", &id, seller);
	return SOUK_OK;
}

#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
#define TOPICS "/api/v1/sellers/{sellerId}/topics"
static const struct op ops[] = {
	{ "GET", TOPICS, "delivery:ReadTopics", 0, READ, NULL, topics_list },
	{ "POST", TOPICS, "delivery:CreateTopic", REST_BODY, MAKE, rest_read_name, topic_add },
	{ "GET", TOPICS "/{topic}", "delivery:ReadTopics", 0, READ, NULL, topic_show },
	{ "DELETE", TOPICS "/{topic}", "delivery:DeleteTopic", 0, OP_WRITE | OP_NO_BODY, NULL,
	    topic_remove },
	{ "GET", TOPICS "/{topic}/endpoints", "delivery:ReadTopics", 0, READ, NULL,
	    endpoints_list },
	{ "POST", TOPICS "/{topic}/endpoints", "delivery:AddEndpoint", REST_BODY, MAKE,
	    endpoint_read, endpoint_post },
	{ "GET", TOPICS "/{topic}/endpoints/{endpointId}", "delivery:ReadTopics", 0, READ, NULL,
	    endpoint_show },
	{ "DELETE", TOPICS "/{topic}/endpoints/{endpointId}", "delivery:RemoveEndpoint", 0,
	    OP_WRITE | OP_NO_BODY, NULL, endpoint_delete },
};
const struct rest_table rest_topic = { ops, sizeof(ops) / sizeof(ops[0]) };
