/* SPDX-License-Identifier: Apache-2.0 */
/* The worked example of docs/edsp.md: the plan, the lines and the statements are read from the page itself. */
#include "made.h"

#include "base/country.h"
#include "base/io.h"

#define CELLS_MAX 12

static struct buf page;

static int
read_page(void **state)
{
	struct fail f = { 0 };

	(void)state;
	return io_read_file(SOUK_SOURCE "/docs/edsp.md", 1 << 20, &page, &f) == SOUK_OK ? 0 : -1;
}

static int
free_page(void **state)
{
	(void)state;
	buf_done(&page);
	return 0;
}

static const char *
example(void)
{
	const char *p = strstr(page.p, "## A worked example");

	assert_non_null(p);
	return p;
}

static const char *
plan_of_page(struct made *m)
{
	const char *begin = strstr(example(), "```json\n"), *end;

	assert_non_null(begin);
	end = strstr(begin + 8, "```");
	assert_non_null(end);
	m->a = arena_new(1 << 24);
	assert_int_equal(company_load(NULL), SOUK_OK);
	assert_int_equal(country_load(NULL), SOUK_OK);
	return arena_strndup(m->a, begin + 8, (size_t)(end - begin - 8));
}

/* The rows of the table whose head begins with `head`, one call each. */
static void
each_row(
    struct made *m, const char *head, void (*row)(struct made *, const char *const *cell, size_t n))
{
	const char *p = strstr(example(), head);
	size_t rows = 0;

	assert_non_null(p);
	for (int skip = 0; skip < 2; skip++)
		p = strchr(p, '\n') + 1;
	for (; *p == '|'; p = strchr(p, '\n') + 1) {
		struct str rest = { p + 1, strcspn(p, "\n") - 2 }, part;
		const char *cell[CELLS_MAX];
		size_t n = 0;

		while (n < CELLS_MAX && str_split(&rest, '|', &part)) {
			part = str_trim(part);
			cell[n++] = arena_strndup(m->a, part.p, part.n);
		}
		row(m, cell, n);
		rows++;
	}
	assert_true(rows > 2);
}

static void
add_line(struct made *m, const char *const *cell, size_t n)
{
	struct commission_line *l;

	assert_int_equal(n, 8);
	l = made_line(m, cell[1], cell[0], cell[6]);
	l->payer_number = keep(m, cell[2]);
	l->email_domain = keep(m, cell[3]);
	l->country = keep(m, cell[4]);
	l->postal_code = keep(m, cell[5]);
	l->billed.refund = money(cell[7]);
}

static size_t next_item;

static void
check_item(struct made *m, const char *const *cell, size_t n)
{
	const struct commission_item *i;
	struct buf b = { 0 };
	char day[DAY_TEXT_SIZE];

	assert_int_equal(n, 6);
	assert_true(next_item < m->run.n_items);
	i = &m->run.items[m->run.order[next_item++]];
	plan_day_format(i->day, day);
	item_arithmetic(&m->run, i, &b);
	assert_true(str_eq_c(m->plan.representatives[i->representative].id, cell[0]));
	assert_string_equal(day, cell[1]);
	assert_true(str_eq_c(m->lines[i->line].transaction, cell[2]));
	assert_string_equal(commission_part_words[i->part], cell[3]);
	assert_string_equal(b.p, cell[4]);
	assert_true(i->commission == money(cell[5]));
	buf_done(&b);
}

static void
check_sums(struct made *m, const char *const *cell, size_t n)
{
	assert_int_equal(n, 3);
	for (uint32_t r = 0; r < m->plan.n_representatives; r++)
		for (int k = 0; k < 2 && str_eq_c(m->plan.representatives[r].id, cell[0]); k++) {
			int32_t month = 2026 * 12 + k;
			struct statement s = {
				.run = &m->run, .representative = r, .months = { month, month }
			};
			struct statement_total t[4] = { 0 };
			size_t count = statement_totals(&s, t, 4);

			assert_true((count > 0 ? t[0].sum : 0) == money(cell[1 + k]));
		}
}

static void
test_example(void **state)
{
	struct made m = { 0 };

	(void)state;
	made_plan(&m, plan_of_page(&m));
	each_row(&m, "| date | transaction | account", add_line);
	made_compute(&m);
	next_item = 0;
	each_row(&m, "| person | date | transaction", check_item);
	assert_int_equal(next_item, m.run.n_items);
	each_row(&m, "| person | 2026-01", check_sums);
	assert_int_equal(m.run.n_queue, 1);
	assert_int_equal(m.run.queue[0].reason, QUEUE_UNMAPPED);
	assert_true(str_eq_c(m.lines[m.run.queue[0].line].transaction, "T-1005"));
	made_done(&m);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_example) };

	return cmocka_run_group_tests(tests, read_page, free_page);
}
