/* SPDX-License-Identifier: Apache-2.0 */
/* Erasure: after a scrub no byte of a deleted row is in any file of the database (invariant 4). */
#include "support.h"

#include "base/metrics.h"
#include "store/db_int.h"
#include "store/db_sqlite.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { Q_ADD, Q_DELETE, Q_SUPERSEDE, Q_COUNT, Q__COUNT };
static const char *const sql[Q__COUNT] = {
	[Q_ADD] = "INSERT INTO contact_version (seller_id, operation_time, contact_id, "
		  "superseded_at, created_at,"
		  " operation, slot, product_id, subscription_id, subscription_start, buyer_id, "
		  "email_index,"
		  " data_key, sealed) VALUES ('000000000001', $1, $2, 9223372036854775807, 1, 1, "
		  "1, $3, $4, 1,"
		  " '000000000002', $5, $6, $7)",
	[Q_DELETE] =
	    "DELETE FROM contact_version WHERE seller_id = '000000000001' AND operation_time = $1",
	[Q_SUPERSEDE] = "UPDATE contact_version SET superseded_at = superseded_at"
			" WHERE seller_id = '000000000001' AND operation_time = $1",
	[Q_COUNT] = "SELECT count(*) FROM contact_version",
};
static struct db_texts texts = { .component = "test_scrub", .sql = sql, .n = Q__COUNT };

#define ROWS 6000
#define MARK "MARK%06u"
#define MARK_LEN 10

struct rows {
	struct prng random;
	unsigned from, n;
	unsigned order[ROWS];
};

static enum souk_err
add_row(struct db_tx *tx, struct rows *r, unsigned i)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_ADD);
	char sealed[500], key[60], index[16];
	struct guid g = prng_guid(&r->random), s = prng_guid(&r->random);
	size_t n = 150 + prng_below(&r->random, 300);
	uint64_t noise = prng_next(&r->random);

	memset(sealed, 'x', sizeof(sealed));
	for (size_t at = 0; at + MARK_LEN < n; at += 40)
		(void)snprintf(sealed + at, MARK_LEN + 1, MARK, i % 1000000);
	memset(key, 'k', sizeof(key));
	(void)snprintf(key, MARK_LEN + 1, MARK, i % 1000000);
	memcpy(index, &noise, 6);
	(void)memcpy(
	    index + 6, key, MARK_LEN); /* an index entry leaves its traces in other pages */
	db_bind_int(st, 1, (int64_t)prng_below(&r->random, 1 << 20) * ROWS + i);
	db_bind_guid(st, 2, &g);
	db_bind_guid(st, 3, &s);
	db_bind_guid(st, 4, &s);
	db_bind_blob(st, 5, index, sizeof(index));
	db_bind_blob(st, 6, key, sizeof(key));
	db_bind_blob(st, 7, sealed, n);
	return db_run(st, NULL);
}

/* The operation times as add_row draws them, to find the rows again. */
static int64_t times[ROWS];

static enum souk_err
add_rows(struct db_tx *tx, void *arg)
{
	struct rows *r = arg, before = *r;
	enum souk_err err = SOUK_OK;

	for (unsigned i = r->from; i < r->from + r->n && err == SOUK_OK; i++) {
		struct prng copy = r->random;

		(void)prng_guid(&copy);
		(void)prng_guid(&copy);
		(void)prng_next(&copy);
		(void)prng_next(&copy);
		times[i] = (int64_t)prng_below(&copy, 1 << 20) * ROWS + i;
		err = add_row(tx, r, i);
	}
	if (err != SOUK_OK)
		*r = before;
	return err;
}

static enum souk_err
on_rows(struct db_tx *tx, const struct rows *r, unsigned q)
{
	enum souk_err err = SOUK_OK;
	int64_t n = 0;

	for (unsigned i = r->from; i < r->from + r->n && err == SOUK_OK; i++) {
		struct db_stmt *st = db_stmt(tx, &texts, q);

		db_bind_int(st, 1, times[r->order[i]]);
		err = db_run(st, &n);
		assert_int_equal(n, 1);
	}
	return err;
}

static enum souk_err
delete_rows(struct db_tx *tx, void *arg)
{
	db_scrub(tx);
	return on_rows(tx, arg, Q_DELETE);
}

static enum souk_err
touch_rows(struct db_tx *tx, void *arg)
{
	return on_rows(tx, arg, Q_SUPERSEDE);
}

static void
in_steps(struct db *db, struct rows *r, unsigned from, unsigned to, unsigned step, db_fn *fn)
{
	r->n = step;
	for (r->from = from; r->from + step <= to; r->from += step)
		assert_int_equal(db_write(db, fn, r), SOUK_OK);
}

