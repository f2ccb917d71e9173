/* SPDX-License-Identifier: Apache-2.0 */
/* What each code point folds to; see text_fold.h. Made from ICU's data when the scanner is made. */
#include "proserv/text_fold_int.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#define UNITS 32

struct maker {
	struct text_table *table;
	const UNormalizer2 *compatible;
	USpoofChecker *looks;
};

static const struct {
	uint32_t code;
	const char *plain;
} special[] = {
	/* Letters that have no decomposition but a plain spelling that people use for them. */
	{ 0xc6, "ae" },
	{ 0xe6, "ae" },
	{ 0xd0, "d" },
	{ 0xf0, "d" },
	{ 0xd8, "o" },
	{ 0xf8, "o" },
	{ 0xde, "th" },
	{ 0xfe, "th" },
	{ 0x110, "d" },
	{ 0x111, "d" },
	{ 0x131, "i" },
	{ 0x141, "l" },
	{ 0x142, "l" },
	{ 0x152, "oe" },
	{ 0x153, "oe" },
	/* Marks that end or part a sentence. */
	{ 0x3001, "," },
	{ 0xff64, "," },
	{ 0x3002, ". " },
	{ 0xff61, ". " },
	{ 0xff01, "! " },
	{ 0xff1f, "? " },
	{ 0x2018, "'" },
	{ 0x2019, "'" },
	{ 0x201b, "'" },
	{ 0x2bc, "'" },
	{ 0x2026, ". " },
};

static uint32_t
put(struct maker *m, const char *p, size_t n)
{
	struct buf *pool = &m->table->pool;
	uint32_t e;

	if (n == 0)
		return FOLD_DROP;
	if (n > FOLD_LONGEST)
		return FOLD_BLANK;
	if (n <= 3) {
		e = (uint32_t)n;
		for (size_t i = 0; i < n; i++)
			e |= (uint32_t)(unsigned char)p[i] << (8 * (i + 1));
		return e;
	}
	e = FOLD_POOL | (uint32_t)pool->n << 8;
	buf_add_char(pool, (char)n);
	buf_add(pool, p, n);
	return e;
}

/* The Latin letter that `c` looks like, or 0. */
static char
look_of(struct maker *m, UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar in[2], out[UNITS];
	int32_t n = 0;

	U16_APPEND_UNSAFE(in, n, c);
	n = uspoof_getSkeleton(m->looks, 0, in, n, out, UNITS, &e);
	if (U_FAILURE(e) || n != 1 || out[0] >= 0x80 || !u_isalpha(out[0]))
		return '\0';
	return (char)(out[0] | 0x20);
}

static bool
may_look_latin(UChar32 c)
{
	return (c >= 0x370 && c < 0x590) || (c >= 0x13a0 && c < 0x1400) ||
	       (c >= 0x1d00 && c < 0x1d80);
}

/* Punctuation and symbols: what matters of them is that no word goes on there. Currency signs stay. */
static uint32_t
mark_of(struct maker *m, UChar32 c)
{
	switch (u_charType(c)) {
	case U_CURRENCY_SYMBOL:
		return FOLD_KEEP;
	case U_DASH_PUNCTUATION:
		return put(m, "-", 1);
	case U_INITIAL_PUNCTUATION:
	case U_FINAL_PUNCTUATION:
		return put(m, "\"", 1);
	default:
		return FOLD_BLANK;
	}
}

/* Adds a letter as it is spelled without accents and joins; returns the new length. */
static size_t
add_letter(uint32_t code, char *out, size_t n)
{
	for (size_t s = 0; s < sizeof(special) / sizeof(special[0]); s++)
		if (special[s].code == code && u_isalpha((UChar32)code)) {
			size_t len = strlen(special[s].plain);

			memcpy(out + n, special[s].plain, len);
			return n + len;
		}
	return n + fold_utf8(code, out + n);
}

