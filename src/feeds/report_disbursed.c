/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disbursed amounts by product and by instance hours: the lines that payouts carried
 * (data-feeds 6.1). Disbursed rows have inverted signs; here they count as when they were invoiced.
 */
#include "feeds/report_payout.h"

#include <stdlib.h>

enum { KEY_PRODUCT, KEY_USER, KEY_PAYOUT, KEY_CURRENCY, KEY__COUNT };
/* Of the query: in a line, but in none of its columns. */
#define SLOT_OTHER SLOT__COUNT

struct disbursed {
	struct payouts payouts;
	size_t date, bank_trace, users;
};

static void
done(struct fold *f)
{
	struct disbursed *d = f->own;

	if (d != NULL)
		payouts_free(&d->payouts);
	free(d);
}

/* The payout of the period that carried an event, unless it failed and the page is asked for. */
static const struct payout *
carried(const struct fold *f, uint32_t event)
{
	const struct disbursed *d = f->own;
	const struct event *e = event_at(f->feeds, event);
	const struct payout *p;

	if (e->action != ACTION_DISBURSED || (p = payout_of(f, &d->payouts, event)) == NULL ||
	    !in_period(f, p->date))
		return NULL;
	return f->request->variant == REPORT_AS_PAGE && p->failed_at != INSTANT_MAX ? NULL : p;
}

static uint8_t
slot_page(const struct fold *f, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);

	if (!e->balance_impacting || carried(f, event) == NULL)
		return FOLD_NO_SLOT;
	return slot_of_disbursed_type(e);
}

static uint8_t
slot_query(const struct fold *f, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);
	uint8_t s;

	if (carried(f, event) == NULL)
		return FOLD_NO_SLOT;
	s = slot_of_disbursed_type(e);
	return s == FOLD_NO_SLOT || s == SLOT_TAX_CREDIT || s == SLOT_ADJUSTMENT ? SLOT_OTHER : s;
}

static void
key(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct disbursed *d = f->own;
	const struct event *e = event_at(f->feeds, event);

	*ret_primary = reference_primary(f, e);
	ret_key[KEY_PRODUCT] = e->product;
	ret_key[KEY_USER] = e->end_user;
	ret_key[KEY_PAYOUT] = (uint32_t)(payout_of(f, &d->payouts, event) - d->payouts.list);
	ret_key[KEY_CURRENCY] = e->currency;
}

static int
compare(const struct fold *f, const uint32_t *a, const uint32_t *b)
{
	int o = order_of(f->feeds->products, a[KEY_PRODUCT], b[KEY_PRODUCT]);

	if (o == 0)
		o = order_of(f->feeds->accounts, a[KEY_USER], b[KEY_USER]);
	if (o == 0)
		o = order_u32(a[KEY_PAYOUT], b[KEY_PAYOUT]);
	return o != 0 ? o : order_u32(a[KEY_CURRENCY], b[KEY_CURRENCY]);
}

static const struct payout *
payout_of_group(const struct fold *f, const struct group *g)
{
	const struct disbursed *d = f->own;

	return &d->payouts.list[g->key[KEY_PAYOUT]];
}

static month_t
month(const struct fold *f, const struct group *g)
{
	return month_of(payout_of_group(f, g)->date);
}

static enum fold_print
line_page(const struct fold *f, const struct group *g, struct made_line *ret)
{
	const struct payout *p = payout_of_group(f, g);

	if (no_slots(ret->slots))
		return FOLD_NOTHING;
	ret->line.month = month_of(p->date);
	common_fill(f, g, g->key[KEY_PRODUCT], g->key[KEY_USER], p->date, ret);
	return FOLD_PRINT;
}

static enum fold_print
line_query(const struct fold *f, const struct group *g, struct made_line *ret)
{
	const struct disbursed *d = f->own;
	const struct payout *p = payout_of_group(f, g);
	uint32_t product = g->key[KEY_PRODUCT];

	/* The inner join with products. */
	if (product == INTERN_NONE ||
	    history_latest(f->feeds->product, f->product_key[product]) == NULL)
		return FOLD_LEFT_OUT;
	ret->line.month = month_of(p->date);
	common_fill(f, g, product, g->key[KEY_USER], INSTANT_NONE, ret);
	cell_date(&ret->cells[d->date], p->date);
	cell_text(&ret->cells[d->bank_trace], intern_text(f->feeds->others, p->bank_trace));
	return FOLD_PRINT;
}

