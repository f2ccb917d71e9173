/* SPDX-License-Identifier: Apache-2.0 */
/* Passes over the billing event feed. Internal to feeds/events. */
#ifndef SOUK_FEEDS_EVENTS_SCAN_H
#define SOUK_FEEDS_EVENTS_SCAN_H

#include "feeds/event_store.h"

/* Fills fs->store and the texts. */
SOUK_MUST enum souk_err events_scan(const struct events_query *q, struct feeds *fs, struct fail *f);

#endif
