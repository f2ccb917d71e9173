/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that were approved and locked. A locked run is never edited: when facts change, the next run
 * owes the difference. So, for every amount of a locked month,
 *     what locked runs paid for it + the adjustment = what a fresh run pays.
 */
#ifndef SOUK_EDSP_LOCKED_H
#define SOUK_EDSP_LOCKED_H

#include "edsp/statement.h"

#define DIGEST_TEXT_SIZE 65 /* SHA-256 in hex, and a NUL */

/* One person's commission on one part of one transaction in one month. */
struct locked_amount {
	struct str representative_id, transaction, product_id, end_user, currency;
	int32_t month;
	uint8_t part;
	bool overlay;
	money_t amount;
};

struct locked_run {
	struct month_range months;
	struct str seller, known_at, variant, plan_digest, lines_digest, approved_by, run_digest,
	    digest;
	struct locked_amount
	    *amounts; /* sorted, each once; adjustments of earlier months among them */
	size_t n_amounts;
};

/* What a run comes to when `n_locked` earlier ones are locked. */
struct settlement {
	struct locked_amount *amounts; /* as a locked run would hold them */
	size_t n_amounts;
	struct adjustment *adjustments; /* by representative, month, transaction ... */
	size_t n_adjustments;
};

/*
 * Texts are of the run's lines and the locked runs, which must outlive it. Refused: a month of
 * `months` that is locked; a locked amount of a person whom the plan does not have.
 */
SOUK_MUST enum souk_err settle(const struct commission_run *run, struct month_range months,
    const struct locked_run *locked, size_t n_locked, struct settlement *ret, struct fail *f);
void settlement_done(struct settlement *s);
/* A representative's adjustments. */
const struct adjustment *settlement_of(
    const struct settlement *s, struct str representative_id, size_t *ret_n);

/* Of lines, in their order: what the amounts were computed from. */
void lines_digest(const struct commission_line *lines, size_t n, char out[DIGEST_TEXT_SIZE]);
void text_digest(struct str text, char out[DIGEST_TEXT_SIZE]);
/* Of all that was computed, without who approved it: fills run_digest (in `out`) from the others. */
void run_digest(const struct locked_run *r, char out[DIGEST_TEXT_SIZE]);

/* The file form; `digest` and `run_digest` are computed. */
void locked_write(const struct locked_run *r, struct buf *out);
/* Refuses a file that is no locked run, or was changed. Texts are in `a`. */
SOUK_MUST enum souk_err locked_read(
    struct str json, struct arena *a, struct locked_run *ret, struct fail *f);

#endif
