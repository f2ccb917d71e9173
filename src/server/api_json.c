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
#include "delivery/announce.h"
#include "psc/export.h"

#define SERVICE "marketplacecommerceanalytics"
#define TARGET "MarketplaceCommerceAnalytics20150701."
#define BODY_CAP ((size_t)65536)

/* ---- StartSupportDataExport ------------------------------------------------------------ */

enum { M_TYPE, M_FROM, M_ROLE, M_BUCKET, M_PREFIX, M_TOPIC, M_VALUES, M__COUNT };

static const char *const members[M__COUNT] = {
	[M_TYPE] = "dataSetType",
	[M_FROM] = "fromDate",
	[M_ROLE] = "roleNameArn",
	[M_BUCKET] = "destinationS3BucketName",
	[M_PREFIX] = "destinationS3Prefix",
	[M_TOPIC] = "snsTopicArn",
	[M_VALUES] = "customerDefinedValues",
};

static enum souk_err
bad_type(struct call *c, const char *member, const char *want)
{
	return fail_set(
	    &c->fail, SOUK_E_INVALID, "SerializationException", "%s must be %s.", member, want);
}

static bool
is_map_of_texts(const json_t *o)
{
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = o };
	const char *key;
	json_t *v;
	bool fine = json_is_object(o);

	json_object_foreach(all.out, key, v)
	{
		fine = fine && json_is_string(v);
	}
	return fine;
}

/* A text member; null is absent, as AWS services have it. p NULL when absent. */
static enum souk_err
take_text(struct call *c, unsigned m, struct str *ret)
{
	const json_t *v = json_object_get(c->body, members[m]);

	if (!v || json_is_null(v))
		return SOUK_OK;
	if (!json_is_string(v))
		return bad_type(c, members[m], "a string");
	*ret = (struct str){ json_string_value(v), json_string_length(v) };
	return SOUK_OK;
}

/* A number's digits matter to the millisecond: they are taken from the text as it was sent. */
static enum souk_err
take_from(struct call *c, struct psc_export_params *p)
{
	const json_t *v = json_object_get(c->body, members[M_FROM]);
	struct str raw;

	if (!v || json_is_null(v))
		return SOUK_OK;
	if (json_is_string(v))
		return take_text(c, M_FROM, &p->from_text);
	if (!json_is_number(v) || !json_raw_member(c->req->body, members[M_FROM], &raw))
		return bad_type(c, members[M_FROM], "a timestamp: a number of epoch seconds");
	p->from_number = raw;
	return SOUK_OK;
}

/* Members that this operation does not have: a typing mistake would otherwise go unnoticed. */
static enum souk_err
check_known(struct call *c)
{
	const char *key;
	json_t *v;

	json_object_foreach(c->body, key, v)
	{
		unsigned m = 0;

		while (m < M__COUNT && strcmp(members[m], key) != 0)
			m++;
		if (m == M__COUNT)
			return fail_set(&c->fail, SOUK_E_INVALID, "ValidationException",
			    "The request has a member that this operation does not know.");
	}
	return SOUK_OK;
}

/*
 * A topic of another region is none of ours, unless the role's SNS service has it, and would be
 * one that a role's policy does not speak of. What is no topic's name at all is told in the
 * notification (3.5).
 */
static enum souk_err
check_region(struct call *c, struct db_tx *tx, const struct psc_export_params *p)
{
	struct topic_arn arn;

	if (!topic_arn_parse(p->topic_arn, &arn) || str_eq_c(arn.region, c->svc->region) ||
	    announce_leaves(tx, tenant_account(c->scope), p->role_arn))
		return SOUK_OK;
	return fail_set(&c->fail, SOUK_E_INVALID, "ValidationException",
	    "1 validation error detected: Value at 'snsTopicArn' failed to satisfy constraint: "
	    "Member must be a topic in the region %s",
	    c->svc->region);
}

