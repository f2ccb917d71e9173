/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every deterministic rule against its table of listings: one that passes, the boundaries, one that
 * fails. Then the table against the rules: without any one rule it must notice.
 */
#include "check.h"
#include "vectors.h"

#include "base/io.h"
#include "proserv/review.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *base, *base_context, *cases;

static int
open_vectors(void **state)
{
	(void)state;
	base = vectors_read("listing.json");
	base_context = vectors_read("context.json");
	cases = vectors_read("cases.json");
	return 0;
}

static int
close_vectors(void **state)
{
	(void)state;
	json_decref(base);
	json_decref(base_context);
	json_decref(cases);
	return 0;
}

/* One listing with its context, read. */
struct made {
	struct arena *a;
	struct listing listing;
	struct review_context context;
	struct findings found;
};

static void
read_text(struct made *m, const json_t *doc, bool is_context, const char *name)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	struct fail f = { 0 };
	enum souk_err r = is_context ? review_context_read(str_c(text), m->a, &m->context, &f)
				     : listing_read(str_c(text), m->a, &m->listing, &f);

	if (r != SOUK_OK)
		fail_msg("%s: %s: %s", name, f.entry[0].field, f.entry[0].what);
	free(text);
}

static void
make(struct made *m, const json_t *c, const bool *skip)
{
	struct logo_facts facts;
	const char *name = json_string_value(json_object_get(c, "name"));
	json_t *doc = vectors_listing(base, c), *context = vectors_context(base_context, c);
	struct review_input in = {
		.listing = &m->listing, .context = &m->context, .logo = vectors_logo(c, &facts)
	};
	struct review_options o = { .skip = skip };

	m->a = arena_new(FINDINGS_ARENA);
	assert_non_null(m->a);
	read_text(m, doc, false, name);
	read_text(m, context, true, name);
	findings_init(&m->found, m->a);
	assert_int_equal(review_run(&in, &o, &m->found), SOUK_OK);
	json_decref(doc);
	json_decref(context);
}

/* What the rule's deterministic part and question said, in the form of "want". */
static void
describe(const struct made *m, const char *rule, struct buf *out)
{
	for (size_t i = 0; i < m->found.n; i++) {
		const struct finding *f = &m->found.v[i];

		if (strcmp(f->rule->id, rule) != 0 ||
		    (f->kind == KIND_HEURISTIC && f->rule->check != NULL))
			continue;
		buf_printf(out, "%s%s ", out->n > 0 ? ", " : "",
		    f->kind == KIND_HUMAN ? "H" : severity_letter(f->severity));
		buf_add_str(out, f->pointer);
	}
}

static bool
as_wanted(const json_t *c, const bool *skip, bool tell)
{
	const char *rule = json_string_value(json_object_get(c, "rule"));
	struct buf got = { 0 }, want = { 0 };
	struct made m = { 0 };
	const json_t *w;
	size_t i;
	bool same;

	make(&m, c, skip);
	describe(&m, rule, &got);
	json_array_foreach(json_object_get(c, "want"), i, w)
	    buf_printf(&want, "%s%s", i > 0 ? ", " : "", json_string_value(w));
	same = str_eq(buf_str(&got), buf_str(&want));
	if (!same && tell)
		print_error("%s, %s: want [%s], got [%s]\n", rule,
		    json_string_value(json_object_get(c, "name")), want.n > 0 ? want.p : "",
		    got.n > 0 ? got.p : "");
	buf_done(&got);
	buf_done(&want);
	arena_free(m.a);
	return same;
}

static void
test_table(void **state)
{
	size_t i, wrong = 0;
	const json_t *c;

	(void)state;
	json_array_foreach(cases, i, c) wrong += !as_wanted(c, NULL, true);
	assert_int_equal(wrong, 0);
	assert_true(i > 250);
}

/* Is every rule that decides something here, with one listing that passes and one that does not? */
static void
test_table_is_whole(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_rules; k++) {
		size_t i, pass = 0, fail = 0;
		const json_t *c;

		json_array_foreach(cases, i, c)
		{
			const json_t *want = json_object_get(c, "want");
			bool mine =
			    strcmp(rules[k].id, json_string_value(json_object_get(c, "rule"))) == 0;
			const char *first = json_string_value(json_array_get(want, 0));

			pass += mine && (first == NULL || first[0] == 'H');
			fail += mine && first != NULL && first[0] != 'H';
		}
		if (rules[k].check != NULL && (pass == 0 || fail == 0))
			fail_msg("%s: %zu cases pass, %zu fail", rules[k].id, pass, fail);
	}
}

