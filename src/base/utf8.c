/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by the table of well-formed sequences (Unicode 15, table 3-7).
 *
 * Names from outside pass here before anything else looks at them.
 */
#include "base/utf8.h"

size_t
utf8_next(struct str s, uint32_t *ret)
{
	const unsigned char *u = (const unsigned char *)s.p;
	unsigned char least = 0x80, most = 0xbf; /* of the second byte */
	uint32_t cp;
	size_t n;

	if (s.n == 0)
		return 0;
	if (u[0] < 0x80) {
		*ret = u[0];
		return 1;
	}
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (u[0] == 0xe0)
		least = 0xa0; /* overlong */
	else if (u[0] == 0xed)
		most = 0x9f; /* surrogates */
	else if (u[0] == 0xf0)
		least = 0x90; /* overlong */
	else if (u[0] == 0xf4)
		most = 0x8f; /* beyond U+10FFFF */
	if (s.n < n || u[1] < least || u[1] > most)
		return 0;
	cp = u[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (u[i] & 0x3f);
	}
	*ret = cp;
	return n;
}

/* How many leading bytes are ASCII, eight at a time: most text is nothing else. */
static size_t
ascii_run(struct str s)
{
	size_t i = 0;
	uint64_t w;

	for (; i + sizeof(w) <= s.n; i += sizeof(w)) {
		memcpy(&w, s.p + i, sizeof(w));
		if (w & UINT64_C(0x8080808080808080))
			break;
	}
	return i;
}

bool
utf8_valid(struct str s)
{
	uint32_t cp;

	for (size_t i = 0; i < s.n;) {
		struct str rest = { s.p + i, s.n - i };
		size_t n = ascii_run(rest);

		if (n == 0 && (n = utf8_next(rest, &cp)) == 0)
			return false;
		i += n;
	}
	return true;
}

size_t
utf8_length(struct str s)
{
	const uint64_t low = UINT64_C(0x0101010101010101);
	size_t n = s.n, i = 0;
	uint64_t w;

	/* Less those that go on with a character: bit 7 set, bit 6 not. */
	for (; i + sizeof(w) <= s.n; i += sizeof(w)) {
		memcpy(&w, s.p + i, sizeof(w));
		n -= (((w >> 7) & ~(w >> 6) & low) * low) >> 56;
	}
	for (; i < s.n; i++)
		n -= ((unsigned char)s.p[i] & 0xc0) == 0x80;
	return n;
}

static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/* Spaces, fillers, direction marks and others that leave no ink; pairs of first and last. */
static const uint32_t invisible[][2] = {
	{ '\t', '\r' },
	{ ' ', ' ' },
	{ 0x85, 0x85 },
	{ 0xa0, 0xa0 },
	{ 0xad, 0xad },
	{ 0x34f, 0x34f },
	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 },
	{ 0x1680, 0x1680 },
	{ 0x180e, 0x180e },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x202f },
	{ 0x205f, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3000, 0x3000 },
	{ 0x3164, 0x3164 },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff9, 0xfffb },
	{ 0xe0000, 0xe007f },
};

static bool
is_invisible(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++)
		if (cp <= invisible[i][1])
			return cp >= invisible[i][0];
	return false;
}

/* Does `is` hold for any (or, with `want` false, fail for any) code point? */
static bool
any_is(struct str s, bool (*is)(uint32_t), bool want)
{
	uint32_t cp = 0;
	size_t n;

	for (; (n = utf8_next(s, &cp)) > 0; s.p += n, s.n -= n)
		if (is(cp) == want)
			return true;
	return false;
}

bool
utf8_has_control(struct str s)
{
	return any_is(s, is_control, true);
}

bool
utf8_is_blank(struct str s)
{
	return !any_is(s, is_invisible, false);
}
