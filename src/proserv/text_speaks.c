/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a sentence speaks of; see text_int.h. */
#include "proserv/text_engine.h"
#include "proserv/text_int.h"

#define WORD_MAX 8
#define US_NEAR 4 /* words before and behind */
#define YOURS_NEAR 3
#define N(words) (sizeof(words) / sizeof((words)[0]))

/* Folded: English, German, French, Spanish, Portuguese, Italian, Dutch. */
static const char *const us[] = { "we", "us", "our", "ours", "wir", "uns", "unser", "unsere",
	"unserer", "unserem", "unseren", "nous", "notre", "nos", "nuestro", "nuestra", "nosotros",
	"nosso", "nossa", "conosco", "ci", "noi", "nostro", "nostra", "wij", "ons", "onze" };
static const char *const yours[] = { "your", "dein", "deine", "ihr", "ihre", "ihrer", "ihrem",
	"ihren", "ihres", "votre", "vos", "ton", "tes", "su", "sus", "seu", "sua", "seus", "suas",
	"suo", "vostro", "vostra", "vostre", "vostri", "uw", "jouw", "je" };

static const char *const those[] = { "they", "them", "these", "those", "such", "this", "it",
	"diese", "dieser", "sie", "solche", "ils", "elles", "ceux", "celles", "ces", "ceci",
	"estos", "estas", "ellos", "este", "dichos", "eles", "elas", "estes", "esses", "essas",
	"questi", "queste", "essi", "esse", "tali", "deze", "die", "dit", "zij" };

static const char *const objects[] = { "them", "these", "those", "diese", "dafur", "hierfur",
	"ceux", "celles", "estos", "deles", "queste", "hiervoor", "daarvoor" };

/* Japanese has no such pronouns, but "our company" and polite requests, wherever they stand. */
static const char *const us_parts[] = { "当社", "弊社" };
static const char *const yours_parts[] = { "ください", "下さい", "いただ", "頂", "お願い", "貴社",
	"伺い", "必要" };

static bool
has_part(struct str s, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(s.p, s.n, v[i], strlen(v[i])) != NULL)
			return true;
	return false;
}

static bool
is_one(struct str word, const char *const *v, size_t n)
{
	if (word.n < 2 || word.n > WORD_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(word, str_c(v[i])))
			return true;
	return false;
}

/* One of the `near` words that end before `at`? */
static bool
stands_before(struct str s, size_t at, size_t near, const char *const *v, size_t n)
{
	for (size_t k = 0; k < near && at > 0; k++) {
		size_t end;

		while (at > 0 && !folded_is_word(s, at - 1))
			at--;
		for (end = at; at > 0 && folded_is_word(s, at - 1); at--)
			;
		if (is_one((struct str){ s.p + at, end - at }, v, n))
			return true;
	}
	return false;
}

static bool
stands_behind(struct str s, size_t at, size_t near, const char *const *v, size_t n)
{
	for (size_t k = 0; k < near && at < s.n; k++) {
		size_t start;

		while (at < s.n && !folded_is_word(s, at))
			at++;
		for (start = at; at < s.n && folded_is_word(s, at); at++)
			;
		if (is_one((struct str){ s.p + start, at - start }, v, n))
			return true;
	}
	return false;
}

static bool
has_word(struct str term, const char *const *v, size_t n)
{
	return stands_behind(term, 0, term.n, v, n);
}

bool
text_speaks(struct str sentence, size_t start, size_t end, enum speaking how)
{
	if (how == SPEAKS_ANYHOW)
		return true;
	if (how != SPEAKS_OF_YOURS &&
	    (has_part(sentence, us_parts, N(us_parts)) ||
		stands_before(sentence, start, US_NEAR, us, N(us)) ||
		stands_behind(sentence, end, US_NEAR, us, N(us)) ||
		has_word((struct str){ sentence.p + start, end - start }, us, N(us))))
		return true;
	return how != SPEAKS_OF_US &&
	       (has_part(sentence, yours_parts, N(yours_parts)) ||
		   stands_before(sentence, start, YOURS_NEAR, yours, N(yours)));
}

bool
text_refers_back(struct str sentence)
{
	static const char *const parts[] = { "これ", "それら" };

	return stands_behind(sentence, 0, 1, those, N(those)) ||
	       has_word(sentence, objects, N(objects)) || has_part(sentence, parts, N(parts));
}
