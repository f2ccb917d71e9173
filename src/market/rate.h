/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates: what a unit of a dimension costs on an offer, from when. They estimate what usage will bring
 * (specs/edsp.md 5.1). A rate never changes; a later one takes its place. See market.h for what nouns share.
 */
#ifndef SOUK_MARKET_RATE_H
#define SOUK_MARKET_RATE_H

#include "base/money.h"
#include "market/page.h"
#include "market/tenant.h"

#define RATE_PRICE_MAX (1000000 * MONEY_ONE) /* of one unit */

struct rate {
	char seller_id[ACCOUNT_ID_LEN + 1]; /* set by _create: the offer's */
	struct guid id, offer_id;
	struct str dimension;
	money_t price;       /* of one unit; not negative */
	char currency[4];    /* ISO 4217 */
	instant_t starts_at; /* hours that begin then or later; 0: from the present hour on */
	instant_t created_at;
};

/* Needs dimension, price, currency; offerId too, unless `offer` (of the path) is given. */
SOUK_MUST enum souk_err rate_parse(
    const json_t *o, const struct guid *offer, struct rate *ret, struct fail *f);
/*
 * The operator's. The dimension must be one that the product lists, if it lists any.
 * SOUK_E_CONFLICT "rate_exists": there is one from that time on.
 */
SOUK_MUST enum souk_err rate_create(struct db_tx *tx, const struct tenant_scope *s, struct rate *r,
    struct arena *mem, struct fail *f);
/* Who may see the offer. */
SOUK_MUST enum souk_err rate_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *offer, const struct guid *id, struct arena *mem, struct rate *ret);
SOUK_MUST enum souk_err rate_list(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *offer, struct page *p, struct arena *mem, struct jw *out, struct fail *f);
void rate_json(const struct rate *r, struct jw *out, const char *key);

#endif
