/* SPDX-License-Identifier: Apache-2.0 */
/* Listing against a model that looks at every key each time. */
#include "world.h"

#include "unit/database.h"

/* A row without a file: listing does not open it. */
#define INSERT                                                                                     \
	"INSERT INTO object (seller_id, bucket, object_key, object_id, size, etag, sha256, "       \
	"checksum,"                                                                                \
	" content_type, headers, data_key, modified_at, expires_at)"                               \
	" VALUES ($1, 'exports', $2, $3, 5, 'e', CAST('0' AS {blob}), '', '', '', CAST('0' AS "    \
	"{blob}), 1, $4)"

static const char *const insert[] = { INSERT };
static struct db_texts texts = { .component = "test", .sql = insert, .n = 1 };

struct filling {
	struct world *w;
	const char *const *keys;
	size_t n;
	instant_t expires_at;
};

static enum souk_err
fill(struct db_tx *tx, void *arg)
{
	struct filling *f = arg;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < f->n && err == SOUK_OK; i++) {
		struct db_stmt *st = db_stmt(tx, &texts, 0);
		struct guid id = guid_new();

		db_bind_text(st, 1, SELLER);
		db_bind_c(st, 2, f->keys[i]);
		db_bind_guid(st, 3, &id);
		db_bind_int(st, 4, f->expires_at);
		err = db_run(st, NULL);
	}
	return err;
}

static enum souk_err
make_bucket(struct db_tx *tx, void *arg)
{
	struct world *w = arg;

	return bucket_create(tx, &w->seller, SELLER, STR("exports"), NULL);
}

static void
have(struct world *w, const char *const *keys, size_t n)
{
	struct filling f = { .w = w, .keys = keys, .n = n, .expires_at = INSTANT_MAX };

	IN_WRITE(w, fill, &f);
}

struct listing {
	struct world *w;
	const struct tenant_scope *scope;
	struct object_list l;
};

static enum souk_err
list(struct db_tx *tx, void *arg)
{
	struct listing *x = arg;

	return object_list(tx, x->scope, x->w->mem, &x->l);
}

static struct object_list
listed(struct world *w, const char *prefix, const char *delimiter, struct str after, size_t max)
{
	struct listing x = { .w = w,
		.scope = &w->seller,
		.l = { .bucket = STR("exports"),
		    .prefix = str_c(prefix),
		    .delimiter = str_c(delimiter),
		    .after = after,
		    .max_keys = max } };

	arena_reset(w->mem);
	assert_ok(db_read(w->db, list, &x));
	return x.l;
}

/* ---- the model ---- */

struct model_entry {
	char key[64];
	bool is_prefix;
};

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t
model(const char *const *sorted, size_t n, const char *prefix, const char *delimiter,
    const char *after, size_t max, struct model_entry *out, bool *ret_truncated)
{
	size_t found = 0, prefix_n = strlen(prefix);

	*ret_truncated = false;
	for (size_t i = 0; i < n && max > 0; i++) {
		struct model_entry e = { .is_prefix = false };
		const char *at;

		if (strncmp(sorted[i], prefix, prefix_n) != 0 || strcmp(sorted[i], after) <= 0)
			continue;
		(void)snprintf(e.key, sizeof(e.key), "%s", sorted[i]);
		if (*delimiter && (at = strstr(sorted[i] + prefix_n, delimiter))) {
			e.is_prefix = true;
			e.key[(size_t)(at - sorted[i]) + strlen(delimiter)] = '\0';
			if (strcmp(e.key, after) == 0)
				continue;
		}
		if (found > 0 && e.is_prefix && strcmp(out[found - 1].key, e.key) == 0)
			continue;
		if (found == max) {
			*ret_truncated = true;
			break;
		}
		out[found++] = e;
	}
	return found;
}

