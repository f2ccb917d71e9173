/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST: who am I, users, access keys, tokens, and the audit log.
 *
 * A new secret stands in one answer and nowhere else; a kept idempotent answer is sealed.
 */
#include "server/rest.h"

#include "base/secret.h"
#include "market/user.h"

static enum souk_err
whoami(struct call *c, struct db_tx *tx)
{
	struct jw w;

	(void)tx;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_str(&w, "accountId", tenant_account(c->scope));
	jw_guid(&w, "userId", principal_user(c->who));
	jw_str(&w, "userName", principal_user_name(c->who));
	jw_bool(&w, "operator", tenant_is_operator(c->scope));
	jw_bool(&w, "buyer", tenant_is_buyer(c->scope));
	jw_bool(&w, "seller", tenant_is_seller(c->scope));
	jw_close(&w, '}');
	return SOUK_OK;
}

/* ---- users ----------------------------------------------------------------------------- */

static enum souk_err
users_list(struct call *c, struct db_tx *tx)
{
	struct page p;
	struct jw w;
	enum souk_err r = call_page(c, &p);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = user_list(tx, c->scope, c->params[0], &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
user_answer(struct call *c, const struct user *u)
{
	struct jw w;

	jw_init(&w, &c->out);
	user_json(u, &w, NULL);
	call_etag(c, u->revision);
}

static enum souk_err
user_read_new(struct call *c)
{
	struct user *u = ARENA_NEW(c->arena, struct user);
	enum souk_err r = rest_need_body(c);

	if (r != SOUK_OK)
		return r;
	if (!u)
		return SOUK_E_LIMIT;
	c->input = u;
	if ((r = user_parse(c->body, NULL, c->arena, u, &c->fail)) != SOUK_OK ||
	    (r = rest_check_policy(c, u->policy)) != SOUK_OK)
		return r;
	return principal_may_grant(c->who, u->policy, STR(""), &c->fail);
}

struct target {
	struct call *c;
	struct guid user;
	struct str policy;
};

static enum souk_err
find_target(struct db_tx *tx, void *arg)
{
	struct target *t = arg;
	struct user u;
	enum souk_err r = user_get(tx, t->c->scope, &t->user, t->c->arena, &u);

	if (r == SOUK_OK)
		t->policy = u.policy;
	return r;
}

/* May the caller make a login of the path's user with this policy? Whose user it is, the handler says. */
static enum souk_err
check_grant(struct call *c, struct str policy)
{
	struct target t = { .c = c };
	enum souk_err r;

	if (principal_is_unlimited(c->who) || call_param_guid(c, 0, &t.user) != SOUK_OK)
		return SOUK_OK;
	r = db_read(c->svc->db, find_target, &t);
	if (r != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
	return principal_may_grant(c->who, t.policy, policy, &c->fail);
}

/*
 * The change itself is parsed over what it changes; what it gives is judged before the
 * transaction: a policy, or to a disabled user its logins.
 */
static enum souk_err
user_read_change(struct call *c)
{
	const json_t *policy = json_object_get(c->body, "policy");
	const char *state = json_string_value(json_object_get(c->body, "state"));
	struct str text = STR("");
	enum souk_err r = rest_need_body(c);

	if (r == SOUK_OK && !policy && state && strcmp(state, "active") == 0)
		return check_grant(c, STR(""));
	if (r != SOUK_OK || !policy || (!json_is_object(policy) && !json_is_null(policy)))
		return r;
	if (json_is_object(policy) && ((r = rest_text(c, policy, &text)) != SOUK_OK ||
					  (r = rest_check_policy(c, text)) != SOUK_OK))
		return r;
	return principal_may_grant(c->who, text, STR(""), &c->fail);
}

static enum souk_err
user_add(struct call *c, struct db_tx *tx)
{
	struct user u = *(const struct user *)c->input;
	struct str account = c->params[0];
	enum souk_err r;

	if (u.account_id[0] != '\0' && !str_eq_c(account, u.account_id))
		return fail_field(
		    &c->fail, "accountId", "is another account than the path's", "leave it out");
	if (account.n != ACCOUNT_ID_LEN)
		return SOUK_E_NOT_FOUND;
	memcpy(u.account_id, account.p, ACCOUNT_ID_LEN);
	if ((r = user_create(tx, c->scope, &u, &c->fail)) != SOUK_OK)
		return r;
	user_answer(c, &u);
	rest_created_guid(c, "/api/v1/users/", &u.id);
	rest_audit_guid(c, "user", &u.id, STR(""));
	return SOUK_OK;
}

static enum souk_err
user_show(struct call *c, struct db_tx *tx)
{
	struct user u;
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	if (r == SOUK_OK && (r = user_get(tx, c->scope, &id, c->arena, &u)) == SOUK_OK)
		user_answer(c, &u);
	return r;
}

static enum souk_err
user_patch(struct call *c, struct db_tx *tx)
{
	struct user old, u;
	struct guid id;
	int64_t seen;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = user_get(tx, c->scope, &id, c->arena, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = user_parse(c->body, &old, c->arena, &u, &c->fail)) != SOUK_OK ||
	    (r = rest_check_policy(c, u.policy)) != SOUK_OK ||
	    (r = user_change(tx, c->scope, &u, seen, &c->fail)) != SOUK_OK ||
	    (r = access_changed(tx, c->svc->access)) != SOUK_OK)
		return r;
	user_answer(c, &u);
	rest_audit_guid(c, "user", &u.id, STR(""));
	return SOUK_OK;
}

/* ---- access keys and tokens ------------------------------------------------------------ */

struct new_login {
	struct str label, policy;
	instant_t expires_at;
};

static enum souk_err
keys_list(struct call *c, struct db_tx *tx)
{
	struct guid user;
	struct jw w;
	enum souk_err r = call_param_guid(c, 0, &user);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = access_key_list(tx, c->scope, &user, &w);
	rest_list_close(&w, STR(""));
	return r;
}

static enum souk_err
take_policy(struct call *c, const struct json_member *m, struct str *ret)
{
	enum souk_err r;

	if (!m->got)
		return SOUK_OK;
	r = rest_text(c, m->got, ret);
	return r == SOUK_OK ? rest_check_policy(c, *ret) : r;
}

static enum souk_err
take_expiry(struct call *c, const struct json_member *m, instant_t *ret)
{
	instant_t t;

	if (!m->got)
		return SOUK_OK;
	if (!instant_parse(json_member_str(m), &t))
		return fail_field(
		    &c->fail, m->name, "is not an instant", "give one like 2030-01-31T00:00:00Z");
	*ret = t > 0 ? t : 1; /* 0 says never, and 1970 is as much in the past as 1969 */
	return SOUK_OK;
}

static enum souk_err
key_read_new(struct call *c)
{
	struct new_login *n = ARENA_NEW(c->arena, struct new_login);
	struct json_member m[] = {
		{ .name = "policy", .kind = JSON_K_OBJ, .nullable = true },
	};
	enum souk_err r = c->body ? json_take(c->body, m, 1, &c->fail) : SOUK_OK;

	if (!n)
		return SOUK_E_LIMIT;
	c->input = n;
	if (r != SOUK_OK || (r = take_policy(c, &m[0], &n->policy)) != SOUK_OK ||
	    (r = principal_may_last(c->who, &c->fail)) != SOUK_OK)
		return r;
	return check_grant(c, n->policy);
}

static enum souk_err
token_read_new(struct call *c)
{
	struct new_login *n = ARENA_NEW(c->arena, struct new_login);
	struct json_member m[] = {
		{ .name = "label", .kind = JSON_K_STR },
		{ .name = "policy", .kind = JSON_K_OBJ, .nullable = true },
		{ .name = "expiresAt", .kind = JSON_K_STR, .nullable = true },
	};
	enum souk_err r = c->body ? json_take(c->body, m, 3, &c->fail) : SOUK_OK;

	if (!n)
		return SOUK_E_LIMIT;
	c->input = n;
	if (r != SOUK_OK || (r = take_policy(c, &m[1], &n->policy)) != SOUK_OK)
		return r;
	n->label = json_member_str(&m[0]);
	if (!m[2].got && !m[2].got_null)
		n->expires_at = principal_expires(c->who);
	if ((r = take_expiry(c, &m[2], &n->expires_at)) != SOUK_OK ||
	    (r = principal_may_end(c->who, n->expires_at, &c->fail)) != SOUK_OK)
		return r;
	return check_grant(c, n->policy);
}

static enum souk_err
key_add(struct call *c, struct db_tx *tx)
{
	const struct new_login *n = c->input;
	struct new_key k;
	struct guid user;
	struct jw w;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &user)) != SOUK_OK ||
	    (r = access_key_create(
		 tx, c->svc->access, c->scope, &user, n->policy, NULL, &k, &c->fail)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "accessKeyId", k.access_key_id);
	jw_c(&w, "secretAccessKey", k.secret);
	jw_guid(&w, "userId", &user);
	jw_close(&w, '}');
	rest_created(c, "/api/v1/access-keys/", str_c(k.access_key_id));
	wipe(&k, sizeof(k));
	return SOUK_OK;
}

