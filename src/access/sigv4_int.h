/* SPDX-License-Identifier: Apache-2.0 */
/* The canonicaliser that verifier and signer share. For src/access/sigv4*.c only. */
#ifndef SOUK_ACCESS_SIGV4_INT_H
#define SOUK_ACCESS_SIGV4_INT_H

#include "access/sigv4.h"

#define SIGNED_HEADERS_MAX 64 /* more than any client signs; bounds the work of looking them up */

/* A query parameter in canonical encoding. */
struct query_param {
	struct str name, value;
};

struct query_params {
	struct query_param *p;
	size_t n;
};

/* Splits, decodes and encodes again. SOUK_E_INVALID on a broken escape, SOUK_E_LIMIT when `mem` is full. */
SOUK_MUST enum souk_err sigv4_query_parse(
    struct arena *mem, struct str query, struct query_params *ret);

/* Lower-case tokens, strictly ascending, at most SIGNED_HEADERS_MAX. */
SOUK_MUST bool sigv4_signed_headers_parse(
    struct str list, struct str names[SIGNED_HEADERS_MAX], size_t *ret_n);

struct canonical_input {
	const struct sigv4_req *req;
	bool s3;
	struct query_params query; /* sorted in place */
	struct str signed_headers;
	const struct str *names; /* the same, split */
	size_t n_names;
	struct str payload_hash;
};

/*
 * The canonical request, in `mem`. A signed header that is not there counts as empty and
 * is named in *ret_missing. SOUK_E_INVALID: a broken escape in the path.
 */
SOUK_MUST enum souk_err sigv4_canonical_build(
    struct arena *mem, const struct canonical_input *in, struct str *ret, struct str *ret_missing);

#endif
