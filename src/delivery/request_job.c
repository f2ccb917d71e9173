/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job that makes and delivers a data set (specs/psc.md 7, 8, 9; edsp 2).
 *
 * Files are written first, and handed over to the store when the role names one; then one
 * transaction makes them objects otherwise, marks the request delivered, announces it, audits
 * and ends the job. Whoever dies before it left nothing that is to be seen in the embedded
 * buckets, whole files at most in a store, and a request that still waits; the next run
 * delivers under the same names. The danger is to deliver on a permission that was withdrawn
 * meanwhile, or after somebody else took the job over: both are asked before the work, before
 * each file becomes visible, and in that transaction.
 */
#include "delivery/request_job.h"

#include "audit/audit.h"
#include "delivery/announce.h"
#include "delivery/request_mail.h"
#include "delivery/role.h"
#include "market/tenant_make.h"

#include <stdio.h>

#define ARENA_MAX ((size_t)256 * 1024)

/* Fails for good, with a sentence for the notification. */
enum souk_err
request_refuse(struct request_run *x, enum souk_err err, const char *code, const char *sentence)
{
	x->refused = true;
	return fail_set(x->fail, err, code, "%s", sentence);
}

/* What delivery/ answers in this way fails again; its words go into the notification. */
static enum souk_err
final(struct request_run *x, enum souk_err err)
{
	x->refused = x->refused || err == SOUK_E_NOT_FOUND || err == SOUK_E_DENIED;
	return err;
}

static enum souk_err
ask_put(struct request_run *x, struct db_tx *tx, struct str key)
{
	char arn[64 + 256 + OBJECT_KEY_MAX];
	int n = snprintf(arn, sizeof(arn), "arn:aws:s3:::%.*s/%.*s", (int)x->r.bucket.n,
	    x->r.bucket.p, (int)key.n, key.p);

	if (n < 0 || (size_t)n >= sizeof(arn))
		return request_refuse(
		    x, SOUK_E_INVALID, "bucket", "The bucket's name is too long.");
	return final(x, role_may(tx, str_c(x->r.seller_id), x->r.role_arn, "s3:PutObject",
			    (struct str){ arn, (size_t)n }, x->fail));
}

static enum souk_err
open_to(struct request_run *x, struct db_tx *tx)
{
	struct destination_request q = { .seller_id = str_c(x->r.seller_id),
		.role_arn = x->r.role_arn,
		.bucket = x->r.bucket,
		.again = x->job->attempts > 1 };

	return destination_open(&x->ctx->to, tx, &q, &x->to, x->fail);
}

/* Everything that must hold for a delivery, in the order in which a seller would mend it. */
static enum souk_err
check_all(struct request_run *x, struct db_tx *tx)
{
	enum souk_err err;

	if ((err = x->maker->check(x, tx)) != SOUK_OK ||
	    (err = final(x, x->to ? destination_check(x->to, tx, x->fail) : open_to(x, tx))) !=
		SOUK_OK ||
	    (err = ask_put(x, tx, x->r.csv_key)) != SOUK_OK ||
	    (err = ask_put(x, tx, x->r.meta_key)) != SOUK_OK)
		return err;
	return final(x, announce_check(tx, &x->r, x->fail));
}

/* ---- announcing again what a store has ---- */

static bool
announces_again(const struct request_run *x)
{
	return str_eq(x->job->payload, STR(REQUEST_ANNOUNCE)) &&
	       str_eq(x->r.state, STR("delivered"));
}

static enum souk_err
open_again(struct request_run *x, struct db_tx *tx)
{
	enum souk_err err = final(x, open_to(x, tx));

	if (err == SOUK_OK && !str_eq_c(x->r.store, destination_store(x->to)))
		return request_refuse(x, SOUK_E_NOT_FOUND, "expired",
		    "The delivery role does not lead to the store that has the files any more; "
		    "start a new export.");
	return err;
}

static enum souk_err
announce_tx(struct db_tx *tx, void *arg)
{
	struct request_run *x = arg;
	size_t n = 0;
	enum souk_err err;

	if ((err = lock_owner_shared(tx, str_c(x->r.seller_id))) != SOUK_OK ||
	    (err = final(x, announce_check(tx, &x->r, x->fail))) != SOUK_OK ||
	    (err = announce_again(tx, &x->r, &n)) != SOUK_OK)
		return err;
	if (n == 0)
		return request_refuse(x, SOUK_E_CONFLICT, "no_endpoint",
		    "no endpoint of the topic is confirmed; subscribe one first");
	return job_finish(tx, x->job);
}

