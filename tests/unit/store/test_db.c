/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: what is kept, what is undone, who sees what. */
#include "support.h"

#include "store/db_int.h"

#include <pthread.h>

enum { Q_COUNT, Q_ADD, Q_SWAPPED, Q_BROKEN, Q_TWO, Q_ACCOUNT, Q_NAMES, Q_GET, Q_USER, Q__COUNT };
static const char *const sql[Q__COUNT] = {
	[Q_COUNT] = "SELECT count(*) FROM meta WHERE name LIKE $1",
	[Q_ADD] = "INSERT INTO meta (name, value) VALUES ($1, $2)",
	[Q_SWAPPED] = "SELECT value FROM meta WHERE name = $2 AND value = $1",
	[Q_BROKEN] = "SELECT nothing FROM nowhere",
	[Q_TWO] = "DELETE FROM meta; DELETE FROM meta",
	[Q_ACCOUNT] =
	    "INSERT INTO account (account_id, name, is_operator, is_buyer, is_seller, paid_seller,"
	    " country, address, city, region, postal_code, email_domain, state, created_at,"
	    " changed_at, revision) VALUES ($1, 'x', 0, 1, $2, 0, 'DE', '', '', '', '', '',"
	    " 'active', 1, 1, 1)",
	[Q_NAMES] = "SELECT name FROM meta WHERE name LIKE $1 ORDER BY name",
	[Q_GET] = "SELECT $1, $2, $3, $4, $5",
	[Q_USER] = "INSERT INTO iam_user (user_id, account_id, name, state, created_at, "
		   "changed_at, revision)"
		   " VALUES ($1, $2, 'n', 'active', 1, 1, 1)",
};
static struct db_texts texts = { .component = "test", .sql = sql, .n = Q__COUNT };

struct count {
	const char *like;
	int64_t n;
};

static enum souk_err
count_facts(struct db_tx *tx, void *arg)
{
	struct count *c = arg;
	struct db_stmt *st = db_stmt(tx, &texts, Q_COUNT);
	enum souk_err err;

	db_bind_c(st, 1, c->like);
	if ((err = db_one(st)) == SOUK_OK)
		c->n = db_int(st, 0);
	db_reset(st);
	return err;
}

static int64_t
count_of(struct db *db, const char *like)
{
	struct count c = { .like = like };

	assert_int_equal(db_read(db, count_facts, &c), SOUK_OK);
	return c.n;
}

static void
test_write_is_kept_and_read(void **state)
{
	struct place *p = *state;
	struct fact in = { .name = "a", .value = "1" }, out = { .name = "a" };

	assert_int_equal(db_write(p->db, fact_put, &in), SOUK_OK);
	assert_int_equal(db_read(p->db, fact_get, &out), SOUK_OK);
	assert_string_equal(out.value, "1");
	db_close(p->db);
	place_open(p);
	assert_int_equal(db_read(p->db, fact_get, &out), SOUK_OK);
	assert_int_equal(db_read(p->db, fact_get, &(struct fact){ .name = "b" }), SOUK_E_NOT_FOUND);
}

static void
test_failure_undoes_all(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "a", .value = "1", .after = SOUK_E_DENIED };

	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_E_DENIED);
	assert_int_equal(count_of(p->db, "a"), 0);
	assert_int_equal(db_bulk(p->db, fact_put, &x), SOUK_E_DENIED);
	assert_int_equal(count_of(p->db, "a"), 0);
	x.after = SOUK_OK;
	assert_int_equal(db_bulk(p->db, fact_put, &x), SOUK_OK);
	assert_int_equal(count_of(p->db, "a"), 1);
}

/* ---- steps at the end of a transaction ---- */

struct lasting {
	const char *step;
	unsigned asked, runs;
	enum souk_err err; /* of the last step */
};

