/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One job from taking to recording its outcome.
 *
 * The danger is a job that kills its worker each time: an attempt is counted when the
 * job is taken, so it runs out of attempts like any other, and is then buried without
 * being run once more.
 */
#include "store/job_int.h"

#include "base/log.h"
#include "base/metrics.h"

#include <assert.h>
#include <stdio.h>

#define LEASE_MS (60 * SECOND_MS) /* of kinds that do not say, and of those we do not know */
#define PAUSE_MS SECOND_MS
#define PAUSE_MAX_MS HOUR_MS

static const struct job_kind *
kind_of(const struct job_context *x, const char *word)
{
	for (size_t i = 0; i < x->n_kinds; i++)
		if (strcmp(x->kinds[i].kind, word) == 0)
			return &x->kinds[i];
	return NULL;
}

static int
attempts_of(const struct job_context *x, const struct job_kind *k)
{
	int n = k && k->attempts > 0 ? k->attempts : x->default_attempts;

	return n > 0 ? n : 1;
}

int64_t
job_pause_ms(const struct job_kind *k, int attempts)
{
	int64_t pause = k->backoff_ms > 0 ? k->backoff_ms : PAUSE_MS;
	int64_t most = k->backoff_max_ms > 0 ? k->backoff_max_ms : PAUSE_MAX_MS;
	uint64_t dice;

	for (int i = 1; i < attempts && pause < most; i++)
		pause *= 2;
	if (pause > most)
		pause = most;
	/* Up to a quarter less: jobs that failed together do not come back together. */
	random_bytes(&dice, sizeof(dice));
	return pause - (int64_t)(dice % (uint64_t)(pause / 4 + 1));
}

struct taking {
	const struct job_context *x;
	struct job_taken *out;
	size_t max, max_waiting, n;
};

bool
job_kinds_fit(const struct job_context *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n_kinds; i++)
		n += x->kinds[i].waits;
	return n <= JOB_SKIP_MAX;
}

/* The kinds that wait, when no more of them are to be taken. */
static void
list_skipped(const struct job_context *x, bool full, const char *skip[JOB_SKIP_MAX])
{
	size_t n = 0;

	for (size_t i = 0; full && i < x->n_kinds; i++)
		if (x->kinds[i].waits) {
			assert(n < JOB_SKIP_MAX);
			skip[n++] = x->kinds[i].kind;
		}
}

static enum souk_err
take_one(struct db_tx *tx, const struct job_context *x, bool full, struct job_taken *t)
{
	const char *skip[JOB_SKIP_MAX] = { NULL };
	enum souk_err err;

	list_skipped(x, full, skip);
	if ((err = job_row_next(tx, skip, &t->job, &t->payload)) != SOUK_OK)
		return err;
	t->kind = kind_of(x, t->job.kind);
	t->used_up = t->job.attempts >= attempts_of(x, t->kind);
	if (!t->used_up)
		t->job.attempts++;
	t->job.lease = guid_new();
	t->job.lease_until =
	    db_now(tx) + (t->kind && t->kind->lease_ms > 0 ? t->kind->lease_ms : LEASE_MS);
	return job_row_lease(tx, &t->job);
}

static enum souk_err
take(struct db_tx *tx, void *arg)
{
	struct taking *k = arg;
	size_t waiting = 0;
	enum souk_err err = SOUK_OK;

	for (k->n = 0; k->n < k->max; k->n++) {
		struct job_taken *t = &k->out[k->n];

		if ((err = take_one(tx, k->x, waiting >= k->max_waiting, t)) != SOUK_OK)
			break;
		waiting += t->kind && t->kind->waits;
	}
	return err == SOUK_E_NOT_FOUND ? SOUK_OK : err;
}

enum souk_err
job_take(const struct job_context *x, struct job_taken *out, size_t max, size_t max_waiting,
    size_t *ret_n)
{
	struct taking k = { .x = x, .out = out, .max = max, .max_waiting = max_waiting };
	enum souk_err err = db_write(x->db, take, &k);

	if (err == SOUK_OK)
		*ret_n = k.n;
	return err;
}

struct ending {
	const struct job_context *x;
	const struct job_taken *t;
	const struct fail *fail;
	bool dead;
	int64_t pause_ms;
	char reason[JOB_REASON_MAX];
};

