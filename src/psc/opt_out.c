/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting many contacts at once: opting out, and the end of a subscription.
 *
 * All in the caller's transaction: a buyer who opted out everywhere is out everywhere or
 * is told that it failed.
 */
#include "psc/contact_life.h"
#include "psc/trail.h"

#define CHUNK 64 /* contacts held at once */

/* Reads rows to the end, at most `max`; without their sealed bytes, which do not outlive a step. */
static enum souk_err
collect(struct db_stmt *st, size_t max, struct contact_row *ret, size_t *ret_n)
{
	size_t n = 0;
	enum souk_err err = SOUK_OK;
	bool row = true;

	while (n < max && (err = contact_store_step(st, &row, &ret[n])) == SOUK_OK && row) {
		ret[n].wrapped = ret[n].sealed = STR("");
		n++;
	}
	db_reset(st);
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

/* One of them, as it is once nobody else changes it; it may be gone by now. */
static enum souk_err
erase_one(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct contact_row *seen, bool *ret_erased, struct fail *f)
{
	struct contact_home h;
	struct contact_row row;
	instant_t at;
	enum souk_err err;

	*ret_erased = false;
	if ((err = contact_home_lock(tx, s, &seen->subscription_id, &h)) != SOUK_OK ||
	    (err = contact_find(tx, &h, &seen->id, 0, &row, NULL)) != SOUK_OK)
		return err == SOUK_E_NOT_FOUND ? SOUK_OK : err;
	if ((err = contact_operation_time(tx, h.exported_until, row.operation_time, 0, &at, f)) !=
		SOUK_OK ||
	    (err = contact_erase(tx, v, s, &row, at)) != SOUK_OK)
		return err;
	*ret_erased = true;
	return SOUK_OK;
}

static enum souk_err
erase_now(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct contact_row *rows, size_t n, int64_t *deleted, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	bool erased = false;

	for (size_t i = 0; i < n && err == SOUK_OK; i++) {
		err = erase_one(tx, v, s, &rows[i], &erased, f);
		*deleted += erased;
	}
	return err;
}

/* All of one buyer's, in chunks until none is left. `seller_id` "" means every seller. */
static enum souk_err
erase_of_buyer(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    struct str seller_id, int64_t *ret_deleted, struct fail *f)
{
	struct contact_row rows[CHUNK];
	int64_t deleted = 0;
	size_t n = 0;
	enum souk_err err;

	do {
		err = collect(contact_store_of_buyer(tx, tenant_account(s), seller_id, CHUNK),
		    CHUNK, rows, &n);
		if (err != SOUK_OK || (err = erase_now(tx, v, s, rows, n, &deleted, f)) != SOUK_OK)
			return err;
	} while (n == CHUNK);
	*ret_deleted = deleted;
	return SOUK_OK;
}

static enum souk_err
erase_of_subscription(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, int64_t *ret_deleted, struct fail *f)
{
	struct contact_home h;
	struct contact_row rows[CONTACTS_MAX];
	int64_t deleted = 0;
	size_t n = 0;
	enum souk_err err;

	if ((err = contact_home_lock(tx, s, subscription_id, &h)) != SOUK_OK ||
	    (err = collect(contact_store_live(tx, str_c(h.seller_id), subscription_id),
		 CONTACTS_MAX, rows, &n)) != SOUK_OK ||
	    (err = erase_now(tx, v, s, rows, n, &deleted, f)) != SOUK_OK)
		return err;
	*ret_deleted = deleted;
	return SOUK_OK;
}

enum souk_err
contact_opt_out(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    enum opt_out_scope what, const struct guid *subscription_id, struct str seller_id,
    int64_t *ret_deleted, struct fail *f)
{
	struct trail_resource r = { "" };
	int64_t deleted = 0;
	enum souk_err err = SOUK_E_INTERNAL;

	switch (what) {
	case OPT_OUT_SUBSCRIPTION:
		r = trail_contact(subscription_id, NULL);
		err = erase_of_subscription(tx, v, s, subscription_id, &deleted, f);
		break;
	case OPT_OUT_SELLER:
		if (!account_id_valid(seller_id))
			return fail_field(
			    f, "sellerId", "is not an account id", "give twelve digits");
		err = erase_of_buyer(tx, v, s, seller_id, &deleted, f);
		break;
	case OPT_OUT_EVERYWHERE:
		seller_id = STR("");
		err = erase_of_buyer(tx, v, s, seller_id, &deleted, f);
		break;
	}
	if (err == SOUK_OK)
		err = trail_append(tx, v, s, "psc:OptOut", r.text,
		    what == OPT_OUT_SELLER ? seller_id : STR(""), deleted);
	if (err == SOUK_OK)
		*ret_deleted = deleted;
	return err;
}

/* One instant for the end and for all the deletions: after the last change of each contact. */
static enum souk_err
end_time(struct db_tx *tx, const struct contact_home *h, const struct contact_row *rows, size_t n,
    instant_t at, instant_t *ret, struct fail *f)
{
	instant_t last = INSTANT_MIN;

	for (size_t i = 0; i < n; i++)
		last = rows[i].operation_time > last ? rows[i].operation_time : last;
	return contact_operation_time(
	    tx, n > 0 ? h->exported_until : INSTANT_MIN, last, at, ret, f);
}

enum souk_err
psc_end_subscription(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, instant_t at, struct subscription *ret,
    int64_t *ret_deleted, struct arena *mem, struct fail *f)
{
	struct contact_home h;
	struct subscription sub;
	struct contact_row rows[CONTACTS_MAX];
	struct trail_resource r = trail_contact(subscription_id, NULL);
	bool already = false;
	size_t n = 0;
	enum souk_err err;

	if ((err = contact_home_lock(tx, s, subscription_id, &h)) != SOUK_OK ||
	    (err = subscription_get(tx, s, subscription_id, mem, &sub)) != SOUK_OK ||
	    (err = collect(contact_store_live(tx, str_c(h.seller_id), subscription_id),
		 CONTACTS_MAX, rows, &n)) != SOUK_OK ||
	    (err = end_time(tx, &h, rows, n, at, &at, f)) != SOUK_OK ||
	    (err = subscription_mark_ended(tx, s, &sub, at, &already)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < n && err == SOUK_OK; i++)
		err = contact_erase(tx, v, s, &rows[i], at);
	if (err == SOUK_OK && !already)
		err = trail_append(
		    tx, v, s, "psc:EndSubscription", r.text, str_c(h.seller_id), (int64_t)n);
	if (err != SOUK_OK)
		return err;
	if (ret)
		*ret = sub;
	if (ret_deleted)
		*ret_deleted = (int64_t)n;
	return SOUK_OK;
}
