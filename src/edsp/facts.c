/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sets from facts: a row of the database, a line of the file.
 *
 * Columns are filled by their names, which mean the same in every set; a test asks that each is known.
 */
#include "edsp/facts.h"

#include "base/arena.h"
#include "base/json.h"
#include "edsp/facts_store.h"
#include "feeds/report_out.h"
#include "market/customer.h"
#include "market/offer.h"

#include <stddef.h>

/* What a column's cell is made of. */
enum fact {
	F_NOTHING, /* no fact is of this name */
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
	F_OFFERING,
	F_SOLUTION,
	F_SOLUTION_TITLE,
	F_RESELLER,
	F_RESELLER_NAME,
	F_AMOUNT,
	F_CURRENCY,
	F_DESCRIPTION,
	F_STARTS,
	F_FROM,
	F_UNTIL,
	F_TRIALS_NEW,
	F_TRIALS_PRESENT,
	F_TRIALS_CONVERTED,
	F_TRIALS_LAPSED
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
	{ "Usage Unit Types", F_UNIT },
	{ "Offering Description", F_OFFERING },
	{ "Estimated Revenue", F_AMOUNT },
	{ "Amount", F_AMOUNT },
	{ "Currency", F_CURRENCY },
	{ "Fee Description", F_DESCRIPTION },
	{ "Quantity", F_QUANTITY },
	{ "Dimension", F_DIMENSION },
	{ "Start Date", F_FROM },
	{ "End Date", F_UNTIL },
	{ "Solution ID", F_SOLUTION },
	{ "Solution Title", F_SOLUTION_TITLE },
	{ "Reseller account ID", F_RESELLER },
	{ "Reseller account name", F_RESELLER_NAME },
	{ "New Free Trials", F_TRIALS_NEW },
	{ "Total Current Free Trials", F_TRIALS_PRESENT },
	{ "Converted Free Trials", F_TRIALS_CONVERTED },
	{ "Non-Converted Free Trials", F_TRIALS_LAPSED },
	{ "Count", F_QUANTITY },
};

#define ADDRESS_DOMAIN "market.customer-address"
#define LINE_MEMORY ((size_t)1 << 20)

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
	/* the line that is being added up, and what its texts lie in */
	struct fact_row row;
	struct arena *mem;
	bool has_row;
	money_t amount;    /* of the line */
	bool known_amount; /* false: none is known */
	/* the dimensions of the product of the line before: most lines have the same */
	struct buf listed;
	json_t *dimensions;
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

/* What the product says of the line's dimension; `otherwise` when it lists none. */
static struct str
of_dimension(struct writing *w, const struct fact_row *r, const char *member, struct str otherwise)
{
	const json_t *d, *v;
	size_t i;

	if (!str_eq(buf_str(&w->listed), r->dimensions)) {
		json_decref(w->dimensions);
		w->dimensions = NULL;
		buf_clear(&w->listed);
		buf_add_str(&w->listed, r->dimensions);
		if (r->dimensions.n > 0 &&
		    json_read(r->dimensions, &w->dimensions, NULL) != SOUK_OK)
			w->dimensions = NULL; /* ours: dimension.c wrote it */
	}
	json_array_foreach(w->dimensions, i, d)
	{
		v = json_object_get(d, "key");
		if (!str_eq(
			(struct str){ json_string_value(v), json_string_length(v) }, r->dimension))
			continue;
		v = json_object_get(d, member);
		return (struct str){ json_string_value(v), json_string_length(v) };
	}
	return otherwise;
}

static struct str
offering(struct writing *w, const struct fact_row *r)
{
	struct str words = of_dimension(w, r, "description", STR(""));

	return words.n > 0 ? words : of_dimension(w, r, "name", STR(""));
}

