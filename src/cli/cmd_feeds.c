/* SPDX-License-Identifier: Apache-2.0 */
/* souk feeds make, souk feeds check: data feeds without a server or a database. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/feeds_where.h"
#include "feeds/check.h"
#include "feeds/make.h"

#include <jansson.h>

#include <stdlib.h>

#define OPT_SEED 0x201
#define OPT_MONTHS 0x202
#define OPT_GZIP 0x203
#define OPT_SHUFFLE 0x204
#define OPT_PLAIN 0x205
#define OPT_BEFORE 0x206
#define OPT_LIMIT 0x207

#define FEEDS_OPTIONS                                                                              \
	{ "help", '?', NULL, 0, "Print this", -1 },                                                \
	    { "usage", CLI_OPT_USAGE, NULL, 0, "Print the options only", 0 },                      \
	    { "version", 'V', NULL, 0, "Print the version", 0 },                                   \
	{                                                                                          \
		"json", CLI_OPT_JSON, NULL, 0, "Print JSON, for scripts", 0                        \
	}

struct make_command {
	struct cli_common common;
	struct make_options make;
	struct progress progress;
};

static uint64_t
number_option(const char *name, const char *arg, uint64_t least, uint64_t most)
{
	uint64_t n = 0;

	if (!str_to_u64(str_c(arg), most, &n) || n < least)
		cli_usage("%s: is not a number that can be used; give one from %llu to %llu", name,
		    (unsigned long long)least, (unsigned long long)most);
	return n;
}

/* "2024-05" as months since the year 0. */
static int
month_option(const char *arg)
{
	char text[16];
	instant_t t;

	if (strlen(arg) != 7 || snprintf(text, sizeof(text), "%s-01", arg) != 10 ||
	    !instant_parse(str_c(text), &t) || strcmp(arg, "2010-01") < 0 ||
	    strcmp(arg, "2200-01") > 0)
		cli_usage("--from: is not a month that can be used; write it as 2024-05, from "
			  "2010-01 on");
	return (int)strtol(arg, NULL, 10) * 12 + (int)strtol(arg + 5, NULL, 10) - 1;
}

static error_t
make_option(int key, char *arg, struct argp_state *state)
{
	struct make_command *c = state->input;
	struct make_options *o = &c->make;

	switch (key) {
	case 'n':
		o->events = number_option("--events", arg, MAKE_EVENTS_MIN, MAKE_EVENTS_MAX);
		return 0;
	case OPT_SEED:
		o->seed = number_option("--seed", arg, 0, UINT64_MAX);
		return 0;
	case 'f':
		o->from_month = month_option(arg);
		return 0;
	case OPT_MONTHS:
		o->months = (int)number_option("--months", arg, 1, MAKE_MONTHS_MAX);
		return 0;
	case 's':
		if (strlen(arg) != 12 || strspn(arg, "0123456789") != 12)
			cli_usage("--seller: is not an account number; give 12 digits");
		o->seller = arg;
		return 0;
	case OPT_GZIP:
		o->gzip = true;
		return 0;
	case OPT_SHUFFLE:
		o->shuffle = true;
		return 0;
	case OPT_PLAIN:
		o->plain = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->dir != NULL)
			return ARGP_ERR_UNKNOWN;
		o->dir = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->dir == NULL)
			cli_usage("DIR: is missing; say where the feeds go, as in `souk feeds make "
				  "./feeds`");
		return 0;
	default:
		return cli_common_option(&c->common, key, arg, state);
	}
}

static void
show_progress(void *arg, uint64_t events)
{
	progress_update(arg, (int64_t)events);
}

static void
print_made(const struct make_command *c, const struct make_result *x)
{
	if (c->common.json)
		(void)printf("{\"events\":%llu,\"rows\":%llu,\"bytes\":%llu,\"seller\":\"%s\","
			     "\"accountId\":\"%s\"}\n",
		    (unsigned long long)x->events, (unsigned long long)x->rows,
		    (unsigned long long)x->bytes, x->seller, x->account_id);
	else
		(void)printf("%s: %llu billing events, %llu rows in all, %llu bytes; the seller "
			     "is %s\n",
		    c->make.dir, (unsigned long long)x->events, (unsigned long long)x->rows,
		    (unsigned long long)x->bytes, x->seller);
}

int
cmd_feeds_make(int argc, char **argv)
{
	static const struct argp_option options[] = { FEEDS_OPTIONS,
		{ "events", 'n', "N", 0, "About so many billing events (default: 10000)", 0 },
		{ "seed", OPT_SEED, "N", 0, "Another seed, other feeds (default: 1)", 0 },
		{ "from", 'f', "YYYY-MM", 0, "The first month (default: 2024-01)", 0 },
		{ "months", OPT_MONTHS, "N", 0, "How many (default: 12)", 0 },
		{ "seller", 's', "DIGITS", 0, "The seller's account number", 0 },
		{ "gzip", OPT_GZIP, NULL, 0, "Write data.csv.gz files", 0 },
		{ "shuffle", OPT_SHUFFLE, NULL, 0, "Rows of a file in random order", 0 },
		{ "no-corrections", OPT_PLAIN, NULL, 0,
		    "Each row once and in time: none corrected, late or taken back", 0 },
		{ 0 } };
	static const struct argp argp = { options, make_option, "DIR",
		"Writes the nine data feeds of a made-up seller, the same for the same options."
		"\vExample: souk feeds make ./feeds --events 100000 --seed 7",
		NULL, NULL, NULL };
	struct make_command c = { .common = { .optional = true },
		.make = { .events = 10000, .seed = 1, .from_month = 2024 * 12, .months = 12 } };
	struct make_result result = { 0 };
	struct fail f = { 0 };
	enum souk_err r;

	cli_parse(&argp, argc, argv, &c.common, &c);
	progress_begin(&c.progress, "making feeds", (int64_t)c.make.events);
	c.make.progress = show_progress;
	c.make.progress_arg = &c.progress;
	r = feeds_make(&c.make, &result, &f);
	progress_end(&c.progress);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	print_made(&c, &result);
	return CLI_DONE;
}

