/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a feed, the slow and the fast way: the same rows and the same faults, whatever the bytes, the chunks and the
 * threads.
 */
#include "folder.h"

#include "base/csv.h"
#include "feeds/parallel.h"
#include "feeds/read.h"
#include "feeds/record.h"
#include "feeds/scan.h"

#define PRODUCTS "product_v1/year=2024/month=05/data.csv"
#define MORE "product_v1/year=2024/month=06/data.csv"
#define HISTORY ",2024-05-01T00:00:00Z,2024-05-01T00:00:00Z,2024-05-01T00:00:00Z,"
#define COLUMNS                                                                                    \
	(COLUMN(PRD_PRODUCT_ID) | COLUMN(PRD_PRODUCT_CODE) | COLUMN(PRD_TITLE) |                   \
	    COLUMN(PRD_VALID_FROM) | COLUMN(PRD_UPDATE_DATE))

/* ---- one after the other --------------------------------------------------------------------------------- */

static enum souk_err
keep_row(void *arg, const struct feed_row *row, struct fail *f)
{
	(void)f;
	buf_printf(arg, "%.*s/%.*s/%.*s;", (int)row->cell[PRD_PRODUCT_ID].n,
	    row->cell[PRD_PRODUCT_ID].p, (int)row->cell[PRD_PRODUCT_CODE].n,
	    row->cell[PRD_PRODUCT_CODE].p, (int)row->cell[PRD_TITLE].n, row->cell[PRD_TITLE].p);
	return SOUK_OK;
}

static enum souk_err
read_all(const char *dir, struct fault_sink *faults, struct buf *rows, struct fail *f)
{
	struct feed_reading r = { .feed = FEED_PRODUCT,
		.columns = COLUMNS,
		.faults = faults,
		.row = keep_row,
		.arg = rows };
	enum souk_err err;

	memset(f, 0, sizeof(*f));
	r.source = folder_source(dir);
	err = feed_read(&r, f);
	feed_source_free(r.source);
	return err;
}

/* ---- in chunks ------------------------------------------------------------------------------------------- */

struct placed {
	size_t file;
	uint64_t offset;
	char *text;
};

struct gathering {
	pthread_mutex_t lock;
	struct placed *all;
	size_t n;
	struct {
		struct placed row[20000];
		size_t n;
	} thread[4];
};

static struct value_fault
scan_row(void *arg, unsigned thread, const struct scan_row *row, unsigned *ret_column)
{
	static const unsigned checked[] = { PRD_PRODUCT_ID, PRD_PRODUCT_CODE, PRD_TITLE,
		PRD_VALID_FROM, PRD_UPDATE_DATE };
	struct gathering *g = arg;
	struct placed *p = &g->thread[thread].row[g->thread[thread].n];

	for (size_t i = 0; i < COUNT(checked); i++) {
		struct value_fault fault = value_check(
		    &feed_info(FEED_PRODUCT)->columns[checked[i]], row->cell[checked[i]]);

		*ret_column = checked[i];
		if (fault.what)
			return fault;
	}
	*p = (struct placed){ row->file, row->offset, NULL };
	if (asprintf(&p->text, "%.*s/%.*s/%.*s;", (int)row->cell[PRD_PRODUCT_ID].n,
		row->cell[PRD_PRODUCT_ID].p, (int)row->cell[PRD_PRODUCT_CODE].n,
		row->cell[PRD_PRODUCT_CODE].p, (int)row->cell[PRD_TITLE].n,
		row->cell[PRD_TITLE].p) < 0)
		abort();
	g->thread[thread].n++;
	return (struct value_fault){ NULL, NULL };
}

static void
scan_reset(void *arg, unsigned thread)
{
	struct gathering *g = arg;

	while (g->thread[thread].n > 0)
		free(g->thread[thread].row[--g->thread[thread].n].text);
}

static enum souk_err
scan_commit(void *arg, unsigned thread, struct fail *f)
{
	struct gathering *g = arg;
	size_t n = g->thread[thread].n;

	(void)f;
	(void)pthread_mutex_lock(&g->lock);
	g->all = reallocarray(g->all, g->n + n + 1, sizeof(*g->all));
	memcpy(g->all + g->n, g->thread[thread].row, n * sizeof(*g->all));
	g->n += n;
	(void)pthread_mutex_unlock(&g->lock);
	g->thread[thread].n = 0;
	return SOUK_OK;
}

