/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database seam: transactions as functions, constant statements, typed columns.
 *
 * One SQL text serves every engine; what differs lives in the files of an engine
 * (db_sqlite*.c, db_pg*.c) and is told apart by words in braces (dialect.c). Types:
 * BIGINT (int64), TEXT, and in the migrations {guid} and {blob}.
 *
 * A transaction is a function that gets a `struct db_tx *`. It returns SOUK_OK to
 * commit and anything else to undo all it did. It may be run more than once (the
 * engine retries where that is safe), so it keeps its results in its argument and
 * overwrites them on each run. It never keeps a `struct db_tx *` or a statement.
 *
 * Embedded engine: one writer thread takes all the functions that wait, runs each in
 * a savepoint and commits them together (WAL, synchronous=FULL): durable throughput
 * grows with the number of concurrent writers. Reads run on the calling thread, on
 * a connection of a pool, in a snapshot.
 *
 * PostgreSQL: several processes share the database. Each write function runs in a
 * transaction of its own (READ COMMITTED) on one of the writer threads' connections, several at once:
 * what must not interleave takes a lock (db_lock). Functions are run again where that is safe: after
 * a deadlock, a serialization failure, a connection lost before COMMIT was sent. A connection lost
 * after it is SOUK_E_UNCERTAIN. Reads are REPEATABLE READ.
 */
#ifndef SOUK_STORE_DB_H
#define SOUK_STORE_DB_H

#include "base/clock.h"
#include "base/guid.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db;
struct db_tx;
struct db_stmt;

typedef enum souk_err db_fn(struct db_tx *tx, void *arg);

struct db_options {
	/* File of the embedded database, or a postgresql:// address (libpq's form). */
	const char *path;
	bool create;      /* make it when it is not there, and migrate it to this schema */
	bool distribute;  /* with create, on PostgreSQL with Citus: tables in shards by seller */
	unsigned readers; /* most connections of the read pool; 0: a default */
	unsigned writers; /* PostgreSQL: connections that write; 0: a default */
	size_t
	    cache_kib; /* page cache of one connection; 0: a default (2 MiB readers, 16 MiB writer) */
};

/* Is it the address of a PostgreSQL database? */
bool db_is_url(const char *path);
/*
 * Opens and checks the schema. A schema newer than this program's, a missing file, a file
 * that is no database, a damaged one: SOUK_E_STORAGE or SOUK_E_CONFLICT with path and fix.
 * An older schema is migrated forward (one transaction per migration).
 */
SOUK_MUST enum souk_err db_open(const struct db_options *o, struct db **ret, struct fail *f);
/* Waits for the writer to finish what it holds, checkpoints, closes. Accepts NULL. */
void db_close(struct db *db);

/*
 * Runs `fn` in a read snapshot on this thread. Its writes fail. SOUK_E_UNAVAILABLE when the readers
 * before it keep all connections for too long: 30 s embedded, 5 s on PostgreSQL.
 */
SOUK_MUST enum souk_err db_read(struct db *db, db_fn *fn, void *arg);
/*
 * Runs `fn` in a write transaction and returns once it is durable (or undone: fn's own
 * error, SOUK_E_UNAVAILABLE when the database is busy too long, SOUK_E_STORAGE on a
 * full or failing disk, SOUK_E_UNCERTAIN when the commit's outcome is not known).
 * Must not be called from inside a transaction function.
 */
SOUK_MUST enum souk_err db_write(struct db *db, db_fn *fn, void *arg);
/*
 * The same without waiting: `done` is called once, from another thread, after the commit
 * is durable or undone. `w` is the caller's memory until then. Never fails to enqueue.
 */
struct db_write {
	db_fn *fn;
	void *arg;
	void (*done)(struct db_write *w, enum souk_err err);
	/* the engine's own */
	struct db_write *next;
	enum souk_err err;
	uint64_t queued_at; /* monotonic */
};
void db_write_async(struct db *db, struct db_write *w);
/*
 * The same on this thread, `done` included, when no other write is at work: saves two
 * changes of threads. False, and nothing done, when one is. For a thread that has nothing
 * else to do: it waits for the disk, and what comes meanwhile shares no commit with it.
 */
SOUK_MUST bool db_write_alone(struct db *db, struct db_write *w);

/*
 * A transaction of its own on the calling thread, for bulk work (import, demo, restore):
 * all or nothing, however large; other writers wait. `fn` may run for long. PostgreSQL: once it has
 * taken several hundred locks, whoever takes one waits for its end, or is refused.
 */
