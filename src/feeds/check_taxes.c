/* SPDX-License-Identifier: Apache-2.0 */
/* DF-6: the tax items of an invoice and product add up to its tax events. */
#include "feeds/check_int.h"

#include <stdio.h>
#include <stdlib.h>

struct tax {
	uint64_t key; /* (invoice, product) */
	money_t amount;
	uint32_t row;
	currency_t currency;
	bool item;
};

static bool
counts(const struct check_row *r, bool item)
{
	bool tax = r->type >= TYPE_SELLER_TAX_SHARE && r->type <= TYPE_AWS_TAX_SHARE_CREDIT;

	if ((r->flags & ROW_ALIVE) == 0 || (r->flags & ROW_TAX_DUE) == 0 || r->tax == 0)
		return false;
	return item || (r->action == ACTION_INVOICED && tax);
}

static void
add(const struct check_table *t, bool item, struct tax *taxes, size_t *n)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct check_row *r = &t->row[i];

		if (counts(r, item)) {
			if (taxes != NULL)
				taxes[*n] =
				    (struct tax){ r->tax, row_amount(r), i, r->currency, item };
			(*n)++;
		}
	}
}

/* Events before items, so that a difference is told at an event when there is one. */
static int
by_invoice(const void *va, const void *vb)
{
	const struct tax *a = va, *b = vb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->currency != b->currency)
		return a->currency < b->currency ? -1 : 1;
	if (a->item != b->item)
		return a->item ? 1 : -1;
	return a->row < b->row ? -1 : 1;
}

struct difference {
	uint32_t row;
	bool item, no_items;
	money_t amount;
};

/* One invoice, product and currency: [from, to). */
static bool
differs(const struct tax *taxes, size_t from, size_t to, struct difference *ret)
{
	money_t sum = 0;
	bool items = false;

	for (size_t i = from; i < to; i++) {
		sum += taxes[i].item ? -taxes[i].amount : taxes[i].amount;
		items = items || taxes[i].item;
	}
	*ret = (struct difference){ taxes[from].row, taxes[from].item, !items, sum };
	return sum != 0;
}

static int
by_row(const void *va, const void *vb)
{
	const struct difference *a = va, *b = vb;

	if (a->item != b->item)
		return a->item ? 1 : -1;
	return a->row < b->row ? -1 : a->row > b->row;
}

static void
tell(struct check *c, const struct difference *d)
{
	char what[160], amount[MONEY_TEXT_SIZE];
	const struct check_table *t = &c->table[d->item ? FEED_TAX_ITEM : FEED_BILLING_EVENT];

	(void)money_format_exact(d->amount < 0 ? -d->amount : d->amount, 0, amount);
	(void)snprintf(what, sizeof(what),
	    d->no_items ? "is a tax without tax items: %s"
	    : d->item   ? "is a tax item of a tax that was not invoiced: %s"
			: "differs from the tax items of its invoice and product by %s",
	    amount);
	check_found_row(c, CHECK_DF6, &t->row[d->row], d->item ? "tax_amount" : "amount", what,
	    "fetch both feeds of all months; tax items and tax events of an invoice agree");
}

void
check_taxes(struct check *c)
{
	const struct check_table *events = &c->table[FEED_BILLING_EVENT];
	const struct check_table *items = &c->table[FEED_TAX_ITEM];
	struct difference *found;
	struct tax *taxes;
	size_t n = 0, n_found = 0, to;

	if (!events->present || !items->present)
		return;
	add(events, false, NULL, &n);
	add(items, true, NULL, &n);
	taxes = calloc(n + 1, sizeof(*taxes));
	if (taxes == NULL) {
		c->no_memory = true;
		return;
	}
	n = 0;
	add(events, false, taxes, &n);
	add(items, true, taxes, &n);
	qsort(taxes, n, sizeof(*taxes), by_invoice);
	/* Differences take the place of the groups that were looked at; they are smaller. */
	found = (struct difference *)taxes;
	for (size_t from = 0; from < n; from = to) {
		struct difference d;

		for (to = from; to < n && taxes[to].key == taxes[from].key &&
				taxes[to].currency == taxes[from].currency;
		     to++)
			;
		if (differs(taxes, from, to, &d))
			found[n_found++] = d;
	}
	qsort(found, n_found, sizeof(*found), by_row);
	for (size_t i = 0; i < n_found; i++)
		tell(c, &found[i]);
	free(taxes);
}
