/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on commission plans, grants, settings and runs (commission_store.c); no scope is applied. */
#ifndef SOUK_EDSP_COMMISSION_STORE_H
#define SOUK_EDSP_COMMISSION_STORE_H

#include "edsp/grant.h"
#include "edsp/kept_run.h"

extern struct db_texts commission_texts;

/* ---- plans ---- */
struct plan_row {
	struct guid id;
	int64_t revision; /* 0: a draft */
	struct str data_key, sealed;
};
/* SOUK_E_CONFLICT: the revision is taken. */
SOUK_MUST enum souk_err plan_row_put(
    struct db_tx *tx, struct str seller_id, const struct plan_row *row, struct str actor);
/* The newest revision; slices live in the arena. */
SOUK_MUST enum souk_err plan_row_newest(
    struct db_tx *tx, struct str seller_id, struct guid *ret_id, int64_t *ret_revision);
SOUK_MUST enum souk_err plan_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct plan_row *ret);
/* A draft goes; SOUK_OK also when there is none. */
SOUK_MUST enum souk_err plan_row_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *id);
struct plan_key {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id;
	uint8_t wrapped[VAULT_WRAPPED_LEN];
	size_t n;
};
/* Of the next plan of any seller; SOUK_E_NOT_FOUND at the end. */
SOUK_MUST enum souk_err plan_key_after(
    struct db_tx *tx, const struct guid *after, struct plan_key *ret);
SOUK_MUST enum souk_err plan_key_set(
    struct db_tx *tx, const struct plan_key *k, const struct wrapped_key *fresh);

/* ---- grants and settings ---- */
SOUK_MUST enum souk_err grant_row_put(struct db_tx *tx, struct str seller_id,
    const struct commission_grant *g, int64_t standing, struct str actor);
SOUK_MUST enum souk_err grant_row_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *user_id);
/* The user's that is in force. */
SOUK_MUST enum souk_err grant_row_find(struct db_tx *tx, struct str seller_id,
    const struct guid *user_id, struct arena *mem, struct commission_grant *ret);
/* All of them, in force or not. */
struct db_stmt *grant_rows(struct db_tx *tx, struct str seller_id);
void grant_row(struct db_stmt *st, struct commission_grant *ret);

/* SOUK_E_NOT_FOUND: nobody said. */
SOUK_MUST enum souk_err setting_row_get(
    struct db_tx *tx, struct str seller_id, bool *ret_two_people, int64_t *ret_revision);
SOUK_MUST enum souk_err setting_row_put(
    struct db_tx *tx, struct str seller_id, bool two_people, struct str actor, int64_t revision);

/* ---- runs ---- */
SOUK_MUST enum souk_err run_row_put(
    struct db_tx *tx, struct str seller_id, const struct kept_run *r);
SOUK_MUST enum souk_err run_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct kept_run *ret);
/* Newest first, those started before an instant, or in it with a lower id. */
struct db_stmt *run_rows(struct db_tx *tx, struct str seller_id, bool locked_only, instant_t before,
    const struct guid *before_id, size_t limit);
void run_row(struct db_stmt *st, struct kept_run *ret);
/* Locked ones by month: the id is column 0. */
struct db_stmt *run_rows_locked(struct db_tx *tx, struct str seller_id);
SOUK_MUST enum souk_err run_row_count_locked(
    struct db_tx *tx, struct str seller_id, int64_t *ret_n);
SOUK_MUST enum souk_err run_row_month_locked(
    struct db_tx *tx, struct str seller_id, int64_t month, bool *ret);
/* A waiting one ends; SOUK_E_CONFLICT: it does not wait. */
SOUK_MUST enum souk_err run_row_end(
    struct db_tx *tx, struct str seller_id, const struct kept_run *r);
SOUK_MUST enum souk_err run_row_lock(struct db_tx *tx, struct str seller_id, const struct guid *id,
    const struct guid *user_id, struct str actor);

#endif
