/* SPDX-License-Identifier: Apache-2.0 */
/* Versions are gathered in any order, then sorted within their keys. */
#include "feeds/history.h"

#include "feeds/intern.h"
#include "feeds/row_at.h"

#include <stdlib.h>

#define CELLS_BLOCK ((size_t)256 * 1024)

struct cells_block {
	struct cells_block *next;
	size_t n, size;
	uint32_t words[];
};

struct history {
	enum feed feed;
	unsigned
	    column[FEED_COLUMNS_MAX]; /* place of a column among the kept ones; n_kept: not kept */
	unsigned n_kept;
	struct intern *keys;
	struct version *versions; /* by key, then valid_from */
	size_t n, cap;
	uint32_t *first; /* by key: its versions are [first[k], first[k+1]) */
	uint32_t n_keys;
	struct cells_block *cells;
};

struct loading {
	struct history *h;
	const struct history_query *q;
	struct buf key;
};

#define DELETED (UINT64_C(1) << 63) /* in version.offset while loading */

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the versions of a feed.");
}

/* Parts of a key with NUL between them: no cell holds one. */
static struct str
join_key(struct buf *b, const struct str *parts, unsigned n)
{
	if (n == 1)
		return parts[0];
	buf_clear(b);
	for (unsigned i = 0; i < n; i++) {
		buf_add_str(b, parts[i]);
		buf_add_char(b, '\0');
	}
	return buf_str(b);
}

/* The kept cells: the ends of each in the text, then the text. */
static const uint32_t *
keep_cells(struct history *h, const struct feed_row *row)
{
	size_t bytes = 0, words;
	struct cells_block *b = h->cells;
	uint32_t *at, n = 0;
	char *text;

	for (unsigned c = 0; c < row->info->n_columns; c++)
		if (h->column[c] < h->n_kept)
			bytes += row->cell[c].n;
	words = h->n_kept + (bytes + 3) / 4;
	if (!b || b->size - b->n < words) {
		size_t size = words > CELLS_BLOCK ? words : CELLS_BLOCK;

		if (!(b = malloc(sizeof(*b) + size * sizeof(uint32_t))))
			return NULL;
		*b = (struct cells_block){ .next = h->cells, .size = size };
		h->cells = b;
	}
	at = b->words + b->n;
	b->n += words;
	text = (char *)(at + h->n_kept);
	for (unsigned c = 0; c < row->info->n_columns; c++) {
		if (h->column[c] == h->n_kept)
			continue;
		if (row->cell[c].n > 0)
			memcpy(text + n, row->cell[c].p, row->cell[c].n);
		n += (uint32_t)row->cell[c].n;
		at[h->column[c]] = n;
	}
	return at;
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct loading *l = arg;
	struct history *h = l->h;
	const struct feed_info *info = row->info;
	struct version v = { .file = (uint32_t)row->file, .offset = row->offset };
	struct str parts[FEED_KEY_MAX], key;

	/* The reader checked them. */
	(void)value_instant(row->cell[info->valid_from], &v.valid_from);
	(void)value_instant(row->cell[info->update_date], &v.update_date);
	if (l->q->known_at != INSTANT_NONE && v.update_date > l->q->known_at)
		return SOUK_OK;
	if (row->cell[info->delete_date].n > 0)
		v.offset |= DELETED;
	for (unsigned i = 0; i < info->n_key; i++)
		parts[i] = row->cell[info->key[i]];
	key = join_key(&l->key, parts, info->n_key);
	if (!buf_ok(&l->key) || !intern_put(h->keys, key, text_hash(key), &v.key, NULL) ||
	    !(v.cells = keep_cells(h, row)))
		return out_of_memory(f);
	if (h->n == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 256;
		struct version *more = reallocarray(h->versions, cap, sizeof(*more));

		if (!more || cap > UINT32_MAX) {
			h->versions = more ? more : h->versions;
			return out_of_memory(f);
		}
		h->versions = more;
		h->cap = cap;
	}
	h->versions[h->n++] = v;
	return SOUK_OK;
}

