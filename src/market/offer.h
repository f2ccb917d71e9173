/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: the terms on which a product is sold, to everybody or to one buyer. See market.h. */
#ifndef SOUK_MARKET_OFFER_H
#define SOUK_MARKET_OFFER_H

#include "market/page.h"
#include "market/tenant.h"

struct offer {
	char seller_id[ACCOUNT_ID_LEN + 1]; /* "" when created: the product's */
	struct guid id, product_id;
	struct str name;
	struct str visibility;             /* "public", "private" */
	struct str state;                  /* "active", "expired" */
	char buyer_id[ACCOUNT_ID_LEN + 1]; /* of a private offer; "" for public ones */
	struct str
	    program; /* "EnterpriseContract", "FieldDemonstration": for its participants; "" none */
	char reseller_id[ACCOUNT_ID_LEN + 1]; /* the channel partner who sells on it; "" none */
	instant_t starts_at, ends_at;         /* starts_at 0: on creation; ends_at 0: open */
	instant_t created_at, changed_at;
	int64_t revision;
};
/* Programs as the offer target feed names them (data-feeds 3.6). */
#define OFFER_DEMONSTRATION "FieldDemonstration"
#define OFFER_ENTERPRISE "EnterpriseContract"
/* Needs productId, name; a private one buyerId too. */
SOUK_MUST enum souk_err offer_parse(
    const json_t *o, const struct offer *base, struct offer *ret, struct fail *f);
/* The product must be that seller's, the buyer a buyer, the reseller another seller. SOUK_E_CONFLICT "offer_exists". */
SOUK_MUST enum souk_err offer_create(
    struct db_tx *tx, const struct tenant_scope *s, struct offer *o, struct fail *f);
/* name, endsAt and state may change; the rest is what subscriptions were made on. */
SOUK_MUST enum souk_err offer_change(struct db_tx *tx, const struct tenant_scope *s,
    struct offer *o, int64_t seen_revision, struct fail *f);
/* The operator and the seller see it. */
SOUK_MUST enum souk_err offer_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct offer *ret);
SOUK_MUST enum souk_err offer_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct page *p, struct arena *mem, struct jw *out, struct fail *f);
void offer_json(const struct offer *o, struct jw *out, const char *key);

#endif
