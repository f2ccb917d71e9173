/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each thread keeps the rows of its chunks. When all are read each thread collapses the items of a part of the ids, and sorts those
 * that are printed; then the parts are merged.
 */
#include "feeds/report_tax_items.h"

#include "feeds/intern.h"
#include "feeds/parallel.h"
#include "feeds/row_at.h"
#include "feeds/scan.h"

#include <stdlib.h>

/* Sorted apart and merged: more would only make the merging longer. */
#define PARTS_MAX 8U

/* Texts that the rows of one line item share, as they mostly follow each other; and those of a row alone. */
#define SHARED_COLUMNS(X)                                                                          \
	X(LINE_ITEM_ID)                                                                            \
	X(CUSTOMER_BILL_ID)                                                                        \
	X(TAX_LIABLE_PARTY)                                                                        \
	X(TRANSACTION_TYPE_CODE)                                                                   \
	X(PRODUCT_ID)                                                                              \
	X(PRODUCT_TAX_CODE)                                                                        \
	X(TAXED_CUSTOMER_ACCOUNT_ID)                                                               \
	X(TAXED_CUSTOMER_COUNTRY)                                                                  \
	X(TAXED_CUSTOMER_STATE_OR_REGION)                                                          \
	X(TAXED_CUSTOMER_CITY)                                                                     \
	X(TAXED_CUSTOMER_POSTAL_CODE)                                                              \
	X(DISPLAY_PRICE_TAXABILITY_TYPE)                                                           \
	X(TAX_CURRENCY)                                                                            \
	X(CUSTOMER_EXEMPTION_CERTIFICATE_ID)                                                       \
	X(CUSTOMER_EXEMPTION_CERTIFICATE_ID_DOMAIN)                                                \
	X(CUSTOMER_EXEMPTION_CERTIFICATE_LEVEL)                                                    \
	X(CUSTOMER_EXEMPTION_CODE)                                                                 \
	X(CUSTOMER_EXEMPTION_DOMAIN)                                                               \
	X(TRANSACTION_REFERENCE_ID)
#define OWN_COLUMNS(X)                                                                             \
	X(TAX_ITEM_ID)                                                                             \
	X(TAX_LOCATION_CODE_TAXED_JURISDICTION)                                                    \
	X(TAX_TYPE_CODE)                                                                           \
	X(JURISDICTION_LEVEL)                                                                      \
	X(TAXED_JURISDICTION)                                                                      \
	X(TAX_CALCULATION_REASON_CODE)

#define SHARED_PLACE(c) SHARED_##c,
#define OWN_PLACE(c) OWN_##c,
#define COLUMN_OF(c) TAX_##c,
#define PLACE_OF_SHARED(c) [TAX_##c] = 1 + SHARED_##c,
#define PLACE_OF_OWN(c) [TAX_##c] = 1 + SHARED__COUNT + OWN_##c,

enum { SHARED_COLUMNS(SHARED_PLACE) SHARED__COUNT };
enum { OWN_COLUMNS(OWN_PLACE) OWN__COUNT };
static const unsigned char shared_columns[] = { SHARED_COLUMNS(COLUMN_OF) };
static const unsigned char own_columns[] = { OWN_COLUMNS(COLUMN_OF) };
/* 0: no line shows it. */
static const unsigned char place_of[TAX__COUNT] = { SHARED_COLUMNS(PLACE_OF_SHARED)
	    OWN_COLUMNS(PLACE_OF_OWN) };

/* Any row of the feed. */
struct item {
	struct text_hash id;
	instant_t valid_from, update_date;
	uint64_t offset : 48;
	uint64_t deleted : 1;
	uint32_t file;
	uint32_t next;   /* the row before of the same id; UINT32_MAX */
	uint32_t record; /* of its thread; UINT32_MAX: of another period or country */
	uint32_t thread;
};

/* Where a record's texts begin, in its reader's. */
struct places {
	size_t shared, own;
};

/* The value of a column that was met last in this chunk: neighbours often have the same. */
struct met {
	const char *text;
	size_t n;
	instant_t instant;
	money_t money;
	currency_t currency;
};

/* A thread's rows: up to the marks they are certain, those behind wait for the commit. */
struct reader {
	struct item *items;
	size_t n_items, items_cap, items_mark;
	struct tax_record *records;
	struct places *places;
	size_t n_records, records_cap, records_mark;
	struct buf texts;
	size_t texts_mark;
	size_t last_shared; /* SIZE_MAX: none */
	struct met met[TAX__COUNT];
	bool out_of_memory;
};

