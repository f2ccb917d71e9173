/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every plan and all lines: splits, tiers, caps, taking back, order. */
#include "made.h"

#define SEEDS 20
#define LINES 300

static void
begin(struct made *m, uint64_t seed)
{
	made_world_plan(m, 0);
	made_world_lines(m, seed, LINES);
	made_compute(m);
}

/* What is credited by a territory for a part of a line is the whole of it. */
static void
test_splits_sum(void **state)
{
	size_t seen = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct made m = { 0 };

		/* The same rate for all, so that all of a split are paid on the same day. */
		made_plan(&m, plan_text(&m, ANA "," BEN ",{\"id\":\"cyd\",\"name\":\"C\"}",
				  "{\"id\":\"t\",\"everything\":true,\"credits\":[{"
				  "\"representative\":\"ana\",\"percent\":\"33.3333\"},"
				  "{\"representative\":\"ben\",\"percent\":\"0.0001\"},{"
				  "\"representative\":\"cyd\",\"percent\":\"66.6666\"}]}",
				  NULL, FLAT));
		made_world_lines(&m, seed, LINES);
		made_compute(&m);
		for (uint32_t line = 0; line < m.n; line++) {
			money_t sum = 0, amount = 0;

			for (size_t i = 0; i < m.run.n_items; i++)
				if (m.run.items[i].line == line && !m.run.items[i].takes) {
					sum += m.run.items[i].credited;
					amount = m.run.items[i].amount;
				}
			assert_true(sum == amount);
			seen += amount != 0;
		}
		for (size_t i = 0; i < m.run.n_queue; i++) /* refunds dated before their sale */
			assert_int_equal(m.run.queue[i].reason, QUEUE_NO_SALE);
		made_done(&m);
	}
	assert_true(seen > 1000);
}

/* Each line that earns is somebody's or in the queue, never both, never neither. */
static void
test_nothing_is_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct made m = { 0 };

		begin(&m, seed);
		for (uint32_t line = 0; line < m.n; line++) {
			bool mapped =
			    m.run.hits[line].rule != NO_INDEX && m.run.hits[line].other == NO_INDEX;
			size_t queued = 0;

			for (size_t i = 0; i < m.run.n_queue; i++)
				queued += m.run.queue[i].line == line &&
					  m.run.queue[i].reason <= QUEUE_AMBIGUOUS;
			if (m.lines[line].billed.gross > 0)
				assert_int_equal(queued, mapped ? 0 : 1);
		}
		made_done(&m);
	}
}

static struct plan_rate
tiered(struct plan_step *tiers, struct plan_step *accelerators)
{
	tiers[0] = (struct plan_step){ 0, 50000 };
	tiers[1] = (struct plan_step){ money("1000"), 80000 };
	tiers[2] = (struct plan_step){ money("2500.50"), 0 };
	tiers[3] = (struct plan_step){ money("3000"), 120000 };
	accelerators[0] = (struct plan_step){ money("1500"), 150 };
	accelerators[1] = (struct plan_step){ money("3000"), 300 };
	return (struct plan_rate){
		.tiers = tiers, .n_tiers = 4, .accelerators = accelerators, .n_accelerators = 2
	};
}

static money_t
exact(const struct plan_rate *r, money_t before, money_t amount)
{
	struct commission_step s[16];
	size_t n = commission_steps(r, before, amount, s, 16);
	money_t sum = 0, whole = 0;

	for (size_t i = 0; i < n; i++) {
		sum += s[i].amount * (money_t)s[i].rate;
		whole += s[i].amount;
	}
	assert_true(whole == amount);
	return sum;
}

/* One sale is paid as two that come to it, wherever it is cut: so at every boundary, one unit to each side. */
static void
test_tiers_are_continuous(void **state)
{
	static const char *const cuts[] = { "0", "999.9999999999", "1000", "1000.0000000001",
		"1500", "2500.50", "2999.9999999999", "3000", "3000.0000000001", "4000" };
	struct plan_step tiers[4], accelerators[2];
	struct plan_rate r = tiered(tiers, accelerators);

	(void)state;
	for (size_t i = 0; i < COUNT(cuts); i++)
		for (size_t k = i; k < COUNT(cuts); k++) {
			money_t a = money(cuts[i]), b = money(cuts[k]);

			assert_true(exact(&r, 0, a) + exact(&r, a, b - a) == exact(&r, 0, b));
		}
	/* By hand: 1000 at 5%, 500 at 8%, 1000.50 at 12%, 499.50 at 0, 1000 at 36%. */
	assert_true(exact(&r, 0, money("4000")) ==
		    (money("50") + money("40") + money("120.06") + money("360")) * RATE_UNITS);
}

