/* SPDX-License-Identifier: Apache-2.0 */
/* A row again, from its place in the source. */
#include "feeds/row_at.h"

#include "feeds/read.h"
#include "feeds/record.h"

#include <stdlib.h>

#define FIRST_READ ((size_t)4096) /* most rows are shorter */

struct hand {
	char *bytes; /* RECORD_BYTES_MAX */
	struct record record;
	struct str cell[FEED_COLUMNS_MAX];
};

struct row_reader {
	struct feed_source *source;
	struct feed_header **header; /* by file, read when first needed */
	struct hand hand[2];
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read a row again.");
}

enum souk_err
row_reader_new(struct feed_source *s, struct row_reader **ret, struct fail *f)
{
	struct row_reader *r = calloc(1, sizeof(*r));

	if (!r || !(r->header = calloc(s->n, sizeof(struct feed_header *)))) {
		free(r);
		return out_of_memory(f);
	}
	r->source = s;
	for (unsigned i = 0; i < 2; i++)
		if (!(r->hand[i].bytes = malloc(RECORD_BYTES_MAX))) {
			row_reader_free(r);
			return out_of_memory(f);
		}
	*ret = r;
	return SOUK_OK;
}

void
row_reader_free(struct row_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->source->n; i++)
		free(r->header[i]);
	for (unsigned i = 0; i < 2; i++) {
		free(r->hand[i].bytes);
		buf_done(&r->hand[i].record.text);
	}
	free(r->header);
	free(r);
}

static enum souk_err
header_of(struct row_reader *r, size_t file, struct fail *f)
{
	if (r->header[file])
		return SOUK_OK;
	if (!(r->header[file] = malloc(sizeof(struct feed_header))))
		return out_of_memory(f);
	return feed_header_read(r->source, file, 0, r->header[file], f);
}

enum souk_err
row_read(struct row_reader *r, unsigned hand, size_t file, uint64_t offset,
    const struct str **ret_cells, struct fail *f)
{
	struct hand *h = &r->hand[hand];
	const struct feed_file *it = &r->source->files[file];
	enum record_fault fault = RECORD_MORE;
	enum souk_err err = header_of(r, file, f);

	for (size_t want = FIRST_READ; err == SOUK_OK && fault == RECORD_MORE; want *= 16) {
		uint64_t left = it->size - offset;
		size_t n = want < RECORD_BYTES_MAX ? want : RECORD_BYTES_MAX;

		n = left < n ? (size_t)left : n;
		if ((err = feed_source_read(r->source, file, offset, h->bytes, n, f)) != SOUK_OK)
			return err;
		fault = record_parse(&h->record, h->bytes, h->bytes + n, n == left);
		if (!buf_ok(&h->record.text))
			return out_of_memory(f);
	}
	if (err != SOUK_OK)
		return err;
	if (fault != RECORD_OK)
		return fail_set(f, SOUK_E_STORAGE, "file_changed",
		    "%.200s changed while it was read", it->name);
	for (unsigned c = 0; c < feed_info(it->feed)->n_columns; c++) {
		int place = r->header[file]->place[c];

		h->cell[c] =
		    place >= 0 && (size_t)place < h->record.n ? h->record.cell[place] : STR("");
	}
	*ret_cells = h->cell;
	return SOUK_OK;
}

enum souk_err
row_compare(struct row_reader *r, size_t file_a, uint64_t offset_a, size_t file_b,
    uint64_t offset_b, int *ret, struct fail *f)
{
	const struct feed_info *info = feed_info(r->source->files[file_a].feed);
	const struct str *a = NULL, *b = NULL;
	enum souk_err err = row_read(r, 0, file_a, offset_a, &a, f);

	if (err == SOUK_OK)
		err = row_read(r, 1, file_b, offset_b, &b, f);
	*ret = 0;
	for (unsigned c = 0; err == SOUK_OK && *ret == 0 && c < info->n_columns; c++)
		*ret = str_compare(a[c], b[c]);
	return err;
}

enum souk_err
row_line(struct row_reader *r, size_t file, uint64_t offset, uint64_t *ret, struct fail *f)
{
	char *bytes = r->hand[1].bytes;
	enum souk_err err = feed_source_open(r->source, file, f);

	*ret = 1;
	for (uint64_t at = 0; err == SOUK_OK && at < offset;) {
		size_t n =
		    offset - at < RECORD_BYTES_MAX ? (size_t)(offset - at) : RECORD_BYTES_MAX;

		err = feed_source_read(r->source, file, at, bytes, n, f);
		for (const char *p = bytes;
		     err == SOUK_OK && (p = memchr(p, '\n', (size_t)(bytes + n - p))); p++)
			++*ret;
		at += n;
	}
	return err;
}
