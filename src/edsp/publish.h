/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publications: daily and monthly data sets, those of each disbursement, and the feed files, delivered to enrolled
 * sellers without being asked for (specs/edsp.md 1.3, 3, data-feeds.md 1).
 *
 * A seller says once where to and which. Each publication of a set, and each version of a feed file, is
 * one request, put once whatever nodes and clocks do; from there on it is as if the seller had asked. Sets about
 * disbursements are published for each day on which the kept feeds say that the seller was paid, from its joining on and
 * as far as a request may look back. Nothing is put for who is not enrolled, and what was put is refused once the seller is
 * withdrawn.
 */
#ifndef SOUK_EDSP_PUBLISH_H
#define SOUK_EDSP_PUBLISH_H

#include "base/json.h"
#include "delivery/request_job.h"
#include "feeds/data_set.h"

/* After midnight UTC: usage of the day before has mostly come. */
#define PUBLISH_AFTER_MS (6 * HOUR_MS)
/* After a disbursement's day: a set of it comes three to five days later (edsp 1.3). */
#define PUBLISH_PAYOUT_MS (3 * DAY_MS + PUBLISH_AFTER_MS)
#define FEED_FILE_JOB "feed-file"
#define FEED_FILE_AWAY_JOB "feed-file-s3" /* the same, to a store that may keep it waiting */

/* Slices are borrowed, or live in the arena named in the call. */
struct publication_plan {
	struct str role_arn, bucket, topic_arn;
	struct str prefix;    /* p NULL: none */
	struct str data_sets; /* JSON array of types that are published, each once */
	bool feeds;
	int64_t revision; /* 0: new */
};

/* From a JSON object; every offending member is named. */
SOUK_MUST enum souk_err publication_plan_parse(
    const json_t *o, struct arena *mem, struct publication_plan *ret, struct fail *f);
/* The seller's own, or the operator's for it; else SOUK_E_NOT_FOUND. `seen` revision, 0: any. */
SOUK_MUST enum souk_err publication_plan_set(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, int64_t seen, struct publication_plan *io, struct fail *f);
SOUK_MUST enum souk_err publication_plan_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct arena *mem, struct publication_plan *ret);
SOUK_MUST enum souk_err publication_plan_remove(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id);
void publication_plan_json(struct str seller_id, const struct publication_plan *p, struct jw *out);

/* The publication of a daily or monthly set that is the latest at `now`; its midnight. */
instant_t publication_latest(enum data_set d, instant_t now);

/*
 * Puts what is due and was not put yet, for every seller; *ret_n requests. Not inside a transaction. What
 * one seller's fails with is not the others' concern: the first error is returned in the end.
 */
SOUK_MUST enum souk_err publish_due(struct db *db, int64_t *ret_n);

/* The job kinds above; ctx is a struct request_job_ctx. */
enum job_outcome edsp_job_feed_file(void *ctx, struct db *db, const struct job *j, struct fail *f);
SOUK_MUST enum souk_err edsp_job_feed_file_dead(
    void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);

#endif