static enum souk_err
last_step(struct db_tx *tx, void *arg)
{
	struct lasting *l = arg;
	struct fact x = { .name = "last" };

	l->runs++;
	(void)snprintf(x.value, sizeof(x.value), "%u", l->asked);
	return l->err == SOUK_OK ? fact_put(tx, &x) : l->err;
}

static enum souk_err
ask_thrice(struct db_tx *tx, void *arg)
{
	struct lasting *l = arg;
	struct fact x = { .value = "1" };

	(void)snprintf(x.name, sizeof(x.name), "%s", l->step);
	for (l->asked = 0; l->asked < 3; l->asked++)
		db_before_commit(tx, last_step, l);
	return fact_put(tx, &x);
}

static void
test_last_step_runs_once_and_can_undo(void **state)
{
	struct place *p = *state;
	struct lasting l = { .step = "kept" };
	struct fact x = { .name = "last" };

	assert_int_equal(db_write(p->db, ask_thrice, &l), SOUK_OK);
	assert_int_equal(l.runs, 1);
	assert_int_equal(db_read(p->db, fact_get, &x), SOUK_OK);
	assert_string_equal(x.value, "3"); /* after the function, not when it was asked for */
	assert_int_equal(db_bulk(p->db, ask_thrice, &l), SOUK_OK);
	assert_int_equal(l.runs, 2);
	assert_int_equal(count_of(p->db, "kept"), 1);
	l.step = "undone";
	l.err = SOUK_E_DENIED;
	assert_int_equal(db_write(p->db, ask_thrice, &l), SOUK_E_DENIED);
	assert_int_equal(db_bulk(p->db, ask_thrice, &l), SOUK_E_DENIED);
	assert_int_equal(count_of(p->db, "undone"), 0);
}

/* ---- a batch: held up by a function that waits, so that the others gather behind it ---- */

struct held {
	struct db_write w;
	struct fact x;
	enum souk_err err;
	unsigned hooks, done;
	sem_t *all;
};

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
count_hook(void *arg)
{
	++*(unsigned *)arg;
}

static enum souk_err
put_with_hook(struct db_tx *tx, void *arg)
{
	struct held *h = arg;

	db_on_commit(tx, count_hook, &h->hooks);
	db_on_commit(tx, count_hook, &h->hooks);
	return fact_put(tx, &h->x);
}

static void
held_done(struct db_write *w, enum souk_err err)
{
	struct held *h = w->arg;

	h->err = err;
	/* The hooks have run by now. */
	h->done = 1 + h->hooks;
	(void)sem_post(h->all);
}

#define HELD 100

static void
test_batch_isolates_failures(void **state)
{
	struct place *p = *state;
	static struct held h[HELD + 1];
	sem_t all;

	assert_int_equal(sem_init(&all, 0, 0), 0);
	assert_int_equal(sem_init(&may_go, 0, 0), 0);
	h[HELD] = (struct held){ .w = { .fn = wait_to_go, .arg = &h[HELD], .done = held_done },
		.all = &all };
	db_write_async(p->db, &h[HELD].w);
	for (unsigned i = 0; i < HELD; i++) {
		h[i] = (struct held){ .w = { .fn = put_with_hook, .arg = &h[i], .done = held_done },
			.all = &all,
			.x = { .value = "1", .after = i % 3 == 0 ? SOUK_E_CONFLICT : SOUK_OK } };
		(void)snprintf(h[i].x.name, sizeof(h[i].x.name), "h%u", i);
		db_write_async(p->db, &h[i].w);
	}
	assert_int_equal(sem_post(&may_go), 0);
	for (unsigned i = 0; i <= HELD; i++)
		assert_int_equal(sem_wait(&all), 0);
	for (unsigned i = 0; i < HELD; i++) {
		assert_int_equal(h[i].err, i % 3 == 0 ? SOUK_E_CONFLICT : SOUK_OK);
		assert_int_equal(h[i].done, i % 3 == 0 ? 1 : 2);
		assert_int_equal(count_of(p->db, h[i].x.name), i % 3 != 0);
	}
}

