/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a principal may, and how one is recognised through the cache when what lies behind
 * it changes. The source of principals is a script here; test_access.c has the database.
 */
#include "access/access_int.h"
#include "access/sigv4.h"
#include "market/tenant.h"

#include "check.h"

#define ALLOW(action)                                                                              \
	"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"" action "\",\"Resource\":\"*\"}]}"
#define DENY(action) "{\"Effect\":\"Deny\",\"Action\":\"" action "\",\"Resource\":\"*\"}"
#define ALLOW_BUT(action)                                                                          \
	"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}," DENY(        \
	    action) "]}"

static struct principal *
principal_with(const char *user_policy, const char *own_policy)
{
	const struct principal_facts f = { .user_name = STR("ann"),
		.account_id = STR("000000000012"),
		.actor = STR("key:SOUKX"),
		.user_policy = str_c(user_policy),
		.own_policy = str_c(own_policy),
		.is_buyer = true };
	struct principal *p = NULL;

	assert_int_equal(principal_new(&f, &p), SOUK_OK);
	return p;
}

static void
test_may(void **state)
{
	static const struct {
		const char *user, *own;
		bool read, write;
	} rows[] = {
		{ "", "", true, true },
		{ ALLOW("psc:Read"), "", true, false },
		{ "", ALLOW("psc:Read"), true, false },
		{ ALLOW("*"), ALLOW("psc:Read"), true, false },
		{ ALLOW("psc:Read"), ALLOW("*"), true, false },
		{ ALLOW("psc:Read"), ALLOW("psc:Write"), false, false },
		{ ALLOW_BUT("psc:Write"), "", true, false },
		{ ALLOW_BUT("psc:Write"), ALLOW("*"), true, false },
		{ ALLOW("*"), ALLOW_BUT("psc:Write"), true, false },
		{ "", ALLOW_BUT("psc:*"), false, false },
		{ "{}", "", false, false }, /* cannot be read: nothing */
		{ "", "nonsense", false, false },
		{ ALLOW("*"), "{\"Statement\":[]}", false, false },
	};
	struct str any = STR("arn:aws:souk:::x");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct principal *p = principal_with(rows[i].user, rows[i].own);

		assert_row(i, principal_may(p, "psc:Read", any) == rows[i].read);
		assert_row(i, principal_may(p, "psc:Write", any) == rows[i].write);
		principal_release(p);
	}
}

static void
test_scope(void **state)
{
	struct principal *p = principal_with("", "");
	struct arena *mem = arena_new(4096), *small = arena_new(8);
	const struct tenant_scope *s = NULL;

	(void)state;
	assert_int_equal(principal_scope(p, STR("req-1"), small, &s), SOUK_E_LIMIT);
	assert_null(s);
	assert_int_equal(principal_scope(p, STR("req-1"), mem, &s), SOUK_OK);
	assert_true(str_eq_c(tenant_account(s), "000000000012"));
	assert_true(str_eq_c(tenant_actor(s), "key:SOUKX"));
	assert_true(str_eq_c(tenant_request(s), "req-1"));
	assert_true(tenant_is_buyer(s));
	assert_false(tenant_is_seller(s));
	assert_false(tenant_is_operator(s));
	principal_release(p);
	principal_release(NULL);
	arena_free(mem);
	arena_free(small);
}

/* ---- recognising ---- */

#define KEY STR("SOUKAAAABBBBCCCCDDDD")
#define TOKEN "souk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct script {
	unsigned asked;
	bool unknown, forget;
	instant_t expires;
	int64_t generation;
	enum souk_err generation_err;
	struct access *access;
};

static enum souk_err
script_principal(struct script *s, struct principal **ret)
{
	const struct principal_facts f = { .user_name = STR("ann"),
		.account_id = STR("000000000012"),
		.actor = STR("token:x"),
		.expires_at = s->expires };

	s->asked++;
	if (s->forget)
		access_forget(s->access); /* as if a change were committed while we read */
	return s->unknown ? SOUK_E_UNAUTHENTICATED : principal_new(&f, ret);
}

static enum souk_err
script_by_token(void *ctx, const uint8_t hash[SHA256_LEN], struct principal **ret)
{
	uint8_t want[SHA256_LEN];

	sha256(TOKEN, TOKEN_LEN, want);
	assert_memory_equal(hash, want, sizeof(want));
	return script_principal(ctx, ret);
}

static enum souk_err
script_by_key(void *ctx, struct str id, struct principal **ret, uint8_t ret_secret[SECRET_KEY_LEN])
{
	enum souk_err err = script_principal(ctx, ret);

	assert_true(str_eq(id, KEY));
	if (err == SOUK_OK)
		memset(ret_secret, 's', SECRET_KEY_LEN);
	return err;
}

static enum souk_err
script_generation(void *ctx, int64_t *ret)
{
	struct script *s = ctx;

	*ret = s->generation;
	return s->generation_err;
}

static void
script_start(struct script *s)
{
	const struct access_source source = { .by_token = script_by_token,
		.by_key = script_by_key,
		.generation = script_generation,
		.ctx = s };

	assert_int_equal(access_new_from(&source, &s->access), SOUK_OK);
}

