/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules of a plan match, one entry for each thing a rule names, normalised as lines are:
 * plan_check looks for entries that collide, the territory index finds lines by them.
 */
#ifndef SOUK_EDSP_MATCH_H
#define SOUK_EDSP_MATCH_H

#include "edsp/company.h"
#include "edsp/plan.h"
#include "edsp/text_map.h"

/* From the most to the least specific; a domain and a name are of one rank (match_rank). */
enum match_level {
	MATCH_ACCOUNT,
	MATCH_DOMAIN,
	MATCH_NAME,
	MATCH_POSTAL,
	MATCH_CITY, /* with its state */
	MATCH_CITY_ONLY,
	MATCH_STATE,
	MATCH_COUNTRY,
	MATCH_PRODUCT,
	MATCH_EVERYTHING,
	MATCH__COUNT
};
/* For people: "account", "company domain" ... */
extern const char *const match_level_words[MATCH__COUNT];

/* The first characters of postal codes as a number that sorts as they do. */
typedef unsigned __int128 postal_t;
postal_t postal_number(const char *folded, size_t n);

struct match_entry {
	struct str key;   /* of MATCH_POSTAL the country */
	postal_t lo, hi;  /* MATCH_POSTAL: numbers of the first `digits` characters */
	uint32_t product; /* a number of the product map, NO_INDEX: any */
	uint32_t
	    who; /* of an overlay the representative, else 0: entries of one `who` must not collide */
	uint32_t rule, element;
	day_t from, until;
	const char *list; /* member of the rule that holds the element, NULL: the rule itself */
	uint8_t level, digits;
	bool overlay; /* of the territory index: which of the two lists the rule is in */
};

struct match_entries {
	struct match_entry *v;
	size_t n, cap;
};
void match_entries_done(struct match_entries *e);

/*
 * The entries of `n` rules, in `a` their keys; new products are added to `products` (number =
 * order of first mention). `faults` (may be NULL) gets what cannot be matched, under `where`
 * ("/territories"). With `by_representative` an entry for each one credited (overlays).
 */
SOUK_MUST enum souk_err match_entries_of(const struct plan_rule *rules, size_t n, const char *where,
    bool by_representative, struct text_map *products, struct arena *a, struct plan_faults *faults,
    struct match_entries *ret);

/* By level, key, digits, product, overlay, who, lo, from; then by rule and element. */
int match_compare(const void *a, const void *b);
/* The same up to who? */
bool match_same(const struct match_entry *a, const struct match_entry *b);

/* "COUNTRY", "COUNTRY/state" ... folded, as keys are. Returns the length. */
#define PLACE_KEY_MAX (2 * FOLDED_MAX + 8)
size_t place_key(enum match_level level, struct str country, struct str state, struct str city,
    char out[PLACE_KEY_MAX + 1]);

/* What a rate pays: an entry for each scope, kind, product and currency. */
struct rate_entry {
	uint64_t key;
	day_t from, until;
	uint32_t rate;
};
struct rate_entries {
	struct rate_entry *v;
	size_t n, cap;
};
#define RATE_ENTRIES_MAX 4000000
/* Scopes: a representative's index, then a team's, then everybody. */
static inline uint32_t
scope_of_team(const struct plan *p, uint32_t team)
{
	return (uint32_t)p->n_representatives + team;
}
static inline uint32_t
scope_of_all(const struct plan *p)
{
	return (uint32_t)(p->n_representatives + p->teams.n);
}
/* product: number + 1, 0 for any; currency: packed, 0 for any. */
static inline uint64_t
rate_key(uint32_t scope, enum revenue_kind kind, uint32_t product, uint32_t currency)
{
	return (uint64_t)scope << 42 | (uint64_t)(product & 0xffffff) << 18 |
	       (uint64_t)(currency & 0xffff) << 2 | (uint64_t)kind;
}
/* Three capital letters as a number of 15 bits, 0 for anything else. */
uint32_t currency_number(struct str code);
/* Of a plan whose references are resolved; SOUK_E_LIMIT when there would be too many. */
SOUK_MUST enum souk_err rate_entries_of(
    const struct plan *p, struct text_map *products, struct rate_entries *ret);
void rate_entries_done(struct rate_entries *e);
int rate_entry_compare(const void *a, const void *b);

#endif
