/* SPDX-License-Identifier: Apache-2.0 */
/* What must not reach the next transaction, the commit's answer wherever it is read, clocks that differ, too few connections. */
#include "pg.h"
#include "proxy.h"
#include "support.h"

#include "store/db_pg.h"
#include "store/job_int.h"

#include <pthread.h>

#define SECOND UINT64_C(1000000000)

enum { Q_ADD, Q_PUT, Q_GET, Q_NAMES, Q_PID, Q_BROKEN, Q__COUNT };
static const char *const sql[Q__COUNT] = {
	[Q_ADD] = "INSERT INTO meta (name, value) VALUES ($1, $2)",
	[Q_PUT] = "INSERT INTO meta (name, value) VALUES ($1, $2)"
		  " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[Q_GET] = "SELECT value FROM meta WHERE name = $1",
	[Q_NAMES] = "SELECT name, value FROM meta WHERE name LIKE 'n%' ORDER BY name",
	[Q_PID] = "SELECT pg_backend_pid()",
	[Q_BROKEN] = "SELECT nothing FROM nowhere",
};
static struct db_texts texts = { .component = "attack", .sql = sql, .n = Q__COUNT };

struct attacked {
	struct pg_place *pg;
	PGconn *root;
	struct db *db;
};

static void
open_with(struct attacked *a, const char *url, unsigned readers, unsigned writers)
{
	struct fail f = { 0 };

	db_close(a->db);
	a->db = NULL;
	if (db_open(
		&(struct db_options){
		    .path = url, .create = true, .readers = readers, .writers = writers },
		&a->db, &f) != SOUK_OK)
		fail_msg("%s", f.detail);
}

static int
set_up(void **state)
{
	struct attacked *a = calloc(1, sizeof(*a));
	void *pg = NULL;

	assert_int_equal(pg_set_up(&pg), 0);
	a->pg = pg;
	a->root = pg_session(a->pg->root);
	open_with(a, a->pg->url, 2, 1);
	*state = a;
	return 0;
}

static int
tear_down(void **state)
{
	struct attacked *a = *state;
	void *pg = a->pg;

	db_close(a->db);
	PQfinish(a->root);
	(void)pg_tear_down(&pg);
	free(a);
	return 0;
}

static enum souk_err
put_later(struct db_tx *tx, unsigned q, int n, const char *value)
{
	struct db_stmt *st = db_stmt(tx, &texts, q);
	char name[16];

	(void)snprintf(name, sizeof(name), "n%03d", n);
	db_bind_c(st, 1, name);
	db_bind_c(st, 2, value);
	return db_run_later(st);
}

/* ---- the commit's answer, wherever it is read ---- */

static enum souk_err
put_many(struct db_tx *tx, void *arg)
{
	int n = *(const int *)arg;
	enum souk_err err = SOUK_OK;

	for (int i = 0; i < n && err == SOUK_OK; i++)
		err = put_later(tx, Q_PUT, i, "x");
	return err;
}

/* As for a standby that is given up: a warning beside the commit, for which the server here has a trigger. */
static void
test_a_warning_at_the_commit_is_seen_behind_any_number_of_commands(void **state)
{
	struct attacked *a = *state;
	PGconn *own = pg_session(a->pg->url);

	pg_do(own, "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS "
		   "$$ BEGIN RAISE WARNING 'given up'; RETURN NULL; END $$;"
		   "CREATE CONSTRAINT TRIGGER warn AFTER INSERT OR UPDATE ON meta DEFERRABLE "
		   "INITIALLY DEFERRED"
		   " FOR EACH ROW WHEN (new.name = 'n000') EXECUTE FUNCTION warn()");
	for (int n = 1; n < 2 * PG_WAITING_MAX; n++)
		if (db_write(a->db, put_many, &n) != SOUK_E_UNCERTAIN)
			fail_msg("not with %d commands before it", n);
	pg_do(own, "DROP TRIGGER warn ON meta");
	PQfinish(own);
	for (int n = 1; n < 2 * PG_WAITING_MAX; n++)
		assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK);
}

