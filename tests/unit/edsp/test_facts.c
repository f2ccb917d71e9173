/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets from facts, on either engine: windows to the millisecond, knowledge, columns, order. */
#include "unit/market/market_test.h"

#include "edsp/facts.h"
#include "edsp/facts_store.h"
#include "market/fee.h"
#include "market/rate.h"
#include "market/usage.h"

#include <unistd.h>

#define DAY INT64_C(1767312000000) /* 2026-01-02 */
#define H HOUR_MS

struct place {
	char dir[64], ring[96];
	struct config *config;
	struct vault *vault;
	struct buf out;
	struct facts_stats stats;
};

static struct place here;

static int
ring_setup(void **state)
{
	struct fail f = { 0 };
	char ini[128];

	(void)state;
	(void)snprintf(here.dir, sizeof(here.dir), "/tmp/souk-facts-XXXXXX");
	if (!mkdtemp(here.dir))
		return -1;
	(void)snprintf(here.ring, sizeof(here.ring), "%s/keyring.json", here.dir);
	(void)snprintf(ini, sizeof(ini), "%s/souk.ini", here.dir);
	if (config_load(ini, &here.config, &f) != SOUK_OK ||
	    vault_ring_create(here.ring, &f) != SOUK_OK)
		return -1;
	return vault_open(here.config, here.dir, &here.vault, &f) == SOUK_OK ? 0 : -1;
}

static int
ring_teardown(void **state)
{
	(void)state;
	vault_close(here.vault);
	config_free(here.config);
	(void)unlink(here.ring);
	(void)rmdir(here.dir);
	buf_done(&here.out);
	return 0;
}

static enum souk_err
add(struct sink *s, const void *p, size_t n)
{
	(void)s;
	buf_add(&here.out, p, n);
	return SOUK_OK;
}

/* The set of DAY as known at `known_at`, in here.out. */
static void
make(struct world *w, enum data_set d, instant_t known_at, bool participant)
{
	struct facts_request q = { .seller_id = STR(SELLER),
		.data_set = d,
		.covers = { DAY, DAY + DAY_MS - SECOND_MS },
		.known_at = known_at,
		.participant = participant };
	struct sink out = { .write = add };

	buf_clear(&here.out);
	assert_int_equal(
	    facts_write(w->db, here.vault, &q, &out, &here.stats, world_fail(w)), SOUK_OK);
	assert_true(buf_ok(&here.out));
}

