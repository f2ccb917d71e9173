/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of folds: groups events, makes lines, and compares what the lines sum to with what the events sum to. */
#include "feeds/report_int.h"

#include "feeds/parallel.h"

#include <stdlib.h>

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static enum souk_err
too_large(struct fail *f)
{
	return fail_set(f, SOUK_E_INVALID, "sum",
	    "--feeds: amounts add up to more than can be counted; check them with `souk feeds "
	    "check`");
}

/* Sums. */

struct total_entry *
totals_of(struct totals *t, currency_t c)
{
	size_t at = c == CURRENCY_NONE ? CURRENCY_COUNT : c;

	if (t->at[at] == 0) {
		if (t->n == t->cap) {
			size_t cap = t->cap != 0 ? 2 * t->cap : 8;
			struct total_entry *e = reallocarray(t->entries, cap, sizeof(*e));

			if (e == NULL)
				return NULL;
			t->entries = e;
			t->cap = cap;
		}
		t->entries[t->n] = (struct total_entry){ .currency = c };
		t->at[at] = (uint16_t)++t->n;
	}
	return &t->entries[t->at[at] - 1];
}

void
totals_free(struct totals *t)
{
	free(t->entries);
	*t = (struct totals){ .n = 0 };
}

static bool
add_slots(money_t *to, const money_t *from)
{
	for (size_t i = 0; i < FOLD_SLOTS; i++)
		if (from[i] != 0 && !money_add(to[i], from[i], &to[i]))
			return false;
	return true;
}

/* Groups. */

/* Does the request let the event in? */
static bool
counted(const struct fold *f, uint32_t event)
{
	const struct report_request *q = f->request;
	const struct event *e = event_at(f->feeds, event);

	if (q->currency != CURRENCY_NONE && e->currency != q->currency)
		return false;
	/* The documented queries ask neither for the current version of an event nor for a seller. */
	if (q->variant != REPORT_AS_PAGE)
		return true;
	return e->current && (q->seller.n == 0 || e->from == f->seller || e->to == f->seller);
}

/* Of a data set without amounts nothing is added up, so that its lines may have several currencies. */
static currency_t
currency_of_event(const struct fold *f, uint32_t event)
{
	return f->amount_column < f->n_columns ? event_at(f->feeds, event)->currency
					       : CURRENCY_NONE;
}

/* Slots are asked for again and again, and need events that stand far apart. */
static enum souk_err
slot_part(void *ctx, unsigned i, struct fail *fail)
{
	struct fold *f = ctx;
	unsigned threads = parallel_threads(f->request->threads);
	uint32_t bound = events_bound(f->feeds);
	uint32_t e = (uint32_t)parallel_part(bound, i, threads);
	uint32_t to = (uint32_t)parallel_part(bound, i + 1, threads);

	(void)fail;
	for (e = events_next(f->feeds, e); e < to; e = events_next(f->feeds, e + 1))
		if (counted(f, e))
			f->event_slots[e] = f->slot(f, e);
	return SOUK_OK;
}

static enum souk_err
find_slots(struct fold *f, struct fail *fail)
{
	size_t bound = events_bound(f->feeds);

	free(f->event_slots);
	if ((f->event_slots = malloc(bound + 1)) == NULL)
		return no_memory(fail);
	memset(f->event_slots, FOLD_NO_SLOT, bound + 1);
	return parallel_run(parallel_threads(f->request->threads), slot_part, f, fail);
}

static money_t
amount_of(const struct fold *f, uint32_t event)
{
	return f->sign != 0 ? f->sign * event_at(f->feeds, event)->amount : 0;
}

static bool
group_key(const void *ctx, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key)
{
	const struct fold *f = ctx;

	if (f->event_slots[event] == FOLD_NO_SLOT)
		return false;
	f->key(f, event, ret_primary, ret_key);
	return true;
}

static struct str
group_primary_text(const void *ctx, uint32_t primary)
{
	const struct fold *f = ctx;

	return f->primary_text(f, primary);
}

static int
group_compare(const void *ctx, const uint32_t *a, const uint32_t *b)
{
	const struct fold *f = ctx;

	return f->compare(f, a, b);
}

