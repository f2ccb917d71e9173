/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A workbook's first sheet. Tables stand below each other in the first columns, rows in
 * ascending order as the library wants them; charts stand to the right of their tables.
 */
#include "feeds/report_xlsx_int.h"

/* Of products and countries, one by one; the rest is one row. */
#define SHOWN_MAX 15
#define NAME_SHOWN 200 /* bytes */
#define CHART_COLUMN 5
#define CHART_ROWS 16 /* that a chart covers */

struct page {
	struct xlsx_sink *x;
	lxw_row_t row; /* the next free one */
};

static void
put(struct page *p, lxw_col_t col, const char *s, lxw_format *format)
{
	if (s[0] != '\0' &&
	    worksheet_write_string(p->x->summary, p->row, col, s, format) != LXW_NO_ERROR)
		p->x->failed = true;
}

static void
put_count(struct page *p, lxw_col_t col, uint64_t n)
{
	if (worksheet_write_number(p->x->summary, p->row, col, (double)n, NULL) != LXW_NO_ERROR)
		p->x->failed = true;
}

static void
fact(struct page *p, const char *name, const char *value)
{
	put(p, 0, name, p->x->bold);
	put(p, 1, value, NULL);
	p->row++;
}

static void
facts(struct page *p, const struct report_summary *m)
{
	const struct report_request *q = p->x->head.request;
	char text[INSTANT_TEXT_LEN + 1], period[64], seller[128];

	fact(p, "Data set", data_set_info(p->x->head.data_set)->name);
	fact(p, "Variant", q->variant == REPORT_AS_QUERY ? "query" : "report");
	(void)snprintf(
	    seller, sizeof(seller), "%.*s", (int)m->seller.n, m->seller.n > 0 ? m->seller.p : "");
	fact(p, "Seller", seller);
	if (q->all_months) {
		fact(p, "Period", "all months");
	} else {
		day_format(q->from, text);
		(void)snprintf(period, sizeof(period), "%s to ", text);
		day_format(q->to, text);
		(void)strncat(period, text, sizeof(period) - strlen(period) - 1);
		fact(p, "Period", period);
	}
	if (q->known_at != INSTANT_NONE) {
		instant_format(q->known_at, text);
		fact(p, "As known at", text);
	}
	put(p, 0, "Lines", p->x->bold);
	put_count(p, 1, m->lines);
	p->row++;
	put(p, 0, "Events", p->x->bold);
	put_count(p, 1, m->events);
	p->row += 2;
}

/* A table of one row per column of amounts, one column per currency. */
static void
totals(struct page *p, const struct report_summary *m)
{
	const struct report_head *h = &p->x->head;

	if (h->amount_name == NULL || m->n_totals == 0)
		return;
	put(p, 0, "Totals", p->x->bold);
	for (size_t t = 0; t < m->n_totals; t++) {
		char code[4];

		currency_text(m->totals[t].currency, code);
		put(p, (lxw_col_t)(t + 1), code, p->x->bold);
	}
	p->row++;
	for (size_t c = 0; c < h->n_columns; c++) {
		if (h->columns[c]->type != CELL_MONEY)
			continue;
		put(p, 0, h->columns[c]->name, NULL);
		for (size_t t = 0; t < m->n_totals; t++)
			xlsx_put_money(p->x, p->x->summary, p->row, (lxw_col_t)(t + 1),
			    m->totals[t].money[c], 2, p->x->money);
		p->row++;
	}
	p->row++;
}

static void
chart(struct page *p, uint8_t type, const char *title, lxw_row_t first, lxw_row_t last)
{
	lxw_chart *c = workbook_add_chart(p->x->book, type);
	lxw_chart_series *s = c != NULL ? chart_add_series(c, NULL, NULL) : NULL;

	if (s == NULL) {
		p->x->failed = true;
		return;
	}
	chart_series_set_categories(s, "Summary", first, 0, last, 0);
	chart_series_set_values(s, "Summary", first, 1, last, 1);
	chart_title_set_name(c, title);
	chart_legend_set_position(c, LXW_CHART_LEGEND_NONE);
	if (type == LXW_CHART_BAR)
		chart_axis_set_reverse(c->y_axis); /* the first row on top */
	if (worksheet_insert_chart(p->x->summary, first - 1, CHART_COLUMN, c) != LXW_NO_ERROR)
		p->x->failed = true;
}

/* As much of a name as fits, no character cut in half. */
static void
cut_name(struct str s, char out[NAME_SHOWN + 1])
{
	if (s.n > NAME_SHOWN)
		for (s.n = NAME_SHOWN; s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
			s.n--;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void
table_row(struct page *p, const char *name, money_t amount, uint64_t lines)
{
	put(p, 0, name[0] != '\0' ? name : "(none)", NULL);
	xlsx_put_money(p->x, p->x->summary, p->row, 1, amount, 2, p->x->money);
	put_count(p, 2, lines);
	p->row++;
}

/* Entries [from, to) of one currency; `all`: every one, else the largest and the rest together. */
static void
table(struct page *p, const struct tally *t, size_t from, size_t to, const char *what, bool all,
    uint8_t type)
{
	char title[128], code[4];
	lxw_row_t first;
	money_t rest = 0;
	uint64_t rest_lines = 0;

	currency_text(t->entries[from].currency, code);
	(void)snprintf(title, sizeof(title), "%s by %s, %s", p->x->head.amount_name, what, code);
	put(p, 0, title, p->x->bold);
	put(p, 1, p->x->head.amount_name, p->x->bold);
	put(p, 2, "Lines", p->x->bold);
	first = ++p->row;
	for (size_t i = from; i < to; i++) {
		const struct tally_entry *e = &t->entries[i];
		char name[NAME_SHOWN + 1];

		if (!all && i - from >= SHOWN_MAX) {
			rest_lines += e->lines;
			if (!money_add(rest, e->amount, &rest))
				p->x->failed = true;
			continue;
		}
		cut_name(tally_name(t, e), name);
		table_row(p, name, e->amount, e->lines);
	}
	if (rest_lines > 0)
		table_row(p, "(all others)", rest, rest_lines);
	chart(p, type, title, first, p->row - 1);
	if (p->row < first + CHART_ROWS)
		p->row = first + CHART_ROWS;
	p->row++;
}

static void
tables(struct page *p, enum xlsx_by by, const char *what, bool all, uint8_t type)
{
	struct tally *t = &p->x->by[by];

	if (all)
		tally_sort_by_name(t);
	else
		tally_sort_by_amount(t);
	for (size_t from = 0, to; from < t->n; from = to) {
		for (to = from + 1;
		     to < t->n && t->entries[to].currency == t->entries[from].currency;)
			to++;
		table(p, t, from, to, what, all, type);
	}
}

void
xlsx_summary(struct xlsx_sink *x, const struct report_summary *m)
{
	struct page p = { .x = x };

	worksheet_set_column(x->summary, 0, 0, 44, NULL);
	worksheet_set_column(x->summary, 1, 3, 18, NULL);
	facts(&p, m);
	totals(&p, m);
	if (x->head.amount_name == NULL)
		return;
	tables(&p, XLSX_BY_MONTH, "month", true, LXW_CHART_COLUMN);
	tables(&p, XLSX_BY_PRODUCT, "product", false, LXW_CHART_BAR);
	tables(&p, XLSX_BY_COUNTRY, "country", false, LXW_CHART_BAR);
}
