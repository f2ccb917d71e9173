/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices, growing buffers and the byte encodings souk speaks.
 *
 * The decoders read outside bytes: each checks every byte and the output's size
 * before it writes.
 */
#include "base/str.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq((struct str){ s.p, prefix.n }, prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

bool
str_split(struct str *rest, char sep, struct str *ret_part)
{
	const char *at;

	if (!rest->p)
		return false;
	at = rest->n > 0 ? memchr(rest->p, sep, rest->n) : NULL;
	if (!at) {
		*ret_part = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*ret_part = (struct str){ rest->p, (size_t)(at - rest->p) };
	rest->n -= ret_part->n + 1;
	rest->p = at + 1;
	return true;
}

bool
str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned char)s.p[i] - (unsigned)'0';

		if (d > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

bool
str_to_i64(struct str s, int64_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (negative) {
		s.p++;
		s.n--;
	}
	if (!str_to_u64(s, (uint64_t)INT64_MAX + negative, &v))
		return false;
	/* -(v - 1) - 1 reaches INT64_MIN without overflowing. */
	*ret = negative && v > 0 ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	return true;
}

void
buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

bool
buf_grow(struct buf *b, size_t extra)
{
	size_t need, cap;
	char *p;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->n, extra, &need) || need >= SIZE_MAX / 2) {
		b->failed = true;
		return false;
	}
	cap = b->cap ? b->cap * 2 : 64;
	if (cap <= need)
		cap = need + 1;
	if (!(p = realloc(b->p, cap))) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->p[b->n] = '\0';
	b->cap = cap;
	return true;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!buf_reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_add_u64(struct buf *b, uint64_t v)
{
	char t[20];
	size_t i = sizeof(t);

	do {
		t[--i] = (char)('0' + v % 10);
	} while ((v /= 10) > 0);
	buf_add(b, t + i, sizeof(t) - i);
}

void
buf_add_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_add_char(b, '-');
	buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
hex_encode(const void *p, size_t n, char *out)
{
	const unsigned char *u = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = hex_lower[u[i] >> 4];
		*out++ = hex_lower[u[i] & 15];
	}
	*out = '\0';
}

void
buf_add_hex(struct buf *b, const void *p, size_t n)
{
	if (n > SIZE_MAX / 4) {
		b->failed = true;
		return;
	}
	if (!buf_reserve(b, 2 * n))
		return;
	hex_encode(p, n, b->p + b->n);
	b->n += 2 * n;
}

void
buf_add_base64(struct buf *b, const void *p, size_t n)
{
	const unsigned char *u = p;
	char q[4];

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)u[i] << 16 | (left > 1 ? (uint32_t)u[i + 1] << 8 : 0) |
			     (left > 2 ? u[i + 2] : 0);

		q[0] = base64_chars[v >> 18];
		q[1] = base64_chars[v >> 12 & 63];
		q[2] = left > 1 ? base64_chars[v >> 6 & 63] : '=';
		q[3] = left > 2 ? base64_chars[v & 63] : '=';
		buf_add(b, q, sizeof(q));
	}
}

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void
buf_add_percent(struct buf *b, struct str s, const char *keep)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned char u = (unsigned char)c;

		if (is_unreserved(c) || (c != '\0' && keep && strchr(keep, c)))
			buf_add_char(b, c);
		else
			buf_add(b, (char[]){ '%', hex_upper[u >> 4], hex_upper[u & 15] }, 3);
	}
}

/* The escape for a code point XML cannot take as it stands, NULL when it can. */
static const char *
xml_escape(uint32_t cp)
{
	switch (cp) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\t': /* a parser turns raw ones into blanks (attributes) or LF (CR) */
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return cp < 0x20 || cp == 0xfffe || cp == 0xffff ? "\xef\xbf\xbd" : NULL;
	}
}

/* How many leading bytes are ASCII that stands in XML as it is: most text is nothing else. */
static size_t
xml_plain_run(struct str s)
{
	size_t i = 0;

	while (i < s.n && (unsigned char)s.p[i] < 0x80 && !xml_escape((unsigned char)s.p[i]))
		i++;
	return i;
}

void
buf_add_xml(struct buf *b, struct str s)
{
	while (s.n > 0) {
		uint32_t cp = 0;
		size_t n = xml_plain_run(s);
		const char *esc = NULL;

		if (n == 0) {
			n = utf8_next(s, &cp);
			esc = n > 0 ? xml_escape(cp) : "\xef\xbf\xbd";
		}
		if (esc)
			buf_add_c(b, esc);
		else
			buf_add(b, s.p, n);
		n = n > 0 ? n : 1;
		s.p += n;
		s.n -= n;
	}
}

/* 0..15, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte two hex digits stand for, or -1. */
static int
hex_pair(const char *p)
{
	int hi = hex_value(p[0]), lo = hex_value(p[1]);

	return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

bool
hex_decode(struct str s, void *out, size_t out_size, size_t *ret_n)
{
	unsigned char *u = out;

	if (s.n % 2 != 0 || s.n / 2 > out_size)
		return false;
	for (size_t i = 0; i < s.n; i += 2) {
		int v = hex_pair(s.p + i);

		if (v < 0)
			return false;
		u[i / 2] = (unsigned char)v;
	}
	*ret_n = s.n / 2;
	return true;
}

/* 0..63, or -1. */
static int
base64_value(char c)
{
	const char *at = c != '\0' ? strchr(base64_chars, c) : NULL;

	return at ? (int)(at - base64_chars) : -1;
}

bool
base64_decode(struct str s, void *out, size_t out_size, size_t *ret_n)
{
	unsigned char *u = out;
	size_t pad = 0, len, at = 0;

	if (s.n % 4 != 0)
		return false;
	while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
		pad++;
	len = s.n / 4 * 3 - pad;
	if (len > out_size)
		return false;
	for (size_t i = 0; i < s.n; i += 4) {
		uint32_t v = 0;

		for (size_t k = i; k < i + 4; k++) {
			int d = k < s.n - pad ? base64_value(s.p[k]) : 0;

			if (d < 0)
				return false;
			v = v << 6 | (uint32_t)d;
		}
		for (int shift = 16; shift >= 0; shift -= 8) {
			unsigned char c = (unsigned char)(v >> shift);

			if (at < len)
				u[at++] = c;
			else if (c != 0)
				return false; /* bits that no byte of the value holds */
		}
	}
	*ret_n = len;
	return true;
}

bool
percent_decode(struct str s, bool plus_is_space, char *out, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int v = s.n - i > 2 ? hex_pair(s.p + i + 1) : -1;

			if (v < 0)
				return false;
			c = (char)v;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0')
			return false;
		out[n++] = c;
	}
	*ret_n = n;
	return true;
}
