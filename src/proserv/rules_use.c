/* SPDX-License-Identifier: Apache-2.0 */
/* Product usage: fulfilment on time, and what the overview and the landing page have (PS-USE). */
#include "proserv/first_contact.h"
#include "proserv/links.h"
#include "proserv/rules_int.h"

#include "base/email.h"

#define OVERVIEW_MIN 100 /* code points: less has no room for a value proposition */

/* Says why when there is none and `tell` is set: the first of the rules that need it does. */
static bool
deadline(struct review *r, size_t i, bool tell, instant_t *ret)
{
	const struct listing_fulfilment *f = &r->listing->fulfilments[i];
	struct fail fail = { .err = SOUK_OK };

	if (!f->has_accepted) {
		if (tell)
			finding_add(r, at(r, "/fulfilments/%zu/accepted", i), NO_EVIDENCE,
			    "The time of acceptance is missing");
		return false;
	}
	if (first_contact_deadline(&f->calendar, f->accepted, ret, &fail) == SOUK_OK)
		return true;
	for (size_t k = 0; tell && k < fail.n; k++)
		finding_add(r, at(r, "/fulfilments/%zu/calendar/%s", i, fail.entry[k].field),
		    NO_EVIDENCE, "The calendar cannot be used: this %s", fail.entry[k].what);
	if (tell && fail.n == 0)
		finding_add(r, at(r, "/fulfilments/%zu/calendar", i), NO_EVIDENCE,
		    "The calendar has no two business days within ten years");
	return false;
}

/* Of the fulfilment with that deadline, at the time of the review. */
static struct fulfilment_verdict
judge(struct review *r, size_t i, instant_t limit)
{
	return fulfilment_judge(
	    &r->listing->fulfilments[i], limit, r->context->has_as_of ? &r->context->as_of : NULL);
}

static void
missed(struct review *r, size_t i, instant_t limit, const struct fulfilment_verdict *v)
{
	int64_t minutes = v->late_ms / MINUTE_MS;
	char text[INSTANT_TEXT_LEN + 1];

	instant_format(limit, text);
	finding_add(r, at(r, "/fulfilments/%zu", i), str_c(text),
	    "The deadline of first contact was missed by %lld h %lld min%s",
	    (long long)(minutes / 60), (long long)(minutes % 60),
	    v->contact_at == 0 ? " so far" : "");
}

void
check_first_contact(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_fulfilments; i++) {
		struct fulfilment_verdict v;
		instant_t limit;

		if (!deadline(r, i, true, &limit))
			continue;
		v = judge(r, i, limit);
		if (v.contact == FIRST_CONTACT_MISSED)
			missed(r, i, limit, &v);
		else if (v.contact == FIRST_CONTACT_UNKNOWN)
			not_checked(r, at(r, "/fulfilments/%zu", i),
			    "whether first contact is late, as the context has no as_of");
	}
}

void
check_delay_notice(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_fulfilments; i++) {
		enum delay_notice notice;
		instant_t limit;

		if (!deadline(r, i, false, &limit))
			continue;
		notice = judge(r, i, limit).notice;
		if (notice == DELAY_NOTICE_UNUSABLE || notice == DELAY_NOTICE_MISSING)
			finding_add(r, at(r, "/fulfilments/%zu/events", i), NO_EVIDENCE, "%s",
			    notice == DELAY_NOTICE_UNUSABLE
				? "The delay notice has no promised date, or came after the "
				  "deadline"
				: "Access was not immediate, and no delay notice was sent");
	}
}

void
check_access_confirmation(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_fulfilments; i++) {
		const struct listing_fulfilment *f = &r->listing->fulfilments[i];

		for (size_t k = 0; k < f->n_events; k++)
			if (f->events[k].kind == EVENT_ACCESS_GRANTED &&
			    !fulfilment_confirmed(f, k))
				finding_add(r, at(r, "/fulfilments/%zu/events/%zu", i, k),
				    NO_EVIDENCE, "No confirmation of this access was sent");
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
