/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts: form, roles, who may see them.
 *
 * An account's roles decide what every other scope check allows: a role that goes while
 * its facts stay would leave them without an owner.
 */
#include "market/account.h"

#include "base/country.h"
#include "base/email.h"
#include "market/check.h"
#include "market/market_store.h"
#include "market/scope.h"

static const char *const states[] = { "active", "suspended", NULL };

bool
account_id_valid(struct str s)
{
	if (s.n != ACCOUNT_ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

enum {
	M_ID,
	M_NAME,
	M_BUYER,
	M_SELLER,
	M_PAID,
	M_COUNTRY,
	M_ADDRESS,
	M_CITY,
	M_REGION,
	M_POSTAL,
	M_DOMAIN,
	M_STATE,
	M__COUNT
};

static void
check_country(struct check *c, const struct json_member *m, struct str *io)
{
	if (!m->got)
		return;
	if (country_known(json_member_str(m)))
		*io = json_member_str(m);
	else
		check_fail(c, m->name, "is no country code",
		    "give the two capital letters of ISO 3166-1, like ES");
}

/* Kept in the form in which domains are compared. A full arena is SOUK_E_NOMEM. */
static void
check_email_domain(struct check *c, const struct json_member *m, struct arena *mem, struct str *io)
{
	char ascii[DOMAIN_MAX + 1];
	struct str s = json_member_str(m);

	if (m->got_null || (m->got && s.n == 0))
		*io = STR("");
	else if (m->got && !domain_plausible(s, ascii))
		check_fail(c, m->name, "is no domain name", "give one like example.com");
	else if (m->got && (*io = arena_str(mem, str_c(ascii))).p == NULL)
		c->err = SOUK_E_NOMEM;
}

static void
check_roles(struct check *c, const json_t *o, const struct json_member *m, const struct account *a)
{
	/* Given but of the wrong type: json_take has said so, and what was meant is unknown. */
	for (size_t i = M_BUYER; i <= M_PAID; i++)
		if (!m[i].got && json_object_get(o, m[i].name))
			return;
	if (!a->is_buyer && !a->is_seller && !a->is_operator)
		check_fail(
		    c, "buyer", "and seller are both false", "set buyer, seller or both to true");
	if (a->paid_seller && !a->is_seller)
		check_fail(c, "paidSeller", "is true for an account that does not sell",
		    "set seller to true or paidSeller to false");
}

enum souk_err
account_parse(const json_t *o, const struct account *base, struct arena *mem, struct account *ret,
    struct fail *f)
{
	bool new = base == NULL;
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "accountId", .kind = JSON_K_STR, .required = new },
		[M_NAME] = { .name = "name", .kind = JSON_K_STR, .required = new },
		[M_BUYER] = { .name = "buyer", .kind = JSON_K_BOOL },
		[M_SELLER] = { .name = "seller", .kind = JSON_K_BOOL },
		[M_PAID] = { .name = "paidSeller", .kind = JSON_K_BOOL },
		[M_COUNTRY] = { .name = "country", .kind = JSON_K_STR, .required = new },
		[M_ADDRESS] = { .name = "address", .kind = JSON_K_STR, .nullable = true },
		[M_CITY] = { .name = "city", .kind = JSON_K_STR, .nullable = true },
		[M_REGION] = { .name = "region", .kind = JSON_K_STR, .nullable = true },
		[M_POSTAL] = { .name = "postalCode", .kind = JSON_K_STR, .nullable = true },
		[M_DOMAIN] = { .name = "emailDomain", .kind = JSON_K_STR, .nullable = true },
		[M_STATE] = { .name = "state", .kind = JSON_K_STR },
	};
	struct account a = { .state = STR("active") };
	struct check c = { .f = f };
	enum souk_err r = country_load(f);

	if (r != SOUK_OK)
		return r;
	if (base)
		a = *base;
	c.err = json_take(o, m, M__COUNT, f);
	check_account_id(&c, &m[M_ID], a.id);
	check_fixed(&c, "accountId", new || strcmp(a.id, base->id) == 0);
	check_text(&c, &m[M_NAME], 1, 255, &a.name);
	check_bool(&m[M_BUYER], &a.is_buyer);
	check_bool(&m[M_SELLER], &a.is_seller);
	check_bool(&m[M_PAID], &a.paid_seller);
	check_country(&c, &m[M_COUNTRY], &a.country);
	check_text(&c, &m[M_ADDRESS], 0, 255, &a.address);
	check_text(&c, &m[M_CITY], 0, 100, &a.city);
	check_text(&c, &m[M_REGION], 0, 100, &a.region);
	check_text(&c, &m[M_POSTAL], 0, 20, &a.postal_code);
	check_email_domain(&c, &m[M_DOMAIN], mem, &a.email_domain);
	check_word(&c, &m[M_STATE], states, &a.state);
	check_roles(&c, o, m, &a);
	if (c.err == SOUK_OK)
		*ret = a;
	return c.err;
}