static enum souk_err
run_again(struct request_run *x)
{
	enum souk_err err;

	if ((err = final(x, destination_look(x->to, x->r.csv_key, x->r.csv_bytes, x->fail))) !=
		SOUK_OK ||
	    (err = final(x, destination_look(x->to, x->r.meta_key, -1, x->fail))) != SOUK_OK)
		return err;
	return db_write(x->db, announce_tx, x);
}

/* ---- making and delivering ---- */

static enum souk_err
begin_tx(struct db_tx *tx, void *arg)
{
	struct request_run *x = arg;
	enum souk_err err;

	destination_free(x->to);
	x->to = NULL;
	err = request_load(tx, str_c(x->job->seller_id), &x->job->request_id, x->mem, &x->r);

	if (err == SOUK_E_NOT_FOUND)
		return request_refuse(x, err, "no_request", "The request is not there any more.");
	if (err != SOUK_OK)
		return err;
	x->answered = !str_eq(x->r.state, STR("waiting"));
	if (x->answered)
		return announces_again(x) ? open_again(x, tx) : SOUK_OK;
	if ((err = x->maker->begin(x, tx)) != SOUK_OK)
		return err;
	return check_all(x, tx);
}

static enum souk_err
write_csv(struct request_run *x)
{
	enum souk_err err = destination_add(
	    x->to, x->r.csv_key, "text/csv; header=present; charset=utf-8", &x->csv);

	if (err != SOUK_OK)
		return err;
	err = x->maker->write(x, destination_sink(x->csv));
	if (err == SOUK_E_DENIED) /* withdrawn since begin_tx looked; the maker said so */
		x->refused = true;
	return err != SOUK_OK ? err : destination_close(x->csv);
}

static void
set_facts(struct request_run *x)
{
	x->r.reason = x->why_empty ? str_c(x->why_empty) : STR("");
	x->r.csv_bytes = destination_size(x->csv);
	destination_sha256(x->csv, x->r.csv_sha256);
	x->r.store = str_c(destination_store(x->to));
	if (x->r.completed_at == 0)
		x->r.completed_at = clock_now();
}

static enum souk_err
write_meta(struct request_run *x)
{
	struct buf text = { 0 };
	struct sink *out;
	enum souk_err err = destination_add(x->to, x->r.meta_key, "application/json", &x->meta);

	if (err != SOUK_OK)
		return err;
	out = destination_sink(x->meta);
	x->maker->meta(x, &text);
	err = buf_ok(&text) ? out->write(out, text.p, text.n) : SOUK_E_NOMEM;
	buf_done(&text);
	return err != SOUK_OK ? err : destination_close(x->meta);
}

static enum souk_err
trail(const struct request_maker *m, const struct request_job_ctx *ctx, struct db_tx *tx,
    const struct data_set_request *r, bool refused)
{
	struct tenant_scope scope = tenant_for_job(str_c(r->seller_id), m->actor);
	char id[GUID_TEXT_LEN + 1], resource[GUID_TEXT_LEN + 16];

	guid_format(&r->id, id);
	(void)snprintf(resource, sizeof(resource), "request/%s", id);
	return audit_append(tx, ctx->vault,
	    &(struct audit_entry){ .account_id = str_c(r->seller_id),
		.actor = r->requested_by.n > 0 ? r->requested_by : tenant_actor(&scope),
		.action = m->action,
		.resource = str_c(resource),
		.seller_id = str_c(r->seller_id),
		.purpose = str_c(m->purpose),
		.refused = refused,
		.count = refused ? 0 : r->rows_create + r->rows_update + r->rows_delete,
		.request_id = str_c(id) });
}

static enum souk_err
deliver_tx(struct db_tx *tx, void *arg)
{
	struct request_run *x = arg;
	enum souk_err err;

	if ((err = lock_owner_shared(tx, str_c(x->r.seller_id))) != SOUK_OK ||
	    (err = check_all(x, tx)) != SOUK_OK ||
	    (err = destination_commit(x->to, tx, x->fail)) != SOUK_OK ||
	    (err = request_delivered(tx, &x->r)) != SOUK_OK ||
	    (err = announce(tx, &x->r, true, STR(""))) != SOUK_OK ||
	    (err = trail(x->maker, x->ctx, tx, &x->r, false)) != SOUK_OK)
		return err;
	return job_finish(tx, x->job);
}

