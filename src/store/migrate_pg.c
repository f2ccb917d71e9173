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

#include <stdio.h>
#include <stdlib.h>

#define MIGRATE_LOCK 1936684396 /* only one at a time migrates */

struct pg_schema {
	bool there, extension, distributed;
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

static enum souk_err
check(const struct pg_schema *s, int others, enum migrate_how how, struct fail *f)
{
	if (!s->there && others > 0)
		return fail_set(f, SOUK_E_CONFLICT, "not_a_souk_database",
		    "database: holds the tables of another program; give souk a database (or a "
		    "schema) of its own");
	if (!s->there && how != MIGRATE_CREATE)
		return fail_set(f, SOUK_E_CONFLICT, "database_empty",
		    "database: holds no souk data; make it with `souk init --database ...`");
	if (s->runs_from > n_migrations)
		return fail_set(f, SOUK_E_CONFLICT, "database_newer",
		    "database: has schema version %d, which serves souk of schema version %d and "
		    "later; this one has %d; run a newer souk",
		    s->version, s->runs_from, n_migrations);
	if (s->there && s->version < n_migrations && how == MIGRATE_CHECK)
		return fail_set(f, SOUK_E_CONFLICT, "database_older",
		    "database: has schema version %d, this souk needs %d; run `souk migrate` "
		    "(older nodes may go on meanwhile)",
		    s->version, n_migrations);
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

/* Number `n`, with the new version, in one transaction. */
static enum souk_err
apply(PGconn *h, int n, int runs_from, bool distribute, struct fail *f)
{
	struct placing placing = { h, f };
	struct buf sql = { 0 };
	char step[80];
	enum souk_err err;

	(void)snprintf(step, sizeof(step), "apply %s", migrations[n - 1].name);
	buf_add_c(&sql, "BEGIN;\n");
	err = dialect_text(DIALECT_PG, migrations[n - 1].sql, &sql);
	buf_printf(&sql,
	    ";\nDELETE FROM souk_schema;\n"
	    "INSERT INTO souk_schema (version, runs_from) VALUES (%d, %d)",
	    n, runs_from);
	if (err == SOUK_OK && !buf_ok(&sql))
		err = SOUK_E_NOMEM;
	if (err == SOUK_OK)
		err = exec(h, sql.p, step, f);
	if (err == SOUK_OK && distribute)
		err = distribute_schema(n, n, place, &placing);
	if (err == SOUK_OK)
		err = exec(h, "COMMIT", step, f);
	if (err != SOUK_OK)
		PQclear(PQexec(h, "ROLLBACK"));
	buf_done(&sql);
	return err;
}

static enum souk_err
forward(PGconn *h, const struct pg_schema *s, enum migrate_how how, struct fail *f)
{
	int runs_from = s->runs_from;
	enum souk_err err = SOUK_OK;

	if (!s->there)
		err = exec(h,
		    "CREATE TABLE souk_schema (version INTEGER NOT NULL, runs_from INTEGER NOT "
		    "NULL)",
		    "make its first table", f);
	for (int n = s->version + 1; n <= n_migrations && err == SOUK_OK; n++) {
		/* A new installation has no older nodes. */
		if (!s->there)
			runs_from = n_migrations;
		else if (migrations[n - 1].contracts && how != MIGRATE_CONTRACT)
			return fail_set(f, SOUK_E_CONFLICT, "migration_contracts",
			    "database: %s takes away what older nodes use; stop those and run "
			    "`souk migrate --contract`",
			    migrations[n - 1].name);
		else if (migrations[n - 1].contracts)
			runs_from = n;
		err = apply(h, n, runs_from, s->distributed, f);
	}
	/* Its row changes with the tables', so it has to be known to the extension, too. */
	if (err == SOUK_OK && s->distributed && !s->there)
		err = exec(h, "SELECT citus_add_local_table_to_metadata('souk_schema')",
		    "distribute its tables", f);
	return err;
}

/* Is the extension there, and are the tables (to be) in shards? */
static enum souk_err
read_places(PGconn *h, struct pg_schema *s, bool distribute, struct fail *f)
{
	int n[1] = { 0 };
	enum souk_err err =
	    numbers(h, "SELECT count(*) FROM pg_extension WHERE extname = 'citus'", n, 1, f);

	s->extension = err == SOUK_OK && n[0] == 1;
	if (err == SOUK_OK && distribute && !s->extension)
		return fail_set(f, SOUK_E_INVALID, "no_extension",
		    "--distribute: the database has no extension citus; run CREATE EXTENSION citus "
		    "and add the workers first");
	if (err == SOUK_OK && distribute && s->there)
		return fail_set(f, SOUK_E_CONFLICT, "exists",
		    "--distribute: the database holds tables already; give an empty one");
	s->distributed = distribute;
	if (err != SOUK_OK || !s->extension || !s->there)
		return err;
	err = numbers(h,
	    "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = "
	    "to_regclass('contact_version')",
	    n, 1, f);
	s->distributed = err == SOUK_OK && n[0] == 1;
	return err;
}

enum souk_err
migrate_pg(const char *url, enum migrate_how how, bool distribute, struct fail *f)
{
	struct pg_schema s;
	PGconn *h;
	char lock[80];
	int others = 0;
	enum souk_err err = pg_connect(url, "souk migrate", PG_BULK_MS, &h, f);

	if (err != SOUK_OK)
		return err;
	(void)snprintf(lock, sizeof(lock), "SELECT pg_advisory_lock(%d)", MIGRATE_LOCK);
	if (how != MIGRATE_CHECK)
		err = exec(h, lock, "wait for another node's migration", f);
	if (err == SOUK_OK)
		err = read_schema(h, &s, &others, f);
	if (err == SOUK_OK)
		err = check(&s, others, how, f);
	if (err == SOUK_OK && (distribute || s.version < n_migrations) &&
	    (err = read_places(h, &s, distribute, f)) == SOUK_OK)
		err = forward(h, &s, how, f);
	PQfinish(h);
	return err;
}
