/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts and addresses of made-up feeds. An organisation has a payer and up to three more
 * accounts; some move, some are corrected, some of their addresses come a month late.
 */
#include "feeds/make_int.h"

uint64_t
make_account(const struct make_world *w, unsigned org, unsigned member)
{
	return make_key(w->seed, KIND_ACCOUNT, org, member) | 1;
}

uint64_t
make_manufacturer(const struct make_world *w, unsigned product)
{
	return make_key(w->seed, KIND_MANUFACTURER, product / 5 % MAKE_MANUFACTURERS, 0) | 1;
}

uint64_t
make_reseller(const struct make_world *w, unsigned n)
{
	return make_key(w->seed, KIND_RESELLER, n % MAKE_RESELLERS, 0) | 1;
}

static uint64_t
org_key(const struct make_world *w, unsigned org)
{
	return make_key(w->seed, KIND_ORG, org, 0);
}

const struct make_place *
make_place_of(const struct make_world *w, unsigned org)
{
	/* The first have the first places, so that small feeds are mixed too. */
	return org < make_n_places ? &make_places[org]
				   : &make_places[make_draw(org_key(w, org), 1, make_n_places)];
}

unsigned
make_members(const struct make_world *w, unsigned org)
{
	return 1 + make_draw(org_key(w, org), 2, MAKE_MEMBERS);
}

unsigned
make_orgs_in(const struct make_world *w, int month)
{
	unsigned first = (w->orgs + 1) / 2;

	if (month >= w->o->months)
		month = w->o->months - 1;
	return first + (unsigned)((uint64_t)(w->orgs - first) * (unsigned)(month + 1) /
				  (unsigned)w->o->months);
}

static int
begins_in(const struct make_world *w, unsigned org)
{
	unsigned first = (w->orgs + 1) / 2, later = w->orgs - first;
	uint64_t months = (uint64_t)w->o->months;

	if (org < first)
		return 0;
	return (int)(((org - first + 1) * months + later - 1) / later) - 1;
}

/* The month in which the organisation moves; never for most. */
static int
moves_in(const struct make_world *w, unsigned org)
{
	uint64_t h = org_key(w, org);

	if (!make_percent(h, 3, 15))
		return MAKE_MONTHS_MAX + 100;
	return begins_in(w, org) + 1 + (int)make_draw(h, 4, (unsigned)w->o->months);
}

uint64_t
make_address(const struct make_world *w, unsigned org, int month)
{
	return make_key(w->seed, KIND_ADDRESS, org, month >= moves_in(w, org) ? 1 : 0) | 1;
}

static uint64_t
account_index(unsigned org, unsigned member)
{
	return 16 + (uint64_t)org * MAKE_MEMBERS + member;
}

static void
address_row(struct make_world *w, unsigned org, unsigned version, bool corrected,
    const struct make_history *h)
{
	struct buf *b = make_row(w->out, FEED_ADDRESS);
	uint64_t k = org_key(w, org);
	const struct make_place *p = make_place_of(w, org);
	char text[160];

	if (version > 0) /* another place of the same country, as most moves are */
		for (unsigned i = 0; i < make_n_places; i++)
			if (&make_places[i] != p && strcmp(make_places[i].country, p->country) == 0)
				p = &make_places[i];
	make_id(b, make_key(w->seed, KIND_ADDRESS, org, version) | 1);
	make_account_number(b, w->seed, account_index(org, 0));
	if (make_percent(k, 5, 4))
		make_literal(b, "freemail.example");
	else
		buf_printf(b, "org%u.%s.example,", org, p->currency[0] == 'J' ? "east" : "west");
	(void)snprintf(text, sizeof(text), "%s %u", p->company, org);
	make_text(b, str_c(text));
	make_literal(b, p->country);
	make_text(b, str_c(p->state));
	/* First recorded without the city. */
	make_text(b, str_c(corrected ? "" : p->city));
	make_text(b, str_c(p->postal));
	(void)snprintf(text, sizeof(text), "%s %u", p->street, 1 + make_draw(k, 6, 300));
	make_text(b, str_c(text));
	make_text(b, str_c(make_percent(k, 7, 30) ? "2nd floor, door \"B\"" : ""));
	make_literal(b, "");
	make_row_end(w->out, FEED_ADDRESS, h);
}

