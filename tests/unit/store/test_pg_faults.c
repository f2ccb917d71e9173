/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL engine when things go wrong for real: what is promised then, and how soon it is said. */
#include "support.h"

#include "base/log.h"
#include "base/metrics.h"
#include "pg.h"
#include "proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#define MARK "Marked-Value-7f3a"
#define SECOND UINT64_C(1000000000)

#if defined(__SANITIZE_ADDRESS__)
/* Freed memory is to go back: one of the tests looks at how much there is. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}
#endif

struct fault_place {
	struct pg_place *pg;
	struct proxy proxy;
	char url[1024]; /* through the proxy */
	struct db *db;
	PGconn *root;
};

enum { Q_CHANGE, Q_SLEEP, Q_SCAN, Q_ADD, Q_TIMEOUT, Q__COUNT };
static const char *const sql[Q__COUNT] = {
	[Q_CHANGE] = "UPDATE meta SET value = value || $1 WHERE name = $2",
	[Q_SLEEP] = "SELECT pg_sleep(20)",
	[Q_SCAN] = "SELECT seq, purpose FROM audit_entry ORDER BY chain, seq",
	[Q_ADD] = "INSERT INTO meta (name, value) VALUES ($1, $2)",
	[Q_TIMEOUT] = "SELECT setting::bigint FROM pg_settings WHERE name = $1",
};
static struct db_texts texts = { .component = "fault", .sql = sql, .n = Q__COUNT };

static enum souk_err
opens(const char *url, unsigned writers, struct db **ret, struct fail *f)
{
	*f = (struct fail){ 0 };
	return db_open(
	    &(struct db_options){ .path = url, .create = true, .writers = writers }, ret, f);
}

static void
open_with(struct fault_place *p, const char *url, unsigned writers)
{
	struct fail f;

	if (opens(url, writers, &p->db, &f) != SOUK_OK)
		fail_msg("%s", f.detail);
}

/* The address through the proxy, in clear text. */
static void
proxied(struct fault_place *p)
{
	PQconninfoOption *o = PQconninfoParse(p->pg->url, NULL);
	const char *password = "", *port = "";

	for (PQconninfoOption *i = o; i->keyword; i++) {
		if (strcmp(i->keyword, "password") == 0)
			password = i->val;
		if (strcmp(i->keyword, "port") == 0)
			port = i->val;
	}
	proxy_start(&p->proxy, getenv("SOUK_TEST_POSTGRES"), port);
	(void)snprintf(p->url, sizeof(p->url),
	    "postgresql://souk:%s@127.0.0.1:%d/%s?sslmode=disable&gssencmode=disable", password,
	    p->proxy.port, p->pg->name);
	PQconninfoFree(o);
}

static int
fault_set_up(void **state)
{
	struct fault_place *p = calloc(1, sizeof(*p));
	struct fact a = { .name = "a" }, b = { .name = "b" };
	void *pg = NULL;

	assert_int_equal(pg_set_up(&pg), 0);
	p->pg = pg;
	p->root = pg_session(p->pg->root);
	proxied(p);
	open_with(p, p->pg->url, 4);
	assert_int_equal(db_write(p->db, fact_put, &a), SOUK_OK);
	assert_int_equal(db_write(p->db, fact_put, &b), SOUK_OK);
	*state = p;
	return 0;
}

static int
fault_tear_down(void **state)
{
	struct fault_place *p = *state;
	void *pg = p->pg;

	db_close(p->db);
	proxy_stop(&p->proxy);
	PQfinish(p->root);
	(void)pg_tear_down(&pg);
	free(p);
	return 0;
}

static void
reopen(struct fault_place *p, const char *url, unsigned writers)
{
	db_close(p->db);
	p->db = NULL;
	open_with(p, url, writers);
}

static int64_t
length_of(struct fault_place *p, const char *name)
{
	char text[128];

	(void)snprintf(
	    text, sizeof(text), "SELECT length(value) FROM meta WHERE name = '%s'", name);
	return pg_number(p->root, text);
}

#define WRITERS                                                                                    \
	" FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE"      \
	" 'souk write%'"

/* ---- killed connections ---- */

struct change {
	struct fault_place *p;
	const char *name, *other;
	unsigned runs;
	bool kill;
	pthread_barrier_t *meet;
	enum souk_err err;
	char message[256];
};

