/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feed files as objects. A source reads them at any offset, so each is opened once, when it is first
 * wanted, and reads of one file take turns: a sealed object is opened chunk by chunk.
 */
#include "edsp/feed_objects.h"

#include "feeds/sift.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 128
#define LIST_ARENA ((size_t)2 * 1024 * 1024)
#define COPY ((size_t)256 * 1024)

struct kept_file {
	char key[KEY_MAX];
	int64_t size;
	char etag[40];
	pthread_mutex_t lock; /* of what follows, and of reading */
	struct object_reader *reader;
};

struct kept {
	struct db *db;
	struct object_store *objects;
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct kept_file *files; /* by key */
	size_t n;
	uint64_t set_aside; /* rows */
};

static void
kept_free(void *context)
{
	struct kept *k = context;

	for (size_t i = 0; i < k->n; i++) {
		object_reader_free(k->files[i].reader);
		(void)pthread_mutex_destroy(&k->files[i].lock);
	}
	free(k->files);
	free(k);
}

/* ---- reading ---- */

struct opening {
	struct kept *kept;
	struct kept_file *file;
	struct fail *f;
};

static enum souk_err
open_tx(struct db_tx *tx, void *arg)
{
	struct opening *o = arg;
	struct arena *mem = arena_new(65536);
	struct object found;
	enum souk_err err;

	if (!mem)
		return SOUK_E_NOMEM;
	err = object_find(tx, str_c(o->kept->seller_id), STR(FEED_OBJECTS_BUCKET),
	    str_c(o->file->key), mem, &found);
	if (err == SOUK_E_NOT_FOUND || (err == SOUK_OK && !str_eq_c(found.etag, o->file->etag)))
		err = fail_set(o->f, SOUK_E_UNAVAILABLE, "feeds_replaced",
		    "The feeds were replaced while they were read.");
	if (err == SOUK_OK)
		err = object_reader_open(o->kept->objects, &found, &o->file->reader);
	arena_free(mem);
	return err;
}

static int
by_key(const void *key, const void *file)
{
	return strcmp(key, ((const struct kept_file *)file)->key);
}

static enum souk_err
read_open(struct kept_file *k, uint64_t offset, void *p, size_t n, size_t *ret_n)
{
	size_t done = 0, got = 1;
	enum souk_err err = SOUK_OK;

	while (done < n && got > 0 && err == SOUK_OK) {
		err = object_read(
		    k->reader, (int64_t)(offset + done), (char *)p + done, n - done, &got);
		done += err == SOUK_OK ? got : 0;
	}
	*ret_n = done;
	return err;
}

static enum souk_err
read_object(void *context, const struct feed_file *file, uint64_t offset, void *p, size_t n,
    size_t *ret_n, struct fail *f)
{
	struct kept *kept = context;
	struct kept_file *k =
	    bsearch(file->name, kept->files, kept->n, sizeof(*kept->files), by_key);
	struct opening o = { .kept = kept, .file = k, .f = f };
	enum souk_err err = SOUK_OK;

	if (!k)
		return SOUK_E_INTERNAL;
	(void)pthread_mutex_lock(&k->lock);
	if (!k->reader)
		err = db_read(kept->db, open_tx, &o);
	if (err == SOUK_OK)
		err = read_open(k, offset, p, n, ret_n);
	(void)pthread_mutex_unlock(&k->lock);
	if (err != SOUK_OK && f && f->err == SOUK_OK)
		return fail_set(f, err, "feeds", "A kept feed file cannot be read.");
	return err;
}

static const struct feed_source_ops ops = { .read = read_object, .close = kept_free };

/* ---- listing ---- */

static enum souk_err
take_entry(struct kept *k, const struct object_entry *e)
{
	struct kept_file *file = &k->files[k->n];
	struct feed_note note;

	if (e->key.n >= sizeof(file->key) || e->etag.n >= sizeof(file->etag))
		return SOUK_E_INTERNAL;
	(void)snprintf(file->key, sizeof(file->key), "%.*s", (int)e->key.n, e->key.p);
	(void)snprintf(file->etag, sizeof(file->etag), "%.*s", (int)e->etag.n, e->etag.p);
	file->size = e->size;
	if (feed_note_read(e->headers, &note) != SOUK_OK)
		return SOUK_E_INTERNAL;
	k->set_aside += note.set_aside;
	feed_note_done(&note);
	if (pthread_mutex_init(&file->lock, NULL) != 0)
		return SOUK_E_NOMEM;
	k->n++;
	return SOUK_OK;
}

