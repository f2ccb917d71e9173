/* SPDX-License-Identifier: Apache-2.0 */
/* The events of one reference, sorted into lines and summed. */
#include "feeds/sales_int.h"

#include <stdlib.h>

#define AHEAD 16 /* references whose events are fetched into the cache early */

enum sales_amount
sales_event_amount(const struct sales *s, const struct event *e)
{
	static const enum sales_amount of[TYPE__COUNT] = {
		[TYPE_SELLER_REV_SHARE] = SALES_GROSS,
		[TYPE_SELLER_REV_SHARE_REFUND] = SALES_REFUND,
		[TYPE_SELLER_REV_SHARE_CREDIT] = SALES_CREDIT,
		[TYPE_AWS_REV_SHARE] = SALES_FEE,
		[TYPE_AWS_REV_SHARE_REFUND] = SALES_FEE_REFUND,
		[TYPE_AWS_REV_SHARE_CREDIT] = SALES_FEE_CREDIT,
		[TYPE_SELLER_TAX_SHARE] = SALES_TAX,
		[TYPE_SELLER_TAX_SHARE_REFUND] = SALES_TAX_REFUND,
		[TYPE_SELLER_TAX_SHARE_CREDIT] = SALES__AMOUNTS,
		[TYPE_AWS_TAX_SHARE] = SALES__AMOUNTS,
		[TYPE_AWS_TAX_SHARE_REFUND] = SALES__AMOUNTS,
		[TYPE_AWS_TAX_SHARE_CREDIT] = SALES__AMOUNTS,
		[TYPE_BALANCE_ADJUSTMENT] = SALES__AMOUNTS,
		[TYPE_DISBURSEMENT] = SALES__AMOUNTS,
		[TYPE_DISBURSEMENT_FAILURE] = SALES__AMOUNTS,
	};

	if (s->variant == SALES_REPORT && e->type <= TYPE_SELLER_REV_SHARE_CREDIT &&
	    e->from == s->seller && s->seller != INTERN_NONE)
		return SALES_COST;
	return of[e->type];
}

money_t
sales_net(const struct sales *s, const money_t amount[SALES__AMOUNTS])
{
	money_t net = 0;

	/* A feed has fewer than 2^32 events of less than 10^18: no sum outgrows a money_t. */
	for (enum sales_amount a = 0; a < SALES_TAX; a++)
		net += amount[a];
	if (s->variant == SALES_QUERY)
		net += amount[SALES_TAX] + amount[SALES_TAX_REFUND];
	return net;
}

struct sales_total *
sales_total_of(struct sales_total **totals, size_t *n, currency_t c)
{
	struct sales_total *more;

	for (size_t i = 0; i < *n; i++)
		if ((*totals)[i].currency == c)
			return &(*totals)[i];
	if (!(more = reallocarray(*totals, *n + 1, sizeof(*more))))
		return NULL;
	*totals = more;
	more[*n] = (struct sales_total){ .currency = c };
	return &more[(*n)++];
}

/* ---- order within a reference ---------------------------------------------------------------------------- */

static int
by_id(const struct intern *in, uint32_t a, uint32_t b)
{
	return a == b ? 0 : str_compare(intern_text(in, a), intern_text(in, b));
}

/* 0 when two events belong to one line. */
static int
compare_lines(const struct sales *s, const struct event *a, const struct event *b)
{
	int c = (int)a->extra - (int)b->extra;

	if (c == 0)
		c = by_id(s->fs->products, a->product, b->product);
	if (c == 0)
		c = by_id(s->fs->accounts, a->end_user, b->end_user);
	if (c == 0)
		c = (int)a->currency - (int)b->currency;
	if (c == 0 && s->variant == SALES_REPORT && a->invoice_date != b->invoice_date)
		c = month_of_instant(a->invoice_date) - month_of_instant(b->invoice_date);
	return c;
}

static int
compare_events(const void *va, const void *vb, void *arg)
{
	const struct sales *s = arg;
	uint32_t i = *(const uint32_t *)va, j = *(const uint32_t *)vb;
	const struct event *a = event_at(s->fs, i), *b = event_at(s->fs, j);
	int c = compare_lines(s, a, b);

	if (c == 0)
		c = (a->file > b->file) - (a->file < b->file);
	return c != 0 ? c : (a->offset > b->offset) - (a->offset < b->offset);
}

static void
sort_events(struct sales *s, uint32_t *events, size_t n)
{
	if (n > 16) {
		qsort_r(events, n, sizeof(*events), compare_events, s);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		uint32_t e = events[i];
		size_t j = i;

		for (; j > 0 && compare_events(&events[j - 1], &e, s) > 0; j--)
			events[j] = events[j - 1];
		events[j] = e;
	}
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the lines.");
}

/* The greater text of two ids; none is the least. */
static uint32_t
greater(const struct intern *in, uint32_t a, uint32_t b)
{
	return by_id(in, a, b) >= 0 ? a : b;
}

/* May it be whose money it is? Types of the operator go from the seller to the operator. */
static bool
names_payer(const struct sales *s, const struct event *e)
{
	return event_type_is_seller(e->type) && e->from != INTERN_NONE &&
	       (s->variant == SALES_QUERY || e->from != s->seller);
}

