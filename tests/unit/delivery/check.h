/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka and the checks that the tests of this layer share. */
#ifndef SOUK_TESTS_DELIVERY_CHECK_H
#define SOUK_TESTS_DELIVERY_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_ok(err) assert_string_equal(souk_err_word(err), souk_err_word(SOUK_OK))
#define assert_err(want, err) assert_string_equal(souk_err_word(err), souk_err_word(want))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
