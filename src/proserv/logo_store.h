/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on the logos that were fetched (logo_store.c); no scope is applied.
 *
 * What a change set fetched waits beside the logo in force until the set has made its changes, or has ended without.
 */
#ifndef SOUK_PROSERV_LOGO_STORE_H
#define SOUK_PROSERV_LOGO_STORE_H

#include "base/arena.h"
#include "base/digest.h"
#include "market/tenant.h"
#include "proserv/logo.h"
#include "store/db.h"

extern struct db_texts logo_texts;

struct logo_row {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid product_id, change_set_id;
	struct str url;
	uint8_t digest[SHA256_LEN]; /* of the bytes */
	struct logo_facts facts;    /* as it is read, `trouble` is NULL until logo_row_keep */
	struct str trouble;         /* the same; only read */
	instant_t fetched_at;
};

/* In the place of one that the set fetched for the listing before; not in force. */
SOUK_MUST enum souk_err logo_row_put(struct db_tx *tx, const struct logo_row *l);
/* The set's own, or (NULL) the one in force. SOUK_E_NOT_FOUND. Texts are in the arena. */
SOUK_MUST enum souk_err logo_row_find(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, const struct guid *change_set_id, struct arena *mem,
    struct logo_row *ret);
/* Puts what the set fetched into force. */
SOUK_MUST enum souk_err logo_rows_enforce(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id);
/* Drops what the set fetched and did not put into force. */
SOUK_MUST enum souk_err logo_rows_forget(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id);

/* Those in force of the listings of listing_rows_due, with the same arguments; each by logo_row. */
struct db_stmt *logo_rows_due(struct db_tx *tx, instant_t now, size_t limit);
void logo_row(struct db_stmt *st, struct logo_row *ret); /* texts live until the next step */
/* Its texts into the arena. */
SOUK_MUST enum souk_err logo_row_keep(struct logo_row *io, struct arena *mem);

/* The listing was removed: its logo counts as changed. */
SOUK_MUST enum souk_err logo_row_touch(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id);
/*
 * Those in force, of all sellers, that came into force or whose product changed after `since`. Columns: seller, product id,
 * hash ('' none), 1 when others can see the listing. A scan.
 */
struct db_stmt *logo_rows_changed(struct db_tx *tx, instant_t since);

#endif
