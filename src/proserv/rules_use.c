/* SPDX-License-Identifier: Apache-2.0 */
/* Product usage: fulfilment on time, and what the overview and the landing page have (PS-USE). */
#include "proserv/links.h"
#include "proserv/rules_int.h"

#include "base/calendar.h"
#include "base/email.h"

#include <stdio.h>

#define CONTACT_DAYS 2   /* business days */
#define OVERVIEW_MIN 100 /* code points: less has no room for a value proposition */

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

/* Says why when there is none and `tell` is set: the first of the rules that need it does. */
static bool
deadline(struct review *r, size_t i, bool tell, instant_t *ret)
{
	const struct listing_fulfilment *f = &r->listing->fulfilments[i];
	const struct calendar_spec spec = { .zone = f->calendar.zone,
		.weekend = f->calendar.weekend,
		.holidays = f->calendar.holidays,
		.n_holidays = f->calendar.n_holidays,
		.open = f->calendar.open,
		.close = f->calendar.close };
	struct calendar *c = NULL;
	struct fail fail = { .err = SOUK_OK };
	bool found;

	if (!f->has_accepted) {
		if (tell)
			finding_add(r, at(r, "/fulfilments/%zu/accepted", i), NO_EVIDENCE,
			    "The time of acceptance is missing");
		return false;
	}
	if (calendar_new(&spec, &c, &fail) != SOUK_OK) {
		for (size_t k = 0; tell && k < fail.n; k++)
			finding_add(r,
			    at(r, "/fulfilments/%zu/calendar/%s", i, fail.entry[k].field),
			    NO_EVIDENCE, "The calendar cannot be used: this %s",
			    fail.entry[k].what);
		return false;
	}
	found = calendar_deadline(c, f->accepted, CONTACT_DAYS, ret);
	calendar_free(c);
	if (!found && tell)
		finding_add(r, at(r, "/fulfilments/%zu/calendar", i), NO_EVIDENCE,
		    "The calendar has no two business days within ten years");
	return found;
}

static void
missed(struct review *r, size_t i, instant_t limit, instant_t when, const char *what)
{
	int64_t minutes = (when - limit) / MINUTE_MS;
	char text[INSTANT_TEXT_LEN + 1];

	instant_format(limit, text);
	finding_add(r, at(r, "/fulfilments/%zu", i), str_c(text),
	    "The deadline of first contact was missed by %lld h %lld min%s",
	    (long long)(minutes / 60), (long long)(minutes % 60), what);
}

void
check_first_contact(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_fulfilments; i++) {
		const struct listing_fulfilment *f = &r->listing->fulfilments[i];
		instant_t limit, contact = 0, access = 0;
		bool contacted = first_event(f, EVENT_CONTACT, &contact);
		bool granted = first_event(f, EVENT_ACCESS_GRANTED, &access);

		if (!deadline(r, i, true, &limit))
			continue;
		if (granted && (!contacted || access < contact))
			contact = access;
		if (contacted || granted) {
			if (contact > limit)
				missed(r, i, limit, contact, "");
		} else if (!r->context->has_as_of) {
			not_checked(r, at(r, "/fulfilments/%zu", i),
			    "whether first contact is late, as the context has no as_of");
		} else if (r->context->as_of > limit) {
			missed(r, i, limit, r->context->as_of, " so far");
		}
	}
}

static bool
has_notice(const struct listing_fulfilment *f, instant_t limit, bool *ret_any)
{
	for (size_t i = 0; i < f->n_events; i++) {
		const struct fulfilment_event *e = &f->events[i];

		if (e->kind != EVENT_DELAY_NOTICE)
			continue;
		*ret_any = true;
		if (e->has_at && e->has_promised && e->at <= limit)
			return true;
	}
	return false;
}

