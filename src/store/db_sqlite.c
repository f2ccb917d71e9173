/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite connections: settings, transactions, and what result codes mean.
 *
 * The danger here is silence: a setting that does not hold costs durability or leaves
 * erased bytes behind, so each one that matters is read back.
 *
 * Measured for the layout (1 million contact_version rows of 600 bytes, warm, 2 cores):
 *   page size                        4096     8192    16384
 *   full scan, one seller           0.39 s   0.36 s   0.32 s   (rowid table: 0.45, 0.41)
 *   full scan, 20 sellers           0.45 s   0.39 s   0.37 s   (rowid table: 1.26, 1.32)
 *   log written per durable insert   28 KB    46 KB    82 KB
 *   inserts a second, 64 a commit   15,200   13,600    9,700
 * Pages of 4096 bytes lose a tenth in a scan and win a third to a half of all writing.
 * Mapping the file into memory makes scans slower (0.46 s) and counts it all as resident.
 * A reader's cache of 2 MiB scans as fast as one of 16. Debian builds SQLite without lookaside.
 */
#include "store/db_sqlite.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define BUSY_MS 30000 /* how long another process may hold the write lock */

static const char *const texts[TEXT__COUNT] = {
	[TEXT_BEGIN] = "BEGIN",
	[TEXT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[TEXT_COMMIT] = "COMMIT",
	[TEXT_ROLLBACK] = "ROLLBACK",
	[TEXT_PART_BEGIN] = "SAVEPOINT part",
	[TEXT_PART_KEEP] = "RELEASE part",
	[TEXT_PART_UNDO] = "ROLLBACK TO part",
};

static const size_t cache_kib[] = {
	[CONN_READ] = 2048,
	[CONN_WRITE] = 16384,
	[CONN_BULK] = 65536,
	[CONN_UPKEEP] = 512,
};

static enum souk_err
err_of_constraint(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_NOTNULL:
	case SQLITE_CONSTRAINT_DATATYPE:
	case SQLITE_CONSTRAINT_FUNCTION:
	case SQLITE_CONSTRAINT_TRIGGER:
	case SQLITE_CONSTRAINT_VTAB:
	case SQLITE_CONSTRAINT_PINNED:
		return SOUK_E_INTERNAL;
	default: /* unique, primary key, foreign key, CHECK; result codes are no enum */
		return SOUK_E_CONFLICT;
	}
}

static enum souk_err
err_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return SOUK_OK;
	case SQLITE_CONSTRAINT:
		return err_of_constraint(rc);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
		return SOUK_E_UNAVAILABLE;
	case SQLITE_NOMEM:
		return SOUK_E_NOMEM;
	case SQLITE_TOOBIG:
		return SOUK_E_LIMIT;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_PROTOCOL:
	case SQLITE_NOLFS:
		return SOUK_E_STORAGE;
	case SQLITE_READONLY: /* the file, or a write in a read transaction */
		return rc == SQLITE_READONLY ? SOUK_E_INTERNAL : SOUK_E_STORAGE;
	default:
		return SOUK_E_INTERNAL;
	}
}

enum souk_err
lite_fail(struct lite_conn *c, int rc)
{
	enum souk_err err = err_of(rc);

	if (err != SOUK_OK)
		(void)snprintf(c->message, sizeof(c->message), "%s (%s)", sqlite3_errmsg(c->h),
		    sqlite3_errstr(rc));
	return err;
}

static const char *
lite_message(const struct conn *base)
{
	return ((const struct lite_conn *)base)->message;
}

/* A prepared control text, run to its end. */
static int
run_text(struct lite_conn *c, enum conn_text t)
{
	int rc;

	if (!c->text[t] && (rc = sqlite3_prepare_v3(c->h, texts[t], -1, SQLITE_PREPARE_PERSISTENT,
				&c->text[t], NULL)) != SQLITE_OK)
		return rc;
	rc = sqlite3_step(c->text[t]);
	(void)sqlite3_reset(c->text[t]);
	return rc;
}

static enum souk_err
lite_begin(struct conn *base, bool write)
{
	struct lite_conn *c = lite(base);

	return lite_fail(c, run_text(c, write ? TEXT_BEGIN_WRITE : TEXT_BEGIN));
}

static bool
lite_in_tx(const struct conn *base)
{
	return !sqlite3_get_autocommit(((const struct lite_conn *)base)->h);
}

static void
lite_rollback(struct conn *base)
{
	if (lite_in_tx(base))
		(void)run_text(lite(base), TEXT_ROLLBACK);
}

static enum souk_err
lite_commit(struct conn *base)
{
	struct lite_conn *c = lite(base);
	int rc = run_text(c, TEXT_COMMIT);
	enum souk_err err = lite_fail(c, rc);

	if (err == SOUK_OK)
		return SOUK_OK;
	/*
	 * When only the last step failed, waiting for the disk, the log may hold the commit
	 * after all: a crash before the next write would bring it back.
	 */
	if (rc == SQLITE_IOERR_FSYNC)
		err = SOUK_E_UNCERTAIN;
	lite_rollback(base);
	return err;
}

