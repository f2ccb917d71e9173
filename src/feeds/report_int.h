/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a data set becomes lines: a fold names each event's group and slot, the driver
 * (report_fold.c) adds up, checks the totals and hands the lines to the sink.
 *
 * A slot is a kind of amount (revenue, fee, refund ...). A column of money is a sum of slots, so that
 * every figure can be taken apart into events again.
 */
#ifndef SOUK_FEEDS_REPORT_INT_H
#define SOUK_FEEDS_REPORT_INT_H

#include "feeds/group.h"
#include "feeds/report.h"
#include "feeds/events.h"

#define FOLD_SLOTS 16
#define FOLD_NO_SLOT UINT8_MAX

/* The slots of all folds over billing events but the age sets. */
enum slot {
	SLOT_REVENUE,
	SLOT_FEE,
	SLOT_REFUND,
	SLOT_FEE_REFUND,
	SLOT_CREDIT,
	SLOT_FEE_CREDIT,
	SLOT_COST, /* what the seller pays a manufacturer, and gets back of it */
	SLOT_ADJUSTMENT,
	SLOT_TAX,
	SLOT_TAX_REFUND,
	SLOT_TAX_CREDIT,
	SLOT__COUNT
};
#define SLOT_BIT(s) (1U << (s))
/* The seller's net: everything but tax. */
#define SLOTS_NET                                                                                  \
	(SLOT_BIT(SLOT_REVENUE) | SLOT_BIT(SLOT_FEE) | SLOT_BIT(SLOT_REFUND) |                     \
	    SLOT_BIT(SLOT_FEE_REFUND) | SLOT_BIT(SLOT_CREDIT) | SLOT_BIT(SLOT_FEE_CREDIT) |        \
	    SLOT_BIT(SLOT_COST) | SLOT_BIT(SLOT_ADJUSTMENT))

enum fold_print {
	FOLD_PRINT,
	FOLD_NOTHING, /* nothing is left of it: not a line */
	FOLD_LEFT_OUT /* a line that this data set cannot hold, as left_out_why tells */
};

/* Where the columns that many data sets have stand; n_columns, where writing harms nobody, when absent. */
struct common_columns {
	size_t customer, country, state, city, postal_code, email, title, code, currency, reference,
	    account, user_account, payer, address;
};

struct made_line;

struct fold {
	const struct report_request *request;
	const struct data_set_info *info;
	const struct data_set_column *columns; /* all of the variant */
	size_t n_columns;
	struct feeds *loaded;      /* owned */
	const struct feeds *feeds; /* the same */
	uint32_t *account_key;     /* interned account -> history key */
	uint32_t *product_key;
	struct common_columns common;
	char (*codes)[4]; /* of each currency */
	uint32_t seller;  /* its interned account; INTERN_NONE: nobody's */
	void *own;        /* the fold's; freed with free() unless `done` is set */
	void (*done)(struct fold *f);

	/*
	 * An event's slot, FOLD_NO_SLOT: it counts for nothing. Is asked about events that the request lets in
	 * only: of its currency, and in the page's variant current ones of its seller.
	 */
	uint8_t (*slot)(const struct fold *f, uint32_t event);
	int sign; /* what an event adds to its slot: 1 its amount, -1 that inverted, 0 nothing */
	uint8_t *event_slots; /* of each event, once for a period; malloc'd */
	/* Which line an event with a slot belongs to, and in which order the lines of one primary come (as group_by). */
	void (*key)(const struct fold *f, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key);
	struct str (*primary_text)(const struct fold *f, uint32_t primary);
	int (*compare)(const struct fold *f, const uint32_t *a, const uint32_t *b);
	size_t n_primaries;
	unsigned parts;
	/* NULL: made of one month. Else with all months lines are ordered by it first. */
	month_t (*month)(const struct fold *f, const struct group *g);
	/* Called when the groups are made, before the first line; may set `sequence`. NULL: nothing to do. */
	enum souk_err (*prepare)(struct fold *f, struct fail *fail);
	struct groups groups;
	uint32_t *sequence; /* lines in another order than the groups'; NULL; malloc'd */

	uint32_t slots_of[REPORT_COLUMNS_MAX]; /* of each column of money: SLOT_BITs */
	bool rounded[REPORT_COLUMNS_MAX];      /* its slots are rounded before they are added */
	size_t amount_column;                  /* for charts; n_columns: none */

