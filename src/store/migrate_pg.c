/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema versions on PostgreSQL: the table souk_schema has one row.
 *
 * Several nodes share the schema, so it moves in two steps: an expanding migration leaves
 * all that older programs use, a contracting one takes it away later. `runs_from` is the
 * oldest program (by its schema version) that the present schema still serves; a newer schema
 * than a program knows is fine for it as long as `runs_from` is not newer.
 */
#include "store/db_pg.h"
#include "store/distribute.h"
#include "store/migrate.h"
#include "store/node.h"

#include <stdio.h>
#include <stdlib.h>

#define MIGRATE_LOCK 1936684396 /* only one at a time migrates */

struct pg_schema {
	bool there;
	int version, runs_from;
};

static enum souk_err
failed(PGconn *h, const PGresult *res, const char *doing, struct fail *f)
{
	char words[200];

	pg_words(res, h, words, sizeof(words));
	return fail_set(
	    f, SOUK_E_STORAGE, "database_failed", "database: cannot %s: %s", doing, words);
}

static enum souk_err
exec(PGconn *h, const char *sql, const char *doing, struct fail *f)
{
	PGresult *res = PQexec(h, sql);
	ExecStatusType s = PQresultStatus(res);
	enum souk_err err = SOUK_OK;

	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
		err = failed(h, res, doing, f);
	PQclear(res);
	return err;
}

/* One row of numbers, as many as the text gives. */
static enum souk_err
numbers(PGconn *h, const char *sql, int *out, int n, struct fail *f)
{
	PGresult *res = PQexec(h, sql);
	enum souk_err err = SOUK_OK;

	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		err = failed(h, res, "read its schema's version", f);
	for (int i = 0; i < n && err == SOUK_OK; i++)
		out[i] = (int)strtol(PQgetvalue(res, 0, i), NULL, 10);
	PQclear(res);
	return err;
}

static enum souk_err
read_schema(PGconn *h, struct pg_schema *ret, int *ret_others, struct fail *f)
{
	int n[2] = { 0 };
	enum souk_err err;

	*ret = (struct pg_schema){ 0 };
	if ((err = numbers(h,
		 "SELECT count(*) FILTER (WHERE relname = 'souk_schema'), count(*) FROM pg_class"
		 " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')",
		 n, 2, f)) != SOUK_OK)
		return err;
	ret->there = n[0] == 1;
	*ret_others = n[1];
	if (!ret->there)
		return SOUK_OK;
	if ((err = numbers(h, "SELECT version, runs_from FROM souk_schema", n, 2, f)) != SOUK_OK)
		return err;
	ret->version = n[0];
	ret->runs_from = n[1];
	return SOUK_OK;
}

/* What a program knows, and how far it got. */
struct moving {
	PGconn *h;
	enum migrate_how how;
	const struct migration *list;
	int n, needs; /* migrations; the last one that a program cannot run without */
	bool distribute;
	struct pg_schema schema;
};

static enum souk_err
check(const struct moving *m, int others, struct fail *f)
{
	const struct pg_schema *s = &m->schema;

	if (!s->there && others > 0)
		return fail_set(f, SOUK_E_CONFLICT, "not_a_souk_database",
		    "database: holds the tables of another program; give souk a database (or a "
		    "schema) of its own");
	if (!s->there && m->how != MIGRATE_CREATE && m->how != MIGRATE_DISTRIBUTE)
		return fail_set(f, SOUK_E_CONFLICT, "database_empty",
		    "database: holds no souk data; make it with `souk init --database ...`");
	if (s->runs_from > m->n)
		return fail_set(f, SOUK_E_CONFLICT, "database_newer",
		    "database: has schema version %d, which serves souk of schema version %d and "
		    "later; this one has %d; run a newer souk",
		    s->version, s->runs_from, m->n);
	if (s->there && s->version < m->needs && m->how == MIGRATE_CHECK)
		return fail_set(f, SOUK_E_CONFLICT, "database_older",
		    "database: has schema version %d, this souk needs %d; run `souk migrate` "
		    "(older nodes may go on meanwhile)",
		    s->version, m->needs);
	return SOUK_OK;
}

struct placing {
	PGconn *h;
	struct fail *f;
};

static enum souk_err
place(void *arg, const char *sql)
{
	struct placing *p = arg;

	return exec(p->h, sql, "distribute its tables", p->f);
}

