/* SPDX-License-Identifier: Apache-2.0 */
/* Ids put down by shard while rows come, looked up when all are there. */
#include "feeds/event_store_int.h"

#include "feeds/parallel.h"

#include <stdlib.h>

#define IDS_FIRST 64U /* of a block; the next ones are twice as large, up to IDS_MOST */
#define IDS_MOST 4096U
#define AHEAD 8U                 /* ids whose slots are fetched early */
#define PASSED (INTERN_NONE - 1) /* in a table: a row that the query does not want */

struct id_block {
	struct id_block *next;
	uint32_t n, cap;
	struct hash_slot id[]; /* value: the row's event, EVENT_NONE when it passed by */
};

struct id_lists {
	struct id_lists *next;
	struct place place; /* of this thread's events */
	struct id_block *block[EVENT_SHARDS];
};

struct collapse {
	struct events_store *st;
	unsigned threads;
	atomic_size_t suspects;
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the billing events.");
}

/* ---- putting --------------------------------------------------------------------------------------------- */

static struct id_lists *
lists_of(struct events_store *st, struct put_context *c)
{
	if (c->ids)
		return c->ids;
	if (!(c->ids = calloc(1, sizeof(*c->ids))))
		return NULL;
	c->ids->place.used = EVENT_BLOCK;
	(void)pthread_mutex_lock(&st->lock);
	c->ids->next = st->lists;
	st->lists = c->ids;
	(void)pthread_mutex_unlock(&st->lock);
	return c->ids;
}

static bool
put_id(struct id_block **at, struct text_hash h, uint32_t event)
{
	struct id_block *b = *at;

	if (!b || b->n == b->cap) {
		uint32_t cap = !b ? IDS_FIRST : b->cap < IDS_MOST ? 2 * b->cap : IDS_MOST;
		struct id_block *more = malloc(sizeof(*more) + cap * sizeof(more->id[0]));

		if (!more)
			return false;
		more->next = b;
		more->n = 0;
		more->cap = cap;
		*at = b = more;
	}
	b->id[b->n++] = (struct hash_slot){ h.a, h.b, event };
	return true;
}

enum souk_err
events_put_later(struct events_store *st, struct put_context *c, const struct event_in *rows,
    size_t n, struct fail *f)
{
	struct id_lists *l = lists_of(st, c);

	if (!l)
		return out_of_memory(f);
	for (size_t i = 0; i < n; i++) {
		const struct event_in *row = &rows[i];
		uint32_t event = row->e.kept ? event_append(st, &l->place, row) : EVENT_NONE;

		if ((row->e.kept && event == EVENT_NONE) ||
		    !put_id(&l->block[row->id.a % EVENT_SHARDS], row->id, event))
			return out_of_memory(f);
	}
	return SOUK_OK;
}

void
events_forget_ids(struct events_store *st)
{
	for (struct id_lists *l = st->lists, *next; l; l = next) {
		next = l->next;
		for (size_t k = 0; k < EVENT_SHARDS; k++)
			for (struct id_block *b = l->block[k], *behind; b; b = behind) {
				behind = b->next;
				free(b);
			}
		free(l);
	}
	st->lists = NULL;
}

/* ---- collapsing ------------------------------------------------------------------------------------------ */

/* Event j takes the place of event i. */
static void
replace(struct events_store *st, uint32_t i, uint32_t j)
{
	uint32_t other = event_of(st, i)->other;

	*event_of(st, i) = *event_of(st, j);
	event_of(st, i)->other = other;
	st->times[i] = st->times[j];
	if (st->more > 0)
		memcpy(more_of(st, i), more_of(st, j), st->more);
	if (st->links)
		st->links[i] = st->links[j];
}

/* Event j has the id of event i, the first that was met: another valid_from, or one of them goes. */
static enum souk_err
compete(struct events_store *st, struct put_context *c, struct shard *s, uint32_t i, uint32_t j,
    struct fail *f)
{
	const struct event_time *time = &st->times[j];
	bool wins = false;
	enum souk_err err;

	while (st->times[i].valid_from != time->valid_from && event_of(st, i)->other != EVENT_NONE)
		i = event_of(st, i)->other;
	if (st->times[i].valid_from != time->valid_from) {
		event_of(st, i)->other = j;
		s->several = true;
		return SOUK_OK;
	}
	err = event_beaten(st, c, time, event_of(st, j), i, &wins, f);
	if (err == SOUK_OK && wins)
		replace(st, i, j);
	event_of(st, j)->kept = false;
	return err;
}

