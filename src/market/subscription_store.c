/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on subscriptions. No scope here: see subscription.c.
 *
 * Finding one by its id stands before every read of contacts, and inserting them is half
 * of a bulk import: a look-up of the owner and one indexed statement for the first, two
 * of each for the second.
 */
#include "market/market_store.h"

#define REST                                                                                       \
	"subscription_id, product_id, offer_id, buyer_id, kind, quantity, starts_at,"              \
	" ends_at, ended_at, state, created_at, changed_at, revision, trial_ends_at"
#define COLUMNS "seller_id, " REST
#define MATCHES(product, state)                                                                    \
	" AND (product_id = " product " OR " product " IS NULL)"                                   \
	" AND (state = " state " OR " state " = '')"

#define SUBSCRIPTION_SQL(X)                                                                        \
	X(Q_INSERT, "INSERT INTO subscription (seller_id, " REST ")"                               \
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)")  \
	X(Q_UPDATE,                                                                                \
	    "UPDATE subscription SET quantity = $1, ends_at = $2, ended_at = $3, state = $4,"      \
	    " changed_at = $5, revision = $6"                                                      \
	    " WHERE seller_id = $7 AND subscription_id = $8 AND revision = $9")                    \
	X(Q_FIND,                                                                                  \
	    "SELECT " COLUMNS " FROM subscription WHERE seller_id = $1 AND subscription_id = $2")  \
	X(Q_BASIS, "SELECT p.state, p.pricing, a.is_buyer, o.product_id, o.buyer_id,"              \
		   " o.state, p.suspended, p.type FROM product p LEFT JOIN account a ON "          \
		   "a.account_id = $1"                                                             \
		   " LEFT JOIN offer o ON o.seller_id = p.seller_id AND o.offer_id = $2"           \
		   " WHERE p.seller_id = $3 AND p.product_id = $4")                                \
	X(Q_LIST_SELLER,                                                                           \
	    "SELECT " COLUMNS                                                                      \
	    " FROM subscription WHERE seller_id = $1 AND subscription_id > $2" MATCHES(            \
		"$3", "$4") " ORDER BY subscription_id LIMIT $5")                                  \
	/* fan-out: a buyer's subscriptions with every seller, or ($5) one */                      \
	X(Q_LIST_BUYER, "SELECT " COLUMNS                                                          \
			" FROM subscription WHERE buyer_id = $1 AND subscription_id > $2" MATCHES( \
			    "$3", "$4") " AND (seller_id = $5 OR $5 = '')"                         \
					" ORDER BY subscription_id LIMIT $6")                      \
	/* fan-out: what an account sells and what it buys */                                      \
	X(Q_LIST_BOTH, "SELECT " COLUMNS " FROM ("                                                 \
		       "SELECT * FROM (SELECT " COLUMNS " FROM subscription"                       \
		       " WHERE seller_id = $1 AND subscription_id > $2" MATCHES("$3",              \
			   "$4") " ORDER BY subscription_id LIMIT $5) AS sold UNION "              \
				 "SELECT * FROM (SELECT " COLUMNS " FROM subscription"             \
				 " WHERE buyer_id = $1 AND subscription_id > $2" MATCHES("$3",     \
				     "$4") " ORDER BY subscription_id LIMIT $5) AS bought"         \
					   ") AS both_sides ORDER BY subscription_id LIMIT $5")    \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_LIST_ALL, "SELECT " COLUMNS " FROM subscription WHERE subscription_id > $1" MATCHES(   \
			  "$2", "$3") " ORDER BY subscription_id LIMIT $4")                        \
	/* fan-out: everybody's, for the one who ends them */                                      \
	X(Q_LAPSED, "SELECT subscription_id FROM subscription"                                     \
		    " WHERE state = 'active' AND ends_at IS NOT NULL AND ends_at <= $1"            \
		    " ORDER BY ends_at LIMIT $2")

