/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feed files: both readers give the same rows and the same faults, whatever the bytes, the size of the chunks
 * and the number of threads; and the fast search for delimiters finds what the plain one finds.
 */
#include "feeds/intern.h"
#include "feeds/read.h"
#include "feeds/scan.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define THREADS 2
#define COLUMNS COLUMNS_ALL(BE__COUNT)
#define PATH "billing_event_v1/year=2024/month=02/data.csv"

/* ---- a source of one file in memory ---- */

struct memory {
	const uint8_t *p;
	size_t n;
};

static enum souk_err
memory_read(void *context, const struct feed_file *file, uint64_t offset, void *p, size_t n,
    size_t *ret_n, struct fail *f)
{
	const struct memory *m = context;

	(void)file;
	(void)f;
	assert(offset <= m->n);
	*ret_n = n < m->n - offset ? n : m->n - (size_t)offset;
	if (*ret_n > 0)
		memcpy(p, m->p + offset, *ret_n);
	return SOUK_OK;
}

static const struct feed_source_ops memory_ops = { .read = memory_read };

/* ---- what a reader says of the file ---- */

struct story {
	uint64_t rows, hash; /* of cells and places; the order does not count */
	struct fault_sink sink;
	uint64_t faults; /* hash, in order */
	enum souk_err r;
	struct fail fail;
};

static uint64_t
row_hash(const struct str *cell, uint64_t offset)
{
	uint64_t h = offset * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (unsigned c = 0; c < BE__COUNT; c++)
		h = (h ^ text_hash(cell[c]).a) * UINT64_C(0x9e3779b97f4a7c15);
	return h;
}

static enum souk_err
take_fault(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	struct story *story = (struct story *)((char *)s - offsetof(struct story, sink));
	const char *const texts[] = { fault->file, fault->column, fault->what, fault->fix };

	(void)f;
	assert(fault->what[0] != '\0' && fault->fix[0] != '\0');
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		story->faults = (story->faults ^ text_hash(str_c(texts[i])).a) * 31;
	story->faults = (story->faults ^ fault->line ^ text_hash(row).a) * 31;
	return SOUK_OK;
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct story *story = arg;

	(void)f;
	story->rows++;
	story->hash += row_hash(row->cell, row->offset);
	return SOUK_OK;
}

static void
read_slowly(struct feed_source *s, bool strict, struct story *story)
{
	const struct feed_reading r = { .source = s,
		.feed = FEED_BILLING_EVENT,
		.columns = COLUMNS,
		.faults = strict ? NULL : &story->sink,
		.row = take_row,
		.arg = story };

	*story = (struct story){ .sink.take = take_fault };
	story->r = feed_read(&r, &story->fail);
}

struct pending {
	uint64_t rows, hash;
};

struct fast {
	struct story *story;
	struct pending pending[THREADS];
	pthread_mutex_t lock;
};

static struct value_fault
scan_row(void *arg, unsigned thread, const struct scan_row *row, unsigned *ret_column)
{
	struct fast *fast = arg;

	for (unsigned c = 0; c < BE__COUNT; c++) {
		const struct feed_column *column = &feed_info(FEED_BILLING_EVENT)->columns[c];
		struct value_fault fault;

		/* The fast reader does not say which columns are absent; those are optional, and empty. */
		fault = value_check(column, row->cell[c]);
		if (fault.what != NULL) {
			*ret_column = c;
			return fault;
		}
	}
	fast->pending[thread].rows++;
	fast->pending[thread].hash += row_hash(row->cell, row->offset);
	return (struct value_fault){ NULL, NULL };
}

static void
scan_reset(void *arg, unsigned thread)
{
	((struct fast *)arg)->pending[thread] = (struct pending){ 0 };
}

static enum souk_err
scan_commit(void *arg, unsigned thread, struct fail *f)
{
	struct fast *fast = arg;

	(void)f;
	(void)pthread_mutex_lock(&fast->lock);
	fast->story->rows += fast->pending[thread].rows;
	fast->story->hash += fast->pending[thread].hash;
	(void)pthread_mutex_unlock(&fast->lock);
	scan_reset(arg, thread);
	return SOUK_OK;
}

