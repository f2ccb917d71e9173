/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nine feeds of a made-up seller, in the documented layout (data-feeds 1): for tests,
 * demos and benchmarks.
 *
 * The same options give the same bytes, on every machine and whenever it runs: nothing is
 * read but the options. Rows are derived from their numbers, not remembered, so memory does
 * not grow with the feeds. All names are made up, all domains end in .example.
 *
 * A feed holds the life of a sale as data-feeds 4.4 tells it: invoices with listing fees and
 * taxes, refunds, credits, forgiven charges, balance adjustments, payments in parts and by
 * schedule, disbursements of which some fail and are paid again, sales through resellers in
 * both directions, several end users in one transaction, five currencies, two brokers; and
 * what makes histories hard: accounts that move, corrections (some into another month), rows
 * that come a month late, rows taken back (delete_date). `souk feeds check` finds nothing in it.
 */
#ifndef SOUK_FEEDS_MAKE_H
#define SOUK_FEEDS_MAKE_H

#include "base/str.h"

#define MAKE_EVENTS_MIN UINT64_C(1)
#define MAKE_EVENTS_MAX UINT64_C(1000000000)
#define MAKE_MONTHS_MAX 240

struct make_options {
	const char *dir; /* made when absent; must be empty, or nothing is written */
	uint64_t events; /* rows of the billing event feed, about: within 10% from 10,000 on */
	uint64_t seed;
	int from_month;     /* year * 12 + month - 1 of the first invoices; 2010-01 to 2200-01 */
	int months;         /* 1..MAKE_MONTHS_MAX; what would happen later is left out */
	const char *seller; /* 12 digits, or NULL for one made from the seed */
	bool gzip;          /* data.csv.gz in place of data.csv */
	bool shuffle;       /* rows within 16 MiB of a file in random order */
	bool plain;         /* no corrections, no late rows, none taken back */
	/* Told now and then, with the events written so far; may be NULL. */
	void (*progress)(void *arg, uint64_t events);
	void *progress_arg;
};

struct make_result {
	uint64_t events;      /* rows of the billing event feed */
	uint64_t rows, bytes; /* of all feeds, before compression */
	char seller[13];      /* the seller's 12 digits ... */
	char account_id[41];  /* ... and opaque id */
};

/*
 * Written beside the directory and put in its place at the end: all or nothing. Errors:
 * SOUK_E_CONFLICT when the directory is not empty, SOUK_E_STORAGE when it cannot be written.
 */
SOUK_MUST enum souk_err feeds_make(
    const struct make_options *o, struct make_result *ret, struct fail *f);

#endif
