/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST: accounts, products, offers, subscriptions. The market layer says who may see and
 * change what; here is only how that looks over HTTP.
 *
 * A PATCH is parsed inside the transaction, over the values that it changes.
 */
#include "server/rest.h"

#include "market/market.h"
#include "psc/contact.h"

/* ---- accounts -------------------------------------------------------------------------- */

static enum souk_err
accounts_list(struct call *c, struct db_tx *tx)
{
	struct page p;
	struct jw w;
	enum souk_err r = call_page(c, &p);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = account_list(tx, c->scope, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
account_answer(struct call *c, const struct account *a)
{
	struct jw w;

	jw_init(&w, &c->out);
	account_json(a, &w, NULL);
	call_etag(c, a->revision);
}

static enum souk_err
account_read_new(struct call *c)
{
	struct account *a = ARENA_NEW(c->arena, struct account);
	enum souk_err r = rest_need_body(c);

	if (r != SOUK_OK)
		return r;
	if (!a)
		return SOUK_E_LIMIT;
	c->input = a;
	return account_parse(c->body, NULL, c->arena, a, &c->fail);
}

static enum souk_err
account_add(struct call *c, struct db_tx *tx)
{
	struct account a = *(const struct account *)c->input;
	enum souk_err r = account_create(tx, c->scope, &a, &c->fail);

	if (r != SOUK_OK)
		return r;
	account_answer(c, &a);
	rest_created(c, "/api/v1/accounts/", str_c(a.id));
	rest_audit(c, "account", str_c(a.id), STR(""));
	return SOUK_OK;
}

static enum souk_err
account_show(struct call *c, struct db_tx *tx)
{
	struct account a;
	enum souk_err r = account_get(tx, c->scope, c->params[0], c->arena, &a);

	if (r == SOUK_OK)
		account_answer(c, &a);
	return r;
}

static enum souk_err
account_patch(struct call *c, struct db_tx *tx)
{
	struct account old, a;
	int64_t seen;
	enum souk_err r;

	if ((r = account_get(tx, c->scope, c->params[0], c->arena, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = account_parse(c->body, &old, c->arena, &a, &c->fail)) != SOUK_OK ||
	    (r = account_change(tx, c->scope, &a, seen, &c->fail)) != SOUK_OK ||
	    (r = access_changed(tx, c->svc->access)) != SOUK_OK)
		return r;
	account_answer(c, &a);
	rest_audit(c, "account", str_c(a.id), STR(""));
	return SOUK_OK;
}

/* ---- products -------------------------------------------------------------------------- */

static enum souk_err
products_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK ||
	    (r = rest_query_account(c, "sellerId", &seller)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = product_list(tx, c->scope, seller, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
product_answer(struct call *c, const struct product *p)
{
	struct jw w;

	jw_init(&w, &c->out);
	product_json(p, &w, NULL);
	call_etag(c, p->revision);
}

static enum souk_err
product_read_new(struct call *c)
{
	struct product *p = ARENA_NEW(c->arena, struct product);
	enum souk_err r = rest_need_body(c);

	if (r != SOUK_OK)
		return r;
	if (!p)
		return SOUK_E_LIMIT;
	c->input = p;
	return product_parse(c->body, NULL, c->arena, p, &c->fail);
}

static enum souk_err
product_add(struct call *c, struct db_tx *tx)
{
	struct product p = *(const struct product *)c->input;
	enum souk_err r = product_create(tx, c->scope, &p, &c->fail);

	if (r != SOUK_OK)
		return r;
	product_answer(c, &p);
	rest_created_guid(c, "/api/v1/products/", &p.id);
	rest_audit_guid(c, "product", &p.id, arena_str(c->arena, str_c(p.seller_id)));
	return SOUK_OK;
}

static enum souk_err
product_show(struct call *c, struct db_tx *tx)
{
	struct product p;
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	if (r == SOUK_OK && (r = product_get(tx, c->scope, &id, c->arena, &p)) == SOUK_OK)
		product_answer(c, &p);
	return r;
}

static enum souk_err
product_patch(struct call *c, struct db_tx *tx)
{
	struct product old, p;
	struct guid id;
	int64_t seen;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = product_get(tx, c->scope, &id, c->arena, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = product_parse(c->body, &old, c->arena, &p, &c->fail)) != SOUK_OK ||
	    (r = product_change(tx, c->scope, &p, seen, &c->fail)) != SOUK_OK)
		return r;
	product_answer(c, &p);
	rest_audit_guid(c, "product", &p.id, arena_str(c->arena, str_c(p.seller_id)));
	return SOUK_OK;
}

/* ---- offers ---------------------------------------------------------------------------- */

static enum souk_err
offers_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK ||
	    (r = rest_query_account(c, "sellerId", &seller)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = offer_list(tx, c->scope, seller, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
offer_answer(struct call *c, const struct offer *o)
{
	struct jw w;

	jw_init(&w, &c->out);
	offer_json(o, &w, NULL);
	call_etag(c, o->revision);
}

static enum souk_err
offer_read_new(struct call *c)
{
	struct offer *o = ARENA_NEW(c->arena, struct offer);
	enum souk_err r = rest_need_body(c);

	if (r != SOUK_OK)
		return r;
	if (!o)
		return SOUK_E_LIMIT;
	c->input = o;
	return offer_parse(c->body, NULL, o, &c->fail);
}

static enum souk_err
offer_add(struct call *c, struct db_tx *tx)
{
	struct offer o = *(const struct offer *)c->input;
	enum souk_err r = offer_create(tx, c->scope, &o, &c->fail);

	if (r != SOUK_OK)
		return r;
	offer_answer(c, &o);
	rest_created_guid(c, "/api/v1/offers/", &o.id);
	rest_audit_guid(c, "offer", &o.id, arena_str(c->arena, str_c(o.seller_id)));
	return SOUK_OK;
}

static enum souk_err
offer_show(struct call *c, struct db_tx *tx)
{
	struct offer o;
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	if (r == SOUK_OK && (r = offer_get(tx, c->scope, &id, c->arena, &o)) == SOUK_OK)
		offer_answer(c, &o);
	return r;
}

static enum souk_err
offer_patch(struct call *c, struct db_tx *tx)
{
	struct offer old, o;
	struct guid id;
	int64_t seen;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = offer_get(tx, c->scope, &id, c->arena, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = offer_parse(c->body, &old, &o, &c->fail)) != SOUK_OK ||
	    (r = offer_change(tx, c->scope, &o, seen, &c->fail)) != SOUK_OK)
		return r;
	offer_answer(c, &o);
	rest_audit_guid(c, "offer", &o.id, arena_str(c->arena, str_c(o.seller_id)));
	return SOUK_OK;
}

/* ---- subscriptions --------------------------------------------------------------------- */

static enum souk_err
read_state(struct call *c, int *ret_active)
{
	struct str state = call_query(c, "state");

	if (!state.p)
		*ret_active = -1;
	else if (str_eq(state, STR("active")) || str_eq(state, STR("ended")))
		*ret_active = state.n == sizeof("active") - 1;
	else
		return fail_field(&c->fail, "state", "is not a state", "give active or ended");
	return SOUK_OK;
}

static enum souk_err
read_product(struct call *c, struct guid *mem, const struct guid **ret)
{
	struct str product = call_query(c, "productId");

	if (product.p && !guid_parse(product, mem))
		return fail_field(
		    &c->fail, "productId", "is not a GUID", "give a product's id, 36 characters");
	*ret = product.p ? mem : NULL;
	return SOUK_OK;
}

static enum souk_err
subscriptions_list(struct call *c, struct db_tx *tx)
{
	struct subscription_filter q;
	struct guid product;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK ||
	    (r = rest_query_account(c, "sellerId", &q.seller_id)) != SOUK_OK ||
	    (r = rest_query_account(c, "buyerId", &q.buyer_id)) != SOUK_OK ||
	    (r = read_product(c, &product, &q.product_id)) != SOUK_OK ||
	    (r = read_state(c, &q.active)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = subscription_list(tx, c->scope, &q, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
subscription_answer(struct call *c, const struct subscription *s)
{
	struct jw w;

	jw_init(&w, &c->out);
	subscription_json(s, &w, NULL);
	call_etag(c, s->revision);
}

static enum souk_err
subscription_read_new(struct call *c)
{
	struct subscription *s = ARENA_NEW(c->arena, struct subscription);
	enum souk_err r = rest_need_body(c);

	if (r != SOUK_OK)
		return r;
	if (!s)
		return SOUK_E_LIMIT;
	c->input = s;
	return subscription_parse(c->body, NULL, s, &c->fail);
}

static enum souk_err
subscription_add(struct call *c, struct db_tx *tx)
{
	struct subscription s = *(const struct subscription *)c->input;
	enum souk_err r = subscription_create(tx, c->scope, &s, &c->fail);

	if (r != SOUK_OK)
		return r;
	subscription_answer(c, &s);
	rest_created_guid(c, "/api/v1/subscriptions/", &s.id);
	rest_audit_guid(c, "subscription", &s.id, arena_str(c->arena, str_c(s.seller_id)));
	return SOUK_OK;
}

static enum souk_err
subscription_show(struct call *c, struct db_tx *tx)
{
	struct subscription s;
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	if (r == SOUK_OK && (r = subscription_get(tx, c->scope, &id, c->arena, &s)) == SOUK_OK)
		subscription_answer(c, &s);
	return r;
}

static enum souk_err
subscription_patch(struct call *c, struct db_tx *tx)
{
	struct subscription old, s;
	struct guid id;
	int64_t seen;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = subscription_get(tx, c->scope, &id, c->arena, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = subscription_parse(c->body, &old, &s, &c->fail)) != SOUK_OK ||
	    (r = subscription_change(tx, c->scope, &s, seen, &c->fail)) != SOUK_OK)
		return r;
	subscription_answer(c, &s);
	rest_audit_guid(c, "subscription", &s.id, arena_str(c->arena, str_c(s.seller_id)));
	return SOUK_OK;
}

static enum souk_err
subscription_end(struct call *c, struct db_tx *tx)
{
	struct subscription s;
	struct guid id;
	int64_t deleted;
	enum souk_err r;

	/* Before anything is looked up: the answer tells nobody what exists. */
	if (!tenant_is_operator(c->scope))
		return fail_set(&c->fail, SOUK_E_DENIED, "operator_only",
		    "Only the operator may end a subscription.");
	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = psc_end_subscription(
		 tx, c->svc->vault, c->scope, &id, 0, &s, &deleted, c->arena, &c->fail)) != SOUK_OK)
		return r;
	subscription_answer(c, &s);
	return SOUK_OK;
}

#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
static const struct op ops[] = {
	{ "GET", "/api/v1/accounts", "market:ReadAccounts", 0, READ, NULL, accounts_list },
	{ "POST", "/api/v1/accounts", "market:CreateAccount", REST_BODY, MAKE, account_read_new,
	    account_add },
	{ "GET", "/api/v1/accounts/{accountId}", "market:ReadAccounts", 0, READ, NULL,
	    account_show },
	{ "PATCH", "/api/v1/accounts/{accountId}", "market:ChangeAccount", REST_BODY, OP_WRITE,
	    rest_need_body, account_patch },
	{ "GET", "/api/v1/products", "market:ReadProducts", 0, READ, NULL, products_list },
	{ "POST", "/api/v1/products", "market:CreateProduct", REST_BODY, MAKE, product_read_new,
	    product_add },
	{ "GET", "/api/v1/products/{productId}", "market:ReadProducts", 0, READ, NULL,
	    product_show },
	{ "PATCH", "/api/v1/products/{productId}", "market:ChangeProduct", REST_BODY, OP_WRITE,
	    rest_need_body, product_patch },
	{ "GET", "/api/v1/offers", "market:ReadOffers", 0, READ, NULL, offers_list },
	{ "POST", "/api/v1/offers", "market:CreateOffer", REST_BODY, MAKE, offer_read_new,
	    offer_add },
	{ "GET", "/api/v1/offers/{offerId}", "market:ReadOffers", 0, READ, NULL, offer_show },
	{ "PATCH", "/api/v1/offers/{offerId}", "market:ChangeOffer", REST_BODY, OP_WRITE,
	    rest_need_body, offer_patch },
	{ "GET", "/api/v1/subscriptions", "market:ReadSubscriptions", 0, READ, NULL,
	    subscriptions_list },
	{ "POST", "/api/v1/subscriptions", "market:CreateSubscription", REST_BODY, MAKE,
	    subscription_read_new, subscription_add },
	{ "GET", "/api/v1/subscriptions/{subscriptionId}", "market:ReadSubscriptions", 0, READ,
	    NULL, subscription_show },
	{ "PATCH", "/api/v1/subscriptions/{subscriptionId}", "market:ChangeSubscription", REST_BODY,
	    OP_WRITE, rest_need_body, subscription_patch },
	{ "POST", "/api/v1/subscriptions/{subscriptionId}/end", "psc:EndSubscription", REST_BODY,
	    OP_WRITE, rest_no_members, subscription_end },
};
const struct rest_table rest_market = { ops, sizeof(ops) / sizeof(ops[0]) };