static void
read_fast(struct feed_source *s, bool strict, unsigned threads, size_t chunk, struct story *story)
{
	struct fast fast = { .story = story, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct scan scan = { .source = s,
		.feed = FEED_BILLING_EVENT,
		.columns = COLUMNS,
		.faults = strict ? NULL : &story->sink,
		.threads = threads,
		.chunk = chunk,
		.row = scan_row,
		.reset = scan_reset,
		.commit = scan_commit,
		.arg = &fast };

	*story = (struct story){ .sink.take = take_fault };
	story->r = scan_run(&scan, &story->fail);
}

static void
assert_same(const struct story *a, const struct story *b, bool strict)
{
	assert(a->r == b->r);
	if (a->r == SOUK_OK) {
		assert(a->rows == b->rows);
		assert(a->hash == b->hash);
		assert(a->sink.n == b->sink.n);
		assert(a->faults == b->faults);
		return;
	}
	assert(a->fail.n > 0 && b->fail.n > 0);
	assert(strcmp(a->fail.entry[0].what, b->fail.entry[0].what) == 0);
	if (strict)
		assert(strcmp(a->fail.entry[0].field, b->fail.entry[0].field) == 0);
}

/* ---- delimiters ---- */

static void
compare_indexes(const uint8_t *data, size_t n)
{
	struct scan_index x[2] = { { 0 }, { 0 } };
	char *padded = calloc(n + 64, 1);

	assert(padded != NULL);
	if (n > 0)
		memcpy(padded, data, n);
	for (unsigned i = 0; i < 2; i++) {
		x[i].mark = calloc(n + 1, sizeof(uint32_t));
		x[i].line = calloc(n + 1, sizeof(uint32_t));
		x[i].odd = calloc(n + 1, sizeof(uint32_t));
		assert(x[i].mark != NULL && x[i].line != NULL && x[i].odd != NULL);
	}
	scan_index_bytes(padded, n, &x[0]);
	scan_index_plain(padded, n, &x[1]);
	assert(x[0].n_marks == x[1].n_marks && x[0].n_lines == x[1].n_lines &&
	       x[0].n_odd == x[1].n_odd);
	assert(memcmp(x[0].mark, x[1].mark, x[0].n_marks * sizeof(uint32_t)) == 0);
	assert(memcmp(x[0].line, x[1].line, x[0].n_lines * sizeof(uint32_t)) == 0);
	assert(memcmp(x[0].odd, x[1].odd, x[0].n_odd * sizeof(uint32_t)) == 0);
	for (unsigned i = 0; i < 2; i++) {
		free(x[i].mark);
		free(x[i].line);
		free(x[i].odd);
	}
	free(padded);
}

static struct feed_source *
source_of(struct memory *m)
{
	struct feed_source *s = NULL;
	struct fail f = { 0 };
	bool taken = false;
	enum souk_err r = feed_source_new(&memory_ops, m, &s, &f);

	assert(r == SOUK_OK);
	r = feed_source_add(s, PATH, m->n, &taken, &f);
	assert(r == SOUK_OK && taken);
	r = feed_source_settle(s, &f);
	assert(r == SOUK_OK);
	return s;
}

/* Mutations of a good header mostly end in its refusal: put one in front of what does not begin with one. */
static uint8_t *
with_header(const uint8_t *data, size_t n, size_t *ret_n)
{
	const struct feed_info *info = feed_info(FEED_BILLING_EVENT);
	struct buf b = { 0 };

	for (unsigned c = 0; c < info->n_columns; c++)
		buf_printf(&b, "%s%c", info->columns[c].name, c + 1 < info->n_columns ? ',' : '\n');
	if (n > b.n && memcmp(data, b.p, 20) == 0)
		buf_clear(&b);
	if (n > 0)
		buf_add(&b, data, n);
	assert(buf_ok(&b));
	*ret_n = b.n;
	return (uint8_t *)b.p;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct memory m = { 0 };
	uint8_t *text = with_header(data, n, &m.n);
	struct feed_source *s;
	struct story slow, fast;
	/* Chunks of all sizes, chosen by the input. */
	size_t chunk = n > 0 ? 1 + (size_t)data[n / 2] * (data[n - 1] % 8 + 1) : 1;

	m.p = text;
	s = source_of(&m);
	for (int strict = 0; strict < 2; strict++) {
		read_slowly(s, strict, &slow);
		read_fast(s, strict, 1 + n % THREADS, chunk, &fast);
		assert_same(&slow, &fast, strict);
	}
	compare_indexes(text, m.n);
	feed_source_free(s);
	free(text);
	return 0;
}
