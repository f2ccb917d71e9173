/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of made-up sales: billing events and the tax items that belong to them. */
#include "feeds/make_int.h"

/* Everything that differs between the rows of one line. */
struct row {
	const struct make_sale *s;
	const struct make_bill *b;
	const struct make_line *l;
	unsigned line;
	enum make_event event;
	const char *action;
	make_money amount;
	int64_t time; /* of the invoice or the payment */
	uint64_t parent, payout;
	struct make_history h;
};

/* Up-front for a year, a calendar month, part of a month, or nothing said. */
static void
usage_period(const struct make_world *w, struct buf *b, const struct make_sale *s,
    const struct make_bill *bill)
{
	int month = s->month + bill->lag;
	int64_t day = w->start[s->month] + (s->day - 1) * INT64_C(86400);
	int64_t before = month > 0 ? w->start[month - 1] : w->start[0] - 31 * INT64_C(86400);

	if (bill->kind == BILL_ADJUSTMENT || s->product % 4 == 3) {
		make_literal(b, ",");
	} else if (s->product % 4 == 0) {
		make_instant(b, day);
		make_instant(b, day + 365 * INT64_C(86400) - 1);
	} else if (s->product % 4 == 1) {
		make_instant(b, before);
		make_instant(b, w->start[month] - 1);
	} else {
		make_instant(b, before + (int64_t)make_draw(s->h, 40, 15) * 86400);
		make_instant(b, w->start[month] - 1 - (int64_t)make_draw(s->h, 41, 12) * 86400);
	}
}

static int64_t
invoice_number(const struct make_sale *s, const struct make_bill *b)
{
	return INT64_C(2000000000) + (int64_t)(s->index * MAKE_BILLS + b->no);
}

static void
account_field(struct buf *b, uint64_t key)
{
	if (key == 0)
		make_literal(b, "AWS");
	else
		make_id(b, key);
}

/* Invoices are for the address of their day, payments come from that of theirs. */
static uint64_t
billing_address(const struct make_world *w, const struct row *r)
{
	int month = r->s->month + r->b->lag;

	if (r->s->role == ROLE_MADE || r->b->kind == BILL_ADJUSTMENT)
		return 0;
	while (r->payout != 0 && r->time >= w->start[month + 1])
		month++;
	return make_address(w, r->s->org, month);
}

static void
event_row(struct make_world *w, const struct row *r)
{
	struct buf *b = make_row(w->out, FEED_BILLING_EVENT);
	const struct make_sale *s = r->s;
	bool invoiced = r->event == EVENT_INVOICED;

	make_id(b, make_event_key(w, s, r->b, r->line, r->event));
	account_field(b, r->l->from);
	account_field(b, r->l->to);
	make_id(b, r->l->user);
	if (r->l->no_product)
		make_literal(b, "");
	else
		make_product_id(b, w, s->product);
	make_literal(b, r->action);
	make_literal(b, r->l->type);
	make_id(b, r->parent);
	make_id(b, r->payout);
	make_amount(b, r->amount);
	make_literal(b, make_currencies[s->currency]);
	make_literal(b, r->l->impacting ? "1" : "0");
	make_instant(b, r->time);
	make_instant(b, invoiced && s->h % 2 == 0 ? r->time + 30 * INT64_C(86400) : 0);
	usage_period(w, b, s, r->b);
	if (r->event == EVENT_FORGIVEN)
		make_literal(b, "");
	else
		make_number(b, invoice_number(s, r->b));
	make_id(b, billing_address(w, r));
	make_id(b, make_key(w->seed, KIND_REFERENCE, s->index, 0) | 1);
	make_literal(b, "");
	make_literal(b, s->place->europe                  ? "AWS_EUROPE"
			: w->start[s->month] < 1577836800 ? ""
							  : "AWS_INC");
	make_row_end(w->out, FEED_BILLING_EVENT, &r->h);
}

struct tax_part {
	const char *level, *where;
	int64_t amount;
	int rate; /* per 100,000 */
};

