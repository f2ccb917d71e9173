/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durability: what was acknowledged survives kill -9, what was not is wholly absent; a
 * full disk loses nothing that was acknowledged and is over when there is room again.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- kill -9 ---- */

#define WRITERS 4

struct writer {
	struct db *db;
	int fd;
	unsigned n, round;
};

/* Two facts in one transaction: both or none. */
static enum souk_err
put_pair(struct db_tx *tx, void *arg)
{
	struct fact *x = arg;
	enum souk_err err = fact_put(tx, &x[0]);

	return err == SOUK_OK ? fact_put(tx, &x[1]) : err;
}

static void *
write_for_ever(void *arg)
{
	struct writer *w = arg;
	struct fact x[2] = { { .value = "1" }, { .value = "1" } };

	for (unsigned i = 0;; i++) {
		uint32_t told[2] = { w->n, i };

		(void)snprintf(x[0].name, sizeof(x[0].name), "a%u.%u.%u", w->round, w->n, i);
		(void)snprintf(x[1].name, sizeof(x[1].name), "b%u.%u.%u", w->round, w->n, i);
		if (db_write(w->db, put_pair, x) != SOUK_OK ||
		    write(w->fd, told, sizeof(told)) != sizeof(told))
			_exit(1);
	}
	return NULL;
}

static void
child_main(struct place *p, int fd, unsigned round)
{
	struct writer w[WRITERS];
	pthread_t t;

	place_open(p);
	for (unsigned i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .db = p->db, .fd = fd, .n = i, .round = round };
		if (pthread_create(&t, NULL, write_for_ever, &w[i]) != 0)
			_exit(1);
	}
	for (;;)
		clock_sleep_ms(1000);
}

static void
test_killed_process_keeps_what_it_acknowledged(void **state)
{
	struct place *p = *state;

	db_close(p->db);
	p->db = NULL;
	for (unsigned round = 0; round < 8; round++) {
		uint32_t told[2], last[WRITERS] = { 0 };
		uint64_t total = 0;
		int fd[2], status;
		pid_t child;

		assert_int_equal(pipe(fd), 0);
		if ((child = fork()) == 0)
			child_main(p, fd[1], round);
		(void)close(fd[1]);
		while (
		    total < 100 + 61 * round && read(fd[0], told, sizeof(told)) == sizeof(told)) {
			last[told[0]] = told[1] + 1;
			total++;
		}
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(fd[0], told, sizeof(told)) == sizeof(told))
			last[told[0]] = told[1] + 1;
		(void)close(fd[0]);
		place_open(p);
		for (unsigned n = 0; n < WRITERS; n++)
			for (unsigned i = 0; i < last[n] + 3; i++) {
				struct fact a = { 0 }, b = { 0 };
				enum souk_err ra, rb;

				(void)snprintf(a.name, sizeof(a.name), "a%u.%u.%u", round, n, i);
				(void)snprintf(b.name, sizeof(b.name), "b%u.%u.%u", round, n, i);
				ra = db_read(p->db, fact_get, &a);
				rb = db_read(p->db, fact_get, &b);
				assert_int_equal(ra, rb);
				if (i < last[n])
					assert_int_equal(ra, SOUK_OK);
			}
		db_close(p->db);
		p->db = NULL;
	}
	place_open(p);
}

static enum souk_err
bulk_for_ever(struct db_tx *tx, void *arg)
{
	struct fact x = { .value = "1" };
	enum souk_err err = SOUK_OK;

	for (unsigned i = 0; err == SOUK_OK; i++) {
		(void)snprintf(x.name, sizeof(x.name), "bulk%u", i);
		err = fact_put(tx, &x);
		if (i == 300000)
			(void)!write(*(const int *)arg, "x", 1);
	}
	return err;
}

static void
test_killed_bulk_is_wholly_absent(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "bulk0" };
	int fd[2], status;
	pid_t child;
	char c;

	db_close(p->db);
	p->db = NULL;
	assert_int_equal(pipe(fd), 0);
	if ((child = fork()) == 0) {
		place_open(p);
		_exit(db_bulk(p->db, bulk_for_ever, &fd[1]) == SOUK_OK);
	}
	(void)close(fd[1]); /* a child that dies early ends the read */
	assert_int_equal(read(fd[0], &c, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	place_open(p);
	assert_int_equal(db_read(p->db, fact_get, &x), SOUK_E_NOT_FOUND);
	assert_int_equal(db_ping(p->db), SOUK_OK);
	(void)close(fd[0]);
}

/* ---- another process holds the lock ---- */

static enum souk_err
hold(struct db_tx *tx, void *arg)
{
	struct fact x = { .name = "held", .value = "1" };
	const int *fd = arg;
	enum souk_err err = fact_put(tx, &x);

	(void)!write(fd[0], "x", 1);
	clock_sleep_ms(600);
	return err;
}

static void
test_write_waits_for_another_process(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "mine", .value = "1" };
	int fd[2], status;
	uint64_t began;
	pid_t child;
	char c;

	assert_int_equal(pipe(fd), 0);
	db_close(p->db); /* a process does not carry connections over a fork */
	if ((child = fork()) == 0) {
		place_open(p);
		_exit(db_bulk(p->db, hold, &fd[1]) != SOUK_OK);
	}
	(void)close(fd[1]); /* a child that dies early ends the read */
	assert_int_equal(read(fd[0], &c, 1), 1);
	place_open(p);
	began = clock_mono_ns();
	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
	assert_true(clock_mono_ns() - began > UINT64_C(200000000));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)snprintf(x.name, sizeof(x.name), "held");
	assert_int_equal(db_read(p->db, fact_get, &x), SOUK_OK);
	(void)close(fd[0]);
}

