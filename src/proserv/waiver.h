/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waivers: findings that somebody answers for, with a reason, until a day.
 *
 * As a file: [{"rule": "PS-DET-13", "listing": "x", "pointer": "/categories", "owner": "...",
 * "reason": "...", "until": "2026-12-31"}]. `listing` and `pointer` narrow it down and may be left out; the
 * day is the last one, in UTC.
 */
#ifndef SOUK_PROSERV_WAIVER_H
#define SOUK_PROSERV_WAIVER_H

#include "proserv/finding.h"

struct waiver {
	struct str rule, listing, pointer; /* the last two: empty for any */
	struct str owner, reason;
	day_t until;
};

struct waivers {
	struct waiver *v;
	size_t n;
};

/* Reads a file of them; as listing_read. Owner, reason and day are required, the rule must be known. */
SOUK_MUST enum souk_err waivers_read(
    struct str text, struct arena *a, struct waivers *ret, struct fail *f);

/*
 * Has the findings of a listing waived that a waiver covers on `today`. `used` (w->n of them, may be NULL) gets true for
 * each waiver that matched a finding, expired or not.
 */
void waivers_apply(const struct waivers *w, day_t today, struct str listing_id,
    struct findings *findings, bool *used);

#endif
