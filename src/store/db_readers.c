/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers' pool: as many connections as are needed at once, up to a maximum, each
 * opened when first wanted and kept with its prepared statements.
 *
 * A semaphore counts the free ones, so whoever has passed it finds one; a thread looks
 * first at the one it had last, whose pages and statements are warm.
 */
#include "store/db_int.h"

#include "base/metrics.h"

#include <errno.h>

enum souk_err
readers_init(struct db *db, unsigned n)
{
	db->n_readers = n == 0 ? DB_READERS : n > DB_READERS_MAX ? DB_READERS_MAX : n;
	return sem_init(&db->free_readers, 0, db->n_readers) == 0 ? SOUK_OK : SOUK_E_INTERNAL;
}

void
readers_done(struct db *db)
{
	for (unsigned i = 0; i < db->n_readers; i++)
		conn_close(db->reader[i].conn);
	if (db->n_readers > 0)
		(void)sem_destroy(&db->free_readers);
}

/* Waits until one is free; false when that takes too long. */
static bool
wait_for_one(struct db *db)
{
	uint64_t until = clock_mono_ns() + (uint64_t)db->ops->read_patience_ms * 1000000;
	struct timespec t = { .tv_sec = (time_t)(until / 1000000000),
		.tv_nsec = (long)(until % 1000000000) };

	while (sem_clockwait(&db->free_readers, CLOCK_MONOTONIC, &t) != 0)
		if (errno != EINTR)
			return false;
	return true;
}

/* NULL when none was free in time. */
static struct db_reader *
take(struct db *db)
{
	static _Thread_local unsigned last;
	bool there;

	metric_move(MET_DB_READS_WAITING, 0, 1);
	there = wait_for_one(db);
	metric_move(MET_DB_READS_WAITING, 0, -1);
	if (!there)
		return NULL;
	for (unsigned i = last % db->n_readers;; i = (i + 1) % db->n_readers)
		if (!atomic_exchange_explicit(&db->reader[i].busy, true, memory_order_acquire)) {
			last = i;
			return &db->reader[i];
		}
}

static void
give_back(struct db *db, struct db_reader *r)
{
	atomic_store_explicit(&r->busy, false, memory_order_release);
	(void)sem_post(&db->free_readers);
}

enum souk_err
read_on(struct db *db, struct conn *c, db_fn *fn, void *arg)
{
	struct db_tx tx;
	enum souk_err err = conn_begin(c, false);

	if (err != SOUK_OK)
		return err;
	tx_init(&tx, db, c, false);
	err = fn(&tx, arg);
	conn_reset_open(c);
	if (err == SOUK_OK &&
	    !conn_in_tx(c)) /* it overlooked a failure: what it has may be a part */
		err = conn_again(c) ? SOUK_E_UNAVAILABLE : SOUK_E_STORAGE;
	conn_rollback(c); /* nothing to keep: ends the snapshot */
	return err;
}

/*
 * One try; a connection that broke is closed, so that the next try has a new one. *again: in, may it be repeated;
 * out, is it to be.
 */
static enum souk_err
try_read(struct db *db, struct db_reader *r, db_fn *fn, void *arg, bool *again)
{
	struct fail f = { 0 };
	enum souk_err err = SOUK_OK;
	bool broken;

	if (!r->conn && (err = db->ops->open_conn(db, CONN_READ, &r->conn, &f)) != SOUK_OK) {
		db->ops->note(db, NULL, err, &f);
		*again = false;
		return err;
	}
	err = read_on(db, r->conn, fn, arg);
	broken = conn_broken(r->conn);
	*again = *again && broken && err != SOUK_OK;
	if (err != SOUK_OK && !*again)
		db->ops->note(db, r->conn, err, NULL);
	if (broken) {
		conn_close(r->conn);
		r->conn = NULL;
	}
	return err;
}

/* Known to answer nothing, or nothing that we understand: waiting would hold a thread. */
static bool
away(const struct db *db)
{
	enum db_state s = db_state(db);

	return s == DB_STATE_AWAY || s == DB_STATE_NEWER || db->ops->silent(db);
}

enum souk_err
db_read(struct db *db, db_fn *fn, void *arg)
{
	struct db_reader *r = away(db) ? NULL : take(db);
	bool again = true;
	enum souk_err err = SOUK_E_UNAVAILABLE;

	if (!r) {
		metric_add(MET_DB_REFUSED, 0, 1);
		return err;
	}
	if (!away(db)) /* it may have waited long */
		err = try_read(db, r, fn, arg, &again);
	else
		again = false;
	if (again &&
	    !away(db)) { /* the server was started anew, perhaps long ago: a read may be repeated */
		metric_add(MET_DB_RETRIES, MRETRY_CONNECTION, 1);
		again = false;
		err = try_read(db, r, fn, arg, &again);
	}
	give_back(db, r);
	return err;
}
