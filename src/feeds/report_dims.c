/* SPDX-License-Identifier: Apache-2.0 */
/* What lines say about payers, products and addresses, and which slot an event's amount is. */
#include "feeds/report_int.h"

#include <assert.h>

#define REVENUE_SLOTS(t, a, b, c) [t] = (a), [(t) + 1] = (b), [(t) + 2] = (c)

static const uint8_t slot_by_type[TYPE__COUNT] = {
	REVENUE_SLOTS(TYPE_SELLER_REV_SHARE, SLOT_REVENUE, SLOT_REFUND, SLOT_CREDIT),
	REVENUE_SLOTS(TYPE_AWS_REV_SHARE, SLOT_FEE, SLOT_FEE_REFUND, SLOT_FEE_CREDIT),
	REVENUE_SLOTS(TYPE_SELLER_TAX_SHARE, SLOT_TAX, SLOT_TAX_REFUND, SLOT_TAX_CREDIT),
	REVENUE_SLOTS(TYPE_AWS_TAX_SHARE, FOLD_NO_SLOT, FOLD_NO_SLOT, FOLD_NO_SLOT),
	[TYPE_BALANCE_ADJUSTMENT] = SLOT_ADJUSTMENT,
	[TYPE_DISBURSEMENT] = FOLD_NO_SLOT,
	[TYPE_DISBURSEMENT_FAILURE] = FOLD_NO_SLOT,
};

uint8_t
slot_of_disbursed_type(const struct event *e)
{
	return slot_by_type[e->type];
}

uint8_t
slot_of_type(const struct fold *f, const struct event *e)
{
	if (e->type <= TYPE_SELLER_REV_SHARE_CREDIT && e->from == f->seller &&
	    f->seller != INTERN_NONE)
		return SLOT_COST;
	return slot_by_type[e->type];
}

size_t
column_at(const struct fold *f, const char *name)
{
	size_t i = 0;

	while (i < f->n_columns && strcmp(f->columns[i].name, name) != 0)
		i++;
	return i;
}

void
column_slots(struct fold *f, const char *name, uint32_t mask)
{
	size_t c = column_at(f, name);

	assert(c < f->n_columns && f->columns[c].type == CELL_MONEY);
	f->slots_of[c] = mask;
}

/* The first of several names that data sets give one thing. */
static size_t
named(const struct fold *f, const char *const *names)
{
	size_t at = f->n_columns;

	for (; *names != NULL && at == f->n_columns; names++)
		at = column_at(f, *names);
	return at;
}

#define NAMED(f, ...) named(f, (const char *const[]){ __VA_ARGS__, NULL })

void
common_find(struct fold *f)
{
	f->common = (struct common_columns){
		.customer = NAMED(f, "Customer Reference ID", "User Reference ID"),
		.country = NAMED(f, "Country", "Customer Country"),
		.state = NAMED(f, "State", "Customer State"),
		.city = NAMED(f, "City", "Customer City"),
		.postal_code = NAMED(f, "Zip Code", "Customer Zip Code", "Customer ZIP Code"),
		.email = NAMED(f, "Email Domain", "Customer Email Domain"),
		.title = NAMED(f, "Product Title", "Product"),
		.code = NAMED(f, "Product Code"),
		.currency = NAMED(f, "Currency"),
		.reference = NAMED(f, "Transaction Reference ID"),
		.account = NAMED(f, "Customer AWS Account Number", "Payer AWS Account Number"),
		.user_account = NAMED(f, "User AWS Account Number", "End Customer AWS Account ID"),
		.payer = NAMED(f, "Payer Reference ID"),
		.address = NAMED(f, "Payer Address ID"),
	};
}

static const struct version *
account_version(const struct fold *f, uint32_t account, instant_t t)
{
	uint32_t key = account != INTERN_NONE ? f->account_key[account] : HISTORY_NONE;

	return t == INSTANT_NONE ? history_latest(f->feeds->account, key)
				 : history_asof(f->feeds->account, key, t);
}

struct str
account_text(const struct fold *f, uint32_t account, instant_t t, unsigned column)
{
	const struct version *v;

	if (column == ACC_ACCOUNT_ID)
		return intern_text(f->feeds->accounts, account);
	v = account_version(f, account, t);
	return v != NULL ? history_cell(f->feeds->account, v, column) : STR("");
}

struct str
product_text(const struct fold *f, uint32_t product, unsigned column)
{
	const struct version *v;

	if (column == PRD_PRODUCT_ID)
		return intern_text(f->feeds->products, product);
	v = product != INTERN_NONE ? history_latest(f->feeds->product, f->product_key[product])
				   : NULL;
	return v != NULL ? history_cell(f->feeds->product, v, column) : STR("");
}

/* Of two interned texts the one that is greater; numbers never decide. */
static uint32_t
greater(const struct intern *in, uint32_t a, uint32_t b)
{
	if (a == b || b == INTERN_NONE)
		return a;
	if (a == INTERN_NONE)
		return b;
	return text_order(intern_text(in, a), intern_text(in, b)) >= 0 ? a : b;
}

