/* SPDX-License-Identifier: Apache-2.0 */
/*
 * US sales and use tax records: the tax items of customers in the United States, one line each (edsp 4).
 *
 * Items are collapsed as every feed is (data-feeds 2). The rows of the period stay in memory; of all others
 * only what tells whether they supersede one of those.
 */
#include "feeds/report_int.h"
#include "feeds/row_at.h"

#include <stdlib.h>

/* One row of the feed; rows of one item are chained. */
struct item {
	instant_t valid_from, update_date;
	uint64_t offset;
	uint32_t file;
	uint32_t next; /* the item's row before; UINT32_MAX */
	uint32_t kept; /* its record; UINT32_MAX: of another period or country */
	bool deleted;
};

/* A row of the period: its cells one behind the other in the texts. */
struct record {
	size_t at;
	uint32_t n[TAX__COUNT];
	instant_t date;
	money_t taxable, nontaxable, rate, tax, total_tax;
	currency_t currency;
};

struct tax {
	const struct fold *f;
	struct hash_table last; /* item id -> its newest item in the list */
	struct item *items;
	size_t n_items, items_cap;
	struct record *records;
	size_t n_records, records_cap;
	struct buf texts;
	uint32_t *printed; /* records, in order */
	size_t n_printed;
	uint32_t *payer_of; /* by interned reference */
	struct row_reader *rows;
	size_t to[TAX__COUNT]; /* the column that a cell is printed in */
	size_t name, code, seller_id, seller_name, price, total, payer, date, date_used;
	money_t sum[CURRENCY_COUNT];
};

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static bool
grow(void **p, size_t *cap, size_t n, size_t size)
{
	void *more;

	if (n < *cap)
		return true;
	if ((more = reallocarray(*p, *cap != 0 ? 2 * *cap : 1024, size)) == NULL)
		return false;
	*p = more;
	*cap = *cap != 0 ? 2 * *cap : 1024;
	return true;
}

static struct str
cell_of(const struct tax *t, const struct record *r, unsigned column)
{
	size_t at = r->at;

	for (unsigned c = 0; c < column; c++)
		at += r->n[c];
	return (struct str){ t->texts.p + at, r->n[column] };
}

/* The reader has checked the values. */
static instant_t
instant_of(struct str s)
{
	instant_t t = INSTANT_NONE;

	if (s.n > 0)
		(void)value_instant(s, &t);
	return t;
}

static money_t
money_of(struct str s)
{
	money_t m = 0;

	if (s.n > 0)
		(void)value_money(s, &m);
	return m;
}

static bool
keep_record(struct tax *t, const struct feed_row *row, instant_t date)
{
	struct record *r;

	if (!grow((void **)&t->records, &t->records_cap, t->n_records, sizeof(*t->records)))
		return false;
	r = &t->records[t->n_records++];
	memset(r, 0, sizeof(*r));
	r->at = t->texts.n;
	r->date = date;
	r->taxable = money_of(row->cell[TAX_TAXABLE_AMOUNT]);
	r->nontaxable = money_of(row->cell[TAX_NONTAXABLE_AMOUNT]);
	r->rate = money_of(row->cell[TAX_TAX_JURISDICTION_RATE]);
	r->tax = money_of(row->cell[TAX_TAX_AMOUNT]);
	r->currency = CURRENCY_NONE;
	if (row->cell[TAX_TAX_CURRENCY].n > 0)
		r->currency = currency_of(row->cell[TAX_TAX_CURRENCY]);
	for (unsigned c = 0; c < TAX__COUNT; c++) {
		r->n[c] = (uint32_t)row->cell[c].n;
		buf_add_str(&t->texts, row->cell[c]);
	}
	return buf_ok(&t->texts);
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *fail)
{
	struct tax *t = arg;
	const struct report_request *q = t->f->request;
	instant_t date = instant_of(row->cell[TAX_INVOICE_DATE]);
	struct hash_slot *slot;
	struct item *i;

	if (q->known_at != INSTANT_NONE && instant_of(row->cell[TAX_UPDATE_DATE]) > q->known_at)
		return SOUK_OK;
	if (!hash_table_grow(&t->last) ||
	    !grow((void **)&t->items, &t->items_cap, t->n_items, sizeof(*t->items)))
		return no_memory(fail);
	slot = hash_table_at(&t->last, text_hash(row->cell[TAX_TAX_ITEM_ID]));
	if (slot->value == INTERN_NONE) {
		struct text_hash h = text_hash(row->cell[TAX_TAX_ITEM_ID]);

		slot->a = h.a;
		slot->b = h.b;
		t->last.n++;
	}
	i = &t->items[t->n_items];
	*i = (struct item){ .valid_from = instant_of(row->cell[TAX_VALID_FROM]),
		.update_date = instant_of(row->cell[TAX_UPDATE_DATE]),
		.offset = row->offset,
		.file = (uint32_t)row->file,
		.next = slot->value,
		.kept = UINT32_MAX,
		.deleted = row->cell[TAX_DELETE_DATE].n > 0 };
	if (in_period(t->f, date) && str_eq_c(row->cell[TAX_TAXED_CUSTOMER_COUNTRY], "US")) {
		i->kept = (uint32_t)t->n_records;
		if (!keep_record(t, row, date))
			return no_memory(fail);
	}
	slot->value = (uint32_t)t->n_items++;
	return SOUK_OK;
}

