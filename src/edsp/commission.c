/* SPDX-License-Identifier: Apache-2.0 */
/* Postings to items; see commission.h. */
#include "edsp/commission.h"

#include "base/array.h"
#include "edsp/commission_int.h"

#include <stdlib.h>

#define STEPS_MAX 110 /* plan_check allows 50 tiers and 50 accelerators */
struct compute {
	const struct plan *p;
	const struct commission_line *lines;
	size_t n;
	struct commission_run *out;
	struct postings postings;
	struct rate_index *rates;
	struct rate_states states;
	struct ledger ledger;
	size_t cap_items, cap_queue;
};

static bool
add_queue(struct compute *c, struct queue_entry e)
{
	if (!ARRAY_ROOM(c->out->queue, c->out->n_queue, c->cap_queue, 256))
		return false;
	c->out->queue[c->out->n_queue++] = e;
	return true;
}

/* ---- earning ---- */

static struct commission_item *
add_item(struct compute *c)
{
	if (!ARRAY_ROOM(c->out->items, c->out->n_items, c->cap_items, 64))
		return NULL;
	return &c->out->items[c->out->n_items++];
}

static bool
earned(const struct plan_rate *rate, struct commission_item *item, unsigned decimals)
{
	struct commission_step steps[STEPS_MAX];
	size_t n = commission_steps(rate, item->before, item->credited, steps, STEPS_MAX);

	return commission_of_steps(steps, n, decimals, &item->uncapped);
}

/* The rate's part of an item: credited and before are there. */
static enum souk_err
apply_rate(struct compute *c, struct commission_item *item)
{
	const struct plan_rate *rate = &c->p->rates[item->rate];
	bool counts = rate->n_tiers > 1 || rate->n_accelerators > 0 || rate->has_cap;
	struct rate_state *st = NULL;

	if (counts) {
		st = rate_state_of(&c->states, rate, item->rate, item->representative, item->day);
		if (st == NULL)
			return SOUK_E_NOMEM;
		item->before = st->counted;
		if (!money_add(st->counted, item->credited, &st->counted))
			return SOUK_E_LIMIT;
	}
	if (!commission_of_one_step(
		rate, item->before, item->credited, c->p->decimals, &item->uncapped) &&
	    !earned(rate, item, c->p->decimals))
		return SOUK_E_LIMIT;
	item->commission = item->uncapped;
	if (rate->has_cap && st->paid + item->commission > rate->cap)
		item->commission = rate->cap > st->paid ? rate->cap - st->paid : 0;
	if (st != NULL)
		st->paid += item->commission;
	return SOUK_OK;
}

/* amount * percent, half-up at ten decimals. */
static bool
percent_of(money_t amount, uint32_t percent, money_t *ret)
{
	money_t product;

	if (percent == PERCENT_ALL) {
		*ret = amount;
		return true;
	}
	/* Amounts of a line are positive here; the common ones need no more than 128 bits. */
	if (amount < 0 || __builtin_mul_overflow(amount, (money_t)percent, &product))
		return money_share(amount, percent, PERCENT_ALL, ret);
	if (product <= UINT64_MAX / 2)
		*ret = (money_t)(((uint64_t)product + PERCENT_ALL / 2) / PERCENT_ALL);
	else
		*ret = product / PERCENT_ALL + (product % PERCENT_ALL >= PERCENT_ALL / 2);
	return true;
}

/* A credit's share of an amount; the last of a territory gets what is left, so that splits sum. */
static enum souk_err
share(const struct credit *credits, size_t k, size_t n, money_t amount, money_t *ret)
{
	bool last = !credits[k].overlay && (k + 1 == n || credits[k + 1].overlay);
	money_t part = 0, rest = amount;

	if (!last || k == 0)
		return percent_of(amount, credits[k].percent, ret) ? SOUK_OK : SOUK_E_LIMIT;
	for (size_t i = 0; i < k; i++) {
		if (!percent_of(amount, credits[i].percent, &part))
			return SOUK_E_LIMIT;
		rest -= part;
	}
	*ret = rest;
	return SOUK_OK;
}

static enum souk_err
record_item(struct compute *c, const struct commission_item *item, const struct credit *credit,
    uint64_t hash)
{
	uint32_t g = ledger_group(&c->ledger, &c->lines[item->line], item->line, hash);
	struct record *record = g != NO_INDEX ? ledger_record(&c->ledger, g, credit) : NULL;

	if (record == NULL)
		return SOUK_E_NOMEM;
	record->paid += item->commission;
	return SOUK_OK;
}

