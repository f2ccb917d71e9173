/* SPDX-License-Identifier: Apache-2.0 */
/* The Catalog API: entities (specs/proserv.md 6). */
#include "server/catalog_int.h"

#include "server/rest.h"

#include <stdlib.h>

#define ENTITIES_MAX 10000 /* that a list takes into account */
#define LIST_MOST 50
#define BATCH_MOST 20

/* ---- DescribeEntity, BatchDescribeEntities --------------------------------------------- */

static enum souk_err
entity_id_take(struct call *c)
{
	return catalog_query_id(c, "entityId");
}

static void
put_entity(struct call *c, struct jw *w, const struct entity_document *e, bool text)
{
	const struct entity_summary *s = &e->summary;

	jw_c(w, "EntityType", entity_type_versioned(s->kind));
	jw_str(w, "EntityIdentifier",
	    str_c(arena_printf(c->arena, "%s@%lld", s->id, (long long)s->revision)));
	jw_str(w, "EntityArn",
	    entity_arn(c->arena, c->svc->region, s->seller_id, entity_type(s->kind), s->id));
	catalog_time(w, "LastModifiedDate", s->changed_at);
	if (text)
		jw_str(w, "Details", e->details);
	jw_raw(w, "DetailsDocument", e->details);
}

/* "prod-...@7" is that of now. */
static struct str
without_revision(struct str id)
{
	struct str part = id;

	return str_split(&id, '@', &part) ? part : id;
}

static enum souk_err
describe_run(struct call *c, struct db_tx *tx)
{
	const struct str *id = c->input;
	struct entity_document e = { 0 };
	struct jw w;
	bool shared;
	enum souk_err r = entity_read(tx, c->scope, without_revision(*id), c->arena, &e, &shared);

	if (r != SOUK_OK)
		return r;
	/* Whose it is can see who read it. */
	if (shared)
		rest_audit(c, "entity", str_c(e.summary.id), str_c(e.summary.seller_id));
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	put_entity(c, &w, &e, true);
	jw_close(&w, '}');
	return SOUK_OK;
}

struct batch {
	struct str id[BATCH_MOST];
	size_t n;
};

/* It is the name of a member in the answer. */
static bool
is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char x = s.p[i];

		if (!((x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
			x == '_' || x == '-' || x == '@'))
			return false;
	}
	return s.n > 0 && s.n <= 255;
}

static enum souk_err
batch_parse(struct call *c)
{
	struct json_member top[] = {
		{ .name = "EntityRequestList", .kind = JSON_K_ARR, .required = true }
	};
	struct batch *b = ARENA_NEW(c->arena, struct batch);
	enum souk_err r;

	if (!b)
		return SOUK_E_LIMIT;
	c->input = b;
	if ((r = json_take(c->body, top, 1, &c->fail)) != SOUK_OK)
		return r;
	b->n = json_array_size(top[0].got);
	if (b->n < 1 || b->n > BATCH_MOST)
		return fail_field(
		    &c->fail, "EntityRequestList", "is empty or too long", "give 1 to 20 entities");
	for (size_t i = 0; i < b->n; i++) {
		struct json_member m[] = {
			{ .name = "Catalog", .kind = JSON_K_STR, .required = true },
			{ .name = "EntityId", .kind = JSON_K_STR, .required = true }
		};

		if ((r = json_take(json_array_get(top[0].got, i), m, 2, &c->fail)) != SOUK_OK ||
		    (r = catalog_check(c, json_member_str(&m[0]))) != SOUK_OK)
			return r;
		b->id[i] = json_member_str(&m[1]);
		if (!is_id(b->id[i]))
			return fail_field(&c->fail, "EntityId", "is no id",
			    "give 1 to 255 letters, digits, '_', '-' and '@'");
		for (size_t k = 0; k < i; k++)
			if (str_eq(b->id[k], b->id[i]))
				return fail_field(&c->fail, "EntityRequestList",
				    "names an entity twice", "name each once");
	}
	return SOUK_OK;
}

static enum souk_err
put_batch(struct call *c, struct db_tx *tx, struct jw *w, bool found)
{
	const struct batch *b = c->input;

	for (size_t i = 0; i < b->n; i++) {
		char *key = arena_strndup(c->arena, b->id[i].p, b->id[i].n);
		struct entity_document e = { 0 };
		enum souk_err r =
		    entity_get(tx, c->scope, without_revision(b->id[i]), c->arena, &e);

		if (!key || (r != SOUK_OK && r != SOUK_E_NOT_FOUND))
			return key ? r : SOUK_E_NOMEM;
		if ((r == SOUK_OK) != found)
			continue;
		jw_open(w, key, '{');
		if (found) {
			put_entity(c, w, &e, false);
		} else {
			jw_c(w, "ErrorCode", "ResourceNotFoundException");
			jw_c(w, "ErrorMessage", "There is no such entity, or it is not yours.");
		}
		jw_close(w, '}');
	}
	return SOUK_OK;
}

