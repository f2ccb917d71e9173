/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a run, one object; see run_archive.h. */
#include "edsp/run_archive.h"

#include <stdio.h>
#include <stdlib.h>

#define FOOT 16
#define INDEX_MAX ((size_t)64 << 20)
#define COPY ((size_t)256 * 1024)

struct run_archive {
	struct object_writer *writer;
	struct buf index;
	uint64_t at;
};

enum souk_err
run_archive_new(struct object_store *os, struct str seller_id, struct run_archive **ret)
{
	struct run_archive *a = calloc(1, sizeof(*a));
	enum souk_err r;

	if (!a)
		return SOUK_E_NOMEM;
	if ((r = object_writer_new(os, seller_id, &a->writer)) == SOUK_OK)
		*ret = a;
	else
		free(a);
	return r;
}

static enum souk_err
put(struct run_archive *a, const void *p, size_t n)
{
	struct sink *to = object_writer_sink(a->writer);

	a->at += n;
	return n > 0 ? to->write(to, p, n) : SOUK_OK;
}

enum souk_err
run_archive_add(struct run_archive *a, const char *name, struct str document)
{
	buf_printf(&a->index, "%llu %zu %s\n", (unsigned long long)a->at, document.n, name);
	return put(a, document.p, document.n);
}

enum souk_err
run_archive_close(struct run_archive *a)
{
	char foot[FOOT + 1];
	enum souk_err r;

	if (!buf_ok(&a->index) || a->index.n > INDEX_MAX)
		return SOUK_E_NOMEM;
	(void)snprintf(foot, sizeof(foot), "%016zu", a->index.n);
	if ((r = put(a, a->index.p, a->index.n)) != SOUK_OK || (r = put(a, foot, FOOT)) != SOUK_OK)
		return r;
	return object_writer_close(a->writer);
}

enum souk_err
run_archive_commit(
    struct db_tx *tx, struct run_archive *a, const struct guid *run_id, struct fail *f)
{
	char key[GUID_TEXT_LEN + 1];

	guid_format(run_id, key);
	return object_commit(tx, a->writer,
	    &(struct object_facts){ .bucket = STR(RUN_ARCHIVE_BUCKET), .key = str_c(key) }, false,
	    STR(""), f);
}

void
run_archive_free(struct run_archive *a)
{
	if (!a)
		return;
	object_writer_free(a->writer);
	buf_done(&a->index);
	free(a);
}

/* ---- reading ---- */

struct opening {
	struct object_store *os;
	struct str seller_id, key;
	struct object_reader *reader;
	int64_t size;
};

static enum souk_err
open_tx(struct db_tx *tx, void *arg)
{
	struct opening *o = arg;
	struct arena *mem = arena_new(65536);
	struct object found;
	enum souk_err r =
	    mem ? object_find(tx, o->seller_id, STR(RUN_ARCHIVE_BUCKET), o->key, mem, &found)
		: SOUK_E_NOMEM;

	object_reader_free(o->reader); /* of an earlier run */
	o->reader = NULL;
	if (r == SOUK_OK && (r = object_reader_open(o->os, &found, &o->reader)) == SOUK_OK)
		o->size = found.size;
	arena_free(mem);
	return r;
}

/* Adds the n bytes at `at`, which must be there. */
static enum souk_err
read_at(struct opening *o, int64_t at, int64_t n, struct buf *out)
{
	char *block;
	size_t got = 1;
	enum souk_err r = SOUK_OK;

	if (at < 0 || n < 0 || at > o->size - n)
		return SOUK_E_STORAGE;
	if (!(block = malloc(COPY)))
		return SOUK_E_NOMEM;
	while (r == SOUK_OK && n > 0) {
		size_t want = n < (int64_t)COPY ? (size_t)n : COPY;

		if ((r = object_read(o->reader, at, block, want, &got)) != SOUK_OK)
			break;
		if (got == 0)
			r = SOUK_E_STORAGE;
		buf_add(out, block, got);
		at += (int64_t)got;
		n -= (int64_t)got;
	}
	free(block);
	return r == SOUK_OK && !buf_ok(out) ? SOUK_E_NOMEM : r;
}

/* Where the index says that the document is. */
static enum souk_err
look_up(struct str index, const char *name, int64_t *ret_at, int64_t *ret_n)
{
	struct str line, part;

	while (str_split(&index, '\n', &line)) {
		uint64_t at, n;

		if (!str_split(&line, ' ', &part) || !str_to_u64(part, INT64_MAX, &at) ||
		    !str_split(&line, ' ', &part) || !str_to_u64(part, INT64_MAX, &n) ||
		    !str_eq_c(line, name))
			continue;
		*ret_at = (int64_t)at;
		*ret_n = (int64_t)n;
		return SOUK_OK;
	}
	return SOUK_E_NOT_FOUND;
}

static enum souk_err
read_document(struct opening *o, const char *name, struct buf *out)
{
	struct buf b = { 0 };
	uint64_t length;
	int64_t at = 0, n = 0;
	enum souk_err r = read_at(o, o->size - FOOT, FOOT, &b);

	if (r == SOUK_OK && !str_to_u64(buf_str(&b), INDEX_MAX, &length))
		r = SOUK_E_STORAGE;
	buf_clear(&b);
	if (r == SOUK_OK)
		r = read_at(o, o->size - FOOT - (int64_t)length, (int64_t)length, &b);
	if (r == SOUK_OK && (r = look_up(buf_str(&b), name, &at, &n)) == SOUK_OK)
		r = read_at(o, at, n, out);
	buf_done(&b);
	return r;
}

enum souk_err
run_archive_read(struct db *db, struct object_store *os, struct str seller_id,
    const struct guid *run_id, const char *name, struct buf *out)
{
	char key[GUID_TEXT_LEN + 1];
	struct opening o = { .os = os, .seller_id = seller_id };
	enum souk_err r;

	guid_format(run_id, key);
	o.key = str_c(key);
	if ((r = db_read(db, open_tx, &o)) == SOUK_OK)
		r = read_document(&o, name, out);
	object_reader_free(o.reader);
	return r;
}
