/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to postings: whose each is and which rates, on several threads, in the order that counts. */
#include "edsp/commission_int.h"

#include "base/array.h"

#include <stdlib.h>

#define DAYS 65536u /* postings further apart than that are sorted all at once */
#define LINES_A_THREAD 50000

/* What one thread makes of its stretch of the lines. */
struct part {
	struct territory_memo *memo;
	struct rate_answer *answers;
	struct overlay_hits overlays;
	struct credit *spilled;
	size_t n_spilled, cap_spilled;
	size_t from, to; /* lines */
	size_t taking, n_postings;
	day_t first, last;
	uint32_t *at; /* by day % DAYS: how many postings; then where the next one goes */
};

struct making {
	const struct posting_request *q;
	struct postings *out;
	struct part *parts;
	unsigned n_parts;
	uint32_t *begin; /* of the k-th day from `first` on; [n_days] is the end */
	size_t n_days;
	day_t first;
};

/* ---- how many, on which days ---- */

static uint32_t *
place_of(const struct making *m, const struct part *part, day_t day)
{
	return &part->at[m->n_days == 1 ? 0 : (uint32_t)day % DAYS];
}

static void
count_day(struct part *part, day_t day)
{
	part->first = day < part->first ? day : part->first;
	part->last = day > part->last ? day : part->last;
	part->at[(uint32_t)day % DAYS]++;
	part->n_postings++;
}

static enum souk_err
count_part(void *arg, unsigned which, struct fail *f)
{
	struct making *m = arg;
	struct part *part = &m->parts[which];

	(void)f;
	part->from = parallel_part(m->q->n, which, m->n_parts);
	part->to = parallel_part(m->q->n, which + 1, m->n_parts);
	part->first = DAY_LAST;
	part->last = DAY_FIRST;
	part->at = calloc(DAYS, sizeof(*part->at));
	if (part->at == NULL)
		return SOUK_E_NOMEM;
	for (size_t i = part->from; i < part->to; i++) {
		const struct commission_line *l = &m->q->lines[i];

		count_day(part, day_of(l->invoice_date));
		part->taking += line_takes(l);
		for (size_t k = 0; k < l->n_payouts; k++)
			count_day(part, day_of(l->payouts[k].date));
	}
	return SOUK_OK;
}

/* Each day's together, days rising; within a day the parts as they are. */
static enum souk_err
lay_out(struct making *m)
{
	day_t first = DAY_LAST, last = DAY_FIRST;
	uint32_t at = 0;

	for (unsigned i = 0; i < m->n_parts; i++) {
		first = m->parts[i].first < first ? m->parts[i].first : first;
		last = m->parts[i].last > last ? m->parts[i].last : last;
		m->out->n += m->parts[i].n_postings;
	}
	if (m->out->n >= UINT32_MAX)
		return SOUK_E_LIMIT;
	m->first = first;
	m->n_days = m->out->n == 0 || (int64_t)last - first >= DAYS
			? 1
			: (size_t)((int64_t)last - first + 1);
	m->begin = malloc((m->n_days + 1) * sizeof(*m->begin));
	m->out->v = array_large(m->out->n + 1, sizeof(*m->out->v));
	if (m->begin == NULL || m->out->v == NULL)
		return SOUK_E_NOMEM;
	for (size_t d = 0; d < m->n_days; d++) {
		m->begin[d] = at;
		for (unsigned i = 0; i < m->n_parts; i++) {
			uint32_t *place = place_of(m, &m->parts[i], (day_t)(first + (int64_t)d));
			size_t n = m->n_days == 1 ? m->parts[i].n_postings : *place;

			*place = at;
			at += (uint32_t)n;
		}
	}
	m->begin[m->n_days] = at;
	return SOUK_OK;
}

/* ---- whose each line is ---- */

static bool
spill(struct part *part, const struct credit *credit)
{
	if (!ARRAY_ROOM(part->spilled, part->n_spilled, part->cap_spilled, 1024))
		return false;
	part->spilled[part->n_spilled++] = *credit;
	return true;
}

