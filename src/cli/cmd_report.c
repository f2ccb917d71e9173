/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk report: data sets from a folder of data feeds, without a server or a database; report
 * list: which there are. Errors never quote a row: feeds are confidential.
 */
#include "cli/report_args.h"

#include "base/json.h"

#include <stdlib.h>

/* report_run's own summary is gone when it returns: this keeps what is printed of it. */
struct teller {
	struct report_sink sink;
	struct report_sink *to;
	const struct report_args *args;
	struct report_head head;
	struct buf text;
	bool no_currency_column;
	size_t n_currencies;
};

static enum souk_err
tell_begin(struct report_sink *s, const struct report_head *h, struct fail *f)
{
	struct teller *t = (struct teller *)s;

	t->head = *h;
	t->no_currency_column = h->amount_name != NULL;
	for (size_t i = 0; i < h->n_columns; i++)
		if (strcmp(h->columns[i]->name, "Currency") == 0 ||
		    strcmp(h->columns[i]->name, "Base Currency Code") == 0)
			t->no_currency_column = false;
	return t->to->begin(t->to, h, f);
}

static enum souk_err
tell_line(struct report_sink *s, const struct report_line *l, struct fail *f)
{
	struct teller *t = (struct teller *)s;

	return t->to->line(t->to, l, f);
}

static void
tell_format(const struct report_sink *s, const struct report_line *l, struct buf *b)
{
	const struct teller *t = (const struct teller *)s;

	t->to->format(t->to, l, b);
}

static void
period(const struct report_request *q, struct jw *w)
{
	char day[DAY_TEXT_LEN + 1];

	jw_bool(w, "allMonths", q->all_months);
	if (q->all_months)
		return;
	day_format(q->from, day);
	jw_c(w, "from", day);
	day_format(q->to, day);
	jw_c(w, "to", day);
}