/* Texts that stand in the row as they are: where, and one more, because 0 is none. */
#define IN_ROW(member) (offsetof(struct fact_row, member) + 1)
static const size_t in_row[] = {
	[F_ACCOUNT] = IN_ROW(buyer_id),
	[F_COUNTRY] = IN_ROW(country),
	[F_REGION] = IN_ROW(region),
	[F_CITY] = IN_ROW(city),
	[F_POSTAL_CODE] = IN_ROW(postal_code),
	[F_DOMAIN] = IN_ROW(email_domain),
	[F_TITLE] = IN_ROW(product_title),
	[F_CODE] = IN_ROW(product_code),
	[F_KIND] = IN_ROW(kind),
	[F_DIMENSION] = IN_ROW(dimension),
	[F_SOLUTION] = IN_ROW(solution_id),
	[F_SOLUTION_TITLE] = IN_ROW(solution_title),
	[F_RESELLER] = IN_ROW(reseller_id),
	[F_RESELLER_NAME] = IN_ROW(reseller_name),
	[F_CURRENCY] = IN_ROW(currency),
	[F_DESCRIPTION] = IN_ROW(description),
	[F_TRIALS_LAPSED] = 0,
};

static struct str
text_of(struct writing *w, const struct fact_row *r, enum fact fact)
{
	if (in_row[fact] > 0)
		return *(const struct str *)((const char *)r + in_row[fact] - 1);
	switch ((int)fact) {
	case F_REF:
		return str_c(w->ref);
	case F_ADDRESS_REF:
		return str_c(w->address_ref);
	case F_PRODUCT_ID:
		return guid_text(&r->product_id, w->product);
	case F_OFFER:
		return guid_text(&r->offer_id, w->offer);
	case F_VISIBILITY:
		return str_eq_c(r->program, OFFER_ENTERPRISE) ? STR("enterprise contract")
							      : r->visibility;
	case F_SUBSCRIPTION:
		return guid_text(&r->subscription_id, w->subscription);
	case F_INTENT:
		return r->is_renewal ? STR("renewal") : STR("new");
	case F_PREVIOUS_OFFER:
		return guid_text(&r->previous_offer_id, w->previous);
	case F_UNIT:
		return of_dimension(w, r, "unit", STR("Units"));
	case F_OFFERING:
		return offering(w, r);
	default:
		return STR(""); /* a number or a date */
	}
}

static int64_t
count_of(const struct fact_row *r, enum fact fact)
{
	return fact == F_TRIALS_NEW         ? r->trials.fresh
	       : fact == F_TRIALS_PRESENT   ? r->trials.present
	       : fact == F_TRIALS_CONVERTED ? r->trials.converted
	       : fact == F_TRIALS_LAPSED    ? r->trials.lapsed
					    : r->quantity;
}

static instant_t
date_of(const struct fact_row *r, enum fact fact)
{
	return fact == F_FROM ? r->period_start : fact == F_UNTIL ? r->period_end : r->starts_at;
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
		cell->date = date_of(r, w->facts[i]);
		cell->filled = cell->date != 0;
		break;
	case CELL_COUNT:
		cell->count = count_of(r, w->facts[i]);
		break;
	case CELL_DECIMAL:
		cell->money = r->quantity * MONEY_ONE;
		break;
	case CELL_MONEY:
	case CELL_MONEY_REPEATED:
		cell->money = w->amount;
		cell->filled = w->known_amount;
		break;
	}
}

/* Names for the buyer, of sets that have one. */
static enum souk_err
name_buyer(struct writing *w, const struct fact_row *r)
{
	char buyer[ACCOUNT_ID_LEN + 1] = "", seller[ACCOUNT_ID_LEN + 1] = "";

	if (r->buyer_id.n == 0)
		return SOUK_OK;
	if (r->buyer_id.n != ACCOUNT_ID_LEN || w->q->seller_id.n != ACCOUNT_ID_LEN)
		return SOUK_E_INTERNAL;
	memcpy(buyer, r->buyer_id.p, ACCOUNT_ID_LEN);
	memcpy(seller, w->q->seller_id.p, ACCOUNT_ID_LEN);
	customer_ref(w->vault, seller, buyer, w->ref);
	vault_alias(w->vault, ADDRESS_DOMAIN, w->q->seller_id, buyer, w->address_ref);
	return SOUK_OK;
}

