/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remotes: the S3 store and the SNS service that a delivery role sends to, instead of
 * souk's embedded buckets and own topics, and the credentials for them.
 *
 * A seller's credentials are given once, sealed with a data key of their own and shown to
 * nobody again. The operator's stand in souk.ini; the danger is that a seller borrows them
 * to reach what is another's. So only the operator makes a role use them, the whole remote
 * is then the operator's to change, and they serve exactly the buckets or topics named
 * there, each of which belongs to one seller.
 */
#ifndef SOUK_DELIVERY_REMOTE_H
#define SOUK_DELIVERY_REMOTE_H

#include "base/config.h"
#include "base/json.h"
#include "base/secret.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

#define REMOTE_ENDPOINT_MAX 255
#define REMOTE_REGION_MAX 64
#define REMOTE_KEY_ID_MAX 128
#define REMOTE_SECRET_MAX 256
#define REMOTE_KMS_KEY_MAX 256
#define REMOTE_NAME_MAX 512 /* of a topic's ARN */
#define REMOTE_NAMES_MAX 20

enum remote_kind { REMOTE_S3, REMOTE_SNS, REMOTE__COUNT };
const char *remote_kind_word(enum remote_kind k); /* "s3", "sns" */

/* What the settings say; borrowed from them. */
struct remote_rules {
	bool allow_private; /* sellers' endpoints; the operator's own may be anywhere */
	const char *ca_file;
	struct {
		const char *access_key_id, *secret; /* "" not set */
	} operator_key[REMOTE__COUNT];
};
struct remote_rules remote_rules_of(const struct config *c);

/* A remote as somebody sets it. */
struct remote_new {
	enum remote_kind kind;
	struct str endpoint; /* https://host[:port]; a final slash is dropped */
	struct str region;
	bool path_style;
	struct str encryption; /* "none", "AES256", "aws:kms" */
	struct str kms_key_id; /* "" none */
	bool by_operator;
	/* The seller's. secret.p NULL keeps the one that is there, for the same endpoint and key id. */
	struct str access_key_id, secret;
	struct str
	    names[REMOTE_NAMES_MAX]; /* with the operator's credentials: buckets or topic ARNs */
	size_t n_names;
};
/*
 * Sets a role's remote; the role is there and its seller the scope's to manage. Fields are
 * named "s3.endpoint". SOUK_E_DENIED "operator_credentials": only the operator lends his, or
 * changes what he lent (sending it as it is changes nothing). SOUK_E_CONFLICT
 * "reached_by_another": a name that another seller reaches. Replaced credentials are destroyed.
 */
SOUK_MUST enum souk_err remote_put(struct db_tx *tx, struct vault *v,
    const struct remote_rules *rules, const struct tenant_scope *s, struct str seller_id,
    struct str role, const struct remote_new *n, struct fail *f);
/* Removes it with its credentials; fine when there is none. */
SOUK_MUST enum souk_err remote_remove(
    struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind);
/* Writes the members "s3" and "sns" of those that are there, without secrets, into an open object. */
SOUK_MUST enum souk_err remotes_json(
    struct db_tx *tx, struct str seller_id, struct str role, struct jw *out);

/* Ready for use. */
struct remote {
	char endpoint[REMOTE_ENDPOINT_MAX + 1];
	char region[REMOTE_REGION_MAX + 1];
	bool path_style, by_operator;
	char encryption[16];
	char kms_key_id[REMOTE_KMS_KEY_MAX + 1];
	char access_key_id[REMOTE_KEY_ID_MAX + 1];
	struct secret secret;
};
/*
 * May the role's remote be used for this bucket or topic? SOUK_E_NOT_FOUND: it has none, souk's
 * own serve. SOUK_E_DENIED with a sentence: the operator's credentials do not reach the name.
 */
SOUK_MUST enum souk_err remote_check(struct db_tx *tx, struct str seller_id, struct str role,
    enum remote_kind kind, struct str name, struct fail *f);
/* The same, and opens it; remote_done() it. SOUK_E_DENIED also when souk.ini has no such credentials. */
SOUK_MUST enum souk_err remote_load(struct db_tx *tx, struct vault *v,
    const struct remote_rules *rules, struct str seller_id, struct str role, enum remote_kind kind,
    struct str name, struct remote *ret, struct fail *f);
void remote_done(struct remote *r); /* accepts a zeroed one */

/* Key rotation: up to `max` after `*cursor` (empty at first). */
SOUK_MUST enum souk_err remote_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

/* "arn:PARTITION:sns:REGION:ACCOUNT:NAME" of any account, NAME with ".fifo" perhaps. */
SOUK_MUST bool sns_arn_valid(struct str arn);

#endif
