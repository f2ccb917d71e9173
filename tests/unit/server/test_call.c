/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call is made of: path matching, parameters, entity tags, which family it is for,
 * kept answers, limits, and how failures are worded. No socket, no database.
 */
#include "server/dispatch.h"

#include "check.h"
#include "market/tenant_make.h"
#include "psc/export.h"
#include "server/families.h"
#include "server/kept_answer.h"
#include "server/rate.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
	struct services svc;
	struct http_request req;
	struct sigv4_header headers[8];
	struct call c;
};

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	x->req = (struct http_request){ .method = STR("GET"),
		.path = STR("/"),
		.query = STR(""),
		.headers = x->headers,
		.body = STR("") };
	(void)snprintf(x->svc.s3_domain, sizeof(x->svc.s3_domain), "s3.souk.example");
	x->c.svc = &x->svc;
	x->c.req = &x->req;
	x->c.arena = arena_new((size_t)1 << 16);
	(void)snprintf(
	    x->c.request_id, sizeof(x->c.request_id), "%s", "00000000-0000-4000-8000-000000000001");
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	json_decref(x->c.body);
	buf_done(&x->c.out);
	arena_free(x->c.arena);
	free(x);
	return 0;
}

static void
add_header(struct fixture *x, const char *name, const char *value)
{
	x->headers[x->req.n_headers++] = (struct sigv4_header){ str_c(name), str_c(value) };
}

static void
matches_paths_by_segment(void **state)
{
	static const struct {
		const char *pattern, *path, *first, *second; /* first NULL: no match */
	} cases[] = {
		{ "/a", "/a", "", "" },
		{ "/a/{x}", "/a/1", "1", "" },
		{ "/a/{x}/b/{y}", "/a/1/b/two", "1", "two" },
		{ "/a/{x}", "/a/%2Fb%20c", "/b c", "" },
		{ "/a/{x}", "/a/+", "+", "" },
		{ "/a/{x}", "/a/", NULL, NULL },
		{ "/a/{x}", "/a", NULL, NULL },
		{ "/a/{x}", "/a/1/", NULL, NULL },
		{ "/a/{x}", "/a/1/b", NULL, NULL },
		{ "/a/{x}/b", "/a//b", NULL, NULL },
		{ "/a", "/a/", NULL, NULL },
		{ "/a", "/A", NULL, NULL },
		{ "/a", "/ab", NULL, NULL },
		{ "/ab", "/a", NULL, NULL },
		{ "/a/{x}", "/a/%", NULL, NULL },
		{ "/a/{x}", "/a/%zz", NULL, NULL },
		{ "/a/{x}", "/a/b%00c", NULL, NULL },
		{ "/a", "", NULL, NULL },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool match;

		x->req.path = str_c(cases[i].path);
		memset(x->c.params, 0, sizeof(x->c.params));
		match = call_match(&x->c, cases[i].pattern);
		assert_row(i, match == (cases[i].first != NULL));
		if (!match)
			continue;
		assert_row(i, str_eq_c(x->c.params[0], cases[i].first));
		assert_row(i, str_eq_c(x->c.params[1], cases[i].second));
	}
}

static void
reads_query_parameters(void **state)
{
	struct fixture *x = *state;

	x->req.query = STR("a=1&b=x%20y+z&a=2&c&d=&=e&%66=g&h=%zz");
	assert_text(call_query(&x->c, "a"), "1");
	assert_text(call_query(&x->c, "b"), "x y z");
	assert_text(call_query(&x->c, "c"), "");
	assert_text(call_query(&x->c, "d"), "");
	assert_text(call_query(&x->c, "f"), "g");
	assert_null(call_query(&x->c, "h").p);
	assert_null(call_query(&x->c, "e").p);
	assert_null(call_query(&x->c, "nothing").p);
	x->req.query = STR("");
	assert_null(call_query(&x->c, "a").p);
}

