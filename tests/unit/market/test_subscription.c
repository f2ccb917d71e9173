/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: what they lean on, who sees which, lists while others insert, their end. */
#include "market_test.h"

static enum souk_err
parse(struct world *w, const char *text, const struct subscription *base, struct subscription *ret)
{
	return subscription_parse(world_json(w, text), base, ret, world_fail(w));
}

/* One of PRODUCT_ID for BUYER, hourly, but for the members in `more`. */
static enum souk_err
create(struct world *w, const char *more)
{
	struct subscription s;
	json_t *o =
	    world_json(w, "{'productId':'" PRODUCT_ID "','buyerId':'" BUYER "','kind':'hourly'}");

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	assert_int_equal(subscription_parse(o, NULL, &s, world_fail(w)), SOUK_OK);
	return subscription_create(w->tx, &w->op, &s, world_fail(w));
}

static void
assert_quantity(struct world *w, const char *quantity, enum souk_err want)
{
	struct subscription s;
	char *text = arena_printf(w->mem,
	    "{'productId':'" PRODUCT_ID "','buyerId':'" BUYER "','kind':'free','quantity':%s}",
	    quantity);

	assert_int_equal(parse(w, text, NULL, &s), want);
	if (want != SOUK_OK)
		assert_field(w, "quantity");
}

static void
form(struct world *w)
{
	struct subscription s;

	assert_int_equal(
	    parse(w,
		"{'subscriptionId':'x','sellerId':'x','productId':'x','offerId':'x','buyerId':'x',"
		"'kind':'x','quantity':0,'startsAt':'x','endsAt':'x','state':'active'}",
		NULL, &s),
	    SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 10);
	assert_int_equal(parse(w, "{}", NULL, &s), SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 3);
	assert_field(w, "productId");
	assert_field(w, "buyerId");
	assert_field(w, "kind");
	assert_quantity(w, "1", SOUK_OK);
	assert_quantity(w, "0", SOUK_E_INVALID);
	assert_quantity(w, "-1", SOUK_E_INVALID);
	assert_quantity(w, "1000000000", SOUK_OK);
	assert_quantity(w, "1000000001", SOUK_E_INVALID);
	assert_quantity(w, "1.5", SOUK_E_INVALID);
	assert_quantity(w, "'1'", SOUK_E_INVALID);
}
WORLD_TEST(form)

static void
creating(struct world *w)
{
	struct subscription s, got;

	assert_int_equal(create(w, "{}"), SOUK_OK);
	s = world_subscription(w,
	    "{'productId':'" PRODUCT_ID "','sellerId':'" SELLER "','buyerId':'" BUYER_B
	    "','kind':'annual','quantity':3,'startsAt':'2020-02-29T00:00:00Z',"
	    "'endsAt':'2099-01-01'}");
	assert_int_equal(subscription_get(w->tx, &w->buyer_b, &s.id, w->mem, &got), SOUK_OK);
	assert_true(got.active && got.quantity == 3 && got.ended_at == 0);
	assert_true(str_eq_c(got.kind, "annual"));
	assert_int_equal(got.starts_at, INT64_C(1582934400000));
	assert_true(guid_is_zero(&got.offer_id));
	got.id = (struct guid){ 0 };
	assert_int_equal(
	    subscription_create(w->tx, &w->seller, &got, world_fail(w)), SOUK_E_DENIED);
	assert_int_equal(
	    subscription_create(w->tx, &w->buyer_b, &got, world_fail(w)), SOUK_E_DENIED);
	got.created_at = 1234;
	got.starts_at = 0;
	assert_int_equal(subscription_create(w->tx, &w->op, &got, world_fail(w)), SOUK_OK);
	assert_int_equal(got.created_at, 1234);
	assert_int_equal(got.starts_at, 1234);
}
WORLD_TEST(creating)

