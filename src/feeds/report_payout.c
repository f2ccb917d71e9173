/* SPDX-License-Identifier: Apache-2.0 */
/* Finds payouts, their failures and the order that they are printed in. */
#include "feeds/report_payout.h"

#include "feeds/row_at.h"

#include <stdlib.h>

static enum souk_err
no_memory(struct fail *fail)
{
	return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
}

static int
compare(const void *pa, const void *pb)
{
	const struct payout *a = pa, *b = pb;

	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	return text_order(a->id, b->id);
}

static bool
add(const struct fold *f, struct payouts *p, size_t *cap, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);

	if (p->n == *cap) {
		size_t more = *cap != 0 ? 2 * *cap : 64;
		struct payout *list = reallocarray(p->list, more, sizeof(*list));

		if (list == NULL)
			return false;
		p->list = list;
		*cap = more;
	}
	p->list[p->n++] = (struct payout){ .date = e->invoice_date,
		.event = event,
		.bank_trace = event_more_at(f->feeds, event)->bank_trace,
		.amount = e->amount,
		.currency = e->currency,
		.failed_at = INSTANT_MAX,
		.previous = INSTANT_NONE };
	return true;
}

/* Ids stand in the rows only: payouts are few. */
static enum souk_err
read_ids(const struct fold *f, struct payouts *p, struct fail *fail)
{
	struct row_reader *rows = NULL;
	enum souk_err r = p->n > 0 ? row_reader_new(f->request->source, &rows, fail) : SOUK_OK;
	const struct str *cells;
	size_t at = 0;

	for (uint32_t i = 0; r == SOUK_OK && i < p->n; i++) {
		const struct event *e = event_at(f->feeds, p->list[i].event);

		r = row_read(rows, 0, e->file, e->offset, &cells, fail);
		if (r == SOUK_OK) {
			p->list[i].id.n = cells[BE_BILLING_EVENT_ID].n;
			buf_add_str(&p->ids, cells[BE_BILLING_EVENT_ID]);
		}
	}
	row_reader_free(rows);
	if (r == SOUK_OK && !buf_ok(&p->ids))
		r = no_memory(fail);
	for (uint32_t i = 0; r == SOUK_OK && i < p->n; i++) {
		p->list[i].id.p = p->ids.p != NULL ? p->ids.p + at : "";
		at += p->list[i].id.n;
	}
	return r;
}

static int
compare_events(const void *pa, const void *pb)
{
	const struct payout_event *a = pa, *b = pb;

	return order_u32(a->event, b->event);
}

static bool
find_places(struct payouts *p)
{
	if ((p->by_event = calloc((size_t)p->n + 1, sizeof(*p->by_event))) == NULL)
		return false;
	for (uint32_t i = 0; i < p->n; i++)
		p->by_event[i] = (struct payout_event){ p->list[i].event, i };
	if (p->n > 1)
		qsort(p->by_event, p->n, sizeof(*p->by_event), compare_events);
	return true;
}

/* The payout that an event is; NULL: it is none. */
static struct payout *
payout_at(const struct payouts *p, uint32_t event)
{
	uint32_t low = 0, high = p->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (p->by_event[mid].event < event)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->n && p->by_event[low].event == event ? &p->list[p->by_event[low].place]
							     : NULL;
}

static void
find_failures(const struct fold *f, struct payouts *p)
{
	for (uint32_t i = events_next(f->feeds, 0); i != EVENT_NONE;
	     i = events_next(f->feeds, i + 1)) {
		const struct event *e = event_at(f->feeds, i);
		struct payout *failed;
		uint32_t parent;

		if (e->type != TYPE_DISBURSEMENT_FAILURE || !e->current)
			continue;
		parent = event_more_at(f->feeds, i)->parent;
		failed = parent != EVENT_NONE ? payout_at(p, parent) : NULL;
		if (failed != NULL && e->invoice_date < failed->failed_at)
			failed->failed_at = e->invoice_date;
	}
}

