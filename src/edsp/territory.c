/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a line is; see territory.h. */
#include "edsp/territory.h"

#include "edsp/territory_int.h"

#include <stdlib.h>

#define NOTHING (UINT32_MAX - 1) /* remembered: leads nowhere */
#define ARENA_LIMIT ((size_t)8 << 30)

struct place {
	uint32_t key[4]; /* MATCH_CITY, MATCH_CITY_ONLY, MATCH_STATE, MATCH_COUNTRY */
};

struct territory_memo {
	const struct territory_index *t;
	struct arena *arena;
	struct text_map domains, names, places, products;
	struct place *place;
	size_t n_places, cap_places;
};

enum souk_err
territory_memo_new(const struct territory_index *t, struct territory_memo **ret)
{
	struct territory_memo *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return SOUK_E_NOMEM;
	m->t = t;
	m->arena = arena_new(ARENA_LIMIT);
	if (m->arena == NULL || text_map_init(&m->domains, 1024) != SOUK_OK ||
	    text_map_init(&m->names, 1024) != SOUK_OK ||
	    text_map_init(&m->places, 1024) != SOUK_OK ||
	    text_map_init(&m->products, 64) != SOUK_OK) {
		territory_memo_free(m);
		return SOUK_E_NOMEM;
	}
	*ret = m;
	return SOUK_OK;
}

void
territory_memo_free(struct territory_memo *m)
{
	if (m == NULL)
		return;
	text_map_done(&m->domains);
	text_map_done(&m->names);
	text_map_done(&m->places);
	text_map_done(&m->products);
	free(m->place);
	arena_free(m->arena);
	free(m);
}

void
overlay_hits_done(struct overlay_hits *h)
{
	free(h->v);
	*h = (struct overlay_hits){ 0 };
}

static uint32_t
find_key(const struct territory_index *t, enum match_level level, struct str key)
{
	uint32_t v = text_map_find(&t->keys[level], key, text_map_hash(key));

	return v == TEXT_MAP_NONE ? NOTHING : v;
}

/* What a letter of a plain host name is in lower case; 0: none of one. */
static const char host_letters[256] = { ['-'] = '-',
	['.'] = '.',
	['0'] = '0',
	['1'] = '1',
	['2'] = '2',
	['3'] = '3',
	['4'] = '4',
	['5'] = '5',
	['6'] = '6',
	['7'] = '7',
	['8'] = '8',
	['9'] = '9',
	['a'] = 'a',
	['A'] = 'a',
	['b'] = 'b',
	['B'] = 'b',
	['c'] = 'c',
	['C'] = 'c',
	['d'] = 'd',
	['D'] = 'd',
	['e'] = 'e',
	['E'] = 'e',
	['f'] = 'f',
	['F'] = 'f',
	['g'] = 'g',
	['G'] = 'g',
	['h'] = 'h',
	['H'] = 'h',
	['i'] = 'i',
	['I'] = 'i',
	['j'] = 'j',
	['J'] = 'j',
	['k'] = 'k',
	['K'] = 'k',
	['l'] = 'l',
	['L'] = 'l',
	['m'] = 'm',
	['M'] = 'm',
	['n'] = 'n',
	['N'] = 'n',
	['o'] = 'o',
	['O'] = 'o',
	['p'] = 'p',
	['P'] = 'p',
	['q'] = 'q',
	['Q'] = 'q',
	['r'] = 'r',
	['R'] = 'r',
	['s'] = 's',
	['S'] = 's',
	['t'] = 't',
	['T'] = 't',
	['u'] = 'u',
	['U'] = 'u',
	['v'] = 'v',
	['V'] = 'v',
	['w'] = 'w',
	['W'] = 'w',
	['x'] = 'x',
	['X'] = 'x',
	['y'] = 'y',
	['Y'] = 'y',
	['z'] = 'z',
	['Z'] = 'z' };

/* Lower case, if it is a host name of ASCII letters; 0: it is not, or too long. */
static size_t
plain_host(struct str raw, char out[DOMAIN_MAX + 1])
{
	bool plain = true;

	if (raw.n > DOMAIN_MAX)
		return 0;
	for (size_t i = 0; i < raw.n; i++) {
		out[i] = host_letters[(unsigned char)raw.p[i]];
		plain &= out[i] != '\0';
	}
	return plain ? raw.n : 0;
}

