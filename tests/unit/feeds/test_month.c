/* SPDX-License-Identifier: Apache-2.0 */
/* Months and days: every month's edges, leap years, what is no month. */
#include "feeds/month.h"

#include "../base/check.h"

static void
test_every_month(void **state)
{
	(void)state;
	for (month_t m = MONTH_MIN; m <= MONTH_MAX; m++) {
		char text[MONTH_TEXT_LEN + 1], day[DAY_TEXT_LEN + 1];
		instant_t t = 0;
		month_t back = 0;

		month_format(m, text);
		assert_row(m, month_parse(str_c(text), &back) && back == m);
		(void)snprintf(day, sizeof(day), "%s-01", text);
		assert_row(m, instant_parse(str_c(day), &t) && t == month_begin(m));
		assert_row(m, month_of(month_begin(m)) == m);
		assert_row(m, month_of(month_end(m)) == m && month_of(month_end(m) + 1) == m + 1);
	}
}

static void
test_days(void **state)
{
	static const char *const days[] = { "1969-12-31", "1970-01-01", "2000-02-29", "2023-02-28",
		"2024-02-29", "2024-12-31", "9999-12-31" };
	char text[DAY_TEXT_LEN + 1];
	instant_t t = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(days); i++) {
		assert_true(instant_parse(str_c(days[i]), &t));
		day_format(t + DAY_MS - 1, text);
		assert_string_equal(text, days[i]);
		assert_true(day_begin(t + DAY_MS - 1) == t);
	}
}

static void
test_no_month(void **state)
{
	static const char *const no[] = { "", "2024", "2024-00", "2024-13", "2024-1", "1969-12",
		"2024/01", "2024-01-01", "-024-01", "20x4-01" };
	month_t m = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++)
		assert_row(i, !month_parse(str_c(no[i]), &m) && m == 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_month),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_no_month),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
