/* SPDX-License-Identifier: Apache-2.0 */
/* Aliases of ids: one each, another one per owner and domain, and nothing made up opens. */
#include "check.h"

#include "vault/alias.h"

#define OWNER STR("000000000101")
#define ID "000000000201"

static void
test_round_trip(void **state)
{
	struct world *w = *state;
	char alias[ALIAS_TEXT_LEN + 1], again[ALIAS_TEXT_LEN + 1], id[ALIAS_VALUE_LEN + 1];

	vault_alias(w->vault, "a", OWNER, ID, alias);
	vault_alias(w->vault, "a", OWNER, ID, again);
	assert_string_equal(alias, again);
	assert_int_equal(strlen(alias), ALIAS_TEXT_LEN);
	assert_null(strstr(alias, "201"));
	assert_true(vault_alias_open(w->vault, "a", OWNER, str_c(alias), id));
	assert_string_equal(id, ID);
}

static void
test_differs(void **state)
{
	struct world *w = *state;
	char one[ALIAS_TEXT_LEN + 1], other[ALIAS_TEXT_LEN + 1], id[ALIAS_VALUE_LEN + 1] = "kept";

	vault_alias(w->vault, "a", OWNER, ID, one);
	vault_alias(w->vault, "a", STR("000000000102"), ID, other);
	assert_string_not_equal(one, other);
	assert_false(vault_alias_open(w->vault, "a", OWNER, str_c(other), id));
	vault_alias(w->vault, "b", OWNER, ID, other);
	assert_string_not_equal(one, other);
	assert_false(vault_alias_open(w->vault, "a", OWNER, str_c(other), id));
	vault_alias(w->vault, "a", OWNER, "000000000202", other);
	assert_string_not_equal(one, other);
	assert_string_equal(id, "kept");
}

static void
test_refuses_what_is_none(void **state)
{
	struct world *w = *state;
	char alias[ALIAS_TEXT_LEN + 2], id[ALIAS_VALUE_LEN + 1];

	vault_alias(w->vault, "a", OWNER, ID, alias);
	for (size_t i = 0; i < ALIAS_TEXT_LEN; i++) {
		char was = alias[i];

		alias[i] = was == '0' ? '1' : '0';
		assert_false(vault_alias_open(w->vault, "a", OWNER, str_c(alias), id));
		alias[i] = 'g';
		assert_false(vault_alias_open(w->vault, "a", OWNER, str_c(alias), id));
		alias[i] = was;
	}
	for (size_t n = 0; n < ALIAS_TEXT_LEN; n++)
		assert_false(vault_alias_open(w->vault, "a", OWNER, (struct str){ alias, n }, id));
	memcpy(alias + ALIAS_TEXT_LEN, "0", 2);
	assert_false(vault_alias_open(w->vault, "a", OWNER, str_c(alias), id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_differs, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
		    test_refuses_what_is_none, world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("vault.alias", tests, NULL, NULL);
}
