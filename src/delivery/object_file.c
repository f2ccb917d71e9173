/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed files of objects: written once, read in pieces, never changed.
 *
 * A file is nothing but sealed chunks, so its length follows from the object's size.
 * Its row in object_file is durable before the file exists: a crash at any moment
 * leaves nothing that housekeeping cannot find.
 */
#include "delivery/object_int.h"

#include "base/digest.h"
#include "base/metrics.h"
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED_CHUNK (VAULT_CHUNK + VAULT_CHUNK_OVERHEAD)

struct object_writer {
	struct sink sink; /* first: the sink is the writer */
	const struct object_store *os;
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id;
	struct data_key key;
	struct wrapped_key wrapped;
	int fd;            /* -1 once closed */
	bool closed;       /* whole and durable */
	bool kept;         /* may belong to a row */
	enum souk_err err; /* the first failure; nothing is written after it */
	int64_t size;
	uint64_t chunk; /* index of the chunk in `plain` */
	size_t held;    /* bytes of it so far */
	struct md5_ctx md5;
	struct sha256_ctx sha;
	uint8_t md5_sum[MD5_LEN], sha_sum[SHA256_LEN];
	uint8_t plain[VAULT_CHUNK];
	uint8_t sealed[SEALED_CHUNK];
};

void
object_dir_path(const struct object_store *os, unsigned first, char out[OBJECT_PATH_MAX])
{
	(void)snprintf(out, OBJECT_PATH_MAX, "%s/%02x", os->dir, first);
}

void
object_path(const struct object_store *os, const struct guid *id, char out[OBJECT_PATH_MAX])
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	(void)snprintf(out, OBJECT_PATH_MAX, "%s/%02x/%s", os->dir, id->b[0], text);
}

struct str
object_context(const struct guid *id, struct object_context *c)
{
	memcpy(c->text, "object:", 7);
	guid_format(id, c->text + 7);
	return (struct str){ .p = c->text, .n = OBJECT_CONTEXT_LEN };
}

/* ---- writing ---- */

static enum souk_err
seal_out(struct object_writer *w, const void *p, size_t n, bool last)
{
	vault_seal_chunk(&w->key, w->chunk++, last, p, n, w->sealed);
	return io_write_all(w->fd, w->sealed, n + VAULT_CHUNK_OVERHEAD);
}

/* A full chunk waits until more comes: only the end tells which one is the last. */
static enum souk_err
chunks_out(struct object_writer *w, const uint8_t *p, size_t n)
{
	enum souk_err err = SOUK_OK;
	size_t take;

	while (n > 0 && err == SOUK_OK) {
		if (w->held == VAULT_CHUNK) {
			err = seal_out(w, w->plain, VAULT_CHUNK, false);
			w->held = 0;
		} else if (w->held == 0 && n > VAULT_CHUNK) {
			err = seal_out(w, p, VAULT_CHUNK, false);
			p += VAULT_CHUNK;
			n -= VAULT_CHUNK;
		} else {
			take = n < VAULT_CHUNK - w->held ? n : VAULT_CHUNK - w->held;
			memcpy(w->plain + w->held, p, take);
			w->held += take;
			p += take;
			n -= take;
		}
	}
	return err;
}

static enum souk_err
writer_write(struct sink *s, const void *p, size_t n)
{
	struct object_writer *w = (struct object_writer *)s;

	assert(!w->closed);
	if (w->err != SOUK_OK || n == 0)
		return w->err;
	md5_update(&w->md5, n, p);
	sha256_update(&w->sha, n, p);
	w->size += (int64_t)n;
	return w->err = chunks_out(w, p, n);
}

/* ret_dir_made: the directory is new, and its own entry not yet durable. */
static int
create_file(const struct object_store *os, const struct guid *id, bool *ret_dir_made)
{
	char path[OBJECT_PATH_MAX];
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd;

	object_path(os, id, path);
	*ret_dir_made = false;
	if ((fd = open(path, flags, 0600)) >= 0 || errno != ENOENT)
		return fd;
	object_dir_path(os, id->b[0], path);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -1;
	*ret_dir_made = true;
	object_path(os, id, path);
	return open(path, flags, 0600);
}

