/* SPDX-License-Identifier: Apache-2.0 */
/* Sales compensation: the lines of feeds/sales.h as the data set's columns. */
#include "feeds/report_int.h"
#include "feeds/sales.h"

/* Columns of the page and of the query that are not among the common ones. */
struct printer {
	const struct fold *f;
	const struct sales *sales;
	size_t gross, fee, refund, fee_refund, net, period;
};

static struct printer
printer_of(const struct fold *f, const struct sales *sales)
{
	return (struct printer){ .f = f,
		.sales = sales,
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
	const size_t own[TYPE__COUNT] = {
		[TYPE_SELLER_REV_SHARE] = p->gross,
		[TYPE_SELLER_REV_SHARE_REFUND] = p->refund,
		[TYPE_AWS_REV_SHARE] = p->fee,
		[TYPE_AWS_REV_SHARE_REFUND] = p->fee_refund,
	};
	bool tax = e->type >= TYPE_SELLER_TAX_SHARE && e->type <= TYPE_SELLER_TAX_SHARE_REFUND;
	bool query = p->f->request->variant == REPORT_AS_QUERY;

	*ret_columns = own[e->type] != 0 ? UINT64_C(1) << own[e->type] : 0;
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

static enum souk_err
print(const struct printer *p, struct report_sink *s, struct report_summary *sum, struct fail *fail)
{
	currency_t only = p->f->request->currency;
	enum souk_err e = SOUK_OK;
	struct made_line m;

	for (size_t i = 0; e == SOUK_OK && i < sales_count(p->sales); i++) {
		struct sales_line l;

		sales_at(p->sales, i, &l);
		if (only != CURRENCY_NONE && l.currency != only)
			continue;
		memset(&m, 0, sizeof(m));
		m.events.feeds = sales_feeds(p->sales);
		m.events.list = sales_events(p->sales, i, &m.events.n);
		m.events.adds = adds;
		m.events.own = p;
		m.line.events = &m.events;
		fill(p, &l, &m);
		sum->lines++;
		sum->events += m.events.n;
		e = s->line(s, &m.line, fail);
	}
	return e;
}

/* Lines of several sellers cannot be told apart: fees tell whose they are. */
static enum souk_err
check_seller(struct fold *f, const struct sales *sales, struct fail *fail)
{
	enum souk_err e;

	if (f->request->seller.n == 0)
		return SOUK_OK;
	f->feeds = sales_feeds(sales);
	if ((e = fold_know(f, fail)) != SOUK_OK)
		return e;
	for (size_t i = 0; i < sales_count(sales); i++) {
		size_t n = 0;
		const uint32_t *list = sales_events(sales, i, &n);

		for (size_t k = 0; k < n; k++) {
			const struct event *x = event_at(f->feeds, list[k]);

			if (x->type == TYPE_AWS_REV_SHARE && x->from != f->seller)
				return fail_field(fail, "--seller",
				    "is not the only seller of these feeds, whose sales "
				    "compensation cannot be taken apart",
				    "give a folder with this seller's feeds alone");
		}
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
		.faults = q->faults,
		.threads = q->threads };
	struct sales *sales = NULL;
	struct printer p;
	enum souk_err e = sales_fold(&r, &sales, fail);

	if (e != SOUK_OK)
		return e;
	e = check_seller(f, sales, fail);
	p = printer_of(f, sales);
	if (e == SOUK_OK)
		e = print(&p, s, sum, fail);
	f->feeds = NULL; /* they go with the lines */
	sales_free(sales);
	return e;
}
