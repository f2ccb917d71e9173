/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seller's business calendar: its time zone, days of rest, hours, holidays (specs/proserv.md 4).
 *
 * A calendar is saved whole and never changed: each saving is a revision, and a fulfilment keeps the one that
 * its deadline was computed by. A new calendar moves no deadline that is set; it counts for what is opened from
 * then on (fulfilment_recompute is the operator's exception). Holidays come as days or as an iCalendar file, which
 * is read once (base/holidays.h): only its days and their names stay.
 */
#ifndef SOUK_PROSERV_BUSINESS_CALENDAR_H
#define SOUK_PROSERV_BUSINESS_CALENDAR_H

#include "base/json.h"
#include "market/tenant.h"
#include "proserv/first_contact.h"
#include "store/db.h"

/* As a request has it: an iCalendar file in a JSON string, and many holidays. */
#define BUSINESS_CALENDAR_BODY_MAX ((size_t)1 << 20)
/* Days on end that may be closed: more would put a two days' deadline off at will. */
#define BUSINESS_CALENDAR_CLOSED_MAX 60

struct business_calendar {
	struct fulfilment_calendar times; /* as a listing document has it */
	struct str document;              /* the same and the holidays' names, JSON */
	int64_t revision;                 /* 0: the built-in one */
	instant_t changed_at;             /* 0 of the built-in one */
};

/*
 * From a JSON object {zone, weekend, open, close, holidays [{date, name}], icalendar}; the last two may be absent,
 * and the file's days come to those that are listed (today is for how far its rules are followed). Slices are of `mem`.
 * SOUK_E_INVALID names members as "holidays/3/date" and lines as "icalendar line 12".
 */
SOUK_MUST enum souk_err business_calendar_read(
    struct str text, day_t today, struct arena *mem, struct business_calendar *ret, struct fail *f);
/* The newest, or a revision; a seller without any has the built-in one: UTC, Monday to Friday, 09:00 to 17:00. */
SOUK_MUST enum souk_err business_calendar_load(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct business_calendar *ret);
SOUK_MUST enum souk_err business_calendar_load_revision(struct db_tx *tx, struct str seller_id,
    int64_t revision, struct arena *mem, struct business_calendar *ret);
/* The seller's own, or the operator's for it; else SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err business_calendar_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct arena *mem, struct business_calendar *ret);
/*
 * Saves it as the next revision. SOUK_E_INVALID: it closes more than BUSINESS_CALENDAR_CLOSED_MAX days on end within the
 * ten years to come (a calendar that never opens is one of those). `seen` revision, 0: any; else SOUK_E_PRECONDITION.
 * Revisions that no fulfilment goes by any more are dropped.
 */
SOUK_MUST enum souk_err business_calendar_set(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, int64_t seen, struct business_calendar *io, struct fail *f);
void business_calendar_json(
    struct str seller_id, const struct business_calendar *c, struct jw *out);

#endif
