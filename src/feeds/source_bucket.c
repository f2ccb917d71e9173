/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of files, fetched once for all threads that read them.
 *
 * A file is its head and then blocks of equal size. Whoever wants a block that nobody fetches fetches it, and
 * says which ones will be wanted next; threads of our own fetch those. Headers are read from heads alone, so that opening many files
 * moves few bytes. A fetch ahead that fails is forgotten: who needs the block tries for itself, and tells why it cannot be had.
 */
#include "feeds/source_bucket.h"

#include "feeds/events.h"
#include "feeds/fault.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD ((uint64_t)256 * 1024)
#define BLOCK ((uint64_t)4 * 1024 * 1024)
#define SLOTS ((size_t)(SOURCE_BUCKET_BYTES / BLOCK))
#define AHEAD 6
#define FETCHERS 6
#define SMALL ((size_t)16 * 1024) /* a row here and there: no block for it */
#define PAGE 1000
#define PAGE_MEMORY ((size_t)8 * 1024 * 1024)

struct bucket_file {
	char *name; /* below the prefix */
	uint64_t size;
	char etag[80];
};

enum block_state {
	BLOCK_FREE,
	BLOCK_WANTED, /* to be fetched ahead */
	BLOCK_COMING, /* somebody fetches it */
	BLOCK_THERE
};

struct block {
	enum block_state state;
	size_t file;
	uint64_t index; /* 0: the head */
	unsigned users; /* who copy from it */
	uint64_t used;  /* the clock when it was last asked for */
	char *bytes;
	size_t room, n;
};

struct bucket {
	struct s3_client *client;
	char *prefix;              /* "" or with a slash at its end */
	struct bucket_file *files; /* by name, once listed */
	size_t n, cap;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t moved; /* a block changed its state, or nobody uses it any more */
	struct block block[SLOTS];
	uint64_t clock;
	pthread_t fetcher[FETCHERS];
	unsigned n_fetchers;
	bool started, stop;
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read feeds from a bucket.");
}

static void
bucket_close(void *context)
{
	struct bucket *b = context;

	(void)pthread_mutex_lock(&b->lock);
	b->stop = true;
	(void)pthread_cond_broadcast(&b->moved);
	(void)pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < b->n_fetchers; i++)
		(void)pthread_join(b->fetcher[i], NULL);
	for (size_t i = 0; i < SLOTS; i++)
		free(b->block[i].bytes);
	for (size_t i = 0; i < b->n; i++)
		free(b->files[i].name);
	free(b->files);
	free(b->prefix);
	s3_client_free(b->client);
	(void)pthread_mutex_destroy(&b->lock);
	(void)pthread_cond_destroy(&b->moved);
	free(b);
}

/* ---- asking the store ---- */

static enum souk_err
get_fault(const struct bucket_file *file, const struct s3_error *e, struct fail *f)
{
	struct feed_fault fault = { .file = file->name, .column = "" };

	if (e->fault != S3_PRECONDITION && e->fault != S3_NO_KEY)
		return fail_set(
		    f, s3_fault_err(e->fault), "s3", "%.80s: %.170s", file->name, e->words);
	fault.what = e->fault == S3_NO_KEY ? "was removed from the bucket while it was read"
					   : "was replaced in the bucket while it was read";
	fault.fix = "run it again";
	return fault_fail(&fault, f);
}

static enum souk_err
get(const struct bucket *b, size_t file, uint64_t offset, void *p, size_t n, struct fail *f)
{
	const struct bucket_file *it = &b->files[file];
	struct buf key = { 0 };
	struct s3_error e;
	enum souk_err err;

	buf_printf(&key, "%s%s", b->prefix, it->name);
	if (!buf_ok(&key))
		return out_of_memory(f);
	err = s3_get(b->client, buf_str(&key), str_c(it->etag), (int64_t)offset, p, n, &e);
	buf_done(&key);
	return err == SOUK_OK ? err : get_fault(it, &e, f);
}

/* ---- blocks; the lock is held unless it says otherwise ---- */

