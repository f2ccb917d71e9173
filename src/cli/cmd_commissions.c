/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk commissions: data feeds and a plan to a statement for each representative; no server, no
 * database. Simulates, locks what was approved, owes the difference where facts changed since.
 */
#include "base/country.h"
#include "base/currency.h"
#include "base/io.h"
#include "cli/commissions.h"
#include "cli/feeds_where.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_MAX ((size_t)256 << 20)
#define LOCKED_BYTES_MAX ((size_t)1 << 30)
#define ARENA_LIMIT ((size_t)8 << 30)

enum {
	OPT_SELLER = 0x300,
	OPT_MONTH,
	OPT_ALL_MONTHS,
	OPT_PLAN,
	OPT_KNOWN_AT,
	OPT_VARIANT,
	OPT_REPRESENTATIVE,
	OPT_TEAM,
	OPT_FORMAT,
	OPT_SIMULATE,
	OPT_LOCK,
	OPT_APPROVE,
	OPT_APPROVED_BY,
	OPT_LOCKED,
	OPT_DRY_RUN,
	OPT_FEEDS,
	OPT_REJECTS,
	OPT_LENIENT,
	OPT_THREADS,
};

static int
one_of(const char *option_name, const char *arg, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(arg, words[i]) == 0)
			return i;
	cli_usage(
	    "%s: is none that can be used; `souk commissions --help` lists them", option_name);
}

static void
check_options(const struct commissions *c)
{
	if (c->feeds == NULL)
		cli_usage(
		    "--feeds: is missing; say which folder of data feeds, as in --feeds ./feeds");
	if (c->plan == NULL)
		cli_usage(
		    "--plan: is missing; name a plan file (docs/edsp.md tells how to write one)");
	if (c->has_month == c->all_months)
		cli_usage("--month: %s",
		    c->has_month ? "stands beside --all-months; leave one out"
				 : "is missing; write it as 2026-01, or use --all-months");
	if (c->rejects != NULL && !c->lenient)
		cli_usage("--rejects: is for --lenient; give both, or neither");
	if (c->lock != NULL && c->simulate)
		cli_usage("--lock: stands beside --simulate; leave one out");
	if (c->lock != NULL && c->approve == NULL)
		cli_usage("--approve: is missing; give the digest that the simulation ended with");
	if (c->lock != NULL && c->known_at_text == NULL)
		cli_usage("--as-known-at: is missing; a locked run says when its facts were known, "
			  "so that "
			  "it can be computed again");
	if (c->lock == NULL && (c->approve != NULL || c->approved_by != NULL))
		cli_usage("--approve: is for --lock; name the file to lock the run in");
	if (c->other_plan != NULL && (c->lock != NULL || c->representative != NULL))
		cli_usage("--dry-run: writes no statement; leave --lock and --representative out");
	if (c->team != NULL &&
	    (c->representative != NULL || c->lock != NULL || c->other_plan != NULL))
		cli_usage("--team: prints statements of a manager's team; leave --representative, "
			  "--lock and --dry-run out");
	if (c->representative != NULL && c->format == FORMAT_XLSX && c->output == NULL)
		cli_usage("-o: is missing; a workbook needs a file");
	if (c->representative != NULL && c->lock != NULL)
		cli_usage("--lock: locks everybody's statements; leave --representative out");
}

static void
text_option(struct commissions *c, int key, char *arg)
{
	switch (key) {
	case OPT_FEEDS:
		c->feeds = arg;
		return;
	case OPT_PLAN:
		c->plan = arg;
		return;
	case OPT_SELLER:
		c->seller = arg;
		return;
	case OPT_REPRESENTATIVE:
		c->representative = arg;
		return;
	case OPT_TEAM:
		c->team = arg;
		return;
	case OPT_LOCK:
		c->lock = arg;
		return;
	case OPT_APPROVE:
		c->approve = arg;
		return;
	case OPT_APPROVED_BY:
		c->approved_by = arg;
		return;
	case OPT_DRY_RUN:
		c->other_plan = arg;
		return;
	case OPT_REJECTS:
		c->rejects = arg;
		return;
	default:
		if (c->n_locked == LOCKED_MAX)
			cli_usage("--locked: is given too often; 240 files are the most");
		c->locked_paths[c->n_locked++] = arg;
		return;
	}
}