static enum souk_err
batch_run(struct call *c, struct db_tx *tx)
{
	struct jw w;
	enum souk_err r;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_open(&w, "EntityDetails", '{');
	r = put_batch(c, tx, &w, true);
	jw_close(&w, '}');
	jw_open(&w, "Errors", '{');
	if (r == SOUK_OK)
		r = put_batch(c, tx, &w, false);
	jw_close(&w, '}');
	jw_close(&w, '}');
	if (r != SOUK_OK)
		buf_clear(&c->out);
	return r;
}

/* ---- ListEntities ---------------------------------------------------------------------- */

static const char *const fields[] = { "EntityId", "Name", "ProductTitle", "Visibility", "State",
	"ProductId", "BuyerAccounts", "LastModifiedDate", "AvailabilityEndDate",
	"BeforeLastModifiedDate", "AfterLastModifiedDate", NULL };

static struct str
field_of(const struct entity_summary *e, struct str name)
{
	if (str_eq_c(name, "EntityId"))
		return str_c(e->id);
	if (str_eq_c(name, "Name") || str_eq_c(name, "ProductTitle"))
		return e->name;
	if (str_eq_c(name, "Visibility"))
		return e->visibility;
	if (str_eq_c(name, "State"))
		return e->state;
	if (str_eq_c(name, "ProductId"))
		return str_c(e->product_id);
	return e->available_until;
}

static bool
has_buyer(const struct catalog_filter *f, struct str buyers)
{
	for (size_t i = 0; i < json_array_size(f->values); i++) {
		const json_t *v = json_array_get(f->values, i);

		if (json_string_length(v) == ACCOUNT_ID_LEN &&
		    memmem(buyers.p, buyers.n, json_string_value(v), ACCOUNT_ID_LEN))
			return true;
	}
	return false;
}

static bool
until_in_time(const struct catalog_filter *f, struct str day)
{
	day_t d;

	return day_parse(day, &d) && catalog_in_time(f, (instant_t)d * DAY_MS);
}

static bool
entity_matches(const struct catalog_list *l, const struct entity_summary *e)
{
	for (size_t i = 0; i < l->n_filters; i++) {
		const struct catalog_filter *f = &l->filters[i];
		bool fine =
		    str_ends(f->name, STR("LastModifiedDate")) ? catalog_in_time(f, e->changed_at)
		    : str_eq_c(f->name, "AvailabilityEndDate")
			? until_in_time(f, e->available_until)
		    : str_eq_c(f->name, "BuyerAccounts") ? has_buyer(f, e->buyers)
							 : catalog_matches(f, field_of(e, f->name));

		if (!fine)
			return false;
	}
	return true;
}

/* {"After...": time, "Before...": time} */
static enum souk_err
take_range(struct call *c, const json_t *o, struct catalog_filter *f)
{
	struct json_member m[] = { { .name = "AfterValue", .kind = JSON_K_STR },
		{ .name = "BeforeValue", .kind = JSON_K_STR } };
	enum souk_err r = json_take(o, m, 2, &c->fail);

	if (r != SOUK_OK)
		return r;
	if ((m[0].got && !catalog_time_parse(json_member_str(&m[0]), &f->after)) ||
	    (m[1].got && !catalog_time_parse(json_member_str(&m[1]), &f->before)))
		return fail_field(&c->fail, "DateRange", "is no range of times",
		    "give times like 2026-01-31T12:00:00Z");
	return SOUK_OK;
}

static enum souk_err
take_typed(struct call *c, const char *name, const json_t *o, struct catalog_list *l)
{
	struct json_member m[] = { { .name = "ValueList", .kind = JSON_K_ARR },
		{ .name = "WildCardValue", .kind = JSON_K_STR },
		{ .name = "DateRange", .kind = JSON_K_OBJ } };
	struct catalog_filter *f = &l->filters[l->n_filters];
	enum souk_err r;
	bool known = false;

	for (size_t i = 0; fields[i]; i++)
		known |= strcmp(fields[i], name) == 0;
	if (!known || l->n_filters == CATALOG_FILTERS)
		return fail_field(&c->fail, "EntityTypeFilters", "has a filter that is not known",
		    "docs/proserv.md lists them");
	if ((r = json_take(o, m, 3, &c->fail)) != SOUK_OK)
		return r;
	*f = (struct catalog_filter){
		.name = str_c(name), .values = m[0].got, .wild = json_member_str(&m[1])
	};
	for (size_t i = 0; i < json_array_size(f->values); i++)
		if (!json_is_string(json_array_get(f->values, i)))
			return fail_field(
			    &c->fail, "ValueList", "is no list of texts", "give what to look for");
	l->n_filters++;
	return m[2].got ? take_range(c, m[2].got, f) : SOUK_OK;
}

