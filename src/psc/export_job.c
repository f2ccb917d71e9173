/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job that makes and delivers a support data file (specs/psc.md 7, 8, 9); its course is
 * delivery/request_job.h.
 */
#include "psc/export.h"

#include "base/metrics.h"
#include "psc/export_names.h"
#include "psc/export_store.h"
#include "psc/trail.h"

#define THREADS 2

static bool
is_real(const struct request_run *x)
{
	return export_type_is_real(x->r.data_set_type);
}

static enum souk_err
begin(struct request_run *x, struct db_tx *tx)
{
	struct data_set_request *r = &x->r;

	/* The test set's window ends when it was completed (8); that is in its name already. */
	if (!is_real(x))
		r->coverage_end = r->completed_at = db_now(tx);
	r->csv_key = export_key(
	    x->mem, r->prefix, r->data_set_type, r->coverage_start, r->coverage_end, ".csv");
	r->meta_key = export_key(
	    x->mem, r->prefix, r->data_set_type, r->coverage_start, r->coverage_end, ".meta.json");
	return r->csv_key.p && r->meta_key.p ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
check(struct request_run *x, struct db_tx *tx)
{
	instant_t since;
	enum souk_err err;

	if (!is_real(x))
		return SOUK_OK;
	err = export_store_enrolment(tx, str_c(x->r.seller_id), &since);
	if (err == SOUK_E_NOT_FOUND)
		return request_refuse(x, SOUK_E_DENIED, "not_enrolled",
		    "The seller is not enrolled in Product Support Connection.");
	return err;
}

static enum souk_err
write(struct request_run *x, struct sink *out)
{
	struct psc_export_stats s = { .rows_create = 0 };
	enum souk_err err =
	    is_real(x) ? psc_export_write(x->db, x->ctx->vault, str_c(x->r.seller_id),
			     x->r.coverage_start, x->r.coverage_end, THREADS, out, &s, x->fail)
		       : psc_test_set_write(out, &s);

	if (err != SOUK_OK)
		return err;
	x->r.rows_create = s.rows_create;
	x->r.rows_update = s.rows_update;
	x->r.rows_delete = s.rows_delete;
	x->why_empty = s.empty_reason;
	return SOUK_OK;
}

/* What the specification names, then what souk adds (8). */
static void
meta(const struct request_run *x, struct buf *out)
{
	const struct data_set_request *r = &x->r;
	struct jw w;

	jw_init(&w, out);
	request_meta_open(r, "fromDate", &w);
	jw_instant(&w, "requestReceivedDateTime", r->received_at);
	jw_instant(&w, "requestCompletedDateTime", r->completed_at);
	jw_c(&w, "schemaId", PSC_SCHEMA_ID);
	jw_open(&w, "rowCounts", '{');
	jw_int(&w, "create", r->rows_create);
	jw_int(&w, "update", r->rows_update);
	jw_int(&w, "delete", r->rows_delete);
	jw_close(&w, '}');
	request_meta_file(r, x->why_empty, &w);
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}

static void
delivered(const struct request_run *x)
{
	metric_add(MET_EXPORT_ROWS, MOP_CREATE, (uint64_t)x->r.rows_create);
	metric_add(MET_EXPORT_ROWS, MOP_UPDATE, (uint64_t)x->r.rows_update);
	metric_add(MET_EXPORT_ROWS, MOP_DELETE, (uint64_t)x->r.rows_delete);
}

static const struct request_maker maker = {
	.actor = "export",
	.action = "psc:Export",
	.purpose = PSC_PURPOSE,
	.begin = begin,
	.check = check,
	.write = write,
	.meta = meta,
	.delivered = delivered,
};

enum job_outcome
psc_job_export(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	return request_job_run(&maker, ctx, db, j, f);
}

enum souk_err
psc_job_export_dead(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	return request_job_dead(&maker, ctx, tx, j, f);
}
