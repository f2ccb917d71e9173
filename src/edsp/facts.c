/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sets from facts: a row of the database, a line of the file.
 *
 * Columns are filled by their names, which mean the same in every set; a test asks that each is known.
 */
#include "edsp/facts.h"

#include "edsp/facts_store.h"
#include "feeds/report_out.h"
#include "market/customer.h"

/* What a column's cell is made of. */
enum fact {
	F_NOTHING, /* there are no such facts */
	F_REF,
	F_ADDRESS_REF,
	F_ACCOUNT,
	F_COUNTRY,
	F_REGION,
	F_CITY,
	F_POSTAL_CODE,
	F_DOMAIN,
	F_TITLE,
	F_PRODUCT_ID,
	F_CODE,
	F_OFFER,
	F_VISIBILITY,
	F_SUBSCRIPTION,
	F_KIND,
	F_INTENT,
	F_PREVIOUS_OFFER,
	F_QUANTITY,
	F_DIMENSION,
	F_UNIT,
	F_STARTS
};

static const struct {
	const char *column;
	enum fact fact;
} meanings[] = {
	{ "Customer Reference ID", F_REF },
	{ "Payer Reference ID", F_REF },
	{ "Payer Address ID", F_ADDRESS_REF },
	{ "Customer AWS Account Number", F_ACCOUNT },
	{ "User's Country", F_COUNTRY },
	{ "User's State", F_REGION },
	{ "Customer Country", F_COUNTRY },
	{ "Customer State", F_REGION },
	{ "Customer City", F_CITY },
	{ "Customer Zip Code", F_POSTAL_CODE },
	{ "Customer Email Domain", F_DOMAIN },
	{ "Product Title", F_TITLE },
	{ "Product Id", F_PRODUCT_ID },
	{ "Product Code", F_CODE },
	{ "Offer ID", F_OFFER },
	{ "Offer Visibility", F_VISIBILITY },
	{ "Subscription Id", F_SUBSCRIPTION },
	{ "Subscription Quantity", F_QUANTITY },
	{ "Subscription Type", F_KIND },
	{ "Subscription Intent", F_INTENT },
	{ "Subscription Start Date", F_STARTS },
	{ "Subscribed Date", F_STARTS },
	{ "Previous Offer ID", F_PREVIOUS_OFFER },
	{ "Instance Type", F_DIMENSION },
	{ "Type", F_DIMENSION },
	{ "Usage Units", F_QUANTITY },
	{ "Usage Unit Type", F_UNIT },
	{ "Count", F_QUANTITY },
};

#define ADDRESS_DOMAIN "market.customer-address"

struct writing {
	const struct facts_request *q;
	const struct vault *vault;
	struct report_sink *sink;
	struct fail *f;
	struct report_request request; /* for the sink: whose file it is */
	struct report_head head;
	enum fact facts[REPORT_COLUMNS_MAX];
	struct facts_stats stats;
	bool began; /* something was written: not to be run a second time */
	/* texts of the present line */
	char ref[CUSTOMER_REF_LEN + 1], address_ref[ALIAS_TEXT_LEN + 1];
	char product[GUID_TEXT_LEN + 1], offer[GUID_TEXT_LEN + 1], subscription[GUID_TEXT_LEN + 1],
	    previous[GUID_TEXT_LEN + 1];
};

bool
facts_have(enum data_set d)
{
	return data_set_info(d)->source == SOURCE_FACTS;
}

static enum fact
meaning_of(const char *column)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].column, column) == 0)
			return meanings[i].fact;
	return F_NOTHING;
}

static void
choose_columns(struct writing *w)
{
	const struct data_set_info *info = data_set_info(w->q->data_set);

	w->head.data_set = w->q->data_set;
	w->request = (struct report_request){ .data_set = w->q->data_set,
		.seller = w->q->seller_id,
		.participant = w->q->participant };
	w->head.request = &w->request;
	for (size_t i = 0; i < info->n_columns; i++) {
		if (info->columns[i].edsp && !w->q->participant)
			continue;
		w->facts[w->head.n_columns] = meaning_of(info->columns[i].name);
		w->head.columns[w->head.n_columns++] = &info->columns[i];
	}
}

/* A GUID's text; of none, nothing. */
static struct str
guid_text(const struct guid *g, char out[GUID_TEXT_LEN + 1])
{
	if (guid_is_zero(g))
		return STR("");
	guid_format(g, out);
	return (struct str){ out, GUID_TEXT_LEN };
}

