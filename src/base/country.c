/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Countries from Debian's iso-codes, so that a new code arrives with the system's
 * updates and not with a release of ours.
 */
#include "base/country.h"

#include "base/io.h"
#include "base/json.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LIST_PATH "/usr/share/iso-codes/json/iso_3166-1.json"
#define LIST_MAX ((size_t)4 * 1024 * 1024)

/* By the two letters; written once under the lock, read freely once `loaded` is set. */
static char *names[26][26];
static atomic_bool loaded;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

static char **
name_at(struct str code)
{
	if (code.n != 2 || code.p[0] < 'A' || code.p[0] > 'Z' || code.p[1] < 'A' || code.p[1] > 'Z')
		return NULL;
	return &names[code.p[0] - 'A'][code.p[1] - 'A'];
}

/* Keeps every entry; false when the list is not what we know. */
static bool
take_list(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "3166-1");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		const char *code = json_string_value(json_object_get(e, "alpha_2"));
		const char *name = json_string_value(json_object_get(e, "common_name"));
		char **at = name_at(str_c(code));

		if (!name)
			name = json_string_value(json_object_get(e, "name"));
		if (!at || !name)
			return false;
		free(*at); /* of an attempt that failed half-way */
		if (!(*at = strdup(name)))
			return false;
	}
	return json_array_size(list) > 0;
}

static enum souk_err
read_list(struct fail *f)
{
	struct buf text = { 0 };
	json_t *doc = NULL;
	enum souk_err err = SOUK_OK;

	if (io_read_file(LIST_PATH, LIST_MAX, &text, NULL) != SOUK_OK ||
	    json_read(buf_str(&text), &doc, NULL) != SOUK_OK || !take_list(doc))
		err = fail_set(f, SOUK_E_UNAVAILABLE, "no_countries",
		    "%s cannot be read; install the package iso-codes", LIST_PATH);
	json_decref(doc);
	buf_done(&text);
	return err;
}

enum souk_err
country_load(struct fail *f)
{
	enum souk_err err = SOUK_OK;

	if (atomic_load_explicit(&loaded, memory_order_acquire))
		return SOUK_OK;
	(void)pthread_mutex_lock(&load_lock);
	if (!atomic_load_explicit(&loaded, memory_order_relaxed) && (err = read_list(f)) == SOUK_OK)
		atomic_store_explicit(&loaded, true, memory_order_release);
	(void)pthread_mutex_unlock(&load_lock);
	return err;
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
