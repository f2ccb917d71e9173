/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for commissions from a seller's data feeds. */
#ifndef SOUK_EDSP_LINE_FEEDS_H
#define SOUK_EDSP_LINE_FEEDS_H

#include "edsp/line.h"
#include "feeds/sales.h"

struct line_request {
	struct feed_source *source;
	enum sales_variant variant;
	instant_t known_at; /* INSTANT_NONE: now */
	int month_until;    /* all months up to it, as MONTH_OF numbers them */
	struct str seller;  /* account id or its 12 digits; "": the only one */
	bool payouts;       /* some rate pays on disbursed funds */
	struct fault_sink *faults;
	unsigned threads;
};

struct line_set {
	struct commission_line *lines; /* by transaction, product, end user, currency, month */
	size_t n;
	struct str seller; /* account id; "" when the feeds have no revenue */
	struct line_payout *payouts;
	struct sales *sales; /* owns the texts */
	struct arena *arena;
};

/* Lines whose net is 0 are among them. Amounts of failed payouts are left out. What was disbursed goes to the line of the invoice that it settles. */
SOUK_MUST enum souk_err lines_from_feeds(
    const struct line_request *q, struct line_set *ret, struct fail *f);
void line_set_done(struct line_set *s);

/* What feeds do not say: no usage period, or 330 days of it, is annual; a calendar month monthly; else metered. */
enum revenue_kind revenue_kind_of(instant_t usage_start, instant_t usage_end);

#endif
