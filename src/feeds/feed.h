/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nine data feeds: names, folders, columns in their documented order (data-feeds 1, 3).
 */
#ifndef SOUK_FEEDS_FEED_H
#define SOUK_FEEDS_FEED_H

#include "base/str.h"

enum feed {
	FEED_ACCOUNT,
	FEED_ADDRESS,
	FEED_PRODUCT,
	FEED_OFFER,
	FEED_OFFER_PRODUCT,
	FEED_OFFER_TARGET,
	FEED_LEGACY_MAPPING,
	FEED_BILLING_EVENT,
	FEED_TAX_ITEM,
	FEED__COUNT
};

/* Columns of each feed; the history columns stand behind the business columns (data-feeds 1.2). */
enum account_column {
	ACC_ACCOUNT_ID,
	ACC_AWS_ACCOUNT_ID,
	ACC_ENCRYPTED_ACCOUNT_ID,
	ACC_MAILING_ADDRESS_ID,
	ACC_TAX_ADDRESS_ID,
	ACC_TAX_REGISTRATION_NUMBER,
	ACC_TAX_LEGAL_NAME,
	ACC_VALID_FROM,
	ACC_INSERT_DATE,
	ACC_UPDATE_DATE,
	ACC_DELETE_DATE,
	ACC__COUNT
};

enum address_column {
	ADR_ADDRESS_ID,
	ADR_AWS_ACCOUNT_ID,
	ADR_EMAIL_DOMAIN,
	ADR_COMPANY_NAME,
	ADR_COUNTRY,
	ADR_STATE_OR_REGION,
	ADR_CITY,
	ADR_POSTAL_CODE,
	ADR_ADDRESS_LINE_1,
	ADR_ADDRESS_LINE_2,
	ADR_ADDRESS_LINE_3,
	ADR_VALID_FROM,
	ADR_VALID_TO,
	ADR_INSERT_DATE,
	ADR_UPDATE_DATE,
	ADR_DELETE_DATE,
	ADR__COUNT
};

enum product_column {
	PRD_PRODUCT_ID,
	PRD_MANUFACTURER_ACCOUNT_ID,
	PRD_PRODUCT_CODE,
	PRD_TITLE,
	PRD_VALID_FROM,
	PRD_INSERT_DATE,
	PRD_UPDATE_DATE,
	PRD_DELETE_DATE,
	PRD__COUNT
};

enum offer_column {
	OFF_OFFER_ID,
	OFF_OFFER_REVISION,
	OFF_NAME,
	OFF_EXPIRATION_DATE,
	OFF_OPPORTUNITY_NAME,
	OFF_OPPORTUNITY_DESCRIPTION,
	OFF_SELLER_ACCOUNT_ID,
	OFF_OPPORTUNITY_ID,
	OFF_VALID_FROM,
	OFF_INSERT_DATE,
	OFF_UPDATE_DATE,
	OFF_DELETE_DATE,
	OFF__COUNT
};

enum offer_product_column {
	OFP_OFFER_ID,
	OFP_OFFER_REVISION,
	OFP_PRODUCT_ID,
	OFP_VALID_FROM,
	OFP_INSERT_DATE,
	OFP_UPDATE_DATE,
	OFP_DELETE_DATE,
	OFP__COUNT
};

enum offer_target_column {
	OFT_OFFER_TARGET_ID,
	OFT_OFFER_ID,
	OFT_OFFER_REVISION,
	OFT_TARGET_TYPE,
	OFT_POLARITY,
	OFT_VALUE,
	OFT_VALID_FROM,
	OFT_INSERT_DATE,
	OFT_UPDATE_DATE,
	OFT_DELETE_DATE,
	OFT__COUNT
};

enum legacy_mapping_column {
	LEG_MAPPING_TYPE,
	LEG_LEGACY_ID,
	LEG_NEW_ID,
	LEG_VALID_FROM,
	LEG_INSERT_DATE,
	LEG_UPDATE_DATE,
	LEG_DELETE_DATE,
	LEG__COUNT
};

enum billing_event_column {
	BE_BILLING_EVENT_ID,
	BE_FROM_ACCOUNT_ID,
	BE_TO_ACCOUNT_ID,
	BE_END_USER_ACCOUNT_ID,
	BE_PRODUCT_ID,
	BE_ACTION,
	BE_TRANSACTION_TYPE,
	BE_PARENT_BILLING_EVENT_ID,
	BE_DISBURSEMENT_BILLING_EVENT_ID,
	BE_AMOUNT,
	BE_CURRENCY,
	BE_BALANCE_IMPACTING,
	BE_INVOICE_DATE,
	BE_PAYMENT_DUE_DATE,
	BE_USAGE_PERIOD_START_DATE,
	BE_USAGE_PERIOD_END_DATE,
	BE_INVOICE_ID,
	BE_BILLING_ADDRESS_ID,
	BE_TRANSACTION_REFERENCE_ID,
	BE_BANK_TRACE_ID,
	BE_BROKER_ID,
	BE_VALID_FROM,
	BE_INSERT_DATE,
	BE_UPDATE_DATE,
	BE_DELETE_DATE,
	BE__COUNT
};

