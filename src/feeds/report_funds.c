/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is owed to the seller at an instant, by age and by transaction, and how old the funds were that
 * payouts brought (edsp 5.1).
 *
 * An invoiced event stays open with its amount plus what settles it: the disbursed lines that name it as their
 * parent and whose payout had happened and not failed by then, and forgiven charges. Amounts are the seller's net
 * without tax, so that the overall figure is the sum of the breakdown's Net Revenue.
 */
#include "feeds/parallel.h"
#include "feeds/report_payout.h"

#include <stdlib.h>

/* Slots of the age sets: days 0-30, 31-60, 61-90, 91-120, more. */
#define BUCKETS 5U

enum { KEY_PRODUCT, KEY_MONTH, KEY_CURRENCY, KEY__COUNT };

struct funds {
	struct payouts payouts;
	bool past_due;
	size_t period, due;
};

static void
done(struct fold *f)
{
	struct funds *u = f->own;

	if (u != NULL)
		payouts_free(&u->payouts);
	free(u);
}

static unsigned
bucket(int64_t days)
{
	return days <= 30 ? 0 : days <= 120 ? (unsigned)(days - 1) / 30 : 4;
}

/* Whole days, by the calendar. */
static int64_t
days_between(instant_t from, instant_t to)
{
	return (day_begin(to) - day_begin(from)) / DAY_MS;
}

/* The invoiced event that an event is or settles by the end of the period; EVENT_NONE: neither. */
static uint32_t
open_event(const struct fold *f, uint32_t event)
{
	const struct funds *u = f->own;
	const struct event *e = event_at(f->feeds, event);
	instant_t t = f->request->to, when = e->invoice_date;
	uint32_t parent = event;

	if (e->type == TYPE_DISBURSEMENT || e->type == TYPE_DISBURSEMENT_FAILURE ||
	    !e->balance_impacting)
		return EVENT_NONE;
	if (e->action == ACTION_DISBURSED) {
		const struct payout *p = payout_of(f, &u->payouts, event);

		if (p != NULL && p->failed_at <= t)
			return EVENT_NONE;
		when = p != NULL ? p->date : when;
	}
	if (e->action != ACTION_INVOICED)
		parent = event_more_at(f->feeds, event)->parent;
	if (parent == EVENT_NONE || when > t)
		return EVENT_NONE;
	e = event_at(f->feeds, parent);
	return e->action == ACTION_INVOICED && e->current && e->balance_impacting &&
		       e->invoice_date <= t
		   ? parent
		   : EVENT_NONE;
}

static uint8_t
slot_open(const struct fold *f, uint32_t event)
{
	uint32_t open = open_event(f, event);

	if (open == EVENT_NONE)
		return FOLD_NO_SLOT;
	return slot_of_type(f, event_at(f->feeds, open));
}

static uint8_t
slot_age(const struct fold *f, uint32_t event)
{
	const struct funds *u = f->own;
	uint32_t open = open_event(f, event);
	instant_t since;
	uint8_t s;

	if (open == EVENT_NONE)
		return FOLD_NO_SLOT;
	s = slot_of_type(f, event_at(f->feeds, open));
	since = u->past_due ? event_more_at(f->feeds, open)->payment_due
			    : event_at(f->feeds, open)->invoice_date;
	if (s == FOLD_NO_SLOT || (SLOTS_NET & SLOT_BIT(s)) == 0 || since == INSTANT_NONE ||
	    (u->past_due && days_between(since, f->request->to) < 1))
		return FOLD_NO_SLOT;
	return (uint8_t)bucket(days_between(since, f->request->to));
}

/* Of a disbursed line of the period's payouts: days from its invoice to the payout. */
static uint8_t
slot_collected(const struct fold *f, uint32_t event)
{
	const struct funds *u = f->own;
	const struct event *e = event_at(f->feeds, event);
	const struct payout *p;
	uint32_t parent = event_more_at(f->feeds, event)->parent;
	uint8_t s = slot_of_type(f, e);

	if (e->action != ACTION_DISBURSED || !e->balance_impacting || s == FOLD_NO_SLOT ||
	    (SLOTS_NET & SLOT_BIT(s)) == 0 || (p = payout_of(f, &u->payouts, event)) == NULL ||
	    !in_period(f, p->date) || p->failed_at != INSTANT_MAX)
		return FOLD_NO_SLOT;
	return (uint8_t)bucket(days_between(
	    parent != EVENT_NONE ? event_at(f->feeds, parent)->invoice_date : e->invoice_date,
	    p->date));
}

