/* SPDX-License-Identifier: Apache-2.0 */
/* Who changed or read which contacts: ids only, so that the entry outlives an erasure. */
#include "psc/trail.h"

#include <stdio.h>

struct trail_resource
trail_contact(const struct guid *subscription_id, const struct guid *contact_id)
{
	struct trail_resource r = { 0 };
	char id[GUID_TEXT_LEN + 1];
	int n = 0;

	if (subscription_id) {
		guid_format(subscription_id, id);
		n = snprintf(r.text, sizeof(r.text), "subscription/%s", id);
	}
	if (contact_id) {
		guid_format(contact_id, id);
		(void)snprintf(
		    r.text + n, sizeof(r.text) - (size_t)n, "%scontact/%s", n > 0 ? "/" : "", id);
	}
	return r;
}

enum souk_err
trail_append(struct db_tx *tx, const struct vault *v, const struct tenant_scope *scope,
    const char *action, const char *resource, struct str seller_id, int64_t count)
{
	return audit_append(tx, v,
	    &(struct audit_entry){ .account_id = tenant_account(scope),
		.actor = tenant_actor(scope),
		.action = action,
		.resource = str_c(resource),
		.seller_id = seller_id,
		.purpose = STR(PSC_PURPOSE),
		.count = count,
		.request_id = tenant_request(scope) });
}