struct event {
	const struct posting *posting;
	const struct line_amounts *amounts;
	enum plan_pay pay;
	uint64_t hash; /* 0: nothing takes from this transaction */
	const struct credit *credits;
	size_t n_credits;
};

static enum souk_err
earn_credit(struct compute *c, const struct event *e, enum commission_part part,
    const struct credit *credits, size_t k, size_t n)
{
	const struct credit *credit = &credits[k];
	money_t amount = part_amount(e->amounts, part, c->p->rates[credit->rate].base);
	struct commission_item *item = add_item(c);
	enum souk_err r;

	if (item == NULL)
		return SOUK_E_NOMEM;
	*item = (struct commission_item){ .line = e->posting->line,
		.representative = credit->representative,
		.rule = credit->rule,
		.rate = credit->rate,
		.percent = credit->percent,
		.day = e->posting->day,
		.part = (uint8_t)part,
		.level = credit->level,
		.overlay = credit->overlay,
		.amount = amount > 0 ? amount : 0 };
	r = share(credits, k, n, item->amount, &item->credited);
	if (r == SOUK_OK)
		r = apply_rate(c, item);
	if (r == SOUK_OK && e->hash != 0)
		r = record_item(c, item, credit, e->hash);
	return r;
}

static enum souk_err
queue_line(struct compute *c, const struct event *e)
{
	const struct territory_hit *hit = &c->out->hits[e->posting->line];
	struct queue_entry q = { e->posting->line, QUEUE_UNMAPPED, NO_INDEX, NO_INDEX, NO_INDEX };

	if (hit->rule != NO_INDEX && hit->other == NO_INDEX)
		return SOUK_OK;
	if (hit->rule != NO_INDEX) {
		q.reason = QUEUE_AMBIGUOUS;
		q.rule = hit->rule;
		q.other = hit->other;
	}
	return add_queue(c, q) ? SOUK_OK : SOUK_E_NOMEM;
}

/* Makes place in the ledger for everybody this line pays, now or when it is paid out. */
static enum souk_err
open_records(struct compute *c, const struct event *e, const struct credit *credits, size_t n)
{
	uint32_t line = e->posting->line;
	uint32_t g = ledger_group(&c->ledger, &c->lines[line], line, e->hash);

	if (g == NO_INDEX)
		return SOUK_E_NOMEM;
	for (size_t k = 0; k < n; k++)
		if (credits[k].rate != NO_INDEX &&
		    ledger_record(&c->ledger, g, &credits[k]) == NULL)
			return SOUK_E_NOMEM;
	return SOUK_OK;
}

static void
stand(struct compute *c, const struct event *e, enum commission_part part)
{
	uint32_t line = e->posting->line;
	uint32_t g = ledger_group(&c->ledger, &c->lines[line], line, e->hash);

	for (enum plan_base b = 0; b < BASE__COUNT && g != NO_INDEX; b++) {
		money_t amount = part_amount(e->amounts, part, b);

		if (amount > 0)
			c->ledger.groups[g].standing[e->pay][b] += amount;
	}
}

static money_t
own_amount(const struct line_amounts *a, enum commission_part part)
{
	return part_amount(a, part, BASE_GROSS);
}

static enum souk_err
earn(struct compute *c, const struct event *e)
{
	uint32_t line = e->posting->line;
	const struct credit *credits = e->credits;
	size_t n = e->n_credits;
	enum souk_err r = SOUK_OK;

	if (e->pay == PAY_BILLED && (e->posting->flags & POSTING_QUEUED) != 0)
		r = queue_line(c, e);
	if (r == SOUK_OK && e->hash != 0 && n > 0)
		r = open_records(c, e, credits, n);
	for (enum commission_part part = PART_SALE; part <= PART_CREDIT; part++) {
		if (own_amount(e->amounts, part) <= 0)
			continue;
		for (size_t k = 0; k < n && r == SOUK_OK; k++)
			if (credits[k].rate != NO_INDEX &&
			    c->p->rates[credits[k].rate].pay == e->pay)
				r = earn_credit(c, e, part, credits, k, n);
		if (r == SOUK_OK && e->hash != 0 && n > 0)
			stand(c, e, part);
	}
	for (size_t k = 0; k < n && r == SOUK_OK && e->pay == PAY_BILLED; k++)
		if (credits[k].rate == NO_INDEX &&
		    !add_queue(c, (struct queue_entry){ line, QUEUE_NO_RATE, credits[k].rule,
				      NO_INDEX, credits[k].representative }))
			r = SOUK_E_NOMEM;
	return r;
}

