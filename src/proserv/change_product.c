/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a professional services product: from the members of the Catalog API to those of the listing document. */
#include "proserv/change_int.h"

#include "base/utf8.h"

#include <stdio.h>

#define TITLE_MAX 255    /* code points: what the market takes */
#define TARGETS_MAX 1000 /* accounts that see a limited product */
#define DIMENSIONS_AT_ONCE 100
#define LINKS_MAX 20

static struct str
text_of(const json_t *v)
{
	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR("");
}

static bool
title_fits(struct work *w, struct change *c, struct str title)
{
	if (utf8_length(title) <= TITLE_MAX && !utf8_has_control(title))
		return true;
	change_error(w, c, "INVALID_INPUT",
	    "ProductTitle: is longer than 255 characters or has control characters; shorten it");
	return false;
}

enum souk_err
make_create_product(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[] = { { .name = "ProductTitle", .kind = JSON_K_STR } };
	struct str title;

	if (!change_take(w, c, c->details, m, 1))
		return SOUK_OK;
	title = json_member_str(&m[0]);
	if (!title_fits(w, c, title))
		return SOUK_OK;
	e->is_new = e->is_changed = true;
	e->visibility = VISIBILITY_DRAFT;
	e->doc = json_object();
	e->extra = json_object();
	e->targeting = json_array();
	e->row =
	    (struct listing_row){ .product_id = e->id, .edition = reviewer_edition(w->reviewer) };
	e->product = (struct product){ .id = e->id,
		.type = STR("services"),
		.pricing = STR("[\"contract\"]"),
		.dimensions = STR(""),
		.solution_id = STR(""),
		.solution_title = STR(""),
		.support_email = STR(""),
		.support_phone = STR(""),
		.support_url = STR(""),
		.suspended = STR("") };
	(void)snprintf(e->row.seller_id, sizeof(e->row.seller_id), "%.*s", (int)w->seller_id.n,
	    w->seller_id.p);
	memcpy(e->product.seller_id, e->row.seller_id, sizeof(e->product.seller_id));
	if (!e->doc || !e->extra || !e->targeting)
		return SOUK_E_NOMEM;
	return title.n > 0 ? entity_set(e, c, "title", json_stringn(title.p, title.n)) : SOUK_OK;
}

/* ---- UpdateInformation ----------------------------------------------------------------- */

enum {
	I_TITLE,
	I_SKU,
	I_SHORT,
	I_LONG,
	I_SUPPORT,
	I_HIGHLIGHTS,
	I_CATEGORIES,
	I_KEYWORDS,
	I_AWS_SERVICES,
	I_LANGUAGE,
	I_NEEDS,
	I_AGENT,
	I_PLAIN, /* up to here: taken over under another name */
	I_LOGO = I_PLAIN,
	I_ADDITIONAL,
	I_ASSOCIATED,
	I_DOCS,
	I_CONTACTS,
	I_TERMS,
	I_DATA_USE,
	I_VIDEOS,
	I_SUPPORT_RESOURCES,
	I__COUNT
};

static const struct {
	const char *wire, *ours;
	enum json_kind kind;
} information[I__COUNT] = {
	[I_TITLE] = { "ProductTitle", "title", JSON_K_STR },
	[I_SKU] = { "Sku", "sku", JSON_K_STR },
	[I_SHORT] = { "ShortDescription", "short_description", JSON_K_STR },
	[I_LONG] = { "LongDescription", "long_description", JSON_K_STR },
	[I_SUPPORT] = { "SupportDescription", "support_description", JSON_K_STR },
	[I_HIGHLIGHTS] = { "Highlights", "highlights", JSON_K_ARR },
	[I_CATEGORIES] = { "Categories", "categories", JSON_K_ARR },
	[I_KEYWORDS] = { "SearchKeywords", "keywords", JSON_K_ARR },
	[I_AWS_SERVICES] = { "AwsServices", "aws_services", JSON_K_ARR },
	[I_LANGUAGE] = { "Language", "language", JSON_K_STR },
	[I_NEEDS] = { "NeedsResources", "needs_resources", JSON_K_BOOL },
	[I_AGENT] = { "DeploysAgent", "deploys_agent", JSON_K_BOOL },
	[I_LOGO] = { "LogoUrl", NULL, JSON_K_STR },
	[I_ADDITIONAL] = { "AdditionalResources", NULL, JSON_K_ARR },
	[I_ASSOCIATED] = { "AssociatedProducts", NULL, JSON_K_ARR },
	[I_DOCS] = { "Documentation", NULL, JSON_K_ARR },
	[I_CONTACTS] = { "LandingPageContacts", NULL, JSON_K_ARR },
	[I_TERMS] = { "Terms", NULL, JSON_K_OBJ },
	[I_DATA_USE] = { "DataUseTerms", NULL, JSON_K_OBJ },
	[I_VIDEOS] = { "VideoUrls", NULL, JSON_K_ARR },
	[I_SUPPORT_RESOURCES] = { "SupportResources", NULL, JSON_K_ARR },
};

