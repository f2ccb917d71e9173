/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by commission.c (order, earning), commission_rate.c (rates) and commission_back.c (taking back). */
#ifndef SOUK_EDSP_COMMISSION_INT_H
#define SOUK_EDSP_COMMISSION_INT_H

#include "edsp/commission.h"

/* ---- rates: which one is in force, and what counts for it so far ---- */

struct rate_index;
SOUK_MUST enum souk_err rate_index_new(
    const struct plan *p, const struct territory_index *t, struct rate_index **ret);
void rate_index_free(struct rate_index *r);
/* The representative's own before its team's before everybody's; a product's before all; a currency's before any. */
uint32_t rate_in_force(const struct rate_index *r, uint32_t representative, enum revenue_kind kind,
    struct product_numbers product, uint32_t currency, day_t day);

struct rate_state {
	uint64_t key; /* 0: free */
	int32_t period, cap_period;
	money_t counted, paid;
};
struct rate_states {
	struct rate_state *v;
	size_t mask, n;
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
SOUK_MUST enum souk_err ledger_init(
    struct ledger *l, const struct commission_line *lines, size_t n);
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
