/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on resource policies; see resource_policy_store.h. */
#include "proserv/resource_policy_store.h"

#include "proserv/catalog_store.h"

#define POLICY_SQL(X)                                                                              \
	X(Q_PUT, "INSERT INTO entity_policy (seller_id, entity_id, policy, changed_at)"            \
		 " VALUES ($1, $2, $3, $4) ON CONFLICT (seller_id, entity_id) DO UPDATE"           \
		 " SET policy = excluded.policy, changed_at = excluded.changed_at")                \
	X(Q_FIND, "SELECT policy FROM entity_policy WHERE seller_id = $1 AND entity_id = $2")      \
	X(Q_DROP, "DELETE FROM entity_policy WHERE seller_id = $1 AND entity_id = $2")             \
	X(Q_SHARE, "INSERT INTO entity_share (seller_id, entity_id, account_id, action)"           \
		   " VALUES ($1, $2, $3, $4)")                                                     \
	X(Q_UNSHARE, "DELETE FROM entity_share WHERE seller_id = $1 AND entity_id = $2")           \
	/* fan-out: who was given it names the id alone */                                         \
	X(Q_OWNER, "SELECT seller_id FROM entity_share"                                            \
		   " WHERE account_id = $1 AND action = $2 AND entity_id = $3")

enum policy_q {
#define X(id, sql) id,
	POLICY_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	POLICY_SQL(X)
#undef X
};

struct db_texts resource_policy_texts = {
	.component = "resource_policy", .sql = sql_texts, .n = Q__COUNT
};

static struct db_stmt *
of_entity(struct db_tx *tx, enum policy_q q, struct str seller_id, const struct guid *entity_id)
{
	struct db_stmt *st = db_stmt(tx, &resource_policy_texts, q);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, entity_id);
	return st;
}

enum souk_err
policy_row_put(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id, struct str policy)
{
	struct db_stmt *st = of_entity(tx, Q_PUT, seller_id, entity_id);

	db_bind_text(st, 3, policy);
	db_bind_int(st, 4, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
policy_row_find(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id, struct buf *ret)
{
	struct db_stmt *st = of_entity(tx, Q_FIND, seller_id, entity_id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK)
		buf_add_str(ret, db_text(st, 0));
	db_reset(st);
	return r;
}

enum souk_err
policy_row_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id, bool *ret_found)
{
	int64_t rows = 0;
	enum souk_err r = db_run(of_entity(tx, Q_DROP, seller_id, entity_id), &rows);

	if (r == SOUK_OK)
		*ret_found = rows > 0;
	return r;
}

enum souk_err
share_row_put(struct db_tx *tx, struct str seller_id, const struct guid *entity_id,
    struct str account_id, const char *action)
{
	struct db_stmt *st = of_entity(tx, Q_SHARE, seller_id, entity_id);

	db_bind_text(st, 3, account_id);
	db_bind_c(st, 4, action);
	return db_run_later(st);
}

enum souk_err
share_rows_drop(struct db_tx *tx, struct str seller_id, const struct guid *entity_id)
{
	return db_run(of_entity(tx, Q_UNSHARE, seller_id, entity_id), NULL);
}

enum souk_err
share_row_owner(struct db_tx *tx, struct str account_id, const struct guid *entity_id,
    const char *action, char ret[static ACCOUNT_ID_LEN + 1])
{
	struct db_stmt *st = db_stmt(tx, &resource_policy_texts, Q_OWNER);
	enum souk_err r;

	db_bind_text(st, 1, account_id);
	db_bind_c(st, 2, action);
	db_bind_guid(st, 3, entity_id);
	if ((r = db_one(st)) == SOUK_OK)
		take_account(ret, db_text(st, 0));
	db_reset(st);
	return r;
}
