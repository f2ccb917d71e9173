/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: `struct str` is a borrowed slice, `struct buf` grows and owns.
 */
#ifndef SOUK_BASE_STR_H
#define SOUK_BASE_STR_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed slice of bytes; not NUL-terminated unless its maker says so. */
struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){ .p = (lit), .n = sizeof(lit) - 1 })

static inline struct str
str_c(const char *s)
{
	return (struct str){ .p = s, .n = s ? strlen(s) : 0 };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_eq_c(struct str a, const char *s)
{
	return str_eq(a, str_c(s));
}

/* Byte order, a prefix before what it begins: < 0, 0, > 0. */
static inline int
str_compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s); /* ASCII blanks at both ends */
/* Takes what stands before the first `sep` off `*rest`; false when *rest is empty (p == NULL). */
bool str_split(struct str *rest, char sep, struct str *ret_part);
/* Strict decimal: digits only, no sign, no blanks, no overflow of [0, max]. */
SOUK_MUST bool str_to_u64(struct str s, uint64_t max, uint64_t *ret);
/* Strict decimal with an optional '-'. */
SOUK_MUST bool str_to_i64(struct str s, int64_t *ret);

/*
 * A growing byte buffer, NUL-terminated whenever p is not NULL. Zero-initialise,
 * end with buf_done. Appending never fails visibly: when memory is short the
 * buffer becomes `failed`, keeps what it had and ignores what follows, so that a
 * writer checks once at the end (buf_ok).
 */
struct buf {
	char *p;
	size_t n;
	size_t cap;
	bool failed;
};

void buf_done(struct buf *b);                         /* frees, leaves it empty */
void buf_clear(struct buf *b);                        /* keeps the memory */
SOUK_MUST bool buf_grow(struct buf *b, size_t extra); /* the slow half of buf_reserve */

/* Room for `extra` more bytes and the NUL; false once the buffer has failed. */
SOUK_MUST static inline bool
buf_reserve(struct buf *b, size_t extra)
{
	return (b->cap - b->n > extra && !b->failed) || buf_grow(b, extra);
}

static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

static inline void
buf_add_char(struct buf *b, char c)
{
	if (!buf_reserve(b, 1))
		return;
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

static inline void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

static inline void
buf_add_c(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...) SOUK_PRINTF(2, 3);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
void buf_add_hex(struct buf *b, const void *p, size_t n); /* lower case */
void buf_add_base64(struct buf *b, const void *p, size_t n);
/* Percent-encodes everything but A-Z a-z 0-9 - . _ ~ and the bytes in `keep` (sigv4-and-s3 1.1). */
void buf_add_percent(struct buf *b, struct str s, const char *keep);
/* Text for XML content or attribute values; what XML 1.0 cannot hold, and broken UTF-8, becomes U+FFFD. */
void buf_add_xml(struct buf *b, struct str s);

static inline bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct str
buf_str(const struct buf *b)
{
	return (struct str){ .p = b->p ? b->p : "", .n = b->n };
}

/* Decoders: false on any byte out of place; *ret_n is what was written; out must hold out_size. */
SOUK_MUST bool hex_decode(struct str s, void *out, size_t out_size, size_t *ret_n);
SOUK_MUST bool base64_decode(struct str s, void *out, size_t out_size, size_t *ret_n);
void hex_encode(const void *p, size_t n, char *out); /* 2n characters and a NUL */
/*
 * Percent-decodes `s` into `out` (at least s.n bytes; may be s.p itself). With
 * `plus_is_space`, '+' becomes ' '. False on a broken escape or a NUL, encoded or not.
 */
SOUK_MUST bool percent_decode(struct str s, bool plus_is_space, char *out, size_t *ret_n);

#endif
