/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job behind a commission run: plan, kept feeds and locked runs to one sealed object with all documents.
 *
 * Nothing is shown half: the object, the run's figures and the job's end are one transaction. Plain text of a
 * workbook, which its library writes to files, is in memory only (/dev/shm).
 */
#include "edsp/kept_run.h"

#include "audit/audit.h"
#include "base/io.h"
#include "edsp/commission_store.h"
#include "edsp/enrol.h"
#include "edsp/feed_objects.h"
#include "edsp/kept_plan.h"
#include "edsp/line_feeds.h"
#include "edsp/locked.h"
#include "edsp/run_archive.h"
#include "market/tenant_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARENA_LIMIT ((size_t)2 << 30)
#define LOCKED_MAX 1200 /* a hundred years of months */
#define BOOK_MAX ((size_t)256 << 20)

struct paying {
	const struct request_job_ctx *ctx;
	struct db *db;
	const struct job *job;
	struct fail *f;
	struct arena *mem;
	struct kept_run run;
	bool over; /* it ended before: nothing to do but to end the job */
	/* what it is computed from */
	struct plan plan, other; /* other: of a dry run */
	struct str plan_text;
	struct guid *locked_ids;
	struct locked_run *locked;
	size_t n_locked;
	struct line_set set;
	/* what it comes to */
	struct territory_index *index, *other_index;
	struct commission_run got, would_be;
	struct settlement settlement;
	struct month_range months;
	char known_at[INSTANT_TEXT_LEN + 1];
	char plan_digest[DIGEST_TEXT_SIZE], lines_digest[DIGEST_TEXT_SIZE],
	    digest[DIGEST_TEXT_SIZE];
	struct run_archive *archive;
};

static struct str
seller_of(const struct paying *x)
{
	return str_c(x->job->seller_id);
}

/* ---- what it is computed from ---- */

static enum souk_err
check_enrolled(struct paying *x, struct db_tx *tx)
{
	bool in = false;
	enum souk_err r = edsp_participates(tx, seller_of(x), &in);

	if (r == SOUK_OK && !in)
		return fail_set(x->f, SOUK_E_DENIED, "not_enrolled",
		    "The seller is not enrolled in enhanced data sharing.");
	return r;
}

static enum souk_err
load_locked_ids(struct paying *x, struct db_tx *tx)
{
	struct db_stmt *st;
	enum souk_err r;
	bool row;

	if (!(x->locked_ids = arena_array(x->mem, LOCKED_MAX, sizeof(*x->locked_ids))))
		return SOUK_E_NOMEM;
	x->n_locked = 0;
	st = run_rows_locked(tx, seller_of(x));
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		if (x->n_locked == LOCKED_MAX) {
			db_reset(st);
			return fail_set(x->f, SOUK_E_LIMIT, "too_many_locked",
			    "There are more than %d locked runs.", LOCKED_MAX);
		}
		x->locked_ids[x->n_locked++] = db_guid(st, 0);
	}
	return r;
}

static enum souk_err
load_tx(struct db_tx *tx, void *arg)
{
	struct paying *x = arg;
	struct vault *v = x->ctx->vault;
	enum souk_err r = run_row_load(tx, seller_of(x), &x->job->request_id, x->mem, &x->run);

	x->over = r == SOUK_E_NOT_FOUND || (r == SOUK_OK && x->run.state != RUN_WAITING);
	if (x->over)
		return SOUK_OK;
	if (r != SOUK_OK || (r = check_enrolled(x, tx)) != SOUK_OK ||
	    (r = kept_plan_load(
		 tx, v, seller_of(x), &x->run.plan_id, x->mem, &x->plan, &x->plan_text)) != SOUK_OK)
		return r;
	if (x->run.kind == RUN_DRY)
		return kept_plan_load(
		    tx, v, seller_of(x), &x->run.draft_id, x->mem, &x->other, NULL);
	return load_locked_ids(x, tx);
}

static enum souk_err
load_locked(struct paying *x)
{
	enum souk_err r = SOUK_OK;

	if (!(x->locked = arena_array(x->mem, x->n_locked + 1, sizeof(*x->locked))))
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < x->n_locked && r == SOUK_OK; i++) {
		struct buf b = { 0 };

		r = run_archive_read(x->db, x->ctx->to.objects, seller_of(x), &x->locked_ids[i],
		    RUN_LOCKED_FORM, &b);
		if (r == SOUK_OK)
			r = locked_read(buf_str(&b), x->mem, &x->locked[i], x->f);
		buf_done(&b);
		if (r == SOUK_OK && !str_eq(x->locked[i].seller, x->set.seller))
			r = fail_set(x->f, SOUK_E_CONFLICT, "other_feeds",
			    "The feeds kept now are another account's than those of the locked "
			    "runs.");
	}
	return r;
}