static void
reads_pages(void **state)
{
	static const struct {
		const char *query;
		int limit; /* -1: refused */
	} cases[] = {
		{ "", 50 },
		{ "limit=1", 1 },
		{ "limit=200", 200 },
		{ "limit=0", -1 },
		{ "limit=201", -1 },
		{ "limit=-1", -1 },
		{ "limit=x", -1 },
		{ "limit=", -1 },
		{ "limit=99999999999999999999", -1 },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct page p;
		enum souk_err r;

		x->req.query = str_c(cases[i].query);
		x->c.fail.n = 0;
		r = call_page(&x->c, &p);
		assert_row(i, (r == SOUK_OK) == (cases[i].limit > 0));
		if (r == SOUK_OK)
			assert_row(i, (int)p.limit == cases[i].limit);
		else
			assert_string_equal(x->c.fail.entry[0].field, "limit");
	}
}

static void
reads_entity_tags(void **state)
{
	static const struct {
		const char *tag, *more; /* a second If-Match */
		int64_t seen;           /* of present 7; -1: refused */
	} cases[] = {
		{ "\"7\"", NULL, 7 },
		{ " \"7\" ", NULL, 7 },
		{ "*", NULL, 0 },
		{ " * ", NULL, 0 },
		{ "\"6\"", NULL, 6 },
		/* Of several any counts (RFC 9110 13.1.1), also in several fields. */
		{ "\"7\", \"8\"", NULL, 7 },
		{ "\"8\",\"7\"", NULL, 7 },
		{ "\"6\" , \"5\",, \"7\",", NULL, 7 },
		{ "\"bogus\", W/\"7\", \"7\"", NULL, 7 },
		{ "\"6\"", "\"7\"", 7 },
		{ "\"6\"", "*", 0 },
		{ "\"a\"", "\"b\"", -1 },
		{ "\"5\", \"6\"", NULL, 5 },
		{ "\"bogus\", \"6\"", NULL, 6 },
		{ "W/\"7\", \"6\"", NULL, 6 },
		{ "7", NULL, -1 },
		{ "\"\"", NULL, -1 },
		{ "", NULL, -1 },
		{ ",", NULL, -1 },
		{ "\"0\"", NULL, -1 },
		{ "\"-7\"", NULL, -1 },
		{ "W/\"7\"", NULL, -1 },
		{ "\"7\" \"8\"", NULL, -1 },
		{ "\"7,7\"", NULL, -1 },
		{ "\"bogus\"", NULL, -1 },
		{ "\"9223372036854775808\"", NULL, -1 },
		{ "\"", NULL, -1 },
	};
	struct fixture *x = *state;
	int64_t seen;

	assert_int_equal(call_if_match(&x->c, 7, &seen), SOUK_OK);
	assert_int_equal(seen, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum souk_err r;

		x->req.n_headers = 0;
		add_header(x, "if-match", cases[i].tag);
		if (cases[i].more)
			add_header(x, "If-Match", cases[i].more);
		r = call_if_match(&x->c, 7, &seen);
		assert_row(i, r == (cases[i].seen < 0 ? SOUK_E_PRECONDITION : SOUK_OK));
		if (r == SOUK_OK)
			assert_row(i, seen == cases[i].seen);
	}
	call_etag(&x->c, 42);
	assert_string_equal(x->c.response.headers[0].value, "\"42\"");
}

static void
knows_purposes(void **state)
{
	(void)state;
	assert_true(purpose_valid(STR("self-service")));
	assert_true(purpose_valid(STR("a")));
	assert_false(purpose_valid(STR("")));
	assert_false(purpose_valid(STR("Support")));
	assert_false(purpose_valid(STR("a b")));
	assert_false(purpose_valid(STR("a\0b")));
	assert_false(purpose_valid(str_c("aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbb"
					 "aaaaaaaaaabbbbbbbbbbaaaaa")));
}