static enum souk_err
key_show(struct call *c, struct db_tx *tx)
{
	struct jw w;

	jw_init(&w, &c->out);
	return access_key_get(tx, c->scope, c->params[0], &w);
}

/* What a change of a login says; `to` points at the members that are given. */
struct change {
	struct login_change to;
	bool active;
	struct str label, policy;
	instant_t expires_at;
};

struct judged {
	struct call *c;
	struct login_facts now;
};

static enum souk_err
find_key(struct db_tx *tx, void *arg)
{
	struct judged *j = arg;

	return access_key_facts(tx, j->c->scope, j->c->params[0], j->c->arena, &j->now);
}

static enum souk_err
find_token(struct db_tx *tx, void *arg)
{
	struct judged *j = arg;
	struct guid id;
	enum souk_err r = call_param_guid(j->c, 0, &id);

	return r == SOUK_OK ? token_facts(tx, j->c->scope, &id, j->c->arena, &j->now) : r;
}

/*
 * May the caller make this change? Judged before the transaction: comparing policies takes
 * its time. What others change meanwhile comes out as if they had done it after.
 */
static enum souk_err
check_change(struct call *c, const struct login_change *to, db_fn *find)
{
	struct judged j = { .c = c };
	enum souk_err r;

	if (principal_is_unlimited(c->who))
		return SOUK_OK;
	r = db_read(c->svc->db, find, &j);
	if (r != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
	return principal_may_change(c->who, &j.now, to, &c->fail);
}

static enum souk_err
take_new_policy(struct call *c, const struct json_member *m, struct change *n)
{
	if (m->got || m->got_null)
		n->to.policy = &n->policy;
	return take_policy(c, m, &n->policy);
}

static enum souk_err
take_state(struct call *c, const struct json_member *m, struct change *n)
{
	struct str state = json_member_str(m);

	if (!m->got)
		return SOUK_OK;
	if (!str_eq(state, STR("active")) && !str_eq(state, STR("disabled")))
		return fail_field(&c->fail, "state", "is not a state", "give active or disabled");
	n->active = str_eq(state, STR("active"));
	n->to.active = &n->active;
	return SOUK_OK;
}

static enum souk_err
key_read_change(struct call *c)
{
	struct change *n = ARENA_NEW(c->arena, struct change);
	struct json_member m[] = {
		{ .name = "state", .kind = JSON_K_STR },
		{ .name = "policy", .kind = JSON_K_OBJ, .nullable = true },
	};
	enum souk_err r = rest_need_body(c);

	if (!n)
		return SOUK_E_LIMIT;
	c->input = n;
	if (r != SOUK_OK || (r = json_take(c->body, m, 2, &c->fail)) != SOUK_OK ||
	    (r = take_state(c, &m[0], n)) != SOUK_OK ||
	    (r = take_new_policy(c, &m[1], n)) != SOUK_OK)
		return r;
	if (!n->to.active && !n->to.policy)
		return fail_field(
		    &c->fail, "body", "changes nothing", "give state, policy or both");
	return check_change(c, &n->to, find_key);
}

static enum souk_err
key_patch(struct call *c, struct db_tx *tx)
{
	const struct change *n = c->input;

	return access_key_change(tx, c->svc->access, c->scope, c->params[0], &n->to, &c->fail);
}

static enum souk_err
key_delete(struct call *c, struct db_tx *tx)
{
	return access_key_delete(tx, c->svc->access, c->scope, c->params[0]);
}

static enum souk_err
tokens_list(struct call *c, struct db_tx *tx)
{
	struct guid user;
	struct jw w;
	enum souk_err r = call_param_guid(c, 0, &user);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = token_list(tx, c->scope, &user, &w);
	rest_list_close(&w, STR(""));
	return r;
}

static enum souk_err
token_show(struct call *c, struct db_tx *tx)
{
	struct guid id;
	struct jw w;
	enum souk_err r = call_param_guid(c, 0, &id);

	jw_init(&w, &c->out);
	return r == SOUK_OK ? token_get(tx, c->scope, &id, &w) : r;
}

static enum souk_err
token_add(struct call *c, struct db_tx *tx)
{
	const struct new_login *n = c->input;
	struct new_token t;
	struct guid user;
	struct jw w;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &user)) != SOUK_OK ||
	    (r = token_create(tx, c->svc->access, c->scope, &user, n->label, n->policy,
		 n->expires_at, NULL, &t, &c->fail)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_guid(&w, "tokenId", &t.id);
	jw_c(&w, "token", t.token);
	jw_guid(&w, "userId", &user);
	if (n->expires_at != 0)
		jw_instant(&w, "expiresAt", n->expires_at);
	jw_close(&w, '}');
	rest_created_guid(c, "/api/v1/tokens/", &t.id);
	wipe(&t, sizeof(t));
	return SOUK_OK;
}

