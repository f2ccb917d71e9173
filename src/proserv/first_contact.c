/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of a fulfilment; see first_contact.h. */
#include "proserv/first_contact.h"

enum souk_err
first_contact_deadline(
    const struct fulfilment_calendar *c, instant_t accepted, instant_t *ret, struct fail *f)
{
	const struct calendar_spec spec = { .zone = c->zone,
		.weekend = c->weekend,
		.holidays = c->holidays,
		.n_holidays = c->n_holidays,
		.open = c->open,
		.close = c->close };
	struct calendar *calendar = NULL;
	enum souk_err r = calendar_new(&spec, &calendar, f);

	if (r != SOUK_OK)
		return r;
	if (!calendar_deadline(calendar, accepted, FIRST_CONTACT_DAYS, ret))
		r = fail_set(f, SOUK_E_INVALID, "never_open",
		    "The calendar has no two business days within ten years.");
	calendar_free(calendar);
	return r;
}

/* The earliest event of a kind. */
static bool
first_event(const struct listing_fulfilment *f, enum event_kind kind, instant_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i].kind == kind && f->events[i].has_at &&
		    (!found || f->events[i].at < *ret)) {
			*ret = f->events[i].at;
			found = true;
		}
	return found;
}

static void
judge_contact(const struct listing_fulfilment *f, instant_t deadline, const instant_t *as_of,
    struct fulfilment_verdict *v)
{
	instant_t contact = 0, access = 0, until;
	bool contacted = first_event(f, EVENT_CONTACT, &contact);
	bool granted = first_event(f, EVENT_ACCESS_GRANTED, &access);

	if (granted && (!contacted || access < contact))
		contact = access;
	if (!contacted && !granted && as_of == NULL) {
		v->contact = FIRST_CONTACT_UNKNOWN;
		return;
	}
	until = contacted || granted ? contact : *as_of;
	if (contacted || granted) {
		v->contact_at = contact;
		v->contact = contact > deadline ? FIRST_CONTACT_MISSED : FIRST_CONTACT_MET;
	} else {
		v->contact = *as_of > deadline ? FIRST_CONTACT_MISSED : FIRST_CONTACT_OPEN;
	}
	if (v->contact == FIRST_CONTACT_MISSED)
		v->late_ms = until - deadline;
}

static enum delay_notice
judge_notice(const struct listing_fulfilment *f, instant_t deadline, const instant_t *as_of)
{
	instant_t access = 0;
	bool granted = first_event(f, EVENT_ACCESS_GRANTED, &access), any = false;

	for (size_t i = 0; i < f->n_events; i++) {
		const struct fulfilment_event *e = &f->events[i];

		if (e->kind != EVENT_DELAY_NOTICE)
			continue;
		any = true;
		if (e->has_at && e->has_promised && e->at <= deadline)
			return DELAY_NOTICE_SENT;
	}
	/* Not granted yet and still time: nothing is due. */
	if (granted ? access <= f->accepted : as_of == NULL || *as_of <= deadline)
		return DELAY_NOTICE_NOT_DUE;
	return any ? DELAY_NOTICE_UNUSABLE : DELAY_NOTICE_MISSING;
}

struct fulfilment_verdict
fulfilment_judge(const struct listing_fulfilment *f, instant_t deadline, const instant_t *as_of)
{
	struct fulfilment_verdict v = { .notice = judge_notice(f, deadline, as_of) };

	judge_contact(f, deadline, as_of, &v);
	return v;
}

bool
fulfilment_confirmed(const struct listing_fulfilment *f, size_t k)
{
	size_t granted = 0, confirmed = 0;

	for (size_t m = 0; m < f->n_events; m++) {
		bool later = f->events[m].at >= f->events[k].at;

		granted += later && f->events[m].kind == EVENT_ACCESS_GRANTED;
		confirmed += later && f->events[m].kind == EVENT_ACCESS_CONFIRMATION;
	}
	return confirmed >= granted;
}