static void
test_rounding(void **state)
{
	static const struct {
		const char *amount;
		uint32_t percent;
		unsigned decimals;
		const char *commission;
	} rows[] = {
		{ "0.50", 10000, 2, "0.01" }, /* half a cent goes up */
		{ "0.4999999999", 10000, 2, "0.00" },
		{ "100.50", 10000, 2, "1.01" },
		{ "50", 10000, 0, "1" },
		{ "0.0000000001", PERCENT_ALL, 4, "0" },
		{ "999999999999999999.99", PERCENT_ALL, 2, "999999999999999999.99" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct commission_step s = { money(rows[i].amount),
			(uint64_t)rows[i].percent * FACTOR_ONE, rows[i].percent, FACTOR_ONE };
		money_t got = -1;

		assert_row(i, commission_of_steps(&s, 1, rows[i].decimals, &got));
		assert_row(i, got == money(rows[i].commission));
		s.amount = -s.amount; /* halves go away from zero on both sides */
		assert_row(i, commission_of_steps(&s, 1, rows[i].decimals, &got));
		assert_row(i, got == -money(rows[i].commission));
	}
}

struct sum {
	uint32_t representative;
	struct str transaction;
	bool overlay;
	money_t v;
};

/* Item by item, in the order they are posted: no transaction ever gives back more than it paid. */
static void
test_never_more_than_paid(void **state)
{
	size_t taken = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct made m = { 0 };
		struct sum *sums = calloc(10000, sizeof(*sums));
		size_t n = 0;

		assert_non_null(sums);
		begin(&m, seed);
		for (size_t i = 0; i < m.run.n_items; i++) {
			const struct commission_item *item = &m.run.items[i];
			size_t k = 0;

			while (k < n &&
			       !(sums[k].representative == item->representative &&
				   sums[k].overlay == item->overlay &&
				   str_eq(sums[k].transaction, m.lines[item->line].transaction)))
				k++;
			if (k == n)
				sums[n++] = (struct sum){ item->representative,
					m.lines[item->line].transaction, item->overlay, 0 };
			assert_true(item->takes ? item->commission <= 0 : item->commission >= 0);
			sums[k].v += item->commission;
			assert_true(sums[k].v >= 0);
			taken += item->takes && item->commission < 0;
		}
		free(sums);
		made_done(&m);
	}
	assert_true(taken > 200);
}

/* What is refunded in full leaves nothing, whatever was rounded on the way and whoever has the account now. */
static void
test_full_refund_leaves_nothing(void **state)
{
	struct made m = { 0 };
	money_t sum = 0;

	(void)state;
	made_plan(
	    &m, plan_text(&m, ANA "," BEN,
		    "{\"id\":\"a\",\"accounts\":[\"111122223333\"],\"until\":\"2026-01-31\","
		    "\"credits\":[{\"representative\":\"ana\","
		    "\"percent\":\"12.5\"},{\"representative\":\"ben\",\"percent\":\"87.5\"}]},"
		    "{\"id\":\"b\",\"accounts\":[\"111122223333\"],\"from\":\"2026-02-01\"," TO(
			"ben") "}",
		    NULL, FLAT));
	made_line(&m, "T-1", "2026-01-10", "99.99");
	for (int i = 0; i < 3; i++)
		made_line(&m, "T-1", "2026-02-10", "0")->billed.refund = money("-33.33");
	made_compute(&m);
	assert_int_equal(m.run.n_items, 8);
	for (size_t i = 0; i < m.run.n_items; i++) {
		sum += m.run.items[i].commission;
		/* From whom it was paid to, by the rule that paid: not from ben alone, who has the account now. */
		assert_int_equal(m.run.items[i].rule, 0);
	}
	assert_true(sum == 0);
	made_line(&m, "T-1", "2026-02-11", "0")->billed.refund = money("-1.00");
	made_compute(&m);
	assert_int_equal(m.run.n_items, 8); /* there is nothing left to take from */
	made_line(&m, "T-2", "2026-02-11", "0")->billed.refund = money("-1.00");
	made_compute(&m);
	assert_int_equal(m.run.n_queue, 1);
	assert_int_equal(m.run.queue[0].reason, QUEUE_NO_SALE);
	made_done(&m);
}

