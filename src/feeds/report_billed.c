/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monthly revenue: what was billed (and forgiven) in a month, by transaction, product and end user
 * (edsp 5.1, 5.2). Charges of a year or without a usage period are up-front and belong to the
 * annual data set, all others to the billing one.
 */
#include "feeds/report_int.h"

#include <stdlib.h>

#define ANNUAL_DAYS 330

enum { KEY_PRODUCT, KEY_USER, KEY_MONTH, KEY_CURRENCY, KEY__COUNT };

struct billed {
	bool annual;
	size_t start, end, contract_start, contract_end;
};

static uint8_t
slot(const struct fold *f, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);

	if (e->action == ACTION_DISBURSED || !e->balance_impacting ||
	    e->type == TYPE_BALANCE_ADJUSTMENT || !in_period(f, e->invoice_date))
		return FOLD_NO_SLOT;
	return slot_of_type(f, e);
}

static void
key(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct event *e = event_at(f->feeds, event);

	*ret_primary = reference_primary(f, e);
	ret_key[KEY_PRODUCT] = e->product;
	ret_key[KEY_USER] = e->end_user;
	ret_key[KEY_MONTH] = (uint32_t)month_of(e->invoice_date);
	ret_key[KEY_CURRENCY] = e->currency;
}

static int
compare(const struct fold *f, const uint32_t *a, const uint32_t *b)
{
	int o = order_of(f->feeds->products, a[KEY_PRODUCT], b[KEY_PRODUCT]);

	if (o == 0)
		o = order_of(f->feeds->accounts, a[KEY_USER], b[KEY_USER]);
	if (o == 0)
		o = order_u32(a[KEY_MONTH], b[KEY_MONTH]);
	return o != 0 ? o : order_u32(a[KEY_CURRENCY], b[KEY_CURRENCY]);
}

static month_t
month(const struct fold *f, const struct group *g)
{
	(void)f;
	return (month_t)g->key[KEY_MONTH];
}

struct period {
	instant_t from, to; /* INSTANT_NONE: no event tells */
	bool annual;
};

/* From the first start to the last end; annual when one event's own period is, or none has one. */
static struct period
period_of(const struct fold *f, const struct group *g)
{
	struct period p = { INSTANT_NONE, INSTANT_NONE, false };
	bool any = false;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct event_more *m = event_more_at(f->feeds, f->groups.members[i]);

		if (m->usage_start != INSTANT_NONE &&
		    (p.from == INSTANT_NONE || m->usage_start < p.from))
			p.from = m->usage_start;
		if (m->usage_end != INSTANT_NONE && m->usage_end > p.to)
			p.to = m->usage_end;
		if (m->usage_start == INSTANT_NONE || m->usage_end == INSTANT_NONE)
			continue;
		any = true;
		/* The end is a day's last second. */
		p.annual |= m->usage_end - m->usage_start >= ANNUAL_DAYS * DAY_MS - SECOND_MS;
	}
	p.annual |= !any;
	return p;
}

static enum fold_print
line(const struct fold *f, const struct group *g, struct made_line *ret)
{
	const struct billed *b = f->own;
	struct period p = period_of(f, g);

	if (no_slots(ret->slots) || p.annual != b->annual)
		return FOLD_NOTHING;
	ret->line.month = (month_t)g->key[KEY_MONTH];
	common_fill(f, g, g->key[KEY_PRODUCT], g->key[KEY_USER], latest_date(f, g), ret);
	cell_date(&ret->cells[b->start], p.from);
	cell_date(&ret->cells[b->end], p.to);
	cell_date(&ret->cells[b->contract_start], p.from);
	cell_date(&ret->cells[b->contract_end], p.to);
	return FOLD_PRINT;
}

static void
columns(struct fold *f, struct billed *b)
{
	b->start = column_at(f, "Subscription Start Date");
	b->end = column_at(f, "Subscription End Date");
	b->contract_start = column_at(f, "Contract Start Date");
	b->contract_end = column_at(f, "Contract End Date");
	column_slots(f, "Customer Billed Amount", SLOT_BIT(SLOT_REVENUE));
	column_slots(f, "AWS Listing Fee", SLOT_BIT(SLOT_FEE));
	column_slots(f, "Refunds Amount", SLOT_BIT(SLOT_REFUND));
	column_slots(f, "AWS Fee Refund", SLOT_BIT(SLOT_FEE_REFUND));
	column_slots(f, "Cost", SLOT_BIT(SLOT_COST));
	column_slots(f, "Partner Revenue Amount", SLOTS_NET);
	column_slots(f, "U.S. Sales Tax Customer Billed Amount",
	    SLOT_BIT(SLOT_TAX) | SLOT_BIT(SLOT_TAX_CREDIT));
	column_slots(f, "U.S. Sales Tax Refunds Amount", SLOT_BIT(SLOT_TAX_REFUND));
	f->amount_column = column_at(f, "Partner Revenue Amount");
}

enum souk_err
fold_billed(struct fold *f, struct fail *fail)
{
	static const struct fold_needs needs = {
		.actions = 1U << ACTION_INVOICED | 1U << ACTION_FORGIVEN,
		.types = (1U << TYPE_AWS_TAX_SHARE) - 1,
		.skip = SKIP_LINKS | SKIP_DUE | SKIP_INVOICE | SKIP_TRACE,
	};
	struct billed *b = calloc(1, sizeof(*b));
	enum souk_err r;

	f->own = b;
	if (b == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	if ((r = fold_load(f, &needs, fail)) != SOUK_OK)
		return r;
	b->annual = f->request->data_set == DS_ANNUAL_SUBSCRIPTIONS;
	columns(f, b);
	f->slot = slot;
	f->sign = 1;
	f->key = key;
	f->primary_text = reference_text;
	f->compare = compare;
	f->n_primaries = reference_primaries(f);
	f->parts = KEY__COUNT;
	f->month = month;
	f->line = line;
	return SOUK_OK;
}
