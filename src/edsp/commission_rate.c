/* SPDX-License-Identifier: Apache-2.0 */
/* Which rate is in force, tiers, rounding; see commission.h. */
#include "edsp/commission_int.h"
#include "edsp/territory_int.h"

#include <stdlib.h>

const char *const commission_part_words[PART__COUNT] = {
	[PART_SALE] = "sale",
	[PART_REFUND] = "refund",
	[PART_CREDIT] = "credit",
	[PART_FORGIVEN] = "forgiven",
};
const char *const queue_reason_words[QUEUE__COUNT] = {
	[QUEUE_UNMAPPED] = "unmapped",
	[QUEUE_AMBIGUOUS] = "ambiguous",
	[QUEUE_NO_RATE] = "no rate",
	[QUEUE_NO_SALE] = "no sale",
};

struct rate_slot {
	uint64_t key; /* of rate_entry, + 1; 0: free */
	uint32_t begin, n;
};

struct rate_index {
	const struct plan *p;
	struct rate_entries entries;
	struct rate_slot *slots;
	size_t mask;
	bool by_product, by_currency, by_day;
	bool *scope_used;
};

static size_t
slot_of(const struct rate_index *r, uint64_t key)
{
	size_t i = product_hash(key) & r->mask;

	while (r->slots[i].key != 0 && r->slots[i].key != key + 1)
		i = (i + 1) & r->mask;
	return i;
}

enum souk_err
rate_index_new(const struct plan *p, const struct territory_index *t, struct rate_index **ret)
{
	struct rate_index *r = calloc(1, sizeof(*r));
	/* Every product of a rate has its number already, so nothing is added. */
	struct text_map *products = (struct text_map *)(uintptr_t)territory_products(t);
	enum souk_err err = SOUK_E_NOMEM;

	if (r == NULL)
		return err;
	r->p = p;
	r->scope_used = calloc(p->n_representatives + p->teams.n + 1, sizeof(bool));
	if (r->scope_used != NULL)
		err = rate_entries_of(p, products, &r->entries);
	for (r->mask = 63; r->mask < 2 * r->entries.n;)
		r->mask = 2 * r->mask + 1;
	if (err == SOUK_OK && (r->slots = calloc(r->mask + 1, sizeof(*r->slots))) == NULL)
		err = SOUK_E_NOMEM;
	if (err != SOUK_OK) {
		rate_index_free(r);
		return err;
	}
	if (r->entries.n > 0)
		qsort(r->entries.v, r->entries.n, sizeof(*r->entries.v), rate_entry_compare);
	for (size_t i = 0; i < r->entries.n; i++)
		r->by_day |= r->entries.v[i].from != DAY_FIRST || r->entries.v[i].until != DAY_LAST;
	for (size_t i = 0, k; i < r->entries.n; i = k) {
		uint64_t key = r->entries.v[i].key;

		for (k = i; k < r->entries.n && r->entries.v[k].key == key;)
			k++;
		r->slots[slot_of(r, key)] =
		    (struct rate_slot){ key + 1, (uint32_t)i, (uint32_t)(k - i) };
		r->scope_used[key >> 42] = true;
		r->by_product |= (key >> 18 & 0xffffff) != 0;
		r->by_currency |= (key >> 2 & 0xffff) != 0;
	}
	*ret = r;
	return SOUK_OK;
}

void
rate_index_free(struct rate_index *r)
{
	if (r == NULL)
		return;
	rate_entries_done(&r->entries);
	free(r->slots);
	free(r->scope_used);
	free(r);
}

static uint32_t
probe(const struct rate_index *r, uint64_t key, day_t day)
{
	const struct rate_slot *s = &r->slots[slot_of(r, key)];

	for (uint32_t i = s->begin; i < s->begin + s->n && s->key != 0; i++)
		if (r->entries.v[i].from <= day && day <= r->entries.v[i].until)
			return r->entries.v[i].rate;
	return NO_INDEX;
}

uint32_t
rate_in_force(const struct rate_index *r, uint32_t representative, enum revenue_kind kind,
    struct product_numbers product, uint32_t currency, day_t day)
{
	uint32_t team = r->p->representatives[representative].team_index, rate;
	uint32_t scopes[3] = { representative,
		team != NO_INDEX ? scope_of_team(r->p, team) : NO_INDEX, scope_of_all(r->p) };