static enum souk_err
change_one(struct db_tx *tx, const char *name)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_CHANGE);

	db_bind_text(st, 1, STR("x"));
	db_bind_c(st, 2, name);
	return db_run(st, NULL);
}

static enum souk_err
change(struct db_tx *tx, void *arg)
{
	struct change *c = arg;
	enum souk_err err = change_one(tx, c->name);

	c->runs++;
	if (err == SOUK_OK && c->kill && c->runs == 1)
		pg_do(c->p->root, "SELECT pg_terminate_backend(pid, 5000)" WRITERS);
	if (err == SOUK_OK && c->meet && c->runs == 1)
		(void)pthread_barrier_wait(c->meet);
	if (err == SOUK_OK && c->other)
		err = change_one(tx, c->other);
	(void)snprintf(c->message, sizeof(c->message), "%s", db_message(tx));
	return err;
}

static void
test_killed_before_the_commit_is_done_once(void **state)
{
	struct fault_place *p = *state;
	struct change c = { .p = p, .name = "a", .kill = true },
		      d = { .p = p, .name = "a", .other = "b", .kill = true };

	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
	assert_int_equal(c.runs, 2);
	assert_int_equal(length_of(p, "a"), 1);
	/* Found by the next statement, not by the commit. */
	assert_int_equal(db_write(p->db, change, &d), SOUK_OK);
	assert_int_equal(d.runs, 2);
	assert_int_equal(length_of(p, "a"), 2);
	assert_int_equal(length_of(p, "b"), 1);
}

/* The same for the server as for nobody: whether it is kept is not for us to say, and it is not run again. */
static void
test_killed_in_the_commit_is_uncertain(void **state)
{
	struct fault_place *p = *state;
	struct change c = { .p = p, .name = "a" };

	reopen(p, p->url, 1);
	for (int kept = 0; kept < 2; kept++) {
		c.runs = 0;
		atomic_store(
		    &p->proxy.mode, kept ? PROXY_CUT_AFTER_COMMIT : PROXY_CUT_BEFORE_COMMIT);
		assert_int_equal(db_write(p->db, change, &c), SOUK_E_UNCERTAIN);
		assert_int_equal(c.runs, 1);
		assert_int_equal(atomic_load(&p->proxy.cut), kept + 1);
		assert_int_equal(length_of(p, "a"), kept);
	}
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK); /* on a new connection */
	assert_int_equal(length_of(p, "a"), 2);
}

/* ---- a node that hangs ---- */

struct hung {
	struct fault_place *p;
	const char *name;
	unsigned changes; /* made before it hangs */
	bool later;       /* without looking at their answers */
	unsigned runs;
	sem_t hangs, go_on;
	enum souk_err err;
	pthread_t thread;
};

static enum souk_err
change_and_hang(struct db_tx *tx, void *arg)
{
	struct hung *h = arg;
	enum souk_err err = SOUK_OK;

	h->runs++;
	for (unsigned i = 0; i < h->changes && err == SOUK_OK; i++) {
		struct db_stmt *st = db_stmt(tx, &texts, Q_CHANGE);

		db_bind_text(st, 1, STR("x"));
		db_bind_c(st, 2, h->name);
		err = h->later ? db_run_later(st) : db_run(st, NULL);
	}
	if (err == SOUK_OK && h->runs == 1) {
		(void)sem_post(&h->hangs);
		for (int i = 0; i < 600 && sem_trywait(&h->go_on) != 0; i++)
			clock_sleep_ms(
			    50); /* not for ever, or a failure of the test would not end */
	}
	return err;
}

static void *
hung_main(void *arg)
{
	struct hung *h = arg;

	h->err = db_write(h->p->db, change_and_hang, h);
	return NULL;
}

static void
hang(struct hung *h, struct fault_place *p, const char *name, unsigned changes, bool later)
{
	*h = (struct hung){ .p = p, .name = name, .changes = changes, .later = later };
	assert_int_equal(sem_init(&h->hangs, 0, 0), 0);
	assert_int_equal(sem_init(&h->go_on, 0, 0), 0);
	assert_int_equal(pthread_create(&h->thread, NULL, hung_main, h), 0);
	assert_int_equal(sem_wait(&h->hangs), 0);
}

static void
wake(struct hung *h)
{
	(void)sem_post(&h->go_on);
	assert_int_equal(pthread_join(h->thread, NULL), 0);
	(void)sem_destroy(&h->hangs);
	(void)sem_destroy(&h->go_on);
}

