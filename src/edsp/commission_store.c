/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of commission plans, grants, settings and runs. */
#include "edsp/commission_store.h"

/* The next of a page, newest first. */
#define BEFORE " AND (started_at, run_id) < ($2, $3) ORDER BY started_at DESC, run_id DESC LIMIT $4"
#define RUN_COLUMNS                                                                                \
	"run_id, kind, month, known_at, plan_id, draft_id, state, digest, locks_seen, line_count," \
	" statements, queued, adjustments, moved, reason, started_user, started_by, started_at,"   \
	" finished_at, approved_user, approved_by, approved_at"

#define GRANT_COLUMNS                                                                              \
	"g.user_id, g.role, g.representative, g.buyer_columns, g.purpose, g.granted_by,"           \
	" g.granted_at"

/* A grant is in force under the standing that it was given under: who comes back is granted anew. */
#define STANDING                                                                                   \
	" JOIN enrolment e ON e.seller_id = g.seller_id AND e.program = 'edsp'"                    \
	" AND e.state = 'enrolled' AND e.revision = g.standing"

#define COMMISSION_SQL(X)                                                                          \
	X(Q_PLAN_PUT, "INSERT INTO commission_plan (seller_id, plan_id, revision, data_key,"       \
		      " sealed, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")      \
	X(Q_PLAN_NEWEST, "SELECT plan_id, revision FROM commission_plan"                           \
			 " WHERE seller_id = $1 AND revision > 0 ORDER BY revision DESC LIMIT 1")  \
	X(Q_PLAN_LOAD, "SELECT revision, data_key, sealed FROM commission_plan"                    \
		       " WHERE seller_id = $1 AND plan_id = $2")                                   \
	X(Q_PLAN_DROP, "DELETE FROM commission_plan"                                               \
		       " WHERE seller_id = $1 AND plan_id = $2 AND revision = 0")                  \
	/* fan-out: rotation rewraps every seller's keys */                                        \
	X(Q_PLAN_AFTER, "SELECT plan_id, seller_id, data_key FROM commission_plan"                 \
			" WHERE plan_id > $1 ORDER BY plan_id LIMIT 1")                            \
	X(Q_PLAN_KEY, "UPDATE commission_plan SET data_key = $1"                                   \
		      " WHERE seller_id = $2 AND plan_id = $3")                                    \
	X(Q_GRANT_PUT, "INSERT INTO commission_grant (seller_id, user_id, role, representative,"   \
		       " buyer_columns, purpose, granted_by, granted_at, standing)"                \
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"                              \
		       " ON CONFLICT (seller_id, user_id) DO UPDATE SET role = excluded.role,"     \
		       " representative = excluded.representative,"                                \
		       " buyer_columns = excluded.buyer_columns, purpose = excluded.purpose,"      \
		       " granted_by = excluded.granted_by, granted_at = excluded.granted_at,"      \
		       " standing = excluded.standing")                                            \
	X(Q_GRANT_DROP, "DELETE FROM commission_grant WHERE seller_id = $1 AND user_id = $2")      \
	X(Q_GRANT_FIND, "SELECT " GRANT_COLUMNS ", 1 FROM commission_grant g" STANDING             \
			" WHERE g.seller_id = $1 AND g.user_id = $2")                              \
	X(Q_GRANTS, "SELECT " GRANT_COLUMNS ", CASE WHEN EXISTS (SELECT 1 FROM enrolment e"        \
		    " WHERE e.seller_id = g.seller_id AND e.program = 'edsp'"                      \
		    " AND e.state = 'enrolled' AND e.revision = g.standing) THEN 1 ELSE 0 END"     \
		    " FROM commission_grant g WHERE g.seller_id = $1 ORDER BY g.user_id")          \
	X(Q_SETTING_GET, "SELECT two_people, revision FROM commission_setting"                     \
			 " WHERE seller_id = $1")                                                  \
	X(Q_SETTING_PUT,                                                                           \
	    "INSERT INTO commission_setting (seller_id, two_people, changed_by,"                   \
	    " changed_at, revision) VALUES ($1, $2, $3, $4, $5)"                                   \
	    " ON CONFLICT (seller_id) DO UPDATE SET two_people = excluded.two_people,"             \
	    " changed_by = excluded.changed_by, changed_at = excluded.changed_at,"                 \
	    " revision = excluded.revision")                                                       \
	X(Q_RUN_PUT, "INSERT INTO commission_run (seller_id, run_id, kind, month, known_at,"       \
		     " plan_id, draft_id, state, digest, locks_seen, line_count, statements,"      \
		     " queued, adjustments, moved, reason, started_user, started_by, started_at)"  \
		     " VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', 0, 0, 0, 0, 0, 0, '',"   \
		     " $8, $9, $10)")                                                              \
	X(Q_RUN_LOAD, "SELECT " RUN_COLUMNS " FROM commission_run"                                 \
		      " WHERE seller_id = $1 AND run_id = $2")                                     \
	X(Q_RUNS, "SELECT " RUN_COLUMNS " FROM commission_run WHERE seller_id = $1" BEFORE)        \
	X(Q_RUNS_SHOWN, "SELECT " RUN_COLUMNS " FROM commission_run"                               \
			" WHERE seller_id = $1 AND state = 'locked'" BEFORE)                       \
	X(Q_RUNS_LOCKED, "SELECT run_id FROM commission_run"                                       \
			 " WHERE seller_id = $1 AND state = 'locked' ORDER BY month")              \
	X(Q_LOCKED_COUNT, "SELECT count(*) FROM commission_run"                                    \
			  " WHERE seller_id = $1 AND state = 'locked'")                            \
	X(Q_LOCKED_MONTH, "SELECT 1 FROM commission_run"                                           \
			  " WHERE seller_id = $1 AND month = $2 AND state = 'locked'")             \
	X(Q_RUN_END, "UPDATE commission_run SET state = $1, digest = $2, locks_seen = $3,"         \
		     " line_count = $4, statements = $5, queued = $6, adjustments = $7,"           \
		     " moved = $8, reason = $9, finished_at = $10"                                 \
		     " WHERE seller_id = $11 AND run_id = $12 AND state = 'waiting'")              \
	X(Q_RUN_LOCK, "UPDATE commission_run SET state = 'locked', approved_user = $1,"            \
		      " approved_by = $2, approved_at = $3"                                        \
		      " WHERE seller_id = $4 AND run_id = $5 AND state = 'done' AND kind = 'run'")

enum commission_q {
#define X(id, sql) id,
	COMMISSION_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	COMMISSION_SQL(X)
#undef X
};

struct db_texts commission_texts = {
	.component = "edsp.commission", .sql = sql_texts, .n = Q__COUNT
};

static struct db_stmt *
stmt_of(struct db_tx *tx, enum commission_q q, struct str seller_id)
{
	struct db_stmt *st = db_stmt(tx, &commission_texts, q);

	db_bind_text(st, 1, seller_id);
	return st;
}

static struct db_stmt *
stmt_for(struct db_tx *tx, enum commission_q q, struct str seller_id, const struct guid *id)
{
	struct db_stmt *st = stmt_of(tx, q, seller_id);

	db_bind_guid(st, 2, id);
	return st;
}

/* ---- plans ---- */

enum souk_err
plan_row_put(struct db_tx *tx, struct str seller_id, const struct plan_row *row, struct str actor)
{
	struct db_stmt *st = stmt_for(tx, Q_PLAN_PUT, seller_id, &row->id);

	db_bind_int(st, 3, row->revision);
	db_bind_blob(st, 4, row->data_key.p, row->data_key.n);
	db_bind_blob(st, 5, row->sealed.p, row->sealed.n);
	db_bind_text(st, 6, actor);
	db_bind_int(st, 7, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
plan_row_newest(struct db_tx *tx, struct str seller_id, struct guid *ret_id, int64_t *ret_revision)
{
	struct db_stmt *st = stmt_of(tx, Q_PLAN_NEWEST, seller_id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		*ret_id = db_guid(st, 0);
		*ret_revision = db_int(st, 1);
	}
	db_reset(st);
	return r;
}

enum souk_err
plan_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct plan_row *ret)
{
	struct db_stmt *st = stmt_for(tx, Q_PLAN_LOAD, seller_id, id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		*ret = (struct plan_row){ .id = *id,
			.revision = db_int(st, 0),
			.data_key = arena_str(mem, db_blob(st, 1)),
			.sealed = arena_str(mem, db_blob(st, 2)) };
		if (!ret->data_key.p || !ret->sealed.p)
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
plan_row_drop(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	return db_run(stmt_for(tx, Q_PLAN_DROP, seller_id, id), NULL);
}

enum souk_err
plan_key_after(struct db_tx *tx, const struct guid *after, struct plan_key *ret)
{
	struct db_stmt *st = db_stmt(tx, &commission_texts, Q_PLAN_AFTER);
	struct str seller, key;
	enum souk_err r;

	db_bind_guid(st, 1, after);
	if ((r = db_one(st)) == SOUK_OK) {
		seller = db_text(st, 1);
		key = db_blob(st, 2);
		*ret = (struct plan_key){ .id = db_guid(st, 0), .n = key.n };
		if (seller.n != ACCOUNT_ID_LEN || key.n > sizeof(ret->wrapped))
			r = SOUK_E_STORAGE;
		else {
			memcpy(ret->seller_id, seller.p, seller.n);
			memcpy(ret->wrapped, key.p, key.n);
		}
	}
	db_reset(st);
	return r;
}

enum souk_err
plan_key_set(struct db_tx *tx, const struct plan_key *k, const struct wrapped_key *fresh)
{
	struct db_stmt *st = db_stmt(tx, &commission_texts, Q_PLAN_KEY);

	db_bind_blob(st, 1, fresh->b, sizeof(fresh->b));
	db_bind_c(st, 2, k->seller_id);
	db_bind_guid(st, 3, &k->id);
	return db_run(st, NULL);
}

/* ---- grants and settings ---- */

enum souk_err
grant_row_put(struct db_tx *tx, struct str seller_id, const struct commission_grant *g,
    int64_t standing, struct str actor)
{
	struct db_stmt *st = stmt_for(tx, Q_GRANT_PUT, seller_id, &g->user_id);

	db_bind_c(st, 3, commission_role_words[g->role]);
	db_bind_text(st, 4, g->representative);
	db_bind_int(st, 5, g->buyer_columns);
	db_bind_text(st, 6, g->purpose);
	db_bind_text(st, 7, actor);
	db_bind_int(st, 8, db_now(tx));
	db_bind_int(st, 9, standing);
	return db_run(st, NULL);
}

enum souk_err
grant_row_drop(struct db_tx *tx, struct str seller_id, const struct guid *user_id)
{
	int64_t rows = 0;
	enum souk_err r = db_run(stmt_for(tx, Q_GRANT_DROP, seller_id, user_id), &rows);

	return r == SOUK_OK && rows == 0 ? SOUK_E_NOT_FOUND : r;
}

struct db_stmt *
grant_rows(struct db_tx *tx, struct str seller_id)
{
	return stmt_of(tx, Q_GRANTS, seller_id);
}

void
grant_row(struct db_stmt *st, struct commission_grant *ret)
{
	enum commission_role role = COMMISSION_SUPPORT;

	/* A word of a newer program allows nothing. */
	if (!commission_role_find(db_text(st, 1), &role))
		role = COMMISSION_SUPPORT;
	*ret = (struct commission_grant){ .user_id = db_guid(st, 0),
		.role = role,
		.representative = db_text(st, 2),
		.buyer_columns = db_int(st, 3) != 0,
		.purpose = db_text(st, 4),
		.granted_by = db_text(st, 5),
		.granted_at = db_int(st, 6),
		.in_force = db_int(st, 7) != 0 };
}

enum souk_err
grant_row_find(struct db_tx *tx, struct str seller_id, const struct guid *user_id,
    struct arena *mem, struct commission_grant *ret)
{
	struct db_stmt *st = stmt_for(tx, Q_GRANT_FIND, seller_id, user_id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		grant_row(st, ret);
		ret->representative = arena_str(mem, ret->representative);
		ret->purpose = arena_str(mem, ret->purpose);
		ret->granted_by = arena_str(mem, ret->granted_by);
		if (!ret->representative.p || !ret->purpose.p || !ret->granted_by.p)
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
setting_row_get(struct db_tx *tx, struct str seller_id, bool *ret_two_people, int64_t *ret_revision)
{
	struct db_stmt *st = stmt_of(tx, Q_SETTING_GET, seller_id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		*ret_two_people = db_int(st, 0) != 0;
		*ret_revision = db_int(st, 1);
	}
	db_reset(st);
	return r;
}

enum souk_err
setting_row_put(
    struct db_tx *tx, struct str seller_id, bool two_people, struct str actor, int64_t revision)
{
	struct db_stmt *st = stmt_of(tx, Q_SETTING_PUT, seller_id);

	db_bind_int(st, 2, two_people);
	db_bind_text(st, 3, actor);
	db_bind_int(st, 4, db_now(tx));
	db_bind_int(st, 5, revision);
	return db_run(st, NULL);
}

/* ---- runs ---- */

enum souk_err
run_row_put(struct db_tx *tx, struct str seller_id, const struct kept_run *r)
{
	struct db_stmt *st = stmt_for(tx, Q_RUN_PUT, seller_id, &r->id);

	db_bind_c(st, 3, kept_run_kind_words[r->kind]);
	db_bind_int(st, 4, r->month);
	db_bind_int(st, 5, r->known_at);
	db_bind_guid(st, 6, &r->plan_id);
	if (r->kind == RUN_DRY)
		db_bind_guid(st, 7, &r->draft_id);
	else
		db_bind_null(st, 7);
	db_bind_guid(st, 8, &r->started_user);
	db_bind_text(st, 9, r->started_by);
	db_bind_int(st, 10, db_now(tx));
	return db_run(st, NULL);
}

static unsigned
word_of(struct str word, const char *const *words, unsigned n)
{
	unsigned i = 0;

	while (i + 1 < n && !str_eq_c(word, words[i]))
		i++;
	return i;
}

void
run_row(struct db_stmt *st, struct kept_run *ret)
{
	*ret = (struct kept_run){ .id = db_guid(st, 0),
		.kind =
		    (enum kept_run_kind)word_of(db_text(st, 1), kept_run_kind_words, RUN__COUNT),
		.month = (int32_t)db_int(st, 2),
		.known_at = db_int(st, 3),
		.plan_id = db_guid(st, 4),
		.draft_id = db_guid(st, 5),
		.state = (enum kept_run_state)word_of(
		    db_text(st, 6), kept_run_state_words, RUN_STATE__COUNT),
		.digest = db_text(st, 7),
		.locks_seen = db_int(st, 8),
		.lines = db_int(st, 9),
		.statements = db_int(st, 10),
		.queued = db_int(st, 11),
		.adjustments = db_int(st, 12),
		.moved = db_int(st, 13),
		.reason = db_text(st, 14),
		.started_user = db_guid(st, 15),
		.started_by = db_text(st, 16),
		.started_at = db_int(st, 17),
		.finished_at = db_int(st, 18),
		.approved_by = db_text(st, 20),
		.approved_at = db_int(st, 21) };
}

enum souk_err
run_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct kept_run *ret)
{
	struct db_stmt *st = stmt_for(tx, Q_RUN_LOAD, seller_id, id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		run_row(st, ret);
		ret->digest = arena_str(mem, ret->digest);
		ret->reason = arena_str(mem, ret->reason);
		ret->started_by = arena_str(mem, ret->started_by);
		ret->approved_by = arena_str(mem, ret->approved_by);
		if (!ret->digest.p || !ret->reason.p || !ret->started_by.p || !ret->approved_by.p)
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

struct db_stmt *
run_rows(struct db_tx *tx, struct str seller_id, bool locked_only, instant_t before,
    const struct guid *before_id, size_t limit)
{
	struct db_stmt *st = stmt_of(tx, locked_only ? Q_RUNS_SHOWN : Q_RUNS, seller_id);

	db_bind_int(st, 2, before);
	db_bind_guid(st, 3, before_id);
	db_bind_int(st, 4, (int64_t)limit);
	return st;
}

struct db_stmt *
run_rows_locked(struct db_tx *tx, struct str seller_id)
{
	return stmt_of(tx, Q_RUNS_LOCKED, seller_id);
}

enum souk_err
run_row_count_locked(struct db_tx *tx, struct str seller_id, int64_t *ret_n)
{
	struct db_stmt *st = stmt_of(tx, Q_LOCKED_COUNT, seller_id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK)
		*ret_n = db_int(st, 0);
	db_reset(st);
	return r;
}

enum souk_err
run_row_month_locked(struct db_tx *tx, struct str seller_id, int64_t month, bool *ret)
{
	struct db_stmt *st = stmt_of(tx, Q_LOCKED_MONTH, seller_id);
	enum souk_err r;

	db_bind_int(st, 2, month);
	r = db_one(st);
	db_reset(st);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = r == SOUK_OK;
	return SOUK_OK;
}

enum souk_err
run_row_end(struct db_tx *tx, struct str seller_id, const struct kept_run *r)
{
	struct db_stmt *st = db_stmt(tx, &commission_texts, Q_RUN_END);
	int64_t rows = 0;
	enum souk_err err;

	db_bind_c(st, 1, kept_run_state_words[r->state]);
	db_bind_text(st, 2, r->digest);
	db_bind_int(st, 3, r->locks_seen);
	db_bind_int(st, 4, r->lines);
	db_bind_int(st, 5, r->statements);
	db_bind_int(st, 6, r->queued);
	db_bind_int(st, 7, r->adjustments);
	db_bind_int(st, 8, r->moved);
	db_bind_text(st, 9, r->reason);
	db_bind_int(st, 10, db_now(tx));
	db_bind_text(st, 11, seller_id);
	db_bind_guid(st, 12, &r->id);
	err = db_run(st, &rows);
	return err == SOUK_OK && rows == 0 ? SOUK_E_CONFLICT : err;
}

enum souk_err
run_row_lock(struct db_tx *tx, struct str seller_id, const struct guid *id,
    const struct guid *user_id, struct str actor)
{
	struct db_stmt *st = db_stmt(tx, &commission_texts, Q_RUN_LOCK);
	int64_t rows = 0;
	enum souk_err err;

	db_bind_guid(st, 1, user_id);
	db_bind_text(st, 2, actor);
	db_bind_int(st, 3, db_now(tx));
	db_bind_text(st, 4, seller_id);
	db_bind_guid(st, 5, id);
	err = db_run(st, &rows);
	return err == SOUK_OK && rows == 0 ? SOUK_E_CONFLICT : err;
}