static int
by_place(const void *va, const void *vb)
{
	const struct placed *a = va, *b = vb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static enum souk_err
scan_all(const char *dir, unsigned threads, size_t chunk, struct fault_sink *faults,
    struct buf *rows, struct fail *f)
{
	static struct gathering g;
	struct scan s = { .feed = FEED_PRODUCT,
		.columns = COLUMNS,
		.faults = faults,
		.threads = threads,
		.chunk = chunk,
		.row = scan_row,
		.reset = scan_reset,
		.commit = scan_commit,
		.arg = &g };
	enum souk_err err;

	memset(f, 0, sizeof(*f));
	memset(&g, 0, sizeof(g));
	(void)pthread_mutex_init(&g.lock, NULL);
	s.source = folder_source(dir);
	err = scan_run(&s, f);
	feed_source_free(s.source);
	for (unsigned i = 0; i < threads; i++)
		scan_reset(&g, i);
	if (g.n > 0)
		qsort(g.all, g.n, sizeof(*g.all), by_place);
	for (size_t i = 0; i < g.n; i++) {
		buf_add_c(rows, g.all[i].text);
		free(g.all[i].text);
	}
	free(g.all);
	return err;
}

/* Both ways, strict and lenient, in chunks of these sizes, agree; returns what the lenient reader said. */
static void
both(const char *dir, struct told *ret_told, struct buf *ret_rows)
{
	static const size_t chunks[] = { 1, 2, 3, 7, 16, 61, 64, 100, 1000, 0 };
	struct fail strict, f;
	struct buf ignored = { 0 };
	enum souk_err want = read_all(dir, NULL, &ignored, &strict);

	told_init(ret_told);
	*ret_rows = (struct buf){ 0 };
	assert_int_equal(read_all(dir, &ret_told->sink, ret_rows, &f), SOUK_OK);
	for (size_t i = 0; i < COUNT(chunks); i++) {
		for (unsigned threads = 1; threads <= 3; threads += 2) {
			struct buf rows = { 0 };
			struct told told;

			told_init(&told);
			buf_clear(&ignored);
			assert_row(chunks[i],
			    scan_all(dir, threads, chunks[i], NULL, &ignored, &f) == want);
			if (want != SOUK_OK) {
				assert_string_equal(f.entry[0].field, strict.entry[0].field);
				assert_string_equal(f.entry[0].what, strict.entry[0].what);
			}
			assert_int_equal(
			    scan_all(dir, threads, chunks[i], &told.sink, &rows, &f), SOUK_OK);
			assert_string_equal(text_of(&rows), text_of(ret_rows));
			assert_string_equal(text_of(&told.text), text_of(&ret_told->text));
			assert_row(
			    chunks[i], str_eq(buf_str(&told.rows), buf_str(&ret_told->rows)));
			told_done(&told);
			buf_done(&rows);
		}
	}
	buf_done(&ignored);
}

static void
expect(const char *dir, const char *rows, const char *faults)
{
	struct told told;
	struct buf got;

	both(dir, &told, &got);
	assert_string_equal(text_of(&got), rows);
	assert_string_equal(text_of(&told.text), faults);
	told_done(&told);
	buf_done(&got);
}

static void
test_good(void **state)
{
	const char *dir = *state;

	folder_text(dir, PRODUCTS,
	    PRODUCT_HEADER "p1,m,c1,One" HISTORY "\np2,m,c2,\"Two, \"\"II\"\"\"" HISTORY "\n");
	expect(dir, "p1/c1/One;p2/c2/Two, \"II\";", "");
	/* BOM, CRLF, moved and unknown columns, an empty line, no last line end, line breaks in quotes. */
	folder_text(dir, PRODUCTS,
	    "\xef\xbb\xbfupdate_date,extra,title,valid_from,product_code,product_id\r\n"
	    "2024-05-01T00:00:00Z,x,\"a\r\nb\n\",2024-05-01,c1,p1\r\n\r\n"
	    "2024-05-01T00:00:00Z,,\"\",2024-05-01 00:00:00,,p2");
	expect(dir, "p1/c1/a\r\nb\n;p2//;", "");
	folder_text(dir, PRODUCTS, PRODUCT_HEADER);
	expect(dir, "", "");
	folder_text(dir, PRODUCTS, PRODUCT_HEADER "p1,m,c1,One" HISTORY "\n");
	folder_text(dir, MORE,
	    "\"product_id\",product_code,title,valid_from,update_date\np2,c2,Two,2024-05-01,2024-"
	    "05-01");
	expect(dir, "p1/c1/One;p2/c2/Two;", "");
}

static void
test_faults(void **state)
{
	static const struct {
		const char *text;
		const char *rows;
		const char *faults;
	} rows[] = {
		{ "p1,m,c1,O\"ne" HISTORY "\np2,m,c,T" HISTORY "\n", "p2/c/T;",
		    "2::has a quote inside a bare field|" },
		{ "p1,m,c1,\"One\"x" HISTORY "\np2,m,c,T" HISTORY "\n", "p2/c/T;",
		    "2::has text behind a closing quote|" },
		{ "p1,m,c1,O\rne" HISTORY "\np2,m,c,T" HISTORY "\n", "p2/c/T;",
		    "2::has a carriage return without a line feed|" },
		{ "p1,m,c1,\"One" HISTORY "\np2,m,c,T" HISTORY "\n", "p2/c/T;",
		    "2::opens a quote that is never closed|" },
		{ "p1,m,c1\np2,m,c,T" HISTORY ",\n\np3,m,c,T" HISTORY "\n", "p3/c/T;",
		    "2::has fewer columns than the header|3::has more columns than the header|" },
		{ ",m,c,T" HISTORY "\n", "", "2:product_id:is empty|" },
		{ "p;m;c;T\n", "", "2::has fewer columns than the header|" },
		{ "p,m,\"a\nb\",T" HISTORY "\np,m,c,T,2024-02-30,,2024-01-01,\n", "p/a\nb/T;",
		    "4:valid_from:is not an instant|" },
		{ "p,m,c,T,1969-12-31T23:59:59Z,,2024-01-01,\np,m,c,T,10000-01-01T00:00:00Z,,2024-"
		  "01-01,\n"
		  "p,m,c,T,2024-01-01T24:00:00Z,,2024-01-01,\np,m,c,T,2024-01-01,,,\n",
		    "",
		    "2:valid_from:is out of range|3:valid_from:is not an instant|4:valid_from:is "
		    "not an "
		    "instant|5:update_date:is empty|" },
		{ "\"\"\n", "", "2::has fewer columns than the header|" },
		{ "p1,m,c,\"a\n\"x" HISTORY "\np2,m,c,T" HISTORY "\n", "p2/c/T;",
		    "2::has text behind a closing quote|3::opens a quote that is never closed|" },
	};
	const char *dir = *state;

	folder_clear(dir);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = NULL;

		assert_true(asprintf(&text, "%s%s", PRODUCT_HEADER, rows[i].text) > 0);
		folder_text(dir, PRODUCTS, text);
		expect(dir, rows[i].rows, rows[i].faults);
		free(text);
	}
}

