/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and keeping resource policies; see resource_policy.h. */
#include "proserv/resource_policy.h"

#include "base/json.h"
#include "base/utf8.h"
#include "market/account.h"

#include <stdio.h>

#define SERVICE "aws-marketplace:"
#define ROOT_ARN "arn:aws:iam::"
#define ROOT_END ":root"
#define ACTION_SHOWN_MAX 60

static const char *const actions[SHARED__COUNT] = {
	[SHARED_DESCRIBE] = "DescribeEntity",
	[SHARED_LIST] = "ListEntities",
};

const char *
shared_action_word(enum shared_action a)
{
	return actions[a];
}

struct reading {
	struct str arn;
	struct arena *mem;
	struct fail *f;
	size_t at; /* the statement being read */
	size_t cap;
	struct resource_policy p;
};

static struct str
text_of(const json_t *v)
{
	return (struct str){ json_string_value(v), json_string_length(v) };
}

static enum souk_err
refuse(struct reading *r, const char *member, const char *what, const char *fix)
{
	char field[80];

	(void)snprintf(field, sizeof(field), "Policy.Statement[%zu].%s", r->at, member);
	return fail_field(r->f, field, what, fix);
}

/* json_take for an object within the policy: its words name the place. */
static enum souk_err
take_at(struct reading *r, const char *place, const json_t *o, struct json_member *m, size_t n)
{
	struct fail own = { .err = SOUK_OK };
	enum souk_err err = json_take(o, m, n, &own);
	char field[192];

	for (size_t i = 0; i < own.n; i++) {
		(void)snprintf(field, sizeof(field), "%s.%s", place, own.entry[i].field);
		(void)fail_field(r->f, field, own.entry[i].what, own.entry[i].fix);
	}
	return err;
}

/* One text, or a list of them that is not empty. `each` says what is wrong with one. */
static enum souk_err
each_text(struct reading *r, const char *member, const json_t *v, const char *fix,
    enum souk_err (*each)(struct reading *r, struct str s, void *arg), void *arg)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1;
	enum souk_err err = SOUK_OK;

	if (n == 0)
		return refuse(r, member, "is empty", fix);
	for (size_t i = 0; err == SOUK_OK && i < n; i++) {
		const json_t *e = json_is_array(v) ? json_array_get(v, i) : v;

		err = json_is_string(e)
			  ? each(r, text_of(e), arg)
			  : refuse(r, member, "is neither a text nor a list of texts", fix);
	}
	return err;
}

/* ---- actions --------------------------------------------------------------------------- */

/* Letters and wildcards only, so that no other words get into the answer. */
static bool
is_shown(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ':' || c == '-' ||
			c == '*' || c == '?'))
			return false;
	}
	return s.n > 0 && s.n <= ACTION_SHOWN_MAX;
}

static enum souk_err
take_action(struct reading *r, struct str s, void *arg)
{
	static const char fix[] =
	    "allow " SERVICE "DescribeEntity, " SERVICE "ListEntities, or both";
	bool *may = arg;
	char what[160];

	for (int a = 0; a < SHARED__COUNT; a++) {
		char name[64];

		(void)snprintf(name, sizeof(name), SERVICE "%s", actions[a]);
		if (str_eq_nocase(s, str_c(name))) {
			may[a] = true;
			return SOUK_OK;
		}
	}
	if (!is_shown(s))
		return refuse(r, "Action", "has one that cannot be shared", fix);
	(void)snprintf(what, sizeof(what), "has %.*s, which cannot be shared", (int)s.n, s.p);
	return refuse(r, "Action", what, fix);
}

/* ---- principals ------------------------------------------------------------------------ */

static const char principal_fix[] =
    "give {\"AWS\": \"123456789012\"}, a list of such accounts, or arn:aws:iam::123456789012:root";

/* The account of "123456789012" and of "arn:aws:iam::123456789012:root"; p NULL when it is neither. */
static struct str
account_of(struct str s)
{
	const struct str before = STR(ROOT_ARN), after = STR(ROOT_END);

	if (s.n > before.n + after.n && str_starts(s, before) && str_ends(s, after))
		s = (struct str){ s.p + before.n, s.n - before.n - after.n };
	return account_id_valid(s) ? s : (struct str){ NULL, 0 };
}

