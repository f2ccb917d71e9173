/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: which sealed file a key of a bucket means, from when until when.
 *
 * Replacing or deleting a row destroys the key of what it named; the file itself
 * follows a moment later (object_upkeep.c), so that readers are not disturbed.
 */
#include "delivery/object_int.h"

#include "base/utf8.h"
#include "delivery/scope.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static enum souk_err
store_new(struct db *db, struct vault *v, int64_t retention_ms, struct object_home *home,
    struct object_store **ret, struct fail *f)
{
	struct object_store *os = calloc(1, sizeof(*os));

	if (!os) {
		home->ops->free(home);
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the buckets");
	}
	os->db = db;
	os->vault = v;
	os->retention_ms = retention_ms;
	os->home = home;
	(void)pthread_mutex_init(&os->lock, NULL);
	*ret = os;
	return SOUK_OK;
}

enum souk_err
object_store_open(struct db *db, struct vault *v, const char *data_dir, int64_t retention_ms,
    struct object_store **ret, struct fail *f)
{
	struct object_home *home;
	enum souk_err err = object_home_dir(data_dir, &home, f);

	return err == SOUK_OK ? store_new(db, v, retention_ms, home, ret, f) : err;
}

enum souk_err
object_store_open_set(struct db *db, struct vault *v, const struct config *c, const char *data_dir,
    struct object_store **ret, struct fail *f)
{
	int64_t retention_ms = config_int(c, SET_OBJECT_RETENTION_DAYS) * DAY_MS;
	struct object_home *home;
	enum souk_err err;

	if (strcmp(config_text(c, SET_OBJECT_HOME), "s3") != 0)
		return object_store_open(db, v, data_dir, retention_ms, ret, f);
	err = object_home_s3(c, data_dir, retention_ms, &home, f);
	return err == SOUK_OK ? store_new(db, v, retention_ms, home, ret, f) : err;
}

void
object_store_close(struct object_store *os)
{
	if (!os)
		return;
	assert(!os->readers);
	os->home->ops->free(os->home);
	(void)pthread_mutex_destroy(&os->lock);
	free(os);
}

bool
object_store_remote(const struct object_store *os)
{
	return os->home->ops->remote;
}

enum souk_err
object_store_probe(struct object_store *os, struct fail *f)
{
	return os->home->ops->probe ? os->home->ops->probe(os->home, f) : SOUK_OK;
}

enum souk_err
object_store_state(struct object_store *os, struct fail *f)
{
	return os->home->ops->state(os->home, f);
}

static enum souk_err
check_key(struct str key, struct fail *f)
{
	if (key.n == 0)
		return fail_field(f, "key", "is empty", "give a key of 1 to 1024 bytes");
	if (key.n > OBJECT_KEY_MAX)
		return fail_set(f, SOUK_E_LIMIT, "key_too_long", "a key has at most 1024 bytes");
	if (!utf8_valid(key) || memchr(key.p, '\0', key.n))
		return fail_field(f, "key", "is not valid UTF-8", "encode it as UTF-8");
	return SOUK_OK;
}

/* What stands under the key now must be what the caller expects. */
static enum souk_err
check_expected(const struct object_brief *old, bool if_none, struct str if_match, struct fail *f)
{
	bool there = old && !old->expired;

	if (if_none && there)
		return fail_set(f, SOUK_E_PRECONDITION, "object_exists",
		    "an object of this key exists already");
	if (if_match.n > 0 && !(there && str_eq_c(if_match, old->etag)))
		return fail_set(f, SOUK_E_PRECONDITION, "object_changed",
		    "the object is not the one that If-Match names");
	return SOUK_OK;
}

static struct str
or_else(struct str s, struct str other)
{
	return s.n > 0 ? s : other;
}

/* Keys may have been rotated while the file was written: what is put is wrapped by the current one. */
static enum souk_err
fresh_key(const struct object_written *w, uint8_t out[VAULT_WRAPPED_LEN])
{
	struct str old = { .p = (const char *)w->wrapped_key, .n = VAULT_WRAPPED_LEN };
	struct object_context context;
	struct wrapped_key k;
	bool changed;
	enum souk_err err;

	err = vault_key_rewrap(w->os->vault, object_context(&w->id, &context), old, &k, &changed);
	if (err == SOUK_OK)
		memcpy(out, k.b, VAULT_WRAPPED_LEN);
	return err;
}

static enum souk_err
put_row(struct db_tx *tx, const struct object_written *w, const struct object_facts *facts)
{
	instant_t now = db_now(tx);
	enum souk_err err;
	struct object o = {
		.id = w->id,
		.bucket = facts->bucket,
		.key = facts->key,
		.etag = str_c(w->etag),
		.content_type = or_else(facts->content_type, STR("binary/octet-stream")),
		.headers = or_else(facts->headers, STR("")),
		.checksum = or_else(facts->checksum, STR("")),
		.size = w->size,
		.modified_at = now,
		.expires_at =
		    bucket_is_own(facts->bucket) ? INSTANT_MAX : now + w->os->retention_ms,
	};

	memcpy(o.sha256, w->sha256, sizeof(o.sha256));
	if ((err = fresh_key(w, o.wrapped_key)) != SOUK_OK)
		return err;
	return object_row_put(tx, w->seller_id, &o);
}

