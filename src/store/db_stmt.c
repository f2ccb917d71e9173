/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of db.h: what does not depend on the engine, and the way to what does. */
#include "store/db_int.h"

#include <assert.h>

static struct db_stmt *
find(struct db_tx *tx, struct db_texts *t, unsigned q, bool scan)
{
	static _Atomic unsigned slots; /* handed out so far; slot 0 means none yet */
	unsigned slot = atomic_load_explicit(&t->slot, memory_order_acquire), fresh;

	if (slot == 0) {
		fresh = atomic_fetch_add(&slots, 1) + 1;
		assert(fresh < DB_SLOTS_MAX);
		/* Two threads may meet here: the first one's number stands. */
		if (atomic_compare_exchange_strong(&t->slot, &slot, fresh))
			slot = fresh;
	}
	assert(slot < DB_SLOTS_MAX && q < t->n);
	return tx->conn->ops->stmt(tx->conn, slot, t, q, scan);
}

struct db_stmt *
db_stmt(struct db_tx *tx, struct db_texts *t, unsigned q)
{
	return find(tx, t, q, false);
}

struct db_stmt *
db_scan(struct db_tx *tx, struct db_texts *t, unsigned q)
{
	return find(tx, t, q, true);
}

void
db_bind_int(struct db_stmt *st, int i, int64_t v)
{
	st->ops->bind_int(st, i, v);
}

void
db_bind_text(struct db_stmt *st, int i, struct str v)
{
	st->ops->bind_text(st, i, v.p ? v.p : "", v.n);
}

void
db_bind_c(struct db_stmt *st, int i, const char *v)
{
	st->ops->bind_text(st, i, v, v ? strlen(v) : 0);
}

void
db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n)
{
	st->ops->bind_blob(st, i, p, n);
}

void
db_bind_guid(struct db_stmt *st, int i, const struct guid *g)
{
	st->ops->bind_blob(st, i, g->b, sizeof(g->b));
}

void
db_bind_null(struct db_stmt *st, int i)
{
	st->ops->bind_blob(st, i, NULL, 0);
}

enum souk_err
db_step(struct db_stmt *st, bool *ret_row)
{
	return st->ops->step(st, ret_row);
}

enum souk_err
db_run(struct db_stmt *st, int64_t *ret_changes)
{
	return st->ops->run(st, ret_changes);
}

enum souk_err
db_run_later(struct db_stmt *st)
{
	return st->ops->run_later(st);
}

enum souk_err
db_one(struct db_stmt *st)
{
	bool row = false;
	enum souk_err err = db_step(st, &row);

	return err == SOUK_OK && !row ? SOUK_E_NOT_FOUND : err;
}

void
db_reset(struct db_stmt *st)
{
	st->ops->reset(st);
}

int64_t
db_int(struct db_stmt *st, int col)
{
	return st->ops->get_int(st, col);
}

struct str
db_text(struct db_stmt *st, int col)
{
	return st->ops->get_bytes(st, col, true);
}

struct str
db_blob(struct db_stmt *st, int col)
{
	return st->ops->get_bytes(st, col, false);
}

struct guid
db_guid(struct db_stmt *st, int col)
{
	struct guid g = { { 0 } };
	struct str b = db_blob(st, col);

	if (b.n == sizeof(g.b))
		memcpy(g.b, b.p, sizeof(g.b));
	return g;
}

bool
db_is_null(struct db_stmt *st, int col)
{
	return st->ops->is_null(st, col);
}
