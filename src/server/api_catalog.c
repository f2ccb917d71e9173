/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Catalog API's family: AWS REST JSON, one path for each operation, SigV4 over headers and body.
 *
 * Clients tell errors by the header x-amzn-ErrorType and by their status, each of which is another error here; the
 * body has the words in `Message`.
 */
#include "server/families.h"

#include "server/catalog_int.h"
#include "server/json_family.h"

#include <stdio.h>

#define SERVICE "aws-marketplace"

static const struct catalog_table *const tables[] = { &catalog_changes, &catalog_entities,
	&catalog_tagging, &catalog_policies, &catalog_assessments };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct op *
op_of(struct str path, const struct call *c)
{
	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct op *op = &tables[t]->ops[i];

			if (str_eq_c(path, op->pattern) && (!c || call_method_is(c, op->method)))
				return op;
		}
	return NULL;
}

bool
catalog_path(struct str path)
{
	return op_of(path, NULL) != NULL;
}

static const struct op *
catalog_find(struct call *c)
{
	const struct op *op = op_of(c->req->path, c);

	if (!op)
		(void)fail_set(&c->fail, SOUK_E_INVALID, "UnknownOperationException",
		    "This operation has another method.");
	return op;
}

static enum souk_err
catalog_authenticate(struct call *c)
{
	return json_sigv4(c, SERVICE);
}

/* What each error is in this API. */
static const struct {
	int status;
	const char *type, *message;
} problems[SOUK_E__COUNT] = {
	[SOUK_OK] = { 500, "InternalServiceException", "" },
	[SOUK_E_INTERNAL] = { 500, "InternalServiceException",
	    "The request failed because of an internal error." },
	[SOUK_E_NOMEM] = { 500, "InternalServiceException", "Try again later." },
	[SOUK_E_INVALID] = { 422, "ValidationException", "The request is not valid." },
	[SOUK_E_UNAUTHENTICATED] = { 403, "UnrecognizedClientException",
	    "The security token included in the request is invalid." },
	[SOUK_E_DENIED] = { 403, "AccessDeniedException",
	    "You are not authorized to perform this operation." },
	[SOUK_E_NOT_FOUND] = { 404, "ResourceNotFoundException",
	    "There is no such resource, or it is not yours." },
	[SOUK_E_CONFLICT] = { 423, "ResourceInUseException",
	    "The present state does not allow it." },
	[SOUK_E_PRECONDITION] = { 423, "ResourceInUseException",
	    "The present state does not allow it." },
	[SOUK_E_LIMIT] = { 422, "ValidationException", "The request is too large." },
	[SOUK_E_UNAVAILABLE] = { 500, "InternalServiceException", "Try again later." },
	[SOUK_E_STORAGE] = { 500, "InternalServiceException",
	    "Storage failed and nothing was kept. Try again later." },
	[SOUK_E_UNCERTAIN] = { 500, "InternalServiceException",
	    "It is not known whether the request was accepted." },
};

/* Other words for some codes of ours. */
static const struct {
	const char *code;
	int status;
	const char *type;
} special[] = {
	{ "rate_limited", 429, "ThrottlingException" },
	{ "change_set_quota", 402, "ServiceQuotaExceededException" },
	{ "not_supported", 415, "ResourceNotSupportedException" },
	{ "body_too_large", 413, "RequestEntityTooLargeException" },
	{ "UnknownOperationException", 404, "UnknownOperationException" },
};

/* A field and its fix, else the sentence. */
static void
words_of(const struct call *c, enum souk_err err, char *out, size_t size)
{
	const struct fail *f = &c->fail;

	if (problems[err].status >= 500 || err == SOUK_E_NOT_FOUND || !f->code)
		(void)snprintf(out, size, "%s", problems[err].message);
	else if (f->n > 0)
		(void)snprintf(
		    out, size, "%s %s; %s.", f->entry[0].field, f->entry[0].what, f->entry[0].fix);
	else
		(void)snprintf(out, size, "%s", f->detail[0] ? f->detail : problems[err].message);
}

static void
catalog_fail(struct call *c, enum souk_err err)
{
	const char *type = problems[err].type, *code = c->fail.code;
	char words[512];
	struct jw w;

	c->response.status = problems[err].status;
	for (size_t i = 0; code && i < sizeof(special) / sizeof(special[0]); i++)
		if (strcmp(code, special[i].code) == 0) {
			c->response.status = special[i].status;
			type = special[i].type;
		}
	/* Who calls is told in AWS's own words. */
	if (err == SOUK_E_UNAUTHENTICATED && code && code[0] >= 'A' && code[0] <= 'Z')
		type = code;
	words_of(c, err, words, sizeof(words));
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "__type", type);
	jw_c(&w, "Message", words);
	jw_close(&w, '}');
	http_response_header(&c->response, "x-amzn-ErrorType", type);
}

