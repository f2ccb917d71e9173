/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of entries: newest first, filtered, and bounded in what one call looks at. */
#include "support.h"

#include "base/json.h"

struct page {
	struct audit_filter q;
	struct buf out;
	struct audit_place next;
	size_t n;
};

static enum souk_err
load(struct db_tx *tx, void *arg)
{
	struct page *g = arg;

	buf_clear(&g->out);
	buf_add_char(&g->out, '[');
	return audit_list(tx, &g->q, &g->out, &g->next, &g->n);
}

/* The page as an array; the caller drops it. */
static json_t *
list(struct place *p, struct page *g)
{
	json_t *a = NULL;
	struct fail f = { 0 };

	assert_int_equal(db_read(p->db, load, g), SOUK_OK);
	buf_add_char(&g->out, ']');
	if (json_read(buf_str(&g->out), &a, &f) != SOUK_OK)
		fail_msg("%s", g->out.p);
	assert_int_equal(json_array_size(a), g->n);
	/* That the chain was begun is an entry, too: looked at in a test of its own. */
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(a, i), "action")),
			"audit:BeginChain") == 0) {
			(void)json_array_remove(a, i);
			g->n--;
		}
	buf_done(&g->out);
	return a;
}

static json_int_t
number(const json_t *a, size_t i, const char *name)
{
	return json_integer_value(json_object_get(json_array_get(a, i), name));
}

static const char *
text(const json_t *a, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(a, i), name));
}

static void
test_members(void **state)
{
	struct place *p = *state;
	struct page g = { .q.limit = 10 };
	json_t *a;

	append(p, 4, 2);
	a = list(p, &g);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.next.seq, 0);
	assert_int_equal(number(a, 0, "seq"), 2);
	assert_int_equal(number(a, 0, "count"), 5);
	assert_string_equal(text(a, 0, "accountId"), "000000000001");
	assert_string_equal(text(a, 0, "actor"), "token:f2b1f5f0-0000-4000-8000-000000000000");
	assert_string_equal(text(a, 0, "action"), "psc:ReadContacts");
	assert_string_equal(text(a, 0, "resource"), "subscription/5");
	assert_string_equal(text(a, 0, "sellerId"), "000000000009");
	assert_string_equal(text(a, 0, "purpose"), "support");
	assert_string_equal(text(a, 0, "outcome"), "refused");
	assert_string_equal(text(a, 0, "requestId"), "r");
	assert_int_equal(strlen(text(a, 0, "at")), INSTANT_TEXT_LEN);
	assert_string_equal(text(a, 1, "outcome"), "allowed");
	json_decref(a);
}

static void
test_pages(void **state)
{
	struct place *p = *state;
	struct page g = { .q.limit = 4 };
	json_t *a;
	int64_t want = 11;

	a = list(p, &g);
	assert_int_equal(g.n, 0);
	assert_int_equal(g.next.seq, 0);
	json_decref(a);
	append(p, 1, 11);
	do {
		a = list(p, &g);
		for (size_t i = 0; i < g.n; i++)
			assert_int_equal(number(a, i, "seq"), want--);
		json_decref(a);
		g.q.before = g.next;
	} while (g.next.seq != 0);
	assert_int_equal(want, 0);
	/* A page that ends with the first entry has no next one. */
	g = (struct page){ .q = { .limit = 11 + (size_t)p->mentions } };
	json_decref(list(p, &g));
	assert_int_equal(g.n, 11);
	assert_int_equal(g.next.seq, 0);
}

static void
test_filters(void **state)
{
	struct place *p = *state;
	struct page g = { .q = { .limit = 100, .account_id = STR("000000000002") } };

	append(p, 1, 12);
	json_decref(list(p, &g));
	assert_int_equal(g.n, 6);
	g = (struct page){ .q = { .limit = 100, .seller_id = STR("000000000009") } };
	json_decref(list(p, &g));
	assert_int_equal(g.n, 8);
	g.q.account_id = STR("000000000002");
	json_decref(list(p, &g));
	assert_int_equal(g.n, 4);
	g.q.account_id = STR("999999999999");
	json_decref(list(p, &g));
	assert_int_equal(g.n, 0);
	assert_int_equal(g.next.seq, 0);
}

/* Entries of one account, 2, in one transaction. */
static enum souk_err
append_others(struct db_tx *tx, void *arg)
{
	struct batch b = { .vault = arg, .from = 2, .n = 1 };
	enum souk_err r = SOUK_OK;

	for (int i = 0; i < 10000 && r == SOUK_OK; i++)
		r = batch_append(tx, &b);
	return r;
}

/* A filter that fits the oldest entry only: the first page ends before it gets there. */
static void
test_rare_filter(void **state)
{
	struct place *p = *state;
	struct page g = { .q = { .limit = 10, .account_id = STR("000000000001") } };

	append(p, 1, 1);
	assert_int_equal(db_write(p->db, append_others, p->vault), SOUK_OK);
	json_decref(list(p, &g));
	assert_int_equal(g.n, 0);
	assert_int_equal(g.next.seq, 2);
	g.q.before = g.next;
	json_decref(list(p, &g));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.next.seq, 0);
}

/* Several chains come as one list in order of time, each entry once, also when pages are small. */
static void
test_chains_merge(void **state)
{
	struct place *p = *state;
	struct place other = *p;
	struct page g = { .q.limit = 3 };
	const char *before = "9";
	char at[INSTANT_TEXT_LEN + 1];
	json_int_t want = 20;
	int64_t entries = 0;

	place_open(&other);
	for (int i = 1; i <= 20; i++) {
		append(i % 3 ? p : &other, i, 1);
		clock_sleep_ms(2);
	}
	do {
		json_t *a = list(p, &g);

		for (size_t i = 0; i < g.n; i++, entries++) {
			assert_int_equal(number(a, i, "count"), want--);
			assert_true(strcmp(text(a, i, "at"), before) <= 0);
			(void)snprintf(at, sizeof(at), "%s", text(a, i, "at"));
			before = at;
		}
		json_decref(a);
		g.q.before = g.next;
	} while (g.next.seq != 0);
	assert_int_equal(entries, 20);
	db_close(other.db);
}

static void
test_places(void **state)
{
	static const char *const bad[] = { "", "1", "1.2", "1.2.", ".1.2", "1.2.3.4", "1.-2.3",
		"1.2.0", "1.2.-3", "1.2.x", "a.2.3", "1.2.99999999999999999999" };
	struct audit_place p = { .at = -5, .chain = 7, .seq = 12 }, q;
	struct buf b = { 0 };

	(void)state;
	audit_place_add(&b, &p);
	assert_string_equal(b.p, "-5.7.12");
	assert_true(audit_place_parse(buf_str(&b), &q));
	assert_memory_equal(&p, &q, sizeof(p));
	buf_done(&b);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (audit_place_parse(str_c(bad[i]), &q))
			fail_msg("%s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_members),
		IN_PLACE(test_pages),
		IN_PLACE(test_filters),
		IN_PLACE(test_rare_filter),
		IN_PLACE(test_chains_merge),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
