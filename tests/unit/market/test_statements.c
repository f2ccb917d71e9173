/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements themselves: all prepare on the schema, and number their parameters in the
 * order in which they first appear, without which SQLite would bind them swapped.
 */
#include "market_test.h"

#include "market/market_store.h"

static struct db_texts *const all[] = { &account_texts, &user_texts, &product_texts, &offer_texts,
	&subscription_texts, &enrolment_texts };

/* The number of parameters. */
static int
assert_numbered(const char *sql)
{
	long highest = 0;

	for (const char *p = sql; (p = strchr(p, '$')) != NULL;) {
		long n = strtol(p + 1, NULL, 10);

		if (n < 1 || n > highest + 1)
			fail_msg("$%ld comes too early: %s", n, sql);
		highest = n > highest ? n : highest;
		p++;
	}
	return (int)highest;
}

static void
test_parameters_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned q = 0; q < all[i]->n; q++)
			assert_in_range(assert_numbered(all[i]->sql[q]), 1, 16);
}

/* With 0 for every parameter nothing is found, and an insert breaks the schema's rules. */
static void
they_prepare(struct world *w)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned q = 0; q < all[i]->n; q++) {
			struct db_stmt *st = db_stmt(w->tx, all[i], q);
			int n = assert_numbered(all[i]->sql[q]);
			enum souk_err r;

			for (int k = 1; k <= n; k++)
				db_bind_int(st, k, 0);
			r = db_run(st, NULL);
			if (r != SOUK_OK && r != SOUK_E_CONFLICT)
				fail_msg("%s: %s", all[i]->component, all[i]->sql[q]);
			assert_true(r == SOUK_OK || strncmp(all[i]->sql[q], "INSERT", 6) == 0);
		}
}
WORLD_TEST(they_prepare)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_in_order),
		UNIT(they_prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