const struct api_family api_catalog = {
	.name = "catalog",
	.metric = FAM_JSON,
	.id_header = "x-amzn-RequestId",
	.content_type = "application/json",
	.late = true,
	.json = true,
	.find = catalog_find,
	.authenticate = catalog_authenticate,
	.fail = catalog_fail,
};

/* ---- what operations share ------------------------------------------------------------- */

void
catalog_time(struct jw *w, const char *key, instant_t t)
{
	char text[INSTANT_TEXT_LEN + 1];

	instant_format(t, text);
	/* "2026-01-31T12:00:00.123Z" */
	(void)memcpy(text + 19, "Z", 2);
	jw_c(w, key, text);
}

bool
catalog_time_parse(struct str s, instant_t *ret)
{
	return instant_parse(s, ret);
}

enum souk_err
catalog_check(struct call *c, struct str catalog)
{
	return str_eq_c(catalog, CATALOG)
		   ? SOUK_OK
		   : fail_field(&c->fail, "Catalog", "is no catalog here", "give AWSMarketplace");
}

enum souk_err
catalog_query_id(struct call *c, const char *name)
{
	struct str catalog = call_query(c, "catalog"), id = call_query(c, name);
	struct str *kept = ARENA_NEW(c->arena, struct str);
	enum souk_err r;

	if (!kept)
		return SOUK_E_LIMIT;
	if ((r = catalog_check(c, catalog.p ? catalog : STR(""))) != SOUK_OK)
		return r;
	if (!id.p || id.n == 0)
		return fail_field(&c->fail, name, "is missing", "give the id");
	*kept = id;
	c->input = kept;
	return SOUK_OK;
}

/* ---- what ARNs name -------------------------------------------------------------------- */

static bool
arn_parse(struct catalog_arn *a)
{
	struct str rest = a->arn, part;

	for (int i = 0; i < 3; i++) {
		static const char *const parts[] = { "arn", "aws", "aws-marketplace" };

		if (!str_split(&rest, ':', &part) || !str_eq_c(part, parts[i]))
			return false;
	}
	if (a->arn.n > CATALOG_ARN_MAX || !str_split(&rest, ':', &part) ||
	    !str_split(&rest, ':', &a->account) || !rest.p)
		return false;
	a->resource = rest;
	return str_split(&rest, '/', &part) && str_eq_c(part, CATALOG) &&
	       str_split(&rest, '/', &a->type) && str_split(&rest, '/', &a->id) && !rest.p;
}

enum souk_err
catalog_arn_take(struct call *c, struct str arn, struct catalog_arn *ret)
{
	*ret = (struct catalog_arn){ .arn = arn };
	return arn_parse(ret) ? SOUK_OK
			      : fail_field(&c->fail, "ResourceArn", "is no ARN of this catalog",
				    "give that of an entity or a change set");
}

enum souk_err
catalog_arn_owner(struct call *c, struct db_tx *tx, const struct catalog_arn *a,
    char ret[static ACCOUNT_ID_LEN + 1])
{
	struct entity_document e = { 0 };
	struct change_set_row set;
	enum entity_kind kind;
	struct guid id;
	enum souk_err r;

	if (str_eq_c(a->type, "ChangeSet")) {
		if (!guid_parse(a->id, &id))
			return SOUK_E_NOT_FOUND;
		if ((r = change_set_get(tx, c->scope, &id, c->arena, &set)) == SOUK_OK)
			memcpy(ret, set.seller_id, sizeof(set.seller_id));
	} else {
		if (!entity_type_parse(a->type, &kind) || !str_eq_c(a->type, entity_type(kind)) ||
		    !str_starts(a->id, str_c(entity_prefix(kind))))
			return SOUK_E_NOT_FOUND;
		if ((r = entity_get(tx, c->scope, a->id, c->arena, &e)) == SOUK_OK)
			memcpy(ret, e.summary.seller_id, sizeof(e.summary.seller_id));
	}
	return r == SOUK_OK && !str_eq_c(a->account, ret) ? SOUK_E_NOT_FOUND : r;
}

/* ---- lists ----------------------------------------------------------------------------- */

static bool
is_among(struct str s, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		if (str_eq_c(s, names[i]))
			return true;
	return false;
}

static bool
are_texts(const json_t *a, size_t most)
{
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!json_is_string(json_array_get(a, i)))
			return false;
	return json_is_array(a) && json_array_size(a) >= 1 && json_array_size(a) <= most;
}

