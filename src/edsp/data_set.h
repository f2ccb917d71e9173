/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GenerateDataSet: which publication is meant, whether there is one, and its delivery
 * (specs/edsp.md 2, 3).
 *
 * A set is published at the beginning (UTC) of its day. What daily sets tell of the day before are
 * estimates until the end of the publication's day: usage comes late. After that the same
 * request gives the same bytes.
 */
#ifndef SOUK_EDSP_DATA_SET_H
#define SOUK_EDSP_DATA_SET_H

#include "delivery/request_job.h"
#include "delivery/request_start.h"
#include "feeds/data_set.h"

#define EDSP_DATA_SET_JOB "data-set"
#define EDSP_DATA_SET_AWAY_JOB "data-set-s3" /* the same, to a store that may keep it waiting */

/*
 * What needs no database to refuse: who asks, and the members' rules. With `refuse_deprecated` types that are no longer
 * published, too, else these are accepted and fail with their notification.
 */
SOUK_MUST enum souk_err edsp_data_set_check(const struct tenant_scope *s,
    const struct request_params *p, bool refuse_deprecated, struct fail *f);
/*
 * Checks and keeps the request, puts its job. What is not published (yet, or any more, or before the
 * seller joined) is accepted, and fails with its notification.
 */
SOUK_MUST enum souk_err edsp_data_set_start(struct db_tx *tx, const struct tenant_scope *s,
    const struct request_params *p, struct guid *ret_request_id, struct fail *f);

/* The job kinds above; ctx is a struct request_job_ctx. */
enum job_outcome edsp_job_data_set(void *ctx, struct db *db, const struct job *j, struct fail *f);
/* Hook for dead letters: request_failed. */
SOUK_MUST enum souk_err edsp_job_data_set_dead(
    void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);

#endif