static void
test_caps(void **state)
{
	size_t capped = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct made m = { 0 };
		money_t paid[12] = { 0 };

		begin(&m, seed);
		for (size_t i = 0; i < m.run.n_items; i++) {
			const struct commission_item *item = &m.run.items[i];
			int month = plan_period_of(PERIOD_MONTH, item->day) % 12;

			if (!m.plan.rates[item->rate].has_cap)
				continue;
			paid[month] += item->commission;
			assert_true(paid[month] <= money("60"));
			capped += !item->takes && item->commission < item->uncapped;
		}
		made_done(&m);
	}
	assert_true(capped > 50);
}

/* All statements and the queue, as bytes. */
static void
print_all(const struct made *m, struct buf *b)
{
	struct month_range months = { 0, INT32_MAX };
	struct suggester *s = NULL;

	for (uint32_t r = 0; r < m->plan.n_representatives; r++) {
		struct statement st = { .run = &m->run, .representative = r, .months = months };

		statement_csv(&st, true, b);
	}
	assert_int_equal(suggester_new(m->index, &m->run, &s), SOUK_OK);
	queue_csv(&m->run, s, months, b);
	suggester_free(s);
	assert_true(buf_ok(b));
}

static void
shuffle_lines(struct made *m, uint64_t seed)
{
	struct dice d = { seed };

	for (size_t i = m->n; i-- > 1;) {
		size_t k = throw_dice(&d, (unsigned)i + 1);
		struct commission_line t = m->lines[i];

		m->lines[i] = m->lines[k];
		m->lines[k] = t;
	}
}

static void
test_order_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct made m = { 0 }, other = { 0 };
		struct buf a = { 0 }, b = { 0 };

		begin(&m, seed);
		print_all(&m, &a);
		made_world_plan(&other, seed);
		made_world_lines(&other, seed, LINES);
		shuffle_lines(&other, seed * 77);
		made_compute(&other);
		print_all(&other, &b);
		assert_string_equal(a.p, b.p);
		for (unsigned threads = 1; threads <= 5; threads += 2) {
			buf_clear(&b);
			commission_run_done(&other.run);
			assert_int_equal(commission_compute(&other.plan, other.index, other.lines,
					     other.n, threads, &other.run, NULL),
			    SOUK_OK);
			print_all(&other, &b);
			assert_string_equal(a.p, b.p);
		}
		buf_done(&a);
		buf_done(&b);
		made_done(&m);
		made_done(&other);
	}
}

/* A statement holds its person's items and no others', and the statements together are the run. */
static void
test_statements_hold_their_own(void **state)
{
	struct made m = { 0 };
	struct buf b = { 0 };
	money_t all = 0, sum = 0;

	(void)state;
	begin(&m, 5);
	for (size_t i = 0; i < m.run.n_items; i++)
		all += m.run.items[i].commission;
	for (uint32_t r = 0; r < m.plan.n_representatives; r++) {
		struct statement s = {
			.run = &m.run, .representative = r, .months = { 0, INT32_MAX }
		};
		struct statement_total t[STATEMENT_CURRENCIES_MAX];
		size_t n = statement_totals(&s, t, STATEMENT_CURRENCIES_MAX);
		void (*const forms[])(
		    const struct statement *, struct buf *) = { statement_json, statement_html };

		for (size_t i = 0; i < n; i++)
			sum += t[i].sum;
		for (size_t f = 0; f < 2; f++) {
			buf_clear(&b);
			forms[f](&s, &b);
			for (uint32_t o = 0; o < m.plan.n_representatives; o++)
				assert_true((strstr(b.p, m.plan.representatives[o].name.p) !=
						NULL) == (o == r));
		}
		buf_clear(&b);
		statement_csv(&s, false, &b);
		for (const char *p = b.p; p != NULL && *p != '\0'; p = strchr(p, '\n') + 1)
			assert_memory_equal(
			    p, m.plan.representatives[r].id.p, m.plan.representatives[r].id.n);
	}
	assert_true(sum == all);
	buf_done(&b);
	made_done(&m);
}

