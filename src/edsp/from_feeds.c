/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets from kept feeds. One thread each: jobs run beside each other. */
#include "edsp/from_feeds.h"

#include "feeds/read.h"
#include "feeds/report_out.h"

struct looking {
	instant_t from, to; /* days, `to` included */
	struct payout_days found;
};

static instant_t
day_of(instant_t t)
{
	return t - t % DAY_MS;
}

static enum souk_err
payout_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct looking *l = arg;
	enum event_type type;
	enum event_action action;
	instant_t at = INSTANT_NONE;

	(void)f;
	if (value_type(row->cell[BE_TRANSACTION_TYPE], &type).what || type != TYPE_DISBURSEMENT ||
	    value_action(row->cell[BE_ACTION], &action).what || action != ACTION_DISBURSED ||
	    value_instant(row->cell[BE_INVOICE_DATE], &at).what || at == INSTANT_NONE)
		return SOUK_OK;
	at = day_of(at);
	if (at > l->to)
		return SOUK_OK;
	if (at > l->found.latest) {
		l->found.before = l->found.latest;
		l->found.latest = at;
	} else if (at > l->found.before && at < l->found.latest) {
		l->found.before = at;
	}
	return SOUK_OK;
}

enum souk_err
from_feeds_payout(struct feed_source *s, instant_t asked, struct payout_days *ret, struct fail *f)
{
	struct looking l = { .to = day_of(asked), .found = { INSTANT_MIN, INSTANT_MIN } };
	struct feed_reading r = { .source = s,
		.feed = FEED_BILLING_EVENT,
		.columns =
		    COLUMN(BE_TRANSACTION_TYPE) | COLUMN(BE_ACTION) | COLUMN(BE_INVOICE_DATE),
		.row = payout_row,
		.arg = &l };
	enum souk_err err = currency_load(f);

	l.from = l.to - DATA_SET_LOOK_BACK_DAYS * DAY_MS;
	if (err != SOUK_OK || (err = feed_read(&r, f)) != SOUK_OK)
		return err;
	if (l.found.latest < l.from)
		return SOUK_E_NOT_FOUND;
	*ret = l.found;
	return SOUK_OK;
}

enum souk_err
from_feeds_write(
    const struct from_feeds_request *q, struct sink *out, int64_t *ret_rows, struct fail *f)
{
	struct report_request request = { .data_set = q->data_set,
		.source = q->source,
		.seller = q->seller_id,
		.from = q->covers.from,
		.to = q->covers.to,
		.known_at = q->known_at,
		.variant = REPORT_AS_PAGE,
		.participant = q->participant,
		.currency = CURRENCY_NONE,
		.threads = 1 };
	struct report_summary summary = { 0 };
	struct report_sink *sink = report_text_sink(REPORT_CSV, out);
	enum souk_err err = sink ? report_run(&request, sink, &summary, f) : SOUK_E_NOMEM;

	report_text_free(sink);
	if (err == SOUK_OK)
		*ret_rows = (int64_t)summary.lines;
	return err;
}
