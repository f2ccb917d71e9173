/* SPDX-License-Identifier: Apache-2.0 */
/* Events by id, collapsed as they come. */
#include "feeds/event_store_int.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BLOCKS_MAX (UINT32_MAX / EVENT_BLOCK)
#define ROW_BYTES_MIN 64 /* no row is shorter: three instants, an action, a type, an id */
#define ROW_BYTES 320    /* a row is seldom shorter */
#define FILTER_BYTES_MAX (UINT64_C(64) * 1024 * 1024)

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the billing events.");
}

void
put_context_done(struct put_context *c)
{
	row_reader_free(c->ties);
	free(c->order);
}

/* Huge pages where there are: events and tables are visited in no order. */
static void *
reserve(const struct events_store *st, size_t size)
{
	size_t n = (size_t)st->blocks_max * EVENT_BLOCK * size;
	void *p = mmap(
	    NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_HUGEPAGE);
	return p;
}

static void
release(const struct events_store *st, void *p, size_t size)
{
	if (p)
		(void)munmap(p, (size_t)st->blocks_max * EVENT_BLOCK * size);
}

static bool
skips(const struct events_query *q, uint64_t columns)
{
	return (q->skip & columns) == columns;
}

static size_t
more_bytes(const struct events_query *q)
{
	const uint64_t usage =
	    COLUMN(BE_USAGE_PERIOD_START_DATE) | COLUMN(BE_USAGE_PERIOD_END_DATE);

	if ((q->flags & EVENTS_MORE) == 0)
		return 0;
	if (!skips(q, usage))
		return sizeof(struct event_more);
	return skips(q, COLUMN(BE_PAYMENT_DUE_DATE)) ? offsetof(struct event_more, payment_due)
						     : offsetof(struct event_more, usage_start);
}

enum souk_err
events_store_new(
    const struct events_query *q, uint64_t bytes, struct events_store **ret, struct fail *f)
{
	bool all_months = q->month_from <= MONTHS_FROM && q->month_to >= MONTHS_TO;
	struct events_store *st = aligned_alloc(64, sizeof(*st));
	uint64_t blocks = bytes / ROW_BYTES_MIN / EVENT_BLOCK + 2 * EVENT_SHARDS;

	if (!st)
		return out_of_memory(f);
	memset(st, 0, sizeof(*st));
	st->source = q->source;
	st->more = more_bytes(q);
	st->overlay =
	    skips(q, COLUMN(BE_INVOICE_ID) | COLUMN(BE_BANK_TRACE_ID) | COLUMN(BE_BROKER_ID));
	st->later = all_months;
	st->blocks_max = blocks < BLOCKS_MAX ? (uint32_t)blocks : BLOCKS_MAX;
	st->events = reserve(st, sizeof(*st->events));
	st->times = reserve(st, sizeof(*st->times));
	st->mores = st->more > 0 ? reserve(st, st->more) : NULL;
	st->links = st->more > 0 && !st->overlay ? reserve(st, sizeof(*st->links)) : NULL;
	st->used = calloc(st->blocks_max, sizeof(*st->used));
	(void)pthread_mutex_init(&st->lock, NULL);
	for (size_t i = 0; i < EVENT_SHARDS; i++) {
		st->shard[i].place.used = EVENT_BLOCK;
		(void)pthread_mutex_init(&st->shard[i].lock, NULL);
	}
	/* With all months few rows pass by: they are found among the ids. */
	if (!all_months)
		st->passed = bloom_new(bytes / ROW_BYTES + 1, FILTER_BYTES_MAX);
	if ((!all_months && !st->passed) || !st->events || !st->times ||
	    (!st->mores && st->more > 0) || (!st->links && !st->overlay && st->more > 0) ||
	    !st->used) {
		events_store_free(st);
		return out_of_memory(f);
	}
	*ret = st;
	return SOUK_OK;
}

void
events_store_free(struct events_store *st)
{
	if (!st)
		return;
	for (size_t i = 0; i < EVENT_SHARDS; i++) {
		hash_table_done(&st->shard[i].table);
		(void)pthread_mutex_destroy(&st->shard[i].lock);
	}
	events_forget_ids(st);
	bloom_free(st->passed);
	(void)pthread_mutex_destroy(&st->lock);
	release(st, st->events, sizeof(*st->events));
	release(st, st->times, sizeof(*st->times));
	release(st, st->mores, st->more);
	release(st, st->links, sizeof(*st->links));
	free(st->used);
	free(st);
}

/* ---- putting --------------------------------------------------------------------------------------------- */

static bool
new_block(struct events_store *st, struct place *p)
{
	uint32_t b = atomic_fetch_add(&st->n_blocks, 1);

	if (b >= st->blocks_max) {
		atomic_fetch_sub(&st->n_blocks, 1);
		return false;
	}
	p->block = b;
	p->used = 0;
	return true;
}

