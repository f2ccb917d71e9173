/* SPDX-License-Identifier: Apache-2.0 */
/* The schema: numbered texts, embedded in the program, each applied once and for ever. */
#ifndef SOUK_STORE_MIGRATE_H
#define SOUK_STORE_MIGRATE_H

#include "store/engine.h"

struct migration {
	const char *name; /* of its file: 0001_foundation.sql */
	const char *sql;
};

/* Number n stands at n - 1. Made at build time from migrations/. */
extern const struct migration migrations[];
extern const int n_migrations;

/*
 * Checks that the file is a souk database of this version or an older one, or (with
 * `create`) an empty file, and brings it to this version. Each migration is one
 * transaction. On failure the file is as the last whole migration left it.
 */
SOUK_MUST enum souk_err migrate(struct conn *c, const char *path, bool create, struct fail *f);

#endif
