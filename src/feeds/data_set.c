/* SPDX-License-Identifier: Apache-2.0 */
/* The table of data sets: each column stands here once, in its order (edsp 4). */
#include "feeds/data_set.h"

#include "feeds/month.h"

#include <assert.h>
#include <stdio.h>

#define TEXT(n)                                                                                    \
	{                                                                                          \
		n, CELL_TEXT, false                                                                \
	}
#define MONEY(n)                                                                                   \
	{                                                                                          \
		n, CELL_MONEY, false                                                               \
	}
#define MONEY_REPEATED(n)                                                                          \
	{                                                                                          \
		n, CELL_MONEY_REPEATED, false                                                      \
	}
#define DECIMAL(n)                                                                                 \
	{                                                                                          \
		n, CELL_DECIMAL, false                                                             \
	}
#define COUNT(n)                                                                                   \
	{                                                                                          \
		n, CELL_COUNT, false                                                               \
	}
#define DATE(n)                                                                                    \
	{                                                                                          \
		n, CELL_DATE, false                                                                \
	}
#define TEXT_EDSP(n)                                                                               \
	{                                                                                          \
		n, CELL_TEXT, true                                                                 \
	}

/* clang-format off */
static const struct data_set_column customer_subscriber_hourly_monthly_subscriptions[] = {
	TEXT("Customer AWS Account Number"),
	TEXT("Product Title"),
	TEXT("Product Id"),
	TEXT("Product Code"),
	DATE("Subscription Start Date"),
	TEXT("Offer ID"),
	TEXT("Offer Visibility"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT("Reseller account ID"),
	TEXT("Reseller account name"),
};
static const struct data_set_column customer_subscriber_annual_subscriptions[] = {
	TEXT("Customer AWS Account Number"),
	TEXT("Product Title"),
	TEXT("Product Id"),
	TEXT("Product Code"),
	TEXT("Subscription Id"),
	DECIMAL("Subscription Quantity"),
	TEXT("Subscription Type"),
	TEXT("Subscription Intent"),
	TEXT("Offer ID"),
	DATE("Subscription Start Date"),
	TEXT("Previous Offer ID"),
	TEXT("Offer Visibility"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT("Reseller account ID"),
	TEXT("Reseller account name"),
};
static const struct data_set_column daily_business_usage_by_instance_type[] = {
	TEXT("Customer Reference ID"),
	TEXT("User's State"),
	TEXT("User's Country"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	TEXT("Instance Type"),
	DECIMAL("Usage Units"),
	TEXT("Usage Unit Type"),
	TEXT("Offering Description"),
	MONEY("Estimated Revenue"),
	TEXT("Currency"),
	TEXT("Offer ID"),
	TEXT("Offer Visibility"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer Zip Code"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column daily_business_fees[] = {
	TEXT("Customer Reference ID"),
	TEXT("User's State"),
	TEXT("User's Country"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	MONEY("Amount"),
	TEXT("Currency"),
	TEXT("Fee Description"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer Zip Code"),
	TEXT_EDSP("Customer Email Domain"),
	DATE("Start Date"),
	DATE("End Date"),
	DECIMAL("Quantity"),
	TEXT("Dimension"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column daily_business_free_trial_conversions[] = {
	TEXT("Product Title"),
	TEXT("Product Code"),
	COUNT("New Free Trials"),
	COUNT("Total Current Free Trials"),
	COUNT("Converted Free Trials"),
	COUNT("Non-Converted Free Trials"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
};
static const struct data_set_column daily_business_new_instances[] = {
	TEXT("Customer Reference ID"),
	TEXT("User's State"),
	TEXT("User's Country"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	TEXT("Type"),
	COUNT("Count"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer Zip Code"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column daily_business_new_product_subscribers[] = {
	TEXT("Customer Reference ID"),
	TEXT("User's State"),
	TEXT("User's Country"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	TEXT("Offer ID"),
	TEXT("Offer Visibility"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer Zip Code"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column daily_business_canceled_product_subscribers[] = {
	TEXT("Customer Reference ID"),
	TEXT("User's State"),
	TEXT("User's Country"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	DATE("Subscribed Date"),
	TEXT("Offer ID"),
	TEXT("Offer Visibility"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer Zip Code"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column monthly_revenue_billing_and_revenue_data[] = {
	TEXT("Customer Reference ID"),
	TEXT("Country"),
	TEXT("State"),
	TEXT("City"),
	TEXT("Zip Code"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	MONEY("Customer Billed Amount"),
	MONEY("AWS Listing Fee"),
	MONEY("Refunds Amount"),
	MONEY("AWS Fee Refund"),
	MONEY("Cost"),
	MONEY("Partner Revenue Amount"),
	TEXT("Currency"),
	TEXT("Transaction Reference ID"),
	MONEY("U.S. Sales Tax Customer Billed Amount"),
	MONEY("U.S. Sales Tax Refunds Amount"),
	TEXT("Offer ID"),
	TEXT("Offer Visibility"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Opportunity Name"),
	TEXT("Opportunity Description"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column monthly_revenue_annual_subscriptions[] = {
	TEXT("Customer Reference ID"),
	TEXT("Country"),
	TEXT("State"),
	TEXT("City"),
	TEXT("Zip Code"),
	TEXT("Product Title"),
	TEXT("Product Code"),
	DECIMAL("Subscription Quantity"),
	DATE("Subscription Start Date"),
	DATE("Subscription End Date"),
	TEXT("Subscription Instance Type"),
	MONEY("Customer Billed Amount"),
	MONEY("AWS Listing Fee"),
	MONEY("Refunds Amount"),
	MONEY("AWS Fee Refund"),
	MONEY("Cost"),
	MONEY("Partner Revenue Amount"),
	TEXT("Currency"),
	TEXT("Transaction Reference ID"),
	MONEY("U.S. Sales Tax Customer Billed Amount"),
	MONEY("U.S. Sales Tax Refunds Amount"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Offer ID"),
	TEXT("Offer Visibility"),
	DATE("Contract Start Date"),
	DATE("Contract End Date"),
	TEXT("Opportunity Name"),
	TEXT("Opportunity Description"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column monthly_revenue_field_demonstration_usage[] = {
	TEXT("Product Title"),
	TEXT("Product Code"),
	TEXT("Instance Type"),
	DECIMAL("Usage Units"),
	TEXT("Usage Unit Types"),
};
static const struct data_set_column monthly_revenue_flexible_payment_schedule[] = {
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer ZIP Code"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("User Reference ID"),
	TEXT_EDSP("User AWS Account Number"),
	TEXT("Product ID"),
	TEXT("Product Title"),
	TEXT("Product Type"),
	TEXT("AWS Marketplace Offer ID"),
	DATE("Contract Create Date"),
	DATE("Contract Expiration Date"),
	MONEY_REPEATED("Total Contract Value (USD)"),
	COUNT("# of Payments"),
	DATE("Invoice Date"),
	MONEY("Invoice Amount (USD)"),
	TEXT("Payer Reference ID"),
};
static const struct data_set_column disbursed_amount_by_product[] = {
	TEXT("Product"),
	TEXT("Product Code"),
	MONEY("SellerRev"),
	MONEY("AWSRefFee"),
	MONEY("SellerRevRefund"),
	MONEY("AWSRefFeeRefund"),
	MONEY("SellerRevCredit"),
	MONEY("AWSRefFeeCredit"),
	MONEY("Net Amount"),
	TEXT("Transaction Reference ID"),
	MONEY("SellerUSSalesTax"),
	MONEY("SellerUSSalesTaxRefund"),
	TEXT_EDSP("Customer AWS Account Number"),
	TEXT_EDSP("Customer Country"),
	TEXT_EDSP("Customer State"),
	TEXT_EDSP("Customer City"),
	TEXT_EDSP("Customer Zip Code"),
	TEXT_EDSP("Customer Email Domain"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT_EDSP("Payer Address ID"),
};
static const struct data_set_column disbursed_amount_by_customer_geo[] = {
	TEXT("Settlement ID"),
	DATE("Settlement Period Start Date"),
	DATE("Settlement Period End Date"),
	DATE("Deposit Date"),
	MONEY_REPEATED("Disbursed Amount"),
	TEXT("Country Code"),
	TEXT("State or Region"),
	TEXT("City"),
	TEXT("Postal Code"),
	MONEY("Net Amount by Tax Location"),
	MONEY("Gross Amount by Tax Location"),
	MONEY("Seller U.S. Sales Tax"),
	MONEY("Seller U.S. Sales Tax Refund"),
};
static const struct data_set_column disbursed_amount_by_instance_hours[] = {
	TEXT("Product"),
	TEXT("Product Code"),
	TEXT("Usage Type Description"),
	DECIMAL("Rate"),
	COUNT("User Count"),
	DECIMAL("Instance Hours"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
};
static const struct data_set_column disbursed_amount_by_age_of_uncollected_funds[] = {
	MONEY("Uncollected (< 31 days pending)"),
	MONEY("Uncollected (31-60 days pending)"),
	MONEY("Uncollected (61-90 days pending)"),
	MONEY("Uncollected (91-120 days pending)"),
	MONEY("Uncollected (> 120 days pending)"),
	MONEY("Uncollected (overall)"),
};
static const struct data_set_column disbursed_amount_by_age_of_disbursed_funds[] = {
	MONEY("Collected (< 31 days pending)"),
	MONEY("Collected (31-60 days pending)"),
	MONEY("Collected (61-90 days pending)"),
	MONEY("Collected (91-120 days pending)"),
	MONEY("Collected (> 120 days pending)"),
	MONEY("Collected (overall)"),
};
static const struct data_set_column disbursed_amount_by_age_of_past_due_funds[] = {
	MONEY("Past Due (< 31 days)"),
	MONEY("Past Due (31-60 days)"),
	MONEY("Past Due (61-90 days)"),
	MONEY("Past Due (91-120 days)"),
	MONEY("Past Due (> 120 days)"),
	MONEY("Past Due (overall)"),
};
static const struct data_set_column disbursed_amount_by_uncollected_funds_breakdown[] = {
	TEXT("Payer AWS Account Number"),
	TEXT("Product Code"),
	MONEY("Gross Revenue"),
	MONEY("AWS Revenue Share"),
	MONEY("Gross Refunds"),
	MONEY("AWS Refunds Share"),
	MONEY("Net Revenue"),
	TEXT("Currency"),
	TEXT("AR Period"),
	TEXT("Transaction Reference ID"),
	TEXT("Opportunity Name"),
	TEXT("Opportunity Description"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT("Payer Address ID"),
	DATE("Payment Due date"),
};
static const struct data_set_column sales_compensation_billed_revenue[] = {
	TEXT("Customer AWS Account Number"),
	TEXT("Country"),
	TEXT("State"),
	TEXT("City"),
	TEXT("Zip Code"),
	TEXT("Email Domain"),
	TEXT("Product Code"),
	TEXT("Product Title"),
	MONEY("Gross Revenue"),
	MONEY("AWS Revenue Share"),
	MONEY("Gross Refunds"),
	MONEY("AWS Refunds Share"),
	MONEY("Net Revenue"),
	TEXT("Currency"),
	TEXT("AR Period"),
	TEXT("Transaction Reference ID"),
	TEXT("Opportunity Name"),
	TEXT("Opportunity Description"),
	TEXT("Solution Title"),
	TEXT("Solution ID"),
	TEXT("Payer Reference ID"),
	TEXT("Payer Address ID"),
};
static const struct data_set_column us_sales_and_use_tax_records[] = {
	TEXT("Line Item ID"),
	TEXT("Customer Bill ID"),
	TEXT("Product Name"),
	TEXT("Product Code"),
	TEXT("Product Tax Code"),
	TEXT("Seller ID"),
	TEXT("Seller Name"),
	DATE("Transaction Date"),
	MONEY_REPEATED("Total Adjusted Price"),
	MONEY_REPEATED("Total Tax"),
	TEXT("Base Currency Code"),
	TEXT("Bill to City"),
	TEXT("Bill to State"),
	TEXT("Bill to Postal Code"),
	TEXT("Bill to Country"),
	TEXT("Transaction Type Code"),
	TEXT("Display Price Taxability Type"),
	TEXT("Tax Location Code Taxed Jurisdiction"),
	TEXT("Tax Type Code"),
	TEXT("Jurisdiction Level"),
	TEXT("Taxed Jurisdiction"),
	MONEY("Taxable Sale Amount"),
	MONEY("Nontaxable Sale Amount"),
	MONEY("Tax Amount"),
	DECIMAL("Tax Jurisdiction Tax Rate"),
	TEXT("Tax Calculation Reason Code"),
	DATE("Date Used For Tax Calculation"),
	TEXT("Customer Exemption Certificate ID"),
	TEXT("Customer Exemption Certificate ID Domain"),
	TEXT("Customer Exemption Certificate Level"),
	TEXT("Customer Exemption Code"),
	TEXT("Customer Exemption Domain"),
	TEXT("Customer Reference ID"),
	TEXT("Transaction Reference ID"),
	TEXT("Payer Reference ID"),
	TEXT("Tax Liable Party"),
};

/* The documented queries (data-feeds 6): what they select, under the names of the reports. */
static const struct data_set_column query_disbursed_amount_by_product[] = {
	TEXT("Product"),
	TEXT("Product Code"),
	MONEY("SellerRev"),
	MONEY("AWSRefFee"),
	MONEY("SellerRevRefund"),
	MONEY("AWSRefFeeRefund"),
	MONEY("SellerRevCredit"),
	MONEY("AWSRefFeeCredit"),
	MONEY("Net Amount"),
	TEXT("Transaction Reference ID"),
	MONEY("SellerUSSalesTax"),
	MONEY("SellerUSSalesTaxRefund"),
	TEXT("Customer AWS Account Number"),
	TEXT("End Customer AWS Account ID"),
	DATE("Disbursement Date"),
	TEXT("Bank Trace ID"),
};
static const struct data_set_column query_sales_compensation_billed_revenue[] = {
	TEXT("Customer AWS Account Number"),
	TEXT("Country"),
	TEXT("State"),
	TEXT("City"),
	TEXT("Zip Code"),
	TEXT("Email Domain"),
	TEXT("Product Code"),
	TEXT("Product Title"),
	MONEY("Gross Revenue"),
	MONEY("AWS Revenue Share"),
	MONEY("Gross Refunds"),
	MONEY("AWS Refunds Share"),
	MONEY("Net Revenue"),
	TEXT("Currency"),
	TEXT("AR Period"),
	TEXT("Transaction Reference ID"),
	TEXT("Payer Reference ID"),
	TEXT("End Customer AWS Account ID"),
};
/* clang-format on */

#define N(a) (uint8_t)(sizeof(a) / sizeof((a)[0]))
#define COLUMNS(a) .columns = (a), .n_columns = N(a)
#define QUERY(a) .query_columns = (a), .n_query_columns = N(a)

#define ON_SERVER                                                                                  \
	"it is made of subscriptions, usage and fees, which data feeds do not hold: ask a server " \
	"with GenerateDataSet"
#define NO_SOLUTIONS "feeds do not tell solutions: these columns are empty"
#define NO_OPPORTUNITIES                                                                           \
	"feeds do not tell which opportunity or solution a sale belongs to: these columns are "    \
	"empty"
#define NO_OFFERS                                                                                  \
	"feeds do not tell which offer, opportunity or solution a sale belongs to: these columns " \
	"are "                                                                                     \
	"empty"
#define NO_PROFILE                                                                                 \
	"nothing took its place; sales_compensation_billed_revenue tells buyers by company domain"

static const struct data_set_info infos[DS__COUNT] = {
	[DS_SUBSCRIBER_HOURLY_MONTHLY] = { .name = "customer_subscriber_hourly_monthly_subscriptions", COLUMNS(customer_subscriber_hourly_monthly_subscriptions), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_SUBSCRIBER_ANNUAL] = { .name = "customer_subscriber_annual_subscriptions", COLUMNS(customer_subscriber_annual_subscriptions), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_DAILY_USAGE_BY_INSTANCE_TYPE] = { .name = "daily_business_usage_by_instance_type", COLUMNS(daily_business_usage_by_instance_type), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_DAILY_FEES] = { .name = "daily_business_fees", COLUMNS(daily_business_fees), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_DAILY_FREE_TRIAL_CONVERSIONS] = { .name = "daily_business_free_trial_conversions", COLUMNS(daily_business_free_trial_conversions), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_DAILY_NEW_INSTANCES] = { .name = "daily_business_new_instances", COLUMNS(daily_business_new_instances), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_DAILY_NEW_SUBSCRIBERS] = { .name = "daily_business_new_product_subscribers", COLUMNS(daily_business_new_product_subscribers), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_DAILY_CANCELED_SUBSCRIBERS] = { .name = "daily_business_canceled_product_subscribers", COLUMNS(daily_business_canceled_product_subscribers), .rhythm = RHYTHM_DAILY, .source = SOURCE_FACTS, .since = "2017-09-15", .note = ON_SERVER, },
	[DS_BILLING_AND_REVENUE] = { .name = "monthly_revenue_billing_and_revenue_data", COLUMNS(monthly_revenue_billing_and_revenue_data), .rhythm = RHYTHM_MONTHLY, .source = SOURCE_FEEDS_PARTLY, .since = "2017-09-15", .note = NO_OFFERS, },
	[DS_ANNUAL_SUBSCRIPTIONS] = { .name = "monthly_revenue_annual_subscriptions", COLUMNS(monthly_revenue_annual_subscriptions), .rhythm = RHYTHM_MONTHLY, .source = SOURCE_FEEDS_PARTLY, .since = "2017-09-15", .note = "feeds do not tell quantities, instance types, offers, opportunities and solutions: these columns are empty", },
	[DS_FIELD_DEMONSTRATION] = { .name = "monthly_revenue_field_demonstration_usage", COLUMNS(monthly_revenue_field_demonstration_usage), .rhythm = RHYTHM_MONTHLY, .source = SOURCE_FACTS, .since = "2018-03-15", .note = ON_SERVER, },
	[DS_FLEXIBLE_PAYMENTS] = { .name = "monthly_revenue_flexible_payment_schedule", COLUMNS(monthly_revenue_flexible_payment_schedule), .rhythm = RHYTHM_MONTHLY, .source = SOURCE_FEEDS_PARTLY, .since = "2018-11-15", .note = "feeds tell instalments that were invoiced, not those to come; product types are empty", },
	[DS_DISBURSED_BY_PRODUCT] = { .name = "disbursed_amount_by_product", COLUMNS(disbursed_amount_by_product), QUERY(query_disbursed_amount_by_product), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS_PARTLY, .since = "2017-09-15", .note = NO_SOLUTIONS, },
	[DS_DISBURSED_BY_INSTANCE_HOURS] = { .name = "disbursed_amount_by_instance_hours", COLUMNS(disbursed_amount_by_instance_hours), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS_PARTLY, .since = "2017-09-15", .note = "feeds do not tell usage, rates and solutions: users are counted, these columns are empty", },
	[DS_DISBURSED_BY_GEO] = { .name = "disbursed_amount_by_customer_geo", COLUMNS(disbursed_amount_by_customer_geo), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS, .since = "2017-09-15", },
	[DS_AGE_OF_UNCOLLECTED] = { .name = "disbursed_amount_by_age_of_uncollected_funds", COLUMNS(disbursed_amount_by_age_of_uncollected_funds), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS, .since = "2017-09-15", },
	[DS_AGE_OF_DISBURSED] = { .name = "disbursed_amount_by_age_of_disbursed_funds", COLUMNS(disbursed_amount_by_age_of_disbursed_funds), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS, .since = "2017-09-15", },
	[DS_AGE_OF_PAST_DUE] = { .name = "disbursed_amount_by_age_of_past_due_funds", COLUMNS(disbursed_amount_by_age_of_past_due_funds), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS, .since = "2018-04-07", },
	[DS_UNCOLLECTED_BREAKDOWN] = { .name = "disbursed_amount_by_uncollected_funds_breakdown", COLUMNS(disbursed_amount_by_uncollected_funds_breakdown), .rhythm = RHYTHM_DISBURSED, .source = SOURCE_FEEDS_PARTLY, .since = "2019-10-04", .note = NO_OPPORTUNITIES, },
	[DS_SALES_COMPENSATION] = { .name = "sales_compensation_billed_revenue", COLUMNS(sales_compensation_billed_revenue), QUERY(query_sales_compensation_billed_revenue), .rhythm = RHYTHM_MONTHLY, .source = SOURCE_FEEDS_PARTLY, .since = "2017-09-15", .participants_only = true, .note = NO_OPPORTUNITIES, },
	[DS_SALES_AND_USE_TAX] = { .name = "us_sales_and_use_tax_records", COLUMNS(us_sales_and_use_tax_records), .rhythm = RHYTHM_MONTHLY, .source = SOURCE_FEEDS, .since = "2017-09-15", },
	[DS_OLD_WITH_UNCOLLECTED] = { .name = "disbursed_amount_by_product_with_uncollected_funds", .rhythm = RHYTHM_NEVER, .source = SOURCE_NONE, .note = "disbursed_amount_by_product, disbursed_amount_by_age_of_uncollected_funds and disbursed_amount_by_age_of_disbursed_funds took its place" },
	[DS_OLD_PROFILE_BY_INDUSTRY] = { .name = "customer_profile_by_industry", .rhythm = RHYTHM_NEVER, .source = SOURCE_NONE, .note = NO_PROFILE },
	[DS_OLD_PROFILE_BY_REVENUE] = { .name = "customer_profile_by_revenue", .rhythm = RHYTHM_NEVER, .source = SOURCE_NONE, .note = NO_PROFILE },
	[DS_OLD_PROFILE_BY_GEOGRAPHY] = { .name = "customer_profile_by_geography", .rhythm = RHYTHM_NEVER, .source = SOURCE_NONE, .note = "daily_business_new_product_subscribers and disbursed_amount_by_customer_geo tell where customers are" },
};

const struct data_set_info *
data_set_info(enum data_set d)
{
	assert(d < DS__COUNT);
	return &infos[d];
}

bool
data_set_find(struct str name, enum data_set *ret)
{
	for (size_t i = 0; i < DS__COUNT; i++)
		if (str_eq_c(name, infos[i].name)) {
			*ret = (enum data_set)i;
			return true;
		}
	return false;
}

instant_t
data_set_publication(enum data_set d, instant_t asked)
{
	if (infos[d].rhythm == RHYTHM_MONTHLY)
		return month_begin(month_of(asked)) + (DATA_SET_MONTHLY_DAY - 1) * DAY_MS;
	return day_begin(asked);
}

instant_t
data_set_since(enum data_set d)
{
	instant_t t = INSTANT_MAX;

	return infos[d].since != NULL && instant_parse(str_c(infos[d].since), &t) ? t : INSTANT_MAX;
}

bool
data_set_coverage(enum data_set d, instant_t publication, struct instant_range *ret)
{
	instant_t day = day_begin(publication);

	if (infos[d].rhythm == RHYTHM_MONTHLY) {
		month_t m = month_of(publication) - 1;

		*ret = (struct instant_range){ month_begin(m), month_begin(m + 1) - SECOND_MS };
		return true;
	}
	if (infos[d].rhythm != RHYTHM_DAILY)
		return false;
	day -= (d == DS_DAILY_FEES ? 3 : 1) * DAY_MS;
	*ret = (struct instant_range){ day, day + DAY_MS - SECOND_MS };
	return true;
}

void
data_set_file_name(enum data_set d, instant_t publication, char out[DATA_SET_FILE_NAME_MAX])
{
	char day[DAY_TEXT_LEN + 1];

	day_format(publication, day);
	(void)snprintf(out, DATA_SET_FILE_NAME_MAX, "%s_%s", infos[d].name, day);
}
