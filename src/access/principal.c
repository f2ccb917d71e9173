/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Principals: immutable once made, counted, shared between threads and the cache.
 */
#include "access/principal.h"

#include "market/tenant_make.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct principal {
	_Atomic unsigned refs;
	bool is_operator, is_buyer, is_seller;
	bool unreadable; /* a policy is there and could not be read */
	char account_id[ACCOUNT_ID_LEN + 1];
	char actor[64];
	struct guid user_id;
	instant_t expires_at;
	struct policy *user_policy, *own_policy; /* NULL: none */
	size_t name_n;
	char name[]; /* NUL-terminated */
};

static enum souk_err
policy_load(struct str json, struct policy **ret, bool *unreadable)
{
	enum souk_err err;

	if (json.n == 0)
		return SOUK_OK;
	err = policy_parse(json, ret, NULL);
	if (err == SOUK_E_INVALID) {
		*unreadable = true;
		return SOUK_OK;
	}
	return err;
}

static void
slice_copy(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, "%.*s", (int)(s.n < size ? s.n : size), s.p ? s.p : "");
}

static void
principal_destroy(struct principal *p)
{
	policy_free(p->user_policy);
	policy_free(p->own_policy);
	free(p);
}

enum souk_err
principal_new(const struct principal_facts *f, struct principal **ret)
{
	struct principal *p = calloc(1, sizeof(*p) + f->user_name.n + 1);
	enum souk_err err;

	if (!p)
		return SOUK_E_NOMEM;
	atomic_init(&p->refs, 1);
	p->is_operator = f->is_operator;
	p->is_buyer = f->is_buyer;
	p->is_seller = f->is_seller;
	p->user_id = f->user_id;
	p->expires_at = f->expires_at;
	slice_copy(p->account_id, sizeof(p->account_id), f->account_id);
	slice_copy(p->actor, sizeof(p->actor), f->actor);
	p->name_n = f->user_name.n;
	if (p->name_n > 0)
		memcpy(p->name, f->user_name.p, p->name_n);
	if ((err = policy_load(f->user_policy, &p->user_policy, &p->unreadable)) != SOUK_OK ||
	    (err = policy_load(f->own_policy, &p->own_policy, &p->unreadable)) != SOUK_OK) {
		principal_destroy(p);
		return err;
	}
	*ret = p;
	return SOUK_OK;
}

void
principal_retain(struct principal *p)
{
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
}

void
principal_release(struct principal *p)
{
	unsigned before;

	if (!p)
		return;
	before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before == 1)
		principal_destroy(p);
}

instant_t
principal_expires(const struct principal *p)
{
	return p->expires_at;
}

const struct guid *
principal_user(const struct principal *p)
{
	return &p->user_id;
}

struct str
principal_user_name(const struct principal *p)
{
	return (struct str){ p->name, p->name_n };
}

struct str
principal_account(const struct principal *p)
{
	return str_c(p->account_id);
}

static bool
allows(const struct policy *policy, struct str action, struct str resource)
{
	return !policy || policy_decide(policy, action, resource) == POLICY_ALLOW;
}

bool
principal_may(const struct principal *p, const char *action, struct str resource)
{
	struct str a = str_c(action);

	/* A deny in either document is a verdict other than ALLOW: no third look is needed. */
	return !p->unreadable && allows(p->user_policy, a, resource) &&
	       allows(p->own_policy, a, resource);
}

bool
principal_is_unlimited(const struct principal *p)
{
	return !p->unreadable && !p->user_policy && !p->own_policy && p->expires_at == 0;
}

/* A login is held by both of its policies: one that stays within `limit` is enough. */
static bool
stays_within(const struct policy *user, const struct policy *own, const struct policy *limit)
{
	return !limit || policy_within(user, limit) || (own && policy_within(own, limit));
}

enum souk_err
principal_may_grant(
    const struct principal *p, struct str user_policy, struct str own_policy, struct fail *f)
{
	struct policy *user = NULL, *own = NULL;
	bool unreadable = false;
	enum souk_err err;

	if (principal_is_unlimited(p))
		return SOUK_OK;
	if ((err = policy_load(user_policy, &user, &unreadable)) == SOUK_OK &&
	    (err = policy_load(own_policy, &own, &unreadable)) == SOUK_OK &&
	    (p->unreadable || unreadable || !stays_within(user, own, p->user_policy) ||
		!stays_within(user, own, p->own_policy)))
		err = fail_set(f, SOUK_E_DENIED, "policy_too_wide",
		    "Your own policy does not allow all that this login could do; give it a "
		    "policy that stays within yours.");
	policy_free(user);
	policy_free(own);
	return err;
}

static bool
outlives(const struct principal *p, instant_t expires_at)
{
	return p->expires_at != 0 && (expires_at == 0 || expires_at > p->expires_at);
}

enum souk_err
principal_may_end(const struct principal *p, instant_t expires_at, struct fail *f)
{
	char fix[80], until[INSTANT_TEXT_LEN + 1];

	if (!outlives(p, expires_at))
		return SOUK_OK;
	instant_format(p->expires_at, until);
	(void)snprintf(fix, sizeof(fix), "give %s, when your token expires, or earlier", until);
	return fail_field(f, "expiresAt", "is later than your own token allows", fix);
}

static enum souk_err
refuse_to_last(struct fail *f)
{
	return fail_set(f, SOUK_E_DENIED, "expiring_token",
	    "Your token expires, and this login would outlive it; use a token that does not "
	    "expire.");
}

enum souk_err
principal_may_last(const struct principal *p, struct fail *f)
{
	return outlives(p, 0) ? refuse_to_last(f) : SOUK_OK;
}

enum souk_err
principal_may_change(const struct principal *p, const struct login_facts *now,
    const struct login_change *change, struct fail *f)
{
	enum souk_err err;

	if (!change->policy && !change->expires_at && !(change->active && *change->active))
		return SOUK_OK;
	if (change->expires_at && (err = principal_may_end(p, *change->expires_at, f)) != SOUK_OK)
		return err;
	if (!change->expires_at && outlives(p, now->expires_at))
		return refuse_to_last(f);
	return principal_may_grant(
	    p, now->user_policy, change->policy ? *change->policy : now->policy, f);
}

enum souk_err
principal_scope(const struct principal *p, struct str request_id, struct arena *mem,
    const struct tenant_scope **ret)
{
	struct tenant_scope *s = ARENA_NEW(mem, struct tenant_scope);

	if (!s)
		return SOUK_E_LIMIT;
	s->is_operator = p->is_operator;
	s->is_buyer = p->is_buyer;
	s->is_seller = p->is_seller;
	memcpy(s->account_id, p->account_id, sizeof(s->account_id));
	memcpy(s->actor, p->actor, sizeof(s->actor));
	slice_copy(s->request_id, sizeof(s->request_id), request_id);
	*ret = s;
	return SOUK_OK;
}
