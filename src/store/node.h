/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes: processes that serve this installation, a row each. So that each knows of the others, and
 * an operator's command which of them run: it must not take away what they still use.
 *
 * A row is refreshed by the database's clock while its process runs and removed when it stops; that of a
 * process that was killed stays and grows old.
 */
#ifndef SOUK_STORE_NODE_H
#define SOUK_STORE_NODE_H

#include "store/db.h"

#define NODE_FORGET_MS (10 * MINUTE_MS) /* unseen for so long: the row goes */

struct node {
	struct guid id; /* of the process: new at each start */
	char host[65];
	char version[32];
	int64_t schema;                    /* newest version that its program knows */
	int64_t ring_current, ring_newest; /* master key it wraps with; highest number it has */
	instant_t started_at, seen_at;
};

/* Beats of a fleet's nodes, and after how many that did not come a node counts as gone. */
#define NODE_BEAT_SHARED_MS (5 * SECOND_MS)
#define NODE_GONE_BEATS 3

/* How often a serving process refreshes its row, and from what age on it counts as gone. */
int64_t node_beat_ms(const struct db *db);
int64_t node_gone_ms(const struct db *db);

/* Makes or refreshes the row: seen_at is the transaction's time. `used`: see server/beat.h. */
SOUK_MUST enum souk_err node_put(struct db_tx *tx, const struct node *n, struct str used);
SOUK_MUST enum souk_err node_remove(struct db_tx *tx, const struct guid *id);
/* Removes the rows of those unseen for NODE_FORGET_MS. */
SOUK_MUST enum souk_err node_forget(struct db_tx *tx);
/* Calls `fn` for each row, oldest start first; not SOUK_OK ends it. `used` lives as long as the call. */
typedef enum souk_err node_fn(const struct node *n, struct str used, void *arg);
SOUK_MUST enum souk_err node_each(struct db_tx *tx, node_fn *fn, void *arg);

extern struct db_texts node_texts; /* for the test of all statements */

#endif
