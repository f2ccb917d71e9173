/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on usage (usage_store.c); no scope is applied. */
#ifndef SOUK_MARKET_USAGE_STORE_H
#define SOUK_MARKET_USAGE_STORE_H

#include "market/usage.h"

extern struct db_texts usage_texts;

/* The seller's product of a code. */
SOUK_MUST enum souk_err usage_store_sold(struct db_tx *tx, struct str seller_id, struct str code,
    struct arena *mem, struct usage_product *ret);
/* Anybody's; *ret_public: everybody may see it. */
SOUK_MUST enum souk_err usage_store_coded(struct db_tx *tx, struct str code, struct arena *mem,
    struct usage_product *ret, bool *ret_public);
/*
 * By which subscription the buyer used it in u->hour: the one that began last of those that had not
 * ended before the hour. SOUK_E_NOT_FOUND: by none. With `since` other than INSTANT_MIN it had not ended
 * before that instant either, and the buyer's account is active.
 */
SOUK_MUST enum souk_err usage_store_right(
    struct db_tx *tx, const struct usage *u, instant_t since, struct guid *ret);
/* *ret_new false: a row of the same key, or of the same client token, is there already. */
SOUK_MUST enum souk_err usage_store_put(struct db_tx *tx, const struct usage *u, bool *ret_new);
/* The row of u's key. */
struct usage_present {
	struct guid id, subscription_id;
	int64_t quantity;
	bool same_allocations;
};
SOUK_MUST enum souk_err usage_store_find(
    struct db_tx *tx, const struct usage *u, struct usage_present *ret);

#endif