/* A settlement reaches back to the last day before with one. */
static bool
find_previous(struct payouts *p)
{
	struct seen {
		instant_t now, before;
	} *seen = calloc(CURRENCY_COUNT, sizeof(*seen));

	for (size_t c = 0; seen != NULL && c < CURRENCY_COUNT; c++)
		seen[c] = (struct seen){ INSTANT_NONE, INSTANT_NONE };
	for (uint32_t i = 0; seen != NULL && i < p->n; i++) {
		struct payout *x = &p->list[i];
		struct seen *s = &seen[x->currency];

		x->previous = s->now < x->date ? s->now : s->before;
		if (x->failed_at == INSTANT_MAX && s->now < x->date)
			*s = (struct seen){ .now = x->date, .before = s->now };
	}
	if (seen == NULL)
		return false;
	free(seen);
	return true;
}

enum souk_err
payouts_find(const struct fold *f, struct payouts *ret, struct fail *fail)
{
	bool page = f->request->variant == REPORT_AS_PAGE;
	size_t cap = 0;
	enum souk_err r;

	for (uint32_t i = events_next(f->feeds, 0); i != EVENT_NONE;
	     i = events_next(f->feeds, i + 1)) {
		const struct event *e = event_at(f->feeds, i);

		if (e->type == TYPE_DISBURSEMENT && (e->current || !page) && !add(f, ret, &cap, i))
			return no_memory(fail);
	}
	if ((r = read_ids(f, ret, fail)) != SOUK_OK)
		return r;
	if (ret->n > 1)
		qsort(ret->list, ret->n, sizeof(*ret->list), compare);
	if (!find_places(ret))
		return no_memory(fail);
	find_failures(f, ret);
	return find_previous(ret) ? SOUK_OK : no_memory(fail);
}

void
payouts_free(struct payouts *p)
{
	free(p->list);
	free(p->by_event);
	buf_done(&p->ids);
}

const struct payout *
payout_of(const struct fold *f, const struct payouts *p, uint32_t event)
{
	uint32_t to = event_more_at(f->feeds, event)->disbursement;

	return to != EVENT_NONE ? payout_at(p, to) : NULL;
}

/* The last day before `limit` on which money went out; INSTANT_NONE. */
static instant_t
payout_day_before(const struct payouts *p, instant_t limit)
{
	for (uint32_t i = p->n; i-- > 0;)
		if (p->list[i].failed_at == INSTANT_MAX && p->list[i].date < limit)
			return day_begin(p->list[i].date);
	return INSTANT_NONE;
}

enum souk_err
report_find_payout(const struct report_request *q, instant_t earliest, instant_t latest,
    struct instant_range *ret, instant_t *ret_since, struct fail *fail)
{
	static const struct fold_needs needs = { .actions = 1U << ACTION_DISBURSED,
		.types = 1U << TYPE_DISBURSEMENT | 1U << TYPE_DISBURSEMENT_FAILURE,
		.all_months = true,
		.skip = SKIP_USAGE | SKIP_DUE | SKIP_INVOICE | SKIP_REFERENCE | SKIP_ADDRESS |
			SKIP_PRODUCT | SKIP_USER };
	struct fold f = { .request = q, .info = data_set_info(q->data_set) };
	struct payouts p = { 0 };
	enum souk_err r = currency_load(fail);
	instant_t day;

	if (r == SOUK_OK)
		r = fold_load_events(&f, &needs, fail);
	if (r == SOUK_OK)
		r = payouts_find(&f, &p, fail);
	if (r == SOUK_OK) {
		day = payout_day_before(&p, latest + 1);
		if (day == INSTANT_NONE || day + DAY_MS <= earliest) {
			r = fail_set(fail, SOUK_E_NOT_FOUND, "no_payout",
			    "the feeds hold no disbursement in the days asked for");
		} else {
			*ret = (struct instant_range){ day, day + DAY_MS - SECOND_MS };
			*ret_since = payout_day_before(&p, day);
		}
	}
	payouts_free(&p);
	fold_free(&f);
	return r;
}
