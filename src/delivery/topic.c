/* SPDX-License-Identifier: Apache-2.0 */
/* Topics: names, publishing, and what they are served with. */
#include "delivery/topic_int.h"

#include "base/utf8.h"
#include "delivery/scope.h"
#include "market/account.h"

#include <stdio.h>
#include <stdlib.h>

#define TOPICS_MAX 100 /* of one seller */

/* ---- what signs and sends ---- */

enum souk_err
topics_open(
    struct db *db, struct vault *v, const struct config *c, struct topics **ret, struct fail *f)
{
	struct topics *t = calloc(1, sizeof(*t));
	struct post_rules rules = {
		.allow_private = config_bool(c, SET_TOPIC_PRIVATE_ADDRESSES),
		.ca_file = config_text(c, SET_TOPIC_CA_FILE),
		.timeout_ms = POST_TIMEOUT_MS,
	};
	enum souk_err err;

	if (!t || (err = poster_new(&rules, &t->poster)) != SOUK_OK) {
		free(t);
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for topics");
	}
	t->vault = v;
	t->allow_private = rules.allow_private;
	(void)snprintf(t->region, sizeof(t->region), "%s", config_text(c, SET_REGION));
	if ((err = signer_open(db, v, t->region, &t->signer, f)) != SOUK_OK) {
		topics_close(t);
		return err;
	}
	*ret = t;
	return SOUK_OK;
}

void
topics_close(struct topics *t)
{
	if (!t)
		return;
	signer_close(t->signer);
	poster_free(t->poster);
	free(t);
}

enum souk_err
topics_rewrap(struct db_tx *tx, struct vault *v, int64_t *ret_changed)
{
	bool changed;
	enum souk_err err;

	if ((err = signer_rewrap(tx, v, &changed)) == SOUK_OK)
		*ret_changed = changed ? 1 : 0;
	return err;
}

void
topics_set_public_url(struct topics *t, const char *url)
{
	size_t n;

	(void)snprintf(t->public_url, sizeof(t->public_url), "%s", url);
	n = strlen(t->public_url);
	if (n > 0 && t->public_url[n - 1] == '/')
		t->public_url[n - 1] = '\0';
}

const char *
topics_cert_pem(const struct topics *t)
{
	return signer_cert_pem(t->signer);
}

const char *
topics_cert_name(const struct topics *t)
{
	return signer_cert_name(t->signer);
}

/* ---- names ---- */

bool
topic_name_valid(struct str name)
{
	if (name.n == 0 || name.n > TOPIC_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return true;
}

bool
topic_arn_parse(struct str arn, struct topic_arn *ret)
{
	struct str rest, region, seller;

	if (!str_starts(arn, STR("arn:aws:sns:")))
		return false;
	rest = (struct str){ .p = arn.p + 12, .n = arn.n - 12 };
	if (!str_split(&rest, ':', &region) || !str_split(&rest, ':', &seller) || !rest.p ||
	    region.n == 0 || !account_id_valid(seller) || !topic_name_valid(rest))
		return false;
	*ret = (struct topic_arn){ .region = region, .seller_id = seller, .name = rest };
	return true;
}

void
topic_arn_format(struct str region, struct str seller_id, struct str name, struct buf *ret)
{
	buf_add_c(ret, "arn:aws:sns:");
	buf_add_str(ret, region);
	buf_add_char(ret, ':');
	buf_add_str(ret, seller_id);
	buf_add_char(ret, ':');
	buf_add_str(ret, name);
}

/* ---- topics ---- */

static enum souk_err
no_such_topic(struct fail *f)
{
	return fail_set(f, SOUK_E_NOT_FOUND, "no_such_topic", "there is no such topic");
}

static enum souk_err
check_new(struct db_tx *tx, struct str seller_id, struct str name, struct fail *f)
{
	int64_t n;
	enum souk_err err;

	if (!topic_name_valid(name))
		return fail_field(f, "name", "is not a topic name",
		    "use 1 to 256 letters, digits, hyphens and underscores");
	err = topic_exists(tx, seller_id, name);
	if (err == SOUK_OK)
		return fail_set(f, SOUK_E_CONFLICT, "topic_exists", "the topic exists already");
	if (err != SOUK_E_NOT_FOUND || (err = topic_row_count(tx, seller_id, &n)) != SOUK_OK)
		return err;
	if (n >= TOPICS_MAX)
		return fail_set(
		    f, SOUK_E_LIMIT, "topic_limit", "a seller has at most %d topics", TOPICS_MAX);
	return SOUK_OK;
}

enum souk_err
topic_create(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name,
    struct fail *f)
{
	bool inserted = false;
	enum souk_err err = SOUK_OK;

	if (scope_manages(s, seller_id) &&
	    ((err = lock_owner(tx, seller_id)) != SOUK_OK ||
		(err = check_new(tx, seller_id, name, f)) != SOUK_OK ||
		(err = topic_row_insert(tx, seller_id, name, &inserted)) != SOUK_OK))
		return err;
	return inserted
		   ? SOUK_OK
		   : fail_set(f, SOUK_E_NOT_FOUND, "no_such_seller", "there is no such seller");
}

enum souk_err
topic_delete(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name,
    struct fail *f)
{
	enum souk_err err = SOUK_E_NOT_FOUND;

	if (scope_manages(s, seller_id) && (err = lock_owner(tx, seller_id)) == SOUK_OK)
		err = topic_exists(tx, seller_id, name);
	if (err == SOUK_E_NOT_FOUND)
		return no_such_topic(f);
	return err == SOUK_OK ? topic_row_delete(tx, seller_id, name) : err;
}

enum souk_err
topic_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str region,
    struct jw *out)
{
	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	return topic_rows_json(tx, seller_id, region, out);
}

