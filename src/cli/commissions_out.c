/* SPDX-License-Identifier: Apache-2.0 */
/* Where statements go: a folder for everybody's, a file or standard output for one person's. */
#include "cli/commissions.h"

#include "base/csv.h"
#include "base/io.h"
#include "base/json.h"

static const char *const endings[] = {
	[FORMAT_CSV] = "csv",
	[FORMAT_XLSX] = "xlsx",
	[FORMAT_HTML] = "html",
	[FORMAT_JSON] = "json",
};

void
commissions_period(const struct commissions *c, char out[2 * MONTH_TEXT_SIZE + 2])
{
	char from[MONTH_TEXT_SIZE], until[MONTH_TEXT_SIZE];

	month_format(c->months.from, from);
	month_format(c->months.until, until);
	(void)snprintf(out, 2 * MONTH_TEXT_SIZE + 2, "%s%s%s", from,
	    c->months.from == c->months.until ? "" : "_",
	    c->months.from == c->months.until ? "" : until);
}

static struct statement
statement_of(const struct commissions *c, uint32_t representative)
{
	struct statement s = { .run = &c->run,
		.representative = representative,
		.months = c->months,
		.known_at = c->known_at_text,
		.digest = c->digest,
		.locked = c->is_locked };

	s.adjustments = settlement_of(
	    &c->settlement, c->p.representatives[representative].id, &s.n_adjustments);
	return s;
}

static void
render(const struct commissions *c, const struct statement *s, struct buf *b)
{
	switch (c->format) {
	case FORMAT_CSV:
		statement_csv(s, true, b);
		break;
	case FORMAT_HTML:
		statement_html(s, b);
		break;
	case FORMAT_JSON:
		statement_json(s, b);
		break;
	case FORMAT_XLSX:
		break; /* a file of its own */
	}
}

static enum souk_err
write_text(const char *path, struct buf *b, struct fail *f)
{
	if (!buf_ok(b))
		return fail_set(f, SOUK_E_NOMEM, "memory", "a statement does not fit into memory");
	return io_write_file(path, buf_str(b), 0600, f);
}

static enum souk_err
write_statement(
    const struct commissions *c, const struct statement *s, const char *path, struct fail *f)
{
	struct buf b = { 0 };
	enum souk_err r;

	if (c->format == FORMAT_XLSX)
		return statement_xlsx(s, path, f);
	render(c, s, &b);
	r = write_text(path, &b, f);
	buf_done(&b);
	return r;
}

static int
print_one(const struct commissions *c)
{
	struct fail f = { 0 };
	struct buf b = { 0 };
	struct statement s;
	uint32_t i = 0;
	enum souk_err r;

	while (
	    i < c->p.n_representatives && !str_eq_c(c->p.representatives[i].id, c->representative))
		i++;
	if (i == c->p.n_representatives) {
		(void)fail_field(
		    &f, "--representative", "is nobody of this plan", "give the id of one");
		return cli_fail(&f, SOUK_E_INVALID);
	}
	s = statement_of(c, i);
	if (c->output != NULL) {
		r = write_statement(c, &s, c->output, &f);
		return r == SOUK_OK ? CLI_DONE : cli_fail(&f, r);
	}
	render(c, &s, &b);
	if (!buf_ok(&b))
		return cli_fail_plain(SOUK_E_NOMEM, "statement");
	(void)fwrite(b.p, 1, b.n, stdout);
	buf_done(&b);
	return CLI_DONE;
}

/* ---- everybody's, or a team's ---- */

/* The first from `i` on whose statement was asked for. Managers make no circle: plan_check saw to it. */
static uint32_t
next_of(const struct commissions *c, uint32_t i)
{
	for (; i < c->p.n_representatives && c->manager != NO_INDEX; i++)
		for (uint32_t m = i; m != NO_INDEX; m = c->p.representatives[m].manager)
			if (m == c->manager)
				return i;
	return i;
}

