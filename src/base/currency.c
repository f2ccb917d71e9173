/* SPDX-License-Identifier: Apache-2.0 */
/* Currencies from Debian's iso-codes, as base/country takes its countries. */
#include "base/currency.h"

#include "base/io.h"
#include "base/json.h"

#include <pthread.h>
#include <stdatomic.h>

#define LIST_PATH "/usr/share/iso-codes/json/iso_4217.json"
#define LIST_MAX ((size_t)4 * 1024 * 1024)

/* Written once under the lock, read freely once `loaded` is set. */
static bool known[CURRENCY_COUNT];
static atomic_bool loaded;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

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

/* Marks every entry; false when the list is not what we know. */
static bool
take_list(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "4217");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		currency_t c = number(str_c(json_string_value(json_object_get(e, "alpha_3"))));

		if (c == CURRENCY_NONE)
			return false;
		known[c] = true;
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
		err = fail_set(f, SOUK_E_UNAVAILABLE, "no_currencies",
		    "%s cannot be read; install the package iso-codes", LIST_PATH);
	json_decref(doc);
	buf_done(&text);
	return err;
}

enum souk_err
currency_load(struct fail *f)
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
