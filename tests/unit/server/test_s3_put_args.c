/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of a PutObject: understood or refused; what is stored comes back as it was. */
#include "server/s3_put_args.h"

#include "server/s3_headers.h"

#include "check.h"

#define HEADERS_MAX 40

/* "Name: value\n..." as a request. */
struct request {
	struct http_request r;
	struct sigv4_header headers[HEADERS_MAX];
};

static void
request_make(struct request *q, const char *text)
{
	struct str rest = str_c(text), line, name;

	*q = (struct request){ .r.headers = q->headers };
	while (str_split(&rest, '\n', &line)) {
		if (line.n == 0)
			continue;
		assert_true(q->r.n_headers < HEADERS_MAX);
		assert_true(str_split(&line, ':', &name));
		q->headers[q->r.n_headers++] = (struct sigv4_header){ name, str_trim(line) };
	}
}

static enum souk_err
parse(struct arena *mem, const char *text, enum sigv4_payload payload, struct s3_put_args *ret,
    struct fail *f)
{
	struct request q;

	request_make(&q, text);
	*f = (struct fail){ .err = SOUK_OK };
	return s3_put_args_parse(&q.r, payload, mem, ret, f);
}

static void
test_plain(void **state)
{
	struct s3_put_args a;
	struct fail f;

	assert_int_equal(parse(*state, "Content-Length: 9\n", SIGV4_BODY_HASHED, &a, &f), SOUK_OK);
	assert_int_equal(a.length, 9);
	assert_false(a.has_md5 || a.if_none);
	assert_int_equal(a.checksum, CHECKSUM_NONE);
	assert_int_equal(a.if_match.n + a.headers.n + a.content_type.n + a.declared.n, 0);
}

static void
test_all(void **state)
{
	struct s3_put_args a;
	struct fail f;

	assert_int_equal(
	    parse(*state,
		"Content-Length: 9\nContent-MD5: JfnnlDI7RTiF9RgfG2JNCw==\n"
		"x-amz-checksum-crc32: y/Q5Jg==\nx-amz-sdk-checksum-algorithm: CRC32\n"
		"If-Match: \"0123\"\nContent-Type: text/csv\nX-Amz-Meta-A: b\n"
		"x-amz-acl: bucket-owner-full-control\n"
		"x-amz-server-side-encryption: AES256\nx-amz-storage-class: STANDARD\n",
		SIGV4_BODY_UNSIGNED, &a, &f),
	    SOUK_OK);
	assert_true(a.has_md5);
	assert_int_equal(a.md5[0], 0x25);
	assert_int_equal(a.checksum, CHECKSUM_CRC32);
	assert_text(a.declared, "y/Q5Jg==");
	assert_text(a.if_match, "0123");
	assert_text(a.content_type, "text/csv");
	assert_text(a.headers, "{\"x-amz-meta-a\":\"b\"}");
}

static void
test_chunked(void **state)
{
	struct s3_put_args a;
	struct fail f;

	assert_int_equal(parse(*state,
			     "Content-Length: 150\nx-amz-decoded-content-length: 9\n"
			     "Content-Encoding: aws-chunked, gzip\n"
			     "x-amz-trailer: x-amz-checksum-crc32c\nIf-None-Match: *\n",
			     SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER, &a, &f),
	    SOUK_OK);
	assert_int_equal(a.length, 9);
	assert_int_equal(a.checksum, CHECKSUM_CRC32C);
	assert_int_equal(a.declared.n, 0);
	assert_text(a.trailer, "x-amz-checksum-crc32c");
	assert_text(a.headers, "{\"content-encoding\":\"gzip\"}");
	assert_true(a.if_none);
}

