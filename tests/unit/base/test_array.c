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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
