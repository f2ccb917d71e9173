/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job behind a change set.
 *
 * First everything is tried in a transaction that is undone: errors, or what the gate has to know. Then one transaction
 * says how it goes on: FAILED, waiting, APPLYING. The last one makes the changes and says SUCCEEDED, or says
 * nothing at all; whoever takes the job over after a crash finds where it stood.
 */
#include "proserv/change_int.h"

#include "audit/audit.h"
#include "market/tenant_make.h"
#include "proserv/logo_store.h"
#include "proserv/review_gate.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_LIMIT ((size_t)512 << 20)

struct changing {
	const struct change_job_ctx *ctx;
	const struct job *job;
	struct db *db;
	struct fail *f;
	struct tenant_scope scope;
	struct arena *mem, *tried; /* tried: of one run of a transaction's function */
	struct change_set_row row;
	json_t *kept;
	struct change_request q;
	struct work *w;
	struct logos *logos;
	bool keep;   /* the changes are to stay */
	bool undone; /* the transaction came to its end and was undone on purpose */
	bool over;   /* the set has ended, or waits: nothing is left to do but to end the job */
	struct buf reasons;
};

static struct str
seller_of(const struct changing *x)
{
	return str_c(x->job->seller_id);
}

static enum souk_err
load_tx(struct db_tx *tx, void *arg)
{
	struct changing *x = arg;
	enum souk_err r =
	    change_set_row_find(tx, seller_of(x), &x->job->request_id, x->mem, &x->row);

	x->over =
	    r == SOUK_E_NOT_FOUND || (r == SOUK_OK && (x->row.ended_at != 0 || x->row.waiting));
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

static enum souk_err
load(struct changing *x)
{
	enum souk_err r = db_read(x->db, load_tx, x);

	if (r != SOUK_OK || x->over)
		return r;
	if ((r = json_read(x->row.changes, &x->kept, x->f)) != SOUK_OK)
		return SOUK_E_INTERNAL;
	return changes_read(x->kept, x->mem, &x->q);
}

/* ---- making them ----------------------------------------------------------------------- */

/* Errors live in the arena of the run: they are kept beyond it. */
static enum souk_err
keep_errors(struct changing *x)
{
	for (size_t i = 0; i < x->q.n; i++) {
		struct change *c = &x->q.v[i];
		struct change_error *v = arena_array(x->mem, c->n_errors + 1, sizeof(*v));

		if (!v)
			return SOUK_E_NOMEM;
		for (size_t k = 0; k < c->n_errors; k++) {
			v[k] = (struct change_error){ .code = NULL };
			v[k].code = arena_strdup(x->mem, c->errors[k].code);
			v[k].message = arena_strdup(x->mem, c->errors[k].message);
			if (!v[k].code || !v[k].message)
				return SOUK_E_NOMEM;
		}
		c->errors = v;
	}
	return SOUK_OK;
}

static enum souk_err
end_set(struct changing *x, struct db_tx *tx, enum change_status was, enum change_status to)
{
	char id[GUID_TEXT_LEN + 1];
	struct buf changes = { 0 };
	bool found = false;
	enum souk_err r;

	guid_format(&x->row.id, id);
	x->row.status = to;
	x->row.ended_at = db_now(tx);
	changes_write(&x->q, &changes);
	x->row.changes = buf_str(&changes);
	r = buf_ok(&changes) ? change_set_row_update(tx, &x->row, was, &found) : SOUK_E_NOMEM;
	if (r == SOUK_OK && found)
		r = entity_lock_drop(tx, seller_of(x), &x->row.id);
	if (r == SOUK_OK && found)
		r = was == CHANGE_APPLYING && to == CHANGE_SUCCEEDED
			? logo_rows_enforce(tx, seller_of(x), &x->row.id)
			: logo_rows_forget(tx, seller_of(x), &x->row.id);
	if (r == SOUK_OK && found)
		r = audit_append(tx, x->ctx->vault,
		    &(struct audit_entry){ .account_id = str_c(x->row.account_id),
			.actor = x->row.actor,
			.action = "proserv:ApplyChangeSet",
			.resource = (struct str){ id, GUID_TEXT_LEN },
			.seller_id = seller_of(x),
			.refused = to != CHANGE_SUCCEEDED,
			.count = (int64_t)x->q.n });
	buf_done(&changes);
	/* Cancelled meanwhile. */
	return r == SOUK_OK && !found ? SOUK_E_CONFLICT : r;
}

static enum souk_err
make_tx(struct db_tx *tx, void *arg)
{
	struct changing *x = arg;
	enum souk_err r;

	x->undone = false;
	arena_reset(x->tried);
	*x->w = (struct work){ .tx = tx,
		.mem = x->tried,
		.reviewer = x->ctx->reviewer,
		.operator= & x->scope,
		.seller_id = seller_of(x),
		.set_id = &x->row.id,
		.logos = x->ctx->logos != NULL ? x->logos : NULL,
		.q = &x->q };
	if ((r = lock_owner(tx, seller_of(x))) == SOUK_OK)
		r = work_run(x->w);
	work_done(x->w);
	if (r != SOUK_OK)
		return r;
	if ((r = keep_errors(x)) != SOUK_OK)
		return r;
	x->undone = !x->keep || x->w->failed;
	if (x->undone)
		return SOUK_E_PRECONDITION; /* any would do */
	if ((r = changes_put_tags(tx, seller_of(x), &x->q)) != SOUK_OK ||
	    (r = end_set(x, tx, CHANGE_APPLYING, CHANGE_SUCCEEDED)) != SOUK_OK)
		return r;
	return job_finish(tx, x->job);
}

/* ---- how it goes on -------------------------------------------------------------------- */

static enum souk_err
fail_tx(struct db_tx *tx, void *arg)
{
	struct changing *x = arg;
	enum change_status was = x->keep ? CHANGE_APPLYING : CHANGE_PREPARING;
	enum souk_err r;

	x->row.failure = FAILURE_CLIENT;
	x->row.failure_text = STR("The change set has errors; they stand with its changes.");
	r = end_set(x, tx, was, CHANGE_FAILED);
	return r == SOUK_OK ? job_finish(tx, x->job) : r;
}

static enum souk_err
validated_tx(struct db_tx *tx, void *arg)
{
	struct changing *x = arg;
	enum souk_err r = end_set(x, tx, CHANGE_PREPARING, CHANGE_SUCCEEDED);

	return r == SOUK_OK ? job_finish(tx, x->job) : r;
}

/* The strictest answer of the gates counts; each is asked, so that nobody waits twice. */
static enum souk_err
ask_gates(struct changing *x, struct db_tx *tx, enum gate *ret)
{
	*ret = GATE_PASS;
	buf_clear(&x->reasons);
	for (size_t i = 0; i < x->w->n_gated; i++) {
		const struct gated *g = &x->w->gated[i];
		struct gate_request q = { .seller_id = seller_of(x),
			.product_id = g->product_id,
			.change_set_id = x->row.id,
			.listing = &g->listing,
			.findings = &g->found,
			.edition = reviewer_edition(x->ctx->reviewer),
			.two_people =
			    config_bool(reviewer_config(x->ctx->reviewer), SET_REVIEW_TWO_PEOPLE),
			.now = db_now(tx) };
		enum gate one = GATE_PASS;
		enum souk_err r = review_gate(tx, &q, x->mem, &one, &x->reasons);

		if (r != SOUK_OK)
			return r;
		if (one == GATE_REJECTED)
			change_error_in(x->mem, g->by, "REVIEW_REJECTED",
			    x->reasons.n > 0 ? x->reasons.p : "The review decided against it.");
		*ret = one > *ret ? one : *ret;
	}
	return SOUK_OK;
}

static enum souk_err
go_on_tx(struct db_tx *tx, void *arg)
{
	struct changing *x = arg;
	enum gate gate;
	bool found = false;
	enum souk_err r = ask_gates(x, tx, &gate);

	x->over = false;
	if (r != SOUK_OK)
		return r;
	if (gate == GATE_REJECTED) {
		x->over = true;
		return fail_tx(tx, arg);
	}
	x->row.waiting = gate == GATE_WAIT;
	x->row.status = gate == GATE_WAIT ? CHANGE_PREPARING : CHANGE_APPLYING;
	if ((r = change_set_row_update(tx, &x->row, CHANGE_PREPARING, &found)) != SOUK_OK)
		return r;
	if (!found)
		return SOUK_E_CONFLICT;
	x->over = gate == GATE_WAIT;
	return x->over ? job_finish(tx, x->job) : job_check(tx, x->job);
}

static enum souk_err
finish_tx(struct db_tx *tx, void *arg)
{
	return job_finish(tx, ((struct changing *)arg)->job);
}

static enum souk_err
try_once(struct changing *x)
{
	enum souk_err r;

	x->keep = false;
	r = db_write(x->db, make_tx, x);
	if (!x->undone)
		return r == SOUK_OK ? SOUK_E_INTERNAL : r;
	return SOUK_OK;
}

/* Who fails anyway does not wait for an address that does not answer. */
static enum souk_err
fetch(struct changing *x)
{
	int64_t tries = config_int(reviewer_config(x->ctx->reviewer), SET_JOB_ATTEMPTS);
	bool last = x->w->failed || x->job->attempts >= tries;

	return logos_fetch(x->logos, x->ctx->logos, x->db, x->job, &x->row, last, x->f);
}

/* Tried, and what comes of it; x->over when the job has ended. */
static enum souk_err
prepare(struct changing *x)
{
	enum souk_err r = try_once(x);

	if (r == SOUK_OK && x->logos->n > 0 && (r = fetch(x)) == SOUK_OK)
		r = try_once(x);
	if (r != SOUK_OK)
		return r;
	if (x->w->failed || x->row.validate) {
		r = db_write(x->db, x->w->failed ? fail_tx : validated_tx, x);
		x->over = true;
		return r;
	}
	return db_write(x->db, go_on_tx, x);
}

static enum souk_err
apply(struct changing *x)
{
	enum souk_err r;

	x->keep = true;
	r = db_write(x->db, make_tx, x);
	/* What it leans on changed meanwhile: a buyer, a product that it names. */
	return x->undone ? db_write(x->db, fail_tx, x) : r;
}

/* What comes into force between this and the try is seen when the listing is reviewed again. */
static enum souk_err
refresh_tx(struct db_tx *tx, void *arg)
{
	const struct changing *x = arg;

	return logo_index_refresh(reviewer_logos(x->ctx->reviewer), tx);
}

static enum souk_err
run(struct changing *x)
{
	enum souk_err r = load(x);

	if (r == SOUK_OK && !x->over && (r = reviewer_warm(x->ctx->reviewer)) == SOUK_OK)
		r = db_read(x->db, refresh_tx, x);
	if (r != SOUK_OK)
		return r;
	if (x->over)
		return db_write(x->db, finish_tx, x);
	if (x->row.status == CHANGE_PREPARING && ((r = prepare(x)) != SOUK_OK || x->over))
		return r;
	return apply(x);
}

static void
changing_done(struct changing *x)
{
	json_decref(x->kept);
	buf_done(&x->reasons);
	arena_free(x->mem);
	arena_free(x->tried);
	free(x->w);
	free(x->logos);
}

enum job_outcome
proserv_job_change_set(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct changing x = { .ctx = ctx,
		.job = j,
		.db = db,
		.f = f,
		.scope = tenant_for_upkeep("change-set"),
		.mem = arena_new(ARENA_LIMIT),
		.tried = arena_new(ARENA_LIMIT),
		.w = calloc(1, sizeof(*x.w)),
		.logos = calloc(1, sizeof(*x.logos)) };
	enum souk_err r = x.mem && x.tried && x.w && x.logos ? run(&x) : SOUK_E_NOMEM;

	changing_done(&x);
	if (r == SOUK_OK)
		return JOB_DONE;
	if (f->err == SOUK_OK)
		(void)fail_set(f, r, "change_set", "The change set could not be worked on (%s).",
		    souk_err_word(r));
	/* A conflict is a set that was cancelled, or a lease that was lost: the next run sees which. */
	return JOB_RETRY;
}

enum souk_err
proserv_job_change_set_dead(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct arena *mem = arena_new(ARENA_LIMIT);
	struct change_set_row row;
	bool found = false;
	enum souk_err r =
	    mem ? change_set_row_find(tx, str_c(j->seller_id), &j->request_id, mem, &row)
		: SOUK_E_NOMEM;

	(void)ctx;
	(void)f;
	if (r == SOUK_OK && row.ended_at == 0) {
		enum change_status was = row.status;

		row.status = CHANGE_FAILED;
		row.failure = FAILURE_SERVER;
		row.failure_text =
		    STR("The server could not work on the change set; start it again.");
		row.ended_at = db_now(tx);
		row.waiting = false;
		r = change_set_row_update(tx, &row, was, &found);
		if (r == SOUK_OK && found)
			r = entity_lock_drop(tx, str_c(j->seller_id), &row.id);
		if (r == SOUK_OK && found)
			r = review_gate_forget(tx, str_c(j->seller_id), &row.id, mem);
		if (r == SOUK_OK && found)
			r = logo_rows_forget(tx, str_c(j->seller_id), &row.id);
	}
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

/* ---- at once --------------------------------------------------------------------------- */

/* Each error at its place in the document, as far as there is room. */
static void
tell_errors(const struct change_request *q, struct fail *f)
{
	for (size_t i = 0; i < q->n; i++)
		for (size_t k = 0; k < q->v[i].n_errors; k++) {
			const struct change_error *e = &q->v[i].errors[k];

			if (e->pointer && e->what && e->hint)
				(void)fail_field(f, e->pointer, e->what, e->hint);
			else
				(void)fail_field(
				    f, "document", e->message, "mend it and send it again");
		}
}

enum souk_err
changes_make(struct db_tx *tx, struct reviewer *reviewer, struct str seller_id,
    struct change_request *q, struct arena *mem, struct fail *f)
{
	struct tenant_scope scope = tenant_for_upkeep("listing");
	struct change_set_row lock = { .id = guid_new() };
	struct work *w;
	enum souk_err r;

	(void)snprintf(
	    lock.seller_id, sizeof(lock.seller_id), "%.*s", (int)seller_id.n, seller_id.p);
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (r = change_lock_entities(tx, &lock, q, f)) != SOUK_OK)
		return r;
	if (!(w = calloc(1, sizeof(*w))))
		return SOUK_E_NOMEM;
	*w = (struct work){ .tx = tx,
		.mem = mem,
		.reviewer = reviewer,
		.operator= & scope,
		.seller_id = seller_id,
		.q = q };
	r = work_run(w);
	if (r == SOUK_OK && w->failed) {
		tell_errors(q, f);
		r = SOUK_E_INVALID;
	}
	work_done(w);
	free(w);
	return r == SOUK_OK ? entity_lock_drop(tx, seller_id, &lock.id) : r;
}
