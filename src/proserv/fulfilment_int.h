/* SPDX-License-Identifier: Apache-2.0 */
/* How a fulfilment changes. Private to fulfilment*.c. */
#ifndef SOUK_PROSERV_FULFILMENT_INT_H
#define SOUK_PROSERV_FULFILMENT_INT_H

#include "proserv/fulfilment_store.h"

/* Numbers the event and keeps it; recorded now, by the scope. SOUK_E_LIMIT: FULFILMENT_EVENTS_MAX. */
SOUK_MUST enum souk_err fulfilment_note(struct db_tx *tx, const struct tenant_scope *s,
    struct fulfilment *x, struct fulfilment_record e, struct fail *f);
/* Something else is waited for from now on; 0: nothing. */
void fulfilment_wait(struct fulfilment *x, instant_t due_at, instant_t since);
/* When to look again; 0: never. */
instant_t fulfilment_next_look(const struct fulfilment *x, const struct fulfilment_rules *rules);
/* Puts the timer that is due, writes the row, tells the seller's topic of `what`. */
SOUK_MUST enum souk_err fulfilment_save(
    struct db_tx *tx, const struct fulfilment_rules *rules, struct fulfilment *x, const char *what);
/* The same before its first event is kept: no row yet. */
SOUK_MUST enum souk_err fulfilment_put_timer(
    struct db_tx *tx, const struct fulfilment_rules *rules, struct fulfilment *x);
SOUK_MUST enum souk_err fulfilment_tell(
    struct db_tx *tx, const struct fulfilment *x, const char *what);

struct fulfilment_records {
	struct fulfilment_record v[FULFILMENT_EVENTS_MAX]; /* in order; texts in the arena */
	size_t n;
};
/* All of them, with what does not count marked. */
SOUK_MUST enum souk_err fulfilment_records(struct db_tx *tx, const struct fulfilment *x,
    struct arena *mem, struct fulfilment_records *ret);
/* Did no confirmation of access reach the buyer? */
bool fulfilment_unconfirmed(const struct fulfilment_records *all);
/* State, contact, promise and what is waited for, by what counts. Not of one that is granted or closed. */
void fulfilment_count_again(struct fulfilment *x, const struct fulfilment_records *all);

/* Of first contact, at `now` or when it was closed. */
struct fulfilment_verdict fulfilment_verdict(const struct fulfilment *x, instant_t now);
/* "open", "met", "missed"; "void": closed before it was due. */
const char *fulfilment_verdict_word(const struct fulfilment *x, const struct fulfilment_verdict *v);
/* The members of an event, in an open object; `inside`: for the seller and the operator. */
void fulfilment_record_json(const struct fulfilment_record *e, bool inside, struct jw *out);

#endif
