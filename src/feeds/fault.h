/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a feed, said so that it can be mended: file, line, column, what, fix.
 *
 * What is wrong with one row goes to a fault sink. Without one (NULL) the first such row, in
 * the order of feeds, files and lines, fails the call (strict). With one (lenient) the row is
 * set aside: the sink gets it, and it counts for nothing. What is wrong with a file as a whole
 * (a column missing, no text, listed twice) always fails the call.
 */
#ifndef SOUK_FEEDS_FAULT_H
#define SOUK_FEEDS_FAULT_H

#include "base/str.h"

#include <stdint.h>
#include <stdio.h>

struct feed_fault {
	const char *file;   /* as the source names it */
	uint64_t line;      /* where the row begins, from 1; 0: the file as a whole */
	const char *column; /* its name, "" for the row as a whole */
	const char *what;   /* never quotes the input */
	const char *fix;
};

struct fault_sink {
	/* `row` is the row's bytes without its line end, cut to FAULT_ROW_MAX. An error ends the reading. NULL: rows are only counted. */
	enum souk_err (*take)(
	    struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f);
	uint64_t n; /* faults so far; kept by the reader */
};

#define FAULT_ROW_MAX ((size_t)64 * 1024)

/* "FILE:LINE:COLUMN" is the field; the file's name is cut in front when it is long. */
enum souk_err fault_fail(const struct feed_fault *fault, struct fail *f);
/* Gives it to the sink, counted; without a sink as fault_fail. */
SOUK_MUST enum souk_err fault_row(
    struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f);

/*
 * A reject file: CSV with the columns file, line, column, what, fix, row. Opened at the first fault,
 * written beside `path` and put in place by reject_file_close, which removes it when `keep` is false.
 */
struct reject_file {
	struct fault_sink sink;
	const char *path;
	char *temporary;
	FILE *out;
};
void reject_file_init(struct reject_file *r, const char *path);
SOUK_MUST enum souk_err reject_file_close(struct reject_file *r, bool keep, struct fail *f);

#endif
