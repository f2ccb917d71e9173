/* SPDX-License-Identifier: Apache-2.0 */
/* Making and counting principals. For src/access and its tests only. */
#ifndef SOUK_ACCESS_PRINCIPAL_H
#define SOUK_ACCESS_PRINCIPAL_H

#include "access/access.h"

/* What a principal is made of; slices are copied. */
struct principal_facts {
	struct guid user_id;
	struct str user_name, account_id;
	struct str actor;                   /* "token:GUID", "key:ID" */
	struct str user_policy, own_policy; /* JSON text, "" when none */
	bool is_operator, is_buyer, is_seller;
	instant_t expires_at; /* 0: never */
};

/* A policy that cannot be read (it was checked when it was saved) allows nothing. */
SOUK_MUST enum souk_err principal_new(const struct principal_facts *f, struct principal **ret);
void principal_retain(struct principal *p); /* accepts NULL */

#endif
