/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding all terms in a text at once, by vectorscan.
 *
 * The engine is compiled once and then only read, by any number of threads; each thread has a scratch of its own.
 */
#ifndef SOUK_PROSERV_TEXT_ENGINE_H
#define SOUK_PROSERV_TEXT_ENGINE_H

#include "proserv/text_fold.h"
#include "proserv/text_terms.h"

struct text_engine;
struct text_scratch;

SOUK_MUST enum souk_err text_engine_new(struct text_engine **ret, struct fail *f);
void text_engine_free(struct text_engine *e); /* accepts NULL */
const struct text_table *text_engine_table(const struct text_engine *e);

/* For one thread at a time; not after the engine's end. */
SOUK_MUST enum souk_err text_scratch_new(const struct text_engine *e, struct text_scratch **ret);
void text_scratch_free(struct text_scratch *s); /* accepts NULL */

/*
 * Terms by where they are looked for: all texts, or only what names something (titles, names of offers and dimensions),
 * where short words matter that are everywhere in prose.
 */
enum term_set { TERMS_PROSE, TERMS_NAMES, TERMS__COUNT };

/* Classes of TERMS_NAMES; all others are of TERMS_PROSE. */
#define NAME_CLASSES (TERM(PWORD) | TERM(PANY) | TERM(HONOR) | TERM(STREET) | TERM(ORG))

/* A term in the folded text. */
struct term_hit {
	uint32_t start, end;
	uint16_t term; /* index of `terms`; TERM_MADE: none, the scanner found it itself */
	uint64_t classes;
};

#define TERM_MADE UINT16_MAX
/* What is beyond is not looked at; see term_hits.cut. */
#define TERM_HITS_MAX 100000

/* In the order of their ends, the longer of two first. Borrowed from the scratch until the set is looked for again. */
struct term_hits {
	struct term_hit *v;
	size_t n;
	bool cut; /* there were more than TERM_HITS_MAX */
};

/*
 * Terms of `set` in the first `n` bytes of `f` that are valid in listings of `languages` (bits; 0 means all); in
 * prose amounts of money and numbers of cards and accounts, too, in names "&". SOUK_E_NOMEM.
 */
SOUK_MUST enum souk_err text_engine_find(const struct text_engine *e, struct text_scratch *s,
    enum term_set set, const struct text_folded *f, size_t n, unsigned languages,
    struct term_hits *ret);

/* The folded text that belongs to the scratch: for who scans and folds in turn. */
struct text_folded *text_scratch_folded(struct text_scratch *s);

/* folded_is_word for what is not ASCII. */
bool folded_is_letter(struct str text, size_t at);

/* Does a word go on at `at` of folded text: a letter, a digit or '_'? */
static inline bool
folded_is_word(struct str text, size_t at)
{
	unsigned char b = at < text.n ? (unsigned char)text.p[at] : 0;

	if (b >= 0x80)
		return folded_is_letter(text, at);
	return (unsigned char)(b - 'a') < 26 || (unsigned char)(b - '0') < 10 || b == '_';
}

#endif
