/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource policies of the Catalog API: which other accounts may read a listing or an offer.
 *
 * A policy allows reading and nothing else: who owns an entity alone changes it, tags it and shares it. What would
 * narrow or widen that in a way that is not honoured here is refused when the policy is put, so that none reads
 * stricter, or wider, than it acts.
 */
#ifndef SOUK_PROSERV_RESOURCE_POLICY_H
#define SOUK_PROSERV_RESOURCE_POLICY_H

#include "base/arena.h"
#include "proserv/resource_policy_store.h"

#define RESOURCE_POLICY_MAX 10240 /* characters: the model of the API */

enum shared_action { SHARED_DESCRIBE, SHARED_LIST, SHARED__COUNT };
const char *shared_action_word(enum shared_action a); /* "DescribeEntity", "ListEntities" */

/* What a policy lets one account do. */
struct policy_grant {
	char account[ACCOUNT_ID_LEN + 1];
	bool may[SHARED__COUNT];
};
struct resource_policy {
	struct policy_grant *v; /* each account once; in the arena */
	size_t n;
};

/*
 * Reads {"Version"?: "2012-10-17", "Id"?, "Statement": [{"Sid"?, "Effect": "Allow", "Principal": {"AWS": ...}, "Action": ...,
 * "Resource": ...}]} of the entity `arn`. Principals are accounts (12 digits, or arn:aws:iam::ACCOUNT:root), actions those
 * above with "aws-marketplace:" before them, the resource is the entity; each one or a list. SOUK_E_INVALID names the place:
 * "Policy.Statement[1].Action". SOUK_E_NOMEM.
 */
SOUK_MUST enum souk_err resource_policy_read(struct str text, struct str arn, struct arena *mem,
    struct resource_policy *ret, struct fail *f);

/* The entity's policy from now on; the owner's own account needs none. */
SOUK_MUST enum souk_err resource_policy_put(struct db_tx *tx, struct str seller_id,
    const struct guid *entity_id, struct str text, const struct resource_policy *p);
/* SOUK_E_NOT_FOUND: it has none. */
SOUK_MUST enum souk_err resource_policy_drop(
    struct db_tx *tx, struct str seller_id, const struct guid *entity_id);

#endif
