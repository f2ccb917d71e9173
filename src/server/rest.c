/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST family: routes, bearer tokens, problem documents (RFC 9457).
 *
 * What the caller may not see and what does not exist get the same document but for the
 * request id: the words come from the status, never from the handler (invariant 9).
 */
#include "server/rest.h"

#include "server/families.h"
#include "market/account.h"

#include <stdio.h>

#define REST_PREFIX "/api/v1/"

const struct rest_table *const rest_tables[REST_TABLES] = {
	&rest_psc,
	&rest_edsp,
	&rest_listings,
	&rest_commissions,
	&rest_market,
	&rest_charges,
	&rest_review,
	&rest_delivery,
	&rest_topic,
	&rest_fulfilment,
	&rest_mail,
	&rest_mail_template,
	&rest_access,
};

/* ---- routes ---------------------------------------------------------------------------- */

#define SELLERS REST_PREFIX "sellers/{"

/* All patterns begin alike: where the noun's first letters differ, the rest need not be looked at. */
static bool
may_match(struct str path, const char *pattern)
{
	const size_t skip = sizeof(REST_PREFIX) - 1;

	return path.n > skip + 1 && path.p[skip] == pattern[skip] &&
	       path.p[skip + 1] == pattern[skip + 1];
}

/* The row of a path and method; *ret_allow collects the methods of the path's other rows. */
static const struct op *
match(struct call *c, struct buf *ret_allow)
{
	for (size_t t = 0; t < REST_TABLES; t++)
		for (size_t i = 0; i < rest_tables[t]->n; i++) {
			const struct op *op = &rest_tables[t]->ops[i];

			if (!may_match(c->req->path, op->pattern) || !call_match(c, op->pattern))
				continue;
			if (call_method_is(c, op->method))
				return op;
			if (ret_allow->n > 0)
				buf_add_c(ret_allow, ", ");
			buf_add_c(ret_allow, op->method);
			if (strcmp(op->method, "GET") == 0)
				buf_add_c(ret_allow, ", HEAD");
		}
	return NULL;
}

static const struct op *
rest_find(struct call *c)
{
	struct buf allow = { 0 };
	const struct op *op = match(c, &allow);

	if (!op && allow.n > 0) {
		(void)fail_set(&c->fail, SOUK_E_INVALID, "method_not_allowed",
		    "This resource does not have that method; see the Allow header.");
		c->family = arena_strndup(c->arena, allow.p, allow.n);
	} else if (!op) {
		(void)fail_set(&c->fail, SOUK_E_NOT_FOUND, "no_such_route",
		    "There is no such resource; docs/openapi.yaml lists them all.");
	}
	buf_done(&allow);
	/* For a refusal, which no handler may live to tell of. */
	if (op && strncmp(op->pattern, SELLERS, sizeof(SELLERS) - 1) == 0 &&
	    account_id_valid(c->params[0]))
		c->audit.seller_id = c->params[0];
	return op;
}

/* ---- who calls ------------------------------------------------------------------------- */

static enum souk_err
rest_authenticate(struct call *c)
{
	struct str a = http_header(c->req, "Authorization"), scheme;
	enum souk_err r;

	c->refused = MAUTH_MISSING;
	if (!a.p || a.n == 0)
		return fail_set(&c->fail, SOUK_E_UNAUTHENTICATED, "unauthenticated",
		    "This needs a token: send Authorization: Bearer TOKEN.");
	c->refused = MAUTH_MALFORMED;
	if (!str_split(&a, ' ', &scheme) || !a.p || !str_eq_nocase(scheme, STR("Bearer")))
		return fail_set(&c->fail, SOUK_E_UNAUTHENTICATED, "unauthenticated",
		    "The Authorization header has another form than Bearer TOKEN.");
	c->refused = MAUTH_BAD;
	r = access_by_token(c->svc->access, str_trim(a), &c->who);
	if (r == SOUK_OK)
		c->refused = 0;
	if (r == SOUK_E_UNAUTHENTICATED)
		(void)fail_set(&c->fail, r, "invalid_token",
		    "The token is unknown, expired or revoked; ask for a new one.");
	return r;
}

