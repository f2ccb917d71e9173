/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on listings, their offers and tags; see catalog_store.h. */
#include "proserv/catalog_store.h"

#include "market/id_owner.h"

#define OWN                                                                                        \
	"seller_id, product_id, document, data_use, targeting, revision, title_key, title_key_2,"  \
	" removed_at, created_at, changed_at, extra"
#define ROW                                                                                        \
	"l.seller_id, l.product_id, l.document, l.data_use, l.targeting, l.revision, l.title_key," \
	" l.title_key_2, r.edition, r.standing, r.grace_until, r.reviewed_at,"                     \
	" r.reviewed_revision, r.due_at, l.removed_at, l.created_at, l.changed_at, p.title,"       \
	" p.state, p.suspended, p.product_code, p.revision, a.name, a.country, a.paid_seller,"     \
	" a.state, l.extra, r.marks"
#define FROM                                                                                       \
	" FROM listing l JOIN listing_review r ON r.seller_id = l.seller_id AND r.product_id ="    \
	" l.product_id JOIN product p ON p.seller_id = l.seller_id AND p.product_id ="             \
	" l.product_id JOIN account a ON a.account_id = l.seller_id"
/* The same, those that are due first. */
#define FROM_DUE                                                                                   \
	" FROM listing_review r JOIN listing l ON l.seller_id = r.seller_id AND l.product_id ="    \
	" r.product_id JOIN product p ON p.seller_id = l.seller_id AND p.product_id ="             \
	" l.product_id JOIN account a ON a.account_id = l.seller_id"
#define OFFER_ROW_OF(o)                                                                            \
	o "seller_id, " o "offer_id, " o "product_id, " o "document, " o "state, " o               \
	  "market_offers, " o "revision, " o "created_at, " o "changed_at, " o "extra"
#define OFFER_ROW OFFER_ROW_OF("")
/* Of `t` only those that a policy lets an account list (proserv/resource_policy.h), after an id. */
#define SHARED(t, id)                                                                              \
	" JOIN entity_share s ON s.seller_id = " t ".seller_id AND s.entity_id = " t "." id        \
	" WHERE s.account_id = $1 AND s.action = 'ListEntities' AND s.entity_id > $2"

