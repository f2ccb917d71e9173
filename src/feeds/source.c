/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and opening feed files; see source_folder.c for the folder. */
#include "feeds/source.h"

#include "base/io.h"
#include "feeds/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK ((size_t)256 * 1024)

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to list the feed files.");
}

static enum souk_err
refuse_file(const struct feed_file *file, const char *what, const char *fix, struct fail *f)
{
	struct feed_fault fault = { .file = file->name, .column = "", .what = what, .fix = fix };

	return fault_fail(&fault, f);
}

enum souk_err
feed_source_new(
    const struct feed_source_ops *ops, void *context, struct feed_source **ret, struct fail *f)
{
	struct feed_source *s = calloc(1, sizeof(*s));

	if (!s) {
		if (ops->close)
			ops->close(context);
		return out_of_memory(f);
	}
	s->ops = ops;
	s->context = context;
	(void)pthread_mutex_init(&s->lock, NULL);
	*ret = s;
	return SOUK_OK;
}

void
feed_source_free(struct feed_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->files[i].name);
		if (s->files[i].spill >= 0)
			(void)close(s->files[i].spill);
	}
	free(s->files);
	if (s->ops->close)
		s->ops->close(s->context);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* "year=2024" with `name` "year"; 0 for anything else. */
static unsigned
numbered(struct str part, const char *name, size_t digits)
{
	size_t n = strlen(name);
	uint64_t v = 0;

	if (part.n != n + 1 + digits || memcmp(part.p, name, n) != 0 || part.p[n] != '=' ||
	    !str_to_u64((struct str){ part.p + n + 1, digits }, 9999, &v))
		return 0;
	return (unsigned)v;
}

enum souk_err
feed_source_add(
    struct feed_source *s, const char *path, uint64_t size, bool *ret_taken, struct fail *f)
{
	struct str rest = str_c(path), folder, year, month;
	struct feed_file file = { .size = size, .spill = -1 }, *more;

	*ret_taken = false;
	if (!str_split(&rest, '/', &folder) ||
	    (file.feed = feed_of_folder(folder)) == FEED__COUNT || !str_split(&rest, '/', &year) ||
	    !str_split(&rest, '/', &month) || !rest.p || memchr(rest.p, '/', rest.n))
		return SOUK_OK;
	file.gz = str_ends(rest, STR(".csv.gz"));
	if ((!file.gz && !str_ends(rest, STR(".csv"))) || rest.p[0] == '.')
		return SOUK_OK;
	file.year = numbered(year, "year", 4);
	file.month = numbered(month, "month", 2);
	if (!(file.name = strdup(path)))
		return out_of_memory(f);
	if (file.year == 0 || file.month == 0 || file.month > 12) {
		enum souk_err err = refuse_file(&file, "is not in a folder of a month",
		    "keep feed files as FEED/year=YYYY/month=MM/data.csv", f);

		free(file.name);
		return err;
	}
	if ((s->n & (s->n - 1)) == 0) { /* full at each power of two */
		if (!(more = reallocarray(s->files, s->n ? 2 * s->n : 1, sizeof(*more)))) {
			free(file.name);
			return out_of_memory(f);
		}
		s->files = more;
	}
	s->files[s->n++] = file;
	*ret_taken = true;
	return SOUK_OK;
}

/* Without the feed's folder and the ending .gz. */
static struct str
place_of(const struct feed_file *file)
{
	struct str name = str_c(file->name), folder;

	(void)str_split(&name, '/', &folder);
	name.n -= file->gz ? 3 : 0;
	return name;
}

static int
by_order(const void *va, const void *vb)
{
	const struct feed_file *a = va, *b = vb;
	struct str x = place_of(a), y = place_of(b);
	int c;

	if (a->feed != b->feed)
		return a->feed < b->feed ? -1 : 1;
	if (a->year != b->year)
		return a->year < b->year ? -1 : 1;
	if (a->month != b->month)
		return a->month < b->month ? -1 : 1;
	c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
	return c != 0 ? c : (x.n > y.n) - (x.n < y.n);
}

static bool
same_folder(const struct feed_file *a, const struct feed_file *b)
{
	struct str x = str_c(a->name), y = str_c(b->name), fx, fy;

	(void)str_split(&x, '/', &fx);
	(void)str_split(&y, '/', &fy);
	return str_eq(fx, fy);
}

enum souk_err
feed_source_settle(struct feed_source *s, struct fail *f)
{
	if (s->n == 0)
		return fail_set(f, SOUK_E_INVALID, "no_feeds",
		    "There are no feed files; they are kept as "
		    "billing_event_v1/year=YYYY/month=MM/data.csv");
	qsort(s->files, s->n, sizeof(*s->files), by_order);
	for (size_t i = 1; i < s->n; i++) {
		const struct feed_file *a = &s->files[i - 1], *b = &s->files[i];

		if (a->feed == b->feed && !same_folder(a, b))
			return refuse_file(b, "is of a feed that is there under another name, too",
			    "keep each feed in one folder", f);
		if (by_order(a, b) == 0)
			return refuse_file(b, "is there twice, plain and compressed",
			    "remove one of data.csv and data.csv.gz", f);
	}
	return SOUK_OK;
}

