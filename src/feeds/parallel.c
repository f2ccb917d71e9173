/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that are started, do one thing, and end. */
#include "feeds/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
	parallel_fn *fn;
	void *arg;
	unsigned which;
	enum souk_err err;
	struct fail fail;
	pthread_t thread;
	bool started;
};

unsigned
parallel_threads(unsigned asked)
{
	cpu_set_t set;

	if (asked == 0)
		asked =
		    sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	return asked > PARALLEL_MAX ? PARALLEL_MAX : asked;
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	w->err = w->fn(w->arg, w->which, &w->fail);
	return NULL;
}

enum souk_err
parallel_run(unsigned n, parallel_fn *fn, void *arg, struct fail *f)
{
	struct worker *w;
	enum souk_err err = SOUK_OK;

	if (n == 1)
		return fn(arg, 0, f);
	if (!(w = calloc(n, sizeof(*w))))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for threads.");
	for (unsigned i = 0; i < n; i++) {
		w[i] = (struct worker){ .fn = fn, .arg = arg, .which = i };
		w[i].started = i + 1 < n && pthread_create(&w[i].thread, NULL, work, &w[i]) == 0;
	}
	for (unsigned i = 0; i < n; i++)
		if (!w[i].started)
			(void)work(&w[i]);
	for (unsigned i = 0; i < n; i++) {
		if (w[i].started)
			(void)pthread_join(w[i].thread, NULL);
		if (w[i].err != SOUK_OK && err == SOUK_OK) {
			err = w[i].err;
			if (f)
				*f = w[i].fail;
		}
	}
	free(w);
	return err;
}
