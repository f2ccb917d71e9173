/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vault's inside: the ring in use and the gate its readers pass. The layer's own.
 *
 * The danger is a thread that uses a master key while another takes it away: every use of
 * the ring is between ring_enter and ring_leave, and a ring is wiped only after all who
 * may see it have left. Nothing between the two calls may wait or change the ring.
 */
#ifndef SOUK_VAULT_VAULT_RING_H
#define SOUK_VAULT_VAULT_RING_H

#include "vault/gate.h"
#include "vault/ring.h"
#include "vault/vault.h"

struct vault {
	_Atomic(struct ring *) ring;
	struct gate *gate;
	pthread_mutex_t change;     /* held by whoever replaces the ring; guards what follows */
	struct ring_stamp stamp;    /* of the file when the ring was read */
	uint32_t added;             /* by vault_ring_add of this process; 0: none */
	_Atomic uint64_t looked_ns; /* when the file was last looked at, clock_mono_ns */
	char *path;                 /* NULL: the ring comes from a command */
	char *command;              /* NULL: it comes from a file */
	_Atomic uint64_t asked_ns;  /* when the command was last run, clock_mono_ns */
};

/*
 * Before a key is wrapped: looks at the ring's file unless that was done a moment ago. Whoever
 * drops a master key has waited longer than that moment since adding the next one.
 */
void ring_keep_fresh(struct vault *v);

struct inside {
	const struct ring *ring;
	struct gate_stripe *stripe;
};

static inline struct inside
ring_enter(const struct vault *v)
{
	struct gate_stripe *s = gate_enter(v->gate);

	return (struct inside){ .ring = atomic_load(&v->ring), .stripe = s };
}

static inline void
ring_leave(struct inside in)
{
	gate_leave(in.stripe);
}

#endif
