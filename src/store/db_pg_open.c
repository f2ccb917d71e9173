/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening PostgreSQL connections: settings, what an address must not hold, and what is wrong.
 *
 * The dangers: a server that takes the connection and then says nothing, and words of the library
 * that quote a piece of a password.
 */
#include "store/db_pg.h"

#include <stdio.h>

/* Used unless the address says otherwise: a cut connection must show in seconds, not in minutes. */
static const struct {
	const char *name, *value;
} defaults[] = {
	{ "connect_timeout", "3" },
	{ "tcp_user_timeout", "8000" },
	{ "keepalives_idle", "4" },
	{ "keepalives_interval", "2" },
	{ "keepalives_count", "2" },
	{ "target_session_attrs", "read-write" },
};
#define N_DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

static bool
given(const PQconninfoOption *o, const char *name)
{
	for (; o->keyword; o++)
		if (strcmp(o->keyword, name) == 0)
			return o->val != NULL;
	return false;
}

/*
 * Is a character of the password left in the address that has a meaning there? The rest of the
 * password would be a part of the host's name or the port, and the library would quote it.
 */
static bool
misread(const PQconninfoOption *o)
{
	for (; o->keyword; o++) {
		const char *v = o->val;

		if (!v || !v[0])
			continue;
		if (strcmp(o->keyword, "port") == 0 && v[strspn(v, "0123456789,")])
			return true;
		/* A host that begins with it is a socket's. */
		if ((strcmp(o->keyword, "host") == 0 && strchr(v + 1, '@')) ||
		    (strcmp(o->keyword, "dbname") == 0 && strchr(v, '@')))
			return true;
	}
	return false;
}

/* Its text may quote values; and what nobody takes is printed. */
static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

/* Several hosts give several lines; those that begin with a tab only ask whether it is running, as we do. */
static void
one_line(const char *words, char *out, size_t n)
{
	size_t at = 0, len;

	for (; *words; words += len + (words[len] == '\n')) {
		len = strcspn(words, "\n");
		if (words[0] != '\t' && len > 0 && at < n)
			at += (size_t)snprintf(
			    out + at, n - at, "%s%.*s", at > 0 ? "; " : "", (int)len, words);
	}
	if (at == 0)
		(void)snprintf(out, n, "no reason given");
}

/* Kinds of failures that somebody must mend in different places. */
static const struct {
	const char *code;
	enum met_fault fault;
} connect_faults[] = {
	{ "database_read_only", MFAULT_READ_ONLY },
	{ "database_refused", MFAULT_REFUSED },
	{ "database_full", MFAULT_FULL },
	{ "database_disk", MFAULT_DISK },
};
#define N_CONNECT_FAULTS (sizeof(connect_faults) / sizeof(connect_faults[0]))

enum met_fault
pg_fault_of(const char *code)
{
	for (size_t i = 0; code && i < N_CONNECT_FAULTS; i++)
		if (strcmp(code, connect_faults[i].code) == 0)
			return connect_faults[i].fault;
	return MFAULT_AWAY;
}

const char *
pg_code_of(enum met_fault fault)
{
	for (size_t i = 0; i < N_CONNECT_FAULTS; i++)
		if (fault == connect_faults[i].fault)
			return connect_faults[i].code;
	return "database_failed";
}

/* libpq's own words name hosts and users, which is what is wanted here. */
static enum souk_err
cannot_connect(PGconn *h, struct fail *f)
{
	const char *words = h ? PQerrorMessage(h) : "out of memory", *code = "database_unreachable";
	const char *fix = "is it running, and is the address right?";
	char all[160];

	one_line(words, all, sizeof(all));
	if (strstr(words, "password authentication failed") ||
	    strstr(words, "no password supplied")) {
		code = "database_refused";
		fix = "give the right user and password in `database`, or in a passfile";
	} else if (strstr(words, "too many clients") || strstr(words, "too many connections") ||
		   strstr(words, "connection slots")) {
		code = "database_full";
		fix = "raise max_connections, or lower database.writers and database.readers";
	} else if (strstr(words, "certificate") || strstr(words, "SSL"))
		fix = "see sslmode, sslrootcert and sslcert in the address";
	else if (strstr(words, "session is read-only") || strstr(words, "read-only")) {
		code = "database_read_only";
		fix = "no host of the address takes writes: name the primary too, or wait for it";
	} else if (strstr(words, "does not exist"))
		fix = "make the database or the role first";
	else if (strstr(words, "pg_hba.conf"))
		fix = "allow this host and user in the server's pg_hba.conf";
	return fail_set(
	    f, SOUK_E_UNAVAILABLE, code, "the database cannot be reached: %s; %s", all, fix);
}

