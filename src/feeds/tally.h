/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts added up by a text and a currency: what charts are drawn from. */
#ifndef SOUK_FEEDS_TALLY_H
#define SOUK_FEEDS_TALLY_H

#include "base/currency.h"
#include "base/money.h"

struct tally_entry {
	currency_t currency;
	size_t name, name_n; /* within the tally's names */
	uint64_t hash, lines;
	money_t amount;
};

/* Zero-initialise, end with tally_done. */
struct tally {
	struct buf names;
	struct tally_entry *entries;
	uint32_t *slots; /* entry + 1; 0: free */
	size_t n, cap, n_slots;
};

void tally_done(struct tally *t);
/* SOUK_E_NOMEM, or SOUK_E_LIMIT when the sum does not fit. */
SOUK_MUST enum souk_err tally_add(struct tally *t, currency_t c, struct str name, money_t amount);
static inline struct str
tally_name(const struct tally *t, const struct tally_entry *e)
{
	return (struct str){ t->names.p + e->name, e->name_n };
}
/* Orders by currency, then name. After that nothing may be added. */
void tally_sort_by_name(struct tally *t);
/* Orders by currency, then amount, the largest magnitude first, then name. The same. */
void tally_sort_by_amount(struct tally *t);

#endif
