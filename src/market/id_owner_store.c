/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on whose ids are. */
#include "market/id_owner.h"

#include "market/market_store.h"

#define ID_OWNER_SQL(X)                                                                            \
	X(Q_FIND, "SELECT seller_id FROM id_owner WHERE kind = $1 AND id = $2")                    \
	X(Q_PUT, "INSERT INTO id_owner (kind, id, seller_id) VALUES ($1, $2, $3)")

enum id_owner_q {
#define X(id, sql) id,
	ID_OWNER_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	ID_OWNER_SQL(X)
#undef X
};

struct db_texts id_owner_texts = { .component = "id_owner", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
id_owner_find(struct db_tx *tx, enum id_kind kind, const struct guid *id, struct id_owner *ret)
{
	struct db_stmt *st = db_stmt(tx, &id_owner_texts, Q_FIND);
	enum souk_err r;

	db_bind_int(st, 1, kind);
	db_bind_guid(st, 2, id);
	if ((r = db_one(st)) == SOUK_OK)
		store_account_id(st, 0, ret->seller_id);
	db_reset(st);
	return r;
}

enum souk_err
id_owner_put(struct db_tx *tx, enum id_kind kind, const struct guid *id, const char *seller_id)
{
	struct db_stmt *st = db_stmt(tx, &id_owner_texts, Q_PUT);

	db_bind_int(st, 1, kind);
	db_bind_guid(st, 2, id);
	db_bind_c(st, 3, seller_id);
	return db_run(st, NULL);
}
