/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls a second somebody may make: a bucket per caller, in a table of fixed
 * size. Two callers may share a bucket when very many call at once; nobody escapes one.
 */
#ifndef SOUK_SERVER_RATE_H
#define SOUK_SERVER_RATE_H

#include "base/str.h"

#include <stdint.h>

struct rate;

/* `per_second` calls, and as many at once after a pause. NULL when out of memory. */
struct rate *rate_new(int64_t per_second);
void rate_free(struct rate *r); /* accepts NULL */
/* Counts a call at `now_ns`; false when it is one too many. Thread-safe. */
bool rate_take(struct rate *r, struct str who, uint64_t now_ns);

#endif
