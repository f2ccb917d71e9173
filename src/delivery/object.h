/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Embedded buckets: objects sealed at rest, replaced atomically, expiring.
 *
 * An object is a row and a sealed file (DATA/objects/ab/GUID), sealed in chunks with a
 * key of its own (vault.h). Writing: a file is written and synced first, the row is put
 * in a transaction after; a crash between leaves a file without a row, which
 * housekeeping removes. Reading holds the open file: a replacement or expiry does not
 * disturb who reads, and a reader sees one version only. Replacement and expiry destroy the
 * row, and with it the key; the file is left some minutes longer for those who found its row
 * in a snapshot and are about to open it, then housekeeping removes it.
 *
 * Buckets are managed by their seller and the operator; contents are the seller's alone.
 */
#ifndef SOUK_DELIVERY_OBJECT_H
#define SOUK_DELIVERY_OBJECT_H

#include "base/arena.h"
#include "base/config.h"
#include "base/io.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

#define OBJECT_KEY_MAX 1024 /* bytes */

/* Where the sealed files are, and what goes with every call. One per process. */
struct object_store;
SOUK_MUST enum souk_err object_store_open(struct db *db, struct vault *v, const char *data_dir,
    int64_t retention_ms, struct object_store **ret, struct fail *f);
/* The same where the settings say (object.home): asks nobody yet, see object_store_probe. */
SOUK_MUST enum souk_err object_store_open_set(struct db *db, struct vault *v,
    const struct config *c, const char *data_dir, struct object_store **ret, struct fail *f);
void object_store_close(struct object_store *os);
/* Are objects elsewhere, so that reading and closing may take seconds? */
bool object_store_remote(const struct object_store *os);
/* Can objects be put, read and removed? May take seconds; words name the setting to mend. */
SOUK_MUST enum souk_err object_store_probe(struct object_store *os, struct fail *f);
/* What the last call to a remote home met; at once. */
SOUK_MUST enum souk_err object_store_state(struct object_store *os, struct fail *f);

/* ---- buckets ---- */
/* S3's naming rules (3..63, lower case, digits, '-', '.'). */
bool bucket_name_valid(struct str name);
/*
 * One name space for the installation. Codes: bucket_owned (by this seller) and bucket_exists
 * (by another) are SOUK_E_CONFLICT, no_such_seller SOUK_E_NOT_FOUND, bucket_limit SOUK_E_LIMIT.
 */
SOUK_MUST enum souk_err bucket_create(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str name, struct fail *f);
SOUK_MUST enum souk_err bucket_delete(struct db_tx *tx, const struct tenant_scope *s,
    struct str name, struct fail *f); /* SOUK_E_CONFLICT unless empty */
struct bucket {
	char name[64];
	char seller_id[ACCOUNT_ID_LEN + 1];
	instant_t created_at;
};
/* SOUK_E_NOT_FOUND also for somebody else's: callers word it as their API does. */
SOUK_MUST enum souk_err bucket_get(
    struct db_tx *tx, const struct tenant_scope *s, struct str name, struct bucket *ret);
/* Does a bucket of this name exist at all? For job handlers and 403-or-404 decisions only. */
SOUK_MUST enum souk_err bucket_owner(struct db_tx *tx, struct str name, struct bucket *ret);
SOUK_MUST enum souk_err bucket_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct arena *mem, struct bucket **ret, size_t *ret_n);

/*
 * Buckets of souk's own, one of each name for every seller (".feeds"): they need no row, no API
 * reaches them because no bucket may have such a name, and their objects do not expire.
 */
bool bucket_is_own(struct str name);

/* ---- writing ---- */
struct object_facts {
	struct str bucket, key;
	struct str content_type; /* "" becomes binary/octet-stream */
	struct str headers;      /* JSON object of stored headers, "" none */
	struct str checksum;     /* "CRC32:base64", "" none */
};
struct object_writer;
/*
 * Begins a sealed file for `seller_id` (who must own the bucket when it is committed). Makes a
 * write of its own: not inside a transaction. To be committed within the hour.
 */
SOUK_MUST enum souk_err object_writer_new(
    struct object_store *os, struct str seller_id, struct object_writer **ret);
struct sink *object_writer_sink(struct object_writer *w);
/*
 * Ends the data: it is durable, size and hashes are known from here on. With a remote home this
 * sends it there. SOUK_E_UNAVAILABLE: the home is away or busy.
 */
SOUK_MUST enum souk_err object_writer_close(struct object_writer *w);
int64_t object_writer_size(const struct object_writer *w);
void object_writer_md5(const struct object_writer *w, uint8_t out[16]);
void object_writer_sha256(const struct object_writer *w, uint8_t out[32]);
/*
 * Puts or replaces the row. May run again after an undone transaction. `if_none` (If-None-Match: *)
 * and `if_match` (ETag, "" none) as S3: SOUK_E_PRECONDITION. SOUK_E_NOT_FOUND: no such
 * bucket of that seller.
 */
