/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of a signed request, stage by stage (specs/sigv4-and-s3.md 1).
 *
 * Each stage looks at one thing and either goes on or says why not. Nothing before
 * stage_signature depends on which keys exist, and that stage does the same work for a
 * key that does not: so neither answer nor time tells one from the other.
 */
#include "access/sigv4_int.h"

#include "base/digest.h"
#include "base/secret.h"

#define ALGORITHM STR("AWS4-HMAC-SHA256")
#define ALGORITHM_V4A STR("AWS4-ECDSA-P256-SHA256")
#define AUTHORIZATION_MAX 4096
#define KEY_ID_MAX 128
#define SCOPE_PART_MAX 64
#define EXPIRES_MAX_S 604800

/* Headers with a meaning here, found in one pass. */
enum header {
	H_AUTHORIZATION,
	H_DATE,
	H_AMZ_DATE,
	H_AMZ_CONTENT_SHA256,
	H_AMZ_SECURITY_TOKEN,
	H__COUNT
};

static const struct str header_names[H__COUNT] = {
	[H_AUTHORIZATION] = STR("authorization"),
	[H_DATE] = STR("date"),
	[H_AMZ_DATE] = STR("x-amz-date"),
	[H_AMZ_CONTENT_SHA256] = STR("x-amz-content-sha256"),
	[H_AMZ_SECURITY_TOKEN] = STR("x-amz-security-token"),
};

struct found {
	struct str value; /* of the first */
	unsigned n;
};

struct verify {
	struct access *access;
	const struct sigv4_rules *rules;
	const struct sigv4_req *req;
	struct arena *mem;
	struct sigv4_result *res;
	struct found headers[H__COUNT];
	struct query_params query;
	bool presigned;
	bool s3;
	/* the claim */
	struct str credential, signed_headers, signature;
	struct str date;
	struct str names[SIGNED_HEADERS_MAX];
	size_t n_names;
	struct str payload_hash; /* as it stands in the canonical request */
	char body_hash[2 * SHA256_LEN + 1];
};

const char *
sigv4_why_word(enum sigv4_why w)
{
	static const char *const words[SIGV4__COUNT] = {
		[SIGV4_OK] = "ok",
		[SIGV4_NO_CREDENTIALS] = "no_credentials",
		[SIGV4_TWO_METHODS] = "two_methods",
		[SIGV4_UNSUPPORTED] = "unsupported",
		[SIGV4_MALFORMED] = "malformed",
		[SIGV4_SCOPE] = "scope",
		[SIGV4_CLOCK] = "clock",
		[SIGV4_EXPIRED] = "expired",
		[SIGV4_NOT_YET] = "not_yet",
		[SIGV4_UNSIGNED_HEADER] = "unsigned_header",
		[SIGV4_MISSING_HASH] = "missing_hash",
		[SIGV4_BODY_HASH] = "body_hash",
		[SIGV4_TOKEN] = "token",
		[SIGV4_SIGNATURE] = "signature",
		[SIGV4_QUERY_PARAMETERS] = "query_parameters",
		[SIGV4_FAILED] = "failed",
	};

	return (unsigned)w < SIGV4__COUNT ? words[w] : words[SIGV4_FAILED];
}

static enum sigv4_why
refuse(struct verify *v, enum sigv4_why why, const char *sentence)
{
	v->res->detail = str_c(sentence);
	return why;
}

static enum sigv4_why
failed(struct verify *v, enum souk_err err)
{
	v->res->err = err;
	return refuse(v, SIGV4_FAILED, "The signature could not be checked now.");
}

/* ---- which method ---- */

static void
headers_find(struct verify *v)
{
	for (size_t i = 0; i < v->req->n_headers; i++) {
		const struct sigv4_header *h = &v->req->headers[i];

		for (unsigned k = 0; k < H__COUNT; k++)
			if (h->name.n == header_names[k].n &&
			    str_eq_nocase(h->name, header_names[k]) && v->headers[k].n++ == 0)
				v->headers[k].value = h->value;
	}
}

