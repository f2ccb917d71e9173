/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each bucket is one number, the time at which it is empty again (generic cell rate
 * algorithm), so that counting is one compare-and-swap and needs no lock.
 */
#include "server/rate.h"

#include "base/guid.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BUCKETS 16384 /* a power of two */
#define SECOND_NS UINT64_C(1000000000)

struct rate {
	uint64_t cost_ns; /* of one call */
	uint64_t seed;    /* so that nobody can choose a neighbour */
	_Atomic uint64_t full_until[BUCKETS];
};

struct rate *
rate_new(int64_t per_second)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cost_ns = SECOND_NS / (uint64_t)per_second;
	random_bytes(&r->seed, sizeof(r->seed));
	return r;
}

void
rate_free(struct rate *r)
{
	free(r);
}

static _Atomic uint64_t *
bucket_of(struct rate *r, struct str who)
{
	uint64_t h = r->seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < who.n; i++)
		h = (h ^ (unsigned char)who.p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 29;
	return &r->full_until[h & (BUCKETS - 1)];
}

bool
rate_take(struct rate *r, struct str who, uint64_t now_ns)
{
	_Atomic uint64_t *b = bucket_of(r, who);
	uint64_t until = atomic_load(b), from;

	do {
		from = until > now_ns ? until : now_ns;
		if (from - now_ns + r->cost_ns > SECOND_NS)
			return false;
	} while (!atomic_compare_exchange_weak(b, &until, from + r->cost_ns));
	return true;
}