static void
what_it_leans_on(struct world *w)
{
	struct product draft = world_product(
	    w, "{'sellerId':'" SELLER "','title':'D','type':'ami','pricing':['hourly']}");
	char id[GUID_TEXT_LEN + 1];

	assert_int_equal(create(w, "{'productId':'" SUB_ID "'}"), SOUK_E_INVALID);
	assert_field(w, "productId");
	assert_int_equal(create(w, "{'sellerId':'" SELLER_B "'}"), SOUK_E_INVALID);
	assert_field(w, "productId");
	assert_int_equal(create(w, "{'buyerId':'" NOBODY "'}"), SOUK_E_INVALID);
	assert_field(w, "buyerId");
	assert_int_equal(create(w, "{'buyerId':'" SELLER_B "'}"), SOUK_E_INVALID);
	assert_field(w, "buyerId");
	assert_int_equal(create(w, "{'kind':'monthly'}"), SOUK_E_INVALID);
	assert_field(w, "kind");
	assert_int_equal(create(w, "{'kind':'monthly','buyerId':'" NOBODY "'}"), SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 2);
	assert_int_equal(create(w, "{'endsAt':'2001-01-01'}"), SOUK_E_INVALID);
	assert_field(w, "endsAt");
	assert_int_equal(create(w, "{'subscriptionId':'" SUB_ID "'}"), SOUK_E_CONFLICT);
	assert_code(w, "subscription_exists");
	guid_format(&draft.id, id);
	assert_int_equal(
	    create(w, arena_printf(w->mem, "{'productId':'%s'}", id)), SOUK_E_CONFLICT);
	assert_code(w, "product_draft");
}
WORLD_TEST(what_it_leans_on)

/* Who has subscribed stays; nobody else comes, and is told why. */
static void
suspended(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID), none = world_guid(SUB_ID);
	struct str reason = STR("PS-DET-13 keep one to three categories");
	struct subscription s;
	struct product p;
	char *letters_200 = arena_strdup(w->mem, letters(w, 200));

	assert_int_equal(create(w, "{}"), SOUK_OK);
	assert_int_equal(
	    product_set_suspended(w->tx, &w->seller, &id, reason, world_fail(w)), SOUK_E_DENIED);
	assert_int_equal(
	    product_set_suspended(w->tx, &w->op, &none, reason, world_fail(w)), SOUK_E_NOT_FOUND);
	assert_int_equal(product_set_suspended(w->tx, &w->op, &id, reason, world_fail(w)), SOUK_OK);
	assert_int_equal(create(w, "{}"), SOUK_E_CONFLICT);
	assert_code(w, "listing_suspended");
	assert_non_null(strstr(w->f.detail, "PS-DET-13 keep one to three categories"));
	assert_int_equal(product_get(w->tx, &w->seller, &id, w->mem, &p), SOUK_OK);
	assert_true(str_eq(p.suspended, reason));
	p.title = STR("Another");
	assert_int_equal(product_change(w->tx, &w->op, &p, p.revision, world_fail(w)), SOUK_OK);
	assert_int_equal(create(w, "{}"), SOUK_E_CONFLICT);
	s = (struct subscription){ .id = world_guid(SUB_ID) };
	assert_int_equal(subscription_get(w->tx, &w->buyer, &s.id, w->mem, &s), SOUK_OK);
	s.quantity = 7;
	assert_int_equal(subscription_change(w->tx, &w->op, &s, 0, world_fail(w)), SOUK_OK);
	/* One that was over before is history, not a new subscriber. */
	s.id = (struct guid){ 0 };
	s.ended_at = s.starts_at + 1;
	assert_int_equal(subscription_create(w->tx, &w->op, &s, world_fail(w)), SOUK_OK);
	/* What is too long is cut between two characters. */
	memcpy(letters_200 + SUSPENDED_MAX - 1, "\xc3\xa9", 2);
	assert_int_equal(
	    product_set_suspended(w->tx, &w->op, &id, str_c(letters_200), world_fail(w)), SOUK_OK);
	assert_int_equal(product_get(w->tx, &w->seller, &id, w->mem, &p), SOUK_OK);
	assert_int_equal(p.suspended.n, SUSPENDED_MAX - 1);
	assert_int_equal(create(w, "{}"), SOUK_E_CONFLICT);
	assert_int_equal(
	    product_set_suspended(w->tx, &w->op, &id, STR(""), world_fail(w)), SOUK_OK);
	assert_int_equal(create(w, "{}"), SOUK_OK);
}
WORLD_TEST(suspended)

