/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of the AWS JSON 1.1 family, told apart by the beginning of X-Amz-Target: one file
 * each. The family itself (api_json.c) authenticates and words errors for all.
 */
#ifndef SOUK_SERVER_JSON_FAMILY_H
#define SOUK_SERVER_JSON_FAMILY_H

#include "server/dispatch.h"

struct json_service {
	const char *service;  /* in the credential's scope */
	const char *target;   /* what its targets begin with */
	const char *internal; /* its word for what is our fault */
	const char *unknown;  /* a sentence about operations that it has not */
	const struct op *ops; /* their pattern is the whole target */
	size_t n;
	/* Another word for an error of one of its operations; NULL: the usual one. May be NULL. */
	const char *(*word)(const struct call *c, enum souk_err err);
};

extern const struct json_service json_analytics, json_metering;

/*
 * Authenticates by SigV4 over headers and body, for a service: sets c->who. In AWS's words for JSON services.
 */
SOUK_MUST enum souk_err json_sigv4(struct call *c, const char *service);
/* SerializationException: the member is of a wrong JSON type. */
enum souk_err json_bad_type(struct call *c, const char *member, const char *want);
/* A text member; null is absent, as AWS services have it. *ret is untouched when absent. */
SOUK_MUST enum souk_err json_text(
    struct call *c, const json_t *o, const char *member, struct str *ret);
/* Members that are not known: a typing mistake would otherwise go unnoticed. */
SOUK_MUST enum souk_err json_known(
    struct call *c, const json_t *o, const char *const *members, size_t n);

#endif
