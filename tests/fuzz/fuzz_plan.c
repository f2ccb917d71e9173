/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan files: every refusal names its place and a fix; what is accepted maps and pays lines without leaving
 * its bounds, the same on one thread and on three.
 */
#include "base/country.h"
#include "edsp/commission.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define N_LINES 6

static void
make_lines(struct commission_line *l)
{
	static const char *const references[] = { "T-1", "T-2", "T-2", "T-3", "", "T-1" };
	static const char *const domains[] = { "mail.globex.example", "gmail.com", "", "com",
		"acme.example", "..." };

	for (size_t i = 0; i < N_LINES; i++) {
		l[i] = (struct commission_line){ .transaction = str_c(references[i]),
			.payer_number = STR("111122223333"),
			.payer_id = STR("buyer"),
			.country = i % 2 == 0 ? STR("DE") : STR("US"),
			.state = STR("Bayern"),
			.city = STR("M\xc3\xbcnchen"),
			.postal_code = STR("80331"),
			.email_domain = str_c(domains[i]),
			.company = i % 3 == 0 ? STR("GLOBEX G.m.b.H. & Co. KG") : STR(""),
			.product_id = STR("prod-a"),
			.product_code = STR("code"),
			.end_user = STR("buyer"),
			.currency = i == 3 ? STR("EUR") : STR("USD"),
			.kind = (enum revenue_kind)(i % REVENUE__COUNT),
			.invoice_date = (instant_t)(20454 + 31 * i) * DAY_MS };
		l[i].billed.gross = (money_t)(i * i * 3000 + 1) * MONEY_ONE;
	}
	l[2].billed = (struct line_amounts){ .refund = -2500 * MONEY_ONE };
	l[5].billed = (struct line_amounts){ .credit = -9 * MONEY_ONE, .fee_credit = MONEY_ONE };
}

static void
compare_runs(const struct commission_run *a, const struct commission_run *b)
{
	assert(a->n_items == b->n_items && a->n_queue == b->n_queue);
	for (size_t i = 0; i < a->n_items; i++) {
		const struct commission_item *x = &a->items[i], *y = &b->items[i];

		assert(x->line == y->line && x->representative == y->representative &&
		       x->rule == y->rule && x->rate == y->rate && x->part == y->part);
		assert(x->commission == y->commission && x->credited == y->credited);
		assert(
		    x->representative < a->plan->n_representatives && x->rate < a->plan->n_rates);
	}
}

static void
pay(const struct plan *p)
{
	struct commission_line lines[N_LINES];
	struct commission_run one = { 0 }, three = { 0 };
	struct territory_index *t = NULL;
	enum souk_err r = territory_index_new(p, &t, NULL), again;

	if (r != SOUK_OK)
		return; /* products of too many rules */
	make_lines(lines);
	r = commission_compute(p, t, lines, N_LINES, 1, &one, NULL);
	again = commission_compute(p, t, lines, N_LINES, 3, &three, NULL);
	assert(r == again);
	if (r == SOUK_OK)
		compare_runs(&one, &three);
	commission_run_done(&one);
	commission_run_done(&three);
	territory_index_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new((size_t)256 << 20);
	struct plan_faults faults = { 0 };
	struct plan p = { 0 };
	enum souk_err r = company_load(NULL);

	assert(r == SOUK_OK && a != NULL);
	r = country_load(NULL);
	assert(r == SOUK_OK);
	r = plan_read((struct str){ (const char *)data, n }, a, &p, &faults);
	if (r == SOUK_OK)
		r = plan_check(&p, a, &faults);
	if (r == SOUK_OK)
		pay(&p);
	else
		assert(faults.n_total > 0 || r != SOUK_E_INVALID);
	for (size_t i = 0; i < faults.n; i++)
		assert(faults.v[i].what[0] != '\0' && faults.v[i].fix[0] != '\0');
	plan_faults_done(&faults);
	arena_free(a);
	return 0;
}
