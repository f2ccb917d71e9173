/* SPDX-License-Identifier: Apache-2.0 */
/* Listings and offers in the words of the Catalog API; see entity.h. */
#include "proserv/entity.h"

#include "market/id_owner.h"
#include "proserv/resource_policy.h"

#include <stdio.h>

#define AT_ONCE 200

struct str
entity_arn(
    struct arena *mem, const char *region, const char *account, const char *type, const char *id)
{
	return str_c(arena_printf(
	    mem, "arn:aws:aws-marketplace:%s:%s:" CATALOG "/%s/%s", region, account, type, id));
}

static struct str
text_of(const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR("");
}

/* A text as it is, or null. */
static void
put_text(struct jw *w, const char *key, const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	if (json_is_string(v))
		jw_value(w, key, v);
	else
		jw_null(w, key);
}

static void
put_list(struct jw *w, const char *key, const json_t *v)
{
	if (json_is_array(v))
		jw_value(w, key, v);
	else
		jw_raw(w, key, STR("[]"));
}

/* ---- products -------------------------------------------------------------------------- */

static void
put_description(struct jw *w, const struct listing_row *l, const json_t *doc)
{
	const json_t *associated = json_object_get(doc, "associated_products");
	enum visibility v = visibility_of_state(l->product.state);

	jw_open(w, "Description", '{');
	put_text(w, "ProductTitle", doc, "title");
	jw_c(w, "ProductCode", l->product.code);
	put_text(w, "ShortDescription", doc, "short_description");
	jw_str(w, "Manufacturer", l->seller.name);
	put_text(w, "LongDescription", doc, "long_description");
	put_text(w, "Sku", doc, "sku");
	put_list(w, "Highlights", json_object_get(doc, "highlights"));
	put_list(w, "Categories", json_object_get(doc, "categories"));
	jw_open(w, "AssociatedProducts", '[');
	for (size_t i = 0; i < json_array_size(associated); i++)
		jw_str(w, NULL, text_of(json_array_get(associated, i), "id"));
	jw_close(w, ']');
	put_list(w, "SearchKeywords", json_object_get(doc, "keywords"));
	jw_c(w, "Visibility", visibility_word(v));
	jw_c(w, "ProductState", v == VISIBILITY_DRAFT ? "Draft" : "Active");
	jw_close(w, '}');
}

