/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: form, product and buyer they lean on, what cannot change, who sees them. */
#include "market_test.h"

static enum souk_err
parse(struct world *w, const char *text, const struct offer *base, struct offer *ret)
{
	return offer_parse(world_json(w, text), base, ret, world_fail(w));
}

static enum souk_err
create(struct world *w, const char *text)
{
	struct offer o;

	assert_int_equal(parse(w, text, NULL, &o), SOUK_OK);
	return offer_create(w->tx, &w->op, &o, world_fail(w));
}

static void
form(struct world *w)
{
	struct offer o;

	assert_int_equal(
	    parse(w,
		"{'offerId':'x','sellerId':'x','productId':'x','name':'','visibility':'x',"
		"'buyerId':'x','startsAt':'x','endsAt':'x','state':'x','shoe':1}",
		NULL, &o),
	    SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 10);
	assert_int_equal(parse(w, "{}", NULL, &o), SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 2);
	assert_field(w, "productId");
	assert_field(w, "name");
	assert_int_equal(
	    parse(w,
		arena_printf(w->mem, "{'productId':'" PRODUCT_ID "','name':'%s'}", letters(w, 255)),
		NULL, &o),
	    SOUK_OK);
	assert_true(str_eq_c(o.visibility, "public") && str_eq_c(o.state, "active"));
	assert_int_equal(
	    parse(w,
		arena_printf(w->mem, "{'productId':'" PRODUCT_ID "','name':'%s'}", letters(w, 256)),
		NULL, &o),
	    SOUK_E_INVALID);
	assert_field(w, "name");
}
WORLD_TEST(form)

static void
visibility_and_buyer(struct world *w)
{
	struct offer o;

	assert_int_equal(
	    parse(w, "{'productId':'" PRODUCT_ID "','name':'N','visibility':'private'}", NULL, &o),
	    SOUK_E_INVALID);
	assert_field(w, "buyerId");
	assert_int_equal(
	    parse(w, "{'productId':'" PRODUCT_ID "','name':'N','buyerId':'" BUYER "'}", NULL, &o),
	    SOUK_E_INVALID);
	assert_field(w, "buyerId");
	assert_int_equal(parse(w,
			     "{'productId':'" PRODUCT_ID
			     "','name':'N','visibility':'private','buyerId':'" BUYER "'}",
			     NULL, &o),
	    SOUK_OK);
	assert_int_equal(
	    parse(w, "{'productId':'" PRODUCT_ID "','name':'N','buyerId':null}", NULL, &o),
	    SOUK_OK);
}
WORLD_TEST(visibility_and_buyer)

#define STARTING_2026(end)                                                                         \
	"{'productId':'" PRODUCT_ID                                                                \
	"','name':'N','startsAt':'2026-01-01T00:00:00Z','endsAt':'" end "'}"

static void
period(struct world *w)
{
	struct offer o;

	assert_int_equal(
	    parse(w, STARTING_2026("2026-01-01T00:00:00.000Z"), NULL, &o), SOUK_E_INVALID);
	assert_field(w, "endsAt");
	assert_int_equal(parse(w, STARTING_2026("2026-01-01T00:00:00.001Z"), NULL, &o), SOUK_OK);
	assert_int_equal(o.ends_at - o.starts_at, 1);
	assert_int_equal(
	    parse(w, "{'productId':'" PRODUCT_ID "','name':'N','startsAt':'1970-01-01'}", NULL, &o),
	    SOUK_E_INVALID);
	/* Without a start it begins when it is made. */
	assert_int_equal(
	    create(w, "{'productId':'" PRODUCT_ID "','name':'N','endsAt':'2001-01-01'}"),
	    SOUK_E_INVALID);
	assert_field(w, "endsAt");
}
WORLD_TEST(period)

