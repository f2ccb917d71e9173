/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar months and days, UTC, proleptic Gregorian. */
#ifndef SOUK_FEEDS_MONTH_H
#define SOUK_FEEDS_MONTH_H

#include "base/clock.h"

/* A month's number: year * 12 + month - 1, so that the next one is one more. */
typedef int32_t month_t;

#define MONTH_MIN ((month_t)(1970 * 12))
#define MONTH_MAX ((month_t)(9999 * 12 + 11))

#define MONTH_TEXT_LEN 7 /* "YYYY-MM" */
#define DAY_TEXT_LEN 10  /* "YYYY-MM-DD" */

month_t month_of(instant_t t);
instant_t month_begin(month_t m); /* its first instant */
static inline instant_t
month_end(month_t m) /* its last instant: 1 ms before the next */
{
	return month_begin(m + 1) - 1;
}
instant_t day_begin(instant_t t); /* midnight before or at t */

void month_format(month_t m, char out[MONTH_TEXT_LEN + 1]);
void day_format(instant_t t, char out[DAY_TEXT_LEN + 1]);
/* "YYYY-MM", 1970-01 to 9999-12; false on anything else. */
SOUK_MUST bool month_parse(struct str s, month_t *ret);

#endif