/* The parameter's value, still encoded; *ret_n counts how often it is there. */
static struct str
param(const struct verify *v, struct str name, unsigned *ret_n)
{
	struct str value = { NULL, 0 };

	*ret_n = 0;
	for (size_t i = 0; i < v->query.n; i++)
		if (str_eq(v->query.p[i].name, name) && (*ret_n)++ == 0)
			value = v->query.p[i].value;
	return value;
}

static bool
param_given(const struct verify *v, struct str name)
{
	unsigned n;

	(void)param(v, name, &n);
	return n > 0;
}

static enum sigv4_why
stage_method(struct verify *v)
{
	bool header, v2;
	enum souk_err err = sigv4_query_parse(v->mem, v->req->query, &v->query);

	headers_find(v);
	header = v->headers[H_AUTHORIZATION].n > 0;
	if (err == SOUK_E_INVALID)
		return refuse(v, header ? SIGV4_MALFORMED : SIGV4_NO_CREDENTIALS,
		    "The query has a broken percent escape.");
	if (err != SOUK_OK)
		return failed(v, err);
	v->presigned = param_given(v, STR("X-Amz-Algorithm")) ||
		       param_given(v, STR("X-Amz-Credential")) ||
		       param_given(v, STR("X-Amz-Signature"));
	v2 = param_given(v, STR("AWSAccessKeyId"));
	if (v->headers[H_AUTHORIZATION].n > 1 || (header && (v->presigned || v2)))
		return refuse(v, SIGV4_TWO_METHODS,
		    "Sign a request once: in the Authorization header or in the query.");
	if (v2 && !v->presigned)
		return refuse(v, SIGV4_UNSUPPORTED,
		    "Presigned with Signature Version 2: sign with version 4 (in boto, "
		    "signature_version='s3v4').");
	if (!header && !v->presigned)
		return refuse(v, SIGV4_NO_CREDENTIALS, "The request is not signed.");
	return SIGV4_OK;
}

/* ---- the claim ---- */

static enum sigv4_why
algorithm_check(struct verify *v, struct str a)
{
	if (str_eq(a, ALGORITHM))
		return SIGV4_OK;
	if (str_eq(a, ALGORITHM_V4A))
		return refuse(v, SIGV4_UNSUPPORTED,
		    "Signed with Signature Version 4A: sign with AWS4-HMAC-SHA256.");
	if (!v->presigned && str_eq(a, STR("AWS")))
		return refuse(v, SIGV4_UNSUPPORTED,
		    "Signed with Signature Version 2: sign with AWS4-HMAC-SHA256.");
	if (v->presigned)
		return refuse(
		    v, SIGV4_QUERY_PARAMETERS, "X-Amz-Algorithm must be AWS4-HMAC-SHA256.");
	return refuse(
	    v, SIGV4_UNSUPPORTED, "The Authorization header must begin with AWS4-HMAC-SHA256.");
}

/* "Credential=..., SignedHeaders=..., Signature=...": any order, blanks around commas or none. */
static enum sigv4_why
authorization_parts(struct verify *v, struct str rest)
{
	static const struct str names[] = { STR("Credential"), STR("SignedHeaders"),
		STR("Signature") };
	struct str *const values[] = { &v->credential, &v->signed_headers, &v->signature };
	struct str part, name = { NULL, 0 };

	while (str_split(&rest, ',', &part)) {
		struct str value = str_trim(part);
		size_t k = 0;

		(void)str_split(&value, '=', &name);
		while (k < 3 && !str_eq(names[k], name))
			k++;
		if (k == 3 || values[k]->p || value.n == 0)
			return refuse(v, SIGV4_MALFORMED,
			    "The Authorization header needs Credential, SignedHeaders and "
			    "Signature, each once and nothing else.");
		*values[k] = value;
	}
	if (!v->credential.p || !v->signed_headers.p || !v->signature.p)
		return refuse(v, SIGV4_MALFORMED,
		    "The Authorization header lacks Credential, SignedHeaders or Signature.");
	return SIGV4_OK;
}

