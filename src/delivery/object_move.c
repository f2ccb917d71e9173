/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves the files of objects from a directory into a bucket.
 *
 * The danger: to call something moved that nobody can read there. So what counts is what a reader gets from the
 * new home, compared with the row.
 */
#include "delivery/object_int.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 64
#define PAGE_MEMORY ((size_t)1 << 20)
#define BLOCK ((size_t)1 << 20)

struct move {
	struct object_store *to, *from;
	struct objects_move *told;
	struct fail *f;
	uint8_t *block; /* BLOCK */
	struct arena *mem;
	struct guid after;
	struct object page[PAGE];
	size_t n;
};

static enum souk_err
read_page(struct db_tx *tx, void *arg)
{
	struct move *m = arg;

	arena_reset(m->mem);
	return object_rows_page(tx, &m->after, m->mem, m->page, PAGE, &m->n);
}

/* Its one sealed chunk, of which a reader asks for nothing. */
static enum souk_err
read_empty(struct object_store *os, const struct object *o)
{
	uint8_t sealed[VAULT_CHUNK_OVERHEAD], plain[1];
	struct str wrapped = { .p = (const char *)o->wrapped_key, .n = sizeof(o->wrapped_key) },
		   chunk = { .p = (const char *)sealed, .n = sizeof(sealed) };
	struct object_context context;
	struct data_key key;
	int fd = -1;
	enum souk_err err = os->home->ops->open(os->home, &o->id, &fd);

	if (err == SOUK_OK)
		err = os->home->ops->read(os->home, &o->id, fd, sealed, sizeof(sealed), 0);
	if (fd >= 0)
		(void)close(fd);
	if (err == SOUK_OK)
		err = vault_key_unwrap(os->vault, object_context(&o->id, &context), wrapped, &key);
	if (err == SOUK_OK) {
		err = vault_unseal_chunk(&key, 0, true, chunk, plain);
		wipe(&key, sizeof(key));
	}
	return err;
}

static enum souk_err
read_whole(struct move *m, struct object_store *os, const struct object *o, uint8_t sum[SHA256_LEN])
{
	struct object_reader *r = NULL;
	struct sha256_ctx sha;
	enum souk_err err = o->size > 0 ? object_reader_open(os, o, &r) : read_empty(os, o);
	int64_t at = 0;
	size_t n = 0;

	sha256_init(&sha);
	while (err == SOUK_OK && at < o->size) {
		if ((err = object_read(r, at, m->block, BLOCK, &n)) != SOUK_OK)
			break;
		sha256_update(&sha, n, m->block);
		at += (int64_t)n;
	}
	object_reader_free(r);
	sha256_digest(&sha, SHA256_LEN, sum);
	return err;
}

/* Does a reader get from there what the row says? Only a home that is away is a failure. */
static enum souk_err
is_whole(struct move *m, struct object_store *os, const struct object *o, bool *ret)
{
	uint8_t sum[SHA256_LEN];
	enum souk_err err = read_whole(m, os, o, sum);

	*ret = err == SOUK_OK && memcmp(sum, o->sha256, SHA256_LEN) == 0;
	return err == SOUK_E_UNAVAILABLE || err == SOUK_E_NOMEM ? err : SOUK_OK;
}

static void
lose(struct move *m, const struct object *o, const char *why)
{
	char id[GUID_TEXT_LEN + 1], file[GUID_TEXT_LEN + 16];

	m->told->n_lost++;
	guid_format(&o->id, id);
	(void)snprintf(file, sizeof(file), "objects/%02x/%s", o->id.b[0], id);
	if (m->told->lost)
		m->told->lost(m->told->arg, file, o->bucket, why);
}

/* The sealed file as it is. *ret_fd is for the home's `keep`; -1: it cannot be sent, and why. */
static const char *
open_file(struct move *m, const struct object *o, int *ret_fd)
{
	int64_t chunks = o->size > 0 ? (o->size - 1) / VAULT_CHUNK + 1 : 1;
	const struct object_home_ops *ops = m->from->home->ops;
	struct stat st;
	bool whole = false;

	*ret_fd = -1;
	if (ops->open(m->from->home, &o->id, ret_fd) != SOUK_OK)
		return "is missing";
	if (fstat(*ret_fd, &st) == 0 && st.st_size == o->size + chunks * VAULT_CHUNK_OVERHEAD &&
	    is_whole(m, m->from, o, &whole) == SOUK_OK && whole)
		return NULL;
	(void)close(*ret_fd);
	*ret_fd = -1;
	return "is damaged";
}

static enum souk_err
move_one(struct move *m, const struct object *o)
{
	const struct object_home_ops *ops = m->to->home->ops;
	enum souk_err err;
	const char *why;
	bool whole;
	int fd;

	if ((err = is_whole(m, m->to, o, &whole)) != SOUK_OK)
		return err;
	if (whole) {
		m->told->there++;
		return SOUK_OK;
	}
	if ((why = open_file(m, o, &fd))) {
		lose(m, o, why);
		return SOUK_OK;
	}
	if ((err = ops->keep(m->to->home, &o->id, fd)) != SOUK_OK ||
	    (err = is_whole(m, m->to, o, &whole)) != SOUK_OK)
		return err;
	if (!whole) {
		lose(m, o, "did not arrive whole in the store");
		return SOUK_OK;
	}
	m->told->copied++;
	m->told->bytes += o->size;
	return SOUK_OK;
}

static enum souk_err
move_all(struct move *m)
{
	enum souk_err err;

	do {
		if ((err = db_read(m->to->db, read_page, m)) != SOUK_OK)
			return fail_set(m->f, err, "database", "the database cannot be read");
		for (size_t i = 0; i < m->n && err == SOUK_OK; i++) {
			err = move_one(m, &m->page[i]);
			if (m->told->told)
				m->told->told(m->told->arg,
				    m->told->there + m->told->copied + m->told->n_lost);
		}
		if (m->n > 0)
			m->after = m->page[m->n - 1].id;
	} while (err == SOUK_OK && m->n > 0);
	if (err != SOUK_OK && object_store_state(m->to, m->f) == SOUK_OK)
		return fail_set(m->f, err, "objects", "the objects cannot be copied");
	return err;
}

enum souk_err
objects_move_in(
    struct object_store *os, const char *data_dir, struct objects_move *told, struct fail *f)
{
	struct move *m = calloc(1, sizeof(*m));
	enum souk_err err;

	told->there = told->copied = told->bytes = told->n_lost = 0;
	if (m && (m->block = malloc(BLOCK)) && (m->mem = arena_new(PAGE_MEMORY))) {
		m->to = os;
		m->told = told;
		m->f = f;
		err = object_store_remote(os)
			  ? object_store_open(
				os->db, os->vault, data_dir, os->retention_ms, &m->from, f)
			  : fail_field(f, "object.home", "is not s3",
				"set it and object.s3-* to where the objects shall be");
		if (err == SOUK_OK)
			err = move_all(m);
	} else {
		err = fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the objects");
	}
	if (m) {
		object_store_close(m->from);
		arena_free(m->mem);
		if (m->block)
			wipe(m->block, BLOCK);
		free(m->block);
	}
	free(m);
	return err;
}
