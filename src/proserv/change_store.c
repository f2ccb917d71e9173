/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on change sets and locks; see change_store.h. */
#include "proserv/change_store.h"

#include "proserv/catalog_store.h"

#define ROW                                                                                        \
	"seller_id, change_set_id, account_id, actor, name, intent, token, request_hash, status,"  \
	" waiting, failure, failure_text, changes, started_at, ended_at"

#define CHANGE_SQL(X)                                                                              \
	X(Q_FIND, "SELECT " ROW " FROM change_set WHERE seller_id = $1 AND change_set_id = $2")    \
	X(Q_OF_TOKEN, "SELECT " ROW " FROM change_set"                                             \
		      " WHERE seller_id = $1 AND account_id = $2 AND token = $3")                  \
	X(Q_INSERT, "INSERT INTO change_set (" ROW ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9," \
		    " $10, $11, $12, $13, $14, $15)")                                              \
	X(Q_UPDATE,                                                                                \
	    "UPDATE change_set SET status = $1, waiting = $2, failure = $3, failure_text = $4,"    \
	    " changes = $5, ended_at = $6"                                                         \
	    " WHERE seller_id = $7 AND change_set_id = $8 AND status = $9")                        \
	X(Q_COUNT_OPEN, "SELECT COUNT(*) FROM change_set WHERE seller_id = $1"                     \
			" AND ended_at IS NULL")                                                   \
	X(Q_ROWS_OF, "SELECT " ROW " FROM change_set WHERE seller_id = $1"                         \
		     " AND (started_at < $2 OR (started_at = $2 AND change_set_id < $3))"          \
		     " ORDER BY started_at DESC, change_set_id DESC LIMIT $4")                     \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_ROWS_ALL, "SELECT " ROW " FROM change_set"                                             \
		      " WHERE started_at < $1 OR (started_at = $1 AND change_set_id < $2)"         \
		      " ORDER BY started_at DESC, change_set_id DESC LIMIT $3")                    \
	/* fan-out: the operator names the id alone */                                             \
	X(Q_OWNER, "SELECT seller_id FROM change_set WHERE change_set_id = $1")                    \
	/* fan-out: everybody's, by age */                                                         \
	X(Q_PRUNE, "DELETE FROM change_set WHERE ended_at IS NOT NULL AND ended_at < $1")          \
	X(Q_LOCK, "INSERT INTO entity_lock (seller_id, entity_id, change_set_id)"                  \
		  " VALUES ($1, $2, $3) ON CONFLICT (seller_id, entity_id) DO NOTHING")            \
	X(Q_UNLOCK, "DELETE FROM entity_lock WHERE seller_id = $1 AND change_set_id = $2")

enum change_q {
#define X(id, sql) id,
	CHANGE_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	CHANGE_SQL(X)
#undef X
};

struct db_texts change_texts = { .component = "change", .sql = sql_texts, .n = Q__COUNT };

const char *const change_status_words[CHANGE__COUNT] = {
	[CHANGE_PREPARING] = "PREPARING",
	[CHANGE_APPLYING] = "APPLYING",
	[CHANGE_SUCCEEDED] = "SUCCEEDED",
	[CHANGE_FAILED] = "FAILED",
	[CHANGE_CANCELLED] = "CANCELLED",
};

const char *
change_failure_word(enum change_failure f)
{
	return f == FAILURE_CLIENT ? "CLIENT_ERROR" : f == FAILURE_SERVER ? "SERVER_FAULT" : NULL;
}

void
change_set_row(struct db_stmt *st, struct change_set_row *ret)
{
	struct str hash = db_blob(st, 7), status = db_text(st, 8), failure = db_text(st, 10);

	*ret = (struct change_set_row){
		.id = db_guid(st, 1),
		.actor = db_text(st, 3),
		.name = db_text(st, 4),
		.validate = str_eq_c(db_text(st, 5), "VALIDATE"),
		.token = db_text(st, 6),
		.waiting = db_int(st, 9) != 0,
		.failure = failure.n == 0                      ? FAILURE_NONE
			   : str_eq_c(failure, "CLIENT_ERROR") ? FAILURE_CLIENT
							       : FAILURE_SERVER,
		.failure_text = db_text(st, 11),
		.changes = db_text(st, 12),
		.started_at = db_int(st, 13),
		.ended_at = db_int(st, 14),
	};
	take_account(ret->seller_id, db_text(st, 0));
	take_account(ret->account_id, db_text(st, 2));
	if (hash.n == sizeof(ret->request_hash))
		memcpy(ret->request_hash, hash.p, hash.n);
	for (int s = 0; s < CHANGE__COUNT; s++)
		if (str_eq_c(status, change_status_words[s]))
			ret->status = (enum change_status)s;
}