static const struct {
	enum sigv4_payload payload;
	const char *headers, *code;
} refused[] = {
	{ SIGV4_BODY_HASHED, "", "MissingContentLength" },
	{ SIGV4_BODY_HASHED, "Transfer-Encoding: chunked\n", "MissingContentLength" },
	{ SIGV4_BODY_CHUNKS_SIGNED, "Content-Length: 10\n", "MissingContentLength" },
	{ SIGV4_BODY_CHUNKS_SIGNED, "x-amz-decoded-content-length: -1\n", "InvalidArgument" },
	{ SIGV4_BODY_CHUNKS_SIGNED, "x-amz-decoded-content-length: 1e3\n", "InvalidArgument" },
	{ SIGV4_BODY_HASHED, "Content-Length: 5368709121\n", "EntityTooLarge" },
	{ SIGV4_BODY_CHUNKS_SIGNED, "x-amz-decoded-content-length: 5368709121\n",
	    "EntityTooLarge" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nContent-MD5: xyz\n", "InvalidDigest" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nContent-MD5: y/Q5Jg==\n", "InvalidDigest" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nContent-MD5:\n", "InvalidDigest" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nx-amz-checksum-crc32: y/Q5J\n", "InvalidRequest" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nx-amz-checksum-sha256: y/Q5Jg==\n",
	    "InvalidRequest" },
	{ SIGV4_BODY_HASHED,
	    "Content-Length: 1\nx-amz-checksum-crc32: y/Q5Jg==\nx-amz-checksum-crc32c: 4waSgw==\n",
	    "InvalidRequest" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nx-amz-trailer: x-amz-checksum-crc32\n",
	    "InvalidRequest" },
	{ SIGV4_BODY_CHUNKS_SIGNED_TRAILER,
	    "x-amz-decoded-content-length: 1\nx-amz-trailer: x-amz-checksum-crc32\n"
	    "x-amz-checksum-crc32: y/Q5Jg==\n",
	    "InvalidRequest" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nIf-None-Match: \"0123\"\n", "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nIf-Match: *\n", "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 1\nIf-Match: \"0\"\nIf-None-Match: *\n",
	    "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-copy-source: /a/b\n", "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-copy-source-range: bytes=0-1\n",
	    "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nX-Amz-Acl: public-read\n",
	    "AccessControlListNotSupported" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-grant-read: id=1\n",
	    "AccessControlListNotSupported" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-server-side-encryption: aws:kms\n",
	    "NotImplemented" },
	{ SIGV4_BODY_HASHED,
	    "Content-Length: 0\nx-amz-server-side-encryption-customer-algorithm: AES256X\n",
	    "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-storage-class: GLACIER\n",
	    "InvalidStorageClass" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-tagging: a=b\n", "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-object-lock-mode: GOVERNANCE\n",
	    "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-write-offset-bytes: 9\n", "NotImplemented" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nContent-Type: a\tb\n", "InvalidArgument" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nContent-Disposition: \xff\n", "InvalidArgument" },
	{ SIGV4_BODY_HASHED, "Content-Length: 0\nx-amz-meta-a: \x01\n", "InvalidArgument" },
};

static void
test_refused(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct s3_put_args a = { .length = 7 };
		struct fail f;

		assert_row(
		    i, parse(*state, refused[i].headers, refused[i].payload, &a, &f) != SOUK_OK);
		assert_row(i, strcmp(f.code, refused[i].code) == 0);
		assert_row(i, a.length == 7);
	}
}

static void
test_largest(void **state)
{
	struct s3_put_args a;
	struct fail f;

	assert_int_equal(
	    parse(*state, "Content-Length: 5368709120\n", SIGV4_BODY_HASHED, &a, &f), SOUK_OK);
	assert_int_equal(a.length, INT64_C(5368709120));
}

/* One entry and one byte over the limits. */
static void
test_metadata_limits(void **state)
{
	struct buf text = { 0 };
	struct s3_put_args a;
	struct fail f;

	for (size_t i = 0; i < S3_META_MAX; i++)
		buf_printf(&text, "x-amz-meta-%zu: v\n", i);
	buf_add_c(&text, "Content-Length: 0\n");
	assert_int_equal(parse(*state, text.p, SIGV4_BODY_HASHED, &a, &f), SOUK_OK);
	buf_add_c(&text, "x-amz-meta-more: v\n");
	assert_int_not_equal(parse(*state, text.p, SIGV4_BODY_HASHED, &a, &f), SOUK_OK);
	assert_string_equal(f.code, "MetadataTooLarge");
	for (size_t extra = 0; extra <= 1; extra++) {
		buf_clear(&text);
		buf_add_c(&text, "Content-Length: 0\nx-amz-meta-a: ");
		for (size_t i = 0; i < S3_META_MAX_BYTES - 1 + extra; i++)
			buf_add_char(&text, 'v');
		assert_int_equal(
		    parse(*state, text.p, SIGV4_BODY_HASHED, &a, &f) == SOUK_OK, extra == 0);
	}
	buf_done(&text);
}

