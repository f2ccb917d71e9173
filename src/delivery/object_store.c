/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the embedded buckets: tables bucket, object, object_file.
 *
 * A row of `object` holds the wrapped key: whoever deletes or overwrites one calls
 * db_scrub, so that the key is gone from the log as well.
 */
#include "delivery/object_int.h"

#include <stdio.h>

enum {
	Q_BUCKET_OWNER,
	Q_BUCKET_INSERT,
	Q_BUCKET_DELETE,
	Q_BUCKET_LIST,
	Q_BUCKET_COUNT,
	Q_BUCKET_USED,
	Q_OBJECT_BRIEF,
	Q_OBJECT_LOAD,
	Q_OBJECT_PUT,
	Q_OBJECT_DELETE,
	Q_OBJECT_FROM,
	Q_OBJECT_EXPIRED,
	Q_OBJECT_AFTER,
	Q_OBJECT_PAGE,
	Q_OBJECT_SET_KEY,
	Q_OBJECT_KNOWN,
	Q_FILE_PUT,
	Q_FILE_TAKE,
	Q_FILE_DOOM,
	Q_FILE_DELETE,
	Q_FILE_HOLD,
	Q_FILE_DUE,
	Q_FILE_KNOWN,
	Q__COUNT
};

static const char *const sql[Q__COUNT] = {
	/* Names are one name space: callers compare the owner. */
	[Q_BUCKET_OWNER] = "SELECT name, seller_id, created_at FROM bucket WHERE name = $1",
	[Q_BUCKET_INSERT] = "INSERT INTO bucket (name, seller_id, created_at)"
			    " SELECT $1, account_id, $2 FROM account"
			    " WHERE account_id = $3 AND is_seller = 1",
	[Q_BUCKET_DELETE] = "DELETE FROM bucket WHERE seller_id = $1 AND name = $2",
	[Q_BUCKET_LIST] = "SELECT name, seller_id, created_at FROM bucket"
			  " WHERE seller_id = $1 ORDER BY name",
	[Q_BUCKET_COUNT] = "SELECT count(*) FROM bucket WHERE seller_id = $1",
	[Q_BUCKET_USED] = "SELECT 1 FROM object WHERE seller_id = $1 AND bucket = $2 LIMIT 1",
	[Q_OBJECT_BRIEF] = "SELECT object_id, etag, expires_at FROM object"
			   " WHERE seller_id = $1 AND bucket = $2 AND object_key = $3",
	[Q_OBJECT_LOAD] = "SELECT object_id, size, etag, sha256, checksum, content_type, headers,"
			  " data_key, modified_at, expires_at FROM object"
			  " WHERE seller_id = $1 AND bucket = $2 AND object_key = $3"
			  " AND expires_at > $4",
	[Q_OBJECT_PUT] = "INSERT INTO object (seller_id, bucket, object_key, object_id, size, etag,"
			 " sha256, checksum, content_type, headers, data_key, modified_at,"
			 " expires_at)"
			 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
			 " ON CONFLICT (seller_id, bucket, object_key) DO UPDATE SET"
			 " object_id = excluded.object_id, size = excluded.size,"
			 " etag = excluded.etag, sha256 = excluded.sha256,"
			 " checksum = excluded.checksum, content_type = excluded.content_type,"
			 " headers = excluded.headers, data_key = excluded.data_key,"
			 " modified_at = excluded.modified_at, expires_at = excluded.expires_at",
	[Q_OBJECT_DELETE] = "DELETE FROM object WHERE seller_id = $1 AND object_id = $2",
	[Q_OBJECT_FROM] = "SELECT object_key, etag, size, modified_at, headers FROM object"
			  " WHERE seller_id = $1 AND bucket = $2 AND object_key >= $3"
			  " AND expires_at > $4 ORDER BY object_key",
	/* fan-out: housekeeping of all sellers, oldest first */
	[Q_OBJECT_EXPIRED] = "SELECT object_id, seller_id, data_key FROM object"
			     " WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
	/* fan-out: rotation rewraps every seller's keys */
	[Q_OBJECT_AFTER] = "SELECT object_id, seller_id, data_key FROM object"
			   " WHERE object_id > $1 ORDER BY object_id LIMIT $2",
	/* fan-out: all sellers' objects move to another home */
	[Q_OBJECT_PAGE] = "SELECT object_id, size, etag, sha256, checksum, content_type, headers,"
			  " data_key, modified_at, expires_at, seller_id, bucket FROM object"
			  " WHERE object_id > $1 AND expires_at > $2 ORDER BY object_id LIMIT $3",
	[Q_OBJECT_SET_KEY] = "UPDATE object SET data_key = $1"
			     " WHERE seller_id = $2 AND object_id = $3",
	/* fan-out: a file on disk names its object only */
	[Q_OBJECT_KNOWN] = "SELECT seller_id FROM object WHERE object_id = $1",
	[Q_FILE_PUT] = "INSERT INTO object_file (seller_id, object_id, remove_after)"
		       " VALUES ($1, $2, $3)",
	[Q_FILE_TAKE] = "DELETE FROM object_file WHERE seller_id = $1 AND object_id = $2"
			" AND remove_after > 0",
	[Q_FILE_DOOM] = "UPDATE object_file SET remove_after = 0"
			" WHERE seller_id = $1 AND object_id = $2",
	[Q_FILE_HOLD] = "UPDATE object_file SET remove_after = $1 WHERE seller_id = $2"
			" AND object_id = $3 AND remove_after > 0 AND remove_after < $1",
	[Q_FILE_DELETE] = "DELETE FROM object_file WHERE seller_id = $1 AND object_id = $2",
	/* fan-out: housekeeping of all sellers */
	[Q_FILE_DUE] = "SELECT object_id, seller_id FROM object_file"
		       " WHERE remove_after <= $1 LIMIT $2",
	/* fan-out: a file on disk names its object only */
	[Q_FILE_KNOWN] = "SELECT 1 FROM object_file WHERE object_id = $1",
};