/* The server refuses at the commit what many commands before it did not show. */
static void
test_an_error_at_the_commit_undoes_behind_any_number_of_commands(void **state)
{
	struct attacked *a = *state;
	PGconn *own = pg_session(a->pg->url);

	pg_do(own, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
		   "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END $$;"
		   "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON meta DEFERRABLE "
		   "INITIALLY DEFERRED"
		   " FOR EACH ROW WHEN (new.name = 'n000') EXECUTE FUNCTION refuse()");
	for (int n = 1; n < 2 * PG_WAITING_MAX; n++)
		if (db_write(a->db, put_many, &n) != SOUK_E_CONFLICT)
			fail_msg("not with %d commands before it", n);
	assert_int_equal(pg_number(own, "SELECT count(*) FROM meta WHERE name LIKE 'n%'"), 0);
	PQfinish(own);
}

/* ---- what is left over ---- */

static enum souk_err
fail_unread(struct db_tx *tx, void *arg)
{
	enum souk_err err;

	(void)arg;
	if ((err = put_later(tx, Q_ADD, 1, "again")) != SOUK_OK)
		return err;
	return SOUK_E_NOT_FOUND; /* for a reason of its own */
}

static enum souk_err
lock_unread(struct db_tx *tx, void *arg)
{
	(void)arg;
	return lock_subject(tx, "held", 4) == SOUK_OK ? SOUK_E_NOT_FOUND : SOUK_E_INTERNAL;
}

static enum souk_err
hold(struct db_tx *tx, void *arg)
{
	struct db_stmt *st;
	enum souk_err err = lock_subject(tx, "held", 4);

	st = db_stmt(tx, &texts, Q_PID);
	if (err == SOUK_OK && (err = db_one(st)) == SOUK_OK)
		atomic_store((_Atomic bool *)arg, true);
	db_reset(st);
	clock_sleep_ms(PG_LOCK_MS + 1500);
	return err;
}

struct holder {
	struct db *db;
	_Atomic bool held;
	enum souk_err err;
};

static void *
hold_main(void *arg)
{
	struct holder *h = arg;

	h->err = db_write(h->db, hold, &h->held);
	return NULL;
}

static void
test_a_failure_nobody_read_stays_in_its_transaction(void **state)
{
	struct attacked *a = *state;
	struct attacked other = { 0 };
	struct holder h = { 0 };
	pthread_t t;
	int n = 2;

	assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(db_write(a->db, fail_unread, NULL), SOUK_E_NOT_FOUND);
		assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK);
	}
	open_with(&other, a->pg->url, 1, 1);
	h.db = other.db;
	assert_int_equal(pthread_create(&t, NULL, hold_main, &h), 0);
	while (!atomic_load(&h.held))
		clock_sleep_ms(5);
	assert_int_equal(db_write(a->db, lock_unread, NULL), SOUK_E_NOT_FOUND);
	assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK);
	(void)pthread_join(t, NULL);
	assert_int_equal(h.err, SOUK_OK);
	db_close(other.db);
}

/* ---- any order of statements, and connections that are cut anywhere ---- */

#define NAMES 40

struct play {
	struct attacked *a;
	unsigned seed;
	int kill_at; /* the step before which the connection is cut, once; -1: never */
	int before[NAMES], value[NAMES]; /* 0: not there */
	enum souk_err want;
	unsigned runs;
};

static unsigned
dice(struct play *p, unsigned sides)
{
	p->seed = p->seed * 1103515245u + 12345u;
	return (p->seed >> 16) % sides;
}

static void
cut(struct play *p, struct db_tx *tx)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "SELECT pg_terminate_backend(%d, 5000)",
	    PQbackendPID(pg(tx->conn)->h));
	pg_do(p->a->root, text);
	p->kill_at = -1;
}

