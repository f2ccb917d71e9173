/* SPDX-License-Identifier: Apache-2.0 */
/* Locked runs: never edited, and together with what they are owed always the fresh run. */
#include "made.h"

#define MONTH(n) (2026 * 12 + (n)-1)

struct chain {
	struct locked_run runs[4];
	struct settlement settlements[4];
	size_t n;
};

static void
lock(struct made *m, struct chain *c, int month)
{
	struct fail f = { 0 };
	struct month_range months = { month, month };
	struct settlement *s = &c->settlements[c->n];
	struct buf b = { 0 };

	assert_int_equal(settle(&m->run, months, c->runs, c->n, s, &f), SOUK_OK);
	c->runs[c->n] = (struct locked_run){ .months = months,
		.seller = STR("seller"),
		.known_at = STR("2026-02-01T00:00:00Z"),
		.variant = STR("report"),
		.plan_digest = STR("p"),
		.lines_digest = STR("l"),
		.approved_by = STR("Finance"),
		.amounts = s->amounts,
		.n_amounts = s->n_amounts };
	/* What counts is what was written. */
	locked_write(&c->runs[c->n], &b);
	assert_true(buf_ok(&b));
	assert_int_equal(locked_read(buf_str(&b), m->a, &c->runs[c->n], &f), SOUK_OK);
	assert_int_equal(c->runs[c->n].n_amounts, s->n_amounts);
	buf_done(&b);
	c->n++;
}

static void
chain_done(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		settlement_done(&c->settlements[i]);
}

/* Facts change: amounts, the buyer's country, lines that come late and lines that go. */
static void
restate(struct made *m, uint64_t seed)
{
	struct dice d = { seed };

	for (size_t i = 0; i < m->n; i++) {
		switch (throw_dice(&d, 12)) {
		case 0:
			m->lines[i].billed.gross = m->lines[i].billed.gross * 9 / 10;
			break;
		case 1:
			m->lines[i].country = STR("FR");
			break;
		case 2:
			m->lines[i].payer_number = STR("000000000002");
			break;
		case 3:
			m->lines[i] = m->lines[--m->n];
			break;
		default:
			break;
		}
	}
	for (int i = 0; i < 10; i++) {
		char reference[32];

		(void)snprintf(reference, sizeof(reference), "L-%d-%u", i, throw_dice(&d, 1000));
		made_line(m, reference, "2026-01-20", "75.55")->payer_number = STR("000000000001");
	}
	made_compute(m);
}

static money_t
fresh_sum(const struct made *m, uint32_t representative, int from, int until, struct str currency)
{
	struct statement s = {
		.run = &m->run, .representative = representative, .months = { from, until }
	};
	struct statement_total t[8];
	size_t n = statement_totals(&s, t, 8);

	for (size_t i = 0; i < n; i++)
		if (str_eq(t[i].currency, currency))
			return t[i].sum;
	return 0;
}

static money_t
locked_sum(const struct chain *c, struct str representative, int until, struct str currency)
{
	money_t sum = 0;

	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->runs[i].n_amounts; k++) {
			const struct locked_amount *a = &c->runs[i].amounts[k];

			if (str_eq(a->representative_id, representative) && a->month <= until &&
			    str_eq(a->currency, currency))
				sum += a->amount;
		}
	return sum;
}

static void
test_locked_and_owed_are_the_fresh_run(void **state)
{
	size_t adjustments = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 15; seed++) {
		struct made m = { 0 };
		struct chain c = { 0 };

		made_world_plan(&m, 0);
		made_world_lines(&m, seed, 150);
		made_compute(&m);
		for (int month = 1; month <= 4; month++) {
			lock(&m, &c, MONTH(month));
			adjustments += c.settlements[month - 1].n_adjustments;
			for (uint32_t r = 0; r < m.plan.n_representatives; r++)
				for (size_t k = 0; k < 2; k++) {
					struct str currency = k ? STR("USD") : STR("EUR");

					assert_true(
					    locked_sum(&c, m.plan.representatives[r].id,
						MONTH(month), currency) ==
					    fresh_sum(&m, r, MONTH(1), MONTH(month), currency));
				}
			restate(&m, seed * 100 + (uint64_t)month);
		}
		chain_done(&c);
		made_done(&m);
	}
	assert_true(adjustments > 500);
}

