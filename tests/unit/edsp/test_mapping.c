/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping's shortcuts give what the plain way gives: domains, postal codes, products, overlays, threads. */
#include "made.h"

#include "edsp/company.h"

#include <ctype.h>
#include <pthread.h>

/* One memo for all lines, as a run has it: what it remembers of one must not lead another astray. */
struct mapper {
	struct made m;
	struct territory_memo *memo;
};

static void
mapper_new(
    struct mapper *map, const char *representatives, const char *territories, const char *overlays)
{
	*map = (struct mapper){ .memo = NULL };
	made_plan(&map->m, plan_text(&map->m, representatives, territories, overlays, FLAT));
	assert_int_equal(territory_memo_new(map->m.index, &map->memo), SOUK_OK);
}

static void
mapper_done(struct mapper *map)
{
	territory_memo_free(map->memo);
	made_done(&map->m);
}

static struct territory_hit
hit_of(struct mapper *map, const struct commission_line *line, struct overlay_hits *overlays)
{
	struct territory_hit hit = { 0 };

	assert_int_equal(
	    territory_map(map->memo, line, day_of(line->invoice_date), &hit, overlays), SOUK_OK);
	return hit;
}

static const char *
rule_of(struct mapper *map, const struct commission_line *line)
{
	struct territory_hit hit = hit_of(map, line, NULL);

	return hit.rule == NO_INDEX ? "" : map->m.plan.territories[hit.rule].id.p;
}

/* ---- domains ---- */

static const char *const ruled[] = { "acme.example", "a.de", "ab.io", "seven.x7", "eight-8.example",
	"globex.co.uk", "umbrella-corporation.example", "xn--bcher-kva.example", "initech.com",
	"pied.com.au" };

static char *
domain_rules(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(ruled); i++)
		buf_printf(&b, "%s{\"id\":\"%s\",\"company\":{\"domains\":[\"%s\"]}," TO("ana") "}",
		    i > 0 ? "," : "", ruled[i], ruled[i]);
	return b.p;
}

/* What the plain way finds. */
static const char *
by_registrable(const char *host)
{
	char out[DOMAIN_MAX + 1];

	if (company_domain(str_c(host), out) != DOMAIN_COMPANY)
		return "";
	for (size_t i = 0; i < COUNT(ruled); i++)
		if (strcmp(ruled[i], out) == 0)
			return ruled[i];
	return "";
}

static const char *
domain_rule(struct mapper *map, const char *host)
{
	struct commission_line *l = made_line(&map->m, "T", "2026-01-15", "1");

	l->email_domain = keep(&map->m, host);
	return rule_of(map, l);
}

static void
test_domains(void **state)
{
	static const struct {
		const char *host, *rule;
	} cases[] = {
		{ "acme.example", "acme.example" },
		{ "mail.acme.example", "acme.example" },
		{ "ACME.EXAMPLE", "acme.example" },
		{ "Mail.aCmE.eXaMpLe", "acme.example" },
		{ "acme.example.", "acme.example" },
		{ "mail.acme.example.", "acme.example" },
		{ "ana@acme.example", "acme.example" },
		{ "ana.b@mail.acme.example", "acme.example" },
		{ " acme.example", "acme.example" },
		{ "\tacme.example", "acme.example" },
		{ "acme.example ", "acme.example" },
		{ "mail.acme.example \r", "acme.example" },
		{ "notacme.example", "" },
		{ "acme.example.org", "" },
		{ "acme.exampl", "" },
		{ "xacme.example", "" },
		{ "acme-example", "" },
		{ "acme_example", "" },
		{ "a.de", "a.de" },
		{ "A.DE", "a.de" },
		{ "mail.a.de", "a.de" },
		{ "b.de", "" },
		{ "www.ab.io", "ab.io" },
		{ "aab.io", "" },
		{ "seven.x7", "seven.x7" },
		{ "eight-8.example", "eight-8.example" },
		{ "eight-9.example", "" },
		{ "globex.co.uk", "globex.co.uk" },
		{ "shop.GLOBEX.co.uk", "globex.co.uk" },
		{ "co.uk", "" },
		{ "other.co.uk", "" },
		{ "hr.umbrella-corporation.example", "umbrella-corporation.example" },
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "www.b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.example",
		    "xn--bcher-kva.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "initech.com", "initech.com" },
		{ "gmail.com", "" },
		{ "pied.com.au", "pied.com.au" },
		{ "", "" },
		{ ".", "" },
		{ "..", "" },
		{ "example", "" },
	};
	char *rules = domain_rules();
	struct mapper map;

	(void)state;
	mapper_new(&map, ANA, rules, NULL);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < COUNT(cases); i++) {
			assert_string_equal(by_registrable(cases[i].host), cases[i].rule);
			assert_row(i, strcmp(domain_rule(&map, cases[i].host), cases[i].rule) == 0);
		}
	free(rules);
	mapper_done(&map);
}