#define LISTING_SQL(X)                                                                             \
	X(Q_FIND, "SELECT " ROW FROM " WHERE l.seller_id = $1 AND l.product_id = $2")              \
	X(Q_INSERT, "INSERT INTO listing (" OWN ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"    \
		    " $10, $11, $12)")                                                             \
	X(Q_INSERT_REVIEW, "INSERT INTO listing_review (seller_id, product_id, edition, standing," \
			   " grace_until, reviewed_at, reviewed_revision, due_at, marks)"          \
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")                         \
	X(Q_UPDATE,                                                                                \
	    "UPDATE listing SET document = $1, data_use = $2, targeting = $3, revision = $4,"      \
	    " title_key = $5, title_key_2 = $6, removed_at = $7, changed_at = $8, extra = $9"      \
	    " WHERE seller_id = $10 AND product_id = $11 AND revision = $12")                      \
	X(Q_CHANGED, "UPDATE listing_review SET due_at = $1, marks = marks + 1"                    \
		     " WHERE seller_id = $2 AND product_id = $3")                                  \
	X(Q_REVIEWED, "UPDATE listing_review SET edition = $1, standing = $2, grace_until = $3,"   \
		      " reviewed_at = $4, reviewed_revision = $5, due_at = $6, marks = marks + 1"  \
		      " WHERE seller_id = $7 AND product_id = $8 AND marks = $9")                  \
	X(Q_DUE, "UPDATE listing_review SET due_at = $1, marks = marks + 1"                        \
		 " WHERE seller_id = $2 AND product_id = $3 AND (due_at IS NULL OR due_at > $1)")  \
	X(Q_ROWS_OF, "SELECT " ROW FROM " WHERE l.seller_id = $1 AND l.product_id > $2"            \
		     " AND l.removed_at IS NULL ORDER BY l.product_id LIMIT $3")                   \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_ROWS_ALL, "SELECT " ROW FROM " WHERE l.product_id > $1 AND l.removed_at IS NULL"       \
		      " ORDER BY l.product_id LIMIT $2")                                           \
	/* fan-out: whoever shares with the account */                                             \
	X(Q_ROWS_SHARED,                                                                           \
	    "SELECT " ROW FROM SHARED(                                                             \
		"l", "product_id") " AND l.removed_at IS NULL ORDER BY l.product_id LIMIT $3")     \
	/* fan-out: everybody's, for who reviews them all */                                       \
	X(Q_ROWS_LIVE, "SELECT " ROW FROM " WHERE l.product_id > $1 AND l.removed_at IS NULL"      \
		       " AND p.state <> 'draft' ORDER BY l.product_id LIMIT $2")                   \
	/* fan-out: everybody's, for who reviews them */                                           \
	X(Q_ROWS_DUE, "SELECT " ROW FROM_DUE " WHERE r.due_at IS NOT NULL AND r.due_at <= $1"      \
		      " ORDER BY r.due_at, r.product_id LIMIT $2")                                 \
	/* fan-out: titles are unique among all sellers */                                         \
	X(Q_TITLES, "SELECT l.product_id, p.title" FROM " WHERE l.title_key <> ''"                 \
		    " AND l.removed_at IS NULL")                                                   \
	/* fan-out: as above */                                                                    \
	X(Q_TITLES_LIKE, "SELECT l.product_id, p.title" FROM " WHERE l.removed_at IS NULL"         \
			 " AND (l.title_key IN ($1, $2) OR l.title_key_2 IN ($1, $2))")            \
	/* fan-out: listings are related to products of all sellers */                             \
	X(Q_PRODUCTS, "SELECT p.product_id, p.title, a.name, p.state FROM product p"               \
		      " JOIN account a ON a.account_id = p.seller_id")                             \
	X(Q_PRODUCT, "SELECT p.product_id, p.title, a.name, p.state FROM product p"                \
		     " JOIN account a ON a.account_id = p.seller_id"                               \
		     " WHERE p.seller_id = $1 AND p.product_id = $2")                              \
	X(Q_SOLD, "SELECT 1 FROM subscription WHERE seller_id = $1 AND product_id = $2"            \
		  " AND state = 'active' LIMIT 1")                                                 \
	/* fan-out: everybody's, for the one who removes them */                                   \
	X(Q_OVER, "SELECT l.seller_id, l.product_id FROM listing l JOIN product p"                 \
		  " ON p.seller_id = l.seller_id AND p.product_id = l.product_id"                  \
		  " WHERE l.removed_at IS NULL AND p.state = 'restricted' AND NOT EXISTS"          \
		  " (SELECT 1 FROM subscription s WHERE s.seller_id = l.seller_id"                 \
		  " AND s.product_id = l.product_id AND s.state = 'active') LIMIT $1")             \
	X(Q_REMOVE, "UPDATE listing SET removed_at = $1, changed_at = $1, revision = revision + 1" \
		    " WHERE seller_id = $2 AND product_id = $3 AND removed_at IS NULL")            \
	X(Q_OFFER_FIND, "SELECT " OFFER_ROW " FROM listing_offer"                                  \
			" WHERE seller_id = $1 AND offer_id = $2")                                 \
	X(Q_OFFER_INSERT, "INSERT INTO listing_offer (" OFFER_ROW ")"                              \
			  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")                     \
	X(Q_OFFER_UPDATE,                                                                          \
	    "UPDATE listing_offer SET document = $1, state = $2, market_offers = $3,"              \
	    " revision = $4, changed_at = $5, extra = $6"                                          \
	    " WHERE seller_id = $7 AND offer_id = $8 AND revision = $9")                           \
	X(Q_OFFER_ROWS, "SELECT " OFFER_ROW " FROM listing_offer"                                  \
			" WHERE seller_id = $1 AND offer_id > $2 ORDER BY offer_id LIMIT $3")      \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_OFFER_ROWS_ALL, "SELECT " OFFER_ROW " FROM listing_offer"                              \
			    " WHERE offer_id > $1 ORDER BY offer_id LIMIT $2")                     \
	/* fan-out: whoever shares with the account */                                             \
	X(Q_OFFER_ROWS_SHARED, "SELECT " OFFER_ROW_OF("o.") " FROM listing_offer o" SHARED(        \
				   "o", "offer_id") " ORDER BY o.offer_id LIMIT $3")               \
	X(Q_OFFER_ROWS_OF_PRODUCT, "SELECT " OFFER_ROW " FROM listing_offer"                       \
				   " WHERE seller_id = $1 AND product_id = $2"                     \
				   " ORDER BY offer_id")                                           \
	/* fan-out: the operator names the id alone */                                             \
	X(Q_OFFER_OWNER, "SELECT seller_id FROM listing_offer WHERE offer_id = $1")                \
	/* subscription_by_buyer, not all that the seller ever sold */                             \
	X(Q_OFFER_ACCEPTED, "SELECT MIN(created_at) FROM subscription"                             \
			    " WHERE seller_id = $1 AND buyer_id = $2 AND offer_id = $3")           \
	X(Q_TAG_PUT, "INSERT INTO catalog_tag (seller_id, resource, name, value)"                  \
		     " VALUES ($1, $2, $3, $4)"                                                    \
		     " ON CONFLICT (seller_id, resource, name) DO UPDATE SET value ="              \
		     " excluded.value")                                                            \
	X(Q_TAG_DROP, "DELETE FROM catalog_tag"                                                    \
		      " WHERE seller_id = $1 AND resource = $2 AND name = $3")                     \
	X(Q_TAGS, "SELECT name, value FROM catalog_tag WHERE seller_id = $1 AND resource = $2"     \
		  " ORDER BY name")

enum listing_q {
#define X(id, sql) id,
	LISTING_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	LISTING_SQL(X)
#undef X
};

struct db_texts listing_texts = { .component = "listing", .sql = sql_texts, .n = Q__COUNT };

static const char *const standings[] = {
	[STANDING_UNREVIEWED] = "unreviewed",
	[STANDING_PASSED] = "passed",
	[STANDING_PENDING] = "pending",
	[STANDING_BLOCKED] = "blocked",
	[STANDING_GRACE] = "grace",
	[STANDING_SUSPENDED] = "suspended",
};

const char *
standing_word(enum standing s)
{
	return standings[s];
}

static enum standing
standing_of(struct str word)
{
	for (size_t i = 0; i < sizeof(standings) / sizeof(standings[0]); i++)
		if (str_eq_c(word, standings[i]))
			return (enum standing)i;
	return STANDING_UNREVIEWED;
}

static const struct {
	const char *state, *word;
} visibilities[] = {
	[VISIBILITY_UNKNOWN] = { "", "" },
	[VISIBILITY_DRAFT] = { "draft", "Draft" },
	[VISIBILITY_LIMITED] = { "limited", "Limited" },
	[VISIBILITY_PUBLIC] = { "public", "Public" },
	[VISIBILITY_RESTRICTED] = { "restricted", "Restricted" },
};

enum visibility
visibility_of_state(struct str state)
{
	for (int v = VISIBILITY_DRAFT; v <= VISIBILITY_RESTRICTED; v++)
		if (str_eq_c(state, visibilities[v].state))
			return (enum visibility)v;
	return VISIBILITY_UNKNOWN;
}

const char *
visibility_word(enum visibility v)
{
	return visibilities[v].word;
}

static void
bind_time(struct db_stmt *st, int i, instant_t t)
{
	if (t == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, t);
}

static struct str
text_or_empty(struct str s)
{
	return s.p ? s : STR("");
}

enum souk_err
listing_row_insert(struct db_tx *tx, const struct listing_row *l)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_INSERT);
	enum souk_err r;

	db_bind_c(st, 1, l->seller_id);
	db_bind_guid(st, 2, &l->product_id);
	db_bind_text(st, 3, l->document);
	db_bind_text(st, 4, text_or_empty(l->data_use));
	db_bind_text(st, 5, l->targeting);
	db_bind_int(st, 6, l->revision);
	db_bind_text(st, 7, text_or_empty(l->title_key[0]));
	db_bind_text(st, 8, text_or_empty(l->title_key[1]));
	bind_time(st, 9, l->removed_at);
	db_bind_int(st, 10, l->created_at);
	db_bind_int(st, 11, l->changed_at);
	db_bind_text(st, 12, l->extra.n > 0 ? l->extra : STR("{}"));
	if ((r = db_run(st, NULL)) != SOUK_OK)
		return r;
	st = db_stmt(tx, &listing_texts, Q_INSERT_REVIEW);
	db_bind_c(st, 1, l->seller_id);
	db_bind_guid(st, 2, &l->product_id);
	db_bind_c(st, 3, edition_word(l->edition));
	db_bind_c(st, 4, standing_word(l->standing));
	bind_time(st, 5, l->grace_until);
	bind_time(st, 6, l->reviewed_at);
	db_bind_int(st, 7, l->reviewed_revision);
	bind_time(st, 8, l->due_at);
	db_bind_int(st, 9, l->marks);
	return db_run(st, NULL);
}

