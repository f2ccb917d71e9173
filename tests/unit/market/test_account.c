/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: each rule of the form from both sides, roles that cannot go, who sees whom. */
#include "market_test.h"

static enum souk_err
parse(struct world *w, const char *text, struct account *ret)
{
	return account_parse(world_json(w, text), NULL, w->mem, ret, world_fail(w));
}

/* An account with one member more, or one replaced. */
static enum souk_err
parse_with(struct world *w, const char *member, const char *value)
{
	struct account a;
	json_t *o =
	    world_json(w, "{'accountId':'123456789012','name':'N','country':'US','buyer':true}");
	json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	assert_int_equal(json_object_set_new(o, member, v), 0);
	return account_parse(o, NULL, w->mem, &a, world_fail(w));
}

static void
assert_refused(struct world *w, const char *member, const char *value)
{
	assert_int_equal(parse_with(w, member, value), SOUK_E_INVALID);
	if (w->f.n_total != 1)
		fail_msg("%s: %s: also %s", member, value, w->f.entry[w->f.n - 1].field);
	assert_field(w, member);
}

static void
assert_accepted(struct world *w, const char *member, const char *value)
{
	if (parse_with(w, member, value) != SOUK_OK)
		fail_msg("%s: %s refused", member, value);
}

static void
assert_limits(struct world *w, const char *member, size_t max)
{
	assert_accepted(w, member, arena_printf(w->mem, "\"%s\"", letters(w, max)));
	assert_refused(w, member, arena_printf(w->mem, "\"%s\"", letters(w, max + 1)));
	/* Code points count, not bytes. */
	assert_accepted(
	    w, member, arena_printf(w->mem, "\"%s\xc3\xa9\xf0\x9f\x98\x80\"", letters(w, max - 2)));
	assert_refused(w, member, "\"a\\nb\"");
	assert_refused(w, member, "\"\\u0085\"");
	assert_refused(w, member, "7");
}

static void
form(struct world *w)
{
	assert_limits(w, "name", 255);
	assert_limits(w, "address", 255);
	assert_limits(w, "city", 100);
	assert_limits(w, "region", 100);
	assert_limits(w, "postalCode", 20);
	assert_refused(w, "name", "\"\"");
	assert_refused(w, "name", "\" \\u00a0\"");
	assert_refused(w, "name", "null");
	assert_accepted(w, "address", "\"\"");
	assert_accepted(w, "address", "null");
	assert_accepted(w, "accountId", "\"000000000000\"");
	assert_refused(w, "accountId", "\"00000000000\"");
	assert_refused(w, "accountId", "\"0000000000000\"");
	assert_refused(w, "accountId", "\"00000000000a\"");
	assert_refused(w, "accountId", "123456789012");
	assert_accepted(w, "country", "\"ES\"");
	assert_refused(w, "country", "\"es\"");
	assert_refused(w, "country", "\"XX\"");
	assert_refused(w, "country", "\"ESP\"");
	assert_accepted(w, "state", "\"suspended\"");
	assert_refused(w, "state", "\"Active\"");
	assert_refused(w, "buyer", "\"true\"");
	assert_refused(w, "buyer", "1");
	assert_refused(w, "buyer", "false"); /* then it is neither */
	assert_refused(w, "paidSeller", "true");
	assert_refused(w, "operator", "true");
	assert_refused(w, "revision", "1");
	assert_refused(w, "emailDomain", "\"localhost\"");
	assert_refused(w, "emailDomain", "\"a@example.com\"");
}
WORLD_TEST(form)

static void
email_domain_is_ascii(struct world *w)
{
	struct account a;

	assert_int_equal(parse(w,
			     "{'accountId':'123456789012','name':'N','country':'DE','seller':true,"
			     "'paidSeller':true,'emailDomain':'M\xc3\xbcnchen.Example'}",
			     &a),
	    SOUK_OK);
	assert_true(str_eq_c(a.email_domain, "xn--mnchen-3ya.example"));
	assert_true(a.paid_seller);
	assert_false(a.is_operator);
}
WORLD_TEST(email_domain_is_ascii)

