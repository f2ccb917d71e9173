/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL engine's handle: a bounded number of threads that write, each with its own
 * connection, and a queue before them.
 *
 * A function is run again when its failure says that this is safe: others were in its way, or
 * the connection was lost before COMMIT was sent. After COMMIT was sent, nobody but the caller can know.
 * The danger is a queue that grows while the database is slow: it is bounded, who waited too long
 * is refused, and the rest is served in time.
 */
#include "store/db_pg.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/guid.h"
#include "store/migrate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES_MAX 8
#define TELL_NS UINT64_C(10000000000) /* between two lines on failures */

static enum souk_err
open_conn(struct db *db, enum conn_use use, struct conn **ret, struct fail *f)
{
	return pg_conn_open(db, use, ret, f);
}

/* ---- writing ---- */

static void
pause_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

/*
 * A pause before try `n`, so that those who met do not meet again: from a few milliseconds after a
 * quarrel, from some tens of them for a connection, which all the writers of all nodes want at once.
 */
static int64_t
pause_before(unsigned n, bool connection)
{
	uint32_t dice, most = connection ? 50u << (n < 3 ? n : 3) : 4u << (n < 6 ? n : 6);

	random_bytes(&dice, sizeof(dice));
	return 1 + (int64_t)(most / 4 + dice % most);
}

/* Every few seconds at most, of each kind: a database that is away fails every call. */
static bool
may_tell(struct db *db, enum met_fault fault, unsigned *ret_others)
{
	struct pg_told *t = &db->pg->told_of[fault];
	uint64_t now = clock_mono_ns(), last = atomic_load(&t->at);

	if ((last != 0 && now - last < TELL_NS) ||
	    !atomic_compare_exchange_strong(&t->at, &last, now)) {
		atomic_fetch_add(&t->others, 1);
		return false;
	}
	*ret_others = atomic_exchange(&t->others, 0);
	return true;
}

/* A failed try: what an operator must know of it. */
struct attempt {
	bool again; /* may be repeated */
	enum met_fault fault;
	enum souk_err err; /* the database's; SOUK_OK: the function's own */
	char words[sizeof(((struct fail *)NULL)->detail)];
};

static void
attempt_no_conn(struct attempt *a, enum souk_err err, const struct fail *f)
{
	*a = (struct attempt){ .again = err == SOUK_E_UNAVAILABLE,
		.fault = pg_fault_of(f->code),
		.err = SOUK_E_UNAVAILABLE };
	(void)snprintf(a->words, sizeof(a->words), "%s", f->detail);
}

static void
attempt_on(struct attempt *a, const struct conn *c)
{
	const struct pg_conn *p = (const struct pg_conn *)c;

	*a = (struct attempt){ .again = conn_again(c), .fault = p->fault, .err = p->err };
	(void)snprintf(a->words, sizeof(a->words), "%s", conn_message(c));
}

/* Metrics and log, when it was the database's fault; a caller's own is none. */
static void
tell(struct db *db, enum conn_use use, const struct attempt *a)
{
	unsigned others;

	if (a->err != SOUK_E_UNAVAILABLE && a->err != SOUK_E_STORAGE &&
	    a->err != SOUK_E_UNCERTAIN && a->err != SOUK_E_INTERNAL)
		return;
	metric_add(MET_DB_FAILURES, a->fault, 1);
	if (may_tell(db, a->fault, &others))
		log_event(LOG_ERROR, "database_failed",
		    LOG_S("use", use == CONN_READ ? "read" : "write"),
		    LOG_S("error", souk_err_word(a->err)), LOG_S("reason", a->words),
		    LOG_I("others", others));
}

static void
note(struct db *db, const struct conn *c, enum souk_err err, const struct fail *f)
{
	struct attempt a;

	if (c)
		attempt_on(&a, c);
	else
		attempt_no_conn(&a, err, f);
	tell(db, CONN_READ, &a);
}

static enum souk_err
connect_for(struct db *db, struct conn **c, enum conn_use use, struct attempt *a)
{
	struct fail f = { 0 };
	enum souk_err err = open_conn(db, use, c, &f);

	if (err != SOUK_OK)
		attempt_no_conn(a, err, &f);
	return err;
}

