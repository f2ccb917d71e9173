/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: new, old, newer, foreign and damaged files; and copies of a good one. */
#include "support.h"

#include "store/migrate.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* Tries to open without creating and expects a refusal that names the file. */
static struct fail
refused(const char *path, bool create, enum souk_err want)
{
	struct fail f = { 0 };
	struct db *db = NULL;

	assert_int_equal(
	    db_open(&(struct db_options){ .path = path, .create = create }, &db, &f), want);
	assert_null(db);
	assert_int_equal(f.err, want);
	assert_non_null(strstr(f.detail, path));
	return f;
}

static void
raw(const char *path, const char *sql)
{
	sqlite3 *h = NULL;
	char *words = NULL;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	if (sqlite3_exec(h, sql, NULL, NULL, &words) != SQLITE_OK)
		fail_msg("%s: %s", sql, words);
	(void)sqlite3_close(h);
}

static int
raw_count(void *arg, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	*(long *)arg = strtol(values[0], NULL, 10);
	return 0;
}

static long
raw_number(const char *path, const char *sql)
{
	sqlite3 *h = NULL;
	long n = -1;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, raw_count, &n, NULL), SQLITE_OK);
	(void)sqlite3_close(h);
	return n;
}

static unsigned
mode_of(const char *dir, const char *name)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void
test_new_file_has_the_schema_and_is_private(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "a", .value = "1" };

	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
	assert_int_equal(mode_of(p->dir, "souk.db"), 0600);
	assert_int_equal(mode_of(p->dir, "souk.db-wal"), 0600);
	assert_int_equal(mode_of(p->dir, "souk.db-shm"), 0600);
	assert_int_equal(raw_number(p->path, "PRAGMA user_version"), db_schema_version());
	assert_int_equal(raw_number(p->path, "PRAGMA application_id"), 0x736f756b);
	assert_int_equal(raw_number(p->path, "PRAGMA page_size"), 4096);
	assert_true(
	    raw_number(p->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'contact_version'"
				" AND sql LIKE '%WITHOUT ROWID%'") == 1);
	assert_int_equal(
	    raw_number(p->path, "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%{%'"), 0);
}

static void
test_missing_and_empty_files_are_refused(void **state)
{
	struct place *p = *state;
	char path[128];
	struct fail f;

	(void)snprintf(path, sizeof(path), "%s/other.db", p->dir);
	f = refused(path, false, SOUK_E_STORAGE);
	assert_non_null(strstr(f.detail, "souk init"));
	assert_int_equal(access(path, F_OK), -1); /* and not made */
	(void)close(open(path, O_CREAT | O_WRONLY, 0600));
	f = refused(path, false, SOUK_E_CONFLICT);
	assert_non_null(strstr(f.detail, "souk init"));
	(void)snprintf(path, sizeof(path), "%s/no/such/dir.db", p->dir);
	(void)refused(path, true, SOUK_E_STORAGE);
}

static void
test_newer_schema_is_refused(void **state)
{
	struct place *p = *state;
	char sql[64], want[32];
	struct fail f;

	db_close(p->db);
	p->db = NULL;
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", db_schema_version() + 7);
	raw(p->path, sql);
	f = refused(p->path, false, SOUK_E_CONFLICT);
	(void)snprintf(want, sizeof(want), "version %d,", db_schema_version() + 7);
	assert_non_null(strstr(f.detail, want));
	(void)snprintf(want, sizeof(want), "up to %d;", db_schema_version());
	assert_non_null(strstr(f.detail, want));
	assert_non_null(strstr(f.detail, "newer souk"));
	(void)refused(p->path, true, SOUK_E_CONFLICT);
	assert_int_equal(raw_number(p->path, "PRAGMA user_version"), db_schema_version() + 7);
}

static void
test_half_made_schema_is_finished(void **state)
{
	struct place *p = *state;
	char path[128];

	/* A process that stopped between making the file and its first migration. */
	(void)snprintf(path, sizeof(path), "%s/half.db", p->dir);
	raw(path, "PRAGMA journal_mode = WAL; PRAGMA user_version = 0");
	(void)refused(path, false, SOUK_E_CONFLICT);
	db_close(p->db);
	(void)snprintf(p->path, sizeof(p->path), "%s/half.db", p->dir);
	place_open(p);
	assert_int_equal(db_ping(p->db), SOUK_OK);
}

static void
test_figures_missing_after_a_stop_come_back(void **state)
{
	struct place *p = *state;

	db_close(p->db);
	raw(p->path, "DROP TABLE sqlite_stat1");
	place_open(p);
	assert_true(raw_number(p->path, "SELECT count(*) FROM sqlite_stat1") > 0);
}

