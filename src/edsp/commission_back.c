/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was paid for a transaction, so that what is given back to the buyer is taken from them and
 * from nobody else. Only transactions that something takes from are kept.
 */
#include "edsp/commission_int.h"

#include "base/array.h"
#include <stdlib.h>

#define ARENA_LIMIT ((size_t)8 << 30)

uint64_t
transaction_hash(const struct commission_line *l)
{
	uint64_t h = text_map_hash(l->transaction);

	h = h * 31 + text_map_hash(l->product_id);
	h = h * 31 + text_map_hash(l->end_user);
	h = h * 31 + text_map_hash(l->currency);
	return h != 0 ? h : 1;
}

bool
line_takes(const struct commission_line *l)
{
	bool yes = takes(&l->billed);

	for (size_t i = 0; i < l->n_payouts && !yes; i++)
		yes = takes(&l->payouts[i].amounts);
	return yes;
}

enum souk_err
ledger_init(struct ledger *l, const struct commission_line *lines, size_t n, size_t taking)
{
	*l = (struct ledger){ 0 };
	l->any = taking > 0;
	for (l->wanted_mask = 15; l->wanted_mask < 2 * taking;)
		l->wanted_mask = 2 * l->wanted_mask + 1;
	l->wanted = calloc(l->wanted_mask + 1, sizeof(*l->wanted));
	l->arena = arena_new(ARENA_LIMIT);
	if (l->wanted == NULL || l->arena == NULL ||
	    text_map_init(&l->transactions, taking) != SOUK_OK) {
		ledger_done(l);
		return SOUK_E_NOMEM;
	}
	for (size_t i = 0; i < n && taking > 0; i++) {
		uint64_t h;
		size_t k;

		if (!line_takes(&lines[i]))
			continue;
		h = transaction_hash(&lines[i]);
		for (k = h & l->wanted_mask; l->wanted[k] != 0 && l->wanted[k] != h;)
			k = (k + 1) & l->wanted_mask;
		l->wanted[k] = h;
	}
	return SOUK_OK;
}

void
ledger_done(struct ledger *l)
{
	text_map_done(&l->transactions);
	free(l->wanted);
	free(l->groups);
	free(l->records);
	free(l->newest);
	arena_free(l->arena);
	*l = (struct ledger){ 0 };
}

bool
ledger_wants(const struct ledger *l, uint64_t hash)
{
	for (size_t k = hash & l->wanted_mask; l->wanted[k] != 0; k = (k + 1) & l->wanted_mask)
		if (l->wanted[k] == hash)
			return true;
	return false;
}

/* The four texts one behind the other, each ended by a byte that no text of UTF-8 has. */
static size_t
transaction_key(const struct commission_line *l, char *out)
{
	const struct str parts[] = { l->transaction, l->product_id, l->end_user, l->currency };
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		if (out != NULL && parts[i].n > 0)
			memcpy(out + n, parts[i].p, parts[i].n);
		n += parts[i].n;
		if (out != NULL)
			out[n] = '\xff';
		n++;
	}
	return n;
}

/* The transaction's number; with `add` made when new. TEXT_MAP_NONE: unknown, or out of memory. */
static uint32_t
transaction_number(struct ledger *l, const struct commission_line *line, uint64_t hash, bool add)
{
	char small[512];
	size_t n = transaction_key(line, NULL);
	char *p = n <= sizeof(small) && !add ? small : arena_alloc(l->arena, n);
	uint32_t v;

	if (p == NULL)
		return TEXT_MAP_NONE;
	(void)transaction_key(line, p);
	v = text_map_find(&l->transactions, (struct str){ p, n }, hash);
	if (v != TEXT_MAP_NONE || !add)
		return v;
	if (!ARRAY_ROOM(l->newest, l->n_newest, l->cap_newest, 256))
		return TEXT_MAP_NONE;
	v = text_map_put(&l->transactions, (struct str){ p, n }, hash, (uint32_t)l->n_newest);
	if (v != TEXT_MAP_NONE)
		l->newest[l->n_newest++] = NO_INDEX;
	return v;
}

uint32_t
ledger_newest(const struct ledger *l, const struct commission_line *line, uint64_t hash)
{
	uint32_t v = transaction_number((struct ledger *)(uintptr_t)l, line, hash, false);

	return v != TEXT_MAP_NONE ? l->newest[v] : NO_INDEX;
}

uint32_t
ledger_group(struct ledger *l, const struct commission_line *line, uint32_t line_i, uint64_t hash)
{
	uint32_t v = transaction_number(l, line, hash, false);

	if (v == TEXT_MAP_NONE)
		v = transaction_number(l, line, hash, true);
	if (v == TEXT_MAP_NONE)
		return NO_INDEX;
	for (uint32_t g = l->newest[v]; g != NO_INDEX; g = l->groups[g].older)
		if (l->groups[g].line == line_i)
			return g;
	if (!ARRAY_ROOM(l->groups, l->n_groups, l->cap_groups, 256))
		return NO_INDEX;
	l->groups[l->n_groups] =
	    (struct group){ .line = line_i, .records = NO_INDEX, .older = l->newest[v] };
	l->newest[v] = (uint32_t)l->n_groups;
	return (uint32_t)l->n_groups++;
}

struct record *
ledger_record(struct ledger *l, uint32_t group, const struct credit *c)
{
	struct group *g = &l->groups[group];

	for (uint32_t i = g->records; i != NO_INDEX; i = l->records[i].next) {
		const struct credit *have = &l->records[i].credit;

		if (have->representative == c->representative && have->overlay == c->overlay)
			return &l->records[i];
	}
	if (!ARRAY_ROOM(l->records, l->n_records, l->cap_records, 256))
		return NULL;
	l->records[l->n_records] = (struct record){ *c, 0, g->records };
	g->records = (uint32_t)l->n_records;
	return &l->records[l->n_records++];
}
