/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the embedded buckets share; nobody else includes it. */
#ifndef SOUK_DELIVERY_OBJECT_INT_H
#define SOUK_DELIVERY_OBJECT_INT_H

#include "delivery/object.h"
#include "delivery/object_home.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/* A file without a row is removed this long after its writer began. */
#define OBJECT_ORPHAN_MS HOUR_MS
/*
 * A replaced or expired file stays this long: who found its row in a snapshot shortly before has
 * the time to open it, and each node's housekeeping, once a minute, to say what is being
 * read there. Its key is gone with the row, so the bytes are of no use to anybody else.
 */
#define OBJECT_LINGER_MS (5 * MINUTE_MS)

struct object_store {
	struct db *db;
	struct vault *vault;
	int64_t retention_ms;
	struct object_home *home;
	pthread_mutex_t lock;
	struct object_reader *readers; /* open ones, of a remote home */
};

/* A sealed file and whose it is. */
struct object_file {
	struct guid id;
	char seller_id[ACCOUNT_ID_LEN + 1];
};

/* Ids of up to `max` open readers of a remote home, the first `skip` left out. */
size_t object_readers_open(
    struct object_store *os, size_t skip, struct object_file *out, size_t max);

/* What an object's data key is bound to. */
#define OBJECT_CONTEXT_LEN (7 + GUID_TEXT_LEN)
struct object_context {
	char text[OBJECT_CONTEXT_LEN + 1];
};
struct str object_context(const struct guid *id, struct object_context *c);

/* The writer's facts, for the commit. */
struct object_written {
	const struct object_store *os;
	struct str seller_id;
	struct guid id;
	const uint8_t *wrapped_key; /* VAULT_WRAPPED_LEN */
	int64_t size;
	char etag[33];
	uint8_t sha256[32];
};
/* The writer must have been closed. */
void object_writer_facts(const struct object_writer *w, struct object_written *ret);
/* From here on the file may belong to a row: freeing the writer leaves it to housekeeping. */
void object_writer_keep(struct object_writer *w);

/* ---- rows (object_store.c) ---- */
SOUK_MUST enum souk_err bucket_row_insert(
    struct db_tx *tx, struct str seller_id, struct str name, bool *ret_inserted);
SOUK_MUST enum souk_err bucket_row_delete(struct db_tx *tx, struct str seller_id, struct str name);
SOUK_MUST enum souk_err bucket_rows(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct bucket **ret, size_t *ret_n);
SOUK_MUST enum souk_err bucket_row_count(struct db_tx *tx, struct str seller_id, int64_t *ret);
/* Any object in it, expired ones too? */
SOUK_MUST enum souk_err bucket_row_used(
    struct db_tx *tx, struct str seller_id, struct str name, bool *ret);

struct object_brief {
	struct guid id;
	char etag[64];
	bool expired;
};
SOUK_MUST enum souk_err object_row_brief(struct db_tx *tx, struct str seller_id, struct str bucket,
    struct str key, struct object_brief *ret);
SOUK_MUST enum souk_err object_row_load(struct db_tx *tx, struct str seller_id, struct str bucket,
    struct str key, struct arena *mem, struct object *ret);
SOUK_MUST enum souk_err object_row_put(
    struct db_tx *tx, struct str seller_id, const struct object *o);
SOUK_MUST enum souk_err object_row_delete(
    struct db_tx *tx, struct str seller_id, const struct guid *id);

/* Live rows with a key >= `from`, in byte order. End with db_reset when stopping early. */
struct db_stmt *object_rows_from(
    struct db_tx *tx, struct str seller_id, struct str bucket, struct str from);
/* Slices live until the next step. */
SOUK_MUST enum souk_err object_rows_next(
    struct db_stmt *st, struct object_entry *ret, bool *ret_more);

struct object_ref {
	struct guid id;
	char seller_id[ACCOUNT_ID_LEN + 1];
	uint8_t wrapped_key[VAULT_WRAPPED_LEN];
	size_t wrapped_n;
};
SOUK_MUST enum souk_err object_rows_expired(
    struct db_tx *tx, struct object_ref *out, size_t max, size_t *ret_n);
SOUK_MUST enum souk_err object_rows_after(
    struct db_tx *tx, const struct guid *after, struct object_ref *out, size_t max, size_t *ret_n);
/* Live ones of all sellers with an id > `after`, without their keys. */
SOUK_MUST enum souk_err object_rows_page(struct db_tx *tx, const struct guid *after,
    struct arena *mem, struct object *out, size_t max, size_t *ret_n);
SOUK_MUST enum souk_err object_row_set_key(
    struct db_tx *tx, struct str seller_id, const struct guid *id, const struct wrapped_key *k);

/* Files that are no object: being written, replaced, expired. */
SOUK_MUST enum souk_err object_file_row_put(
    struct db_tx *tx, struct str seller_id, const struct guid *id, instant_t remove_after);
/* The writer's own: false when it is gone, or about to be removed. */
SOUK_MUST enum souk_err object_file_row_take(
    struct db_tx *tx, struct str seller_id, const struct guid *id, bool *ret_was_there);
/* Removing begins: nobody can take it any more. It stays due until object_file_row_delete. */
SOUK_MUST enum souk_err object_file_row_doom(struct db_tx *tx, const struct object_file *file);
SOUK_MUST enum souk_err object_file_row_delete(struct db_tx *tx, const struct object_file *file);
/* Not to be removed before `until`, unless that has begun. */
SOUK_MUST enum souk_err object_file_row_hold(
    struct db_tx *tx, const struct object_file *file, instant_t until);
SOUK_MUST enum souk_err object_file_rows_due(
    struct db_tx *tx, struct object_file *out, size_t max, size_t *ret_n);
/* Does any row name this file? */
SOUK_MUST enum souk_err object_file_known(struct db_tx *tx, const struct guid *id, bool *ret);

extern struct db_texts object_texts; /* for the test of all statements */

#endif
