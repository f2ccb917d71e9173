/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the index of territories and overlays; see territory.h. */
#include "edsp/territory_int.h"

#include "base/array.h"

#include <stdlib.h>

#define ARENA_LIMIT ((size_t)4 << 30)
#define RULES_MAX 16000000u
#define JUMP_FROM 512u /* stretches: fewer are searched as fast without */

static enum souk_err
put_slot(struct territory_index *t, uint64_t key, struct slice slice)
{
	struct product_slot *old = t->slots;
	size_t old_n = old != NULL ? t->slot_mask + 1 : 0, i;

	if (2 * (t->n_slots + 1) > old_n) {
		t->slot_mask = old_n > 0 ? 2 * old_n - 1 : 63;
		t->slots = calloc(t->slot_mask + 1, sizeof(*t->slots));
		if (t->slots == NULL) {
			t->slots = old;
			t->slot_mask = old_n - 1;
			return SOUK_E_NOMEM;
		}
		t->n_slots = 0;
		for (size_t k = 0; k < old_n; k++)
			if (old[k].key != 0 && put_slot(t, old[k].key, old[k].slice) != SOUK_OK)
				abort(); /* it has room for them all */
		free(old);
	}
	for (i = product_hash(key) & t->slot_mask; t->slots[i].key != 0;)
		i = (i + 1) & t->slot_mask;
	t->slots[i] = (struct product_slot){ key, slice };
	t->n_slots++;
	return SOUK_OK;
}

/* A key of entries sorted by product, overlay, who, from. */
static enum souk_err
add_key(struct territory_index *t, struct match_entry *const *e, size_t n, uint32_t *ret)
{
	uint32_t key = (uint32_t)t->n_infos;
	struct key_info *info;
	enum souk_err r = SOUK_OK;

	if (!ARRAY_ROOM(t->infos, t->n_infos, t->cap_infos, 64))
		return SOUK_E_NOMEM;
	info = &t->infos[t->n_infos++];
	*info = (struct key_info){ .always = NO_INDEX };
	for (size_t i = 0, k; i < n && r == SOUK_OK; i = k) {
		struct slice s = { (uint32_t)t->n_rules, 0 };

		for (k = i;
		     k < n && e[k]->product == e[i]->product && e[k]->overlay == e[i]->overlay;
		     k++, s.n++) {
			if (t->n_rules >= RULES_MAX)
				return SOUK_E_LIMIT;
			if (!ARRAY_ROOM(t->rules, t->n_rules, t->cap_rules, 64))
				return SOUK_E_NOMEM;
			t->rules[t->n_rules++] =
			    (struct rule_days){ e[k]->from, e[k]->until, e[k]->rule, e[k]->who };
		}
		if (e[i]->product == NO_INDEX)
			info->any[e[i]->overlay] = s;
		else
			r = put_slot(t, product_key(key, e[i]->product, e[i]->overlay), s);
		info->by_product[e[i]->overlay] |= e[i]->product != NO_INDEX;
	}
	if (info->any[0].n == 1 && !info->by_product[0]) {
		const struct rule_days *only = &t->rules[info->any[0].begin];

		if (only->from == DAY_FIRST && only->until == DAY_LAST)
			info->always = only->rule;
	}
	*ret = key;
	return r;
}

static int
compare_postal_t(const void *pa, const void *pb)
{
	const postal_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

static int
compare_in_key(const void *pa, const void *pb)
{
	const struct match_entry *const *a = pa, *const *b = pb;

	if ((*a)->product != (*b)->product)
		return (*a)->product < (*b)->product ? -1 : 1;
	if ((*a)->overlay != (*b)->overlay)
		return (*a)->overlay ? 1 : -1;
	if ((*a)->from != (*b)->from)
		return (*a)->from < (*b)->from ? -1 : 1;
	if ((*a)->who != (*b)->who)
		return (*a)->who < (*b)->who ? -1 : 1;
	return ((*a)->rule > (*b)->rule) - ((*a)->rule < (*b)->rule);
}

static size_t
boundaries(struct match_entry *const *e, size_t n, postal_t *out)
{
	size_t count = 0, k = 0;

	for (size_t i = 0; i < n; i++) {
		out[count++] = e[i]->lo;
		out[count++] = e[i]->hi + 1;
	}
	qsort(out, count, sizeof(*out), compare_postal_t);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || out[i] != out[k - 1])
			out[k++] = out[i];
	return k;
}

