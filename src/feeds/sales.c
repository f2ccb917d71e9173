/* SPDX-License-Identifier: Apache-2.0 */
/* Sales compensation: load, group, fold, prove the totals; then lines are filled as they are asked for. */
#include "feeds/sales_int.h"

#include <stdatomic.h>
#include <stdlib.h>

#define AHEAD 8 /* lines */

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the lines.");
}

static enum souk_err
load(const struct sales_request *q, struct feeds **ret, struct fail *f)
{
	struct events_query e = {
		.source = q->source,
		.known_at = q->known_at,
		.month_from = q->month_from,
		.month_to = q->month_to,
		.actions = 1U << ACTION_INVOICED | 1U << ACTION_FORGIVEN,
		.types = TYPES_ALL & ~(1U << TYPE_BALANCE_ADJUSTMENT),
		.flags = EVENTS_PAID | EVENTS_BALANCE | (q->usage ? EVENTS_MORE : 0U),
		.account_columns = COLUMN(ACC_ACCOUNT_ID) | COLUMN(ACC_AWS_ACCOUNT_ID) |
				   COLUMN(ACC_MAILING_ADDRESS_ID),
		.address_columns = COLUMN(ADR_EMAIL_DOMAIN) | COLUMN(ADR_COMPANY_NAME) |
				   COLUMN(ADR_COUNTRY) | COLUMN(ADR_STATE_OR_REGION) |
				   COLUMN(ADR_CITY) | COLUMN(ADR_POSTAL_CODE),
		.product_columns = COLUMN(PRD_PRODUCT_CODE) | COLUMN(PRD_TITLE),
		.faults = q->faults,
		.threads = q->threads,
	};

	return feeds_load(&e, ret, f);
}

/* ---- totals ---------------------------------------------------------------------------------------------- */

struct proof {
	const struct sales *s;
	struct sales_total *totals[PARALLEL_MAX];
	size_t n[PARALLEL_MAX];
};

/* Sums over the events themselves, whatever lines they went to. */
static enum souk_err
sum_part(void *arg, unsigned which, struct fail *f)
{
	struct proof *p = arg;
	const struct sales *s = p->s;
	uint64_t bound = events_bound(s->fs);
	uint32_t to = (uint32_t)(bound * (which + 1) / s->threads);
	struct sales_total *t = NULL;

	for (uint32_t i = events_next(s->fs, (uint32_t)(bound * which / s->threads)); i < to;
	     i = events_next(s->fs, i + 1)) {
		const struct event *e = event_at(s->fs, i);
		enum sales_amount a = sales_event_amount(s, e);

		if (!sales_counts(s, e))
			continue;
		if ((!t || t->currency != e->currency) &&
		    !(t = sales_total_of(&p->totals[which], &p->n[which], e->currency)))
			return out_of_memory(f);
		t->events++;
		if (a < SALES__AMOUNTS)
			t->amount[a] += e->amount;
	}
	return SOUK_OK;
}

static bool
add_totals(struct sales_total **to, size_t *n, const struct sales_total *from, size_t n_from)
{
	for (size_t i = 0; i < n_from; i++) {
		struct sales_total *t = sales_total_of(to, n, from[i].currency);

		if (!t)
			return false;
		t->net += from[i].net;
		t->lines += from[i].lines;
		t->events += from[i].events;
		for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++) {
			t->amount[a] += from[i].amount[a];
			t->left_out[a] += from[i].left_out[a];
		}
	}
	return true;
}

static int
by_currency(const void *va, const void *vb)
{
	const struct sales_total *a = va, *b = vb;

	return (int)a->currency - (int)b->currency;
}

static bool
agree(const struct sales_total *lines, const struct sales_total *events)
{
	if (lines->currency != events->currency || lines->events != events->events)
		return false;
	for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++)
		if (lines->amount[a] + lines->left_out[a] != events->amount[a])
			return false;
	return true;
}

