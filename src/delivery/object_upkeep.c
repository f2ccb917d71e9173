/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upkeep of the embedded buckets: expiry, files without an object, rewrapping.
 *
 * Order matters. A row goes first and its file after: a file that is unlinked while a
 * row still names it would be a lost object. What a crash leaves between is a file
 * without a row, which the scan finds.
 */
#include "delivery/object_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 64
#define DIRECTORIES 256

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

struct removal {
	struct object_file files[BATCH];
	size_t n;
};

static enum souk_err
forget_some(struct db_tx *tx, void *arg)
{
	struct removal *x = arg;
	bool was_there;
	enum souk_err err;

	if ((err = object_file_rows_due(tx, x->files, BATCH, &x->n)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < x->n && err == SOUK_OK; i++)
		err = object_file_row_delete(
		    tx, str_c(x->files[i].seller_id), &x->files[i].id, &was_there);
	return err;
}

static enum souk_err
remove_due(struct object_store *os)
{
	char path[OBJECT_PATH_MAX];
	struct removal x;
	enum souk_err err;

	do {
		if ((err = db_write(os->db, forget_some, &x)) != SOUK_OK)
			return err;
		for (size_t i = 0; i < x.n; i++) {
			object_path(os, &x.files[i].id, path);
			if (unlink(path) != 0 && errno != ENOENT)
				err = SOUK_E_STORAGE;
		}
	} while (err == SOUK_OK && x.n == BATCH);
	return err;
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

/* Old enough that no writer can be about to put its row. */
static bool
is_old(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (instant_t)st.st_mtim.tv_sec * SECOND_MS + OBJECT_ORPHAN_MS < clock_now();
}

static enum souk_err
remove_unknown(struct object_store *os, DIR *d)
{
	struct known k;
	const struct dirent *e;
	enum souk_err err = SOUK_OK;

	while (err == SOUK_OK && (e = readdir(d))) {
		if (!guid_parse(str_c(e->d_name), &k.id) || !is_old(dirfd(d), e->d_name))
			continue;
		if ((err = db_read(os->db, ask_known, &k)) == SOUK_OK && !k.is &&
		    unlinkat(dirfd(d), e->d_name, 0) != 0)
			err = SOUK_E_STORAGE;
	}
	return err;
}

/* One directory a call: a restored, older database leaves such files; nothing is in a hurry. */
static enum souk_err
scan_next(struct object_store *os)
{
	char path[OBJECT_PATH_MAX];
	DIR *d;
	enum souk_err err;

	object_dir_path(os, atomic_fetch_add(&os->scan, 1) % DIRECTORIES, path);
	if (!(d = opendir(path)))
		return errno == ENOENT ? SOUK_OK : SOUK_E_STORAGE;
	err = remove_unknown(os, d);
	(void)closedir(d);
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
	if ((err = remove_due(os)) != SOUK_OK || (err = scan_next(os)) != SOUK_OK)
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
