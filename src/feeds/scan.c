/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks, taken in order, read at once, confirmed one after the other. */
#include "feeds/scan.h"

#include "feeds/parallel.h"
#include "feeds/read.h"
#include "feeds/record.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Read behind a chunk's end at first: its last record mostly ends there. */
#define OVERLAP ((size_t)4096)
#define PAD ((size_t)64)

struct chunk {
	uint32_t file; /* place among the feed's files */
	uint64_t from; /* records that begin in [from, to) are its */
	uint64_t to;
	bool first; /* of its file */
	/* Once known: where its last record ended, and the line ends up to there. */
	bool known;
	uint64_t end;
	uint64_t lines;
};

struct held_fault {
	uint32_t file;
	unsigned column;
	uint64_t offset;
	uint64_t line;
	size_t size;
	const char *what;
	const char *fix;
};

struct faults {
	struct held_fault *list;
	size_t n, cap;
};

struct scanning {
	const struct scan *s;
	const struct feed_info *info;
	size_t first_file, n_files;
	struct feed_header *header;
	struct chunk *chunks;
	size_t n_chunks;
	atomic_size_t next;
	atomic_bool stop; /* an error, or a fault that nobody takes */
	pthread_mutex_t lock;
	pthread_cond_t known;
	struct faults faults;
};

struct worker {
	struct scanning *scanning;
	const struct scan *s;
	unsigned which;
	char *bytes; /* of the file, from `base` */
	size_t size; /* of the buffer, without PAD */
	size_t n;
	uint64_t base;
	uint64_t file_size;
	struct scan_index x;
	struct record record;
	struct str cell[FEED_COLUMNS_MAX];
	unsigned column[FEED_COLUMNS_MAX]; /* those to fill, and their places */
	unsigned place[FEED_COLUMNS_MAX];
	unsigned n_columns;
	struct faults faults; /* of this chunk; line: within it */
	char **
	    kept; /* texts of cells that had doubled quotes: they outlive their record, until the commit */
	size_t kept_n, kept_cap;
	enum souk_err err; /* of the chunk */
	struct fail *f;
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read the feeds.");
}

/* ---- faults ---------------------------------------------------------------------------------------------- */

static bool
hold(struct faults *to, const struct held_fault *fault)
{
	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 16;
		struct held_fault *more = reallocarray(to->list, cap, sizeof(*more));

		if (!more)
			return false;
		to->list = more;
		to->cap = cap;
	}
	to->list[to->n++] = *fault;
	return true;
}