/* What the plan says that a product's revenue is; else what the line says. */
static enum revenue_kind
planned_kind(const struct making *m, uint32_t product, enum revenue_kind kind)
{
	if (product < m->out->n_kinds && m->out->kind_of[product] < REVENUE__COUNT)
		return m->out->kind_of[product];
	return kind;
}

/* What decides on a rate, of one line. */
struct earning {
	enum revenue_kind kind;
	struct product_numbers product;
	uint32_t currency;
	day_t day;
};

static uint32_t
rate_for(
    const struct making *m, struct part *part, const struct earning *e, uint32_t representative)
{
	return rate_recalled(
	    m->q->rates, part->answers, representative, e->kind, e->product, e->currency, e->day);
}

static uint32_t
overlay_percent(const struct plan_rule *overlay, uint32_t representative)
{
	uint32_t percent = 0;

	for (size_t i = 0; i < overlay->n_credits; i++)
		if (overlay->credits[i].representative == representative)
			percent = overlay->credits[i].percent;
	return percent;
}

/* Overlays, or too many of one split, do not go into the posting. */
static enum souk_err
spill_credits(struct making *m, unsigned which, const struct earning *e, size_t n_own,
    const struct territory_hit *hit, struct posting *p)
{
	struct part *part = &m->parts[which];
	size_t first = part->n_spilled;

	for (size_t k = 0; k < n_own; k++) {
		const struct rule_credit *own =
		    &m->out->rule_credits[m->out->first_credit[hit->rule] + k];
		struct credit c = { own->representative, hit->rule, own->percent,
			rate_for(m, part, e, own->representative), (uint8_t)hit->level, false };

		if (!spill(part, &c))
			return SOUK_E_NOMEM;
	}
	for (size_t k = 0; k < part->overlays.n; k++) {
		const struct overlay_hit *o = &part->overlays.v[k];
		struct credit c = { o->representative, o->rule,
			overlay_percent(&m->q->p->overlays[o->rule], o->representative),
			rate_for(m, part, e, o->representative), (uint8_t)o->level, true };

		if (!spill(part, &c))
			return SOUK_E_NOMEM;
	}
	if (part->n_spilled - first > UINT16_MAX || part->n_spilled > UINT32_MAX)
		return SOUK_E_LIMIT;
	p->n_credits = (uint16_t)(part->n_spilled - first);
	p->flags |= POSTING_SPILLED;
	p->rate[0] = (uint32_t)first;
	p->rate[1] = which;
	return SOUK_OK;
}

static enum souk_err
credit_line(struct making *m, unsigned which, const struct commission_line *line,
    const struct territory_hit *hit, struct posting *p)
{
	struct part *part = &m->parts[which];
	struct earning e = { line->kind, { NO_INDEX, NO_INDEX }, currency_number(line->currency),
		p->day };
	const uint32_t *first = m->out->first_credit;
	bool somebodys = hit->rule != NO_INDEX && hit->other == NO_INDEX;
	size_t n = somebodys ? first[hit->rule + 1] - first[hit->rule] : 0;

	if (m->out->n_kinds > 0) { /* products that the plan names */
		e.product = territory_product(part->memo, line);
		e.kind = planned_kind(m, e.product.by_code, e.kind);
		e.kind = planned_kind(m, e.product.by_id, e.kind);
	}
	if (part->overlays.n > 0 || n > CREDITS_INLINE)
		return spill_credits(m, which, &e, n, hit, p);
	p->n_credits = (uint16_t)n;
	p->rule = hit->rule;
	p->level = (uint8_t)hit->level;
	for (size_t k = 0; k < n; k++)
		p->rate[k] = rate_for(
		    m, part, &e, m->out->rule_credits[first[hit->rule] + k].representative);
	return SOUK_OK;
}

static uint64_t
prefix_of(struct str s)
{
	uint64_t v = 0;

	if (s.n >= 8)
		memcpy(&v, s.p, 8);
	else if (s.n > 0)
		memcpy(&v, s.p, s.n);
	return __builtin_bswap64(v);
}

