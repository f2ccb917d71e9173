/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers: form, what they lean on, who may see them.
 *
 * A private offer names its buyer: it is the seller's and the operator's to see.
 */
#include "market/offer.h"

#include "market/check.h"
#include "market/market_store.h"
#include "market/scope.h"

static const char *const visibilities[] = { "public", "private", NULL };
static const char *const states[] = { "active", "expired", NULL };
static const char *const programs[] = { OFFER_ENTERPRISE, OFFER_DEMONSTRATION, NULL };

enum {
	M_ID,
	M_SELLER,
	M_PRODUCT,
	M_NAME,
	M_VISIBILITY,
	M_BUYER,
	M_PROGRAM,
	M_RESELLER,
	M_STARTS,
	M_ENDS,
	M_STATE,
	M__COUNT
};

static void
check_buyer(struct check *c, const struct offer *o)
{
	bool private = str_eq_c(o->visibility, "private");

	if (private && o->buyer_id[0] == '\0')
		check_fail(c, "buyerId", "is missing in a private offer",
		    "add it, or make the offer public");
	if (!private && o->buyer_id[0] != '\0')
		check_fail(c, "buyerId", "stands in a public offer",
		    "remove it, or set visibility to private");
}

/* What was agreed on when subscriptions were made. */
static void
check_unchanged(struct check *c, const struct offer *o, const struct offer *base)
{
	check_fixed(c, "offerId", guid_eq(&o->id, &base->id));
	check_fixed(c, "sellerId", strcmp(o->seller_id, base->seller_id) == 0);
	check_fixed(c, "productId", guid_eq(&o->product_id, &base->product_id));
	check_fixed(c, "visibility", str_eq(o->visibility, base->visibility));
	check_fixed(c, "buyerId", strcmp(o->buyer_id, base->buyer_id) == 0);
	check_fixed(c, "program", str_eq(o->program, base->program));
	check_fixed(c, "resellerId", strcmp(o->reseller_id, base->reseller_id) == 0);
	check_fixed(c, "startsAt", o->starts_at == base->starts_at);
}

enum souk_err
offer_parse(const json_t *o, const struct offer *base, struct offer *ret, struct fail *f)
{
	bool new = base == NULL;
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "offerId", .kind = JSON_K_STR },
		[M_SELLER] = { .name = "sellerId", .kind = JSON_K_STR },
		[M_PRODUCT] = { .name = "productId", .kind = JSON_K_STR, .required = new },
		[M_NAME] = { .name = "name", .kind = JSON_K_STR, .required = new },
		[M_VISIBILITY] = { .name = "visibility", .kind = JSON_K_STR },
		[M_BUYER] = { .name = "buyerId", .kind = JSON_K_STR, .nullable = true },
		[M_PROGRAM] = { .name = "program", .kind = JSON_K_STR, .nullable = true },
		[M_RESELLER] = { .name = "resellerId", .kind = JSON_K_STR, .nullable = true },
		[M_STARTS] = { .name = "startsAt", .kind = JSON_K_STR },
		[M_ENDS] = { .name = "endsAt", .kind = JSON_K_STR, .nullable = true },
		[M_STATE] = { .name = "state", .kind = JSON_K_STR },
	};
	struct offer v = {
		.visibility = STR("public"), .state = STR("active"), .program = STR("")
	};
	struct check c = { .f = f };

	if (base)
		v = *base;
	c.err = json_take(o, m, M__COUNT, f);
	check_guid(&c, &m[M_ID], &v.id);
	check_account_id(&c, &m[M_SELLER], v.seller_id);
	check_guid(&c, &m[M_PRODUCT], &v.product_id);
	check_text(&c, &m[M_NAME], 1, 255, &v.name);
	check_word(&c, &m[M_VISIBILITY], visibilities, &v.visibility);
	check_account_id(&c, &m[M_BUYER], v.buyer_id);
	if (m[M_PROGRAM].got_null)
		v.program = STR("");
	check_word(&c, &m[M_PROGRAM], programs, &v.program);
	check_account_id(&c, &m[M_RESELLER], v.reseller_id);
	check_instant(&c, &m[M_STARTS], &v.starts_at);
	check_instant(&c, &m[M_ENDS], &v.ends_at);
	check_word(&c, &m[M_STATE], states, &v.state);
	check_period(&c, v.starts_at, v.ends_at);
	if (base)
		check_unchanged(&c, &v, base);
	else if (c.err == SOUK_OK)
		check_buyer(&c, &v);
	if (c.err == SOUK_OK)
		*ret = v;
	return c.err;
}

