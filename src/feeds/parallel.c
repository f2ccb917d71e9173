/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that are made for one call; where none can be made the caller does the work. */
#include "feeds/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

struct part {
	void (*fn)(void *ctx, unsigned i);
	void *ctx;
	unsigned i;
	pthread_t thread;
	bool running;
};

unsigned
parallel_threads(unsigned wish)
{
	long cores = wish != 0 ? (long)wish : sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	return cores > (long)PARALLEL_MAX ? PARALLEL_MAX : (unsigned)cores;
}

static void *
run_part(void *arg)
{
	struct part *p = arg;

	p->fn(p->ctx, p->i);
	return NULL;
}

void
parallel_run(unsigned n, void (*fn)(void *ctx, unsigned i), void *ctx)
{
	struct part parts[PARALLEL_MAX];
	unsigned started = n < PARALLEL_MAX ? n : PARALLEL_MAX;

	for (unsigned i = 1; i < started; i++) {
		parts[i] = (struct part){ .fn = fn, .ctx = ctx, .i = i };
		parts[i].running = pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0;
	}
	if (n > 0)
		fn(ctx, 0);
	for (unsigned i = 1; i < started; i++)
		if (parts[i].running)
			(void)pthread_join(parts[i].thread, NULL);
		else
			fn(ctx, i);
	for (unsigned i = started; i < n; i++)
		fn(ctx, i);
}
