/* SPDX-License-Identifier: Apache-2.0 */
/* Single rows read again by their place: to settle ties and to explain. Not thread-safe. */
#ifndef SOUK_FEEDS_ROW_AT_H
#define SOUK_FEEDS_ROW_AT_H

#include "feeds/source.h"

struct row_reader;

SOUK_MUST enum souk_err row_reader_new(
    struct feed_source *s, struct row_reader **ret, struct fail *f);
void row_reader_free(struct row_reader *r); /* accepts NULL */

/*
 * The cells, by column of the feed, of the row that begins at `offset`; absent columns are empty. `hand` is 0 or 1: each
 * holds one row, valid until the next one is read with it.
 */
SOUK_MUST enum souk_err row_read(struct row_reader *r, unsigned hand, size_t file, uint64_t offset,
    const struct str **ret_cells, struct fail *f);

/*
 * Which of two rows of one feed wins a tie: > 0 when the first does, because its columns, in their documented order,
 * compare greater byte by byte; 0 when the rows say the same.
 */
SOUK_MUST enum souk_err row_compare(struct row_reader *r, size_t file_a, uint64_t offset_a,
    size_t file_b, uint64_t offset_b, int *ret, struct fail *f);

/* The line on which `offset` lies, from 1. Reads the file up to there. */
SOUK_MUST enum souk_err row_line(
    struct row_reader *r, size_t file, uint64_t offset, uint64_t *ret, struct fail *f);

#endif
