/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upkeep of the embedded buckets: expiry, files without an object, rewrapping.
 *
 * Order matters. A row goes first and its file after: a file that is unlinked while a
 * row still names it would be a lost object. What a crash leaves between is a file
 * without a row, which the scan finds.
 */
#include "delivery/object_int.h"

#define BATCH 64

/* ---- expired objects ---- */

struct expiry {
	size_t n;
};

static enum souk_err
expire_some(struct db_tx *tx, void *arg)
{
	struct expiry *x = arg;
	struct object_ref refs[BATCH];
	size_t n;
	enum souk_err err;

	x->n = 0;
	if ((err = object_rows_expired(tx, refs, BATCH, &n)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < n && err == SOUK_OK; i++)
		if ((err = object_row_delete(tx, str_c(refs[i].seller_id), &refs[i].id)) == SOUK_OK)
			err = object_file_row_put(tx, str_c(refs[i].seller_id), &refs[i].id,
			    db_now(tx) + OBJECT_LINGER_MS);
	if (err == SOUK_OK && n > 0)
		db_scrub(tx);
	x->n = n;
	return err;
}

/* ---- files whose time has come ---- */

struct some {
	struct object_file files[BATCH];
	size_t n;
};

static enum souk_err
hold_some(struct db_tx *tx, void *arg)
{
	const struct some *x = arg;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < x->n && err == SOUK_OK; i++)
		err = object_file_row_hold(tx, &x->files[i], db_now(tx) + OBJECT_LINGER_MS);
	return err;
}

/* What is being read here must not go, whichever node thinks that its time has come. */
static enum souk_err
hold_open(struct object_store *os)
{
	struct some x = { .n = BATCH };
	enum souk_err err = SOUK_OK;

	for (size_t skip = 0; x.n == BATCH && err == SOUK_OK; skip += x.n)
		if ((x.n = object_readers_open(os, skip, x.files, BATCH)) > 0)
			err = db_write(os->db, hold_some, &x);
	return err;
}

static enum souk_err
doom_some(struct db_tx *tx, void *arg)
{
	struct some *x = arg;
	enum souk_err err;

	if ((err = object_file_rows_due(tx, x->files, BATCH, &x->n)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < x->n && err == SOUK_OK; i++)
		err = object_file_row_doom(tx, &x->files[i]);
	return err;
}

static enum souk_err
forget_some(struct db_tx *tx, void *arg)
{
	const struct some *x = arg;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < x->n && err == SOUK_OK; i++)
		err = object_file_row_delete(tx, &x->files[i]);
	return err;
}

/*
 * Doomed, removed, forgotten, in this order: from the first on no writer can put its row,
 * and until the last a file that could not be removed is found again.
 */
static enum souk_err
remove_due(struct object_store *os)
{
	struct some due, gone;
	enum souk_err err, failed = SOUK_OK;

	do {
		if ((err = db_write(os->db, doom_some, &due)) != SOUK_OK)
			return err;
		gone.n = 0;
		for (size_t i = 0; i < due.n; i++)
			if ((err = os->home->ops->remove(os->home, &due.files[i].id)) == SOUK_OK)
				gone.files[gone.n++] = due.files[i];
			else if ((failed = err) == SOUK_E_UNAVAILABLE)
				break;
		if (gone.n > 0 && (err = db_write(os->db, forget_some, &gone)) != SOUK_OK)
			return err;
	} while (failed == SOUK_OK && due.n == BATCH);
	return failed;
}

/* ---- files that no row names ---- */

struct known {
	struct guid id;
	bool is;
};

static enum souk_err
ask_known(struct db_tx *tx, void *arg)
{
	struct known *k = arg;

	return object_file_known(tx, &k->id, &k->is);
}

static enum souk_err
is_known(void *ctx, const struct guid *id, bool *ret)
{
	struct object_store *os = ctx;
	struct known k = { .id = *id };
	enum souk_err err = db_read(os->db, ask_known, &k);

	if (err == SOUK_OK)
		*ret = k.is;
	return err;
}

enum souk_err
object_expire(struct object_store *os, int64_t *ret_n)
{
	struct expiry x;
	int64_t total = 0;
	enum souk_err err;

	do {
		if ((err = db_write(os->db, expire_some, &x)) != SOUK_OK)
			return err;
		total += (int64_t)x.n;
	} while (x.n == BATCH);
	if ((err = hold_open(os)) != SOUK_OK || (err = remove_due(os)) != SOUK_OK ||
	    (err = os->home->ops->scan(os->home, is_known, os)) != SOUK_OK)
		return err;
	*ret_n = total;
	return SOUK_OK;
}

/* ---- rotation ---- */

static enum souk_err
rewrap_one(struct db_tx *tx, struct vault *v, const struct object_ref *o, int64_t *changed)
{
	struct str old = { .p = (const char *)o->wrapped_key, .n = o->wrapped_n };
	struct object_context context;
	struct wrapped_key fresh;
	bool is_new;
	enum souk_err err;

	err = vault_key_rewrap(v, object_context(&o->id, &context), old, &fresh, &is_new);
	if (err != SOUK_OK || !is_new)
		return err;
	(*changed)++;
	return object_row_set_key(tx, str_c(o->seller_id), &o->id, &fresh);
}

enum souk_err
object_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct object_ref refs[BATCH];
	struct guid after = { { 0 } };
	size_t n, want = max < BATCH ? max : BATCH;
	int64_t changed = 0;
	enum souk_err err;

	if (cursor->n == sizeof(after.b))
		memcpy(after.b, cursor->p, sizeof(after.b));
	if ((err = object_rows_after(tx, &after, refs, want, &n)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < n && err == SOUK_OK; i++)
		err = rewrap_one(tx, v, &refs[i], &changed);
	if (err != SOUK_OK)
		return err;
	if (n > 0) {
		buf_clear(cursor);
		buf_add(cursor, refs[n - 1].id.b, sizeof(after.b));
	}
	if (!buf_ok(cursor))
		return SOUK_E_NOMEM;
	*ret_changed = changed;
	*ret_done = n < want;
	return SOUK_OK;
}
