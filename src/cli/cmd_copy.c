/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk copy: moves an installation from the embedded database to PostgreSQL, or back, and its objects to the
 * S3 store that its settings name. The data directory keeps its key ring; its settings name the new database only when
 * everything is there.
 *
 * The danger: two databases that both look like the marketplace. So the source is held until the end, and a copy that is
 * not finished holds nothing that `souk serve` would take for an installation.
 */
#include "base/io.h"
#include "base/json.h"
#include "cli/cli.h"
#include "delivery/object.h"
#include "store/db_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_PREFIX "sqlite:"

struct options {
	struct cli_common common;
	const char *from, *to;
	bool use, distribute, objects;
};

struct copied {
	struct db_copied rows;
	struct objects_move objects;
	bool has_rows, has_objects; /* they were to be copied */
};

/* One side: an address, or a data directory with the file in it. */
struct place {
	const char *dir; /* NULL: an address */
	char path[4096], part[4096];
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'f':
		o->from = arg;
		return 0;
	case 't':
		o->to = arg;
		return 0;
	case 'c':
		o->distribute = true;
		return 0;
	case 'o':
		o->objects = true;
		return 0;
	case 'u':
		o->use = true;
		return 0;
	default:
		return cli_common_option(&o->common, key, arg, state);
	}
}

static enum souk_err
place_of(const char *option_name, const char *word, struct place *ret, struct fail *f)
{
	size_t n = strlen(FILE_PREFIX);
	enum souk_err r;

	*ret = (struct place){ .dir = NULL };
	if (db_is_url(word)) {
		if (strlen(word) >= sizeof(ret->path))
			return fail_field(f, option_name, "is too long", "shorten it");
		(void)snprintf(ret->path, sizeof(ret->path), "%s", word);
		return SOUK_OK;
	}
	if (strncmp(word, FILE_PREFIX, n) != 0 || word[n] == '\0')
		return fail_field(f, option_name, "is neither a database's address nor a file's",
		    "write postgresql://... or sqlite:DIR, DIR being a data directory");
	ret->dir = word + n;
	if ((r = installation_path(ret->dir, "souk.db", ret->path, sizeof(ret->path), f)) !=
	    SOUK_OK)
		return r;
	return installation_path(ret->dir, "souk.db.part", ret->part, sizeof(ret->part), f);
}

/* What --data stands for: the database that its settings name. */
static enum souk_err
source_of(const struct options *o, struct place *ret, struct fail *f)
{
	struct config *config = NULL;
	const char *set;
	enum souk_err r;

	if (o->from != NULL)
		return place_of("--from", o->from, ret, f);
	*ret = (struct place){ .dir = o->common.data };
	if ((r = installation_config(o->common.data, &config, f)) != SOUK_OK ||
	    (r = installation_path(o->common.data, "souk.db", ret->path, sizeof(ret->path), f)) !=
		SOUK_OK)
		goto out;
	set = installation_database(config, ret->path);
	if (set != ret->path)
		r = place_of("database", set, ret, f);
out:
	config_free(config);
	return r;
}

static enum souk_err
check_source(const struct place *from, struct fail *f)
{
	if (from->dir != NULL && access(from->path, F_OK) != 0)
		return fail_set(f, SOUK_E_NOT_FOUND, "no_installation",
		    "--from: %s is not there; name a data directory that holds a souk database",
		    from->path);
	return SOUK_OK;
}

/* A copy into a directory is made beside its place; one that was not finished is made anew. */
static enum souk_err
ready_target(const struct place *to, struct fail *f)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char path[4200];
	enum souk_err r;

	if (to->dir == NULL)
		return SOUK_OK;
	if ((r = io_make_dir(to->dir, 0700, f)) != SOUK_OK)
		return r;
	if (access(to->path, F_OK) == 0)
		return fail_set(f, SOUK_E_CONFLICT, "target_not_empty",
		    "--to: %s is there already; give a directory without one", to->path);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", to->part, tails[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return fail_set(f, SOUK_E_STORAGE, "write",
			    "--to: %s cannot be removed (%s)", path, strerrordesc_np(errno));
	}
	return SOUK_OK;
}

static enum souk_err
put_in_place(const struct place *to, struct fail *f)
{
	if (to->dir == NULL)
		return SOUK_OK;
	if (rename(to->part, to->path) != 0 || io_sync_dir(to->dir) != SOUK_OK)
		return fail_set(f, SOUK_E_STORAGE, "write", "--to: %s cannot be put in place (%s)",
		    to->path, strerrordesc_np(errno));
	return SOUK_OK;
}

/* ---- settings ---- */

