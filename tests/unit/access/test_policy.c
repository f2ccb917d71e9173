/* SPDX-License-Identifier: Apache-2.0 */
/* Policy documents: what is refused, what matches, and that a deny wins. */
#include "access/policy.h"

#include "base/guid.h"
#include "check.h"

static struct policy *
parsed(const char *json)
{
	struct policy *p = NULL;
	struct fail f = { 0 };

	if (policy_parse(str_c(json), &p, &f) != SOUK_OK)
		fail_msg("%s: %s", f.entry[0].field, f.entry[0].what);
	return p;
}

static void
test_match(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool nocase, want;
	} rows[] = {
		{ "*", "", false, true },
		{ "", "", false, true },
		{ "", "a", false, false },
		{ "?", "", false, false },
		{ "?", "a", false, true },
		{ "a*", "a", false, true },
		{ "a*c", "abc", false, true },
		{ "a*c", "abcd", false, false },
		{ "a*c", "abcbc", false, true },
		{ "*a*b*", "xxaxxbxx", false, true },
		{ "*a*b*", "xxbxxaxx", false, false },
		{ "a?c", "abc", false, true },
		{ "a?c", "ac", false, false },
		{ "**", "anything", false, true },
		{ "psc:Read*", "PSC:readContacts", true, true },
		{ "psc:Read*", "PSC:readContacts", false, false },
		{ "arn:aws:s3:::b/*", "arn:aws:s3:::b/k/y", false, true },
		{ "arn:aws:s3:::b/*", "arn:aws:s3:::b", false, false },
		{ "arn:aws:s3:::b", "arn:aws:s3:::B", false, false },
		{ "[a]", "a", false, false },
		{ "\\*", "*", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(i, policy_match(str_c(rows[i].pattern), str_c(rows[i].text),
				  rows[i].nocase) == rows[i].want);
}

/* A pattern made to be slow stays within pattern times text. */
static void
test_match_hostile(void **state)
{
	char pattern[1024], text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 ? 'a' : '*';
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 'b';
	assert_false(policy_match(
	    (struct str){ pattern, sizeof(pattern) }, (struct str){ text, sizeof(text) }, false));
}

static void
test_decide(void **state)
{
	struct policy *p =
	    parsed("{\"Version\":\"2012-10-17\",\"Statement\":["
		   "{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":[\"psc:*\",\"s3:Get?bject\"],"
		   "\"Resource\":\"*\"},"
		   "{\"Effect\":\"Deny\",\"Action\":\"psc:DeleteContact\","
		   "\"Resource\":[\"arn:aws:souk:::subscription/1\",\"arn:aws:souk:::b/*\"]}]}");
	struct str any = STR("arn:aws:souk:::x");

	(void)state;
	assert_int_equal(policy_decide(p, STR("psc:ReadContacts"), any), POLICY_ALLOW);
	assert_int_equal(policy_decide(p, STR("PSC:readcontacts"), any), POLICY_ALLOW);
	assert_int_equal(policy_decide(p, STR("s3:GetObject"), any), POLICY_ALLOW);
	assert_int_equal(policy_decide(p, STR("s3:GetObjects"), any), POLICY_SILENT);
	assert_int_equal(policy_decide(p, STR("market:ReadProducts"), any), POLICY_SILENT);
	assert_int_equal(policy_decide(p, STR("psc:DeleteContact"), any), POLICY_ALLOW);
	assert_int_equal(
	    policy_decide(p, STR("psc:DeleteContact"), STR("arn:aws:souk:::subscription/1")),
	    POLICY_DENY);
	assert_int_equal(
	    policy_decide(p, STR("PSC:DELETECONTACT"), STR("arn:aws:souk:::b/2")), POLICY_DENY);
	assert_int_equal(
	    policy_decide(p, STR("psc:DeleteContact"), STR("arn:aws:souk:::SUBSCRIPTION/1")),
	    POLICY_ALLOW);
	policy_free(p);
}

/* A deny wins wherever it stands. */
static void
test_deny_first(void **state)
{
	struct policy *p =
	    parsed("{\"Statement\":["
		   "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::secret*\"},"
		   "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}");

	(void)state;
	assert_int_equal(
	    policy_decide(p, STR("s3:GetObject"), STR("arn:aws:s3:::open")), POLICY_ALLOW);
	assert_int_equal(
	    policy_decide(p, STR("s3:GetObject"), STR("arn:aws:s3:::secret/x")), POLICY_DENY);
	policy_free(p);
}

#define ALLOW "\"Effect\":\"Allow\",\"Action\":\"psc:A\",\"Resource\":\"*\""

static void
test_refused(void **state)
{
	static const struct {
		const char *json, *field;
	} rows[] = {
		{ "", "body" },
		{ "[]", "policy" },
		{ "{}", "policy.Statement" },
		{ "{\"Statement\":[]}", "policy.Statement" },
		{ "{\"Statement\":{" ALLOW "}}", "policy.Statement" },
		{ "{\"Statement\":[1]}", "policy.Statement[0]" },
		{ "{\"Version\":\"2008-10-17\",\"Statement\":[{" ALLOW "}]}", "policy.Version" },
		{ "{\"Version\":1,\"Statement\":[{" ALLOW "}]}", "policy.Version" },
		{ "{\"Statements\":[{" ALLOW "}],\"Statement\":[{" ALLOW "}]}",
		    "policy.Statements" },
		{ "{\"Statement\":[{" ALLOW ",\"Condition\":{}}]}",
		    "policy.Statement[0].Condition" },
		{ "{\"Statement\":[{" ALLOW "},{" ALLOW ",\"NotAction\":\"a:b\"}]}",
		    "policy.Statement[1].NotAction" },
		{ "{\"Statement\":[{" ALLOW ",\"NotResource\":\"*\"}]}",
		    "policy.Statement[0].NotResource" },
		{ "{\"Statement\":[{" ALLOW ",\"Principal\":\"*\"}]}",
		    "policy.Statement[0].Principal" },
		{ "{\"Statement\":[{" ALLOW ",\"Foo\":\"*\"}]}", "policy.Statement[0].Foo" },
		{ "{\"Statement\":[{" ALLOW ",\"Effect\":\"Deny\"}]}", "body" },
		{ "{\"Statement\":[{\"Effect\":\"allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Effect" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\"}]}",
		    "policy.Statement[0].Resource" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[],\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[1],\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":{},\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"psc.Read\",\"Resource\":\"*"
		  "\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"p*:Read\",\"Resource\":\"*\"}"
		  "]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"psc:\",\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\":A\",\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"psc:A "
		  "b\",\"Resource\":\"*\"}]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"psc:a:b\",\"Resource\":\"*\"}"
		  "]}",
		    "policy.Statement[0].Action" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"bucket\"}]"
		  "}",
		    "policy.Statement[0].Resource" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:\\n\"}"
		  "]}",
		    "policy.Statement[0].Resource" },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"\"}]}",
		    "policy.Statement[0].Resource" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = NULL;
		struct fail f = { 0 };

		assert_row(i, policy_parse(str_c(rows[i].json), &p, &f) == SOUK_E_INVALID);
		assert_row(i, p == NULL);
		if (strcmp(f.entry[0].field, rows[i].field) != 0)
			fail_msg("row %zu: field %s", i, f.entry[0].field);
	}
}

static void
test_limits(void **state)
{
	struct buf b = { 0 };
	struct policy *p = NULL;

	(void)state;
	for (size_t n = 50; n <= 51; n++) {
		buf_clear(&b);
		buf_add_c(&b, "{\"Statement\":[");
		for (size_t i = 0; i < n; i++) {
			buf_add_c(&b, i > 0 ? "," : "");
			buf_add_c(&b, "{" ALLOW "}");
		}
		buf_add_c(&b, "]}");
		assert_int_equal(
		    policy_parse(buf_str(&b), &p, NULL), n == 50 ? SOUK_OK : SOUK_E_INVALID);
	}
	policy_free(p);
	p = NULL;
	buf_clear(&b);
	buf_add_c(&b, "{\"Statement\":[{" ALLOW "}]}");
	while (b.n < 6144)
		buf_add_char(&b, ' ');
	assert_int_equal(policy_parse(buf_str(&b), &p, NULL), SOUK_OK);
	policy_free(p);
	p = NULL;
	buf_add_char(&b, ' ');
	assert_int_equal(policy_parse(buf_str(&b), &p, NULL), SOUK_E_INVALID);
	assert_null(p);
	buf_done(&b);
}

#define S(effect, action, resource)                                                                \
	"{\"Effect\":\"" effect "\",\"Action\":" action ",\"Resource\":" resource "}"
#define DOC(statements) "{\"Statement\":[" statements "]}"
#define ANY "\"*\""

static void
test_within(void **state)
{
	static const struct {
		const char *inner, *outer; /* NULL: no policy */
		bool want;
	} rows[] = {
		{ NULL, NULL, true },
		{ DOC(S("Allow", ANY, ANY)), NULL, true },
		{ NULL, DOC(S("Allow", ANY, ANY)), true },
		{ NULL, DOC(S("Allow", "\"psc:*\"", ANY)), false },
		{ NULL, DOC(S("Allow", ANY, "\"arn:*\"")), false },
		{ NULL, DOC(S("Allow", ANY, ANY) "," S("Deny", "\"psc:X\"", ANY)), false },
		{ DOC(S("Allow", "\"psc:ReadContacts\"", ANY)), DOC(S("Allow", "\"psc:*\"", ANY)),
		    true },
		{ DOC(S("Allow", "\"PSC:readcontacts\"", ANY)),
		    DOC(S("Allow", "\"psc:ReadContacts\"", ANY)), true },
		{ DOC(S("Allow", "\"psc:*\"", ANY)), DOC(S("Allow", "\"psc:ReadContacts\"", ANY)),
		    false },
		/* '?' is one byte; a star is none of them. */
		{ DOC(S("Allow", "\"psc:*\"", ANY)), DOC(S("Allow", "\"psc:?\"", ANY)), false },
		{ DOC(S("Allow", "\"psc:?\"", ANY)), DOC(S("Allow", "\"psc:?\"", ANY)), true },
		{ DOC(S("Allow", "\"psc:?\"", ANY)), DOC(S("Allow", "\"psc:*\"", ANY)), true },
		{ DOC(S("Allow", "\"a:*b*\"", ANY)), DOC(S("Allow", "\"a:*b\"", ANY)), false },
		{ DOC(S("Allow", ANY, "\"arn:b/x*\"")), DOC(S("Allow", ANY, "\"arn:b/*\"")), true },
		{ DOC(S("Allow", ANY, "\"arn:b*\"")), DOC(S("Allow", ANY, "\"arn:b/*\"")), false },
		{ DOC(S("Allow", ANY, "\"arn:B/x\"")), DOC(S("Allow", ANY, "\"arn:b/*\"")), false },
		/* What two statements allow apart is not what one allows at once. */
		{ DOC(S("Allow", "[\"a:X\",\"a:Y\"]", "[\"arn:1\",\"arn:2\"]")),
		    DOC(S("Allow", "\"a:X\"", "\"arn:1\"") "," S("Allow", "\"a:Y\"", "\"arn:2\"")),
		    false },
		{ DOC(S("Allow", "[\"a:X\",\"a:Y\"]", "\"arn:1\"")),
		    DOC(S("Allow", "\"a:X\"", "\"arn:*\"") "," S("Allow", "\"a:Y\"", "\"arn:1\"")),
		    true },
		/* Denials stay: repeated, covered, or about something else. */
		{ DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:X\"", ANY)),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:X\"", ANY)), true },
		{ DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:*\"", ANY)),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:X\"", "\"arn:1\"")), true },
		{ DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:X\"", "\"arn:1\"")),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:X\"", ANY)), false },
		{ DOC(S("Allow", "\"b:*\"", ANY)),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:*\"", ANY)), true },
		{ DOC(S("Allow", "\"a:Yes\"", ANY)),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:Y\"", ANY)), true },
		{ DOC(S("Allow", "\"a:Y*\"", ANY)),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:Yes\"", ANY)), false },
		{ DOC(S("Allow", "\"A:yes\"", ANY)),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", "\"a:Yes\"", ANY)), false },
		{ DOC(S("Allow", ANY, "\"arn:1\"")),
		    DOC(S("Allow", ANY, ANY) "," S("Deny", ANY, "\"arn:2*\"")), true },
		{ DOC(S("Deny", ANY, ANY)), DOC(S("Allow", "\"a:X\"", "\"arn:1\"")), true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *inner = rows[i].inner ? parsed(rows[i].inner) : NULL;
		struct policy *outer = rows[i].outer ? parsed(rows[i].outer) : NULL;

		assert_row(i, policy_within(inner, outer) == rows[i].want);
		policy_free(inner);
		policy_free(outer);
	}
}

