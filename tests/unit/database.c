/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/database.h"

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

static void
schema_of(const char *dir, char out[32])
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *dir; dir++)
		h = (h ^ (uint8_t)*dir) * UINT64_C(1099511628211);
	(void)snprintf(out, 32, "t%016llx", (unsigned long long)h);
}

static void
command(const char *before, const char *schema, const char *after)
{
	char sql[160];
	PGconn *c = PQconnectdb(server());
	PGresult *res;

	(void)snprintf(sql, sizeof(sql), "%s %s %s", before, schema, after);
	res = PQexec(c, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		(void)fprintf(stderr, "%s: %s", sql, PQerrorMessage(c));
		abort();
	}
	PQclear(res);
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
	(void)snprintf(path, sizeof(path), "%s%coptions=-csearch_path%%3D%s", server(),
	    strchr(server(), '?') ? '&' : '?', schema);
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
