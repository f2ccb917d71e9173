/* SPDX-License-Identifier: Apache-2.0 */
/* The table of data sets: numbers of columns, those of participants, days of publication, coverage. */
#include "feeds/data_set.h"

#include "../base/check.h"

static void
test_columns(void **state)
{
	static const struct {
		const char *name;
		size_t columns, edsp;
		const char *first, *last;
	} sets[] = {
		{ "customer_subscriber_hourly_monthly_subscriptions", 12, 0,
		    "Customer AWS Account Number", "Reseller account name" },
		{ "customer_subscriber_annual_subscriptions", 17, 0, "Customer AWS Account Number",
		    "Reseller account name" },
		{ "daily_business_usage_by_instance_type", 23, 7, "Customer Reference ID",
		    "Payer Address ID" },
		{ "daily_business_fees", 22, 7, "Customer Reference ID", "Payer Address ID" },
		{ "daily_business_free_trial_conversions", 8, 0, "Product Title", "Solution ID" },
		{ "daily_business_new_instances", 17, 7, "Customer Reference ID",
		    "Payer Address ID" },
		{ "daily_business_new_product_subscribers", 16, 6, "Customer Reference ID",
		    "Payer Address ID" },
		{ "daily_business_canceled_product_subscribers", 18, 7, "Customer Reference ID",
		    "Payer Address ID" },
		{ "monthly_revenue_billing_and_revenue_data", 27, 3, "Customer Reference ID",
		    "Payer Address ID" },
		{ "monthly_revenue_annual_subscriptions", 33, 3, "Customer Reference ID",
		    "Payer Address ID" },
		{ "monthly_revenue_field_demonstration_usage", 5, 0, "Product Title",
		    "Usage Unit Types" },
		{ "monthly_revenue_flexible_payment_schedule", 19, 7, "Customer AWS Account Number",
		    "Payer Reference ID" },
		{ "disbursed_amount_by_product", 22, 7, "Product", "Payer Address ID" },
		{ "disbursed_amount_by_customer_geo", 13, 0, "Settlement ID",
		    "Seller U.S. Sales Tax Refund" },
		{ "disbursed_amount_by_instance_hours", 8, 0, "Product", "Solution ID" },
		{ "disbursed_amount_by_age_of_uncollected_funds", 6, 0,
		    "Uncollected (< 31 days pending)", "Uncollected (overall)" },
		{ "disbursed_amount_by_age_of_disbursed_funds", 6, 0,
		    "Collected (< 31 days pending)", "Collected (overall)" },
		{ "disbursed_amount_by_age_of_past_due_funds", 6, 0, "Past Due (< 31 days)",
		    "Past Due (overall)" },
		{ "disbursed_amount_by_uncollected_funds_breakdown", 17, 0,
		    "Payer AWS Account Number", "Payment Due date" },
		{ "sales_compensation_billed_revenue", 22, 0, "Customer AWS Account Number",
		    "Payer Address ID" },
		{ "us_sales_and_use_tax_records", 36, 0, "Line Item ID", "Tax Liable Party" },
	};

	(void)state;
	assert_int_equal(COUNT(sets), DS_LIVE_COUNT);
	for (size_t i = 0; i < COUNT(sets); i++) {
		const struct data_set_info *info;
		enum data_set d = DS__COUNT;
		size_t edsp = 0;

		assert_row(i, data_set_find(str_c(sets[i].name), &d));
		info = data_set_info(d);
		for (size_t c = 0; c < info->n_columns; c++) {
			edsp += info->columns[c].edsp;
			for (size_t e = 0; e < c; e++)
				assert_string_not_equal(
				    info->columns[c].name, info->columns[e].name);
		}
		assert_int_equal(info->n_columns, sets[i].columns);
		assert_int_equal(edsp, sets[i].edsp);
		assert_string_equal(info->columns[0].name, sets[i].first);
		assert_string_equal(info->columns[info->n_columns - 1].name, sets[i].last);
		assert_row(i, !data_set_deprecated(d) && data_set_since(d) < INSTANT_MAX);
		assert_row(i, (info->source == SOURCE_FEEDS) == (info->note == NULL));
	}
}

static void
test_deprecated(void **state)
{
	enum data_set d = DS__COUNT;

	(void)state;
	assert_true(data_set_find(STR("customer_profile_by_industry"), &d));
	assert_true(data_set_deprecated(d));
	assert_non_null(data_set_info(d)->note);
	assert_true(data_set_since(d) == INSTANT_MAX);
	assert_false(data_set_find(STR("sales_compensation"), &d));
	assert_false(data_set_find(STR(""), &d));
}

static instant_t
at(const char *text)
{
	instant_t t = 0;

	assert_true(instant_parse(str_c(text), &t));
	return t;
}

static void
test_coverage(void **state)
{
	static const struct {
		enum data_set d;
		const char *asked, *published, *from, *to;
	} cases[] = {
		{ DS_DAILY_NEW_INSTANCES, "2014-06-09T15:00:00Z", "2014-06-09", "2014-06-08",
		    "2014-06-08T23:59:59Z" },
		{ DS_DAILY_FEES, "2018-05-24", "2018-05-24", "2018-05-21", "2018-05-21T23:59:59Z" },
		{ DS_SALES_COMPENSATION, "2024-03-01", "2024-03-15", "2024-02-01",
		    "2024-02-29T23:59:59Z" },
		{ DS_SALES_COMPENSATION, "2024-01-31", "2024-01-15", "2023-12-01",
		    "2023-12-31T23:59:59Z" },
	};
	struct instant_range r;
	char name[DATA_SET_FILE_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		instant_t p = data_set_publication(cases[i].d, at(cases[i].asked));

		assert_row(i, p == at(cases[i].published));
		assert_row(i, data_set_coverage(cases[i].d, p, &r));
		assert_row(i, r.from == at(cases[i].from) && r.to == at(cases[i].to));
	}
	assert_false(data_set_coverage(DS_DISBURSED_BY_PRODUCT, at("2024-01-20"), &r));
	data_set_file_name(DS_SALES_COMPENSATION, at("2024-03-15"), name);
	assert_string_equal(name, "sales_compensation_billed_revenue_2024-03-15");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_deprecated),
		cmocka_unit_test(test_coverage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
