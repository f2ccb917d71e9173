/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings and offers as entities of the Catalog API: their documents, and what lists show of them.
 */
#ifndef SOUK_PROSERV_ENTITY_H
#define SOUK_PROSERV_ENTITY_H

#include "market/tenant.h"
#include "proserv/change.h"

/* What a list shows, and goes by. Slices are in the arena. */
struct entity_summary {
	enum entity_kind kind;
	char seller_id[ACCOUNT_ID_LEN + 1];
	char id[ENTITY_ID_MAX];
	struct str name;       /* "" none */
	struct str visibility; /* of a product "Draft" ..., of an offer "Private" */
	struct str state;      /* "Draft"; else of a product "Active", of an offer "Released" */
	char product_id[ENTITY_ID_MAX]; /* of an offer */
	struct str available_until;     /* of an offer: its last day, or "" */
	struct str buyers;              /* of an offer: JSON array */
	int64_t revision;
	instant_t changed_at;
};

/* What an entity is, without its document. */
struct entity_document {
	struct entity_summary summary;
	struct str details; /* JSON object */
};

/* SOUK_E_NOT_FOUND: not there, or not the scope's. */
SOUK_MUST enum souk_err entity_get(struct db_tx *tx, const struct tenant_scope *s, struct str id,
    struct arena *mem, struct entity_document *ret);

/*
 * The same, or what its owner's policy lets the scope's account describe (resource_policy.h), without what reviews of
 * it came to: *ret_shared. For reading alone: whose it is stays who may change it.
 */
SOUK_MUST enum souk_err entity_read(struct db_tx *tx, const struct tenant_scope *s, struct str id,
    struct arena *mem, struct entity_document *ret, bool *ret_shared);

/* False: enough. */
typedef bool entity_each(void *arg, const struct entity_summary *e);
/* All of a kind that the scope owns (the operator: of everybody). Slices live until the next call. */
SOUK_MUST enum souk_err entity_all(struct db_tx *tx, const struct tenant_scope *s,
    enum entity_kind kind, entity_each *each, void *arg);
/* All of others that their policies let the scope's account list. */
SOUK_MUST enum souk_err entity_all_shared(struct db_tx *tx, const struct tenant_scope *s,
    enum entity_kind kind, entity_each *each, void *arg);

/* "arn:aws:aws-marketplace:REGION:ACCOUNT:AWSMarketplace/TYPE/ID", in the arena; p NULL when it is full. */
struct str entity_arn(
    struct arena *mem, const char *region, const char *account, const char *type, const char *id);

#endif
