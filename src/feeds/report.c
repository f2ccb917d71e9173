/* SPDX-License-Identifier: Apache-2.0 */
/* A request: is it one that feeds can meet, which columns does it have, which fold makes its lines. */
#include "feeds/report_int.h"

#include <stdlib.h>

/* Snapshots of all months are taken month by month: more than a century of them is a mistake in the feeds. */
#define SNAPSHOTS_MAX 1200

/* Between a fold, which makes all columns, and the request's sink, which gets some. */
struct chosen {
	struct report_sink sink;
	struct report_sink *to;
	struct report_head head;
	size_t from[REPORT_COLUMNS_MAX]; /* which of all columns */
	struct report_cell cells[REPORT_COLUMNS_MAX];
	struct report_events events;
	const struct report_events *all_events;
	uint16_t total_of[CURRENCY_COUNT];
	struct report_total *totals;
	size_t n_totals;
};

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static struct report_total *
total_of(struct chosen *c, currency_t currency)
{
	if (c->total_of[currency] == 0) {
		struct report_total *t =
		    reallocarray(c->totals, c->n_totals + 1, sizeof(*c->totals));

		if (t == NULL)
			return NULL;
		c->totals = t;
		c->totals[c->n_totals] = (struct report_total){ .currency = currency };
		c->total_of[currency] = (uint16_t)++c->n_totals;
	}
	return &c->totals[c->total_of[currency] - 1];
}

/* The columns that an event adds to, in the order of those chosen. */
static money_t
chosen_adds(const struct report_events *e, size_t i, uint64_t *ret_columns)
{
	const struct chosen *c = e->own;
	uint64_t all = 0;
	money_t amount = c->all_events->adds(c->all_events, i, &all);

	*ret_columns = 0;
	for (size_t n = 0; n < c->head.n_columns; n++)
		if ((all >> c->from[n] & 1) != 0)
			*ret_columns |= UINT64_C(1) << n;
	return amount;
}

static enum souk_err
chosen_line(struct report_sink *s, const struct report_line *all, struct fail *f)
{
	struct chosen *c = (struct chosen *)s;
	struct report_line l = *all;
	struct report_total *t = NULL;

	if (l.currency != CURRENCY_NONE && (t = total_of(c, l.currency)) == NULL)
		return no_memory(f);
	for (size_t i = 0; t != NULL && i < c->head.n_columns; i++)
		if (c->head.columns[i]->type == CELL_MONEY &&
		    !money_add(t->money[i], all->cells[c->from[i]].money, &t->money[i]))
			return fail_set(f, SOUK_E_INVALID, "sum",
			    "--feeds: amounts add up to more than can be counted");
	if (t != NULL)
		t->lines++;
	for (size_t i = 0; all->text.n == 0 && i < c->head.n_columns; i++)
		c->cells[i] = all->cells[c->from[i]];
	l.cells = all->text.n == 0 ? c->cells : NULL;
	c->all_events = all->events;
	c->events = all->events != NULL ? *all->events : (struct report_events){ .n = 0 };
	c->events.adds = chosen_adds;
	c->events.own = c;
	l.events = all->events != NULL ? &c->events : NULL;
	return c->to->line(c->to, &l, f);
}

/* As chosen_line, for the text alone. */
static void
chosen_format(const struct report_sink *s, const struct report_line *all, struct buf *b)
{
	const struct chosen *c = (const struct chosen *)s;
	struct report_cell cells[REPORT_COLUMNS_MAX];
	struct report_line l = *all;

	for (size_t i = 0; i < c->head.n_columns; i++)
		cells[i] = all->cells[c->from[i]];
	l.cells = cells;
	c->to->format(c->to, &l, b);
}

static void
choose_columns(struct chosen *c, const struct fold *f)
{
	for (size_t i = 0; i < f->n_columns; i++)
		if (f->request->participant || !f->columns[i].edsp) {
			c->from[c->head.n_columns] = i;
			c->head.columns[c->head.n_columns++] = &f->columns[i];
		}
}

