/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side of a copy: an engine that tables are read from in the order of their keys, or written to.
 * Private to db_copy.c, db_sqlite_copy.c and db_pg_copy.c.
 */
#ifndef SOUK_STORE_DB_COPY_SIDE_H
#define SOUK_STORE_DB_COPY_SIDE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define COPY_COLUMNS_MAX 64
#define COPY_NAME_MAX 64
#define COPY_TABLES_MAX 128

enum copy_kind { COPY_INT, COPY_TEXT, COPY_BLOB };

struct copy_column {
	char name[COPY_NAME_MAX];
	enum copy_kind kind;
};

struct copy_table {
	char name[COPY_NAME_MAX];
	unsigned n, n_key;
	struct copy_column column[COPY_COLUMNS_MAX];
	unsigned key[COPY_COLUMNS_MAX]; /* columns of the primary key, in its order */
};

/* In an order in which rows may be put: what is referred to comes first. */
struct copy_plan {
	unsigned n;
	struct copy_table table[COPY_TABLES_MAX];
};

struct copy_value {
	bool null;
	int64_t number;   /* COPY_INT */
	struct str bytes; /* else; lives until the side's next row */
};

struct copy_side {
	const struct copy_side_ops *ops;
	const struct copy_table *table; /* being scanned or filled */
};

/* Each says on failure what to mend, without a value of the data. */
struct copy_side_ops {
	/* The embedded engine only: the tables of its file. */
	enum souk_err (*plan)(struct copy_side *s, struct copy_plan *ret, struct fail *f);
	/* Has it these tables, these columns and no others? */
	enum souk_err (*fits)(struct copy_side *s, const struct copy_plan *p, struct fail *f);
	enum souk_err (*count)(
	    struct copy_side *s, const struct copy_table *t, int64_t *ret, struct fail *f);
	/* Rows in the order of the key, text and bytes by their bytes. Until the last, or unscan. */
	enum souk_err (*scan)(struct copy_side *s, const struct copy_table *t, struct fail *f);
	enum souk_err (*next)(
	    struct copy_side *s, struct copy_value *out, bool *ret_row, struct fail *f);
	void (*unscan)(struct copy_side *s);
	enum souk_err (*fill)(struct copy_side *s, const struct copy_table *t, struct fail *f);
	enum souk_err (*put)(struct copy_side *s, const struct copy_value *row, struct fail *f);
	enum souk_err (*filled)(struct copy_side *s, struct fail *f);
	enum souk_err (*commit)(struct copy_side *s, struct fail *f);
	/* Undoes what was not committed. */
	void (*close)(struct copy_side *s);
};

/* Opened in a transaction: of a snapshot, or (`write`) alone. */
SOUK_MUST enum souk_err copy_lite_open(
    const char *path, bool write, struct copy_side **ret, struct fail *f);
SOUK_MUST enum souk_err copy_pg_open(
    const char *url, bool write, struct copy_side **ret, struct fail *f);

/* Appends "a, b, c"; `keys`: of the primary key, each with `tail` behind text columns. */
void copy_columns(const struct copy_table *t, struct buf *out);
void copy_key(const struct copy_table *t, const char *tail, struct buf *out);

#endif
