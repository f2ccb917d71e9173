/* SPDX-License-Identifier: Apache-2.0 */
/* Result documents byte for byte, listing parameters, continuation tokens. */
#include "server/s3_xml.h"

#include "check.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define ACCOUNT "000000000100"
#define T INT64_C(1470366890334)
#define T_TEXT "2016-08-05T03:14:50.000Z"

static struct s3_params
params(struct arena *mem, const char *query)
{
	struct s3_params q;

	assert_int_equal(s3_params_parse(str_c(query), mem, &q, NULL), SOUK_OK);
	return q;
}

static void
test_buckets(void **state)
{
	const struct bucket buckets[] = {
		{ .name = "exports-1", .created_at = T },
		{ .name = "other", .created_at = T },
	};
	struct buf out = { 0 };

	(void)state;
	s3_xml_buckets(&out, STR(ACCOUNT), (struct str){ NULL, 0 }, buckets, 2);
	assert_text(buf_str(&out), HEAD
	    "<ListAllMyBucketsResult" NS "><Owner><ID>" ACCOUNT "</ID><DisplayName>" ACCOUNT
	    "</DisplayName></Owner><Buckets><Bucket><Name>exports-1</Name><CreationDate>" T_TEXT
	    "</CreationDate></Bucket><Bucket><Name>other</Name><CreationDate>" T_TEXT
	    "</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>");
	buf_clear(&out);
	s3_xml_buckets(&out, STR(ACCOUNT), STR("exp"), buckets, 2);
	assert_null(strstr(out.p, "other"));
	assert_non_null(strstr(out.p, "</Buckets><Prefix>exp</Prefix>"));
	buf_done(&out);
}

static void
test_location(void **state)
{
	struct buf out = { 0 };

	(void)state;
	s3_xml_location(&out, STR("us-east-1"));
	assert_text(buf_str(&out), HEAD "<LocationConstraint" NS "></LocationConstraint>");
	buf_clear(&out);
	s3_xml_location(&out, STR("eu-central-1"));
	assert_text(
	    buf_str(&out), HEAD "<LocationConstraint" NS ">eu-central-1</LocationConstraint>");
	buf_done(&out);
}

static struct str
list_xml(struct arena *mem, const char *query, bool v2, struct object_list l)
{
	struct s3_params q = params(mem, query);
	struct s3_list_args args;
	struct buf out = { 0 };
	struct str text;

	assert_int_equal(s3_list_parse(&q, v2, mem, &args, NULL), SOUK_OK);
	s3_xml_list(&out, STR(ACCOUNT), &args, &l);
	assert_true(buf_ok(&out));
	text = arena_str(mem, buf_str(&out));
	buf_done(&out);
	return text;
}

static void
test_list_v2(void **state)
{
	struct object_entry entries[] = {
		{ .key = STR("p/a&b.csv"), .etag = STR("0123"), .size = 20, .modified_at = T },
		{ .key = STR("p/sub/"), .is_prefix = true, .etag = STR("") },
	};
	struct object_list l = { .bucket = STR("exports"), .entries = entries, .n = 2 };

	assert_text(list_xml(*state, "list-type=2&prefix=p%2F&delimiter=%2F", true, l),
	    HEAD "<ListBucketResult" NS "><Name>exports</Name><Prefix>p/</Prefix>"
		 "<KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter>"
		 "<IsTruncated>false</IsTruncated><Contents><Key>p/a&amp;b.csv</Key>"
		 "<LastModified>" T_TEXT "</LastModified><ETag>&quot;0123&quot;</ETag>"
		 "<Size>20</Size><StorageClass>STANDARD</StorageClass></Contents>"
		 "<CommonPrefixes><Prefix>p/sub/</Prefix></CommonPrefixes></ListBucketResult>");
}

