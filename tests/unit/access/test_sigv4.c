/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 against vectors made by others (tests/vectors/sigv4/make.py): every
 * directory there is a check of its own. Then what a vector cannot say: that an unknown key
 * and a wrong signature look and cost the same.
 */
#include "access/sigv4.h"
#include "base/io.h"

#include "check.h"
#include "raw.h"

#include <dirent.h>
#include <jansson.h>

#define DIRECTORIES_MAX 1000

struct vector {
	char name[256];
	struct buf request, canonical, to_sign, signature, refused;
	json_t *context;
};

static void
read_text(const char *dir, const char *file, bool must, struct buf *ret)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s/%s", VECTORS, dir, file);
	if (io_read_file(path, 1 << 20, ret, NULL) != SOUK_OK && must)
		fail_msg("cannot read %s", path);
}

static void
vector_load(struct vector *v)
{
	struct buf context = { 0 };

	read_text(v->name, "request.txt", true, &v->request);
	read_text(v->name, "context.json", true, &context);
	read_text(v->name, "refused.txt", false, &v->refused);
	read_text(v->name, "canonical.txt", v->refused.n == 0, &v->canonical);
	read_text(v->name, "to-sign.txt", v->refused.n == 0, &v->to_sign);
	read_text(v->name, "signature.txt", v->refused.n == 0, &v->signature);
	assert_int_equal(json_read(buf_str(&context), &v->context, NULL), SOUK_OK);
	buf_done(&context);
}

static void
vector_done(struct vector *v)
{
	buf_done(&v->request);
	buf_done(&v->canonical);
	buf_done(&v->to_sign);
	buf_done(&v->signature);
	buf_done(&v->refused);
	json_decref(v->context);
	v->context = NULL;
}

static const char *
member(const struct vector *v, const char *name)
{
	const char *s = json_string_value(json_object_get(v->context, name));

	if (!s)
		fail_msg("%s: context.json lacks %s", v->name, name);
	return s;
}

static const char *
payload_word(enum sigv4_payload p)
{
	static const char *const words[] = { "hashed", "unsigned", "chunks-signed",
		"chunks-signed-trailer", "chunks-unsigned-trailer" };

	return words[p];
}

static void
check_text(const char *stage, struct str got, const struct buf *want)
{
	if (!str_eq(got, buf_str(want)))
		fail_msg("%s differs:\n%.*s", stage, (int)got.n, got.p);
}

/* The stages again, one by one, as the signer uses them. */
static void
check_stages(const struct vector *v, const struct raw *raw, const struct sigv4_result *res)
{
	struct buf canonical = { 0 }, to_sign = { 0 };
	struct str rest = buf_str(&v->canonical), line, hash = { NULL, 0 },
		   signed_headers = { NULL, 0 };
	uint8_t key[32];
	char signature[65];

	while (str_split(&rest, '\n', &line)) {
		signed_headers = hash;
		hash = line;
	}
	assert_int_equal(sigv4_canonical(&raw->req, str_eq_c(res->service, "s3"), signed_headers,
			     hash, &canonical),
	    SOUK_OK);
	check_text("sigv4_canonical", buf_str(&canonical), &v->canonical);
	sigv4_to_sign(res->amz_date, res->scope, buf_str(&canonical), &to_sign);
	check_text("sigv4_to_sign", buf_str(&to_sign), &v->to_sign);
	sigv4_signing_key(str_c(member(v, "secret")), (struct str){ res->scope.p, 8 }, res->region,
	    res->service, key);
	sigv4_signature(key, buf_str(&to_sign), signature);
	check_text("sigv4_signature", str_c(signature), &v->signature);
	buf_done(&canonical);
	buf_done(&to_sign);
}

static void
check_accepted(const struct vector *v, const struct raw *raw, const struct sigv4_result *res)
{
	if (res->why != SIGV4_OK)
		fail_msg("refused: %s: %.*s\n%.*s", sigv4_why_word(res->why), (int)res->detail.n,
		    res->detail.p, (int)res->canonical.n, res->canonical.p);
	check_text("canonical", res->canonical, &v->canonical);
	check_text("to-sign", res->to_sign, &v->to_sign);
	check_text("signature", str_c(res->signature), &v->signature);
	assert_non_null(res->who);
	assert_string_equal(payload_word(res->payload), member(v, "payload"));
	assert_true(str_eq_c(res->service, member(v, "service")));
	assert_true(str_eq_c(res->access_key_id, member(v, "accessKeyId")));
	check_stages(v, raw, res);
}