struct db_texts object_texts = { .component = "object", .sql = sql, .n = Q__COUNT };

/* ---- buckets ---- */

static void
bucket_read(struct db_stmt *st, struct bucket *ret)
{
	struct str name = db_text(st, 0), seller = db_text(st, 1);

	*ret = (struct bucket){ .created_at = db_int(st, 2) };
	if (name.n < sizeof(ret->name))
		memcpy(ret->name, name.p, name.n);
	if (seller.n < sizeof(ret->seller_id))
		memcpy(ret->seller_id, seller.p, seller.n);
}

enum souk_err
bucket_owner(struct db_tx *tx, struct str name, struct bucket *ret)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_BUCKET_OWNER);
	enum souk_err err;

	db_bind_text(st, 1, name);
	if ((err = db_one(st)) == SOUK_OK)
		bucket_read(st, ret);
	db_reset(st);
	return err;
}

enum souk_err
bucket_row_insert(struct db_tx *tx, struct str seller_id, struct str name, bool *ret_inserted)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_BUCKET_INSERT);
	int64_t n = 0;
	enum souk_err err;

	db_bind_text(st, 1, name);
	db_bind_int(st, 2, db_now(tx));
	db_bind_text(st, 3, seller_id);
	if ((err = db_run(st, &n)) == SOUK_OK)
		*ret_inserted = n > 0;
	return err;
}

enum souk_err
bucket_row_delete(struct db_tx *tx, struct str seller_id, struct str name)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_BUCKET_DELETE);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	return db_run(st, NULL);
}

enum souk_err
bucket_row_count(struct db_tx *tx, struct str seller_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_BUCKET_COUNT);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	if ((err = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return err;
}

enum souk_err
bucket_rows(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct bucket **ret, size_t *ret_n)
{
	struct db_stmt *st;
	struct bucket *list;
	int64_t room;
	size_t n = 0;
	bool row;
	enum souk_err err;

	if ((err = bucket_row_count(tx, seller_id, &room)) != SOUK_OK)
		return err;
	if (!(list = arena_array(mem, (size_t)room + 1, sizeof(*list))))
		return SOUK_E_NOMEM;
	st = db_stmt(tx, &object_texts, Q_BUCKET_LIST);
	db_bind_text(st, 1, seller_id);
	while ((err = db_step(st, &row)) == SOUK_OK && row && n < (size_t)room)
		bucket_read(st, &list[n++]);
	db_reset(st);
	if (err == SOUK_OK) {
		*ret = list;
		*ret_n = n;
	}
	return err;
}

/* Is there a row? For statements that are all condition. */
static enum souk_err
any_row(struct db_stmt *st, bool *ret)
{
	enum souk_err err = db_step(st, ret);

	db_reset(st);
	return err;
}

enum souk_err
bucket_row_used(struct db_tx *tx, struct str seller_id, struct str name, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_BUCKET_USED);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, name);
	return any_row(st, ret);
}

/* ---- objects ---- */

static void
bind_name(struct db_stmt *st, struct str seller_id, struct str bucket, struct str key)
{
	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, bucket);
	db_bind_text(st, 3, key);
}

