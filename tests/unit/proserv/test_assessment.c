/* SPDX-License-Identifier: Apache-2.0 */
/* Assessments: what kept reviews come to, rule by rule, and whose they are. */
#include "unit/market/market_test.h"

#include "proserv/assessment.h"
#include "proserv/review_store.h"

#define REVIEWED 1700000000000
#define FINDING(rule, severity, kind, message, more)                                               \
	"{\"listing\":\"x\",\"rule\":\"" rule "\",\"severity\":\"" severity "\",\"kind\":\"" kind  \
	"\",\"pointer\":\"/title\",\"message\":\"" message                                         \
	"\",\"evidence\":\"e\",\"hint\":\"h\"" more "}"

static struct guid
make(struct world *w, const char *state)
{
	struct product p = world_product(
	    w, arena_printf(w->mem,
		   "{'sellerId':'" SELLER
		   "','title':'T','type':'services','pricing':['contract'],'state':'%s'}",
		   state));
	struct listing_row l = { .product_id = p.id,
		.document = STR("{}"),
		.data_use = STR("{}"),
		.targeting = STR("[]"),
		.revision = 1,
		.edition = EDITION_G21,
		.due_at = 1,
		.created_at = 1,
		.changed_at = 1 };

	(void)snprintf(l.seller_id, sizeof(l.seller_id), "%s", SELLER);
	assert_int_equal(listing_row_insert(w->tx, &l), SOUK_OK);
	return p.id;
}

static void
reviewed(struct world *w, const struct guid *id, enum standing standing, const char *findings)
{
	static const uint8_t digest[SHA256_LEN] = { 1 };
	struct listing_row l;
	bool found = false;

	assert_int_equal(listing_row_find(w->tx, STR(SELLER), id, w->mem, &l), SOUK_OK);
	l.standing = standing;
	l.reviewed_at = l.reviewed_at ? l.reviewed_at + 1 : REVIEWED;
	l.due_at = REVIEWED + 5000;
	assert_int_equal(listing_row_reviewed(w->tx, &l, &found), SOUK_OK);
	assert_true(found);
	assert_int_equal(
	    findings_row_put(w->tx, STR(SELLER), id, digest, str_c(findings)), SOUK_OK);
}

static void
task(struct world *w, const struct guid *id, const char *rule, enum finding_kind kind,
    enum task_state state, const struct guid *set)
{
	struct review_task t = { .id = guid_new(),
		.product_id = *id,
		.rule = str_c(rule),
		.kind = kind,
		.severity = SEVERITY_WARNING,
		.pointer = STR("/title"),
		.message = STR("Is it?"),
		.evidence = STR(""),
		.state = state,
		.present = true,
		.reason = state == TASK_REJECTED ? STR("No.") : STR(""),
		.waived_until = state == TASK_WAIVED ? INSTANT_MAX : 0,
		.opened_at = 1,
		.revision = 1 };
	bool is_new = false;

	if (set)
		t.change_set_id = *set;
	memcpy(t.digest, &t.id, sizeof(t.id));
	(void)snprintf(t.seller_id, sizeof(t.seller_id), "%s", SELLER);
	assert_int_equal(task_row_insert(w->tx, &t, &is_new), SOUK_OK);
	assert_true(is_new);
}

static struct guid
set_of(struct world *w, enum change_status status, enum change_failure failure, bool waiting,
    const char *changes)
{
	struct change_set_row c = { .id = guid_new(),
		.actor = STR("test"),
		.name = STR("N"),
		.status = status,
		.failure = failure,
		.failure_text = STR(""),
		.waiting = waiting,
		.changes = str_c(changes),
		.started_at = db_now(w->tx) - 2000,
		.ended_at = status == CHANGE_PREPARING ? 0 : db_now(w->tx) - 1000 };

	(void)snprintf(c.seller_id, sizeof(c.seller_id), "%s", SELLER);
	(void)snprintf(c.account_id, sizeof(c.account_id), "%s", SELLER);
	assert_int_equal(change_set_row_insert(w->tx, &c), SOUK_OK);
	return c.id;
}

/* ---- asking ---------------------------------------------------------------------------- */

struct got {
	struct assessment v[20];
	size_t n;
};

static bool
take(void *arg, const struct assessment *a)
{
	struct got *g = arg;

	g->v[g->n++] = *a;
	return g->n < 20;
}

static struct got
ask(struct world *w, const struct tenant_scope *s, const char *entity, const char *set)
{
	struct got g = { .n = 0 };

	assert_int_equal(
	    assessment_all(w->tx, s, EDITION_G22, str_c(entity), str_c(set), take, &g), SOUK_OK);
	return g;
}