/* ---- a full disk ---- */

static void
limit_files_to(rlim_t bytes)
{
	struct rlimit l = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

struct filling {
	char name[48];
	unsigned n;
};

static enum souk_err
put_many(struct db_tx *tx, void *arg)
{
	struct filling *w = arg;
	struct fact x = { 0 };
	enum souk_err err = SOUK_OK;

	memset(x.value, 'v', sizeof(x.value) - 1);
	for (unsigned i = 0; i < w->n && err == SOUK_OK; i++) {
		(void)snprintf(x.name, sizeof(x.name), "%.30s.%u", w->name, i);
		err = fact_put(tx, &x);
	}
	return err;
}

static bool
is_there(struct db *db, const char *name, unsigned i)
{
	struct fact x = { 0 };
	enum souk_err err;

	(void)snprintf(x.name, sizeof(x.name), "%.30s.%u", name, i);
	err = db_read(db, fact_get, &x);
	assert_true(err == SOUK_OK || err == SOUK_E_NOT_FOUND);
	return err == SOUK_OK;
}

static void
test_full_disk_refuses_and_recovers(void **state)
{
	struct place *p = *state;
	struct filling w = { .n = 200 };
	unsigned kept = 0;
	enum souk_err err;

	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	limit_files_to(3L * 1024 * 1024);
	for (;; kept++) {
		(void)snprintf(w.name, sizeof(w.name), "f%u", kept);
		if ((err = db_write(p->db, put_many, &w)) != SOUK_OK)
			break;
		assert_true(kept < 5000);
	}
	assert_int_equal(err, SOUK_E_STORAGE);
	/* Reads go on, what was kept is whole, what was refused is wholly absent. */
	assert_true(is_there(p->db, "f0", 199));
	(void)snprintf(w.name, sizeof(w.name), "f%u", kept - 1);
	assert_true(is_there(p->db, w.name, 0) && is_there(p->db, w.name, 199));
	(void)snprintf(w.name, sizeof(w.name), "f%u", kept);
	assert_false(is_there(p->db, w.name, 0));
	assert_int_equal(db_write(p->db, put_many, &w), SOUK_E_STORAGE);
	assert_int_equal(db_bulk(p->db, put_many, &(struct filling){ .name = "huge", .n = 300000 }),
	    SOUK_E_STORAGE);
	limit_files_to(RLIM_INFINITY);
	assert_int_equal(db_write(p->db, put_many, &w), SOUK_OK);
	assert_true(is_there(p->db, w.name, 199));
	assert_false(is_there(p->db, "huge", 0));
	db_close(p->db);
	place_open(p);
	assert_true(is_there(p->db, "f0", 0) && is_there(p->db, w.name, 199));
}

struct together {
	struct db_write w;
	struct filling fill;
	enum souk_err err;
	sem_t *all;
};

static void
together_done(struct db_write *w, enum souk_err err)
{
	struct together *x = w->arg;

	x->err = err;
	(void)sem_post(x->all);
}

static enum souk_err
put_together(struct db_tx *tx, void *arg)
{
	return put_many(tx, &((struct together *)arg)->fill);
}

static void
test_one_too_large_write_spares_its_neighbours(void **state)
{
	struct place *p = *state;
	static struct together x[9];
	sem_t all;

	assert_int_equal(sem_init(&all, 0, 0), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	limit_files_to(6L * 1024 * 1024);
	for (unsigned i = 0; i < 9; i++) {
		x[i] = (struct together){
			.w = { .fn = put_together, .arg = &x[i], .done = together_done },
			.all = &all,
			.fill = { .n = i == 4 ? 500000 : 3 }
		};
		(void)snprintf(x[i].fill.name, sizeof(x[i].fill.name), "t%u", i);
		db_write_async(p->db, &x[i].w);
	}
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(sem_wait(&all), 0);
	limit_files_to(RLIM_INFINITY);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(x[i].err, i == 4 ? SOUK_E_STORAGE : SOUK_OK);
		assert_int_equal(is_there(p->db, x[i].fill.name, 0), i != 4);
		assert_int_equal(is_there(p->db, x[i].fill.name, 2), i != 4);
	}
}

static void
test_backup_to_a_full_disk_leaves_nothing(void **state)
{
	struct place *p = *state;
	char copy[128];
	struct fail f = { 0 };

	assert_int_equal(
	    db_bulk(p->db, put_many, &(struct filling){ .name = "x", .n = 30000 }), SOUK_OK);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	limit_files_to(1024 * 1024);
	(void)snprintf(copy, sizeof(copy), "%s/copy.db", p->dir);
	assert_int_equal(db_backup(p->db, copy, &f), SOUK_E_STORAGE);
	limit_files_to(RLIM_INFINITY);
	assert_int_equal(access(copy, F_OK), -1);
	assert_non_null(strstr(f.detail, copy));
	assert_int_equal(db_backup(p->db, copy, &f), SOUK_OK);
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		PLACED(test_killed_process_keeps_what_it_acknowledged),
		PLACED(test_killed_bulk_is_wholly_absent),
		PLACED(test_write_waits_for_another_process),
		PLACED(test_full_disk_refuses_and_recovers),
		PLACED(test_one_too_large_write_spares_its_neighbours),
		PLACED(test_backup_to_a_full_disk_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