enum souk_err
object_row_brief(struct db_tx *tx, struct str seller_id, struct str bucket, struct str key,
    struct object_brief *ret)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_BRIEF);
	struct str etag;
	enum souk_err err;

	bind_name(st, seller_id, bucket, key);
	if ((err = db_one(st)) == SOUK_OK) {
		*ret = (struct object_brief){
			.id = db_guid(st, 0),
			.expired = db_int(st, 2) <= db_now(tx),
		};
		etag = db_text(st, 1);
		if (etag.n < sizeof(ret->etag))
			memcpy(ret->etag, etag.p, etag.n);
	}
	db_reset(st);
	return err;
}

static enum souk_err
object_read_row(struct db_stmt *st, struct arena *mem, struct object *o)
{
	struct str sha = db_blob(st, 3), key = db_blob(st, 7);

	if (sha.n != sizeof(o->sha256) || key.n != sizeof(o->wrapped_key))
		return SOUK_E_STORAGE;
	o->id = db_guid(st, 0);
	o->size = db_int(st, 1);
	o->etag = arena_str(mem, db_text(st, 2));
	memcpy(o->sha256, sha.p, sha.n);
	o->checksum = arena_str(mem, db_text(st, 4));
	o->content_type = arena_str(mem, db_text(st, 5));
	o->headers = arena_str(mem, db_text(st, 6));
	memcpy(o->wrapped_key, key.p, key.n);
	o->modified_at = db_int(st, 8);
	o->expires_at = db_int(st, 9);
	return o->etag.p && o->checksum.p && o->content_type.p && o->headers.p ? SOUK_OK
									       : SOUK_E_NOMEM;
}

enum souk_err
object_row_load(struct db_tx *tx, struct str seller_id, struct str bucket, struct str key,
    struct arena *mem, struct object *ret)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_LOAD);
	struct object o = { .bucket = arena_str(mem, bucket), .key = arena_str(mem, key) };
	enum souk_err err;

	if (!o.bucket.p || !o.key.p)
		return SOUK_E_NOMEM;
	bind_name(st, seller_id, bucket, key);
	db_bind_int(st, 4, db_now(tx));
	if ((err = db_one(st)) == SOUK_OK && (err = object_read_row(st, mem, &o)) == SOUK_OK)
		(void)snprintf(
		    o.seller_id, sizeof(o.seller_id), "%.*s", (int)seller_id.n, seller_id.p);
	*ret = o;
	db_reset(st);
	return err;
}

enum souk_err
object_row_put(struct db_tx *tx, struct str seller_id, const struct object *o)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_PUT);

	bind_name(st, seller_id, o->bucket, o->key);
	db_bind_guid(st, 4, &o->id);
	db_bind_int(st, 5, o->size);
	db_bind_text(st, 6, o->etag);
	db_bind_blob(st, 7, o->sha256, sizeof(o->sha256));
	db_bind_text(st, 8, o->checksum);
	db_bind_text(st, 9, o->content_type);
	db_bind_text(st, 10, o->headers);
	db_bind_blob(st, 11, o->wrapped_key, sizeof(o->wrapped_key));
	db_bind_int(st, 12, o->modified_at);
	db_bind_int(st, 13, o->expires_at);
	return db_run(st, NULL);
}

enum souk_err
object_row_delete(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_DELETE);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	return db_run(st, NULL);
}

struct db_stmt *
object_rows_from(struct db_tx *tx, struct str seller_id, struct str bucket, struct str from)
{
	struct db_stmt *st = db_scan(tx, &object_texts, Q_OBJECT_FROM);

	bind_name(st, seller_id, bucket, from);
	db_bind_int(st, 4, db_now(tx));
	return st;
}

enum souk_err
object_rows_next(struct db_stmt *st, struct object_entry *ret, bool *ret_more)
{
	enum souk_err err = db_step(st, ret_more);

	if (err == SOUK_OK && *ret_more)
		*ret = (struct object_entry){
			.key = db_text(st, 0),
			.etag = db_text(st, 1),
			.size = db_int(st, 2),
			.modified_at = db_int(st, 3),
			.headers = db_text(st, 4),
		};
	return err;
}