static enum souk_err
export_parse(struct call *c)
{
	struct psc_export_params *p = ARENA_NEW(c->arena, struct psc_export_params);
	enum souk_err r;

	if (!p)
		return SOUK_E_LIMIT;
	c->input = p;
	if (!json_is_object(c->body))
		return bad_type(c, "The body", "a JSON object");
	if ((r = check_known(c)) != SOUK_OK ||
	    (r = take_text(c, M_TYPE, &p->data_set_type)) != SOUK_OK ||
	    (r = take_from(c, p)) != SOUK_OK ||
	    (r = take_text(c, M_ROLE, &p->role_arn)) != SOUK_OK ||
	    (r = take_text(c, M_BUCKET, &p->bucket)) != SOUK_OK ||
	    (r = take_text(c, M_PREFIX, &p->prefix)) != SOUK_OK ||
	    (r = take_text(c, M_TOPIC, &p->topic_arn)) != SOUK_OK)
		return r;
	p->has_prefix = p->prefix.p != NULL;
	p->customer_values = json_object_get(c->body, members[M_VALUES]);
	if (json_is_null(p->customer_values))
		p->customer_values = NULL;
	if (p->customer_values && !is_map_of_texts(p->customer_values))
		return bad_type(c, members[M_VALUES], "a map of strings");
	/* What is wrong in itself does not wait for the writer. */
	return psc_export_check(c->scope, p, &c->fail);
}

static enum souk_err
export_run(struct call *c, struct db_tx *tx)
{
	struct guid id;
	struct jw w;
	enum souk_err r;

	if ((r = check_region(c, tx, c->input)) != SOUK_OK ||
	    (r = psc_export_start(tx, c->svc->vault, c->scope, c->input, &id, &c->fail)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_guid(&w, "dataSetRequestId", &id);
	jw_close(&w, '}');
	return SOUK_OK;
}

static const struct op ops[] = {
	{ "", TARGET "StartSupportDataExport", SERVICE ":StartSupportDataExport", BODY_CAP,
	    OP_WRITE, export_parse, export_run },
};

/* ---- the family ------------------------------------------------------------------------ */

static const struct op *
json_find(struct call *c)
{
	struct str target = http_header(c->req, "X-Amz-Target");

	for (size_t i = 0; target.p && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (str_eq_c(target, ops[i].pattern) && str_eq(c->req->method, STR("POST")) &&
		    str_eq(c->req->path, STR("/")))
			return &ops[i];
	if (target.p && str_eq(target, STR(TARGET "GenerateDataSet")))
		(void)fail_set(&c->fail, SOUK_E_INVALID, "UnknownOperationException",
		    "GenerateDataSet is not offered here yet; StartSupportDataExport is.");
	else
		(void)fail_set(&c->fail, SOUK_E_INVALID, "UnknownOperationException",
		    "There is no such operation; this service has StartSupportDataExport.");
	return NULL;
}

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

static enum souk_err
json_authenticate(struct call *c)
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

	sigv4_verify(c->svc->access, &rules, &req, c->arena, &res);
	wipe(res.signing_key, sizeof(res.signing_key));
	if (res.why == SIGV4_FAILED)
		return res.err;
	if (res.why != SIGV4_OK)
		return refuse(c, res.why, res.detail);
	if (!str_eq(res.service, STR(SERVICE))) {
		principal_release(res.who);
		return refuse(c, SIGV4_SCOPE,
		    STR("Credential should be scoped to correct service: '" SERVICE "'."));
	}
	c->who = res.who;
	return SOUK_OK;
}

/* What each error is in this API; words that a callee chose from AWS's own list win. */
static const struct {
	int status;
	const char *type, *message;
} problems[SOUK_E__COUNT] = {
	[SOUK_OK] = { 500, "InternalFailure", "" },
	[SOUK_E_INTERNAL] = { 500, "MarketplaceCommerceAnalyticsException",
	    "The request failed because of an internal error." },
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
	[SOUK_E_UNCERTAIN] = { 500, "MarketplaceCommerceAnalyticsException",
	    "It is not known whether the request was accepted." },
};

/* Ours ("invalid_json") in AWS's words ("SerializationException"). */
static const char *
type_of(const struct fail *f, enum souk_err err)
{
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
	const char *type = type_of(f, err);
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
