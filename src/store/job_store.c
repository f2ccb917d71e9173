/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's SQL. A leased row changes only for who holds its lease (`lease = $n`):
 * a worker that was thought dead cannot touch a job that went to another one.
 *
 * `state < 2` stands beside every other condition on the state so that the engine sees
 * that a partial index serves.
 */
#include "store/job_int.h"

#include <stdio.h>

enum {
	Q_PUT,
	Q_NEXT_EXPIRED,
	Q_NEXT_READY,
	Q_LEASE,
	Q_RENEW,
	Q_CHECK,
	Q_END,
	Q_RETRY,
	Q_RELEASE,
	Q_FREE_LEASES,
	Q_DUE_READY,
	Q_DUE_LEASED,
	Q_LIST,
	Q_DEPTH,
	Q_DEAD,
	Q_OLDEST_DUE,
	Q_PRUNE,
	Q__COUNT
};

#define JOB_COLUMNS "seller_id, job_id, kind, request_id, payload, attempts, created_at"

static const char *const sql[Q__COUNT] = {
	[Q_PUT] = "INSERT INTO job (seller_id, job_id, kind, request_id, payload, state, "
		  "run_after, attempts,"
		  " created_at) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, $7)",
	[Q_NEXT_EXPIRED] = "SELECT " JOB_COLUMNS " FROM job WHERE state = 1 AND state < 2"
			   " AND lease_until <= $1 AND kind NOT IN ($2, $3, $4, $5, $6, $7, $8, $9)"
			   " ORDER BY lease_until LIMIT 1 {skip locked}",
	[Q_NEXT_READY] = "SELECT " JOB_COLUMNS " FROM job WHERE state = 0 AND state < 2"
			 " AND run_after <= $1 AND kind NOT IN ($2, $3, $4, $5, $6, $7, $8, $9)"
			 " ORDER BY run_after LIMIT 1 {skip locked}",
	[Q_LEASE] = "UPDATE job SET state = 1, attempts = $1, lease = $2, lease_until = $3"
		    " WHERE seller_id = $4 AND job_id = $5",
	[Q_RENEW] = "UPDATE job SET lease_until = $1"
		    " WHERE seller_id = $2 AND job_id = $3 AND lease = $4 AND state = 1",
	[Q_CHECK] = "SELECT 1 FROM job"
		    " WHERE seller_id = $1 AND job_id = $2 AND lease = $3 AND state = 1",
	[Q_END] = "UPDATE job SET state = $1, finished_at = $2, reason = coalesce($3, reason),"
		  " lease = NULL, lease_until = NULL"
		  " WHERE seller_id = $4 AND job_id = $5 AND lease = $6 AND state = 1",
	[Q_RETRY] = "UPDATE job SET state = 0, run_after = $1, reason = $2, lease = NULL, "
		    "lease_until = NULL"
		    " WHERE seller_id = $3 AND job_id = $4 AND lease = $5 AND state = 1",
	[Q_RELEASE] =
	    "UPDATE job SET state = 0, attempts = attempts - 1, lease = NULL, lease_until = NULL"
	    " WHERE seller_id = $1 AND job_id = $2 AND lease = $3 AND state = 1",
	[Q_FREE_LEASES] = "UPDATE job SET state = 0, lease = NULL, lease_until = NULL"
			  " WHERE state = 1 AND state < 2",
	[Q_DUE_READY] = "SELECT min(run_after) FROM job WHERE state = 0 AND state < 2",
	[Q_DUE_LEASED] = "SELECT min(lease_until) FROM job WHERE state = 1 AND state < 2",
	[Q_LIST] =
	    "SELECT job_id, kind, state, attempts, created_at, run_after, finished_at, reason"
	    " FROM job WHERE seller_id = $1 AND request_id = $2"
	    " ORDER BY created_at DESC, job_id DESC LIMIT $3",
	[Q_DEPTH] = "SELECT count(*) FROM job WHERE state = $1 AND state < 2",
	[Q_DEAD] = "SELECT count(*) FROM job WHERE state = 3 AND state >= 2",
	[Q_OLDEST_DUE] =
	    "SELECT min(run_after) FROM job WHERE state = 0 AND state < 2 AND run_after <= $1",
	[Q_PRUNE] = "DELETE FROM job WHERE state IN (2, 3) AND state >= 2 AND finished_at < $1",
};
struct db_texts job_texts = { .component = "job", .sql = sql, .n = Q__COUNT };

