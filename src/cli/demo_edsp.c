/* SPDX-License-Identifier: Apache-2.0 */
/* See demo_edsp.h. */
#include "cli/demo_edsp.h"

#include "base/io.h"
#include "cli/demo_data.h"
#include "edsp/enrol.h"
#include "edsp/feed_objects.h"
#include "feeds/make.h"
#include "feeds/month.h"
#include "market/fee.h"
#include "market/rate.h"
#include "market/usage.h"

#include <stdio.h>
#include <string.h>

#define USAGE_DAYS 7
#define PRICES_FROM INT64_C(1735689600000) /* 2025-01-01: before any usage */
#define FEED_EVENTS 1000
#define FEED_FROM (2025 * 12)
#define FEED_MONTHS 12
#define PATH_SIZE 4096

enum souk_err
demo_usage(struct db_tx *tx, const struct tenant_scope *s, const struct subscription *subscription,
    uint64_t seed)
{
	/* Numbers of its own: usage changes no other fact of the same seed. */
	struct prng random = { .s = seed ^ 0x75736167 };
	bool hourly = str_eq_c(subscription->kind, "hourly");
	instant_t today = day_begin(db_now(tx));
	enum souk_err r = SOUK_OK;

	if (!hourly && !str_eq_c(subscription->kind, "metered"))
		return SOUK_OK;
	for (int day = 0; day < USAGE_DAYS && r == SOUK_OK; day++) {
		struct usage u = { .product_id = subscription->product_id,
			.dimension = hourly ? STR("m5.large") : STR("users"),
			.allocations = STR(""),
			.client_token = STR(""),
			.hour = today - (USAGE_DAYS - day) * DAY_MS +
				(instant_t)(8 + prng_below(&random, 10)) * HOUR_MS,
			.quantity = 1 + (int64_t)prng_below(&random, 24),
			.source = USAGE_IMPORT };
		enum usage_status status;

		memcpy(u.seller_id, subscription->seller_id, sizeof(u.seller_id));
		memcpy(u.buyer_id, subscription->buyer_id, sizeof(u.buyer_id));
		r = usage_take(tx, s, &u, &status);
	}
	return r;
}

enum souk_err
demo_rate(struct db_tx *tx, const struct tenant_scope *s, const struct demo_product *of,
    const struct guid *offer, uint64_t seed, struct arena *mem, struct fail *f)
{
	struct prng random = { .s = seed ^ 0x72617465 };
	struct rate v = { .id = prng_guid(&random),
		.offer_id = *offer,
		.currency = "USD",
		.starts_at = PRICES_FROM,
		.created_at = PRICES_FROM };

	if (!of->dimension)
		return SOUK_OK;
	v.dimension = str_c(of->dimension);
	if (money_parse(str_c(of->price), &v.price) != MONEY_OK)
		return SOUK_E_INTERNAL;
	return rate_create(tx, s, &v, mem, f);
}

enum souk_err
demo_fees(struct db_tx *tx, const struct tenant_scope *s, const struct subscription *subscription,
    uint64_t seed, struct arena *mem, struct fail *f)
{
	struct prng random = { .s = seed ^ 0x66656573 };
	bool annual = str_eq_c(subscription->kind, "annual");
	struct fee whole = { .id = prng_guid(&random),
		.subscription_id = subscription->id,
		.kind = annual ? STR("annual") : STR("contract"),
		.description = annual ? STR("Annual fee") : STR("Contract fee"),
		.amount = (1200 + (money_t)prng_below(&random, 4000)) * MONEY_ONE,
		.currency = "USD",
		.quantity = subscription->quantity,
		.period_start = subscription->starts_at,
		.period_end = subscription->starts_at + 365 * DAY_MS - SECOND_MS,
		.posted_at = subscription->starts_at,
		.created_at = subscription->starts_at };
	struct fee lately = whole;
	enum souk_err r;

	if (!annual && !str_eq_c(subscription->kind, "contract"))
		return SOUK_OK;
	lately.id = prng_guid(&random);
	lately.kind = STR("monthly");
	lately.description = STR("Support, monthly");
	lately.amount = (49 + (money_t)prng_below(&random, 50)) * MONEY_ONE;
	lately.posted_at = day_begin(db_now(tx)) - (instant_t)(1 + prng_below(&random, 7)) * DAY_MS;
	lately.period_start = lately.period_end = 0;
	lately.created_at = lately.posted_at;
	if ((r = fee_create(tx, s, &whole, mem, f)) != SOUK_OK)
		return r;
	return fee_create(tx, s, &lately, mem, f);
}

enum souk_err
demo_enrol_edsp(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct fail *f)
{
	static const struct edsp_evidence given[EDSP_REQUIREMENTS] = {
		[EDSP_R2] = { STR("demo/plan.json"), STR(""), STR(""),
		    STR("[\"hourly\",\"monthly\",\"annual\",\"metered\"]") },
		[EDSP_R3] = { STR("announcement.pdf"), STR("2025-01-01"), STR(""), STR("[]") },
		[EDSP_R4] = { STR(""), STR(""), STR("2020-05"),
		    STR("[\"confidential\",\"no-lead-generation\"]") },
		[EDSP_R5] = { STR(""), STR(""), STR(""),
		    STR("[\"field-sales-compensation-only\"]") },
	};
	struct enrolment e;
	enum souk_err r = SOUK_OK;

	for (int q = 0; q < EDSP_REQUIREMENTS && r == SOUK_OK; q++) {
		enum edsp_requirement which = (enum edsp_requirement)q;

		if (which != EDSP_R1)
			r = edsp_evidence_give(tx, s, seller_id, which, &given[q], f);
		if (r == SOUK_OK)
			r = edsp_evidence_decide(
			    tx, s, seller_id, which, true, STR("of the demo"), f);
	}
	return r == SOUK_OK ? edsp_enrolment_set(tx, s, seller_id, true, &e, f) : r;
}

enum souk_err
demo_feeds(struct installation *in, const char *seller_id, uint64_t seed, struct fail *f)
{
	char folder[PATH_SIZE], feeds[PATH_SIZE], plan[PATH_SIZE];
	struct make_options o = { .dir = feeds,
		.events = FEED_EVENTS,
		.seed = seed,
		.from_month = FEED_FROM,
		.months = FEED_MONTHS,
		.seller = seller_id,
		.gzip = true };
	struct make_result made;
	struct feed_source *source = NULL;
	enum souk_err r;

	if ((r = installation_path(in->data_dir, "demo", folder, sizeof(folder), f)) != SOUK_OK ||
	    (r = installation_path(folder, "feeds", feeds, sizeof(feeds), f)) != SOUK_OK ||
	    (r = installation_path(folder, "plan.json", plan, sizeof(plan), f)) != SOUK_OK ||
	    (r = io_make_dir(folder, 0700, f)) != SOUK_OK ||
	    (r = io_write_file(plan, str_c(demo_plan), 0600, f)) != SOUK_OK ||
	    (r = feeds_make(&o, &made, f)) != SOUK_OK ||
	    (r = feed_source_folder(feeds, &source, f)) != SOUK_OK)
		return r;
	r = feed_objects_put(in->db, in->objects, str_c(seller_id), source, NULL, f);
	feed_source_free(source);
	return r;
}
