/* SPDX-License-Identifier: Apache-2.0 */
/* The same work on several threads at once. */
#ifndef SOUK_FEEDS_PARALLEL_H
#define SOUK_FEEDS_PARALLEL_H

#include "base/error.h"

#include <stddef.h>

#define PARALLEL_MAX 64U

/* `asked`, or for 0 as many threads as there are processors; at most PARALLEL_MAX. */
unsigned parallel_threads(unsigned asked);

typedef enum souk_err parallel_fn(void *arg, unsigned which, struct fail *f);

/*
 * fn(arg, 0) .. fn(arg, n - 1), each on a thread of its own, the last on the caller's. All have ended when it returns: the error of
 * the lowest `which` that failed. A thread that cannot be started is the caller's work, too.
 */
SOUK_MUST enum souk_err parallel_run(unsigned n, parallel_fn *fn, void *arg, struct fail *f);

/* The i-th of n equal parts of `total` begins here; the last ends where part n would begin. */
static inline size_t
parallel_part(size_t total, unsigned i, unsigned n)
{
	return (size_t)((unsigned __int128)total * i / n);
}

#endif
