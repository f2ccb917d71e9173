/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a database in a directory of its own, and small writes to it. */
#ifndef SOUK_TESTS_STORE_SUPPORT_H
#define SOUK_TESTS_STORE_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "store/db.h"
#include "unit/database.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct place {
	char dir[64];
	char path[1024];
	struct db *db;
	bool made; /* opened before: its tables are laid out already */
};

static inline int
place_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
place_open(struct place *p)
{
	struct fail f = { 0 };

	if (db_open(
		&(struct db_options){
		    .path = p->path, .create = true, .distribute = test_distributes() && !p->made },
		&p->db, &f) != SOUK_OK)
		fail_msg("open: %s", f.detail);
	p->made = true;
}

static inline int
place_set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/souk-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s", test_database(p->dir));
	place_open(p);
	*state = p;
	return 0;
}

static inline int
place_tear_down(void **state)
{
	struct place *p = *state;

	db_close(p->db);
	test_database_drop(p->dir);
	(void)nftw(p->dir, place_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* A small fact put and read back: the tests' unit of work. */
struct fact {
	char name[48];
	char value[64];
	enum souk_err after; /* what the function returns once it has written */
};

static inline enum souk_err
fact_put(struct db_tx *tx, void *arg)
{
	struct fact *x = arg;
	enum souk_err err = db_meta_put(tx, x->name, str_c(x->value));

	return err == SOUK_OK ? x->after : err;
}

static inline enum souk_err
fact_get(struct db_tx *tx, void *arg)
{
	struct fact *x = arg;
	struct buf b = { 0 };
	enum souk_err err = db_meta_get(tx, x->name, &b);

	if (err == SOUK_OK)
		(void)snprintf(x->value, sizeof(x->value), "%s", b.p ? b.p : "");
	buf_done(&b);
	return err;
}

#endif