static enum souk_err
run_found(struct db_stmt *st, bool *ret_found)
{
	int64_t rows = 0;
	enum souk_err r = db_run(st, &rows);

	if (r == SOUK_OK)
		*ret_found = rows > 0;
	return r;
}

enum souk_err
listing_row_update(struct db_tx *tx, const struct listing_row *l, int64_t seen, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_UPDATE);
	enum souk_err r;

	db_bind_text(st, 1, l->document);
	db_bind_text(st, 2, text_or_empty(l->data_use));
	db_bind_text(st, 3, l->targeting);
	db_bind_int(st, 4, l->revision);
	db_bind_text(st, 5, text_or_empty(l->title_key[0]));
	db_bind_text(st, 6, text_or_empty(l->title_key[1]));
	bind_time(st, 7, l->removed_at);
	db_bind_int(st, 8, l->changed_at);
	db_bind_text(st, 9, l->extra.n > 0 ? l->extra : STR("{}"));
	db_bind_c(st, 10, l->seller_id);
	db_bind_guid(st, 11, &l->product_id);
	db_bind_int(st, 12, seen);
	if ((r = run_found(st, ret_found)) != SOUK_OK || !*ret_found)
		return r;
	st = db_stmt(tx, &listing_texts, Q_CHANGED);
	bind_time(st, 1, l->removed_at == 0 ? l->due_at : 0);
	db_bind_c(st, 2, l->seller_id);
	db_bind_guid(st, 3, &l->product_id);
	return db_run(st, NULL);
}