/* One run on the thread's connection, opened when there is none. *a is set when it fails. */
static enum souk_err
run_once(struct db *db, struct conn **c, enum conn_use use, db_fn *fn, void *arg, struct attempt *a)
{
	struct db_tx tx;
	enum souk_err err;

	if (!*c && (err = connect_for(db, c, use, a)) != SOUK_OK)
		return err == SOUK_E_NOMEM ? err : SOUK_E_UNAVAILABLE;
	err = write_on(&tx, db, *c, fn, arg);
	if (err == SOUK_OK) {
		tx_committed(&tx);
		db_committed(db, 1, tx.commit_ns);
		return err;
	}
	attempt_on(a, *c);
	if (conn_broken(*c)) {
		conn_close(*c);
		*c = NULL;
	}
	return err;
}

/* Runs it until its answer stands: done, refused, or not possible before `until` (monotonic). */
static enum souk_err
run(struct db *db, struct conn **c, enum conn_use use, db_fn *fn, void *arg, uint64_t until)
{
	struct attempt a;
	enum souk_err err = SOUK_E_UNAVAILABLE;

	if (pg_state(db) == DB_STATE_NEWER) /* its tables are not those that we know */
		return err;
	for (unsigned n = 1; (err = run_once(db, c, use, fn, arg, &a)) != SOUK_OK; n++) {
		if (!a.again || (n >= TRIES_MAX && *c) || /* always in the way of others */
		    /* A large one takes longer than that: once more is fair. */
		    (clock_mono_ns() >= until && !(use == CONN_BULK && n == 1)) || pg_silent(db) ||
		    atomic_load(&db->pg->stop))
			break;
		metric_add(MET_DB_RETRIES, *c ? MRETRY_CONFLICT : MRETRY_CONNECTION, 1);
		pause_ms(pause_before(n, !*c));
	}
	if (err != SOUK_OK)
		tell(db, use, &a);
	return err != SOUK_OK && a.again ? SOUK_E_UNAVAILABLE : err;
}

/* Waits until a write is there; false when it is time to stop. */
static bool
wait_for_write(struct db *db)
{
	bool there;

	(void)pthread_mutex_lock(&db->queue_lock);
	while (!db->queue && !db->stop)
		(void)pthread_cond_wait(&db->queue_filled, &db->queue_lock);
	there = db->queue != NULL;
	(void)pthread_mutex_unlock(&db->queue_lock);
	return there;
}

/* The oldest write; NULL when another writer was faster. */
static struct db_write *
take_write(struct db *db)
{
	struct db_write *w;

	(void)pthread_mutex_lock(&db->queue_lock);
	if ((w = db->queue)) {
		if (!(db->queue = w->next))
			db->queue_end = &db->queue;
		db->pg->n_queued--;
		metric_set(MET_DB_QUEUED, 0, db->pg->n_queued);
	}
	(void)pthread_mutex_unlock(&db->queue_lock);
	return w;
}

/*
 * Has the thread a connection? Before it takes a write: the server may have no more of them, and
 * then those writers serve it who have one. Another one is woken, then a pause; the doorman refuses
 * whom nobody serves.
 */
static bool
has_connection(struct pg_writer *me, unsigned *failed)
{
	struct attempt a;

	if (me->conn || connect_for(me->db, &me->conn, CONN_WRITE, &a) == SOUK_OK) {
		*failed = 0;
		return true;
	}
	tell(me->db, CONN_WRITE, &a);
	(void)pthread_cond_signal(&me->db->queue_filled);
	pause_ms(pause_before((*failed)++, true));
	return false;
}

static void *
writer_main(void *arg)
{
	struct pg_writer *me = arg;
	struct db *db = me->db;
	struct db_write *w;
	unsigned failed = 0;

	while (wait_for_write(db)) {
		if (!has_connection(me, &failed) || !(w = take_write(db)))
			continue;
		w->err = run(db, &me->conn, CONN_WRITE, w->fn, w->arg,
		    w->queued_at + (uint64_t)PG_PATIENCE_MS * 1000000);
		w->done(w, w->err);
	}
	conn_close(me->conn);
	me->conn = NULL;
	return NULL;
}