static void
totals_json(const struct teller *t, const struct report_summary *m, struct jw *w)
{
	jw_open(w, "totals", '[');
	for (size_t i = 0; i < m->n_totals; i++) {
		char code[4], text[MONEY_TEXT_SIZE];

		currency_text(m->totals[i].currency, code);
		jw_open(w, NULL, '{');
		jw_c(w, "currency", code);
		jw_int(w, "lines", (int64_t)m->totals[i].lines);
		jw_open(w, "amounts", '{');
		for (size_t c = 0; c < t->head.n_columns; c++)
			if (t->head.columns[c]->type == CELL_MONEY) {
				(void)money_format(m->totals[i].money[c], 2, text);
				jw_c(w, t->head.columns[c]->name, text);
			}
		jw_close(w, '}');
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void
summary_json(struct teller *t, const struct report_summary *m)
{
	const struct report_request *q = &t->args->request;
	struct jw w;

	jw_init(&w, &t->text);
	jw_open(&w, NULL, '{');
	jw_c(&w, "dataSet", data_set_info(q->data_set)->name);
	jw_c(&w, "variant", q->variant == REPORT_AS_QUERY ? "query" : "report");
	jw_str(&w, "seller", m->seller);
	period(q, &w);
	if (q->known_at != INSTANT_NONE)
		jw_instant(&w, "knownAt", q->known_at);
	jw_int(&w, "lines", (int64_t)m->lines);
	jw_int(&w, "events", (int64_t)m->events);
	jw_int(&w, "rejectedRows", (int64_t)m->rejects);
	jw_int(&w, "leftOut", (int64_t)m->left_out);
	jw_c(&w, "output", t->args->output);
	totals_json(t, m, &w);
	jw_close(&w, '}');
	buf_add_char(&t->text, '\n');
}

static void
summary_text(struct teller *t, const struct report_summary *m)
{
	buf_printf(&t->text, "%s: %llu lines of %llu events", t->args->output,
	    (unsigned long long)m->lines, (unsigned long long)m->events);
	for (size_t i = 0; i < m->n_totals; i++)
		for (size_t c = 0; c < t->head.n_columns; c++)
			if (t->head.amount_name != NULL &&
			    strcmp(t->head.columns[c]->name, t->head.amount_name) == 0) {
				char code[4], text[MONEY_TEXT_SIZE];

				currency_text(m->totals[i].currency, code);
				(void)money_format(m->totals[i].money[c], 2, text);
				buf_printf(&t->text, "%s %s %s", i == 0 ? "; " : ",", text, code);
			}
	buf_add_char(&t->text, '\n');
}

static enum souk_err
tell_end(struct report_sink *s, const struct report_summary *m, struct fail *f)
{
	struct teller *t = (struct teller *)s;

	t->n_currencies = m->n_totals;
	if (t->args->common.json)
		summary_json(t, m);
	else if (t->args->output != NULL)
		summary_text(t, m);
	return t->to->end(t->to, m, f);
}

/* What people should know about a report that was made. */
static void
warn(const struct teller *t, const struct report_summary *m)
{
	if (m->rejects > 0)
		(void)fprintf(stderr,
		    "souk: --lenient: %llu bad rows were set aside and count for nothing%s%s\n",
		    (unsigned long long)m->rejects, t->args->rejects != NULL ? ": " : "",
		    t->args->rejects != NULL ? t->args->rejects : "");
	if (m->left_out > 0)
		(void)fprintf(stderr, "souk: note: %llu lines are left out: %s\n",
		    (unsigned long long)m->left_out, m->left_out_why);
	if (t->n_currencies > 1 && t->no_currency_column && t->args->format != REPORT_JSON)
		(void)fprintf(stderr,
		    "souk: note: the lines are of %zu currencies and this data set has no column "
		    "for that; --currency gives one alone, --format json names it\n",
		    t->n_currencies);
}

static enum souk_err
run(struct report_args *a, struct teller *t, struct report_summary *sum, struct fail *f)
{
	struct report_file *file = NULL;
	struct fail ignored = { 0 };
	enum souk_err r = report_args_open(a, f);

	if (r == SOUK_OK)
		r = report_file_new(a->format, a->output, &file, f);
	if (r == SOUK_OK) {
		t->to = report_file_sink(file);
		t->sink.format = t->to->format != NULL ? tell_format : NULL;
		r = report_run(&a->request, &t->sink, sum, f);
	}
	if (r == SOUK_OK)
		r = report_args_close(a, true, f);
	else
		(void)!report_args_close(a, false, &ignored);
	if (r == SOUK_OK)
		r = report_file_keep(file, f);
	report_file_free(file);
	return r;
}

int
cmd_report(int argc, char **argv)
{
	struct report_args a = { .takes_output = true };
	struct teller t = { .sink = { tell_begin, tell_line, tell_end, NULL }, .args = &a };
	struct report_summary sum = { 0 };
	struct fail f = { 0 };
	struct stopwatch watch;
	enum souk_err r;

	report_args_parse(&a,
	    "Makes a data set of data feeds. Amounts are signed as the seller sees them; lines are "
	    "checked against the billing events they sum.\v"
	    "Example: souk report sales_compensation_billed_revenue --feeds ./feeds --month "
	    "2026-01 -o january.csv",
	    argc, argv);
	stopwatch_begin(&watch, "reading feeds, seconds:");
	r = run(&a, &t, &sum, &f);
	stopwatch_end(&watch);
	if (r == SOUK_OK) {
		warn(&t, &sum);
		(void)fwrite(t.text.p != NULL ? t.text.p : "", 1, t.text.n, stdout);
	}
	buf_done(&t.text);
	return r == SOUK_OK ? CLI_DONE : cli_fail(&f, r);
}

/* List. */

static const char *const rhythms[] = { [RHYTHM_DAILY] = "daily",
	[RHYTHM_MONTHLY] = "monthly, the 15th",
	[RHYTHM_DISBURSED] = "with each disbursement",
	[RHYTHM_NEVER] = "no longer" };
static const char *const sources[] = { [SOURCE_FEEDS] = "feeds",
	[SOURCE_FEEDS_PARTLY] = "feeds, partly",
	[SOURCE_FACTS] = "server",
	[SOURCE_NONE] = "none" };
static const char *const types[] = { [CELL_TEXT] = "text",
	[CELL_MONEY] = "money",
	[CELL_MONEY_REPEATED] = "money",
	[CELL_DECIMAL] = "decimal",
	[CELL_COUNT] = "count",
	[CELL_DATE] = "date" };

static void
list_text(const struct data_set_info *i, bool with_columns)
{
	(void)printf("%s\n    published %s, made of: %s%s\n", i->name, rhythms[i->rhythm],
	    sources[i->source],
	    i->participants_only ? ", for participants of enhanced data sharing only" : "");
	if (i->note != NULL)
		(void)printf("    %s\n", i->note);
	for (size_t c = 0; with_columns && c < i->n_columns; c++)
		(void)printf("    %2zu %s (%s%s)\n", c + 1, i->columns[c].name,
		    types[i->columns[c].type], i->columns[c].edsp ? ", participants only" : "");
}

static void
list_json(const struct data_set_info *i, struct jw *w)
{
	jw_open(w, NULL, '{');
	jw_c(w, "dataSet", i->name);
	jw_c(w, "published", rhythms[i->rhythm]);
	jw_c(w, "since", i->since);
	jw_c(w, "madeOf", sources[i->source]);
	jw_bool(w, "participantsOnly", i->participants_only);
	jw_bool(w, "query", i->query_columns != NULL);
	jw_c(w, "note", i->note);
	jw_open(w, "columns", '[');
	for (size_t c = 0; c < i->n_columns; c++) {
		jw_open(w, NULL, '{');
		jw_c(w, "name", i->columns[c].name);
		jw_c(w, "type", types[i->columns[c].type]);
		jw_bool(w, "participantsOnly", i->columns[c].edsp);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_close(w, '}');
}

struct list_args {
	struct cli_common common;
	enum data_set only;
};

static error_t
list_option(int key, char *arg, struct argp_state *state)
{
	struct list_args *a = state->input;

	if (key != ARGP_KEY_ARG)
		return cli_common_option(&a->common, key, arg, state);
	if (a->only != DS__COUNT || !data_set_find(str_c(arg), &a->only))
		cli_usage(
		    "DATASET: `%s` is none, or one too many; `souk report list` lists them", arg);
	return 0;
}

int
cmd_report_list(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	static const struct argp argp = { options, list_option, "[DATASET]",
		"Lists the data sets; of one, its columns.\v"
		"Example: souk report list disbursed_amount_by_product",
		NULL, NULL, NULL };
	struct list_args a = { .common = { .optional = true }, .only = DS__COUNT };
	struct buf out = { 0 };
	struct jw w;

	cli_parse(&argp, argc, argv, &a.common, &a);
	jw_init(&w, &out);
	jw_open(&w, NULL, '[');
	for (size_t i = 0; i < DS__COUNT; i++) {
		const struct data_set_info *info = data_set_info((enum data_set)i);

		if (a.only != DS__COUNT && a.only != i)
			continue;
		if (a.common.json)
			list_json(info, &w);
		else
			list_text(info, a.only != DS__COUNT);
	}
	jw_close(&w, ']');
	if (a.common.json)
		(void)printf("%s\n", buf_ok(&out) ? buf_str(&out).p : "[]");
	buf_done(&out);
	return CLI_DONE;
}
