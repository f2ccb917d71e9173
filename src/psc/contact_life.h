/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about a contact's life share: inside psc/ only. */
#ifndef SOUK_PSC_CONTACT_LIFE_H
#define SOUK_PSC_CONTACT_LIFE_H

#include "psc/contact_store.h"

/*
 * Buyers handle the contacts of their own subscriptions, the operator all. Sellers get
 * them by export only, though they see the subscription.
 */
bool contact_may(const struct tenant_scope *s, const struct contact_home *h);
/* The home of a subscription the scope may handle; SOUK_E_NOT_FOUND otherwise. */
SOUK_MUST enum souk_err contact_home_for(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *subscription_id, struct contact_home *ret);
/*
 * The same for who changes its contacts: nobody else does until the transaction ends, and no
 * export of the seller's begins meanwhile (invariants 1 and 2).
 */
SOUK_MUST enum souk_err contact_home_lock(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *subscription_id, struct contact_home *ret);
/*
 * The newest row of a live contact of this subscription, without its sealed bytes. `seen` is the
 * operation time the caller knows, 0 any (SOUK_E_PRECONDITION when it is another). The wrapped key is
 * copied unless NULL.
 */
SOUK_MUST enum souk_err contact_find(struct db_tx *tx, const struct contact_home *h,
    const struct guid *contact_id, instant_t seen, struct contact_row *ret,
    struct wrapped_key *ret_wrapped);

/*
 * When a change counts as made: now, but after the contact's last change (`previous`,
 * INSTANT_MIN: none) and not behind what was exported (invariant 2). A preset time is
 * taken as it is, or refused when it breaks that or lies in the future.
 */
SOUK_MUST enum souk_err contact_operation_time(struct db_tx *tx, instant_t exported_until,
    instant_t previous, instant_t preset, instant_t *ret, struct fail *f);

/* Erases one live contact at `at` (a time contact_operation_time gave), with its audit entry. */
SOUK_MUST enum souk_err contact_erase(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct contact_row *row, instant_t at);

#endif
