/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas that move while several programs, of several ages, use them. */
#include "support.h"

#include "pg.h"
#include "store/migrate.h"

#include <pthread.h>
#include <string.h>

#define OLD 10 /* migrations of the program that the tests are linked with */
#define TEXT_OF(n) TEXT_OF_(n)
#define TEXT_OF_(n) #n
/* What a newer program has besides. */
enum { MORE = OLD + 1, LESS, AGAIN };
#define LISTS AGAIN

/* The first are this program's own; a newer program has more. */
static struct migration list[LISTS];

static void
make_list(void)
{
	assert_int_equal(n_migrations, OLD);
	for (int i = 0; i < OLD; i++)
		list[i] = migrations[i];
	list[OLD] = (struct migration){ "more.sql",
		"CREATE TABLE more (id BIGINT NOT NULL PRIMARY KEY);"
		" ALTER TABLE meta ADD COLUMN note TEXT;"
		" INSERT INTO more VALUES (1)",
		false };
	list[MORE] = (struct migration){ "less.sql", "ALTER TABLE meta DROP COLUMN note", true };
	list[LESS] = (struct migration){ "again.sql", "INSERT INTO more VALUES (2)", false };
}

static int
set_up(void **state)
{
	make_list();
	return pg_set_up(state);
}

static void
moves(const struct pg_place *p, enum migrate_how how, int n, enum souk_err want, const char *code,
    struct db_migrated *ret)
{
	struct fail f = { 0 };
	enum souk_err err = migrate_pg_list(p->url, how, list, n, ret, &f);

	if (err != want)
		fail_msg("%s: %s", souk_err_word(err), f.detail);
	if (code) {
		assert_string_equal(f.code, code);
		assert_non_null(strchr(f.detail, ';')); /* says what to do */
	}
}

static struct db *
opened(const struct pg_place *p)
{
	struct db *db = NULL;
	struct fail f = { 0 };

	if (db_open(&(struct db_options){ .path = p->url }, &db, &f) != SOUK_OK)
		fail_msg("%s", f.detail);
	return db;
}

static void
test_old_nodes_go_on_while_it_expands(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;
	struct fact x = { .name = "a", .value = "1" };
	struct db *db;

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	assert_int_equal(m.was, 0);
	assert_int_equal(m.is, OLD);
	db = opened(p);
	assert_int_equal(db_write(db, fact_put, &x), SOUK_OK);
	moves(p, MIGRATE_CHECK, MORE, SOUK_E_CONFLICT, "database_older", NULL);
	moves(p, MIGRATE_EXPAND, MORE, SOUK_OK, NULL, &m);
	assert_int_equal(m.was, OLD);
	assert_int_equal(m.is, MORE);
	assert_int_equal(m.runs_from, OLD);
	assert_string_equal(m.waiting, "");
	/* The node that ran, one that starts, and one of the new program. */
	(void)snprintf(x.value, sizeof(x.value), "2");
	assert_int_equal(db_write(db, fact_put, &x), SOUK_OK);
	assert_int_equal(db_read(db, fact_get, &x), SOUK_OK);
	db_close(db);
	db = opened(p);
	assert_int_equal(db_read(db, fact_get, &x), SOUK_OK);
	assert_string_equal(x.value, "2");
	db_close(db);
	moves(p, MIGRATE_CHECK, MORE, SOUK_OK, NULL, NULL);
	moves(p, MIGRATE_EXPAND, MORE, SOUK_OK, NULL, &m);
	assert_int_equal(m.was, MORE);
}

static void
test_contracting_waits_for_old_nodes(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;
	struct fail f = { 0 };
	struct db *db = NULL;
	PGconn *c = pg_session(p->root);

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	db = opened(p);
	pg_until(c,
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
	    " application_name = 'souk listen (schema " TEXT_OF(OLD) ")'",
	    1);
	moves(p, MIGRATE_CONTRACT, LESS, SOUK_E_CONFLICT, "older_nodes", &m);
	assert_int_equal(m.is, MORE); /* what older nodes can live with is done */
	moves(p, MIGRATE_EXPAND, LESS, SOUK_OK, NULL, &m);
	assert_int_equal(m.is, MORE);
	assert_string_equal(m.waiting, "less.sql");
	moves(p, MIGRATE_CHECK, LESS, SOUK_OK, NULL, NULL); /* new nodes start before that */
	db_close(db);
	pg_until(c,
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
	    " application_name LIKE 'souk%'",
	    0);
	moves(p, MIGRATE_CONTRACT, LESS, SOUK_OK, NULL, &m);
	assert_int_equal(m.is, LESS);
	assert_int_equal(m.runs_from, LESS);
	assert_string_equal(m.waiting, "");
	assert_int_equal(db_open(&(struct db_options){ .path = p->url }, &db, &f), SOUK_E_CONFLICT);
	assert_string_equal(f.code, "database_newer");
	moves(p, MIGRATE_CHECK, MORE, SOUK_E_CONFLICT, "database_newer", NULL);
	moves(p, MIGRATE_EXPAND, MORE, SOUK_E_CONFLICT, "database_newer", NULL);
	PQfinish(c);
}

