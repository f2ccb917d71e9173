/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sets from data feeds: one request, lines in a fixed order to a sink.
 *
 * The same feeds and the same request give the same lines, whatever the order of rows,
 * files and threads: everything is ordered by text. Each amount is a sum of billing events;
 * at the end the totals over lines are compared with the totals over events, for each column and
 * currency, and a difference is an error (design 3.7).
 *
 * Amounts are signed as the seller sees them: revenue +, fees -, refunds -, refunded fees +
 * (edsp 5.2). Amounts of two currencies are never added: a line has one currency.
 */
#ifndef SOUK_FEEDS_REPORT_H
#define SOUK_FEEDS_REPORT_H

#include "base/currency.h"
#include "base/money.h"
#include "feeds/data_set.h"
#include "feeds/month.h"
#include "feeds/source.h"
#include "feeds/value.h"

struct fault_sink;
struct feeds;

enum report_variant {
	REPORT_AS_PAGE, /* as the report's page says: net without tax, failed payouts left out */
	REPORT_AS_QUERY /* as the documented query computes it (data-feeds 6) */
};

struct report_request {
	enum data_set data_set;
	struct feed_source *source;
	struct str seller; /* account id or 12-digit number; empty: found in the feeds */
	/*
	 * Invoice dates (of disbursed sets: the disbursements'), both included. Snapshots
	 * are taken at `to`. With `all_months` each month is a request of its own, in order; but for
	 * sales compensation (one pass in the order of references; as a query a line over all months)
	 * and the breakdown of uncollected funds (one list, in an order of its own).
	 */
	instant_t from, to;
	bool all_months;
	instant_t known_at; /* INSTANT_NONE: all that the feeds say */
	enum report_variant variant;
	bool participant;          /* of enhanced data sharing: columns that only those get */
	currency_t currency;       /* CURRENCY_NONE: all */
	unsigned threads;          /* 0: one a core */
	struct fault_sink *faults; /* NULL: strict */
};

struct report_cell {
	union {
		struct str text;
		money_t money; /* CELL_MONEY, CELL_MONEY_REPEATED, CELL_DECIMAL; not rounded */
		instant_t date;
		int64_t count;
	};
	bool filled; /* of text as well: empty text is not filled */
};

#define REPORT_COLUMNS_MAX 40

/* The billing events behind a line, for who explains it. */
struct report_events {
	const struct feeds *feeds;
	const uint32_t *list; /* numbers for event_at */
	size_t n;
	/* What the i-th adds to the line, and to which columns (a bit each, in the head's order). */
	money_t (*adds)(const struct report_events *e, size_t i, uint64_t *ret_columns);
	const void *own;
};

struct report_line {
	const struct report_cell *cells;    /* one for each of the head's columns */
	currency_t currency;                /* CURRENCY_NONE: the line has no money */
	month_t month;                      /* of the invoice, disbursement or snapshot; 0: none */
	struct str product, country;        /* for charts; may be empty */
	money_t amount;                     /* the line's main amount, for charts */
	const struct report_events *events; /* NULL: the line is not made of billing events */
	struct str text; /* what the sink's `format` made of it; empty: nothing */
};

/* What a file begins with. Borrowed from the run. */
struct report_head {
	enum data_set data_set;
	const struct data_set_column *columns[REPORT_COLUMNS_MAX]; /* those of this request */
	size_t n_columns;
	const char *amount_name; /* what `amount` is: "Net Revenue"; NULL: no money */
	const struct report_request *request;
};

/* Per currency, ordered by its code. */
struct report_total {
	currency_t currency;
	uint64_t lines;
	money_t money[REPORT_COLUMNS_MAX]; /* of CELL_MONEY columns, else 0 */
};

struct report_summary {
	uint64_t lines, events; /* events: billing events (or tax items) behind the lines */
	uint64_t rejects;       /* rows set aside */
	struct str seller;      /* account id; empty when the feeds do not tell, or need not */
	uint64_t left_out;      /* lines that the data set cannot hold; `left_out_why` */
	const char *left_out_why;
	const struct report_total *totals;
	size_t n_totals;
};

/* Where lines go. A function that fails has said why in `f`; nothing is called after that. */
struct report_sink {
	enum souk_err (*begin)(struct report_sink *s, const struct report_head *h, struct fail *f);
	enum souk_err (*line)(struct report_sink *s, const struct report_line *l, struct fail *f);
	enum souk_err (*end)(struct report_sink *s, const struct report_summary *m, struct fail *f);
	/*
	 * May be NULL. A line as text, behind what is in `b`; called from several threads at once, between `begin` and
	 * `end`. `line` then gets the line with this text and without `cells`.
	 */
	void (*format)(const struct report_sink *s, const struct report_line *l, struct buf *b);
};

/*
 * Runs a request. SOUK_E_INVALID: a request that cannot be met (deprecated, needs facts, no such seller),
 * bad feeds when faults are strict. SOUK_E_INTERNAL "totals": lines and events
 * disagree. `ret` holds counts for who wants to print them; its totals and texts are not kept.
 */
SOUK_MUST enum souk_err report_run(const struct report_request *q, struct report_sink *s,
    struct report_summary *ret, struct fail *f);

/*
 * For publications of disbursed sets: the day of the latest payout that did not fail with an invoice date from `earliest` to
 * `latest`, both included, as `q` knows the feeds. `ret` is that day, to its last second: the period to request, whose end
 * snapshots are taken at. *ret_since is the day of the payout before it (INSTANT_NONE: none). SOUK_E_NOT_FOUND: no payout.
 */
SOUK_MUST enum souk_err report_find_payout(const struct report_request *q, instant_t earliest,
    instant_t latest, struct instant_range *ret, instant_t *ret_since, struct fail *f);

#endif