static void
key_currency(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	(void)ret_key;
	*ret_primary = event_at(f->feeds, event)->currency;
}

static struct str
currency_primary_text(const struct fold *f, uint32_t primary)
{
	return (struct str){ f->codes[primary], 3 };
}

static enum fold_print
line_age(const struct fold *f, const struct group *g, struct made_line *ret)
{
	(void)g;
	ret->line.month = month_of(f->request->to);
	return FOLD_PRINT;
}

/* By transaction. */

static void
key_transaction(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct event *e = event_at(f->feeds, open_event(f, event));

	*ret_primary = reference_primary(f, e);
	ret_key[KEY_PRODUCT] = e->product;
	ret_key[KEY_MONTH] = (uint32_t)month_of(e->invoice_date);
	ret_key[KEY_CURRENCY] = event_at(f->feeds, event)->currency;
}

static int
compare(const struct fold *f, const uint32_t *a, const uint32_t *b)
{
	int o = order_of(f->feeds->products, a[KEY_PRODUCT], b[KEY_PRODUCT]);

	if (o == 0)
		o = order_u32(a[KEY_MONTH], b[KEY_MONTH]);
	return o != 0 ? o : order_u32(a[KEY_CURRENCY], b[KEY_CURRENCY]);
}

static instant_t
due_of(const struct fold *f, const struct group *g)
{
	instant_t due = INSTANT_NONE;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct event_more *m = event_more_at(f->feeds, f->groups.members[i]);

		if (event_at(f->feeds, f->groups.members[i])->action == ACTION_INVOICED &&
		    m->payment_due > due)
			due = m->payment_due;
	}
	return due;
}

/* The seller's net of a group, which is no line without one. */
static bool
is_open(const struct fold *f, const struct group *g)
{
	money_t net = 0;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		uint32_t event = f->groups.members[i];
		uint8_t slot = f->event_slots[event];

		if ((SLOTS_NET & SLOT_BIT(slot)) != 0 &&
		    !money_add(net, event_at(f->feeds, event)->amount, &net))
			return true; /* told where lines are made */
	}
	return net != 0;
}

struct by_due {
	instant_t due;
	uint32_t group;
	bool open;
};

struct dues {
	const struct fold *f;
	struct by_due *list;
	unsigned threads;
};

static enum souk_err
find_dues(void *ctx, unsigned part, struct fail *fail)
{
	const struct dues *d = ctx;
	const struct groups *gs = &d->f->groups;
	size_t to = parallel_part(gs->n, part + 1, d->threads);

	(void)fail;
	for (size_t i = parallel_part(gs->n, part, d->threads); i < to; i++) {
		bool open = is_open(d->f, &gs->groups[i]);
		instant_t due = open ? due_of(d->f, &gs->groups[i]) : INSTANT_MAX;

		d->list[i] = (struct by_due){ due, (uint32_t)i, open };
	}
	return SOUK_OK;
}

static int
compare_due(const void *pa, const void *pb)
{
	const struct by_due *a = pa, *b = pb;

	if (a->due != b->due)
		return a->due < b->due ? -1 : 1;
	return order_u32(a->group, b->group);
}

/* Sorted by payment due date, those without one first; then as the groups are. Most are settled, and come last in any order. */
static enum souk_err
sequence_due(struct fold *f, struct fail *fail)
{
	struct dues d = { .f = f, .threads = parallel_threads(f->request->threads) };
	size_t n = 0, last = f->groups.n;
	enum souk_err r;

	d.list = calloc(f->groups.n + 1, sizeof(*d.list));
	f->sequence = calloc(f->groups.n + 1, sizeof(*f->sequence));
	if (d.list == NULL || f->sequence == NULL) {
		free(d.list);
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	}
	r = parallel_run(d.threads, find_dues, &d, fail);
	for (size_t i = 0; r == SOUK_OK && i < f->groups.n; i++)
		if (d.list[i].open)
			d.list[n++] = d.list[i];
		else
			f->sequence[--last] = d.list[i].group;
	if (n > 1)
		qsort(d.list, n, sizeof(*d.list), compare_due);
	for (size_t i = 0; i < n; i++)
		f->sequence[i] = d.list[i].group;
	free(d.list);
	return r;
}