/* ---- order ----------------------------------------------------------------------------------------------- */

/* Brings the versions of each key together; h->first tells where. */
static enum souk_err
group(struct history *h, struct fail *f)
{
	struct version *sorted = calloc(h->n ? h->n : 1, sizeof(*sorted));
	uint32_t *first = calloc((size_t)intern_bound(h->keys) + 2, sizeof(*first));

	if (!sorted || !first) {
		free(sorted);
		free(first);
		return out_of_memory(f);
	}
	h->n_keys = intern_bound(h->keys);
	for (size_t i = 0; i < h->n; i++)
		first[h->versions[i].key + 2]++;
	for (uint32_t k = 2; k <= h->n_keys + 1; k++)
		first[k] += first[k - 1];
	for (size_t i = 0; i < h->n; i++)
		sorted[first[h->versions[i].key + 1]++] = h->versions[i];
	free(h->versions);
	h->versions = sorted;
	h->first = first;
	return SOUK_OK;
}

static int
by_time(const void *va, const void *vb)
{
	const struct version *a = va, *b = vb;

	if (a->valid_from != b->valid_from)
		return a->valid_from < b->valid_from ? -1 : 1;
	if (a->update_date != b->update_date)
		return a->update_date < b->update_date ? -1 : 1;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->offset & ~DELETED) < (b->offset & ~DELETED) ? -1 : 1;
}

/* Of [at, end), rows with one valid_from sorted by update_date: the winner. */
static enum souk_err
winner(struct feed_source *s, struct row_reader **r, const struct version *at,
    const struct version *end, struct version *ret, struct fail *f)
{
	const struct version *best = end - 1;
	enum souk_err err = SOUK_OK;

	for (const struct version *v = best;
	     err == SOUK_OK && v-- > at && v->update_date == best->update_date;) {
		int c = 0;

		if (!*r && (err = row_reader_new(s, r, f)) != SOUK_OK)
			break;
		err = row_compare(
		    *r, v->file, v->offset & ~DELETED, best->file, best->offset & ~DELETED, &c, f);
		if (c >= 0) /* the same twice: the first in the feed stands for both */
			best = v;
	}
	*ret = *best;
	return err;
}

/* The versions of one key, now winners only, packed to `*to`. */
static enum souk_err
settle_key(struct history *h, struct feed_source *s, struct row_reader **r, uint32_t from,
    uint32_t end, uint32_t *to, struct fail *f)
{
	struct version *v = h->versions;
	uint32_t first = *to, next;
	enum souk_err err = SOUK_OK;

	if (end - from > 1)
		qsort(v + from, end - from, sizeof(*v), by_time);
	for (uint32_t i = from; err == SOUK_OK && i < end; i = next) {
		struct version won;

		for (next = i + 1; next < end && v[next].valid_from == v[i].valid_from;)
			next++;
		err = winner(s, r, v + i, v + next, &won, f);
		if (!(won.offset & DELETED))
			v[(*to)++] = won;
	}
	for (uint32_t i = first; i < *to; i++)
		v[i].until = i + 1 < *to ? v[i + 1].valid_from : HISTORY_END;
	if (h->feed == FEED_ACCOUNT && first < *to)
		v[first].valid_from -= DAY_MS;
	return err;
}

static enum souk_err
settle(struct history *h, struct feed_source *s, struct fail *f)
{
	struct row_reader *r = NULL;
	uint32_t to = 0, from = 0, end;
	enum souk_err err = group(h, f);

	for (uint32_t k = 0; err == SOUK_OK && k < h->n_keys; k++, from = end) {
		end = h->first[k + 1];
		h->first[k] = to;
		err = settle_key(h, s, &r, from, end, &to, f);
	}
	if (err == SOUK_OK) {
		h->first[h->n_keys] = to;
		h->n = to;
	}
	row_reader_free(r);
	return err;
}

