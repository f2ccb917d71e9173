/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading contacts: a buyer's own, one, and where an e-mail address is live.
 *
 * Opens sealed rows. Whoever calls audits the read before anybody sees the answer.
 */
#include "psc/contact_life.h"

#include "base/utf8.h"
#include "psc/contact_seal.h"

#define SEARCH_MAX 1000 /* places; an address in more of them than that is no person's */

/* Opens a row into the arena. */
static enum souk_err
open_row(struct vault *v, const struct contact_row *row, struct arena *mem, struct contact *ret)
{
	struct contact c = { .id = row->id,
		.subscription_id = row->subscription_id,
		.created_at = row->created_at,
		.changed_at = row->operation_time };
	struct contact_binding to = contact_row_binding(row);
	uint8_t *plain;
	enum souk_err err;

	if (row->sealed.n < VAULT_OVERHEAD)
		return SOUK_E_STORAGE;
	plain = arena_alloc(mem, row->sealed.n);
	if (!plain)
		return SOUK_E_NOMEM;
	err = contact_unseal(v, &to, row->wrapped, row->sealed, plain, &c.fields);
	if (err == SOUK_OK)
		*ret = c;
	return err;
}

enum souk_err
contact_list(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, struct arena *mem, struct subscription *ret_sub,
    struct contact ret[CONTACTS_MAX], size_t *ret_n)
{
	struct contact_home h;
	struct contact_row row;
	struct db_stmt *st;
	size_t n = 0;
	bool more = true;
	enum souk_err err = contact_home_for(tx, s, subscription_id, &h);

	if (err == SOUK_OK && ret_sub)
		err = subscription_get(tx, s, subscription_id, mem, ret_sub);
	if (err != SOUK_OK)
		return err;
	st = contact_store_live(tx, str_c(h.seller_id), subscription_id);
	while (n < CONTACTS_MAX && (err = contact_store_step(st, &more, &row)) == SOUK_OK && more)
		if ((err = open_row(v, &row, mem, &ret[n++])) != SOUK_OK)
			break;
	db_reset(st);
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

enum souk_err
contact_get(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct guid *contact_id, struct arena *mem,
    struct contact *ret)
{
	struct contact_home h;
	struct contact_row row;
	struct db_stmt *st;
	bool found = false;
	enum souk_err err = contact_home_for(tx, s, subscription_id, &h);

	if (err != SOUK_OK)
		return err;
	st = contact_store_one(tx, str_c(h.seller_id), contact_id);
	err = contact_store_step(st, &found, &row);
	if (err == SOUK_OK && (!found || !guid_eq(&row.subscription_id, subscription_id)))
		err = SOUK_E_NOT_FOUND;
	if (err == SOUK_OK)
		err = open_row(v, &row, mem, ret);
	db_reset(st);
	return err;
}

/* Appends to an array in the arena that doubles. */
static struct contact_place *
add_place(struct arena *mem, struct contact_place *all, size_t n, const struct contact_row *row)
{
	if ((n & (n - 1)) == 0) { /* full: 0, 1, 2, 4 ... */
		struct contact_place *more = arena_array(mem, n ? 2 * n : 1, sizeof(*all));

		if (!more)
			return NULL;
		if (n > 0)
			memcpy(more, all, n * sizeof(*all));
		all = more;
	}
	all[n] = (struct contact_place){ .contact_id = row->id,
		.subscription_id = row->subscription_id };
	memcpy(all[n].seller_id, row->seller_id, sizeof(all[n].seller_id));
	memcpy(all[n].buyer_id, row->buyer_id, sizeof(all[n].buyer_id));
	return all;
}

enum souk_err
contact_search(struct db_tx *tx, struct vault *v, const struct tenant_scope *s, struct str email,
    struct arena *mem, struct contact_place **ret, size_t *ret_n)
{
	uint8_t index[VAULT_BLIND_LEN];
	struct contact_place *places = NULL;
	struct contact_row row;
	struct db_stmt *st;
	size_t n = 0;
	bool more = false;
	enum souk_err err;

	if (!tenant_is_operator(s))
		return SOUK_E_DENIED;
	if (!utf8_valid(email) || utf8_length(email) > 254)
		return SOUK_E_INVALID;
	contact_email_index(v, email, index);
	st = contact_store_by_email(tx, index, SEARCH_MAX);
	while ((err = contact_store_step(st, &more, &row)) == SOUK_OK && more) {
		if (!(places = add_place(mem, places, n, &row))) {
			err = SOUK_E_NOMEM;
			break;
		}
		n++;
	}
	db_reset(st);
	if (err != SOUK_OK)
		return err;
	*ret = places;
	*ret_n = n;
	return SOUK_OK;
}