	/* As rate_key has them: 0 is any. */
	uint32_t numbers[3] = { product.by_id != NO_INDEX ? product.by_id + 1 : NO_INDEX,
		product.by_code != NO_INDEX ? product.by_code + 1 : NO_INDEX, 0 };

	for (size_t s = 0; s < 3; s++) {
		if (scopes[s] == NO_INDEX || !r->scope_used[scopes[s]])
			continue;
		for (size_t n = r->by_product ? 0 : 2; n < 3; n++)
			for (int exact = r->by_currency && currency != 0;
			     exact >= 0 && numbers[n] != NO_INDEX; exact--) {
				rate = probe(r,
				    rate_key(scopes[s], kind, numbers[n], exact ? currency : 0),
				    day);
				if (rate != NO_INDEX)
					return rate;
			}
	}
	return NO_INDEX;
}

#define NO_QUESTION UINT32_MAX

struct rate_answer *
rate_answers_new(const struct rate_index *r)
{
	size_t n = r->p->n_representatives;
	struct rate_answer *v = malloc((n + 1) * sizeof(*v));

	for (size_t i = 0; i < n && v != NULL; i++)
		v[i].kind_and_currency = NO_QUESTION;
	return v;
}

uint32_t
rate_recalled(const struct rate_index *r, struct rate_answer *answers, uint32_t representative,
    enum revenue_kind kind, struct product_numbers product, uint32_t currency, day_t day)
{
	struct rate_answer *a = &answers[representative];
	uint64_t products = r->by_product ? (uint64_t)product.by_id << 32 | product.by_code : 0;
	uint32_t question = currency << 2 | (uint32_t)kind;

	if (a->kind_and_currency == question && a->product == products)
		return a->rate;
	*a = (struct rate_answer){ products, r->by_day ? NO_QUESTION : question,
		rate_in_force(r, representative, kind, product, currency, day) };
	return a->rate;
}

static bool
grow_states(struct rate_states *s)
{
	struct rate_states bigger = { .mask = s->v != NULL ? 2 * s->mask + 1 : 255 };

	bigger.v = calloc(bigger.mask + 1, sizeof(*bigger.v));
	if (bigger.v == NULL)
		return false;
	for (size_t i = 0; s->v != NULL && i <= s->mask; i++) {
		size_t k = product_hash(s->v[i].key) & bigger.mask;

		if (s->v[i].key == 0)
			continue;
		while (bigger.v[k].key != 0)
			k = (k + 1) & bigger.mask;
		bigger.v[k] = s->v[i];
	}
	free(s->v);
	s->v = bigger.v;
	s->mask = bigger.mask;
	return true;
}

struct rate_state *
rate_state_of(struct rate_states *s, const struct plan_rate *rate, uint32_t rate_i,
    uint32_t representative, day_t day)
{
	uint64_t key = ((uint64_t)rate_i << 32 | representative) + 1;
	int32_t period, cap_period;
	struct rate_state *st;
	size_t i;

	/* Days come one after the other. */
	for (enum plan_period p = 0; p < PERIOD__COUNT && (!s->has_day || s->day != day); p++)
		s->period[p] = plan_period_of(p, day);
	s->day = day;
	s->has_day = true;
	period = s->period[rate->over];
	cap_period = s->period[rate->cap_over];
	if ((s->v == NULL || 2 * (s->n + 1) > s->mask) && !grow_states(s))
		return NULL;
	for (i = product_hash(key) & s->mask; s->v[i].key != 0 && s->v[i].key != key;)
		i = (i + 1) & s->mask;
	st = &s->v[i];
	if (st->key == 0) {
		*st = (struct rate_state){ .key = key, .period = period, .cap_period = cap_period };
		s->n++;
	}
	if (st->period != period) {
		st->period = period;
		st->counted = 0;
	}
	if (st->cap_period != cap_period) {
		st->cap_period = cap_period;
		st->paid = 0;
	}
	return st;
}

/* The step that holds what comes just after `at`. */
static size_t
step_at(const struct plan_step *s, size_t n, money_t at)
{
	size_t i = 0;

	while (i + 1 < n && s[i + 1].above <= at)
		i++;
	return i;
}

static uint32_t
factor_at(const struct plan_rate *r, money_t at)
{
	if (r->n_accelerators == 0 || at < r->accelerators[0].above)
		return FACTOR_ONE;
	return r->accelerators[step_at(r->accelerators, r->n_accelerators, at)].value;
}