/* ---- load and ask ---------------------------------------------------------------------------------------- */

static uint64_t
columns_to_read(const struct feed_info *info, uint64_t columns)
{
	for (unsigned i = 0; i < info->n_key; i++)
		columns |= COLUMN(info->key[i]);
	return columns | COLUMN(info->valid_from) | COLUMN(info->update_date) |
	       COLUMN(info->delete_date);
}

enum souk_err
history_load(const struct history_query *q, struct history **ret, struct fail *f)
{
	const struct feed_info *info = feed_info(q->feed);
	uint64_t kept = q->columns;
	struct loading l = { .h = calloc(1, sizeof(struct history)), .q = q };
	struct feed_reading reading = { .source = q->source,
		.feed = q->feed,
		.columns = columns_to_read(info, q->columns),
		.faults = q->faults,
		.row = take_row,
		.arg = &l };
	enum souk_err err = SOUK_OK;

	for (unsigned i = 0; i < info->n_key; i++)
		kept |= COLUMN(info->key[i]);
	if (!l.h || !(l.h->keys = intern_new())) {
		free(l.h);
		return out_of_memory(f);
	}
	l.h->feed = q->feed;
	l.h->n_kept = (unsigned)__builtin_popcountll(kept);
	for (unsigned c = 0, n = 0; c < FEED_COLUMNS_MAX; c++)
		l.h->column[c] = kept & COLUMN(c) ? n++ : l.h->n_kept;
	err = feed_read(&reading, f);
	if (err == SOUK_OK)
		err = settle(l.h, q->source, f);
	buf_done(&l.key);
	if (err != SOUK_OK) {
		history_free(l.h);
		return err;
	}
	*ret = l.h;
	return SOUK_OK;
}

void
history_free(struct history *h)
{
	if (!h)
		return;
	for (struct cells_block *b = h->cells, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	intern_free(h->keys);
	free(h->versions);
	free(h->first);
	free(h);
}

size_t
history_keys(const struct history *h)
{
	return h->n_keys;
}

uint32_t
history_key(const struct history *h, const struct str *parts)
{
	unsigned n = feed_info(h->feed)->n_key;
	struct buf b = { 0 };
	struct str key = join_key(&b, parts, n);
	uint32_t k = intern_find(h->keys, key);

	buf_done(&b);
	return k;
}

const struct version *
history_versions(const struct history *h, uint32_t key, size_t *ret_n)
{
	*ret_n = 0;
	if (key >= h->n_keys)
		return NULL;
	*ret_n = h->first[key + 1] - h->first[key];
	return *ret_n ? h->versions + h->first[key] : NULL;
}

const struct version *
history_latest(const struct history *h, uint32_t key)
{
	size_t n;
	const struct version *v = history_versions(h, key, &n);

	return v ? v + n - 1 : NULL;
}

const struct version *
versions_asof(const struct version *v, size_t n, instant_t t)
{
	while (n > 0 && v[n - 1].valid_from > t)
		n--;
	return n > 0 && t < v[n - 1].until ? v + n - 1 : NULL;
}

const struct version *
history_asof(const struct history *h, uint32_t key, instant_t t)
{
	size_t n;
	const struct version *v = history_versions(h, key, &n);

	return versions_asof(v, n, t);
}

struct str
history_cell(const struct history *h, const struct version *v, unsigned column)
{
	unsigned i = h->column[column];
	uint32_t from;

	if (i == h->n_kept)
		return STR("");
	from = i ? v->cells[i - 1] : 0;
	return (struct str){ (const char *)(v->cells + h->n_kept) + from, v->cells[i] - from };
}

uint32_t
history_number(const struct history *h, const struct version *v)
{
	return (uint32_t)(v - h->versions);
}

const struct version *
history_numbered(const struct history *h, uint32_t number)
{
	return &h->versions[number];
}