/* What is kept must fit into the head of every answer that brings it back. */
static void
test_kept_limits(void **state)
{
	struct buf text = { 0 }, value = { 0 };
	struct s3_put_args a;
	struct s3_params q;
	struct fail f;

	for (size_t extra = 0; extra <= 1; extra++) {
		buf_clear(&text);
		buf_clear(&value);
		for (size_t i = 0; i < S3_KEPT_MAX_BYTES - 3 + extra; i++)
			buf_add_char(&value, 'v');
		buf_printf(
		    &text, "Content-Length: 0\nContent-Type: t/t\nCache-Control: %s\n", value.p);
		assert_true(buf_ok(&text));
		assert_int_equal(
		    parse(*state, text.p, SIGV4_BODY_HASHED, &a, &f) == SOUK_OK, extra == 0);
		buf_clear(&text);
		buf_printf(&text, "response-content-type=t/t&response-expires=%s", value.p);
		assert_int_equal(s3_params_parse(buf_str(&text), *state, &q, &f), SOUK_OK);
		f = (struct fail){ .err = SOUK_OK };
		assert_int_equal(s3_headers_check(&q, &f) == SOUK_OK, extra == 0);
	}
	buf_done(&text);
	buf_done(&value);
}

/* ---- headers of answers ---------------------------------------------------------------- */

static const char *
header_of(const struct http_response *r, const char *name)
{
	const char *found = NULL;

	for (size_t i = 0; i < r->n_headers; i++)
		if (strcmp(r->headers[i].name, name) == 0) {
			assert_null(found); /* never twice */
			found = r->headers[i].value;
		}
	return found;
}

static void
test_answer(void **state)
{
	struct http_response r = { .status = 0 };
	struct s3_put_args a;
	struct s3_params q;
	struct fail f;

	assert_int_equal(parse(*state,
			     "Content-Length: 0\nContent-Type: text/csv; "
			     "charset=utf-8\nCache-Control: no-store\n"
			     "Content-Disposition: attachment; filename=\"\xc3\xbc.csv\"\n"
			     "Content-Language: de\nExpires: 0\nX-Amz-Meta-Schema-Id: \"1\" \\\n"
			     "x-amz-meta-rows: 5\n",
			     SIGV4_BODY_HASHED, &a, &f),
	    SOUK_OK);
	assert_int_equal(s3_params_parse(STR("response-content-type=text/plain&"
					     "response-cache-control=max-age%3D1&x-id=GetObject"),
			     *state, &q, &f),
	    SOUK_OK);
	assert_int_equal(s3_headers_check(&q, &f), SOUK_OK);
	assert_int_equal(s3_headers_answer(a.content_type, a.headers, &q, *state, &r), SOUK_OK);
	assert_string_equal(header_of(&r, "Content-Type"), "text/plain");
	assert_string_equal(header_of(&r, "Cache-Control"), "max-age=1");
	assert_string_equal(
	    header_of(&r, "Content-Disposition"), "attachment; filename=\"\xc3\xbc.csv\"");
	assert_string_equal(header_of(&r, "Content-Language"), "de");
	assert_string_equal(header_of(&r, "Expires"), "0");
	assert_string_equal(header_of(&r, "x-amz-meta-schema-id"), "\"1\" \\");
	assert_string_equal(header_of(&r, "x-amz-meta-rows"), "5");
	assert_null(header_of(&r, "Content-Encoding"));
}

/* An override that would end its header line must not become one. */
static void
test_override_refused(void **state)
{
	static const char *const bad[] = { "response-content-type=a%0d%0ab",
		"response-content-disposition=a%0ab", "response-cache-control=%0d",
		"response-content-encoding=%01", "response-content-language=%C2%85",
		"response-expires=%7f" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct s3_params q;
		struct fail f = { .err = SOUK_OK };

		assert_row(i, s3_params_parse(str_c(bad[i]), *state, &q, &f) == SOUK_OK);
		assert_row(i, s3_headers_check(&q, &f) == SOUK_E_INVALID);
		assert_row(i, strcmp(f.code, "InvalidArgument") == 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		arena_test(test_plain),
		arena_test(test_all),
		arena_test(test_chunked),
		arena_test(test_refused),
		arena_test(test_largest),
		arena_test(test_metadata_limits),
		arena_test(test_kept_limits),
		arena_test(test_answer),
		arena_test(test_override_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
