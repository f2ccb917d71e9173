/* SPDX-License-Identifier: Apache-2.0 */
/* Audit entries of this program, in one shape: inside psc/ only. */
#ifndef SOUK_PSC_TRAIL_H
#define SOUK_PSC_TRAIL_H

#include "audit/audit.h"
#include "market/tenant.h"

/* Support is the one purpose contacts are shared for (psc 12, PSC-O3). */
#define PSC_PURPOSE "product-support"

/* "subscription/GUID" or "subscription/GUID/contact/GUID"; a NULL id is left out. */
#define TRAIL_RESOURCE_MAX 128
struct trail_resource {
	char text[TRAIL_RESOURCE_MAX];
};
struct trail_resource trail_contact(
    const struct guid *subscription_id, const struct guid *contact_id);

/* Appends: `scope` did `action` to `count` records of `seller_id` (may be empty). */
SOUK_MUST enum souk_err trail_append(struct db_tx *tx, const struct vault *v,
    const struct tenant_scope *scope, const char *action, const char *resource,
    struct str seller_id, int64_t count);

#endif
