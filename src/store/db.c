/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database handle: opening, transactions, statement slots, small facts.
 *
 * Nothing here knows the engine. The danger is the order of closing: the writer first,
 * then the log's upkeep, then the readers.
 */
#include "store/db_int.h"

#include "base/metrics.h"
#include "store/migrate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
	enum souk_err err;

	if ((err = conn_open(&(struct conn_options){ .path = db->path,
				 .use = CONN_WRITE,
				 .cache_kib = o->cache_kib,
				 .log_frames = &db->upkeep.frames },
		 &db->writer, f)) != SOUK_OK ||
	    (err = migrate(db->writer, db->path, o->create, f)) != SOUK_OK ||
	    (err = recover(db, f)) != SOUK_OK || (err = upkeep_start(db, f)) != SOUK_OK)
		return err;
	if ((err = readers_init(db, o->readers)) != SOUK_OK || (err = writer_start(db)) != SOUK_OK)
		return fail_set(f, err, "database_failed", "%s: cannot start a thread", db->path);
	return SOUK_OK;
}

enum souk_err
db_open(const struct db_options *o, struct db **ret, struct fail *f)
{
	struct db *db = NULL;
	enum souk_err err = make_file(o, f);

	if (err != SOUK_OK)
		return err;
	if (!(db = calloc(1, sizeof(*db))) || !(db->path = strdup(o->path))) {
		free(db);
		return fail_set(
		    f, SOUK_E_NOMEM, "out_of_memory", "%s: no memory to open it", o->path);
	}
	db->cache_kib = o->cache_kib;
	db->upkeep.fd = -1;
	gate_init(&db->gate);
	(void)pthread_mutex_init(&db->queue_lock, NULL);
	(void)pthread_cond_init(&db->queue_filled, NULL);
	(void)pthread_mutex_init(&db->bell.lock, NULL);
	clock_cond_init(&db->bell.rang);
	(void)pthread_mutex_init(&db->upkeep.lock, NULL);
	clock_cond_init(&db->upkeep.work);
	clock_cond_init(&db->upkeep.done);
	if ((err = start(db, o, f)) != SOUK_OK) {
		db_close(db);
		return err;
	}
	*ret = db;
	return SOUK_OK;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	writer_stop(db);
	upkeep_stop(db);
	readers_done(db);
	conn_close(db->writer);
	gate_done(&db->gate);
	(void)pthread_mutex_destroy(&db->queue_lock);
	(void)pthread_cond_destroy(&db->queue_filled);
	(void)pthread_mutex_destroy(&db->bell.lock);
	(void)pthread_cond_destroy(&db->bell.rang);
	(void)pthread_mutex_destroy(&db->upkeep.lock);
	(void)pthread_cond_destroy(&db->upkeep.work);
	(void)pthread_cond_destroy(&db->upkeep.done);
	free(db->path);
	free(db);
}

/* The clock, but never earlier than it was told before in this process. */
static instant_t
steady_now(struct db *db)
{
	instant_t now = clock_now(), last = atomic_load(&db->last_now);

	while (last < now)
		if (atomic_compare_exchange_weak(&db->last_now, &last, now))
			return now;
	return last;
}

void
tx_init(struct db_tx *tx, struct db *db, struct conn *c, bool write)
{
	tx->db = db;
	tx->conn = c;
	tx->now = steady_now(db);
	tx->write = write;
	tx->scrub = false;
	tx->n_hooks = 0;
}

void
tx_committed(struct db_tx *tx)
{
	if (tx->scrub)
		upkeep_ask_scrub(tx->db);
	for (unsigned i = 0; i < tx->n_hooks; i++)
		tx->hook[i].fn(tx->hook[i].arg);
}

void
db_committed(struct db *db, unsigned writes, uint64_t commit_ns)
{
	atomic_store_explicit(&db->committed_at, clock_mono_ns(), memory_order_relaxed);
	metric_add(MET_DB_COMMITS, 0, 1);
	metric_add(MET_DB_WRITES, 0, writes);
	metric_observe_ns(MET_DB_COMMIT_SECONDS, 0, commit_ns);
	upkeep_note_commit(db);
}

instant_t
db_now(struct db_tx *tx)
{
	return tx->now;
}

struct db *
tx_db(struct db_tx *tx)
{
	return tx->db;
}

