/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Precision and recall of the rules on words over the labelled snippets: printed for each rule, and demanded on the third that
 * nobody looked at while terms were tuned. TELL=1 in the environment prints what went wrong in the other files.
 */
#include "check.h"

#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>

#define RULES 32
#define PRECISION 0.95
#define RECALL 0.90

static struct corpus corpus;

static int
set_up(void **state)
{
	(void)state;
	corpus_open(&corpus);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	corpus_close(&corpus);
	return 0;
}

static double
share(unsigned part, unsigned rest)
{
	return part + rest > 0 ? (double)part / (part + rest) : 1;
}

static unsigned
print_scores(const struct corpus_score *v, size_t n)
{
	unsigned snippets = 0, low = 0;

	for (size_t i = 0; i < n; i++) {
		const struct corpus_score *s = &v[i];
		double precision = share(s->right, s->wrong), recall = share(s->right, s->missed);

		printf("%-12s %3u snippets, %2u to be found: precision %.3f recall %.3f\n", s->rule,
		    s->right + s->missed + s->wrong + s->clean, s->right + s->missed, precision,
		    recall);
		snippets += s->right + s->missed + s->wrong + s->clean;
		low += precision <= PRECISION || recall <= RECALL;
	}
	assert_int_equal(low, 0);
	return snippets;
}

static void
tuned(void **state)
{
	struct corpus_score v[RULES];
	size_t n = corpus_run(&corpus, false, getenv("TELL") != NULL, v, RULES);

	(void)state;
	assert_true(print_scores(v, n) >= 200);
}

static void
held_out(void **state)
{
	struct corpus_score v[RULES];
	size_t n = corpus_run(&corpus, true, false, v, RULES);

	(void)state;
	printf("kept aside:\n");
	assert_true(print_scores(v, n) >= 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuned),
		cmocka_unit_test(held_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
