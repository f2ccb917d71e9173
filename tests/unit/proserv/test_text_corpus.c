/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Precision and recall of the rules on words over the labelled snippets: printed for each rule, and demanded of each, also on those
 * that nobody looked at while terms were tuned. TELL=1 in the environment prints what went wrong in the other files.
 */
#include "check.h"

#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>

#define RULES 32
#define PRECISION 0.95
#define RECALL 0.90

/*
 * Of how many snippets kept aside, to be found and clean, a rule's numbers have to come. One that is told wrongly, or missed, may be chance: where
 * there are few, it is let pass.
 *
 * What a policy forbids has no end. Of abuse that nobody had thought of, put plainly, PS-SETUP-09 found half to two thirds each time;
 * so a person is asked as well, whatever it finds.
 */
static const struct {
	const char *rule;
	unsigned found, clean;
	double recall; /* 0: as that of all */
} kept_aside[] = {
	{ "PS-SETUP-08", 69, 65, 0 },
	{ "PS-CUST-01", 82, 78, 0 },
	{ "PS-CUST-02", 76, 74, 0 },
	{ "PS-ARCH-03", 67, 64, 0 },
	{ "PS-SETUP-09", 24, 23, 0.70 },
	{ "PS-OFF-03", 23, 22, 0 },
	{ "PS-DET-01", 17, 15, 0 },
	{ "PS-ARCH-05", 18, 19, 0 },
	{ "PS-SETUP-03", 12, 12, 0 },
	{ "PS-USE-03", 11, 13, 0 },
	{ "PS-USE-04", 10, 10, 0 },
	{ "PS-USE-06", 11, 12, 0 },
	{ "PS-USE-10", 13, 13, 0 },
	{ "PS-USE-08", 9, 9, 0 },
	{ "PS-DET-05", 10, 10, 0 },
	{ "PS-DET-06", 9, 9, 0 },
};

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

static double
least_recall(const char *rule, bool held_out)
{
	for (size_t i = 0; held_out && i < sizeof(kept_aside) / sizeof(kept_aside[0]); i++)
		if (strcmp(kept_aside[i].rule, rule) == 0 && kept_aside[i].recall > 0)
			return kept_aside[i].recall;
	return RECALL;
}

static unsigned
print_scores(const struct corpus_score *v, size_t n, bool held_out)
{
	unsigned snippets = 0, low = 0;

	for (size_t i = 0; i < n; i++) {
		const struct corpus_score *s = &v[i];
		double precision = share(s->right, s->wrong), recall = share(s->right, s->missed);

		printf("%-12s %3u snippets, %2u to be found: precision %.3f recall %.3f\n", s->rule,
		    s->right + s->missed + s->wrong + s->clean, s->right + s->missed, precision,
		    recall);
		snippets += s->right + s->missed + s->wrong + s->clean;
		low += (precision <= PRECISION && s->wrong > 1) ||
		       (recall <= least_recall(s->rule, held_out) && s->missed > 1);
	}
	assert_int_equal(low, 0);
	return snippets;
}

/* Without its snippets a rule would do well. */
static void
assert_enough(const struct corpus_score *v, size_t n)
{
	for (size_t i = 0; i < sizeof(kept_aside) / sizeof(kept_aside[0]); i++) {
		size_t k = 0;

		while (k < n && strcmp(v[k].rule, kept_aside[i].rule) != 0)
			k++;
		if (k == n || v[k].right + v[k].missed < kept_aside[i].found ||
		    v[k].wrong + v[k].clean < kept_aside[i].clean)
			fail_msg("%s has too few snippets", kept_aside[i].rule);
	}
}

static void
tuned(void **state)
{
	struct corpus_score v[RULES];
	size_t n = corpus_run(&corpus, false, getenv("TELL") != NULL, v, RULES);

	(void)state;
	assert_true(print_scores(v, n, false) >= 1000);
}

static void
held_out(void **state)
{
	struct corpus_score v[RULES];
	size_t n = corpus_run(&corpus, true, false, v, RULES);

	(void)state;
	printf("kept aside:\n");
	assert_enough(v, n);
	assert_true(print_scores(v, n, true) >= 900);
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
