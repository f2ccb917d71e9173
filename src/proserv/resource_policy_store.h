/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on resource policies and what they share (resource_policy_store.c); no scope is applied. */
#ifndef SOUK_PROSERV_RESOURCE_POLICY_STORE_H
#define SOUK_PROSERV_RESOURCE_POLICY_STORE_H

#include "market/tenant.h"
#include "store/db.h"

extern struct db_texts resource_policy_texts;

/* Instead of the one that is there. */
SOUK_MUST enum souk_err policy_row_put(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id, struct str policy);
/* Adds its text. SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err policy_row_find(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id, struct buf *ret);
/* Its shares are dropped before. */
SOUK_MUST enum souk_err policy_row_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id, bool *ret_found);

/* The policy must be there. */
SOUK_MUST enum souk_err share_row_put(struct db_tx *tx, struct str seller_id,
    const struct guid *entity_id, struct str account_id, const char *action);
/* All of the policy. */
SOUK_MUST enum souk_err share_rows_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id);
/* Who lets the account do this with the entity; SOUK_E_NOT_FOUND: nobody. */
SOUK_MUST enum souk_err share_row_owner(struct db_tx *tx, struct str account_id,
    const struct guid *entity_id, const char *action, char ret[static ACCOUNT_ID_LEN + 1]);

#endif
