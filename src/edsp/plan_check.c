/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a plan sound: references, splits, no overlaps, no gaps; see plan.h. */
#include "edsp/plan.h"

#include "edsp/match.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 50 /* tiers, and accelerators, of one rate */

struct check {
	struct plan *p;
	struct arena *a;
	struct plan_faults *faults;
	struct text_map representatives, teams, products;
	enum souk_err err;
};

static void fault(struct check *c, const char *what, const char *fix, const char *fmt, ...)
    SOUK_PRINTF(4, 5);

static void
fault(struct check *c, const char *what, const char *fix, const char *fmt, ...)
{
	char at[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(at, sizeof(at), fmt, ap);
	va_end(ap);
	plan_fault_add(c->faults, at, what, fix);
}

/* Ids of one list: each once. */
static void
check_id(struct check *c, struct text_map *seen, struct str id, const char *list, size_t i)
{
	char what[200];
	uint32_t first;

	if (id.n == 0)
		return; /* said by the reader */
	first = text_map_put(seen, id, text_map_hash(id), (uint32_t)i);
	if (first == TEXT_MAP_NONE)
		c->err = SOUK_E_NOMEM;
	else if (first != i) {
		(void)snprintf(what, sizeof(what), "is the id of %s/%u as well", list, first);
		fault(c, what, "give each its own", "%s/%zu/id", list, i);
	}
}

static uint32_t
look_up(const struct text_map *m, struct str id)
{
	uint32_t v = text_map_find(m, id, text_map_hash(id));

	return v == TEXT_MAP_NONE ? NO_INDEX : v;
}

static void
resolve_team(struct check *c, struct plan_representative *r)
{
	uint32_t next = (uint32_t)c->p->teams.n;

	r->team_index = NO_INDEX;
	if (r->team.n == 0)
		return;
	r->team_index = text_map_put(&c->teams, r->team, text_map_hash(r->team), next);
	if (r->team_index == TEXT_MAP_NONE)
		c->err = SOUK_E_NOMEM;
	else if (r->team_index == next)
		c->p->teams.v[c->p->teams.n++] = r->team;
}

static void
check_representatives(struct check *c)
{
	struct plan *p = c->p;

	p->teams =
	    (struct plan_texts){ arena_array(c->a, p->n_representatives + 1, sizeof(struct str)),
		    0 };
	if (p->teams.v == NULL) {
		c->err = SOUK_E_NOMEM;
		return;
	}
	for (size_t i = 0; i < p->n_representatives && c->err == SOUK_OK; i++) {
		check_id(c, &c->representatives, p->representatives[i].id, "/representatives", i);
		resolve_team(c, &p->representatives[i]);
	}
	for (size_t i = 0; i < p->n_representatives; i++) {
		struct plan_representative *r = &p->representatives[i];

		r->manager =
		    r->manager_id.n > 0 ? look_up(&c->representatives, r->manager_id) : NO_INDEX;
		if (r->manager_id.n > 0 && r->manager == NO_INDEX)
			fault(c, "names no representative of this plan",
			    "add the manager to representatives, or correct the id",
			    "/representatives/%zu/manager", i);
	}
}

/* A chain of managers that is longer than there are people goes round. */
static void
check_managers(struct check *c)
{
	const struct plan *p = c->p;

	for (size_t i = 0; i < p->n_representatives; i++) {
		uint32_t slow = (uint32_t)i, fast = (uint32_t)i;

		do {
			slow = p->representatives[slow].manager;
			for (int step = 0; step < 2 && fast != NO_INDEX; step++)
				fast = p->representatives[fast].manager;
		} while (fast != NO_INDEX && slow != fast);
		while (fast != NO_INDEX && slow != i && p->representatives[slow].manager != fast)
			slow = p->representatives[slow]
				   .manager; /* once round the circle: is `i` on it? */
		if (fast != NO_INDEX && (slow == i || fast == i))
			fault(c, "is, by way of others, managed by the one it manages",
			    "let one of the circle have no manager", "/representatives/%zu/manager",
			    i);
	}
}

static void
check_credit_days(struct check *c, const struct plan_rule *rule,
    const struct plan_representative *r, const char *at)
{
	char what[200], from[DAY_TEXT_SIZE], until[DAY_TEXT_SIZE];

	if (rule->days.from >= r->days.from && rule->days.until <= r->days.until)
		return;
	plan_day_format(r->days.from, from);
	plan_day_format(r->days.until, until);
	(void)snprintf(what, sizeof(what),
	    "is there from %s until %s, but credited outside of that too", from, until);
	fault(c, what,
	    "give the rule `from` and `until` within these days, and another rule to who comes "
	    "before or "
	    "after",
	    "%s", at);
}

static void
check_credits(struct check *c, const char *list, size_t i, struct plan_rule *rule, bool split)
{
	uint64_t sum = 0;
	bool known = true;
	char at[160], what[200], total[PERCENT_TEXT_SIZE];

	for (size_t k = 0; k < rule->n_credits; k++) {
		struct plan_credit *credit = &rule->credits[k];

		sum += credit->percent;
		known = known && credit->percent > 0;
		credit->representative = look_up(&c->representatives, credit->representative_id);
		(void)snprintf(at, sizeof(at), "%s/%zu/credits/%zu/representative", list, i, k);
		if (credit->representative_id.n == 0)
			continue; /* said by the reader */
		if (credit->representative == NO_INDEX) {
			fault(c, "names no representative of this plan",
			    "add the person to representatives, or correct the id", "%s", at);
			continue;
		}
		check_credit_days(c, rule, &c->p->representatives[credit->representative], at);
		for (size_t j = 0; j < k; j++)
			if (rule->credits[j].representative == credit->representative)
				fault(
				    c, "is credited twice by one rule", "add the two up", "%s", at);
	}
	if (!split || sum == PERCENT_ALL || !known || rule->n_credits == 0)
		return;
	percent_format(sum, total);
	(void)snprintf(what, sizeof(what), "sum to %s", total);
	fault(c, what, "let the percents of a territory sum to exactly 100%", "%s/%zu/credits",
	    list, i);
}

static void
check_rules(struct check *c, const char *list, struct plan_rule *rules, size_t n, bool split)
{
	struct text_map ids;

	c->err = text_map_init(&ids, n);
	for (size_t i = 0; i < n && c->err == SOUK_OK; i++) {
		check_id(c, &ids, rules[i].id, list, i);
		check_credits(c, list, i, &rules[i], split);
	}
	text_map_done(&ids);
}

static void
pointer_of(const char *where, const struct match_entry *e, char *out, size_t size)
{
	if (e->list != NULL)
		(void)snprintf(out, size, "%s/%u/%s/%u", where, e->rule, e->list, e->element);
	else
		(void)snprintf(out, size, "%s/%u", where, e->rule);
}

static void
fault_overlap(
    struct check *c, const char *where, const struct match_entry *a, const struct match_entry *b)
{
	char at[160], other[120], what[200], from[DAY_TEXT_SIZE], until[DAY_TEXT_SIZE];
	const struct match_entry *first = a, *second = b;

	if (a->rule > b->rule || (a->rule == b->rule && a->element > b->element)) {
		first = b;
		second = a;
	}
	pointer_of(where, first, other, sizeof(other));
	pointer_of(where, second, at, sizeof(at));
	plan_day_format(a->from > b->from ? a->from : b->from, from);
	plan_day_format(a->until < b->until ? a->until : b->until, until);
	(void)snprintf(what, sizeof(what), "matches the same lines as %s (from %s until %s)", other,
	    from, until);
	fault(c, what, "end one the day before the other begins, or take it out of one of them",
	    "%s", at);
}

/* Of entries with one key, sorted by their codes, then days: those that share a code and a day. */
static void
find_overlaps(struct check *c, const char *where, const struct match_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && v[k].lo <= v[i].hi; k++) {
			if (v[k].from <= v[i].until && v[i].from <= v[k].until) {
				fault_overlap(c, where, &v[i], &v[k]);
				break;
			}
			/* Without codes the days are sorted: what begins later overlaps no more. */
			if (v[k].lo == v[i].lo && v[k].hi == v[i].hi && v[i].digits == 0)
				break;
		}
}

