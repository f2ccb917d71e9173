/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a line is: the one territory that matches best, and the overlays beside it.
 *
 * Account goes before company, company before geography, geography before product; within
 * geography the longer postal code, then city with state, city, state, country. On one level a rule
 * that names the line's product goes before one that does not. A domain and a name are of one
 * rank: when they lead to different rules, the line is ambiguous and nobody's until somebody
 * decides. All of it is found by hashing and binary search, whatever the number of rules.
 */
#ifndef SOUK_EDSP_TERRITORY_H
#define SOUK_EDSP_TERRITORY_H

#include "edsp/match.h"
#include "edsp/line.h"

struct territory_index;

/* Of a plan that plan_check accepted, which must outlive it. Immutable: threads share it. */
SOUK_MUST enum souk_err territory_index_new(
    const struct plan *p, struct territory_index **ret, struct fail *f);
void territory_index_free(struct territory_index *t); /* accepts NULL */

/* What one thread remembers of texts that it saw before. The lines' texts must outlive it. */
struct territory_memo;
SOUK_MUST enum souk_err territory_memo_new(
    const struct territory_index *t, struct territory_memo **ret);
void territory_memo_free(struct territory_memo *m); /* accepts NULL */

struct territory_hit {
	uint32_t rule; /* of the plan's territories (or overlays); NO_INDEX: none */
	enum match_level level;
	uint32_t other; /* the second of an ambiguous line, else NO_INDEX */
};

struct overlay_hit {
	uint32_t rule, representative;
	enum match_level level;
};
struct overlay_hits {
	struct overlay_hit *v;
	size_t n, cap;
};

/*
 * `day` decides which rules are in force: the line's invoice date. `overlays` (NULL when not wanted)
 * is emptied and filled, each representative once, by the most specific rule.
 */
SOUK_MUST enum souk_err territory_map(struct territory_memo *m, const struct commission_line *line,
    day_t day, struct territory_hit *ret, struct overlay_hits *overlays);
void overlay_hits_done(struct overlay_hits *h);

/* The numbers that rules and rates know a line's product by; NO_INDEX: none names it so. */
struct product_numbers {
	uint32_t by_id, by_code;
};
struct product_numbers territory_product(
    struct territory_memo *m, const struct commission_line *line);
/* Products by number, for rates; rules named theirs first. */
const struct text_map *territory_products(const struct territory_index *t);

#endif
