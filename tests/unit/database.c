/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/database.h"

#include "store/engine.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void
schema_of(const char *dir, char out[32])
{
	uint64_t h = UINT64_C(14695981039346656037);

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

const char *
test_database(const char *dir)
{
	static char path[1024];
	char schema[32];

	if (!server()) {
		(void)snprintf(path, sizeof(path), "%s/souk.db", dir);
		return path;
	}
	schema_of(dir, schema);
	command("SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS", schema, "");
	(void)snprintf(path, sizeof(path), "%s%coptions=-csearch_path%%3D%s%s", server(),
	    strchr(server(), '?') ? '&' : '?', schema,
	    test_distributes() ? "%20-ccitus.shard_count%3D4" : "");
	return path;
}

void
test_database_drop(const char *dir)
{
	char schema[32];

	if (!server())
		return;
	schema_of(dir, schema);
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