/* ---- a write on the caller's own thread ---- */

static bool
gate_is_free(struct db *db)
{
	bool is;

	(void)pthread_mutex_lock(&db->gate.lock);
	is = !db->gate.taken;
	(void)pthread_mutex_unlock(&db->gate.lock);
	return is;
}

static enum souk_err
note_thread(struct db_tx *tx, void *arg)
{
	struct held *h = arg;

	(void)snprintf(h->x.value, sizeof(h->x.value), "%lx", (unsigned long)pthread_self());
	return put_with_hook(tx, h);
}

static void
test_a_lone_write_runs_here_and_never_beside_another(void **state)
{
	struct place *p = *state;
	struct held busy, h = { .w = { .fn = note_thread, .arg = &h, .done = held_done },
		.x = { .name = "alone" } };
	struct fact seen = { .name = "alone" };
	char here[64];
	sem_t all;

	assert_int_equal(sem_init(&all, 0, 0), 0);
	assert_int_equal(sem_init(&may_go, 0, 0), 0);
	h.all = &all;
	(void)snprintf(here, sizeof(here), "%lx", (unsigned long)pthread_self());
	if (test_on_postgres()) { /* nothing is saved there: it would wait for a connection */
		assert_false(db_write_alone(p->db, &h.w));
		assert_int_equal(count_of(p->db, "alone"), 0);
		return;
	}
	assert_true(db_write_alone(p->db, &h.w));
	assert_int_equal(h.err, SOUK_OK);
	assert_int_equal(h.done, 2);
	db_close(p->db);
	place_open(p);
	assert_int_equal(db_read(p->db, fact_get, &seen), SOUK_OK);
	assert_string_equal(seen.value, here);
	/* Its failure undoes it, and leaves the way free for the next. */
	h.x = (struct fact){ .name = "undone", .after = SOUK_E_DENIED };
	assert_true(db_write_alone(p->db, &h.w));
	assert_int_equal(h.err, SOUK_E_DENIED);
	assert_int_equal(count_of(p->db, "undone"), 0);
	/* The writer is at work: nothing is done here. */
	busy = (struct held){ .w = { .fn = wait_to_go, .arg = &busy, .done = held_done },
		.all = &all };
	db_write_async(p->db, &busy.w);
	while (gate_is_free(p->db))
		clock_sleep_ms(1);
	h.done = 0;
	h.x = (struct fact){ .name = "beside" };
	assert_false(db_write_alone(p->db, &h.w));
	assert_int_equal(h.done, 0);
	assert_int_equal(sem_post(&may_go), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sem_wait(&all), 0);
	assert_int_equal(count_of(p->db, "beside"), 0);
	assert_true(db_write_alone(p->db, &h.w));
	assert_int_equal(count_of(p->db, "beside"), 1);
}

/* ---- many writers ---- */

#define WRITERS 64
#define WRITES 50

struct writer {
	struct place *p;
	unsigned n;
	unsigned failed;
};

static enum souk_err
add_one(struct db_tx *tx, void *arg)
{
	struct fact x = { .name = "total" };
	enum souk_err err = db_lock(tx, DB_LOCK_SUBJECT, "total", 5, false);

	(void)arg;
	if (err == SOUK_OK)
		err = fact_get(tx, &x);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	(void)snprintf(x.value, sizeof(x.value), "%ld", strtol(x.value, NULL, 10) + 1);
	return fact_put(tx, &x);
}

static void
keep_outcome(struct db_write *w, enum souk_err err)
{
	*(enum souk_err *)w->arg = err;
}

