/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which database a test uses: a file in its directory, or, with SOUK_TEST_DATABASE set to a
 * postgresql:// address, a schema of its own there.
 */
#ifndef SOUK_TESTS_DATABASE_H
#define SOUK_TESTS_DATABASE_H

#include <stdbool.h>

bool test_on_postgres(void);
/* For db_options.path: the same for the same directory. Valid until the next call. Makes the schema. */
const char *test_database(const char *dir);
/* What the test left there. A file goes with its directory. */
void test_database_drop(const char *dir);

#endif