void
feed_source_of(const struct feed_source *s, enum feed feed, size_t *ret_first, size_t *ret_n)
{
	size_t i = 0, n = 0;

	while (i < s->n && s->files[i].feed != feed)
		i++;
	while (i + n < s->n && s->files[i + n].feed == feed)
		n++;
	*ret_first = i;
	*ret_n = n;
}

static enum souk_err
cannot_spill(const struct feed_file *file, struct fail *f)
{
	return fail_set(f, SOUK_E_STORAGE, "write_failed",
	    "%.120s cannot be inflated: the folder for temporary files ($TMPDIR) is full or "
	    "read-only",
	    file->name);
}

static int
open_spill(void)
{
	const char *dir = getenv("TMPDIR");

	return open(dir && *dir ? dir : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

struct inflater {
	z_stream z;
	unsigned char *in, *out; /* BLOCK bytes each */
	uint64_t total;
	bool ended; /* a member was read whole, and nothing behind it yet */
};

/* What stands in z's input, written to the spill. */
static enum souk_err
inflate_block(struct inflater *x, const struct feed_file *file, int spill, struct fail *f)
{
	while (x->z.avail_in > 0) {
		int r;

		if (x->ended && inflateReset(&x->z) != Z_OK) /* one more member */
			return SOUK_E_INTERNAL;
		x->ended = false;
		do {
			size_t n;

			x->z.next_out = x->out;
			x->z.avail_out = BLOCK;
			r = inflate(&x->z, Z_NO_FLUSH);
			if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
				return refuse_file(
				    file, "is not a sound gzip file", "fetch it again", f);
			n = BLOCK - x->z.avail_out;
			if (io_write_all(spill, x->out, n) != SOUK_OK)
				return cannot_spill(file, f);
			x->total += n;
		} while (r != Z_STREAM_END && x->z.avail_out == 0);
		x->ended = r == Z_STREAM_END;
		if (!x->ended)
			break;
	}
	return SOUK_OK;
}

static enum souk_err
inflate_all(
    struct feed_source *s, struct inflater *x, struct feed_file *file, int spill, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	uint64_t at = 0;

	while (err == SOUK_OK && at < file->size) {
		size_t n = 0;

		if ((err = s->ops->read(s->context, file, at, x->in, BLOCK, &n, f)) != SOUK_OK)
			break;
		if (n == 0)
			return refuse_file(
			    file, "shrank while it was read", "let nobody write to it", f);
		at += n;
		x->z.next_in = x->in;
		x->z.avail_in = (unsigned)n;
		err = inflate_block(x, file, spill, f);
	}
	if (err == SOUK_OK && !x->ended)
		err = refuse_file(file, "ends early", "fetch it again", f);
	return err;
}

static enum souk_err
inflate_file(struct feed_source *s, struct feed_file *file, struct fail *f)
{
	struct inflater x = { .in = malloc(BLOCK), .out = malloc(BLOCK) };
	int spill = open_spill();
	enum souk_err err = SOUK_OK;

	if (!x.in || !x.out || inflateInit2(&x.z, 16 + MAX_WBITS) != Z_OK)
		err = out_of_memory(f);
	else if (spill < 0)
		err = cannot_spill(file, f);
	else
		err = inflate_all(s, &x, file, spill, f);
	(void)inflateEnd(&x.z);
	free(x.in);
	free(x.out);
	if (err == SOUK_OK) {
		file->spill = spill;
		file->size = x.total;
	} else if (spill >= 0) {
		(void)close(spill);
	}
	return err;
}

enum souk_err
feed_source_open(struct feed_source *s, size_t file, struct fail *f)
{
	struct feed_file *it = &s->files[file];
	enum souk_err err = SOUK_OK;

	(void)pthread_mutex_lock(&s->lock);
	if (!it->open && it->gz)
		err = inflate_file(s, it, f);
	if (err == SOUK_OK)
		it->open = true;
	(void)pthread_mutex_unlock(&s->lock);
	return err;
}

/* pread that takes interruptions and short reads; fewer bytes only at the end. */
static enum souk_err
read_spill(
    const struct feed_file *file, uint64_t offset, void *p, size_t n, size_t *ret_n, struct fail *f)
{
	ssize_t got;

	do {
		got = pread(file->spill, p, n, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_set(
		    f, SOUK_E_STORAGE, "read_failed", "%.200s cannot be read", file->name);
	*ret_n = (size_t)got;
	return SOUK_OK;
}

enum souk_err
feed_source_read(
    struct feed_source *s, size_t file, uint64_t offset, void *p, size_t n, struct fail *f)
{
	const struct feed_file *it = &s->files[file];
	enum souk_err err = SOUK_OK;

	for (size_t done = 0, got = 0; done < n; done += got) {
		char *at = (char *)p + done;

		err = it->spill >= 0
			  ? read_spill(it, offset + done, at, n - done, &got, f)
			  : s->ops->read(s->context, it, offset + done, at, n - done, &got, f);
		if (err != SOUK_OK)
			return err;
		if (got == 0)
			return refuse_file(
			    it, "shrank while it was read", "let nobody write to it", f);
	}
	return err;
}
