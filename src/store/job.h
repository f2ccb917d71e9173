/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job queue: rows in the database, taken with a lease, retried with back-off,
 * dead-lettered with a visible reason (design 4, "Jobs").
 *
 * A job survives its worker: whoever dies loses the lease, and the job is taken again.
 * job_finish runs in the same transaction as the job's effect and fails when the lease
 * is no longer ours, so that an effect is kept exactly once.
 */
#ifndef SOUK_STORE_JOB_H
#define SOUK_STORE_JOB_H

#include "base/config.h"
#include "store/db.h"

#define JOB_PAYLOAD_MAX 262144

struct job_new {
	struct guid id;                /* zero: one is made */
	const char *kind;              /* word of a job_kind row */
	struct str seller_id;          /* "" for jobs of the installation itself */
	const struct guid *request_id; /* what lists it: data set request or endpoint; or NULL */
	struct str payload;            /* JSON; no personal data */
	instant_t run_after;           /* 0: now */
};

struct job {
	struct guid id;
	char kind[32];
	char seller_id[13];
	struct guid request_id; /* zero when none */
	struct str payload;
	int attempts; /* this one included, from 1 */
	instant_t created_at;
	instant_t lease_until;
	struct guid lease; /* fencing token */
};

/* Puts a job; wakes workers after the commit. */
SOUK_MUST enum souk_err job_put(struct db_tx *tx, const struct job_new *j, struct guid *ret_id);
/* Is the lease still ours? SOUK_E_CONFLICT when it was lost: before an effect outside the database. */
SOUK_MUST enum souk_err job_check(struct db_tx *tx, const struct job *j);
/* Ends a leased job as done. SOUK_E_CONFLICT when the lease was lost: return it, so that all is undone. */
SOUK_MUST enum souk_err job_finish(struct db_tx *tx, const struct job *j);
/* Ends a leased job as dead with its reason (no personal data), in the caller's transaction. */
SOUK_MUST enum souk_err job_kill(struct db_tx *tx, const struct job *j, const char *reason);

enum job_outcome {
	JOB_DONE,  /* the handler committed job_finish or job_kill itself */
	JOB_RETRY, /* try again after the kind's back-off; at the last attempt it becomes dead */
	JOB_DEAD   /* never try again; reason in the fail's words */
};

struct job_kind {
	const char *kind;
	unsigned metric;    /* enum met_job */
	int attempts;       /* 0: the setting job.attempts */
	int64_t backoff_ms; /* first pause; doubles, with jitter, up to backoff_max_ms */
	int64_t backoff_max_ms;
	/*
	 * Mostly waits for others (peers that may hang): such kinds together get half of the workers
	 * at most, one at least, so that the other kinds go on.
	 */
	bool waits;
	int64_t lease_ms; /* renewed while the handler runs */
	enum job_outcome (*run)(void *ctx, struct db *db, const struct job *j, struct fail *f);
	/* Called in the transaction that makes the job dead (retries used up or JOB_DEAD). May be NULL. */
	enum souk_err (*dead)(
	    void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);
};

struct job_runner;

/*
 * Starts `workers` threads. Embedded: leases left by a dead process are free at once
 * (the data directory's lock says that it is dead). `ctx` goes to the handlers; *ret is set before the first one runs.
 */
SOUK_MUST enum souk_err job_runner_start(struct db *db, const struct job_kind *kinds,
    size_t n_kinds, unsigned workers, int default_attempts, void *ctx, struct job_runner **ret);
/*
 * Takes no more jobs and waits for running handlers at most `ms`. True: all have ended and
 * the runner is freed. False: some still run, so neither the runner nor `db` and `ctx` may be
 * freed (the process is about to end; their jobs keep their leases). Accepts NULL.
 */
bool job_runner_stop(struct job_runner *r, int64_t ms);
/* Should a long handler give up now? (stopping, or the lease was lost) False for r == NULL. */
bool job_should_stop(const struct job_runner *r, const struct job *j);
/* For tests and `--once` work: runs everything that is due on this thread. */
SOUK_MUST enum souk_err job_run_due(struct db *db, const struct job_kind *kinds, size_t n_kinds,
    int default_attempts, void *ctx, size_t *ret_ran);

/* For the delivery log. */
enum job_state { JOB_READY, JOB_LEASED, JOB_S_DONE, JOB_S_DEAD };
const char *job_state_word(enum job_state s); /* "waiting", "running", "done", "failed" */

struct job_row {
	struct guid id;
	char kind[32];
	enum job_state state;
	int attempts;
	instant_t created_at, run_after, finished_at; /* 0: not yet */
	char reason[256];                             /* last failure */
};
/* Jobs of one request, oldest first; the newest `max` of them. */
SOUK_MUST enum souk_err job_list(struct db_tx *tx, struct str seller_id,
    const struct guid *request_id, struct job_row *out, size_t max, size_t *ret_n);
struct job_depth {
	int64_t waiting, leased, dead;
	instant_t oldest_due; /* 0: none */
	instant_t now;        /* by the clock that `oldest_due` is of */
};
SOUK_MUST enum souk_err job_depth(struct db_tx *tx, struct job_depth *ret);
/* Drops done and dead jobs that finished before `before`. */
SOUK_MUST enum souk_err job_prune(struct db_tx *tx, instant_t before, int64_t *ret_n);

#endif
