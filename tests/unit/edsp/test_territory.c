/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a line is: precedence, products, dates, ambiguity, and the index against a walk through all rules. */
#include "made.h"

#include "base/guid.h"

static struct territory_hit
map(struct made *m, const struct commission_line *line, struct overlay_hits *overlays)
{
	struct territory_memo *memo = NULL;
	struct territory_hit hit = { 0 };

	assert_int_equal(territory_memo_new(m->index, &memo), SOUK_OK);
	/* Twice: the second time from memory. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    territory_map(memo, line, day_of(line->invoice_date), &hit, overlays), SOUK_OK);
	territory_memo_free(memo);
	return hit;
}

static const char *
rule_of(struct made *m, const struct commission_line *line)
{
	struct territory_hit hit = map(m, line, NULL);

	if (hit.rule == NO_INDEX)
		return "none";
	return hit.other != NO_INDEX ? "ambiguous" : m->plan.territories[hit.rule].id.p;
}

#define RULE(id, how) "{\"id\":\"" id "\"," how "," TO("ana") "}"

static void
test_precedence(void **state)
{
	/* From the last resort up: each beats all before it. */
	static const struct {
		const char *rule;
	} order[] = {
		{ RULE("everything", "\"everything\":true") },
		{ RULE("product", "\"products\":[\"prod-1\"]") },
		{ RULE("country", "\"geography\":[{\"country\":\"US\"}]") },
		{ RULE("country-product",
		    "\"geography\":[{\"country\":\"US\"}],\"products\":[\"code1\"]") },
		{ RULE("state", "\"geography\":[{\"country\":\"US\",\"state\":\"wa\"}]") },
		{ RULE("city", "\"geography\":[{\"country\":\"US\",\"city\":\"seattle\"}]") },
		{ RULE("city-state",
		    "\"geography\":[{\"country\":\"US\",\"state\":\"WA\",\"city\":\"Seattle\"}]") },
		{ RULE("zip3", "\"geography\":[{\"country\":\"US\",\"postalCodes\":{\"from\":"
			       "\"980\",\"to\":\"981\"}}]") },
		{ RULE("zip5", "\"geography\":[{\"country\":\"US\",\"postalCodes\":{\"from\":"
			       "\"98101\",\"to\":\"98101\"}}]") },
		{ RULE("domain",
		    "\"company\":{\"domains\":[\"acme.example\"],\"names\":[\"Acme\"]}") },
		{ RULE("domain-product",
		    "\"company\":{\"domains\":[\"acme.example\"]},\"products\":[\"prod-1\"]") },
		{ RULE("account", "\"accounts\":[\"111122223333\"]") },
		{ RULE("account-product",
		    "\"accounts\":[\"111122223333\"],\"products\":[\"prod-1\"]") },
	};

	(void)state;
	for (size_t n = 1; n <= COUNT(order); n++) {
		struct made m = { 0 };
		struct buf b = { 0 };
		struct commission_line *line;
		char id[32];

		/* The order of rules in the file must not matter: forwards and backwards. */
		for (size_t i = 0; i < n; i++)
			buf_printf(&b, "%s%s", i > 0 ? "," : "", order[n % 2 ? i : n - 1 - i].rule);
		made_plan(&m, plan_text(&m, ANA, b.p, NULL, FLAT));
		line = made_line(&m, "T-1", "2026-01-15", "1.00");
		line->state = STR("WA");
		line->city = STR("SEATTLE");
		line->postal_code = STR("98101-1234");
		line->email_domain = STR("mail.ACME.example");
		line->company = STR("Acme, Inc.");
		(void)snprintf(id, sizeof(id), "%.*s",
		    (int)(strchr(order[n - 1].rule + 7, '"') - order[n - 1].rule - 7),
		    order[n - 1].rule + 7);
		assert_string_equal(rule_of(&m, line), id);
		buf_done(&b);
		made_done(&m);
	}
}

static void
test_dates(void **state)
{
	struct made m = { 0 };

	(void)state;
	made_plan(&m, plan_text(&m, ANA "," BEN,
			  "{\"id\":\"a\",\"accounts\":[\"111122223333\"],\"from\":\"2026-01-01\","
			  "\"until\":\"2026-03-31\"," TO(
			      "ana") "},{\"id\":\"b\",\"accounts\":[\"111122223333\"],\"from\":"
				     "\"2026-04-01\",\"until\":\"2026-04-30\"," TO("ben") "}",
			  NULL, FLAT));
	assert_string_equal(rule_of(&m, made_line(&m, "T", "2025-12-31", "1")), "none");
	assert_string_equal(rule_of(&m, made_line(&m, "T", "2026-01-01", "1")), "a");
	assert_string_equal(rule_of(&m, made_line(&m, "T", "2026-03-31", "1")), "a");
	assert_string_equal(rule_of(&m, made_line(&m, "T", "2026-04-01", "1")), "b");
	assert_string_equal(rule_of(&m, made_line(&m, "T", "2026-04-30", "1")), "b");
	assert_string_equal(rule_of(&m, made_line(&m, "T", "2026-05-01", "1")), "none");
	/* The last millisecond of a day belongs to it. */
	m.lines[1].invoice_date = day_of(m.lines[1].invoice_date) * DAY_MS - 1;
	assert_string_equal(rule_of(&m, &m.lines[1]), "none");
	made_done(&m);
}

