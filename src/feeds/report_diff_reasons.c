/* SPDX-License-Identifier: Apache-2.0 */
/* All that the billing event feed ever said about some events. */
#include "feeds/report_diff_int.h"

#include "feeds/read.h"

#include <stdlib.h>

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

enum souk_err
reasons_begin(struct reasons *r, const struct report_request *q, struct fail *f)
{
	*r = (struct reasons){ .source = q->source, .faults = q->faults, .ids = intern_new() };
	return r->ids != NULL ? row_reader_new(q->source, &r->rows, f) : no_memory(f);
}

enum souk_err
reasons_want(struct reasons *r, struct place p, uint32_t *ret_id, struct fail *f)
{
	const struct str *cells;
	enum souk_err e = row_read(r->rows, 0, p.file, p.offset, &cells, f);
	struct str id;

	if (e != SOUK_OK)
		return e;
	id = cells[BE_BILLING_EVENT_ID];
	return intern_put(r->ids, id, text_hash(id), ret_id, NULL) ? SOUK_OK : no_memory(f);
}

static instant_t
instant_of(struct str s)
{
	instant_t t = INSTANT_NONE;

	if (s.n > 0)
		(void)value_instant(s, &t);
	return t;
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct reasons *r = arg;
	uint32_t id = intern_find(r->ids, row->cell[BE_BILLING_EVENT_ID]);

	if (id == INTERN_NONE)
		return SOUK_OK;
	if (r->n == r->cap) {
		size_t cap = r->cap != 0 ? 2 * r->cap : 256;
		struct event_version *v = reallocarray(r->versions, cap, sizeof(*v));

		if (v == NULL)
			return no_memory(f);
		r->versions = v;
		r->cap = cap;
	}
	r->versions[r->n++] = (struct event_version){ .id = id,
		.valid_from = instant_of(row->cell[BE_VALID_FROM]),
		.update_date = instant_of(row->cell[BE_UPDATE_DATE]),
		.deleted = row->cell[BE_DELETE_DATE].n > 0,
		.cells = r->texts.n };
	for (unsigned c = 0; c < BE__COUNT; c++) {
		uint32_t n = (uint32_t)row->cell[c].n;

		buf_add(&r->texts, &n, sizeof(n));
		buf_add_str(&r->texts, row->cell[c]);
	}
	return buf_ok(&r->texts) ? SOUK_OK : no_memory(f);
}

static int
compare_versions(const void *pa, const void *pb)
{
	const struct event_version *a = pa, *b = pb;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (a->cells > b->cells) - (a->cells < b->cells);
}

enum souk_err
reasons_read(struct reasons *r, struct fail *f)
{
	const struct feed_reading reading = { .source = r->source,
		.feed = FEED_BILLING_EVENT,
		.columns = COLUMNS_ALL(BE__COUNT),
		.faults = r->faults,
		.row = take_row,
		.arg = r };
	enum souk_err e = intern_count(r->ids) > 0 ? feed_read(&reading, f) : SOUK_OK;

	if (e == SOUK_OK && r->n > 1)
		qsort(r->versions, r->n, sizeof(*r->versions), compare_versions);
	return e;
}

struct str
reasons_cell(const struct reasons *r, const struct event_version *v, unsigned column)
{
	size_t at = v->cells;
	uint32_t n = 0;

	for (unsigned c = 0;; c++) {
		memcpy(&n, r->texts.p + at, sizeof(n));
		at += sizeof(n);
		if (c == column)
			return (struct str){ r->texts.p + at, n };
		at += n;
	}
}

/* Does `a` supersede `b`: recorded later, or at once and read later? */
static bool
supersedes(const struct event_version *a, const struct event_version *b)
{
	return a->valid_from == b->valid_from &&
	       (a->update_date > b->update_date ||
		   (a->update_date == b->update_date && a->cells > b->cells));
}

const struct event_version *
reasons_current(const struct reasons *r, uint32_t id, instant_t t, bool *ret_known)
{
	const struct event_version *best = NULL;
	size_t from = 0, to = r->n;

	while (from < to) { /* the first of the id */
		size_t mid = from + (to - from) / 2;

		if (r->versions[mid].id < id)
			from = mid + 1;
		else
			to = mid;
	}
	*ret_known = false;
	for (size_t i = from; i < r->n && r->versions[i].id == id; i++) {
		const struct event_version *v = &r->versions[i];
		bool beaten = v->update_date > t;

		*ret_known |= !beaten;
		for (size_t k = from; !beaten && k < r->n && r->versions[k].id == id; k++)
			beaten = r->versions[k].update_date <= t && supersedes(&r->versions[k], v);
		if (!beaten && !v->deleted && (best == NULL || v->valid_from > best->valid_from))
			best = v;
	}
	return best;
}

void
reasons_done(struct reasons *r)
{
	intern_free(r->ids);
	row_reader_free(r->rows);
	free(r->versions);
	buf_done(&r->texts);
}
