/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies an installation's database to the other engine and proves the copy before it counts.
 *
 * The dangers: half a copy that looks whole (so all is one transaction, and the comparison comes before
 * its commit), a table left out because nobody thought of it (so the list comes from the catalog, and
 * both sides must have the same), and rows that come to the source meanwhile (so nobody may write to it).
 */
#include "store/db_copy.h"

#include "store/db.h"
#include "store/db_copy_side.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>

#define TELL_EVERY 1000 /* rows */

struct copying {
	const struct db_copy_options *o;
	struct copy_side *from, *to;
	struct copy_plan plan;
	int64_t rows, done;
};

void
copy_columns(const struct copy_table *t, struct buf *out)
{
	for (unsigned i = 0; i < t->n; i++) {
		buf_add_c(out, i > 0 ? ", " : "");
		buf_add_c(out, t->column[i].name);
	}
}

void
copy_key(const struct copy_table *t, const char *tail, struct buf *out)
{
	for (unsigned i = 0; i < t->n_key; i++) {
		const struct copy_column *c = &t->column[t->key[i]];

		buf_add_c(out, i > 0 ? ", " : "");
		buf_add_c(out, c->name);
		buf_add_c(out, c->kind == COPY_TEXT ? tail : "");
	}
}

/* ---- copying ---- */

static void
tell(struct copying *c, const char *doing)
{
	if (c->o->told && c->done % TELL_EVERY == 0)
		c->o->told(c->o->arg, doing, c->done, 2 * c->rows);
}

static enum souk_err
copy_table(struct copying *c, const struct copy_table *t, struct fail *f)
{
	struct copy_value row[COPY_COLUMNS_MAX];
	bool more = false;
	enum souk_err err;

	if ((err = c->to->ops->fill(c->to, t, f)) != SOUK_OK ||
	    (err = c->from->ops->scan(c->from, t, f)) != SOUK_OK)
		return err;
	while ((err = c->from->ops->next(c->from, row, &more, f)) == SOUK_OK && more &&
	       (err = c->to->ops->put(c->to, row, f)) == SOUK_OK) {
		c->done++;
		tell(c, "copying");
	}
	c->from->ops->unscan(c->from);
	return err == SOUK_OK ? c->to->ops->filled(c->to, f) : err;
}

/* ---- comparing ---- */

static bool
same(const struct copy_column *c, const struct copy_value *a, const struct copy_value *b)
{
	if (a->null || b->null)
		return a->null == b->null;
	return c->kind == COPY_INT ? a->number == b->number : str_eq(a->bytes, b->bytes);
}

/* The key of a row for people: ids, names, times; bytes as hexadecimal digits. */
static void
name_row(const struct copy_table *t, const struct copy_value *row, char *out, size_t size)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < t->n_key; i++) {
		const struct copy_value *v = &row[t->key[i]];

		buf_add_c(&b, i > 0 ? ", " : "");
		if (t->column[t->key[i]].kind == COPY_INT)
			buf_printf(&b, "%lld", (long long)v->number);
		else if (t->column[t->key[i]].kind == COPY_TEXT)
			buf_add_str(&b, v->bytes);
		else
			for (size_t k = 0; k < v->bytes.n; k++)
				buf_printf(&b, "%02x", (unsigned char)v->bytes.p[k]);
	}
	(void)snprintf(out, size, "%.*s", (int)b.n, b.n > 0 ? b.p : "");
	buf_done(&b);
}

static enum souk_err
differs(const struct copy_table *t, const struct copy_value *row, const char *how, const char *what,
    struct fail *f)
{
	char key[120];

	name_row(t, row, key, sizeof(key));
	return fail_set(f, SOUK_E_STORAGE, "copy_differs",
	    "table %s: the row (%s) %s%s; nothing was kept, the source is as it was", t->name, key,
	    how, what);
}

static enum souk_err
compare_row(const struct copy_table *t, const struct copy_value *a, const struct copy_value *b,
    struct fail *f)
{
	for (unsigned i = 0; i < t->n_key; i++)
		if (!same(&t->column[t->key[i]], &a[t->key[i]], &b[t->key[i]]))
			return differs(t, a, "is not where it should be in the copy", "", f);
	for (unsigned i = 0; i < t->n; i++)
		if (!same(&t->column[i], &a[i], &b[i]))
			return differs(t, a, "came out different in ", t->column[i].name, f);
	return SOUK_OK;
}

