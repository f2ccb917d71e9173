/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose an id is. Ids of products, offers and subscriptions are one name space for all
 * sellers, and callers name nothing else; what belongs to an id lies with its seller. So
 * every statement on it names the seller that is found here first.
 *
 * No scope is applied: the caller asks its scope about the seller.
 */
#ifndef SOUK_MARKET_ID_OWNER_H
#define SOUK_MARKET_ID_OWNER_H

#include "market/tenant.h"
#include "store/db.h"

/* Numbers stand in the database. */
enum id_kind { ID_PRODUCT = 1, ID_OFFER = 2, ID_SUBSCRIPTION = 3 };

struct id_owner {
	char seller_id[ACCOUNT_ID_LEN + 1];
};

/* SOUK_E_NOT_FOUND: nobody has such an id. */
SOUK_MUST enum souk_err id_owner_find(
    struct db_tx *tx, enum id_kind kind, const struct guid *id, struct id_owner *ret);
/* SOUK_E_CONFLICT: the id is taken, by whatever seller and however recently. */
SOUK_MUST enum souk_err id_owner_put(
    struct db_tx *tx, enum id_kind kind, const struct guid *id, const char *seller_id);

#endif