/* Accents go; of Japanese, the marks that make another sound of a syllable stay. */
static uint32_t
letters_of(struct maker *m, UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar raw[UNITS], folded[UNITS];
	char out[4 * UNITS], same[4];
	int32_t n = unorm2_getDecomposition(m->compatible, c, raw, UNITS, &e);
	size_t len = 0;

	if (n < 0 && U_SUCCESS(e)) {
		n = 0;
		U16_APPEND_UNSAFE(raw, n, c);
	}
	n = u_strFoldCase(folded, UNITS, raw, n, U_FOLD_CASE_DEFAULT, &e);
	if (U_FAILURE(e))
		return FOLD_BLANK;
	for (int32_t i = 0; i < n;) {
		uint32_t x = folded[i++];

		if (U16_IS_LEAD(x) && i < n)
			x = 0x10000 + ((x & 0x3ff) << 10) + (folded[i++] & 0x3ffu);
		if (x < 0x300 || x >= 0x370)
			len = add_letter(x, out, len);
	}
	if (len == fold_utf8((uint32_t)c, same) && memcmp(same, out, len) == 0)
		return FOLD_KEEP;
	return put(m, out, len);
}

static uint32_t
entry_of(struct maker *m, UChar32 c)
{
	char look;

	for (size_t s = 0; s < sizeof(special) / sizeof(special[0]); s++)
		if (special[s].code == (uint32_t)c)
			return put(m, special[s].plain, strlen(special[s].plain));
	if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
		return (c == 0xad || (c >= 0xfe00 && c < 0xfe10)) ? FOLD_DROP : FOLD_HIDDEN;
	switch (u_charType(c)) {
	case U_UNASSIGNED:
	case U_PRIVATE_USE_CHAR:
		return FOLD_KEEP;
	case U_CONTROL_CHAR:
	case U_LINE_SEPARATOR:
	case U_PARAGRAPH_SEPARATOR:
	case U_SPACE_SEPARATOR:
		return FOLD_BLANK;
	case U_NON_SPACING_MARK:
	case U_ENCLOSING_MARK:
		return (c >= 0x300 && c < 0x370) ? FOLD_DROP : FOLD_KEEP;
	default:
		break;
	}
	if (may_look_latin(c) && u_isalpha(c) &&
	    ((look = look_of(m, c)) != '\0' || (look = look_of(m, u_foldCase(c, 0))) != '\0'))
		return put(m, &look, 1) | FOLD_LOOK;
	if (u_isalnum(c) ||
	    unorm2_getRawDecomposition(m->compatible, c, NULL, 0, &(UErrorCode){ 0 }) > 0)
		return letters_of(m, c);
	return mark_of(m, c);
}

/* Ideographs and Hangul fold to themselves. */
static bool
is_plain_block(UChar32 c)
{
	return (c >= 0x3400 && c < 0xa000) || (c >= 0xac00 && c < 0xf900);
}

enum souk_err
text_table_new(struct text_table **ret)
{
	struct text_table *t = calloc(1, sizeof(*t));
	struct maker m = { .table = t };
	UErrorCode e = U_ZERO_ERROR;

	if (t == NULL)
		return SOUK_E_NOMEM;
	m.compatible = unorm2_getNFKDInstance(&e);
	m.looks = uspoof_open(&e);
	if (U_FAILURE(e)) {
		text_table_free(t);
		return SOUK_E_INTERNAL;
	}
	for (UChar32 c = 0x80; c < FOLD_CODES; c++)
		if (!is_plain_block(c))
			t->entry[c] = entry_of(&m, c);
	uspoof_close(m.looks);
	if (!buf_ok(&t->pool) || t->pool.n >= 1 << 24) {
		text_table_free(t);
		return SOUK_E_NOMEM;
	}
	*ret = t;
	return SOUK_OK;
}

void
text_table_free(struct text_table *t)
{
	if (t == NULL)
		return;
	buf_done(&t->pool);
	free(t);
}
