/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as sellers see them: in the delivery log and at an endpoint. */
#ifndef SOUK_DELIVERY_JOB_VIEW_H
#define SOUK_DELIVERY_JOB_VIEW_H

#include "base/arena.h"
#include "base/json.h"
#include "store/job.h"

/*
 * The member "jobs" of an object that the caller opened: the newest of what was put with this
 * request_id, oldest first. The caller has checked whose they are.
 */
SOUK_MUST enum souk_err jobs_json(struct db_tx *tx, struct str seller_id,
    const struct guid *request_id, struct arena *mem, struct jw *out);

#endif
