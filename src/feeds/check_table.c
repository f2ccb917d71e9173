/* SPDX-License-Identifier: Apache-2.0 */
/* Remembered rows: sorted by key through a first split by the key's highest bits. */
#include "feeds/check_int.h"

#include <stdlib.h>

#define BUCKET_ROWS 8 /* on average */

bool
check_table_add(struct check_table *t, const struct check_row *r)
{
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 1024 : t->cap * 2;
		struct check_row *more = reallocarray(t->row, cap, sizeof(*more));

		if (more == NULL || cap >= CHECK_NONE)
			return false;
		t->row = more;
		t->cap = cap;
	}
	t->row[t->n++] = *r;
	return true;
}

static int
by_version(const void *va, const void *vb, void *arg)
{
	uint32_t ia = *(const uint32_t *)va, ib = *(const uint32_t *)vb;
	const struct check_row *rows = arg, *a = &rows[ia], *b = &rows[ib];

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->valid_from != b->valid_from)
		return a->valid_from < b->valid_from ? -1 : 1;
	if (a->update != b->update)
		return a->update < b->update ? -1 : 1;
	return ia < ib ? -1 : 1;
}

static bool
sort(struct check_table *t)
{
	size_t buckets = 2;

	t->shift = 63;
	while (buckets * BUCKET_ROWS < t->n) {
		buckets *= 2;
		t->shift--;
	}
	t->order = malloc((t->n + 1) * sizeof(*t->order));
	t->bucket = calloc(buckets + 1, sizeof(*t->bucket));
	if (t->order == NULL || t->bucket == NULL)
		return false;
	for (size_t i = 0; i < t->n; i++)
		t->bucket[(t->row[i].key >> t->shift) + 1]++;
	for (size_t i = 0; i < buckets; i++)
		t->bucket[i + 1] += t->bucket[i];
	for (size_t i = t->n; i-- > 0;) /* from the back: counts become the begins again */
		t->order[--t->bucket[(t->row[i].key >> t->shift) + 1]] = (uint32_t)i;
	memmove(t->bucket, t->bucket + 1, buckets * sizeof(*t->bucket));
	t->bucket[buckets] = (uint32_t)t->n;
	for (size_t i = 0; i < buckets; i++)
		qsort_r(t->order + t->bucket[i], t->bucket[i + 1] - t->bucket[i], sizeof(*t->order),
		    by_version, t->row);
	return true;
}

bool
check_table_settle(struct check_table *t, bool latest)
{
	struct check_row *a, *b;

	if (!sort(t))
		return false;
	for (size_t i = 0; i < t->n; i++) {
		a = &t->row[t->order[i]];
		b = i + 1 < t->n ? &t->row[t->order[i + 1]] : NULL;
		if (b != NULL && b->key == a->key && b->valid_from == a->valid_from) {
			if (b->update == a->update)
				b->flags |= ROW_DOUBLE;
			continue;
		}
		if ((a->flags & ROW_DELETED) == 0)
			a->flags |= ROW_ALIVE;
	}
	/* From the last version of a key backwards: those before a living one are history. */
	for (size_t i = t->n; latest && i-- > 1;) {
		b = &t->row[t->order[i]];
		for (; i > 0 && t->row[t->order[i - 1]].key == b->key; i--) {
			a = &t->row[t->order[i - 1]];
			if ((b->flags & ROW_ALIVE) != 0)
				a->flags &= (uint8_t)~ROW_ALIVE;
			else
				b = a;
		}
	}
	return true;
}

uint32_t
check_table_find(const struct check_table *t, uint64_t key)
{
	uint32_t from, at;

	if (t->n == 0 || key == 0)
		return CHECK_NONE;
	from = t->bucket[key >> t->shift];
	for (at = t->bucket[(key >> t->shift) + 1]; at > from; at--) {
		const struct check_row *r = &t->row[t->order[at - 1]];

		if (r->key == key && (r->flags & ROW_ALIVE) != 0)
			return t->order[at - 1];
	}
	return CHECK_NONE;
}

void
check_table_done(struct check_table *t)
{
	free(t->row);
	free(t->order);
	free(t->bucket);
	*t = (struct check_table){ 0 };
}
