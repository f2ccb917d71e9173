/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on business calendars. */
#include "proserv/business_calendar_store.h"

#define CALENDAR_SQL(X)                                                                            \
	X(Q_FIND, "SELECT revision, document, changed_at FROM business_calendar"                   \
		  " WHERE seller_id = $1 AND revision <= $2 ORDER BY revision DESC LIMIT 1")       \
	X(Q_NEWEST, "SELECT COALESCE(MAX(revision), 0) FROM business_calendar"                     \
		    " WHERE seller_id = $1")                                                       \
	X(Q_INSERT, "INSERT INTO business_calendar"                                                \
		    " (seller_id, revision, document, changed_by, changed_at)"                     \
		    " VALUES ($1, $2, $3, $4, $5)")                                                \
	X(Q_DROP, "DELETE FROM business_calendar WHERE seller_id = $1 AND revision < $2"           \
		  " AND NOT EXISTS (SELECT 1 FROM fulfilment f"                                    \
		  " WHERE f.seller_id = business_calendar.seller_id"                               \
		  " AND f.calendar = business_calendar.revision)")

enum calendar_q {
#define X(id, sql) id,
	CALENDAR_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	CALENDAR_SQL(X)
#undef X
};

struct db_texts business_calendar_texts = {
	.component = "proserv.business_calendar", .sql = sql_texts, .n = Q__COUNT
};

enum souk_err
business_calendar_find(struct db_tx *tx, struct str seller_id, int64_t *io_revision,
    struct arena *mem, struct str *ret_document, instant_t *ret_changed_at)
{
	struct db_stmt *st = db_stmt(tx, &business_calendar_texts, Q_FIND);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, *io_revision);
	if ((r = db_one(st)) == SOUK_OK) {
		*io_revision = db_int(st, 0);
		*ret_document = arena_str(mem, db_text(st, 1));
		*ret_changed_at = db_int(st, 2);
		if (ret_document->p == NULL)
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
business_calendar_newest(struct db_tx *tx, struct str seller_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &business_calendar_texts, Q_NEWEST);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return r;
}

enum souk_err
business_calendar_insert(
    struct db_tx *tx, struct str seller_id, int64_t revision, struct str document, struct str actor)
{
	struct db_stmt *st = db_stmt(tx, &business_calendar_texts, Q_INSERT);

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, revision);
	db_bind_text(st, 3, document);
	db_bind_text(st, 4, actor);
	db_bind_int(st, 5, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
business_calendar_drop_unused(struct db_tx *tx, struct str seller_id, int64_t revision)
{
	struct db_stmt *st = db_stmt(tx, &business_calendar_texts, Q_DROP);

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, revision);
	return db_run_later(st);
}
