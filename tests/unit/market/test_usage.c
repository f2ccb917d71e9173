/* SPDX-License-Identifier: Apache-2.0 */
/* Usage: one fact per buyer, dimension and hour, told as often as one likes; who may tell it, and when. */
#include "market_test.h"

#include "market/usage.h"

#define H HOUR_MS

static struct usage
fact(struct world *w, const char *buyer, const char *dimension, instant_t hour, int64_t quantity)
{
	struct usage u = { .product_id = world_guid(PRODUCT_ID),
		.dimension = str_c(dimension),
		.hour = usage_hour(hour),
		.quantity = quantity,
		.allocations = STR(""),
		.client_token = STR("") };

	(void)w;
	memcpy(u.seller_id, SELLER, sizeof(SELLER));
	memcpy(u.buyer_id, buyer, sizeof(u.buyer_id));
	return u;
}

static enum usage_status
take(struct world *w, struct usage *u)
{
	enum usage_status status = USAGE_TOKEN_REUSED;

	assert_int_equal(usage_take(w->tx, &w->seller, u, &status), SOUK_OK);
	return status;
}

static enum usage_status
told(struct world *w, const char *buyer, const char *dimension, instant_t hour, int64_t quantity)
{
	struct usage u = fact(w, buyer, dimension, hour, quantity);

	return take(w, &u);
}

static int64_t
rows(struct world *w)
{
	static const char *const sql[] = { "SELECT count(*) FROM usage_record" };
	static struct db_texts t = { .component = "usage.test", .sql = sql, .n = 1 };
	struct db_stmt *st = db_stmt(w->tx, &t, 0);
	int64_t n;

	assert_int_equal(db_one(st), SOUK_OK);
	n = db_int(st, 0);
	db_reset(st);
	return n;
}

static void
the_first_quantity_stands(struct world *w)
{
	instant_t now = db_now(w->tx);
	struct usage a = fact(w, BUYER, "users", now, 7), b = a, c = a, d = a;

	assert_int_equal(take(w, &a), USAGE_TAKEN);
	assert_false(guid_is_zero(&a.id));
	assert_true(a.subscription_id.b[0] == 0x22);
	assert_int_equal(take(w, &b), USAGE_TAKEN);
	assert_true(guid_eq(&a.id, &b.id));
	c.quantity = 8;
	assert_int_equal(take(w, &c), USAGE_DUPLICATE);
	assert_true(guid_eq(&a.id, &c.id));
	d.allocations = STR("[{\"AllocatedUsageQuantity\":7}]");
	assert_int_equal(take(w, &d), USAGE_DUPLICATE);
	assert_int_equal(rows(w), 1);
	assert_int_equal(told(w, BUYER, "users", now, 7), USAGE_TAKEN);
	assert_int_equal(told(w, BUYER, "Users", now, 9), USAGE_TAKEN);
	assert_int_equal(rows(w), 2);
}
WORLD_TEST(the_first_quantity_stands)

static void
only_of_who_had_a_right(struct world *w)
{
	instant_t now = db_now(w->tx);
	struct usage u = fact(w, BUYER, "users", now, 1);
	enum usage_status status;

	assert_int_equal(told(w, BUYER_B, "users", now, 1), USAGE_NOT_SUBSCRIBED);
	assert_int_equal(told(w, NOBODY, "users", now, 1), USAGE_NOT_SUBSCRIBED);
	/* The subscription began now: the hour of its beginning counts, the one before not. */
	assert_int_equal(told(w, BUYER, "users", now, 1), USAGE_TAKEN);
	assert_int_equal(told(w, BUYER, "users", now - H, 1), USAGE_NOT_SUBSCRIBED);
	assert_int_equal(usage_take(w->tx, &w->seller_b, &u, &status), SOUK_E_NOT_FOUND);
	assert_int_equal(usage_take(w->tx, &w->buyer_b, &u, &status), SOUK_E_NOT_FOUND);
	assert_int_equal(usage_take(w->tx, &w->buyer, &u, &status), SOUK_OK);
	assert_int_equal(rows(w), 1);
}
WORLD_TEST(only_of_who_had_a_right)

