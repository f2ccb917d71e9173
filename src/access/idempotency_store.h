/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of kept answers. For src/access only. */
#ifndef SOUK_ACCESS_IDEMPOTENCY_STORE_H
#define SOUK_ACCESS_IDEMPOTENCY_STORE_H

#include "access/idempotency.h"

extern struct db_texts idempotency_texts; /* for the test of all statements */

/* A kept answer being read; its slices live until idempotency_row_done. */
struct idempotency_row {
	struct db_stmt *st;
	struct str request_hash, data_key, answer;
	bool erased; /* its subject was */
	int status;
};
/* Only answers kept after `since`. SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err idempotency_row_find(struct db_tx *tx, struct str account_id,
    const uint8_t key_hash[32], instant_t since, struct idempotency_row *ret);
void idempotency_row_done(struct idempotency_row *r);

struct idempotency_new {
	struct str account_id;
	const struct idempotency *key;
	const struct guid *subject; /* NULL: none */
	int status;
	struct str data_key, answer;
};
/* Takes the place of one kept before `since`; SOUK_E_CONFLICT when there is a younger one. */
SOUK_MUST enum souk_err idempotency_row_add(
    struct db_tx *tx, const struct idempotency_new *n, instant_t since);
SOUK_MUST enum souk_err idempotency_row_erase(
    struct db_tx *tx, const struct guid *subject, int64_t *ret_n);
SOUK_MUST enum souk_err idempotency_row_prune(struct db_tx *tx, instant_t before, int64_t *ret_n);

struct idempotency_place {
	struct buf account_id, key_hash, data_key;
};
/* The row with a key behind (account_id, key_hash); SOUK_E_NOT_FOUND at the end. */
SOUK_MUST enum souk_err idempotency_row_next(
    struct db_tx *tx, struct str account_id, struct str key_hash, struct idempotency_place *ret);
SOUK_MUST enum souk_err idempotency_row_rewrapped(
    struct db_tx *tx, const struct idempotency_place *at, struct str data_key);

#endif
