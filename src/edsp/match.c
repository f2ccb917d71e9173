/* SPDX-License-Identifier: Apache-2.0 */
/* What rules and rates match, normalised; see match.h. */
#include "edsp/match.h"

#include "base/array.h"
#include "base/country.h"

#include <stdio.h>
#include <stdlib.h>

const char *const match_level_words[MATCH__COUNT] = {
	[MATCH_ACCOUNT] = "account",
	[MATCH_DOMAIN] = "company domain",
	[MATCH_NAME] = "company name",
	[MATCH_POSTAL] = "postal code",
	[MATCH_CITY] = "city and state",
	[MATCH_CITY_ONLY] = "city",
	[MATCH_STATE] = "state",
	[MATCH_COUNTRY] = "country",
	[MATCH_PRODUCT] = "product",
	[MATCH_EVERYTHING] = "everything",
};

struct maker {
	struct match_entries *out;
	struct arena *a;
	struct text_map *products;
	struct plan_faults *faults;
	const char *where;
	const struct plan_rule *rule;
	uint32_t index;
	bool by_representative;
	enum souk_err err;
};

void
match_entries_done(struct match_entries *e)
{
	free(e->v);
	*e = (struct match_entries){ 0 };
}

postal_t
postal_number(const char *folded, size_t n)
{
	postal_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)folded[i];
	return v;
}

static void
fault(struct maker *m, const char *list, size_t element, const char *what, const char *fix)
{
	char at[160];

	if (m->faults == NULL)
		return;
	if (list != NULL)
		(void)snprintf(at, sizeof(at), "%s/%u/%s/%zu", m->where, m->index, list, element);
	else
		(void)snprintf(at, sizeof(at), "%s/%u", m->where, m->index);
	plan_fault_add(m->faults, at, what, fix);
}

static void
add_one(struct maker *m, const struct match_entry *e)
{
	if (!ARRAY_ROOM(m->out->v, m->out->n, m->out->cap, 64)) {
		m->err = SOUK_E_NOMEM;
		return;
	}
	m->out->v[m->out->n++] = *e;
}

static uint32_t
product_number(struct text_map *products, struct str text, enum souk_err *err)
{
	uint32_t v = text_map_put(products, text, text_map_hash(text), (uint32_t)products->n);

	if (v == TEXT_MAP_NONE)
		*err = SOUK_E_NOMEM;
	return v;
}

/* For each product the rule names, and each representative where those count. */
static void
add(struct maker *m, struct match_entry e)
{
	const struct plan_rule *rule = m->rule;
	size_t n_products = rule->products.n > 0 ? rule->products.n : 1;
	size_t n_who = m->by_representative ? rule->n_credits : 1;

	e.rule = m->index;
	e.from = rule->days.from;
	e.until = rule->days.until;
	for (size_t p = 0; p < n_products; p++)
		for (size_t w = 0; w < n_who && m->err == SOUK_OK; w++) {
			e.product = rule->products.n > 0
					? product_number(m->products, rule->products.v[p], &m->err)
					: NO_INDEX;
			e.who = m->by_representative ? rule->credits[w].representative : 0;
			add_one(m, &e);
		}
}

static struct str
keep(struct maker *m, const char *p, size_t n)
{
	struct str s = arena_str(m->a, (struct str){ p, n });

	if (s.p == NULL)
		m->err = SOUK_E_NOMEM;
	return s;
}

static void
add_accounts(struct maker *m)
{
	for (size_t i = 0; i < m->rule->accounts.n; i++) {
		struct str s = m->rule->accounts.v[i];
		size_t digits = 0;

		while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
			digits++;
		if (s.n != 12 || digits != 12)
			fault(m, "accounts", i, "is no account number",
			    "write its 12 digits as a text");
		else
			add(m, (struct match_entry){ .level = MATCH_ACCOUNT,
				   .key = s,
				   .list = "accounts",
				   .element = (uint32_t)i });
	}
}

static void
add_domains(struct maker *m)
{
	static const char *const list = "company/domains";

	for (size_t i = 0; i < m->rule->domains.n; i++) {
		char out[DOMAIN_MAX + 1];
		struct str s = m->rule->domains.v[i];

		switch (company_domain(s, out)) {
		case DOMAIN_COMPANY:
			if (strlen(out) != s.n || !str_eq_nocase(s, str_c(out))) {
				fault(m, list, i, "is more than the registrable domain",
				    "write only the part that the company registered, without host "
				    "names before it, in ASCII");
				break;
			}
			add(m, (struct match_entry){ .level = MATCH_DOMAIN,
				   .key = keep(m, out, strlen(out)),
				   .list = list,
				   .element = (uint32_t)i });
			break;
		case DOMAIN_FREE:
			fault(m, list, i,
			    "is a provider of free mail, whose users are of many companies",
			    "map these buyers by account or by company name");
			break;
		case DOMAIN_SUFFIX:
			fault(m, list, i, "is a public suffix, below which many companies are",
			    "write the domain that the company registered below it");
			break;
		case DOMAIN_UNUSABLE:
			fault(m, list, i, "is no domain", "write one such as company.example");
			break;
		}
	}
}

