/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Countries from Debian's iso-codes, so that a new code arrives with the system's
 * updates and not with a release of ours.
 */
#include "base/country.h"

#include "base/iso_codes.h"

#include <stdlib.h>

static char *names[26][26]; /* by the two letters; written by country_load alone */

static char **
name_at(struct str code)
{
	if (code.n != 2 || code.p[0] < 'A' || code.p[0] > 'Z' || code.p[1] < 'A' || code.p[1] > 'Z')
		return NULL;
	return &names[code.p[0] - 'A'][code.p[1] - 'A'];
}

static bool
take(const json_t *entry)
{
	const char *code = json_string_value(json_object_get(entry, "alpha_2"));
	const char *name = json_string_value(json_object_get(entry, "common_name"));
	char **at = name_at(str_c(code));

	if (!name)
		name = json_string_value(json_object_get(entry, "name"));
	if (!at || !name)
		return false;
	free(*at); /* of an attempt that failed half-way */
	return (*at = strdup(name)) != NULL;
}

enum souk_err
country_load(struct fail *f)
{
	static struct iso_codes list = { .path = "/usr/share/iso-codes/json/iso_3166-1.json",
		.member = "3166-1",
		.take = take,
		.missing = "no_countries",
		.lock = PTHREAD_MUTEX_INITIALIZER };

	return iso_codes_load(&list, f);
}

const char *
country_name(struct str code)
{
	char **at = name_at(code);

	return at ? *at : NULL;
}

bool
country_known(struct str code)
{
	return country_name(code) != NULL;
}
