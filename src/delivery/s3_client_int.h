/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the S3 client share; nobody else includes it. */
#ifndef SOUK_DELIVERY_S3_CLIENT_INT_H
#define SOUK_DELIVERY_S3_CLIENT_INT_H

#include "base/digest.h"
#include "base/secret.h"
#include "delivery/curl_pool.h"
#include "delivery/s3_client.h"

#define S3_ANSWER_MAX ((size_t)8 << 20) /* bytes of an answer that is not an object */
#define S3_ETAG_MAX 79
#define S3_REGION_MAX 63

struct s3_client {
	bool path_style, allow_private, allow_plain;
	bool plain;   /* http */
	char *origin; /* "https://[bucket.]host[:port]" */
	char *host;   /* the header's value */
	char *bucket;
	char region[S3_REGION_MAX + 1];
	char *access_key_id;
	struct secret secret;
	char *session_token;              /* NULL: none */
	char *sse, *kms_key_id, *ca_file; /* NULL: none */
	long connect_ms, stall_ms;
	struct s3_names names;
	struct curl_pool pool;
};

#define S3_HEADERS_MAX 24

/* One request and its answer. */
struct s3_call {
	const char *method;
	struct str key;                      /* "": the bucket */
	const char *query;                   /* percent-encoded, without '?'; "" none */
	const char *headers[S3_HEADERS_MAX]; /* "name: value", lower-case names; NULL at the end */
	struct str body;
	bool has_md5; /* send Content-MD5 */
	bool once;    /* not safe to send again */
	bool slow;    /* the store may think for minutes before it answers */
	/* where an object's bytes go; else the answer goes to `text` */
	uint8_t *into;
	size_t into_n;

	/* the answer */
	long status;
	size_t received;
	bool overflow;
	unsigned tries;
	char etag[S3_ETAG_MAX + 1];
	char region[S3_REGION_MAX + 1]; /* where the bucket is, as far as the store said */
	bool kms;                       /* its ETag is no MD5 */
	int64_t length;                 /* Content-Length, -1 none */
	instant_t modified_at;          /* 0 none */
	struct buf text;
};

void s3_call_add(struct s3_call *q, const char *header);
/* Sends, retries what is safe, judges. buf_done(&q->text) after. */
SOUK_MUST enum souk_err s3_run(struct s3_client *c, struct s3_call *q, struct s3_error *e);
/* Waits before try number `tries` + 1. */
void s3_pause(unsigned tries);

/* ---- judging (s3_error.c) ---- */
enum souk_err s3_fault_set(
    const struct s3_client *c, struct s3_error *e, enum s3_fault f, const char *region);
/* An answer other than 2xx, and 2xx that hold an <Error>. */
enum souk_err s3_judge(const struct s3_client *c, const struct s3_call *q, struct s3_error *e);
enum souk_err s3_bad_target(struct s3_error *e, const char *name, const char *what_and_fix);
/* S3_PROTOCOL with what is wrong. */
enum souk_err s3_strange(const struct s3_client *c, struct s3_error *e, const char *what);

/* ---- XML (s3_xml_read.c) ---- */
struct s3_leaf {
	void (*text)(void *ctx, const char *parent, const char *name, struct str text);
	void (*end)(void *ctx, const char *name); /* of an element that held others; NULL */
};
/* Calls for every element that holds no others. False: not well-formed, or has a document type. */
SOUK_MUST bool s3_xml_read(struct str xml, const struct s3_leaf *what, void *ctx);

/* The store's ETag against an MD5 ("-N" appended when parts > 0). */
enum s3_match { S3_SAME, S3_OTHER, S3_CANNOT_TELL };
enum s3_match s3_etag_match(const struct s3_call *q, const uint8_t md5[MD5_LEN], size_t parts);
SOUK_MUST enum souk_err s3_head_call(
    struct s3_client *c, struct str key, struct s3_call *q, struct s3_error *e);
/* Headers of facts and target for what makes an object. */
void s3_object_headers(
    const struct s3_client *c, const struct s3_put_facts *o, struct s3_call *q, struct buf *mem);

#endif