static error_t
option(int key, char *arg, struct argp_state *state)
{
	static const char *const variants[] = { "report", "query" };
	static const char *const formats[] = { "csv", "xlsx", "html", "json" };
	struct commissions *c = state->input;
	uint64_t n;

	switch (key) {
	case OPT_MONTH:
		if (!month_parse(str_c(arg), &c->month) || c->month < MONTHS_FROM)
			cli_usage("--month: is no month; write it as 2026-01");
		c->has_month = true;
		return 0;
	case OPT_ALL_MONTHS:
		c->all_months = true;
		return 0;
	case OPT_KNOWN_AT:
		if (!instant_parse(str_c(arg), &c->known_at))
			cli_usage(
			    "--as-known-at: is not an instant; write it as 2026-01-31T00:00:00Z");
		c->known_at_text = arg;
		return 0;
	case OPT_VARIANT:
		c->variant = (enum sales_variant)one_of("--variant", arg, variants, 2);
		return 0;
	case OPT_FORMAT:
		c->format = (enum statement_format)one_of("--format", arg, formats, 4);
		return 0;
	case OPT_THREADS:
		if (!str_to_u64(str_c(arg), 256, &n))
			cli_usage(
			    "--threads: is not a number that can be used; give one from 1 to 256");
		c->threads = (unsigned)n;
		return 0;
	case OPT_ENDPOINT_URL:
		c->endpoint = arg;
		return 0;
	case OPT_SIMULATE:
		c->simulate = true;
		return 0;
	case OPT_LENIENT:
		c->lenient = true;
		return 0;
	case 'o':
		c->output = arg;
		return 0;
	case ARGP_KEY_END:
		check_options(c);
		return 0;
	default:
		if (key >= OPT_SELLER && key <= OPT_THREADS) {
			text_option(c, key, arg);
			return 0;
		}
		return cli_common_option(&c->common, key, arg, state);
	}
}

/* ---- plans ---- */

/* Prints every fault. */
static int
refuse_plan(const char *path, struct plan_faults *faults, enum souk_err err)
{
	for (size_t i = 0; i < faults->n; i++)
		(void)fprintf(stderr, "souk: %s: %s; %s\n", faults->v[i].at, faults->v[i].what,
		    faults->v[i].fix);
	if (faults->n_total > faults->n)
		(void)fprintf(stderr, "souk: %s: has %zu faults more; mend these first\n", path,
		    faults->n_total - faults->n);
	if (faults->n > 0)
		return CLI_REFUSED;
	return cli_fail_plain(err, "plan");
}

static int
read_plan(struct commissions *c, const char *path, struct buf *bytes, struct plan *p)
{
	struct plan_faults faults = { 0 };
	struct fail f = { 0 };
	enum souk_err r = io_read_file(path, PLAN_MAX, bytes, &f);
	int code = CLI_DONE;

	if (r != SOUK_OK)
		return cli_fail(&f, r);
	r = plan_read(buf_str(bytes), c->arena, p, &faults);
	if (r == SOUK_OK)
		r = plan_check(p, c->arena, &faults);
	if (r != SOUK_OK)
		code = refuse_plan(path, &faults, r);
	plan_faults_done(&faults);
	return code;
}

static bool
pays_disbursed(const struct plan *p)
{
	for (size_t i = 0; i < p->n_rates; i++)
		if (p->rates[i].pay == PAY_DISBURSED)
			return true;
	return false;
}

/* ---- lines ---- */

static enum souk_err
fold_lines(struct commissions *c, struct line_request *q, struct fail *f)
{
	struct reject_file rejects;
	struct fault_sink *sink = c->lenient ? &c->counter : NULL;
	enum souk_err r, closed;

	if (c->rejects != NULL) {
		reject_file_init(&rejects, c->rejects);
		sink = &rejects.sink;
	}
	q->faults = sink;
	r = lines_from_feeds(q, &c->set, f);
	if (c->rejects != NULL) {
		closed = reject_file_close(&rejects, r == SOUK_OK, r == SOUK_OK ? f : NULL);
		r = r == SOUK_OK ? closed : r;
	}
	if (r == SOUK_OK && sink != NULL && sink->n > 0)
		(void)fprintf(stderr,
		    "souk: --lenient: %llu bad rows were set aside and count for nothing\n",
		    (unsigned long long)sink->n);
	return r;
}

