/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IAM policy documents as sellers print them in their documentation.
 *
 * Wider than access/policy.h, which takes only what souk itself honours: conditions, principals and
 * the Not- forms are customary here. What matters is whether a customer can use it and how much it grants.
 */
#ifndef SOUK_PROSERV_IAM_POLICY_H
#define SOUK_PROSERV_IAM_POLICY_H

#include "base/str.h"

#include <stdbool.h>

enum iam_fault {
	IAM_OK = 0,
	IAM_NO_JSON,
	IAM_NO_OBJECT,
	IAM_VERSION,   /* neither "2012-10-17" nor "2008-10-17" */
	IAM_STATEMENT, /* there is none, or one is no object */
	IAM_EFFECT,    /* neither "Allow" nor "Deny" */
	IAM_ACTION,    /* neither or both of Action and NotAction, or no texts */
	IAM_RESOURCE   /* neither a resource nor a principal, or no texts */
};

/* In words, behind "The policy ..."; NULL for IAM_OK. */
const char *iam_fault_what(enum iam_fault f);

/*
 * Reads the JSON text. *ret_all is whether a statement allows every action ("*", "*:*", or all but some), on whatever
 * resource; it is set for IAM_OK only.
 */
enum iam_fault iam_policy_check(struct str json, bool *ret_all);

#endif