/* "BeforeStartTime": the only value is a time. */
static bool
take_time(const json_t *values, instant_t *ret)
{
	const json_t *v = json_array_get(values, 0);

	return json_array_size(values) == 1 &&
	       catalog_time_parse((struct str){ json_string_value(v), json_string_length(v) }, ret);
}

enum souk_err
catalog_filters(
    struct call *c, const json_t *list, const char *const *names, struct catalog_list *io)
{
	if (list && (!json_is_array(list) || json_array_size(list) > CATALOG_FILTERS / 2))
		return fail_field(
		    &c->fail, "FilterList", "is no list of at most 8 filters", "give fewer");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct json_member m[] = { { .name = "Name", .kind = JSON_K_STR, .required = true },
			{ .name = "ValueList", .kind = JSON_K_ARR, .required = true } };
		struct catalog_filter *f = &io->filters[io->n_filters];
		enum souk_err r = json_take(json_array_get(list, i), m, 2, &c->fail);

		if (r != SOUK_OK)
			return r;
		*f = (struct catalog_filter){
			.name = json_member_str(&m[0]), .values = m[1].got, .wild = STR("")
		};
		if (!is_among(f->name, names))
			return fail_field(&c->fail, "FilterList", "has a filter that is not known",
			    "docs/proserv.md lists them");
		if (!are_texts(f->values, 10))
			return fail_field(&c->fail, "ValueList", "is no list of 1 to 10 texts",
			    "give what to look for");
		if ((str_starts(f->name, STR("Before")) && !take_time(f->values, &f->before)) ||
		    (str_starts(f->name, STR("After")) && !take_time(f->values, &f->after)))
			return fail_field(&c->fail, "ValueList", "is no time",
			    "give one like 2026-01-31T12:00:00Z");
		io->n_filters++;
	}
	return SOUK_OK;
}

enum souk_err
catalog_sort(struct call *c, const json_t *sort, const char *const *names, struct catalog_list *io)
{
	struct json_member m[] = { { .name = "SortBy", .kind = JSON_K_STR },
		{ .name = "SortOrder", .kind = JSON_K_STR } };
	struct str order;
	enum souk_err r;

	if (!sort)
		return SOUK_OK;
	if ((r = json_take(sort, m, 2, &c->fail)) != SOUK_OK)
		return r;
	io->sort_by = json_member_str(&m[0]);
	order = json_member_str(&m[1]);
	if (io->sort_by.n > 0 && !is_among(io->sort_by, names))
		return fail_field(
		    &c->fail, "SortBy", "is nothing to sort by", "docs/proserv.md lists what is");
	if (order.n > 0 && !str_eq_c(order, "ASCENDING") && !str_eq_c(order, "DESCENDING"))
		return fail_field(
		    &c->fail, "SortOrder", "is no order", "give ASCENDING or DESCENDING");
	io->ascending = str_eq_c(order, "ASCENDING");
	return SOUK_OK;
}

enum souk_err
catalog_page(struct call *c, const json_t *max_results, const json_t *next_token, int64_t most,
    struct catalog_list *io)
{
	struct str token = { json_string_value(next_token), json_string_length(next_token) };
	uint64_t offset = 0;
	char fix[32];

	(void)snprintf(fix, sizeof(fix), "give 1 to %lld", (long long)most);
	if (max_results &&
	    (json_integer_value(max_results) < 1 || json_integer_value(max_results) > most))
		return fail_field(&c->fail, "MaxResults", "is out of range", fix);
	if (max_results)
		io->limit = (size_t)json_integer_value(max_results);
	if (next_token && !str_to_u64(token, 1000000, &offset))
		return fail_field(&c->fail, "NextToken", "is none that was given",
		    "give that of the answer before, or leave it out");
	io->offset = (size_t)offset;
	return SOUK_OK;
}

bool
catalog_matches(const struct catalog_filter *f, struct str value)
{
	for (size_t i = 0; i < json_array_size(f->values); i++) {
		const json_t *v = json_array_get(f->values, i);

		if (str_eq((struct str){ json_string_value(v), json_string_length(v) }, value))
			return true;
	}
	return f->wild.n > 0 && value.n >= f->wild.n &&
	       memmem(value.p, value.n, f->wild.p, f->wild.n) != NULL;
}

bool
catalog_in_time(const struct catalog_filter *f, instant_t t)
{
	return t != 0 && (f->after == 0 || t > f->after) && (f->before == 0 || t < f->before);
}

void
catalog_next(struct jw *w, const struct catalog_list *l, size_t n_all)
{
	char text[24];

	if (l->offset + l->limit >= n_all)
		return;
	(void)snprintf(text, sizeof(text), "%zu", l->offset + l->limit);
	jw_c(w, "NextToken", text);
}
