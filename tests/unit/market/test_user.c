/* SPDX-License-Identifier: Apache-2.0 */
/* Users: names, policies, whose they are, the operator's last one. */
#include "market_test.h"

#include <stdio.h>

static enum souk_err
parse(struct world *w, const char *text, const struct user *base, struct user *ret)
{
	return user_parse(world_json(w, text), base, w->mem, ret, world_fail(w));
}

static struct user
make(struct world *w, const char *account, const char *name)
{
	struct user u = { .name = str_c(name), .state = STR("active") };

	(void)snprintf(u.account_id, sizeof(u.account_id), "%s", account);
	assert_int_equal(user_create(w->tx, &w->op, &u, world_fail(w)), SOUK_OK);
	return u;
}

static void
assert_name(struct world *w, const char *name, enum souk_err want)
{
	struct user u;

	if (parse(w, arena_printf(w->mem, "{'name':'%s'}", name), NULL, &u) != want)
		fail_msg("name %s", name);
	if (want != SOUK_OK)
		assert_field(w, "name");
}

static void
form(struct world *w)
{
	struct user u;

	assert_name(w, "j.doe+1=2,x@example.com_-", SOUK_OK);
	assert_name(w, letters(w, 64), SOUK_OK);
	assert_name(w, letters(w, 65), SOUK_E_INVALID);
	assert_name(w, "", SOUK_E_INVALID);
	assert_name(w, "a b", SOUK_E_INVALID);
	assert_name(w, "a/b", SOUK_E_INVALID);
	assert_name(w, "jos\xc3\xa9", SOUK_E_INVALID);
	assert_int_equal(parse(w, "{'name':1,'policy':'x','state':'gone','userId':'1'}", NULL, &u),
	    SOUK_E_INVALID);
	assert_field(w, "name");
	assert_field(w, "policy");
	assert_field(w, "state");
	assert_field(w, "userId");
	assert_int_equal(parse(w, "{}", NULL, &u), SOUK_E_INVALID);
	assert_field(w, "name");
	assert_int_equal(
	    parse(w, "{'name':'a','userId':'00000000-0000-0000-0000-000000000000'}", NULL, &u),
	    SOUK_E_INVALID);
}
WORLD_TEST(form)

static void
policy(struct world *w)
{
	struct user u, changed, got;
	struct jw out;

	assert_int_equal(
	    parse(w, "{'name':'a','policy':{'Version':'2012-10-17','Statement':[]}}", NULL, &u),
	    SOUK_OK);
	assert_int_equal(user_create(w->tx, &w->buyer, &u, world_fail(w)), SOUK_OK);
	assert_int_equal(user_get(w->tx, &w->buyer, &u.id, w->mem, &got), SOUK_OK);
	assert_true(str_eq_c(got.policy, "{\"Version\":\"2012-10-17\",\"Statement\":[]}"));
	buf_clear(&w->out);
	jw_init(&out, &w->out);
	user_json(&got, &out, NULL);
	assert_out(w, "\"policy\":{\"Version\":", true);
	/* Absent keeps it, null takes it away. */
	assert_int_equal(parse(w, "{'name':'b'}", &got, &changed), SOUK_OK);
	assert_true(changed.policy.n > 0);
	assert_int_equal(parse(w, "{'policy':null}", &got, &changed), SOUK_OK);
	assert_int_equal(user_change(w->tx, &w->buyer, &changed, 1, world_fail(w)), SOUK_OK);
	assert_int_equal(user_get(w->tx, &w->buyer, &u.id, w->mem, &got), SOUK_OK);
	assert_int_equal(got.policy.n, 0);
	buf_clear(&w->out);
	user_json(&got, &out, NULL);
	assert_out(w, "\"policy\":null", true);
}
WORLD_TEST(policy)

static void
policy_too_long(struct world *w)
{
	struct user u;
	const char *at_limit =
	    arena_printf(w->mem, "{'name':'a','policy':{'x':'%s'}}", letters(w, 20480 - 8));
	const char *beyond =
	    arena_printf(w->mem, "{'name':'a','policy':{'x':'%s'}}", letters(w, 20480 - 7));

	assert_int_equal(parse(w, at_limit, NULL, &u), SOUK_OK);
	assert_int_equal(u.policy.n, 20480);
	assert_int_equal(parse(w, beyond, NULL, &u), SOUK_E_INVALID);
	assert_field(w, "policy");
}
WORLD_TEST(policy_too_long)

