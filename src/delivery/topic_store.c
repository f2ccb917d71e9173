/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of topics: tables topic, topic_endpoint, message. */
#include "delivery/topic_int.h"

#define TOPIC_COLUMNS                                                                              \
	" name, created_at, (SELECT count(*) FROM topic_endpoint AS e"                             \
	" WHERE e.seller_id = $1 AND e.topic = t.name"                                             \
	" AND e.state = 'confirmed') FROM topic AS t"
#define ENDPOINT_COLUMNS " endpoint_id, url, state, created_at, confirmed_at FROM topic_endpoint"

enum {
	Q_TOPIC_INSERT,
	Q_TOPIC_DELETE,
	Q_TOPIC_COUNT,
	Q_TOPIC_EXISTS,
	Q_TOPIC_LIST,
	Q_TOPIC_GET,
	Q_ENDPOINT_PUT,
	Q_ENDPOINT_LOAD,
	Q_ENDPOINT_BY_URL,
	Q_ENDPOINT_BY_TOKEN,
	Q_ENDPOINT_CONFIRM,
	Q_ENDPOINT_DELETE,
	Q_ENDPOINT_DELETE_ALL,
	Q_ENDPOINT_DELETE_STALE,
	Q_ENDPOINT_COUNT,
	Q_ENDPOINT_CONFIRMED,
	Q_ENDPOINT_LIST,
	Q_ENDPOINT_GET,
	Q_MESSAGE_INSERT,
	Q_MESSAGE_BODY,
	Q_MESSAGE_OF,
	Q__COUNT
};

static const char *const sql[Q__COUNT] = {
	[Q_TOPIC_INSERT] = "INSERT INTO topic (seller_id, name, created_at)"
			   " SELECT account_id, $1, $2 FROM account"
			   " WHERE account_id = $3 AND is_seller = 1",
	[Q_TOPIC_DELETE] = "DELETE FROM topic WHERE seller_id = $1 AND name = $2",
	[Q_TOPIC_COUNT] = "SELECT count(*) FROM topic WHERE seller_id = $1",
	[Q_TOPIC_EXISTS] = "SELECT 1 FROM topic WHERE seller_id = $1 AND name = $2",
	[Q_TOPIC_LIST] = "SELECT" TOPIC_COLUMNS " WHERE seller_id = $1 ORDER BY name",
	[Q_TOPIC_GET] = "SELECT" TOPIC_COLUMNS " WHERE seller_id = $1 AND name = $2",
	[Q_ENDPOINT_PUT] = "INSERT INTO topic_endpoint (seller_id, endpoint_id, topic, url, state,"
			   " token_hash, token_until, created_at)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
			   " ON CONFLICT (seller_id, endpoint_id) DO UPDATE SET"
			   " state = excluded.state, token_hash = excluded.token_hash,"
			   " token_until = excluded.token_until, confirmed_at = NULL",
	[Q_ENDPOINT_LOAD] = "SELECT endpoint_id, topic, url, state, token_until FROM topic_endpoint"
			    " WHERE seller_id = $1 AND endpoint_id = $2",
	[Q_ENDPOINT_BY_URL] = "SELECT endpoint_id, topic, url, state, token_until"
			      " FROM topic_endpoint"
			      " WHERE seller_id = $1 AND topic = $2 AND url = $3",
	[Q_ENDPOINT_BY_TOKEN] = "SELECT endpoint_id, topic, url, state, token_until"
				" FROM topic_endpoint WHERE seller_id = $1 AND token_hash = $2",
	[Q_ENDPOINT_CONFIRM] = "UPDATE topic_endpoint SET state = 'confirmed', confirmed_at = $1"
			       " WHERE seller_id = $2 AND endpoint_id = $3",
	[Q_ENDPOINT_DELETE] =
	    "DELETE FROM topic_endpoint WHERE seller_id = $1 AND topic = $2 AND endpoint_id = $3",
	[Q_ENDPOINT_DELETE_ALL] = "DELETE FROM topic_endpoint WHERE seller_id = $1 AND topic = $2",
	[Q_ENDPOINT_DELETE_STALE] = "DELETE FROM topic_endpoint"
				    " WHERE seller_id = $1 AND topic = $2"
				    " AND state <> 'confirmed' AND token_until <= $3",
	[Q_ENDPOINT_COUNT] = "SELECT count(*) FROM topic_endpoint"
			     " WHERE seller_id = $1 AND topic = $2",
	[Q_ENDPOINT_CONFIRMED] = "SELECT endpoint_id FROM topic_endpoint"
				 " WHERE seller_id = $1 AND topic = $2 AND state = 'confirmed'"
				 " ORDER BY created_at, endpoint_id LIMIT $3",
	[Q_ENDPOINT_LIST] = "SELECT" ENDPOINT_COLUMNS " WHERE seller_id = $1 AND topic = $2"
			    " ORDER BY created_at, endpoint_id",
	[Q_ENDPOINT_GET] =
	    "SELECT" ENDPOINT_COLUMNS " WHERE seller_id = $1 AND topic = $2 AND endpoint_id = $3",
	[Q_MESSAGE_INSERT] = "INSERT INTO message (seller_id, message_id, topic, request_id, body,"
			     " created_at) VALUES ($1, $2, $3, $4, $5, $6)",
	[Q_MESSAGE_BODY] = "SELECT body FROM message WHERE seller_id = $1 AND message_id = $2",
	/* a request that failed before it was delivered has two messages */
	[Q_MESSAGE_OF] = "SELECT message_id, topic FROM message"
			 " WHERE seller_id = $1 AND request_id = $2 AND body = $3"
			 " ORDER BY created_at DESC, message_id LIMIT 1",
};

