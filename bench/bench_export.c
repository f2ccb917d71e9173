/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a support data export is, and what it costs to export a few changes.
 *
 *   bench_export            10 thousand and 1 million contacts
 *   bench_export N          N contacts
 *
 * Builds a database of sealed contacts in TMPDIR (or /var/tmp), then exports it to a sink
 * that counts, each export in a process of its own so that its peak memory is its own.
 * Beside it, as a peer in the same run: the same fields as plain columns, stepped out of
 * SQLite and quoted, nothing opened. Prints `name value unit` lines.
 */
#include "base/config.h"
#include "base/csv.h"
#include "base/secret.h"
#include "psc/contact_seal.h"
#include "psc/contact_store.h"
#include "psc/export.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELLER "000000000700"
#define PRODUCTS 20
#define CHANGES 1000
#define BASE INT64_C(1700000000000)
#define RUNS 5

struct bench {
	char dir[256];
	struct config *config;
	struct vault *vault;
	struct db *db;
	int64_t n;
};

enum { B_ACCOUNT, B_PRODUCT, B_ENROL, B__COUNT };
static const char *const sql[B__COUNT] = {
	[B_ACCOUNT] =
	    "INSERT INTO account (account_id, name, is_buyer, is_seller, paid_seller, country, "
	    "address, city, region, postal_code, email_domain, state, created_at, changed_at, "
	    "revision) VALUES ('" SELLER "', 'S', 0, 1, 0, 'US', '', '', '', '', '', 'active', "
	    "0, 0, 1)",
	[B_PRODUCT] =
	    "INSERT INTO product (seller_id, product_id, product_code, title, type, pricing, "
	    "support_email, support_phone, support_url, psc_enabled, psc_enabled_since, state, "
	    "created_at, changed_at, revision) VALUES ('" SELLER "', $1, $2, 'P', 'ami', '[]', "
	    "'', '', '', 1, 1, 'public', 0, 0, 1)",
	[B_ENROL] =
	    "INSERT INTO enrolment (seller_id, program, state, since, changed_at, revision) "
	    "VALUES ('" SELLER "', 'psc', 'enrolled', 1, 1, 1)",
};
static struct db_texts texts = { .component = "bench", .sql = sql, .n = B__COUNT };

static void
must(enum souk_err err, const char *what)
{
	if (err == SOUK_OK)
		return;
	(void)fprintf(stderr, "bench_export: %s: %s\n", what, souk_err_word(err));
	exit(3);
}

static void
open_all(struct bench *b, bool create)
{
	struct fail f = { 0 };
	char path[300];

	must(secret_process_init(), "process");
	(void)snprintf(path, sizeof(path), "%s/souk.ini", b->dir);
	must(config_load(path, &b->config, &f), "config");
	(void)snprintf(path, sizeof(path), "%s/keyring.json", b->dir);
	if (create)
		must(vault_ring_create(path, &f), "ring");
	must(vault_open(b->config, b->dir, &b->vault, &f), "vault");
	(void)snprintf(path, sizeof(path), "%s/souk.db", b->dir);
	must(db_open(&(struct db_options){ .path = path, .create = create }, &b->db, &f), "db");
}

static void
close_all(struct bench *b)
{
	db_close(b->db);
	vault_close(b->vault);
	config_free(b->config);
}

/* ---- people ---- */

