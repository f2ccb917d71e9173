/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the PostgreSQL engine share. Private to db_pg*.c and migrate_pg.c.
 *
 * A connection is in libpq's pipeline mode: commands are sent without waiting for the
 * answers of those before them, and answers come in the order of the commands. So each command
 * leaves a note of what its answer is for, and who needs one reads all before it first.
 */
#ifndef SOUK_STORE_DB_PG_H
#define SOUK_STORE_DB_PG_H

#include "store/db_int.h"

#include "base/metrics.h"

#include <libpq-fe.h>

#define PG_PARAMS_MAX 32
#define PG_WAITING_MAX 64 /* commands sent whose answers were not read */
#define PG_FETCH 512      /* rows of a scan that come at once */
#define PG_LOCKS_MAX 500  /* that one transaction takes one by one */

/* How long things may take, far below the 15 minutes that exports lag behind (specs/psc.md 6). */
#define PG_STATEMENT_MS 30000
#define PG_LOCK_MS 5000
#define PG_BULK_MS 600000
#define PG_COMMIT_MS 15000
#define PG_OPEN_MS 3000    /* each answer while a connection is opened */
#define PG_WRITE_MS 120000 /* a whole write transaction, bulk apart */
/*
 * A write transaction whose node says nothing: the server ends it, and its locks with it. Longer than a node
 * may be paused and go on; ours have nothing to wait for in between.
 */
#define PG_IDLE_MS 10000

enum pg_control {
	PG_BEGIN_READ,
	PG_BEGIN_WRITE,
	PG_COMMIT,
	PG_ROLLBACK,
	PG_NOW,
	PG_LOCK_ALL,
	PG_LOCK_FIRST, /* from here on with a parameter */
	PG_LOCK_FIRST_SHARED,
	PG_LOCK,
	PG_LOCK_SHARED,
	PG_TELL,
	PG_CONTROL__COUNT
};

enum pg_stmt_state {
	PG_STMT_IDLE,  /* ended or never handed out */
	PG_STMT_READY, /* handed out, parameters being bound */
	PG_STMT_ROWS   /* has rows; on the connection's list */
};

struct pg_stmt {
	struct db_stmt base; /* first: callers hold it */
	struct pg_conn *conn;
	char *sql;
	enum souk_err err; /* it cannot be run: why */
	enum pg_stmt_state state;
	bool prepared, scan;
	char name[24]; /* of the prepared statement, and of the cursor */
	int n_params;
	const char *value[PG_PARAMS_MAX];
	int length[PG_PARAMS_MAX];
	Oid type[PG_PARAMS_MAX]; /* 0: NULL was bound */
	uint64_t number[PG_PARAMS_MAX];
	PGresult *rows; /* being read */
	int row, n_rows;
	PGresult *next;    /* of a scan: the rows after them */
	bool next_pending; /* asked for */
	struct pg_stmt *list_next, **list_back;
};

enum pg_answer { PG_A_CHECK, PG_A_PREPARED, PG_A_NOW, PG_A_ROWS, PG_A_COMMIT, PG_A_SYNC };

struct pg_waiting {
	enum pg_answer kind;
	struct pg_stmt *st; /* PG_A_PREPARED, PG_A_ROWS */
};

enum pg_tx { PG_TX_NONE, PG_TX_OPEN, PG_TX_FAILED };

struct pg_conn {
	struct conn base; /* first: callers hold it */
	PGconn *h;
	struct db *db;
	enum conn_use use;
	bool counted;         /* in the metrics */
	enum met_fault fault; /* of the first failure */
	enum pg_tx tx;
	bool broken;      /* the connection is of no use any more */
	bool again;       /* what failed may be tried again from its beginning */
	bool write;       /* the transaction */
	bool in_commit;   /* COMMIT is being sent, or was and its answer not read */
	bool doubt;       /* the server warned while it committed */
	bool committed;   /* it said so */
	instant_t now;    /* of the transaction */
	uint64_t began;   /* monotonic; the transaction */
	unsigned n_locks; /* of the transaction */
	bool all_locks;   /* it has the one that stands for all */
	bool all_first;   /* a large transaction met others: it is to begin with that one */
	int lane;
	int64_t
	    salt; /* of the schema: several installations in one database do not wait for each other */
	int64_t last_lock; /* of a bulk transaction: taken already */
	enum souk_err err; /* the transaction's first failure */
	unsigned first, n_waiting;
	struct pg_waiting waiting[PG_WAITING_MAX]; /* a ring */
	struct {
		unsigned n;
		struct pg_stmt *stmt; /* n of them */
	} table[DB_SLOTS_MAX];
	struct pg_stmt *open; /* statements with rows */
	char message[256];
};

static inline struct pg_conn *
pg(struct conn *c)
{
	return (struct pg_conn *)c;
}