static void
every_field_is_named(struct world *w)
{
	struct account a = { .name = STR("untouched") };

	assert_int_equal(
	    parse(w, "{'accountId':'1','name':'','country':'QQ','state':'x','shoe':1}", &a),
	    SOUK_E_INVALID);
	assert_field(w, "accountId");
	assert_field(w, "name");
	assert_field(w, "country");
	assert_field(w, "state");
	assert_field(w, "shoe");
	assert_field(w, "buyer");
	assert_true(str_eq_c(a.name, "untouched"));
	assert_int_equal(parse(w, "{}", &a), SOUK_E_INVALID);
	assert_field(w, "accountId");
	assert_field(w, "name");
	assert_field(w, "country");
	assert_int_equal(parse(w, "[]", &a), SOUK_E_INVALID);
}
WORLD_TEST(every_field_is_named)

static void
creating(struct world *w)
{
	struct account a = { .id = "123456789012",
		.name = STR("N"),
		.country = STR("US"),
		.state = STR("active"),
		.is_buyer = true };
	struct account again;

	assert_int_equal(account_create(w->tx, &w->seller, &a, world_fail(w)), SOUK_E_DENIED);
	assert_int_equal(a.revision, 0);
	assert_int_equal(account_create(w->tx, &w->op, &a, world_fail(w)), SOUK_OK);
	assert_int_equal(a.revision, 1);
	assert_true(a.created_at > 0 && a.changed_at == a.created_at);
	again = a;
	assert_int_equal(account_create(w->tx, &w->op, &again, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "account_exists");
	assert_field(w, "accountId");
	w->undone = true;
}
WORLD_TEST(creating)

static void
creating_with_its_own_age(struct world *w)
{
	struct account got, again = { .id = "123456789013",
		.name = STR("Old"),
		.country = STR("US"),
		.state = STR("active"),
		.is_operator = true,
		.created_at = 86400000 };

	assert_int_equal(account_create(w->tx, &w->op, &again, world_fail(w)), SOUK_OK);
	assert_int_equal(account_get(w->tx, &w->op, STR("123456789013"), w->mem, &got), SOUK_OK);
	assert_int_equal(got.created_at, 86400000);
	assert_true(got.is_operator && !got.is_buyer);
}
WORLD_TEST(creating_with_its_own_age)

static enum souk_err
change(struct world *w, const char *id, const char *patch, int64_t seen)
{
	struct account base, a;

	assert_int_equal(account_get(w->tx, &w->op, str_c(id), w->mem, &base), SOUK_OK);
	assert_int_equal(
	    account_parse(world_json(w, patch), &base, w->mem, &a, world_fail(w)), SOUK_OK);
	return account_change(w->tx, &w->op, &a, seen, world_fail(w));
}

static void
changing(struct world *w)
{
	struct account a, base;

	assert_int_equal(change(w, BUYER, "{'city':'Bilbao'}", 1), SOUK_OK);
	assert_int_equal(account_get(w->tx, &w->buyer, STR(BUYER), w->mem, &base), SOUK_OK);
	assert_true(str_eq_c(base.city, "Bilbao") && str_eq_c(base.name, "Buyer"));
	assert_int_equal(base.revision, 2);
	assert_int_equal(change(w, BUYER, "{'city':'Lost'}", 1), SOUK_E_PRECONDITION);
	assert_code(w, "revision_mismatch");
	assert_int_equal(change(w, BUYER, "{'city':'Lost'}", 3), SOUK_E_PRECONDITION);
	assert_int_equal(change(w, BUYER, "{'city':null}", 0), SOUK_OK);
	assert_int_equal(account_get(w->tx, &w->buyer, STR(BUYER), w->mem, &a), SOUK_OK);
	assert_int_equal(a.revision, 3);
	assert_int_equal(a.city.n, 0);

	/* Its id it keeps: else the change would go to another account. */
	assert_int_equal(account_parse(world_json(w, "{'accountId':'" SELLER "'}"), &a, w->mem,
			     &base, world_fail(w)),
	    SOUK_E_INVALID);
	assert_field(w, "accountId");
	assert_int_equal(account_parse(world_json(w, "{'accountId':'" BUYER "'}"), &a, w->mem,
			     &base, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(account_change(w->tx, &w->buyer, &a, 0, world_fail(w)), SOUK_E_DENIED);
	memcpy(a.id, NOBODY, sizeof(a.id));
	assert_int_equal(account_change(w->tx, &w->op, &a, 0, world_fail(w)), SOUK_E_NOT_FOUND);
}
WORLD_TEST(changing)

static void
roles_that_are_needed(struct world *w)
{
	struct subscription s = { .id = world_guid(SUB_ID) };
	struct enrolment e;
	bool already;

	assert_int_equal(change(w, SELLER, "{'seller':false,'buyer':true}", 0), SOUK_E_CONFLICT);
	assert_code(w, "account_sells");
	assert_int_equal(change(w, SELLER, "{'buyer':true}", 0), SOUK_OK);
	assert_int_equal(change(w, BUYER, "{'seller':true,'buyer':false}", 0), SOUK_E_CONFLICT);
	assert_code(w, "account_buys");
	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->op, &s, db_now(w->tx), &already), SOUK_OK);
	assert_int_equal(change(w, BUYER, "{'seller':true,'buyer':false}", 0), SOUK_OK);

	/* Enrolled without products. */
	assert_int_equal(
	    enrolment_set(w->tx, &w->op, STR(SELLER_B), "psc", true, &e, world_fail(w)), SOUK_OK);
	assert_int_equal(change(w, SELLER_B, "{'seller':false,'buyer':true}", 0), SOUK_E_CONFLICT);
	assert_int_equal(
	    enrolment_set(w->tx, &w->op, STR(SELLER_B), "psc", false, &e, world_fail(w)), SOUK_OK);
	assert_int_equal(change(w, SELLER_B, "{'seller':false,'buyer':true}", 0), SOUK_OK);
}
WORLD_TEST(roles_that_are_needed)

static void
operator_stays(struct world *w)
{
	struct account a = { .id = "123456789012",
		.name = STR("Op"),
		.country = STR("US"),
		.state = STR("active"),
		.is_operator = true };

	assert_int_equal(account_create(w->tx, &w->op, &a, world_fail(w)), SOUK_OK);
	assert_int_equal(change(w, a.id, "{'state':'suspended'}", 0), SOUK_E_CONFLICT);
	assert_code(w, "operator_account");
	assert_int_equal(change(w, a.id, "{'name':'Operator'}", 0), SOUK_OK);
	a.is_operator = false; /* not for a caller to say */
	assert_int_equal(account_change(w->tx, &w->op, &a, 0, world_fail(w)), SOUK_OK);
	assert_true(a.is_operator);
}
WORLD_TEST(operator_stays)

static void
who_sees_whom(struct world *w)
{
	struct account a = { .revision = 77 };

	assert_int_equal(
	    account_get(w->tx, &w->seller, STR(SELLER_B), w->mem, &a), SOUK_E_NOT_FOUND);
	assert_int_equal(account_get(w->tx, &w->seller, STR(BUYER), w->mem, &a), SOUK_E_NOT_FOUND);
	assert_int_equal(account_get(w->tx, &w->seller, STR(NOBODY), w->mem, &a), SOUK_E_NOT_FOUND);
	assert_int_equal(account_get(w->tx, &w->seller, STR(""), w->mem, &a), SOUK_E_NOT_FOUND);
	assert_int_equal(a.revision, 77);
	assert_int_equal(account_get(w->tx, &w->seller, STR(SELLER), w->mem, &a), SOUK_OK);
	assert_int_equal(account_get(w->tx, &w->op, STR(SELLER), w->mem, &a), SOUK_OK);
	assert_int_equal(account_get(w->tx, &w->op, STR(NOBODY), w->mem, &a), SOUK_E_NOT_FOUND);
}
WORLD_TEST(who_sees_whom)

static size_t
list(struct world *w, const struct tenant_scope *s, struct page *p)
{
	struct jw out = world_list_begin(w);

	assert_int_equal(account_list(w->tx, s, p, w->mem, &out, world_fail(w)), SOUK_OK);
	return world_list_end(w, &out);
}

static void
listing(struct world *w)
{
	struct page p = { .limit = 2 };

	/* Page by page, while others come and one is added before and one behind. */
	assert_int_equal(list(w, &w->op, &p), 2);
	assert_out(w, "\"" SELLER "\"", true);
	assert_out(w, "\"" SELLER_B "\"", true);
	(void)world_account(
	    w, "{'accountId':'000000000001','name':'Before','country':'US','buyer':true}");
	(void)world_account(
	    w, "{'accountId':'000000000250','name':'Behind','country':'US','buyer':true}");
	p.cursor = p.next;
	assert_int_equal(list(w, &w->op, &p), 2);
	assert_out(w, "\"" BUYER "\"", true);
	assert_out(w, "\"" BUYER_B "\"", true);
	p.cursor = p.next;
	assert_int_equal(list(w, &w->op, &p), 2);
	assert_out(w, "000000000250", true);
	assert_out(w, "\"" BOTH "\"", true);
	assert_int_equal(p.next.n, 0);

	p = (struct page){ .limit = 200 };
	assert_int_equal(list(w, &w->seller, &p), 1);
	assert_out(w, "\"" SELLER "\"", true);
	assert_int_equal(p.next.n, 0);
}
WORLD_TEST(listing)

static void
assert_page_refused(struct world *w, struct page p, const char *field)
{
	struct jw out = world_list_begin(w);

	assert_int_equal(
	    account_list(w->tx, &w->op, &p, w->mem, &out, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
pages_that_are_none(struct world *w)
{
	assert_page_refused(w, (struct page){ .limit = 0 }, "limit");
	assert_page_refused(w, (struct page){ .limit = 201 }, "limit");
	assert_page_refused(w, (struct page){ .limit = 1, .cursor = STR("x") }, "cursor");
	assert_page_refused(w, (struct page){ .limit = 1, .cursor = STR("AAAA") }, "cursor");
	assert_page_refused(w, (struct page){ .limit = 1, .cursor = STR("A?==") }, "cursor");
	assert_page_refused(
	    w, (struct page){ .limit = 1, .cursor = STR("MDAwMDAwMDAwMTAxMA") }, "cursor");
	assert_page_refused(
	    w, (struct page){ .limit = 1, .cursor = str_c(letters(w, 5000)) }, "cursor");
}
WORLD_TEST(pages_that_are_none)

static void
json_form(struct world *w)
{
	struct account a;
	struct jw out;

	assert_int_equal(account_get(w->tx, &w->buyer, STR(BUYER), w->mem, &a), SOUK_OK);
	buf_clear(&w->out);
	jw_init(&out, &w->out);
	account_json(&a, &out, NULL);
	assert_out(w,
	    "{\"accountId\":\"" BUYER "\",\"name\":\"Buyer\",\"operator\":false,\"buyer\":true,"
	    "\"seller\":false,\"paidSeller\":false,\"country\":\"ES\",\"address\":\"\",\"city\":"
	    "\"\","
	    "\"region\":\"\",\"postalCode\":\"\",\"emailDomain\":\"\",\"state\":\"active\","
	    "\"createdAt\":\"20",
	    true);
	assert_out(w, "\"revision\":1}", true);
}
WORLD_TEST(json_form)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(form),
		UNIT(email_domain_is_ascii),
		UNIT(every_field_is_named),
		UNIT(creating),
		UNIT(creating_with_its_own_age),
		UNIT(changing),
		UNIT(roles_that_are_needed),
		UNIT(operator_stays),
		UNIT(who_sees_whom),
		UNIT(listing),
		UNIT(pages_that_are_none),
		UNIT(json_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
