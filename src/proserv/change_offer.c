/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of private offers: from the terms of the Catalog API to the offer of the listing document. */
#include "proserv/change_int.h"

#include "base/utf8.h"

#include <stdio.h>

#define NAME_MAX_LEN 255  /* code points: what the market takes */
#define BUYERS_TAKEN 1000 /* how many are too many is PS-OFF-02's to say */
#define YEARS_MAX 100
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct str
text_of(const json_t *v)
{
	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR("");
}

static void
invalid(struct work *w, struct change *c, const char *what)
{
	change_error(w, c, "INVALID_INPUT", "%s", what);
}

/* What DescribeEntity shows again as it came. */
static enum souk_err
keep_extra(struct entity *e, const char *name, const json_t *v)
{
	json_t *copy = json_deep_copy(v);

	e->is_changed = true;
	return copy && json_object_set_new(e->extra, name, copy) == 0 ? SOUK_OK : SOUK_E_NOMEM;
}

static bool
name_fits(struct work *w, struct change *c, struct str name)
{
	if (utf8_length(name) <= NAME_MAX_LEN && !utf8_has_control(name))
		return true;
	invalid(w, c, "Name: is longer than 255 characters or has control characters; shorten it");
	return false;
}

static enum souk_err
new_offer(struct work *w, struct entity *e, const struct guid *product)
{
	e->is_new = e->is_changed = true;
	e->doc = json_object();
	e->extra = json_object();
	e->market_offers = json_object();
	e->offer = (struct listing_offer_row){ .id = e->id, .product_id = *product };
	(void)snprintf(e->offer.seller_id, sizeof(e->offer.seller_id), "%.*s", (int)w->seller_id.n,
	    w->seller_id.p);
	return e->doc && e->extra && e->market_offers ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
make_create_offer(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[] = { { .name = "ProductId", .kind = JSON_K_STR, .required = true },
		{ .name = "Name", .kind = JSON_K_STR } };
	struct entity *product = NULL;
	struct guid id;
	enum souk_err r;

	if (!change_take(w, c, c->details, m, 2) || !name_fits(w, c, json_member_str(&m[1])))
		return SOUK_OK;
	if (!entity_id_parse(PRODUCT_PREFIX, json_member_str(&m[0]), &id)) {
		invalid(w, c, "ProductId: is no id of a product; give one like prod-...");
		return SOUK_OK;
	}
	r = work_entity(w, ENTITY_PRODUCT, &id, &product);
	if (r == SOUK_E_NOT_FOUND) {
		invalid(
		    w, c, "ProductId: is no product of yours; give one that ListEntities shows");
		return SOUK_OK;
	}
	if (r != SOUK_OK || (r = new_offer(w, e, &id)) != SOUK_OK)
		return r;
	if (m[1].got)
		r = entity_set(e, c, "name", json_deep_copy(m[1].got));
	return r == SOUK_OK ? entity_set(e, c, "public", json_false()) : r;
}

enum souk_err
make_offer_information(struct work *w, struct change *c, struct entity *e)
{
	enum { NAME, DESCRIPTION, APPROVAL, N };
	struct json_member m[N] = { [NAME] = { .name = "Name", .kind = JSON_K_STR },
		[DESCRIPTION] = { .name = "Description", .kind = JSON_K_STR },
		[APPROVAL] = { .name = "Approval", .kind = JSON_K_STR } };
	enum souk_err r = SOUK_OK;

	if (!change_take(w, c, c->details, m, N) || !name_fits(w, c, json_member_str(&m[NAME])))
		return SOUK_OK;
	if (m[NAME].got)
		r = entity_set(e, c, "name", json_deep_copy(m[NAME].got));
	if (r == SOUK_OK && m[APPROVAL].got)
		r = entity_set(e, c, "approval", json_deep_copy(m[APPROVAL].got));
	if (r == SOUK_OK && m[DESCRIPTION].got)
		r = keep_extra(e, "Description", m[DESCRIPTION].got);
	return r;
}

/* ---- for whom -------------------------------------------------------------------------- */

static bool
has_account(const json_t *a, const json_t *account)
{
	for (size_t i = 0; i < json_array_size(a); i++)
		if (json_equal(json_array_get(a, i), account))
			return true;
	return false;
}

/* InvoiceTerms and PrivateMarketplace name those of the buyers of whom it is so. */
enum souk_err
make_offer_targeting(struct work *w, struct change *c, struct entity *e)
{
	enum { TARGETS, INVOICE, PRIVATE, N };
	struct json_member top[N] = {
		[TARGETS] = { .name = "PositiveTargeting", .kind = JSON_K_OBJ, .required = true },
		[INVOICE] = { .name = "InvoiceTerms", .kind = JSON_K_ARR },
		[PRIVATE] = { .name = "PrivateMarketplace", .kind = JSON_K_ARR }
	};
	struct json_member m[] = {
		{ .name = "BuyerAccounts", .kind = JSON_K_ARR, .required = true }
	};
	json_t *list = json_array();

	if (!change_take(w, c, c->details, top, N) || !change_take(w, c, top[TARGETS].got, m, 1) ||
	    !change_accounts(w, c, m[0].got, BUYERS_TAKEN) ||
	    (top[INVOICE].got && !change_accounts(w, c, top[INVOICE].got, BUYERS_TAKEN)) ||
	    (top[PRIVATE].got && !change_accounts(w, c, top[PRIVATE].got, BUYERS_TAKEN))) {
		json_decref(list);
		return SOUK_OK;
	}
	for (size_t i = 0; i < json_array_size(m[0].got); i++) {
		json_t *v = json_array_get(m[0].got, i);
		json_t *o = json_pack("{s:O,s:b,s:b}", "account", v, "invoice_terms",
		    has_account(top[INVOICE].got, v), "private_marketplace",
		    has_account(top[PRIVATE].got, v));

		if (!o || !list || json_array_append_new(list, o) != 0) {
			json_decref(list);
			return SOUK_E_NOMEM;
		}
	}
	return entity_set(e, c, "buyers", list);
}

/* ---- terms ----------------------------------------------------------------------------- */

/* The only term of details {"Terms": [{"Type": ...}]}; NULL, and an error, when it is not that. */
static const json_t *
only_term(struct work *w, struct change *c, const json_t *terms, const char *const *types)
{
	const json_t *o = json_array_get(terms, 0);
	struct str type = text_of(json_object_get(o, "Type"));

	for (size_t i = 0; json_array_size(terms) == 1 && types[i]; i++)
		if (str_eq_c(type, types[i]))
			return o;
	change_error(w, c, "INVALID_INPUT", "Terms: has not exactly one term of the type %s%s%s",
	    types[0], types[1] ? " or " : "", types[1] ? types[1] : "");
	return NULL;
}

static const json_t *
take_term(struct work *w, struct change *c, const char *type)
{
	struct json_member m[] = { { .name = "Terms", .kind = JSON_K_ARR, .required = true } };

	if (!change_take(w, c, c->details, m, 1))
		return NULL;
	return only_term(w, c, m[0].got, (const char *const[]){ type, NULL });
}

static json_t *
price_of(const json_t *dimension, const json_t *price)
{
	return json_pack("{s:O,s:O}", "dimension", dimension, "price", price);
}

/* One sum for what is granted: one dimension, so that its price is known. */
static enum souk_err
set_fixed(struct work *w, struct change *c, struct entity *e, const json_t *term)
{
	enum { TYPE, CURRENCY, PRICE, DURATION, GRANTS, N };
	struct json_member m[N] = { [TYPE] = { .name = "Type", .kind = JSON_K_STR },
		[CURRENCY] = { .name = "CurrencyCode", .kind = JSON_K_STR, .required = true },
		[PRICE] = { .name = "Price", .kind = JSON_K_STR, .required = true },
		[DURATION] = { .name = "Duration", .kind = JSON_K_STR },
		[GRANTS] = { .name = "Grants", .kind = JSON_K_ARR, .required = true } };
	struct json_member g[] = { { .name = "DimensionKey", .kind = JSON_K_STR, .required = true },
		{ .name = "MaxQuantity", .kind = JSON_K_INT } };
	json_t *list, *one;
	enum souk_err r;

	if (!change_take(w, c, term, m, N))
		return SOUK_OK;
	if (json_array_size(m[GRANTS].got) != 1) {
		invalid(w, c,
		    "Grants: has not exactly one dimension; give one, or a "
		    "ConfigurableUpfrontPricingTerm");
		return SOUK_OK;
	}
	if (!change_take(w, c, json_array_get(m[GRANTS].got, 0), g, 2))
		return SOUK_OK;
	one = price_of(g[0].got, m[PRICE].got);
	list = json_array();
	if (!one || !list || json_array_append_new(list, one) != 0) {
		json_decref(list);
		return SOUK_E_NOMEM;
	}
	r = entity_set(e, c, "prices", list);
	return r == SOUK_OK ? entity_set(e, c, "currency", json_deep_copy(m[CURRENCY].got)) : r;
}

/* A price for each dimension of the card; the buyer picks. */
static enum souk_err
set_card(struct work *w, struct change *c, struct entity *e, const json_t *card)
{
	struct json_member m[] = { { .name = "DimensionKey", .kind = JSON_K_STR, .required = true },
		{ .name = "Price", .kind = JSON_K_STR, .required = true } };
	json_t *list = json_array(), *o, *v;
	bool fine = true;
	size_t i;

	json_array_foreach(card, i, v)
	{
		if (!(fine = fine && change_take(w, c, v, m, 2)))
			continue;
		o = price_of(m[0].got, m[1].got);
		if (!o || !list || json_array_append_new(list, o) != 0) {
			json_decref(list);
			return SOUK_E_NOMEM;
		}
	}
	if (fine)
		return entity_set(e, c, "prices", list);
	json_decref(list);
	return SOUK_OK;
}

static enum souk_err
set_configurable(struct work *w, struct change *c, struct entity *e, const json_t *term)
{
	enum { TYPE, CURRENCY, CARDS, N };
	struct json_member m[N] = { [TYPE] = { .name = "Type", .kind = JSON_K_STR },
		[CURRENCY] = { .name = "CurrencyCode", .kind = JSON_K_STR, .required = true },
		[CARDS] = { .name = "RateCards", .kind = JSON_K_ARR, .required = true } };
	struct json_member card[] = { { .name = "Selector", .kind = JSON_K_OBJ },
		{ .name = "Constraints", .kind = JSON_K_OBJ },
		{ .name = "RateCard", .kind = JSON_K_ARR, .required = true } };
	enum souk_err r;

	if (!change_take(w, c, term, m, N))
		return SOUK_OK;
	if (json_array_size(m[CARDS].got) != 1) {
		invalid(w, c, "RateCards: has not exactly one card; give one");
		return SOUK_OK;
	}
	if (!change_take(w, c, json_array_get(m[CARDS].got, 0), card, 3))
		return SOUK_OK;
	r = set_card(w, c, e, card[2].got);
	return r == SOUK_OK ? entity_set(e, c, "currency", json_deep_copy(m[CURRENCY].got)) : r;
}

enum souk_err
make_pricing(struct work *w, struct change *c, struct entity *e)
{
	static const char *const types[] = { "FixedUpfrontPricingTerm",
		"ConfigurableUpfrontPricingTerm", NULL };
	enum { MODEL, TERMS, ZERO, N };
	struct json_member m[N] = {
		[MODEL] = { .name = "PricingModel", .kind = JSON_K_STR, .required = true },
		[TERMS] = { .name = "Terms", .kind = JSON_K_ARR, .required = true },
		[ZERO] = { .name = "ZeroPriceConfirmed", .kind = JSON_K_BOOL }
	};
	const json_t *term;
	enum souk_err r;

	if (!change_take(w, c, c->details, m, N))
		return SOUK_OK;
	if (!str_eq_c(json_member_str(&m[MODEL]), "Contract")) {
		invalid(w, c, "PricingModel: is not that of services; give Contract");
		return SOUK_OK;
	}
	if (!(term = only_term(w, c, m[TERMS].got, types)))
		return SOUK_OK;
	r = str_eq_c(text_of(json_object_get(term, "Type")), types[0])
		? set_fixed(w, c, e, term)
		: set_configurable(w, c, e, term);
	if (r != SOUK_OK || c->n_errors > 0)
		return r;
	if (!json_object_get(e->doc, "schedule"))
		r = entity_set(e, c, "pricing", json_string("lump_sum"));
	if (r == SOUK_OK && m[ZERO].got)
		r = entity_set(e, c, "zero_price_confirmed", json_deep_copy(m[ZERO].got));
	return r == SOUK_OK ? keep_extra(e, "PricingTerms", m[TERMS].got) : r;
}

/* The total is what the instalments add up to: the API has no member for it. */
static enum souk_err
set_instalments(struct work *w, struct change *c, struct entity *e, const json_t *schedule)
{
	struct json_member m[] = { { .name = "ChargeDate", .kind = JSON_K_STR, .required = true },
		{ .name = "ChargeAmount", .kind = JSON_K_STR, .required = true } };
	json_t *list = json_array(), *o, *v;
	char text[MONEY_TEXT_SIZE];
	money_t sum = 0, amount;
	enum souk_err r;
	bool fine = true;
	size_t i;

	json_array_foreach(schedule, i, v)
	{
		if (!(fine = fine && change_take(w, c, v, m, 2)))
			continue;
		o = json_pack("{s:s#,s:O}", "date", json_member_str(&m[0]).p,
		    (int)(json_member_str(&m[0]).n < DAY_TEXT_LEN ? json_member_str(&m[0]).n
								  : DAY_TEXT_LEN),
		    "amount", m[1].got);
		if (!o || !list || json_array_append_new(list, o) != 0) {
			json_decref(list);
			return SOUK_E_NOMEM;
		}
		if (money_parse(json_member_str(&m[1]), &amount) == MONEY_OK)
			sum += amount;
	}
	if (!fine) {
		json_decref(list);
		return SOUK_OK;
	}
	(void)money_format_exact(sum, 2, text);
	if ((r = entity_set(e, c, "schedule", list)) != SOUK_OK ||
	    (r = entity_set(e, c, "total", json_string(text))) != SOUK_OK)
		return r;
	return entity_set(e, c, "pricing", json_string("schedule"));
}

enum souk_err
make_schedule(struct work *w, struct change *c, struct entity *e)
{
	enum { TYPE, CURRENCY, SCHEDULE, N };
	struct json_member m[N] = { [TYPE] = { .name = "Type", .kind = JSON_K_STR },
		[CURRENCY] = { .name = "CurrencyCode", .kind = JSON_K_STR, .required = true },
		[SCHEDULE] = { .name = "Schedule", .kind = JSON_K_ARR, .required = true } };
	const json_t *term = take_term(w, c, "PaymentScheduleTerm"), *currency;
	enum souk_err r;

	if (!term || !change_take(w, c, term, m, N))
		return SOUK_OK;
	currency = json_object_get(e->doc, "currency");
	if (currency && !json_equal(currency, m[CURRENCY].got)) {
		invalid(w, c, "CurrencyCode: is not that of the prices; give the same");
		return SOUK_OK;
	}
	r = set_instalments(w, c, e, m[SCHEDULE].got);
	if (r == SOUK_OK && c->n_errors == 0 && !currency)
		r = entity_set(e, c, "currency", json_deep_copy(m[CURRENCY].got));
	return r == SOUK_OK
		   ? keep_extra(e, "PaymentScheduleTerms", json_object_get(c->details, "Terms"))
		   : r;
}

static int
number(const char *p, int digits)
{
	int n = 0;

	while (digits-- > 0)
		n = 10 * n + (*p++ - '0');
	return n;
}

/* "P12M", "P1Y", "P90D" from a day on: the same day of a later month, or its last. DAY_NONE when it is not that. */
static day_t
after_duration(day_t from, struct str s)
{
	char day[DAY_TEXT_LEN + 1], text[40];
	uint64_t n;
	int year, month, mday;
	day_t ret;

	if (s.n < 3 || s.p[0] != 'P' || !str_to_u64((struct str){ s.p + 1, s.n - 2 }, 36500, &n))
		return DAY_NONE;
	if (s.p[s.n - 1] == 'D')
		return from + (day_t)n;
	if (s.p[s.n - 1] == 'Y')
		n *= 12;
	else if (s.p[s.n - 1] != 'M')
		return DAY_NONE;
	if (n > 12 * YEARS_MAX)
		return DAY_NONE;
	day_write(from, day);
	year = number(day, 4);
	month = number(day + 5, 2);
	mday = number(day + 8, 2);
	month += (int)n - 1;
	year += month / 12;
	month = month % 12 + 1;
	/* The last day of a shorter month. */
	for (; mday > 27; mday--) {
		(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, mday);
		if (day_parse(str_c(text), &ret))
			return ret;
	}
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, mday);
	return day_parse(str_c(text), &ret) ? ret : DAY_NONE;
}

