/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a line is; see territory.h. */
#include "edsp/territory.h"

#include "base/array.h"
#include "edsp/territory_int.h"

#include <ctype.h>
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

/* Nothing but 0 where all eight bytes are ASCII and none is an '@'. */
static uint64_t
odd_bytes(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), at = eight ^ ones * '@';

	return (eight | ((at - ones) & ~at)) & ones * 0x80;
}

static uint64_t
lower_eight(char *to, const char *from)
{
	uint64_t eight, lower;

	memcpy(&eight, from, sizeof(eight));
	lower = eight | UINT64_C(0x0101010101010101) * TAIL_LOWER;
	memcpy(to, &lower, sizeof(lower));
	return odd_bytes(eight);
}

/*
 * A registrable domain is an end of its host and has two labels or more: do the last two stand at the end of a
 * domain of any rule? True, too, when that cannot be told so: of what is no ASCII, of addresses, of blanks at
 * either end and dots at the last.
 */
static bool
may_be_named(const struct territory_index *t, struct str host)
{
	struct str tail = domain_tail(host);
	char key[DOMAIN_MAX];
	uint64_t odd = 0;

	if (tail.n < 8 || tail.n > sizeof(key) || !isalnum((unsigned char)tail.p[0]) ||
	    !isalnum((unsigned char)tail.p[tail.n - 1]))
		return true;
	for (size_t i = 0; i + 8 <= tail.n; i += 8)
		odd |= lower_eight(key + i, tail.p + i);
	odd |= lower_eight(key + tail.n - 8, tail.p + tail.n - 8);
	tail.p = key;
	return odd != 0 || text_map_find(&t->tails, tail, text_map_hash(tail)) != TEXT_MAP_NONE;
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
	if (level == MATCH_DOMAIN && !may_be_named(m->t, raw))
		return NOTHING;
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

static uint32_t
find_place(
    const struct territory_index *t, enum match_level level, const struct commission_line *line)
{
	char out[PLACE_KEY_MAX + 1];

	if (t->keys[level].n == 0 ||
	    ((level == MATCH_CITY || level == MATCH_CITY_ONLY) && line->city.n == 0))
		return NOTHING;
	return find_key(t, level,
	    (struct str){ out, place_key(level, line->country, line->state, line->city, out) });
}

static struct place
work_out_place(const struct territory_index *t, const struct commission_line *line)
{
	struct place p;

	for (unsigned i = 0; i < 4; i++)
		p.key[i] = find_place(t, MATCH_CITY + i, line);
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

	key = (struct str){ raw, raw_place(line, raw, sizeof(raw)) };
	if (key.n == 0)
		return work_out_place(m->t, line);
	hash = text_map_hash(key);
	v = text_map_find(&m->places, key, hash);
	if (v != TEXT_MAP_NONE)
		return m->place[v];
	if (!ARRAY_ROOM(m->place, m->n_places, m->cap_places, 256))
		return work_out_place(m->t, line);
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
	if (info->always != NO_INDEX)
		return info->always;
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
		if (!ARRAY_ROOM(h->v, h->n, h->cap, 8)) {
			s->out_of_memory = true;
			return;
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
	uint32_t rule;

	if (key >= NOTHING)
		return true;
	rule = hit->rule == NO_INDEX ? look(s, key, &specific) : NO_INDEX;
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

	if (domain >= NOTHING && name >= NOTHING)
		return true;
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
		at += half & -(uint32_t)(p->begin[at + half] <= code);
	}
	if (p->n == 0 || p->begin[at] > code || p->key[at] == NO_INDEX)
		return NOTHING;
	return p->key[at];
}

static uint32_t
small_postal_key(const struct postal_table *p, uint64_t code)
{
	uint32_t at = 0, n = p->n;

	if (p->jump != NULL) {
		uint64_t j = jump_of(code, p->digits);

		if (j < p->jump_first)
			return NOTHING;
		j = j - p->jump_first < p->n_jump ? j - p->jump_first : p->n_jump;
		at = p->jump[j] > 0 ? p->jump[j] - 1 : 0;
		n = p->jump[j + 1] - at;
	}
	for (uint32_t half; n > 1; n -= half) {
		half = n / 2;
		at += half & -(uint32_t)(p->small[at + half] <= code);
	}
	if (p->n == 0 || p->small[at] > code || p->key[at] == NO_INDEX)
		return NOTHING;
	return p->key[at];
}

static bool
visit_postal(struct search *s, const struct commission_line *line, struct territory_hit *hit)
{
	size_t slot = country_slot(line->country), n;
	char code[POSTAL_MAX + 1];
	uint64_t first;

	if (slot == N_COUNTRIES || s->t->postal[slot] == NULL || line->postal_code.n == 0)
		return true;
	n = postal_fold(line->postal_code, code);
	memcpy(&first, code, sizeof(first));
	first = __builtin_bswap64(first);
	for (const struct postal_table *p = s->t->postal[slot]; p != NULL; p = p->next) {
		uint32_t key;

		if (p->digits > n)
			continue;
		key = p->small != NULL ? small_postal_key(p, first >> (64 - 8 * p->digits))
				       : postal_key(p, postal_number(code, p->digits));
		if (!visit(s, key, MATCH_POSTAL, hit))
			return false;
	}
	return true;
}

static bool
visit_places(struct territory_memo *m, struct search *s, const struct commission_line *line,
    struct territory_hit *hit)
{
	struct place place;
	bool latin;

	if (line->country.n != 2 || !m->t->has_places)
		return true;
	latin = text_is_latin(line->state) && text_is_latin(line->city);
	if (!latin)
		place = recall_place(m, line);
	for (unsigned i = 0; i < 4; i++) {
		enum match_level level = MATCH_CITY + i;

		if (!visit(s, latin ? find_place(m->t, level, line) : place.key[i], level, hit))
			return false;
	}
	return true;
}

static void
descend(struct territory_memo *m, struct search *s, const struct commission_line *line,
    struct territory_hit *hit)
{
	const struct territory_index *t = m->t;

	if (t->keys[MATCH_ACCOUNT].n > 0 &&
	    !visit(s, find_key(t, MATCH_ACCOUNT, line->payer_number), MATCH_ACCOUNT, hit))
		return;
	if (!visit_company(s, recall(m, &m->domains, MATCH_DOMAIN, line->email_domain),
		recall(m, &m->names, MATCH_NAME, line->company), hit))
		return;
	if (!visit_postal(s, line, hit))
		return;
	if (!visit_places(m, s, line, hit))
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
	struct search s = { m->t, day, { NO_INDEX, NO_INDEX }, m->t->has_overlays ? overlays : NULL,
		false };

	if (m->t->products.n > 0)
		s.product = territory_product(m, line);
	*ret = (struct territory_hit){ NO_INDEX, MATCH_EVERYTHING, NO_INDEX };
	if (overlays != NULL)
		overlays->n = 0;
	descend(m, &s, line, ret);
	return s.out_of_memory ? SOUK_E_NOMEM : SOUK_OK;
}
