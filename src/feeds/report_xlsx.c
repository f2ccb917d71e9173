/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Report lines as a workbook: lines go to disk row by row, so memory grows with the months,
 * products and countries only. The summary is the first sheet and is written last.
 */
#include "feeds/report_xlsx_int.h"

#include <stdlib.h>

/* Of a sheet, header included. */
#define ROWS_MAX 1048576

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static void
put_text(struct xlsx_sink *x, lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col, struct str s)
{
	x->failed |= !xlsx_put_text((struct xlsx_cell){ sheet, row, col, NULL }, s, &x->text);
}

void
xlsx_put_money(struct xlsx_sink *x, lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col, money_t m,
    unsigned decimals, lxw_format *format)
{
	char text[MONEY_TEXT_SIZE];
	size_t n = decimals == 2 ? money_format(m, 2, text) : money_format_exact(m, 0, text);

	x->failed |= !xlsx_put_amount(
	    (struct xlsx_cell){ sheet, row, col, format }, m, (struct str){ text, n }, &x->text);
}

static void
put_cell(struct xlsx_sink *x, lxw_col_t col, enum cell_type type, const struct report_cell *c)
{
	char day[DAY_TEXT_LEN + 1];

	if (!c->filled)
		return;
	switch (type) {
	case CELL_TEXT:
		put_text(x, x->lines, x->row, col, c->text);
		return;
	case CELL_MONEY:
	case CELL_MONEY_REPEATED:
		xlsx_put_money(x, x->lines, x->row, col, c->money, 2, x->money);
		return;
	case CELL_DECIMAL:
		xlsx_put_money(x, x->lines, x->row, col, c->money, 10, NULL);
		return;
	case CELL_COUNT:
		if (worksheet_write_number(x->lines, x->row, col, (double)c->count, NULL) !=
		    LXW_NO_ERROR)
			x->failed = true;
		return;
	case CELL_DATE:
		day_format(c->date, day);
		put_text(x, x->lines, x->row, col, (struct str){ day, DAY_TEXT_LEN });
		return;
	}
}

/* A sheet of lines with its header; the first is "Lines", then "Lines 2" ... */
static bool
next_sheet(struct xlsx_sink *x)
{
	char name[32];

	if (x->sheets++ == 0)
		(void)snprintf(name, sizeof(name), "Lines");
	else
		(void)snprintf(name, sizeof(name), "Lines %u", x->sheets);
	if ((x->lines = workbook_add_worksheet(x->book, name)) == NULL)
		return false;
	worksheet_freeze_panes(x->lines, 1, 0);
	worksheet_set_column(x->lines, 0, (lxw_col_t)(x->head.n_columns - 1), 18, NULL);
	for (size_t i = 0; i < x->head.n_columns; i++)
		if (worksheet_write_string(x->lines, 0, (lxw_col_t)i, x->head.columns[i]->name,
			x->bold) != LXW_NO_ERROR)
			return false;
	x->row = 1;
	return true;
}

static enum souk_err
xlsx_begin(struct report_sink *s, const struct report_head *h, struct fail *f)
{
	struct xlsx_sink *x = (struct xlsx_sink *)s;
	lxw_workbook_options options = { .constant_memory = LXW_TRUE, .use_zip64 = LXW_TRUE };
	/* Not the time of writing: the same request gives the same bytes. */
	lxw_doc_properties properties = { .created = 946684800 };

	x->head = *h;
	if ((x->book = workbook_new_opt(x->path, &options)) == NULL ||
	    workbook_set_properties(x->book, &properties) != LXW_NO_ERROR ||
	    (x->bold = workbook_add_format(x->book)) == NULL ||
	    (x->money = workbook_add_format(x->book)) == NULL ||
	    (x->summary = workbook_add_worksheet(x->book, "Summary")) == NULL || !next_sheet(x))
		return no_memory(f);
	format_set_bold(x->bold);
	format_set_num_format(x->money, "#,##0.00");
	return SOUK_OK;
}

static enum souk_err
xlsx_line(struct report_sink *s, const struct report_line *l, struct fail *f)
{
	struct xlsx_sink *x = (struct xlsx_sink *)s;
	char month[MONTH_TEXT_LEN + 1] = "";
	enum souk_err e = SOUK_OK;

	if (x->row >= ROWS_MAX && !next_sheet(x))
		return no_memory(f);
	for (size_t i = 0; i < x->head.n_columns; i++)
		put_cell(x, (lxw_col_t)i, x->head.columns[i]->type, &l->cells[i]);
	x->row++;
	if (!buf_ok(&x->text) || x->failed)
		return no_memory(f);
	if (l->currency == CURRENCY_NONE)
		return SOUK_OK;
	if (l->month != 0)
		month_format(l->month, month);
	if ((e = tally_add(&x->by[XLSX_BY_MONTH], l->currency, str_c(month), l->amount)) ==
		SOUK_OK &&
	    (e = tally_add(&x->by[XLSX_BY_PRODUCT], l->currency, l->product, l->amount)) == SOUK_OK)
		e = tally_add(&x->by[XLSX_BY_COUNTRY], l->currency, l->country, l->amount);
	return e == SOUK_OK ? e : no_memory(f);
}

static enum souk_err
xlsx_end(struct report_sink *s, const struct report_summary *m, struct fail *f)
{
	struct xlsx_sink *x = (struct xlsx_sink *)s;
	lxw_error e;

	xlsx_summary(x, m);
	if (x->failed || !buf_ok(&x->text))
		return no_memory(f);
	e = workbook_close(x->book); /* frees it, also when it fails */
	x->book = NULL;
	if (e == LXW_NO_ERROR)
		return SOUK_OK;
	return e == LXW_ERROR_MEMORY_MALLOC_FAILED
		   ? no_memory(f)
		   : fail_set(f, SOUK_E_STORAGE, "output",
			 "output: the workbook cannot be written; make room there and in the "
			 "directory for temporary files, and run it again");
}

struct report_sink *
report_xlsx_sink(const char *path)
{
	struct xlsx_sink *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->sink = (struct report_sink){ xlsx_begin, xlsx_line, xlsx_end, NULL };
	x->path = path;
	return &x->sink;
}

void
report_xlsx_free(struct report_sink *s)
{
	struct xlsx_sink *x = (struct xlsx_sink *)s;

	if (x == NULL)
		return;
	if (x->book != NULL)
		lxw_workbook_free(x->book);
	for (size_t i = 0; i < XLSX_BY__COUNT; i++)
		tally_done(&x->by[i]);
	buf_done(&x->text);
	free(x);
}
