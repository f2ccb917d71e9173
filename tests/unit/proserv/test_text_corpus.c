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
 * Of how many snippets kept aside, to be found and clean, a rule's numbers have to come. The four that seller and operator dispute
 * most rest on enough for one or two to be missed; the others on so few that 0.90 and 0.95 mean: on all of them.
 */
static const struct {
	const char *rule;
	unsigned found, clean;
} kept_aside[] = {
	{ "PS-SETUP-08", 50, 45 },
	{ "PS-CUST-01", 60, 55 },
	{ "PS-CUST-02", 55, 50 },
	{ "PS-ARCH-03", 50, 45 },
	{ "PS-SETUP-09", 10, 10 },
	{ "PS-OFF-03", 10, 10 },
	{ "PS-DET-01", 5, 5 },
	{ "PS-ARCH-05", 5, 5 },
	{ "PS-SETUP-03", 3, 3 },
	{ "PS-USE-03", 3, 3 },
	{ "PS-USE-04", 3, 3 },
	{ "PS-USE-06", 3, 3 },
	{ "PS-USE-10", 3, 3 },
	{ "PS-USE-08", 2, 2 },
	{ "PS-DET-05", 2, 2 },
	{ "PS-DET-06", 1, 1 },
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
	assert_true(print_scores(v, n) >= 1000);
}

static void
held_out(void **state)
{
	struct corpus_score v[RULES];
	size_t n = corpus_run(&corpus, true, false, v, RULES);

	(void)state;
	printf("kept aside:\n");
	assert_enough(v, n);
	assert_true(print_scores(v, n) >= 500);
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
