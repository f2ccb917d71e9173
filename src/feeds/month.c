/* SPDX-License-Identifier: Apache-2.0 */
/* Months and days out of instants, without time zones or libc's calendar. */
#include "feeds/month.h"

#include <stdio.h>

/* Days of 400 years, a whole cycle of the calendar. */
#define DAYS_400 INT64_C(146097)
/* From 0000-03-01, where the cycle is counted from (leap days are then last), to 1970-01-01. */
#define DAYS_TO_1970 INT64_C(719468)

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of the first of a month. */
static int64_t
days_of_month(month_t m)
{
	/* Years that begin in March. */
	int64_t from_march = (int64_t)m - 2, year = floor_div(from_march, 12);
	int64_t month = from_march - year * 12;

	return year * 365 + floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400) +
	       (153 * month + 2) / 5 - DAYS_TO_1970;
}

instant_t
month_begin(month_t m)
{
	return days_of_month(m) * DAY_MS;
}

instant_t
day_begin(instant_t t)
{
	return floor_div(t, DAY_MS) * DAY_MS;
}

month_t
month_of(instant_t t)
{
	int64_t days = floor_div(t, DAY_MS) + DAYS_TO_1970, cycle = floor_div(days, DAYS_400);
	int64_t day = days - cycle * DAYS_400; /* within the cycle */
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t month = (5 * (day - (365 * year + year / 4 - year / 100)) + 2) / 153;

	return (month_t)((cycle * 400 + year) * 12 + month + 2);
}

void
month_format(month_t m, char out[MONTH_TEXT_LEN + 1])
{
	unsigned year = (unsigned)m / 12 % 10000, month = (unsigned)m % 12 + 1;

	for (int i = 3; i >= 0; i--, year /= 10)
		out[i] = (char)('0' + year % 10);
	out[4] = '-';
	out[5] = (char)('0' + month / 10);
	out[6] = (char)('0' + month % 10);
	out[7] = '\0';
}

void
day_format(instant_t t, char out[DAY_TEXT_LEN + 1])
{
	month_t m = month_of(t);
	int64_t day = floor_div(t, DAY_MS) - days_of_month(m) + 1;

	month_format(m, out);
	out[7] = '-';
	out[8] = (char)('0' + day / 10);
	out[9] = (char)('0' + day % 10);
	out[10] = '\0';
}

bool
month_parse(struct str s, month_t *ret)
{
	uint64_t year, month;

	if (s.n != MONTH_TEXT_LEN || s.p[4] != '-' ||
	    !str_to_u64((struct str){ s.p, 4 }, 9999, &year) ||
	    !str_to_u64((struct str){ s.p + 5, 2 }, 12, &month) || year < 1970 || month == 0)
		return false;
	*ret = (month_t)(year * 12 + month - 1);
	return true;
}
