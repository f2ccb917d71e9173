/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls a second somebody may make: a bucket per caller, in a table of fixed
 * size. Two callers may share a bucket when very many call at once; nobody escapes one.
 *
 * Over several nodes: each second a node reports what it let through, and the others take that off
 * their own buckets. So a caller of one node gets the whole limit, and a caller of several no more in the
 * long run; what they let through before they hear of each other is paid back by a pause.
 */
#ifndef SOUK_SERVER_RATE_H
#define SOUK_SERVER_RATE_H

#include "base/str.h"

#include <stdint.h>

struct rate;

/*
 * `per_second` calls, and as many at once after a pause. `seed` says who shares a bucket with whom: secret,
 * so that nobody can choose a neighbour, and the same on all nodes. NULL when out of memory.
 */
struct rate *rate_new(int64_t per_second, uint64_t seed);
void rate_free(struct rate *r); /* accepts NULL */
/* Counts a call at `now_ns`; false when it is one too many. Thread-safe. */
bool rate_take(struct rate *r, struct str who, uint64_t now_ns);
/*
 * Appends what was let through since the last report, for callers who used a noticeable part of their
 * limit: 2 bytes bucket, 4 bytes calls each, at most RATE_REPORT_MAX bytes. Nothing when there are none.
 * One thread at a time.
 */
#define RATE_REPORT_MAX ((size_t)12288)
void rate_report(struct rate *r, struct buf *out);
/* Takes another node's report off our buckets. Ignores what does not fit. */
void rate_charge(struct rate *r, struct str report, uint64_t now_ns);

#endif
