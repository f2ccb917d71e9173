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
#include <stdlib.h>
#include <unistd.h>

#define SEALED_CHUNK (VAULT_CHUNK + VAULT_CHUNK_OVERHEAD)

struct object_writer {
	struct sink sink; /* first: the sink is the writer */
	struct object_store *os;
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

static enum souk_err
announce(struct db_tx *tx, void *arg)
{
	const struct object_writer *w = arg;

	return object_file_row_put(tx, str_c(w->seller_id), &w->id, db_now(tx) + OBJECT_ORPHAN_MS);
}

static enum souk_err
writer_create(struct object_writer *w)
{
	enum souk_err err;

	if ((err = db_write(w->os->db, announce, w)) != SOUK_OK)
		return err;
	return w->os->home->ops->create(w->os->home, &w->id, &w->fd);
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
keep(struct object_writer *w)
{
	int fd = w->fd;

	w->fd = -1;
	return w->os->home->ops->keep(w->os->home, &w->id, fd);
}

enum souk_err
object_writer_close(struct object_writer *w)
{
	if (w->closed || w->err != SOUK_OK)
		return w->err;
	if ((w->err = seal_out(w, w->plain, w->held, true)) != SOUK_OK ||
	    (w->err = keep(w)) != SOUK_OK)
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
	if (!w)
		return;
	if (!w->kept)
		w->os->home->ops->drop(w->os->home, &w->id, w->fd);
	else if (w->fd >= 0)
		(void)close(w->fd);
	wipe(w, sizeof(*w));
	free(w);
}

/* ---- reading ---- */

/* Of a remote home several chunks are fetched at once, never more than are wanted. */
#define WINDOW 16

struct object_reader {
	struct object_store *os;
	struct object_file file;
	struct object_reader *next, **back; /* among the open ones of a remote home */
	int fd;
	int64_t size;
	struct data_key key;
	uint64_t last;           /* index of the last chunk */
	uint64_t held;           /* index of the chunk in `plain`; UINT64_MAX: none */
	uint64_t first, fetched; /* chunks in `window` */
	uint8_t *window;         /* WINDOW sealed chunks, one for a home at hand */
	uint8_t plain[VAULT_CHUNK];
};

static void
register_reader(struct object_reader *r)
{
	struct object_store *os = r->os;

	(void)pthread_mutex_lock(&os->lock);
	if ((r->next = os->readers))
		r->next->back = &r->next;
	r->back = &os->readers;
	os->readers = r;
	(void)pthread_mutex_unlock(&os->lock);
}

static void
unregister_reader(struct object_reader *r)
{
	struct object_store *os = r->os;

	if (!r->back)
		return;
	(void)pthread_mutex_lock(&os->lock);
	if ((*r->back = r->next))
		r->next->back = r->back;
	(void)pthread_mutex_unlock(&os->lock);
}

size_t
object_readers_open(struct object_store *os, size_t skip, struct object_file *out, size_t max)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&os->lock);
	for (const struct object_reader *r = os->readers; r && n < max; r = r->next) {
		if (skip > 0)
			skip--;
		else
			out[n++] = r->file;
	}
	(void)pthread_mutex_unlock(&os->lock);
	return n;
}

