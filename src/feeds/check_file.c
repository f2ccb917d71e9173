/* SPDX-License-Identifier: Apache-2.0 */
/* Files as a whole: how they begin and end, whether months agree, whether they only grew. */
#include "feeds/check_int.h"

#include <stdlib.h>

#define HEADER_MAX ((size_t)64 * 1024)
#define BLOCK ((size_t)256 * 1024)

static const char bom[] = "\xef\xbb\xbf";

/* Marks and line ends that the format does not have; takes them off the header. */
static struct str
strip(struct check *c, const char *name, struct str head)
{
	const char *eol = memchr(head.p, '\n', head.n);

	if (eol != NULL)
		head.n = (size_t)(eol - head.p);
	if (str_starts(head, STR(bom))) {
		check_found(c, CHECK_FILE, name, 1, "", "begins with a byte order mark",
		    "save the file as UTF-8 without one");
		head.p += sizeof(bom) - 1;
		head.n -= sizeof(bom) - 1;
	}
	if (head.n > 0 && head.p[head.n - 1] == '\r') {
		check_found(c, CHECK_FILE, name, 1, "", "has lines that end in CR LF",
		    "end lines with LF alone");
		head.n--;
	}
	return head;
}

static void
compare_headers(struct check *c, const char *name, struct str head, struct buf *first)
{
	if (first->p == NULL)
		buf_add_str(first, head);
	else if (!str_eq(buf_str(first), head))
		check_found(c, CHECK_DF8, name, 1, "",
		    "is not the header that the feed's first month has",
		    "give all months the same columns in the same order");
}

static enum souk_err
last_byte(struct check *c, size_t file, uint64_t size)
{
	char last = '\n';
	enum souk_err r = feed_source_read(c->source, file, size - 1, &last, 1, c->fail);

	if (r == SOUK_OK && last != '\n')
		check_found(c, CHECK_FILE, c->source->files[file].name, 0, "", "ends within a line",
		    "fetch it again: it was cut");
	return r;
}

enum souk_err
check_file(struct check *c, size_t file, struct buf *first)
{
	const struct feed_file *it = &c->source->files[file];
	struct fail why = { 0 };
	struct buf head = { 0 };
	size_t n;
	enum souk_err r = feed_source_open(c->source, file, &why);

	if (r != SOUK_OK || it->size == 0) /* the reader will say so */
		return r == SOUK_E_INVALID ? SOUK_OK : r;
	n = it->size < HEADER_MAX ? (size_t)it->size : HEADER_MAX;
	if (!buf_reserve(&head, n))
		return fail_set(c->fail, SOUK_E_NOMEM, "memory", "out of memory");
	r = feed_source_read(c->source, file, 0, head.p, n, c->fail);
	if (r == SOUK_OK) {
		head.n = n;
		compare_headers(c, it->name, strip(c, it->name, buf_str(&head)), first);
		r = last_byte(c, file, it->size);
	}
	buf_done(&head);
	return r;
}

/* ---- append-only ---- */

static size_t
successor(const struct feed_source *s, const struct feed_file *old)
{
	size_t i = 0;

	while (i < s->n && (s->files[i].feed != old->feed || s->files[i].year != old->year ||
			       s->files[i].month != old->month))
		i++;
	return i;
}

static uint64_t
lines_in(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

/* Is the old file the beginning of the new one? */
static enum souk_err
compare_files(struct check *c, struct feed_source *before, size_t old, size_t new, char *a, char *b)
{
	const struct feed_file *x = &before->files[old], *y = &c->source->files[new];
	uint64_t at = 0, line = 1, end = x->size < y->size ? x->size : y->size;

	while (at < end) {
		size_t n = end - at < BLOCK ? (size_t)(end - at) : BLOCK, same = 0;
		enum souk_err r = feed_source_read(before, old, at, a, n, c->fail);

		if (r == SOUK_OK)
			r = feed_source_read(c->source, new, at, b, n, c->fail);
		if (r != SOUK_OK)
			return r;
		if (memcmp(a, b, n) != 0) {
			while (a[same] == b[same])
				same++;
			check_found(c, CHECK_DF8, y->name, line + lines_in(a, same), "",
			    "is not what the earlier copy has there",
			    "append corrections to the current month; delivered rows stay");
			return SOUK_OK;
		}
		line += lines_in(a, n);
		at += n;
	}
	if (y->size < x->size)
		check_found(c, CHECK_DF8, y->name, line, "",
		    "ends here and went on in the earlier copy",
		    "fetch the file again: rows are never removed");
	return SOUK_OK;
}

enum souk_err
check_before(struct check *c, struct feed_source *before)
{
	char *a = malloc(BLOCK), *b = malloc(BLOCK);
	enum souk_err r = SOUK_OK;

	if (a == NULL || b == NULL)
		r = fail_set(c->fail, SOUK_E_NOMEM, "memory", "out of memory");
	for (size_t old = 0; old < before->n && r == SOUK_OK; old++) {
		size_t new = successor(c->source, &before->files[old]);

		if (new == c->source->n) {
			check_found(c, CHECK_DF8, before->files[old].name, 0, "",
			    "was in the earlier copy and is missing", "fetch the file again");
			continue;
		}
		r = feed_source_open(before, old, c->fail);
		if (r == SOUK_OK)
			r = feed_source_open(c->source, new, c->fail);
		if (r == SOUK_OK)
			r = compare_files(c, before, old, new, a, b);
	}
	free(a);
	free(b);
	return r;
}