/* What migration `n` made goes where it belongs, while it is empty. */
static enum souk_err
distribute(struct moving *m, int n, struct fail *f)
{
	struct placing p = { m->h, f };
	enum souk_err err = distribute_schema(n, n, place, &p);

	/* The version's row changes with the tables', so it has to be known to the extension, too. */
	return err != SOUK_OK || m->schema.there
		   ? err
		   : place(&p, "SELECT citus_add_local_table_to_metadata('souk_schema')");
}

/* Number `n`, with the new version, in one transaction. */
static enum souk_err
apply(struct moving *m, int n, int runs_from, struct fail *f)
{
	struct buf sql = { 0 };
	char step[80];
	enum souk_err err;

	(void)snprintf(step, sizeof(step), "apply %s", m->list[n - 1].name);
	buf_add_c(&sql, "BEGIN;\n");
	if (m->distribute)
		buf_add_c(&sql, DISTRIBUTE_BEFORE ";\n");
	if (!m->schema.there)
		buf_add_c(&sql,
		    "CREATE TABLE souk_schema (version INTEGER NOT NULL, runs_from INTEGER NOT "
		    "NULL);\n");
	err = dialect_text(DIALECT_PG, m->list[n - 1].sql, &sql);
	buf_printf(&sql,
	    ";\nDELETE FROM souk_schema;\n"
	    "INSERT INTO souk_schema (version, runs_from) VALUES (%d, %d)",
	    n, runs_from);
	if (err == SOUK_OK && !buf_ok(&sql))
		err = SOUK_E_NOMEM;
	if (err == SOUK_OK)
		err = exec(m->h, sql.p, step, f);
	if (err == SOUK_OK && m->distribute)
		err = distribute(m, n, f);
	if (err == SOUK_OK)
		err = exec(m->h, "COMMIT", step, f);
	if (err == SOUK_OK)
		m->schema = (struct pg_schema){ true, n, runs_from };
	else
		PQclear(PQexec(m->h, "ROLLBACK"));
	buf_done(&sql);
	return err;
}

#define GONE_MS (NODE_GONE_BEATS * NODE_BEAT_SHARED_MS)

/* A node of an older program that beat lately (node.h). */
static enum souk_err
refuse_older_nodes(struct moving *m, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	PGresult *res;
	char sql[320];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT host, version, schema_version, count(*) OVER () FROM node"
	    " WHERE schema_version < %d AND seen_at >"
	    " floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - %lld"
	    " ORDER BY started_at, node_id LIMIT 1",
	    m->n, (long long)GONE_MS);
	res = PQexec(m->h, sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		err = failed(m->h, res, "read its nodes", f);
	else if (PQntuples(res) > 0)
		err = fail_set(f, SOUK_E_CONFLICT, "older_nodes",
		    "database: the node on %s runs souk %s, which knows schema version %s (nodes "
		    "of an older souk: %s, see `souk nodes`); stop or update them, then run `souk "
		    "migrate --contract` again",
		    PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1), PQgetvalue(res, 0, 2),
		    PQgetvalue(res, 0, 3));
	PQclear(res);
	return err;
}

/*
 * Who is at work and has no row, or none yet: a command, or a node that is starting. Programs tell their
 * schema version in their sessions' names (pg_connect), and their listener asks every second, so that a
 * session that a lost machine left behind does not count for longer than a node would.
 */
static enum souk_err
refuse_older_sessions(struct moving *m, struct fail *f)
{
	char sql[400];
	int older = 0;
	enum souk_err err;

	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
	    " application_name LIKE 'souk listen (schema %%'"
	    " AND substring(application_name FROM '[0-9]+')::int < %d"
	    " AND query_start > clock_timestamp() - interval '%lld milliseconds'",
	    m->n, (long long)GONE_MS);
	if ((err = numbers(m->h, sql, &older, 1, f)) == SOUK_OK && older > 0)
		return fail_set(f, SOUK_E_CONFLICT, "older_nodes",
		    "database: %d command(s) or starting node(s) of an older souk are at work; "
		    "stop or update them, then run `souk migrate --contract` again",
		    older);
	return err;
}

