/* SPDX-License-Identifier: Apache-2.0 */
/* The queue: every job's effect once, whatever becomes of its worker. */
#include "support.h"

#include "base/log.h"
#include "base/metrics.h"
#include "store/job_int.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

/* What the tests do to rows behind the queue's back. */
enum { Q_SET_LEASE_END, Q_STEAL, Q_RUN_NOW, Q_AGE, Q__COUNT };
static const char *const sql[Q__COUNT] = {
	[Q_SET_LEASE_END] = "UPDATE job SET lease_until = $1 WHERE state = 1",
	[Q_STEAL] = "UPDATE job SET lease = $1 WHERE state = 1",
	[Q_RUN_NOW] = "UPDATE job SET run_after = $1 WHERE state = 0",
	[Q_AGE] = "UPDATE job SET finished_at = $1 WHERE state = 2",
};
static struct db_texts texts = { .component = "test_job", .sql = sql, .n = Q__COUNT };

struct meddling {
	unsigned q;
	instant_t at;
	struct guid lease;
};

static enum souk_err
meddle_tx(struct db_tx *tx, void *arg)
{
	struct meddling *m = arg;
	struct db_stmt *st = db_stmt(tx, &texts, m->q);

	if (m->q == Q_STEAL)
		db_bind_guid(st, 1, &m->lease);
	else
		db_bind_int(st, 1, m->at);
	return db_run(st, NULL);
}

static void
meddle(struct db *db, unsigned q, instant_t at)
{
	struct meddling m = { .q = q, .at = at, .lease = guid_new() };

	assert_int_equal(db_write(db, meddle_tx, &m), SOUK_OK);
}

/* ---- a kind of job whose effect is a fact named after the job ---- */

struct bench {
	struct place *p;
	struct job_runner *r;
	_Atomic int ran, dead, block, began, told_to_stop;
	enum job_outcome outcome;
	bool steal, dead_fails;
	_Atomic int finish_err;
	struct job last;
	char last_payload[64];
};

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER; /* two workers may run at once */

struct effect {
	const struct job *j;
};

static enum souk_err
have_effect(struct db_tx *tx, void *arg)
{
	const struct job *j = ((struct effect *)arg)->j;
	struct fact x = { .value = "1" };
	enum souk_err err;

	guid_format(&j->id, x.name);
	if ((err = fact_get(tx, &x)) == SOUK_OK)
		(void)snprintf(x.value, sizeof(x.value), "%ld", strtol(x.value, NULL, 10) + 1);
	else if (err != SOUK_E_NOT_FOUND)
		return err;
	return (err = fact_put(tx, &x)) == SOUK_OK ? job_finish(tx, j) : err;
}

static enum job_outcome
run_effect(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct bench *b = ctx;
	struct effect e = { .j = j };

	atomic_fetch_add(&b->began, 1);
	(void)pthread_mutex_lock(&last_lock);
	b->last = *j;
	(void)snprintf(
	    b->last_payload, sizeof(b->last_payload), "%.*s", (int)j->payload.n, j->payload.p);
	(void)pthread_mutex_unlock(&last_lock);
	while (atomic_load(&b->block) && !atomic_load(&b->told_to_stop)) {
		clock_sleep_ms(5);
		if (job_should_stop(b->r, j))
			atomic_store(&b->told_to_stop, 1);
	}
	while (atomic_load(&b->block) == 2)
		clock_sleep_ms(5); /* deaf */
	if (b->steal)
		meddle(db, Q_STEAL, 0);
	if (b->outcome == JOB_DONE) {
		atomic_store(&b->finish_err, (int)db_write(db, have_effect, &e));
		if (atomic_load(&b->finish_err) != SOUK_OK)
			return JOB_RETRY;
	}
	if (b->outcome != JOB_DONE)
		(void)fail_set(f, SOUK_E_UNAVAILABLE, "away", "the peer is away");
	atomic_fetch_add(&b->ran, 1);
	return b->outcome;
}

