/* SPDX-License-Identifier: Apache-2.0 */
/* Private offers: who, until when, with which papers (PS-OFF). Prices are in rules_offer_price.c. */
#include "proserv/rules_int.h"

#define BUYERS_MAX 25
#define ACCOUNT_DIGITS 12

/* Not accepted and not expired: what may still be mended, and sold. */
static bool
is_open(const struct listing_offer *o)
{
	return o->state != OFFER_ACCEPTED && o->state != OFFER_EXPIRED;
}

void
check_private_only(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++)
		if (r->listing->offers[i].is_public)
			finding_add(r, at(r, "/offers/%zu/public", i), NO_EVIDENCE,
			    "Professional services are not sold by a public offer");
}

static bool
is_account(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == ACCOUNT_DIGITS;
}

static bool
is_repeated_buyer(const struct listing_offer *o, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(o->buyers[k].account, o->buyers[i].account))
			return true;
	return false;
}

static void
check_buyers_of(struct review *r, size_t i)
{
	const struct listing_offer *o = &r->listing->offers[i];

	if (o->n_buyers < 1 || o->n_buyers > BUYERS_MAX)
		finding_add(r, at(r, "/offers/%zu/buyers", i), NO_EVIDENCE,
		    "There are %zu buyer accounts, where 1 to %d are allowed", o->n_buyers,
		    BUYERS_MAX);
	for (size_t k = 0; k < o->n_buyers && k <= BUYERS_MAX; k++) {
		if (!is_account(o->buyers[k].account))
			finding_add(r, at(r, "/offers/%zu/buyers/%zu/account", i, k), NO_EVIDENCE,
			    "The buyer's account is not a number of %d digits", ACCOUNT_DIGITS);
		else if (is_repeated_buyer(o, k))
			finding_add(r, at(r, "/offers/%zu/buyers/%zu/account", i, k), NO_EVIDENCE,
			    "The buyer's account is named twice");
	}
}

void
check_buyers(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++)
		check_buyers_of(r, i);
}

/* The day of the first charge: of the schedule, or of the acceptance. DAY_NONE: not known yet. */
static day_t
first_charge(const struct listing_offer *o)
{
	day_t d = o->has_accepted_at ? day_of(o->accepted_at) : DAY_NONE;

	if (o->pricing != PRICING_SCHEDULE)
		return d;
	d = DAY_NONE;
	for (size_t i = 0; i < o->n_schedule; i++)
		if (o->schedule[i].date != DAY_NONE && (d == DAY_NONE || o->schedule[i].date < d))
			d = o->schedule[i].date;
	return d;
}

void
check_agreement_end(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];
		const char *pointer = at(r, "/offers/%zu/agreement_end", i);
		day_t charge = first_charge(o);

		if (o->agreement_end == DAY_NONE) {
			finding_add(r, pointer, NO_EVIDENCE, "The end of the agreement is missing");
			continue;
		}
		if (is_open(o) && !r->context->has_as_of)
			not_checked(
			    r, pointer, "whether it is to come, as the context has no as_of");
		else if (is_open(o) && o->agreement_end <= day_of(r->context->as_of))
			finding_add(
			    r, pointer, NO_EVIDENCE, "The agreement's end is not after today");
		if (charge != DAY_NONE && o->agreement_end <= charge)
			finding_add(r, pointer, NO_EVIDENCE,
			    "The agreement's end is not after the first charge");
	}
}

static bool
is_text_or_pdf(struct str type)
{
	static const char *const types[] = { "text", "txt", "text/plain", "pdf",
		"application/pdf" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_eq_nocase(str_trim(type), str_c(types[i])))
			return true;
	return false;
}

void
check_agreement_documents(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];

		if (o->n_documents == 0)
			finding_add(r, at(r, "/offers/%zu/documents", i), NO_EVIDENCE,
			    "There is no service agreement");
		for (size_t k = 0; k < o->n_documents; k++)
			if (!is_text_or_pdf(o->documents[k].type))
				finding_add(r, at(r, "/offers/%zu/documents/%zu/type", i, k),
				    o->documents[k].type, "The document is neither text nor PDF");
	}
}

void
check_expiry(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];
		const char *pointer = at(r, "/offers/%zu/expires", i);

		if (o->expires == DAY_NONE)
			finding_add(
			    r, pointer, NO_EVIDENCE, "The last day to accept the offer is missing");
		else if (!is_open(o))
			continue;
		else if (!r->context->has_as_of)
			not_checked(r, pointer, "whether it is past, as the context has no as_of");
		else if (o->expires < day_of(r->context->as_of))
			finding_add(
			    r, pointer, NO_EVIDENCE, "The last day to accept the offer is past");
	}
}

void
check_not_edited(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];

		if (!o->has_edited_at)
			continue;
		if (o->has_accepted_at && o->edited_at > o->accepted_at)
			finding_add(r, at(r, "/offers/%zu/edited_at", i), NO_EVIDENCE,
			    "The offer was edited after it had been accepted");
		else if (o->state == OFFER_EXPIRED && o->expires != DAY_NONE &&
			 day_of(o->edited_at) > o->expires)
			finding_add(r, at(r, "/offers/%zu/edited_at", i), NO_EVIDENCE,
			    "The offer was edited after it had expired");
	}
}

void
check_product_available(struct review *r)
{
	const struct listing *l = r->listing;
	bool available =
	    l->product_state == PRODUCT_ACTIVE &&
	    (l->visibility == VISIBILITY_LIMITED || l->visibility == VISIBILITY_PUBLIC);

	for (size_t i = 0; i < l->n_offers && !available; i++)
		if (is_open(&l->offers[i]))
			finding_add(r, at(r, "/offers/%zu", i), NO_EVIDENCE,
			    "The product is a draft or restricted, so nothing can be offered");
}

void
check_private_marketplace(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];

		for (size_t k = 0; k < o->n_buyers && is_open(o); k++)
			if (o->buyers[k].private_marketplace)
				finding_add(r,
				    at(r, "/offers/%zu/buyers/%zu/private_marketplace", i, k),
				    o->buyers[k].account, "The buyer uses a private marketplace");
	}
}

void
check_refund_policy(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++)
		if (utf8_is_blank(r->listing->offers[i].refund_policy))
			finding_add(r, at(r, "/offers/%zu/refund_policy", i), NO_EVIDENCE,
			    "The offer states no refund policy");
}