SOUK_MUST enum souk_err object_commit(struct db_tx *tx, struct object_writer *w,
    const struct object_facts *o, bool if_none, struct str if_match, struct fail *f);
/*
 * Frees; a file that was never put is removed at once, one in a remote home or whose transaction
 * came to nothing by housekeeping (whether a commit that failed did happen is not known here).
 * Accepts NULL.
 */
void object_writer_free(struct object_writer *w);

/* ---- reading ---- */
struct object {
	struct guid id;
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct str bucket, key, etag, content_type, headers, checksum;
	int64_t size;
	uint8_t sha256[32];
	uint8_t wrapped_key[VAULT_WRAPPED_LEN];
	instant_t modified_at, expires_at;
};
SOUK_MUST enum souk_err object_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str bucket, struct str key, struct arena *mem, struct object *ret);
/* The same for a seller established before: for job handlers and the delivery log. */
SOUK_MUST enum souk_err object_find(struct db_tx *tx, struct str seller_id, struct str bucket,
    struct str key, struct arena *mem, struct object *ret);
/* The row and its key go; the file follows. SOUK_E_NOT_FOUND when there is none. */
SOUK_MUST enum souk_err object_delete(
    struct db_tx *tx, const struct tenant_scope *s, struct str bucket, struct str key);
struct object_list {
	struct str bucket, prefix, delimiter, after; /* `after`: keys greater than it */
	size_t max_keys;
	bool with_headers;
	/* out, in the arena; keys and common prefixes in one byte order */
	struct object_entry {
		struct str key; /* or the common prefix */
		bool is_prefix;
		struct str etag;
		int64_t size;
		instant_t modified_at;
		struct str headers; /* as they were given (with_headers), else "" */
	} * entries;
	size_t n;
	bool truncated;
};
/* Skips over a common prefix in one step: cost grows with what is returned. */
SOUK_MUST enum souk_err object_list(
    struct db_tx *tx, const struct tenant_scope *s, struct arena *mem, struct object_list *l);
/* The same for a seller established before, and for souk's own buckets. */
SOUK_MUST enum souk_err object_list_of(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct object_list *l);
/* object_delete for these. */
SOUK_MUST enum souk_err object_delete_of(
    struct db_tx *tx, struct str seller_id, struct str bucket, struct str key);
struct object_reader;
/* Opens the file before its row can go: call inside the transaction that found it. */
SOUK_MUST enum souk_err object_reader_open(
    struct object_store *os, const struct object *o, struct object_reader **ret);
/*
 * Reads up to n bytes at `offset`; *ret_n 0 at the end only. Damage: SOUK_E_STORAGE. With a
 * remote home it may wait for that (SOUK_E_UNAVAILABLE when it is away), unless
 * object_reader_ready says that it will not.
 */
SOUK_MUST enum souk_err object_read(
    struct object_reader *r, int64_t offset, void *p, size_t n, size_t *ret_n);
bool object_reader_ready(const struct object_reader *r, int64_t offset);
/* Waits for what object_read wants at `offset`: some of the n bytes, 1 MiB at most. */
SOUK_MUST enum souk_err object_reader_fetch(struct object_reader *r, int64_t offset, int64_t n);
void object_reader_free(struct object_reader *r);

/* ---- upkeep ---- */
/*
 * Removes what expired before now, files whose time has come, and (one directory a call) files
 * that no row names. Returns how many objects expired. Not inside a transaction.
 */
SOUK_MUST enum souk_err object_expire(struct object_store *os, int64_t *ret_n);
/* Up to `max` objects after `*cursor` (empty at first); run again from the old cursor if undone. */
SOUK_MUST enum souk_err object_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

/* ---- moving ---- */
struct objects_move {
	/* An object that neither place has whole, and why; `file` is below data_dir. May be NULL. */
	void (*lost)(void *arg, const char *file, struct str bucket, const char *why);
	void (*told)(void *arg, int64_t done); /* objects, now and then; may be NULL */
	void *arg;
	int64_t there, copied, bytes,
	    n_lost; /* out; there: whole in the home before; bytes: of what was copied */
};
/*
 * Brings the objects' files from DATA/objects into the remote home of `os`, as they are sealed. Each is read there
 * and here as a reader would, whole, and its length and SHA-256 compared with its row before it counts; what is whole there
 * is not sent again, so another call goes on where one ended. Takes nothing away. SOUK_E_UNAVAILABLE: the home is away, with
 * the words of object_store_state; `m` tells how far it got. SOUK_E_INVALID: the home is not a remote one.
 */
SOUK_MUST enum souk_err objects_move_in(
    struct object_store *os, const char *data_dir, struct objects_move *m, struct fail *f);

#endif
