/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of topics share; nobody else includes it. */
#ifndef SOUK_DELIVERY_TOPIC_INT_H
#define SOUK_DELIVERY_TOPIC_INT_H

#include "delivery/post.h"
#include "delivery/signer.h"
#include "delivery/topic.h"

#define TOPIC_NAME_MAX 256
#define TOPIC_TOKEN_LEN 64 /* hex of 256 bits */
#define TOPIC_TOKEN_MS (3 * DAY_MS)
#define ENDPOINTS_MAX 100  /* of one topic */
#define MESSAGE_MAX 262144 /* bytes of a message's body */

struct topics {
	struct vault *vault;
	struct signer *signer;
	struct poster *poster;
	bool allow_private;
	char region[64];
	char public_url[512];
};

/*
 * Tokens are not kept anywhere: they are MACs under the key ring, so that a retried
 * confirmation carries the same one and the database alone gives none away. Confirming
 * ones are bound to the moment until which they are valid, unsubscribing ones last.
 */
struct topic_token {
	char text[TOPIC_TOKEN_LEN + 1];
};
void topic_token_confirm(
    const struct vault *v, const struct guid *endpoint, instant_t until, struct topic_token *ret);
void topic_token_unsubscribe(
    const struct vault *v, const struct guid *endpoint, struct topic_token *ret);

enum endpoint_state { ENDPOINT_PENDING, ENDPOINT_CONFIRMED, ENDPOINT_UNSUBSCRIBED };

struct endpoint {
	struct guid id;
	enum endpoint_state state;
	char topic[TOPIC_NAME_MAX + 1];
	char url[POST_URL_MAX + 1];
	instant_t token_until;
};

/* ---- messages (envelope.c) ---- */
enum sns_type { SNS_NOTIFICATION, SNS_SUBSCRIBE, SNS_UNSUBSCRIBE };
const char *sns_type_word(enum sns_type t);

struct sns_message {
	enum sns_type type;
	struct guid id;
	struct str seller_id;
	const struct endpoint *to;
	struct str body; /* of notifications; others have words of ours */
	instant_t at;
};
/* The signed envelope (4.1). The caller json_decref()s. */
SOUK_MUST enum souk_err sns_envelope(struct topics *t, const struct sns_message *m, json_t **ret);
void topic_arn_of(const struct topics *t, struct str seller_id, struct str name, struct buf *ret);

/* ---- rows (topic_store.c) ---- */
SOUK_MUST enum souk_err topic_row_insert(
    struct db_tx *tx, struct str seller_id, struct str name, bool *ret_inserted);
/* With its endpoints. */
SOUK_MUST enum souk_err topic_row_delete(struct db_tx *tx, struct str seller_id, struct str name);
SOUK_MUST enum souk_err topic_row_count(struct db_tx *tx, struct str seller_id, int64_t *ret);
SOUK_MUST enum souk_err topic_rows_json(
    struct db_tx *tx, struct str seller_id, struct str region, struct jw *out);
SOUK_MUST enum souk_err topic_row_json(
    struct db_tx *tx, struct str seller_id, struct str name, struct str region, struct jw *out);

/* A new row when e->id is not there yet. token_hash: SHA-256 of the confirming token. */
SOUK_MUST enum souk_err endpoint_row_put(
    struct db_tx *tx, struct str seller_id, const struct endpoint *e, const uint8_t token_hash[32]);
SOUK_MUST enum souk_err endpoint_row_load(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct endpoint *ret);
SOUK_MUST enum souk_err endpoint_row_by_url(
    struct db_tx *tx, struct str seller_id, struct str topic, struct str url, struct endpoint *ret);
SOUK_MUST enum souk_err endpoint_row_by_token(
    struct db_tx *tx, struct str seller_id, const uint8_t token_hash[32], struct endpoint *ret);
SOUK_MUST enum souk_err endpoint_row_confirm(
    struct db_tx *tx, struct str seller_id, const struct guid *id);
SOUK_MUST enum souk_err endpoint_row_delete(struct db_tx *tx, struct str seller_id,
    struct str topic, const struct guid *id, bool *ret_was_there);
/* Deletes those that nobody answered for, and those unsubscribed, once their token is too old. */
SOUK_MUST enum souk_err endpoint_rows_forget(
    struct db_tx *tx, struct str seller_id, struct str topic);
SOUK_MUST enum souk_err endpoint_row_count(
    struct db_tx *tx, struct str seller_id, struct str topic, int64_t *ret);
SOUK_MUST enum souk_err endpoint_rows_confirmed(struct db_tx *tx, struct str seller_id,
    struct str topic, struct guid *out, size_t max, size_t *ret_n);
SOUK_MUST enum souk_err endpoint_rows_json(
    struct db_tx *tx, struct str seller_id, struct str topic, struct jw *out);
/* Writes the members of one endpoint into an object that the caller opened. */
SOUK_MUST enum souk_err endpoint_row_json(struct db_tx *tx, struct str seller_id, struct str topic,
    const struct guid *id, struct jw *out);

SOUK_MUST enum souk_err message_row_insert(struct db_tx *tx, struct str seller_id,
    const struct guid *id, struct str topic, const struct guid *request_id, struct str body);
SOUK_MUST enum souk_err message_row_body(
    struct db_tx *tx, struct str seller_id, const struct guid *id, struct buf *ret);
struct message_ref {
	struct guid id;
	char topic[TOPIC_NAME_MAX + 1];
};
SOUK_MUST enum souk_err message_row_of(struct db_tx *tx, struct str seller_id,
    const struct guid *request_id, struct str body, struct message_ref *ret);

/* ---- jobs (topic_job.c) ---- */
/*
 * What a job that sent something comes to: done, and recorded so; again; or never again. Counts it. The
 * words are in `f` unless it is done.
 */
enum job_outcome topic_settle(
    struct db *db, const struct job *j, const struct post_answer *a, struct fail *f);

extern struct db_texts topic_texts; /* for the test of all statements */

#endif