enum souk_err
make_validity(struct work *w, struct change *c, struct entity *e)
{
	enum { TYPE, DURATION, START, END, N };
	struct json_member m[N] = { [TYPE] = { .name = "Type", .kind = JSON_K_STR },
		[DURATION] = { .name = "AgreementDuration", .kind = JSON_K_STR },
		[START] = { .name = "AgreementStartDate", .kind = JSON_K_STR },
		[END] = { .name = "AgreementEndDate", .kind = JSON_K_STR } };
	const json_t *term = take_term(w, c, "ValidityTerm");
	char text[DAY_TEXT_LEN + 1];
	day_t end = DAY_NONE;
	enum souk_err r;

	if (!term || !change_take(w, c, term, m, N))
		return SOUK_OK;
	if (!m[DURATION].got == !m[END].got) {
		invalid(w, c,
		    "Terms: needs either AgreementDuration or AgreementEndDate; give one of them");
		return SOUK_OK;
	}
	if (m[DURATION].got)
		end = after_duration(day_of(db_now(w->tx)), json_member_str(&m[DURATION]));
	else if (!day_parse(json_member_str(&m[END]), &end))
		end = DAY_NONE;
	if (end == DAY_NONE) {
		invalid(w, c,
		    "Terms: has no usable end; give a day like 2027-01-31, or a duration like "
		    "P12M");
		return SOUK_OK;
	}
	day_write(end, text);
	r = entity_set(e, c, "agreement_end", json_string(text));
	return r == SOUK_OK ? keep_extra(e, "ValidityTerms", json_object_get(c->details, "Terms"))
			    : r;
}

