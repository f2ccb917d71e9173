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
 *
 * A chain has one writer at a time. Where several write at once (PostgreSQL), each lane (db_lane) has a
 * chain of its own, so that they do not wait for each other. Chain 0 is the embedded engine's only one;
 * elsewhere its entries say which others were begun, so that the loss of a whole chain shows.
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
 * is wrong): to go on would hide that entries were cut off. Whoever had the lane before us and kept it goes on
 * from the head that it wrote itself. Making an installation appends the
 * first entries, so an installation that is made (vault.h, fingerprint) and has none lost them all.
 */
SOUK_MUST enum souk_err audit_append(
    struct db_tx *tx, const struct vault *v, const struct audit_entry *e);

struct audit_report {
	int64_t entries; /* sound ones of all chains, up to the first break */
	int64_t chains;
	int64_t bad_chain, bad_seq; /* first entry that does not fit; bad_seq 0: none */
	/*
	 * NULL when sound, else "edited", "removed", "reordered", "inserted", "cut off the end",
	 * "head missing", "head edited", "head does not match", "chain removed" (all of it, or it was begun
	 * a second time), "chain inserted", "anchor missing", "anchor differs".
	 */
	const char *what;
	/* The heads, as an anchor: keep it elsewhere, check it later. Not NULL; ends with audit_report_done. */
	char *anchor;
};
void audit_report_done(struct audit_report *rep);
/* Is it the text of an anchor (audit_verify)? */
bool audit_anchor_is(const char *text);

/*
 * Walks all chains, 0 first. `anchor` (NULL: none) is what an earlier report gave: those entries must still
 * be there, unchanged. It is NUMBER:HEX (of chain 0) and, for each other chain, ,CHAIN/NUMBER:HEX.
 * Returns SOUK_OK also when a chain is broken (see ret->what); errors are the database's, and
 * SOUK_E_INVALID for a text that is no anchor. Appends may go on meanwhile; memory does not grow with
 * the chains' length.
 */
SOUK_MUST enum souk_err audit_verify(
    struct db *db, const struct vault *v, const char *anchor, struct audit_report *ret);

/* A place in the list of all entries by (time, chain, number). */
struct audit_place {
	int64_t at, chain, seq; /* seq 0: none */
};
/* "AT.CHAIN.SEQ"; false when it is not that. */
SOUK_MUST bool audit_place_parse(struct str text, struct audit_place *ret);
void audit_place_add(struct buf *b, const struct audit_place *p);

struct audit_filter {
	struct str account_id;     /* of who did it; "" any */
	struct str seller_id;      /* "" any */
	struct audit_place before; /* none: from the newest */
	size_t limit;
};
/*
 * Newest first; writes one JSON object per entry into `out` as array elements. *ret_next is
 * the next page's `before`, none when there is no such page. One call looks at a bounded number of
 * entries, so a page may hold fewer than `limit`, even none, and still have a next one. Entries of
 * several chains come in order of their time; one whose transaction ends only now may be older than
 * what was listed already.
 */
SOUK_MUST enum souk_err audit_list(struct db_tx *tx, const struct audit_filter *q, struct buf *out,
    struct audit_place *ret_next, size_t *ret_n);

#endif