static struct policy_grant *
grant_of(struct reading *r, struct str account)
{
	struct resource_policy *p = &r->p;

	for (size_t i = 0; i < p->n; i++)
		if (str_eq_c(account, p->v[i].account))
			return &p->v[i];
	if (p->n == r->cap) {
		size_t cap = r->cap > 0 ? 2 * r->cap : 8;
		struct policy_grant *v = arena_array(r->mem, cap, sizeof(*v));

		if (v == NULL)
			return NULL;
		if (p->n > 0)
			memcpy(v, p->v, p->n * sizeof(*v));
		p->v = v;
		r->cap = cap;
	}
	p->v[p->n] = (struct policy_grant){ .may = { false } };
	memcpy(p->v[p->n].account, account.p, ACCOUNT_ID_LEN);
	return &p->v[p->n++];
}

static enum souk_err
take_principal(struct reading *r, struct str s, void *arg)
{
	const bool *may = arg;
	struct str account = account_of(s);
	struct policy_grant *g;

	if (account.p == NULL)
		return refuse(r, "Principal", "has one that is no account", principal_fix);
	if ((g = grant_of(r, account)) == NULL)
		return SOUK_E_NOMEM;
	for (int a = 0; a < SHARED__COUNT; a++)
		g->may[a] |= may[a];
	return SOUK_OK;
}

/* ---- statements ------------------------------------------------------------------------ */

static enum souk_err
take_resource(struct reading *r, struct str s, void *arg)
{
	(void)arg;
	return str_eq(s, r->arn) ? SOUK_OK
				 : refuse(r, "Resource", "has another than this entity",
				       "give the entity's ARN as DescribeEntity tells it");
}

static enum souk_err
take_statement(struct reading *r, const json_t *o)
{
	enum { SID, EFFECT, PRINCIPAL, ACTION, RESOURCE, COUNT };
	struct json_member m[COUNT] = { [SID] = { .name = "Sid", .kind = JSON_K_STR },
		[EFFECT] = { .name = "Effect", .kind = JSON_K_STR, .required = true },
		[PRINCIPAL] = { .name = "Principal", .kind = JSON_K_ANY, .required = true },
		[ACTION] = { .name = "Action", .kind = JSON_K_ANY, .required = true },
		[RESOURCE] = { .name = "Resource", .kind = JSON_K_ANY, .required = true } };
	bool may[SHARED__COUNT] = { false };
	const json_t *accounts;
	char place[48];
	enum souk_err err;

	(void)snprintf(place, sizeof(place), "Policy.Statement[%zu]", r->at);
	if (!json_is_object(o))
		return fail_field(r->f, place, "is no object", "give each statement as one");
	if ((err = take_at(r, place, o, m, COUNT)) != SOUK_OK)
		return err;
	if (!str_eq_c(json_member_str(&m[EFFECT]), "Allow"))
		return refuse(r, "Effect", "is not Allow", "say what is allowed: nothing else is");
	accounts = json_object_get(m[PRINCIPAL].got, "AWS");
	if (!accounts || json_object_size(m[PRINCIPAL].got) != 1)
		return refuse(r, "Principal", "names no accounts", principal_fix);
	if ((err = each_text(r, "Action", m[ACTION].got, "name an action", take_action, may)) !=
		SOUK_OK ||
	    (err = each_text(r, "Resource", m[RESOURCE].got, "give the entity's ARN", take_resource,
		 NULL)) != SOUK_OK)
		return err;
	return each_text(r, "Principal", accounts, principal_fix, take_principal, may);
}