struct db_texts topic_texts = { .component = "topic", .sql = sql, .n = Q__COUNT };

static const char *const state_words[] = {
	[ENDPOINT_PENDING] = "pending",
	[ENDPOINT_CONFIRMED] = "confirmed",
	[ENDPOINT_UNSUBSCRIBED] = "unsubscribed",
};

static void
copy_text(char *out, size_t size, struct str s)
{
	size_t n = s.n < size ? s.n : size - 1;

	memcpy(out, s.p, n);
	out[n] = '\0';
}

static enum souk_err
count(struct db_stmt *st, int64_t *ret)
{
	enum souk_err err;

	if ((err = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return err;
}

/* ---- topics ---- */

enum souk_err
topic_row_insert(struct db_tx *tx, struct str seller_id, struct str name, bool *ret_inserted)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_TOPIC_INSERT);
	int64_t n = 0;
	enum souk_err err;

	db_bind_text(st, 1, name);
	db_bind_int(st, 2, db_now(tx));
	db_bind_text(st, 3, seller_id);
	if ((err = db_run(st, &n)) == SOUK_OK)
		*ret_inserted = n > 0;
	return err;
}

enum souk_err
topic_row_delete(struct db_tx *tx, struct str seller_id, struct str name)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_DELETE_ALL);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	if ((err = db_run(st, NULL)) != SOUK_OK)
		return err;
	st = db_stmt(tx, &topic_texts, Q_TOPIC_DELETE);
	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	return db_run(st, NULL);
}

enum souk_err
topic_row_count(struct db_tx *tx, struct str seller_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_TOPIC_COUNT);

	db_bind_text(st, 1, seller_id);
	return count(st, ret);
}

enum souk_err
topic_exists(struct db_tx *tx, struct str seller_id, struct str name)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_TOPIC_EXISTS);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	err = db_one(st);
	db_reset(st);
	return err;
}

/* `arn` is scratch. */
static void
topic_write(
    struct db_stmt *st, struct str seller_id, struct str region, struct buf *arn, struct jw *out)
{
	buf_clear(arn);
	topic_arn_format(region, seller_id, db_text(st, 0), arn);
	jw_open(out, NULL, '{');
	jw_str(out, "name", db_text(st, 0));
	jw_str(out, "topicArn", buf_str(arn));
	jw_int(out, "confirmedEndpoints", db_int(st, 2));
	jw_instant(out, "createdAt", db_int(st, 1));
	jw_close(out, '}');
}

enum souk_err
topic_rows_json(struct db_tx *tx, struct str seller_id, struct str region, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_TOPIC_LIST);
	struct buf arn = { 0 };
	bool row;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	while ((err = db_step(st, &row)) == SOUK_OK && row)
		topic_write(st, seller_id, region, &arn, out);
	db_reset(st);
	if (err == SOUK_OK && !buf_ok(&arn))
		err = SOUK_E_NOMEM;
	buf_done(&arn);
	return err;
}

enum souk_err
topic_row_json(
    struct db_tx *tx, struct str seller_id, struct str name, struct str region, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_TOPIC_GET);
	struct buf arn = { 0 };
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	if ((err = db_one(st)) == SOUK_OK)
		topic_write(st, seller_id, region, &arn, out);
	db_reset(st);
	if (err == SOUK_OK && !buf_ok(&arn))
		err = SOUK_E_NOMEM;
	buf_done(&arn);
	return err;
}

/* ---- endpoints ---- */

enum souk_err
endpoint_row_put(
    struct db_tx *tx, struct str seller_id, const struct endpoint *e, const uint8_t token_hash[32])
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, &e->id);
	db_bind_c(st, 3, e->topic);
	db_bind_c(st, 4, e->url);
	db_bind_c(st, 5, state_words[e->state]);
	db_bind_blob(st, 6, token_hash, 32);
	db_bind_int(st, 7, e->token_until);
	db_bind_int(st, 8, db_now(tx));
	return db_run(st, NULL);
}

