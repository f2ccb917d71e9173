/* SPDX-License-Identifier: Apache-2.0 */
/* A statement as a workbook. Amounts are numbers there, so that people can add them up; the text beside them is exact. */
#include "edsp/statement.h"

#include "feeds/xlsx_cell.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct book {
	lxw_workbook *workbook;
	lxw_worksheet *sheet;
	lxw_format *bold, *money, *total, *wrap;
	const struct statement *s;
	lxw_row_t row;
	struct buf scratch; /* the cell under way */
	bool failed;
};

static void
text(struct book *b, lxw_col_t col, struct str s, lxw_format *format)
{
	b->failed |=
	    !xlsx_put_text((struct xlsx_cell){ b->sheet, b->row, col, format }, s, &b->scratch);
}

static void
number(struct book *b, lxw_col_t col, money_t m, lxw_format *format)
{
	char out[MONEY_TEXT_SIZE];
	size_t n = money_format_exact(m, 2, out);

	b->failed |= !xlsx_put_amount((struct xlsx_cell){ b->sheet, b->row, col, format }, m,
	    (struct str){ out, n }, &b->scratch);
}

static void
buyer(struct book *b, const struct commission_line *l)
{
	text(b, 2, l->transaction, NULL);
	text(b, 3, l->product_title.n > 0 ? l->product_title : l->product_code, NULL);
	text(b, 4, l->payer_number, NULL);
	text(b, 5, l->end_user_number, NULL);
	text(b, 6, l->company, NULL);
	text(b, 7, l->country, NULL);
	text(b, 8, l->currency, NULL);
}

static void
source(struct book *b, const struct commission_item *i)
{
	char percent[PERCENT_TEXT_SIZE];

	number(b, 9, i->amount, b->money);
	percent_format(i->percent, percent);
	text(b, 10, str_c(percent), NULL);
	number(b, 11, i->credited, b->money);
	text(b, 12, item_rule(b->s->run, i)->id, NULL);
	text(b, 13, str_c(match_level_words[i->level]), NULL);
	text(b, 14, b->s->run->plan->rates[i->rate].id, NULL);
}

static void
item_row(struct book *b, const struct commission_item *i)
{
	char date[DAY_TEXT_SIZE];
	struct buf arithmetic = { 0 };

	plan_day_format(i->day, date);
	text(b, 0, str_c(date), NULL);
	text(b, 1, str_c(commission_part_words[i->part]), NULL);
	buyer(b, &b->s->run->lines[i->line]);
	source(b, i);
	item_arithmetic(b->s->run, i, &arithmetic);
	text(b, 15, buf_str(&arithmetic), b->wrap);
	number(b, 16, i->commission, b->money);
	b->failed |= arithmetic.failed;
	buf_done(&arithmetic);
	b->row++;
}

static void
adjustment_row(struct book *b, const struct adjustment *a)
{
	const struct commission_item *i = a->item != NO_INDEX ? &b->s->run->items[a->item] : NULL;
	struct commission_line gone = { .transaction = a->transaction,
		.product_code = a->product_id,
		.currency = a->currency };
	struct buf arithmetic = { 0 };
	char month[MONTH_TEXT_SIZE];

	month_format(a->month, month);
	text(b, 0, str_c(month), NULL);
	text(b, 1, STR("adjustment"), NULL);
	buyer(b, i != NULL ? &b->s->run->lines[i->line] : &gone);
	if (i != NULL)
		source(b, i);
	adjustment_arithmetic(b->s, a, &arithmetic);
	text(b, 15, buf_str(&arithmetic), b->wrap);
	number(b, 16, a->is - a->was, b->money);
	b->failed |= arithmetic.failed;
	buf_done(&arithmetic);
	b->row++;
}

static void
lines_sheet(struct book *b)
{
	static const struct {
		const char *name;
		double width;
	} columns[] = { { "Date", 11 }, { "Entry", 11 }, { "Transaction Reference ID", 26 },
		{ "Product", 24 }, { "Customer AWS Account Number", 16 },
		{ "End User AWS Account Number", 16 }, { "Company", 22 }, { "Country", 9 },
		{ "Currency", 9 }, { "Amount", 13 }, { "Credited Percent", 10 },
		{ "Credited Amount", 13 }, { "Rule", 16 }, { "Matched By", 15 }, { "Rate", 14 },
		{ "Arithmetic", 48 }, { "Commission", 13 } };
	lxw_col_t n = sizeof(columns) / sizeof(columns[0]);
	size_t first, end;

	b->sheet = workbook_add_worksheet(b->workbook, "Lines");
	b->row = 0;
	for (lxw_col_t c = 0; c < n; c++) {
		(void)worksheet_set_column(b->sheet, c, c, columns[c].width, NULL);
		text(b, c, str_c(columns[c].name), b->bold);
	}
	worksheet_freeze_panes(b->sheet, 1, 0);
	b->row = 1;
	statement_items(b->s, &first, &end);
	for (size_t i = first; i < end; i++)
		if (statement_has(b->s, statement_item(b->s, i)))
			item_row(b, statement_item(b->s, i));
	for (size_t i = 0; i < b->s->n_adjustments; i++)
		adjustment_row(b, &b->s->adjustments[i]);
	(void)worksheet_autofilter(b->sheet, 0, 0, b->row > 1 ? b->row - 1 : 0, (lxw_col_t)(n - 1));
	worksheet_set_landscape(b->sheet);
	worksheet_fit_to_pages(b->sheet, 1, 0);
	(void)worksheet_repeat_rows(b->sheet, 0, 0);
}