/* A node's row as its process left it `ago_ms` before. */
static void
node_row(PGconn *c, int schema, int64_t ago_ms)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql),
	    "DELETE FROM node; INSERT INTO node (node_id, host, version, schema_version, "
	    "ring_current,"
	    " ring_newest, started_at, seen_at, used) SELECT decode(repeat('0a', 16), 'hex'),"
	    " 'shop-7', '0.9.1', %d, 1, 1, 5, floor(extract(epoch FROM clock_timestamp()) * 1000)"
	    " - %lld, ''",
	    schema, (long long)ago_ms);
	pg_do(c, sql);
}

/* By the nodes' own word: no session tells of a node whose machine lost its connection for a moment. */
static void
test_contracting_goes_by_what_nodes_say(void **state)
{
	struct pg_place *p = *state;
	PGconn *c = pg_session(p->url);
	struct db_migrated m;
	struct fail f = { 0 };

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	node_row(c, MORE, 0);
	assert_int_equal(
	    migrate_pg_list(p->url, MIGRATE_CONTRACT, list, LESS, &m, &f), SOUK_E_CONFLICT);
	assert_string_equal(f.code, "older_nodes");
	assert_non_null(strstr(f.detail, "the node on shop-7 runs souk 0.9.1"));
	assert_non_null(
	    strstr(f.detail, "; stop or update them, then run `souk migrate --contract`"));
	node_row(c, MORE, 13000); /* two beats were lost, not yet three */
	moves(p, MIGRATE_CONTRACT, LESS, SOUK_E_CONFLICT, "older_nodes", &m);
	assert_int_equal(m.is, MORE);
	node_row(c, LESS, 0); /* one that has what is left suffices */
	moves(p, MIGRATE_CONTRACT, LESS, SOUK_OK, NULL, &m);
	assert_int_equal(m.is, LESS);
	PQfinish(c);
}

static void
test_contracting_does_not_wait_for_nodes_long_gone(void **state)
{
	struct pg_place *p = *state;
	PGconn *c = pg_session(p->url),
	       *left = pg_session(pg_with(p->url, "application_name=souk%20listen%20(schema%201)"));
	struct db_migrated m;

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	/* What a lost machine leaves: a row that grows old, and a session that nobody closes. */
	node_row(c, OLD, 15500);
	pg_do(left, "SELECT 1");
	moves(p, MIGRATE_CONTRACT, LESS, SOUK_E_CONFLICT, "older_nodes", &m);
	clock_sleep_ms(15500);
	moves(p, MIGRATE_CONTRACT, LESS, SOUK_OK, NULL, &m);
	PQfinish(left);
	PQfinish(c);
}

/* What comes after a contraction may build on it: neither is skipped. */
static void
test_expanding_stops_before_a_contraction(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	moves(p, MIGRATE_EXPAND, AGAIN, SOUK_E_CONFLICT, "migration_contracts", &m);
	assert_int_equal(m.is, MORE);
	assert_string_equal(m.waiting, "less.sql");
	moves(p, MIGRATE_CHECK, AGAIN, SOUK_E_CONFLICT, "database_older", NULL);
	moves(p, MIGRATE_CONTRACT, AGAIN, SOUK_OK, NULL, &m);
	assert_int_equal(m.was, MORE);
	assert_int_equal(m.is, AGAIN);
	assert_int_equal(m.runs_from, LESS);
}

static void
test_a_new_one_gets_all_at_once(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;

	moves(p, MIGRATE_EXPAND, AGAIN, SOUK_E_CONFLICT, "database_empty", &m);
	moves(p, MIGRATE_CREATE, AGAIN, SOUK_OK, NULL, &m);
	assert_int_equal(m.is, AGAIN);
	assert_int_equal(m.runs_from, AGAIN);
}