/* How many marks of rows at [from, to) of the order stand anywhere in the file. */
static unsigned
marks_in(const char *path, const struct rows *r, unsigned from, unsigned to)
{
	static bool wanted[1000000];
	int fd = open(path, O_RDONLY);
	struct stat st;
	unsigned found = 0;
	const char *p, *at;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	if (st.st_size == 0) {
		(void)close(fd);
		return 0;
	}
	memset(wanted, 0, sizeof(wanted));
	for (unsigned i = from; i < to; i++)
		wanted[r->order[i]] = true;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(p != MAP_FAILED);
	for (at = p; (at = memmem(at, (size_t)(p + st.st_size - at), "MARK", 4)); at++)
		if (p + st.st_size - at >= MARK_LEN) {
			char digits[7] = { 0 };

			memcpy(digits, at + 4, 6);
			found +=
			    strspn(digits, "0123456789") == 6 && wanted[strtol(digits, NULL, 10)];
		}
	(void)munmap((void *)(uintptr_t)p, (size_t)st.st_size);
	(void)close(fd);
	return found;
}

static unsigned
marks(struct place *p, const struct rows *r, unsigned from, unsigned to)
{
	char log[1100];

	(void)snprintf(log, sizeof(log), "%s-wal", p->path);
	return marks_in(p->path, r, from, to) + marks_in(log, r, from, to);
}

static void
fill(struct place *p, struct rows *r)
{
	*r = (struct rows){ .random = { 42 } };
	in_steps(p->db, r, 0, ROWS, 50, add_rows);
	for (unsigned i = 0; i < ROWS; i++)
		r->order[i] = i;
	for (unsigned i = ROWS - 1; i > 0; i--) {
		unsigned k = (unsigned)prng_below(&r->random, i + 1), x = r->order[i];

		r->order[i] = r->order[k];
		r->order[k] = x;
	}
}

static void
test_deleted_rows_leave_no_trace(void **state)
{
	struct place *p = *state;
	static struct rows r;

	fill(p, &r);
	in_steps(p->db, &r, 0, 2000, 20, delete_rows);
	assert_true(db_scrub_wait(p->db, 10000));
	assert_int_equal(metric_value(MET_DB_SCRUB_PENDING, 0), 0);
	assert_int_equal(marks(p, &r, 0, 2000), 0);
	assert_true(marks(p, &r, 2000, ROWS) > 0); /* the search finds what is there */
	/* Writing on does not bring remains back from the writer's memory. */
	in_steps(p->db, &r, 2000, ROWS, 20, touch_rows);
	assert_int_equal(marks(p, &r, 0, 2000), 0);
	/* Nor does deleting more, nor closing. */
	in_steps(p->db, &r, 2000, 4000, 10, delete_rows);
	assert_true(db_scrub_wait(p->db, 10000));
	assert_int_equal(marks(p, &r, 0, 4000), 0);
	db_close(p->db);
	assert_int_equal(marks_in(p->path, &r, 0, 4000), 0);
	place_open(p);
}

static void
test_backup_after_deletion_has_no_trace(void **state)
{
	struct place *p = *state;
	static struct rows r;
	char copy[128];

	fill(p, &r);
	in_steps(p->db, &r, 0, 1000, 50, delete_rows);
	(void)snprintf(copy, sizeof(copy), "%s/copy.db", p->dir);
	assert_int_equal(db_backup(p->db, copy, NULL), SOUK_OK);
	assert_int_equal(marks_in(copy, &r, 0, 1000), 0);
	assert_true(marks_in(copy, &r, 1000, ROWS) > 0);
}

struct reader {
	struct place *p;
	struct rows *r;
	bool scrubbed_meanwhile;
};

static enum souk_err
hold_a_snapshot(struct db_tx *tx, void *arg)
{
	struct reader *x = arg;
	struct fact f = { .name = "nothing" };

	(void)!fact_get(tx, &f); /* the snapshot begins here */
	in_steps(x->p->db, x->r, 0, 100, 100, delete_rows);
	x->scrubbed_meanwhile = db_scrub_wait(x->p->db, 700);
	/* Writers go on while the scrub waits for this reader. */
	in_steps(x->p->db, x->r, 100, 200, 10, delete_rows);
	return SOUK_OK;
}

static void
test_reader_delays_the_scrub_only(void **state)
{
	struct place *p = *state;
	static struct rows r;
	struct reader x = { .p = p, .r = &r };

	fill(p, &r);
	assert_int_equal(db_read(p->db, hold_a_snapshot, &x), SOUK_OK);
	assert_false(x.scrubbed_meanwhile);
	assert_true(db_scrub_wait(p->db, 10000));
	assert_int_equal(marks(p, &r, 0, 200), 0);
}