/* Lines may carry the dates of their invoices: payouts of the period have them of any month. */
static enum souk_err
load(struct fold *f, unsigned types, uint64_t skip, struct fail *fail)
{
	const struct fold_needs needs = { .actions = 1U << ACTION_DISBURSED,
		.types = types,
		.all_months = true,
		.skip = skip | SKIP_USAGE | SKIP_DUE | SKIP_INVOICE };
	struct disbursed *d = calloc(1, sizeof(*d));
	enum souk_err r;

	f->own = d;
	f->done = done;
	if (d == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	if ((r = fold_load(f, &needs, fail)) != SOUK_OK)
		return r;
	d->date = column_at(f, "Disbursement Date");
	d->bank_trace = column_at(f, "Bank Trace ID");
	d->users = column_at(f, "User Count");
	return payouts_find(f, &d->payouts, fail);
}

enum souk_err
fold_disbursed(struct fold *f, struct fail *fail)
{
	bool page = f->request->variant == REPORT_AS_PAGE;
	enum souk_err r = load(f, TYPES_ALL, page ? SKIP_TRACE : 0, fail);

	if (r != SOUK_OK)
		return r;
	column_slots(f, "SellerRev", SLOT_BIT(SLOT_REVENUE));
	column_slots(f, "AWSRefFee", SLOT_BIT(SLOT_FEE));
	column_slots(f, "SellerRevRefund", SLOT_BIT(SLOT_REFUND));
	column_slots(f, "AWSRefFeeRefund", SLOT_BIT(SLOT_FEE_REFUND));
	column_slots(f, "SellerRevCredit", SLOT_BIT(SLOT_CREDIT));
	column_slots(f, "AWSRefFeeCredit", SLOT_BIT(SLOT_FEE_CREDIT));
	column_slots(f, "Net Amount", SLOTS_NET);
	column_slots(
	    f, "SellerUSSalesTax", SLOT_BIT(SLOT_TAX) | (page ? SLOT_BIT(SLOT_TAX_CREDIT) : 0));
	column_slots(f, "SellerUSSalesTaxRefund", SLOT_BIT(SLOT_TAX_REFUND));
	f->amount_column = column_at(f, "Net Amount");
	f->rounded[f->amount_column] = !page;
	f->slot = page ? slot_page : slot_query;
	f->sign = -1;
	f->key = key;
	f->primary_text = reference_text;
	f->compare = compare;
	f->n_primaries = reference_primaries(f);
	f->parts = KEY__COUNT;
	f->month = month;
	f->line = page ? line_page : line_query;
	f->left_out_why = "the query joins products, and these lines have none that the feeds know";
	return SOUK_OK;
}

/* By instance hours: a line for each product, its users counted. */

static uint8_t
slot_users(const struct fold *f, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);
	uint8_t s = slot_page(f, event);

	return s == SLOT_REVENUE && e->product != INTERN_NONE ? s : FOLD_NO_SLOT;
}

/* With all months each is a request of its own. */
static void
key_product(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct disbursed *d = f->own;

	*ret_primary = event_at(f->feeds, event)->product;
	ret_key[0] =
	    f->request->all_months ? (uint32_t)month_of(payout_of(f, &d->payouts, event)->date) : 0;
}

static int
compare_months(const struct fold *f, const uint32_t *a, const uint32_t *b)
{
	(void)f;
	return order_u32(a[0], b[0]);
}

static month_t
month_of_key(const struct fold *f, const struct group *g)
{
	(void)f;
	return (month_t)g->key[0];
}

static struct str
product_primary_text(const struct fold *f, uint32_t primary)
{
	return intern_text(f->feeds->products, primary);
}

static int
compare_u32(const void *a, const void *b)
{
	return order_u32(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* Distinct users, or payers where no user is named. */
static uint64_t
count_users(const struct fold *f, const struct group *g)
{
	uint32_t *users = calloc(g->n, sizeof(*users));
	uint64_t n = 0;

	for (uint32_t i = 0; users != NULL && i < g->n; i++) {
		const struct event *e = event_at(f->feeds, f->groups.members[g->first + i]);

		users[i] = e->end_user != INTERN_NONE ? e->end_user : e->from;
	}
	if (users == NULL)
		return 0;
	qsort(users, g->n, sizeof(*users), compare_u32);
	for (uint32_t i = 0; i < g->n; i++)
		n += i == 0 || users[i] != users[i - 1];
	free(users);
	return n;
}

static enum fold_print
line_users(const struct fold *f, const struct group *g, struct made_line *ret)
{
	const struct disbursed *d = f->own;
	const struct common_columns *c = &f->common;

	cell_text(&ret->cells[c->title], product_text(f, g->primary, PRD_TITLE));
	cell_text(&ret->cells[c->code], product_text(f, g->primary, PRD_PRODUCT_CODE));
	cell_count(&ret->cells[d->users], count_users(f, g));
	return FOLD_PRINT;
}

enum souk_err
fold_instance_hours(struct fold *f, struct fail *fail)
{
	/* Revenue and payouts; fees tell whose feeds they are. */
	unsigned types = 1U << TYPE_SELLER_REV_SHARE | 7U << TYPE_AWS_REV_SHARE |
			 1U << TYPE_DISBURSEMENT | 1U << TYPE_DISBURSEMENT_FAILURE;
	enum souk_err r = load(f, types, SKIP_TRACE | SKIP_REFERENCE | SKIP_ADDRESS, fail);

	if (r != SOUK_OK)
		return r;
	f->slot = slot_users;
	f->sign = 0;
	f->key = key_product;
	f->primary_text = product_primary_text;
	f->n_primaries = intern_bound(f->feeds->products);
	f->compare = compare_months;
	f->parts = 1;
	f->month = month_of_key;
	f->amount_column = f->n_columns;
	f->line = line_users;
	return SOUK_OK;
}
