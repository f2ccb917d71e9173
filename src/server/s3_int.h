/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the S3 family share (api_s3*.c); nobody else includes it. */
#ifndef SOUK_SERVER_S3_INT_H
#define SOUK_SERVER_S3_INT_H

#include "server/dispatch.h"
#include "server/s3_error.h"
#include "server/s3_put_args.h"
#include "server/s3_request.h"
#include "server/slow.h"

#define S3_MAGIC 0x53334361u

/* An object on its way out. */
struct s3_get {
	struct object_reader *reader;
	uint64_t part; /* partNumber, 0 none */
	uint64_t from, length;
	/* fetching from a home of objects that is far */
	struct call *c;
	struct slow_task task;
	uint64_t wanted; /* offset in what is sent */
	enum souk_err err;
};

/* An object on its way in: body -> sink -> [aws_chunked ->] plain -> writer. */
struct s3_put {
	struct sink sink, plain;
	struct call *c;
	struct s3_put_args args;
	struct object_writer *writer;
	struct aws_chunked *chunked; /* NULL: the body is the object */
	struct checksum checksum;
	struct str stored_checksum; /* "CRC32:base64", "" none */
};

/* call.family of an S3 call; in the call's arena. */
struct s3_call {
	unsigned magic;
	enum s3_op op;
	const char *wanted; /* with S3_NOT_IMPLEMENTED: what was asked for */
	struct s3_address at;
	struct s3_params params;
	struct sigv4_result auth;
	struct s3_error error;     /* extra elements of a failure */
	const char *content_range; /* of a failure, NULL none */
	struct s3_get get;
	struct s3_put put;
};

struct s3_call *s3_of(struct call *c);
/* "arn:aws:s3:::" and the text; p NULL when the arena is full. */
struct str s3_arn(struct call *c, struct str bucket, struct str key);

/* ---- operations: one `run` each ---- */
/* api_s3_list.c */
enum souk_err s3_list_buckets(struct call *c, struct db_tx *tx);
enum souk_err s3_get_bucket_location(struct call *c, struct db_tx *tx);
enum souk_err s3_head_bucket(struct call *c, struct db_tx *tx);
enum souk_err s3_list_objects(struct call *c, struct db_tx *tx); /* both versions */
/* The caller's bucket, or NoSuchBucket: also when it is somebody else's. */
SOUK_MUST enum souk_err s3_bucket(struct call *c, struct db_tx *tx, struct bucket *ret);
/* api_s3_get.c */
enum souk_err s3_get_parse(struct call *c); /* partNumber, response-* overrides */
enum souk_err s3_get_object(struct call *c, struct db_tx *tx);
enum souk_err s3_head_object(struct call *c, struct db_tx *tx);
void s3_get_done(struct s3_get *g);
/* api_s3_put.c */
enum souk_err s3_put_body(struct call *c, struct sink **ret);
enum souk_err s3_put_verify(struct call *c);
enum souk_err s3_put_object(struct call *c, struct db_tx *tx);
void s3_put_done(struct s3_put *p);

#endif
