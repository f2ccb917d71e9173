/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead log's upkeep, on a thread of its own.
 *
 * Checkpoints: the log goes into the file piece by piece while others write. Under load
 * the two never meet, so when the log has grown the writer is held for the short rest. Small
 * pieces, each waited for, keep the disk free for commits: with half of the writes that are
 * possible, the slowest of a hundred takes 7 ms, with pieces of 4 MiB 9, and 24 when the
 * held one waits for all (and at most a sixth fewer writes are possible).
 *
 * Scrubbing: after an erasure the log is emptied, because it holds earlier images of the
 * pages (invariant 4). Readers of an older snapshot hold it back; then it is tried again,
 * with the writer at work in between.
 *
 * Room: appending to a file makes each commit wait for the file system's own log as well
 * (measured: 260 us a commit, 165 us into a file that is long enough). So the log file
 * is kept longer than the log, with zeroes that the engine takes for an empty log.
 */
#include "store/db_int.h"

#include "base/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define LOG_MOVE (2 * MIB)   /* new log that is worth a checkpoint */
#define LOG_HOLD (32 * MIB)  /* hold the writer for the rest */
#define LOG_LARGE (64 * MIB) /* and wait for readers, a little */
#define REST_SMALL (256 * 1024)
#define PASSES_MAX 4
#define ROOM_MIN (256 * 1024)
#define ROOM_STEP MIB
/*
 * A scrub waits for readers with the writer held. Pauses between two let erasures in a row
 * share one and the writer work. Readers that follow each other closely, so that there is
 * always one, are outwaited by a long try now and then; in all, the writer keeps 85% of its time.
 */
#define SCRUB_PAUSE_MS 100
#define PATIENCE_MS 5
#define PATIENCE_LONG_MS 400
#define TRIES_PER_LONG 32

static int64_t
log_bytes(struct db *db)
{
	return conn_log_bytes(atomic_load_explicit(&db->upkeep.frames, memory_order_relaxed));
}

void
upkeep_room(struct db *db)
{
	static const char zeroes[64 * 1024];
	struct stat st;
	int64_t want = log_bytes(db) + ROOM_MIN, end;

	if (db->upkeep.fd < 0 || fstat(db->upkeep.fd, &st) != 0 || st.st_size >= want)
		return;
	for (end = want + ROOM_STEP; st.st_size < end; st.st_size += (off_t)sizeof(zeroes))
		if (pwrite(db->upkeep.fd, zeroes, sizeof(zeroes), st.st_size) !=
		    (ssize_t)sizeof(zeroes))
			return; /* a full disk: the commit will say so if it matters */
}

static bool
due(struct db *db)
{
	int frames = atomic_load_explicit(&db->upkeep.frames, memory_order_relaxed);

	if (frames < db->upkeep.moved)
		db->upkeep.moved = 0; /* the log has started anew */
	return conn_log_bytes(frames) - conn_log_bytes(db->upkeep.moved) >= LOG_MOVE;
}

void
upkeep_note_commit(struct db *db)
{
	struct db_upkeep *u = &db->upkeep;
	bool wake;

	(void)pthread_mutex_lock(&u->lock);
	wake = due(db);
	(void)pthread_mutex_unlock(&u->lock);
	if (wake)
		(void)pthread_cond_signal(&u->work);
}

void
upkeep_ask_scrub(struct db *db)
{
	struct db_upkeep *u = &db->upkeep;

	(void)pthread_mutex_lock(&u->lock);
	u->asked++;
	metric_set(MET_DB_SCRUB_PENDING, 0, (int64_t)(u->asked - u->scrubbed));
	(void)pthread_mutex_unlock(&u->lock);
	(void)pthread_cond_signal(&u->work);
}

bool
upkeep_scrub_wait(struct db *db, int64_t timeout_ms)
{
	struct db_upkeep *u = &db->upkeep;
	uint64_t until = clock_mono_ns() + (uint64_t)timeout_ms * 1000000, now, asked;
	bool done;

	(void)pthread_mutex_lock(&u->lock);
	asked = u->asked;
	while (u->scrubbed < asked && (now = clock_mono_ns()) < until)
		(void)clock_cond_wait_ms(
		    &u->done, &u->lock, (int64_t)((until - now) / 1000000) + 1);
	done = u->scrubbed >= asked;
	(void)pthread_mutex_unlock(&u->lock);
	return done;
}

/*
 * One pass while others write; *ret_frames: how long the log was when it began. The engine
 * waits for the disk only in the pass that moves the last of the log, which is the one with
 * the writer held: then for all that the passes before it wrote. So each waits for its own.
 */
static enum souk_err
move_log(struct db *db, int *ret_frames)
{
	bool whole = false;
	enum souk_err err;

	*ret_frames = atomic_load_explicit(&db->upkeep.frames, memory_order_relaxed);
	err = conn_checkpoint(db->upkeep.conn, CHECKPOINT_PASSIVE, 0, &whole);
	return err == SOUK_OK ? conn_sync(db->upkeep.conn) : err;
}

/*
 * Moves what is there; when the log has grown large, holds the writer for the rest. What
 * came during one pass is the work of the next: a few in a row leave the held one little to do.
 */
