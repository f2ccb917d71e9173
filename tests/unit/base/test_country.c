/* SPDX-License-Identifier: Apache-2.0 */
/* Country codes: assigned, unassigned, malformed; loaded by several threads at once. */
#include "base/country.h"

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

/* Counts up at `arg` when it finds the list. */
static void *
load(void *arg)
{
	atomic_int *loaded = arg;

	if (country_load(NULL) == SOUK_OK && country_known(STR("ES")))
		(*loaded)++;
	return NULL;
}

static void
test_load_in_threads(void **state)
{
	pthread_t t[8];
	atomic_int loaded = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, load, &loaded), 0);
	for (size_t i = 0; i < COUNT(t); i++)
		(void)pthread_join(t[i], NULL);
	assert_int_equal(loaded, COUNT(t));
}

static void
test_known(void **state)
{
	static const char *const known[] = { "US", "ES", "DE", "JP", "AX", "ZW", "TW" };
	static const char *const unknown[] = { "", "U", "USA", "us", "Us", "XX", "ZZ", "UK", "EU",
		"XK", "U ", "@A", "[[", "\xc3\xa9", "A1" };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		assert_row(i, country_known(str_c(known[i])));
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_row(
		    i, !country_known(str_c(unknown[i])) && !country_name(str_c(unknown[i])));
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++)
			n += country_known((struct str){ (char[]){ a, b }, 2 });
	assert_in_range(n, 240, 260);
	assert_string_equal(country_name(STR("ES")), "Spain");
	assert_string_equal(country_name(STR("BO")), "Bolivia"); /* not "Plurinational State of" */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_in_threads),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