/* Is `a` recorded later than `b`, both of one valid time? */
static enum souk_err
later(struct tax *t, const struct item *a, const struct item *b, bool *ret, struct fail *fail)
{
	int order = 0;
	enum souk_err e = SOUK_OK;

	*ret = a->update_date > b->update_date;
	if (a->update_date != b->update_date)
		return e;
	if (t->rows == NULL)
		e = row_reader_new(t->f->request->source, &t->rows, fail);
	if (e == SOUK_OK)
		e = row_compare(t->rows, a->file, a->offset, b->file, b->offset, &order, fail);
	*ret = order > 0;
	return e;
}

/* The current row of an item, of its chain; NULL: it was deleted. Superseded rows are marked deleted on the way. */
static enum souk_err
current_row(struct tax *t, uint32_t first, const struct item **ret, struct fail *fail)
{
	const struct item *best = NULL;
	enum souk_err e = SOUK_OK;

	for (uint32_t a = first; e == SOUK_OK && a != UINT32_MAX; a = t->items[a].next) {
		const struct item *x = &t->items[a];
		bool beaten = false;

		for (uint32_t b = first; e == SOUK_OK && !beaten && b != UINT32_MAX;
		     b = t->items[b].next)
			if (b != a && t->items[b].valid_from == x->valid_from)
				e = later(t, &t->items[b], x, &beaten, fail);
		if (e == SOUK_OK && !beaten && !x->deleted &&
		    (best == NULL || x->valid_from > best->valid_from))
			best = x;
	}
	*ret = best;
	return e;
}

static int
compare_records(const void *pa, const void *pb, void *arg)
{
	static const unsigned columns[] = { TAX_LINE_ITEM_ID, TAX_TRANSACTION_TYPE_CODE,
		TAX_JURISDICTION_LEVEL, TAX_TAXED_JURISDICTION, TAX_TAX_ITEM_ID };
	const struct tax *t = arg;
	const struct record *a = &t->records[*(const uint32_t *)pa];
	const struct record *b = &t->records[*(const uint32_t *)pb];
	int o = 0;

	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	for (size_t i = 0; o == 0 && i < sizeof(columns) / sizeof(columns[0]); i++)
		o = text_order(cell_of(t, a, columns[i]), cell_of(t, b, columns[i]));
	return o;
}

/* Which records are printed, in order. */
static enum souk_err
settle(struct tax *t, struct fail *fail)
{
	currency_t only = t->f->request->currency;
	enum souk_err e = SOUK_OK;

	if ((t->printed = calloc(t->n_records + 1, sizeof(*t->printed))) == NULL)
		return no_memory(fail);
	for (size_t s = 0; t->last.slot != NULL && e == SOUK_OK && s <= t->last.mask; s++) {
		const struct item *i = NULL;

		if (t->last.slot[s].value == INTERN_NONE)
			continue;
		e = current_row(t, t->last.slot[s].value, &i, fail);
		if (e != SOUK_OK || i == NULL || i->kept == UINT32_MAX)
			continue;
		if (only != CURRENCY_NONE && t->records[i->kept].currency != only)
			continue;
		t->printed[t->n_printed++] = i->kept;
	}
	if (e == SOUK_OK && t->n_printed > 1)
		qsort_r(t->printed, t->n_printed, sizeof(*t->printed), compare_records, t);
	return e;
}

