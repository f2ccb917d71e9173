/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on publications (publish_store.c); no scope is applied. */
#ifndef SOUK_EDSP_PUBLISH_STORE_H
#define SOUK_EDSP_PUBLISH_STORE_H

#include "edsp/publish.h"

extern struct db_texts edsp_publish_texts;

/* *ret_found false: there is none of that revision (0: any), and nothing was changed. */
SOUK_MUST enum souk_err plan_store_put(struct db_tx *tx, struct str seller_id,
    const struct publication_plan *p, struct str actor, bool *ret_found);
SOUK_MUST enum souk_err plan_store_load(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct publication_plan *ret);
SOUK_MUST enum souk_err plan_store_remove(struct db_tx *tx, struct str seller_id);
/* Sellers that have a plan and are enrolled, those after `after`; column 0. */
struct db_stmt *plan_store_sellers(struct db_tx *tx, struct str after, size_t limit);

SOUK_MUST enum souk_err publication_known(
    struct db_tx *tx, struct str seller_id, struct str what, struct str version, bool *ret);
SOUK_MUST enum souk_err publication_put(struct db_tx *tx, struct str seller_id, struct str what,
    struct str version, const struct guid *request_id);

#endif
