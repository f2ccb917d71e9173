/* SPDX-License-Identifier: Apache-2.0 */
/* What the headers of a PutObject say (specs/sigv4-and-s3.md 2, 3.3). */
#ifndef SOUK_SERVER_S3_PUT_ARGS_H
#define SOUK_SERVER_S3_PUT_ARGS_H

#include "access/checksum.h"
#include "server/http.h"

#define S3_OBJECT_MAX (UINT64_C(5) << 30) /* S3's limit for one PutObject */

struct s3_put_args {
	uint64_t length; /* of the object */
	bool has_md5;
	uint8_t md5[MD5_LEN];
	enum checksum_kind checksum;
	struct str declared;              /* its text; "" when none, or in the trailer */
	uint8_t sum[CHECKSUM_MAX];        /* with `declared` */
	struct str trailer;               /* of an aws-chunked body, "" none */
	bool if_none;                     /* If-None-Match: * */
	struct str if_match;              /* without quotes, "" none */
	struct str content_type, headers; /* for struct object_facts */
};

/*
 * Every header that S3 gives a meaning is understood, or refused: none is passed over
 * whose absence would make another object than the one that was asked for.
 */
SOUK_MUST enum souk_err s3_put_args_parse(const struct http_request *r, enum sigv4_payload payload,
    struct arena *mem, struct s3_put_args *ret, struct fail *f);

#endif