static const struct rename resource_names[] = { { "Name", "name" }, { "Text", "name" },
	{ "Url", "url" }, { "Type", NULL } };
static const struct rename doc_names[] = { { "Kind", "kind" }, { "Text", "text" },
	{ "Policy", "policy" } };
static const struct rename kind_names[] = { { "Kind", "kind" }, { "Value", "value" } };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "prod-GUID" or the GUID alone, as REST names products. */
static json_t *
product_id_json(const json_t *v)
{
	char id[ENTITY_ID_MAX];
	struct guid g;

	if (!guid_parse(text_of(v), &g))
		return json_deep_copy(v);
	entity_id_write(PRODUCT_PREFIX, &g, id);
	return json_string(id);
}

static enum souk_err
set_associated(struct work *w, struct change *c, struct entity *e, const json_t *a)
{
	json_t *list = json_array(), *o, *v;
	size_t i;

	(void)w;
	json_array_foreach(a, i, v)
	{
		o = json_object();
		if (!o || json_object_set_new(o, "id", product_id_json(v)) != 0 || !list ||
		    json_array_append_new(list, o) != 0) {
			json_decref(list);
			return SOUK_E_NOMEM;
		}
	}
	return entity_set(e, c, "associated_products", list);
}

static enum souk_err
set_list(struct work *w, struct change *c, struct entity *e, const json_t *a,
    const struct rename *t, size_t n, const char *wire, const char *ours)
{
	json_t *list = renamed_all(w, c, a, t, n, wire);

	return list ? entity_set(e, c, ours, list) : SOUK_OK;
}

/* What only the Catalog API tells is kept as it came. */
static enum souk_err
set_extra(struct work *w, struct change *c, struct entity *e, const json_t *a, const char *wire)
{
	bool fine = json_array_size(a) <= LINKS_MAX;
	json_t *copy;

	for (size_t i = 0; fine && i < json_array_size(a); i++)
		fine = json_is_string(json_array_get(a, i));
	if (!fine) {
		change_error(w, c, "INVALID_INPUT",
		    "%s: is no list of at most %d texts; give links", wire, LINKS_MAX);
		return SOUK_OK;
	}
	copy = json_deep_copy(a);
	e->is_changed = true;
	return copy && json_object_set_new(e->extra, wire, copy) == 0 ? SOUK_OK : SOUK_E_NOMEM;
}

