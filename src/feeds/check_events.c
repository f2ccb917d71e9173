/* SPDX-License-Identifier: Apache-2.0 */
/* DF-1 to DF-5: what settles, forgives, pays out and fails. */
#include "feeds/check_int.h"

#include <stdio.h>
#include <stdlib.h>

/* A DISBURSEMENT and its lines. */
struct payout {
	uint32_t row;
	bool failed, foreign; /* foreign: a line in another currency */
	money_t lines;
	uint64_t n;
};

/* A line and what it settles. */
struct line {
	uint32_t parent, row;
};

struct payouts {
	struct payout *at;
	size_t n;
	struct line *lines;
	size_t n_lines;
};

static bool
is_payout(const struct check_row *r)
{
	return r->type == TYPE_DISBURSEMENT || r->type == TYPE_DISBURSEMENT_FAILURE;
}

/* Money that went out. */
static bool
is_disbursement(const struct check_row *r)
{
	return r->type == TYPE_DISBURSEMENT && r->action == ACTION_DISBURSED;
}

/* A row that shows which payout settled an invoiced event, beside the lines that count (data-feeds 4.2). */
static bool
is_note(const struct check_row *r)
{
	return r->type == TYPE_DISBURSEMENT && r->action == ACTION_INVOICED;
}

static bool
is_line(const struct check_row *r)
{
	return (r->flags & ROW_ALIVE) != 0 && r->action == ACTION_DISBURSED && !is_payout(r);
}

static money_t
magnitude(money_t m)
{
	return m < 0 ? -m : m;
}

static bool
collect(struct check *c, struct payouts *p)
{
	struct check_table *t = &c->table[FEED_BILLING_EVENT];
	size_t payouts = 0, lines = 0;

	for (size_t i = 0; i < t->n; i++) {
		lines += is_line(&t->row[i]);
		payouts += (t->row[i].flags & ROW_ALIVE) != 0 && is_disbursement(&t->row[i]);
	}
	p->at = calloc(payouts + 1, sizeof(*p->at));
	p->lines = calloc(lines + 1, sizeof(*p->lines));
	if (p->at == NULL || p->lines == NULL)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if ((t->row[i].flags & ROW_ALIVE) != 0 && is_disbursement(&t->row[i])) {
			p->at[p->n].row = (uint32_t)i;
			t->row[i].tax = p->n++;
		}
	return true;
}

/* DF-4; a payout with a failure is void, and so are its lines. */
static void
failures(struct check *c, struct payouts *p)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];

	for (size_t i = 0; i < t->n; i++) {
		const struct check_row *r = &t->row[i], *parent;
		uint32_t at;

		if ((r->flags & ROW_ALIVE) == 0 || r->type != TYPE_DISBURSEMENT_FAILURE)
			continue;
		at = check_table_find(t, r->link[0]);
		parent = at != CHECK_NONE ? &t->row[at] : NULL;
		if (r->link[0] == 0 || (parent != NULL && !is_disbursement(parent))) {
			check_found_row(c, CHECK_DF4, r, "parent_billing_event_id",
			    "does not name a DISBURSEMENT", "name the payout that failed");
			continue;
		}
		if (parent == NULL)
			continue;
		if (parent->currency != r->currency || row_amount(parent) != -row_amount(r))
			check_found_row(c, CHECK_DF4, r, "amount",
			    "does not take back all of its DISBURSEMENT",
			    "give the payout's amount with the other sign, in its currency");
		if (p->at[parent->tax].failed)
			check_found_row(c, CHECK_DF4, r, "parent_billing_event_id",
			    "names a DISBURSEMENT that failed before",
			    "a payout fails once; name the one of this failure");
		p->at[parent->tax].failed = true;
	}
}