/* A line that sets `database`, with or without a value. */
static bool
sets_database(struct str line)
{
	const char *name = setting_rows[SET_DATABASE].name;
	size_t at = 0, n = strlen(name);

	while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
		at++;
	if (line.n - at < n || memcmp(line.p + at, name, n) != 0)
		return false;
	for (at += n; at < line.n && (line.p[at] == ' ' || line.p[at] == '\t');)
		at++;
	return at < line.n && line.p[at] == '=';
}

/* souk.ini with the new database; `url` NULL: the embedded one. Lines that set another are put aside. */
static enum souk_err
write_setting(const char *data, const char *url, struct fail *f)
{
	char path[4096];
	struct buf in = { 0 }, out = { 0 };
	struct str rest, line;
	enum souk_err r = installation_path(data, "souk.ini", path, sizeof(path), f);

	if (r == SOUK_OK && access(path, F_OK) == 0)
		r = io_read_file(path, 1 << 20, &in, f);
	if (r != SOUK_OK)
		goto out;
	rest = buf_str(&in);
	while (rest.n > 0 && str_split(&rest, '\n', &line)) {
		buf_add_c(&out, sets_database(line) ? "# before `souk copy`: " : "");
		buf_add_str(&out, line);
		buf_add_char(&out, '\n');
	}
	if (url != NULL)
		buf_printf(&out, "\n# The copy made by `souk copy`.\n%s = %s\n",
		    setting_rows[SET_DATABASE].name, url);
	r = buf_ok(&out) ? io_write_file(path, buf_str(&out), 0600, f) : SOUK_E_NOMEM;
out:
	buf_done(&in);
	buf_done(&out);
	return r;
}

/* ---- the command ---- */

static void
told(void *arg, const char *doing, int64_t done, int64_t total)
{
	struct progress *p = arg;

	p->what = doing;
	p->total = total;
	progress_update(p, done);
}

/* ---- objects ---- */

static void
lost(void *arg, const char *file, struct str bucket, const char *why)
{
	struct progress *p = arg;

	progress_end(p);
	(void)fprintf(stderr,
	    "souk: %s: %s (an object in bucket %.*s); bring the file back from a backup, or delete "
	    "the "
	    "object, then run it again\n",
	    file, why, (int)bucket.n, bucket.p);
}

static void
told_objects(void *arg, int64_t done)
{
	progress_update(arg, done);
}

static enum souk_err
move_objects(
    const struct options *o, struct installation *in, struct objects_move *m, struct fail *f)
{
	struct progress p;
	enum souk_err r;

	*m = (struct objects_move){ .lost = lost, .told = told_objects, .arg = &p };
	progress_begin(&p, "objects", 0);
	if ((r = object_store_probe(in->objects, f)) == SOUK_OK)
		r = objects_move_in(in->objects, o->common.data, m, f);
	progress_end(&p);
	if (r == SOUK_OK && m->n_lost > 0)
		r = fail_set(f, SOUK_E_CONFLICT, "objects_lost",
		    "objects: %lld of them are missing or damaged and were not copied; nothing "
		    "else was "
		    "done",
		    (long long)m->n_lost);
	return r;
}

/*
 * Before the database: what is lost is to be mended where it is, and a database that was copied is not copied
 * again. Without being asked when the settings say where objects are and --data is what is copied.
 */
static enum souk_err
copy_objects(const struct options *o, const struct place *from, struct copied *ret, struct fail *f)
{
	struct config *config = NULL;
	struct installation in;
	enum souk_err r;

	if (!o->objects && (o->from != NULL || from->dir == NULL))
		return SOUK_OK;
	if ((r = installation_config(o->common.data, &config, f)) != SOUK_OK)
		return r;
	if (!o->objects && strcmp(config_text(config, SET_OBJECT_HOME), "s3") != 0) {
		config_free(config);
		return SOUK_OK;
	}
	if ((r = installation_open(o->common.data, config, false, &in, f)) != SOUK_OK)
		return r;
	ret->has_objects = true;
	r = move_objects(o, &in, &ret->objects, f);
	installation_close(&in);
	return r;
}

/* ---- all of it ---- */

static enum souk_err
copy_database(const struct options *o, const struct place *from, const struct place *to,
    struct copied *ret, struct fail *f)
{
	struct progress p;
	struct db_copy_options c = { .from = from->path,
		.to = to->dir != NULL ? to->part : to->path,
		.distribute = o->distribute,
		.told = told,
		.arg = &p };
	enum souk_err r;

	if (o->to == NULL)
		return SOUK_OK;
	if (from->dir == NULL && (r = ready_target(to, f)) != SOUK_OK)
		return r;
	progress_begin(&p, "copying", 0);
	r = db_copy(&c, &ret->rows, f);
	progress_end(&p);
	ret->has_rows = r == SOUK_OK;
	if (r == SOUK_OK)
		r = put_in_place(to, f);
	if (r == SOUK_OK && o->use)
		r = write_setting(o->common.data, to->dir != NULL ? NULL : to->path, f);
	return r;
}