/* A byte off anywhere is another domain, wherever the comparison begins its words. */
static void
test_every_byte_of_a_domain(void **state)
{
	char *rules = domain_rules();
	struct mapper map;

	(void)state;
	mapper_new(&map, ANA, rules, NULL);
	for (size_t i = 0; i < COUNT(ruled); i++)
		for (size_t k = 0; ruled[i][k] != '\0'; k++) {
			char host[64], upper[64];

			(void)snprintf(host, sizeof(host), "%s", ruled[i]);
			host[k] = host[k] == '.' ? '-' : host[k] == 'q' ? 'z' : 'q';
			assert_string_equal(domain_rule(&map, host), by_registrable(host));
			(void)snprintf(upper, sizeof(upper), "%s", ruled[i]);
			upper[k] = (char)toupper((unsigned char)upper[k]);
			assert_string_equal(domain_rule(&map, upper), ruled[i]);
		}
	free(rules);
	mapper_done(&map);
}

static void
test_domains_as_the_list_has_them(void **state)
{
	static const char *const parts[] = { "acme", "ACME", "a", "de", "io", "ab", "example",
		"Example", "co", "uk", "com", "au", "globex", "pied", "initech", ".", ".", ".", ".",
		"@", " ", "-", "\xc3\xbc", "xn--bcher-kva", "b", "cher", "seven", "x7", "eight-8",
		"umbrella-corporation", "_", "\t", "gmail" };
	char *rules = domain_rules();
	struct dice d = { 7 };
	struct mapper map;
	size_t found = 0;

	(void)state;
	mapper_new(&map, ANA, rules, NULL);
	for (int i = 0; i < 60000; i++) {
		unsigned before = throw_dice(&d, 5), after = throw_dice(&d, 4) / 3;
		struct buf host = { 0 };

		for (unsigned k = 0; k < before; k++)
			buf_add_c(&host, parts[throw_dice(&d, COUNT(parts))]);
		if (throw_dice(&d, 3) > 0)
			buf_add_c(&host, ruled[throw_dice(&d, COUNT(ruled))]);
		if (after > 0)
			buf_add_c(&host, parts[throw_dice(&d, COUNT(parts))]);
		buf_add(&host, "", 1);
		assert_true(buf_ok(&host));
		assert_string_equal(domain_rule(&map, host.p), by_registrable(host.p));
		found += by_registrable(host.p)[0] != '\0';
		buf_done(&host);
		map.m.n = 0;
	}
	assert_true(found > 2000);
	free(rules);
	mapper_done(&map);
}

/* What was remembered of a domain says nothing of a company that is named like it, nor of a place. */
static void
test_memories_apart(void **state)
{
	struct commission_line *l;
	struct mapper map;

	(void)state;
	mapper_new(&map, ANA,
	    "{\"id\":\"d\",\"company\":{\"domains\":[\"xn--bcher-kva.example\"]}," TO(
		"ana") "},{"
		       "\"id"
		       "\":"
		       "\"n\""
		       ",\"co"
		       "mpany"
		       "\":{"
		       "\"nam"
		       "es\":"
		       "[\""
		       "\xe6"
		       "\x9d"
		       "\xb1"
		       "\xe4"
		       "\xba"
		       "\xac"
		       "\"]}"
		       "," TO("ana") "},{\"id\":\"c\",\"geography\":[{\"country\":\"JP\",\"city\":"
				     "\"\xe6\x9d\xb1\xe4\xba\xac\"}]," TO("a"
									  "n"
									  "a") "}",
	    NULL);
	for (int round = 0; round < 2; round++) {
		l = made_line(&map.m, "T", "2026-01-15", "1");
		l->email_domain = STR("b\xc3\xbc"
				      "cher.example");
		assert_string_equal(rule_of(&map, l), "d");
		l->email_domain = STR("");
		l->company = STR("b\xc3\xbc"
				 "cher.example");
		assert_string_equal(rule_of(&map, l), "");
		l->company = STR("\xe6\x9d\xb1\xe4\xba\xac");
		assert_string_equal(rule_of(&map, l), "n");
		l->company = STR("");
		l->email_domain = STR("\xe6\x9d\xb1\xe4\xba\xac");
		assert_string_equal(rule_of(&map, l), "");
		l->country = STR("JP");
		l->city = STR("\xe6\x9d\xb1\xe4\xba\xac");
		assert_string_equal(rule_of(&map, l), "c");
		/* The parts of a place do not run into each other. */
		l->city = STR("\xe4\xba\xac");
		l->state = STR("\xe6\x9d\xb1");
		assert_string_equal(rule_of(&map, l), "");
	}
	mapper_done(&map);
}

