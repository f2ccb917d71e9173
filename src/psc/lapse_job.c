/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions end on their agreed end (specs/metering-and-agreements.md 5.3 and 6: an
 * agreement that expired deletes the contacts), whether or not anybody says so.
 *
 * The end may be put off until the very last moment: it is looked at again in the
 * transaction that ends the subscription.
 */
#include "market/tenant_make.h"
#include "psc/contact.h"

#define AT_ONCE 100
#define ARENA_MAX ((size_t)64 * 1024)

struct lapse {
	struct vault *vault;
	struct tenant_scope scope;
	struct arena *arena;
	struct guid ids[AT_ONCE];
	size_t n;
	const struct guid *id; /* the one to end */
	bool ended;
};

static enum souk_err
look(struct db_tx *tx, void *arg)
{
	struct lapse *l = arg;

	return subscription_lapsed(tx, &l->scope, AT_ONCE, l->ids, &l->n);
}

static enum souk_err
end_one(struct db_tx *tx, void *arg)
{
	struct lapse *l = arg;
	struct subscription sub;
	enum souk_err err;

	l->ended = false;
	arena_reset(l->arena);
	if ((err = lock_subject(tx, l->id, sizeof(*l->id))) != SOUK_OK ||
	    (err = subscription_get(tx, &l->scope, l->id, l->arena, &sub)) != SOUK_OK)
		return err;
	if (!sub.active || sub.ends_at == 0 || sub.ends_at > db_now(tx))
		return SOUK_OK;
	err = psc_end_subscription(tx, l->vault, &l->scope, l->id, 0, NULL, NULL, l->arena, NULL);
	l->ended = err == SOUK_OK;
	return err;
}

enum souk_err
psc_end_lapsed(struct db *db, struct vault *v, int64_t *ret_n)
{
	struct lapse l = { .vault = v, .scope = tenant_for_upkeep("lapse") };
	enum souk_err err = SOUK_OK, one;
	int64_t ended = 0;

	*ret_n = 0;
	if (!(l.arena = arena_new(ARENA_MAX)))
		return SOUK_E_NOMEM;
	do {
		if ((one = db_read(db, look, &l)) != SOUK_OK)
			l.n = 0;
		for (size_t i = 0; i < l.n; i++) {
			enum souk_err r;

			l.id = &l.ids[i];
			if ((r = db_write(db, end_one, &l)) != SOUK_OK && one == SOUK_OK)
				one = r;
			ended += r == SOUK_OK && l.ended;
		}
		err = err == SOUK_OK ? one : err;
	} while (l.n == AT_ONCE && one == SOUK_OK);
	arena_free(l.arena);
	*ret_n = ended;
	return err;
}
