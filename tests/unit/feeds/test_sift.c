/* SPDX-License-Identifier: Apache-2.0 */
/* A file without the rows that cannot be read; a sound one byte for byte. */
#include "folder.h"

#include "feeds/sift.h"

#define PRODUCTS "product_v1/year=2026/month=01/data.csv"
#define GOOD(id) id ",a,c,\"Title, with \"\"quotes\"\"\nand lines\"," TIMES
#define TIMES "2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,"

struct kept {
	struct sink sink;
	struct buf text;
	bool fail;
};

static enum souk_err
keep(struct sink *s, const void *p, size_t n)
{
	struct kept *k = (struct kept *)s;

	buf_add(&k->text, p, n);
	return k->fail ? SOUK_E_STORAGE : SOUK_OK;
}

/* Sifts a file of this text; what is kept is in `k`. */
static enum souk_err
sift(const char *dir, const char *bytes, size_t n, struct told *t, struct kept *k, uint64_t *ret)
{
	struct fail f = { 0 };
	struct feed_source *s;
	enum souk_err err;

	k->sink.write = keep;
	folder_write(dir, PRODUCTS, bytes, n);
	s = folder_source(dir);
	err = feed_sift(s, 0, t ? &t->sink : NULL, &k->sink, ret, &f);
	feed_source_free(s);
	return err;
}

static void
test_sound_files_are_the_same(void **state)
{
	static const char *const texts[] = { PRODUCT_HEADER,
		PRODUCT_HEADER GOOD("p1") "\n" GOOD("p2") "\n",
		"\xef\xbb\xbf" PRODUCT_HEADER GOOD("p1") "\r\n\n" GOOD("p2") };

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct kept k = { .fail = false };
		struct told t;
		uint64_t n = 99;

		told_init(&t);
		assert_int_equal(sift(*state, texts[i], strlen(texts[i]), &t, &k, &n), SOUK_OK);
		assert_row(i, n == 0 && strcmp(text_of(&k.text), texts[i]) == 0);
		buf_done(&k.text);
		told_done(&t);
	}
}

static void
test_bad_rows_are_set_aside(void **state)
{
	static const char bytes[] = PRODUCT_HEADER GOOD("p1") "\r\n"
							      "p2,a,c\n" /* columns */
	    GOOD("p3") "\n"
		       "p4,a,c,t,never,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,\n" /* a value */
		       "p5,a,c,\xff," TIMES "\n"                                     /* no UTF-8 */
		       "p6,a,c,t\0t," TIMES "\n"                                     /* a NUL */
	    GOOD("p7"); /* without an end */
	struct kept k = { .fail = false };
	struct told t;
	uint64_t n = 0;

	told_init(&t);
	assert_int_equal(sift(*state, bytes, sizeof(bytes) - 1, &t, &k, &n), SOUK_OK);
	assert_int_equal(n, 4);
	assert_int_equal(t.sink.n, 4);
	assert_string_equal(
	    text_of(&k.text), PRODUCT_HEADER GOOD("p1") "\n" GOOD("p3") "\n" GOOD("p7") "\n");
	assert_non_null(strstr(text_of(&t.text), "UTF-8"));
	buf_done(&k.text);
	told_done(&t);
}

static void
test_strict_and_broken(void **state)
{
	static const char bad[] = PRODUCT_HEADER "p2,a,c\n", none[] = "product_id\np1\n",
			  good[] = PRODUCT_HEADER GOOD("p1") "\n";
	struct kept k = { .fail = false };
	struct told t;
	uint64_t n = 0;

	told_init(&t);
	assert_int_equal(sift(*state, bad, sizeof(bad) - 1, NULL, &k, &n), SOUK_E_INVALID);
	assert_int_equal(sift(*state, none, sizeof(none) - 1, &t, &k, &n), SOUK_E_INVALID);
	assert_int_equal(k.text.n, 0);
	k.fail = true;
	assert_int_equal(sift(*state, good, sizeof(good) - 1, &t, &k, &n), SOUK_E_STORAGE);
	buf_done(&k.text);
	told_done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_files_are_the_same),
		cmocka_unit_test(test_bad_rows_are_set_aside),
		cmocka_unit_test(test_strict_and_broken),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
