/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the serving processes. */
#include "store/node.h"

#include <stdio.h>

#define NODE_SQL(X)                                                                                \
	X(Q_PUT,                                                                                   \
	    "INSERT INTO node (node_id, host, version, schema_version, ring_current, ring_newest," \
	    " started_at, seen_at, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"              \
	    " ON CONFLICT (node_id) DO UPDATE SET ring_current = excluded.ring_current,"           \
	    " ring_newest = excluded.ring_newest, seen_at = excluded.seen_at,"                     \
	    " used = excluded.used")                                                               \
	X(Q_REMOVE, "DELETE FROM node WHERE node_id = $1")                                         \
	X(Q_FORGET, "DELETE FROM node WHERE seen_at < $1")                                         \
	X(Q_ALL, "SELECT node_id, host, version, schema_version, ring_current, ring_newest, "      \
		 "started_at,"                                                                     \
		 " seen_at, used FROM node ORDER BY started_at, node_id")

enum node_q {
#define X(id, sql) id,
	NODE_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	NODE_SQL(X)
#undef X
};

struct db_texts node_texts = { .component = "node", .sql = sql_texts, .n = Q__COUNT };

/* The embedded database has one node, which needs to tell nobody, and a refresh costs the disk a write. */
int64_t
node_beat_ms(const struct db *db)
{
	return db_is_shared(db) ? NODE_BEAT_SHARED_MS : 30 * SECOND_MS;
}

int64_t
node_gone_ms(const struct db *db)
{
	return NODE_GONE_BEATS * node_beat_ms(db);
}

enum souk_err
node_put(struct db_tx *tx, const struct node *n, struct str used)
{
	struct db_stmt *st = db_stmt(tx, &node_texts, Q_PUT);

	db_bind_guid(st, 1, &n->id);
	db_bind_c(st, 2, n->host);
	db_bind_c(st, 3, n->version);
	db_bind_int(st, 4, n->schema);
	db_bind_int(st, 5, n->ring_current);
	db_bind_int(st, 6, n->ring_newest);
	db_bind_int(st, 7, n->started_at == 0 ? db_now(tx) : n->started_at);
	db_bind_int(st, 8, db_now(tx));
	db_bind_blob(st, 9, used.n > 0 ? used.p : "", used.n);
	return db_run_later(st);
}

enum souk_err
node_remove(struct db_tx *tx, const struct guid *id)
{
	struct db_stmt *st = db_stmt(tx, &node_texts, Q_REMOVE);

	db_bind_guid(st, 1, id);
	return db_run(st, NULL);
}

enum souk_err
node_forget(struct db_tx *tx)
{
	struct db_stmt *st = db_stmt(tx, &node_texts, Q_FORGET);

	db_bind_int(st, 1, db_now(tx) - NODE_FORGET_MS);
	return db_run_later(st);
}

static void
read_row(struct db_stmt *st, struct node *ret)
{
	struct str host = db_text(st, 1), version = db_text(st, 2);

	*ret = (struct node){ .id = db_guid(st, 0),
		.schema = db_int(st, 3),
		.ring_current = db_int(st, 4),
		.ring_newest = db_int(st, 5),
		.started_at = db_int(st, 6),
		.seen_at = db_int(st, 7) };
	(void)snprintf(ret->host, sizeof(ret->host), "%.*s", (int)host.n, host.p ? host.p : "");
	(void)snprintf(
	    ret->version, sizeof(ret->version), "%.*s", (int)version.n, version.p ? version.p : "");
}

enum souk_err
node_each(struct db_tx *tx, node_fn *fn, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &node_texts, Q_ALL);
	struct node n;
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		read_row(st, &n);
		if ((r = fn(&n, db_blob(st, 8), arg)) != SOUK_OK)
			break;
	}
	db_reset(st);
	return r;
}