static enum souk_err
put_step(struct play *p, struct db_tx *tx, bool add)
{
	int n = (int)dice(p, NAMES), v = (int)dice(p, 1000) + 1;
	char value[16];
	enum souk_err err;

	(void)snprintf(value, sizeof(value), "%d", v);
	err = put_later(tx, add ? Q_ADD : Q_PUT, n, value);
	if (add && p->value[n] != 0 && p->want == SOUK_OK)
		p->want = SOUK_E_CONFLICT;
	p->value[n] = v;
	return err;
}

static enum souk_err
get_step(struct play *p, struct db_tx *tx)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_GET);
	int n = (int)dice(p, NAMES);
	char name[16];
	enum souk_err err;

	(void)snprintf(name, sizeof(name), "n%03d", n);
	db_bind_c(st, 1, name);
	err = db_one(st);
	if (err == SOUK_OK)
		assert_int_equal(strtol(db_text(st, 0).p, NULL, 10), p->value[n]);
	else if (err == SOUK_E_NOT_FOUND)
		assert_int_equal(p->value[n], 0);
	if (dice(p, 2))
		db_reset(st);
	else if (err == SOUK_OK) {
		bool row = true;

		err = db_step(st, &row);
		assert_true(err != SOUK_OK || !row);
	}
	return err == SOUK_E_NOT_FOUND ? SOUK_OK : err;
}

/* Rows one by one, other statements between them; seldom to the end. */
static enum souk_err
scan_step(struct play *p, struct db_tx *tx)
{
	struct db_stmt *st = db_scan(tx, &texts, Q_NAMES);
	int want[NAMES], at = 0;
	bool row = true;
	enum souk_err err;

	memcpy(want, p->value, sizeof(want)); /* a cursor does not see what comes later */
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		while (at < NAMES && want[at] == 0)
			at++;
		assert_int_equal(strtol(db_text(st, 0).p + 1, NULL, 10), at);
		assert_int_equal(strtol(db_text(st, 1).p, NULL, 10), want[at]);
		at++;
		if (dice(p, 8) == 0)
			break;
		if (dice(p, 3) == 0 && (err = get_step(p, tx)) != SOUK_OK)
			break;
		if (dice(p, 3) == 0 && (err = put_step(p, tx, false)) != SOUK_OK)
			break;
	}
	if (err != SOUK_OK || row)
		db_reset(st);
	return err;
}

static enum souk_err
one_step(struct play *p, struct db_tx *tx)
{
	bool row;

	switch (dice(p, 24)) {
	case 0:
		p->want = p->want == SOUK_OK ? SOUK_E_INTERNAL : p->want;
		return db_step(db_stmt(tx, &texts, Q_BROKEN), &row);
	case 1:
		return put_step(p, tx, true);
	case 2:
	case 3:
		return scan_step(p, tx);
	case 4:
		return lock_subject(tx, "x", 1);
	case 5:
		return db_now(tx) > 0 ? SOUK_OK : SOUK_E_INTERNAL;
	case 6:
		return db_tell(tx, DB_NEWS_JOBS);
	case 7:
	case 8:
		return get_step(p, tx);
	default:
		return put_step(p, tx, false);
	}
}

static enum souk_err
play(struct db_tx *tx, void *arg)
{
	struct play *p = arg;
	unsigned seed = p->seed;
	int steps = (int)dice(p, 90);
	enum souk_err err = SOUK_OK;

	p->runs++;
	p->want = SOUK_OK;
	memcpy(p->value, p->before, sizeof(p->value));
	for (int i = 0; i < steps && err == SOUK_OK; i++) {
		if (i == p->kill_at)
			cut(p, tx);
		err = one_step(p, tx);
	}
	if (err == SOUK_OK && dice(p, 6) == 0) {
		err = SOUK_E_PRECONDITION;
		if (p->want == SOUK_OK)
			p->want = err;
	}
	/* Run again, it plays the same. */
	p->seed = seed;
	return err;
}