enum tax_item_column {
	TAX_TAX_ITEM_ID,
	TAX_INVOICE_ID,
	TAX_LINE_ITEM_ID,
	TAX_CUSTOMER_BILL_ID,
	TAX_TAX_LIABLE_PARTY,
	TAX_TRANSACTION_TYPE_CODE,
	TAX_PRODUCT_ID,
	TAX_PRODUCT_TAX_CODE,
	TAX_INVOICE_DATE,
	TAX_TAXED_CUSTOMER_ACCOUNT_ID,
	TAX_TAXED_CUSTOMER_COUNTRY,
	TAX_TAXED_CUSTOMER_STATE_OR_REGION,
	TAX_TAXED_CUSTOMER_CITY,
	TAX_TAXED_CUSTOMER_POSTAL_CODE,
	TAX_TAX_LOCATION_CODE_TAXED_JURISDICTION,
	TAX_TAX_TYPE_CODE,
	TAX_JURISDICTION_LEVEL,
	TAX_TAXED_JURISDICTION,
	TAX_DISPLAY_PRICE_TAXABILITY_TYPE,
	TAX_TAXABLE_AMOUNT,
	TAX_NONTAXABLE_AMOUNT,
	TAX_TAX_JURISDICTION_RATE,
	TAX_TAX_AMOUNT,
	TAX_TAX_CURRENCY,
	TAX_TAX_CALCULATION_REASON_CODE,
	TAX_DATE_USED_FOR_TAX_CALCULATION,
	TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID,
	TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID_DOMAIN,
	TAX_CUSTOMER_EXEMPTION_CERTIFICATE_LEVEL,
	TAX_CUSTOMER_EXEMPTION_CODE,
	TAX_CUSTOMER_EXEMPTION_DOMAIN,
	TAX_TRANSACTION_REFERENCE_ID,
	TAX_VALID_FROM,
	TAX_INSERT_DATE,
	TAX_UPDATE_DATE,
	TAX_DELETE_DATE,
	TAX__COUNT
};

#define FEED_COLUMNS_MAX 40 /* of any feed */
#define FEED_KEY_MAX 3      /* columns of a key */

/* A set of one feed's columns, and the set of all of them. */
#define COLUMN(c) (UINT64_C(1) << (c))
#define COLUMNS_ALL(n) ((UINT64_C(1) << (n)) - 1)

enum column_type {
	COLUMN_TEXT,
	COLUMN_INSTANT,  /* 1970-01-01 .. 9999-12-31, UTC */
	COLUMN_MONEY,    /* base/money */
	COLUMN_CURRENCY, /* ISO 4217 */
	COLUMN_INT,      /* 0 .. 2^31-1 */
	COLUMN_BOOL,     /* 0 or 1 */
	COLUMN_ACTION,   /* enum event_action */
	COLUMN_EVENT_TYPE
};

struct feed_column {
	const char *name;
	const char *alias; /* another spelling that is accepted, or NULL */
	enum column_type type;
	bool optional; /* a file may lack it: its cells are empty */
	bool filled;   /* a cell may not be empty */
};

struct feed_info {
	const char *name;        /* "billing_event" */
	const char *folder;      /* the one written: "billing_event_v1" */
	const char *accepted[4]; /* others that are read, NULL at the end */
	const struct feed_column *columns;
	unsigned n_columns;
	unsigned n_business; /* of these, before the history columns */
	unsigned valid_from; /* columns of the history */
	unsigned insert_date;
	unsigned update_date;
	unsigned delete_date;
	unsigned char key[FEED_KEY_MAX]; /* columns */
	unsigned n_key;
};

const struct feed_info *feed_info(enum feed f);
/* By its name ("billing_event") or a folder's ("billingeventfeed_v1"); FEED__COUNT for none. */
enum feed feed_named(struct str name);
enum feed feed_of_folder(struct str folder);
/* By name or alias; n_columns of the feed for none. */
unsigned feed_column_named(enum feed f, struct str name);

enum event_action { ACTION_INVOICED, ACTION_FORGIVEN, ACTION_DISBURSED, ACTION__COUNT };

/* In groups of three: the type itself, its _REFUND, its _CREDIT (data-feeds 4.2). */
enum event_type {
	TYPE_SELLER_REV_SHARE,
	TYPE_SELLER_REV_SHARE_REFUND,
	TYPE_SELLER_REV_SHARE_CREDIT,
	TYPE_AWS_REV_SHARE,
	TYPE_AWS_REV_SHARE_REFUND,
	TYPE_AWS_REV_SHARE_CREDIT,
	TYPE_SELLER_TAX_SHARE,
	TYPE_SELLER_TAX_SHARE_REFUND,
	TYPE_SELLER_TAX_SHARE_CREDIT,
	TYPE_AWS_TAX_SHARE,
	TYPE_AWS_TAX_SHARE_REFUND,
	TYPE_AWS_TAX_SHARE_CREDIT,
	TYPE_BALANCE_ADJUSTMENT,
	TYPE_DISBURSEMENT,
	TYPE_DISBURSEMENT_FAILURE,
	TYPE__COUNT
};

const char *event_action_name(enum event_action a);
const char *event_type_name(enum event_type t);
enum event_action event_action_named(struct str name); /* ACTION__COUNT for none */
enum event_type event_type_named(struct str name);     /* TYPE__COUNT for none */

/* Is it the seller's side (SELLER_...), and not the operator's? */
static inline bool
event_type_is_seller(enum event_type t)
{
	return t <= TYPE_SELLER_REV_SHARE_CREDIT ||
	       (t >= TYPE_SELLER_TAX_SHARE && t <= TYPE_SELLER_TAX_SHARE_CREDIT);
}

/* The operator's listing fee, and what it gives back of it. */
static inline bool
event_type_is_fee(enum event_type t)
{
	return t >= TYPE_AWS_REV_SHARE && t <= TYPE_AWS_REV_SHARE_CREDIT;
}

#endif
