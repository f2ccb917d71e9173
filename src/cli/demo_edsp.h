/* SPDX-License-Identifier: Apache-2.0 */
/* What `souk demo` has of enhanced data sharing: usage, an enrolled seller, its data feeds and a commission plan. */
#ifndef SOUK_CLI_DEMO_EDSP_H
#define SOUK_CLI_DEMO_EDSP_H

#include "cli/demo_data.h"
#include "market/subscription.h"
#include "server/installation.h"

/*
 * The week before today, of a subscription that is paid by use and goes on; others have none. Data sets leave out
 * what was told after their publication, so usage of the past would show in none.
 */
SOUK_MUST enum souk_err demo_usage(struct db_tx *tx, const struct tenant_scope *s,
    const struct subscription *subscription, uint64_t seed);
/* What usage of a product costs on its offer. */
SOUK_MUST enum souk_err demo_rate(struct db_tx *tx, const struct tenant_scope *s,
    const struct demo_product *of, const struct guid *offer, uint64_t seed, struct arena *mem,
    struct fail *f);
/* Fees of what is paid up-front: one when it began, one in the last seven days. */
SOUK_MUST enum souk_err demo_fees(struct db_tx *tx, const struct tenant_scope *s,
    const struct subscription *subscription, uint64_t seed, struct arena *mem, struct fail *f);
/* Gives and accepts evidence of every requirement, then enrols. */
SOUK_MUST enum souk_err demo_enrol_edsp(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct fail *f);
/*
 * The year 2025 as data feeds, in DATA/demo/feeds and kept for the seller's data sets, and
 * DATA/demo/plan.json to pay commissions by. Not inside a transaction.
 */
SOUK_MUST enum souk_err demo_feeds(
    struct installation *in, const char *seller_id, uint64_t seed, struct fail *f);

#endif
