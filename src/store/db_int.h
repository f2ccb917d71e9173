/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a database handle: the writers' queue, the readers' pool, and of the embedded engine
 * the gate and the upkeep of the log. Private to store/.
 *
 * Whoever has passed the gate may take any one of the locks; nobody enters it with a lock held.
 */
#ifndef SOUK_STORE_DB_INT_H
#define SOUK_STORE_DB_INT_H

#include "store/engine.h"

#include <pthread.h>
#include <semaphore.h>

#define DB_HOOKS_MAX 16
#define DB_LASTS_MAX 4
#define DB_BATCH_MAX 256  /* functions in one commit */
#define DB_READERS_MAX 64 /* connections of the pool */
#define DB_READERS 8
#define DB_GATE_MS                                                                                 \
	30000 /* how long a write waits for another one of this process, and a reader for its turn */

struct db_hook {
	void (*fn)(void *arg);
	void *arg;
};

struct db_last {
	db_fn *fn;
	void *arg;
};

struct db_tx {
	struct db *db;
	struct conn *conn;
	instant_t now; /* INSTANT_MIN: not asked for yet */
	bool write, scrub;
	uint64_t commit_ns;                             /* what the commit took */
	uint64_t memo[DB_LANE_MEMO / sizeof(uint64_t)]; /* of the lane, this transaction's state */
	unsigned n_hooks, n_lasts;
	struct db_hook hook[DB_HOOKS_MAX];
	struct db_last last[DB_LASTS_MAX]; /* run before the commit */
};

/* One function of a batch and what came of it. */
struct db_part {
	struct db_write *w;
	struct db_tx tx;
	bool settled; /* its answer stands; it is not run again */
};

struct db_reader {
	_Atomic bool busy;
	struct conn *conn; /* opened at first use; the holder's */
};

/* Who writes, in this process: first come, first served, or the writer would starve the upkeep. */
struct db_gate {
	pthread_mutex_t lock;
	pthread_cond_t left;
	bool taken;
	struct db_turn *first;
};

/* Rings when something was committed that others in this process wait for (jobs). */
struct db_bell {
	pthread_mutex_t lock;
	pthread_cond_t rang;
	uint64_t count;
};

/* The log's upkeep: checkpoints, and scrubbing after erasures (db_upkeep.c). */
struct db_upkeep {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	pthread_t thread;
	bool started, stop;
	struct conn *conn;
	_Atomic int frames;       /* length of the log after the last commit */
	int moved;                /* of them, what the last checkpoint saw */
	uint64_t asked, scrubbed; /* erasures: committed, and gone from the log */
	int fd;                   /* of the log file, to make room; -1: none */
};

/* What an engine does with a handle. */
struct db_ops {
	enum souk_err (*start)(struct db *db, const struct db_options *o, struct fail *f);
	void (*stop)(struct db *db);
	enum souk_err (*open_conn)(
	    struct db *db, enum conn_use use, struct conn **ret, struct fail *f);
	void (*write_async)(struct db *db, struct db_write *w);
	bool (*write_alone)(struct db *db, struct db_write *w);
	enum souk_err (*bulk)(struct db *db, db_fn *fn, void *arg);
	void (*ask_scrub)(struct db *db);
	bool (*scrub_wait)(struct db *db, int64_t timeout_ms);
	bool (*settle)(struct db *db, int64_t timeout_ms);
	enum souk_err (*backup)(struct db *db, const char *path, struct fail *f);
	enum db_state (*state)(const struct db *db); /* known without asking */
	/* Has nothing answered for seconds, not even to refuse? Then who asks would only wait, too. */
	bool (*silent)(const struct db *db);
	/* Tells metrics and log of what failed for the database's sake. c NULL: no connection, for `f`. */
	void (*note)(struct db *db, const struct conn *c, enum souk_err err, const struct fail *f);
	bool shared;
	int64_t read_patience_ms; /* how long a reader waits for its turn */
};
extern const struct db_ops db_lite_ops, db_pg_ops;

struct db_listener {
	void (*fn)(void *arg);
	void *arg;
};

struct db {
	const struct db_ops *ops;
	char *path; /* or address */
	size_t cache_kib;
	struct conn *writer;
	struct db_gate gate;
	_Atomic instant_t last_now;
	_Atomic uint64_t committed_at; /* clock_mono_ns of the last durable commit */

	pthread_mutex_t queue_lock;
	pthread_cond_t queue_filled;
	struct db_write *queue, **queue_end;
	bool stop, writer_started;
	pthread_t writer_thread;
	struct db_part part[DB_BATCH_MAX]; /* the writer thread's */
	struct db_pg *pg;                  /* of the PostgreSQL engine */

	pthread_mutex_t news_lock;
	struct db_listener listener[DB_NEWS__COUNT];

	struct db_reader reader[DB_READERS_MAX];
	unsigned n_readers;
	sem_t free_readers;

	struct db_bell bell;
	struct db_upkeep upkeep;
};

/* db.c */
void tx_init(struct db_tx *tx, struct db *db, struct conn *c, bool write);
/* Runs the function, and what it left for the end. */
enum souk_err tx_run(struct db_tx *tx, db_fn *fn, void *arg);
/* The lane's memory as this transaction leaves it: to the connection, once that is certain. */
void tx_keep_memo(const struct db_tx *tx);
/* Runs the hooks and passes the erasures on; after the commit, once. */
void tx_committed(struct db_tx *tx);
/* After a commit: metrics. */
void db_committed(struct db *db, unsigned writes, uint64_t commit_ns);

/* Runs it in a read snapshot on `c`. */
enum souk_err read_on(struct db *db, struct conn *c, db_fn *fn, void *arg);
/* One write transaction on `c`. tx_committed is the caller's. */
enum souk_err write_on(struct db_tx *tx, struct db *db, struct conn *c, db_fn *fn, void *arg);
/* Calls the listener of this kind, if any. */
void db_hear(struct db *db, enum db_news news);

/* db_gate.c */
void gate_init(struct db_gate *g);
void gate_done(struct db_gate *g);
/* Waits for the right to write in this process; false when it takes too long. */
SOUK_MUST bool gate_enter(struct db *db);
/* The same without waiting: false when somebody is at it or waits. */
SOUK_MUST bool gate_try(struct db *db);
void gate_leave(struct db *db);

/* db_writer.c */
SOUK_MUST enum souk_err writer_start(struct db *db);
void writer_stop(struct db *db);
void writer_async(struct db *db, struct db_write *w);
bool writer_alone(struct db *db, struct db_write *w);

/* db_readers.c */
SOUK_MUST enum souk_err readers_init(struct db *db, unsigned n);
void readers_done(struct db *db);

/* db_backup.c */
SOUK_MUST enum souk_err lite_backup(struct db *db, const char *path, struct fail *f);

/* db_upkeep.c */
SOUK_MUST enum souk_err upkeep_start(struct db *db, struct fail *f);
void upkeep_stop(struct db *db);
/* Makes room in the log file. The caller holds the write transaction. */
void upkeep_room(struct db *db);
/* After a commit: wakes the upkeep when there is enough to do. */
void upkeep_note_commit(struct db *db);
void upkeep_ask_scrub(struct db *db);
bool upkeep_scrub_wait(struct db *db, int64_t timeout_ms);

/* For the job queue. */
void db_bell_ring(void *bell); /* a db_on_commit hook */
struct db_bell *db_bell(struct db *db);
struct db *tx_db(struct db_tx *tx);

#endif
