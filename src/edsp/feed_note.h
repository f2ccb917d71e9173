/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is noted of a feed file when it is kept, so that nobody need read it again to know: the days on which the
 * seller was paid, and how many rows were set aside. It stands in the object's stored headers.
 */
#ifndef SOUK_EDSP_FEED_NOTE_H
#define SOUK_EDSP_FEED_NOTE_H

#include "base/clock.h"
#include "base/json.h"
#include "feeds/source.h"

struct feed_note {
	uint64_t set_aside;
	instant_t *payouts; /* midnights, ascending, each once; owned */
	size_t n_payouts;
};
void feed_note_done(struct feed_note *n);

/* Reads the days of DISBURSED payouts; a file of another feed has none. Rows that cannot be read are passed over. */
SOUK_MUST enum souk_err feed_note_payouts(
    struct feed_source *s, size_t file, struct feed_note *io, struct fail *f);
/* A day more; false when out of memory. */
SOUK_MUST bool feed_note_add(struct feed_note *n, instant_t day);
/* As JSON; nothing to note is "". */
void feed_note_write(const struct feed_note *n, struct buf *out);
/* "" and what an older program kept is an empty note. SOUK_E_INTERNAL: it was not written by us. */
SOUK_MUST enum souk_err feed_note_read(struct str json, struct feed_note *ret);

#endif
