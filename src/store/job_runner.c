/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner: workers that run jobs, and a keeper that takes jobs for idle workers and
 * renews the leases of busy ones.
 *
 * Only the keeper takes and renews, and renews first: when the clock jumps ahead, jobs
 * that run here do not look abandoned to ourselves.
 * The danger: a stop that frees what a handler still uses. Then nothing is freed.
 */
#include "store/db_int.h"
#include "store/job_int.h"

#include "base/log.h"
#include "base/metrics.h"

#include <assert.h>
#include <stdlib.h>

#define RENEW_AGAIN_NS UINT64_C(1000000000) /* when a renewal failed */
#define POLL_MS SECOND_MS /* other processes may put jobs, and cannot ring our bell */

enum worker_state { WORKER_IDLE, WORKER_GIVEN, WORKER_RUNS, WORKER_GONE };

struct worker {
	struct job_runner *r;
	pthread_t thread;
	pthread_cond_t given;
	enum worker_state state; /* with r->lock */
	struct job_taken t;      /* the keeper's while idle, else the worker's */
	uint64_t renew_at;       /* monotonic; the keeper's */
	uint64_t ours_until;     /* monotonic; the keeper's: the lease holds until then for sure */
	instant_t lease_until;   /* as renewed, by the database's clock; the keeper's */
	_Atomic bool lost;       /* the lease is somebody else's now */
};

struct job_runner {
	struct job_context x;
	pthread_mutex_t lock;
	pthread_cond_t gone;
	pthread_t keeper;
	bool keeper_stop;
	_Atomic bool stopping;
	unsigned n_workers, n_started;
	uint64_t depth_at; /* when the queue's depth was last told */
	struct worker worker[];
};

bool
job_should_stop(const struct job_runner *r, const struct job *j)
{
	if (!r)
		return false;
	if (atomic_load_explicit(&r->stopping, memory_order_relaxed))
		return true;
	for (unsigned i = 0; i < r->n_workers; i++)
		if (&r->worker[i].t.job == j)
			return atomic_load_explicit(&r->worker[i].lost, memory_order_relaxed);
	return false;
}

static int64_t
lease_of(const struct worker *w)
{
	return w->t.kind && w->t.kind->lease_ms > 0 ? w->t.kind->lease_ms : MINUTE_MS;
}

/* A lease that was asked for at `asked` (monotonic): until when it holds, whatever the clocks say, and when to renew. */
static void
note_lease(struct worker *w, uint64_t asked, instant_t until)
{
	w->lease_until = until;
	w->ours_until = asked + (uint64_t)lease_of(w) * 1000000;
	w->renew_at = asked + (uint64_t)lease_of(w) * 1000000 / 3;
}

/*
 * Embedded, a clock that jumps ahead makes leases run out early. A server's clock is another one than ours,
 * so there ours says nothing.
 */
static bool
clock_jumped(const struct worker *w)
{
	return !db_is_shared(w->r->x.db) && clock_now() >= w->lease_until - lease_of(w) * 2 / 3;
}

/* ---- workers ---- */

static enum souk_err
release(struct db_tx *tx, void *arg)
{
	return job_row_release(tx, arg);
}

