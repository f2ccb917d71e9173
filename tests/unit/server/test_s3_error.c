/* SPDX-License-Identifier: Apache-2.0 */
/* Error documents: codes, statuses, words, the elements of refused signatures. */
#include "server/s3_error.h"

#include "check.h"

#define NOW INT64_C(1470366890334)

static struct s3_error
of(enum souk_err err, struct fail *f)
{
	struct s3_error e = { .status = 0 };

	s3_error_of(err, f, &e);
	return e;
}

static void
test_document(void **state)
{
	struct fail f = { .err = SOUK_OK };
	struct s3_error e = { .resource = STR("/exports/a<b>"), .request_id = STR("id-1") };
	struct buf out = { 0 };

	(void)state;
	s3_error_extra(&e, "Key", STR("a&b\n\nc\n"));
	s3_error_extra(&e, "Empty", STR(""));
	assert_int_equal(s3_fail(&f, "NoSuchKey", NULL), SOUK_E_NOT_FOUND);
	s3_error_of(SOUK_E_NOT_FOUND, &f, &e);
	assert_int_equal(e.status, 404);
	s3_error_write(&e, &out);
	assert_text(buf_str(&out),
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>"
	    "<Message>The specified key does not exist.</Message><Key>a&amp;b\n\nc\n</Key>"
	    "<Resource>/exports/a&lt;b&gt;</Resource><RequestId>id-1</RequestId>"
	    "<HostId>souk</HostId></Error>");
	buf_done(&out);
}

static void
test_extras_are_bounded(void **state)
{
	struct s3_error e = { .status = 0 };

	(void)state;
	for (size_t i = 0; i < 2 * S3_EXTRAS_MAX; i++)
		s3_error_extra(&e, "X", STR("y"));
	assert_int_equal(e.n_extra, S3_EXTRAS_MAX);
}