#define IN_TRANSACTION "SELECT count(*)" WRITERS " AND xact_start IS NOT NULL"

/*
 * For the server a node that hangs is one that says nothing. It loses its transaction, wherever in it that was; and
 * whatever it sends later, it is told that nothing was kept.
 */
static void
test_a_node_that_hangs_loses_its_transaction(void **state)
{
	struct fault_place *p = *state;
	struct hung at_a, at_b;
	struct change c = { .p = p, .name = "a" }, d = { .p = p, .name = "b" };
	uint64_t began = clock_mono_ns();

	hang(&at_a, p, "a", 1, false);
	hang(&at_b, p, "b", 60, true); /* so many that answers had to be read on the way */
	pg_until(p->root, IN_TRANSACTION, 2);
	clock_sleep_ms(8000); /* a machine may pause for some seconds */
	assert_int_equal(pg_number(p->root, IN_TRANSACTION), 2);
	while (pg_number(p->root, IN_TRANSACTION) > 0 && clock_mono_ns() - began < 20 * SECOND)
		clock_sleep_ms(100);
	assert_true(clock_mono_ns() - began < 13 * SECOND);
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
	assert_int_equal(db_write(p->db, change, &d), SOUK_OK);
	wake(&at_a);
	wake(&at_b);
	assert_int_equal(at_a.err, SOUK_E_UNAVAILABLE);
	assert_int_equal(at_b.err, SOUK_E_UNAVAILABLE);
	assert_int_equal(at_a.runs, 1); /* too late to try it again */
	assert_int_equal(at_b.runs, 1);
	assert_int_equal(length_of(p, "a"), 1);
	assert_int_equal(length_of(p, "b"), 1);
}

/* ---- silence ---- */

static void
test_no_answer_to_a_commit_ends_in_time(void **state)
{
	struct fault_place *p = *state;
	struct change c = { .p = p, .name = "a" };
	uint64_t began = clock_mono_ns(), took;

	reopen(p, p->url, 1);
	atomic_store(&p->proxy.mode, PROXY_STALL_AT_COMMIT);
	began = clock_mono_ns();
	assert_int_equal(db_write(p->db, change, &c), SOUK_E_UNCERTAIN);
	took = clock_mono_ns() - began;
	assert_true(took > 14 * SECOND && took < 20 * SECOND);
	assert_int_equal(c.runs, 1);
	assert_int_equal(db_ping(p->db), SOUK_E_UNAVAILABLE); /* known without asking */
	atomic_store(&p->proxy.mode, PROXY_PASS);
	for (int i = 0; i < 100 && db_ping(p->db) != SOUK_OK; i++)
		clock_sleep_ms(100);
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
}

struct queued {
	struct db_write w;
	struct change c;
	enum souk_err err;
	_Atomic uint64_t at;
};

static void
note_end(struct db_write *w, enum souk_err err)
{
	struct queued *q = w->arg;

	q->err = err;
	atomic_store(&q->at, clock_mono_ns());
}

static enum souk_err
change_queued(struct db_tx *tx, void *arg)
{
	return change(tx, &((struct queued *)arg)->c);
}

static void
enqueue(struct fault_place *p, struct queued *q, const char *name)
{
	*q = (struct queued){ .w = { .fn = change_queued, .arg = q, .done = note_end },
		.c = { .p = p, .name = name } };
	db_write_async(p->db, &q->w);
}

static uint64_t
end_of(struct queued *q, uint64_t patience)
{
	uint64_t began = clock_mono_ns();

	while (atomic_load(&q->at) == 0) {
		if (clock_mono_ns() - began > patience)
			fail_msg("a write did not end in time");
		clock_sleep_ms(5);
	}
	return atomic_load(&q->at);
}

