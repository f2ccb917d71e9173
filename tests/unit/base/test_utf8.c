/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: every boundary of the table of well-formed sequences. */
#include "base/utf8.h"

#include "check.h"

static void
test_every_code_point_and_no_more(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp <= 0x110010; cp++) {
		char t[4];
		size_t n;
		uint32_t got = 0;
		bool valid = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);

		if (cp < 0x80) {
			t[0] = (char)cp;
			n = 1;
		} else if (cp < 0x800) {
			t[0] = (char)(0xc0 | cp >> 6);
			t[1] = (char)(0x80 | (cp & 63));
			n = 2;
		} else if (cp < 0x10000) {
			t[0] = (char)(0xe0 | cp >> 12);
			t[1] = (char)(0x80 | (cp >> 6 & 63));
			t[2] = (char)(0x80 | (cp & 63));
			n = 3;
		} else {
			t[0] = (char)(0xf0 | cp >> 18);
			t[1] = (char)(0x80 | (cp >> 12 & 63));
			t[2] = (char)(0x80 | (cp >> 6 & 63));
			t[3] = (char)(0x80 | (cp & 63));
			n = 4;
		}
		if (utf8_valid((struct str){ t, n }) != valid)
			fail_msg("U+%04X", cp);
		if (valid && (utf8_next((struct str){ t, n }, &got) != n || got != cp))
			fail_msg("U+%04X read as U+%04X", cp, got);
		if (n > 1 && utf8_valid((struct str){ t, n - 1 }))
			fail_msg("U+%04X cut short", cp);
	}
}

static void
test_refusals(void **state)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "a\xc3",
		"\xc3(", "\xe2\x82(", "\xf0\x9f\x8c(", "12345678\xc3", "1234567\xc3",
		("12345678\xff"
		 "12345678") };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !utf8_valid(str_c(bad[i])));
	assert_true(utf8_valid((struct str){ NULL, 0 }));
	assert_true(utf8_valid((struct str){ "\0", 1 }));
	assert_true(utf8_valid(STR("12345678\xc3\xa9"
				   "12345678\xe2\x82\xac")));
}

static void
test_length(void **state)
{
	static const char mixed[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d";
	char text[8 * sizeof(mixed)];

	(void)state;
	assert_int_equal(utf8_length(STR("")), 0);
	assert_int_equal(utf8_length(str_c(mixed)), 4);
	/* Wherever characters lie to the blocks that are counted at once. */
	for (size_t shift = 0; shift < 9; shift++) {
		memset(text, 'x', shift);
		for (size_t i = 0; i < 7; i++)
			memcpy(text + shift + i * strlen(mixed), mixed, strlen(mixed));
		assert_int_equal(
		    utf8_length((struct str){ text, shift + 7 * strlen(mixed) }), shift + 28);
	}
}

static void
test_control(void **state)
{
	static const char *const with[] = { "\x01", "a\tb", "a\n", "\x1f", "\x7f", "\xc2\x80",
		"\xc2\x9f", "\xe2\x80\xa8", "x\xe2\x80\xa9" };
	static const char *const without[] = { "", " ", "~", "\xc2\xa0", "\xc3\xa9", "\xe2\x80\xa7",
		"\xe2\x80\xaa", "\xf0\x9f\x8c\x8d" };

	(void)state;
	for (size_t i = 0; i < COUNT(with); i++)
		assert_row(i, utf8_has_control(str_c(with[i])));
	for (size_t i = 0; i < COUNT(without); i++)
		assert_row(i, !utf8_has_control(str_c(without[i])));
	assert_true(utf8_has_control((struct str){ "a\0", 2 }));
}

static void
test_blank(void **state)
{
	static const char *const blank[] = { "", " ", "\t\r\n", "\xc2\xa0", "\xe1\x9a\x80",
		"\xe2\x80\x80 \xe2\x80\x8a", "\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf",
		"\xe2\x81\xa0", "\xe3\x85\xa4", "\xe2\xa0\x80", "\xe2\x80\xae",
		"\xef\xbe\xa0 \xe2\x81\xa9", "\xf3\xa0\x81\xa1" };
	static const char *const not_blank[] = { "x", " x ", "\xe3\x80\x81", "\xc2\xa1", ".",
		"\xe2\x80\xaex", "\xe2\x80\x90", "\xe2\x81\xb0", "\xf3\xa0\x84\x80" };

	(void)state;
	for (size_t i = 0; i < COUNT(blank); i++)
		assert_row(i, utf8_is_blank(str_c(blank[i])));
	for (size_t i = 0; i < COUNT(not_blank); i++)
		assert_row(i, !utf8_is_blank(str_c(not_blank[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_point_and_no_more),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_blank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