static enum souk_err
token_read_change(struct call *c)
{
	struct change *n = ARENA_NEW(c->arena, struct change);
	struct json_member m[] = {
		{ .name = "label", .kind = JSON_K_STR },
		{ .name = "policy", .kind = JSON_K_OBJ, .nullable = true },
		{ .name = "expiresAt", .kind = JSON_K_STR, .nullable = true },
	};
	enum souk_err r = rest_need_body(c);

	if (!n)
		return SOUK_E_LIMIT;
	c->input = n;
	if (r != SOUK_OK || (r = json_take(c->body, m, 3, &c->fail)) != SOUK_OK ||
	    (r = take_new_policy(c, &m[1], n)) != SOUK_OK ||
	    (r = take_expiry(c, &m[2], &n->expires_at)) != SOUK_OK)
		return r;
	n->label = json_member_str(&m[0]);
	if (m[0].got)
		n->to.label = &n->label;
	if (m[2].got || m[2].got_null)
		n->to.expires_at = &n->expires_at;
	if (!n->to.label && !n->to.policy && !n->to.expires_at)
		return fail_field(
		    &c->fail, "body", "changes nothing", "give label, policy or expiresAt");
	return check_change(c, &n->to, find_token);
}

static enum souk_err
token_patch(struct call *c, struct db_tx *tx)
{
	const struct change *n = c->input;
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	return r == SOUK_OK ? token_change(tx, c->svc->access, c->scope, &id, &n->to, &c->fail) : r;
}

