/* SPDX-License-Identifier: Apache-2.0 */
/* Publications: plans, the days that are due, and each publication once whoever looks how often. */
#include "unit/market/market_test.h"

#include "edsp/publish.h"

#include <pthread.h>

static instant_t
at(const char *text)
{
	instant_t t = 0;

	assert_true(instant_parse(str_c(text), &t));
	return t;
}

static void
latest_days(void **state)
{
	(void)state;
	assert_int_equal(
	    publication_latest(DS_DAILY_FEES, at("2026-03-15T06:00:00Z")), at("2026-03-15"));
	assert_int_equal(
	    publication_latest(DS_DAILY_FEES, at("2026-03-15T05:59:59.999Z")), at("2026-03-14"));
	assert_int_equal(publication_latest(DS_SALES_COMPENSATION, at("2026-03-15T06:00:00Z")),
	    at("2026-03-15"));
	assert_int_equal(publication_latest(DS_SALES_COMPENSATION, at("2026-03-15T05:59:59Z")),
	    at("2026-02-15"));
	assert_int_equal(publication_latest(DS_SALES_COMPENSATION, at("2026-01-01T00:00:00Z")),
	    at("2025-12-15"));
	assert_int_equal(publication_latest(DS_SALES_COMPENSATION, at("2026-03-31T12:00:00Z")),
	    at("2026-03-15"));
}

#define PLAN                                                                                       \
	"{'roleArn':'arn:aws:iam::" SELLER ":role/R','bucket':'exports','prefix':'own',"           \
	"'topicArn':'arn:aws:sns:us-east-1:" SELLER ":t',"                                         \
	"'dataSets':['daily_business_fees','sales_compensation_billed_revenue'],'feeds':true}"

static enum souk_err
plan(struct world *w, const struct tenant_scope *s, const char *text)
{
	struct publication_plan p;
	enum souk_err r = publication_plan_parse(world_json(w, text), w->mem, &p, world_fail(w));

	return r == SOUK_OK ? publication_plan_set(w->tx, s, STR(SELLER), 0, &p, world_fail(w)) : r;
}

static void
assert_bad(struct world *w, const char *more, const char *field)
{
	json_t *o = world_json(w, PLAN);
	struct publication_plan p;

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	assert_int_equal(publication_plan_parse(o, w->mem, &p, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
plans(struct world *w)
{
	struct publication_plan p;

	assert_int_equal(
	    publication_plan_get(w->tx, &w->seller, STR(SELLER), w->mem, &p), SOUK_E_NOT_FOUND);
	assert_int_equal(plan(w, &w->seller_b, PLAN), SOUK_E_NOT_FOUND);
	assert_int_equal(plan(w, &w->buyer, PLAN), SOUK_E_NOT_FOUND);
	assert_int_equal(plan(w, &w->seller, PLAN), SOUK_OK);
	assert_int_equal(plan(w, &w->op, PLAN), SOUK_OK);
	assert_int_equal(publication_plan_get(w->tx, &w->seller, STR(SELLER), w->mem, &p), SOUK_OK);
	assert_true(p.feeds && p.revision == 2 && str_eq_c(p.prefix, "own"));
	assert_int_equal(publication_plan_set(w->tx, &w->op, STR(SELLER), 1, &p, world_fail(w)),
	    SOUK_E_PRECONDITION);
	assert_int_equal(publication_plan_set(w->tx, &w->op, STR(BUYER), 0, &p, world_fail(w)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(
	    publication_plan_remove(w->tx, &w->seller_b, STR(SELLER)), SOUK_E_NOT_FOUND);
	assert_int_equal(publication_plan_remove(w->tx, &w->seller, STR(SELLER)), SOUK_OK);
	assert_int_equal(publication_plan_remove(w->tx, &w->seller, STR(SELLER)), SOUK_E_NOT_FOUND);
	assert_bad(w, "{'dataSets':['customer_profile_by_revenue']}", "dataSets");
	assert_bad(w, "{'dataSets':['no_such_set']}", "dataSets");
	assert_bad(w, "{'dataSets':['daily_business_fees','daily_business_fees']}", "dataSets");
	assert_bad(w, "{'dataSets':[1]}", "dataSets");
	assert_bad(w, "{'bucket':''}", "bucket");
	assert_bad(w, "{'roleArn':null}", "roleArn");
	assert_bad(w, "{'feeds':'yes'}", "feeds");
	assert_bad(w, "{'colour':'red'}", "colour");
}
WORLD_TEST(plans)

static void
planned(struct world *w)
{
	assert_int_equal(plan(w, &w->seller, PLAN), SOUK_OK);
}

static void
enrolled(struct world *w)
{
	struct enrolment e;

	assert_int_equal(
	    enrolment_set(w->tx, &w->op, STR(SELLER), "edsp", true, &e, world_fail(w)), SOUK_OK);
}

static void
withdrawn(struct world *w)
{
	static const char *const sql[] = { "DELETE FROM publication" };
	static struct db_texts t = { .component = "publish.test", .sql = sql, .n = 1 };
	struct enrolment e;

	assert_int_equal(
	    enrolment_set(w->tx, &w->op, STR(SELLER), "edsp", false, &e, world_fail(w)), SOUK_OK);
	assert_int_equal(db_run(db_stmt(w->tx, &t, 0), NULL), SOUK_OK);
}

static void
two_requests(struct world *w)
{
	static const char *const sql[] = {
		"SELECT count(*) FROM data_set_request WHERE job_kind = 'data-set'"
		" AND state = 'waiting' AND data_set_type IN"
		" ('daily_business_fees', 'sales_compensation_billed_revenue')",
		"SELECT count(*) FROM job WHERE kind = 'data-set'"
	};
	static struct db_texts t = { .component = "publish.test2", .sql = sql, .n = 2 };

	for (unsigned q = 0; q < 2; q++) {
		struct db_stmt *st = db_stmt(w->tx, &t, q);

		assert_int_equal(db_one(st), SOUK_OK);
		assert_int_equal(db_int(st, 0), 2);
		db_reset(st);
	}
}

struct looker {
	struct db *db;
	int64_t n;
	enum souk_err err;
	pthread_t thread;
};

static void *
look(void *arg)
{
	struct looker *l = arg;

	l->err = publish_due(l->db, &l->n);
	return NULL;
}

static void
each_once(void **state)
{
	struct world *w = *state;
	struct looker l[6];
	int64_t n = 77, sum = 0;

	world_run(state, planned);
	assert_int_equal(publish_due(w->db, &n), SOUK_OK);
	assert_int_equal(n, 0); /* not enrolled */
	world_run(state, enrolled);
	for (size_t i = 0; i < 6; i++) {
		l[i] = (struct looker){ .db = w->db };
		assert_int_equal(pthread_create(&l[i].thread, NULL, look, &l[i]), 0);
	}
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(pthread_join(l[i].thread, NULL), 0);
		assert_int_equal(l[i].err, SOUK_OK);
		sum += l[i].n;
	}
	assert_int_equal(sum, 2);
	world_run(state, two_requests);
	world_run(state, withdrawn);
	assert_int_equal(publish_due(w->db, &n), SOUK_OK);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latest_days),
		UNIT(plans),
		cmocka_unit_test_setup_teardown(each_once, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