/* One writer waits for the server; those behind it are told soon that nobody will come. */
static void
test_silence_ends_in_time_and_refuses_the_queue(void **state)
{
	struct fault_place *p = *state;
	static struct queued q[20];
	uint64_t began, first;

	reopen(p, p->url, 1);
	atomic_store(&p->proxy.mode, PROXY_STALL);
	began = clock_mono_ns();
	for (size_t i = 0; i < 20; i++)
		enqueue(p, &q[i], "a");
	for (size_t i = 1; i < 20; i++) {
		uint64_t took = end_of(&q[i], 7 * SECOND) - began;

		assert_int_equal(q[i].err, SOUK_E_UNAVAILABLE);
		assert_int_equal(q[i].c.runs, 0);
		assert_true(took < 6 * SECOND);
	}
	first = end_of(&q[0], 40 * SECOND) - began;
	assert_int_equal(q[0].err, SOUK_E_UNAVAILABLE);
	assert_true(first < 38 * SECOND);
	atomic_store(&p->proxy.mode, PROXY_PASS);
	assert_int_equal(length_of(p, "a"), 0);
}

/* ---- in each other's way ---- */

static void *
changer_main(void *arg)
{
	struct change *c = arg;

	c->err = db_write(c->p->db, change, c);
	return NULL;
}

static void
test_a_deadlock_is_tried_again(void **state)
{
	struct fault_place *p = *state;
	pthread_barrier_t meet;
	struct change c[2] = { { .p = p, .name = "a", .other = "b", .meet = &meet },
		{ .p = p, .name = "b", .other = "a", .meet = &meet } };
	pthread_t t[2];

	assert_int_equal(pthread_barrier_init(&meet, NULL, 2), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, changer_main, &c[i]), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(c[i].err, SOUK_OK);
	}
	assert_true(c[0].runs + c[1].runs >= 3);
	assert_int_equal(length_of(p, "a"), 2);
	assert_int_equal(length_of(p, "b"), 2);
	(void)pthread_barrier_destroy(&meet);
}

static void
test_a_lock_is_waited_for_seconds_only(void **state)
{
	struct fault_place *p = *state;
	struct change c = { .p = p, .name = "a" }, d = { .p = p, .name = "b" };
	uint64_t began;

	pg_do(p->root, "BEGIN; UPDATE meta SET value = '' WHERE name = 'a'");
	began = clock_mono_ns();
	assert_int_equal(db_write(p->db, change, &c), SOUK_E_UNAVAILABLE);
	assert_int_equal(c.runs, 1);
	assert_true(clock_mono_ns() - began > 4 * SECOND);
	assert_true(clock_mono_ns() - began < 8 * SECOND);
	assert_non_null(strstr(c.message, "lock"));
	assert_int_equal(db_write(p->db, change, &d), SOUK_OK);
	pg_do(p->root, "ROLLBACK");
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
}

static enum souk_err
sleep_long(struct db_tx *tx, void *arg)
{
	bool row;
	enum souk_err err = db_step(db_stmt(tx, &texts, Q_SLEEP), &row);

	++*(unsigned *)arg;
	return err;
}

static void *
cancel_main(void *arg)
{
	struct fault_place *p = arg;

	pg_until(p->root, "SELECT count(*)" WRITERS " AND query LIKE '%pg_sleep(20)%'", 1);
	pg_do(p->root, "SELECT pg_cancel_backend(pid)" WRITERS);
	return NULL;
}

static enum souk_err
read_timeouts(struct db_tx *tx, void *arg)
{
	static const char *const names[] = { "statement_timeout", "lock_timeout",
		"idle_in_transaction_session_timeout" };
	int64_t *out = arg;
	enum souk_err err = SOUK_OK;

	for (int i = 0; i < 3 && err == SOUK_OK; i++) {
		struct db_stmt *st = db_stmt(tx, &texts, Q_TIMEOUT);

		db_bind_c(st, 1, names[i]);
		if ((err = db_one(st)) == SOUK_OK)
			out[i] = db_int(st, 0);
		db_reset(st);
	}
	return err;
}

/* What the server ends with its time-out is not run again: it would only take as long once more. */
static void
test_a_statement_ends_in_time(void **state)
{
	struct fault_place *p = *state;
	int64_t ms[3] = { 0 };
	unsigned runs = 0;
	pthread_t t;

	assert_int_equal(db_write(p->db, read_timeouts, ms), SOUK_OK);
	assert_int_equal(ms[0], 30000);
	assert_int_equal(ms[1], 5000);
	assert_int_equal(ms[2], 10000);
	assert_int_equal(db_read(p->db, read_timeouts, ms), SOUK_OK);
	assert_int_equal(ms[0], 30000);
	assert_int_equal(ms[2], 30000);
	assert_int_equal(pthread_create(&t, NULL, cancel_main, p), 0);
	assert_int_equal(db_write(p->db, sleep_long, &runs), SOUK_E_UNAVAILABLE);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(runs, 1);
	assert_int_equal(db_write(p->db, read_timeouts, ms), SOUK_OK);
}

