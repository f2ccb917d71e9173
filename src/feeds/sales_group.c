/* SPDX-License-Identifier: Apache-2.0 */
/* Events brought together by reference (counted, then placed), and references into the order of their texts. */
#include "feeds/sales_int.h"

#include <stdlib.h>

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to sort the events.");
}

/* The numbers of the events that a thread looks at. */
static void
range_of(uint32_t bound, unsigned which, unsigned n, uint32_t *ret_from, uint32_t *ret_to)
{
	*ret_from = (uint32_t)((uint64_t)bound * which / n);
	*ret_to = (uint32_t)((uint64_t)bound * (which + 1) / n);
}

static bool
matters(const struct sales *s, const struct event *e)
{
	return sales_counts(s, e) || sales_pays(s, e);
}

/* The place of an event's reference in s->first: 0 for the empty one. */
static uint32_t
row_of(const struct event *e)
{
	return e->reference == INTERN_NONE ? 0 : e->reference + 1;
}

static enum souk_err
count(void *arg, unsigned which, struct fail *f)
{
	struct sales *s = arg;
	struct earner earner;
	uint32_t from, to;

	(void)f;
	earner_start(&earner);
	range_of(events_bound(s->fs), which, s->threads, &from, &to);
	for (uint32_t i = events_next(s->fs, from); i < to; i = events_next(s->fs, i + 1)) {
		const struct event *e = event_at(s->fs, i);

		earner_see(&earner, e);
		if (matters(s, e))
			(void)__atomic_fetch_add(&s->first[row_of(e) + 2], 1, __ATOMIC_RELAXED);
	}
	s->earner[which] = earner;
	return SOUK_OK;
}

/* first[r + 1] is where the next event of r goes; in the end it is where those of r + 1 begin. */
static enum souk_err
place(void *arg, unsigned which, struct fail *f)
{
	struct sales *s = arg;
	uint32_t from, to;

	(void)f;
	range_of(events_bound(s->fs), which, s->threads, &from, &to);
	for (uint32_t i = events_next(s->fs, from); i < to; i = events_next(s->fs, i + 1)) {
		const struct event *e = event_at(s->fs, i);

		if (matters(s, e))
			s->events[__atomic_fetch_add(
			    &s->first[row_of(e) + 1], 1, __ATOMIC_RELAXED)] = i;
	}
	return SOUK_OK;
}

/* ---- order of references --------------------------------------------------------------------------------- */

struct key {
	uint64_t
	    head; /* eight bytes behind what all have in common, as a number that orders as they do */
	uint32_t row;
};

static struct str
text_of(const struct sales *s, uint32_t row)
{
	return row == 0 ? STR("") : intern_text(s->fs->references, row - 1);
}

static uint64_t
head_of(struct str s, size_t skip)
{
	uint64_t w = 0;
	size_t n = s.n > skip ? s.n - skip : 0;

	memcpy(&w, s.p + (n ? skip : 0), n < sizeof(w) ? n : sizeof(w));
	return __builtin_bswap64(w);
}

static size_t
common_with(struct str a, struct str b, size_t most)
{
	size_t k = 0;

	while (k < most && k < a.n && k < b.n && a.p[k] == b.p[k])
		k++;
	return k;
}

/* By head, a byte at a time from the lowest; bytes that are the same in all cost nothing. */
static struct key *
radix(struct key *a, struct key *b, size_t n)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t at[257] = { 0 };
		struct key *other = b;

		for (size_t i = 0; i < n; i++)
			at[(a[i].head >> shift & 255) + 1]++;
		if (n == 0 || at[(a[0].head >> shift & 255) + 1] == n)
			continue;
		for (unsigned k = 0; k < 256; k++)
			at[k + 1] += at[k];
		for (size_t i = 0; i < n; i++)
			b[at[a[i].head >> shift & 255]++] = a[i];
		b = a;
		a = other;
	}
	return a;
}

static int
by_text(const void *va, const void *vb, void *arg)
{
	const struct key *a = va, *b = vb;

	return str_compare(text_of(arg, a->row), text_of(arg, b->row));
}

/* What the threads sort: each a range of the rows, first by itself. */
struct order {
	struct sales *s;
	struct key *keys, *spare;
	uint32_t rows;
	unsigned parts;
	struct sorted {
		size_t from, n; /* of the keys */
		struct str first;
		size_t common; /* bytes that all texts of the part but the empty one begin with */
	} part[PARALLEL_MAX + 1];
	size_t skip;
};

static enum souk_err
measure(void *arg, unsigned which, struct fail *f)
{
	struct order *o = arg;
	struct sorted part = { .n = 0 };
	uint32_t from, to;

	(void)f;
	range_of(o->rows, which, o->parts, &from, &to);
	for (uint32_t r = from; r < to; r++) {
		struct str t;

		if (o->s->first[r + 1] == o->s->first[r])
			continue;
		part.n++;
		if ((t = text_of(o->s, r)).n == 0)
			continue;
		if (!part.first.p) {
			part.first = t;
			part.common = t.n;
		}
		part.common = common_with(part.first, t, part.common);
	}
	o->part[which] = part;
	return SOUK_OK;
}

