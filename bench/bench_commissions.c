/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines against rules, in memory: bench_commissions LINES RULES [THREADS [DIR]]
 *
 * Times the mapping alone on one thread, and mapping with commissions on THREADS (1), in processor time; `wall` by the clock. With DIR the same lines and rules are
 * written there as CSV for the peer, domains and names as they are compared: the peer need not normalise.
 */
#include "base/country.h"
#include "edsp/commission.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPRESENTATIVES 500
#define KINDS 4 /* of rules with keys: account, domain, name, postal codes */
#define STATES 50

static uint64_t state = 1;

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of all threads: others may be at work on the machine. */
static uint64_t
processor_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static unsigned
dice(unsigned n)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) >> 33) % n;
}

static void
credits(struct buf *b)
{
	unsigned first = dice(REPRESENTATIVES);

	if (dice(5) == 0)
		buf_printf(b,
		    "\"credits\":[{\"representative\":\"r%u\",\"percent\":60},{\"representative\":"
		    "\"r%u\",\"percent\":40}]}",
		    first, (first + 1) % REPRESENTATIVES);
	else
		buf_printf(b, "\"credits\":[{\"representative\":\"r%u\",\"percent\":100}]}", first);
}

static void
rule(struct buf *b, unsigned i, unsigned n)
{
	unsigned k = i / KINDS;

	buf_printf(b, "%s{\"id\":\"t%u\",", i > 0 ? "," : "", i);
	if (i + STATES >= n)
		buf_printf(
		    b, "\"geography\":[{\"country\":\"US\",\"state\":\"S%u\"}],", i + STATES - n);
	else if (i % KINDS == 0)
		buf_printf(b, "\"accounts\":[\"%012u\"],", k * 7);
	else if (i % KINDS == 1)
		buf_printf(b, "\"company\":{\"domains\":[\"company%u.example\"]},", k * 5);
	else if (i % KINDS == 2)
		buf_printf(b, "\"company\":{\"names\":[\"Société %u\"]},", k * 3);
	else
		buf_printf(b,
		    "\"geography\":[{\"country\":\"US\",\"postalCodes\":{\"from\":\"%05u\",\"to\":"
		    "\"%05u\"}}],",
		    k * 30, k * 30 + 19);
	credits(b);
}

static void
plan_text(struct buf *b, unsigned rules)
{
	buf_add_c(b, "{\"schema\":\"souk-plan-1\",\"name\":\"Bench\",\"rounding\":{\"mode\":\"half-"
		     "up\",\"decimals\":2},\"representatives\":[");
	for (unsigned i = 0; i < REPRESENTATIVES; i++)
		buf_printf(b, "%s{\"id\":\"r%u\",\"name\":\"Person %u\"}", i > 0 ? "," : "", i, i);
	buf_add_c(b, "],\"territories\":[");
	for (unsigned i = 0; i < rules; i++)
		rule(b, i, rules);
	buf_add_c(b, "],\"rates\":[{\"id\":\"all\",\"revenue\":[\"hourly\",\"monthly\",\"annual\","
		     "\"metered\"],\"currency\":\"USD\",\"base\":"
		     "\"gross\",\"payOn\":\"billed\",\"over\":\"quarter\",\"tiers\":[{\"above\":0,"
		     "\"percent\":5},{\"above\":50000,\"percent\":8},"
		     "{\"above\":200000,\"percent\":11}],\"clawback\":[\"refunds\",\"credits\","
		     "\"forgiven\"]}]}");
}

