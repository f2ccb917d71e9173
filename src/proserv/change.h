/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change sets: changes of listings and offers that are made together or not at all (docs/proserv.md, "Catalog API").
 *
 * A set is kept as PREPARING with a job, which reviews what it would make of the listings. A fault fails it; a listing
 * that is to be public may have to wait for people (review_gate.h); else the set is APPLYING, then SUCCEEDED in the
 * transaction that makes all its changes. From its start to its end nobody else changes its entities.
 */
#ifndef SOUK_PROSERV_CHANGE_H
#define SOUK_PROSERV_CHANGE_H

#include "base/json.h"
#include "market/page.h"
#include "proserv/catalog.h"
#include "proserv/change_store.h"
#include "proserv/logo_fetch.h"
#include "proserv/reviewer.h"
#include "store/job.h"
#include "vault/vault.h"

#define CHANGE_SET_JOB "change-set"
#define CHANGE_SET_KEPT (60 * DAY_MS) /* after its end */
#define CHANGES_MAX 20
#define CHANGE_NAME_MAX 72
#define CATALOG "AWSMarketplace"

enum entity_kind { ENTITY_PRODUCT, ENTITY_OFFER, ENTITY__COUNT };
/* "ProfessionalServicesProduct", "Offer": the type without its version, and with it. */
const char *entity_type(enum entity_kind k);
const char *entity_type_versioned(enum entity_kind k);
/* With or without the version; false when it is neither. */
SOUK_MUST bool entity_type_parse(struct str s, enum entity_kind *ret);
/* "prod-...", "offer-..." */
const char *entity_prefix(enum entity_kind k);

struct change_kind;
struct change_error {
	const char *code, *message;
	const char *pointer, *what,
	    *hint; /* what the message is put together from; NULL: nothing, and after changes_read */
};
#define CHANGE_ERRORS_MAX 50

struct change {
	const struct change_kind *kind;
	enum entity_kind entity;
	struct str type, name, identifier; /* as sent; "" none */
	struct guid entity_id;             /* of a new one: its future id */
	int64_t revision;                  /* that the caller saw ("id@7"); 0 any */
	const json_t *details;             /* references in it are ids already */
	const json_t *tags;                /* NULL none */
	bool was_text;                     /* Details, not DetailsDocument */
	const struct change_error *errors;
	struct change_error *own_errors; /* the same, while changes are made */
	size_t n_errors;
};

struct change_request {
	struct change v[CHANGES_MAX];
	size_t n;
	struct str name, token; /* "" none */
	bool validate;
	const json_t *tags; /* NULL none */
	uint8_t hash[SHA256_LEN];
};

/*
 * Reads the input of StartChangeSet. References ($NAME.Entity.Identifier) are put in place in `body`, which must outlive
 * *ret. SOUK_E_INVALID names the member ("ChangeSet[2].Entity.Type") and the fix, for every wrong type, unknown member,
 * unknown or circular reference, doubled name or change type of an entity. No word quotes a value.
 */
SOUK_MUST enum souk_err change_request_read(
    json_t *body, struct arena *mem, struct change_request *ret, struct fail *f);

struct change_limits {
	int64_t open; /* sets of a seller under way */
};
/*
 * Keeps the set and puts its job. A repeat with the same token and content gives the same id. SOUK_E_INVALID:
 * "token_reused" (with other content), "revision". SOUK_E_NOT_FOUND: an entity is not there or not the caller's.
 * SOUK_E_DENIED: the change is the operator's, or the caller does not sell. SOUK_E_CONFLICT "entity_locked". SOUK_E_LIMIT
 * "change_set_quota".
 */
SOUK_MUST enum souk_err change_set_start(struct db_tx *tx, const struct tenant_scope *s,
    const struct change_request *q, const struct change_limits *limits, struct arena *mem,
    struct guid *ret_id, struct fail *f);
/* SOUK_E_NOT_FOUND. Slices are in the arena. */
SOUK_MUST enum souk_err change_set_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct change_set_row *ret);
/* SOUK_E_CONFLICT "not_cancellable": it is no longer PREPARING. */
SOUK_MUST enum souk_err change_set_cancel(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct change_set_row *ret, struct fail *f);

/*
 * Goes on with a set that waits for people: its gates are asked again. Nothing for one that does not wait (it was
 * cancelled, or went on already). In the transaction that decides.
 */
SOUK_MUST enum souk_err change_set_resume(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id);

/*
 * The kept form of changes: a JSON array of {"type", "entityType", "entityId", "name", "details", "text", "tags",
 * "errors": [{"code", "message"}]}. `read` takes what `write` wrote; values are borrowed from `kept`.
 */
void changes_write(const struct change_request *q, struct buf *out);
SOUK_MUST enum souk_err changes_read(
    const json_t *kept, struct arena *mem, struct change_request *ret);

/* ---- making changes without a set (for REST) ---- */

/*
 * Makes the changes in the caller's transaction, as a set would, but at once. SOUK_E_INVALID "changes_refused" when
 * changes have errors: undo the transaction. SOUK_E_CONFLICT "entity_locked" while a set is under way.
 */
SOUK_MUST enum souk_err changes_make(struct db_tx *tx, struct reviewer *reviewer,
    struct str seller_id, struct change_request *q, struct arena *mem, struct fail *f);
/* The kind of a change that REST alone asks for: its details are the whole listing document. */
const struct change_kind *change_set_document(void);
const struct change_kind *change_create_product(void);

/* ---- the job ---- */

struct change_job_ctx {
	struct vault *vault;
	struct reviewer *reviewer;
	struct logo_fetcher *logos; /* NULL: none are fetched */
};
/* The job kind above; ctx is a struct change_job_ctx. */
enum job_outcome proserv_job_change_set(
    void *ctx, struct db *db, const struct job *j, struct fail *f);
/* Hook for dead letters: the set failed by a fault of the server. */
SOUK_MUST enum souk_err proserv_job_change_set_dead(
    void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);

#endif
