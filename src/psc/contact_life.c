/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding, editing and deleting a contact (specs/psc.md 2.3).
 *
 * Every change is a new row with an operation time of its own; times never run behind an
 * exported window, or the change would never be exported (invariant 2). Deleting removes
 * every row and with them the wrapped data key: from then on nobody can open what copies
 * of the sealed bytes there may be (invariant 4).
 */
#include "psc/contact_life.h"

#include "access/idempotency.h"
#include "base/secret.h"
#include "psc/contact_seal.h"
#include "psc/trail.h"

#include <assert.h>

bool
contact_may(const struct tenant_scope *s, const struct contact_home *h)
{
	return tenant_is_operator(s) ||
	       (tenant_is_buyer(s) && str_eq(tenant_account(s), str_c(h->buyer_id)));
}

enum souk_err
contact_home_for(struct db_tx *tx, const struct tenant_scope *s, const struct guid *subscription_id,
    struct contact_home *ret)
{
	struct contact_home h;
	enum souk_err err = contact_store_home(tx, subscription_id, &h);

	if (err != SOUK_OK)
		return err;
	if (!contact_may(s, &h))
		return SOUK_E_NOT_FOUND;
	*ret = h;
	return SOUK_OK;
}

enum souk_err
contact_home_lock(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *subscription_id, struct contact_home *ret)
{
	enum souk_err err;

	if ((err = lock_subject(tx, subscription_id, sizeof(*subscription_id))) != SOUK_OK ||
	    (err = contact_home_for(tx, s, subscription_id, ret)) != SOUK_OK ||
	    (err = lock_owner_shared(tx, str_c(ret->seller_id))) != SOUK_OK)
		return err;
	/* An export may have begun before the lock was free. */
	return contact_store_exported_until(tx, str_c(ret->seller_id), &ret->exported_until);
}

enum souk_err
contact_operation_time(struct db_tx *tx, instant_t exported_until, instant_t previous,
    instant_t preset, instant_t *ret, struct fail *f)
{
	instant_t now = db_now(tx);
	instant_t least = previous >= exported_until ? previous + 1 : exported_until;

	if (preset == 0) {
		*ret = now > least ? now : least;
		return SOUK_OK;
	}
	if (preset > now)
		return fail_set(f, SOUK_E_INVALID, "operation_time",
		    "The time of the change is in the future.");
	if (preset < exported_until)
		return fail_set(f, SOUK_E_CONFLICT, "operation_time",
		    "The time of the change lies in a window the seller has exported already; "
		    "leave it out, so that the change counts as made now.");
	if (preset < least)
		return fail_set(f, SOUK_E_CONFLICT, "operation_time",
		    "The time of the change is not after the contact's last change.");
	*ret = preset;
	return SOUK_OK;
}

/* Tells the caller what is stored now. */
static void
give(const struct contact_row *row, const struct contact_fields *c, struct contact *ret)
{
	if (ret)
		*ret = (struct contact){ .id = row->id,
			.subscription_id = row->subscription_id,
			.fields = *c,
			.created_at = row->created_at,
			.changed_at = row->operation_time };
}

/* Seals `c` into the row and inserts it as the contact's newest. */
static enum souk_err
insert_sealed(struct db_tx *tx, struct vault *v, const struct data_key *key,
    const struct wrapped_key *wrapped, const struct contact_fields *c, struct contact_row *row)
{
	struct contact_binding to = contact_row_binding(row);
	uint8_t sealed[CONTACT_SEALED_MAX];
	enum souk_err err;

	contact_email_index(v, c->email, row->email_index);
	row->wrapped = (struct str){ (const char *)wrapped->b, sizeof(wrapped->b) };
	row->sealed = (struct str){ (const char *)sealed, contact_seal(key, &to, c, sealed) };
	err = contact_store_insert(tx, row);
	row->wrapped = row->sealed = STR(""); /* they were this call's */
	return err;
}

static enum souk_err
trail(struct db_tx *tx, struct vault *v, const struct tenant_scope *s, const char *action,
    const struct contact_row *row)
{
	struct trail_resource r = trail_contact(&row->subscription_id, &row->id);

	return trail_append(tx, v, s, action, r.text, str_c(row->seller_id), 1);
}