/* By the name's end; what it is stands nowhere else. */
static const char *
document_type(struct str url)
{
	const char *query = memchr(url.p, '?', url.n);

	if (query)
		url.n = (size_t)(query - url.p);
	if (url.n >= 4 && str_eq_nocase((struct str){ url.p + url.n - 4, 4 }, STR(".pdf")))
		return "pdf";
	if (url.n >= 4 && str_eq_nocase((struct str){ url.p + url.n - 4, 4 }, STR(".txt")))
		return "text";
	return "unknown";
}

static json_t *
document_json(struct work *w, struct change *c, const json_t *o)
{
	struct json_member m[] = { { .name = "Type", .kind = JSON_K_STR, .required = true },
		{ .name = "Url", .kind = JSON_K_STR }, { .name = "Version", .kind = JSON_K_STR } };
	struct str type, url;

	if (!change_take(w, c, o, m, 3))
		return NULL;
	type = json_member_str(&m[0]);
	url = json_member_str(&m[1]);
	if (str_eq_c(type, "StandardEula") && m[2].got)
		return json_pack("{s:s,s:s}", "name", "StandardEula", "type", "pdf");
	if (str_eq_c(type, "CustomEula") && str_starts(url, STR("https://")))
		return json_pack("{s:O,s:s}", "name", m[1].got, "type", document_type(url));
	invalid(w, c,
	    "Documents: has one that is neither a CustomEula with an https Url nor a StandardEula "
	    "with a Version");
	return NULL;
}