static void
checkpoint(struct db *db)
{
	struct db_upkeep *u = &db->upkeep;
	int frames;
	bool whole = false;
	enum souk_err err = move_log(db, &frames);

	for (int i = 0; err == SOUK_OK && i < PASSES_MAX && log_bytes(db) >= LOG_HOLD &&
			log_bytes(db) - conn_log_bytes(frames) > REST_SMALL;
	     i++)
		err = move_log(db, &frames);
	if (err == SOUK_OK && log_bytes(db) >= LOG_HOLD && gate_enter(db)) {
		frames = atomic_load_explicit(&u->frames, memory_order_relaxed);
		err = log_bytes(db) < LOG_LARGE
			  ? conn_checkpoint(u->conn, CHECKPOINT_PASSIVE, 0, &whole)
			  : conn_checkpoint(u->conn, CHECKPOINT_RESTART, PATIENCE_MS, &whole);
		gate_leave(db);
	}
	/* A failing disk shows at the next commit; here it is only tried again later. */
	(void)pthread_mutex_lock(&u->lock);
	u->moved = frames;
	(void)pthread_mutex_unlock(&u->lock);
}

/* One attempt at emptying the log. */
static bool
scrub(struct db *db, int patience_ms)
{
	struct db_upkeep *u = &db->upkeep;
	int frames;
	bool whole = false;

	/* Most of the work while others write. */
	if (move_log(db, &frames) != SOUK_OK || !gate_enter(db))
		return false;
	if (conn_checkpoint(u->conn, CHECKPOINT_TRUNCATE, patience_ms, &whole) != SOUK_OK)
		whole = false;
	/*
	 * The writer's cached pages may hold remains that the file does not (db_sqlite_page.c).
	 * The engine drops them by itself because the log has started anew.
	 */
	if (whole)
		atomic_store_explicit(&u->frames, 0, memory_order_relaxed);
	gate_leave(db);
	return whole;
}

/* Sleeps, lock released, whatever rings meanwhile; only a stop ends it early. */
static void
pause_ms(struct db_upkeep *u, int64_t ms)
{
	uint64_t now, until = clock_mono_ns() + (uint64_t)ms * 1000000;

	while (!u->stop && (now = clock_mono_ns()) < until)
		(void)clock_cond_wait_ms(
		    &u->work, &u->lock, (int64_t)((until - now) / 1000000) + 1);
}

/* Scrubs until all that was asked for when it began is done, or it is time to stop. */
static void
scrub_until_done(struct db *db)
{
	struct db_upkeep *u = &db->upkeep;
	uint64_t asked = u->asked;
	bool whole = false;

	for (unsigned try = 1; !whole && !u->stop; try++) {
		(void)pthread_mutex_unlock(&u->lock);
		whole = scrub(db, try % TRIES_PER_LONG == 0 ? PATIENCE_LONG_MS : PATIENCE_MS);
		(void)pthread_mutex_lock(&u->lock);
		if (whole) {
			u->scrubbed = asked;
			u->moved = 0;
			metric_set(MET_DB_SCRUB_PENDING, 0, (int64_t)(u->asked - u->scrubbed));
			(void)pthread_cond_broadcast(&u->done);
		}
		pause_ms(u, SCRUB_PAUSE_MS);
	}
}

static void *
upkeep_main(void *arg)
{
	struct db *db = arg;
	struct db_upkeep *u = &db->upkeep;

	(void)pthread_mutex_lock(&u->lock);
	while (!u->stop) {
		if (u->asked != u->scrubbed) {
			scrub_until_done(db);
		} else if (due(db)) {
			(void)pthread_mutex_unlock(&u->lock);
			checkpoint(db);
			(void)pthread_mutex_lock(&u->lock);
		} else {
			(void)pthread_cond_wait(&u->work, &u->lock);
		}
	}
	(void)pthread_mutex_unlock(&u->lock);
	return NULL;
}

enum souk_err
upkeep_start(struct db *db, struct fail *f)
{
	struct db_upkeep *u = &db->upkeep;
	struct buf path = { 0 };
	enum souk_err err =
	    conn_open(&(struct conn_options){ .path = db->path, .use = CONN_UPKEEP }, &u->conn, f);

	if (err != SOUK_OK)
		return err;
	/* Locks of the engine are on its other files: closing this one drops none. */
	buf_printf(&path, "%s-wal", db->path);
	if (buf_ok(&path))
		u->fd = open(path.p, O_RDWR | O_CLOEXEC);
	buf_done(&path);
	if (pthread_create(&u->thread, NULL, upkeep_main, db) != 0)
		return fail_set(
		    f, SOUK_E_INTERNAL, "database_failed", "%s: cannot start a thread", db->path);
	u->started = true;
	return SOUK_OK;
}

void
upkeep_stop(struct db *db)
{
	struct db_upkeep *u = &db->upkeep;
	bool whole = false;

	if (u->started) {
		(void)pthread_mutex_lock(&u->lock);
		u->stop = true;
		(void)pthread_mutex_unlock(&u->lock);
		(void)pthread_cond_signal(&u->work);
		(void)pthread_join(u->thread, NULL);
		u->started = false;
		/* The next start finds nothing to do. */
		if (conn_checkpoint(u->conn, CHECKPOINT_TRUNCATE, PATIENCE_LONG_MS, &whole) ==
			SOUK_OK &&
		    whole)
			metric_set(MET_DB_SCRUB_PENDING, 0, 0);
	}
	if (u->fd >= 0)
		(void)close(u->fd);
	u->fd = -1;
	conn_close(u->conn);
	u->conn = NULL;
}