/* A parameter as policies know it: decoded, and a GUID in the one way in which GUIDs are written. */
static char *
add_param(char *end, struct str param)
{
	char text[GUID_TEXT_LEN + 1];
	struct guid g;

	if (param.n != GUID_TEXT_LEN || !guid_parse(param, &g))
		return mempcpy(end, param.p, param.n);
	guid_format(&g, text);
	return mempcpy(end, text, GUID_TEXT_LEN);
}

/*
 * "arn:souk:psc::000000000042:subscriptions/GUID/contacts": service, account, path. The path
 * is put together anew: a resource that can be spelled in two ways slips through a Deny.
 */
static struct str
rest_resource(struct call *c)
{
	static const struct str head = { "arn:souk:", 9 };
	const char *action = c->op->action, *colon = strchr(action, ':');
	const char *pattern = c->op->pattern + sizeof(REST_PREFIX) - 1;
	struct str account = principal_account(c->who);
	size_t service = (size_t)(colon - action), n_params = 0;
	/* Decoding only shortens, so the path's length is enough. */
	size_t n = head.n + service + 2 + account.n + 1 + c->req->path.n;
	char *p = arena_alloc(c->arena, n), *end = p;

	if (!p)
		return (struct str){ NULL, 0 };
	end = mempcpy(end, head.p, head.n);
	end = mempcpy(end, action, service);
	end = mempcpy(end, "::", 2);
	end = mempcpy(end, account.p, account.n);
	*end++ = ':';
	for (; *pattern; pattern++) {
		if (*pattern != '{') {
			*end++ = *pattern;
			continue;
		}
		end = add_param(end, c->params[n_params++]);
		pattern = strchr(pattern, '}');
	}
	return (struct str){ p, (size_t)(end - p) };
}

/* A filter with a broken escape must not count as no filter: the answer would be everybody's. */
static enum souk_err
check_query(struct call *c)
{
	struct str query = c->req->query;
	size_t n;
	char *scratch;

	if (query.n == 0)
		return SOUK_OK;
	if (!(scratch = arena_alloc(c->arena, query.n)))
		return SOUK_E_LIMIT;
	return percent_decode(query, true, scratch, &n)
		   ? SOUK_OK
		   : fail_set(&c->fail, SOUK_E_INVALID, "invalid_query",
			 "The query has a broken %% escape; write a percent sign as %%25.");
}

static enum souk_err
rest_verify(struct call *c)
{
	struct str type = http_header(c->req, "Content-Type"), essence = type;
	enum souk_err r = check_query(c);

	if (r != SOUK_OK)
		return r;
	if (c->req->body.n == 0 || (c->op->flags & OP_NO_BODY))
		return SOUK_OK;
	(void)str_split(&type, ';', &essence);
	essence = str_trim(essence);
	if (str_eq_nocase(essence, STR("application/json")) ||
	    str_eq_nocase(essence, STR("application/merge-patch+json")))
		return SOUK_OK;
	return fail_set(&c->fail, SOUK_E_INVALID, "unsupported_media_type",
	    "The body must be JSON: send Content-Type: application/json.");
}

/* ---- problem documents ----------------------------------------------------------------- */

/* What each error is in this API; a code word of its own wins (see special). */
static const struct problem {
	int status;
	const char *code, *detail;
} problems[SOUK_E__COUNT] = {
	[SOUK_OK] = { 500, "internal", "" },
	[SOUK_E_INTERNAL] = { 500, "internal",
	    "Something is wrong on this side; the log has it under the request id." },
	[SOUK_E_NOMEM] = { 503, "out_of_memory",
	    "The server is short of memory; try again later." },
	[SOUK_E_INVALID] = { 400, "invalid", "The request cannot be understood." },
	[SOUK_E_UNAUTHENTICATED] = { 401, "unauthenticated",
	    "This needs a token: send Authorization: Bearer TOKEN." },
	[SOUK_E_DENIED] = { 403, "denied", "You may not do this." },
	[SOUK_E_NOT_FOUND] = { 404, "not_found",
	    "There is no such thing here, or it is not yours." },
	[SOUK_E_CONFLICT] = { 409, "conflict", "The present state does not allow this." },
	[SOUK_E_PRECONDITION] = { 412, "precondition_failed",
	    "Somebody else changed it meanwhile: read it again, then repeat your change." },
	[SOUK_E_LIMIT] = { 413, "too_large", "The request is larger than this operation takes." },
	[SOUK_E_UNAVAILABLE] = { 503, "unavailable", "The server is busy; try again later." },
	[SOUK_E_STORAGE] = { 503, "storage",
	    "The disk or the database failed; nothing was kept. Try again later." },
	[SOUK_E_UNCERTAIN] = { 500, "outcome_unknown",
	    "It is not known whether the change was kept: look before you repeat it." },
};