static enum souk_err
finish_tx(struct db_tx *tx, void *arg)
{
	struct request_run *x = arg;

	return job_finish(tx, x->job);
}

static enum souk_err
may_tx(struct db_tx *tx, void *arg)
{
	struct request_run *x = arg;
	enum souk_err err = job_check(tx, x->job);

	return err == SOUK_OK ? check_all(x, tx) : err;
}

/* A file is about to become visible. */
static enum souk_err
may_show(void *arg)
{
	struct request_run *x = arg;

	return db_read(x->db, may_tx, x);
}

static enum souk_err
go_on(void *arg)
{
	const struct request_run *x = arg;

	return x->ctx->jobs && job_should_stop(*x->ctx->jobs, x->job) ? SOUK_E_UNAVAILABLE
								      : SOUK_OK;
}

static enum souk_err
hand_over(struct request_run *x)
{
	struct hand_over h = { .go_on = go_on, .may_show = may_show, .arg = x };

	return final(x, destination_hand_over(x->to, &h, x->fail));
}

static enum souk_err
load_tx(struct db_tx *tx, void *arg)
{
	struct request_run *x = arg;

	return request_load(tx, str_c(x->job->seller_id), &x->job->request_id, x->mem, &x->r);
}

static enum souk_err
look(struct request_run *x)
{
	enum souk_err err = db_read(x->db, load_tx, x);

	/* What became of a request is said by begin_tx. */
	if (err != SOUK_OK || !str_eq(x->r.state, STR("waiting")))
		return err == SOUK_E_NOT_FOUND ? SOUK_OK : err;
	return x->maker->look(x);
}

static enum souk_err
run(struct request_run *x)
{
	enum souk_err err = x->maker->look ? look(x) : SOUK_OK;

	if (err != SOUK_OK || (err = db_read(x->db, begin_tx, x)) != SOUK_OK)
		return err;
	if (x->answered)
		return announces_again(x) ? run_again(x) : db_write(x->db, finish_tx, x);
	if ((err = write_csv(x)) != SOUK_OK)
		return err;
	set_facts(x);
	if ((err = write_meta(x)) != SOUK_OK || (err = hand_over(x)) != SOUK_OK ||
	    (err = db_write(x->db, deliver_tx, x)) != SOUK_OK)
		return err;
	if (x->maker->delivered)
		x->maker->delivered(x);
	return SOUK_OK;
}

enum job_outcome
request_job_run(const struct request_maker *m, const struct request_job_ctx *ctx, struct db *db,
    const struct job *j, struct fail *f)
{
	struct request_run x = {
		.maker = m, .ctx = ctx, .db = db, .job = j, .fail = f, .mem = arena_new(ARENA_MAX)
	};
	enum souk_err err = x.mem ? run(&x) : SOUK_E_NOMEM;

	if (m->done)
		m->done(&x);
	destination_free(x.to);
	arena_free(x.mem);
	if (err == SOUK_OK)
		return JOB_DONE;
	if (f->err == SOUK_OK)
		(void)fail_set(f, err, "export", "The data set could not be made or delivered.");
	return x.refused ? JOB_DEAD : JOB_RETRY;
}

enum souk_err
request_job_dead(const struct request_maker *m, const struct request_job_ctx *ctx, struct db_tx *tx,
    const struct job *j, const struct fail *f)
{
	struct arena *mem = arena_new(ARENA_MAX);
	struct data_set_request r;
	enum souk_err err = SOUK_E_NOMEM;

	if (!mem)
		return err;
	err = request_load(tx, str_c(j->seller_id), &j->request_id, mem, &r);
	if (err == SOUK_OK && str_eq(r.state, STR("waiting"))) {
		err = request_failed(tx, &r, str_c(f->detail));
		if (err == SOUK_OK)
			err = trail(m, ctx, tx, &r, true);
		if (err == SOUK_OK)
			err = request_mail_failed(tx, ctx->vault, &r, str_c(f->detail), NULL);
		if (err ==
		    SOUK_E_INVALID) /* a reason that no mail can tell: it stands in the log */
			err = SOUK_OK;
	} else if (err == SOUK_E_NOT_FOUND) {
		err = SOUK_OK; /* nobody is left to be told */
	}
	arena_free(mem);
	return err;
}
