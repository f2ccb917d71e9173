/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which database a test uses: a file in its directory, or, with SOUK_TEST_DATABASE set to a
 * postgresql:// address, a schema of its own there.
 */
#ifndef SOUK_TESTS_DATABASE_H
#define SOUK_TESTS_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For db_options.writers, where what is tested is not the pool itself (store/, server/): a test opens a database, and a server
 * takes longer for sixteen sessions than for the test. More than the two that a race needs.
 */
#define TEST_WRITERS 4

bool test_on_postgres(void);
/* For db_options.distribute: SOUK_TEST_DISTRIBUTE is set, the server has the extension. */
bool test_distributes(void);
/* For db_options.path: the same for the same directory. Valid until the next call. Makes the schema, which may have its tables already. */
const char *test_database(const char *dir);
/* What the test left there; nobody may be connected. A file goes with its directory. */
void test_database_drop(const char *dir);
/*
 * Are these bytes anywhere in it? The file and its log, every byte of them; on a server what can be
 * asked of it, which is the value of any column: it keeps its files to itself.
 */
bool test_database_holds(const char *dir, const void *p, size_t n);
/*
 * Does the server prepare this text of a statement, and a cluster plan it? For the embedded engine db_stmt asks
 * that itself.
 */
bool test_database_prepares(const char *dir, const char *sql);
/*
 * The server's plan for a text with `n` parameters, made without their values and for a table that is worth an index,
 * as the engine has it (store/db_pg_open.c). The caller frees it.
 */
char *test_database_plan(const char *dir, const char *sql, int n);

/*
 * Two texts of a table of texts: a trigger for the embedded engine and for PostgreSQL. `when` as in "AFTER
 * INSERT ON job", `body` is one statement. The one to run is the first plus test_on_postgres().
 */
#define TEST_TRIGGER(name, when, condition, body)                                                  \
	"CREATE TRIGGER " name " " when " WHEN " condition " BEGIN " body "; END",                 \
	    "DO $do$ BEGIN CREATE FUNCTION " name "() RETURNS trigger LANGUAGE plpgsql AS $f$ "    \
	    "BEGIN IF " condition " THEN " body                                                    \
	    "; END IF; RETURN NULL; END $f$; CREATE TRIGGER " name " " when                        \
	    " FOR EACH ROW EXECUTE FUNCTION " name "(); END $do$"

#endif
