/* SPDX-License-Identifier: Apache-2.0 */
/* Remembered rows: sorted by key through a first split by the key's highest bits. */
#include "feeds/check_int.h"

#include "base/array.h"

#include <stdlib.h>

#define BUCKET_ROWS 8 /* on average */

bool
check_table_add(struct check_table *t, const struct check_row *r)
{
	if (t->n >= CHECK_NONE / 2 || !ARRAY_ROOM(t->row, t->n, t->cap, 1024))
		return false;
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

/* Of the rows of a key and valid_from the last one, unless it takes them back. */
static void
mark(struct check_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct check_row *a = &t->row[t->order[i]];
		struct check_row *b = i + 1 < t->n ? &t->row[t->order[i + 1]] : NULL;

		if (b != NULL && b->key == a->key && b->valid_from == a->valid_from) {
			if (b->update == a->update)
				b->flags |= ROW_DOUBLE;
			continue;
		}
		if ((a->flags & ROW_DELETED) == 0)
			a->flags |= ROW_ALIVE;
	}
}

/* In the order only the last living row of each key stays: so many versions do not slow the others down. */
static void
keep_latest(struct check_table *t, bool latest)
{
	size_t buckets = (size_t)1 << (64 - t->shift), kept = 0, i = 0;
	uint32_t last = CHECK_NONE;

	for (size_t k = 0; k < buckets; k++) {
		size_t end = t->bucket[k + 1];

		t->bucket[k] = (uint32_t)kept;
		for (; i < end; i++) {
			struct check_row *r = &t->row[t->order[i]];

			if ((r->flags & ROW_ALIVE) == 0)
				continue;
			if (last != CHECK_NONE && t->row[last].key == r->key) {
				kept--;
				if (latest)
					t->row[last].flags &= (uint8_t)~ROW_ALIVE;
			}
			last = t->order[kept++] = t->order[i];
		}
	}
	t->bucket[buckets] = (uint32_t)kept;
}

bool
check_table_settle(struct check_table *t, bool latest)
{
	if (!sort(t))
		return false;
	mark(t);
	keep_latest(t, latest);
	return true;
}

uint32_t
check_table_find(const struct check_table *t, uint64_t key)
{
	size_t at, end;

	if (t->order == NULL || key == 0)
		return CHECK_NONE;
	end = t->bucket[(key >> t->shift) + 1];
	for (at = t->bucket[key >> t->shift]; at < end; at++)
		if (t->row[t->order[at]].key == key)
			return t->order[at];
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
