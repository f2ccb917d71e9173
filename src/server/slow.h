/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for what waits long for the disk (closing a large upload), so that the
 * connections' threads, of which there are few, do not.
 */
#ifndef SOUK_SERVER_SLOW_H
#define SOUK_SERVER_SLOW_H

#include "base/error.h"

struct slow;

/* The caller's memory until `run` is called; `run` may free it. */
struct slow_task {
	void (*run)(struct slow_task *t);
	struct slow_task *next; /* the pool's own */
};

SOUK_MUST enum souk_err slow_new(unsigned threads, struct slow **ret);
/* Runs what was added before, then ends. Accepts NULL. */
void slow_free(struct slow *s);
/* In order, as threads become free. Never fails. Thread-safe. */
void slow_add(struct slow *s, struct slow_task *t);

#endif