static struct controls
controls_of(struct world *w, const struct assessment *a)
{
	struct controls c;
	struct assessment again;

	assert_int_equal(
	    assessment_get(w->tx, &w->seller, EDITION_G22, str_c(a->id), w->mem, &again, &c),
	    SOUK_OK);
	assert_string_equal(again.id, a->id);
	assert_int_equal(again.result, a->result);
	assert_int_equal(again.created_at, a->created_at);
	return c;
}

/* How a control came out, and with how many errors. */
static const struct control *
assert_control(const struct controls *c, const char *id, enum control_result want, size_t errors)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq_c(c->v[i].id, id)) {
			if (c->v[i].result != want)
				fail_msg("%s: %s", id, control_result_word(c->v[i].result));
			assert_int_equal(c->v[i].n_errors, errors);
			return &c->v[i];
		}
	fail_msg("no %s", id);
	return NULL;
}

static const char *
id_text(struct world *w, const struct guid *id)
{
	char text[ENTITY_ID_MAX];

	entity_id_write(PRODUCT_PREFIX, id, text);
	return arena_strdup(w->mem, text);
}

static const char *
guid_text(struct world *w, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	return arena_strdup(w->mem, text);
}

/* ---- tests ----------------------------------------------------------------------------- */

static void
of_listing(struct world *w)
{
	struct guid id = make(w, "public");
	struct controls c;
	struct got g;

	assert_int_equal(ask(w, &w->seller, "", "").n, 0);
	reviewed(w, &id, STANDING_GRACE,
	    "[" FINDING("PS-DET-01", "E", "deterministic", "No title", "") "," FINDING("PS-DET-13",
		"E", "deterministic", "Four",
		",\"waived\":{\"owner\":\"o\"}") "," FINDING("PS-DET-08", "I", "deterministic",
		"Not checked: no logo", "") "," FINDING("PS-USE-08", "W", "heuristic", "No list",
		"") "," FINDING("PS-DET-01", "E", "deterministic", "Nor that", "") "]");
	task(w, &id, "PS-USE-07", KIND_HUMAN, TASK_OPEN, NULL);
	task(w, &id, "PS-SETUP-06", KIND_HEURISTIC, TASK_REJECTED, NULL);
	task(w, &id, "PS-SETUP-07", KIND_HEURISTIC, TASK_APPROVED, NULL);
	task(w, &id, "PS-USE-11", KIND_HUMAN, TASK_WAIVED, NULL);
	g = ask(w, &w->seller, "", "");
	assert_int_equal(g.n, 1);
	assert_int_equal(g.v[0].result, ASSESSMENT_FAIL);
	assert_int_equal(g.v[0].edition, EDITION_G21);
	assert_int_equal(g.v[0].created_at, REVIEWED);
	assert_int_equal(g.v[0].expires_at, REVIEWED + 5000);
	assert_string_equal(g.v[0].entity_id, id_text(w, &id));
	assert_string_equal(g.v[0].change_set_id, "");
	c = controls_of(w, &g.v[0]);
	assert_true(str_eq_c(
	    assert_control(&c, "PS-DET-01", CONTROL_FAIL, 2)->errors[0].message, "No title"));
	assert_true(str_eq_c(
	    assert_control(&c, "PS-DET-01", CONTROL_FAIL, 2)->errors[1].code, "PS_DET_01"));
	assert_control(&c, "PS-DET-13", CONTROL_EXEMPTION_PASS, 1);
	assert_control(&c, "PS-DET-08", CONTROL_NOT_EXECUTED, 1);
	assert_control(&c, "PS-DET-11", CONTROL_NOT_EXECUTED, 0);
	assert_control(&c, "PS-USE-08", CONTROL_PASS, 1);
	assert_control(&c, "PS-DET-02", CONTROL_PASS, 0);
	assert_control(&c, "PS-USE-07", CONTROL_NOT_EXECUTED, 1);
	assert_true(
	    str_eq_c(assert_control(&c, "PS-SETUP-06", CONTROL_FAIL, 1)->errors[0].message, "No."));
	assert_control(&c, "PS-SETUP-07", CONTROL_PASS, 0);
	assert_control(&c, "PS-USE-11", CONTROL_EXEMPTION_PASS, 0);
	/* Rules of the other edition, of offers and of fulfilments are not asked. */
	for (size_t i = 0; i < c.n; i++)
		assert_false(str_eq_c(c.v[i].id, "PS-SETUP-10") ||
			     str_starts(c.v[i].id, STR("PS-OFF")) ||
			     str_eq_c(c.v[i].id, "PS-USE-01"));
}
WORLD_TEST(of_listing)

