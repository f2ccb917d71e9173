/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment in enhanced data sharing: every requirement bars the way alone, and who decides what. */
#include "unit/market/market_test.h"

#include "edsp/enrol.h"

static enum souk_err
give(struct world *w, const struct tenant_scope *s, enum edsp_requirement q, const char *text)
{
	struct edsp_evidence e;
	enum souk_err r = edsp_evidence_parse(world_json(w, text), q, w->mem, &e, world_fail(w));

	return r == SOUK_OK ? edsp_evidence_give(w->tx, s, STR(SELLER), q, &e, world_fail(w)) : r;
}

static const char *const good[EDSP_REQUIREMENTS] = {
	[EDSP_R2] = "{'document':'plan.pdf','attests':['metered','hourly','annual','monthly']}",
	[EDSP_R3] = "{'document':'https://seller.example/memo','effectiveOn':'2026-01-31'}",
	[EDSP_R4] = "{'termsVersion':'2020-05','attests':['confidential','no-lead-generation']}",
	[EDSP_R5] = "{'attests':['field-sales-compensation-only']}",
};

static enum souk_err
decide(struct world *w, enum edsp_requirement q, bool accepted)
{
	return edsp_evidence_decide(
	    w->tx, &w->op, STR(SELLER), q, accepted, STR("looked at it"), world_fail(w));
}

static enum souk_err
set(struct world *w, const struct tenant_scope *s, bool enrolled)
{
	struct enrolment e;

	return edsp_enrolment_set(w->tx, s, STR(SELLER), enrolled, &e, world_fail(w));
}

static void
assert_participates(struct world *w, bool want)
{
	bool is = !want;

	assert_int_equal(edsp_participates(w->tx, STR(SELLER), &is), SOUK_OK);
	assert_int_equal(is, want);
}

/* A public product of the seller's with that pricing. */
static void
sells(struct world *w, const char *type, const char *pricing)
{
	(void)world_product(
	    w, arena_printf(w->mem,
		   "{'sellerId':'" SELLER "','title':'P','type':'%s','pricing':%s,'state':'public',"
		   "'supportEmail':'support@example.com'}",
		   type, pricing));
}

static void
all_given_but(struct world *w, int but)
{
	for (int q = EDSP_R2; q < EDSP_REQUIREMENTS; q++)
		if (q != but) {
			assert_int_equal(
			    give(w, &w->seller, (enum edsp_requirement)q, good[q]), SOUK_OK);
			assert_int_equal(decide(w, (enum edsp_requirement)q, true), SOUK_OK);
		}
}

static void
assert_unmet(struct world *w, const char *name)
{
	assert_int_equal(set(w, &w->op, true), SOUK_E_CONFLICT);
	assert_code(w, "requirements_unmet");
	assert_int_equal(w->f.n_total, 1);
	assert_field(w, name);
	assert_participates(w, false);
}

static void
each_bars_the_way(struct world *w)
{
	assert_int_equal(set(w, &w->op, true), SOUK_E_CONFLICT);
	assert_int_equal(w->f.n_total, 5);
	sells(w, "saas", "['monthly','annual']");
	all_given_but(w, EDSP_R4);
	assert_unmet(w, "EDSP-R4");
	assert_int_equal(give(w, &w->seller, EDSP_R4, good[EDSP_R4]), SOUK_OK);
	assert_unmet(w, "EDSP-R4"); /* given, not decided */
	assert_int_equal(decide(w, EDSP_R4, false), SOUK_OK);
	assert_unmet(w, "EDSP-R4");
	assert_int_equal(decide(w, EDSP_R4, true), SOUK_OK);
	assert_int_equal(set(w, &w->op, true), SOUK_OK);
	assert_participates(w, true);
	/* Other evidence is decided anew; the standing is the operator's to take away. */
	assert_int_equal(give(w, &w->op, EDSP_R4, good[EDSP_R4]), SOUK_OK);
	assert_int_equal(set(w, &w->op, true), SOUK_OK);
	assert_participates(w, true);
	assert_int_equal(set(w, &w->op, false), SOUK_OK);
	assert_participates(w, false);
	assert_unmet(w, "EDSP-R4");
}
WORLD_TEST(each_bars_the_way)