static enum souk_err
prove(struct sales *s, struct fail *f)
{
	struct proof p = { .s = s };
	struct sales_total *events = NULL;
	size_t n = 0;
	enum souk_err err = parallel_run(s->threads, sum_part, &p, f);
	bool ok = true;

	for (unsigned i = 0; i < s->threads; i++)
		ok = add_totals(&events, &n, p.totals[i], p.n[i]) && ok;
	for (unsigned i = 0; i < s->parts; i++)
		ok = add_totals(&s->totals, &s->n_totals, s->part[i].totals, s->part[i].n_totals) &&
		     ok;
	if (err == SOUK_OK && !ok)
		err = out_of_memory(f);
	if (n > 0 && s->n_totals > 0) {
		qsort(events, n, sizeof(*events), by_currency);
		qsort(s->totals, s->n_totals, sizeof(*s->totals), by_currency);
	}
	ok = n == s->n_totals;
	for (size_t i = 0; ok && i < n; i++)
		ok = agree(&s->totals[i], &events[i]);
	if (err == SOUK_OK && !ok)
		err = fail_set(f, SOUK_E_INTERNAL, "totals_differ",
		    "The lines do not add up to the events; this is a fault of souk, report it.");
	for (unsigned i = 0; i < s->threads; i++)
		free(p.totals[i]);
	free(events);
	return err;
}

/* ---- histories ------------------------------------------------------------------------------------------- */

static struct versions *
versions_of(const struct intern *in, const struct history *h)
{
	uint32_t n = intern_bound(in);
	struct versions *all = calloc((size_t)n + 1, sizeof(*all));

	for (uint32_t i = 0; all && i < n; i++) {
		struct str text = intern_text(in, i);

		if (text.n > 0)
			all[i].v = history_versions(h, history_key(h, &text), &all[i].n);
	}
	return all;
}

static bool
find_versions(struct sales *s)
{
	size_t n = (size_t)intern_bound(s->fs->addresses) + 1;

	if (!(s->address = malloc(n * sizeof(*s->address))))
		return false;
	memset(s->address, 0xff, n * sizeof(*s->address));
	s->account = versions_of(s->fs->accounts, s->fs->account);
	s->product = versions_of(s->fs->products, s->fs->product);
	return s->account && s->product;
}

/* ---- the fold -------------------------------------------------------------------------------------------- */

static enum souk_err
fold_part(void *arg, unsigned which, struct fail *f)
{
	return sales_lines(arg, which, f);
}

static enum souk_err
find_seller(struct sales *s, struct fail *f)
{
	struct earner all;

	earner_start(&all);
	for (unsigned i = 0; i < s->threads; i++)
		earner_join(&all, &s->earner[i]);
	return earner_found(&all, &s->seller, f);
}

static enum souk_err
fold_all(struct sales *s, struct fail *f)
{
	enum souk_err err = sales_group(s, f);

	/* The documented query asks for no seller. */
	if (err == SOUK_OK && s->variant == SALES_REPORT && !s->only_seller)
		err = find_seller(s, f);
	s->parts = s->threads;
	if (err == SOUK_OK)
		err = parallel_run(s->parts, fold_part, s, f);
	for (unsigned i = 0; i < s->parts; i++)
		s->n += s->part[i].n;
	if (err == SOUK_OK)
		err = prove(s, f);
	if (err == SOUK_OK && !find_versions(s))
		err = out_of_memory(f);
	return err;
}

enum souk_err
sales_fold(const struct sales_request *q, struct sales **ret, struct fail *f)
{
	struct sales *s = calloc(1, sizeof(*s));
	enum souk_err err;

	if (!s)
		return out_of_memory(f);
	s->variant = q->variant;
	s->usage = q->usage;
	s->threads = parallel_threads(q->threads);
	if ((err = load(q, &s->fs, f)) == SOUK_OK) {
		s->seller = INTERN_NONE;
		s->only_seller = q->seller.n > 0 && s->variant == SALES_REPORT;
		if (q->seller.n > 0)
			err = earner_by_name(s->fs, q->seller, &s->seller, f);
		if (err == SOUK_OK)
			err = fold_all(s, f);
	}
	if (err != SOUK_OK) {
		sales_free(s);
		return err;
	}
	*ret = s;
	return SOUK_OK;
}

void
sales_free(struct sales *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->parts; i++) {
		free(s->part[i].lines);
		free(s->part[i].sums);
		free(s->part[i].totals);
	}
	feeds_free(s->fs);
	free(s->events);
	free(s->first);
	free(s->reference);
	free(s->totals);
	free(s->account);
	free(s->product);
	free(s->address);
	free(s);
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

