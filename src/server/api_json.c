/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AWS JSON 1.1 family: POST / with X-Amz-Target, SigV4 over headers and body, errors as
 * AWS clients read them (specs/psc.md 3, specs/sigv4-and-s3.md 1.7).
 *
 * Clients decide by the code in the body's __type and repeat every 5xx: what the caller
 * did wrong must never be one. All of that is 400 here.
 */
#include "server/families.h"

#include "base/secret.h"
#include "server/json_family.h"

/* ---- the family ------------------------------------------------------------------------ */

static const struct json_service *const services[] = { &json_analytics, &json_metering };

/* Whose target it is; NULL: nobody's. */
static const struct json_service *
service_of(const struct call *c)
{
	struct str target = http_header(c->req, "X-Amz-Target");

	for (size_t i = 0; target.p && i < sizeof(services) / sizeof(services[0]); i++)
		if (str_starts(target, str_c(services[i]->target)))
			return services[i];
	return NULL;
}

static const struct op *
json_find(struct call *c)
{
	const struct json_service *s = service_of(c);
	struct str target = http_header(c->req, "X-Amz-Target");

	for (size_t i = 0; s && i < s->n; i++)
		if (str_eq_c(target, s->ops[i].pattern) && str_eq(c->req->method, STR("POST")) &&
		    str_eq(c->req->path, STR("/")))
			return &s->ops[i];
	(void)fail_set(&c->fail, SOUK_E_INVALID, "UnknownOperationException", "%s",
	    s ? s->unknown : "There is no such operation.");
	return NULL;
}

/* ---- members --------------------------------------------------------------------------- */

enum souk_err
json_bad_type(struct call *c, const char *member, const char *want)
{
	return fail_set(
	    &c->fail, SOUK_E_INVALID, "SerializationException", "%s must be %s.", member, want);
}

enum souk_err
json_text(struct call *c, const json_t *o, const char *member, struct str *ret)
{
	const json_t *v = json_object_get(o, member);

	if (!v || json_is_null(v))
		return SOUK_OK;
	if (!json_is_string(v))
		return json_bad_type(c, member, "a string");
	*ret = (struct str){ json_string_value(v), json_string_length(v) };
	return SOUK_OK;
}

enum souk_err
json_known(struct call *c, const json_t *o, const char *const *members, size_t n)
{
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = o };
	const char *key;
	json_t *v;

	json_object_foreach(all.out, key, v)
	{
		size_t m = 0;

		while (m < n && strcmp(members[m], key) != 0)
			m++;
		if (m == n)
			return fail_set(&c->fail, SOUK_E_INVALID, "ValidationException",
			    "The request has a member that this operation does not know.");
	}
	return SOUK_OK;
}

/* ---- who calls ------------------------------------------------------------------------- */

static const struct {
	const char *code;
	enum met_auth metric;
} refusals[SIGV4__COUNT] = {
	[SIGV4_NO_CREDENTIALS] = { "MissingAuthenticationTokenException", MAUTH_MISSING },
	[SIGV4_TWO_METHODS] = { "IncompleteSignatureException", MAUTH_MALFORMED },
	[SIGV4_UNSUPPORTED] = { "IncompleteSignatureException", MAUTH_MALFORMED },
	[SIGV4_MALFORMED] = { "IncompleteSignatureException", MAUTH_MALFORMED },
	[SIGV4_QUERY_PARAMETERS] = { "IncompleteSignatureException", MAUTH_MALFORMED },
	[SIGV4_SCOPE] = { "InvalidSignatureException", MAUTH_MALFORMED },
	[SIGV4_CLOCK] = { "InvalidSignatureException", MAUTH_CLOCK },
	[SIGV4_EXPIRED] = { "InvalidSignatureException", MAUTH_CLOCK },
	[SIGV4_NOT_YET] = { "InvalidSignatureException", MAUTH_CLOCK },
	[SIGV4_UNSIGNED_HEADER] = { "InvalidSignatureException", MAUTH_MALFORMED },
	[SIGV4_MISSING_HASH] = { "InvalidSignatureException", MAUTH_MALFORMED },
	[SIGV4_BODY_HASH] = { "InvalidSignatureException", MAUTH_BAD },
	[SIGV4_TOKEN] = { "UnrecognizedClientException", MAUTH_BAD },
	[SIGV4_SIGNATURE] = { "InvalidSignatureException", MAUTH_BAD },
	[SIGV4_FAILED] = { "InternalFailure", MAUTH_BAD },
};

static enum souk_err
refuse(struct call *c, enum sigv4_why why, struct str detail)
{
	c->refused = refusals[why].metric;
	return fail_set(&c->fail, SOUK_E_UNAUTHENTICATED, refusals[why].code, "%.*s", (int)detail.n,
	    detail.n ? detail.p : "");
}