/* ---- a server that does not let us in ---- */

static void
refused(const char *url, enum souk_err want, const char *words)
{
	struct db *db = NULL;
	struct fail f;

	assert_int_equal(opens(url, 1, &db, &f), want);
	assert_null(db);
	if (!strstr(f.detail, words))
		fail_msg("no '%s' in: %s", words, f.detail);
	assert_null(strstr(f.detail, "secret"));
	assert_non_null(strchr(f.detail, ';')); /* says what to do */
}

static void
test_wrong_addresses_say_what_is_wrong(void **state)
{
	struct fault_place *p = *state;
	char url[1024];

	(void)snprintf(url, sizeof(url), "postgresql://souk:secret@127.0.0.1:%d/%s?sslmode=disable",
	    p->proxy.port, p->pg->name);
	refused(url, SOUK_E_UNAVAILABLE, "right user and password");
	/* Any certificate that did not sign the server's. */
	(void)snprintf(url, sizeof(url), "sslmode=verify-full&sslrootcert=%s/server.crt",
	    getenv("SOUK_TEST_POSTGRES"));
	refused(pg_with(p->pg->url, url), SOUK_E_UNAVAILABLE, "sslrootcert");
	/* TLS is asked for, and nobody behind the proxy's socket speaks it. */
	(void)snprintf(url, sizeof(url), "%s", p->url);
	(void)memcpy(strstr(url, "sslmode=disable"), "sslmode=require", 15);
	refused(url, SOUK_E_UNAVAILABLE, "sslmode");
	refused("postgresql://souk:secret@127.0.0.1:1/souk", SOUK_E_UNAVAILABLE, "is it running");
	(void)snprintf(url, sizeof(url), "%s", p->url);
	(void)memcpy(strstr(url, "/own_"), "/nix_", 5);
	refused(url, SOUK_E_UNAVAILABLE, "make the database");
}

static void
test_a_read_only_server_is_not_written_to(void **state)
{
	struct fault_place *p = *state;
	struct change c = { .p = p, .name = "a" };
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "ALTER DATABASE %s SET default_transaction_read_only = on", p->pg->name);
	pg_do(p->root, text);
	refused(p->pg->url, SOUK_E_UNAVAILABLE, "takes writes");
	/* A node that was connected before goes on where it is; new connections do not help it. */
	pg_do(p->root, "SELECT pg_terminate_backend(pid, 5000)" WRITERS);
	assert_int_equal(db_write(p->db, change, &c), SOUK_E_UNAVAILABLE);
	(void)snprintf(text, sizeof(text), "ALTER DATABASE %s RESET ALL", p->pg->name);
	pg_do(p->root, text);
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
	assert_int_equal(length_of(p, "a"), 1);
}

/* A real one, that follows the server: alone it is refused, among several hosts the other one is found. */
static void
test_a_standby_is_passed_over(void **state)
{
	struct fault_place *p = *state;
	char path[512], port[16] = "", primary[16], url[1024], both[1100];
	struct change c = { .p = p, .name = "a" };
	const char *at;
	PGconn *standby;
	FILE *in;

	(void)snprintf(path, sizeof(path), "%s/standby-port", getenv("SOUK_TEST_POSTGRES"));
	assert_non_null(in = fopen(path, "r"));
	assert_non_null(fgets(port, sizeof(port), in));
	(void)fclose(in);
	port[strcspn(port, "\n")] = '\0';
	at = strstr(p->pg->url, "@127.0.0.1:");
	assert_non_null(at);
	at += strlen("@127.0.0.1:");
	(void)snprintf(primary, sizeof(primary), "%.*s", (int)strspn(at, "0123456789"), at);
	(void)snprintf(url, sizeof(url), "%.*s%s%s", (int)(at - p->pg->url), p->pg->url, port,
	    at + strlen(primary));
	(void)snprintf(both, sizeof(both), "%.*s%s,127.0.0.1:%s%s", (int)(at - p->pg->url),
	    p->pg->url, port, primary, at + strlen(primary));
	for (int i = 0; i < 500; i++) { /* until it has the database, too */
		standby = PQconnectdb(url);
		if (PQstatus(standby) == CONNECTION_OK)
			break;
		PQfinish(standby);
		clock_sleep_ms(20);
	}
	assert_int_equal(pg_number(standby, "SELECT pg_is_in_recovery()::int"), 1);
	PQfinish(standby);
	refused(url, SOUK_E_UNAVAILABLE, "takes writes");
	reopen(p, both, 1);
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
	assert_int_equal(db_ping(p->db), SOUK_OK);
	assert_int_equal(length_of(p, "a"), 1);
}

