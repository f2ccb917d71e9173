/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3's errors (specs/sigv4-and-s3.md 1.7, 3.6): codes, statuses, the XML document.
 *
 * Within the S3 family `fail.code` is either one of S3's own codes or a word of a lower
 * layer; s3_error_of turns both into what the client is told.
 */
#ifndef SOUK_SERVER_S3_ERROR_H
#define SOUK_SERVER_S3_ERROR_H

#include "access/sigv4.h"

#define S3_EXTRAS_MAX 8

struct s3_error {
	const char *code;
	int status;
	struct str message;  /* never empty */
	struct str resource; /* the path as the client knows it; "" none */
	struct str request_id;
	struct s3_extra {
		const char *name;
		struct str value;
	} extra[S3_EXTRAS_MAX];
	size_t n_extra;
};

/* The second id that clients show; the first one finds the request in the log. */
#define S3_HOST_ID "souk"

/* Fails with an S3 code of the table; `fmt` NULL: the table's own words. */
enum souk_err s3_fail(struct fail *f, const char *code, const char *fmt, ...) SOUK_PRINTF(3, 4);
/* One element more in the document; names are literals. An empty value or a ninth is left out. */
void s3_error_extra(struct s3_error *e, const char *name, struct str value);
/* Code, status and message; the rest is left as it is. `f` outlives `e`. */
void s3_error_of(enum souk_err err, const struct fail *f, struct s3_error *e);
/*
 * The same for a refused signature, with the elements of that refusal. Makes texts in
 * `mem`; when that is full, elements are missing. `presigned` words scope errors.
 */
void s3_error_of_signature(const struct sigv4_result *r, bool presigned, struct str region,
    int64_t skew_ms, struct arena *mem, struct s3_error *e);
void s3_error_write(const struct s3_error *e, struct buf *out);

#endif
