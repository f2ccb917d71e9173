/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between the engines: exact, all or nothing, proven before they count. */
#include "support.h"

#include "pg.h"
#include "store/db_copy.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/wait.h>

#define ROWS 3000
#define MARK "Marked-Value-7f3a"

struct copy_place {
	struct pg_place *pg;
	char dir[64], file[128], back[128];
	PGconn *c,
	    *root; /* two: a session sees the others' states as they were when its transaction began */
};

/* Of every kind of column: extremes, NULL, no bytes, all bytes, text beyond ASCII. */
static const char *const rows_sql =
    "INSERT INTO meta VALUES ('" MARK "', '" MARK "'), ('', ''), ('ü', 'ü');"
    "INSERT INTO account (account_id, name, is_operator, is_buyer, is_seller, paid_seller, country,"
    " address, city, region, postal_code, email_domain, state, created_at, changed_at, revision)"
    " VALUES ('000000000101', 'A', 0, 1, 1, 0, 'DE', '', '', '', '', '', 'active', -1, 0, 1);"
    "INSERT INTO idempotency (account_id, key_hash, request_hash, subject, status, data_key,"
    " answer, created_at) VALUES ('000000000101', x'00ff', x'', NULL, -9223372036854775808, NULL,"
    " x'504750434f50590a', 9223372036854775807);"
    "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    " INSERT INTO audit_entry SELECT 0, i, i * 7919 % 3001, '000000000101', 'test', 'a', 'r', '',"
    " '" MARK "', 'allowed', i, hex(i), randomblob(i % 97) FROM n";