static void
creating(struct world *w)
{
	struct offer o = world_offer(w, "{'productId':'" PRODUCT_ID "','name':'N'}"), got;

	assert_string_equal(o.seller_id, SELLER);
	assert_int_equal(o.starts_at, o.created_at);
	assert_int_equal(offer_get(w->tx, &w->op, &o.id, w->mem, &got), SOUK_OK);
	assert_int_equal(got.ends_at, 0);
	assert_string_equal(got.buyer_id, "");
	assert_true(guid_eq(&got.product_id, &o.product_id));

	assert_int_equal(create(w, "{'productId':'" SUB_ID "','name':'N'}"), SOUK_E_INVALID);
	assert_field(w, "productId");
	assert_int_equal(
	    create(w, "{'productId':'" PRODUCT_ID "','sellerId':'" SELLER_B "','name':'N'}"),
	    SOUK_E_INVALID);
	assert_field(w, "productId");
	assert_int_equal(create(w, "{'productId':'" PRODUCT_ID
				   "','name':'N','visibility':'private','buyerId':'" SELLER_B "'}"),
	    SOUK_E_INVALID);
	assert_field(w, "buyerId");
	got.revision = 0;
	assert_int_equal(offer_create(w->tx, &w->op, &got, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "offer_exists");
	got.id = (struct guid){ 0 };
	assert_int_equal(offer_create(w->tx, &w->seller, &got, world_fail(w)), SOUK_E_DENIED);
}
WORLD_TEST(creating)

static void
changing(struct world *w)
{
	struct offer base = world_offer(w,
	    "{'productId':'" PRODUCT_ID "','name':'N','visibility':'private','buyerId':'" BUYER
	    "','endsAt':'2099-01-01'}");
	struct offer o;

	assert_int_equal(
	    parse(w,
		"{'offerId':'" SUB_ID "','sellerId':'" SELLER_B "','productId':'" SUB_ID
		"','visibility':'public','buyerId':null,'startsAt':'2020-01-01T00:00:00Z'}",
		&base, &o),
	    SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 6);
	assert_int_equal(
	    parse(w, "{'name':'New','endsAt':null,'state':'expired'}", &base, &o), SOUK_OK);
	assert_int_equal(offer_change(w->tx, &w->op, &o, 9, world_fail(w)), SOUK_E_PRECONDITION);
	assert_int_equal(offer_change(w->tx, &w->buyer, &o, 1, world_fail(w)), SOUK_E_DENIED);
	assert_int_equal(offer_change(w->tx, &w->op, &o, 1, world_fail(w)), SOUK_OK);
	assert_int_equal(offer_get(w->tx, &w->seller, &base.id, w->mem, &o), SOUK_OK);
	assert_int_equal(o.revision, 2);
	assert_int_equal(o.ends_at, 0);
	assert_true(str_eq_c(o.name, "New") && str_eq_c(o.state, "expired"));
	assert_string_equal(o.buyer_id, BUYER);
	o.id = world_guid(SUB_ID);
	assert_int_equal(offer_change(w->tx, &w->op, &o, 0, world_fail(w)), SOUK_E_NOT_FOUND);
}
WORLD_TEST(changing)

static size_t
list(struct world *w, const struct tenant_scope *s, const char *seller, struct page *p)
{
	struct jw out = world_list_begin(w);

	assert_int_equal(
	    offer_list(w->tx, s, str_c(seller), p, w->mem, &out, world_fail(w)), SOUK_OK);
	return world_list_end(w, &out);
}

/* Both are lists by GUID: only the name tells their cursors apart. */
static void
cursors_know_their_list(struct world *w)
{
	struct page p = { .limit = 1, .list = "offers" };
	struct jw out;

	(void)world_offer(w, "{'productId':'" PRODUCT_ID "','name':'M'}");
	(void)world_offer(w, "{'productId':'" PRODUCT_ID "','name':'N'}");
	assert_int_equal(list(w, &w->op, "", &p), 1);
	p.cursor = p.next;
	assert_true(p.cursor.n > 0);
	assert_int_equal(list(w, &w->op, "", &p), 1);
	p.list = "products";
	out = world_list_begin(w);
	assert_int_equal(
	    product_list(w->tx, &w->op, STR(""), &p, w->mem, &out, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "cursor");
}
WORLD_TEST(cursors_know_their_list)

static void
who_sees_them(struct world *w)
{
	struct offer o = world_offer(w, "{'productId':'" PRODUCT_ID "','name':'N'}"), got;
	struct page p = { .limit = 1 };
	size_t n = 0;

	assert_int_equal(offer_get(w->tx, &w->seller, &o.id, w->mem, &got), SOUK_OK);
	assert_int_equal(offer_get(w->tx, &w->seller_b, &o.id, w->mem, &got), SOUK_E_NOT_FOUND);
	assert_int_equal(offer_get(w->tx, &w->buyer, &o.id, w->mem, &got), SOUK_E_NOT_FOUND);
	assert_int_equal(list(w, &w->seller_b, "", &p), 0);
	assert_int_equal(list(w, &w->seller_b, SELLER, &p), 0);
	assert_int_equal(list(w, &w->buyer, SELLER, &p), 0);
	(void)world_offer(w, "{'productId':'" PRODUCT_ID "','name':'M'}");
	(void)world_offer(w, "{'productId':'" PRODUCT_ID "','name':'O'}");
	do {
		n += list(w, &w->seller, "", &p);
		p.cursor = p.next;
	} while (p.next.n > 0);
	assert_int_equal(n, 3);
	p = (struct page){ .limit = 3 };
	assert_int_equal(list(w, &w->op, "", &p), 3);
	assert_int_equal(p.next.n, 0);
	assert_int_equal(list(w, &w->op, SELLER, &p), 3);
	assert_int_equal(list(w, &w->op, SELLER_B, &p), 0);
}
WORLD_TEST(who_sees_them)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(form),
		UNIT(visibility_and_buyer),
		UNIT(period),
		UNIT(creating),
		UNIT(changing),
		UNIT(cursors_know_their_list),
		UNIT(who_sees_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
