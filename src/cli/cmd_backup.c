/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk backup: a copy of database and objects while souk runs, into a new directory that
 * `souk serve` can be pointed at. The key ring is left out unless asked for: a backup
 * that holds its own keys protects nothing.
 *
 * Sealed files never change once written. So objects are copied before and after the
 * database: whatever the copied database names was there at one of the two times.
 */
#include "base/io.h"
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	struct cli_common common;
	const char *output;
	bool with_ring;
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case 'k':
		o->with_ring = true;
		return 0;
	case ARGP_KEY_END:
		if (o->output == NULL)
			cli_usage("--output: is missing; give a directory that does not exist yet");
		return 0;
	default:
		return cli_common_option(&o->common, key, arg, state);
	}
}

/*
 * Copies a file that may vanish meanwhile (then it is not needed), into a new one: what
 * stands there already may be somebody else's, or a link. Synced.
 */
static enum souk_err
copy_file(const char *from, const char *to, struct fail *f)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	enum souk_err r = SOUK_OK;
	ssize_t n;

	if (in < 0)
		return errno == ENOENT
			   ? SOUK_OK
			   : fail_set(f, SOUK_E_STORAGE, "read", "%s cannot be read", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		r = fail_set(f, SOUK_E_STORAGE, "write", "%s cannot be written", to);
	while (r == SOUK_OK && (n = read(in, block, sizeof(block))) != 0) {
		if (n < 0)
			r = fail_set(f, SOUK_E_STORAGE, "read", "%s cannot be read", from);
		else if (io_write_all(out, block, (size_t)n) != SOUK_OK)
			r = fail_set(f, SOUK_E_STORAGE, "write",
			    "%s cannot be written: is the disk full?", to);
	}
	if (r == SOUK_OK && fsync(out) != 0)
		r = fail_set(
		    f, SOUK_E_STORAGE, "write", "%s cannot be written: is the disk full?", to);
	(void)close(in);
	if (out >= 0)
		(void)close(out);
	return r;
}

/* Was it copied whole? It may still have been written to the first time. */
static bool
is_copied(const char *from, const char *to)
{
	struct stat a, b;

	return stat(from, &a) == 0 && stat(to, &b) == 0 && a.st_size == b.st_size;
}

/* Copies what is in `from` and not yet in `to`, one level of directories deep (objects/ab/GUID). */
static enum souk_err
copy_tree(const char *from, const char *to, int depth, struct fail *f)
{
	DIR *dir = opendir(from);
	struct dirent *e;
	enum souk_err r = io_make_dir(to, 0700, f);

	if (dir == NULL)
		return r; /* nothing was ever stored */
	while (r == SOUK_OK && (e = readdir(dir)) != NULL) {
		char *source = NULL, *target = NULL;

		if (e->d_name[0] == '.')
			continue;
		if (asprintf(&source, "%s/%s", from, e->d_name) < 0 ||
		    asprintf(&target, "%s/%s", to, e->d_name) < 0)
			r = fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
		else if (depth > 0)
			r = copy_tree(source, target, depth - 1, f);
		else if (!is_copied(source, target)) {
			(void)unlink(target);
			r = copy_file(source, target, f);
		}
		free(source);
		free(target);
	}
	(void)closedir(dir);
	return r == SOUK_OK ? io_sync_dir(to) : r;
}

static enum souk_err
copy_named(const struct installation *in, const char *to, const char *name, struct fail *f)
{
	char source[4096], target[4096];
	enum souk_err r;

	if ((r = installation_path(in->data_dir, name, source, sizeof(source), f)) != SOUK_OK ||
	    (r = installation_path(to, name, target, sizeof(target), f)) != SOUK_OK)
		return r;
	return copy_file(source, target, f);
}

static enum souk_err
copy_ring(const struct installation *in, const char *to, struct fail *f)
{
	const char *set = config_text(in->config, SET_KEY_RING_FILE);
	char source[4096], target[4096];
	enum souk_err r;

	if ((r = installation_path(in->data_dir, "keyring.json", source, sizeof(source), f)) !=
		SOUK_OK ||
	    (r = installation_path(to, "keyring.json", target, sizeof(target), f)) != SOUK_OK)
		return r;
	return copy_file(set[0] != '\0' ? set : source, target, f);
}