size_t
sales_count(const struct sales *s)
{
	return s->n;
}

static const struct line *
line_at(const struct sales *s, size_t i, const struct sales_part **ret_part)
{
	unsigned k = 0;

	while (i >= s->part[k].n)
		i -= s->part[k++].n;
	*ret_part = &s->part[k];
	return &s->part[k].lines[i];
}

static void
fill_amounts(
    const struct sales *s, const struct sales_part *p, const struct line *l, struct sales_line *ret)
{
	const packed_money *sum = p->sums + l->sum;

	for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++)
		ret->amount[a] = l->sums >> a & 1 ? *sum++ : 0;
	ret->net = sales_net(s, ret->amount);
}

/* A payer's address in the feed; lines of one payer come again and again with one address. */
static const struct version *
address_version(const struct sales *s, uint32_t address, const struct version *payer,
    const struct sales_line *l)
{
	const struct history *h = s->fs->address;
	struct str key[2] = { l->address_id, l->payer_account };
	const struct version *v;
	uint32_t by;
	uint64_t known;

	if (address == INTERN_NONE || !payer)
		return history_latest(h, history_key(h, key));
	by = history_number(s->fs->account, payer);
	known = atomic_load_explicit(&s->address[address], memory_order_relaxed);
	if (known != ADDRESS_UNKNOWN && known >> 32 == by)
		return (uint32_t)known == ADDRESS_NONE ? NULL
						       : history_numbered(h, (uint32_t)known);
	v = history_latest(h, history_key(h, key));
	atomic_store_explicit(&s->address[address],
	    ADDRESS_AT(by, v ? history_number(h, v) : ADDRESS_NONE), memory_order_relaxed);
	return v;
}

static void
fill_address(const struct sales *s, const struct line *l, const struct version *payer,
    struct sales_line *ret)
{
	const struct history *h = s->fs->address;
	const struct version *v;

	ret->address_id = intern_text(s->fs->addresses, l->address);
	if (ret->address_id.n == 0 && payer)
		ret->address_id = history_cell(s->fs->account, payer, ACC_MAILING_ADDRESS_ID);
	if (!(v = address_version(s, l->address, payer, ret)))
		return;
	ret->country = history_cell(h, v, ADR_COUNTRY);
	ret->state = history_cell(h, v, ADR_STATE_OR_REGION);
	ret->city = history_cell(h, v, ADR_CITY);
	ret->postal_code = history_cell(h, v, ADR_POSTAL_CODE);
	ret->email_domain = history_cell(h, v, ADR_EMAIL_DOMAIN);
	ret->company_name = history_cell(h, v, ADR_COMPANY_NAME);
}

/* The account's id and number as of an instant; its version, NULL when the feed has none. */
static const struct version *
fill_account(const struct sales *s, uint32_t account, instant_t t, struct str *ret_id,
    struct str *ret_number)
{
	const struct history *h = s->fs->account;
	const struct version *v =
	    account == INTERN_NONE ? NULL
				   : versions_asof(s->account[account].v, s->account[account].n, t);

	*ret_id = v ? history_cell(h, v, ACC_ACCOUNT_ID) : intern_text(s->fs->accounts, account);
	if (v)
		*ret_number = history_cell(h, v, ACC_AWS_ACCOUNT_ID);
	return v;
}

static void
fill_usage(const struct sales *s, const struct line *l, struct sales_line *ret)
{
	ret->usage_start = ret->usage_end = INSTANT_NONE;
	for (uint32_t i = l->first; s->usage && i < l->first + l->n; i++) {
		const struct event_more *m = event_more_at(s->fs, s->events[i]);

		if (m->usage_start != INSTANT_NONE &&
		    (ret->usage_start == INSTANT_NONE || m->usage_start < ret->usage_start))
			ret->usage_start = m->usage_start;
		if (m->usage_end > ret->usage_end)
			ret->usage_end = m->usage_end;
	}
}

