/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where events are collapsed while they are read: sharded by the id's hash. Internal to feeds/events.
 *
 * Some months: each shard has its lock, its table and a Bloom filter of the ids of rows that were let pass. A row that the
 * query wants is kept. Another row only passes by, unless it has the id of a kept one: then it competes with it. A wanted row
 * whose id may have passed by before is a suspect, and one more pass over the feeds settles it. Both happen under the
 * shard's lock, so nothing slips through between them.
 *
 * All months: nearly every row is kept, so each thread only puts rows and ids down, and when the pass is over the rows are
 * collapsed shard by shard, whose table then fits into a core's cache. An id that both passed by and was kept needs
 * another pass, as above.
 */
#ifndef SOUK_FEEDS_EVENT_STORE_H
#define SOUK_FEEDS_EVENT_STORE_H

#include "feeds/events.h"
#include "feeds/row_at.h"

#define EVENT_SHARDS 128
#define EVENT_BLOCK 2048U /* events; a number is block * EVENT_BLOCK + place */

/* What decides between the rows of one id. */
struct event_time {
	instant_t valid_from;
	instant_t update_date;
};

/* A row on its way in. */
struct event_in {
	struct text_hash id;
	struct event_time time;
	struct event
	    e; /* kept: wanted; `extra`, `deleted` set; `current`, `other` are the store's */
	struct event_more more;
	struct text_hash parent, disbursement; /* with EVENTS_MORE; zero when empty */
};

struct id_lists;

/* What a thread needs of its own. Zeroed; put_context_done at the end, before events_store_settle or after. */
struct put_context {
	struct row_reader *ties; /* made when first needed */
	uint32_t *order;         /* of a batch, by shard */
	size_t cap;
	struct id_lists *ids; /* the store's */
};
void put_context_done(struct put_context *c);

/* Of what the query asks for; `bytes` of the feed's files decide how large the filters are. */
SOUK_MUST enum souk_err events_store_new(
    const struct events_query *q, uint64_t bytes, struct events_store **ret, struct fail *f);
void events_store_free(struct events_store *st); /* accepts NULL */

/* `cap` >= n: how many rows at once to be prepared for. */
SOUK_MUST enum souk_err events_store_put(struct events_store *st, struct put_context *c,
    const struct event_in *rows, size_t n, size_t cap, struct fail *f);

/* Ends a pass, no thread putting. *ret_again: there are suspects, so that every row must come once more. */
SOUK_MUST enum souk_err events_store_end_pass(
    struct events_store *st, unsigned threads, bool *ret_again, struct fail *f);
/* Links and current versions; then the tables are freed. */
void events_store_settle(struct events_store *st);

uint32_t events_store_bound(const struct events_store *st);
const struct event *events_store_at(const struct events_store *st, uint32_t i);
const struct event_more *events_store_more(const struct events_store *st, uint32_t i);
/* Is `i` the number of an event at all? */
bool events_store_used(const struct events_store *st, uint32_t i);

/*
 * Ids that passed by, at most one in a million of others taken for one (more, where bytes_max is not enough for the keys). Each
 * shard has a part of its own: whoever holds its lock may add and ask. NULL when out of memory.
 */
struct bloom;
SOUK_MUST struct bloom *bloom_new(uint64_t keys, uint64_t bytes_max);
void bloom_free(struct bloom *b); /* accepts NULL */
void bloom_prefetch(const struct bloom *b, struct text_hash h);
void bloom_add(struct bloom *b, struct text_hash h);
bool bloom_may_have(const struct bloom *b, struct text_hash h);

#endif
