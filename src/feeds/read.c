/* SPDX-License-Identifier: Apache-2.0 */
/* One row at a time, from a window over the file that moves on with it. */
#include "feeds/read.h"

#include "feeds/record.h"

#include <stdlib.h>

/* Holds any record and what was read behind it. */
#define WINDOW (2 * RECORD_BYTES_MAX)
#define READ_AT_ONCE ((size_t)256 * 1024)

static const char bom[3] = { '\xef', '\xbb', '\xbf' };

struct window {
	struct feed_source *source;
	size_t file;
	char *bytes;   /* WINDOW of them */
	size_t at, n;  /* unread: [at, n) */
	uint64_t base; /* offset of bytes[0] */
	uint64_t line; /* of bytes[at], from 1 */
	bool last;     /* the file ends at n */
	struct record record;
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read a feed file.");
}

static enum souk_err
file_fault(struct feed_source *s, size_t file, uint64_t line, const char *column, const char *what,
    const char *fix, struct fail *f)
{
	struct feed_fault fault = { s->files[file].name, line, column, what, fix };

	return fault_fail(&fault, f);
}

static enum souk_err
fill(struct window *w, struct fail *f)
{
	uint64_t left = w->source->files[w->file].size - (w->base + w->n);
	size_t want;
	enum souk_err err;

	memmove(w->bytes, w->bytes + w->at, w->n - w->at);
	w->base += w->at;
	w->n -= w->at;
	w->at = 0;
	want = WINDOW - w->n < READ_AT_ONCE ? WINDOW - w->n : READ_AT_ONCE;
	if (left < want)
		want = (size_t)left;
	err = feed_source_read(w->source, w->file, w->base + w->n, w->bytes + w->n, want, f);
	if (err == SOUK_OK) {
		w->n += want;
		w->last = want == left;
	}
	return err;
}

static enum souk_err
window_open(struct window *w, struct feed_source *s, size_t file, struct fail *f)
{
	enum souk_err err;

	*w = (struct window){ .source = s, .file = file, .line = 1, .bytes = malloc(WINDOW) };
	if (!w->bytes)
		return out_of_memory(f);
	if ((err = feed_source_open(s, file, f)) != SOUK_OK || (err = fill(w, f)) != SOUK_OK)
		return err;
	if (w->n >= sizeof(bom) && memcmp(w->bytes, bom, sizeof(bom)) == 0)
		w->at = sizeof(bom);
	return SOUK_OK;
}

static void
window_close(struct window *w)
{
	buf_done(&w->record.text);
	free(w->bytes);
}

/* A row that is too long was set aside: on to behind its line, a window at a time. */
static enum souk_err
skip_line(struct window *w, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	const char *eol = NULL;

	while (
	    err == SOUK_OK && !(eol = memchr(w->bytes + w->at, '\n', w->n - w->at)) && !w->last) {
		w->at = w->n;
		err = fill(w, f);
	}
	w->at = eol ? (size_t)(eol + 1 - w->bytes) : w->n;
	w->line += eol != NULL;
	return err;
}

/* The next record into w->record, not yet taken off; *ret_more is false at the end. */
static enum souk_err
next_record(struct window *w, enum record_fault *ret_fault, bool *ret_more, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	*ret_fault = RECORD_OK;
	for (;;) {
		*ret_more = w->at < w->n;
		if (*ret_more) {
			*ret_fault =
			    record_parse(&w->record, w->bytes + w->at, w->bytes + w->n, w->last);
			if (!buf_ok(&w->record.text))
				return out_of_memory(f);
			if (*ret_fault != RECORD_MORE)
				return SOUK_OK;
		}
		if (w->last)
			return SOUK_OK;
		if ((err = fill(w, f)) != SOUK_OK)
			return err;
	}
}

static enum souk_err
take_record(struct window *w, enum record_fault fault, struct fail *f)
{
	const char *end = w->record.end;

	if (fault != RECORD_OK && (end == w->bytes || end[-1] != '\n') && !w->last)
		return skip_line(w, f);
	w->at = (size_t)(end - w->bytes);
	w->line += w->record.lines;
	return SOUK_OK;
}

static struct str
raw_of(const struct window *w)
{
	const char *p = w->bytes + w->at, *end = w->record.end;

	end -= end > p && end[-1] == '\n';
	end -= end > p && end[-1] == '\r';
	return (struct str){ p, (size_t)(end - p) };
}

/* ---- headers --------------------------------------------------------------------------------------------- */

static enum souk_err
place_columns(struct window *w, uint64_t columns, struct feed_header *h, struct fail *f)
{
	enum feed feed = w->source->files[w->file].feed;
	const struct feed_info *info = feed_info(feed);

	for (unsigned c = 0; c < FEED_COLUMNS_MAX; c++)
		h->place[c] = -1;
	for (size_t i = 0; i < w->record.n; i++) {
		unsigned c = feed_column_named(feed, str_trim(w->record.cell[i]));

		if (c == info->n_columns)
			continue;
		if (h->place[c] >= 0)
			return file_fault(w->source, w->file, 1, info->columns[c].name,
			    "is named twice in the header", "keep one column of that name", f);
		h->place[c] = (int)i;
	}
	for (unsigned c = 0; c < info->n_columns; c++)
		if ((columns & COLUMN(c)) && h->place[c] < 0 && !info->columns[c].optional)
			return file_fault(w->source, w->file, 1, info->columns[c].name,
			    "is missing from the header",
			    w->record.n == 1 ? "separate the columns by commas"
					     : "add the column, under this name",
			    f);
	return SOUK_OK;
}