static void
names_are_unique_in_an_account(struct world *w)
{
	struct user a = make(w, BUYER, "anna"), b = make(w, BUYER, "ben"), other;

	other = (struct user){ .name = STR("anna"), .state = STR("active") };
	assert_int_equal(user_create(w->tx, &w->buyer, &other, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "user_exists");
	assert_field(w, "name");
	assert_int_equal(user_create(w->tx, &w->buyer_b, &other, world_fail(w)), SOUK_OK);
	assert_string_equal(other.account_id, BUYER_B);

	b.name = STR("anna");
	assert_int_equal(user_change(w->tx, &w->buyer, &b, 0, world_fail(w)), SOUK_E_CONFLICT);
	b.name = STR("Anna"); /* case tells names apart */
	assert_int_equal(user_change(w->tx, &w->buyer, &b, 0, world_fail(w)), SOUK_OK);
	assert_int_equal(user_change(w->tx, &w->buyer, &a, 0, world_fail(w)), SOUK_OK);

	other = (struct user){ .id = a.id, .name = STR("new"), .state = STR("active") };
	memcpy(other.account_id, a.account_id, sizeof(other.account_id));
	assert_int_equal(user_create(w->tx, &w->op, &other, world_fail(w)), SOUK_E_CONFLICT);
	assert_field(w, "userId");
	/* Others may not choose: a taken id looks like a free one. */
	assert_int_equal(user_create(w->tx, &w->buyer, &other, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "userId");
	other.id = guid_new();
	assert_int_equal(user_create(w->tx, &w->buyer, &other, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "userId");
}
WORLD_TEST(names_are_unique_in_an_account)

static void
not_without_end(struct world *w)
{
	struct user u;
	char name[16];

	for (int i = 0; i <= 1000; i++) {
		enum souk_err r;

		(void)snprintf(name, sizeof(name), "u%d", i);
		u = (struct user){ .name = str_c(name), .state = STR("active") };
		r = user_create(w->tx, &w->buyer, &u, world_fail(w));
		if (r != (i < 1000 ? SOUK_OK : SOUK_E_LIMIT))
			fail_msg("user %d: %d", i, (int)r);
	}
	assert_code(w, "user_limit");
	/* Of this account only. */
	u = (struct user){ .name = STR("u"), .state = STR("active") };
	assert_int_equal(user_create(w->tx, &w->buyer_b, &u, world_fail(w)), SOUK_OK);
}
WORLD_TEST(not_without_end)

static void
whose_they_are(struct world *w)
{
	struct user a = make(w, BUYER, "anna"), u = { .state = STR("active"), .name = STR("x") };
	struct guid nobody = world_guid(SUB_ID);
	struct page p = { .limit = 10 };
	struct fail missing;
	struct jw out;

	assert_int_equal(user_get(w->tx, &w->seller, &a.id, w->mem, &u), SOUK_E_NOT_FOUND);
	assert_int_equal(user_get(w->tx, &w->seller, &nobody, w->mem, &u), SOUK_E_NOT_FOUND);
	assert_int_equal(user_get(w->tx, &w->op, &a.id, w->mem, &u), SOUK_OK);

	/* Somebody else's and a missing one read alike, word for word. */
	assert_int_equal(user_change(w->tx, &w->seller, &a, 0, world_fail(w)), SOUK_E_NOT_FOUND);
	missing = w->f;
	u = a;
	u.id = nobody;
	assert_int_equal(user_change(w->tx, &w->seller, &u, 0, world_fail(w)), SOUK_E_NOT_FOUND);
	assert_memory_equal(&missing, &w->f, sizeof(missing));

	u = (struct user){ .account_id = BUYER, .name = STR("spy"), .state = STR("active") };
	assert_int_equal(user_create(w->tx, &w->seller, &u, world_fail(w)), SOUK_E_NOT_FOUND);
	memcpy(u.account_id, NOBODY, sizeof(u.account_id));
	assert_int_equal(user_create(w->tx, &w->op, &u, world_fail(w)), SOUK_E_NOT_FOUND);
	/* The command line has no account of its own. */
	u.account_id[0] = '\0';
	assert_int_equal(user_create(w->tx, &w->op, &u, world_fail(w)), SOUK_E_NOT_FOUND);

	out = world_list_begin(w);
	assert_int_equal(user_list(w->tx, &w->seller, STR(BUYER), &p, w->mem, &out, world_fail(w)),
	    SOUK_E_NOT_FOUND);
	out = world_list_begin(w);
	assert_int_equal(
	    user_list(w->tx, &w->buyer, STR(""), &p, w->mem, &out, world_fail(w)), SOUK_OK);
	assert_int_equal(world_list_end(w, &out), 1);
}
WORLD_TEST(whose_they_are)

static void
changing(struct world *w)
{
	struct user a = make(w, BUYER, "anna"), seen;

	assert_int_equal(parse(w, "{'accountId':'" SELLER "'}", &a, &seen), SOUK_E_INVALID);
	assert_field(w, "accountId");
	assert_int_equal(parse(w, "{'userId':'" SUB_ID "'}", &a, &seen), SOUK_E_INVALID);
	assert_field(w, "userId");
	assert_int_equal(parse(w, "{'state':'disabled'}", &a, &seen), SOUK_OK);
	assert_int_equal(
	    user_change(w->tx, &w->buyer, &seen, 2, world_fail(w)), SOUK_E_PRECONDITION);
	assert_int_equal(user_change(w->tx, &w->buyer, &seen, 1, world_fail(w)), SOUK_OK);
	assert_int_equal(seen.revision, 2);
	/* A struct that was turned to another account moves nobody. */
	memcpy(seen.account_id, SELLER, sizeof(seen.account_id));
	assert_int_equal(user_change(w->tx, &w->buyer, &seen, 2, world_fail(w)), SOUK_OK);
	assert_string_equal(seen.account_id, BUYER);
}
WORLD_TEST(changing)

static void
last_operator_user(struct world *w)
{
	struct account op = { .id = "123456789012",
		.name = STR("Op"),
		.country = STR("US"),
		.state = STR("active"),
		.is_operator = true };
	struct user a, b, buyers = make(w, BUYER, "only");

	assert_int_equal(account_create(w->tx, &w->op, &op, world_fail(w)), SOUK_OK);
	a = make(w, op.id, "a");
	b = make(w, op.id, "b");
	a.state = b.state = buyers.state = STR("disabled");
	assert_int_equal(user_change(w->tx, &w->op, &a, 0, world_fail(w)), SOUK_OK);
	assert_int_equal(user_change(w->tx, &w->op, &b, 0, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "last_operator_user");
	assert_int_equal(user_change(w->tx, &w->op, &buyers, 0, world_fail(w)), SOUK_OK);
}
WORLD_TEST(last_operator_user)

static void
listing(struct world *w)
{
	struct page p = { .limit = 1 };
	struct jw out;
	static const char *const names[] = { "\"b\"", "\"c\"", "\"d\"" };

	(void)make(w, BUYER, "d");
	(void)make(w, BUYER, "b");
	(void)make(w, BUYER, "c");
	(void)make(w, BUYER_B, "bb");
	for (size_t i = 0; i < 3; i++) {
		out = world_list_begin(w);
		assert_int_equal(
		    user_list(w->tx, &w->buyer, STR(BUYER), &p, w->mem, &out, world_fail(w)),
		    SOUK_OK);
		assert_int_equal(world_list_end(w, &out), 1);
		assert_out(w, names[i], true);
		if (i == 0)
			(void)make(w, BUYER, "a"); /* before the page */
		p.cursor = p.next;
	}
	assert_int_equal(p.next.n, 0);
	p.cursor = STR("____"); /* decodes, but to no name */
	out = world_list_begin(w);
	assert_int_equal(user_list(w->tx, &w->buyer, STR(BUYER), &p, w->mem, &out, world_fail(w)),
	    SOUK_E_INVALID);
	assert_field(w, "cursor");
}
WORLD_TEST(listing)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(form),
		UNIT(policy),
		UNIT(policy_too_long),
		UNIT(names_are_unique_in_an_account),
		UNIT(not_without_end),
		UNIT(whose_they_are),
		UNIT(changing),
		UNIT(last_operator_user),
		UNIT(listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