/* Where the stretches of each beginning are: a search then looks at a few neighbours. */
static enum souk_err
add_jumps(struct territory_index *t, struct postal_table *p)
{
	uint64_t first = jump_of(p->small[0], p->digits);
	size_t n = (size_t)(jump_of(p->small[p->n - 1], p->digits) - first + 1);
	uint32_t at = 0;

	p->jump = arena_array(t->arena, n + 2, sizeof(*p->jump));
	if (p->jump == NULL)
		return SOUK_E_NOMEM;
	for (size_t j = 0; j < n; j++) {
		while (at < p->n && jump_of(p->small[at], p->digits) < first + j)
			at++;
		p->jump[j] = at;
	}
	p->jump[n] = p->jump[n + 1] = p->n;
	p->jump_first = first;
	p->n_jump = n;
	return SOUK_OK;
}

/* Cuts the ranges of one country and length into stretches; each has the entries that cover it. */
static enum souk_err
add_postal(struct territory_index *t, struct match_entry **e, size_t n)
{
	struct postal_table *table = ARENA_NEW(t->arena, struct postal_table);
	struct match_entry **active = malloc((n + 1) * sizeof(struct match_entry *));
	struct postal_table **place = &t->postal[country_slot(e[0]->key)];
	enum souk_err r = SOUK_OK;
	size_t n_active = 0, next = 0;

	if (table == NULL || active == NULL) {
		free(active);
		return SOUK_E_NOMEM;
	}
	table->digits = e[0]->digits;
	table->begin = arena_array(t->arena, 2 * n, sizeof(*table->begin));
	table->key = arena_array(t->arena, 2 * n, sizeof(*table->key));
	if (table->begin == NULL || table->key == NULL)
		r = SOUK_E_NOMEM;
	else
		table->n = (uint32_t)boundaries(e, n, table->begin);
	for (uint32_t s = 0; s < table->n && r == SOUK_OK; s++) {
		size_t kept = 0;

		for (size_t i = 0; i < n_active; i++)
			if (active[i]->hi >= table->begin[s])
				active[kept++] = active[i];
		for (n_active = kept; next < n && e[next]->lo == table->begin[s]; next++)
			active[n_active++] = e[next];
		qsort(active, n_active, sizeof(struct match_entry *), compare_in_key);
		table->key[s] = NO_INDEX;
		if (n_active > 0)
			r = add_key(t, active, n_active, &table->key[s]);
	}
	free(active);
	if (r == SOUK_OK && table->digits <= sizeof(uint64_t)) {
		table->small = arena_array(t->arena, table->n + 1, sizeof(*table->small));
		r = table->small != NULL ? SOUK_OK : SOUK_E_NOMEM;
	}
	for (uint32_t s = 0; s < table->n && r == SOUK_OK && table->small != NULL; s++)
		table->small[s] = (uint64_t)table->begin[s];
	if (r == SOUK_OK && table->small != NULL && table->digits >= JUMP_CHARACTERS &&
	    table->n >= JUMP_FROM)
		r = add_jumps(t, table);
	while (*place != NULL && (*place)->digits > table->digits)
		place = &(*place)->next;
	table->next = *place;
	*place = table;
	return r;
}

static int
compare_by_lo(const void *pa, const void *pb)
{
	const struct match_entry *const *a = pa, *const *b = pb;

	return ((*a)->lo > (*b)->lo) - ((*a)->lo < (*b)->lo);
}

