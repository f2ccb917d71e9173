/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, showing and approving commission runs; see kept_run.h. The computing is in run_job.c. */
#include "edsp/kept_run.h"

#include "edsp/commission_store.h"
#include "edsp/kept_plan.h"
#include "feeds/events.h"
#include "market/check.h"

#include <stdio.h>

const char *const kept_run_kind_words[RUN__COUNT] = {
	[RUN_PAY] = "run", [RUN_SIMULATION] = "simulation", [RUN_DRY] = "dry-run"
};
const char *const kept_run_state_words[RUN_STATE__COUNT] = { [RUN_WAITING] = "waiting",
	[RUN_DONE] = "done",
	[RUN_FAILED] = "failed",
	[RUN_LOCKED] = "locked" };
const char *const run_form_words[FORM__COUNT + 1] = {
	[FORM_CSV] = "csv", [FORM_JSON] = "json", [FORM_HTML] = "html", [FORM_XLSX] = "xlsx"
};

/* ---- asking ---- */

static void
check_month(struct check *c, const struct json_member *m, int32_t *io)
{
	int32_t month;

	if (!m->got)
		return;
	if (!month_parse(json_member_str(m), &month) || month < MONTHS_FROM)
		check_fail(c, m->name, "is no month", "write it as 2026-01");
	else
		*io = month;
}

static void
check_known_at(struct check *c, const struct json_member *m, instant_t *io)
{
	if (m->got && (!instant_parse(json_member_str(m), io) || *io <= 0))
		check_fail(c, m->name, "is not an instant", "write it as 2026-01-31T00:00:00Z");
}

enum souk_err
run_request_parse(const json_t *o, struct run_request *ret, struct fail *f)
{
	struct json_member m[] = { { .name = "month", .kind = JSON_K_STR, .required = true },
		{ .name = "knownAt", .kind = JSON_K_STR },
		{ .name = "simulate", .kind = JSON_K_BOOL } };
	struct run_request q = { .month = RUN_ALL_MONTHS };
	struct check c = { .f = f };

	if ((c.err = json_take(o, m, 3, f)) != SOUK_OK)
		return c.err;
	check_month(&c, &m[0], &q.month);
	check_known_at(&c, &m[1], &q.known_at);
	check_bool(&m[2], &q.simulate);
	if (c.err == SOUK_OK)
		*ret = q;
	return c.err;
}

enum souk_err
run_request_parse_dry(
    const json_t *o, struct run_request *ret, const json_t **ret_plan, struct fail *f)
{
	struct json_member m[] = { { .name = "plan", .kind = JSON_K_OBJ, .required = true },
		{ .name = "month", .kind = JSON_K_STR },
		{ .name = "knownAt", .kind = JSON_K_STR } };
	struct run_request q = { .month = RUN_ALL_MONTHS };
	struct check c = { .f = f };

	if ((c.err = json_take(o, m, 3, f)) != SOUK_OK)
		return c.err;
	check_month(&c, &m[1], &q.month);
	check_known_at(&c, &m[2], &q.known_at);
	if (c.err != SOUK_OK)
		return c.err;
	*ret = q;
	*ret_plan = m[0].got;
	return SOUK_OK;
}

/* ---- starting ---- */

static enum souk_err
check_open(struct db_tx *tx, struct str seller_id, const struct run_request *q, struct fail *f)
{
	bool locked = false;
	enum souk_err r = run_row_month_locked(tx, seller_id, q->month, &locked);

	if (r == SOUK_OK && locked)
		return fail_set(f, SOUK_E_CONFLICT, "month_locked",
		    "The month is locked; run a later one, which adjusts it.");
	return r;
}

enum souk_err
kept_run_start(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    struct str seller_id, const struct guid *user_id, const struct run_request *q,
    struct arena *mem, struct kept_run *ret, struct fail *f)
{
	struct kept_run run = { .id = guid_new(),
		.kind = q->plan.p     ? RUN_DRY
			: q->simulate ? RUN_SIMULATION
				      : RUN_PAY,
		.month = q->month,
		.known_at = q->known_at != 0 ? q->known_at : db_now(tx),
		.started_user = *user_id,
		.started_by = tenant_actor(s) };
	struct job_new job = { .kind = COMMISSION_RUN_JOB,
		.seller_id = seller_id,
		.request_id = &run.id,
		.payload = STR("{}") };
	struct guid job_id;
	int64_t revision;
	enum souk_err r;

	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	r = kept_plan_newest(tx, seller_id, &run.plan_id, &revision);
	if (r == SOUK_E_NOT_FOUND)
		return fail_set(
		    f, SOUK_E_CONFLICT, "no_plan", "There is no commission plan; put one first.");
	if (r == SOUK_OK && run.kind != RUN_DRY)
		r = check_open(tx, seller_id, q, f);
	if (r == SOUK_OK && run.kind == RUN_DRY)
		r = kept_plan_draft(tx, v, s, seller_id, q->plan, &run.draft_id);
	if (r != SOUK_OK || (r = run_row_put(tx, seller_id, &run)) != SOUK_OK ||
	    (r = job_put(tx, &job, &job_id)) != SOUK_OK)
		return r;
	return run_row_load(tx, seller_id, &run.id, mem, ret);
}

/* ---- showing ---- */

enum souk_err
kept_run_get(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct kept_run *ret)
{
	return run_row_load(tx, seller_id, id, mem, ret);
}

