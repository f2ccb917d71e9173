/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on rates. No scope here: see rate.c. */
#include "market/charge_store.h"

#include "market/market_store.h"

#define COLUMNS "seller_id, offer_id, rate_id, dimension, price, currency, starts_at, created_at"

#define RATE_SQL(X)                                                                                \
	X(Q_PUT, "INSERT INTO offer_rate (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"    \
		 " ON CONFLICT DO NOTHING")                                                        \
	X(Q_FIND, "SELECT " COLUMNS " FROM offer_rate WHERE seller_id = $1 AND offer_id = $2"      \
		  " AND rate_id = $3")                                                             \
	X(Q_LIST, "SELECT " COLUMNS " FROM offer_rate WHERE seller_id = $1 AND offer_id = $2"      \
		  " AND rate_id > $3 ORDER BY rate_id LIMIT $4")

enum rate_q {
#define X(id, sql) id,
	RATE_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	RATE_SQL(X)
#undef X
};

struct db_texts rate_texts = { .component = "rate", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
rate_put(struct db_tx *tx, const struct rate *r, bool *ret_new)
{
	struct db_stmt *st = db_stmt(tx, &rate_texts, Q_PUT);
	char price[MONEY_TEXT_SIZE];

	db_bind_c(st, 1, r->seller_id);
	db_bind_guid(st, 2, &r->offer_id);
	db_bind_guid(st, 3, &r->id);
	db_bind_text(st, 4, r->dimension);
	db_bind_text(st, 5, (struct str){ price, money_format_exact(r->price, 0, price) });
	db_bind_c(st, 6, r->currency);
	db_bind_int(st, 7, r->starts_at);
	db_bind_int(st, 8, r->created_at);
	return store_changed(st, ret_new);
}

void
rate_row(struct db_stmt *st, struct rate *ret)
{
	struct str currency = db_text(st, 5);

	*ret = (struct rate){
		.offer_id = db_guid(st, 1),
		.id = db_guid(st, 2),
		.dimension = db_text(st, 3),
		.starts_at = db_int(st, 6),
		.created_at = db_int(st, 7),
	};
	store_account_id(st, 0, ret->seller_id);
	(void)money_parse(db_text(st, 4), &ret->price); /* ours: rate_put wrote it */
	if (currency.n == 3)
		memcpy(ret->currency, currency.p, 3);
}

enum souk_err
rate_find(struct db_tx *tx, struct arena *mem, struct rate *io)
{
	struct db_stmt *st = db_stmt(tx, &rate_texts, Q_FIND);
	struct rate found;
	enum souk_err r;

	db_bind_c(st, 1, io->seller_id);
	db_bind_guid(st, 2, &io->offer_id);
	db_bind_guid(st, 3, &io->id);
	if ((r = db_one(st)) == SOUK_OK) {
		rate_row(st, &found);
		r = store_keep(mem, (struct str *const[]){ &found.dimension, NULL });
	}
	db_reset(st);
	if (r == SOUK_OK)
		*io = found;
	return r;
}

struct db_stmt *
rate_rows(struct db_tx *tx, const struct rate *r, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &rate_texts, Q_LIST);

	db_bind_c(st, 1, r->seller_id);
	db_bind_guid(st, 2, &r->offer_id);
	db_bind_guid(st, 3, after);
	db_bind_int(st, 4, (int64_t)limit);
	return st;
}
