/* SPDX-License-Identifier: Apache-2.0 */
/* How changes are made, for change*.c only. */
#ifndef SOUK_PROSERV_CHANGE_INT_H
#define SOUK_PROSERV_CHANGE_INT_H

#include "market/market.h"
#include "proserv/change.h"
#include "proserv/logo_fetch.h"

#define TOUCHED_MAX 64

/* A member of the listing document (or of the offer) that a change of this set set. */
struct touched {
	const char *member;
	struct change *by;
};

struct entity {
	enum entity_kind kind;
	struct guid id;
	bool is_new, is_live; /* live: released before this set */
	bool is_changed;      /* its own row is to be written */
	json_t *doc, *extra;  /* as they become */
	struct change *first, *release, *visible;
	struct touched touched[TOUCHED_MAX];
	size_t n_touched;
	/* of a product: */
	struct listing_row row;
	struct product product; /* market's */
	json_t *data_use, *targeting;
	enum visibility visibility; /* as it becomes */
	struct findings before;     /* of a live one, as it was */
	struct findings found;      /* of the whole listing as it becomes */
	struct str logo_before;     /* of a live one: the logo's address, as it was */
	/* of an offer: */
	struct listing_offer_row offer;
	json_t *market_offers;
	instant_t accepted_at;
};

/* A listing that is to be public, with the findings on it: for the gate. */
struct gated {
	struct guid product_id;
	struct change *by;
	struct listing listing; /* as it would be */
	struct findings found;  /* of it */
};

/* What a set's logos came to. A set's job keeps it from one try to the next. */
struct logos {
	struct wanted_logo {
		struct guid product_id;
		char url[LOGO_URL_MAX + 1];
		char reason
		    [LOGO_REASON_MAX]; /* why it cannot be read; "" it can, or is not asked for yet */
	} v[CHANGES_MAX];
	size_t n;
};

/* Changes being made, in one transaction. */
struct work {
	struct db_tx *tx;
	struct arena *mem;
	struct reviewer *reviewer;
	const struct tenant_scope *operator; /* facts of the market are the operator's to change */
	struct str seller_id;
	struct change_request *q;
	struct entity entities[2 * CHANGES_MAX];
	size_t n_entities;
	bool failed; /* a change has an error */
	struct gated gated[CHANGES_MAX];
	size_t n_gated;
	/* Of a set; NULL when changes are made at once: */
	const struct guid *set_id;
	struct logos *logos; /* NULL as well when none are fetched */
};

struct change_kind {
	const char *type;
	enum entity_kind entity;
	bool creates, operator_only, internal; /* internal: REST alone asks for it */
	int rank; /* lower ones are made first, whatever the order in the set */
	enum souk_err (*make)(struct work *w, struct change *c, struct entity *e);
};

extern const struct change_kind change_kinds[];
extern const size_t n_change_kinds;

/* Makes all changes in the transaction; w->failed and errors of changes tell whether it may stay. Ends with work_done. */
SOUK_MUST enum souk_err work_run(struct work *w);
void work_done(struct work *w);
/* The entity as it becomes, loaded once. SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err work_entity(
    struct work *w, enum entity_kind kind, const struct guid *id, struct entity **ret);
/* What a set makes of the entities' findings: errors of the changes. */
SOUK_MUST enum souk_err work_review(struct work *w);
/* Before anything is written: what live listings have against them already. */
SOUK_MUST enum souk_err work_review_before(struct work *w);
/* The change that set a member of the entity's document; NULL: none did. */
struct change *entity_touched_by(const struct entity *e, struct str member);
/*
 * The logo that a listing, as it becomes, is reviewed with: what the set fetched, else what is in force. What it has to fetch
 * and did not yet is noted in w->logos: the try is then in vain. A live listing whose logo changes at once is refused.
 */
SOUK_MUST enum souk_err work_logo(
    struct work *w, struct entity *e, struct listing *l, struct review_input *in);
/*
 * Fetches what was noted and keeps it as the set's, outside of transactions. SOUK_E_UNAVAILABLE: an address does not answer
 * now, and with `last` that counts as unreadable. SOUK_E_CONFLICT: the set was cancelled, or the lease lost.
 */