/* A record with the beginning of what it is sorted by. */
struct sorted {
	instant_t date;
	uint64_t line_item;
	struct tax_record *record;
};

struct part {
	struct sorted *list;
	size_t n;
};

struct tax_reading {
	const struct report_request *q;
	const struct feed_info *info;
	unsigned threads, n_parts;
	struct reader readers[PARALLEL_MAX];
	struct item *items; /* of all readers */
	size_t n_items;
	struct part parts[PARTS_MAX];
};

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

/* ---- texts ----------------------------------------------------------------------------------------------- */

/* The cells' ends, then their bytes. False: no memory. */
static bool
add_texts(struct buf *b, const struct str *cell, const unsigned char *columns, size_t n)
{
	uint32_t end = 0;

	for (size_t i = 0; i < n; i++) {
		end += (uint32_t)cell[columns[i]].n;
		buf_add(b, &end, sizeof(end));
	}
	for (size_t i = 0; i < n; i++)
		buf_add_str(b, cell[columns[i]]);
	return buf_ok(b);
}

static struct str
text_at(const char *texts, size_t n, size_t i)
{
	uint32_t from = 0, to;

	if (i > 0)
		memcpy(&from, texts + (i - 1) * sizeof(from), sizeof(from));
	memcpy(&to, texts + i * sizeof(to), sizeof(to));
	return (struct str){ texts + n * sizeof(to) + from, to - from };
}

struct str
tax_cell(const struct tax_record *r, enum tax_item_column column)
{
	size_t place = place_of[column];

	if (place == 0)
		return STR("");
	return place <= SHARED__COUNT ? text_at(r->shared, SHARED__COUNT, place - 1)
				      : text_at(r->own, OWN__COUNT, place - 1 - SHARED__COUNT);
}

static bool
same_shared(const char *texts, const struct str *cell)
{
	for (size_t i = 0; i < SHARED__COUNT; i++)
		if (!str_eq(text_at(texts, SHARED__COUNT, i), cell[shared_columns[i]]))
			return false;
	return true;
}

/* ---- rows ------------------------------------------------------------------------------------------------ */

static bool
grow(void **p, size_t cap, size_t size)
{
	void *more = reallocarray(*p, cap, size);

	if (more != NULL)
		*p = more;
	return more != NULL;
}

/* Checks a cell; its value to `m`. */
static struct value_fault
meet(const struct feed_column *c, struct str s, struct met *m)
{
	struct value_fault fault = { NULL, NULL };

	if (s.n > 0 && s.n == m->n && memcmp(s.p, m->text, s.n) == 0)
		return fault;
	*m = (struct met){ s.p, 0, INSTANT_NONE, 0, CURRENCY_NONE };
	if (s.n == 0)
		return value_check(c, s);
	if (c->type == COLUMN_INSTANT)
		fault = value_instant(s, &m->instant);
	else if (c->type == COLUMN_MONEY)
		fault = value_money(s, &m->money);
	else
		fault = value_currency(s, &m->currency);
	if (fault.what == NULL)
		m->n = s.n;
	return fault;
}

static struct value_fault
check_cells(
    const struct tax_reading *x, struct reader *b, const struct str *cell, unsigned *ret_column)
{
	for (unsigned c = 0; c < TAX__COUNT; c++) {
		const struct feed_column *column = &x->info->columns[c];
		struct value_fault fault = column->type == COLUMN_TEXT
					       ? value_check(column, cell[c])
					       : meet(column, cell[c], &b->met[c]);

		if (fault.what != NULL) {
			*ret_column = c;
			return fault;
		}
	}
	return (struct value_fault){ NULL, NULL };
}

static bool
keep_record(struct reader *b, const struct str *cell)
{
	const struct met *met = b->met;
	struct places at;

	if (b->n_records == b->records_cap) {
		size_t cap = b->records_cap != 0 ? 2 * b->records_cap : 4096;

		if (!grow((void **)&b->records, cap, sizeof(*b->records)) ||
		    !grow((void **)&b->places, cap, sizeof(*b->places)))
			return false;
		b->records_cap = cap;
	}
	if (b->last_shared == SIZE_MAX || !same_shared(b->texts.p + b->last_shared, cell)) {
		b->last_shared = b->texts.n;
		if (!add_texts(&b->texts, cell, shared_columns, SHARED__COUNT))
			return false;
	}
	at = (struct places){ b->last_shared, b->texts.n };
	b->places[b->n_records] = at;
	b->records[b->n_records++] = (struct tax_record){ .date = met[TAX_INVOICE_DATE].instant,
		.date_used = met[TAX_DATE_USED_FOR_TAX_CALCULATION].instant,
		.taxable = met[TAX_TAXABLE_AMOUNT].money,
		.nontaxable = met[TAX_NONTAXABLE_AMOUNT].money,
		.rate = met[TAX_TAX_JURISDICTION_RATE].money,
		.tax = met[TAX_TAX_AMOUNT].money,
		.currency = met[TAX_TAX_CURRENCY].currency };
	return add_texts(&b->texts, cell, own_columns, OWN__COUNT);
}