#define SCOPED(service)                                                                            \
	"AWS4-HMAC-SHA256 Credential=SOUKX/20261121/us-east-1/" service                            \
	"/aws4_request, SignedHeaders=host, Signature=00"

static void
finds_the_family(void **state)
{
	static const struct {
		const char *method, *path, *query, *host, *authorization, *target;
		const char *family;
	} cases[] = {
		{ "GET", "/api/v1/whoami", "", "h", "Bearer x", NULL, "rest" },
		{ "GET", "/api/v1/whoami", "", "h", NULL, NULL, "rest" },
		{ "GET", "/api", "", "h", NULL, NULL, "rest" },
		{ "GET", "/apiary", "", "h", NULL, NULL, "s3" },
		{ "GET", "/healthz", "", "h", NULL, NULL, "ops" },
		{ "GET", "/readyz", "", "h", NULL, NULL, "ops" },
		{ "GET", "/metrics", "", "h", NULL, NULL, "ops" },
		{ "GET", "/", "", "h", NULL, NULL, "ops" },
		{ "GET", "/sns", "Action=x", "h", NULL, NULL, "sns" },
		{ "GET", "/sns/x.pem", "", "h", NULL, NULL, "sns" },
		{ "GET", "/snsx", "", "h", NULL, NULL, "s3" },
		{ "POST", "/", "", "h", SCOPED("marketplacecommerceanalytics"), "X.Y", "json" },
		{ "POST", "/", "", "h", NULL, "X.Y", "json" },
		{ "POST", "/", "", "h", "AWS4-HMAC-SHA256 nonsense", "X.Y", "json" },
		/* What is signed for S3 is S3's, whatever its path looks like. */
		{ "GET", "/api/v1/whoami", "", "h", SCOPED("s3"), NULL, "s3" },
		{ "GET", "/", "", "h", SCOPED("s3"), NULL, "s3" },
		{ "GET", "/bucket/key",
		    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=SOUKX%2F20261121%2F"
		    "us-east-1%2Fs3%2Faws4_request&X-Amz-Signature=00",
		    "h", NULL, NULL, "s3" },
		{ "GET", "/bucket/key", "AWSAccessKeyId=x&Signature=y&Expires=1", "h", NULL, NULL,
		    "s3" },
		{ "GET", "/bucket/key", "", "h", NULL, NULL, "s3" },
		{ "GET", "/api/v1/whoami", "", "exports.s3.souk.example", NULL, NULL, "s3" },
		{ "GET", "/", "", "exports.S3.souk.example:8080", NULL, NULL, "s3" },
		{ "GET", "/", "", "s3.souk.example", NULL, NULL, "ops" },
		{ "GET", "/", "", "xs3.souk.example", NULL, NULL, "ops" },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct api_family *f;

		x->req.method = str_c(cases[i].method);
		x->req.path = str_c(cases[i].path);
		x->req.query = str_c(cases[i].query);
		x->req.n_headers = 0;
		add_header(x, "Host", cases[i].host);
		if (cases[i].authorization)
			add_header(x, "authorization", cases[i].authorization);
		if (cases[i].target)
			add_header(x, "X-Amz-Target", cases[i].target);
		f = family_of(&x->svc, &x->req);
		if (strcmp(f->name, cases[i].family) != 0)
			fail_msg("row %zu: %s, want %s", i, f->name, cases[i].family);
	}
}

static void
reads_bucket_hosts(void **state)
{
	static const struct {
		const char *host, *bucket;
	} cases[] = {
		{ "exports.s3.souk.example", "exports" },
		{ "a.b.s3.souk.example:80", "a.b" },
		{ ".s3.souk.example", "" },
		{ "s3.souk.example", "" },
		{ "[::1]:8080", "" },
		{ "127.0.0.1:8080", "" },
		{ "", "" },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		x->req.n_headers = 0;
		add_header(x, "Host", cases[i].host);
		assert_row(i, str_eq_c(bucket_host(&x->svc, &x->req), cases[i].bucket));
	}
	x->svc.s3_domain[0] = '\0';
	x->req.n_headers = 0;
	add_header(x, "Host", "exports.s3.souk.example");
	assert_text(bucket_host(&x->svc, &x->req), "");
}

