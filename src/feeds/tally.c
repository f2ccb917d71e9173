/* SPDX-License-Identifier: Apache-2.0 */
/* An open-addressed table from (currency, text) to a sum. */
#include "feeds/tally.h"

#include "base/array.h"

#include <stdlib.h>

void
tally_done(struct tally *t)
{
	buf_done(&t->names);
	free(t->entries);
	free(t->slots);
	*t = (struct tally){ .n = 0 };
}

static uint64_t
hash_of(currency_t c, struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ c;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}

/* Twice the slots, everybody in his new place. */
static bool
grow_slots(struct tally *t)
{
	size_t n = t->n_slots != 0 ? 2 * t->n_slots : 64;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		size_t at = t->entries[i].hash & (n - 1);

		while (slots[at] != 0)
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	return true;
}

static struct tally_entry *
find(struct tally *t, currency_t c, struct str name)
{
	uint64_t h = hash_of(c, name);
	size_t at;

	if (2 * (t->n + 1) > t->n_slots && !grow_slots(t))
		return NULL;
	for (at = h & (t->n_slots - 1); t->slots[at] != 0; at = (at + 1) & (t->n_slots - 1)) {
		struct tally_entry *e = &t->entries[t->slots[at] - 1];

		if (e->hash == h && e->currency == c && str_eq(tally_name(t, e), name))
			return e;
	}
	if (t->n == UINT32_MAX - 1 || !ARRAY_ROOM(t->entries, t->n, t->cap, 64))
		return NULL;
	t->slots[at] = (uint32_t)t->n + 1;
	t->entries[t->n] =
	    (struct tally_entry){ .currency = c, .hash = h, .name = t->names.n, .name_n = name.n };
	buf_add_str(&t->names, name);
	return buf_ok(&t->names) ? &t->entries[t->n++] : NULL;
}

enum souk_err
tally_add(struct tally *t, currency_t c, struct str name, money_t amount)
{
	struct tally_entry *e = find(t, c, name);

	if (e == NULL)
		return SOUK_E_NOMEM;
	e->lines++;
	return money_add(e->amount, amount, &e->amount) ? SOUK_OK : SOUK_E_LIMIT;
}

static int
by_name(const void *pa, const void *pb, void *arg)
{
	const struct tally_entry *a = pa, *b = pb;
	const struct tally *t = arg;

	if (a->currency != b->currency)
		return a->currency < b->currency ? -1 : 1;
	return str_compare(tally_name(t, a), tally_name(t, b));
}

static int
by_amount(const void *pa, const void *pb, void *arg)
{
	const struct tally_entry *a = pa, *b = pb;
	money_t x = a->amount < 0 ? -a->amount : a->amount;
	money_t y = b->amount < 0 ? -b->amount : b->amount;

	if (a->currency == b->currency && x != y)
		return x > y ? -1 : 1;
	return by_name(pa, pb, arg);
}

static void
sort(struct tally *t, int (*order)(const void *, const void *, void *))
{
	if (t->n > 1)
		qsort_r(t->entries, t->n, sizeof(*t->entries), order, t);
	free(t->slots);
	t->slots = NULL;
	t->n_slots = 0;
}

void
tally_sort_by_name(struct tally *t)
{
	sort(t, by_name);
}

void
tally_sort_by_amount(struct tally *t)
{
	sort(t, by_amount);
}
