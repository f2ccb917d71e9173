/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets from facts, on either engine: windows to the millisecond, knowledge, columns, order. */
#include "unit/market/market_test.h"

#include "edsp/facts.h"
#include "edsp/facts_store.h"
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
		cmocka_unit_test(statements),
	};

	return cmocka_run_group_tests(tests, ring_setup, ring_teardown);
}
