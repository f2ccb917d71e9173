/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the access layer keeps: access keys (secrets sealed), bearer tokens (hashes only).
 *
 * The two statements that find a principal are the only ones without a tenant: they are
 * how a tenant is found.
 */
#include "access/access_store.h"

#define PRINCIPAL_COLUMNS                                                                          \
	" u.user_id, u.name, u.policy,"                                                            \
	" CASE WHEN u.state = 'active' AND a.state = 'active' THEN 1 ELSE 0 END,"                  \
	" a.account_id, a.is_operator, a.is_buyer, a.is_seller"

enum {
	Q_BY_TOKEN,
	Q_BY_KEY,
	Q_USER_ACCOUNT,
	Q_KEY_ACCOUNT,
	Q_TOKEN_ACCOUNT,
	Q_KEY_ADD,
	Q_KEY_STATE,
	Q_KEY_POLICY,
	Q_KEY_FACTS,
	Q_KEY_REMOVE,
	Q_KEY_COUNT,
	Q_KEY_LIST,
	Q_KEY_GET,
	Q_KEY_NEXT,
	Q_KEY_REWRAPPED,
	Q_TOKEN_ADD,
	Q_TOKEN_LABEL,
	Q_TOKEN_POLICY,
	Q_TOKEN_EXPIRY,
	Q_TOKEN_FACTS,
	Q_TOKEN_REMOVE,
	Q_TOKEN_PRUNE,
	Q_TOKEN_COUNT,
	Q_TOKEN_LIST,
	Q_TOKEN_GET,
	Q__COUNT
};

#define KEY_COLUMNS " access_key_id, state, created_at, changed_at, policy, user_id FROM access_key"
#define TOKEN_COLUMNS " token_id, label, created_at, expires_at, policy, user_id FROM bearer_token"

static const char *const sql[Q__COUNT] = {
	[Q_BY_TOKEN] = "SELECT" PRINCIPAL_COLUMNS ", t.policy, t.expires_at, t.token_id"
		       " FROM bearer_token t JOIN iam_user u ON u.user_id = t.user_id"
		       " JOIN account a ON a.account_id = t.account_id WHERE t.token_hash = $1",
	[Q_BY_KEY] =
	    "SELECT" PRINCIPAL_COLUMNS ", k.policy, CASE k.state WHEN 'active' THEN 1 ELSE 0 END,"
	    " k.data_key, k.secret"
	    " FROM access_key k JOIN iam_user u ON u.user_id = k.user_id"
	    " JOIN account a ON a.account_id = k.account_id WHERE k.access_key_id = $1",
	[Q_USER_ACCOUNT] = "SELECT account_id FROM iam_user WHERE user_id = $1",
	[Q_KEY_ACCOUNT] = "SELECT account_id FROM access_key WHERE access_key_id = $1",
	[Q_TOKEN_ACCOUNT] = "SELECT account_id FROM bearer_token WHERE token_id = $1",
	[Q_KEY_ADD] =
	    "INSERT INTO access_key (access_key_id, account_id, user_id, data_key, secret,"
	    " policy, state, created_at, changed_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8)",
	[Q_KEY_STATE] =
	    "UPDATE access_key SET state = $1, changed_at = $2 WHERE access_key_id = $3",
	[Q_KEY_POLICY] =
	    "UPDATE access_key SET policy = $1, changed_at = $2 WHERE access_key_id = $3",
	[Q_KEY_FACTS] = "SELECT u.policy, k.policy, 0 FROM access_key k"
			" JOIN iam_user u ON u.user_id = k.user_id WHERE k.access_key_id = $1",
	[Q_KEY_REMOVE] = "DELETE FROM access_key WHERE access_key_id = $1",
	[Q_KEY_COUNT] = "SELECT count(*) FROM access_key WHERE user_id = $1",
	[Q_KEY_LIST] =
	    "SELECT" KEY_COLUMNS " WHERE user_id = $1 ORDER BY created_at, access_key_id",
	[Q_KEY_GET] = "SELECT" KEY_COLUMNS " WHERE access_key_id = $1",
	[Q_KEY_NEXT] = "SELECT access_key_id, data_key FROM access_key WHERE access_key_id > $1"
		       " ORDER BY access_key_id LIMIT 1",
	[Q_KEY_REWRAPPED] = "UPDATE access_key SET data_key = $1 WHERE access_key_id = $2",
	[Q_TOKEN_ADD] =
	    "INSERT INTO bearer_token (token_id, account_id, user_id, token_hash, label,"
	    " policy, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	[Q_TOKEN_LABEL] = "UPDATE bearer_token SET label = $1 WHERE token_id = $2",
	[Q_TOKEN_POLICY] = "UPDATE bearer_token SET policy = $1 WHERE token_id = $2",
	[Q_TOKEN_EXPIRY] = "UPDATE bearer_token SET expires_at = $1 WHERE token_id = $2",
	[Q_TOKEN_FACTS] = "SELECT u.policy, t.policy, t.expires_at FROM bearer_token t"
			  " JOIN iam_user u ON u.user_id = t.user_id WHERE t.token_id = $1",
	[Q_TOKEN_REMOVE] = "DELETE FROM bearer_token WHERE token_id = $1",
	[Q_TOKEN_PRUNE] = "DELETE FROM bearer_token WHERE user_id = $1 AND expires_at <= $2",
	[Q_TOKEN_COUNT] = "SELECT count(*) FROM bearer_token WHERE user_id = $1",
	[Q_TOKEN_LIST] = "SELECT" TOKEN_COLUMNS " WHERE user_id = $1 ORDER BY created_at, token_id",
	[Q_TOKEN_GET] = "SELECT" TOKEN_COLUMNS " WHERE token_id = $1",
};