static enum souk_err
end(struct db_tx *tx, void *arg)
{
	struct ending *e = arg;
	const struct job_kind *k = e->t->kind;
	enum souk_err err;

	if (!e->dead)
		return job_row_retry(tx, &e->t->job, db_now(tx) + e->pause_ms, e->reason);
	if ((err = job_row_end(tx, &e->t->job, JOB_S_DEAD, e->reason)) != SOUK_OK || !k || !k->dead)
		return err;
	return k->dead(e->x->ctx, tx, &e->t->job, e->fail);
}

static void
tell(const struct ending *e, enum souk_err err)
{
	char id[GUID_TEXT_LEN + 1];

	guid_format(&e->t->job.id, id);
	log_event(e->dead || err != SOUK_OK ? LOG_ERROR : LOG_WARN,
	    e->dead ? "job_dead" : "job_retry", LOG_S("job", id), LOG_S("kind", e->t->job.kind),
	    LOG_I("attempt", e->t->job.attempts), LOG_S("reason", e->reason),
	    LOG_S("recorded", souk_err_word(err)));
}

/*
 * Records a failure. When it cannot become dead (its kind's `dead` failed), it waits and
 * is buried later; when nothing can be recorded, its lease runs out and it is taken again.
 */
static void
record(const struct job_context *x, const struct job_taken *t, bool dead, const struct fail *f)
{
	struct ending e = { .x = x, .t = t, .fail = f, .dead = dead };
	enum souk_err err;

	e.pause_ms = t->kind ? job_pause_ms(t->kind, t->job.attempts) : PAUSE_MS;
	fail_line(f, e.reason, sizeof(e.reason));
	err = db_write(x->db, end, &e);
	tell(&e, err);
	if (err != SOUK_OK && err != SOUK_E_CONFLICT && dead) {
		e.dead = false;
		e.pause_ms = PAUSE_MAX_MS / 60;
		err = db_write(x->db, end, &e);
		tell(&e, err);
	}
}

static enum job_outcome
run_kind(const struct job_context *x, struct job_taken *t, struct fail *f)
{
	enum job_outcome outcome;

	if (!t->kind) {
		(void)fail_set(f, SOUK_E_INTERNAL, "job_kind_unknown",
		    "this version of souk has no such kind of job");
		return JOB_DEAD;
	}
	if (t->used_up) {
		(void)fail_set(f, SOUK_E_INTERNAL, "job_worker_lost",
		    "its worker stopped without an answer at the last attempt");
		return JOB_DEAD;
	}
	outcome = t->kind->run(x->ctx, x->db, &t->job, f);
	if (outcome != JOB_DONE && f->err == SOUK_OK)
		(void)fail_set(f, SOUK_E_INTERNAL, "job_failed", "it failed without a reason");
	return outcome == JOB_RETRY && t->job.attempts >= attempts_of(x, t->kind) ? JOB_DEAD
										  : outcome;
}

void
job_run(const struct job_context *x, struct job_taken *t)
{
	static const enum met_outcome met[] = {
		[JOB_DONE] = OUT_DONE, [JOB_RETRY] = OUT_RETRY, [JOB_DEAD] = OUT_DEAD
	};
	unsigned kind = t->kind ? t->kind->metric : MJOB_OTHER;
	uint64_t began = clock_mono_ns();
	struct fail f = { 0 };
	enum job_outcome outcome = run_kind(x, t, &f);

	metric_observe_ns(MET_JOB_SECONDS, kind, clock_mono_ns() - began);
	metric_add(MET_JOBS_DONE, MET_LABEL2(kind, met[outcome], OUT__COUNT), 1);
	if (outcome != JOB_DONE)
		record(x, t, outcome == JOB_DEAD, &f);
}

enum souk_err
job_run_due(struct db *db, const struct job_kind *kinds, size_t n_kinds, int default_attempts,
    void *ctx, size_t *ret_ran)
{
	struct job_context x = { .db = db,
		.kinds = kinds,
		.n_kinds = n_kinds,
		.default_attempts = default_attempts,
		.ctx = ctx };
	struct job_taken t = { 0 };
	size_t n = 0, ran = 0;
	enum souk_err err;

	while ((err = job_take(&x, &t, 1, 1, &n)) == SOUK_OK && n > 0) {
		job_run(&x, &t);
		ran++;
	}
	buf_done(&t.payload);
	if (err == SOUK_OK && ret_ran)
		*ret_ran = ran;
	return err;
}
