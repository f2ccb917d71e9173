/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and seals of mails, their templates and addresses. Private to mail*.c. */
#ifndef SOUK_DELIVERY_MAIL_STORE_H
#define SOUK_DELIVERY_MAIL_STORE_H

#include "delivery/mail_own.h"

extern struct db_texts mail_texts; /* for the test of all statements */

/* ---- seals (mail_seal.c) ---- */

/* What a seal and its key are bound to: nothing opens in another's place. */
struct mail_place_of {
	char b[1 + ACCOUNT_ID_LEN + sizeof(struct guid)];
};
struct mail_place_of mail_place(struct str seller_id, const struct guid *id);
struct mail_place_of mail_address_place(struct str seller_id, int slot);

struct mail_sealed {
	struct wrapped_key key;
	struct buf bytes; /* the caller's to free */
};
/* Texts, each with its length before it. SOUK_E_LIMIT: more than MAIL_SEALED_MAX. */
SOUK_MUST enum souk_err mail_seal(struct vault *v, const struct mail_place_of *at,
    const struct str *texts, size_t n, struct mail_sealed *ret);
/* Slices of the arena. SOUK_E_STORAGE: damaged, or of another place, or not `n` texts. */
SOUK_MUST enum souk_err mail_unseal(struct vault *v, const struct mail_place_of *at, struct str key,
    struct str sealed, struct arena *mem, struct str *texts, size_t n);
/* One address whatever its case (of ASCII) and its domain's form. SOUK_E_INVALID: no address. */
SOUK_MUST enum souk_err mail_address_index(
    const struct vault *v, struct str mailbox, uint8_t out[VAULT_BLIND_LEN]);

/* ---- rows (mail_store.c) ---- */

struct mail_put {
	struct guid id;
	struct str seller_id, event;
	const char *kind;
	const uint8_t *to_index;
	const struct mail_sealed *sealed;
};
/* *ret_new false: there is one of this event already, *ret_id is its id. */
SOUK_MUST enum souk_err mail_row_put(
    struct db_tx *tx, const struct mail_put *m, struct guid *ret_id, bool *ret_new);
SOUK_MUST enum souk_err mail_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct mail_row *ret);
SOUK_MUST enum souk_err mail_row_of_event(struct db_tx *tx, struct str seller_id, struct str event,
    struct arena *mem, struct mail_row *ret);
/* Whose it is. */
SOUK_MUST enum souk_err mail_row_owner(
    struct db_tx *tx, const struct guid *id, struct arena *mem, struct str *ret_seller_id);
/* Slices of the arena. SOUK_E_NOT_FOUND: erased, or never there. */
SOUK_MUST enum souk_err mail_row_sealed(struct db_tx *tx, struct str seller_id,
    const struct guid *id, struct arena *mem, struct str *ret_key, struct str *ret_sealed);
/* All that changes but the seal: state, parked, round, attempts, status, reason, report and the times. */
SOUK_MUST enum souk_err mail_row_set(struct db_tx *tx, const struct mail_row *m);
/* Key, seal and index go; the caller sets the state. */
SOUK_MUST enum souk_err mail_row_erase(
    struct db_tx *tx, struct str seller_id, const struct guid *id);
/* One not yet erased: any to an address, of one seller (p NULL: whoever's); the oldest made before. */
SOUK_MUST enum souk_err mail_row_next_to(struct db_tx *tx, struct str seller_id,
    const uint8_t index[VAULT_BLIND_LEN], struct guid *ret_id, struct arena *mem,
    struct str *ret_seller_id);
SOUK_MUST enum souk_err mail_row_next_old(struct db_tx *tx, instant_t before, struct guid *ret_id,
    struct arena *mem, struct str *ret_seller_id);
SOUK_MUST enum souk_err mail_row_next_parked(
    struct db_tx *tx, struct guid *ret_id, struct arena *mem, struct str *ret_seller_id);
SOUK_MUST enum souk_err mail_rows_list(struct db_tx *tx, const struct mail_filter *q,
    struct page *p, struct arena *mem, struct jw *out, struct fail *f);
SOUK_MUST enum souk_err mail_rows_count(struct db_tx *tx, struct mail_counts *ret);

/* A key in rotation; `slot` of an address, `id` of a mail. */
struct mail_key {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct guid id;
	int64_t slot;
	uint8_t wrapped[VAULT_WRAPPED_LEN];
	size_t n;
};
SOUK_MUST enum souk_err mail_key_after(
    struct db_tx *tx, bool address, const struct mail_key *after, struct mail_key *ret);
SOUK_MUST enum souk_err mail_key_set(
    struct db_tx *tx, bool address, const struct mail_key *k, const struct wrapped_key *fresh);

struct mail_address_row {
	int slot;
	struct str key, sealed;
};
SOUK_MUST enum souk_err mail_address_rows(struct db_tx *tx, struct str seller_id, struct arena *mem,
    struct mail_address_row out[MAIL_ADDRESSES_MAX], size_t *ret_n);
SOUK_MUST enum souk_err mail_address_put(
    struct db_tx *tx, struct str seller_id, int slot, const struct mail_sealed *s);
SOUK_MUST enum souk_err mail_address_drop_all(struct db_tx *tx, struct str seller_id);

/* ---- templates' rows ---- */

/* The best for a language: its own, its first part's, any's. SOUK_E_NOT_FOUND: none. */
SOUK_MUST enum souk_err mail_template_best(struct db_tx *tx, struct str seller_id, const char *kind,
    struct str language, struct arena *mem, struct mail_parts *ret);
SOUK_MUST enum souk_err mail_template_row_get(struct db_tx *tx, struct str seller_id,
    struct str kind, struct str language, struct arena *mem, struct mail_own *ret);
SOUK_MUST enum souk_err mail_template_row_put(
    struct db_tx *tx, struct str seller_id, const struct mail_own *t);
SOUK_MUST enum souk_err mail_template_row_drop(
    struct db_tx *tx, struct str seller_id, struct str kind, struct str language);
/* All of a kind, by language, their subjects without their texts; at most `max`. */
SOUK_MUST enum souk_err mail_template_rows(struct db_tx *tx, struct str seller_id, struct str kind,
    struct arena *mem, struct mail_own *out, size_t max, size_t *ret_n);

/* SOUK_E_NOT_FOUND: there is none; *ret_revision stays. */
SOUK_MUST enum souk_err mail_template_revision(struct db_tx *tx, struct str seller_id,
    const char *kind, struct str language, int64_t *ret_revision);
SOUK_MUST enum souk_err mail_template_count(
    struct db_tx *tx, struct str seller_id, const char *kind, int64_t *ret);

#endif
