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

/* How many bytes all references but the empty one begin with. */
static size_t
common_length(const struct sales *s, const uint32_t *rows, size_t n)
{
	struct str first = { NULL, 0 };
	size_t common = 0;

	for (size_t i = 0; i < n; i++) {
		struct str t = text_of(s, rows[i]);
		size_t k = 0;

		if (t.n == 0)
			continue;
		if (!first.p) {
			first = t;
			common = t.n;
			continue;
		}
		while (k < common && k < t.n && t.p[k] == first.p[k])
			k++;
		common = k;
	}
	return common;
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

static void
sort_keys(struct sales *s, struct key *keys, struct key *spare)
{
	size_t n = s->n_references, skip = common_length(s, s->reference, n), next;

	for (size_t i = 0; i < n; i++)
		keys[i] =
		    (struct key){ head_of(text_of(s, s->reference[i]), skip), s->reference[i] };
	keys = radix(keys, spare, n);
	for (size_t i = 0; i < n; i = next) {
		for (next = i + 1; next < n && keys[next].head == keys[i].head;)
			next++;
		if (next - i > 1)
			qsort_r(keys + i, next - i, sizeof(*keys), by_text, s);
	}
	for (size_t i = 0; i < n; i++)
		s->reference[i] = keys[i].row;
}

static enum souk_err
order_references(struct sales *s, uint32_t rows, struct fail *f)
{
	struct key *keys, *spare;

	for (uint32_t r = 0; r < rows; r++)
		s->n_references += s->first[r + 1] > s->first[r];
	s->reference = calloc(s->n_references + 1, sizeof(*s->reference));
	keys = calloc(s->n_references + 1, sizeof(*keys));
	spare = calloc(s->n_references + 1, sizeof(*spare));
	if (!s->reference || !keys || !spare) {
		free(keys);
		free(spare);
		return out_of_memory(f);
	}
	s->n_references = 0;
	for (uint32_t r = 0; r < rows; r++)
		if (s->first[r + 1] > s->first[r])
			s->reference[s->n_references++] = r;
	sort_keys(s, keys, spare);
	free(keys);
	free(spare);
	return SOUK_OK;
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
