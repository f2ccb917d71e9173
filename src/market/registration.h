/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registration tokens: how the seller of a SaaS product learns whose browser it was sent
 * (specs/metering-and-agreements.md 2: ResolveCustomer). The buyer's browser brings one to the seller in the form
 * field x-amzn-marketplace-token.
 *
 * A token is a subscription's id and an end, with a MAC of the key ring: nothing is stored, and every node can
 * read it.
 */
#ifndef SOUK_MARKET_REGISTRATION_H
#define SOUK_MARKET_REGISTRATION_H

#include "market/subscription.h"
#include "vault/vault.h"

#define REGISTRATION_TOKEN_LEN 112
#define REGISTRATION_MS (4 * HOUR_MS)

/*
 * For the buyer of an active subscription to a product of type saas, and the operator. SOUK_E_NOT_FOUND to others.
 * SOUK_E_CONFLICT: "subscription_ended", "product_not_saas".
 */
SOUK_MUST enum souk_err registration_make(struct db_tx *tx, const struct vault *v,
    const struct tenant_scope *s, const struct guid *subscription, struct arena *mem,
    char out[static REGISTRATION_TOKEN_LEN + 1], instant_t *ret_until, struct fail *f);

enum registration {
	REGISTRATION_FINE,
	REGISTRATION_INVALID, /* none of ours, or another seller's: alike */
	REGISTRATION_EXPIRED
};
struct registered {
	char buyer_id[ACCOUNT_ID_LEN + 1], product_code[26];
};
/* The same answer until it expires, also when the subscription ended meanwhile. For its seller. */
SOUK_MUST enum souk_err registration_resolve(struct db_tx *tx, const struct vault *v,
    const struct tenant_scope *s, struct str token, enum registration *ret_state,
    struct registered *ret);

#endif