/* On this thread when it can be, else through the writer. */
static bool
added(struct db *db)
{
	enum souk_err err = SOUK_E_INTERNAL;
	struct db_write w = { .fn = add_one, .arg = &err, .done = keep_outcome };

	return db_write_alone(db, &w) ? err == SOUK_OK : db_write(db, add_one, NULL) == SOUK_OK;
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	struct fact x = { .value = "x" };

	for (unsigned i = 0; i < WRITES; i++) {
		(void)snprintf(x.name, sizeof(x.name), "w%u.%u", w->n, i);
		w->failed += db_write(w->p->db, fact_put, &x) != SOUK_OK;
		w->failed += !added(w->p->db);
		w->failed += db_read(w->p->db, fact_get, &x) != SOUK_OK; /* own writes are seen */
	}
	return NULL;
}

static void
test_many_writers_count_exactly(void **state)
{
	struct place *p = *state;
	struct writer w[WRITERS];
	pthread_t t[WRITERS];
	struct fact x = { .name = "total" };

	for (unsigned i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .p = p, .n = i };
		assert_int_equal(pthread_create(&t[i], NULL, writer_main, &w[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(w[i].failed, 0);
	}
	assert_int_equal(count_of(p->db, "w%"), WRITERS * WRITES);
	assert_int_equal(db_read(p->db, fact_get, &x), SOUK_OK);
	assert_int_equal(strtol(x.value, NULL, 10), WRITERS * WRITES);
}

static void
test_bulk_gets_its_turn_among_writers(void **state)
{
	struct place *p = *state;
	struct writer w[8];
	pthread_t t[8];
	struct fact x = { .name = "bulk", .value = "1" };

	for (unsigned i = 0; i < 8; i++) {
		w[i] = (struct writer){ .p = p, .n = i };
		assert_int_equal(pthread_create(&t[i], NULL, writer_main, &w[i]), 0);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(db_bulk(p->db, fact_put, &x), SOUK_OK);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(w[i].failed, 0);
	}
	assert_int_equal(count_of(p->db, "w%"), 8 * WRITES);
	assert_int_equal(count_of(p->db, "bulk"), 1);
}

/* ---- readers ---- */

static enum souk_err
count_around_a_write(struct db_tx *tx, void *arg)
{
	struct place *p = arg;
	struct count c = { .like = "snap%" };
	enum souk_err err = count_facts(tx, &c);
	struct fact x = { .name = "snap", .value = "1" };
	int64_t before = c.n;

	if (err != SOUK_OK)
		return err;
	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
	assert_int_equal(count_of(p->db, "snap%"), before + 1); /* another reader sees it */
	err = count_facts(tx, &c);
	assert_int_equal(c.n, before); /* this one does not */
	return err;
}

static void
test_reader_keeps_its_snapshot(void **state)
{
	struct place *p = *state;

	assert_int_equal(db_read(p->db, count_around_a_write, p), SOUK_OK);
	assert_int_equal(count_of(p->db, "snap%"), 1);
}

static void
test_reader_cannot_write(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "a", .value = "1" };

	assert_int_equal(db_read(p->db, fact_put, &x), SOUK_E_INTERNAL);
	assert_int_equal(count_of(p->db, "a"), 0);
	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
}

static enum souk_err
read_slowly(struct db_tx *tx, void *arg)
{
	struct count c = { .like = "%" };

	clock_sleep_ms(2);
	(void)arg;
	return count_facts(tx, &c);
}

static void *
reader_main(void *arg)
{
	struct writer *w = arg;

	for (unsigned i = 0; i < 10; i++)
		w->failed += db_read(w->p->db, read_slowly, NULL) != SOUK_OK;
	return NULL;
}

static void
test_more_readers_than_connections(void **state)
{
	struct place *p = *state;
	struct writer w[32];
	pthread_t t[32];

	for (unsigned i = 0; i < 32; i++) {
		w[i] = (struct writer){ .p = p };
		assert_int_equal(pthread_create(&t[i], NULL, reader_main, &w[i]), 0);
	}
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(w[i].failed, 0);
	}
}

/* ---- statements ---- */

