/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on review tasks, decisions, findings and what reviews lean on (review_store.c); no scope is applied.
 *
 * Slices of rows live until the next step, those of _find in the arena.
 */
#ifndef SOUK_PROSERV_REVIEW_STORE_H
#define SOUK_PROSERV_REVIEW_STORE_H

#include "base/arena.h"
#include "base/digest.h"
#include "market/tenant.h"
#include "proserv/finding.h"
#include "store/db.h"

extern struct db_texts review_texts;

enum task_state { TASK_OPEN, TASK_APPROVED, TASK_REJECTED, TASK_WAIVED, TASK__COUNT };
extern const char *const task_state_words[TASK__COUNT]; /* "open" ... */

#define TASK_REASON_MAX 1000 /* bytes */

struct review_task {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id, product_id;
	uint8_t digest[SHA256_LEN];
	struct str rule;
	enum finding_kind kind;
	enum severity severity;
	struct str pointer, message, evidence, excerpt;
	enum task_state state;
	bool present;
	struct guid first_by, second_by; /* zero: nobody */
	struct str reason;
	instant_t waived_until;    /* 0: not waived */
	struct guid change_set_id; /* zero: nothing waits */
	instant_t opened_at, decided_at;
	int64_t revision;
};

SOUK_MUST enum souk_err task_row_find(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct review_task *ret);
/* SOUK_E_CONFLICT is not told: *ret_new false when the listing has one of that digest. */
SOUK_MUST enum souk_err task_row_insert(
    struct db_tx *tx, const struct review_task *t, bool *ret_new);
/* State, present, people, reason, times, change set, revision of the one with the revision `seen`. */
SOUK_MUST enum souk_err task_row_update(
    struct db_tx *tx, const struct review_task *t, int64_t seen, bool *ret_found);
struct db_stmt *task_rows_of_listing(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id);
/* Of the listings of listing_rows_due, with the same arguments. */
struct db_stmt *task_rows_due(struct db_tx *tx, instant_t now, size_t limit);
/* Those that a change set waits for. */
struct db_stmt *task_rows_of_set(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id);
void task_row(struct db_stmt *st, struct review_task *ret);
SOUK_MUST enum souk_err task_owner(
    struct db_tx *tx, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1]);

/* Present ones by (opened_at, id), after such a place. */
struct task_query {
	struct str seller_id;          /* "" all sellers */
	const struct guid *product_id; /* NULL any; needs seller_id */
	enum task_state state;
	struct str rule, kind; /* "" any */
	instant_t after;
	struct guid after_id;
	size_t limit;
};
struct db_stmt *task_rows(struct db_tx *tx, const struct task_query *q);

/* Rows the tasks' state counts: columns state, number. Of all sellers. */
struct db_stmt *task_counts(struct db_tx *tx);

struct review_decision {
	struct str verdict; /* "approve", "reject", "waive" */
	struct guid user_id;
	struct str reason;
	instant_t waived_until, decided_at;
};
SOUK_MUST enum souk_err decision_row_insert(
    struct db_tx *tx, const struct review_task *t, const struct review_decision *d);
/* Columns: verdict, user id, user's name (NULL: gone), reason, waived until, decided at, number; oldest first. */
struct db_stmt *decision_rows(struct db_tx *tx, struct str seller_id, const struct guid *task_id);

/* ---- findings of the last review ---- */

SOUK_MUST enum souk_err findings_row_put(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, const uint8_t digest[SHA256_LEN], struct str findings);
/* SOUK_E_NOT_FOUND: it was never reviewed. */
SOUK_MUST enum souk_err findings_row_find(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, struct buf *ret);
/* Columns: product id, digest. Of the listings of listing_rows_due, with the same arguments. */
struct db_stmt *findings_rows_due(struct db_tx *tx, instant_t now, size_t limit);

/* ---- what a review looked at ---- */

SOUK_MUST enum souk_err leans_row_put(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, const struct guid *on_product, struct str seen);
SOUK_MUST enum souk_err leans_row_drop(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, const struct guid *on_product);
/* Columns: product id, on product, seen. Of the listings of listing_rows_due, with the same arguments. */
struct db_stmt *leans_rows_due(struct db_tx *tx, instant_t now, size_t limit);

/* ---- what is due ---- */

/* To be reviewed now, whatever it was; reviews under way count for nothing. */
SOUK_MUST enum souk_err review_mark(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, instant_t now);
/*
 * All of a piece of the listings by (seller, product), after a place; drafts, too. *io_seller and *io_product become its
 * end; *ret_n 0: there was nothing left.
 */
SOUK_MUST enum souk_err review_mark_next(struct db_tx *tx,
    char io_seller[static ACCOUNT_ID_LEN + 1], struct guid *io_product, size_t limit, instant_t now,
    int64_t *ret_n);
/*
 * Columns: seller id, product id. Listings whose products, or whose seller, were changed after `since` and are no longer
 * what the review saw, and that are not to be reviewed for it already.
 */
struct db_stmt *review_rows_stale(struct db_tx *tx, instant_t since, instant_t now, size_t limit);
SOUK_MUST enum souk_err review_is_due(struct db_tx *tx, instant_t now, bool *ret);
/* Is there any listing? */
SOUK_MUST enum souk_err review_is_any(struct db_tx *tx, bool *ret);
/* Is a job of this kind waiting or running? */
SOUK_MUST enum souk_err review_has_job(struct db_tx *tx, const char *kind, bool *ret);
/* Columns: seller id, product id, title, standing, grace until, reviewed at. Of a standing, after a product id. */
struct db_stmt *standing_rows(
    struct db_tx *tx, struct str standing, const struct guid *after, size_t limit);
/* Columns: standing, number. */
struct db_stmt *standing_counts(struct db_tx *tx);

#endif