static enum souk_err
compare_rows(struct copying *c, const struct copy_table *t, struct fail *f)
{
	struct copy_value a[COPY_COLUMNS_MAX], b[COPY_COLUMNS_MAX];
	bool in_a = false, in_b = false;
	enum souk_err err;

	do {
		if ((err = c->from->ops->next(c->from, a, &in_a, f)) != SOUK_OK ||
		    (err = c->to->ops->next(c->to, b, &in_b, f)) != SOUK_OK)
			return err;
		if (in_a && !in_b)
			return differs(t, a, "is missing in the copy", "", f);
		if (in_b && !in_a)
			return differs(t, b, "is in the copy only", "", f);
		if (in_a && (err = compare_row(t, a, b, f)) != SOUK_OK)
			return err;
		c->done += in_a;
		tell(c, "comparing");
	} while (in_a);
	return SOUK_OK;
}

static enum souk_err
compare_table(struct copying *c, const struct copy_table *t, struct fail *f)
{
	enum souk_err err;

	if ((err = c->from->ops->scan(c->from, t, f)) == SOUK_OK &&
	    (err = c->to->ops->scan(c->to, t, f)) == SOUK_OK)
		err = compare_rows(c, t, f);
	c->from->ops->unscan(c->from);
	c->to->ops->unscan(c->to);
	return err;
}

/* ---- the whole ---- */

/* An embedded one is opened once by its engine, which recovers and migrates it. */
static enum souk_err
prepare(const char *path, bool target, bool distribute, struct fail *f)
{
	struct db *db = NULL;
	enum souk_err err;

	if (db_is_url(path))
		return migrate_pg(path,
		    !target      ? MIGRATE_CHECK
		    : distribute ? MIGRATE_DISTRIBUTE
				 : MIGRATE_CREATE,
		    f);
	if ((err = db_open(
		 &(struct db_options){ .path = path, .create = target, .distribute = distribute },
		 &db, f)) != SOUK_OK)
		return err;
	db_close(db);
	return SOUK_OK;
}

static enum souk_err
open_side(const char *path, bool target, bool distribute, struct copy_side **ret, struct fail *f)
{
	enum souk_err err = prepare(path, target, distribute, f);

	if (err != SOUK_OK)
		return err;
	return db_is_url(path) ? copy_pg_open(path, target, ret, f)
			       : copy_lite_open(path, target, ret, f);
}

/* The tables, the same on both sides, and none of them filled on the target's. */
static enum souk_err
look(struct copying *c, struct fail *f)
{
	struct copy_side *lite = c->from->ops->plan ? c->from : c->to;
	struct copy_side *other = lite == c->from ? c->to : c->from;
	int64_t n = 0;
	enum souk_err err;

	if ((err = lite->ops->plan(lite, &c->plan, f)) != SOUK_OK ||
	    (err = other->ops->fits(other, &c->plan, f)) != SOUK_OK)
		return err;
	for (unsigned i = 0; i < c->plan.n; i++) {
		const struct copy_table *t = &c->plan.table[i];

		if ((err = c->to->ops->count(c->to, t, &n, f)) != SOUK_OK)
			return err;
		if (n > 0)
			return fail_set(f, SOUK_E_CONFLICT, "target_not_empty",
			    "--to: holds data already (table %s); give an empty database", t->name);
		if ((err = c->from->ops->count(c->from, t, &n, f)) != SOUK_OK)
			return err;
		c->rows += n;
	}
	return SOUK_OK;
}

static enum souk_err
copy_all(struct copying *c, struct fail *f)
{
	enum souk_err err = look(c, f);

	for (unsigned i = 0; i < c->plan.n && err == SOUK_OK; i++)
		err = copy_table(c, &c->plan.table[i], f);
	for (unsigned i = 0; i < c->plan.n && err == SOUK_OK; i++)
		err = compare_table(c, &c->plan.table[i], f);
	return err == SOUK_OK ? c->to->ops->commit(c->to, f) : err;
}

enum souk_err
db_copy(const struct db_copy_options *o, struct db_copied *ret, struct fail *f)
{
	struct copying *c;
	enum souk_err err;

	if (db_is_url(o->from) == db_is_url(o->to))
		return fail_set(f, SOUK_E_INVALID, "same_engine",
		    "--to: is of the same kind as the source; %s",
		    db_is_url(o->to) ? "PostgreSQL's own tools (pg_dump) copy that"
				     : "`souk backup` copies that");
	if (!(c = calloc(1, sizeof(*c))))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the copy");
	c->o = o;
	if ((err = open_side(o->from, false, false, &c->from, f)) == SOUK_OK &&
	    (err = open_side(o->to, true, o->distribute, &c->to, f)) == SOUK_OK)
		err = copy_all(c, f);
	if (err == SOUK_OK)
		*ret = (struct db_copied){ .tables = c->plan.n, .rows = c->rows };
	if (c->to)
		c->to->ops->close(c->to);
	if (c->from)
		c->from->ops->close(c->from);
	free(c);
	return err;
}
