/* SPDX-License-Identifier: Apache-2.0 */
/* Products: what sellers list. See market.h for what all nouns share. */
#ifndef SOUK_MARKET_PRODUCT_H
#define SOUK_MARKET_PRODUCT_H

#include "market/page.h"
#include "market/tenant.h"

#define PRODUCT_CODE_LEN 25
#define SOLUTION_ID_MAX 64
#define SUSPENDED_MAX 160 /* bytes */

struct product {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id;                  /* zero: one is made */
	char code[PRODUCT_CODE_LEN + 1]; /* "": one is made, lower-case letters and digits */
	struct str title;
	struct str type;       /* "ami", "container", "saas", "data", "ml", "services" */
	struct str pricing;    /* JSON array text of at least one of pricing_word's words */
	struct str dimensions; /* JSON array text, see dimension.h; "" none listed */
	struct str solution_id,
	    solution_title; /* what it belongs to; "" nothing, both or neither */
	struct str support_email, support_phone, support_url;
	struct str state; /* "draft", "limited", "public", "restricted" */
	struct str
	    suspended; /* why nobody may subscribe anew, see product_set_suspended; "": somebody may */
	bool psc_enabled;
	instant_t psc_enabled_since; /* of the present enabling; 0 while disabled */
	instant_t created_at, changed_at;
	int64_t revision;
};

/* The literal of a kind of pricing ("hourly", "monthly", ...), p NULL when it is none. */
struct str pricing_word(struct str s);
/* The same for the types of products. */
struct str product_type_word(struct str s);
/* Is `kind` among a product's pricing text? */
bool pricing_has(struct str pricing, struct str kind);

/* Needs sellerId, title, type, pricing. pscEnabled needs type ami and a support contact (psc 11: PSC-Q2, PSC-Q11). */
SOUK_MUST enum souk_err product_parse(const json_t *o, const struct product *base,
    struct arena *mem, struct product *ret, struct fail *f);
/*
 * The seller must be one. SOUK_E_CONFLICT "product_exists": id or code is taken, by any
 * seller. Enabled products count as enabled since psc_enabled_since, or since their creation.
 */
SOUK_MUST enum souk_err product_create(
    struct db_tx *tx, const struct tenant_scope *s, struct product *p, struct fail *f);
/*
 * Enabling sets psc_enabled_since to now, disabling clears it, whatever the struct says.
 * Seller, id and code stay as they are. SOUK_E_CONFLICT "product_published": once it is no
 * draft, a product never becomes one again and keeps its type.
 */
SOUK_MUST enum souk_err product_change(struct db_tx *tx, const struct tenant_scope *s,
    struct product *p, int64_t seen_revision, struct fail *f);
/*
 * Stops new subscriptions (subscription.h) and says why, or ("") lets them be again; those that there are stay.
 * `reason` is shown to who wants to subscribe: rule ids and what to mend, no personal data; what is beyond SUSPENDED_MAX
 * is cut off. The product's revision stays. SOUK_E_NOT_FOUND. To audit is the caller's.
 */
SOUK_MUST enum souk_err product_set_suspended(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct str reason, struct fail *f);
/* Sellers see their own; buyers the public ones and those they subscribe to. */
SOUK_MUST enum souk_err product_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct product *ret);
/* Of one seller, or ("") all that the scope may list: buyers list public ones. */
SOUK_MUST enum souk_err product_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct page *p, struct arena *mem, struct jw *out, struct fail *f);
void product_json(const struct product *p, struct jw *out, const char *key);

#endif
