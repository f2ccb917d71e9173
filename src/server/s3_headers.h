/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers that are kept with an object and come back with it (specs/sigv4-and-s3.md 3.5),
 * and the response-* parameters that replace them.
 */
#ifndef SOUK_SERVER_S3_HEADERS_H
#define SOUK_SERVER_S3_HEADERS_H

#include "server/http.h"
#include "server/s3_request.h"

/* They must fit into an answer's head beside our own headers. */
#define S3_KEPT_MAX_BYTES 4096 /* of what is no metadata of the user's, the content type among it */
#define S3_META_MAX_BYTES 2048
#define S3_META_MAX 15

/* Of a PutObject: a JSON object of lower-case names ("" none), and the content type ("" none). */
SOUK_MUST enum souk_err s3_headers_store(const struct http_request *r, struct arena *mem,
    struct str *ret_json, struct str *ret_content_type, struct fail *f);
/* Are the response-* parameters fit to be headers? */
SOUK_MUST enum souk_err s3_headers_check(const struct s3_params *q, struct fail *f);
/* Into an answer: the content type, what was stored, and what the parameters put in their place. */
SOUK_MUST enum souk_err s3_headers_answer(struct str content_type, struct str json,
    const struct s3_params *q, struct arena *mem, struct http_response *r);

#endif