static enum souk_err
load_lines(struct commissions *c, struct fail *f)
{
	struct line_request q = { .variant = c->variant,
		.known_at = c->known_at,
		.month_until = c->all_months ? MONTHS_TO : c->month,
		.seller = c->seller != NULL ? str_c(c->seller) : STR(""),
		.payouts = pays_disbursed(&c->p),
		.threads = c->threads };
	struct feed_source *source = NULL;
	struct stopwatch w;
	enum souk_err r = feeds_where_open(c->feeds, c->endpoint, &source, f);

	if (r != SOUK_OK)
		return r;
	q.source = source;
	stopwatch_begin(&w, "reading the feeds");
	r = fold_lines(c, &q, f);
	stopwatch_end(&w);
	feed_source_free(source);
	return r;
}

static void
find_months(struct commissions *c)
{
	c->months = (struct month_range){ c->month, c->month };
	if (!c->all_months)
		return;
	c->months = (struct month_range){ INT32_MAX, INT32_MIN };
	for (size_t i = 0; i < c->set.n; i++) {
		const struct commission_line *l = &c->set.lines[i];
		int32_t m = plan_period_of(PERIOD_MONTH, day_of(l->invoice_date));

		c->months.from = m < c->months.from ? m : c->months.from;
		c->months.until = m > c->months.until ? m : c->months.until;
		for (size_t k = 0; k < l->n_payouts; k++) {
			m = plan_period_of(PERIOD_MONTH, day_of(l->payouts[k].date));
			c->months.until = m > c->months.until ? m : c->months.until;
		}
	}
	if (c->set.n == 0)
		c->months = (struct month_range){ MONTHS_FROM, MONTHS_FROM };
}

static enum souk_err
compute(struct commissions *c, struct fail *f)
{
	enum souk_err r = territory_index_new(&c->p, &c->index, f);

	if (r == SOUK_OK)
		r = commission_compute(
		    &c->p, c->index, c->set.lines, c->set.n, c->threads, &c->run, f);
	return r;
}

/* ---- another plan ---- */

static int
dry_run(struct commissions *c)
{
	struct commissions other = { .arena = c->arena };
	struct buf out = { 0 };
	struct fail f = { 0 };
	size_t n = 0;
	enum souk_err r = SOUK_OK;
	int code = read_plan(c, c->other_plan, &other.plan_bytes, &other.p);

	if (code == CLI_DONE) {
		other.set = c->set;
		r = compute(&other, &f);
		if (r == SOUK_OK)
			r = moved_lines_csv(&c->run, &other.run, c->months, &out, &n);
		if (r == SOUK_OK && !buf_ok(&out))
			r = SOUK_E_NOMEM;
		if (r == SOUK_OK && c->output != NULL)
			r = io_write_file(c->output, buf_str(&out), 0600, &f);
		if (r == SOUK_OK && c->output == NULL)
			(void)fwrite(out.p, 1, out.n, stdout);
		if (r == SOUK_OK)
			(void)fprintf(stderr, "%zu of %zu lines would move\n", n, c->set.n);
		else
			code = cli_fail(&f, r);
	}
	commission_run_done(&other.run);
	territory_index_free(other.index);
	buf_done(&other.plan_bytes);
	buf_done(&out);
	return code;
}

/* ---- locked runs ---- */

static enum souk_err
read_locked(struct commissions *c, struct fail *f)
{
	enum souk_err r = SOUK_OK;

	c->locked = calloc(c->n_locked + 1, sizeof(*c->locked));
	if (c->locked == NULL)
		return fail_set(
		    f, SOUK_E_NOMEM, "memory", "the locked runs do not fit into memory");
	for (size_t i = 0; i < c->n_locked && r == SOUK_OK; i++) {
		struct buf b = { 0 };

		r = io_read_file(c->locked_paths[i], LOCKED_BYTES_MAX, &b, f);
		if (r == SOUK_OK)
			r = locked_read(buf_str(&b), c->arena, &c->locked[i], f);
		buf_done(&b);
		if (r == SOUK_OK && !str_eq(c->locked[i].seller, c->set.seller))
			r = fail_field(
			    f, "--locked", "is another seller's run", "name runs of this seller");
	}
	return r;
}

