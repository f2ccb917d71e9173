/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing (sigv4-and-s3 3.4): keys in UTF-8 byte order, those behind a delimiter rolled
 * up into common prefixes.
 *
 * A common prefix of a million keys costs one seek: the scan goes on at the smallest
 * text that is greater than every key with that prefix.
 */
#include "delivery/object_int.h"

#include "base/utf8.h"
#include "delivery/scope.h"

#define LIST_MAX 1000

struct lister {
	struct object_list *l;
	struct arena *mem;
	size_t max;
	struct buf from; /* keys are read from here on */
	bool seek;       /* `from` moved: a new range is to be read */
	bool end;
};

/* The common prefix of a key that has the list's prefix; n 0 when it does not roll up. */
static struct str
common_prefix(const struct object_list *l, struct str key)
{
	const char *rest = key.p + l->prefix.n;
	const char *at;

	if (l->delimiter.n == 0)
		return (struct str){ 0 };
	at = memmem(rest, key.n - l->prefix.n, l->delimiter.p, l->delimiter.n);
	if (!at)
		return (struct str){ 0 };
	return (struct str){ .p = key.p, .n = (size_t)(at - key.p) + l->delimiter.n };
}

static int
byte_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static void
add_code_point(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_add_char(b, (char)cp);
		return;
	}
	if (cp < 0x800) {
		buf_add_char(b, (char)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			buf_add_char(b, (char)(0xe0 | cp >> 12));
		} else {
			buf_add_char(b, (char)(0xf0 | cp >> 18));
			buf_add_char(b, (char)(0x80 | (cp >> 12 & 0x3f)));
		}
		buf_add_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
	}
	buf_add_char(b, (char)(0x80 | (cp & 0x3f)));
}

/*
 * The smallest text greater than every text that begins with `prefix`: its last character, one greater. It has to
 * be UTF-8 itself, or a server would not take it; whose order is that of the code points.
 */
static void
skip_past(struct lister *x, struct str prefix)
{
	uint32_t cp = 0x10ffff;

	while (prefix.n > 0 && cp == 0x10ffff) { /* nothing is greater than the last of all */
		size_t at = prefix.n - 1;

		while (at > 0 && ((unsigned char)prefix.p[at] & 0xc0) == 0x80)
			at--;
		if (utf8_next((struct str){ prefix.p + at, prefix.n - at }, &cp) == 0)
			cp = 0x10ffff;
		prefix.n = at;
	}
	if (cp == 0x10ffff) {
		x->end = true;
		return;
	}
	buf_clear(&x->from);
	buf_add_str(&x->from, prefix);
	add_code_point(&x->from, cp == 0xd7ff ? 0xe000 : cp + 1);
	x->seek = true;
}

static enum souk_err
add_entry(struct lister *x, struct object_entry e)
{
	struct object_entry *to;

	if (x->l->n == x->max) {
		x->l->truncated = true;
		x->end = true;
		return SOUK_OK;
	}
	e.key = arena_str(x->mem, e.key);
	e.etag = arena_str(x->mem, e.etag);
	e.headers = x->l->with_headers ? arena_str(x->mem, e.headers) : STR("");
	if (!e.key.p || !e.etag.p || !e.headers.p)
		return SOUK_E_NOMEM;
	to = &x->l->entries[x->l->n++];
	*to = e;
	return SOUK_OK;
}

/* One row: an entry, a common prefix, one to pass over, or the end of the prefix. */
static enum souk_err
take_row(struct lister *x, struct object_entry row)
{
	struct object_list *l = x->l;
	struct str common;

	if (!str_starts(row.key, l->prefix)) {
		x->end = true;
		return SOUK_OK;
	}
	if (l->after.n > 0 && str_eq(row.key, l->after))
		return SOUK_OK;
	common = common_prefix(l, row.key);
	if (common.n == 0)
		return add_entry(x, row);
	skip_past(x, common);
	if (l->after.n > 0 && str_eq(common, l->after))
		return SOUK_OK; /* listed by the page before */
	return add_entry(x, (struct object_entry){ .key = common, .is_prefix = true });
}

static enum souk_err
read_range(struct db_tx *tx, struct lister *x, struct str seller_id)
{
	struct db_stmt *st;
	struct object_entry row;
	bool more = true;
	enum souk_err err = SOUK_OK;

	if (!buf_ok(&x->from))
		return SOUK_E_NOMEM;
	x->seek = false;
	st = object_rows_from(tx, seller_id, x->l->bucket, buf_str(&x->from));
	while (err == SOUK_OK && !x->end && !x->seek) {
		if ((err = object_rows_next(st, &row, &more)) != SOUK_OK)
			break;
		if (!more)
			x->end = true;
		else
			err = take_row(x, row);
	}
	db_reset(st);
	return err;
}

enum souk_err
object_list_of(struct db_tx *tx, struct str seller_id, struct arena *mem, struct object_list *l)
{
	struct lister x = { .l = l, .mem = mem, .seek = true };
	enum souk_err err = SOUK_OK;

	l->n = 0;
	l->truncated = false;
	x.max = l->max_keys < LIST_MAX ? l->max_keys : LIST_MAX;
	if (x.max == 0 || !utf8_valid(l->prefix) || !utf8_valid(l->delimiter))
		return SOUK_OK;
	if (!(l->entries = arena_array(mem, x.max, sizeof(*l->entries))))
		return SOUK_E_NOMEM;
	buf_add_str(&x.from, byte_cmp(l->after, l->prefix) > 0 ? l->after : l->prefix);
	while (err == SOUK_OK && x.seek && !x.end)
		err = read_range(tx, &x, seller_id);
	buf_done(&x.from);
	return err;
}

enum souk_err
object_list(
    struct db_tx *tx, const struct tenant_scope *s, struct arena *mem, struct object_list *l)
{
	struct bucket b;
	enum souk_err err = bucket_get(tx, s, l->bucket, &b);

	return err == SOUK_OK ? object_list_of(tx, str_c(b.seller_id), mem, l) : err;
}
