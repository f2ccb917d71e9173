/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the audit chain: inside audit/ only. */
#ifndef SOUK_AUDIT_AUDIT_STORE_H
#define SOUK_AUDIT_AUDIT_STORE_H

#include "store/db.h"

#define AUDIT_MAC_LEN 32
#define AUDIT_CHAIN 0 /* the first, and the embedded database's only one */
/* In chain 0: another one was begun; `count` is its number. Without it nobody would miss that one. */
#define AUDIT_BEGIN "audit:BeginChain"

/* Slices are borrowed: on reading, they live until the statement steps on. */
struct audit_row {
	int64_t chain;
	int64_t seq;
	int64_t at;
	struct str account_id, actor, action, resource, seller_id, purpose, outcome;
	int64_t count;
	struct str request_id;
	struct str mac; /* AUDIT_MAC_LEN bytes, unless somebody put other ones there */
};

struct audit_head {
	int64_t chain;
	int64_t seq; /* 0: nothing was ever appended */
	uint8_t mac[AUDIT_MAC_LEN];
	uint8_t seal[AUDIT_MAC_LEN];
};

/*
 * The chain's end. SOUK_E_NOT_FOUND: there is no such row. One whose bytes have other
 * lengths reads as zeros, which no seal fits.
 */
SOUK_MUST enum souk_err audit_store_head(struct db_tx *tx, int64_t chain, struct audit_head *ret);
/* Puts the head in place; `first`: there was none. `later`: without waiting for the answer. */
SOUK_MUST enum souk_err audit_store_head_put(
    struct db_tx *tx, const struct audit_head *h, bool first, bool later);
SOUK_MUST enum souk_err audit_store_insert(struct db_tx *tx, const struct audit_row *r, bool later);
/* The highest number there is; 0 when there are no entries. */
SOUK_MUST enum souk_err audit_store_last(struct db_tx *tx, int64_t chain, int64_t *ret);
/* The lowest number from `from` on of a chain that has a head or entries; SOUK_E_NOT_FOUND: none. */
SOUK_MUST enum souk_err audit_store_chain_from(struct db_tx *tx, int64_t from, int64_t *ret);

/* At most `max` rows of the chain after `seq`, in order. Only one walk at a time; end it with db_reset. */
struct db_stmt *audit_store_after(struct db_tx *tx, int64_t chain, int64_t seq, int64_t max);
/* At most `max` rows of chain 0 before `seq`, newest first. */
struct db_stmt *audit_store_before(struct db_tx *tx, int64_t seq, int64_t max);
/* At most `max` rows of all chains before (at, chain, seq), newest first. */
struct db_stmt *audit_store_older(
    struct db_tx *tx, int64_t at, int64_t chain, int64_t seq, int64_t max);
/* The next row of any of them. */
SOUK_MUST enum souk_err audit_store_next(struct db_stmt *st, struct audit_row *ret, bool *ret_row);

extern struct db_texts audit_texts; /* for the test of all statements */

#endif
