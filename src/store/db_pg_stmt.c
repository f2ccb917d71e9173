/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL statements: prepared once per connection at their first use, values in binary form.
 *
 * A scan is a cursor: while one piece of its rows is read, the next is on its way.
 */
#include "store/db_pg.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define OID_BYTEA 17
#define OID_INT8 20
#define OID_TEXT 25

static const struct stmt_ops pg_stmt_ops;

static struct pg_stmt *
of(struct db_stmt *base)
{
	return (struct pg_stmt *)base;
}

static enum souk_err
ready(struct pg_conn *c, struct pg_stmt *st, unsigned slot, const struct db_texts *t, unsigned q)
{
	struct buf sql = { 0 };
	enum souk_err err;

	(void)snprintf(st->name, sizeof(st->name), "s%u_%u", slot, q);
	if (st->scan)
		buf_printf(&sql, "DECLARE %s NO SCROLL CURSOR FOR ", st->name);
	err = dialect_text(DIALECT_PG, t->sql[q], &sql);
	if (err == SOUK_OK && !(st->sql = strdup(sql.p)))
		err = SOUK_E_NOMEM;
	buf_done(&sql);
	st->base.ops = &pg_stmt_ops;
	st->conn = c;
	return err;
}

struct db_stmt *
pg_stmt_of(struct conn *base, unsigned slot, const struct db_texts *t, unsigned q, bool scan)
{
	static struct pg_stmt no_memory = { .base = { &pg_stmt_ops }, .err = SOUK_E_NOMEM };
	struct pg_conn *c = pg(base);
	struct pg_stmt *st;

	if (!c->table[slot].stmt) {
		if (!(c->table[slot].stmt = calloc(t->n, sizeof(*st))))
			return &no_memory.base;
		c->table[slot].n = t->n;
	}
	st = &c->table[slot].stmt[q];
	assert(st->state != PG_STMT_ROWS); /* its rows are still being read */
	st->err = SOUK_OK;
	if (!st->sql) {
		st->scan = scan;
		st->err = ready(c, st, slot, t, q);
	}
	st->n_params = 0;
	st->state = PG_STMT_READY;
	return &st->base;
}

/* ---- parameters ---- */

static void
bind(struct pg_stmt *st, int i, Oid type, const char *p, size_t n)
{
	assert(i >= 1 && i <= PG_PARAMS_MAX);
	for (; st->n_params < i; st->n_params++) {
		st->value[st->n_params] = NULL;
		st->type[st->n_params] = 0;
	}
	if (n > INT32_MAX) {
		st->err = SOUK_E_LIMIT;
		return;
	}
	st->value[i - 1] = p;
	st->length[i - 1] = (int)n;
	st->type[i - 1] = p ? type : 0;
}

static void
pg_bind_int(struct db_stmt *base, int i, int64_t v)
{
	struct pg_stmt *st = of(base);

	assert(i >= 1 && i <= PG_PARAMS_MAX);
	st->number[i - 1] = htobe64((uint64_t)v);
	bind(st, i, OID_INT8, (const char *)&st->number[i - 1], 8);
}

static void
pg_bind_text(struct db_stmt *base, int i, const char *p, size_t n)
{
	bind(of(base), i, OID_TEXT, p, n);
}

static void
pg_bind_blob(struct db_stmt *base, int i, const void *p, size_t n)
{
	bind(of(base), i, OID_BYTEA, p, n);
}

/* ---- running ---- */

static void
leave_list(struct pg_stmt *st)
{
	if (st->state != PG_STMT_ROWS)
		return;
	*st->list_back = st->list_next;
	if (st->list_next)
		st->list_next->list_back = st->list_back;
}

static void
join_list(struct pg_stmt *st)
{
	struct pg_conn *c = st->conn;

	st->state = PG_STMT_ROWS;
	st->list_next = c->open;
	st->list_back = &c->open;
	if (c->open)
		c->open->list_back = &st->list_next;
	c->open = st;
}

static void
end(struct pg_stmt *st)
{
	struct pg_conn *c = st->conn;
	bool had_cursor = st->scan && st->state == PG_STMT_ROWS;
	char sql[40];

	leave_list(st);
	if (!c)
		return; /* the stand-in is shared: it never changes */
	st->state = PG_STMT_IDLE;
	if (st->next_pending)
		(void)pg_await(c, st);
	st->next_pending = false;
	PQclear(st->rows);
	PQclear(st->next);
	st->rows = st->next = NULL;
	if (had_cursor && c->tx == PG_TX_OPEN) {
		(void)snprintf(sql, sizeof(sql), "CLOSE %s", st->name);
		(void)pg_command(c, sql); /* a failure shows at the commit */
	}
}

