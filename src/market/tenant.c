/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenant scopes: what they say, and the two that need no authentication.
 *
 * Whoever can make a scope can be anybody; see tenant_make.h for who may.
 */
#include "market/tenant_make.h"

#include <assert.h>
#include <stdio.h>

struct str
tenant_account(const struct tenant_scope *s)
{
	return str_c(s->account_id);
}

bool
tenant_is_operator(const struct tenant_scope *s)
{
	return s->is_operator;
}

bool
tenant_is_buyer(const struct tenant_scope *s)
{
	return s->is_buyer;
}

bool
tenant_is_seller(const struct tenant_scope *s)
{
	return s->is_seller;
}

struct str
tenant_actor(const struct tenant_scope *s)
{
	return str_c(s->actor);
}

struct str
tenant_request(const struct tenant_scope *s)
{
	return str_c(s->request_id);
}

struct tenant_scope
tenant_for_job(struct str seller_id, const char *kind)
{
	struct tenant_scope s = { .is_seller = true };

	/* An id that does not fit would make a scope of nobody or, cut, of somebody else. */
	assert(seller_id.n == ACCOUNT_ID_LEN);
	memcpy(s.account_id, seller_id.p, ACCOUNT_ID_LEN);
	(void)snprintf(s.actor, sizeof(s.actor), "job:%s", kind);
	return s;
}

struct tenant_scope
tenant_for_upkeep(const char *kind)
{
	struct tenant_scope s = { .is_operator = true };

	(void)snprintf(s.actor, sizeof(s.actor), "job:%s", kind);
	return s;
}

struct tenant_scope
tenant_for_cli(const char *command)
{
	struct tenant_scope s = { .is_operator = true };

	(void)snprintf(s.actor, sizeof(s.actor), "cli:%s", command);
	return s;
}
