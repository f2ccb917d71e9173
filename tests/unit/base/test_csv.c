/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: quoting at every length and position, the reader's refusals, round trips. */
#include "base/csv.h"
#include "base/guid.h"

#include "check.h"

static void
test_field(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "plain", "plain" }, { " a b ", " a b " }, { "'=+-@", "'=+-@" },
		{ "a,b", "\"a,b\"" }, { "\"", "\"\"\"\"" }, { "a\"b", "\"a\"\"b\"" },
		{ "a\rb", "\"a\rb\"" }, { "a\nb", "\"a\nb\"" },
		{ "\xc3\xa9\xac\xa2\x8d\x8a\xc3\xa9\xff",
		    "\xc3\xa9\xac\xa2\x8d\x8a\xc3\xa9\xff" }, /* specials with the top bit set */
		{ "-+*)!#\x0b\x0c\x0e\x09-+",
		    "-+*)!#\x0b\x0c\x0e\x09-+" }, /* neighbours of the specials */
	};
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&b);
		csv_field(&b, str_c(rows[i][0]));
		assert_row(i, str_eq_c(buf_str(&b), rows[i][1]));
	}
	csv_field(&b, (struct str){ NULL, 0 });
	buf_done(&b);
}

/* One special at every place of fields of every length around the word size. */
static void
test_field_finds_a_special_anywhere(void **state)
{
	static const char specials[] = ",\"\r\n";
	char text[40];
	struct buf b = { 0 };

	(void)state;
	for (size_t n = 1; n <= sizeof(text); n++) {
		memset(text, 'x', sizeof(text));
		buf_clear(&b);
		csv_field(&b, (struct str){ text, n });
		assert_int_equal(b.n, n);
		for (size_t at = 0; at < n; at++)
			for (size_t k = 0; k < 4; k++) {
				memset(text, '\x01',
				    sizeof(text)); /* borrows reach neighbours in word tricks */
				text[at] = specials[k];
				buf_clear(&b);
				csv_field(&b, (struct str){ text, n });
				assert_int_equal(b.n, n + 2 + (specials[k] == '"'));
			}
	}
	buf_done(&b);
}

struct given {
	FILE *in;
	struct csv_reader *r;
};

static struct given
given(const char *p, size_t n, size_t record_max)
{
	struct given g = { .in = tmpfile() };

	assert_non_null(g.in);
	assert_int_equal(fwrite(p, 1, n, g.in), n);
	rewind(g.in);
	assert_int_equal(csv_reader_new(g.in, record_max, &g.r), SOUK_OK);
	return g;
}

static void
given_end(struct given *g)
{
	csv_reader_free(g->r);
	(void)fclose(g->in);
}

/* Reads everything into "field|field;" text. */
static enum souk_err
read_as_text(const char *p, size_t n, size_t record_max, struct buf *out, struct fail *f)
{
	struct given g = given(p, n, record_max);
	struct str *fields;
	enum souk_err err;
	bool more = true;
	size_t k;

	buf_clear(out);
	while ((err = csv_read(g.r, &fields, &k, &more, f)) == SOUK_OK && more) {
		for (size_t i = 0; i < k; i++) {
			assert_int_equal(fields[i].p[fields[i].n], '\0');
			if (i > 0)
				buf_add_char(out, '|');
			buf_add_str(out, fields[i]);
		}
		buf_add_char(out, ';');
	}
	given_end(&g);
	return err;
}

static void
test_read(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "\xef\xbb\xbf", "" },
		{ "a", "a;" },
		{ "a\n", "a;" },
		{ "a\r\nb\nc", "a;b;c;" },
		{ "a,b,c\r\n1,2,3\r\n", "a|b|c;1|2|3;" },
		{ ",\n", "|;" },
		{ ",", "|;" },
		{ "a,", "a|;" },
		{ "\n\r\n", ";;" },
		{ "\"\"", ";" },
		{ "\"\",\"\"\n", "|;" },
		{ "\"a,\"\"b\"\"\r\nc\",d\n", "a,\"b\"\r\nc|d;" },
		{ "\"a\"\r\n\"b\"", "a;b;" },
		{ "\xef\xbb\xbf\"a\",b\n", "a|b;" },
		{ "\xef\xbb\xbf"
		  "a\n\xef\xbb\xbf"
		  "b",
		    "a;\xef\xbb\xbf"
		    "b;" },
		{ "\xef\xbb", "\xef\xbb;" },
		{ " a , b ", " a | b ;" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(
		    i, read_as_text(rows[i][0], strlen(rows[i][0]), 100, &out, NULL) == SOUK_OK);
		assert_row(i, str_eq_c(buf_str(&out), rows[i][1]));
	}
	buf_done(&out);
}