static void
check_overlaps(
    struct check *c, const char *where, const struct plan_rule *rules, size_t n, bool overlays)
{
	struct match_entries e;

	c->err = match_entries_of(rules, n, where, overlays, &c->products, c->a, c->faults, &e);
	if (c->err != SOUK_OK)
		return;
	if (e.n > 0)
		qsort(e.v, e.n, sizeof(*e.v), match_compare);
	for (size_t i = 0, k; i < e.n; i = k) {
		for (k = i + 1; k < e.n && match_same(&e.v[i], &e.v[k]);)
			k++;
		if (e.v[i].who != NO_INDEX)
			find_overlaps(c, where, e.v + i, k - i);
	}
	match_entries_done(&e);
}

static void
check_steps(struct check *c, const char *list, size_t i, const struct plan_step *steps, size_t n,
    bool from_zero)
{
	if (n > STEPS_MAX)
		fault(c, "are more than 50", "merge some", "/rates/%zu/%s", i, list);
	if (n > 0 && from_zero && steps[0].above != 0)
		fault(c, "is not 0, so that the first amounts have no rate",
		    "let the first tier be above \"0\"", "/rates/%zu/%s/0/above", i, list);
	for (size_t k = 1; k < n; k++)
		if (steps[k].above <= steps[k - 1].above)
			fault(c, "is not above the one before it",
			    "sort them by rising amounts, each once", "/rates/%zu/%s/%zu/above", i,
			    list, k);
}