static char *
with_offer(struct world *w, const struct guid *offer)
{
	char id[GUID_TEXT_LEN + 1];

	guid_format(offer, id);
	return arena_printf(w->mem, "{'offerId':'%s'}", id);
}

static void
offers(struct world *w)
{
	struct guid none = world_guid(SUB_ID);
	struct offer o = world_offer(w, "{'productId':'" PRODUCT_ID "','name':'N'}");
	struct product other = world_product(w,
	    "{'sellerId':'" SELLER "','title':'D','type':'ami','pricing':['hourly'],"
	    "'state':'public'}");
	char id[GUID_TEXT_LEN + 1];

	assert_int_equal(create(w, with_offer(w, &o.id)), SOUK_OK);
	assert_int_equal(create(w, with_offer(w, &none)), SOUK_E_INVALID);
	assert_field(w, "offerId");
	o.state = STR("expired");
	assert_int_equal(offer_change(w->tx, &w->op, &o, 0, world_fail(w)), SOUK_OK);
	assert_int_equal(create(w, with_offer(w, &o.id)), SOUK_E_CONFLICT);
	assert_code(w, "offer_expired");
	o = world_offer(w, "{'productId':'" PRODUCT_ID
			   "','name':'N','visibility':'private','buyerId':'" BUYER "'}");
	assert_int_equal(create(w, with_offer(w, &o.id)), SOUK_OK);
	o = world_offer(w, "{'productId':'" PRODUCT_ID
			   "','name':'N','visibility':'private','buyerId':'" BUYER_B "'}");
	assert_int_equal(create(w, with_offer(w, &o.id)), SOUK_E_INVALID);
	assert_field(w, "offerId");
	guid_format(&other.id, id);
	o = world_offer(w, arena_printf(w->mem, "{'productId':'%s','name':'N'}", id));
	assert_int_equal(create(w, with_offer(w, &o.id)), SOUK_E_INVALID);
	assert_field(w, "offerId");
}
WORLD_TEST(offers)

static void
changing(struct world *w)
{
	struct guid id = world_guid(SUB_ID);
	struct subscription base, s;
	bool already;

	assert_int_equal(subscription_get(w->tx, &w->op, &id, w->mem, &base), SOUK_OK);
	assert_int_equal(parse(w,
			     "{'subscriptionId':'" PRODUCT_ID "','sellerId':'" SELLER_B
			     "','productId':'" SUB_ID "','offerId':'" SUB_ID "','buyerId':'" BUYER_B
			     "','kind':'annual','startsAt':'2020-01-01'}",
			     &base, &s),
	    SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 7);
	assert_int_equal(parse(w, "{'quantity':9,'endsAt':'2099-01-01'}", &base, &s), SOUK_OK);
	assert_int_equal(
	    subscription_change(w->tx, &w->op, &s, 2, world_fail(w)), SOUK_E_PRECONDITION);
	assert_int_equal(
	    subscription_change(w->tx, &w->buyer, &s, 1, world_fail(w)), SOUK_E_DENIED);
	assert_int_equal(subscription_change(w->tx, &w->op, &s, 1, world_fail(w)), SOUK_OK);
	assert_int_equal(subscription_get(w->tx, &w->op, &id, w->mem, &base), SOUK_OK);
	assert_true(base.quantity == 9 && base.revision == 2 && base.ends_at != 0);
	s = base;
	s.ends_at = s.starts_at;
	assert_int_equal(subscription_change(w->tx, &w->op, &s, 0, world_fail(w)), SOUK_E_INVALID);
	s.id = world_guid(PRODUCT_ID);
	assert_int_equal(
	    subscription_change(w->tx, &w->op, &s, 0, world_fail(w)), SOUK_E_NOT_FOUND);

	s = base;
	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->op, &s, db_now(w->tx), &already), SOUK_OK);
	assert_int_equal(
	    subscription_change(w->tx, &w->op, &base, 0, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "subscription_ended");
}
WORLD_TEST(changing)