/* The line that was added up, if any. */
static enum souk_err
write_line(struct writing *w)
{
	const struct fact_row *r = &w->row;
	struct report_cell cells[REPORT_COLUMNS_MAX];
	struct report_line line = { .cells = cells,
		.currency = CURRENCY_NONE,
		.product = r->product_code,
		.country = r->country };
	enum souk_err err;

	if (!w->has_row)
		return SOUK_OK;
	w->has_row = false;
	if ((err = name_buyer(w, r)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < w->head.n_columns; i++)
		fill(w, r, i, &cells[i]);
	w->stats.rows++;
	return w->sink->line(w->sink, &line, w->f);
}

/* Usage comes in a row for each price of the day. */
static bool
same_line(const struct writing *w, const struct fact_row *r)
{
	const struct fact_row *a = &w->row;

	return w->has_row && w->q->data_set == DS_DAILY_USAGE_BY_INSTANCE_TYPE &&
	       str_eq(a->buyer_id, r->buyer_id) && guid_eq(&a->product_id, &r->product_id) &&
	       guid_eq(&a->offer_id, &r->offer_id) && str_eq(a->dimension, r->dimension) &&
	       str_eq(a->currency, r->currency);
}

/* The texts of a row go with it; those of the line must stay. */
static enum souk_err
keep_row(struct writing *w, const struct fact_row *r)
{
	struct fact_row *k = &w->row;
	struct str *const texts[] = { &k->buyer_id, &k->country, &k->region, &k->city,
		&k->postal_code, &k->email_domain, &k->product_code, &k->product_title,
		&k->dimensions, &k->solution_id, &k->solution_title, &k->visibility, &k->program,
		&k->reseller_id, &k->reseller_name, &k->kind, &k->dimension, &k->currency,
		&k->description };

	arena_reset(w->mem);
	*k = *r;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*texts[i] = texts[i]->n > 0 ? arena_str(w->mem, *texts[i]) : STR("");
		if (!texts[i]->p)
			return SOUK_E_NOMEM;
	}
	w->has_row = true;
	w->amount = 0;
	w->known_amount = false;
	return SOUK_OK;
}

/* A fee's amount is its own; usage is billed by the unit. */
static enum souk_err
add_amount(struct writing *w, const struct fact_row *r)
{
	bool usage = w->q->data_set == DS_DAILY_USAGE_BY_INSTANCE_TYPE;
	money_t amount = 0;

	if (r->amount.n == 0)
		return SOUK_OK;
	if (money_parse(r->amount, &amount) != MONEY_OK)
		return SOUK_E_INTERNAL;
	if (usage && !money_mul(amount, r->billed * MONEY_ONE, &amount))
		return SOUK_E_LIMIT;
	w->known_amount = true;
	return money_add(w->amount, amount, &w->amount) ? SOUK_OK : SOUK_E_LIMIT;
}

static enum souk_err
write_lines(struct writing *w, struct db_stmt *st)
{
	struct fact_row row;
	enum souk_err r = SOUK_OK;
	bool more = false;

	while (r == SOUK_OK && (r = db_step(st, &more)) == SOUK_OK && more) {
		facts_read(st, w->q, &row);
		if (same_line(w, &row))
			w->row.quantity += row.quantity;
		else if ((r = write_line(w)) == SOUK_OK)
			r = keep_row(w, &row);
		if (r == SOUK_OK)
			r = add_amount(w, &row);
	}
	db_reset(st);
	return r == SOUK_OK ? write_line(w) : r;
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
	if ((st = facts_scan(tx, w->q)) == NULL)
		return SOUK_E_INTERNAL; /* facts_have says no */
	if ((r = write_lines(w, st)) != SOUK_OK)
		return r;
	if (w->stats.rows == 0)
		w->stats.why_empty = "nothing of the kind is known for the covered time";
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
	w.sink = report_text_sink(REPORT_CSV, out);
	w.mem = arena_new(LINE_MEMORY);
	if (w.sink != NULL && w.mem != NULL)
		r = db_read(db, write_tx, &w);
	report_text_free(w.sink);
	arena_free(w.mem);
	json_decref(w.dimensions);
	buf_done(&w.listed);
	if (r == SOUK_OK)
		*ret = w.stats;
	return r;
}
