/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, buffers, and the encoders and decoders against each other. */
#include "base/guid.h"
#include "base/str.h"

#include "check.h"

static void
test_compare(void **state)
{
	struct str none = { NULL, 0 };

	(void)state;
	assert_true(str_eq(none, STR("")));
	assert_true(str_eq_c(none, ""));
	assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4"))); /* ASCII only */
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_true(str_starts(STR("abc"), STR("abc")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_true(str_ends(STR("abc"), STR("bc")));
	assert_true(str_ends(none, none));
	assert_false(str_ends(STR("c"), STR("bc")));
}

static void
test_trim(void **state)
{
	(void)state;
	assert_true(str_eq_c(str_trim(STR(" \t a b\r\n")), "a b"));
	assert_int_equal(str_trim(STR(" \v\f ")).n, 0);
	assert_int_equal(str_trim((struct str){ NULL, 0 }).n, 0);
}

static void
test_split(void **state)
{
	struct str rest = STR("a,,b,"), part;
	const char *want[] = { "a", "", "b", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(str_split(&rest, ',', &part));
		assert_true(str_eq_c(part, want[i]));
	}
	assert_false(str_split(&rest, ',', &part));
	rest = STR("");
	assert_true(str_split(&rest, ',', &part));
	assert_int_equal(part.n, 0);
	assert_false(str_split(&rest, ',', &part));
}

static void
test_u64(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3",
		"18446744073709551616", "99999999999999999999", "\xd9\xa1", "/", ":" };
	uint64_t v = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !str_to_u64(str_c(bad[i]), UINT64_MAX, &v) && v == 42);
	assert_true(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(str_to_u64(STR("007"), 7, &v));
	assert_int_equal(v, 7);
	assert_false(str_to_u64(STR("8"), 7, &v));
	assert_false(str_to_u64((struct str){ "1\0", 2 }, 100, &v));
	assert_int_equal(v, 7);
}

static void
test_i64(void **state)
{
	static const char *const bad[] = { "", "-", "--1", "+1", "- 1", "9223372036854775808",
		"-9223372036854775809" };
	int64_t v = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !str_to_i64(str_c(bad[i]), &v) && v == 42);
	assert_true(str_to_i64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
	assert_true(str_to_i64(STR("9223372036854775807"), &v) && v == INT64_MAX);
	assert_true(str_to_i64(STR("-0"), &v) && v == 0);
	assert_true(str_to_i64(STR("-1"), &v) && v == -1);
}

static void
test_buf_is_terminated_and_grows(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_str(&b).p, "");
	for (int i = 0; i < 10000; i++) {
		buf_add_char(&b, 'x');
		assert_int_equal(b.p[b.n], '\0');
	}
	buf_clear(&b);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.n, 0);
	buf_add_c(&b, "");
	buf_add_str(&b, STR("ab"));
	buf_printf(&b, "%s=%d", "n", 5);
	buf_add_char(&b, ';');
	buf_add_u64(&b, UINT64_MAX);
	buf_add_char(&b, ';');
	buf_add_u64(&b, 0);
	buf_add_i64(&b, INT64_MIN);
	buf_add_i64(&b, 10);
	buf_add_hex(&b, "\x00\xff", 2);
	assert_string_equal(b.p, "abn=5;18446744073709551615;0-92233720368547758081000ff");
	assert_int_equal(strlen(b.p), b.n);
	assert_true(buf_ok(&b));
	buf_done(&b);
	assert_null(b.p);
}

static void
test_buf_fails_once_and_for_all(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_c(&b, "kept");
	assert_false(buf_reserve(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
	buf_add_char(&b, 'x');
	buf_add_c(&b, "x");
	buf_printf(&b, "x");
	buf_add_hex(&b, "x", 1);
	assert_string_equal(b.p, "kept");
	buf_clear(&b);
	assert_true(buf_ok(&b));
	buf_add_hex(&b, "x", SIZE_MAX / 2);
	assert_false(buf_ok(&b));
	buf_done(&b);
}

static void
test_hex(void **state)
{
	static const char *const bad[] = { "0", "0g", "g0", " 0", "0x00", "00 ", "0123456789" };
	unsigned char out[4];
	char text[9];
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !hex_decode(str_c(bad[i]), out, sizeof(out), &n) && n == 77);
	assert_true(hex_decode(STR("DEadBeef"), out, sizeof(out), &n));
	assert_int_equal(n, 4);
	hex_encode(out, 4, text);
	assert_string_equal(text, "deadbeef");
	assert_true(hex_decode(STR(""), out, 0, &n));
	assert_int_equal(n, 0);
}

static void
test_base64(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
	static const char *const coded[] = { "", "Zg==", "Zm8=", "Zm9v",
		"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=",
		"====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zm 9", "Z=9v", "Zm9vYmFyZm9v" };
	unsigned char out[8];
	struct buf b = { 0 };
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++) {
		buf_clear(&b);
		buf_add_base64(&b, plain[i], strlen(plain[i]));
		assert_true(str_eq_c(buf_str(&b), coded[i]));
		assert_true(base64_decode(str_c(coded[i]), out, sizeof(out), &n));
		assert_true(str_eq_c((struct str){ (char *)out, n }, plain[i]));
	}
	n = 77;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !base64_decode(str_c(bad[i]), out, sizeof(out), &n) && n == 77);
	assert_false(base64_decode((struct str){ "Zm9\0", 4 }, out, sizeof(out), &n));
	buf_done(&b);
}

