/* SPDX-License-Identifier: Apache-2.0 */
#include "edsp/feed_note.h"

#include "feeds/data_set.h"
#include "feeds/read.h"

#include <stdlib.h>

#define SET_ASIDE "souk-rows-set-aside"
#define PAYOUTS "souk-payout-days"

void
feed_note_done(struct feed_note *n)
{
	free(n->payouts);
	*n = (struct feed_note){ 0 };
}

bool
feed_note_add(struct feed_note *n, instant_t day)
{
	size_t at = n->n_payouts;

	while (at > 0 && n->payouts[at - 1] > day)
		at--;
	if (at > 0 && n->payouts[at - 1] == day)
		return true;
	if ((n->n_payouts & (n->n_payouts - 1)) == 0) { /* full at each power of two */
		size_t room = n->n_payouts ? 2 * n->n_payouts : 1;
		instant_t *more = reallocarray(n->payouts, room, sizeof(*more));

		if (!more)
			return false;
		n->payouts = more;
	}
	memmove(n->payouts + at + 1, n->payouts + at, (n->n_payouts - at) * sizeof(*n->payouts));
	n->payouts[at] = day;
	n->n_payouts++;
	return true;
}

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read the feeds.");
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	enum event_type type;
	enum event_action action;
	instant_t at;

	if (value_type(row->cell[BE_TRANSACTION_TYPE], &type).what || type != TYPE_DISBURSEMENT ||
	    value_action(row->cell[BE_ACTION], &action).what || action != ACTION_DISBURSED ||
	    value_instant(row->cell[BE_INVOICE_DATE], &at).what)
		return SOUK_OK;
	return feed_note_add(arg, at - at % DAY_MS) ? SOUK_OK : no_memory(f);
}

enum souk_err
feed_note_payouts(struct feed_source *s, size_t file, struct feed_note *io, struct fail *f)
{
	struct fault_sink faults = { 0 };
	struct feed_reading r = { .source = s,
		.feed = FEED_BILLING_EVENT,
		.columns =
		    COLUMN(BE_TRANSACTION_TYPE) | COLUMN(BE_ACTION) | COLUMN(BE_INVOICE_DATE),
		.faults = &faults,
		.row = take_row,
		.arg = io };

	return s->files[file].feed == FEED_BILLING_EVENT ? feed_read_file(&r, file, f) : SOUK_OK;
}

void
feed_note_write(const struct feed_note *n, struct buf *out)
{
	struct buf days = { 0 };
	struct jw w;

	if (n->set_aside == 0 && n->n_payouts == 0)
		return;
	for (size_t i = 0; i < n->n_payouts; i++) {
		char text[INSTANT_TEXT_LEN + 1];

		instant_format(n->payouts[i], text);
		buf_printf(&days, "%s%.10s", i > 0 ? " " : "", text);
	}
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	if (n->set_aside > 0)
		jw_int(&w, SET_ASIDE, (int64_t)n->set_aside);
	if (n->n_payouts > 0)
		jw_str(&w, PAYOUTS, buf_str(&days));
	jw_close(&w, '}');
	out->failed |= !buf_ok(&days);
	buf_done(&days);
}

static bool
read_days(const json_t *v, struct feed_note *n)
{
	struct str rest = str_c(json_string_value(v)), day;
	bool ok = true;
	instant_t t;

	while (ok && str_split(&rest, ' ', &day))
		ok = instant_parse(day, &t) && feed_note_add(n, t);
	return ok;
}

enum souk_err
feed_note_read(struct str json, struct feed_note *ret)
{
	json_t *o = NULL;
	enum souk_err err = SOUK_OK;

	*ret = (struct feed_note){ 0 };
	if (json.n == 0)
		return SOUK_OK;
	if (json_read(json, &o, NULL) != SOUK_OK)
		return SOUK_E_INTERNAL;
	ret->set_aside = (uint64_t)json_integer_value(json_object_get(o, SET_ASIDE));
	if (!read_days(json_object_get(o, PAYOUTS), ret)) {
		feed_note_done(ret);
		err = SOUK_E_INTERNAL;
	}
	json_decref(o);
	return err;
}
