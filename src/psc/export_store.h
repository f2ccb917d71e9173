/* SPDX-License-Identifier: Apache-2.0 */
/* What an export reads, and how far exports reach: inside psc/ only. */
#ifndef SOUK_PSC_EXPORT_STORE_H
#define SOUK_PSC_EXPORT_STORE_H

#include "psc/export_row.h"

/* *ret_since is when the present standing began. SOUK_E_NOT_FOUND unless the seller is enrolled. */
SOUK_MUST enum souk_err export_store_enrolment(
    struct db_tx *tx, struct str seller_id, instant_t *ret_since);

/* A product that takes part since before the window's end. */
struct export_product {
	struct guid id;
	instant_t since; /* of the present enabling */
	instant_t from;  /* export.c: where its part of the window begins */
	struct export_prefix prefix;
};
/* In the order of their ids; *ret is malloc'd, the caller's to free. */
SOUK_MUST enum souk_err export_store_products(struct db_tx *tx, struct str seller_id, instant_t end,
    struct export_product **ret, size_t *ret_n);

/* Versions with an operation time in [from, end) that held at `end`, in the order of the file. */
struct db_stmt *export_store_scan(
    struct db_tx *tx, struct str seller_id, instant_t from, instant_t end);

/* A row of the scan; slices live until the next step. */
struct export_version {
	instant_t operation_time, created_at, subscription_start;
	int64_t operation; /* enum contact_operation */
	struct guid contact_id, product_id, subscription_id;
	struct str buyer_id, wrapped, sealed;
};
void export_store_read(struct db_stmt *st, struct export_version *ret);

/* Moves the seller's exported_until forward to `end`; never back (invariant 2). */
SOUK_MUST enum souk_err export_store_cover(struct db_tx *tx, struct str seller_id, instant_t end);

extern struct db_texts export_texts;

#endif
