/* SPDX-License-Identifier: Apache-2.0 */
#include "pg.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

static const char *
needed(const char *name)
{
	const char *value = getenv(name);

	if (!value || !value[0]) {
		(void)fprintf(stderr, "%s is not set: run this by `./test pg`\n", name);
		abort();
	}
	return value;
}

/* The address with the name of another database. */
static void
rename_database(const char *url, const char *name, char out[1024])
{
	const char *slash = strchr(strstr(url, "://") + 3, '/');

	assert_non_null(slash);
	(void)snprintf(out, 1024, "%.*s/%s?%s", (int)(slash - url), url, name,
	    strchr(slash, '?') ? strchr(slash, '?') + 1 : "");
}

static void
read_line(const char *dir, const char *name, char out[1024])
{
	char path[1024];
	FILE *in;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!(in = fopen(path, "r")) || !fgets(out, 1024, in))
		abort();
	(void)fclose(in);
	out[strcspn(out, "\n")] = '\0';
}

int
pg_set_up(void **state)
{
	static unsigned made;
	struct pg_place *p = calloc(1, sizeof(*p));
	char root[1024], sql[128];
	PGconn *c;

	read_line(needed("SOUK_TEST_POSTGRES"), "admin-url", root);
	(void)snprintf(p->name, sizeof(p->name), "own_%ld_%u", (long)getpid(), ++made);
	rename_database(root, p->name, p->root);
	rename_database(needed("SOUK_TEST_DATABASE"), p->name, p->url);
	c = pg_session(root);
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s OWNER souk", p->name);
	pg_do(c, sql);
	PQfinish(c);
	*state = p;
	return 0;
}

int
pg_tear_down(void **state)
{
	struct pg_place *p = *state;
	char root[1024], sql[128];
	PGconn *c;

	rename_database(p->root, "postgres", root);
	c = pg_session(root);
	(void)snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", p->name);
	pg_do(c, sql);
	PQfinish(c);
	free(p);
	return 0;
}

const char *
pg_with(const char *url, const char *words)
{
	static char out[2048];

	(void)snprintf(out, sizeof(out), "%s%c%s", url, strchr(url, '?') ? '&' : '?', words);
	return out;
}

PGconn *
pg_session(const char *url)
{
	PGconn *c = PQconnectdb(url);

	if (PQstatus(c) != CONNECTION_OK) {
		(void)fprintf(stderr, "%s", PQerrorMessage(c));
		abort();
	}
	return c;
}

void
pg_do(PGconn *c, const char *sql)
{
	PGresult *res = PQexec(c, sql);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	PQclear(res);
}

int64_t
pg_number(PGconn *c, const char *sql)
{
	PGresult *res = PQexec(c, sql);
	int64_t n;

	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

void
pg_until(PGconn *c, const char *sql, int64_t want)
{
	for (int i = 0; i < 1000; i++) {
		if (pg_number(c, sql) == want)
			return;
		clock_sleep_ms(10);
	}
	fail_msg("not %lld within ten seconds: %s", (long long)want, sql);
}
