/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: complete, in the order of texts whatever the numbers, one reference with everything. */
#include "feeds/group.h"

#include "../base/check.h"

#define EVENTS 20000
#define REFERENCES 700
#define USERS 9

struct world {
	char reference[REFERENCES][16]; /* by number */
	char user[USERS][4];
	uint32_t event_reference[EVENTS], event_user[EVENTS];
	bool counted[EVENTS];
};

static bool
key(const void *ctx, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct world *w = ctx;

	*ret_primary = w->event_reference[event];
	ret_key[0] = w->event_user[event];
	return w->counted[event];
}

static struct str
reference(const void *ctx, uint32_t p)
{
	return str_c(((const struct world *)ctx)->reference[p]);
}

static int
compare(const void *ctx, const uint32_t *a, const uint32_t *b)
{
	const struct world *w = ctx;

	return text_order(str_c(w->user[a[0]]), str_c(w->user[b[0]]));
}

/* Numbers in another order by `shift`; the texts of each event stay. `one`: a single reference. */
static void
make(struct world *w, size_t shift, bool one)
{
	uint32_t seed = 7;

	for (size_t r = 0; r < REFERENCES; r++)
		(void)snprintf(w->reference[(r * 11 + shift) % REFERENCES], 16, "reference-%zu", r);
	for (size_t u = 0; u < USERS; u++)
		(void)snprintf(w->user[(u + shift) % USERS], 4, "u%zu", u);
	for (size_t e = 0; e < EVENTS; e++) {
		seed = seed * 1664525 + 1013904223;
		w->event_reference[e] =
		    (uint32_t)(((one ? 3 : seed >> 8) * (uint64_t)11 + shift) % REFERENCES);
		w->event_user[e] = (uint32_t)(((seed >> 20) + shift) % USERS);
		w->counted[e] = (seed & 0x70) != 0;
	}
}

static enum souk_err
group(const struct world *w, unsigned threads, struct groups *ret)
{
	const struct group_by by = { .n_events = EVENTS,
		.n_primaries = REFERENCES,
		.parts = 1,
		.key = key,
		.primary_text = reference,
		.compare = compare,
		.ctx = w,
		.threads = threads };

	return groups_make(&by, ret);
}

/* Every counted event in exactly one group, which is its own; groups in the order of texts. */
static void
check(const struct world *w, const struct groups *g)
{
	size_t counted = 0, seen = 0;

	for (size_t e = 0; e < EVENTS; e++)
		counted += w->counted[e];
	assert_int_equal(g->n_members, counted);
	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->groups[i];

		for (uint32_t m = x->first; m < x->first + x->n; m++) {
			uint32_t e = g->members[m];

			assert_true(w->counted[e]);
			assert_int_equal(w->event_reference[e], x->primary);
			assert_int_equal(w->event_user[e], x->key[0]);
			assert_true(m == x->first || g->members[m - 1] < e);
			seen++;
		}
		if (i > 0) {
			const struct group *b = x - 1;
			int order = text_order(reference(w, b->primary), reference(w, x->primary));

			assert_true(order < 0 || (order == 0 && compare(w, b->key, x->key) < 0));
		}
	}
	assert_int_equal(seen, counted);
}

static void
test_order_without_numbers(void **state)
{
	struct world *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct groups ga = { 0 }, gb = { 0 };

	(void)state;
	assert_true(a != NULL && b != NULL);
	for (unsigned threads = 1; threads <= 5; threads++) {
		make(a, 0, threads == 4);
		make(b, 123, threads == 4);
		assert_int_equal(group(a, 1, &ga), SOUK_OK);
		assert_int_equal(group(b, threads, &gb), SOUK_OK);
		check(a, &ga);
		check(b, &gb);
		assert_int_equal(ga.n, gb.n);
		for (size_t i = 0; i < ga.n; i++) {
			assert_string_equal(
			    a->reference[ga.groups[i].primary], b->reference[gb.groups[i].primary]);
			assert_string_equal(
			    a->user[ga.groups[i].key[0]], b->user[gb.groups[i].key[0]]);
			assert_int_equal(ga.groups[i].n, gb.groups[i].n);
			assert_memory_equal(&ga.members[ga.groups[i].first],
			    &gb.members[gb.groups[i].first], ga.groups[i].n * sizeof(*ga.members));
		}
		groups_free(&ga);
		groups_free(&gb);
	}
	free(a);
	free(b);
}

static void
test_nothing(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct groups g = { 0 };

	(void)state;
	assert_non_null(w);
	assert_int_equal(group(w, 3, &g), SOUK_OK);
	assert_int_equal(g.n, 0);
	groups_free(&g);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_without_numbers),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