static enum souk_err
refuse(struct fail *f, enum souk_err e, const char *what, const char *fix)
{
	(void)fail_field(f, "DATASET", what, fix);
	if (f != NULL)
		f->err = e;
	return e;
}

static enum souk_err
check_request(const struct report_request *q, struct fail *f)
{
	const struct data_set_info *info = data_set_info(q->data_set);

	if (info->source == SOURCE_NONE)
		return refuse(f, SOUK_E_INVALID, "is no longer published", info->note);
	if (info->source == SOURCE_FACTS)
		return refuse(f, SOUK_E_INVALID, "cannot be made of data feeds", info->note);
	if (q->variant == REPORT_AS_QUERY && info->query_columns == NULL)
		return fail_field(f, "--variant", "has no documented query for this data set",
		    "leave it out; disbursed_amount_by_product and "
		    "sales_compensation_billed_revenue have one");
	if (info->participants_only && !q->participant)
		return refuse(f, SOUK_E_DENIED, "is for participants of enhanced data sharing only",
		    "enrol first, or ask with --participant yes for a participant's feeds");
	if (!q->all_months && q->from > q->to)
		return fail_field(f, "--month", "ends before it begins", "give one month");
	return currency_load(f);
}

static fold_maker *const makers[DS__COUNT] = {
	[DS_BILLING_AND_REVENUE] = fold_billed,
	[DS_ANNUAL_SUBSCRIPTIONS] = fold_billed,
	[DS_FLEXIBLE_PAYMENTS] = fold_flexible,
	[DS_DISBURSED_BY_PRODUCT] = fold_disbursed,
	[DS_DISBURSED_BY_INSTANCE_HOURS] = fold_instance_hours,
	[DS_DISBURSED_BY_GEO] = fold_geo,
	[DS_AGE_OF_UNCOLLECTED] = fold_funds,
	[DS_AGE_OF_DISBURSED] = fold_collected,
	[DS_AGE_OF_PAST_DUE] = fold_funds,
	[DS_UNCOLLECTED_BREAKDOWN] = fold_breakdown,
};

/* Is it made of what is open at the end of a month, or of how old a month's payouts were? */
static bool
month_by_month(enum data_set d)
{
	return d == DS_AGE_OF_UNCOLLECTED || d == DS_AGE_OF_PAST_DUE || d == DS_AGE_OF_DISBURSED ||
	       d == DS_UNCOLLECTED_BREAKDOWN;
}

/* The months that events are of; false when there are none. */
static bool
months_of_events(const struct feeds *fs, month_t *from, month_t *to)
{
	instant_t first = INSTANT_MAX, last = INSTANT_NONE;

	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1)) {
		const struct event *e = event_at(fs, i);

		first = e->invoice_date < first ? e->invoice_date : first;
		last = e->invoice_date > last ? e->invoice_date : last;
	}
	*from = month_of(first);
	*to = last != INSTANT_NONE ? month_of(last) : 0;
	return last != INSTANT_NONE;
}

static enum souk_err
run_months(struct fold *f, struct report_request *q, struct report_sink *s,
    struct report_summary *sum, struct fail *fail)
{
	enum souk_err e = SOUK_OK;
	month_t from, to;

	if (!months_of_events(f->feeds, &from, &to))
		return SOUK_OK;
	if (to - from >= SNAPSHOTS_MAX)
		return fail_field(fail, "--all-months",
		    "is too much: the events' invoice dates are more than a century apart",
		    "check them with `souk feeds check`, or ask with --month");
	for (month_t m = from; e == SOUK_OK && m <= to; m++) {
		q->from = month_begin(m);
		q->to = month_end(m);
		e = fold_group_events(f, fail);
		if (e == SOUK_OK)
			e = fold_run(f, s, sum, fail);
	}
	return e;
}

static enum souk_err
run_fold(struct fold *f, struct report_request *q, struct report_sink *s,
    struct report_summary *sum, struct fail *fail)
{
	enum souk_err e = makers[q->data_set](f, fail);

