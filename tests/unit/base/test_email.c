/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a usable address, domain or telephone number: both sides of every limit. */
#include "base/email.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define A63 A60 "aaa"
#define D10 "0123456789"
/* 189 bytes in labels of 62 and their dots */
#define DOMAIN_189 A60 "aa." A60 "aa." A60 "aa."

struct text_case {
	const char *text;
	size_t n; /* 0: up to the NUL */
};

static void
check(const char *what, bool (*is)(struct str), const struct text_case *c, size_t n, bool want)
{
	for (size_t i = 0; i < n; i++) {
		struct str s = { c[i].text, c[i].n ? c[i].n : strlen(c[i].text) };

		if (is(s) != want)
			fail_msg(
			    "%s %zu %s: %s", what, i, want ? "refused" : "accepted", c[i].text);
	}
}
#define CHECK(is, cases, want) check(#is, is, cases, sizeof(cases) / sizeof(cases[0]), want)

static const struct text_case valid_emails[] = {
	{ "a@b.example", 0 },
	{ "jane.doe+support@example.com", 0 },
	{ "o'neill_x-1=2@sub.example.co.uk", 0 },
	{ "!#$%&'*+-/=?^_`{|}~@example.org", 0 },
	{ "UPPER@EXAMPLE.COM", 0 },
	{ A60 "aaaa@example.com", 0 }, /* local part of 64 */
	{ "\"quoted local\"@example.com", 0 },
	{ "\"a@b\"@example.com", 0 },
	{ "\"a\\\"b\\\\\"@example.com", 0 },
	{ "\"..\"@example.com", 0 },
	{ "j\xc3\xb6rg@example.com", 0 },
	{ "\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	    0 },
	{ "a@m\xc3\xbcnchen.example", 0 },
	{ "a@xn--mnchen-3ya.example", 0 },
	{ "a@" A63 ".example", 0 },
	{ "a@1.2.example", 0 },
	{ A60 "@" DOMAIN_189 "com", 0 },  /* 253 */
	{ A60 "a@" DOMAIN_189 "com", 0 }, /* 254 */
	/* 254 code points, more bytes */
	{ A60 "\xc3\xa9@" DOMAIN_189 "com", 0 },
};

static const struct text_case invalid_emails[] = {
	{ "", 0 },
	{ "a", 0 },
	{ "@", 0 },
	{ "@example.com", 0 },
	{ "a@", 0 },
	{ "a@localhost", 0 },
	{ "a@example.com.", 0 },
	{ "a@.example.com", 0 },
	{ "a@example..com", 0 },
	{ "a@-a.example", 0 },
	{ "a@a-.example", 0 },
	{ "a@ab--c.example", 0 },
	{ "a@a_b.example", 0 },
	{ "a@127.0.0.1", 0 },
	{ "a@[127.0.0.1]", 0 },
	{ "a@[IPv6:::1]", 0 },
	{ "a@" A63 "a.example", 0 },
	{ "a@xn--a.example", 0 }, /* no punycode of anything */
	{ "a@xn--.example", 0 },
	{ "a@a\xe2\x80\x8b.example", 0 }, /* U+200B: UTS 46 would drop it, nobody would see it */
	{ "a\xe2\x80\xae\x62@example.com", 0 }, /* U+202E turns what follows around */
	{ "a\xe2\x81\xa6\x62@example.com", 0 }, /* U+2066, an isolate */
	{ "a\xe3\x85\xa4\x62@example.com", 0 }, /* U+3164, a filler */
	{ "a@\xe2\x99\xa5.example", 0 },        /* a heart is no letter */
	{ A60 "aaaaa@example.com", 0 },         /* local part of 65 */
	{ A60 "aaa\xc3\xa9@example.com", 0 },   /* 64 code points, 65 bytes */
	{ A60 "aa@" DOMAIN_189 "com", 0 },      /* 255 */
	{ ".a@example.com", 0 },
	{ "a.@example.com", 0 },
	{ "a..b@example.com", 0 },
	{ "a b@example.com", 0 },
	{ "a\xc2\xa0"
	  "b@example.com",
	    0 },
	{ "a,b@example.com", 0 },
	{ "a@b@example.com", 0 },
	{ " a@example.com", 0 },
	{ "a@example.com ", 0 },
	{ "a@exam ple.com", 0 },
	{ "Jane <a@example.com>", 0 },
	{ "a(comment)@example.com", 0 },
	{ "\"\"@example.com", 0 },
	{ "\"@example.com", 0 },
	{ "\"a@example.com", 0 },
	{ "\"a\"b\"@example.com", 0 },
	{ "\"a\\\"@example.com", 0 },
	{ "\"a\nb\"@example.com", 0 },
	{ "a\"b\"@example.com", 0 },
	{ "a\x01@example.com", 0 },
	{ "a\0b@example.com", 15 },
	{ "a@exam\0ple.com", 14 },
	{ "\xff@example.com", 0 },
	{ "a@\xff.example", 0 },
	{ "mailto:a@example.com?x=1 2", 0 },
};

static void
test_emails(void **state)
{
	(void)state;
	CHECK(email_plausible, valid_emails, true);
	CHECK(email_plausible, invalid_emails, false);
}

static void
assert_ascii(const char *in, const char *want)
{
	char out[DOMAIN_MAX + 1] = "";

	assert_true(domain_plausible(str_c(in), out));
	assert_string_equal(out, want);
}

static void
test_domain_to_ascii(void **state)
{
	char out[DOMAIN_MAX + 1] = "untouched";

	(void)state;
	assert_ascii("Example.COM", "example.com");
	assert_ascii("M\xc3\x9cNCHEN.example", "xn--mnchen-3ya.example");
	assert_ascii("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example");
	assert_ascii("stra\xc3\x9f"
		     "e.example",
	    "xn--strae-oqa.example");
	assert_ascii(DOMAIN_189 A60 ".aaa", DOMAIN_189 A60 ".aaa"); /* 253 */
	assert_false(domain_plausible(str_c(DOMAIN_189 A60 ".aaaa"), out));
	assert_false(domain_plausible(str_c("com"), out));
	assert_false(domain_plausible(STR(""), out));
	assert_false(domain_plausible(str_c("example.com:80"), out));
	assert_false(domain_plausible(str_c("example.123"), out));
	assert_string_equal(out, "untouched");
}

/* An input of any length stays within its buffers (run under the sanitizers). */
static void
test_long_domains(void **state)
{
	char text[4096];

	(void)state;
	for (size_t n = 1000; n < sizeof(text); n += 511) {
		for (size_t i = 0; i + 1 < n; i += 2)
			memcpy(text + i, "\xc3\xbc", 2);
		memcpy(text, "a@", 2);
		assert_false(email_plausible((struct str){ text, n }));
		assert_false(domain_plausible((struct str){ text + 2, n - 2 }, NULL));
	}
}

static const struct text_case valid_phones[] = {
	{ "112", 0 },
	{ "+1 202 555 0100", 0 },
	{ "+12025550100", 0 },
	{ "(202) 555-0100", 0 },
	{ "1-202-555-0100", 0 },
	{ "202.555.0100", 0 },
	{ "+44 (0)20 7946 0958", 0 },
	{ "+49 30/1234567", 0 },
	{ "0041 44 668 18 00", 0 },
	{ "+(44) 20 7946", 0 },
	{ "+123456789012345", 0 }, /* 15 digits */
	{ "+1 202 555 0100 x123", 0 },
	{ "+1 202 555 0100x1", 0 },
	{ "+1 202 555 0100 X 12", 0 },
	{ "+1 202 555 0100 ext 1", 0 },
	{ "+1 202 555 0100 ext. 123", 0 },
	{ "+12025550100 EXT.1", 0 },
	{ "123456789012345 x12345678", 0 }, /* 25, extension beyond the fifteen */
	{ "1                      23", 0 }, /* 25 */
	{ "555 (123)", 0 },
};

static const struct text_case invalid_phones[] = {
	{ "", 0 },
	{ "1", 0 },
	{ "12", 0 },
	{ "+12", 0 },
	{ "+", 0 },
	{ "1234567890123456", 0 },           /* 16 digits */
	{ "1                       23", 0 }, /* 26 */
	{ "123456789012345 x123456789", 0 }, /* 26 */
	{ "x123", 0 },
	{ " x123", 0 },
	{ "+1 202 555 0100 x", 0 },
	{ "+1 202 555 0100 ext.", 0 },
	{ "+1 202 555 0100 ext a", 0 },
	{ "+1 202 555 0100 x1 x2", 0 },
	{ "+1 202 555 0100 y12", 0 },
	{ "12 x12345", 0 }, /* an extension does not make two digits three */
	{ "1 202+555", 0 },
	{ "++1 202 555", 0 },
	{ "+0 202 555 0100", 0 }, /* no country has it */
	{ "+(0)44 20 7946", 0 },
	{ " +1 202 555", 0 },
	{ "+1 202 555 ", 0 },
	{ "+1 202 555-", 0 },
	{ "-1 202 555", 0 },
	{ "(202 555", 0 },
	{ "202) 555", 0 },
	{ "((202)) 555", 0 },
	{ ")202( 555", 0 },
	{ "+1,202,555", 0 },
	{ "+1_202_555", 0 },
	{ "1-800-FLOWERS", 0 },
	{ "call me", 0 },
	{ "tel:+12025550100", 0 },
	{ "+1\t202\t555", 0 },
	{ "\t+1 202 555", 0 },
	{ "+1 202 555\n", 0 },
	{ "+1 202 555\n x1", 0 },
	{ "123\0"
	  "456",
	    7 },
	{ "\xef\xbc\x8b"
	  "81 3 1234",
	    0 },                                   /* full-width plus */
	{ "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4", 0 }, /* Arabic-Indic digits */
	{ "=1+2", 0 },
	{ D10 D10 D10, 0 },
};

static void
test_phones(void **state)
{
	(void)state;
	CHECK(phone_plausible, valid_phones, true);
	CHECK(phone_plausible, invalid_phones, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emails),
		cmocka_unit_test(test_domain_to_ascii),
		cmocka_unit_test(test_long_domains),
		cmocka_unit_test(test_phones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
