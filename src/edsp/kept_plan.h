/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seller's commission plan as souk keeps it: a sealed document with revisions, of which the newest is in force.
 * Older ones stay, because runs were computed with them.
 */
#ifndef SOUK_EDSP_KEPT_PLAN_H
#define SOUK_EDSP_KEPT_PLAN_H

#include "base/str.h"
#include "edsp/plan.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

/* For calls as large as a plan may be. */
#define KEPT_PLAN_BYTES ((size_t)8 << 20) /* some ten thousands of rules */

/*
 * Is the text a plan (plan_read, plan_check)? Each fault becomes an entry whose field is `prefix` and the JSON
 * pointer. Loads what plans are checked with when it is not there yet.
 */
SOUK_MUST enum souk_err kept_plan_check(struct str text, const char *prefix, struct fail *f);

/* A new revision, checked before. `seen` revision, 0: any; another is SOUK_E_PRECONDITION. Who may is the caller's to know. */
SOUK_MUST enum souk_err kept_plan_put(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, struct str seller_id, struct str text, int64_t seen,
    int64_t *ret_revision, struct fail *f);
/* One that a dry run tries; kept_plan_drop takes it away. */
SOUK_MUST enum souk_err kept_plan_draft(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, struct str seller_id, struct str text, struct guid *ret_id);
SOUK_MUST enum souk_err kept_plan_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *id);

/* SOUK_E_NOT_FOUND: the seller has none. */
SOUK_MUST enum souk_err kept_plan_newest(
    struct db_tx *tx, struct str seller_id, struct guid *ret_id, int64_t *ret_revision);
/* The text, in the arena; SOUK_E_STORAGE when damaged or of another place. */
SOUK_MUST enum souk_err kept_plan_text(struct db_tx *tx, struct vault *v, struct str seller_id,
    const struct guid *id, struct arena *mem, struct str *ret);
/* The plan, checked; `ret_text` may be NULL. All in the arena. */
SOUK_MUST enum souk_err kept_plan_load(struct db_tx *tx, struct vault *v, struct str seller_id,
    const struct guid *id, struct arena *mem, struct plan *ret, struct str *ret_text);

/* Key rotation: up to `max` plans after `*cursor`; *ret_done at the end. */
SOUK_MUST enum souk_err kept_plan_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

#endif
