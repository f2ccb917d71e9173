/* SPDX-License-Identifier: Apache-2.0 */
/* Sales compensation: the lines of feeds/sales.h as the data set's columns. */
#include "feeds/report_int.h"
#include "feeds/sales.h"

/* Columns of the page and of the query that are not among the common ones. */
struct printer {
	const struct fold *f;
	const struct sales *sales;
	struct report_summary *sum;
	size_t gross, fee, refund, fee_refund, net, period;
};

static struct printer
printer_of(const struct fold *f, const struct sales *sales, struct report_summary *sum)
{
	return (struct printer){ .f = f,
		.sales = sales,
		.sum = sum,
		.gross = column_at(f, "Gross Revenue"),
		.fee = column_at(f, "AWS Revenue Share"),
		.refund = column_at(f, "Gross Refunds"),
		.fee_refund = column_at(f, "AWS Refunds Share"),
		.net = column_at(f, "Net Revenue"),
		.period = column_at(f, "AR Period") };
}

static money_t
adds(const struct report_events *x, size_t i, uint64_t *ret_columns)
{
	const struct printer *p = x->own;
	const struct event *e = event_at(x->feeds, x->list[i]);
	const size_t own[SALES__AMOUNTS] = {
		[SALES_GROSS] = p->gross,
		[SALES_REFUND] = p->refund,
		[SALES_FEE] = p->fee,
		[SALES_FEE_REFUND] = p->fee_refund,
	};
	enum sales_amount a = sales_event_amount(p->sales, e);
	bool tax = e->type >= TYPE_SELLER_TAX_SHARE && e->type <= TYPE_SELLER_TAX_SHARE_REFUND;
	bool query = p->f->request->variant == REPORT_AS_QUERY;

	*ret_columns = a < SALES__AMOUNTS && own[a] != 0 ? UINT64_C(1) << own[a] : 0;
	if (e->type <= TYPE_AWS_REV_SHARE_CREDIT || (query && tax))
		*ret_columns |= UINT64_C(1) << p->net;
	return e->amount;
}

static void
fill(const struct printer *p, const struct sales_line *l, struct made_line *m)
{
	const struct common_columns *c = &p->f->common;
	struct report_cell *cells = m->cells;

	cell_text(&cells[c->account], l->payer_account);
	cell_text(&cells[c->country], l->country);
	cell_text(&cells[c->state], l->state);
	cell_text(&cells[c->city], l->city);
	cell_text(&cells[c->postal_code], l->postal_code);
	cell_text(&cells[c->email], l->email_domain);
	cell_text(&cells[c->code], l->product_code);
	cell_text(&cells[c->title], l->product_title);
	cell_text(&cells[c->reference], l->reference);
	cell_text(&cells[c->payer], l->payer_id);
	cell_text(&cells[c->address], l->address_id);
	cell_text(&cells[c->user_account], l->end_user_account);
	currency_text(l->currency, m->text);
	cell_text(&cells[c->currency], (struct str){ m->text, 3 });
	month_format(l->month, m->text + 4);
	cell_text(&cells[p->period], (struct str){ m->text + 4, MONTH_TEXT_LEN });
	cell_money(&cells[p->gross], l->amount[SALES_GROSS]);
	cell_money(&cells[p->fee], l->amount[SALES_FEE]);
	cell_money(&cells[p->refund], l->amount[SALES_REFUND]);
	cell_money(&cells[p->fee_refund], l->amount[SALES_FEE_REFUND]);
	cell_money(&cells[p->net], l->net);
	m->line.cells = cells;
	m->line.currency = l->currency;
	m->line.month = l->month;
	m->line.product = l->product_title.n > 0 ? l->product_title : l->product_id;
	m->line.country = l->country;
	m->line.amount = l->net;
}

static void
make_line(const void *ctx, size_t i, struct made_line *ret)
{
	const struct printer *p = ctx;
	currency_t only = p->f->request->currency;
	struct sales_line l;

	sales_at(p->sales, i, &l);
	if (only != CURRENCY_NONE && l.currency != only) {
		ret->print = FOLD_NOTHING;
		return;
	}
	ret->events.feeds = sales_feeds(p->sales);
	ret->events.list = sales_events(p->sales, i, &ret->events.n);
	ret->events.adds = adds;
	ret->events.own = p;
	ret->line.events = &ret->events;
	fill(p, &l, ret);
}

static enum souk_err
take_line(void *ctx, size_t i, const struct made_line *m, struct fail *fail)
{
	const struct printer *p = ctx;

	(void)i;
	(void)fail;
	if (m->print == FOLD_PRINT) {
		p->sum->lines++;
		p->sum->events += m->events.n;
	}
	return SOUK_OK;
}

enum souk_err
sales_run(struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail)
{
	const struct report_request *q = f->request;
	const struct sales_request r = { .source = q->source,
		.variant = q->variant == REPORT_AS_QUERY ? SALES_QUERY : SALES_REPORT,
		.known_at = q->known_at,
		.month_from = q->all_months ? MONTHS_FROM : month_of(q->from),
		.month_to = q->all_months ? MONTHS_TO : month_of(q->to),
		.seller = q->seller,
		.faults = q->faults,
		.threads = q->threads };
	struct sales *sales = NULL;
	struct printer p;
	enum souk_err e = sales_fold(&r, &sales, fail);

	if (e != SOUK_OK)
		return e;
	p = printer_of(f, sales, sum);
	e = lines_run(&(struct lines){ .n = sales_count(sales),
			  .threads = q->threads,
			  .make = make_line,
			  .take = take_line,
			  .ctx = &p },
	    s, fail);
	sales_free(sales);
	return e;
}
