/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seller's feed files as souk keeps them: sealed objects of a bucket of souk's own, which no API
 * reaches. The operator puts them there (souk import feeds), data sets are made from them.
 */
#ifndef SOUK_EDSP_FEED_OBJECTS_H
#define SOUK_EDSP_FEED_OBJECTS_H

#include "delivery/object.h"
#include "edsp/feed_note.h"
#include "feeds/fault.h"
#include "feeds/source.h"

#define FEED_OBJECTS_BUCKET ".feeds"
#define FEED_OBJECTS_MAX 2000 /* files of a seller: nine feeds, a file a month */

/*
 * All of a seller's, as a source to be freed by the caller. Objects are opened when they are first read; one that
 * was replaced since is SOUK_E_UNAVAILABLE. SOUK_E_NOT_FOUND: there are none. Not inside a transaction.
 */
SOUK_MUST enum souk_err feed_objects_source(struct db *db, struct object_store *objects,
    struct str seller_id, struct feed_source **ret, struct fail *f);

/* A file's text to `out`, by its key. SOUK_E_NOT_FOUND: not kept. Not inside a transaction. */
SOUK_MUST enum souk_err feed_objects_copy(struct db *db, struct object_store *objects,
    struct str seller_id, struct str key, struct sink *out, struct fail *f);

/*
 * Keeps every file of a source, under the feeds' written names; months that come again are
 * replaced, others stay. All or nothing. Rows that cannot be read go to `faults` and are not kept (NULL: strict, as in
 * feeds/fault.h). Not inside a transaction.
 */
SOUK_MUST enum souk_err feed_objects_put(struct db *db, struct object_store *objects,
    struct str seller_id, struct feed_source *from, struct fault_sink *faults, struct fail *f);

/* Of a source that feed_objects_source made: the rows that were set aside when its files were kept. */
uint64_t feed_objects_set_aside(const struct feed_source *s);

/* The days from `from` (a midnight) on, on which the kept feeds say that the seller was paid; feed_note_done by the caller. */
SOUK_MUST enum souk_err feed_objects_payouts(struct db_tx *tx, struct str seller_id, instant_t from,
    struct arena *mem, struct feed_note *ret);

#endif
