/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements of this layer, one file of them per noun; nothing else here speaks SQL.
 *
 * No scope is applied here: the nouns' files do that, and nobody else includes this.
 * _find fills a struct whose slices live in the arena; _row one whose slices live until
 * the next step. _update changes the row that has `revision` and says whether there was
 * one. Lists come in the order of their key, after `after`, at most `limit` rows.
 */
#ifndef SOUK_MARKET_MARKET_STORE_H
#define SOUK_MARKET_MARKET_STORE_H

#include "market/id_owner.h"
#include "market/market.h"

/* For tests of the statements themselves. */
extern struct db_texts account_texts, user_texts, product_texts, offer_texts, subscription_texts,
    enrolment_texts, id_owner_texts;

/* ---- helpers ---- */

/* Is the id anybody's already? */
SOUK_MUST enum souk_err store_id_taken(
    struct db_tx *tx, enum id_kind kind, const struct guid *id, bool *ret);
/*
 * Steps text q to the row of an id: its $1 is the id's seller, its $2 the id. Columns may be
 * read until db_reset(*ret). SOUK_E_NOT_FOUND, and *ret untouched: there is none.
 */
SOUK_MUST enum souk_err store_owned_row(struct db_tx *tx, struct db_texts *t, unsigned q,
    enum id_kind kind, const struct guid *id, struct db_stmt **ret);

/* Runs a statement that answers with a row or none. */
SOUK_MUST enum souk_err store_exists(struct db_stmt *st, bool *ret);
SOUK_MUST enum souk_err store_changed(struct db_stmt *st, bool *ret);
/* Copies slices into the arena; slices[] ends with NULL. */
SOUK_MUST enum souk_err store_keep(struct arena *mem, struct str *const *slices);
void store_account_id(struct db_stmt *st, int col, char out[static ACCOUNT_ID_LEN + 1]);
/* 0 and the zero GUID and "" are NULL in the database. */
void store_bind_instant(struct db_stmt *st, int i, instant_t t);
void store_bind_guid_opt(struct db_stmt *st, int i, const struct guid *g);
void store_bind_text_opt(struct db_stmt *st, int i, struct str s);

/* ---- accounts ---- */
SOUK_MUST enum souk_err account_insert(struct db_tx *tx, const struct account *a);
SOUK_MUST enum souk_err account_update(
    struct db_tx *tx, const struct account *a, int64_t revision, bool *ret_found);
SOUK_MUST enum souk_err account_find(
    struct db_tx *tx, struct str id, struct arena *mem, struct account *ret);
/* Roles of an account without its text: no arena needed. *ret_found false: no such account. */
struct account_roles {
	bool is_operator, is_buyer, is_seller, active;
	int64_t revision;
};
/*
 * Nobody else changes the account's row until the transaction ends; with `to_change` nobody else
 * holds it either. Of rows there may be any number, of locks (db.h) not.
 */
SOUK_MUST enum souk_err account_hold(struct db_tx *tx, struct str id, bool to_change);
SOUK_MUST enum souk_err account_find_roles(
    struct db_tx *tx, struct str id, bool *ret_found, struct account_roles *ret);
struct db_stmt *account_rows(struct db_tx *tx, struct str after, size_t limit);
void account_row(struct db_stmt *st, struct account *ret);
SOUK_MUST enum souk_err account_sells(struct db_tx *tx, struct str id, bool *ret);
SOUK_MUST enum souk_err account_buys(struct db_tx *tx, struct str id, bool *ret);

/* ---- users ---- */
SOUK_MUST enum souk_err user_insert(struct db_tx *tx, const struct user *u);
SOUK_MUST enum souk_err user_update(
    struct db_tx *tx, const struct user *u, int64_t revision, bool *ret_found);
/* `mem` NULL: leaves the slices empty. */
SOUK_MUST enum souk_err user_find(
    struct db_tx *tx, const struct guid *id, struct arena *mem, struct user *ret);
struct db_stmt *user_rows(struct db_tx *tx, struct str account_id, struct str after, size_t limit);
void user_row(struct db_stmt *st, struct user *ret);
SOUK_MUST enum souk_err user_name_taken(struct db_tx *tx, const struct user *u, bool *ret);
SOUK_MUST enum souk_err user_id_taken(struct db_tx *tx, const struct guid *id, bool *ret);
SOUK_MUST enum souk_err user_count(struct db_tx *tx, const char *account_id, int64_t *ret);
/* Another active user of the account? */
SOUK_MUST enum souk_err user_has_peer(struct db_tx *tx, const struct user *u, bool *ret);

/* ---- products ---- */
SOUK_MUST enum souk_err product_insert(struct db_tx *tx, const struct product *p);
SOUK_MUST enum souk_err product_update(
    struct db_tx *tx, const struct product *p, int64_t revision, bool *ret_found);
/* "": NULL. */
SOUK_MUST enum souk_err product_update_suspended(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct str reason);
SOUK_MUST enum souk_err product_find(
    struct db_tx *tx, const struct guid *id, struct arena *mem, struct product *ret);