static size_t
occurrences(const char *text)
{
	size_t n = 0;

	for (const char *p = here.out.p; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	return n;
}

static void
assert_rows(int64_t n)
{
	assert_int_equal(here.stats.rows, n);
	assert_int_equal(occurrences("\r\n"), (size_t)n + 1);
	assert_int_equal(here.stats.why_empty == NULL, n > 0);
}

static void
subscribe(struct world *w, const char *buyer, const char *kind, const char *from, const char *until)
{
	struct subscription s = { .active = true };
	json_t *o = world_json(
	    w, arena_printf(w->mem,
		   "{'productId':'" PRODUCT_ID "','buyerId':'%s','kind':'%s','startsAt':'%s'}",
		   buyer, kind, from));

	assert_int_equal(subscription_parse(o, NULL, &s, world_fail(w)), SOUK_OK);
	assert_true(until[0] == '\0' || instant_parse(str_c(until), &s.ended_at));
	s.created_at = s.starts_at;
	assert_int_equal(subscription_create(w->tx, &w->op, &s, world_fail(w)), SOUK_OK);
}

static void
use(struct world *w, const char *dimension, instant_t hour, int64_t quantity)
{
	struct usage u = { .product_id = world_guid(PRODUCT_ID),
		.dimension = str_c(dimension),
		.hour = hour,
		.quantity = quantity,
		.allocations = STR(""),
		.client_token = STR(""),
		.source = USAGE_IMPORT };
	enum usage_status status = USAGE_DUPLICATE;

	memcpy(u.seller_id, SELLER, sizeof(SELLER));
	memcpy(u.buyer_id, BUYER, sizeof(BUYER));
	assert_int_equal(usage_take(w->tx, &w->op, &u, &status), SOUK_OK);
	assert_int_equal(status, USAGE_TAKEN);
}

static void
some_subscriptions(struct world *w)
{
	subscribe(w, BUYER, "hourly", "2026-01-02T23:59:59.999Z", "");
	subscribe(w, BUYER, "hourly", "2026-01-03T00:00:00Z", "");
	subscribe(w, BUYER, "hourly", "2025-01-01T00:00:00Z", "2026-01-02T23:59:59.999Z");
	subscribe(w, BUYER, "hourly", "2025-01-01T00:00:00Z", "2026-01-03T00:00:00Z");
	subscribe(w, BUYER_B, "annual", "2025-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
	subscribe(w, BUYER_B, "annual", "2026-01-02T00:00:00Z", "");
}

static void
windows(void **state)
{
	struct world *w = *state;
	instant_t now = clock_now() + DAY_MS;

	world_run(state, some_subscriptions);
	/* In force at the last instant: begun before it, and not over at it. */
	make(w, DS_SUBSCRIBER_HOURLY_MONTHLY, now, false);
	assert_rows(2);
	make(w, DS_SUBSCRIBER_ANNUAL, now, false);
	assert_rows(1);
	assert_int_equal(occurrences(",renewal,"), 1);
	make(w, DS_DAILY_NEW_SUBSCRIBERS, now, false);
	assert_rows(2);
	make(w, DS_DAILY_CANCELED_SUBSCRIBERS, now, false);
	assert_rows(2);
	/* What was made later was not known. */
	make(w, DS_DAILY_NEW_SUBSCRIBERS, DAY + H, false);
	assert_rows(1);
	make(w, DS_DAILY_FEES, now, false);
	assert_rows(0);
	make(w, DS_FIELD_DEMONSTRATION, now, false);
	assert_rows(0);
}

static void
some_usage(struct world *w)
{
	subscribe(w, BUYER, "hourly", "2025-01-01T00:00:00Z", "");
	use(w, "old", DAY - H, 1);
	use(w, "old", DAY, 2);
	use(w, "old", DAY + 23 * H, 3);
	use(w, "old", DAY + 24 * H, 50);
	use(w, "new", DAY + H, 2147483647);
	use(w, "new", DAY + 2 * H, 2147483647);
	use(w, "unused", DAY + H, 0);
	use(w, "later", DAY + 24 * H, 1);
}

static void
usage(void **state)
{
	struct world *w = *state;
	instant_t now = clock_now() + DAY_MS;
	char first[4096];

	world_run(state, some_usage);
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, now, false);
	assert_rows(2);
	assert_non_null(strstr(here.out.p, ",new,4294967294,Units,"));
	assert_non_null(strstr(here.out.p, ",old,5,Units,"));
	assert_true(strstr(here.out.p, ",new,") < strstr(here.out.p, ",old,"));
	assert_null(strstr(here.out.p, BUYER));
	(void)snprintf(first, sizeof(first), "%s", here.out.p);
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, now, false);
	assert_string_equal(here.out.p, first);
	make(w, DS_DAILY_NEW_INSTANCES, now, false);
	assert_rows(1);
	assert_non_null(strstr(here.out.p, ",new,1,"));
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, DAY, false);
	assert_rows(0);
}

static void
columns(void **state)
{
	struct world *w = *state;

	world_run(state, some_usage);
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, INSTANT_MAX, true);
	assert_non_null(strstr(here.out.p, "Customer Email Domain"));
	assert_int_equal(occurrences(BUYER), 2);
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, INSTANT_MAX, false);
	assert_null(strstr(here.out.p, "Customer Email Domain"));
	assert_null(strstr(here.out.p, "Payer Address ID"));
}

/* ---- prices, trials, fees, demonstrations ---- */

#define OFFER_ID "33333333-3333-4333-8333-333333333333"
#define DEMO_ID "44444444-4444-4444-8444-444444444444"

static struct guid
subscribe_with(struct world *w, const char *buyer, const char *from, const char *more)
{
	struct subscription s;
	json_t *o = world_json(w, arena_printf(w->mem,
				      "{'productId':'" PRODUCT_ID "','buyerId':'%s',"
				      "'kind':'hourly','startsAt':'%s'}",
				      buyer, from));

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	assert_int_equal(subscription_parse(o, NULL, &s, world_fail(w)), SOUK_OK);
	s.created_at = s.starts_at;
	assert_int_equal(subscription_create(w->tx, &w->op, &s, world_fail(w)), SOUK_OK);
	return s.id;
}