/* ---- check ---- */

struct check_command {
	struct cli_common common;
	struct check_options check;
	struct progress progress;
};

static error_t
check_option(int key, char *arg, struct argp_state *state)
{
	struct check_command *c = state->input;

	switch (key) {
	case OPT_ENDPOINT_URL:
		c->check.open_arg = arg;
		return 0;
	case OPT_BEFORE:
		c->check.before = arg;
		return 0;
	case OPT_LIMIT:
		c->check.limit = number_option("--limit", arg, 0, 1000000);
		return 0;
	case ARGP_KEY_ARG:
		if (c->check.dir != NULL)
			return ARGP_ERR_UNKNOWN;
		c->check.dir = arg;
		return 0;
	case ARGP_KEY_END:
		if (c->check.dir == NULL)
			cli_usage("DIR: is missing; say where the feeds are, as in "
				  "`souk feeds check ./feeds`");
		return 0;
	default:
		return cli_common_option(&c->common, key, arg, state);
	}
}

static void
print_findings(const struct check_result *x)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct check_finding *a = &x->findings[i];

		(void)printf("%s:", a->file);
		if (a->line > 0)
			(void)printf("%llu:", (unsigned long long)a->line);
		(void)printf("%s%s %s; %s [%s]\n", a->column, a->column[0] != '\0' ? ":" : "",
		    a->what, a->fix, check_rule_id(a->rule));
	}
	for (enum check_rule r = 0; r < CHECK__COUNT; r++)
		if (x->count[r] > 0)
			(void)printf("%-5s %10llu  %s\n", check_rule_id(r),
			    (unsigned long long)x->count[r], check_rule_what(r));
	for (enum feed feed = 0; feed < FEED__COUNT; feed++)
		if ((x->absent & 1u << feed) != 0)
			(void)printf("not there, so ids of it were not followed: %s\n",
			    feed_info(feed)->name);
	(void)printf("%llu files, %llu rows, %llu findings\n", (unsigned long long)x->files,
	    (unsigned long long)x->rows, (unsigned long long)x->total);
}

static json_t *
finding_json(const struct check_finding *a)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "rule", check_rule_id(a->rule), "file",
	    a->file, "what", a->what, "fix", a->fix);

	if (a->line > 0)
		(void)json_object_set_new(o, "line", json_integer((json_int_t)a->line));
	if (a->column[0] != '\0')
		(void)json_object_set_new(o, "column", json_string(a->column));
	return o;
}

static void
print_json(const struct check_result *x)
{
	json_t *findings = json_array(), *counts = json_object(), *absent = json_array(), *all;

	for (size_t i = 0; i < x->n; i++)
		(void)json_array_append_new(findings, finding_json(&x->findings[i]));
	for (enum check_rule r = 0; r < CHECK__COUNT; r++)
		(void)json_object_set_new(
		    counts, check_rule_id(r), json_integer((json_int_t)x->count[r]));
	for (enum feed feed = 0; feed < FEED__COUNT; feed++)
		if ((x->absent & 1u << feed) != 0)
			(void)json_array_append_new(absent, json_string(feed_info(feed)->name));
	all = json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "files", (json_int_t)x->files, "rows",
	    (json_int_t)x->rows, "total", (json_int_t)x->total, "counts", counts, "absent", absent,
	    "findings", findings);
	(void)json_dumpf(all, stdout, JSON_INDENT(1));
	(void)putchar('\n');
	json_decref(all);
}

int
cmd_feeds_check(int argc, char **argv)
{
	static const struct argp_option options[] = { FEEDS_OPTIONS,
		{ "before", OPT_BEFORE, "DIR", 0,
		    "An earlier copy: its files must be the beginnings of today's", 0 },
		{ "limit", OPT_LIMIT, "N", 0,
		    "Print so many findings of each rule; all are counted (default: 20)", 0 },
		CLI_ENDPOINT_OPTION, { 0 } };
	static const struct argp argp = { options, check_option, "DIR|s3://BUCKET/PREFIX",
		"Checks data feeds: files, rows, ids, and the rules by which their amounts belong "
		"together. Exit status 1 when something is found."
		"\vExample: souk feeds check ./feeds --before ./feeds-of-yesterday",
		NULL, NULL, NULL };
	struct check_command c = { .common = { .optional = true },
		.check = { .limit = 20, .open = feeds_where_open } };
	struct check_result result = { 0 };
	struct fail f = { 0 };
	enum souk_err r;
	bool found;

	cli_parse(&argp, argc, argv, &c.common, &c);
	progress_begin(&c.progress, "checking feeds, bytes:", 0);
	c.check.progress = show_progress;
	c.check.progress_arg = &c.progress;
	r = feeds_check(&c.check, &result, &f);
	progress_end(&c.progress);
	found = result.total > 0;
	if (r == SOUK_OK && c.common.json)
		print_json(&result);
	else if (r == SOUK_OK)
		print_findings(&result);
	feeds_check_free(&result);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	return found ? CLI_REFUSED : CLI_DONE;
}