	/* Cells other than CELL_MONEY, and the line's month, product and country; sums are there already. */
	enum fold_print (*line)(const struct fold *f, const struct group *g, struct made_line *ret);
	const char *left_out_why;
};

struct totals;
/*
 * Groups the events as the fold says; fold_run, fold_group and fold_line come after that. May be called again
 * with another period.
 */
SOUK_MUST enum souk_err fold_group_events(struct fold *f, struct fail *fail);
/* Prints the lines, and checks them. Adds to the counts of `sum`. */
SOUK_MUST enum souk_err fold_run(
    struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail);
void fold_free(struct fold *f);

/* One line, made: what it prints, and what it sums whether it is printed or not. */
struct made_line {
	struct report_cell cells[REPORT_COLUMNS_MAX + 1];
	struct report_line line; /* its cells are the above */
	struct report_events events;
	money_t slots[FOLD_SLOTS];
	char text[16]; /* for a cell that is made up */
	enum fold_print print;
	bool overflow; /* the sum does not fit: nothing else is set */
};
/* The group that is printed i-th, and its line. */
const struct group *fold_group(const struct fold *f, size_t i);
void fold_line(const struct fold *f, const struct group *g, struct made_line *ret);

/* Lines to be made on several threads. */
struct lines {
	size_t n;
	unsigned threads; /* of the request */
	/* The i-th line, zeroed before, with `print` or `overflow`. From any thread. */
	void (*make)(const void *ctx, size_t i, struct made_line *ret);
	/* Is told each line in order, whether it is printed or not, before it is handed on. */
	enum souk_err (*take)(void *ctx, size_t i, const struct made_line *m, struct fail *fail);
	void *ctx;
};
SOUK_MUST enum souk_err lines_run(const struct lines *l, struct report_sink *s, struct fail *fail);

/* Sums per currency and slot, found fast. */
struct totals {
	uint16_t at[CURRENCY_COUNT + 1]; /* currency -> entry + 1 */
	struct total_entry {
		currency_t currency;
		uint64_t events;
		money_t slots[FOLD_SLOTS];
	} * entries;
	size_t n, cap;
};
/* NULL when out of memory. */
struct total_entry *totals_of(struct totals *t, currency_t c);
void totals_free(struct totals *t);

/*
 * Data sets that are not folds: sales compensation, which has a kernel of its own, and tax records, which are rows of
 * another feed. They print all columns and count as fold_run does.
 */
SOUK_MUST enum souk_err sales_run(
    struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail);
SOUK_MUST enum souk_err tax_run(
    struct fold *f, struct report_sink *s, struct report_summary *sum, struct fail *fail);

/*
 * Makers of folds, one per kind of data set: they load what they need of the feeds (fold_load), then
 * say how events become lines.
 */
typedef enum souk_err fold_maker(struct fold *f, struct fail *fail);
fold_maker fold_billed;         /* monthly revenue, billed and annual */
fold_maker fold_disbursed;      /* disbursed amount by product */
fold_maker fold_geo;            /* ... by customer geography */
fold_maker fold_instance_hours; /* ... by instance hours */
fold_maker fold_funds;          /* the ages of uncollected and past due funds */
fold_maker fold_breakdown;      /* uncollected transactions */
fold_maker fold_collected;      /* the age of disbursed funds */
fold_maker fold_flexible;       /* flexible payments */

/* Of the events, beside what every fold is told. */
#define SKIP_LINKS (COLUMN(BE_PARENT_BILLING_EVENT_ID) | COLUMN(BE_DISBURSEMENT_BILLING_EVENT_ID))
#define SKIP_USAGE (COLUMN(BE_USAGE_PERIOD_START_DATE) | COLUMN(BE_USAGE_PERIOD_END_DATE))
#define SKIP_DUE COLUMN(BE_PAYMENT_DUE_DATE)
#define SKIP_INVOICE COLUMN(BE_INVOICE_ID)
#define SKIP_TRACE COLUMN(BE_BANK_TRACE_ID)
#define SKIP_MORE (SKIP_LINKS | SKIP_USAGE | SKIP_DUE | SKIP_INVOICE | SKIP_TRACE)
#define SKIP_REFERENCE COLUMN(BE_TRANSACTION_REFERENCE_ID)
#define SKIP_ADDRESS COLUMN(BE_BILLING_ADDRESS_ID)
#define SKIP_PRODUCT COLUMN(BE_PRODUCT_ID)
#define SKIP_USER COLUMN(BE_END_USER_ACCOUNT_ID)

