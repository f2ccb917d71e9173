/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on fees. No scope here: see fee.c. */
#include "market/charge_store.h"

#include "market/market_store.h"

#define COLUMNS                                                                                    \
	"seller_id, subscription_id, fee_id, kind, description, amount, currency, dimension,"      \
	" quantity, period_start, period_end, posted_at, created_at"

#define FEE_SQL(X)                                                                                 \
	X(Q_PUT, "INSERT INTO fee (" COLUMNS ")"                                                   \
		 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"                \
		 " ON CONFLICT DO NOTHING")                                                        \
	X(Q_FIND, "SELECT " COLUMNS " FROM fee WHERE seller_id = $1 AND subscription_id = $2"      \
		  " AND fee_id = $3")                                                              \
	X(Q_LIST, "SELECT " COLUMNS " FROM fee WHERE seller_id = $1 AND subscription_id = $2"      \
		  " AND fee_id > $3 ORDER BY fee_id LIMIT $4")

enum fee_q {
#define X(id, sql) id,
	FEE_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	FEE_SQL(X)
#undef X
};

struct db_texts fee_texts = { .component = "fee", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
fee_put(struct db_tx *tx, const struct fee *e, bool *ret_new)
{
	struct db_stmt *st = db_stmt(tx, &fee_texts, Q_PUT);
	char amount[MONEY_TEXT_SIZE];

	db_bind_c(st, 1, e->seller_id);
	db_bind_guid(st, 2, &e->subscription_id);
	db_bind_guid(st, 3, &e->id);
	db_bind_text(st, 4, e->kind);
	db_bind_text(st, 5, e->description);
	db_bind_text(st, 6, (struct str){ amount, money_format_exact(e->amount, 0, amount) });
	db_bind_c(st, 7, e->currency);
	store_bind_text_opt(st, 8, e->dimension);
	db_bind_int(st, 9, e->quantity);
	store_bind_instant(st, 10, e->period_start);
	store_bind_instant(st, 11, e->period_end);
	db_bind_int(st, 12, e->posted_at);
	db_bind_int(st, 13, e->created_at);
	return store_changed(st, ret_new);
}

void
fee_row(struct db_stmt *st, struct fee *ret)
{
	struct str currency = db_text(st, 6);

	*ret = (struct fee){
		.subscription_id = db_guid(st, 1),
		.id = db_guid(st, 2),
		.kind = db_text(st, 3),
		.description = db_text(st, 4),
		.dimension = db_text(st, 7),
		.quantity = db_int(st, 8),
		.period_start = db_int(st, 9),
		.period_end = db_int(st, 10),
		.posted_at = db_int(st, 11),
		.created_at = db_int(st, 12),
	};
	store_account_id(st, 0, ret->seller_id);
	(void)money_parse(db_text(st, 5), &ret->amount); /* ours: fee_put wrote it */
	if (currency.n == 3)
		memcpy(ret->currency, currency.p, 3);
}

enum souk_err
fee_find(struct db_tx *tx, struct arena *mem, struct fee *io)
{
	struct db_stmt *st = db_stmt(tx, &fee_texts, Q_FIND);
	struct fee found;
	enum souk_err r;

	db_bind_c(st, 1, io->seller_id);
	db_bind_guid(st, 2, &io->subscription_id);
	db_bind_guid(st, 3, &io->id);
	if ((r = db_one(st)) == SOUK_OK) {
		fee_row(st, &found);
		r = store_keep(mem, (struct str *const[]){
					&found.kind, &found.description, &found.dimension, NULL });
	}
	db_reset(st);
	if (r == SOUK_OK)
		*io = found;
	return r;
}

struct db_stmt *
fee_rows(struct db_tx *tx, const struct fee *e, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &fee_texts, Q_LIST);

	db_bind_c(st, 1, e->seller_id);
	db_bind_guid(st, 2, &e->subscription_id);
	db_bind_guid(st, 3, after);
	db_bind_int(st, 4, (int64_t)limit);
	return st;
}