static void
ending(struct world *w)
{
	struct subscription s = { .id = world_guid(SUB_ID) }, got;
	bool already = true;

	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->buyer_b, &s, 5000, &already), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->seller_b, &s, 5000, &already), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->seller, &s, 5000, &already), SOUK_E_DENIED);
	assert_int_equal(subscription_mark_ended(w->tx, &w->buyer, &s, 5000, &already), SOUK_OK);
	assert_false(already);
	assert_false(s.active);
	assert_int_equal(s.ended_at, 5000);
	assert_string_equal(s.seller_id, SELLER);
	assert_int_equal(subscription_mark_ended(w->tx, &w->op, &s, 6000, &already), SOUK_OK);
	assert_true(already);
	assert_int_equal(subscription_get(w->tx, &w->seller, &s.id, w->mem, &got), SOUK_OK);
	assert_int_equal(got.ended_at, 5000);
	assert_int_equal(got.revision, 2);
	assert_false(got.active);
}
WORLD_TEST(ending)

static void
assert_seen(
    struct world *w, const struct tenant_scope *s, const struct guid *id, enum souk_err want)
{
	struct subscription sub = { .revision = 77 };

	assert_int_equal(subscription_get(w->tx, s, id, w->mem, &sub), want);
	if (want != SOUK_OK)
		assert_int_equal(sub.revision, 77);
}

/* An account with one role only is nobody in the other. */
static void
who_sees_them(struct world *w)
{
	struct guid id = world_guid(SUB_ID), missing = world_guid(PRODUCT_ID);
	struct tenant_scope job = tenant_for_job(STR(SELLER), "export");
	struct tenant_scope no_role = w->seller, wrong_role = w->seller;

	no_role.is_seller = false;
	wrong_role.is_seller = false;
	wrong_role.is_buyer = true;
	assert_seen(w, &w->op, &id, SOUK_OK);
	assert_seen(w, &w->seller, &id, SOUK_OK);
	assert_seen(w, &w->buyer, &id, SOUK_OK);
	assert_seen(w, &job, &id, SOUK_OK);
	assert_seen(w, &w->seller_b, &id, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->buyer_b, &id, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->both, &id, SOUK_E_NOT_FOUND);
	assert_seen(w, &no_role, &id, SOUK_E_NOT_FOUND);
	assert_seen(w, &wrong_role, &id, SOUK_E_NOT_FOUND);
	no_role = wrong_role = w->buyer;
	no_role.is_buyer = false;
	wrong_role.is_buyer = false;
	wrong_role.is_seller = true;
	assert_seen(w, &no_role, &id, SOUK_E_NOT_FOUND);
	assert_seen(w, &wrong_role, &id, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->buyer, &missing, SOUK_E_NOT_FOUND);
}
WORLD_TEST(who_sees_them)

static size_t
count(struct world *w, const struct tenant_scope *s, struct subscription_filter q)
{
	struct page p = { .limit = 200 };
	struct jw out = world_list_begin(w);

	assert_int_equal(subscription_list(w->tx, s, &q, &p, w->mem, &out, world_fail(w)), SOUK_OK);
	assert_int_equal(p.next.n, 0);
	return world_list_end(w, &out);
}
/* Of any state, and of one. */
#define Q(...) ((struct subscription_filter){ .active = -1, __VA_ARGS__ })
#define ENDED ((struct subscription_filter){ .active = 0 })
#define ACTIVE ((struct subscription_filter){ .active = 1 })

