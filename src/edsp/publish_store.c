/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on publication plans and what was published. No scope here: see publish.c. */
#include "edsp/publish_store.h"

#define PUBLISH_SQL(X)                                                                             \
	X(Q_PUT, "INSERT INTO publication_plan (seller_id, role_arn, bucket, prefix, topic_arn,"   \
		 " data_sets, feeds, changed_by, changed_at, revision)"                            \
		 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"                               \
		 " ON CONFLICT (seller_id) DO UPDATE SET role_arn = excluded.role_arn,"            \
		 " bucket = excluded.bucket, prefix = excluded.prefix,"                            \
		 " topic_arn = excluded.topic_arn, data_sets = excluded.data_sets,"                \
		 " feeds = excluded.feeds, changed_by = excluded.changed_by,"                      \
		 " changed_at = excluded.changed_at, revision = excluded.revision")                \
	X(Q_LOAD, "SELECT role_arn, bucket, prefix, topic_arn, data_sets, feeds, revision"         \
		  " FROM publication_plan WHERE seller_id = $1")                                   \
	X(Q_REMOVE, "DELETE FROM publication_plan WHERE seller_id = $1")                           \
	/* fan-out: whoever has a plan */                                                          \
	X(Q_SELLERS, "SELECT p.seller_id FROM publication_plan p"                                  \
		     " JOIN enrolment e ON e.seller_id = p.seller_id AND e.program = 'edsp'"       \
		     " AND e.state = 'enrolled' WHERE p.seller_id > $1"                            \
		     " ORDER BY p.seller_id LIMIT $2")                                             \
	X(Q_KNOWN, "SELECT 1 FROM publication"                                                     \
		   " WHERE seller_id = $1 AND what = $2 AND version = $3")                         \
	X(Q_PUBLISHED, "INSERT INTO publication (seller_id, what, version, request_id,"            \
		       " published_at) VALUES ($1, $2, $3, $4, $5)")

enum publish_q {
#define X(id, sql) id,
	PUBLISH_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	PUBLISH_SQL(X)
#undef X
};

struct db_texts edsp_publish_texts = {
	.component = "edsp.publish", .sql = sql_texts, .n = Q__COUNT
};

enum souk_err
plan_store_put(struct db_tx *tx, struct str seller_id, const struct publication_plan *p,
    struct str actor, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &edsp_publish_texts, Q_PUT);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, p->role_arn);
	db_bind_text(st, 3, p->bucket);
	if (p->prefix.p)
		db_bind_text(st, 4, p->prefix);
	else
		db_bind_null(st, 4);
	db_bind_text(st, 5, p->topic_arn);
	db_bind_text(st, 6, p->data_sets);
	db_bind_int(st, 7, p->feeds);
	db_bind_text(st, 8, actor);
	db_bind_int(st, 9, db_now(tx));
	db_bind_int(st, 10, p->revision);
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_found = rows > 0;
	return r;
}

enum souk_err
plan_store_load(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct publication_plan *ret)
{
	struct db_stmt *st = db_stmt(tx, &edsp_publish_texts, Q_LOAD);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	if ((r = db_one(st)) == SOUK_OK) {
		*ret = (struct publication_plan){
			.role_arn = arena_str(mem, db_text(st, 0)),
			.bucket = arena_str(mem, db_text(st, 1)),
			.prefix = db_is_null(st, 2) ? (struct str){ NULL, 0 }
						    : arena_str(mem, db_text(st, 2)),
			.topic_arn = arena_str(mem, db_text(st, 3)),
			.data_sets = arena_str(mem, db_text(st, 4)),
			.feeds = db_int(st, 5) != 0,
			.revision = db_int(st, 6),
		};
		if (!ret->data_sets.p)
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
plan_store_remove(struct db_tx *tx, struct str seller_id)
{
	struct db_stmt *st = db_stmt(tx, &edsp_publish_texts, Q_REMOVE);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	r = db_run(st, &rows);
	return r == SOUK_OK && rows == 0 ? SOUK_E_NOT_FOUND : r;
}

struct db_stmt *
plan_store_sellers(struct db_tx *tx, struct str after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &edsp_publish_texts, Q_SELLERS);

	db_bind_text(st, 1, after);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

enum souk_err
publication_known(
    struct db_tx *tx, struct str seller_id, struct str what, struct str version, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &edsp_publish_texts, Q_KNOWN);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, what);
	db_bind_text(st, 3, version);
	r = db_one(st);
	db_reset(st);
	if (r == SOUK_OK || r == SOUK_E_NOT_FOUND)
		*ret = r == SOUK_OK;
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

enum souk_err
publication_put(struct db_tx *tx, struct str seller_id, struct str what, struct str version,
    const struct guid *request_id)
{
	struct db_stmt *st = db_stmt(tx, &edsp_publish_texts, Q_PUBLISHED);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, what);
	db_bind_text(st, 3, version);
	db_bind_guid(st, 4, request_id);
	db_bind_int(st, 5, db_now(tx));
	return db_run(st, NULL);
}
