/* SPDX-License-Identifier: Apache-2.0 */
/* Two runs of one request, compared line by line; see report_diff.h. */
#include "feeds/report_diff_int.h"

#include "base/json.h"
#include "feeds/events.h"
#include "feeds/group.h"
#include "feeds/report_out.h"

#include <stdlib.h>

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

/* Keeping lines. */

static bool
grow(void **p, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap != 0 ? *cap : 1024;
	void *q;

	if (n <= *cap)
		return true;
	while (more < n)
		more *= 2;
	if ((q = reallocarray(*p, more, size)) == NULL)
		return false;
	*p = q;
	*cap = more;
	return true;
}

static enum souk_err
keep_begin(struct report_sink *s, const struct report_head *h, struct fail *f)
{
	struct kept *k = (struct kept *)s;

	(void)f;
	k->head = *h;
	for (size_t c = 0; c < h->n_columns; c++)
		k->by_reference |= strcmp(h->columns[c]->name, "Transaction Reference ID") == 0;
	return SOUK_OK;
}

static int
compare_places(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static void
add_key_part(struct kept *k, struct str s)
{
	buf_add_str(&k->texts, s);
	buf_add_char(&k->texts, '\t');
}

/* A line's name, of parts that end with a tab. */
static void
keep_key(struct kept *k, const struct report_line *l)
{
	char month[MONTH_TEXT_LEN + 1] = "", code[4] = "";

	if (k->by_reference && l->events != NULL && l->events->n > 0) {
		const struct feeds *fs = l->events->feeds;
		const struct event *e = event_at(fs, l->events->list[0]);

		add_key_part(k, intern_text(fs->references, e->reference));
		add_key_part(k, intern_text(fs->products, e->product));
		add_key_part(k, intern_text(fs->accounts, e->end_user));
	} else {
		for (size_t c = 0; c < k->head.n_columns; c++)
			if (k->head.columns[c]->type == CELL_TEXT)
				add_key_part(k, l->cells[c].filled ? l->cells[c].text : STR(""));
	}
	if (l->currency != CURRENCY_NONE)
		currency_text(l->currency, code);
	if (l->month != 0)
		month_format(l->month, month);
	add_key_part(k, str_c(code));
	add_key_part(k, str_c(month));
}

static bool
keep_places(struct kept *k, struct kept_line *line, const struct report_events *e)
{
	line->first = k->n_places;
	line->n = e->n;
	line->has_events = true;
	if (!grow((void **)&k->places, &k->places_cap, k->n_places + e->n, sizeof(*k->places)))
		return false;
	for (size_t i = 0; i < e->n; i++) {
		const struct event *x = event_at(e->feeds, e->list[i]);

		k->places[k->n_places++] = (struct place){ x->offset, x->file };
	}
	if (e->n > 1)
		qsort(&k->places[line->first], e->n, sizeof(*k->places), compare_places);
	return true;
}

static enum souk_err
keep_line(struct report_sink *s, const struct report_line *l, struct fail *f)
{
	struct kept *k = (struct kept *)s;
	struct kept_line *line;

	if (!grow((void **)&k->lines, &k->cap, k->n + 1, sizeof(*k->lines)))
		return no_memory(f);
	line = &k->lines[k->n];
	*line = (struct kept_line){ .key = k->texts.n, .index = k->n };
	keep_key(k, l);
	line->key_n = k->texts.n - line->key;
	line->cells = k->texts.n;
	for (size_t c = 0; c < k->head.n_columns; c++) {
		uint32_t n;

		buf_clear(&k->cell);
		report_cell_text(&k->cell, k->head.columns[c]->type, &l->cells[c]);
		n = (uint32_t)k->cell.n;
		buf_add(&k->texts, &n, sizeof(n));
		buf_add_str(&k->texts, buf_str(&k->cell));
	}
	k->n++;
	if (l->events != NULL && !keep_places(k, line, l->events))
		return no_memory(f);
	return buf_ok(&k->texts) && buf_ok(&k->cell) ? SOUK_OK : no_memory(f);
}

static int
compare_lines(const void *pa, const void *pb, void *arg)
{
	const struct kept *k = arg;
	const struct kept_line *a = pa, *b = pb;
	int o = text_order(kept_key(k, a), kept_key(k, b));

	return o != 0 ? o : (a->index > b->index) - (a->index < b->index);
}

static enum souk_err
keep_end(struct report_sink *s, const struct report_summary *m, struct fail *f)
{
	struct kept *k = (struct kept *)s;

	(void)m;
	(void)f;
	if (k->n > 1)
		qsort_r(k->lines, k->n, sizeof(*k->lines), compare_lines, k);
	return SOUK_OK;
}

struct str
kept_key(const struct kept *k, const struct kept_line *l)
{
	return (struct str){ k->texts.p + l->key, l->key_n };
}

void
kept_cells(const struct kept *k, const struct kept_line *l, struct str *out)
{
	size_t at = l->cells;

	for (size_t c = 0; c < k->head.n_columns; c++) {
		uint32_t n;

		memcpy(&n, k->texts.p + at, sizeof(n));
		at += sizeof(n);
		out[c] = (struct str){ k->texts.p + at, n };
		at += n;
	}
}

static void
kept_done(struct kept *k)
{
	free(k->lines);
	free(k->places);
	buf_done(&k->texts);
	buf_done(&k->cell);
}

/* Comparing. */

struct diff {
	struct kept before, after;
	instant_t from, to;
	struct reasons reasons;
	struct report_diff_counts counts;
	uint32_t *ids; /* of the change under way: events that one side has and the other has not */
	size_t n_ids, ids_cap;
	struct buf out;
	struct jw w;
	struct sink *sink;
	bool json;
};

/* What is done with each change; a side is NULL when the line is not there. */
typedef enum souk_err change_fn(
    struct diff *d, const struct kept_line *before, const struct kept_line *after, struct fail *f);

static bool
same_cells(const struct diff *d, const struct kept_line *a, const struct kept_line *b)
{
	struct str x[REPORT_COLUMNS_MAX], y[REPORT_COLUMNS_MAX];

	kept_cells(&d->before, a, x);
	kept_cells(&d->after, b, y);
	for (size_t c = 0; c < d->before.head.n_columns; c++)
		if (!str_eq(x[c], y[c]))
			return false;
	return true;
}

/* Lines of one key are paired in their order. */
static enum souk_err
each_change(struct diff *d, change_fn *fn, struct fail *f)
{
	size_t a = 0, b = 0;
	enum souk_err e = SOUK_OK;

	while (e == SOUK_OK && (a < d->before.n || b < d->after.n)) {
		const struct kept_line *x = a < d->before.n ? &d->before.lines[a] : NULL;
		const struct kept_line *y = b < d->after.n ? &d->after.lines[b] : NULL;
		int o = x == NULL   ? 1
			: y == NULL ? -1
				    : text_order(kept_key(&d->before, x), kept_key(&d->after, y));

		a += o <= 0;
		b += o >= 0;
		if (o < 0)
			e = fn(d, x, NULL, f);
		else if (o > 0)
			e = fn(d, NULL, y, f);
		else if (!same_cells(d, x, y))
			e = fn(d, x, y, f);
	}
	return e;
}

static enum souk_err
want(struct diff *d, struct place p, struct fail *f)
{
	uint32_t id = INTERN_NONE;
	enum souk_err e = reasons_want(&d->reasons, p, &id, f);

	if (e != SOUK_OK)
		return e;
	if (!grow((void **)&d->ids, &d->ids_cap, d->n_ids + 1, sizeof(*d->ids)))
		return no_memory(f);
	d->ids[d->n_ids++] = id;
	return SOUK_OK;
}

static int
compare_ids(const void *a, const void *b, void *arg)
{
	const struct intern *in = arg;

	return text_order(
	    intern_text(in, *(const uint32_t *)a), intern_text(in, *(const uint32_t *)b));
}

/* Each event once, in the order of their ids. */
static void
sort_ids(struct diff *d)
{
	size_t n = 0;

	if (d->n_ids < 2)
		return;
	qsort_r(d->ids, d->n_ids, sizeof(*d->ids), compare_ids, d->reasons.ids);
	for (size_t i = 0; i < d->n_ids; i++)
		if (i == 0 || d->ids[i] != d->ids[i - 1])
			d->ids[n++] = d->ids[i];
	d->n_ids = n;
}

/* The events that only one side has, into d->ids. */
static enum souk_err
differing_events(
    struct diff *d, const struct kept_line *x, const struct kept_line *y, struct fail *f)
{
	const struct place *a = x != NULL && x->n > 0 ? &d->before.places[x->first] : NULL;
	const struct place *b = y != NULL && y->n > 0 ? &d->after.places[y->first] : NULL;
	size_t na = a != NULL ? x->n : 0, nb = b != NULL ? y->n : 0, i = 0, k = 0;
	enum souk_err e = SOUK_OK;

	d->n_ids = 0;
	while (e == SOUK_OK && (i < na || k < nb)) {
		int o = i == na ? 1 : k == nb ? -1 : compare_places(&a[i], &b[k]);

		if (o < 0)
			e = want(d, a[i], f);
		else if (o > 0)
			e = want(d, b[k], f);
		i += o <= 0;
		k += o >= 0;
	}
	return e;
}

/* Writing. */

static void
add_reason(struct diff *d, const char *reason, struct str id, const char *column, struct str from,
    struct str to)
{
	if (d->json) {
		jw_open(&d->w, NULL, '{');
		jw_c(&d->w, "reason", reason);
		jw_str_opt(&d->w, "billingEventId", id);
		if (column != NULL) {
			jw_c(&d->w, "column", column);
			jw_str(&d->w, "from", from);
			jw_str(&d->w, "to", to);
		}
		jw_close(&d->w, '}');
		return;
	}
	buf_printf(&d->out, "    because %s", reason);
	if (id.n > 0) {
		buf_add_c(&d->out, ": event ");
		buf_add_str(&d->out, id);
	}
	if (column != NULL) {
		buf_printf(&d->out, ": %s ", column);
		buf_add_str(&d->out, from);
		buf_add_c(&d->out, " -> ");
		buf_add_str(&d->out, to);
	}
	buf_add_char(&d->out, '\n');
}

static const char *
reason_of_column(unsigned column)
{
	switch (column) {
	case BE_AMOUNT:
		return "amount_corrected";
	case BE_INVOICE_DATE:
		return "date_moved";
	case BE_BILLING_ADDRESS_ID:
		return "address_changed";
	case BE_TRANSACTION_REFERENCE_ID:
	case BE_PRODUCT_ID:
	case BE_END_USER_ACCOUNT_ID:
	case BE_CURRENCY:
		return "moved";
	default:
		return "event_corrected";
	}
}

static void
event_reasons(struct diff *d, uint32_t id)
{
	bool known_before, known_after, any = false;
	const struct event_version *a = reasons_current(&d->reasons, id, d->from, &known_before);
	const struct event_version *b = reasons_current(&d->reasons, id, d->to, &known_after);
	struct str name = intern_text(d->reasons.ids, id), none = STR("");

	if (a == NULL || b == NULL) {
		add_reason(d,
		    a != NULL      ? "event_deleted"
		    : known_before ? "event_restored"
				   : "new_event",
		    name, NULL, none, none);
		return;
	}
	for (unsigned c = 0; c < BE_VALID_FROM; c++) {
		struct str x = reasons_cell(&d->reasons, a, c), y = reasons_cell(&d->reasons, b, c);

		if (str_eq(x, y))
			continue;
		any = true;
		add_reason(d, reason_of_column(c), name,
		    feed_info(FEED_BILLING_EVENT)->columns[c].name, x, y);
	}
	if (!any)
		add_reason(d, "linked_event_changed", name, NULL, none, none);
}

static const char *
reason_of_cell(const char *column)
{
	static const char *const address[] = { "Country", "State", "City", "Zip", "ZIP", "Postal",
		"Email", "Address" };

	for (size_t i = 0; i < sizeof(address) / sizeof(address[0]); i++)
		if (strstr(column, address[i]) != NULL)
			return "address_changed";
	return strstr(column, "Product") != NULL ? "product_changed" : "account_changed";
}

/* No event came or went: what the other feeds say about payer or product changed. */
static void
cell_reasons(struct diff *d, const struct kept_line *x, const struct kept_line *y)
{
	struct str a[REPORT_COLUMNS_MAX], b[REPORT_COLUMNS_MAX], none = STR("");
	bool any = false;

	if (x == NULL || y == NULL || !x->has_events) {
		add_reason(d, x != NULL && x->has_events ? "linked_event_changed" : "row_changed",
		    none, NULL, none, none);
		return;
	}
	kept_cells(&d->before, x, a);
	kept_cells(&d->after, y, b);
	for (size_t c = 0; c < d->before.head.n_columns; c++)
		if (d->before.head.columns[c]->type == CELL_TEXT && !str_eq(a[c], b[c])) {
			any = true;
			add_reason(d, reason_of_cell(d->before.head.columns[c]->name), none,
			    d->before.head.columns[c]->name, a[c], b[c]);
		}
	if (!any)
		add_reason(d, "linked_event_changed", none, NULL, none, none);
}

static void
write_cells(struct diff *d, const struct kept_line *x, const struct kept_line *y)
{
	struct str a[REPORT_COLUMNS_MAX] = { 0 }, b[REPORT_COLUMNS_MAX] = { 0 };

	if (x != NULL)
		kept_cells(&d->before, x, a);
	if (y != NULL)
		kept_cells(&d->after, y, b);
	for (size_t c = 0; c < d->before.head.n_columns; c++) {
		const char *name = d->before.head.columns[c]->name;

		if (str_eq(a[c], b[c]))
			continue;
		if (d->json) {
			jw_open(&d->w, NULL, '{');
			jw_c(&d->w, "column", name);
			jw_str(&d->w, "from", a[c].n > 0 ? a[c] : STR(""));
			jw_str(&d->w, "to", b[c].n > 0 ? b[c] : STR(""));
			jw_close(&d->w, '}');
			continue;
		}
		buf_printf(&d->out, "    %s: ", name);
		buf_add_str(&d->out, a[c]);
		buf_add_c(&d->out, " -> ");
		buf_add_str(&d->out, b[c]);
		buf_add_char(&d->out, '\n');
	}
}

/* The parts of a line's name that are not empty. */
static void
write_key(struct diff *d, struct str key)
{
	struct str part;

	if (d->json)
		jw_open(&d->w, "key", '[');
	while (key.n > 0 && str_split(&key, '\t', &part))
		if (part.n > 0 && d->json) {
			jw_str(&d->w, NULL, part);
		} else if (part.n > 0) {
			buf_add_char(&d->out, ' ');
			buf_add_str(&d->out, part);
		}
	if (d->json)
		jw_close(&d->w, ']');
	else
		buf_add_char(&d->out, '\n');
}

static enum souk_err
write_change(struct diff *d, const struct kept_line *x, const struct kept_line *y, struct fail *f)
{
	static const char *const words[] = { "changed", "added", "removed" };
	unsigned kind = x == NULL ? 1 : y == NULL ? 2 : 0;
	enum souk_err e = differing_events(d, x, y, f);

	if (e != SOUK_OK)
		return e;
	*(kind == 0 ? &d->counts.changed : kind == 1 ? &d->counts.added : &d->counts.removed) += 1;
	buf_clear(&d->out);
	jw_init(&d->w, &d->out);
	if (d->json) {
		jw_open(&d->w, NULL, '{');
		jw_c(&d->w, "change", words[kind]);
	} else {
		buf_add_c(&d->out, words[kind]);
	}
	write_key(d, x != NULL ? kept_key(&d->before, x) : kept_key(&d->after, y));
	if (d->json)
		jw_open(&d->w, "cells", '[');
	write_cells(d, x, y);
	if (d->json) {
		jw_close(&d->w, ']');
		jw_open(&d->w, "reasons", '[');
	}
	sort_ids(d);
	for (size_t i = 0; i < d->n_ids; i++)
		event_reasons(d, d->ids[i]);
	if (d->n_ids == 0)
		cell_reasons(d, x, y);
	if (d->json) {
		jw_close(&d->w, ']');
		jw_close(&d->w, '}');
		buf_add_char(&d->out, '\n');
	}
	if (!buf_ok(&d->out))
		return no_memory(f);
	return d->sink->write(d->sink, d->out.p, d->out.n) == SOUK_OK
		   ? SOUK_OK
		   : fail_set(f, SOUK_E_STORAGE, "output", "output: cannot be written");
}

static enum souk_err
run(struct diff *d, const struct report_request *q, struct fail *f)
{
	struct report_request r = *q;
	struct report_summary sum;
	enum souk_err e;

	r.known_at = d->from;
	if ((e = report_run(&r, &d->before.sink, &sum, f)) != SOUK_OK)
		return e;
	r.known_at = d->to;
	if ((e = report_run(&r, &d->after.sink, &sum, f)) != SOUK_OK)
		return e;
	d->counts.before = d->before.n;
	d->counts.after = d->after.n;
	if ((e = reasons_begin(&d->reasons, q, f)) != SOUK_OK ||
	    (e = each_change(d, differing_events, f)) != SOUK_OK ||
	    (e = reasons_read(&d->reasons, f)) != SOUK_OK)
		return e;
	return each_change(d, write_change, f);
}

enum souk_err
report_diff(const struct report_request *q, instant_t from, instant_t to, bool json,
    struct sink *out, struct report_diff_counts *ret, struct fail *f)
{
	struct diff *d = calloc(1, sizeof(*d));
	enum souk_err e;

	if (d == NULL)
		return no_memory(f);
	d->before.sink = d->after.sink =
	    (struct report_sink){ keep_begin, keep_line, keep_end, NULL };
	d->from = from;
	d->to = to;
	d->json = json;
	d->sink = out;
	e = run(d, q, f);
	*ret = d->counts;
	kept_done(&d->before);
	kept_done(&d->after);
	reasons_done(&d->reasons);
	free(d->ids);
	buf_done(&d->out);
	free(d);
	return e;
}