SOUK_MUST enum souk_err db_bulk(struct db *db, db_fn *fn, void *arg);

/*
 * The transaction's clock: what operation times are made from. Not earlier within one transaction.
 * PostgreSQL: the database's, so that all nodes have one.
 */
instant_t db_now(struct db_tx *tx);

/*
 * Locks of a write transaction, held until its end; the embedded engine has one writer and needs none.
 * Take them before reading what they protect, subjects before owners. Waits a few seconds at most
 * (SOUK_E_UNAVAILABLE). Sharers exclude only who does not share.
 */
enum db_lock {
	DB_LOCK_OWNER,  /* all that an account owns: products, users, roles ... */
	DB_LOCK_SUBJECT /* one thing: a subscription's contacts, an Idempotency-Key */
};
SOUK_MUST enum souk_err db_lock(
    struct db_tx *tx, enum db_lock kind, const void *key, size_t n, bool shared);

/* For who changes what the account owns, or counts it before adding to it. */
SOUK_MUST static inline enum souk_err
lock_owner(struct db_tx *tx, struct str account_id)
{
	return db_lock(tx, DB_LOCK_OWNER, account_id.p, account_id.n, false);
}

/* For who only needs it to stay as it is. */
SOUK_MUST static inline enum souk_err
lock_owner_shared(struct db_tx *tx, struct str account_id)
{
	return db_lock(tx, DB_LOCK_OWNER, account_id.p, account_id.n, true);
}

SOUK_MUST static inline enum souk_err
lock_subject(struct db_tx *tx, const void *key, size_t n)
{
	return db_lock(tx, DB_LOCK_SUBJECT, key, n, false);
}

/*
 * A small number that no other write transaction of the installation has at the same time: for chains that
 * would else make writers wait for each other. Embedded: always 0.
 */
int db_lane(struct db_tx *tx);
/*
 * Memory for what only the lane's holder writes (a chain's end), DB_LANE_MEMO bytes, aligned for numbers:
 * as the last transaction on this lane that is committed left it, if nobody else can have had the lane
 * since; all zero where that is not certain (a new connection, a commit in doubt, and in the embedded engine
 * each new commit, because other processes have the same lane). What is undone is forgotten here as well.
 */
#define DB_LANE_MEMO 64
void *db_lane_memo(struct db_tx *tx);
/*
 * Waits until the write transactions that run now, in all processes, have ended; false when that takes longer.
 * For who takes away what they may still use. Embedded: its one writer runs ours after them anyway.
 */
SOUK_MUST bool db_settle(struct db *db, int64_t timeout_ms);
/* Do other processes serve the same database? */
bool db_is_shared(const struct db *db);

/*
 * News for all nodes, this one too, once the transaction is committed. Heard by db_listen; may come late
 * or, while the database is away, be missed: after a gap every listener is told.
 */
enum db_news { DB_NEWS_JOBS, DB_NEWS_ACCESS, DB_NEWS__COUNT };
SOUK_MUST enum souk_err db_tell(struct db_tx *tx, enum db_news news);
/* Calls `fn` from another thread at each piece of news from other nodes; one listener per kind, for good. */
void db_listen(struct db *db, enum db_news news, void (*fn)(void *arg), void *arg);
/*
 * As the last thing of the transaction, once however often it is asked for with the same two: for what
 * many steps change and only its last state matters. Its failure undoes the transaction.
 */
void db_before_commit(struct db_tx *tx, db_fn *fn, void *arg);
/* After the commit is durable, before anybody is told; not when it is undone. For caches and wake-ups.
 * `arg` must live until then. A small fixed number per transaction (16); more is our bug. */
void db_on_commit(struct db_tx *tx, void (*fn)(void *arg), void *arg);
/*
 * This transaction destroys secrets: the engine overwrites freed pages (always on) and,
 * as soon as no reader holds an older snapshot, moves the write-ahead log into the file
 * and empties it, so that no earlier image of a page remains (invariant 4). Retried
 * until done; db_scrub_wait waits for it.
 */
void db_scrub(struct db_tx *tx);
SOUK_MUST bool db_scrub_wait(struct db *db, int64_t timeout_ms);

/*
 * Statements: each *_store.c has one table of constant texts. `slot` is the engine's:
 * it finds prepared statements by it. Parameters are $1..$n, first used in that order.
 */
struct db_texts {
	const char *component; /* "psc", for messages and tests */
	const char *const *sql;
	unsigned n;
	_Atomic unsigned slot; /* 0 until first use */
};