enum souk_err
conn_part_begin(struct conn *c)
{
	return lite_fail(lite(c), run_text(lite(c), TEXT_PART_BEGIN));
}

enum souk_err
conn_part_keep(struct conn *c)
{
	return lite_fail(lite(c), run_text(lite(c), TEXT_PART_KEEP));
}

enum souk_err
conn_part_undo(struct conn *c)
{
	enum souk_err err = lite_fail(lite(c), run_text(lite(c), TEXT_PART_UNDO));

	return err == SOUK_OK ? conn_part_keep(c) : err;
}

enum souk_err
conn_exec(struct conn *c, const char *sql)
{
	return lite_fail(lite(c), sqlite3_exec(lite(c)->h, sql, NULL, NULL, NULL));
}

enum souk_err
conn_number(struct conn *base, const char *sql, int64_t *ret)
{
	struct lite_conn *c = lite(base);
	sqlite3_stmt *h = NULL;
	int rc = sqlite3_prepare_v2(c->h, sql, -1, &h, NULL);
	enum souk_err err;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(h);
	err = lite_fail(c, rc);
	if (err == SOUK_OK && rc != SQLITE_ROW)
		err = SOUK_E_INTERNAL;
	if (err == SOUK_OK)
		*ret = sqlite3_column_int64(h, 0);
	(void)sqlite3_finalize(h);
	return err;
}

static int
note_log_length(void *arg, sqlite3 *h, const char *name, int frames)
{
	(void)h;
	(void)name;
	atomic_store_explicit((_Atomic int *)arg, frames, memory_order_relaxed);
	return SQLITE_OK;
}

/* Pragmas take no parameters: the one number that varies is ours. */
static enum souk_err
set_cache(struct lite_conn *c, size_t kib)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%zu", kib);
	return conn_exec(&c->base, sql);
}

struct setting {
	const char *set, *get;
	int64_t want;
};

static enum souk_err
apply(struct lite_conn *c, const struct setting *s, size_t n)
{
	enum souk_err err = SOUK_OK;
	int64_t is = 0;

	for (size_t i = 0; i < n && err == SOUK_OK; i++) {
		if ((err = conn_exec(&c->base, s[i].set)) != SOUK_OK ||
		    (err = conn_number(&c->base, s[i].get, &is)) != SOUK_OK)
			return err;
		if (is != s[i].want) {
			(void)snprintf(c->message, sizeof(c->message), "no effect: %s", s[i].set);
			return SOUK_E_INTERNAL;
		}
	}
	return err;
}

static enum souk_err
set_up(struct lite_conn *c, const struct conn_options *o)
{
	static const struct setting all[] = {
		{ "PRAGMA synchronous = FULL", "PRAGMA synchronous", 2 },
		{ "PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", 1 },
		/* Nothing of a row may go to a file that we do not look after. */
		{ "PRAGMA temp_store = MEMORY", "PRAGMA temp_store", 2 },
		{ "PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", 0 },
		/* Upkeep has a thread of its own: no commit stops for a checkpoint. */
		{ "PRAGMA wal_autocheckpoint = 0", "PRAGMA wal_autocheckpoint", 0 },
	};
	static const struct setting reader[] = { { "PRAGMA query_only = ON", "PRAGMA query_only",
	    1 } };
	enum souk_err err;

	(void)sqlite3_extended_result_codes(c->h, 1);
	(void)sqlite3_busy_timeout(c->h, BUSY_MS);
	err = apply(c, all, sizeof(all) / sizeof(all[0]));
	if (err == SOUK_OK && o->use == CONN_READ)
		err = apply(c, reader, 1);
	if (err == SOUK_OK)
		err = set_cache(c, o->cache_kib ? o->cache_kib : cache_kib[o->use]);
	if (err == SOUK_OK && o->log_frames)
		(void)sqlite3_wal_hook(c->h, note_log_length, o->log_frames);
	return err;
}

/* Write-ahead log: readers and the writer do not wait for each other. Must come after page_size. */
static enum souk_err
use_log(struct lite_conn *c)
{
	sqlite3_stmt *h = NULL;
	int rc = sqlite3_prepare_v2(c->h, "PRAGMA journal_mode = WAL", -1, &h, NULL);
	enum souk_err err;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(h);
	err = lite_fail(c, rc);
	if (err == SOUK_OK &&
	    (rc != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(h, 0), "wal") != 0)) {
		(void)snprintf(c->message, sizeof(c->message), "no write-ahead log here");
		err = SOUK_E_STORAGE;
	}
	(void)sqlite3_finalize(h);
	return err;
}

