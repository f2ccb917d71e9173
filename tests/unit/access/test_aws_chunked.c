/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws-chunked bodies. The signed examples are those of the S3 API Reference (64 KiB, 1 KiB,
 * 0), so their signatures were made by somebody else. Every accepted body is fed whole and
 * in pieces of every small size; every byte of it is changed and cut once.
 */
#include "access/sigv4.h"
#include "base/digest.h"
#include "base/io.h"

#include "check.h"

struct keep {
	struct sink sink;
	struct buf got;
	enum souk_err err;
};

static enum souk_err
keep_write(struct sink *s, const void *p, size_t n)
{
	struct keep *k = (struct keep *)s;

	buf_add(&k->got, p, n);
	return k->err;
}

#define SCOPE "20130524/us-east-1/s3/aws4_request"
#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define SEED_TRAILER "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"

static struct sigv4_result
seed_of(enum sigv4_payload payload)
{
	struct sigv4_result r = {
		.payload = payload, .scope = STR(SCOPE), .amz_date = STR("20130524T000000Z")
	};

	sigv4_signing_key(STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), STR("20130524"),
	    STR("us-east-1"), STR("s3"), r.signing_key);
	(void)snprintf(r.signature, sizeof(r.signature), "%s",
	    payload == SIGV4_BODY_CHUNKS_SIGNED_TRAILER ? SEED_TRAILER : SEED);
	return r;
}

struct body {
	enum sigv4_payload payload;
	uint64_t declared;
	const char *trailer;
	struct buf text;
};

static void
add_a(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_char(b, 'a');
}

/* The two examples of the API Reference. */
static struct body
signed_body(void)
{
	struct body b = { SIGV4_BODY_CHUNKS_SIGNED, 66560, "", { 0 } };

	buf_add_c(&b.text, "10000;chunk-signature="
			   "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n");
	add_a(&b.text, 65536);
	buf_add_c(&b.text, "\r\n400;chunk-signature="
			   "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n");
	add_a(&b.text, 1024);
	buf_add_c(&b.text,
	    "\r\n0;chunk-signature="
	    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n");
	return b;
}

static struct body
trailer_body(void)
{
	struct body b = { SIGV4_BODY_CHUNKS_SIGNED_TRAILER, 66560, "x-amz-checksum-crc32c", { 0 } };

	buf_add_c(&b.text, "10000;chunk-signature="
			   "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n");
	add_a(&b.text, 65536);
	buf_add_c(&b.text, "\r\n400;chunk-signature="
			   "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n");
	add_a(&b.text, 1024);
	buf_add_c(&b.text,
	    "\r\n0;chunk-signature="
	    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
	    "x-amz-checksum-crc32c:sOO8/Q==\r\n"
	    "x-amz-trailer-signature:"
	    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n");
	return b;
}

static struct body
plain_body(const char *trailer, const char *text)
{
	struct body b = { SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER, 11, trailer, { 0 } };

	buf_add_c(&b.text, text);
	return b;
}

/* Feeds in pieces of `piece`; the outcome, its S3 code in *code, the decoded bytes in *got. */
static enum souk_err
run(const struct body *b, struct str text, size_t piece, const char **code, struct buf *got)
{
	struct sigv4_result seed = seed_of(b->payload);
	struct keep keep = { .sink = { keep_write } };
	struct aws_chunked *c = NULL;
	struct fail f = { 0 };
	enum souk_err err =
	    aws_chunked_new(&seed, b->declared, str_c(b->trailer), &keep.sink, &c, &f);

	for (size_t at = 0; at < text.n && err == SOUK_OK; at += piece)
		err =
		    aws_chunked_feed(c, text.p + at, piece < text.n - at ? piece : text.n - at, &f);
	if (err == SOUK_OK)
		err = aws_chunked_end(c, &f);
	else if (c)
		assert_int_equal(aws_chunked_end(c, NULL), err); /* stays refused */
	if (err != SOUK_OK)
		assert_true(f.err == err && f.code && f.detail[0]);
	*code = f.code ? f.code : "";
	assert_true(keep.got.n <= b->declared);
	if (got)
		*got = keep.got;
	else
		buf_done(&keep.got);
	aws_chunked_free(c);
	return err;
}

static void
accept_all_ways(struct body b, const char *want, size_t want_n)
{
	static const size_t pieces[] = { SIZE_MAX, 1, 2, 3, 7, 64, 85, 86, 87, 4096, 65536 };

	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct buf got = { 0 };
		const char *code;
		enum souk_err err = run(&b, buf_str(&b.text), pieces[i], &code, &got);

		if (err != SOUK_OK)
			fail_msg("pieces of %zu: %s", pieces[i], code);
		assert_int_equal(got.n, want_n);
		if (want)
			assert_memory_equal(got.p, want, want_n);
		buf_done(&got);
	}
	buf_done(&b.text);
}

static void
test_signed(void **state)
{
	(void)state;
	accept_all_ways(signed_body(), NULL, 66560);
}

static void
test_signed_trailer(void **state)
{
	(void)state;
	accept_all_ways(trailer_body(), NULL, 66560);
}

static const struct {
	const char *name, *value;
} sums[] = {
	/* of "hello world" */
	{ "x-amz-checksum-crc32", "DUoRhQ==" },
	{ "x-amz-checksum-crc32c", "yZRlqg==" },
	{ "x-amz-checksum-sha1", "Kq5sNclPz7QV2+lfQIuc6R7oRu0=" },
	{ "x-amz-checksum-sha256", "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=" },
	{ "x-amz-checksum-crc64nvme", "jSnVw/bqjr4=" },
};

static void
test_unsigned(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(sums); i++) {
		(void)snprintf(text, sizeof(text), "b\r\nhello world\r\n0\r\n%s:%s\r\n\r\n",
		    sums[i].name, sums[i].value);
		accept_all_ways(plain_body(sums[i].name, text), "hello world", 11);
		(void)snprintf(text, sizeof(text),
		    "6\r\nhello \r\n0005\r\nworld\r\n0\r\n%s: %s \r\n\r\n", sums[i].name,
		    sums[i].value);
		accept_all_ways(plain_body(sums[i].name, text), "hello world", 11);
	}
	accept_all_ways(plain_body("", "b\r\nhello world\r\n0\r\n\r\n"), "hello world", 11);
	accept_all_ways(plain_body(" X-Amz-Checksum-CRC32 ",
			    "B\r\nhello world\r\n0\r\nX-Amz-Checksum-Crc32:DUoRhQ==\r\n\r\n"),
	    "hello world", 11);
}