static void
test_company(void **state)
{
	struct made m = { 0 };
	struct commission_line *l;

	(void)state;
	made_plan(&m,
	    plan_text(&m, ANA,
		RULE("d", "\"company\":{\"domains\":[\"acme.example\"]}") "," RULE(
		    "n", "\"company\":{\"names\":[\"Globex\"]}") "," RULE("p",
		    "\"company\":{\"names\":[\"Globex\"]},\"products\":[\"prod-1\"]") "," RULE("g",
		    "\"geography\":[{\"country\":\"FR\"}]"),
		NULL, FLAT));
	l = made_line(&m, "T", "2026-01-01", "1");
	l->product_id = STR("prod-2");
	l->product_code = STR("code2");
	l->company = STR("GLOBEX S.A.");
	assert_string_equal(rule_of(&m, l), "n");
	l->email_domain = STR("gmail.com"); /* nobody's: the name decides */
	assert_string_equal(rule_of(&m, l), "n");
	l->email_domain = STR("acme.example");
	assert_string_equal(rule_of(&m, l), "ambiguous");
	l->product_id = STR("prod-1"); /* the rule of the product decides */
	assert_string_equal(rule_of(&m, l), "p");
	l->company = STR("Acme");
	assert_string_equal(rule_of(&m, l), "d");
	l->email_domain = STR("notacme.example");
	assert_string_equal(rule_of(&m, l), "none");
	l->country = STR("fr");
	assert_string_equal(rule_of(&m, l), "g");
	made_done(&m);
}

static void
test_overlays(void **state)
{
	struct made m = { 0 };
	struct overlay_hits hits = { 0 };
	struct commission_line *l;

	(void)state;
	made_plan(&m, plan_text(&m, ANA "," BEN,
			  "{\"id\":\"a\",\"accounts\":[\"999922223333\"]," TO("ana") "}",
			  "{\"id\":\"all\",\"everything\":true,\"credits\":[{\"representative\":"
			  "\"ana\",\"percent\":5},"
			  "{\"representative\":\"ben\",\"percent\":7}]},{\"id\":\"us\","
			  "\"geography\":[{\"country\":\"US\"}]," TO("ben") "}",
			  FLAT));
	l = made_line(&m, "T", "2026-01-01", "1");
	(void)map(&m, l, &hits);
	assert_int_equal(hits.n, 2); /* ben once, by the more specific one */
	assert_int_equal(hits.v[0].representative, 1);
	assert_int_equal(hits.v[0].rule, 1);
	assert_int_equal(hits.v[1].representative, 0);
	l->country = STR("CA");
	(void)map(&m, l, &hits);
	assert_int_equal(hits.n, 2);
	assert_int_equal(hits.v[0].rule, 0);
	overlay_hits_done(&hits);
	made_done(&m);
}

/* ---- against a walk ---- */

static uint64_t random_state;

static unsigned
dice(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % n;
}

#define WALK_RULES 60

/* One rule of a small world: codes 0..99 of one country, products 0..2, days of one month. */
struct small {
	int lo, hi, product; /* product -1: any */
	int from, until;
};

static bool
collides(const struct small *v, size_t n, struct small s)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].product == s.product && v[i].lo <= s.hi && s.lo <= v[i].hi &&
		    v[i].from <= s.until && s.from <= v[i].until)
			return true;
	return false;
}

static int
walk(const struct small *v, size_t n, int code, int product, int day)
{
	int any = -1;

	for (size_t i = 0; i < n; i++) {
		if (code < v[i].lo || code > v[i].hi || day < v[i].from || day > v[i].until)
			continue;
		if (v[i].product == product)
			return (int)i;
		if (v[i].product == -1)
			any = (int)i;
	}
	return any;
}

static void
test_ranges_as_a_walk(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct made m = { 0 };
		struct buf b = { 0 };
		struct small v[WALK_RULES];
		size_t n = 0;

		random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		for (int tries = 0; tries < 2000 && n < WALK_RULES; tries++) {
			struct small s = { .lo = (int)dice(100),
				.product = (int)dice(4) - 1,
				.from = (int)dice(28) + 1 };

			s.hi = s.lo + (int)dice(8);
			s.hi = s.hi > 99 ? 99 : s.hi;
			s.until = s.from + (int)dice(20);
			s.until = s.until > 28 ? 28 : s.until;
			if (collides(v, n, s))
				continue;
			buf_printf(&b,
			    "%s{\"id\":\"r%zu\",\"geography\":[{\"country\":\"DE\",\"postalCodes\":"
			    "{\"from\":\"%02d\",\"to\":\"%02d\"}}],",
			    n > 0 ? "," : "", n, s.lo, s.hi);
			if (s.product >= 0)
				buf_printf(&b, "\"products\":[\"prod-%d\"],", s.product);
			buf_printf(&b,
			    "\"from\":\"2026-01-%02d\",\"until\":\"2026-01-%02d\"," TO("ana") "}",
			    s.from, s.until);
			v[n++] = s;
		}
		made_plan(&m, plan_text(&m, ANA, b.p, NULL, FLAT));
		for (int i = 0; i < 3000; i++) {
			int code = (int)dice(100), product = (int)dice(3), day = (int)dice(28) + 1,
			    want;
			char text[16], product_text[16];
			struct commission_line l = { .country = STR("DE"),
				.postal_code = str_c(text),
				.product_id = str_c(product_text) };
			day_t first = 0;
			struct territory_hit hit;

			(void)snprintf(text, sizeof(text), "%02d", code);
			(void)snprintf(product_text, sizeof(product_text), "prod-%d", product);
			l.postal_code = str_c(text);
			l.product_id = str_c(product_text);
			assert_true(day_parse(STR("2026-01-01"), &first));
			l.invoice_date = (first + day - 1) * DAY_MS;
			want = walk(v, n, code, product, day);
			hit = map(&m, &l, NULL);
			assert_int_equal((int)hit.rule, want);
		}
		buf_done(&b);
		made_done(&m);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_company),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_ranges_as_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
