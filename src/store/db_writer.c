/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: one thread runs all write transactions and commits those that wait together.
 *
 * While one commit waits for the disk, the next functions queue up; they share the next
 * commit. Nothing waits on purpose, so a lone writer pays for its own commit only, and for
 * handing the work over and back: two wake-ups, 8 us on a busy machine and several times
 * that on an idle one. Who has nothing else to do saves them by writer_alone.
 * The danger: a function's failure must never touch its neighbours' work, and nobody
 * may be told of success before the disk has it.
 */
#include "store/db_int.h"

#include "base/metrics.h"

#include <assert.h>

/* Takes the waiting functions, oldest first, at most a batch; 0 when it is time to stop. */
static unsigned
wait_for_work(struct db *db)
{
	unsigned n = 0;

	(void)pthread_mutex_lock(&db->queue_lock);
	while (!db->queue && !db->stop)
		(void)pthread_cond_wait(&db->queue_filled, &db->queue_lock);
	for (; db->queue && n < DB_BATCH_MAX; n++) {
		db->part[n].w = db->queue;
		db->part[n].w->err = SOUK_OK;
		db->part[n].settled = false;
		db->queue = db->queue->next;
	}
	if (!db->queue)
		db->queue_end = &db->queue;
	(void)pthread_mutex_unlock(&db->queue_lock);
	return n;
}

static void
settle(struct db_part *p, enum souk_err err)
{
	p->w->err = err;
	p->settled = true;
}

/*
 * Runs one function inside the open transaction; alone, it needs no part of its own.
 * False when the engine has ended the whole transaction: what ran before is undone too.
 */
static bool
run_part(struct db *db, struct db_part *p, bool alone)
{
	struct conn *c = db->writer;
	enum souk_err err = alone ? SOUK_OK : conn_part_begin(c);

	tx_init(&p->tx, db, c, true);
	if (err == SOUK_OK)
		err = tx_run(&p->tx, p->w->fn, p->w->arg);
	conn_reset_open(c);
	if (!conn_in_tx(c)) {
		settle(p, err == SOUK_OK ? SOUK_E_STORAGE : err);
		return false;
	}
	if (err != SOUK_OK) {
		settle(p, err);
		if (alone)
			conn_rollback(c);
		else if (conn_part_undo(c) != SOUK_OK)
			conn_rollback(c);
		return alone || conn_in_tx(c);
	}
	if (!alone && (err = conn_part_keep(c)) != SOUK_OK) {
		settle(p, err);
		conn_rollback(c);
		return false;
	}
	tx_keep_memo(&p->tx);
	return true;
}

static void
settle_rest(struct db_part *part, unsigned n, enum souk_err err)
{
	for (unsigned i = 0; i < n; i++)
		if (!part[i].settled)
			settle(&part[i], err);
}

/* One go at the unsettled functions; false when it has to be repeated without one that failed. */
static bool
try_batch(struct db *db, struct db_part *part, unsigned n, uint64_t *ret_commit_ns)
{
	uint64_t began;
	enum souk_err err = conn_begin(db->writer, true);

	if (err != SOUK_OK) {
		settle_rest(part, n, err);
		return true;
	}
	upkeep_room(db);
	/* From one function to the next; before the first, another process may have written. */
	memset(db->writer->memo, 0, sizeof(db->writer->memo));
	for (unsigned i = 0; i < n; i++)
		if (!part[i].settled && !run_part(db, &part[i], n == 1))
			return false;
	began = clock_mono_ns();
	if (conn_in_tx(db->writer) && (err = conn_commit(db->writer)) != SOUK_OK)
		settle_rest(part, n, err);
	*ret_commit_ns = clock_mono_ns() - began;
	return true;
}

/* Inside the gate, and leaves it. */
static void
run_batch(struct db *db, struct db_part *part, unsigned n)
{
	uint64_t commit_ns = 0;
	unsigned kept = 0;

	while (!try_batch(db, part, n, &commit_ns))
		; /* each round settles at least one */
	gate_leave(db);
	for (unsigned i = 0; i < n; i++)
		if (part[i].w->err == SOUK_OK) {
			tx_committed(&part[i].tx);
			kept++;
		}
	if (kept > 0) {
		db_committed(db, n, commit_ns);
		upkeep_note_commit(db);
	}
}

static void
tell(struct db_part *part, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		part[i].w->done(part[i].w, part[i].w->err);
}

bool
writer_alone(struct db *db, struct db_write *w)
{
	struct db_part part = { .w = w };

	if (!gate_try(db))
		return false;
	w->err = SOUK_OK;
	run_batch(db, &part, 1);
	tell(&part, 1);
	return true;
}

static void *
writer_main(void *arg)
{
	struct db *db = arg;
	unsigned n;

	while ((n = wait_for_work(db)) > 0) {
		if (gate_enter(db))
			run_batch(db, db->part, n);
		else
			settle_rest(db->part, n, SOUK_E_UNAVAILABLE);
		tell(db->part, n);
	}
	return NULL;
}

void
writer_async(struct db *db, struct db_write *w)
{
	bool was_empty;

	w->next = NULL;
	(void)pthread_mutex_lock(&db->queue_lock);
	was_empty = db->queue == NULL;
	*db->queue_end = w;
	db->queue_end = &w->next;
	(void)pthread_mutex_unlock(&db->queue_lock);
	if (was_empty)
		(void)pthread_cond_signal(&db->queue_filled);
}

enum souk_err
writer_start(struct db *db)
{
	db->queue_end = &db->queue;
	if (pthread_create(&db->writer_thread, NULL, writer_main, db) != 0)
		return SOUK_E_INTERNAL;
	db->writer_started = true;
	return SOUK_OK;
}

void
writer_stop(struct db *db)
{
	if (!db->writer_started)
		return;
	(void)pthread_mutex_lock(&db->queue_lock);
	db->stop = true;
	(void)pthread_mutex_unlock(&db->queue_lock);
	(void)pthread_cond_signal(&db->queue_filled);
	(void)pthread_join(db->writer_thread, NULL);
	db->writer_started = false;
}
