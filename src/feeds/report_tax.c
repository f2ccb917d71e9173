/* SPDX-License-Identifier: Apache-2.0 */
/* US sales and use tax records: the tax items of customers in the United States, one line each (edsp 4). */
#include "feeds/report_int.h"
#include "feeds/report_tax_items.h"

#include <stdlib.h>

struct tax {
	const struct fold *f;
	struct tax_items items;
	uint32_t *payer_of;    /* by interned reference */
	size_t to[TAX__COUNT]; /* the column that a cell is printed in */
	size_t name, code, seller_id, seller_name, price, total, payer, date, date_used;
};

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static bool
find_payers(struct tax *t)
{
	const struct feeds *fs = t->f->feeds;
	size_t bound = (size_t)intern_bound(fs->references) + 1;

	if ((t->payer_of = malloc(bound * sizeof(*t->payer_of))) == NULL)
		return false;
	memset(t->payer_of, 0xff, bound * sizeof(*t->payer_of)); /* INTERN_NONE */
	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1)) {
		const struct event *e = event_at(fs, i);
		uint32_t *payer;

		if (!e->current || e->reference == INTERN_NONE || e->from == INTERN_NONE ||
		    e->from == t->f->seller || !event_type_is_seller((enum event_type)e->type))
			continue;
		payer = &t->payer_of[e->reference];
		if (*payer == INTERN_NONE || order_of(fs->accounts, e->from, *payer) > 0)
			*payer = e->from;
	}
	events_release(t->f->loaded);
	return true;
}

static void
fill_line(const struct tax *t, const struct tax_record *r, struct made_line *m)
{
	const struct fold *f = t->f;
	struct str product = tax_cell(r, TAX_PRODUCT_ID);
	const struct version *v = product.n > 0 ? history_latest(f->feeds->product,
						      history_key(f->feeds->product, &product))
						: NULL;
	uint32_t reference =
	    intern_find(f->feeds->references, tax_cell(r, TAX_TRANSACTION_REFERENCE_ID));

	for (unsigned c = 0; c < TAX__COUNT; c++)
		if (t->to[c] < f->n_columns && f->columns[t->to[c]].type == CELL_TEXT)
			cell_text(&m->cells[t->to[c]], tax_cell(r, c));
	cell_text(&m->cells[t->name],
	    v != NULL ? history_cell(f->feeds->product, v, PRD_TITLE) : STR(""));
	cell_text(&m->cells[t->code],
	    v != NULL ? history_cell(f->feeds->product, v, PRD_PRODUCT_CODE) : STR(""));
	cell_text(
	    &m->cells[t->seller_id], account_text(f, f->seller, INSTANT_NONE, ACC_ACCOUNT_ID));
	cell_text(&m->cells[t->seller_name],
	    account_text(f, f->seller, INSTANT_NONE, ACC_TAX_LEGAL_NAME));
	cell_text(&m->cells[t->payer],
	    reference != INTERN_NONE
		? account_text(f, t->payer_of[reference], INSTANT_NONE, ACC_ACCOUNT_ID)
		: STR(""));
	cell_money(&m->cells[t->price], r->taxable + r->nontaxable);
	cell_money(&m->cells[t->total], r->total_tax);
	cell_money(&m->cells[t->to[TAX_TAXABLE_AMOUNT]], r->taxable);
	cell_money(&m->cells[t->to[TAX_NONTAXABLE_AMOUNT]], r->nontaxable);
	cell_money(&m->cells[t->to[TAX_TAX_AMOUNT]], r->tax);
	cell_money(&m->cells[t->to[TAX_TAX_JURISDICTION_RATE]], r->rate);
	cell_date(&m->cells[t->date], r->date);
	cell_date(&m->cells[t->date_used], r->date_used);
	m->line = (struct report_line){ .cells = m->cells,
		.currency = r->currency,
		.month = month_of(r->date),
		.product = m->cells[t->name].filled ? m->cells[t->name].text : product,
		.country = tax_cell(r, TAX_TAXED_CUSTOMER_COUNTRY),
		.amount = r->tax };
}

