/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines whose net is 0: the fold leaves them out, as the data set has none. A sale that was given back whole within
 * its month is a sale and a refund all the same: a plan without clawback pays it, as it would if the refund came
 * a day later, in the next month.
 */
#include "edsp/line_zero.h"

#include <stdlib.h>

struct zeros {
	const struct feeds *fs;
	enum sales_variant variant;
	uint32_t seller;
	uint32_t *events; /* that no line holds */
	size_t n;
};

static int
compare_ids(const struct intern *in, uint32_t a, uint32_t b)
{
	return a == b ? 0 : str_compare(intern_text(in, a), intern_text(in, b));
}

/* As the fold tells lines from each other. */
static int
compare_lines(const struct zeros *z, const struct event *a, const struct event *b)
{
	int c = compare_ids(z->fs->references, a->reference, b->reference);

	if (c == 0)
		c = compare_ids(z->fs->products, a->product, b->product);
	if (c == 0)
		c = compare_ids(z->fs->accounts, a->end_user, b->end_user);
	if (c == 0)
		c = (a->currency > b->currency) - (a->currency < b->currency);
	if (c == 0 && z->variant == SALES_REPORT)
		c = month_of_instant(a->invoice_date) - month_of_instant(b->invoice_date);
	return c;
}

static int
compare_events(const void *pa, const void *pb, void *context)
{
	const struct zeros *z = context;

	return compare_lines(
	    z, event_at(z->fs, *(const uint32_t *)pa), event_at(z->fs, *(const uint32_t *)pb));
}

static enum souk_err
find_events(const struct sales *s, struct zeros *z)
{
	uint32_t bound = events_bound(z->fs);
	bool *held = calloc((size_t)bound + 1, sizeof(*held));

	z->events = malloc(((size_t)bound + 1) * sizeof(*z->events));
	if (held == NULL || z->events == NULL) {
		free(held);
		return SOUK_E_NOMEM;
	}
	for (size_t i = 0; i < sales_count(s); i++) {
		size_t n = 0;
		const uint32_t *v = sales_events(s, i, &n);

		for (size_t k = 0; k < n; k++)
			held[v[k]] = true;
	}
	for (uint32_t i = events_next(z->fs, 0); i != EVENT_NONE; i = events_next(z->fs, i + 1)) {
		const struct event *e = event_at(z->fs, i);

		if (!held[i] && !e->extra && e->type <= TYPE_AWS_REV_SHARE_CREDIT &&
		    (z->variant == SALES_QUERY || e->current))
			z->events[z->n++] = i;
	}
	free(held);
	return SOUK_OK;
}

static const struct version *
account_at(const struct feeds *fs, struct str id, instant_t t)
{
	return id.n > 0 ? history_asof(fs->account, history_key(fs->account, &id), t) : NULL;
}

static void
fill_address(const struct feeds *fs, uint32_t address, struct str mailing, struct sales_line *l)
{
	const struct history *h = fs->address;
	struct str key[2] = { address != INTERN_NONE ? intern_text(fs->addresses, address)
						     : mailing,
		l->payer_account };
	const struct version *v = history_latest(h, history_key(h, key));

	if (v == NULL)
		return;
	l->country = history_cell(h, v, ADR_COUNTRY);
	l->state = history_cell(h, v, ADR_STATE_OR_REGION);
	l->city = history_cell(h, v, ADR_CITY);
	l->postal_code = history_cell(h, v, ADR_POSTAL_CODE);
	l->email_domain = history_cell(h, v, ADR_EMAIL_DOMAIN);
	l->company_name = history_cell(h, v, ADR_COMPANY_NAME);
}