static uint32_t
group_next(const void *ctx, uint32_t event)
{
	const struct fold *f = ctx;
	uint32_t bound = events_bound(f->feeds);

	while (event < bound && f->event_slots[event] == FOLD_NO_SLOT)
		event++;
	return event < bound ? event : EVENT_NONE;
}

/* Lines month by month, within a month as they were: counted, for months are few. */
static enum souk_err
sequence_months(struct fold *f, struct fail *fail)
{
	size_t n = f->groups.n, *count = calloc(MONTH_MAX - MONTH_MIN + 2, sizeof(*count));
	month_t *months = calloc(n + 1, sizeof(*months));
	uint32_t *sequence = calloc(n + 1, sizeof(*sequence));

	if (count == NULL || months == NULL || sequence == NULL) {
		free(count);
		free(months);
		free(sequence);
		return no_memory(fail);
	}
	for (size_t i = 0; i < n; i++) {
		months[i] = f->month(f, fold_group(f, i)) - MONTH_MIN;
		count[months[i] + 1]++;
	}
	for (month_t m = 0; m < MONTH_MAX - MONTH_MIN; m++)
		count[m + 1] += count[m];
	for (size_t i = 0; i < n; i++)
		sequence[count[months[i]]++] = f->sequence != NULL ? f->sequence[i] : (uint32_t)i;
	free(count);
	free(months);
	free(f->sequence);
	f->sequence = sequence;
	return SOUK_OK;
}

enum souk_err
fold_group_events(struct fold *f, struct fail *fail)
{
	const struct group_by by = { .n_events = events_bound(f->feeds),
		.n_primaries = f->n_primaries,
		.parts = f->parts,
		.next = group_next,
		.key = group_key,
		.primary_text = group_primary_text,
		.compare = group_compare,
		.ctx = f,
		.threads = f->request->threads };
	enum souk_err r;

	groups_free(&f->groups);
	free(f->sequence);
	f->sequence = NULL;
	if ((r = find_slots(f, fail)) != SOUK_OK)
		return r;
	if (groups_make(&by, &f->groups) != SOUK_OK)
		return no_memory(fail);
	r = f->prepare != NULL ? f->prepare(f, fail) : SOUK_OK;
	if (r == SOUK_OK && f->request->all_months && f->month != NULL)
		r = sequence_months(f, fail);
	return r;
}

const struct group *
fold_group(const struct fold *f, size_t i)
{
	return &f->groups.groups[f->sequence != NULL ? f->sequence[i] : i];
}

/* Lines. */

static money_t
column_money(const struct fold *f, size_t column, const money_t *slots)
{
	money_t sum = 0;

	for (unsigned s = 0; s < FOLD_SLOTS; s++)
		if ((f->slots_of[column] & SLOT_BIT(s)) != 0)
			sum += f->rounded[column] ? money_round(slots[s], 2) : slots[s];
	return sum;
}

static money_t
event_adds(const struct report_events *e, size_t i, uint64_t *ret_columns)
{
	const struct fold *f = e->own;
	uint8_t slot = f->event_slots[e->list[i]];

	*ret_columns = 0;
	for (size_t c = 0; c < f->n_columns; c++)
		if (slot != FOLD_NO_SLOT && (f->slots_of[c] & SLOT_BIT(slot)) != 0)
			*ret_columns |= UINT64_C(1) << c;
	return amount_of(f, e->list[i]);
}

void
fold_line(const struct fold *f, const struct group *g, struct made_line *ret)
{
	ret->line.cells = ret->cells;
	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		uint32_t event = f->groups.members[i];
		uint8_t slot = f->event_slots[event];

		if (!money_add(ret->slots[slot], amount_of(f, event), &ret->slots[slot])) {
			ret->overflow = true;
			return;
		}
	}
	ret->line.currency = currency_of_event(f, f->groups.members[g->first]);
	ret->events =
	    (struct report_events){ f->feeds, &f->groups.members[g->first], g->n, event_adds, f };
	ret->line.events = &ret->events;
	for (size_t c = 0; c < f->n_columns; c++)
		if (f->columns[c].type == CELL_MONEY)
			cell_money(&ret->cells[c], column_money(f, c, ret->slots));
	ret->print = f->line(f, g, ret);
	if (f->amount_column < f->n_columns)
		ret->line.amount = ret->cells[f->amount_column].money;
}

