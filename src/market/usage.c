/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: who may tell it, for which hours, and what a second telling of the same hour comes to.
 *
 * The danger is to bill twice: what a caller sends again because no answer came must be the
 * same fact, on whatever node it arrives. So the key decides, in the database.
 */
#include "market/usage.h"

#include "market/account.h"
#include "market/check.h"
#include "market/dimension.h"
#include "market/scope.h"
#include "market/usage_store.h"

#include <time.h>

enum souk_err
usage_product_sold(struct db_tx *tx, const struct tenant_scope *s, struct str code,
    struct arena *mem, struct usage_product *ret)
{
	bool is_public = false;

	if (tenant_is_operator(s))
		return usage_store_coded(tx, code, mem, ret, &is_public);
	if (!tenant_is_seller(s) || tenant_account(s).n == 0)
		return SOUK_E_NOT_FOUND;
	return usage_store_sold(tx, tenant_account(s), code, mem, ret);
}

/* As though the scope's buyer used it in this hour. */
static struct usage
use_now(struct db_tx *tx, const struct tenant_scope *s, const struct usage_product *p)
{
	struct usage u = { .product_id = p->id, .hour = usage_hour(db_now(tx)) };

	memcpy(u.seller_id, p->seller_id, sizeof(u.seller_id));
	memcpy(u.buyer_id, tenant_account(s).p, ACCOUNT_ID_LEN);
	return u;
}

enum souk_err
usage_product_bought(struct db_tx *tx, const struct tenant_scope *s, struct str code,
    struct arena *mem, struct usage_product *ret)
{
	struct usage_product p;
	struct guid right;
	bool is_public = false;
	enum souk_err r;

	if (!tenant_is_buyer(s) || tenant_account(s).n != ACCOUNT_ID_LEN)
		return SOUK_E_NOT_FOUND;
	if ((r = usage_store_coded(tx, code, mem, &p, &is_public)) != SOUK_OK)
		return r;
	if (!is_public) { /* a limited or restricted one is seen by who bought it */
		struct usage any = use_now(tx, s, &p);

		if ((r = usage_store_right(tx, &any, INSTANT_MIN, &right)) != SOUK_OK)
			return r;
	}
	*ret = p;
	return SOUK_OK;
}

enum souk_err
usage_entitled(
    struct db_tx *tx, const struct tenant_scope *s, const struct usage_product *p, bool *ret)
{
	struct usage u;
	struct guid right;
	enum souk_err r;

	if (!tenant_is_buyer(s) || tenant_account(s).n != ACCOUNT_ID_LEN)
		return SOUK_E_NOT_FOUND;
	u = use_now(tx, s, p);
	r = usage_store_right(tx, &u, db_now(tx), &right);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = r == SOUK_OK;
	return SOUK_OK;
}

instant_t
usage_hour(instant_t t)
{
	instant_t in_hour = t % HOUR_MS;

	return t - (in_hour < 0 ? in_hour + HOUR_MS : in_hour);
}

static instant_t
month_start(instant_t t)
{
	time_t seconds = (time_t)(t / SECOND_MS);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	return t - t % DAY_MS - (tm.tm_mday - 1) * DAY_MS;
}

bool
usage_in_time(instant_t now, instant_t t, int64_t late_ms)
{
	instant_t earliest = now - late_ms, month = month_start(now);

	if (now >= month + USAGE_MONTH_MS && earliest < month)
		earliest = month;
	return t >= earliest && t <= now + USAGE_AHEAD_MS;
}

/* What stands already for the fact's key. SOUK_E_NOT_FOUND: nothing. */
static enum souk_err
settle(struct db_tx *tx, struct usage *io, enum usage_status *ret)
{
	struct usage_present p;
	enum souk_err r = usage_store_find(tx, io, &p);

	if (r != SOUK_OK)
		return r;
	io->id = p.id;
	io->subscription_id = p.subscription_id;
	*ret = p.quantity == io->quantity && p.same_allocations ? USAGE_TAKEN : USAGE_DUPLICATE;
	return SOUK_OK;
}

enum souk_err
usage_take(struct db_tx *tx, const struct tenant_scope *s, struct usage *io, enum usage_status *ret)
{
	instant_t since = io->source == USAGE_IMPORT ? INSTANT_MIN : db_now(tx) - USAGE_GRACE_MS;
	struct usage u = *io;
	bool is_new = false;
	enum souk_err r;

	if (!scope_sells(s, str_c(u.seller_id)) && !scope_buys(s, str_c(u.buyer_id)))
		return SOUK_E_NOT_FOUND;
	r = usage_store_right(tx, &u, since, &u.subscription_id);
	if (r == SOUK_E_NOT_FOUND) {
		/* The right may have ended since the first telling. */
		if ((r = settle(tx, &u, ret)) == SOUK_E_NOT_FOUND) {
			*ret = USAGE_NOT_SUBSCRIBED;
			r = SOUK_OK;
		}
	} else if (r == SOUK_OK) {
		u.id = guid_new();
		r = usage_store_put(tx, &u, &is_new);
		*ret = USAGE_TAKEN;
		if (r == SOUK_OK && !is_new && (r = settle(tx, &u, ret)) == SOUK_E_NOT_FOUND) {
			*ret =
			    USAGE_TOKEN_REUSED; /* no row has the key: the token stood in the way */
			r = SOUK_OK;
		}
	}
	if (r == SOUK_OK)
		*io = u;
	return r;
}

