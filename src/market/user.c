/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users: members of an account, their names and policies.
 *
 * A user acts for its whole account within its policy; whoever can put one into an
 * account can act for it.
 */
#include "market/user.h"

#include "market/account.h"
#include "market/check.h"
#include "market/market_store.h"
#include "market/scope.h"

#define USERS_MAX 1000        /* of one account; each may have many logins */
#define POLICY_TEXT_MAX 20480 /* bytes; more than twice what IAM allows of one document */

static const char *const states[] = { "active", "disabled", NULL };

enum { M_ID, M_ACCOUNT, M_NAME, M_POLICY, M_STATE, M__COUNT };

static bool
name_valid(struct str s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789+=,.@_-";

	if (s.n < 1 || s.n > USER_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!memchr(allowed, s.p[i], sizeof(allowed) - 1))
			return false;
	return true;
}

static void
check_name(struct check *c, const struct json_member *m, struct str *io)
{
	if (!m->got)
		return;
	if (name_valid(json_member_str(m)))
		*io = json_member_str(m);
	else
		check_fail(c, m->name, "is no sign-in name",
		    "give 1 to 64 letters, digits and + = , . @ _ - without accents");
}

/* Kept as compact text: what it means is access/policy.h's to say. */
static void
check_policy(struct check *c, const struct json_member *m, struct arena *mem, struct str *io)
{
	char *text, *kept;

	if (m->got_null)
		*io = STR("");
	if (!m->got)
		return;
	text = json_dumps(m->got, JSON_COMPACT);
	if (!text) {
		c->err = SOUK_E_NOMEM;
		return;
	}
	if (strlen(text) > POLICY_TEXT_MAX)
		check_fail(c, m->name, "is too long", "give at most 20480 bytes");
	else if ((kept = arena_strdup(mem, text)) == NULL)
		c->err = SOUK_E_NOMEM;
	else
		*io = str_c(kept);
	free(text);
}

enum souk_err
user_parse(
    const json_t *o, const struct user *base, struct arena *mem, struct user *ret, struct fail *f)
{
	bool new = base == NULL;
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "userId", .kind = JSON_K_STR },
		[M_ACCOUNT] = { .name = "accountId", .kind = JSON_K_STR },
		[M_NAME] = { .name = "name", .kind = JSON_K_STR, .required = new },
		[M_POLICY] = { .name = "policy", .kind = JSON_K_OBJ, .nullable = true },
		[M_STATE] = { .name = "state", .kind = JSON_K_STR },
	};
	struct user u = { .state = STR("active") };
	struct check c = { .f = f };

	if (base)
		u = *base;
	c.err = json_take(o, m, M__COUNT, f);
	check_guid(&c, &m[M_ID], &u.id);
	check_account_id(&c, &m[M_ACCOUNT], u.account_id);
	check_fixed(&c, "userId", new || guid_eq(&u.id, &base->id));
	check_fixed(&c, "accountId", new || strcmp(u.account_id, base->account_id) == 0);
	check_name(&c, &m[M_NAME], &u.name);
	check_policy(&c, &m[M_POLICY], mem, &u.policy);
	check_word(&c, &m[M_STATE], states, &u.state);
	if (c.err == SOUK_OK)
		*ret = u;
	return c.err;
}

static bool
may_see(const struct tenant_scope *s, const struct user *u)
{
	return tenant_is_operator(s) || scope_is(s, str_c(u->account_id));
}

static enum souk_err
check_name_free(struct db_tx *tx, const struct user *u, struct fail *f)
{
	bool taken = false;
	enum souk_err r = user_name_taken(tx, u, &taken);

	if (r == SOUK_OK && taken)
		return fail_conflict(
		    f, "user_exists", "name", "is taken in this account", "give another name");
	return r;
}

static enum souk_err
check_id_free(struct db_tx *tx, const struct guid *id, struct fail *f)
{
	bool taken = false;
	enum souk_err r = user_id_taken(tx, id, &taken);

	if (r == SOUK_OK && taken)
		return fail_conflict(f, "user_exists", "userId", "is a user already",
		    "change that user, or give another id");
	return r;
}

static enum souk_err
check_room(struct db_tx *tx, const struct user *u, struct fail *f)
{
	int64_t n = 0;
	enum souk_err r = user_count(tx, u->account_id, &n);

	if (r == SOUK_OK && n >= USERS_MAX)
		return fail_set(
		    f, SOUK_E_LIMIT, "user_limit", "An account has at most %d users.", USERS_MAX);
	return r;
}

