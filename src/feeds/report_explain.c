/* SPDX-License-Identifier: Apache-2.0 */
/* Lines with the events behind them; see report_explain.h. */
#include "feeds/report_explain.h"

#include "base/json.h"
#include "feeds/events.h"
#include "feeds/report_out.h"

#include <stdlib.h>

struct explain_sink {
	struct report_sink sink;
	struct sink *to;
	const char *const *keys;
	size_t n_keys;
	bool json;
	struct report_head head;
	uint64_t found;
	struct buf cell, out;
	struct event_row *row;
};

/* An event of the line, in the order of files and places. */
struct behind {
	uint32_t event, i; /* its number, and which of the line's it is */
	uint32_t file;
	uint64_t offset;
};

static struct str
cell_text_of(struct explain_sink *x, const struct report_line *l, size_t column)
{
	buf_clear(&x->cell);
	report_cell_text(&x->cell, x->head.columns[column]->type, &l->cells[column]);
	return buf_str(&x->cell);
}

static bool
matches_key(struct explain_sink *x, const struct report_line *l, const char *key)
{
	const char *equals = strchr(key, '=');

	for (size_t c = 0; c < x->head.n_columns; c++) {
		const char *name = x->head.columns[c]->name;

		if (equals != NULL && strlen(name) == (size_t)(equals - key) &&
		    strncmp(name, key, (size_t)(equals - key)) == 0)
			return str_eq_c(cell_text_of(x, l, c), equals + 1);
	}
	for (size_t c = 0; c < x->head.n_columns; c++)
		if (l->cells[c].filled && str_eq_c(cell_text_of(x, l, c), key))
			return true;
	return false;
}

static int
compare_behind(const void *pa, const void *pb)
{
	const struct behind *a = pa, *b = pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static struct behind *
events_behind(const struct report_events *e)
{
	struct behind *list = calloc(e->n + 1, sizeof(*list));

	for (size_t i = 0; list != NULL && i < e->n; i++) {
		const struct event *x = event_at(e->feeds, e->list[i]);

		list[i] = (struct behind){ e->list[i], (uint32_t)i, x->file, x->offset };
	}
	if (list != NULL && e->n > 1)
		qsort(list, e->n, sizeof(*list), compare_behind);
	return list;
}

/* "100.00 - 80.00 - 0.20": what the events add to one column, as exact as the feeds are. */
static void
add_term(struct buf *b, money_t amount, bool first)
{
	char text[MONEY_TEXT_SIZE];
	size_t n = money_format_exact(amount < 0 ? -amount : amount, 2, text);

	if (!first)
		buf_add_c(b, amount < 0 ? " - " : " + ");
	else if (amount < 0)
		buf_add_char(b, '-');
	buf_add(b, text, n);
}

static void
arithmetic(struct explain_sink *x, const struct report_events *e, const struct behind *list,
    size_t column, struct buf *b)
{
	bool first = true;

	(void)x;
	for (size_t i = 0; i < e->n; i++) {
		uint64_t columns = 0;
		money_t amount = e->adds(e, list[i].i, &columns);

		if ((columns >> column & 1) == 0)
			continue;
		add_term(b, amount, first);
		first = false;
	}
	if (first)
		buf_add_c(b, "0");
}

static void
event_json(struct explain_sink *x, struct jw *w, const struct report_events *e,
    const struct behind *b, const struct str *cells, uint64_t line)
{
	char text[MONEY_TEXT_SIZE];
	uint64_t columns = 0;
	money_t amount = e->adds(e, b->i, &columns);

	jw_open(w, NULL, '{');
	jw_c(w, "file", e->feeds->source->files[b->file].name);
	jw_int(w, "line", (int64_t)line);
	jw_str(w, "billingEventId", cells[BE_BILLING_EVENT_ID]);
	jw_str(w, "invoiceDate", cells[BE_INVOICE_DATE]);
	jw_str(w, "action", cells[BE_ACTION]);
	jw_str(w, "type", cells[BE_TRANSACTION_TYPE]);
	jw_str(w, "amount", cells[BE_AMOUNT]);
	jw_str(w, "currency", cells[BE_CURRENCY]);
	(void)money_format_exact(amount, 2, text);
	jw_c(w, "adds", text);
	jw_open(w, "columns", '[');
	for (size_t c = 0; c < x->head.n_columns; c++)
		if ((columns >> c & 1) != 0)
			jw_c(w, NULL, x->head.columns[c]->name);
	jw_close(w, ']');
	jw_close(w, '}');
}

static void
event_text(struct explain_sink *x, const struct report_events *e, const struct behind *b,
    const struct str *cells, uint64_t line)
{
	char text[MONEY_TEXT_SIZE];
	uint64_t columns = 0;
	money_t amount = e->adds(e, b->i, &columns);
	bool first = true;

	(void)money_format_exact(amount, 2, text);
	buf_printf(&x->out, "  %s:%llu  ", e->feeds->source->files[b->file].name,
	    (unsigned long long)line);
	buf_add_str(&x->out, cells[BE_BILLING_EVENT_ID]);
	buf_printf(&x->out, "  %.10s  %s %s  %s ", cells[BE_INVOICE_DATE].p,
	    event_action_name((enum event_action)event_at(e->feeds, b->event)->action),
	    event_type_name((enum event_type)event_at(e->feeds, b->event)->type), text);
	buf_add_str(&x->out, cells[BE_CURRENCY]);
	for (size_t c = 0; c < x->head.n_columns; c++)
		if ((columns >> c & 1) != 0) {
			buf_printf(
			    &x->out, "%s%s", first ? "  -> " : ", ", x->head.columns[c]->name);
			first = false;
		}
	buf_add_c(&x->out, first ? "  (in no column)\n" : "\n");
}

static enum souk_err
events(struct explain_sink *x, struct jw *w, const struct report_events *e,
    const struct behind *list, struct fail *f)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < e->n; i++) {
		const struct str *cells;
		uint64_t line;

		r = event_row_read(e->feeds, list[i].event, &x->row, &cells, &line, f);
		if (r == SOUK_OK && x->json)
			event_json(x, w, e, &list[i], cells, line);
		else if (r == SOUK_OK)
			event_text(x, e, &list[i], cells, line);
	}
	return r;
}