/* The statement's only row into the arena. */
static enum souk_err
one(struct db_stmt *st, struct arena *mem, struct change_set_row *ret)
{
	struct change_set_row c;
	struct str *const slices[] = { &c.actor, &c.name, &c.token, &c.failure_text, &c.changes };
	enum souk_err r = db_one(st);

	if (r == SOUK_OK)
		change_set_row(st, &c);
	for (size_t i = 0; r == SOUK_OK && i < sizeof(slices) / sizeof(slices[0]); i++) {
		*slices[i] = arena_str(mem, *slices[i]);
		if (!slices[i]->p)
			r = SOUK_E_NOMEM;
	}
	db_reset(st);
	if (r == SOUK_OK)
		*ret = c;
	return r;
}

enum souk_err
change_set_row_find(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct change_set_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_FIND);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	return one(st, mem, ret);
}

enum souk_err
change_set_row_of_token(struct db_tx *tx, struct str seller_id, struct str account_id,
    struct str token, struct arena *mem, struct change_set_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_OF_TOKEN);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, account_id);
	db_bind_text(st, 3, token);
	return one(st, mem, ret);
}

static void
bind_opt(struct db_stmt *st, int i, struct str s)
{
	if (s.n > 0)
		db_bind_text(st, i, s);
	else
		db_bind_null(st, i);
}

static void
bind_time(struct db_stmt *st, int i, instant_t t)
{
	if (t == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, t);
}

enum souk_err
change_set_row_insert(struct db_tx *tx, const struct change_set_row *c)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_INSERT);

	db_bind_c(st, 1, c->seller_id);
	db_bind_guid(st, 2, &c->id);
	db_bind_c(st, 3, c->account_id);
	db_bind_text(st, 4, c->actor);
	db_bind_text(st, 5, c->name);
	db_bind_c(st, 6, c->validate ? "VALIDATE" : "APPLY");
	bind_opt(st, 7, c->token);
	db_bind_blob(st, 8, c->request_hash, sizeof(c->request_hash));
	db_bind_c(st, 9, change_status_words[c->status]);
	db_bind_int(st, 10, c->waiting);
	db_bind_c(st, 11, change_failure_word(c->failure));
	db_bind_text(st, 12, c->failure_text.p ? c->failure_text : STR(""));
	db_bind_text(st, 13, c->changes);
	db_bind_int(st, 14, c->started_at);
	bind_time(st, 15, c->ended_at);
	return db_run(st, NULL);
}

enum souk_err
change_set_row_update(
    struct db_tx *tx, const struct change_set_row *c, enum change_status was, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_UPDATE);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_c(st, 1, change_status_words[c->status]);
	db_bind_int(st, 2, c->waiting);
	db_bind_c(st, 3, change_failure_word(c->failure));
	db_bind_text(st, 4, c->failure_text.p ? c->failure_text : STR(""));
	db_bind_text(st, 5, c->changes);
	bind_time(st, 6, c->ended_at);
	db_bind_c(st, 7, c->seller_id);
	db_bind_guid(st, 8, &c->id);
	db_bind_c(st, 9, change_status_words[was]);
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_found = rows > 0;
	return r;
}

enum souk_err
change_set_count_open(struct db_tx *tx, struct str seller_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_COUNT_OPEN);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return r;
}

struct db_stmt *
change_set_rows(struct db_tx *tx, struct str seller_id, instant_t before,
    const struct guid *before_id, size_t limit)
{
	bool all = seller_id.n == 0;
	struct db_stmt *st = db_stmt(tx, &change_texts, all ? Q_ROWS_ALL : Q_ROWS_OF);
	int i = 1;

	if (!all)
		db_bind_text(st, i++, seller_id);
	db_bind_int(st, i++, before);
	db_bind_guid(st, i++, before_id);
	db_bind_int(st, i, (int64_t)limit);
	return st;
}

enum souk_err
change_set_owner(struct db_tx *tx, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1])
{
	return row_owner(db_stmt(tx, &change_texts, Q_OWNER), id, ret);
}

enum souk_err
change_set_prune(struct db_tx *tx, instant_t before, int64_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_PRUNE);

	db_bind_int(st, 1, before);
	return db_run(st, ret_n);
}

enum souk_err
entity_lock_take(struct db_tx *tx, struct str seller_id, const struct guid *entity_id,
    const struct guid *change_set_id, bool *ret_taken)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_LOCK);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, entity_id);
	db_bind_guid(st, 3, change_set_id);
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_taken = rows == 0;
	return r;
}

enum souk_err
entity_lock_drop(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id)
{
	struct db_stmt *st = db_stmt(tx, &change_texts, Q_UNLOCK);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, change_set_id);
	return db_run(st, NULL);
}
