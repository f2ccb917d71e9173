/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MarketplaceCommerceAnalytics: data sets (specs/psc.md 3, edsp 2).
 */
#include "server/json_family.h"

#include "delivery/announce.h"
#include "edsp/data_set.h"
#include "psc/export.h"

#define TARGET "MarketplaceCommerceAnalytics20150701."
#define BODY_CAP ((size_t)65536)

/* ---- members, the same but for one ----------------------------------------------------- */

enum { M_TYPE, M_AT, M_ROLE, M_BUCKET, M_PREFIX, M_TOPIC, M_VALUES, M__COUNT };

/* M_AT is the operation's own. */
static const char *const members[M__COUNT] = {
	[M_TYPE] = "dataSetType",
	[M_ROLE] = "roleNameArn",
	[M_BUCKET] = "destinationS3BucketName",
	[M_PREFIX] = "destinationS3Prefix",
	[M_TOPIC] = "snsTopicArn",
	[M_VALUES] = "customerDefinedValues",
};

static bool
is_map_of_texts(const json_t *o)
{
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = o };
	const char *key;
	json_t *v;
	bool fine = json_is_object(o);

	json_object_foreach(all.out, key, v)
	{
		fine = fine && json_is_string(v);
	}
	return fine;
}

/* A number's digits matter to the millisecond: they are taken from the text as it was sent. */
static enum souk_err
take_at(struct call *c, const char *member, struct request_params *p)
{
	const json_t *v = json_object_get(c->body, member);
	struct str raw;

	if (!v || json_is_null(v))
		return SOUK_OK;
	if (json_is_string(v))
		return json_text(c, c->body, member, &p->at_text);
	if (!json_is_number(v) || !json_raw_member(c->req->body, member, &raw))
		return json_bad_type(c, member, "a timestamp: a number of epoch seconds");
	p->at_number = raw;
	return SOUK_OK;
}

/*
 * A topic of another region is none of ours, unless the role's SNS service has it, and would be
 * one that a role's policy does not speak of. What is no topic's name at all is told in the
 * notification (3.5).
 */
static enum souk_err
check_region(struct call *c, struct db_tx *tx, const struct request_params *p)
{
	struct topic_arn arn;

	if (!topic_arn_parse(p->topic_arn, &arn) || str_eq_c(arn.region, c->svc->region) ||
	    announce_leaves(tx, tenant_account(c->scope), p->role_arn))
		return SOUK_OK;
	return fail_set(&c->fail, SOUK_E_INVALID, "ValidationException",
	    "1 validation error detected: Value at 'snsTopicArn' failed to satisfy constraint: "
	    "Member must be a topic in the region %s",
	    c->svc->region);
}

static enum souk_err
take_params(struct call *c, const char *at, struct request_params *p)
{
	const char *names[M__COUNT];
	enum souk_err r;

	memcpy(names, members, sizeof(names));
	names[M_AT] = at;
	if (!json_is_object(c->body))
		return json_bad_type(c, "The body", "a JSON object");
	if ((r = json_known(c, c->body, names, M__COUNT)) != SOUK_OK ||
	    (r = json_text(c, c->body, members[M_TYPE], &p->data_set_type)) != SOUK_OK ||
	    (r = take_at(c, at, p)) != SOUK_OK ||
	    (r = json_text(c, c->body, members[M_ROLE], &p->role_arn)) != SOUK_OK ||
	    (r = json_text(c, c->body, members[M_BUCKET], &p->bucket)) != SOUK_OK ||
	    (r = json_text(c, c->body, members[M_PREFIX], &p->prefix)) != SOUK_OK ||
	    (r = json_text(c, c->body, members[M_TOPIC], &p->topic_arn)) != SOUK_OK)
		return r;
	p->has_prefix = p->prefix.p != NULL;
	p->customer_values = json_object_get(c->body, members[M_VALUES]);
	if (json_is_null(p->customer_values))
		p->customer_values = NULL;
	if (p->customer_values && !is_map_of_texts(p->customer_values))
		return json_bad_type(c, members[M_VALUES], "a map of strings");
	return SOUK_OK;
}

static void
answer(struct call *c, const struct guid *id)
{
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_guid(&w, "dataSetRequestId", id);
	jw_close(&w, '}');
}

/* ---- StartSupportDataExport ------------------------------------------------------------ */

static enum souk_err
export_parse(struct call *c)
{
	struct request_params *p = ARENA_NEW(c->arena, struct request_params);
	enum souk_err r;

	if (!p)
		return SOUK_E_LIMIT;
	c->input = p;
	if ((r = take_params(c, "fromDate", p)) != SOUK_OK)
		return r;
	/* What is wrong in itself does not wait for the writer. */
	return psc_export_check(c->scope, p, &c->fail);
}

static enum souk_err
export_run(struct call *c, struct db_tx *tx)
{
	struct guid id;
	enum souk_err r;

	if ((r = check_region(c, tx, c->input)) != SOUK_OK ||
	    (r = psc_export_start(tx, c->svc->vault, c->scope, c->input, &id, &c->fail)) != SOUK_OK)
		return r;
	answer(c, &id);
	return SOUK_OK;
}

/* ---- GenerateDataSet ------------------------------------------------------------------- */

static enum souk_err
data_set_parse(struct call *c)
{
	struct request_params *p = ARENA_NEW(c->arena, struct request_params);
	enum souk_err r;

	if (!p)
		return SOUK_E_LIMIT;
	c->input = p;
	if ((r = take_params(c, "dataSetPublicationDate", p)) != SOUK_OK)
		return r;
	return edsp_data_set_check(c->scope, p,
	    strcmp(config_text(c->svc->config, SET_DATA_SET_DEPRECATED), "refuse") == 0, &c->fail);
}

static enum souk_err
data_set_run(struct call *c, struct db_tx *tx)
{
	struct guid id;
	enum souk_err r;

	if ((r = check_region(c, tx, c->input)) != SOUK_OK ||
	    (r = edsp_data_set_start(tx, c->scope, c->input, &id, &c->fail)) != SOUK_OK)
		return r;
	answer(c, &id);
	return SOUK_OK;
}

static const struct op ops[] = {
	{ "", TARGET "StartSupportDataExport",
	    "marketplacecommerceanalytics:StartSupportDataExport", BODY_CAP, OP_WRITE, export_parse,
	    export_run },
	{ "", TARGET "GenerateDataSet", "marketplacecommerceanalytics:GenerateDataSet", BODY_CAP,
	    OP_WRITE, data_set_parse, data_set_run },
};

const struct json_service json_analytics = {
	.service = "marketplacecommerceanalytics",
	.target = TARGET,
	.internal = "MarketplaceCommerceAnalyticsException",
	.unknown = "There is no such operation; this service has StartSupportDataExport and "
		   "GenerateDataSet.",
	.ops = ops,
	.n = sizeof(ops) / sizeof(ops[0]),
};
