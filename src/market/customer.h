/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seller's name for a buyer's account: CustomerIdentifier of the metering API, Customer Reference
 * ID and Payer Reference ID of data sets. The same for ever, another one with every seller, so
 * that two sellers cannot tell that they have a buyer in common.
 */
#ifndef SOUK_MARKET_CUSTOMER_H
#define SOUK_MARKET_CUSTOMER_H

#include "market/tenant.h"
#include "vault/alias.h"

#define CUSTOMER_REF_LEN ALIAS_TEXT_LEN
#define CUSTOMER_DOMAIN "market.customer"

static inline void
customer_ref(const struct vault *v, const char *seller_id, const char *buyer_id,
    char out[static CUSTOMER_REF_LEN + 1])
{
	vault_alias(v, CUSTOMER_DOMAIN, str_c(seller_id), buyer_id, out);
}

/* The account behind a name; false when it is none of this seller's names. */
SOUK_MUST static inline bool
customer_account(const struct vault *v, struct str seller_id, struct str ref,
    char out[static ACCOUNT_ID_LEN + 1])
{
	return vault_alias_open(v, CUSTOMER_DOMAIN, seller_id, ref, out);
}

#endif
