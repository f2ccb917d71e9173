/* SPDX-License-Identifier: Apache-2.0 */
/* How terms make a suspicion. For text_patterns.c, which lists it, and text.c, which looks. */
#ifndef SOUK_PROSERV_TEXT_INT_H
#define SOUK_PROSERV_TEXT_INT_H

#include "proserv/text.h"

#define PATTERN_PARTS 3

/* Whom a sentence has to speak of, beside the first part's term. */
enum speaking {
	SPEAKS_ANYHOW,
	SPEAKS_OF_US,    /* the seller: "our invoice", "a cheque to us" */
	SPEAKS_OF_YOURS, /* what the reader has: "your new password" */
	SPEAKS_OF_EITHER
};

/* A sentence with a term of each part and none of `none`; 0: the part asks for nothing. */
struct text_pattern {
	enum suspicion_kind kind;
	uint8_t score;
	bool negatable; /* a negation beside one of the parts' terms undoes it */
	enum speaking speaks;
	uint64_t part[PATTERN_PARTS];
	uint64_t none;
	uint32_t
	    near; /* bytes at most between terms of the first two parts, and no comma; 0: no matter */
};

extern const struct text_pattern text_patterns[];
extern const size_t n_text_patterns;

/* Two sentences in a row that make one notice: the first has both, the second this, and costs or a word for those of the first. */
#define PAIR_FIRST (TERM(COST) | TERM(INFRA))
#define PAIR_SECOND TERM(RESP)

/* Does a folded sentence speak so, in any of our languages, beside its bytes [start, end)? */
bool text_speaks(struct str sentence, size_t start, size_t end, enum speaking how);

/* Does a folded sentence speak of what went before: "they" at its beginning, "for these" anywhere? */
bool text_refers_back(struct str sentence);

/* A masked word: [start, end) of a text. Zero-initialise. */
struct masked {
	size_t start, end;
	unsigned looked_up;
};

/* The next offensive word of these languages, with signs in the place of letters, behind m->end. */
bool text_masked_next(struct str text, unsigned languages, struct masked *m);

#endif