/* ---- postal codes ---- */

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct range {
	char lo[POSTAL_MAX + 1], hi[POSTAL_MAX + 1];
};
#define RANGES_MAX 700

static void
random_code(struct dice *d, size_t n, unsigned letters, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[throw_dice(d, letters)];
	out[n] = '\0';
}

static int
compare_codes(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Ranges that do not touch the same code, ends drawn at random, sorted. */
static size_t
random_ranges(struct dice *d, size_t digits, unsigned letters, size_t n, struct range *out)
{
	static char codes[2 * RANGES_MAX][POSTAL_MAX + 1];
	size_t k = 0, made = 0;

	for (size_t i = 0; i < 2 * n; i++)
		random_code(d, digits, letters, codes[i]);
	qsort(codes, 2 * n, sizeof(codes[0]), compare_codes);
	for (size_t i = 0; i < 2 * n; i++)
		if (k == 0 || strcmp(codes[k - 1], codes[i]) != 0)
			memmove(codes[k++], codes[i], sizeof(codes[0]));
	for (size_t i = 0; i + 1 < k; made++) {
		bool alone = throw_dice(d, 3) == 0;

		memcpy(out[made].lo, codes[i], sizeof(codes[0]));
		memcpy(out[made].hi, codes[alone ? i : i + 1], sizeof(codes[0]));
		i += alone ? 1 : 2;
	}
	return made;
}

static size_t
walk(const struct range *v, size_t n, const char *code, size_t digits)
{
	if (strlen(code) < digits)
		return SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		if (strncmp(v[i].lo, code, digits) <= 0 && strncmp(v[i].hi, code, digits) >= 0)
			return i;
	return SIZE_MAX;
}

/* The neighbour of a code, before or after; false at the end of all. */
static bool
next_to(char *code, int step)
{
	for (size_t i = strlen(code); i-- > 0;) {
		long at = strchr(alphabet, code[i]) - alphabet + step;

		if (at >= 0 && at < 36) {
			code[i] = alphabet[at];
			return true;
		}
		code[i] = step > 0 ? '0' : 'Z';
	}
	return false;
}

struct table_case {
	size_t digits;
	unsigned letters;
	size_t n;
	size_t longer, n_longer; /* a second table of more digits; 0: none */
};

static void
assert_code(struct mapper *map, const struct range *v, size_t n, const struct range *w, size_t n_w,
    const struct table_case *t, const char *code)
{
	struct commission_line l = { .country = STR("GB"), .postal_code = str_c(code) };
	size_t want = t->longer > 0 ? walk(w, n_w, code, t->longer) : SIZE_MAX;
	struct territory_hit hit;

	want = want != SIZE_MAX ? n + want : walk(v, n, code, t->digits);
	hit = hit_of(map, &l, NULL);
	if ((want == SIZE_MAX ? NO_INDEX : want) != hit.rule)
		fail_msg("%zu digits, code %s: rule %u, not %zu", t->digits, code, hit.rule, want);
	assert_true(hit.rule == NO_INDEX || hit.level == MATCH_POSTAL);
}

static void
add_ranges(struct buf *b, const struct range *v, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b,
		    "%s{\"id\":\"%s%zu\",\"geography\":[{\"country\":\"GB\",\"postalCodes\":{"
		    "\"from\":\"%s\",\"to\":\"%s\"}}]," TO("ana") "}",
		    b->n > 0 ? "," : "", what, i, v[i].lo, v[i].hi);
}