struct fold_needs {
	unsigned actions, types; /* bits, as events_query has them */
	bool all_months;         /* not only the request's */
	uint64_t skip;           /* columns of the events that the lines do without */
};
/* Loads the feeds and finds the seller. */
SOUK_MUST enum souk_err fold_load(struct fold *f, const struct fold_needs *n, struct fail *fail);

/* The same without looking for the seller; account_key and product_key stay NULL. */
SOUK_MUST enum souk_err fold_load_events(
    struct fold *f, const struct fold_needs *n, struct fail *fail);

/*
 * Of f->feeds: accounts and products by number, and the request's seller. Feeds that are another's (`loaded` is NULL)
 * were loaded without receivers: then only a seller that the request names is looked for.
 */
SOUK_MUST enum souk_err fold_know(struct fold *f, struct fail *fail);

/* Is an instant in the request's period? */
static inline bool
in_period(const struct fold *f, instant_t t)
{
	return t >= f->request->from && t <= f->request->to;
}

/* What an event is by its type alone, FOLD_NO_SLOT for payouts and the operator's tax. */
uint8_t slot_of_type(const struct fold *f, const struct event *e);
/* The same with what the seller pays others as part of his revenue, as payouts show it. */
uint8_t slot_of_disbursed_type(const struct event *e);

/* A column by name; n_columns when there is none. */
size_t column_at(const struct fold *f, const char *name);
void common_find(struct fold *f);
/*
 * Fills the common columns of a group of one product and end user (`user` may be INTERN_NONE), with
 * accounts as of `t` (INSTANT_NONE: their latest versions).
 */
void common_fill(const struct fold *f, const struct group *g, uint32_t product, uint32_t user,
    instant_t t, struct made_line *ret);
/* Column `name` is the sum of these slots. */
void column_slots(struct fold *f, const char *name, uint32_t slots);

/* A text of the dimensions; empty when unknown. */
struct str account_text(const struct fold *f, uint32_t account, instant_t t, unsigned column);
struct str product_text(const struct fold *f, uint32_t product, unsigned column);
/* The payer of a group: of its accounts that pay the seller the greatest by text; INTERN_NONE. */
uint32_t payer_of(const struct fold *f, const struct group *g);
/* The latest invoice date of a group. */
instant_t latest_date(const struct fold *f, const struct group *g);

/* Folds that group by transaction reference: its number, events without one together. */
uint32_t reference_primary(const struct fold *f, const struct event *e);
size_t reference_primaries(const struct fold *f);
struct str reference_text(const struct fold *f, uint32_t primary);
/* Two interned texts in order. */
int order_of(const struct intern *in, uint32_t a, uint32_t b);
static inline int
order_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}
/* Is every sum zero? */
bool no_slots(const money_t *slots);

struct address_cells {
	struct str id, country, state, city, postal_code, email_domain;
};
/*
 * The payer's address for a group: the one of the event with the latest invoice date that has one (the
 * greatest by text among equals), else the payer's mailing address as of `t`.
 */
struct address_cells address_of(
    const struct fold *f, const struct group *g, uint32_t payer, instant_t t);

/* The rest of an address by its id and its payer's account number; nothing when the feeds do not know it. */
void address_read(const struct fold *f, uint32_t payer, instant_t t, struct address_cells *a);

static inline void
cell_text(struct report_cell *c, struct str s)
{
	c->text = s;
	c->filled = s.n > 0;
}

static inline void
cell_date(struct report_cell *c, instant_t t)
{
	c->date = t;
	c->filled = t != INSTANT_NONE;
}

static inline void
cell_count(struct report_cell *c, uint64_t n)
{
	c->count = (int64_t)n;
	c->filled = true;
}

static inline void
cell_money(struct report_cell *c, money_t m)
{
	c->money = m;
	c->filled = true;
}

#endif