/* A registrable domain is an end of the host: does any end of two labels or more stand in a rule at all? */
static bool
may_be_named(const struct territory_index *t, const char *host, size_t n)
{
	const char *dot = n > 0 ? memrchr(host, '.', n) : NULL;

	while (dot != NULL) {
		const char *before = dot > host ? memrchr(host, '.', (size_t)(dot - host)) : NULL;
		const char *begin = before != NULL ? before + 1 : host;

		if (find_key(t, MATCH_DOMAIN, (struct str){ begin, n - (size_t)(begin - host) }) !=
		    NOTHING)
			return true;
		dot = before;
	}
	return false;
}

/* What a raw text was found to lead to, worked out once. */
static uint32_t
recall(struct territory_memo *m, struct text_map *memo, enum match_level level, struct str raw)
{
	char out[FOLDED_MAX + 1];
	uint64_t hash;
	uint32_t v;

	_Static_assert(DOMAIN_MAX <= FOLDED_MAX, "a domain fits");
	if (raw.n == 0 || m->t->keys[level].n == 0)
		return NOTHING;
	if (level == MATCH_NAME && text_is_latin(raw))
		return find_key(m->t, level, (struct str){ out, company_fold(raw, out) });
	if (level == MATCH_DOMAIN) {
		size_t n = plain_host(raw, out);

		if (n > 0 && out[n - 1] != '.' && !may_be_named(m->t, out, n))
			return NOTHING;
	}
	hash = text_map_hash(raw);
	v = text_map_find(memo, raw, hash);
	if (v != TEXT_MAP_NONE)
		return v;
	v = NOTHING;
	if (level == MATCH_NAME)
		v = find_key(m->t, level, (struct str){ out, company_fold(raw, out) });
	else if (company_domain(raw, out) == DOMAIN_COMPANY)
		v = find_key(m->t, level, str_c(out));
	(void)text_map_put(memo, raw, hash, v); /* not remembered: worked out again */
	return v;
}

static const struct place nowhere = { { NOTHING, NOTHING, NOTHING, NOTHING } };

static struct place
work_out_place(const struct territory_index *t, const struct commission_line *line)
{
	struct place p = nowhere;
	char out[PLACE_KEY_MAX + 1];

	for (unsigned i = 0; i < 4; i++) {
		enum match_level level = MATCH_CITY + i;

		if (t->keys[level].n > 0 &&
		    (level == MATCH_COUNTRY || level == MATCH_STATE || line->city.n > 0))
			p.key[i] = find_key(t, level,
			    (struct str){ out,
				place_key(level, line->country, line->state, line->city, out) });
	}
	return p;
}

static size_t
raw_place(const struct commission_line *line, char *out, size_t size)
{
	size_t n = line->country.n + line->state.n + line->city.n + 2;
	char *p = out;

	if (n > size)
		return 0;
	memcpy(p, line->country.p, line->country.n);
	p += line->country.n;
	*p++ = '\n';
	if (line->state.n > 0)
		memcpy(p, line->state.p, line->state.n);
	p += line->state.n;
	*p++ = '\n';
	if (line->city.n > 0)
		memcpy(p, line->city.p, line->city.n);
	return n;
}

static struct place
recall_place(struct territory_memo *m, const struct commission_line *line)
{
	char raw[256];
	struct str key;
	uint64_t hash;
	uint32_t v;

	if (line->country.n != 2 || !m->t->has_places)
		return nowhere;
	if (text_is_latin(line->state) && text_is_latin(line->city))
		return work_out_place(m->t, line);
	key = (struct str){ raw, raw_place(line, raw, sizeof(raw)) };
	if (key.n == 0)
		return work_out_place(m->t, line);
	hash = text_map_hash(key);
	v = text_map_find(&m->places, key, hash);
	if (v != TEXT_MAP_NONE)
		return m->place[v];
	if (m->n_places == m->cap_places) {
		size_t cap = m->cap_places > 0 ? 2 * m->cap_places : 256;
		struct place *p = realloc(m->place, cap * sizeof(*p));

		if (p == NULL)
			return work_out_place(m->t, line);
		m->place = p;
		m->cap_places = cap;
	}
	m->place[m->n_places] = work_out_place(m->t, line);
	key = arena_str(m->arena, key);
	if (key.p != NULL &&
	    text_map_put(&m->places, key, hash, (uint32_t)m->n_places) != TEXT_MAP_NONE)
		m->n_places++;
	else
		return work_out_place(m->t, line);
	return m->place[m->n_places - 1];
}