static void
check_table(const struct table_case *t, uint64_t seed)
{
	static struct range v[RANGES_MAX * 2], w[RANGES_MAX * 2];
	struct dice d = { seed };
	size_t n = random_ranges(&d, t->digits, t->letters, t->n, v);
	size_t n_w = t->longer > 0 ? random_ranges(&d, t->longer, t->letters, t->n_longer, w) : 0;
	struct buf b = { 0 };
	struct mapper map;
	char code[POSTAL_MAX + 1];

	add_ranges(&b, v, n, "v");
	add_ranges(&b, w, n_w, "w");
	mapper_new(&map, ANA, b.p, NULL);
	for (size_t i = 0; i < n + n_w; i++) {
		const struct range *r = i < n ? &v[i] : &w[i - n];

		for (int end = 0; end < 2; end++)
			for (int step = -1; step <= 1; step++) {
				memcpy(code, end ? r->hi : r->lo, sizeof(code));
				if (step == 0 || next_to(code, step))
					assert_code(&map, v, n, w, n_w, t, code);
			}
	}
	for (int i = 0; i < 2000; i++) {
		random_code(&d, 1 + throw_dice(&d, POSTAL_MAX), t->letters, code);
		assert_code(&map, v, n, w, n_w, t, code);
		/* As people write it, and with what follows the range's digits. */
		random_code(&d, t->digits, i % 2 ? t->letters : 36, code);
		assert_code(&map, v, n, w, n_w, t, code);
	}
	buf_done(&b);
	mapper_done(&map);
}

static void
test_postal_tables(void **state)
{
	static const struct table_case cases[] = {
		{ 1, 36, 12, 0, 0 },
		{ 2, 36, 200, 0, 0 },
		{ 3, 36, 600, 5, 100 }, /* jumps, and the longer ones first */
		{ 4, 10, 600, 0, 0 },
		{ 5, 10, 700, 8, 600 }, /* two tables with jumps */
		{ 5, 36, 700, 16, 50 },
		{ 6, 3, 300, 7, 300 }, /* few characters: crowded */
		{ 7, 36, 600, 0, 0 },
		{ 8, 36, 700, 9, 100 }, /* the last that 64 bits hold, the first that they do not */
		{ 9, 36, 600, 0, 0 },
		{ 16, 36, 700, 0, 0 },
		{ 5, 10, 255, 0, 0 }, /* just too few stretches for jumps */
		{ 5, 10, 258, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (uint64_t seed = 1; seed <= 2; seed++)
			check_table(&cases[i], seed * 1000 + i);
}

static void
test_postal_ends(void **state)
{
	static const struct {
		const char *country, *code, *rule;
	} cases[] = {
		{ "US", "80000", "us" },
		{ "US", "81999", "us" },
		{ "US", "81999-1234", "us" },
		{ "US", "79999", "" },
		{ "US", "82000", "" },
		{ "US", "8000", "" }, /* shorter than the range */
		{ "us", "80500", "us" },
		{ "MX", "80500", "" },
		{ "GB", "ZZZ", "gb" },
		{ "GB", "zz z", "gb" },
		{ "GB", "ZZY", "" },
		{ "GB", "000", "first" },
		{ "GB", "001", "" },
		{ "CA", "K1A 0B1", "ca" },
		{ "CA", "k1a0b1", "ca" },
		{ "CA", "K1A0B2", "" },
		{ "IE", "ZZZZZZZZ", "ie" },
		{ "IE", "ZZZZZZZZ9", "ie" },
		{ "IE", "ZZZZZZZY", "" },
		{ "", "80500", "" },
		{ "USA", "80500", "" },
		{ "U1", "80500", "" },
		{ "US", "", "" },
		{ "US", "--", "" },
	};
	struct mapper map;

#define RANGE(id, country, from, to)                                                               \
	"{\"id\":\"" id "\",\"geography\":[{\"country\":\"" country                                \
	"\",\"postalCodes\":{\"from\":\"" from "\",\"to\":\"" to "\"}}]," TO("ana") "}"
	(void)state;
	mapper_new(&map, ANA,
	    RANGE("us", "US", "80000", "81999") "," RANGE("gb", "GB", "ZZZ", "ZZZ") "," RANGE(
		"first", "GB", "000", "000") "," RANGE("ca", "CA", "K1A0B1",
		"K1A0B1") "," RANGE("ie", "IE", "ZZZZZZZZ", "ZZZZZZZZ"),
	    NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct commission_line *l = made_line(&map.m, "T", "2026-01-15", "1");

		l->country = str_c(cases[i].country);
		l->postal_code = str_c(cases[i].code);
		assert_row(i, strcmp(rule_of(&map, l), cases[i].rule) == 0);
	}
	mapper_done(&map);
}

/* ---- products and overlays, against a walk through all rules ---- */

#define ACCOUNTS 3
#define PRODUCTS 40 /* by code and by id; more than the first table of products holds */
#define DAYS 28
#define TEXT 32 /* bytes of a number or a product */

struct small {
	int account; /* -1: all */
	int product; /* -1: all; odd ones are codes */
	int from, until;
	int who;
};

static void
product_text(int product, char out[TEXT])
{
	(void)snprintf(out, TEXT, "%s-%d", product % 2 ? "code" : "prod", product);
}

static bool
collides(const struct small *v, size_t n, struct small s)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].account == s.account && v[i].product == s.product && v[i].who == s.who &&
		    v[i].from <= s.until && s.from <= v[i].until)
			return true;
	return false;
}

