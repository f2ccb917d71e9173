/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a feed one after the other, in the order of files and lines: for the small feeds, for
 * checks, imports and copies. One record is in memory at a time. The large feeds go through events.h.
 *
 * Columns go by name, in any order; unknown ones are ignored. A file with a header that lacks one of the
 * columns asked for (unless optional), names one twice, or is no CSV, is an error. A BOM, CRLF and empty lines
 * are tolerated. Rows with another number of columns than the header, bad CSV or bad values of the columns
 * asked for (feeds/value.h) go to the fault sink, and not to the callback.
 */
#ifndef SOUK_FEEDS_READ_H
#define SOUK_FEEDS_READ_H

#include "feeds/fault.h"
#include "feeds/source.h"
#include "feeds/value.h"

struct feed_row {
	const struct feed_info *info;
	const struct str *cell; /* by column; {"", 0} for what was not asked for or is absent */
	struct str raw;         /* the row's bytes as they stand, without the line end */
	size_t file;            /* of the source */
	uint64_t offset;        /* of the row's first byte */
	uint64_t line;
	uint64_t columns; /* asked for and present in this file */
};

/* An error ends the reading and is what feed_read returns. The row is valid during the call. */
typedef enum souk_err feed_row_fn(void *arg, const struct feed_row *row, struct fail *f);

struct feed_reading {
	struct feed_source *source;
	enum feed feed;
	uint64_t columns; /* COLUMN(...) | ...; the values of these are checked */
	struct fault_sink *faults;
	feed_row_fn *row;
	void *arg;
};

/* All files of the feed. */
SOUK_MUST enum souk_err feed_read(const struct feed_reading *r, struct fail *f);
/* One file; `feed` must be its. */
SOUK_MUST enum souk_err feed_read_file(const struct feed_reading *r, size_t file, struct fail *f);

/* For callbacks that find something wrong with a row: as the reader's own faults. `column` may be n_columns: the row. */
SOUK_MUST enum souk_err feed_row_fault(const struct feed_reading *r, const struct feed_row *row,
    unsigned column, const char *what, const char *fix, struct fail *f);

/*
 * A file's header. `place` maps a column of the feed to its cell in a row, -1 when absent.
 * `begins` is the offset of the first row, `lines` the lines before it. `names` is the header's text as it stands.
 */
struct feed_header {
	int place[FEED_COLUMNS_MAX];
	unsigned n_cells;
	uint64_t begins;
	uint64_t lines;
};
/* Opens the file. An empty file (not even a header) is an error. */
SOUK_MUST enum souk_err feed_header_read(
    struct feed_source *s, size_t file, uint64_t columns, struct feed_header *ret, struct fail *f);

#endif
