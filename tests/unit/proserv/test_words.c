/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every heuristic rule against its table of listings, as souk review sees them: with the texts scanned. Then the
 * table against the rules: without any one rule it must notice.
 */
#include "check.h"
#include "vectors.h"

#include "proserv/review.h"
#include "proserv/text.h"

#include <stdlib.h>

static json_t *base, *base_context, *cases;
static struct text_engine *engine;
static struct text_scratch *scratch;

static int
open_all(void **state)
{
	struct fail f = { 0 };

	(void)state;
	base = vectors_read("listing.json");
	base_context = vectors_read("context.json");
	cases = vectors_read("words.json");
	return text_engine_new(&engine, &f) != SOUK_OK ||
	       text_scratch_new(engine, &scratch) != SOUK_OK;
}

static int
close_all(void **state)
{
	(void)state;
	text_scratch_free(scratch);
	text_engine_free(engine);
	json_decref(base);
	json_decref(base_context);
	json_decref(cases);
	return 0;
}

static struct str
text_of(json_t *doc, struct arena *a)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	struct str s = arena_str(a, str_c(text));

	free(text);
	json_decref(doc);
	assert_non_null(s.p);
	return s;
}

static void
review(const json_t *c, const struct review_options *o, struct arena *a, struct findings *found)
{
	struct listing l;
	struct review_context context;
	struct logo_facts facts;
	struct review_input in = {
		.listing = &l, .context = &context, .logo = vectors_logo(c, &facts)
	};
	struct fail f = { 0 };

	if (listing_read(text_of(vectors_listing(base, c), a), a, &l, &f) != SOUK_OK ||
	    review_context_read(text_of(vectors_context(base_context, c), a), a, &context, &f) !=
		SOUK_OK)
		fail_msg("%s: %s", f.entry[0].field, f.entry[0].what);
	assert_int_equal(text_scan(engine, scratch, &l, a, &in.text), SOUK_OK);
	findings_init(found, a);
	assert_int_equal(review_run(&in, o, found), SOUK_OK);
}

/* "W /pointer [evidence], ..." of the rule's heuristic part. */
static void
describe(const struct findings *found, const char *rule, struct buf *out)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct finding *f = &found->v[i];

		if (strcmp(f->rule->id, rule) != 0 || f->kind != KIND_HEURISTIC)
			continue;
		buf_printf(out, "%s%s ", out->n > 0 ? ", " : "", severity_letter(f->severity));
		buf_add_str(out, f->pointer);
		if (f->evidence.n > 0) {
			buf_add_c(out, " [");
			buf_add_str(out, f->evidence);
			buf_add_c(out, "]");
		}
	}
}

static bool
as_wanted(const json_t *c, const bool *skip, bool tell)
{
	const char *rule = json_string_value(json_object_get(c, "rule"));
	struct review_options o = { .skip = skip };
	struct buf got = { 0 }, want = { 0 };
	struct arena *a = arena_new(FINDINGS_ARENA);
	struct findings found;
	const json_t *w;
	size_t i;
	bool same;

	review(c, &o, a, &found);
	describe(&found, rule, &got);
	json_array_foreach(json_object_get(c, "want"), i, w)
	    buf_printf(&want, "%s%s", i > 0 ? ", " : "", json_string_value(w));
	same = str_eq(buf_str(&got), buf_str(&want));
	if (!same && tell)
		print_error("%s, %s: want %s, got %s\n", rule,
		    json_string_value(json_object_get(c, "name")), want.n > 0 ? want.p : "nothing",
		    got.n > 0 ? got.p : "nothing");
	buf_done(&got);
	buf_done(&want);
	arena_free(a);
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
}

/* The whole table of rules, each left out in turn: its listings that pass still do, and those that fail do not. */
static void
test_table_notices(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_rules; k++) {
		bool skip[RULES_MAX] = { false };
		size_t i, passing = 0, missed = 0, failing = 0;
		const json_t *c;

		skip[k] = true;
		json_array_foreach(cases, i, c)
		{
			bool fails = json_array_size(json_object_get(c, "want")) > 0;

			if (strcmp(rules[k].id, json_string_value(json_object_get(c, "rule"))) != 0)
				continue;
			failing += fails;
			passing += !fails;
			missed += !as_wanted(c, skip, false);
		}
		if (rules[k].heuristic != NULL && (passing == 0 || failing == 0))
			fail_msg("%s: %zu cases pass, %zu fail", rules[k].id, passing, failing);
		if (missed != failing)
			fail_msg("%s: without it %zu of %zu would be missed", rules[k].id, missed,
			    failing);
	}
}

/* The listing that all others are made of has nothing that anybody must look at, but the questions. */
static void
test_base_passes(void **state)
{
	static const enum edition editions[] = { EDITION_G21, EDITION_G22 };

	(void)state;
	for (size_t e = 0; e < 2; e++) {
		struct review_options o = { .edition = editions[e] };
		struct arena *a = arena_new(FINDINGS_ARENA);
		struct findings found;

		review(NULL, &o, a, &found);
		for (size_t i = 0; i < found.n; i++) {
			if (found.v[i].kind == KIND_HEURISTIC)
				fail_msg("%s %s", found.v[i].rule->id, found.v[i].message.p);
			assert_int_equal(found.v[i].severity, SEVERITY_INFO);
		}
		arena_free(a);
	}
}

/* What is never repeated, wherever it stands: numbers of cards and accounts, addresses of mail. */
static void
test_secrets_stay(void **state)
{
	json_t *c = json_pack("{s:{s:s, s:s, s:s}}", "set", "/short_description",
	    "Send us 4111 1111 1111 1111 and GB82WEST12345698765432.", "/offers/0/name",
	    "For Jane Carter, jane@example.com", "/support_description",
	    "Pay us to 4111111111111111 by card, invoiced separately.");
	struct review_options o = { .edition = EDITION_G21 };
	struct arena *a = arena_new(FINDINGS_ARENA);
	struct findings found;

	(void)state;
	review(c, &o, a, &found);
	assert_true(found.n > 3);
	for (size_t i = 0; i < found.n; i++) {
		static const char *const secrets[] = { "1111", "123456", "jane" };

		for (size_t k = 0; k < 3; k++)
			if (strstr(found.v[i].message.p, secrets[k]) != NULL ||
			    memmem(found.v[i].evidence.p, found.v[i].evidence.n, secrets[k],
				strlen(secrets[k])) != NULL)
				fail_msg("%s repeats %s", found.v[i].rule->id, secrets[k]);
	}
	json_decref(c);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base_passes),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_notices),
		cmocka_unit_test(test_secrets_stay),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