static struct contact_fields
person(int64_t i, char scratch[4][64])
{
	static const char *const given[] = { "Jane", "Richard", "Zoë", "Martha", "Ángel", "太郎" };
	static const char *const surname[] = { "Roe", "Miles", "Núñez", "O'Neil", "Smith", "山田" };
	bool full = i % 3 != 0;

	(void)snprintf(scratch[0], 64, "Example %s%lld", i % 20 ? "Systems " : "\"Labs\", Inc. ",
	    (long long)(i / 7));
	(void)snprintf(scratch[1], 64, "+1 206 555 %04lld", (long long)(i % 10000));
	(void)snprintf(
	    scratch[2], 64, "person%lld@buyer%lld.example", (long long)i, (long long)(i / 9));
	(void)snprintf(scratch[3], 64, "%05lld", (long long)(i % 100000));
	return (struct contact_fields){ .organization = str_c(scratch[0]),
		.given_name = str_c(given[i % 6]),
		.surname = str_c(surname[i / 6 % 6]),
		.telephone = str_c(scratch[1]),
		.email = str_c(scratch[2]),
		.title = full ? STR("Senior Systems Engineer") : STR(""),
		.country = full ? STR("US") : STR(""),
		.zip = full ? str_c(scratch[3]) : STR("") };
}

static struct guid
numbered(uint64_t kind, int64_t i)
{
	struct prng r = { kind << 40 | (uint64_t)i };

	return prng_guid(&r);
}

/* Contact i as added at BASE + i seconds, or as changed at `changed`. */
static enum souk_err
put_contact(struct db_tx *tx, struct bench *b, int64_t i, instant_t changed)
{
	char scratch[4][64];
	struct contact_fields c = person(changed ? i + 1 : i, scratch);
	struct contact_row row = { .seller_id = SELLER,
		.id = numbered(1, i),
		.product_id = numbered(3, i % PRODUCTS),
		.subscription_id = numbered(2, i / CONTACTS_MAX),
		.operation_time = changed ? changed : BASE + i * 1000,
		.created_at = BASE + i * 1000,
		.subscription_start = BASE / DAY_MS * DAY_MS - (i / CONTACTS_MAX % 700) * DAY_MS,
		.operation = changed ? CONTACT_UPDATE : CONTACT_CREATE,
		.slot = 1 + (int)(i % CONTACTS_MAX) };
	struct data_key key;
	struct wrapped_key wrapped;
	struct contact_binding to = contact_row_binding(&row);
	uint8_t sealed[CONTACT_SEALED_MAX];

	(void)snprintf(row.buyer_id, sizeof(row.buyer_id), "%012u", (unsigned)(i / 9) % 1000000000);
	vault_key_new(b->vault, (struct str){ (char *)row.id.b, 16 }, &key, &wrapped);
	contact_email_index(b->vault, c.email, row.email_index);
	row.wrapped = (struct str){ (char *)wrapped.b, sizeof(wrapped.b) };
	row.sealed = (struct str){ (char *)sealed, contact_seal(&key, &to, &c, sealed) };
	return contact_store_insert(tx, &row);
}

static enum souk_err
build_tx(struct db_tx *tx, void *arg)
{
	struct bench *b = arg;
	enum souk_err err;

	if ((err = db_run(db_stmt(tx, &texts, B_ACCOUNT), NULL)) != SOUK_OK ||
	    (err = db_run(db_stmt(tx, &texts, B_ENROL), NULL)) != SOUK_OK)
		return err;
	for (int64_t i = 0; i < PRODUCTS; i++) {
		struct db_stmt *st = db_stmt(tx, &texts, B_PRODUCT);
		struct guid id = numbered(3, i);
		char code[33];

		hex_encode(id.b, 16, code);
		db_bind_guid(st, 1, &id);
		db_bind_text(st, 2, (struct str){ code, 25 });
		if ((err = db_run(st, NULL)) != SOUK_OK)
			return err;
	}
	for (int64_t i = 0; i < b->n; i++)
		if ((err = put_contact(tx, b, i, 0)) != SOUK_OK)
			return err;
	return SOUK_OK;
}

/* A thousand contacts from all over the table change. */
static enum souk_err
change_tx(struct db_tx *tx, void *arg)
{
	struct bench *b = arg;
	instant_t at = BASE + b->n * 1000;
	enum souk_err err;

	for (int64_t k = 0; k < CHANGES; k++) {
		int64_t i = k * (b->n / CHANGES);
		struct guid id = numbered(1, i);

		if ((err = contact_store_supersede(
			 tx, STR(SELLER), &id, BASE + i * 1000, at + k)) != SOUK_OK ||
		    (err = put_contact(tx, b, i, at + k)) != SOUK_OK)
			return err;
	}
	return SOUK_OK;
}

