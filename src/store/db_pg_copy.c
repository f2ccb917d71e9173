/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's side of a copy: COPY in its binary format, which goes through at the speed of the network
 * and needs neither quoting nor memory.
 */
#include "store/db_copy_side.h"
#include "store/db_pg.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define COPY_LOCK 1936684397 /* one copy into a database at a time */
#define COPY_MS 43200000     /* an hour is much; half a day is the end */
#define COPY_PIECE 65536

/* COPY's binary format: 11 bytes of signature, flags, length of an extension (PostgreSQL manual, COPY). */
static const char head[19] = "PGCOPY\n\377\r\n";

struct pg_side {
	struct copy_side base; /* first: callers hold it */
	PGconn *h;
	bool doubt; /* the server warned while it committed */
	bool scanning, filling;
	struct buf out;
	char *piece; /* of a scan, libpq's */
	int at, size;
	bool headed;
};

static struct pg_side *
of(struct copy_side *s)
{
	return (struct pg_side *)s;
}

static enum souk_err
failed(struct pg_side *s, const PGresult *res, const char *doing, struct fail *f)
{
	char words[200];

	pg_words(res, s->h, words, sizeof(words));
	return fail_set(f, SOUK_E_STORAGE, "database_failed", "the database: cannot %s%s%s: %s",
	    doing, s->base.table ? " " : "", s->base.table ? s->base.table->name : "", words);
}

static enum souk_err
ask(struct pg_side *s, const char *sql, ExecStatusType want, const char *doing, PGresult **ret,
    struct fail *f)
{
	PGresult *res = PQexec(s->h, sql);

	if (PQresultStatus(res) != want) {
		enum souk_err err = failed(s, res, doing, f);

		PQclear(res);
		return err;
	}
	if (ret)
		*ret = res;
	else
		PQclear(res);
	return SOUK_OK;
}

static enum souk_err
number(struct pg_side *s, const char *sql, int64_t *ret, struct fail *f)
{
	PGresult *res = NULL;
	enum souk_err err = ask(s, sql, PGRES_TUPLES_OK, "read", &res, f);

	if (err == SOUK_OK)
		*ret = PQntuples(res) == 1 ? strtoll(PQgetvalue(res, 0, 0), NULL, 10) : 0;
	PQclear(res);
	return err;
}

/* ---- its tables ---- */

static const struct copy_column *
column_of(const struct copy_plan *p, const char *table, const char *column)
{
	for (unsigned t = 0; t < p->n; t++)
		for (unsigned c = 0; c < p->table[t].n; c++)
			if (strcmp(p->table[t].name, table) == 0 &&
			    strcmp(p->table[t].column[c].name, column) == 0)
				return &p->table[t].column[c];
	return NULL;
}

static enum souk_err
pg_fits(struct copy_side *base, const struct copy_plan *p, struct fail *f)
{
	static const char sql[] =
	    "SELECT c.relname, a.attname, a.atttypid::regtype FROM pg_attribute a JOIN pg_class c"
	    " ON c.oid = a.attrelid WHERE c.relnamespace = current_schema()::regnamespace"
	    " AND c.relkind IN ('r', 'p') AND c.relname <> 'souk_schema' AND a.attnum > 0"
	    " AND NOT a.attisdropped";
	static const char *const types[] = {
		[COPY_INT] = "bigint", [COPY_TEXT] = "text", [COPY_BLOB] = "bytea"
	};
	PGresult *res = NULL;
	enum souk_err err = ask(of(base), sql, PGRES_TUPLES_OK, "read its tables", &res, f);
	int n = 0;

	if (err != SOUK_OK)
		return err;
	for (unsigned t = 0; t < p->n; t++)
		n += (int)p->table[t].n;
	for (int i = 0; i < PQntuples(res) && err == SOUK_OK; i++) {
		const struct copy_column *c =
		    column_of(p, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));

		if (!c || strcmp(types[c->kind], PQgetvalue(res, i, 2)) != 0)
			err = SOUK_E_CONFLICT;
	}
	if (err != SOUK_OK || n != PQntuples(res))
		err = fail_set(f, SOUK_E_CONFLICT, "schemas_differ",
		    "the two databases have different schemas; run `souk migrate --contract` on "
		    "both");
	PQclear(res);
	return err;
}

static enum souk_err
pg_count(struct copy_side *base, const struct copy_table *t, int64_t *ret, struct fail *f)
{
	struct buf sql = { 0 };
	enum souk_err err;

	base->table = t;
	buf_printf(&sql, "SELECT count(*) FROM %s", t->name);
	err = buf_ok(&sql) ? number(of(base), sql.p, ret, f) : SOUK_E_NOMEM;
	buf_done(&sql);
	return err;
}

/* ---- reading ---- */