/* The line's payout gets it; false when its payout is void. */
static bool
pay_in(struct check *c, struct payouts *p, const struct check_row *r)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	uint32_t at = check_table_find(t, r->link[1]);
	struct payout *x;

	if (r->link[1] == 0 || (at != CHECK_NONE && !is_disbursement(&t->row[at]))) {
		check_found_row(c, CHECK_DF2, r, "disbursement_billing_event_id",
		    "does not name a DISBURSEMENT", "name the payout that carried this line");
		return true;
	}
	if (at == CHECK_NONE)
		return true;
	x = &p->at[t->row[at].tax];
	x->n++;
	if (t->row[at].currency != r->currency) {
		check_found_row(c, CHECK_DF2, r, "currency",
		    "is not the currency of the line's DISBURSEMENT",
		    "pay each currency out by itself");
		return !x->failed;
	}
	if ((r->flags & ROW_IMPACTING) != 0)
		x->lines += row_amount(r);
	return !x->failed;
}

/* DF-1 for one line; true when its amount counts towards what its parent can bear. */
static bool
settles(struct check *c, const struct check_row *r, uint32_t at)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	const struct check_row *parent = at != CHECK_NONE ? &t->row[at] : NULL;
	money_t mine = row_amount(r), theirs;

	if (r->link[0] == 0) {
		check_found_row(c, CHECK_DF1, r, "parent_billing_event_id", "is empty",
		    "name the INVOICED event that this line settles");
		return false;
	}
	if (parent == NULL)
		return false;
	/* A payout again of what failed may name the payout before it. */
	if ((r->flags & ROW_EUROPE) != 0 && parent->type == TYPE_DISBURSEMENT)
		return false;
	theirs = row_amount(parent);
	if (parent->action != ACTION_INVOICED || parent->type != r->type)
		check_found_row(c, CHECK_DF1, r, "parent_billing_event_id",
		    "is not an INVOICED event of the line's type",
		    "name the INVOICED event that this line settles");
	else if (parent->currency != r->currency)
		check_found_row(c, CHECK_DF1, r, "currency",
		    "is not the currency of the line's parent", "settle an event in its currency");
	else if (mine != 0 && (mine < 0) == (theirs < 0))
		check_found_row(c, CHECK_DF1, r, "amount", "has the sign of the line's parent",
		    "give what is paid of it with the other sign");
	else if (magnitude(mine) > magnitude(theirs))
		check_found_row(c, CHECK_DF1, r, "amount", "is more than the line's parent",
		    "settle an event with all or a part of its amount");
	else
		return true;
	return false;
}

static int
by_parent(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return a->row < b->row ? -1 : 1;
}

/* Several lines of one parent: together no more than it. */
static void
overpaid(struct check *c, struct payouts *p)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	money_t sum = 0;

	qsort(p->lines, p->n_lines, sizeof(*p->lines), by_parent);
	for (size_t i = 0; i < p->n_lines; i++) {
		const struct line *l = &p->lines[i];

		if (i == 0 || l->parent != l[-1].parent)
			sum = 0;
		sum += row_amount(&t->row[l->row]);
		if (magnitude(sum) > magnitude(row_amount(&t->row[l->parent])))
			check_found_row(c, CHECK_DF1, &t->row[l->row], "amount",
			    "is with other lines more than the parent of all of them",
			    "settle an event once; after a failed payout add its "
			    "DISBURSEMENT_FAILURE");
	}
}

static void
lines(struct check *c, struct payouts *p)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];

	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t parent;
		bool counts;

		if (!is_line(&t->row[i]))
			continue;
		parent = check_table_find(t, t->row[i].link[0]);
		counts = pay_in(c, p, &t->row[i]);
		if (settles(c, &t->row[i], parent) && counts)
			p->lines[p->n_lines++] = (struct line){ parent, i };
	}
	overpaid(c, p);
}

/* DF-2 */
static void
payouts(struct check *c, const struct payouts *p)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	char what[160], amount[MONEY_TEXT_SIZE];

	for (size_t i = 0; i < p->n; i++) {
		const struct payout *x = &p->at[i];
		const struct check_row *r = &t->row[x->row];
		money_t left = row_amount(r) + x->lines;

		if (x->n == 0) {
			check_found_row(c, CHECK_DF2, r, "billing_event_id",
			    "is a disbursement without lines",
			    "fetch the file again; each line names it as its disbursement");
			continue;
		}
		if (left == 0)
			continue;
		(void)money_format_exact(left, 0, amount);
		(void)snprintf(what, sizeof(what),
		    "is not minus the sum of the disbursement's lines: together they leave %s",
		    amount);
		check_found_row(c, CHECK_DF2, r, "amount", what,
		    "look for lines that are missing, doubled or of another disbursement");
	}
}

