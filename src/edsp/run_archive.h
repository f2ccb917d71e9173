/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All documents of a commission run in one sealed object of a bucket of souk's own: they are there together or not at all.
 *
 * The documents' bytes, then a line "OFFSET LENGTH NAME" for each, then the length of these lines in 16 digits.
 */
#ifndef SOUK_EDSP_RUN_ARCHIVE_H
#define SOUK_EDSP_RUN_ARCHIVE_H

#include "delivery/object.h"

#define RUN_ARCHIVE_BUCKET ".commissions"

struct run_archive;
/* Not inside a transaction; to be committed within the hour. */
SOUK_MUST enum souk_err run_archive_new(
    struct object_store *os, struct str seller_id, struct run_archive **ret);
/* Names are without blanks and line ends, each once. */
SOUK_MUST enum souk_err run_archive_add(
    struct run_archive *a, const char *name, struct str document);
SOUK_MUST enum souk_err run_archive_close(struct run_archive *a);
SOUK_MUST enum souk_err run_archive_commit(
    struct db_tx *tx, struct run_archive *a, const struct guid *run_id, struct fail *f);
void run_archive_free(struct run_archive *a); /* accepts NULL */

/* Adds a document to `out`. SOUK_E_NOT_FOUND: no such run, or no such document. Not inside a transaction. */
SOUK_MUST enum souk_err run_archive_read(struct db *db, struct object_store *os,
    struct str seller_id, const struct guid *run_id, const char *name, struct buf *out);

#endif
