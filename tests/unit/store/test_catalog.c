/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema can be distributed by seller: asked of the database's own catalog, so that
 * what an engine made of the migrations is what is checked.
 */
#include "support.h"

#include "catalog.h"
#include "store/distribute.h"
#include "store/migrate.h"

#define TABLES_MAX 64

static const char *const catalog_sql[2][CATALOG_TEXTS] = { CATALOG_SQLITE, CATALOG_POSTGRESQL };

struct catalog {
	const char *const *sql;    /* the engine's */
	const char *const *schema; /* texts that tell of the tables' kinds */
	size_t n_schema;
	struct {
		struct str name;
		enum table_kind kind;
		bool found, has_key;
	} tables[TABLES_MAX];
	size_t n;
	char broken[256]; /* the first rule that does not hold, '' when all do */
};

static void
complain(struct catalog *c, const char *rule, struct str table, struct str other)
{
	if (c->broken[0] == '\0')
		(void)snprintf(c->broken, sizeof(c->broken), "%.*s: %s %.*s", (int)table.n, table.p,
		    rule, (int)other.n, other.p);
}

static void
kinds_read(struct catalog *c)
{
	struct table_place t;
	enum souk_err err = SOUK_OK;

	c->n = 0;
	for (size_t i = 0; i < c->n_schema; i++) {
		const char *text = c->schema[i];

		while ((err = table_place_next(&text, &t)) == SOUK_OK) {
			assert_in_range(c->n, 0, TABLES_MAX - 1);
			c->tables[c->n].name = t.name;
			c->tables[c->n].kind = t.kind;
			c->tables[c->n].found = c->tables[c->n].has_key = false;
			c->n++;
		}
		assert_int_equal(err, SOUK_E_NOT_FOUND);
	}
}

/* TABLES_MAX: nobody said of which kind it is. */
static size_t
find(const struct catalog *c, struct str name)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->tables[i].name, name))
			return i;
	return TABLES_MAX;
}

static void
table_check(struct catalog *c, struct db_stmt *st)
{
	size_t i = find(c, db_text(st, 0));

	if (i == TABLES_MAX)
		complain(c, "has no kind", db_text(st, 0), STR(""));
	else
		c->tables[i].found = true;
}

static void
key_check(struct catalog *c, struct db_stmt *st)
{
	size_t i = find(c, db_text(st, 0));

	if (i == TABLES_MAX)
		return;
	c->tables[i].has_key |= db_int(st, 2) != 0;
	if (c->tables[i].kind == TABLE_SELLER && db_int(st, 3) == 0)
		complain(c, "has no seller_id in", db_text(st, 0), db_text(st, 1));
}

static void
reference_check(struct catalog *c, struct db_stmt *st)
{
	size_t from = find(c, db_text(st, 0)), to = find(c, db_text(st, 1));
	enum table_kind f, t;

	if (from == TABLES_MAX || to == TABLES_MAX)
		return;
	f = c->tables[from].kind;
	t = c->tables[to].kind;
	if (f == TABLE_SELLER && t == TABLE_SELLER && db_int(st, 2) == 0)
		complain(c, "refers without seller_id to", db_text(st, 0), db_text(st, 1));
	if ((t == TABLE_SELLER && f != TABLE_SELLER) || (t == TABLE_LOCAL && f != TABLE_LOCAL))
		complain(c, "may not refer to", db_text(st, 0), db_text(st, 1));
}

static enum souk_err
catalog_check(struct db_tx *tx, struct catalog *c)
{
	static void (*const check[CATALOG_TEXTS])(struct catalog *, struct db_stmt *) = {
		[CATALOG_TABLES] = table_check,
		[CATALOG_KEYS] = key_check,
		[CATALOG_REFERENCES] = reference_check,
	};
	struct db_texts texts = { .component = "catalog", .sql = c->sql, .n = CATALOG_TEXTS };

	kinds_read(c);
	for (unsigned q = 0; q < CATALOG_TEXTS; q++) {
		struct db_stmt *st = db_stmt(tx, &texts, q);
		enum souk_err err;
		bool row;

		while ((err = db_step(st, &row)) == SOUK_OK && row)
			check[q](c, st);
		if (err != SOUK_OK)
			return err;
	}
	for (size_t i = 0; i < c->n; i++) {
		if (!c->tables[i].found)
			complain(c, "is not in the catalog", c->tables[i].name, STR(""));
		if (c->tables[i].kind == TABLE_SELLER && !c->tables[i].has_key)
			complain(c, "has no primary key", c->tables[i].name, STR(""));
	}
	return SOUK_OK;
}

/* The migrations, and a table that the engine makes itself to keep their number in. */
static struct catalog
catalog_of(const char *schema[TABLES_MAX])
{
	struct catalog c = { .sql = catalog_sql[test_on_postgres()], .schema = schema };

	for (int n = 0; n < n_migrations; n++)
		schema[c.n_schema++] = migrations[n].sql;
	if (test_on_postgres())
		schema[c.n_schema++] = "-- distribute: local\nCREATE TABLE souk_schema ";
	return c;
}

/* ---- the schema as it is ---- */

