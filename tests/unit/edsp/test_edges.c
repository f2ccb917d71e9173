/* SPDX-License-Identifier: Apache-2.0 */
/* Edges of what a plan pays, each with the one figure that tells both sides apart. */
#include "made.h"

#include <stdio.h>

#define ALL "\"revenue\":[\"hourly\",\"monthly\",\"annual\",\"metered\"]"
#define EVERYTHING "{\"id\":\"a\",\"everything\":true," TO("ana") "}"
#define RATE(more) "{\"id\":\"r\"," ALL ",\"base\":\"gross\",\"payOn\":\"billed\"," more "}"

static void
one_rate(struct made *m, const char *rate)
{
	made_plan(m, plan_text(m, ANA, EVERYTHING, NULL, rate));
}

static void
assert_paid(const struct made *m, const char *const *want, size_t n)
{
	assert_int_equal(m->run.n_items, n);
	for (size_t i = 0; i < n; i++)
		assert_row(i, m->run.items[i].commission == money(want[i]));
}

static void
test_cap_begins_anew(void **state)
{
	static const char *const want[] = { "10", "5", "15", "5" };
	struct made m = { 0 };

	(void)state;
	one_rate(&m,
	    RATE("\"percent\":10,\"currency\":\"USD\",\"cap\":{\"amount\":15,\"over\":\"month\"},"
		 "\"clawback\":[]"));
	made_line(&m, "T-1", "2026-01-10", "100");
	made_line(&m, "T-2", "2026-01-31", "100");
	made_line(&m, "T-3", "2026-02-01", "200");
	made_line(&m, "T-4", "2026-03-01", "50");
	made_compute(&m);
	assert_paid(&m, want, COUNT(want));
	made_done(&m);
}

/* What is taken back makes room below the cap again. */
static void
test_cap_after_clawback(void **state)
{
	static const char *const want[] = { "10", "-4", "9" };
	struct made m = { 0 };

	(void)state;
	one_rate(&m,
	    RATE("\"percent\":10,\"currency\":\"USD\",\"cap\":{\"amount\":15,\"over\":\"month\"},"
		 "\"clawback\":[\"refunds\"]"));
	made_line(&m, "T-1", "2026-01-10", "100");
	made_line(&m, "T-1", "2026-01-20", "0")->billed.refund = money("-40");
	made_line(&m, "T-2", "2026-01-31", "200");
	made_compute(&m);
	assert_paid(&m, want, COUNT(want));
	made_done(&m);
}