void
db_on_commit(struct db_tx *tx, void (*fn)(void *arg), void *arg)
{
	assert(tx->write);
	for (unsigned i = 0; i < tx->n_hooks; i++)
		if (tx->hook[i].fn == fn && tx->hook[i].arg == arg)
			return; /* once is enough: hooks wake and forget */
	assert(tx->n_hooks < DB_HOOKS_MAX);
	tx->hook[tx->n_hooks++] = (struct db_hook){ .fn = fn, .arg = arg };
}

void
db_scrub(struct db_tx *tx)
{
	assert(tx->write);
	tx->scrub = true;
}

const char *
db_message(struct db_tx *tx)
{
	return conn_message(tx->conn);
}

/* One body of db_bulk, inside the gate. */
static enum souk_err
bulk_on(struct db *db, struct conn *c, db_fn *fn, void *arg)
{
	struct db_tx tx;
	uint64_t began;
	enum souk_err err = conn_begin(c, true);

	if (err != SOUK_OK)
		return err;
	tx_init(&tx, db, c, true);
	err = fn(&tx, arg);
	conn_reset_open(c);
	if (err == SOUK_OK && !conn_in_tx(c))
		err = SOUK_E_STORAGE;
	if (err != SOUK_OK) {
		conn_rollback(c);
		return err;
	}
	began = clock_mono_ns();
	if ((err = conn_commit(c)) != SOUK_OK)
		return err;
	tx_committed(&tx);
	db_committed(db, 1, clock_mono_ns() - began);
	return SOUK_OK;
}

enum souk_err
db_bulk(struct db *db, db_fn *fn, void *arg)
{
	struct conn *c = NULL;
	enum souk_err err;

	assert(!pthread_equal(pthread_self(), db->writer_thread));
	err = conn_open(
	    &(struct conn_options){
		.path = db->path, .use = CONN_BULK, .log_frames = &db->upkeep.frames },
	    &c, NULL);
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

struct db_stmt *
db_stmt(struct db_tx *tx, struct db_texts *t, unsigned q)
{
	static _Atomic unsigned slots; /* handed out so far; slot 0 means none yet */
	unsigned slot = atomic_load_explicit(&t->slot, memory_order_acquire), fresh;

	if (slot == 0) {
		fresh = atomic_fetch_add(&slots, 1) + 1;
		assert(fresh < DB_SLOTS_MAX);
		/* Two threads may meet here: the first one's number stands. */
		if (atomic_compare_exchange_strong(&t->slot, &slot, fresh))
			slot = fresh;
	}
	return conn_stmt(tx->conn, slot, t, q);
}

enum { Q_META_GET, Q_META_PUT, Q__COUNT };
static const char *const sql[Q__COUNT] = {
	[Q_META_GET] = "SELECT value FROM meta WHERE name = $1",
	[Q_META_PUT] = "INSERT INTO meta (name, value) VALUES ($1, $2)"
		       " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
};
static struct db_texts texts = { .component = "meta", .sql = sql, .n = Q__COUNT };

enum souk_err
db_meta_get(struct db_tx *tx, const char *name, struct buf *ret)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_META_GET);
	enum souk_err err;

	db_bind_c(st, 1, name);
	if ((err = db_one(st)) == SOUK_OK) {
		buf_add_str(ret, db_text(st, 0));
		err = buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
	}
	db_reset(st);
	return err;
}

enum souk_err
db_meta_put(struct db_tx *tx, const char *name, struct str value)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_META_PUT);

	db_bind_c(st, 1, name);
	db_bind_text(st, 2, value);
	return db_run(st, NULL);
}

static enum souk_err
ping(struct db_tx *tx, void *arg)
{
	char now[INSTANT_TEXT_LEN + 1];

	(void)arg;
	instant_format(db_now(tx), now);
	return db_meta_put(tx, "pinged_at", str_c(now));
}

enum souk_err
db_ping(struct db *db)
{
	uint64_t at = atomic_load_explicit(&db->committed_at, memory_order_relaxed);

	/* A commit a moment ago has shown it: asking often must not cost disk writes. */
	if (at != 0 && clock_mono_ns() - at < UINT64_C(1000000000))
		return SOUK_OK;
	return db_write(db, ping, NULL);
}

struct db_bell *
db_bell(struct db *db)
{
	return &db->bell;
}

void
db_bell_ring(void *bell)
{
	struct db_bell *b = bell;

	(void)pthread_mutex_lock(&b->lock);
	b->count++;
	(void)pthread_mutex_unlock(&b->lock);
	(void)pthread_cond_broadcast(&b->rang);
}