static uint32_t
product_number(const struct text_map *products, struct str text)
{
	uint32_t v =
	    text.n > 0 ? text_map_find(products, text, text_map_hash(text)) : TEXT_MAP_NONE;

	return v != TEXT_MAP_NONE ? v : NO_INDEX;
}

struct product_numbers
territory_product(struct territory_memo *m, const struct commission_line *line)
{
	const struct text_map *products = &m->t->products;

	if (products->n == 0)
		return (struct product_numbers){ NO_INDEX, NO_INDEX };
	return (struct product_numbers){ product_number(products, line->product_id),
		product_number(products, line->product_code) };
}

/* One line on its way down the levels. */
struct search {
	const struct territory_index *t;
	day_t day;
	struct product_numbers product;
	struct overlay_hits *overlays;
	bool out_of_memory;
};

static struct slice
product_slice(const struct search *s, uint32_t key, uint32_t product, bool overlay)
{
	uint64_t wanted = product_key(key, product, overlay);
	const struct territory_index *t = s->t;

	if (product == NO_INDEX)
		return (struct slice){ 0 };
	for (size_t i = product_hash(wanted) & t->slot_mask; t->slots[i].key != 0;
	     i = (i + 1) & t->slot_mask)
		if (t->slots[i].key == wanted)
			return t->slots[i].slice;
	return (struct slice){ 0 };
}

/* The rule of a slice of territories that is in force; NO_INDEX: none. */
static uint32_t
in_force(const struct search *s, struct slice slice)
{
	const struct rule_days *v = s->t->rules + slice.begin;
	uint32_t lo = 0, hi = slice.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v[mid].from <= s->day)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && s->day <= v[lo - 1].until ? v[lo - 1].rule : NO_INDEX;
}

static uint32_t
look(const struct search *s, uint32_t key, bool *ret_specific)
{
	const struct key_info *info;
	uint32_t rule = NO_INDEX;

	*ret_specific = false;
	if (key >= NOTHING)
		return NO_INDEX;
	info = &s->t->infos[key];
	if (info->by_product[0])
		rule = in_force(s, product_slice(s, key, s->product.by_id, false));
	if (info->by_product[0] && rule == NO_INDEX)
		rule = in_force(s, product_slice(s, key, s->product.by_code, false));
	*ret_specific = rule != NO_INDEX;
	return rule != NO_INDEX ? rule : in_force(s, info->any[0]);
}

static void
collect_slice(struct search *s, struct slice slice, enum match_level level)
{
	struct overlay_hits *h = s->overlays;

	for (uint32_t i = 0; i < slice.n; i++) {
		const struct rule_days *r = &s->t->rules[slice.begin + i];
		size_t k = 0;

		if (s->day < r->from || s->day > r->until)
			continue;
		while (k < h->n && h->v[k].representative != r->representative)
			k++;
		if (k < h->n)
			continue;
		if (h->n == h->cap) {
			size_t cap = h->cap > 0 ? 2 * h->cap : 8;
			struct overlay_hit *v = realloc(h->v, cap * sizeof(*v));

			if (v == NULL) {
				s->out_of_memory = true;
				return;
			}
			h->v = v;
			h->cap = cap;
		}
		h->v[h->n++] = (struct overlay_hit){ r->rule, r->representative, level };
	}
}

static void
collect(struct search *s, uint32_t key, enum match_level level)
{
	const struct key_info *info;

	if (s->overlays == NULL || key >= NOTHING)
		return;
	info = &s->t->infos[key];
	if (info->by_product[1]) {
		collect_slice(s, product_slice(s, key, s->product.by_id, true), level);
		collect_slice(s, product_slice(s, key, s->product.by_code, true), level);
	}
	collect_slice(s, info->any[1], level);
}

