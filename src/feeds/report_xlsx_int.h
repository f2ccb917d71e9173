/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the workbook's writer share: lines, and the summary with its charts. */
#ifndef SOUK_FEEDS_REPORT_XLSX_INT_H
#define SOUK_FEEDS_REPORT_XLSX_INT_H

#include "feeds/report_out.h"
#include "feeds/tally.h"
#include "feeds/xlsx_cell.h"

enum xlsx_by { XLSX_BY_MONTH, XLSX_BY_PRODUCT, XLSX_BY_COUNTRY, XLSX_BY__COUNT };

struct xlsx_sink {
	struct report_sink sink;
	const char *path;
	struct report_head head;
	lxw_workbook *book;
	lxw_worksheet *summary, *lines;
	lxw_format *bold, *money;
	lxw_row_t row;   /* the next one of `lines` */
	unsigned sheets; /* of lines */
	struct tally by[XLSX_BY__COUNT];
	struct buf text; /* the cell under way */
	bool failed;
};

void xlsx_put_money(struct xlsx_sink *x, lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col,
    money_t m, unsigned decimals, lxw_format *format);
/* The first sheet: request, totals, tables by month, product and country, and their charts. */
void xlsx_summary(struct xlsx_sink *x, const struct report_summary *m);

#endif
