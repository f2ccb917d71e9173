/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Need to know: whose commissions a seller's user may see (specs/edsp.md 1.2, EDSP-U3).
 *
 * A policy says which operations a login may call at all; a grant says whose lines they show. Without one
 * that is in force everything here is as if it were not there (SOUK_E_NOT_FOUND): for other sellers, for the
 * operator and its support staff, for everybody once the seller was withdrawn from the program. Grants do not come back with the
 * seller: each is tied to the standing that it was given under.
 */
#ifndef SOUK_EDSP_GRANT_H
#define SOUK_EDSP_GRANT_H

#include "base/arena.h"
#include "base/guid.h"
#include "base/json.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

enum commission_role {
	COMMISSION_SUPPORT,        /* nothing; says so */
	COMMISSION_REPRESENTATIVE, /* their own statements */
	COMMISSION_MANAGER,        /* also those of whom the plan in force puts below them */
	COMMISSION_FINANCE,        /* plans, runs, all statements, the queue; approves */
	COMMISSION_ROLE__COUNT
};
extern const char *const commission_role_words[COMMISSION_ROLE__COUNT + 1]; /* NULL at the end */
SOUK_MUST bool commission_role_find(struct str word, enum commission_role *ret);

/* Slices are borrowed, or live in the arena named in the call. */
struct commission_grant {
	struct guid user_id;
	enum commission_role role;
	struct str representative; /* "" unless a representative or manager */
	bool buyer_columns;        /* account numbers, domains, addresses, names of buyers */
	struct str purpose;        /* what it is given for: a word of a-z, 0-9, '-' */
	struct str granted_by;
	instant_t granted_at;
	bool in_force;
};

/* All members but the user; every offending one is named. */
SOUK_MUST enum souk_err commission_grant_parse(
    const json_t *o, struct commission_grant *ret, struct fail *f);
/*
 * The seller's own scope only. SOUK_E_NOT_FOUND: no such user of the seller's. SOUK_E_CONFLICT
 * "not_enrolled": nothing could be seen.
 */
SOUK_MUST enum souk_err commission_grant_set(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const struct commission_grant *g, struct arena *mem, struct fail *f);
SOUK_MUST enum souk_err commission_grant_remove(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const struct guid *user_id);
/* The one that is in force for the user. */
SOUK_MUST enum souk_err commission_grant_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const struct guid *user_id, struct arena *mem,
    struct commission_grant *ret);
/* Elements of an array, by user. */
SOUK_MUST enum souk_err commission_grant_list(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct jw *out);
void commission_grant_json(const struct commission_grant *g, struct jw *out);

/* Whether the grant shows this person's statements. SOUK_E_NOT_FOUND: it does not. */
SOUK_MUST enum souk_err commission_grant_covers(struct db_tx *tx, struct vault *v,
    struct str seller_id, const struct commission_grant *g, struct str representative);

/* Must another person than who started a run approve it? `seen` revision, 0: any. */
struct commission_setting {
	bool two_people;
	int64_t revision; /* 1: nobody said */
};
SOUK_MUST enum souk_err commission_setting_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct commission_setting *ret);
SOUK_MUST enum souk_err commission_setting_set(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, int64_t seen, struct commission_setting *io, struct fail *f);

#endif