/* A rate is in force on its first and last day; a line in another currency waits for one. */
static void
test_rate_days(void **state)
{
	static const char *const days[] = { "2026-01-31", "2026-02-01", "2026-02-28",
		"2026-03-01" };
	static const char *const want[] = { "1.00", "2.00", "2.00", "3.00" };
	struct made m = { 0 };

	(void)state;
#define SPAN(id, percent, from, until)                                                             \
	"{\"id\":\"" id "\",\"revenue\":[\"hourly\",\"monthly\",\"annual\",\"metered\"],\"base\":" \
	"\"gross\",\"payOn\":\"billed\","                                                          \
	"\"percent\":" percent ",\"clawback\":[],\"currency\":\"USD\"" from until "}"
	made_plan(&m, plan_text(&m, ANA, "{\"id\":\"a\",\"everything\":true," TO("ana") "}", NULL,
			  SPAN("x", "1", "", ",\"until\":\"2026-01-31\"") "," SPAN("y", "2",
			      ",\"from\":\"2026-02-01\"", ",\"until\":\"2026-02-28\"") "," SPAN("z",
			      "3", ",\"from\":\"2026-03-01\"", "")));
	for (size_t i = 0; i < COUNT(days); i++)
		made_line(&m, "T", days[i], "100");
	made_line(&m, "T", "2026-02-01", "100")->currency = STR("EUR");
	made_compute(&m);
	assert_int_equal(m.run.n_items, COUNT(days));
	for (size_t i = 0; i < COUNT(days); i++)
		assert_row(i, m.run.items[i].commission == money(want[i]));
	assert_int_equal(m.run.n_queue, 1);
	assert_int_equal(m.run.queue[0].reason, QUEUE_NO_RATE);
	made_done(&m);
}

/* Paid when the funds come, as far as they came; taken back when a refund is settled. */
static void
test_disbursed(void **state)
{
	struct made m = { 0 };
	struct line_payout paid[2] = { { .amounts.gross = money("60") },
		{ .amounts.gross = money("40") } };
	struct line_payout settled = { .amounts.refund = money("-50") };
	struct commission_line *l;

	(void)state;
	made_plan(&m, plan_text(&m, ANA, "{\"id\":\"a\",\"everything\":true," TO("ana") "}", NULL,
			  "{\"id\":\"r\",\"revenue\":[\"hourly\",\"monthly\",\"annual\","
			  "\"metered\"],\"base\":\"gross\","
			  "\"payOn\":\"disbursed\",\"percent\":10,\"clawback\":[\"refunds\"]}"));
	l = made_line(&m, "T", "2026-01-10", "100");
	paid[0].date = l->invoice_date + 30 * DAY_MS;
	paid[1].date = l->invoice_date + 60 * DAY_MS;
	l->payouts = paid;
	l->n_payouts = 2;
	l = made_line(&m, "T", "2026-01-20", "0"); /* billed before anything is paid out */
	l->billed.refund = money("-50");
	settled.date = paid[1].date + DAY_MS;
	l->payouts = &settled;
	l->n_payouts = 1;
	made_compute(&m);
	assert_int_equal(m.run.n_queue, 0);
	assert_int_equal(m.run.n_items, 3);
	assert_true(
	    m.run.items[0].commission == money("6") && m.run.items[0].day == day_of(paid[0].date));
	assert_true(m.run.items[1].commission == money("4"));
	assert_true(m.run.items[2].commission == -money("5") && m.run.items[2].takes);
	made_done(&m);
}

static void
test_too_large(void **state)
{
	struct made m = { 0 };
	struct fail f = { 0 };

	(void)state;
	made_plan(&m, plan_text(&m, ANA, "{\"id\":\"a\",\"everything\":true," TO("ana") "}", NULL,
			  "{\"id\":\"r\",\"revenue\":[\"hourly\",\"monthly\",\"annual\","
			  "\"metered\"],\"base\":\"gross\",\"payOn\":\"billed\","
			  "\"percent\":1000,\"currency\":\"USD\",\"over\":\"year\","
			  "\"accelerators\":[{\"above\":0,\"factor\":100}],\"clawback\":[]}"));
	made_line(&m, "T", "2026-01-10", "999999999999999999");
	assert_int_equal(
	    commission_compute(&m.plan, m.index, m.lines, m.n, 0, &m.run, &f), SOUK_E_LIMIT);
	assert_true(f.detail[0] != '\0');
	made_done(&m);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits_sum),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_tiers_are_continuous),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_never_more_than_paid),
		cmocka_unit_test(test_full_refund_leaves_nothing),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_order_changes_nothing),
		cmocka_unit_test(test_statements_hold_their_own),
		cmocka_unit_test(test_rate_days),
		cmocka_unit_test(test_disbursed),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
