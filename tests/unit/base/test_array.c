/* SPDX-License-Identifier: Apache-2.0 */
/* Room in arrays that grow. */
#include "base/array.h"

#include "check.h"

#include <stdint.h>
#include <stdlib.h>

static void
test_grows(void **state)
{
	size_t cap = 0, grown = 0, before;
	uint32_t *v = NULL;

	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		before = cap;
		assert_true(ARRAY_ROOM(v, n, cap, 3));
		assert_true(n < cap);
		grown += cap != before;
		v[n] = n;
	}
	assert_int_equal(cap, 3 * 512);
	assert_int_equal(grown, 10); /* 3, 6 ... 1536 */
	for (uint32_t n = 0; n < 1000; n++)
		assert_int_equal(v[n], n);
	free(v);
}

/* What would count more bytes than there are is refused, and what there was is left. */
static void
test_overflow(void **state)
{
	size_t half = SIZE_MAX / 2 + 1, quarter = SIZE_MAX / 4, cap = half;
	uint32_t one = 7, *v = &one;

	(void)state;
	assert_false(array_grow(&v, half, &cap, 8, sizeof(*v))); /* twice the elements */
	assert_int_equal(cap, half);
	cap = quarter;
	assert_false(array_grow(&v, quarter, &cap, 8, sizeof(*v))); /* their bytes */
	assert_int_equal(cap, quarter);
	assert_ptr_equal(v, &one);
	cap = 0;
	v = NULL;
	assert_false(array_grow(&v, 0, &cap, half, sizeof(*v)));
	assert_int_equal(cap, 0);
	assert_null(v);
}

/* Small and large ones are written whole, grow as any other, and are refused when no size_t counts them. */
static void
test_large(void **state)
{
	static const size_t sizes[] = { 1, 1000, (2 << 20) / 8 - 1, (2 << 20) / 8,
		(5 << 20) / 8 + 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t cap = sizes[i];
		uint64_t *v = array_large(cap, sizeof(*v));

		assert_non_null(v);
		for (size_t k = 0; k < cap; k++)
			v[k] = k;
		assert_true(ARRAY_ROOM(v, cap, cap, 1));
		assert_int_equal(cap, 2 * sizes[i]);
		assert_int_equal(v[sizes[i] - 1], sizes[i] - 1);
		free(v);
	}
	assert_null(array_large(SIZE_MAX / 4, 8));
	assert_null(array_large(SIZE_MAX - 100, 1)); /* no room to round it up */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
