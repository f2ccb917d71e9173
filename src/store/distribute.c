/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the kinds of the tables from the migrations and says so to the extension.
 *
 * The danger is a table that is left an ordinary one: its writes would not be part of
 * the two-phase commit, and a coordinator that dies at the wrong moment keeps half of a
 * transaction. So a table without a kind is refused, and a local one is made known, too.
 */
#include "store/distribute.h"

#include "store/migrate.h"

#define NAME_MAX_LEN 63 /* of an identifier in PostgreSQL */

static const char *const kind_words[TABLE_KINDS] = {
	[TABLE_SELLER] = "seller",
	[TABLE_REFERENCE] = "reference",
	[TABLE_LOCAL] = "local",
};

/* The kind a line tells of: TABLE_KINDS when it tells of none. */
static enum souk_err
kind_of_line(struct str line, enum table_kind *ret)
{
	const struct str mark = STR("-- distribute: ");

	if (!str_starts(line, mark)) {
		*ret = TABLE_KINDS;
		return SOUK_OK;
	}
	line = (struct str){ .p = line.p + mark.n, .n = line.n - mark.n };
	for (int k = 0; k < TABLE_KINDS; k++)
		if (str_eq_c(line, kind_words[k])) {
			*ret = (enum table_kind)k;
			return SOUK_OK;
		}
	return SOUK_E_INTERNAL;
}

/* Our own tables have plain names, which need no quotes in a text of SQL. */
static bool
take_name(struct str line, struct str *ret)
{
	size_t n = 0;

	while (n < line.n && ((line.p[n] >= 'a' && line.p[n] <= 'z') || line.p[n] == '_'))
		n++;
	*ret = (struct str){ .p = line.p, .n = n };
	return n > 0 && n <= NAME_MAX_LEN && n < line.n && line.p[n] == ' ';
}

enum souk_err
table_place_next(const char **io_text, struct table_place *ret)
{
	const struct str create = STR("CREATE TABLE ");
	struct str rest = str_c(*io_text), line, name;
	enum table_kind before = TABLE_KINDS, kind;
	enum souk_err err;

	while (str_split(&rest, '\n', &line)) {
		if (str_starts(line, create)) {
			line = (struct str){ .p = line.p + create.n, .n = line.n - create.n };
			if (before == TABLE_KINDS || !take_name(line, &name))
				return SOUK_E_INTERNAL;
			*ret = (struct table_place){ .name = name, .kind = before };
			*io_text = name.p + name.n;
			return SOUK_OK;
		}
		if ((err = kind_of_line(line, &kind)) != SOUK_OK)
			return err;
		before = kind;
	}
	return SOUK_E_NOT_FOUND;
}

/* ---- the commands ---- */

struct plan {
	distribute_exec *exec;
	void *arg;
	int from, to;
	struct buf sql;
	struct str first; /* seller's table: all others lie beside it */
};

/* The rows of a seller lie together because each table is laid beside the first. */
static enum souk_err
distribute_table(struct plan *p, const struct table_place *t)
{
	buf_clear(&p->sql);
	buf_add_c(&p->sql, t->kind == TABLE_REFERENCE ? "SELECT create_reference_table('"
			   : t->kind == TABLE_LOCAL   ? "SELECT citus_add_local_table_to_metadata('"
						      : "SELECT create_distributed_table('");
	buf_add_str(&p->sql, t->name);
	if (t->kind == TABLE_SELLER) {
		buf_add_c(&p->sql, "', 'seller_id', colocate_with => '");
		buf_add_str(&p->sql, str_eq(t->name, p->first) ? STR("none") : p->first);
	}
	buf_add_c(&p->sql, "')");
	return buf_ok(&p->sql) ? p->exec(p->arg, p->sql.p) : SOUK_E_NOMEM;
}

/* Every table of `kind`, in the order of the migrations, which is that of foreign keys. */
static enum souk_err
distribute_kind(struct plan *p, enum table_kind kind)
{
	struct table_place t;
	enum souk_err err;

	for (int n = 1; n <= n_migrations; n++) {
		const char *text = migrations[n - 1].sql;

		while ((err = table_place_next(&text, &t)) == SOUK_OK) {
			if (t.kind == TABLE_SELLER && !p->first.p)
				p->first = t.name;
			if (t.kind == kind && n >= p->from && n <= p->to &&
			    (err = distribute_table(p, &t)) != SOUK_OK)
				return err;
		}
		if (err != SOUK_E_NOT_FOUND)
			return err;
	}
	return SOUK_OK;
}

enum souk_err
distribute_schema(int from, int to, distribute_exec *exec, void *arg)
{
	/* What refers to what: a copied table must be there before a seller's row can refer to it. */
	static const enum table_kind order[] = { TABLE_REFERENCE, TABLE_SELLER, TABLE_LOCAL };
	struct plan p = { .exec = exec, .arg = arg, .from = from, .to = to };
	enum souk_err err;

	err = exec(arg, DISTRIBUTE_BEFORE);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && err == SOUK_OK; i++)
		err = distribute_kind(&p, order[i]);
	buf_done(&p.sql);
	return err;
}