static void
work(struct worker *w)
{
	struct job_runner *r = w->r;

	enum souk_err err;

	if (!atomic_load(&r->stopping)) {
		job_run(&r->x, &w->t);
		return;
	}
	/* Not begun: the next process finds it as it was, or else its lease runs out. */
	err = db_write(r->x.db, release, &w->t.job);
	if (err != SOUK_OK)
		log_event(LOG_WARN, "job_not_released", LOG_S("code", souk_err_word(err)));
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct job_runner *r = w->r;

	(void)pthread_mutex_lock(&r->lock);
	for (;;) {
		while (w->state != WORKER_GIVEN && !atomic_load(&r->stopping))
			(void)pthread_cond_wait(&w->given, &r->lock);
		if (w->state != WORKER_GIVEN)
			break;
		w->state = WORKER_RUNS;
		(void)pthread_mutex_unlock(&r->lock);
		work(w);
		(void)pthread_mutex_lock(&r->lock);
		w->state = WORKER_IDLE;
		db_bell_ring(db_bell(r->x.db)); /* the keeper has somebody idle again */
	}
	w->state = WORKER_GONE;
	(void)pthread_cond_signal(&r->gone);
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- the keeper ---- */

struct renewing {
	struct job_runner *r;
	instant_t until[DB_READERS_MAX];
	bool due[DB_READERS_MAX], kept[DB_READERS_MAX];
};

static enum souk_err
renew(struct db_tx *tx, void *arg)
{
	struct renewing *n = arg;
	enum souk_err err = SOUK_OK;

	for (unsigned i = 0; i < n->r->n_workers && (err == SOUK_OK || err == SOUK_E_CONFLICT);
	     i++) {
		struct worker *w = &n->r->worker[i];

		if (!n->due[i])
			continue;
		n->until[i] = db_now(tx) + lease_of(w);
		err = job_row_renew(tx, &w->t.job, n->until[i]);
		n->kept[i] = err == SOUK_OK;
	}
	return err == SOUK_E_CONFLICT ? SOUK_OK : err;
}

/* Which leases are a third gone. A job that just ended may be among them: harmless. */
static bool
find_renewals(struct job_runner *r, struct renewing *n)
{
	uint64_t mono = clock_mono_ns();
	bool any = false;

	(void)pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->worker[i];

		n->due[i] = (w->state == WORKER_RUNS || w->state == WORKER_GIVEN) &&
			    !atomic_load(&w->lost) && (mono >= w->renew_at || clock_jumped(w));
		any |= n->due[i];
	}
	(void)pthread_mutex_unlock(&r->lock);
	return any;
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
renew_leases(struct job_runner *r)
{
	struct renewing n = { .r = r };
	uint64_t asked = clock_mono_ns();
	enum souk_err err;

	if (!find_renewals(r, &n))
		return;
	err = db_write(r->x.db, renew, &n);
	for (unsigned i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->worker[i];

		if (!n.due[i])
			continue;
		if (err == SOUK_OK && !n.kept[i])
			atomic_store(&w->lost, true);
		else if (err == SOUK_OK)
			note_lease(w, asked, n.until[i]);
		else if (clock_mono_ns() >= w->ours_until)
			atomic_store(&w->lost, true); /* could not renew: others may have it */
		else
			w->renew_at = sooner(clock_mono_ns() + RENEW_AGAIN_NS, w->ours_until);
	}
}

/* Milliseconds until a job is due; none or negative: one is. By the database's clock, which is what rows have. */
static enum souk_err
look(struct db_tx *tx, void *arg)
{
	instant_t at = INSTANT_MAX;
	enum souk_err err = job_row_due_at(tx, &at);

	if (err == SOUK_OK)
		*(int64_t *)arg = at - db_now(tx);
	return err;
}

/* *ret_waiting: how many more workers may get a kind that waits. */
static unsigned
find_idle(struct job_runner *r, struct worker *out[], size_t *ret_waiting)
{
	size_t may_wait = r->n_workers > 1 ? r->n_workers / 2 : 1, wait = 0;
	unsigned n = 0;

	(void)pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->n_workers; i++)
		if (r->worker[i].state == WORKER_IDLE)
			out[n++] = &r->worker[i];
		else
			wait += r->worker[i].t.kind && r->worker[i].t.kind->waits;
	(void)pthread_mutex_unlock(&r->lock);
	*ret_waiting = wait < may_wait ? may_wait - wait : 0;
	return n;
}

static void
give(struct job_runner *r, struct worker *w, struct job_taken *t, uint64_t asked)
{
	struct buf mine = w->t.payload; /* swapped, so that its memory is used again */

	(void)pthread_mutex_lock(&r->lock);
	w->t = *t;
	t->payload = mine;
	atomic_store(&w->lost, false);
	note_lease(w, asked, t->job.lease_until);
	w->state = WORKER_GIVEN;
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_cond_signal(&w->given);
}

