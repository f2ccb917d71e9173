/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV out: the one quoting function. CSV in: a reader for files of any size that
 * holds one record at a time.
 *
 * The reader takes bytes from anybody: a record's size is bounded before its bytes
 * are kept. It does not look at the encoding; the importer checks each field.
 */
#include "base/csv.h"

#include <stdlib.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Non-zero when one of the eight bytes of `w` is zero. */
static inline uint64_t
has_zero(uint64_t w)
{
	return (w - ONES) & ~w & HIGHS;
}

/* Does one of the eight bytes at `p` need quotes around the field? */
static inline bool
eight_special(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return (has_zero(w ^ ONES * ',') | has_zero(w ^ ONES * '"') | has_zero(w ^ ONES * '\r') |
		   has_zero(w ^ ONES * '\n')) != 0;
}

static inline bool
is_special(char c)
{
	return c == ',' || c == '"' || c == '\r' || c == '\n';
}

static bool
needs_quotes(struct str s)
{
	if (s.n < 8) {
		for (size_t i = 0; i < s.n; i++)
			if (is_special(s.p[i]))
				return true;
		return false;
	}
	for (size_t i = 0; i + 8 < s.n; i += 8)
		if (eight_special(s.p + i))
			return true;
	return eight_special(s.p + s.n - 8);
}

void
csv_field(struct buf *b, struct str s)
{
	char *o;

	if (!needs_quotes(s)) {
		buf_add_str(b, s);
		return;
	}
	if (s.n > SIZE_MAX / 4) {
		b->failed = true;
		return;
	}
	if (!buf_reserve(b, 2 * s.n + 2))
		return;
	o = b->p + b->n;
	*o++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			*o++ = '"';
		*o++ = s.p[i];
	}
	*o++ = '"';
	*o = '\0';
	b->n = (size_t)(o - b->p);
}

struct csv_reader {
	FILE *in;
	size_t record_max;
	size_t line;       /* of the byte read next */
	size_t first_line; /* of the record read last */
	size_t at, end;    /* unread part of block */
	struct buf text;   /* the record's fields, each followed by a NUL */
	size_t *starts;    /* where in text each field begins */
	struct str *fields;
	size_t n, cap; /* of starts and fields */
	bool begun;
	unsigned char block[32 * 1024];
};

enum souk_err
csv_reader_new(FILE *in, size_t record_max, struct csv_reader **ret)
{
	struct csv_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return SOUK_E_NOMEM;
	r->in = in;
	r->record_max = record_max;
	r->line = 1;
	*ret = r;
	return SOUK_OK;
}

void
csv_reader_free(struct csv_reader *r)
{
	if (!r)
		return;
	buf_done(&r->text);
	free(r->starts);
	free(r->fields);
	free(r);
}

size_t
csv_line(const struct csv_reader *r)
{
	return r->first_line;
}

/* The next byte without taking it, EOF at the end. */
static int
peek(struct csv_reader *r)
{
	static const unsigned char bom[3] = { 0xef, 0xbb, 0xbf };

	if (r->at == r->end) {
		r->at = 0;
		r->end = fread(r->block, 1, sizeof(r->block), r->in);
		if (!r->begun && r->end >= sizeof(bom) && memcmp(r->block, bom, sizeof(bom)) == 0)
			r->at = sizeof(bom);
		r->begun = true;
		if (r->at == r->end)
			return EOF;
	}
	return r->block[r->at];
}

static int
take(struct csv_reader *r)
{
	int c = peek(r);

	if (c != EOF)
		r->at++;
	r->line += c == '\n';
	return c;
}

static enum souk_err
refuse(struct fail *f, size_t line, const char *what, const char *fix)
{
	char field[32];

	(void)snprintf(field, sizeof(field), "line %zu", line);
	return fail_field(f, field, what, fix);
}

/* Room for one more field. */
static bool
more_fields(struct csv_reader *r)
{
	size_t cap = r->cap ? 2 * r->cap : 32;
	size_t *starts;
	struct str *fields;

	if (r->n < r->cap)
		return true;
	if (!(starts = reallocarray(r->starts, cap, sizeof(*starts))))
		return false;
	r->starts = starts;
	if (!(fields = reallocarray(r->fields, cap, sizeof(*fields))))
		return false;
	r->fields = fields;
	r->cap = cap;
	return true;
}

static enum souk_err
refuse_long(const struct csv_reader *r, struct fail *f)
{
	return refuse(f, r->first_line, "begins a record that is too long",
	    "look for a missing closing quote");
}

