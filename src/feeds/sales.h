/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sales_compensation_billed_revenue: what was invoiced (and forgiven), by transaction, product and end user
 * (data-feeds 6.2, edsp 5). Amounts are signed as the seller sees them and not rounded.
 *
 * Both: the payer is the greatest account that pays a SELLER_... event; the payer's address is the one of the latest payment
 * (greatest invoice_date, then address id), else the greatest of the line's events, else the payer's mailing address.
 * Lines with net 0 are left out. Currencies are never added: a transaction in two of them gives two lines.
 *
 * Variant report (default): net is the plain sum without the seller's tax, of the current versions of events; a transaction invoiced in
 * two months gives a line in each; the seller itself is no payer, and what it pays others (cost of goods) is part of the net, not of the
 * gross revenue or refunds. Variant query: the documented query to the letter: net with tax, cost in the gross revenue, every valid_from of
 * an event counts, one line of the greatest invoice_date over all months asked for.
 */
#ifndef SOUK_FEEDS_SALES_H
#define SOUK_FEEDS_SALES_H

#include "feeds/events.h"

enum sales_variant { SALES_REPORT, SALES_QUERY };

enum sales_amount {
	SALES_GROSS,      /* SELLER_REV_SHARE */
	SALES_FEE,        /* AWS_REV_SHARE */
	SALES_REFUND,     /* SELLER_REV_SHARE_REFUND */
	SALES_FEE_REFUND, /* AWS_REV_SHARE_REFUND */
	SALES_CREDIT,     /* SELLER_REV_SHARE_CREDIT */
	SALES_FEE_CREDIT, /* AWS_REV_SHARE_CREDIT */
	SALES_COST,       /* report: SELLER_REV_SHARE... that the seller pays a manufacturer */
	SALES_TAX,        /* SELLER_TAX_SHARE */
	SALES_TAX_REFUND, /* SELLER_TAX_SHARE_REFUND */
	SALES__AMOUNTS
};

/* Texts point into the feeds and are "" when unknown. */
struct sales_line {
	struct str reference;
	struct str payer_id;      /* account_id: Payer Reference ID */
	struct str payer_account; /* aws_account_id as of the invoice date */
	struct str end_user_id;
	struct str end_user_account;
	struct str address_id;
	struct str country, state, city, postal_code, email_domain, company_name;
	struct str product_id, product_code, product_title;
	money_t amount[SALES__AMOUNTS];
	money_t net;
	currency_t currency;
	instant_t invoice_date; /* the latest of the line's events */
	int month;              /* of invoice_date: AR Period */
	instant_t
	    usage_start; /* with SALES_USAGE: of the line's events, INSTANT_NONE when they have none */
	instant_t usage_end;
	size_t n_events;
};

struct sales_request {
	struct feed_source *source;
	enum sales_variant variant;
	instant_t known_at; /* INSTANT_NONE */
	int month_from, month_to;
	struct str
	    seller; /* account id or its 12 digits: only what it pays or gets counts; "": the only one */
	bool usage; /* fill usage_start and usage_end */
	struct fault_sink *faults;
	unsigned threads;
};

struct sales;

/* Errors besides those of the feeds: no such seller, or several and none is named (of --seller); an amount that outgrows money_t; totals that do not agree (SOUK_E_INTERNAL). */
SOUK_MUST enum souk_err sales_fold(
    const struct sales_request *q, struct sales **ret, struct fail *f);
void sales_free(struct sales *s); /* accepts NULL */

/* Sorted by reference, product id, end user id, currency: byte order. Any thread may ask. */
size_t sales_count(const struct sales *s);
void sales_at(const struct sales *s, size_t i, struct sales_line *ret);
/* The events behind a line, in the order of files and offsets: numbers for event_at of sales_feeds. */
const uint32_t *sales_events(const struct sales *s, size_t i, size_t *ret_n);
const struct feeds *sales_feeds(const struct sales *s);
/* Which of a line's amounts an event adds to; SALES__AMOUNTS for none. */
enum sales_amount sales_event_amount(const struct sales *s, const struct event *e);
/* The seller's account_id; "" when no event tells. */
struct str sales_seller(const struct sales *s);

/* Per currency: over the lines, and over the events of lines left out because their net is 0. */
struct sales_total {
	currency_t currency;
	money_t amount[SALES__AMOUNTS];
	money_t net;
	size_t lines;
	size_t events;
	money_t left_out[SALES__AMOUNTS];
};
const struct sales_total *sales_totals(const struct sales *s, size_t *ret_n);

#endif
