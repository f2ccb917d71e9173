/* SPDX-License-Identifier: Apache-2.0 */
/* The job kind "publish": a message for the topic of an SNS service. */
#ifndef SOUK_DELIVERY_SNS_JOB_H
#define SOUK_DELIVERY_SNS_JOB_H

#include "delivery/remote.h"
#include "store/job.h"

/* One per process. */
struct sns_sender;
SOUK_MUST enum souk_err sns_sender_new(
    struct vault *v, const struct config *c, struct sns_sender **ret, struct fail *f);
void sns_sender_free(struct sns_sender *s); /* accepts NULL */

/*
 * At least once: a crash between the service's answer and our record publishes again. The role
 * is asked anew each time. Context: struct sns_sender *.
 */
enum job_outcome sns_job_publish(void *sender, struct db *db, const struct job *j, struct fail *f);

#endif
