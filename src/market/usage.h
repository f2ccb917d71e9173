/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: how much of a product's dimension a buyer used in an hour
 * (specs/metering-and-agreements.md 2).
 *
 * A fact is known by seller, product, buyer, dimension and hour. The first quantity told for
 * it stands: the same told again is the same fact, another one is refused; quantities are never
 * added up. A fact once taken never changes.
 */
#ifndef SOUK_MARKET_USAGE_H
#define SOUK_MARKET_USAGE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "market/tenant.h"
#include "store/db.h"

#define USAGE_QUANTITY_MAX INT64_C(2147483647)
#define USAGE_DIMENSION_MAX 255 /* code points */
#define USAGE_ALLOCATIONS_MAX 2500
#define USAGE_AHEAD_MS (5 * MINUTE_MS) /* how far a caller's clock may be ahead of ours */
#define USAGE_GRACE_MS HOUR_MS         /* after a subscription's end, for its last records */
#define USAGE_MONTH_MS (6 * HOUR_MS)   /* after a month's end, for its last records */

enum usage_source { USAGE_BATCH, USAGE_METER, USAGE_IMPORT };

/* Slices are borrowed. */
struct usage {
	char seller_id[ACCOUNT_ID_LEN + 1], buyer_id[ACCOUNT_ID_LEN + 1];
	struct guid id, product_id, subscription_id;
	struct str dimension;
	instant_t hour; /* its beginning */
	int64_t quantity;
	struct str allocations;  /* as usage_allocations makes it; "" none */
	struct str client_token; /* "" none */
	enum usage_source source;
};

struct usage_product {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id;
	struct str dimensions; /* what it lists, for dimension_metered; in the arena */
};
/* Own products of a seller; the operator's are all. SOUK_E_NOT_FOUND: absent and foreign alike. */
SOUK_MUST enum souk_err usage_product_sold(struct db_tx *tx, const struct tenant_scope *s,
    struct str code, struct arena *mem, struct usage_product *ret);
/* For a buyer: whatever it could buy, or bought. */
SOUK_MUST enum souk_err usage_product_bought(struct db_tx *tx, const struct tenant_scope *s,
    struct str code, struct arena *mem, struct usage_product *ret);
/* Has the buyer of the scope a right to the product at this moment? */
SOUK_MUST enum souk_err usage_entitled(
    struct db_tx *tx, const struct tenant_scope *s, const struct usage_product *p, bool *ret);

/*
 * Is `t` within what may be told at `now`? `late_ms` back, but of the month before only in its
 * grace, and not in the future.
 */
bool usage_in_time(instant_t now, instant_t t, int64_t late_ms);
instant_t usage_hour(instant_t t);

/*
 * UsageAllocations as they stand in a call: each AllocatedUsageQuantity with up to five Tags.
 * *ret is their one spelling, whatever order they came in, in the arena; "" for NULL. SOUK_E_INVALID with
 * code InvalidUsageAllocationsException or InvalidTagException. SOUK_E_LIMIT: the arena is full.
 */
SOUK_MUST enum souk_err usage_allocations(
    const json_t *list, int64_t quantity, struct arena *mem, struct str *ret, struct fail *f);

enum usage_status {
	USAGE_TAKEN,          /* also what was told before in the same words */
	USAGE_NOT_SUBSCRIBED, /* unknown or suspended buyer, or no subscription in that hour */
	USAGE_DUPLICATE,      /* told before with another quantity or sharing; that stands */
	USAGE_TOKEN_REUSED    /* the client token came with other words */
};
/*
 * Takes a fact: seller, product, buyer, dimension, hour, quantity are set. Sets subscription and
 * id, of what stands when it was told before. SOUK_E_NOT_FOUND: the scope neither sells the product
 * nor is the buyer. An import may tell of subscriptions that ended long ago.
 */
SOUK_MUST enum souk_err usage_take(
    struct db_tx *tx, const struct tenant_scope *s, struct usage *io, enum usage_status *ret);

/*
 * A record of an import file: productCode, buyerId, dimension, timestamp, quantity and, if the usage was shared
 * out, usageAllocations as UsageAllocations above. The operator's. SOUK_E_CONFLICT: "usage_exists". SOUK_E_LIMIT: the
 * arena is full.
 */
SOUK_MUST enum souk_err usage_import(struct db_tx *tx, const struct tenant_scope *s,
    const json_t *o, struct arena *mem, struct fail *f);

#endif
