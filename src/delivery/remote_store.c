/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of remotes: tables delivery_remote and delivery_reach. */
#include "delivery/remote_int.h"

#include <stdio.h>

enum {
	Q_LOAD,
	Q_PUT,
	Q_DELETE,
	Q_NEXT,
	Q_REWRAPPED,
	Q_REACH_ADD,
	Q_REACH_DELETE,
	Q_REACH_FIND,
	Q_REACH_OTHER,
	Q_REACH_LIST,
	Q__COUNT
};

static const char *const sql[Q__COUNT] = {
	[Q_LOAD] = "SELECT endpoint, region, path_style, encryption, kms_key_id, credentials,"
		   " access_key_id, data_key, secret FROM delivery_remote"
		   " WHERE seller_id = $1 AND role = $2 AND kind = $3",
	[Q_PUT] =
	    "INSERT INTO delivery_remote (seller_id, role, kind, endpoint, region, path_style,"
	    " encryption, kms_key_id, credentials, access_key_id, data_key, secret)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
	    " ON CONFLICT (seller_id, role, kind) DO UPDATE SET endpoint = excluded.endpoint,"
	    " region = excluded.region, path_style = excluded.path_style,"
	    " encryption = excluded.encryption, kms_key_id = excluded.kms_key_id,"
	    " credentials = excluded.credentials, access_key_id = excluded.access_key_id,"
	    " data_key = excluded.data_key, secret = excluded.secret",
	[Q_DELETE] = "DELETE FROM delivery_remote WHERE seller_id = $1 AND role = $2 AND kind = $3",
	/* fan-out: rotation rewraps every seller's keys */
	[Q_NEXT] = "SELECT seller_id, role, kind, endpoint, data_key FROM delivery_remote"
		   " WHERE (seller_id, role, kind) > ($1, $2, $3) AND credentials = 'seller'"
		   " ORDER BY seller_id, role, kind LIMIT 1",
	[Q_REWRAPPED] = "UPDATE delivery_remote SET data_key = $1"
			" WHERE seller_id = $2 AND role = $3 AND kind = $4",
	[Q_REACH_ADD] = "INSERT INTO delivery_reach (seller_id, role, kind, name)"
			" VALUES ($1, $2, $3, $4) ON CONFLICT (seller_id, role, kind, name)"
			" DO NOTHING",
	[Q_REACH_DELETE] =
	    "DELETE FROM delivery_reach WHERE seller_id = $1 AND role = $2 AND kind = $3",
	[Q_REACH_FIND] = "SELECT 1 FROM delivery_reach"
			 " WHERE seller_id = $1 AND role = $2 AND kind = $3 AND name = $4",
	/* fan-out: does any other seller reach it? */
	[Q_REACH_OTHER] = "SELECT 1 FROM delivery_reach"
			  " WHERE kind = $1 AND name = $2 AND seller_id <> $3 LIMIT 1",
	[Q_REACH_LIST] = "SELECT name FROM delivery_reach"
			 " WHERE seller_id = $1 AND role = $2 AND kind = $3 ORDER BY name",
};
struct db_texts remote_texts = { .component = "remote", .sql = sql, .n = Q__COUNT };

static struct db_stmt *
stmt_of(struct db_tx *tx, unsigned q, struct str seller_id, struct str role, enum remote_kind kind)
{
	struct db_stmt *st = db_stmt(tx, &remote_texts, q);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, role);
	db_bind_c(st, 3, remote_kind_word(kind));
	return st;
}

static void
copy_text(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, "%.*s", (int)(s.n < size ? s.n : size - 1), s.p ? s.p : "");
}

enum souk_err
remote_row_load(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind,
    struct remote_row *ret)
{
	struct db_stmt *st = stmt_of(tx, Q_LOAD, seller_id, role, kind);
	struct remote_row r = { 0 };
	struct str key, secret;
	enum souk_err err;

	if ((err = db_one(st)) != SOUK_OK)
		goto out;
	copy_text(r.endpoint, sizeof(r.endpoint), db_text(st, 0));
	copy_text(r.region, sizeof(r.region), db_text(st, 1));
	r.path_style = db_int(st, 2) != 0;
	copy_text(r.encryption, sizeof(r.encryption), db_text(st, 3));
	copy_text(r.kms_key_id, sizeof(r.kms_key_id), db_text(st, 4));
	r.by_operator = str_eq(db_text(st, 5), STR("operator"));
	copy_text(r.access_key_id, sizeof(r.access_key_id), db_text(st, 6));
	key = db_blob(st, 7);
	secret = db_blob(st, 8);
	if (!r.by_operator && (key.n != sizeof(r.data_key) || secret.n < VAULT_OVERHEAD ||
				  secret.n > sizeof(r.secret))) {
		err = SOUK_E_STORAGE;
		goto out;
	}
	if (!r.by_operator) {
		memcpy(r.data_key, key.p, key.n);
		memcpy(r.secret, secret.p, secret.n);
		r.secret_n = secret.n;
	}
	*ret = r;
out:
	db_reset(st);
	return err;
}