static enum souk_err
free_slot(struct contact_home *h, int *ret, struct fail *f)
{
	for (int slot = 1; slot <= CONTACTS_MAX; slot++)
		if (!(h->slots & 1U << slot)) {
			*ret = slot;
			return SOUK_OK;
		}
	return fail_set(f, SOUK_E_CONFLICT, "contact_limit",
	    "The subscription has %d contacts, the most it may have; delete one first.",
	    CONTACTS_MAX);
}

/* The home of a contact to be added, with its slots: as kept, or looked up and kept. */
static enum souk_err
home_to_add(struct db_tx *tx, const struct tenant_scope *s, const struct guid *subscription_id,
    struct contact_home *kept, struct contact_home *ret)
{
	enum souk_err err;

	if (kept && guid_eq(&kept->subscription_id, subscription_id)) {
		*ret = *kept;
		return SOUK_OK;
	}
	if ((err = contact_home_lock(tx, s, subscription_id, ret)) != SOUK_OK)
		return err;
	return contact_store_slots(tx, str_c(ret->seller_id), &ret->subscription_id, &ret->slots);
}

/* May a contact be added to this subscription, and under this id? */
static enum souk_err
check_add(struct db_tx *tx, const struct contact_home *h, const struct guid *preset, struct fail *f)
{
	bool known = false;
	enum souk_err err;

	if (!h->active)
		return fail_set(f, SOUK_E_CONFLICT, "subscription_ended",
		    "The subscription has ended; contacts can be shared for active ones only.");
	if (!h->psc_enabled)
		return fail_set(f, SOUK_E_CONFLICT, "product_not_psc",
		    "The product does not take part in Product Support Connection.");
	if (!preset || guid_is_zero(preset))
		return SOUK_OK;
	if ((err = contact_store_known(tx, str_c(h->seller_id), preset, &known)) != SOUK_OK)
		return err;
	return known ? fail_set(f, SOUK_E_CONFLICT, "contact_exists",
			   "There is, or was, a contact with this id already.")
		     : SOUK_OK;
}

enum souk_err
contact_add(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct contact_fields *c,
    const struct contact_preset *preset, struct contact *ret, struct fail *f)
{
	struct contact_home h, *kept = preset ? preset->home : NULL;
	struct contact_row row = { .operation = CONTACT_CREATE };
	struct data_key key;
	struct wrapped_key wrapped;
	enum souk_err err;

	if ((err = home_to_add(tx, s, subscription_id, kept, &h)) != SOUK_OK ||
	    (err = check_add(tx, &h, preset ? &preset->id : NULL, f)) != SOUK_OK ||
	    (err = free_slot(&h, &row.slot, f)) != SOUK_OK ||
	    (err = contact_operation_time(tx, h.exported_until, INSTANT_MIN,
		 preset ? preset->at : 0, &row.operation_time, f)) != SOUK_OK)
		return err;
	row.id = preset && !guid_is_zero(&preset->id) ? preset->id : guid_new();
	memcpy(row.seller_id, h.seller_id, sizeof(row.seller_id));
	memcpy(row.buyer_id, h.buyer_id, sizeof(row.buyer_id));
	row.product_id = h.product_id;
	row.subscription_id = h.subscription_id;
	row.subscription_start = h.subscription_start;
	row.created_at = row.operation_time;
	vault_key_new(v, (struct str){ (const char *)row.id.b, sizeof(row.id.b) }, &key, &wrapped);
	err = insert_sealed(tx, v, &key, &wrapped, c, &row);
	wipe(&key, sizeof(key));
	if (err != SOUK_OK || (err = trail(tx, v, s, "psc:AddContact", &row)) != SOUK_OK)
		return err;
	h.slots |= 1U << row.slot;
	if (kept)
		*kept = h;
	give(&row, c, ret);
	return SOUK_OK;
}