static void
end_at(struct world *w, const struct guid *id, const char *at)
{
	struct subscription s = { .id = *id };
	instant_t t = 0;
	bool already = true;

	assert_true(instant_parse(str_c(at), &t));
	assert_int_equal(subscription_mark_ended(w->tx, &w->op, &s, t, &already), SOUK_OK);
}

static void
rate(struct world *w, const char *offer, const char *dimension, const char *price,
    const char *currency, instant_t starts, instant_t known)
{
	struct rate v = { .offer_id = world_guid(offer),
		.dimension = str_c(dimension),
		.starts_at = starts,
		.created_at = known };

	memcpy(v.currency, currency, 3);
	assert_int_equal(money_parse(str_c(price), &v.price), MONEY_OK);
	assert_int_equal(rate_create(w->tx, &w->op, &v, w->mem, world_fail(w)), SOUK_OK);
}

static void
change_product(struct world *w, const char *text)
{
	struct guid id = world_guid(PRODUCT_ID);
	struct product old, p;

	assert_int_equal(product_get(w->tx, &w->op, &id, w->mem, &old), SOUK_OK);
	assert_int_equal(
	    product_parse(world_json(w, text), &old, w->mem, &p, world_fail(w)), SOUK_OK);
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_OK);
}

static void
some_prices(struct world *w)
{
	change_product(w, "{'dimensions':[{'key':'users','unit':'Users','name':'Named users',"
			  "'description':'By the hour'},'disks',{'key':'gb','unit':'GB'}],"
			  "'solutionId':'sol-7','solutionTitle':'All in one'}");
	(void)world_offer(w, "{'offerId':'" OFFER_ID "','productId':'" PRODUCT_ID "','name':'T',"
			     "'resellerId':'" SELLER_B "','program':'EnterpriseContract'}");
	(void)subscribe_with(w, BUYER, "2025-12-01T00:00:00Z",
	    "{'offerId':'" OFFER_ID "','trialEndsAt':'2025-12-31T00:00:00Z'}");
	rate(w, OFFER_ID, "users", "0.10", "USD", DAY - 40 * DAY_MS, DAY - DAY_MS);
	rate(w, OFFER_ID, "users", "0.155", "USD", DAY + 10 * H, DAY - DAY_MS);
	rate(w, OFFER_ID, "disks", "3", "USD", DAY, DAY - DAY_MS);
	rate(w, OFFER_ID, "disks", "4", "EUR", DAY + 12 * H, DAY - DAY_MS);
	/* Told too late for who asked on the day before. */
	rate(w, OFFER_ID, "users", "100", "USD", DAY + 9 * H, DAY + 5 * DAY_MS);
	use(w, "users", DAY, 3);
	use(w, "users", DAY + 9 * H, 2);
	use(w, "users", DAY + 10 * H, 7);
	use(w, "disks", DAY, 1);
	use(w, "disks", DAY + 12 * H, 1);
	use(w, "gb", DAY, 5);
}

static void
estimated_revenue(void **state)
{
	struct world *w = *state;

	world_run(state, some_prices);
	/* 5 x 0.10 + 7 x 0.155 = 1.585, rounded once; a currency is a line; no price is no amount. */
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, DAY + DAY_MS, false);
	assert_rows(0); /* usage was told today, later than that */
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, INSTANT_MAX, false);
	assert_rows(4);
	assert_non_null(strstr(here.out.p,
	    ",disks,1,Units,disks,4.00,EUR," OFFER_ID ",enterprise contract,All in one,sol-7,"));
	assert_non_null(strstr(here.out.p, ",disks,1,Units,disks,3.00,USD,"));
	assert_non_null(strstr(here.out.p, ",gb,5,GB,gb,,,"));
	assert_non_null(strstr(here.out.p, ",users,12,Users,By the hour,201.39,USD,"));
	make(w, DS_SUBSCRIBER_HOURLY_MONTHLY, INSTANT_MAX, false);
	assert_non_null(strstr(here.out.p, "," SELLER_B ",Seller B\r\n"));
}