/* ---- readers that leave no gap between them ---- */

struct reading {
	struct place *p;
	_Atomic bool stop;
	_Atomic int failed;
};

static enum souk_err
count_rows(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, Q_COUNT);
	enum souk_err err = db_one(st);

	(void)arg;
	db_reset(st);
	return err;
}

static void *
read_all_the_time(void *arg)
{
	struct reading *x = arg;

	while (!atomic_load(&x->stop))
		if (db_read(x->p->db, count_rows, NULL) != SOUK_OK)
			atomic_fetch_add(&x->failed, 1);
	return NULL;
}

static void
test_scrub_ends_between_busy_readers(void **state)
{
	struct place *p = *state;
	static struct rows r;
	struct reading x = { .p = p };
	pthread_t t[3];

	fill(p, &r);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_all_the_time, &x), 0);
	in_steps(p->db, &r, 0, 500, 10, delete_rows);
	assert_true(db_scrub_wait(p->db, 20000));
	assert_int_equal(marks(p, &r, 0, 500), 0);
	atomic_store(&x.stop, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(x.failed, 0);
}

static enum souk_err
scrub_and_fail(struct db_tx *tx, void *arg)
{
	(void)arg;
	db_scrub(tx);
	return SOUK_E_DENIED;
}

static void
test_undone_deletion_asks_for_nothing(void **state)
{
	struct place *p = *state;

	assert_int_equal(db_write(p->db, scrub_and_fail, NULL), SOUK_E_DENIED);
	assert_true(db_scrub_wait(p->db, 0));
	assert_int_equal(p->db->upkeep.asked, 0);
}

static void
test_log_stays_bounded_under_load(void **state)
{
	struct place *p = *state;
	static struct rows r = { .random = { 7 } };
	char log[1100];
	struct stat st;

	(void)snprintf(log, sizeof(log), "%s-wal", p->path);
	r.n = 100;
	for (unsigned round = 0; round < 100; round++) {
		struct fact x = { .name = "x", .value = "1" };

		for (unsigned i = 0; i < 40; i++)
			assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
		r.from = round * 50;
		r.n = 50;
		assert_int_equal(db_write(p->db, add_rows, &r), SOUK_OK);
	}
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 48L * 1024 * 1024);
}

/* ---- the page cleaner ---- */

static void
test_page_cleaner_touches_the_unused_middle_only(void **state)
{
	unsigned char page[4096], want[4096];
	static const struct {
		unsigned char kind;
		size_t head;
	} kinds[] = { { 2, 12 }, { 5, 12 }, { 10, 8 }, { 13, 8 } };

	(void)state;
	for (size_t k = 0; k < 4; k++)
		for (int first = 0; first < 2; first++) {
			size_t at = first ? 100 : 0, from = at + kinds[k].head + 2 * 3, to = 3000;

			memset(page, 0xee, sizeof(page));
			page[at] = kinds[k].kind;
			page[at + 3] = 0;
			page[at + 4] = 3;
			page[at + 5] = 3000 >> 8;
			page[at + 6] = 3000 & 0xff;
			memcpy(want, page, sizeof(page));
			memset(want + from, 0, to - from);
			assert_true(sqlite_page_clean(page, sizeof(page), first));
			assert_memory_equal(page, want, sizeof(page));
			assert_false(sqlite_page_clean(page, sizeof(page), first));
		}
}

static void
test_page_cleaner_leaves_other_pages(void **state)
{
	unsigned char page[4096], want[4096];

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		memset(page, 0xee, sizeof(page)); /* and counts that point outside */
		page[0] = (unsigned char)kind;
		memcpy(want, page, sizeof(page));
		assert_false(sqlite_page_clean(page, sizeof(page), false));
		assert_memory_equal(page, want, sizeof(page));
	}
	memset(page, 0, sizeof(page));
	page[0] = 13;
	page[3] = 0x07; /* cells reach beyond where their content begins */
	page[5] = 0x01;
	page[4095] = 1;
	assert_false(sqlite_page_clean(page, sizeof(page), false));
	page[5] = 0x10;
	page[6] = 0x01; /* content begins outside of the page */
	assert_false(sqlite_page_clean(page, sizeof(page), false));
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		PLACED(test_deleted_rows_leave_no_trace),
		PLACED(test_backup_after_deletion_has_no_trace),
		PLACED(test_reader_delays_the_scrub_only),
		PLACED(test_scrub_ends_between_busy_readers),
		PLACED(test_undone_deletion_asks_for_nothing),
		PLACED(test_log_stays_bounded_under_load),
		cmocka_unit_test(test_page_cleaner_touches_the_unused_middle_only),
		cmocka_unit_test(test_page_cleaner_leaves_other_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