static void
pack(struct text_hash h, uint32_t to[3])
{
	to[0] = (uint32_t)h.a;
	to[1] = (uint32_t)(h.a >> 32);
	to[2] = h.b;
}

static struct text_hash
unpack(const uint32_t from[3])
{
	return (struct text_hash){ (uint64_t)from[1] << 32 | from[0], from[2] };
}

static void
set_link(struct events_store *st, uint32_t i, const struct event_in *row)
{
	struct link link;

	pack(row->parent, link.parent);
	pack(row->disbursement, link.disbursement);
	if (st->links)
		st->links[i] = link;
	else
		memcpy(more_of(st, i), &link, sizeof(link));
}

static struct link
take_link(struct events_store *st, uint32_t i)
{
	struct event_more *m = more_of(st, i);
	struct link link;

	if (st->links)
		return st->links[i];
	memcpy(&link, m, sizeof(link));
	m->invoice = m->bank_trace = m->broker = INTERN_NONE;
	return link;
}

static void
set(struct events_store *st, uint32_t i, const struct event_in *row)
{
	struct event *e = event_of(st, i);
	uint32_t other = e->other;

	*e = row->e;
	e->other = other;
	e->current = true;
	st->times[i] = row->time;
	if (st->more) {
		memcpy(more_of(st, i), &row->more, st->more);
		set_link(st, i, row);
	}
}

uint32_t
event_append(struct events_store *st, struct place *p, const struct event_in *row)
{
	uint32_t i;

	if (p->used == EVENT_BLOCK && !new_block(st, p))
		return EVENT_NONE;
	i = p->block * EVENT_BLOCK + p->used;
	st->used[p->block] = ++p->used;
	event_of(st, i)->other = EVENT_NONE;
	set(st, i, row);
	return i;
}

static bool
earlier_place(const struct event *a, const struct event *b)
{
	return a->file != b->file ? a->file < b->file : a->offset < b->offset;
}

enum souk_err
event_beaten(struct events_store *st, struct put_context *c, const struct event_time *time,
    const struct event *row, uint32_t i, bool *ret, struct fail *f)
{
	const struct event *e = event_of(st, i);
	enum souk_err err = SOUK_OK;
	int order = 0;

	*ret = time->update_date > st->times[i].update_date;
	if (time->update_date != st->times[i].update_date)
		return SOUK_OK;
	if (row->file == e->file && row->offset == e->offset) {
		/* In another pass, which may know that it is wanted. */
		*ret = true;
		return SOUK_OK;
	}
	if (!c->ties)
		err = row_reader_new(st->source, &c->ties, f);
	if (err == SOUK_OK)
		err = row_compare(c->ties, row->file, row->offset, e->file, e->offset, &order, f);
	*ret = order > 0 || (order == 0 && earlier_place(row, e));
	return err;
}

/* The id is there: as another valid_from, or against the event with the same. */
static enum souk_err
compete(struct events_store *st, struct put_context *c, struct shard *s, uint32_t i,
    const struct event_in *row, struct fail *f)
{
	bool wins = false;
	enum souk_err err;

	while (
	    st->times[i].valid_from != row->time.valid_from && event_of(st, i)->other != EVENT_NONE)
		i = event_of(st, i)->other;
	if (st->times[i].valid_from != row->time.valid_from) {
		uint32_t more = event_append(st, &s->place, row);

		if (more == EVENT_NONE)
			return out_of_memory(f);
		event_of(st, i)->other = more;
		s->several = true;
		return SOUK_OK;
	}
	err = event_beaten(st, c, &row->time, &row->e, i, &wins, f);
	if (err == SOUK_OK && wins)
		set(st, i, row);
	return err;
}

static enum souk_err
put_one(struct events_store *st, struct put_context *c, struct shard *s, const struct event_in *row,
    struct fail *f)
{
	struct hash_slot *slot;

	if (!hash_table_grow(&s->table))
		return out_of_memory(f);
	slot = hash_table_at(&s->table, row->id);
	if (slot->value != EVENT_NONE)
		return compete(st, c, s, slot->value, row, f);
	if (!row->e.kept) {
		if (st->passed)
			bloom_add(st->passed, row->id);
		return SOUK_OK;
	}
	*slot = (struct hash_slot){ row->id.a, row->id.b, event_append(st, &s->place, row) };
	if (slot->value == EVENT_NONE)
		return out_of_memory(f);
	s->table.n++;
	s->suspects += st->passed && bloom_may_have(st->passed, row->id);
	return SOUK_OK;
}

static void
prefetch(const struct events_store *st, const struct shard *s, struct text_hash h)
{
	hash_table_prefetch(&s->table, h);
	if (st->passed)
		bloom_prefetch(st->passed, h);
}

static bool
room_for(struct put_context *c, size_t n)
{
	if (n <= c->cap)
		return true;
	free(c->order);
	c->cap = 0;
	if (!(c->order = calloc(n, sizeof(*c->order))))
		return false;
	c->cap = n;
	return true;
}

