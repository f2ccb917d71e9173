/* SPDX-License-Identifier: Apache-2.0 */
/* souk: finds the subcommand and runs it. */
#include "base/log.h"
#include "base/secret.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "souk " SOUK_VERSION;

static const struct command commands[] = {
	{ "init", "make a data directory: database, key ring, operator", cmd_init },
	{ "serve", "serve the marketplace: REST, AWS APIs, S3, notifications", cmd_serve },
	{ "demo", "fill a data directory with a made-up marketplace", cmd_demo },
	{ "import", "take in accounts, products, offers, subscriptions, contacts", cmd_import },
	{ "export contacts", "write a seller's support contact file", cmd_export_contacts },
	/* Longer names before shorter ones that begin like them. */
	{ "report list", "list the data sets, their columns and whether feeds suffice",
	    cmd_report_list },
	{ "report explain", "print the billing events behind a line", cmd_report_explain },
	{ "report diff", "compare a data set as known at two instants, with reasons",
	    cmd_report_diff },
	{ "report", "make a data set of a folder of data feeds", cmd_report },
	{ "audit verify", "check that no audit entry was changed, removed or reordered",
	    cmd_audit_verify },
	{ "keys rotate", "seal everything with a new master key, drop the old one",
	    cmd_keys_rotate },
	{ "reviews", "tell how kept listings stand, or what another edition would do",
	    cmd_reviews },
	{ "mail bounce", "record a delivery report that a mail server pipes", cmd_mail_bounce },
	{ "mail status", "say how the mail fares", cmd_mail_status },
	{ "nodes", "list the processes that serve this installation", cmd_nodes },
	{ "backup", "copy database and objects while souk runs", cmd_backup },
	{ "migrate", "move the database's schema forward, a fleet's while it runs", cmd_migrate },
	{ "copy", "move an installation to PostgreSQL or back, verified row by row", cmd_copy },
	{ "commissions", "pay sales people from data feeds by a plan", cmd_commissions },
	{ "review", "review professional services listings by the marketplace's rules",
	    cmd_review },
	{ "config show", "print every setting, its value and where it comes from",
	    cmd_config_show },
	{ "feeds check", "check data feeds: files, rows, ids, amounts", cmd_feeds_check },
	{ "feeds make", "write a made-up seller's data feeds", cmd_feeds_make },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
overview(FILE *out)
{
	(void)fprintf(out, "Usage: souk COMMAND [OPTION...]\n\n"
			   "The open seller data desk of a software marketplace.\n\nCommands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		(void)fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].help);
	(void)fprintf(out,
	    "\n`souk COMMAND --help` explains one, with an example. Exit status: 0 done, "
	    "1 findings or refused, 2 wrong usage, 3 failed.\n");
}

/* How many of argv's words, from 1, spell the command; 0 when they do not. */
static int
words_matching(const struct command *c, int argc, char **argv)
{
	const char *space = strchr(c->name, ' ');
	size_t first = space != NULL ? (size_t)(space - c->name) : strlen(c->name);

	if (argc < 2 || strlen(argv[1]) != first || strncmp(argv[1], c->name, first) != 0)
		return 0;
	if (space == NULL)
		return 1;
	return argc > 2 && strcmp(argv[2], space + 1) == 0 ? 2 : 0;
}

/* argp prints argv[0] in its messages: give it the whole name, as in "souk audit verify". */
static int
run_command(const struct command *c, int words, int argc, char **argv)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "souk %s", c->name);
	argv[words] = name;
	return c->run(argc - words, argv + words);
}

/* No command: perhaps the first word of one with two. */
static _Noreturn void
unknown(const char *word)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const char *space = strchr(commands[i].name, ' ');

		if (space != NULL && strncmp(commands[i].name, word, strlen(word)) == 0 &&
		    commands[i].name + strlen(word) == space)
			cli_usage("COMMAND: `%s` needs a second word; write `souk %s`", word,
			    commands[i].name);
	}
	cli_usage("COMMAND: `%s` is none; `souk --help` lists them", word);
}

static bool
is_word(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

int
main(int argc, char **argv)
{
	if (secret_process_init() != SOUK_OK) {
		(void)fprintf(stderr, "souk: the random number generator cannot be used\n");
		return CLI_FAILED;
	}
	log_setup(LOG_WARN, 0);
	if (argc < 2) {
		overview(stderr);
		return CLI_USAGE;
	}
	if (is_word(argv[1], "--help", "help") || is_word(argv[1], "-?", "-h")) {
		overview(stdout);
		return cli_finish(CLI_DONE);
	}
	if (is_word(argv[1], "--version", "-V")) {
		(void)printf("%s\n", argp_program_version);
		return cli_finish(CLI_DONE);
	}
	for (size_t i = 0; i < N_COMMANDS; i++) {
		int words = words_matching(&commands[i], argc, argv);

		if (words > 0)
			return cli_finish(run_command(&commands[i], words, argc, argv));
	}
	unknown(argv[1]);
}
