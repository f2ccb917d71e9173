/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Support contacts: the rules of the field (specs/psc.md 2) and their life cycle.
 *
 * The only part of souk that turns a stored contact into plain text. A contact is a
 * chain of sealed versions (see contact_version in the schema); deleting destroys them
 * and leaves a tombstone without personal data.
 */
#ifndef SOUK_PSC_CONTACT_H
#define SOUK_PSC_CONTACT_H

#include "base/arena.h"
#include "base/json.h"
#include "market/market.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

#define CONTACTS_MAX 5          /* per subscription (psc 1) */
#define CONTACT_SEALED_MAX 8192 /* sealed bytes of one version: every field at its limit fits */

/* What buyers enter (psc 2.1). Absent optional fields are empty. */
struct contact_fields {
	struct str organization, given_name, surname, telephone, email, title, country, zip;
};

/* The rules of psc 2.1; every offending field is named ("emailAddress" ...), none is quoted. */
SOUK_MUST enum souk_err contact_validate(const struct contact_fields *c, struct fail *f);
/* REST members: organization, givenName, surname, telephoneNumber, emailAddress, title, countryCode, zipCode. */
SOUK_MUST enum souk_err contact_parse(const json_t *o, struct contact_fields *ret, struct fail *f);

struct contact {
	struct guid id; /* the Customer Guid */
	struct guid subscription_id;
	struct contact_fields fields;     /* in the arena */
	instant_t created_at, changed_at; /* changed_at is the version: the ETag */
};
void contact_json(const struct contact *c, struct jw *out, const char *key);

/*
 * The live contacts of a subscription, in the order in which they were added. The caller
 * audits the read (psc:ReadContacts) before it answers. SOUK_E_NOT_FOUND when the scope
 * may not see the subscription. *ret_sub may be NULL.
 */
SOUK_MUST enum souk_err contact_list(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct guid *subscription_id, struct arena *mem,
    struct subscription *ret_sub, struct contact ret[CONTACTS_MAX], size_t *ret_n);
SOUK_MUST enum souk_err contact_get(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct guid *contact_id, struct arena *mem,
    struct contact *ret);

/* What a change of a subscription's contacts has to know. */
struct contact_home {
	char seller_id[ACCOUNT_ID_LEN + 1], buyer_id[ACCOUNT_ID_LEN + 1];
	struct guid subscription_id, product_id;
	instant_t subscription_start;
	bool active, psc_enabled;
	instant_t exported_until; /* INSTANT_MIN when nothing was exported yet */
	unsigned slots;           /* bit 1 << slot: taken */
};
/*
 * For import and the demo: an id and a time other than new and now. Zero members: as usual. `home`
 * (zeroed at first, of one transaction and one scope) keeps what the last call found out, for further contacts of
 * the same subscription.
 */
struct contact_preset {
	struct guid id;
	instant_t at;
	struct contact_home *home;
};
/*
 * Adds a contact (validated fields) and audits it. SOUK_E_CONFLICT: "contact_limit" (a sixth),
 * "subscription_ended", "product_not_psc". Buyers for their own subscriptions; the operator for all.
 */
SOUK_MUST enum souk_err contact_add(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct contact_fields *c,
    const struct contact_preset *preset, struct contact *ret, struct fail *f);
/* The version of a live contact, without opening it. */
SOUK_MUST enum souk_err contact_version(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *subscription_id, const struct guid *contact_id, instant_t *ret);
/* `seen` is the version the caller edited (If-Match), 0: any. SOUK_E_PRECONDITION when it moved on. */
SOUK_MUST enum souk_err contact_edit(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct guid *subscription_id, const struct guid *contact_id,
    instant_t seen, const struct contact_fields *c, const struct contact_preset *preset,
    struct contact *ret, struct fail *f);
/* Erases: versions, keys and kept answers go, a tombstone stays, the database is scrubbed. */
SOUK_MUST enum souk_err contact_delete(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct guid *subscription_id, const struct guid *contact_id,
    instant_t seen, const struct contact_preset *preset, struct fail *f);

/* "Opt out" in one call: all contacts of the caller's account in one subscription, with one seller, or everywhere. */
enum opt_out_scope { OPT_OUT_SUBSCRIPTION, OPT_OUT_SELLER, OPT_OUT_EVERYWHERE };
SOUK_MUST enum souk_err contact_opt_out(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, enum opt_out_scope what, const struct guid *subscription_id,
    struct str seller_id, int64_t *ret_deleted, struct fail *f);
/* Ends a subscription and deletes its contacts at the same instant (psc 2.3, 6 #9). */
SOUK_MUST enum souk_err psc_end_subscription(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct guid *subscription_id, instant_t at /* 0: now */,
    struct subscription *ret, int64_t *ret_deleted, struct arena *mem, struct fail *f);
/*
 * Ends every subscription whose agreed end has come, each in a transaction of its own, in
 * the name of job:lapse. One that cannot be ended does not keep the others: the first
 * error is returned once all were tried. *ret_n (set in any case): how many ended.
 */
SOUK_MUST enum souk_err psc_end_lapsed(struct db *db, struct vault *v, int64_t *ret_n);

/*
 * Where an e-mail address is live: for the operator answering a person's request. Blind
 * index look-up. The caller audits it (psc:SearchContacts) with the operator's purpose.
 */
struct contact_place {
	struct guid contact_id, subscription_id;
	char seller_id[ACCOUNT_ID_LEN + 1], buyer_id[ACCOUNT_ID_LEN + 1];
};
SOUK_MUST enum souk_err contact_search(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, struct str email, struct arena *mem, struct contact_place **ret,
    size_t *ret_n);

/* Upkeep: drops superseded versions that no export window can need; rewraps after key rotation. */
SOUK_MUST enum souk_err contact_prune(struct db_tx *tx, size_t max, int64_t *ret_n);
SOUK_MUST enum souk_err contact_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

#endif