enum souk_err
make_legal(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[] = { { .name = "Type", .kind = JSON_K_STR },
		{ .name = "Documents", .kind = JSON_K_ARR, .required = true } };
	const json_t *term = take_term(w, c, "LegalTerm");
	json_t *list, *o, *v;
	enum souk_err r;
	size_t i;

	if (!term || !change_take(w, c, term, m, 2))
		return SOUK_OK;
	list = json_array();
	json_array_foreach(m[1].got, i, v)
	{
		o = document_json(w, c, v);
		if (!o || !list || json_array_append_new(list, o) != 0) {
			json_decref(list);
			return c->n_errors > 0 ? SOUK_OK : SOUK_E_NOMEM;
		}
	}
	r = entity_set(e, c, "documents", list);
	return r == SOUK_OK ? keep_extra(e, "LegalTerms", json_object_get(c->details, "Terms")) : r;
}

enum souk_err
make_support(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[] = { { .name = "Type", .kind = JSON_K_STR },
		{ .name = "RefundPolicy", .kind = JSON_K_STR, .required = true } };
	const json_t *term = take_term(w, c, "SupportTerm");

	if (!term || !change_take(w, c, term, m, 2))
		return SOUK_OK;
	return entity_set(e, c, "refund_policy", json_deep_copy(m[1].got));
}

