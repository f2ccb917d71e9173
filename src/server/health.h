/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this process ready for work? The ticker looks (it may wait for the disk), probes read
 * what it found (they must not).
 */
#ifndef SOUK_SERVER_HEALTH_H
#define SOUK_SERVER_HEALTH_H

#include "base/error.h"
#include "store/db.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct health {
	_Atomic bool database, key_ring, stopping;
	_Atomic bool objects;      /* did the home of objects do what it was last asked? */
	_Atomic bool objects_met;  /* has it ever, since the start? */
	_Atomic uint64_t asked_ns; /* when a probe last asked */
};

struct health_state {
	bool ready, key_ring, objects, stopping;
	const char *database; /* "ok", or what is wrong with it */
};

/* Does the database answer and take writes, as far as is known? Never waits. */
bool health_database(const struct health *h, const struct db *db);

/* `ready` takes the database's state of this moment in, too. Never waits. */
struct health_state health_ask(struct health *h, const struct db *db);

#endif