/* A full house is a state of things (409), not a long request. */
static const struct {
	const char *code;
	int status;
} special[] = {
	{ "access_key_limit", 409 },
	{ "bucket_limit", 409 },
	{ "change_set_quota", 409 },
	{ "endpoint_limit", 409 },
	{ "event_limit", 409 },
	{ "role_limit", 409 },
	{ "template_limit", 409 },
	{ "token_limit", 409 },
	{ "topic_limit", 409 },
	{ "user_limit", 409 },
	{ "invalid_field", 422 },
	{ "method_not_allowed", 405 },
	{ "unsupported_media_type", 415 },
	{ "rate_limited", 429 },
};

static const struct {
	int status;
	const char *title;
} titles[] = {
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

static const char *
title_of(int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

static int
status_of(const struct fail *f, enum souk_err err)
{
	for (size_t i = 0; f->code && i < sizeof(special) / sizeof(special[0]); i++)
		if (strcmp(f->code, special[i].code) == 0)
			return special[i].status;
	return problems[err].status;
}

static void
write_problem(struct call *c, int status, const char *code, const char *detail)
{
	const struct fail *f = &c->fail;
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "type", "about:blank");
	jw_c(&w, "title", title_of(status));
	jw_int(&w, "status", status);
	jw_c(&w, "detail", detail);
	jw_c(&w, "code", code);
	jw_c(&w, "requestId", c->request_id);
	if (f->n > 0 && status != 404) {
		jw_open(&w, "errors", '[');
		for (size_t i = 0; i < f->n; i++) {
			jw_open(&w, NULL, '{');
			jw_c(&w, "field", f->entry[i].field);
			jw_c(&w, "message", f->entry[i].what);
			jw_c(&w, "fix", f->entry[i].fix);
			jw_close(&w, '}');
		}
		jw_close(&w, ']');
		if (f->n_total > f->n)
			jw_int(&w, "errorCount", (int64_t)f->n_total);
	}
	jw_close(&w, '}');
	c->content_type = "application/problem+json";
}

static void
rest_fail(struct call *c, enum souk_err err)
{
	const struct problem *p = &problems[err];
	const struct fail *f = &c->fail;
	int status = status_of(f, err);
	/* Whose words: the callee's, but never about what is not there and never about our own faults. */
	bool own = status < 500 && f->code &&
		   (err != SOUK_E_NOT_FOUND || strcmp(f->code, "no_such_route") == 0);

	c->response.status = status;
	write_problem(
	    c, status, own ? f->code : p->code, own && f->detail[0] ? f->detail : p->detail);
	if (status == 401)
		http_response_header(&c->response, "WWW-Authenticate",
		    c->refused == MAUTH_BAD ? "Bearer realm=\"souk\", error=\"invalid_token\""
					    : "Bearer realm=\"souk\"");
	if (status == 405)
		http_response_header(&c->response, "Allow", c->family);
	if (status == 429 || status == 503)
		http_response_header(&c->response, "Retry-After", status == 429 ? "1" : "5");
}

const struct api_family api_rest = {
	.name = "rest",
	.metric = FAM_REST,
	.id_header = "X-Request-Id",
	.content_type = "application/json",
	.json = true,
	.find = rest_find,
	.authenticate = rest_authenticate,
	.resource = rest_resource,
	.verify = rest_verify,
	.fail = rest_fail,
};

/* ---- what handlers share --------------------------------------------------------------- */

void
rest_list_open(struct call *c, struct jw *w)
{
	jw_init(w, &c->out);
	jw_open(w, NULL, '{');
	jw_open(w, "items", '[');
}

void
rest_list_close(struct jw *w, struct str next)
{
	jw_close(w, ']');
	jw_str_opt(w, "next", next);
	jw_close(w, '}');
}

void
rest_created(struct call *c, const char *prefix, struct str id)
{
	struct buf b = { 0 };

	buf_add_c(&b, prefix);
	buf_add_percent(&b, id, "");
	call_header(c, "Location", buf_str(&b));
	buf_done(&b);
	c->response.status = 201;
}

void
rest_created_guid(struct call *c, const char *prefix, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	rest_created(c, prefix, (struct str){ text, GUID_TEXT_LEN });
}

void
rest_created_here(struct call *c, struct str id)
{
	struct buf b = { 0 };

	buf_add_str(&b, c->req->path);
	buf_add_char(&b, '/');
	if (buf_ok(&b))
		rest_created(c, b.p, id);
	buf_done(&b);
}

enum souk_err
rest_seller(struct call *c, unsigned i, struct str *ret)
{
	struct str id = c->params[i];

	if (!account_id_valid(id) ||
	    (!tenant_is_operator(c->scope) && !str_eq(id, tenant_account(c->scope))))
		return SOUK_E_NOT_FOUND;
	*ret = id;
	return SOUK_OK;
}

enum souk_err
rest_query_account(struct call *c, const char *name, struct str *ret)
{
	struct str id = call_query(c, name);

	if (id.p && !account_id_valid(id))
		return fail_field(&c->fail, name, "is not an account id", "give twelve digits");
	*ret = id.p ? id : STR("");
	return SOUK_OK;
}

enum souk_err
rest_need_body(struct call *c)
{
	return c->body ? SOUK_OK
		       : fail_set(&c->fail, SOUK_E_INVALID, "body_missing",
			     "This operation needs a JSON object as its body.");
}

enum souk_err
rest_no_members(struct call *c)
{
	return c->body ? json_take(c->body, NULL, 0, &c->fail) : SOUK_OK;
}

enum souk_err
rest_read_text(struct call *c, const char *member)
{
	struct json_member m[] = { { .name = member, .kind = JSON_K_STR, .required = true } };
	struct str *text = ARENA_NEW(c->arena, struct str);
	enum souk_err r = rest_need_body(c);

	if (!text)
		return SOUK_E_LIMIT;
	if (r != SOUK_OK || (r = json_take(c->body, m, 1, &c->fail)) != SOUK_OK)
		return r;
	*text = json_member_str(&m[0]);
	c->input = text;
	return SOUK_OK;
}

enum souk_err
rest_read_name(struct call *c)
{
	return rest_read_text(c, "name");
}

void
rest_audit(struct call *c, const char *kind, struct str id, struct str seller_id)
{
	char *text = arena_alloc(c->arena, strlen(kind) + 1 + id.n + 1), *end;

	c->audit.action = c->op->action;
	c->audit.count = 1;
	/* The entry is appended after the handler, whose variables are gone by then. */
	seller_id = arena_str(c->arena, seller_id);
	c->audit.seller_id = seller_id.p ? seller_id : STR("");
	if (!text)
		return;
	end = mempcpy(text, kind, strlen(kind));
	*end++ = '/';
	end = mempcpy(end, id.p, id.n);
	c->audit.resource = (struct str){ text, (size_t)(end - text) };
}

void
rest_audit_guid(struct call *c, const char *kind, const struct guid *id, struct str seller_id)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	rest_audit(c, kind, (struct str){ text, GUID_TEXT_LEN }, seller_id);
}

enum souk_err
rest_check_policy(struct call *c, struct str policy)
{
	struct policy *p = NULL;
	enum souk_err r = policy.n > 0 ? policy_parse(policy, &p, &c->fail) : SOUK_OK;

	policy_free(p);
	return r;
}

enum souk_err
rest_text(struct call *c, const json_t *v, struct str *ret)
{
	struct buf b = { 0 };
	struct jw w;
	struct str s;

	jw_init(&w, &b);
	jw_value(&w, NULL, v);
	s = buf_ok(&b) ? arena_str(c->arena, buf_str(&b)) : (struct str){ NULL, 0 };
	buf_done(&b);
	if (!s.p)
		return SOUK_E_LIMIT;
	*ret = s;
	return SOUK_OK;
}