static void
details_json(const struct kept_run *r, struct jw *out)
{
	jw_c(out, "kind", kept_run_kind_words[r->kind]);
	jw_str(out, "digest", r->digest);
	jw_int(out, "lines", r->lines);
	jw_int(out, "statements", r->statements);
	jw_int(out, "queued", r->queued);
	jw_int(out, "adjustments", r->adjustments);
	jw_int(out, "moved", r->moved);
	jw_str_opt(out, "reason", r->reason);
	jw_str(out, "startedBy", r->started_by);
	jw_instant(out, "startedAt", r->started_at);
	json_instant_opt(out, "finishedAt", r->finished_at);
	jw_str_opt(out, "approvedBy", r->approved_by);
}

void
kept_run_json(const struct kept_run *r, bool all, struct jw *out, const char *key)
{
	char month[MONTH_TEXT_SIZE];

	jw_open(out, key, '{');
	jw_guid(out, "runId", &r->id);
	if (r->month == RUN_ALL_MONTHS)
		jw_null(out, "month");
	else {
		month_format(r->month, month);
		jw_c(out, "month", month);
	}
	jw_instant(out, "knownAt", r->known_at);
	jw_c(out, "state", kept_run_state_words[r->state]);
	json_instant_opt(out, "approvedAt", r->approved_at);
	if (all)
		details_json(r, out);
	jw_close(out, '}');
}

/* A page's key: when it was started, and its id. */
struct run_key {
	instant_t started_at;
	struct guid id;
};

static size_t
emit(struct db_stmt *st, struct jw *out, void *key, bool all)
{
	struct run_key k;
	struct kept_run run;

	run_row(st, &run);
	kept_run_json(&run, all, out, NULL);
	k = (struct run_key){ run.started_at, run.id };
	memcpy(key, &k, sizeof(k));
	return sizeof(k);
}

static size_t
emit_all(struct db_stmt *st, struct jw *out, void *key)
{
	return emit(st, out, key, true);
}

static size_t
emit_shown(struct db_stmt *st, struct jw *out, void *key)
{
	return emit(st, out, key, false);
}

enum souk_err
kept_run_list(struct db_tx *tx, struct str seller_id, struct page *p, bool locked_only,
    struct arena *mem, struct jw *out, struct fail *f)
{
	struct run_key key = { .started_at = 0 };
	size_t n;
	enum souk_err r = page_begin(p, &key, sizeof(key), &n, f);

	if (r != SOUK_OK)
		return r;
	if (n == 0)
		key.started_at = INT64_MAX;
	else if (n != sizeof(key))
		return page_bad_cursor(f);
	return page_rows(p,
	    run_rows(tx, seller_id, locked_only, key.started_at, &key.id, p->limit + 1),
	    locked_only ? emit_shown : emit_all, mem, out);
}

/* ---- approving ---- */

static enum souk_err
check_approvable(const struct kept_run *run, struct str digest, int64_t locked, struct fail *f)
{
	if (run->kind != RUN_PAY || run->state != RUN_DONE)
		return fail_set(f, SOUK_E_CONFLICT, "not_approvable",
		    run->kind != RUN_PAY       ? "A simulation is not approved; start a run."
		    : run->state == RUN_LOCKED ? "The run is approved and locked already."
					       : "The run is not done.");
	if (!str_eq(run->digest, digest))
		return fail_field(f, "digest", "is not the digest of this run",
		    "read the run, and give the digest that it shows");
	if (run->locks_seen != locked)
		return fail_set(f, SOUK_E_CONFLICT, "stale_run",
		    "Another run was locked since; start this one again.");
	return SOUK_OK;
}

static enum souk_err
check_person(struct db_tx *tx, struct str seller_id, const struct kept_run *run,
    const struct guid *user_id, struct fail *f)
{
	bool two = false;
	int64_t revision;
	enum souk_err r = setting_row_get(tx, seller_id, &two, &revision);

	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	/* The person, not the login: a second token makes nobody two. */
	if (two && memcmp(run->started_user.b, user_id->b, sizeof(user_id->b)) == 0)
		return fail_set(f, SOUK_E_CONFLICT, "second_person",
		    "Somebody else than who started the run has to approve it.");
	return SOUK_OK;
}

enum souk_err
kept_run_approve(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct guid *id, const struct guid *user_id, struct str digest, struct arena *mem,
    struct kept_run *ret, struct fail *f)
{
	struct kept_run run;
	bool month_locked = false;
	int64_t locked = 0;
	enum souk_err r;

	if ((r = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (r = run_row_load(tx, seller_id, id, mem, &run)) != SOUK_OK ||
	    (r = run_row_count_locked(tx, seller_id, &locked)) != SOUK_OK ||
	    (r = check_approvable(&run, digest, locked, f)) != SOUK_OK ||
	    (r = check_person(tx, seller_id, &run, user_id, f)) != SOUK_OK ||
	    (r = run_row_month_locked(tx, seller_id, run.month, &month_locked)) != SOUK_OK)
		return r;
	if (month_locked)
		return fail_set(f, SOUK_E_CONFLICT, "month_locked", "The month is locked.");
	if ((r = run_row_lock(tx, seller_id, id, user_id, tenant_actor(s))) != SOUK_OK)
		return r;
	return run_row_load(tx, seller_id, id, mem, ret);
}

/* ---- documents ---- */

void
run_statement_name(struct str representative, enum run_form form, bool buyer_columns, bool locked,
    char out[RUN_DOCUMENT_MAX])
{
	(void)snprintf(out, RUN_DOCUMENT_MAX, "%s%s/%.*s.%s", locked ? "locked" : "open",
	    buyer_columns ? "+" : "", (int)(representative.n < 64 ? representative.n : 64),
	    representative.p, run_form_words[form]);
}
