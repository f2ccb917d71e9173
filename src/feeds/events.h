/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The billing events of a folder of feeds, collapsed, as known at an instant, in memory.
 *
 * Of the rows with one billing_event_id and one valid_from the greatest update_date wins (ties as in history.h);
 * of several valid_from of one event the latest is its current version; a winner with a delete_date is gone. Memory grows
 * with the events that a query keeps, not with the feeds: rows of other months only pass by. An event that a later
 * row moves out of the months, or into them, is treated as that row says, wherever the row stands.
 */
#ifndef SOUK_FEEDS_EVENTS_H
#define SOUK_FEEDS_EVENTS_H

#include "feeds/history.h"
#include "feeds/intern.h"

#define EVENT_NONE UINT32_MAX
#define EVENT_FILES_MAX 65536 /* of a source: 600 years of nine feeds */
#define MONTH_OF(year, month) ((year)*12 + (month)-1)
#define MONTHS_FROM MONTH_OF(1970, 1)
#define MONTHS_TO MONTH_OF(9999, 12)
#define ACTIONS_ALL ((1U << ACTION__COUNT) - 1)
#define TYPES_ALL ((1U << TYPE__COUNT) - 1)

/* The month of an instant, in UTC, as MONTH_OF numbers it. */
int month_of_instant(instant_t t);
/* "YYYY-MM". */
void month_text(int month, char out[8]);

typedef money_t packed_money __attribute__((aligned(8)));

/* A cache line: events are visited in no order. */
struct event {
	packed_money amount; /* signed, as in the feed */
	instant_t invoice_date;
	/* INTERN_NONE when empty: feeds.accounts, .products, .addresses, .references */
	uint32_t from;
	uint32_t to;
	uint32_t end_user;
	uint32_t product;
	uint32_t address;
	uint32_t reference;
	uint64_t offset : 48; /* of the row in its file */
	uint64_t action : 4;  /* enum event_action */
	uint64_t type : 6;    /* enum event_type */
	uint64_t balance_impacting : 1;
	uint64_t
	    kept : 1; /* the query wants it: others stand here only because they supersede or lost */
	uint64_t current : 1; /* no later valid_from of the same event */
	uint64_t deleted : 1;
	uint64_t extra : 1; /* kept only for EVENTS_PAID: outside of the months */
	uint32_t other;     /* of the store: an event of the same id and another valid_from */
	currency_t currency;
	uint16_t file; /* of the source */
};

/* What only some data sets need (EVENTS_MORE). The dates are undefined where the query skips all from one to the last. */
struct event_more {
	uint32_t parent;       /* an event's number, EVENT_NONE when empty or dangling */
	uint32_t disbursement; /* likewise */
	uint32_t invoice;      /* feeds.others, as the next ones */
	uint32_t bank_trace;
	uint32_t broker;
	bool parent_dangling; /* named in the row, but no event of these feeds */
	bool disbursement_dangling;
	instant_t payment_due; /* INSTANT_NONE when empty */
	instant_t usage_start;
	instant_t usage_end;
};

enum {
	EVENTS_MORE = 1, /* fill event_more; links lead to kept events only */
	/*
	 * Besides the months' events, the DISBURSED SELLER_... events of any month whose transaction reference the months' events
	 * name, with a billing address and balance_impacting 1 (data-feeds 6.2 step 3); they are `extra` unless they are wanted anyhow.
	 */
	EVENTS_PAID = 2,
	EVENTS_BALANCE = 4, /* only events with balance_impacting 1 */
};

struct events_query {
	struct feed_source *source;
	instant_t known_at; /* INSTANT_NONE: everything */
	int month_from;     /* of invoice_date, inclusive; MONTHS_FROM, MONTHS_TO: all */
	int month_to;
	unsigned actions; /* bits of enum event_action, ACTIONS_ALL */
	unsigned types;   /* bits of enum event_type, TYPES_ALL */
	unsigned flags;   /* EVENTS_... */
	uint64_t
	    skip; /* COLUMNs of texts, links and optional dates that nobody asks for: read as if they were empty */
	uint64_t account_columns; /* to keep of each of these feeds; 0: the feed is not read */
	uint64_t address_columns;
	uint64_t product_columns;
	struct fault_sink *faults;
	unsigned threads; /* 0: as many as there are processors */
	size_t chunk;     /* of scan.h, for tests; 0 */
};

struct events_store;

struct feeds {
	struct feed_source *source; /* borrowed */
	struct history *account;    /* NULL when not asked for */
	struct history *address;
	struct history *product;
	struct intern *accounts;
	struct intern *products;
	struct intern *addresses;
	struct intern *references;
	struct intern *others;
	struct events_store *store;
	uint64_t rows; /* billing event rows that were read, not counting faults */
};

/* The billing_event feed must have files, and each other feed asked for. */
SOUK_MUST enum souk_err feeds_load(
    const struct events_query *q, struct feeds **ret, struct fail *f);
void feeds_free(struct feeds *fs); /* accepts NULL */

/* Lets go of the events, the largest part; dimensions and texts stay. Nothing more may be asked about events. */
void events_release(struct feeds *fs);

/*
 * Events are numbered; the numbers in use are not consecutive. To visit all:
 *     for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1))
 * gives kept events that are not deleted, current or not, in no particular order.
 */
uint32_t events_next(const struct feeds *fs, uint32_t i);
uint32_t events_bound(const struct feeds *fs); /* every number is below it: ranges for threads */
const struct event *event_at(const struct feeds *fs, uint32_t i);
const struct event_more *event_more_at(const struct feeds *fs, uint32_t i); /* with EVENTS_MORE */

/*
 * The row behind an event, read again from the source, for explaining: every cell by column. Slow (a read of the file);
 * `ret` and its cells are valid until the same `row` is used again; event_row_done frees it.
 */
struct event_row;
SOUK_MUST enum souk_err event_row_read(const struct feeds *fs, uint32_t i, struct event_row **row,
    const struct str **ret_cells, uint64_t *ret_line, struct fail *f);
void event_row_done(struct event_row *row); /* accepts NULL */

#endif