/* ---- import ---- */

enum { M_CODE, M_BUYER, M_DIMENSION, M_TIMESTAMP, M_QUANTITY, M_ALLOCATIONS, M__COUNT };

/* The words are those of a call; in a file they need a field and a fix. */
static enum souk_err
import_allocations(
    const json_t *list, int64_t quantity, struct arena *mem, struct str *ret, struct fail *f)
{
	struct fail why = { 0 };
	char what[160];
	enum souk_err r = usage_allocations(list, quantity, mem, ret, &why);

	if (r != SOUK_E_INVALID)
		return r;
	(void)snprintf(what, sizeof(what), "cannot be taken: %.140s", why.detail);
	return fail_field(f, "usageAllocations", what,
	    "write them as BatchMeterUsage has them, or leave them out");
}

static enum souk_err
import_parse(
    const json_t *o, struct arena *mem, struct usage *ret, struct str *ret_code, struct fail *f)
{
	struct json_member m[M__COUNT] = {
		[M_CODE] = { .name = "productCode", .kind = JSON_K_STR, .required = true },
		[M_BUYER] = { .name = "buyerId", .kind = JSON_K_STR, .required = true },
		[M_DIMENSION] = { .name = "dimension", .kind = JSON_K_STR, .required = true },
		[M_TIMESTAMP] = { .name = "timestamp", .kind = JSON_K_STR, .required = true },
		[M_QUANTITY] = { .name = "quantity", .kind = JSON_K_INT, .required = true },
		[M_ALLOCATIONS] = { .name = "usageAllocations",
		    .kind = JSON_K_ARR,
		    .nullable = true },
	};
	struct usage u = {
		.source = USAGE_IMPORT, .allocations = STR(""), .client_token = STR("")
	};
	struct check c = { .f = f };
	instant_t at = 0;

	c.err = json_take(o, m, M__COUNT, f);
	check_account_id(&c, &m[M_BUYER], u.buyer_id);
	check_text(&c, &m[M_DIMENSION], 1, USAGE_DIMENSION_MAX, &u.dimension);
	check_instant(&c, &m[M_TIMESTAMP], &at);
	u.hour = usage_hour(at);
	u.quantity = m[M_QUANTITY].got ? json_integer_value(m[M_QUANTITY].got) : 0;
	if (u.quantity < 0 || u.quantity > USAGE_QUANTITY_MAX)
		check_fail(&c, "quantity", "is out of range", "give 0 to 2147483647");
	if (c.err == SOUK_OK)
		c.err =
		    import_allocations(m[M_ALLOCATIONS].got, u.quantity, mem, &u.allocations, f);
	if (c.err != SOUK_OK)
		return c.err;
	*ret_code = json_member_str(&m[M_CODE]);
	*ret = u;
	return SOUK_OK;
}

enum souk_err
usage_import(struct db_tx *tx, const struct tenant_scope *s, const json_t *o, struct arena *mem,
    struct fail *f)
{
	struct usage_product p = { .seller_id = "" };
	enum usage_status status = USAGE_TAKEN;
	struct str code = STR("");
	struct usage u;
	enum souk_err r;

	if ((r = scope_operator(s, f)) != SOUK_OK ||
	    (r = import_parse(o, mem, &u, &code, f)) != SOUK_OK)
		return r;
	if (u.hour > db_now(tx) + USAGE_AHEAD_MS)
		return fail_field(
		    f, "timestamp", "lies in the future", "give the hour of the usage");
	r = usage_product_sold(tx, s, code, mem, &p);
	if (r == SOUK_E_NOT_FOUND)
		return fail_field(f, "productCode", "is no product's", "create the product first");
	if (r != SOUK_OK)
		return r;
	if (!dimension_metered(p.dimensions, u.dimension))
		return fail_field(f, "dimension", "is none that the product meters",
		    "give one of the product's dimensions of type metered");
	memcpy(u.seller_id, p.seller_id, sizeof(u.seller_id));
	u.product_id = p.id;
	if ((r = usage_take(tx, s, &u, &status)) != SOUK_OK || status == USAGE_TAKEN)
		return r;
	if (status == USAGE_NOT_SUBSCRIBED)
		return fail_field(f, "buyerId", "had no subscription to the product in that hour",
		    "create the subscription first, or correct the timestamp");
	return fail_conflict(f, "usage_exists", "quantity",
	    "differs, or its sharing out does, from what was told before for this buyer, "
	    "dimension and hour",
	    "leave the line out: what was told first stands");
}