static enum souk_err
send(struct pg_stmt *st, enum pg_answer kind)
{
	static const int binary[PG_PARAMS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct pg_conn *c = st->conn;

	if (st->err != SOUK_OK)
		return st->err;
	if (c->tx != PG_TX_OPEN)
		return c->err != SOUK_OK ? c->err : SOUK_E_UNAVAILABLE;
	if (!st->prepared) {
		st->prepared = true; /* unless the answer says that it is not */
		if (pg_sent(c, PQsendPrepare(c->h, st->name, st->sql, st->n_params, st->type),
			PG_A_PREPARED, st) != SOUK_OK)
			return c->err;
	}
	if (c->tx != PG_TX_OPEN)
		return c->err;
	if (kind == PG_A_ROWS)
		st->next_pending = true;
	return pg_sent(c,
	    PQsendQueryPrepared(c->h, st->name, st->n_params, st->value, st->length, binary, 1),
	    kind, st);
}

/* Asks for the next piece of a scan. */
static enum souk_err
fetch(struct pg_stmt *st)
{
	struct pg_conn *c = st->conn;
	char sql[64];

	if (c->tx != PG_TX_OPEN)
		return c->err;
	(void)snprintf(sql, sizeof(sql), "FETCH FORWARD %d FROM %s", PG_FETCH, st->name);
	st->next_pending = true;
	if (pg_sent(c, PQsendQueryParams(c->h, sql, 0, NULL, NULL, NULL, NULL, 1), PG_A_ROWS, st) !=
	    SOUK_OK)
		return c->err;
	return pg_sync(c);
}

/* Takes the piece that was asked for. */
static enum souk_err
take_rows(struct pg_stmt *st)
{
	enum souk_err err;

	if ((err = pg_await(st->conn, st)) != SOUK_OK)
		return err;
	PQclear(st->rows);
	st->rows = st->next;
	st->next = NULL;
	st->row = -1;
	st->n_rows = PQntuples(st->rows);
	return SOUK_OK;
}

/* Sends it and waits for its rows, or the first piece of them. */
static enum souk_err
execute(struct pg_stmt *st)
{
	struct pg_conn *c = st->conn;
	enum souk_err err = send(st, st->scan ? PG_A_CHECK : PG_A_ROWS);

	if (err != SOUK_OK)
		return err;
	if (st->scan)
		err = fetch(st);
	else
		err = pg_sync(c);
	if (err == SOUK_OK)
		err = take_rows(st);
	if (err == SOUK_OK && st->scan && st->n_rows == PG_FETCH)
		err = fetch(st);
	if (err == SOUK_OK)
		join_list(st);
	return err;
}

static enum souk_err
pg_step(struct db_stmt *base, bool *ret_row)
{
	struct pg_stmt *st = of(base);
	enum souk_err err = st->err;

	if (!st->conn)
		return err;
	assert(st->state != PG_STMT_IDLE); /* ended: ask db_stmt for it again */
	if (err == SOUK_OK && st->state == PG_STMT_READY)
		err = execute(st);
	if (err == SOUK_OK && st->row + 1 == st->n_rows && (st->next_pending || st->next)) {
		if ((err = take_rows(st)) == SOUK_OK && st->n_rows == PG_FETCH)
			err = fetch(st);
	}
	if (err == SOUK_OK && st->row + 1 < st->n_rows) {
		st->row++;
		*ret_row = true;
		return SOUK_OK;
	}
	end(st);
	if (err == SOUK_OK)
		*ret_row = false;
	return err;
}

static enum souk_err
pg_run(struct db_stmt *base, int64_t *ret_changes)
{
	struct pg_stmt *st = of(base);
	enum souk_err err = st->err;

	if (!st->conn)
		return err;
	assert(st->state == PG_STMT_READY && !st->scan);
	err = execute(st);
	if (err == SOUK_OK && ret_changes)
		*ret_changes = strtoll(PQcmdTuples(st->rows), NULL, 10);
	end(st);
	return err;
}

static enum souk_err
pg_run_later(struct db_stmt *base)
{
	struct pg_stmt *st = of(base);
	enum souk_err err = st->err;

	if (!st->conn)
		return err;
	assert(st->state == PG_STMT_READY && !st->scan);
	err = send(st, PG_A_CHECK);
	end(st);
	return err;
}

static void
pg_reset(struct db_stmt *base)
{
	end(of(base));
}

void
pg_reset_open(struct conn *base)
{
	while (pg(base)->open)
		end(pg(base)->open);
}

void
pg_stmts_free(struct pg_conn *c)
{
	for (unsigned s = 0; s < DB_SLOTS_MAX; s++) {
		for (unsigned q = 0; q < c->table[s].n; q++) {
			struct pg_stmt *st = &c->table[s].stmt[q];

			PQclear(st->rows);
			PQclear(st->next);
			free(st->sql);
		}
		free(c->table[s].stmt);
	}
}

/* ---- columns ---- */

static int64_t
pg_get_int(struct db_stmt *base, int col)
{
	struct pg_stmt *st = of(base);
	const char *p;
	int n;
	uint64_t v;

	assert(st->state == PG_STMT_ROWS);
	p = PQgetvalue(st->rows, st->row, col);
	n = PQgetlength(st->rows, st->row, col);
	if (n <= 0 || n > 8)
		return 0;
	v = (p[0] & 0x80) ? UINT64_MAX : 0;
	for (int i = 0; i < n; i++)
		v = v << 8 | (uint8_t)p[i];
	return (int64_t)v;
}

static struct str
pg_get_bytes(struct db_stmt *base, int col, bool text)
{
	struct pg_stmt *st = of(base);

	(void)text;
	assert(st->state == PG_STMT_ROWS);
	return (struct str){ .p = PQgetvalue(st->rows, st->row, col),
		.n = (size_t)PQgetlength(st->rows, st->row, col) };
}

static bool
pg_is_null(struct db_stmt *base, int col)
{
	struct pg_stmt *st = of(base);

	assert(st->state == PG_STMT_ROWS);
	return PQgetisnull(st->rows, st->row, col) != 0;
}

static const struct stmt_ops pg_stmt_ops = {
	.bind_int = pg_bind_int,
	.bind_text = pg_bind_text,
	.bind_blob = pg_bind_blob,
	.step = pg_step,
	.run = pg_run,
	.run_later = pg_run_later,
	.reset = pg_reset,
	.get_int = pg_get_int,
	.get_bytes = pg_get_bytes,
	.is_null = pg_is_null,
};
