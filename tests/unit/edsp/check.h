/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test of this directory includes, in the order cmocka needs it. */
#ifndef SOUK_TESTS_EDSP_CHECK_H
#define SOUK_TESTS_EDSP_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Equal, or the failure names the row of the table. */
#define assert_row(row, condition)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(row), #condition);                        \
	} while (0)

#endif