struct db_texts access_texts = { .component = "access", .sql = sql, .n = Q__COUNT };

static void
row_read(struct db_stmt *st, struct access_row *r)
{
	*r = (struct access_row){ .st = st,
		.user_id = db_guid(st, 0),
		.user_name = db_text(st, 1),
		.user_policy = db_text(st, 2),
		.active = db_int(st, 3) != 0,
		.account_id = db_text(st, 4),
		.is_operator = db_int(st, 5) != 0,
		.is_buyer = db_int(st, 6) != 0,
		.is_seller = db_int(st, 7) != 0,
		.own_policy = db_text(st, 8) };
}

enum souk_err
access_row_by_token(struct db_tx *tx, const uint8_t hash[SHA256_LEN], struct access_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_BY_TOKEN);
	enum souk_err err;

	db_bind_blob(st, 1, hash, SHA256_LEN);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	row_read(st, ret);
	ret->expires_at = db_int(st, 9);
	ret->token_id = db_guid(st, 10);
	return SOUK_OK;
}

enum souk_err
access_row_by_key(struct db_tx *tx, struct str access_key_id, struct access_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_BY_KEY);
	enum souk_err err;

	db_bind_text(st, 1, access_key_id);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	row_read(st, ret);
	ret->active = ret->active && db_int(st, 9) != 0;
	ret->data_key = db_blob(st, 10);
	ret->secret = db_blob(st, 11);
	return SOUK_OK;
}

void
access_row_done(struct access_row *r)
{
	db_reset(r->st);
}

#define META_GENERATION "access_generation"

enum souk_err
access_store_generation(struct db_tx *tx, int64_t *ret)
{
	struct buf b = { 0 };
	int64_t value = 0;
	enum souk_err err = db_meta_get(tx, META_GENERATION, &b);

	/* Nothing was ever changed: that is generation 0. */
	if (err == SOUK_E_NOT_FOUND)
		err = SOUK_OK;
	else if (err == SOUK_OK && !str_to_i64(buf_str(&b), &value))
		err = SOUK_E_INTERNAL;
	if (err == SOUK_OK)
		*ret = value;
	buf_done(&b);
	return err;
}

enum souk_err
access_store_generation_put(struct db_tx *tx, int64_t value)
{
	struct buf b = { 0 };
	enum souk_err err;

	buf_add_i64(&b, value);
	err = buf_ok(&b) ? db_meta_put(tx, META_GENERATION, buf_str(&b)) : SOUK_E_NOMEM;
	buf_done(&b);
	return err;
}

/* The account in the only column of a bound statement's only row. */
static enum souk_err
account_of(struct db_stmt *st, char ret[ACCOUNT_ID_LEN + 1])
{
	enum souk_err err = db_one(st);
	struct str id;

	if (err != SOUK_OK)
		return err;
	id = db_text(st, 0);
	if (id.n == ACCOUNT_ID_LEN) {
		memcpy(ret, id.p, ACCOUNT_ID_LEN);
		ret[ACCOUNT_ID_LEN] = '\0';
	} else {
		err = SOUK_E_STORAGE;
	}
	db_reset(st);
	return err;
}

enum souk_err
access_store_user_account(
    struct db_tx *tx, const struct guid *user_id, char ret[ACCOUNT_ID_LEN + 1])
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_USER_ACCOUNT);

	db_bind_guid(st, 1, user_id);
	return account_of(st, ret);
}

enum souk_err
access_store_key_account(struct db_tx *tx, struct str access_key_id, char ret[ACCOUNT_ID_LEN + 1])
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_ACCOUNT);

	db_bind_text(st, 1, access_key_id);
	return account_of(st, ret);
}