static void
tax_row(struct make_world *w, const struct row *r, unsigned n, int64_t price,
    const struct tax_part *part)
{
	struct buf *b = make_row(w->out, FEED_TAX_ITEM);
	const struct make_sale *s = r->s;
	uint64_t event = make_event_key(w, s, r->b, r->line, r->event);
	bool none = s->place->tax == 0;

	make_id(b, make_key(w->seed, KIND_TAX, event, n) | 1);
	make_number(b, invoice_number(s, r->b));
	make_uuid(b, make_key(w->seed, KIND_LINE, s->index, r->l->no));
	make_uuid(b, make_key(w->seed, KIND_LINE, s->index, 100 + r->b->no));
	make_literal(b, none ? "" : s->place->remitted ? "AWS" : "Seller");
	make_literal(b, r->b->kind == BILL_PLAIN    ? "AWS"
			: r->b->kind == BILL_REFUND ? "REFUND"
						    : "TAXONLYREFUND");
	make_product_id(b, w, s->product);
	make_literal(b, none ? "" : "AWSMP_SOFTWARE_RA");
	make_instant(b, r->time);
	make_id(b, make_account(w, s->org, 0));
	make_literal(b, s->place->country);
	make_text(b, str_c(s->place->state));
	make_text(b, str_c(s->place->city));
	make_text(b, str_c(s->place->postal));
	make_number(b, 100000 + (int64_t)(s->place - make_places) * 10 + n);
	make_literal(b, none ? "None" : "Sales");
	make_literal(b, part->level);
	make_text(b, str_c(part->where));
	make_literal(b, "Exclusive");
	make_amount(b, none ? 0 : price);
	make_amount(b, none ? price : 0);
	make_amount(b, (make_money)part->rate * (MAKE_ONE / 100000));
	make_amount(b, part->amount);
	make_literal(b, make_currencies[s->currency]);
	make_literal(b, none ? "NonTaxable" : "Taxable");
	make_instant(b, r->time);
	make_literal(b, ",,,,");
	make_id(b, make_key(w->seed, KIND_REFERENCE, s->index, 0) | 1);
	make_row_end(w->out, FEED_TAX_ITEM, &r->h);
}

/* The jurisdictions' parts of a tax line; together they are the line. */
static void
tax_rows(struct make_world *w, const struct row *r)
{
	const struct make_place *p = r->s->place;
	int64_t amount = r->l->amount, price = r->l->base;
	struct tax_part part[3] = { { "State", p->state, amount / 100 * 60, p->tax * 60 },
		{ "County", "County of the city", amount / 100 * 25, p->tax * 25 },
		{ "City", p->city, 0, p->tax * 15 } };

	if (strcmp(p->country, "US") != 0) {
		part[0] = (struct tax_part){ "State", p->country, amount, p->tax * 100 };
		tax_row(w, r, 0, price, &part[0]);
		return;
	}
	part[2].amount = amount - part[0].amount - part[1].amount;
	for (unsigned i = 0; i < 3; i++)
		tax_row(w, r, i, price, &part[i]);
}

/* Untaxed sales in the US have a tax item that says so. */
static void
no_tax_row(struct make_world *w, const struct row *r)
{
	const struct make_place *p = r->s->place;

	if (p->tax == 0 && strcmp(p->country, "US") == 0 && r->l->from_payer && !r->l->tax &&
	    r->s->role != ROLE_MADE && r->b->kind == BILL_PLAIN)
		tax_row(w, r, 0, r->l->amount, &(struct tax_part){ "State", p->state, 0, 0 });
}

enum version { FIRST_WRONG, FIRST_RIGHT, CORRECTED, TAKEN_BACK };

/* Where a correction moves the invoice: into the next month or the one before. */
static int64_t
moved_time(const struct make_world *w, const struct make_sale *s)
{
	return s->h % 2 == 0 ? w->start[s->month + 1] + 3600 : w->start[s->month] - 7200;
}

static void
invoice_rows(struct make_world *w, const struct make_sale *s, const struct make_bill *b,
    enum version v, int64_t first, int64_t now)
{
	struct make_line lines[MAKE_LINES];
	unsigned n = make_lines(w, s, b, v == FIRST_WRONG, lines);
	int64_t time = make_bill_time(w, s, b);

