/* SPDX-License-Identifier: Apache-2.0 */
/* The API families, and which of them a request is for. One file each: api_NAME.c. */
#ifndef SOUK_SERVER_FAMILIES_H
#define SOUK_SERVER_FAMILIES_H

#include "server/dispatch.h"

extern const struct api_family api_rest;    /* /api/v1/ (rest.c) */
extern const struct api_family api_json;    /* AWS JSON 1.1 */
extern const struct api_family api_catalog; /* the Catalog API, AWS REST JSON */
/* Is it the path of one of its operations? */
bool catalog_path(struct str path);
extern const struct api_family api_s3;  /* the embedded buckets */
extern const struct api_family api_sns; /* links in topic messages */
extern const struct api_family api_ops; /* health, metrics, and what no other family wants */

/*
 * One address serves everything (design 6). In this order: what is signed goes by its
 * scope's service; an X-Amz-Target to JSON; then by path; a host that names a bucket to S3.
 */
const struct api_family *family_of(const struct services *svc, const struct http_request *r);
/* The bucket that a virtual host names ("exports.s3.souk.example:8080"), or "". */
struct str bucket_host(const struct services *svc, const struct http_request *r);

#endif