static enum souk_err
read_header(struct window *w, uint64_t columns, struct feed_header *h, struct fail *f)
{
	enum record_fault fault;
	bool more;
	enum souk_err err = next_record(w, &fault, &more, f);

	if (err != SOUK_OK)
		return err;
	if (!more)
		return file_fault(w->source, w->file, 0, "", "is empty",
		    "a month without rows still has the header", f);
	if (fault != RECORD_OK)
		return file_fault(w->source, w->file, 1, "", record_fault_what(fault),
		    record_fault_fix(fault), f);
	h->n_cells = (unsigned)w->record.n;
	if ((err = place_columns(w, columns, h, f)) != SOUK_OK ||
	    (err = take_record(w, fault, f)) != SOUK_OK)
		return err;
	h->begins = w->base + w->at;
	h->lines = w->line - 1;
	return SOUK_OK;
}

enum souk_err
feed_header_read(
    struct feed_source *s, size_t file, uint64_t columns, struct feed_header *ret, struct fail *f)
{
	struct window w;
	enum souk_err err = window_open(&w, s, file, f);

	if (err == SOUK_OK)
		err = read_header(&w, columns, ret, f);
	window_close(&w);
	return err;
}

/* ---- rows ------------------------------------------------------------------------------------------------ */

enum souk_err
feed_row_fault(const struct feed_reading *r, const struct feed_row *row, unsigned column,
    const char *what, const char *fix, struct fail *f)
{
	struct feed_fault fault = { .file = r->source->files[row->file].name,
		.line = row->line,
		.column = column < row->info->n_columns ? row->info->columns[column].name : "",
		.what = what,
		.fix = fix };

	return fault_row(r->faults, &fault, row->raw, f);
}

/* Cells by column; *ret_fine is false when the row was a fault. */
static enum souk_err
take_cells(const struct feed_reading *r, const struct feed_header *h, const struct record *record,
    struct feed_row *row, struct str *cell, bool *ret_fine, struct fail *f)
{
	const struct feed_info *info = row->info;

	*ret_fine = false;
	if (record->n != h->n_cells)
		return feed_row_fault(r, row, info->n_columns,
		    record->n < h->n_cells ? "has fewer columns than the header"
					   : "has more columns than the header",
		    "quote fields that hold a comma, and look for a line that was cut", f);
	for (unsigned c = 0; c < info->n_columns; c++) {
		struct value_fault fault;

		if (!(row->columns & COLUMN(c)))
			continue;
		cell[c] = record->cell[h->place[c]];
		fault = value_check(&info->columns[c], cell[c]);
		if (fault.what)
			return feed_row_fault(r, row, c, fault.what, fault.fix, f);
	}
	*ret_fine = true;
	return SOUK_OK;
}

static enum souk_err
one_row(const struct feed_reading *r, struct window *w, const struct feed_header *h,
    enum record_fault fault, struct feed_row *row, struct str *cell, struct fail *f)
{
	bool fine = false;
	enum souk_err err;

	row->raw = raw_of(w);
	row->offset = w->base + w->at;
	row->line = w->line;
	if (fault == RECORD_OK && w->record.n == 1 && w->record.cell[0].n == 0 && row->raw.n == 0)
		return SOUK_OK;
	if (fault != RECORD_OK)
		return feed_row_fault(r, row, row->info->n_columns, record_fault_what(fault),
		    record_fault_fix(fault), f);
	err = take_cells(r, h, &w->record, row, cell, &fine, f);
	return err == SOUK_OK && fine ? r->row(r->arg, row, f) : err;
}

static enum souk_err
read_rows(const struct feed_reading *r, struct window *w, struct fail *f)
{
	struct str cell[FEED_COLUMNS_MAX];
	struct feed_row row = { .info = feed_info(r->feed), .cell = cell, .file = w->file };
	struct feed_header h;
	enum record_fault fault;
	bool more = true;
	enum souk_err err = read_header(w, r->columns, &h, f);

	for (unsigned c = 0; err == SOUK_OK && c < FEED_COLUMNS_MAX; c++) {
		cell[c] = STR("");
		if (h.place[c] >= 0)
			row.columns |= r->columns & COLUMN(c);
	}
	while (err == SOUK_OK && (err = next_record(w, &fault, &more, f)) == SOUK_OK && more)
		if ((err = one_row(r, w, &h, fault, &row, cell, f)) == SOUK_OK)
			err = take_record(w, fault, f);
	return err;
}

enum souk_err
feed_read_file(const struct feed_reading *r, size_t file, struct fail *f)
{
	struct window w = { 0 };
	enum souk_err err = currency_load(f);

	if (err == SOUK_OK && (err = window_open(&w, r->source, file, f)) == SOUK_OK)
		err = read_rows(r, &w, f);
	window_close(&w);
	return err;
}

enum souk_err
feed_read(const struct feed_reading *r, struct fail *f)
{
	size_t first, n;
	enum souk_err err = SOUK_OK;

	feed_source_of(r->source, r->feed, &first, &n);
	for (size_t i = first; err == SOUK_OK && i < first + n; i++)
		err = feed_read_file(r, i, f);
	return err;
}