/* Lines are asked for one after the other: what the next ones need is fetched early, each step what the one before led to. */
static void
fetch_places(const struct sales *s, const struct line *l)
{
	intern_prefetch_place(s->fs->references, l->reference);
	if (l->payer != INTERN_NONE)
		__builtin_prefetch(&s->account[l->payer]);
	if (l->end_user != INTERN_NONE)
		__builtin_prefetch(&s->account[l->end_user]);
	if (l->address != INTERN_NONE) {
		__builtin_prefetch(&s->address[l->address]);
		intern_prefetch_place(s->fs->addresses, l->address);
	}
}

static void
fetch_versions(const struct sales *s, const struct line *l)
{
	intern_prefetch_text(s->fs->references, l->reference);
	if (l->payer != INTERN_NONE && s->account[l->payer].n > 0)
		__builtin_prefetch(s->account[l->payer].v);
	if (l->end_user != INTERN_NONE && s->account[l->end_user].n > 0)
		__builtin_prefetch(s->account[l->end_user].v);
	if (l->address != INTERN_NONE) {
		uint64_t known =
		    atomic_load_explicit(&s->address[l->address], memory_order_relaxed);

		intern_prefetch_text(s->fs->addresses, l->address);
		if (known != ADDRESS_UNKNOWN && (uint32_t)known != ADDRESS_NONE)
			__builtin_prefetch(history_numbered(s->fs->address, (uint32_t)known));
	}
}

static void
fetch_cells(const struct sales *s, const struct line *l)
{
	if (l->payer != INTERN_NONE && s->account[l->payer].n > 0)
		__builtin_prefetch(s->account[l->payer].v->cells);
	if (l->end_user != INTERN_NONE && s->account[l->end_user].n > 0)
		__builtin_prefetch(s->account[l->end_user].v->cells);
	if (l->address != INTERN_NONE) {
		uint64_t known =
		    atomic_load_explicit(&s->address[l->address], memory_order_relaxed);

		if (known != ADDRESS_UNKNOWN && (uint32_t)known != ADDRESS_NONE)
			__builtin_prefetch(
			    history_numbered(s->fs->address, (uint32_t)known)->cells);
	}
}

static void
fetch_ahead(const struct sales *s, const struct sales_part *p, const struct line *l)
{
	const struct line *end = p->lines + p->n;

	if (end - l > 3 * AHEAD)
		fetch_places(s, l + 3 * AHEAD);
	if (end - l > 2 * AHEAD)
		fetch_versions(s, l + 2 * AHEAD);
	if (end - l > AHEAD)
		fetch_cells(s, l + AHEAD);
}

void
sales_at(const struct sales *s, size_t i, struct sales_line *ret)
{
	const struct sales_part *p;
	const struct line *l = line_at(s, i, &p);
	const struct feeds *fs = s->fs;
	const struct version *payer, *product = NULL;

	fetch_ahead(s, p, l);
	memset(ret, 0, sizeof(*ret));
	ret->reference = intern_text(fs->references, l->reference);
	payer = fill_account(s, l->payer, l->invoice_date, &ret->payer_id, &ret->payer_account);
	(void)fill_account(
	    s, l->end_user, l->invoice_date, &ret->end_user_id, &ret->end_user_account);
	ret->product_id = intern_text(fs->products, l->product);
	if (l->product != INTERN_NONE && s->product[l->product].n > 0)
		product = &s->product[l->product].v[s->product[l->product].n - 1];
	if (product) {
		ret->product_code = history_cell(fs->product, product, PRD_PRODUCT_CODE);
		ret->product_title = history_cell(fs->product, product, PRD_TITLE);
	}
	fill_address(s, l, payer, ret);
	fill_amounts(s, p, l, ret);
	fill_usage(s, l, ret);
	ret->currency = l->currency;
	ret->invoice_date = l->invoice_date;
	ret->month = month_of_instant(l->invoice_date);
	ret->n_events = l->n;
}

const uint32_t *
sales_events(const struct sales *s, size_t i, size_t *ret_n)
{
	const struct sales_part *p;
	const struct line *l = line_at(s, i, &p);

	*ret_n = l->n;
	return s->events + l->first;
}

const struct feeds *
sales_feeds(const struct sales *s)
{
	return s->fs;
}

struct str
sales_seller(const struct sales *s)
{
	return intern_text(s->fs->accounts, s->seller);
}

const struct sales_total *
sales_totals(const struct sales *s, size_t *ret_n)
{
	*ret_n = s->n_totals;
	return s->totals;
}
