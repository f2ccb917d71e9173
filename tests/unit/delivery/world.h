/* SPDX-License-Identifier: Apache-2.0 */
/* A database, a key ring and two sellers in a directory of their own, made anew for each test. */
#ifndef SOUK_TESTS_DELIVERY_WORLD_H
#define SOUK_TESTS_DELIVERY_WORLD_H

#include "check.h"

#include "base/config.h"
#include "delivery/object.h"
#include "market/tenant_make.h"
#include "store/db.h"
#include "vault/vault.h"

#define SELLER STR("000000000101")
#define OTHER STR("000000000202")
#define BUYER STR("000000000303")

struct world {
	char dir[64];
	struct db *db;
	struct vault *vault;
	struct config *config;
	struct arena *mem;
	struct tenant_scope seller, other, buyer, operator_;
};

/* cmocka set-up and tear-down; *state is the world. */
int world_make(void **state);
int world_remove(void **state);
/* Closes and opens database and ring, as a restart does. */
void world_reopen(struct world *w);

/* An object store over the world's directory. */
struct object_store *world_objects(struct world *w, int64_t retention_ms);

/* Runs a statement of the test's own; the texts are few and differ by pointer. */
void world_sql(struct world *w, const char *sql);
/* First column of the first row; -1 when there is none. */
int64_t world_int(struct world *w, const char *sql);

/* Is this byte string in the database file or its log? */
bool world_db_holds(struct world *w, const void *p, size_t n);
/* Sealed files on disk. */
size_t world_files(struct world *w);
/* Path of one of them, the first found, in a static buffer. */
const char *world_file(struct world *w);

/* cmocka's assertions inside a transaction function would leave it: collect and check after. */
#define IN_WRITE(w, fn, arg) assert_ok(db_write((w)->db, (fn), (arg)))
#define IN_READ(w, fn, arg) assert_ok(db_read((w)->db, (fn), (arg)))

#endif