static enum souk_err
bury(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct bench *b = ctx;
	struct fact x = { .name = "buried" };

	(void)j;
	(void)snprintf(x.value, sizeof(x.value), "%s", f->code);
	if (b->dead_fails)
		return SOUK_E_LIMIT;
	atomic_fetch_add(&b->dead, 1);
	return fact_put(tx, &x);
}

static const struct job_kind kinds[] = {
	{ .kind = "effect",
	    .metric = MJOB_OTHER,
	    .attempts = 3,
	    .backoff_ms = 1000,
	    .backoff_max_ms = 4000,
	    .lease_ms = 600,
	    .run = run_effect,
	    .dead = bury },
};

struct putting {
	struct job_new j;
	struct guid id;
	enum souk_err after;
};

static enum souk_err
put_tx(struct db_tx *tx, void *arg)
{
	struct putting *p = arg;
	enum souk_err err = job_put(tx, &p->j, &p->id);

	return err == SOUK_OK ? p->after : err;
}

static const struct guid request = { .b = { 7 } };

static struct guid
put(struct db *db, const char *kind, instant_t run_after, enum souk_err after)
{
	struct putting p = { .j = { .kind = kind,
				 .seller_id = STR("012345678901"),
				 .request_id = &request,
				 .payload = STR("{\"a\":1}"),
				 .run_after = run_after },
		.after = after };

	assert_int_equal(db_write(db, put_tx, &p), after);
	return p.id;
}

static size_t
run_due(struct bench *b)
{
	size_t ran = 0;

	assert_int_equal(job_run_due(b->p->db, kinds, 1, 5, b, &ran), SOUK_OK);
	return ran;
}

struct listing {
	struct job_row row[300];
	size_t n;
	struct job_depth depth;
};

static enum souk_err
list_tx(struct db_tx *tx, void *arg)
{
	struct listing *l = arg;
	enum souk_err err = job_list(tx, STR("012345678901"), &request, l->row, 300, &l->n);

	return err == SOUK_OK ? job_depth(tx, &l->depth) : err;
}

static struct listing
list(struct db *db)
{
	struct listing l = { 0 };

	assert_int_equal(db_read(db, list_tx, &l), SOUK_OK);
	return l;
}

static long
effects(struct db *db, const struct guid *id)
{
	struct fact x = { 0 };

	guid_format(id, x.name);
	return db_read(db, fact_get, &x) == SOUK_OK ? strtol(x.value, NULL, 10) : 0;
}

/* ---- one job ---- */

static void
test_job_runs_once_with_what_was_put(void **state)
{
	struct bench b = { .p = *state };
	struct guid id = put(b.p->db, "effect", 0, SOUK_OK);
	struct listing l = list(b.p->db);

	assert_int_equal(l.n, 1);
	assert_int_equal(l.row[0].state, JOB_READY);
	assert_int_equal(l.depth.waiting, 1);
	assert_true(l.depth.oldest_due > 0);
	assert_int_equal(run_due(&b), 1);
	assert_int_equal(run_due(&b), 0);
	assert_true(guid_eq(&b.last.id, &id));
	assert_string_equal(b.last.seller_id, "012345678901");
	assert_string_equal(b.last_payload, "{\"a\":1}");
	assert_true(guid_eq(&b.last.request_id, &request));
	assert_int_equal(b.last.attempts, 1);
	assert_int_equal(effects(b.p->db, &id), 1);
	l = list(b.p->db);
	assert_int_equal(l.row[0].state, JOB_S_DONE);
	assert_true(l.row[0].finished_at >= l.row[0].created_at);
	assert_string_equal(job_state_word(l.row[0].state), "done");
	assert_int_equal(l.depth.waiting + l.depth.leased + l.depth.dead, 0);
}

struct newest {
	struct job_row row[2];
	size_t n;
};