/* ---- measuring ---- */

struct counting_sink {
	struct sink sink;
	uint64_t bytes;
};

static enum souk_err
count_bytes(struct sink *s, const void *p, size_t n)
{
	((struct counting_sink *)s)->bytes += n;
	(void)p;
	return SOUK_OK;
}

static double
export_once(struct bench *b, instant_t from, unsigned threads, int64_t *ret_rows)
{
	struct counting_sink out = { .sink = { count_bytes } };
	struct psc_export_stats stats = { 0 };
	struct fail f = { 0 };
	uint64_t began = clock_mono_ns();

	must(psc_export_write(
		 b->db, b->vault, STR(SELLER), from, INSTANT_MAX, threads, &out.sink, &stats, &f),
	    "export");
	*ret_rows = stats.rows_create + stats.rows_update + stats.rows_delete;
	return (double)(clock_mono_ns() - began) / 1e9;
}

static void
export_best(struct bench *b, const char *name, instant_t from, unsigned threads, int runs)
{
	double best = 1e9;
	int64_t rows = 0;
	struct rusage use;

	for (int i = 0; i < runs; i++) {
		double s = export_once(b, from, threads, &rows);

		best = s < best ? s : best;
	}
	(void)getrusage(RUSAGE_SELF, &use);
	(void)printf("%s_%lld %.6f s\n", name, (long long)b->n, best);
	(void)printf("%s_%lld_rate %.0f rows/s\n", name, (long long)b->n, (double)rows / best);
	(void)printf("%s_%lld_cpu %.6f s\n", name, (long long)b->n,
	    ((double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
		(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6) /
		runs);
	(void)printf(
	    "%s_%lld_peak_rss %.1f MiB\n", name, (long long)b->n, (double)use.ru_maxrss / 1024);
}

/* ---- the peer: the same fields in the clear, stepped and quoted ---- */

static void
peer_build(struct bench *b)
{
	sqlite3 *h;
	sqlite3_stmt *st;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/plain.db", b->dir);
	(void)sqlite3_open(path, &h);
	(void)sqlite3_exec(h,
	    "CREATE TABLE c (t INTEGER, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, PRIMARY KEY "
	    "(t)) "
	    "WITHOUT ROWID; BEGIN",
	    NULL, NULL, NULL);
	(void)sqlite3_prepare_v2(
	    h, "INSERT INTO c VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &st, NULL);
	for (int64_t i = 0; i < b->n; i++) {
		char scratch[4][64], id[3][37], code[33], start[25], at[25], buyer[13];
		struct contact_fields c = person(i, scratch);
		struct guid g[] = { numbered(3, i % PRODUCTS), numbered(1, i),
			numbered(2, i / CONTACTS_MAX) };
		struct str fields[] = { { id[0], 36 }, { code, 25 }, { id[1], 36 }, { id[2], 36 },
			{ start, 24 }, c.organization, { buyer, 12 }, c.given_name, c.surname,
			c.telephone, c.email, c.title, c.country, c.zip, { at, 24 } };

		for (int k = 0; k < 3; k++)
			guid_format(&g[k], id[k]);
		hex_encode(g[0].b, 16, code);
		instant_format(BASE, start);
		instant_format(BASE + i * 1000, at);
		(void)snprintf(buyer, sizeof(buyer), "%012u", (unsigned)(i / 9) % 1000000000);
		(void)sqlite3_bind_int64(st, 1, i);
		for (int k = 0; k < 15; k++)
			(void)sqlite3_bind_text(
			    st, k + 2, fields[k].p, (int)fields[k].n, SQLITE_STATIC);
		(void)sqlite3_step(st);
		(void)sqlite3_reset(st);
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_exec(h, "COMMIT", NULL, NULL, NULL);
	(void)sqlite3_close(h);
}

static double
peer_once(sqlite3 *h)
{
	struct counting_sink out = { .sink = { count_bytes } };
	struct buf b = { 0 };
	sqlite3_stmt *st;
	uint64_t began = clock_mono_ns();

	(void)sqlite3_prepare_v2(h, "SELECT * FROM c ORDER BY t", -1, &st, NULL);
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int k = 1; k < 16; k++) {
			csv_field(&b, (struct str){ (const char *)sqlite3_column_text(st, k),
					  (size_t)sqlite3_column_bytes(st, k) });
			buf_add_char(&b, ',');
		}
		buf_add(&b, "CREATE\r\n", 8);
		if (b.n > 65536) {
			(void)count_bytes(&out.sink, b.p, b.n);
			buf_clear(&b);
		}
	}
	(void)sqlite3_finalize(st);
	buf_done(&b);
	return (double)(clock_mono_ns() - began) / 1e9;
}

static void
peer_best(struct bench *b)
{
	double best = 1e9;
	sqlite3 *h;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/plain.db", b->dir);
	(void)sqlite3_open_v2(path, &h, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	for (int i = 0; i < RUNS; i++) {
		double s = peer_once(h);

		best = s < best ? s : best;
	}
	(void)sqlite3_close(h);
	(void)printf(
	    "peer_sqlite_plain_%lld_rate %.0f rows/s\n", (long long)b->n, (double)b->n / best);
}

/* ---- stages, each in a process of its own ---- */

static void
stage(struct bench *b, char what)
{
	uint64_t began = clock_mono_ns();

	if (what == 'p') {
		peer_build(b);
		peer_best(b);
		return;
	}
	open_all(b, what == 'b');
	switch (what) {
	case 'b':
		must(db_bulk(b->db, build_tx, b), "build");
		(void)printf("build_%lld %.1f s\n", (long long)b->n,
		    (double)(clock_mono_ns() - began) / 1e9);
		break;
	case '1':
		export_best(b, "full_one_thread", INSTANT_MIN, 1, RUNS);
		break;
	case '2':
		export_best(b, "full", INSTANT_MIN, 2, RUNS);
		break;
	case 'c':
		must(db_write(b->db, change_tx, b), "change");
		break;
	case 'i':
		export_best(b, "changes", BASE + b->n * 1000, 2, 20 * RUNS);
		break;
	}
	close_all(b);
}

static void
run_stage(struct bench *b, char what)
{
	pid_t child;
	int status = 1;

	(void)fflush(stdout);
	if ((child = fork()) == 0) {
		stage(b, what);
		(void)fflush(stdout);
		_exit(0);
	}
	if (waitpid(child, &status, 0) < 0 || status != 0)
		exit(3);
}

static void
run(int64_t n)
{
	const char *tmp = getenv("TMPDIR");
	struct bench b = { .n = n };
	pid_t child;

	(void)snprintf(b.dir, sizeof(b.dir), "%s/bench-export-XXXXXX", tmp ? tmp : "/var/tmp");
	if (!mkdtemp(b.dir))
		exit(3);
	for (const char *what = "b12cip"; *what; what++)
		run_stage(&b, *what);
	if ((child = fork()) == 0) {
		(void)execlp("rm", "rm", "-rf", b.dir, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(child, NULL, 0);
}

int
main(int argc, char **argv)
{
	int64_t n = 0;

	if (argc > 1 && (!str_to_i64(str_c(argv[1]), &n) || n < CHANGES)) {
		(void)fprintf(stderr, "usage: bench_export [CONTACTS, at least %d]\n", CHANGES);
		return 2;
	}
	if (n == 0)
		run(10000);
	run(n ? n : 1000000);
	return 0;
}
