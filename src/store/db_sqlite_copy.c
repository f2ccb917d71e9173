/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded engine's side of a copy.
 *
 * Even a source is held by a write transaction, which is undone in the end: nobody else may
 * write meanwhile, or what came in would be lost with the file.
 */
#include "store/db_copy_side.h"
#include "store/db_sqlite.h"

#include <stdio.h>
#include <stdlib.h>

struct lite_side {
	struct copy_side base; /* first: callers hold it */
	struct conn *conn;
	sqlite3_stmt *scan, *put;
};

static struct lite_side *
of(struct copy_side *s)
{
	return (struct lite_side *)s;
}

static enum souk_err
failed(struct lite_side *s, int rc, const char *doing, struct fail *f)
{
	enum souk_err err = lite_fail(lite(s->conn), rc);

	if (err == SOUK_OK)
		err = SOUK_E_INTERNAL;
	return fail_set(f, err, "database_failed", "the embedded database: cannot %s %s: %s", doing,
	    s->base.table ? s->base.table->name : "its tables", conn_message(s->conn));
}

static enum souk_err
prepare(struct lite_side *s, struct buf *sql, sqlite3_stmt **ret, struct fail *f)
{
	int rc = buf_ok(sql) ? sqlite3_prepare_v2(lite(s->conn)->h, sql->p, -1, ret, NULL)
			     : SQLITE_NOMEM;

	buf_done(sql);
	return rc == SQLITE_OK ? SOUK_OK : failed(s, rc, "read", f);
}

/* ---- its tables ---- */

static bool
take_name(sqlite3_stmt *h, int col, char out[COPY_NAME_MAX])
{
	const char *name = (const char *)sqlite3_column_text(h, col);
	int n = snprintf(out, COPY_NAME_MAX, "%s", name ? name : "");

	return n > 0 && n < COPY_NAME_MAX;
}

/* One line of a table's description: name, type, its place in the primary key from 1. */
static bool
take_column(struct copy_table *t, sqlite3_stmt *h)
{
	struct copy_column *c = &t->column[t->n];
	const char *type = (const char *)sqlite3_column_text(h, 1);
	int key = sqlite3_column_int(h, 2);

	if (t->n == COPY_COLUMNS_MAX || !type || key > COPY_COLUMNS_MAX ||
	    !take_name(h, 0, c->name))
		return false;
	c->kind = strcmp(type, "BIGINT") == 0 ? COPY_INT
		  : strcmp(type, "TEXT") == 0 ? COPY_TEXT
					      : COPY_BLOB;
	if (key > 0) {
		t->key[key - 1] = t->n;
		t->n_key++;
	}
	t->n++;
	return c->kind != COPY_BLOB || strcmp(type, "BLOB") == 0;
}

