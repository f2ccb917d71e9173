/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite statements: prepared once per connection, bound, stepped, read.
 *
 * Bound bytes are the caller's (nothing is copied), so a statement lets go of them the
 * moment it ends; a statement that ended and is stepped again would run with nothing
 * bound, which is our bug and stops the process.
 */
#include "store/db_sqlite.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * SQLite takes $2 for a name and numbers names by first appearance; PostgreSQL takes it
 * for a number. A text in which the two differ would bind the wrong values.
 */
static enum souk_err
check_parameters(struct lite_conn *c, sqlite3_stmt *h, const struct db_texts *t, unsigned q)
{
	char want[16];
	const char *name;

	for (int i = 1; i <= sqlite3_bind_parameter_count(h); i++) {
		(void)snprintf(want, sizeof(want), "$%d", i);
		name = sqlite3_bind_parameter_name(h, i);
		if (!name || strcmp(name, want) != 0) {
			(void)snprintf(c->message, sizeof(c->message),
			    "%s text %u: parameter %d is not first used in order", t->component, q,
			    i);
			return SOUK_E_INTERNAL;
		}
	}
	return SOUK_OK;
}

static enum souk_err
prepare(struct lite_conn *c, const struct db_texts *t, unsigned q, sqlite3_stmt **ret)
{
	sqlite3_stmt *h = NULL;
	const char *tail = NULL;
	struct buf sql = { 0 };
	enum souk_err err = dialect_text(DIALECT_SQLITE, t->sql[q], &sql);

	if (err == SOUK_OK)
		err = lite_fail(
		    c, sqlite3_prepare_v3(c->h, sql.p, -1, SQLITE_PREPARE_PERSISTENT, &h, &tail));
	if (err == SOUK_OK && (!h || (tail && *tail))) {
		(void)snprintf(c->message, sizeof(c->message), "%s text %u: not one statement",
		    t->component, q);
		err = SOUK_E_INTERNAL;
	}
	if (err == SOUK_OK)
		err = check_parameters(c, h, t, q);
	if (err == SOUK_OK)
		*ret = h;
	else
		(void)sqlite3_finalize(h);
	buf_done(&sql);
	return err;
}

static const struct stmt_ops lite_stmt_ops;

struct db_stmt *
lite_stmt_of(struct conn *base, unsigned slot, const struct db_texts *t, unsigned q, bool scan)
{
	/* Stands in when there is no memory for a table: fails at its first step, as promised. */
	static struct lite_stmt no_memory = {
		.base = { &lite_stmt_ops }, .err = SOUK_E_NOMEM, .state = STMT_READY
	};
	struct lite_conn *c = lite(base);
	struct stmt_table *table = &c->table[slot];
	struct lite_stmt *st;

	(void)scan; /* rows come one by one anyway */
	assert(slot < DB_SLOTS_MAX && q < t->n);
	if (!table->stmt) {
		if (!(table->stmt = calloc(t->n, sizeof(*table->stmt))))
			return &no_memory.base;
		table->n = t->n;
	}
	st = &table->stmt[q];
	assert(st->state != STMT_ROWS); /* its rows are still being read */
	st->base.ops = &lite_stmt_ops;
	st->conn = c;
	if (st->state == STMT_READY && st->h) /* handed out before, never run */
		(void)sqlite3_clear_bindings(st->h);
	st->err = SOUK_OK;
	if (!st->h)
		st->err = prepare(c, t, q, &st->h);
	st->state = STMT_READY;
	return &st->base;
}

void
stmt_end(struct lite_stmt *st)
{
	if (st->state == STMT_ROWS) {
		*st->back = st->next;
		if (st->next)
			st->next->back = st->back;
	}
	if (!st->conn || st->state == STMT_IDLE)
		return; /* the stand-in is shared: it never changes */
	st->state = STMT_IDLE;
	if (st->h) {
		(void)sqlite3_reset(st->h);
		(void)sqlite3_clear_bindings(st->h);
	}
}

void
lite_reset_open(struct conn *base)
{
	struct lite_conn *c = lite(base);

	while (c->open)
		stmt_end(c->open);
}