static void
test_unsigned_empty(void **state)
{
	struct body b =
	    plain_body("x-amz-checksum-crc32", "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");

	(void)state;
	b.declared = 0;
	accept_all_ways(b, "", 0);
}

/* A checksum of one kind does not pass for another's, nor a wrong one for its own. */
static void
test_wrong_sums(void **state)
{
	char text[256];
	const char *code;

	(void)state;
	for (size_t i = 0; i < COUNT(sums); i++) {
		struct body b = plain_body(sums[i].name, "");

		(void)snprintf(text, sizeof(text), "b\r\nhello worle\r\n0\r\n%s:%s\r\n\r\n",
		    sums[i].name, sums[i].value);
		assert_int_equal(run(&b, str_c(text), SIZE_MAX, &code, NULL), SOUK_E_INVALID);
		assert_string_equal(code, "BadDigest");
		for (size_t k = 0; k < COUNT(sums); k++) {
			if (k == i)
				continue;
			(void)snprintf(text, sizeof(text), "b\r\nhello world\r\n0\r\n%s:%s\r\n\r\n",
			    sums[i].name, sums[k].value);
			assert_int_equal(
			    run(&b, str_c(text), SIZE_MAX, &code, NULL), SOUK_E_INVALID);
			(void)snprintf(text, sizeof(text), "b\r\nhello world\r\n0\r\n%s:%s\r\n\r\n",
			    sums[k].name, sums[k].value);
			assert_int_equal(
			    run(&b, str_c(text), SIZE_MAX, &code, NULL), SOUK_E_INVALID);
			assert_string_equal(code, "InvalidRequest");
		}
	}
}