static enum souk_err
read_columns(struct lite_side *s, struct copy_table *t, struct fail *f)
{
	static const char sql[] = "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid";
	sqlite3_stmt *h = NULL;
	bool ok = true;
	int rc = sqlite3_prepare_v2(lite(s->conn)->h, sql, -1, &h, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(h, 1, t->name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		while (ok && (rc = sqlite3_step(h)) == SQLITE_ROW)
			ok = take_column(t, h);
	(void)sqlite3_finalize(h);
	if (!ok || (rc == SQLITE_DONE && t->n_key == 0))
		return fail_set(f, SOUK_E_INTERNAL, "database_failed",
		    "table %s: has no key, or a column of a kind that is not known", t->name);
	return rc == SQLITE_DONE ? SOUK_OK : failed(s, rc, "read", f);
}

/* As they were made: a table stands behind those that it refers to, or PostgreSQL would not make it. */
static enum souk_err
lite_plan(struct copy_side *base, struct copy_plan *ret, struct fail *f)
{
	static const char sql[] = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT"
				  " LIKE 'sqlite_%' ORDER BY rowid";
	struct lite_side *s = of(base);
	sqlite3_stmt *h = NULL;
	enum souk_err err = SOUK_OK;
	int rc = sqlite3_prepare_v2(lite(s->conn)->h, sql, -1, &h, NULL);

	if (rc == SQLITE_OK)
		while (err == SOUK_OK && (rc = sqlite3_step(h)) == SQLITE_ROW) {
			if (ret->n == COPY_TABLES_MAX || !take_name(h, 0, ret->table[ret->n].name))
				err = fail_set(f, SOUK_E_INTERNAL, "database_failed",
				    "more tables than a copy can hold");
			else
				err = read_columns(s, &ret->table[ret->n++], f);
		}
	(void)sqlite3_finalize(h);
	return err != SOUK_OK ? err : rc == SQLITE_DONE ? SOUK_OK : failed(s, rc, "read", f);
}

static enum souk_err
lite_count(struct copy_side *base, const struct copy_table *t, int64_t *ret, struct fail *f)
{
	struct lite_side *s = of(base);
	struct buf sql = { 0 };
	enum souk_err err;

	s->base.table = t;
	buf_printf(&sql, "SELECT count(*) FROM %s", t->name);
	err = buf_ok(&sql) ? conn_number(s->conn, sql.p, ret) : SOUK_E_NOMEM;
	buf_done(&sql);
	return err == SOUK_OK ? err : failed(s, SQLITE_ERROR, "count", f);
}

/* ---- reading ---- */

static enum souk_err
lite_scan(struct copy_side *base, const struct copy_table *t, struct fail *f)
{
	struct lite_side *s = of(base);
	struct buf sql = { 0 };

	s->base.table = t;
	buf_add_c(&sql, "SELECT ");
	copy_columns(t, &sql);
	buf_printf(&sql, " FROM %s ORDER BY ", t->name);
	copy_key(t, " COLLATE BINARY", &sql);
	return prepare(s, &sql, &s->scan, f);
}

/* Any column of SQLite takes any type: one that holds another than it says is damage. */
static bool
take_value(sqlite3_stmt *h, int col, enum copy_kind kind, struct copy_value *out)
{
	static const int types[] = {
		[COPY_INT] = SQLITE_INTEGER, [COPY_TEXT] = SQLITE_TEXT, [COPY_BLOB] = SQLITE_BLOB
	};
	int type = sqlite3_column_type(h, col);

	*out = (struct copy_value){ .null = type == SQLITE_NULL };
	if (out->null)
		return true;
	if (type != types[kind])
		return false;
	if (kind == COPY_INT)
		out->number = sqlite3_column_int64(h, col);
	else if (kind == COPY_TEXT)
		out->bytes.p = (const char *)sqlite3_column_text(h, col);
	else
		out->bytes.p = sqlite3_column_blob(h, col);
	if (kind != COPY_INT)
		out->bytes.n = (size_t)sqlite3_column_bytes(h, col);
	if (out->bytes.n == 0)
		out->bytes.p = "";
	return true;
}

static enum souk_err
lite_next(struct copy_side *base, struct copy_value *out, bool *ret_row, struct fail *f)
{
	struct lite_side *s = of(base);
	int rc = sqlite3_step(s->scan);

	*ret_row = rc == SQLITE_ROW;
	if (rc == SQLITE_DONE)
		return SOUK_OK;
	if (rc != SQLITE_ROW)
		return failed(s, rc, "read", f);
	for (unsigned i = 0; i < base->table->n; i++)
		if (!take_value(s->scan, (int)i, base->table->column[i].kind, &out[i]))
			return fail_set(f, SOUK_E_STORAGE, "database_damaged",
			    "table %s: column %s holds a value of another type than its own; "
			    "restore a backup",
			    base->table->name, base->table->column[i].name);
	return SOUK_OK;
}

static void
lite_unscan(struct copy_side *base)
{
	struct lite_side *s = of(base);

	(void)sqlite3_finalize(s->scan);
	s->scan = NULL;
}

/* ---- writing ---- */

static enum souk_err
lite_fill(struct copy_side *base, const struct copy_table *t, struct fail *f)
{
	struct lite_side *s = of(base);
	struct buf sql = { 0 };

	s->base.table = t;
	buf_printf(&sql, "INSERT INTO %s (", t->name);
	copy_columns(t, &sql);
	for (unsigned i = 0; i < t->n; i++)
		buf_printf(&sql, "%s$%u", i > 0 ? ", " : ") VALUES (", i + 1);
	buf_add_c(&sql, ")");
	return prepare(s, &sql, &s->put, f);
}

static int
bind(sqlite3_stmt *h, int i, enum copy_kind kind, const struct copy_value *v)
{
	if (v->null)
		return sqlite3_bind_null(h, i);
	if (kind == COPY_INT)
		return sqlite3_bind_int64(h, i, v->number);
	if (kind == COPY_TEXT)
		return sqlite3_bind_text64(
		    h, i, v->bytes.p, v->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_blob64(h, i, v->bytes.p, v->bytes.n, SQLITE_STATIC);
}

static enum souk_err
lite_put(struct copy_side *base, const struct copy_value *row, struct fail *f)
{
	struct lite_side *s = of(base);
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < base->table->n && rc == SQLITE_OK; i++)
		rc = bind(s->put, (int)i + 1, base->table->column[i].kind, &row[i]);
	if (rc == SQLITE_OK && (rc = sqlite3_step(s->put)) == SQLITE_DONE)
		rc = sqlite3_reset(s->put);
	return rc == SQLITE_OK ? SOUK_OK : failed(s, rc, "fill", f);
}

static enum souk_err
lite_filled(struct copy_side *base, struct fail *f)
{
	struct lite_side *s = of(base);

	(void)f;
	(void)sqlite3_finalize(s->put);
	s->put = NULL;
	return SOUK_OK;
}

static enum souk_err
lite_commit(struct copy_side *base, struct fail *f)
{
	struct lite_side *s = of(base);
	bool whole = false;
	enum souk_err err = conn_commit(s->conn);

	/* Out of the log and into the file, which may be renamed then. */
	if (err == SOUK_OK)
		err = conn_checkpoint(s->conn, CHECKPOINT_TRUNCATE, 1000, &whole);
	if (err == SOUK_OK && !whole)
		err = SOUK_E_UNAVAILABLE;
	return err == SOUK_OK
		   ? err
		   : fail_set(f, err, "database_failed",
			 "the embedded database: cannot keep the copy: %s", conn_message(s->conn));
}

static void
lite_close_side(struct copy_side *base)
{
	struct lite_side *s = of(base);

	(void)sqlite3_finalize(s->scan);
	(void)sqlite3_finalize(s->put);
	if (s->conn && conn_in_tx(s->conn))
		conn_rollback(s->conn);
	conn_close(s->conn);
	free(s);
}

static const struct copy_side_ops ops = {
	.plan = lite_plan,
	.count = lite_count,
	.scan = lite_scan,
	.next = lite_next,
	.unscan = lite_unscan,
	.fill = lite_fill,
	.put = lite_put,
	.filled = lite_filled,
	.commit = lite_commit,
	.close = lite_close_side,
};

enum souk_err
copy_lite_open(const char *path, bool write, struct copy_side **ret, struct fail *f)
{
	struct lite_side *s = calloc(1, sizeof(*s));
	enum souk_err err;

	(void)write; /* a source is held, too */
	if (!s)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the copy");
	s->base.ops = &ops;
	if ((err = conn_open(&(struct conn_options){ .path = path, .use = CONN_BULK }, &s->conn,
		 f)) == SOUK_OK &&
	    ((err = conn_prepare_file(s->conn)) != SOUK_OK ||
		(err = conn_begin(s->conn, true)) != SOUK_OK))
		(void)fail_set(f, err, "database_failed", "%s: cannot be held for the copy: %s",
		    path, conn_message(s->conn));
	if (err != SOUK_OK) {
		lite_close_side(&s->base);
		return err;
	}
	*ret = &s->base;
	return SOUK_OK;
}