	for (unsigned i = 0; i < n; i++) {
		struct row r = { .s = s,
			.b = b,
			.l = &lines[i],
			.line = i,
			.event = EVENT_INVOICED,
			.action = "INVOICED",
			.amount = lines[i].amount,
			.time = v == CORRECTED && s->moved ? moved_time(w, s) : time,
			.h = { time, first, now, v == TAKEN_BACK ? now : 0 } };

		event_row(w, &r);
		if (lines[i].tax)
			tax_rows(w, &r);
		else
			no_tax_row(w, &r);
	}
}

static void
forgiven_rows(
    struct make_world *w, const struct make_sale *s, const struct make_bill *b, int64_t now)
{
	struct make_line lines[MAKE_LINES];
	unsigned n = make_lines(w, s, b, false, lines);

	for (unsigned i = 0; i < n; i++)
		event_row(w, &(struct row){ .s = s,
				 .b = b,
				 .l = &lines[i],
				 .line = i,
				 .event = EVENT_FORGIVEN,
				 .action = "FORGIVEN",
				 .amount = -lines[i].amount,
				 .time = now - 40000,
				 .parent = make_event_key(w, s, b, i, EVENT_INVOICED),
				 .h = { now - 40000, now, now, 0 } });
}

/* When the rows of a day come: late in the evening. */
static int64_t
arrival(const struct make_world *w, const struct make_sale *s, int month)
{
	int day = s->day < w->days[month] ? s->day : w->days[month];

	return w->start[month] + (day - 1) * INT64_C(86400) + 82000 + make_draw(s->h, 30, 3000);
}

static void
sale_in_month(struct make_world *w, const struct make_sale *s, int month)
{
	struct make_bill bills[MAKE_BILLS];
	unsigned n = make_bills(s, bills);
	int lag = month - s->month, first_lag = s->late ? 1 : 0;
	int64_t now = arrival(w, s, month), first = arrival(w, s, s->month + first_lag);

	for (unsigned i = 1; i < n; i++)
		if (bills[i].lag == lag)
			invoice_rows(w, s, &bills[i], FIRST_RIGHT, now, now);
	if (lag == first_lag)
		invoice_rows(w, s, &bills[0], s->change == CHANGE_NONE ? FIRST_RIGHT : FIRST_WRONG,
		    first, first);
	if (lag == first_lag && s->change == CHANGE_SAME_DAY)
		invoice_rows(w, s, &bills[0], CORRECTED, first, first + 600);
	if (lag == 1 && s->change == CHANGE_NEXT_MONTH)
		invoice_rows(w, s, &bills[0], CORRECTED, first, now);
	if (lag == 1 && s->taken_back)
		invoice_rows(w, s, &bills[0], TAKEN_BACK, first, now);
	if (lag == 2 && s->forgiven)
		forgiven_rows(w, s, &bills[0], now);
}

void
make_events_day(struct make_world *w, int month, int day, struct make_cursor *c)
{
	struct make_sale s;

	for (int lag = 0; lag <= MAKE_LAG_MAX && lag <= month; lag++) {
		uint64_t end = make_sales_before(w, month - lag + 1);

		if (day == 1)
			c->at[lag] = make_sales_before(w, month - lag);
		for (; c->at[lag] < end; c->at[lag]++) {
			make_sale(w, month - lag, c->at[lag], &s);
			if (s.day > day && day < w->days[month])
				break;
			sale_in_month(w, &s, month);
		}
	}
}

void
make_paid_row(struct make_world *w, const struct make_sale *s, const struct make_bill *b,
    const struct make_line *l, unsigned line, const struct make_payment *p)
{
	int64_t now = p->time + 1800;

	event_row(w, &(struct row){ .s = s,
			 .b = b,
			 .l = l,
			 .line = line,
			 .event = p->event,
			 .action = "DISBURSED",
			 .amount = p->amount,
			 .time = p->time,
			 .parent = make_event_key(w, s, b, line, EVENT_INVOICED),
			 .payout = p->payout,
			 .h = { p->time, now, now, 0 } });
}