static enum souk_err
copy(const struct options *o, const struct place *from, const struct place *to, struct copied *ret,
    struct fail *f)
{
	int lock = -1;
	enum souk_err r = check_source(from, f);

	if (r == SOUK_OK && from->dir != NULL)
		r = installation_hold(from->dir, &lock, f);
	if (r == SOUK_OK)
		r = copy_objects(o, from, ret, f);
	if (r == SOUK_OK)
		r = copy_database(o, from, to, ret, f);
	installation_let_go(lock);
	return r;
}

static void
print_json(const struct options *o, const struct copied *c)
{
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	if (c->has_objects) {
		jw_open(&w, "objects", '{');
		jw_int(&w, "copied", c->objects.copied);
		jw_int(&w, "there", c->objects.there);
		jw_int(&w, "bytes", c->objects.bytes);
		jw_close(&w, '}');
	}
	if (c->has_rows) {
		jw_int(&w, "tables", c->rows.tables);
		jw_int(&w, "rows", c->rows.rows);
		jw_bool(&w, "inUse", o->use);
	}
	jw_close(&w, '}');
	(void)puts(b.p != NULL ? b.p : "{}");
	buf_done(&b);
}

static void
print(const struct options *o, const struct place *to, const struct copied *c)
{
	const char *what = to->dir != NULL ? "Leave `database` out of" : "Set `database` in";

	if (o->common.json) {
		print_json(o, c);
		return;
	}
	if (c->has_objects)
		(void)printf("%lld objects (%lld bytes) are copied to the store, %lld were there, "
			     "and each was read there and compared\n",
		    (long long)c->objects.copied, (long long)c->objects.bytes,
		    (long long)c->objects.there);
	if (!c->has_rows)
		return;
	(void)printf("%lld rows of %lld tables are copied, and each was compared\n",
	    (long long)c->rows.rows, (long long)c->rows.tables);
	if (o->use)
		(void)printf(
		    "%s/souk.ini names the copy: the next `souk serve` uses it\n", o->common.data);
	else
		(void)printf("%s souk.ini of the data directory that shall use it\n", what);
	(void)printf("%s not in the database: %s in the data directory (%s). Keep the old database "
		     "until you are sure, then remove it.\n",
	    c->has_objects ? "The key ring is" : "Key ring and objects are",
	    c->has_objects ? "it stays" : "they stay",
	    c->has_objects ? "keyring.json" : "keyring.json, objects/");
}

static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
	{ "from", 'f', "PLACE", 0,
	    "The database to copy, sqlite:DIR or postgresql://... (default: that of --data)", 0 },
	{ "to", 't', "PLACE", 0, "A database that holds no data yet, of the other kind", 0 },
	{ "distribute", 'c', NULL, 0,
	    "Lay the new tables out by seller over the nodes of a Citus cluster", 0 },
	{ "objects", 'o', NULL, 0,
	    "Copy the objects in --data to the S3 store of its settings (object.home = s3); goes "
	    "with "
	    "the database by itself, and alone without --to",
	    0 },
	{ "use", 'u', NULL, 0, "When all is there, name the copy in the souk.ini of --data", 0 },
	{ 0 } };

int
cmd_copy(int argc, char **argv)
{
	static const struct argp argp = { options, option, NULL,
		"Copies an installation's database from the embedded one to PostgreSQL, or back, "
		"and compares every row before it counts. When the settings say object.home = s3, "
		"the "
		"objects' files go to that store first. Stop `souk serve` first.\v"
		"Examples: souk copy --data /var/lib/souk --to postgresql://souk@db1/souk --use\n"
		"souk copy --from sqlite:/var/lib/souk --to postgresql://souk@db1/souk",
		NULL, NULL, NULL };
	struct options o = { .common = { .optional = true } };
	struct place from, to = { .dir = NULL };
	struct copied done = { .has_rows = false };
	struct fail f = { 0 };
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (o.to == NULL && !o.objects)
		cli_usage("--to: is missing; say where, as in --to postgresql://souk@db1/souk");
	if (o.from == NULL && o.common.data == NULL)
		cli_usage("--from: is missing, and so is --data; say what to copy, as in --from "
			  "sqlite:/var/lib/souk");
	if (o.use && o.common.data == NULL)
		cli_usage("--use: needs --data; say which settings shall name the copy");
	if (o.objects && (o.from != NULL || o.common.data == NULL))
		cli_usage(
		    "--objects: is for the objects of --data; give that, and leave --from out");
	if ((r = source_of(&o, &from, &f)) == SOUK_OK && o.to != NULL)
		r = place_of("--to", o.to, &to, &f);
	if (r == SOUK_OK)
		r = copy(&o, &from, &to, &done, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	print(&o, &to, &done);
	return CLI_DONE;
}