/* False once the territory is found and nobody asks for overlays. */
static bool
visit(struct search *s, uint32_t key, enum match_level level, struct territory_hit *hit)
{
	bool specific;
	uint32_t rule = hit->rule == NO_INDEX ? look(s, key, &specific) : NO_INDEX;

	if (rule != NO_INDEX)
		*hit = (struct territory_hit){ rule, level, NO_INDEX };
	collect(s, key, level);
	return hit->rule == NO_INDEX || s->overlays != NULL;
}

static bool
visit_company(struct search *s, uint32_t domain, uint32_t name, struct territory_hit *hit)
{
	bool by_domain, by_name;
	uint32_t d, n;

	if (hit->rule == NO_INDEX) {
		d = look(s, domain, &by_domain);
		n = look(s, name, &by_name);
		if (d != NO_INDEX && (n == NO_INDEX || by_domain || !by_name))
			*hit = (struct territory_hit){ d, MATCH_DOMAIN,
				n != NO_INDEX && n != d && by_name == by_domain ? n : NO_INDEX };
		else if (n != NO_INDEX)
			*hit = (struct territory_hit){ n, MATCH_NAME, NO_INDEX };
	}
	collect(s, domain, MATCH_DOMAIN);
	collect(s, name, MATCH_NAME);
	return hit->rule == NO_INDEX || s->overlays != NULL;
}

/* The stretch that a code lies in: the last that begins at or before it. */
static uint32_t
postal_key(const struct postal_table *p, postal_t code)
{
	uint32_t at = 0;

	/* Without a branch: where a code lies cannot be foreseen. */
	for (uint32_t n = p->n, half; n > 1; n -= half) {
		half = n / 2;
		at += half & -(uint32_t)(p->small != NULL ? p->small[at + half] <= (uint64_t)code
							  : p->begin[at + half] <= code);
	}
	if (p->n == 0 || p->begin[at] > code || p->key[at] == NO_INDEX)
		return NOTHING;
	return p->key[at];
}

static bool
visit_postal(struct search *s, const struct commission_line *line, struct territory_hit *hit)
{
	size_t slot = country_slot(line->country), n;
	char code[POSTAL_MAX + 1];

	if (slot == N_COUNTRIES || s->t->postal[slot] == NULL || line->postal_code.n == 0)
		return true;
	n = postal_fold(line->postal_code, code);
	for (const struct postal_table *p = s->t->postal[slot]; p != NULL; p = p->next)
		if (p->digits <= n &&
		    !visit(s, postal_key(p, postal_number(code, p->digits)), MATCH_POSTAL, hit))
			return false;
	return true;
}

static void
descend(struct territory_memo *m, struct search *s, const struct commission_line *line,
    struct territory_hit *hit)
{
	const struct territory_index *t = m->t;
	struct place place;

	if (t->keys[MATCH_ACCOUNT].n > 0 &&
	    !visit(s, find_key(t, MATCH_ACCOUNT, line->payer_number), MATCH_ACCOUNT, hit))
		return;
	if (!visit_company(s, recall(m, &m->domains, MATCH_DOMAIN, line->email_domain),
		recall(m, &m->names, MATCH_NAME, line->company), hit))
		return;
	if (!visit_postal(s, line, hit))
		return;
	place = recall_place(m, line);
	for (unsigned i = 0; i < 4; i++)
		if (!visit(s, place.key[i], MATCH_CITY + i, hit))
			return;
	if (t->keys[MATCH_PRODUCT].n > 0 &&
	    !visit(s, find_key(t, MATCH_PRODUCT, STR("")), MATCH_PRODUCT, hit))
		return;
	if (t->keys[MATCH_EVERYTHING].n > 0)
		(void)visit(s, find_key(t, MATCH_EVERYTHING, STR("")), MATCH_EVERYTHING, hit);
}

enum souk_err
territory_map(struct territory_memo *m, const struct commission_line *line, day_t day,
    struct territory_hit *ret, struct overlay_hits *overlays)
{
	struct search s = { m->t, day, territory_product(m, line),
		m->t->has_overlays ? overlays : NULL, false };

	*ret = (struct territory_hit){ NO_INDEX, MATCH_EVERYTHING, NO_INDEX };
	if (overlays != NULL)
		overlays->n = 0;
	descend(m, &s, line, ret);
	return s.out_of_memory ? SOUK_E_NOMEM : SOUK_OK;
}