static void
keeps_answers_whole(void **state)
{
	static const char body[] = "{\"a\":\"b\\n\\n\"}\n:\n\nrest";
	struct fixture *x = *state;
	struct http_response in = { .status = 201 }, out = { .status = 0 };
	struct buf text = { 0 }, got = { 0 };

	http_response_header(&in, "ETag", "\"1\"");
	http_response_header(&in, "Location", "/api/v1/x/y:z");
	http_response_header(&in, "Left-Out", "");
	kept_answer_write(&in, str_c(body), &text);
	assert_int_equal(kept_answer_read(buf_str(&text), 201, x->c.arena, &out, &got), SOUK_OK);
	assert_int_equal(out.status, 201);
	assert_int_equal(out.n_headers, 2);
	assert_string_equal(out.headers[1].name, "Location");
	assert_string_equal(out.headers[1].value, "/api/v1/x/y:z");
	assert_text(buf_str(&got), body);
	buf_done(&got);
	assert_int_equal(
	    kept_answer_read(STR("ETag:x\n"), 201, x->c.arena, &out, &got), SOUK_E_INTERNAL);
	assert_int_equal(
	    kept_answer_read(STR("ETag\n\n"), 201, x->c.arena, &out, &got), SOUK_E_INTERNAL);
	assert_int_equal(kept_answer_read(STR("\n"), 204, x->c.arena, &out, &got), SOUK_OK);
	assert_int_equal(got.n, 0);
	buf_done(&text);
	buf_done(&got);
}

static void
limits_calls_a_second(void **state)
{
	struct rate *r = rate_new(10, 1);
	uint64_t now = 5000000000;
	int n = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		n += rate_take(r, STR("token:a"), now);
	assert_int_equal(n, 10);
	/* Others are not held up, and a tenth of a second earns one call. */
	assert_true(rate_take(r, STR("token:b"), now));
	assert_false(rate_take(r, STR("token:a"), now + 99999999));
	assert_true(rate_take(r, STR("token:a"), now + 100000000));
	assert_false(rate_take(r, STR("token:a"), now + 100000000));
	n = 0;
	for (int i = 0; i < 30; i++)
		n += rate_take(r, STR("token:a"), now + 10000000000);
	assert_int_equal(n, 10);
	rate_free(r);
}

/* ---- failures in words ----------------------------------------------------------------- */

static json_t *
problem(struct fixture *x, enum souk_err err)
{
	json_t *doc = NULL;
	struct fail f = { .err = SOUK_OK };

	buf_clear(&x->c.out);
	x->c.response = (struct http_response){ .status = 0 };
	(api_rest.fail)(&x->c, err);
	if (json_read(buf_str(&x->c.out), &doc, &f) != SOUK_OK)
		fail_msg("no JSON: %s", x->c.out.p);
	assert_int_equal(json_integer_value(json_object_get(doc, "status")), x->c.response.status);
	assert_string_equal(x->c.content_type, "application/problem+json");
	return doc;
}