/* The facts that a new offer names must be there, and be that seller's. */
static enum souk_err
check_basis(struct db_tx *tx, struct offer *o, struct fail *f)
{
	struct offer_basis basis = { 0 };
	struct check c = { .f = f };
	enum souk_err r = offer_find_basis(tx, o, &basis);

	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	if (o->seller_id[0] == '\0')
		memcpy(o->seller_id, basis.seller_id, sizeof(o->seller_id));
	if (r == SOUK_E_NOT_FOUND || strcmp(o->seller_id, basis.seller_id) != 0) {
		check_fail(&c, "productId", "is no product of this seller",
		    "create the product first, or correct sellerId");
		return c.err;
	}
	if (o->buyer_id[0] != '\0' && !basis.is_buyer)
		check_fail(&c, "buyerId", "is no buyer's account",
		    "create the account first, with buyer true");
	if (o->reseller_id[0] != '\0' &&
	    (!basis.is_reseller || strcmp(o->reseller_id, o->seller_id) == 0))
		check_fail(&c, "resellerId", "is no other seller's account",
		    "create the account first, with seller true, or leave it out");
	if (c.err == SOUK_OK && basis.taken)
		return fail_conflict(f, "offer_exists", "offerId", "is an offer already",
		    "change that offer, or give another id");
	return c.err;
}

enum souk_err
offer_create(struct db_tx *tx, const struct tenant_scope *s, struct offer *o, struct fail *f)
{
	struct offer new = *o;
	struct check c = { .f = f };
	enum souk_err r;

	if ((r = scope_operator(s, f)) != SOUK_OK || (r = check_basis(tx, &new, f)) != SOUK_OK)
		return r;
	if (guid_is_zero(&new.id))
		new.id = guid_new();
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	if (new.starts_at == 0)
		new.starts_at = new.created_at;
	check_period(&c, new.starts_at, new.ends_at);
	if (c.err != SOUK_OK)
		return c.err;
	new.changed_at = new.created_at;
	new.revision = 1;
	if ((r = offer_insert(tx, &new)) == SOUK_OK)
		*o = new;
	return r;
}

enum souk_err
offer_change(struct db_tx *tx, const struct tenant_scope *s, struct offer *o, int64_t seen_revision,
    struct fail *f)
{
	struct offer old, new = *o;
	bool found = false;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	if ((r = offer_find(tx, &o->id, NULL, &old)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	if (seen_revision != 0 && seen_revision != old.revision)
		return fail_revision(f);
	memcpy(new.seller_id, old.seller_id, sizeof(new.seller_id));
	new.changed_at = db_now(tx);
	new.revision = old.revision + 1;
	if ((r = offer_update(tx, &new, old.revision, &found)) != SOUK_OK)
		return r;
	if (!found)
		return fail_revision(f);
	*o = new;
	return SOUK_OK;
}

enum souk_err
offer_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct arena *mem,
    struct offer *ret)
{
	struct offer o;
	enum souk_err r = offer_find(tx, id, mem, &o);

	if (r != SOUK_OK)
		return r;
	if (!scope_sells(s, str_c(o.seller_id)))
		return SOUK_E_NOT_FOUND;
	*ret = o;
	return SOUK_OK;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct offer o;

	offer_row(st, &o);
	offer_json(&o, out, NULL);
	memcpy(key, &o.id, sizeof(o.id));
	return sizeof(o.id);
}

enum souk_err
offer_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f)
{
	struct str of = seller_id;
	struct guid after;
	enum souk_err r;

	if ((r = page_begin_guid(p, &after, f)) != SOUK_OK)
		return r;
	if (of.n == 0 && tenant_is_operator(s))
		return page_rows(p, offer_rows_all(tx, &after, p->limit + 1), emit, mem, out);
	if (of.n == 0)
		of = tenant_account(s);
	if (scope_sells(s, of))
		return page_rows(p, offer_rows_of(tx, of, &after, p->limit + 1), emit, mem, out);
	p->next = STR("");
	return SOUK_OK;
}

void
offer_json(const struct offer *o, struct jw *out, const char *key)
{
	jw_open(out, key, '{');
	jw_guid(out, "offerId", &o->id);
	jw_c(out, "sellerId", o->seller_id);
	jw_guid(out, "productId", &o->product_id);
	jw_str(out, "name", o->name);
	jw_str(out, "visibility", o->visibility);
	jw_c(out, "buyerId", o->buyer_id[0] != '\0' ? o->buyer_id : NULL);
	json_text_opt(out, "program", o->program);
	jw_c(out, "resellerId", o->reseller_id[0] != '\0' ? o->reseller_id : NULL);
	jw_instant(out, "startsAt", o->starts_at);
	json_instant_opt(out, "endsAt", o->ends_at);
	jw_str(out, "state", o->state);
	jw_instant(out, "createdAt", o->created_at);
	jw_instant(out, "changedAt", o->changed_at);
	jw_int(out, "revision", o->revision);
	jw_close(out, '}');
}