enum souk_err
access_store_token_account(
    struct db_tx *tx, const struct guid *token_id, char ret[ACCOUNT_ID_LEN + 1])
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_ACCOUNT);

	db_bind_guid(st, 1, token_id);
	return account_of(st, ret);
}

static void
bind_text_or_null(struct db_stmt *st, int i, struct str v)
{
	if (v.n > 0)
		db_bind_text(st, i, v);
	else
		db_bind_null(st, i);
}

static void
bind_expiry(struct db_stmt *st, int i, instant_t expires_at)
{
	if (expires_at != 0)
		db_bind_int(st, i, expires_at);
	else
		db_bind_null(st, i);
}

/* The facts of a bound statement's only row. */
static enum souk_err
facts_of(struct db_stmt *st, struct arena *mem, struct login_facts *ret)
{
	struct login_facts l;
	enum souk_err err = db_one(st);

	if (err != SOUK_OK)
		return err;
	l.user_policy = arena_str(mem, db_text(st, 0));
	l.policy = arena_str(mem, db_text(st, 1));
	l.expires_at = db_int(st, 2);
	db_reset(st);
	if (!l.user_policy.p || !l.policy.p)
		return SOUK_E_LIMIT;
	*ret = l;
	return SOUK_OK;
}

enum souk_err
access_store_key_add(struct db_tx *tx, const struct key_row *k)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_ADD);
	instant_t now = db_now(tx);

	db_bind_text(st, 1, k->access_key_id);
	db_bind_text(st, 2, k->account_id);
	db_bind_guid(st, 3, &k->user_id);
	db_bind_blob(st, 4, k->data_key.p, k->data_key.n);
	db_bind_blob(st, 5, k->secret.p, k->secret.n);
	bind_text_or_null(st, 6, k->policy);
	db_bind_int(st, 7, now);
	db_bind_int(st, 8, now);
	return db_run(st, NULL);
}

/* A change of one row that must be there. */
static enum souk_err
run_one(struct db_stmt *st)
{
	int64_t n = 0;
	enum souk_err err = db_run(st, &n);

	return err == SOUK_OK && n == 0 ? SOUK_E_NOT_FOUND : err;
}

enum souk_err
access_store_key_state(struct db_tx *tx, struct str access_key_id, bool active)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_STATE);

	db_bind_c(st, 1, active ? "active" : "disabled");
	db_bind_int(st, 2, db_now(tx));
	db_bind_text(st, 3, access_key_id);
	return run_one(st);
}

enum souk_err
access_store_key_policy(struct db_tx *tx, struct str access_key_id, struct str policy)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_POLICY);

	bind_text_or_null(st, 1, policy);
	db_bind_int(st, 2, db_now(tx));
	db_bind_text(st, 3, access_key_id);
	return run_one(st);
}

enum souk_err
access_store_key_facts(
    struct db_tx *tx, struct str access_key_id, struct arena *mem, struct login_facts *ret)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_FACTS);

	db_bind_text(st, 1, access_key_id);
	return facts_of(st, mem, ret);
}

enum souk_err
access_store_key_remove(struct db_tx *tx, struct str access_key_id)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_REMOVE);

	db_bind_text(st, 1, access_key_id);
	return run_one(st);
}

static enum souk_err
count_of(struct db_stmt *st, int64_t *ret)
{
	enum souk_err err = db_one(st);

	if (err == SOUK_OK) {
		*ret = db_int(st, 0);
		db_reset(st);
	}
	return err;
}

enum souk_err
access_store_key_count(struct db_tx *tx, const struct guid *user_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_COUNT);

	db_bind_guid(st, 1, user_id);
	return count_of(st, ret);
}

/* The policy is a document of its own, checked when it was saved. */
static void
write_policy(struct jw *out, struct str policy)
{
	if (policy.n > 0)
		jw_raw(out, "policy", policy);
}

static void
key_write(struct db_stmt *st, struct jw *out)
{
	struct guid user_id = db_guid(st, 5);

	jw_open(out, NULL, '{');
	jw_str(out, "accessKeyId", db_text(st, 0));
	jw_guid(out, "userId", &user_id);
	jw_str(out, "state", db_text(st, 1));
	jw_instant(out, "createdAt", db_int(st, 2));
	jw_instant(out, "changedAt", db_int(st, 3));
	write_policy(out, db_text(st, 4));
	jw_close(out, '}');
}

static enum souk_err
write_all(struct db_stmt *st, void (*write)(struct db_stmt *, struct jw *), struct jw *out)
{
	bool row = false;
	enum souk_err err;

	while ((err = db_step(st, &row)) == SOUK_OK && row)
		write(st, out);
	return err;
}