static enum souk_err
announce(struct db_tx *tx, void *arg)
{
	const struct object_writer *w = arg;

	return object_file_row_put(tx, str_c(w->seller_id), &w->id, db_now(tx) + OBJECT_ORPHAN_MS);
}

static enum souk_err
writer_create(struct object_writer *w)
{
	bool dir_made;
	enum souk_err err;

	if ((err = db_write(w->os->db, announce, w)) != SOUK_OK)
		return err;
	if ((w->fd = create_file(w->os, &w->id, &dir_made)) < 0)
		return SOUK_E_STORAGE;
	return dir_made ? io_sync_dir(w->os->dir) : SOUK_OK;
}

enum souk_err
object_writer_new(struct object_store *os, struct str seller_id, struct object_writer **ret)
{
	struct object_writer *w;
	struct object_context context;
	enum souk_err err;

	assert(seller_id.n == ACCOUNT_ID_LEN);
	if (!(w = calloc(1, sizeof(*w))))
		return SOUK_E_NOMEM;
	w->sink.write = writer_write;
	w->os = os;
	w->fd = -1;
	memcpy(w->seller_id, seller_id.p, seller_id.n);
	w->id = guid_new();
	md5_init(&w->md5);
	sha256_init(&w->sha);
	if ((err = writer_create(w)) != SOUK_OK) {
		object_writer_free(w);
		return err;
	}
	vault_key_new(os->vault, object_context(&w->id, &context), &w->key, &w->wrapped);
	*ret = w;
	return SOUK_OK;
}

struct sink *
object_writer_sink(struct object_writer *w)
{
	return &w->sink;
}

static enum souk_err
sync_close(struct object_writer *w)
{
	char dir[OBJECT_PATH_MAX];
	enum souk_err err = fsync(w->fd) == 0 ? SOUK_OK : SOUK_E_STORAGE;

	if (close(w->fd) != 0)
		err = SOUK_E_STORAGE;
	w->fd = -1;
	object_dir_path(w->os, w->id.b[0], dir);
	return err == SOUK_OK ? io_sync_dir(dir) : err;
}

enum souk_err
object_writer_close(struct object_writer *w)
{
	if (w->closed || w->err != SOUK_OK)
		return w->err;
	if ((w->err = seal_out(w, w->plain, w->held, true)) != SOUK_OK ||
	    (w->err = sync_close(w)) != SOUK_OK)
		return w->err;
	md5_digest(&w->md5, MD5_LEN, w->md5_sum);
	sha256_digest(&w->sha, SHA256_LEN, w->sha_sum);
	wipe(&w->key, sizeof(w->key));
	metric_add(MET_OBJECT_BYTES, MDIR_IN, (uint64_t)w->size);
	w->closed = true;
	return SOUK_OK;
}

int64_t
object_writer_size(const struct object_writer *w)
{
	return w->size;
}

void
object_writer_md5(const struct object_writer *w, uint8_t out[16])
{
	assert(w->closed);
	memcpy(out, w->md5_sum, MD5_LEN);
}

void
object_writer_sha256(const struct object_writer *w, uint8_t out[32])
{
	assert(w->closed);
	memcpy(out, w->sha_sum, SHA256_LEN);
}

void
object_writer_facts(const struct object_writer *w, struct object_written *ret)
{
	assert(w->closed);
	*ret = (struct object_written){
		.os = w->os,
		.seller_id = str_c(w->seller_id),
		.id = w->id,
		.wrapped_key = w->wrapped.b,
		.size = w->size,
	};
	hex_encode(w->md5_sum, MD5_LEN, ret->etag);
	memcpy(ret->sha256, w->sha_sum, SHA256_LEN);
}

void
object_writer_keep(struct object_writer *w)
{
	w->kept = true;
}