/*
 * The statement of a text, reset and unbound. Never NULL: a failure to prepare shows at
 * db_step. Using the same text again while its rows are being read is our bug (assert).
 */
struct db_stmt *db_stmt(struct db_tx *tx, struct db_texts *t, unsigned q);
/*
 * The same for a text whose rows nothing bounds: they come in pieces, so that memory does not
 * grow with their number and stopping early is cheap. db_stmt's rows all come at once from a server.
 */
struct db_stmt *db_scan(struct db_tx *tx, struct db_texts *t, unsigned q);

/* Parameters count from 1. Bytes must stay until the statement is stepped to its end or reset. */
void db_bind_int(struct db_stmt *st, int i, int64_t v);
void db_bind_text(struct db_stmt *st, int i, struct str v);
void db_bind_c(struct db_stmt *st, int i, const char *v); /* NULL binds NULL */
void db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n);
void db_bind_guid(struct db_stmt *st, int i, const struct guid *g);
void db_bind_null(struct db_stmt *st, int i);

/* *ret_row: a row is there. At the end the statement resets itself. */
SOUK_MUST enum souk_err db_step(struct db_stmt *st, bool *ret_row);
/* Steps to the end; *ret_changes (may be NULL) is the number of rows inserted, changed or deleted.
 * A broken unique or foreign key or CHECK is SOUK_E_CONFLICT. */
SOUK_MUST enum souk_err db_run(struct db_stmt *st, int64_t *ret_changes);
/*
 * The same without waiting for the answer: a failure shows at the next statement or at the commit, as
 * the error it would have been here. For writes whose number of rows is of no interest.
 */
SOUK_MUST enum souk_err db_run_later(struct db_stmt *st);
/* One row wanted: SOUK_E_NOT_FOUND when there is none. Columns may be read until db_reset. */
SOUK_MUST enum souk_err db_one(struct db_stmt *st);
void db_reset(struct db_stmt *st);

/* Columns count from 0. Slices live until the next step or reset. NULL reads as 0, empty, zero guid. */
int64_t db_int(struct db_stmt *st, int col);
struct str db_text(struct db_stmt *st, int col);
struct str db_blob(struct db_stmt *st, int col);
struct guid db_guid(struct db_stmt *st, int col);
bool db_is_null(struct db_stmt *st, int col);

/*
 * Has a statement's failure ended the transaction, so that no other one can be run in it? On a server every
 * failure does, also a broken key; in the embedded engine one of the disk.
 */
bool db_is_over(const struct db_tx *tx);

/* The last engine message of this transaction, for the log: never has bound values in it. */
const char *db_message(struct db_tx *tx);

/*
 * Online copy into a new file, consistent, sealed values stay sealed; fails if `path` exists.
 * PostgreSQL: SOUK_E_INVALID, its own tools do that.
 */
SOUK_MUST enum souk_err db_backup(struct db *db, const char *path, struct fail *f);
/* Is the database reachable and writable right now? For readiness. Waits for it, some seconds at most. */
SOUK_MUST enum souk_err db_ping(struct db *db);
/* What is known of it without asking; the embedded one is always fine. Never waits. */
enum db_state {
	DB_STATE_FINE,
	DB_STATE_AWAY,      /* no answer for some seconds */
	DB_STATE_READ_ONLY, /* only standbys are there */
	DB_STATE_NEWER      /* its schema serves newer programs only: nothing is read or written */
};
enum db_state db_state(const struct db *db);
/* Number of the newest migration this program knows. */
int db_schema_version(void);

struct db_migrated {
	int was, is,
	    knows;     /* schema versions: before, now, of this program; `was` 0: it was empty */
	int runs_from; /* oldest program, by its version, that can run on it now */
	char waiting
	    [64]; /* the next migration, when it has to wait for older nodes to stop; or "" */
};
/*
 * Moves the schema forward as far as older nodes can live with it, or (`contract`) to its end, which is
 * refused while older nodes run. The embedded engine has one program and always goes to the end.
 * The database must not be open in this process. SOUK_E_CONFLICT: as of db_open; also when this program cannot
 * run before older nodes have stopped. *ret is filled as far as it got.
 */
SOUK_MUST enum souk_err db_migrate(
    const char *path, bool contract, struct db_migrated *ret, struct fail *f);

/* Small facts of the installation (table meta): name -> text. Absent: SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err db_meta_get(struct db_tx *tx, const char *name, struct buf *ret);
SOUK_MUST enum souk_err db_meta_put(struct db_tx *tx, const char *name, struct str value);

#endif