static void
add_names(struct maker *m)
{
	static const char *const list = "company/names";

	for (size_t i = 0; i < m->rule->names.n; i++) {
		char out[FOLDED_MAX + 1];
		size_t n = company_fold(m->rule->names.v[i], out);

		if (n == 0)
			fault(m, list, i, "has no letters or digits", "write the company's name");
		else
			add(m, (struct match_entry){ .level = MATCH_NAME,
				   .key = keep(m, out, n),
				   .list = list,
				   .element = (uint32_t)i });
	}
}

size_t
place_key(enum match_level level, struct str country, struct str state, struct str city,
    char out[PLACE_KEY_MAX + 1])
{
	size_t n = 0;

	for (; n < country.n && n < 2; n++)
		out[n] = (char)(country.p[n] >= 'a' && country.p[n] <= 'z' ? country.p[n] & ~0x20
									   : country.p[n]);
	if (level == MATCH_STATE || level == MATCH_CITY) {
		out[n++] = '/';
		n += text_fold(state, out + n);
	}
	if (level == MATCH_CITY || level == MATCH_CITY_ONLY) {
		out[n++] = ':';
		n += text_fold(city, out + n);
	}
	out[n] = '\0';
	return n;
}

static void
add_postal(struct maker *m, const struct plan_place *p, size_t i)
{
	static const char *const list = "geography";
	char from[POSTAL_MAX + 1], to[POSTAL_MAX + 1];
	size_t n = postal_fold(p->postal_from, from), n_to = postal_fold(p->postal_to, to);

	if (p->state.n > 0 || p->city.n > 0)
		fault(m, list, i, "has postal codes and a state or city",
		    "postal codes are enough: leave state and city out");
	else if (n == 0 || n != n_to)
		fault(m, list, i, "has ends of the postal codes that are not equally long",
		    "write both with the same number of letters and digits, as \"80000\" and "
		    "\"81999\"");
	else if (memcmp(from, to, n) > 0)
		fault(m, list, i, "has postal codes that end before they begin",
		    "swap `from` and `to`");
	else
		add(m, (struct match_entry){ .level = MATCH_POSTAL,
			   .key = keep(m, p->country.p, 2),
			   .digits = (uint8_t)n,
			   .lo = postal_number(from, n),
			   .hi = postal_number(to, n),
			   .list = list,
			   .element = (uint32_t)i });
}

static void
add_places(struct maker *m)
{
	for (size_t i = 0; i < m->rule->n_places; i++) {
		const struct plan_place *p = &m->rule->places[i];
		char out[PLACE_KEY_MAX + 1];
		enum match_level level = p->city.n > 0
					     ? (p->state.n > 0 ? MATCH_CITY : MATCH_CITY_ONLY)
					     : (p->state.n > 0 ? MATCH_STATE : MATCH_COUNTRY);

		if (p->country.n == 0)
			continue; /* said by the reader */
		if (!country_known(p->country)) {
			fault(m, "geography", i, "has no country of ISO 3166",
			    "write its two capital letters, such as \"DE\"");
			continue;
		}
		if (p->postal_from.n > 0 || p->postal_to.n > 0) {
			add_postal(m, p, i);
			continue;
		}
		add(m,
		    (struct match_entry){ .level = (uint8_t)level,
			.key = keep(m, out, place_key(level, p->country, p->state, p->city, out)),
			.list = "geography",
			.element = (uint32_t)i });
	}
}

static void
add_rule(struct maker *m)
{
	const struct plan_rule *r = m->rule;
	int ways = (r->accounts.n > 0) + (r->domains.n > 0 || r->names.n > 0) + (r->n_places > 0) +
		   r->everything;

	if (ways > 1 || (ways == 0 && r->products.n == 0)) {
		fault(m, NULL, 0, ways > 1 ? "matches in more than one way" : "matches nothing",
		    "give one of accounts, company, geography, everything; or products alone");
		return;
	}
	add_accounts(m);
	add_domains(m);
	add_names(m);
	add_places(m);
	if (ways == 0 || r->everything)
		add(m,
		    (struct match_entry){ .level = r->everything ? MATCH_EVERYTHING : MATCH_PRODUCT,
			.key = STR("") });
}

