/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts as the scanner reads them: what a reader takes for the same becomes the same bytes.
 *
 * Compatibility forms, case and accents go; letters of other alphabets that look like Latin ones become
 * these (UTS 39 skeletons); what cannot be seen (zero-width characters, direction controls), inline
 * markup and entities go, so that a term cannot be hidden by them; hyphens between letters and runs of blanks become one blank; a
 * paragraph's or list item's end becomes a line feed. A map leads back to the place in the text.
 */
#ifndef SOUK_PROSERV_TEXT_FOLD_H
#define SOUK_PROSERV_TEXT_FOLD_H

#include "base/str.h"

/* Made once, then only read, by any number of threads. */
struct text_table;

/* SOUK_E_NOMEM, or SOUK_E_INTERNAL when ICU has no data. */
SOUK_MUST enum souk_err text_table_new(struct text_table **ret);
void text_table_free(struct text_table *t); /* accepts NULL */

enum hiding {
	HIDDEN_WIDTH,     /* a character without width inside a word */
	HIDDEN_DIRECTION, /* text is shown in another order than it is written */
	HIDDEN_LOOK       /* a word of two alphabets whose letters look alike */
};

/* Something that hides words from a search. */
struct hidden {
	enum hiding kind;
	uint32_t field; /* the number given to text_fold_add */
	uint32_t at;    /* byte in the text */
	uint32_t code;  /* the code point */
};

#define HIDDEN_MAX 16

/* From `folded` on, a byte of the folded text is that of the text at `text` + distance. */
struct fold_step {
	uint32_t folded;
	uint32_t text;
};

/* Several texts folded one behind the other. Zero-initialise; text_fold_done frees. */
struct text_folded {
	struct buf out;
	struct fold_step *steps;
	size_t n_steps, cap_steps;
	struct hidden hidden[HIDDEN_MAX];
	size_t n_hidden;    /* counted further than kept */
	bool right_to_left; /* letters written from right to left were seen */
	bool failed;        /* out of memory: something is missing */
};

void text_fold_done(struct text_folded *f);
void text_fold_clear(struct text_folded *f); /* keeps the memory */

/* Adds `text` (any bytes; broken UTF-8 becomes blanks) and a line feed. At most 5 bytes for one, plus a few. */
void text_fold_add(
    const struct text_table *t, struct str text, uint32_t field, struct text_folded *f);

/* Where in its text the folded byte `at` comes from. */
uint32_t text_fold_origin(const struct text_folded *f, uint32_t at);

#endif