static void
prices_known_then(struct world *w)
{
	static const char *const sql[] = { "UPDATE usage_record SET received_at = hour" };
	static struct db_texts t = { .component = "facts.received", .sql = sql, .n = 1 };

	some_prices(w);
	assert_int_equal(db_run(db_stmt(w->tx, &t, 0), NULL), SOUK_OK);
}

static void
revenue_as_known(void **state)
{
	struct world *w = *state;

	world_run(state, prices_known_then);
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, DAY + 2 * DAY_MS, false);
	assert_non_null(strstr(here.out.p, ",users,12,Users,By the hour,1.59,USD,"));
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, DAY + 5 * DAY_MS, false);
	assert_non_null(strstr(here.out.p, ",users,12,Users,By the hour,1.59,USD,"));
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, DAY + 5 * DAY_MS + 1, false);
	assert_non_null(strstr(here.out.p, ",users,12,Users,By the hour,201.39,USD,"));
}

static void
some_trials(struct world *w)
{
	struct guid id;

	(void)world_offer(w, "{'offerId':'" OFFER_ID "','productId':'" PRODUCT_ID "','name':'T'}");
	rate(w, OFFER_ID, "users", "2", "USD", DAY - 40 * DAY_MS, DAY - DAY_MS);
	/* Begun in the window, and one that is over at its last instant. */
	(void)subscribe_with(w, BUYER_B, "2026-01-02T00:00:00Z", "{'trialEndsAt':'2026-01-31'}");
	(void)subscribe_with(
	    w, BUYER_B, "2025-12-20T00:00:00Z", "{'trialEndsAt':'2026-01-02T23:59:59.999Z'}");
	(void)subscribe_with(
	    w, BUYER_B, "2025-12-20T00:00:00Z", "{'trialEndsAt':'2026-01-03T00:00:00Z'}");
	/* Converted at the first instant of the window, though it ended later in it. */
	id = subscribe_with(
	    w, BUYER, "2025-12-20T00:00:00Z", "{'trialEndsAt':'2026-01-02T00:00:00Z'}");
	end_at(w, &id, "2026-01-02T00:00:00.001Z");
	/* Not converted: it ended with the trial, or within it. */
	id = subscribe_with(
	    w, BUYER, "2025-12-20T00:00:00Z", "{'trialEndsAt':'2026-01-02T00:00:00Z'}");
	end_at(w, &id, "2026-01-02T00:00:00Z");
	id = subscribe_with(w, BUYER, "2025-12-20T00:00:00Z", "{'trialEndsAt':'2026-01-10'}");
	end_at(w, &id, "2026-01-02T23:59:59.999Z");
	/* Before and behind the window. */
	id = subscribe_with(w, BUYER, "2025-12-20T00:00:00Z", "{'trialEndsAt':'2026-01-01'}");
	(void)subscribe_with(w, BUYER_B, "2026-01-03T00:00:00Z", "{'trialEndsAt':'2026-01-31'}");
	(void)subscribe_with(w, BUYER_B, "2026-01-02T00:00:00Z", "{}");
	/* What is used in a trial is not billed. */
	(void)subscribe_with(w, BUYER, "2025-12-31T00:00:00Z",
	    "{'offerId':'" OFFER_ID "','trialEndsAt':'2026-01-05T03:00:00Z'}");
	use(w, "users", DAY + H, 5);
}

static void
free_trials(void **state)
{
	struct world *w = *state;

	world_run(state, some_trials);
	make(w, DS_DAILY_FREE_TRIAL_CONVERSIONS, INSTANT_MAX, true);
	assert_rows(1);
	assert_non_null(strstr(here.out.p, "\r\nImage," CODE ",1,3,2,2,,\r\n"));
	make(w, DS_DAILY_FREE_TRIAL_CONVERSIONS, DAY, true);
	assert_non_null(strstr(here.out.p, "\r\nImage," CODE ",0,2,2,2,,\r\n"));
	make(w, DS_DAILY_USAGE_BY_INSTANCE_TYPE, INSTANT_MAX, false);
	assert_rows(1);
	assert_non_null(strstr(here.out.p, ",users,5,Units,,0.00,USD,"));
}