static enum souk_err
pg_scan(struct copy_side *base, const struct copy_table *t, struct fail *f)
{
	struct pg_side *s = of(base);
	struct buf sql = { 0 };
	enum souk_err err;

	base->table = t;
	buf_add_c(&sql, "COPY (SELECT ");
	copy_columns(t, &sql);
	buf_printf(&sql, " FROM %s ORDER BY ", t->name);
	copy_key(t, " COLLATE \"C\"", &sql);
	buf_add_c(&sql, ") TO STDOUT (FORMAT binary)");
	err = buf_ok(&sql) ? ask(s, sql.p, PGRES_COPY_OUT, "read", NULL, f) : SOUK_E_NOMEM;
	buf_done(&sql);
	s->scanning = err == SOUK_OK;
	s->headed = false;
	s->at = s->size = 0;
	return err;
}

/* `n` bytes of the piece at hand, NULL when it ends before. */
static const char *
take(struct pg_side *s, int n)
{
	const char *p = s->piece + s->at;

	if (n < 0 || s->size - s->at < n)
		return NULL;
	s->at += n;
	return p;
}

static bool
take_be(struct pg_side *s, int n, int64_t *ret)
{
	const unsigned char *p = (const unsigned char *)take(s, n);
	uint64_t v = p && (p[0] & 0x80) ? UINT64_MAX : 0;

	for (int i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	*ret = (int64_t)v;
	return p != NULL;
}

static bool
take_value(struct pg_side *s, enum copy_kind kind, struct copy_value *out)
{
	int64_t n;

	*out = (struct copy_value){ .null = false };
	if (!take_be(s, 4, &n) || n > INT32_MAX)
		return false;
	if ((out->null = n == -1))
		return true;
	if (kind == COPY_INT)
		return n == 8 && take_be(s, 8, &out->number);
	out->bytes.n = (size_t)n;
	return (out->bytes.p = take(s, (int)n)) != NULL;
}

/* The row in the piece at hand; *ret_row false: the end mark. */
static bool
take_row(struct pg_side *s, struct copy_value *out, bool *ret_row)
{
	int64_t n;

	if (!s->headed && !take(s, sizeof(head)))
		return false;
	s->headed = true;
	if (!take_be(s, 2, &n))
		return false;
	*ret_row = n >= 0;
	if (n < 0)
		return true;
	if (n != s->base.table->n)
		return false;
	for (unsigned i = 0; i < s->base.table->n; i++)
		if (!take_value(s, s->base.table->column[i].kind, &out[i]))
			return false;
	return true;
}

/* Reads on to the next command's place. */
static enum souk_err
end_copy(struct pg_side *s, const char *doing, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	PGresult *res;

	while ((res = PQgetResult(s->h))) {
		if (PQresultStatus(res) != PGRES_COMMAND_OK && err == SOUK_OK)
			err = failed(s, res, doing, f);
		PQclear(res);
		if (PQstatus(s->h) != CONNECTION_OK)
			break;
	}
	return err;
}

static enum souk_err
pg_next(struct copy_side *base, struct copy_value *out, bool *ret_row, struct fail *f)
{
	struct pg_side *s = of(base);

	*ret_row = false;
	if (!s->scanning)
		return SOUK_OK;
	if (s->at == s->size) {
		PQfreemem(s->piece);
		s->piece = NULL;
		s->at = 0;
		if ((s->size = PQgetCopyData(s->h, &s->piece, 0)) < 0) {
			s->size = 0;
			s->scanning = false;
			return end_copy(s, "read", f);
		}
	}
	if (!take_row(s, out, ret_row))
		return fail_set(f, SOUK_E_STORAGE, "database_failed",
		    "the database: table %s was not sent in the form that is known",
		    base->table->name);
	return *ret_row ? SOUK_OK : pg_next(base, out, ret_row, f);
}

static void
pg_unscan(struct copy_side *base)
{
	struct pg_side *s = of(base);

	PQfreemem(s->piece);
	s->piece = NULL;
	s->scanning = false; /* left in the middle, the connection is only good for being closed */
}

/* ---- writing ---- */

static enum souk_err
pg_fill(struct copy_side *base, const struct copy_table *t, struct fail *f)
{
	struct pg_side *s = of(base);
	struct buf sql = { 0 };
	enum souk_err err;

	base->table = t;
	buf_printf(&sql, "COPY %s (", t->name);
	copy_columns(t, &sql);
	buf_add_c(&sql, ") FROM STDIN (FORMAT binary)");
	err = buf_ok(&sql) ? ask(s, sql.p, PGRES_COPY_IN, "fill", NULL, f) : SOUK_E_NOMEM;
	buf_done(&sql);
	buf_clear(&s->out);
	buf_add(&s->out, head, sizeof(head));
	return err;
}

static void
add_be(struct buf *b, uint64_t v, size_t n)
{
	uint64_t be = htobe64(v);

	buf_add(b, (const char *)&be + sizeof(be) - n, n);
}

static enum souk_err
send_piece(struct pg_side *s, struct fail *f)
{
	if (!buf_ok(&s->out))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the copy");
	if (PQputCopyData(s->h, s->out.p, (int)s->out.n) != 1)
		return failed(s, NULL, "fill", f);
	buf_clear(&s->out);
	return SOUK_OK;
}

static enum souk_err
pg_put(struct copy_side *base, const struct copy_value *row, struct fail *f)
{
	struct pg_side *s = of(base);

	add_be(&s->out, base->table->n, 2);
	for (unsigned i = 0; i < base->table->n; i++) {
		const struct copy_value *v = &row[i];

		if (v->null) {
			add_be(&s->out, UINT32_MAX, 4);
		} else if (base->table->column[i].kind == COPY_INT) {
			add_be(&s->out, 8, 4);
			add_be(&s->out, (uint64_t)v->number, 8);
		} else {
			add_be(&s->out, v->bytes.n, 4);
			buf_add(&s->out, v->bytes.p, v->bytes.n);
		}
	}
	return s->out.n < COPY_PIECE ? SOUK_OK : send_piece(s, f);
}

static enum souk_err
pg_filled(struct copy_side *base, struct fail *f)
{
	struct pg_side *s = of(base);
	enum souk_err err;

	add_be(&s->out, UINT16_MAX, 2);
	if ((err = send_piece(s, f)) != SOUK_OK)
		return err;
	if (PQputCopyEnd(s->h, NULL) != 1)
		return failed(s, NULL, "fill", f);
	return end_copy(s, "fill", f);
}

static void
note_warning(void *arg, const PGresult *res)
{
	struct pg_side *s = arg;

	(void)res;
	s->doubt = true;
}

static enum souk_err
pg_commit_side(struct copy_side *base, struct fail *f)
{
	struct pg_side *s = of(base);
	PGresult *res;
	bool kept, lost;

	base->table = NULL;
	s->doubt = false;
	res = PQexec(s->h, "COMMIT");
	kept = PQresultStatus(res) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(res), "COMMIT") == 0;
	lost = PQstatus(s->h) != CONNECTION_OK;
	if (kept && !s->doubt) {
		PQclear(res);
		return SOUK_OK;
	}
	if (kept || lost) {
		PQclear(res);
		return fail_set(f, SOUK_E_UNCERTAIN, "copy_uncertain",
		    "--to: %s while the copy was being kept: it is there as a whole or not at all; "
		    "run this again, it is refused if the data is there",
		    kept ? "the server gave up waiting for its standby"
			 : "the connection was lost");
	}
	(void)failed(s, res, "keep the copy", f);
	PQclear(res);
	return SOUK_E_STORAGE;
}

