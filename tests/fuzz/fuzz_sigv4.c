/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw HTTP request for the verifier; its body for the reader of aws-chunked bodies (the
 * corpus has some that are signed with the key and seed below).
 *
 * Besides memory errors: what is accepted must bear the signature of the one key, and a
 * body must decode alike however it is cut into pieces.
 */
#include "../unit/access/raw.h"
#include "base/io.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct one_key key = { STR("AKIDEXAMPLE"), STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
	0 };

static void
check_result(const struct sigv4_result *res)
{
	struct buf to_sign = { 0 };
	char signature[65];
	uint8_t k[32];

	assert((unsigned)res->why < SIGV4__COUNT);
	assert((res->who != NULL) == (res->why == SIGV4_OK));
	if (res->why != SIGV4_OK) {
		assert(res->detail.n > 0);
		return;
	}
	assert(str_eq(res->access_key_id, key.id));
	sigv4_signing_key(
	    key.secret, (struct str){ res->scope.p, 8 }, res->region, res->service, k);
	sigv4_to_sign(res->amz_date, res->scope, res->canonical, &to_sign);
	sigv4_signature(k, buf_str(&to_sign), signature);
	assert(strcmp(signature, res->signature) == 0);
	buf_done(&to_sign);
}

struct count {
	struct sink sink;
	struct sha256_ctx sum;
	uint64_t n;
};

static enum souk_err
count_write(struct sink *s, const void *p, size_t n)
{
	struct count *c = (struct count *)s;

	c->n += n;
	sha256_update(&c->sum, n, p);
	return SOUK_OK;
}

static enum souk_err
decode(const struct sigv4_result *seed, struct str body, uint64_t declared, size_t piece,
    uint8_t sum[SHA256_LEN])
{
	struct count count = { .sink = { count_write } };
	struct aws_chunked *c = NULL;
	struct str trailer =
	    seed->payload == SIGV4_BODY_CHUNKS_SIGNED ? STR("") : STR("x-amz-checksum-crc32");
	enum souk_err err = aws_chunked_new(seed, declared, trailer, &count.sink, &c, NULL);

	assert(err == SOUK_OK);
	sha256_init(&count.sum);
	for (size_t at = 0; at < body.n && err == SOUK_OK; at += piece)
		err = aws_chunked_feed(
		    c, body.p + at, piece < body.n - at ? piece : body.n - at, NULL);
	if (err == SOUK_OK)
		err = aws_chunked_end(c, NULL);
	assert(count.n <= declared);
	assert(err != SOUK_OK || count.n == declared);
	sha256_digest(&count.sum, SHA256_LEN, sum);
	aws_chunked_free(c);
	return err;
}

/* As the header x-amz-decoded-content-length says; 0 without. */
static uint64_t
declared_length(const struct sigv4_req *r)
{
	uint64_t v = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		if (str_eq_nocase(r->headers[i].name, STR("x-amz-decoded-content-length")) &&
		    str_to_u64(r->headers[i].value, UINT64_MAX, &v))
			break;
	return v;
}

static void
check_chunked(const struct sigv4_req *r)
{
	struct sigv4_result seed = { .scope = STR("20150830/us-east-1/s3/aws4_request"),
		.amz_date = STR("20150830T123600Z") };
	uint64_t declared = declared_length(r);

	memset(seed.signature, '0', 64);
	for (unsigned form = SIGV4_BODY_CHUNKS_SIGNED; form <= SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER;
	     form++) {
		uint8_t whole[SHA256_LEN], cut[SHA256_LEN];
		enum souk_err err;

		seed.payload = (enum sigv4_payload)form;
		err = decode(&seed, r->body, declared, SIZE_MAX / 2, whole);
		if (decode(&seed, r->body, declared, 1 + r->body.n % 7, cut) != err)
			abort();
		assert(memcmp(whole, cut, sizeof(cut)) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct access *access;
	struct arena *mem = arena_new((size_t)8 << 20);
	struct sigv4_rules rules = {
		.region = "", .skew_ms = 5 * MINUTE_MS, .skew_s3_ms = 15 * MINUTE_MS
	};
	struct sigv4_result res;
	struct raw raw;

	if (!access && one_key_access(&key, &access) != SOUK_OK)
		abort();
	if (!mem || !instant_parse_amz(STR("20150830T123600Z"), &rules.now))
		abort();
	raw_parse((struct str){ (const char *)data, n }, &raw);
	(void)sigv4_claimed_service(&raw.req);
	for (int streamed = 0; streamed < 2; streamed++) {
		raw.req.body_streamed = streamed;
		sigv4_verify(access, &rules, &raw.req, mem, &res);
		check_result(&res);
		principal_release(res.who);
	}
	check_chunked(&raw.req);
	arena_free(mem);
	return 0;
}