/* DF-1 and DF-2 for a row that shows a settlement: what it negates, and which payout that was. */
static void
noted(struct check *c, const struct check_row *r)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	uint32_t at = check_table_find(t, r->link[0]), to = check_table_find(t, r->link[1]);
	const struct check_row *parent = at != CHECK_NONE ? &t->row[at] : NULL;
	money_t mine = row_amount(r), theirs = parent != NULL ? row_amount(parent) : 0;

	if (r->link[0] == 0 ||
	    (parent != NULL && (parent->action != ACTION_INVOICED || is_payout(parent))))
		check_found_row(c, CHECK_DF1, r, "parent_billing_event_id",
		    "does not name an INVOICED event that this INVOICED DISBURSEMENT negates",
		    "name it; money that went out is a DISBURSEMENT with action DISBURSED");
	else if (parent != NULL && parent->currency != r->currency)
		check_found_row(c, CHECK_DF1, r, "currency",
		    "is not the currency of the row's parent", "give the parent's currency");
	else if (parent != NULL &&
		 ((mine != 0 && (mine < 0) == (theirs < 0)) || magnitude(mine) > magnitude(theirs)))
		check_found_row(c, CHECK_DF1, r, "amount",
		    "does not negate the row's parent or a part of it",
		    "give what was paid of it with the other sign");
	if (r->link[1] == 0 || (to != CHECK_NONE && !is_disbursement(&t->row[to])))
		check_found_row(c, CHECK_DF2, r, "disbursement_billing_event_id",
		    "does not name a DISBURSEMENT", "name the payout that this row shows");
}

/* DF-3 */
static void
forgiven(struct check *c, const struct check_row *r)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	uint32_t at = check_table_find(t, r->link[0]);
	const struct check_row *parent = at != CHECK_NONE ? &t->row[at] : NULL;

	if (r->link[0] == 0)
		check_found_row(c, CHECK_DF3, r, "parent_billing_event_id", "is empty",
		    "name the INVOICED event that is forgiven");
	else if (parent == NULL)
		return;
	else if (parent->action != ACTION_INVOICED || parent->type != r->type)
		check_found_row(c, CHECK_DF3, r, "parent_billing_event_id",
		    "is not an INVOICED event of the same type",
		    "name the INVOICED event that is forgiven");
	else if (parent->currency != r->currency || row_amount(parent) != -row_amount(r))
		check_found_row(c, CHECK_DF3, r, "amount", "does not take back all of its parent",
		    "give the parent's amount with the other sign, in its currency");
}

/* DF-5 */
static void
impact(struct check *c, const struct check_row *r)
{
	bool tax = r->type >= TYPE_AWS_TAX_SHARE && r->type <= TYPE_AWS_TAX_SHARE_CREDIT;

	if (is_note(r) && (r->flags & ROW_IMPACTING) != 0)
		check_found_row(c, CHECK_DF5, r, "balance_impacting",
		    "is 1 for a row that only shows which DISBURSEMENT settled its parent",
		    "give 0: the payout's DISBURSED lines count, this would count twice");
	if (is_payout(r) || tax == ((r->flags & ROW_IMPACTING) == 0))
		return;
	check_found_row(c, CHECK_DF5, r, "balance_impacting",
	    tax ? "is 1 for a tax of the operator" : "is 0 for what the seller is owed",
	    tax ? "give 0: the operator keeps it" : "give 1; only AWS_TAX_SHARE types have 0");
}

void
check_events(struct check *c)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	struct payouts p = { 0 };

	if (!collect(c, &p)) {
		c->no_memory = true;
	} else {
		failures(c, &p);
		lines(c, &p);
		payouts(c, &p);
		for (size_t i = 0; i < t->n; i++) {
			if ((t->row[i].flags & ROW_ALIVE) == 0)
				continue;
			if (t->row[i].action == ACTION_FORGIVEN)
				forgiven(c, &t->row[i]);
			if (is_note(&t->row[i]))
				noted(c, &t->row[i]);
			impact(c, &t->row[i]);
		}
	}
	free(p.at);
	free(p.lines);
}
