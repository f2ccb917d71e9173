/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an S3 request is about: bucket and key from host and path, the parameters, and
 * which operation all of it means (specs/sigv4-and-s3.md 3.1, 3.2).
 *
 * Everything here is from a caller who may be nobody: no database, no trust.
 */
#ifndef SOUK_SERVER_S3_REQUEST_H
#define SOUK_SERVER_S3_REQUEST_H

#include "base/arena.h"

#include <stdbool.h>

struct s3_address {
	struct str bucket, key; /* decoded, in the arena; "" none */
	bool virtual_host;
};

struct s3_param {
	struct str name, value; /* decoded, in the arena */
};

struct s3_params {
	struct s3_param *p;
	size_t n;
};

enum s3_op {
	S3_LIST_BUCKETS,
	S3_GET_BUCKET_LOCATION,
	S3_HEAD_BUCKET,
	S3_LIST_OBJECTS,
	S3_LIST_OBJECTS_V2,
	S3_HEAD_OBJECT,
	S3_GET_OBJECT,
	S3_PUT_OBJECT,
	S3_NOT_IMPLEMENTED,
	S3_METHOD_NOT_ALLOWED,
	S3_OP__COUNT
};

/*
 * `host_bucket`: the bucket that the Host header names, "" none: then it is the path's first
 * part. InvalidURI, InvalidBucketName, KeyTooLongError. Both are valid UTF-8 afterwards.
 */
SOUK_MUST enum souk_err s3_address_parse(struct str host_bucket, struct str raw_path,
    struct arena *mem, struct s3_address *ret, struct fail *f);

/* InvalidURI on a broken escape or invalid UTF-8. */
SOUK_MUST enum souk_err s3_params_parse(
    struct str raw_query, struct arena *mem, struct s3_params *ret, struct fail *f);
/* The first of the name; p NULL when absent. */
struct str s3_param(const struct s3_params *q, const char *name);

/*
 * Which operation. For S3_NOT_IMPLEMENTED *ret_what is what was asked for, in a word or
 * two of ours ("multipart upload"); else NULL.
 */
enum s3_op s3_op_of(struct str method, const struct s3_address *a, const struct s3_params *q,
    const char **ret_what);

#endif