enum souk_err
user_create(struct db_tx *tx, const struct tenant_scope *s, struct user *u, struct fail *f)
{
	struct user new = *u;
	struct account_roles account;
	bool found = false;
	enum souk_err r;

	if (new.account_id[0] == '\0' && tenant_account(s).n == ACCOUNT_ID_LEN)
		memcpy(new.account_id, tenant_account(s).p, ACCOUNT_ID_LEN + 1);
	if (!may_see(s, &new))
		return fail_not_found(f);
	if ((r = lock_owner(tx, str_c(new.account_id))) != SOUK_OK ||
	    (r = account_find_roles(tx, str_c(new.account_id), &found, &account)) != SOUK_OK)
		return r;
	if (!found)
		return fail_not_found(f);
	/* Whether an id is taken says what others have: only the operator may ask for one. */
	if (!guid_is_zero(&new.id) && !tenant_is_operator(s))
		return fail_field(f, "userId", "is not yours to choose", "leave it out");
	if (guid_is_zero(&new.id))
		new.id = guid_new();
	else if ((r = check_id_free(tx, &new.id, f)) != SOUK_OK)
		return r;
	if ((r = check_name_free(tx, &new, f)) != SOUK_OK ||
	    (r = check_room(tx, &new, f)) != SOUK_OK)
		return r;
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	new.changed_at = new.created_at;
	new.revision = 1;
	if ((r = user_insert(tx, &new)) == SOUK_OK)
		*u = new;
	return r;
}

/* Without an active user nobody could act for the operator any more. */
static enum souk_err
check_operator_stays(struct db_tx *tx, const struct user *u, struct fail *f)
{
	struct account_roles account = { 0 };
	bool found = false, peer = true;
	enum souk_err r;

	if (str_eq_c(u->state, "active"))
		return SOUK_OK;
	if ((r = account_find_roles(tx, str_c(u->account_id), &found, &account)) != SOUK_OK ||
	    !account.is_operator || (r = user_has_peer(tx, u, &peer)) != SOUK_OK)
		return r;
	if (peer)
		return SOUK_OK;
	return fail_conflict(f, "last_operator_user", "state",
	    "would leave the operator without an active user", "make another one first");
}

enum souk_err
user_change(struct db_tx *tx, const struct tenant_scope *s, struct user *u, int64_t seen_revision,
    struct fail *f)
{
	struct user old, new = *u;
	bool found = false;
	enum souk_err r = user_find(tx, &u->id, NULL, &old);

	/* Once more, now that nobody else changes the account's users. */
	if (r == SOUK_OK && (r = lock_owner(tx, str_c(old.account_id))) == SOUK_OK)
		r = user_find(tx, &u->id, NULL, &old);
	if (r == SOUK_E_NOT_FOUND || (r == SOUK_OK && !may_see(s, &old)))
		return fail_not_found(f);
	if (r != SOUK_OK)
		return r;
	if (seen_revision != 0 && seen_revision != old.revision)
		return fail_revision(f);
	memcpy(new.account_id, old.account_id, sizeof(new.account_id));
	if ((r = check_name_free(tx, &new, f)) != SOUK_OK ||
	    (r = check_operator_stays(tx, &new, f)) != SOUK_OK)
		return r;
	new.created_at = old.created_at;
	new.changed_at = db_now(tx);
	new.revision = old.revision + 1;
	if ((r = user_update(tx, &new, old.revision, &found)) != SOUK_OK)
		return r;
	if (!found)
		return fail_revision(f);
	*u = new;
	return SOUK_OK;
}

enum souk_err
user_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct arena *mem,
    struct user *ret)
{
	struct user u;
	enum souk_err r = user_find(tx, id, mem, &u);

	if (r != SOUK_OK)
		return r;
	if (!may_see(s, &u))
		return SOUK_E_NOT_FOUND;
	*ret = u;
	return SOUK_OK;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct user u;

	user_row(st, &u);
	user_json(&u, out, NULL);
	memcpy(key, u.name.p, u.name.n);
	return u.name.n;
}

enum souk_err
user_list(struct db_tx *tx, const struct tenant_scope *s, struct str account_id, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f)
{
	char key[PAGE_KEY_MAX];
	struct str after = { key, 0 };
	struct str of = account_id.n > 0 ? account_id : tenant_account(s);
	enum souk_err r;

	_Static_assert(USER_NAME_MAX <= PAGE_KEY_MAX, "a name is a key");
	if ((r = page_begin(p, key, sizeof(key), &after.n, f)) != SOUK_OK)
		return r;
	if (after.n > 0 && !name_valid(after))
		return page_bad_cursor(f);
	if (!tenant_is_operator(s) && !scope_is(s, of))
		return fail_not_found(f);
	return page_rows(p, user_rows(tx, of, after, p->limit + 1), emit, mem, out);
}

void
user_json(const struct user *u, struct jw *out, const char *key)
{
	jw_open(out, key, '{');
	jw_guid(out, "userId", &u->id);
	jw_c(out, "accountId", u->account_id);
	jw_str(out, "name", u->name);
	if (u->policy.n > 0)
		jw_raw(out, "policy", u->policy);
	else
		jw_null(out, "policy");
	jw_str(out, "state", u->state);
	jw_instant(out, "createdAt", u->created_at);
	jw_instant(out, "changedAt", u->changed_at);
	jw_int(out, "revision", u->revision);
	jw_close(out, '}');
}
