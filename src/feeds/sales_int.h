/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the sales fold. Internal to feeds/sales. */
#ifndef SOUK_FEEDS_SALES_INT_H
#define SOUK_FEEDS_SALES_INT_H

#include "feeds/earner.h"
#include "feeds/parallel.h"
#include "feeds/sales.h"

struct line {
	uint32_t first, n; /* of sales.events */
	uint32_t payer, end_user, product, reference;
	uint32_t address; /* of the latest payment, else of the invoice */
	currency_t currency;
	uint16_t sums; /* which amounts are not 0 (bits of enum sales_amount) */
	uint64_t sum;  /* the first of them, in the part's sums */
	instant_t invoice_date;
};

/* What one thread folds: a range of the references in the order of the output. */
struct sales_part {
	struct line *lines;
	size_t n, cap;
	packed_money *sums;
	size_t n_sums, sums_cap;
	struct sales_total *totals; /* by currency, as met */
	size_t n_totals;
};

struct sales {
	struct feeds *fs;
	enum sales_variant variant;
	uint32_t seller;  /* feeds.accounts; INTERN_NONE when unknown */
	bool only_seller; /* others' events are left out */
	struct earner earner[PARALLEL_MAX];
	bool usage;
	unsigned threads;

	uint32_t *events; /* by reference, then line; payments last of each reference */
	size_t n_events;
	uint32_t *
	    first; /* by reference's row, its number + 1 (0: the empty one): events [first[r], first[r + 1]) */
	uint32_t *reference; /* rows that have events, in the order of their texts */
	size_t n_references;

	struct sales_part part[PARALLEL_MAX];
	unsigned parts;
	size_t n;
	struct sales_total *totals;
	size_t n_totals;

	struct versions *account; /* by number of feeds.accounts */
	struct versions *product;
	/* By number of feeds.addresses, as met: the payer's version, and that of its address (ADDRESS_AT). */
	_Atomic uint64_t *address;
};

/* A key's versions, in a history. */
struct versions {
	const struct version *v;
	size_t n;
};

#define ADDRESS_AT(payer, version) ((uint64_t)(payer) << 32 | (version))
#define ADDRESS_UNKNOWN UINT64_MAX
#define ADDRESS_NONE UINT32_MAX /* version: the feed does not have it */

/* Fills events, first, reference. */
SOUK_MUST enum souk_err sales_group(struct sales *s, struct fail *f);
/* Folds part `which` of s->parts. */
SOUK_MUST enum souk_err sales_lines(struct sales *s, unsigned which, struct fail *f);
/* The total of a currency, made when it is new; NULL when out of memory. */
struct sales_total *sales_total_of(struct sales_total **totals, size_t *n, currency_t c);
money_t sales_net(const struct sales *s, const money_t amount[SALES__AMOUNTS]);

static inline bool
sales_is_wanted(const struct sales *s, const struct event *e)
{
	return (e->current || s->variant == SALES_QUERY) &&
	       (!s->only_seller || e->from == s->seller || e->to == s->seller);
}

/* Is it one of a line's events, or a payment that only tells the address? */
static inline bool
sales_counts(const struct sales *s, const struct event *e)
{
	return !e->extra && sales_is_wanted(s, e);
}

static inline bool
sales_pays(const struct sales *s, const struct event *e)
{
	return e->extra && sales_is_wanted(s, e);
}

#endif