enum souk_err
object_reader_open(struct object_store *os, const struct object *o, struct object_reader **ret)
{
	struct object_context context;
	struct str wrapped = { .p = (const char *)o->wrapped_key, .n = sizeof(o->wrapped_key) };
	size_t window = os->home->ops->remote ? WINDOW : 1;
	struct object_reader *r;
	enum souk_err err;

	if (!(r = calloc(1, sizeof(*r))))
		return SOUK_E_NOMEM;
	r->os = os;
	r->file.id = o->id;
	memcpy(r->file.seller_id, o->seller_id, sizeof(r->file.seller_id));
	r->fd = -1;
	r->size = o->size;
	r->last = o->size > 0 ? (uint64_t)(o->size - 1) / VAULT_CHUNK : 0;
	r->held = UINT64_MAX;
	if (os->home->ops->remote)
		register_reader(r);
	if (!(r->window = malloc(window * SEALED_CHUNK)))
		err = SOUK_E_NOMEM;
	else if ((err = os->home->ops->open(os->home, &r->file.id, &r->fd)) == SOUK_OK)
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

static bool
is_fetched(const struct object_reader *r, uint64_t chunk)
{
	return chunk >= r->first && chunk - r->first < r->fetched;
}

bool
object_reader_ready(const struct object_reader *r, int64_t offset)
{
	uint64_t chunk = (uint64_t)offset / VAULT_CHUNK;

	return !r->os->home->ops->remote || offset >= r->size || r->held == chunk ||
	       is_fetched(r, chunk);
}

enum souk_err
object_reader_fetch(struct object_reader *r, int64_t offset, int64_t n)
{
	uint64_t first = (uint64_t)offset / VAULT_CHUNK, end, most = WINDOW;
	enum souk_err err;
	size_t bytes;

	if (offset >= r->size || n <= 0 || is_fetched(r, first))
		return SOUK_OK;
	if (!r->os->home->ops->remote)
		most = 1;
	n = n < r->size - offset ? n : r->size - offset;
	end = (uint64_t)(offset + n - 1) / VAULT_CHUNK + 1;
	if (end - first > most)
		end = first + most;
	bytes = (size_t)(end - first - 1) * SEALED_CHUNK + chunk_length(r, end - 1) +
		VAULT_CHUNK_OVERHEAD;
	r->fetched = 0;
	err = r->os->home->ops->read(
	    r->os->home, &r->file.id, r->fd, r->window, bytes, (int64_t)(first * SEALED_CHUNK));
	if (err != SOUK_OK)
		return err;
	r->first = first;
	r->fetched = end - first;
	return SOUK_OK;
}

static enum souk_err
open_chunk(struct object_reader *r, uint64_t chunk, uint8_t *out)
{
	struct str sealed = { .n = chunk_length(r, chunk) + VAULT_CHUNK_OVERHEAD };

	sealed.p = (const char *)r->window + (chunk - r->first) * SEALED_CHUNK;
	return vault_unseal_chunk(&r->key, chunk, chunk == r->last, sealed, out) == SOUK_OK
		   ? SOUK_OK
		   : SOUK_E_STORAGE;
}

/* One chunk's bytes from `offset` on, at most n of them. */
static enum souk_err
read_chunk(struct object_reader *r, int64_t offset, uint8_t *out, size_t n, size_t *ret_n)
{
	uint64_t chunk = (uint64_t)offset / VAULT_CHUNK;
	size_t skip = (size_t)((uint64_t)offset % VAULT_CHUNK), length = chunk_length(r, chunk);
	enum souk_err err;

	*ret_n = n < length - skip ? n : length - skip;
	if (r->held != chunk) {
		if ((err = object_reader_fetch(r, offset, (int64_t)n)) != SOUK_OK)
			return err;
		if (*ret_n == length)
			return open_chunk(r, chunk, out);
		r->held = UINT64_MAX;
		if ((err = open_chunk(r, chunk, r->plain)) != SOUK_OK)
			return err;
		r->held = chunk;
	}
	memcpy(out, r->plain + skip, *ret_n);
	return SOUK_OK;
}

enum souk_err
object_read(struct object_reader *r, int64_t offset, void *p, size_t n, size_t *ret_n)
{
	uint8_t *out = p;
	size_t done = 0, got;
	enum souk_err err;

	assert(offset >= 0);
	while (done < n && offset < r->size && (done == 0 || object_reader_ready(r, offset))) {
		if ((err = read_chunk(r, offset, out + done, n - done, &got)) != SOUK_OK)
			return err;
		done += got;
		offset += (int64_t)got;
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
	unregister_reader(r);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r->window);
	wipe(r, sizeof(*r));
	free(r);
}