/* Keeps one byte of the record; refuses one that grows too long. */
static enum souk_err
keep(struct csv_reader *r, int c, struct fail *f)
{
	if (r->text.n >= r->record_max)
		return refuse_long(r, f);
	buf_add_char(&r->text, (char)c);
	return SOUK_OK;
}

static enum souk_err
keep_text(struct csv_reader *r, int c, struct fail *f)
{
	if (c == '\0')
		return refuse(f, r->line, "holds a NUL byte", "save the file as UTF-8 text");
	return keep(r, c, f);
}

/* Plain text at the read position, as far as it was read in: nothing that ends or breaks a field. */
static size_t
plain_run(const struct csv_reader *r)
{
	const char *p = (const char *)r->block + r->at;
	size_t n = r->end - r->at, i = 0;
	uint64_t w;

	for (; i + sizeof(w) <= n; i += sizeof(w)) {
		memcpy(&w, p + i, sizeof(w));
		if (has_zero(w) != 0 || eight_special(p + i))
			break;
	}
	while (i < n && p[i] != '\0' && !is_special(p[i]))
		i++;
	return i;
}

/* Keeps such text at once: it is most of a record. */
static enum souk_err
keep_run(struct csv_reader *r, struct fail *f)
{
	size_t n = plain_run(r);

	if (n > r->record_max - r->text.n)
		return refuse_long(r, f);
	buf_add(&r->text, r->block + r->at, n);
	r->at += n;
	return SOUK_OK;
}

/* Behind an opening quote, to behind the closing one. */
static enum souk_err
read_quoted(struct csv_reader *r, struct fail *f)
{
	size_t opened = r->line;
	enum souk_err err = SOUK_OK;
	int c;

	while (err == SOUK_OK && (err = keep_run(r, f)) == SOUK_OK && (c = take(r)) != EOF) {
		if (c != '"') {
			err = keep_text(r, c, f);
			continue;
		}
		if (peek(r) != '"')
			return SOUK_OK;
		err = keep_text(r, take(r), f);
	}
	return err != SOUK_OK
		   ? err
		   : refuse(f, opened, "opens a quote that is never closed", "close the quote");
}

static bool
ends_field(int c)
{
	return c == ',' || c == '\n' || c == '\r' || c == EOF;
}

/* One field, to before what ends it. */
static enum souk_err
read_field(struct csv_reader *r, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	if (peek(r) == '"') {
		(void)take(r);
		err = read_quoted(r, f);
		if (err == SOUK_OK && !ends_field(peek(r)))
			err = refuse(f, r->line, "has text behind a closing quote",
			    "double every quote inside a quoted field");
	}
	while (err == SOUK_OK && (err = keep_run(r, f)) == SOUK_OK && !ends_field(peek(r))) {
		if (peek(r) == '"')
			err = refuse(f, r->line, "has a quote inside a bare field",
			    "quote the whole field and double the quote");
		else
			err = keep_text(r, take(r), f);
	}
	return err;
}

/* Fields up to the line end, which is taken. */
static enum souk_err
read_record(struct csv_reader *r, struct fail *f)
{
	enum souk_err err;
	int c;

	do {
		if (!more_fields(r))
			return SOUK_E_NOMEM;
		r->starts[r->n++] = r->text.n;
		if ((err = read_field(r, f)) != SOUK_OK || (err = keep(r, '\0', f)) != SOUK_OK)
			return err;
	} while ((c = take(r)) == ',');
	if (c == '\r' && take(r) != '\n')
		return refuse(f, r->first_line, "has a carriage return without a line feed",
		    "end lines with CRLF or LF, and quote fields that hold a carriage return");
	return SOUK_OK;
}

enum souk_err
csv_read(
    struct csv_reader *r, struct str **ret_fields, size_t *ret_n, bool *ret_more, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	bool more = peek(r) != EOF;

	r->first_line = r->line;
	r->n = 0;
	buf_clear(&r->text);
	if (more)
		err = read_record(r, f);
	if (ferror(r->in))
		return fail_set(
		    f, SOUK_E_STORAGE, "read_failed", "Line %zu cannot be read.", r->line);
	if (err == SOUK_E_NOMEM || !buf_ok(&r->text))
		return fail_set(
		    f, SOUK_E_NOMEM, "out_of_memory", "No memory to read line %zu.", r->line);
	if (err != SOUK_OK)
		return err;
	for (size_t i = 0; i < r->n; i++) {
		size_t end = i + 1 < r->n ? r->starts[i + 1] : r->text.n;

		r->fields[i] = (struct str){ r->text.p + r->starts[i], end - r->starts[i] - 1 };
	}
	*ret_fields = r->fields;
	*ret_n = r->n;
	*ret_more = more;
	return SOUK_OK;
}