static void
resolve_scopes(struct check *c, size_t i, struct plan_rate *rate)
{
	rate->representatives =
	    arena_array(c->a, rate->representative_ids.n + 1, sizeof(*rate->representatives));
	rate->team_indices = arena_array(c->a, rate->teams.n + 1, sizeof(*rate->team_indices));
	if (rate->representatives == NULL || rate->team_indices == NULL) {
		c->err = SOUK_E_NOMEM;
		return;
	}
	for (size_t k = 0; k < rate->representative_ids.n; k++) {
		rate->representatives[k] =
		    look_up(&c->representatives, rate->representative_ids.v[k]);
		if (rate->representatives[k] == NO_INDEX)
			fault(c, "names no representative of this plan",
			    "add the person to representatives, or correct the id",
			    "/rates/%zu/representatives/%zu", i, k);
	}
	for (size_t k = 0; k < rate->teams.n; k++) {
		rate->team_indices[k] = look_up(&c->teams, rate->teams.v[k]);
		if (rate->team_indices[k] == NO_INDEX)
			fault(c, "names no team of a representative",
			    "correct it, or give a representative this team",
			    "/rates/%zu/teams/%zu", i, k);
	}
}

static void
check_rates(struct check *c)
{
	static const char *const why =
	    "is missing, though %s count amounts: currencies are never added";
	struct text_map ids;
	char what[200];

	c->err = text_map_init(&ids, c->p->n_rates);
	for (size_t i = 0; i < c->p->n_rates && c->err == SOUK_OK; i++) {
		struct plan_rate *rate = &c->p->rates[i];
		const char *counts = rate->n_tiers > 1          ? "tiers"
				     : rate->n_accelerators > 0 ? "accelerators"
				     : rate->has_cap            ? "caps"
								: NULL;

		check_id(c, &ids, rate->id, "/rates", i);
		resolve_scopes(c, i, rate);
		check_steps(c, "tiers", i, rate->tiers, rate->n_tiers, true);
		check_steps(c, "accelerators", i, rate->accelerators, rate->n_accelerators, false);
		if (rate->has_cap && money_round(rate->cap, c->p->decimals) != rate->cap)
			fault(c, "is finer than amounts are rounded to",
			    "give it no more decimals than `rounding`", "/rates/%zu/cap/amount", i);
		if (rate->currency.n > 0 && currency_number(rate->currency) == 0)
			fault(c, "is no currency",
			    "write three capital letters of ISO 4217, such as \"USD\"",
			    "/rates/%zu/currency", i);
		if (counts == NULL || rate->currency.n > 0)
			continue;
		(void)snprintf(what, sizeof(what), why, counts);
		fault(c, what, "say which currency this rate is for", "/rates/%zu/currency", i);
	}
	text_map_done(&ids);
}

