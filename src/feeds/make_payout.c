/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disbursements of made-up feeds: two a month for each currency and broker. What they carry
 * follows from the sales of the months before, so a payout is summed first and written then.
 * Some fail; their lines are paid again some days later.
 */
#include "feeds/make_int.h"

static const struct {
	int day, failure, again;
} calendar[2] = { { 10, 13, 17 }, { 22, 25, 28 } };

enum act { ACT_SUM, ACT_WRITE, ACT_WRITE_AGAIN };

static uint64_t
payout_key(const struct make_world *w, int month, unsigned slot, unsigned group, unsigned again)
{
	return make_key(w->seed, KIND_PAYOUT, (uint64_t)month * 2 + slot, group * 4 + again) | 1;
}

static unsigned
group_of(unsigned currency, bool europe)
{
	return currency * 2 + europe;
}

static bool
payout_fails(const struct make_world *w, int month, unsigned slot, unsigned group)
{
	uint64_t h = payout_key(w, month, slot, group, 3);

	return make_percent(h, 1, 8) || (month == 2 && slot == 0 && group == 0);
}

struct walk {
	struct make_world *w;
	struct make_payouts *p;
	int month;
	unsigned slot;
	enum act act;
	int64_t time;
};

/* The part of a line that is paid: all of it, or one of two parts. */
static void
pay_line(const struct walk *k, const struct make_sale *s, const struct make_bill *b,
    const struct make_line *l, unsigned line, bool rest)
{
	make_money *total = &k->p->total[k->slot][s->currency][s->place->europe];
	unsigned group = group_of(s->currency, s->place->europe);
	int64_t part = !s->parts ? l->amount : rest ? l->amount - l->amount / 2 : l->amount / 2;
	bool again = k->act == ACT_WRITE_AGAIN;

	if (!l->impacting || part == 0)
		return;
	if (k->act == ACT_SUM) {
		*total += part;
		return;
	}
	if (*total <= 0 || (again && !payout_fails(k->w, k->month, k->slot, group)))
		return;
	make_paid_row(k->w, s, b, l, line,
	    &(struct make_payment){ .payout = payout_key(k->w, k->month, k->slot, group, again),
		.time = k->time,
		.event = rest ? (again ? EVENT_PAID_REST_AGAIN : EVENT_PAID_REST)
			      : (again ? EVENT_PAID_AGAIN : EVENT_PAID),
		.amount = -part });
}

static void
pay_sale(const struct walk *k, const struct make_sale *s)
{
	struct make_bill bills[MAKE_BILLS];
	struct make_line lines[MAKE_LINES];
	unsigned n = make_bills(s, bills);

	for (unsigned i = 0; i < n; i++) {
		int due = s->month + bills[i].collect;
		bool rest = s->parts && due + 1 == k->month;
		unsigned n_lines;

		if (bills[i].collect < 0 || (due != k->month && !rest))
			continue;
		n_lines = make_lines(k->w, s, &bills[i], false, lines);
		for (unsigned line = 0; line < n_lines; line++)
			pay_line(k, s, &bills[i], &lines[line], line, rest);
	}
}

static void
walk(const struct walk *k)
{
	struct make_sale s;

	for (int lag = 1; lag <= MAKE_LAG_MAX && lag <= k->month; lag++)
		for (uint64_t i = make_sales_before(k->w, k->month - lag);
		     i < make_sales_before(k->w, k->month - lag + 1); i++) {
			make_sale(k->w, k->month - lag, i, &s);
			if (s.slot == k->slot && s.collect >= 0)
				pay_sale(k, &s);
		}
}

/* The DISBURSEMENT itself, or its failure. */
static void
payout_row(const struct walk *k, unsigned group, unsigned again, bool failure)
{
	struct make_world *w = k->w;
	struct buf *b = make_row(w->out, FEED_BILLING_EVENT);
	uint64_t key = payout_key(w, k->month, k->slot, group, again);
	make_money total = k->p->total[k->slot][group / 2][group % 2];
	int64_t now = k->time + 1800;

	make_id(b, failure ? key + 2 : key);
	make_literal(b, "AWS");
	make_id(b, w->seller);
	make_literal(b, ",,DISBURSED");
	make_literal(b, failure ? "DISBURSEMENT_FAILURE" : "DISBURSEMENT");
	make_id(b, failure ? key : 0);
	make_literal(b, "");
	make_amount(b, failure ? -total : total);
	make_literal(b, make_currencies[group / 2]);
	make_literal(b, "0"); /* its lines clear the balance */
	make_instant(b, k->time);
	make_literal(b, ",,,,,");
	if (failure)
		make_literal(b, "");
	else
		buf_printf(b, "TRACE%015llu,",
		    (unsigned long long)(make_mix(key) % UINT64_C(1000000000000000)));
	make_literal(b, group % 2 != 0                    ? "AWS_EUROPE"
			: w->start[k->month] < 1577836800 ? ""
							  : "AWS_INC");
	make_row_end(w->out, FEED_BILLING_EVENT, &(struct make_history){ k->time, now, now, 0 });
}

static void
payout_rows(const struct walk *k, bool failure)
{
	for (unsigned group = 0; group < MAKE_CURRENCIES * 2; group++) {
		bool fails = payout_fails(k->w, k->month, k->slot, group);

		if (k->p->total[k->slot][group / 2][group % 2] <= 0)
			continue;
		if (k->act == ACT_WRITE_AGAIN || failure ? fails : true)
			payout_row(k, group, k->act == ACT_WRITE_AGAIN, failure);
	}
}

static bool
any_fails(const struct walk *k)
{
	for (unsigned group = 0; group < MAKE_CURRENCIES * 2; group++)
		if (payout_fails(k->w, k->month, k->slot, group))
			return true;
	return false;
}

void
make_payouts_day(struct make_world *w, int month, int day, struct make_payouts *p)
{
	for (unsigned slot = 0; slot < 2; slot++) {
		struct walk k = { w, p, month, slot, ACT_SUM,
			w->start[month] + (day - 1) * INT64_C(86400) + 43200 };

		if (day == calendar[slot].day) {
			memset(p->total[slot], 0, sizeof(p->total[slot]));
			walk(&k);
			k.act = ACT_WRITE;
			walk(&k);
			payout_rows(&k, false);
		}
		if (day == calendar[slot].failure)
			payout_rows(&k, true);
		if (day == calendar[slot].again && any_fails(&k)) {
			k.act = ACT_WRITE_AGAIN;
			walk(&k);
			payout_rows(&k, false);
		}
	}
}
