/* SPDX-License-Identifier: Apache-2.0 */
/* The payouts (DISBURSEMENT events) of loaded feeds, and what became of them. */
#ifndef SOUK_FEEDS_REPORT_PAYOUT_H
#define SOUK_FEEDS_REPORT_PAYOUT_H

#include "feeds/report_int.h"

struct payout {
	instant_t date; /* its invoice date */
	struct str id;  /* its billing event id */
	uint32_t event;
	uint32_t bank_trace; /* feeds.others */
	money_t amount;
	currency_t currency;
	instant_t failed_at; /* INSTANT_MAX: it did not fail */
	instant_t
	    previous; /* the date of the one before of its currency that did not fail; INSTANT_NONE */
};

struct payouts {
	struct payout *list; /* by date, then id */
	uint32_t n;
	struct payout_event {
		uint32_t event, place; /* in the list */
	} * by_event;                  /* by event number */
	struct buf ids;
};

/* Of all payouts that were loaded, whatever their date. Reads a row of each for its id. */
SOUK_MUST enum souk_err payouts_find(const struct fold *f, struct payouts *ret, struct fail *fail);
void payouts_free(struct payouts *p);

/* The payout that carried an event; NULL for an event that none did. */
const struct payout *payout_of(const struct fold *f, const struct payouts *p, uint32_t event);

#endif