/* Ends the statement. */
static enum souk_err
refs_read(struct db_stmt *st, struct object_ref *out, size_t max, size_t *ret_n)
{
	struct str seller, key;
	size_t n = 0;
	bool row;
	enum souk_err err;

	while ((err = db_step(st, &row)) == SOUK_OK && row && n < max) {
		out[n] = (struct object_ref){ .id = db_guid(st, 0) };
		seller = db_text(st, 1);
		key = db_blob(st, 2);
		if (seller.n < sizeof(out[n].seller_id))
			memcpy(out[n].seller_id, seller.p, seller.n);
		if (key.n <= sizeof(out[n].wrapped_key)) {
			memcpy(out[n].wrapped_key, key.p, key.n);
			out[n].wrapped_n = key.n;
		}
		n++;
	}
	db_reset(st);
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

enum souk_err
object_rows_expired(struct db_tx *tx, struct object_ref *out, size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_EXPIRED);

	db_bind_int(st, 1, db_now(tx));
	db_bind_int(st, 2, (int64_t)max);
	return refs_read(st, out, max, ret_n);
}

enum souk_err
object_rows_after(
    struct db_tx *tx, const struct guid *after, struct object_ref *out, size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_AFTER);

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, (int64_t)max);
	return refs_read(st, out, max, ret_n);
}

enum souk_err
object_rows_page(struct db_tx *tx, const struct guid *after, struct arena *mem, struct object *out,
    size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_PAGE);
	enum souk_err err;
	size_t n = 0;
	bool row;

	db_bind_guid(st, 1, after);
	db_bind_int(st, 2, db_now(tx));
	db_bind_int(st, 3, (int64_t)max);
	while ((err = db_step(st, &row)) == SOUK_OK && row && n < max) {
		struct object o = { .bucket = arena_str(mem, db_text(st, 11)), .key = STR("") };
		struct str seller = db_text(st, 10);

		if ((err = object_read_row(st, mem, &o)) != SOUK_OK)
			break;
		(void)snprintf(o.seller_id, sizeof(o.seller_id), "%.*s", (int)seller.n, seller.p);
		out[n++] = o;
	}
	db_reset(st);
	*ret_n = n;
	return err;
}

enum souk_err
object_row_set_key(
    struct db_tx *tx, struct str seller_id, const struct guid *id, const struct wrapped_key *k)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_OBJECT_SET_KEY);

	db_bind_blob(st, 1, k->b, sizeof(k->b));
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, id);
	return db_run(st, NULL);
}

/* ---- files ---- */

enum souk_err
object_file_row_put(
    struct db_tx *tx, struct str seller_id, const struct guid *id, instant_t remove_after)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	db_bind_int(st, 3, remove_after);
	return db_run(st, NULL);
}

enum souk_err
object_file_row_take(
    struct db_tx *tx, struct str seller_id, const struct guid *id, bool *ret_was_there)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_TAKE);
	int64_t n = 0;
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((err = db_run(st, &n)) == SOUK_OK)
		*ret_was_there = n > 0;
	return err;
}

enum souk_err
object_file_row_doom(struct db_tx *tx, const struct object_file *file)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_DOOM);

	db_bind_c(st, 1, file->seller_id);
	db_bind_guid(st, 2, &file->id);
	return db_run(st, NULL);
}

enum souk_err
object_file_row_delete(struct db_tx *tx, const struct object_file *file)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_DELETE);

	db_bind_c(st, 1, file->seller_id);
	db_bind_guid(st, 2, &file->id);
	return db_run(st, NULL);
}

enum souk_err
object_file_row_hold(struct db_tx *tx, const struct object_file *file, instant_t until)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_HOLD);

	db_bind_int(st, 1, until);
	db_bind_c(st, 2, file->seller_id);
	db_bind_guid(st, 3, &file->id);
	return db_run(st, NULL);
}

enum souk_err
object_file_rows_due(struct db_tx *tx, struct object_file *out, size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_DUE);
	struct str seller;
	size_t n = 0;
	bool row;
	enum souk_err err;

	db_bind_int(st, 1, db_now(tx));
	db_bind_int(st, 2, (int64_t)max);
	while ((err = db_step(st, &row)) == SOUK_OK && row && n < max) {
		out[n] = (struct object_file){ .id = db_guid(st, 0) };
		seller = db_text(st, 1);
		if (seller.n < sizeof(out[n].seller_id))
			memcpy(out[n].seller_id, seller.p, seller.n);
		n++;
	}
	db_reset(st);
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

enum souk_err
object_file_known(struct db_tx *tx, const struct guid *id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &object_texts, Q_FILE_KNOWN);
	bool found = false;
	enum souk_err err;

	db_bind_guid(st, 1, id);
	if ((err = any_row(st, &found)) == SOUK_OK && !found) {
		st = db_stmt(tx, &object_texts, Q_OBJECT_KNOWN);
		db_bind_guid(st, 1, id);
		err = any_row(st, &found);
	}
	if (err == SOUK_OK)
		*ret = found;
	return err;
}