static bool
keep_item(struct tax_reading *x, unsigned thread, const struct scan_row *row)
{
	struct reader *b = &x->readers[thread];
	instant_t date = b->met[TAX_INVOICE_DATE].instant;
	struct item *i;

	if (b->n_items == b->items_cap) {
		size_t cap = b->items_cap != 0 ? 2 * b->items_cap : 4096;

		if (!grow((void **)&b->items, cap, sizeof(*b->items)))
			return false;
		b->items_cap = cap;
	}
	i = &b->items[b->n_items++];
	*i = (struct item){ .id = text_hash(row->cell[TAX_TAX_ITEM_ID]),
		.valid_from = b->met[TAX_VALID_FROM].instant,
		.update_date = b->met[TAX_UPDATE_DATE].instant,
		.offset = row->offset & ((UINT64_C(1) << 48) - 1),
		.deleted = row->cell[TAX_DELETE_DATE].n > 0,
		.file = (uint32_t)row->file,
		.next = UINT32_MAX,
		.record = UINT32_MAX,
		.thread = thread };
	if (date < x->q->from || date > x->q->to ||
	    !str_eq_c(row->cell[TAX_TAXED_CUSTOMER_COUNTRY], "US"))
		return true;
	i->record = (uint32_t)b->n_records;
	return keep_record(b, row->cell);
}

static struct value_fault
take_row(void *arg, unsigned thread, const struct scan_row *row, unsigned *ret_column)
{
	struct tax_reading *x = arg;
	struct reader *b = &x->readers[thread];
	struct value_fault fault = check_cells(x, b, row->cell, ret_column);

	if (fault.what == NULL && !b->out_of_memory &&
	    (x->q->known_at == INSTANT_NONE || b->met[TAX_UPDATE_DATE].instant <= x->q->known_at))
		b->out_of_memory = !keep_item(x, thread, row);
	return fault;
}

/* The cells that values were met in go. */
static void
forget_met(struct reader *b)
{
	memset(b->met, 0, sizeof(b->met));
}

static void
forget(void *arg, unsigned thread)
{
	struct reader *b = &((struct tax_reading *)arg)->readers[thread];

	forget_met(b);
	b->n_items = b->items_mark;
	b->n_records = b->records_mark;
	b->texts.n = b->texts_mark;
	b->last_shared = SIZE_MAX;
}

static enum souk_err
commit(void *arg, unsigned thread, struct fail *f)
{
	struct reader *b = &((struct tax_reading *)arg)->readers[thread];

	forget_met(b);
	b->items_mark = b->n_items;
	b->records_mark = b->n_records;
	b->texts_mark = b->texts.n;
	return b->out_of_memory ? no_memory(f) : SOUK_OK;
}

/* Texts stay where they are from now on; items of all readers stand together. */
static bool
join_readers(struct tax_reading *x)
{
	for (unsigned t = 0; t < x->threads; t++)
		x->n_items += x->readers[t].n_items;
	if (x->n_items >= UINT32_MAX ||
	    (x->items = malloc((x->n_items + 1) * sizeof(*x->items))) == NULL)
		return false;
	x->n_items = 0;
	for (unsigned t = 0; t < x->threads; t++) {
		struct reader *b = &x->readers[t];

		if (b->n_items > 0)
			memcpy(&x->items[x->n_items], b->items, b->n_items * sizeof(*b->items));
		x->n_items += b->n_items;
		free(b->items);
		b->items = NULL;
		for (size_t i = 0; i < b->n_records; i++) {
			b->records[i].shared = b->texts.p + b->places[i].shared;
			b->records[i].own = b->texts.p + b->places[i].own;
		}
		free(b->places);
		b->places = NULL;
	}
	return true;
}

/* ---- versions -------------------------------------------------------------------------------------------- */