void
object_writer_free(struct object_writer *w)
{
	char path[OBJECT_PATH_MAX];

	if (!w)
		return;
	if (w->fd >= 0)
		(void)close(w->fd);
	if (!w->kept) {
		object_path(w->os, &w->id, path);
		(void)unlink(path);
	}
	wipe(w, sizeof(*w));
	free(w);
}

/* ---- reading ---- */

struct object_reader {
	int fd;
	int64_t size;
	struct data_key key;
	uint64_t last; /* index of the last chunk */
	uint64_t held; /* index of the chunk in `plain`; UINT64_MAX: none */
	uint8_t plain[VAULT_CHUNK];
	uint8_t sealed[SEALED_CHUNK];
};

enum souk_err
object_reader_open(struct object_store *os, const struct object *o, struct object_reader **ret)
{
	char path[OBJECT_PATH_MAX];
	struct object_context context;
	struct str wrapped = { .p = (const char *)o->wrapped_key, .n = sizeof(o->wrapped_key) };
	struct object_reader *r;
	enum souk_err err = SOUK_OK;

	if (!(r = calloc(1, sizeof(*r))))
		return SOUK_E_NOMEM;
	object_path(os, &o->id, path);
	r->size = o->size;
	r->last = o->size > 0 ? (uint64_t)(o->size - 1) / VAULT_CHUNK : 0;
	r->held = UINT64_MAX;
	if ((r->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		err = SOUK_E_STORAGE;
	else
		err =
		    vault_key_unwrap(os->vault, object_context(&o->id, &context), wrapped, &r->key);
	if (err != SOUK_OK) {
		object_reader_free(r);
		return err;
	}
	*ret = r;
	return SOUK_OK;
}

static size_t
chunk_length(const struct object_reader *r, uint64_t chunk)
{
	return chunk < r->last ? VAULT_CHUNK : (size_t)(r->size - (int64_t)(chunk * VAULT_CHUNK));
}

static enum souk_err
read_full(int fd, uint8_t *p, size_t n, int64_t at)
{
	ssize_t got;

	while (n > 0) {
		got = pread(fd, p, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return SOUK_E_STORAGE;
		p += got;
		at += got;
		n -= (size_t)got;
	}
	return SOUK_OK;
}

static enum souk_err
open_chunk(struct object_reader *r, uint64_t chunk, uint8_t *out)
{
	struct str sealed = { .p = (const char *)r->sealed,
		.n = chunk_length(r, chunk) + VAULT_CHUNK_OVERHEAD };
	enum souk_err err;

	err = read_full(r->fd, r->sealed, sealed.n, (int64_t)(chunk * SEALED_CHUNK));
	if (err == SOUK_OK &&
	    vault_unseal_chunk(&r->key, chunk, chunk == r->last, sealed, out) != SOUK_OK)
		err = SOUK_E_STORAGE;
	return err;
}

enum souk_err
object_read(struct object_reader *r, int64_t offset, void *p, size_t n, size_t *ret_n)
{
	uint8_t *out = p;
	size_t done = 0, take, skip, length;
	uint64_t chunk;
	enum souk_err err;

	assert(offset >= 0);
	while (done < n && offset < r->size) {
		chunk = (uint64_t)offset / VAULT_CHUNK;
		skip = (size_t)((uint64_t)offset % VAULT_CHUNK);
		length = chunk_length(r, chunk);
		take = n - done < length - skip ? n - done : length - skip;
		if (take == length) {
			if ((err = open_chunk(r, chunk, out + done)) != SOUK_OK)
				return err;
		} else {
			if (r->held != chunk) {
				r->held = UINT64_MAX;
				if ((err = open_chunk(r, chunk, r->plain)) != SOUK_OK)
					return err;
				r->held = chunk;
			}
			memcpy(out + done, r->plain + skip, take);
		}
		done += take;
		offset += (int64_t)take;
	}
	metric_add(MET_OBJECT_BYTES, MDIR_OUT, done);
	*ret_n = done;
	return SOUK_OK;
}

void
object_reader_free(struct object_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	wipe(r, sizeof(*r));
	free(r);
}