static enum souk_err
newest_tx(struct db_tx *tx, void *arg)
{
	struct newest *l = arg;

	return job_list(tx, STR("012345678901"), &request, l->row, 2, &l->n);
}

static void
test_the_newest_of_many_are_listed(void **state)
{
	struct place *p = *state;
	struct newest l = { .n = 0 };
	struct guid id[3];

	for (size_t i = 0; i < 3; i++) {
		id[i] = put(p->db, "effect", 0, SOUK_OK);
		clock_sleep_ms(2);
	}
	assert_int_equal(db_read(p->db, newest_tx, &l), SOUK_OK);
	assert_int_equal(l.n, 2);
	assert_true(guid_eq(&l.row[0].id, &id[1]));
	assert_true(guid_eq(&l.row[1].id, &id[2]));
}

static void
test_undone_and_future_jobs_do_not_run(void **state)
{
	struct bench b = { .p = *state };

	(void)put(b.p->db, "effect", 0, SOUK_E_DENIED);
	(void)put(b.p->db, "effect", clock_now() + HOUR_MS, SOUK_OK);
	assert_int_equal(run_due(&b), 0);
	assert_int_equal(list(b.p->db).depth.waiting, 1);
	meddle(b.p->db, Q_RUN_NOW, 1);
	assert_int_equal(run_due(&b), 1);
}

static void
test_payload_has_a_limit(void **state)
{
	struct place *p = *state;
	char *big = calloc(1, JOB_PAYLOAD_MAX + 1);
	struct putting x = { .j = { .kind = "effect", .payload = { big, JOB_PAYLOAD_MAX + 1 } } };

	memset(big, ' ', JOB_PAYLOAD_MAX + 1);
	assert_int_equal(db_write(p->db, put_tx, &x), SOUK_E_LIMIT);
	x.j.payload.n--;
	assert_int_equal(db_write(p->db, put_tx, &x), SOUK_OK);
	free(big);
}

static void
test_pause_doubles_up_to_its_limit(void **state)
{
	static const int64_t want[] = { 1000, 2000, 4000, 4000, 4000 };
	bool differ = false;
	int64_t first = job_pause_ms(&kinds[0], 1);

	(void)state;
	for (int n = 1; n <= 5; n++)
		for (int i = 0; i < 200; i++) {
			int64_t ms = job_pause_ms(&kinds[0], n);

			assert_true(ms <= want[n - 1] && ms >= want[n - 1] * 3 / 4);
			differ |= n == 1 && ms != first;
		}
	assert_true(differ);
	assert_true(job_pause_ms(&kinds[0], 1000000) <= 4000);
}

static void
test_retries_then_dies_with_its_reason(void **state)
{
	struct bench b = { .p = *state, .outcome = JOB_RETRY };
	struct fact x = { .name = "buried" };
	struct listing l;
	instant_t before = clock_now();

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	for (int n = 1; n <= 3; n++) {
		assert_int_equal(run_due(&b), 1);
		assert_int_equal(run_due(&b), 0); /* it waits */
		l = list(b.p->db);
		assert_int_equal(l.row[0].attempts, n);
		assert_non_null(strstr(l.row[0].reason, "the peer is away"));
		assert_int_equal(l.row[0].state, n < 3 ? JOB_READY : JOB_S_DEAD);
		if (n == 1)
			assert_true(l.row[0].run_after >= before + 750);
		assert_int_equal(b.dead, n == 3);
		meddle(b.p->db, Q_RUN_NOW, 1);
	}
	assert_int_equal(run_due(&b), 0);
	assert_int_equal(b.ran, 3);
	assert_int_equal(l.depth.dead, 1);
	assert_int_equal(db_read(b.p->db, fact_get, &x), SOUK_OK);
	assert_string_equal(x.value, "away");
}