struct run {
	const struct fold *f;
	unsigned threads;
	struct report_summary *sum;
	struct totals events[PARALLEL_MAX];
	struct totals lines;
};

static enum souk_err
sum_part(void *ctx, unsigned i, struct fail *fail)
{
	struct run *r = ctx;
	uint32_t bound = events_bound(r->f->feeds);
	uint32_t e = (uint32_t)parallel_part(bound, i, r->threads);
	uint32_t to = (uint32_t)parallel_part(bound, i + 1, r->threads);

	for (; e < to; e++) {
		uint8_t slot = r->f->event_slots[e];
		struct total_entry *t;

		if (slot == FOLD_NO_SLOT)
			continue;
		t = totals_of(&r->events[i], currency_of_event(r->f, e));
		if (t == NULL)
			return no_memory(fail);
		if (!money_add(t->slots[slot], amount_of(r->f, e), &t->slots[slot]))
			return too_large(fail);
		t->events++;
	}
	return SOUK_OK;
}

/* What the events sum to, on all threads, in events[0]. */
static enum souk_err
sum_events(struct run *r, struct fail *fail)
{
	enum souk_err err = parallel_run(r->threads, sum_part, r, fail);

	for (unsigned i = 1; err == SOUK_OK && i < r->threads; i++)
		for (size_t n = 0; n < r->events[i].n; n++) {
			struct total_entry *from = &r->events[i].entries[n];
			struct total_entry *to = totals_of(&r->events[0], from->currency);

			if (to == NULL)
				return no_memory(fail);
			if (!add_slots(to->slots, from->slots))
				return too_large(fail);
			to->events += from->events;
		}
	return err;
}

/* Every cent of the events is in a line, printed or not, and in no line is one that no event has. */
static enum souk_err
check(struct run *r, struct fail *fail)
{
	for (size_t n = 0; n < r->events[0].n; n++) {
		const struct total_entry *e = &r->events[0].entries[n];
		const struct total_entry *l = totals_of(&r->lines, e->currency);

		if (l == NULL)
			return no_memory(fail);
		if (memcmp(e->slots, l->slots, sizeof(e->slots)) != 0 || e->events != l->events)
			return fail_set(fail, SOUK_E_INTERNAL, "totals",
			    "totals: lines and billing events do not add up to the same, so "
			    "nothing was written; please report this");
	}
	return r->lines.n == r->events[0].n
		   ? SOUK_OK
		   : fail_set(fail, SOUK_E_INTERNAL, "totals",
			 "totals: lines have a currency that no billing event has, so nothing was "
			 "written; please report this");
}

static void
make_line(const void *ctx, size_t i, struct made_line *ret)
{
	const struct run *r = ctx;

	fold_line(r->f, fold_group(r->f, i), ret);
}

static enum souk_err
take_line(void *ctx, size_t i, const struct made_line *m, struct fail *fail)
{
	struct run *r = ctx;
	const struct group *g = fold_group(r->f, i);
	struct total_entry *t;

	if (m->overflow)
		return too_large(fail);
	t = totals_of(&r->lines, m->line.currency);
	if (t == NULL)
		return no_memory(fail);
	t->events += g->n;
	if (!add_slots(t->slots, m->slots))
		return too_large(fail);
	r->sum->left_out += m->print == FOLD_LEFT_OUT;
	if (m->print == FOLD_LEFT_OUT)
		r->sum->left_out_why = r->f->left_out_why;
	if (m->print == FOLD_PRINT) {
		r->sum->lines++;
		r->sum->events += g->n;
	}
	return SOUK_OK;
}

enum souk_err
fold_run(struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail)
{
	struct run *r = calloc(1, sizeof(*r));
	const struct lines lines = { .n = f->groups.n,
		.threads = f->request->threads,
		.make = make_line,
		.take = take_line,
		.ctx = r };
	enum souk_err e;

	if (r == NULL)
		return no_memory(fail);
	r->f = f;
	r->sum = sum;
	r->threads = parallel_threads(f->request->threads);
	if ((e = sum_events(r, fail)) == SOUK_OK && (e = lines_run(&lines, s, fail)) == SOUK_OK)
		e = check(r, fail);
	for (unsigned i = 0; i < r->threads; i++)
		totals_free(&r->events[i]);
	totals_free(&r->lines);
	free(r);
	return e;
}
