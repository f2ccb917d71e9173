/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the audit chain: inside audit/ only. */
#ifndef SOUK_AUDIT_AUDIT_STORE_H
#define SOUK_AUDIT_AUDIT_STORE_H

#include "store/db.h"

#define AUDIT_MAC_LEN 32
#define AUDIT_CHAIN 0 /* the embedded database has one chain */

/* Slices are borrowed: on reading, they live until the statement steps on. */
struct audit_row {
	int64_t seq;
	int64_t at;
	struct str account_id, actor, action, resource, seller_id, purpose, outcome;
	int64_t count;
	struct str request_id;
	struct str mac; /* AUDIT_MAC_LEN bytes, unless somebody put other ones there */
};

struct audit_head {
	int64_t seq; /* 0: nothing was ever appended */
	uint8_t mac[AUDIT_MAC_LEN];
	uint8_t seal[AUDIT_MAC_LEN];
};

/*
 * The chain's end. SOUK_E_NOT_FOUND: there is no such row. One whose bytes have other
 * lengths reads as zeros, which no seal fits.
 */
SOUK_MUST enum souk_err audit_store_head(struct db_tx *tx, struct audit_head *ret);
/* Puts the head in place; `first`: there was none. */
SOUK_MUST enum souk_err audit_store_head_put(
    struct db_tx *tx, const struct audit_head *h, bool first);
SOUK_MUST enum souk_err audit_store_insert(struct db_tx *tx, const struct audit_row *r);
/* The highest number there is; 0 when there are no entries. */
SOUK_MUST enum souk_err audit_store_last(struct db_tx *tx, int64_t *ret);

/* At most `max` rows after `seq`, in order. Only one walk at a time; end it with db_reset. */
struct db_stmt *audit_store_after(struct db_tx *tx, int64_t seq, int64_t max);
/* At most `max` rows before `seq`, newest first. */
struct db_stmt *audit_store_before(struct db_tx *tx, int64_t seq, int64_t max);
/* The next row of either. */
SOUK_MUST enum souk_err audit_store_next(struct db_stmt *st, struct audit_row *ret, bool *ret_row);

#endif
