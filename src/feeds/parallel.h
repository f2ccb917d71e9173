/* SPDX-License-Identifier: Apache-2.0 */
/* The same work on several threads, for as long as one call lasts. */
#ifndef SOUK_FEEDS_PARALLEL_H
#define SOUK_FEEDS_PARALLEL_H

#include <stddef.h>

#define PARALLEL_MAX 64U

/* How many threads for a wish (0: one a core), at least 1. */
unsigned parallel_threads(unsigned wish);
/* Calls fn(ctx, 0) ... fn(ctx, n - 1), each once, on as many threads as can be had; returns when all are done. */
void parallel_run(unsigned n, void (*fn)(void *ctx, unsigned i), void *ctx);
/* The i-th of n equal parts of `total` begins here; part n begins at `total`. */
static inline size_t
parallel_part(size_t total, unsigned i, unsigned n)
{
	return (size_t)((unsigned __int128)total * i / n);
}

#endif