static struct locked_run
as_locked(const struct commissions *c)
{
	return (struct locked_run){ .months = c->months,
		.seller = c->set.seller,
		.known_at = c->known_at_text != NULL ? str_c(c->known_at_text) : STR(""),
		.variant = c->variant == SALES_QUERY ? STR("query") : STR("report"),
		.plan_digest = str_c(c->plan_digest),
		.lines_digest = str_c(c->lines_digest),
		.approved_by = c->approved_by != NULL ? str_c(c->approved_by) : STR(""),
		.amounts = c->settlement.amounts,
		.n_amounts = c->settlement.n_amounts };
}

static enum souk_err
settle_run(struct commissions *c, struct fail *f)
{
	struct locked_run r;
	enum souk_err err = read_locked(c, f);

	if (err == SOUK_OK)
		err = settle(&c->run, c->months, c->locked, c->n_locked, &c->settlement, f);
	if (err != SOUK_OK)
		return err;
	text_digest(buf_str(&c->plan_bytes), c->plan_digest);
	lines_digest(c->set.lines, c->set.n, c->lines_digest);
	r = as_locked(c);
	run_digest(&r, c->digest);
	return SOUK_OK;
}

/* Whole or not at all, and never over another: written beside, then linked into place. */
static enum souk_err
put_lock(const char *path, struct str text, struct fail *f)
{
	char beside[4096];
	enum souk_err r;
	int linked;

	if ((size_t)snprintf(beside, sizeof(beside), "%s.%d.part", path, (int)getpid()) >=
	    sizeof(beside))
		return fail_field(f, "--lock", "is too long", "give a shorter name");
	r = io_write_file(beside, text, 0600, f);
	if (r != SOUK_OK)
		return r;
	linked = link(beside, path);
	if (linked != 0 && errno == EEXIST)
		r = fail_field(f, "--lock",
		    "is there already, and a locked run is never written again",
		    "name another file; to adjust it, run a later month with --locked");
	else if (linked != 0)
		r = fail_set(
		    f, SOUK_E_STORAGE, "lock", "%s cannot be made; check its folder", path);
	(void)unlink(beside);
	return r;
}

static enum souk_err
lock_run(struct commissions *c, struct fail *f)
{
	struct locked_run r = as_locked(c);
	struct buf b = { 0 };
	enum souk_err err;

	/* Not told here: who approves has read the simulation that ended with it. */
	if (strcmp(c->approve, c->digest) != 0)
		return fail_field(f, "--approve", "is not the digest of this run",
		    "the plan, the feeds or the options are not those of that simulation: simulate "
		    "again, read it, "
		    "approve that");
	locked_write(&r, &b);
	err = buf_ok(&b) ? put_lock(c->lock, buf_str(&b), f)
			 : fail_set(f, SOUK_E_NOMEM, "memory", "the run does not fit into memory");
	buf_done(&b);
	c->is_locked = err == SOUK_OK;
	return err;
}

/* ---- all together ---- */

/* False: there is no such person. */
static bool
find_manager(struct commissions *c)
{
	c->manager = NO_INDEX;
	for (uint32_t i = 0; i < c->p.n_representatives && c->team != NULL; i++)
		if (str_eq_c(c->p.representatives[i].id, c->team))
			c->manager = i;
	return c->team == NULL || c->manager != NO_INDEX;
}

