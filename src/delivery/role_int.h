/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of delivery roles (role_store.c); only role.c includes it. */
#ifndef SOUK_DELIVERY_ROLE_INT_H
#define SOUK_DELIVERY_ROLE_INT_H

#include "delivery/role.h"

struct role {
	struct str name, policy; /* borrowed from `text` */
	struct buf text;
	instant_t created_at, changed_at;
	int64_t revision;
};
/* ret->text is the caller's to end. */
SOUK_MUST enum souk_err role_row_load(
    struct db_tx *tx, struct str seller_id, struct str name, struct role *ret);
SOUK_MUST enum souk_err role_row_count(struct db_tx *tx, struct str seller_id, int64_t *ret);
SOUK_MUST enum souk_err role_row_insert(
    struct db_tx *tx, struct str seller_id, struct str name, struct str policy, bool *ret_inserted);
SOUK_MUST enum souk_err role_row_update(
    struct db_tx *tx, struct str seller_id, struct str name, struct str policy, int64_t revision);
SOUK_MUST enum souk_err role_row_delete(
    struct db_tx *tx, struct str seller_id, struct str name, bool *ret_was_there);
/* Calls `emit` for each role, by name. */
SOUK_MUST enum souk_err role_rows_each(struct db_tx *tx, struct str seller_id,
    enum souk_err (*emit)(
	struct db_tx *tx, const struct role *r, struct str seller_id, struct jw *out),
    struct jw *out);

extern struct db_texts role_texts; /* for the test of all statements */

#endif