/* Ends SUB_ID at `at`, which may be long ago. */
static void
end_it(struct world *w, instant_t at)
{
	struct subscription s = { .id = world_guid(SUB_ID) };
	bool already = true;

	assert_int_equal(subscription_mark_ended(w->tx, &w->op, &s, at, &already), SOUK_OK);
	assert_false(already);
}

static void
begun_long_ago(struct world *w, const char *buyer, const char *ends)
{
	(void)world_subscription(
	    w, arena_printf(w->mem,
		   "{'productId':'" PRODUCT_ID "','buyerId':'%s','kind':'annual',"
		   "'startsAt':'2020-01-01T00:00:00Z'%s}",
		   buyer, ends));
}

static void
an_hour_for_the_last_records(struct world *w)
{
	instant_t now = db_now(w->tx);

	assert_int_equal(told(w, BUYER, "before", now, 1), USAGE_TAKEN);
	end_it(w, now - 2 * H);
	assert_int_equal(told(w, BUYER, "users", now, 1), USAGE_NOT_SUBSCRIBED);
	/* What was taken is answered as it was. */
	assert_int_equal(told(w, BUYER, "before", now, 1), USAGE_TAKEN);
	assert_int_equal(told(w, BUYER, "before", now, 2), USAGE_DUPLICATE);
	begun_long_ago(w, BUYER_B, "");
	assert_int_equal(told(w, BUYER_B, "users", now - 5 * H, 1), USAGE_TAKEN);
}
WORLD_TEST(an_hour_for_the_last_records)

/* As though all that the buyer has had ended then. */
static void
ended_at(struct world *w, const char *buyer, instant_t at)
{
	static const char *const sql[] = {
		"UPDATE subscription SET ended_at = $1, state = 'ended' WHERE buyer_id = $2"
	};
	static struct db_texts t = { .component = "usage.ended", .sql = sql, .n = 1 };
	struct db_stmt *st = db_stmt(w->tx, &t, 0);

	db_bind_int(st, 1, at);
	db_bind_c(st, 2, buyer);
	assert_int_equal(db_run(st, NULL), SOUK_OK);
}

static void
the_hour_after_the_end(struct world *w)
{
	instant_t now = db_now(w->tx), end = now - H + MINUTE_MS;

	begun_long_ago(w, BUYER_B, "");
	ended_at(w, BUYER_B, end);
	assert_int_equal(told(w, BUYER_B, "last", end - 1, 1), USAGE_TAKEN);
	assert_int_equal(told(w, BUYER_B, "last", usage_hour(end) + H, 1), USAGE_NOT_SUBSCRIBED);
	ended_at(w, BUYER_B, now - H - 1);
	assert_int_equal(told(w, BUYER_B, "late", now - 2 * H, 1), USAGE_NOT_SUBSCRIBED);
}
WORLD_TEST(the_hour_after_the_end)

