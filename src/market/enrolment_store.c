/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on enrolments. No scope here: see enrolment.c. */
#include "market/market_store.h"

#define ENROLMENT_SQL(X)                                                                           \
	X(Q_INSERT,                                                                                \
	    "INSERT INTO enrolment (seller_id, program, state, since, changed_at, revision,"       \
	    " enrolled_since) VALUES ($1, $2, $3, $4, $5, $6, $7)")                                \
	X(Q_UPDATE,                                                                                \
	    "UPDATE enrolment SET state = $1, since = $2, changed_at = $3, revision = $4,"         \
	    " enrolled_since = $5 WHERE seller_id = $6 AND program = $7 AND revision = $8")        \
	X(Q_FIND, "SELECT state, since, revision, enrolled_since FROM enrolment WHERE seller_id "  \
		  "= $1 AND program = $2")                                                         \
	X(Q_EXPORTED, "SELECT exported_until FROM psc_coverage WHERE seller_id = $1")

enum enrolment_q {
#define X(id, sql) id,
	ENROLMENT_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	ENROLMENT_SQL(X)
#undef X
};

struct db_texts enrolment_texts = { .component = "enrolment", .sql = sql_texts, .n = Q__COUNT };

static const char *
state_word(const struct enrolment *e)
{
	return e->enrolled ? "enrolled" : "withdrawn";
}

enum souk_err
enrolment_insert(struct db_tx *tx, const struct enrolment *e)
{
	struct db_stmt *st = db_stmt(tx, &enrolment_texts, Q_INSERT);

	db_bind_c(st, 1, e->seller_id);
	db_bind_text(st, 2, e->program);
	db_bind_c(st, 3, state_word(e));
	db_bind_int(st, 4, e->since);
	db_bind_int(st, 5, e->since);
	db_bind_int(st, 6, e->revision);
	store_bind_instant(st, 7, e->enrolled_since);
	return db_run(st, NULL);
}

enum souk_err
enrolment_update(struct db_tx *tx, const struct enrolment *e, int64_t revision, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &enrolment_texts, Q_UPDATE);

	db_bind_c(st, 1, state_word(e));
	db_bind_int(st, 2, e->since);
	db_bind_int(st, 3, e->since);
	db_bind_int(st, 4, e->revision);
	store_bind_instant(st, 5, e->enrolled_since);
	db_bind_c(st, 6, e->seller_id);
	db_bind_text(st, 7, e->program);
	db_bind_int(st, 8, revision);
	return store_changed(st, ret_found);
}

enum souk_err
enrolment_find(struct db_tx *tx, struct enrolment *io)
{
	struct db_stmt *st = db_stmt(tx, &enrolment_texts, Q_FIND);
	enum souk_err r;

	db_bind_c(st, 1, io->seller_id);
	db_bind_text(st, 2, io->program);
	if ((r = db_one(st)) != SOUK_OK)
		return r;
	io->enrolled = str_eq_c(db_text(st, 0), "enrolled");
	io->since = db_int(st, 1);
	io->revision = db_int(st, 2);
	io->enrolled_since = db_int(st, 3);
	db_reset(st);
	return SOUK_OK;
}

enum souk_err
enrolment_begins(struct db_tx *tx, struct str seller_id, instant_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &enrolment_texts, Q_EXPORTED);
	instant_t begins = db_now(tx);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	if ((r = db_one(st)) == SOUK_OK && db_int(st, 0) > begins)
		begins = db_int(st, 0);
	db_reset(st);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = begins;
	return SOUK_OK;
}