/* Where the percentage changes next after `at`; false: nowhere. */
static bool
next_change(const struct plan_rate *r, money_t at, money_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < r->n_tiers && !found; i++)
		if (r->tiers[i].above > at) {
			*ret = r->tiers[i].above;
			found = true;
		}
	for (size_t i = 0; i < r->n_accelerators; i++)
		if (r->accelerators[i].above > at && (!found || r->accelerators[i].above < *ret)) {
			*ret = r->accelerators[i].above;
			found = true;
		}
	return found;
}

size_t
commission_steps(const struct plan_rate *r, money_t before, money_t credited,
    struct commission_step *out, size_t max)
{
	size_t n = 0;

	while (n < max && (credited > 0 || n == 0)) {
		uint32_t percent = r->tiers[step_at(r->tiers, r->n_tiers, before)].value;
		uint32_t factor = factor_at(r, before);
		money_t change = 0, here = credited;

		if (n + 1 < max && next_change(r, before, &change) && change - before < credited)
			here = change - before;
		out[n++] =
		    (struct commission_step){ here, (uint64_t)percent * factor, percent, factor };
		before += here;
		credited -= here;
		if (credited <= 0)
			break;
	}
	return n;
}

/* v / unit, half away from zero. */
static money_t
divide_half_up(money_t v, money_t unit)
{
	money_t q = v / unit, rest = v % unit;

	if (rest >= unit - rest)
		return q + 1;
	return rest < 0 && -rest >= unit + rest ? q - 1 : q;
}

static const int64_t power_of_ten[MONEY_DECIMALS + 1] = { 1, 10, 100, 1000, 10000, 100000, 1000000,
	10000000, 100000000, 1000000000, 10000000000 };

/* The same for what people mostly bill, amounts of four decimals and no more than some millions, in 64 bits. */
static bool
of_small_steps(const struct commission_step *s, size_t n, unsigned decimals, money_t *ret)
{
	uint64_t sum = 0, unit = (uint64_t)RATE_UNITS, grain = 1000000;

	for (size_t i = 0; i < n; i++) {
		uint64_t product;

		if (s[i].amount < 0 || s[i].amount > INT64_MAX ||
		    (uint64_t)s[i].amount % grain != 0 ||
		    __builtin_mul_overflow((uint64_t)s[i].amount / grain, s[i].rate, &product) ||
		    __builtin_add_overflow(sum, product, &sum))
			return false;
	}
	if (decimals < 4)
		unit *= (uint64_t)power_of_ten[4 - decimals];
	if (__builtin_add_overflow(sum, unit / 2, &sum))
		return false;
	*ret = (money_t)(sum / unit) * power_of_ten[MONEY_DECIMALS - decimals];
	return true;
}

bool
commission_of_one_step(
    const struct plan_rate *r, money_t before, money_t credited, unsigned decimals, money_t *ret)
{
	size_t i = step_at(r->tiers, r->n_tiers, before);
	struct commission_step step = { .amount = credited,
		.rate = (uint64_t)r->tiers[i].value * FACTOR_ONE };

	if (r->n_accelerators > 0 ||
	    (i + 1 < r->n_tiers && r->tiers[i + 1].above - before < credited) ||
	    (r->n_tiers > 1 && before < 0))
		return false;
	return of_small_steps(&step, 1, decimals, ret);
}

bool
commission_of_steps(const struct commission_step *s, size_t n, unsigned decimals, money_t *ret)
{
	money_t sum = 0, unit = power_of_ten[MONEY_DECIMALS - decimals];

	if (of_small_steps(s, n, decimals, ret))
		return true;
	for (size_t i = 0; i < n; i++) {
		money_t product;

		if (__builtin_mul_overflow(s[i].amount, (money_t)s[i].rate, &product) ||
		    __builtin_add_overflow(sum, product, &sum))
			return false;
	}
	*ret = divide_half_up(sum, RATE_UNITS * unit) * unit;
	return true;
}

bool
commission_taken(money_t paid, money_t take, money_t standing, unsigned decimals, money_t *ret)
{
	money_t unit = power_of_ten[MONEY_DECIMALS - decimals], units;

	if (take >= standing) {
		*ret = paid;
		return true;
	}
	if (!money_share(paid / unit, take, standing, &units))
		return false;
	*ret = units * unit;
	return true;
}
