/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on change sets and the locks on what they are about (change_store.c); no scope is applied. */
#ifndef SOUK_PROSERV_CHANGE_STORE_H
#define SOUK_PROSERV_CHANGE_STORE_H

#include "base/arena.h"
#include "base/digest.h"
#include "market/tenant.h"
#include "store/db.h"

extern struct db_texts change_texts;

enum change_status {
	CHANGE_PREPARING,
	CHANGE_APPLYING,
	CHANGE_SUCCEEDED,
	CHANGE_FAILED,
	CHANGE_CANCELLED,
	CHANGE__COUNT
};
extern const char *const change_status_words[CHANGE__COUNT]; /* "PREPARING" ... */
enum change_failure { FAILURE_NONE, FAILURE_CLIENT, FAILURE_SERVER };
const char *change_failure_word(enum change_failure f); /* NULL, "CLIENT_ERROR", "SERVER_FAULT" */

/* Slices of rows live until the next step, those of _find in the arena. */
struct change_set_row {
	char seller_id[ACCOUNT_ID_LEN + 1]; /* whose entities it changes */
	struct guid id;
	char account_id[ACCOUNT_ID_LEN + 1]; /* who asked: the seller, or the operator */
	struct str actor, name;
	bool validate;    /* intent VALIDATE: nothing is kept */
	struct str token; /* "" none */
	uint8_t request_hash[SHA256_LEN];
	enum change_status status;
	bool waiting; /* for people who review */
	enum change_failure failure;
	struct str failure_text;
	struct str changes;             /* JSON array, see change.h */
	instant_t started_at, ended_at; /* ended_at 0: not yet */
};

SOUK_MUST enum souk_err change_set_row_find(struct db_tx *tx, struct str seller_id,
    const struct guid *id, struct arena *mem, struct change_set_row *ret);
/* By the caller's token. */
SOUK_MUST enum souk_err change_set_row_of_token(struct db_tx *tx, struct str seller_id,
    struct str account_id, struct str token, struct arena *mem, struct change_set_row *ret);
SOUK_MUST enum souk_err change_set_row_insert(struct db_tx *tx, const struct change_set_row *c);
/* Status, waiting, failure, changes, ended_at of the one that still has the status `was`; else *ret_found false. */
SOUK_MUST enum souk_err change_set_row_update(
    struct db_tx *tx, const struct change_set_row *c, enum change_status was, bool *ret_found);
/* Those of a seller that have not ended. */
SOUK_MUST enum souk_err change_set_count_open(struct db_tx *tx, struct str seller_id, int64_t *ret);
/* Newest first, those that started before (started_at, id); `seller_id` "" of all sellers. */
struct db_stmt *change_set_rows(struct db_tx *tx, struct str seller_id, instant_t before,
    const struct guid *before_id, size_t limit);
void change_set_row(struct db_stmt *st, struct change_set_row *ret);
/* Whose it is, for the operator; SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err change_set_owner(
    struct db_tx *tx, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1]);
/* Drops those that ended before. */
SOUK_MUST enum souk_err change_set_prune(struct db_tx *tx, instant_t before, int64_t *ret_n);

/* *ret_taken: another change set that has not ended is about it. */
SOUK_MUST enum souk_err entity_lock_take(struct db_tx *tx, struct str seller_id,
    const struct guid *entity_id, const struct guid *change_set_id, bool *ret_taken);
SOUK_MUST enum souk_err entity_lock_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id);

#endif