static void
put_promotion(struct jw *w, const json_t *doc, const json_t *extra)
{
	const json_t *resources = json_object_get(doc, "resources");

	jw_open(w, "PromotionalResources", '{');
	put_text(w, "LogoUrl", json_object_get(doc, "logo"), "url");
	put_list(w, "Videos", json_object_get(extra, "VideoUrls"));
	jw_open(w, "AdditionalResources", '[');
	for (size_t i = 0; i < json_array_size(resources); i++) {
		jw_open(w, NULL, '{');
		jw_c(w, "Type", "Link");
		put_text(w, "Text", json_array_get(resources, i), "name");
		put_text(w, "Url", json_array_get(resources, i), "url");
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_null(w, "PromotionalMedia");
	jw_close(w, '}');
}

static void
put_dimensions(struct jw *w, const json_t *doc)
{
	const json_t *a = json_object_get(doc, "dimensions");

	jw_open(w, "Dimensions", '[');
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *o = json_array_get(a, i);

		jw_open(w, NULL, '{');
		put_text(w, "Name", o, "name");
		put_text(w, "Description", o, "description");
		put_text(w, "Key", o, "key");
		jw_c(w, "Unit", "Units");
		jw_raw(w, "Types", STR("[\"Entitled\"]"));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void
put_kinds(struct jw *w, const char *key, const json_t *o)
{
	jw_open(w, key, '{');
	put_text(w, "Kind", o, "kind");
	put_text(w, "Value", o, "value");
	jw_close(w, '}');
}

/* What the requirements of services ask for beside: souk's own members. */
static void
put_services(struct jw *w, const struct listing_row *l, const json_t *doc)
{
	const json_t *docs = json_object_get(doc, "docs");
	const json_t *contacts = json_object_get(json_object_get(doc, "landing_page"), "contacts");

	jw_open(w, "ServiceInformation", '{');
	put_text(w, "Language", doc, "language");
	put_list(w, "AwsServices", json_object_get(doc, "aws_services"));
	jw_bool(w, "NeedsResources", json_is_true(json_object_get(doc, "needs_resources")));
	jw_bool(w, "DeploysAgent", json_is_true(json_object_get(doc, "deploys_agent")));
	jw_open(w, "Documentation", '[');
	for (size_t i = 0; i < json_array_size(docs); i++) {
		jw_open(w, NULL, '{');
		put_text(w, "Kind", json_array_get(docs, i), "kind");
		put_text(w, "Text", json_array_get(docs, i), "text");
		put_text(w, "Policy", json_array_get(docs, i), "policy");
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_open(w, "LandingPageContacts", '[');
	for (size_t i = 0; i < json_array_size(contacts); i++)
		put_kinds(w, NULL, json_array_get(contacts, i));
	jw_close(w, ']');
	if (json_is_object(json_object_get(doc, "terms")))
		put_kinds(w, "Terms", json_object_get(doc, "terms"));
	else
		jw_null(w, "Terms");
	if (l->data_use.n > 0)
		jw_raw(w, "DataUseTerms", l->data_use);
	else
		jw_null(w, "DataUseTerms");
	jw_close(w, '}');
}

static void
put_review(struct jw *w, const struct listing_row *l)
{
	jw_open(w, "Review", '{');
	jw_c(w, "Standing", standing_word(l->standing));
	if (l->product.suspended.n > 0)
		jw_str(w, "Suspended", l->product.suspended);
	else
		jw_null(w, "Suspended");
	jw_close(w, '}');
}

static void
product_details(const struct listing_row *l, const json_t *doc, const json_t *extra, bool shared,
    struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	put_description(&w, l, doc);
	put_promotion(&w, doc, extra);
	jw_open(&w, "SupportInformation", '{');
	put_text(&w, "Description", doc, "support_description");
	put_list(&w, "Resources", json_object_get(extra, "SupportResources"));
	jw_close(&w, '}');
	put_dimensions(&w, doc);
	jw_open(&w, "Targeting", '{');
	jw_open(&w, "PositiveTargeting", '{');
	jw_raw(&w, "BuyerAccounts", l->targeting);
	jw_close(&w, '}');
	jw_close(&w, '}');
	put_services(&w, l, doc);
	if (!shared)
		put_review(&w, l);
	jw_close(&w, '}');
}

static void
product_summary(const struct listing_row *l, struct entity_summary *ret)
{
	enum visibility v = visibility_of_state(l->product.state);

	*ret = (struct entity_summary){ .kind = ENTITY_PRODUCT,
		.name = l->product.title,
		.visibility = str_c(visibility_word(v)),
		.state = v == VISIBILITY_DRAFT ? STR("Draft") : STR("Active"),
		.available_until = STR(""),
		.buyers = STR(""),
		.revision = l->revision,
		.changed_at = l->changed_at };
	memcpy(ret->seller_id, l->seller_id, sizeof(ret->seller_id));
	entity_id_write(PRODUCT_PREFIX, &l->product_id, ret->id);
}

/* ---- offers ---------------------------------------------------------------------------- */

static void
put_terms(struct jw *w, const json_t *doc, const json_t *extra)
{
	static const char *const names[] = { "PricingTerms", "PaymentScheduleTerms",
		"ValidityTerms", "LegalTerms" };

	jw_open(w, "Terms", '[');
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const json_t *a = json_object_get(extra, names[k]);

		for (size_t i = 0; i < json_array_size(a); i++)
			jw_value(w, NULL, json_array_get(a, i));
	}
	if (text_of(doc, "refund_policy").n > 0) {
		jw_open(w, NULL, '{');
		jw_c(w, "Type", "SupportTerm");
		put_text(w, "RefundPolicy", doc, "refund_policy");
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void
put_buyers(struct jw *w, const char *key, const json_t *doc)
{
	const json_t *a = json_object_get(doc, "buyers");

	jw_open(w, key, '[');
	for (size_t i = 0; i < json_array_size(a); i++)
		jw_str(w, NULL, text_of(json_array_get(a, i), "account"));
	jw_close(w, ']');
}

static void
offer_details(
    const struct listing_offer_row *o, const json_t *doc, const json_t *extra, struct buf *out)
{
	char product[ENTITY_ID_MAX], id[ENTITY_ID_MAX];
	struct jw w;

	entity_id_write(PRODUCT_PREFIX, &o->product_id, product);
	entity_id_write(OFFER_PREFIX, &o->id, id);
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "Id", id);
	jw_c(&w, "State", o->released ? "Released" : "Draft");
	put_text(&w, "Name", doc, "name");
	put_text(&w, "Description", extra, "Description");
	jw_c(&w, "ProductId", product);
	jw_c(&w, "PricingModel", "Contract");
	jw_open(&w, "Rules", '[');
	jw_open(&w, NULL, '{');
	jw_c(&w, "Type", "TargetingRule");
	jw_open(&w, "PositiveTargeting", '{');
	put_buyers(&w, "BuyerAccounts", doc);
	jw_close(&w, '}');
	jw_close(&w, '}');
	if (text_of(doc, "expires").n > 0) {
		jw_open(&w, NULL, '{');
		jw_c(&w, "Type", "AvailabilityRule");
		put_text(&w, "AvailabilityEndDate", doc, "expires");
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
	put_terms(&w, doc, extra);
	jw_close(&w, '}');
}

static enum souk_err
offer_summary(const struct listing_offer_row *o, const json_t *doc, struct arena *mem,
    struct entity_summary *ret)
{
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	put_buyers(&w, NULL, doc);
	*ret = (struct entity_summary){ .kind = ENTITY_OFFER,
		.name = arena_str(mem, text_of(doc, "name")),
		.visibility = STR("Private"),
		.state = o->released ? STR("Released") : STR("Draft"),
		.available_until = arena_str(mem, text_of(doc, "expires")),
		.buyers = arena_str(mem, buf_str(&b)),
		.revision = o->revision,
		.changed_at = o->changed_at };
	buf_done(&b);
	memcpy(ret->seller_id, o->seller_id, sizeof(ret->seller_id));
	entity_id_write(OFFER_PREFIX, &o->id, ret->id);
	entity_id_write(PRODUCT_PREFIX, &o->product_id, ret->product_id);
	return ret->name.p && ret->buyers.p && ret->available_until.p ? SOUK_OK : SOUK_E_NOMEM;
}

/* ---- one ------------------------------------------------------------------------------- */

static enum souk_err
keep_details(struct buf *b, struct arena *mem, struct entity_document *ret)
{
	ret->details = buf_ok(b) ? arena_str(mem, buf_str(b)) : (struct str){ NULL, 0 };
	buf_done(b);
	return ret->details.p ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
get_product(struct db_tx *tx, struct str seller_id, const struct guid *id, bool shared,
    struct arena *mem, struct entity_document *ret)
{
	struct listing_row l;
	json_t *doc = NULL, *extra = NULL;
	struct buf b = { 0 };
	enum souk_err r = listing_row_find(tx, seller_id, id, mem, &l);

	if (r == SOUK_OK && l.removed_at != 0)
		r = SOUK_E_NOT_FOUND;
	if (r != SOUK_OK)
		return r;
	if ((r = json_read(l.document, &doc, NULL)) == SOUK_OK &&
	    (r = json_read(l.extra, &extra, NULL)) == SOUK_OK) {
		product_summary(&l, &ret->summary);
		product_details(&l, doc, extra, shared, &b);
		r = keep_details(&b, mem, ret);
	}
	json_decref(doc);
	json_decref(extra);
	return r;
}

static enum souk_err
get_offer(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct entity_document *ret)
{
	struct listing_offer_row o;
	json_t *doc = NULL, *extra = NULL;
	struct buf b = { 0 };
	enum souk_err r = listing_offer_row_find(tx, seller_id, id, mem, &o);

	if (r != SOUK_OK)
		return r;
	if ((r = json_read(o.document, &doc, NULL)) == SOUK_OK &&
	    (r = json_read(o.extra, &extra, NULL)) == SOUK_OK &&
	    (r = offer_summary(&o, doc, mem, &ret->summary)) == SOUK_OK) {
		offer_details(&o, doc, extra, &b);
		r = keep_details(&b, mem, ret);
	}
	json_decref(doc);
	json_decref(extra);
	return r;
}

/* The operator names an id alone; others have their own only. */
static enum souk_err
owner_of(struct db_tx *tx, const struct tenant_scope *s, enum entity_kind kind,
    const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1])
{
	struct id_owner owner;
	enum souk_err r;

	if (!tenant_is_operator(s)) {
		(void)snprintf(
		    ret, ACCOUNT_ID_LEN + 1, "%.*s", (int)tenant_account(s).n, tenant_account(s).p);
		return SOUK_OK;
	}
	if (kind == ENTITY_OFFER)
		return listing_offer_owner(tx, id, ret);
	if ((r = id_owner_find(tx, ID_PRODUCT, id, &owner)) == SOUK_OK)
		memcpy(ret, owner.seller_id, sizeof(owner.seller_id));
	return r;
}

/* The kind of what the id names; false when it is no id of an entity. */
static bool
id_parse(struct str id, enum entity_kind *ret_kind, struct guid *ret)
{
	for (int k = 0; k < ENTITY__COUNT; k++)
		if (entity_id_parse(entity_prefix((enum entity_kind)k), id, ret)) {
			*ret_kind = (enum entity_kind)k;
			return true;
		}
	return false;
}

static enum souk_err
get(struct db_tx *tx, struct str seller_id, enum entity_kind kind, const struct guid *id,
    bool shared, struct arena *mem, struct entity_document *ret)
{
	return kind == ENTITY_PRODUCT ? get_product(tx, seller_id, id, shared, mem, ret)
				      : get_offer(tx, seller_id, id, mem, ret);
}

enum souk_err
entity_get(struct db_tx *tx, const struct tenant_scope *s, struct str id, struct arena *mem,
    struct entity_document *ret)
{
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum entity_kind kind;
	struct guid guid;
	enum souk_err r;

	if (!id_parse(id, &kind, &guid))
		return SOUK_E_NOT_FOUND;
	if ((r = owner_of(tx, s, kind, &guid, seller)) != SOUK_OK)
		return r;
	return get(tx, str_c(seller), kind, &guid, false, mem, ret);
}

enum souk_err
entity_read(struct db_tx *tx, const struct tenant_scope *s, struct str id, struct arena *mem,
    struct entity_document *ret, bool *ret_shared)
{
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum entity_kind kind;
	struct guid guid;
	enum souk_err r = entity_get(tx, s, id, mem, ret);

	*ret_shared = false;
	if (r != SOUK_E_NOT_FOUND || tenant_is_operator(s) || !id_parse(id, &kind, &guid))
		return r;
	r = share_row_owner(
	    tx, tenant_account(s), &guid, shared_action_word(SHARED_DESCRIBE), seller);
	if (r == SOUK_OK)
		r = get(tx, str_c(seller), kind, &guid, true, mem, ret);
	*ret_shared = r == SOUK_OK;
	return r;
}

/* ---- all ------------------------------------------------------------------------------- */

enum whose {
	OWN, /* the operator's are everybody's */
	SHARED
};

static struct db_stmt *
products_after(
    struct db_tx *tx, const struct tenant_scope *s, enum whose whose, const struct guid *after)
{
	if (whose == SHARED)
		return listing_rows_shared(tx, tenant_account(s), after, AT_ONCE);
	return tenant_is_operator(s) ? listing_rows_all(tx, after, AT_ONCE)
				     : listing_rows_of(tx, tenant_account(s), after, AT_ONCE);
}

static struct db_stmt *
offers_after(
    struct db_tx *tx, const struct tenant_scope *s, enum whose whose, const struct guid *after)
{
	if (whose == SHARED)
		return listing_offer_rows_shared(tx, tenant_account(s), after, AT_ONCE);
	return tenant_is_operator(s) ? listing_offer_rows_all(tx, after, AT_ONCE)
				     : listing_offer_rows(tx, tenant_account(s), after, AT_ONCE);
}

static enum souk_err
all_products(
    struct db_tx *tx, const struct tenant_scope *s, enum whose whose, entity_each *each, void *arg)
{
	struct guid after = { { 0 } };
	size_t n = AT_ONCE;
	enum souk_err r = SOUK_OK;
	bool row = false, more = true;

	while (r == SOUK_OK && more && n == AT_ONCE) {
		struct db_stmt *st = products_after(tx, s, whose, &after);

		for (n = 0; more && (r = db_step(st, &row)) == SOUK_OK && row; n++) {
			struct entity_summary e;
			struct listing_row l;

			listing_row(st, &l);
			product_summary(&l, &e);
			after = l.product_id;
			more = each(arg, &e);
		}
		if (!more)
			db_reset(st);
	}
	return r;
}

static enum souk_err
each_offer(struct db_stmt *st, struct arena *mem, entity_each *each, void *arg,
    struct guid *ret_after, bool *ret_more)
{
	struct listing_offer_row o;
	struct entity_summary e;
	json_t *doc = NULL;
	enum souk_err r;

	arena_reset(mem);
	listing_offer_row(st, &o);
	*ret_after = o.id;
	if ((r = json_read(o.document, &doc, NULL)) == SOUK_OK &&
	    (r = offer_summary(&o, doc, mem, &e)) == SOUK_OK)
		*ret_more = each(arg, &e);
	json_decref(doc);
	return r;
}

static enum souk_err
all_offers(struct db_tx *tx, const struct tenant_scope *s, enum whose whose, struct arena *mem,
    entity_each *each, void *arg)
{
	struct guid after = { { 0 } };
	size_t n = AT_ONCE;
	enum souk_err r = SOUK_OK;
	bool row = false, more = true;

	while (r == SOUK_OK && more && n == AT_ONCE) {
		struct db_stmt *st = offers_after(tx, s, whose, &after);

		for (n = 0; more && (r = db_step(st, &row)) == SOUK_OK && row; n++)
			if ((r = each_offer(st, mem, each, arg, &after, &more)) != SOUK_OK)
				break;
		if (r != SOUK_OK || !more)
			db_reset(st);
	}
	return r;
}

static enum souk_err
all(struct db_tx *tx, const struct tenant_scope *s, enum whose whose, enum entity_kind kind,
    entity_each *each, void *arg)
{
	struct arena *mem;
	enum souk_err r;

	if (kind == ENTITY_PRODUCT)
		return all_products(tx, s, whose, each, arg);
	if (!(mem = arena_new((size_t)1 << 20)))
		return SOUK_E_NOMEM;
	r = all_offers(tx, s, whose, mem, each, arg);
	arena_free(mem);
	return r;
}

enum souk_err
entity_all(struct db_tx *tx, const struct tenant_scope *s, enum entity_kind kind, entity_each *each,
    void *arg)
{
	return all(tx, s, OWN, kind, each, arg);
}

enum souk_err
entity_all_shared(struct db_tx *tx, const struct tenant_scope *s, enum entity_kind kind,
    entity_each *each, void *arg)
{
	return all(tx, s, SHARED, kind, each, arg);
}
