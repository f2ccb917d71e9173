/* SPDX-License-Identifier: Apache-2.0 */
/* Registrable domains, free mail, folded names and postal codes. */
#include "made.h"

static void
test_domains(void **state)
{
	static const struct {
		const char *host;
		enum domain_kind kind;
		const char *domain;
	} rows[] = {
		{ "globex.example", DOMAIN_COMPANY, "globex.example" },
		{ "Mail.EMEA.Globex.Example.", DOMAIN_COMPANY, "globex.example" },
		{ "someone"
		  "@"
		  "eu.globex.example",
		    DOMAIN_COMPANY, "globex.example" },
		{ "shop.globex.co.uk", DOMAIN_COMPANY, "globex.co.uk" },
		{ "b\xc3\xbc"
		  "cher.example",
		    DOMAIN_COMPANY, "xn--bcher-kva.example" },
		{ "co.uk", DOMAIN_SUFFIX, NULL },
		{ "gmail.com", DOMAIN_FREE, NULL },
		{ "GMAIL.com", DOMAIN_FREE, NULL },
		{ "mx.gmail.com", DOMAIN_FREE, NULL },
		{ "mailinator.com", DOMAIN_FREE, NULL },
		/* A registrable domain below a private suffix is its own company. */
		{ "a.y.x.compute.amazonaws.com", DOMAIN_COMPANY, "y.x.compute.amazonaws.com" },
		{ "", DOMAIN_UNUSABLE, NULL },
		{ ".", DOMAIN_UNUSABLE, NULL },
		{ "no host", DOMAIN_UNUSABLE, NULL },
		{ "localhost", DOMAIN_UNUSABLE, NULL },
	};

	(void)state;
	assert_int_equal(company_load(NULL), SOUK_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[DOMAIN_MAX + 1] = "untouched";

		assert_row(i, company_domain(str_c(rows[i].host), out) == rows[i].kind);
		assert_row(
		    i, strcmp(out, rows[i].domain != NULL ? rows[i].domain : "untouched") == 0);
	}
}

static void
test_names(void **state)
{
	static const char *const rows[][2] = {
		{ "Globex", "globex" },
		{ "GLOBEX GmbH & Co. KG", "globex" },
		{ "Globex, Inc.", "globex" },
		{ "Globex S. A.", "globex" },
		{ "Globex Sp. z o. o.", "globex" },
		{ "Soci\xc3\xa9t\xc3\xa9 G\xc3\xa9n\xc3\xa9rale SA", "societe generale" },
		{ "STRA\xc3\x9f"
		  "E AG",
		    "strasse" },
		{ "The Example Company Ltd", "example" },
		{ "M\xc3\xb8ller A/S", "moller" },
		{ "AT&T", "at and t" },
		{ "O'Example plc", "oexample" },
		{ "SE", "se" },
		{ "Inc. Ltd.", "inc" },
		{ "  ", "" },
		{ "\xff\xfe", "" },
		{ "\xef\xbc\xa7lobex", "globex" }, /* full width */
		{ "A. B. C. Example", "abc example" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[FOLDED_MAX + 1];
		size_t n = company_fold(str_c(rows[i][0]), out);

		if (strcmp(out, rows[i][1]) != 0)
			fail_msg("row %zu: %s", i, out);
		assert_int_equal(n, strlen(out));
	}
}

/* Whatever the length, the result is whole characters and ends within the room. */
static void
test_long_names(void **state)
{
	char name[4096], out[FOLDED_MAX + 1];

	(void)state;
	for (size_t n = 0; n < sizeof(name); n += 2) {
		size_t k;

		memcpy(name + n, n % 6 == 4 ? " &" : "\xc3\xa9", 2);
		k = company_fold((struct str){ name, n }, out);
		assert_true(k <= FOLDED_MAX && out[k] == '\0');
		k = text_fold((struct str){ name, n }, out);
		assert_true(k <= FOLDED_MAX && out[k] == '\0');
	}
}

static void
test_postal(void **state)
{
	char out[POSTAL_MAX + 1];

	(void)state;
	assert_int_equal(postal_fold(STR("sw1a 2aa"), out), 7);
	assert_string_equal(out, "SW1A2AA");
	assert_int_equal(postal_fold(STR("98101-1234"), out), 9);
	assert_int_equal(postal_fold(STR("12345678901234567890"), out), POSTAL_MAX);
	assert_int_equal(postal_fold(STR(" -"), out), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_postal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