static void
test_any_order_is_whole_or_undone(void **state)
{
	struct attacked *a = *state;
	struct play p = { .a = a };
	unsigned again = 0;

	for (unsigned i = 1; i <= 1500; i++) {
		enum souk_err err;

		p.seed = i * 7919;
		p.kill_at = i % 10 == 0 ? (int)(i / 10 % 50) : -1;
		p.runs = 0;
		err = db_write(a->db, play, &p);
		/* A function that has a reason of its own may have it before a statement's failure shows. */
		if (err != p.want && !(err == SOUK_E_PRECONDITION && p.want == SOUK_E_CONFLICT))
			fail_msg(
			    "round %u: %s, not %s", i, souk_err_word(err), souk_err_word(p.want));
		again += p.runs > 1;
		if (err == SOUK_OK)
			memcpy(p.before, p.value, sizeof(p.before));
	}
	assert_true(again > 20);
}

/* ---- clocks that differ ---- */

/* The server's clock as this program's sessions see it; theirs stays right for who waits. */
static void
move_clock(PGconn *own, const char *by)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
	    "CREATE OR REPLACE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
	    "AS "
	    "$$ SELECT pg_catalog.clock_timestamp() + interval '%s' $$",
	    by);
	pg_do(own, text);
}

#define KIND_LEASE_MS 3000

struct running {
	_Atomic int began, told, ran;
	_Atomic bool go;
	struct job_runner *r;
};

static enum souk_err
finish(struct db_tx *tx, void *arg)
{
	return job_finish(tx, arg);
}

static enum job_outcome
run_job(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct running *x = ctx;
	struct job mine = *j;

	atomic_fetch_add(&x->began, 1);
	while (!atomic_load(&x->go)) {
		if (job_should_stop(x->r, j))
			atomic_store(&x->told, 1);
		clock_sleep_ms(5);
	}
	if (db_write(db, finish, &mine) == SOUK_OK)
		atomic_fetch_add(&x->ran, 1);
	(void)f;
	return JOB_DONE;
}

static const struct job_kind kinds[] = {
	{ .kind = "attack", .lease_ms = KIND_LEASE_MS, .run = run_job }
};

static enum souk_err
put_job(struct db_tx *tx, void *arg)
{
	(void)arg;
	return job_put(tx, &(struct job_new){ .kind = "attack" }, NULL);
}

static enum souk_err
tell_time(struct db_tx *tx, void *arg)
{
	*(instant_t *)arg = db_now(tx);
	return SOUK_OK;
}

static void
test_leases_go_by_the_servers_clock(void **state)
{
	struct attacked *a = *state;
	struct attacked other = { 0 };
	struct running one = { 0 }, two = { 0 };
	PGconn *own = pg_session(a->pg->url);
	instant_t t = 0;

	pg_do(own, "CREATE SCHEMA moved");
	move_clock(own, "-1 hour");
	open_with(a, pg_with(a->pg->url, "options=-csearch_path%3Dpublic,moved,pg_catalog"), 2, 2);
	open_with(
	    &other, pg_with(a->pg->url, "options=-csearch_path%3Dpublic,moved,pg_catalog"), 2, 2);
	assert_int_equal(db_write(a->db, tell_time, &t), SOUK_OK);
	assert_true(t < clock_now() - 59 * MINUTE_MS);
	assert_int_equal(db_write(a->db, put_job, NULL), SOUK_OK);
	assert_int_equal(job_runner_start(a->db, kinds, 1, 2, 5, &one, &one.r), SOUK_OK);
	for (int i = 0; i < 1000 && !atomic_load(&one.began); i++)
		clock_sleep_ms(5);
	assert_int_equal(one.began, 1);
	/* The first renewal fails, the next ones do not. */
	pg_do(own, "CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS "
		   "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53200'; END $$;"
		   "CREATE TRIGGER fail_once BEFORE UPDATE ON job FOR EACH ROW WHEN (old.state = 1)"
		   " EXECUTE FUNCTION fail_once()");
	clock_sleep_ms(KIND_LEASE_MS / 2);
	pg_do(own, "DROP TRIGGER fail_once ON job");
	assert_int_equal(job_runner_start(other.db, kinds, 1, 2, 5, &two, &two.r), SOUK_OK);
	clock_sleep_ms(2 * KIND_LEASE_MS);
	assert_int_equal(one.told, 0);
	assert_int_equal(two.began, 0);
	atomic_store(&one.go, true);
	atomic_store(&two.go, true);
	assert_true(job_runner_stop(one.r, 10000));
	assert_true(job_runner_stop(two.r, 10000));
	assert_int_equal(one.ran, 1);
	PQfinish(own);
	db_close(other.db);
}

