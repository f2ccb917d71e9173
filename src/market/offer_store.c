/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on offers. No scope here: see offer.c. */
#include "market/market_store.h"

#define REST                                                                                       \
	"offer_id, product_id, name, visibility, buyer_id, state, starts_at, ends_at,"             \
	" created_at, changed_at, revision, program, reseller_id"
#define COLUMNS "seller_id, " REST

#define OFFER_SQL(X)                                                                               \
	X(Q_INSERT, "INSERT INTO offer (seller_id, " REST ")"                                      \
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")       \
	X(Q_UPDATE,                                                                                \
	    "UPDATE offer SET name = $1, state = $2, ends_at = $3, changed_at = $4, revision = $5" \
	    " WHERE seller_id = $6 AND offer_id = $7 AND revision = $8")                           \
	X(Q_FIND, "SELECT " COLUMNS " FROM offer WHERE seller_id = $1 AND offer_id = $2")          \
	X(Q_BASIS, "SELECT"                                                                        \
		   " EXISTS (SELECT 1 FROM account WHERE account_id = $1 AND is_buyer = 1),"       \
		   " EXISTS (SELECT 1 FROM account WHERE account_id = $2 AND is_seller = 1)"       \
		   " FROM product WHERE seller_id = $3 AND product_id = $4")                       \
	X(Q_LIST_OF, "SELECT " COLUMNS " FROM offer WHERE seller_id = $1 AND offer_id > $2"        \
		     " ORDER BY offer_id LIMIT $3")                                                \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_LIST_ALL,                                                                              \
	    "SELECT " COLUMNS " FROM offer WHERE offer_id > $1 ORDER BY offer_id LIMIT $2")

enum offer_q {
#define X(id, sql) id,
	OFFER_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	OFFER_SQL(X)
#undef X
};

struct db_texts offer_texts = { .component = "offer", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
offer_insert(struct db_tx *tx, const struct offer *o)
{
	struct db_stmt *st = db_stmt(tx, &offer_texts, Q_INSERT);
	enum souk_err r;

	db_bind_c(st, 1, o->seller_id);
	db_bind_guid(st, 2, &o->id);
	db_bind_guid(st, 3, &o->product_id);
	db_bind_text(st, 4, o->name);
	db_bind_text(st, 5, o->visibility);
	store_bind_text_opt(st, 6, str_c(o->buyer_id));
	db_bind_text(st, 7, o->state);
	db_bind_int(st, 8, o->starts_at);
	store_bind_instant(st, 9, o->ends_at);
	db_bind_int(st, 10, o->created_at);
	db_bind_int(st, 11, o->changed_at);
	db_bind_int(st, 12, o->revision);
	store_bind_text_opt(st, 13, o->program);
	store_bind_text_opt(st, 14, str_c(o->reseller_id));
	if ((r = db_run(st, NULL)) != SOUK_OK)
		return r;
	return id_owner_put(tx, ID_OFFER, &o->id, o->seller_id);
}

enum souk_err
offer_update(struct db_tx *tx, const struct offer *o, int64_t revision, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &offer_texts, Q_UPDATE);

	db_bind_text(st, 1, o->name);
	db_bind_text(st, 2, o->state);
	store_bind_instant(st, 3, o->ends_at);
	db_bind_int(st, 4, o->changed_at);
	db_bind_int(st, 5, o->revision);
	db_bind_c(st, 6, o->seller_id);
	db_bind_guid(st, 7, &o->id);
	db_bind_int(st, 8, revision);
	return store_changed(st, ret_found);
}

void
offer_row(struct db_stmt *st, struct offer *ret)
{
	*ret = (struct offer){
		.id = db_guid(st, 1),
		.product_id = db_guid(st, 2),
		.name = db_text(st, 3),
		.visibility = db_text(st, 4),
		.state = db_text(st, 6),
		.starts_at = db_int(st, 7),
		.ends_at = db_int(st, 8),
		.created_at = db_int(st, 9),
		.changed_at = db_int(st, 10),
		.revision = db_int(st, 11),
		.program = db_text(st, 12),
	};
	store_account_id(st, 0, ret->seller_id);
	store_account_id(st, 5, ret->buyer_id);
	store_account_id(st, 13, ret->reseller_id);
}

enum souk_err
offer_find(struct db_tx *tx, const struct guid *id, struct arena *mem, struct offer *ret)
{
	struct db_stmt *st;
	struct offer o;
	enum souk_err r = store_owned_row(tx, &offer_texts, Q_FIND, ID_OFFER, id, &st);

	if (r != SOUK_OK)
		return r;
	offer_row(st, &o);
	if (mem)
		r = store_keep(mem,
		    (struct str *const[]){ &o.name, &o.visibility, &o.state, &o.program, NULL });
	else
		o.name = o.visibility = o.state = o.program = STR("");
	db_reset(st);
	if (r == SOUK_OK)
		*ret = o;
	return r;
}

enum souk_err
offer_find_basis(struct db_tx *tx, const struct offer *o, struct offer_basis *ret)
{
	struct offer_basis basis = { 0 };
	struct id_owner owner;
	struct db_stmt *st;
	enum souk_err r = id_owner_find(tx, ID_PRODUCT, &o->product_id, &owner);

	if (r != SOUK_OK)
		return r;
	st = db_stmt(tx, &offer_texts, Q_BASIS);
	db_bind_c(st, 1, o->buyer_id);
	db_bind_c(st, 2, o->reseller_id);
	db_bind_c(st, 3, owner.seller_id);
	db_bind_guid(st, 4, &o->product_id);
	if ((r = db_one(st)) == SOUK_OK) {
		basis.is_buyer = db_int(st, 0) != 0;
		basis.is_reseller = db_int(st, 1) != 0;
	}
	db_reset(st);
	if (r == SOUK_OK && !guid_is_zero(&o->id))
		r = store_id_taken(tx, ID_OFFER, &o->id, &basis.taken);
	if (r != SOUK_OK)
		return r;
	memcpy(basis.seller_id, owner.seller_id, sizeof(basis.seller_id));
	*ret = basis;
	return SOUK_OK;
}

struct db_stmt *
offer_rows_all(struct db_tx *tx, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &offer_texts, Q_LIST_ALL);

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
offer_rows_of(struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &offer_texts, Q_LIST_OF);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}