static void
put(struct making *m, struct part *part, struct posting p, const struct line_amounts *a)
{
	p.gross = (int64_t)a->gross;
	p.fee = (int64_t)a->fee;
	if (a->refund == 0 && a->fee_refund == 0 && a->credit == 0 && a->fee_credit == 0 &&
	    p.gross == a->gross && p.fee == a->fee)
		p.flags |= POSTING_PLAIN;
	m->out->v[(*place_of(m, part, p.day))++] = p;
}

static enum souk_err
post_line(struct making *m, unsigned which, uint32_t i)
{
	const struct commission_line *l = &m->q->lines[i];
	struct part *part = &m->parts[which];
	struct territory_hit *hit = &m->q->hits[i];
	struct posting p = { .prefix = prefix_of(l->transaction),
		.day = day_of(l->invoice_date),
		.line = i,
		.payout = BILLED };
	enum souk_err r = SOUK_OK;

	*hit = (struct territory_hit){ NO_INDEX, MATCH_EVERYTHING, NO_INDEX };
	if (earns(&l->billed)) {
		r = territory_map(part->memo, l, p.day, hit, &part->overlays);
		if (r == SOUK_OK)
			r = credit_line(m, which, l, hit, &p);
	}
	if (r != SOUK_OK)
		return r;
	if (hit->rule == NO_INDEX || hit->other != NO_INDEX)
		p.flags |= POSTING_QUEUED;
	if (m->q->ledger->any && ledger_wants(m->q->ledger, transaction_hash(l)))
		p.flags |= POSTING_WANTED;
	put(m, part, p, &l->billed);
	for (size_t k = 0; k < l->n_payouts; k++) {
		p.day = day_of(l->payouts[k].date);
		p.payout = (uint32_t)k;
		put(m, part, p, &l->payouts[k].amounts);
	}
	return r;
}

static enum souk_err
post_part(void *arg, unsigned which, struct fail *f)
{
	struct making *m = arg;
	struct part *part = &m->parts[which];
	enum souk_err r = territory_memo_new(m->q->t, &part->memo);

	(void)f;
	part->answers = rate_answers_new(m->q->rates);
	if (part->answers == NULL)
		r = SOUK_E_NOMEM;
	for (size_t i = part->from; i < part->to && r == SOUK_OK; i++)
		r = post_line(m, which, (uint32_t)i);
	return r;
}

/* ---- the order within a day ---- */

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
	int c = str_compare(a->transaction, b->transaction);

	if (c == 0)
		c = str_compare(a->product_id, b->product_id);
	if (c == 0)
		c = str_compare(a->end_user, b->end_user);
	if (c == 0)
		c = str_compare(a->currency, b->currency);
	if (c == 0) /* what is taken back on the day of the sale comes after it */
		c = earns(&b->billed) - earns(&a->billed);
	if (c == 0)
		c = (a->invoice_date > b->invoice_date) - (a->invoice_date < b->invoice_date);
	if (c == 0)
		c = str_compare(a->payer_number, b->payer_number);
	return c != 0 ? c : compare_amounts(&a->billed, &b->billed);
}

static int
compare_postings(const void *pa, const void *pb, void *context)
{
	const struct posting *a = pa, *b = pb;
	const struct commission_line *lines = context;
	int r;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	r = a->line != b->line ? compare_lines(&lines[a->line], &lines[b->line]) : 0;
	if (r != 0)
		return r;
	if (a->payout == BILLED || b->payout == BILLED)
		return (a->payout != BILLED) - (b->payout != BILLED);
	return compare_amounts(
	    &lines[a->line].payouts[a->payout].amounts, &lines[b->line].payouts[b->payout].amounts);
}

