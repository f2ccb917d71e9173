/* SPDX-License-Identifier: Apache-2.0 */
/* The arena's ceiling, alignment, zeroing and reuse. */
#include "base/arena.h"

#include "check.h"

static void
test_zeroed_and_aligned_also_after_reset(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	assert_non_null(a);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 300; size += 7) {
			unsigned char *p = arena_alloc(a, size);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xa5, size);
		}
		arena_reset(a);
	}
	arena_free(a);
	arena_free(NULL);
}

static void
test_ceiling_is_exact(void **state)
{
	struct arena *a = arena_new(100000);

	(void)state;
	assert_null(arena_alloc(a, 100001));
	assert_non_null(arena_alloc(a, 100000));
	assert_null(arena_alloc(a, 1));
	arena_reset(a);
	assert_non_null(arena_alloc(a, 50000));
	assert_null(arena_alloc(a, 50001));
	assert_non_null(arena_alloc(a, 50000));
	arena_free(a);
}

static void
test_empty_pieces_count(void **state)
{
	struct arena *a = arena_new(1600);
	size_t n = 0;

	(void)state;
	while (arena_alloc(a, 0))
		assert_true(++n < 1000);
	assert_true(n >= 100);
	arena_free(a);
}

static void
test_sizes_that_overflow(void **state)
{
	struct arena *a = arena_new(SIZE_MAX);

	(void)state;
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 20));
	assert_null(arena_strndup(a, "", SIZE_MAX));
	assert_non_null(arena_array(a, 3, 5));
	arena_free(a);
}

static void
test_pieces_do_not_overlap(void **state)
{
	struct arena *a = arena_new(8 << 20);
	unsigned char *p[500];

	(void)state;
	for (size_t i = 0; i < COUNT(p); i++) {
		p[i] = arena_alloc(a, i * 61 + 1);
		assert_non_null(p[i]);
		memset(p[i], (int)(i & 0xff), i * 61 + 1);
	}
	for (size_t i = 0; i < COUNT(p); i++)
		for (size_t k = 0; k < i * 61 + 1; k++)
			assert_int_equal(p[i][k], i & 0xff);
	arena_free(a);
}

static void
test_text(void **state)
{
	struct arena *a = arena_new(4096);
	struct str s;

	(void)state;
	assert_string_equal(arena_strdup(a, "souk"), "souk");
	assert_string_equal(arena_strndup(a, "souk", 2), "so");
	assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
	s = arena_str(a, (struct str){ "souk", 3 });
	assert_int_equal(s.n, 3);
	assert_string_equal(s.p, "sou");
	s = arena_str(a, (struct str){ NULL, 0 });
	assert_non_null(s.p);
	assert_int_equal(s.n, 0);
	assert_non_null(arena_alloc(a, 3900));
	s = arena_str(
	    a, STR("0123456789012345678901234567890123456789012345678901234567890123456789"
		   "0123456789012345678901234567890123456789012345678901234567890123456789"));
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	assert_null(arena_printf(a, "%200d", 1));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned_also_after_reset),
		cmocka_unit_test(test_ceiling_is_exact),
		cmocka_unit_test(test_empty_pieces_count),
		cmocka_unit_test(test_sizes_that_overflow),
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