static void
fill_texts(
    const struct zeros *z, uint32_t payer, uint32_t address, uint32_t product, struct sales_line *l)
{
	const struct feeds *fs = z->fs;
	const struct version *v;

	l->payer_id = intern_text(fs->accounts, payer);
	l->product_id = intern_text(fs->products, product);
	v = account_at(fs, l->end_user_id, l->invoice_date);
	if (v != NULL)
		l->end_user_account = history_cell(fs->account, v, ACC_AWS_ACCOUNT_ID);
	v = account_at(fs, l->payer_id, l->invoice_date);
	if (v != NULL)
		l->payer_account = history_cell(fs->account, v, ACC_AWS_ACCOUNT_ID);
	fill_address(fs, address,
	    v != NULL ? history_cell(fs->account, v, ACC_MAILING_ADDRESS_ID) : STR(""), l);
	v = history_latest(fs->product, history_key(fs->product, &l->product_id));
	if (v != NULL) {
		l->product_code = history_cell(fs->product, v, PRD_PRODUCT_CODE);
		l->product_title = history_cell(fs->product, v, PRD_TITLE);
	}
}

/* The events [from, to) are a line. False: nothing was billed in it. */
static bool
make_line(const struct zeros *z, size_t from, size_t to, struct sales_line *l)
{
	static const enum sales_amount amounts[] = { [TYPE_SELLER_REV_SHARE] = SALES_GROSS,
		[TYPE_AWS_REV_SHARE] = SALES_FEE,
		[TYPE_SELLER_REV_SHARE_REFUND] = SALES_REFUND,
		[TYPE_AWS_REV_SHARE_REFUND] = SALES_FEE_REFUND,
		[TYPE_SELLER_REV_SHARE_CREDIT] = SALES_CREDIT,
		[TYPE_AWS_REV_SHARE_CREDIT] = SALES_FEE_CREDIT };
	const struct event *first = event_at(z->fs, z->events[from]);
	uint32_t payer = INTERN_NONE, address = INTERN_NONE;
	bool any = false;

	*l = (struct sales_line){ .reference = intern_text(z->fs->references, first->reference),
		.end_user_id = intern_text(z->fs->accounts, first->end_user),
		.currency = first->currency,
		.invoice_date = first->invoice_date,
		.usage_start = INSTANT_NONE,
		.usage_end = INSTANT_NONE };
	for (size_t i = from; i < to; i++) {
		const struct event *e = event_at(z->fs, z->events[i]);
		const struct event_more *m = event_more_at(z->fs, z->events[i]);

		l->amount[amounts[e->type]] += e->amount;
		if (event_type_is_seller(e->type) && e->from != INTERN_NONE &&
		    e->from != z->seller && compare_ids(z->fs->accounts, payer, e->from) <= 0)
			payer = e->from;
		if (compare_ids(z->fs->addresses, address, e->address) <= 0)
			address = e->address;
		if (e->invoice_date > l->invoice_date)
			l->invoice_date = e->invoice_date;
		if (m->usage_start != INSTANT_NONE &&
		    (l->usage_start == INSTANT_NONE || m->usage_start < l->usage_start))
			l->usage_start = m->usage_start;
		if (m->usage_end > l->usage_end)
			l->usage_end = m->usage_end;
	}
	for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++)
		any |= l->amount[a] != 0;
	if (any)
		fill_texts(z, payer, address, first->product, l);
	return any;
}

enum souk_err
lines_of_zero(const struct sales *s, enum sales_variant variant, struct str seller,
    enum souk_err (*take)(void *arg, const struct sales_line *l), void *arg)
{
	struct zeros z = { .fs = sales_feeds(s), .variant = variant };
	enum souk_err r = find_events(s, &z);

	z.seller = seller.n > 0 ? intern_find(z.fs->accounts, seller) : INTERN_NONE;
	if (r == SOUK_OK && z.n > 0)
		qsort_r(z.events, z.n, sizeof(*z.events), compare_events, &z);
	for (size_t i = 0, k; i < z.n && r == SOUK_OK; i = k) {
		struct sales_line l;

		for (k = i + 1; k < z.n && compare_events(&z.events[i], &z.events[k], &z) == 0;)
			k++;
		if (make_line(&z, i, k, &l))
			r = take(arg, &l);
	}
	free(z.events);
	return r;
}
