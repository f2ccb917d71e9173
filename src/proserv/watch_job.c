/* SPDX-License-Identifier: Apache-2.0 */
/* The job that reviews what is due; see watch.h. */
#include "proserv/watch.h"

#include "market/tenant_make.h"
#include "proserv/watch_batch.h"

#include <stdio.h>

#define MARK_PIECE 2000 /* listings marked in one transaction: writers wait that long */
#define KEEP_PIECE 100  /* the same of reviews kept */
#define MARKING_META "review.marking" /* how far a change of the rules was marked */

struct run {
	const struct job *job;
	struct batch *batch;
	size_t from, to; /* of the piece that is kept */
	char rules[WATCH_RULES_LEN + 1];
	int64_t n_marked;
};

/* Where marking goes on: "RULES SELLER PRODUCT". */
static enum souk_err
marking_place(struct db_tx *tx, const struct run *x, char seller[static ACCOUNT_ID_LEN + 1],
    struct guid *product)
{
	struct buf b = { 0 };
	struct str rest, part;
	enum souk_err r = db_meta_get(tx, MARKING_META, &b);

	rest = buf_str(&b);
	if (r == SOUK_OK && str_split(&rest, ' ', &part) && str_eq_c(part, x->rules) &&
	    str_split(&rest, ' ', &part) && part.n == ACCOUNT_ID_LEN && guid_parse(rest, product))
		memcpy(seller, part.p, part.n);
	buf_done(&b);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

static enum souk_err
mark_piece(struct db_tx *tx, void *arg)
{
	struct run *x = arg;
	char seller[ACCOUNT_ID_LEN + 1] = "",
				     text[WATCH_RULES_LEN + ACCOUNT_ID_LEN + GUID_TEXT_LEN + 3];
	char id[GUID_TEXT_LEN + 1];
	struct guid product = { 0 };
	enum souk_err r = job_check(tx, x->job);

	if (r != SOUK_OK || (r = marking_place(tx, x, seller, &product)) != SOUK_OK ||
	    (r = review_mark_next(tx, seller, &product, MARK_PIECE, db_now(tx), &x->n_marked)) !=
		SOUK_OK)
		return r;
	if (x->n_marked == 0) {
		if ((r = db_meta_put(tx, WATCH_RULES_META, str_c(x->rules))) != SOUK_OK)
			return r;
		return db_meta_put(tx, MARKING_META, STR(""));
	}
	guid_format(&product, id);
	(void)snprintf(text, sizeof(text), "%s %s %s", x->rules, seller, id);
	return db_meta_put(tx, MARKING_META, str_c(text));
}

static enum souk_err
keep_piece(struct db_tx *tx, void *arg)
{
	struct run *x = arg;
	enum souk_err r = job_check(tx, x->job);

	for (size_t i = x->from; r == SOUK_OK && i < x->to; i++)
		r = batch_keep(tx, x->batch, &x->batch->items[i]);
	return r;
}

static enum souk_err
finish(struct db_tx *tx, void *arg)
{
	struct run *x = arg;

	return job_finish(tx, x->job);
}

static bool
should_stop(const struct watch_ctx *ctx, const struct job *j)
{
	return ctx->jobs != NULL && job_should_stop(*ctx->jobs, j);
}

static enum souk_err
mark_all(const struct watch_ctx *ctx, struct db *db, struct run *x)
{
	enum souk_err r;

	watch_rules(ctx->reviewer, x->rules);
	do
		r = should_stop(ctx, x->job) ? SOUK_E_UNAVAILABLE : db_write(db, mark_piece, x);
	while (r == SOUK_OK && x->n_marked > 0);
	return r;
}

/* Batch after batch; what becomes due meanwhile is another job's. */
static enum souk_err
review_due(const struct watch_ctx *ctx, struct db *db, struct run *x)
{
	struct batch *b = x->batch;
	enum souk_err r;

	while ((r = db_read(db, batch_read, b)) == SOUK_OK && b->n > 0) {
		if (should_stop(ctx, x->job))
			return SOUK_E_UNAVAILABLE;
		if ((r = batch_review(b)) != SOUK_OK)
			return r;
		for (x->from = 0; r == SOUK_OK && x->from < b->n; x->from = x->to) {
			x->to = x->from + KEEP_PIECE < b->n ? x->from + KEEP_PIECE : b->n;
			r = db_write(db, keep_piece, x);
		}
		if (r != SOUK_OK || b->n < BATCH_MAX)
			return r;
	}
	return r;
}

enum job_outcome
proserv_job_review(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	const struct watch_ctx *c = ctx;
	const struct tenant_scope operator= tenant_for_upkeep("review");
	struct run x = { .job = j };
	enum souk_err r = batch_new(c, &operator, & x.batch);

	if (r == SOUK_OK && str_eq(j->payload, STR("{\"rules\":true}")))
		r = mark_all(c, db, &x);
	if (r == SOUK_OK)
		r = review_due(c, db, &x);
	batch_free(x.batch);
	if (r == SOUK_OK)
		r = db_write(db, finish, &x);
	if (r == SOUK_OK)
		return JOB_DONE;
	(void)fail_set(f, r, "review", "listings cannot be reviewed now");
	return JOB_RETRY;
}