static void
test_dies_at_once_when_told(void **state)
{
	struct bench b = { .p = *state, .outcome = JOB_DEAD };

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	assert_int_equal(run_due(&b), 1);
	assert_int_equal(b.dead, 1);
	assert_int_equal(list(b.p->db).row[0].state, JOB_S_DEAD);
}

static void
test_burial_that_fails_is_done_later(void **state)
{
	struct bench b = { .p = *state, .outcome = JOB_DEAD, .dead_fails = true };
	struct listing l;

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	assert_int_equal(run_due(&b), 1);
	l = list(b.p->db);
	assert_int_equal(l.row[0].state, JOB_READY);
	b.dead_fails = false;
	meddle(b.p->db, Q_RUN_NOW, 1);
	assert_int_equal(run_due(&b), 1);
	assert_int_equal(b.dead, 1);
	assert_int_equal(list(b.p->db).row[0].state, JOB_S_DEAD);
}

static void
test_unknown_kind_dies_visibly(void **state)
{
	struct bench b = { .p = *state };
	struct listing l;

	(void)put(b.p->db, "nobody-knows", 0, SOUK_OK);
	assert_int_equal(run_due(&b), 1);
	l = list(b.p->db);
	assert_int_equal(l.row[0].state, JOB_S_DEAD);
	assert_non_null(strstr(l.row[0].reason, "no such kind"));
}

/* ---- leases ---- */

static struct job_taken
take_one(struct bench *b)
{
	struct job_context x = {
		.db = b->p->db, .kinds = kinds, .n_kinds = 1, .default_attempts = 5
	};
	struct job_taken t = { 0 };
	size_t n = 0;

	assert_int_equal(job_take(&x, &t, 1, 1, &n), SOUK_OK);
	assert_int_equal(n, 1);
	return t;
}

static enum souk_err
check_tx(struct db_tx *tx, void *arg)
{
	return job_check(tx, arg);
}

static enum souk_err
finish_tx(struct db_tx *tx, void *arg)
{
	return job_finish(tx, arg);
}

static void
test_a_lease_can_be_asked_for(void **state)
{
	struct bench b = { .p = *state };
	struct job_taken t, thief;

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	t = take_one(&b);
	assert_int_equal(db_read(b.p->db, check_tx, &t.job), SOUK_OK);
	thief = t;
	thief.job.lease = guid_new();
	assert_int_equal(db_read(b.p->db, check_tx, &thief.job), SOUK_E_CONFLICT);
	assert_int_equal(db_write(b.p->db, finish_tx, &t.job), SOUK_OK);
	assert_int_equal(db_read(b.p->db, check_tx, &t.job), SOUK_E_CONFLICT);
	buf_done(&t.payload);
}

static void
test_lost_lease_undoes_the_effect(void **state)
{
	struct bench b = { .p = *state, .steal = true };
	struct guid id = put(b.p->db, "effect", 0, SOUK_OK);

	assert_int_equal(run_due(&b), 1);
	assert_int_equal(b.finish_err, SOUK_E_CONFLICT);
	assert_int_equal(effects(b.p->db, &id), 0);
	assert_int_equal(list(b.p->db).row[0].state, JOB_LEASED); /* the thief's */
}

static void
test_expired_lease_is_taken_again(void **state)
{
	struct bench b = { .p = *state };
	struct guid id = put(b.p->db, "effect", 0, SOUK_OK);
	struct job_taken t = take_one(&b);
	struct effect e = { .j = &t.job };

	assert_int_equal(run_due(&b), 0); /* held */
	meddle(b.p->db, Q_SET_LEASE_END, clock_now());
	assert_int_equal(run_due(&b), 1);
	assert_int_equal(b.last.attempts, 2);
	assert_int_equal(effects(b.p->db, &id), 1);
	/* The first worker comes back: too late. */
	assert_int_equal(db_write(b.p->db, have_effect, &e), SOUK_E_CONFLICT);
	assert_int_equal(effects(b.p->db, &id), 1);
	buf_done(&t.payload);
}

