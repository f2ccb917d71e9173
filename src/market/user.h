/* SPDX-License-Identifier: Apache-2.0 */
/* Users: members of an account. Keys and tokens are in access/. See market.h for what all nouns share. */
#ifndef SOUK_MARKET_USER_H
#define SOUK_MARKET_USER_H

#include "market/page.h"
#include "market/tenant.h"

#define USER_NAME_MAX 64

struct user {
	struct guid id;
	char account_id[ACCOUNT_ID_LEN + 1];
	struct str name;   /* sign-in name: 1..64 of A-Z a-z 0-9 + = , . @ _ - */
	struct str policy; /* JSON text, "" when none */
	struct str state;  /* "active", "disabled" */
	instant_t created_at, changed_at;
	int64_t revision;
};
/* That `policy` is an object is checked here; what it says, by the caller with access/policy.h. */
SOUK_MUST enum souk_err user_parse(
    const json_t *o, const struct user *base, struct arena *mem, struct user *ret, struct fail *f);
/*
 * The operator for every account, others for their own (else SOUK_E_NOT_FOUND).
 * SOUK_E_CONFLICT "user_exists": the name is taken in that account.
 */
SOUK_MUST enum souk_err user_create(
    struct db_tx *tx, const struct tenant_scope *s, struct user *u, struct fail *f);
/* SOUK_E_CONFLICT also "last_operator_user": nobody could undo it. The account stays as it is. */
SOUK_MUST enum souk_err user_change(struct db_tx *tx, const struct tenant_scope *s, struct user *u,
    int64_t seen_revision, struct fail *f);
SOUK_MUST enum souk_err user_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct user *ret);
/* Of one account, by name; account_id "" is the scope's own. */
SOUK_MUST enum souk_err user_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str account_id, struct page *p, struct arena *mem, struct jw *out, struct fail *f);
void user_json(const struct user *u, struct jw *out, const char *key);

#endif
