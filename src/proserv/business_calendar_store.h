/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on business calendars. No scope here: see business_calendar.c. */
#ifndef SOUK_PROSERV_BUSINESS_CALENDAR_STORE_H
#define SOUK_PROSERV_BUSINESS_CALENDAR_STORE_H

#include "base/arena.h"
#include "store/db.h"

extern struct db_texts business_calendar_texts;

#define BUSINESS_CALENDAR_NEWEST INT64_MAX

/* *io_revision: the newest that is not above it. */
SOUK_MUST enum souk_err business_calendar_find(struct db_tx *tx, struct str seller_id,
    int64_t *io_revision, struct arena *mem, struct str *ret_document, instant_t *ret_changed_at);
SOUK_MUST enum souk_err business_calendar_newest(
    struct db_tx *tx, struct str seller_id, int64_t *ret); /* 0: none */
SOUK_MUST enum souk_err business_calendar_insert(struct db_tx *tx, struct str seller_id,
    int64_t revision, struct str document, struct str actor);
/* Those before `revision` that no fulfilment goes by. */
SOUK_MUST enum souk_err business_calendar_drop_unused(
    struct db_tx *tx, struct str seller_id, int64_t revision);

#endif
