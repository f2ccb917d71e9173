/* SPDX-License-Identifier: Apache-2.0 */
/* The store's inside, which event_store.c and event_later.c share. Internal to feeds/event_store. */
#ifndef SOUK_FEEDS_EVENT_STORE_INT_H
#define SOUK_FEEDS_EVENT_STORE_INT_H

#include "feeds/event_store.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

/* Hashes without padding. Until links are settled they stand in arrays of their own, or where event_more's texts would be. */
struct link {
	uint32_t parent[3], disbursement[3];
};
static_assert(sizeof(struct link) <= offsetof(struct event_more, payment_due), "links fit");

/* Where somebody's next event goes. */
struct place {
	uint32_t block;
	uint32_t used; /* of that block; EVENT_BLOCK: another is needed */
};

struct shard {
	pthread_mutex_t lock;
	struct hash_table table;
	struct place place;
	size_t suspects;
	bool several; /* an event has several valid_from */
} __attribute__((aligned(64)));

struct events_store {
	struct feed_source *source;
	size_t more; /* bytes of event_more that are kept: up to the last date asked for; 0: none */
	bool overlay;         /* nobody asks for its texts */
	bool later;           /* rows are collapsed when the pass is over */
	struct bloom *passed; /* NULL with all months */
	/* Address space for all the events that the files can hold; memory comes as it is touched. */
	struct event *events;
	struct event_time *times;
	char *mores; /* `more` bytes each */
	struct link *links;
	uint32_t *used; /* by block */
	uint32_t blocks_max;
	atomic_uint n_blocks;
	pthread_mutex_t lock; /* of `lists` */
	struct id_lists *lists;
	struct shard shard[EVENT_SHARDS];
};

static inline struct event *
event_of(const struct events_store *st, uint32_t i)
{
	return &st->events[i];
}

static inline struct event_more *
more_of(const struct events_store *st, uint32_t i)
{
	return (struct event_more *)(void *)(st->mores + (size_t)i * st->more);
}

/* The row's event at its place, current, alone of its id. EVENT_NONE when there is no room. */
uint32_t event_append(struct events_store *st, struct place *p, const struct event_in *row);
/*
 * Does a row, with this time and place, take the place of event `i` of the same id and valid_from? Of its
 * event only file and offset count.
 */
SOUK_MUST enum souk_err event_beaten(struct events_store *st, struct put_context *c,
    const struct event_time *time, const struct event *row, uint32_t i, bool *ret, struct fail *f);
/* Of the events of the table's ids with several valid_from, which one is current. */
void events_settle_current(struct events_store *st, const struct hash_table *t);

/* The rows of a thread, put down for later. */
SOUK_MUST enum souk_err events_put_later(struct events_store *st, struct put_context *c,
    const struct event_in *rows, size_t n, struct fail *f);
/*
 * Collapses what was put down, and forgets the ids; *ret_suspects: some must come again. The shards' tables are filled if
 * there are suspects or links.
 */
SOUK_MUST enum souk_err events_collapse(
    struct events_store *st, unsigned threads, bool *ret_suspects, struct fail *f);
void events_forget_ids(struct events_store *st);

#endif