static void
test_too_many_connections_are_waited_for(void **state)
{
	struct fault_place *p = *state;
	struct change c = { .p = p, .name = "a" };
	char text[128];
	uint64_t began;

	(void)snprintf(text, sizeof(text), "ALTER DATABASE %s CONNECTION LIMIT 1", p->pg->name);
	pg_do(p->root, text);
	pg_do(p->root, "SELECT pg_terminate_backend(pid, 5000)" WRITERS);
	began = clock_mono_ns();
	assert_int_equal(db_write(p->db, change, &c), SOUK_E_UNAVAILABLE);
	assert_true(clock_mono_ns() - began < 9 * SECOND);
	(void)snprintf(text, sizeof(text), "ALTER DATABASE %s CONNECTION LIMIT -1", p->pg->name);
	pg_do(p->root, text);
	assert_int_equal(db_write(p->db, change, &c), SOUK_OK);
	assert_int_equal(length_of(p, "a"), 1);
}

/* ---- much ---- */

static long
kib_of_memory(void)
{
	long pages = 0;
	FILE *in = fopen("/proc/self/statm", "r");

	assert_non_null(in);
	assert_int_equal(fscanf(in, "%*d %ld", &pages), 1);
	(void)fclose(in);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

struct scan {
	int64_t upto, rows, sum;
	long most;
};

static enum souk_err
scan(struct db_tx *tx, void *arg)
{
	struct scan *s = arg;
	struct db_stmt *st = db_scan(tx, &texts, Q_SCAN);
	bool row = false;
	enum souk_err err;

	s->rows = s->sum = 0;
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		s->rows++;
		s->sum += db_int(st, 0);
		if (s->rows == s->upto) {
			db_reset(st);
			break;
		}
		if (s->rows % 10000 == 0 && kib_of_memory() > s->most)
			s->most = kib_of_memory();
	}
	if (err == SOUK_OK && s->upto > 0) { /* the transaction is good for more */
		int64_t ms[3];

		err = read_timeouts(tx, ms);
	}
	return err;
}

static void
test_a_scan_needs_no_memory_and_stops_early(void **state)
{
	struct fault_place *p = *state;
	struct scan all = { 0 }, some = { .upto = 700 };
	uint64_t began;
	long before;

	/* A hundred megabytes. */
	pg_do(p->root,
	    "INSERT INTO audit_entry SELECT 0, i, i, '', '', '', '', '', repeat('p', 1000), '', 1,"
	    " '', '' FROM generate_series(1, 100000) i");
	assert_int_equal(db_read(p->db, scan, &some), SOUK_OK); /* warm */
	before = kib_of_memory();
	assert_int_equal(db_read(p->db, scan, &all), SOUK_OK);
	assert_int_equal(all.rows, 100000);
	assert_int_equal(all.sum, INT64_C(100000) * 100001 / 2);
	if (all.most - before > 16384)
		fail_msg("%ld KiB more", all.most - before);
	began = clock_mono_ns();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(db_read(p->db, scan, &some), SOUK_OK);
		assert_int_equal(some.rows, 700);
	}
	assert_true(clock_mono_ns() - began < 10 * SECOND);
}

static sem_t may_go;

static enum souk_err
wait_to_go(struct db_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	while (sem_wait(&may_go) != 0)
		;
	return SOUK_OK;
}