static enum souk_err
take_document(struct reading *r, const json_t *o)
{
	enum { VERSION, ID, STATEMENT, COUNT };
	struct json_member m[COUNT] = { [VERSION] = { .name = "Version", .kind = JSON_K_STR },
		[ID] = { .name = "Id", .kind = JSON_K_STR },
		[STATEMENT] = { .name = "Statement", .kind = JSON_K_ARR, .required = true } };
	enum souk_err err;

	if (!json_is_object(o))
		return fail_field(r->f, "Policy", "is no JSON object", "give a policy");
	if ((err = take_at(r, "Policy", o, m, COUNT)) != SOUK_OK)
		return err;
	if (m[VERSION].got && !str_eq_c(json_member_str(&m[VERSION]), "2012-10-17"))
		return fail_field(r->f, "Policy.Version", "is unknown", "give 2012-10-17");
	if (json_array_size(m[STATEMENT].got) == 0)
		return fail_field(
		    r->f, "Policy.Statement", "is empty", "allow something, or delete the policy");
	for (r->at = 0; err == SOUK_OK && r->at < json_array_size(m[STATEMENT].got); r->at++)
		if ((err = take_statement(r, json_array_get(m[STATEMENT].got, r->at))) != SOUK_OK)
			return err;
	return SOUK_OK;
}

/* The characters that the model of the API takes. */
static enum souk_err
check_text(struct str text, struct fail *f)
{
	struct str rest = text;
	size_t n = utf8_length(text), step;
	uint32_t c;

	if (n < 1 || n > RESOURCE_POLICY_MAX)
		return fail_field(
		    f, "Policy", n < 1 ? "is empty" : "is too long", "give 1 to 10240 characters");
	for (; (step = utf8_next(rest, &c)) > 0;
	     rest = (struct str){ rest.p + step, rest.n - step })
		if (c > 0xff || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
			return fail_field(f, "Policy", "has characters that a policy cannot have",
			    "use those up to U+00FF, without control characters");
	return SOUK_OK;
}

enum souk_err
resource_policy_read(
    struct str text, struct str arn, struct arena *mem, struct resource_policy *ret, struct fail *f)
{
	struct reading r = { .arn = arn, .mem = mem, .f = f };
	struct fail own = { .err = SOUK_OK };
	json_t *doc = NULL;
	enum souk_err err = check_text(text, f);

	if (err != SOUK_OK)
		return err;
	err = json_read(text, &doc, &own);
	if (err == SOUK_E_NOMEM)
		return err;
	if (err != SOUK_OK)
		return fail_field(
		    f, "Policy", own.n > 0 ? own.entry[0].what : "is no JSON", "give JSON");
	if ((err = take_document(&r, doc)) == SOUK_OK)
		*ret = r.p;
	json_decref(doc);
	return err;
}

/* ---- keeping --------------------------------------------------------------------------- */

enum souk_err
resource_policy_put(struct db_tx *tx, struct str seller_id, const struct guid *entity_id,
    struct str text, const struct resource_policy *p)
{
	enum souk_err r = lock_subject(tx, entity_id, sizeof(*entity_id));

	if (r != SOUK_OK || (r = policy_row_put(tx, seller_id, entity_id, text)) != SOUK_OK ||
	    (r = share_rows_drop(tx, seller_id, entity_id)) != SOUK_OK)
		return r;
	for (size_t i = 0; i < p->n; i++) {
		if (str_eq_c(seller_id, p->v[i].account))
			continue;
		for (int a = 0; a < SHARED__COUNT; a++)
			if (p->v[i].may[a] && (r = share_row_put(tx, seller_id, entity_id,
						   str_c(p->v[i].account), actions[a])) != SOUK_OK)
				return r;
	}
	return SOUK_OK;
}

enum souk_err
resource_policy_drop(struct db_tx *tx, struct str seller_id, const struct guid *entity_id)
{
	bool found = false;
	enum souk_err r = lock_subject(tx, entity_id, sizeof(*entity_id));

	if (r != SOUK_OK || (r = share_rows_drop(tx, seller_id, entity_id)) != SOUK_OK ||
	    (r = policy_row_drop(tx, seller_id, entity_id, &found)) != SOUK_OK)
		return r;
	return found ? SOUK_OK : SOUK_E_NOT_FOUND;
}