static void
sell_and_buy(struct world *w)
{
	struct product p =
	    world_product(w, "{'sellerId':'" BOTH "','title':'D','type':'saas','pricing':['free'],"
			     "'state':'public'}");
	char id[GUID_TEXT_LEN + 1];
	char *text;

	guid_format(&p.id, id);
	text = arena_printf(w->mem, "{'productId':'%s','kind':'free','buyerId':'" BUYER "'}", id);
	assert_int_equal(create(w, text), SOUK_OK);
	text = arena_printf(w->mem, "{'productId':'%s','kind':'free','buyerId':'" BOTH "'}", id);
	assert_int_equal(create(w, text), SOUK_OK);
	assert_int_equal(create(w, "{'buyerId':'" BOTH "'}"), SOUK_OK);
	assert_int_equal(create(w, "{'buyerId':'" BUYER_B "'}"), SOUK_OK);
}

/*
 * Now: SELLER sold to BUYER, BOTH, BUYER_B; BOTH sold to BUYER and to itself.
 */
static void
filters(struct world *w)
{
	struct guid product = world_guid(PRODUCT_ID), none = world_guid(SUB_ID);
	struct subscription s = { .id = none };
	bool already;

	sell_and_buy(w);
	assert_int_equal(count(w, &w->op, Q()), 5);
	assert_int_equal(count(w, &w->op, Q(.seller_id = STR(SELLER))), 3);
	assert_int_equal(count(w, &w->op, Q(.buyer_id = STR(BUYER))), 2);
	assert_int_equal(count(w, &w->op, Q(.buyer_id = STR(BUYER), .seller_id = STR(BOTH))), 1);
	assert_int_equal(count(w, &w->op, Q(.product_id = &product)), 3);
	assert_int_equal(count(w, &w->op, Q(.product_id = &none)), 0);
	assert_int_equal(count(w, &w->seller, Q()), 3);
	assert_int_equal(count(w, &w->seller, Q(.buyer_id = STR(BOTH))), 1);
	assert_int_equal(count(w, &w->seller, Q(.seller_id = STR(SELLER))), 3);
	assert_int_equal(count(w, &w->seller, Q(.seller_id = STR(BOTH))), 0);
	assert_int_equal(count(w, &w->seller_b, Q()), 0);
	assert_int_equal(count(w, &w->seller_b, Q(.buyer_id = STR(BUYER))), 0);
	assert_int_equal(count(w, &w->buyer, Q()), 2);
	assert_int_equal(count(w, &w->buyer, Q(.seller_id = STR(SELLER))), 1);
	assert_int_equal(count(w, &w->buyer, Q(.buyer_id = STR(BUYER_B))), 0);
	assert_int_equal(count(w, &w->buyer, Q(.seller_id = STR(BUYER))), 0);
	assert_int_equal(count(w, &w->both, Q()), 3); /* its own twice would be four */
	assert_int_equal(count(w, &w->both, Q(.seller_id = STR(BOTH))), 2);
	assert_int_equal(count(w, &w->both, Q(.buyer_id = STR(BOTH))), 2);
	assert_int_equal(count(w, &w->both, Q(.seller_id = STR(SELLER))), 1);
	assert_int_equal(count(w, &w->both, Q(.buyer_id = STR(BUYER))), 1);
	assert_int_equal(
	    count(w, &w->both, Q(.buyer_id = STR(BUYER), .seller_id = STR(SELLER))), 0);
	assert_int_equal(count(w, &w->both, Q(.product_id = &product)), 1);

	assert_int_equal(subscription_mark_ended(w->tx, &w->buyer, &s, 5000, &already), SOUK_OK);
	assert_int_equal(count(w, &w->seller, ACTIVE), 2);
	assert_int_equal(count(w, &w->seller, ENDED), 1);
	assert_out(w, "\"endedAt\":\"1970-01-01T00:00:05.000Z\",\"state\":\"ended\"", true);
	assert_int_equal(count(w, &w->buyer, ACTIVE), 1);
	assert_int_equal(count(w, &w->op, ENDED), 1);
	assert_int_equal(count(w, &w->both, ENDED), 0);
}
WORLD_TEST(filters)

