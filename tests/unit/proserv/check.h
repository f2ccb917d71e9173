/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with what it wants included before it. */
#ifndef SOUK_TESTS_PROSERV_CHECK_H
#define SOUK_TESTS_PROSERV_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