static enum souk_err
sort_part(void *arg, unsigned which, struct fail *f)
{
	struct order *o = arg;
	struct sales *s = o->s;
	size_t n = o->part[which].n, k = 0, next;
	struct key *keys = o->keys + o->part[which].from, *sorted;
	uint32_t from, to;

	(void)f;
	range_of(o->rows, which, o->parts, &from, &to);
	for (uint32_t r = from; r < to; r++)
		if (s->first[r + 1] > s->first[r])
			keys[k++] = (struct key){ head_of(text_of(s, r), o->skip), r };
	sorted = radix(keys, o->spare + o->part[which].from, n);
	for (size_t i = 0; i < n; i = next) {
		for (next = i + 1; next < n && sorted[next].head == sorted[i].head;)
			next++;
		if (next - i > 1)
			qsort_r(sorted + i, next - i, sizeof(*sorted), by_text, s);
	}
	if (sorted != keys && n > 0)
		memcpy(keys, sorted, n * sizeof(*keys));
	return SOUK_OK;
}

static bool
before(const struct sales *s, const struct key *a, const struct key *b)
{
	if (a->head != b->head)
		return a->head < b->head;
	return str_compare(text_of(s, a->row), text_of(s, b->row)) <= 0;
}

/* Two neighbours into one. */
static void
merge(const struct sales *s, const struct key *in, struct key *out, size_t from, size_t mid,
    size_t to)
{
	size_t a = from, b = mid;

	for (size_t i = from; i < to; i++)
		out[i] = b == to || (a < mid && before(s, &in[a], &in[b])) ? in[a++] : in[b++];
}

static void
merge_parts(struct order *o)
{
	for (unsigned step = 1; step < o->parts; step *= 2) {
		struct key *merged = o->spare;

		for (unsigned i = 0; i < o->parts; i += 2 * step) {
			unsigned mid = i + step < o->parts ? i + step : o->parts;
			unsigned end = i + 2 * step < o->parts ? i + 2 * step : o->parts;

			merge(o->s, o->keys, merged, o->part[i].from, o->part[mid].from,
			    o->part[end].from);
		}
		o->spare = o->keys;
		o->keys = merged;
	}
}

/* Where each part's keys go, and how many bytes all texts begin with. */
static void
join_parts(struct order *o)
{
	struct str first = { NULL, 0 };

	for (unsigned i = 0; i < o->parts; i++) {
		struct sorted *p = &o->part[i];

		p->from = o->s->n_references;
		o->s->n_references += p->n;
		if (!p->first.p)
			continue;
		if (!first.p) {
			first = p->first;
			o->skip = p->common;
		}
		o->skip = common_with(first, p->first, o->skip < p->common ? o->skip : p->common);
	}
	o->part[o->parts].from = o->s->n_references;
}

static enum souk_err
sort_references(struct order *o, struct fail *f)
{
	struct sales *s = o->s;
	enum souk_err err = parallel_run(o->parts, sort_part, o, f);

	if (err != SOUK_OK)
		return err;
	merge_parts(o);
	for (size_t i = 0; i < s->n_references; i++)
		s->reference[i] = o->keys[i].row;
	return SOUK_OK;
}

static enum souk_err
order_references(struct sales *s, uint32_t rows, struct fail *f)
{
	struct order *o = calloc(1, sizeof(*o));
	enum souk_err err;

	if (!o)
		return out_of_memory(f);
	*o = (struct order){ .s = s, .rows = rows, .parts = s->threads };
	if ((err = parallel_run(o->parts, measure, o, f)) == SOUK_OK) {
		join_parts(o);
		s->reference = calloc(s->n_references + 1, sizeof(*s->reference));
		o->keys = calloc(s->n_references + 1, sizeof(*o->keys));
		o->spare = calloc(s->n_references + 1, sizeof(*o->spare));
		err =
		    s->reference && o->keys && o->spare ? sort_references(o, f) : out_of_memory(f);
	}
	free(o->keys);
	free(o->spare);
	free(o);
	return err;
}

enum souk_err
sales_group(struct sales *s, struct fail *f)
{
	uint32_t rows = intern_bound(s->fs->references) + 1;
	enum souk_err err;

	if (!(s->first = calloc((size_t)rows + 2, sizeof(*s->first))))
		return out_of_memory(f);
	if ((err = parallel_run(s->threads, count, s, f)) != SOUK_OK)
		return err;
	for (uint32_t r = 2; r <= rows + 1; r++)
		s->first[r] += s->first[r - 1];
	s->n_events = s->first[rows + 1];
	if (!(s->events = calloc(s->n_events + 1, sizeof(*s->events))))
		return out_of_memory(f);
	if ((err = parallel_run(s->threads, place, s, f)) != SOUK_OK)
		return err;
	return order_references(s, rows, f);
}
