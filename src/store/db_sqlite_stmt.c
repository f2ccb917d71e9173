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
check_parameters(struct conn *c, sqlite3_stmt *h, const struct db_texts *t, unsigned q)
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
prepare(struct conn *c, const struct db_texts *t, unsigned q, sqlite3_stmt **ret)
{
	sqlite3_stmt *h = NULL;
	const char *tail = NULL;
	enum souk_err err = conn_fail(
	    c, sqlite3_prepare_v3(c->h, t->sql[q], -1, SQLITE_PREPARE_PERSISTENT, &h, &tail));

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
	return err;
}

struct db_stmt *
conn_stmt(struct conn *c, unsigned slot, const struct db_texts *t, unsigned q)
{
	/* Stands in when there is no memory for a table: fails at its first step, as promised. */
	static struct db_stmt no_memory = { .err = SOUK_E_NOMEM, .state = STMT_READY };
	struct stmt_table *table = &c->table[slot];
	struct db_stmt *st;

	assert(slot < DB_SLOTS_MAX && q < t->n);
	if (!table->stmt) {
		if (!(table->stmt = calloc(t->n, sizeof(*table->stmt))))
			return &no_memory;
		table->n = t->n;
	}
	st = &table->stmt[q];
	assert(st->state != STMT_ROWS); /* its rows are still being read */
	st->conn = c;
	if (st->state == STMT_READY && st->h) /* handed out before, never run */
		(void)sqlite3_clear_bindings(st->h);
	st->err = SOUK_OK;
	if (!st->h)
		st->err = prepare(c, t, q, &st->h);
	st->state = STMT_READY;
	return st;
}

void
stmt_end(struct db_stmt *st)
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
conn_reset_open(struct conn *c)
{
	while (c->open)
		stmt_end(c->open);
}

void
db_reset(struct db_stmt *st)
{
	stmt_end(st);
}

static void
stand_on_row(struct db_stmt *st)
{
	struct conn *c = st->conn;

	st->state = STMT_ROWS;
	st->next = c->open;
	st->back = &c->open;
	if (c->open)
		c->open->back = &st->next;
	c->open = st;
}

enum souk_err
db_step(struct db_stmt *st, bool *ret_row)
{
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
		err = conn_fail(st->conn, rc);
	}
	stmt_end(st);
	if (err == SOUK_OK)
		*ret_row = false;
	return err;
}

enum souk_err
db_run(struct db_stmt *st, int64_t *ret_changes)
{
	enum souk_err err;
	bool row = true;

	while ((err = db_step(st, &row)) == SOUK_OK && row)
		;
	if (err == SOUK_OK && ret_changes)
		*ret_changes = sqlite3_changes64(st->conn->h);
	return err;
}

enum souk_err
db_one(struct db_stmt *st)
{
	bool row = false;
	enum souk_err err = db_step(st, &row);

	return err == SOUK_OK && !row ? SOUK_E_NOT_FOUND : err;
}

/* Keeps the first thing that went wrong; db_step tells it. */
static void
bound(struct db_stmt *st, int rc)
{
	if (rc != SQLITE_OK && st->err == SOUK_OK)
		st->err = conn_fail(st->conn, rc);
}

void
db_bind_int(struct db_stmt *st, int i, int64_t v)
{
	if (st->h)
		bound(st, sqlite3_bind_int64(st->h, i, v));
}

void
db_bind_text(struct db_stmt *st, int i, struct str v)
{
	if (st->h)
		bound(st,
		    sqlite3_bind_text64(st->h, i, v.p ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void
db_bind_c(struct db_stmt *st, int i, const char *v)
{
	if (st->h)
		bound(st, sqlite3_bind_text(st->h, i, v, -1, SQLITE_STATIC));
}

void
db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n)
{
	if (st->h)
		bound(st, sqlite3_bind_blob64(st->h, i, p, n, SQLITE_STATIC));
}

void
db_bind_guid(struct db_stmt *st, int i, const struct guid *g)
{
	db_bind_blob(st, i, g->b, sizeof(g->b));
}

void
db_bind_null(struct db_stmt *st, int i)
{
	if (st->h)
		bound(st, sqlite3_bind_null(st->h, i));
}

int64_t
db_int(struct db_stmt *st, int col)
{
	assert(st->state == STMT_ROWS);
	return sqlite3_column_int64(st->h, col);
}

struct str
db_text(struct db_stmt *st, int col)
{
	const char *p;

	assert(st->state == STMT_ROWS);
	p = (const char *)sqlite3_column_text(st->h, col);
	return (
	    struct str){ .p = p ? p : "", .n = p ? (size_t)sqlite3_column_bytes(st->h, col) : 0 };
}

struct str
db_blob(struct db_stmt *st, int col)
{
	const char *p;

	assert(st->state == STMT_ROWS);
	p = sqlite3_column_blob(st->h, col);
	return (
	    struct str){ .p = p ? p : "", .n = p ? (size_t)sqlite3_column_bytes(st->h, col) : 0 };
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
	assert(st->state == STMT_ROWS);
	return sqlite3_column_type(st->h, col) == SQLITE_NULL;
}