static void
test_job_that_kills_its_worker_dies(void **state)
{
	struct bench b = { .p = *state };
	struct listing l;

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	for (int n = 1; n <= 3; n++) {
		struct job_taken t = take_one(&b); /* and never heard of again */

		assert_int_equal(t.job.attempts, n);
		assert_false(t.used_up);
		buf_done(&t.payload);
		meddle(b.p->db, Q_SET_LEASE_END, 1);
	}
	assert_int_equal(run_due(&b), 1);
	assert_int_equal(b.began, 0); /* buried without another try */
	assert_int_equal(b.dead, 1);
	l = list(b.p->db);
	assert_int_equal(l.row[0].attempts, 3);
	assert_non_null(strstr(l.row[0].reason, "worker"));
}

/* ---- the runner ---- */

static struct job_runner *
start(struct bench *b, unsigned workers)
{
	assert_int_equal(job_runner_start(b->p->db, kinds, 1, workers, 5, b, &b->r), SOUK_OK);
	return b->r;
}

static void
wait_for(_Atomic int *what, int value)
{
	for (int i = 0; atomic_load(what) < value; i++) {
		if (i > 2000)
			fail_msg("still %d, want %d", atomic_load(what), value);
		clock_sleep_ms(5);
	}
}

static void
test_runner_has_each_effect_once(void **state)
{
	struct bench b = { .p = *state };
	struct guid id[200];
	uint64_t before = metric_value(MET_JOBS_DONE, MET_LABEL2(MJOB_OTHER, OUT_DONE, OUT__COUNT));

	for (int i = 0; i < 100; i++)
		id[i] = put(b.p->db, "effect", 0, SOUK_OK);
	(void)start(&b, 4);
	for (int i = 100; i < 200; i++)
		id[i] = put(b.p->db, "effect", 0, SOUK_OK);
	wait_for(&b.ran, 200);
	assert_true(job_runner_stop(b.r, 10000));
	for (int i = 0; i < 200; i++)
		assert_int_equal(effects(b.p->db, &id[i]), 1);
	assert_int_equal(b.began, 200);
	assert_int_equal(
	    metric_value(MET_JOBS_DONE, MET_LABEL2(MJOB_OTHER, OUT_DONE, OUT__COUNT)) - before,
	    200);
}

static void
test_put_wakes_the_runner(void **state)
{
	struct bench b = { .p = *state };
	uint64_t t, worst = 0;

	(void)start(&b, 2);
	clock_sleep_ms(50);
	for (int i = 1; i <= 20; i++) {
		t = clock_mono_ns();
		(void)put(b.p->db, "effect", 0, SOUK_OK);
		wait_for(&b.ran, i);
		t = clock_mono_ns() - t;
		worst = t > worst ? t : worst;
	}
	assert_true(worst < UINT64_C(500000000)); /* the poll alone would take a second */
	assert_true(job_runner_stop(b.r, 10000));
}

/* A peer that hangs holds half of the workers: the rest goes on. */
static enum job_outcome
run_hanging(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct bench *b = ctx;

	atomic_fetch_add(&b->dead, 1);
	while (atomic_load(&b->block))
		clock_sleep_ms(5);
	(void)db;
	(void)j;
	(void)fail_set(f, SOUK_E_UNAVAILABLE, "away", "the peer is away");
	return JOB_DEAD;
}

