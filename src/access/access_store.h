/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of the access layer: principals, keys, tokens, the generation. For src/access only. */
#ifndef SOUK_ACCESS_ACCESS_STORE_H
#define SOUK_ACCESS_ACCESS_STORE_H

#include "access/access.h"
#include "base/digest.h"

extern struct db_texts access_texts; /* for the test of all statements */

/* A row being read; its slices live until access_row_done. */
struct access_row {
	struct db_stmt *st;
	struct guid user_id, token_id;
	struct str account_id, user_name, user_policy, own_policy;
	struct str data_key, secret; /* of a key */
	bool is_operator, is_buyer, is_seller;
	bool active; /* key, user and account */
	instant_t expires_at;
};
SOUK_MUST enum souk_err access_row_by_token(
    struct db_tx *tx, const uint8_t hash[SHA256_LEN], struct access_row *ret);
SOUK_MUST enum souk_err access_row_by_key(
    struct db_tx *tx, struct str access_key_id, struct access_row *ret);
void access_row_done(struct access_row *r);

SOUK_MUST enum souk_err access_store_generation(struct db_tx *tx, int64_t *ret);
SOUK_MUST enum souk_err access_store_generation_put(struct db_tx *tx, int64_t value);

/* Whose a user, key or token is. SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err access_store_user_account(
    struct db_tx *tx, const struct guid *user_id, char ret[ACCOUNT_ID_LEN + 1]);
SOUK_MUST enum souk_err access_store_key_account(
    struct db_tx *tx, struct str access_key_id, char ret[ACCOUNT_ID_LEN + 1]);
SOUK_MUST enum souk_err access_store_token_account(
    struct db_tx *tx, const struct guid *token_id, char ret[ACCOUNT_ID_LEN + 1]);

struct key_row {
	struct str access_key_id, account_id, policy;
	struct guid user_id;
	struct str data_key, secret;
};
SOUK_MUST enum souk_err access_store_key_add(struct db_tx *tx, const struct key_row *k);
SOUK_MUST enum souk_err access_store_key_state(
    struct db_tx *tx, struct str access_key_id, bool active);
SOUK_MUST enum souk_err access_store_key_policy(
    struct db_tx *tx, struct str access_key_id, struct str policy);
SOUK_MUST enum souk_err access_store_key_facts(
    struct db_tx *tx, struct str access_key_id, struct arena *mem, struct login_facts *ret);
SOUK_MUST enum souk_err access_store_key_remove(struct db_tx *tx, struct str access_key_id);
SOUK_MUST enum souk_err access_store_key_count(
    struct db_tx *tx, const struct guid *user_id, int64_t *ret);
SOUK_MUST enum souk_err access_store_key_list(
    struct db_tx *tx, const struct guid *user_id, struct jw *out);
SOUK_MUST enum souk_err access_store_key_get(
    struct db_tx *tx, struct str access_key_id, struct jw *out);
/* The key behind `after`; SOUK_E_NOT_FOUND at the end. */
SOUK_MUST enum souk_err access_store_key_next(
    struct db_tx *tx, struct str after, struct buf *ret_id, struct buf *ret_data_key);
SOUK_MUST enum souk_err access_store_key_rewrapped(
    struct db_tx *tx, struct str access_key_id, struct str data_key);

struct token_row {
	struct guid id, user_id;
	struct str account_id, label, policy;
	uint8_t hash[SHA256_LEN];
	instant_t expires_at;
};
SOUK_MUST enum souk_err access_store_token_add(struct db_tx *tx, const struct token_row *t);
SOUK_MUST enum souk_err access_store_token_label(
    struct db_tx *tx, const struct guid *token_id, struct str label);
SOUK_MUST enum souk_err access_store_token_policy(
    struct db_tx *tx, const struct guid *token_id, struct str policy);
SOUK_MUST enum souk_err access_store_token_expiry(
    struct db_tx *tx, const struct guid *token_id, instant_t expires_at);
SOUK_MUST enum souk_err access_store_token_facts(
    struct db_tx *tx, const struct guid *token_id, struct arena *mem, struct login_facts *ret);
SOUK_MUST enum souk_err access_store_token_remove(struct db_tx *tx, const struct guid *token_id);
/* Removes the user's expired ones, counts the others. */
SOUK_MUST enum souk_err access_store_token_count(
    struct db_tx *tx, const struct guid *user_id, int64_t *ret);
SOUK_MUST enum souk_err access_store_token_list(
    struct db_tx *tx, const struct guid *user_id, struct jw *out);
SOUK_MUST enum souk_err access_store_token_get(
    struct db_tx *tx, const struct guid *token_id, struct jw *out);

#endif
