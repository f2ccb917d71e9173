/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/database.h"

#include "store/engine.h"
#include "store/migrate.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *
server(void)
{
	const char *url = getenv("SOUK_TEST_DATABASE");

	return url && url[0] ? url : NULL;
}

bool
test_on_postgres(void)
{
	return server() != NULL;
}

bool
test_distributes(void)
{
	return server() != NULL && getenv("SOUK_TEST_DISTRIBUTE") != NULL;
}

/*
 * Making the tables takes a server ten times as long as deleting what a test left in them, so the schemas of
 * this process go from test to test: those whose tables are still the ones that the migrations make.
 */
static struct schema {
	char name[32]; /* "": none */
	char dir[256]; /* whose it is, "": nobody's */
} kept[4];
static char shape_made[33]; /* of a schema as the migrations leave it */
static pid_t owner;

static void
schema_of(const char *dir, char out[32])
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(kept[i].dir, dir) == 0) {
			(void)snprintf(out, 32, "%s", kept[i].name);
			return;
		}
	for (; *dir; dir++)
		h = (h ^ (uint8_t)*dir) * UINT64_C(1099511628211);
	(void)snprintf(out, 32, "t%016llx", (unsigned long long)h);
}

static PGconn *
connected(void)
{
	PGconn *c = PQconnectdb(server());

	if (PQstatus(c) != CONNECTION_OK) {
		(void)fprintf(stderr, "SOUK_TEST_DATABASE: %s", PQerrorMessage(c));
		abort();
	}
	return c;
}

static PGresult *
answer(PGconn *c, const char *sql, ExecStatusType want)
{
	PGresult *res = PQexec(c, sql);

	if (PQresultStatus(res) != want) {
		(void)fprintf(stderr, "%s: %s", sql, PQerrorMessage(c));
		abort();
	}
	return res;
}

static void
command(const char *before, const char *schema, const char *after)
{
	char sql[160];
	PGconn *c = connected();

	(void)snprintf(sql, sizeof(sql), "%s %s %s", before, schema, after);
	PQclear(answer(c, sql, PGRES_COMMAND_OK));
	PQfinish(c);
}

static const char *
url_of(const char *schema)
{
	static char url[1024];

	(void)snprintf(url, sizeof(url), "%s%coptions=-csearch_path%%3D%s%s", server(),
	    strchr(server(), '?') ? '&' : '?', schema,
	    test_distributes() ? "%20-ccitus.shard_count%3D4" : "");
	return url;
}

/* Everything in it but rows, as a hash. */
static void
shape_of(PGconn *c, const char *schema, char out[33])
{
	char sql[1024];
	PGresult *res;

	(void)snprintf(sql, sizeof(sql),
	    "SELECT md5(string_agg(x, ';' ORDER BY x)) FROM ("
	    "SELECT concat_ws(',', relname, relkind, relnatts, relchecks, relhastriggers) AS x"
	    " FROM pg_class WHERE relnamespace = '%s'::regnamespace AND relkind <> 't'"
	    " UNION ALL SELECT concat_ws(',', relname, attname, atttypid, attnotnull, atthasdef)"
	    " FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
	    " WHERE relnamespace = '%s'::regnamespace AND attnum > 0"
	    " UNION ALL SELECT concat_ws(',', conname, contype, convalidated) FROM pg_constraint"
	    " WHERE connamespace = '%s'::regnamespace"
	    " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = '%s'::regnamespace) y",
	    schema, schema, schema, schema);
	res = answer(c, sql, PGRES_TUPLES_OK);
	(void)snprintf(out, 33, "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
}

/*
 * Deletes all rows, in one statement, at whose end references are checked. False when that does not go quickly, or
 * leaves pages that a next test would have to read over.
 */
static bool
emptied(PGconn *c, const char *schema)
{
	char sql[1024];
	PGresult *res;
	bool ok;

	(void)snprintf(sql, sizeof(sql),
	    "SET search_path = %s; SET statement_timeout = 1000; SET lock_timeout = 500; DO $do$ "
	    "BEGIN"
	    " IF (SELECT sum(pg_relation_size(oid)) > 4000000 FROM pg_class WHERE relkind IN ('r', "
	    "'t')"
	    " AND relnamespace = '%s'::regnamespace) THEN RAISE 'too large'; END IF;"
	    " EXECUTE (SELECT 'WITH ' || string_agg(format('%%I AS (DELETE FROM %%I)', 'd_' || "
	    "relname, relname), ', ')"
	    " || ' SELECT' FROM pg_class WHERE relkind = 'r' AND relname <> 'souk_schema'"
	    " AND relnamespace = '%s'::regnamespace); END $do$",
	    schema, schema, schema);
	res = PQexec(c, sql);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	return ok;
}

static void
drop_kept(void)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && owner == getpid(); i++)
		if (kept[i].name[0])
			command("SET client_min_messages = warning; DROP SCHEMA IF EXISTS",
			    kept[i].name, "CASCADE");
}