static int
run_commissions(struct commissions *c)
{
	struct fail f = { 0 };
	enum souk_err r = country_load(&f);
	int code;

	if (r == SOUK_OK)
		r = currency_load(&f);
	if (r == SOUK_OK)
		r = company_load(&f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	code = read_plan(c, c->plan, &c->plan_bytes, &c->p);
	if (code != CLI_DONE)
		return code;
	if (!find_manager(c)) {
		(void)fail_field(&f, "--team", "is nobody of this plan", "give a manager's id");
		return cli_fail(&f, SOUK_E_INVALID);
	}
	r = load_lines(c, &f);
	if (r == SOUK_OK)
		r = compute(c, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	find_months(c);
	if (c->other_plan != NULL)
		return dry_run(c);
	r = settle_run(c, &f);
	if (r == SOUK_OK && c->lock != NULL)
		r = lock_run(c, &f);
	return r == SOUK_OK ? commissions_print(c) : cli_fail(&f, r);
}

int
cmd_commissions(int argc, char **argv)
{
	static const struct argp_option options[] = { { "help", '?', NULL, 0, "Print this", -1 },
		{ "usage", CLI_OPT_USAGE, NULL, 0, "Print the options only", 0 },
		{ "version", 'V', NULL, 0, "Print the version", 0 },
		{ "json", CLI_OPT_JSON, NULL, 0, "Print the summary as JSON, for scripts", 0 },
		{ "feeds", OPT_FEEDS, "DIR|s3://BUCKET/PREFIX", 0, "The folder of data feeds", 1 },
		CLI_ENDPOINT_OPTION,
		{ "plan", OPT_PLAN, "FILE", 0, "People, territories and rates (docs/edsp.md)", 1 },
		{ "month", OPT_MONTH, "YYYY-MM", 0,
		    "The month that is paid; earlier ones count for tiers", 1 },
		{ "all-months", OPT_ALL_MONTHS, NULL, 0, "All months in one", 1 },
		{ "seller", OPT_SELLER, "ID", 0,
		    "The seller, when the feeds hold revenue of several", 1 },
		{ "as-known-at", OPT_KNOWN_AT, "INSTANT", 0, "As the feeds were then", 1 },
		{ "variant", OPT_VARIANT, "report|query", 0,
		    "How lines are folded (default: report)", 1 },
		{ "lenient", OPT_LENIENT, NULL, 0, "Set bad rows aside instead of stopping", 1 },
		{ "rejects", OPT_REJECTS, "FILE", 0, "With --lenient: where to write them", 1 },
		{ "threads", OPT_THREADS, "N", 0, "For reading (default: as many as processors)",
		    1 },
		{ "representative", OPT_REPRESENTATIVE, "ID", 0, "One person's statement only", 2 },
		{ "team", OPT_TEAM, "ID", 0,
		    "The statements of this manager and of who reports to them, and nobody else's",
		    2 },
		{ "format", OPT_FORMAT, "csv|xlsx|html|json", 0, "Of statements (default: csv)",
		    2 },
		{ "output", 'o', "DIR", 0, "Where statements go; with --representative a file", 2 },
		{ "simulate", OPT_SIMULATE, NULL, 0, "Approve nothing (default)", 3 },
		{ "lock", OPT_LOCK, "FILE", 0, "Lock the run in FILE", 3 },
		{ "approve", OPT_APPROVE, "DIGEST", 0, "The digest that the simulation ended with",
		    3 },
		{ "approved-by", OPT_APPROVED_BY, "TEXT", 0, "Who approved it", 3 },
		{ "locked", OPT_LOCKED, "FILE", 0,
		    "A run locked earlier: adjust it; may be given often", 3 },
		{ "dry-run", OPT_DRY_RUN, "PLAN", 0, "List the lines that another plan would move",
		    4 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Pays sales people from the seller's data feeds by a plan: a statement for each, "
		"in which "
		"every amount names its line, rule, rate and arithmetic.\v"
		"Example: souk commissions --feeds ./feeds --month 2026-01 --plan plan.json -o "
		"statements",
		NULL, NULL, NULL };
	struct commissions c = { .common.optional = true, .known_at = INSTANT_NONE };
	int code;

	cli_parse(&argp, argc, argv, &c.common, &c);
	(void)umask(077); /* statements are confidential */
	c.arena = arena_new(ARENA_LIMIT);
	code = c.arena != NULL ? run_commissions(&c) : cli_fail_plain(SOUK_E_NOMEM, "commissions");
	settlement_done(&c.settlement);
	commission_run_done(&c.run);
	territory_index_free(c.index);
	line_set_done(&c.set);
	buf_done(&c.plan_bytes);
	free(c.locked);
	arena_free(c.arena);
	return code;
}