static struct str
text_of(struct writing *w, const struct fact_row *r, enum fact fact)
{
	switch (fact) {
	case F_REF:
		return str_c(w->ref);
	case F_ADDRESS_REF:
		return str_c(w->address_ref);
	case F_ACCOUNT:
		return r->buyer_id;
	case F_COUNTRY:
		return r->country;
	case F_REGION:
		return r->region;
	case F_CITY:
		return r->city;
	case F_POSTAL_CODE:
		return r->postal_code;
	case F_DOMAIN:
		return r->email_domain;
	case F_TITLE:
		return r->product_title;
	case F_PRODUCT_ID:
		return guid_text(&r->product_id, w->product);
	case F_CODE:
		return r->product_code;
	case F_OFFER:
		return guid_text(&r->offer_id, w->offer);
	case F_VISIBILITY:
		return r->visibility;
	case F_SUBSCRIPTION:
		return guid_text(&r->subscription_id, w->subscription);
	case F_KIND:
		return r->kind;
	case F_INTENT:
		return r->is_renewal ? STR("renewal") : STR("new");
	case F_PREVIOUS_OFFER:
		return guid_text(&r->previous_offer_id, w->previous);
	case F_DIMENSION:
		return r->dimension;
	case F_UNIT:
		return STR("Units");
	case F_NOTHING:
	case F_QUANTITY:
	case F_STARTS:
		break;
	}
	return STR("");
}

static void
fill(struct writing *w, const struct fact_row *r, size_t i, struct report_cell *cell)
{
	*cell = (struct report_cell){ .filled = w->facts[i] != F_NOTHING };
	switch (w->head.columns[i]->type) {
	case CELL_TEXT:
		cell->text = text_of(w, r, w->facts[i]);
		cell->filled = cell->text.n > 0;
		break;
	case CELL_DATE:
		cell->date = r->starts_at;
		break;
	case CELL_COUNT:
		cell->count = r->quantity;
		break;
	case CELL_DECIMAL:
		cell->money = r->quantity * MONEY_ONE;
		break;
	case CELL_MONEY:
	case CELL_MONEY_REPEATED:
		cell->filled = false; /* of amounts there are no facts */
		break;
	}
}

static enum souk_err
write_line(struct writing *w, const struct fact_row *r)
{
	struct report_cell cells[REPORT_COLUMNS_MAX];
	struct report_line line = { .cells = cells,
		.currency = CURRENCY_NONE,
		.product = r->product_code,
		.country = r->country };
	char buyer[ACCOUNT_ID_LEN + 1] = "", seller[ACCOUNT_ID_LEN + 1] = "";

	if (r->buyer_id.n != ACCOUNT_ID_LEN || w->q->seller_id.n != ACCOUNT_ID_LEN)
		return SOUK_E_INTERNAL;
	memcpy(buyer, r->buyer_id.p, ACCOUNT_ID_LEN);
	memcpy(seller, w->q->seller_id.p, ACCOUNT_ID_LEN);
	customer_ref(w->vault, seller, buyer, w->ref);
	vault_alias(w->vault, ADDRESS_DOMAIN, w->q->seller_id, buyer, w->address_ref);
	for (size_t i = 0; i < w->head.n_columns; i++)
		fill(w, r, i, &cells[i]);
	w->stats.rows++;
	return w->sink->line(w->sink, &line, w->f);
}

static enum souk_err
write_lines(struct writing *w, struct db_stmt *st)
{
	struct fact_row row;
	enum souk_err r = SOUK_OK;
	bool more = false;

	while (r == SOUK_OK && (r = db_step(st, &more)) == SOUK_OK && more) {
		facts_read(st, &row);
		r = write_line(w, &row);
	}
	db_reset(st);
	return r;
}

static enum souk_err
write_tx(struct db_tx *tx, void *arg)
{
	struct writing *w = arg;
	struct report_summary summary = { 0 };
	struct db_stmt *st;
	enum souk_err r;

	if (w->began)
		return SOUK_E_UNAVAILABLE;
	w->began = true;
	if ((r = w->sink->begin(w->sink, &w->head, w->f)) != SOUK_OK)
		return r;
	if ((st = facts_scan(tx, w->q)) != NULL && (r = write_lines(w, st)) != SOUK_OK)
		return r;
	if (w->stats.rows == 0)
		w->stats.why_empty = st ? "nothing of the kind is known for the covered time"
					: "the marketplace has no facts of this kind";
	summary.lines = (uint64_t)w->stats.rows;
	return w->sink->end(w->sink, &summary, w->f);
}

enum souk_err
facts_write(struct db *db, const struct vault *v, const struct facts_request *q, struct sink *out,
    struct facts_stats *ret, struct fail *f)
{
	struct fail words = { 0 };
	struct writing w = { .q = q, .vault = v, .f = f ? f : &words };
	enum souk_err r = SOUK_E_NOMEM;

	choose_columns(&w);
	if ((w.sink = report_text_sink(REPORT_CSV, out)) != NULL)
		r = db_read(db, write_tx, &w);
	report_text_free(w.sink);
	if (r == SOUK_OK)
		*ret = w.stats;
	return r;
}