static void
fact(struct book *b, const char *name, struct str value)
{
	text(b, 0, str_c(name), b->bold);
	text(b, 1, value, NULL);
	b->row++;
}

static void
summary_sheet(struct book *b)
{
	static const char *const names[] = { "Currency", "Earned", "Taken back", "Adjustments",
		"Commission" };
	const struct plan_representative *r =
	    &b->s->run->plan->representatives[b->s->representative];
	struct statement_total t[STATEMENT_CURRENCIES_MAX];
	size_t n = statement_totals(b->s, t, STATEMENT_CURRENCIES_MAX);
	char from[MONTH_TEXT_SIZE], until[MONTH_TEXT_SIZE];

	b->sheet = workbook_add_worksheet(b->workbook, "Summary");
	(void)worksheet_set_column(b->sheet, 0, 4, 18, NULL);
	month_format(b->s->months.from, from);
	month_format(b->s->months.until, until);
	fact(b, "Representative", r->name);
	fact(b, "Id", r->id);
	fact(b, "Team", r->team);
	fact(b, "From", str_c(from));
	fact(b, "Until", str_c(until));
	fact(b, "Plan", b->s->run->plan->name);
	fact(b, "As known", str_c(b->s->known_at != NULL ? b->s->known_at : "when it was made"));
	fact(b, "Run", str_c(b->s->digest != NULL ? b->s->digest : ""));
	fact(b, "State", str_c(b->s->locked ? "approved and locked" : "simulation"));
	fact(b, "Rounding", STR("half-up, once, each commission"));
	b->row++;
	for (lxw_col_t c = 0; c < 5; c++)
		text(b, c, str_c(names[c]), b->bold);
	b->row++;
	for (size_t i = 0; i < n; i++, b->row++) {
		text(b, 0, t[i].currency, NULL);
		number(b, 1, t[i].earned, b->money);
		number(b, 2, t[i].taken, b->money);
		number(b, 3, t[i].adjusted, b->money);
		number(b, 4, t[i].sum, b->total);
	}
}

static void
formats(struct book *b)
{
	char pattern[32];
	int n = snprintf(pattern, sizeof(pattern), "#,##0%.*s",
	    b->s->run->plan->decimals > 0 ? (int)b->s->run->plan->decimals + 1 : 0, ".0000");

	(void)n;
	b->bold = workbook_add_format(b->workbook);
	format_set_bold(b->bold);
	format_set_text_wrap(b->bold);
	b->money = workbook_add_format(b->workbook);
	format_set_num_format(b->money, pattern);
	b->total = workbook_add_format(b->workbook);
	format_set_num_format(b->total, pattern);
	format_set_bold(b->total);
	b->wrap = workbook_add_format(b->workbook);
	format_set_text_wrap(b->wrap);
}

enum souk_err
statement_xlsx(const struct statement *s, const char *path, struct fail *f)
{
	struct book b = { .s = s };
	char part[4096], dir[4096];
	const char *name = strrchr(path, '/');
	lxw_workbook_options options = { .tmpdir = dir };
	lxw_error closed;
	int fd;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
		return fail_set(f, SOUK_E_INVALID, "path",
		    "the name of a workbook is too long; shorten the folder's");
	/* Made here, for its owner alone; the library only writes it. */
	(void)unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
	/* The library's own files stay where the workbook goes: they hold the same lines. */
	(void)snprintf(dir, sizeof(dir), "%.*s", name ? (int)(name - path) : 1, name ? path : ".");
	b.workbook = workbook_new_opt(part, &options);
	if (b.workbook == NULL) {
		(void)unlink(part);
		return fail_set(f, SOUK_E_NOMEM, "workbook", "a workbook does not fit into memory");
	}
	formats(&b);
	summary_sheet(&b);
	lines_sheet(&b);
	closed = workbook_close(b.workbook);
	buf_done(&b.scratch);
	if (fd >= 0 && closed == LXW_NO_ERROR && !b.failed && rename(part, path) == 0)
		return SOUK_OK;
	(void)unlink(part);
	return fail_set(f, SOUK_E_STORAGE, "workbook",
	    "a workbook cannot be written; check that its folder is there, may be written to and "
	    "has room");
}