/* ---- until when ------------------------------------------------------------------------ */

static bool
has_expired(const struct work *w, const struct entity *e)
{
	day_t day;

	return e->is_live && day_parse(text_of(json_object_get(e->doc, "expires")), &day) &&
	       day < day_of(db_now(w->tx));
}

/* A past day ends a released offer now. */
enum souk_err
make_availability(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[] = {
		{ .name = "AvailabilityEndDate", .kind = JSON_K_STR, .required = true }
	};
	struct str text;
	day_t day;

	if (!change_take(w, c, c->details, m, 1))
		return SOUK_OK;
	text = json_member_str(&m[0]);
	/* An instant counts by its day. */
	if (text.n > DAY_TEXT_LEN && text.p[DAY_TEXT_LEN] == 'T')
		text.n = DAY_TEXT_LEN;
	if (!day_parse(text, &day)) {
		invalid(w, c, "AvailabilityEndDate: is no day; give one like 2027-01-31");
		return SOUK_OK;
	}
	if (has_expired(w, e)) {
		change_error(w, c, "PS_OFF_12", "The offer has expired; create a new one");
		return SOUK_OK;
	}
	return entity_set(e, c, "expires", json_stringn(text.p, text.n));
}

enum souk_err
make_release_offer(struct work *w, struct change *c, struct entity *e)
{
	struct entity *product = NULL;
	enum souk_err r;

	if (!change_take(w, c, c->details, NULL, 0))
		return SOUK_OK;
	if (e->is_live) {
		change_error(w, c, "INVALID_STATE", "The offer is released already.");
		return SOUK_OK;
	}
	/* So that what the set makes of its product is what the offer is reviewed with. */
	r = work_entity(w, ENTITY_PRODUCT, &e->offer.product_id, &product);
	if (r == SOUK_E_NOT_FOUND) {
		change_error(w, c, "PS_OFF_13", "The product is not there any more.");
		return SOUK_OK;
	}
	e->offer.released = true;
	e->release = c;
	e->is_changed = true;
	return r;
}
