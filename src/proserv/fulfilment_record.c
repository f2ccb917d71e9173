/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a fulfilment, and which of them count. */
#include "proserv/fulfilment_int.h"

/* The mail of `k` did not arrive: neither does what it was count, nor the contact that it was, too. */
static void
mark(struct fulfilment_records *all, const struct fulfilment_record *k)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].kind <= FE_ACCESS_CONFIRMATION &&
		    str_eq(all->v[i].mail_event, k->mail_event))
			all->v[i].undelivered = true;
}

enum souk_err
fulfilment_records(
    struct db_tx *tx, const struct fulfilment *x, struct arena *mem, struct fulfilment_records *ret)
{
	struct db_stmt *st = fulfilment_event_rows(tx, x);
	bool row = false;
	enum souk_err r;

	ret->n = 0;
	while ((r = db_step(st, &row)) == SOUK_OK && row && ret->n < FULFILMENT_EVENTS_MAX) {
		struct fulfilment_record *k = &ret->v[ret->n++];

		fulfilment_event_row(st, k);
		k->detail = arena_str(mem, k->detail);
		k->mail_event = arena_str(mem, k->mail_event);
		k->actor = arena_str(mem, k->actor);
		k->undelivered = false;
	}
	if (row)
		db_reset(st);
	for (size_t i = 0; r == SOUK_OK && i < ret->n; i++)
		if (ret->v[i].kind == FE_UNDELIVERED)
			mark(ret, &ret->v[i]);
	return r;
}

bool
fulfilment_unconfirmed(const struct fulfilment_records *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].kind == FE_ACCESS_CONFIRMATION && !all->v[i].undelivered)
			return false;
	return true;
}

void
fulfilment_count_again(struct fulfilment *x, const struct fulfilment_records *all)
{
	const struct fulfilment_record *promise = NULL;
	instant_t first = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct fulfilment_record *k = &all->v[i];

		if (k->undelivered)
			continue;
		if (k->kind == FE_DELAY_NOTICE)
			promise = k;
		if ((k->kind == FE_CONTACT || k->kind == FE_DELAY_NOTICE) &&
		    (first == 0 || k->at < first))
			first = k->at;
	}
	x->first_contact_at = first;
	if (promise != NULL && x->state == FULFILMENT_DELAYED &&
	    promise->promised == x->promised_at)
		return;
	x->promised_at = promise != NULL ? promise->promised : 0;
	if (promise != NULL) {
		x->state = FULFILMENT_DELAYED;
		fulfilment_wait(x, promise->promised, promise->at);
	} else if (first != 0) {
		x->state = FULFILMENT_CONTACTED;
		fulfilment_wait(x, 0, first);
	} else {
		x->state = FULFILMENT_WAITING;
		fulfilment_wait(x, x->deadline, x->accepted_at);
	}
}
