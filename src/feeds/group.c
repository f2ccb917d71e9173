/* SPDX-License-Identifier: Apache-2.0 */
/* Counting sort by number, in the order of the numbers' texts; then small sorts by key. */
#include "feeds/group.h"

#include "feeds/parallel.h"

#include <endian.h>
#include <stdlib.h>

/* A number with the beginning of its text, which settles most comparisons. */
struct ranked {
	uint64_t prefix;
	uint32_t primary;
};

/* A member with its key, while one primary's members are put in order. */
struct member {
	uint32_t key[GROUP_PARTS];
	uint32_t event;
};

struct chunk {
	struct group *groups;
	size_t n, cap;
	struct member *scratch;
	size_t scratch_cap;
};

struct work {
	const struct group_by *by;
	unsigned threads;
	uint32_t *primary_of; /* event -> primary or GROUP_NONE */
	uint32_t *place;      /* primary -> count, then where its members begin */
	struct ranked *order; /* used primaries, in the order of their texts */
	size_t n_used;
	uint32_t *members;
	size_t n_members;
	struct chunk chunks[PARALLEL_MAX];
};

int
text_order(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static enum souk_err
find_primaries(void *ctx, unsigned i, struct fail *f)
{
	struct work *w = ctx;
	size_t from = parallel_part(w->by->n_events, i, w->threads);
	size_t to = parallel_part(w->by->n_events, i + 1, w->threads);
	uint32_t key[GROUP_PARTS];

	(void)f;
	for (size_t e = from; e < to; e++) {
		if (w->by->next != NULL) {
			size_t next = w->by->next(w->by->ctx, (uint32_t)e);

			for (; e < next && e < to; e++)
				w->primary_of[e] = GROUP_NONE;
			if (e == to)
				break;
		}
		if (!w->by->key(w->by->ctx, (uint32_t)e, &w->primary_of[e], key))
			w->primary_of[e] = GROUP_NONE;
	}
	return SOUK_OK;
}

static uint64_t
prefix_of(struct str s)
{
	unsigned char b[8] = { 0 };
	uint64_t v;

	if (s.n > 0)
		memcpy(b, s.p, s.n < 8 ? s.n : 8);
	memcpy(&v, b, 8);
	return be64toh(v);
}

static int
compare_ranked(const void *pa, const void *pb, void *arg)
{
	const struct ranked *a = pa, *b = pb;
	const struct work *w = arg;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return text_order(w->by->primary_text(w->by->ctx, a->primary),
	    w->by->primary_text(w->by->ctx, b->primary));
}

static enum souk_err
sort_part(void *ctx, unsigned i, struct fail *f)
{
	struct work *w = ctx;
	size_t from = parallel_part(w->n_used, i, w->threads);
	size_t to = parallel_part(w->n_used, i + 1, w->threads);

	(void)f;
	for (size_t j = from; j < to; j++)
		w->order[j].prefix =
		    prefix_of(w->by->primary_text(w->by->ctx, w->order[j].primary));
	if (to - from > 1)
		qsort_r(&w->order[from], to - from, sizeof(*w->order), compare_ranked, w);
	return SOUK_OK;
}

/* Two sorted neighbours into one. */
static void
merge(
    struct work *w, const struct ranked *in, struct ranked *out, size_t from, size_t mid, size_t to)
{
	size_t a = from, b = mid;

	for (size_t o = from; o < to; o++)
		out[o] = b == to || (a < mid && compare_ranked(&in[a], &in[b], w) <= 0) ? in[a++]
											: in[b++];
}

/* Sorts the used primaries by text: each thread a part, then the parts are merged. */
static bool
sort_order(struct work *w)
{
	struct ranked *spare;

	if (parallel_run(w->threads, sort_part, w, NULL) != SOUK_OK)
		return false;
	if (w->threads == 1)
		return true;
	if ((spare = calloc(w->n_used + 1, sizeof(*spare))) == NULL)
		return false;
	for (unsigned step = 1; step < w->threads; step *= 2) {
		struct ranked *merged = spare;

		for (unsigned i = 0; i < w->threads; i += 2 * step) {
			unsigned mid = i + step < w->threads ? i + step : w->threads;
			unsigned end = i + 2 * step < w->threads ? i + 2 * step : w->threads;

			merge(w, w->order, merged, parallel_part(w->n_used, i, w->threads),
			    parallel_part(w->n_used, mid, w->threads),
			    parallel_part(w->n_used, end, w->threads));
		}
		spare = w->order;
		w->order = merged;
	}
	free(spare);
	return true;
}

/* Counts, orders the primaries, and puts each event behind those of its primary. */
static bool
place_members(struct work *w)
{
	size_t at = 0;

	if ((w->place = calloc(w->by->n_primaries + 1, sizeof(*w->place))) == NULL)
		return false;
	for (size_t e = 0; e < w->by->n_events; e++)
		if (w->primary_of[e] != GROUP_NONE) {
			w->n_used += w->place[w->primary_of[e]]++ == 0;
			w->n_members++;
		}
	w->order = calloc(w->n_used + 1, sizeof(*w->order));
	w->members = calloc(w->n_members + 1, sizeof(*w->members));
	if (w->order == NULL || w->members == NULL)
		return false;
	for (size_t p = 0, n = 0; p < w->by->n_primaries; p++)
		if (w->place[p] != 0)
			w->order[n++].primary = (uint32_t)p;
	if (!sort_order(w))
		return false;
	for (size_t i = 0; i < w->n_used; i++) {
		uint32_t *place = &w->place[w->order[i].primary], n = *place;

		*place = (uint32_t)at;
		at += n;
	}
	for (size_t e = 0; e < w->by->n_events; e++)
		if (w->primary_of[e] != GROUP_NONE)
			w->members[w->place[w->primary_of[e]]++] = (uint32_t)e;
	return true; /* place[p] is now the end of p's members */
}

static int
compare_members(const void *pa, const void *pb)
{
	const struct member *a = pa, *b = pb;

	for (unsigned i = 0; i < GROUP_PARTS; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return (a->event > b->event) - (a->event < b->event);
}

static int
compare_groups(const void *pa, const void *pb, void *arg)
{
	const struct group *a = pa, *b = pb;
	const struct group_by *by = arg;

	return by->compare(by->ctx, a->key, b->key);
}

/* Most references have a handful of events. */
static void
sort_members(struct member *m, size_t n)
{
	if (n > 16) {
		qsort(m, n, sizeof(*m), compare_members);
		return;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && compare_members(&m[j], &m[j - 1]) < 0; j--) {
			struct member t = m[j];

			m[j] = m[j - 1];
			m[j - 1] = t;
		}
}

static bool
room(struct chunk *c, size_t n)
{
	if (c->n + n > c->cap) {
		size_t cap = c->cap != 0 ? 2 * c->cap : 4096;
		struct group *g;

		while (cap < c->n + n)
			cap *= 2;
		if ((g = reallocarray(c->groups, cap, sizeof(*g))) == NULL)
			return false;
		c->groups = g;
		c->cap = cap;
	}
	if (n > c->scratch_cap) {
		free(c->scratch);
		c->scratch_cap = 2 * n;
		c->scratch = calloc(c->scratch_cap, sizeof(*c->scratch));
	}
	return c->scratch != NULL;
}

/* The groups of one primary, whose members are [first, first + n). */
static void
group_primary(struct work *w, struct chunk *c, uint32_t primary, uint32_t first, uint32_t n)
{
	struct member *m = c->scratch;
	size_t begin = c->n;
	uint32_t same;

	if (w->by->parts == 0) {
		c->groups[c->n++] = (struct group){ .primary = primary, .first = first, .n = n };
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		memset(m[i].key, 0, sizeof(m[i].key));
		m[i].event = w->members[first + i];
		(void)w->by->key(w->by->ctx, m[i].event, &same, m[i].key);
	}
	sort_members(m, n);
	for (uint32_t i = 0; i < n; i++) {
		w->members[first + i] = m[i].event;
		if (i == 0 || memcmp(m[i].key, m[i - 1].key, sizeof(m[i].key)) != 0) {
			c->groups[c->n] = (struct group){ .primary = primary, .first = first + i };
			memcpy(c->groups[c->n++].key, m[i].key, sizeof(m[i].key));
		}
		c->groups[c->n - 1].n++;
	}
	if (c->n - begin > 1)
		qsort_r(&c->groups[begin], c->n - begin, sizeof(*c->groups), compare_groups,
		    (void *)(uintptr_t)w->by);
}

static enum souk_err
group_part(void *ctx, unsigned part, struct fail *f)
{
	struct work *w = ctx;
	struct chunk *c = &w->chunks[part];
	size_t from = parallel_part(w->n_used, part, w->threads);
	size_t to = parallel_part(w->n_used, part + 1, w->threads);
	uint32_t first = from > 0 ? w->place[w->order[from - 1].primary] : 0;

	(void)f;
	for (size_t i = from; i < to; i++) {
		uint32_t p = w->order[i].primary, n = w->place[p] - first;

		if (!room(c, w->by->parts == 0 ? 1 : n))
			return SOUK_E_NOMEM;
		group_primary(w, c, p, first, n);
		first += n;
	}
	return SOUK_OK;
}

static bool
join_chunks(struct work *w, struct groups *ret)
{
	size_t n = 0, at = 0;

	for (unsigned i = 0; i < w->threads; i++)
		n += w->chunks[i].n;
	if ((ret->groups = calloc(n + 1, sizeof(*ret->groups))) == NULL)
		return false;
	for (unsigned i = 0; i < w->threads; i++) {
		if (w->chunks[i].n > 0)
			memcpy(&ret->groups[at], w->chunks[i].groups,
			    w->chunks[i].n * sizeof(*ret->groups));
		at += w->chunks[i].n;
	}
	ret->n = n;
	ret->members = w->members;
	ret->n_members = w->n_members;
	w->members = NULL;
	return true;
}

enum souk_err
groups_make(const struct group_by *by, struct groups *ret)
{
	struct work w = { .by = by, .threads = parallel_threads(by->threads) };
	enum souk_err r = SOUK_E_NOMEM;

	if ((w.primary_of = calloc(by->n_events + 1, sizeof(*w.primary_of))) == NULL)
		return r;
	if (parallel_run(w.threads, find_primaries, &w, NULL) == SOUK_OK && place_members(&w) &&
	    parallel_run(w.threads, group_part, &w, NULL) == SOUK_OK && join_chunks(&w, ret))
		r = SOUK_OK;
	for (unsigned i = 0; i < w.threads; i++) {
		free(w.chunks[i].groups);
		free(w.chunks[i].scratch);
	}
	free(w.primary_of);
	free(w.place);
	free(w.order);
	free(w.members);
	return r;
}

void
groups_free(struct groups *g)
{
	free(g->groups);
	free(g->members);
	*g = (struct groups){ .n = 0 };
}
