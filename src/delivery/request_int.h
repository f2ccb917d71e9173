/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of data set requests (request_store.c); only request.c includes it. */
#ifndef SOUK_DELIVERY_REQUEST_INT_H
#define SOUK_DELIVERY_REQUEST_INT_H

#include "delivery/request.h"

SOUK_MUST enum souk_err request_row_insert(
    struct db_tx *tx, const struct data_set_request *r, const char *job_kind);
SOUK_MUST enum souk_err request_row_load(struct db_tx *tx, struct str seller_id,
    const struct guid *id, struct arena *mem, struct data_set_request *ret);
SOUK_MUST enum souk_err request_row_kind(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct buf *ret);
/* The three take a request from one state to the next: SOUK_E_CONFLICT when it is in another. */
SOUK_MUST enum souk_err request_row_delivered(struct db_tx *tx, const struct data_set_request *r);
SOUK_MUST enum souk_err request_row_failed(
    struct db_tx *tx, const struct data_set_request *r, struct str reason);
SOUK_MUST enum souk_err request_row_again(struct db_tx *tx, const struct data_set_request *r);
/* How many of a seller's wait to be made. */
SOUK_MUST enum souk_err request_row_waiting(struct db_tx *tx, struct str seller_id, int64_t *ret);
SOUK_MUST enum souk_err request_rows_page(struct db_tx *tx, struct str seller_id, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f);
/* Writes the members of one request into an object that the caller opened. */
SOUK_MUST enum souk_err request_row_json(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct jw *out);

extern struct db_texts request_texts; /* for the test of all statements */

#endif