/* ---- taking back ---- */

/* `take` of what stands of one earning line, from one of those it paid. */
static enum souk_err
take_record(struct compute *c, const struct event *e, enum commission_part part,
    struct record *record, money_t take, money_t standing)
{
	static const unsigned bits[PART__COUNT] = { [PART_REFUND] = CLAWBACK_REFUNDS,
		[PART_CREDIT] = CLAWBACK_CREDITS,
		[PART_FORGIVEN] = CLAWBACK_FORGIVEN };
	const struct plan_rate *rate = &c->p->rates[record->credit.rate];
	struct commission_item *item;
	struct rate_state *st;
	money_t taken, credited;

	if (!commission_taken(record->paid, take, standing, c->p->decimals, &taken) ||
	    !money_share(take, record->credit.percent, PERCENT_ALL, &credited))
		return SOUK_E_LIMIT;
	if ((rate->clawback & bits[part]) == 0) {
		record->paid -= taken; /* kept for good */
		return SOUK_OK;
	}
	st = rate_state_of(
	    &c->states, rate, record->credit.rate, record->credit.representative, e->posting->day);
	item = st != NULL ? add_item(c) : NULL;
	if (item == NULL)
		return SOUK_E_NOMEM;
	*item = (struct commission_item){ .line = e->posting->line,
		.representative = record->credit.representative,
		.rule = record->credit.rule,
		.rate = record->credit.rate,
		.percent = record->credit.percent,
		.day = e->posting->day,
		.part = (uint8_t)part,
		.level = record->credit.level,
		.overlay = record->credit.overlay,
		.takes = true,
		.amount = -take,
		.credited = -credited,
		.standing = standing,
		.paid = record->paid,
		.commission = -taken };
	st->counted -= credited;
	st->paid -= taken;
	record->paid -= taken;
	return SOUK_OK;
}

/* One part of a line that takes, from the transaction's newest earning line to its oldest. */
static enum souk_err
take_part(struct compute *c, const struct event *e, enum commission_part part, uint32_t newest)
{
	money_t rest[BASE__COUNT];
	enum souk_err r = SOUK_OK;

	for (enum plan_base b = 0; b < BASE__COUNT; b++)
		rest[b] = -part_amount(e->amounts, part, b);
	for (uint32_t g = newest; g != NO_INDEX && r == SOUK_OK; g = c->ledger.groups[g].older) {
		struct group *group = &c->ledger.groups[g];

		for (enum plan_base b = 0; b < BASE__COUNT; b++) {
			money_t standing = group->standing[e->pay][b];
			money_t take = rest[b] < standing ? rest[b] : standing;

			if (take <= 0)
				continue;
			for (uint32_t i = group->records; i != NO_INDEX && r == SOUK_OK;
			     i = c->ledger.records[i].next) {
				struct record *record = &c->ledger.records[i];
				const struct plan_rate *rate = &c->p->rates[record->credit.rate];

				if (rate->pay == e->pay && rate->base == b)
					r = take_record(c, e, part, record, take, standing);
			}
			group->standing[e->pay][b] -= take;
			rest[b] -= take;
		}
	}
	return r;
}

static enum souk_err
take(struct compute *c, const struct event *e)
{
	const struct commission_line *line = &c->lines[e->posting->line];
	uint32_t newest = ledger_newest(&c->ledger, line, e->hash);
	enum souk_err r = SOUK_OK;

	if (newest == NO_INDEX && e->pay == PAY_BILLED && !earns(&line->billed))
		return add_queue(c, (struct queue_entry){ e->posting->line, QUEUE_NO_SALE, NO_INDEX,
					NO_INDEX, NO_INDEX })
			   ? SOUK_OK
			   : SOUK_E_NOMEM;
	for (enum commission_part part = PART_REFUND; part <= PART_FORGIVEN && r == SOUK_OK; part++)
		if (own_amount(e->amounts, part) < 0)
			r = take_part(c, e, part, newest);
	return r;
}