static enum souk_err
write_one(struct db_stmt *st, void (*write)(struct db_stmt *, struct jw *), struct jw *out)
{
	enum souk_err err = db_one(st);

	if (err != SOUK_OK)
		return err;
	write(st, out);
	db_reset(st);
	return SOUK_OK;
}

enum souk_err
access_store_key_list(struct db_tx *tx, const struct guid *user_id, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_LIST);

	db_bind_guid(st, 1, user_id);
	return write_all(st, key_write, out);
}

enum souk_err
access_store_key_get(struct db_tx *tx, struct str access_key_id, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_GET);

	db_bind_text(st, 1, access_key_id);
	return write_one(st, key_write, out);
}

enum souk_err
access_store_key_next(
    struct db_tx *tx, struct str after, struct buf *ret_id, struct buf *ret_data_key)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_NEXT);
	enum souk_err err;

	db_bind_text(st, 1, after);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	buf_clear(ret_id);
	buf_clear(ret_data_key);
	buf_add_str(ret_id, db_text(st, 0));
	buf_add_str(ret_data_key, db_blob(st, 1));
	db_reset(st);
	return buf_ok(ret_id) && buf_ok(ret_data_key) ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
access_store_key_rewrapped(struct db_tx *tx, struct str access_key_id, struct str data_key)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_KEY_REWRAPPED);

	db_bind_blob(st, 1, data_key.p, data_key.n);
	db_bind_text(st, 2, access_key_id);
	return run_one(st);
}

enum souk_err
access_store_token_add(struct db_tx *tx, const struct token_row *t)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_ADD);

	db_bind_guid(st, 1, &t->id);
	db_bind_text(st, 2, t->account_id);
	db_bind_guid(st, 3, &t->user_id);
	db_bind_blob(st, 4, t->hash, sizeof(t->hash));
	db_bind_text(st, 5, t->label);
	bind_text_or_null(st, 6, t->policy);
	bind_expiry(st, 7, t->expires_at);
	db_bind_int(st, 8, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
access_store_token_label(struct db_tx *tx, const struct guid *token_id, struct str label)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_LABEL);

	db_bind_text(st, 1, label);
	db_bind_guid(st, 2, token_id);
	return run_one(st);
}

enum souk_err
access_store_token_policy(struct db_tx *tx, const struct guid *token_id, struct str policy)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_POLICY);

	bind_text_or_null(st, 1, policy);
	db_bind_guid(st, 2, token_id);
	return run_one(st);
}

enum souk_err
access_store_token_expiry(struct db_tx *tx, const struct guid *token_id, instant_t expires_at)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_EXPIRY);

	bind_expiry(st, 1, expires_at);
	db_bind_guid(st, 2, token_id);
	return run_one(st);
}

enum souk_err
access_store_token_facts(
    struct db_tx *tx, const struct guid *token_id, struct arena *mem, struct login_facts *ret)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_FACTS);

	db_bind_guid(st, 1, token_id);
	return facts_of(st, mem, ret);
}

enum souk_err
access_store_token_remove(struct db_tx *tx, const struct guid *token_id)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_REMOVE);

	db_bind_guid(st, 1, token_id);
	return run_one(st);
}

enum souk_err
access_store_token_count(struct db_tx *tx, const struct guid *user_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_PRUNE);
	enum souk_err err;

	db_bind_guid(st, 1, user_id);
	db_bind_int(st, 2, db_now(tx));
	if ((err = db_run(st, NULL)) != SOUK_OK)
		return err;
	st = db_stmt(tx, &access_texts, Q_TOKEN_COUNT);
	db_bind_guid(st, 1, user_id);
	return count_of(st, ret);
}

static void
token_write(struct db_stmt *st, struct jw *out)
{
	struct guid id = db_guid(st, 0), user_id = db_guid(st, 5);

	jw_open(out, NULL, '{');
	jw_guid(out, "tokenId", &id);
	jw_guid(out, "userId", &user_id);
	jw_str(out, "label", db_text(st, 1));
	jw_instant(out, "createdAt", db_int(st, 2));
	if (!db_is_null(st, 3))
		jw_instant(out, "expiresAt", db_int(st, 3));
	write_policy(out, db_text(st, 4));
	jw_close(out, '}');
}

enum souk_err
access_store_token_list(struct db_tx *tx, const struct guid *user_id, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_LIST);

	db_bind_guid(st, 1, user_id);
	return write_all(st, token_write, out);
}

enum souk_err
access_store_token_get(struct db_tx *tx, const struct guid *token_id, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &access_texts, Q_TOKEN_GET);

	db_bind_guid(st, 1, token_id);
	return write_one(st, token_write, out);
}
