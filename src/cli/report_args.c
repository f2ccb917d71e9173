/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `souk report` and its second words; see report_args.h. */
#include "cli/report_args.h"

#include "cli/feeds_where.h"

#include <stdlib.h>

enum {
	OPT_FEEDS = 0x200,
	OPT_SELLER,
	OPT_MONTH,
	OPT_ALL_MONTHS,
	OPT_KNOWN_AT,
	OPT_VARIANT,
	OPT_FORMAT,
	OPT_LENIENT,
	OPT_REJECTS,
	OPT_PARTICIPANT,
	OPT_CURRENCY,
	OPT_THREADS,
	OPT_LINE,
	OPT_FROM_KNOWN,
	OPT_TO_KNOWN
};

static instant_t
instant(const char *option, const char *text)
{
	instant_t t;

	if (!instant_parse(str_c(text), &t))
		cli_usage("%s: is not an instant; write it as 2026-01-31T00:00:00Z", option);
	return t;
}

static void
month(struct report_args *a, const char *text)
{
	month_t m;

	if (!month_parse(str_c(text), &m))
		cli_usage("--month: is not a month; write it as 2026-01");
	a->request.from = month_begin(m);
	a->request.to = month_end(m);
	a->has_month = true;
}

/* One of two words. */
static bool
second(const char *option, const char *text, const char *one, const char *two)
{
	if (strcmp(text, one) != 0 && strcmp(text, two) != 0)
		cli_usage("%s: is neither `%s` nor `%s`; give one of them", option, one, two);
	return strcmp(text, two) == 0;
}

static void
format(struct report_args *a, const char *text)
{
	static const char *const names[] = {
		[REPORT_CSV] = "csv", [REPORT_JSON] = "json", [REPORT_XLSX] = "xlsx"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			a->format = (enum report_format)i;
			return;
		}
	cli_usage("--format: is none; give csv, json (lines) or xlsx");
}

static void
currency(struct report_args *a, const char *text)
{
	struct fail f = { 0 };

	if (currency_load(&f) != SOUK_OK)
		exit(cli_fail(&f, f.err));
	a->request.currency = currency_of(str_c(text));
	if (a->request.currency == CURRENCY_NONE)
		cli_usage("--currency: is no ISO 4217 code; give one like USD");
}

static void
threads(struct report_args *a, const char *text)
{
	uint64_t n;

	if (!str_to_u64(str_c(text), 64, &n) || n == 0)
		cli_usage("--threads: is not a number from 1 to 64; give one, or leave it out");
	a->request.threads = (unsigned)n;
}

static void
line(struct report_args *a, const char *text)
{
	const char **lines = reallocarray(a->lines, a->n_lines + 1, sizeof(*lines));

	if (lines == NULL)
		exit(cli_fail_plain(SOUK_E_NOMEM, "--line"));
	a->lines = lines;
	a->lines[a->n_lines++] = text;
}

static void
argument(struct report_args *a, const char *text)
{
	if (a->data_set != NULL)
		cli_usage("ARGUMENT: `%s` is one too many; give one data set", text);
	a->data_set = text;
	if (!data_set_find(str_c(text), &a->request.data_set))
		cli_usage("DATASET: `%s` is none; `souk report list` lists them", text);
}

static void
check(const struct report_args *a)
{
	if (a->data_set == NULL)
		cli_usage("DATASET: is missing; `souk report list` lists them");
	if (a->feeds == NULL)
		cli_usage("--feeds: is missing; say which folder, as in --feeds ./feeds");
	if (a->has_month == a->request.all_months)
		cli_usage("--month: is missing or one too many; give either --month 2026-01 or "
			  "--all-months");
	if (a->rejects != NULL && !a->lenient)
		cli_usage("--rejects: is for --lenient; give both, or neither");
	if (a->format == REPORT_XLSX && a->output == NULL)
		cli_usage("--output: is missing; a workbook needs a file, as in -o report.xlsx");
	if (a->takes_output && a->common.json && a->output == NULL)
		cli_usage("--output: is missing; --json prints the summary where the report would "
			  "go, so give it a file with -o (--format json gives the lines as JSON)");
	if (a->takes_lines && a->n_lines == 0)
		cli_usage("--line: is missing; give the line's transaction reference, or a column "
			  "as in --line 'Product Code=abc'");
	if (a->takes_diff && (a->from_known_at == INSTANT_NONE || a->to_known_at == INSTANT_NONE))
		cli_usage("--from-known-at: is missing, or --to-known-at; give both, as in "
			  "2026-01-31T00:00:00Z");
	if (a->takes_diff && a->from_known_at > a->to_known_at)
		cli_usage("--from-known-at: is later than --to-known-at; turn them round");
}

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct report_args *a = state->input;

	switch (key) {
	case OPT_FEEDS:
		a->feeds = arg;
		return 0;
	case OPT_ENDPOINT_URL:
		a->endpoint = arg;
		return 0;
	case OPT_SELLER:
		a->request.seller = str_c(arg);
		return 0;
	case OPT_MONTH:
		month(a, arg);
		return 0;
	case OPT_ALL_MONTHS:
		a->request.all_months = true;
		return 0;
	case OPT_KNOWN_AT:
		a->request.known_at = instant("--as-known-at", arg);
		return 0;
	case OPT_VARIANT:
		a->request.variant =
		    second("--variant", arg, "report", "query") ? REPORT_AS_QUERY : REPORT_AS_PAGE;
		return 0;
	case OPT_FORMAT:
		format(a, arg);
		return 0;
	case 'o':
		a->output = arg;
		return 0;
	case OPT_LENIENT:
		a->lenient = true;
		return 0;
	case OPT_REJECTS:
		a->rejects = arg;
		return 0;
	case OPT_PARTICIPANT:
		a->request.participant = second("--participant", arg, "no", "yes");
		return 0;
	case OPT_CURRENCY:
		currency(a, arg);
		return 0;
	case OPT_THREADS:
		threads(a, arg);
		return 0;
	case OPT_LINE:
		line(a, arg);
		return 0;
	case OPT_FROM_KNOWN:
		a->from_known_at = instant("--from-known-at", arg);
		return 0;
	case OPT_TO_KNOWN:
		a->to_known_at = instant("--to-known-at", arg);
		return 0;
	case ARGP_KEY_ARG:
		argument(a, arg);
		return 0;
	case ARGP_KEY_END:
		check(a);
		return 0;
	default:
		return cli_common_option(&a->common, key, arg, state);
	}
}

