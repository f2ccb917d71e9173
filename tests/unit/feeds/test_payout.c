/* SPDX-License-Identifier: Apache-2.0 */
/* Which payout a publication is of: the latest in the look-back that did not fail, as known at an instant. */
#include "feeds/report.h"

#include "../base/check.h"
#include "base/io.h"
#include "feed_dir.h"

static const char *dir;

static void
file(const char *feed, const char *text)
{
	char path[256];
	struct fail f = { 0 };

	(void)snprintf(path, sizeof(path), "%s/%s/year=2024/month=01", dir, feed);
	assert_int_equal(io_make_dir(path, 0700, &f), SOUK_OK);
	(void)strncat(path, "/data.csv", sizeof(path) - strlen(path) - 1);
	assert_int_equal(io_write_file(path, str_c(text), 0600, &f), SOUK_OK);
}

#define HISTORY "valid_from,insert_date,update_date,delete_date\n"
#define EVENT(id, type, parent, date, known)                                                       \
	id ",AWS,seller,,,DISBURSED," type "," parent ",,10,USD,0," date                           \
	   ",,,,,,,bank,AWS_INC," date "," known "," known ",\n"

static int
make_feeds(void **state)
{
	(void)state;
	dir = feed_dir_new();
	file("accountfeed_v1",
	    "account_id,aws_account_id,encrypted_account_id,mailing_address_id,tax_address_id,"
	    "tax_registration_number,tax_legal_name," HISTORY);
	file("addressfeed_v1",
	    "address_id,aws_account_id,email_domain,company_name,country,state_or_region,city,"
	    "postal_code,address_line_1,address_line_2,address_line_3,valid_from,valid_to,insert_"
	    "date,"
	    "update_date,delete_date\n");
	file("productfeed_v1", "product_id,manufacturer_account_id,product_code,title," HISTORY);
	file("billingeventfeed_v1",
	    "billing_event_id,from_account_id,to_account_id,end_user_account_id,product_id,action,"
	    "transaction_type,parent_billing_event_id,disbursement_billing_event_id,amount,"
	    "currency,balance_impacting,invoice_date,payment_due_date,usage_period_start_date,"
	    "usage_period_end_date,invoice_id,billing_address_id,transaction_reference_id,"
	    "bank_trace_id,broker_id," HISTORY EVENT(
		"d1", "DISBURSEMENT", "", "2024-01-10T08:00:00Z", "2024-01-10T08:00:00Z")
		EVENT("d2", "DISBURSEMENT", "", "2024-02-10T08:00:00Z", "2024-02-10T08:00:00Z")
		    EVENT("d3", "DISBURSEMENT", "", "2024-02-20T08:00:00Z", "2024-02-20T08:00:00Z")
			EVENT("f3", "DISBURSEMENT_FAILURE", "d3", "2024-02-22T08:00:00Z",
			    "2024-02-22T08:00:00Z"));
	return 0;
}

static int
remove_feeds(void **state)
{
	(void)state;
	feed_dir_remove(dir);
	return 0;
}

static instant_t
at(const char *text)
{
	instant_t t = 0;

	assert_true(text[0] == '\0' || instant_parse(str_c(text), &t));
	return text[0] != '\0' ? t : INSTANT_NONE;
}

static void
test_latest(void **state)
{
	static const struct {
		const char *earliest, *latest, *known_at, *day, *since;
	} cases[] = {
		{ "2024-01-25", "2024-02-25", "", "2024-02-10", "2024-01-10" }, /* d3 failed */
		{ "2024-01-25", "2024-02-21", "2024-02-21", "2024-02-20", "2024-02-10" },
		{ "2024-01-01", "2024-02-09", "", "2024-01-10", "" },
		{ "2024-01-10T23:00:00Z", "2024-02-10T07:59:59Z", "", "2024-01-10", "" },
		{ "2024-01-11", "2024-02-10T07:59:59Z", "", NULL, "" },
		{ "2023-01-11", "2023-02-10", "", NULL, "" },
	};
	struct feed_source *source = NULL;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(feed_source_folder(dir, &source, &f), SOUK_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report_request q = { .data_set = DS_DISBURSED_BY_PRODUCT,
			.source = source,
			.known_at = at(cases[i].known_at),
			.currency = CURRENCY_NONE,
			.threads = 1 };
		struct instant_range r = { 0, 0 };
		instant_t since = 0;
		enum souk_err e = report_find_payout(
		    &q, at(cases[i].earliest), at(cases[i].latest), &r, &since, &f);

		assert_row(i, e == (cases[i].day != NULL ? SOUK_OK : SOUK_E_NOT_FOUND));
		if (e != SOUK_OK)
			continue;
		assert_row(i, r.from == at(cases[i].day) && r.to == r.from + DAY_MS - SECOND_MS);
		assert_row(i, since == at(cases[i].since));
	}
	feed_source_free(source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_latest) };

	return cmocka_run_group_tests(tests, make_feeds, remove_feeds);
}
