/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CSV record in memory: RFC 4180 to the letter, with the answers of base/csv for bad input.
 *
 * The slow and exact way; scan.h finds the plain records, which are nearly all, faster.
 */
#ifndef SOUK_FEEDS_RECORD_H
#define SOUK_FEEDS_RECORD_H

#include "base/str.h"

/* Columns that a file may have, known or not. */
#define RECORD_CELLS_MAX 256
/* A longer row is a fault, and costs no more memory than this. */
#define RECORD_BYTES_MAX ((size_t)1024 * 1024)

enum record_fault {
	RECORD_OK = 0,
	RECORD_MORE, /* the bytes end before the record does */
	RECORD_NUL,
	RECORD_BARE_QUOTE,
	RECORD_BEHIND_QUOTE,
	RECORD_UNCLOSED,
	RECORD_BARE_CR,
	RECORD_LONG,
	RECORD_CELLS /* more than RECORD_CELLS_MAX */
};

struct record {
	struct str cell[RECORD_CELLS_MAX]; /* unquoted; into the bytes parsed, or into `text` */
	size_t n;
	struct buf
	    text; /* cells that had doubled quotes; zeroed before the first use, buf_done after the last */
	const char *end; /* behind the line end */
	size_t lines;    /* line ends in the record, its own included */
};

/*
 * The record that begins at `p`; `last` says that the input ends at `end`. After a fault `r->n` is the cell
 * that has it, and `r->end` stands behind the line on which the record began (`end` when the line does not end
 * there): the record is that line, and reading may go on behind it. p < end. Cells are valid until `text` is used again.
 * SOUK_E_NOMEM shows as !buf_ok(&r->text).
 */
enum record_fault record_parse(struct record *r, const char *p, const char *end, bool last);
const char *record_fault_what(enum record_fault f);
const char *record_fault_fix(enum record_fault f);

#endif