static void
test_a_failing_migration_leaves_the_version_before(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;
	PGconn *c = pg_session(p->root);

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	list[OLD].sql = "CREATE TABLE half (id BIGINT); INSERT INTO half VALUES (1);"
			" INSERT INTO nowhere VALUES ('marked-value')";
	moves(p, MIGRATE_EXPAND, MORE, SOUK_E_STORAGE, NULL, &m);
	assert_int_equal(m.was, OLD);
	assert_int_equal(m.is, OLD);
	assert_int_equal(pg_number(c, "SELECT version FROM souk_schema"), OLD);
	assert_int_equal(pg_number(c, "SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
	make_list();
	moves(p, MIGRATE_EXPAND, MORE, SOUK_OK, NULL, &m);
	assert_int_equal(m.is, MORE);
	PQfinish(c);
}

/* ---- at the same time, and cut off ---- */

struct mover {
	const struct pg_place *p;
	enum migrate_how how;
	int n;
	enum souk_err err;
	struct db_migrated m;
	struct fail f;
	pthread_t thread;
};

static void *
mover_main(void *arg)
{
	struct mover *v = arg;

	v->err = migrate_pg_list(v->p->url, v->how, list, v->n, &v->m, &v->f);
	return NULL;
}

static void
test_two_at_once_take_turns(void **state)
{
	struct pg_place *p = *state;
	struct mover v[4];
	struct db_migrated m;
	int moved = 0;

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	/* Longer than a lock may be waited for in ordinary work. */
	list[OLD].sql = "SELECT pg_sleep(5.5); CREATE TABLE more (id BIGINT NOT NULL PRIMARY KEY)";
	for (size_t i = 0; i < 4; i++) {
		v[i] = (struct mover){ .p = p, .how = MIGRATE_EXPAND, .n = MORE };
		assert_int_equal(pthread_create(&v[i].thread, NULL, mover_main, &v[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(v[i].thread, NULL), 0);
		if (v[i].err != SOUK_OK)
			fail_msg("%s", v[i].f.detail);
		assert_int_equal(v[i].m.is, MORE);
		moved += v[i].m.was == OLD;
	}
	assert_int_equal(moved, 1);
}

#define MIGRATING                                                                                  \
	" FROM pg_stat_activity WHERE datname = current_database() AND query LIKE "                \
	"'BEGIN%pg_sleep%'"

static void
kill_in_the_middle(struct pg_place *p, struct mover *v)
{
	PGconn *c = pg_session(p->root);

	assert_int_equal(pthread_create(&v->thread, NULL, mover_main, v), 0);
	pg_until(c, "SELECT count(*)" MIGRATING, 1);
	pg_do(c, "SELECT pg_terminate_backend(pid)" MIGRATING);
	assert_int_equal(pthread_join(v->thread, NULL), 0);
	assert_int_not_equal(v->err, SOUK_OK);
	PQfinish(c);
}

static void
test_killed_between_two_goes_on_from_there(void **state)
{
	struct pg_place *p = *state;
	struct mover v = { .p = p, .how = MIGRATE_CONTRACT, .n = AGAIN };
	struct db_migrated m;

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	list[MORE].sql = "ALTER TABLE meta DROP COLUMN note; SELECT pg_sleep(60)";
	kill_in_the_middle(p, &v);
	make_list();
	moves(p, MIGRATE_CONTRACT, AGAIN, SOUK_OK, NULL, &m);
	assert_int_equal(m.was, MORE);
	assert_int_equal(m.is, AGAIN);
}

static void
test_killed_while_it_is_made_leaves_it_empty(void **state)
{
	struct pg_place *p = *state;
	struct mover v = { .p = p, .how = MIGRATE_CREATE, .n = OLD };
	struct db_migrated m;

	list[0].sql = "CREATE TABLE first (id BIGINT); SELECT pg_sleep(60)";
	kill_in_the_middle(p, &v);
	make_list();
	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	assert_int_equal(m.was, 0);
	assert_int_equal(m.is, OLD);
}

/* A table in use: others must not wait behind a migration that waits. */
static void
test_a_locked_table_ends_it_soon(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;
	PGconn *c = pg_session(p->root);
	uint64_t began;

	moves(p, MIGRATE_CREATE, OLD, SOUK_OK, NULL, &m);
	pg_do(c, "BEGIN; SELECT count(*) FROM meta");
	began = clock_mono_ns();
	moves(p, MIGRATE_EXPAND, MORE, SOUK_E_STORAGE, NULL, &m);
	assert_true(clock_mono_ns() - began < UINT64_C(9000000000));
	assert_int_equal(m.is, OLD);
	pg_do(c, "ROLLBACK");
	moves(p, MIGRATE_EXPAND, MORE, SOUK_OK, NULL, &m);
	PQfinish(c);
}

static void
test_another_programs_schema_is_refused(void **state)
{
	struct pg_place *p = *state;
	struct db_migrated m;
	struct fail f = { 0 };
	struct db *db = NULL;
	PGconn *c = pg_session(p->url);

	pg_do(c, "CREATE TABLE theirs (id BIGINT)");
	moves(p, MIGRATE_CREATE, OLD, SOUK_E_CONFLICT, "not_a_souk_database", &m);
	assert_int_equal(db_open(&(struct db_options){ .path = p->url, .create = true }, &db, &f),
	    SOUK_E_CONFLICT);
	assert_int_equal(pg_number(c, "SELECT count(*) FROM pg_class WHERE relname = 'meta'"), 0);
	PQfinish(c);
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, set_up, pg_tear_down)
	const struct CMUnitTest tests[] = {
		PLACED(test_old_nodes_go_on_while_it_expands),
		PLACED(test_contracting_waits_for_old_nodes),
		PLACED(test_contracting_goes_by_what_nodes_say),
		PLACED(test_contracting_does_not_wait_for_nodes_long_gone),
		PLACED(test_expanding_stops_before_a_contraction),
		PLACED(test_a_new_one_gets_all_at_once),
		PLACED(test_a_failing_migration_leaves_the_version_before),
		PLACED(test_two_at_once_take_turns),
		PLACED(test_killed_between_two_goes_on_from_there),
		PLACED(test_killed_while_it_is_made_leaves_it_empty),
		PLACED(test_a_locked_table_ends_it_soon),
		PLACED(test_another_programs_schema_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