/* Accepting is what is done now: its day is today. */
static enum souk_err
set_data_use(struct work *w, struct change *c, struct entity *e, const json_t *o)
{
	struct json_member m[] = { { .name = "Accepted", .kind = JSON_K_BOOL, .required = true },
		{ .name = "Version", .kind = JSON_K_STR, .required = true } };
	char day[DAY_TEXT_LEN + 1];

	if (!change_take(w, c, o, m, 2))
		return SOUK_OK;
	day_write(day_of(db_now(w->tx)), day);
	json_decref(e->data_use);
	e->data_use = json_pack(
	    "{s:b,s:s,s:O}", "accepted", json_is_true(m[0].got), "date", day, "version", m[1].got);
	e->is_changed = true;
	if (e->n_touched < TOUCHED_MAX)
		e->touched[e->n_touched++] = (struct touched){ "seller", c };
	return e->data_use ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
set_object(struct change *c, struct entity *e, const char *member, const char *inner, json_t *v)
{
	json_t *o = json_object();

	if (!o || !v || json_object_set_new(o, inner, v) != 0) {
		json_decref(o);
		return SOUK_E_NOMEM;
	}
	return entity_set(e, c, member, o);
}

static enum souk_err
set_special(struct work *w, struct change *c, struct entity *e, int i, const json_t *v)
{
	json_t *made;

	switch (i) {
	case I_LOGO:
		return set_object(c, e, "logo", "url", json_deep_copy(v));
	case I_ADDITIONAL:
		return set_list(w, c, e, v, resource_names, COUNT(resource_names),
		    "AdditionalResources", "resources");
	case I_ASSOCIATED:
		return set_associated(w, c, e, v);
	case I_DOCS:
		return set_list(w, c, e, v, doc_names, COUNT(doc_names), "Documentation", "docs");
	case I_CONTACTS:
		made = renamed_all(w, c, v, kind_names, COUNT(kind_names), "LandingPageContacts");
		return made ? set_object(c, e, "landing_page", "contacts", made) : SOUK_OK;
	case I_TERMS:
		made = renamed(w, c, v, kind_names, COUNT(kind_names), "Terms");
		return made ? entity_set(e, c, "terms", made) : SOUK_OK;
	case I_DATA_USE:
		return set_data_use(w, c, e, v);
	default:
		return set_extra(w, c, e, v, information[i].wire);
	}
}

enum souk_err
make_information(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[I__COUNT] = { 0 };
	enum souk_err r = SOUK_OK;

	for (int i = 0; i < I__COUNT; i++)
		m[i] = (struct json_member){ .name = information[i].wire,
			.kind = information[i].kind };
	if (!change_take(w, c, c->details, m, I__COUNT) ||
	    !title_fits(w, c, json_member_str(&m[I_TITLE])))
		return SOUK_OK;
	for (int i = 0; i < I__COUNT && r == SOUK_OK; i++) {
		if (!m[i].got)
			continue;
		r = i < I_PLAIN ? entity_set(e, c, information[i].ours, json_deep_copy(m[i].got))
				: set_special(w, c, e, i, m[i].got);
	}
	return r;
}

/* ---- dimensions ------------------------------------------------------------------------ */

static json_t *
dimensions_of(struct entity *e)
{
	json_t *a = json_object_get(e->doc, "dimensions");

	if (!json_is_array(a)) {
		a = json_array();
		if (!a || json_object_set_new(e->doc, "dimensions", a) != 0)
			return NULL;
	}
	return a;
}

static size_t
dimension_place(const json_t *a, struct str key)
{
	for (size_t i = 0; i < json_array_size(a); i++)
		if (str_eq(text_of(json_object_get(json_array_get(a, i), "key")), key))
			return i;
	return SIZE_MAX;
}

static void
touch(struct entity *e, struct change *c, const char *member)
{
	e->is_changed = true;
	if (e->n_touched < TOUCHED_MAX)
		e->touched[e->n_touched++] = (struct touched){ member, c };
}

enum { D_KEY, D_NAME, D_TEXT, D_TYPES, D_UNIT, D__COUNT };

/* Services are bought by the piece of work: entitled, in units. */
static bool
take_dimension(struct work *w, struct change *c, const json_t *o, bool new,
    struct json_member m[static D__COUNT])
{
	m[D_KEY] = (struct json_member){ .name = "Key", .kind = JSON_K_STR, .required = true };
	m[D_NAME] = (struct json_member){ .name = "Name", .kind = JSON_K_STR, .required = new };
	m[D_TEXT] =
	    (struct json_member){ .name = "Description", .kind = JSON_K_STR, .required = new };
	m[D_TYPES] = (struct json_member){ .name = "Types", .kind = JSON_K_ARR };
	m[D_UNIT] = (struct json_member){ .name = "Unit", .kind = JSON_K_STR };
	if (!change_take(w, c, o, m, D__COUNT))
		return false;
	if (m[D_TYPES].got &&
	    (json_array_size(m[D_TYPES].got) != 1 ||
		!str_eq_c(text_of(json_array_get(m[D_TYPES].got, 0)), "Entitled"))) {
		change_error(w, c, "INVALID_INPUT",
		    "Types: is not what services are sold by; give [\"Entitled\"]");
		return false;
	}
	if (m[D_UNIT].got && !str_eq_c(json_member_str(&m[D_UNIT]), "Units")) {
		change_error(w, c, "INVALID_INPUT", "Unit: is not that of services; give Units");
		return false;
	}
	return true;
}

static bool
is_list(struct work *w, struct change *c)
{
	size_t n = json_array_size(c->details);

	if (json_is_array(c->details) && n >= 1 && n <= DIMENSIONS_AT_ONCE)
		return true;
	change_error(w, c, "INVALID_INPUT",
	    "Details: is no list of dimensions; give a JSON array of 1 to %d of them",
	    DIMENSIONS_AT_ONCE);
	return false;
}

enum souk_err
make_add_dimensions(struct work *w, struct change *c, struct entity *e)
{
	json_t *a = dimensions_of(e), *o;
	struct json_member m[D__COUNT];

	if (!a)
		return SOUK_E_NOMEM;
	if (!is_list(w, c))
		return SOUK_OK;
	for (size_t i = 0; i < json_array_size(c->details); i++) {
		if (!take_dimension(w, c, json_array_get(c->details, i), true, m))
			continue;
		o = json_pack("{s:O,s:O,s:O}", "key", m[D_KEY].got, "name", m[D_NAME].got,
		    "description", m[D_TEXT].got);
		if (!o || json_array_append_new(a, o) != 0)
			return SOUK_E_NOMEM;
	}
	touch(e, c, "dimensions");
	return SOUK_OK;
}

static void
no_dimension(struct work *w, struct change *c)
{
	change_error(w, c, "DIMENSION_NOT_FOUND",
	    "Key: is that of no dimension of the product; give one that DescribeEntity shows");
}

enum souk_err
make_update_dimensions(struct work *w, struct change *c, struct entity *e)
{
	json_t *a = dimensions_of(e), *o;
	struct json_member m[D__COUNT];

	if (!a)
		return SOUK_E_NOMEM;
	if (!is_list(w, c))
		return SOUK_OK;
	for (size_t i = 0; i < json_array_size(c->details); i++) {
		size_t at;

		if (!take_dimension(w, c, json_array_get(c->details, i), false, m))
			continue;
		at = dimension_place(a, json_member_str(&m[D_KEY]));
		if (at == SIZE_MAX) {
			no_dimension(w, c);
			continue;
		}
		o = json_array_get(a, at);
		if ((m[D_NAME].got &&
			json_object_set_new(o, "name", json_deep_copy(m[D_NAME].got)) != 0) ||
		    (m[D_TEXT].got &&
			json_object_set_new(o, "description", json_deep_copy(m[D_TEXT].got)) != 0))
			return SOUK_E_NOMEM;
	}
	touch(e, c, "dimensions");
	return SOUK_OK;
}

/* Keys, or objects of which only the key counts. */
enum souk_err
make_restrict_dimensions(struct work *w, struct change *c, struct entity *e)
{
	json_t *a = dimensions_of(e);
	struct json_member m[D__COUNT];

	if (!a)
		return SOUK_E_NOMEM;
	if (!is_list(w, c))
		return SOUK_OK;
	for (size_t i = 0; i < json_array_size(c->details); i++) {
		const json_t *v = json_array_get(c->details, i);
		size_t at;

		if (!json_is_string(v) && !take_dimension(w, c, v, false, m))
			continue;
		at =
		    dimension_place(a, json_is_string(v) ? text_of(v) : json_member_str(&m[D_KEY]));
		if (at == SIZE_MAX)
			no_dimension(w, c);
		else
			(void)json_array_remove(a, at);
	}
	touch(e, c, "dimensions");
	return SOUK_OK;
}

/* ---- who sees it ----------------------------------------------------------------------- */

enum souk_err
make_targeting(struct work *w, struct change *c, struct entity *e)
{
	struct json_member top[] = {
		{ .name = "PositiveTargeting", .kind = JSON_K_OBJ, .required = true }
	};
	struct json_member m[] = {
		{ .name = "BuyerAccounts", .kind = JSON_K_ARR, .required = true }
	};

	if (!change_take(w, c, c->details, top, 1) || !change_take(w, c, top[0].got, m, 1) ||
	    !change_accounts(w, c, m[0].got, TARGETS_MAX))
		return SOUK_OK;
	json_decref(e->targeting);
	e->targeting = json_deep_copy(m[0].got);
	e->is_changed = true;
	return e->targeting ? SOUK_OK : SOUK_E_NOMEM;
}

static bool
is_empty(struct work *w, struct change *c)
{
	return change_take(w, c, c->details, NULL, 0);
}

enum souk_err
make_release_product(struct work *w, struct change *c, struct entity *e)
{
	if (!is_empty(w, c))
		return SOUK_OK;
	if (e->visibility != VISIBILITY_DRAFT) {
		change_error(w, c, "INVALID_STATE", "The product is released already.");
		return SOUK_OK;
	}
	e->visibility = VISIBILITY_LIMITED;
	e->release = c;
	e->is_changed = true;
	return SOUK_OK;
}

enum souk_err
make_visibility(struct work *w, struct change *c, struct entity *e)
{
	struct json_member m[] = {
		{ .name = "TargetVisibility", .kind = JSON_K_STR, .required = true }
	};
	enum visibility to = VISIBILITY_UNKNOWN;
	bool sold = false;
	enum souk_err r;

	if (!change_take(w, c, c->details, m, 1))
		return SOUK_OK;
	for (int v = VISIBILITY_LIMITED; v <= VISIBILITY_RESTRICTED; v++)
		if (str_eq_c(json_member_str(&m[0]), visibility_word((enum visibility)v)))
			to = (enum visibility)v;
	if (to == VISIBILITY_UNKNOWN)
		change_error(w, c, "INVALID_INPUT",
		    "TargetVisibility: is no visibility; give Limited, Public or Restricted");
	else if (e->visibility == VISIBILITY_DRAFT)
		change_error(w, c, "INVALID_STATE",
		    "The product is a draft: release it first (ReleaseProduct).");
	else if (e->visibility == to)
		change_error(
		    w, c, "INVALID_STATE", "The product is %s already.", visibility_word(to));
	if (c->n_errors > 0)
		return SOUK_OK;
	e->visibility = to;
	e->visible = c;
	e->is_changed = true;
	/* Nobody has it: it is gone. Who has it keeps it until the last subscription ends. */
	if (to != VISIBILITY_RESTRICTED)
		return SOUK_OK;
	r = listing_is_sold(w->tx, w->seller_id, &e->id, &sold);
	if (r == SOUK_OK && !sold)
		e->row.removed_at = db_now(w->tx);
	return r;
}

/* ---- the listing document itself ------------------------------------------------------- */

/* What the server knows better may stand there as it was shown; it says nothing. */
static bool
is_servers(const char *key)
{
	static const char *const members[] = { "id", "seller", "edition", "visibility",
		"product_state", "offers", "fulfilments" };

	for (size_t i = 0; i < COUNT(members); i++)
		if (strcmp(key, members[i]) == 0)
			return true;
	return false;
}

static enum souk_err
associated_ids(json_t *doc)
{
	json_t *a = json_object_get(doc, "associated_products");

	for (size_t i = 0; i < json_array_size(a); i++) {
		json_t *o = json_array_get(a, i), *id = json_object_get(o, "id");

		if (json_is_string(id) && json_object_set_new(o, "id", product_id_json(id)) != 0)
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

/* All of it: a member that is not there is no more. */
enum souk_err
make_document(struct work *w, struct change *c, struct entity *e)
{
	json_t *copy = json_deep_copy(c->details);
	const json_t *data_use = json_object_get(json_object_get(copy, "seller"), "data_use_terms");
	const char *key;
	json_t *v;
	void *next;

	(void)w;
	if (!copy)
		return SOUK_E_NOMEM;
	if (json_is_object(data_use)) {
		json_decref(e->data_use);
		e->data_use = json_deep_copy(data_use);
	}
	json_object_foreach_safe(copy, next, key, v)
	{
		if (is_servers(key))
			(void)json_object_del(copy, key);
	}
	json_decref(e->doc);
	e->doc = copy;
	if (e->n_touched < TOUCHED_MAX)
		e->touched[e->n_touched++] = (struct touched){ "", c };
	e->is_changed = true;
	if (!title_fits(w, c, text_of(json_object_get(copy, "title"))))
		return SOUK_OK;
	return associated_ids(copy);
}
