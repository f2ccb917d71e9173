/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holidays out of an iCalendar file (RFC 5545), as calendars of public holidays are handed out.
 *
 * Of the file's VEVENTs only what says when is read: DTSTART, DTEND or DURATION, RRULE, RDATE, EXDATE, STATUS, and
 * SUMMARY as the name. libical reads the values; zones are the system's, by their IANA names, so that no file
 * brings rules of its own (VTIMEZONE is passed over, as is all else). An event of whole days closes
 * them; one with times closes each day whose hours it covers, and no other. Cancelled events do not count; whether
 * an event blocks its owner's time (TRANSP) is of no interest.
 *
 * What a hostile file can cost is bounded: its size, its events, how often each repeats (yearly and monthly rules
 * only, and only as far as the window goes), how many days come out.
 */
#ifndef SOUK_BASE_HOLIDAYS_H
#define SOUK_BASE_HOLIDAYS_H

#include "base/arena.h"
#include "base/calendar.h"

#define HOLIDAYS_BYTES_MAX ((size_t)512 << 10) /* of a file */
#define HOLIDAYS_EVENTS_MAX 5000
#define HOLIDAYS_MAX 4000    /* days */
#define HOLIDAY_NAME_MAX 100 /* code points; longer names are cut */
#define HOLIDAY_DAYS_MAX 366 /* of one event */

/* What the arena needs to hold, at most. */
#define HOLIDAYS_ARENA ((size_t)4 << 20)

struct holiday {
	day_t day;
	struct str name; /* valid UTF-8 without control characters; may be "" */
};

struct holidays_window {
	day_t from, to;  /* both included; other days are left out */
	struct str zone; /* whose days they are; where times without a zone are */
	int open, close; /* minutes of the day: see above */
};

/*
 * *ret lies in the arena, ordered by day, each day once. SOUK_E_INVALID names the line, "icalendar line 12", and what to
 * mend there; SOUK_E_LIMIT says which bound was met. The file's text stands in no word of it.
 */
SOUK_MUST enum souk_err holidays_read(struct str text, const struct holidays_window *w,
    struct arena *mem, const struct holiday **ret, size_t *ret_n, struct fail *f);

#endif
