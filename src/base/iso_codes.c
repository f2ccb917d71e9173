/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the JSON lists of iso-codes; see iso_codes.h. */
#include "base/iso_codes.h"

#include "base/io.h"
#include "base/json.h"

#define LIST_MAX ((size_t)4 * 1024 * 1024)

static bool
take_all(const struct iso_codes *list, const json_t *doc)
{
	const json_t *entries = json_object_get(doc, list->member);

	for (size_t i = 0; i < json_array_size(entries); i++)
		if (!list->take(json_array_get(entries, i)))
			return false;
	return json_array_size(entries) > 0;
}

static enum souk_err
read_list(const struct iso_codes *list, struct fail *f)
{
	struct buf text = { 0 };
	json_t *doc = NULL;
	enum souk_err err = SOUK_OK;

	if (io_read_file(list->path, LIST_MAX, &text, NULL) != SOUK_OK ||
	    json_read(buf_str(&text), &doc, NULL) != SOUK_OK || !take_all(list, doc))
		err = fail_set(f, SOUK_E_UNAVAILABLE, list->missing,
		    "%s cannot be read; install the package iso-codes", list->path);
	json_decref(doc);
	buf_done(&text);
	return err;
}

enum souk_err
iso_codes_load(struct iso_codes *list, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	if (atomic_load_explicit(&list->loaded, memory_order_acquire))
		return SOUK_OK;
	(void)pthread_mutex_lock(&list->lock);
	if (!atomic_load_explicit(&list->loaded, memory_order_relaxed) &&
	    (err = read_list(list, f)) == SOUK_OK)
		atomic_store_explicit(&list->loaded, true, memory_order_release);
	(void)pthread_mutex_unlock(&list->lock);
	return err;
}
