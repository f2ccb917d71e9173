/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of Debian's package iso-codes, each read once for the process (design 5). */
#ifndef SOUK_BASE_ISO_CODES_H
#define SOUK_BASE_ISO_CODES_H

#include "base/error.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct iso_codes {
	const char *path;
	const char *member; /* of the document: the array of entries, "4217" */
	/* Keeps an entry; false when it is not what we know. Called again from the first after a failure. */
	bool (*take)(const json_t *entry);
	const char *missing; /* the failure's stable word, "no_currencies" */
	atomic_bool loaded;
	pthread_mutex_t lock; /* PTHREAD_MUTEX_INITIALIZER */
};

/*
 * Reads the list; later calls are free. Thread-safe: what `take` keeps may be read without a lock once
 * this has succeeded. SOUK_E_UNAVAILABLE: the package is not installed, or its list is another one.
 */
SOUK_MUST enum souk_err iso_codes_load(struct iso_codes *list, struct fail *f);

#endif