static enum souk_err
backup(struct installation *in, const struct options *o, const char *part, struct fail *f)
{
	char from[4096], to[4096], db[4096];
	enum souk_err r;

	if ((r = installation_path(in->data_dir, "objects", from, sizeof(from), f)) != SOUK_OK ||
	    (r = installation_path(part, "objects", to, sizeof(to), f)) != SOUK_OK ||
	    (r = installation_path(part, "souk.db", db, sizeof(db), f)) != SOUK_OK ||
	    (r = io_make_dir(part, 0700, f)) != SOUK_OK ||
	    (r = copy_tree(from, to, 1, f)) != SOUK_OK ||
	    (r = db_backup(in->db, db, f)) != SOUK_OK ||
	    (r = copy_tree(from, to, 1, f)) != SOUK_OK ||
	    (r = copy_named(in, part, "souk.ini", f)) != SOUK_OK)
		return r;
	if (o->with_ring && (r = copy_ring(in, part, f)) != SOUK_OK)
		return r;
	if (io_sync_dir(part) != SOUK_OK || rename(part, o->output) != 0)
		return fail_set(f, SOUK_E_STORAGE, "write", "%s cannot be put in place (%s)",
		    o->output, strerrordesc_np(errno));
	return SOUK_OK;
}

/* Where the copy goes, without slashes behind, and where it is made. Neither may be there. */
static bool
name_output(struct options *o, char output[], char part[], size_t size, int *ret_exit)
{
	size_t n = strlen(o->output);

	while (n > 1 && o->output[n - 1] == '/')
		n--;
	if (n + sizeof(".part") > size)
		cli_usage("--output: is too long a path; use a shorter one");
	(void)snprintf(output, size, "%.*s", (int)n, o->output);
	(void)snprintf(part, size, "%.*s.part", (int)n, o->output);
	o->output = output;
	if (access(output, F_OK) != 0 && access(part, F_OK) != 0)
		return true;
	(void)fprintf(stderr, "souk: --output: %s is there already; %s\n",
	    access(output, F_OK) == 0 ? output : part,
	    access(output, F_OK) == 0 ? "give a directory that does not exist yet"
				      : "remove it when no other backup is at work");
	*ret_exit = CLI_REFUSED;
	return false;
}

int
cmd_backup(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "output", 'o', "DIR", 0, "A directory that does not exist yet", 0 },
		{ "with-key-ring", 'k', NULL, 0,
		    "Copy the key ring too: then keep the backup as safe as the keys", 0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Copies database and objects while souk runs. To restore: put the key ring into "
		"the copy as "
		"keyring.json (mode 0600) and serve it.\v"
		"Example: souk backup --data ./data --output /backup/souk-2026-01-31",
		NULL, NULL, NULL };
	struct options o = { 0 };
	struct installation in;
	struct stopwatch watch;
	struct fail f = { 0 };
	char part[4096], output[4096];
	enum souk_err r;
	int code = CLI_DONE;
	bool far;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (!name_output(&o, output, part, sizeof(part), &code) ||
	    !cli_open(&o.common, false, &in, &code))
		return code;
	stopwatch_begin(&watch, "copying, seconds:");
	r = backup(&in, &o, part, &f);
	stopwatch_end(&watch);
	far = object_store_remote(in.objects);
	installation_close(&in);
	if (r != SOUK_OK) {
		code = cli_fail(&f, r);
		(void)fprintf(
		    stderr, "souk: %s: holds what was copied until then; remove it\n", part);
	} else if (!o.common.json) {
		(void)printf("%s holds database and %s%s\n", o.output,
		    far ? "settings; the objects stay in their bucket" : "objects",
		    o.with_ring ? " and the key ring" : "; the key ring is not in it");
	} else {
		(void)printf("{\"keyRing\":%s}\n", o.with_ring ? "true" : "false");
	}
	return code;
}
