/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions that end because their agreed end has come. */
#include "world.h"

#include "unit/database.h"

#include "audit/audit.h"

struct look {
	struct world *w;
	const struct guid *id;
	struct subscription sub;
	struct guid ids[4];
	size_t n;
};

static enum souk_err
get_tx(struct db_tx *tx, void *arg)
{
	struct look *l = arg;

	return subscription_get(tx, &l->w->op, l->id, NULL, &l->sub);
}

static struct subscription
now_is(struct world *w, const struct guid *id)
{
	struct look l = { .w = w, .id = id };

	assert_ok(db_read(w->db, get_tx, &l));
	return l.sub;
}

static struct guid
agreed(struct world *w, instant_t ends_at)
{
	struct guid id = world_subscription(w, &w->product, SELLER, BUYER);
	struct contact_fields c = world_fields(1);

	if (ends_at != 0)
		world_agree_end(w, &id, ends_at);
	for (int i = 0; i < 2; i++)
		assert_ok(world_add(w, &id, &c, 0, NULL, NULL));
	return id;
}

static void
ends_what_is_past_and_nothing_else(void **state)
{
	struct world *w = world_new();
	instant_t now = clock_now();
	struct guid past = agreed(w, now - 1), far = agreed(w, now + HOUR_MS), open = agreed(w, 0);
	int64_t n = -1, audited = world_count(w, "audit");
	struct audit_report report;
	struct subscription sub;

	(void)state;
	assert_ok(psc_end_lapsed(w->db, w->vault, &n));
	assert_int_equal(n, 1);
	sub = now_is(w, &past);
	assert_false(sub.active);
	assert_true(sub.ended_at >= now);
	assert_int_equal(sub.ends_at, now - 1);
	assert_true(now_is(w, &far).active);
	assert_true(now_is(w, &open).active);
	assert_int_equal(world_count(w, "live"), 4);
	assert_int_equal(world_count(w, "tombstones"), 2);
	/* Two deletions and the end. */
	assert_int_equal(world_count(w, "audit"), audited + 3);
	assert_ok(audit_verify(w->db, w->vault, NULL, &report));
	audit_report_done(&report);
	assert_null(report.what);
	/* Once is enough. */
	assert_ok(psc_end_lapsed(w->db, w->vault, &n));
	assert_int_equal(n, 0);
	assert_int_equal(world_count(w, "audit"), audited + 3);
	world_free(w);
}

static void
an_end_put_off_in_time_counts(void **state)
{
	struct world *w = world_new();
	struct guid id = agreed(w, clock_now() - DAY_MS);
	int64_t n = -1;

	(void)state;
	world_agree_end(w, &id, clock_now() + DAY_MS);
	assert_ok(psc_end_lapsed(w->db, w->vault, &n));
	assert_int_equal(n, 0);
	assert_true(now_is(w, &id).active);
	world_free(w);
}

/* Once the first one has ended, the others are put off: what a renewal in between does. */
static const char *const texts_sql[] = {
	TEST_TRIGGER("renewed", "AFTER UPDATE OF state ON subscription", "1 = 1",
	    "UPDATE subscription SET ends_at = 9000000000000000 WHERE state = 'active'"),
};
static struct db_texts texts = {
	.component = "test.lapse", .sql = texts_sql, .n = COUNT(texts_sql)
};

static enum souk_err
renew_tx(struct db_tx *tx, void *arg)
{
	(void)arg;
	return db_run(db_stmt(tx, &texts, test_on_postgres()), NULL);
}

static void
an_end_put_off_meanwhile_counts(void **state)
{
	struct world *w = world_new();
	struct guid first = agreed(w, clock_now() - DAY_MS), second = agreed(w, clock_now() - 1);
	int64_t n = -1;

	(void)state;
	assert_ok(db_write(w->db, renew_tx, NULL));
	assert_ok(psc_end_lapsed(w->db, w->vault, &n));
	assert_int_equal(n, 1);
	assert_false(now_is(w, &first).active);
	assert_true(now_is(w, &second).active);
	assert_int_equal(world_count(w, "live"), 2);
	world_free(w);
}

static void
ends_more_than_it_looks_at_once(void **state)
{
	struct world *w = world_new();
	int64_t n = -1;

	(void)state;
	for (int i = 0; i < 205; i++) {
		struct guid id = world_subscription(w, &w->product, SELLER, BUYER);

		world_agree_end(w, &id, w->base + i);
	}
	assert_ok(psc_end_lapsed(w->db, w->vault, &n));
	assert_int_equal(n, 205);
	world_free(w);
}

/* Ending waits behind what was exported: the deletions come with the next export. */
static void
the_end_is_behind_exported_windows(void **state)
{
	struct world *w = world_new();
	struct guid id = agreed(w, clock_now() - HOUR_MS);
	instant_t until = clock_now() + MINUTE_MS;
	int64_t n = -1;

	(void)state;
	world_cover(w, until);
	assert_ok(psc_end_lapsed(w->db, w->vault, &n));
	assert_int_equal(n, 1);
	assert_true(now_is(w, &id).ended_at >= until);
	world_free(w);
}

static enum souk_err
ask_as_buyer(struct db_tx *tx, void *arg)
{
	struct look *l = arg;

	return subscription_lapsed(tx, &l->w->buyer, COUNT(l->ids), l->ids, &l->n);
}

static void
only_the_operator_may_ask(void **state)
{
	struct world *w = world_new();
	struct look l = { .w = w };

	(void)state;
	assert_int_equal(db_read(w->db, ask_as_buyer, &l), SOUK_E_DENIED);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_what_is_past_and_nothing_else),
		cmocka_unit_test(an_end_put_off_in_time_counts),
		cmocka_unit_test(an_end_put_off_meanwhile_counts),
		cmocka_unit_test(ends_more_than_it_looks_at_once),
		cmocka_unit_test(the_end_is_behind_exported_windows),
		cmocka_unit_test(only_the_operator_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