static bool
pays_disbursed(const struct plan *p)
{
	for (size_t i = 0; i < p->n_rates; i++)
		if (p->rates[i].pay == PAY_DISBURSED)
			return true;
	return false;
}

static enum souk_err
load_lines(struct paying *x)
{
	struct line_request q = { .variant = SALES_REPORT,
		.known_at = x->run.known_at,
		.month_until = x->run.month == RUN_ALL_MONTHS ? MONTHS_TO : x->run.month,
		.seller = seller_of(x),
		.payouts = pays_disbursed(&x->plan) || pays_disbursed(&x->other),
		.threads = 1 };
	struct feed_source *source = NULL;
	enum souk_err r =
	    feed_objects_source(x->db, x->ctx->to.objects, seller_of(x), &source, x->f);

	if (r == SOUK_E_NOT_FOUND)
		return fail_set(x->f, r, "no_feeds", "There are no data feeds of the seller here.");
	if (r != SOUK_OK)
		return r;
	q.source = source;
	r = lines_from_feeds(&q, &x->set, x->f);
	feed_source_free(source);
	return r;
}

/* ---- computing ---- */

static struct locked_run
as_locked(const struct paying *x)
{
	return (struct locked_run){ .months = x->months,
		.seller = x->set.seller,
		.known_at = str_c(x->known_at),
		.variant = STR("report"),
		.plan_digest = str_c(x->plan_digest),
		.lines_digest = str_c(x->lines_digest),
		.approved_by = STR(""), /* the run's row says who */
		.amounts = x->settlement.amounts,
		.n_amounts = x->settlement.n_amounts };
}

static enum souk_err
compute(struct paying *x)
{
	struct locked_run l;
	enum souk_err r;

	instant_format(x->run.known_at, x->known_at);
	x->months = x->run.month == RUN_ALL_MONTHS
			? (struct month_range){ MONTHS_FROM, MONTHS_TO }
			: (struct month_range){ x->run.month, x->run.month };
	if ((r = territory_index_new(&x->plan, &x->index, x->f)) != SOUK_OK ||
	    (r = commission_compute(
		 &x->plan, x->index, x->set.lines, x->set.n, 1, &x->got, x->f)) != SOUK_OK)
		return r;
	if (x->run.kind == RUN_DRY) {
		if ((r = territory_index_new(&x->other, &x->other_index, x->f)) != SOUK_OK)
			return r;
		return commission_compute(
		    &x->other, x->other_index, x->set.lines, x->set.n, 1, &x->would_be, x->f);
	}
	if ((r = load_locked(x)) != SOUK_OK || (r = settle(&x->got, x->months, x->locked,
						    x->n_locked, &x->settlement, x->f)) != SOUK_OK)
		return r;
	text_digest(x->plan_text, x->plan_digest);
	lines_digest(x->set.lines, x->set.n, x->lines_digest);
	l = as_locked(x);
	run_digest(&l, x->digest);
	return SOUK_OK;
}

/* ---- documents ---- */

/* The name is the library's to choose below a folder of ours, in memory. */
static enum souk_err
workbook(const struct statement *s, struct buf *out, struct fail *f)
{
	char dir[] = "/dev/shm/souk-XXXXXX", path[sizeof(dir) + 16];
	enum souk_err r;

	if (!mkdtemp(dir))
		return fail_set(f, SOUK_E_UNAVAILABLE, "no_memory_files",
		    "A workbook cannot be made: /dev/shm is not there or full.");
	(void)snprintf(path, sizeof(path), "%s/s.xlsx", dir);
	if ((r = statement_xlsx(s, path, f)) == SOUK_OK)
		r = io_read_file(path, BOOK_MAX, out, f);
	(void)unlink(path);
	(void)rmdir(dir);
	return r;
}

static enum souk_err
add(struct paying *x, const char *name, struct buf *b)
{
	enum souk_err r = buf_ok(b) ? run_archive_add(x->archive, name, buf_str(b)) : SOUK_E_NOMEM;

	buf_done(b);
	return r;
}

