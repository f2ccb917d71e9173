/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on fulfilments. No scope here: see fulfilment.c. */
#ifndef SOUK_PROSERV_FULFILMENT_STORE_H
#define SOUK_PROSERV_FULFILMENT_STORE_H

#include "proserv/fulfilment.h"

extern struct db_texts fulfilment_texts;

SOUK_MUST enum souk_err fulfilment_insert(struct db_tx *tx, const struct fulfilment *x);
/* All that can change; the row must have `x->revision - 1`, or SOUK_E_UNAVAILABLE: run again. */
SOUK_MUST enum souk_err fulfilment_update(struct db_tx *tx, const struct fulfilment *x);
/* By the subscription's owner. SOUK_E_NOT_FOUND: no such subscription, or no fulfilment of it. */
SOUK_MUST enum souk_err fulfilment_find(
    struct db_tx *tx, const struct guid *id, struct fulfilment *ret);
void fulfilment_row(struct db_stmt *st, struct fulfilment *ret);

/* Lists by id after `after`. `seller_id` or `buyer_id` "": any; of `now` overdue ones only when q->overdue. */
struct db_stmt *fulfilment_rows(struct db_tx *tx, const struct fulfilment_filter *q, instant_t now,
    const struct guid *after, size_t limit);
struct db_stmt *fulfilment_rows_both(struct db_tx *tx, struct str account_id,
    const struct fulfilment_filter *q, instant_t now, const struct guid *after, size_t limit);
/* Accepted within [from, to), of one seller or ("") all; ordered by seller. */
struct db_stmt *fulfilment_rows_accepted(
    struct db_tx *tx, struct str seller_id, instant_t from, instant_t to);

SOUK_MUST enum souk_err fulfilment_event_insert(
    struct db_tx *tx, const struct fulfilment *x, const struct fulfilment_record *e);
/* In order; slices live until the next step. */
struct db_stmt *fulfilment_event_rows(struct db_tx *tx, const struct fulfilment *x);
void fulfilment_event_row(struct db_stmt *st, struct fulfilment_record *ret);

#endif