/* A fail-over to a server whose clock is behind: who saw the time before agrees with who did not. */
static void
test_a_clock_that_goes_back_is_followed(void **state)
{
	struct attacked *a = *state;
	PGconn *own = pg_session(a->pg->url);
	instant_t before = 0, after = 0;

	pg_do(own, "CREATE SCHEMA moved");
	move_clock(own, "1 hour");
	open_with(a, pg_with(a->pg->url, "options=-csearch_path%3Dpublic,moved,pg_catalog"), 2, 1);
	assert_int_equal(db_write(a->db, tell_time, &before), SOUK_OK);
	move_clock(own, "0");
	assert_int_equal(db_write(a->db, tell_time, &after), SOUK_OK);
	assert_true(before - after > 59 * MINUTE_MS);
	assert_int_equal(db_read(a->db, tell_time, &after), SOUK_OK);
	assert_true(before - after > 59 * MINUTE_MS);
	PQfinish(own);
}

/* ---- too few connections ---- */

static enum souk_err
slow_put(struct db_tx *tx, void *arg)
{
	clock_sleep_ms(20);
	return put_later(tx, Q_PUT, *(const int *)arg, "x");
}

struct crowd {
	struct attacked *a;
	_Atomic int failed, done;
};

static void *
crowd_main(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 20; i++) {
		int n = i;

		if (db_write(c->a->db, slow_put, &n) != SOUK_OK)
			atomic_fetch_add(&c->failed, 1);
		atomic_fetch_add(&c->done, 1);
	}
	return NULL;
}

static void
test_writers_without_a_connection_leave_the_work_to_others(void **state)
{
	struct attacked *a = *state;
	struct crowd c = { .a = a };
	pthread_t t[16];
	char text[128];
	int n = 1;

	open_with(a, a->pg->url, 1, 16);
	/* Whoever is connected now may stay: one or two writers, and the listener. */
	assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK);
	clock_sleep_ms(300);
	(void)snprintf(text, sizeof(text), "ALTER DATABASE %s CONNECTION LIMIT %d", a->pg->name,
	    (int)pg_number(a->root, "SELECT count(*) FROM pg_stat_activity"
				    " WHERE datname = current_database() AND usename = 'souk'"));
	pg_do(a->root, text);
	for (int i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&t[i], NULL, crowd_main, &c), 0);
	for (int i = 0; i < 16; i++)
		(void)pthread_join(t[i], NULL);
	assert_int_equal(c.done, 16 * 20);
	assert_int_equal(c.failed, 0);
}

struct slow_read {
	struct db *db;
	_Atomic bool in, go;
};

static enum souk_err
read_slowly(struct db_tx *tx, void *arg)
{
	struct slow_read *s = arg;

	(void)tx;
	atomic_store(&s->in, true);
	while (!atomic_load(&s->go))
		clock_sleep_ms(5);
	return SOUK_OK;
}

static void *
read_main(void *arg)
{
	struct slow_read *s = arg;

	(void)!db_read(s->db, read_slowly, s);
	return NULL;
}