/* Ends the statement. */
static enum souk_err
endpoint_one(struct db_stmt *st, struct endpoint *ret)
{
	enum souk_err err;

	if ((err = db_one(st)) == SOUK_OK) {
		*ret = (struct endpoint){ .id = db_guid(st, 0), .token_until = db_int(st, 4) };
		copy_text(ret->topic, sizeof(ret->topic), db_text(st, 1));
		copy_text(ret->url, sizeof(ret->url), db_text(st, 2));
		if (str_eq_c(db_text(st, 3), "confirmed"))
			ret->state = ENDPOINT_CONFIRMED;
		else if (str_eq_c(db_text(st, 3), "unsubscribed"))
			ret->state = ENDPOINT_UNSUBSCRIBED;
	}
	db_reset(st);
	return err;
}

enum souk_err
endpoint_row_load(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct endpoint *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_LOAD);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	return endpoint_one(st, ret);
}

enum souk_err
endpoint_row_by_url(
    struct db_tx *tx, struct str seller_id, struct str topic, struct str url, struct endpoint *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_BY_URL);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	db_bind_text(st, 3, url);
	return endpoint_one(st, ret);
}

enum souk_err
endpoint_row_by_token(
    struct db_tx *tx, struct str seller_id, const uint8_t token_hash[32], struct endpoint *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_BY_TOKEN);

	db_bind_text(st, 1, seller_id);
	db_bind_blob(st, 2, token_hash, 32);
	return endpoint_one(st, ret);
}

enum souk_err
endpoint_row_confirm(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_CONFIRM);

	db_bind_int(st, 1, db_now(tx));
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, id);
	return db_run(st, NULL);
}

enum souk_err
endpoint_row_delete(struct db_tx *tx, struct str seller_id, struct str topic, const struct guid *id,
    bool *ret_was_there)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_DELETE);
	int64_t n = 0;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	db_bind_guid(st, 3, id);
	if ((err = db_run(st, &n)) == SOUK_OK)
		*ret_was_there = n > 0;
	return err;
}

enum souk_err
endpoint_rows_forget(struct db_tx *tx, struct str seller_id, struct str topic)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_DELETE_STALE);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	db_bind_int(st, 3, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
endpoint_row_count(struct db_tx *tx, struct str seller_id, struct str topic, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_COUNT);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	return count(st, ret);
}

enum souk_err
endpoint_rows_confirmed(struct db_tx *tx, struct str seller_id, struct str topic, struct guid *out,
    size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_CONFIRMED);
	size_t n = 0;
	bool row;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	db_bind_int(st, 3, (int64_t)max);
	while ((err = db_step(st, &row)) == SOUK_OK && row && n < max)
		out[n++] = db_guid(st, 0);
	db_reset(st);
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

static void
endpoint_members(struct db_stmt *st, struct jw *out)
{
	struct guid id = db_guid(st, 0);

	jw_guid(out, "endpointId", &id);
	jw_str(out, "url", db_text(st, 1));
	jw_str(out, "state", db_text(st, 2));
	jw_instant(out, "createdAt", db_int(st, 3));
	if (!db_is_null(st, 4))
		jw_instant(out, "confirmedAt", db_int(st, 4));
}

enum souk_err
endpoint_rows_json(struct db_tx *tx, struct str seller_id, struct str topic, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_LIST);
	bool row;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		jw_open(out, NULL, '{');
		endpoint_members(st, out);
		jw_close(out, '}');
	}
	db_reset(st);
	return err;
}

enum souk_err
endpoint_row_json(
    struct db_tx *tx, struct str seller_id, struct str topic, const struct guid *id, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_ENDPOINT_GET);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, topic);
	db_bind_guid(st, 3, id);
	if ((err = db_one(st)) == SOUK_OK)
		endpoint_members(st, out);
	db_reset(st);
	return err;
}

/* ---- messages ---- */

enum souk_err
message_row_insert(struct db_tx *tx, struct str seller_id, const struct guid *id, struct str topic,
    const struct guid *request_id, struct str body)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_MESSAGE_INSERT);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	db_bind_text(st, 3, topic);
	if (request_id)
		db_bind_guid(st, 4, request_id);
	else
		db_bind_null(st, 4);
	db_bind_text(st, 5, body);
	db_bind_int(st, 6, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
message_row_body(struct db_tx *tx, struct str seller_id, const struct guid *id, struct buf *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_MESSAGE_BODY);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((err = db_one(st)) == SOUK_OK) {
		buf_add_str(ret, db_text(st, 0));
		err = buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
	}
	db_reset(st);
	return err;
}

enum souk_err
message_row_of(struct db_tx *tx, struct str seller_id, const struct guid *request_id,
    struct str body, struct message_ref *ret)
{
	struct db_stmt *st = db_stmt(tx, &topic_texts, Q_MESSAGE_OF);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, request_id);
	db_bind_text(st, 3, body);
	if ((err = db_one(st)) == SOUK_OK) {
		ret->id = db_guid(st, 0);
		copy_text(ret->topic, sizeof(ret->topic), db_text(st, 1));
	}
	db_reset(st);
	return err;
}