static void
test_nul(void **state)
{
	static const char text[] =
	    PRODUCT_HEADER "p1,m,c\0,T" HISTORY "\np2,m,\"\0\",T" HISTORY "\np3,m,c,T" HISTORY "\n";
	const char *dir = *state;

	folder_write(dir, PRODUCTS, text, sizeof(text) - 1);
	expect(dir, "p3/c/T;", "2::holds a NUL byte|3::holds a NUL byte|");
}

static void
test_headers(void **state)
{
	static const struct {
		const char *text;
		const char *field;
		const char *what;
	} rows[] = {
		{ "", PRODUCTS, "is empty" },
		{ "product_id,title,valid_from,update_date\n", PRODUCTS ":1:product_code",
		    "is missing from the header" },
		{ "product_id;product_code;title\n", PRODUCTS ":1:product_id",
		    "is missing from the header" },
		{ "product_id,title,product_code,title,valid_from,update_date\n",
		    PRODUCTS ":1:title", "is named twice in the header" },
		{ "product_id,\"title\n", PRODUCTS ":1", "opens a quote that is never closed" },
		{ "product_id,ti\"tle\n", PRODUCTS ":1", "has a quote inside a bare field" },
	};
	const char *dir = *state;
	struct told told;

	told_init(&told);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf ignored = { 0 };
		struct fail f;

		folder_text(dir, PRODUCTS, rows[i].text);
		/* Of a file as a whole: an error for the lenient, too. */
		assert_row(i, read_all(dir, &told.sink, &ignored, &f) == SOUK_E_INVALID);
		assert_string_equal(f.entry[0].field, rows[i].field);
		assert_string_equal(f.entry[0].what, rows[i].what);
		assert_row(i, scan_all(dir, 2, 0, &told.sink, &ignored, &f) == SOUK_E_INVALID);
		assert_string_equal(f.entry[0].field, rows[i].field);
		buf_done(&ignored);
	}
	told_done(&told);
}