static void
test_list_empty(void **state)
{
	struct object_list l = { .bucket = STR("exports") };

	assert_text(list_xml(*state, "list-type=2&max-keys=0", true, l),
	    HEAD "<ListBucketResult" NS "><Name>exports</Name><Prefix></Prefix>"
		 "<KeyCount>0</KeyCount><MaxKeys>0</MaxKeys>"
		 "<IsTruncated>false</IsTruncated></ListBucketResult>");
}

/* Everything a client decodes is encoded: also the echoes. */
static void
test_list_encoded(void **state)
{
	struct object_entry entries[] = {
		{ .key = STR("a b/\xc3\xbc+%~.csv"), .etag = STR("0"), .modified_at = T },
		{ .key = STR("a b/+/"), .is_prefix = true, .etag = STR("") },
	};
	struct object_list l = { .bucket = STR("exports"), .entries = entries, .n = 2 };
	struct str xml = list_xml(*state,
	    "list-type=2&encoding-type=url&prefix=a%20b/&delimiter=%2B/&start-after=a%20a", true,
	    l);

	assert_non_null(strstr(xml.p, "<Key>a%20b/%C3%BC%2B%25~.csv</Key>"));
	assert_non_null(strstr(xml.p, "<CommonPrefixes><Prefix>a%20b/%2B/</Prefix>"));
	assert_non_null(strstr(xml.p, "<Prefix>a%20b/</Prefix><StartAfter>a%20a</StartAfter>"));
	assert_non_null(strstr(xml.p, "<Delimiter>%2B/</Delimiter>"));
	assert_non_null(strstr(xml.p, "<EncodingType>url</EncodingType>"));
}

static void
test_list_pages_v2(void **state)
{
	struct object_entry entries[] = { { .key = STR("k1"), .etag = STR("0") } };
	struct object_list l = {
		.bucket = STR("exports"), .entries = entries, .n = 1, .truncated = true
	};
	struct str xml = list_xml(*state, "list-type=2&max-keys=1&fetch-owner=true", true, l);
	const char *from = strstr(xml.p, "<NextContinuationToken>"), *to;
	struct str key;

	assert_non_null(from);
	from += strlen("<NextContinuationToken>");
	to = strchr(from, '<');
	assert_true(s3_token_read((struct str){ from, (size_t)(to - from) }, *state, &key));
	assert_text(key, "k1");
	assert_non_null(strstr(xml.p, "<IsTruncated>true</IsTruncated>"));
	assert_non_null(strstr(xml.p, "<Owner><ID>" ACCOUNT "</ID>"));
	assert_null(strstr(xml.p, "<ContinuationToken>"));
}

static void
test_list_pages_v1(void **state)
{
	struct object_entry entries[] = {
		{ .key = STR("k1"), .etag = STR("0") },
		{ .key = STR("p/"), .is_prefix = true, .etag = STR("") },
	};
	struct object_list l = {
		.bucket = STR("exports"), .entries = entries, .n = 2, .truncated = true
	};
	struct str xml = list_xml(*state, "max-keys=2&marker=a&delimiter=/", false, l);

	assert_non_null(strstr(xml.p, "<Marker>a</Marker><NextMarker>p/</NextMarker>"));
	assert_null(strstr(xml.p, "KeyCount"));
	assert_non_null(strstr(xml.p, "<Owner>"));
	xml = list_xml(*state, "max-keys=2", false, l);
	assert_non_null(strstr(xml.p, "<Marker></Marker>"));
	assert_null(strstr(xml.p, "NextMarker"));
}

/* What XML cannot hold must not break the document. */
static void
test_list_control_characters(void **state)
{
	struct object_entry entries[] = { { .key = STR("a\x01<b>"), .etag = STR("0") } };
	struct object_list l = { .bucket = STR("exports"), .entries = entries, .n = 1 };
	struct str xml = list_xml(*state, "list-type=2", true, l);

	assert_non_null(strstr(xml.p, "<Key>a\xef\xbf\xbd&lt;b&gt;</Key>"));
	xml = list_xml(*state, "list-type=2&encoding-type=url", true, l);
	assert_non_null(strstr(xml.p, "<Key>a%01%3Cb%3E</Key>"));
}

