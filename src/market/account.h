/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: whoever buys or sells here, and the operator. See market.h for what all nouns share. */
#ifndef SOUK_MARKET_ACCOUNT_H
#define SOUK_MARKET_ACCOUNT_H

#include "market/page.h"
#include "market/tenant.h"

/* Twelve decimal digits. */
bool account_id_valid(struct str s);

struct account {
	char id[ACCOUNT_ID_LEN + 1];
	struct str name, country, address, city, region, postal_code;
	struct str email_domain; /* ASCII, lower case; "" when unknown */
	struct str state;        /* "active", "suspended" */
	bool is_operator; /* never from JSON: set when the installation is made, fixed since */
	bool is_buyer, is_seller, paid_seller;
	instant_t created_at, changed_at;
	int64_t revision;
};
/* Needs accountId, name, country, and one of buyer and seller. Reads the list of countries. */
SOUK_MUST enum souk_err account_parse(const json_t *o, const struct account *base,
    struct arena *mem, struct account *ret, struct fail *f);
/* SOUK_E_CONFLICT "account_exists". */
SOUK_MUST enum souk_err account_create(
    struct db_tx *tx, const struct tenant_scope *s, struct account *a, struct fail *f);
/*
 * SOUK_E_CONFLICT: "account_sells" (no longer a seller, but with products or enrolled),
 * "account_buys" (no longer a buyer, but with active subscriptions), "operator_account"
 * (suspending the operator's own). The id and is_operator stay as they are.
 */
SOUK_MUST enum souk_err account_change(struct db_tx *tx, const struct tenant_scope *s,
    struct account *a, int64_t seen_revision, struct fail *f);
/* The operator sees every account, everybody else their own. */
SOUK_MUST enum souk_err account_get(struct db_tx *tx, const struct tenant_scope *s, struct str id,
    struct arena *mem, struct account *ret);
SOUK_MUST enum souk_err account_list(struct db_tx *tx, const struct tenant_scope *s, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f);
void account_json(const struct account *a, struct jw *out, const char *key);

#endif