enum souk_err
match_entries_of(const struct plan_rule *rules, size_t n, const char *where, bool by_representative,
    struct text_map *products, struct arena *a, struct plan_faults *faults,
    struct match_entries *ret)
{
	struct maker m = { .out = ret,
		.a = a,
		.products = products,
		.faults = faults,
		.where = where,
		.by_representative = by_representative };

	*ret = (struct match_entries){ 0 };
	for (size_t i = 0; i < n && m.err == SOUK_OK; i++) {
		m.rule = &rules[i];
		m.index = (uint32_t)i;
		add_rule(&m);
	}
	if (m.err != SOUK_OK)
		match_entries_done(ret);
	return m.err;
}

#define COMPARE(a, b)                                                                              \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

int
match_compare(const void *pa, const void *pb)
{
	const struct match_entry *a = pa, *b = pb;
	int c;

	COMPARE(a->level, b->level);
	if ((c = str_compare(a->key, b->key)) != 0)
		return c;
	COMPARE(a->digits, b->digits);
	COMPARE(a->product, b->product);
	COMPARE(a->overlay, b->overlay);
	COMPARE(a->who, b->who);
	COMPARE(a->lo, b->lo);
	COMPARE(a->from, b->from);
	COMPARE(a->rule, b->rule);
	COMPARE(a->element, b->element);
	return 0;
}

bool
match_same(const struct match_entry *a, const struct match_entry *b)
{
	return a->level == b->level && str_eq(a->key, b->key) && a->digits == b->digits &&
	       a->product == b->product && a->who == b->who;
}

uint32_t
currency_number(struct str code)
{
	uint32_t v = 0;

	if (code.n != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		uint32_t letter = (uint32_t)(unsigned char)code.p[i] - 'A';

		if (letter >= 26)
			return 0;
		v = v << 5 | (letter + 1);
	}
	return v;
}

void
rate_entries_done(struct rate_entries *e)
{
	free(e->v);
	*e = (struct rate_entries){ 0 };
}

static enum souk_err
add_rate(struct rate_entries *out, struct rate_entry e)
{
	if (out->n == RATE_ENTRIES_MAX)
		return SOUK_E_LIMIT;
	if (!ARRAY_ROOM(out->v, out->n, out->cap, 64))
		return SOUK_E_NOMEM;
	out->v[out->n++] = e;
	return SOUK_OK;
}

static enum souk_err
add_rate_scope(const struct plan_rate *rate, uint32_t index, uint32_t scope,
    struct text_map *products, struct rate_entries *out)
{
	size_t n_products = rate->products.n > 0 ? rate->products.n : 1;
	enum souk_err r = SOUK_OK;

	for (size_t p = 0; p < n_products && r == SOUK_OK; p++) {
		uint32_t product = rate->products.n > 0
				       ? product_number(products, rate->products.v[p], &r) + 1
				       : 0;

		for (unsigned k = 0; k < REVENUE__COUNT && r == SOUK_OK; k++)
			if ((rate->kinds & 1u << k) != 0)
				r = add_rate(
				    out, (struct rate_entry){ rate_key(scope, k, product,
								  currency_number(rate->currency)),
					     rate->days.from, rate->days.until, index });
	}
	return r;
}

enum souk_err
rate_entries_of(const struct plan *p, struct text_map *products, struct rate_entries *ret)
{
	enum souk_err r = SOUK_OK;

	*ret = (struct rate_entries){ 0 };
	for (uint32_t i = 0; i < p->n_rates && r == SOUK_OK; i++) {
		const struct plan_rate *rate = &p->rates[i];

		for (size_t k = 0; k < rate->representative_ids.n && r == SOUK_OK; k++)
			r = add_rate_scope(rate, i, rate->representatives[k], products, ret);
		for (size_t k = 0; k < rate->teams.n && r == SOUK_OK; k++)
			r = add_rate_scope(
			    rate, i, scope_of_team(p, rate->team_indices[k]), products, ret);
		if (rate->representative_ids.n == 0 && rate->teams.n == 0 && r == SOUK_OK)
			r = add_rate_scope(rate, i, scope_of_all(p), products, ret);
	}
	if (r != SOUK_OK)
		rate_entries_done(ret);
	return r;
}

int
rate_entry_compare(const void *pa, const void *pb)
{
	const struct rate_entry *a = pa, *b = pb;

	COMPARE(a->key, b->key);
	COMPARE(a->from, b->from);
	COMPARE(a->rate, b->rate);
	return 0;
}