static enum souk_err
token_remove(struct call *c, struct db_tx *tx)
{
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	return r == SOUK_OK ? token_delete(tx, c->svc->access, c->scope, &id) : r;
}

/* ---- audit ----------------------------------------------------------------------------- */

/* The cursor is the place of the last entry seen. */
static enum souk_err
read_audit_page(struct call *c, struct audit_filter *ret)
{
	struct page p;
	enum souk_err r = call_page(c, &p);

	if (r != SOUK_OK)
		return r;
	*ret = (struct audit_filter){ .limit = p.limit };
	if (!tenant_is_operator(c->scope))
		ret->account_id = tenant_account(c->scope);
	if (p.cursor.n > 0 && !audit_place_parse(p.cursor, &ret->before))
		return fail_field(&c->fail, "cursor", "is not one that a page gave",
		    "use `next` of the page before");
	return SOUK_OK;
}

static enum souk_err
audit_entries(struct call *c, struct db_tx *tx)
{
	struct audit_filter q;
	struct audit_place next = { 0 };
	size_t n = 0;
	enum souk_err r = read_audit_page(c, &q);

	if (r != SOUK_OK)
		return r;
	buf_add_c(&c->out, "{\"items\":[");
	r = audit_list(tx, &q, &c->out, &next, &n);
	buf_add_char(&c->out, ']');
	/* Also behind a page that is not full: others may have written much since the caller did. */
	if (next.seq > 0) {
		buf_add_c(&c->out, ",\"next\":\"");
		audit_place_add(&c->out, &next);
		buf_add_char(&c->out, '"');
	}
	buf_add_char(&c->out, '}');
	return r;
}

