/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings are reviewed again for as long as others can see them.
 *
 * A row of listing_review says when: at once after a change of the listing, of a product that it leans on, of the seller's
 * standing or of the rules, at the end of a waiver or a time of grace, and else every so often. One job reviews all
 * that is due, many at once; what a review comes to is kept in pieces, each whole (standing, tasks, suspension, mail,
 * audit) or not at all, and only if nothing asked for another review meanwhile. So who dies in the middle loses nothing
 * and doubles nothing: what was not kept is still due.
 */
#ifndef SOUK_PROSERV_WATCH_H
#define SOUK_PROSERV_WATCH_H

#include "proserv/reviewer.h"
#include "store/job.h"
#include "vault/vault.h"

#define REVIEW_JOB "review"

struct watch_ctx {
	struct vault *vault;
	struct reviewer *reviewer;
	struct job_runner *const *jobs; /* set once it runs; NULL: nothing stops a job */
};

/* Looks for what is due. One of a process; for one thread. */
struct watch;
SOUK_MUST enum souk_err watch_new(const struct watch_ctx *ctx, struct watch **ret);
void watch_free(struct watch *w); /* accepts NULL */
/* For every second or so: puts the job when something is due. Seldom writes. */
SOUK_MUST enum souk_err watch_tick(struct watch *w, struct db *db);

/* The job kind above; ctx is a struct watch_ctx. Its runs may be cut off anywhere. */
enum job_outcome proserv_job_review(void *ctx, struct db *db, const struct job *j, struct fail *f);

#endif