static void
test_foreign_database_is_left_alone(void **state)
{
	struct place *p = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/foreign.db", p->dir);
	raw(path, "CREATE TABLE mine (x); PRAGMA user_version = 1");
	(void)refused(path, false, SOUK_E_CONFLICT);
	(void)refused(path, true, SOUK_E_CONFLICT);
	assert_int_equal(raw_number(path, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void
overwrite(const char *path, long at, const char *with, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, with, n, at), n);
	(void)close(fd);
}

static void
test_damaged_files_are_refused(void **state)
{
	struct place *p = *state;
	char junk[4096];
	struct stat st;

	db_close(p->db);
	p->db = NULL;
	assert_int_equal(stat(p->path, &st), 0);
	/* Cut off. */
	assert_int_equal(truncate(p->path, st.st_size - 8192), 0);
	(void)refused(p->path, false, SOUK_E_STORAGE);
	/* The page with the schema overwritten. */
	memset(junk, 0x5a, sizeof(junk));
	overwrite(p->path, 100, junk, 3996);
	(void)refused(p->path, false, SOUK_E_STORAGE);
	/* Not a database at all. */
	overwrite(p->path, 0, junk, sizeof(junk));
	(void)refused(p->path, false, SOUK_E_STORAGE);
	(void)refused(p->path, true, SOUK_E_STORAGE);
}

static void
test_damage_inside_is_told_by_reads(void **state)
{
	struct place *p = *state;
	struct fact x = { .name = "a", .value = "1" };
	char junk[4096];
	struct stat st;

	assert_int_equal(db_write(p->db, fact_put, &x), SOUK_OK);
	db_close(p->db);
	p->db = NULL;
	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(stat(p->path, &st), 0);
	for (long at = 4096; at < st.st_size; at += 4096)
		overwrite(p->path, at, junk, sizeof(junk));
	if (db_open(&(struct db_options){ .path = p->path }, &p->db, NULL) != SOUK_OK)
		return;
	assert_int_equal(db_read(p->db, fact_get, &x), SOUK_E_STORAGE);
}

/* ---- copies ---- */

/* Rows of the first file's tables that the second has not. */
static long
rows_only_in(const char *path, const char *other)
{
	char sql[2048];

	(void)snprintf(sql, sizeof(sql),
	    "ATTACH '%s' AS o; SELECT (SELECT count(*) FROM (SELECT * FROM main.meta EXCEPT SELECT "
	    "* FROM"
	    " o.meta)) + (SELECT count(*) FROM (SELECT name, sql FROM main.sqlite_schema EXCEPT"
	    " SELECT name, sql FROM o.sqlite_schema))",
	    other);
	return raw_number(path, sql);
}

static void
test_backup_is_whole_private_and_opens(void **state)
{
	struct place *p = *state;
	struct place copy = { 0 };
	struct fact x = { .value = "kept" };
	struct fail f = { 0 };

	for (int i = 0; i < 2000; i++) {
		(void)snprintf(x.name, sizeof(x.name), "b%d", i);
		assert_int_equal(db_bulk(p->db, fact_put, &x), SOUK_OK);
		if (i == 20)
			i = 1990;
	}
	(void)snprintf(copy.path, sizeof(copy.path), "%s/copy.db", p->dir);
	assert_int_equal(db_backup(p->db, copy.path, &f), SOUK_OK);
	assert_int_equal(mode_of(p->dir, "copy.db"), 0600);
	assert_int_equal(raw_number(copy.path, "SELECT count(*) FROM pragma_integrity_check"
					       " WHERE integrity_check = 'ok'"),
	    1);
	assert_int_equal(raw_number(copy.path, "SELECT count(*) FROM meta"), 21 + 9);
	assert_int_equal(rows_only_in(p->path, copy.path) + rows_only_in(copy.path, p->path), 0);
	/* It exists now: never overwritten. */
	assert_int_equal(db_backup(p->db, copy.path, &f), SOUK_E_CONFLICT);
	assert_non_null(strstr(f.detail, copy.path));
	place_open(&copy);
	assert_int_equal(db_read(copy.db, fact_get, &x), SOUK_OK);
	assert_string_equal(x.value, "kept");
	assert_int_equal(db_write(copy.db, fact_put, &x), SOUK_OK);
	db_close(copy.db);
}

static void
test_failed_backup_leaves_nothing(void **state)
{
	struct place *p = *state;
	char path[128];
	struct fail f = { 0 };

	(void)snprintf(path, sizeof(path), "%s/none/copy.db", p->dir);
	assert_int_equal(db_backup(p->db, path, &f), SOUK_E_STORAGE);
	assert_non_null(strstr(f.detail, path));
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		PLACED(test_new_file_has_the_schema_and_is_private),
		PLACED(test_missing_and_empty_files_are_refused),
		PLACED(test_newer_schema_is_refused),
		PLACED(test_half_made_schema_is_finished),
		PLACED(test_figures_missing_after_a_stop_come_back),
		PLACED(test_foreign_database_is_left_alone),
		PLACED(test_damaged_files_are_refused),
		PLACED(test_damage_inside_is_told_by_reads),
		PLACED(test_backup_is_whole_private_and_opens),
		PLACED(test_failed_backup_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
