/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of delivery roles: table delivery_role. */
#include "delivery/role_int.h"

enum {
	Q_ROLE_LOAD,
	Q_ROLE_COUNT,
	Q_ROLE_INSERT,
	Q_ROLE_UPDATE,
	Q_ROLE_DELETE,
	Q_ROLE_LIST,
	Q__COUNT
};

static const char *const sql[Q__COUNT] = {
	[Q_ROLE_LOAD] = "SELECT name, policy, created_at, changed_at, revision FROM delivery_role"
			" WHERE seller_id = $1 AND name = $2",
	[Q_ROLE_COUNT] = "SELECT count(*) FROM delivery_role WHERE seller_id = $1",
	[Q_ROLE_INSERT] = "INSERT INTO delivery_role (seller_id, name, policy, created_at,"
			  " changed_at, revision)"
			  " SELECT account_id, $1, $2, $3, $4, 1 FROM account"
			  " WHERE account_id = $5 AND is_seller = 1",
	[Q_ROLE_UPDATE] = "UPDATE delivery_role SET policy = $1, changed_at = $2, revision = $3"
			  " WHERE seller_id = $4 AND name = $5",
	[Q_ROLE_DELETE] = "DELETE FROM delivery_role WHERE seller_id = $1 AND name = $2",
	[Q_ROLE_LIST] = "SELECT name, policy, created_at, changed_at, revision FROM delivery_role"
			" WHERE seller_id = $1 ORDER BY name",
};

struct db_texts role_texts = { .component = "role", .sql = sql, .n = Q__COUNT };

enum souk_err
role_row_load(struct db_tx *tx, struct str seller_id, struct str name, struct role *ret)
{
	struct db_stmt *st = db_stmt(tx, &role_texts, Q_ROLE_LOAD);
	struct role r = { 0 };
	size_t name_n;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	if ((err = db_one(st)) != SOUK_OK)
		goto out;
	name_n = db_text(st, 0).n;
	buf_add_str(&r.text, db_text(st, 0));
	buf_add_str(&r.text, db_text(st, 1));
	r.created_at = db_int(st, 2);
	r.changed_at = db_int(st, 3);
	r.revision = db_int(st, 4);
	if (!buf_ok(&r.text)) {
		buf_done(&r.text);
		err = SOUK_E_NOMEM;
		goto out;
	}
	r.name = (struct str){ .p = r.text.p, .n = name_n };
	r.policy = (struct str){ .p = r.text.p + name_n, .n = r.text.n - name_n };
	*ret = r;
out:
	db_reset(st);
	return err;
}

enum souk_err
role_row_count(struct db_tx *tx, struct str seller_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &role_texts, Q_ROLE_COUNT);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	if ((err = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return err;
}

enum souk_err
role_row_insert(
    struct db_tx *tx, struct str seller_id, struct str name, struct str policy, bool *ret_inserted)
{
	struct db_stmt *st = db_stmt(tx, &role_texts, Q_ROLE_INSERT);
	int64_t n = 0;
	enum souk_err err;

	db_bind_text(st, 1, name);
	db_bind_text(st, 2, policy);
	db_bind_int(st, 3, db_now(tx));
	db_bind_int(st, 4, db_now(tx));
	db_bind_text(st, 5, seller_id);
	if ((err = db_run(st, &n)) == SOUK_OK)
		*ret_inserted = n > 0;
	return err;
}

enum souk_err
role_row_update(
    struct db_tx *tx, struct str seller_id, struct str name, struct str policy, int64_t revision)
{
	struct db_stmt *st = db_stmt(tx, &role_texts, Q_ROLE_UPDATE);

	db_bind_text(st, 1, policy);
	db_bind_int(st, 2, db_now(tx));
	db_bind_int(st, 3, revision);
	db_bind_text(st, 4, seller_id);
	db_bind_text(st, 5, name);
	return db_run(st, NULL);
}

enum souk_err
role_row_delete(struct db_tx *tx, struct str seller_id, struct str name, bool *ret_was_there)
{
	struct db_stmt *st = db_stmt(tx, &role_texts, Q_ROLE_DELETE);
	int64_t n = 0;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	if ((err = db_run(st, &n)) == SOUK_OK)
		*ret_was_there = n > 0;
	return err;
}

enum souk_err
role_rows_each(struct db_tx *tx, struct str seller_id,
    enum souk_err (*emit)(
	struct db_tx *tx, const struct role *r, struct str seller_id, struct jw *out),
    struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &role_texts, Q_ROLE_LIST);
	struct role r;
	bool row;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		r = (struct role){ .name = db_text(st, 0),
			.policy = db_text(st, 1),
			.created_at = db_int(st, 2),
			.changed_at = db_int(st, 3),
			.revision = db_int(st, 4) };
		if ((err = emit(tx, &r, seller_id, out)) != SOUK_OK)
			break;
	}
	db_reset(st);
	return err;
}
