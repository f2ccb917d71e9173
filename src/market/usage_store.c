/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on usage. No scope here: see usage.c.
 *
 * Taking a record is two statements, the right and the row, because a batch of a large seller is
 * thousands of them a second.
 */
#include "market/usage_store.h"

#include "market/market_store.h"

#define RIGHT                                                                                      \
	"SELECT s.subscription_id FROM subscription s"                                             \
	" WHERE s.seller_id = $1 AND s.buyer_id = $2 AND s.product_id = $3"                        \
	" AND s.starts_at < $4 AND COALESCE(s.ended_at, s.ends_at, $5) > $6"
#define NEWEST " ORDER BY s.starts_at DESC, s.subscription_id LIMIT 1"

#define USAGE_SQL(X)                                                                               \
	X(Q_SOLD, "SELECT seller_id, product_id, dimensions FROM product"                          \
		  " WHERE seller_id = $1 AND product_code = $2")                                   \
	/* fan-out: a buyer's call names a code, and no seller */                                  \
	X(Q_CODED, "SELECT seller_id, product_id, dimensions, state FROM product"                  \
		   " WHERE product_code = $1")                                                     \
	/* subscription_by_buyer: not all that the seller ever sold */                             \
	X(Q_RIGHT, RIGHT " AND COALESCE(s.ended_at, s.ends_at, $5) > $7"                           \
			 " AND EXISTS (SELECT 1 FROM account a"                                    \
			 " WHERE a.account_id = s.buyer_id AND a.state = 'active')" NEWEST)        \
	X(Q_RIGHT_EVER, RIGHT NEWEST)                                                              \
	X(Q_PUT, "INSERT INTO usage_record (seller_id, hour, product_id, buyer_id, dimension,"     \
		 " usage_id, subscription_id, quantity, allocations, source, client_token,"        \
		 " received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"        \
		 " ON CONFLICT DO NOTHING")                                                        \
	X(Q_FIND, "SELECT usage_id, subscription_id, quantity, allocations FROM usage_record"      \
		  " WHERE seller_id = $1 AND hour = $2 AND product_id = $3 AND buyer_id = $4"      \
		  " AND dimension = $5")

enum usage_q {
#define X(id, sql) id,
	USAGE_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	USAGE_SQL(X)
#undef X
};

struct db_texts usage_texts = { .component = "usage", .sql = sql_texts, .n = Q__COUNT };

static const char *const source_words[] = {
	[USAGE_BATCH] = "batch", [USAGE_METER] = "meter", [USAGE_IMPORT] = "import"
};

static enum souk_err
product_of(struct db_stmt *st, struct arena *mem, struct usage_product *ret)
{
	store_account_id(st, 0, ret->seller_id);
	ret->id = db_guid(st, 1);
	ret->dimensions = db_text(st, 2);
	return store_keep(mem, (struct str *const[]){ &ret->dimensions, NULL });
}

enum souk_err
usage_store_sold(struct db_tx *tx, struct str seller_id, struct str code, struct arena *mem,
    struct usage_product *ret)
{
	struct db_stmt *st = db_stmt(tx, &usage_texts, Q_SOLD);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, code);
	if ((r = db_one(st)) == SOUK_OK)
		r = product_of(st, mem, ret);
	db_reset(st);
	return r;
}

enum souk_err
usage_store_coded(struct db_tx *tx, struct str code, struct arena *mem, struct usage_product *ret,
    bool *ret_public)
{
	struct db_stmt *st = db_stmt(tx, &usage_texts, Q_CODED);
	enum souk_err r;

	db_bind_text(st, 1, code);
	if ((r = db_one(st)) == SOUK_OK) {
		*ret_public = str_eq_c(db_text(st, 3), "public");
		r = product_of(st, mem, ret);
	}
	db_reset(st);
	return r;
}

enum souk_err
usage_store_right(struct db_tx *tx, const struct usage *u, instant_t since, struct guid *ret)
{
	bool ever = since == INSTANT_MIN;
	struct db_stmt *st = db_stmt(tx, &usage_texts, ever ? Q_RIGHT_EVER : Q_RIGHT);
	enum souk_err r;

	db_bind_c(st, 1, u->seller_id);
	db_bind_c(st, 2, u->buyer_id);
	db_bind_guid(st, 3, &u->product_id);
	db_bind_int(st, 4, u->hour + HOUR_MS);
	db_bind_int(st, 5, INSTANT_MAX);
	db_bind_int(st, 6, u->hour);
	if (!ever)
		db_bind_int(st, 7, since);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = db_guid(st, 0);
	db_reset(st);
	return r;
}

enum souk_err
usage_store_put(struct db_tx *tx, const struct usage *u, bool *ret_new)
{
	struct db_stmt *st = db_stmt(tx, &usage_texts, Q_PUT);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_c(st, 1, u->seller_id);
	db_bind_int(st, 2, u->hour);
	db_bind_guid(st, 3, &u->product_id);
	db_bind_c(st, 4, u->buyer_id);
	db_bind_text(st, 5, u->dimension);
	db_bind_guid(st, 6, &u->id);
	db_bind_guid(st, 7, &u->subscription_id);
	db_bind_int(st, 8, u->quantity);
	store_bind_text_opt(st, 9, u->allocations);
	db_bind_c(st, 10, source_words[u->source]);
	store_bind_text_opt(st, 11, u->client_token);
	db_bind_int(st, 12, db_now(tx));
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_new = rows > 0;
	return r;
}

enum souk_err
usage_store_find(struct db_tx *tx, const struct usage *u, struct usage_present *ret)
{
	struct db_stmt *st = db_stmt(tx, &usage_texts, Q_FIND);
	enum souk_err r;

	db_bind_c(st, 1, u->seller_id);
	db_bind_int(st, 2, u->hour);
	db_bind_guid(st, 3, &u->product_id);
	db_bind_c(st, 4, u->buyer_id);
	db_bind_text(st, 5, u->dimension);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = (struct usage_present){ .id = db_guid(st, 0),
			.subscription_id = db_guid(st, 1),
			.quantity = db_int(st, 2),
			.same_allocations = str_eq(db_text(st, 3), u->allocations) };
	db_reset(st);
	return r;
}
