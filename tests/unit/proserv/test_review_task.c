/* SPDX-License-Identifier: Apache-2.0 */
/* What people are asked, once; what they decide; the gate before publication. */
#include "unit/delivery/world.h"

#include "proserv/change_store.h"
#include "proserv/review_gate.h"
#include "proserv/review_task.h"

#define LISTING "33333333-3333-4333-8333-333333333333"
#define SET "44444444-4444-4444-8444-444444444444"

static const struct guid first = { { 1 } }, second = { { 2 } };

struct ask {
	struct world *w;
	struct listing l;
	struct finding v[5];
	struct findings found;
	bool two;
	instant_t now; /* 0: the transaction's */
	enum gate gate;
	struct buf reasons;
	/* A decision: */
	const struct guid *user;
	const struct tenant_scope *scope;
	const char *rule;
	struct decision d;
	int64_t seen;
	enum souk_err err;
	struct fail f;
	struct review_task t;
};

static struct guid
id_of(const char *text)
{
	struct guid g = { 0 };

	assert_true(guid_parse(str_c(text), &g));
	return g;
}

static struct finding
finding_of(const char *rule, enum severity s, enum finding_kind k, const char *pointer,
    const char *evidence)
{
	const struct rule *r = rule_find(str_c(rule));

	assert_non_null(r);
	return (struct finding){ .rule = r,
		.severity = s,
		.kind = k,
		.pointer = str_c(pointer),
		.message = STR("message"),
		.evidence = str_c(evidence),
		.hint = "hint" };
}

static struct ask
ask_of(struct world *w)
{
	struct ask a = { .w = w, .user = &first, .scope = &w->operator_ };

	a.l = (struct listing){ .long_description = STR("What you gain"),
		.support_description = STR("Pay us by cheque.") };
	a.v[0] = finding_of("PS-USE-07", SEVERITY_INFO, KIND_HUMAN, "/long_description", "");
	a.v[1] = finding_of(
	    "PS-CUST-01", SEVERITY_WARNING, KIND_HEURISTIC, "/support_description", "Pay us");
	a.v[2] = finding_of("PS-DET-06", SEVERITY_INFO, KIND_HEURISTIC, "/long_description", "");
	a.v[3] = finding_of(
	    "PS-OFF-03", SEVERITY_WARNING, KIND_HEURISTIC, "/offers/0/name", "Mr. Example");
	a.v[4] = finding_of("PS-DET-13", SEVERITY_ERROR, KIND_DETERMINISTIC, "/categories", "");
	return a;
}

/* The first n of the findings. */
static void
take(struct ask *a, size_t n)
{
	findings_init(&a->found, a->w->mem);
	a->found.v = a->v;
	a->found.n = n;
}

static enum souk_err
gate_tx(struct db_tx *tx, void *arg)
{
	struct ask *a = arg;
	struct gate_request q = { .seller_id = SELLER,
		.product_id = id_of(LISTING),
		.change_set_id = id_of(SET),
		.listing = &a->l,
		.findings = &a->found,
		.two_people = a->two,
		.now = a->now ? a->now : db_now(tx) };

	buf_clear(&a->reasons);
	return review_gate(tx, &q, a->w->mem, &a->gate, &a->reasons);
}

static enum gate
ask(struct ask *a)
{
	IN_WRITE(a->w, gate_tx, a);
	return a->gate;
}

static enum souk_err
set_tx(struct db_tx *tx, void *arg)
{
	struct change_set_row c = { .id = id_of(SET),
		.actor = STR("test"),
		.name = STR("N"),
		.waiting = true,
		.changes = STR("[]"),
		.started_at = 1 };

	(void)arg;
	memcpy(c.seller_id, SELLER.p, ACCOUNT_ID_LEN);
	memcpy(c.account_id, SELLER.p, ACCOUNT_ID_LEN);
	return change_set_row_insert(tx, &c);
}

static enum souk_err
find_tx(struct db_tx *tx, void *arg)
{
	struct ask *a = arg;
	struct guid listing = id_of(LISTING);
	struct review_task *v = NULL;
	size_t n = 0;
	enum souk_err r = tasks_read(task_rows_of_listing(tx, SELLER, &listing), a->w->mem, &v, &n);

	for (size_t i = 0; i < n; i++)
		if (str_eq_c(v[i].rule, a->rule))
			a->t = v[i];
	return r;
}

static enum souk_err
decide_tx(struct db_tx *tx, void *arg)
{
	struct ask *a = arg;
	enum souk_err r = task_get(tx, a->scope, &a->t.id, a->w->mem, &a->t);

	a->f = (struct fail){ .err = SOUK_OK };
	a->err = r != SOUK_OK
		     ? r
		     : task_decide(tx, a->scope, a->user, &a->t, &a->d, a->seen, a->two, &a->f);
	return a->err;
}