static enum souk_err
forward(struct moving *m, struct fail *f)
{
	bool is_new = !m->schema.there;
	enum souk_err err = SOUK_OK;

	for (int n = m->schema.version + 1; n <= m->n && err == SOUK_OK; n++) {
		bool contracts = m->list[n - 1].contracts && !is_new;

		if (contracts && m->how != MIGRATE_CONTRACT)
			break;
		if (contracts)
			err = refuse_older_nodes(m, f);
		if (contracts && err == SOUK_OK)
			err = refuse_older_sessions(m, f);
		if (err == SOUK_OK) /* a new installation has no older nodes */
			err = apply(m, n, is_new ? m->n : contracts ? n : m->schema.runs_from, f);
	}
	if (err == SOUK_OK && m->schema.version < m->needs)
		return fail_set(f, SOUK_E_CONFLICT, "migration_contracts",
		    "database: %s takes away what older nodes use, and this souk needs what comes "
		    "after it; stop those and run `souk migrate --contract`",
		    m->list[m->schema.version].name);
	return err;
}

/* Are the tables (to be) in shards? */
static enum souk_err
read_layout(struct moving *m, struct fail *f)
{
	bool wanted = m->how == MIGRATE_DISTRIBUTE;
	int n = 0;
	enum souk_err err =
	    numbers(m->h, "SELECT count(*) FROM pg_extension WHERE extname = 'citus'", &n, 1, f);

	if (err == SOUK_OK && wanted && n == 0)
		return fail_set(f, SOUK_E_INVALID, "no_extension",
		    "database: the extension citus is not there; add the workers and run CREATE "
		    "EXTENSION citus first (docs/fleet.md)");
	if (err == SOUK_OK && wanted && m->schema.there)
		return fail_set(f, SOUK_E_CONFLICT, "exists",
		    "database: holds tables already, whose rows would not be distributed with "
		    "them; copy it into an empty one with `souk copy`");
	m->distribute = wanted;
	if (err != SOUK_OK || n == 0 || !m->schema.there)
		return err;
	err = numbers(m->h,
	    "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = "
	    "to_regclass('contact_version')",
	    &n, 1, f);
	m->distribute = err == SOUK_OK && n == 1;
	return err;
}

/* Another one's migration may take its time; locks on tables must not. */
static enum souk_err
take_turn(PGconn *h, struct fail *f)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql),
	    "SET lock_timeout = 0; SELECT pg_advisory_lock(%d); SET lock_timeout = %d",
	    MIGRATE_LOCK, PG_LOCK_MS);
	return exec(h, sql, "wait for another node's migration", f);
}

static void
report(const struct moving *m, int was, struct db_migrated *ret)
{
	*ret = (struct db_migrated){
		.was = was,
		.is = m->schema.version,
		.knows = m->n,
		.runs_from = m->schema.runs_from,
	};
	if (m->schema.version < m->n && m->list[m->schema.version].contracts)
		(void)snprintf(
		    ret->waiting, sizeof(ret->waiting), "%s", m->list[m->schema.version].name);
}

enum souk_err
migrate_pg_list(const char *url, enum migrate_how how, const struct migration *list, int n,
    struct db_migrated *ret, struct fail *f)
{
	struct moving m = { .how = how, .list = list, .n = n, .needs = n };
	int others = 0, was = 0;
	enum souk_err err = pg_connect(url, "souk migrate", &pg_limits_of[CONN_BULK], &m.h, f);

	if (err != SOUK_OK)
		return err;
	while (m.needs > 0 && list[m.needs - 1].contracts)
		m.needs--;
	if (how != MIGRATE_CHECK)
		err = take_turn(m.h, f);
	if (err == SOUK_OK)
		err = read_schema(m.h, &m.schema, &others, f);
	was = m.schema.version;
	if (err == SOUK_OK)
		err = check(&m, others, f);
	if (err == SOUK_OK && how != MIGRATE_CHECK && list == migrations)
		err = read_layout(&m, f);
	if (err == SOUK_OK && m.schema.version < n && how != MIGRATE_CHECK)
		err = forward(&m, f);
	if (ret)
		report(&m, was, ret);
	PQfinish(m.h);
	return err;
}

enum souk_err
migrate_pg(const char *url, enum migrate_how how, struct fail *f)
{
	return migrate_pg_list(url, how, migrations, n_migrations, NULL, f);
}
