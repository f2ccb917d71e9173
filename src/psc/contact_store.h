/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of contact_version: inside psc/ only. No rules here; see contact_life.c for when
 * a row may be written, and the schema for what the rows mean.
 */
#ifndef SOUK_PSC_CONTACT_STORE_H
#define SOUK_PSC_CONTACT_STORE_H

#include "psc/contact.h"

/* superseded_at of a contact's newest row. */
#define CONTACT_NEWEST INT64_MAX

enum contact_operation { CONTACT_CREATE = 1, CONTACT_UPDATE = 2, CONTACT_DELETE = 3 };

/* A row. Slices are the statement's when read (until its next step), the caller's when written. */
struct contact_row {
	char seller_id[ACCOUNT_ID_LEN + 1], buyer_id[ACCOUNT_ID_LEN + 1];
	struct guid id, product_id, subscription_id;
	instant_t operation_time, created_at, subscription_start;
	enum contact_operation operation;
	int slot; /* 1..CONTACTS_MAX; 0 in tombstones */
	uint8_t email_index[VAULT_BLIND_LEN];
	struct str wrapped, sealed; /* empty in tombstones */
};

/* SOUK_E_NOT_FOUND when there is no such subscription. The caller applies the scope. */
SOUK_MUST enum souk_err contact_store_home(
    struct db_tx *tx, const struct guid *subscription_id, struct contact_home *ret);
SOUK_MUST enum souk_err contact_store_exported_until(
    struct db_tx *tx, struct str seller_id, instant_t *ret);

/* Bit 1 << slot for each slot of the subscription that is taken. */
SOUK_MUST enum souk_err contact_store_slots(
    struct db_tx *tx, struct str seller_id, const struct guid *subscription_id, unsigned *ret);
/* Is there any row, live or tombstone, of this contact? */
SOUK_MUST enum souk_err contact_store_known(
    struct db_tx *tx, struct str seller_id, const struct guid *contact_id, bool *ret);

/*
 * Live contacts: select, then step. Of a subscription in the order in which they were
 * added; one; of a buyer with one seller or (seller_id empty) with all, at most `max`;
 * under a blind index.
 */
struct db_stmt *contact_store_live(
    struct db_tx *tx, struct str seller_id, const struct guid *subscription_id);
struct db_stmt *contact_store_one(
    struct db_tx *tx, struct str seller_id, const struct guid *contact_id);
struct db_stmt *contact_store_of_buyer(
    struct db_tx *tx, struct str buyer_id, struct str seller_id, int64_t max);
struct db_stmt *contact_store_by_email(
    struct db_tx *tx, const uint8_t index[VAULT_BLIND_LEN], int64_t max);
SOUK_MUST enum souk_err contact_store_step(
    struct db_stmt *st, bool *ret_row, struct contact_row *ret);

/* Inserts as the contact's newest row. SOUK_E_CONFLICT: the slot was taken meanwhile. */
SOUK_MUST enum souk_err contact_store_insert(struct db_tx *tx, const struct contact_row *row);
/* Ends the newest row `operation_time` at `by`. SOUK_E_PRECONDITION when it is not the newest (any more). */
SOUK_MUST enum souk_err contact_store_supersede(struct db_tx *tx, struct str seller_id,
    const struct guid *contact_id, instant_t operation_time, instant_t by);
/* Removes every row of the contact. */
SOUK_MUST enum souk_err contact_store_erase(
    struct db_tx *tx, struct str seller_id, const struct guid *contact_id);

/* Removes at most `max` rows superseded before `before`. */
SOUK_MUST enum souk_err contact_store_prune(
    struct db_tx *tx, instant_t before, int64_t max, int64_t *ret_n);

/* A row's key and its wrapped data key, for rotation. */
struct contact_key {
	char seller_id[ACCOUNT_ID_LEN + 1];
	instant_t operation_time;
	struct guid contact_id;
	uint8_t wrapped[VAULT_WRAPPED_LEN];
};
/* Rows with a data key after `after` (in primary key order), at most `max`; `after` may be ret[n-1]. */
SOUK_MUST enum souk_err contact_store_keys(struct db_tx *tx, const struct contact_key *after,
    size_t max, struct contact_key *ret, size_t *ret_n);
SOUK_MUST enum souk_err contact_store_set_key(struct db_tx *tx, const struct contact_key *k);

/* For tests: every statement prepares, parameters in order. */
extern struct db_texts contact_texts;

#endif
