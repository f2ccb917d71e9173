/* SPDX-License-Identifier: Apache-2.0 */
/* Who may touch a seller's delivery facts: the operator, and the seller itself. */
#ifndef SOUK_DELIVERY_SCOPE_H
#define SOUK_DELIVERY_SCOPE_H

#include "market/tenant.h"

static inline bool
scope_owns(const struct tenant_scope *s, struct str seller_id)
{
	return tenant_is_seller(s) && str_eq(tenant_account(s), seller_id);
}

/* Callers answer SOUK_E_NOT_FOUND when it is false: a denial tells nothing (design 3, 9). */
static inline bool
scope_manages(const struct tenant_scope *s, struct str seller_id)
{
	return tenant_is_operator(s) || scope_owns(s, seller_id);
}

#endif
