/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fees: what a buyer was charged for a subscription, as the operator's billing tells it, and what it was
 * given back. A fee never changes; a refund is one of its own. See market.h for what nouns share.
 */
#ifndef SOUK_MARKET_FEE_H
#define SOUK_MARKET_FEE_H

#include "base/money.h"
#include "market/page.h"
#include "market/tenant.h"

struct fee {
	char seller_id[ACCOUNT_ID_LEN + 1]; /* set by _create: the subscription's */
	struct guid id, subscription_id;
	struct str kind;        /* "hourly", "monthly", "annual", "contract", "refund" */
	struct str description; /* in words; that of the kind unless given */
	money_t amount;         /* of a refund negative, else not */
	char currency[4];       /* ISO 4217 */
	struct str dimension;   /* of a contract that is charged by dimension; "" none */
	int64_t quantity;
	instant_t period_start, period_end; /* what it is for, both included; 0 and 0: no period */
	instant_t posted_at;                /* when it was charged; 0: now */
	instant_t created_at;
};

/* Needs kind, amount, currency; subscriptionId too, unless `subscription` (of the path) is given. */
SOUK_MUST enum souk_err fee_parse(
    const json_t *o, const struct guid *subscription, struct fee *ret, struct fail *f);
/*
 * The operator's. The dimension must be one that the product lists, if it lists any.
 * SOUK_E_CONFLICT "fee_exists".
 */
SOUK_MUST enum souk_err fee_create(struct db_tx *tx, const struct tenant_scope *s, struct fee *e,
    struct arena *mem, struct fail *f);
/* Who may see the subscription. */
SOUK_MUST enum souk_err fee_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *subscription, const struct guid *id, struct arena *mem, struct fee *ret);
SOUK_MUST enum souk_err fee_list(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *subscription, struct page *p, struct arena *mem, struct jw *out,
    struct fail *f);
void fee_json(const struct fee *e, struct jw *out, const char *key);

#endif