enum souk_err
contact_find(struct db_tx *tx, const struct contact_home *h, const struct guid *contact_id,
    instant_t seen, struct contact_row *ret, struct wrapped_key *ret_wrapped)
{
	struct db_stmt *st = contact_store_one(tx, str_c(h->seller_id), contact_id);
	bool row = false;
	enum souk_err err = contact_store_step(st, &row, ret);

	if (err != SOUK_OK || !row)
		return err != SOUK_OK ? err : SOUK_E_NOT_FOUND;
	if (ret->wrapped.n != VAULT_WRAPPED_LEN)
		err = SOUK_E_STORAGE;
	else if (ret_wrapped)
		memcpy(ret_wrapped->b, ret->wrapped.p, VAULT_WRAPPED_LEN);
	ret->wrapped = ret->sealed = STR("");
	db_reset(st);
	if (err == SOUK_OK && !guid_eq(&ret->subscription_id, &h->subscription_id))
		err = SOUK_E_NOT_FOUND;
	if (err == SOUK_OK && seen != 0 && seen != ret->operation_time)
		err = SOUK_E_PRECONDITION;
	return err;
}

enum souk_err
contact_version(struct db_tx *tx, const struct tenant_scope *s, const struct guid *subscription_id,
    const struct guid *contact_id, instant_t *ret)
{
	struct contact_home h;
	struct contact_row row;
	struct wrapped_key wrapped;
	enum souk_err err;

	if ((err = contact_home_for(tx, s, subscription_id, &h)) != SOUK_OK ||
	    (err = contact_find(tx, &h, contact_id, 0, &row, &wrapped)) != SOUK_OK)
		return err;
	*ret = row.operation_time;
	return SOUK_OK;
}

enum souk_err
contact_edit(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct guid *contact_id, instant_t seen,
    const struct contact_fields *c, const struct contact_preset *preset, struct contact *ret,
    struct fail *f)
{
	struct contact_home h;
	struct contact_row row;
	struct wrapped_key wrapped;
	struct data_key key;
	instant_t before;
	enum souk_err err;

	if ((err = contact_home_lock(tx, s, subscription_id, &h)) != SOUK_OK ||
	    (err = contact_find(tx, &h, contact_id, seen, &row, &wrapped)) != SOUK_OK)
		return err;
	before = row.operation_time;
	if ((err = contact_operation_time(tx, h.exported_until, before, preset ? preset->at : 0,
		 &row.operation_time, f)) != SOUK_OK ||
	    (err = contact_store_supersede(
		 tx, str_c(h.seller_id), contact_id, before, row.operation_time)) != SOUK_OK)
		return err;
	row.operation = CONTACT_UPDATE;
	/* One data key for all versions: destroying it erases them all. */
	if (vault_key_unwrap(v, (struct str){ (const char *)row.id.b, sizeof(row.id.b) },
		(struct str){ (const char *)wrapped.b, sizeof(wrapped.b) }, &key) != SOUK_OK)
		return SOUK_E_STORAGE;
	err = insert_sealed(tx, v, &key, &wrapped, c, &row);
	wipe(&key, sizeof(key));
	if (err != SOUK_OK || (err = trail(tx, v, s, "psc:EditContact", &row)) != SOUK_OK)
		return err;
	give(&row, c, ret);
	return SOUK_OK;
}

enum souk_err
contact_erase(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct contact_row *row, instant_t at)
{
	struct contact_row tombstone = *row;
	enum souk_err err;

	assert(at > row->operation_time);
	tombstone.operation = CONTACT_DELETE;
	tombstone.operation_time = at;
	tombstone.slot = 0;
	tombstone.wrapped = tombstone.sealed = STR("");
	if ((err = contact_store_erase(tx, str_c(row->seller_id), &row->id)) != SOUK_OK ||
	    (err = contact_store_insert(tx, &tombstone)) != SOUK_OK ||
	    (err = idempotency_forget(tx, &row->id)) != SOUK_OK)
		return err;
	db_scrub(tx);
	return trail(tx, v, s, "psc:DeleteContact", &tombstone);
}

enum souk_err
contact_delete(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct guid *contact_id, instant_t seen,
    const struct contact_preset *preset, struct fail *f)
{
	struct contact_home h;
	struct contact_row row;
	struct wrapped_key wrapped;
	instant_t at;
	enum souk_err err;

	if ((err = contact_home_lock(tx, s, subscription_id, &h)) != SOUK_OK ||
	    (err = contact_find(tx, &h, contact_id, seen, &row, &wrapped)) != SOUK_OK ||
	    (err = contact_operation_time(tx, h.exported_until, row.operation_time,
		 preset ? preset->at : 0, &at, f)) != SOUK_OK)
		return err;
	return contact_erase(tx, v, s, &row, at);
}
