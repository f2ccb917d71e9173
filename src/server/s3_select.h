/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditional and range requests (specs/sigv4-and-s3.md 3.5, RFC 9110 13.2.2): which
 * bytes of an object, if any, an answer holds. Every object has one part, the whole of it.
 */
#ifndef SOUK_SERVER_S3_SELECT_H
#define SOUK_SERVER_S3_SELECT_H

#include "base/clock.h"

/* Header values; p NULL when absent. */
struct s3_conditions {
	struct str if_match, if_none_match;
	struct str if_modified_since, if_unmodified_since;
	struct str if_range, range;
	uint64_t part; /* partNumber, instead of a range; 0 none */
};

enum s3_outcome {
	S3_WHOLE,         /* 200 */
	S3_PART,          /* 206 */
	S3_NOT_MODIFIED,  /* 304 */
	S3_PRECONDITION,  /* 412 */
	S3_UNSATISFIABLE, /* 416 */
};

struct s3_selection {
	enum s3_outcome outcome;
	uint64_t from, length; /* what is sent: also with S3_WHOLE */
	const char *condition; /* with S3_PRECONDITION: the header that did not hold */
};

/* `etag` without quotes. */
void s3_select(const struct s3_conditions *c, struct str etag, instant_t modified_at, uint64_t size,
    struct s3_selection *ret);

#endif
