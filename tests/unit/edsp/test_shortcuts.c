/* SPDX-License-Identifier: Apache-2.0 */
/* What a run does faster than by the book: small numbers, answers remembered, postings that hold what they need. */
#include "made.h"

#include "edsp/commission_int.h"

#define ALL "\"revenue\":[\"hourly\",\"monthly\",\"annual\",\"metered\"]"
#define RATE(id, more)                                                                             \
	"{\"id\":\"" id "\"," ALL ",\"base\":\"gross\",\"payOn\":\"billed\",\"clawback\":[]," more \
	"}"
#define EVERYTHING "{\"id\":\"a\",\"everything\":true," TO("ana") "}"

/* amount times rate, rounded half-up: by the book, for amounts whose product 127 bits hold. */
static money_t
by_the_book(money_t amount, uint64_t rate, unsigned decimals)
{
	money_t unit = RATE_UNITS, product = (amount < 0 ? -amount : amount) * (money_t)rate;

	for (unsigned i = decimals; i < MONEY_DECIMALS; i++)
		unit *= 10;
	product = (product + unit / 2) / unit * (unit / RATE_UNITS);
	return amount < 0 ? -product : product;
}

static money_t
some_amount(struct dice *d)
{
	money_t v = (money_t)throw_dice(d, 1000000000) + ((money_t)throw_dice(d, 4) << 62);

	switch (throw_dice(d, 4)) {
	case 0: /* four decimals, as people bill */
		return v * 1000000;
	case 1: /* looks like four decimals to who sees 64 bits only */
		return ((money_t)(1 + throw_dice(d, 3)) << 64) + v % 1000000000 * 1000000;
	case 2: /* the same, of what is taken back: 2^64 ends in 551616 */
		return throw_dice(d, 2) ? -v : -551616 - v * 1000000;
	default:
		return v * (1 + throw_dice(d, 1000000));
	}
}

static void
test_small_steps(void **state)
{
	struct dice d = { 11 };
	size_t whole = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		money_t amount = some_amount(&d), got = -1;
		uint32_t percent = throw_dice(&d, 3) ? 1 + throw_dice(&d, 200000) : 1;
		unsigned decimals = throw_dice(&d, 5);
		struct plan_step tier = { .above = 0, .value = percent };
		struct plan_rate rate = { .tiers = &tier, .n_tiers = 1 };
		struct commission_step step = { amount, (uint64_t)percent * FACTOR_ONE, percent,
			FACTOR_ONE };
		money_t want = by_the_book(amount, step.rate, decimals);

		if (commission_of_one_step(&rate, 0, amount, decimals, &got)) {
			whole++;
			assert_true(got == want);
		}
		assert_true(commission_of_steps(&step, 1, decimals, &got));
		assert_true(got == want);
	}
	assert_true(whole > 5000);
}

/* What falls on more than one tier, or is accelerated, is not for the short way. */
static void
test_one_step_only(void **state)
{
	struct plan_step tiers[] = { { 0, 50000 }, { MONEY_ONE, 80000 } },
			 faster[] = { { 0, 200 } };
	struct plan_rate rate = { .tiers = tiers, .n_tiers = 2 };
	money_t got;

	(void)state;
	assert_true(commission_of_one_step(&rate, 0, MONEY_ONE, 2, &got));
	assert_true(got == money("0.05"));
	assert_false(commission_of_one_step(&rate, 0, MONEY_ONE + 1000000, 2, &got));
	assert_true(commission_of_one_step(&rate, MONEY_ONE, MONEY_ONE, 2, &got));
	assert_true(got == money("0.08"));
	rate.accelerators = faster;
	rate.n_accelerators = 1;
	assert_false(commission_of_one_step(&rate, 0, MONEY_ONE, 2, &got));
}