static struct str
text(struct arena *a, const char *fmt, unsigned v)
{
	char out[64];

	/* One of the formats below. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(out, sizeof(out), fmt, v);
#pragma GCC diagnostic pop
	return arena_str(a, str_c(out));
}

static void
make_line(struct arena *a, struct commission_line *l, unsigned i)
{
	static const char *const hosts[] = { "company%u.example", "mail.company%u.example",
		"eu.mail.Company%u.example" };
	unsigned company = dice(100000);
	day_t first = 0;

	if (!day_parse(STR("2026-01-01"), &first))
		exit(3);
	*l = (struct commission_line){ .transaction = text(a, "T%08x", i * 17),
		.payer_number = text(a, "%012u", dice(200000)),
		.country = STR("US"),
		.state = text(a, "S%u", dice(STATES + 10)),
		.city = text(a, "City %u", dice(2000)),
		.postal_code = text(a, "%05u", dice(100000)),
		.email_domain = text(a, hosts[dice(3)], company),
		.company = text(a, dice(2) ? "SOCIÉTÉ %u S. A." : "Société %u", company),
		.product_id = text(a, "prod-%u", dice(50)),
		.product_code = STR(""),
		.end_user = STR("u"),
		.currency = STR("USD"),
		.kind = REVENUE_ANNUAL,
		.invoice_date = (first + (day_t)dice(365)) * DAY_MS + dice(86400000) };
	l->billed.gross = (money_t)(dice(2000000) + 1) * (MONEY_ONE / 100);
}

static void
write_lines(const char *dir, const struct commission_line *lines, size_t n)
{
	char path[4096], domain[DOMAIN_MAX + 1], name[FOLDED_MAX + 1], day[DAY_TEXT_SIZE],
	    money[MONEY_TEXT_SIZE];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/lines.csv", dir);
	out = fopen(path, "w");
	if (out == NULL)
		exit(3);
	(void)fprintf(out, "ref,account,domain,company,host,name,state,postal,day,amount\n");
	for (size_t i = 0; i < n; i++) {
		const struct commission_line *l = &lines[i];

		if (company_domain(l->email_domain, domain) != DOMAIN_COMPANY)
			exit(3);
		(void)company_fold(l->company, name);
		plan_day_format(day_of(l->invoice_date), day);
		(void)money_format(l->billed.gross, 2, money);
		(void)fprintf(out, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", l->transaction.p,
		    l->payer_number.p, domain, name, l->email_domain.p, l->company.p, l->state.p,
		    l->postal_code.p, day, money);
	}
	if (fclose(out) != 0)
		exit(3);
}

static void
write_rules(const char *dir, const struct plan *p)
{
	char path[4096], name[FOLDED_MAX + 1];
	FILE *out, *credit;

	(void)snprintf(path, sizeof(path), "%s/rules.csv", dir);
	out = fopen(path, "w");
	(void)snprintf(path, sizeof(path), "%s/credits.csv", dir);
	credit = fopen(path, "w");
	if (out == NULL || credit == NULL)
		exit(3);
	(void)fprintf(out, "level,key,hi,rule\n");
	(void)fprintf(credit, "rule,rep,percent\n");
	for (size_t i = 0; i < p->n_territories; i++) {
		const struct plan_rule *r = &p->territories[i];

		if (r->accounts.n > 0)
			(void)fprintf(out, "account,%s,,%zu\n", r->accounts.v[0].p, i);
		else if (r->domains.n > 0)
			(void)fprintf(out, "domain,%s,,%zu\n", r->domains.v[0].p, i);
		else if (r->names.n > 0 && company_fold(r->names.v[0], name) > 0)
			(void)fprintf(out, "name,%s,,%zu\n", name, i);
		else if (r->places[0].postal_from.n > 0)
			(void)fprintf(out, "postal,%s,%s,%zu\n", r->places[0].postal_from.p,
			    r->places[0].postal_to.p, i);
		else
			(void)fprintf(out, "state,%s,,%zu\n", r->places[0].state.p, i);
		for (size_t k = 0; k < r->n_credits; k++)
			(void)fprintf(credit, "%zu,%s,%u\n", i, r->credits[k].representative_id.p,
			    r->credits[k].percent / 10000);
	}
	if (fclose(out) != 0 || fclose(credit) != 0)
		exit(3);
}

static double
map_seconds(
    const struct territory_index *t, const struct commission_line *lines, size_t n, size_t *mapped)
{
	struct territory_memo *memo = NULL;
	uint64_t began = processor_ns();
	struct territory_hit hit;

	*mapped = 0;
	if (territory_memo_new(t, &memo) != SOUK_OK)
		exit(3);
	for (size_t i = 0; i < n; i++) {
		if (territory_map(memo, &lines[i], day_of(lines[i].invoice_date), &hit, NULL) !=
		    SOUK_OK)
			exit(3);
		*mapped += hit.rule != NO_INDEX && hit.other == NO_INDEX;
	}
	territory_memo_free(memo);
	return (double)(processor_ns() - began) / 1e9;
}

static void
measure(const struct plan *p, const struct commission_line *lines, size_t n, unsigned threads)
{
	struct territory_index *t = NULL;
	struct commission_run run = { 0 };
	uint64_t began = processor_ns(), indexed, wall;
	char money[MONEY_TEXT_SIZE];
	size_t mapped;
	money_t sum = 0;

	if (territory_index_new(p, &t, NULL) != SOUK_OK)
		exit(3);
	indexed = processor_ns();
	(void)printf("index_s %.3f\n", (double)(indexed - began) / 1e9);
	(void)printf("map_s %.3f\n", map_seconds(t, lines, n, &mapped));
	(void)printf("mapped %zu\n", mapped);
	began = processor_ns();
	wall = clock_ns(CLOCK_MONOTONIC);
	if (commission_compute(p, t, lines, n, threads, &run, NULL) != SOUK_OK)
		exit(3);
	(void)printf("all_s %.3f\n", (double)(processor_ns() - began) / 1e9);
	(void)printf("all_wall_s %.3f\n", (double)(clock_ns(CLOCK_MONOTONIC) - wall) / 1e9);
	for (size_t i = 0; i < run.n_items; i++)
		sum += run.items[i].commission;
	(void)money_format(sum, 2, money);
	(void)printf("items %zu\nqueue %zu\ncommission %s\n", run.n_items, run.n_queue, money);
	commission_run_done(&run);
	territory_index_free(t);
}

int
main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	unsigned threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
	unsigned rules = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10000;
	struct arena *a = arena_new((size_t)8 << 30);
	struct plan_faults faults = { 0 };
	struct plan p = { 0 };
	struct buf b = { 0 };
	struct commission_line *lines = calloc(n + 1, sizeof(*lines));
	uint64_t began;

	if (a == NULL || lines == NULL || company_load(NULL) != SOUK_OK ||
	    country_load(NULL) != SOUK_OK)
		return 3;
	plan_text(&b, rules);
	began = processor_ns();
	if (plan_read(buf_str(&b), a, &p, &faults) != SOUK_OK ||
	    plan_check(&p, a, &faults) != SOUK_OK) {
		(void)fprintf(stderr, "%s: %s\n", faults.v[0].at, faults.v[0].what);
		return 3;
	}
	(void)printf("plan_s %.3f\n", (double)(processor_ns() - began) / 1e9);
	for (size_t i = 0; i < n; i++)
		make_line(a, &lines[i], (unsigned)i);
	if (argc > 4) {
		write_lines(argv[4], lines, n);
		write_rules(argv[4], &p);
	}
	measure(&p, lines, n, threads);
	free(lines);
	arena_free(a);
	return 0;
}