enum souk_err
job_row_put(struct db_tx *tx, const struct guid *id, const struct job_new *j, instant_t run_after)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_PUT);

	db_bind_text(st, 1, j->seller_id);
	db_bind_guid(st, 2, id);
	db_bind_c(st, 3, j->kind);
	if (j->request_id)
		db_bind_guid(st, 4, j->request_id);
	else
		db_bind_null(st, 4);
	db_bind_text(st, 5, j->payload);
	db_bind_int(st, 6, run_after);
	db_bind_int(st, 7, db_now(tx));
	return db_run_later(st);
}

static void
copy_text(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, "%.*s", (int)(s.n < size ? s.n : size - 1), s.p);
}

static enum souk_err
read_job(struct db_stmt *st, struct job *ret, struct buf *payload)
{
	struct job j = { .id = db_guid(st, 1),
		.request_id = db_guid(st, 3),
		.attempts = (int)db_int(st, 5),
		.created_at = db_int(st, 6) };

	copy_text(j.seller_id, sizeof(j.seller_id), db_text(st, 0));
	copy_text(j.kind, sizeof(j.kind), db_text(st, 2));
	buf_clear(payload);
	buf_add_str(payload, db_text(st, 4));
	if (!buf_ok(payload))
		return SOUK_E_NOMEM;
	j.payload = buf_str(payload);
	*ret = j;
	return SOUK_OK;
}

enum souk_err
job_row_next(
    struct db_tx *tx, const char *const skip[JOB_SKIP_MAX], struct job *ret, struct buf *payload)
{
	static const unsigned texts_in_order[] = { Q_NEXT_EXPIRED, Q_NEXT_READY };
	enum souk_err err = SOUK_E_NOT_FOUND;

	for (size_t i = 0; i < 2 && err == SOUK_E_NOT_FOUND; i++) {
		struct db_stmt *st = db_stmt(tx, &job_texts, texts_in_order[i]);

		db_bind_int(st, 1, db_now(tx));
		for (int k = 0; k < JOB_SKIP_MAX; k++)
			db_bind_c(st, k + 2, skip[k] ? skip[k] : "");
		if ((err = db_one(st)) == SOUK_OK)
			err = read_job(st, ret, payload);
		db_reset(st);
	}
	return err;
}

/* Ends a statement that must change the one row. */
static enum souk_err
run_on_lease(struct db_stmt *st)
{
	int64_t n = 0;
	enum souk_err err = db_run(st, &n);

	return err == SOUK_OK && n == 0 ? SOUK_E_CONFLICT : err;
}

enum souk_err
job_row_lease(struct db_tx *tx, const struct job *j)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_LEASE);

	db_bind_int(st, 1, j->attempts);
	db_bind_guid(st, 2, &j->lease);
	db_bind_int(st, 3, j->lease_until);
	db_bind_c(st, 4, j->seller_id);
	db_bind_guid(st, 5, &j->id);
	return run_on_lease(st);
}

enum souk_err
job_row_renew(struct db_tx *tx, const struct job *j, instant_t until)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_RENEW);

	db_bind_int(st, 1, until);
	db_bind_c(st, 2, j->seller_id);
	db_bind_guid(st, 3, &j->id);
	db_bind_guid(st, 4, &j->lease);
	return run_on_lease(st);
}

enum souk_err
job_check(struct db_tx *tx, const struct job *j)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_CHECK);
	enum souk_err err;

	db_bind_c(st, 1, j->seller_id);
	db_bind_guid(st, 2, &j->id);
	db_bind_guid(st, 3, &j->lease);
	err = db_one(st);
	db_reset(st);
	return err == SOUK_E_NOT_FOUND ? SOUK_E_CONFLICT : err;
}

enum souk_err
job_row_end(struct db_tx *tx, const struct job *j, enum job_state state, const char *reason)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_END);

	db_bind_int(st, 1, (int64_t)state);
	db_bind_int(st, 2, db_now(tx));
	db_bind_c(st, 3, reason);
	db_bind_c(st, 4, j->seller_id);
	db_bind_guid(st, 5, &j->id);
	db_bind_guid(st, 6, &j->lease);
	return run_on_lease(st);
}