SOUK_MUST enum souk_err logos_fetch(struct logos *x, struct logo_fetcher *fetcher, struct db *db,
    const struct job *j, const struct change_set_row *set, bool last, struct fail *f);
/* Writes what changed. *ret_whole: the products are all written, so that they can be reviewed. */
SOUK_MUST enum souk_err work_write(struct work *w, bool *ret_whole);

/* Locks what the changes are about for the set `row`. SOUK_E_CONFLICT "entity_locked". */
SOUK_MUST enum souk_err change_lock_entities(struct db_tx *tx, const struct change_set_row *row,
    const struct change_request *q, struct fail *f);
/* Tags of new entities. */
SOUK_MUST enum souk_err changes_put_tags(
    struct db_tx *tx, struct str seller_id, const struct change_request *q);

/* ---- for the kinds ---- */

/* An error of the change. `code` of A-Z, 0-9 and _. */
void change_error(struct work *w, struct change *c, const char *code, const char *fmt, ...)
    SOUK_PRINTF(4, 5);
/* The same with the parts that `message` is put together from; `what` and `hint` are copied. */
void change_error_at(struct work *w, struct change *c, const char *code, struct str pointer,
    struct str what, const char *hint);
/* The same outside of a work; the text is copied. */
void change_error_in(struct arena *mem, struct change *c, const char *code, const char *text);
/* One for each offending member of `f`. */
void change_refused(struct work *w, struct change *c, const struct fail *f);
/* The members of details; false, and errors of the change, when they are not these. */
SOUK_MUST bool change_take(
    struct work *w, struct change *c, const json_t *o, struct json_member *m, size_t n);
/* Sets a member of the document (takes over `v`; NULL is our bug or memory) and notes which change did. */
SOUK_MUST enum souk_err entity_set(
    struct entity *e, struct change *c, const char *member, json_t *v);
/* A new object whose members are named anew by pairs {wire, ours}; NULL, and an error, when it has others. */
struct rename {
	const char *wire, *ours; /* ours NULL: dropped */
};
json_t *renamed(struct work *w, struct change *c, const json_t *o, const struct rename *t, size_t n,
    const char *where);
/* The same of each element of an array of objects. */
json_t *renamed_all(struct work *w, struct change *c, const json_t *a, const struct rename *t,
    size_t n, const char *where);
/* The twelve-digit accounts of an array, each once, at most `max`; false, and an error, when they are not that. */
SOUK_MUST bool change_accounts(struct work *w, struct change *c, const json_t *a, size_t max);

enum souk_err make_create_product(struct work *w, struct change *c, struct entity *e);
enum souk_err make_information(struct work *w, struct change *c, struct entity *e);
enum souk_err make_add_dimensions(struct work *w, struct change *c, struct entity *e);
enum souk_err make_update_dimensions(struct work *w, struct change *c, struct entity *e);
enum souk_err make_restrict_dimensions(struct work *w, struct change *c, struct entity *e);
enum souk_err make_targeting(struct work *w, struct change *c, struct entity *e);
enum souk_err make_release_product(struct work *w, struct change *c, struct entity *e);
enum souk_err make_visibility(struct work *w, struct change *c, struct entity *e);
enum souk_err make_document(struct work *w, struct change *c, struct entity *e);

enum souk_err make_create_offer(struct work *w, struct change *c, struct entity *e);
enum souk_err make_offer_information(struct work *w, struct change *c, struct entity *e);
enum souk_err make_offer_targeting(struct work *w, struct change *c, struct entity *e);
enum souk_err make_pricing(struct work *w, struct change *c, struct entity *e);
enum souk_err make_validity(struct work *w, struct change *c, struct entity *e);
enum souk_err make_schedule(struct work *w, struct change *c, struct entity *e);
enum souk_err make_legal(struct work *w, struct change *c, struct entity *e);
enum souk_err make_support(struct work *w, struct change *c, struct entity *e);
enum souk_err make_availability(struct work *w, struct change *c, struct entity *e);
enum souk_err make_release_offer(struct work *w, struct change *c, struct entity *e);

#endif
