/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of remotes (remote_store.c); only remote.c and remote_put.c include it. */
#ifndef SOUK_DELIVERY_REMOTE_INT_H
#define SOUK_DELIVERY_REMOTE_INT_H

#include "delivery/remote.h"

struct remote_row {
	char endpoint[REMOTE_ENDPOINT_MAX + 1];
	char region[REMOTE_REGION_MAX + 1];
	bool path_style, by_operator;
	char encryption[16];
	char kms_key_id[REMOTE_KMS_KEY_MAX + 1];
	char access_key_id[REMOTE_KEY_ID_MAX + 1];
	uint8_t data_key[VAULT_WRAPPED_LEN]; /* the seller's */
	uint8_t secret[REMOTE_SECRET_MAX + VAULT_OVERHEAD];
	size_t secret_n;
};

/* What a seal is bound to: the credentials go to this endpoint and no other. */
SOUK_MUST bool remote_context(struct str seller_id, struct str role, enum remote_kind kind,
    const char *endpoint, char *out, size_t out_size);

SOUK_MUST enum souk_err remote_row_load(struct db_tx *tx, struct str seller_id, struct str role,
    enum remote_kind kind, struct remote_row *ret);
SOUK_MUST enum souk_err remote_row_put(struct db_tx *tx, struct str seller_id, struct str role,
    enum remote_kind kind, const struct remote_row *r);
SOUK_MUST enum souk_err remote_row_delete(struct db_tx *tx, struct str seller_id, struct str role,
    enum remote_kind kind, bool *ret_was_there);

SOUK_MUST enum souk_err reach_row_add(struct db_tx *tx, struct str seller_id, struct str role,
    enum remote_kind kind, struct str name);
SOUK_MUST enum souk_err reach_rows_delete(
    struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind);
/* SOUK_E_NOT_FOUND: the role does not reach it. */
SOUK_MUST enum souk_err reach_row_find(struct db_tx *tx, struct str seller_id, struct str role,
    enum remote_kind kind, struct str name);
/* SOUK_E_NOT_FOUND: no seller but this one reaches it. */
SOUK_MUST enum souk_err reach_row_of_another(
    struct db_tx *tx, struct str seller_id, enum remote_kind kind, struct str name);
/* The names as values of an open array, sorted. */
SOUK_MUST enum souk_err reach_rows_json(
    struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind, struct jw *out);

/* The next sealed one after `cursor` (seller, role and kind with blanks between); SOUK_E_NOT_FOUND: none. */
struct remote_sealed {
	char seller_id[ACCOUNT_ID_LEN + 1];
	char role[65];
	enum remote_kind kind;
	char endpoint[REMOTE_ENDPOINT_MAX + 1];
	uint8_t data_key[VAULT_WRAPPED_LEN];
};
SOUK_MUST enum souk_err remote_row_next(
    struct db_tx *tx, struct str cursor, struct remote_sealed *ret);
SOUK_MUST enum souk_err remote_row_rewrapped(
    struct db_tx *tx, const struct remote_sealed *r, const struct wrapped_key *key);

extern struct db_texts remote_texts; /* for the test of all statements */

#endif
