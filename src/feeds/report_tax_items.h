/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tax items of a period and of customers in the United States, current versions only, in the order that they are printed in:
 * by invoice date, line item, transaction type code, jurisdiction level, jurisdiction and item id.
 *
 * Rows are read on all threads and collapsed as every feed is (data-feeds 2). The rows of the period stay in memory, what the
 * jurisdictions of one line item have in common once; of all others only what tells whether they supersede one of those.
 */
#ifndef SOUK_FEEDS_REPORT_TAX_ITEMS_H
#define SOUK_FEEDS_REPORT_TAX_ITEMS_H

#include "feeds/events.h"
#include "feeds/report.h"

struct tax_record {
	const char *shared, *own;  /* texts, for tax_cell */
	instant_t date, date_used; /* INSTANT_NONE: empty */
	packed_money taxable, nontaxable, rate, tax;
	packed_money total_tax; /* of all jurisdictions of the line item */
	currency_t currency;    /* CURRENCY_NONE: empty */
};

struct tax_items {
	struct tax_record **list; /* in order */
	size_t n;
	struct tax_reading *own;
};

/* Of the request: source, period, currency, known_at, faults, threads. */
SOUK_MUST enum souk_err tax_items_read(
    const struct report_request *q, struct tax_items *ret, struct fail *f);
void tax_items_free(struct tax_items *x);

/* A text of the record; {"", 0} for columns that no line shows. Valid until the items are freed. */
struct str tax_cell(const struct tax_record *r, enum tax_item_column column);

#endif