enum souk_err
events_store_put(struct events_store *st, struct put_context *c, const struct event_in *rows,
    size_t n, size_t cap, struct fail *f)
{
	uint32_t from[EVENT_SHARDS + 1];
	enum souk_err err = SOUK_OK;

	if (n == 0)
		return SOUK_OK;
	if (st->later)
		return events_put_later(st, c, rows, n, f);
	if (!room_for(c, cap))
		return out_of_memory(f);
	hash_order(&rows->id, sizeof(*rows), n, EVENT_SHARDS, c->order, from);
	for (unsigned k = 0; err == SOUK_OK && k < EVENT_SHARDS; k++) {
		struct shard *s = &st->shard[k];

		if (from[k] == from[k + 1])
			continue;
		(void)pthread_mutex_lock(&s->lock);
		for (uint32_t i = from[k]; i < from[k + 1]; i++)
			prefetch(st, s, rows[c->order[i]].id);
		for (uint32_t i = from[k]; err == SOUK_OK && i < from[k + 1]; i++)
			err = put_one(st, c, s, &rows[c->order[i]], f);
		(void)pthread_mutex_unlock(&s->lock);
	}
	return err;
}

/* ---- settling -------------------------------------------------------------------------------------------- */

enum souk_err
events_store_end_pass(struct events_store *st, unsigned threads, bool *ret_again, struct fail *f)
{
	size_t suspects = 0;

	if (st->later) {
		st->later = false;
		return events_collapse(st, threads, ret_again, f);
	}
	for (size_t i = 0; i < EVENT_SHARDS; i++) {
		suspects += st->shard[i].suspects;
		st->shard[i].suspects = 0;
	}
	*ret_again = suspects > 0;
	return SOUK_OK;
}

/* Of the events of one id: the one with the greatest valid_from that is not deleted. */
static uint32_t
newest(const struct events_store *st, uint32_t i)
{
	uint32_t best = EVENT_NONE;

	for (; i != EVENT_NONE; i = event_of(st, i)->other)
		if (!event_of(st, i)->deleted &&
		    (best == EVENT_NONE || st->times[i].valid_from > st->times[best].valid_from))
			best = i;
	return best;
}

static uint32_t
linked(const struct events_store *st, struct text_hash h, bool *ret_dangling)
{
	const struct shard *s = &st->shard[h.a % EVENT_SHARDS];
	uint32_t i = EVENT_NONE;

	*ret_dangling = false;
	if (h.a == 0 && h.b == 0)
		return EVENT_NONE;
	if (s->table.slot)
		i = newest(st, hash_table_at(&s->table, h)->value);
	if (i != EVENT_NONE && !event_of(st, i)->kept)
		i = EVENT_NONE;
	*ret_dangling = i == EVENT_NONE;
	return i;
}

void
events_settle_current(struct events_store *st, const struct hash_table *t)
{
	for (size_t j = 0; t->slot && j <= t->mask; j++) {
		uint32_t i = t->slot[j].value, best;

		if (i == EVENT_NONE || event_of(st, i)->other == EVENT_NONE)
			continue;
		best = newest(st, i);
		for (; i != EVENT_NONE; i = event_of(st, i)->other)
			event_of(st, i)->current = i == best;
	}
}

static void
settle_links(struct events_store *st)
{
	for (uint32_t b = 0; b < st->n_blocks; b++)
		for (uint32_t i = b * EVENT_BLOCK; i < b * EVENT_BLOCK + st->used[b]; i++) {
			struct event_more *m = more_of(st, i);

			struct link link = take_link(st, i);

			m->parent = linked(st, unpack(link.parent), &m->parent_dangling);
			m->disbursement =
			    linked(st, unpack(link.disbursement), &m->disbursement_dangling);
		}
	release(st, st->links, sizeof(*st->links));
	st->links = NULL;
}

void
events_store_settle(struct events_store *st)
{
	for (size_t k = 0; k < EVENT_SHARDS; k++)
		if (st->shard[k].several)
			events_settle_current(st, &st->shard[k].table);
	if (st->more)
		settle_links(st);
	release(st, st->times, sizeof(*st->times));
	st->times = NULL;
	for (size_t k = 0; k < EVENT_SHARDS; k++)
		hash_table_done(&st->shard[k].table);
	bloom_free(st->passed);
	st->passed = NULL;
}

uint32_t
events_store_bound(const struct events_store *st)
{
	return st->n_blocks * EVENT_BLOCK;
}

const struct event *
events_store_at(const struct events_store *st, uint32_t i)
{
	return event_of(st, i);
}

const struct event_more *
events_store_more(const struct events_store *st, uint32_t i)
{
	return more_of(st, i);
}

bool
events_store_used(const struct events_store *st, uint32_t i)
{
	return i / EVENT_BLOCK < st->n_blocks && i % EVENT_BLOCK < st->used[i / EVENT_BLOCK];
}
