/* SPDX-License-Identifier: Apache-2.0 */
/* The index behind territory.h, as its builder and its readers know it. */
#ifndef SOUK_EDSP_TERRITORY_INT_H
#define SOUK_EDSP_TERRITORY_INT_H

#include "edsp/territory.h"

/* A rule in force on some days. In a slice of territories no two share a day. */
struct rule_days {
	day_t from, until;
	uint32_t rule, representative;
};

struct slice {
	uint32_t begin, n;
};

/* What one key (an account, a domain, a stretch of postal codes) leads to: [0] territories, [1] overlays. */
struct key_info {
	struct slice any[2];
	bool by_product[2];
	uint32_t always; /* the only territory, on all days, of all products; else NO_INDEX */
};

/* Products of one key: (key, product, overlay) to a slice. */
struct product_slot {
	uint64_t key; /* 0: free */
	struct slice slice;
};

/* Stretches of the codes of one country that begin with `digits` characters. */
struct postal_table {
	uint8_t digits;
	uint32_t n;
	postal_t *begin; /* sorted; a stretch ends where the next begins */
	uint64_t *small; /* the same where 64 bits hold them, else NULL */
	uint32_t *
	    jump; /* of `small`, by the first characters: how many stretches begin before these; NULL: few */
	uint64_t jump_first; /* which characters jump[0] is of */
	size_t n_jump;
	uint32_t *key;             /* NO_INDEX: nobody's */
	struct postal_table *next; /* fewer digits */
};
#define N_COUNTRIES (26 * 26)
#define JUMP_CHARACTERS 3

/* The first characters of a number of `digits`, as a small number in the same order. */
static inline uint64_t
jump_of(uint64_t code, unsigned digits)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < JUMP_CHARACTERS; i++) {
		unsigned c = (unsigned)(code >> 8 * (digits - 1 - i) & 0xff);

		v = v * 36 + (c >= 'A' ? c - 'A' + 10 : c - '0');
	}
	return v;
}

struct territory_index {
	struct arena *arena;
	struct text_map products;
	struct text_map keys[MATCH__COUNT];
	struct text_map tails; /* domain_tail of each domain, its bytes | TAIL_LOWER */
	struct key_info *infos;
	size_t n_infos, cap_infos;
	struct rule_days *rules;
	size_t n_rules, cap_rules;
	struct product_slot *slots;
	size_t slot_mask, n_slots;
	struct postal_table *postal[N_COUNTRIES];
	bool has_places, has_overlays;
	/* For suggestions: a territory that has a place there. "US", "US/wa" to a rule. */
	struct text_map near;
};

/* The last two labels. */
#define TAIL_LOWER 0x20 /* letters of both cases become the same, digits, hyphens and dots stay */
static inline struct str
domain_tail(struct str domain)
{
	const char *dot = domain.p ? memrchr(domain.p, '.', domain.n) : NULL, *before = NULL;

	if (dot)
		before = memrchr(domain.p, '.', (size_t)(dot - domain.p));
	if (before == NULL)
		return domain;
	return (struct str){ before + 1, (size_t)(domain.p + domain.n - before - 1) };
}

/* Which of postal[] a country is; N_COUNTRIES: none. */
static inline size_t
country_slot(struct str c)
{
	unsigned a, b;

	if (c.n != 2)
		return N_COUNTRIES;
	a = (unsigned)((c.p[0] & ~0x20) - 'A');
	b = (unsigned)((c.p[1] & ~0x20) - 'A');
	return a < 26 && b < 26 ? a * 26 + b : N_COUNTRIES;
}

static inline uint64_t
product_key(uint32_t key, uint32_t product, bool overlay)
{
	return (uint64_t)(key + 1) << 26 | (uint64_t)product << 1 | overlay;
}

static inline size_t
product_hash(uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

#endif