enum souk_err
listing_row_reviewed(struct db_tx *tx, const struct listing_row *l, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_REVIEWED);

	db_bind_c(st, 1, edition_word(l->edition));
	db_bind_c(st, 2, standing_word(l->standing));
	bind_time(st, 3, l->grace_until);
	bind_time(st, 4, l->reviewed_at);
	db_bind_int(st, 5, l->revision);
	bind_time(st, 6, l->due_at);
	db_bind_c(st, 7, l->seller_id);
	db_bind_guid(st, 8, &l->product_id);
	db_bind_int(st, 9, l->marks);
	return run_found(st, ret_found);
}

enum souk_err
listing_row_due(struct db_tx *tx, struct str seller_id, const struct guid *product_id, instant_t at)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_DUE);

	db_bind_int(st, 1, at);
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, product_id);
	return db_run(st, NULL);
}

static void
take_text(char *out, size_t n, struct str s)
{
	if (s.n == n)
		memcpy(out, s.p, n);
}

void
take_account(char out[static ACCOUNT_ID_LEN + 1], struct str id)
{
	take_text(out, ACCOUNT_ID_LEN, id);
}

enum souk_err
row_owner(struct db_stmt *st, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1])
{
	enum souk_err r;

	db_bind_guid(st, 1, id);
	if ((r = db_one(st)) == SOUK_OK) {
		memset(ret, 0, ACCOUNT_ID_LEN + 1);
		take_account(ret, db_text(st, 0));
	}
	db_reset(st);
	return r;
}

