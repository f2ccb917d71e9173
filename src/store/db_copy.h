/* SPDX-License-Identifier: Apache-2.0 */
/* Moves an installation's database from one engine to the other. */
#ifndef SOUK_STORE_DB_COPY_H
#define SOUK_STORE_DB_COPY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct db_copy_options {
	/* As db_options.path: a file of the embedded engine, or a postgresql:// address; one of each. */
	const char *from, *to;
	bool distribute; /* lay the target out by seller (distribute.h) */
	/* Now and then; `done` and `total` are rows. May be NULL. */
	void (*told)(void *arg, const char *doing, int64_t done, int64_t total);
	void *arg;
};

struct db_copied {
	int64_t tables, rows;
};

/*
 * Copies every row of every table into a database that holds none, reads both in the order of their
 * keys and compares each value, and only then commits: the target gets all or stays empty, however this ends.
 * The source is read in one snapshot and not changed, except that an older embedded schema is moved forward first;
 * an embedded source is kept from being written to meanwhile.
 *
 * SOUK_E_INVALID: both are of one engine. SOUK_E_CONFLICT: the target holds data, another copy or
 * other nodes are at work, the schemas differ. SOUK_E_STORAGE: also a difference found; the words name table and
 * primary key, never another value. SOUK_E_UNCERTAIN: the target's commit was sent and not answered; it holds all or nothing.
 */
SOUK_MUST enum souk_err db_copy(
    const struct db_copy_options *o, struct db_copied *ret, struct fail *f);

#endif