/* A thread's part of the ids. */
struct collapsing {
	const struct tax_reading *x;
	struct item *items;
	struct hash_table last; /* id -> its last row */
	struct row_reader *ties;
};

/* Is `a` recorded later than `b`, both of one valid time? */
static enum souk_err
later(struct collapsing *c, const struct item *a, const struct item *b, bool *ret, struct fail *f)
{
	int order = 0;
	enum souk_err e = SOUK_OK;

	*ret = a->update_date > b->update_date;
	if (a->update_date != b->update_date)
		return e;
	if (c->ties == NULL)
		e = row_reader_new(c->x->q->source, &c->ties, f);
	if (e == SOUK_OK)
		e = row_compare(c->ties, a->file, a->offset, b->file, b->offset, &order, f);
	*ret = order > 0;
	return e;
}

/* The current row of an item, of its chain; NULL: it was deleted. */
static enum souk_err
current_row(struct collapsing *c, uint32_t first, const struct item **ret, struct fail *f)
{
	const struct item *best = NULL;
	enum souk_err e = SOUK_OK;

	for (uint32_t a = first; e == SOUK_OK && a != UINT32_MAX; a = c->items[a].next) {
		const struct item *i = &c->items[a];
		bool beaten = false;

		for (uint32_t b = first; e == SOUK_OK && !beaten && b != UINT32_MAX;
		     b = c->items[b].next)
			if (b != a && c->items[b].valid_from == i->valid_from)
				e = later(c, &c->items[b], i, &beaten, f);
		if (e == SOUK_OK && !beaten && !i->deleted &&
		    (best == NULL || i->valid_from > best->valid_from))
			best = i;
	}
	*ret = best;
	return e;
}

static bool
chain_rows(struct collapsing *c, unsigned part)
{
	const struct tax_reading *x = c->x;

	if (!hash_table_reserve(&c->last, x->n_items / x->n_parts + 1))
		return false;
	for (size_t i = 0; i < x->n_items; i++) {
		struct item *item = &c->items[i];
		struct hash_slot *slot;

		if (item->id.b % x->n_parts != part)
			continue;
		if (!hash_table_grow(&c->last))
			return false;
		slot = hash_table_at(&c->last, item->id);
		c->last.n += slot->value == INTERN_NONE;
		item->next = slot->value;
		*slot = (struct hash_slot){ item->id.a, item->id.b, (uint32_t)i };
	}
	return true;
}

static uint64_t
begins(struct str s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
	return v;
}

static bool
add_sorted(struct part *p, size_t *cap, struct tax_record *r)
{
	if (p->n == *cap) {
		*cap = *cap != 0 ? 2 * *cap : 4096;
		if (!grow((void **)&p->list, *cap, sizeof(*p->list)))
			return false;
	}
	p->list[p->n++] = (struct sorted){ r->date, begins(tax_cell(r, TAX_LINE_ITEM_ID)), r };
	return true;
}

static int
compare(const void *pa, const void *pb)
{
	static const enum tax_item_column columns[] = { TAX_LINE_ITEM_ID, TAX_TRANSACTION_TYPE_CODE,
		TAX_JURISDICTION_LEVEL, TAX_TAXED_JURISDICTION, TAX_TAX_ITEM_ID };
	const struct sorted *a = pa, *b = pb;
	size_t i = 0;
	int o = 0;

	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	if (a->line_item != b->line_item)
		return a->line_item < b->line_item ? -1 : 1;
	if (a->record->shared == b->record->shared)
		i = 2;
	for (; o == 0 && i < sizeof(columns) / sizeof(columns[0]); i++)
		o = str_compare(tax_cell(a->record, columns[i]), tax_cell(b->record, columns[i]));
	return o;
}

static enum souk_err
collapse(struct collapsing *c, struct part *p, struct fail *f)
{
	const struct tax_reading *x = c->x;
	enum souk_err e = SOUK_OK;
	size_t cap = 0;

	for (size_t s = 0; e == SOUK_OK && s <= c->last.mask; s++) {
		const struct item *i = NULL;
		struct tax_record *r;

		if (c->last.slot[s].value == INTERN_NONE)
			continue;
		e = current_row(c, c->last.slot[s].value, &i, f);
		if (e != SOUK_OK || i == NULL || i->record == UINT32_MAX)
			continue;
		r = &x->readers[i->thread].records[i->record];
		if (x->q->currency != CURRENCY_NONE && r->currency != x->q->currency)
			continue;
		if (!add_sorted(p, &cap, r))
			return no_memory(f);
	}
	return e;
}