static enum souk_err
decide(struct ask *a, const char *rule, const struct guid *user, enum verdict verdict)
{
	a->rule = rule;
	a->user = user;
	a->d =
	    (struct decision){ .verdict = verdict, .reason = STR("because"), .until = a->d.until };
	IN_READ(a->w, find_tx, a);
	(void)!db_write(a->w->db, decide_tx, a);
	return a->err;
}

static int64_t
count(struct world *w, const char *sql)
{
	return world_int(w, sql);
}

static void
asked_once(void **state)
{
	struct world *w = *state;
	struct ask a = ask_of(w);

	IN_WRITE(w, set_tx, NULL);
	take(&a, 4);
	/* A hint and what is said of an offer are nobody's task. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(&a), GATE_WAIT);
		assert_int_equal(count(w, "SELECT COUNT(*) FROM review_task"), 2);
	}
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_APPROVE));
	assert_int_equal(count(w, "SELECT COUNT(*) FROM job"), 0);
	assert_ok(decide(&a, "PS-CUST-01", &first, VERDICT_APPROVE));
	assert_int_equal(count(w, "SELECT COUNT(*) FROM job"), 1); /* the last lets it go on */
	assert_int_equal(count(w, "SELECT waiting FROM change_set"), 0);
	assert_int_equal(ask(&a), GATE_PASS);
	assert_int_equal(
	    count(w, "SELECT COUNT(*) FROM review_task WHERE change_set_id IS NOT NULL"), 0);
	/* Other words around the same evidence are not asked, another text under a question is. */
	a.l.support_description = STR("Never: Pay us by cheque.");
	assert_int_equal(ask(&a), GATE_PASS);
	a.l.long_description = STR("What you will gain");
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_int_equal(count(w, "SELECT COUNT(*) FROM review_task"), 3);
	a.l.long_description = STR("What you gain");
	assert_int_equal(ask(&a), GATE_PASS);
	buf_done(&a.reasons);
}

static void
rejected(void **state)
{
	struct world *w = *state;
	struct ask a = ask_of(w);

	take(&a, 2);
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_REJECT));
	assert_int_equal(ask(&a), GATE_WAIT); /* all reasons at once */
	assert_ok(decide(&a, "PS-CUST-01", &first, VERDICT_APPROVE));
	assert_int_equal(ask(&a), GATE_REJECTED);
	assert_string_equal(a.reasons.p, "PS-USE-07 because");
	/* Somebody thinks again; who saw an older state does not. */
	a.seen = 1;
	assert_int_equal(decide(&a, "PS-USE-07", &second, VERDICT_APPROVE), SOUK_E_PRECONDITION);
	a.seen = 0;
	assert_ok(decide(&a, "PS-USE-07", &second, VERDICT_APPROVE));
	assert_int_equal(ask(&a), GATE_PASS);
	assert_int_equal(count(w, "SELECT COUNT(*) FROM review_decision"), 3);
	buf_done(&a.reasons);
}

static void
two_people(void **state)
{
	struct world *w = *state;
	struct ask a = ask_of(w);

	take(&a, 1);
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_APPROVE));
	assert_int_equal(ask(&a), GATE_PASS);
	/* One was enough then; now it is not. */
	a.two = true;
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_int_equal(decide(&a, "PS-USE-07", &first, VERDICT_APPROVE), SOUK_E_CONFLICT);
	assert_string_equal(a.f.code, "same_person");
	assert_ok(decide(&a, "PS-USE-07", &second, VERDICT_APPROVE));
	assert_int_equal(a.t.state, TASK_APPROVED);
	assert_int_equal(ask(&a), GATE_PASS);
	/* Who rejects takes the approvals away. */
	a.l.long_description = STR("Another");
	assert_int_equal(ask(&a), GATE_WAIT);
	world_sql(w, "DELETE FROM review_decision");
	world_sql(w, "DELETE FROM review_task WHERE state = 'approved'");
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_APPROVE));
	assert_int_equal(a.t.state, TASK_OPEN);
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_REJECT));
	assert_ok(decide(&a, "PS-USE-07", &second, VERDICT_APPROVE));
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_APPROVE));
	assert_int_equal(ask(&a), GATE_PASS);
	buf_done(&a.reasons);
}

static void
who_may(void **state)
{
	struct world *w = *state;
	struct ask a = ask_of(w);

	take(&a, 1);
	assert_int_equal(ask(&a), GATE_WAIT);
	for (int i = 0; i < 3; i++) {
		a.scope = i == 0 ? &w->seller : i == 1 ? &w->other : &w->buyer;
		assert_int_equal(
		    decide(&a, "PS-USE-07", &first, VERDICT_APPROVE), SOUK_E_NOT_FOUND);
	}
	assert_int_equal(count(w, "SELECT COUNT(*) FROM review_decision"), 0);
	buf_done(&a.reasons);
}

static enum souk_err
waive_tx(struct db_tx *tx, void *arg)
{
	struct ask *a = arg;
	struct guid listing = id_of(LISTING);

	a->v[4].waiver = NULL;
	return review_gate_waive(tx, SELLER, &listing, a->w->mem, &a->found);
}