/* People decide about what is public only. */
static void
limited(struct world *w)
{
	struct guid id = make(w, "limited");
	struct controls c;
	struct got g;
	struct assessment old;

	reviewed(w, &id, STANDING_PASSED, "[]");
	task(w, &id, "PS-SETUP-06", KIND_HEURISTIC, TASK_REJECTED, NULL);
	g = ask(w, &w->seller, id_text(w, &id), "");
	assert_int_equal(g.n, 1);
	assert_int_equal(g.v[0].result, ASSESSMENT_PASS);
	old = g.v[0];
	c = controls_of(w, &old);
	assert_control(&c, "PS-SETUP-06", CONTROL_PASS, 0);
	assert_control(&c, "PS-DET-11", CONTROL_PASS, 0);
	reviewed(w, &id, STANDING_PENDING, "[]");
	g = ask(w, &w->seller, "", "");
	assert_int_equal(g.n, 1);
	assert_int_equal(g.v[0].result, ASSESSMENT_UNDECIDED);
	/* The one before is gone. */
	assert_string_not_equal(g.v[0].id, old.id);
	assert_int_equal(
	    assessment_get(w->tx, &w->seller, EDITION_G22, str_c(old.id), w->mem, &old, &c),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(listing_row_remove(w->tx, STR(SELLER), &id, 9), SOUK_OK);
	assert_int_equal(ask(w, &w->seller, "", "").n, 0);
	assert_int_equal(ask(w, &w->seller, id_text(w, &id), "").n, 0);
}
WORLD_TEST(limited)

#define ERRORS                                                                                     \
	"[{\"code\":\"PS_DET_13\",\"message\":\"Four\"},"                                          \
	"{\"code\":\"INVALID_INPUT\",\"message\":\"No\"}]"
#define CHANGE(entity, errors) "{\"entityId\":\"" entity "\",\"errors\":" errors "}"

static void
of_sets(struct world *w)
{
	const char *two = "[" CHANGE("prod-" PRODUCT_ID, "[]") "," CHANGE("offer-" SUB_ID,
	    "[{\"code\":\"PS_OFF_02\",\"message\":\"None\"}]") "," CHANGE("prod-" PRODUCT_ID,
	    "[]") "]";
	struct guid failed = set_of(w, CHANGE_FAILED, FAILURE_CLIENT, false, two);
	struct controls c;
	struct got g = ask(w, &w->seller, "", "");

	assert_int_equal(g.n, 2); /* each entity once */
	assert_string_equal(g.v[0].entity_id, "prod-" PRODUCT_ID);
	assert_int_equal(g.v[0].result, ASSESSMENT_PASS);
	assert_int_equal(g.v[1].result, ASSESSMENT_FAIL);
	assert_int_equal(g.v[1].edition, EDITION_G22);
	assert_string_equal(g.v[1].change_set_id, guid_text(w, &failed));
	c = controls_of(w, &g.v[0]);
	assert_int_equal(c.n, 0);
	c = controls_of(w, &g.v[1]);
	assert_int_equal(c.n, 1);
	assert_control(&c, "PS-OFF-02", CONTROL_FAIL, 1);
	assert_int_equal(ask(w, &w->seller, "offer-" SUB_ID, "").n, 1);
	assert_int_equal(ask(w, &w->seller, "offer-" SUB_ID, guid_text(w, &failed)).n, 1);
	assert_int_equal(ask(w, &w->seller, "", guid_text(w, &failed)).n, 2);
	assert_int_equal(ask(w, &w->seller, "prod-" SUB_ID, guid_text(w, &failed)).n, 0);
	/* What came to nothing was not assessed. */
	(void)set_of(w, CHANGE_FAILED, FAILURE_SERVER, false, two);
	(void)set_of(w, CHANGE_CANCELLED, FAILURE_NONE, false, two);
	(void)set_of(w, CHANGE_PREPARING, FAILURE_NONE, false, two);
	(void)set_of(w, CHANGE_APPLYING, FAILURE_NONE, false, two);
	assert_int_equal(ask(w, &w->seller, "", "").n, 2);
	(void)set_of(
	    w, CHANGE_FAILED, FAILURE_CLIENT, false, "[" CHANGE("prod-" PRODUCT_ID, ERRORS) "]");
	g = ask(w, &w->seller, "prod-" PRODUCT_ID, "");
	assert_int_equal(g.n, 2);
	c = controls_of(w, &g.v[g.v[0].result == ASSESSMENT_FAIL ? 0 : 1]);
	assert_int_equal(c.n, 2);
	assert_control(&c, "PS-DET-13", CONTROL_FAIL, 1);
	assert_control(&c, "INVALID_INPUT", CONTROL_FAIL, 1);
}
WORLD_TEST(of_sets)

/* What people have to decide while a set waits for them. */
static void
waiting(struct world *w)
{
	struct guid id = make(w, "limited");
	const char *changes =
	    arena_printf(w->mem, "[{\"entityId\":\"%s\",\"errors\":[]}]", id_text(w, &id));
	struct guid set = set_of(w, CHANGE_PREPARING, FAILURE_NONE, true, changes);
	struct controls c;
	struct got g;

	task(w, &id, "PS-USE-07", KIND_HUMAN, TASK_OPEN, &set);
	task(w, &id, "PS-USE-11", KIND_HUMAN, TASK_APPROVED, &set);
	task(w, &id, "PS-SETUP-06", KIND_HEURISTIC, TASK_OPEN, NULL); /* of something else */
	g = ask(w, &w->seller, "", guid_text(w, &set));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.v[0].result, ASSESSMENT_UNDECIDED);
	assert_int_equal(g.v[0].expires_at, 0);
	c = controls_of(w, &g.v[0]);
	assert_int_equal(c.n, 2);
	assert_true(str_eq_c(
	    assert_control(&c, "PS-USE-07", CONTROL_NOT_EXECUTED, 1)->errors[0].message, "Is it?"));
	assert_control(&c, "PS-USE-11", CONTROL_PASS, 0);
}
WORLD_TEST(waiting)

