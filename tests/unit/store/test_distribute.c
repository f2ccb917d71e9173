/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the tables' kinds from the migrations, and the texts that distribute them. */
#include "support.h"

#include "store/distribute.h"
#include "store/migrate.h"

/* ---- kinds ---- */

static void
kinds_are_read_in_order(void **state)
{
	const char *text = "-- A table.\n-- distribute: local\nCREATE TABLE one (\n  a TEXT\n);\n"
			   "CREATE INDEX one_by_a ON one (a);\n-- distribute: reference\n"
			   "CREATE TABLE two_b (a TEXT);\n-- distribute: seller\nCREATE TABLE c (";
	static const struct {
		const char *name;
		enum table_kind kind;
	} want[] = { { "one", TABLE_LOCAL }, { "two_b", TABLE_REFERENCE }, { "c", TABLE_SELLER } };
	struct table_place t;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(table_place_next(&text, &t), SOUK_OK);
		assert_true(str_eq_c(t.name, want[i].name));
		assert_int_equal(t.kind, want[i].kind);
	}
	assert_int_equal(table_place_next(&text, &t), SOUK_E_NOT_FOUND);
}

static void
tables_without_a_kind_are_refused(void **state)
{
	static const char *const bad[] = {
		"CREATE TABLE one (a TEXT);",
		"-- distribute: everywhere\nCREATE TABLE one (a TEXT);",
		"-- distribute: \nCREATE TABLE one (a TEXT);",
		"-- distribute: seller \nCREATE TABLE one (a TEXT);",
		"-- distribute: seller\n\nCREATE TABLE one (a TEXT);",
		"-- distribute: seller\n-- Of something.\nCREATE TABLE one (a TEXT);",
		"-- distribute: seller\nCREATE INDEX i ON one (a);\nCREATE TABLE one (a TEXT);",
		"-- distribute: seller\nCREATE TABLE a'b (a TEXT);",
		"-- distribute: seller\nCREATE TABLE One (a TEXT);",
		"-- distribute: seller\nCREATE TABLE ",
		"-- distribute: seller\nCREATE TABLE one",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *text = bad[i];
		struct table_place t = { .kind = TABLE_KINDS };

		assert_int_equal(table_place_next(&text, &t), SOUK_E_INTERNAL);
		assert_ptr_equal(text, bad[i]);
		assert_int_equal(t.kind, TABLE_KINDS);
	}
}

/* ---- texts ---- */

#define TEXTS_MAX 64

struct log {
	char sql[TEXTS_MAX][160];
	size_t n, fail_at;
};

static enum souk_err
keep(void *arg, const char *sql)
{
	struct log *l = arg;

	assert_in_range(l->n, 0, TEXTS_MAX - 1);
	if (l->n == l->fail_at)
		return SOUK_E_STORAGE;
	assert_in_range(strlen(sql), 1, sizeof(l->sql[0]) - 1);
	memcpy(l->sql[l->n++], sql, strlen(sql) + 1);
	return SOUK_OK;
}

/* What stands for a table of `kind`; `first` is the seller's table that comes first. */
static void
expected(struct table_place t, struct str first, char out[160])
{
	static const char *const makers[] = { [TABLE_SELLER] = "create_distributed_table",
		[TABLE_REFERENCE] = "create_reference_table",
		[TABLE_LOCAL] = "citus_add_local_table_to_metadata" };
	struct str beside = str_eq(t.name, first) ? STR("none") : first;
	int n = snprintf(out, 160, "SELECT %s('%.*s'", makers[t.kind], (int)t.name.n, t.name.p);

	if (t.kind == TABLE_SELLER)
		n += snprintf(out + n, 160 - (size_t)n, ", 'seller_id', colocate_with => '%.*s'",
		    (int)beside.n, beside.p);
	(void)snprintf(out + n, 160 - (size_t)n, ")");
}

static void
every_table_is_distributed_once(void **state)
{
	static const enum table_kind order[] = { TABLE_REFERENCE, TABLE_SELLER, TABLE_LOCAL };
	struct log l = { .fail_at = TEXTS_MAX };
	struct table_place t;
	char want[160];
	size_t at = 1;

	(void)state;
	assert_int_equal(distribute_schema(1, n_migrations, keep, &l), SOUK_OK);
	assert_string_equal(l.sql[0], DISTRIBUTE_BEFORE);
	for (size_t k = 0; k < 3; k++)
		for (int n = 0; n < n_migrations; n++) {
			const char *text = migrations[n].sql;

			while (table_place_next(&text, &t) == SOUK_OK)
				if (t.kind == order[k]) {
					expected(t, STR("product"), want);
					assert_string_equal(l.sql[at++], want);
				}
		}
	assert_int_equal(at, l.n);
}

static void
later_migrations_alone(void **state)
{
	struct log l = { .fail_at = TEXTS_MAX };

	(void)state;
	assert_int_equal(distribute_schema(n_migrations + 1, n_migrations + 1, keep, &l), SOUK_OK);
	assert_int_equal(l.n, 1);
}

static void
first_failure_ends_it(void **state)
{
	struct log l = { .fail_at = TEXTS_MAX };
	size_t all;

	(void)state;
	assert_int_equal(distribute_schema(1, n_migrations, keep, &l), SOUK_OK);
	all = l.n;
	for (size_t i = 0; i < all; i++) {
		l = (struct log){ .fail_at = i };
		assert_int_equal(distribute_schema(1, n_migrations, keep, &l), SOUK_E_STORAGE);
		assert_int_equal(l.n, i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_read_in_order),
		cmocka_unit_test(tables_without_a_kind_are_refused),
		cmocka_unit_test(every_table_is_distributed_once),
		cmocka_unit_test(later_migrations_alone),
		cmocka_unit_test(first_failure_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