static const char *
typed_name(enum entity_kind k, bool filters)
{
	static const char *const names[ENTITY__COUNT][2] = {
		[ENTITY_PRODUCT] = { "ProfessionalServicesProductSort",
		    "ProfessionalServicesProductFilters" },
		[ENTITY_OFFER] = { "OfferSort", "OfferFilters" },
	};

	return names[k][filters];
}

static enum souk_err
take_type_filters(struct call *c, const json_t *o, struct catalog_list *l)
{
	struct json_member m[] = {
		{ .name = typed_name(l->kind, true), .kind = JSON_K_OBJ, .required = true }
	};
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all;
	const char *key;
	json_t *v;
	enum souk_err r;

	if (!o)
		return SOUK_OK;
	if (l->n_filters > 0)
		return fail_field(
		    &c->fail, "EntityTypeFilters", "stands beside FilterList", "give one of them");
	if ((r = json_take(o, m, 1, &c->fail)) != SOUK_OK)
		return r;
	all.in = m[0].got;
	json_object_foreach(all.out, key, v)
	{
		if (r == SOUK_OK)
			r = take_typed(c, key, v, l);
	}
	return r;
}

static enum souk_err
take_type_sort(struct call *c, const json_t *o, struct catalog_list *l)
{
	struct json_member m[] = {
		{ .name = typed_name(l->kind, false), .kind = JSON_K_OBJ, .required = true }
	};
	enum souk_err r;

	if (!o)
		return SOUK_OK;
	if ((r = json_take(o, m, 1, &c->fail)) != SOUK_OK)
		return r;
	return catalog_sort(c, m[0].got, fields, l);
}

static enum souk_err
take_ownership(struct call *c, struct str s, struct catalog_list *l)
{
	l->shared = str_eq_c(s, "SHARED");
	return s.n == 0 || l->shared || str_eq_c(s, "SELF")
		   ? SOUK_OK
		   : fail_field(&c->fail, "OwnershipType", "is none", "give SELF or SHARED");
}

static enum souk_err
list_parse(struct call *c)
{
	enum { WHICH, TYPE, FILTERS, SORT, NEXT, MAX, OWNERSHIP, TYPE_FILTERS, TYPE_SORT, COUNT };
	struct json_member m[COUNT] = {
		[WHICH] = { .name = "Catalog", .kind = JSON_K_STR, .required = true },
		[TYPE] = { .name = "EntityType", .kind = JSON_K_STR, .required = true },
		[FILTERS] = { .name = "FilterList", .kind = JSON_K_ARR, .nullable = true },
		[SORT] = { .name = "Sort", .kind = JSON_K_OBJ, .nullable = true },
		[NEXT] = { .name = "NextToken", .kind = JSON_K_STR, .nullable = true },
		[MAX] = { .name = "MaxResults", .kind = JSON_K_INT, .nullable = true },
		[OWNERSHIP] = { .name = "OwnershipType", .kind = JSON_K_STR, .nullable = true },
		[TYPE_FILTERS] = { .name = "EntityTypeFilters",
		    .kind = JSON_K_OBJ,
		    .nullable = true },
		[TYPE_SORT] = { .name = "EntityTypeSort", .kind = JSON_K_OBJ, .nullable = true },
	};
	struct catalog_list *l = ARENA_NEW(c->arena, struct catalog_list);
	enum souk_err r;

	if (!l)
		return SOUK_E_LIMIT;
	c->input = l;
	l->limit = CATALOG_PAGE;
	l->sort_by = STR("");
	if ((r = json_take(c->body, m, COUNT, &c->fail)) != SOUK_OK ||
	    (r = catalog_check(c, json_member_str(&m[WHICH]))) != SOUK_OK)
		return r;
	if (!entity_type_parse(json_member_str(&m[TYPE]), &l->kind))
		return fail_field(&c->fail, "EntityType", "is no type of entity here",
		    "give ProfessionalServicesProduct or Offer");
	if ((r = take_ownership(c, json_member_str(&m[OWNERSHIP]), l)) != SOUK_OK ||
	    (r = catalog_filters(c, m[FILTERS].got, fields, l)) != SOUK_OK ||
	    (r = take_type_filters(c, m[TYPE_FILTERS].got, l)) != SOUK_OK ||
	    (r = catalog_sort(c, m[SORT].got, fields, l)) != SOUK_OK ||
	    (r = take_type_sort(c, m[TYPE_SORT].got, l)) != SOUK_OK)
		return r;
	return catalog_page(c, m[MAX].got, m[NEXT].got, LIST_MOST, l);
}

struct listed {
	const struct catalog_list *l;
	struct arena *mem;
	struct entity_summary *v;
	size_t n;
	bool failed;
};