static void
test_percent_known(void **state)
{
	static const char *const bad[] = { "%", "%2", "%2g", "%g2", "a%", "%%41", "%00", "a%00b" };
	struct buf b = { 0 };
	char out[16];
	size_t n = 77;

	(void)state;
	buf_add_percent(&b, STR("a/b c~-._+\xc3\xa9%"), "/");
	assert_string_equal(b.p, "a/b%20c~-._%2B%C3%A9%25");
	buf_clear(&b);
	buf_add_percent(&b, (struct str){ "/\0", 2 }, NULL);
	assert_string_equal(b.p, "%2F%00");
	buf_clear(&b);
	buf_add_percent(&b, (struct str){ "\0", 1 }, "/"); /* the keep list's end is no member */
	assert_string_equal(b.p, "%00");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !percent_decode(str_c(bad[i]), false, out, &n) && n == 77);
	assert_false(percent_decode((struct str){ "a\0b", 3 }, false, out, &n));
	assert_true(percent_decode(STR("a+b%2b%C3%a9"), true, out, &n));
	assert_true(str_eq_c((struct str){ out, n }, "a b+\xc3\xa9"));
	assert_true(percent_decode(STR("a+b"), false, out, &n));
	assert_true(str_eq_c((struct str){ out, n }, "a+b"));
	buf_done(&b);
}

/* Any bytes survive being encoded and decoded, in place for percent. */
static void
test_round_trips(void **state)
{
	struct prng r = { 1 };
	struct buf b = { 0 };
	char raw[64], back[64];
	size_t n;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = prng_below(&r, sizeof(raw) + 1);

		for (size_t i = 0; i < len; i++)
			raw[i] = (char)(1 + prng_below(&r, 255));
		buf_clear(&b);
		buf_add_percent(&b, (struct str){ raw, len }, round % 2 ? "/" : NULL);
		if (len > 0) {
			assert_true(percent_decode(buf_str(&b), true, b.p, &n));
			assert_true(n == len && memcmp(raw, b.p, len) == 0);
		}
		buf_clear(&b);
		buf_add_base64(&b, raw, len);
		assert_true(base64_decode(buf_str(&b), back, len, &n));
		assert_true(n == len && memcmp(raw, back, len) == 0);
		buf_clear(&b);
		buf_add_hex(&b, raw, len);
		assert_true(hex_decode(buf_str(&b), back, len, &n));
		assert_true(n == len && memcmp(raw, back, len) == 0);
	}
	buf_done(&b);
}

static void
test_xml(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_xml(&b, STR("<a href='x'>\"R&D\"</a>\t\r\n"));
	assert_string_equal(
	    b.p, "&lt;a href=&#39;x&#39;&gt;&quot;R&amp;D&quot;&lt;/a&gt;&#9;&#13;&#10;");
	buf_clear(&b);
	buf_add_xml(&b, (struct str){ "a\0b\x1f", 4 });
	assert_string_equal(b.p, "a\xef\xbf\xbd"
				 "b\xef\xbf\xbd");
	buf_clear(&b);
	buf_add_xml(&b,
	    STR("\xef\xbf\xbe\xef\xbf\xbf\xff\xc3\xc3\xa9\xf0\x9f\x8c\x8d")); /* U+FFFE, U+FFFF, stray bytes */
	assert_string_equal(
	    b.p, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\xf0\x9f\x8c\x8d");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_buf_is_terminated_and_grows),
		cmocka_unit_test(test_buf_fails_once_and_for_all),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_percent_known),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_xml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