/* These read the file, so they come after the check that it is a database of ours. */
enum souk_err
conn_prepare_file(struct conn *c)
{
	static const struct setting file[] = {
		{ "PRAGMA page_size = 4096", "SELECT 1", 1 }, /* an older file keeps its own */
		{ "PRAGMA secure_delete = ON", "PRAGMA secure_delete", 1 },
		/* What the log may keep of the disk when it starts anew. */
		{ "PRAGMA journal_size_limit = 33554432", "PRAGMA journal_size_limit", 33554432 },
		{ "PRAGMA max_page_count = 33554431", "PRAGMA max_page_count", SQLITE_PAGES_MAX },
	};

	enum souk_err err = apply(lite(c), file, sizeof(file) / sizeof(file[0]));

	return err == SOUK_OK ? use_log(lite(c)) : err;
}

static void
lite_close(struct conn *base)
{
	struct lite_conn *c = lite(base);

	for (unsigned s = 0; s < DB_SLOTS_MAX; s++) {
		for (unsigned q = 0; q < c->table[s].n; q++)
			(void)sqlite3_finalize(c->table[s].stmt[q].h);
		free(c->table[s].stmt);
	}
	for (unsigned t = 0; t < TEXT__COUNT; t++)
		(void)sqlite3_finalize(c->text[t]);
	(void)sqlite3_close(c->h);
	free(c);
}

static bool
lite_never(const struct conn *base)
{
	(void)base;
	return false; /* a file does not go away for a while, and nobody else changes rows */
}

static instant_t
lite_now(struct conn *base)
{
	(void)base;
	return clock_now();
}

static int
lite_lane(const struct conn *base)
{
	(void)base;
	return 0;
}

/* One writer at a time: whoever writes has every lock. */
static enum souk_err
lite_lock(struct conn *base, enum db_lock kind, int64_t key, bool shared)
{
	(void)kind;
	(void)base;
	(void)key;
	(void)shared;
	return SOUK_OK;
}

static enum souk_err
lite_tell(struct conn *base, enum db_news news)
{
	(void)base;
	(void)news;
	return SOUK_OK;
}

static const struct conn_ops lite_ops = {
	.close = lite_close,
	.begin = lite_begin,
	.commit = lite_commit,
	.rollback = lite_rollback,
	.in_tx = lite_in_tx,
	.broken = lite_never,
	.again = lite_never,
	.stmt = lite_stmt_of,
	.reset_open = lite_reset_open,
	.message = lite_message,
	.now = lite_now,
	.lane = lite_lane,
	.lock = lite_lock,
	.tell = lite_tell,
};

enum souk_err
conn_open(const struct conn_options *o, struct conn **ret, struct fail *f)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (o->use == CONN_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	struct lite_conn *c = calloc(1, sizeof(*c));
	enum souk_err err;

	if (!c)
		return fail_set(
		    f, SOUK_E_NOMEM, "out_of_memory", "%s: no memory to open it", o->path);
	c->base.ops = &lite_ops;
	c->log_frames = o->log_frames;
	err = err_of(sqlite3_open_v2(o->path, &c->h, flags, sqlite_clean_vfs()));
	if (err == SOUK_OK)
		err = set_up(c, o);
	if (err != SOUK_OK) {
		(void)fail_set(f, err, "database_failed", "%s: %s", o->path,
		    c->message[0]  ? c->message
		    : c->h != NULL ? sqlite3_errmsg(c->h)
				   : "no memory");
		conn_close(&c->base);
		return err;
	}
	*ret = &c->base;
	return SOUK_OK;
}

enum souk_err
conn_checkpoint(struct conn *base, enum conn_checkpoint how, int patience_ms, bool *ret_whole)
{
	struct lite_conn *c = lite(base);
	static const int modes[] = {
		[CHECKPOINT_PASSIVE] = SQLITE_CHECKPOINT_PASSIVE,
		[CHECKPOINT_RESTART] = SQLITE_CHECKPOINT_RESTART,
		[CHECKPOINT_TRUNCATE] = SQLITE_CHECKPOINT_TRUNCATE,
	};
	int in_log = -1, moved = -1, rc;

	(void)sqlite3_busy_timeout(c->h, patience_ms);
	rc = sqlite3_wal_checkpoint_v2(c->h, NULL, modes[how], &in_log, &moved);
	(void)sqlite3_busy_timeout(c->h, BUSY_MS);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return lite_fail(c, rc);
	*ret_whole = rc == SQLITE_OK && in_log == moved;
	return SOUK_OK;
}

enum souk_err
conn_sync(struct conn *base)
{
	struct lite_conn *c = lite(base);
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(c->h, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	/* By the engine's own handle: closing another one of ours would drop its locks. */
	if (rc == SQLITE_OK && file && file->pMethods)
		rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
	return lite_fail(c, rc);
}

int64_t
conn_log_bytes(int frames)
{
	return 32 + (int64_t)frames * (SQLITE_PAGE + 24); /* file format 4.1 */
}

enum souk_err
conn_copy_into(struct conn *base, const char *path)
{
	struct lite_conn *c = lite(base);
	sqlite3_stmt *h = NULL;
	int rc = sqlite3_prepare_v2(c->h, "VACUUM INTO $1", -1, &h, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(h, 1, path, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(h);
	(void)sqlite3_finalize(h);
	return lite_fail(c, rc);
}