/* Each kind of what is given back takes only when the rate says so; what is kept is kept for good. */
static void
test_each_clawback(void **state)
{
	static const struct {
		const char *clawback;
		const char *want[3];
		size_t n;
	} cases[] = { { "\"refunds\"", { "10", "-5" }, 2 }, { "\"credits\"", { "10", "-3" }, 2 },
		{ "\"forgiven\"", { "10", "-2" }, 2 },
		{ "\"credits\",\"forgiven\"", { "10", "-3", "-2" }, 3 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct made m = { 0 };
		char rate[400];

		(void)snprintf(rate, sizeof(rate), RATE("\"percent\":10,\"clawback\":[%s]"),
		    cases[i].clawback);
		one_rate(&m, rate);
		made_line(&m, "T-1", "2026-01-10", "100");
		made_line(&m, "T-1", "2026-02-10", "0")->billed.refund = money("-50");
		made_line(&m, "T-1", "2026-03-10", "0")->billed.credit = money("-30");
		made_line(&m, "T-1", "2026-04-10", "-20");
		made_compute(&m);
		assert_paid(&m, cases[i].want, cases[i].n);
		made_done(&m);
	}
}

/* Two lines of one day: the sale goes first, whatever the other columns sort like. */
static void
test_same_day(void **state)
{
	static const char *const want[] = { "10", "-10" };
	struct made m = { 0 };
	struct commission_line *l;

	(void)state;
	one_rate(&m, RATE("\"percent\":10,\"clawback\":[\"refunds\"]"));
	l = made_line(&m, "T-1", "2026-01-10", "0");
	l->billed.refund = money("-100");
	l->invoice_date -= HOUR_MS;
	made_line(&m, "T-1", "2026-01-10", "100");
	made_compute(&m);
	assert_int_equal(m.run.n_queue, 0);
	assert_paid(&m, want, COUNT(want));
	made_done(&m);
}

/* A product's kind by its id or its code; the id goes before; else the line's own. */
static void
test_planned_kinds(void **state)
{
	static const char *const want[] = { "1", "2", "2", "3" };
	struct made m = { 0 };
	const char *plan;
	char whole[4000];

	(void)state;
	plan = plan_text(&m, ANA, EVERYTHING, NULL,
#define KIND(kind, percent)                                                                        \
	"{\"id\":\"" kind "\",\"revenue\":[\"" kind "\"],\"base\":\"gross\",\"payOn\":\"billed\"," \
	"\"percent\":" percent ",\"clawback\":[]}"
	    KIND("hourly", "1") "," KIND("monthly", "2") "," KIND("annual", "3") "," KIND(
		"metered", "4"));
	(void)snprintf(whole, sizeof(whole),
	    "{\"products\":[{\"product\":\"code-h\",\"revenue\":\"hourly\"},{\"product\":\"prod-"
	    "m\","
	    "\"revenue\":\"monthly\"}],%s",
	    plan + 1);
	made_plan(&m, whole);
	made_line(&m, "T-1", "2026-01-01", "100")->product_code = STR("code-h");
	made_line(&m, "T-2", "2026-01-02", "100")->product_id = STR("prod-m");
	made_line(&m, "T-3", "2026-01-03", "100")->product_id = STR("prod-m");
	m.lines[2].product_code = STR("code-h");
	made_line(&m, "T-4", "2026-01-04", "100");
	made_compute(&m);
	assert_paid(&m, want, COUNT(want));
	made_done(&m);
}

/* Days further apart than they are counted one by one still come in their order. */
static void
test_far_days(void **state)
{
	static const char *const want[] = { "50", "20" };
	struct made m = { 0 };

	(void)state;
	one_rate(&m,
	    RATE("\"currency\":\"USD\",\"over\":\"year\",\"tiers\":[{\"above\":0,\"percent\":5},{"
		 "\"above\":1000,\"percent\":8}],\"clawback\":[]"));
	made_line(&m, "T-0", "1980-01-01", "1000")->invoice_date += (instant_t)65536 * DAY_MS;
	m.lines[0].billed.gross = money("400");
	made_line(&m, "T-1", "1980-01-01", "1000");
	made_compute(&m);
	assert_paid(&m, want, COUNT(want));
	made_done(&m);
}

/* More people than a posting has room for; the last gets the rest of a cent's parts. */
static void
test_split_among_many(void **state)
{
	struct made m = { 0 };
	char people[1000] = "", credits[1000] = "", rule[1200];
	money_t sum = 0;

	(void)state;
	for (int i = 0; i < 7; i++) {
		size_t n = strlen(people), k = strlen(credits);

		(void)snprintf(people + n, sizeof(people) - n, "%s{\"id\":\"p%d\",\"name\":\"P\"}",
		    i > 0 ? "," : "", i);
		(void)snprintf(credits + k, sizeof(credits) - k,
		    "%s{\"representative\":\"p%d\",\"percent\":\"%s\"}", i > 0 ? "," : "", i,
		    i < 6 ? "14.2857" : "14.2858");
	}
	(void)snprintf(
	    rule, sizeof(rule), "{\"id\":\"t\",\"everything\":true,\"credits\":[%s]}", credits);
	made_plan(&m, plan_text(&m, people, rule, NULL, FLAT));
	made_line(&m, "T-1", "2026-01-10", "100.01")->billed.gross += 7;
	made_compute(&m);
	assert_int_equal(m.run.n_items, 7);
	for (uint32_t i = 0; i < 7; i++) {
		assert_int_equal(m.run.items[i].representative, i);
		sum += m.run.items[i].credited;
	}
	assert_true(sum == m.lines[0].billed.gross);
	made_done(&m);
}

/* The first and the last day of an overlay belong to it, the days around do not. */
static void
test_overlay_days(void **state)
{
	static const char *const days[] = { "2026-01-31", "2026-02-01", "2026-02-28",
		"2026-03-01" };
	struct made m = { 0 };

	(void)state;
	made_plan(&m, plan_text(&m, ANA "," BEN, EVERYTHING,
			  "{\"id\":\"o\",\"everything\":true,\"from\":\"2026-02-01\",\"until\":"
			  "\"2026-02-28\"," TO("ben") "}",
			  FLAT));
	for (size_t i = 0; i < COUNT(days); i++)
		made_line(&m, "T", days[i], "100");
	made_compute(&m);
	assert_int_equal(m.run.n_items, 6);
	for (size_t i = 0; i < m.run.n_items; i++)
		if (m.run.items[i].overlay)
			assert_true(m.run.items[i].line == 1 || m.run.items[i].line == 2);
	made_done(&m);
}

/* Halves are rounded up beyond 64 bits, too. */
static void
test_large_halves(void **state)
{
	static const char *const want[] = { "50000000000000.01", "50000000000000" };
	struct made m = { 0 };

	(void)state;
	one_rate(&m, RATE("\"percent\":\"0.5\",\"clawback\":[]"));
	made_line(&m, "T-1", "2026-01-10", "10000000000000001");
	made_line(&m, "T-2", "2026-01-11", "10000000000000000.9999");
	made_compute(&m);
	assert_paid(&m, want, COUNT(want));
	made_done(&m);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cap_begins_anew),
		cmocka_unit_test(test_cap_after_clawback),
		cmocka_unit_test(test_each_clawback),
		cmocka_unit_test(test_same_day),
		cmocka_unit_test(test_planned_kinds),
		cmocka_unit_test(test_far_days),
		cmocka_unit_test(test_split_among_many),
		cmocka_unit_test(test_overlay_days),
		cmocka_unit_test(test_large_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
