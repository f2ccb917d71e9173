/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on accounts. No scope here: see account.c. */
#include "market/market_store.h"

#define COLUMNS                                                                                    \
	"account_id, name, is_operator, is_buyer, is_seller, paid_seller, country, address,"       \
	" city, region, postal_code, email_domain, state, created_at, changed_at, revision"

#define ACCOUNT_SQL(X)                                                                             \
	X(Q_INSERT,                                                                                \
	    "INSERT INTO account (" COLUMNS ")"                                                    \
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)")     \
	X(Q_UPDATE,                                                                                \
	    "UPDATE account SET name = $1, is_buyer = $2, is_seller = $3, paid_seller = $4,"       \
	    " country = $5, address = $6, city = $7, region = $8, postal_code = $9,"               \
	    " email_domain = $10, state = $11, changed_at = $12, revision = $13"                   \
	    " WHERE account_id = $14 AND revision = $15")                                          \
	X(Q_FIND, "SELECT " COLUMNS " FROM account WHERE account_id = $1")                         \
	X(Q_ROLES, "SELECT is_operator, is_buyer, is_seller, state, revision FROM account"         \
		   " WHERE account_id = $1")                                                       \
	X(Q_KEEP, "SELECT 1 FROM account WHERE account_id = $1 {for share}")                       \
	X(Q_TAKE, "SELECT 1 FROM account WHERE account_id = $1 {for update}")                      \
	X(Q_LIST, "SELECT " COLUMNS " FROM account WHERE account_id > $1"                          \
		  " ORDER BY account_id LIMIT $2")                                                 \
	X(Q_HAS_PRODUCT, "SELECT 1 FROM product WHERE seller_id = $1 LIMIT 1")                     \
	X(Q_IS_ENROLLED,                                                                           \
	    "SELECT 1 FROM enrolment WHERE seller_id = $1 AND state = 'enrolled' LIMIT 1")         \
	/* fan-out: a buyer's subscriptions with every seller */                                   \
	X(Q_BUYS, "SELECT 1 FROM subscription WHERE buyer_id = $1 AND state = 'active' LIMIT 1")

enum account_q {
#define X(id, sql) id,
	ACCOUNT_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	ACCOUNT_SQL(X)
#undef X
};

struct db_texts account_texts = { .component = "account", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
account_insert(struct db_tx *tx, const struct account *a)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_INSERT);

	db_bind_c(st, 1, a->id);
	db_bind_text(st, 2, a->name);
	db_bind_int(st, 3, a->is_operator);
	db_bind_int(st, 4, a->is_buyer);
	db_bind_int(st, 5, a->is_seller);
	db_bind_int(st, 6, a->paid_seller);
	db_bind_text(st, 7, a->country);
	db_bind_text(st, 8, a->address);
	db_bind_text(st, 9, a->city);
	db_bind_text(st, 10, a->region);
	db_bind_text(st, 11, a->postal_code);
	db_bind_text(st, 12, a->email_domain);
	db_bind_text(st, 13, a->state);
	db_bind_int(st, 14, a->created_at);
	db_bind_int(st, 15, a->changed_at);
	db_bind_int(st, 16, a->revision);
	return db_run(st, NULL);
}

enum souk_err
account_update(struct db_tx *tx, const struct account *a, int64_t revision, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_UPDATE);

	db_bind_text(st, 1, a->name);
	db_bind_int(st, 2, a->is_buyer);
	db_bind_int(st, 3, a->is_seller);
	db_bind_int(st, 4, a->paid_seller);
	db_bind_text(st, 5, a->country);
	db_bind_text(st, 6, a->address);
	db_bind_text(st, 7, a->city);
	db_bind_text(st, 8, a->region);
	db_bind_text(st, 9, a->postal_code);
	db_bind_text(st, 10, a->email_domain);
	db_bind_text(st, 11, a->state);
	db_bind_int(st, 12, a->changed_at);
	db_bind_int(st, 13, a->revision);
	db_bind_c(st, 14, a->id);
	db_bind_int(st, 15, revision);
	return store_changed(st, ret_found);
}

void
account_row(struct db_stmt *st, struct account *ret)
{
	*ret = (struct account){
		.name = db_text(st, 1),
		.is_operator = db_int(st, 2) != 0,
		.is_buyer = db_int(st, 3) != 0,
		.is_seller = db_int(st, 4) != 0,
		.paid_seller = db_int(st, 5) != 0,
		.country = db_text(st, 6),
		.address = db_text(st, 7),
		.city = db_text(st, 8),
		.region = db_text(st, 9),
		.postal_code = db_text(st, 10),
		.email_domain = db_text(st, 11),
		.state = db_text(st, 12),
		.created_at = db_int(st, 13),
		.changed_at = db_int(st, 14),
		.revision = db_int(st, 15),
	};
	store_account_id(st, 0, ret->id);
}

enum souk_err
account_find(struct db_tx *tx, struct str id, struct arena *mem, struct account *ret)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_FIND);
	struct account a;
	enum souk_err r;

	db_bind_text(st, 1, id);
	if ((r = db_one(st)) != SOUK_OK)
		return r;
	account_row(st, &a);
	r = store_keep(mem, (struct str *const[]){ &a.name, &a.country, &a.address, &a.city,
				&a.region, &a.postal_code, &a.email_domain, &a.state, NULL });
	db_reset(st);
	if (r == SOUK_OK)
		*ret = a;
	return r;
}

enum souk_err
account_hold(struct db_tx *tx, struct str id, bool to_change)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, to_change ? Q_TAKE : Q_KEEP);
	enum souk_err r;

	db_bind_text(st, 1, id);
	r = db_one(st);
	db_reset(st);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r; /* who needs it says that it is missing */
}

enum souk_err
account_find_roles(struct db_tx *tx, struct str id, bool *ret_found, struct account_roles *ret)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_ROLES);
	bool row = false;
	enum souk_err r;

	db_bind_text(st, 1, id);
	if ((r = db_step(st, &row)) != SOUK_OK)
		return r;
	*ret_found = row;
	if (!row)
		return SOUK_OK;
	*ret = (struct account_roles){
		.is_operator = db_int(st, 0) != 0,
		.is_buyer = db_int(st, 1) != 0,
		.is_seller = db_int(st, 2) != 0,
		.active = str_eq_c(db_text(st, 3), "active"),
		.revision = db_int(st, 4),
	};
	db_reset(st);
	return SOUK_OK;
}

struct db_stmt *
account_rows(struct db_tx *tx, struct str after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_LIST);

	db_bind_text(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

enum souk_err
account_sells(struct db_tx *tx, struct str id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_HAS_PRODUCT);
	bool sells = false;
	enum souk_err r;

	db_bind_text(st, 1, id);
	if ((r = store_exists(st, &sells)) != SOUK_OK)
		return r;
	if (!sells) {
		st = db_stmt(tx, &account_texts, Q_IS_ENROLLED);
		db_bind_text(st, 1, id);
		if ((r = store_exists(st, &sells)) != SOUK_OK)
			return r;
	}
	*ret = sells;
	return SOUK_OK;
}

enum souk_err
account_buys(struct db_tx *tx, struct str id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &account_texts, Q_BUYS);

	db_bind_text(st, 1, id);
	return store_exists(st, ret);
}
