/* SPDX-License-Identifier: Apache-2.0 */
/* The statements behind rates and fees (rate_store.c, fee_store.c). No scope is applied here. */
#ifndef SOUK_MARKET_CHARGE_STORE_H
#define SOUK_MARKET_CHARGE_STORE_H

#include "market/fee.h"
#include "market/rate.h"

extern struct db_texts rate_texts, fee_texts;

/* *ret_new false: there is one already, and nothing was put. */
SOUK_MUST enum souk_err rate_put(struct db_tx *tx, const struct rate *r, bool *ret_new);
/* r->seller_id, offer_id and id say which. Slices live in the arena. */
SOUK_MUST enum souk_err rate_find(struct db_tx *tx, struct arena *mem, struct rate *io);
/* Of the offer r->offer_id of r->seller_id, by id. */
struct db_stmt *rate_rows(
    struct db_tx *tx, const struct rate *r, const struct guid *after, size_t limit);
void rate_row(struct db_stmt *st, struct rate *ret);

SOUK_MUST enum souk_err fee_put(struct db_tx *tx, const struct fee *e, bool *ret_new);
SOUK_MUST enum souk_err fee_find(struct db_tx *tx, struct arena *mem, struct fee *io);
struct db_stmt *fee_rows(
    struct db_tx *tx, const struct fee *e, const struct guid *after, size_t limit);
void fee_row(struct db_stmt *st, struct fee *ret);

#endif
