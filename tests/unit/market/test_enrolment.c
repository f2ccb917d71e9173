/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolments: who sets them, since when, and who sees them. Scopes, too. */
#include "market_test.h"

static enum souk_err
set(struct world *w, const struct tenant_scope *s, const char *seller, const char *program,
    bool enrolled, struct enrolment *ret)
{
	return enrolment_set(w->tx, s, str_c(seller), program, enrolled, ret, world_fail(w));
}

static void
enrol(struct world *w)
{
	struct enrolment e = { .revision = 77 };

	assert_int_equal(
	    enrolment_get(w->tx, &w->seller, STR(SELLER), "psc", &e), SOUK_E_NOT_FOUND);
	assert_int_equal(set(w, &w->op, SELLER, "psc", false, &e), SOUK_E_NOT_FOUND);
	assert_int_equal(e.revision, 77);
	assert_int_equal(set(w, &w->op, SELLER, "psc", true, &e), SOUK_OK);
	assert_true(e.enrolled && e.revision == 1 && e.since > 0);
	w->noted = e.since;
}

static void
enrol_again_and_withdraw(struct world *w)
{
	struct enrolment e, again;

	/* Saying it again changes nothing: neither since when, nor the revision. */
	assert_int_equal(set(w, &w->op, SELLER, "psc", true, &again), SOUK_OK);
	assert_int_equal(again.since, w->noted);
	assert_int_equal(again.revision, 1);
	assert_int_equal(set(w, &w->op, SELLER, "psc", false, &e), SOUK_OK);
	assert_true(!e.enrolled && e.revision == 2 && e.since > w->noted);
	assert_int_equal(enrolment_get(w->tx, &w->seller, STR(SELLER), "psc", &again), SOUK_OK);
	assert_false(again.enrolled);
	assert_int_equal(again.since, e.since);
	assert_int_equal(again.enrolled_since, w->noted);
	/* One program's standing says nothing about another's. */
	assert_int_equal(
	    enrolment_get(w->tx, &w->seller, STR(SELLER), "edsp", &e), SOUK_E_NOT_FOUND);
}

static void
run_standing(void **state)
{
	world_run(state, enrol);
	clock_sleep_ms(5);
	world_run(state, enrol_again_and_withdraw);
}

/* The clock was set back since an export: the next one must still see that this standing is new. */
static void
not_behind_an_export(struct world *w)
{
	instant_t until = clock_now() + HOUR_MS;
	struct enrolment e;

	world_exported(w, SELLER, until);
	assert_int_equal(set(w, &w->op, SELLER, "psc", true, &e), SOUK_OK);
	assert_int_equal(e.since, until);
	assert_int_equal(set(w, &w->op, SELLER_B, "psc", true, &e), SOUK_OK);
	assert_true(e.since <= clock_now());
}
WORLD_TEST(not_behind_an_export)

static void
who_may(struct world *w)
{
	struct enrolment e;

	assert_int_equal(set(w, &w->seller, SELLER, "psc", true, &e), SOUK_E_DENIED);
	assert_int_equal(set(w, &w->buyer, NOBODY, "psc", true, &e), SOUK_E_DENIED);
	assert_int_equal(set(w, &w->op, SELLER, "psc", true, &e), SOUK_OK);
	assert_int_equal(enrolment_get(w->tx, &w->op, STR(SELLER), "psc", &e), SOUK_OK);
	assert_int_equal(
	    enrolment_get(w->tx, &w->seller_b, STR(SELLER), "psc", &e), SOUK_E_NOT_FOUND);
	assert_int_equal(enrolment_get(w->tx, &w->buyer, STR(SELLER), "psc", &e), SOUK_E_NOT_FOUND);
}
WORLD_TEST(who_may)

static void
for_whom(struct world *w)
{
	struct enrolment e;

	assert_int_equal(set(w, &w->op, NOBODY, "psc", true, &e), SOUK_E_NOT_FOUND);
	assert_int_equal(set(w, &w->op, "1", "psc", true, &e), SOUK_E_NOT_FOUND);
	assert_int_equal(set(w, &w->op, SELLER, "PSC", true, &e), SOUK_E_NOT_FOUND);
	assert_int_equal(set(w, &w->op, SELLER, "", true, &e), SOUK_E_NOT_FOUND);
	assert_int_equal(set(w, &w->op, BUYER, "psc", true, &e), SOUK_E_CONFLICT);
	assert_code(w, "not_a_seller");
	assert_int_equal(set(w, &w->op, SELLER, "edsp", true, &e), SOUK_OK);
	assert_int_equal(set(w, &w->op, SELLER, "proserv", true, &e), SOUK_OK);
	assert_int_equal(
	    enrolment_get(w->tx, &w->op, STR(SELLER), "nothing", &e), SOUK_E_NOT_FOUND);
}
WORLD_TEST(for_whom)

static void
json_form(struct world *w)
{
	struct enrolment e;
	struct jw out;

	assert_int_equal(set(w, &w->op, SELLER, "psc", true, &e), SOUK_OK);
	buf_clear(&w->out);
	jw_init(&out, &w->out);
	enrolment_json(&e, &out, NULL);
	assert_out(
	    w, "{\"sellerId\":\"" SELLER "\",\"program\":\"psc\",\"state\":\"enrolled\",", true);
	assert_out(w, "Z\",\"enrolledUntil\":null,\"revision\":1}", true);
}
WORLD_TEST(json_form)

static void
test_made_scopes(void **state)
{
	struct tenant_scope job = tenant_for_job(STR(SELLER), "psc-export");
	struct tenant_scope cli = tenant_for_cli(
	    "a-command-with-a-name-that-is-much-longer-than-the-room-for-the-actor-in-a-scope");

	(void)state;
	assert_true(str_eq_c(tenant_account(&job), SELLER));
	assert_true(str_eq_c(tenant_actor(&job), "job:psc-export"));
	assert_true(tenant_is_seller(&job));
	assert_false(tenant_is_operator(&job));
	assert_false(tenant_is_buyer(&job));
	assert_int_equal(tenant_request(&job).n, 0);
	assert_true(tenant_is_operator(&cli));
	assert_int_equal(tenant_account(&cli).n, 0);
	assert_true(str_starts(tenant_actor(&cli), STR("cli:a-command")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(standing),
		UNIT(not_behind_an_export),
		UNIT(who_may),
		UNIT(for_whom),
		UNIT(json_form),
		cmocka_unit_test(test_made_scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
