/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and buckets from paths and hosts, parameters, and which operation they mean. */
#include "server/s3_request.h"

#include "check.h"

#include <stdio.h>

static const struct {
	const char *host_bucket, *path, *bucket, *key;
} good[] = {
	{ "", "/", "", "" },
	{ "", "/exports", "exports", "" },
	{ "", "/exports/", "exports", "" },
	{ "", "/exports/psc/a.csv", "exports", "psc/a.csv" },
	{ "", "/exports//a", "exports", "/a" },
	{ "", "/exports/a//b/", "exports", "a//b/" },
	{ "", "/exports/../../etc/passwd", "exports", "../../etc/passwd" },
	{ "", "/exports/a%20b/%C3%BC%2B~.csv", "exports", "a b/\xc3\xbc+~.csv" },
	{ "", "/exports/a+b", "exports", "a+b" }, /* a plus in a path is a plus */
	{ "", "/exports/50%25", "exports", "50%" },
	{ "", "/exports/%2e%2e%2Fx", "exports", "../x" },
	{ "", "/ex%70orts/k", "exports", "k" },
	{ "exports", "/", "exports", "" },
	{ "exports", "/psc/a.csv", "exports", "psc/a.csv" },
	{ "exports", "//a", "exports", "/a" },
	{ "EXports", "/a", "exports", "a" },
	{ "a.b.exports", "/a", "a.b.exports", "a" },
	{ "other", "/exports/a", "other", "exports/a" },
};

static const struct {
	const char *host_bucket, *path, *code;
} bad[] = {
	{ "", "", "InvalidURI" },
	{ "", "exports/a", "InvalidURI" },
	{ "", "*", "InvalidURI" },
	{ "", "//", "InvalidBucketName" },
	{ "", "//a", "InvalidBucketName" },
	{ "", "/E", "InvalidBucketName" },
	{ "", "/Exports/a", "InvalidBucketName" },
	{ "", "/..%2f..%2fetc/a", "InvalidBucketName" },
	{ "", "/exports/%", "InvalidURI" },
	{ "", "/exports/%4", "InvalidURI" },
	{ "", "/exports/%zz", "InvalidURI" },
	{ "", "/exports/a%00b", "InvalidURI" },
	{ "", "/exports/%ff", "InvalidURI" },
	{ "", "/exports/%c0%af", "InvalidURI" },    /* overlong */
	{ "", "/exports/%ed%a0%80", "InvalidURI" }, /* a surrogate */
	{ "", "/%ff/a", "InvalidURI" },
	{ "a", "/k", "InvalidBucketName" },
	{ "a_b", "/k", "InvalidBucketName" },
	{ "exports", "/%", "InvalidURI" },
};

static void
test_address(void **state)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct s3_address a = { .virtual_host = false };
		struct fail f = { .err = SOUK_OK };

		assert_row(i, s3_address_parse(str_c(good[i].host_bucket), str_c(good[i].path),
				  *state, &a, &f) == SOUK_OK);
		assert_row(i, str_eq_c(a.bucket, good[i].bucket));
		assert_row(i, str_eq_c(a.key, good[i].key));
		assert_row(i, a.virtual_host == (good[i].host_bucket[0] != '\0'));
	}
}

static void
test_address_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct s3_address a = { .key = STR("untouched") };
		struct fail f = { .err = SOUK_OK };

		assert_row(i, s3_address_parse(str_c(bad[i].host_bucket), str_c(bad[i].path),
				  *state, &a, &f) == SOUK_E_INVALID);
		assert_row(i, strcmp(f.code, bad[i].code) == 0);
		assert_row(i, f.detail[0] != '\0');
		assert_row(i, str_eq_c(a.key, "untouched"));
	}
}

/* The limit counts decoded bytes. */
static void
test_key_length(void **state)
{
	char path[16 + 3 * 1025];
	struct s3_address a;
	struct fail f = { .err = SOUK_OK };

	for (size_t n = 1023; n <= 1025; n++) {
		size_t at = (size_t)snprintf(path, sizeof(path), "/exports/");

		for (size_t i = 0; i < n; i++, at += 3)
			memcpy(path + at, "%41", 3);
		if (n <= 1024) {
			assert_int_equal(
			    s3_address_parse(STR(""), (struct str){ path, at }, *state, &a, &f),
			    SOUK_OK);
			assert_int_equal(a.key.n, n);
		} else {
			assert_int_equal(
			    s3_address_parse(STR(""), (struct str){ path, at }, *state, &a, &f),
			    SOUK_E_INVALID);
			assert_string_equal(f.code, "KeyTooLongError");
		}
	}
}

static void
test_arena_full(void **state)
{
	struct arena *small = arena_new(64);
	struct s3_address a;
	struct s3_params q;
	struct fail f = { .err = SOUK_OK };
	char path[400];

	(void)state;
	memset(path, 'a', sizeof(path));
	memcpy(path, "/exports/", 9);
	assert_int_not_equal(
	    s3_address_parse(STR(""), (struct str){ path, sizeof(path) }, small, &a, &f), SOUK_OK);
	memset(path, '&', sizeof(path));
	assert_int_not_equal(
	    s3_params_parse((struct str){ path, sizeof(path) }, small, &q, &f), SOUK_OK);
	arena_free(small);
}

