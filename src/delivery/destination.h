/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of one request go: souk's embedded buckets, or the S3 store that the
 * request's role names.
 *
 *   open (in a snapshot) -> add a file, write, close, for each -> hand over -> commit
 *
 * Nothing is to be seen before the hand-over, and then whole files only, in the order in which
 * they were added; before each the caller is asked whether it may still be. An embedded
 * destination shows nothing before the transaction of the commit.
 */
#ifndef SOUK_DELIVERY_DESTINATION_H
#define SOUK_DELIVERY_DESTINATION_H

#include "delivery/object.h"
#include "delivery/remote.h"

#define DESTINATION_FILES_MAX 2

/* One per process. */
struct destinations {
	struct vault *vault;
	struct object_store *objects;
	struct remote_rules remotes;
	const char *spool_dir; /* a directory on a disk with room for the files under way */
};

struct destination_request {
	struct str seller_id, role_arn, bucket; /* live as long as the destination */
	bool again; /* an earlier try may have left parts of an upload */
};

struct destination;
/*
 * SOUK_E_NOT_FOUND, SOUK_E_DENIED: the seller cannot deliver there, `f` has the sentence for the
 * notification. Anything else may work another time.
 */
SOUK_MUST enum souk_err destination_open(const struct destinations *ds, struct db_tx *tx,
    const struct destination_request *q, struct destination **ret, struct fail *f);
void destination_free(struct destination *d); /* what was not handed over is gone; accepts NULL */
/*
 * Is it still what it was when it was opened? As open; SOUK_E_PRECONDITION: the role was changed,
 * open it anew.
 */
SOUK_MUST enum souk_err destination_check(struct destination *d, struct db_tx *tx, struct fail *f);
/* Endpoint of the store, "" for the embedded buckets; lives as long as the destination. */
const char *destination_store(const struct destination *d);

struct destination_file;
/* Begins a file; not inside a transaction. It is the destination's. */
SOUK_MUST enum souk_err destination_add(
    struct destination *d, struct str key, const char *content_type, struct destination_file **ret);
struct sink *destination_sink(struct destination_file *x);
SOUK_MUST enum souk_err destination_close(
    struct destination_file *x); /* size and hash are known then */
int64_t destination_size(const struct destination_file *x);
void destination_sha256(const struct destination_file *x, uint8_t out[32]);

/* What they return but SOUK_OK ends the hand-over and is returned. */
struct hand_over {
	enum souk_err (*go_on)(void *arg);    /* asked again and again while a file is sent */
	enum souk_err (*may_show)(void *arg); /* before a file becomes visible */
	void *arg;
};
/*
 * Sends the files to the store and makes them visible. SOUK_E_DENIED: the store will refuse
 * again, `f` says what to mend; other errors may pass. Not inside a transaction.
 */
SOUK_MUST enum souk_err destination_hand_over(
    struct destination *d, const struct hand_over *h, struct fail *f);
/*
 * Is an object of a store still there, `size` bytes long (-1 any)? SOUK_E_NOT_FOUND with a
 * sentence: it is gone, or another. A key that may not look cannot tell: SOUK_OK.
 */
SOUK_MUST enum souk_err destination_look(
    struct destination *d, struct str key, int64_t size, struct fail *f);
/* In the transaction that records the delivery; may run again after an undone one. */
SOUK_MUST enum souk_err destination_commit(struct destination *d, struct db_tx *tx, struct fail *f);

#endif