static void
test_a_full_queue_refuses(void **state)
{
	struct fault_place *p = *state;
	static struct queued busy, q[200];
	size_t done = 0, refused_n = 0;

	assert_int_equal(sem_init(&may_go, 0, 0), 0);
	reopen(p, p->pg->url, 1);
	busy = (struct queued){ .w = { .fn = wait_to_go, .arg = &busy, .done = note_end } };
	db_write_async(p->db, &busy.w);
	clock_sleep_ms(500); /* it has the only writer */
	for (size_t i = 0; i < 200; i++)
		enqueue(p, &q[i], "a");
	clock_sleep_ms(1000);
	for (size_t i = 0; i < 200; i++)
		refused_n += atomic_load(&q[i].at) != 0;
	assert_int_equal(sem_post(&may_go), 0);
	assert_int_equal(refused_n, 200 - 64);
	for (size_t i = 0; i < 200; i++) {
		(void)end_of(&q[i], 20 * SECOND);
		assert_true(q[i].err == (i < 64 ? SOUK_OK : SOUK_E_UNAVAILABLE));
		done += q[i].err == SOUK_OK;
	}
	assert_int_equal(length_of(p, "a"), (int64_t)done);
}

/* ---- words ---- */

static enum souk_err
add_marked(struct db_tx *tx, void *arg)
{
	struct change *c = arg;
	struct db_stmt *st = db_stmt(tx, &texts, Q_ADD);
	enum souk_err err;

	db_bind_c(st, 1, c->name);
	db_bind_text(st, 2, STR(MARK));
	err = db_run(st, NULL);
	(void)snprintf(c->message, sizeof(c->message), "%s", db_message(tx));
	return err;
}

/* The server's own words would quote the value: in the message, its detail, a warning, a cast. */
static void
test_no_words_quote_a_value(void **state)
{
	static const char *const faults[] = {
		"RAISE EXCEPTION 'bad %', NEW.value USING DETAIL = NEW.value, ERRCODE = '53100'",
		"RAISE WARNING 'bad %', NEW.value; RAISE unique_violation USING MESSAGE = "
		"NEW.value",
		"PERFORM NEW.value::bigint",
		"RAISE EXCEPTION 'bad %', NEW.value USING ERRCODE = 'XX001'",
		"RAISE WARNING 'bad %', NEW.value",
	};
	struct fault_place *p = *state;
	char path[] = "/tmp/souk-words-XXXXXX", text[512], *line = NULL;
	int file = mkstemp(path), kept = dup(STDERR_FILENO);
	size_t size = 0, lines = 0;
	struct change c = { .p = p, .name = MARK };
	FILE *in;

	log_setup(LOG_DEBUG, 0);
	assert_true(file >= 0 && kept >= 0 && dup2(file, STDERR_FILENO) >= 0);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		    "%s;"
		    " RETURN NEW; END $$; CREATE OR REPLACE TRIGGER t BEFORE INSERT ON meta FOR "
		    "EACH"
		    " ROW EXECUTE FUNCTION f()",
		    faults[i]);
		pg_do(p->root, text);
		c.err = db_write(p->db, add_marked, &c);
		assert_true((c.err == SOUK_OK) == (i == 4));
		assert_null(strstr(c.message, MARK));
		assert_true(c.err == SOUK_OK || c.message[0] != '\0');
		clock_sleep_ms(1100); /* the log tells once a second */
	}
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	log_setup(LOG_OFF, 0);
	assert_non_null(in = fdopen(file, "r"));
	rewind(in);
	while (getline(&line, &size, in) > 0) {
		lines++;
		assert_null(strstr(line, MARK));
	}
	assert_true(lines > 0); /* the log did tell of it */
	free(line);
	(void)fclose(in);
	(void)close(kept);
	(void)unlink(path);
}

int
main(void)
{
#define FAULT(test) cmocka_unit_test_setup_teardown(test, fault_set_up, fault_tear_down)
	const struct CMUnitTest tests[] = {
		FAULT(test_killed_before_the_commit_is_done_once),
		FAULT(test_killed_in_the_commit_is_uncertain),
		FAULT(test_a_node_that_hangs_loses_its_transaction),
		FAULT(test_no_answer_to_a_commit_ends_in_time),
		FAULT(test_silence_ends_in_time_and_refuses_the_queue),
		FAULT(test_a_deadlock_is_tried_again),
		FAULT(test_a_lock_is_waited_for_seconds_only),
		FAULT(test_a_statement_ends_in_time),
		FAULT(test_wrong_addresses_say_what_is_wrong),
		FAULT(test_a_read_only_server_is_not_written_to),
		FAULT(test_a_standby_is_passed_over),
		FAULT(test_too_many_connections_are_waited_for),
		FAULT(test_a_scan_needs_no_memory_and_stops_early),
		FAULT(test_a_full_queue_refuses),
		FAULT(test_no_words_quote_a_value),
	};
	log_setup(LOG_OFF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