static bool
keep(void *arg, const struct entity_summary *e)
{
	struct listed *x = arg;
	struct entity_summary *to = &x->v[x->n];

	if (!entity_matches(x->l, e))
		return true;
	*to = *e;
	to->name = arena_str(x->mem, e->name);
	to->visibility = arena_str(x->mem, e->visibility);
	to->state = arena_str(x->mem, e->state);
	to->available_until = arena_str(x->mem, e->available_until);
	to->buyers = arena_str(x->mem, e->buyers);
	x->failed = !to->name.p || !to->visibility.p || !to->state.p || !to->available_until.p ||
		    !to->buyers.p;
	x->n++;
	return !x->failed && x->n < ENTITIES_MAX;
}

/* By a field, then by id, so that pages do not overlap. */
static int
by_field(const void *a, const void *b, void *arg)
{
	const struct entity_summary *x = a, *y = b;
	const struct catalog_list *l = arg;
	int order;

	if (l->sort_by.n == 0 || str_ends(l->sort_by, STR("LastModifiedDate")))
		order = (x->changed_at > y->changed_at) - (x->changed_at < y->changed_at);
	else
		order = str_compare(field_of(x, l->sort_by), field_of(y, l->sort_by));
	return order ? order : strcmp(x->id, y->id);
}

static void
put_offer(struct jw *w, const struct entity_summary *e)
{
	jw_open(w, "OfferSummary", '{');
	jw_str_opt(w, "Name", e->name);
	jw_c(w, "ProductId", e->product_id);
	jw_raw(w, "BuyerAccounts", e->buyers);
	jw_str(w, "State", e->state);
	jw_raw(w, "Targeting", STR("[\"BuyerAccounts\"]"));
	jw_str_opt(w, "AvailabilityEndDate", e->available_until);
	jw_close(w, '}');
}

static void
put_summary(struct call *c, struct jw *w, const struct entity_summary *e)
{
	jw_open(w, NULL, '{');
	jw_str_opt(w, "Name", e->name);
	jw_c(w, "EntityType", entity_type(e->kind));
	jw_c(w, "EntityId", e->id);
	jw_str(w, "EntityArn",
	    entity_arn(c->arena, c->svc->region, e->seller_id, entity_type(e->kind), e->id));
	catalog_time(w, "LastModifiedDate", e->changed_at);
	jw_str(w, "Visibility", e->visibility);
	if (e->kind == ENTITY_OFFER) {
		put_offer(w, e);
	} else {
		jw_open(w, "ProfessionalServicesProductSummary", '{');
		jw_str_opt(w, "ProductTitle", e->name);
		jw_str(w, "Visibility", e->visibility);
		jw_close(w, '}');
	}
	jw_close(w, '}');
}

static void
list_answer(struct call *c, struct listed *x)
{
	union {
		const struct catalog_list *in;
		void *out;
	} arg = { .in = x->l };
	struct jw w;

	qsort_r(x->v, x->n, sizeof(*x->v), by_field, arg.out);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_open(&w, "EntitySummaryList", '[');
	for (size_t i = x->l->offset; i < x->n && i < x->l->offset + x->l->limit; i++)
		put_summary(c, &w, &x->v[x->l->ascending ? i : x->n - 1 - i]);
	jw_close(&w, ']');
	catalog_next(&w, x->l, x->n);
	jw_close(&w, '}');
}

static enum souk_err
list_run(struct call *c, struct db_tx *tx)
{
	struct listed x = { .l = c->input, .mem = arena_new((size_t)64 << 20) };
	enum souk_err r = SOUK_OK;

	x.v = x.mem ? arena_array(x.mem, ENTITIES_MAX, sizeof(*x.v)) : NULL;
	if (!x.v)
		r = SOUK_E_NOMEM;
	else
		r = x.l->shared ? entity_all_shared(tx, c->scope, x.l->kind, keep, &x)
				: entity_all(tx, c->scope, x.l->kind, keep, &x);
	if (r == SOUK_OK && x.failed)
		r = SOUK_E_NOMEM;
	if (r == SOUK_OK)
		list_answer(c, &x);
	arena_free(x.mem);
	return r;
}

static const struct op ops[] = {
	{ "GET", "/DescribeEntity", CATALOG_ACTION "DescribeEntity", 0,
	    OP_READ | OP_AUDIT | OP_NO_BODY, entity_id_take, describe_run },
	{ "POST", "/BatchDescribeEntities", CATALOG_ACTION "BatchDescribeEntities", CATALOG_BODY,
	    OP_READ, batch_parse, batch_run },
	{ "POST", "/ListEntities", CATALOG_ACTION "ListEntities", CATALOG_BODY, OP_READ, list_parse,
	    list_run },
};
const struct catalog_table catalog_entities = { ops, sizeof(ops) / sizeof(ops[0]) };
