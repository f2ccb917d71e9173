/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test of the vault includes, and a vault in a directory of its own. */
#ifndef SOUK_TESTS_VAULT_CHECK_H
#define SOUK_TESTS_VAULT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vault/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct world {
	char dir[64];
	char path[96]; /* the ring's file */
	struct config *config;
	struct vault *vault;
};

static inline struct config *
world_config(const struct world *w)
{
	struct config *c = NULL;
	struct fail f = { 0 };
	char ini[128];

	(void)snprintf(ini, sizeof(ini), "%s/souk.ini", w->dir);
	assert_int_equal(config_load(ini, &c, &f), SOUK_OK);
	return c;
}

/* A directory without a ring. */
static inline struct world *
world_empty(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/souk-vault-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->path, sizeof(w->path), "%s/keyring.json", w->dir);
	w->config = world_config(w);
	return w;
}

static inline int
world_setup(void **state)
{
	struct world *w = world_empty();
	struct fail f = { 0 };

	assert_int_equal(vault_ring_create(w->path, &f), SOUK_OK);
	assert_int_equal(vault_open(w->config, w->dir, &w->vault, &f), SOUK_OK);
	*state = w;
	return 0;
}

static inline int
world_setup_empty(void **state)
{
	*state = world_empty();
	return 0;
}

static inline int
world_teardown(void **state)
{
	struct world *w = *state;

	vault_close(w->vault);
	config_free(w->config);
	(void)unlink(w->path);
	/* Fails, and the test with it, when something was left behind. */
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static inline struct str
wrapped_str(const struct wrapped_key *w)
{
	return (struct str){ (const char *)w->b, sizeof(w->b) };
}

#endif
