/* SPDX-License-Identifier: Apache-2.0 */
/* Rows on their way into the tables: values that the reader does not judge, ids as hashes. */
#include "feeds/check_int.h"

#include "feeds/intern.h"

#include <strings.h>

uint64_t
check_key(const struct str *part, size_t n)
{
	char text[1024];
	size_t at = 0;
	uint64_t h;

	if (part[0].n == 0)
		return 0;
	if (n == 1) {
		h = text_hash(part[0]).a;
		return h != 0 ? h : 1;
	}
	for (size_t i = 0; i < n; i++) {
		/* Of a long part its hash: two of them must not look like one. */
		uint64_t long_one = part[i].n > 200 ? text_hash(part[i]).a : 0;
		struct str s = long_one == 0
				   ? part[i]
				   : (struct str){ (const char *)&long_one, sizeof(long_one) };

		if (s.n > 0)
			memcpy(text + at, s.p, s.n);
		at += s.n;
		text[at++] = '\0';
	}
	h = text_hash((struct str){ text, at }).a;
	return h != 0 ? h : 1;
}

/* ---- values ---- */

struct known {
	enum feed feed;
	unsigned column;
	const char *values[6]; /* in any case; the last is empty: may be empty */
	const char *fix;
};

static const struct known known[] = {
	{ FEED_OFFER_TARGET, OFT_TARGET_TYPE,
	    { "BuyerAccounts", "ParticipatingPrograms", "CountryCodes" },
	    "give BuyerAccounts, ParticipatingPrograms or CountryCodes" },
	{ FEED_OFFER_TARGET, OFT_POLARITY, { "PositiveTargeting", "NegativeTargeting" },
	    "give PositiveTargeting or NegativeTargeting" },
	{ FEED_LEGACY_MAPPING, LEG_MAPPING_TYPE, { "OFFER", "PRODUCT" }, "give OFFER or PRODUCT" },
	{ FEED_BILLING_EVENT, BE_BROKER_ID, { "AWS_INC", "AWS_EUROPE", "" },
	    "give AWS_INC or AWS_EUROPE; another AWS_... is taken as well" },
	{ FEED_TAX_ITEM, TAX_TAX_LIABLE_PARTY, { "AWS", "Seller", "" },
	    "give AWS, Seller or nothing" },
	{ FEED_TAX_ITEM, TAX_TRANSACTION_TYPE_CODE, { "AWS", "REFUND", "TAXONLYREFUND" },
	    "give AWS, REFUND or TAXONLYREFUND" },
	{ FEED_TAX_ITEM, TAX_TAX_TYPE_CODE, { "None", "Sales", "SellerUse", "" },
	    "give None, Sales or SellerUse" },
	{ FEED_TAX_ITEM, TAX_JURISDICTION_LEVEL, { "State", "County", "City", "District", "" },
	    "give State, County, City or District" },
	{ FEED_TAX_ITEM, TAX_DISPLAY_PRICE_TAXABILITY_TYPE, { "Exclusive", "" }, "give Exclusive" },
	{ FEED_TAX_ITEM, TAX_TAX_CALCULATION_REASON_CODE,
	    { "Taxable", "NonTaxable", "Exempt", "zero-rated", "ZeroRated", "" },
	    "give Taxable, NonTaxable, Exempt or zero-rated" },
};

static bool
is_known(const struct known *k, struct str s)
{
	if (k->column == BE_BROKER_ID && k->feed == FEED_BILLING_EVENT &&
	    str_starts(s, STR("AWS_")))
		return true;
	for (size_t i = 0; i < 6 && k->values[i] != NULL; i++)
		if (str_eq_nocase(s, str_c(k->values[i])))
			return true;
	return false;
}

static void
bad_value(
    struct check *c, const struct feed_row *row, unsigned column, const char *what, const char *fix)
{
	check_found(c, CHECK_VALUE, c->source->files[row->file].name, row->line,
	    row->info->columns[column].name, what, fix);
}

static void
account_number(struct check *c, const struct feed_row *row, unsigned column)
{
	struct str s = row->cell[column];
	bool good = s.n == 12;

	for (size_t i = 0; i < s.n; i++)
		good = good && s.p[i] >= '0' && s.p[i] <= '9';
	if (!good)
		bad_value(c, row, column, "is not an account number of 12 digits",
		    "keep it as text: what reads it as a number loses its leading zeros");
}

void
check_values(struct check *c, const struct feed_row *row)
{
	enum feed feed = c->source->files[row->file].feed;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].feed == feed && (row->columns & COLUMN(known[i].column)) != 0 &&
		    !is_known(&known[i], row->cell[known[i].column]))
			bad_value(c, row, known[i].column,
			    row->cell[known[i].column].n == 0 ? "is empty"
							      : "is not a value of this column",
			    known[i].fix);
	if (feed == FEED_ACCOUNT)
		account_number(c, row, ACC_AWS_ACCOUNT_ID);
	if (feed == FEED_ADDRESS)
		account_number(c, row, ADR_AWS_ACCOUNT_ID);
	if (feed == FEED_ADDRESS && row->cell[ADR_VALID_TO].n > 0)
		bad_value(c, row, ADR_VALID_TO, "is not empty",
		    "leave it empty: a version ends where the next one begins");
}

/* ---- rows ---- */