static void
test_parameters(void **state)
{
	struct s3_params q = params(*state,
	    "list-type=2&prefix=p&delimiter=/&max-keys=1001&start-after=x&fetch-owner=false");
	struct s3_list_args a;

	assert_int_equal(s3_list_parse(&q, true, *state, &a, NULL), SOUK_OK);
	assert_text(a.prefix, "p");
	assert_text(a.delimiter, "/");
	assert_text(a.after, "x");
	assert_int_equal(a.max_keys, 1000);
	assert_false(a.url || a.owner);
	q = params(*state, "list-type=2&max-keys=2147483647");
	assert_int_equal(s3_list_parse(&q, true, *state, &a, NULL), SOUK_OK);
	assert_int_equal(a.max_keys, 1000);
	assert_int_equal(a.after.n, 0);
	q = params(*state, "marker=m&start-after=x&continuation-token=nonsense");
	assert_int_equal(s3_list_parse(&q, false, *state, &a, NULL), SOUK_OK);
	assert_text(a.after, "m"); /* the others are not V1's */
}

static void
test_parameters_refused(void **state)
{
	static const char *const bad[] = { "list-type=1", "list-type=", "list-type=2&max-keys=-1",
		"list-type=2&max-keys=a", "list-type=2&max-keys=1.5",
		"list-type=2&max-keys=2147483648", "list-type=2&encoding-type=base64",
		"list-type=2&encoding-type=", "list-type=2&continuation-token=",
		"list-type=2&continuation-token=abc", "list-type=2&continuation-token=AAAAAAAA" };
	struct s3_list_args a = { .max_keys = 7 };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct s3_params q = params(*state, bad[i]);
		struct fail f = { .err = SOUK_OK };

		assert_row(i, s3_list_parse(&q, true, *state, &a, &f) == SOUK_E_INVALID);
		assert_row(i, strcmp(f.code, "InvalidArgument") == 0);
		assert_row(i, a.max_keys == 7);
	}
}

/* A token wins over start-after. */
static void
test_token_wins(void **state)
{
	struct buf token = { 0 }, query = { 0 };
	struct s3_list_args a;
	struct s3_params q;

	s3_token_write(STR("k\xc3\xbc+ /9"), &token);
	buf_add_c(&query, "list-type=2&start-after=zzz&continuation-token=");
	buf_add_percent(&query, buf_str(&token), "");
	q = params(*state, query.p);
	assert_int_equal(s3_list_parse(&q, true, *state, &a, NULL), SOUK_OK);
	assert_text(a.after, "k\xc3\xbc+ /9");
	assert_text(a.start_after, "zzz");
	buf_done(&token);
	buf_done(&query);
}

/* Every change of a token is noticed. */
static void
test_token_changed(void **state)
{
	struct buf token = { 0 };
	struct str key;

	s3_token_write(STR("exports/2026-11-21.csv"), &token);
	for (size_t i = 0; i < token.n; i++) {
		char was = token.p[i];

		token.p[i] = was == 'A' ? 'B' : 'A';
		assert_row(i, !s3_token_read(buf_str(&token), *state, &key));
		token.p[i] = was;
	}
	for (size_t n = 0; n < token.n; n++)
		assert_row(n, !s3_token_read((struct str){ token.p, n }, *state, &key));
	assert_true(s3_token_read(buf_str(&token), *state, &key));
	buf_done(&token);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		arena_test(test_buckets),
		arena_test(test_location),
		arena_test(test_list_v2),
		arena_test(test_list_empty),
		arena_test(test_list_encoded),
		arena_test(test_list_pages_v2),
		arena_test(test_list_pages_v1),
		arena_test(test_list_control_characters),
		arena_test(test_parameters),
		arena_test(test_parameters_refused),
		arena_test(test_token_wins),
		arena_test(test_token_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