static void
test_waiting_kinds_leave_workers(void **state)
{
	static const struct job_kind both[] = {
		{ .kind = "hanging",
		    .waits = true,
		    .attempts = 1,
		    .lease_ms = 60000,
		    .run = run_hanging },
		{ .kind = "effect", .attempts = 1, .lease_ms = 60000, .run = run_effect },
	};
	struct bench b = { .p = *state, .block = 1, .told_to_stop = 1 }; /* blocks the hanging */

	for (int i = 0; i < 10; i++)
		(void)put(b.p->db, "hanging", 0, SOUK_OK);
	assert_int_equal(job_runner_start(b.p->db, both, 2, 4, 5, &b, &b.r), SOUK_OK);
	wait_for(&b.dead, 2);
	for (int i = 0; i < 20; i++)
		(void)put(b.p->db, "effect", 0, SOUK_OK);
	wait_for(&b.ran, 20);
	assert_int_equal(b.dead, 2);
	atomic_store(&b.block, 0);
	wait_for(&b.dead, 10);
	assert_true(job_runner_stop(b.r, 10000));
}

static void
test_due_time_is_met_between_polls(void **state)
{
	struct bench b = { .p = *state };
	instant_t at;

	(void)start(&b, 1);
	clock_sleep_ms(20);
	at = clock_now() + 300;
	(void)put(b.p->db, "effect", at, SOUK_OK);
	wait_for(&b.ran, 1);
	assert_true(clock_now() >= at && clock_now() < at + 400);
	assert_true(job_runner_stop(b.r, 10000));
}

static void
test_lease_is_renewed_while_it_runs(void **state)
{
	struct bench b = { .p = *state, .block = 1 };
	struct bench other = { .p = *state };
	struct guid id = put(b.p->db, "effect", 0, SOUK_OK);

	(void)start(&b, 2);
	wait_for(&b.began, 1);
	for (int i = 0; i < 20; i++) { /* more than three leases */
		clock_sleep_ms(100);
		assert_int_equal(run_due(&other), 0);
	}
	assert_int_equal(b.told_to_stop, 0);
	atomic_store(&b.block, 0);
	wait_for(&b.ran, 1);
	assert_true(job_runner_stop(b.r, 10000));
	assert_int_equal(effects(b.p->db, &id), 1);
	assert_int_equal(b.last.attempts, 1);
}

static void
test_lost_lease_tells_the_handler(void **state)
{
	struct bench b = { .p = *state, .block = 1 };

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	(void)start(&b, 1);
	wait_for(&b.began, 1);
	meddle(b.p->db, Q_STEAL, 0);
	wait_for(&b.told_to_stop, 1);
	atomic_store(&b.block, 0);
	assert_true(job_runner_stop(b.r, 10000));
}

static void
test_stop_waits_for_handlers_and_keeps_the_rest(void **state)
{
	struct bench b = { .p = *state, .block = 1 };
	struct listing l;

	for (int i = 0; i < 5; i++)
		(void)put(b.p->db, "effect", 0, SOUK_OK);
	(void)start(&b, 2);
	wait_for(&b.began, 2);
	assert_true(job_runner_stop(b.r, 10000)); /* handlers see that they should stop */
	assert_int_equal(b.ran, 2);
	l = list(b.p->db);
	assert_int_equal(l.depth.waiting, 3);
	assert_int_equal(l.depth.leased, 0);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.row[i].attempts, l.row[i].state == JOB_S_DONE);
}

static void
test_stop_does_not_wait_for_ever(void **state)
{
	static struct bench b;
	static struct db *kept;
	uint64_t began;

	b = (struct bench){ .p = *state, .block = 2 };
	(void)put(b.p->db, "effect", 0, SOUK_OK);
	(void)start(&b, 1);
	wait_for(&b.began, 1);
	began = clock_mono_ns();
	assert_false(job_runner_stop(b.r, 200));
	assert_true(clock_mono_ns() - began < UINT64_C(5000000000));
	assert_int_equal(list(b.p->db).depth.leased, 1);
	atomic_store(&b.block, 0);
	wait_for(&b.ran, 1);
	/* As the contract says: nothing may be closed or freed now. */
	kept = b.p->db;
	b.p->db = NULL;
	(void)kept;
}