enum souk_err
json_sigv4(struct call *c, const char *service)
{
	const struct config *conf = c->svc->config;
	const struct sigv4_rules rules = { .region = c->svc->region,
		.now = clock_now(),
		.skew_ms = config_int(conf, SET_CLOCK_SKEW_SECONDS) * SECOND_MS,
		.skew_s3_ms = config_int(conf, SET_CLOCK_SKEW_S3_SECONDS) * SECOND_MS };
	const struct sigv4_req req = { .method = c->req->method,
		.path = c->req->path,
		.query = c->req->query,
		.headers = c->req->headers,
		.n_headers = c->req->n_headers,
		.body = c->req->body };
	struct sigv4_result res;
	char *words;

	sigv4_verify(c->svc->access, &rules, &req, c->arena, &res);
	wipe(res.signing_key, sizeof(res.signing_key));
	if (res.why == SIGV4_FAILED)
		return res.err;
	if (res.why != SIGV4_OK)
		return refuse(c, res.why, res.detail);
	if (!str_eq_c(res.service, service)) {
		principal_release(res.who);
		words = arena_printf(
		    c->arena, "Credential should be scoped to correct service: '%s'.", service);
		return refuse(c, SIGV4_SCOPE, str_c(words));
	}
	c->who = res.who;
	return SOUK_OK;
}

static enum souk_err
json_authenticate(struct call *c)
{
	const struct json_service *s = service_of(c);

	return json_sigv4(c, s ? s->service : "");
}

#define INTERNAL NULL /* the service's own word */

/* What each error is in these APIs; words that a callee chose from AWS's own list win. */
static const struct {
	int status;
	const char *type, *message;
} problems[SOUK_E__COUNT] = {
	[SOUK_OK] = { 500, "InternalFailure", "" },
	[SOUK_E_INTERNAL] = { 500, INTERNAL, "The request failed because of an internal error." },
	[SOUK_E_NOMEM] = { 503, "ServiceUnavailableException", "Try again later." },
	[SOUK_E_INVALID] = { 400, "ValidationException", "The request is not valid." },
	[SOUK_E_UNAUTHENTICATED] = { 400, "UnrecognizedClientException",
	    "The security token included in the request is invalid." },
	[SOUK_E_DENIED] = { 400, "AccessDeniedException",
	    "You are not authorized to perform this operation." },
	[SOUK_E_NOT_FOUND] = { 400, "ValidationException", "There is no such resource." },
	[SOUK_E_CONFLICT] = { 400, "ValidationException", "The present state does not allow it." },
	[SOUK_E_PRECONDITION] = { 400, "ValidationException",
	    "The present state does not allow it." },
	[SOUK_E_LIMIT] = { 400, "ThrottlingException", "Rate exceeded." },
	[SOUK_E_UNAVAILABLE] = { 503, "ServiceUnavailableException", "Try again later." },
	[SOUK_E_STORAGE] = { 503, "ServiceUnavailableException",
	    "Storage failed and nothing was kept. Try again later." },
	[SOUK_E_UNCERTAIN] = { 500, INTERNAL, "It is not known whether the request was accepted." },
};

/* Ours ("invalid_json") in AWS's words ("SerializationException"). */
static const char *
type_of(const struct call *c, enum souk_err err)
{
	const struct json_service *s = service_of(c);
	const struct fail *f = &c->fail;
	const char *word;

	if (!problems[err].type)
		return s ? s->internal : json_analytics.internal;
	if (s && s->word && (word = s->word(c, err)))
		return word;
	if (problems[err].status >= 500 || !f->code)
		return problems[err].type;
	if (f->code[0] >= 'A' && f->code[0] <= 'Z')
		return f->code;
	if (strcmp(f->code, "invalid_json") == 0)
		return "SerializationException";
	if (strcmp(f->code, "body_too_large") == 0)
		return "RequestEntityTooLargeException";
	return problems[err].type;
}

static void
json_fail(struct call *c, enum souk_err err)
{
	const struct fail *f = &c->fail;
	const char *type = type_of(c, err);
	bool too_large = strcmp(type, "RequestEntityTooLargeException") == 0;
	struct jw w;

	c->response.status = too_large ? 413 : problems[err].status;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "__type", type);
	jw_c(&w, "message",
	    problems[err].status < 500 && f->detail[0] ? f->detail : problems[err].message);
	jw_close(&w, '}');
	http_response_header(&c->response, "x-amzn-ErrorType", type);
}

const struct api_family api_json = {
	.name = "json",
	.metric = FAM_JSON,
	.id_header = "x-amzn-RequestId",
	.content_type = "application/x-amz-json-1.1",
	.late = true,
	.json = true,
	.find = json_find,
	.authenticate = json_authenticate,
	.fail = json_fail,
};