static void
summary_csv(const struct commissions *c, struct buf *b)
{
	char money[MONEY_TEXT_SIZE];

	buf_add_c(
	    b, "Representative,Name,Team,Currency,Earned,Taken Back,Adjustments,Commission\r\n");
	for (uint32_t i = next_of(c, 0); i < c->p.n_representatives; i = next_of(c, i + 1)) {
		struct statement s = statement_of(c, i);
		struct statement_total t[STATEMENT_CURRENCIES_MAX];
		size_t n = statement_totals(&s, t, STATEMENT_CURRENCIES_MAX);

		for (size_t k = 0; k < n; k++) {
			const struct str texts[] = { c->p.representatives[i].id,
				c->p.representatives[i].name, c->p.representatives[i].team,
				t[k].currency };
			const money_t sums[] = { t[k].earned, t[k].taken, t[k].adjusted, t[k].sum };

			for (size_t m = 0; m < 4; m++) {
				csv_field(b, texts[m]);
				buf_add_char(b, ',');
			}
			for (size_t m = 0; m < 4; m++) {
				buf_add(b, money, money_format(sums[m], c->p.decimals, money));
				buf_add_c(b, m < 3 ? "," : "\r\n");
			}
		}
	}
}

static size_t
queue_count(const struct commissions *c, int reason)
{
	size_t n = 0;

	for (size_t i = 0; i < c->run.n_queue; i++) {
		int32_t m = plan_period_of(
		    PERIOD_MONTH, day_of(c->set.lines[c->run.queue[i].line].invoice_date));

		n +=
		    c->run.queue[i].reason == reason && m >= c->months.from && m <= c->months.until;
	}
	return n;
}

/* Finance's: a manager learns nothing of what is not the team's. */
static void
tell_json_all(const struct commissions *c, struct jw *w)
{
	jw_int(w, "lines", (int64_t)c->set.n);
	jw_int(w, "adjustments", (int64_t)c->settlement.n_adjustments);
	jw_open(w, "queue", '{');
	for (int i = 0; i < QUEUE__COUNT; i++)
		jw_int(w, queue_reason_words[i], (int64_t)queue_count(c, i));
	jw_close(w, '}');
}

static void
tell_json(const struct commissions *c, size_t statements)
{
	char period[2 * MONTH_TEXT_SIZE + 2];
	struct buf b = { 0 };
	struct jw w;

	commissions_period(c, period);
	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_c(&w, "period", period);
	jw_c(&w, "run", c->digest);
	jw_bool(&w, "locked", c->is_locked);
	jw_c(&w, "knownAt", c->known_at_text);
	jw_int(&w, "statements", (int64_t)statements);
	if (c->manager == NO_INDEX)
		tell_json_all(c, &w);
	jw_open(&w, "representatives", '[');
	for (uint32_t i = next_of(c, 0); i < c->p.n_representatives; i = next_of(c, i + 1)) {
		struct statement s = statement_of(c, i);
		struct statement_total t[STATEMENT_CURRENCIES_MAX];
		size_t n = statement_totals(&s, t, STATEMENT_CURRENCIES_MAX);

		for (size_t k = 0; k < n; k++) {
			char money[MONEY_TEXT_SIZE];

			jw_open(&w, NULL, '{');
			jw_str(&w, "id", c->p.representatives[i].id);
			jw_str(&w, "currency", t[k].currency);
			jw_str(&w, "commission",
			    (struct str){ money, money_format(t[k].sum, c->p.decimals, money) });
			jw_close(&w, '}');
		}
	}
	jw_close(&w, ']');
	jw_close(&w, '}');
	(void)puts(buf_ok(&b) ? b.p : "{}");
	buf_done(&b);
}