/* Whatever is inserted while a client pages: what was there comes exactly once. */
static void
pages_while_others_insert(struct world *w)
{
	const struct tenant_scope *scopes[] = { &w->op, &w->seller, &w->buyer, &w->both };
	struct guid first[64];
	size_t n = 0;

	sell_and_buy(w);
	while (n < 40) {
		struct subscription s = world_subscription(
		    w, "{'productId':'" PRODUCT_ID "','buyerId':'" BUYER "','kind':'hourly'}");

		first[n++] = s.id;
		s.id = (struct guid){ 0 };
		memcpy(s.buyer_id, BOTH, sizeof(s.buyer_id));
		assert_int_equal(subscription_create(w->tx, &w->op, &s, world_fail(w)), SOUK_OK);
		first[n++] = s.id;
	}
	for (size_t k = 0; k < 4; k++) {
		struct page p = { .limit = 7 };
		struct subscription_filter q = Q();
		unsigned seen[64] = { 0 };

		do {
			struct jw out = world_list_begin(w);

			assert_int_equal(subscription_list(
					     w->tx, scopes[k], &q, &p, w->mem, &out, world_fail(w)),
			    SOUK_OK);
			assert_in_range(world_list_end(w, &out), 0, 7);
			for (size_t i = 0; i < n; i++) {
				char id[GUID_TEXT_LEN + 1];

				guid_format(&first[i], id);
				seen[i] += memmem(w->out.p, w->out.n, id, GUID_TEXT_LEN) != NULL;
			}
			assert_int_equal(create(w, "{}"), SOUK_OK);
			assert_int_equal(create(w, "{'buyerId':'" BOTH "'}"), SOUK_OK);
			p.cursor = p.next;
		} while (p.next.n > 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(seen[i], k < 2 || (i % 2 == 0) == (k == 2));
	}
}
WORLD_TEST(pages_while_others_insert)

static void
cursor_of_another_list(struct world *w)
{
	struct page p = { .limit = 7, .cursor = STR("MDAwMDAwMDAwMTAx") };
	struct subscription_filter q = Q();
	struct jw out = world_list_begin(w);

	assert_int_equal(
	    subscription_list(w->tx, &w->op, &q, &p, w->mem, &out, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "cursor");
	p.cursor = STR("_____________________w"); /* sixteen bytes of 255 */
	assert_int_equal(
	    subscription_list(w->tx, &w->op, &q, &p, w->mem, &out, world_fail(w)), SOUK_OK);
	p.cursor = STR("/////////////////////w"); /* the same in the alphabet that URLs break */
	assert_int_equal(
	    subscription_list(w->tx, &w->op, &q, &p, w->mem, &out, world_fail(w)), SOUK_E_INVALID);
	p.cursor = STR("_____________________x"); /* bits that no byte holds */
	assert_int_equal(
	    subscription_list(w->tx, &w->op, &q, &p, w->mem, &out, world_fail(w)), SOUK_E_INVALID);
	/* Also where there is nothing to list: a wrong cursor tells nothing about what exists. */
	assert_int_equal(
	    subscription_list(w->tx, &w->seller_b, &q, &p, w->mem, &out, world_fail(w)),
	    SOUK_E_INVALID);
}
WORLD_TEST(cursor_of_another_list)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(form),
		UNIT(creating),
		UNIT(what_it_leans_on),
		UNIT(suspended),
		UNIT(offers),
		UNIT(changing),
		UNIT(ending),
		UNIT(who_sees_them),
		UNIT(filters),
		UNIT(pages_while_others_insert),
		UNIT(cursor_of_another_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
