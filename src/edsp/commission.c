/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to items, in an order of their own; see commission.h. */
#include "edsp/commission.h"

#include "edsp/commission_int.h"

#include <stdlib.h>

#define STEPS_MAX 110 /* plan_check allows 50 tiers and 50 accelerators */
#define BILLED UINT32_MAX

typedef money_t packed_money __attribute__((aligned(8)));

/*
 * Something of a line that happens on a day: it is billed, or a part of it is paid out. Postings are
 * visited in another order than lines, so each carries what most of them need: one line of the cache.
 */
struct posting {
	uint64_t prefix;         /* of the transaction reference, sorts as it does */
	packed_money gross, fee; /* when POSTING_PLAIN */
	day_t day;
	uint32_t line, payout; /* BILLED, or which payout */
	uint32_t first_credit;
	uint16_t n_credits, flags;
};
_Static_assert(sizeof(struct posting) <= 64, "a posting fits a line of the cache");
enum {
	POSTING_PLAIN = 1,  /* revenue and fee, nothing else */
	POSTING_QUEUED = 2, /* nobody's */
	POSTING_WANTED = 4, /* something takes from its transaction */
};

struct compute {
	const struct plan *p;
	const struct commission_line *lines;
	size_t n;
	struct commission_run *out;
	struct territory_memo *memo;
	struct rate_index *rates;
	struct rate_states states;
	struct ledger ledger;
	struct overlay_hits overlays;
	uint8_t *kind_of; /* by product number: a kind, or REVENUE__COUNT */
	size_t n_kinds;
	struct credit *credits; /* of line i: [first_credit[i], first_credit[i + 1]) */
	size_t n_credits, cap_credits;
	struct posting *postings;
	size_t n_postings, cap_postings;
	size_t cap_items, cap_queue;
};

/* ---- whose each line is ---- */

static bool
add_credit(struct compute *c, struct credit credit)
{
	if (c->n_credits == c->cap_credits) {
		size_t cap = c->cap_credits > 0 ? 2 * c->cap_credits : c->n + c->n / 4 + 16;
		struct credit *v = realloc(c->credits, cap * sizeof(*v));

		if (v == NULL)
			return false;
		c->credits = v;
		c->cap_credits = cap;
	}
	c->credits[c->n_credits++] = credit;
	return true;
}

static bool
add_queue(struct compute *c, struct queue_entry e)
{
	if (c->out->n_queue == c->cap_queue) {
		size_t cap = c->cap_queue > 0 ? 2 * c->cap_queue : 256;
		struct queue_entry *v = realloc(c->out->queue, cap * sizeof(*v));

		if (v == NULL)
			return false;
		c->out->queue = v;
		c->cap_queue = cap;
	}
	c->out->queue[c->out->n_queue++] = e;
	return true;
}

/* What the plan says that a product's revenue is; else what the line says. */
static enum revenue_kind
planned_kind(const struct compute *c, uint32_t product, enum revenue_kind kind)
{
	if (product < c->n_kinds && c->kind_of[product] < REVENUE__COUNT)
		return c->kind_of[product];
	return kind;
}

