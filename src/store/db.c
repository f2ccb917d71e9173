/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database handle: opening, transactions, news, small facts.
 *
 * Nothing here knows the engine, but for choosing it.
 */
#include "store/db_int.h"

#include "base/metrics.h"

#include <assert.h>
#include <stdlib.h>

void
conn_close(struct conn *c)
{
	if (c)
		c->ops->close(c);
}

bool
db_is_url(const char *path)
{
	return strncmp(path, "postgresql://", 13) == 0 || strncmp(path, "postgres://", 11) == 0;
}

enum souk_err
db_open(const struct db_options *o, struct db **ret, struct fail *f)
{
	struct db *db = calloc(1, sizeof(*db));
	enum souk_err err;

	if (!db || !(db->path = strdup(o->path))) {
		free(db);
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory to open the database");
	}
	if (o->distribute && !db_is_url(o->path)) {
		free(db->path);
		free(db);
		return fail_set(f, SOUK_E_INVALID, "not_distributable",
		    "the embedded database is one file; give a postgresql:// address to "
		    "distribute");
	}
	db->ops = db_is_url(o->path) ? &db_pg_ops : &db_lite_ops;
	db->cache_kib = o->cache_kib;
	(void)pthread_mutex_init(&db->bell.lock, NULL);
	clock_cond_init(&db->bell.rang);
	(void)pthread_mutex_init(&db->news_lock, NULL);
	if ((err = readers_init(db, o->readers)) != SOUK_OK)
		(void)fail_set(f, err, "database_failed", "the pool of readers cannot be made");
	else
		err = db->ops->start(db, o, f);
	if (err != SOUK_OK) {
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
	db->ops->stop(db);
	readers_done(db);
	(void)pthread_mutex_destroy(&db->bell.lock);
	(void)pthread_cond_destroy(&db->bell.rang);
	(void)pthread_mutex_destroy(&db->news_lock);
	free(db->path);
	free(db);
}

/*
 * The engine's clock. Embedded, it is this process's, and never earlier than it was told before. A
 * clock that several share is told as it is: who held on to a time that it once saw would disagree with
 * the others, and take their leases for run out.
 */
static instant_t
steady_now(struct db *db, struct conn *c)
{
	instant_t now = c->ops->now(c), last;

	if (db->ops->shared)
		return now;
	last = atomic_load(&db->last_now);
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
	tx->now = INSTANT_MIN;
	tx->write = write;
	tx->scrub = false;
	tx->commit_ns = 0;
	memcpy(tx->memo, c->memo, sizeof(tx->memo));
	tx->n_hooks = tx->n_lasts = 0;
}

enum souk_err
tx_run(struct db_tx *tx, db_fn *fn, void *arg)
{
	enum souk_err err = fn(tx, arg);

	for (unsigned i = 0; i < tx->n_lasts && err == SOUK_OK; i++)
		err = tx->last[i].fn(tx, tx->last[i].arg);
	return err;
}

void
tx_keep_memo(const struct db_tx *tx)
{
	memcpy(tx->conn->memo, tx->memo, sizeof(tx->memo));
}

void
tx_committed(struct db_tx *tx)
{
	if (tx->scrub)
		tx->db->ops->ask_scrub(tx->db);
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
}

instant_t
db_now(struct db_tx *tx)
{
	if (tx->now == INSTANT_MIN)
		tx->now = steady_now(tx->db, tx->conn);
	return tx->now;
}

/* A name for a lock: 64 bits of a hash. Two that meet only wait for each other without need. */
static int64_t
lock_name(enum db_lock kind, const void *key, size_t n)
{
	const uint8_t *p = key;
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)kind;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	h ^= h >> 32;
	return (int64_t)(h * UINT64_C(0x9e3779b97f4a7c15));
}

enum souk_err
db_lock(struct db_tx *tx, enum db_lock kind, const void *key, size_t n, bool shared)
{
	assert(tx->write);
	return tx->conn->ops->lock(tx->conn, kind, lock_name(kind, key, n), shared);
}

int
db_lane(struct db_tx *tx)
{
	assert(tx->write);
	return tx->conn->ops->lane(tx->conn);
}

void *
db_lane_memo(struct db_tx *tx)
{
	assert(tx->write);
	return tx->memo;
}

bool
db_settle(struct db *db, int64_t timeout_ms)
{
	return db->ops->settle(db, timeout_ms);
}

