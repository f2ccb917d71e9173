/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products, offers and their targets of made-up feeds, and the mappings of old ids. A product
 * has a public offer from the first month on; private offers for single organisations follow.
 */
#include "feeds/make_int.h"

#define OFFERS_A_MONTH 4 /* private ones */

static uint64_t
product_key(const struct make_world *w, unsigned product)
{
	return make_key(w->seed, KIND_PRODUCT, product, 0);
}

/* Ids of products and offers: a prefix and 13 letters and digits. */
static void
short_id(struct buf *b, const char *prefix, uint64_t key)
{
	char text[14];

	for (unsigned i = 0; i < 13; i++, key = make_mix(key))
		text[i] = "abcdefghijklmnopqrstuvwxyz234567"[key & 31];
	text[13] = ',';
	buf_add_c(b, prefix);
	buf_add(b, text, sizeof(text));
}

void
make_product_id(struct buf *b, const struct make_world *w, unsigned product)
{
	short_id(b, "prod-", product_key(w, product));
}

static void
product_row(
    struct make_world *w, unsigned product, const char *suffix, const struct make_history *h)
{
	struct buf *b = make_row(w->out, FEED_PRODUCT);
	uint64_t k = product_key(w, product);
	char title[120];

	make_product_id(b, w, product);
	make_id(b,
	    make_product_role(product) == ROLE_RESOLD ? make_manufacturer(w, product) : w->seller);
	short_id(b, "", k + 1);
	(void)snprintf(title, sizeof(title), "%s%s%s", make_titles[product % make_n_titles],
	    product >= make_n_titles ? " Plus" : "", suffix);
	make_text(b, str_c(title));
	make_row_end(w->out, FEED_PRODUCT, h);
}

static void
mapping_row(struct make_world *w, const char *type, uint64_t key, const struct make_history *h)
{
	struct buf *b = make_row(w->out, FEED_LEGACY_MAPPING);

	make_literal(b, type);
	make_uuid(b, make_key(w->seed, KIND_LEGACY, key, 0));
	short_id(b, type[0] == 'P' ? "prod-" : "offer-", key);
	make_row_end(w->out, FEED_LEGACY_MAPPING, h);
}

struct offer {
	uint64_t key;
	unsigned revision, product, name;
	bool ends; /* expires a year later */
};

static void
offer_row(struct make_world *w, const struct offer *o, const struct make_history *h)
{
	struct buf *b = make_row(w->out, FEED_OFFER);
	bool resold = make_product_role(o->product) == ROLE_RESOLD;

	short_id(b, "offer-", o->key);
	make_number(b, o->revision);
	buf_printf(b,
	    o->ends ? "\"Private offer %u, revised %u times\"," : "Public offer %u of %u,", o->name,
	    o->revision);
	make_instant(b, o->ends ? h->valid_from + 365 * INT64_C(86400) : INT64_C(253370764800));
	if (resold)
		buf_printf(b, "Deal %u,\"Registered deal, with \"\"partner\"\" %u\",", o->name,
		    o->product);
	else
		make_literal(b, ",");
	make_id(
	    b, make_product_role(o->product) == ROLE_MADE ? make_reseller(w, o->name) : w->seller);
	make_id(b, resold ? make_key(w->seed, KIND_OPPORTUNITY, o->product, 0) | 1 : 0);
	make_row_end(w->out, FEED_OFFER, h);
	b = make_row(w->out, FEED_OFFER_PRODUCT);
	short_id(b, "offer-", o->key);
	make_number(b, o->revision);
	make_product_id(b, w, o->product);
	make_row_end(w->out, FEED_OFFER_PRODUCT, h);
}

/* `org` below 0: a program in place of buyers. */
static void
target_row(
    struct make_world *w, const struct offer *o, unsigned n, int org, const struct make_history *h)
{
	struct buf *b = make_row(w->out, FEED_OFFER_TARGET);

	make_id(b, make_key(w->seed, KIND_TARGET, o->key, n) | 1);
	short_id(b, "offer-", o->key);
	make_number(b, o->revision);
	make_literal(b, org >= 0 ? "BuyerAccounts" : "ParticipatingPrograms");
	make_literal(b, n == 1 ? "NegativeTargeting" : "PositiveTargeting");
	if (org >= 0)
		make_account_number(b, w->seed, 16 + (uint64_t)org * MAKE_MEMBERS);
	else
		make_literal(b, o->name % 2 == 0 ? "EnterpriseContract" : "FieldDemonstration");
	make_row_end(w->out, FEED_OFFER_TARGET, h);
}

static void
first_month(struct make_world *w)
{
	struct make_history h = { .valid_from = w->start[0] - 20 * 86400,
		.insert = w->start[0] + 80000,
		.update = w->start[0] + 80000 };

	for (unsigned p = 0; p < w->products; p++) {
		struct offer o = { make_key(w->seed, KIND_OFFER, p, 0), 1, p, p, false };

		product_row(w, p, p % 7 == 2 && !w->o->plain ? " (draft)" : "", &h);
		offer_row(w, &o, &h);
		if (p % 4 == 0)
			mapping_row(w, "PRODUCT", product_key(w, p), &h);
		if (p % 4 == 1)
			mapping_row(w, "OFFER", o.key, &h);
		if (p % 6 == 5)
			target_row(w, &o, 0, -1, &h);
	}
}

/* A title corrected, a product renamed, one that was never meant to be. */
static void
product_changes(struct make_world *w, int month)
{
	for (unsigned p = 0; p < w->products; p++) {
		struct make_history h = { .valid_from = w->start[0] - 20 * 86400,
			.insert = w->start[0] + 80000,
			.update = w->start[month] + 80100 };

		if (month == 1 && p % 7 == 2 && !w->o->plain)
			product_row(w, p, "", &h);
		h.insert = h.update;
		h.valid_from = w->start[month] + 3600;
		if (month == 3 && p % 5 == 1)
			product_row(w, p, " Next", &h);
	}
	if ((month == 1 || month == 2) && !w->o->plain)
		product_row(w, 1000, " (mistake)",
		    &(struct make_history){ .valid_from = w->start[1],
			.insert = w->start[1] + 80200,
			.update = w->start[month] + 80200,
			.deleted = month == 2 ? w->start[2] + 80200 : 0 });
}

void
make_catalog_month(struct make_world *w, int month)
{
	struct make_history h = { .valid_from = w->start[month] + 7200,
		.insert = w->start[month] + 80300,
		.update = w->start[month] + 80300 };

	if (month == 0)
		first_month(w);
	else
		product_changes(w, month);
	for (unsigned i = 0; i < OFFERS_A_MONTH; i++) {
		uint64_t k = make_key(w->seed, KIND_OFFER, (uint64_t)month + 1, i + 1);
		unsigned name = (unsigned)month * OFFERS_A_MONTH + i;
		struct offer o = { k, 1, make_draw(k, 1, w->products), name, true };
		unsigned org = make_draw(k, 2, make_orgs_in(w, month));

		offer_row(w, &o, &h);
		target_row(w, &o, 0, (int)org, &h);
		if (i == 2)
			target_row(w, &o, 1, (int)((org + 1) % w->orgs), &h);
		if (i == 3) { /* revised the same day */
			o.revision = 2;
			offer_row(w, &o, &h);
			target_row(w, &o, 2, (int)org, &h);
		}
	}
}