#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
static const struct op ops[] = {
	{ "GET", "/api/v1/whoami", "access:WhoAmI", 0, OP_NO_DB | OP_NO_BODY, NULL, whoami },
	{ "GET", "/api/v1/accounts/{accountId}/users", "access:ReadUsers", 0, READ, NULL,
	    users_list },
	{ "POST", "/api/v1/accounts/{accountId}/users", "access:CreateUser", REST_BODY, MAKE,
	    user_read_new, user_add },
	{ "GET", "/api/v1/users/{userId}", "access:ReadUsers", 0, READ, NULL, user_show },
	{ "PATCH", "/api/v1/users/{userId}", "access:ChangeUser", REST_BODY, OP_WRITE,
	    user_read_change, user_patch },
	{ "GET", "/api/v1/users/{userId}/access-keys", "access:ReadKeys", 0, READ, NULL,
	    keys_list },
	{ "POST", "/api/v1/users/{userId}/access-keys", "access:CreateKey", REST_BODY, MAKE,
	    key_read_new, key_add },
	{ "GET", "/api/v1/access-keys/{accessKeyId}", "access:ReadKeys", 0, READ, NULL, key_show },
	{ "PATCH", "/api/v1/access-keys/{accessKeyId}", "access:ChangeKey", REST_BODY, OP_WRITE,
	    key_read_change, key_patch },
	{ "DELETE", "/api/v1/access-keys/{accessKeyId}", "access:DeleteKey", 0,
	    OP_WRITE | OP_NO_BODY, NULL, key_delete },
	{ "GET", "/api/v1/users/{userId}/tokens", "access:ReadTokens", 0, READ, NULL, tokens_list },
	{ "POST", "/api/v1/users/{userId}/tokens", "access:CreateToken", REST_BODY, MAKE,
	    token_read_new, token_add },
	{ "GET", "/api/v1/tokens/{tokenId}", "access:ReadTokens", 0, READ, NULL, token_show },
	{ "PATCH", "/api/v1/tokens/{tokenId}", "access:ChangeToken", REST_BODY, OP_WRITE,
	    token_read_change, token_patch },
	{ "DELETE", "/api/v1/tokens/{tokenId}", "access:DeleteToken", 0, OP_WRITE | OP_NO_BODY,
	    NULL, token_remove },
	{ "GET", "/api/v1/audit-entries", "audit:ReadEntries", 0, READ, NULL, audit_entries },
};
const struct rest_table rest_access = { ops, sizeof(ops) / sizeof(ops[0]) };