/* Takes those off the queue who waited too long, or were too many. Under the lock. */
static struct db_write *
take_refused(struct db *db)
{
	struct db_write *first = db->pg->refused, **end = &first;
	uint64_t now = clock_mono_ns();

	db->pg->refused = NULL;
	while (*end)
		end = &(*end)->next;
	while (db->queue && now - db->queue->queued_at > (uint64_t)PG_PATIENCE_MS * 1000000) {
		*end = db->queue;
		if (!(db->queue = db->queue->next))
			db->queue_end = &db->queue;
		end = &(*end)->next;
		*end = NULL;
		db->pg->n_queued--;
	}
	return first;
}

/* Refuses what nobody can serve in time while all writers wait for the database. */
static void *
doorman_main(void *arg)
{
	struct db *db = arg;
	struct db_write *w, *next;
	bool stop;

	do {
		(void)pthread_mutex_lock(&db->queue_lock);
		if ((!db->stop || db->queue) && !db->pg->refused)
			(void)clock_cond_wait_ms(&db->pg->bell, &db->queue_lock, 250);
		w = take_refused(db);
		stop = db->stop && !db->queue; /* who still waits is served or refused */
		(void)pthread_mutex_unlock(&db->queue_lock);
		for (; w; w = next) {
			next = w->next;
			metric_add(MET_DB_REFUSED, 0, 1);
			w->err = SOUK_E_UNAVAILABLE;
			w->done(w, w->err);
		}
	} while (!stop);
	return NULL;
}

static void
write_async(struct db *db, struct db_write *w)
{
	struct db_pg *p = db->pg;
	bool full;

	w->next = NULL;
	w->queued_at = clock_mono_ns();
	(void)pthread_mutex_lock(&db->queue_lock);
	full = p->n_queued >= p->n_writers * PG_QUEUE_PER_WRITER;
	if (full) {
		w->next = p->refused;
		p->refused = w;
	} else {
		*db->queue_end = w;
		db->queue_end = &w->next;
		metric_set(MET_DB_QUEUED, 0, ++p->n_queued);
	}
	(void)pthread_mutex_unlock(&db->queue_lock);
	(void)pthread_cond_signal(full ? &p->bell : &db->queue_filled);
}

/* Its thread would wait for a connection instead of the disk: nothing is saved. */
static bool
write_alone(struct db *db, struct db_write *w)
{
	(void)db;
	(void)w;
	return false;
}

static enum souk_err
bulk(struct db *db, db_fn *fn, void *arg)
{
	struct conn *c = NULL;
	enum souk_err err =
	    run(db, &c, CONN_BULK, fn, arg, clock_mono_ns() + (uint64_t)PG_PATIENCE_MS * 1000000);

	conn_close(c);
	return err;
}

/* ---- erasing ---- */

/*
 * Rows that are gone stay in their pages until the server's vacuum and in its log for longer; what
 * makes them unreadable for good is that the key ring drops its old keys (docs/fleet.md).
 */
static void
ask_scrub(struct db *db)
{
	(void)db;
}

static bool
scrub_wait(struct db *db, int64_t timeout_ms)
{
	(void)db;
	(void)timeout_ms;
	return true;
}

/* One text of the server's, at most 63 bytes; false when it does not answer. */
static bool
ask(PGconn *h, const char *sql, char out[64])
{
	PGresult *res = PQexec(h, sql);
	bool ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1;

	if (ok)
		(void)snprintf(out, 64, "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	return ok;
}

static bool
settle(struct db *db, int64_t timeout_ms)
{
	uint64_t until = clock_mono_ns() + (uint64_t)timeout_ms * 1000000;
	char now[64], left[64] = "", sql[256];
	struct fail f = { 0 };
	PGconn *h;
	bool ok;

	if (pg_connect(db->path, "souk settle", &pg_limits_of[CONN_READ], &h, &f) != SOUK_OK)
		return false;
	ok = ask(h, "SELECT extract(epoch FROM clock_timestamp())", now);
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
	    " AND pid <> pg_backend_pid() AND extract(epoch FROM xact_start) < %s",
	    now);
	while (ok && (ok = ask(h, sql, left)) && strcmp(left, "0") != 0) {
		ok = clock_mono_ns() < until;
		pause_ms(200);
	}
	PQfinish(h);
	return ok;
}