static void
account_row(struct make_world *w, unsigned org, unsigned member, int month, bool corrected,
    const struct make_history *h)
{
	struct buf *b = make_row(w->out, FEED_ACCOUNT);
	const struct make_place *p = make_place_of(w, org);
	uint64_t key = make_account(w, org, member);
	bool has_address = member == 0 && !make_percent(org_key(w, org), 8, 10);
	char text[160];

	make_id(b, key);
	make_account_number(b, w->seed, account_index(org, member));
	make_id(b, make_key(w->seed, KIND_ENCRYPTED, key, 0) | 1);
	make_id(b, has_address ? make_address(w, org, month) : 0);
	make_id(b, has_address && p->europe ? make_address(w, org, month) : 0);
	if (member == 0 && p->europe) {
		buf_printf(b, "%s%09u,", p->country, make_draw(key, 9, 999999999));
		(void)snprintf(
		    text, sizeof(text), "%s %u%s", p->company, org, corrected ? " (pending)" : "");
		make_text(b, str_c(text));
	} else {
		make_literal(b, ",");
	}
	make_row_end(w->out, FEED_ACCOUNT, h);
}

/* What is said of a partner: the seller itself, a manufacturer, a reseller. */
static void
partner_row(struct make_world *w, uint64_t key, unsigned index, const char *name)
{
	struct buf *b = make_row(w->out, FEED_ACCOUNT);
	int64_t t = w->start[0] - 30 * 86400;

	make_id(b, key);
	if (index == 0 && w->o->seller != NULL)
		make_literal(b, w->o->seller);
	else
		make_account_number(b, w->seed, index);
	make_id(b, make_key(w->seed, KIND_ENCRYPTED, key, 0) | 1);
	make_literal(b, ",,");
	make_text(b, str_c(name));
	make_row_end(w->out, FEED_ACCOUNT,
	    &(struct make_history){
		.valid_from = t, .insert = w->start[0], .update = w->start[0] });
}

static void
partners(struct make_world *w)
{
	partner_row(w, w->seller, 0, "Made-up Seller");
	for (unsigned i = 0; i < MAKE_MANUFACTURERS; i++)
		partner_row(w, make_manufacturer(w, i * 5), 1 + i, make_manufacturers[i]);
	for (unsigned i = 0; i < MAKE_RESELLERS; i++)
		partner_row(w, make_reseller(w, i), 8 + i, make_resellers[i]);
}

/* Rows of an organisation that comes into the feeds this month. */
static void
org_begins(struct make_world *w, unsigned org, int month)
{
	uint64_t k = org_key(w, org);
	/* Feeds propagate at different speeds: some sales are of an hour before (rule 7). */
	struct make_history h = { .valid_from = w->start[month] + make_draw(k, 10, 80000),
		.insert = w->start[month] + 81000,
		.update = w->start[month] + 81000 };
	bool corrected = !w->o->plain && make_percent(k, 11, 3);
	bool late = !w->o->plain && make_percent(k, 12, 1) && month + 1 < w->o->months;

	for (unsigned m = 0; m < make_members(w, org); m++)
		account_row(w, org, m, month, corrected && m == 0, &h);
	if (!late)
		address_row(w, org, 0, corrected, &h);
}

/* Corrections and late rows of those that began a month ago. */
static void
org_is_mended(struct make_world *w, unsigned org, int began)
{
	uint64_t k = org_key(w, org);
	int64_t now = w->start[began + 1] + 82000;
	struct make_history h = { .valid_from = w->start[began] + make_draw(k, 10, 80000),
		.insert = w->start[began] + 81000,
		.update = now };
	bool corrected = make_percent(k, 11, 3), late = make_percent(k, 12, 1);

	if (corrected)
		account_row(w, org, 0, began, false, &h);
	if (late)
		h.insert = now;
	if (corrected || late)
		address_row(w, org, 0, false, &h);
}

static void
org_moves(struct make_world *w, unsigned org, int month)
{
	struct make_history h = { .valid_from = w->start[month],
		.insert = w->start[month] + 83000,
		.update = w->start[month] + 83000 };

	account_row(w, org, 0, month, false, &h);
	address_row(w, org, 1, false, &h);
}

void
make_people_month(struct make_world *w, int month)
{
	unsigned before = month > 0 ? make_orgs_in(w, month - 1) : 0;
	unsigned now = make_orgs_in(w, month);

	if (month == 0)
		partners(w);
	for (unsigned org = 0; org < before && month > 0; org++)
		if (moves_in(w, org) == month)
			org_moves(w, org, month);
	for (unsigned org = month > 1 ? make_orgs_in(w, month - 2) : 0;
	     org < before && !w->o->plain; org++)
		org_is_mended(w, org, month - 1);
	for (unsigned org = before; org < now; org++)
		org_begins(w, org, month);
}