/* One with tables and no rows that is now of `dir`; NULL: there is no room for it. */
static const struct schema *
take(const char *dir)
{
	struct schema *room = NULL;
	struct fail f = { 0 };
	PGconn *c;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (!kept[i].dir[0] && (!room || !room->name[0]))
			room = &kept[i];
	if (!room || strlen(dir) >= sizeof(room->dir))
		return NULL;
	if (!room->name[0]) {
		char name[32];

		schema_of(dir, name);
		command("CREATE SCHEMA", name, "");
		if (migrate_pg(url_of(name), MIGRATE_CREATE, &f) != SOUK_OK) {
			(void)fprintf(stderr, "%s\n", f.detail);
			abort();
		}
		(void)snprintf(room->name, sizeof(room->name), "%s", name);
	}
	if (!owner) {
		owner = getpid();
		(void)atexit(drop_kept);
		c = connected();
		shape_of(c, room->name, shape_made);
		PQfinish(c);
	}
	(void)snprintf(room->dir, sizeof(room->dir), "%s", dir);
	return room;
}

const char *
test_database(const char *dir)
{
	static char path[1024];
	char schema[32];

	if (!server()) {
		(void)snprintf(path, sizeof(path), "%s/souk.db", dir);
		return path;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(kept[i].dir, dir) == 0)
			return url_of(kept[i].name);
	if (!test_distributes() && take(dir))
		return test_database(dir);
	schema_of(dir, schema);
	command("SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS", schema, "");
	return url_of(schema);
}

/* Can a next test have it? */
static bool
clean(struct schema *s)
{
	PGconn *c = connected();
	char shape[33] = "";
	bool ok = emptied(c, s->name);

	if (ok)
		shape_of(c, s->name, shape);
	PQfinish(c);
	return ok && strcmp(shape, shape_made) == 0;
}

void
test_database_drop(const char *dir)
{
	char schema[32];

	if (!server())
		return;
	schema_of(dir, schema);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(kept[i].dir, dir) == 0) {
			kept[i].dir[0] = '\0';
			if (owner == getpid() && clean(&kept[i]))
				return;
			kept[i].name[0] = '\0';
		}
	command("SET client_min_messages = warning; DROP SCHEMA IF EXISTS", schema, "CASCADE");
}

/* ---- what is in it ---- */

static bool
file_holds(const char *dir, const char *name, const void *p, size_t n)
{
	char path[1024], *bytes = NULL;
	size_t size = 0, got;
	bool found;
	FILE *in;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!(in = fopen(path, "rb")))
		return false;
	do {
		if (!(bytes = realloc(bytes, size + (1 << 20))))
			abort();
		got = fread(bytes + size, 1, 1 << 20, in);
		size += got;
	} while (got > 0);
	(void)fclose(in);
	found = memmem(bytes, size, p, n) != NULL;
	free(bytes);
	return found;
}

static bool
table_holds(PGconn *c, const char *schema, const char *table, const void *p, size_t n)
{
	char sql[160], *row;
	bool found = false;
	int size;

	(void)snprintf(sql, sizeof(sql), "COPY (SELECT * FROM %s.%s) TO STDOUT (FORMAT binary)",
	    schema, table);
	PQclear(answer(c, sql, PGRES_COPY_OUT));
	while ((size = PQgetCopyData(c, &row, 0)) > 0) {
		found |= memmem(row, (size_t)size, p, n) != NULL;
		PQfreemem(row);
	}
	for (PGresult *end; (end = PQgetResult(c));)
		PQclear(end);
	return found;
}