static enum souk_err
backup(struct db *db, const char *path, struct fail *f)
{
	(void)db;
	(void)path;
	return fail_set(f, SOUK_E_INVALID, "use_the_servers_tools",
	    "this installation's database is PostgreSQL: copy it with pg_basebackup or pg_dump, "
	    "and "
	    "keep the key ring's copy elsewhere");
}

/* ---- starting and stopping ---- */

static enum souk_err
start_threads(struct db *db, unsigned writers)
{
	struct db_pg *p = db->pg;

	p->n_writers = writers == 0               ? PG_WRITERS
		       : writers > PG_WRITERS_MAX ? PG_WRITERS_MAX
						  : writers;
	if (!(p->writer = calloc(p->n_writers, sizeof(*p->writer))))
		return SOUK_E_NOMEM;
	for (; p->n_started < p->n_writers; p->n_started++) {
		struct pg_writer *w = &p->writer[p->n_started];

		w->db = db;
		if (pthread_create(&w->thread, NULL, writer_main, w) != 0)
			return SOUK_E_INTERNAL;
	}
	if (pthread_create(&p->doorman, NULL, doorman_main, db) != 0)
		return SOUK_E_INTERNAL;
	p->doorman_started = true;
	return pg_listen_start(db);
}

static enum souk_err
start(struct db *db, const struct db_options *o, struct fail *f)
{
	enum souk_err err;

	(void)pthread_mutex_init(&db->queue_lock, NULL);
	(void)pthread_cond_init(&db->queue_filled, NULL);
	db->queue_end = &db->queue;
	if (!(db->pg = calloc(1, sizeof(*db->pg))))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the database");
	clock_cond_init(&db->pg->bell);
	db->pg->wake[0] = db->pg->wake[1] = -1;
	if ((err = migrate_pg(db->path,
		 !o->create      ? MIGRATE_CHECK
		 : o->distribute ? MIGRATE_DISTRIBUTE
				 : MIGRATE_CREATE,
		 f)) != SOUK_OK)
		return err;
	if ((err = start_threads(db, o->writers)) != SOUK_OK)
		return fail_set(f, err, "database_failed", "cannot start the database's threads");
	return SOUK_OK;
}

static void
stop(struct db *db)
{
	struct db_pg *p = db->pg;

	if (p) {
		(void)pthread_mutex_lock(&db->queue_lock);
		db->stop = true;
		(void)pthread_mutex_unlock(&db->queue_lock);
		(void)pthread_cond_broadcast(&db->queue_filled);
		(void)pthread_cond_signal(&p->bell);
		for (unsigned i = 0; i < p->n_started; i++)
			(void)pthread_join(p->writer[i].thread, NULL);
		if (p->doorman_started)
			(void)pthread_join(p->doorman, NULL);
		pg_listen_stop(db);
		(void)pthread_cond_destroy(&p->bell);
		free(p->writer);
		free(p);
	}
	(void)pthread_mutex_destroy(&db->queue_lock);
	(void)pthread_cond_destroy(&db->queue_filled);
}

const struct db_ops db_pg_ops = {
	.start = start,
	.stop = stop,
	.open_conn = open_conn,
	.write_async = write_async,
	.write_alone = write_alone,
	.bulk = bulk,
	.ask_scrub = ask_scrub,
	.scrub_wait = scrub_wait,
	.settle = settle,
	.backup = backup,
	.state = pg_state,
	.silent = pg_silent,
	.note = note,
	.shared = true,
	.read_patience_ms = PG_PATIENCE_MS,
};