static void
check_refused(const struct vector *v, const struct sigv4_result *res)
{
	static const uint8_t none[32];
	struct str want = str_trim(buf_str(&v->refused));

	if (!str_eq_c(want, sigv4_why_word(res->why)))
		fail_msg("%s instead of %.*s", sigv4_why_word(res->why), (int)want.n, want.p);
	assert_null(res->who);
	assert_true(res->detail.n > 10);
	assert_memory_equal(res->signing_key, none, sizeof(none));
	if (res->why == SIGV4_SIGNATURE)
		assert_true(res->canonical.n > 0 && res->to_sign.n > 0);
}

static void
test_vector(void **state)
{
	struct vector *v = *state;
	struct arena *mem = arena_new((size_t)1 << 20);
	struct access *access = NULL;
	struct sigv4_rules rules = { .skew_ms = 5 * MINUTE_MS, .skew_s3_ms = 15 * MINUTE_MS };
	struct sigv4_result res;
	struct one_key key;
	struct raw raw;

	vector_load(v);
	key = (struct one_key){ str_c(member(v, "accessKeyId")), str_c(member(v, "secret")), 0 };
	rules.region = member(v, "region");
	assert_true(instant_parse_amz(str_c(member(v, "now")), &rules.now));
	raw_parse(buf_str(&v->request), &raw);
	assert_int_equal(one_key_access(&key, &access), SOUK_OK);
	/* Twice: from the source, then from the cache. */
	for (int i = 0; i < 2; i++) {
		sigv4_verify(access, &rules, &raw.req, mem, &res);
		if (v->refused.n > 0)
			check_refused(v, &res);
		else
			check_accepted(v, &raw, &res);
		principal_release(res.who);
		assert_true(
		    key.asked <= (res.access_key_id.n < 64 ? 1 : 2)); /* longer: not cached */
	}
	access_free(access);
	arena_free(mem);
	vector_done(v);
}

/* ---- what vectors cannot say ---- */

struct signer {
	struct str key_id, secret;
	struct str body, content_sha256;
};

#define SIGN_DATE "20150830T123600Z"
#define SIGN_SCOPE "20150830/us-east-1/s3/aws4_request"
#define SIGN_HEADERS "host;x-amz-content-sha256;x-amz-date"

struct signed_request {
	struct sigv4_header headers[4];
	struct sigv4_req req;
	char authorization[512];
};

static void
sign(const struct signer *s, struct signed_request *ret)
{
	struct buf canonical = { 0 }, to_sign = { 0 };
	uint8_t key[32];
	char signature[65];

	*ret = (struct signed_request){ .headers = { { STR("Host"), STR("desk.example.com") },
					    { STR("x-amz-content-sha256"), s->content_sha256 },
					    { STR("X-Amz-Date"), STR(SIGN_DATE) } } };
	ret->req = (struct sigv4_req){ .method = STR("PUT"),
		.path = STR("/b/k"),
		.query = STR(""),
		.headers = ret->headers,
		.n_headers = 4,
		.body = s->body };
	assert_int_equal(
	    sigv4_canonical(&ret->req, true, STR(SIGN_HEADERS), s->content_sha256, &canonical),
	    SOUK_OK);
	sigv4_to_sign(STR(SIGN_DATE), STR(SIGN_SCOPE), buf_str(&canonical), &to_sign);
	sigv4_signing_key(s->secret, STR("20150830"), STR("us-east-1"), STR("s3"), key);
	sigv4_signature(key, buf_str(&to_sign), signature);
	(void)snprintf(ret->authorization, sizeof(ret->authorization),
	    "AWS4-HMAC-SHA256 Credential=%.*s/" SIGN_SCOPE ", SignedHeaders=" SIGN_HEADERS
	    ", Signature=%s",
	    (int)s->key_id.n, s->key_id.p, signature);
	ret->headers[3] = (struct sigv4_header){ STR("Authorization"), str_c(ret->authorization) };
	buf_done(&canonical);
	buf_done(&to_sign);
}

