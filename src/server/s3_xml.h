/* SPDX-License-Identifier: Apache-2.0 */
/* S3's result documents and the parameters of a listing (specs/sigv4-and-s3.md 3.3, 3.4). */
#ifndef SOUK_SERVER_S3_XML_H
#define SOUK_SERVER_S3_XML_H

#include "delivery/object.h"
#include "server/s3_request.h"

#define S3_LIST_MAX 1000

/* What a listing asks for; slices p NULL when not given. */
struct s3_list_args {
	bool v2;
	struct str prefix, delimiter;
	struct str marker;             /* V1 */
	struct str start_after, token; /* V2 */
	struct str after;              /* where the listing goes on, "" at the beginning */
	size_t max_keys;
	bool url;   /* encoding-type=url */
	bool owner; /* name the owner of each object */
};

/* InvalidArgument on what S3 refuses, an unknown continuation token too. */
SOUK_MUST enum souk_err s3_list_parse(const struct s3_params *q, bool v2, struct arena *mem,
    struct s3_list_args *ret, struct fail *f);

/* An opaque text that names a key, and the key again; false when it was not made here. */
void s3_token_write(struct str key, struct buf *out);
SOUK_MUST bool s3_token_read(struct str token, struct arena *mem, struct str *ret_key);

/* The tags of an element of ours; `name` needs no escapes. */
void s3_xml_open(struct buf *out, const char *name);
void s3_xml_close(struct buf *out, const char *name);
/* Buckets whose name begins with `prefix`; `prefix.p` NULL: all. */
void s3_xml_buckets(
    struct buf *out, struct str account, struct str prefix, const struct bucket *buckets, size_t n);
void s3_xml_location(struct buf *out, struct str region);
void s3_xml_list(struct buf *out, struct str account, const struct s3_list_args *args,
    const struct object_list *l);

#endif
