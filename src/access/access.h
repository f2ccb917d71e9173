/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling: access keys (SigV4), bearer tokens; the principal they lead to.
 *
 * Known principals are cached in memory, so that an authenticated answer needs no
 * database. A change made by this process empties the cache when its commit is durable;
 * one made by another process is noticed within a second (access_refresh).
 */
#ifndef SOUK_ACCESS_ACCESS_H
#define SOUK_ACCESS_ACCESS_H

#include "access/policy.h"
#include "base/arena.h"
#include "base/json.h"
#include "market/market.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

#define ACCESS_KEY_ID_LEN 20 /* "SOUK" and 16 of A-Z2-7 */
#define SECRET_KEY_LEN 40

struct access;    /* the cache; one per process, thread-safe */
struct principal; /* immutable, counted */

SOUK_MUST enum souk_err access_new(struct db *db, struct vault *v, struct access **ret);
void access_free(struct access *a);
/* Empties the cache when keys, tokens, users or accounts were changed elsewhere. Once a second. */
void access_refresh(struct access *a);

void principal_release(struct principal *p); /* accepts NULL */
const struct guid *principal_user(const struct principal *p);
struct str principal_user_name(const struct principal *p);
struct str principal_account(const struct principal *p);
/*
 * May it? The user's policy (none: everything) and the key's or token's must both allow,
 * and no statement of either may deny. Action "psc:ReadContacts", resource an ARN.
 */
bool principal_may(const struct principal *p, const char *action, struct str resource);
/*
 * May it make or change a login so that it has these policies (JSON text, "" none)? Not
 * when the login could do something that the principal cannot: SOUK_E_DENIED.
 */
SOUK_MUST enum souk_err principal_may_grant(
    const struct principal *p, struct str user_policy, struct str own_policy, struct fail *f);
/*
 * Nor does what it makes or changes outlive it. A token may end then (0: never): else
 * SOUK_E_INVALID, field "expiresAt". A login may be made that never ends: else
 * SOUK_E_DENIED "expiring_token".
 */
SOUK_MUST enum souk_err principal_may_end(
    const struct principal *p, instant_t expires_at, struct fail *f);
SOUK_MUST enum souk_err principal_may_last(const struct principal *p, struct fail *f);
instant_t principal_expires(const struct principal *p); /* 0: never */
/* Is every grant and change fine, because neither a policy nor an end limits the principal? */
bool principal_is_unlimited(const struct principal *p);
/* What says how far a login reaches. Slices are in the arena; "" none. */
struct login_facts {
	struct str user_policy, policy;
	instant_t expires_at; /* 0: never */
};
/* A change of a login: a member that is NULL stays as it is. */
struct login_change {
	const bool *active;          /* of a key */
	const struct str *label;     /* of a token */
	const struct str *policy;    /* "" removes it */
	const instant_t *expires_at; /* of a token; 0: never */
};
/*
 * All three for a login as it would be then. A change that only disables, or only names,
 * gives nothing.
 */
SOUK_MUST enum souk_err principal_may_change(const struct principal *p,
    const struct login_facts *now, const struct login_change *change, struct fail *f);
/*
 * What the principal's account is, with this request's id: the explicit parameter of
 * everything below. SOUK_E_LIMIT when `mem` is full.
 */
SOUK_MUST enum souk_err principal_scope(const struct principal *p, struct str request_id,
    struct arena *mem, const struct tenant_scope **ret);

/*
 * A bearer token. Unknown, expired, disabled, suspended account: SOUK_E_UNAUTHENTICATED, all
 * alike. The principal is the caller's to release. Cached: no database, no allocation.
 */
SOUK_MUST enum souk_err access_by_token(struct access *a, struct str token, struct principal **ret);
/* For SigV4: the principal and secret of an access key id. As above. */
struct access_secret {
	char secret[SECRET_KEY_LEN + 1]; /* wipe() after use */
};
SOUK_MUST enum souk_err access_by_key(struct access *a, struct str access_key_id,
    struct principal **ret, struct access_secret *ret_secret);
/*
 * The SigV4 signing key of (key, date, region, service): derived once, then cached (sigv4 1.2).
 * For an unknown, disabled or suspended one *ret is NULL and the key is one that nobody
 * has, found and cached in the same way: time and course tell the caller nothing. Fails
 * only when the database does.
 */
SOUK_MUST enum souk_err access_signing_key(struct access *a, struct str access_key_id,
    struct str date, struct str region, struct str service, struct principal **ret,
    uint8_t ret_key[32]);

/* ---- keys and tokens as REST resources ---- */
struct new_key {
	char access_key_id[ACCESS_KEY_ID_LEN + 1];
	char secret[SECRET_KEY_LEN + 1]; /* shown once */
};
#define TOKEN_LEN 48 /* "souk_" and 43 of base64url: 256 random bits */
struct new_token {
	struct guid id;
	char token[TOKEN_LEN + 1]; /* shown once */
};
/* `policy` is JSON text or "". The user must be the scope's own account's, or the scope an operator.
 * `random` NULL: real random; else from the demo's generator, so that it is deterministic for a seed. */
SOUK_MUST enum souk_err access_key_create(struct db_tx *tx, struct access *a,
    const struct tenant_scope *s, const struct guid *user_id, struct str policy,
    struct prng *random, struct new_key *ret, struct fail *f);
/* Whether the caller may give what it gives: principal_may_change, before. */
SOUK_MUST enum souk_err access_key_change(struct db_tx *tx, struct access *a,
    const struct tenant_scope *s, struct str access_key_id, const struct login_change *change,
    struct fail *f);
SOUK_MUST enum souk_err access_key_facts(struct db_tx *tx, const struct tenant_scope *s,
    struct str access_key_id, struct arena *mem, struct login_facts *ret);
SOUK_MUST enum souk_err access_key_delete(
    struct db_tx *tx, struct access *a, const struct tenant_scope *s, struct str access_key_id);
SOUK_MUST enum souk_err access_key_list(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *user_id, struct jw *out);
SOUK_MUST enum souk_err access_key_get(
    struct db_tx *tx, const struct tenant_scope *s, struct str access_key_id, struct jw *out);
SOUK_MUST enum souk_err token_create(struct db_tx *tx, struct access *a,
    const struct tenant_scope *s, const struct guid *user_id, struct str label, struct str policy,
    instant_t expires_at, struct prng *random, struct new_token *ret, struct fail *f);
SOUK_MUST enum souk_err token_change(struct db_tx *tx, struct access *a,
    const struct tenant_scope *s, const struct guid *token_id, const struct login_change *change,
    struct fail *f);
SOUK_MUST enum souk_err token_facts(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *token_id, struct arena *mem, struct login_facts *ret);
SOUK_MUST enum souk_err token_delete(
    struct db_tx *tx, struct access *a, const struct tenant_scope *s, const struct guid *token_id);
SOUK_MUST enum souk_err token_list(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *user_id, struct jw *out);
SOUK_MUST enum souk_err token_get(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *token_id, struct jw *out);
/*
 * To be called by who changes or deletes users or accounts: forgets cached principals
 * here once this transaction commits, and in other processes within a second.
 */
SOUK_MUST enum souk_err access_changed(struct db_tx *tx, struct access *a);
/* Key rotation: rewraps up to `max` secrets after `*cursor`; *ret_done at the end. */
SOUK_MUST enum souk_err access_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

#endif
