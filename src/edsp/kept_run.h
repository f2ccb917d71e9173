/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commission runs over the feeds that souk keeps of a seller (specs/edsp.md 1.2).
 *
 * A run is started, computed by a job, read, approved by its digest and so locked. What it came to is written once and never
 * edited: a later run owes what changed since in adjustments (locked.h). A simulation is the same without an end;
 * a dry run tells which lines another plan would give to somebody else. Who may is the caller's to know (grant.h).
 */
#ifndef SOUK_EDSP_KEPT_RUN_H
#define SOUK_EDSP_KEPT_RUN_H

#include "base/arena.h"
#include "base/json.h"
#include "delivery/request_job.h"
#include "edsp/statement.h"
#include "market/page.h"

#define COMMISSION_RUN_JOB "commission-run"
#define RUN_ALL_MONTHS (-1)

enum kept_run_kind { RUN_PAY, RUN_SIMULATION, RUN_DRY, RUN__COUNT };
extern const char *const kept_run_kind_words[RUN__COUNT]; /* "run", "simulation", "dry-run" */
enum kept_run_state { RUN_WAITING, RUN_DONE, RUN_FAILED, RUN_LOCKED, RUN_STATE__COUNT };
extern const char *const kept_run_state_words[RUN_STATE__COUNT];

/* Slices are borrowed, or live in the arena named in the call. */
struct kept_run {
	struct guid id;
	enum kept_run_kind kind;
	int32_t month; /* since year 0; RUN_ALL_MONTHS: of a dry run */
	instant_t known_at;
	struct guid plan_id, draft_id; /* draft: of a dry run, the plan that is tried */
	enum kept_run_state state;
	struct str digest, reason;
	int64_t locks_seen; /* locked runs counted in */
	int64_t lines, statements, queued, adjustments, moved;
	struct guid started_user;
	struct str started_by, approved_by;
	instant_t started_at, finished_at, approved_at; /* 0: not yet */
};

/* What is asked for. */
struct run_request {
	int32_t month;
	instant_t known_at; /* 0: now */
	bool simulate;
	struct str plan; /* of a dry run: the plan's text; p NULL: no dry run */
};
/* A run or a simulation. Every offending member is named. */
SOUK_MUST enum souk_err run_request_parse(const json_t *o, struct run_request *ret, struct fail *f);
/* A dry run, all but the plan's text; *ret_plan is the member. */
SOUK_MUST enum souk_err run_request_parse_dry(
    const json_t *o, struct run_request *ret, const json_t **ret_plan, struct fail *f);

/*
 * Keeps it and puts its job. SOUK_E_CONFLICT: "no_plan"; "month_locked". `io` gets what was made.
 */
SOUK_MUST enum souk_err kept_run_start(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, struct str seller_id, const struct guid *user_id,
    const struct run_request *q, struct arena *mem, struct kept_run *ret, struct fail *f);
SOUK_MUST enum souk_err kept_run_get(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct kept_run *ret);
/* A page, newest first; with `locked_only` the others are left out, and so is what only finance needs. */
SOUK_MUST enum souk_err kept_run_list(struct db_tx *tx, struct str seller_id, struct page *p,
    bool locked_only, struct arena *mem, struct jw *out, struct fail *f);
void kept_run_json(const struct kept_run *r, bool all, struct jw *out, const char *key);

/*
 * Locks it. SOUK_E_CONFLICT: "not_approvable" (a simulation, not done, locked), "stale_run" (another was locked since),
 * "second_person" (who started it, where two people are wanted). SOUK_E_INVALID: "digest" is not this run's.
 */
SOUK_MUST enum souk_err kept_run_approve(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const struct guid *id, const struct guid *user_id, struct str digest,
    struct arena *mem, struct kept_run *ret, struct fail *f);

/* ---- what it came to ---- */

enum run_form { FORM_CSV, FORM_JSON, FORM_HTML, FORM_XLSX, FORM__COUNT };
extern const char *const run_form_words[FORM__COUNT + 1]; /* NULL at the end */
/* Names of the documents of a run; in `out`. */
#define RUN_DOCUMENT_MAX 96
void run_statement_name(struct str representative, enum run_form form, bool buyer_columns,
    bool locked, char out[RUN_DOCUMENT_MAX]);
#define RUN_QUEUE "queue" /* and with buyer columns: */
#define RUN_QUEUE_BUYER "queue+"
#define RUN_MOVED "moved"
#define RUN_MOVED_BUYER "moved+"
#define RUN_LOCKED_FORM "locked" /* as locked.h reads it */

/* The job kind above; ctx is a struct request_job_ctx. */
enum job_outcome edsp_job_commissions(
    void *ctx, struct db *db, const struct job *j, struct fail *f);
/* Hook for dead letters: the run failed, and why. */
SOUK_MUST enum souk_err edsp_job_commissions_dead(
    void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);

#endif
