/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The support data export: conflation as of the window's end (specs/psc.md 4, 5, 6), the
 * static test set (10), and the job that delivers both (7, 8, 9).
 */
#ifndef SOUK_PSC_EXPORT_H
#define SOUK_PSC_EXPORT_H

#include "base/io.h"
#include "delivery/request_job.h"
#include "delivery/request_start.h"
#include "delivery/topic.h"
#include "psc/contact.h"
#include "store/job.h"

#define PSC_LAG_MS (15 * MINUTE_MS)
#define PSC_SCHEMA_ID "souk:psc:support-contacts:1" /* header variant A (psc 5.1) */

struct psc_export_stats {
	int64_t rows_create, rows_update, rows_delete;
	const char *empty_reason; /* why there are no rows; NULL when there are */
};

/*
 * Writes header and records of window [from, end) for one seller, sorted by operation time,
 * then Customer Guid. Memory does not grow with the number of rows. Only PSC-enabled
 * products; of a product enabled within the window, everything that holds at its end.
 * The same window over the same history gives the same bytes. SOUK_E_DENIED "not_enrolled".
 * `threads` 1 or 2: opening and formatting beside stepping; `out` is then written to from
 * either thread, never from both at once.
 */
SOUK_MUST enum souk_err psc_export_write(struct db *db, struct vault *v, struct str seller_id,
    instant_t from, instant_t end, unsigned threads, struct sink *out, struct psc_export_stats *ret,
    struct fail *f);
/*
 * The end of a real export that is asked for now: 15 minutes ago, but not before the end of
 * an earlier one (invariant 2). From here on no change counts as made before it.
 */
SOUK_MUST enum souk_err psc_export_window(
    struct db_tx *tx, struct str seller_id, instant_t *ret_end);
/* The static test data set: byte-identical on every call. */
SOUK_MUST enum souk_err psc_test_set_write(struct sink *out, struct psc_export_stats *ret);

/* What needs no database to refuse: who asks, and the members' rules (psc 3.2). */
SOUK_MUST enum souk_err psc_export_check(
    const struct tenant_scope *s, const struct request_params *p, struct fail *f);
/*
 * Checks and keeps the request, puts the job "psc-export", moves psc_coverage. Synchronous errors
 * of psc 3.5 with fail.code ValidationException or AccessDeniedException. Not enrolled for the real
 * set: accepted, and fails with its notification (3.5).
 */
SOUK_MUST enum souk_err psc_export_start(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct request_params *p, struct guid *ret_request_id,
    struct fail *f);

/* The job kinds "psc-export" and "psc-export-s3"; ctx is a struct request_job_ctx. */
enum job_outcome psc_job_export(void *ctx, struct db *db, const struct job *j, struct fail *f);
/* Hook for dead letters: request_failed. */
enum souk_err psc_job_export_dead(
    void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);

#endif
