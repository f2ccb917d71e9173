/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded engine's handle: a file, one writer thread, the log's upkeep.
 *
 * The danger is the order of stopping: the writer first, then the log's upkeep, then (db.c)
 * the readers.
 */
#include "store/db_int.h"

#include "store/migrate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file with its mode, before the engine would make it with another one. */
static enum souk_err
make_file(const struct db_options *o, struct fail *f)
{
	int fd = open(o->path, O_RDWR | O_CLOEXEC | (o->create ? O_CREAT : 0), 0600);

	if (fd >= 0) {
		(void)close(fd);
		return SOUK_OK;
	}
	if (errno == ENOENT && !o->create)
		return fail_set(f, SOUK_E_STORAGE, "database_missing",
		    "%s: is not there; run `souk init`, or give the data directory that has it",
		    o->path);
	return fail_set(f, SOUK_E_STORAGE, "database_failed", "%s: cannot open: %s", o->path,
	    strerrordesc_np(errno));
}

/* A file shorter than its own page count was cut off; found here, not in the middle of a read. */
static enum souk_err
check_length(struct db *db, struct fail *f)
{
	int64_t pages = 0, page_size = 0;
	struct stat st;

	if (conn_number(db->writer, "PRAGMA page_count", &pages) != SOUK_OK ||
	    conn_number(db->writer, "PRAGMA page_size", &page_size) != SOUK_OK ||
	    stat(db->path, &st) != 0)
		return fail_set(
		    f, SOUK_E_STORAGE, "database_failed", "%s: cannot read its size", db->path);
	if (st.st_size < pages * page_size)
		return fail_set(f, SOUK_E_STORAGE, "database_damaged",
		    "%s: is shorter than it says it is; restore a backup", db->path);
	return SOUK_OK;
}

/*
 * What a stopped process left in the log goes into the file and out of the log: an
 * erasure committed just before it stopped is finished by this.
 */
static enum souk_err
recover(struct db *db, struct fail *f)
{
	bool whole = false;
	enum souk_err err = conn_checkpoint(db->writer, CHECKPOINT_TRUNCATE, 0, &whole);

	if (err != SOUK_OK)
		return fail_set(f, err, "database_failed", "%s: cannot empty its log: %s", db->path,
		    conn_message(db->writer));
	if (!whole) {
		/* Another process reads it: later, by the upkeep. */
		upkeep_ask_scrub(db);
		return SOUK_OK;
	}
	return check_length(db, f);
}

static enum souk_err
start(struct db *db, const struct db_options *o, struct fail *f)
{
	enum souk_err err = make_file(o, f);

	db->upkeep.fd = -1;
	gate_init(&db->gate);
	(void)pthread_mutex_init(&db->queue_lock, NULL);
	(void)pthread_cond_init(&db->queue_filled, NULL);
	(void)pthread_mutex_init(&db->upkeep.lock, NULL);
	clock_cond_init(&db->upkeep.work);
	clock_cond_init(&db->upkeep.done);
	if (err != SOUK_OK ||
	    (err = conn_open(&(struct conn_options){ .path = db->path,
				 .use = CONN_WRITE,
				 .cache_kib = o->cache_kib,
				 .log_frames = &db->upkeep.frames },
		 &db->writer, f)) != SOUK_OK ||
	    (err = migrate(db->writer, db->path, o->create, f)) != SOUK_OK ||
	    (err = recover(db, f)) != SOUK_OK || (err = upkeep_start(db, f)) != SOUK_OK)
		return err;
	if ((err = writer_start(db)) != SOUK_OK)
		return fail_set(f, err, "database_failed", "%s: cannot start a thread", db->path);
	return SOUK_OK;
}

static void
stop(struct db *db)
{
	writer_stop(db);
	upkeep_stop(db);
	if (db->writer)
		conn_close(db->writer);
	gate_done(&db->gate);
	(void)pthread_mutex_destroy(&db->queue_lock);
	(void)pthread_cond_destroy(&db->queue_filled);
	(void)pthread_mutex_destroy(&db->upkeep.lock);
	(void)pthread_cond_destroy(&db->upkeep.work);
	(void)pthread_cond_destroy(&db->upkeep.done);
}

static enum souk_err
open_conn(struct db *db, enum conn_use use, struct conn **ret, struct fail *f)
{
	return conn_open(&(struct conn_options){ .path = db->path,
			     .use = use,
			     .cache_kib = use == CONN_READ ? db->cache_kib : 0,
			     .log_frames = use == CONN_BULK ? &db->upkeep.frames : NULL },
	    ret, f);
}

/* One body of bulk, inside the gate. */
static enum souk_err
bulk_on(struct db *db, struct conn *c, db_fn *fn, void *arg)
{
	struct db_tx tx;
	uint64_t began = clock_mono_ns();
	enum souk_err err = write_on(&tx, db, c, fn, arg);

	if (err != SOUK_OK)
		return err;
	tx_committed(&tx);
	db_committed(db, 1, clock_mono_ns() - began);
	upkeep_note_commit(db);
	return SOUK_OK;
}

static enum souk_err
bulk(struct db *db, db_fn *fn, void *arg)
{
	struct conn *c = NULL;
	enum souk_err err;

	assert(!pthread_equal(pthread_self(), db->writer_thread));
	err = open_conn(db, CONN_BULK, &c, NULL);
	if (err == SOUK_OK)
		err = conn_prepare_file(c);
	if (err == SOUK_OK && !gate_enter(db))
		err = SOUK_E_UNAVAILABLE;
	else if (err == SOUK_OK) {
		err = bulk_on(db, c, fn, arg);
		gate_leave(db);
	}
	conn_close(c);
	return err;
}

static enum db_state
state(const struct db *db)
{
	(void)db;
	return DB_STATE_FINE;
}

/* Who reads or writes is told, and logs it. */
static void
note(struct db *db, const struct conn *c, enum souk_err err, const struct fail *f)
{
	(void)db;
	(void)c;
	(void)err;
	(void)f;
}

static bool
silent(const struct db *db)
{
	(void)db;
	return false;
}

static bool
settle(struct db *db, int64_t timeout_ms)
{
	(void)db;
	(void)timeout_ms;
	return true;
}

const struct db_ops db_lite_ops = {
	.settle = settle,
	.start = start,
	.stop = stop,
	.open_conn = open_conn,
	.write_async = writer_async,
	.write_alone = writer_alone,
	.bulk = bulk,
	.ask_scrub = upkeep_ask_scrub,
	.scrub_wait = upkeep_scrub_wait,
	.backup = lite_backup,
	.state = state,
	.silent = silent,
	.note = note,
	.read_patience_ms = DB_GATE_MS,
};
