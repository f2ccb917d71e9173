/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of data sets that the marketplace publishes to sellers (edsp 3, 4): exact
 * columns, rhythm, what a publication covers, and whether data feeds suffice for them.
 */
#ifndef SOUK_FEEDS_DATA_SET_H
#define SOUK_FEEDS_DATA_SET_H

#include "base/clock.h"

/* In the order of edsp 3; the deprecated ones are last. */
enum data_set {
	DS_SUBSCRIBER_HOURLY_MONTHLY,
	DS_SUBSCRIBER_ANNUAL,
	DS_DAILY_USAGE_BY_INSTANCE_TYPE,
	DS_DAILY_FEES,
	DS_DAILY_FREE_TRIAL_CONVERSIONS,
	DS_DAILY_NEW_INSTANCES,
	DS_DAILY_NEW_SUBSCRIBERS,
	DS_DAILY_CANCELED_SUBSCRIBERS,
	DS_BILLING_AND_REVENUE,
	DS_ANNUAL_SUBSCRIPTIONS,
	DS_FIELD_DEMONSTRATION,
	DS_FLEXIBLE_PAYMENTS,
	DS_DISBURSED_BY_PRODUCT,
	DS_DISBURSED_BY_INSTANCE_HOURS,
	DS_DISBURSED_BY_GEO,
	DS_AGE_OF_UNCOLLECTED,
	DS_AGE_OF_DISBURSED,
	DS_AGE_OF_PAST_DUE,
	DS_UNCOLLECTED_BREAKDOWN,
	DS_SALES_COMPENSATION,
	DS_SALES_AND_USE_TAX,
	DS_LIVE_COUNT,
	DS_OLD_WITH_UNCOLLECTED = DS_LIVE_COUNT,
	DS_OLD_PROFILE_BY_INDUSTRY,
	DS_OLD_PROFILE_BY_REVENUE,
	DS_OLD_PROFILE_BY_GEOGRAPHY,
	DS__COUNT
};

enum cell_type {
	CELL_TEXT,
	CELL_MONEY,          /* two decimals, half-up; adds up over lines */
	CELL_MONEY_REPEATED, /* the same, but said on each of several lines: never added up */
	CELL_DECIMAL,        /* up to ten decimals, no trailing zeroes; never added up */
	CELL_COUNT,
	CELL_DATE, /* YYYY-MM-DD */
};

struct data_set_column {
	const char *name; /* the header's text, to the letter */
	enum cell_type type;
	bool
	    edsp; /* only in files for participants of enhanced data sharing: else dropped, not blank */
};

enum data_set_rhythm { RHYTHM_DAILY, RHYTHM_MONTHLY, RHYTHM_DISBURSED, RHYTHM_NEVER };

enum data_set_source {
	SOURCE_FEEDS,        /* data feeds suffice */
	SOURCE_FEEDS_PARTLY, /* feeds give the lines; `note` says which columns stay empty */
	SOURCE_FACTS, /* subscriptions, usage and fees of the marketplace: a server has them */
	SOURCE_NONE   /* deprecated */
};

struct data_set_info {
	const char *name; /* dataSetType on the wire */
	const struct data_set_column *columns;
	const struct data_set_column
	    *query_columns; /* of the documented query (data-feeds 6); NULL: none */
	uint8_t n_columns, n_query_columns;
	uint8_t rhythm, source;
	bool participants_only; /* not for others, not even with columns dropped */
	const char *since;      /* first publication, "YYYY-MM-DD"; NULL of a deprecated one */
	const char *note; /* partly: what is missing. Facts: where to get it. Deprecated: what took
				   its place. Else NULL */
};

/* Never NULL. */
const struct data_set_info *data_set_info(enum data_set d);
/* False: no such type. */
SOUK_MUST bool data_set_find(struct str name, enum data_set *ret);

static inline bool
data_set_deprecated(enum data_set d)
{
	return d >= DS_LIVE_COUNT;
}

/*
 * The day (its midnight) on which the data set that was asked for by a publication date
 * is published: daily, that day; monthly, the 15th of that month; disbursed, that day, from
 * which the latest one is looked for backwards, DATA_SET_LOOK_BACK_DAYS days at most.
 */
#define DATA_SET_LOOK_BACK_DAYS 31
#define DATA_SET_MONTHLY_DAY 15
instant_t data_set_publication(enum data_set d, instant_t asked);
/* Its first possible publication: `since`, at midnight. INSTANT_MAX of a deprecated one. */
instant_t data_set_since(enum data_set d);

/*
 * What the publication of that day covers, both ends included, to the second. False for disbursed sets:
 * theirs reaches from the disbursement before to the disbursement, which only the feeds know.
 */
struct instant_range {
	instant_t from, to;
};
SOUK_MUST bool data_set_coverage(enum data_set d, instant_t publication, struct instant_range *ret);

/* `{data set}_YYYY-MM-DD` without an ending, the publication's day (edsp 2). */
#define DATA_SET_FILE_NAME_MAX 96
void data_set_file_name(enum data_set d, instant_t publication, char out[DATA_SET_FILE_NAME_MAX]);

#endif
