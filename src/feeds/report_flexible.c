/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flexible payment schedules, as far as feeds tell: a contract is a transaction that was invoiced more than
 * once; it was created when it was first invoiced. Instalments to come are in no feed. The columns
 * say US dollars, so contracts in another currency are left out, and counted.
 */
#include "feeds/report_int.h"

#include <stdlib.h>

enum { KEY_PRODUCT, KEY_USER, KEY_CURRENCY, KEY_INVOICE, KEY__COUNT };

struct contract {
	money_t total;
	uint32_t payments;
	instant_t created, expires;
};

struct flexible {
	struct contract *contracts;
	uint32_t *contract_of; /* by group */
	currency_t usd;
	size_t product, created, expires, total, payments, date;
};

static void
done(struct fold *f)
{
	struct flexible *x = f->own;

	if (x != NULL) {
		free(x->contracts);
		free(x->contract_of);
	}
	free(x);
}

/* Of all months: a contract is made of all its instalments. */
static uint8_t
slot(const struct fold *f, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);

	if (e->action != ACTION_INVOICED || !e->balance_impacting ||
	    slot_of_type(f, e) != SLOT_REVENUE)
		return FOLD_NO_SLOT;
	return SLOT_REVENUE;
}

static void
key(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct event *e = event_at(f->feeds, event);

	*ret_primary = reference_primary(f, e);
	ret_key[KEY_PRODUCT] = e->product;
	ret_key[KEY_USER] = e->end_user;
	ret_key[KEY_CURRENCY] = e->currency;
	ret_key[KEY_INVOICE] = event_more_at(f->feeds, event)->invoice;
}

/* Contracts together; their instalments by invoice id, put in order of dates afterwards. */
static int
compare(const struct fold *f, const uint32_t *a, const uint32_t *b)
{
	int o = order_of(f->feeds->products, a[KEY_PRODUCT], b[KEY_PRODUCT]);

	if (o == 0)
		o = order_of(f->feeds->accounts, a[KEY_USER], b[KEY_USER]);
	if (o == 0)
		o = order_u32(a[KEY_CURRENCY], b[KEY_CURRENCY]);
	return o != 0 ? o : order_of(f->feeds->others, a[KEY_INVOICE], b[KEY_INVOICE]);
}

static bool
same_contract(const struct group *a, const struct group *b)
{
	return a->primary == b->primary &&
	       memcmp(a->key, b->key, KEY_INVOICE * sizeof(a->key[0])) == 0;
}

static void
add_instalment(const struct fold *f, const struct group *g, struct contract *c)
{
	c->payments++;
	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct event *e = event_at(f->feeds, f->groups.members[i]);
		const struct event_more *m = event_more_at(f->feeds, f->groups.members[i]);

		c->total += e->amount;
		if (c->created == INSTANT_NONE || e->invoice_date < c->created)
			c->created = e->invoice_date;
		if (m->usage_end != INSTANT_NONE && m->usage_end > c->expires)
			c->expires = m->usage_end;
	}
}

struct instalment {
	instant_t date;
	uint32_t contract, group;
};

static int
compare_instalments(const void *pa, const void *pb)
{
	const struct instalment *a = pa, *b = pb;

	if (a->contract != b->contract)
		return order_u32(a->contract, b->contract);
	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	return order_u32(a->group, b->group);
}

static enum souk_err
prepare(struct fold *f, struct fail *fail)
{
	struct flexible *x = f->own;
	const struct groups *gs = &f->groups;
	struct instalment *list = calloc(gs->n + 1, sizeof(*list));
	uint32_t n = 0;

	free(x->contracts);
	free(x->contract_of);
	x->contracts = calloc(gs->n + 1, sizeof(*x->contracts));
	x->contract_of = calloc(gs->n + 1, sizeof(*x->contract_of));
	f->sequence = calloc(gs->n + 1, sizeof(*f->sequence));
	if (list == NULL || x->contracts == NULL || x->contract_of == NULL || f->sequence == NULL) {
		free(list);
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	}
	for (size_t i = 0; i < gs->n; i++) {
		if (i == 0 || !same_contract(&gs->groups[i], &gs->groups[i - 1]))
			x->contracts[n++] =
			    (struct contract){ .created = INSTANT_NONE, .expires = INSTANT_NONE };
		x->contract_of[i] = n - 1;
		add_instalment(f, &gs->groups[i], &x->contracts[n - 1]);
		list[i] = (struct instalment){ latest_date(f, &gs->groups[i]), n - 1, (uint32_t)i };
	}
	qsort(list, gs->n, sizeof(*list), compare_instalments);
	for (size_t i = 0; i < gs->n; i++)
		f->sequence[i] = list[i].group;
	free(list);
	return SOUK_OK;
}

static const struct contract *
contract_of(const struct fold *f, const struct group *g)
{
	const struct flexible *x = f->own;

	return &x->contracts[x->contract_of[g - f->groups.groups]];
}

static month_t
month(const struct fold *f, const struct group *g)
{
	return month_of(contract_of(f, g)->created);
}

static enum fold_print
line(const struct fold *f, const struct group *g, struct made_line *ret)
{
	const struct flexible *x = f->own;
	const struct contract *c = contract_of(f, g);
	instant_t date = latest_date(f, g);

	if (c->payments < 2 || !in_period(f, c->created))
		return FOLD_NOTHING;
	if (g->key[KEY_CURRENCY] != x->usd)
		return FOLD_LEFT_OUT;
	ret->line.month = month_of(c->created);
	common_fill(f, g, g->key[KEY_PRODUCT], g->key[KEY_USER], date, ret);
	cell_text(&ret->cells[x->product], product_text(f, g->key[KEY_PRODUCT], PRD_PRODUCT_ID));
	cell_date(&ret->cells[x->created], c->created);
	cell_date(&ret->cells[x->expires], c->expires);
	cell_money(&ret->cells[x->total], c->total);
	cell_count(&ret->cells[x->payments], c->payments);
	cell_date(&ret->cells[x->date], date);
	return FOLD_PRINT;
}

enum souk_err
fold_flexible(struct fold *f, struct fail *fail)
{
	static const struct fold_needs needs = {
		.actions = 1U << ACTION_INVOICED,
		.types = 1U << TYPE_SELLER_REV_SHARE,
		.all_months = true,
		.skip = SKIP_LINKS | SKIP_DUE | SKIP_TRACE | COLUMN(BE_USAGE_PERIOD_START_DATE),
	};
	struct flexible *x = calloc(1, sizeof(*x));
	enum souk_err r;

	f->own = x;
	f->done = done;
	if (x == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	if ((r = fold_load(f, &needs, fail)) != SOUK_OK)
		return r;
	x->usd = currency_of(STR("USD"));
	x->product = column_at(f, "Product ID");
	x->created = column_at(f, "Contract Create Date");
	x->expires = column_at(f, "Contract Expiration Date");
	x->total = column_at(f, "Total Contract Value (USD)");
	x->payments = column_at(f, "# of Payments");
	x->date = column_at(f, "Invoice Date");
	column_slots(f, "Invoice Amount (USD)", SLOT_BIT(SLOT_REVENUE));
	f->amount_column = column_at(f, "Invoice Amount (USD)");
	f->slot = slot;
	f->sign = 1;
	f->key = key;
	f->primary_text = reference_text;
	f->compare = compare;
	f->n_primaries = reference_primaries(f);
	f->parts = KEY__COUNT;
	f->prepare = prepare;
	f->month = month;
	f->line = line;
	f->left_out_why = "their contracts are not in US dollars, which the columns say";
	return SOUK_OK;
}