static const char secret_a[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static const char secret_b[] = "AAAArXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

static struct sigv4_rules
rules_now(void)
{
	struct sigv4_rules r = {
		.region = "us-east-1", .skew_ms = 5 * MINUTE_MS, .skew_s3_ms = 15 * MINUTE_MS
	};

	assert_true(instant_parse_amz(STR(SIGN_DATE), &r.now));
	return r;
}

/* Every member of the answer is the same, but for the key id that was sent. */
static void
test_unknown_like_wrong(void **state)
{
	struct one_key key = { STR("AKIDEXAMPLE"), str_c(secret_a), 0 };
	struct signer unknown = { STR("AKIDUNKNOWN"), str_c(secret_a), STR(""),
		STR("UNSIGNED-PAYLOAD") };
	struct signer wrong = unknown;
	struct sigv4_rules rules = rules_now();
	struct signed_request r;
	struct sigv4_result a, b;
	struct access *access = NULL;
	struct arena *mem = arena_new((size_t)1 << 20);

	(void)state;
	wrong.key_id = key.id;
	wrong.secret = str_c(secret_b);
	assert_int_equal(one_key_access(&key, &access), SOUK_OK);
	sign(&unknown, &r);
	sigv4_verify(access, &rules, &r.req, mem, &a);
	sign(&wrong, &r);
	sigv4_verify(access, &rules, &r.req, mem, &b);
	assert_int_equal(a.why, SIGV4_SIGNATURE);
	assert_int_equal(b.why, SIGV4_SIGNATURE);
	assert_true(str_eq(a.detail, b.detail));
	assert_true(str_eq(a.canonical, b.canonical));
	assert_true(str_eq(a.to_sign, b.to_sign));
	assert_string_equal(a.signature, "");
	assert_string_equal(b.signature, "");
	/* Both were asked for once, and are remembered. */
	assert_int_equal(key.asked, 2);
	sigv4_verify(access, &rules, &r.req, mem, &b);
	sign(&unknown, &r);
	sigv4_verify(access, &rules, &r.req, mem, &a);
	assert_int_equal(key.asked, 2);
	/* What is unknown takes no room among the known. */
	assert_int_equal(access_cached(access), 2);
	access_free(access);
	arena_free(mem);
}

/* The body comes later: the hash and the seed for it are handed on. */
static void
test_streamed(void **state)
{
	static const char hash[] =
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct one_key key = { STR("AKIDEXAMPLE"), str_c(secret_a), 0 };
	struct signer s = { key.id, key.secret, STR(""), str_c(hash) };
	struct sigv4_rules rules = rules_now();
	struct signed_request r;
	struct sigv4_result res;
	struct access *access = NULL;
	struct arena *mem = arena_new((size_t)1 << 20);
	uint8_t want[32];
	size_t n;

	(void)state;
	assert_int_equal(one_key_access(&key, &access), SOUK_OK);
	sign(&s, &r);
	sigv4_verify(access, &rules, &r.req, mem, &res);
	assert_int_equal(res.why, SIGV4_BODY_HASH);
	r.req.body = STR("abc");
	sigv4_verify(access, &rules, &r.req, mem, &res);
	assert_int_equal(res.why, SIGV4_OK);
	principal_release(res.who);
	r.req.body = STR("");
	r.req.body_streamed = true;
	sigv4_verify(access, &rules, &r.req, mem, &res);
	assert_int_equal(res.why, SIGV4_OK);
	assert_true(hex_decode(str_c(hash), want, sizeof(want), &n));
	assert_memory_equal(res.sha256, want, sizeof(want));
	principal_release(res.who);
	s.content_sha256 = STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
	sign(&s, &r);
	r.req.body_streamed = true;
	sigv4_verify(access, &rules, &r.req, mem, &res);
	assert_int_equal(res.why, SIGV4_OK);
	assert_int_equal(res.payload, SIGV4_BODY_CHUNKS_SIGNED);
	sigv4_signing_key(key.secret, STR("20150830"), STR("us-east-1"), STR("s3"), want);
	assert_memory_equal(res.signing_key, want, sizeof(want));
	principal_release(res.who);
	access_free(access);
	arena_free(mem);
}

/* Without a hash header the body must be there to be hashed. */
static void
test_streamed_without_hash(void **state)
{
	struct one_key key = { STR("AKIDEXAMPLE"), str_c(secret_a), 0 };
	const struct sigv4_header headers[] = { { STR("Host"), STR("desk.example.com") },
		{ STR("X-Amz-Date"), STR(SIGN_DATE) },
		{ STR("Authorization"),
		    STR("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
			"aws-marketplace/aws4_request, SignedHeaders=host;x-amz-date, Signature="
			"0000000000000000000000000000000000000000000000000000000000000000") } };
	const struct sigv4_req req = { .method = STR("POST"),
		.path = STR("/"),
		.query = STR(""),
		.headers = headers,
		.n_headers = 3,
		.body_streamed = true };
	struct sigv4_rules rules = rules_now();
	struct sigv4_result res;
	struct access *access = NULL;
	struct arena *mem = arena_new((size_t)1 << 20);

	(void)state;
	assert_int_equal(one_key_access(&key, &access), SOUK_OK);
	sigv4_verify(access, &rules, &req, mem, &res);
	assert_int_equal(res.why, SIGV4_MISSING_HASH);
	access_free(access);
	arena_free(mem);
}

static enum souk_err
source_down(void *ctx, struct str id, struct principal **ret, uint8_t ret_secret[SECRET_KEY_LEN])
{
	(void)ctx;
	(void)id;
	(void)ret;
	(void)ret_secret;
	return SOUK_E_UNAVAILABLE;
}

/* A database that is away, or no memory left: not a wrong signature. */
static void
test_failed(void **state)
{
	struct one_key key = { STR("AKIDEXAMPLE"), str_c(secret_a), 0 };
	struct signer s = { key.id, key.secret, STR(""), STR("UNSIGNED-PAYLOAD") };
	const struct access_source down = { .by_token = one_key_no_token,
		.by_key = source_down,
		.generation = one_key_generation,
		.ctx = &key };
	struct sigv4_rules rules = rules_now();
	struct signed_request r;
	struct sigv4_result res;
	struct access *access = NULL;
	struct arena *mem = arena_new((size_t)1 << 20), *small = arena_new(64);

	(void)state;
	sign(&s, &r);
	assert_int_equal(access_new_from(&down, &access), SOUK_OK);
	sigv4_verify(access, &rules, &r.req, mem, &res);
	assert_int_equal(res.why, SIGV4_FAILED);
	assert_int_equal(res.err, SOUK_E_UNAVAILABLE);
	assert_null(res.who);
	access_free(access);
	assert_int_equal(one_key_access(&key, &access), SOUK_OK);
	sigv4_verify(access, &rules, &r.req, small, &res);
	assert_int_equal(res.why, SIGV4_FAILED);
	assert_int_equal(res.err, SOUK_E_LIMIT);
	access_free(access);
	arena_free(mem);
	arena_free(small);
}

static void
test_claimed_service(void **state)
{
	static const struct {
		const char *authorization, *query, *want;
	} rows[] = {
		{ NULL, "", "" },
		{ NULL, "list-type=2", "" },
		{ "Bearer souk_x", "", "" },
		{ "AWS AKID:c2ln", "", "s3" },
		{ "AWS4-HMAC-SHA256 Credential=A/20150830/r/aws-marketplace/aws4_request, "
		  "SignedHeaders=host",
		    "", "aws-marketplace" },
		{ "AWS4-HMAC-SHA256 SignedHeaders=host,Credential=A/B/20150830/r/s3/aws4_request",
		    "", "s3" },
		{ "AWS4-ECDSA-P256-SHA256 Credential=A/20150830/s3/aws4_request,", "", "s3" },
		{ "AWS4-HMAC-SHA256 Credential=s3/aws4_request", "", "" },
		{ "AWS4-HMAC-SHA256 Credential=aws4_request", "", "" },
		{ "AWS4-HMAC-SHA256 Credential=A/20150830/r/<s3>/aws4_request", "", "" },
		{ "AWS4-HMAC-SHA256 Credential=", "", "" },
		{ "AWS4-HMAC-SHA256", "", "" },
		{ NULL, "X-Amz-Credential=A%2F20150830%2Fr%2Fs3%2Faws4_request&a=b", "s3" },
		{ NULL, "a=b&X-Amz-Credential=A%2f20150830%2fr%2fs3%2faws4_request", "s3" },
		{ NULL, "X-Amz-Credential=A/20150830/r/s3/aws4_request", "s3" },
		{ NULL, "X-Amz-Credential=%2F%2F", "" },
		{ NULL, "X-Amz-Credential=%2", "" },
		{ NULL, "AWSAccessKeyId=A&Signature=x&Expires=1", "s3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct sigv4_header h = { STR("AUTHORIZATION"),
			str_c(rows[i].authorization) };
		const struct sigv4_req r = { .query = str_c(rows[i].query),
			.headers = &h,
			.n_headers = rows[i].authorization != NULL };

		assert_row(i, str_eq_c(sigv4_claimed_service(&r), rows[i].want));
	}
}

/* A secret of any length, as HMAC has it (RFC 2104): of the agent's configuration, not ours. */
static void
test_long_secret(void **state)
{
	static const char secret[] = "0123456789012345678901234567890123456789"
				     "0123456789012345678901234567890123456789";

	(void)state;
	for (size_t n = 0; n < sizeof(secret); n++) {
		char first[4 + sizeof(secret)] = "AWS4";
		uint8_t want[32], got[32];

		memcpy(first + 4, secret, n);
		hmac_sha256(first, 4 + n, "20150830", 8, want);
		hmac_sha256(want, 32, "r", 1, want);
		hmac_sha256(want, 32, "s3", 2, want);
		hmac_sha256(want, 32, "aws4_request", 12, want);
		sigv4_signing_key(
		    (struct str){ secret, n }, STR("20150830"), STR("r"), STR("s3"), got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
test_canonical_refusals(void **state)
{
	const struct sigv4_header host = { STR("Host"), STR("desk.example.com") };
	struct sigv4_req r = { .method = STR("GET"),
		.path = STR("/"),
		.query = STR(""),
		.headers = &host,
		.n_headers = 1 };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(sigv4_canonical(&r, true, STR("host;x-a"), STR(""), &b), SOUK_E_INVALID);
	assert_int_equal(sigv4_canonical(&r, true, STR(""), STR(""), &b), SOUK_E_INVALID);
	r.path = STR("no-slash");
	assert_int_equal(sigv4_canonical(&r, true, STR("host"), STR(""), &b), SOUK_E_INVALID);
	assert_int_equal(sigv4_canonical(&r, false, STR("host"), STR(""), &b), SOUK_E_INVALID);
	assert_int_equal(b.n, 0);
	r.path = STR("");
	assert_int_equal(sigv4_canonical(&r, true, STR("host"), STR(""), &b), SOUK_OK);
	assert_true(str_starts(buf_str(&b), STR("GET\n/\n\nhost:desk.example.com\n")));
	buf_done(&b);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct vector *)a)->name, ((const struct vector *)b)->name);
}

/* Every directory of the vectors; exits when there is none. */
static size_t
vectors_find(struct vector *list)
{
	DIR *d = opendir(VECTORS);
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && e->d_type == DT_DIR && n < DIRECTORIES_MAX)
			(void)snprintf(list[n++].name, sizeof(list[0].name), "%s", e->d_name);
	if (d)
		(void)closedir(d);
	qsort(list, n, sizeof(list[0]), by_name);
	return n;
}

int
main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_unknown_like_wrong),
		cmocka_unit_test(test_streamed),
		cmocka_unit_test(test_streamed_without_hash),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_claimed_service),
		cmocka_unit_test(test_long_secret),
		cmocka_unit_test(test_canonical_refusals),
	};
	static struct vector vectors[DIRECTORIES_MAX];
	static struct CMUnitTest tests[DIRECTORIES_MAX];
	size_t n = vectors_find(vectors);
	int failed = cmocka_run_group_tests(fixed, NULL, NULL);

	if (n == 0) {
		(void)fprintf(stderr, "no vectors in %s\n", VECTORS);
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){ .name = vectors[i].name,
			.test_func = test_vector,
			.initial_state = &vectors[i] };
	return failed + _cmocka_run_group_tests("vectors", tests, n, NULL, NULL);
}
