/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logos of all listings that others can see, kept in memory: some 100 bytes each.
 *
 * To read them anew for every review would take a quarter of a second of a hundred thousand. What changed since the last
 * time is read instead; a look for the nearest takes some 0.1 ms. Any number of threads at once.
 */
#ifndef SOUK_PROSERV_LOGO_INDEX_H
#define SOUK_PROSERV_LOGO_INDEX_H

#include "base/guid.h"
#include "market/tenant.h"
#include "proserv/logo.h"
#include "store/db.h"

struct logo_index;
SOUK_MUST enum souk_err logo_index_new(struct logo_index **ret);
void logo_index_free(struct logo_index *x); /* nobody may be using it; accepts NULL */

/* Has the read transaction's logos; never called in a write transaction, whose own might be undone. The first time reads all. SOUK_E_NOMEM. */
SOUK_MUST enum souk_err logo_index_refresh(struct logo_index *x, struct db_tx *tx);

/* Of a listing; in the place of what it had. Not `shown`: others cannot see it, or it has none. SOUK_E_NOMEM. */
struct logo_shown {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid product_id;
	bool shown;
	struct logo_hash hash;
};
SOUK_MUST enum souk_err logo_index_put(struct logo_index *x, const struct logo_shown *v, size_t n);

/* The nearest that is like `hash` and not of the seller (may be empty); of equally near ones the lowest product id. */
struct logo_search {
	struct logo_hash hash;
	struct str seller_id;
	bool found;
	struct logo_shown nearest;
};
/* Many at once take half the time. */
void logo_index_search(struct logo_index *x, struct logo_search *v, size_t n);

#endif
