/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of listings under review: read together, reviewed by several threads, kept in pieces. For watch.c. */
#ifndef SOUK_PROSERV_WATCH_BATCH_H
#define SOUK_PROSERV_WATCH_BATCH_H

#include "proserv/logo_kept.h"
#include "proserv/review_task.h"
#include "proserv/reviewer.h"
#include "proserv/standing.h"
#include "proserv/watch.h"

/* What reviews go by and is not in the database, as text. */
#define WATCH_RULES_LEN (2 * SHA256_LEN)
void watch_rules(const struct reviewer *reviewer, char out[static WATCH_RULES_LEN + 1]);
#define WATCH_RULES_META                                                                           \
	"review.rules" /* those that all listings were reviewed by, or are marked for */

#define BATCH_MAX 500
#define BATCH_THREADS_MAX 64
/* With so many in a batch everything that the marketplace knows is read once, else what each of them needs. */
#define BATCH_FEW 50

/* A product as a review sees it; its kept form is that of listing_leans.seen. */
struct leaning {
	struct guid on_product;
	struct str seen;
};

struct batch_item {
	struct listing_row row;
	struct listing listing;
	bool readable;
	const struct review_context *context;
	struct review_task *tasks; /* what is kept of it */
	size_t n_tasks;
	struct leaning *leans;
	size_t n_leans;
	struct logo_row *logo;           /* in force; NULL: none */
	struct logo_search like;         /* the nearest to it */
	uint8_t kept_digest[SHA256_LEN]; /* of its findings; zero: none */
	/* The review's: */
	enum souk_err err;
	struct judged judged;
	struct leaning *leans_now;
	size_t n_leans_now;
	uint8_t digest[SHA256_LEN];
	struct str findings; /* JSON; p NULL: as they are kept */
};

struct batch {
	const struct watch_ctx *ctx;
	const struct tenant_scope *operator; /* who suspends products */
	struct standing_rules rules;
	bool two_people;
	unsigned threads;
	enum edition edition;
	/* What the marketplace knows; as_of 0: not read yet. */
	struct review_context whole;
	struct arena *whole_mem;
	struct arena *mem;
	struct arena *of_thread[BATCH_THREADS_MAX];
	instant_t now; /* of the read */
	size_t n;
	struct batch_item items[BATCH_MAX];
	struct batch_place {
		struct guid product_id;
		struct batch_item *item;
	} places[BATCH_MAX]; /* by product id */
};

/* All that is given must outlive it. */
SOUK_MUST enum souk_err batch_new(
    const struct watch_ctx *ctx, const struct tenant_scope *operator, struct batch ** ret);
void batch_free(struct batch *b); /* accepts NULL */
/* In a read transaction (arg: struct batch): takes those that are due. n 0: none. */
enum souk_err batch_read(struct db_tx *tx, void *arg);
/* Reviews all of them. */
SOUK_MUST enum souk_err batch_review(struct batch *b);
/* Keeps one; nothing when something asked for another review since it was read. */
SOUK_MUST enum souk_err batch_keep(
    struct db_tx *tx, const struct batch *b, const struct batch_item *x);

#endif
