/* SPDX-License-Identifier: Apache-2.0 */
/* Makes tenant scopes. For authentication, job handlers and the command line only; see tenant.h. */
#ifndef SOUK_MARKET_TENANT_MAKE_H
#define SOUK_MARKET_TENANT_MAKE_H

#include "market/tenant.h"

struct tenant_scope {
	char account_id[ACCOUNT_ID_LEN + 1];
	bool is_operator, is_buyer, is_seller;
	char actor[64];
	char request_id[40];
};

/* For a job that works on one seller's behalf: sees that seller only. */
struct tenant_scope tenant_for_job(struct str seller_id, const char *kind);
/* For the installation's own housekeeping, across all accounts: an operator. */
struct tenant_scope tenant_for_upkeep(const char *kind);
/* For the command line, whose caller can read the database anyway: an operator. */
struct tenant_scope tenant_for_cli(const char *command);

#endif