static int
by_place(const void *va, const void *vb)
{
	const struct held_fault *a = va, *b = vb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static enum souk_err
tell_one(const struct scanning *g, const struct held_fault *h, char *row, struct fail *f)
{
	struct feed_source *source = g->s->source;
	size_t file = g->first_file + h->file;
	struct feed_fault fault = { .file = source->files[file].name,
		.line = h->line,
		.column = h->column < g->info->n_columns ? g->info->columns[h->column].name : "",
		.what = h->what,
		.fix = h->fix };
	size_t n = h->size < FAULT_ROW_MAX ? h->size : FAULT_ROW_MAX;
	enum souk_err err = feed_source_read(source, file, h->offset, row, n, f);

	n -= n > 0 && n == h->size && row[n - 1] == '\n';
	n -= n > 0 && row[n - 1] == '\r';
	return err == SOUK_OK ? fault_row(g->s->faults, &fault, (struct str){ row, n }, f) : err;
}

static enum souk_err
tell_faults(struct scanning *g, struct fail *f)
{
	char *row;
	enum souk_err err = SOUK_OK;

	if (g->faults.n == 0)
		return SOUK_OK;
	if (!(row = malloc(FAULT_ROW_MAX)))
		return out_of_memory(f);
	qsort(g->faults.list, g->faults.n, sizeof(*g->faults.list), by_place);
	for (size_t i = 0; err == SOUK_OK && i < g->faults.n; i++)
		err = tell_one(g, &g->faults.list[i], row, f);
	free(row);
	return err;
}

/* The chunk's faults become the scan's; `lines` stand before the chunk's first record. */
static enum souk_err
give_faults(struct worker *w, uint64_t lines)
{
	struct scanning *g = w->scanning;
	bool ok = true, too_many;

	if (w->faults.n == 0)
		return SOUK_OK;
	(void)pthread_mutex_lock(&g->lock);
	for (size_t i = 0; ok && i < w->faults.n; i++) {
		w->faults.list[i].line += lines + 1;
		ok = hold(&g->faults, &w->faults.list[i]);
	}
	if (!w->s->faults)
		atomic_store(&g->stop, true);
	too_many = g->faults.n > SCAN_FAULTS_MAX;
	(void)pthread_mutex_unlock(&g->lock);
	w->faults.n = 0;
	if (!ok)
		return out_of_memory(w->f);
	if (too_many)
		return fail_set(w->f, SOUK_E_LIMIT, "too_many_faults",
		    "More than a million rows of the feed %s are faulty; the first checks of `souk "
		    "feeds check` "
		    "say what is wrong.",
		    g->info->name);
	return SOUK_OK;
}

/* ---- records --------------------------------------------------------------------------------------------- */

static void
fault_at(struct worker *w, const struct chunk *c, size_t at, size_t size, size_t line,
    unsigned column, struct value_fault fault)
{
	struct held_fault h = { .file = c->file,
		.column = column,
		.offset = w->base + at,
		.line = line,
		.size = size,
		.what = fault.what,
		.fix = fault.fix };

	if (!hold(&w->faults, &h))
		w->err = out_of_memory(w->f);
}

/* A record with these cells was found. */
static void
give_row(struct worker *w, const struct chunk *c, size_t at, size_t size, size_t line)
{
	struct scan_row row = { w->cell, w->scanning->first_file + c->file, w->base + at };
	unsigned column = 0;
	struct value_fault fault = w->s->row(w->s->arg, w->which, &row, &column);

	if (fault.what)
		fault_at(w, c, at, size, line, column, fault);
}

static void
wrong_number(struct worker *w, const struct chunk *c, size_t at, size_t size, size_t line, size_t n)
{
	const struct feed_header *h = &w->scanning->header[c->file];

	fault_at(w, c, at, size, line, w->scanning->info->n_columns,
	    (struct value_fault){ n < h->n_cells ? "has fewer columns than the header"
						 : "has more columns than the header",
		"quote fields that hold a comma, and look for a line that was cut" });
}

/* Line `k` of the index as a record without quotes. */
static void
plain_record(struct worker *w, const struct chunk *c, size_t at, size_t k, size_t line)
{
	const struct feed_header *h = &w->scanning->header[c->file];
	size_t first = k > 0 ? w->x.line[k - 1] + 1 : 0, last = w->x.line[k];
	const uint32_t *mark = w->x.mark + first;
	size_t n = last - first + 1, end = w->x.mark[last];
	size_t size = end + 1 - at;

	/* Marks before the chunk's first record, in its first line. */
	while (*mark < at) {
		mark++;
		n--;
	}
	if (end > at && w->bytes[end - 1] == '\r')
		end--;
	if (n != h->n_cells) {
		if (end > at)
			wrong_number(w, c, at, size, line, n);
		return;
	}
	for (unsigned i = 0; i < w->n_columns; i++) {
		unsigned p = w->place[i];
		size_t from = p > 0 ? mark[p - 1] + 1 : at;
		size_t to = p + 1 < n ? mark[p] : end;

		w->cell[w->column[i]] = (struct str){ w->bytes + from, to - from };
	}
	give_row(w, c, at, size, line);
}

/* More of the file into the buffer, for a record that does not end in it. */
static enum souk_err
extend(struct worker *w, size_t file)
{
	uint64_t left = w->file_size - (w->base + w->n);
	size_t n = 16 * OVERLAP;
	enum souk_err err;

	if (n > w->size - w->n)
		n = w->size - w->n;
	if (n > left)
		n = (size_t)left;
	err = feed_source_read(w->s->source, file, w->base + w->n, w->bytes + w->n, n, w->f);
	w->n += n;
	return err;
}

/* Behind the line end at or after `at`, which may lie far behind the buffer: *ret_end is an offset of the file. */
static enum souk_err
line_end_after(struct worker *w, size_t file, uint64_t at, uint64_t *ret_end)
{
	char block[16 * 1024];
	enum souk_err err = SOUK_OK;

	while (err == SOUK_OK && at < w->file_size) {
		size_t n =
		    w->file_size - at < sizeof(block) ? (size_t)(w->file_size - at) : sizeof(block);
		const char *eol;

		err = feed_source_read(w->s->source, file, at, block, n, w->f);
		if (err == SOUK_OK && (eol = memchr(block, '\n', n))) {
			*ret_end = at + (uint64_t)(eol + 1 - block);
			return SOUK_OK;
		}
		at += n;
	}
	*ret_end = w->file_size;
	return err;
}

/* A copy of the record's own text that stays until the commit. */
static char *
keep_text(struct worker *w)
{
	size_t i = w->kept_n;
	char *copy;

	if (i == w->kept_cap) {
		size_t cap = w->kept_cap ? 2 * w->kept_cap : 64;
		char **more = reallocarray(w->kept, cap, sizeof(*more));

		if (!more)
			return NULL;
		w->kept = more;
		memset(more + w->kept_cap, 0, (cap - w->kept_cap) * sizeof(*more));
		w->kept_cap = cap;
	}
	if (!(copy = realloc(w->kept[i], w->record.text.n)))
		return NULL;
	memcpy(copy, w->record.text.p, w->record.text.n);
	w->kept[i] = copy;
	w->kept_n++;
	return copy;
}

static void
exact_cells(struct worker *w)
{
	const struct buf *text = &w->record.text;
	char *copy = NULL;

	if (text->n > 0 && !(copy = keep_text(w))) {
		w->err = out_of_memory(w->f);
		return;
	}
	for (unsigned i = 0; i < w->n_columns; i++) {
		struct str s = w->record.cell[w->place[i]];

		if (copy && s.p >= text->p && s.p <= text->p + text->n)
			s.p = copy + (s.p - text->p);
		w->cell[w->column[i]] = s;
	}
}

/*
 * The record at `at` the exact way, whatever it holds. *ret_end: where it ended, as an offset of the file (a faulty
 * one may end behind the buffer); *ret_lines: its line ends.
 */
static void
exact_record(struct worker *w, const struct chunk *c, size_t at, size_t line, uint64_t *ret_end,
    size_t *ret_lines)
{
	size_t file = w->scanning->first_file + c->file, size;
	enum record_fault fault;
	bool last;

	do {
		last = w->base + w->n == w->file_size;
		fault = record_parse(&w->record, w->bytes + at, w->bytes + w->n, last);
		if (!buf_ok(&w->record.text))
			w->err = out_of_memory(w->f);
		else if (fault == RECORD_MORE)
			w->err = extend(w, file);
	} while (w->err == SOUK_OK && fault == RECORD_MORE);
	*ret_end = w->base + (uint64_t)(w->record.end - w->bytes);
	*ret_lines = w->record.lines;
	if (w->err != SOUK_OK)
		return;
	size = (size_t)(w->record.end - w->bytes) - at;
	if (fault != RECORD_OK) {
		if (w->record.lines == 0) {
			w->err = line_end_after(w, file, w->base + w->n, ret_end);
			*ret_lines =
			    *ret_end < w->file_size; /* the last line's end counts for nobody */
		}
		fault_at(w, c, at, size, line, w->scanning->info->n_columns,
		    (struct value_fault){ record_fault_what(fault), record_fault_fix(fault) });
		return;
	}
	if (w->record.n != w->scanning->header[c->file].n_cells) {
		if (w->record.n > 1 || w->record.cell[0].n > 0 || w->bytes[at] == '"')
			wrong_number(w, c, at, size, line, w->record.n);
		return;
	}
	exact_cells(w);
	if (w->err == SOUK_OK)
		give_row(w, c, at, size, line);
}

/* ---- chunks ---------------------------------------------------------------------------------------------- */

/* How many of the index's line ends stand before `at`. */
static size_t
lines_before(const struct scan_index *x, size_t at)
{
	size_t low = 0, high = x->n_lines;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (x->mark[x->line[mid]] < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The records from `at` on, which begins one, up to the first that is not the chunk's. */
static void
read_records(
    struct worker *w, const struct chunk *c, size_t at, uint64_t *ret_end, uint64_t *ret_lines)
{
	size_t k0 = lines_before(&w->x, at), k = k0, o = 0;
	uint64_t end = w->base + at;

	while (w->err == SOUK_OK && end < c->to) {
		size_t lines = 1;

		at = (size_t)(end - w->base);
		while (o < w->x.n_odd && w->x.odd[o] < at)
			o++;
		if (k < w->x.n_lines &&
		    (o == w->x.n_odd || w->x.odd[o] > w->x.mark[w->x.line[k]])) {
			plain_record(w, c, at, k, k - k0);
			end = w->base + w->x.mark[w->x.line[k]] + 1;
		} else {
			exact_record(w, c, at, k - k0, &end, &lines);
		}
		k += lines;
	}
	*ret_end = end;
	*ret_lines = k - k0;
}

static enum souk_err
read_chunk(struct worker *w, const struct chunk *c)
{
	size_t file = w->scanning->first_file + c->file;
	uint64_t end;

	w->file_size = w->s->source->files[file].size;
	/* With the byte before: whether it ends a line says whether the chunk begins with a record. */
	w->base = c->first ? c->from : c->from - 1;
	end = c->to + OVERLAP < w->file_size ? c->to + OVERLAP : w->file_size;
	w->n = (size_t)(end - w->base);
	return feed_source_read(w->s->source, file, w->base, w->bytes, w->n, w->f);
}

static void
place_columns(struct worker *w, const struct chunk *c)
{
	const struct feed_header *h = &w->scanning->header[c->file];

	w->n_columns = 0;
	for (unsigned i = 0; i < w->scanning->info->n_columns; i++) {
		w->cell[i] = STR("");
		if (!(w->s->columns & COLUMN(i)) || h->place[i] < 0)
			continue;
		w->column[w->n_columns] = i;
		w->place[w->n_columns++] = (unsigned)h->place[i];
	}
}

static void
start_over(struct worker *w)
{
	w->s->reset(w->s->arg, w->which);
	w->faults.n = 0;
	w->kept_n = 0;
}

/* What the chunk before says; waits for it. */
static void
wait_for(struct scanning *g, const struct chunk *before)
{
	(void)pthread_mutex_lock(&g->lock);
	while (!before->known)
		(void)pthread_cond_wait(&g->known, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
}

static void
make_known(struct scanning *g, struct chunk *c, uint64_t end, uint64_t lines)
{
	(void)pthread_mutex_lock(&g->lock);
	c->end = end;
	c->lines = lines;
	c->known = true;
	(void)pthread_cond_broadcast(&g->known);
	(void)pthread_mutex_unlock(&g->lock);
}

/* Reads the chunk's records; when it returns they are what they are, and the next chunk may know. */
static void
settle_chunk(struct worker *w, struct chunk *c, uint64_t *ret_lines_before)
{
	struct scanning *g = w->scanning;
	uint64_t guess = UINT64_MAX, end = c->from, lines = 0;
	const struct chunk *before = c - 1;

	*ret_lines_before = g->header[c->file].lines;
	start_over(w);
	w->err = read_chunk(w, c);
	if (w->err == SOUK_OK) {
		scan_index_bytes(w->bytes, w->n, &w->x);
		place_columns(w, c);
		if (c->first)
			guess = c->from;
		else if (w->x.n_lines > 0)
			guess = w->base + w->x.mark[w->x.line[0]] + 1;
		if (guess < c->to)
			read_records(w, c, (size_t)(guess - w->base), &end, &lines);
	}
	if (!c->first) {
		wait_for(g, before);
		*ret_lines_before = before->lines;
		if (before->end != guess || guess >= c->to) {
			start_over(w);
			end = before->end;
			lines = 0;
			if (w->err == SOUK_OK && end < c->to)
				read_records(w, c, (size_t)(end - w->base), &end, &lines);
		}
	}
	if (w->err != SOUK_OK)
		atomic_store(&g->stop, true);
	make_known(g, c, end, *ret_lines_before + lines);
}

static enum souk_err
run_chunks(struct worker *w)
{
	struct scanning *g = w->scanning;
	enum souk_err err = SOUK_OK;

	while (err == SOUK_OK && !atomic_load(&g->stop)) {
		size_t i = atomic_fetch_add(&g->next, 1);
		uint64_t lines;

		if (i >= g->n_chunks)
			break;
		settle_chunk(w, &g->chunks[i], &lines);
		if ((err = w->err) == SOUK_OK &&
		    (err = w->s->commit(w->s->arg, w->which, w->f)) == SOUK_OK)
			err = give_faults(w, lines);
	}
	if (err != SOUK_OK)
		atomic_store(&g->stop, true);
	return err;
}

static enum souk_err
scan_thread(void *arg, unsigned which, struct fail *f)
{
	struct scanning *g = arg;
	size_t chunk = g->s->chunk ? g->s->chunk : SCAN_CHUNK, most = chunk + OVERLAP + 1;
	struct worker w = { .scanning = g, .s = g->s, .which = which, .f = f };
	enum souk_err err = SOUK_OK;

	w.size = most + RECORD_BYTES_MAX;
	w.bytes = malloc(w.size + PAD);
	w.x.mark = malloc(most * sizeof(uint32_t));
	w.x.line = malloc(most * sizeof(uint32_t));
	w.x.odd = malloc(most * sizeof(uint32_t));
	if (!w.bytes || !w.x.mark || !w.x.line || !w.x.odd) {
		err = out_of_memory(f);
		atomic_store(&g->stop, true);
	} else {
		err = run_chunks(&w);
	}
	free(w.bytes);
	free(w.x.mark);
	free(w.x.line);
	free(w.x.odd);
	for (size_t i = 0; i < w.kept_cap; i++)
		free(w.kept[i]);
	free(w.kept);
	free(w.faults.list);
	buf_done(&w.record.text);
	return err;
}

/* ---- scans ----------------------------------------------------------------------------------------------- */

static enum souk_err
open_part(void *arg, unsigned which, struct fail *f)
{
	struct scanning *g = arg;
	enum souk_err err = SOUK_OK;

	for (size_t i = which; err == SOUK_OK && i < g->n_files; i += g->s->threads)
		err = feed_header_read(
		    g->s->source, g->first_file + i, g->s->columns, &g->header[i], f);
	return err;
}

static bool
cut_chunks(struct scanning *g)
{
	size_t size = g->s->chunk ? g->s->chunk : SCAN_CHUNK, n = 0;

	for (size_t i = 0; i < g->n_files; i++) {
		uint64_t bytes = g->s->source->files[g->first_file + i].size - g->header[i].begins;

		n += (size_t)((bytes + size - 1) / size);
	}
	if (!(g->chunks = calloc(n + 1, sizeof(*g->chunks))))
		return false;
	for (size_t i = 0; i < g->n_files; i++) {
		uint64_t from = g->header[i].begins,
			 end = g->s->source->files[g->first_file + i].size;

		for (; from < end; from += size)
			g->chunks[g->n_chunks++] = (struct chunk){ .file = (uint32_t)i,
				.from = from,
				.to = end - from > size ? from + size : end,
				.first = from == g->header[i].begins };
	}
	return true;
}

static enum souk_err
run(struct scanning *g, struct fail *f)
{
	enum souk_err err = parallel_run(g->s->threads, open_part, g, f);

	if (err == SOUK_OK && !cut_chunks(g))
		err = out_of_memory(f);
	if (err == SOUK_OK)
		err = parallel_run(g->s->threads, scan_thread, g, f);
	return err == SOUK_OK ? tell_faults(g, f) : err;
}

enum souk_err
scan_run(const struct scan *s, struct fail *f)
{
	struct scanning g = { .s = s, .info = feed_info(s->feed) };
	enum souk_err err = currency_load(f);

	feed_source_of(s->source, s->feed, &g.first_file, &g.n_files);
	if (err != SOUK_OK || g.n_files == 0)
		return err;
	if (!(g.header = calloc(g.n_files, sizeof(*g.header))))
		return out_of_memory(f);
	(void)pthread_mutex_init(&g.lock, NULL);
	(void)pthread_cond_init(&g.known, NULL);
	err = run(&g, f);
	(void)pthread_mutex_destroy(&g.lock);
	(void)pthread_cond_destroy(&g.known);
	free(g.header);
	free(g.chunks);
	free(g.faults.list);
	return err;
}