static enum sigv4_why
claim_from_header(struct verify *v)
{
	struct str rest = str_trim(v->headers[H_AUTHORIZATION].value), algorithm = { NULL, 0 };
	enum sigv4_why why;

	if (rest.n > AUTHORIZATION_MAX)
		return refuse(v, SIGV4_MALFORMED, "The Authorization header is too long.");
	(void)str_split(&rest, ' ', &algorithm);
	why = algorithm_check(v, algorithm);
	return why != SIGV4_OK ? why : authorization_parts(v, rest);
}

/* A decoded parameter that must be there exactly once and not be empty. */
static bool
param_take(struct verify *v, struct str name, struct str *ret)
{
	unsigned n;
	struct str value = param(v, name, &n);
	char *copy;
	size_t len = 0;

	if (n != 1 || value.n == 0 || value.n > AUTHORIZATION_MAX ||
	    !(copy = arena_alloc(v->mem, value.n)) || !percent_decode(value, false, copy, &len))
		return false;
	*ret = (struct str){ copy, len };
	return true;
}

static enum sigv4_why
claim_from_query(struct verify *v)
{
	struct str algorithm, date, expires;
	uint64_t seconds;
	enum sigv4_why why;

	if (!param_take(v, STR("X-Amz-Algorithm"), &algorithm) ||
	    !param_take(v, STR("X-Amz-Credential"), &v->credential) ||
	    !param_take(v, STR("X-Amz-Date"), &date) ||
	    !param_take(v, STR("X-Amz-Expires"), &expires) ||
	    !param_take(v, STR("X-Amz-SignedHeaders"), &v->signed_headers) ||
	    !param_take(v, STR("X-Amz-Signature"), &v->signature))
		return refuse(v, SIGV4_QUERY_PARAMETERS,
		    "A presigned URL needs X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date, "
		    "X-Amz-Expires, X-Amz-SignedHeaders and X-Amz-Signature, each once.");
	if ((why = algorithm_check(v, algorithm)) != SIGV4_OK)
		return why;
	if (!instant_parse_amz(date, &v->res->request_time))
		return refuse(v, SIGV4_QUERY_PARAMETERS, "X-Amz-Date must be YYYYMMDDTHHMMSSZ.");
	if (!str_to_u64(expires, EXPIRES_MAX_S, &seconds) || seconds == 0)
		return refuse(v, SIGV4_QUERY_PARAMETERS,
		    "X-Amz-Expires must be a number of seconds from 1 to 604800.");
	v->res->expires_s = (int64_t)seconds;
	v->res->amz_date = date;
	return SIGV4_OK;
}

/* What is wrong with the claim's form has another name in each method. */
static enum sigv4_why
misshapen(struct verify *v, const char *sentence)
{
	return refuse(v, v->presigned ? SIGV4_QUERY_PARAMETERS : SIGV4_MALFORMED, sentence);
}

static bool
is_lower_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

static enum sigv4_why
stage_claim(struct verify *v)
{
	enum sigv4_why why = v->presigned ? claim_from_query(v) : claim_from_header(v);

	if (why != SIGV4_OK)
		return why;
	if (v->signature.n != 2 * SHA256_LEN || !is_lower_hex(v->signature))
		return misshapen(v, "The signature must be 64 lower-case hexadecimal digits.");
	return SIGV4_OK;
}

/* ---- credential and scope ---- */

/* Takes what stands behind the last '/' off; false when there is none. */
static bool
split_right(struct str *rest, struct str *ret)
{
	for (size_t i = rest->n; i > 0; i--)
		if (rest->p[i - 1] == '/') {
			*ret = (struct str){ rest->p + i, rest->n - i };
			rest->n = i - 1;
			return true;
		}
	return false;
}

