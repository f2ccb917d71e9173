/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plans of the statements on contacts and subscriptions: each finds what it needs by
 * an index, however many contacts a seller has.
 */
#include "world.h"

#include "psc/export_store.h"

#define TEXTS_MAX 64

/* One line of a plan walks neither a table nor all of a seller's part of one. */
static void
assert_found_by_index(struct str step, const char *sql)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "%.*s", (int)step.n, step.p);
	if (strncmp(line, "SCAN ", 5) == 0 || strstr(line, "USING PRIMARY KEY (seller_id=?)"))
		fail_msg("%s: %s", line, sql);
}

static enum souk_err
explain(struct db_tx *tx, void *arg)
{
	const struct db_texts *t = arg;
	struct db_texts plans = { .component = "plans", .n = t->n };
	const char *sql[TEXTS_MAX];
	char *made[TEXTS_MAX];
	bool row;

	assert_in_range(t->n, 1, TEXTS_MAX);
	plans.sql = sql;
	for (unsigned q = 0; q < t->n; q++) {
		assert_true(asprintf(&made[q], "EXPLAIN QUERY PLAN %s", t->sql[q]) > 0);
		sql[q] = made[q];
	}
	for (unsigned q = 0; q < t->n; q++) {
		struct db_stmt *st = db_stmt(tx, &plans, q);
		enum souk_err err;

		while ((err = db_step(st, &row)) == SOUK_OK && row)
			assert_found_by_index(db_text(st, 3), t->sql[q]);
		assert_ok(err);
		free(made[q]);
	}
	return SOUK_OK;
}

static void
explain_all(struct db_texts *t)
{
	struct world *w = world_new();

	assert_ok(db_write(w->db, explain, t));
	world_free(w);
}

static void
contacts_are_found_by_index(void **state)
{
	(void)state;
	explain_all(&contact_texts);
}

static void
exports_read_one_range(void **state)
{
	(void)state;
	explain_all(&export_texts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contacts_are_found_by_index),
		cmocka_unit_test(exports_read_one_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
