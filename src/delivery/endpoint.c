/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints of topics: subscribing, confirming, unsubscribing (sigv4-and-s3 4.3).
 *
 * Nothing but a confirmation is ever sent to a URL before its owner has answered it:
 * else a topic would be a way to make souk post to anybody.
 */
#include "delivery/topic_int.h"

#include "base/digest.h"
#include "base/secret.h"
#include "delivery/job_view.h"
#include "delivery/scope.h"

#include <stdio.h>

#define ASK_AGAIN_MS MINUTE_MS

/* ---- tokens ---- */

static void
make_token(const struct vault *v, const char *domain, const struct guid *endpoint, instant_t until,
    struct topic_token *ret)
{
	uint8_t data[sizeof(endpoint->b) + sizeof(until)], mac[32];

	memcpy(data, endpoint->b, sizeof(endpoint->b));
	memcpy(data + sizeof(endpoint->b), &until, sizeof(until));
	vault_mac(v, domain, (struct str){ .p = (char *)data, .n = sizeof(data) }, mac);
	hex_encode(mac, sizeof(mac), ret->text);
	wipe(mac, sizeof(mac));
}

void
topic_token_confirm(
    const struct vault *v, const struct guid *endpoint, instant_t until, struct topic_token *ret)
{
	make_token(v, "sns.confirm", endpoint, until, ret);
}

void
topic_token_unsubscribe(const struct vault *v, const struct guid *endpoint, struct topic_token *ret)
{
	make_token(v, "sns.unsubscribe", endpoint, 0, ret);
}

/* ---- subscribing ---- */

static enum souk_err
put_confirm(struct db_tx *tx, struct str seller_id, const struct guid *endpoint, enum sns_type type)
{
	char e[GUID_TEXT_LEN + 1], payload[128];
	struct job_new j = { .kind = "confirm", .seller_id = seller_id, .request_id = endpoint };
	struct guid id;

	guid_format(endpoint, e);
	(void)snprintf(payload, sizeof(payload), "{\"type\":\"%s\",\"endpoint\":\"%s\"}",
	    sns_type_word(type), e);
	j.payload = str_c(payload);
	return job_put(tx, &j, &id);
}

/* Sets the state with a fresh token and sends the word that carries it. */
static enum souk_err
ask(struct db_tx *tx, const struct topics *t, struct str seller_id, struct endpoint *e,
    enum endpoint_state state, enum sns_type type)
{
	struct topic_token token;
	uint8_t hash[SHA256_LEN];
	enum souk_err err;

	e->state = state;
	e->token_until = db_now(tx) + TOPIC_TOKEN_MS;
	topic_token_confirm(t->vault, &e->id, e->token_until, &token);
	sha256(token.text, TOPIC_TOKEN_LEN, hash);
	wipe(&token, sizeof(token));
	if ((err = endpoint_row_put(tx, seller_id, e, hash)) != SOUK_OK)
		return err;
	return put_confirm(tx, seller_id, &e->id, type);
}

/*
 * Is a pending endpoint being asked already, or was it just now? However often a seller
 * subscribes a URL, its owner gets no more than that. An old token needs asking in any case.
 */
static enum souk_err
asked_lately(struct db_tx *tx, struct str seller_id, const struct endpoint *e, bool *ret)
{
	struct job_row jobs[4];
	instant_t now = db_now(tx);
	bool lately = false;
	size_t n;
	enum souk_err err;

	if ((err = job_list(tx, seller_id, &e->id, jobs, sizeof(jobs) / sizeof(jobs[0]), &n)) !=
	    SOUK_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		lately = lately || jobs[i].state == JOB_READY || jobs[i].state == JOB_LEASED ||
			 (jobs[i].created_at <= now && now - jobs[i].created_at < ASK_AGAIN_MS);
	*ret = lately && now < e->token_until;
	return SOUK_OK;
}

static enum souk_err
ask_to_confirm(struct db_tx *tx, const struct topics *t, struct str seller_id, struct endpoint *e)
{
	bool asked = false;
	enum souk_err err;

	if (e->state == ENDPOINT_PENDING &&
	    (err = asked_lately(tx, seller_id, e, &asked)) != SOUK_OK)
		return err;
	return asked ? SOUK_OK : ask(tx, t, seller_id, e, ENDPOINT_PENDING, SNS_SUBSCRIBE);
}

static enum souk_err
new_endpoint(struct db_tx *tx, struct str seller_id, struct str topic, struct str url,
    struct endpoint *ret, struct fail *f)
{
	int64_t n;
	enum souk_err err;

	if ((err = endpoint_rows_forget(tx, seller_id, topic)) != SOUK_OK ||
	    (err = endpoint_row_count(tx, seller_id, topic, &n)) != SOUK_OK)
		return err;
	if (n >= ENDPOINTS_MAX)
		return fail_set(f, SOUK_E_LIMIT, "endpoint_limit",
		    "a topic has at most %d endpoints", ENDPOINTS_MAX);
	*ret = (struct endpoint){ .id = guid_new() };
	memcpy(ret->topic, topic.p, topic.n);
	memcpy(ret->url, url.p, url.n);
	return SOUK_OK;
}

static enum souk_err
own_topic(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str topic)
{
	if (!scope_manages(s, seller_id) || !topic_name_valid(topic))
		return SOUK_E_NOT_FOUND;
	return topic_exists(tx, seller_id, topic);
}

enum souk_err
endpoint_add(struct db_tx *tx, struct topics *t, const struct tenant_scope *s, struct str seller_id,
    struct str topic, struct str url, struct guid *ret_id, bool *ret_confirmed, struct fail *f)
{
	struct endpoint e;
	enum souk_err err;

	if ((err = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (err = own_topic(tx, s, seller_id, topic)) != SOUK_OK)
		return err == SOUK_E_NOT_FOUND
			   ? fail_set(f, err, "no_such_topic", "there is no such topic")
			   : err;
	if ((err = post_url_check(url, t->allow_private, f)) != SOUK_OK)
		return err;
	err = endpoint_row_by_url(tx, seller_id, topic, url, &e);
	if (err == SOUK_E_NOT_FOUND)
		err = new_endpoint(tx, seller_id, topic, url, &e, f);
	if (err == SOUK_OK && e.state != ENDPOINT_CONFIRMED)
		err = ask_to_confirm(tx, t, seller_id, &e);
	if (err != SOUK_OK)
		return err;
	*ret_id = e.id;
	*ret_confirmed = e.state == ENDPOINT_CONFIRMED;
	return SOUK_OK;
}

enum souk_err
endpoint_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    struct str topic, struct jw *out)
{
	enum souk_err err;

	if ((err = own_topic(tx, s, seller_id, topic)) != SOUK_OK)
		return err;
	return endpoint_rows_json(tx, seller_id, topic, out);
}

enum souk_err
endpoint_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str topic,
    const struct guid *id, struct arena *mem, struct jw *out)
{
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	jw_open(out, NULL, '{');
	if ((err = endpoint_row_json(tx, seller_id, topic, id, out)) != SOUK_OK ||
	    (err = jobs_json(tx, seller_id, id, mem, out)) != SOUK_OK)
		return err;
	jw_close(out, '}');
	return SOUK_OK;
}