static void
tell(const struct commissions *c, size_t statements)
{
	char period[2 * MONTH_TEXT_SIZE + 2], money[MONEY_TEXT_SIZE];

	commissions_period(c, period);
	(void)printf("%s, plan %.*s\n\n", period, (int)c->p.name.n, c->p.name.p);
	for (uint32_t i = next_of(c, 0); i < c->p.n_representatives; i = next_of(c, i + 1)) {
		struct statement s = statement_of(c, i);
		struct statement_total t[STATEMENT_CURRENCIES_MAX];
		size_t n = statement_totals(&s, t, STATEMENT_CURRENCIES_MAX);

		for (size_t k = 0; k < n; k++) {
			(void)money_format(t[k].sum, c->p.decimals, money);
			(void)printf("%-24.*s %18s %.*s\n", (int)c->p.representatives[i].id.n,
			    c->p.representatives[i].id.p, money, (int)t[k].currency.n,
			    t[k].currency.p);
		}
	}
	(void)printf(
	    "\n%zu statements%s", statements, c->output != NULL ? "" : " (written with -o DIR)");
	for (int i = 0; i < QUEUE__COUNT; i++)
		if (c->manager == NO_INDEX && queue_count(c, i) > 0)
			(void)printf(", %zu lines in the queue: %s", queue_count(c, i),
			    queue_reason_words[i]);
	if (c->manager == NO_INDEX && c->settlement.n_adjustments > 0)
		(void)printf(", %zu adjustments of locked months", c->settlement.n_adjustments);
	(void)printf("\n%s %s\n", c->is_locked ? "locked run" : "simulated run", c->digest);
}

static enum souk_err
write_queue(const struct commissions *c, const char *path, struct fail *f)
{
	struct suggester *s = NULL;
	struct buf b = { 0 };
	enum souk_err r = suggester_new(c->index, &c->run, &s);

	if (r != SOUK_OK)
		return fail_set(f, r, "memory", "the queue does not fit into memory");
	queue_csv(&c->run, s, c->months, &b);
	r = write_text(path, &b, f);
	suggester_free(s);
	buf_done(&b);
	return r;
}

static enum souk_err
write_folder(const struct commissions *c, size_t *ret_n, struct fail *f)
{
	char path[4096], period[2 * MONTH_TEXT_SIZE + 2];
	struct buf b = { 0 };
	enum souk_err r = io_make_dir(c->output, 0700, f);

	commissions_period(c, period);
	if (strlen(c->output) > sizeof(path) - 200)
		return fail_field(f, "-o", "is too long", "give a shorter name");
	for (uint32_t i = next_of(c, 0); i < c->p.n_representatives && r == SOUK_OK;
	     i = next_of(c, i + 1)) {
		struct statement s = statement_of(c, i);

		if (statement_is_empty(&s))
			continue;
		(void)snprintf(path, sizeof(path), "%s/statement-%.*s-%s.%s", c->output,
		    (int)c->p.representatives[i].id.n, c->p.representatives[i].id.p, period,
		    endings[c->format]);
		r = write_statement(c, &s, path, f);
		(*ret_n)++;
	}
	(void)snprintf(path, sizeof(path), "%s/summary-%s.csv", c->output, period);
	summary_csv(c, &b);
	if (r == SOUK_OK)
		r = write_text(path, &b, f);
	buf_done(&b);
	(void)snprintf(path, sizeof(path), "%s/queue-%s.csv", c->output, period);
	return r == SOUK_OK && c->manager == NO_INDEX ? write_queue(c, path, f) : r;
}

int
commissions_print(struct commissions *c)
{
	struct fail f = { 0 };
	size_t statements = 0;
	enum souk_err r = SOUK_OK;

	if (c->representative != NULL)
		return print_one(c);
	if (c->output != NULL)
		r = write_folder(c, &statements, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	for (uint32_t i = next_of(c, 0); i < c->p.n_representatives && c->output == NULL;
	     i = next_of(c, i + 1)) {
		struct statement s = statement_of(c, i);

		statements += !statement_is_empty(&s);
	}
	if (c->common.json)
		tell_json(c, statements);
	else
		tell(c, statements);
	return CLI_DONE;
}