static struct lite_stmt *
of(struct db_stmt *base)
{
	return (struct lite_stmt *)base;
}

static void
lite_reset(struct db_stmt *base)
{
	stmt_end(of(base));
}

static void
stand_on_row(struct lite_stmt *st)
{
	struct lite_conn *c = st->conn;

	st->state = STMT_ROWS;
	st->next = c->open;
	st->back = &c->open;
	if (c->open)
		c->open->back = &st->next;
	c->open = st;
}

static enum souk_err
lite_step(struct db_stmt *base, bool *ret_row)
{
	struct lite_stmt *st = of(base);
	enum souk_err err = st->err;
	int rc;

	assert(st->state != STMT_IDLE); /* ended: ask db_stmt for it again */
	if (err == SOUK_OK) {
		rc = sqlite3_step(st->h);
		if (rc == SQLITE_ROW) {
			if (st->state != STMT_ROWS)
				stand_on_row(st);
			*ret_row = true;
			return SOUK_OK;
		}
		err = lite_fail(st->conn, rc);
	}
	stmt_end(st);
	if (err == SOUK_OK)
		*ret_row = false;
	return err;
}

static enum souk_err
lite_run(struct db_stmt *base, int64_t *ret_changes)
{
	enum souk_err err;
	bool row = true;

	while ((err = lite_step(base, &row)) == SOUK_OK && row)
		;
	if (err == SOUK_OK && ret_changes)
		*ret_changes = sqlite3_changes64(of(base)->conn->h);
	return err;
}

static enum souk_err
lite_run_later(struct db_stmt *base)
{
	return lite_run(base, NULL);
}

/* Keeps the first thing that went wrong; db_step tells it. */
static void
bound(struct lite_stmt *st, int rc)
{
	if (rc != SQLITE_OK && st->err == SOUK_OK)
		st->err = lite_fail(st->conn, rc);
}

static void
lite_bind_int(struct db_stmt *base, int i, int64_t v)
{
	struct lite_stmt *st = of(base);

	if (st->h)
		bound(st, sqlite3_bind_int64(st->h, i, v));
}

static void
lite_bind_text(struct db_stmt *base, int i, const char *p, size_t n)
{
	struct lite_stmt *st = of(base);

	if (st->h)
		bound(st, sqlite3_bind_text64(st->h, i, p, n, SQLITE_STATIC, SQLITE_UTF8));
}

static void
lite_bind_blob(struct db_stmt *base, int i, const void *p, size_t n)
{
	struct lite_stmt *st = of(base);

	if (st->h)
		bound(st, sqlite3_bind_blob64(st->h, i, p, n, SQLITE_STATIC));
}

static int64_t
lite_get_int(struct db_stmt *base, int col)
{
	struct lite_stmt *st = of(base);

	assert(st->state == STMT_ROWS);
	return sqlite3_column_int64(st->h, col);
}

static struct str
lite_get_bytes(struct db_stmt *base, int col, bool text)
{
	struct lite_stmt *st = of(base);
	const char *p;

	assert(st->state == STMT_ROWS);
	p = text ? (const char *)sqlite3_column_text(st->h, col) : sqlite3_column_blob(st->h, col);
	return (
	    struct str){ .p = p ? p : "", .n = p ? (size_t)sqlite3_column_bytes(st->h, col) : 0 };
}

static bool
lite_is_null(struct db_stmt *base, int col)
{
	struct lite_stmt *st = of(base);

	assert(st->state == STMT_ROWS);
	return sqlite3_column_type(st->h, col) == SQLITE_NULL;
}

static const struct stmt_ops lite_stmt_ops = {
	.bind_int = lite_bind_int,
	.bind_text = lite_bind_text,
	.bind_blob = lite_bind_blob,
	.step = lite_step,
	.run = lite_run,
	.run_later = lite_run_later,
	.reset = lite_reset,
	.get_int = lite_get_int,
	.get_bytes = lite_get_bytes,
	.is_null = lite_is_null,
};