static void
words_problems_by_status(void **state)
{
	static const struct {
		enum souk_err err;
		const char *code; /* as the callee set it */
		int status;
		const char *said; /* code in the document */
	} cases[] = {
		{ SOUK_E_INVALID, "invalid_json", 400, "invalid_json" },
		{ SOUK_E_INVALID, "invalid_field", 422, "invalid_field" },
		{ SOUK_E_INVALID, NULL, 400, "invalid" },
		{ SOUK_E_INVALID, "method_not_allowed", 405, "method_not_allowed" },
		{ SOUK_E_INVALID, "unsupported_media_type", 415, "unsupported_media_type" },
		{ SOUK_E_UNAUTHENTICATED, NULL, 401, "unauthenticated" },
		{ SOUK_E_DENIED, "access_denied", 403, "access_denied" },
		{ SOUK_E_CONFLICT, "contact_limit", 409, "contact_limit" },
		{ SOUK_E_PRECONDITION, NULL, 412, "precondition_failed" },
		{ SOUK_E_LIMIT, "body_too_large", 413, "body_too_large" },
		{ SOUK_E_LIMIT, "rate_limited", 429, "rate_limited" },
		{ SOUK_E_LIMIT, "access_key_limit", 409, "access_key_limit" },
		{ SOUK_E_LIMIT, "bucket_limit", 409, "bucket_limit" },
		{ SOUK_E_LIMIT, "endpoint_limit", 409, "endpoint_limit" },
		{ SOUK_E_LIMIT, "role_limit", 409, "role_limit" },
		{ SOUK_E_LIMIT, "token_limit", 409, "token_limit" },
		{ SOUK_E_LIMIT, "topic_limit", 409, "topic_limit" },
		{ SOUK_E_LIMIT, "user_limit", 409, "user_limit" },
		{ SOUK_E_UNAVAILABLE, "secret_detail", 503, "unavailable" },
		{ SOUK_E_STORAGE, "secret_detail", 503, "storage" },
		{ SOUK_E_UNCERTAIN, NULL, 500, "outcome_unknown" },
		{ SOUK_E_INTERNAL, "secret_detail", 500, "internal" },
		{ SOUK_E_NOMEM, NULL, 503, "out_of_memory" },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *doc;

		x->c.fail = (struct fail){ .err = cases[i].err, .code = cases[i].code };
		doc = problem(x, cases[i].err);
		assert_row(i, x->c.response.status == cases[i].status);
		assert_row(
		    i, strcmp(json_string_value(json_object_get(doc, "code")), cases[i].said) == 0);
		assert_row(i, json_string_length(json_object_get(doc, "detail")) > 0);
		assert_row(i, json_string_length(json_object_get(doc, "title")) > 0);
		json_decref(doc);
	}
}

static void
says_the_same_of_absent_and_foreign(void **state)
{
	struct fixture *x = *state;
	json_t *bare, *worded;

	x->c.fail = (struct fail){ .err = SOUK_E_NOT_FOUND };
	bare = problem(x, SOUK_E_NOT_FOUND);
	x->c.fail = (struct fail){ .err = SOUK_OK };
	(void)fail_set(&x->c.fail, SOUK_E_NOT_FOUND, "no_such_seller", "the seller is another");
	(void)fail_field(&x->c.fail, "sellerId", "is somebody else's", "give yours");
	worded = problem(x, SOUK_E_NOT_FOUND);
	assert_true(json_equal(bare, worded));
	json_decref(bare);
	json_decref(worded);
}

static void
names_fields_and_challenges(void **state)
{
	struct fixture *x = *state;
	json_t *doc;

	x->c.fail = (struct fail){ .err = SOUK_OK };
	(void)fail_field(&x->c.fail, "zipCode", "is not a ZIP code", "give five digits");
	doc = problem(x, SOUK_E_INVALID);
	json_t *e = json_array_get(json_object_get(doc, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(e, "field")), "zipCode");
	assert_string_equal(json_string_value(json_object_get(e, "message")), "is not a ZIP code");
	assert_string_equal(json_string_value(json_object_get(e, "fix")), "give five digits");
	json_decref(doc);
	x->c.fail = (struct fail){ .err = SOUK_E_UNAUTHENTICATED };
	x->c.refused = MAUTH_BAD;
	json_decref(problem(x, SOUK_E_UNAUTHENTICATED));
	assert_string_equal(x->c.response.headers[0].name, "WWW-Authenticate");
	assert_non_null(strstr(x->c.response.headers[0].value, "invalid_token"));
	x->c.fail = (struct fail){ .err = SOUK_E_UNAVAILABLE };
	json_decref(problem(x, SOUK_E_UNAVAILABLE));
	assert_string_equal(x->c.response.headers[0].name, "Retry-After");
}

