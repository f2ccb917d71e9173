/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks for report lines: CSV, JSON Lines and XLSX. All are deterministic to the byte.
 *
 * CSV: RFC 4180, UTF-8, CRLF, a header line; empty for what is not filled. JSON Lines: an object a line,
 * members named as the columns; amounts are strings (exact), what is not filled is null; a
 * data set with amounts but no column for their currency has a member "Currency" more.
 * XLSX: a summary sheet with totals and charts by month, product and country, then the lines.
 */
#ifndef SOUK_FEEDS_REPORT_OUT_H
#define SOUK_FEEDS_REPORT_OUT_H

#include "base/io.h"
#include "feeds/report.h"

enum report_format { REPORT_CSV, REPORT_JSON, REPORT_XLSX };

/* A sink to bytes, CSV or JSON Lines. `to` must outlive it. NULL when out of memory. */
struct report_sink *report_text_sink(enum report_format format, struct sink *to);
void report_text_free(struct report_sink *s); /* accepts NULL */

/* A workbook at `path`, an empty file of the caller's, written when the report ends. */
struct report_sink *report_xlsx_sink(const char *path);
void report_xlsx_free(struct report_sink *s);

/* A cell as CSV and JSON show it, without quotes; nothing when it is not filled. */
void report_cell_text(struct buf *b, enum cell_type type, const struct report_cell *c);

/*
 * A file that is there whole or not at all: written beside `path` under a name of its own, renamed
 * by report_file_keep. path NULL: standard output, which gets its bytes at the same point
 * (not for XLSX). The file's mode is 0600: reports are confidential.
 */
struct report_file;
SOUK_MUST enum souk_err report_file_new(
    enum report_format format, const char *path, struct report_file **ret, struct fail *f);
struct report_sink *report_file_sink(struct report_file *r);
SOUK_MUST enum souk_err report_file_keep(struct report_file *r, struct fail *f);
void report_file_free(struct report_file *r); /* what was not kept is gone; accepts NULL */

#endif