/* One person's rates for one kind and currency, by product: each line asks anew. */
static void
test_rates_by_product(void **state)
{
	static const struct {
		const char *id, *code, *paid;
	} lines[] = {
		{ "prod-9", "code9", "3" },
		{ "prod-1", "code9", "1" },
		{ "prod-9", "code9", "3" },
		{ "prod-9", "code2", "2" },
		{ "prod-9", "code9", "3" },
		{ "prod-1", "code2", "1" }, /* its id before its code */
		{ "prod-1", "code1", "1" },
	};
	struct made m = { 0 };

	(void)state;
	made_plan(&m,
	    plan_text(&m, ANA, EVERYTHING, NULL,
		RATE("id", "\"percent\":1,\"products\":[\"prod-1\"]") "," RATE("code",
		    "\"percent\":2,\"products\":[\"code2\"]") "," RATE("any", "\"percent\":3")));
	for (size_t i = 0; i < COUNT(lines); i++) {
		char transaction[16];
		struct commission_line *l;

		(void)snprintf(transaction, sizeof(transaction), "T-%zu", i);
		l = made_line(&m, transaction, "2026-01-10", "100");
		l->product_id = str_c(lines[i].id);
		l->product_code = str_c(lines[i].code);
	}
	made_compute(&m);
	assert_int_equal(m.run.n_items, COUNT(lines));
	for (size_t i = 0; i < m.run.n_items; i++)
		assert_row(i, m.run.items[i].commission == money(lines[i].paid));
	made_done(&m);
}

static void
test_accelerator_on_one_tier(void **state)
{
	static const char *const paid[] = { "10", "20" };
	struct made m = { 0 };

	(void)state;
	made_plan(
	    &m, plan_text(&m, ANA, EVERYTHING, NULL,
		    RATE("r", "\"currency\":\"USD\",\"over\":\"quarter\",\"tiers\":[{\"above\":0,"
			      "\"percent\":10}],\"accelerators\":[{\"above\":100,\"factor\":2}]")));
	made_line(&m, "T-1", "2026-01-10", "100");
	made_line(&m, "T-2", "2026-01-11", "100");
	made_compute(&m);
	for (size_t i = 0; i < COUNT(paid); i++)
		assert_row(i, m.run.items[i].commission == money(paid[i]));
	made_done(&m);
}

/* Half of an odd last decimal goes up, the other half gets the rest; for amounts of both ways to divide. */
static void
test_half_of_the_last_decimal(void **state)
{
	static const char *const amounts[][3] = {
		{ "0.0000000001", "0.0000000001", "0" },
		{ "0.0000000003", "0.0000000002", "0.0000000001" },
		{ "2000.0000000001", "1000.0000000001", "1000" },
		{ "999999999999.0000000001", "499999999999.5000000001", "499999999999.5" },
	};
	struct made m = { 0 };

	(void)state;
	made_plan(
	    &m, plan_text(&m, ANA "," BEN,
		    "{\"id\":\"a\",\"everything\":true,\"credits\":[{\"representative\":\"ana\","
		    "\"percent\":50},{\"representative\":\"ben\",\"percent\":50}]}",
		    NULL, FLAT));
	for (size_t i = 0; i < COUNT(amounts); i++) {
		char transaction[16];

		(void)snprintf(transaction, sizeof(transaction), "T-%zu", i);
		made_line(&m, transaction, "2026-01-10", amounts[i][0]);
	}
	made_compute(&m);
	assert_int_equal(m.run.n_items, 2 * COUNT(amounts));
	for (size_t i = 0; i < m.run.n_items; i++)
		assert_row(
		    i, m.run.items[i].credited ==
			   money(amounts[m.run.items[i].line][1 + m.run.items[i].representative]));
	made_done(&m);
}

