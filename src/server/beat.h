/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node tells the others and hears of them, once a second: that it runs (store/node.h), which calls
 * it has let through (rate.h), which keys its ring has. One thread, so that nothing slow delays it.
 */
#ifndef SOUK_SERVER_BEAT_H
#define SOUK_SERVER_BEAT_H

#include "server/dispatch.h"
#include "server/rate.h"

struct beat;

/* `rate` may be NULL: no limit. Makes the node's row at once. */
SOUK_MUST enum souk_err beat_begin(
    const struct services *svc, struct rate *rate, struct beat **ret);
/* Stops the thread and removes the row; accepts NULL. */
void beat_end(struct beat *b);

/* One round on this thread. For tests. */
SOUK_MUST enum souk_err beat_new(const struct services *svc, struct rate *rate, struct beat **ret);
void beat_once(struct beat *b);

#endif
