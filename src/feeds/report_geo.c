/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disbursed amounts by customer geography: a line for each payout and tax location.
 *
 * Fees do not name the customer, so a transaction's events are grouped first: their payer's tax address,
 * else the address they were billed to, is the location of all of them.
 */
#include "feeds/parallel.h"
#include "feeds/report_payout.h"

#include <stdlib.h>

struct location {
	uint32_t payout; /* of the payouts' list */
	struct str country, state, city, postal_code;
};

struct geo {
	struct payouts payouts;
	uint32_t *location_of;      /* by event number: its interned name */
	struct intern *names;       /* what locations are ordered and told apart by */
	struct location *locations; /* by name */
	size_t id, from, to, deposit, amount, country, state, city, postal_code;
};

static void
done(struct fold *f)
{
	struct geo *g = f->own;

	if (g == NULL)
		return;
	payouts_free(&g->payouts);
	free(g->location_of);
	free(g->locations);
	intern_free(g->names);
	free(g);
}

static uint8_t
slot(const struct fold *f, uint32_t event)
{
	const struct geo *g = f->own;
	const struct event *e = event_at(f->feeds, event);
	const struct payout *p;

	if (e->action != ACTION_DISBURSED || !e->balance_impacting ||
	    (p = payout_of(f, &g->payouts, event)) == NULL || !in_period(f, p->date) ||
	    p->failed_at != INSTANT_MAX)
		return FOLD_NO_SLOT;
	return slot_of_type(f, e);
}

static void
key_transaction(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct geo *g = f->own;

	*ret_primary = reference_primary(f, event_at(f->feeds, event));
	ret_key[0] = (uint32_t)(payout_of(f, &g->payouts, event) - g->payouts.list);
}

static int
compare_payouts(const struct fold *f, const uint32_t *a, const uint32_t *b)
{
	(void)f;
	return order_u32(a[0], b[0]);
}

static void
key_location(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct geo *g = f->own;

	*ret_primary = g->location_of[event];
	ret_key[0] = event_at(f->feeds, event)->currency;
}

static struct str
location_text(const struct fold *f, uint32_t primary)
{
	const struct geo *g = f->own;

	return intern_text(g->names, primary);
}

/* The payer's tax address as of the payout, else where the bill went. */
static struct address_cells
tax_location(const struct fold *f, const struct group *x, instant_t t)
{
	uint32_t payer = payer_of(f, x);
	struct address_cells a = { .id = account_text(f, payer, t, ACC_TAX_ADDRESS_ID) };

	if (a.id.n > 0)
		address_read(f, payer, t, &a);
	return a.country.n > 0 ? a : address_of(f, x, payer, t);
}

#define PARTS 4
#define BETWEEN '\x1f' /* below all that texts hold */

/* Payouts in their order, then the parts of the address, then where those end. */
static void
name_location(struct buf *b, uint32_t payout, const struct address_cells *a)
{
	const struct str parts[PARTS] = { a->country, a->state, a->city, a->postal_code };
	uint32_t ends[PARTS];

	buf_clear(b);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(b, (char)(payout >> shift & 0xff));
	for (size_t i = 0; i < PARTS; i++) {
		buf_add_str(b, parts[i]);
		ends[i] = (uint32_t)b->n;
		buf_add_char(b, BETWEEN);
	}
	buf_add(b, ends, sizeof(ends));
}

static struct location
named_location(struct str name)
{
	const unsigned char *p = (const unsigned char *)name.p;
	uint32_t ends[PARTS];
	struct str parts[PARTS];
	size_t at = sizeof(uint32_t);

	memcpy(ends, name.p + name.n - sizeof(ends), sizeof(ends));
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = (struct str){ name.p + at, ends[i] - at };
		at = ends[i] + 1;
	}
	return (struct location){ .payout = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
					    (uint32_t)p[2] << 8 | p[3],
		.country = parts[0],
		.state = parts[1],
		.city = parts[2],
		.postal_code = parts[3] };
}

struct locating {
	const struct fold *f;
	unsigned threads;
};

static enum souk_err
locate_part(void *ctx, unsigned part, struct fail *fail)
{
	const struct locating *l = ctx;
	const struct fold *f = l->f;
	struct geo *g = f->own;
	size_t to = parallel_part(f->groups.n, part + 1, l->threads);
	struct buf name = { 0 };
	bool ok = true;

	for (size_t i = parallel_part(f->groups.n, part, l->threads); ok && i < to; i++) {
		const struct group *x = &f->groups.groups[i];
		struct address_cells a = tax_location(f, x, g->payouts.list[x->key[0]].date);
		uint32_t at = 0;

		name_location(&name, x->key[0], &a);
		ok = buf_ok(&name) &&
		     intern_put(g->names, buf_str(&name), text_hash(buf_str(&name)), &at, NULL);
		for (uint32_t m = x->first; ok && m < x->first + x->n; m++)
			g->location_of[f->groups.members[m]] = at;
	}
	buf_done(&name);
	return ok ? SOUK_OK : fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
}