/* ---- db_pg_open.c ---- */
/* For how long each thing may go on in a session before the server ends it; 0: for ever. */
struct pg_limits {
	int statement_ms, idle_ms; /* a statement; a transaction that nothing is sent in */
	int transaction_ms;        /* a whole transaction, where the server knows that (17) */
};
extern const struct pg_limits pg_limits_of[]; /* by enum conn_use */

/*
 * A plain connection with the settings of ours that the address does not give. `name` and this program's schema
 * version name the session: whether older commands are at work is told by it (migrate_pg.c). *ret is NULL on
 * failure; the words say what to mend and hold neither password nor data.
 */
SOUK_MUST enum souk_err pg_connect(const char *url, const char *name,
    const struct pg_limits *limits, PGconn **ret, struct fail *f);
/* Runs texts over a connection that is not in use yet; NULL when the server is silent for PG_OPEN_MS. The caller clears it. */
PGresult *pg_exec_in_time(PGconn *h, const char *sql);

/* ---- db_pg_conn.c ---- */
/* Waits until an answer can be read without blocking; false at `until` (monotonic), when
 * the connection is lost, or, with `db`, when that is silent. */
bool pg_wait(PGconn *h, uint64_t until, const struct db *db);
SOUK_MUST enum souk_err pg_conn_open(
    struct db *db, enum conn_use use, struct conn **ret, struct fail *f);
/* The fault that a failure to connect was, by its code; and the code of a fault (db_pg_open.c). */
enum met_fault pg_fault_of(const char *code);
const char *pg_code_of(enum met_fault fault);
/* What a failed answer means; sets message, again, broken. */
enum souk_err pg_failed(struct pg_conn *c, const PGresult *res);
/* The connection is lost: nothing more goes over it. */
enum souk_err pg_lost(struct pg_conn *c, const char *why);
/* The words for a failed command outside of a pipeline: our own and the SQLSTATE, never a value. */
void pg_words(const PGresult *res, const PGconn *h, char *out, size_t n);
/* Notes a command that was sent (ok: libpq took it). */
enum souk_err pg_sent(struct pg_conn *c, int ok, enum pg_answer kind, struct pg_stmt *st);
/* Reads answers until none of this statement is waited for (NULL: none at all). */
enum souk_err pg_await(struct pg_conn *c, const struct pg_stmt *st);
/* Sends what is buffered without waiting. */
void pg_flush(struct pg_conn *c);
/*
 * Ends what was sent so far: it is answered now, and from its end on the server's limits count. A request to flush
 * would not do: the server then takes itself to be in the middle of something, where none of them holds.
 */
enum souk_err pg_sync(struct pg_conn *c);
/* A plain command without parameters, answer only checked. */
enum souk_err pg_command(struct pg_conn *c, const char *sql);

/* ---- db_pg_stmt.c ---- */
struct db_stmt *pg_stmt_of(
    struct conn *base, unsigned slot, const struct db_texts *t, unsigned q, bool scan);
void pg_reset_open(struct conn *base);
void pg_stmts_free(struct pg_conn *c);

/* ---- db_pg_listen.c ---- */
SOUK_MUST enum souk_err pg_listen_start(struct db *db);
void pg_listen_stop(struct db *db);
/* What the listener knows. */
enum db_state pg_state(const struct db *db);
bool pg_silent(const struct db *db);
/* It said something, to whomever. */
void pg_answered(struct db *db);

/* ---- the handle (db_pg.c) ---- */
#define PG_WRITERS 16
#define PG_WRITERS_MAX 256
#define PG_QUEUE_PER_WRITER 64 /* writes that may wait; more are refused */
#define PG_PATIENCE_MS                                                                             \
	5000 /* how long a write waits for its turn, or for a database that is away */

struct pg_writer {
	struct db *db;
	pthread_t thread;
	struct conn *conn;
};

/* What the log was told of one kind of fault. */
struct pg_told {
	_Atomic uint64_t at;     /* monotonic; 0: never */
	_Atomic unsigned others; /* failures since then */
};

struct db_pg {
	unsigned n_writers, n_started, n_queued;
	struct pg_writer *writer;
	pthread_t doorman;
	pthread_cond_t bell; /* of the doorman */
	bool doorman_started;
	struct db_write *refused; /* too many waited */

	pthread_t listener;
	bool listening;
	_Atomic bool stop;
	int wake[2];                  /* ends the listener's sleep */
	_Atomic uint64_t answered_at; /* monotonic: it answered anybody, or refused to */
	_Atomic uint64_t heard_at;    /* monotonic: the database answered the listener */
	bool told;                    /* the log, that it is away; the listener's */
	struct pg_told told_of[MFAULT__COUNT];
	_Atomic enum db_state state; /* as the listener found it, when it was heard lately */
};

#endif
