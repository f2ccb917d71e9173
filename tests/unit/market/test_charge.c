/* SPDX-License-Identifier: Apache-2.0 */
/* What is sold, on which terms and for what: dimensions, programs, resellers, trials, rates, fees. */
#include "market_test.h"

#include "market/dimension.h"
#include "market/fee.h"
#include "market/rate.h"
#include "market/usage.h"

#define OFFER_ID "33333333-3333-4333-8333-333333333333"

/* ---- dimensions and solutions of a product ---- */

static struct product
present(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID);
	struct product p;

	assert_int_equal(product_get(w->tx, &w->op, &id, w->mem, &p), SOUK_OK);
	return p;
}

/* A change of the product, and what is there then. */
static struct product
changed(struct world *w, const char *text)
{
	struct product old = present(w), p;

	assert_int_equal(
	    product_parse(world_json(w, text), &old, w->mem, &p, world_fail(w)), SOUK_OK);
	assert_int_equal(product_change(w->tx, &w->op, &p, old.revision, world_fail(w)), SOUK_OK);
	return present(w);
}

static void
bad_product(struct world *w, const char *text, const char *field)
{
	struct product old = present(w), p;

	assert_int_equal(
	    product_parse(world_json(w, text), &old, w->mem, &p, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, field);
}

static bool
metered(const struct product *p, const char *key)
{
	return dimension_metered(p->dimensions, str_c(key));
}

static void
products_list_their_dimensions(struct world *w)
{
	struct product p = present(w);
	char key[DIMENSION_KEY_MAX + 1];

	assert_int_equal(p.dimensions.n, 0);
	assert_true(metered(&p, "whatever it is"));
	p = changed(w, "{'dimensions':['users',{'key':'gb','unit':'GB','name':'Said \\'gb\\'',"
		       "'description':'Of storage'},{'key':'seats','type':'entitled'}]}");
	assert_true(metered(&p, "users") && metered(&p, "gb"));
	assert_false(metered(&p, "seats") || metered(&p, "user") || metered(&p, "Users"));
	assert_false(metered(&p, ""));
	assert_false(
	    metered(&p, "users\",\"type\":\"metered\",\"name\":\"users\",\"description\":\"\","
			"\"unit\":\"Units\"},{\"key\":\"gb"));
	assert_true(dimension_listed(p.dimensions, STR("seats")));
	assert_false(dimension_listed(p.dimensions, STR("metered")));
	p = changed(w, "{'title':'Same'}");
	assert_true(metered(&p, "users") && !metered(&p, "seats"));
	memset(key, 'k', DIMENSION_KEY_MAX);
	key[DIMENSION_KEY_MAX] = '\0';
	p = changed(w, arena_printf(w->mem, "{'dimensions':['%s']}", key));
	assert_true(metered(&p, key));
	assert_true(metered(&p, "users") == false);
	p = changed(w, "{'dimensions':null,'solutionId':'sol-1','solutionTitle':'All of it'}");
	assert_true(metered(&p, "users"));
	assert_true(str_eq_c(p.solution_id, "sol-1") && str_eq_c(p.solution_title, "All of it"));
	p = changed(w, "{'solutionId':null,'solutionTitle':null}");
	assert_int_equal(p.solution_id.n + p.solution_title.n, 0);
}
WORLD_TEST(products_list_their_dimensions)

static void
bad_dimensions(struct world *w)
{
	struct buf many = { 0 };

	bad_product(w, "{'dimensions':['a','b','a']}", "dimensions");
	bad_product(w, "{'dimensions':['a',{'key':'a','type':'entitled'}]}", "dimensions");
	bad_product(w, "{'dimensions':['']}", "dimensions");
	bad_product(w, "{'dimensions':['a b']}", "dimensions");
	bad_product(w, "{'dimensions':['a\\\\b']}", "dimensions");
	bad_product(w, "{'dimensions':['a\\'b']}", "dimensions");
	bad_product(w, "{'dimensions':['\u00fc']}", "dimensions");
	bad_product(w, "{'dimensions':[{'name':'x'}]}", "key");
	bad_product(w, "{'dimensions':[{'key':'a','type':'free'}]}", "type");
	bad_product(w, "{'dimensions':[{'key':'a','unit':''}]}", "unit");
	bad_product(w, "{'dimensions':[{'key':'a','colour':'red'}]}", "colour");
	bad_product(
	    w, arena_printf(w->mem, "{'dimensions':['%s']}", letters(w, 256)), "dimensions");
	for (int i = 0; i < DIMENSIONS_MAX + 1; i++)
		buf_printf(&many, "%s'd%d'", i > 0 ? "," : "{'dimensions':[", i);
	buf_add_c(&many, "]}");
	assert_true(buf_ok(&many));
	bad_product(w, many.p, "dimensions");
	buf_done(&many);
	bad_product(w, "{'solutionId':'sol-1'}", "solutionTitle");
	bad_product(w, "{'solutionTitle':'All'}", "solutionId");
}
WORLD_TEST(bad_dimensions)

static void
usage_is_told_in_listed_ones(struct world *w)
{
	json_t *o = world_json(w, "{'productCode':'" CODE "','buyerId':'" BUYER "',"
				  "'dimension':'disks','timestamp':'2026-01-05T05:00:00Z',"
				  "'quantity':5}");

	(void)world_subscription(w, "{'productId':'" PRODUCT_ID "','buyerId':'" BUYER "',"
				    "'kind':'hourly','startsAt':'2025-01-01T00:00:00Z'}");
	(void)changed(w, "{'dimensions':['users']}");
	assert_int_equal(usage_import(w->tx, &w->op, o, w->mem, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "dimension");
	(void)changed(w, "{'dimensions':['users','disks']}");
	assert_int_equal(usage_import(w->tx, &w->op, o, w->mem, world_fail(w)), SOUK_OK);
}
WORLD_TEST(usage_is_told_in_listed_ones)

/* ---- offers and subscriptions ---- */

static void
bad_offer(struct world *w, const char *more, const char *field)
{
	json_t *o = world_json(w, "{'productId':'" PRODUCT_ID "','name':'Terms'}");
	struct offer offer;
	enum souk_err r;

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	if ((r = offer_parse(o, NULL, &offer, world_fail(w))) == SOUK_OK)
		r = offer_create(w->tx, &w->op, &offer, world_fail(w));
	assert_int_equal(r, SOUK_E_INVALID);
	assert_field(w, field);
}

static void
offers_have_programs_and_resellers(struct world *w)
{
	struct offer made =
	    world_offer(w, "{'productId':'" PRODUCT_ID "','name':'Terms','resellerId':'" SELLER_B
			   "','program':'EnterpriseContract'}");
	struct offer o, other;

	assert_int_equal(offer_get(w->tx, &w->seller, &made.id, w->mem, &o), SOUK_OK);
	assert_string_equal(o.reseller_id, SELLER_B);
	assert_true(str_eq_c(o.program, "EnterpriseContract"));
	assert_int_equal(offer_get(w->tx, &w->seller_b, &made.id, w->mem, &o), SOUK_E_NOT_FOUND);
	assert_int_equal(offer_parse(world_json(w, "{'program':'FieldDemonstration'}"), &made,
			     &other, world_fail(w)),
	    SOUK_E_INVALID);
	assert_field(w, "program");
	assert_int_equal(
	    offer_parse(world_json(w, "{'resellerId':null}"), &made, &other, world_fail(w)),
	    SOUK_E_INVALID);
	assert_field(w, "resellerId");
	bad_offer(w, "{'program':'fielddemonstration'}", "program");
	bad_offer(w, "{'resellerId':'" SELLER "'}", "resellerId");
	bad_offer(w, "{'resellerId':'" BUYER "'}", "resellerId");
	bad_offer(w, "{'resellerId':'" NOBODY "'}", "resellerId");
}
WORLD_TEST(offers_have_programs_and_resellers)

static enum souk_err
try_trial(struct world *w, const char *trial, const char *ends)
{
	struct subscription s;
	enum souk_err r =
	    subscription_parse(world_json(w, arena_printf(w->mem,
						 "{'productId':'" PRODUCT_ID "','buyerId':'" BUYER
						 "','kind':'annual','trialEndsAt':'%s',"
						 "'startsAt':'2026-01-01T00:00:00Z'%s}",
						 trial, ends)),
		NULL, &s, world_fail(w));

	return r == SOUK_OK ? subscription_create(w->tx, &w->op, &s, world_fail(w)) : r;
}

static void
trials_are_of_some_days(struct world *w)
{
	assert_int_equal(try_trial(w, "2026-01-05T23:59:59Z", ""), SOUK_E_INVALID);
	assert_field(w, "trialEndsAt");
	assert_int_equal(try_trial(w, "2026-01-06T00:00:00Z", ""), SOUK_OK);
	assert_int_equal(try_trial(w, "2026-02-01T00:00:00Z", ""), SOUK_OK);
	assert_int_equal(try_trial(w, "2026-02-01T00:00:01Z", ""), SOUK_E_INVALID);
	assert_int_equal(try_trial(w, "2026-01-15T00:00:00Z", ",'endsAt':'2026-01-15T00:00:00Z'"),
	    SOUK_E_INVALID);
	assert_int_equal(
	    try_trial(w, "2026-01-15T00:00:00Z", ",'endsAt':'2026-01-15T00:00:01Z'"), SOUK_OK);
}
WORLD_TEST(trials_are_of_some_days)

/* ---- rates ---- */

static enum souk_err
rate(struct world *w, const struct tenant_scope *s, const char *more, struct rate *ret)
{
	json_t *o = world_json(
	    w, "{'offerId':'" OFFER_ID "','dimension':'users','price':'0.125','currency':'USD'}");
	enum souk_err r;

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	r = rate_parse(o, NULL, ret, world_fail(w));
	return r == SOUK_OK ? rate_create(w->tx, s, ret, w->mem, world_fail(w)) : r;
}

static void
bad_rate(struct world *w, const char *more, const char *field)
{
	struct rate v;

	assert_int_equal(rate(w, &w->op, more, &v), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
make_offer(struct world *w)
{
	(void)world_offer(
	    w, "{'offerId':'" OFFER_ID "','productId':'" PRODUCT_ID "','name':'Terms'}");
}

static void
rates_never_change(struct world *w)
{
	struct guid offer = world_guid(OFFER_ID);
	struct page p = { .limit = 1 };
	struct rate a, b;
	struct jw out;

	make_offer(w);
	assert_int_equal(rate(w, &w->op, "{'startsAt':'2026-01-01T00:00:00Z'}", &a), SOUK_OK);
	assert_int_equal(rate(w, &w->op, "{'startsAt':'2026-01-01T00:00:00Z','price':'9'}", &b),
	    SOUK_E_CONFLICT);
	assert_code(w, "rate_exists");
	assert_int_equal(rate(w, &w->op, "{}", &b), SOUK_OK);
	assert_int_equal(b.starts_at, usage_hour(db_now(w->tx)));
	assert_int_equal(rate_get(w->tx, &w->seller, &offer, &a.id, w->mem, &b), SOUK_OK);
	assert_true(b.price == MONEY_ONE / 8 && strcmp(b.currency, "USD") == 0);
	assert_true(str_eq_c(b.dimension, "users"));
	assert_int_equal(
	    rate_get(w->tx, &w->seller_b, &offer, &a.id, w->mem, &b), SOUK_E_NOT_FOUND);
	assert_int_equal(rate_get(w->tx, &w->buyer, &offer, &a.id, w->mem, &b), SOUK_E_NOT_FOUND);
	out = world_list_begin(w);
	assert_int_equal(
	    rate_list(w->tx, &w->seller, &offer, &p, w->mem, &out, world_fail(w)), SOUK_OK);
	assert_int_equal(world_list_end(w, &out), 1);
	assert_true(p.next.n > 0);
	p.cursor = p.next;
	out = world_list_begin(w);
	assert_int_equal(
	    rate_list(w->tx, &w->op, &offer, &p, w->mem, &out, world_fail(w)), SOUK_OK);
	assert_int_equal(world_list_end(w, &out), 1);
	assert_int_equal(p.next.n, 0);
	assert_int_equal(rate_list(w->tx, &w->seller_b, &offer, &p, w->mem, &out, world_fail(w)),
	    SOUK_E_NOT_FOUND);
}
WORLD_TEST(rates_never_change)

static void
bad_rates(struct world *w)
{
	struct rate v;

	make_offer(w);
	bad_rate(w, "{'offerId':'44444444-4444-4444-8444-444444444444'}", "offerId");
	bad_rate(w, "{'price':'-0.01'}", "price");
	bad_rate(w, "{'price':'1000000.0000000001'}", "price");
	bad_rate(w, "{'price':'1e3'}", "price");
	bad_rate(w, "{'price':'0.00000000001'}", "price");
	bad_rate(w, "{'price':1}", "price");
	bad_rate(w, "{'currency':'usd'}", "currency");
	bad_rate(w, "{'currency':'ZZZ'}", "currency");
	bad_rate(w, "{'dimension':''}", "dimension");
	bad_rate(w, "{'colour':'red'}", "colour");
	assert_int_equal(rate(w, &w->seller, "{}", &v), SOUK_E_DENIED);
	(void)changed(w, "{'dimensions':['disks',{'key':'seats','type':'entitled'}]}");
	bad_rate(w, "{}", "dimension");
	assert_int_equal(rate(w, &w->op, "{'dimension':'seats','price':'0'}", &v), SOUK_OK);
	assert_int_equal(
	    rate(w, &w->op, "{'dimension':'disks','price':'1000000','currency':'JPY'}", &v),
	    SOUK_OK);
}
WORLD_TEST(bad_rates)

/* ---- fees ---- */

static enum souk_err
fee(struct world *w, const struct tenant_scope *s, const char *more, struct fee *ret)
{
	json_t *o =
	    world_json(w, "{'subscriptionId':'" SUB_ID "','kind':'monthly','amount':'12.50',"
			  "'currency':'EUR'}");
	enum souk_err r;

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	r = fee_parse(o, NULL, ret, world_fail(w));
	return r == SOUK_OK ? fee_create(w->tx, s, ret, w->mem, world_fail(w)) : r;
}

static void
bad_fee(struct world *w, const char *more, const char *field)
{
	struct fee v;

	assert_int_equal(fee(w, &w->op, more, &v), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
fees_are_told_once(struct world *w)
{
	struct guid sub = world_guid(SUB_ID);
	struct page p = { .limit = 10 };
	struct fee a, b;
	struct jw out;

	assert_int_equal(fee(w, &w->op, "{'feeId':'" OFFER_ID "'}", &a), SOUK_OK);
	assert_true(str_eq_c(a.description, "Monthly fee") && a.posted_at == db_now(w->tx));
	assert_int_equal(
	    fee(w, &w->op, "{'feeId':'" OFFER_ID "','amount':'1'}", &b), SOUK_E_CONFLICT);
	assert_code(w, "fee_exists");
	assert_int_equal(fee(w, &w->op,
			     "{'kind':'refund','amount':'-2.5','periodStart':'2026-01-01',"
			     "'periodEnd':'2026-01-01','quantity':3,'dimension':'seats',"
			     "'description':'Half of it','postedAt':'2026-01-05T00:00:00Z'}",
			     &b),
	    SOUK_OK);
	assert_int_equal(fee_get(w->tx, &w->buyer, &sub, &b.id, w->mem, &a), SOUK_OK);
	assert_true(a.amount == -5 * MONEY_ONE / 2 && a.quantity == 3);
	assert_true(str_eq_c(a.dimension, "seats") && str_eq_c(a.description, "Half of it"));
	assert_int_equal(fee_get(w->tx, &w->buyer_b, &sub, &b.id, w->mem, &a), SOUK_E_NOT_FOUND);
	assert_int_equal(fee_get(w->tx, &w->seller_b, &sub, &b.id, w->mem, &a), SOUK_E_NOT_FOUND);
	out = world_list_begin(w);
	assert_int_equal(
	    fee_list(w->tx, &w->seller, &sub, &p, w->mem, &out, world_fail(w)), SOUK_OK);
	assert_int_equal(world_list_end(w, &out), 2);
	assert_out(w, "\"amount\":\"-2.50\"", true);
	assert_int_equal(
	    fee_list(w->tx, &w->seller_b, &sub, &p, w->mem, &out, world_fail(w)), SOUK_E_NOT_FOUND);
}
WORLD_TEST(fees_are_told_once)

static void
bad_fees(struct world *w)
{
	struct fee v;

	bad_fee(w, "{'subscriptionId':'44444444-4444-4444-8444-444444444444'}", "subscriptionId");
	bad_fee(w, "{'kind':'gift'}", "kind");
	bad_fee(w, "{'amount':'-0.01'}", "amount");
	bad_fee(w, "{'kind':'refund'}", "amount");
	bad_fee(w, "{'kind':'refund','amount':'0'}", "amount");
	bad_fee(w, "{'quantity':-1}", "quantity");
	bad_fee(w, "{'quantity':1000000001}", "quantity");
	bad_fee(w, "{'periodStart':'2026-01-01T00:00:00Z'}", "periodEnd");
	bad_fee(w, "{'periodEnd':'2026-01-01T00:00:00Z'}", "periodStart");
	bad_fee(w, "{'periodStart':'2026-01-02','periodEnd':'2026-01-01'}", "periodEnd");
	bad_fee(w, "{'postedAt':'2199-01-01T00:00:00Z'}", "postedAt");
	bad_fee(w, "{'description':''}", "description");
	assert_int_equal(fee(w, &w->seller, "{}", &v), SOUK_E_DENIED);
	(void)changed(w, "{'dimensions':['disks']}");
	bad_fee(w, "{'dimension':'seats'}", "dimension");
	assert_int_equal(fee(w, &w->op, "{'dimension':null,'amount':'0'}", &v), SOUK_OK);
}
WORLD_TEST(bad_fees)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(products_list_their_dimensions),
		UNIT(bad_dimensions),
		UNIT(usage_is_told_in_listed_ones),
		UNIT(offers_have_programs_and_resellers),
		UNIT(trials_are_of_some_days),
		UNIT(rates_never_change),
		UNIT(bad_rates),
		UNIT(fees_are_told_once),
		UNIT(bad_fees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