static void
small_rules(struct dice *d, struct small *v, size_t n, bool overlays, struct buf *b)
{
	char product[TEXT];

	for (size_t i = 0; i < n; i++) {
		struct small s;

		do {
			s = (struct small){ (int)throw_dice(d, ACCOUNTS + 1) - 1,
				(int)throw_dice(d, PRODUCTS + 2) - 2, (int)throw_dice(d, DAYS) + 1,
				0, overlays ? (int)throw_dice(d, 3) : 0 };
			if (s.product < 0 || s.account == 2 || throw_dice(d, 8) == 0)
				s.product = -1;
			s.until = s.from + (int)throw_dice(d, 12);
			s.until = s.until > DAYS ? DAYS : s.until;
			if (throw_dice(d, 3) == 0) { /* for good */
				s.from = 1;
				s.until = DAYS;
			}
		} while (collides(v, i, s));
		buf_printf(b, "%s{\"id\":\"%c%zu\",", i > 0 ? "," : "", overlays ? 'o' : 't', i);
		if (s.account >= 0)
			buf_printf(b, "\"accounts\":[\"00000000000%d\"],", s.account);
		else
			buf_printf(b, "\"everything\":true,");
		product_text(s.product, product);
		if (s.product >= 0)
			buf_printf(b, "\"products\":[\"%s\"],", product);
		if (s.until - s.from + 1 < DAYS)
			buf_printf(b, "\"from\":\"2026-01-%02d\",\"until\":\"2026-01-%02d\",",
			    s.from, s.until);
		buf_printf(b, "\"credits\":[{\"representative\":\"r%d\",\"percent\":100}]}", s.who);
		v[i] = s;
	}
}

/* The rule of one level and product that is in force; -1: none. */
static int
walk_level(const struct small *v, size_t n, int account, int product, int day, int who)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].account == account && v[i].product == product && v[i].who == who &&
		    v[i].from <= day && day <= v[i].until)
			return (int)i;
	return -1;
}

/* The account before all; on each the id's product, the code's, any. */
static int
walk_small(const struct small *v, size_t n, int account, int by_id, int by_code, int day, int who)
{
	int levels[2] = { account, -1 }, products[3] = { by_id, by_code, -1 };

	for (int l = 0; l < 2; l++)
		for (int p = 0; p < 3; p++) {
			int i = walk_level(v, n, levels[l], products[p], day, who);

			if (i >= 0)
				return i;
		}
	return -1;
}

static void
check_overlays(const struct overlay_hits *hits, const struct small *v, size_t n, int account,
    int by_id, int by_code, int day)
{
	size_t expected = 0;

	for (int who = 0; who < 3; who++) {
		int want = walk_small(v, n, account, by_id, by_code, day, who);
		size_t k = 0;

		while (k < hits->n && hits->v[k].representative != (uint32_t)who)
			k++;
		assert_int_equal(k < hits->n, want >= 0);
		if (want < 0)
			continue;
		assert_int_equal(hits->v[k].rule, want);
		assert_int_equal(
		    hits->v[k].level, v[want].account >= 0 ? MATCH_ACCOUNT : MATCH_EVERYTHING);
		expected++;
	}
	assert_int_equal(hits->n, expected);
}

