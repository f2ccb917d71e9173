/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery roles: which buckets and topics souk may use on a seller's behalf (psc 14).
 * A role is a name and a policy document; deliveries ask it for s3:PutObject on
 * arn:aws:s3:::BUCKET/KEY and sns:Publish on the topic's ARN. What stands behind those names
 * are souk's own buckets and topics, or what its remotes say (remote.h).
 */
#ifndef SOUK_DELIVERY_ROLE_H
#define SOUK_DELIVERY_ROLE_H

#include "base/arena.h"
#include "base/json.h"
#include "market/tenant.h"
#include "store/db.h"

/* "arn:aws:iam::SELLER:role/NAME"; a path before the name is accepted and not compared. */
SOUK_MUST bool role_arn_parse(struct str arn, struct str *ret_seller, struct str *ret_name);

/* Name 1..64 of [A-Za-z0-9+=,.@_-]; policy is checked (access/policy.h). */
SOUK_MUST enum souk_err role_put(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str name, struct str policy, int64_t seen_revision, bool create,
    int64_t *ret_revision, struct fail *f);
/* With its remotes and their credentials. */
SOUK_MUST enum souk_err role_delete(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name);
SOUK_MUST enum souk_err role_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str name, struct jw *out, int64_t *ret_revision);
SOUK_MUST enum souk_err role_list(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct jw *out);
/* Counts every change of a role and of its remotes. For job handlers. */
SOUK_MUST enum souk_err role_revision(
    struct db_tx *tx, struct str seller_id, struct str name, int64_t *ret);
/*
 * May the role do it? SOUK_E_NOT_FOUND: no such role of that seller (the ARN of another
 * account's role looks the same); SOUK_E_DENIED: the policy does not allow; both with a
 * sentence for the failure notification.
 */
SOUK_MUST enum souk_err role_may(struct db_tx *tx, struct str seller_id, struct str role_arn,
    const char *action, struct str resource, struct fail *f);

#endif
