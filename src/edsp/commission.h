/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan pays for lines, item by item, each with what its arithmetic needs.
 *
 * Lines are taken in the order of their days, then of transaction, product, end user and currency,
 * whatever order they come in. Positive parts of a line (its revenue) earn: the line's credits by
 * territory and overlays, times the rate in force on its invoice day, tiers counted from what the
 * same person and rate had credited before in the period. Negative parts (refunds, credits, forgiven
 * charges) take back from whom the same transaction paid, in proportion, and never more than it paid.
 * Each commission is exact until it is rounded, once, half-up, to the plan's decimals.
 */
#ifndef SOUK_EDSP_COMMISSION_H
#define SOUK_EDSP_COMMISSION_H

#include "edsp/territory.h"

enum commission_part { PART_SALE, PART_REFUND, PART_CREDIT, PART_FORGIVEN, PART__COUNT };
extern const char *const commission_part_words[PART__COUNT];

struct commission_item {
	uint32_t line, representative;
	uint32_t rule; /* of the territories, or of the overlays */
	uint32_t rate;
	uint32_t percent; /* credited */
	day_t day;        /* invoice day, or the day of the payout */
	uint8_t part, level;
	bool overlay, takes; /* takes: gives back what was paid before */
	money_t amount;      /* of the line, in the rate's base */
	money_t credited;    /* of that, to this person */
	union {
		money_t before; /* earning: credited to this person and rate in the period before */
		money_t standing; /* taking: what of the transaction's amount stood before */
	};
	union {
		money_t uncapped; /* earning: rounded, before the cap */
		money_t paid;     /* taking: what stood paid for it */
	};
	money_t commission;
};

/* Why a line pays nobody. */
enum queue_reason {
	QUEUE_UNMAPPED,  /* no territory matches */
	QUEUE_AMBIGUOUS, /* domain and name of the company lead to different territories */
	QUEUE_NO_RATE,   /* the person credited has no rate for it (of its currency) */
	QUEUE_NO_SALE,   /* takes back what no known line earned */
	QUEUE__COUNT
};
extern const char *const queue_reason_words[QUEUE__COUNT];

struct queue_entry {
	uint32_t line;
	uint8_t reason;
	uint32_t rule, other;    /* QUEUE_AMBIGUOUS: both; QUEUE_NO_RATE: the rule; else NO_INDEX */
	uint32_t representative; /* QUEUE_NO_RATE */
};

struct commission_run {
	const struct plan *plan;
	const struct commission_line *lines;
	size_t n_lines;
	struct commission_item
	    *items; /* by representative (as in the plan), then in the order above */
	size_t n_items;
	uint32_t *order; /* of items: by representative (as in the plan), then as they are */
	uint32_t *first; /* representative r has order[first[r]] to before order[first[r + 1]] */
	struct queue_entry *queue; /* in the order above */
	size_t n_queue;
	struct territory_hit *hits; /* of each line that earns; rule NO_INDEX for others */
};

/*
 * `lines` must hold all months whose amounts count (from the start of a tier's year, and the sales
 * that later lines take back); they and the plan must outlive the run. `threads`, for 0 as many as there are
 * processors and work for, change nothing of what is computed. SOUK_E_LIMIT: more than
 * 2^32 - 2 lines, or amounts beyond any money.
 */
SOUK_MUST enum souk_err commission_compute(const struct plan *p, const struct territory_index *t,
    const struct commission_line *lines, size_t n, unsigned threads, struct commission_run *ret,
    struct fail *f);
void commission_run_done(struct commission_run *r);

/* A stretch of amounts at one percentage: part of an item's arithmetic. */
struct commission_step {
	money_t amount;
	uint64_t rate; /* ten-thousandths of a percent, times the accelerator's hundredths */
	uint32_t percent, factor;
};
#define RATE_UNITS ((money_t)100000000) /* that make 100% */

/* How `credited` falls on the tiers when `before` came earlier; at most `max`. Returns how many. */
size_t commission_steps(const struct plan_rate *r, money_t before, money_t credited,
    struct commission_step *out, size_t max);
/* Sum of amount times rate, rounded half-up once. False: beyond any money. */
SOUK_MUST bool commission_of_steps(
    const struct commission_step *s, size_t n, unsigned decimals, money_t *ret);
/* paid * take / standing, rounded once, `paid` having no more than `decimals`. 0 <= take <= standing. */
SOUK_MUST bool commission_taken(
    money_t paid, money_t take, money_t standing, unsigned decimals, money_t *ret);

#endif