bool
db_is_shared(const struct db *db)
{
	return db->ops->shared;
}

enum souk_err
db_tell(struct db_tx *tx, enum db_news news)
{
	assert(tx->write);
	return tx->conn->ops->tell(tx->conn, news);
}

void
db_listen(struct db *db, enum db_news news, void (*fn)(void *arg), void *arg)
{
	(void)pthread_mutex_lock(&db->news_lock);
	db->listener[news] = (struct db_listener){ .fn = fn, .arg = arg };
	(void)pthread_mutex_unlock(&db->news_lock);
}

void
db_hear(struct db *db, enum db_news news)
{
	const struct db_listener *l = &db->listener[news];

	(void)pthread_mutex_lock(&db->news_lock);
	if (l->fn) /* under the lock: who stops listening knows that nothing comes any more */
		l->fn(l->arg);
	(void)pthread_mutex_unlock(&db->news_lock);
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
db_before_commit(struct db_tx *tx, db_fn *fn, void *arg)
{
	assert(tx->write);
	for (unsigned i = 0; i < tx->n_lasts; i++)
		if (tx->last[i].fn == fn && tx->last[i].arg == arg)
			return;
	assert(tx->n_lasts < DB_LASTS_MAX);
	tx->last[tx->n_lasts++] = (struct db_last){ .fn = fn, .arg = arg };
}

void
db_scrub(struct db_tx *tx)
{
	assert(tx->write);
	tx->scrub = true;
}

bool
db_is_over(const struct db_tx *tx)
{
	return !conn_in_tx(tx->conn);
}

const char *
db_message(struct db_tx *tx)
{
	return conn_message(tx->conn);
}

/* ---- writing ---- */

enum souk_err
write_on(struct db_tx *tx, struct db *db, struct conn *c, db_fn *fn, void *arg)
{
	enum souk_err err = conn_begin(c, true);

	if (err != SOUK_OK)
		return err;
	if (!c->own_lane)
		memset(c->memo, 0, sizeof(c->memo));
	tx_init(tx, db, c, true);
	err = tx_run(tx, fn, arg);
	conn_reset_open(c);
	if (err == SOUK_OK && !conn_in_tx(c))
		err = SOUK_E_STORAGE;
	if (err != SOUK_OK) {
		conn_rollback(c);
		return err;
	}
	tx->commit_ns = clock_mono_ns();
	err = conn_commit(c);
	tx->commit_ns = clock_mono_ns() - tx->commit_ns;
	if (err == SOUK_OK)
		tx_keep_memo(tx);
	else /* perhaps it is there, perhaps not */
		memset(c->memo, 0, sizeof(c->memo));
	return err;
}

void
db_write_async(struct db *db, struct db_write *w)
{
	db->ops->write_async(db, w);
}

bool
db_write_alone(struct db *db, struct db_write *w)
{
	return db->ops->write_alone(db, w);
}

enum souk_err
db_bulk(struct db *db, db_fn *fn, void *arg)
{
	return db->ops->bulk(db, fn, arg);
}

bool
db_scrub_wait(struct db *db, int64_t timeout_ms)
{
	return db->ops->scrub_wait(db, timeout_ms);
}

enum souk_err
db_backup(struct db *db, const char *path, struct fail *f)
{
	return db->ops->backup(db, path, f);
}

struct waiter {
	struct db_write w;
	sem_t done;
};

static void
wake(struct db_write *w, enum souk_err err)
{
	struct waiter *x = (struct waiter *)w; /* its first member */

	(void)err;
	(void)sem_post(&x->done);
}

enum souk_err
db_write(struct db *db, db_fn *fn, void *arg)
{
	struct waiter x = { .w = { .fn = fn, .arg = arg, .done = wake } };

	if (sem_init(&x.done, 0, 0) != 0)
		return SOUK_E_INTERNAL;
	db_write_async(db, &x.w);
	while (sem_wait(&x.done) != 0)
		; /* interrupted by a signal */
	(void)sem_destroy(&x.done);
	return x.w.err;
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

	if (db_state(db) != DB_STATE_FINE)
		return SOUK_E_UNAVAILABLE;
	/* A commit a moment ago has shown it: asking often must not cost disk writes. */
	if (at != 0 && clock_mono_ns() - at < UINT64_C(1000000000))
		return SOUK_OK;
	return db_write(db, ping, NULL);
}

enum db_state
db_state(const struct db *db)
{
	return db->ops->state(db);
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
