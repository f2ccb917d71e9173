/* SPDX-License-Identifier: Apache-2.0 */
/* Kept answers in the database: one row per account and key. */
#include "access/idempotency_store.h"

enum { Q_FIND, Q_DROP_OLD, Q_ADD, Q_ERASE, Q_PRUNE, Q_NEXT, Q_REWRAPPED, Q__COUNT };

static const char *const sql[Q__COUNT] = {
	[Q_FIND] = "SELECT request_hash, data_key, answer, status FROM idempotency"
		   " WHERE account_id = $1 AND key_hash = $2 AND created_at > $3",
	[Q_DROP_OLD] = "DELETE FROM idempotency"
		       " WHERE account_id = $1 AND key_hash = $2 AND created_at <= $3",
	[Q_ADD] = "INSERT INTO idempotency (account_id, key_hash, request_hash, subject, status,"
		  " data_key, answer, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	[Q_ERASE] = "UPDATE idempotency SET data_key = NULL, answer = NULL"
		    " WHERE subject = $1 AND data_key IS NOT NULL",
	[Q_PRUNE] = "DELETE FROM idempotency WHERE created_at < $1",
	[Q_NEXT] = "SELECT account_id, key_hash, data_key FROM idempotency"
		   " WHERE (account_id, key_hash) > ($1, $2) AND data_key IS NOT NULL"
		   " ORDER BY account_id, key_hash LIMIT 1",
	[Q_REWRAPPED] =
	    "UPDATE idempotency SET data_key = $1 WHERE account_id = $2 AND key_hash = $3"
	    " AND data_key IS NOT NULL",
};

struct db_texts idempotency_texts = { .component = "idempotency", .sql = sql, .n = Q__COUNT };

enum souk_err
idempotency_row_find(struct db_tx *tx, struct str account_id, const uint8_t key_hash[32],
    instant_t since, struct idempotency_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &idempotency_texts, Q_FIND);
	enum souk_err err;

	db_bind_text(st, 1, account_id);
	db_bind_blob(st, 2, key_hash, 32);
	db_bind_int(st, 3, since);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	*ret = (struct idempotency_row){ .st = st,
		.request_hash = db_blob(st, 0),
		.data_key = db_blob(st, 1),
		.answer = db_blob(st, 2),
		.erased = db_is_null(st, 1),
		.status = (int)db_int(st, 3) };
	return SOUK_OK;
}

void
idempotency_row_done(struct idempotency_row *r)
{
	db_reset(r->st);
}

enum souk_err
idempotency_row_add(struct db_tx *tx, const struct idempotency_new *n, instant_t since)
{
	struct db_stmt *st = db_stmt(tx, &idempotency_texts, Q_DROP_OLD);
	enum souk_err err;

	db_bind_text(st, 1, n->account_id);
	db_bind_blob(st, 2, n->key->key_hash, sizeof(n->key->key_hash));
	db_bind_int(st, 3, since);
	if ((err = db_run_later(st)) != SOUK_OK)
		return err;
	st = db_stmt(tx, &idempotency_texts, Q_ADD);
	db_bind_text(st, 1, n->account_id);
	db_bind_blob(st, 2, n->key->key_hash, sizeof(n->key->key_hash));
	db_bind_blob(st, 3, n->key->request_hash, sizeof(n->key->request_hash));
	if (n->subject)
		db_bind_guid(st, 4, n->subject);
	else
		db_bind_null(st, 4);
	db_bind_int(st, 5, n->status);
	db_bind_blob(st, 6, n->data_key.p, n->data_key.n);
	db_bind_blob(st, 7, n->answer.p, n->answer.n);
	db_bind_int(st, 8, db_now(tx));
	return db_run_later(st);
}

enum souk_err
idempotency_row_erase(struct db_tx *tx, const struct guid *subject, int64_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &idempotency_texts, Q_ERASE);

	db_bind_guid(st, 1, subject);
	return db_run(st, ret_n);
}

enum souk_err
idempotency_row_prune(struct db_tx *tx, instant_t before, int64_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &idempotency_texts, Q_PRUNE);

	db_bind_int(st, 1, before);
	return db_run(st, ret_n);
}

enum souk_err
idempotency_row_next(
    struct db_tx *tx, struct str account_id, struct str key_hash, struct idempotency_place *ret)
{
	struct db_stmt *st = db_stmt(tx, &idempotency_texts, Q_NEXT);
	enum souk_err err;

	db_bind_text(st, 1, account_id);
	db_bind_blob(st, 2, key_hash.p, key_hash.n);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	buf_clear(&ret->account_id);
	buf_clear(&ret->key_hash);
	buf_clear(&ret->data_key);
	buf_add_str(&ret->account_id, db_text(st, 0));
	buf_add_str(&ret->key_hash, db_blob(st, 1));
	buf_add_str(&ret->data_key, db_blob(st, 2));
	db_reset(st);
	return buf_ok(&ret->account_id) && buf_ok(&ret->key_hash) && buf_ok(&ret->data_key)
		   ? SOUK_OK
		   : SOUK_E_NOMEM;
}

enum souk_err
idempotency_row_rewrapped(struct db_tx *tx, const struct idempotency_place *at, struct str data_key)
{
	struct db_stmt *st = db_stmt(tx, &idempotency_texts, Q_REWRAPPED);

	db_bind_blob(st, 1, data_key.p, data_key.n);
	db_bind_text(st, 2, buf_str(&at->account_id));
	db_bind_blob(st, 3, at->key_hash.p, at->key_hash.n);
	return db_run(st, NULL);
}
