/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk migrate: moves the database's schema forward. A fleet moves in two steps: while older nodes
 * run, what they use stays; --contract takes it away once they have stopped.
 */
#include "base/json.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <sys/stat.h>

struct options {
	struct cli_common common;
	bool contract;
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == 'c') {
		o->contract = true;
		return 0;
	}
	return cli_common_option(&o->common, key, arg, state);
}

static void
print(const struct options *o, const struct db_migrated *m)
{
	struct buf b = { 0 };
	struct jw w;

	if (!o->common.json) {
		if (m->is == m->was)
			(void)printf("schema version %d: nothing was to be done\n", m->is);
		else
			(void)printf("schema version %d, was %d\n", m->is, m->was);
		if (m->waiting[0] != '\0')
			(void)printf("%s waits: when no node of an older souk runs any more, run "
				     "`souk migrate --data %s --contract`\n",
			    m->waiting, o->common.data);
		return;
	}
	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_int(&w, "was", m->was);
	jw_int(&w, "is", m->is);
	jw_int(&w, "knows", m->knows);
	jw_int(&w, "runsFrom", m->runs_from);
	if (m->waiting[0] != '\0')
		jw_c(&w, "waiting", m->waiting);
	jw_close(&w, '}');
	(void)puts(b.p != NULL ? b.p : "{}");
	buf_done(&b);
}

/* Holds the directory's lock when the database is in it: nobody else may use it meanwhile. */
static enum souk_err
move(const struct options *o, struct db_migrated *m, struct fail *f)
{
	struct config *config = NULL;
	char file[4096];
	const char *path;
	int lock = -1;
	enum souk_err r;

	if ((r = installation_config(o->common.data, &config, f)) != SOUK_OK ||
	    (r = installation_path(o->common.data, "souk.db", file, sizeof(file), f)) != SOUK_OK)
		goto out;
	path = installation_database(config, file);
	if (!db_is_url(path))
		r = installation_hold(o->common.data, &lock, f);
	if (r == SOUK_OK)
		r = db_migrate(path, o->contract, m, f);
out:
	installation_let_go(lock);
	config_free(config);
	return r;
}

int
cmd_migrate(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "contract", 'c', NULL, 0,
		    "Also take away what older nodes use; refused while one of them runs", 0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Moves the database's schema forward to this souk's, as far as nodes of an older "
		"souk can go on meanwhile. The embedded database is moved by every command that "
		"opens it, by this one too.\v"
		"Examples: souk migrate --data /etc/souk, then update the nodes one by one, then\n"
		"souk migrate --data /etc/souk --contract",
		NULL, NULL, NULL };
	struct options o = { 0 };
	struct db_migrated m = { 0 };
	struct stopwatch watch;
	struct fail f = { 0 };
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o.common, &o);
	stopwatch_begin(&watch, "migrating, seconds:");
	r = move(&o, &m, &f);
	stopwatch_end(&watch);
	if (r != SOUK_OK) {
		if (m.is != m.was)
			(void)fprintf(
			    stderr, "souk: schema version is now %d, was %d\n", m.is, m.was);
		return cli_fail(&f, r);
	}
	print(&o, &m);
	return CLI_DONE;
}
