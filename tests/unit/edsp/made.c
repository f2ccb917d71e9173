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
	assert_true(day_parse(str_c(day), &d));
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
	    commission_compute(&m->plan, m->index, m->lines, m->n, 0, &m->run, &f), SOUK_OK);
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

unsigned
throw_dice(struct dice *d, unsigned n)
{
	d->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = d->state;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) >> 33) % n;
}

static const char *const world_territories[] = {
	"{\"id\":\"t-split\",\"accounts\":[\"000000000001\"],\"credits\":[{\"representative\":"
	"\"ana\",\"percent\":\"33.3333\"},"
	"{\"representative\":\"ben\",\"percent\":\"33.3333\"},{\"representative\":\"cyd\","
	"\"percent\":\"33.3334\"}]}",
	"{\"id\":\"t-early\",\"accounts\":[\"000000000002\"],\"until\":\"2026-02-14\"," TO(
	    "ana") "}",
	"{\"id\":\"t-late\",\"accounts\":[\"000000000002\"],\"from\":\"2026-02-15\"," TO("ben") "}",
	"{\"id\":\"t-fr\",\"geography\":[{\"country\":\"FR\"}]," TO("cyd") "}",
	"{\"id\":\"t-us\",\"geography\":[{\"country\":\"US\",\"state\":\"WA\"}]," TO("ben") "}",
	"{\"id\":\"t-prod\",\"products\":[\"prod-2\"]," TO("ana") "}",
};
#define ALL "\"revenue\":[\"hourly\",\"monthly\",\"annual\",\"metered\"]"
#define BACK "\"clawback\":[\"refunds\",\"credits\",\"forgiven\"]"
static const char *const world_rates[] = {
	"{\"id\":\"r-tiers\",\"representatives\":[\"ana\"]," ALL
	",\"currency\":\"USD\",\"base\":\"gross\",\"payOn\":\"billed\","
	"\"over\":\"quarter\",\"tiers\":[{\"above\":0,\"percent\":\"5.5\"},{\"above\":500,"
	"\"percent\":8},{\"above\":\"900.50\",\"percent\":11}],"
	"\"accelerators\":[{\"above\":700,\"factor\":\"1.25\"}]," BACK "}",
	"{\"id\":\"r-cap\",\"representatives\":[\"ben\"]," ALL
	",\"currency\":\"USD\",\"base\":\"net\",\"payOn\":\"billed\","
	"\"percent\":\"7.77\",\"cap\":{\"amount\":\"60.00\",\"over\":\"month\"}," BACK "}",
	"{\"id\":\"r-paid\",\"representatives\":[\"cyd\"]," ALL
	",\"base\":\"gross\",\"payOn\":\"disbursed\",\"percent\":\"3.3\"," BACK "}",
	"{\"id\":\"r-lead\",\"representatives\":[\"mia\"]," ALL
	",\"base\":\"gross\",\"payOn\":\"billed\",\"percent\":\"1\","
	"\"clawback\":[\"refunds\"]}",
};

static void
add_shuffled(struct buf *b, const char *const *v, size_t n, uint64_t order)
{
	struct dice d = { order };
	size_t place[16];

	for (size_t i = 0; i < n; i++)
		place[i] = i;
	for (size_t i = n; i-- > 1 && order != 0;) {
		size_t k = throw_dice(&d, (unsigned)i + 1), t = place[i];

		place[i] = place[k];
		place[k] = t;
	}
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s", i > 0 ? "," : "", v[place[i]]);
}

void
made_world_plan(struct made *m, uint64_t order)
{
	struct buf territories = { 0 }, rates = { 0 };

	add_shuffled(&territories, world_territories, COUNT(world_territories), order);
	add_shuffled(&rates, world_rates, COUNT(world_rates), order);
	made_plan(
	    m, plan_text(m,
		   ANA "," BEN ",{\"id\":\"cyd\",\"name\":\"Cyd "
		       "Example\"},{\"id\":\"mia\",\"name\":\"Mia Example\"}",
		   territories.p, "{\"id\":\"o-all\",\"everything\":true," TO("mia") "}", rates.p));
	buf_done(&territories);
	buf_done(&rates);
}

static money_t
some_money(struct dice *d, unsigned max)
{
	return (money_t)throw_dice(d, max * 10000) * (MONEY_ONE / 10000);
}

static void
add_later(struct made *m, struct dice *d, size_t sale)
{
	static const char *const later[] = { "2026-02-20", "2026-03-05", "2026-04-10" };
	struct commission_line *l = made_line(m, "x", later[throw_dice(d, 3)], "0");
	struct commission_line *s = &m->lines[sale];
	money_t part = s->billed.gross / (money_t)(1 + throw_dice(d, 4));
	instant_t date = l->invoice_date;

	*l = *s;
	l->invoice_date = date;
	l->payouts = NULL;
	l->n_payouts = 0;
	memset(&l->billed, 0, sizeof(l->billed));
	switch (throw_dice(d, 3)) {
	case 0:
		l->billed.refund = -part;
		l->billed.fee_refund = part / 20;
		break;
	case 1:
		l->billed.credit = -part;
		break;
	default:
		l->billed.gross = -s->billed.gross;
		l->billed.fee = -s->billed.fee;
		break;
	}
}

static void
add_payouts(struct made *m, struct dice *d, struct commission_line *l)
{
	unsigned n = throw_dice(d, 3);
	struct line_payout *p = arena_array(m->a, n + 1, sizeof(*p));
	money_t rest = l->billed.gross;

	assert_non_null(p);
	for (unsigned i = 0; i < n; i++) {
		p[i].date = l->invoice_date + (instant_t)(i + 1) * 20 * DAY_MS;
		p[i].amounts.gross = i + 1 == n ? rest : rest / 3;
		rest -= p[i].amounts.gross;
	}
	l->payouts = p;
	l->n_payouts = n;
}

void
made_world_lines(struct made *m, uint64_t seed, size_t n)
{
	static const char *const accounts[] = { "000000000001", "000000000002", "000000000003" };
	static const char *const countries[] = { "FR", "US", "BR" };
	struct dice d = { seed };

	for (size_t i = 0; i < n; i++) {
		char reference[32], day[16];
		struct commission_line *l;

		(void)snprintf(reference, sizeof(reference), "T-%zu", i);
		(void)snprintf(day, sizeof(day), "2026-%02u-%02u", 1 + throw_dice(&d, 3),
		    1 + throw_dice(&d, 28));
		l = made_line(m, reference, day, "0");
		l->billed.gross = some_money(&d, 300) + MONEY_ONE / 100;
		l->billed.fee = -l->billed.gross / 33;
		l->payer_number = str_c(accounts[throw_dice(&d, 3)]);
		l->country = str_c(countries[throw_dice(&d, 3)]);
		l->state = throw_dice(&d, 2) ? STR("WA") : STR("");
		l->product_id = throw_dice(&d, 4) ? STR("prod-1") : STR("prod-2");
		l->currency = throw_dice(&d, 8) ? STR("USD") : STR("EUR");
		add_payouts(m, &d, l);
		if (throw_dice(&d, 3) == 0)
			add_later(m, &d, m->n - 1);
		if (throw_dice(&d, 6) == 0)
			add_later(m, &d, m->n - 1 - (m->lines[m->n - 1].billed.gross <= 0));
	}
}
