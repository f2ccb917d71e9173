/* SPDX-License-Identifier: Apache-2.0 */
/* Private offers: what they cost and when it is charged (PS-OFF). */
#include "proserv/rules_int.h"

#define INSTALMENTS_MAX 60
#define APPROVAL_ABOVE (250000 * MONEY_ONE) /* USD */

static bool
has_dimension(const struct listing *l, struct str key)
{
	for (size_t i = 0; i < l->n_dimensions; i++)
		if (str_eq(l->dimensions[i].key, key))
			return true;
	return false;
}

static void
check_price_dimension(struct review *r, size_t i, size_t k)
{
	struct str key = r->listing->offers[i].prices[k].dimension;

	if (!has_dimension(r->listing, key))
		finding_add(r, at(r, "/offers/%zu/prices/%zu/dimension", i, k), key,
		    "The product has no dimension of this key");
}

static void
check_lump_sum_of(struct review *r, size_t i)
{
	const struct listing_offer *o = &r->listing->offers[i];

	if (o->n_prices == 0)
		finding_add(r, at(r, "/offers/%zu/prices", i), NO_EVIDENCE,
		    "No dimension of the offer has a price");
	for (size_t k = 0; k < o->n_prices; k++) {
		const struct offer_price *p = &o->prices[k];

		check_price_dimension(r, i, k);
		if (!p->price.given)
			finding_add(r, at(r, "/offers/%zu/prices/%zu/price", i, k), NO_EVIDENCE,
			    "The price is missing");
		else if (p->price.value < 0)
			finding_add(r, at(r, "/offers/%zu/prices/%zu/price", i, k), NO_EVIDENCE,
			    "The price is negative");
	}
}

void
check_lump_sum(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		if (r->listing->offers[i].pricing == PRICING_UNKNOWN)
			finding_add(r, at(r, "/offers/%zu/pricing", i), NO_EVIDENCE,
			    "The offer does not say how it is paid");
		if (r->listing->offers[i].pricing == PRICING_LUMP_SUM)
			check_lump_sum_of(r, i);
	}
}

/* Charges fall between the agreement's first day, as far as it is known, and its last. */
static void
check_instalment(struct review *r, size_t i, size_t k)
{
	const struct listing_offer *o = &r->listing->offers[i];
	const struct offer_instalment *x = &o->schedule[k];
	const char *pointer = at(r, "/offers/%zu/schedule/%zu/date", i, k);

	if (!x->amount.given || x->amount.value < 0)
		finding_add(r, at(r, "/offers/%zu/schedule/%zu/amount", i, k), NO_EVIDENCE,
		    "The instalment's amount is missing or negative");
	if (x->date == DAY_NONE)
		finding_add(r, pointer, NO_EVIDENCE, "The instalment has no date");
	else if (o->agreement_end != DAY_NONE && x->date > o->agreement_end)
		finding_add(
		    r, pointer, NO_EVIDENCE, "The instalment is due after the agreement's end");
	else if (o->has_accepted_at && x->date < day_of(o->accepted_at))
		finding_add(
		    r, pointer, NO_EVIDENCE, "The instalment is due before the agreement begins");
	else if (!o->has_accepted_at && r->context->has_as_of && o->state != OFFER_EXPIRED &&
		 x->date < day_of(r->context->as_of))
		finding_add(r, pointer, NO_EVIDENCE, "The instalment is due on a day that is past");
}

static void
check_sum(struct review *r, size_t i)
{
	const struct listing_offer *o = &r->listing->offers[i];
	char text[MONEY_TEXT_SIZE];
	money_t sum = 0;

	for (size_t k = 0; k < o->n_schedule; k++)
		sum += o->schedule[k].amount.given ? o->schedule[k].amount.value : 0;
	if (!o->total.given) {
		finding_add(r, at(r, "/offers/%zu/total", i), NO_EVIDENCE, "The total is missing");
	} else if (sum != o->total.value) {
		(void)money_format_exact(sum, 2, text);
		finding_add(r, at(r, "/offers/%zu/total", i), str_c(text),
		    "The instalments add up to %s, which is not the total", text);
	}
}