static enum souk_err
add_twice(struct db_tx *tx, void *arg)
{
	enum souk_err err = SOUK_OK;

	(void)arg;
	for (int i = 0; i < 2 && err == SOUK_OK; i++) {
		struct db_stmt *st = db_stmt(tx, &texts, Q_ADD);

		db_bind_text(st, 1, STR("unique"));
		db_bind_text(st, 2, STR("secret-value"));
		err = db_run(st, NULL);
	}
	assert_non_null(strstr(db_message(tx), test_on_postgres() ? "meta_pkey" : "meta.name"));
	assert_null(strstr(db_message(tx), "secret-value"));
	return err;
}

static enum souk_err
add_account(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_ACCOUNT);

	db_bind_c(st, 1, arg);
	db_bind_int(st, 2, arg ? 7 : 0);
	return db_run(st, NULL);
}

static enum souk_err
add_user_of_nobody(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_USER);
	struct guid g = guid_new();

	(void)arg;
	db_bind_guid(st, 1, &g);
	db_bind_text(st, 2, STR("999999999999"));
	return db_run(st, NULL);
}

static void
test_broken_constraints_conflict(void **state)
{
	struct place *p = *state;
	char id[] = "123456789012";

	assert_int_equal(db_write(p->db, add_twice, NULL), SOUK_E_CONFLICT);
	assert_int_equal(count_of(p->db, "unique"), 0);
	assert_int_equal(db_write(p->db, add_account, id), SOUK_E_CONFLICT); /* CHECK */
	assert_int_equal(
	    db_write(p->db, add_user_of_nobody, NULL), SOUK_E_CONFLICT); /* foreign key */
	assert_int_equal(
	    db_write(p->db, add_account, NULL), SOUK_E_INTERNAL); /* NOT NULL: our bug */
}

static enum souk_err
step_text(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, *(const unsigned *)arg);
	bool row;

	db_bind_int(st, 1, 1); /* must not matter */
	return db_step(st, &row);
}

static void
test_bad_texts_fail_at_their_step(void **state)
{
	struct place *p = *state;
	unsigned bad[] = { Q_SWAPPED, Q_BROKEN, Q_TWO };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(db_read(p->db, step_text, &bad[i]), SOUK_E_INTERNAL);
		assert_int_equal(db_read(p->db, step_text, &bad[i]), SOUK_E_INTERNAL);
	}
}

static enum souk_err
leave_rows_unread(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_NAMES);
	bool row = false;
	enum souk_err err;

	(void)arg;
	db_bind_c(st, 1, "%");
	err = db_step(st, &row);
	return err == SOUK_OK && !row ? SOUK_E_NOT_FOUND : err;
}

static void
test_rows_left_unread_are_ended(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "a", .value = "1" }, y = { .name = "b", .value = "1" };

	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
	assert_int_equal(db_write(p->db, fact_put, &y), SOUK_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(db_write(p->db, leave_rows_unread, NULL), SOUK_OK);
		assert_int_equal(db_read(p->db, leave_rows_unread, NULL), SOUK_OK);
		assert_int_equal(db_bulk(p->db, leave_rows_unread, NULL), SOUK_OK);
	}
	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
}

static enum souk_err
bind_and_read_back(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_GET);
	struct guid g = guid_new(), back;
	/* PostgreSQL has no NUL in text: see the next test. */
	struct str text = test_on_postgres() ? STR("a\xc3\xbc'b\\") : STR("a\0b");
	bool row = false;

	(void)arg;
	db_bind_int(st, 1, INT64_MIN);
	db_bind_text(st, 2, text);
	db_bind_guid(st, 3, &g);
	db_bind_text(st, 4, (struct str){ 0 });
	db_bind_null(st, 5);
	assert_int_equal(db_step(st, &row), SOUK_OK);
	assert_true(row);
	assert_true(db_int(st, 0) == INT64_MIN);
	assert_true(str_eq(db_text(st, 1), text));
	back = db_guid(st, 2);
	assert_true(guid_eq(&back, &g));
	assert_false(db_is_null(st, 3));
	assert_int_equal(db_text(st, 3).n, 0);
	assert_true(db_is_null(st, 4));
	assert_int_equal(db_int(st, 4), 0);
	assert_int_equal(db_blob(st, 4).n, 0);
	assert_non_null(db_blob(st, 4).p);
	back = db_guid(st, 4);
	assert_true(guid_is_zero(&back));
	assert_int_equal(db_step(st, &row), SOUK_OK);
	assert_false(row);
	return SOUK_OK;
}