static enum souk_err
check_schema(struct db_tx *tx, void *arg)
{
	return catalog_check(tx, arg);
}

static void
schema_can_be_distributed(void **state)
{
	struct place *p = *state;
	const char *schema[TABLES_MAX];
	struct catalog c = catalog_of(schema);

	assert_int_equal(db_write(p->db, check_schema, &c), SOUK_OK);
	assert_string_equal(c.broken, "");
	assert_in_range(c.n, 20, TABLES_MAX);
}

/* ---- what the check refuses ---- */

struct offence {
	const char *ddl;       /* in a database with the schema */
	const char *place;     /* what is said of it */
	const char *broken[2]; /* embedded, PostgreSQL: they name a key's index differently */
};

#define SELLERS "-- distribute: seller\nCREATE TABLE bad "
#define COPIED "-- distribute: reference\nCREATE TABLE bad "
#define LOCALS "-- distribute: local\nCREATE TABLE bad "
#define BOTH(words)                                                                                \
	{                                                                                          \
		words, words                                                                       \
	}

static const struct offence offences[] = {
	{ "CREATE TABLE bad (a {text})", "", BOTH("bad: has no kind ") },
	{ "CREATE INDEX good ON product (product_code)", SELLERS,
	    BOTH("bad: is not in the catalog ") },
	{ "CREATE TABLE bad (seller_id {text})", SELLERS, BOTH("bad: has no primary key ") },
	{ "CREATE TABLE bad (seller_id {text}, a {text} PRIMARY KEY)", SELLERS,
	    { "bad: has no seller_id in sqlite_autoindex_bad_1",
		"bad: has no seller_id in bad_pkey" } },
	{ "CREATE TABLE bad (seller_id {text}, a {text} PRIMARY KEY) {clustered}", SELLERS,
	    { "bad: has no seller_id in sqlite_autoindex_bad_1",
		"bad: has no seller_id in bad_pkey" } },
	{ "CREATE TABLE bad (seller_id {text} PRIMARY KEY, a {text} UNIQUE)", SELLERS,
	    { "bad: has no seller_id in sqlite_autoindex_bad_2",
		"bad: has no seller_id in bad_a_key" } },
	{ "CREATE UNIQUE INDEX worse ON product (product_code) WHERE state = 'public'", "",
	    BOTH("product: has no seller_id in worse") },
	{ "CREATE TABLE bad (seller_id {text} PRIMARY KEY, a {guid}, b {text},"
	  " FOREIGN KEY (b, a) REFERENCES product (seller_id, product_id))",
	    SELLERS, BOTH("bad: refers without seller_id to product") },
	{ "CREATE TABLE bad (seller_id {text} PRIMARY KEY REFERENCES meta (name))", SELLERS,
	    BOTH("bad: may not refer to meta") },
	{ "CREATE TABLE bad (seller_id {text} PRIMARY KEY REFERENCES psc_coverage (seller_id))",
	    COPIED, BOTH("bad: may not refer to psc_coverage") },
	{ "CREATE TABLE bad (a {text} REFERENCES meta (name))", COPIED,
	    BOTH("bad: may not refer to meta") },
	{ "CREATE TABLE bad (seller_id {text} PRIMARY KEY REFERENCES psc_coverage (seller_id))",
	    LOCALS, BOTH("bad: may not refer to psc_coverage") },
	/* and what it allows */
	{ "CREATE TABLE bad (seller_id {text} PRIMARY KEY REFERENCES account (account_id), a "
	  "{guid}, FOREIGN KEY (seller_id, a) REFERENCES product (seller_id, product_id))",
	    SELLERS, BOTH("") },
	{ "CREATE TABLE bad (a {text} UNIQUE REFERENCES account (account_id))", COPIED, BOTH("") },
	{ "CREATE TABLE bad (a {text} REFERENCES meta (name), b {text} REFERENCES account "
	  "(account_id))",
	    LOCALS, BOTH("") },
};

struct attempt {
	const struct offence *offence;
	struct catalog *catalog;
};

/* Undone afterwards. */
static enum souk_err
commit_offence(struct db_tx *tx, void *arg)
{
	const struct attempt *a = arg;
	struct db_texts texts = { .component = "offence", .sql = &a->offence->ddl, .n = 1 };
	enum souk_err err = db_run(db_stmt(tx, &texts, 0), NULL);

	if (err == SOUK_OK)
		err = catalog_check(tx, a->catalog);
	return err == SOUK_OK ? SOUK_E_NOT_FOUND : err;
}

static void
each_offence_is_seen(void **state)
{
	struct place *p = *state;
	const char *schema[TABLES_MAX];

	for (size_t i = 0; i < sizeof(offences) / sizeof(offences[0]); i++) {
		struct catalog c = catalog_of(schema);
		struct attempt a = { .offence = &offences[i], .catalog = &c };

		schema[c.n_schema++] = offences[i].place;
		assert_int_equal(db_write(p->db, commit_offence, &a), SOUK_E_NOT_FOUND);
		assert_string_equal(c.broken, offences[i].broken[test_on_postgres()]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    schema_can_be_distributed, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(
		    each_offence_is_seen, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