#define SUM "x-amz-checksum-crc32:DUoRhQ=="

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "", "IncompleteBody" },
		{ "b", "IncompleteBody" },
		{ "b\r\nhello", "IncompleteBody" },
		{ "b\r\nhello world", "IncompleteBody" },
		{ "b\r\nhello world\r\n", "IncompleteBody" },
		{ "b\r\nhello world\r\n0\r\n", "IncompleteBody" },
		{ "b\r\nhello world\r\n0\r\n" SUM "\r\n", "IncompleteBody" },
		{ "b\r\nhello world\r\n0\r\n" SUM "\r\n\r", "IncompleteBody" },
		{ "a\r\nhello worl\r\n0\r\n" SUM "\r\n\r\n", "IncompleteBody" },
		{ "b\r\nhello world\r\n0\r\n" SUM "\r\n\r\n\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\n" SUM "\r\n\r\n0\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\n" SUM "\r\nx: y\r\n\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\n\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n1\r\n!\r\n0\r\n" SUM "\r\n\r\n", "InvalidRequest" },
		{ "c\r\nhello world!\r\n0\r\n" SUM "\r\n\r\n", "InvalidRequest" },
		{ "a\r\nhello world\r\n0\r\n" SUM "\r\n\r\n", "InvalidRequest" },
		{ "ffffffffffffffff\r\n", "InvalidRequest" },
		{ "8000000000000000\r\n", "InvalidRequest" },
		{ "1000000000000000b\r\n", "InvalidRequest" },
		{ "10000000000000000\r\n", "InvalidRequest" },
		{ "0000000000000000b\r\nhello world\r\n", "InvalidRequest" },
		{ "\r\n", "InvalidRequest" },
		{ "-b\r\n", "InvalidRequest" },
		{ "+b\r\n", "InvalidRequest" },
		{ " b\r\n", "InvalidRequest" },
		{ "b \r\n", "InvalidRequest" },
		{ "0xb\r\n", "InvalidRequest" },
		{ "g\r\n", "InvalidRequest" },
		{ "b\nhello world\r\n", "InvalidRequest" },
		{ "b;chunk-signature=x\r\n", "InvalidRequest" },
		{ "b;\r\nhello world\r\n", "InvalidRequest" },
		{ "b\r\nhello world\n0\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32\r\n\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:\r\n\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ\r\n\r\n",
		    "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoR\r\n\r\n", "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhR==\r\n\r\n",
		    "InvalidRequest" },
		{ "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhA==\r\n\r\n", "BadDigest" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct body b = plain_body("x-amz-checksum-crc32", "");

		for (size_t piece = 1; piece < 6; piece++) {
			const char *code;

			assert_row(
			    i, run(&b, str_c(rows[i].text), piece, &code, NULL) == SOUK_E_INVALID);
			if (strcmp(code, rows[i].code) != 0)
				fail_msg("row %zu: %s", i, code);
		}
	}
}

/* A line without end is refused long before memory is. */
static void
test_long_line(void **state)
{
	struct body b = plain_body("", "");
	struct buf text = { 0 };
	const char *code;

	(void)state;
	add_a(&text, 1 << 20);
	assert_int_equal(run(&b, buf_str(&text), SIZE_MAX, &code, NULL), SOUK_E_INVALID);
	assert_string_equal(code, "InvalidRequest");
	assert_int_equal(run(&b, buf_str(&text), 1, &code, NULL), SOUK_E_INVALID);
	buf_done(&text);
}

/* Any byte of a signed body changed, and any end of it cut off, is noticed. */
static void
damage(struct body b)
{
	struct str text = buf_str(&b.text);
	const char *code;

	for (size_t i = 0; i < text.n; i++) {
		/* The data's middle is all alike. */
		if (i == 200)
			i = 65500;
		if (i == 65900)
			i = 66500;
		b.text.p[i] ^= 1;
		if (run(&b, text, SIZE_MAX, &code, NULL) == SOUK_OK)
			fail_msg("byte %zu", i);
		b.text.p[i] ^= 1;
		if (run(&b, (struct str){ text.p, i }, SIZE_MAX, &code, NULL) == SOUK_OK)
			fail_msg("cut at %zu", i);
		assert_string_equal(code, "IncompleteBody");
	}
	b.declared++;
	assert_int_equal(run(&b, text, SIZE_MAX, &code, NULL), SOUK_E_INVALID);
	assert_string_equal(code, "IncompleteBody");
	b.declared -= 2;
	assert_int_equal(run(&b, text, SIZE_MAX, &code, NULL), SOUK_E_INVALID);
	assert_string_equal(code, "InvalidRequest");
	buf_done(&b.text);
}

static void
test_damage_signed(void **state)
{
	(void)state;
	damage(signed_body());
}

static void
test_damage_trailer(void **state)
{
	(void)state;
	damage(trailer_body());
}

static void
test_signature_codes(void **state)
{
	struct body b = signed_body();
	const char *code;

	(void)state;
	b.text.p[200] = 'b';
	assert_int_equal(run(&b, buf_str(&b.text), SIZE_MAX, &code, NULL), SOUK_E_DENIED);
	assert_string_equal(code, "SignatureDoesNotMatch");
	buf_done(&b.text);
	b = trailer_body();
	b.text.p[b.text.n - 5] = 'x';
	assert_int_equal(run(&b, buf_str(&b.text), SIZE_MAX, &code, NULL), SOUK_E_DENIED);
	assert_string_equal(code, "SignatureDoesNotMatch");
	/* The trailer is covered: another checksum is not merely a bad digest. */
	buf_done(&b.text);
	b = trailer_body();
	*strstr(b.text.p, "sOO8") = 't';
	assert_int_equal(run(&b, buf_str(&b.text), SIZE_MAX, &code, NULL), SOUK_E_DENIED);
	buf_done(&b.text);
}

