/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms as they are looked for. For text_needle.c, which makes the sets, and text_engine.c, which searches.
 *
 * Vectorscan spends its time on places that turn out to be no literal, and the more literals, the more of them. So it is
 * given the heads of terms alone: their first bytes with their word borders, as they stand in plain text. Many terms
 * share a head, and few words that are no terms begin with one.
 */
#ifndef SOUK_PROSERV_TEXT_NEEDLE_H
#define SOUK_PROSERV_TEXT_NEEDLE_H

#include "proserv/text_engine.h"

struct hs_database;

/* A term among those with its head. Small, since it is memory that is waited for. */
struct needle {
	uint32_t next;   /* the bytes of plain text behind the head */
	uint8_t skip;    /* bits of `next`, from the top, that are none of the term */
	uint8_t length;  /* of the term, folded */
	uint8_t back;    /* from the head's end to where the term begins */
	bool last : 1;   /* of those with this head */
	bool closed : 1; /* no word may go on behind the term */
	bool whole : 1;  /* one word, all of it head and next bytes: nothing is left to compare */
	uint8_t valid;   /* as the term's */
	uint16_t term;
};

/* Zero-initialise. */
struct needle_set {
	struct hs_database *db; /* a match's id is the index of the head's first needle */
	struct needle *v;       /* in the order of their heads */
	size_t n;
};

/* All terms, folded one behind the other. Zero-initialise. */
struct folded_terms {
	struct text_folded folded;
	uint32_t *at; /* where each begins, and the end */
};

SOUK_MUST enum souk_err folded_terms_make(const struct text_table *t, struct folded_terms *ret);
void folded_terms_done(struct folded_terms *t);

static inline struct str
folded_term(const struct folded_terms *t, size_t term)
{
	return (struct str){ t->folded.out.p + t->at[term], t->at[term + 1] - t->at[term] - 1 };
}

SOUK_MUST enum souk_err needle_set_make(
    const struct folded_terms *t, enum term_set set, struct needle_set *ret, struct fail *f);
void needle_set_done(struct needle_set *s);

/*
 * Makes plain text of folded text: as many bytes, with blanks for all that are no part of a word, a blank before them
 * and 16 behind. `out` has text.n + PLAIN_ROOM bytes; returns where the text begins in it.
 */
const char *text_plain(struct str text, char *out);
#define PLAIN_ROOM 17

#endif