/* Ids of other feeds that a row of a small feed, or a tax item, names: first and second link. */
static const struct {
	unsigned column[2][2]; /* up to two columns make an id; FEED_COLUMNS_MAX: none */
} links[FEED__COUNT] = {
#define NO FEED_COLUMNS_MAX
	[FEED_ACCOUNT] = { { { ACC_MAILING_ADDRESS_ID, NO }, { ACC_TAX_ADDRESS_ID, NO } } },
	[FEED_ADDRESS] = { { { ADR_AWS_ACCOUNT_ID, NO }, { NO, NO } } },
	[FEED_PRODUCT] = { { { PRD_MANUFACTURER_ACCOUNT_ID, NO }, { NO, NO } } },
	[FEED_OFFER] = { { { OFF_SELLER_ACCOUNT_ID, NO }, { NO, NO } } },
	[FEED_OFFER_PRODUCT] = { { { OFP_OFFER_ID, OFP_OFFER_REVISION }, { OFP_PRODUCT_ID, NO } } },
	[FEED_OFFER_TARGET] = { { { OFT_OFFER_ID, OFT_OFFER_REVISION }, { NO, NO } } },
	[FEED_LEGACY_MAPPING] = { { { NO, NO }, { NO, NO } } },
	[FEED_BILLING_EVENT] = { { { BE_PARENT_BILLING_EVENT_ID, NO },
	    { BE_DISBURSEMENT_BILLING_EVENT_ID, NO } } },
	[FEED_TAX_ITEM] = { { { TAX_PRODUCT_ID, NO }, { TAX_TAXED_CUSTOMER_ACCOUNT_ID, NO } } },
};

static uint64_t
link_key(const struct feed_row *row, const unsigned column[2])
{
	struct str part[2];
	size_t n = 0;

	for (; n < 2 && column[n] != NO; n++)
		part[n] = row->cell[column[n]];
	return n > 0 ? check_key(part, n) : 0;
}
#undef NO

static void
set_amount(struct check_row *r, struct str s)
{
	money_t m = 0;

	(void)value_money(s, &m);
	r->amount[0] = (uint64_t)m;
	r->amount[1] = (uint64_t)((unsigned __int128)m >> 64);
}

/* From this day on every tax event has tax items (data-feeds 3.9). */
#define TAX_ITEMS_FROM INT64_C(1628121600000)

static void
remember_tax(struct check_row *r, struct str invoice, struct str product, struct str date)
{
	instant_t t = 0;

	r->tax = check_key((const struct str[]){ invoice, product }, 2);
	if (date.n > 0 && value_instant(date, &t).what == NULL && t >= TAX_ITEMS_FROM)
		r->flags |= ROW_TAX_DUE;
}

/* Is it known, or the operator? */
static bool
leads_somewhere(const struct check *c, enum feed feed, struct str id)
{
	if (id.n == 0 || !c->table[feed].present ||
	    (feed == FEED_ACCOUNT && id.n <= 12 && str_starts(id, STR("AWS"))))
		return true;
	return check_table_find(feed == FEED_ADDRESS ? &c->addresses : &c->table[feed],
		   check_key(&id, 1)) != CHECK_NONE;
}

static void
remember_event(const struct check *c, const struct feed_row *row, struct check_row *r)
{
	static const struct {
		unsigned column;
		enum feed feed;
	} known_ids[] = { { BE_FROM_ACCOUNT_ID, FEED_ACCOUNT }, { BE_TO_ACCOUNT_ID, FEED_ACCOUNT },
		{ BE_END_USER_ACCOUNT_ID, FEED_ACCOUNT }, { BE_PRODUCT_ID, FEED_PRODUCT },
		{ BE_BILLING_ADDRESS_ID, FEED_ADDRESS } };
	const struct str *cell = row->cell;

	r->action = (uint8_t)event_action_named(cell[BE_ACTION]);
	r->type = (uint8_t)event_type_named(cell[BE_TRANSACTION_TYPE]);
	set_amount(r, cell[BE_AMOUNT]);
	r->currency = currency_of(cell[BE_CURRENCY]);
	r->flags |= str_eq_c(cell[BE_BALANCE_IMPACTING], "1") ? ROW_IMPACTING : 0;
	r->flags |= str_eq_c(cell[BE_BROKER_ID], "AWS_EUROPE") ? ROW_EUROPE : 0;
	remember_tax(r, cell[BE_INVOICE_ID], cell[BE_PRODUCT_ID], cell[BE_INVOICE_DATE]);
	for (unsigned i = 0; i < sizeof(known_ids) / sizeof(known_ids[0]); i++)
		if (!leads_somewhere(c, known_ids[i].feed, cell[known_ids[i].column]))
			r->broken |= (uint8_t)(1 << i);
}

void
check_remember(struct check *c, const struct feed_row *row, struct check_row *ret)
{
	enum feed feed = c->source->files[row->file].feed;
	const struct feed_info *info = row->info;
	struct str key[FEED_KEY_MAX];
	struct check_row r = { .line = (uint32_t)row->line, .file = (uint32_t)row->file };

	for (unsigned i = 0; i < info->n_key; i++)
		key[i] = row->cell[info->key[i]];
	r.key = check_key(key, info->n_key);
	(void)value_instant(row->cell[info->valid_from], &r.valid_from);
	(void)value_instant(row->cell[info->update_date], &r.update);
	r.flags = row->cell[info->delete_date].n > 0 ? ROW_DELETED : 0;
	for (unsigned i = 0; i < 2; i++)
		r.link[i] = link_key(row, links[feed].column[i]);
	if (feed == FEED_BILLING_EVENT)
		remember_event(c, row, &r);
	if (feed == FEED_TAX_ITEM) {
		set_amount(
		    &r, row->cell[TAX_TAX_AMOUNT].n > 0 ? row->cell[TAX_TAX_AMOUNT] : STR("0"));
		r.currency = currency_of(row->cell[TAX_TAX_CURRENCY]);
		remember_tax(&r, row->cell[TAX_INVOICE_ID], row->cell[TAX_PRODUCT_ID],
		    row->cell[TAX_INVOICE_DATE]);
	}
	*ret = r;
}