/* Adds a signed chunk of `n` bytes; `prev` chains. */
static void
add_chunk(struct buf *out, const struct sigv4_result *seed, char prev[65], size_t n)
{
	struct buf data = { 0 }, s = { 0 };
	uint8_t hash[32], none[32];

	add_a(&data, n);
	sha256(data.p, data.n, hash);
	sha256("", 0, none);
	buf_printf(&s, "AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n" SCOPE "\n%s\n", prev);
	buf_add_hex(&s, none, 32);
	buf_add_char(&s, '\n');
	buf_add_hex(&s, hash, 32);
	sigv4_signature(seed->signing_key, buf_str(&s), prev);
	buf_printf(out, "%zx;chunk-signature=%s\r\n", n, prev);
	buf_add_str(out, buf_str(&data));
	buf_add_c(out, "\r\n");
	buf_done(&data);
	buf_done(&s);
}

/* Of signed chunks only the last may be smaller than 8 KiB. */
static void
test_small_chunks(void **state)
{
	static const struct {
		size_t sizes[3];
		enum souk_err want;
	} rows[] = {
		{ { 8192, 8192, 1 }, SOUK_OK },
		{ { 8192, 8192, 8192 }, SOUK_OK },
		{ { 8191, 8192, 1 }, SOUK_E_INVALID },
		{ { 8192, 8191, 1 }, SOUK_E_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct body b = { SIGV4_BODY_CHUNKS_SIGNED, 0, "", { 0 } };
		struct sigv4_result seed = seed_of(b.payload);
		const char *code;
		char prev[65];

		(void)snprintf(prev, sizeof(prev), "%s", seed.signature);
		for (size_t k = 0; k < 3; k++) {
			add_chunk(&b.text, &seed, prev, rows[i].sizes[k]);
			b.declared += rows[i].sizes[k];
		}
		add_chunk(&b.text, &seed, prev, 0);
		assert_row(i, run(&b, buf_str(&b.text), 1000, &code, NULL) == rows[i].want);
		if (rows[i].want != SOUK_OK)
			assert_string_equal(code, "InvalidRequest");
		buf_done(&b.text);
	}
}

static void
test_new_refused(void **state)
{
	static const struct {
		enum sigv4_payload payload;
		const char *trailer;
	} rows[] = {
		{ SIGV4_BODY_CHUNKS_SIGNED, "x-amz-checksum-crc32" },
		{ SIGV4_BODY_CHUNKS_SIGNED_TRAILER, "" },
		{ SIGV4_BODY_CHUNKS_SIGNED_TRAILER, "x-amz-checksum-md5" },
		{ SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER, "x-amz-checksum-" },
		{ SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER, "x-amz-checksum-crc32,x-amz-checksum-sha1" },
		{ SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER, "content-md5" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct body b = { rows[i].payload, 11, rows[i].trailer, { 0 } };
		const char *code;

		assert_row(i, run(&b, STR(""), 1, &code, NULL) == SOUK_E_INVALID);
		assert_string_equal(code, "InvalidRequest");
	}
}

/* What the sink says is handed on, once and for all. */
static void
test_sink_fails(void **state)
{
	struct sigv4_result seed = seed_of(SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER);
	struct keep keep = { .sink = { keep_write }, .err = SOUK_E_STORAGE };
	struct aws_chunked *c = NULL;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(aws_chunked_new(&seed, 11, STR(""), &keep.sink, &c, NULL), SOUK_OK);
	assert_int_equal(aws_chunked_feed(c, "b\r\nhello", 8, &f), SOUK_E_STORAGE);
	assert_string_equal(f.code, "InternalError");
	keep.err = SOUK_OK;
	assert_int_equal(aws_chunked_feed(c, " world\r\n0\r\n\r\n", 13, NULL), SOUK_E_STORAGE);
	assert_int_equal(aws_chunked_end(c, NULL), SOUK_E_STORAGE);
	assert_int_equal(keep.got.n, 5);
	buf_done(&keep.got);
	aws_chunked_free(c);
	aws_chunked_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_signed_trailer),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_unsigned_empty),
		cmocka_unit_test(test_wrong_sums),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_damage_signed),
		cmocka_unit_test(test_damage_trailer),
		cmocka_unit_test(test_signature_codes),
		cmocka_unit_test(test_small_chunks),
		cmocka_unit_test(test_new_refused),
		cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