/* A line that does not end: set aside at little cost, and what follows is read. */
static void
test_long_line(void **state)
{
	const char *dir = *state;
	size_t n = 5 * RECORD_BYTES_MAX;
	char *text = malloc(n + 1000);
	static const char *const opened[] = { "p1,m,c,", "p1,m,c,\"" };
	static const char *const what[] = { "is longer than 1 MiB", "is longer than 1 MiB" };

	for (size_t i = 0; i < 2; i++) {
		size_t at = (size_t)snprintf(text, 1000, "%s%s", PRODUCT_HEADER, opened[i]);
		struct told told;
		struct buf rows = { 0 };
		struct fail f;

		memset(text + at, 'x', n - at);
		(void)snprintf(text + n, 1000, "\np2,m,c,T" HISTORY "\n");
		folder_text(dir, PRODUCTS, text);
		told_init(&told);
		assert_int_equal(read_all(dir, &told.sink, &rows, &f), SOUK_OK);
		assert_string_equal(text_of(&rows), "p2/c/T;");
		assert_non_null(strstr(text_of(&told.text), what[i]));
		told_done(&told);
		for (size_t chunk = 0; chunk < 3; chunk++) {
			told_init(&told);
			buf_clear(&rows);
			assert_int_equal(
			    scan_all(dir, 2, chunk * 300000, &told.sink, &rows, &f), SOUK_OK);
			assert_string_equal(text_of(&rows), "p2/c/T;");
			assert_int_equal(told.sink.n, 1);
			assert_int_equal(told.rows.n, FAULT_ROW_MAX + 1);
			told_done(&told);
		}
		buf_done(&rows);
	}
	free(text);
}

/* ---- random bytes ---------------------------------------------------------------------------------------- */

static uint64_t
draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void
test_random(void **state)
{
	static const char *const pieces[] = { ",", "\n", "\"", "\"\"", "\r\n", "\r", "a", "text",
		"p,m,c,\"x\ny\"" HISTORY "\n", "p,m,c,T" HISTORY "\n",
		"p,\"m\",c,\"a,b\"" HISTORY "\n", "\n\"", "\",\"", "2024-05-01" };
	const char *dir = *state;
	uint64_t seed = 88172645463325252;

	folder_clear(dir);
	for (int round = 0; round < 150; round++) {
		struct buf text = { 0 }, rows;
		struct told told;

		buf_add_c(&text, PRODUCT_HEADER);
		for (uint64_t i = 0, n = draw(&seed) % 60; i < n; i++)
			buf_add_c(&text, pieces[draw(&seed) % (round % 3 ? COUNT(pieces) : 8)]);
		folder_write(dir, PRODUCTS, text.p, text.n);
		both(dir, &told, &rows);
		told_done(&told);
		buf_done(&rows);
		buf_done(&text);
	}
}

/* The record parser says of good and bad records what base/csv says. */
static void
test_as_csv(void **state)
{
	static const char alphabet[] = "a,\"\n\r\0b";
	uint64_t seed = 424242;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[12];
		size_t n = 1 + draw(&seed) % sizeof(text), count = 0;
		static struct record r;
		struct csv_reader *reader = NULL;
		struct str *fields;
		bool more;
		FILE *in;
		enum souk_err want;
		enum record_fault got;

		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[draw(&seed) % (sizeof(alphabet) - 1)];
		in = fmemopen(text, n, "r");
		assert_int_equal(csv_reader_new(in, 100, &reader), SOUK_OK);
		want = csv_read(reader, &fields, &count, &more, NULL);
		got = record_parse(&r, text, text + n, true);
		assert_row(round, (want == SOUK_OK) == (got == RECORD_OK));
		if (got == RECORD_OK) {
			assert_row(round, r.n == count);
			for (size_t i = 0; i < count; i++)
				assert_row(round, str_eq(r.cell[i], fields[i]));
		}
		csv_reader_free(reader);
		(void)fclose(in);
		buf_done(&r.text);
		r.text = (struct buf){ 0 };
	}
}

static void
test_index(void **state)
{
	static const char alphabet[] = ",,,\n\n\"\r\r\n\0abcdefghijklmnopq";
	static char text[1000 + 64];
	static uint32_t room[6][1000];
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t n = draw(&seed) % 1000;
		struct scan_index a = { .mark = room[0], .line = room[1], .odd = room[2] };
		struct scan_index b = { .mark = room[3], .line = room[4], .odd = room[5] };

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = alphabet[draw(&seed) % (round % 2 ? 9 : sizeof(alphabet) - 1)];
		scan_index_bytes(text, n, &a);
		scan_index_plain(text, n, &b);
		assert_row(
		    round, a.n_marks == b.n_marks && a.n_lines == b.n_lines && a.n_odd == b.n_odd);
		assert_memory_equal(a.mark, b.mark, a.n_marks * 4);
		assert_memory_equal(a.line, b.line, a.n_lines * 4);
		assert_memory_equal(a.odd, b.odd, a.n_odd * 4);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_as_csv),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests_name("feeds.read", tests, folder_make, folder_remove);
}