static void
amount_json(struct explain_sink *x, struct jw *w, size_t c, const struct report_line *l,
    const struct buf *terms)
{
	jw_open(w, NULL, '{');
	jw_c(w, "column", x->head.columns[c]->name);
	jw_str(w, "value", cell_text_of(x, l, c));
	jw_str(w, "exact", buf_str(terms));
	jw_close(w, '}');
}

static bool
amounts(
    struct explain_sink *x, struct jw *w, const struct report_line *l, const struct behind *list)
{
	struct buf terms = { 0 };
	bool ok = true;

	for (size_t c = 0; c < x->head.n_columns; c++) {
		if (x->head.columns[c]->type != CELL_MONEY)
			continue;
		buf_clear(&terms);
		if (list != NULL)
			arithmetic(x, l->events, list, c, &terms);
		ok &= buf_ok(&terms);
		if (x->json) {
			amount_json(x, w, c, l, &terms);
			continue;
		}
		buf_printf(&x->out, "  %s = ", x->head.columns[c]->name);
		buf_add_str(&x->out, buf_str(&terms));
		buf_add_c(&x->out, list != NULL ? " = " : "");
		buf_add_str(&x->out, cell_text_of(x, l, c));
		buf_add_char(&x->out, '\n');
	}
	buf_done(&terms);
	return ok;
}

static void
line_text(struct explain_sink *x, const struct report_line *l)
{
	if (x->found > 1)
		buf_add_char(&x->out, '\n');
	for (size_t c = 0; c < x->head.n_columns; c++)
		if (l->cells[c].filled) {
			buf_printf(&x->out, "%s: ", x->head.columns[c]->name);
			buf_add_str(&x->out, cell_text_of(x, l, c));
			buf_add_char(&x->out, '\n');
		}
	buf_add_c(&x->out, l->events != NULL ? "events:\n" : "made of a row of another feed\n");
}

static void
line_json(struct explain_sink *x, struct jw *w, const struct report_line *l)
{
	jw_open(w, "line", '{');
	for (size_t c = 0; c < x->head.n_columns; c++)
		if (l->cells[c].filled)
			jw_str(w, x->head.columns[c]->name, cell_text_of(x, l, c));
	jw_close(w, '}');
}

static enum souk_err
explain(struct explain_sink *x, const struct report_line *l, struct fail *f)
{
	struct behind *list = l->events != NULL ? events_behind(l->events) : NULL;
	enum souk_err r = SOUK_OK;
	struct jw w;

	if (l->events != NULL && list == NULL)
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	jw_init(&w, &x->out);
	if (x->json) {
		jw_open(&w, NULL, '{');
		line_json(x, &w, l);
		jw_open(&w, "events", '[');
	} else {
		line_text(x, l);
	}
	if (list != NULL)
		r = events(x, &w, l->events, list, f);
	if (x->json) {
		jw_close(&w, ']');
		jw_open(&w, "amounts", '[');
	} else {
		buf_add_c(&x->out, "amounts:\n");
	}
	if (r == SOUK_OK && !amounts(x, &w, l, list))
		r = fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	if (x->json) {
		jw_close(&w, ']');
		jw_close(&w, '}');
		buf_add_char(&x->out, '\n');
	}
	free(list);
	return r;
}

static enum souk_err
explain_begin(struct report_sink *s, const struct report_head *h, struct fail *f)
{
	(void)f;
	((struct explain_sink *)s)->head = *h;
	return SOUK_OK;
}

static enum souk_err
explain_line(struct report_sink *s, const struct report_line *l, struct fail *f)
{
	struct explain_sink *x = (struct explain_sink *)s;
	enum souk_err r;

	for (size_t k = 0; k < x->n_keys; k++)
		if (!matches_key(x, l, x->keys[k]))
			return SOUK_OK;
	x->found++;
	r = explain(x, l, f);
	if (r == SOUK_OK && (!buf_ok(&x->out) || !buf_ok(&x->cell)))
		r = fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	if (r == SOUK_OK && x->to->write(x->to, x->out.p, x->out.n) != SOUK_OK)
		r = fail_set(f, SOUK_E_STORAGE, "output", "output: cannot be written");
	buf_clear(&x->out);
	return r;
}

static enum souk_err
explain_end(struct report_sink *s, const struct report_summary *m, struct fail *f)
{
	(void)s;
	(void)m;
	(void)f;
	return SOUK_OK;
}

struct report_sink *
report_explain_sink(const char *const *keys, size_t n_keys, bool json, struct sink *to)
{
	struct explain_sink *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->sink = (struct report_sink){ explain_begin, explain_line, explain_end, NULL };
	x->to = to;
	x->keys = keys;
	x->n_keys = n_keys;
	x->json = json;
	return &x->sink;
}

uint64_t
report_explain_found(const struct report_sink *s)
{
	return ((const struct explain_sink *)s)->found;
}

void
report_explain_free(struct report_sink *s)
{
	struct explain_sink *x = (struct explain_sink *)s;

	if (x == NULL)
		return;
	event_row_done(x->row);
	buf_done(&x->cell);
	buf_done(&x->out);
	free(x);
}
