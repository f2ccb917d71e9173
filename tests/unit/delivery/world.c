/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "base/secret.h"
#include "unit/database.h"
#include "market/account.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static void
in_dir(const struct world *w, const char *name, char out[512])
{
	(void)snprintf(out, 512, "%s/%s", w->dir, name);
}

static void
open_parts(struct world *w, bool create)
{
	struct db_options o = {
		.path = test_database(w->dir),
		.create = create,
		.distribute = test_distributes(),
		.writers = TEST_WRITERS,
	};

	assert_ok(db_open(&o, &w->db, NULL));
	assert_ok(vault_open(w->config, w->dir, &w->vault, NULL));
}

static struct tenant_scope
scope_of(struct str id, bool seller)
{
	struct tenant_scope s = { .is_seller = seller, .is_buyer = !seller, .actor = "token:test" };

	memcpy(s.account_id, id.p, id.n);
	return s;
}

static enum souk_err
make_accounts(struct db_tx *tx, void *arg)
{
	static const struct {
		const char *id;
		bool seller;
	} who[] = { { "000000000101", true }, { "000000000202", true }, { "000000000303", false } };
	struct world *w = arg;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < COUNT(who) && err == SOUK_OK; i++) {
		struct account a = { .name = STR("Account"),
			.country = STR("DE"),
			.address = STR(""),
			.city = STR(""),
			.region = STR(""),
			.postal_code = STR(""),
			.email_domain = STR(""),
			.state = STR("active"),
			.is_seller = who[i].seller,
			.is_buyer = !who[i].seller };

		memcpy(a.id, who[i].id, ACCOUNT_ID_LEN);
		err = account_create(tx, &w->operator_, &a, NULL);
	}
	return err;
}

int
world_make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char path[512];

	assert_non_null(w);
	assert_ok(secret_process_init());
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/souk_test_delivery.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	in_dir(w, "souk.ini", path);
	assert_ok(config_load(path, &w->config, NULL));
	in_dir(w, "keyring.json", path);
	assert_ok(vault_ring_create(path, NULL));
	open_parts(w, true);
	assert_non_null(w->mem = arena_new(16 << 20));
	w->seller = scope_of(SELLER, true);
	w->other = scope_of(OTHER, true);
	w->buyer = scope_of(BUYER, false);
	w->operator_ = tenant_for_cli("test");
	assert_ok(db_write(w->db, make_accounts, w));
	*state = w;
	return 0;
}

void
world_reopen(struct world *w)
{
	db_close(w->db);
	vault_close(w->vault);
	open_parts(w, false);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

int
world_remove(void **state)
{
	struct world *w = *state;

	db_close(w->db);
	test_database_drop(w->dir);
	vault_close(w->vault);
	config_free(w->config);
	arena_free(w->mem);
	(void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

struct object_store *
world_objects(struct world *w, int64_t retention_ms)
{
	struct object_store *os;

	assert_ok(object_store_open(w->db, w->vault, w->dir, retention_ms, &os, NULL));
	return os;
}

/* ---- statements ---- */

struct query {
	const char *sql;
	int64_t value;
};

/* Prepared statements are found by the address of their texts: one set for each text. */
static struct db_texts *
texts_of(const char *sql)
{
	static struct {
		const char *sql;
		struct db_texts texts;
	} all[64];

	for (size_t i = 0; i < COUNT(all); i++) {
		if (!all[i].sql) {
			all[i].sql = sql;
			all[i].texts.component = "test";
			all[i].texts.sql = &all[i].sql;
			all[i].texts.n = 1;
		}
		if (all[i].sql == sql)
			return &all[i].texts;
	}
	abort();
}

static enum souk_err
run_sql(struct db_tx *tx, void *arg)
{
	struct query *q = arg;

	return db_run(db_stmt(tx, texts_of(q->sql), 0), NULL);
}

static enum souk_err
ask_sql(struct db_tx *tx, void *arg)
{
	struct query *q = arg;
	struct db_stmt *st = db_stmt(tx, texts_of(q->sql), 0);
	bool row;
	enum souk_err err = db_step(st, &row);

	q->value = err == SOUK_OK && row ? db_int(st, 0) : -1;
	db_reset(st);
	return err;
}

void
world_sql(struct world *w, const char *sql)
{
	struct query q = { .sql = sql };

	assert_ok(db_write(w->db, run_sql, &q));
}

int64_t
world_int(struct world *w, const char *sql)
{
	struct query q = { .sql = sql };

	assert_ok(db_read(w->db, ask_sql, &q));
	return q.value;
}

/* ---- files ---- */

bool
world_db_holds(struct world *w, const void *p, size_t n)
{
	return test_database_holds(w->dir, p, n);
}

static size_t files_found;
static char file_path[512];

static int
count_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)at;
	if (flag == FTW_F) {
		files_found++;
		(void)snprintf(file_path, sizeof(file_path), "%s", path);
	}
	return 0;
}

size_t
world_files(struct world *w)
{
	char path[512];

	in_dir(w, "objects", path);
	files_found = 0;
	(void)nftw(path, count_one, 16, FTW_PHYS);
	return files_found;
}

const char *
world_file(struct world *w)
{
	assert_true(world_files(w) > 0);
	return file_path;
}
