/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on products. No scope here: see product.c. */
#include "market/market_store.h"

#define REST                                                                                       \
	"product_id, product_code, title, type, pricing, support_email, support_phone,"            \
	" support_url, psc_enabled, psc_enabled_since, state, created_at, changed_at, revision,"   \
	" dimensions, solution_id, solution_title"
#define COLUMNS "seller_id, " REST ", suspended"

#define PRODUCT_SQL(X)                                                                             \
	X(Q_INSERT, "INSERT INTO product (seller_id, " REST ")"                                    \
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "  \
		    "$16, $17, $18)")                                                              \
	X(Q_UPDATE,                                                                                \
	    "UPDATE product SET title = $1, type = $2, pricing = $3, support_email = $4,"          \
	    " support_phone = $5, support_url = $6, psc_enabled = $7, psc_enabled_since = $8,"     \
	    " state = $9, changed_at = $10, revision = $11, dimensions = $12, solution_id = $13,"  \
	    " solution_title = $14 WHERE seller_id = $15 AND product_id = $16 AND revision = $17") \
	X(Q_SUSPEND, "UPDATE product SET suspended = $1 WHERE seller_id = $2 AND product_id = $3") \
	X(Q_FIND, "SELECT " COLUMNS " FROM product WHERE seller_id = $1 AND product_id = $2")      \
	/* fan-out: codes are one name space for all sellers */                                    \
	X(Q_CODE_TAKEN, "SELECT 1 FROM product WHERE product_code = $1 LIMIT 1")                   \
	/* subscription_by_buyer, not all that the seller ever sold */                             \
	X(Q_BOUGHT_BY, "SELECT 1 FROM subscription"                                                \
		       " WHERE seller_id = $1 AND buyer_id = $2 AND product_id = $3 LIMIT 1")      \
	X(Q_LIST_OF, "SELECT " COLUMNS " FROM product WHERE seller_id = $1 AND product_id > $2"    \
		     " ORDER BY product_id LIMIT $3")                                              \
	X(Q_LIST_OF_PUBLIC,                                                                        \
	    "SELECT " COLUMNS " FROM product WHERE seller_id = $1 AND product_id > $2"             \
	    " AND state = 'public' ORDER BY product_id LIMIT $3")                                  \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_LIST_ALL, "SELECT " COLUMNS " FROM product WHERE product_id > $1"                      \
		      " ORDER BY product_id LIMIT $2")                                             \
	/* fan-out: what everybody may see, and the caller's own */                                \
	X(Q_LIST_PUBLIC, "SELECT " COLUMNS " FROM product WHERE product_id > $1"                   \
			 " AND (state = 'public' OR seller_id = $2) ORDER BY product_id LIMIT $3")

enum product_q {
#define X(id, sql) id,
	PRODUCT_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	PRODUCT_SQL(X)
#undef X
};

struct db_texts product_texts = { .component = "product", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
product_insert(struct db_tx *tx, const struct product *p)
{
	struct db_stmt *st = db_stmt(tx, &product_texts, Q_INSERT);
	enum souk_err r;

	db_bind_c(st, 1, p->seller_id);
	db_bind_guid(st, 2, &p->id);
	db_bind_c(st, 3, p->code);
	db_bind_text(st, 4, p->title);
	db_bind_text(st, 5, p->type);
	db_bind_text(st, 6, p->pricing);
	db_bind_text(st, 7, p->support_email);
	db_bind_text(st, 8, p->support_phone);
	db_bind_text(st, 9, p->support_url);
	db_bind_int(st, 10, p->psc_enabled);
	store_bind_instant(st, 11, p->psc_enabled_since);
	db_bind_text(st, 12, p->state);
	db_bind_int(st, 13, p->created_at);
	db_bind_int(st, 14, p->changed_at);
	db_bind_int(st, 15, p->revision);
	store_bind_text_opt(st, 16, p->dimensions);
	store_bind_text_opt(st, 17, p->solution_id);
	store_bind_text_opt(st, 18, p->solution_title);
	if ((r = db_run(st, NULL)) != SOUK_OK)
		return r;
	return id_owner_put(tx, ID_PRODUCT, &p->id, p->seller_id);
}

enum souk_err
product_update(struct db_tx *tx, const struct product *p, int64_t revision, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &product_texts, Q_UPDATE);

	db_bind_text(st, 1, p->title);
	db_bind_text(st, 2, p->type);
	db_bind_text(st, 3, p->pricing);
	db_bind_text(st, 4, p->support_email);
	db_bind_text(st, 5, p->support_phone);
	db_bind_text(st, 6, p->support_url);
	db_bind_int(st, 7, p->psc_enabled);
	store_bind_instant(st, 8, p->psc_enabled_since);
	db_bind_text(st, 9, p->state);
	db_bind_int(st, 10, p->changed_at);
	db_bind_int(st, 11, p->revision);
	store_bind_text_opt(st, 12, p->dimensions);
	store_bind_text_opt(st, 13, p->solution_id);
	store_bind_text_opt(st, 14, p->solution_title);
	db_bind_c(st, 15, p->seller_id);
	db_bind_guid(st, 16, &p->id);
	db_bind_int(st, 17, revision);
	return store_changed(st, ret_found);
}

