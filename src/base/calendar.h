/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days, and business days: a working week in a time zone, with holidays and hours.
 *
 * Deadlines run in business days on somebody's calendar (proserv: two for first contact). Day 0 is the
 * day of the event, or the next business day when it comes on a closed day or after close; before
 * opening is still that day. A deadline is the close of business day n.
 */
#ifndef SOUK_BASE_CALENDAR_H
#define SOUK_BASE_CALENDAR_H

#include "base/clock.h"

/* A day of the calendar without a zone: days since 1970-01-01, of the years 1 to 9999. */
typedef int32_t day_t;
#define DAY_NONE INT32_MIN

/* "2026-01-31" exactly. */
SOUK_MUST bool day_parse(struct str s, day_t *ret);
#define DAY_TEXT_LEN 10 /* "YYYY-MM-DD" */
void day_write(day_t d, char out[DAY_TEXT_LEN + 1]);
static inline day_t
day_of(instant_t t) /* in UTC */
{
	return (day_t)(t / DAY_MS - (t % DAY_MS < 0));
}
unsigned day_weekday(day_t d); /* 0 is Sunday */
/* "09:30", 00:00 to 24:00, as minutes of the day. */
SOUK_MUST bool minute_parse(struct str s, int *ret);

struct calendar_spec {
	struct str zone;       /* IANA, as "Europe/Berlin"; the system's time zone data decides */
	uint8_t weekend;       /* closed days of the week, bit 0 is Sunday */
	const day_t *holidays; /* in any order */
	size_t n_holidays;
	int open, close; /* minutes of the day, open < close <= 24:00 */
};

struct calendar;

/*
 * Copies what it needs. SOUK_E_INVALID names the members that cannot be used: "zone", "weekend" (no day
 * is left), "open", "close".
 */
SOUK_MUST enum souk_err calendar_new(
    const struct calendar_spec *spec, struct calendar **ret, struct fail *f);
void calendar_free(struct calendar *c); /* accepts NULL */

bool calendar_is_open_day(const struct calendar *c, day_t d);
/* The local day and minute of an instant. */
day_t calendar_local(const struct calendar *c, instant_t t, int *ret_minute);
/*
 * The instant of a local time. One that the clocks jump over is the moment of the jump; of one that
 * they show twice, the later.
 */
instant_t calendar_instant(const struct calendar *c, day_t d, int minute);

#define CALENDAR_SEARCH_DAYS 3660
/* False when `days` business days do not come within CALENDAR_SEARCH_DAYS. */
SOUK_MUST bool calendar_deadline(
    const struct calendar *c, instant_t from, unsigned days, instant_t *ret);

#endif
