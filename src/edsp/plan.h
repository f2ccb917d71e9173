/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compensation plan: representatives, territories, overlays, rates.
 *
 * The structs are plain, so that a plan can come from a file (plan_read) or from tables. What
 * makes one usable is plan_check: it resolves names to indices and refuses what is not sound,
 * every fault at once, each with the JSON pointer of its place in the file form. docs/edsp.md
 * tells people the same.
 */
#ifndef SOUK_EDSP_PLAN_H
#define SOUK_EDSP_PLAN_H

#include "base/arena.h"
#include "base/calendar.h"
#include "base/money.h"

/* Open ends of days, which are UTC. */
#define DAY_FIRST INT32_MIN
#define DAY_LAST INT32_MAX
#define NO_INDEX UINT32_MAX

/* Both ends included; DAY_FIRST, DAY_LAST where open. */
struct plan_days {
	day_t from, until;
};

/* Percents count ten-thousandths of a percent: 1000000 is 100%. */
#define PERCENT_ALL 1000000u
#define PERCENT_MAX (10 * PERCENT_ALL)
/* Factors of accelerators count hundredths: 150 is 1.5. */
#define FACTOR_ONE 100u
#define FACTOR_MAX 10000u

struct plan_texts {
	struct str *v;
	size_t n;
};

struct plan_representative {
	struct str id, name, team, manager_id;
	struct plan_days days;
	uint32_t manager, team_index; /* plan_check; NO_INDEX: none */
};

struct plan_credit {
	struct str representative_id;
	uint32_t percent;
	uint32_t representative; /* plan_check */
};

/* A country, or a part of it; or a range of its postal codes, by their first characters. */
struct plan_place {
	struct str country, state, city, postal_from, postal_to;
};

/* A territory, or an overlay: exactly one of the first four says what it matches, products narrow it. */
struct plan_rule {
	struct str id;
	struct plan_texts accounts;       /* 12 digits */
	struct plan_texts domains, names; /* of companies */
	struct plan_place *places;
	size_t n_places;
	bool everything;
	struct plan_texts products; /* ids or codes; alone they are what the rule matches */
	struct plan_days days;
	struct plan_credit *credits; /* of a territory: a split, 100% in all */
	size_t n_credits;
};

enum revenue_kind {
	REVENUE_HOURLY,
	REVENUE_MONTHLY,
	REVENUE_ANNUAL,
	REVENUE_METERED,
	REVENUE__COUNT
};
extern const char *const revenue_kind_words[REVENUE__COUNT];

enum plan_period { PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR, PERIOD__COUNT };
extern const char *const plan_period_words[PERIOD__COUNT];
/* The period's ordinal: months, quarters or years since year 0. */
int32_t plan_period_of(enum plan_period p, day_t day);

enum plan_base { BASE_GROSS, BASE_NET, BASE__COUNT };
extern const char *const plan_base_words[BASE__COUNT];
enum plan_pay { PAY_BILLED, PAY_DISBURSED, PAY__COUNT };
extern const char *const plan_pay_words[PAY__COUNT];

enum { CLAWBACK_REFUNDS = 1, CLAWBACK_CREDITS = 2, CLAWBACK_FORGIVEN = 4 };

/* From `above` (excluded) on: of a tier its percent, of an accelerator its factor. */
struct plan_step {
	money_t above;
	uint32_t value;
};

struct plan_rate {
	struct str id;
	struct plan_texts representative_ids, teams; /* both empty: everybody */
	unsigned kinds;                              /* 1 << enum revenue_kind, at least one */
	struct plan_texts products;                  /* empty: all */
	struct str currency;                         /* empty: any */
	struct plan_days days;
	enum plan_base base;
	enum plan_pay pay;
	enum plan_period over; /* of tiers and accelerators */
	struct plan_step *tiers, *accelerators;
	size_t n_tiers, n_accelerators;
	bool has_cap;
	money_t cap;
	enum plan_period cap_over;
	unsigned clawback;
	uint32_t *representatives, *team_indices; /* plan_check */
};

struct plan_product {
	struct str product; /* id or code */
	enum revenue_kind kind;
};

struct plan {
	struct str name;
	unsigned decimals; /* each amount paid is rounded half-up to these, once */
	struct plan_representative *representatives;
	size_t n_representatives;
	struct plan_rule *territories, *overlays;
	size_t n_territories, n_overlays;
	struct plan_rate *rates;
	size_t n_rates;
	struct plan_product *products;
	size_t n_products;
	struct plan_texts teams; /* plan_check */
};

/* Every fault of a plan; the first PLAN_FAULTS_KEPT with words. Zero-initialise, end with plan_faults_done. */
#define PLAN_FAULTS_KEPT 1000
struct plan_fault {
	char at[160]; /* JSON pointer */
	char what[200];
	char fix[200];
};
struct plan_faults {
	struct plan_fault *v;
	size_t n, n_total, cap;
	bool out_of_memory;
};
void plan_faults_done(struct plan_faults *f);
void plan_fault_add(struct plan_faults *f, const char *at, const char *what, const char *fix);

/*
 * Reads the file form into `a`: shape, types, ranges. Faults are added; the plan is filled as far
 * as it could be read. SOUK_E_INVALID when there were any (also when the text is no JSON).
 */
SOUK_MUST enum souk_err plan_read(
    struct str json, struct arena *a, struct plan *ret, struct plan_faults *faults);

/*
 * Resolves references and refuses: unknown and repeated ids, a circle of managers, splits that are
 * not 100%, two rules that match the same lines with the same rank, credits to people who are not
 * there, revenue of a credited person that no rate covers, tiers that do not begin at 0 or do not
 * rise. Writes the plan_check members. company_load and country_load must have succeeded.
 */
SOUK_MUST enum souk_err plan_check(struct plan *p, struct arena *a, struct plan_faults *faults);

/* "2026-01-31"; DAY_FIRST and DAY_LAST as "...". */
#define DAY_TEXT_SIZE 12
void plan_day_format(day_t day, char out[DAY_TEXT_SIZE]);
/* "2.5%", as short as it is exact. */
#define PERCENT_TEXT_SIZE 24
void percent_format(uint64_t percent, char out[PERCENT_TEXT_SIZE]);

#endif
