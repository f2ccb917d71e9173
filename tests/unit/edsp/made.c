/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include "base/country.h"

static void
begin(struct made *m)
{
	*m = (struct made){ .a = arena_new((size_t)1 << 30) };
	assert_non_null(m->a);
	assert_int_equal(company_load(NULL), SOUK_OK);
	assert_int_equal(country_load(NULL), SOUK_OK);
}

static enum souk_err
read_and_check(struct made *m, const char *json)
{
	enum souk_err r = plan_read(str_c(json), m->a, &m->plan, &m->faults);

	return r == SOUK_OK ? plan_check(&m->plan, m->a, &m->faults) : r;
}

enum souk_err
made_refused(struct made *m, const char *json)
{
	if (m->a == NULL)
		begin(m);
	return read_and_check(m, json);
}

void
made_plan(struct made *m, const char *json)
{
	struct fail f = { 0 };

	if (m->a == NULL)
		begin(m);
	if (read_and_check(m, json) != SOUK_OK)
		fail_msg("%s: %s; %s", m->faults.v[0].at, m->faults.v[0].what, m->faults.v[0].fix);
	assert_int_equal(territory_index_new(&m->plan, &m->index, &f), SOUK_OK);
}

money_t
money(const char *text)
{
	money_t v = 0;

	assert_int_equal(money_parse(str_c(text), &v), MONEY_OK);
	return v;
}

struct str
keep(struct made *m, const char *text)
{
	struct str s = arena_str(m->a, str_c(text));

	assert_non_null(s.p);
	return s;
}

struct commission_line *
made_line(struct made *m, const char *transaction, const char *day, const char *gross)
{
	struct commission_line *l;
	day_t d = 0;

	if (m->n == m->cap) {
		m->cap = m->cap > 0 ? 2 * m->cap : 16;
		m->lines = realloc(m->lines, m->cap * sizeof(*m->lines));
		assert_non_null(m->lines);
	}
	assert_true(plan_day_parse(str_c(day), &d));
	l = &m->lines[m->n++];
	*l = (struct commission_line){ .transaction = keep(m, transaction),
		.payer_number = STR("111122223333"),
		.payer_id = STR("buyer"),
		.country = STR("US"),
		.state = STR(""),
		.city = STR(""),
		.postal_code = STR(""),
		.email_domain = STR(""),
		.company = STR(""),
		.product_id = STR("prod-1"),
		.product_code = STR("code1"),
		.product_title = STR("One"),
		.offer_id = STR(""),
		.end_user = STR("buyer"),
		.currency = STR("USD"),
		.invoice_date = d * DAY_MS + 12 * HOUR_MS,
		.kind = REVENUE_ANNUAL };
	l->billed.gross = money(gross);
	return l;
}

void
made_compute(struct made *m)
{
	struct fail f = { 0 };

	commission_run_done(&m->run);
	assert_int_equal(
	    commission_compute(&m->plan, m->index, m->lines, m->n, &m->run, &f), SOUK_OK);
}

void
made_done(struct made *m)
{
	commission_run_done(&m->run);
	territory_index_free(m->index);
	plan_faults_done(&m->faults);
	arena_free(m->a);
	free(m->lines);
	*m = (struct made){ 0 };
}

void
assert_fault(const struct made *m, const char *at, const char *what)
{
	for (size_t i = 0; i < m->faults.n; i++)
		if (strcmp(m->faults.v[i].at, at) == 0 &&
		    strstr(m->faults.v[i].what, what) != NULL) {
			assert_true(m->faults.v[i].fix[0] != '\0');
			return;
		}
	for (size_t i = 0; i < m->faults.n; i++)
		(void)fprintf(stderr, "%s: %s; %s\n", m->faults.v[i].at, m->faults.v[i].what,
		    m->faults.v[i].fix);
	fail_msg("no fault at %s that says: %s", at, what);
}

const char *
plan_text(struct made *m, const char *representatives, const char *territories,
    const char *overlays, const char *rates)
{
	char *s;

	if (m->a == NULL)
		begin(m);
	s = arena_printf(m->a,
	    "{\"schema\":\"souk-plan-1\",\"name\":\"Test\",\"rounding\":{\"mode\":\"half-up\","
	    "\"decimals\":2},"
	    "\"representatives\":[%s],\"territories\":[%s]%s%s%s,\"rates\":[%s]}",
	    representatives, territories, overlays != NULL ? ",\"overlays\":[" : "",
	    overlays != NULL ? overlays : "", overlays != NULL ? "]" : "", rates);
	assert_non_null(s);
	return s;
}