enum souk_err
product_update_suspended(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct str reason)
{
	struct db_stmt *st = db_stmt(tx, &product_texts, Q_SUSPEND);

	store_bind_text_opt(st, 1, reason);
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, id);
	return db_run(st, NULL);
}

void
product_row(struct db_stmt *st, struct product *ret)
{
	struct str code = db_text(st, 2);

	*ret = (struct product){
		.id = db_guid(st, 1),
		.title = db_text(st, 3),
		.type = db_text(st, 4),
		.pricing = db_text(st, 5),
		.support_email = db_text(st, 6),
		.support_phone = db_text(st, 7),
		.support_url = db_text(st, 8),
		.psc_enabled = db_int(st, 9) != 0,
		.psc_enabled_since = db_int(st, 10),
		.state = db_text(st, 11),
		.created_at = db_int(st, 12),
		.changed_at = db_int(st, 13),
		.revision = db_int(st, 14),
		.dimensions = db_text(st, 15),
		.solution_id = db_text(st, 16),
		.solution_title = db_text(st, 17),
		.suspended = db_text(st, 18),
	};
	store_account_id(st, 0, ret->seller_id);
	if (code.n == PRODUCT_CODE_LEN)
		memcpy(ret->code, code.p, code.n);
}

enum souk_err
product_find(struct db_tx *tx, const struct guid *id, struct arena *mem, struct product *ret)
{
	struct db_stmt *st;
	struct product p;
	enum souk_err r = store_owned_row(tx, &product_texts, Q_FIND, ID_PRODUCT, id, &st);

	if (r != SOUK_OK)
		return r;
	product_row(st, &p);
	r = store_keep(mem, (struct str *const[]){ &p.title, &p.type, &p.pricing, &p.support_email,
				&p.support_phone, &p.support_url, &p.state, &p.dimensions,
				&p.solution_id, &p.solution_title, &p.suspended, NULL });
	db_reset(st);
	if (r == SOUK_OK)
		*ret = p;
	return r;
}

enum souk_err
product_find_standing(struct db_tx *tx, const struct guid *id, struct product_standing *ret)
{
	struct db_stmt *st;
	struct product p;
	enum souk_err r = store_owned_row(tx, &product_texts, Q_FIND, ID_PRODUCT, id, &st);

	if (r != SOUK_OK)
		return r;
	product_row(st, &p);
	*ret = (struct product_standing){
		.is_draft = str_eq_c(p.state, "draft"),
		.type = product_type_word(p.type),
		.psc_enabled_since = p.psc_enabled ? p.psc_enabled_since : 0,
		.created_at = p.created_at,
		.revision = p.revision,
	};
	memcpy(ret->seller_id, p.seller_id, sizeof(ret->seller_id));
	memcpy(ret->code, p.code, sizeof(ret->code));
	db_reset(st);
	return SOUK_OK;
}

enum souk_err
product_taken(struct db_tx *tx, const struct product *p, bool *ret)
{
	struct db_stmt *st;
	bool taken = false;
	enum souk_err r = store_id_taken(tx, ID_PRODUCT, &p->id, &taken);

	if (r != SOUK_OK)
		return r;
	if (taken) {
		*ret = true;
		return SOUK_OK;
	}
	st = db_stmt(tx, &product_texts, Q_CODE_TAKEN);
	db_bind_c(st, 1, p->code);
	return store_exists(st, ret);
}

enum souk_err
product_bought_by(struct db_tx *tx, const struct product *p, struct str buyer_id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &product_texts, Q_BOUGHT_BY);

	db_bind_c(st, 1, p->seller_id);
	db_bind_text(st, 2, buyer_id);
	db_bind_guid(st, 3, &p->id);
	return store_exists(st, ret);
}

struct db_stmt *
product_rows_all(struct db_tx *tx, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &product_texts, Q_LIST_ALL);

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
product_rows_of(struct db_tx *tx, struct str seller_id, bool public_only, const struct guid *after,
    size_t limit)
{
	struct db_stmt *st =
	    db_stmt(tx, &product_texts, public_only ? Q_LIST_OF_PUBLIC : Q_LIST_OF);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

struct db_stmt *
product_rows_public(struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &product_texts, Q_LIST_PUBLIC);

	db_bind_guid(st, 1, after);
	db_bind_text(st, 2, seller_id);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}
