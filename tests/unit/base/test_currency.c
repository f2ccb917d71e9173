/* SPDX-License-Identifier: Apache-2.0 */
/* Currency codes: assigned, unassigned, malformed; numbers ordered as the letters are. */
#include "base/currency.h"

#include "check.h"

static void
test_known(void **state)
{
	static const char *const known[] = { "USD", "EUR", "JPY", "GBP", "AUD", "INR" };
	static const char *const unknown[] = { "", "US", "USDX", "usd", "ZZZ", "AAA", "U D", "US1",
		"EURO" };
	char text[4];

	(void)state;
	assert_int_equal(currency_load(NULL), SOUK_OK);
	for (size_t i = 0; i < COUNT(known); i++) {
		currency_text(currency_of(str_c(known[i])), text);
		assert_string_equal(text, known[i]);
	}
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_row(i, currency_of(str_c(unknown[i])) == CURRENCY_NONE);
	assert_true(currency_of(STR("EUR")) < currency_of(STR("JPY")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_known) };

	return cmocka_run_group_tests_name("base.currency", tests, NULL, NULL);
}
