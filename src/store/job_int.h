/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the queue, and running one job. Private to job*.c. */
#ifndef SOUK_STORE_JOB_INT_H
#define SOUK_STORE_JOB_INT_H

#include "store/job.h"

#define JOB_REASON_MAX 256

/* A job as it was taken; `payload` owns what job.payload points to. */
struct job_taken {
	struct job job;
	struct buf payload;
	const struct job_kind *kind; /* NULL: this program has none of that name */
	bool used_up;                /* its last attempt ended with its worker */
};

struct job_context {
	struct db *db;
	const struct job_kind *kinds;
	size_t n_kinds;
	int default_attempts;
	void *ctx;
};

/* Are those that wait for others no more than can be passed over? */
bool job_kinds_fit(const struct job_context *x);

/* job_store.c; rows change only while `j`'s lease holds, else SOUK_E_CONFLICT */
SOUK_MUST enum souk_err job_row_put(
    struct db_tx *tx, const struct guid *id, const struct job_new *j, instant_t run_after);
#define JOB_SKIP_MAX 8 /* kinds that wait for others; the statements have as many places */
/*
 * The job to take next: one whose lease has run out, or the oldest due; of no kind in `skip`
 * (NULL where there is none). SOUK_E_NOT_FOUND: no job.
 */
SOUK_MUST enum souk_err job_row_next(
    struct db_tx *tx, const char *const skip[JOB_SKIP_MAX], struct job *ret, struct buf *payload);
SOUK_MUST enum souk_err job_row_lease(struct db_tx *tx, const struct job *j);
SOUK_MUST enum souk_err job_row_renew(struct db_tx *tx, const struct job *j, instant_t until);
SOUK_MUST enum souk_err job_row_end(
    struct db_tx *tx, const struct job *j, enum job_state state, const char *reason);
SOUK_MUST enum souk_err job_row_retry(
    struct db_tx *tx, const struct job *j, instant_t run_after, const char *reason);
/* As if it had never been taken. */
SOUK_MUST enum souk_err job_row_release(struct db_tx *tx, const struct job *j);
SOUK_MUST enum souk_err job_row_free_leases(struct db_tx *tx);
/* When the next job is due, or was; INSTANT_MAX when there is none. */
SOUK_MUST enum souk_err job_row_due_at(struct db_tx *tx, instant_t *ret);

/* job_run.c */
/* Takes at most `max` due jobs in one transaction, `max_waiting` of kinds that wait among them. */
SOUK_MUST enum souk_err job_take(const struct job_context *x, struct job_taken *out, size_t max,
    size_t max_waiting, size_t *ret_n);
/* Runs it and records what came of it. */
void job_run(const struct job_context *x, struct job_taken *t);
/* The pause before attempt `attempts` + 1. */
int64_t job_pause_ms(const struct job_kind *k, int attempts);

extern struct db_texts job_texts; /* for the test of all statements */

#endif
