/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets from the feeds that souk keeps of a seller: which disbursement is meant, and the file. */
#ifndef SOUK_EDSP_FROM_FEEDS_H
#define SOUK_EDSP_FROM_FEEDS_H

#include "base/io.h"
#include "feeds/data_set.h"
#include "feeds/source.h"

/*
 * The day of the latest disbursement from 31 days before `asked` to its day, and (INSTANT_MIN: none in the
 * feeds) the one before it: the set covers what lies between. SOUK_E_NOT_FOUND: none.
 */
struct payout_days {
	instant_t latest, before;
};
SOUK_MUST enum souk_err from_feeds_payout(
    struct feed_source *s, instant_t asked, struct payout_days *ret, struct fail *f);

struct from_feeds_request {
	struct feed_source *source;
	struct str seller_id;
	enum data_set data_set;
	struct instant_range covers; /* both ends included */
	instant_t known_at;
	bool participant;
};
/* Writes CSV to `out`. SOUK_E_INVALID: the feeds are not what they should be. Not inside a transaction. */
SOUK_MUST enum souk_err from_feeds_write(
    const struct from_feeds_request *q, struct sink *out, int64_t *ret_rows, struct fail *f);

#endif