enum subscription_q {
#define X(id, sql) id,
	SUBSCRIPTION_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	SUBSCRIPTION_SQL(X)
#undef X
};

struct db_texts subscription_texts = {
	.component = "subscription", .sql = sql_texts, .n = Q__COUNT
};

static const char *
state_word(bool active)
{
	return active ? "active" : "ended";
}

enum souk_err
subscription_insert(struct db_tx *tx, const struct subscription *s)
{
	struct db_stmt *st = db_stmt(tx, &subscription_texts, Q_INSERT);
	enum souk_err r;

	db_bind_c(st, 1, s->seller_id);
	db_bind_guid(st, 2, &s->id);
	db_bind_guid(st, 3, &s->product_id);
	store_bind_guid_opt(st, 4, &s->offer_id);
	db_bind_c(st, 5, s->buyer_id);
	db_bind_text(st, 6, s->kind);
	db_bind_int(st, 7, s->quantity);
	db_bind_int(st, 8, s->starts_at);
	store_bind_instant(st, 9, s->ends_at);
	store_bind_instant(st, 10, s->ended_at);
	db_bind_c(st, 11, state_word(s->active));
	db_bind_int(st, 12, s->created_at);
	db_bind_int(st, 13, s->changed_at);
	db_bind_int(st, 14, s->revision);
	store_bind_instant(st, 15, s->trial_ends_at);
	if ((r = db_run(st, NULL)) != SOUK_OK)
		return r;
	return id_owner_put(tx, ID_SUBSCRIPTION, &s->id, s->seller_id);
}

enum souk_err
subscription_update(
    struct db_tx *tx, const struct subscription *s, int64_t revision, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &subscription_texts, Q_UPDATE);

	db_bind_int(st, 1, s->quantity);
	store_bind_instant(st, 2, s->ends_at);
	store_bind_instant(st, 3, s->ended_at);
	db_bind_c(st, 4, state_word(s->active));
	db_bind_int(st, 5, s->changed_at);
	db_bind_int(st, 6, s->revision);
	db_bind_c(st, 7, s->seller_id);
	db_bind_guid(st, 8, &s->id);
	db_bind_int(st, 9, revision);
	return store_changed(st, ret_found);
}

void
subscription_row(struct db_stmt *st, struct subscription *ret)
{
	*ret = (struct subscription){
		.id = db_guid(st, 1),
		.product_id = db_guid(st, 2),
		.offer_id = db_guid(st, 3),
		.kind = pricing_word(db_text(st, 5)),
		.quantity = db_int(st, 6),
		.starts_at = db_int(st, 7),
		.ends_at = db_int(st, 8),
		.ended_at = db_int(st, 9),
		.active = str_eq_c(db_text(st, 10), "active"),
		.created_at = db_int(st, 11),
		.changed_at = db_int(st, 12),
		.revision = db_int(st, 13),
		.trial_ends_at = db_int(st, 14),
	};
	store_account_id(st, 0, ret->seller_id);
	store_account_id(st, 4, ret->buyer_id);
}

enum souk_err
subscription_find(struct db_tx *tx, const struct guid *id, struct subscription *ret)
{
	struct db_stmt *st;
	enum souk_err r =
	    store_owned_row(tx, &subscription_texts, Q_FIND, ID_SUBSCRIPTION, id, &st);

	if (r != SOUK_OK)
		return r;
	subscription_row(st, ret);
	db_reset(st);
	return SOUK_OK;
}

