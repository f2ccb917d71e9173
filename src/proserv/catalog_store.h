/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on listings, their offers and tags (catalog_store.c); no scope is applied.
 *
 * A listing is a row of `listing` beside the row of `product` that everything else in souk goes by. Slices of rows
 * live until the next step, those of _find in the arena.
 */
#ifndef SOUK_PROSERV_CATALOG_STORE_H
#define SOUK_PROSERV_CATALOG_STORE_H

#include "base/arena.h"
#include "market/product.h"
#include "proserv/listing.h"

extern struct db_texts listing_texts;

/* ---- for all stores of proserv ---- */

/* An account id of a row; `out` stays as it is when it is none. */
void take_account(char out[static ACCOUNT_ID_LEN + 1], struct str id);
/* Whose `id` is, by a statement on it alone whose first column says so. SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err row_owner(
    struct db_stmt *st, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1]);

/* ---- listings ---- */

enum standing {
	STANDING_UNREVIEWED, /* never reviewed */
	STANDING_PASSED,
	STANDING_PENDING,  /* people have to decide */
	STANDING_BLOCKED,  /* not live, and at fault */
	STANDING_GRACE,    /* live and at fault, to be mended until grace_until */
	STANDING_SUSPENDED /* live, at fault for too long: no new subscriptions */
};
const char *standing_word(enum standing s);

/* The product's visibility, as listings call it: "draft" is Draft ... */
enum visibility visibility_of_state(struct str state);
const char *visibility_word(enum visibility v); /* "Draft" ...; "" unknown */

struct listing_row {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid product_id;
	struct str document;  /* JSON object: the seller's own members, see catalog.h */
	struct str data_use;  /* JSON object: seller.data_use_terms; "" none */
	struct str targeting; /* JSON array of account ids */
	struct str extra; /* JSON object: what only the Catalog API tells, by its names; "" none */
	int64_t revision;
	struct str title_key[2]; /* "" none */
	enum edition edition;    /* of the last review */
	enum standing standing;
	instant_t grace_until, reviewed_at, due_at, removed_at; /* 0: none */
	int64_t reviewed_revision;                              /* 0: never */
	int64_t marks; /* counts what asked for a review, and reviews */
	instant_t created_at, changed_at;
	/* Of its product and its seller; only read. */
	struct {
		struct str title, state, suspended;
		char code[PRODUCT_CODE_LEN + 1];
		int64_t revision;
	} product;
	struct {
		struct str name, country;
		bool paid, active;
	} seller;
};

/* SOUK_E_NOT_FOUND: the seller has no such listing. One that was removed is found. */
SOUK_MUST enum souk_err listing_row_find(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, struct arena *mem, struct listing_row *ret);
/* The product must be there. */
SOUK_MUST enum souk_err listing_row_insert(struct db_tx *tx, const struct listing_row *l);
/*
 * What the seller says, keys, due_at, removed_at, changed_at and revision of the one that has the revision `seen`;
 * *ret_found false: there is none.
 */
SOUK_MUST enum souk_err listing_row_update(
    struct db_tx *tx, const struct listing_row *l, int64_t seen, bool *ret_found);
/*
 * What a review came to: edition, standing, grace_until, reviewed_at, reviewed_revision (l->revision), due_at. Nothing of
 * it when another review, or what asks for one, came meanwhile (l->marks is not the row's): *ret_found false.
 */
SOUK_MUST enum souk_err listing_row_reviewed(
    struct db_tx *tx, const struct listing_row *l, bool *ret_found);
/* To be reviewed at `at`, or earlier if it is to be already. */
SOUK_MUST enum souk_err listing_row_due(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, instant_t at);

/* Lists leave removed ones out. */
struct db_stmt *listing_rows_of(
    struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit);
struct db_stmt *listing_rows_all(struct db_tx *tx, const struct guid *after, size_t limit);
/* Of others, that their policies let the account list (resource_policy.h). */
struct db_stmt *listing_rows_shared(
    struct db_tx *tx, struct str account_id, const struct guid *after, size_t limit);
/* Limited, public and restricted ones of all sellers, by product id. A scan: `limit` may be large. */
struct db_stmt *listing_rows_live(struct db_tx *tx, const struct guid *after, size_t limit);
/* Those that are due at `now`, the most overdue first. */
struct db_stmt *listing_rows_due(struct db_tx *tx, instant_t now, size_t limit);
void listing_row(struct db_stmt *st, struct listing_row *ret);

/* Columns: product id, title. Of all that are not removed and have a title. */
struct db_stmt *listing_titles(struct db_tx *tx);
/* The same, but only those that have one of the two keys. */
struct db_stmt *listing_titles_like(struct db_tx *tx, const struct str key[2]);
/* Columns: product id, title, seller's name, state. Of all products of the marketplace. */
struct db_stmt *listing_products(struct db_tx *tx);
/* The same of one; SOUK_E_NOT_FOUND. *ret may be read until db_reset. */
SOUK_MUST enum souk_err listing_product(
    struct db_tx *tx, const struct guid *product_id, struct db_stmt **ret);
/* Does an active subscription to the product exist? */
SOUK_MUST enum souk_err listing_is_sold(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, bool *ret);

/* Columns: seller, product id. Restricted ones that nobody subscribes to any more. */
struct db_stmt *listing_rows_over(struct db_tx *tx, size_t limit);
SOUK_MUST enum souk_err listing_row_remove(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, instant_t at);

/* ---- offers ---- */

struct listing_offer_row {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id, product_id;
	struct str
	    document; /* JSON object: section 2 of the listing document without id, state, accepted_at, edited_at */
	struct str extra; /* as of a listing */
	bool released;
	struct str
	    market_offers; /* JSON object: buyer's account to the offer (market/offer.h) made for it */
	int64_t revision;
	instant_t created_at, changed_at;
};
SOUK_MUST enum souk_err listing_offer_row_find(struct db_tx *tx, struct str seller_id,
    const struct guid *id, struct arena *mem, struct listing_offer_row *ret);
SOUK_MUST enum souk_err listing_offer_row_insert(
    struct db_tx *tx, const struct listing_offer_row *o);
SOUK_MUST enum souk_err listing_offer_row_update(
    struct db_tx *tx, const struct listing_offer_row *o, int64_t seen, bool *ret_found);
/* Of a seller, after an id. */
struct db_stmt *listing_offer_rows(
    struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit);
struct db_stmt *listing_offer_rows_all(struct db_tx *tx, const struct guid *after, size_t limit);
struct db_stmt *listing_offer_rows_shared(
    struct db_tx *tx, struct str account_id, const struct guid *after, size_t limit);
struct db_stmt *listing_offer_rows_of_product(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id);
void listing_offer_row(struct db_stmt *st, struct listing_offer_row *ret);
/* When the buyer first subscribed on the market's offer; 0: not yet. */
SOUK_MUST enum souk_err listing_offer_accepted(struct db_tx *tx, struct str seller_id,
    struct str buyer_id, const struct guid *market_offer, instant_t *ret);
/* Whose the offer is, for the operator; SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err listing_offer_owner(
    struct db_tx *tx, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1]);

/* ---- tags ---- */

SOUK_MUST enum souk_err catalog_tag_put(
    struct db_tx *tx, struct str seller_id, struct str resource, struct str name, struct str value);
SOUK_MUST enum souk_err catalog_tag_drop(
    struct db_tx *tx, struct str seller_id, struct str resource, struct str name);
/* Columns: name, value; by name. */
struct db_stmt *catalog_tags(struct db_tx *tx, struct str seller_id, struct str resource);

#endif