static enum souk_err
add_statement(struct paying *x, const struct statement *s, bool buyer_columns)
{
	char name[RUN_DOCUMENT_MAX];
	enum souk_err r = SOUK_OK;

	for (int form = 0; form < FORM__COUNT && r == SOUK_OK; form++) {
		struct buf b = { 0 };

		switch ((enum run_form)form) {
		case FORM_CSV:
			statement_csv(s, true, &b);
			break;
		case FORM_JSON:
			statement_json(s, &b);
			break;
		case FORM_HTML:
			statement_html(s, &b);
			break;
		case FORM_XLSX:
			r = workbook(s, &b, x->f);
			break;
		case FORM__COUNT:
			break;
		}
		run_statement_name(x->plan.representatives[s->representative].id,
		    (enum run_form)form, buyer_columns, s->locked, name);
		if (r == SOUK_OK)
			r = add(x, name, &b);
		buf_done(&b);
	}
	return r;
}

/* As it is shown before and after the approval: nothing is made anew then. */
static enum souk_err
add_statements(struct paying *x, bool buyer_columns)
{
	enum souk_err r = SOUK_OK;

	x->run.statements = 0;
	for (uint32_t i = 0; i < x->plan.n_representatives && r == SOUK_OK; i++) {
		struct statement s = { .run = &x->got,
			.representative = i,
			.months = x->months,
			.known_at = x->known_at,
			.digest = x->digest };

		s.adjustments =
		    settlement_of(&x->settlement, x->plan.representatives[i].id, &s.n_adjustments);
		if (statement_is_empty(&s))
			continue;
		if (x->ctx->jobs && job_should_stop(*x->ctx->jobs, x->job))
			return SOUK_E_UNAVAILABLE;
		x->run.statements++;
		r = add_statement(x, &s, buyer_columns);
		s.locked = true;
		if (r == SOUK_OK && x->run.kind == RUN_PAY)
			r = add_statement(x, &s, buyer_columns);
	}
	return r;
}

static enum souk_err
add_queue(struct paying *x, bool buyer_columns)
{
	struct suggester *s = NULL;
	struct buf b = { 0 };
	enum souk_err r = suggester_new(x->index, &x->got, &s);

	if (r != SOUK_OK)
		return r;
	queue_csv(&x->got, s, x->months, &b);
	suggester_free(s);
	return add(x, buyer_columns ? RUN_QUEUE_BUYER : RUN_QUEUE, &b);
}

static enum souk_err
add_moved(struct paying *x, bool buyer_columns)
{
	struct buf b = { 0 };
	size_t n = 0;
	enum souk_err r = moved_lines_csv(&x->got, &x->would_be, x->months, &b, &n);

	x->run.moved = (int64_t)n;
	if (r != SOUK_OK) {
		buf_done(&b);
		return r;
	}
	return add(x, buyer_columns ? RUN_MOVED_BUYER : RUN_MOVED, &b);
}

static enum souk_err
add_locked(struct paying *x)
{
	struct locked_run l = as_locked(x);
	struct buf b = { 0 };

	locked_write(&l, &b);
	return add(x, RUN_LOCKED_FORM, &b);
}

/* What tells who a buyer is (EDSP-U3); what was sold, for how much and by which rule stays. */
static void
blank_buyers(struct line_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		struct commission_line *l = &set->lines[i];
		struct str *const all[] = { &l->payer_number, &l->payer_id, &l->country, &l->state,
			&l->city, &l->postal_code, &l->email_domain, &l->company, &l->end_user,
			&l->end_user_number };

		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			*all[k] = STR("");
	}
}

static enum souk_err
add_documents(struct paying *x, bool buyer_columns)
{
	enum souk_err r;

	if (x->run.kind == RUN_DRY)
		return add_moved(x, buyer_columns);
	r = add_statements(x, buyer_columns);
	return r == SOUK_OK ? add_queue(x, buyer_columns) : r;
}

static void
count(struct paying *x)
{
	x->run.lines = (int64_t)x->set.n;
	x->run.adjustments = (int64_t)x->settlement.n_adjustments;
	x->run.queued = 0;
	x->run.locks_seen = (int64_t)x->n_locked;
	x->run.digest = str_c(x->digest);
	x->run.state = RUN_DONE;
	for (size_t i = 0; i < x->got.n_queue; i++) {
		int32_t m = plan_period_of(
		    PERIOD_MONTH, day_of(x->set.lines[x->got.queue[i].line].invoice_date));

		x->run.queued += m >= x->months.from && m <= x->months.until;
	}
}

