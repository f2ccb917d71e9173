/* SPDX-License-Identifier: Apache-2.0 */
/* See xlsx_cell.h. */
#include "feeds/xlsx_cell.h"

#include <stdlib.h>

/* Bytes, so at most as many characters. */
#define TEXT_MAX 32767
/* A number of that many digits is exact in a cell. */
#define EXACT_LIMIT (MONEY_ONE * 10000000000000)

bool
xlsx_put_text(struct xlsx_cell at, struct str s, struct buf *scratch)
{
	if (s.n > TEXT_MAX) {
		s.n = TEXT_MAX;
		while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
			s.n--;
	}
	if (s.n == 0)
		return true;
	/* The library copies what it is given, which must end with a NUL. */
	buf_clear(scratch);
	buf_add_str(scratch, s);
	return buf_ok(scratch) && worksheet_write_string(at.sheet, at.row, at.col, scratch->p,
				      at.format) == LXW_NO_ERROR;
}

bool
xlsx_put_amount(struct xlsx_cell at, money_t m, struct str text, struct buf *scratch)
{
	char digits[MONEY_TEXT_SIZE];

	if (m >= EXACT_LIMIT || m <= -EXACT_LIMIT || text.n >= sizeof(digits))
		return xlsx_put_text(at, text, scratch);
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	return worksheet_write_number(at.sheet, at.row, at.col, strtod(digits, NULL), at.format) ==
	       LXW_NO_ERROR;
}