static void
test_read_refusals(void **state)
{
	static const struct {
		struct str text;
		const char *line; /* "line N" of the error */
		const char *what;
	} rows[] = {
		{ STR("a\nb\0c\n"), "line 2", "NUL" },
		{ STR("\"a\0\""), "line 1", "NUL" },
		{ STR("\0"), "line 1", "NUL" },
		{ STR("a\n\na\"b\n"), "line 3", "inside a bare field" },
		{ STR("a, \"b\""), "line 1", "inside a bare field" },
		{ STR("\"a\"b"), "line 1", "behind a closing quote" },
		{ STR("\"a\" ,b"), "line 1", "behind a closing quote" },
		{ STR("\"a\nb\"c"), "line 2", "behind a closing quote" },
		{ STR("a\n\"b\nc\nd"), "line 2", "never closed" },
		{ STR("\""), "line 1", "never closed" },
		{ STR("\"a\"\""), "line 1", "never closed" },
		{ STR("a\rb\n"), "line 1", "carriage return" },
		{ STR("a\r"), "line 1", "carriage return" },
		{ STR("a\n123456789012345678901"), "line 2", "too long" },
		{ STR("a\n,,,,,,,,,,,,,,,,,,,,,"), "line 2", "too long" },
		{ STR("\"1234567890\n12345678901"), "line 1", "too long" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fail f = { 0 };

		assert_row(i,
		    read_as_text(rows[i].text.p, rows[i].text.n, 20, &out, &f) == SOUK_E_INVALID);
		assert_row(i, f.n == 1 && strcmp(f.entry[0].field, rows[i].line) == 0);
		assert_row(i, strstr(f.entry[0].what, rows[i].what) != NULL);
	}
	buf_done(&out);
}

static void
test_record_limit_is_exact(void **state)
{
	struct buf out = { 0 };

	(void)state;
	/* Each field costs its bytes and one. */
	assert_int_equal(read_as_text("123,456\n", 8, 8, &out, NULL), SOUK_OK);
	assert_int_equal(read_as_text("123,4567\n", 9, 8, &out, NULL), SOUK_E_INVALID);
	assert_int_equal(read_as_text("", 0, 0, &out, NULL), SOUK_OK);
	buf_done(&out);
}

static void
test_line_of_the_record(void **state)
{
	const char text[] = "h\n\"a\nb\nc\"\nd\n";
	const size_t want[] = { 1, 2, 5 };
	struct given g = given(text, sizeof(text) - 1, 100);
	struct str *fields;
	size_t n;
	bool more;

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(csv_read(g.r, &fields, &n, &more, NULL), SOUK_OK);
		assert_true(more);
		assert_int_equal(csv_line(g.r), want[i]);
	}
	for (int i = 0; i < 2; i++) { /* the end stays the end */
		assert_int_equal(csv_read(g.r, &fields, &n, &more, NULL), SOUK_OK);
		assert_false(more);
	}
	given_end(&g);
	csv_reader_free(NULL);
}

static void
test_read_error(void **state)
{
	FILE *in = fopen("/proc/self/mem", "r"); /* opens, and fails to read at address 0 */
	struct csv_reader *r = NULL;
	struct fail f = { 0 };
	struct str *fields;
	size_t n;
	bool more;

	(void)state;
	if (!in)
		skip();
	assert_int_equal(csv_reader_new(in, 100, &r), SOUK_OK);
	assert_int_equal(csv_read(r, &fields, &n, &more, &f), SOUK_E_STORAGE);
	assert_string_equal(f.code, "read_failed");
	csv_reader_free(r);
	(void)fclose(in);
}

/* A random field, made of what is awkward. */
static struct str
awkward(struct prng *r, char *p, size_t max)
{
	size_t n = prng_below(r, max);

	for (size_t i = 0; i < n; i++)
		p[i] = ",\"\r\n ;x\xc3\xa9=y\t"[prng_below(r, 12)];
	return (struct str){ p, n };
}

/* What csv_field wrote, csv_read reads: any bytes but NUL, over the block's edge too. */
static void
test_round_trip(void **state)
{
	static char raw[3000][3][24];
	static struct str want[3000][3];
	struct prng r = { 9 };
	struct buf b = { 0 };
	struct given g;
	struct str *fields;
	size_t n;
	bool more;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		for (size_t k = 0; k < 3; k++) {
			want[i][k] = awkward(&r, raw[i][k], sizeof(raw[i][k]));
			csv_field(&b, want[i][k]);
			buf_add_c(&b, k < 2 ? "," : i % 2 ? "\r\n" : "\n");
		}
	assert_true(buf_ok(&b) && b.n > 64 * 1024);
	g = given(b.p, b.n, 1000);
	for (size_t i = 0; i < 3000; i++) {
		assert_int_equal(csv_read(g.r, &fields, &n, &more, NULL), SOUK_OK);
		assert_true(more && n == 3);
		for (size_t k = 0; k < 3; k++)
			assert_row(i, str_eq(fields[k], want[i][k]));
	}
	assert_int_equal(csv_read(g.r, &fields, &n, &more, NULL), SOUK_OK);
	assert_false(more);
	given_end(&g);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_field_finds_a_special_anywhere),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refusals),
		cmocka_unit_test(test_record_limit_is_exact),
		cmocka_unit_test(test_line_of_the_record),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