/* Whatever policies there are: what is within allows nothing that the other does not. */
static void
test_within_random(void **state)
{
	static const char *const actions[] = { "*", "a:*", "a:X", "a:?", "a:XY", "a:X*", "b:X" };
	static const char *const resources[] = { "*", "arn:*", "arn:1", "arn:1*", "arn:12", "arn:?",
		"arn:*2" };
	static const char *const asked_a[] = { "a:X", "a:XY", "a:Z", "b:X", "c:Q" };
	static const char *const asked_r[] = { "arn:1", "arn:12", "arn:2", "arn:112", "other" };
	struct prng r = { .s = 1 };
	int within = 0;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct policy *p[2];

		for (int k = 0; k < 2; k++) {
			struct buf b = { 0 };
			uint64_t n = 1 + prng_below(&r, 3);

			buf_add_c(&b, "{\"Statement\":[");
			for (uint64_t i = 0; i < n; i++)
				buf_printf(&b,
				    "%s{\"Effect\":\"%s\",\"Action\":\"%s\",\"Resource\":\"%s\"}",
				    i > 0 ? "," : "", prng_below(&r, 4) == 0 ? "Deny" : "Allow",
				    actions[prng_below(&r, COUNT(actions))],
				    resources[prng_below(&r, COUNT(resources))]);
			buf_add_c(&b, "]}");
			p[k] = parsed(b.p);
			buf_done(&b);
		}
		assert_true(policy_within(p[0], p[0]));
		if (policy_within(p[0], p[1])) {
			within++;
			for (size_t i = 0; i < COUNT(asked_a); i++)
				for (size_t k = 0; k < COUNT(asked_r); k++)
					if (policy_decide(p[0], str_c(asked_a[i]),
						str_c(asked_r[k])) == POLICY_ALLOW)
						assert_int_equal(
						    policy_decide(
							p[1], str_c(asked_a[i]), str_c(asked_r[k])),
						    POLICY_ALLOW);
		}
		policy_free(p[0]);
		policy_free(p[1]);
	}
	assert_in_range(within, 200, 3800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_hostile),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_within_random),
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_deny_first),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