static enum fold_print
line_open(const struct fold *f, const struct group *g, struct made_line *ret)
{
	const struct funds *u = f->own;
	money_t net = 0;

	for (unsigned s = 0; s < FOLD_SLOTS; s++)
		net += (SLOTS_NET & SLOT_BIT(s)) != 0 ? ret->slots[s] : 0;
	if (net == 0)
		return FOLD_NOTHING;
	ret->line.month = (month_t)g->key[KEY_MONTH];
	month_format(ret->line.month, ret->text);
	common_fill(f, g, g->key[KEY_PRODUCT], INTERN_NONE, latest_date(f, g), ret);
	cell_text(&ret->cells[u->period], str_c(ret->text));
	cell_date(&ret->cells[u->due], due_of(f, g));
	return FOLD_PRINT;
}

static enum souk_err
load(struct fold *f, unsigned types, uint64_t skip, struct fail *fail)
{
	/* What was invoiced or paid out in any month may be open or settled in this one. */
	const struct fold_needs needs = { .actions = ACTIONS_ALL,
		.types = types & ~(7U << TYPE_AWS_TAX_SHARE),
		.all_months = true,
		.skip = skip | SKIP_USAGE | SKIP_INVOICE | SKIP_TRACE | SKIP_USER };
	struct funds *u = calloc(1, sizeof(*u));
	enum souk_err r;

	f->own = u;
	f->done = done;
	if (u == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	r = fold_load(f, &needs, fail);
	return r == SOUK_OK ? payouts_find(f, &u->payouts, fail) : r;
}

/* A line of ages names nobody. */
#define SKIP_FOR_AGES (SKIP_REFERENCE | SKIP_ADDRESS | SKIP_PRODUCT)

/* Six columns: the buckets in order, then all of them. */
static void
age_columns(struct fold *f)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		f->slots_of[b] = SLOT_BIT(b);
	f->slots_of[BUCKETS] = SLOT_BIT(BUCKETS) - 1;
	f->amount_column = BUCKETS;
	f->key = key_currency;
	f->primary_text = currency_primary_text;
	f->n_primaries = CURRENCY_COUNT;
	f->line = line_age;
}

enum souk_err
fold_funds(struct fold *f, struct fail *fail)
{
	bool past_due = f->request->data_set == DS_AGE_OF_PAST_DUE;
	/* An open event that is tax has no age. */
	enum souk_err r = load(f, TYPES_ALL & ~(7U << TYPE_SELLER_TAX_SHARE),
	    SKIP_FOR_AGES | (past_due ? 0 : SKIP_DUE), fail);

	if (r != SOUK_OK)
		return r;
	((struct funds *)f->own)->past_due = past_due;
	age_columns(f);
	f->slot = slot_age;
	f->sign = 1;
	return SOUK_OK;
}

enum souk_err
fold_collected(struct fold *f, struct fail *fail)
{
	enum souk_err r = load(f, TYPES_ALL, SKIP_FOR_AGES | SKIP_DUE, fail);

	if (r != SOUK_OK)
		return r;
	age_columns(f);
	f->slot = slot_collected;
	f->sign = -1;
	return SOUK_OK;
}

enum souk_err
fold_breakdown(struct fold *f, struct fail *fail)
{
	enum souk_err r = load(f, TYPES_ALL, 0, fail);
	struct funds *u = f->own;

	if (r != SOUK_OK)
		return r;
	u->period = column_at(f, "AR Period");
	u->due = column_at(f, "Payment Due date");
	column_slots(f, "Gross Revenue", SLOT_BIT(SLOT_REVENUE));
	column_slots(f, "AWS Revenue Share", SLOT_BIT(SLOT_FEE));
	column_slots(f, "Gross Refunds", SLOT_BIT(SLOT_REFUND));
	column_slots(f, "AWS Refunds Share", SLOT_BIT(SLOT_FEE_REFUND));
	column_slots(f, "Net Revenue", SLOTS_NET);
	f->amount_column = column_at(f, "Net Revenue");
	f->slot = slot_open;
	f->sign = 1;
	f->key = key_transaction;
	f->primary_text = reference_text;
	f->compare = compare;
	f->n_primaries = reference_primaries(f);
	f->parts = KEY__COUNT;
	f->prepare = sequence_due;
	f->line = line_open;
	return SOUK_OK;
}
