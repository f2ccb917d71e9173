/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mails: posted with what they tell of, sent by a job, kept as evidence.
 *
 * A mail is written (its template filled) and sealed in the transaction of what happened, so that there is one
 * exactly when that is committed. Its event is its key: a second one with the same event is not made, whoever asks and
 * however often. Recipient and text are sealed like contacts (vault.h); erasing drops the key and leaves the
 * row, so that an erased mail is not sent again either. A seller_id of "" is the installation's own: mails
 * that only the operator sees.
 */
#ifndef SOUK_DELIVERY_MAIL_H
#define SOUK_DELIVERY_MAIL_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/guid.h"
#include "base/json.h"
#include "delivery/mail_template.h"
#include "market/page.h"
#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

#define MAIL_JOB "mail" /* the job kind */
/*
 * Put when a mail has bounced or failed, in the transaction that records it, once for each round: payload
 * {"event"}, the mail's seller. For whoever relied on the mail; others have nothing to do.
 */
#define MAIL_UNDELIVERED_JOB "mail-undelivered"
#define MAIL_EVENT_MAX 200   /* bytes, of them 2 for notices */
#define MAIL_ADDRESSES_MAX 5 /* where one account's notices go */

struct mail_new {
	struct str seller_id; /* 12 digits, or "" */
	struct str event; /* "fulfilment/ID/delay/3": printable ASCII, ids only, no personal data */
	const struct mail_kind *kind; /* a constant one, listed in server/mail_kinds.c */
	struct str language;          /* of the reader, as BCP 47; "" not known */
	struct mail_party to;
	struct mail_party reply_to; /* mailbox "": answers go to the operator's address */
	struct str from_name;       /* shown before the operator's address; "" the setting's */
	const struct mail_value *values;
	size_t n_values;
};

/*
 * In the caller's transaction: fills the template (the seller's own for this language, for its first part, for any;
 * else the operator's, likewise; else the kind's), seals the mail and puts its job. *ret_id (may be NULL) is
 * the mail of this event, new or not; *ret_new (may be NULL) whether it was made now. SOUK_E_INVALID names what is
 * wrong: "to", "replyTo", "fromName" (no address, line breaks), or a value that is missing, not UTF-8 or
 * over MAIL_VALUE_MAX; check what people give before it gets here.
 */
SOUK_MUST enum souk_err mail_post(struct db_tx *tx, struct vault *v, const struct mail_new *m,
    struct guid *ret_id, bool *ret_new, struct fail *f);
/*
 * The same to each address that the account gave for notices; `to` and `language` are ignored. Each address is an
 * event of its own, EVENT#1 to EVENT#5. *ret_n (may be NULL): new mails; none when the account gave no address.
 */
SOUK_MUST enum souk_err mail_post_notice(
    struct db_tx *tx, struct vault *v, const struct mail_new *m, size_t *ret_n, struct fail *f);

/* ---- reading ---- */

enum mail_state {
	MAIL_WAITING,  /* not sent yet */
	MAIL_SENT,     /* taken over by the operator's server */
	MAIL_BOUNCED,  /* refused for good, by that server or by one after it */
	MAIL_FAILED,   /* given up: it could not be sent for so long */
	MAIL_WITHDRAWN /* erased before it was sent */
};
const char *mail_state_word(enum mail_state s); /* "waiting", "sent" ... */

struct mail_row {
	struct guid id;
	struct str seller_id, event, kind; /* in the arena */
	enum mail_state state;
	bool parked; /* waits for the operator to configure a server */
	int round, attempts;
	int status;        /* of SMTP, last; 0 none */
	struct str reason; /* of the last failure; "" none */
	struct str report; /* status of a delivery report; "" none */
	instant_t created_at, since;
	instant_t tried_at, sent_at, bounced_at, erased_at; /* 0: not */
};

/* What is sealed. */
struct mail_content {
	struct mail_party to, reply_to;
	struct str from_name;
	struct mail_parts parts;
};

/* SOUK_E_NOT_FOUND: no mail of that event. For evidence; without a scope, for the seller's own programs. */
SOUK_MUST enum souk_err mail_of_event(struct db_tx *tx, struct str seller_id, struct str event,
    struct arena *mem, struct mail_row *ret);
/* One that the scope may see. */
SOUK_MUST enum souk_err mail_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct mail_row *ret);
/*
 * Opens it. SOUK_E_NOT_FOUND once it is erased. Personal data: the caller has audited it. The arena must hold
 * MAIL_SEALED_MAX beside what is in it.
 */
#define MAIL_SEALED_MAX ((size_t)4 << 20)
SOUK_MUST enum souk_err mail_open(struct db_tx *tx, struct vault *v, struct str seller_id,
    const struct guid *id, struct arena *mem, struct mail_content *ret);

struct mail_filter {
	struct str seller_id; /* NULL bytes (p): whoever's the scope may see */
	int state;            /* enum mail_state; -1 any */
};
/* Newest first; nothing that is sealed. */
SOUK_MUST enum souk_err mail_list(struct db_tx *tx, const struct tenant_scope *s,
    const struct mail_filter *q, struct page *p, struct arena *mem, struct jw *out, struct fail *f);
void mail_row_json(const struct mail_row *m, struct jw *out); /* members of an open object */

struct mail_counts {
	int64_t waiting, parked, bounced, failed;
	instant_t oldest_waiting; /* 0 none */
};
SOUK_MUST enum souk_err mail_count(struct db_tx *tx, struct mail_counts *ret);

/* ---- changing ---- */

/*
 * Sends it again, as a mail of its own (another Message-ID), whatever became of it. SOUK_E_CONFLICT: it still
 * waits, or is erased. The caller has audited it.
 */
SOUK_MUST enum souk_err mail_resend(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct fail *f);
/* Drops recipient and text; one that waits is withdrawn. Erasing again is fine. */
SOUK_MUST enum souk_err mail_erase(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *id);
/* The same for every mail to this address that the scope may see. SOUK_E_INVALID: no address ("address"). */
SOUK_MUST enum souk_err mail_erase_address(struct db_tx *tx, const struct vault *v,
    const struct tenant_scope *s, struct str address, int64_t *ret_n, struct fail *f);
/* What was made before `before`, at most `max`; *ret_n less than `max`: that was all. */
SOUK_MUST enum souk_err mail_erase_old(
    struct db_tx *tx, instant_t before, int64_t max, int64_t *ret_n);
/* Puts jobs for parked mails, at most `max`; *ret_n as above. For nodes that have a server. */
SOUK_MUST enum souk_err mail_unpark(struct db_tx *tx, size_t max, size_t *ret_n);

/* Key rotation (cli/cmd_keys.c): mails, then addresses. */
SOUK_MUST enum souk_err mail_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);
SOUK_MUST enum souk_err mail_address_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

/* ---- where notices go ---- */

struct mail_address {
	struct mail_party party;
	struct str language; /* "" any */
};
/* Replaces all of them; names "addresses/N/..." of what is wrong. */
SOUK_MUST enum souk_err mail_addresses_set(struct db_tx *tx, struct vault *v, struct str seller_id,
    const struct mail_address *a, size_t n, struct fail *f);
SOUK_MUST enum souk_err mail_addresses_get(struct db_tx *tx, struct vault *v, struct str seller_id,
    struct arena *mem, struct mail_address out[MAIL_ADDRESSES_MAX], size_t *ret_n);

#endif
