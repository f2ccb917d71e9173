/* SPDX-License-Identifier: Apache-2.0 */
/* A database, a vault and an access layer of their own for each test, and some accounts with users. */
#ifndef SOUK_TESTS_ACCESS_PLACE_H
#define SOUK_TESTS_ACCESS_PLACE_H

#include "check.h"

#include "access/access_int.h"
#include "audit/audit.h"
#include "market/market.h"
#include "market/tenant_make.h"
#include "unit/database.h"

#include <ftw.h>
#include <unistd.h>

#define SELLER "000000000101"
#define SELLER_B "000000000102"

struct place {
	char dir[64];
	struct config *config;
	struct vault *vault;
	struct db *db;
	struct access *access;
	struct arena *mem;
	struct tenant_scope op, seller, seller_b;
	struct guid user, user_b; /* of the two sellers */
	struct db_tx *tx;         /* while a body runs */
	void (*body)(struct place *p);
	enum souk_err after; /* what the transaction of a body returns */
	struct fail f;
};

static inline int
place_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline enum souk_err
place_run_body(struct db_tx *tx, void *arg)
{
	struct place *p = arg;

	p->tx = tx;
	p->body(p);
	p->tx = NULL;
	return p->after;
}

/* Runs `body` in a transaction on this thread, so that a failed assertion finds its way out. */
static inline void
place_run(struct place *p, void (*body)(struct place *p))
{
	memset(&p->f, 0, sizeof(p->f));
	p->body = body;
	assert_int_equal(db_bulk(p->db, place_run_body, p), p->after);
}

static inline struct guid
place_account(struct place *p, const char *id, bool is_operator)
{
	struct account a = { .name = STR("Somebody"),
		.country = STR("DE"),
		.state = STR("active"),
		.is_operator = is_operator,
		.is_seller = !is_operator };
	struct user u = { .name = STR("root"), .state = STR("active") };

	memcpy(a.id, id, sizeof(a.id));
	memcpy(u.account_id, id, sizeof(u.account_id));
	assert_int_equal(account_create(p->tx, &p->op, &a, &p->f), SOUK_OK);
	assert_int_equal(user_create(p->tx, &p->op, &u, &p->f), SOUK_OK);
	return u.id;
}

static inline void
place_fill(struct place *p)
{
	p->user = place_account(p, SELLER, false);
	p->user_b = place_account(p, SELLER_B, false);
}

static inline int
place_set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char path[96];

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/souk-access-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(path, sizeof(path), "%s/keyring.json", p->dir);
	assert_int_equal(vault_ring_create(path, &p->f), SOUK_OK);
	(void)snprintf(path, sizeof(path), "%s/souk.ini", p->dir);
	assert_int_equal(config_load(path, &p->config, &p->f), SOUK_OK);
	assert_int_equal(vault_open(p->config, p->dir, &p->vault, &p->f), SOUK_OK);
	assert_int_equal(db_open(&(struct db_options){ .path = test_database(p->dir),
				     .create = true,
				     .distribute = test_distributes(),
				     .writers = TEST_WRITERS },
			     &p->db, &p->f),
	    SOUK_OK);
	assert_int_equal(access_new(p->db, p->vault, &p->access), SOUK_OK);
	p->mem = arena_new((size_t)1 << 20);
	p->op = tenant_for_cli("test");
	p->seller =
	    (struct tenant_scope){ .account_id = SELLER, .is_seller = true, .actor = "test" };
	p->seller_b =
	    (struct tenant_scope){ .account_id = SELLER_B, .is_seller = true, .actor = "test" };
	place_run(p, place_fill);
	*state = p;
	return 0;
}

static inline int
place_tear_down(void **state)
{
	struct place *p = *state;

	access_free(p->access);
	db_close(p->db);
	test_database_drop(p->dir);
	vault_close(p->vault);
	config_free(p->config);
	arena_free(p->mem);
	(void)nftw(p->dir, place_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

/* Is the text anywhere in the database? */
static inline bool
place_has_bytes(struct place *p, const void *bytes, size_t n)
{
	return test_database_holds(p->dir, bytes, n);
}

#endif