static enum souk_err
note_place(struct territory_index *t, const struct match_entry *e)
{
	struct str country = { e->key.p, 2 }, state = e->key;
	const char *colon = memchr(state.p, ':', state.n);

	if (e->overlay)
		return SOUK_OK;
	if (colon != NULL)
		state.n = (size_t)(colon - state.p);
	if (text_map_put(&t->near, country, text_map_hash(country), e->rule) == TEXT_MAP_NONE ||
	    text_map_put(&t->near, state, text_map_hash(state), e->rule) == TEXT_MAP_NONE)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

static bool
note_tail(struct territory_index *t, struct str domain)
{
	struct str tail = domain_tail(domain);
	char *key = arena_strndup(t->arena, tail.p, tail.n);

	if (key == NULL)
		return false;
	for (size_t i = 0; i < tail.n; i++)
		key[i] |= TAIL_LOWER;
	tail.p = key;
	return text_map_put(&t->tails, tail, text_map_hash(tail), 0) != TEXT_MAP_NONE;
}

/* Entries of one level, key and length. */
static enum souk_err
add_group(struct territory_index *t, struct match_entry **e, size_t n)
{
	enum match_level level = (enum match_level)e[0]->level;
	uint32_t key = 0;
	enum souk_err r = SOUK_OK;

	if (level >= MATCH_POSTAL && level <= MATCH_COUNTRY) {
		t->has_places = true;
		r = note_place(t, e[0]);
	}
	for (size_t i = 0; i < n; i++)
		t->has_overlays |= e[i]->overlay;
	if (level == MATCH_DOMAIN && !note_tail(t, e[0]->key))
		r = SOUK_E_NOMEM;
	if (r != SOUK_OK)
		return r;
	if (level == MATCH_POSTAL) {
		qsort(e, n, sizeof(struct match_entry *), compare_by_lo);
		return add_postal(t, e, n);
	}
	qsort(e, n, sizeof(struct match_entry *), compare_in_key);
	r = add_key(t, e, n, &key);
	if (r == SOUK_OK && text_map_put(&t->keys[level], e[0]->key, text_map_hash(e[0]->key),
				key) == TEXT_MAP_NONE)
		r = SOUK_E_NOMEM;
	return r;
}

static enum souk_err
add_entries(struct territory_index *t, struct match_entry *v, size_t n)
{
	struct match_entry **e = malloc((n + 1) * sizeof(struct match_entry *));
	enum souk_err r = e != NULL ? SOUK_OK : SOUK_E_NOMEM;

	if (n > 0)
		qsort(v, n, sizeof(*v), match_compare);
	for (size_t i = 0; i < n && e != NULL; i++)
		e[i] = &v[i];
	for (size_t i = 0, k; i < n && r == SOUK_OK; i = k) {
		for (k = i + 1; k < n && v[k].level == v[i].level && str_eq(v[k].key, v[i].key) &&
				v[k].digits == v[i].digits;)
			k++;
		r = add_group(t, e + i, k - i);
	}
	free(e);
	return r;
}

static enum souk_err
build(struct territory_index *t, const struct plan *p)
{
	struct match_entries territories = { 0 }, overlays = { 0 };
	struct match_entry *all = NULL;
	enum souk_err r;

	r = match_entries_of(p->territories, p->n_territories, "", false, &t->products, t->arena,
	    NULL, &territories);
	if (r == SOUK_OK)
		r = match_entries_of(
		    p->overlays, p->n_overlays, "", true, &t->products, t->arena, NULL, &overlays);
	if (r == SOUK_OK && (all = malloc((territories.n + overlays.n + 1) * sizeof(*all))) == NULL)
		r = SOUK_E_NOMEM;
	for (size_t i = 0; r == SOUK_OK && i < territories.n; i++)
		all[i] = territories.v[i];
	for (size_t i = 0; r == SOUK_OK && i < overlays.n; i++) {
		all[territories.n + i] = overlays.v[i];
		all[territories.n + i].overlay = true;
	}
	if (r == SOUK_OK)
		r = add_entries(t, all, territories.n + overlays.n);
	free(all);
	match_entries_done(&territories);
	match_entries_done(&overlays);
	return r;
}

/* Rates name products too; the commission looks them up by the same numbers. */
static enum souk_err
add_products(struct territory_index *t, const struct plan *p)
{
	for (size_t i = 0; i < p->n_rates; i++)
		for (size_t k = 0; k < p->rates[i].products.n; k++) {
			struct str s = p->rates[i].products.v[k];

			if (text_map_put(&t->products, s, text_map_hash(s),
				(uint32_t)t->products.n) == TEXT_MAP_NONE)
				return SOUK_E_NOMEM;
		}
	for (size_t i = 0; i < p->n_products; i++) {
		struct str s = p->products[i].product;

		if (text_map_put(&t->products, s, text_map_hash(s), (uint32_t)t->products.n) ==
		    TEXT_MAP_NONE)
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

enum souk_err
territory_index_new(const struct plan *p, struct territory_index **ret, struct fail *f)
{
	struct territory_index *t = calloc(1, sizeof(*t));
	enum souk_err r = t != NULL ? SOUK_OK : SOUK_E_NOMEM;

	if (r == SOUK_OK && (t->arena = arena_new(ARENA_LIMIT)) == NULL)
		r = SOUK_E_NOMEM;
	for (size_t i = 0; i < MATCH__COUNT && r == SOUK_OK; i++)
		r = text_map_init(&t->keys[i], 16);
	if (r == SOUK_OK)
		r = text_map_init(&t->products, 64);
	if (r == SOUK_OK)
		r = text_map_init(&t->tails, 64);
	if (r == SOUK_OK)
		r = text_map_init(&t->near, 64);
	if (r == SOUK_OK)
		r = build(t, p);
	if (r == SOUK_OK)
		r = add_products(t, p);
	if (r == SOUK_OK) {
		*ret = t;
		return r;
	}
	territory_index_free(t);
	if (r == SOUK_E_LIMIT)
		return fail_set(f, r, "plan_too_large",
		    "postal codes of too many rules lie over each other; give fewer products or "
		    "dates to each range");
	return fail_set(f, r, "plan_index", "the plan's index does not fit into memory");
}

void
territory_index_free(struct territory_index *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < MATCH__COUNT; i++)
		text_map_done(&t->keys[i]);
	text_map_done(&t->products);
	text_map_done(&t->tails);
	text_map_done(&t->near);
	free(t->infos);
	free(t->rules);
	free(t->slots);
	arena_free(t->arena);
	free(t);
}

const struct text_map *
territory_products(const struct territory_index *t)
{
	return &t->products;
}
