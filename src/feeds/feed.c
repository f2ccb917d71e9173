/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of data-feeds 3 and 4. */
#include "feeds/feed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEXT(n)                                                                                    \
	{                                                                                          \
		.name = n, .type = COLUMN_TEXT                                                     \
	}
#define ID(n)                                                                                      \
	{                                                                                          \
		.name = n, .type = COLUMN_TEXT, .filled = true                                     \
	}
#define MAYBE(n)                                                                                   \
	{                                                                                          \
		.name = n, .type = COLUMN_TEXT, .optional = true                                   \
	}
#define DATE(n)                                                                                    \
	{                                                                                          \
		.name = n, .type = COLUMN_INSTANT                                                  \
	}
#define FILLED(n, t)                                                                               \
	{                                                                                          \
		.name = n, .type = t, .filled = true                                               \
	}
/* What older or cut-down files lack does not keep them from being read. */
#define HISTORY(prefix)                                                                            \
	[prefix##                                                                                  \
	    _VALID_FROM] = FILLED("valid_from", COLUMN_INSTANT),                                   \
   [prefix##_INSERT_DATE] = { .name = "insert_date", .type = COLUMN_INSTANT, .optional = true },   \
   [prefix##_UPDATE_DATE] = FILLED("update_date", COLUMN_INSTANT),                                 \
   [prefix##_DELETE_DATE] = { .name = "delete_date", .type = COLUMN_INSTANT, .optional = true }

static const struct feed_column account[ACC__COUNT] = {
	[ACC_ACCOUNT_ID] = ID("account_id"),
	[ACC_AWS_ACCOUNT_ID] = TEXT("aws_account_id"),
	[ACC_ENCRYPTED_ACCOUNT_ID] = TEXT("encrypted_account_id"),
	[ACC_MAILING_ADDRESS_ID] = TEXT("mailing_address_id"),
	[ACC_TAX_ADDRESS_ID] = TEXT("tax_address_id"),
	[ACC_TAX_REGISTRATION_NUMBER] = MAYBE("tax_registration_number"),
	[ACC_TAX_LEGAL_NAME] = MAYBE("tax_legal_name"),
	HISTORY(ACC),
};

static const struct feed_column address[ADR__COUNT] = {
	[ADR_ADDRESS_ID] = ID("address_id"),
	[ADR_AWS_ACCOUNT_ID] = TEXT("aws_account_id"),
	[ADR_EMAIL_DOMAIN] = TEXT("email_domain"),
	[ADR_COMPANY_NAME] = TEXT("company_name"),
	[ADR_COUNTRY] = { .name = "country", .alias = "country_code", .type = COLUMN_TEXT },
	[ADR_STATE_OR_REGION] = TEXT("state_or_region"),
	[ADR_CITY] = TEXT("city"),
	[ADR_POSTAL_CODE] = TEXT("postal_code"),
	[ADR_ADDRESS_LINE_1] = MAYBE("address_line_1"),
	[ADR_ADDRESS_LINE_2] = MAYBE("address_line_2"),
	[ADR_ADDRESS_LINE_3] = MAYBE("address_line_3"),
	[ADR_VALID_TO] = { .name = "valid_to", .type = COLUMN_INSTANT, .optional = true },
	HISTORY(ADR),
};

static const struct feed_column product[PRD__COUNT] = {
	[PRD_PRODUCT_ID] = ID("product_id"),
	[PRD_MANUFACTURER_ACCOUNT_ID] = TEXT("manufacturer_account_id"),
	[PRD_PRODUCT_CODE] = TEXT("product_code"),
	[PRD_TITLE] = TEXT("title"),
	HISTORY(PRD),
};

static const struct feed_column offer[OFF__COUNT] = {
	[OFF_OFFER_ID] = ID("offer_id"),
	[OFF_OFFER_REVISION] = FILLED("offer_revision", COLUMN_INT),
	[OFF_NAME] = TEXT("name"),
	[OFF_EXPIRATION_DATE] = DATE("expiration_date"),
	[OFF_OPPORTUNITY_NAME] = MAYBE("opportunity_name"),
	[OFF_OPPORTUNITY_DESCRIPTION] = MAYBE("opportunity_description"),
	[OFF_SELLER_ACCOUNT_ID] = TEXT("seller_account_id"),
	[OFF_OPPORTUNITY_ID] = MAYBE("opportunity_id"),
	HISTORY(OFF),
};

static const struct feed_column offer_product[OFP__COUNT] = {
	[OFP_OFFER_ID] = ID("offer_id"),
	[OFP_OFFER_REVISION] = FILLED("offer_revision", COLUMN_INT),
	[OFP_PRODUCT_ID] = ID("product_id"),
	HISTORY(OFP),
};

static const struct feed_column offer_target[OFT__COUNT] = {
	[OFT_OFFER_TARGET_ID] = ID("offer_target_id"),
	[OFT_OFFER_ID] = ID("offer_id"),
	[OFT_OFFER_REVISION] = FILLED("offer_revision", COLUMN_INT),
	[OFT_TARGET_TYPE] = TEXT("target_type"),
	[OFT_POLARITY] = TEXT("polarity"),
	[OFT_VALUE] = TEXT("value"),
	HISTORY(OFT),
};

static const struct feed_column legacy_mapping[LEG__COUNT] = {
	[LEG_MAPPING_TYPE] = ID("mapping_type"),
	[LEG_LEGACY_ID] = ID("legacy_id"),
	[LEG_NEW_ID] = TEXT("new_id"),
	HISTORY(LEG),
};

static const struct feed_column billing_event[BE__COUNT] = {
	[BE_BILLING_EVENT_ID] = ID("billing_event_id"),
	[BE_FROM_ACCOUNT_ID] = TEXT("from_account_id"),
	[BE_TO_ACCOUNT_ID] = TEXT("to_account_id"),
	[BE_END_USER_ACCOUNT_ID] = TEXT("end_user_account_id"),
	[BE_PRODUCT_ID] = TEXT("product_id"),
	[BE_ACTION] = FILLED("action", COLUMN_ACTION),
	[BE_TRANSACTION_TYPE] = FILLED("transaction_type", COLUMN_EVENT_TYPE),
	[BE_PARENT_BILLING_EVENT_ID] = TEXT("parent_billing_event_id"),
	[BE_DISBURSEMENT_BILLING_EVENT_ID] = TEXT("disbursement_billing_event_id"),
	[BE_AMOUNT] = FILLED("amount", COLUMN_MONEY),
	[BE_CURRENCY] = FILLED("currency", COLUMN_CURRENCY),
	[BE_BALANCE_IMPACTING] = FILLED("balance_impacting", COLUMN_BOOL),
	[BE_INVOICE_DATE] = FILLED("invoice_date", COLUMN_INSTANT),
	[BE_PAYMENT_DUE_DATE] = DATE("payment_due_date"),
	[BE_USAGE_PERIOD_START_DATE] = DATE("usage_period_start_date"),
	[BE_USAGE_PERIOD_END_DATE] = DATE("usage_period_end_date"),
	[BE_INVOICE_ID] = TEXT("invoice_id"),
	[BE_BILLING_ADDRESS_ID] = TEXT("billing_address_id"),
	[BE_TRANSACTION_REFERENCE_ID] = TEXT("transaction_reference_id"),
	[BE_BANK_TRACE_ID] = TEXT("bank_trace_id"),
	[BE_BROKER_ID] = MAYBE("broker_id"),
	HISTORY(BE),
};

static const struct feed_column tax_item[TAX__COUNT] = {
	[TAX_TAX_ITEM_ID] = ID("tax_item_id"),
	[TAX_INVOICE_ID] = TEXT("invoice_id"),
	[TAX_LINE_ITEM_ID] = TEXT("line_item_id"),
	[TAX_CUSTOMER_BILL_ID] = TEXT("customer_bill_id"),
	[TAX_TAX_LIABLE_PARTY] = MAYBE("tax_liable_party"),
	[TAX_TRANSACTION_TYPE_CODE] = TEXT("transaction_type_code"),
	[TAX_PRODUCT_ID] = TEXT("product_id"),
	[TAX_PRODUCT_TAX_CODE] = TEXT("product_tax_code"),
	[TAX_INVOICE_DATE] = DATE("invoice_date"),
	[TAX_TAXED_CUSTOMER_ACCOUNT_ID] = TEXT("taxed_customer_account_id"),
	[TAX_TAXED_CUSTOMER_COUNTRY] = TEXT("taxed_customer_country"),
	[TAX_TAXED_CUSTOMER_STATE_OR_REGION] = TEXT("taxed_customer_state_or_region"),
	[TAX_TAXED_CUSTOMER_CITY] = TEXT("taxed_customer_city"),
	[TAX_TAXED_CUSTOMER_POSTAL_CODE] = TEXT("taxed_customer_postal_code"),
	[TAX_TAX_LOCATION_CODE_TAXED_JURISDICTION] = TEXT("tax_location_code_taxed_jurisdiction"),
	[TAX_TAX_TYPE_CODE] = TEXT("tax_type_code"),
	[TAX_JURISDICTION_LEVEL] = TEXT("jurisdiction_level"),
	[TAX_TAXED_JURISDICTION] = TEXT("taxed_jurisdiction"),
	[TAX_DISPLAY_PRICE_TAXABILITY_TYPE] = TEXT("display_price_taxability_type"),
	[TAX_TAXABLE_AMOUNT] = { .name = "taxable_amount", .type = COLUMN_MONEY },
	[TAX_NONTAXABLE_AMOUNT] = { .name = "nontaxable_amount", .type = COLUMN_MONEY },
	/* The sample header misspells it. */
	[TAX_TAX_JURISDICTION_RATE] = { .name = "tax_jurisdiction_rate",
	    .alias = "tax_jurisdication_rate",
	    .type = COLUMN_MONEY },
	[TAX_TAX_AMOUNT] = { .name = "tax_amount", .type = COLUMN_MONEY },
	[TAX_TAX_CURRENCY] = { .name = "tax_currency", .type = COLUMN_CURRENCY },
	[TAX_TAX_CALCULATION_REASON_CODE] = TEXT("tax_calculation_reason_code"),
	[TAX_DATE_USED_FOR_TAX_CALCULATION] = DATE("date_used_for_tax_calculation"),
	[TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID] = MAYBE("customer_exemption_certificate_id"),
	[TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID_DOMAIN] =
	    MAYBE("customer_exemption_certificate_id_domain"),
	[TAX_CUSTOMER_EXEMPTION_CERTIFICATE_LEVEL] = MAYBE("customer_exemption_certificate_level"),
	[TAX_CUSTOMER_EXEMPTION_CODE] = MAYBE("customer_exemption_code"),
	[TAX_CUSTOMER_EXEMPTION_DOMAIN] = MAYBE("customer_exemption_domain"),
	[TAX_TRANSACTION_REFERENCE_ID] = TEXT("transaction_reference_id"),
	HISTORY(TAX),
};

#define COLUMNS(array, prefix, business)                                                           \
	.columns = (array), .n_columns = prefix##__COUNT, .n_business = (business),                \
	.valid_from = prefix##_VALID_FROM, .insert_date = prefix##_INSERT_DATE,                    \
	.update_date = prefix##_UPDATE_DATE, .delete_date = prefix##_DELETE_DATE

static const struct feed_info feeds[FEED__COUNT] = {
	[FEED_ACCOUNT] = { "account", "account_v1", { "accountfeed_v1", "account", "accountfeed" },
	    COLUMNS(account, ACC, ACC_VALID_FROM), .key = { ACC_ACCOUNT_ID }, .n_key = 1 },
	[FEED_ADDRESS] = { "address", "address_v1",
	    { "piifeed", "addressfeed_v1", "piifeed_v1", "address" },
	    COLUMNS(address, ADR, ADR_VALID_FROM), .key = { ADR_ADDRESS_ID, ADR_AWS_ACCOUNT_ID },
	    .n_key = 2 },
	[FEED_PRODUCT] = { "product", "product_v1", { "productfeed_v1", "product", "productfeed" },
	    COLUMNS(product, PRD, PRD_VALID_FROM), .key = { PRD_PRODUCT_ID }, .n_key = 1 },
	[FEED_OFFER] = { "offer", "offer_v1", { "offerfeed_v1", "offer", "offerfeed" },
	    COLUMNS(offer, OFF, OFF_VALID_FROM), .key = { OFF_OFFER_ID, OFF_OFFER_REVISION },
	    .n_key = 2 },
	[FEED_OFFER_PRODUCT] = { "offer_product", "offer_product_v1",
	    { "offerproductfeed_v1", "offer_product", "offerproductfeed" },
	    COLUMNS(offer_product, OFP, OFP_VALID_FROM),
	    .key = { OFP_OFFER_ID, OFP_OFFER_REVISION, OFP_PRODUCT_ID }, .n_key = 3 },
	[FEED_OFFER_TARGET] = { "offer_target", "offer_target_v1",
	    { "offertargetfeed_v1", "offer_target", "offertargetfeed" },
	    COLUMNS(offer_target, OFT, OFT_VALID_FROM), .key = { OFT_OFFER_TARGET_ID },
	    .n_key = 1 },
	[FEED_LEGACY_MAPPING] = { "legacy_mapping", "legacy_mapping_v1",
	    { "legacyidmappingfeed_v1", "legacy_mapping", "legacyidmappingfeed",
		"legacymappingfeed_v1" },
	    COLUMNS(legacy_mapping, LEG, LEG_VALID_FROM),
	    .key = { LEG_MAPPING_TYPE, LEG_LEGACY_ID }, .n_key = 2 },
	[FEED_BILLING_EVENT] = { "billing_event", "billing_event_v1",
	    { "billingeventfeed_v1", "billing_event", "billingeventfeed" },
	    COLUMNS(billing_event, BE, BE_VALID_FROM), .key = { BE_BILLING_EVENT_ID }, .n_key = 1 },
	[FEED_TAX_ITEM] = { "tax_item", "tax_item_v1",
	    { "taxitemfeed_v1", "tax_item", "taxitemfeed" }, COLUMNS(tax_item, TAX, TAX_VALID_FROM),
	    .key = { TAX_TAX_ITEM_ID }, .n_key = 1 },
};

static const struct str actions[ACTION__COUNT] = {
	[ACTION_INVOICED] = { "INVOICED", sizeof("INVOICED") - 1 },
	[ACTION_FORGIVEN] = { "FORGIVEN", sizeof("FORGIVEN") - 1 },
	[ACTION_DISBURSED] = { "DISBURSED", sizeof("DISBURSED") - 1 },
};

static const struct str types[TYPE__COUNT] = {
	[TYPE_SELLER_REV_SHARE] = { "SELLER_REV_SHARE", sizeof("SELLER_REV_SHARE") - 1 },
	[TYPE_SELLER_REV_SHARE_REFUND] = { "SELLER_REV_SHARE_REFUND",
	    sizeof("SELLER_REV_SHARE_REFUND") - 1 },
	[TYPE_SELLER_REV_SHARE_CREDIT] = { "SELLER_REV_SHARE_CREDIT",
	    sizeof("SELLER_REV_SHARE_CREDIT") - 1 },
	[TYPE_AWS_REV_SHARE] = { "AWS_REV_SHARE", sizeof("AWS_REV_SHARE") - 1 },
	[TYPE_AWS_REV_SHARE_REFUND] = { "AWS_REV_SHARE_REFUND",
	    sizeof("AWS_REV_SHARE_REFUND") - 1 },
	[TYPE_AWS_REV_SHARE_CREDIT] = { "AWS_REV_SHARE_CREDIT",
	    sizeof("AWS_REV_SHARE_CREDIT") - 1 },
	[TYPE_SELLER_TAX_SHARE] = { "SELLER_TAX_SHARE", sizeof("SELLER_TAX_SHARE") - 1 },
	[TYPE_SELLER_TAX_SHARE_REFUND] = { "SELLER_TAX_SHARE_REFUND",
	    sizeof("SELLER_TAX_SHARE_REFUND") - 1 },
	[TYPE_SELLER_TAX_SHARE_CREDIT] = { "SELLER_TAX_SHARE_CREDIT",
	    sizeof("SELLER_TAX_SHARE_CREDIT") - 1 },
	[TYPE_AWS_TAX_SHARE] = { "AWS_TAX_SHARE", sizeof("AWS_TAX_SHARE") - 1 },
	[TYPE_AWS_TAX_SHARE_REFUND] = { "AWS_TAX_SHARE_REFUND",
	    sizeof("AWS_TAX_SHARE_REFUND") - 1 },
	[TYPE_AWS_TAX_SHARE_CREDIT] = { "AWS_TAX_SHARE_CREDIT",
	    sizeof("AWS_TAX_SHARE_CREDIT") - 1 },
	[TYPE_BALANCE_ADJUSTMENT] = { "BALANCE_ADJUSTMENT", sizeof("BALANCE_ADJUSTMENT") - 1 },
	[TYPE_DISBURSEMENT] = { "DISBURSEMENT", sizeof("DISBURSEMENT") - 1 },
	[TYPE_DISBURSEMENT_FAILURE] = { "DISBURSEMENT_FAILURE",
	    sizeof("DISBURSEMENT_FAILURE") - 1 },
};

const struct feed_info *
feed_info(enum feed f)
{
	return &feeds[f];
}

enum feed
feed_named(struct str name)
{
	for (enum feed f = 0; f < FEED__COUNT; f++)
		if (str_eq_c(name, feeds[f].name))
			return f;
	return FEED__COUNT;
}

enum feed
feed_of_folder(struct str folder)
{
	for (enum feed f = 0; f < FEED__COUNT; f++) {
		if (str_eq_c(folder, feeds[f].folder))
			return f;
		for (size_t i = 0; i < COUNT(feeds[f].accepted); i++)
			if (feeds[f].accepted[i] && str_eq_c(folder, feeds[f].accepted[i]))
				return f;
	}
	return FEED__COUNT;
}

unsigned
feed_column_named(enum feed f, struct str name)
{
	for (unsigned i = 0; i < feeds[f].n_columns; i++) {
		const struct feed_column *c = &feeds[f].columns[i];

		if (str_eq_c(name, c->name) || (c->alias && str_eq_c(name, c->alias)))
			return i;
	}
	return feeds[f].n_columns;
}

const char *
event_action_name(enum event_action a)
{
	return actions[a].p;
}

const char *
event_type_name(enum event_type t)
{
	return types[t].p;
}

enum event_action
event_action_named(struct str name)
{
	enum event_action a = 0;

	while (a < ACTION__COUNT && !str_eq(name, actions[a]))
		a++;
	return a;
}

enum event_type
event_type_named(struct str name)
{
	enum event_type t = 0;

	while (t < TYPE__COUNT && !str_eq(name, types[t]))
		t++;
	return t;
}
