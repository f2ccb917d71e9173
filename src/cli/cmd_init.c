/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk init: a new data directory with database, key ring and operator. Prints the
 * operator's sign-in token and access key once; only their hashes or seals are kept.
 */
#include "base/io.h"
#include "base/json.h"
#include "cli/cli.h"
#include "market/market.h"
#include "base/secret.h"
#include "market/tenant_make.h"

#include <sys/stat.h>
#include <unistd.h>

struct options {
	struct cli_common common;
	const char *name, *database;
	bool distribute;
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == 'n') {
		o->name = arg;
		return 0;
	}
	if (key == 'S') {
		o->distribute = true;
		return 0;
	}
	if (key == 'D') {
		o->database = arg;
		return 0;
	}
	return cli_common_option(&o->common, key, arg, state);
}

/* The operator's account, user and credentials, in one transaction. */
struct first_login {
	struct access *access;
	const char *name;
	struct account account;
	struct user user;
	struct new_key key;
	struct new_token token;
	struct fail fail;
};

static enum souk_err
make_operator(struct db_tx *tx, void *arg)
{
	struct first_login *l = arg;
	struct tenant_scope s = tenant_for_cli("init");
	enum souk_err r;

	l->account = (struct account){ .name = str_c(l->name),
		.country = STR("US"),
		.state = STR("active"),
		.is_operator = true };
	/* The first digit is 9 so that it is told from the accounts that operators like to number from 1. */
	l->account.id[0] = '9';
	random_text(l->account.id + 1, ACCOUNT_ID_LEN - 1, "0123456789");
	l->user = (struct user){ .name = STR("operator"), .state = STR("active") };
	memcpy(l->user.account_id, l->account.id, sizeof(l->user.account_id));
	if ((r = account_create(tx, &s, &l->account, &l->fail)) != SOUK_OK ||
	    (r = user_create(tx, &s, &l->user, &l->fail)) != SOUK_OK ||
	    (r = access_key_create(
		 tx, l->access, &s, &l->user.id, STR(""), NULL, &l->key, &l->fail)) != SOUK_OK)
		return r;
	return token_create(
	    tx, l->access, &s, &l->user.id, STR("init"), STR(""), 0, NULL, &l->token, &l->fail);
}

static void
print_login(const struct options *o, const struct first_login *l)
{
	struct buf b = { 0 };
	struct jw w;

	if (!o->common.json) {
		(void)printf("%s is ready in %s\n\n"
			     "operator account   %s\ntoken              %s\n"
			     "access key id      %s\nsecret access key  %s\n\n"
			     "These are shown once. Next: souk serve --data %s\n",
		    o->name, o->common.data, l->account.id, l->token.token, l->key.access_key_id,
		    l->key.secret, o->common.data);
		return;
	}
	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_c(&w, "data", o->common.data);
	jw_c(&w, "name", o->name);
	jw_open(&w, "operator", '{');
	jw_c(&w, "accountId", l->account.id);
	jw_guid(&w, "userId", &l->user.id);
	jw_c(&w, "token", l->token.token);
	jw_c(&w, "accessKeyId", l->key.access_key_id);
	jw_c(&w, "secretAccessKey", l->key.secret);
	jw_close(&w, '}');
	jw_close(&w, '}');
	(void)puts(b.p != NULL ? b.p : "{}");
	buf_done(&b);
}

/* souk.ini with every setting as a comment: what can be set is there to read. */
static enum souk_err
write_ini(const char *data, const char *database, struct fail *f)
{
	char path[4096];
	struct buf b = { 0 };
	enum souk_err r = installation_path(data, "souk.ini", path, sizeof(path), f);

	if (r != SOUK_OK || access(path, F_OK) == 0)
		return r;
	buf_add_c(&b,
	    "# Settings of this souk installation. `souk config show` prints what is in force.\n");
	for (enum setting_id id = 0; id < SET__COUNT; id++)
		if (id == SET_DATABASE && database)
			buf_printf(&b, "\n# %s\n%s = %s\n", setting_rows[id].help,
			    setting_rows[id].name, database);
		else
			buf_printf(&b, "\n# %s\n# %s = %s\n", setting_rows[id].help,
			    setting_rows[id].name, setting_rows[id].deflt);
	r = io_write_file(path, buf_str(&b), 0600, f);
	buf_done(&b);
	return r;
}

static enum souk_err
refuse_existing(const char *data, struct fail *f)
{
	static const char *const names[] = { "souk.db", "keyring.json" };
	char path[4096];
	enum souk_err r;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		r = installation_path(data, names[i], path, sizeof(path), f);
		if (r != SOUK_OK)
			return r;
		if (access(path, F_OK) == 0)
			return fail_set(f, SOUK_E_CONFLICT, "exists",
			    "--data: %s is there already; choose another directory (init never "
			    "overwrites)",
			    path);
	}
	return SOUK_OK;
}

/* A failed init takes its files away again, so that the next one does not find them. */
static void
take_back(const char *db_path, const char *ring, const char *ini)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char path[4200];

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", db_path, tails[i]);
		(void)unlink(path);
	}
	if (ring != NULL)
		(void)unlink(ring);
	if (ini != NULL)
		(void)unlink(ini);
}

