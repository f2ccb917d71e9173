/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engines under db.h: a connection, its transactions and its prepared statements.
 * Private to store/. An engine is three tables of functions: of the database (db_ops, in
 * db_int.h), of a connection and of a statement; db_sqlite*.c and db_pg*.c fill them.
 *
 * A connection is used by one thread at a time; whoever hands it out sees to that.
 */
#ifndef SOUK_STORE_ENGINE_H
#define SOUK_STORE_ENGINE_H

#include "store/db.h"

#include <stdatomic.h>

#define DB_SLOTS_MAX 64 /* tables of texts in the program */

struct conn {
	const struct conn_ops *ops;
	bool own_lane; /* as long as it is open, nobody else has its lane */
	uint64_t memo[DB_LANE_MEMO / sizeof(uint64_t)]; /* of the lane; kept by what committed */
};

enum conn_use {
	CONN_READ,  /* cannot write */
	CONN_WRITE, /* a writer thread's */
	CONN_BULK,  /* a large transaction: a large cache, much time, closed afterwards */
	CONN_UPKEEP /* checkpoints, copies, listening */
};

struct conn_ops {
	void (*close)(struct conn *c);
	enum souk_err (*begin)(struct conn *c, bool write);
	enum souk_err (*commit)(struct conn *c);
	void (*rollback)(struct conn *c);
	bool (*in_tx)(const struct conn *c);
	bool (*broken)(const struct conn *c);
	bool (*again)(const struct conn *c);
	struct db_stmt *(*stmt)(
	    struct conn *c, unsigned slot, const struct db_texts *t, unsigned q, bool scan);
	void (*reset_open)(struct conn *c);
	const char *(*message)(const struct conn *c);
	instant_t (*now)(struct conn *c);
	int (*lane)(const struct conn *c);
	enum souk_err (*lock)(struct conn *c, enum db_lock kind, int64_t key, bool shared);
	enum souk_err (*tell)(struct conn *c, enum db_news news);
};

void conn_close(struct conn *c); /* accepts NULL */

static inline enum souk_err
conn_begin(struct conn *c, bool write)
{
	return c->ops->begin(c, write);
}

/* SOUK_E_UNCERTAIN when nobody said whether it is kept; any failure has ended the transaction. */
static inline enum souk_err
conn_commit(struct conn *c)
{
	return c->ops->commit(c);
}

static inline void
conn_rollback(struct conn *c)
{
	c->ops->rollback(c);
}

/* Is the transaction still open? The engine ends it by itself when the disk fails. */
static inline bool
conn_in_tx(const struct conn *c)
{
	return c->ops->in_tx(c);
}

/* Of no use any more: the server or the network is away. */
static inline bool
conn_broken(const struct conn *c)
{
	return c->ops->broken(c);
}

/* May what failed last be run again from its beginning, perhaps on another connection? */
static inline bool
conn_again(const struct conn *c)
{
	return c->ops->again(c);
}

/* Ends statements whose rows were not read to the end: at the end of every transaction function. */
static inline void
conn_reset_open(struct conn *c)
{
	c->ops->reset_open(c);
}

static inline const char *
conn_message(const struct conn *c)
{
	return c->ops->message(c);
}

/* ---- statements: the functions of db.h, per engine ---- */

struct stmt_ops {
	void (*bind_int)(struct db_stmt *st, int i, int64_t v);
	void (*bind_text)(struct db_stmt *st, int i, const char *p, size_t n); /* p NULL: NULL */
	void (*bind_blob)(struct db_stmt *st, int i, const void *p, size_t n);
	enum souk_err (*step)(struct db_stmt *st, bool *ret_row);
	enum souk_err (*run)(struct db_stmt *st, int64_t *ret_changes);
	enum souk_err (*run_later)(struct db_stmt *st);
	void (*reset)(struct db_stmt *st);
	int64_t (*get_int)(struct db_stmt *st, int col);
	struct str (*get_bytes)(struct db_stmt *st, int col, bool text);
	bool (*is_null)(struct db_stmt *st, int col);
};

struct db_stmt {
	const struct stmt_ops *ops;
};

/* Appends the text with its words in braces replaced by what they stand for (dialect.c). */
enum dialect { DIALECT_SQLITE, DIALECT_PG };
SOUK_MUST enum souk_err dialect_text(enum dialect d, const char *sql, struct buf *out);

/* ---- SQLite connections (db_sqlite.c) ---- */

struct conn_options {
	const char *path;
	enum conn_use use;
	size_t cache_kib; /* 0: the default of the use */
	_Atomic int
	    *log_frames; /* gets the length of the write-ahead log after each commit, or NULL */
};

SOUK_MUST enum souk_err conn_open(const struct conn_options *o, struct conn **ret, struct fail *f);
/* A part of a transaction that can be undone alone. */
SOUK_MUST enum souk_err conn_part_begin(struct conn *c);
SOUK_MUST enum souk_err conn_part_keep(struct conn *c);
SOUK_MUST enum souk_err conn_part_undo(struct conn *c);

/* Constant texts without parameters or rows, for set-up and migrations. */
SOUK_MUST enum souk_err conn_exec(struct conn *c, const char *sql);
/* The one number a text gives. */
SOUK_MUST enum souk_err conn_number(struct conn *c, const char *sql, int64_t *ret);
/* Sets up what the file itself remembers (log mode); after the check that the file is ours. */
SOUK_MUST enum souk_err conn_prepare_file(struct conn *c);
/* Tells the planner how large the tables get; after the migrations, which make them. */
SOUK_MUST enum souk_err conn_set_figures(struct conn *c);

enum conn_checkpoint { CHECKPOINT_PASSIVE, CHECKPOINT_RESTART, CHECKPOINT_TRUNCATE };
/*
 * Moves the log into the file. Waits at most `patience_ms` for other users (PASSIVE never
 * does). *ret_whole: all was moved, and for RESTART and TRUNCATE nobody reads the log any more.
 */
SOUK_MUST enum souk_err conn_checkpoint(
    struct conn *c, enum conn_checkpoint how, int patience_ms, bool *ret_whole);

/* Waits until the disk has what checkpoints wrote into the file; any number of writers may be at work. */
SOUK_MUST enum souk_err conn_sync(struct conn *c);

/* Bytes of a log of `frames`. */
int64_t conn_log_bytes(int frames);
/* A compact copy into the empty or absent file `path`. */
SOUK_MUST enum souk_err conn_copy_into(struct conn *c, const char *path);

#endif