static void
test_a_reader_does_not_wait_for_ever(void **state)
{
	struct attacked *a = *state;
	struct slow_read s = { 0 };
	instant_t t;
	pthread_t thread;
	uint64_t began;

	open_with(a, a->pg->url, 1, 1);
	s.db = a->db;
	assert_int_equal(pthread_create(&thread, NULL, read_main, &s), 0);
	while (!atomic_load(&s.in))
		clock_sleep_ms(5);
	began = clock_mono_ns();
	assert_int_equal(db_read(a->db, tell_time, &t), SOUK_E_UNAVAILABLE);
	assert_true(clock_mono_ns() - began < PG_PATIENCE_MS * SECOND / 1000 + SECOND);
	atomic_store(&s.go, true);
	(void)pthread_join(thread, NULL);
	assert_int_equal(db_read(a->db, tell_time, &t), SOUK_OK);
}

static void
open_proxied(struct attacked *a, struct proxy *x)
{
	PQconninfoOption *o = PQconninfoParse(a->pg->url, NULL);
	const char *password = "", *port = "";
	char url[1024];

	for (PQconninfoOption *i = o; i->keyword; i++) {
		if (strcmp(i->keyword, "password") == 0)
			password = i->val;
		if (strcmp(i->keyword, "port") == 0)
			port = i->val;
	}
	proxy_start(x, getenv("SOUK_TEST_POSTGRES"), port);
	(void)snprintf(url, sizeof(url),
	    "postgresql://souk:%s@127.0.0.1:%d/%s?sslmode=disable&gssencmode=disable", password,
	    x->port, a->pg->name);
	PQconninfoFree(o);
	open_with(a, url, 2, 1);
}

static void
test_a_silent_server_is_not_waited_for(void **state)
{
	struct attacked *a = *state;
	struct proxy x = { 0 };
	instant_t t;
	uint64_t began;
	int n = 1;

	open_proxied(a, &x);
	assert_int_equal(db_read(a->db, tell_time, &t), SOUK_OK);
	atomic_store(&x.mode, PROXY_STALL);
	began = clock_mono_ns();
	assert_int_equal(db_read(a->db, tell_time, &t), SOUK_E_UNAVAILABLE);
	assert_true(clock_mono_ns() - began < 9 * SECOND);
	/* From then on nobody waits who has others to serve. */
	began = clock_mono_ns();
	for (int i = 0; i < 100; i++)
		n += db_read(a->db, tell_time, &t) == SOUK_E_UNAVAILABLE;
	n += db_state(a->db) != DB_STATE_FINE;
	began = clock_mono_ns() - began;
	atomic_store(&x.mode, PROXY_PASS);
	assert_int_equal(n, 102);
	assert_true(began < SECOND);
	for (n = 0; n < 500 && db_read(a->db, tell_time, &t) != SOUK_OK; n++)
		clock_sleep_ms(10);
	assert_true(n < 500);
	n = 1;
	assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK);
	db_close(a->db);
	a->db = NULL;
	proxy_stop(&x);
}

/* ---- very many locks ---- */

static enum souk_err
lock_many(struct db_tx *tx, void *arg)
{
	struct slow_read *s = arg;
	int n = 9;
	enum souk_err err = put_later(tx, Q_PUT, n, "many");

	for (int i = 0; i < 30000 && err == SOUK_OK; i++)
		err = db_lock(tx, DB_LOCK_OWNER, &i, sizeof(i), false);
	if (err == SOUK_OK && (err = db_one(db_stmt(tx, &texts, Q_PID))) == SOUK_OK)
		atomic_store(&s->in, true);
	while (err == SOUK_OK && !atomic_load(&s->go))
		clock_sleep_ms(5);
	return err;
}

static void *
bulk_main(void *arg)
{
	struct slow_read *s = arg;

	assert_int_equal(db_bulk(s->db, lock_many, s), SOUK_OK);
	return NULL;
}