static enum souk_err
post(struct compute *c, const struct posting *p)
{
	const struct commission_line *line = &c->lines[p->line];
	struct line_amounts plain = { .gross = p->gross, .fee = p->fee };
	struct credit own[CREDITS_INLINE];
	struct event e = { .posting = p,
		.amounts = &plain,
		.pay = p->payout == BILLED ? PAY_BILLED : PAY_DISBURSED,
		.credits = posting_credits(&c->postings, p, own),
		.n_credits = p->n_credits };
	enum souk_err r = SOUK_OK;

	if ((p->flags & POSTING_PLAIN) == 0)
		e.amounts = p->payout == BILLED ? &line->billed : &line->payouts[p->payout].amounts;
	if ((p->flags & POSTING_WANTED) != 0)
		e.hash = transaction_hash(line);
	if (earns(e.amounts))
		r = earn(c, &e);
	if (r == SOUK_OK && takes(e.amounts))
		r = take(c, &e);
	return r;
}

static enum souk_err
post_all(struct compute *c)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < c->postings.n && r == SOUK_OK; i++)
		r = post(c, &c->postings.v[i]);
	return r;
}

/* ---- all together ---- */

/* By representative, keeping the order within each. */
static enum souk_err
order_items(struct compute *c)
{
	struct commission_run *out = c->out;
	size_t n = c->p->n_representatives;

	out->first = calloc(n + 2, sizeof(*out->first));
	out->order = array_large(out->n_items + 1, sizeof(*out->order));
	if (out->first == NULL || out->order == NULL)
		return SOUK_E_NOMEM;
	if (out->n_items > UINT32_MAX - 1)
		return SOUK_E_LIMIT;
	/* Counted one place further on, so that each end becomes the next one's beginning. */
	for (size_t i = 0; i < out->n_items; i++)
		out->first[out->items[i].representative + 2]++;
	for (size_t r = 2; r < n + 2; r++)
		out->first[r] += out->first[r - 1];
	for (size_t i = 0; i < out->n_items; i++)
		out->order[out->first[out->items[i].representative + 1]++] = (uint32_t)i;
	return SOUK_OK;
}

static enum souk_err
compute(struct compute *c, const struct territory_index *t, unsigned threads)
{
	struct posting_request q = { .p = c->p,
		.t = t,
		.lines = c->lines,
		.n = c->n,
		.ledger = &c->ledger,
		.threads = threads };
	enum souk_err r = rate_index_new(c->p, t, &c->rates);

	q.rates = c->rates;
	q.hits = c->out->hits = array_large(c->n + 1, sizeof(*c->out->hits));
	if (r == SOUK_OK && q.hits == NULL)
		r = SOUK_E_NOMEM;
	if (r == SOUK_OK)
		r = postings_make(&q, &c->postings);
	c->cap_items = c->postings.n + c->postings.n / 4 + 64;
	if (r == SOUK_OK &&
	    (c->out->items = array_large(c->cap_items, sizeof(*c->out->items))) == NULL)
		r = SOUK_E_NOMEM;
	if (r == SOUK_OK)
		r = post_all(c);
	return r == SOUK_OK ? order_items(c) : r;
}

enum souk_err
commission_compute(const struct plan *p, const struct territory_index *t,
    const struct commission_line *lines, size_t n, unsigned threads, struct commission_run *ret,
    struct fail *f)
{
	struct commission_run out = { .plan = p, .lines = lines, .n_lines = n };
	struct compute c = { .p = p, .lines = lines, .n = n, .out = &out };
	enum souk_err r = n < UINT32_MAX - 1 ? compute(&c, t, threads) : SOUK_E_LIMIT;

	rate_index_free(c.rates);
	free(c.states.v);
	ledger_done(&c.ledger);
	postings_done(&c.postings);
	if (r == SOUK_OK) {
		*ret = out;
		return r;
	}
	commission_run_done(&out);
	if (r == SOUK_E_LIMIT)
		return fail_set(f, r, "commission_limit",
		    "amounts or lines are too many for one run; run fewer months, and check the "
		    "amounts");
	return fail_set(f, r, "commission", "the run does not fit into memory; run fewer months");
}

void
commission_run_done(struct commission_run *r)
{
	free(r->items);
	free(r->queue);
	free(r->hits);
	free(r->order);
	free(r->first);
	*r = (struct commission_run){ 0 };
}