static bool
same_line_item(const struct tax *t, const struct record *a, const struct record *b)
{
	return a->date == b->date && a->currency == b->currency &&
	       str_eq(cell_of(t, a, TAX_LINE_ITEM_ID), cell_of(t, b, TAX_LINE_ITEM_ID)) &&
	       str_eq(cell_of(t, a, TAX_TRANSACTION_TYPE_CODE),
		   cell_of(t, b, TAX_TRANSACTION_TYPE_CODE));
}

/* The tax of all jurisdictions of a line item. */
static void
total_taxes(struct tax *t)
{
	for (size_t from = 0, to; from < t->n_printed; from = to) {
		money_t total = 0;

		for (to = from;
		     to < t->n_printed &&
		     same_line_item(t, &t->records[t->printed[from]], &t->records[t->printed[to]]);
		     to++)
			total += t->records[t->printed[to]].tax;
		for (size_t i = from; i < to; i++)
			t->records[t->printed[i]].total_tax = total;
	}
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
	return true;
}

static void
fill_line(const struct tax *t, const struct record *r, struct made_line *m)
{
	const struct fold *f = t->f;
	struct str product = cell_of(t, r, TAX_PRODUCT_ID);
	const struct version *v = product.n > 0 ? history_latest(f->feeds->product,
						      history_key(f->feeds->product, &product))
						: NULL;
	uint32_t reference =
	    intern_find(f->feeds->references, cell_of(t, r, TAX_TRANSACTION_REFERENCE_ID));

	for (unsigned c = 0; c < TAX__COUNT; c++)
		if (t->to[c] < f->n_columns && f->columns[t->to[c]].type == CELL_TEXT)
			cell_text(&m->cells[t->to[c]], cell_of(t, r, c));
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
	cell_date(
	    &m->cells[t->date_used], instant_of(cell_of(t, r, TAX_DATE_USED_FOR_TAX_CALCULATION)));
	m->line = (struct report_line){ .cells = m->cells,
		.currency = r->currency,
		.month = month_of(r->date),
		.product = m->cells[t->name].filled ? m->cells[t->name].text : product,
		.country = cell_of(t, r, TAX_TAXED_CUSTOMER_COUNTRY),
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

static enum souk_err
print(struct tax *t, struct report_sink *s, struct report_summary *sum, struct fail *fail)
{
	struct made_line m;
	enum souk_err e = SOUK_OK;

	total_taxes(t);
	for (size_t i = 0; e == SOUK_OK && i < t->n_printed; i++) {
		memset(&m, 0, sizeof(m));
		fill_line(t, &t->records[t->printed[i]], &m);
		e = s->line(s, &m.line, fail);
	}
	sum->lines += t->n_printed;
	sum->events += t->n_printed;
	return e;
}

static enum souk_err
read_items(struct tax *t, struct fail *fail)
{
	const struct feed_reading r = { .source = t->f->request->source,
		.feed = FEED_TAX_ITEM,
		.columns = COLUMNS_ALL(TAX__COUNT),
		.faults = t->f->request->faults,
		.row = take_row,
		.arg = t };

	return feed_read(&r, fail);
}

enum souk_err
tax_run(struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail)
{
	/* For the payers of transactions. */
	static const struct fold_needs needs = {
		.actions = 1U << ACTION_INVOICED,
		.types = (1U << TYPE_AWS_TAX_SHARE) - 1, /* the seller's, and fees tell who that is */
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
	    (e = read_items(t, fail)) == SOUK_OK && (e = settle(t, fail)) == SOUK_OK)
		e = print(t, s, sum, fail);
	hash_table_done(&t->last);
	row_reader_free(t->rows);
	free(t->items);
	free(t->records);
	free(t->printed);
	free(t->payer_of);
	buf_done(&t->texts);
	free(t);
	return e;
}