static uint64_t
index_at(uint64_t offset)
{
	return offset < HEAD ? 0 : 1 + (offset - HEAD) / BLOCK;
}

static uint64_t
begin_of(uint64_t index)
{
	return index == 0 ? 0 : HEAD + (index - 1) * BLOCK;
}

static uint64_t
end_of(const struct bucket *b, size_t file, uint64_t index)
{
	uint64_t end = begin_of(index + 1);

	return end < b->files[file].size ? end : b->files[file].size;
}

static struct block *
find(struct bucket *b, size_t file, uint64_t index)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (b->block[i].state != BLOCK_FREE && b->block[i].file == file &&
		    b->block[i].index == index)
			return &b->block[i];
	return NULL;
}

/* A free slot, else that of the block that nobody has asked for the longest; NULL: all are in use. */
static struct block *
slot(struct bucket *b)
{
	struct block *best = NULL;

	for (size_t i = 0; i < SLOTS; i++) {
		struct block *x = &b->block[i];

		if (x->state == BLOCK_FREE)
			return x;
		if (x->state != BLOCK_COMING && x->users == 0 && (!best || x->used < best->used))
			best = x;
	}
	return best;
}

static void
assign(struct bucket *b, struct block *x, size_t file, uint64_t index, enum block_state state)
{
	x->state = state;
	x->file = file;
	x->index = index;
	x->used = ++b->clock;
}

/* Lets the lock go meanwhile. The block is COMING; afterwards THERE, or FREE when that failed. */
static enum souk_err
fetch(struct bucket *b, struct block *x, struct fail *f)
{
	uint64_t from = begin_of(x->index);
	size_t n = (size_t)(end_of(b, x->file, x->index) - from);
	enum souk_err err = SOUK_OK;

	(void)pthread_mutex_unlock(&b->lock);
	if (x->room < n) {
		free(x->bytes);
		x->bytes = malloc(n);
		x->room = x->bytes ? n : 0;
		err = x->bytes ? SOUK_OK : out_of_memory(f);
	}
	if (err == SOUK_OK)
		err = get(b, x->file, from, x->bytes, n, f);
	(void)pthread_mutex_lock(&b->lock);
	x->n = n;
	x->state = err == SOUK_OK ? BLOCK_THERE : BLOCK_FREE;
	(void)pthread_cond_broadcast(&b->moved);
	return err;
}