static void
lite_do(const char *file, const char *sql)
{
	sqlite3 *h = NULL;
	char *words = NULL;

	assert_int_equal(sqlite3_open(file, &h), SQLITE_OK);
	if (sqlite3_exec(h, sql, NULL, NULL, &words) != SQLITE_OK)
		fail_msg("%s", words);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

static int64_t
lite_number(const char *file, const char *sql)
{
	sqlite3 *h = NULL;
	sqlite3_stmt *st = NULL;
	int64_t n;

	assert_int_equal(sqlite3_open(file, &h), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(h);
	return n;
}

static int
copy_set_up(void **state)
{
	struct copy_place *p = calloc(1, sizeof(*p));
	struct db *db = NULL;
	void *pg = NULL;

	assert_int_equal(pg_set_up(&pg), 0);
	p->pg = pg;
	p->c = pg_session(p->pg->url);
	p->root = pg_session(p->pg->root);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/souk-copy-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->file, sizeof(p->file), "%s/souk.db", p->dir);
	(void)snprintf(p->back, sizeof(p->back), "%s/back.db", p->dir);
	assert_int_equal(
	    db_open(&(struct db_options){ .path = p->file, .create = true }, &db, NULL), SOUK_OK);
	db_close(db);
	lite_do(p->file, rows_sql);
	*state = p;
	return 0;
}

static int
copy_tear_down(void **state)
{
	struct copy_place *p = *state;
	void *pg = p->pg;

	PQfinish(p->c);
	PQfinish(p->root);
	(void)pg_tear_down(&pg);
	(void)nftw(p->dir, place_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

static void
copies(const char *from, const char *to, enum souk_err want, const char *code, struct fail *ret)
{
	struct db_copied done = { 0 };
	struct fail f = { 0 };
	enum souk_err err = db_copy(&(struct db_copy_options){ .from = from, .to = to }, &done, &f);

	if (err != want)
		fail_msg("%s: %s", souk_err_word(err), f.detail);
	if (code)
		assert_string_equal(f.code, code);
	assert_null(strstr(f.detail, MARK));
	assert_int_equal(done.rows, err == SOUK_OK ? ROWS + 5 : 0);
	if (ret)
		*ret = f;
}

static void
assert_target_holds(struct copy_place *p, int64_t n)
{
	assert_int_equal(pg_number(p->c, "SELECT (SELECT count(*) FROM audit_entry) + (SELECT"
					 " count(*) FROM meta) + (SELECT count(*) FROM account)"
					 " + (SELECT count(*) FROM idempotency)"),
	    n);
}

static void
test_there_and_back_is_the_same(void **state)
{
	struct copy_place *p = *state;
	char sql[512];

	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
	assert_target_holds(p, ROWS + 5);
	assert_int_equal(pg_number(p->c, "SELECT sum(count)::bigint FROM audit_entry"),
	    (int64_t)ROWS * (ROWS + 1) / 2);
	assert_int_equal(
	    pg_number(p->c, "SELECT count(*) FROM idempotency WHERE status = -9223372036854775808"
			    " AND created_at = 9223372036854775807 AND key_hash = '\\x00ff' AND"
			    " request_hash = '' AND subject IS NULL AND data_key IS NULL"),
	    1);
	copies(p->pg->url, p->back, SOUK_OK, NULL, NULL);
	for (int i = 0; i < 4; i++) {
		static const char *const tables[] = { "meta", "account", "idempotency",
			"audit_entry" };

		(void)snprintf(sql, sizeof(sql),
		    "ATTACH '%s' AS b; CREATE TEMP TABLE d AS SELECT * FROM %s EXCEPT SELECT * FROM"
		    " b.%s; CREATE TEMP TABLE n (c CHECK (c = 0)); INSERT INTO n SELECT count(*)"
		    " FROM d",
		    p->back, tables[i], tables[i]);
		lite_do(p->file, sql);
	}
}

static void
test_refused_where_data_is(void **state)
{
	struct copy_place *p = *state;
	char other[128];

	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
	copies(p->file, p->pg->url, SOUK_E_CONFLICT, "target_not_empty", NULL);
	assert_target_holds(p, ROWS + 5);
	copies(p->pg->url, p->file, SOUK_E_CONFLICT, "target_not_empty", NULL);
	assert_int_equal(lite_number(p->file, "SELECT count(*) FROM audit_entry"), ROWS);
	(void)snprintf(other, sizeof(other), "%s/other.db", p->dir);
	copies(p->file, other, SOUK_E_INVALID, "same_engine", NULL);
	copies(p->pg->url, p->pg->url, SOUK_E_INVALID, "same_engine", NULL);
}

/* A trigger stands for whatever may change a row on its way. */
static void
change_on_the_way(struct copy_place *p, const char *table, const char *what)
{
	char sql[512];
	struct db *db = NULL;

	assert_int_equal(
	    db_open(&(struct db_options){ .path = p->pg->url, .create = true }, &db, NULL),
	    SOUK_OK);
	db_close(db);
	(void)snprintf(sql, sizeof(sql),
	    "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s;"
	    " RETURN NEW; END $$; CREATE OR REPLACE TRIGGER t BEFORE INSERT ON %s FOR EACH ROW"
	    " EXECUTE FUNCTION f()",
	    what, table);
	pg_do(p->c, sql);
}

static void
test_a_row_that_comes_out_different_is_found(void **state)
{
	struct copy_place *p = *state;
	struct fail f;

	change_on_the_way(
	    p, "audit_entry", "IF NEW.seq = 1777 THEN NEW.purpose := 'tampered'; END IF");
	copies(p->file, p->pg->url, SOUK_E_STORAGE, "copy_differs", &f);
	assert_non_null(strstr(f.detail, "audit_entry"));
	assert_non_null(strstr(f.detail, "1777"));
	assert_non_null(strstr(f.detail, "purpose"));
	assert_null(strstr(f.detail, "tampered"));
	assert_target_holds(p, 0);
	change_on_the_way(p, "audit_entry", "IF NEW.seq = 1778 THEN NEW.seq := 9999; END IF");
	copies(p->file, p->pg->url, SOUK_E_STORAGE, "copy_differs", &f);
	assert_non_null(strstr(f.detail, "1778"));
	change_on_the_way(p, "audit_entry", "IF NEW.seq = 3000 THEN RETURN NULL; END IF");
	copies(p->file, p->pg->url, SOUK_E_STORAGE, "copy_differs", &f);
	assert_non_null(strstr(f.detail, "missing"));
	change_on_the_way(p, "audit_entry",
	    "IF NEW.seq = 1 AND NEW.chain = 0 THEN INSERT INTO audit_entry SELECT 7, 1, 1, '', '', "
	    "'', '', '', '',"
	    " '', 1, '', ''; END IF");
	copies(p->file, p->pg->url, SOUK_E_STORAGE, "copy_differs", &f);
	assert_non_null(strstr(f.detail, "in the copy only"));
	assert_target_holds(p, 0);
	change_on_the_way(p, "audit_entry", "NULL");
	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
}

/* NULL and no bytes are two things. */
static void
test_null_is_not_empty(void **state)
{
	struct copy_place *p = *state;

	change_on_the_way(p, "idempotency", "NEW.data_key := ''");
	copies(p->file, p->pg->url, SOUK_E_STORAGE, "copy_differs", NULL);
	assert_target_holds(p, 0);
}

static void
test_schemas_must_be_the_same(void **state)
{
	struct copy_place *p = *state;

	change_on_the_way(p, "idempotency", "NULL");
	pg_do(p->c, "CREATE TABLE forgotten (id BIGINT)");
	copies(p->file, p->pg->url, SOUK_E_CONFLICT, "schemas_differ", NULL);
	pg_do(p->c, "DROP TABLE forgotten; ALTER TABLE meta ADD COLUMN more TEXT");
	copies(p->file, p->pg->url, SOUK_E_CONFLICT, "schemas_differ", NULL);
	pg_do(p->c, "ALTER TABLE meta DROP COLUMN more");
	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
}

static void
test_values_of_another_type_are_damage(void **state)
{
	struct copy_place *p = *state;
	struct fail f;

	lite_do(p->file, "UPDATE meta SET value = x'00' WHERE name = ''");
	copies(p->file, p->pg->url, SOUK_E_STORAGE, "database_damaged", &f);
	assert_non_null(strstr(f.detail, "meta"));
	assert_target_holds(p, 0);
}

/* ---- cut off ---- */

#define COPYING                                                                                    \
	" FROM pg_stat_activity WHERE datname = current_database() AND application_name"           \
	" LIKE 'souk copy%'"

/* A child that stands in the middle of its copy: earlier tables are filled, this one is locked. */
static pid_t
stopped_copy(struct copy_place *p)
{
	struct db *db = NULL;
	pid_t child;

	assert_int_equal(
	    db_open(&(struct db_options){ .path = p->pg->url, .create = true }, &db, NULL),
	    SOUK_OK);
	db_close(db);
	pg_do(p->c, "BEGIN; LOCK TABLE audit_entry IN SHARE MODE");
	if ((child = fork()) == 0) {
		struct db_copied done;
		struct fail f = { 0 };

		_exit(db_copy(&(struct db_copy_options){ .from = p->file, .to = p->pg->url }, &done,
			  &f) == SOUK_OK
			  ? 0
			  : 1);
	}
	pg_until(p->root, "SELECT count(*)" COPYING " AND wait_event_type = 'Lock'", 1);
	return child;
}

static void
test_killed_leaves_nothing_behind(void **state)
{
	struct copy_place *p = *state;
	pid_t child = stopped_copy(p);
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	pg_do(p->c, "ROLLBACK");
	pg_until(p->root, "SELECT count(*)" COPYING, 0);
	assert_target_holds(p, 0);
	assert_int_equal(lite_number(p->file, "SELECT count(*) FROM audit_entry"), ROWS);
	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
	assert_target_holds(p, ROWS + 5);
}

static void
test_a_lost_connection_leaves_nothing_behind(void **state)
{
	struct copy_place *p = *state;
	pid_t child = stopped_copy(p);
	int status;

	pg_do(p->root, "SELECT pg_terminate_backend(pid)" COPYING);
	assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	pg_do(p->c, "ROLLBACK");
	assert_target_holds(p, 0);
	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
}

static void
test_nobody_writes_or_copies_meanwhile(void **state)
{
	struct copy_place *p = *state;
	pid_t child = stopped_copy(p);
	char other[128];
	struct db *db = NULL;
	sqlite3 *h = NULL;
	int status;

	assert_int_equal(sqlite3_open(p->file, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "DELETE FROM audit_entry", NULL, NULL, NULL), SQLITE_BUSY);
	(void)sqlite3_close(h);
	(void)snprintf(other, sizeof(other), "%s/other.db", p->dir);
	assert_int_equal(
	    db_open(&(struct db_options){ .path = other, .create = true }, &db, NULL), SOUK_OK);
	db_close(db);
	copies(other, p->pg->url, SOUK_E_CONFLICT, "copy_at_work", NULL);
	pg_do(p->c, "ROLLBACK"); /* on it goes */
	assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_target_holds(p, ROWS + 5);
}

static void
test_a_database_that_is_served_is_not_left(void **state)
{
	struct copy_place *p = *state;
	struct db *db = NULL;

	copies(p->file, p->pg->url, SOUK_OK, NULL, NULL);
	assert_int_equal(db_open(&(struct db_options){ .path = p->pg->url }, &db, NULL), SOUK_OK);
	pg_until(p->c,
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
	    " application_name LIKE 'souk listen%'",
	    1);
	copies(p->pg->url, p->back, SOUK_E_CONFLICT, "nodes_at_work", NULL);
	db_close(db);
	pg_until(p->c,
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
	    " application_name LIKE 'souk listen%'",
	    0);
	copies(p->pg->url, p->back, SOUK_OK, NULL, NULL);
}

int
main(void)
{
#define COPIED(test) cmocka_unit_test_setup_teardown(test, copy_set_up, copy_tear_down)
	const struct CMUnitTest tests[] = {
		COPIED(test_there_and_back_is_the_same),
		COPIED(test_refused_where_data_is),
		COPIED(test_a_row_that_comes_out_different_is_found),
		COPIED(test_null_is_not_empty),
		COPIED(test_schemas_must_be_the_same),
		COPIED(test_values_of_another_type_are_damage),
		COPIED(test_killed_leaves_nothing_behind),
		COPIED(test_a_lost_connection_leaves_nothing_behind),
		COPIED(test_nobody_writes_or_copies_meanwhile),
		COPIED(test_a_database_that_is_served_is_not_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
