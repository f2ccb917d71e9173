/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash-chained record of every read and change of personal or confidential data.
 *
 * An entry names who, what, which purpose and how many, with ids only; it survives
 * erasure because it holds nothing to erase. Each entry's MAC covers the entry and the
 * MAC before it, under a key of the key ring: who can write to the database but lacks
 * the ring cannot edit, remove, insert or reorder entries unnoticed, nor cut them off
 * the end (the head is sealed separately). Who kept an old copy of the whole database can
 * put that back: only a head noted elsewhere (the anchor) shows it.
 */
#ifndef SOUK_AUDIT_AUDIT_H
#define SOUK_AUDIT_AUDIT_H

#include "store/db.h"
#include "vault/vault.h"

struct audit_entry {
	struct str account_id; /* of who did it, "" for the command line */
	struct str actor;      /* "token:GUID", "key:ID", "cli:export", "job:export" */
	const char *action;    /* "psc:ReadContacts", literal */
	struct str resource;   /* ids only */
	struct str seller_id;  /* whose data; "" when nobody's */
	struct str
	    purpose; /* word of the caller's or of the operation's, at most 64 bytes, checked by the caller */
	bool refused;
	int64_t count;
	struct str request_id;
};

/*
 * Appends in the caller's write transaction: durable with it or not at all. Onto a chain whose
 * head is missing or not ours nothing is appended (SOUK_E_INTERNAL; audit_verify says what
 * is wrong): to go on would hide that entries were cut off. Making an installation appends the
 * first entries, so an installation that is made (vault.h, fingerprint) and has none lost them all.
 */
SOUK_MUST enum souk_err audit_append(
    struct db_tx *tx, const struct vault *v, const struct audit_entry *e);

struct audit_report {
	int64_t entries; /* sound ones, up to the first break */
	int64_t bad_seq; /* first entry that does not fit; 0: none */
	/*
	 * NULL when sound, else "edited", "removed", "reordered", "inserted", "cut off the end",
	 * "head missing", "head edited", "head does not match", "anchor missing", "anchor differs".
	 */
	const char *what;
	int64_t head_seq;
	char head[65]; /* hex MAC of the last sound entry: keep it elsewhere, check it later */
};

/*
 * Walks the chain. `anchor_seq`/`anchor` (hex, NULL: none) is a head noted earlier: that
 * entry must still be there, unchanged. Returns SOUK_OK also when the chain is broken
 * (see ret->what); errors are the database's, and SOUK_E_INVALID for an anchor that is not
 * a number from 0 and 64 hex digits. Appends may go on meanwhile; memory does not grow with the chain.
 */
SOUK_MUST enum souk_err audit_verify(struct db *db, const struct vault *v, int64_t anchor_seq,
    const char *anchor, struct audit_report *ret);

struct audit_filter {
	struct str account_id; /* of who did it; "" any */
	struct str seller_id;  /* "" any */
	int64_t before_seq;    /* 0: from the newest */
	size_t limit;
};
/*
 * Newest first; writes one JSON object per entry into `out` as array elements. *ret_next_seq is
 * the next page's before_seq, 0 when there is none. One call looks at a bounded number of
 * entries, so a page may hold fewer than `limit`, even none, and still have a next one.
 */
SOUK_MUST enum souk_err audit_list(struct db_tx *tx, const struct audit_filter *q, struct buf *out,
    int64_t *ret_next_seq, size_t *ret_n);

#endif