void
check_delay_notice(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_fulfilments; i++) {
		const struct listing_fulfilment *f = &r->listing->fulfilments[i];
		instant_t limit, access = 0;
		bool granted = first_event(f, EVENT_ACCESS_GRANTED, &access), any = false;

		if (!deadline(r, i, false, &limit) || has_notice(f, limit, &any))
			continue;
		/* Not granted yet and still time: nothing is due. */
		if (granted ? access > f->accepted
			    : r->context->has_as_of && r->context->as_of > limit)
			finding_add(r, at(r, "/fulfilments/%zu/events", i), NO_EVIDENCE, "%s",
			    any ? "The delay notice has no promised date, or came after the "
				  "deadline"
				: "Access was not immediate, and no delay notice was sent");
	}
}

void
check_access_confirmation(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_fulfilments; i++) {
		const struct listing_fulfilment *f = &r->listing->fulfilments[i];

		for (size_t k = 0; k < f->n_events; k++) {
			const struct fulfilment_event *e = &f->events[k];
			size_t granted = 0, confirmed = 0;

			if (e->kind != EVENT_ACCESS_GRANTED)
				continue;
			/* From this one on there are as many confirmations as accesses. */
			for (size_t m = 0; m < f->n_events; m++) {
				bool later = f->events[m].at >= e->at;

				granted += later && f->events[m].kind == EVENT_ACCESS_GRANTED;
				confirmed +=
				    later && f->events[m].kind == EVENT_ACCESS_CONFIRMATION;
			}
			if (confirmed < granted)
				finding_add(r, at(r, "/fulfilments/%zu/events/%zu", i, k),
				    NO_EVIDENCE, "No confirmation of this access was sent");
		}
	}
}

static bool
can_be_reached(const struct listing_contact *c)
{
	switch (c->kind) {
	case CONTACT_UNKNOWN:
		return false;
	case CONTACT_EMAIL:
		return email_plausible(str_trim(c->value));
	case CONTACT_PHONE:
		return phone_plausible(str_trim(c->value));
	case CONTACT_URL:
		return link_parse(str_trim(c->value), NULL);
	}
	return false;
}

void
check_landing_page(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_contacts; i++)
		if (can_be_reached(&r->listing->contacts[i]))
			return;
	finding_add(r, "/landing_page/contacts", NO_EVIDENCE, "%s",
	    r->listing->n_contacts > 0
		? "No contact here is a usable e-mail address, phone number or https link"
		: "The landing page has no way to get into contact");
}

void
check_value_proposition(struct review *r)
{
	const struct listing *l = r->listing;
	bool highlighted = false;

	for (size_t i = 0; i < l->highlights.n; i++)
		highlighted |= !utf8_is_blank(l->highlights.v[i]);
	if (!highlighted)
		finding_add(r, "/highlights", NO_EVIDENCE, "No highlight states the value");
	if (utf8_is_blank(l->long_description) || utf8_length(l->long_description) < OVERVIEW_MIN)
		finding_add(r, "/long_description", NO_EVIDENCE,
		    "The overview has fewer than %d characters, too few to state a value",
		    OVERVIEW_MIN);
}

void
check_documentation_link(struct review *r)
{
	const struct listing *l = r->listing;

	for (size_t i = 0; i < l->n_resources; i++)
		if (link_parse(str_trim(l->resources[i].url), NULL))
			return;
	if (!link_within(l->long_description))
		finding_add(r, "/resources", NO_EVIDENCE,
		    "Neither the resources nor the overview have an https link to documentation");
}

void
check_service_terms(struct review *r)
{
	const struct listing_terms *t = &r->listing->terms;

	if (t->kind == TERMS_UNKNOWN)
		finding_add(r, "/terms", NO_EVIDENCE, "There are no service terms");
	else if (utf8_is_blank(t->value))
		finding_add(r, "/terms/value", NO_EVIDENCE, "The service terms are empty");
	else if (t->kind == TERMS_URL && !link_parse(str_trim(t->value), NULL))
		finding_add(r, "/terms/value", t->value, "The terms' link is no https link");
}
