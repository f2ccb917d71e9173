/* SPDX-License-Identifier: Apache-2.0 */
/* What a scope may see, for this layer: the one place where "own" is decided. */
#ifndef SOUK_MARKET_SCOPE_H
#define SOUK_MARKET_SCOPE_H

#include "market/tenant.h"

/* The scope's own account? Never of a scope without one. */
static inline bool
scope_is(const struct tenant_scope *s, struct str account_id)
{
	struct str own = tenant_account(s);

	return own.n > 0 && str_eq(own, account_id);
}

/* May see what belongs to that seller. */
static inline bool
scope_sells(const struct tenant_scope *s, struct str seller_id)
{
	return tenant_is_operator(s) || (tenant_is_seller(s) && scope_is(s, seller_id));
}

/* May see what belongs to that buyer. */
static inline bool
scope_buys(const struct tenant_scope *s, struct str buyer_id)
{
	return tenant_is_operator(s) || (tenant_is_buyer(s) && scope_is(s, buyer_id));
}

/* Facts are the operator's to make and change; said before anything is looked up. */
SOUK_MUST static inline enum souk_err
scope_operator(const struct tenant_scope *s, struct fail *f)
{
	if (tenant_is_operator(s))
		return SOUK_OK;
	return fail_set(f, SOUK_E_DENIED, "operator_only", "Only the operator may do this.");
}

#endif
