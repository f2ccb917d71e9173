/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Daily and subscriber data sets from the marketplace's own facts: subscriptions, usage, fees, rates,
 * accounts (specs/edsp.md 4, 5.1). One meaning for each column's name, whatever the set.
 *
 * Estimated revenue is units times the rate of their hour, as known on the day of publication; without a rate it
 * stays empty, and units with and without are two lines. As accounts, products and offers have no history, what
 * is said of them is that of now.
 */
#ifndef SOUK_EDSP_FACTS_H
#define SOUK_EDSP_FACTS_H

#include "base/io.h"
#include "feeds/data_set.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

struct facts_request {
	struct str seller_id;
	enum data_set data_set;
	struct instant_range covers; /* both ends included; subscriber sets: as of its end */
	instant_t known_at;          /* what was told later is left out */
	bool participant;            /* of enhanced data sharing: columns that only those get */
};

struct facts_stats {
	int64_t rows;
	const char *why_empty; /* NULL when there are rows */
};

/* Is it made from facts? */
bool facts_have(enum data_set d);
/*
 * Writes CSV with its header to `out`, in one order. Memory does not grow with the rows. The same facts
 * give the same bytes. Not inside a transaction.
 */
SOUK_MUST enum souk_err facts_write(struct db *db, const struct vault *v,
    const struct facts_request *q, struct sink *out, struct facts_stats *ret, struct fail *f);

#endif