/* Codes with the status that clients expect of them (3.6). */
static void
test_codes(void **state)
{
	static const struct {
		const char *code;
		int status;
	} rows[] = {
		{ "NoSuchKey", 404 },
		{ "NoSuchBucket", 404 },
		{ "AccessDenied", 403 },
		{ "SignatureDoesNotMatch", 403 },
		{ "RequestTimeTooSkewed", 403 },
		{ "InvalidArgument", 400 },
		{ "InvalidBucketName", 400 },
		{ "BadDigest", 400 },
		{ "InvalidDigest", 400 },
		{ "InvalidRequest", 400 },
		{ "EntityTooLarge", 400 },
		{ "KeyTooLongError", 400 },
		{ "IncompleteBody", 400 },
		{ "RequestTimeout", 400 },
		{ "MissingContentLength", 411 },
		{ "MethodNotAllowed", 405 },
		{ "PreconditionFailed", 412 },
		{ "OperationAborted", 409 },
		{ "InvalidRange", 416 },
		{ "InternalError", 500 },
		{ "NotImplemented", 501 },
		{ "SlowDown", 503 },
		{ "ServiceUnavailable", 503 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fail f = { .err = SOUK_OK };
		enum souk_err err = s3_fail(&f, rows[i].code, NULL);
		struct s3_error e = of(err, &f);

		assert_row(i, err != SOUK_OK && f.err == err);
		assert_row(i, strcmp(e.code, rows[i].code) == 0);
		assert_row(i, e.status == rows[i].status);
		assert_row(i, e.message.n > 0);
	}
}

/* What lower layers say, in S3's words; nothing of ours when the fault is ours. */
static void
test_lower_layers(void **state)
{
	static const struct {
		enum souk_err err;
		const char *word, *code, *detail;
	} rows[] = {
		{ SOUK_E_NOT_FOUND, "no_such_bucket", "NoSuchBucket", "there is no such bucket" },
		{ SOUK_E_NOT_FOUND, NULL, "NoSuchKey", "" },
		{ SOUK_E_LIMIT, "key_too_long", "KeyTooLongError", "a key has at most" },
		{ SOUK_E_LIMIT, "body_too_large", "EntityTooLarge", "The body is longer" },
		{ SOUK_E_LIMIT, "rate_limited", "SlowDown", "Too many requests" },
		{ SOUK_E_UNAVAILABLE, "upload_too_slow", "RequestTimeout", "the upload took" },
		{ SOUK_E_UNAVAILABLE, NULL, "ServiceUnavailable", "" },
		{ SOUK_E_PRECONDITION, "object_changed", "PreconditionFailed", "the object is" },
		{ SOUK_E_PRECONDITION, "object_exists", "PreconditionFailed", "an object of" },
		{ SOUK_E_DENIED, "access_denied", "AccessDenied", "Your policy does not allow" },
		{ SOUK_E_UNAUTHENTICATED, NULL, "AccessDenied", "" },
		{ SOUK_E_CONFLICT, NULL, "OperationAborted", "" },
		{ SOUK_E_INVALID, "invalid_field", "InvalidArgument", "" },
		{ SOUK_E_INTERNAL, "bug", "InternalError", NULL },
		{ SOUK_E_STORAGE, "disk", "InternalError", NULL },
		{ SOUK_E_UNCERTAIN, "commit", "InternalError", NULL },
		{ SOUK_E_NOMEM, "out_of_memory", "SlowDown", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fail f = { .err = rows[i].err, .code = rows[i].word };
		struct s3_error e;

		snprintf(
		    f.detail, sizeof(f.detail), "%s", rows[i].detail ? rows[i].detail : "private");
		e = of(rows[i].err, &f);
		assert_row(i, strcmp(e.code, rows[i].code) == 0);
		assert_row(i, e.message.n > 0);
		if (rows[i].detail && rows[i].detail[0])
			assert_row(i, str_eq_c(e.message, rows[i].detail));
		if (!rows[i].detail)
			assert_row(i, !str_eq_c(e.message, "private"));
	}
}

static const char *
extra(const struct s3_error *e, const char *name)
{
	for (size_t i = 0; i < e->n_extra; i++)
		if (strcmp(e->extra[i].name, name) == 0)
			return e->extra[i].value.p;
	return "";
}

static struct s3_error
refusal(struct arena *mem, const struct sigv4_result *r, bool presigned)
{
	struct s3_error e = { .status = 0 };

	s3_error_of_signature(r, presigned, STR("eu-central-1"), 900000, mem, &e);
	return e;
}

static void
test_signature_codes(void **state)
{
	static const struct {
		enum sigv4_why why;
		bool presigned;
		const char *code;
		int status;
	} rows[] = {
		{ SIGV4_NO_CREDENTIALS, false, "AccessDenied", 403 },
		{ SIGV4_TWO_METHODS, false, "InvalidArgument", 400 },
		{ SIGV4_UNSUPPORTED, false, "InvalidRequest", 400 },
		{ SIGV4_MALFORMED, false, "AuthorizationHeaderMalformed", 400 },
		{ SIGV4_MALFORMED, true, "AuthorizationQueryParametersError", 400 },
		{ SIGV4_SCOPE, false, "AuthorizationHeaderMalformed", 400 },
		{ SIGV4_SCOPE, true, "AuthorizationQueryParametersError", 400 },
		{ SIGV4_QUERY_PARAMETERS, true, "AuthorizationQueryParametersError", 400 },
		{ SIGV4_CLOCK, false, "RequestTimeTooSkewed", 403 },
		{ SIGV4_EXPIRED, true, "AccessDenied", 403 },
		{ SIGV4_NOT_YET, true, "AccessDenied", 403 },
		{ SIGV4_UNSIGNED_HEADER, false, "AccessDenied", 403 },
		{ SIGV4_MISSING_HASH, false, "InvalidRequest", 400 },
		{ SIGV4_BODY_HASH, false, "XAmzContentSHA256Mismatch", 400 },
		{ SIGV4_TOKEN, false, "InvalidToken", 400 },
		{ SIGV4_SIGNATURE, false, "SignatureDoesNotMatch", 403 },
		{ SIGV4_FAILED, false, "InternalError", 500 },
	};

	assert_int_equal(COUNT(rows), SIGV4__COUNT - 1 + 2); /* two are there in both forms */
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sigv4_result r = { .why = rows[i].why, .err = SOUK_E_STORAGE };
		struct s3_error e = refusal(*state, &r, rows[i].presigned);

		assert_row(i, strcmp(e.code, rows[i].code) == 0);
		assert_row(i, e.status == rows[i].status);
		assert_row(i, e.message.n > 0);
	}
}

static void
test_signature_elements(void **state)
{
	struct sigv4_result r = { .why = SIGV4_SCOPE, .detail = STR("region 'x' is wrong") };
	struct s3_error e = refusal(*state, &r, false);

	assert_string_equal(extra(&e, "Region"), "eu-central-1");
	assert_text(e.message, "region 'x' is wrong");

	r = (struct sigv4_result){
		.why = SIGV4_CLOCK, .amz_date = STR("20160805T000000Z"), .server_time = NOW
	};
	e = refusal(*state, &r, false);
	assert_string_equal(extra(&e, "RequestTime"), "20160805T000000Z");
	assert_string_equal(extra(&e, "ServerTime"), "2016-08-05T03:14:50Z");
	assert_string_equal(extra(&e, "MaxAllowedSkewMilliseconds"), "900000");

	r = (struct sigv4_result){ .why = SIGV4_EXPIRED,
		.request_time = NOW - 3601000,
		.expires_s = 3600,
		.server_time = NOW };
	e = refusal(*state, &r, true);
	assert_text(e.message, "Request has expired");
	assert_string_equal(extra(&e, "X-Amz-Expires"), "3600");
	assert_string_equal(extra(&e, "Expires"), "2016-08-05T03:14:49Z");
	assert_string_equal(extra(&e, "ServerTime"), "2016-08-05T03:14:50Z");

	r = (struct sigv4_result){ .why = SIGV4_UNSIGNED_HEADER, .unsigned_name = STR("x-amz-a") };
	e = refusal(*state, &r, false);
	assert_string_equal(extra(&e, "HeadersNotSigned"), "x-amz-a");
}

static void
test_signature_texts(void **state)
{
	struct sigv4_result r = { .why = SIGV4_SIGNATURE,
		.access_key_id = STR("SOUKEXAMPLE"),
		.to_sign = STR("AWS4\n"),
		.canonical = STR("GET\n/") };
	struct s3_error e = refusal(*state, &r, false);

	assert_string_equal(extra(&e, "AWSAccessKeyId"), "SOUKEXAMPLE");
	assert_string_equal(extra(&e, "StringToSign"), "AWS4\n");
	assert_string_equal(extra(&e, "StringToSignBytes"), "41 57 53 34 0a ");
	assert_string_equal(extra(&e, "CanonicalRequest"), "GET\n/");
	for (size_t i = 0; i < e.n_extra; i++)
		if (strcmp(e.extra[i].name, "StringToSignBytes") == 0)
			assert_int_equal(e.extra[i].value.n, 14); /* without the last blank */
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_extras_are_bounded),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_lower_layers),
		arena_test(test_signature_codes),
		arena_test(test_signature_elements),
		arena_test(test_signature_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
