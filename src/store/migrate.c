/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema versions. user_version of the file is the number of the last migration applied,
 * application_id says that the file is souk's; both change inside the migration's own
 * transaction, so a crash leaves a whole version.
 *
 * The danger: touching a file that is somebody else's, or newer than this program.
 */
#include "store/migrate.h"

#include <stdio.h>

#define APPLICATION_ID 1936684395 /* "souk" */

int
db_schema_version(void)
{
	return n_migrations;
}

/* Marks the file with its version; the pragmas take no parameters, the number is ours. */
static enum souk_err
set_version(struct conn *c, int version)
{
	char sql[96];

	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    APPLICATION_ID, version);
	return conn_exec(c, sql);
}

/* Applies number `n` unless somebody else did so in the meantime. */
static enum souk_err
apply_one(struct conn *c, int n)
{
	struct buf sql = { 0 };
	int64_t is = 0;
	enum souk_err err = dialect_text(DIALECT_SQLITE, migrations[n - 1].sql, &sql);

	if (err != SOUK_OK || (err = conn_begin(c, true)) != SOUK_OK)
		goto out;
	if ((err = conn_number(c, "PRAGMA user_version", &is)) == SOUK_OK && is < n &&
	    (err = conn_exec(c, sql.p)) == SOUK_OK)
		err = set_version(c, n);
	if (err == SOUK_OK)
		err = conn_commit(c);
	else
		conn_rollback(c);
out:
	buf_done(&sql);
	return err;
}

struct identity {
	int64_t application, version, objects;
	int64_t figures; /* tables of them: none or one */
};

static enum souk_err
read_identity(struct conn *c, struct identity *ret)
{
	enum souk_err err;

	if ((err = conn_number(c, "PRAGMA application_id", &ret->application)) != SOUK_OK ||
	    (err = conn_number(c, "PRAGMA user_version", &ret->version)) != SOUK_OK)
		return err;
	if ((err = conn_number(c, "SELECT count(*) FROM sqlite_schema", &ret->objects)) != SOUK_OK)
		return err;
	return conn_number(
	    c, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'", &ret->figures);
}

/* Refuses what is not ours to open. */
static enum souk_err
check_identity(const struct identity *id, const char *path, bool create, struct fail *f)
{
	bool empty = id->version == 0 && id->objects == 0;

	if (id->application != APPLICATION_ID && !(empty && id->application == 0))
		return fail_set(f, SOUK_E_CONFLICT, "not_a_souk_database",
		    "%s: is a database of another program; give souk a directory of its own", path);
	if (empty && !create)
		return fail_set(f, SOUK_E_CONFLICT, "database_empty",
		    "%s: holds no data: an interrupted `souk init`; remove the directory and run "
		    "it again",
		    path);
	if (id->version > n_migrations)
		return fail_set(f, SOUK_E_CONFLICT, "database_newer",
		    "%s: has schema version %lld, this souk knows versions up to %d; run a newer "
		    "souk, "
		    "or restore a backup made by this one",
		    path, (long long)id->version, n_migrations);
	return SOUK_OK;
}

static enum souk_err
words(struct conn *c, enum souk_err err, const char *path, const char *doing, struct fail *f)
{
	if (err == SOUK_E_STORAGE)
		return fail_set(f, err, "database_damaged",
		    "%s: cannot %s: %s; make room on the disk, or restore a backup if it is "
		    "damaged",
		    path, doing, conn_message(c));
	return fail_set(f, err, "database_failed", "%s: cannot %s: %s", path, doing,
	    conn_message(c)[0] ? conn_message(c) : souk_err_word(err));
}

enum souk_err
migrate(struct conn *c, const char *path, bool create, struct fail *f)
{
	struct identity id = { 0 };
	char step[80];
	enum souk_err err = read_identity(c, &id);

	if (err != SOUK_OK)
		return words(c, err, path, "read it as a database", f);
	if ((err = check_identity(&id, path, create, f)) != SOUK_OK)
		return err;
	if ((err = conn_prepare_file(c)) != SOUK_OK)
		return words(c, err, path, "set it up", f);
	for (int n = (int)id.version + 1; n <= n_migrations; n++)
		if ((err = apply_one(c, n)) != SOUK_OK) {
			(void)snprintf(step, sizeof(step), "apply %s", migrations[n - 1].name);
			return words(c, err, path, step, f);
		}
	/* Also when a process stopped between its last migration and this. */
	if ((id.version < n_migrations || !id.figures) && (err = conn_set_figures(c)) != SOUK_OK)
		return words(c, err, path, "set its planner up", f);
	return SOUK_OK;
}

static enum souk_err
migrate_file(const char *path, struct db_migrated *ret, struct fail *f)
{
	struct conn *c = NULL;
	struct identity id = { 0 };
	enum souk_err err;

	*ret = (struct db_migrated){ .knows = n_migrations };
	if ((err = conn_open(&(struct conn_options){ .path = path, .use = CONN_BULK }, &c, f)) !=
	    SOUK_OK)
		return err;
	if (read_identity(c, &id) == SOUK_OK)
		ret->was = ret->is = (int)id.version;
	if ((err = migrate(c, path, false, f)) == SOUK_OK)
		ret->is = ret->runs_from = n_migrations;
	else if (read_identity(c, &id) == SOUK_OK)
		ret->is = (int)id.version;
	conn_close(c);
	return err;
}

enum souk_err
db_migrate(const char *path, bool contract, struct db_migrated *ret, struct fail *f)
{
	if (!db_is_url(path))
		return migrate_file(path, ret, f);
	return migrate_pg_list(
	    path, contract ? MIGRATE_CONTRACT : MIGRATE_EXPAND, migrations, n_migrations, ret, f);
}
