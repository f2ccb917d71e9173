/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts: what is read and refused, rounding at the tie, products that need more than 128 bits. */
#include "base/money.h"

#include "check.h"

#define UNITS(whole, part) ((money_t)(whole)*MONEY_ONE + (part))

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		long whole;
		long part; /* of the same sign */
	} rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "0.0", 0, 0 },
		{ "1", 1, 0 },
		{ "-1", -1, 0 },
		{ "100.5", 100, 5000000000 },
		{ "-0.2", 0, -2000000000 },
		{ "0.0000000001", 0, 1 },
		{ "-0.0000000001", 0, -1 },
		{ "999999999999999999.9999999999", 999999999999999999, 9999999999 },
		{ "-999999999999999999.9999999999", -999999999999999999, -9999999999 },
		{ "007.10", 7, 1000000000 },
		{ "0000000000000000000000000001", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		money_t m = 77;

		assert_row(i, money_parse(str_c(rows[i].text), &m) == MONEY_OK);
		assert_row(i, m == UNITS(rows[i].whole, rows[i].part));
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		enum money_fault fault;
	} rows[] = {
		{ "", MONEY_EMPTY },
		{ "-", MONEY_SYNTAX },
		{ ".", MONEY_SYNTAX },
		{ ".5", MONEY_SYNTAX },
		{ "5.", MONEY_SYNTAX },
		{ "+1", MONEY_SYNTAX },
		{ "--1", MONEY_SYNTAX },
		{ " 1", MONEY_SYNTAX },
		{ "1 ", MONEY_SYNTAX },
		{ "1e3", MONEY_SYNTAX },
		{ "1E-3", MONEY_SYNTAX },
		{ "1,000", MONEY_SYNTAX },
		{ "1.2.3", MONEY_SYNTAX },
		{ "0x10", MONEY_SYNTAX },
		{ "NaN", MONEY_SYNTAX },
		{ "inf", MONEY_SYNTAX },
		{ "$1", MONEY_SYNTAX },
		{ "1-", MONEY_SYNTAX },
		{ "1.-2", MONEY_SYNTAX },
		{ "\xd9\xa1", MONEY_SYNTAX },
		{ "0.00000000001", MONEY_TOO_FINE },
		{ "1.00000000000", MONEY_TOO_FINE },
		{ "1000000000000000000", MONEY_RANGE },
		{ "-1000000000000000000", MONEY_RANGE },
		{ "99999999999999999999999999999999999999999999", MONEY_RANGE },
		{ "1000000000000000000.00000000000000", MONEY_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		money_t m = 77;

		assert_row(i, money_parse(str_c(rows[i].text), &m) == rows[i].fault && m == 77);
		assert_row(i, money_fault_what(rows[i].fault) && money_fault_fix(rows[i].fault));
	}
	assert_int_equal(money_parse((struct str){ "1\0", 2 }, &(money_t){ 0 }), MONEY_SYNTAX);
}

static void
test_format(void **state)
{
	static const struct {
		const char *text;
		unsigned decimals;
		const char *want;
	} rows[] = {
		{ "0", 2, "0.00" },
		{ "-0.001", 2, "0.00" },
		{ "-0.005", 2, "-0.01" },
		{ "0.005", 2, "0.01" },
		{ "0.0049999999", 2, "0.00" },
		{ "1.005", 2, "1.01" },
		{ "2.675", 2, "2.68" },
		{ "-2.675", 2, "-2.68" },
		{ "0.5", 0, "1" },
		{ "-0.5", 0, "-1" },
		{ "0.4999999999", 0, "0" },
		{ "1.5", 0, "2" },
		{ "2.5", 0, "3" },
		{ "999999999999999999.995", 2, "1000000000000000000.00" },
		{ "12.3", 10, "12.3000000000" },
		{ "-0.0000000001", 10, "-0.0000000001" },
		{ "99.999", 2, "100.00" },
	};
	char out[MONEY_TEXT_SIZE];
	money_t m, again;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(i, money_parse(str_c(rows[i].text), &m) == MONEY_OK);
		assert_row(i, money_format(m, rows[i].decimals, out) == strlen(rows[i].want));
		assert_row(i, strcmp(out, rows[i].want) == 0);
		assert_row(i, money_parse(str_c(out), &again) == MONEY_OK || strlen(out) > 20);
		assert_row(i, strlen(out) > 20 || again == money_round(m, rows[i].decimals));
	}
	assert_int_equal(money_parse(STR("-12.3400"), &m), MONEY_OK);
	(void)money_format_exact(m, 0, out);
	assert_string_equal(out, "-12.34");
	(void)money_format_exact(m, 3, out);
	assert_string_equal(out, "-12.340");
	(void)money_format_exact(0, 0, out);
	assert_string_equal(out, "0");
	/* The largest that a money_t can be fits the buffer. */
	assert_in_range(
	    money_format(-(money_t)(~(unsigned __int128)0 / 2), 10, out), 1, MONEY_TEXT_SIZE - 1);
}

static money_t
of(const char *text)
{
	money_t m = 0;

	assert_int_equal(money_parse(str_c(text), &m), MONEY_OK);
	return m;
}

static void
test_products(void **state)
{
	static const struct {
		const char *a, *b, *want;
	} rows[] = {
		{ "100", "0.05", "5" },
		{ "-100", "0.05", "-5" },
		{ "0.0000000001", "0.5", "0.0000000001" },
		{ "-0.0000000001", "0.5", "-0.0000000001" },
		{ "0.0000000001", "0.4999999999", "0" },
		{ "999999999999999999.9999999999", "1", "999999999999999999.9999999999" },
		{ "-999999999999999999.9999999999", "0.5", "-500000000000000000" },
		{ "999999999999999999.9999999999", "-0.1", "-100000000000000000" },
	};
	money_t got = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(
		    i, money_mul(of(rows[i].a), of(rows[i].b), &got) && got == of(rows[i].want));
		assert_row(
		    i, money_mul(of(rows[i].b), of(rows[i].a), &got) && got == of(rows[i].want));
	}
	got = 5;
	assert_false(
	    money_mul(of("999999999999999999"), of("999999999999999999"), &got) || got != 5);
	assert_true(money_share(of("10"), 1, 3, &got) && got == of("3.3333333333"));
	assert_true(money_share(of("20"), -1, 3, &got) && got == of("-6.6666666667"));
	assert_true(money_share(of("-20"), -1, -3, &got) && got == of("-6.6666666667"));
	assert_true(money_share(
	    of("999999999999999999"), of("999999999999999999"), of("999999999999999999"), &got));
	assert_true(got == of("999999999999999999"));
	assert_false(money_share(1, 1, 0, &got));
}

static void
test_add(void **state)
{
	money_t most = (money_t)(~(unsigned __int128)0 / 2), got = 3;

	(void)state;
	assert_true(money_add(of("0.1"), of("0.2"), &got) && got == of("0.3"));
	assert_false(money_add(most, 1, &got) || got != of("0.3"));
	assert_false(money_add(-most, -2, &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests_name("base.money", tests, NULL, NULL);
}
