/* SPDX-License-Identifier: Apache-2.0 */
/* What the S3 tests share: cmocka's includes in their order, an arena per test, small claims. */
#ifndef SOUK_TESTS_SERVER_CHECK_H
#define SOUK_TESTS_SERVER_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define assert_row(row, condition)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(row), #condition);                        \
	} while (0)

/* The whole text, shown when it differs. */
#define assert_text(got, want)                                                                     \
	do {                                                                                       \
		struct str got_ = (got);                                                           \
		if (!str_eq_c(got_, want))                                                         \
			fail_msg("got \"%.*s\"", (int)got_.n, got_.p ? got_.p : "");               \
	} while (0)

static inline int
arena_setup(void **state)
{
	return (*state = arena_new((size_t)1 << 20)) ? 0 : -1;
}

static inline int
arena_teardown(void **state)
{
	arena_free(*state);
	return 0;
}

#define arena_test(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

#endif