/* Lines from feeds come sorted, and then each day's are. */
static enum souk_err
sort_part(void *arg, unsigned which, struct fail *f)
{
	struct making *m = arg;
	void *lines = (void *)(uintptr_t)m->q->lines;
	size_t until = parallel_part(m->n_days, which + 1, m->n_parts);

	(void)f;
	for (size_t d = parallel_part(m->n_days, which, m->n_parts); d < until; d++) {
		struct posting *v = m->out->v + m->begin[d];
		size_t n = m->begin[d + 1] - m->begin[d], i = 1;

		while (i < n && compare_postings(&v[i - 1], &v[i], lines) <= 0)
			i++;
		if (i < n)
			qsort_r(v, n, sizeof(*v), compare_postings, lines);
	}
	return SOUK_OK;
}

/* ---- all together ---- */

static bool
learn_kinds(const struct posting_request *q, struct postings *out)
{
	const struct text_map *products = territory_products(q->t);

	out->n_kinds = products->n;
	out->kind_of = malloc(out->n_kinds + 1);
	if (out->kind_of == NULL)
		return false;
	memset(out->kind_of, REVENUE__COUNT, out->n_kinds + 1);
	for (size_t i = 0; i < q->p->n_products; i++) {
		struct str s = q->p->products[i].product;
		uint32_t v = text_map_find(products, s, text_map_hash(s));

		if (v < out->n_kinds)
			out->kind_of[v] = (uint8_t)q->p->products[i].kind;
	}
	return true;
}

/* Rules are large and lines meet them in no order: what lines need of them, close together. */
static bool
learn_rules(const struct plan *p, struct postings *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_territories; i++)
		n += p->territories[i].n_credits;
	out->first_credit = malloc((p->n_territories + 1) * sizeof(*out->first_credit));
	out->rule_credits = malloc((n + 1) * sizeof(*out->rule_credits));
	if (out->first_credit == NULL || out->rule_credits == NULL || n > UINT32_MAX)
		return false;
	n = 0;
	for (size_t i = 0; i < p->n_territories; i++) {
		const struct plan_rule *r = &p->territories[i];

		out->first_credit[i] = (uint32_t)n;
		for (size_t k = 0; k < r->n_credits; k++)
			out->rule_credits[n++] = (struct rule_credit){ r->credits[k].representative,
				r->credits[k].percent };
	}
	out->first_credit[p->n_territories] = (uint32_t)n;
	return true;
}

static enum souk_err
make(struct making *m)
{
	enum souk_err r = parallel_run(m->n_parts, count_part, m, NULL);
	size_t taking = 0;

	if (r == SOUK_OK)
		r = lay_out(m);
	for (unsigned i = 0; i < m->n_parts; i++)
		taking += m->parts[i].taking;
	if (r == SOUK_OK)
		r = ledger_init(m->q->ledger, m->q->lines, m->q->n, taking);
	if (r == SOUK_OK)
		r = parallel_run(m->n_parts, post_part, m, NULL);
	return r == SOUK_OK ? parallel_run(m->n_parts, sort_part, m, NULL) : r;
}

enum souk_err
postings_make(const struct posting_request *q, struct postings *ret)
{
	struct making m = { .q = q, .out = ret, .n_parts = parallel_threads(q->threads) };
	enum souk_err r = SOUK_E_NOMEM;

	*ret = (struct postings){ 0 };
	if (q->threads == 0 && m.n_parts > 1 + q->n / LINES_A_THREAD)
		m.n_parts = (unsigned)(1 + q->n / LINES_A_THREAD);
	m.parts = calloc(m.n_parts, sizeof(*m.parts));
	if (m.parts != NULL && learn_kinds(q, ret) && learn_rules(q->p, ret))
		r = make(&m);
	for (unsigned i = 0; m.parts != NULL && i < m.n_parts; i++) {
		ret->spilled[i] = m.parts[i].spilled;
		territory_memo_free(m.parts[i].memo);
		overlay_hits_done(&m.parts[i].overlays);
		free(m.parts[i].answers);
		free(m.parts[i].at);
	}
	free(m.parts);
	free(m.begin);
	return r;
}

void
postings_done(struct postings *p)
{
	for (unsigned i = 0; i < PARALLEL_MAX; i++)
		free(p->spilled[i]);
	free(p->kind_of);
	free(p->first_credit);
	free(p->rule_credits);
	free(p->v);
	*p = (struct postings){ 0 };
}