uint32_t
payer_of(const struct fold *f, const struct group *g)
{
	bool page = f->request->variant == REPORT_AS_PAGE;
	uint32_t payer = INTERN_NONE;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct event *e = event_at(f->feeds, f->groups.members[i]);

		if (event_type_is_seller((enum event_type)e->type) &&
		    !(page && e->from == f->seller))
			payer = greater(f->feeds->accounts, payer, e->from);
	}
	return payer;
}

instant_t
latest_date(const struct fold *f, const struct group *g)
{
	instant_t latest = INSTANT_NONE;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct event *e = event_at(f->feeds, f->groups.members[i]);

		if (e->invoice_date > latest)
			latest = e->invoice_date;
	}
	return latest;
}

/* The address that a group's events name: of the latest that names one. */
static uint32_t
named_address(const struct fold *f, const struct group *g)
{
	uint32_t address = INTERN_NONE;
	instant_t latest = INSTANT_NONE;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct event *e = event_at(f->feeds, f->groups.members[i]);

		if (e->address == INTERN_NONE || e->invoice_date < latest)
			continue;
		address = e->invoice_date > latest
			      ? e->address
			      : greater(f->feeds->addresses, address, e->address);
		latest = e->invoice_date;
	}
	return address;
}

void
address_read(const struct fold *f, uint32_t payer, instant_t t, struct address_cells *a)
{
	const struct str key[2] = { a->id, account_text(f, payer, t, ACC_AWS_ACCOUNT_ID) };
	const struct version *v =
	    history_latest(f->feeds->address, history_key(f->feeds->address, key));

	if (v == NULL)
		return;
	a->country = history_cell(f->feeds->address, v, ADR_COUNTRY);
	a->state = history_cell(f->feeds->address, v, ADR_STATE_OR_REGION);
	a->city = history_cell(f->feeds->address, v, ADR_CITY);
	a->postal_code = history_cell(f->feeds->address, v, ADR_POSTAL_CODE);
	a->email_domain = history_cell(f->feeds->address, v, ADR_EMAIL_DOMAIN);
}

struct address_cells
address_of(const struct fold *f, const struct group *g, uint32_t payer, instant_t t)
{
	struct address_cells a = { .id = intern_text(f->feeds->addresses, named_address(f, g)) };

	if (a.id.n == 0)
		a.id = account_text(f, payer, t, ACC_MAILING_ADDRESS_ID);
	if (a.id.n > 0)
		address_read(f, payer, t, &a);
	return a;
}

void
common_fill(const struct fold *f, const struct group *g, uint32_t product, uint32_t user,
    instant_t t, struct made_line *ret)
{
	const struct common_columns *c = &f->common;
	struct report_cell *cells = ret->cells;
	const struct event *first = event_at(f->feeds, f->groups.members[g->first]);
	uint32_t payer = payer_of(f, g);
	struct address_cells a = address_of(f, g, payer, t);

	cell_text(&cells[c->customer],
	    account_text(f, user != INTERN_NONE ? user : payer, t, ACC_ACCOUNT_ID));
	cell_text(&cells[c->country], a.country);
	cell_text(&cells[c->state], a.state);
	cell_text(&cells[c->city], a.city);
	cell_text(&cells[c->postal_code], a.postal_code);
	cell_text(&cells[c->email], a.email_domain);
	cell_text(&cells[c->address], a.id);
	cell_text(&cells[c->title], product_text(f, product, PRD_TITLE));
	cell_text(&cells[c->code], product_text(f, product, PRD_PRODUCT_CODE));
	cell_text(&cells[c->currency], (struct str){ f->codes[first->currency], 3 });
	cell_text(&cells[c->reference], intern_text(f->feeds->references, first->reference));
	cell_text(&cells[c->account], account_text(f, payer, t, ACC_AWS_ACCOUNT_ID));
	cell_text(&cells[c->user_account], account_text(f, user, t, ACC_AWS_ACCOUNT_ID));
	cell_text(&cells[c->payer], account_text(f, payer, t, ACC_ACCOUNT_ID));
	ret->line.product = cells[c->title].filled ? cells[c->title].text
						   : product_text(f, product, PRD_PRODUCT_ID);
	ret->line.country = a.country;
}

uint32_t
reference_primary(const struct fold *f, const struct event *e)
{
	return e->reference != INTERN_NONE ? e->reference : intern_bound(f->feeds->references);
}

size_t
reference_primaries(const struct fold *f)
{
	return (size_t)intern_bound(f->feeds->references) + 1;
}

struct str
reference_text(const struct fold *f, uint32_t primary)
{
	return primary < intern_bound(f->feeds->references)
		   ? intern_text(f->feeds->references, primary)
		   : STR("");
}

int
order_of(const struct intern *in, uint32_t a, uint32_t b)
{
	return a == b ? 0 : text_order(intern_text(in, a), intern_text(in, b));
}

bool
no_slots(const money_t *slots)
{
	for (size_t i = 0; i < FOLD_SLOTS; i++)
		if (slots[i] != 0)
			return false;
	return true;
}
