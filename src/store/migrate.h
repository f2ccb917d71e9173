/* SPDX-License-Identifier: Apache-2.0 */
/* The schema: numbered texts, embedded in the program, each applied once and for ever. */
#ifndef SOUK_STORE_MIGRATE_H
#define SOUK_STORE_MIGRATE_H

#include "store/engine.h"

struct migration {
	const char *name; /* of its file: 0001_foundation.sql */
	const char *sql;
	bool contracts; /* takes away what programs before it use ("-- phase: contract") */
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

enum migrate_how {
	MIGRATE_CHECK,      /* changes nothing: an older schema is refused */
	MIGRATE_CREATE,     /* an empty schema is filled; an older one is moved as by EXPAND */
	MIGRATE_DISTRIBUTE, /* an empty schema is filled and laid out by seller (distribute.h) */
	MIGRATE_EXPAND,     /* moved forward as far as older nodes can live with it */
	MIGRATE_CONTRACT    /* and further: older nodes must have stopped */
};
/*
 * The same on PostgreSQL, over a connection of its own; one process at a time. Each migration is one
 * transaction. SOUK_E_CONFLICT: the schema is another program's, newer than this program can use,
 * or older than it needs (CHECK); the words say what to do.
 * Tables that a later migration adds to a distributed schema are distributed, too.
 */
SOUK_MUST enum souk_err migrate_pg(const char *url, enum migrate_how how, struct fail *f);
/*
 * The same with a list of migrations instead of this program's own, as a program of another age has
 * it. CONTRACT is refused while a node that knows less beat lately (node.h), or a command of such a program is
 * connected: older_nodes, naming one. *ret (may be NULL) is filled also on failure, as far as it got.
 */
SOUK_MUST enum souk_err migrate_pg_list(const char *url, enum migrate_how how,
    const struct migration *list, int n, struct db_migrated *ret, struct fail *f);

#endif