static void
assert_same(struct world *w, const char *const *sorted, size_t n, const char *prefix,
    const char *delimiter, const char *after, size_t max)
{
	static struct model_entry want[2000];
	bool truncated;
	size_t found = model(sorted, n, prefix, delimiter, after, max, want, &truncated);
	struct object_list l = listed(w, prefix, delimiter, str_c(after), max);
	bool same = l.n == found && l.truncated == truncated;

	for (size_t i = 0; same && i < found; i++)
		same = str_eq_c(l.entries[i].key, want[i].key) &&
		       l.entries[i].is_prefix == want[i].is_prefix;
	if (!same)
		fail_msg("prefix '%s' delimiter '%s' after '%s' max %zu: %zu entries, model %zu",
		    prefix, delimiter, after, max, l.n, found);
}

static void
test_random_keys(void **state)
{
	static const char *const parts[] = { "a", "b", "/", "//", "-", "\xc3\xbc", "\xe2\x82\xac",
		"\xf4\x8f\xbf\xbf", "\x7f", "0", ".", " " };
	static const char *const delimiters[] = { "", "/", "//", "-", "\xc3\xbc", "b/",
		"\xf4\x8f\xbf\xbf", "\x7f" };
	static char store[400][40];
	static const char *keys[400];
	struct world *w = *state;
	struct prng r = { 42 };
	size_t n = 0;

	IN_WRITE(w, make_bucket, w);
	while (n < 400) {
		size_t length = 1 + prng_below(&r, 6);
		bool seen = false;

		store[n][0] = '\0';
		for (size_t i = 0; i < length; i++)
			(void)strncat(store[n], parts[prng_below(&r, COUNT(parts))], 6);
		for (size_t i = 0; i < n && !seen; i++)
			seen = strcmp(store[i], store[n]) == 0;
		if (!seen) {
			keys[n] = store[n];
			n++;
		}
	}
	have(w, keys, n);
	qsort(keys, n, sizeof(keys[0]), by_bytes);
	for (int i = 0; i < 3000; i++) {
		const char *key = keys[prng_below(&r, n)];
		char prefix[40] = "", after[40] = "";
		size_t cut = prng_below(&r, strlen(key) + 1);

		if (i % 2) {
			while (cut > 0 && ((unsigned char)key[cut] & 0xc0) == 0x80)
				cut--; /* a prefix is UTF-8, too */
			(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)cut, key);
		}
		if (i % 3)
			(void)snprintf(after, sizeof(after), "%s", keys[prng_below(&r, n)]);
		assert_same(w, keys, n, prefix, delimiters[prng_below(&r, COUNT(delimiters))],
		    after, prng_below(&r, 12));
	}
}

/* The last characters of each length of UTF-8, before the surrogates, and the last of all. */
static void
test_prefixes_at_the_ends_of_ranges(void **state)
{
	static const char *keys[] = { "\x01", "\x7f/", "\x7f/a", "\xc2\x80", "\xdf\xbf/",
		"\xdf\xbf/a", "\xe0\xa0\x80", "\xed\x9f\xbf/", "\xed\x9f\xbf/a", "\xee\x80\x80",
		"\xef\xbf\xbf/", "\xef\xbf\xbf/a", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf/",
		"\xf4\x8f\xbf\xbf/a", "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf" };
	static const char *const delimiters[] = { "/", "\x7f", "\xdf\xbf", "\xed\x9f\xbf",
		"\xef\xbf\xbf", "\xf4\x8f\xbf\xbf" };
	struct world *w = *state;

	IN_WRITE(w, make_bucket, w);
	have(w, keys, COUNT(keys));
	qsort(keys, COUNT(keys), sizeof(keys[0]), by_bytes);
	for (size_t d = 0; d < COUNT(delimiters); d++)
		for (size_t max = 1; max < COUNT(keys); max++)
			for (size_t k = 0; k < COUNT(keys); k++) {
				assert_same(w, keys, COUNT(keys), "", delimiters[d], keys[k], max);
				assert_same(w, keys, COUNT(keys), "", delimiters[d], "", max);
			}
}

