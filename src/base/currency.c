/* SPDX-License-Identifier: Apache-2.0 */
/* Currencies from Debian's iso-codes, as base/country takes its countries. */
#include "base/currency.h"

#include "base/iso_codes.h"

static bool known[CURRENCY_COUNT]; /* written by currency_load alone */

static currency_t
number(struct str code)
{
	unsigned n = 0;

	if (code.n != 3)
		return CURRENCY_NONE;
	for (size_t i = 0; i < 3; i++) {
		if (code.p[i] < 'A' || code.p[i] > 'Z')
			return CURRENCY_NONE;
		n = n * 26 + (unsigned)(code.p[i] - 'A');
	}
	return (currency_t)n;
}

static bool
take(const json_t *entry)
{
	currency_t c = number(str_c(json_string_value(json_object_get(entry, "alpha_3"))));

	if (c == CURRENCY_NONE)
		return false;
	known[c] = true;
	return true;
}

enum souk_err
currency_load(struct fail *f)
{
	static struct iso_codes list = { .path = "/usr/share/iso-codes/json/iso_4217.json",
		.member = "4217",
		.take = take,
		.missing = "no_currencies",
		.lock = PTHREAD_MUTEX_INITIALIZER };

	return iso_codes_load(&list, f);
}

currency_t
currency_of(struct str code)
{
	currency_t c = number(code);

	return c != CURRENCY_NONE && known[c] ? c : CURRENCY_NONE;
}

void
currency_text(currency_t c, char out[4])
{
	out[0] = (char)('A' + c / 676 % 26);
	out[1] = (char)('A' + c / 26 % 26);
	out[2] = (char)('A' + c % 26);
	out[3] = '\0';
}