static void
test_start_frees_leases_of_the_dead(void **state)
{
	struct bench b = { .p = *state };
	struct job_taken t;

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	t = take_one(&b);
	(void)start(&b, 1);
	wait_for(&b.ran, 1);
	assert_true(job_runner_stop(b.r, 10000));
	assert_int_equal(b.last.attempts, 2);
	buf_done(&t.payload);
}

static void
test_killed_process_loses_no_job(void **state)
{
	struct bench b = { .p = *state };
	struct guid id = put(b.p->db, "effect", 0, SOUK_OK);
	int fd[2], status;
	char c;
	pid_t child;

	db_close(b.p->db);
	b.p->db = NULL;
	assert_int_equal(pipe(fd), 0);
	if ((child = fork()) == 0) {
		struct bench in = { .p = b.p, .block = 1 };

		place_open(in.p);
		(void)start(&in, 1);
		wait_for(&in.began, 1);
		(void)!write(fd[1], "x", 1);
		for (;;)
			clock_sleep_ms(1000);
	}
	(void)close(fd[1]); /* a child that dies early ends the read */
	assert_int_equal(read(fd[0], &c, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	place_open(b.p);
	assert_int_equal(effects(b.p->db, &id), 0);
	(void)start(&b, 1);
	wait_for(&b.ran, 1);
	assert_true(job_runner_stop(b.r, 10000));
	assert_int_equal(effects(b.p->db, &id), 1);
	assert_int_equal(b.last.attempts, 2);
	(void)close(fd[0]);
}

static enum souk_err
prune_tx(struct db_tx *tx, void *arg)
{
	return job_prune(tx, 1000, arg);
}

static void
test_prune_drops_only_old_ended_jobs(void **state)
{
	struct bench b = { .p = *state };
	int64_t n = -1;

	(void)put(b.p->db, "effect", 0, SOUK_OK);
	(void)put(b.p->db, "effect", 0, SOUK_OK);
	assert_int_equal(run_due(&b), 2);
	assert_int_equal(db_write(b.p->db, prune_tx, &n), SOUK_OK);
	assert_int_equal(n, 0);
	meddle(b.p->db, Q_AGE, 999);
	(void)put(b.p->db, "effect", 0, SOUK_OK);
	assert_int_equal(db_write(b.p->db, prune_tx, &n), SOUK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(list(b.p->db).n, 1);
}

/* ---- several takers, as nodes are ---- */

#define TAKERS 8
#define TAKEN_JOBS 120

struct taker {
	struct db *db;
	struct guid id[TAKEN_JOBS];
	size_t n;
	unsigned failed;
};

/* Its lease is the default one, which does not run out while others still take. */
static const struct job_kind lasting_kind = {
	.kind = "effect", .metric = MJOB_OTHER, .run = run_effect, .dead = bury
};

static void *
take_all(void *arg)
{
	struct taker *k = arg;
	struct job_context x = {
		.db = k->db, .kinds = &lasting_kind, .n_kinds = 1, .default_attempts = 5
	};
	struct job_taken t[3] = { 0 };
	size_t n = 1;

	for (unsigned empty = 0; empty < 3; empty = n == 0 ? empty + 1 : 0) {
		n = 0;
		k->failed += job_take(&x, t, 3, 3, &n) != SOUK_OK;
		for (size_t i = 0; i < n && k->n < TAKEN_JOBS; i++)
			k->id[k->n++] = t[i].job.id;
	}
	for (size_t i = 0; i < 3; i++)
		buf_done(&t[i].payload);
	return NULL;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct guid));
}

static void
test_no_two_take_the_same_job(void **state)
{
	struct place *p = *state;
	struct db *other = NULL;
	struct taker k[TAKERS] = { 0 };
	pthread_t t[TAKERS];
	struct guid all[TAKERS * TAKEN_JOBS];
	size_t n = 0;

	for (int i = 0; i < TAKEN_JOBS; i++)
		(void)put(p->db, "effect", 0, SOUK_OK);
	assert_int_equal(db_open(&(struct db_options){ .path = p->path }, &other, NULL), SOUK_OK);
	for (size_t i = 0; i < TAKERS; i++) {
		k[i].db = i % 2 == 0 ? p->db : other;
		assert_int_equal(pthread_create(&t[i], NULL, take_all, &k[i]), 0);
	}
	for (size_t i = 0; i < TAKERS; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(k[i].failed, 0);
		memcpy(all + n, k[i].id, k[i].n * sizeof(all[0]));
		n += k[i].n;
	}
	db_close(other);
	assert_int_equal(n, TAKEN_JOBS);
	qsort(all, n, sizeof(all[0]), by_id);
	for (size_t i = 1; i < n; i++)
		assert_false(guid_eq(&all[i - 1], &all[i]));
}

/* As many as there may be: each is a place in the statement. */
static void
test_every_kind_that_waits_is_passed_over(void **state)
{
	struct place *p = *state;
	char name[JOB_SKIP_MAX + 1][16] = { { 0 } };
	struct job_kind kind[JOB_SKIP_MAX + 2] = { 0 };
	struct job_context x = {
		.db = p->db, .kinds = kind, .n_kinds = JOB_SKIP_MAX + 1, .default_attempts = 5
	};
	struct job_taken t = { 0 };
	size_t n = 0;

	for (size_t i = 0; i <= JOB_SKIP_MAX; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "waits-%zu", i);
		kind[i] = lasting_kind;
		kind[i].kind = name[i];
		kind[i].waits = i < JOB_SKIP_MAX;
		(void)put(p->db, name[i], 0, SOUK_OK);
	}
	assert_true(job_kinds_fit(&x));
	assert_int_equal(job_take(&x, &t, 1, 0, &n), SOUK_OK);
	assert_int_equal(n, 1);
	assert_string_equal(t.kind->kind, name[JOB_SKIP_MAX]);
	assert_int_equal(job_take(&x, &t, 1, 0, &n), SOUK_OK);
	assert_int_equal(n, 0);
	buf_done(&t.payload);
	kind[JOB_SKIP_MAX].waits = true;
	assert_false(job_kinds_fit(&x));
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
	/* The last one leaves threads behind. */
	const struct CMUnitTest tests[] = {
		PLACED(test_job_runs_once_with_what_was_put),
		PLACED(test_the_newest_of_many_are_listed),
		PLACED(test_no_two_take_the_same_job),
		PLACED(test_every_kind_that_waits_is_passed_over),
		PLACED(test_undone_and_future_jobs_do_not_run),
		PLACED(test_payload_has_a_limit),
		PLACED(test_pause_doubles_up_to_its_limit),
		PLACED(test_retries_then_dies_with_its_reason),
		PLACED(test_dies_at_once_when_told),
		PLACED(test_burial_that_fails_is_done_later),
		PLACED(test_unknown_kind_dies_visibly),
		PLACED(test_a_lease_can_be_asked_for),
		PLACED(test_lost_lease_undoes_the_effect),
		PLACED(test_expired_lease_is_taken_again),
		PLACED(test_job_that_kills_its_worker_dies),
		PLACED(test_runner_has_each_effect_once),
		PLACED(test_put_wakes_the_runner),
		PLACED(test_waiting_kinds_leave_workers),
		PLACED(test_due_time_is_met_between_polls),
		PLACED(test_lease_is_renewed_while_it_runs),
		PLACED(test_lost_lease_tells_the_handler),
		PLACED(test_stop_waits_for_handlers_and_keeps_the_rest),
		PLACED(test_start_frees_leases_of_the_dead),
		PLACED(test_killed_process_loses_no_job),
		PLACED(test_prune_drops_only_old_ended_jobs),
		PLACED(test_stop_does_not_wait_for_ever),
	};
	log_setup(LOG_OFF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