bool
test_database_holds(const char *dir, const void *p, size_t n)
{
	char schema[32], sql[160];
	bool found = false;
	PGresult *tables;
	PGconn *c;

	if (!server())
		return file_holds(dir, "souk.db", p, n) || file_holds(dir, "souk.db-wal", p, n);
	schema_of(dir, schema);
	c = connected();
	(void)snprintf(sql, sizeof(sql),
	    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace ="
	    " '%s'::regnamespace",
	    schema);
	tables = answer(c, sql, PGRES_TUPLES_OK);
	for (int i = 0; i < PQntuples(tables) && !found; i++)
		found = table_holds(c, schema, PQgetvalue(tables, i, 0), p, n);
	PQclear(tables);
	PQfinish(c);
	return found;
}

/* A session in the test's schema that has tried to prepare the text as `p`. */
static PGconn *
prepared(const char *dir, const char *sql, bool *ret_ok)
{
	struct buf text = { 0 };
	char schema[32], set[160];
	PGresult *res;
	PGconn *c;

	schema_of(dir, schema);
	c = connected();
	(void)snprintf(set, sizeof(set),
	    "SET search_path = %s; SET enable_seqscan = off; SET plan_cache_mode = "
	    "force_generic_plan",
	    schema);
	PQclear(answer(c, set, PGRES_COMMAND_OK));
	if (dialect_text(DIALECT_PG, sql, &text) != SOUK_OK)
		abort();
	res = PQprepare(c, "p", text.p, 0, NULL);
	if (!(*ret_ok = PQresultStatus(res) == PGRES_COMMAND_OK))
		(void)fprintf(stderr, "%s: %s", sql, PQerrorMessage(c));
	PQclear(res);
	buf_done(&text);
	return c;
}

/* Appends `EXPLAIN EXECUTE p (...)` with '1' for each of n values, which any type takes, but NULL for one of them. */
static void
explain(struct buf *text, int n, int null)
{
	buf_add_c(text, "EXPLAIN (COSTS OFF) EXECUTE p");
	for (int i = 0; i < n; i++) {
		buf_add_c(text, i == 0 ? " (" : ", ");
		buf_add_c(text, null == i || null == n ? "NULL" : "'1'");
	}
	buf_add_c(text, n > 0 ? ")" : "");
}

/*
 * Does the cluster find a plan with values, and with any one of them missing? Outer joins are not to be asked with
 * NULL (docs/fleet.md, rules for statements).
 */
static bool
distributes(PGconn *c, const char *sql)
{
	PGresult *res = PQdescribePrepared(c, "p");
	int n = PQnparams(res), nulls = strstr(sql, "LEFT JOIN") ? 0 : n;
	bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	struct buf text = { 0 };

	PQclear(answer(c, "SET plan_cache_mode = auto", PGRES_COMMAND_OK));
	for (int null = -1; null < nulls && ok; null++) {
		const char *state;

		PQclear(res);
		buf_clear(&text);
		explain(&text, n, null);
		res = PQexec(c, text.p);
		state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
		/* 22004: a seller's row without a seller, which nobody puts */
		ok = PQresultStatus(res) == PGRES_TUPLES_OK ||
		     (null >= 0 && state && strcmp(state, "22004") == 0);
		if (!ok)
			(void)fprintf(stderr, "%s: %s: %s", sql, text.p, PQerrorMessage(c));
	}
	PQclear(res);
	buf_done(&text);
	return ok;
}

bool
test_database_prepares(const char *dir, const char *sql)
{
	PGconn *c;
	bool ok;

	if (!server())
		return true;
	c = prepared(dir, sql, &ok);
	if (ok && test_distributes())
		ok = distributes(c, sql);
	PQfinish(c);
	return ok;
}

char *
test_database_plan(const char *dir, const char *sql, int n)
{
	struct buf text = { 0 };
	PGresult *res;
	PGconn *c;
	bool ok;

	c = prepared(dir, sql, &ok);
	if (!ok)
		abort();
	explain(&text, n, n);
	res = answer(c, text.p, PGRES_TUPLES_OK);
	buf_clear(&text);
	for (int i = 0; i < PQntuples(res); i++) {
		buf_add_c(&text, PQgetvalue(res, i, 0));
		buf_add_c(&text, "\n");
	}
	PQclear(res);
	PQfinish(c);
	return text.p;
}
