/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a request for a data set: the members that the operations of all programs share
 * (psc 3.2, edsp 2), checked and kept in one way.
 */
#ifndef SOUK_DELIVERY_REQUEST_START_H
#define SOUK_DELIVERY_REQUEST_START_H

#include "delivery/request.h"

/* Bytes: what object names allow (1024), less the name itself. */
#define REQUEST_PREFIX_MAX 900

/* The members, as they came; p NULL: absent. */
struct request_params {
	struct str data_set_type, role_arn, bucket, prefix, topic_arn;
	bool has_prefix;
	const json_t *customer_values; /* NULL: absent */
	struct str at_number;          /* the instant: the JSON number's text, or "" */
	struct str at_text;            /* or the JSON string */
};

/* What differs between operations. */
struct request_rules {
	const char *instant; /* the member that has the instant */
	bool (*known)(struct str data_set_type);
	const char *types; /* the constraint's sentence about data set types */
};

/* What needs no database to refuse: who asks, and the members' rules. fail.code is AWS's word. */
SOUK_MUST enum souk_err request_params_check(const struct tenant_scope *s,
    const struct request_rules *rules, const struct request_params *p, instant_t *ret_at,
    struct fail *f);
/* Seller, type, destination and caller, borrowed from checked params. */
void request_from_params(
    const struct tenant_scope *s, const struct request_params *p, struct data_set_request *ret);

/* Job kinds of a program: the second is for stores that may keep it waiting. */
struct request_kinds {
	const char *here, *away;
};
/* Keeps the request and puts its job. SOUK_E_LIMIT with words: too many wait already. */
SOUK_MUST enum souk_err request_start(struct db_tx *tx, struct data_set_request *r,
    const json_t *customer_values, const struct request_kinds *kinds, struct fail *f);

#endif
