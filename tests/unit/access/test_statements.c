/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements themselves: all prepare on the schema, and number their parameters in the
 * order in which they first appear, without which SQLite would bind them swapped.
 */
#include "place.h"

#include "access/access_store.h"
#include "access/idempotency_store.h"

static struct db_texts *const all[] = { &access_texts, &idempotency_texts };

/* The number of parameters. */
static int
assert_numbered(const char *sql)
{
	long highest = 0;

	for (const char *p = sql; (p = strchr(p, '$')) != NULL; p++) {
		long n = strtol(p + 1, NULL, 10);

		if (n < 1 || n > highest + 1)
			fail_msg("$%ld comes too early: %s", n, sql);
		highest = n > highest ? n : highest;
	}
	return (int)highest;
}

/* With 0 for every parameter nothing is found, and an insert breaks the schema's rules. */
static void
they_prepare(struct place *p)
{
	/* A server is stricter with types and ends a transaction at the first failure: there they are only prepared. */
	for (size_t i = 0; i < COUNT(all) && test_on_postgres(); i++)
		for (unsigned q = 0; q < all[i]->n; q++)
			assert_true(test_database_prepares(p->dir, all[i]->sql[q]));
	for (size_t i = 0; i < COUNT(all) && !test_on_postgres(); i++)
		for (unsigned q = 0; q < all[i]->n; q++) {
			struct db_stmt *st = db_stmt(p->tx, all[i], q);
			int n = assert_numbered(all[i]->sql[q]);
			enum souk_err err;

			assert_in_range(n, 1, 8);
			for (int k = 1; k <= n; k++)
				db_bind_int(st, k, 0);
			err = db_run(st, NULL);
			if (err != SOUK_OK && err != SOUK_E_CONFLICT)
				fail_msg("%s: %s", all[i]->component, all[i]->sql[q]);
		}
}

static void
test_statements(void **state)
{
	place_run(*state, they_prepare);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { IN_PLACE(test_statements) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
