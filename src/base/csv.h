/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as RFC 4180 (psc 5): reader for imports, one quoting function for all output.
 */
#ifndef SOUK_BASE_CSV_H
#define SOUK_BASE_CSV_H

#include "base/str.h"

#include <stdio.h>

/*
 * Appends one field: quoted when it holds comma, quote, CR or LF, inner quotes
 * doubled, else bare. The caller writes the commas and CRLF. Fast on the plain case.
 */
void csv_field(struct buf *b, struct str s);

/*
 * Reads records from a stream. A record's fields stay valid until the next call.
 * Accepts CRLF and LF, a BOM at the start, quoted fields with line breaks. Refuses,
 * with the line number: NUL bytes, a quote inside a bare field, text after a closing
 * quote, an unclosed quote at the end, a bare CR, a record longer than `record_max`.
 * Each field is NUL-terminated behind its end. An empty line is a record of one empty
 * field. After a failure the reader can only be freed.
 */
struct csv_reader;

SOUK_MUST enum souk_err csv_reader_new(FILE *in, size_t record_max, struct csv_reader **ret);
void csv_reader_free(struct csv_reader *r);
/* *ret_more is false at the end of the input. Errors name field "line N". */
SOUK_MUST enum souk_err csv_read(
    struct csv_reader *r, struct str **ret_fields, size_t *ret_n, bool *ret_more, struct fail *f);
size_t csv_line(const struct csv_reader *r); /* line on which the last record began, from 1 */

#endif
