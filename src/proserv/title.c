/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of titles; see title.h. */
#include "proserv/title.h"

#include "base/utf8.h"

#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#define UNITS_MAX                                                                                  \
	4096 /* UTF-16 units of a key: titles that grow beyond it are compared byte by byte */

/* Both are only read after they were made, which ICU allows on any number of threads. */
static USpoofChecker *looks;
static const UNormalizer2 *compatible;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct units {
	UChar v[UNITS_MAX];
	int32_t n;
};

static void
open_tables(void)
{
	UErrorCode e = U_ZERO_ERROR;

	looks = uspoof_open(&e);
	compatible = unorm2_getNFKCInstance(&e);
	if (U_FAILURE(e))
		looks = NULL;
}

static struct str
first_bytes(struct str s)
{
	size_t n = s.n < TITLE_KEYED_MAX ? s.n : TITLE_KEYED_MAX;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ s.p, n };
}

/* The one at *i, which moves on. ICU's macros for this do not get past our warnings. */
static UChar32
next_character(const struct units *u, int32_t *i)
{
	UChar32 c = u->v[(*i)++];

	if (c >= 0xd800 && c < 0xdc00 && *i < u->n && u->v[*i] >= 0xdc00 && u->v[*i] < 0xe000)
		c = 0x10000 + ((c - 0xd800) << 10) + (u->v[(*i)++] - 0xdc00);
	return c;
}

/* Compatibility forms; nothing that cannot be seen; one blank between words. */
static bool
plain(struct str title, struct units *out)
{
	UErrorCode e = U_ZERO_ERROR;
	struct units in;
	int32_t n = 0;
	bool blank = false;

	(void)u_strFromUTF8(in.v, UNITS_MAX, &in.n, title.p, (int32_t)title.n, &e);
	out->n = unorm2_normalize(compatible, in.v, in.n, out->v, UNITS_MAX, &e);
	if (U_FAILURE(e))
		return false;
	for (int32_t i = 0; i < out->n;) {
		int32_t from = i;
		UChar32 c = next_character(out, &i);

		if (u_isUWhiteSpace(c)) {
			blank = n > 0;
			continue;
		}
		if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
		    u_charType(c) == U_CONTROL_CHAR)
			continue;
		if (blank)
			out->v[n++] = ' ';
		blank = false;
		while (from < i)
			out->v[n++] = out->v[from++];
	}
	out->n = n;
	return true;
}

static bool
fold(struct units *u)
{
	UErrorCode e = U_ZERO_ERROR;
	struct units in = *u;

	u->n = u_strFoldCase(u->v, UNITS_MAX, in.v, in.n, U_FOLD_CASE_DEFAULT, &e);
	return U_SUCCESS(e);
}

static bool
skeleton(struct units *u)
{
	UErrorCode e = U_ZERO_ERROR;
	struct units in = *u;

	u->n = uspoof_getSkeleton(looks, 0, in.v, in.n, u->v, UNITS_MAX, &e);
	return U_SUCCESS(e);
}

static struct str
to_utf8(const struct units *u, struct arena *a)
{
	char out[UNITS_MAX * 3];
	UErrorCode e = U_ZERO_ERROR;
	int32_t n = 0;

	(void)u_strToUTF8(out, sizeof(out), &n, u->v, u->n, &e);
	return U_SUCCESS(e) ? arena_str(a, (struct str){ out, (size_t)n })
			    : (struct str){ NULL, 0 };
}

enum souk_err
title_keys(struct str title, struct arena *a, struct str ret[TITLE_KEYS], size_t *ret_n)
{
	struct units seen, folded;

	(void)pthread_once(&once, open_tables);
	if (looks == NULL)
		return SOUK_E_INTERNAL;
	title = first_bytes(title);
	if (!plain(title, &seen)) {
		ret[0] = arena_str(a, title);
		*ret_n = 1;
		return ret[0].p != NULL ? SOUK_OK : SOUK_E_NOMEM;
	}
	folded = seen;
	*ret_n = 0;
	if (seen.n == 0)
		return SOUK_OK;
	if (!skeleton(&seen) || !fold(&seen) || !fold(&folded) || !skeleton(&folded) ||
	    !fold(&folded))
		return SOUK_E_INTERNAL;
	ret[0] = to_utf8(&folded, a);
	ret[1] = to_utf8(&seen, a);
	if (ret[0].p == NULL || ret[1].p == NULL)
		return SOUK_E_NOMEM;
	*ret_n = str_eq(ret[0], ret[1]) ? 1 : 2;
	return SOUK_OK;
}