static enum souk_err
settle_part(void *arg, unsigned part, struct fail *f)
{
	struct tax_reading *x = arg;
	struct collapsing c = { .x = x, .items = x->items };
	struct part *p = &x->parts[part];
	enum souk_err e = chain_rows(&c, part) ? collapse(&c, p, f) : no_memory(f);

	if (e == SOUK_OK && p->n > 1)
		qsort(p->list, p->n, sizeof(*p->list), compare);
	hash_table_done(&c.last);
	row_reader_free(c.ties);
	return e;
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

static bool
merge_parts(const struct tax_reading *x, struct tax_items *ret)
{
	size_t at[PARTS_MAX] = { 0 }, n = 0;

	for (unsigned p = 0; p < x->n_parts; p++)
		n += x->parts[p].n;
	if ((ret->list = malloc((n + 1) * sizeof(struct tax_record *))) == NULL)
		return false;
	while (ret->n < n) {
		const struct sorted *least = NULL;
		unsigned of = 0;

		for (unsigned p = 0; p < x->n_parts; p++) {
			const struct sorted *s = &x->parts[p].list[at[p]];

			if (at[p] < x->parts[p].n && (least == NULL || compare(s, least) < 0)) {
				least = s;
				of = p;
			}
		}
		ret->list[ret->n++] = least->record;
		at[of]++;
	}
	return true;
}

static bool
same_line_item(const struct tax_record *a, const struct tax_record *b)
{
	if (a->date != b->date || a->currency != b->currency)
		return false;
	return a->shared == b->shared ||
	       (str_eq(tax_cell(a, TAX_LINE_ITEM_ID), tax_cell(b, TAX_LINE_ITEM_ID)) &&
		   str_eq(tax_cell(a, TAX_TRANSACTION_TYPE_CODE),
		       tax_cell(b, TAX_TRANSACTION_TYPE_CODE)));
}

/* The tax of all jurisdictions of a line item. */
static void
total_taxes(const struct tax_items *x)
{
	for (size_t from = 0, to; from < x->n; from = to) {
		money_t total = 0;

		for (to = from; to < x->n && same_line_item(x->list[from], x->list[to]); to++)
			total += x->list[to]->tax;
		for (size_t i = from; i < to; i++)
			x->list[i]->total_tax = total;
	}
}

static enum souk_err
read_rows(struct tax_reading *x, struct fail *f)
{
	const struct scan scan = { .source = x->q->source,
		.feed = FEED_TAX_ITEM,
		.columns = COLUMNS_ALL(TAX__COUNT),
		.faults = x->q->faults,
		.threads = x->threads,
		.row = take_row,
		.reset = forget,
		.commit = commit,
		.arg = x };

	return scan_run(&scan, f);
}

enum souk_err
tax_items_read(const struct report_request *q, struct tax_items *ret, struct fail *f)
{
	struct tax_reading *x = calloc(1, sizeof(*x));
	enum souk_err e;

	*ret = (struct tax_items){ .own = x };
	if (x == NULL)
		return no_memory(f);
	x->q = q;
	x->info = feed_info(FEED_TAX_ITEM);
	x->threads = parallel_threads(q->threads);
	x->n_parts = x->threads < PARTS_MAX ? x->threads : PARTS_MAX;
	for (unsigned t = 0; t < x->threads; t++)
		x->readers[t].last_shared = SIZE_MAX;
	if ((e = read_rows(x, f)) != SOUK_OK)
		return e;
	if (!join_readers(x))
		return no_memory(f);
	if ((e = parallel_run(x->n_parts, settle_part, x, f)) != SOUK_OK)
		return e;
	free(x->items);
	x->items = NULL;
	if (!merge_parts(x, ret))
		return no_memory(f);
	total_taxes(ret);
	return SOUK_OK;
}

void
tax_items_free(struct tax_items *x)
{
	struct tax_reading *own = x->own;

	free(x->list);
	for (unsigned t = 0; own != NULL && t < own->threads; t++) {
		free(own->readers[t].items);
		free(own->readers[t].records);
		free(own->readers[t].places);
		buf_done(&own->readers[t].texts);
	}
	for (unsigned p = 0; own != NULL && p < PARTS_MAX; p++)
		free(own->parts[p].list);
	if (own != NULL)
		free(own->items);
	free(own);
	*x = (struct tax_items){ .n = 0 };
}
