/* SPDX-License-Identifier: Apache-2.0 */
/* The labelled snippets of tests/corpus/proserv, and what the rules on words say of each. */
#ifndef TESTS_PROSERV_CORPUS_H
#define TESTS_PROSERV_CORPUS_H

#include "proserv/text.h"

/* Counts of one rule. */
struct corpus_score {
	char rule[16];
	unsigned right, missed, wrong, clean; /* true and false positives and negatives */
};

struct corpus {
	struct text_engine *engine;
	struct text_scratch *scratch;
};

void corpus_open(struct corpus *c);
void corpus_close(struct corpus *c);
/*
 * Reviews every snippet of the files whose names begin with "held-out-" (or of the others) in an otherwise
 * plain listing, and counts by rule; returns how many rules. With `tell`, prints each that went wrong.
 */
size_t corpus_run(struct corpus *c, bool held_out, bool tell, struct corpus_score *ret, size_t max);

#endif