/* Takes what is due for whoever is idle. Returns how long there is nothing to do. */
static int64_t
take_jobs(struct job_runner *r, struct job_taken *t)
{
	struct worker *idle[DB_READERS_MAX];
	size_t may_wait, n = 0;
	unsigned n_idle = find_idle(r, idle, &may_wait);
	uint64_t asked;
	int64_t due_in = 0;

	if (n_idle == 0)
		return POLL_MS; /* a worker that ends rings */
	if (db_read(r->x.db, look, &due_in) != SOUK_OK)
		return POLL_MS;
	if (due_in > 0)
		return due_in < POLL_MS ? due_in : POLL_MS;
	asked = clock_mono_ns();
	if (job_take(&r->x, t, n_idle, may_wait, &n) != SOUK_OK)
		return POLL_MS;
	for (size_t i = 0; i < n; i++) {
		may_wait -= t[i].kind && t[i].kind->waits;
		give(r, idle[i], &t[i], asked);
	}
	/* What is still due may wait for a worker that waits: one that ends rings. */
	return n == n_idle || may_wait == 0 ? POLL_MS : 0;
}

static enum souk_err
read_depth(struct db_tx *tx, void *arg)
{
	return job_depth(tx, arg);
}

static void
tell_depth(struct job_runner *r)
{
	struct job_depth d = { 0 };
	uint64_t mono = clock_mono_ns();

	if (mono - r->depth_at < UINT64_C(1000000000))
		return;
	r->depth_at = mono;
	if (db_read(r->x.db, read_depth, &d) != SOUK_OK)
		return;
	metric_set(MET_JOB_QUEUE, MQUEUE_WAITING, d.waiting);
	metric_set(MET_JOB_QUEUE, MQUEUE_RUNNING, d.leased);
	metric_set(MET_JOB_QUEUE, MQUEUE_DEAD, d.dead);
	metric_set(MET_JOB_OLDEST_SECONDS, 0,
	    d.oldest_due != 0 && d.now > d.oldest_due ? (d.now - d.oldest_due) / SECOND_MS : 0);
}

/* How long until the next lease needs the keeper. */
static int64_t
renewal_wait(struct job_runner *r, int64_t most)
{
	uint64_t mono = clock_mono_ns();

	(void)pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->n_workers; i++)
		if (r->worker[i].state == WORKER_RUNS) {
			uint64_t at = r->worker[i].renew_at;
			int64_t ms = at <= mono ? 1 : (int64_t)((at - mono) / 1000000) + 1;

			most = ms < most ? ms : most;
		}
	(void)pthread_mutex_unlock(&r->lock);
	return most;
}

static void *
keeper_main(void *arg)
{
	struct job_runner *r = arg;
	struct db_bell *bell = db_bell(r->x.db);
	struct job_taken t[DB_READERS_MAX] = { 0 };
	uint64_t heard = 0;
	int64_t wait = 0;

	for (;;) {
		(void)pthread_mutex_lock(&bell->lock);
		if (bell->count == heard && wait > 0 && !r->keeper_stop)
			(void)clock_cond_wait_ms(&bell->rang, &bell->lock, wait);
		heard = bell->count;
		if (r->keeper_stop)
			break;
		(void)pthread_mutex_unlock(&bell->lock);
		renew_leases(r);
		wait = atomic_load(&r->stopping) ? POLL_MS : take_jobs(r, t);
		wait = renewal_wait(r, wait);
		tell_depth(r);
	}
	(void)pthread_mutex_unlock(&bell->lock);
	for (size_t i = 0; i < DB_READERS_MAX; i++)
		buf_done(&t[i].payload);
	return NULL;
}

/* ---- starting and stopping ---- */

static enum souk_err
free_leases(struct db_tx *tx, void *arg)
{
	(void)arg;
	return job_row_free_leases(tx);
}

static void
runner_free(struct job_runner *r)
{
	for (unsigned i = 0; i < r->n_workers; i++) {
		buf_done(&r->worker[i].t.payload);
		(void)pthread_cond_destroy(&r->worker[i].given);
	}
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->gone);
	free(r);
}