#define SHARED                                                                                     \
	{ "feeds", OPT_FEEDS, "DIR|s3://BUCKET/PREFIX", 0, "The folder of data feeds", 0 },        \
	    CLI_ENDPOINT_OPTION,                                                                   \
	    { "seller", OPT_SELLER, "ID", 0,                                                       \
		    "Whose report: account id or number (default: the feeds' only seller)", 0 },   \
	    { "month", OPT_MONTH, "YYYY-MM", 0, "The invoice month; a payout's of disbursed sets", \
		    0 },                                                                           \
	    { "all-months", OPT_ALL_MONTHS, NULL, 0, "Every month", 0 },                           \
	    { "variant", OPT_VARIANT, "report|query", 0,                                           \
		    "As the report's page says (default), or as the documented query", 0 },        \
	    { "participant", OPT_PARTICIPANT, "yes|no", 0,                                         \
		    "With the columns for participants of enhanced data sharing (default: yes)",   \
		    0 },                                                                           \
	    { "currency", OPT_CURRENCY, "CODE", 0, "Only this currency", 0 },                      \
	    { "lenient", OPT_LENIENT, NULL, 0, "Set bad rows aside instead of stopping", 0 },      \
	    { "rejects", OPT_REJECTS, "FILE", 0, "Where bad rows go, with what is wrong", 0 },     \
	{                                                                                          \
		"threads", OPT_THREADS, "N", 0, "At most so many threads (default: one a core)", 0 \
	}
#define KNOWN_AT                                                                                   \
	{                                                                                          \
		"as-known-at", OPT_KNOWN_AT, "INSTANT", 0, "As the feeds knew it then", 0          \
	}

static const struct argp_option run_options[] = { CLI_COMMON_OPTIONS, SHARED, KNOWN_AT,
	{ "format", OPT_FORMAT, "csv|json|xlsx", 0, "JSON is an object a line (default: csv)", 0 },
	{ "output", 'o', "FILE", 0, "Write here (default: standard output)", 0 }, { 0 } };
static const struct argp_option explain_options[] = { CLI_COMMON_OPTIONS, SHARED, KNOWN_AT,
	{ "line", OPT_LINE, "KEY", 0,
	    "Lines with this in a cell, or as COLUMN=VALUE; several must all match", 0 },
	{ 0 } };
static const struct argp_option diff_options[] = { CLI_COMMON_OPTIONS, SHARED,
	{ "from-known-at", OPT_FROM_KNOWN, "INSTANT", 0, "The earlier knowledge", 0 },
	{ "to-known-at", OPT_TO_KNOWN, "INSTANT", 0, "The later knowledge", 0 }, { 0 } };

void
report_args_parse(struct report_args *a, const char *doc, int argc, char **argv)
{
	const struct argp argp = { .options = a->takes_diff    ? diff_options
					      : a->takes_lines ? explain_options
							       : run_options,
		.parser = option,
		.args_doc = "DATASET",
		.doc = doc };

	a->common.optional = true;
	a->request.known_at = INSTANT_NONE;
	a->request.participant = true;
	a->request.currency = CURRENCY_NONE;
	a->from_known_at = a->to_known_at = INSTANT_NONE;
	cli_parse(&argp, argc, argv, &a->common, a);
}

enum souk_err
report_args_open(struct report_args *a, struct fail *f)
{
	enum souk_err r = feeds_where_open(a->feeds, a->endpoint, &a->source, f);

	if (r != SOUK_OK)
		return r;
	a->request.source = a->source;
	if (a->rejects != NULL)
		reject_file_init(&a->reject_file, a->rejects);
	if (a->lenient)
		a->request.faults = a->rejects != NULL ? &a->reject_file.sink : &a->counter;
	return SOUK_OK;
}

enum souk_err
report_args_close(struct report_args *a, bool keep, struct fail *f)
{
	enum souk_err r = SOUK_OK;

	if (a->rejects != NULL && a->source != NULL)
		r = reject_file_close(&a->reject_file, keep, f);
	feed_source_free(a->source);
	a->source = NULL;
	free(a->lines);
	a->lines = NULL;
	return r;
}
