/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: a buyer's right to a product. See market.h for what all nouns share. */
#ifndef SOUK_MARKET_SUBSCRIPTION_H
#define SOUK_MARKET_SUBSCRIPTION_H

#include "market/page.h"
#include "market/tenant.h"

/* How long a free trial may be (specs/metering-and-agreements.md 5.3). */
#define TRIAL_DAYS_MIN 5
#define TRIAL_DAYS_MAX 31
#define SUBSCRIPTION_QUANTITY_MAX INT64_C(1000000000)

/*
 * The kind of a job that subscription_create and subscription_mark_ended put, in their own transaction, for each
 * subscription to a product of type services: whoever fulfils them (proserv/fulfilment.h) hears of every one, whatever
 * crashes. Payload {"subscriptionId"}. Not for those that began more than SUBSCRIPTION_CARRIED_OVER_MS before they were
 * created: they are history, carried over from elsewhere.
 */
#define SUBSCRIPTION_SERVICES_JOB "fulfilment"
#define SUBSCRIPTION_CARRIED_OVER_MS (30 * DAY_MS)

struct subscription {
	char seller_id[ACCOUNT_ID_LEN + 1];   /* "" when created: the product's */
	struct guid id, product_id, offer_id; /* offer_id zero: none */
	char buyer_id[ACCOUNT_ID_LEN + 1];
	struct str kind; /* always a literal: see pricing_word */
	int64_t quantity;
	instant_t starts_at;     /* 0: on creation; never changes once created */
	instant_t trial_ends_at; /* of the free trial that it begins with; 0: none; never changes */
	instant_t ends_at, ended_at; /* 0: none */
	bool active;
	instant_t created_at, changed_at;
	int64_t revision;
};
/* Needs productId, buyerId, kind; quantity is 1 unless given. */
SOUK_MUST enum souk_err subscription_parse(
    const json_t *o, const struct subscription *base, struct subscription *ret, struct fail *f);
/*
 * Product (of that seller) and buyer must exist, the kind be among the product's pricing,
 * an offer be for that product and buyer. SOUK_E_CONFLICT: "product_draft",
 * "offer_expired", "subscription_exists".
 */
SOUK_MUST enum souk_err subscription_create(
    struct db_tx *tx, const struct tenant_scope *s, struct subscription *sub, struct fail *f);
/*
 * quantity and ends_at may change; everything else is refused by name. SOUK_E_CONFLICT
 * "subscription_ended".
 */
SOUK_MUST enum souk_err subscription_change(struct db_tx *tx, const struct tenant_scope *s,
    struct subscription *sub, int64_t seen_revision, struct fail *f);
/* Buyers see their own, sellers those of their products, the operator all. One indexed statement. */
SOUK_MUST enum souk_err subscription_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct subscription *ret);

struct subscription_filter {
	struct str seller_id, buyer_id; /* "" any the scope may see */
	const struct guid *product_id;  /* NULL any */
	int active;                     /* 1 active, 0 ended, -1 any */
};
SOUK_MUST enum souk_err subscription_list(struct db_tx *tx, const struct tenant_scope *s,
    const struct subscription_filter *q, struct page *p, struct arena *mem, struct jw *out,
    struct fail *f);
/*
 * Active ones whose agreed end has come, the longest past first, at most `max`. For the
 * installation itself: SOUK_E_DENIED to anybody but an operator.
 */
SOUK_MUST enum souk_err subscription_lapsed(struct db_tx *tx, const struct tenant_scope *s,
    size_t max, struct guid *ret_ids, size_t *ret_n);
void subscription_json(const struct subscription *sub, struct jw *out, const char *key);

/*
 * Marks it ended at `at` (no-op with *ret_already true when it was ended before). For the
 * operator and the buyer, else SOUK_E_DENIED; what the scope may not see, SOUK_E_NOT_FOUND.
 * `sub` needs its id only and comes back as it now is. Only ending a subscription through
 * psc_end_subscription calls this: it deletes the contacts in the same transaction.
 */
SOUK_MUST enum souk_err subscription_mark_ended(struct db_tx *tx, const struct tenant_scope *s,
    struct subscription *sub, instant_t at, bool *ret_already);

#endif