static void
test_table_notices(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_rules; k++) {
		bool skip[RULES_MAX] = { false };
		size_t i, wrong = 0;
		const json_t *c;

		if (rules[k].check == NULL)
			continue;
		skip[k] = true;
		json_array_foreach(cases, i,
		    c) if (strcmp(rules[k].id, json_string_value(json_object_get(c, "rule"))) == 0)
		    wrong += !as_wanted(c, skip, false);
		if (wrong == 0)
			fail_msg("%s: nobody would miss it", rules[k].id);
	}
}

/* The base listing: nothing above information, on purpose of all other tests. */
static void
test_base_passes(void **state)
{
	struct made m = { 0 };

	(void)state;
	make(&m, NULL, NULL);
	for (size_t i = 0; i < m.found.n; i++)
		assert_int_equal(m.found.v[i].severity, SEVERITY_INFO);
	assert_false(findings_block(&m.found));
	arena_free(m.a);
}

static void
test_rules_are_told(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_rules; k++) {
		const struct rule *r = &rules[k];

		assert_ptr_equal(rule_find(str_c(r->id)), r); /* no id twice */
		assert_true(r->editions != 0 && (r->editions & ~(unsigned)EDITION_ALL) == 0);
		assert_true(r->requirement[0] != '\0' && r->citation[0] != '\0');
		assert_true(r->hint[0] != '\0');
		assert_true(r->check != NULL || r->heuristic != NULL || r->question != NULL);
		assert_true((r->question == NULL) == (r->question_at == NULL));
	}
	assert_null(rule_find(STR("PS-DET-99")));
	assert_null(rule_find(STR("")));
}

static void
test_order(void **state)
{
	json_t *c = json_pack("{s:s, s:{s:n, s:n, s:n, s:[]}}", "name", "order", "set", "/title",
	    "/highlights", "/offers/0/prices", "/docs");
	struct made m = { 0 };

	(void)state;
	make(&m, c, NULL);
	assert_true(m.found.n > 5);
	for (size_t i = 1; i < m.found.n; i++) {
		int d = str_compare(m.found.v[i - 1].pointer, m.found.v[i].pointer);

		assert_true(d <= 0);
		if (d == 0)
			assert_true(strcmp(m.found.v[i - 1].rule->id, m.found.v[i].rule->id) <= 0);
	}
	assert_true(findings_block(&m.found));
	json_decref(c);
	arena_free(m.a);
}

/* A listing of nothing but faults does not grow without bound. */
static void
test_many_places(void **state)
{
	json_t *c = json_pack(
	    "{s:s, s:{s:[i, {s:s}]}}", "name", "many", "list", "/resources", 1000, "name", "n");
	struct made m = { 0 };
	size_t n = 0;

	(void)state;
	make(&m, c, NULL);
	for (size_t i = 0; i < m.found.n; i++)
		n += strcmp(m.found.v[i].rule->id, "PS-DET-16") == 0;
	assert_int_equal(n, FINDINGS_PER_RULE + 1);
	json_decref(c);
	arena_free(m.a);
}

static void
test_full_arena(void **state)
{
	json_t *c = json_pack("{s:s}", "name", "full");
	struct made m = { 0 };
	struct review_input in = { .listing = &m.listing };
	struct findings found;
	struct arena *small = arena_new(200);

	(void)state;
	make(&m, c, NULL);
	findings_init(&found, small);
	assert_int_equal(review_run(&in, NULL, &found), SOUK_E_NOMEM);
	json_decref(c);
	arena_free(small);
	arena_free(m.a);
}

/* A rule's row of the table in docs/proserv.md. */
static void
row_of(const struct rule *r, struct buf *out)
{
	buf_printf(out, "| %s | %s | %s%s%s | %s | %s | %s |\n", r->id,
	    severity_letter(r->severity), r->check != NULL ? "D" : "",
	    r->heuristic != NULL ? "H" : "", r->question != NULL ? "M" : "",
	    r->editions == EDITION_ALL   ? "G21, G22"
	    : r->editions == EDITION_G21 ? "G21"
					 : "G22",
	    r->requirement, r->hint);
}

static void
test_page_tells_the_table(void **state)
{
	struct buf page = { 0 }, row = { 0 };
	struct fail f = { 0 };
	size_t rows = 0, wrong = 0;

	(void)state;
	assert_int_equal(io_read_file(SOUK_SOURCE "/docs/proserv.md", 1 << 20, &page, &f), SOUK_OK);
	for (const char *p = page.p; (p = strstr(p, "\n| PS-")) != NULL; p++)
		rows++;
	for (size_t k = 0; k < n_rules; k++) {
		buf_clear(&row);
		row_of(&rules[k], &row);
		if (strstr(page.p, row.p) == NULL) {
			print_error("docs/proserv.md has no row\n%s", row.p);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(rows, n_rules);
	buf_done(&page);
	buf_done(&row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base_passes),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_table_notices),
		cmocka_unit_test(test_rules_are_told),
		cmocka_unit_test(test_page_tells_the_table),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_many_places),
		cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, open_vectors, close_vectors);
}
