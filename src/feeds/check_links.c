/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that lead nowhere, events that are their own ancestors, rows that are there twice. */
#include "feeds/check_int.h"

#include <stdlib.h>

#define NUMBERS FEED__COUNT      /* in place of a feed: by aws_account_id */
#define EITHER (FEED__COUNT + 1) /* an account by its id or its number */

static const struct {
	enum feed from;
	unsigned link, column, to;
	const char *what, *fix;
} links[] = {
	{ FEED_ACCOUNT, 0, ACC_MAILING_ADDRESS_ID, FEED_ADDRESS,
	    "is no address of the address feed", "fetch the address feed too, of all months" },
	{ FEED_ACCOUNT, 1, ACC_TAX_ADDRESS_ID, FEED_ADDRESS, "is no address of the address feed",
	    "fetch the address feed too, of all months" },
	{ FEED_ADDRESS, 0, ADR_AWS_ACCOUNT_ID, NUMBERS, "is no account of the account feed",
	    "fetch the account feed too, of all months" },
	{ FEED_PRODUCT, 0, PRD_MANUFACTURER_ACCOUNT_ID, EITHER, "is no account of the account feed",
	    "fetch the account feed too, of all months" },
	{ FEED_OFFER, 0, OFF_SELLER_ACCOUNT_ID, EITHER, "is no account of the account feed",
	    "fetch the account feed too, of all months" },
	{ FEED_OFFER_PRODUCT, 0, OFP_OFFER_ID, FEED_OFFER,
	    "is with its revision no offer of the offer feed",
	    "fetch the offer feed too, of all months" },
	{ FEED_OFFER_PRODUCT, 1, OFP_PRODUCT_ID, FEED_PRODUCT, "is no product of the product feed",
	    "fetch the product feed too, of all months" },
	{ FEED_OFFER_TARGET, 0, OFT_OFFER_ID, FEED_OFFER,
	    "is with its revision no offer of the offer feed",
	    "fetch the offer feed too, of all months" },
	{ FEED_TAX_ITEM, 0, TAX_PRODUCT_ID, FEED_PRODUCT, "is no product of the product feed",
	    "fetch the product feed too, of all months" },
	{ FEED_TAX_ITEM, 1, TAX_TAXED_CUSTOMER_ACCOUNT_ID, FEED_ACCOUNT,
	    "is no account of the account feed", "fetch the account feed too, of all months" },
};

static bool
leads(const struct check *c, unsigned to, uint64_t key)
{
	const struct check_table *accounts = &c->table[FEED_ACCOUNT];

	if (to == NUMBERS || to == EITHER)
		return !accounts->present || check_table_find(&c->numbers, key) != CHECK_NONE ||
		       (to == EITHER && check_table_find(accounts, key) != CHECK_NONE);
	if (to == FEED_ADDRESS)
		return !c->table[to].present || check_table_find(&c->addresses, key) != CHECK_NONE;
	return !c->table[to].present || check_table_find(&c->table[to], key) != CHECK_NONE;
}

static void
small_feeds(struct check *c)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		const struct check_table *t = &c->table[links[i].from];

		for (size_t k = 0; k < t->n; k++) {
			const struct check_row *r = &t->row[k];

			if ((r->flags & ROW_ALIVE) != 0 && r->link[links[i].link] != 0 &&
			    !leads(c, links[i].to, r->link[links[i].link]))
				check_found_row(c, CHECK_LINK, r,
				    feed_info(links[i].from)->columns[links[i].column].name,
				    links[i].what, links[i].fix);
		}
	}
}

static void
event_links(struct check *c, const struct check_row *r)
{
	static const struct {
		const char *column, *what, *fix;
	} broken[] = {
		{ "from_account_id", "is no account of the account feed",
		    "fetch the account feed too, of all months" },
		{ "to_account_id", "is no account of the account feed",
		    "fetch the account feed too, of all months" },
		{ "end_user_account_id", "is no account of the account feed",
		    "fetch the account feed too, of all months" },
		{ "product_id", "is no product of the product feed",
		    "fetch the product feed too, of all months" },
		{ "billing_address_id", "is no address of the address feed",
		    "fetch the address feed too, of all months" },
	};
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];

	for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if ((r->broken & 1 << i) != 0)
			check_found_row(
			    c, CHECK_LINK, r, broken[i].column, broken[i].what, broken[i].fix);
	if (r->link[0] != 0 && check_table_find(t, r->link[0]) == CHECK_NONE)
		check_found_row(c, CHECK_LINK, r, "parent_billing_event_id", "is no billing event",
		    "fetch the months before it, the backfill (2010-01) included");
	if (r->link[1] != 0 && check_table_find(t, r->link[1]) == CHECK_NONE)
		check_found_row(c, CHECK_LINK, r, "disbursement_billing_event_id",
		    "is no billing event",
		    "fetch the file of the month in which it was disbursed again");
}

static uint32_t
parent_of(const struct check_table *t, uint32_t row)
{
	return check_table_find(t, t->row[row].link[0]);
}

enum colour { NEW, ON_WAY, DONE };

/* Along the parents until one that was seen; a way that meets itself is a cycle, told at its first row. */
static void
cycles(struct check *c)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];
	uint8_t *colour = calloc(t->n + 1, 1);
	uint32_t at, first;

	if (colour == NULL) {
		c->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		if ((t->row[i].flags & ROW_ALIVE) == 0)
			continue;
		for (at = i; at != CHECK_NONE && colour[at] == NEW; at = parent_of(t, at))
			colour[at] = ON_WAY;
		if (at != CHECK_NONE && colour[at] == ON_WAY) {
			first = at;
			for (uint32_t k = parent_of(t, at); k != at; k = parent_of(t, k))
				first = k < first ? k : first;
			check_found_row(c, CHECK_CYCLE, &t->row[first], "parent_billing_event_id",
			    "leads back to the event itself",
			    "name the event that is settled, not one of those that settle");
		}
		for (at = i; at != CHECK_NONE && colour[at] == ON_WAY; at = parent_of(t, at))
			colour[at] = DONE;
	}
	free(colour);
}

static void
doubles(struct check *c, enum feed feed)
{
	const struct check_table *t = &c->table[feed];

	for (size_t i = 0; i < t->n; i++)
		if ((t->row[i].flags & ROW_DOUBLE) != 0)
			check_found_row(c, CHECK_DF7, &t->row[i],
			    feed_info(feed)->columns[feed_info(feed)->key[0]].name,
			    "is there before with this valid_from and update_date",
			    "give a correction a later update_date, and a copy up");
}

void
check_links(struct check *c)
{
	const struct check_table *t = &c->table[FEED_BILLING_EVENT];

	for (enum feed feed = 0; feed < FEED__COUNT; feed++)
		doubles(c, feed);
	small_feeds(c);
	for (size_t i = 0; i < t->n; i++)
		if ((t->row[i].flags & ROW_ALIVE) != 0)
			event_links(c, &t->row[i]);
	cycles(c);
}