static struct job_runner *
runner_new(const struct job_context *x, unsigned workers)
{
	struct job_runner *r = calloc(1, sizeof(*r) + workers * sizeof(r->worker[0]));

	if (!r)
		return NULL;
	r->x = *x;
	r->n_workers = workers;
	(void)pthread_mutex_init(&r->lock, NULL);
	clock_cond_init(&r->gone);
	for (unsigned i = 0; i < workers; i++) {
		r->worker[i].r = r;
		r->worker[i].state = WORKER_GONE; /* until its thread is there */
		(void)pthread_cond_init(&r->worker[i].given, NULL);
	}
	return r;
}

static bool
start_threads(struct job_runner *r)
{
	for (; r->n_started < r->n_workers; r->n_started++) {
		struct worker *w = &r->worker[r->n_started];

		w->state = WORKER_IDLE;
		if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
			w->state = WORKER_GONE;
			return false;
		}
	}
	return pthread_create(&r->keeper, NULL, keeper_main, r) == 0;
}

static unsigned
still_there(const struct job_runner *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_workers; i++)
		n += r->worker[i].state != WORKER_GONE;
	return n;
}

/* Asks the workers to go; false when some have not after `ms`. */
static bool
dismiss(struct job_runner *r, int64_t ms)
{
	uint64_t until = clock_mono_ns() + (uint64_t)(ms > 0 ? ms : 0) * 1000000, now;
	bool all;

	(void)pthread_mutex_lock(&r->lock);
	atomic_store(&r->stopping, true);
	for (unsigned i = 0; i < r->n_started; i++)
		(void)pthread_cond_signal(&r->worker[i].given);
	while (still_there(r) > 0 && (now = clock_mono_ns()) < until)
		(void)clock_cond_wait_ms(
		    &r->gone, &r->lock, (int64_t)((until - now) / 1000000) + 1);
	all = still_there(r) == 0;
	(void)pthread_mutex_unlock(&r->lock);
	return all;
}

static void
join_workers(struct job_runner *r, bool gone)
{
	for (unsigned i = 0; i < r->n_started; i++)
		if (gone)
			(void)pthread_join(r->worker[i].thread, NULL);
		else
			(void)pthread_detach(r->worker[i].thread);
}

enum souk_err
job_runner_start(struct db *db, const struct job_kind *kinds, size_t n_kinds, unsigned workers,
    int default_attempts, void *ctx, struct job_runner **ret)
{
	struct job_context x = { .db = db,
		.kinds = kinds,
		.n_kinds = n_kinds,
		.default_attempts = default_attempts,
		.ctx = ctx };
	struct job_runner *r, *before = *ret;
	enum souk_err err = SOUK_OK;

	assert(job_kinds_fit(&x)); /* here, and not when all workers wait for the first time */
	/* Leases of other nodes are theirs until they run out. */
	if (!db_is_shared(db) && (err = db_write(db, free_leases, NULL)) != SOUK_OK)
		return err;
	workers = workers == 0 ? 1 : workers > DB_READERS_MAX ? DB_READERS_MAX : workers;
	if (!(r = runner_new(&x, workers)))
		return SOUK_E_NOMEM;
	*ret = r; /* the first handler may ask for it at once */
	if (!start_threads(r)) {
		*ret = before;
		(void)dismiss(r, MINUTE_MS); /* idle: at once */
		join_workers(r, true);
		runner_free(r);
		return SOUK_E_INTERNAL;
	}
	return SOUK_OK;
}

bool
job_runner_stop(struct job_runner *r, int64_t ms)
{
	struct db_bell *bell;
	bool gone;

	if (!r)
		return true;
	bell = db_bell(r->x.db);
	gone = dismiss(r, ms);
	(void)pthread_mutex_lock(&bell->lock);
	r->keeper_stop = true;
	(void)pthread_mutex_unlock(&bell->lock);
	db_bell_ring(bell);
	(void)pthread_join(r->keeper, NULL);
	join_workers(r, gone);
	if (gone)
		runner_free(r);
	return gone;
}