enum souk_err
topic_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name,
    struct str region, struct jw *out)
{
	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	return topic_row_json(tx, seller_id, name, region, out);
}

/* ---- publishing ---- */

static enum souk_err
put_notify(struct db_tx *tx, struct str seller_id, const struct guid *request_id,
    const struct guid *message, const struct guid *endpoint)
{
	char m[GUID_TEXT_LEN + 1], e[GUID_TEXT_LEN + 1], payload[128];
	struct job_new j = { .kind = "notify", .seller_id = seller_id, .request_id = request_id };
	struct guid id;

	guid_format(message, m);
	guid_format(endpoint, e);
	(void)snprintf(payload, sizeof(payload), "{\"message\":\"%s\",\"endpoint\":\"%s\"}", m, e);
	j.payload = str_c(payload);
	return job_put(tx, &j, &id);
}

static enum souk_err
put_jobs(struct db_tx *tx, struct str seller_id, struct str topic, const struct guid *request_id,
    const struct guid *message, size_t *ret_n)
{
	struct guid endpoints[ENDPOINTS_MAX];
	size_t n;
	enum souk_err err;

	err = endpoint_rows_confirmed(tx, seller_id, topic, endpoints, ENDPOINTS_MAX, &n);
	for (size_t i = 0; err == SOUK_OK && i < n; i++)
		err = put_notify(tx, seller_id, request_id, message, &endpoints[i]);
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

enum souk_err
topic_publish(struct db_tx *tx, struct str seller_id, struct str topic,
    const struct guid *request_id, struct str body, struct guid *ret_message_id)
{
	struct guid id = guid_new();
	size_t n;
	enum souk_err err;

	if (body.n > MESSAGE_MAX)
		return SOUK_E_LIMIT;
	if (body.n == 0 || !utf8_valid(body) || memchr(body.p, '\0', body.n))
		return SOUK_E_INVALID;
	if ((err = topic_exists(tx, seller_id, topic)) != SOUK_OK ||
	    (err = message_row_insert(tx, seller_id, &id, topic, request_id, body)) != SOUK_OK ||
	    (err = put_jobs(tx, seller_id, topic, request_id, &id, &n)) != SOUK_OK)
		return err;
	*ret_message_id = id;
	return SOUK_OK;
}

enum souk_err
topic_republish(struct db_tx *tx, struct str seller_id, const struct guid *request_id,
    struct str body, size_t *ret_jobs)
{
	struct message_ref m;
	enum souk_err err;

	if ((err = message_row_of(tx, seller_id, request_id, body, &m)) != SOUK_OK)
		return err;
	return put_jobs(tx, seller_id, str_c(m.topic), request_id, &m.id, ret_jobs);
}