/* A region's or a service's name, fit to be repeated in an answer. */
static bool
is_scope_part(struct str s)
{
	if (s.n == 0 || s.n > SCOPE_PART_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

static bool
is_date(struct str s)
{
	uint64_t v;

	return s.n == 8 && str_to_u64(s, 99999999, &v);
}

/* Visible ASCII: what stands in a log must be one word. */
static bool
is_key_id(struct str s)
{
	if (s.n == 0 || s.n > KEY_ID_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static enum sigv4_why
stage_credential(struct verify *v)
{
	struct str rest = v->credential, terminator, service, region;

	if (!split_right(&rest, &terminator) || !split_right(&rest, &service) ||
	    !split_right(&rest, &region) || !split_right(&rest, &v->date) || !is_key_id(rest) ||
	    !is_date(v->date) || !is_scope_part(region) || !is_scope_part(service))
		return misshapen(
		    v, "The credential must be KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
	v->res->access_key_id = rest;
	v->res->region = region;
	v->res->service = service;
	v->res->scope = (struct str){ v->date.p, v->credential.n - rest.n - 1 };
	v->s3 = str_eq(service, STR("s3"));
	if (!str_eq(terminator, STR("aws4_request")))
		return refuse(v, SIGV4_SCOPE, "The credential must end in aws4_request.");
	if (!v->s3 && !str_eq(service, STR("marketplacecommerceanalytics")) &&
	    !str_eq(service, STR("aws-marketplace")))
		return refuse(v, SIGV4_SCOPE,
		    "Credential should be scoped to one of the services s3, "
		    "marketplacecommerceanalytics, aws-marketplace.");
	if (v->rules->region[0] != '\0' && !str_eq_c(region, v->rules->region)) {
		v->res->detail = str_c(arena_printf(
		    v->mem, "Credential should be scoped to the region %s.", v->rules->region));
		return SIGV4_SCOPE;
	}
	return SIGV4_OK;
}

/* ---- time ---- */

static enum sigv4_why
date_from_header(struct verify *v)
{
	const struct found *amz = &v->headers[H_AMZ_DATE], *date = &v->headers[H_DATE];
	struct str text;

	if (amz->n > 1 || (amz->n == 0 && date->n > 1))
		return refuse(v, SIGV4_MALFORMED, "The request's time is given twice.");
	if (amz->n == 0 && date->n == 0)
		return refuse(v, SIGV4_MALFORMED, "The header X-Amz-Date or Date is missing.");
	text = str_trim(amz->n > 0 ? amz->value : date->value);
	if (instant_parse_amz(text, &v->res->request_time)) {
		v->res->amz_date = text;
		return SIGV4_OK;
	}
	if (amz->n > 0)
		return refuse(v, SIGV4_MALFORMED, "X-Amz-Date must be YYYYMMDDTHHMMSSZ.");
	if (!instant_parse_http(text, &v->res->request_time) &&
	    !instant_parse(text, &v->res->request_time))
		return refuse(v, SIGV4_MALFORMED, "Date must be an RFC 1123 or ISO 8601 time.");
	text.p = arena_alloc(v->mem, INSTANT_AMZ_LEN + 1);
	if (!text.p)
		return failed(v, SOUK_E_LIMIT);
	instant_format_amz(v->res->request_time, (char *)(uintptr_t)text.p);
	v->res->amz_date = (struct str){ text.p, INSTANT_AMZ_LEN };
	return SIGV4_OK;
}

static enum sigv4_why
stage_time(struct verify *v)
{
	const struct sigv4_rules *rules = v->rules;
	int64_t skew = v->s3 || v->presigned ? rules->skew_s3_ms : rules->skew_ms;
	enum sigv4_why why = v->presigned ? SIGV4_OK : date_from_header(v);
	int64_t age;

	if (why != SIGV4_OK)
		return why;
	if (!str_starts(v->res->amz_date, v->date))
		return refuse(v, SIGV4_SCOPE,
		    "The date in the credential is not the date of the request's time.");
	age = rules->now - v->res->request_time;
	if (v->presigned && age < -skew)
		return refuse(v, SIGV4_NOT_YET, "Request is not yet valid.");
	if (v->presigned && age > v->res->expires_s * SECOND_MS)
		return refuse(v, SIGV4_EXPIRED, "Request has expired.");
	if (!v->presigned && age < -skew)
		return refuse(
		    v, SIGV4_CLOCK, "Signature not yet current: the clock of the caller is ahead.");
	if (!v->presigned && age > skew)
		return refuse(v, SIGV4_CLOCK,
		    "Signature expired: the request is old or the clock of the caller is behind.");
	return SIGV4_OK;
}

/* ---- headers, token, payload ---- */

static bool
is_signed(const struct verify *v, struct str name)
{
	for (size_t i = 0; i < v->n_names; i++)
		if (str_eq_nocase(v->names[i], name))
			return true;
	return false;
}

static enum sigv4_why
stage_headers(struct verify *v)
{
	const struct str prefix = STR("x-amz-");

	if (!sigv4_signed_headers_parse(v->signed_headers, v->names, &v->n_names))
		return misshapen(v, "SignedHeaders must be lower-case names, sorted, each once, "
				    "separated by semicolons.");
	if (!is_signed(v, STR("host"))) {
		v->res->unsigned_name = STR("host");
		return refuse(v, SIGV4_UNSIGNED_HEADER, "The header host must be signed.");
	}
	for (size_t i = 0; i < v->req->n_headers; i++) {
		struct str name = v->req->headers[i].name;

		if (name.n <= prefix.n ||
		    !str_eq_nocase((struct str){ name.p, prefix.n }, prefix) || is_signed(v, name))
			continue;
		v->res->unsigned_name = name;
		return refuse(v, SIGV4_UNSIGNED_HEADER,
		    "There were headers present in the request which were not signed.");
	}
	return SIGV4_OK;
}

/* souk gives out no temporary keys: whoever sends a token has mixed up two sets of credentials. */
static enum sigv4_why
stage_token(struct verify *v)
{
	if (v->headers[H_AMZ_SECURITY_TOKEN].n > 0 || param_given(v, STR("X-Amz-Security-Token")))
		return refuse(v, SIGV4_TOKEN,
		    "The request carries a session token, and no key here has one: unset "
		    "AWS_SESSION_TOKEN.");
	return SIGV4_OK;
}

/* The payload hash the caller gave, in a header or, presigned, in the query; p NULL when absent. */
static enum sigv4_why
payload_given(struct verify *v, struct str *ret)
{
	const struct found *h = &v->headers[H_AMZ_CONTENT_SHA256];
	unsigned n = 0;
	struct str q =
	    v->presigned ? param(v, STR("X-Amz-Content-Sha256"), &n) : (struct str){ NULL, 0 };

	if (h->n + n > 1)
		return misshapen(v, "The payload hash is given twice.");
	*ret = n > 0 ? q : str_trim(h->value);
	return SIGV4_OK;
}

static enum sigv4_why
payload_absent(struct verify *v)
{
	if (v->s3 && v->presigned) {
		v->res->payload = SIGV4_BODY_UNSIGNED;
		v->payload_hash = STR("UNSIGNED-PAYLOAD");
		return SIGV4_OK;
	}
	if (v->s3 || v->req->body_streamed)
		return refuse(v, SIGV4_MISSING_HASH,
		    "Missing required header for this request: x-amz-content-sha256.");
	sha256(v->req->body.p, v->req->body.n, v->res->sha256);
	hex_encode(v->res->sha256, SHA256_LEN, v->body_hash);
	v->payload_hash = (struct str){ v->body_hash, 2 * SHA256_LEN };
	return SIGV4_OK;
}

static enum sigv4_why
payload_word(struct verify *v, struct str word)
{
	static const struct {
		struct str word;
		enum sigv4_payload payload;
	} rows[] = {
		{ STR("UNSIGNED-PAYLOAD"), SIGV4_BODY_UNSIGNED },
		{ STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), SIGV4_BODY_CHUNKS_SIGNED },
		{ STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
		    SIGV4_BODY_CHUNKS_SIGNED_TRAILER },
		{ STR("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (str_eq(rows[i].word, word)) {
			v->res->payload = rows[i].payload;
			if (v->s3 || rows[i].payload == SIGV4_BODY_UNSIGNED)
				return SIGV4_OK;
		}
	if (str_starts(word, STR("STREAMING-AWS4-ECDSA-")))
		return refuse(v, SIGV4_UNSUPPORTED,
		    "The body is signed with Signature Version 4A: use AWS4-HMAC-SHA256.");
	if (str_starts(word, STR("STREAMING-")))
		return refuse(v, SIGV4_UNSUPPORTED, "No such streamed body for this service.");
	return misshapen(v, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming word, or a "
			    "SHA-256 in 64 hexadecimal digits.");
}

static enum sigv4_why
stage_payload(struct verify *v)
{
	struct str given = { NULL, 0 };
	enum sigv4_why why = payload_given(v, &given);
	size_t n = 0;

	if (why != SIGV4_OK)
		return why;
	v->res->payload = SIGV4_BODY_HASHED;
	if (!given.p)
		return payload_absent(v);
	v->payload_hash = given;
	if (given.n == 2 * SHA256_LEN && hex_decode(given, v->res->sha256, SHA256_LEN, &n))
		return SIGV4_OK;
	return payload_word(v, given);
}

/* ---- the signature ---- */

static enum souk_err
texts_make(struct verify *v, struct str *ret_missing)
{
	const struct canonical_input in = { .req = v->req,
		.s3 = v->s3,
		.query = v->query,
		.signed_headers = v->signed_headers,
		.names = v->names,
		.n_names = v->n_names,
		.payload_hash = v->payload_hash };
	struct sigv4_result *res = v->res;
	enum souk_err err = sigv4_canonical_build(v->mem, &in, &res->canonical, ret_missing);
	/* The arena's memory, with more room than is ever used: it never grows. */
	size_t need = ALGORITHM.n + INSTANT_AMZ_LEN + res->scope.n + 2 * SHA256_LEN + 3;
	struct buf b = { .p = arena_alloc(v->mem, need + 2), .cap = need + 2 };

	if (err != SOUK_OK || !b.p)
		return err != SOUK_OK ? err : SOUK_E_LIMIT;
	sigv4_to_sign(res->amz_date, res->scope, res->canonical, &b);
	res->to_sign = buf_str(&b);
	return SOUK_OK;
}

static enum sigv4_why
stage_signature(struct verify *v)
{
	struct sigv4_result *res = v->res;
	struct str missing = { NULL, 0 };
	struct principal *who = NULL;
	uint8_t key[SHA256_LEN];
	bool good;
	enum souk_err err = texts_make(v, &missing);

	if (err == SOUK_E_INVALID)
		return refuse(v, SIGV4_MALFORMED, "The path has a broken percent escape.");
	if (err != SOUK_OK || (err = access_signing_key(v->access, res->access_key_id, v->date,
				   res->region, res->service, &who, key)) != SOUK_OK)
		return failed(v, err);
	sigv4_signature(key, res->to_sign, res->signature);
	good = secret_equal(res->signature, 2 * SHA256_LEN, v->signature.p, v->signature.n);
	if (good && who && !missing.p) {
		res->who = who;
		if (res->payload == SIGV4_BODY_CHUNKS_SIGNED ||
		    res->payload == SIGV4_BODY_CHUNKS_SIGNED_TRAILER)
			memcpy(res->signing_key, key, sizeof(key));
	} else {
		/* The right signature of this request is nobody's business. */
		wipe(res->signature, sizeof(res->signature));
		principal_release(who);
	}
	wipe(key, sizeof(key));
	return res->who
		   ? SIGV4_OK
		   : refuse(v, SIGV4_SIGNATURE,
			 "The request signature we calculated does not match the signature "
			 "you provided. Check your access key, secret key and signing method.");
}

/* Last: a body is hashed only for somebody we know. */
static enum sigv4_why
stage_body(struct verify *v)
{
	uint8_t hash[SHA256_LEN];

	/* body_hash: there was no header, so the signature has covered the body's own hash. */
	if (v->res->payload != SIGV4_BODY_HASHED || v->req->body_streamed || v->body_hash[0])
		return SIGV4_OK;
	sha256(v->req->body.p, v->req->body.n, hash);
	if (memcmp(hash, v->res->sha256, sizeof(hash)) == 0)
		return SIGV4_OK;
	return refuse(v, SIGV4_BODY_HASH,
	    "The provided x-amz-content-sha256 does not match what was computed of the body.");
}

void
sigv4_verify(struct access *a, const struct sigv4_rules *rules, const struct sigv4_req *r,
    struct arena *mem, struct sigv4_result *ret)
{
	static enum sigv4_why (*const stages[])(struct verify *) = { stage_method, stage_claim,
		stage_credential, stage_time, stage_headers, stage_token, stage_payload,
		stage_signature, stage_body };
	struct verify v = { .access = a, .rules = rules, .req = r, .mem = mem, .res = ret };

	*ret = (struct sigv4_result){ .server_time = rules->now };
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]) && ret->why == SIGV4_OK; i++)
		ret->why = stages[i](&v);
	if (ret->why != SIGV4_OK) {
		principal_release(ret->who);
		ret->who = NULL;
		wipe(ret->signing_key, sizeof(ret->signing_key));
	}
}

/* ---- routing ---- */

/* "KEY/DATE/REGION/SERVICE/aws4_request" with slashes as they are or as %2F. */
static struct str
service_of_credential(struct str c)
{
	size_t ends[2] = { c.n, c.n }, starts[2] = { 0, 0 };
	unsigned found = 0;

	for (size_t i = c.n; i > 0 && found < 2; i--) {
		bool plain = c.p[i - 1] == '/';
		bool coded = i >= 3 && str_eq_nocase((struct str){ c.p + i - 3, 3 }, STR("%2f"));

		if (!plain && !coded)
			continue;
		starts[found++] = i;
		i -= plain ? 0 : 2;
		if (found < 2)
			ends[found] = i - 1;
	}
	if (found < 2)
		return STR("");
	c = (struct str){ c.p + starts[1], ends[1] - starts[1] };
	return is_scope_part(c) ? c : STR("");
}

/* The value behind `name`, up to any of `stop`. */
static struct str
value_behind(struct str text, struct str name, const char *stop)
{
	const char *at = text.n > 0 ? memmem(text.p, text.n, name.p, name.n) : NULL;
	struct str v;

	if (!at)
		return STR("");
	v.p = at + name.n;
	for (v.n = 0; v.p + v.n < text.p + text.n && !strchr(stop, v.p[v.n]); v.n++)
		;
	return v;
}

struct str
sigv4_claimed_service(const struct sigv4_req *r)
{
	struct str service;

	for (size_t i = 0; i < r->n_headers; i++) {
		struct str v = r->headers[i].value;

		if (!str_eq_nocase(r->headers[i].name, header_names[H_AUTHORIZATION]))
			continue;
		if (str_starts(v, STR("AWS ")))
			return STR("s3");
		if (!str_starts(v, STR("AWS4-")))
			return STR("");
		return service_of_credential(value_behind(v, STR("Credential="), ", \t"));
	}
	service = service_of_credential(value_behind(r->query, STR("X-Amz-Credential="), "&"));
	if (service.n == 0 && value_behind(r->query, STR("AWSAccessKeyId="), "&").n > 0)
		return STR("s3");
	return service;
}