static enum souk_err
write_archive(struct paying *x)
{
	enum souk_err r = run_archive_new(x->ctx->to.objects, seller_of(x), &x->archive);

	if (r != SOUK_OK)
		return r;
	count(x);
	if (x->run.kind == RUN_PAY)
		r = add_locked(x);
	if (r == SOUK_OK)
		r = add_documents(x, true);
	blank_buyers(&x->set);
	if (r == SOUK_OK)
		r = add_documents(x, false);
	return r == SOUK_OK ? run_archive_close(x->archive) : r;
}

/* ---- the end ---- */

static enum souk_err
append_audit(struct paying *x, struct db_tx *tx)
{
	struct tenant_scope scope = tenant_for_job(seller_of(x), COMMISSION_RUN_JOB);
	char resource[64], id[GUID_TEXT_LEN + 1];

	guid_format(&x->run.id, id);
	(void)snprintf(resource, sizeof(resource), "commission-run/%s", id);
	return audit_append(tx, x->ctx->vault,
	    &(struct audit_entry){ .account_id = seller_of(x),
		.actor = tenant_actor(&scope),
		.action = "edsp:CommissionRun",
		.resource = str_c(resource),
		.seller_id = seller_of(x),
		.purpose = STR("field-sales-compensation"),
		.count = x->run.lines });
}

static enum souk_err
end_tx(struct db_tx *tx, void *arg)
{
	struct paying *x = arg;
	enum souk_err r;

	if (x->over)
		return job_finish(tx, x->job);
	if ((r = check_enrolled(x, tx)) != SOUK_OK ||
	    (r = run_archive_commit(tx, x->archive, &x->run.id, x->f)) != SOUK_OK ||
	    (r = run_row_end(tx, seller_of(x), &x->run)) != SOUK_OK)
		return r;
	if (x->run.kind == RUN_DRY &&
	    (r = kept_plan_drop(tx, seller_of(x), &x->run.draft_id)) != SOUK_OK)
		return r;
	r = append_audit(x, tx);
	return r == SOUK_OK ? job_finish(tx, x->job) : r;
}

static enum souk_err
pay(struct paying *x)
{
	enum souk_err r = db_read(x->db, load_tx, x);

	if (r == SOUK_OK && !x->over && (r = load_lines(x)) == SOUK_OK &&
	    (r = compute(x)) == SOUK_OK)
		r = write_archive(x);
	return r == SOUK_OK ? db_write(x->db, end_tx, x) : r;
}

/* What plan and feeds are will be the same next time. */
static bool
is_final(enum souk_err r)
{
	return r == SOUK_E_INVALID || r == SOUK_E_DENIED || r == SOUK_E_NOT_FOUND ||
	       r == SOUK_E_LIMIT;
}

enum job_outcome
edsp_job_commissions(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct paying x = { .ctx = ctx, .db = db, .job = j, .f = f };
	enum souk_err r = SOUK_E_NOMEM;
	bool final;

	if ((x.mem = arena_new(ARENA_LIMIT)))
		r = pay(&x);
	run_archive_free(x.archive);
	settlement_done(&x.settlement);
	commission_run_done(&x.would_be);
	commission_run_done(&x.got);
	territory_index_free(x.other_index);
	territory_index_free(x.index);
	line_set_done(&x.set);
	arena_free(x.mem);
	if (r == SOUK_OK)
		return JOB_DONE;
	/* A conflict without words is a lost lease: somebody else has the job. */
	final = is_final(r) || (r == SOUK_E_CONFLICT && f->err == SOUK_E_CONFLICT);
	if (f->err == SOUK_OK)
		(void)fail_set(f, r, "commissions", "The run could not be computed.");
	return final ? JOB_DEAD : JOB_RETRY;
}

enum souk_err
edsp_job_commissions_dead(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct kept_run run = { .id = j->request_id, .state = RUN_FAILED, .digest = STR("") };
	struct arena *mem = arena_new(65536);
	struct kept_run was;
	char reason[256];
	enum souk_err r;

	(void)ctx;
	if (!mem)
		return SOUK_E_NOMEM;
	fail_line(f, reason, sizeof(reason));
	run.reason = str_c(reason);
	r = run_row_load(tx, str_c(j->seller_id), &j->request_id, mem, &was);
	if (r == SOUK_OK && was.state == RUN_WAITING)
		r = run_row_end(tx, str_c(j->seller_id), &run);
	if (r == SOUK_OK && was.kind == RUN_DRY)
		r = kept_plan_drop(tx, str_c(j->seller_id), &was.draft_id);
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}
