/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each bucket is one number, the time at which it is empty again (generic cell rate
 * algorithm), so that counting is one compare-and-swap and needs no lock.
 */
#include "server/rate.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUCKETS 16384 /* a power of two */
#define SECOND_NS UINT64_C(1000000000)
#define DEBT_NS (5 * SECOND_NS) /* the longest pause that other nodes' calls make */
#define NOTICEABLE 100          /* a hundredth of the limit */
#define ONE_REPORT 6            /* bytes */

struct rate {
	uint64_t cost_ns; /* of one call */
	uint64_t seed;
	_Atomic uint64_t full_until[BUCKETS];
	_Atomic uint32_t taken[BUCKETS]; /* since the last report */
};

struct rate *
rate_new(int64_t per_second, uint64_t seed)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cost_ns = SECOND_NS / (uint64_t)per_second;
	r->seed = seed;
	return r;
}

void
rate_free(struct rate *r)
{
	free(r);
}

static size_t
bucket_of(struct rate *r, struct str who)
{
	uint64_t h = r->seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < who.n; i++)
		h = (h ^ (unsigned char)who.p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 29;
	return h & (BUCKETS - 1);
}

bool
rate_take(struct rate *r, struct str who, uint64_t now_ns)
{
	size_t at = bucket_of(r, who);
	_Atomic uint64_t *b = &r->full_until[at];
	uint64_t until = atomic_load(b), from;

	do {
		from = until > now_ns ? until : now_ns;
		if (from - now_ns + r->cost_ns > SECOND_NS)
			return false;
	} while (!atomic_compare_exchange_weak(b, &until, from + r->cost_ns));
	(void)atomic_fetch_add_explicit(&r->taken[at], 1, memory_order_relaxed);
	return true;
}

void
rate_report(struct rate *r, struct buf *out)
{
	size_t most = out->n + RATE_REPORT_MAX;

	for (size_t i = 0; i < BUCKETS && out->n + ONE_REPORT <= most; i++) {
		uint32_t n = atomic_load_explicit(&r->taken[i], memory_order_relaxed);
		uint16_t bucket = htobe16((uint16_t)i);

		if (n == 0)
			continue;
		n = atomic_exchange_explicit(&r->taken[i], 0, memory_order_relaxed);
		if (n * r->cost_ns * NOTICEABLE < SECOND_NS)
			continue;
		n = htobe32(n);
		buf_add(out, &bucket, sizeof(bucket));
		buf_add(out, &n, sizeof(n));
	}
}

void
rate_charge(struct rate *r, struct str report, uint64_t now_ns)
{
	for (; report.n >= ONE_REPORT; report.p += ONE_REPORT, report.n -= ONE_REPORT) {
		uint16_t bucket;
		uint32_t n;
		uint64_t until, to;
		_Atomic uint64_t *b;

		memcpy(&bucket, report.p, sizeof(bucket));
		memcpy(&n, report.p + sizeof(bucket), sizeof(n));
		b = &r->full_until[be16toh(bucket) & (BUCKETS - 1)];
		until = atomic_load(b);
		do {
			to = (until > now_ns ? until : now_ns) + be32toh(n) * r->cost_ns;
			if (to > now_ns + DEBT_NS)
				to = now_ns + DEBT_NS;
		} while (!atomic_compare_exchange_weak(b, &until, to));
	}
}