enum souk_err
account_create(struct db_tx *tx, const struct tenant_scope *s, struct account *a, struct fail *f)
{
	struct account new = *a;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	new.changed_at = new.created_at;
	new.revision = 1;
	r = account_insert(tx, &new);
	if (r == SOUK_E_CONFLICT)
		return fail_conflict(f, "account_exists", "accountId", "is an account already",
		    "change that account, or give another id");
	if (r == SOUK_OK)
		*a = new;
	return r;
}

/* What the account may not become, seen what it holds. */
static enum souk_err
check_change(
    struct db_tx *tx, const struct account *a, const struct account_roles *old, struct fail *f)
{
	bool holds = false;
	enum souk_err r;

	if (old->is_operator && !str_eq_c(a->state, "active"))
		return fail_conflict(f, "operator_account", "state",
		    "of the operator's account cannot be suspended", "leave it active");
	if (old->is_seller && !a->is_seller) {
		if ((r = account_sells(tx, str_c(a->id), &holds)) != SOUK_OK)
			return r;
		if (holds)
			return fail_conflict(f, "account_sells", "seller",
			    "is needed by the account's products or enrolments",
			    "withdraw the enrolments; an account with products stays a seller");
	}
	if (old->is_buyer && !a->is_buyer) {
		if ((r = account_buys(tx, str_c(a->id), &holds)) != SOUK_OK)
			return r;
		if (holds)
			return fail_conflict(f, "account_buys", "buyer",
			    "is needed by the account's active subscriptions", "end them first");
	}
	return SOUK_OK;
}

enum souk_err
account_change(struct db_tx *tx, const struct tenant_scope *s, struct account *a,
    int64_t seen_revision, struct fail *f)
{
	struct account new = *a;
	struct account_roles old = { 0 };
	bool found = false;
	enum souk_err r;

	if ((r = scope_operator(s, f)) != SOUK_OK ||
	    (r = lock_owner(tx, str_c(a->id))) != SOUK_OK ||
	    (r = account_hold(tx, str_c(a->id), true)) != SOUK_OK ||
	    (r = account_find_roles(tx, str_c(a->id), &found, &old)) != SOUK_OK)
		return r;
	if (!found)
		return fail_not_found(f);
	if (seen_revision != 0 && seen_revision != old.revision)
		return fail_revision(f);
	if ((r = check_change(tx, a, &old, f)) != SOUK_OK)
		return r;
	new.is_operator = old.is_operator;
	new.changed_at = db_now(tx);
	new.revision = old.revision + 1;
	if ((r = account_update(tx, &new, old.revision, &found)) != SOUK_OK)
		return r;
	if (!found)
		return fail_revision(f);
	*a = new;
	return SOUK_OK;
}

enum souk_err
account_get(struct db_tx *tx, const struct tenant_scope *s, struct str id, struct arena *mem,
    struct account *ret)
{
	if (!tenant_is_operator(s) && !scope_is(s, id))
		return SOUK_E_NOT_FOUND;
	return account_find(tx, id, mem, ret);
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct account a;

	account_row(st, &a);
	account_json(&a, out, NULL);
	memcpy(key, a.id, ACCOUNT_ID_LEN);
	return ACCOUNT_ID_LEN;
}

/* Everybody but the operator has a list of one. */
static enum souk_err
list_own(struct db_tx *tx, const struct tenant_scope *s, struct str after, struct page *p,
    struct arena *mem, struct jw *out)
{
	struct account a;
	enum souk_err r = account_find(tx, tenant_account(s), mem, &a);

	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	if (r == SOUK_OK && strncmp(a.id, after.n > 0 ? after.p : "", ACCOUNT_ID_LEN) > 0)
		account_json(&a, out, NULL);
	p->next = STR("");
	return SOUK_OK;
}

enum souk_err
account_list(struct db_tx *tx, const struct tenant_scope *s, struct page *p, struct arena *mem,
    struct jw *out, struct fail *f)
{
	char key[PAGE_KEY_MAX + 1] = "";
	struct str after = { key, 0 };
	enum souk_err r;

	if ((r = page_begin(p, key, PAGE_KEY_MAX, &after.n, f)) != SOUK_OK)
		return r;
	if (after.n > 0 && !account_id_valid(after))
		return page_bad_cursor(f);
	if (!tenant_is_operator(s))
		return list_own(tx, s, after, p, mem, out);
	return page_rows(p, account_rows(tx, after, p->limit + 1), emit, mem, out);
}

void
account_json(const struct account *a, struct jw *out, const char *key)
{
	jw_open(out, key, '{');
	jw_c(out, "accountId", a->id);
	jw_str(out, "name", a->name);
	jw_bool(out, "operator", a->is_operator);
	jw_bool(out, "buyer", a->is_buyer);
	jw_bool(out, "seller", a->is_seller);
	jw_bool(out, "paidSeller", a->paid_seller);
	jw_str(out, "country", a->country);
	jw_str(out, "address", a->address);
	jw_str(out, "city", a->city);
	jw_str(out, "region", a->region);
	jw_str(out, "postalCode", a->postal_code);
	jw_str(out, "emailDomain", a->email_domain);
	jw_str(out, "state", a->state);
	jw_instant(out, "createdAt", a->created_at);
	jw_instant(out, "changedAt", a->changed_at);
	jw_int(out, "revision", a->revision);
	jw_close(out, '}');
}