void
listing_row(struct db_stmt *st, struct listing_row *ret)
{
	*ret = (struct listing_row){
		.product_id = db_guid(st, 1),
		.document = db_text(st, 2),
		.data_use = db_text(st, 3),
		.targeting = db_text(st, 4),
		.revision = db_int(st, 5),
		.title_key = { db_text(st, 6), db_text(st, 7) },
		.edition = edition_of(db_text(st, 8)),
		.standing = standing_of(db_text(st, 9)),
		.grace_until = db_int(st, 10),
		.reviewed_at = db_int(st, 11),
		.reviewed_revision = db_int(st, 12),
		.due_at = db_int(st, 13),
		.removed_at = db_int(st, 14),
		.created_at = db_int(st, 15),
		.changed_at = db_int(st, 16),
		.product = { .title = db_text(st, 17),
		    .state = db_text(st, 18),
		    .suspended = db_text(st, 19),
		    .revision = db_int(st, 21) },
		.seller = { .name = db_text(st, 22),
		    .country = db_text(st, 23),
		    .paid = db_int(st, 24) != 0,
		    .active = str_eq_c(db_text(st, 25), "active") },
		.extra = db_text(st, 26),
		.marks = db_int(st, 27),
	};
	take_account(ret->seller_id, db_text(st, 0));
	take_text(ret->product.code, PRODUCT_CODE_LEN, db_text(st, 20));
}

static enum souk_err
keep(struct arena *mem, struct str *const *slices)
{
	for (; *slices; slices++) {
		struct str kept = (*slices)->n > 0 ? arena_str(mem, **slices) : STR("");

		if (!kept.p)
			return SOUK_E_NOMEM;
		**slices = kept;
	}
	return SOUK_OK;
}

enum souk_err
listing_row_find(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    struct arena *mem, struct listing_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_FIND);
	struct listing_row l;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	if ((r = db_one(st)) == SOUK_OK) {
		listing_row(st, &l);
		r = keep(mem,
		    (struct str *const[]){ &l.document, &l.data_use, &l.targeting, &l.title_key[0],
			&l.title_key[1], &l.product.title, &l.product.state, &l.product.suspended,
			&l.seller.name, &l.seller.country, &l.extra, NULL });
	}
	db_reset(st);
	if (r == SOUK_OK)
		*ret = l;
	return r;
}

struct db_stmt *
listing_rows_of(struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_ROWS_OF);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_rows_all(struct db_tx *tx, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_ROWS_ALL);

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_rows_shared(struct db_tx *tx, struct str account_id, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_ROWS_SHARED);

	db_bind_text(st, 1, account_id);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_rows_live(struct db_tx *tx, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_scan(tx, &listing_texts, Q_ROWS_LIVE);

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_rows_due(struct db_tx *tx, instant_t now, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_ROWS_DUE);

	db_bind_int(st, 1, now);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_titles(struct db_tx *tx)
{
	return db_scan(tx, &listing_texts, Q_TITLES);
}

struct db_stmt *
listing_titles_like(struct db_tx *tx, const struct str key[2])
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_TITLES_LIKE);
	struct str second = key[1].n > 0 ? key[1] : key[0];

	/* "" would find all listings that have one key only. */
	db_bind_text(st, 1, key[0]);
	db_bind_text(st, 2, second);
	return st;
}

struct db_stmt *
listing_products(struct db_tx *tx)
{
	return db_scan(tx, &listing_texts, Q_PRODUCTS);
}

enum souk_err
listing_product(struct db_tx *tx, const struct guid *product_id, struct db_stmt **ret)
{
	struct id_owner owner;
	struct db_stmt *st;
	enum souk_err r = id_owner_find(tx, ID_PRODUCT, product_id, &owner);

	if (r != SOUK_OK)
		return r;
	st = db_stmt(tx, &listing_texts, Q_PRODUCT);
	db_bind_c(st, 1, owner.seller_id);
	db_bind_guid(st, 2, product_id);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = st;
	else
		db_reset(st);
	return r;
}

enum souk_err
listing_is_sold(struct db_tx *tx, struct str seller_id, const struct guid *product_id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_SOLD);
	bool row = false;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	r = db_step(st, &row);
	db_reset(st);
	if (r == SOUK_OK)
		*ret = row;
	return r;
}

struct db_stmt *
listing_rows_over(struct db_tx *tx, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OVER);

	db_bind_int(st, 1, (int64_t)limit);
	return st;
}

enum souk_err
listing_row_remove(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, instant_t at)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_REMOVE);

	db_bind_int(st, 1, at);
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, product_id);
	return db_run(st, NULL);
}