/* ---- AWS JSON -------------------------------------------------------------------------- */

#define TARGET "MarketplaceCommerceAnalytics20150701."

static enum souk_err
parse_export(struct fixture *x, const char *body)
{
	static const struct tenant_scope seller = { .account_id = "000000000700",
		.is_seller = true };

	x->c.scope = &seller;
	json_decref(x->c.body);
	x->c.body = NULL;
	x->c.fail = (struct fail){ .err = SOUK_OK };
	x->req.method = STR("POST");
	x->req.body = str_c(body);
	x->req.n_headers = 0;
	add_header(x, "X-Amz-Target", TARGET "StartSupportDataExport");
	x->c.op = api_json.find(&x->c);
	assert_non_null(x->c.op);
	assert_int_equal(json_read(x->req.body, &x->c.body, &x->c.fail), SOUK_OK);
	return x->c.op->parse(&x->c);
}

/* What else a request must have. */
#define OTHERS                                                                                     \
	"\"dataSetType\":\"test_customer_support_contacts_data\","                                 \
	"\"destinationS3BucketName\":\"b\",\"snsTopicArn\":\"t\""

static void
keeps_the_digits_of_from_date(void **state)
{
	static const struct {
		const char *text;
		instant_t want;
	} cases[] = {
		{ "1470366890.334", 1470366890334 },
		{ "1.470366890334E9", 1470366890334 },
		{ "1470366890", 1470366890000 },
		{ "1470366890.000", 1470366890000 },
		/* A double holds these no more: the digits do. */
		{ "1470366890.3349999999999999", 1470366890334 },
		{ "253402300799.999", 253402300799999 },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct request_params *p;
		char body[400];
		instant_t got;

		/* Another member's value that looks like it must not be taken for it. */
		(void)snprintf(body, sizeof(body),
		    "{\"destinationS3Prefix\":\"\\\"fromDate\\\":7,\",\"customerDefinedValues\":"
		    "{\"fromDate\":\"8\"}, \"fromDate\" : %s ,\"roleNameArn\":\"r\"," OTHERS "}",
		    cases[i].text);
		assert_row(i, parse_export(x, body) == SOUK_OK);
		p = x->c.input;
		assert_row(i, str_eq_c(p->at_number, cases[i].text));
		assert_row(i, instant_parse_epoch(p->at_number, &got) && got == cases[i].want);
	}
	assert_int_equal(parse_export(x, "{\"fromDate\":\"2016-08-05T03:14:50Z\","
					 "\"roleNameArn\":\"r\"," OTHERS "}"),
	    SOUK_OK);
	assert_text(((const struct request_params *)x->c.input)->at_text, "2016-08-05T03:14:50Z");
}

static void
tells_wrong_types_from_wrong_values(void **state)
{
	static const struct {
		const char *body, *code;
	} cases[] = {
		{ "{}", "ValidationException" },
		{ "{\"dataSetType\":\"nonsense\"}", "ValidationException" },
		{ "{\"customerDefinedValues\":{}}", "ValidationException" },
		{ "{\"customerDefinedValues\":null,\"fromDate\":null}", "ValidationException" },
		{ "[]", "SerializationException" },
		{ "{\"dataSetType\":7}", "SerializationException" },
		{ "{\"fromDate\":true}", "SerializationException" },
		{ "{\"fromDate\":{}}", "SerializationException" },
		{ "{\"customerDefinedValues\":{\"a\":1}}", "SerializationException" },
		{ "{\"customerDefinedValues\":[]}", "SerializationException" },
		{ "{\"DataSetType\":\"x\"}", "ValidationException" },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_row(i, parse_export(x, cases[i].body) == SOUK_E_INVALID);
		assert_row(i, strcmp(x->c.fail.code, cases[i].code) == 0);
	}
}