static void
charge(struct world *w, const char *more)
{
	json_t *o = world_json(
	    w, "{'subscriptionId':'" SUB_ID "','kind':'annual','amount':'1200','currency':'USD'}");
	struct fee v;

	assert_int_equal(json_object_update(o, world_json(w, more)), 0);
	assert_int_equal(fee_parse(o, NULL, &v, world_fail(w)), SOUK_OK);
	v.created_at = v.posted_at;
	assert_int_equal(fee_create(w->tx, &w->op, &v, w->mem, world_fail(w)), SOUK_OK);
}

static void
some_fees(struct world *w)
{
	charge(w, "{'postedAt':'2026-01-01T23:59:59.999Z'}");
	charge(w, "{'postedAt':'2026-01-02T23:59:59.999Z','kind':'refund','amount':'-0.125'}");
	charge(w, "{'postedAt':'2026-01-02T00:00:00Z','quantity':12,'dimension':'seats',"
		  "'periodStart':'2026-01-02T00:00:00Z','periodEnd':'2027-01-01T23:59:59Z'}");
	charge(w, "{'postedAt':'2026-01-03T00:00:00Z'}");
}

static void
fees(void **state)
{
	struct world *w = *state;
	const char *second;

	world_run(state, some_fees);
	make(w, DS_DAILY_FEES, INSTANT_MAX, false);
	assert_rows(2);
	assert_non_null(
	    strstr(here.out.p, ",1200.00,USD,Annual fee,2026-01-02,2027-01-01,12,seats,"));
	second = strstr(here.out.p, ",-0.13,USD,Refund,,,1,,");
	assert_non_null(second);
	assert_true(second > strstr(here.out.p, ",1200.00,"));
	make(w, DS_DAILY_FEES, INSTANT_MAX, true);
	assert_int_equal(occurrences(BUYER), 2);
	make(w, DS_DAILY_FEES, DAY + H, false);
	assert_rows(1);
}

static void
some_demonstrations(struct world *w)
{
	(void)world_offer(w, "{'offerId':'" OFFER_ID "','productId':'" PRODUCT_ID "','name':'T'}");
	(void)world_offer(w, "{'offerId':'" DEMO_ID "','productId':'" PRODUCT_ID "','name':'D',"
			     "'program':'FieldDemonstration'}");
	(void)subscribe_with(w, BUYER, "2025-01-01T00:00:00Z", "{'offerId':'" OFFER_ID "'}");
	use(w, "users", DAY, 100);
	(void)subscribe_with(w, BUYER, "2025-01-02T00:00:00Z", "{'offerId':'" DEMO_ID "'}");
	use(w, "users", DAY - H, 7);
	use(w, "users", DAY + H, 2);
	use(w, "users", DAY + 2 * H, 3);
	use(w, "disks", DAY + 23 * H, 1);
	use(w, "users", DAY + 24 * H, 7);
}

static void
demonstrations(void **state)
{
	struct world *w = *state;

	world_run(state, some_demonstrations);
	make(w, DS_FIELD_DEMONSTRATION, INSTANT_MAX, true);
	assert_rows(2);
	assert_non_null(strstr(
	    here.out.p, "\r\nImage," CODE ",disks,1,Units\r\nImage," CODE ",users,5,Units\r\n"));
}

/* Parameters count up in the order in which they first appear, or SQLite would bind them swapped. */
static void
statements(void **state)
{
	(void)state;
	for (unsigned q = 0; q < edsp_facts_texts.n; q++) {
		long highest = 0;

		for (const char *p = edsp_facts_texts.sql[q]; (p = strchr(p, '$')) != NULL; p++) {
			long n = strtol(p + 1, NULL, 10);

			assert_in_range(n, 1, highest + 1);
			highest = n > highest ? n : highest;
		}
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(windows),
		T(usage),
		T(columns),
		T(estimated_revenue),
		T(revenue_as_known),
		T(free_trials),
		T(fees),
		T(demonstrations),
		cmocka_unit_test(statements),
	};

	return cmocka_run_group_tests(tests, ring_setup, ring_teardown);
}