static void
test_params(void **state)
{
	struct s3_params q;
	struct fail f = { .err = SOUK_OK };

	assert_int_equal(s3_params_parse(STR("list-type=2&prefix=p%2Fa+b%2B&&uploads&x=&a=1=2&a=3"),
			     *state, &q, &f),
	    SOUK_OK);
	assert_int_equal(q.n, 6);
	assert_text(s3_param(&q, "list-type"), "2");
	assert_text(s3_param(&q, "prefix"), "p/a b+"); /* a plus in a query is a space */
	assert_non_null(s3_param(&q, "uploads").p);
	assert_int_equal(s3_param(&q, "uploads").n, 0);
	assert_non_null(s3_param(&q, "x").p);
	assert_text(s3_param(&q, "a"), "1=2");
	assert_null(s3_param(&q, "upload").p);
	assert_null(s3_param(&q, "Prefix").p);
	assert_int_equal(s3_params_parse(STR(""), *state, &q, &f), SOUK_OK);
	assert_int_equal(q.n, 0);
	assert_int_equal(s3_params_parse(STR("prefix=%"), *state, &q, &f), SOUK_E_INVALID);
	assert_string_equal(f.code, "InvalidURI");
	assert_int_equal(s3_params_parse(STR("%ff=1"), *state, &q, &f), SOUK_E_INVALID);
}

static const struct {
	const char *method, *path, *query;
	enum s3_op op;
} operations[] = {
	{ "GET", "/", "", S3_LIST_BUCKETS },
	{ "GET", "/", "x-id=ListBuckets", S3_LIST_BUCKETS },
	{ "GET", "/exports", "location", S3_GET_BUCKET_LOCATION },
	{ "GET", "/exports/", "location=", S3_GET_BUCKET_LOCATION },
	{ "HEAD", "/exports", "", S3_HEAD_BUCKET },
	{ "GET", "/exports", "", S3_LIST_OBJECTS },
	{ "GET", "/exports", "prefix=a&marker=b", S3_LIST_OBJECTS },
	{ "GET", "/exports", "list-type=2", S3_LIST_OBJECTS_V2 },
	{ "GET", "/exports", "list-type=3", S3_LIST_OBJECTS_V2 }, /* refused there */
	{ "GET", "/exports/k", "", S3_GET_OBJECT },
	{ "GET", "/exports/k", "x-id=GetObject&X-Amz-Signature=0", S3_GET_OBJECT },
	{ "GET", "/exports/k", "list-type=2", S3_GET_OBJECT },
	{ "HEAD", "/exports/k", "", S3_HEAD_OBJECT },
	{ "PUT", "/exports/k", "x-id=PutObject", S3_PUT_OBJECT },
	{ "PUT", "/exports/k/", "", S3_PUT_OBJECT },
	{ "POST", "/exports/k", "uploads", S3_NOT_IMPLEMENTED },
	{ "PUT", "/exports/k", "partNumber=1&uploadId=x", S3_NOT_IMPLEMENTED },
	{ "PUT", "/exports/k", "partNumber=1", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports/k", "partNumber=1&uploadId=x", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports/k", "uploadId=x", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports/k", "partNumber=1", S3_GET_OBJECT },
	{ "HEAD", "/exports/k", "partNumber=2", S3_HEAD_OBJECT },
	{ "DELETE", "/exports/k", "uploadId=x", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports/k", "versionId=1", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports", "acl", S3_NOT_IMPLEMENTED },
	{ "PUT", "/exports/k", "acl", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports", "versions", S3_NOT_IMPLEMENTED },
	{ "GET", "/exports", "versioning", S3_NOT_IMPLEMENTED },
	{ "PUT", "/exports/k", "tagging", S3_NOT_IMPLEMENTED },
	{ "POST", "/exports", "delete", S3_NOT_IMPLEMENTED },
	{ "DELETE", "/exports/k", "", S3_NOT_IMPLEMENTED },
	{ "DELETE", "/exports", "", S3_NOT_IMPLEMENTED },
	{ "PUT", "/exports", "", S3_NOT_IMPLEMENTED },
	{ "POST", "/exports", "", S3_NOT_IMPLEMENTED },
	{ "POST", "/exports/k", "", S3_METHOD_NOT_ALLOWED },
	{ "PATCH", "/exports/k", "", S3_METHOD_NOT_ALLOWED },
	{ "get", "/exports/k", "", S3_METHOD_NOT_ALLOWED },
	{ "POST", "/", "", S3_METHOD_NOT_ALLOWED },
	{ "HEAD", "/", "", S3_METHOD_NOT_ALLOWED },
	{ "DELETE", "/", "", S3_METHOD_NOT_ALLOWED },
};

static void
test_operations(void **state)
{
	for (size_t i = 0; i < COUNT(operations); i++) {
		struct s3_address a;
		struct s3_params q;
		struct fail f = { .err = SOUK_OK };
		const char *what = "unset";

		assert_row(i, s3_address_parse(
				  STR(""), str_c(operations[i].path), *state, &a, &f) == SOUK_OK);
		assert_row(
		    i, s3_params_parse(str_c(operations[i].query), *state, &q, &f) == SOUK_OK);
		assert_row(
		    i, s3_op_of(str_c(operations[i].method), &a, &q, &what) == operations[i].op);
		assert_row(i, (what != NULL) == (operations[i].op == S3_NOT_IMPLEMENTED));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		arena_test(test_address),
		arena_test(test_address_refused),
		arena_test(test_key_length),
		cmocka_unit_test(test_arena_full),
		arena_test(test_params),
		arena_test(test_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
