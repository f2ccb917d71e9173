/* SPDX-License-Identifier: Apache-2.0 */
/* Publishes on the topic of an SNS service: the query API, signed with SigV4 (service sns). */
#ifndef SOUK_DELIVERY_SNS_PUBLISH_H
#define SOUK_DELIVERY_SNS_PUBLISH_H

#include "delivery/post.h"
#include "delivery/remote.h"

/*
 * One try. Outcome and reason as a job needs them; the reason names what the seller can mend
 * and holds nothing of the service's text but its error code. `id` names the message: topics
 * that remove duplicates (.fifo) get it, so that a repeat is told once.
 */
void sns_publish(struct poster *p, const struct remote *r, struct str topic_arn, struct str message,
    const struct guid *id, instant_t now, struct post_answer *ret);

/* The judgement alone: what status and body of an answer mean. For tests. */
void sns_judge(struct post_answer *a, struct str body);

#endif
