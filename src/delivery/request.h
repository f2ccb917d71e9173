/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data set requests: what a seller asked for, what became of it, and the delivery log.
 * Shared by the programs that deliver data sets (psc now).
 */
#ifndef SOUK_DELIVERY_REQUEST_H
#define SOUK_DELIVERY_REQUEST_H

#include "base/arena.h"
#include "base/json.h"
#include "delivery/topic.h"
#include "market/market.h"
#include "store/job.h"

struct data_set_request {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id;
	struct str data_set_type;
	instant_t from_at;                      /* as asked, milliseconds */
	instant_t coverage_start, coverage_end; /* end fixed when received (psc 4) */
	struct str role_arn, bucket, topic_arn;
	struct str prefix;          /* p NULL: absent */
	struct str customer_values; /* JSON object text, "{}" when absent */
	struct str requested_by;
	instant_t received_at, completed_at; /* completed_at 0: not yet */
	struct str state;                    /* waiting, delivered, failed */
	struct str reason;
	int64_t rows_create, rows_update, rows_delete;
	struct str csv_key, meta_key;
	uint8_t csv_sha256[32];
	int64_t csv_bytes;
	struct str
	    store; /* NUL-terminated: endpoint of the S3 store that has the files; "" the embedded buckets */
};

#define REQUESTS_WAITING_MAX 100 /* of one seller: all share the workers */
/* Payload of a request's job that only announces again what was delivered. */
#define REQUEST_ANNOUNCE "{\"announce\":true}"
#define REQUEST_RETRY_MS DAY_MS /* how long a failed one can be tried again */

/* Keeps the request and puts its job (`job_kind`) in one transaction. SOUK_E_LIMIT: too many wait already. r->id zero: one is made.
 * The job's seller and request_id say what to load; its payload is {}. */
SOUK_MUST enum souk_err request_accept(
    struct db_tx *tx, struct data_set_request *r, const char *job_kind);
/* For the job handler. */
SOUK_MUST enum souk_err request_load(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct data_set_request *ret);
/* Sets state delivered with rows, keys, hash, size, completed_at. SOUK_E_CONFLICT unless waiting. */
SOUK_MUST enum souk_err request_delivered(struct db_tx *tx, const struct data_set_request *r);
/* Sets state failed with a reason, and publishes the success:false message if the role may use the topic (psc 9). */
SOUK_MUST enum souk_err request_failed(
    struct db_tx *tx, const struct data_set_request *r, struct str reason);
/* The Message of psc 9, for both outcomes. */
void request_message(
    const struct data_set_request *r, bool success, struct str reason, struct buf *ret);

/* ---- delivery log ---- */
/* Newest first. */
SOUK_MUST enum souk_err request_list(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, struct page *p, struct arena *mem, struct jw *out, struct fail *f);
/* With its jobs (attempts, state, last reason). */
SOUK_MUST enum souk_err request_get_json(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const struct guid *id, struct arena *mem, struct jw *out);
/*
 * Notifies again about the same objects (no new export); when an S3 store has them, a job
 * looks first whether they are still there (REQUEST_ANNOUNCE). SOUK_E_CONFLICT with code "expired" when
 * they are gone or a later export took their names, "not_delivered" while it is still being made,
 * "no_endpoint" when nobody is subscribed, "role_denied" when the role may not publish any more. A
 * failed request is tried again instead (its job is put anew, same coverage, same names), for a
 * day ("expired" then: what held at its end is no longer kept). Audited as delivery:Resend.
 */
SOUK_MUST enum souk_err request_resend(struct db_tx *tx, const struct vault *v,
    const struct tenant_scope *s, struct str seller_id, const struct guid *id, struct arena *mem,
    struct fail *f);
/* Oldest coverage_end of requests of two job kinds that wait or may be tried again; INSTANT_MAX when none. For dropping versions. */
SOUK_MUST enum souk_err request_oldest_coverage(
    struct db_tx *tx, const char *kind, const char *other_kind, instant_t *ret);

#endif