static void
pg_close_side(struct copy_side *base)
{
	struct pg_side *s = of(base);

	PQfreemem(s->piece);
	buf_done(&s->out);
	PQfinish(s->h); /* the server undoes what was not committed */
	free(s);
}

static const struct copy_side_ops ops = {
	.fits = pg_fits,
	.count = pg_count,
	.scan = pg_scan,
	.next = pg_next,
	.unscan = pg_unscan,
	.fill = pg_fill,
	.put = pg_put,
	.filled = pg_filled,
	.commit = pg_commit_side,
	.close = pg_close_side,
};

/* Nodes that serve the source would go on writing; those of another schema of the database count, too. */
static enum souk_err
refuse_nodes(struct pg_side *s, struct fail *f)
{
	int64_t n = 0;
	enum souk_err err = number(s,
	    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
	    " AND application_name LIKE 'souk listen%'",
	    &n, f);

	if (err == SOUK_OK && n > 0)
		return fail_set(f, SOUK_E_CONFLICT, "nodes_at_work",
		    "--from: %lld node(s) serve this database; stop them first", (long long)n);
	return err;
}

static enum souk_err
hold_target(struct pg_side *s, struct fail *f)
{
	char sql[80];
	int64_t n = 0;
	enum souk_err err;

	(void)snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_xact_lock(%d)::int", COPY_LOCK);
	/* On a distributed database: one connection to each node, or tables that refer to each other cannot be
	 * filled in one transaction. Elsewhere it is a name without a meaning. */
	err = ask(s, "SET LOCAL citus.multi_shard_modify_mode = 'sequential'", PGRES_COMMAND_OK,
	    "set it up for", NULL, f);
	if (err == SOUK_OK)
		err = number(s, sql, &n, f);
	if (err == SOUK_OK && n != 1)
		return fail_set(f, SOUK_E_CONFLICT, "copy_at_work",
		    "--to: another copy into this database is at work; wait for it");
	return err;
}

enum souk_err
copy_pg_open(const char *url, bool write, struct copy_side **ret, struct fail *f)
{
	struct pg_side *s = calloc(1, sizeof(*s));
	enum souk_err err;

	if (!s)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the copy");
	s->base.ops = &ops;
	err = pg_connect(url, "souk copy", &(struct pg_limits){ COPY_MS, COPY_MS, 0 }, &s->h, f);
	if (err == SOUK_OK)
		(void)PQsetNoticeReceiver(s->h, note_warning, s);
	if (err == SOUK_OK)
		err = ask(s,
		    write ? "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"
			  : "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
		    PGRES_COMMAND_OK, "begin", NULL, f);
	if (err == SOUK_OK)
		err = write ? hold_target(s, f) : refuse_nodes(s, f);
	if (err != SOUK_OK) {
		pg_close_side(&s->base);
		return err;
	}
	*ret = &s->base;
	return SOUK_OK;
}