/* A database on a server may hold a marketplace already. */
static enum souk_err
look_for_another(struct db_tx *tx, void *arg)
{
	struct buf kept = { 0 };

	(void)arg;
	return db_meta_get(tx, VAULT_FINGERPRINT_META, &kept) == SOUK_E_NOT_FOUND ? SOUK_OK
										  : SOUK_E_CONFLICT;
}

static enum souk_err
open_new(const struct options *o, const struct config *config, const char *file, struct db **ret,
    struct fail *f)
{
	struct db_options how = { .create = true, .distribute = o->distribute };
	enum souk_err r = installation_database_open(config, file, how, ret, f);

	if (r == SOUK_OK && db_is_shared(*ret) &&
	    (r = db_read(*ret, look_for_another, NULL)) == SOUK_E_CONFLICT)
		return fail_set(f, r, "exists",
		    "--database: holds a marketplace already; to serve it from one more node, copy "
		    "souk.ini and the key ring from a node's data directory");
	return r;
}

static enum souk_err
create(const struct options *o, struct first_login *l, struct fail *f)
{
	char db_path[4096], ring_path[4096], ini_path[4096];
	struct config *config = NULL;
	struct vault *vault = NULL;
	struct db *db = NULL;
	const char *ring = NULL, *ini = NULL; /* the ones made here */
	bool begun = false;
	enum souk_err r;

	if ((r = refuse_existing(o->common.data, f)) != SOUK_OK ||
	    (r = installation_path(o->common.data, "souk.ini", ini_path, sizeof(ini_path), f)) !=
		SOUK_OK ||
	    (r = installation_path(o->common.data, "souk.db", db_path, sizeof(db_path), f)) !=
		SOUK_OK ||
	    (r = installation_path(
		 o->common.data, "keyring.json", ring_path, sizeof(ring_path), f)) != SOUK_OK ||
	    (r = io_make_dir(o->common.data, 0700, f)) != SOUK_OK)
		goto out;
	/* One that was there stays as it is, also after a failure. */
	if (access(ini_path, F_OK) != 0)
		ini = ini_path;
	else if (o->database != NULL) {
		r = fail_set(f, SOUK_E_CONFLICT, "exists",
		    "--database: %s is there already; set `database` in it and leave the option "
		    "out",
		    ini_path);
		goto out;
	}
	begun = true;
	if ((r = write_ini(o->common.data, o->database, f)) != SOUK_OK ||
	    (r = installation_config(o->common.data, &config, f)) != SOUK_OK)
		goto out;
	if (config_text(config, SET_KEY_RING_COMMAND)[0] == '\0') {
		const char *set = config_text(config, SET_KEY_RING_FILE);

		if ((r = vault_ring_create(set[0] != '\0' ? set : ring_path, f)) != SOUK_OK)
			goto out;
		ring = set[0] != '\0' ? set : ring_path;
	}
	if ((r = vault_open(config, o->common.data, &vault, f)) != SOUK_OK ||
	    (r = open_new(o, config, db_path, &db, f)) != SOUK_OK ||
	    (r = access_new(db, vault, &l->access)) != SOUK_OK)
		goto out;
	if ((r = db_write(db, make_operator, l)) != SOUK_OK) {
		*f = l->fail;
		goto out;
	}
	/* Last: its absence tells that init did not finish. */
	r = installation_bind(db, vault, o->name, f);
out:
	access_free(l->access);
	db_close(db);
	vault_close(vault);
	if (r != SOUK_OK && begun)
		take_back(db_path, ring, ini);
	config_free(config);
	return r;
}

int
cmd_init(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "name", 'n', "NAME", 0, "Name of the marketplace (default: souk)", 0 },
		{ "database", 'D', "ADDRESS", 0,
		    "PostgreSQL database instead of the embedded one, as "
		    "postgresql://USER:PASSWORD@HOST/DATABASE; is kept in souk.ini",
		    0 },
		{ "distribute", 'S', NULL, 0,
		    "Puts the tables into shards by seller; the database has the Citus extension",
		    0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Makes a new data directory: database, key ring (mode 0600), operator. Prints the "
		"operator's "
		"sign-in token and access key once.\v"
		"Example: souk init --data /var/lib/souk --name 'Example marketplace'\n"
		"souk init --data /etc/souk --database postgresql://souk@db1,db2,db3/souk",
		NULL, NULL, NULL };
	struct options o = { .name = "souk" };
	struct first_login l = { 0 };
	struct fail f = { 0 };
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (o.name[0] == '\0')
		cli_usage("--name: is empty; give the marketplace a name");
	if (o.database != NULL && !db_is_url(o.database))
		cli_usage("--database: is no address; begin it with postgresql://");
	if (o.distribute && o.database == NULL)
		cli_usage("--distribute: needs a PostgreSQL database; give --database too");
	l.name = o.name;
	r = create(&o, &l, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	print_login(&o, &l);
	wipe(&l.key, sizeof(l.key));
	wipe(&l.token, sizeof(l.token));
	return CLI_DONE;
}