#define R(n) "{\"id\":\"r" #n "\",\"name\":\"R" #n "\"}"
static void
test_products_and_overlays_as_a_walk(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct small territories[240], overlays[240];
		struct buf t = { 0 }, o = { 0 };
		struct overlay_hits hits = { 0 };
		struct dice d = { seed };
		struct mapper map;

		small_rules(&d, territories, COUNT(territories), false, &t);
		small_rules(&d, overlays, COUNT(overlays), true, &o);
		mapper_new(&map, R(0) "," R(1) "," R(2), t.p, o.p);
		for (int i = 0; i < 4000; i++) {
			int account = (int)throw_dice(&d, ACCOUNTS + 1),
			    by_id = 2 * (int)throw_dice(&d, PRODUCTS / 2),
			    by_code = 2 * (int)throw_dice(&d, PRODUCTS / 2) + 1,
			    day = (int)throw_dice(&d, DAYS) + 1;
			char number[TEXT], id[TEXT], code[TEXT];
			day_t first = 0;
			struct commission_line l = { .country = STR("US") };
			struct territory_hit hit;

			(void)snprintf(number, sizeof(number), "%012d", account);
			product_text(by_id, id);
			product_text(by_code, code);
			l.payer_number = str_c(number);
			l.product_id = str_c(id);
			l.product_code = str_c(code);
			assert_true(day_parse(STR("2026-01-01"), &first));
			l.invoice_date = (first + day - 1) * DAY_MS;
			hit = hit_of(&map, &l, i % 2 ? &hits : NULL);
			assert_int_equal((int)hit.rule, walk_small(territories, COUNT(territories),
							    account, by_id, by_code, day, 0));
			if (i % 2)
				check_overlays(
				    &hits, overlays, COUNT(overlays), account, by_id, by_code, day);
		}
		overlay_hits_done(&hits);
		buf_done(&t);
		buf_done(&o);
		mapper_done(&map);
	}
}

/* ---- threads ---- */

struct asking {
	const struct made *m;
	const struct territory_hit *want;
};

static void *
ask(void *arg)
{
	const struct asking *a = arg;
	struct territory_memo *memo = NULL;
	const char *wrong = NULL;

	if (territory_memo_new(a->m->index, &memo) != SOUK_OK)
		return (void *)(uintptr_t) "no memory";
	for (size_t i = a->m->n; i-- > 0 && wrong == NULL;) {
		const struct commission_line *l = &a->m->lines[i];
		struct territory_hit hit = { 0 };

		if (territory_map(memo, l, day_of(l->invoice_date), &hit, NULL) != SOUK_OK ||
		    memcmp(&hit.rule, &a->want[i].rule, sizeof(hit.rule)) != 0 ||
		    hit.level != a->want[i].level || hit.other != a->want[i].other)
			wrong = "a thread found another rule";
	}
	territory_memo_free(memo);
	return (void *)(uintptr_t)wrong;
}

static void
test_threads_share_an_index(void **state)
{
	static const char *const hosts[] = { "acme.example", "MAIL.acme.example.",
		"b\xc3\xbc"
		"cher.example",
		"a.de", "gmail.com", "unknown.example" };
	static const char *const cities[] = { "Seattle", "\xe6\x9d\xb1\xe4\xba\xac", "",
		"K\xc3\xb6ln" };
	char *rules = domain_rules();
	struct territory_hit *want;
	struct mapper map;
	struct dice d = { 3 };
	pthread_t threads[4];
	struct asking a;

	(void)state;
	mapper_new(&map, ANA, rules, NULL);
	for (int i = 0; i < 5000; i++) {
		struct commission_line *l = made_line(&map.m, "T", "2026-01-15", "1");

		l->email_domain = str_c(hosts[throw_dice(&d, COUNT(hosts))]);
		l->city = str_c(cities[throw_dice(&d, COUNT(cities))]);
	}
	want = calloc(map.m.n, sizeof(*want));
	assert_non_null(want);
	for (size_t i = 0; i < map.m.n; i++)
		want[i] = hit_of(&map, &map.m.lines[i], NULL);
	a = (struct asking){ &map.m, want };
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &a), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *wrong = NULL;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	free(want);
	free(rules);
	mapper_done(&map);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_every_byte_of_a_domain),
		cmocka_unit_test(test_domains_as_the_list_has_them),
		cmocka_unit_test(test_memories_apart),
		cmocka_unit_test(test_postal_tables),
		cmocka_unit_test(test_postal_ends),
		cmocka_unit_test(test_products_and_overlays_as_a_walk),
		cmocka_unit_test(test_threads_share_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