enum souk_err
remote_row_put(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind,
    const struct remote_row *r)
{
	struct db_stmt *st = stmt_of(tx, Q_PUT, seller_id, role, kind);

	db_bind_c(st, 4, r->endpoint);
	db_bind_c(st, 5, r->region);
	db_bind_int(st, 6, r->path_style);
	db_bind_c(st, 7, r->encryption);
	db_bind_c(st, 8, r->kms_key_id);
	db_bind_c(st, 9, r->by_operator ? "operator" : "seller");
	db_bind_c(st, 10, r->access_key_id);
	if (r->by_operator) {
		db_bind_null(st, 11);
		db_bind_null(st, 12);
	} else {
		db_bind_blob(st, 11, r->data_key, sizeof(r->data_key));
		db_bind_blob(st, 12, r->secret, r->secret_n);
	}
	return db_run(st, NULL);
}

enum souk_err
remote_row_delete(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind,
    bool *ret_was_there)
{
	int64_t n = 0;
	enum souk_err err = db_run(stmt_of(tx, Q_DELETE, seller_id, role, kind), &n);

	if (err == SOUK_OK)
		*ret_was_there = n > 0;
	return err;
}

enum souk_err
reach_row_add(
    struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind, struct str name)
{
	struct db_stmt *st = stmt_of(tx, Q_REACH_ADD, seller_id, role, kind);

	db_bind_text(st, 4, name);
	return db_run(st, NULL);
}

enum souk_err
reach_rows_delete(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind)
{
	return db_run(stmt_of(tx, Q_REACH_DELETE, seller_id, role, kind), NULL);
}

enum souk_err
reach_row_find(
    struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind, struct str name)
{
	struct db_stmt *st = stmt_of(tx, Q_REACH_FIND, seller_id, role, kind);
	enum souk_err err;

	db_bind_text(st, 4, name);
	err = db_one(st);
	db_reset(st);
	return err;
}

enum souk_err
reach_row_of_another(struct db_tx *tx, struct str seller_id, enum remote_kind kind, struct str name)
{
	struct db_stmt *st = db_stmt(tx, &remote_texts, Q_REACH_OTHER);
	enum souk_err err;

	db_bind_c(st, 1, remote_kind_word(kind));
	db_bind_text(st, 2, name);
	db_bind_text(st, 3, seller_id);
	err = db_one(st);
	db_reset(st);
	return err;
}

enum souk_err
reach_rows_json(
    struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind, struct jw *out)
{
	struct db_stmt *st = stmt_of(tx, Q_REACH_LIST, seller_id, role, kind);
	bool row;
	enum souk_err err;

	while ((err = db_step(st, &row)) == SOUK_OK && row)
		jw_str(out, NULL, db_text(st, 0));
	db_reset(st);
	return err;
}

enum souk_err
remote_row_next(struct db_tx *tx, struct str cursor, struct remote_sealed *ret)
{
	struct db_stmt *st = db_stmt(tx, &remote_texts, Q_NEXT);
	struct str rest = cursor, part[3] = { { "", 0 }, { "", 0 }, { "", 0 } };
	struct str key;
	enum souk_err err;

	for (int i = 0; i < 3; i++) {
		(void)str_split(&rest, ' ', &part[i]);
		db_bind_text(st, i + 1, part[i]);
	}
	if ((err = db_one(st)) != SOUK_OK)
		goto out;
	copy_text(ret->seller_id, sizeof(ret->seller_id), db_text(st, 0));
	copy_text(ret->role, sizeof(ret->role), db_text(st, 1));
	ret->kind = str_eq(db_text(st, 2), STR("sns")) ? REMOTE_SNS : REMOTE_S3;
	copy_text(ret->endpoint, sizeof(ret->endpoint), db_text(st, 3));
	key = db_blob(st, 4);
	if (key.n == sizeof(ret->data_key))
		memcpy(ret->data_key, key.p, key.n);
	else
		err = SOUK_E_STORAGE;
out:
	db_reset(st);
	return err;
}

enum souk_err
remote_row_rewrapped(struct db_tx *tx, const struct remote_sealed *r, const struct wrapped_key *key)
{
	struct db_stmt *st = db_stmt(tx, &remote_texts, Q_REWRAPPED);

	db_bind_blob(st, 1, key->b, sizeof(key->b));
	db_bind_c(st, 2, r->seller_id);
	db_bind_c(st, 3, r->role);
	db_bind_c(st, 4, remote_kind_word(r->kind));
	return db_run(st, NULL);
}