PGresult *
pg_exec_in_time(PGconn *h, const char *sql)
{
	uint64_t until = clock_mono_ns() + (uint64_t)PG_OPEN_MS * 1000000;
	PGresult *res = NULL, *next;

	if (!PQsendQuery(h, sql))
		return NULL;
	while (pg_wait(h, until, NULL)) {
		if (!(next = PQgetResult(h)))
			return res;
		PQclear(res);
		res = next; /* a failure is the last one */
	}
	PQclear(res);
	return NULL;
}

/* A transaction's own limit comes after ours (pg_commit), which knows what to say. */
const struct pg_limits pg_limits_of[] = {
	[CONN_READ] = { PG_STATEMENT_MS, PG_STATEMENT_MS, 0 },
	[CONN_WRITE] = { PG_STATEMENT_MS, PG_IDLE_MS, PG_WRITE_MS + PG_COMMIT_MS },
	[CONN_BULK] = { PG_BULK_MS, PG_BULK_MS, 0 },
};

static enum souk_err
settings(PGconn *h, const struct pg_limits *limits, struct fail *f)
{
	char sql[640], words[200];
	PGresult *res;
	int n;
	bool ok;

	n = snprintf(sql, sizeof(sql),
	    "SET statement_timeout = %d; SET lock_timeout = %d;"
	    " SET idle_in_transaction_session_timeout = %d; SET client_min_messages = warning;"
	    " SET synchronous_commit = on;"
	    /*
	     * Every look-up of ours has an index. The planner knows nothing of tables that have just been
	     * made, and a plan that is kept must not be one for empty tables. Only Citus has to see the
	     * parameters of some joins: without them it cannot tell the shard, and refuses (0A000).
	     */
	    " SET jit = off; SET enable_seqscan = off;",
	    limits->statement_ms, PG_LOCK_MS, limits->idle_ms);
	if (PQserverVersion(h) >= 170000)
		n += snprintf(sql + n, sizeof(sql) - (size_t)n, " SET transaction_timeout = %d;",
		    limits->transaction_ms);
	(void)snprintf(sql + n, sizeof(sql) - (size_t)n,
	    " SELECT set_config('plan_cache_mode', CASE WHEN EXISTS (SELECT 1 FROM pg_extension"
	    " WHERE extname = 'citus') THEN 'auto' ELSE 'force_generic_plan' END, false)");
	res = pg_exec_in_time(h, sql);
	ok = PQresultStatus(res) == PGRES_TUPLES_OK;
	if (res)
		pg_words(res, h, words, sizeof(words));
	else
		(void)snprintf(words, sizeof(words), "it does not answer");
	PQclear(res);
	return ok ? SOUK_OK
		  : fail_set(f, SOUK_E_UNAVAILABLE, "database_failed",
			"the database does not take souk's settings: %s", words);
}

enum souk_err
pg_connect(
    const char *url, const char *name, const struct pg_limits *limits, PGconn **ret, struct fail *f)
{
	const char *key[N_DEFAULTS + 5] = { "dbname" }, *value[N_DEFAULTS + 5] = { url };
	size_t n = 1;
	PQconninfoOption *o = PQconninfoParse(url, NULL);
	char session[64];
	PGconn *h;
	enum souk_err err;

	*ret = NULL;
	(void)snprintf(session, sizeof(session), "%s (schema %d)", name, db_schema_version());
	if (!o || misread(o)) { /* libpq's words would quote the address, password and all */
		PQconninfoFree(o);
		return fail_field(f, "database",
		    "is not an address that PostgreSQL's library reads",
		    "give postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters "
		    "as %XX");
	}
	for (size_t i = 0; i < N_DEFAULTS; i++)
		if (!given(o, defaults[i].name)) {
			key[n] = defaults[i].name;
			value[n++] = defaults[i].value;
		}
	PQconninfoFree(o);
	key[n] = "fallback_application_name";
	value[n++] = session;
	key[n] = "client_encoding";
	value[n++] = "UTF8";
	h = PQconnectdbParams(key, value, 1);
	(void)PQsetNoticeReceiver(h, ignore_notice, NULL);
	if (PQstatus(h) != CONNECTION_OK)
		err = cannot_connect(h, f);
	else if (PQserverVersion(h) < 140000)
		err = fail_set(f, SOUK_E_INVALID, "database_too_old",
		    "database: the server is PostgreSQL %d; souk needs 14 or newer",
		    PQserverVersion(h) / 10000);
	else
		err = settings(h, limits, f);
	if (err != SOUK_OK)
		PQfinish(h);
	else
		*ret = h;
	return err;
}
