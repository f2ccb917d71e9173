/* SPDX-License-Identifier: Apache-2.0 */
/* Words and names of the data sets. The same window gives the same name, which overwrites (psc 7). */
#include "psc/export_names.h"

#define REAL "customer_support_contacts_data"
#define TEST "test_customer_support_contacts_data"

bool
export_type_known(struct str data_set_type)
{
	return str_eq(data_set_type, STR(REAL)) || str_eq(data_set_type, STR(TEST));
}

bool
export_type_is_real(struct str data_set_type)
{
	return str_eq(data_set_type, STR(REAL));
}

struct str
export_key(struct arena *mem, struct str prefix, struct str data_set_type, instant_t from,
    instant_t end, const char *ending)
{
	char from_text[INSTANT_NAME_LEN + 1], end_text[INSTANT_NAME_LEN + 1];
	char *key;

	while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	instant_format_name(from, from_text);
	instant_format_name(end, end_text);
	key = arena_printf(mem, "%.*s%s%.*s_%s_to_%s%s", (int)prefix.n, prefix.n ? prefix.p : "",
	    prefix.n ? "/" : "", (int)data_set_type.n, data_set_type.p, from_text, end_text,
	    ending);
	return str_c(key);
}