static void
sum_events(const struct sales *s, struct line *l, money_t amount[SALES__AMOUNTS])
{
	for (uint32_t i = l->first; i < l->first + l->n; i++) {
		const struct event *e = event_at(s->fs, s->events[i]);
		enum sales_amount a = sales_event_amount(s, e);

		if (a < SALES__AMOUNTS)
			amount[a] += e->amount;
		if (names_payer(s, e))
			l->payer = greater(s->fs->accounts, l->payer, e->from);
		l->address = greater(s->fs->addresses, l->address, e->address);
		if (e->invoice_date > l->invoice_date)
			l->invoice_date = e->invoice_date;
	}
}

/* Of the reference's payments [from, to), the payer's latest. */
static uint32_t
paid_address(const struct sales *s, uint32_t payer, uint32_t from, uint32_t to)
{
	const struct event *best = NULL;

	for (uint32_t i = from; i < to; i++) {
		const struct event *e = event_at(s->fs, s->events[i]);

		if (e->from == payer &&
		    (!best || e->invoice_date > best->invoice_date ||
			(e->invoice_date == best->invoice_date &&
			    by_id(s->fs->addresses, e->address, best->address) > 0)))
			best = e;
	}
	return best ? best->address : INTERN_NONE;
}

static bool
keep_line(struct sales_part *p, struct line *l, const money_t amount[SALES__AMOUNTS])
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap + p->cap / 2 : 1024;
		struct line *more = reallocarray(p->lines, cap, sizeof(*more));

		if (!more)
			return false;
		p->lines = more;
		p->cap = cap;
	}
	if (p->sums_cap - p->n_sums < SALES__AMOUNTS) {
		size_t cap = p->sums_cap + p->sums_cap / 2 + 4096;
		packed_money *more = reallocarray(p->sums, cap, sizeof(*more));

		if (!more)
			return false;
		p->sums = more;
		p->sums_cap = cap;
	}
	l->sum = p->n_sums;
	for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++) {
		if (amount[a] == 0)
			continue;
		l->sums |= (uint16_t)(1U << a);
		p->sums[p->n_sums++] = amount[a];
	}
	p->lines[p->n++] = *l;
	return true;
}

/* Events [from, to) are a line; the reference's payments are [to_all, end). */
static bool
fold(const struct sales *s, struct sales_part *p, uint32_t from, uint32_t to, uint32_t payments,
    uint32_t end)
{
	const struct event *e = event_at(s->fs, s->events[from]);
	money_t amount[SALES__AMOUNTS] = { 0 }, net;
	struct line l = { .first = from,
		.n = to - from,
		.payer = INTERN_NONE,
		.end_user = e->end_user,
		.product = e->product,
		.reference = e->reference,
		.address = INTERN_NONE,
		.currency = e->currency,
		.invoice_date = INSTANT_NONE };
	uint32_t paid;
	struct sales_total *t = sales_total_of(&p->totals, &p->n_totals, e->currency);

	if (!t)
		return false;
	sum_events(s, &l, amount);
	net = sales_net(s, amount);
	t->events += l.n;
	for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++)
		*(net == 0 ? &t->left_out[a] : &t->amount[a]) += amount[a];
	if (net == 0)
		return true;
	t->net += net;
	t->lines++;
	if ((paid = paid_address(s, l.payer, payments, end)) != INTERN_NONE)
		l.address = paid;
	return keep_line(p, &l, amount);
}

static bool
fold_reference(struct sales *s, struct sales_part *p, uint32_t row)
{
	uint32_t from = s->first[row], end = s->first[row + 1], payments = end, next;

	sort_events(s, s->events + from, end - from);
	while (payments > from && event_at(s->fs, s->events[payments - 1])->extra)
		payments--;
	for (uint32_t i = from; i < payments; i = next) {
		const struct event *e = event_at(s->fs, s->events[i]);

		for (next = i + 1; next < payments; next++)
			if (compare_lines(s, e, event_at(s->fs, s->events[next])) != 0)
				break;
		if (!fold(s, p, i, next, payments, end))
			return false;
	}
	return true;
}

/* In three steps, each of what the one before brought: where a reference's events are, their numbers, themselves. */
static void
fetch_ahead(const struct sales *s, size_t r, size_t to)
{
	if (r + 3 * AHEAD < to)
		__builtin_prefetch(&s->first[s->reference[r + 3 * AHEAD]]);
	if (r + 2 * AHEAD < to)
		__builtin_prefetch(&s->events[s->first[s->reference[r + 2 * AHEAD]]]);
	if (r + AHEAD < to) {
		uint32_t row = s->reference[r + AHEAD], i = s->first[row];

		for (; i < s->first[row + 1] && i < s->first[row] + 8; i++) {
			const char *e = (const char *)event_at(s->fs, s->events[i]);

			__builtin_prefetch(e);
			__builtin_prefetch(e + sizeof(struct event) - 1);
		}
	}
}

enum souk_err
sales_lines(struct sales *s, unsigned which, struct fail *f)
{
	struct sales_part *p = &s->part[which];
	size_t from = s->n_references * which / s->parts;
	size_t to = s->n_references * (which + 1) / s->parts;

	for (size_t r = from; r < to; r++) {
		fetch_ahead(s, r, to);
		if (!fold_reference(s, p, s->reference[r]))
			return out_of_memory(f);
	}
	return SOUK_OK;
}