static void
check_rate_overlaps(struct check *c, const struct rate_entries *e)
{
	char what[200];

	for (size_t i = 1; i < e->n; i++) {
		const struct rate_entry *a = &e->v[i - 1], *b = &e->v[i];
		uint32_t first = a->rate < b->rate ? a->rate : b->rate;
		uint32_t second = a->rate < b->rate ? b->rate : a->rate;

		if (a->key != b->key || b->from > a->until)
			continue;
		(void)snprintf(what, sizeof(what),
		    "pays the same revenue of the same people as /rates/%u", first);
		if (first == second)
			(void)snprintf(what, sizeof(what), "names a person, team or product twice");
		fault(c, what, "let one end the day before the other begins, or narrow it",
		    "/rates/%u", second);
		while (i + 1 < e->n && e->v[i + 1].rate == b->rate && b->rate == a->rate)
			i++;
	}
}

/* The first day of [from, until] that no entry with these keys covers; DAY_LAST + 1 as int64: none. */
static int64_t
first_gap(const struct rate_entries *e, const uint64_t *keys, size_t n, struct plan_days days)
{
	int64_t day = days.from;

	for (bool moved = true; moved && day <= days.until;) {
		moved = false;
		for (size_t k = 0; k < n; k++) {
			size_t lo = 0, hi = e->n;

			while (lo < hi) {
				size_t mid = lo + (hi - lo) / 2;

				if (e->v[mid].key < keys[k])
					lo = mid + 1;
				else
					hi = mid;
			}
			for (; lo < e->n && e->v[lo].key == keys[k]; lo++)
				if (e->v[lo].from <= day && day <= e->v[lo].until) {
					day = (int64_t)e->v[lo].until + 1;
					moved = true;
				}
		}
	}
	return day;
}

struct gaps {
	const struct rate_entries *with_currency_dropped;
	bool *said; /* by representative and kind */
};

static void
check_gap(struct check *c, const struct gaps *g, const char *list, size_t i,
    const struct plan_rule *rule, uint32_t who)
{
	const struct plan_representative *r = &c->p->representatives[who];
	uint64_t keys[6];

	for (unsigned kind = 0; kind < REVENUE__COUNT; kind++)
		for (size_t p = 0; p < (rule->products.n > 0 ? rule->products.n : 1); p++) {
			uint32_t product = rule->products.n > 0
					       ? look_up(&c->products, rule->products.v[p]) + 1
					       : 0;
			uint32_t scopes[] = { who, scope_of_all(c->p),
				r->team_index != NO_INDEX ? scope_of_team(c->p, r->team_index)
							  : who };
			char what[200], day[DAY_TEXT_SIZE];
			int64_t gap;

			for (size_t s = 0; s < 3; s++) {
				keys[2 * s] = rate_key(scopes[s], kind, 0, 0);
				keys[2 * s + 1] = rate_key(scopes[s], kind, product, 0);
			}
			gap = first_gap(g->with_currency_dropped, keys, 6, rule->days);
			if (gap > rule->days.until || g->said[who * REVENUE__COUNT + kind])
				continue;
			g->said[who * REVENUE__COUNT + kind] = true;
			plan_day_format((day_t)gap, day);
			(void)snprintf(what, sizeof(what),
			    "has no rate for %s revenue from %s on, though credited by %s/%zu",
			    revenue_kind_words[kind], day, list, i);
			fault(c, what,
			    "add a rate for it, or let one go on longer (0 percent pays nothing)",
			    "/representatives/%u", who);
		}
}

