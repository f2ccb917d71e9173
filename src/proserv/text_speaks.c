/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a sentence speaks of; see text_int.h. */
#include "proserv/text_engine.h"
#include "proserv/text_int.h"

#define WORD_MAX 8
#define N(words) (sizeof(words) / sizeof((words)[0]))

/* Folded: English, German, French, Spanish, Portuguese, Italian, Dutch. */
static const char *const us[] = { "we", "us", "our", "ours", "wir", "uns", "unser", "unsere",
	"unserer", "unserem", "unseren", "nous", "notre", "nos", "nuestro", "nuestra", "nosotros",
	"nosso", "nossa", "conosco", "ci", "noi", "nostro", "nostra", "wij", "ons", "onze" };
static const char *const you[] = { "you", "your", "yours", "sie", "ihnen", "ihr", "ihre", "ihrer",
	"ihrem", "ihren", "ihres", "vous", "votre", "vos", "usted", "ustedes", "le", "su", "sus",
	"voce", "voces", "seu", "sua", "seus", "suas", "lei", "vi", "vostro", "vostra", "vostre",
	"suo", "uw" };

/* Japanese has no pronouns here, but "our company" and polite requests. */
static const char *const us_parts[] = { "当社", "弊社" };
static const char *const you_parts[] = { "ください", "下さい", "いただ", "頂", "お願い", "貴社",
	"伺い", "お客様の", "必要" };

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
	for (size_t i = 0; i < n; i++)
		if (str_eq(word, str_c(v[i])))
			return true;
	return false;
}

bool
text_speaks(struct str sentence, enum speaking how)
{
	bool of_you = how == SPEAKS_OF_US_OR_YOU;

	if (how == SPEAKS_ANYHOW || has_part(sentence, us_parts, N(us_parts)) ||
	    (of_you && has_part(sentence, you_parts, N(you_parts))))
		return true;
	for (size_t i = 0, n; i < sentence.n; i += n + 1) {
		struct str word;

		for (n = 0; i + n < sentence.n && folded_is_word(sentence, i + n); n++)
			;
		word = (struct str){ sentence.p + i, n };
		if (n > 1 && n <= WORD_MAX &&
		    (is_one(word, us, N(us)) || (of_you && is_one(word, you, N(you)))))
			return true;
	}
	return false;
}
