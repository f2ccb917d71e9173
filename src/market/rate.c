/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates: form, what they lean on, who may see them.
 *
 * A private offer's prices are between its seller and its buyer: they are seen with the offer.
 */
#include "market/rate.h"

#include "base/currency.h"
#include "market/charge_store.h"
#include "market/dimension.h"
#include "market/market.h"
#include "market/market_store.h"
#include "market/scope.h"
#include "market/usage.h"

enum { M_ID, M_DIMENSION, M_PRICE, M_CURRENCY, M_STARTS, M_OFFER, M__COUNT };

enum souk_err
rate_parse(const json_t *o, const struct guid *offer, struct rate *ret, struct fail *f)
{
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "rateId", .kind = JSON_K_STR },
		[M_DIMENSION] = { .name = "dimension", .kind = JSON_K_STR, .required = true },
		[M_PRICE] = { .name = "price", .kind = JSON_K_STR, .required = true },
		[M_CURRENCY] = { .name = "currency", .kind = JSON_K_STR, .required = true },
		[M_STARTS] = { .name = "startsAt", .kind = JSON_K_STR },
		[M_OFFER] = { .name = "offerId", .kind = JSON_K_STR, .required = true },
	};
	struct rate v = { .dimension = STR("") };
	struct check c = { .f = f };

	if ((c.err = currency_load(f)) != SOUK_OK)
		return c.err;
	/* What the path says is no member of the body. */
	c.err = json_take(o, m, offer ? M_OFFER : M__COUNT, f);
	check_guid(&c, &m[M_ID], &v.id);
	check_text(&c, &m[M_DIMENSION], 1, USAGE_DIMENSION_MAX, &v.dimension);
	check_money(&c, &m[M_PRICE], &v.price);
	check_currency(&c, &m[M_CURRENCY], v.currency);
	check_instant(&c, &m[M_STARTS], &v.starts_at);
	check_guid(&c, &m[M_OFFER], &v.offer_id);
	if (v.price < 0 || v.price > RATE_PRICE_MAX)
		check_fail(&c, "price", "is out of range", "give 0 to 1000000");
	if (offer)
		v.offer_id = *offer;
	if (c.err == SOUK_OK)
		*ret = v;
	return c.err;
}

static enum souk_err
check_listed(struct db_tx *tx, const struct offer *o, struct str dimension, struct arena *mem,
    struct fail *f)
{
	struct product p;
	enum souk_err r = product_find(tx, &o->product_id, mem, &p);

	if (r != SOUK_OK || dimension_listed(p.dimensions, dimension))
		return r;
	return fail_field(f, "dimension", "is none that the product lists",
	    "give one of the product's dimensions, or add it to them first");
}

enum souk_err
rate_create(struct db_tx *tx, const struct tenant_scope *s, struct rate *io, struct arena *mem,
    struct fail *f)
{
	struct rate new = *io;
	struct offer offer;
	bool is_new = false;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	r = offer_find(tx, &new.offer_id, NULL, &offer);
	if (r == SOUK_E_NOT_FOUND)
		return fail_field(f, "offerId", "is no offer", "create the offer first");
	if (r != SOUK_OK || (r = check_listed(tx, &offer, new.dimension, mem, f)) != SOUK_OK)
		return r;
	memcpy(new.seller_id, offer.seller_id, sizeof(new.seller_id));
	if (guid_is_zero(&new.id))
		new.id = guid_new();
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	if (new.starts_at == 0)
		new.starts_at = usage_hour(new.created_at);
	if ((r = rate_put(tx, &new, &is_new)) != SOUK_OK)
		return r;
	if (!is_new)
		return fail_conflict(f, "rate_exists", "startsAt",
		    "is when another rate of this offer and dimension begins",
		    "give a later time: a rate never changes");
	*io = new;
	return SOUK_OK;
}

/* Whose rates they are; SOUK_E_NOT_FOUND to who may not see the offer. */
static enum souk_err
find_offer(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *offer, struct rate *ret)
{
	struct offer o;
	enum souk_err r = offer_find(tx, offer, NULL, &o);

	if (r == SOUK_OK && !scope_sells(s, str_c(o.seller_id)))
		r = SOUK_E_NOT_FOUND;
	if (r != SOUK_OK)
		return r;
	*ret = (struct rate){ .offer_id = *offer };
	memcpy(ret->seller_id, o.seller_id, sizeof(ret->seller_id));
	return SOUK_OK;
}

enum souk_err
rate_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *offer,
    const struct guid *id, struct arena *mem, struct rate *ret)
{
	struct rate v;
	enum souk_err r = find_offer(tx, s, offer, &v);

	v.id = *id;
	if (r == SOUK_OK && (r = rate_find(tx, mem, &v)) == SOUK_OK)
		*ret = v;
	return r;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct rate v;

	rate_row(st, &v);
	rate_json(&v, out, NULL);
	memcpy(key, &v.id, sizeof(v.id));
	return sizeof(v.id);
}

enum souk_err
rate_list(struct db_tx *tx, const struct tenant_scope *s, const struct guid *offer, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f)
{
	struct guid after;
	struct rate of;
	enum souk_err r;

	if ((r = page_begin_guid(p, &after, f)) != SOUK_OK ||
	    (r = find_offer(tx, s, offer, &of)) != SOUK_OK)
		return r;
	return page_rows(p, rate_rows(tx, &of, &after, p->limit + 1), emit, mem, out);
}

void
rate_json(const struct rate *v, struct jw *out, const char *key)
{
	char price[MONEY_TEXT_SIZE];

	jw_open(out, key, '{');
	jw_guid(out, "rateId", &v->id);
	jw_guid(out, "offerId", &v->offer_id);
	jw_str(out, "dimension", v->dimension);
	jw_str(out, "price", (struct str){ price, money_format_exact(v->price, 2, price) });
	jw_c(out, "currency", v->currency);
	jw_instant(out, "startsAt", v->starts_at);
	jw_instant(out, "createdAt", v->created_at);
	jw_close(out, '}');
}