/* Page after page gives what one page gives, whatever the page size. */
static void
test_pages_join(void **state)
{
	static const char *const keys[] = { "a", "a/", "a/1", "a/2", "a0", "b", "b/c/d", "b/c/e",
		"b/f", "c/", "c/1", "d" };
	struct world *w = *state;

	IN_WRITE(w, make_bucket, w);
	have(w, keys, COUNT(keys));
	for (size_t size = 1; size <= 8; size++) {
		char joined[256] = "", after[64] = "";
		struct object_list l;

		do {
			l = listed(w, "", "/", str_c(after), size);
			assert_true(l.n > 0 || !l.truncated);
			for (size_t i = 0; i < l.n; i++) {
				(void)strncat(joined, l.entries[i].key.p, 20);
				(void)strncat(joined, " ", 2);
				(void)snprintf(after, sizeof(after), "%s", l.entries[i].key.p);
			}
		} while (l.truncated);
		assert_string_equal(joined, "a a/ a0 b b/ c/ d ");
	}
}

static void
test_limits(void **state)
{
	static const char *const keys[] = { "a", "b" };
	struct world *w = *state;
	struct listing x = { .w = w, .scope = &w->other };
	struct object_list l;

	IN_WRITE(w, make_bucket, w);
	have(w, keys, 2);
	l = listed(w, "", "", STR(""), 0);
	assert_int_equal(l.n, 0);
	assert_false(l.truncated);
	l = listed(w, "\xff", "", STR(""), 10);
	assert_int_equal(l.n, 0);
	l = listed(w, "", "", STR(""), 2);
	assert_int_equal(l.n, 2);
	assert_false(l.truncated);
	assert_int_equal(l.entries[0].size, 5);
	assert_true(str_eq_c(l.entries[0].etag, "e"));
	x.l = (struct object_list){ .bucket = STR("exports"), .max_keys = 10 };
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list, &x));
}

static void
test_expired_are_not_listed(void **state)
{
	static const char *const gone[] = { "a", "c/1" }, *const live[] = { "b", "c/2" };
	struct world *w = *state;
	struct filling f = { .w = w, .keys = gone, .n = 2, .expires_at = 1000 };
	struct object_list l;

	IN_WRITE(w, make_bucket, w);
	IN_WRITE(w, fill, &f);
	have(w, live, 2);
	l = listed(w, "", "/", STR(""), 10);
	assert_int_equal(l.n, 2);
	assert_true(str_eq_c(l.entries[0].key, "b"));
	assert_true(str_eq_c(l.entries[1].key, "c/"));
}

/* Ten thousand keys under each of three prefixes: the listing must not walk them. */
static void
test_cost_grows_with_the_answer(void **state)
{
	enum { EACH = 10000 };
	static char store[3 * EACH][16];
	static const char *keys[3 * EACH];
	struct world *w = *state;
	uint64_t start, three, all;

	IN_WRITE(w, make_bucket, w);
	for (int i = 0; i < 3 * EACH; i++) {
		(void)snprintf(store[i], sizeof(store[i]), "%c/%05d", 'a' + i / EACH, i % EACH);
		keys[i] = store[i];
	}
	have(w, keys, 3 * EACH);
	assert_int_equal(listed(w, "", "/", STR(""), 1000).n, 3); /* warm */
	start = clock_mono_ns();
	for (int i = 0; i < 20; i++)
		assert_int_equal(listed(w, "", "/", STR(""), 1000).n, 3);
	three = clock_mono_ns() - start;
	start = clock_mono_ns();
	for (int i = 0; i < 20; i++)
		assert_int_equal(listed(w, "", "", STR(""), 1000).n, 1000);
	all = clock_mono_ns() - start;
	/* a thousand rows cost more than three seeks, or on a server than a third of four questions; thirty
	 * thousand would cost far more */
	assert_true(three < all * (test_on_postgres() ? 10 : 1));
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_random_keys),
		WORLD_TEST(test_prefixes_at_the_ends_of_ranges),
		WORLD_TEST(test_pages_join),
		WORLD_TEST(test_limits),
		WORLD_TEST(test_expired_are_not_listed),
		WORLD_TEST(test_cost_grows_with_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