static enum souk_err
list_pages(struct db_tx *tx, struct kept *k, struct arena *mem)
{
	struct object_list l = {
		.bucket = STR(FEED_OBJECTS_BUCKET), .max_keys = 1000, .with_headers = true
	};
	enum souk_err err = SOUK_OK;

	k->set_aside = 0;
	do {
		err = object_list_of(tx, str_c(k->seller_id), mem, &l);
		for (size_t i = 0; i < l.n && err == SOUK_OK; i++)
			err = k->n < FEED_OBJECTS_MAX ? take_entry(k, &l.entries[i]) : SOUK_E_LIMIT;
		if (l.n > 0)
			l.after = l.entries[l.n - 1].key;
	} while (err == SOUK_OK && l.truncated);
	return err;
}

static enum souk_err
list_tx(struct db_tx *tx, void *arg)
{
	struct kept *k = arg;
	struct arena *mem = arena_new(LIST_ARENA);
	enum souk_err err = mem ? SOUK_OK : SOUK_E_NOMEM;

	while (k->n > 0) /* of an earlier run */
		(void)pthread_mutex_destroy(&k->files[--k->n].lock);
	if (err == SOUK_OK)
		err = list_pages(tx, k, mem);
	arena_free(mem);
	return err;
}

static enum souk_err
add_files(const struct kept *k, struct feed_source *s, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	bool taken;

	for (size_t i = 0; i < k->n && err == SOUK_OK; i++)
		err = feed_source_add(s, k->files[i].key, (uint64_t)k->files[i].size, &taken, f);
	return err == SOUK_OK ? feed_source_settle(s, f) : err;
}

enum souk_err
feed_objects_source(struct db *db, struct object_store *objects, struct str seller_id,
    struct feed_source **ret, struct fail *f)
{
	struct kept *k = calloc(1, sizeof(*k));
	struct feed_source *s = NULL;
	enum souk_err err;

	if (!k || !(k->files = calloc(FEED_OBJECTS_MAX, sizeof(*k->files)))) {
		free(k);
		return SOUK_E_NOMEM;
	}
	k->db = db;
	k->objects = objects;
	(void)snprintf(k->seller_id, sizeof(k->seller_id), "%.*s", (int)seller_id.n, seller_id.p);
	err = db_read(db, list_tx, k);
	if (err == SOUK_OK && k->n == 0)
		err = SOUK_E_NOT_FOUND;
	if (err != SOUK_OK) {
		kept_free(k);
		return err;
	}
	if ((err = feed_source_new(&ops, k, &s, f)) != SOUK_OK)
		return err;
	if ((err = add_files(k, s, f)) == SOUK_OK)
		*ret = s;
	else
		feed_source_free(s);
	return err;
}

uint64_t
feed_objects_set_aside(const struct feed_source *s)
{
	return ((const struct kept *)s->context)->set_aside;
}

static enum souk_err
add_payouts(struct str headers, instant_t from, struct feed_note *io)
{
	struct feed_note note;
	enum souk_err err = feed_note_read(headers, &note);

	if (err != SOUK_OK)
		return err;
	for (size_t i = 0; err == SOUK_OK && i < note.n_payouts; i++)
		if (note.payouts[i] >= from && !feed_note_add(io, note.payouts[i]))
			err = SOUK_E_NOMEM;
	feed_note_done(&note);
	return err;
}

enum souk_err
feed_objects_payouts(struct db_tx *tx, struct str seller_id, instant_t from, struct arena *mem,
    struct feed_note *ret)
{
	struct object_list l = {
		.bucket = STR(FEED_OBJECTS_BUCKET), .max_keys = 1000, .with_headers = true
	};
	const char *folder = feed_info(FEED_BILLING_EVENT)->folder;
	char day[INSTANT_TEXT_LEN + 1];
	enum souk_err err;

	/* What happened on a day is in no month's file before that of the day before it. */
	instant_format(from - DAY_MS, day);
	l.prefix = str_c(arena_printf(mem, "%s/", folder));
	l.after = str_c(arena_printf(mem, "%s/year=%.4s/month=%.2s", folder, day, day + 5));
	*ret = (struct feed_note){ 0 };
	if (!l.prefix.p || !l.after.p)
		return SOUK_E_LIMIT;
	do {
		err = object_list_of(tx, seller_id, mem, &l);
		for (size_t i = 0; i < l.n && err == SOUK_OK; i++)
			err = add_payouts(l.entries[i].headers, from, ret);
		if (l.n > 0)
			l.after = l.entries[l.n - 1].key;
	} while (err == SOUK_OK && l.truncated);
	if (err != SOUK_OK)
		feed_note_done(ret);
	return err;
}

/* ---- keeping ---- */

struct put_file {
	char key[KEY_MAX];
	struct object_writer *writer;
	struct buf note;
};

struct putting {
	struct str seller_id;
	struct put_file *files;
	size_t n;
	struct fail *f;
};

/* The file's text, and what is noted of it. */
static enum souk_err
sift_file(struct feed_source *from, size_t i, struct put_file *to, struct fault_sink *faults,
    struct fail *f)
{
	struct feed_note note = { 0 };
	enum souk_err err =
	    feed_sift(from, i, faults, object_writer_sink(to->writer), &note.set_aside, f);

