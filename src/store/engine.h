/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine under db.h: one connection, its transactions and its prepared statements.
 * Private to store/. One file per engine implements it (db_sqlite.c).
 *
 * A connection is used by one thread at a time; whoever hands it out sees to that.
 */
#ifndef SOUK_STORE_ENGINE_H
#define SOUK_STORE_ENGINE_H

#include "store/db.h"

#include <stdatomic.h>

#define DB_SLOTS_MAX 64 /* tables of texts in the program */

struct conn;

enum conn_use {
	CONN_READ,  /* cannot write */
	CONN_WRITE, /* the writer thread's */
	CONN_BULK,  /* a large transaction: a large cache, closed afterwards */
	CONN_UPKEEP /* checkpoints and copies */
};

struct conn_options {
	const char *path;
	enum conn_use use;
	size_t cache_kib; /* 0: the default of the use */
	_Atomic int
	    *log_frames; /* gets the length of the write-ahead log after each commit, or NULL */
};

SOUK_MUST enum souk_err conn_open(const struct conn_options *o, struct conn **ret, struct fail *f);
void conn_close(struct conn *c); /* accepts NULL */

SOUK_MUST enum souk_err conn_begin(struct conn *c, bool write);
/* SOUK_E_UNCERTAIN when the disk did not say whether it kept it; any failure has ended the transaction. */
SOUK_MUST enum souk_err conn_commit(struct conn *c);
void conn_rollback(struct conn *c);
/* Is the transaction still open? The engine ends it by itself when the disk fails. */
bool conn_in_tx(const struct conn *c);
/* A part of a transaction that can be undone alone. */
SOUK_MUST enum souk_err conn_part_begin(struct conn *c);
SOUK_MUST enum souk_err conn_part_keep(struct conn *c);
SOUK_MUST enum souk_err conn_part_undo(struct conn *c);

struct db_stmt *conn_stmt(struct conn *c, unsigned slot, const struct db_texts *t, unsigned q);
/* Ends statements whose rows were not read to the end: at the end of every transaction function. */
void conn_reset_open(struct conn *c);
const char *conn_message(const struct conn *c);

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