static enum souk_err
lock_object(struct db_tx *tx, struct str bucket, struct str key)
{
	char name[64 + OBJECT_KEY_MAX];
	int n =
	    snprintf(name, sizeof(name), "%.*s/%.*s", (int)bucket.n, bucket.p, (int)key.n, key.p);

	/* Too long a name is no object's. */
	return n < 0 || (size_t)n >= sizeof(name) ? SOUK_OK : lock_subject(tx, name, (size_t)n);
}

/* The old file goes soon; its key goes with this transaction. */
static enum souk_err
condemn(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	db_scrub(tx);
	return object_file_row_put(tx, seller_id, id, db_now(tx) + OBJECT_LINGER_MS);
}

enum souk_err
object_commit(struct db_tx *tx, struct object_writer *w, const struct object_facts *o, bool if_none,
    struct str if_match, struct fail *f)
{
	struct object_written facts;
	struct object_brief old;
	struct bucket b;
	bool there, waiting = false;
	enum souk_err err;

	object_writer_facts(w, &facts);
	if ((err = check_key(o->key, f)) != SOUK_OK ||
	    (err = lock_object(tx, o->bucket, o->key)) != SOUK_OK ||
	    (err = lock_owner_shared(tx, facts.seller_id)) != SOUK_OK)
		return err;
	err = bucket_is_own(o->bucket) ? SOUK_OK : bucket_owner(tx, o->bucket, &b);
	if (err == SOUK_OK && bucket_is_own(o->bucket))
		(void)snprintf(b.seller_id, sizeof(b.seller_id), "%.*s", (int)facts.seller_id.n,
		    facts.seller_id.p);
	if (err == SOUK_E_NOT_FOUND || (err == SOUK_OK && !str_eq_c(facts.seller_id, b.seller_id)))
		return fail_set(f, SOUK_E_NOT_FOUND, "no_such_bucket", "there is no such bucket");
	if (err != SOUK_OK)
		return err;
	err = object_row_brief(tx, facts.seller_id, o->bucket, o->key, &old);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	there = err == SOUK_OK;
	if ((err = check_expected(there ? &old : NULL, if_none, if_match, f)) != SOUK_OK ||
	    (err = object_file_row_take(tx, facts.seller_id, &facts.id, &waiting)) != SOUK_OK)
		return err;
	if (!waiting)
		return fail_set(f, SOUK_E_UNAVAILABLE, "upload_too_slow",
		    "the upload took more than an hour; send it again");
	if ((err = put_row(tx, &facts, o)) != SOUK_OK ||
	    (there && (err = condemn(tx, facts.seller_id, &old.id)) != SOUK_OK))
		return err;
	object_writer_keep(w);
	return SOUK_OK;
}

/* The caller's own bucket: contents are the seller's alone, also for the operator. */
static enum souk_err
own_bucket(struct db_tx *tx, const struct tenant_scope *s, struct str name, struct bucket *ret)
{
	struct bucket b;
	enum souk_err err;

	if ((err = bucket_owner(tx, name, &b)) != SOUK_OK)
		return err;
	if (!scope_owns(s, str_c(b.seller_id)))
		return SOUK_E_NOT_FOUND;
	*ret = b;
	return SOUK_OK;
}

enum souk_err
object_get(struct db_tx *tx, const struct tenant_scope *s, struct str bucket, struct str key,
    struct arena *mem, struct object *ret)
{
	struct bucket b;
	enum souk_err err;

	if ((err = own_bucket(tx, s, bucket, &b)) != SOUK_OK)
		return err;
	return object_row_load(tx, str_c(b.seller_id), bucket, key, mem, ret);
}

enum souk_err
object_find(struct db_tx *tx, struct str seller_id, struct str bucket, struct str key,
    struct arena *mem, struct object *ret)
{
	return object_row_load(tx, seller_id, bucket, key, mem, ret);
}

enum souk_err
object_delete_of(struct db_tx *tx, struct str seller_id, struct str bucket, struct str key)
{
	struct object_brief old;
	enum souk_err err;

	if ((err = lock_object(tx, bucket, key)) != SOUK_OK ||
	    (err = object_row_brief(tx, seller_id, bucket, key, &old)) != SOUK_OK ||
	    (err = object_row_delete(tx, seller_id, &old.id)) != SOUK_OK)
		return err;
	return condemn(tx, seller_id, &old.id);
}

enum souk_err
object_delete(struct db_tx *tx, const struct tenant_scope *s, struct str bucket, struct str key)
{
	struct bucket b;
	struct object_brief old;
	enum souk_err err;

	if ((err = lock_object(tx, bucket, key)) != SOUK_OK ||
	    (err = own_bucket(tx, s, bucket, &b)) != SOUK_OK ||
	    (err = object_row_brief(tx, str_c(b.seller_id), bucket, key, &old)) != SOUK_OK ||
	    (err = object_row_delete(tx, str_c(b.seller_id), &old.id)) != SOUK_OK)
		return err;
	return condemn(tx, str_c(b.seller_id), &old.id);
}
