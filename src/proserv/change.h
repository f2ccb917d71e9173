/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change sets: changes of listings and offers that are made together or not at all (docs/proserv.md, "Catalog API").
 *
 * A set is kept as PREPARING with a job, which reviews what it would make of the listings. A fault fails it; a listing
 * that is to be public may have to wait for people (review_gate.h); else the set is APPLYING, then SUCCEEDED in the
 * transaction that makes all its changes. From its start to its end nobody else changes its entities.
 */
#ifndef SOUK_PROSERV_CHANGE_H
#define SOUK_PROSERV_CHANGE_H

#include "proserv/change_store.h"
#include "store/job.h"

#define CHANGE_SET_JOB "change-set"

/*
 * Goes on with a set that waits for people: its gates are asked again. Nothing for one that does not wait (it was
 * cancelled, or went on already). In the transaction that decides.
 */
SOUK_MUST enum souk_err change_set_resume(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id);

#endif
