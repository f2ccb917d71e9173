/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and formatting beside stepping: inside psc/ only.
 *
 * The thread that reads the database packs rows into batches of a bounded ring; it and,
 * when there is work for it, one more thread open and format them and write them to the
 * sink in order. Memory is the ring's, however many rows there are.
 */
#ifndef SOUK_PSC_EXPORT_PIPE_H
#define SOUK_PSC_EXPORT_PIPE_H

#include "base/io.h"
#include "psc/export_row.h"

struct export_pipe;

/* `out` is written to by either thread, never by both at once. `threads` 1 or 2. */
SOUK_MUST enum souk_err export_pipe_new(struct vault *v, struct str seller_id, struct sink *out,
    unsigned threads, struct export_pipe **ret);
/*
 * Copies the row and its sealed bytes (not looked at for a DELETE). Fails with what went
 * wrong with this or an earlier row.
 */
SOUK_MUST enum souk_err export_pipe_add(
    struct export_pipe *p, const struct export_row *row, struct str wrapped, struct str sealed);
/* Returns once everything is written, or with what went wrong. */
SOUK_MUST enum souk_err export_pipe_end(struct export_pipe *p);
/* After export_pipe_end: the contact whose record could not be opened; NULL when it was not that. */
const struct guid *export_pipe_damaged(const struct export_pipe *p);
/* Stops what still runs, wipes, frees. Accepts NULL. */
void export_pipe_free(struct export_pipe *p);

#endif