static void
check_schedule_of(struct review *r, size_t i)
{
	const struct listing_offer *o = &r->listing->offers[i];
	size_t early = 0;

	if (o->n_prices != 1)
		finding_add(r, at(r, "/offers/%zu/prices", i), NO_EVIDENCE,
		    "A payment schedule is for exactly one dimension, not %zu", o->n_prices);
	else
		check_price_dimension(r, i, 0);
	if (o->n_schedule < 1 || o->n_schedule > INSTALMENTS_MAX)
		finding_add(r, at(r, "/offers/%zu/schedule", i), NO_EVIDENCE,
		    "There are %zu instalments, where 1 to %d are allowed", o->n_schedule,
		    INSTALMENTS_MAX);
	for (size_t k = 0; k < o->n_schedule; k++) {
		check_instalment(r, i, k);
		if (o->expires != DAY_NONE && o->schedule[k].date != DAY_NONE &&
		    o->schedule[k].date < o->expires && ++early == 2)
			finding_add(r, at(r, "/offers/%zu/schedule/%zu/date", i, k), NO_EVIDENCE,
			    "More than one instalment is due before the last day to accept");
	}
	if (o->n_schedule > 0)
		check_sum(r, i);
}

void
check_schedule(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++)
		if (r->listing->offers[i].pricing == PRICING_SCHEDULE)
			check_schedule_of(r, i);
}

void
check_invoice_terms(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];

		for (size_t k = 0; k < o->n_buyers && o->pricing == PRICING_SCHEDULE; k++)
			if (!o->buyers[k].invoice_terms)
				finding_add(r, at(r, "/offers/%zu/buyers/%zu/invoice_terms", i, k),
				    NO_EVIDENCE,
				    "The buyer is not on invoice terms, so there are no "
				    "instalments");
	}
}

/* Of a schedule only the total is a price: its dimension's is 0 by form. */
static bool
has_zero_price(const struct listing_offer *o)
{
	for (size_t k = 0; k < o->n_prices && o->pricing != PRICING_SCHEDULE; k++)
		if (o->prices[k].price.given && o->prices[k].price.value == 0)
			return true;
	return o->total.given && o->total.value == 0;
}

void
check_zero_price(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++)
		if (has_zero_price(&r->listing->offers[i]) &&
		    !r->listing->offers[i].zero_price_confirmed)
			finding_add(r, at(r, "/offers/%zu/zero_price_confirmed", i), NO_EVIDENCE,
			    "A price is zero, and nobody confirmed it");
}

/* What the offer says, or what its prices add up to. */
static money_t
total_of(const struct listing_offer *o)
{
	money_t sum = 0;

	for (size_t k = 0; k < o->n_prices; k++)
		sum += o->prices[k].price.given ? o->prices[k].price.value : 0;
	return o->total.given ? o->total.value : sum;
}

void
check_large_total(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];

		if ((o->currency.n == 0 || str_eq(o->currency, STR("USD"))) &&
		    total_of(o) > APPROVAL_ABOVE && utf8_is_blank(o->approval))
			finding_add(r, at(r, "/offers/%zu/approval", i), NO_EVIDENCE,
			    "A total above 250,000 USD may need the operator's approval");
	}
}

/* One finding for each price that is not its dimension's first. */
void
check_one_price(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_offers; i++) {
		const struct listing_offer *o = &r->listing->offers[i];

		for (size_t k = 0; k < o->n_prices; k++)
			for (size_t m = 0; m < k; m++)
				if (str_eq(o->prices[m].dimension, o->prices[k].dimension)) {
					finding_add(r,
					    at(r, "/offers/%zu/prices/%zu/dimension", i, k),
					    o->prices[k].dimension,
					    "The dimension has a price in this offer already");
					break;
				}
	}
}