	if (e != SOUK_OK)
		return e;
	if (q->all_months && month_by_month(q->data_set))
		return run_months(f, q, s, sum, fail);
	e = fold_group_events(f, fail);
	return e == SOUK_OK ? fold_run(f, s, sum, fail) : e;
}

static int
compare_totals(const void *pa, const void *pb)
{
	const struct report_total *a = pa, *b = pb;

	return (a->currency > b->currency) - (a->currency < b->currency);
}

static const char *const amount_names[DS__COUNT] = {
	[DS_BILLING_AND_REVENUE] = "Partner Revenue Amount",
	[DS_ANNUAL_SUBSCRIPTIONS] = "Partner Revenue Amount",
	[DS_FLEXIBLE_PAYMENTS] = "Invoice Amount (USD)",
	[DS_DISBURSED_BY_PRODUCT] = "Net Amount",
	[DS_DISBURSED_BY_GEO] = "Net Amount by Tax Location",
	[DS_AGE_OF_UNCOLLECTED] = "Uncollected (overall)",
	[DS_AGE_OF_DISBURSED] = "Collected (overall)",
	[DS_AGE_OF_PAST_DUE] = "Past Due (overall)",
	[DS_UNCOLLECTED_BREAKDOWN] = "Net Revenue",
	[DS_SALES_COMPENSATION] = "Net Revenue",
	[DS_SALES_AND_USE_TAX] = "Tax Amount",
};

static enum souk_err
run(struct fold *f, struct report_request *q, struct chosen *c, struct report_summary *sum,
    struct fail *fail)
{
	enum souk_err e = c->to->begin(c->to, &c->head, fail);

	if (e != SOUK_OK)
		return e;
	if (q->data_set == DS_SALES_COMPENSATION)
		e = sales_run(f, &c->sink, sum, fail);
	else if (q->data_set == DS_SALES_AND_USE_TAX)
		e = tax_run(f, &c->sink, sum, fail);
	else
		e = run_fold(f, q, &c->sink, sum, fail);
	if (e != SOUK_OK)
		return e;
	if (c->n_totals > 1)
		qsort(c->totals, c->n_totals, sizeof(*c->totals), compare_totals);
	if (f->feeds != NULL)
		sum->seller = intern_text(f->feeds->accounts, f->seller);
	sum->totals = c->totals;
	sum->n_totals = c->n_totals;
	sum->rejects = q->faults != NULL ? q->faults->n : 0;
	return c->to->end(c->to, sum, fail);
}

enum souk_err
report_run(const struct report_request *asked, struct report_sink *s, struct report_summary *ret,
    struct fail *fail)
{
	struct report_request q = *asked; /* its period moves with the months */
	struct report_summary sum = { 0 };
	const struct data_set_info *info = data_set_info(asked->data_set);
	bool query = asked->variant == REPORT_AS_QUERY;
	struct fold f = { .request = &q, .info = info, .seller = INTERN_NONE };
	struct chosen *c;
	enum souk_err e = check_request(asked, fail);

	if (e != SOUK_OK)
		return e;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return no_memory(fail);
	if (q.all_months) {
		q.from = month_begin(MONTH_MIN);
		q.to = month_end(MONTH_MAX);
	}
	f.columns = query ? info->query_columns : info->columns;
	f.n_columns = query ? info->n_query_columns : info->n_columns;
	common_find(&f);
	c->sink.line = chosen_line;
	c->sink.format = s->format != NULL ? chosen_format : NULL;
	c->to = s;
	c->head.data_set = asked->data_set;
	c->head.request = asked;
	c->head.amount_name = amount_names[asked->data_set];
	choose_columns(c, &f);
	e = run(&f, &q, c, &sum, fail);
	if (e == SOUK_OK) {
		*ret = sum;
		ret->seller = STR("");
		ret->totals = NULL;
		ret->n_totals = 0;
	}
	fold_free(&f);
	free(c->totals);
	free(c);
	return e;
}