enum souk_err
job_row_retry(struct db_tx *tx, const struct job *j, instant_t run_after, const char *reason)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_RETRY);

	db_bind_int(st, 1, run_after);
	db_bind_c(st, 2, reason);
	db_bind_c(st, 3, j->seller_id);
	db_bind_guid(st, 4, &j->id);
	db_bind_guid(st, 5, &j->lease);
	return run_on_lease(st);
}

enum souk_err
job_row_release(struct db_tx *tx, const struct job *j)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_RELEASE);

	db_bind_c(st, 1, j->seller_id);
	db_bind_guid(st, 2, &j->id);
	db_bind_guid(st, 3, &j->lease);
	return run_on_lease(st);
}

enum souk_err
job_row_free_leases(struct db_tx *tx)
{
	return db_run(db_stmt(tx, &job_texts, Q_FREE_LEASES), NULL);
}

/* One instant of an aggregate: *ret stays when there is none. */
static enum souk_err
read_instant(struct db_stmt *st, instant_t *ret)
{
	enum souk_err err = db_one(st);

	if (err == SOUK_OK && !db_is_null(st, 0))
		*ret = db_int(st, 0);
	db_reset(st);
	return err;
}

enum souk_err
job_row_due_at(struct db_tx *tx, instant_t *ret)
{
	instant_t ready = INSTANT_MAX, leased = INSTANT_MAX;
	enum souk_err err;

	if ((err = read_instant(db_stmt(tx, &job_texts, Q_DUE_READY), &ready)) != SOUK_OK ||
	    (err = read_instant(db_stmt(tx, &job_texts, Q_DUE_LEASED), &leased)) != SOUK_OK)
		return err;
	*ret = ready < leased ? ready : leased;
	return SOUK_OK;
}

static void
read_row(struct db_stmt *st, struct job_row *ret)
{
	int64_t state = db_int(st, 2);

	*ret = (struct job_row){ .id = db_guid(st, 0),
		.state =
		    state < JOB_READY || state > JOB_S_DEAD ? JOB_S_DEAD : (enum job_state)state,
		.attempts = (int)db_int(st, 3),
		.created_at = db_int(st, 4),
		.run_after = db_int(st, 5),
		.finished_at = db_int(st, 6) };
	copy_text(ret->kind, sizeof(ret->kind), db_text(st, 1));
	copy_text(ret->reason, sizeof(ret->reason), db_text(st, 7));
}

static void
turn_around(struct job_row *rows, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct job_row r = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = r;
	}
}

enum souk_err
job_list(struct db_tx *tx, struct str seller_id, const struct guid *request_id, struct job_row *out,
    size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_LIST);
	enum souk_err err;
	size_t n = 0;
	bool row = false;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, request_id);
	db_bind_int(st, 3, (int64_t)max);
	while ((err = db_step(st, &row)) == SOUK_OK && row)
		read_row(st, &out[n++]);
	if (err == SOUK_OK) {
		turn_around(out, n);
		*ret_n = n;
	}
	return err;
}

static enum souk_err
count_state(struct db_tx *tx, enum job_state state, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, state == JOB_S_DEAD ? Q_DEAD : Q_DEPTH);
	enum souk_err err;

	if (state != JOB_S_DEAD)
		db_bind_int(st, 1, (int64_t)state);
	if ((err = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return err;
}

enum souk_err
job_depth(struct db_tx *tx, struct job_depth *ret)
{
	struct job_depth d = { .now = db_now(tx) };
	struct db_stmt *st;
	enum souk_err err;

	if ((err = count_state(tx, JOB_READY, &d.waiting)) != SOUK_OK ||
	    (err = count_state(tx, JOB_LEASED, &d.leased)) != SOUK_OK ||
	    (err = count_state(tx, JOB_S_DEAD, &d.dead)) != SOUK_OK)
		return err;
	st = db_stmt(tx, &job_texts, Q_OLDEST_DUE);
	db_bind_int(st, 1, d.now);
	if ((err = read_instant(st, &d.oldest_due)) == SOUK_OK)
		*ret = d;
	return err;
}

enum souk_err
job_prune(struct db_tx *tx, instant_t before, int64_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &job_texts, Q_PRUNE);

	db_bind_int(st, 1, before);
	return db_run(st, ret_n);
}