/* A waiver holds until its end and not a millisecond longer. */
static void
waived(void **state)
{
	struct world *w = *state;
	struct ask a = ask_of(w);
	instant_t end = clock_now() + DAY_MS;

	findings_init(&a.found, w->mem);
	a.found.v = &a.v[4];
	a.found.n = 1;
	a.d.until = end;
	assert_int_equal(ask(&a), GATE_REJECTED); /* a fault: nobody is asked first */
	assert_int_equal(count(w, "SELECT COUNT(*) FROM review_task"), 0);
	take(&a, 5);
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_int_equal(decide(&a, "PS-DET-13", &first, VERDICT_APPROVE), SOUK_E_CONFLICT);
	assert_string_equal(a.f.code, "fault_stands");
	assert_int_equal(decide(&a, "PS-DET-13", &first, VERDICT_REJECT), SOUK_E_CONFLICT);
	assert_ok(decide(&a, "PS-DET-13", &first, VERDICT_WAIVE));
	assert_ok(decide(&a, "PS-USE-07", &first, VERDICT_WAIVE));
	assert_ok(decide(&a, "PS-CUST-01", &first, VERDICT_APPROVE));
	assert_true(findings_block(&a.found));
	IN_WRITE(w, waive_tx, &a);
	assert_false(findings_block(&a.found));
	a.now = end - 1;
	assert_int_equal(ask(&a), GATE_PASS);
	a.now = end;
	assert_int_equal(ask(&a), GATE_WAIT);
	assert_int_equal(count(w, "SELECT COUNT(*) FROM review_task WHERE state = 'open'"), 2);
	buf_done(&a.reasons);
}

static void
reason_fits(void **state)
{
	struct finding f[3] = { finding_of("PS-DET-13", SEVERITY_ERROR, KIND_DETERMINISTIC,
				    "/categories", ""),
		finding_of("PS-DET-13", SEVERITY_ERROR, KIND_DETERMINISTIC, "/categories/1", ""),
		finding_of("PS-DET-12", SEVERITY_ERROR, KIND_DETERMINISTIC, "/highlights", "") };
	struct judged_finding v[3];
	struct judged j = { .v = v, .n = 3 };
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		v[i] = (struct judged_finding){ .finding = &f[i], .is = JUDGED_BLOCKS };
	judged_reason(&j, 160, &out);
	assert_string_equal(out.p, "PS-DET-13 hint; PS-DET-12 hint");
	buf_clear(&out);
	judged_reason(&j, out.cap > 0 ? 29 : 0, &out);
	assert_string_equal(out.p, "PS-DET-13 hint");
	buf_done(&out);
}

static void
parsing(void **state)
{
	static const struct {
		const char *text, *field; /* NULL: fine */
	} t[] = {
		{ "{\"verdict\":\"approve\"}", NULL },
		{ "{\"verdict\":\"waive\",\"reason\":\"r\",\"until\":\"2026-03-02\"}", NULL },
		{ "{\"verdict\":\"waive\",\"reason\":\"r\",\"until\":\"2027-03-03\"}", NULL },
		{ "{\"verdict\":\"waive\",\"reason\":\"r\",\"until\":\"2027-03-04\"}", "until" },
		{ "{\"verdict\":\"waive\",\"reason\":\"r\",\"until\":\"2026-03-01\"}", "until" },
		{ "{\"verdict\":\"waive\",\"reason\":\"r\",\"until\":\"soon\"}", "until" },
		{ "{\"verdict\":\"waive\",\"reason\":\" \",\"until\":\"2026-03-02\"}", "reason" },
		{ "{\"verdict\":\"reject\",\"reason\":\"a\\nb\"}", "reason" },
		{ "{\"verdict\":\"Approve\"}", "verdict" },
		{ "{\"verdict\":1}", "verdict" },
	};
	instant_t now;

	(void)state;
	assert_true(instant_parse(STR("2026-03-02T12:00:00Z"), &now));
	for (size_t i = 0; i < COUNT(t); i++) {
		struct fail f = { .err = SOUK_OK };
		struct decision d;
		json_t *o = NULL;
		enum souk_err r;

		assert_ok(json_read(str_c(t[i].text), &o, &f));
		r = decision_parse(o, now, &d, &f);
		if ((r == SOUK_OK) != (t[i].field == NULL) ||
		    (t[i].field && strcmp(f.entry[0].field, t[i].field) != 0))
			fail_msg("row %zu", i);
		json_decref(o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asked_once, world_make, world_remove),
		cmocka_unit_test_setup_teardown(rejected, world_make, world_remove),
		cmocka_unit_test_setup_teardown(two_people, world_make, world_remove),
		cmocka_unit_test_setup_teardown(who_may, world_make, world_remove),
		cmocka_unit_test_setup_teardown(waived, world_make, world_remove),
		cmocka_unit_test(reason_fits),
		cmocka_unit_test(parsing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
