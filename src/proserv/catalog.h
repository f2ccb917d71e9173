/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings as the server keeps them: their document, their ids, and what the marketplace knows of itself when one is
 * reviewed.
 *
 * Of the listing document (docs/proserv.md) the seller says all but what the server knows better: id, seller (but its
 * data_use_terms, which are a column of their own), edition, visibility, product_state, offers, fulfilments. The row's
 * `document` has what is left; listing_document puts all of it together, as listing_read takes it.
 */
#ifndef SOUK_PROSERV_CATALOG_H
#define SOUK_PROSERV_CATALOG_H

#include "base/config.h"
#include "proserv/catalog_store.h"
#include "proserv/review.h"

/* "prod-" or "offer-" and a GUID: what listings and the Catalog API name things by. */
#define ENTITY_ID_MAX 48
#define PRODUCT_PREFIX "prod-"
#define OFFER_PREFIX "offer-"
void entity_id_write(const char *prefix, const struct guid *id, char out[static ENTITY_ID_MAX]);
SOUK_MUST bool entity_id_parse(const char *prefix, struct str text, struct guid *ret);

/*
 * The whole document of a listing; `offers` (JSON array text; "" none) goes in as it is. `l` needs what
 * listing_row_find fills. A draft's product_state is Draft, any other's Active.
 */
void listing_document(const struct listing_row *l, struct str offers, struct buf *out);
/* An offer as an element of that array; accepted_at 0: not yet. */
void listing_offer_document(
    const struct listing_offer_row *o, instant_t accepted_at, instant_t now, struct buf *out);

/* Sets l->title_key by a title. */
SOUK_MUST enum souk_err listing_set_title(
    struct listing_row *l, struct str title, struct arena *mem);

/* Removes the restricted listings whose last subscription has ended; *ret_n of them. Now and then. */
SOUK_MUST enum souk_err listings_remove_over(struct db *db, int64_t *ret_n);

/* ---- what the marketplace knows ---- */

/*
 * For the review of any number of listings: all products and titles, the settings' categories and version of the
 * data-use terms, now. Everything is in `mem`: about 400 bytes a product and 600 a listing.
 */
SOUK_MUST enum souk_err listing_context_new(
    struct db_tx *tx, const struct config *config, struct arena *mem, struct review_context *ret);
/* For the review of this one: only the products that it names, and the titles that clash with its own. */
SOUK_MUST enum souk_err listing_context_for(struct db_tx *tx, const struct config *config,
    const struct listing *l, struct arena *mem, struct review_context *ret);

#endif