/* ---- offers ---- */

void
listing_offer_row(struct db_stmt *st, struct listing_offer_row *ret)
{
	*ret = (struct listing_offer_row){
		.id = db_guid(st, 1),
		.product_id = db_guid(st, 2),
		.document = db_text(st, 3),
		.released = str_eq_c(db_text(st, 4), "released"),
		.market_offers = db_text(st, 5),
		.revision = db_int(st, 6),
		.created_at = db_int(st, 7),
		.changed_at = db_int(st, 8),
		.extra = db_text(st, 9),
	};
	take_account(ret->seller_id, db_text(st, 0));
}

enum souk_err
listing_offer_row_find(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct listing_offer_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_FIND);
	struct listing_offer_row o;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((r = db_one(st)) == SOUK_OK) {
		listing_offer_row(st, &o);
		r = keep(
		    mem, (struct str *const[]){ &o.document, &o.market_offers, &o.extra, NULL });
	}
	db_reset(st);
	if (r == SOUK_OK)
		*ret = o;
	return r;
}

enum souk_err
listing_offer_row_insert(struct db_tx *tx, const struct listing_offer_row *o)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_INSERT);

	db_bind_c(st, 1, o->seller_id);
	db_bind_guid(st, 2, &o->id);
	db_bind_guid(st, 3, &o->product_id);
	db_bind_text(st, 4, o->document);
	db_bind_c(st, 5, o->released ? "released" : "draft");
	db_bind_text(st, 6, o->market_offers);
	db_bind_int(st, 7, o->revision);
	db_bind_int(st, 8, o->created_at);
	db_bind_int(st, 9, o->changed_at);
	db_bind_text(st, 10, o->extra.n > 0 ? o->extra : STR("{}"));
	return db_run(st, NULL);
}

enum souk_err
listing_offer_row_update(
    struct db_tx *tx, const struct listing_offer_row *o, int64_t seen, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_UPDATE);

	db_bind_text(st, 1, o->document);
	db_bind_c(st, 2, o->released ? "released" : "draft");
	db_bind_text(st, 3, o->market_offers);
	db_bind_int(st, 4, o->revision);
	db_bind_int(st, 5, o->changed_at);
	db_bind_text(st, 6, o->extra.n > 0 ? o->extra : STR("{}"));
	db_bind_c(st, 7, o->seller_id);
	db_bind_guid(st, 8, &o->id);
	db_bind_int(st, 9, seen);
	return run_found(st, ret_found);
}

struct db_stmt *
listing_offer_rows(struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_ROWS);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_offer_rows_all(struct db_tx *tx, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_ROWS_ALL);

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_offer_rows_shared(
    struct db_tx *tx, struct str account_id, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_ROWS_SHARED);

	db_bind_text(st, 1, account_id);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

struct db_stmt *
listing_offer_rows_of_product(struct db_tx *tx, struct str seller_id, const struct guid *product_id)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_ROWS_OF_PRODUCT);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	return st;
}

enum souk_err
listing_offer_owner(struct db_tx *tx, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1])
{
	return row_owner(db_stmt(tx, &listing_texts, Q_OFFER_OWNER), id, ret);
}

enum souk_err
listing_offer_accepted(struct db_tx *tx, struct str seller_id, struct str buyer_id,
    const struct guid *market_offer, instant_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_OFFER_ACCEPTED);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, buyer_id);
	db_bind_guid(st, 3, market_offer);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return r;
}

/* ---- tags ---- */

enum souk_err
catalog_tag_put(
    struct db_tx *tx, struct str seller_id, struct str resource, struct str name, struct str value)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_TAG_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, resource);
	db_bind_text(st, 3, name);
	db_bind_text(st, 4, value);
	return db_run(st, NULL);
}

enum souk_err
catalog_tag_drop(struct db_tx *tx, struct str seller_id, struct str resource, struct str name)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_TAG_DROP);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, resource);
	db_bind_text(st, 3, name);
	return db_run(st, NULL);
}

struct db_stmt *
catalog_tags(struct db_tx *tx, struct str seller_id, struct str resource)
{
	struct db_stmt *st = db_stmt(tx, &listing_texts, Q_TAGS);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, resource);
	return st;
}