/* What a change of a product must respect: needs no arena. */
struct product_standing {
	char seller_id[ACCOUNT_ID_LEN + 1];
	char code[PRODUCT_CODE_LEN + 1];
	struct str type; /* a literal */
	bool is_draft;
	instant_t psc_enabled_since; /* 0: not enabled */
	instant_t created_at;
	int64_t revision;
};
SOUK_MUST enum souk_err product_find_standing(
    struct db_tx *tx, const struct guid *id, struct product_standing *ret);
/* Is the id or the code anybody's already? */
SOUK_MUST enum souk_err product_taken(struct db_tx *tx, const struct product *p, bool *ret);
SOUK_MUST enum souk_err product_bought_by(
    struct db_tx *tx, const struct product *p, struct str buyer_id, bool *ret);
struct db_stmt *product_rows_all(struct db_tx *tx, const struct guid *after, size_t limit);
struct db_stmt *product_rows_of(struct db_tx *tx, struct str seller_id, bool public_only,
    const struct guid *after, size_t limit);
/* Public ones, and those of `seller_id` ("" nobody's). */
struct db_stmt *product_rows_public(
    struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit);
void product_row(struct db_stmt *st, struct product *ret);

/* ---- offers ---- */
SOUK_MUST enum souk_err offer_insert(struct db_tx *tx, const struct offer *o);
SOUK_MUST enum souk_err offer_update(
    struct db_tx *tx, const struct offer *o, int64_t revision, bool *ret_found);
/* `mem` NULL: leaves the slices empty. */
SOUK_MUST enum souk_err offer_find(
    struct db_tx *tx, const struct guid *id, struct arena *mem, struct offer *ret);
/* What a new offer leans on. SOUK_E_NOT_FOUND: no such product. */
struct offer_basis {
	char seller_id[ACCOUNT_ID_LEN + 1]; /* of the product */
	bool is_buyer;                      /* o->buyer_id is a buyer account */
	bool is_reseller;                   /* o->reseller_id is a seller account */
	bool taken;                         /* the offer's id is in use */
};
SOUK_MUST enum souk_err offer_find_basis(
    struct db_tx *tx, const struct offer *o, struct offer_basis *ret);
struct db_stmt *offer_rows_all(struct db_tx *tx, const struct guid *after, size_t limit);
struct db_stmt *offer_rows_of(
    struct db_tx *tx, struct str seller_id, const struct guid *after, size_t limit);
void offer_row(struct db_stmt *st, struct offer *ret);

/* ---- subscriptions ---- */
SOUK_MUST enum souk_err subscription_insert(struct db_tx *tx, const struct subscription *s);
/* quantity, ends_at, ended_at, state */
SOUK_MUST enum souk_err subscription_update(
    struct db_tx *tx, const struct subscription *s, int64_t revision, bool *ret_found);
SOUK_MUST enum souk_err subscription_find(
    struct db_tx *tx, const struct guid *id, struct subscription *ret);
/* What a new subscription leans on. SOUK_E_NOT_FOUND: no such product. */
struct subscription_basis {
	char seller_id[ACCOUNT_ID_LEN + 1]; /* of the product */
	bool is_draft;
	bool is_services;  /* the product is */
	bool is_withdrawn; /* services that are restricted: for those who have them */
	char suspended[SUSPENDED_MAX + 1]; /* "": not */
	bool has_kind;                     /* among the product's pricing */
	bool is_buyer;                     /* s->buyer_id is a buyer account */
	bool taken;                        /* the subscription's id is in use */
	bool has_offer;                    /* s->offer_id is one of that seller's ... */
	bool offer_fits;                   /* ... for this product and this buyer ... */
	bool offer_active;                 /* ... and not expired */
};
SOUK_MUST enum souk_err subscription_find_basis(
    struct db_tx *tx, const struct subscription *s, struct subscription_basis *ret);
/* `buyer_id` given: by buyer; else `seller_id` given: by seller; else everybody's. */
struct db_stmt *subscription_rows(
    struct db_tx *tx, const struct subscription_filter *q, const struct guid *after, size_t limit);
/* Those that the account sells or buys; q's seller and buyer are not looked at. */
struct db_stmt *subscription_rows_both(struct db_tx *tx, struct str account_id,
    const struct subscription_filter *q, const struct guid *after, size_t limit);
/* Ids of active ones that should have ended by `now`, in the order of their ends. */
struct db_stmt *subscription_ids_lapsed(struct db_tx *tx, instant_t now, size_t limit);
void subscription_row(struct db_stmt *st, struct subscription *ret);

/* ---- enrolments ---- */
SOUK_MUST enum souk_err enrolment_insert(struct db_tx *tx, const struct enrolment *e);
SOUK_MUST enum souk_err enrolment_update(
    struct db_tx *tx, const struct enrolment *e, int64_t revision, bool *ret_found);
/* e->seller_id and e->program say which; SOUK_E_NOT_FOUND when there is none. */
SOUK_MUST enum souk_err enrolment_find(struct db_tx *tx, struct enrolment *io);
/*
 * When a standing that is given now begins: now, but not behind what the seller has exported,
 * or the next export would not know that it is new (invariant 2). It matters after a clock was set back.
 */
SOUK_MUST enum souk_err enrolment_begins(struct db_tx *tx, struct str seller_id, instant_t *ret);

#endif
