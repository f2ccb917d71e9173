/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed in a data set between two states of knowledge: line by line, each with the reasons.
 *
 * A line is told by its transaction reference, product, end user, currency and month; where the data set has no
 * references, by its cells that are not amounts. Lines come in the order of these.
 */
#ifndef SOUK_FEEDS_REPORT_DIFF_H
#define SOUK_FEEDS_REPORT_DIFF_H

#include "base/io.h"
#include "feeds/report.h"

struct report_diff_counts {
	uint64_t before, after; /* lines of each */
	uint64_t added, removed, changed;
};

/*
 * Runs `q` as known at each instant (its own known_at is ignored) and writes the differences as text, or as JSON, an
 * object a line: {"change":"added|removed|changed","key":{...},"cells":[{column,from,to}],
 * "reasons":[{"reason","billingEventId","column","from","to"}]}. Reasons: new_event, event_deleted, event_restored,
 * amount_corrected, date_moved, address_changed, moved (to or from another line), event_corrected, linked_event_changed (a payout
 * or a parent), product_changed, account_changed, row_changed.
 */
SOUK_MUST enum souk_err report_diff(const struct report_request *q, instant_t from, instant_t to,
    bool json, struct sink *out, struct report_diff_counts *ret, struct fail *f);

#endif