static enum souk_err
credit_line(struct compute *c, uint32_t i, const struct territory_hit *hit)
{
	const struct commission_line *line = &c->lines[i];
	day_t day = day_of(line->invoice_date);
	struct product_numbers product = territory_product(c->memo, line);
	uint32_t currency = currency_number(line->currency);
	enum revenue_kind kind = line->kind;
	const struct plan_rule *rule = hit->rule != NO_INDEX ? &c->p->territories[hit->rule] : NULL;

	kind = planned_kind(c, product.by_code, kind);
	kind = planned_kind(c, product.by_id, kind);
	for (size_t k = 0; rule != NULL && hit->other == NO_INDEX && k < rule->n_credits; k++) {
		const struct plan_credit *pc = &rule->credits[k];
		uint32_t rate =
		    rate_in_force(c->rates, pc->representative, kind, product, currency, day);

		if (!add_credit(c, (struct credit){ pc->representative, hit->rule, pc->percent,
				       rate, (uint8_t)hit->level, false }))
			return SOUK_E_NOMEM;
	}
	for (size_t k = 0; k < c->overlays.n; k++) {
		const struct overlay_hit *o = &c->overlays.v[k];
		const struct plan_rule *overlay = &c->p->overlays[o->rule];
		uint32_t rate =
		    rate_in_force(c->rates, o->representative, kind, product, currency, day);
		uint32_t percent = 0;

		for (size_t m = 0; m < overlay->n_credits; m++)
			if (overlay->credits[m].representative == o->representative)
				percent = overlay->credits[m].percent;
		if (!add_credit(c, (struct credit){ o->representative, o->rule, percent, rate,
				       (uint8_t)o->level, true }))
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

static uint64_t
prefix_of(struct str s)
{
	uint64_t v = 0;

	if (s.n > 0)
		memcpy(&v, s.p, s.n < 8 ? s.n : 8);
	return __builtin_bswap64(v);
}

static bool
add_posting(struct compute *c, struct posting p, const struct line_amounts *a)
{
	if (c->n_postings == c->cap_postings) {
		size_t cap = c->cap_postings > 0 ? 2 * c->cap_postings : c->n + 16;
		struct posting *v = realloc(c->postings, cap * sizeof(*v));

		if (v == NULL)
			return false;
		c->postings = v;
		c->cap_postings = cap;
	}
	p.gross = a->gross;
	p.fee = a->fee;
	if (a->refund == 0 && a->fee_refund == 0 && a->credit == 0 && a->fee_credit == 0)
		p.flags |= POSTING_PLAIN;
	c->postings[c->n_postings++] = p;
	return true;
}

static enum souk_err
post_line(struct compute *c, uint32_t i, size_t first_credit)
{
	const struct commission_line *l = &c->lines[i];
	const struct territory_hit *hit = &c->out->hits[i];
	size_t n = c->n_credits - first_credit;
	struct posting p = { .prefix = prefix_of(l->transaction),
		.day = day_of(l->invoice_date),
		.line = i,
		.payout = BILLED,
		.first_credit = (uint32_t)first_credit,
		.n_credits = (uint16_t)n };

	if (n > UINT16_MAX || c->n_credits > UINT32_MAX)
		return SOUK_E_LIMIT;
	if (hit->rule == NO_INDEX || hit->other != NO_INDEX)
		p.flags |= POSTING_QUEUED;
	if (c->ledger.any && ledger_wants(&c->ledger, transaction_hash(l)))
		p.flags |= POSTING_WANTED;
	if (!add_posting(c, p, &l->billed))
		return SOUK_E_NOMEM;
	for (size_t k = 0; k < l->n_payouts; k++) {
		p.day = day_of(l->payouts[k].date);
		p.payout = (uint32_t)k;
		if (!add_posting(c, p, &l->payouts[k].amounts))
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

static enum souk_err
map_lines(struct compute *c)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < c->n && r == SOUK_OK; i++) {
		struct territory_hit *hit = &c->out->hits[i];
		size_t first_credit = c->n_credits;

		*hit = (struct territory_hit){ NO_INDEX, MATCH_EVERYTHING, NO_INDEX };
		if (earns(&c->lines[i].billed)) {
			r = territory_map(c->memo, &c->lines[i], day_of(c->lines[i].invoice_date),
			    hit, &c->overlays);
			if (r == SOUK_OK)
				r = credit_line(c, (uint32_t)i, hit);
		}
		if (r == SOUK_OK)
			r = post_line(c, (uint32_t)i, first_credit);
	}
	return r;
}

/* ---- the order ---- */

static int
compare_text(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int
compare_money(money_t a, money_t b)
{
	return (a > b) - (a < b);
}

static int
compare_amounts(const struct line_amounts *a, const struct line_amounts *b)
{
	const money_t pairs[][2] = { { a->gross, b->gross }, { a->refund, b->refund },
		{ a->credit, b->credit }, { a->fee, b->fee }, { a->fee_refund, b->fee_refund },
		{ a->fee_credit, b->fee_credit } };
	int c = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && c == 0; i++)
		c = compare_money(pairs[i][0], pairs[i][1]);
	return c;
}

static int
compare_lines(const struct commission_line *a, const struct commission_line *b)
{
	int c = compare_text(a->transaction, b->transaction);

	if (c == 0)
		c = compare_text(a->product_id, b->product_id);
	if (c == 0)
		c = compare_text(a->end_user, b->end_user);
	if (c == 0)
		c = compare_text(a->currency, b->currency);
	if (c == 0) /* what is taken back on the day of the sale comes after it */
		c = earns(&b->billed) - earns(&a->billed);
	if (c == 0)
		c = (a->invoice_date > b->invoice_date) - (a->invoice_date < b->invoice_date);
	if (c == 0)
		c = compare_text(a->payer_number, b->payer_number);
	return c != 0 ? c : compare_amounts(&a->billed, &b->billed);
}

static int
compare_postings(const void *pa, const void *pb, void *context)
{
	const struct posting *a = pa, *b = pb;
	const struct compute *c = context;
	int r;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	r = a->line != b->line ? compare_lines(&c->lines[a->line], &c->lines[b->line]) : 0;
	if (r != 0)
		return r;
	if (a->payout == BILLED || b->payout == BILLED)
		return (a->payout != BILLED) - (b->payout != BILLED);
	return compare_amounts(&c->lines[a->line].payouts[a->payout].amounts,
	    &c->lines[b->line].payouts[b->payout].amounts);
}

#define DAYS_COUNTED 40000 /* a century: more are sorted all at once */

/* Each day's together, days rising. False: the days are too far apart. */
static bool
by_day(const struct posting *in, size_t n, struct posting *out, size_t *begin)
{
	day_t first = INT32_MAX, last = INT32_MIN;

	for (size_t i = 0; i < n; i++) {
		first = in[i].day < first ? in[i].day : first;
		last = in[i].day > last ? in[i].day : last;
	}
	if (n == 0 || (int64_t)last - first >= DAYS_COUNTED)
		return false;
	for (size_t i = 0; i < n; i++)
		begin[in[i].day - first + 2]++;
	for (size_t d = 2; d < DAYS_COUNTED + 2; d++)
		begin[d] += begin[d - 1];
	for (size_t i = 0; i < n; i++)
		out[begin[in[i].day - first + 1]++] = in[i];
	return true;
}

/* Lines from feeds come sorted, and then each day's are. */
static void
sort_postings(struct compute *c, struct posting *v, size_t n)
{
	size_t i = 1;

	while (i < n && compare_postings(&v[i - 1], &v[i], c) <= 0)
		i++;
	if (i < n)
		qsort_r(v, n, sizeof(*v), compare_postings, c);
}

static enum souk_err
order_postings(struct compute *c)
{
	size_t *begin = calloc(DAYS_COUNTED + 2, sizeof(*begin));
	struct posting *out = malloc((c->n_postings + 1) * sizeof(*out));

	if (begin == NULL || out == NULL) {
		free(begin);
		free(out);
		return SOUK_E_NOMEM;
	}
	if (by_day(c->postings, c->n_postings, out, begin)) {
		free(c->postings);
		c->postings = out;
		for (size_t d = 0; d < DAYS_COUNTED; d++)
			sort_postings(c, out + begin[d], begin[d + 1] - begin[d]);
	} else {
		sort_postings(c, c->postings, c->n_postings);
		free(out);
	}
	free(begin);
	return SOUK_OK;
}

/* ---- earning ---- */

static struct commission_item *
add_item(struct compute *c)
{
	if (c->out->n_items == c->cap_items) {
		size_t cap = c->cap_items > 0 ? 2 * c->cap_items : c->n_credits + 64;
		struct commission_item *v = realloc(c->out->items, cap * sizeof(*v));

		if (v == NULL)
			return NULL;
		c->out->items = v;
		c->cap_items = cap;
	}
	return &c->out->items[c->out->n_items++];
}

/* The rate's part of an item: credited and before are there. */
static enum souk_err
apply_rate(struct compute *c, struct commission_item *item)
{
	const struct plan_rate *rate = &c->p->rates[item->rate];
	bool counts = rate->n_tiers > 1 || rate->n_accelerators > 0 || rate->has_cap;
	struct commission_step steps[STEPS_MAX];
	struct rate_state *st = NULL;
	size_t n;

	if (counts) {
		st = rate_state_of(&c->states, rate, item->rate, item->representative, item->day);
		if (st == NULL)
			return SOUK_E_NOMEM;
		item->before = st->counted;
		if (!money_add(st->counted, item->credited, &st->counted))
			return SOUK_E_LIMIT;
	}
	n = commission_steps(rate, item->before, item->credited, steps, STEPS_MAX);
	if (!commission_of_steps(steps, n, c->p->decimals, &item->uncapped))
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
	const struct credit *credits = c->credits + e->posting->first_credit;
	size_t n = e->posting->n_credits;
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
	struct event e = { p, &plain, p->payout == BILLED ? PAY_BILLED : PAY_DISBURSED, 0 };
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

	for (size_t i = 0; i < c->n_postings && r == SOUK_OK; i++) {
		if (i + 8 < c->n_postings)
			__builtin_prefetch(&c->credits[c->postings[i + 8].first_credit]);
		r = post(c, &c->postings[i]);
	}
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
	out->order = malloc((out->n_items + 1) * sizeof(*out->order));
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
learn_kinds(struct compute *c, const struct territory_index *t)
{
	const struct text_map *products = territory_products(t);

	c->n_kinds = products->n;
	c->kind_of = malloc(c->n_kinds + 1);
	if (c->kind_of == NULL)
		return SOUK_E_NOMEM;
	memset(c->kind_of, REVENUE__COUNT, c->n_kinds + 1);
	for (size_t i = 0; i < c->p->n_products; i++) {
		struct str s = c->p->products[i].product;
		uint32_t v = text_map_find(products, s, text_map_hash(s));

		if (v < c->n_kinds)
			c->kind_of[v] = (uint8_t)c->p->products[i].kind;
	}
	return SOUK_OK;
}

static enum souk_err
compute(struct compute *c, const struct territory_index *t)
{
	enum souk_err r = territory_memo_new(t, &c->memo);

	c->out->hits = malloc((c->n + 1) * sizeof(*c->out->hits));
	if (r == SOUK_OK && c->out->hits == NULL)
		r = SOUK_E_NOMEM;
	if (r == SOUK_OK)
		r = rate_index_new(c->p, t, &c->rates);
	if (r == SOUK_OK)
		r = learn_kinds(c, t);
	if (r == SOUK_OK)
		r = ledger_init(&c->ledger, c->lines, c->n);
	if (r == SOUK_OK)
		r = map_lines(c);
	if (r == SOUK_OK)
		r = order_postings(c);
	if (r == SOUK_OK)
		r = post_all(c);
	return r == SOUK_OK ? order_items(c) : r;
}

enum souk_err
commission_compute(const struct plan *p, const struct territory_index *t,
    const struct commission_line *lines, size_t n, struct commission_run *ret, struct fail *f)
{
	struct commission_run out = { .plan = p, .lines = lines, .n_lines = n };
	struct compute c = { .p = p, .lines = lines, .n = n, .out = &out };
	enum souk_err r = n < UINT32_MAX - 1 ? compute(&c, t) : SOUK_E_LIMIT;

	territory_memo_free(c.memo);
	rate_index_free(c.rates);
	free(c.states.v);
	ledger_done(&c.ledger);
	overlay_hits_done(&c.overlays);
	free(c.kind_of);
	free(c.credits);
	free(c.postings);
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