static void
products_are_looked_up(struct world *w)
{
	all_given_but(w, -1);
	assert_unmet(w, "EDSP-R1"); /* the world's only product is a limited one */
	sells(w, "saas", "['annual']");
	sells(w, "services", "['contract']");
	sells(w, "ami", "['free']");
	assert_unmet(w, "EDSP-R1");
	assert_int_equal(give(w, &w->op, EDSP_R1, "{}"), SOUK_E_CONFLICT);
	assert_code(w, "computed");
	assert_int_equal(decide(w, EDSP_R1, true), SOUK_OK);
	assert_int_equal(set(w, &w->op, true), SOUK_OK);
	assert_int_equal(set(w, &w->op, false), SOUK_OK);
	/* What could have a price is not to be excused. */
	sells(w, "ami", "['hourly']");
	assert_unmet(w, "EDSP-R1");
	assert_int_equal(decide(w, EDSP_R1, true), SOUK_OK);
	assert_unmet(w, "EDSP-R1");
}
WORLD_TEST(products_are_looked_up)

static void
who_may(struct world *w)
{
	struct edsp_evidence e = { STR(""), STR(""), STR(""), STR("[]") };

	assert_int_equal(give(w, &w->seller_b, EDSP_R3, good[EDSP_R3]), SOUK_E_NOT_FOUND);
	assert_int_equal(give(w, &w->buyer, EDSP_R3, good[EDSP_R3]), SOUK_E_NOT_FOUND);
	assert_int_equal(edsp_evidence_give(w->tx, &w->op, STR(BUYER), EDSP_R3, &e, world_fail(w)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(edsp_evidence_decide(
			     w->tx, &w->seller, STR(SELLER), EDSP_R3, true, STR(""), world_fail(w)),
	    SOUK_E_DENIED);
	assert_int_equal(decide(w, EDSP_R3, true), SOUK_E_CONFLICT);
	assert_code(w, "nothing_given");
	assert_int_equal(set(w, &w->seller, true), SOUK_E_DENIED);
	assert_int_equal(set(w, &w->op, false), SOUK_E_NOT_FOUND);
}
WORLD_TEST(who_may)

static void
assert_bad(struct world *w, enum edsp_requirement q, const char *text, const char *field)
{
	assert_int_equal(give(w, &w->seller, q, text), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
forms(struct world *w)
{
	assert_bad(w, EDSP_R2, "{'document':'x'}", "attests");
	assert_bad(
	    w, EDSP_R2, "{'document':'x','attests':['hourly','monthly','annual']}", "attests");
	assert_bad(w, EDSP_R2,
	    "{'document':'x','attests':['hourly','monthly','annual','metered','x']}", "attests");
	assert_bad(w, EDSP_R2,
	    "{'document':'x','attests':['hourly','monthly','annual','metered'],'termsVersion':'1'}",
	    "termsVersion");
	assert_bad(w, EDSP_R3, "{'document':'','effectiveOn':'2026-01-31'}", "document");
	assert_bad(w, EDSP_R3, "{'document':'x','effectiveOn':'2026-02-30'}", "effectiveOn");
	assert_bad(
	    w, EDSP_R3, "{'document':'x','effectiveOn':'2026-01-31T00:00:00Z'}", "effectiveOn");
	assert_bad(w, EDSP_R4,
	    arena_printf(
		w->mem, "{'termsVersion':'%s','attests':['confidential']}", letters(w, 65)),
	    "termsVersion");
	assert_bad(w, EDSP_R5, "{'attests':[1]}", "attests");
	assert_bad(w, EDSP_R5, "{}", "attests");
}
WORLD_TEST(forms)

static void
written(struct world *w)
{
	struct jw out = world_list_begin(w);

	sells(w, "ami", "['hourly']");
	assert_int_equal(give(w, &w->seller, EDSP_R2, good[EDSP_R2]), SOUK_OK);
	assert_int_equal(decide(w, EDSP_R2, false), SOUK_OK);
	assert_int_equal(edsp_requirements_json(w->tx, &w->seller, STR(SELLER), &out), SOUK_OK);
	assert_int_equal(world_list_end(w, &out), 5);
	assert_out(w, "\"state\":\"unmet\"}],\"productsTotal\":1,\"state\":\"unmet\"}", true);
	assert_out(
	    w, "\"attests\":[\"hourly\",\"monthly\",\"annual\",\"metered\"],\"givenBy\"", true);
	assert_out(w, "\"decision\":{\"decision\":\"refused\",\"note\":\"looked at it\"", true);
	assert_int_equal(
	    edsp_requirements_json(w->tx, &w->seller_b, STR(SELLER), &out), SOUK_E_NOT_FOUND);
}
WORLD_TEST(written)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(each_bars_the_way),
		UNIT(products_are_looked_up),
		UNIT(who_may),
		UNIT(forms),
		UNIT(written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