/* Each event's location, by its transaction. */
static enum souk_err
locate(struct fold *f, struct fail *fail)
{
	struct locating l = { f, parallel_threads(f->request->threads) };
	struct geo *g = f->own;
	enum souk_err r = parallel_run(l.threads, locate_part, &l, fail);
	uint32_t bound = intern_bound(g->names);

	if (r != SOUK_OK)
		return r;
	if ((g->locations = calloc((size_t)bound + 1, sizeof(*g->locations))) == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	for (uint32_t i = 0; i < bound; i++) {
		struct str name = intern_text(g->names, i);

		if (name.n > 0)
			g->locations[i] = named_location(name);
	}
	return SOUK_OK;
}

static month_t
month(const struct fold *f, const struct group *x)
{
	const struct geo *g = f->own;

	return month_of(g->payouts.list[g->locations[x->primary].payout].date);
}

static enum fold_print
line(const struct fold *f, const struct group *x, struct made_line *ret)
{
	const struct geo *g = f->own;
	const struct location *l = &g->locations[x->primary];
	const struct payout *p = &g->payouts.list[l->payout];
	struct report_cell *c = ret->cells;

	if (no_slots(ret->slots))
		return FOLD_NOTHING;
	cell_text(&c[g->id], p->id);
	cell_date(&c[g->from], p->previous);
	cell_date(&c[g->to], p->date);
	cell_date(&c[g->deposit], p->date);
	cell_money(&c[g->amount], p->amount);
	cell_text(&c[g->country], l->country);
	cell_text(&c[g->state], l->state);
	cell_text(&c[g->city], l->city);
	cell_text(&c[g->postal_code], l->postal_code);
	ret->line.month = month_of(p->date);
	ret->line.country = l->country;
	return FOLD_PRINT;
}

static void
columns(struct fold *f, struct geo *g)
{
	g->id = column_at(f, "Settlement ID");
	g->from = column_at(f, "Settlement Period Start Date");
	g->to = column_at(f, "Settlement Period End Date");
	g->deposit = column_at(f, "Deposit Date");
	g->amount = column_at(f, "Disbursed Amount");
	g->country = column_at(f, "Country Code");
	g->state = column_at(f, "State or Region");
	g->city = column_at(f, "City");
	g->postal_code = column_at(f, "Postal Code");
	column_slots(f, "Net Amount by Tax Location", SLOTS_NET);
	column_slots(f, "Gross Amount by Tax Location", SLOT_BIT(SLOT_REVENUE));
	column_slots(f, "Seller U.S. Sales Tax", SLOT_BIT(SLOT_TAX) | SLOT_BIT(SLOT_TAX_CREDIT));
	column_slots(f, "Seller U.S. Sales Tax Refund", SLOT_BIT(SLOT_TAX_REFUND));
	f->amount_column = column_at(f, "Net Amount by Tax Location");
}

enum souk_err
fold_geo(struct fold *f, struct fail *fail)
{
	static const struct fold_needs needs = { .actions = 1U << ACTION_DISBURSED,
		.types = TYPES_ALL,
		.all_months = true,
		.skip =
		    SKIP_USAGE | SKIP_DUE | SKIP_INVOICE | SKIP_TRACE | SKIP_PRODUCT | SKIP_USER };
	struct geo *g = calloc(1, sizeof(*g));
	enum souk_err r;

	f->own = g;
	f->done = done;
	if (g == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	if ((r = fold_load(f, &needs, fail)) != SOUK_OK ||
	    (r = payouts_find(f, &g->payouts, fail)) != SOUK_OK)
		return r;
	g->location_of = calloc((size_t)events_bound(f->feeds) + 1, sizeof(*g->location_of));
	g->names = intern_new();
	if (g->location_of == NULL || g->names == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	columns(f, g);
	f->slot = slot;
	f->sign = -1;
	f->key = key_transaction;
	f->primary_text = reference_text;
	f->compare = compare_payouts;
	f->n_primaries = reference_primaries(f);
	f->parts = 1;
	if ((r = fold_group_events(f, fail)) != SOUK_OK || (r = locate(f, fail)) != SOUK_OK)
		return r;
	f->key = key_location;
	f->primary_text = location_text;
	f->n_primaries = intern_bound(g->names);
	f->month = month;
	f->line = line;
	return SOUK_OK;
}
