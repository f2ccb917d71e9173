/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by commission_post.c (whose lines are, order), commission.c (earning), commission_rate.c (rates) and
 * commission_back.c (taking back).
 */
#ifndef SOUK_EDSP_COMMISSION_INT_H
#define SOUK_EDSP_COMMISSION_INT_H

#include "edsp/commission.h"
#include "feeds/parallel.h"

/* ---- rates: which one is in force, and what counts for it so far ---- */

struct rate_index;
SOUK_MUST enum souk_err rate_index_new(
    const struct plan *p, const struct territory_index *t, struct rate_index **ret);
void rate_index_free(struct rate_index *r);
/* The representative's own before its team's before everybody's; a product's before all; a currency's before any. */
uint32_t rate_in_force(const struct rate_index *r, uint32_t representative, enum revenue_kind kind,
    struct product_numbers product, uint32_t currency, day_t day);

/* The same, remembered: what was said last about each representative. Of one thread. */
struct rate_answer {
	uint64_t product;
	uint32_t kind_and_currency, rate;
};
/* One for each representative; to be freed. NULL: out of memory. */
struct rate_answer *rate_answers_new(const struct rate_index *r);
uint32_t rate_recalled(const struct rate_index *r, struct rate_answer *answers,
    uint32_t representative, enum revenue_kind kind, struct product_numbers product,
    uint32_t currency, day_t day);

/* What `credited` earns, rounded, where it falls on one tier; false: there is more to count. */
bool commission_of_one_step(
    const struct plan_rate *r, money_t before, money_t credited, unsigned decimals, money_t *ret);

struct rate_state {
	uint64_t key; /* 0: free */
	int32_t period, cap_period;
	money_t counted, paid;
};
struct rate_states {
	struct rate_state *v;
	size_t mask, n;
	day_t day; /* whose periods these are */
	bool has_day;
	int32_t period[PERIOD__COUNT];
};
/* The state of a rate and a person, brought to the periods of `day`. NULL: out of memory. */
struct rate_state *rate_state_of(struct rate_states *s, const struct plan_rate *rate,
    uint32_t rate_i, uint32_t representative, day_t day);

/* ---- taking back ---- */

struct credit {
	uint32_t representative, rule, percent, rate;
	uint8_t level;
	bool overlay;
};

/* What one earning line of a transaction paid to one person. */
struct record {
	struct credit credit;
	money_t paid;
	uint32_t next; /* of the same line */
};
/* An earning line: what of its amounts stands, by pay and base. */
struct group {
	uint32_t line, records, older; /* older: the transaction's line before */
	money_t standing[PAY__COUNT][BASE__COUNT];
};
struct ledger {
	struct text_map transactions; /* key to newest group + its own index */
	uint64_t *wanted;             /* hashes of transactions that something takes from */
	size_t wanted_mask;
	bool any; /* does anything take at all? */
	struct group *groups;
	size_t n_groups, cap_groups;
	struct record *records;
	size_t n_records, cap_records;
	uint32_t *newest; /* by number of the transaction */
	size_t n_newest, cap_newest;
	struct arena *arena;
};

uint64_t transaction_hash(const struct commission_line *l);
/* Does any part of it take? */
bool line_takes(const struct commission_line *l);
/* `taking`: how many of the lines take. */
SOUK_MUST enum souk_err ledger_init(
    struct ledger *l, const struct commission_line *lines, size_t n, size_t taking);
void ledger_done(struct ledger *l);
/* May something take from this transaction? */
bool ledger_wants(const struct ledger *l, uint64_t hash);
/* The newest group, NO_INDEX: none. */
uint32_t ledger_newest(const struct ledger *l, const struct commission_line *line, uint64_t hash);
/* The newest group, made for `line` when it is another's. NO_INDEX: out of memory. */
uint32_t ledger_group(
    struct ledger *l, const struct commission_line *line, uint32_t line_i, uint64_t hash);
/* The record of a credit within a group, made when new. NULL: out of memory. */
struct record *ledger_record(struct ledger *l, uint32_t group, const struct credit *c);

/* ---- postings ---- */

#define BILLED UINT32_MAX
#define CREDITS_INLINE 3

/*
 * Something of a line that happens on a day: it is billed, or a part of it is paid out. Postings are
 * visited in another order than lines, so each carries what most of them need.
 */
struct posting {
	uint64_t prefix;    /* of the transaction reference, sorts as it does */
	int64_t gross, fee; /* when POSTING_PLAIN */
	day_t day;
	uint32_t line, payout; /* BILLED, or which payout */
	uint32_t rule;         /* that credits, unless POSTING_SPILLED */
	uint32_t
	    rate[CREDITS_INLINE]; /* POSTING_SPILLED: the first of the spilled, and the thread */
	uint16_t n_credits;
	uint8_t level, flags;
};
_Static_assert(sizeof(struct posting) <= 64, "a posting fits a line of the cache");
enum {
	POSTING_PLAIN = 1,   /* revenue and fee, nothing else */
	POSTING_QUEUED = 2,  /* nobody's */
	POSTING_WANTED = 4,  /* something takes from its transaction */
	POSTING_SPILLED = 8, /* overlays, or a split among many */
};

struct rule_credit {
	uint32_t representative, percent;
};
struct postings {
	struct posting *v; /* in the order in which they count */
	size_t n;
	uint32_t *first_credit; /* of each territory, and the end */
	struct rule_credit *rule_credits;
	struct credit *spilled[PARALLEL_MAX]; /* by thread */
	uint8_t *kind_of;                     /* by product number: a kind, or REVENUE__COUNT */
	size_t n_kinds;
};

struct posting_request {
	const struct plan *p;
	const struct territory_index *t;
	const struct rate_index *rates;
	const struct commission_line *lines;
	size_t n;
	unsigned threads;
	struct ledger *ledger;      /* is initialised */
	struct territory_hit *hits; /* are filled */
};
/* On error, too, both it and the ledger are to be done. */
SOUK_MUST enum souk_err postings_make(const struct posting_request *q, struct postings *ret);
void postings_done(struct postings *p);

/* n_credits of them; made in `own` unless they are spilled. */
static inline const struct credit *
posting_credits(
    const struct postings *ps, const struct posting *p, struct credit own[CREDITS_INLINE])
{
	if ((p->flags & POSTING_SPILLED) != 0)
		return ps->spilled[p->rate[1]] + p->rate[0];
	for (size_t k = 0; k < p->n_credits; k++) {
		const struct rule_credit *c = &ps->rule_credits[ps->first_credit[p->rule] + k];

		own[k] = (struct credit){ c->representative, p->rule, c->percent, p->rate[k],
			p->level, false };
	}
	return own;
}

/* ---- amounts ---- */

/* A part in a base. */
static inline money_t
part_amount(const struct line_amounts *a, enum commission_part part, enum plan_base base)
{
	switch (part) {
	case PART_SALE:
	case PART_FORGIVEN:
		return a->gross + (base == BASE_NET ? a->fee : 0);
	case PART_REFUND:
		return a->refund + (base == BASE_NET ? a->fee_refund : 0);
	case PART_CREDIT:
		return a->credit + (base == BASE_NET ? a->fee_credit : 0);
	case PART__COUNT:
		break;
	}
	return 0;
}

/* Does it earn (its own amount decides, without fees)? */
static inline bool
earns(const struct line_amounts *a)
{
	return a->gross > 0 || a->refund > 0 || a->credit > 0;
}
static inline bool
takes(const struct line_amounts *a)
{
	return a->gross < 0 || a->refund < 0 || a->credit < 0;
}

#endif
