/* SPDX-License-Identifier: Apache-2.0 */
/* What probes see of a struct health. */
#include "server/health.h"

#include "base/clock.h"

struct health_state
health_ask(struct health *h)
{
	struct health_state s = { .database = atomic_load(&h->database),
		.key_ring = atomic_load(&h->key_ring),
		.objects = atomic_load(&h->objects),
		.stopping = atomic_load(&h->stopping) };

	atomic_store(&h->asked_ns, clock_mono_ns());
	/*
	 * A home of objects that was there and went away stops exports, on every node alike, and
	 * nothing else: taking all nodes out of service would stop the rest, too.
	 */
	s.ready = s.database && s.key_ring && atomic_load(&h->objects_met) && !s.stopping;
	return s;
}