static void
test_adjustment_is_explained(void **state)
{
	struct made m = { 0 };
	struct chain c = { 0 };
	struct settlement s = { 0 };
	struct statement st = { .run = &m.run, .months = { MONTH(2), MONTH(2) } };
	struct fail f = { 0 };
	struct buf b = { 0 };

	(void)state;
	made_plan(
	    &m, plan_text(&m, ANA, "{\"id\":\"a\",\"everything\":true," TO("ana") "}", NULL, FLAT));
	made_line(&m, "T-1", "2026-01-10", "100");
	made_line(&m, "T-2", "2026-01-11", "50");
	made_line(&m, "T-3", "2026-02-11", "10");
	made_compute(&m);
	lock(&m, &c, MONTH(1));
	m.lines[0].billed.gross = money("80");
	m.lines[1] = m.lines[--m.n];
	made_compute(&m);
	assert_int_equal(settle(&m.run, st.months, c.runs, 1, &s, &f), SOUK_OK);
	st.adjustments = settlement_of(&s, STR("ana"), &st.n_adjustments);
	assert_int_equal(st.n_adjustments, 2);
	statement_csv(&st, false, &b);
	assert_non_null(strstr(b.p, "T-3,code1,One,111122223333,,,US,USD,10.00,100%,10.00,a,"
				    "everything,flat,10.00 x 10% = 1.00,1.00"));
	assert_non_null(strstr(b.p, "2026-01,adjustment,,T-1,"));
	assert_non_null(strstr(b.p, "restated: 8.00 - 10.00 = -2.00,-2.00"));
	assert_non_null(strstr(b.p, "no longer credited: 0.00 - 5.00 = -5.00,-5.00"));
	buf_done(&b);
	settlement_done(&s);
	chain_done(&c);
	made_done(&m);
}

static void
test_refusals(void **state)
{
	struct made m = { 0 }, other = { 0 };
	struct chain c = { 0 };
	struct settlement s = { 0 };
	struct fail f = { 0 };

	(void)state;
	made_plan(
	    &m, plan_text(&m, ANA, "{\"id\":\"a\",\"everything\":true," TO("ana") "}", NULL, FLAT));
	made_line(&m, "T-1", "2026-01-10", "100");
	made_compute(&m);
	lock(&m, &c, MONTH(1));
	assert_int_equal(
	    settle(&m.run, (struct month_range){ MONTH(1), MONTH(2) }, c.runs, 1, &s, &f),
	    SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, "--month");
	c.runs[1] = c.runs[0];
	f = (struct fail){ 0 };
	assert_int_equal(
	    settle(&m.run, (struct month_range){ MONTH(2), MONTH(2) }, c.runs, 2, &s, &f),
	    SOUK_E_INVALID);
	/* A plan without the person who was paid. */
	made_plan(&other,
	    plan_text(&other, BEN, "{\"id\":\"a\",\"everything\":true," TO("ben") "}", NULL, FLAT));
	made_line(&other, "T-1", "2026-01-10", "100");
	made_compute(&other);
	f = (struct fail){ 0 };
	assert_int_equal(
	    settle(&other.run, (struct month_range){ MONTH(2), MONTH(2) }, c.runs, 1, &s, &f),
	    SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, "/representatives");
	chain_done(&c);
	made_done(&m);
	made_done(&other);
}

/* A byte that means something cannot be changed without being noticed. */
static void
test_tampering(void **state)
{
	static const char *const changes[][2] = { { "\"10.00\"", "\"90.00\"" },
		{ "\"ana\"", "\"eve\"" }, { "2026-01", "2026-02" }, { "Finance", "Nobody!" },
		{ "\"planDigest\":\"p\"", "\"planDigest\":\"q\"" }, { "\"sale\"", "\"loan\"" },
		{ "souk-locked-run-1", "souk-locked-run-2" } };
	struct made m = { 0 };
	struct chain c = { 0 };
	struct buf b = { 0 };
	struct locked_run r;
	struct fail f = { 0 };

	(void)state;
	made_plan(
	    &m, plan_text(&m, ANA, "{\"id\":\"a\",\"everything\":true," TO("ana") "}", NULL, FLAT));
	made_line(&m, "T-1", "2026-01-10", "100");
	made_compute(&m);
	lock(&m, &c, MONTH(1));
	for (size_t i = 0; i < COUNT(changes); i++) {
		char *at;

		buf_clear(&b);
		locked_write(&c.runs[0], &b);
		at = strstr(b.p, changes[i][0]);
		assert_non_null(at);
		memcpy(at, changes[i][1], strlen(changes[i][1]));
		assert_row(i, locked_read(buf_str(&b), m.a, &r, &f) == SOUK_E_INVALID);
	}
	assert_int_equal(locked_read(STR("{}"), m.a, &r, &f), SOUK_E_INVALID);
	assert_int_equal(locked_read(STR(""), m.a, &r, &f), SOUK_E_INVALID);
	buf_done(&b);
	chain_done(&c);
	made_done(&m);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locked_and_owed_are_the_fresh_run),
		cmocka_unit_test(test_adjustment_is_explained),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_tampering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