static void
test_values_come_back_as_bound(void **state)
{
	struct place *p = *state;

	assert_int_equal(db_read(p->db, bind_and_read_back, NULL), SOUK_OK);
	assert_int_equal(db_write(p->db, bind_and_read_back, NULL), SOUK_OK);
}

/* Nothing that comes from outside has one (json.h, s3_request.h); what has is refused, not cut short. */
static enum souk_err
put_text_with_nul(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_ADD);

	(void)arg;
	db_bind_text(st, 1, STR("nul"));
	db_bind_text(st, 2, STR("a\0b"));
	return db_run(st, NULL);
}

static void
test_text_with_nul_is_whole_or_refused(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "nul" };
	enum souk_err err = db_write(p->db, put_text_with_nul, NULL);

	assert_int_equal(err, test_on_postgres() ? SOUK_E_INTERNAL : SOUK_OK);
	assert_int_equal(count_of(p->db, "nul"), err == SOUK_OK);
	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK); /* the connection is fine */
}

/* ---- the clock ---- */

static enum souk_err
tell_time(struct db_tx *tx, void *arg)
{
	instant_t first = db_now(tx);

	clock_sleep_ms(3);
	assert_true(db_now(tx) == first);
	*(instant_t *)arg = first;
	return SOUK_OK;
}

static void
test_time_stands_in_a_transaction_and_never_goes_back(void **state)
{
	struct place *p = *state;
	instant_t last = 0, t = 0;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(
		    i % 2 ? db_read(p->db, tell_time, &t) : db_write(p->db, tell_time, &t),
		    SOUK_OK);
		assert_true(t >= last);
		last = t;
	}
	assert_true(last <= clock_now() && last > clock_now() - MINUTE_MS);
	/* The machine's clock is set back: told times stay. A server's clock is followed, as all others do. */
	p->db->last_now = last + HOUR_MS;
	assert_int_equal(db_write(p->db, tell_time, &t), SOUK_OK);
	assert_true(test_on_postgres() ? t < last + MINUTE_MS : t == last + HOUR_MS);
}

static void
test_ping(void **state)
{
	struct place *p = *state;

	assert_int_equal(db_ping(p->db), SOUK_OK);
	assert_int_equal(db_ping(p->db), SOUK_OK);
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		PLACED(test_write_is_kept_and_read),
		PLACED(test_failure_undoes_all),
		PLACED(test_batch_isolates_failures),
		PLACED(test_a_lone_write_runs_here_and_never_beside_another),
		PLACED(test_last_step_runs_once_and_can_undo),
		PLACED(test_many_writers_count_exactly),
		PLACED(test_bulk_gets_its_turn_among_writers),
		PLACED(test_reader_keeps_its_snapshot),
		PLACED(test_reader_cannot_write),
		PLACED(test_more_readers_than_connections),
		PLACED(test_broken_constraints_conflict),
		PLACED(test_bad_texts_fail_at_their_step),
		PLACED(test_rows_left_unread_are_ended),
		PLACED(test_values_come_back_as_bound),
		PLACED(test_text_with_nul_is_whole_or_refused),
		PLACED(test_time_stands_in_a_transaction_and_never_goes_back),
		PLACED(test_ping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
