/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 in inspectable stages (specs/sigv4-and-s3.md 1): the verifier of
 * the server and the signer of the agent share one canonicaliser.
 *
 * Unknown key and wrong signature take the same path: for an unknown key a signature is
 * computed with a key nobody has, so that time and answer tell nothing. Comparison is
 * in constant time.
 */
#ifndef SOUK_ACCESS_SIGV4_H
#define SOUK_ACCESS_SIGV4_H

#include "access/access.h"

struct sigv4_header {
	struct str name, value; /* as received */
};

/* The request as it came in. */
struct sigv4_req {
	struct str method;
	struct str path;  /* raw, from the request line, without the query */
	struct str query; /* raw, without '?' */
	const struct sigv4_header *headers;
	size_t n_headers;
	struct str body;    /* the whole body, when it was read before verification */
	bool body_streamed; /* body comes later: the caller checks it against `payload` below */
};

/* Why it was refused: each API family words it its own way (1.7). */
enum sigv4_why {
	SIGV4_OK,
	SIGV4_NO_CREDENTIALS,
	SIGV4_TWO_METHODS,
	SIGV4_UNSUPPORTED,
	SIGV4_MALFORMED,
	SIGV4_SCOPE,
	SIGV4_CLOCK,
	SIGV4_EXPIRED,
	SIGV4_NOT_YET,
	SIGV4_UNSIGNED_HEADER,
	SIGV4_MISSING_HASH,
	SIGV4_BODY_HASH,
	SIGV4_TOKEN,
	SIGV4_SIGNATURE, /* an unknown key too: the two look alike */
	SIGV4_QUERY_PARAMETERS,
	SIGV4_FAILED, /* not the caller's fault: `err` says what (database away, arena full) */
	SIGV4__COUNT
};
const char *sigv4_why_word(enum sigv4_why w); /* "signature", "missing_hash"; never NULL */

enum sigv4_payload {
	SIGV4_BODY_HASHED, /* `sha256` is of the body */
	SIGV4_BODY_UNSIGNED,
	SIGV4_BODY_CHUNKS_SIGNED,
	SIGV4_BODY_CHUNKS_SIGNED_TRAILER,
	SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER
};

struct sigv4_result {
	enum sigv4_why why;
	enum souk_err err;  /* with SIGV4_FAILED */
	struct str detail;  /* a sentence of ours for the answer; in the arena */
	struct str service; /* of the scope, as far as it was readable */
	struct str region;
	struct str access_key_id;
	struct principal *who; /* the caller's to release; set only with SIGV4_OK */
	enum sigv4_payload payload;
	uint8_t sha256[32]; /* with SIGV4_BODY_HASHED */
	/* for chunk signatures (2), with SIGV4_BODY_CHUNKS_SIGNED*; wipe() after use: */
	uint8_t signing_key[32];
	char signature[65]; /* the seed */
	struct str scope, amz_date;
	struct str canonical,
	    to_sign; /* on SIGV4_SIGNATURE, for the S3 answer and the log's stage report */
	instant_t request_time, server_time;
	int64_t expires_s;        /* of a presigned request */
	struct str unsigned_name; /* on SIGV4_UNSIGNED_HEADER: which, as received */
};

struct sigv4_rules {
	const char *region; /* "" any */
	instant_t now;
	int64_t skew_ms, skew_s3_ms;
};

/*
 * Which service a request claims to be for (scope), without verifying: for routing. "" when
 * unsigned. What looks like SigV2 counts as "s3", where it is refused with the right words.
 */
struct str sigv4_claimed_service(const struct sigv4_req *r);
/* Header or query form, whichever is there. `mem` holds what the result points to, or the request does. */
void sigv4_verify(struct access *a, const struct sigv4_rules *rules, const struct sigv4_req *r,
    struct arena *mem, struct sigv4_result *ret);

/* The stages, for tests and the signer. `s3`: path rules of S3, else double encoding (1.1). */
/* SOUK_E_INVALID: a broken escape in path or query, or a signed header that is not there. */
SOUK_MUST enum souk_err sigv4_canonical(const struct sigv4_req *r, bool s3,
    struct str signed_headers, struct str payload_hash, struct buf *ret);
void sigv4_to_sign(struct str amz_date, struct str scope, struct str canonical, struct buf *ret);
void sigv4_signing_key(
    struct str secret, struct str date, struct str region, struct str service, uint8_t ret[32]);
void sigv4_signature(const uint8_t key[32], struct str to_sign, char ret[65]);

/*
 * aws-chunked bodies (2). Feed the encoded bytes; decoded ones go to `out` as they come, so
 * `out` must keep nothing for good before aws_chunked_end has said SOUK_OK. Checks chunk
 * and trailer signatures, decoded length and the trailer's checksum. `f->code` is the S3
 * error code: SignatureDoesNotMatch (SOUK_E_DENIED); BadDigest, IncompleteBody,
 * InvalidRequest (SOUK_E_INVALID); InternalError with the error of `out`.
 */
struct aws_chunked;
struct sink;
/*
 * `trailer_name` is the header x-amz-trailer: one of x-amz-checksum-{crc32,crc32c,sha1,
 * sha256,crc64nvme}; "" when absent, which the signed form without trailer needs. `seed` is
 * not used later.
 */
SOUK_MUST enum souk_err aws_chunked_new(const struct sigv4_result *seed, uint64_t decoded_length,
    struct str trailer_name, struct sink *out, struct aws_chunked **ret, struct fail *f);
/* After a failure every call fails in the same way. */
SOUK_MUST enum souk_err aws_chunked_feed(
    struct aws_chunked *c, const void *p, size_t n, struct fail *f);
SOUK_MUST enum souk_err aws_chunked_end(struct aws_chunked *c, struct fail *f);
void aws_chunked_free(struct aws_chunked *c);

#endif