static void
a_suspended_buyer_has_none(struct world *w)
{
	struct account a;

	assert_int_equal(account_get(w->tx, &w->op, STR(BUYER), w->mem, &a), SOUK_OK);
	assert_int_equal(
	    account_parse(world_json(w, "{'state':'suspended'}"), &a, w->mem, &a, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(account_change(w->tx, &w->op, &a, 0, world_fail(w)), SOUK_OK);
	assert_int_equal(told(w, BUYER, "users", db_now(w->tx), 1), USAGE_NOT_SUBSCRIBED);
}
WORLD_TEST(a_suspended_buyer_has_none)

static void
a_token_is_one_call(struct world *w)
{
	instant_t now = db_now(w->tx);
	struct usage u = fact(w, BUYER, "users", now, 1), again = u, other;

	u.client_token = again.client_token = STR("t1");
	assert_int_equal(take(w, &u), USAGE_TAKEN);
	assert_int_equal(take(w, &again), USAGE_TAKEN);
	assert_true(guid_eq(&u.id, &again.id));
	other = fact(w, BUYER, "disks", now, 1);
	other.client_token = STR("t1");
	assert_int_equal(take(w, &other), USAGE_TOKEN_REUSED);
	other.client_token = STR("t2");
	assert_int_equal(take(w, &other), USAGE_TAKEN);
	assert_int_equal(rows(w), 2);
}
WORLD_TEST(a_token_is_one_call)

static void
products_by_code(struct world *w)
{
	struct usage_product p = { .seller_id = "" };
	struct str none = STR("abcdefghijklmnopqrstuvwx2");

	assert_int_equal(usage_product_sold(w->tx, &w->seller, STR(CODE), w->mem, &p), SOUK_OK);
	assert_string_equal(p.seller_id, SELLER);
	assert_int_equal(usage_product_sold(w->tx, &w->op, STR(CODE), w->mem, &p), SOUK_OK);
	assert_int_equal(usage_product_sold(w->tx, &w->seller, none, w->mem, &p), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    usage_product_sold(w->tx, &w->seller_b, STR(CODE), w->mem, &p), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    usage_product_sold(w->tx, &w->buyer, STR(CODE), w->mem, &p), SOUK_E_NOT_FOUND);
	/* The product is limited: who bought it knows it. */
	assert_int_equal(usage_product_bought(w->tx, &w->buyer, STR(CODE), w->mem, &p), SOUK_OK);
	assert_int_equal(
	    usage_product_bought(w->tx, &w->buyer_b, STR(CODE), w->mem, &p), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    usage_product_bought(w->tx, &w->seller, STR(CODE), w->mem, &p), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    usage_product_bought(w->tx, &w->buyer, none, w->mem, &p), SOUK_E_NOT_FOUND);
}
WORLD_TEST(products_by_code)

static instant_t
at(const char *text)
{
	instant_t t = 0;

	assert_true(instant_parse(str_c(text), &t));
	return t;
}

static void
times(void **state)
{
	instant_t noon = at("2026-03-15T12:30:00Z"), first = at("2026-03-01T05:59:59Z");

	(void)state;
	assert_true(usage_in_time(noon, noon - 6 * H, 6 * H));
	assert_false(usage_in_time(noon, noon - 6 * H - 1, 6 * H));
	assert_true(usage_in_time(noon, noon + USAGE_AHEAD_MS, 6 * H));
	assert_false(usage_in_time(noon, noon + USAGE_AHEAD_MS + 1, 6 * H));
	/* The month before is closed six hours into the new one, however late else. */
	assert_true(usage_in_time(first, at("2026-02-28T23:00:00Z"), 24 * H));
	assert_false(usage_in_time(first + SECOND_MS, at("2026-02-28T23:00:00Z"), 24 * H));
	assert_true(usage_in_time(first + SECOND_MS, at("2026-03-01T00:00:00Z"), 24 * H));
	assert_int_equal(usage_hour(noon), at("2026-03-15T12:00:00Z"));
	assert_int_equal(usage_hour(at("1969-12-31T23:59:59.999Z")), at("1969-12-31T23:00:00Z"));
}

/* ---- allocations ---- */

static enum souk_err
share(struct world *w, const char *text, int64_t quantity, struct str *ret)
{
	return usage_allocations(world_json(w, text), quantity, w->mem, ret, world_fail(w));
}

static void
assert_no_share(struct world *w, const char *text, int64_t quantity, const char *code)
{
	struct str s = STR("kept");

	assert_int_equal(share(w, text, quantity, &s), SOUK_E_INVALID);
	assert_code(w, code);
	assert_true(str_eq_c(s, "kept"));
}

#define PARTS "InvalidUsageAllocationsException"
#define TAGS "InvalidTagException"

static void
allocations_have_one_spelling(struct world *w)
{
	struct str a, b;

	assert_int_equal(usage_allocations(NULL, 3, w->mem, &a, world_fail(w)), SOUK_OK);
	assert_int_equal(a.n, 0);
	assert_int_equal(
	    share(w,
		"[{'AllocatedUsageQuantity':1,'Tags':[{'Key':'b','Value':'2'},{'Key':'a',"
		"'Value':'1'}]},{'AllocatedUsageQuantity':2}]",
		3, &a),
	    SOUK_OK);
	assert_int_equal(share(w,
			     "[{'AllocatedUsageQuantity':2},{'AllocatedUsageQuantity':1,'Tags':["
			     "{'Key':'a','Value':'1'},{'Key':'b','Value':'2'}]}]",
			     3, &b),
	    SOUK_OK);
	assert_true(str_eq(a, b));
	assert_true(str_eq_c(a, "[{\"AllocatedUsageQuantity\":2},{\"AllocatedUsageQuantity\":1,"
				"\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},"
				"{\"Key\":\"b\",\"Value\":\"2\"}]}]"));
}
WORLD_TEST(allocations_have_one_spelling)

static const char *
many_parts(struct world *w, int n)
{
	buf_clear(&w->out);
	for (int i = 0; i < n; i++)
		buf_printf(&w->out,
		    "%s{'AllocatedUsageQuantity':0,'Tags':[{'Key':'k','Value':'%d'}]}",
		    i == 0 ? "[" : ",", i);
	buf_add_char(&w->out, ']');
	return w->out.p;
}

static void
allocations_refused(struct world *w)
{
	struct str s;

	assert_no_share(w, "[{'AllocatedUsageQuantity':1}]", 2, PARTS);
	assert_no_share(w, "[]", 0, PARTS);
	assert_no_share(w, "{}", 0, PARTS);
	assert_no_share(w, "[{'AllocatedUsageQuantity':-1}]", -1, PARTS);
	assert_no_share(w, "[{'AllocatedUsageQuantity':'1'}]", 1, PARTS);
	assert_no_share(w, "[{'AllocatedUsageQuantity':1},{'AllocatedUsageQuantity':1}]", 2, PARTS);
	assert_no_share(w, "[{'AllocatedUsageQuantity':1,'Tags':[]}]", 1, TAGS);
	assert_no_share(
	    w, "[{'AllocatedUsageQuantity':1,'Tags':[{'Key':'a','Value':'#'}]}]", 1, TAGS);
	assert_no_share(
	    w, "[{'AllocatedUsageQuantity':1,'Tags':[{'Key':'','Value':'a'}]}]", 1, TAGS);
	assert_no_share(w,
	    "[{'AllocatedUsageQuantity':1,'Tags':[{'Key':'a','Value':'1'},"
	    "{'Key':'a','Value':'2'}]}]",
	    1, TAGS);
	assert_no_share(w,
	    arena_printf(w->mem, "[{'AllocatedUsageQuantity':1,'Tags':[{'Key':'%s','Value':'1'}]}]",
		letters(w, 101)),
	    1, TAGS);
	assert_int_equal(
	    share(w,
		arena_printf(w->mem,
		    "[{'AllocatedUsageQuantity':1,'Tags':[{'Key':'%s','Value':'%s'}]}]",
		    letters(w, 100), letters(w, 256)),
		1, &s),
	    SOUK_OK);
	assert_int_equal(share(w, many_parts(w, 2500), 0, &s), SOUK_OK);
	assert_no_share(w, many_parts(w, 2501), 0, PARTS);
}
WORLD_TEST(allocations_refused)

/* ---- import ---- */

static enum souk_err
import(struct world *w, const struct tenant_scope *s, const char *more)
{
	json_t *o =
	    world_json(w, "{'productCode':'" CODE "','buyerId':'" BUYER "','dimension':'users',"
			  "'timestamp':'2021-05-05T05:30:00Z','quantity':5}");

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	return usage_import(w->tx, s, o, w->mem, world_fail(w));
}

static void
assert_bad(struct world *w, const char *more, const char *field)
{
	assert_int_equal(import(w, &w->op, more), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
imports(struct world *w)
{
	begun_long_ago(w, BUYER, ",'endsAt':'2022-01-01T00:00:00Z'");
	assert_int_equal(import(w, &w->op, "{}"), SOUK_OK);
	assert_int_equal(import(w, &w->op, "{'timestamp':'2021-05-05T05:59:59Z'}"), SOUK_OK);
	assert_int_equal(rows(w), 1);
	assert_int_equal(import(w, &w->op, "{'quantity':6}"), SOUK_E_CONFLICT);
	assert_field(w, "quantity");
	assert_int_equal(import(w, &w->seller, "{}"), SOUK_E_DENIED);
	assert_bad(w, "{'productCode':'nothing'}", "productCode");
	assert_bad(w, "{'buyerId':'" BUYER_B "'}", "buyerId");
	assert_bad(w, "{'buyerId':'x'}", "buyerId");
	assert_bad(w, "{'timestamp':'2019-12-31T23:59:59Z'}", "buyerId");
	assert_bad(w, "{'timestamp':'2022-01-01T00:00:00Z'}", "buyerId");
	assert_bad(w, "{'timestamp':'2199-01-01T00:00:00Z'}", "timestamp");
	assert_bad(w, "{'timestamp':'yesterday'}", "timestamp");
	assert_bad(w, "{'quantity':-1}", "quantity");
	assert_bad(w, "{'quantity':2147483648}", "quantity");
	assert_bad(w, "{'dimension':''}", "dimension");
	assert_bad(w, arena_printf(w->mem, "{'dimension':'%s'}", letters(w, 256)), "dimension");
	assert_bad(w, "{'color':'red'}", "color");
	assert_int_equal(import(w, &w->op, "{'quantity':2147483647,'dimension':'x'}"), SOUK_OK);
	assert_int_equal(rows(w), 2);
}
WORLD_TEST(imports)

#define SHARED_OUT(a, b)                                                                           \
	"{'dimension':'shared','usageAllocations':[{'AllocatedUsageQuantity':" a                   \
	",'Tags':[{'Key':'team','Value':'red'}]},{'AllocatedUsageQuantity':" b "}]}"

static void
imports_shared_out(struct world *w)
{
	begun_long_ago(w, BUYER, ",'endsAt':'2022-01-01T00:00:00Z'");
	assert_int_equal(import(w, &w->op, SHARED_OUT("3", "2")), SOUK_OK);
	assert_int_equal(
	    import(w, &w->op,
		"{'dimension':'shared','usageAllocations':[{'AllocatedUsageQuantity':2},"
		"{'AllocatedUsageQuantity':3,'Tags':[{'Key':'team','Value':'red'}]}]}"),
	    SOUK_OK); /* in whatever order */
	assert_int_equal(rows(w), 1);
	assert_int_equal(import(w, &w->op, SHARED_OUT("4", "1")), SOUK_E_CONFLICT);
	assert_field(w, "quantity");
	assert_int_equal(import(w, &w->op, "{'dimension':'shared'}"), SOUK_E_CONFLICT);
	assert_bad(w, SHARED_OUT("3", "3"), "usageAllocations");
	assert_bad(w, "{'usageAllocations':[]}", "usageAllocations");
	assert_bad(w, "{'usageAllocations':'5'}", "usageAllocations");
	assert_bad(
	    w, "{'usageAllocations':[{'AllocatedUsageQuantity':5,'Tags':[]}]}", "usageAllocations");
	assert_int_equal(import(w, &w->op, "{'usageAllocations':null}"), SOUK_OK);
}
WORLD_TEST(imports_shared_out)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(the_first_quantity_stands),
		UNIT(only_of_who_had_a_right),
		UNIT(an_hour_for_the_last_records),
		UNIT(the_hour_after_the_end),
		UNIT(a_suspended_buyer_has_none),
		UNIT(a_token_is_one_call),
		UNIT(products_by_code),
		cmocka_unit_test(times),
		UNIT(allocations_have_one_spelling),
		UNIT(allocations_refused),
		UNIT(imports),
		UNIT(imports_shared_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
