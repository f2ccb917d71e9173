/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the subcommands share: exit codes, how errors look, opening a data directory,
 * progress. The contract of design 6: errors on stderr as `souk: FIELD: what is wrong;
 * how to fix it`, exit 0 done, 1 findings or refused, 2 wrong usage, 3 failed.
 */
#ifndef SOUK_CLI_CLI_H
#define SOUK_CLI_CLI_H

#include "server/installation.h"

#include <argp.h>
#include <pthread.h>
#include <stdio.h>

enum cli_exit { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2, CLI_FAILED = 3 };

struct command {
	const char *name; /* "serve"; two words: "audit verify" */
	const char *help; /* one line of the overview */
	int (*run)(int argc, char **argv);
};

int cmd_init(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_export_contacts(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_report_diff(int argc, char **argv);
int cmd_report_explain(int argc, char **argv);
int cmd_report_list(int argc, char **argv);
int cmd_audit_verify(int argc, char **argv);
int cmd_keys_rotate(int argc, char **argv);
int cmd_mail_bounce(int argc, char **argv);
int cmd_mail_status(int argc, char **argv);
int cmd_nodes(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_copy(int argc, char **argv);
int cmd_config_show(int argc, char **argv);
int cmd_feeds_check(int argc, char **argv);
int cmd_feeds_make(int argc, char **argv);
int cmd_commissions(int argc, char **argv);
int cmd_review(int argc, char **argv);
int cmd_reviews(int argc, char **argv);

/* Prints "souk: ..." for each offending field, or the sentence; returns the exit code for it. */
int cli_fail(const struct fail *f, enum souk_err err);
/* The same for a fault that has no words yet. */
int cli_fail_plain(enum souk_err err, const char *doing);

/* Says what is wrong with the command line, "FIELD: what; fix", and exits 2. */
_Noreturn void cli_usage(const char *fmt, ...) SOUK_PRINTF(1, 2);
/* Before the program ends with `code`: was all that it printed written? Logins are shown only once. */
int cli_finish(int code);

/*
 * Options every command on a data directory has. Put CLI_COMMON_OPTIONS first in the
 * option table and pass what is not yours to cli_common_option.
 */
struct cli_common {
	const char *data; /* --data DIR, else SOUK_DATA */
	bool json;        /* --json */
	bool optional;    /* set by a command that can do without --data */
};
#define CLI_OPT_JSON 0x101
#define CLI_OPT_USAGE 0x102
#define CLI_COMMON_OPTIONS                                                                         \
	{ "help", '?', NULL, 0, "Print this", -1 },                                                \
	    { "usage", CLI_OPT_USAGE, NULL, 0, "Print the options only", 0 },                      \
	    { "version", 'V', NULL, 0, "Print the version", 0 },                                   \
	    { "data", 'd', "DIR", 0, "The data directory (default: the environment's SOUK_DATA)",  \
		    1 },                                                                           \
	{                                                                                          \
		"json", CLI_OPT_JSON, NULL, 0, "Print JSON, for scripts", 0                        \
	}
error_t cli_common_option(struct cli_common *c, int key, char *arg, struct argp_state *state);
/* A whole argp parser for commands that have no options of their own; the input is their cli_common. */
error_t cli_only_common(int key, char *arg, struct argp_state *state);
/* Parses; prints usage mistakes and exits 2 itself. --data must have been given unless it is optional. */
void cli_parse(const struct argp *argp, int argc, char **argv, struct cli_common *c, void *input);

/* Opens --data; on failure prints why and sets *ret_exit. */
SOUK_MUST bool cli_open(
    const struct cli_common *c, bool exclusive, struct installation *ret, int *ret_exit);

/* A progress bar on a terminal, for work over a second; silent elsewhere. */
struct progress {
	const char *what;
	int64_t total; /* 0: unknown */
	uint64_t began, shown;
	bool visible;
};
void progress_begin(struct progress *p, const char *what, int64_t total);
void progress_update(struct progress *p, int64_t done);
void progress_end(struct progress *p);

/* The same for work that cannot tell how far it is: seconds, counted by a thread of its own. */
struct stopwatch {
	struct progress progress;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool running, stop;
};
void stopwatch_begin(struct stopwatch *w, const char *what);
void stopwatch_end(struct stopwatch *w);

#endif