static enum souk_err
lock_one(struct db_tx *tx, void *arg)
{
	return db_lock(tx, DB_LOCK_OWNER, arg, sizeof(int), false);
}

static void
test_a_large_import_leaves_room_for_locks(void **state)
{
	struct attacked *a = *state;
	struct slow_read s = { .db = a->db };
	int n = 5, last = 29999;
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, bulk_main, &s), 0);
	for (int i = 0; i < 4000 && !atomic_load(&s.in); i++)
		clock_sleep_ms(5);
	assert_true(s.in);
	assert_true(
	    pg_number(a->root, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") <
	    2 * PG_LOCKS_MAX);
	assert_int_equal(db_write(a->db, put_many, &n), SOUK_OK); /* takes none */
	assert_int_equal(db_write(a->db, lock_one, &last), SOUK_E_UNAVAILABLE);
	atomic_store(&s.go, true);
	(void)pthread_join(t, NULL);
	assert_int_equal(db_write(a->db, lock_one, &last), SOUK_OK);
}

/* It holds what a writer waits for, and comes to want all: the writer or itself is run again. */
static void *
lock_main(void *arg)
{
	struct holder *h = arg;
	int last = 1;

	while (!atomic_load(&h->held))
		if ((h->err = db_write(h->db, lock_one, &last)) != SOUK_OK)
			break;
	return NULL;
}

static void
test_a_large_import_among_writers_gets_through(void **state)
{
	struct attacked *a = *state;
	struct slow_read s = { .db = a->db, .go = true };
	struct holder h[4];
	pthread_t t[4];

	open_with(a, a->pg->url, 1, 4);
	s.db = a->db;
	for (int i = 0; i < 4; i++) {
		h[i] = (struct holder){ .db = a->db };
		assert_int_equal(pthread_create(&t[i], NULL, lock_main, &h[i]), 0);
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(db_bulk(a->db, lock_many, &s), SOUK_OK);
	for (int i = 0; i < 4; i++) {
		atomic_store(&h[i].held, true);
		(void)pthread_join(t[i], NULL);
		assert_int_equal(h[i].err, SOUK_OK);
	}
}

/* ---- words ---- */

static void
test_no_words_quote_what_is_left_of_a_password(void **state)
{
	static const char *const urls[] = {
		"postgresql://souk:one@two@127.0.0.1:5/souk",
		"postgresql://souk:one/two@127.0.0.1:5/souk",
		"postgresql://souk:1/two@127.0.0.1:5/souk",
		"postgresql://souk:one%2@127.0.0.1:5/souk",
		"postgresql://souk:a:two@b@127.0.0.1:5/souk",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct fail f = { 0 };
		struct db *db = NULL;

		if (db_open(&(struct db_options){ .path = urls[i] }, &db, &f) == SOUK_OK)
			fail_msg("%s opens", urls[i]);
		assert_string_equal(f.entry[0].field, "database");
		if (strstr(f.detail, "two") || strstr(f.detail, "one"))
			fail_msg("%s: %s", urls[i], f.detail);
	}
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		PLACED(test_a_warning_at_the_commit_is_seen_behind_any_number_of_commands),
		PLACED(test_an_error_at_the_commit_undoes_behind_any_number_of_commands),
		PLACED(test_a_failure_nobody_read_stays_in_its_transaction),
		PLACED(test_any_order_is_whole_or_undone),
		PLACED(test_leases_go_by_the_servers_clock),
		PLACED(test_a_clock_that_goes_back_is_followed),
		PLACED(test_writers_without_a_connection_leave_the_work_to_others),
		PLACED(test_a_reader_does_not_wait_for_ever),
		PLACED(test_a_silent_server_is_not_waited_for),
		PLACED(test_a_large_import_leaves_room_for_locks),
		PLACED(test_a_large_import_among_writers_gets_through),
		cmocka_unit_test(test_no_words_quote_what_is_left_of_a_password),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
