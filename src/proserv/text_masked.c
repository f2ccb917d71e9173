/* SPDX-License-Identifier: Apache-2.0 */
/* Offensive words with signs in the place of letters: "sh*t", "a$$hole". */
#include "proserv/text_int.h"

#define WORD_MIN 4
#define WORD_MAX 24
#define WORDS_MAX 256 /* masked words of a text that are looked up; hostile texts have more */

static bool
is_letter(char b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

/* The letter that a sign stands for, '*' for any, 0 for none. */
static char
shown(char b)
{
	static const char signs[] = "*#!$@013", letters[] = "**isaoie";
	const char *p = b != '\0' ? strchr(signs, b) : NULL;

	return is_letter(b) ? (char)(b | 0x20) : p != NULL ? letters[p - signs] : '\0';
}

static bool
is_offence(const char *word, size_t n, unsigned languages)
{
	for (size_t i = 0; i < n_terms; i++) {
		const char *t = terms[i].text;
		size_t k = 0;

		if (!(terms[i].classes & TERM(OFFEND)) || !(terms[i].valid & languages))
			continue;
		while (k < n && (word[k] == t[k] || (word[k] == '*' && is_letter(t[k]))))
			k++;
		if (k == n && t[n] == '\0')
			return true;
	}
	return false;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* The next sign that may stand for a letter at or behind `i`; text.n when there is none. */
static size_t
sign_at(struct str text, size_t i)
{
	for (; text.n - i >= 16; i += 16) {
		bytes16 v;
		uint64_t half[2];

		memcpy(&v, text.p + i, 16);
		v = (bytes16)((v == '*') | (v == '#') | (v == '!') | (v == '$') | (v == '@'));
		memcpy(half, &v, 16);
		if (half[0])
			return i + (size_t)__builtin_ctzll(half[0]) / 8;
		if (half[1])
			return i + 8 + (size_t)__builtin_ctzll(half[1]) / 8;
	}
	while (i < text.n && memchr("*#!$@", text.p[i], 5) == NULL)
		i++;
	return i;
}

bool
text_masked_next(struct str text, unsigned languages, struct masked *m)
{
	size_t at = m->end;

	while (m->looked_up < WORDS_MAX && (at = sign_at(text, at)) < text.n) {
		char word[WORD_MAX];
		size_t start = at, n = 0, signs = 0;

		while (start > m->end && at - start < WORD_MAX && shown(text.p[start - 1]) != '\0')
			start--;
		while (start < at && !is_letter(text.p[start]))
			start++;
		if (start == at) {
			m->end = ++at;
			continue;
		}
		for (; n < WORD_MAX && start + n < text.n; n++) {
			if ((word[n] = shown(text.p[start + n])) == '\0')
				break;
			signs += !is_letter(text.p[start + n]);
		}
		m->end = at = start + n > at ? start + n : at + 1;
		/* What begins or ends with signs may only be emphasised. */
		while (n > 0 && !is_letter(text.p[start + n - 1])) {
			n--;
			signs--;
		}
		if (signs == 0 || n < WORD_MIN || n == WORD_MAX)
			continue;
		m->looked_up++;
		if (is_offence(word, n, languages)) {
			m->start = start;
			m->end = start + n;
			return true;
		}
	}
	return false;
}