static void *
fetcher(void *arg)
{
	struct bucket *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->stop) {
		struct block *next = NULL;

		for (size_t i = 0; i < SLOTS; i++) {
			struct block *x = &b->block[i];

			if (x->state == BLOCK_WANTED && (!next || x->used < next->used))
				next = x;
		}
		if (next) {
			next->state = BLOCK_COMING;
			(void)!fetch(b, next, NULL);
		} else {
			(void)pthread_cond_wait(&b->moved, &b->lock);
		}
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

static void
start_fetchers(struct bucket *b)
{
	if (b->started)
		return;
	b->started = true;
	while (b->n_fetchers < FETCHERS &&
	       pthread_create(&b->fetcher[b->n_fetchers], NULL, fetcher, b) == 0)
		b->n_fetchers++;
}

static bool
same_feed(const struct bucket *b, size_t x, size_t y)
{
	size_t n = strcspn(b->files[x].name, "/");

	return y < b->n && strncmp(b->files[x].name, b->files[y].name, n + 1) == 0;
}

/* What comes behind a block when a feed is read from its first file to its last. */
static bool
step(const struct bucket *b, size_t *io_file, uint64_t *io_index, bool heads)
{
	if (!heads && begin_of(*io_index + 1) < b->files[*io_file].size) {
		(*io_index)++;
		return true;
	}
	*io_index = 0;
	return same_feed(b, *io_file, *io_file + 1) && b->files[++*io_file].size > 0;
}

/* Behind a head come other heads (headers are being read), behind a block the blocks that follow. */
static void
want_ahead(struct bucket *b, size_t file, uint64_t index)
{
	bool heads = index == 0;

	start_fetchers(b);
	for (int i = 0; i < AHEAD && b->n_fetchers > 0 && step(b, &file, &index, heads); i++) {
		struct block *x = find(b, file, index);

		if (x)
			continue;
		if (!(x = slot(b)))
			return;
		assign(b, x, file, index, BLOCK_WANTED);
		(void)pthread_cond_broadcast(&b->moved);
	}
}

/* The block, THERE, with one user more. */
static enum souk_err
obtain(struct bucket *b, size_t file, uint64_t index, struct block **ret, struct fail *f)
{
	for (;;) {
		struct block *x = find(b, file, index);
		enum souk_err err = SOUK_OK;

		if (x && x->state == BLOCK_THERE) {
			x->users++;
			x->used = ++b->clock;
			want_ahead(b, file, index);
			*ret = x;
			return SOUK_OK;
		}
		if ((x && x->state == BLOCK_COMING) || (!x && !(x = slot(b)))) {
			(void)pthread_cond_wait(&b->moved, &b->lock);
			continue;
		}
		assign(b, x, file, index, BLOCK_COMING);
		want_ahead(b, file, index);
		if ((err = fetch(b, x, f)) != SOUK_OK)
			return err;
	}
}

/* ---- reading ---- */

static int
by_name(const void *name, const void *file)
{
	return strcmp(name, ((const struct bucket_file *)file)->name);
}

static enum souk_err
read_block(struct bucket *b, size_t file, uint64_t offset, char *p, size_t n, size_t *ret_n,
    struct fail *f)
{
	uint64_t index = index_at(offset), left = end_of(b, file, index) - offset;
	struct block *x = NULL;
	enum souk_err err;

	*ret_n = left < n ? (size_t)left : n;
	(void)pthread_mutex_lock(&b->lock);
	if (n <= SMALL && index > 0 && !find(b, file, index)) {
		(void)pthread_mutex_unlock(&b->lock);
		return get(b, file, offset, p, *ret_n, f);
	}
	if ((err = obtain(b, file, index, &x, f)) == SOUK_OK) {
		(void)pthread_mutex_unlock(&b->lock);
		memcpy(p, x->bytes + (offset - begin_of(index)), *ret_n);
		(void)pthread_mutex_lock(&b->lock);
		if (--x->users == 0)
			(void)pthread_cond_broadcast(&b->moved);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return err;
}

static enum souk_err
bucket_read(void *context, const struct feed_file *file, uint64_t offset, void *p, size_t n,
    size_t *ret_n, struct fail *f)
{
	struct bucket *b = context;
	const struct bucket_file *it =
	    bsearch(file->name, b->files, b->n, sizeof(*b->files), by_name);
	enum souk_err err = SOUK_OK;
	size_t got = 0;

	*ret_n = 0;
	if (!it)
		return SOUK_E_INTERNAL;
	if (it->size <= offset)
		return SOUK_OK;
	if (n > it->size - offset)
		n = (size_t)(it->size - offset);
	for (; err == SOUK_OK && *ret_n < n; *ret_n += err == SOUK_OK ? got : 0)
		err = read_block(b, (size_t)(it - b->files), offset + *ret_n, (char *)p + *ret_n,
		    n - *ret_n, &got, f);
	return err;
}

static const struct feed_source_ops ops = { .read = bucket_read, .close = bucket_close };

/* ---- listing ---- */

/* FEED/year=.../month=.../FILE; other keys below a feed's folder are none of ours. */
static bool
is_placed(struct str name)
{
	struct str feed, year, month;

	return str_split(&name, '/', &feed) && str_split(&name, '/', &year) &&
	       str_starts(year, STR("year=")) && str_split(&name, '/', &month) &&
	       str_starts(month, STR("month="));
}

static enum souk_err
take(struct bucket *b, struct feed_source *s, const struct s3_listed *item, struct fail *f)
{
	size_t skip = strlen(b->prefix);
	struct str name = { item->key.p + skip, item->key.n - skip };
	struct bucket_file file = { .size = (uint64_t)item->size }, *more;
	enum souk_err err;
	bool taken;

	if (!is_placed(name) || memchr(name.p, '\0', name.n))
		return SOUK_OK;
	err = feed_source_add(s, name.p, file.size, &taken, f); /* NUL-terminated in the arena */
	if (err != SOUK_OK || !taken)
		return err;
	if (b->n == EVENT_FILES_MAX)
		return fail_set(f, SOUK_E_LIMIT, "too_many_files",
		    "The bucket has more than %d feed files below this prefix.", EVENT_FILES_MAX);
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 64;
		if (!(more = reallocarray(b->files, b->cap, sizeof(*more))))
			return out_of_memory(f);
		b->files = more;
	}
	if (item->etag.n < sizeof(file.etag) && item->etag.n > 0)
		memcpy(file.etag, item->etag.p, item->etag.n);
	if (!(file.name = strndup(name.p, name.n)))
		return out_of_memory(f);
	b->files[b->n++] = file;
	return SOUK_OK;
}

/* Where a listing goes on: behind a key, or behind all of a folder that is no feed's. */
static void
go_on(const struct bucket *b, struct str key, struct buf *after)
{
	size_t skip = strlen(b->prefix);
	struct str rest = { key.p + skip, key.n - skip }, folder;

	buf_clear(after);
	(void)str_split(&rest, '/', &folder);
	if (rest.p && feed_of_folder(folder) == FEED__COUNT) {
		buf_add(after, key.p, skip + folder.n);
		buf_add_char(after, '/' + 1);
	} else {
		buf_add_str(after, key);
	}
}

static enum souk_err
list_pages(
    struct bucket *b, struct feed_source *s, struct arena *mem, struct buf *after, struct fail *f)
{
	struct s3_page page = { .next = STR("") };
	struct s3_error e;
	enum souk_err err = SOUK_OK;

	while (err == SOUK_OK && page.next.p) {
		arena_reset(mem);
		if (s3_list(b->client, str_c(b->prefix), buf_str(after), PAGE, mem, &page, &e) !=
		    SOUK_OK)
			return s3_error_fail(&e, f);
		for (size_t i = 0; err == SOUK_OK && i < page.n; i++)
			err = take(b, s, &page.items[i], f);
		if (page.next.p)
			go_on(b, page.next, after);
		if (!buf_ok(after))
			err = out_of_memory(f);
	}
	return err;
}

static enum souk_err
list(struct bucket *b, struct feed_source *s, struct fail *f)
{
	struct arena *mem = arena_new(PAGE_MEMORY);
	struct buf after = { 0 };
	enum souk_err err = mem ? list_pages(b, s, mem, &after, f) : out_of_memory(f);

	buf_done(&after);
	arena_free(mem);
	return err;
}

static int
by_names(const void *a, const void *b)
{
	return strcmp(((const struct bucket_file *)a)->name, ((const struct bucket_file *)b)->name);
}

static struct bucket *
bucket_new(struct s3_client *client, const char *prefix)
{
	struct bucket *b = calloc(1, sizeof(*b));
	size_t n = strlen(prefix);

	while (n > 0 && prefix[n - 1] == '/')
		n--;
	if (!b || asprintf(&b->prefix, "%.*s%s", (int)n, prefix, n > 0 ? "/" : "") < 0) {
		s3_client_free(client);
		free(b);
		return NULL;
	}
	b->client = client;
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->moved, NULL);
	return b;
}

enum souk_err
feed_source_bucket(
    struct s3_client *client, const char *prefix, struct feed_source **ret, struct fail *f)
{
	struct bucket *b = bucket_new(client, prefix);
	struct feed_source *s = NULL;
	enum souk_err err;

	if (!b)
		return out_of_memory(f);
	if ((err = feed_source_new(&ops, b, &s, f)) != SOUK_OK)
		return err;
	if ((err = list(b, s, f)) == SOUK_OK)
		err = feed_source_settle(s, f);
	if (err != SOUK_OK) {
		feed_source_free(s);
		return err;
	}
	qsort(b->files, b->n, sizeof(*b->files), by_names);
	*ret = s;
	return SOUK_OK;
}