static void
words_errors_as_aws_clients_read_them(void **state)
{
	static const struct {
		enum souk_err err;
		const char *code;
		int status;
		const char *type;
	} cases[] = {
		{ SOUK_E_INVALID, "invalid_json", 400, "SerializationException" },
		{ SOUK_E_INVALID, "ValidationException", 400, "ValidationException" },
		{ SOUK_E_DENIED, "access_denied", 400, "AccessDeniedException" },
		{ SOUK_E_UNAUTHENTICATED, "InvalidSignatureException", 400,
		    "InvalidSignatureException" },
		{ SOUK_E_LIMIT, "rate_limited", 400, "ThrottlingException" },
		{ SOUK_E_LIMIT, "body_too_large", 413, "RequestEntityTooLargeException" },
		{ SOUK_E_INTERNAL, "x", 500, "MarketplaceCommerceAnalyticsException" },
		{ SOUK_E_STORAGE, NULL, 503, "ServiceUnavailableException" },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *doc = NULL;

		buf_clear(&x->c.out);
		x->c.response = (struct http_response){ .status = 0 };
		x->c.fail = (struct fail){ .err = cases[i].err, .code = cases[i].code };
		(api_json.fail)(&x->c, cases[i].err);
		assert_row(i, json_read(buf_str(&x->c.out), &doc, NULL) == SOUK_OK);
		assert_row(i, x->c.response.status == cases[i].status);
		assert_row(i,
		    strcmp(json_string_value(json_object_get(doc, "__type")), cases[i].type) == 0);
		assert_row(i, json_string_length(json_object_get(doc, "message")) > 0 ||
				  cases[i].code != NULL);
		assert_string_equal(x->c.response.headers[0].name, "x-amzn-ErrorType");
		assert_string_equal(x->c.response.headers[0].value, cases[i].type);
		json_decref(doc);
	}
}

static void
knows_no_other_target(void **state)
{
	static const char *const targets[] = { TARGET "GenerateDataSets", TARGET "DropTables",
		"Nonsense", "", TARGET "StartSupportDataExport " };
	struct fixture *x = *state;

	x->req.method = STR("POST");
	for (size_t i = 0; i < COUNT(targets); i++) {
		x->req.n_headers = 0;
		add_header(x, "X-Amz-Target", targets[i]);
		assert_row(i, api_json.find(&x->c) == NULL);
		assert_string_equal(x->c.fail.code, "UnknownOperationException");
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Whose doing a failure is tells a client whether to try again. */
static void
tells_whose_fault_a_broken_link_is(void **state)
{
	struct fixture *x = *state;

	(api_sns.fail)(&x->c, SOUK_E_STORAGE);
	assert_int_equal(x->c.response.status, 503);
	assert_non_null(strstr(x->c.out.p, "<Type>Receiver</Type>"));
	buf_clear(&x->c.out);
	(api_sns.fail)(&x->c, SOUK_E_NOT_FOUND);
	assert_int_equal(x->c.response.status, 404);
	assert_non_null(strstr(x->c.out.p, "<Type>Sender</Type>"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(matches_paths_by_segment),
		T(reads_query_parameters),
		T(reads_pages),
		T(reads_entity_tags),
		T(knows_purposes),
		T(finds_the_family),
		T(reads_bucket_hosts),
		T(keeps_answers_whole),
		T(limits_calls_a_second),
		T(words_problems_by_status),
		T(says_the_same_of_absent_and_foreign),
		T(names_fields_and_challenges),
		T(keeps_the_digits_of_from_date),
		T(tells_wrong_types_from_wrong_values),
		T(words_errors_as_aws_clients_read_them),
		T(knows_no_other_target),
		T(tells_whose_fault_a_broken_link_is),
	};

	return cmocka_run_group_tests_name("server.call", tests, NULL, NULL);
}
