/* SPDX-License-Identifier: Apache-2.0 */
/* Error words, and the record of a failure at its limits. */
#include "base/error.h"

#include "check.h"

#include <string.h>

static void
test_every_code_has_its_own_word(void **state)
{
	(void)state;
	for (int a = 0; a < SOUK_E__COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
			    souk_err_word((enum souk_err)a), souk_err_word((enum souk_err)b));
	assert_string_equal(souk_err_word(SOUK_E_NOT_FOUND), "not_found");
	assert_string_equal(souk_err_word((enum souk_err)999), "internal");
	assert_string_equal(souk_err_word((enum souk_err) - 1), "internal");
}

static void
test_set_keeps_entries_and_cuts_long_words(void **state)
{
	struct fail f = { 0 };
	char longer[1000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(fail_field(&f, longer, longer, longer), SOUK_E_INVALID);
	assert_int_equal(strlen(f.entry[0].field), sizeof(f.entry[0].field) - 1);
	assert_int_equal(fail_set(&f, SOUK_E_LIMIT, "too_many", "%s", longer), SOUK_E_LIMIT);
	assert_int_equal(strlen(f.detail), sizeof(f.detail) - 1);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.code, "too_many");
}

static void
test_field_counts_what_it_cannot_keep(void **state)
{
	struct fail f = { 0 };

	(void)state;
	for (int i = 0; i < FAIL_ENTRIES_MAX + 5; i++)
		(void)fail_field(&f, "email", "is not usable", "give one like a@b.example");
	assert_int_equal(f.err, SOUK_E_INVALID);
	assert_string_equal(f.code, "invalid_field");
	assert_int_equal(f.n, FAIL_ENTRIES_MAX);
	assert_int_equal(f.n_total, FAIL_ENTRIES_MAX + 5);
}

static void
test_field_does_not_change_an_earlier_error(void **state)
{
	struct fail f = { 0 };

	(void)state;
	(void)fail_set(&f, SOUK_E_CONFLICT, "ended", "The subscription has ended.");
	assert_int_equal(fail_field(&f, "a", "b", NULL), SOUK_E_INVALID);
	assert_int_equal(f.err, SOUK_E_CONFLICT);
	assert_string_equal(f.code, "ended");
	assert_string_equal(f.detail, "The subscription has ended.");
}

static void
test_null_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(fail_set(NULL, SOUK_E_DENIED, "denied", "No."), SOUK_E_DENIED);
	assert_int_equal(fail_field(NULL, "a", "b", "c"), SOUK_E_INVALID);
}

static void
test_line(void **state)
{
	struct fail f = { .err = SOUK_E_STORAGE };
	char out[64], tiny[5];

	(void)state;
	fail_line(&f, out, sizeof(out));
	assert_string_equal(out, "storage");
	(void)fail_set(&f, SOUK_E_STORAGE, "disk", "The disk is full.");
	fail_line(&f, out, sizeof(out));
	assert_string_equal(out, "The disk is full.");
	(void)fail_field(&f, "listen", "is bad", NULL);
	fail_line(&f, out, sizeof(out));
	assert_string_equal(out, "listen: is bad");
	(void)memset(&f, 0, sizeof(f));
	(void)fail_field(&f, "listen", "is bad", "mend it");
	fail_line(&f, out, sizeof(out));
	assert_string_equal(out, "listen: is bad; mend it");
	fail_line(&f, tiny, sizeof(tiny));
	assert_string_equal(tiny, "list");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_its_own_word),
		cmocka_unit_test(test_set_keeps_entries_and_cuts_long_words),
		cmocka_unit_test(test_field_counts_what_it_cannot_keep),
		cmocka_unit_test(test_field_does_not_change_an_earlier_error),
		cmocka_unit_test(test_null_is_accepted),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
