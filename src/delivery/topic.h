/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics: sellers subscribe HTTPS endpoints, souk delivers signed SNS messages
 * (specs/sigv4-and-s3.md 4).
 */
#ifndef SOUK_DELIVERY_TOPIC_H
#define SOUK_DELIVERY_TOPIC_H

#include "base/arena.h"
#include "base/config.h"
#include "base/json.h"
#include "market/tenant.h"
#include "store/db.h"
#include "store/job.h"
#include "vault/vault.h"

/* What signs and sends; one per process. Signing key and certificate are made once and kept sealed in the database. */
struct topics;
SOUK_MUST enum souk_err topics_open(
    struct db *db, struct vault *v, const struct config *c, struct topics **ret, struct fail *f);
void topics_close(struct topics *t);
/* Key rotation: rewraps the sealed signing key. */
SOUK_MUST enum souk_err topics_rewrap(struct db_tx *tx, struct vault *v, int64_t *ret_changed);
/* Where links begin; set once the listen address is known. */
void topics_set_public_url(struct topics *t, const char *url);
/* The certificate in PEM and the name it is served under (/sns/NAME.pem). */
const char *topics_cert_pem(const struct topics *t);
const char *topics_cert_name(const struct topics *t);
/*
 * Appends a JSON Web Token (RS256) of `claims`, the text of a JSON object; its header's x5u is where that
 * certificate is served. Thread-safe.
 */
SOUK_MUST enum souk_err topics_jwt(struct topics *t, struct str claims, struct buf *ret);

/* "arn:aws:sns:REGION:SELLER:NAME" */
struct topic_arn {
	struct str region, seller_id, name;
};
SOUK_MUST bool topic_arn_parse(struct str arn, struct topic_arn *ret);
bool topic_name_valid(struct str name); /* 1..256 of [A-Za-z0-9_-] */
void topic_arn_format(struct str region, struct str seller_id, struct str name, struct buf *ret);

SOUK_MUST enum souk_err topic_create(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str name, struct fail *f);
SOUK_MUST enum souk_err topic_delete(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str name, struct fail *f);
SOUK_MUST enum souk_err topic_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str region, struct jw *out);
SOUK_MUST enum souk_err topic_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str name, struct str region, struct jw *out);
SOUK_MUST enum souk_err topic_exists(struct db_tx *tx, struct str seller_id, struct str name);

/* Subscribes a URL: pending until confirmed; sends the SubscriptionConfirmation as a job, unless
 * one waits already or was put within the last minute. https only, unless topic.private-addresses
 * allows; the address itself is checked when connecting. A URL that is confirmed already stays so
 * (*ret_confirmed). */
SOUK_MUST enum souk_err endpoint_add(struct db_tx *tx, struct topics *t,
    const struct tenant_scope *s, struct str seller_id, struct str topic, struct str url,
    struct guid *ret_id, bool *ret_confirmed, struct fail *f);
SOUK_MUST enum souk_err endpoint_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str topic, struct jw *out);
/* With its confirm jobs: they say why nobody was asked. */
SOUK_MUST enum souk_err endpoint_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str topic, const struct guid *id, struct arena *mem,
    struct jw *out);
SOUK_MUST enum souk_err endpoint_remove(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct str topic, const struct guid *id);
/* From SubscribeURL (a capability, no login): SOUK_E_NOT_FOUND for a wrong or old token. */
SOUK_MUST enum souk_err endpoint_confirm(
    struct db_tx *tx, struct str topic_arn, struct str token, struct buf *ret_subscription_arn);
/* From UnsubscribeURL: unsubscribes and sends an UnsubscribeConfirmation whose URL re-subscribes. */
SOUK_MUST enum souk_err endpoint_unsubscribe(
    struct db_tx *tx, struct topics *t, struct str subscription_arn, struct str token);

/*
 * Keeps a message and puts one notify job per confirmed endpoint, in the caller's
 * transaction. `body` is the Message text; no personal data.
 */
SOUK_MUST enum souk_err topic_publish(struct db_tx *tx, struct str seller_id, struct str topic,
    const struct guid *request_id, struct str body, struct guid *ret_message_id);
/*
 * Puts notify jobs again for a request's message of this body, same MessageId, to whoever is
 * subscribed now. SOUK_E_NOT_FOUND: no such message was published.
 */
SOUK_MUST enum souk_err topic_republish(struct db_tx *tx, struct str seller_id,
    const struct guid *request_id, struct str body, size_t *ret_jobs);

/* Job kinds "notify" and "confirm" (context: struct topics *). */
enum job_outcome topic_job_notify(void *topics, struct db *db, const struct job *j, struct fail *f);
enum job_outcome topic_job_confirm(
    void *topics, struct db *db, const struct job *j, struct fail *f);

/* The text that is signed (4.2), for tests. `type` as in the envelope. */
void topic_canonical(const json_t *envelope, struct buf *ret);

#endif