static void
check_gaps(struct check *c, struct rate_entries *e)
{
	struct gaps g = { e, calloc(c->p->n_representatives + 1, REVENUE__COUNT) };
	const struct plan *p = c->p;

	if (g.said == NULL) {
		c->err = SOUK_E_NOMEM;
		return;
	}
	for (size_t i = 0; i < e->n; i++)
		e->v[i].key &= ~(UINT64_C(0xffff) << 2);
	if (e->n > 0)
		qsort(e->v, e->n, sizeof(*e->v), rate_entry_compare);
	for (size_t i = 0; i < p->n_territories + p->n_overlays; i++) {
		bool territory = i < p->n_territories;
		size_t k = territory ? i : i - p->n_territories;
		const struct plan_rule *rule = territory ? &p->territories[k] : &p->overlays[k];

		for (size_t m = 0; m < rule->n_credits; m++)
			if (rule->credits[m].representative != NO_INDEX)
				check_gap(c, &g, territory ? "/territories" : "/overlays", k, rule,
				    rule->credits[m].representative);
	}
	free(g.said);
}

static void
check_products(struct check *c)
{
	struct text_map seen;

	c->err = text_map_init(&seen, c->p->n_products);
	for (size_t i = 0; i < c->p->n_products && c->err == SOUK_OK; i++)
		check_id(c, &seen, c->p->products[i].product, "/products", i);
	text_map_done(&seen);
}

static void
check_all(struct check *c)
{
	struct plan *p = c->p;
	struct rate_entries e = { 0 };
	size_t before;

	check_representatives(c);
	if (c->err == SOUK_OK)
		check_managers(c);
	if (c->err == SOUK_OK)
		check_rules(c, "/territories", p->territories, p->n_territories, true);
	if (c->err == SOUK_OK)
		check_rules(c, "/overlays", p->overlays, p->n_overlays, false);
	if (c->err == SOUK_OK)
		check_overlaps(c, "/territories", p->territories, p->n_territories, false);
	if (c->err == SOUK_OK)
		check_overlaps(c, "/overlays", p->overlays, p->n_overlays, true);
	if (c->err == SOUK_OK)
		check_products(c);
	before = c->faults->n_total;
	if (c->err == SOUK_OK)
		check_rates(c);
	if (c->err != SOUK_OK || c->faults->n_total != before)
		return; /* rates that name nobody cannot be compared */
	c->err = rate_entries_of(p, &c->products, &e);
	if (c->err == SOUK_E_LIMIT) {
		fault(c, "name too many combinations of people, kinds and products",
		    "use teams, or leave products out", "/rates");
		c->err = SOUK_OK;
	}
	if (e.n > 0)
		qsort(e.v, e.n, sizeof(*e.v), rate_entry_compare);
	check_rate_overlaps(c, &e);
	if (c->err == SOUK_OK)
		check_gaps(c, &e);
	rate_entries_done(&e);
}

enum souk_err
plan_check(struct plan *p, struct arena *a, struct plan_faults *faults)
{
	struct check c = { .p = p, .a = a, .faults = faults };

	if (text_map_init(&c.representatives, p->n_representatives) != SOUK_OK ||
	    text_map_init(&c.teams, p->n_representatives) != SOUK_OK ||
	    text_map_init(&c.products, 64) != SOUK_OK)
		c.err = SOUK_E_NOMEM;
	else
		check_all(&c);
	text_map_done(&c.representatives);
	text_map_done(&c.teams);
	text_map_done(&c.products);
	if (c.err == SOUK_OK && faults->out_of_memory)
		c.err = SOUK_E_NOMEM;
	if (c.err == SOUK_OK && faults->n_total > 0)
		c.err = SOUK_E_INVALID;
	return c.err;
}