/* Which cell of a row goes to which column; the spare one for those that no column shows. */
static void
columns(struct tax *t)
{
	static const struct {
		unsigned cell;
		const char *column;
	} map[] = {
		{ TAX_LINE_ITEM_ID, "Line Item ID" },
		{ TAX_CUSTOMER_BILL_ID, "Customer Bill ID" },
		{ TAX_PRODUCT_TAX_CODE, "Product Tax Code" },
		{ TAX_TAX_CURRENCY, "Base Currency Code" },
		{ TAX_TAXED_CUSTOMER_CITY, "Bill to City" },
		{ TAX_TAXED_CUSTOMER_STATE_OR_REGION, "Bill to State" },
		{ TAX_TAXED_CUSTOMER_POSTAL_CODE, "Bill to Postal Code" },
		{ TAX_TAXED_CUSTOMER_COUNTRY, "Bill to Country" },
		{ TAX_TRANSACTION_TYPE_CODE, "Transaction Type Code" },
		{ TAX_DISPLAY_PRICE_TAXABILITY_TYPE, "Display Price Taxability Type" },
		{ TAX_TAX_LOCATION_CODE_TAXED_JURISDICTION,
		    "Tax Location Code Taxed Jurisdiction" },
		{ TAX_TAX_TYPE_CODE, "Tax Type Code" },
		{ TAX_JURISDICTION_LEVEL, "Jurisdiction Level" },
		{ TAX_TAXED_JURISDICTION, "Taxed Jurisdiction" },
		{ TAX_TAXABLE_AMOUNT, "Taxable Sale Amount" },
		{ TAX_NONTAXABLE_AMOUNT, "Nontaxable Sale Amount" },
		{ TAX_TAX_AMOUNT, "Tax Amount" },
		{ TAX_TAX_JURISDICTION_RATE, "Tax Jurisdiction Tax Rate" },
		{ TAX_TAX_CALCULATION_REASON_CODE, "Tax Calculation Reason Code" },
		{ TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID, "Customer Exemption Certificate ID" },
		{ TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID_DOMAIN,
		    "Customer Exemption Certificate ID Domain" },
		{ TAX_CUSTOMER_EXEMPTION_CERTIFICATE_LEVEL,
		    "Customer Exemption Certificate Level" },
		{ TAX_CUSTOMER_EXEMPTION_CODE, "Customer Exemption Code" },
		{ TAX_CUSTOMER_EXEMPTION_DOMAIN, "Customer Exemption Domain" },
		{ TAX_TAXED_CUSTOMER_ACCOUNT_ID, "Customer Reference ID" },
		{ TAX_TRANSACTION_REFERENCE_ID, "Transaction Reference ID" },
		{ TAX_TAX_LIABLE_PARTY, "Tax Liable Party" },
	};
	const struct fold *f = t->f;

	for (unsigned c = 0; c < TAX__COUNT; c++)
		t->to[c] = f->n_columns;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		t->to[map[i].cell] = column_at(f, map[i].column);
	t->name = column_at(f, "Product Name");
	t->code = column_at(f, "Product Code");
	t->seller_id = column_at(f, "Seller ID");
	t->seller_name = column_at(f, "Seller Name");
	t->price = column_at(f, "Total Adjusted Price");
	t->total = column_at(f, "Total Tax");
	t->payer = column_at(f, "Payer Reference ID");
	t->date = column_at(f, "Transaction Date");
	t->date_used = column_at(f, "Date Used For Tax Calculation");
}

static void
make_line(const void *ctx, size_t i, struct made_line *ret)
{
	const struct tax *t = ctx;

	/* Neighbours in print stand anywhere in memory. */
	if (i + 16 < t->items.n) {
		__builtin_prefetch(t->items.list[i + 16]);
		__builtin_prefetch(t->items.list[i + 8]->shared);
		__builtin_prefetch(t->items.list[i + 8]->own);
	}
	fill_line(t, t->items.list[i], ret);
	ret->print = FOLD_PRINT;
}

static enum souk_err
take_line(void *ctx, size_t i, const struct made_line *m, struct fail *fail)
{
	(void)ctx;
	(void)i;
	(void)m;
	(void)fail;
	return SOUK_OK;
}

enum souk_err
tax_run(struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail)
{
	/* For the payers of transactions. */
	static const struct fold_needs needs = {
		.actions = 1U << ACTION_INVOICED,
		.types =
		    (1U << TYPE_AWS_TAX_SHARE) - 1, /* the seller's, and fees tell who that is */
		.skip = SKIP_MORE | SKIP_ADDRESS | SKIP_PRODUCT | SKIP_USER,
	};
	struct tax *t = calloc(1, sizeof(*t));
	enum souk_err e;

	if (t == NULL)
		return no_memory(fail);
	t->f = f;
	columns(t);
	if ((e = fold_load(f, &needs, fail)) == SOUK_OK &&
	    (e = find_payers(t) ? SOUK_OK : no_memory(fail)) == SOUK_OK &&
	    (e = tax_items_read(f->request, &t->items, fail)) == SOUK_OK)
		e = lines_run(&(struct lines){ .n = t->items.n,
				  .threads = f->request->threads,
				  .make = make_line,
				  .take = take_line,
				  .ctx = t },
		    s, fail);
	sum->lines += t->items.n;
	sum->events += t->items.n;
	tax_items_free(&t->items);
	free(t->payer_of);
	free(t);
	return e;
}