static void
isolation(struct world *w)
{
	struct guid id = make(w, "limited");
	struct guid set = set_of(
	    w, CHANGE_SUCCEEDED, FAILURE_NONE, false, "[" CHANGE("prod-" PRODUCT_ID, "[]") "]");
	const struct tenant_scope *others[] = { &w->seller_b, &w->buyer };
	struct controls c;
	struct assessment a;
	struct got g;

	reviewed(w, &id, STANDING_PASSED, "[]");
	g = ask(w, &w->seller, "", "");
	assert_int_equal(g.n, 2);
	assert_int_equal(ask(w, &w->op, "", "").n, 2);
	assert_int_equal(ask(w, &w->op, id_text(w, &id), "").n, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ask(w, others[i], "", "").n, 0);
		assert_int_equal(ask(w, others[i], id_text(w, &id), "").n, 0);
		assert_int_equal(ask(w, others[i], "", guid_text(w, &set)).n, 0);
		for (size_t k = 0; k < 2; k++)
			assert_int_equal(assessment_get(w->tx, others[i], EDITION_G21,
					     str_c(g.v[k].id), w->mem, &a, &c),
			    SOUK_E_NOT_FOUND);
	}
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(
		    assessment_get(w->tx, &w->op, EDITION_G21, str_c(g.v[k].id), w->mem, &a, &c),
		    SOUK_OK);
}
WORLD_TEST(isolation)

static void
ids(struct world *w)
{
	struct guid set = set_of(
	    w, CHANGE_SUCCEEDED, FAILURE_NONE, false, "[" CHANGE("prod-" PRODUCT_ID, "[]") "]");
	static const char *const bad[] = { "", "assessment", "assessment-", "assessment-1",
		"assessment-set-", "assessment-set-x-1", "assessment-prod-" PRODUCT_ID,
		"assessment-prod-" PRODUCT_ID "-", "assessment-prod-" PRODUCT_ID "-1x",
		"assessment-prod-" PRODUCT_ID "-99999999999999999999",
		"assessment-offer-" SUB_ID "-1" };
	struct controls c;
	struct assessment a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    assessment_get(w->tx, &w->seller, EDITION_G21, str_c(bad[i]), w->mem, &a, &c),
		    SOUK_E_NOT_FOUND);
	for (int part = 0; part < 3; part++)
		assert_int_equal(assessment_get(w->tx, &w->seller, EDITION_G21,
				     str_c(arena_printf(
					 w->mem, "assessment-set-%s-%d", guid_text(w, &set), part)),
				     w->mem, &a, &c),
		    part == 1 ? SOUK_OK : SOUK_E_NOT_FOUND);
}
WORLD_TEST(ids)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(of_listing),
		UNIT(limited),
		UNIT(of_sets),
		UNIT(waiting),
		UNIT(isolation),
		UNIT(ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