/* As many as a posting holds, one fewer and one more: each is paid at their own rate. */
static void
test_splits_of_each_size(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= CREDITS_INLINE + 2; n++) {
		struct buf people = { 0 }, credits = { 0 }, rates = { 0 };
		struct made m = { 0 };

		buf_add_c(&credits, "{\"id\":\"a\",\"everything\":true,\"credits\":[");
		for (unsigned i = 0; i < n; i++) {
			const char *comma = i > 0 ? "," : "";

			buf_printf(&people, "%s{\"id\":\"r%u\",\"name\":\"R\"}", comma, i);
			buf_printf(&credits, "%s{\"representative\":\"r%u\",\"percent\":%u}", comma,
			    i, i + 1 < n ? 10 : 100 - 10 * (n - 1));
			buf_printf(&rates,
			    "%s" RATE("rate%u", "\"percent\":%u,\"representatives\":[\"r%u\"]"),
			    comma, i, i + 1, i);
		}
		buf_add_c(&credits, "]}");
		made_plan(&m, plan_text(&m, people.p, credits.p, NULL, rates.p));
		made_line(&m, "T-1", "2026-01-10", "1000");
		made_line(&m, "T-2", "2026-01-10", "1000");
		made_compute(&m);
		assert_int_equal(m.run.n_items, 2 * n);
		for (unsigned i = 0; i < 2 * n; i++) {
			const struct commission_item *item = &m.run.items[i];
			unsigned who = i % n, share = who + 1 < n ? 100 : 1000 - 100 * (n - 1);

			assert_int_equal(item->representative, who);
			assert_true(item->credited == share * MONEY_ONE);
			assert_true(item->commission == share * MONEY_ONE * (who + 1) / 100);
		}
		buf_done(&people);
		buf_done(&credits);
		buf_done(&rates);
		made_done(&m);
	}
}

/* Lines of a day by their transactions' text, whatever numbers its first bytes make. */
static void
test_order_within_a_day(void **state)
{
	static const char *const sorted[] = { "A", "AZ", "AZ-1234567", "AZ-1234568", "B", "BA",
		"\xc3\xa4" };
	static const size_t given[] = { 4, 6, 2, 0, 5, 3, 1 };
	struct made m = { 0 };

	(void)state;
	made_plan(&m, plan_text(&m, ANA, EVERYTHING, NULL, FLAT));
	for (size_t i = 0; i < COUNT(given); i++)
		made_line(&m, sorted[given[i]], "2026-01-10", "100");
	made_compute(&m);
	assert_int_equal(m.run.n_items, COUNT(sorted));
	for (size_t i = 0; i < COUNT(sorted); i++)
		assert_string_equal(m.lines[m.run.items[i].line].transaction.p, sorted[i]);
	made_done(&m);
}

static void
test_ambiguous_lines_are_queued(void **state)
{
	struct made m = { 0 };
	struct commission_line *l;

	(void)state;
	made_plan(&m,
	    plan_text(&m, ANA,
		"{\"id\":\"d\",\"company\":{\"domains\":[\"acme.example\"]}," TO(
		    "ana") "},{\"id\":\"n\",\"company\":{\"names\":[\"Globex\"]}," TO("ana") "}",
		NULL, FLAT));
	l = made_line(&m, "T-1", "2026-01-10", "100");
	l->email_domain = STR("acme.example");
	l->company = STR("Globex");
	(void)made_line(&m, "T-2", "2026-01-10", "100");
	made_compute(&m);
	assert_int_equal(m.run.n_items, 0);
	assert_int_equal(m.run.n_queue, 2);
	assert_int_equal(m.run.queue[0].reason, QUEUE_AMBIGUOUS);
	assert_int_equal(m.run.queue[0].rule, 0);
	assert_int_equal(m.run.queue[0].other, 1);
	assert_int_equal(m.run.queue[1].reason, QUEUE_UNMAPPED);
	made_done(&m);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_steps),
		cmocka_unit_test(test_one_step_only),
		cmocka_unit_test(test_rates_by_product),
		cmocka_unit_test(test_accelerator_on_one_tier),
		cmocka_unit_test(test_half_of_the_last_decimal),
		cmocka_unit_test(test_splits_of_each_size),
		cmocka_unit_test(test_order_within_a_day),
		cmocka_unit_test(test_ambiguous_lines_are_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
