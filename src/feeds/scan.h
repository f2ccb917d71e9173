/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All rows of a feed on several threads: what read.h gives one after the other, with the same answers, fast.
 *
 * Files are cut into chunks that threads take in order. A thread guesses that the first line end in its chunk ends a record, and
 * reads on from there; when the chunk before is done it is known where its last record ended, and the guess is confirmed or the
 * chunk read again from there. So quoted line breaks at a chunk's edge cost time and never a row.
 *
 * Records without quotes are cut by the places of commas and line ends, found 64 bytes at a time; others go through record.h.
 */
#ifndef SOUK_FEEDS_SCAN_H
#define SOUK_FEEDS_SCAN_H

#include "feeds/fault.h"
#include "feeds/source.h"
#include "feeds/value.h"

struct scan_row {
	const struct str *cell; /* by column; {"", 0} for what was not asked for or is absent */
	size_t file;
	uint64_t offset;
};

struct scan {
	struct feed_source *source;
	enum feed feed;
	uint64_t columns;
	struct fault_sink *faults;
	unsigned threads; /* as parallel_threads gives them */
	size_t chunk;     /* bytes; 0: SCAN_CHUNK. For tests */
	/*
	 * A row, perhaps a wrong one: what it leads to must wait for `commit`. Cells stay valid until then. Values are for
	 * it to check: a fault's column goes to *ret_column.
	 */
	struct value_fault (*row)(
	    void *arg, unsigned thread, const struct scan_row *row, unsigned *ret_column);
	void (*reset)(void *arg, unsigned thread); /* the rows since the last commit were none */
	enum souk_err (*commit)(void *arg, unsigned thread, struct fail *f); /* they were */
	void *arg;
};

/* A chunk, its index and its rows fit into a core's second cache. */
#define SCAN_CHUNK ((size_t)256 * 1024)
/* Of rows set aside; more are an error, for something else must be wrong. */
#define SCAN_FAULTS_MAX 1000000

/* Faults reach the sink at the end, in order, from the caller's thread. */
SOUK_MUST enum souk_err scan_run(const struct scan *s, struct fail *f);

/*
 * Where commas and line ends stand in `n` bytes (n < 2^32). `mark` and `line` have room for n entries each, `odd` too; p is readable
 * for 64 bytes behind the end. mark: places of commas and LFs; line: for each LF its number among the marks; odd: places of
 * quotes, NULs and CRs without an LF behind them (one at the very end counts as odd).
 */
struct scan_index {
	uint32_t *mark, *line, *odd;
	size_t n_marks, n_lines, n_odd;
};
void scan_index_bytes(const char *p, size_t n, struct scan_index *x);
/* The same, byte by byte: what the fast one is tested against. */
void scan_index_plain(const char *p, size_t n, struct scan_index *x);

#endif
