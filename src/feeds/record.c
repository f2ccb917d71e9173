/* SPDX-License-Identifier: Apache-2.0 */
/* The exact parser: a record's bytes lie in memory, so that cells mostly point into them. */
#include "feeds/record.h"

struct place {
	const char *p, *end;
	bool last;
};

static bool
ends_cell(char c)
{
	return c == ',' || c == '\n' || c == '\r';
}

/* Behind an opening quote; the cell without its quotes. */
static enum record_fault
quoted(struct record *r, struct place *at, struct str *ret)
{
	const char *from = at->p;
	size_t kept = r->text.n;
	bool doubled = false;

	for (;; at->p++) {
		if (at->p == at->end)
			return at->last ? RECORD_UNCLOSED : RECORD_MORE;
		if (*at->p == '\0')
			return RECORD_NUL;
		r->lines += *at->p == '\n';
		if (*at->p != '"')
			continue;
		if (at->p + 1 == at->end && !at->last)
			return RECORD_MORE;
		if (at->p + 1 == at->end || at->p[1] != '"')
			break;
		buf_add(&r->text, from, (size_t)(at->p + 1 - from));
		doubled = true;
		from = ++at->p + 1;
	}
	*ret = (struct str){ from, (size_t)(at->p - from) };
	if (doubled) {
		buf_add_str(&r->text, *ret);
		*ret = (struct str){ r->text.p + kept, r->text.n - kept };
	}
	at->p++;
	return at->p == at->end || ends_cell(*at->p) ? RECORD_OK : RECORD_BEHIND_QUOTE;
}

static enum record_fault
bare(struct place *at, struct str *ret)
{
	const char *from = at->p;

	for (; at->p < at->end && !ends_cell(*at->p); at->p++)
		if (*at->p == '"' || *at->p == '\0')
			return *at->p == '"' ? RECORD_BARE_QUOTE : RECORD_NUL;
	*ret = (struct str){ from, (size_t)(at->p - from) };
	return RECORD_OK;
}

/* At what ended a cell: takes the comma or the line end. *ret_more: a cell follows. */
static enum record_fault
separator(struct record *r, struct place *at, bool *ret_more)
{
	*ret_more = false;
	if (at->p == at->end)
		return at->last ? RECORD_OK : RECORD_MORE;
	*ret_more = *at->p == ',';
	if (*at->p == '\r') {
		if (at->p + 1 == at->end)
			return at->last ? RECORD_BARE_CR : RECORD_MORE;
		if (at->p[1] != '\n')
			return RECORD_BARE_CR;
		at->p++;
	}
	r->lines += *at->p == '\n';
	at->p++;
	return RECORD_OK;
}

static enum record_fault
cells(struct record *r, struct place *at)
{
	enum record_fault fault = RECORD_OK;
	bool more = true;

	for (r->n = 0; more; r->n++) {
		struct str *cell = &r->cell[r->n];

		if (r->n == RECORD_CELLS_MAX)
			return RECORD_CELLS;
		if (at->p < at->end && *at->p == '"') {
			at->p++;
			fault = quoted(r, at, cell);
		} else {
			fault = bare(at, cell);
		}
		if (fault != RECORD_OK || (fault = separator(r, at, &more)) != RECORD_OK)
			return fault;
	}
	return RECORD_OK;
}

enum record_fault
record_parse(struct record *r, const char *p, const char *end, bool last)
{
	struct place at = { p, end, last };
	enum record_fault fault;

	/* Cells may point into `text`: it must not move while the record is parsed. */
	if ((size_t)(end - p) > RECORD_BYTES_MAX)
		at.end = p + RECORD_BYTES_MAX;
	at.last = last && at.end == end;
	buf_clear(&r->text);
	r->lines = 0;
	if (!buf_reserve(&r->text, (size_t)(at.end - p)))
		return RECORD_LONG;
	fault = cells(r, &at);
	r->end = at.p;
	if (fault == RECORD_MORE && at.end < p + RECORD_BYTES_MAX)
		return fault;
	if (fault == RECORD_MORE)
		fault = RECORD_LONG;
	if (fault != RECORD_OK) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		r->end = eol ? eol + 1 : end;
		r->lines = eol ? 1 : 0;
	}
	return fault;
}

const char *
record_fault_what(enum record_fault f)
{
	switch (f) {
	case RECORD_NUL:
		return "holds a NUL byte";
	case RECORD_BARE_QUOTE:
		return "has a quote inside a bare field";
	case RECORD_BEHIND_QUOTE:
		return "has text behind a closing quote";
	case RECORD_UNCLOSED:
		return "opens a quote that is never closed";
	case RECORD_BARE_CR:
		return "has a carriage return without a line feed";
	case RECORD_LONG:
		return "is longer than 1 MiB";
	case RECORD_CELLS:
		return "has more than 256 columns";
	case RECORD_OK:
	case RECORD_MORE:
	default:
		return NULL;
	}
}

const char *
record_fault_fix(enum record_fault f)
{
	switch (f) {
	case RECORD_NUL:
		return "save the file as UTF-8 text";
	case RECORD_BARE_QUOTE:
		return "quote the whole field and double the quote";
	case RECORD_BEHIND_QUOTE:
		return "double every quote inside a quoted field";
	case RECORD_UNCLOSED:
		return "close the quote";
	case RECORD_BARE_CR:
		return "end lines with LF, and quote fields that hold a carriage return";
	case RECORD_LONG:
		return "look for a missing closing quote";
	case RECORD_CELLS:
		return "separate fields by commas, and rows by line ends";
	case RECORD_OK:
	case RECORD_MORE:
	default:
		return NULL;
	}
}