	if (err == SOUK_OK && (err = feed_note_payouts(from, i, &note, f)) == SOUK_OK) {
		feed_note_write(&note, &to->note);
		err = buf_ok(&to->note) ? SOUK_OK : SOUK_E_NOMEM;
	}
	feed_note_done(&note);
	return err;
}

/* Kept as text, whatever it came as: a sealed file is read at any offset. */
static enum souk_err
write_file(struct object_store *objects, struct str seller_id, struct feed_source *from, size_t i,
    struct put_file *to, struct fault_sink *faults, struct fail *f)
{
	const struct feed_file *file = &from->files[i];
	const char *name = strrchr(file->name, '/');
	size_t length = name ? strlen(++name) - (file->gz ? strlen(".gz") : 0) : 0;
	int n = snprintf(to->key, sizeof(to->key), "%s/year=%04u/month=%02u/%.*s",
	    feed_info(file->feed)->folder, file->year, file->month, (int)length, name ? name : "");
	enum souk_err err;

	if (n < 0 || (size_t)n >= sizeof(to->key))
		return fail_set(f, SOUK_E_INVALID, "name_too_long",
		    "A feed file's name is longer than this installation keeps; call it data.csv.");
	if ((err = feed_source_open(from, i, f)) != SOUK_OK ||
	    (err = object_writer_new(objects, seller_id, &to->writer)) != SOUK_OK ||
	    (err = sift_file(from, i, to, faults, f)) != SOUK_OK)
		return err;
	return object_writer_close(to->writer);
}

static enum souk_err
put_tx(struct db_tx *tx, void *arg)
{
	struct putting *p = arg;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < p->n && err == SOUK_OK; i++)
		err = object_commit(tx, p->files[i].writer,
		    &(struct object_facts){ .bucket = STR(FEED_OBJECTS_BUCKET),
			.key = str_c(p->files[i].key),
			.content_type = STR("text/csv"),
			.headers = buf_str(&p->files[i].note) },
		    false, STR(""), p->f);
	return err;
}

enum souk_err
feed_objects_put(struct db *db, struct object_store *objects, struct str seller_id,
    struct feed_source *from, struct fault_sink *faults, struct fail *f)
{
	struct putting p = { .seller_id = seller_id, .f = f };
	enum souk_err err = SOUK_OK;

	if (from->n > FEED_OBJECTS_MAX)
		return fail_set(f, SOUK_E_LIMIT, "too_many_files",
		    "The feeds have more than %d files.", FEED_OBJECTS_MAX);
	if (!(p.files = calloc(from->n, sizeof(*p.files))))
		return SOUK_E_NOMEM;
	for (; p.n < from->n && err == SOUK_OK; p.n++)
		err = write_file(objects, seller_id, from, p.n, &p.files[p.n], faults, f);
	if (err == SOUK_OK)
		err = db_bulk(db, put_tx, &p);
	for (size_t i = 0; i < p.n; i++) {
		object_writer_free(p.files[i].writer);
		buf_done(&p.files[i].note);
	}
	free(p.files);
	return err;
}

/* ---- giving away ---- */

struct copying {
	struct object_store *objects;
	struct str seller_id, key;
	struct object_reader *reader;
	int64_t size;
};

static enum souk_err
copy_open_tx(struct db_tx *tx, void *arg)
{
	struct copying *c = arg;
	struct arena *mem = arena_new(65536);
	struct object o;
	enum souk_err err =
	    mem ? object_find(tx, c->seller_id, STR(FEED_OBJECTS_BUCKET), c->key, mem, &o)
		: SOUK_E_NOMEM;

	object_reader_free(c->reader); /* of an earlier run */
	c->reader = NULL;
	if (err == SOUK_OK && (err = object_reader_open(c->objects, &o, &c->reader)) == SOUK_OK)
		c->size = o.size;
	arena_free(mem);
	return err;
}

enum souk_err
feed_objects_copy(struct db *db, struct object_store *objects, struct str seller_id, struct str key,
    struct sink *out, struct fail *f)
{
	struct copying c = { .objects = objects, .seller_id = seller_id, .key = key };
	char *block = malloc(COPY);
	int64_t at = 0;
	size_t n = 1;
	enum souk_err err = block ? db_read(db, copy_open_tx, &c) : SOUK_E_NOMEM;

	(void)f;
	while (err == SOUK_OK && at < c.size && n > 0) {
		if ((err = object_read(c.reader, at, block, COPY, &n)) == SOUK_OK)
			err = out->write(out, block, n);
		at += (int64_t)n;
	}
	if (err == SOUK_OK && at != c.size)
		err = SOUK_E_STORAGE;
	object_reader_free(c.reader);
	free(block);
	return err;
}
