/* SPDX-License-Identifier: Apache-2.0 */
/* The slow threads: everything added is run once, also what waits when they are told to end. */
#include "server/slow.h"

#include "check.h"

#include <stdatomic.h>
#include <stdlib.h>

#define TASKS 2000

struct job {
	struct slow_task task; /* first: the task is the job */
	atomic_int *count;
	struct slow *again; /* adds itself once more */
};

static void
run_job(struct slow_task *t)
{
	struct job *j = (struct job *)t;
	struct slow *again = j->again;

	j->again = NULL;
	atomic_fetch_add(j->count, 1);
	if (again)
		slow_add(again, t);
	else
		free(j);
}

static void
test_all_run(void **state)
{
	struct slow *s;
	atomic_int count = 0;

	(void)state;
	assert_int_equal(slow_new(3, &s), SOUK_OK);
	for (int i = 0; i < TASKS; i++) {
		struct job *j = calloc(1, sizeof(*j));

		assert_non_null(j);
		*j =
		    (struct job){ .task.run = run_job, .count = &count, .again = i % 2 ? s : NULL };
		slow_add(s, &j->task);
	}
	slow_free(s); /* most are still waiting */
	assert_int_equal(count, TASKS + TASKS / 2);
}

/* A task that adds another keeps working; in order with one thread. */
struct ordered {
	struct slow_task task;
	int *seen, *n;
	int id;
};

static void
run_ordered(struct slow_task *t)
{
	struct ordered *o = (struct ordered *)t;

	o->seen[(*o->n)++] = o->id;
}

static void
test_order(void **state)
{
	struct ordered o[100];
	int seen[COUNT(o)], n = 0;
	struct slow *s;

	(void)state;
	assert_int_equal(slow_new(1, &s), SOUK_OK);
	for (int i = 0; i < (int)COUNT(o); i++) {
		o[i] = (struct ordered){ .task.run = run_ordered, .seen = seen, .n = &n, .id = i };
		slow_add(s, &o[i].task);
	}
	slow_free(s);
	assert_int_equal(n, COUNT(o));
	for (int i = 0; i < n; i++)
		assert_int_equal(seen[i], i);
}

static void
test_nothing_to_do(void **state)
{
	struct slow *s;

	(void)state;
	slow_free(NULL);
	assert_int_equal(slow_new(2, &s), SOUK_OK);
	slow_free(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_run),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
