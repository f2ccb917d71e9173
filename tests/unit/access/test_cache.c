/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of principals: bounded, never stale after a clear, never somebody else. */
#include "access/cache.h"
#include "access/principal.h"

#include "check.h"

#include <pthread.h>

static struct principal *
principal_named(uint64_t n)
{
	char name[32];
	struct principal_facts f = { .account_id = STR("000000000001"), .actor = STR("key:x") };
	struct principal *p = NULL;

	(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)n);
	f.user_name = str_c(name);
	assert_int_equal(principal_new(&f, &p), SOUK_OK);
	return p;
}

static struct cache_id
id_of(uint64_t n)
{
	struct cache_id id = { .n = 0 };

	assert_true(cache_id_make('k', &(struct str){ (const char *)&n, sizeof(n) }, 1, &id));
	return id;
}

static void
put(struct cache *c, uint64_t n, uint64_t epoch)
{
	struct cache_id id = id_of(n);
	struct principal *p = principal_named(n);
	uint8_t secret[CACHE_SECRET_LEN];

	memset(secret, (int)(n & 255), sizeof(secret));
	cache_put(c, &id, p, secret, epoch);
	principal_release(p);
}

/* Is it there, with its own principal and secret? */
static bool
there(struct cache *c, uint64_t n)
{
	struct cache_id id = id_of(n);
	struct principal *p = NULL;
	uint8_t secret[CACHE_SECRET_LEN] = { 0 }, want[CACHE_SECRET_LEN];
	char name[32];

	if (!cache_find(c, &id, &p, secret))
		return false;
	(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)n);
	memset(want, (int)(n & 255), sizeof(want));
	assert_true(str_eq_c(principal_user_name(p), name));
	assert_memory_equal(secret, want, sizeof(want));
	principal_release(p);
	return true;
}

static void
test_bounded(void **state)
{
	struct cache *c = NULL;
	size_t kept = 0;

	(void)state;
	assert_int_equal(cache_new(1000, &c), SOUK_OK);
	for (uint64_t n = 0; n < 5000; n++) {
		put(c, n, cache_epoch(c));
		assert_true(there(c, n));
	}
	assert_true(cache_count(c) <= 1024);
	for (uint64_t n = 0; n < 5000; n++)
		kept += there(c, n);
	assert_int_equal(kept, cache_count(c));
	assert_true(kept > 900);
	cache_clear(c);
	assert_int_equal(cache_count(c), 0);
	assert_false(there(c, 4999));
	cache_free(c);
}

/* Half full, next to nothing is pushed out. */
static void
test_half_full(void **state)
{
	struct cache *c = NULL;

	(void)state;
	assert_int_equal(cache_new(8192, &c), SOUK_OK);
	for (uint64_t n = 0; n < 2048; n++)
		put(c, n, cache_epoch(c));
	assert_true(cache_count(c) > 2030);
	cache_free(c);
}

static void
test_put_twice(void **state)
{
	struct cache *c = NULL;

	(void)state;
	assert_int_equal(cache_new(1, &c), SOUK_OK);
	put(c, 7, cache_epoch(c));
	put(c, 7, cache_epoch(c));
	assert_int_equal(cache_count(c), 1);
	cache_free(c);
}

/* What was loaded before a clear is not put after it. */
static void
test_stale_put(void **state)
{
	struct cache *c = NULL;
	uint64_t epoch;

	(void)state;
	assert_int_equal(cache_new(100, &c), SOUK_OK);
	epoch = cache_epoch(c);
	cache_clear(c);
	put(c, 1, epoch);
	assert_false(there(c, 1));
	put(c, 1, cache_epoch(c));
	assert_true(there(c, 1));
	cache_free(c);
}

static void
test_nobody(void **state)
{
	struct cache *c = NULL;
	struct cache_id id = id_of(1);
	struct principal *p = principal_named(1);
	struct principal *got = p;
	uint8_t secret[CACHE_SECRET_LEN] = { 0 };

	(void)state;
	assert_int_equal(cache_new(100, &c), SOUK_OK);
	cache_put(c, &id, NULL, secret, cache_epoch(c));
	assert_true(cache_find(c, &id, &got, secret));
	assert_null(got);
	principal_release(p);
	cache_free(c);
	cache_free(NULL);
}

/* Parts do not run into one another, kinds neither; too long is said. */
static void
test_ids(void **state)
{
	const struct str ab_c[] = { STR("ab"), STR("c") }, a_bc[] = { STR("a"), STR("bc") };
	struct cache_id x = { .n = 0 }, y = { .n = 0 };
	char full[CACHE_ID_MAX];

	(void)state;
	memset(full, 'x', sizeof(full));
	assert_true(cache_id_make('s', ab_c, 2, &x));
	assert_true(cache_id_make('s', a_bc, 2, &y));
	assert_false(x.n == y.n && memcmp(x.b, y.b, x.n) == 0);
	assert_true(cache_id_make('k', ab_c, 2, &y));
	assert_false(x.n == y.n && memcmp(x.b, y.b, x.n) == 0);
	assert_true(cache_id_make('k', &(struct str){ full, sizeof(full) - 2 }, 1, &x));
	assert_false(cache_id_make('k', &(struct str){ full, sizeof(full) }, 1, &x));
}

struct race {
	struct cache *cache;
	uint64_t seed;
	size_t hits;
};

static void *
race(void *arg)
{
	struct race *r = arg;
	struct prng random = { r->seed };

	for (int i = 0; i < 30000; i++) {
		uint64_t n = prng_below(&random, 600);

		if (there(r->cache, n))
			r->hits++;
		else
			put(r->cache, n, cache_epoch(r->cache));
		if (i % 1000 == 999)
			cache_clear(r->cache);
	}
	return NULL;
}

/* Readers, writers and clears at once: always one's own principal, counted right. */
static void
test_race(void **state)
{
	struct race r[4];
	pthread_t threads[4];
	struct cache *c = NULL;

	(void)state;
	assert_int_equal(cache_new(400, &c), SOUK_OK);
	for (size_t i = 0; i < COUNT(r); i++) {
		r[i] = (struct race){ c, i + 1, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r[i]), 0);
	}
	for (size_t i = 0; i < COUNT(r); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(r[i].hits > 0);
	}
	cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_half_full),
		cmocka_unit_test(test_put_twice),
		cmocka_unit_test(test_stale_put),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
