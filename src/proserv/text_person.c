/* SPDX-License-Identifier: Apache-2.0 */
/* Personal data in names of offers; see text_person.h. */
#include "proserv/text_person.h"

#include "base/email.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#define WORD_MAX 40
#define PHONE_BYTES 32
#define PHONE_DIGITS 8 /* in a row with blanks and dashes, behind '+' */

/* A word and what stands before it. */
struct word {
	size_t start, end;
	char
	    folded[WORD_MAX +
		   1]; /* lower case without accents, ASCII only; empty when it has other letters */
	bool capital;  /* the first letter is a capital, the second is not */
	bool joined;   /* to the word before by one blank */
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
personal_contact(struct str s, struct personal_place *ret)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t from = i, to = i, digits = 0;

		if (s.p[i] == '@') {
			while (from > 0 && i - from < EMAIL_MAX &&
			       memchr(" \t\n<>(),;:\"@", s.p[from - 1], 12) == NULL)
				from--;
			for (to++; to < s.n && to - i < EMAIL_MAX &&
				   memchr(" \t\n<>(),;:\"@", s.p[to], 12) == NULL;
			     to++)
				;
			while (to > i && s.p[to - 1] == '.')
				to--;
			*ret = (struct personal_place){ PERSONAL_EMAIL, from, to };
			if (email_plausible((struct str){ s.p + from, to - from }))
				return true;
			continue;
		}
		if (s.p[i] != '+' &&
		    (!is_digit(s.p[i]) || (i > 0 && (is_digit(s.p[i - 1]) || s.p[i - 1] == '-' ||
							s.p[i - 1] == '.'))))
			continue;
		for (to = i + (s.p[i] == '+');
		     to - i < PHONE_BYTES && to < s.n &&
		     (is_digit(s.p[to]) || memchr(" -./()", s.p[to], 6) != NULL);
		     to++)
			digits += is_digit(s.p[to]);
		while (to > i && !is_digit(s.p[to - 1]))
			to--;
		*ret = (struct personal_place){ PERSONAL_PHONE, i, to };
		if (s.p[i] == '+' && digits >= PHONE_DIGITS)
			return true;
		/* 555-0142, 202-555-0143: three digits, perhaps three more, four at the end. */
		if (to - i >= 8 && s.p[i + 3] == '-' && digits == 7 && s.p[to - 5] == '-' &&
		    to - i == 8)
			return true;
		if (to - i == 12 && digits == 10 && s.p[i + 3] == s.p[i + 7] &&
		    memchr("-. ", s.p[i + 3], 3) != NULL)
			return true;
	}
	return false;
}

/* The letter without accent in lower case; '\0' when there is none in ASCII. */
static char
plain_letter(uint32_t code)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *n = unorm2_getNFKDInstance(&e);
	UChar out[8];

	if (code >= 0x80) {
		if (U_FAILURE(e) || unorm2_getDecomposition(n, (UChar32)code, out, 8, &e) < 1 ||
		    U_FAILURE(e))
			return '\0';
		code = out[0];
	}
	return code < 0x80 ? (char)(code | 0x20) : '\0';
}

static bool
is_letter(uint32_t code)
{
	return code == '\'' || code == 0x2019 || u_isalpha((UChar32)code);
}

/* The next word at or after *at. */
static bool
next_word(struct str s, size_t *at, struct word *w)
{
	size_t i = *at, n = 0, len, letters = 0, blanks = 0;
	uint32_t code = 0;
	bool plain = true, lower = false, gap = false;

	while (i < s.n && ((len = utf8_next((struct str){ s.p + i, s.n - i }, &code)) == 0 ||
			      !u_isalpha((UChar32)code))) {
		blanks += s.p[i] == ' ';
		gap |= s.p[i] != ' ';
		i += len ? len : 1;
	}
	if (i >= s.n)
		return false;
	w->joined = blanks == 1 && !gap;
	w->start = i;
	w->capital = u_isupper((UChar32)code) || u_istitle((UChar32)code);
	for (; i < s.n && (len = utf8_next((struct str){ s.p + i, s.n - i }, &code)) > 0 &&
	       is_letter(code);
	     i += len, letters++) {
		char c = u_isalpha((UChar32)code) ? plain_letter(code) : '\0';

		lower |= letters > 0 && u_islower((UChar32)code);
		plain &= c != '\0' && n < WORD_MAX;
		if (plain)
			w->folded[n++] = c;
	}
	w->folded[plain ? n : 0] = '\0';
	w->capital &= lower;
	w->end = i;
	*at = i;
	return true;
}

static int
by_name(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *)row);
}

static bool
is_given_name(const char *word)
{
	return word[0] != '\0' &&
	       bsearch(word, given_names, n_given_names, sizeof(*given_names), by_name) != NULL;
}

/* Words after which people are named. */
static bool
leads_in(const char *word)
{
	static const char *const words[] = { "for", "to", "attn", "by", "from", "with", "contact",
		"sponsor", "fur", "an", "von", "mit", "hd", "pour", "par", "de", "para", "por",
		"com", "con", "dona", "don", "owner", "per", "avec", "chez", "via" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

bool
personal_name(struct str s, struct personal_place *ret)
{
	struct word before = { .folded = "" }, given = before, w;
	bool led = false; /* the word before `given` is one that leads in, or a sign is */

	for (size_t at = 0; next_word(s, &at, &w);) {
		if (given.capital && w.capital && w.joined && led && is_given_name(given.folded)) {
			*ret = (struct personal_place){ PERSONAL_NAME, given.start, w.end };
			return true;
		}
		before = given;
		given = w;
		led = leads_in(before.folded) ||
		      (w.start >= 1 && memchr("(:/", s.p[w.start - 1], 3) != NULL) ||
		      (w.start >= 2 && s.p[w.start - 1] == ' ' &&
			  memchr("-:/|.", s.p[w.start - 2], 5) != NULL);
	}
	return false;
}

bool
personal_follows(struct str s, size_t start, size_t at)
{
	struct word w;

	/* "DR plan", "MS SQL": capitals alone are no form of address. */
	if (at - start >= 2 && s.p[start] >= 'A' && s.p[start] <= 'Z' && s.p[start + 1] >= 'A' &&
	    s.p[start + 1] <= 'Z')
		return false;
	if (at - start == 2 && s.p[start] >= 'a' && s.p[start] <= 'z' && s.p[start + 1] == 's')
		return false; /* milliseconds */
	while (at < s.n && memchr(".:, ", s.p[at], 4) != NULL)
		at++;
	return at < s.n && next_word(s, &(size_t){ at }, &w) && w.start == at && w.capital;
}

/* "742 Evergreen Terrace": the number, then capitalised words only; "Lindenstraße 14", "Rua das Flores, 123". */
bool
personal_address(struct str s, size_t start, size_t end)
{
	size_t i = end, from = start, words = 0;
	bool lower = false;

	while (
	    i < s.n && i - end < 30 && !is_digit(s.p[i]) && memchr(":;/()\n-", s.p[i], 7) == NULL)
		i++;
	/* In English the number is in front; behind, up to a number, everything is part of the street's name. */
	if (i < s.n && is_digit(s.p[i]) && start < s.n)
		return true;
	while (from > 0 && words < 4 && start - from < 40) {
		char c = s.p[from - 1];

		if (is_digit(c))
			return !lower;
		if (memchr(",;:/()-\n", c, 8) != NULL)
			return false;
		if (c == ' ') {
			lower |= s.p[from] >= 'a' && s.p[from] <= 'z' && from < start;
			words++;
		}
		from--;
	}
	return false;
}
