/* SPDX-License-Identifier: Apache-2.0 */
/* Report lines as CSV and JSON Lines. */
#include "feeds/report_out.h"

#include "base/csv.h"
#include "base/json.h"

#include <stdlib.h>

/* Lines gather here before they are handed on. */
#define BLOCK ((size_t)256 * 1024)

struct text_sink {
	struct report_sink sink;
	struct sink *to;
	struct buf out;
	struct buf cell;
	struct buf
	    names[REPORT_COLUMNS_MAX]; /* JSON: `"Name":`, with a comma before all but the first */
	struct report_head head;
	bool json, add_currency;
};

void
report_cell_text(struct buf *b, enum cell_type type, const struct report_cell *c)
{
	char text[MONEY_TEXT_SIZE];

	if (!c->filled)
		return;
	switch (type) {
	case CELL_TEXT:
		buf_add_str(b, c->text);
		return;
	case CELL_MONEY:
	case CELL_MONEY_REPEATED:
		buf_add(b, text, money_format(c->money, 2, text));
		return;
	case CELL_DECIMAL:
		buf_add(b, text, money_format_exact(c->money, 0, text));
		return;
	case CELL_COUNT:
		buf_add_i64(b, c->count);
		return;
	case CELL_DATE:
		day_format(c->date, text);
		buf_add(b, text, DAY_TEXT_LEN);
		return;
	}
}

static enum souk_err
hand_on(struct text_sink *t, size_t least, struct fail *f)
{
	enum souk_err r;

	if (!buf_ok(&t->out) || !buf_ok(&t->cell))
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	if (t->out.n < least || t->out.n == 0)
		return SOUK_OK;
	r = t->to->write(t->to, t->out.p, t->out.n);
	buf_clear(&t->out);
	return r == SOUK_OK ? r
			    : fail_set(f, r, "output",
				  "output: cannot be written (is the disk full?); make room and "
				  "run it again");
}

static enum souk_err
csv_begin(struct report_sink *s, const struct report_head *h, struct fail *f)
{
	struct text_sink *t = (struct text_sink *)s;

	t->head = *h;
	for (size_t i = 0; i < h->n_columns; i++) {
		if (i > 0)
			buf_add_char(&t->out, ',');
		csv_field(&t->out, str_c(h->columns[i]->name));
	}
	buf_add(&t->out, "\r\n", 2);
	return hand_on(t, BLOCK, f);
}

static void
csv_format(const struct report_sink *s, const struct report_line *l, struct buf *b)
{
	const struct text_sink *t = (const struct text_sink *)s;

	for (size_t i = 0; i < t->head.n_columns; i++) {
		enum cell_type type = t->head.columns[i]->type;

		if (i > 0)
			buf_add_char(b, ',');
		if (type == CELL_TEXT && l->cells[i].filled)
			csv_field(b, l->cells[i].text);
		else
			report_cell_text(b, type, &l->cells[i]);
	}
	buf_add(b, "\r\n", 2);
}

static enum souk_err
line_out(struct report_sink *s, const struct report_line *l, struct fail *f)
{
	struct text_sink *t = (struct text_sink *)s;

	if (l->text.n > 0)
		buf_add_str(&t->out, l->text);
	else
		s->format(s, l, &t->out);
	return hand_on(t, BLOCK, f);
}

static bool
has_column(const struct report_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_columns; i++)
		if (strcmp(h->columns[i]->name, name) == 0)
			return true;
	return false;
}

static enum souk_err
json_begin(struct report_sink *s, const struct report_head *h, struct fail *f)
{
	struct text_sink *t = (struct text_sink *)s;

	t->head = *h;
	t->add_currency = h->amount_name != NULL && !has_column(h, "Currency") &&
			  !has_column(h, "Base Currency Code");
	for (size_t i = 0; i < h->n_columns; i++) {
		buf_add_char(&t->names[i], i > 0 ? ',' : '{');
		json_add_quoted(&t->names[i], str_c(h->columns[i]->name));
		buf_add_char(&t->names[i], ':');
		if (!buf_ok(&t->names[i]))
			return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	}
	return SOUK_OK;
}

static void
json_cell(struct buf *b, enum cell_type type, const struct report_cell *c)
{
	if (!c->filled) {
		buf_add(b, "null", 4);
		return;
	}
	if (type == CELL_COUNT) {
		report_cell_text(b, type, c);
		return;
	}
	if (type == CELL_TEXT) {
		json_add_quoted(b, c->text);
		return;
	}
	buf_add_char(b, '"');
	report_cell_text(b, type, c);
	buf_add_char(b, '"');
}

static void
json_format(const struct report_sink *s, const struct report_line *l, struct buf *b)
{
	const struct text_sink *t = (const struct text_sink *)s;
	char currency[4];

	for (size_t i = 0; i < t->head.n_columns; i++) {
		buf_add_str(b, buf_str(&t->names[i]));
		json_cell(b, t->head.columns[i]->type, &l->cells[i]);
	}
	if (t->add_currency && l->currency != CURRENCY_NONE) {
		currency_text(l->currency, currency);
		buf_printf(b, ",\"Currency\":\"%s\"", currency);
	}
	buf_add(b, "}\n", 2);
}

static enum souk_err
text_end(struct report_sink *s, const struct report_summary *m, struct fail *f)
{
	(void)m;
	return hand_on((struct text_sink *)s, 0, f);
}

struct report_sink *
report_text_sink(enum report_format format, struct sink *to)
{
	struct text_sink *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->json = format == REPORT_JSON;
	t->sink = t->json ? (struct report_sink){ json_begin, line_out, text_end, json_format }
			  : (struct report_sink){ csv_begin, line_out, text_end, csv_format };
	t->to = to;
	return &t->sink;
}

void
report_text_free(struct report_sink *s)
{
	struct text_sink *t = (struct text_sink *)s;

	if (t == NULL)
		return;
	buf_done(&t->out);
	buf_done(&t->cell);
	for (size_t i = 0; i < REPORT_COLUMNS_MAX; i++)
		buf_done(&t->names[i]);
	free(t);
}