static enum souk_err
by_token(struct script *s, const char *token)
{
	struct principal *p = NULL;
	enum souk_err err = access_by_token(s->access, str_c(token), &p);

	assert_true((p != NULL) == (err == SOUK_OK));
	principal_release(p);
	return err;
}

static void
test_token(void **state)
{
	static const char *const shapeless[] = { "", "souk_", "Souk_AAAA", TOKEN "A",
		"souk-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	struct script s = { 0 };

	(void)state;
	script_start(&s);
	for (size_t i = 0; i < COUNT(shapeless); i++)
		assert_int_equal(by_token(&s, shapeless[i]), SOUK_E_UNAUTHENTICATED);
	assert_int_equal(s.asked, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(by_token(&s, TOKEN), SOUK_OK);
	assert_int_equal(s.asked, 1);
	access_forget(s.access);
	s.unknown = true;
	assert_int_equal(by_token(&s, TOKEN), SOUK_E_UNAUTHENTICATED);
	assert_int_equal(by_token(&s, TOKEN), SOUK_E_UNAUTHENTICATED);
	assert_int_equal(s.asked, 3); /* what is unknown takes no room */
	assert_int_equal(access_cached(s.access), 0);
	access_free(s.access);
}

/* A token runs out also while it is cached. */
static void
test_token_expires(void **state)
{
	struct script s = { .expires = clock_now() + 50 };

	(void)state;
	script_start(&s);
	assert_int_equal(by_token(&s, TOKEN), SOUK_OK);
	clock_sleep_ms(60);
	assert_int_equal(by_token(&s, TOKEN), SOUK_E_UNAUTHENTICATED);
	assert_int_equal(s.asked, 1);
	access_free(s.access);
}

/* What was read before a change was committed is not remembered after it. */
static void
test_change_while_reading(void **state)
{
	struct script s = { .forget = true };
	struct principal *p = NULL;
	uint8_t key[32];

	(void)state;
	script_start(&s);
	assert_int_equal(by_token(&s, TOKEN), SOUK_OK);
	assert_int_equal(access_cached(s.access), 0);
	assert_int_equal(
	    access_signing_key(s.access, KEY, STR("20150830"), STR("r"), STR("s3"), &p, key),
	    SOUK_OK);
	principal_release(p);
	assert_int_equal(access_cached(s.access), 0);
	s.forget = false;
	assert_int_equal(by_token(&s, TOKEN), SOUK_OK);
	assert_int_equal(access_cached(s.access), 1);
	access_free(s.access);
}

/* Another process changed something: noticed by the number, not when it cannot be read. */
static void
test_refresh(void **state)
{
	struct script s = { .generation = 7 };

	(void)state;
	script_start(&s);
	assert_int_equal(by_token(&s, TOKEN), SOUK_OK);
	access_refresh(s.access);
	assert_int_equal(access_cached(s.access), 1);
	s.generation_err = SOUK_E_UNAVAILABLE;
	s.generation = 8;
	access_refresh(s.access);
	assert_int_equal(access_cached(s.access), 1);
	s.generation_err = SOUK_OK;
	access_refresh(s.access);
	assert_int_equal(access_cached(s.access), 0);
	access_free(s.access);
}

static void
test_keys(void **state)
{
	struct script s = { 0 };
	struct access_secret secret = { "" };
	struct principal *p = NULL;
	uint8_t key[32], again[32], want[32], want_secret[SECRET_KEY_LEN];

	(void)state;
	script_start(&s);
	memset(want_secret, 's', sizeof(want_secret));
	assert_int_equal(access_by_key(s.access, KEY, &p, &secret), SOUK_OK);
	assert_memory_equal(secret.secret, want_secret, sizeof(want_secret));
	principal_release(p);
	sigv4_signing_key((struct str){ (const char *)want_secret, sizeof(want_secret) },
	    STR("20150830"), STR("r"), STR("s3"), want);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(access_signing_key(
				     s.access, KEY, STR("20150830"), STR("r"), STR("s3"), &p, key),
		    SOUK_OK);
		assert_memory_equal(key, want, sizeof(want));
		assert_non_null(p);
		principal_release(p);
	}
	assert_int_equal(s.asked, 1);
	/* Nobody's key is not ours, stays the same, and comes without a principal. */
	access_forget(s.access);
	s.unknown = true;
	for (int i = 0; i < 2; i++) {
		p = (struct principal *)&s;
		assert_int_equal(access_signing_key(s.access, KEY, STR("20150830"), STR("r"),
				     STR("s3"), &p, i == 0 ? key : again),
		    SOUK_OK);
		assert_null(p);
	}
	assert_memory_equal(key, again, sizeof(key));
	assert_memory_not_equal(key, want, sizeof(want));
	assert_int_equal(s.asked, 2);
	p = NULL;
	assert_int_equal(access_by_key(s.access, KEY, &p, &secret), SOUK_E_UNAUTHENTICATED);
	assert_null(p);
	assert_int_equal(access_cached(s.access), 0);
	access_free(s.access);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_may),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_token_expires),
		cmocka_unit_test(test_change_while_reading),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