/* A row of Q_BASIS. */
static void
basis_row(struct db_stmt *st, const struct subscription *s, struct subscription_basis *ret)
{
	struct guid offer_product = db_guid(st, 3);
	struct str offer_buyer = db_text(st, 4), suspended = db_text(st, 6);

	*ret = (struct subscription_basis){
		.is_draft = str_eq_c(db_text(st, 0), "draft"),
		.is_withdrawn =
		    str_eq_c(db_text(st, 0), "restricted") && str_eq_c(db_text(st, 7), "services"),
		.has_kind = pricing_has(db_text(st, 1), s->kind),
		.is_buyer = db_int(st, 2) != 0,
		.has_offer = !db_is_null(st, 3),
		.offer_fits = guid_eq(&offer_product, &s->product_id) &&
			      (offer_buyer.n == 0 || str_eq_c(offer_buyer, s->buyer_id)),
		.offer_active = str_eq_c(db_text(st, 5), "active"),
		.is_services = str_eq_c(db_text(st, 7), "services"),
	};
	if (suspended.n <= SUSPENDED_MAX)
		memcpy(ret->suspended, suspended.p, suspended.n);
}

enum souk_err
subscription_find_basis(
    struct db_tx *tx, const struct subscription *s, struct subscription_basis *ret)
{
	struct subscription_basis basis = { 0 };
	struct id_owner owner;
	struct db_stmt *st;
	enum souk_err r = id_owner_find(tx, ID_PRODUCT, &s->product_id, &owner);

	if (r != SOUK_OK)
		return r;
	st = db_stmt(tx, &subscription_texts, Q_BASIS);
	db_bind_c(st, 1, s->buyer_id);
	/* Zeroes find no offer. Of a join with NULL Citus cannot tell the shard. */
	db_bind_guid(st, 2, &s->offer_id);
	db_bind_c(st, 3, owner.seller_id);
	db_bind_guid(st, 4, &s->product_id);
	if ((r = db_one(st)) == SOUK_OK)
		basis_row(st, s, &basis);
	db_reset(st);
	if (r == SOUK_OK && !guid_is_zero(&s->id))
		r = store_id_taken(tx, ID_SUBSCRIPTION, &s->id, &basis.taken);
	if (r != SOUK_OK)
		return r;
	memcpy(basis.seller_id, owner.seller_id, sizeof(basis.seller_id));
	*ret = basis;
	return SOUK_OK;
}

static void
bind_matches(struct db_stmt *st, int i, const struct subscription_filter *q)
{
	if (q->product_id)
		db_bind_guid(st, i, q->product_id);
	else
		db_bind_null(st, i);
	db_bind_c(st, i + 1, q->active < 0 ? "" : state_word(q->active != 0));
}

static struct db_stmt *
rows_all(
    struct db_tx *tx, const struct subscription_filter *q, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &subscription_texts, Q_LIST_ALL);

	db_bind_guid(st, 1, after);
	bind_matches(st, 2, q);
	db_bind_int(st, 4, (int64_t)limit);
	return st;
}

struct db_stmt *
subscription_rows(
    struct db_tx *tx, const struct subscription_filter *q, const struct guid *after, size_t limit)
{
	bool by_buyer = q->buyer_id.n > 0;
	struct db_stmt *st;

	if (!by_buyer && q->seller_id.n == 0)
		return rows_all(tx, q, after, limit);
	st = db_stmt(tx, &subscription_texts, by_buyer ? Q_LIST_BUYER : Q_LIST_SELLER);
	db_bind_text(st, 1, by_buyer ? q->buyer_id : q->seller_id);
	db_bind_guid(st, 2, after);
	bind_matches(st, 3, q);
	if (by_buyer)
		db_bind_text(st, 5, q->seller_id);
	db_bind_int(st, by_buyer ? 6 : 5, (int64_t)limit);
	return st;
}

struct db_stmt *
subscription_rows_both(struct db_tx *tx, struct str account_id, const struct subscription_filter *q,
    const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &subscription_texts, Q_LIST_BOTH);

	db_bind_text(st, 1, account_id);
	db_bind_guid(st, 2, after);
	bind_matches(st, 3, q);
	db_bind_int(st, 5, (int64_t)limit);
	return st;
}

struct db_stmt *
subscription_ids_lapsed(struct db_tx *tx, instant_t now, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &subscription_texts, Q_LAPSED);

	db_bind_int(st, 1, now);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}