static enum souk_err
meet(struct events_store *st, struct put_context *c, struct shard *s, struct hash_slot *slot,
    const struct hash_slot *id, struct fail *f)
{
	bool wanted = id->value != EVENT_NONE;

	if (slot->value == INTERN_NONE) {
		*slot = *id;
		slot->value = wanted ? id->value : PASSED;
		return SOUK_OK;
	}
	if (wanted && slot->value != PASSED)
		return compete(st, c, s, slot->value, id->value, f);
	if (wanted)
		slot->value = id->value;
	s->suspects += wanted || slot->value != PASSED;
	return SOUK_OK;
}

static enum souk_err
collapse_block(struct events_store *st, struct put_context *c, struct shard *s,
    const struct hash_table *t, const struct id_block *b, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	for (uint32_t i = 0; err == SOUK_OK && i < b->n; i++) {
		struct text_hash h = { b->id[i].a, b->id[i].b };

		if (i + AHEAD < b->n)
			hash_table_prefetch(
			    t, (struct text_hash){ b->id[i + AHEAD].a, b->id[i + AHEAD].b });
		err = meet(st, c, s, hash_table_at(t, h), &b->id[i], f);
	}
	return err;
}

static size_t
ids_of(const struct events_store *st, size_t shard)
{
	size_t n = 0;

	for (const struct id_lists *l = st->lists; l; l = l->next)
		for (const struct id_block *b = l->block[shard]; b; b = b->next)
			n += b->n;
	return n;
}

static enum souk_err
collapse_shard(struct events_store *st, struct put_context *c, size_t shard, struct hash_table *t,
    struct fail *f)
{
	struct shard *s = &st->shard[shard];
	enum souk_err err = SOUK_OK;

	if (!hash_table_reserve(t, ids_of(st, shard)))
		return out_of_memory(f);
	for (const struct id_lists *l = st->lists; l; l = l->next)
		for (const struct id_block *b = l->block[shard]; err == SOUK_OK && b; b = b->next)
			err = collapse_block(st, c, s, t, b, f);
	return err;
}

/* The versions of ids that had several may still change when rows come again; then this is done again, too. */
static enum souk_err
collapse_part(void *arg, unsigned which, struct fail *f)
{
	struct collapse *w = arg;
	struct put_context c = { 0 };
	struct hash_table t = { 0 };
	enum souk_err err = SOUK_OK;

	for (size_t k = which; err == SOUK_OK && k < EVENT_SHARDS; k += w->threads) {
		struct shard *s = &w->st->shard[k];

		err = collapse_shard(w->st, &c, k, &t, f);
		for (size_t i = 0; err == SOUK_OK && s->several && i <= t.mask; i++)
			if (t.slot[i].value == PASSED)
				t.slot[i].value = INTERN_NONE;
		if (err == SOUK_OK && s->several)
			events_settle_current(w->st, &t);
		atomic_fetch_add(&w->suspects, s->suspects);
		s->suspects = 0;
	}
	hash_table_done(&t);
	put_context_done(&c);
	return err;
}

/* Ids with the event that was met first, as collapse_shard met them. */
static enum souk_err
fill_tables(void *arg, unsigned which, struct fail *f)
{
	struct collapse *w = arg;

	for (size_t k = which; k < EVENT_SHARDS; k += w->threads) {
		struct hash_table *t = &w->st->shard[k].table;

		if (!hash_table_reserve(t, ids_of(w->st, k)))
			return out_of_memory(f);
		for (const struct id_lists *l = w->st->lists; l; l = l->next)
			for (const struct id_block *b = l->block[k]; b; b = b->next)
				for (uint32_t i = 0; i < b->n; i++) {
					const struct hash_slot *id = &b->id[i];
					struct hash_slot *slot =
					    hash_table_at(t, (struct text_hash){ id->a, id->b });

					if (id->value == EVENT_NONE || slot->value != INTERN_NONE)
						continue;
					*slot = *id;
					t->n++;
				}
	}
	return SOUK_OK;
}

enum souk_err
events_collapse(struct events_store *st, unsigned threads, bool *ret_suspects, struct fail *f)
{
	struct collapse w = { .st = st, .threads = threads };
	enum souk_err err = parallel_run(threads, collapse_part, &w, f);

	*ret_suspects = w.suspects > 0;
	if (err == SOUK_OK && (st->more || *ret_suspects))
		err = parallel_run(threads, fill_tables, &w, f);
	events_forget_ids(st);
	return err;
}