enum souk_err
endpoint_remove(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    struct str topic, const struct guid *id)
{
	bool was_there;
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if ((err = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (err = endpoint_row_delete(tx, seller_id, topic, id, &was_there)) != SOUK_OK)
		return err;
	return was_there ? SOUK_OK : SOUK_E_NOT_FOUND;
}

/* ---- capability links ---- */

static void
subscription_arn(struct str topic_arn, const struct guid *id, struct buf *ret)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	buf_add_str(ret, topic_arn);
	buf_add_char(ret, ':');
	buf_add_c(ret, text);
}

enum souk_err
endpoint_confirm(
    struct db_tx *tx, struct str topic_arn, struct str token, struct buf *ret_subscription_arn)
{
	struct topic_arn arn;
	struct endpoint e;
	uint8_t hash[SHA256_LEN];
	enum souk_err err;

	if (!topic_arn_parse(topic_arn, &arn) || token.n != TOPIC_TOKEN_LEN)
		return SOUK_E_NOT_FOUND;
	sha256(token.p, token.n, hash);
	if ((err = lock_owner(tx, arn.seller_id)) != SOUK_OK ||
	    (err = endpoint_row_by_token(tx, arn.seller_id, hash, &e)) != SOUK_OK)
		return err;
	if (!str_eq_c(arn.name, e.topic) || e.token_until <= db_now(tx))
		return SOUK_E_NOT_FOUND;
	/* Following the link twice is the same as once: mail scanners and browsers do. */
	if (e.state != ENDPOINT_CONFIRMED &&
	    (err = endpoint_row_confirm(tx, arn.seller_id, &e.id)) != SOUK_OK)
		return err;
	buf_clear(ret_subscription_arn);
	subscription_arn(topic_arn, &e.id, ret_subscription_arn);
	return buf_ok(ret_subscription_arn) ? SOUK_OK : SOUK_E_NOMEM;
}

/* "TOPICARN:GUID" */
static bool
split_subscription(struct str text, struct topic_arn *ret_topic, struct guid *ret_id)
{
	const char *colon = text.n > 0 ? memrchr(text.p, ':', text.n) : NULL;
	size_t before;

	if (!colon)
		return false;
	before = (size_t)(colon - text.p);
	return guid_parse((struct str){ .p = colon + 1, .n = text.n - before - 1 }, ret_id) &&
	       topic_arn_parse((struct str){ .p = text.p, .n = before }, ret_topic);
}

enum souk_err
endpoint_unsubscribe(struct db_tx *tx, struct topics *t, struct str subscription, struct str token)
{
	struct topic_arn arn;
	struct topic_token want;
	struct endpoint e;
	struct guid id;
	enum souk_err err;

	if (!split_subscription(subscription, &arn, &id))
		return SOUK_E_NOT_FOUND;
	topic_token_unsubscribe(t->vault, &id, &want);
	if (!secret_equal(want.text, TOPIC_TOKEN_LEN, token.p, token.n))
		return SOUK_E_NOT_FOUND;
	if ((err = lock_owner(tx, arn.seller_id)) != SOUK_OK ||
	    (err = endpoint_row_load(tx, arn.seller_id, &id, &e)) != SOUK_OK)
		return err;
	if (!str_eq_c(arn.name, e.topic) || e.state == ENDPOINT_PENDING)
		return SOUK_E_NOT_FOUND;
	if (e.state == ENDPOINT_UNSUBSCRIBED)
		return SOUK_OK;
	return ask(tx, t, arn.seller_id, &e, ENDPOINT_UNSUBSCRIBED, SNS_UNSUBSCRIBE);
}
