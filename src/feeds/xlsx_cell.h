/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of a workbook, within the limits that spreadsheets have. False: the library refused, or out of memory. */
#ifndef SOUK_FEEDS_XLSX_CELL_H
#define SOUK_FEEDS_XLSX_CELL_H

#include "base/money.h"

#include <xlsxwriter.h>

struct xlsx_cell {
	lxw_worksheet *sheet;
	lxw_row_t row;
	lxw_col_t col;
	lxw_format *format; /* NULL: none */
};

/* At most 32767 characters of it, whole ones; nothing for an empty text. `scratch` is emptied first. */
SOUK_MUST bool xlsx_put_text(struct xlsx_cell at, struct str s, struct buf *scratch);
/* `m` as `text` has it: a number where one is exact, else the text. */
SOUK_MUST bool xlsx_put_amount(
    struct xlsx_cell at, money_t m, struct str text, struct buf *scratch);

#endif
