/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on users. No scope here: see user.c. */
#include "market/market_store.h"

#define COLUMNS "user_id, account_id, name, policy, state, created_at, changed_at, revision"

#define USER_SQL(X)                                                                                \
	X(Q_INSERT, "INSERT INTO iam_user (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")  \
	X(Q_UPDATE, "UPDATE iam_user SET name = $1, policy = $2, state = $3, changed_at = $4,"     \
		    " revision = $5 WHERE user_id = $6 AND revision = $7")                         \
	X(Q_FIND, "SELECT " COLUMNS " FROM iam_user WHERE user_id = $1")                           \
	X(Q_LIST, "SELECT " COLUMNS " FROM iam_user WHERE account_id = $1 AND name > $2"           \
		  " ORDER BY name LIMIT $3")                                                       \
	X(Q_NAME_TAKEN,                                                                            \
	    "SELECT 1 FROM iam_user WHERE account_id = $1 AND name = $2 AND user_id <> $3")        \
	X(Q_COUNT, "SELECT count(*) FROM iam_user WHERE account_id = $1")                          \
	X(Q_ID_TAKEN, "SELECT 1 FROM iam_user WHERE user_id = $1")                                 \
	X(Q_PEER, "SELECT 1 FROM iam_user WHERE account_id = $1 AND user_id <> $2"                 \
		  " AND state = 'active' LIMIT 1")

enum user_q {
#define X(id, sql) id,
	USER_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	USER_SQL(X)
#undef X
};

struct db_texts user_texts = { .component = "user", .sql = sql_texts, .n = Q__COUNT };

enum souk_err
user_insert(struct db_tx *tx, const struct user *u)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_INSERT);

	db_bind_guid(st, 1, &u->id);
	db_bind_c(st, 2, u->account_id);
	db_bind_text(st, 3, u->name);
	store_bind_text_opt(st, 4, u->policy);
	db_bind_text(st, 5, u->state);
	db_bind_int(st, 6, u->created_at);
	db_bind_int(st, 7, u->changed_at);
	db_bind_int(st, 8, u->revision);
	return db_run(st, NULL);
}

enum souk_err
user_update(struct db_tx *tx, const struct user *u, int64_t revision, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_UPDATE);

	db_bind_text(st, 1, u->name);
	store_bind_text_opt(st, 2, u->policy);
	db_bind_text(st, 3, u->state);
	db_bind_int(st, 4, u->changed_at);
	db_bind_int(st, 5, u->revision);
	db_bind_guid(st, 6, &u->id);
	db_bind_int(st, 7, revision);
	return store_changed(st, ret_found);
}

void
user_row(struct db_stmt *st, struct user *ret)
{
	*ret = (struct user){
		.id = db_guid(st, 0),
		.name = db_text(st, 2),
		.policy = db_text(st, 3),
		.state = db_text(st, 4),
		.created_at = db_int(st, 5),
		.changed_at = db_int(st, 6),
		.revision = db_int(st, 7),
	};
	store_account_id(st, 1, ret->account_id);
}

enum souk_err
user_find(struct db_tx *tx, const struct guid *id, struct arena *mem, struct user *ret)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_FIND);
	struct user u;
	enum souk_err r;

	db_bind_guid(st, 1, id);
	if ((r = db_one(st)) != SOUK_OK)
		return r;
	user_row(st, &u);
	if (mem)
		r = store_keep(mem, (struct str *const[]){ &u.name, &u.policy, &u.state, NULL });
	else
		u.name = u.policy = u.state = STR("");
	db_reset(st);
	if (r == SOUK_OK)
		*ret = u;
	return r;
}

struct db_stmt *
user_rows(struct db_tx *tx, struct str account_id, struct str after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_LIST);

	db_bind_text(st, 1, account_id);
	db_bind_text(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

enum souk_err
user_name_taken(struct db_tx *tx, const struct user *u, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_NAME_TAKEN);

	db_bind_c(st, 1, u->account_id);
	db_bind_text(st, 2, u->name);
	db_bind_guid(st, 3, &u->id);
	return store_exists(st, ret);
}

enum souk_err
user_id_taken(struct db_tx *tx, const struct guid *id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_ID_TAKEN);

	db_bind_guid(st, 1, id);
	return store_exists(st, ret);
}

enum souk_err
user_has_peer(struct db_tx *tx, const struct user *u, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_PEER);

	db_bind_c(st, 1, u->account_id);
	db_bind_guid(st, 2, &u->id);
	return store_exists(st, ret);
}

enum souk_err
user_count(struct db_tx *tx, const char *account_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &user_texts, Q_COUNT);
	enum souk_err r;

	db_bind_c(st, 1, account_id);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return r;
}
