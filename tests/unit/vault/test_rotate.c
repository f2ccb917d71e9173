/* SPDX-License-Identifier: Apache-2.0 */
/* Rotation and refresh: what opens before and after, two processes, and threads meanwhile. */
#include "check.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/secret.h"
#include "vault/ring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define CONTEXT STR("contact:1")

/* A second opening of the same file stands for another process. */
static struct vault *
open_again(const struct world *w)
{
	struct vault *v = NULL;
	struct fail f = { 0 };

	assert_int_equal(vault_open(w->config, w->dir, &v, &f), SOUK_OK);
	return v;
}

static enum souk_err
opens(struct vault *v, const struct wrapped_key *w, const struct data_key *want)
{
	struct data_key k;
	enum souk_err r = vault_key_unwrap(v, CONTEXT, wrapped_str(w), &k);

	if (r == SOUK_OK)
		assert_memory_equal(k.b, want->b, VAULT_KEY_LEN);
	return r;
}

static void
test_rotation(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct data_key k, k2;
	struct wrapped_key old, rewrapped, again, newer;
	char print[33], print_after[33];
	uint8_t blind[VAULT_BLIND_LEN], blind_after[VAULT_BLIND_LEN];
	struct stat st;
	bool changed;

	vault_fingerprint(w->vault, print);
	vault_blind(w->vault, "d", STR("v"), blind);
	vault_key_new(w->vault, CONTEXT, &k, &old);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 2);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(opens(w->vault, &old, &k), SOUK_OK);
	vault_key_new(w->vault, CONTEXT, &k2, &newer);
	assert_int_equal(vault_wrapped_number(wrapped_str(&newer)), 2);

	assert_int_equal(
	    vault_key_rewrap(w->vault, CONTEXT, wrapped_str(&old), &rewrapped, &changed), SOUK_OK);
	assert_true(changed);
	assert_int_equal(vault_wrapped_number(wrapped_str(&rewrapped)), 2);
	assert_int_equal(
	    vault_key_rewrap(w->vault, CONTEXT, wrapped_str(&rewrapped), &again, &changed),
	    SOUK_OK);
	assert_false(changed);
	assert_memory_equal(rewrapped.b, again.b, VAULT_WRAPPED_LEN);
	assert_int_equal(
	    vault_key_rewrap(w->vault, STR("contact:2"), wrapped_str(&old), &again, &changed),
	    SOUK_E_INTERNAL);

	assert_int_equal(vault_ring_retire(w->vault, &f), SOUK_OK);
	assert_int_equal(opens(w->vault, &old, &k), SOUK_E_INTERNAL);
	assert_int_equal(opens(w->vault, &rewrapped, &k), SOUK_OK);
	assert_int_equal(opens(w->vault, &newer, &k2), SOUK_OK);
	/* What others derive from the ring stays. */
	vault_fingerprint(w->vault, print_after);
	assert_string_equal(print, print_after);
	vault_blind(w->vault, "d", STR("v"), blind_after);
	assert_memory_equal(blind, blind_after, sizeof(blind));
	/* A number is not used again after it was retired. */
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 3);
}

static void
test_other_process_notices(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct vault *cli = open_again(w);
	struct data_key k, k2;
	struct wrapped_key old, newer;

	vault_key_new(w->vault, CONTEXT, &k, &old);
	assert_int_equal(vault_ring_add(cli, &f), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 1);
	/* A record of the other process, before anybody told us. */
	vault_key_new(cli, CONTEXT, &k2, &newer);
	assert_int_equal(opens(w->vault, &newer, &k2), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 2);
	assert_int_equal(vault_ring_retire(cli, &f), SOUK_OK);
	assert_int_equal(opens(w->vault, &old, &k), SOUK_OK);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
	assert_int_equal(opens(w->vault, &old, &k), SOUK_E_INTERNAL);
	assert_int_equal(opens(w->vault, &newer, &k2), SOUK_OK);
	vault_close(cli);
}

/* In steps, for nodes whose ring files are changed one after the other. */
static void
test_steps(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct vault *other = open_again(w);
	struct data_key k, k2, k3;
	struct wrapped_key old, between, newer;

	vault_key_new(other, CONTEXT, &k, &old);
	assert_int_equal(vault_newest(w->vault), 1);
	assert_int_equal(vault_ring_prepare(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 1);
	assert_int_equal(vault_newest(w->vault), 2);
	/* What an interrupted rotation left will do. */
	assert_int_equal(vault_ring_prepare(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_newest(w->vault), 2);
	/* Nobody meets a key that it has not: the old one is still in force. */
	vault_key_new(w->vault, CONTEXT, &k2, &between);
	assert_int_equal(vault_wrapped_number(wrapped_str(&between)), 1);
	assert_int_equal(vault_refresh(other, &f), SOUK_OK);
	assert_int_equal(vault_newest(other), 2);

	assert_int_equal(vault_ring_use(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 2);
	vault_key_new(w->vault, CONTEXT, &k3, &newer);
	assert_int_equal(vault_wrapped_number(wrapped_str(&newer)), 2);
	/* One that has not looked since still wraps with the old one, and reads the new. */
	assert_int_equal(vault_current(other), 1);
	assert_int_equal(opens(other, &newer, &k3), SOUK_OK);
	assert_int_equal(vault_ring_retire(w->vault, &f), SOUK_OK);
	assert_int_equal(opens(w->vault, &old, &k), SOUK_E_INTERNAL);
	assert_int_equal(opens(w->vault, &between, &k2), SOUK_E_INTERNAL);
	assert_int_equal(opens(w->vault, &newer, &k3), SOUK_OK);
	vault_close(other);
}

/* A ring that a command prints is asked for again at a key that is not known, but not all the time. */
static void
test_command_again(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct vault *v;
	struct data_key k, k2;
	struct wrapped_key newer, newest;
	char command[200];
	struct buf runs = { 0 };

	(void)snprintf(command, sizeof(command), "echo >> %s/runs; cat %s", w->dir, w->path);
	assert_int_equal(config_set(w->config, SET_KEY_RING_COMMAND, command, &f), SOUK_OK);
	assert_int_equal(vault_open(w->config, w->dir, &v, &f), SOUK_OK);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	vault_key_new(w->vault, CONTEXT, &k, &newer);
	assert_int_equal(vault_current(v), 1);
	assert_int_equal(opens(v, &newer, &k), SOUK_OK);
	assert_int_equal(vault_current(v), 2);
	/* The next unknown one comes too soon; known ones ask nobody. */
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	vault_key_new(w->vault, CONTEXT, &k2, &newest);
	for (int i = 0; i < 20; i++)
		assert_int_equal(opens(v, &newest, &k2), SOUK_E_INTERNAL);
	assert_int_equal(opens(v, &newer, &k), SOUK_OK);
	(void)snprintf(command, sizeof(command), "%s/runs", w->dir);
	assert_int_equal(io_read_file(command, 100, &runs, &f), SOUK_OK);
	assert_int_equal(runs.n, 2);
	assert_int_equal(unlink(command), 0);
	buf_done(&runs);
	vault_close(v);
}

/* A process that nobody tells (an import that waits for its input) never wraps with a dropped key. */
static void
test_wrapping_looks_first(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct vault *cli = open_again(w);
	struct data_key k, k2;
	struct wrapped_key wrapped, rewrapped;
	bool changed;

	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	assert_int_equal(vault_ring_add(cli, &f), SOUK_OK);
	clock_sleep_ms(600);
	vault_key_new(w->vault, CONTEXT, &k2, &rewrapped);
	assert_int_equal(vault_wrapped_number(wrapped_str(&rewrapped)), 2);
	assert_int_equal(
	    vault_key_rewrap(cli, CONTEXT, wrapped_str(&wrapped), &wrapped, &changed), SOUK_OK);
	assert_int_equal(vault_ring_retire(cli, &f), SOUK_OK);
	assert_int_equal(opens(cli, &rewrapped, &k2), SOUK_OK);
	vault_close(cli);
}

static void
test_two_rotations_meet(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct vault *other = open_again(w);
	struct data_key k;
	struct wrapped_key ours;

	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	vault_key_new(w->vault, CONTEXT, &k, &ours);
	/* Made from the file's newest state: our key 2 is kept. */
	assert_int_equal(vault_ring_add(other, &f), SOUK_OK);
	assert_int_equal(vault_current(other), 3);
	assert_int_equal(opens(other, &ours, &k), SOUK_OK);
	/* To drop all but 3 would lose what we just wrapped with 2, and the other way round. */
	assert_int_equal(vault_ring_retire(w->vault, &f), SOUK_E_CONFLICT);
	assert_string_equal(f.code, "key_ring_changed");
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_ring_retire(w->vault, &f), SOUK_E_CONFLICT);
	assert_int_equal(opens(w->vault, &ours, &k), SOUK_OK);
	vault_close(other);
}

/* Whatever becomes of the file, the ring in memory stays, and comes back in step once mended. */
static void
test_refresh_keeps_the_ring(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct data_key k;
	struct wrapped_key wrapped;
	char away[128];

	(void)snprintf(away, sizeof(away), "%s/away", w->dir);
	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	assert_int_equal(chmod(w->path, 0644), 0);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_E_DENIED);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_E_DENIED);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_E_DENIED);
	assert_int_equal(chmod(w->path, 0600), 0);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);

	assert_int_equal(rename(w->path, away), 0);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_E_NOT_FOUND);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_E_NOT_FOUND);
	assert_int_equal(vault_ring_create(w->path, &f), SOUK_OK);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_E_CONFLICT);
	assert_string_equal(f.code, "key_ring_other");
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_E_CONFLICT);
	assert_int_equal(opens(w->vault, &wrapped, &k), SOUK_OK);

	assert_int_equal(rename(away, w->path), 0);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	assert_int_equal(opens(w->vault, &wrapped, &k), SOUK_OK);
}

/* ---- threads ---- */

struct worker {
	struct vault *v;
	atomic_bool stop;
	atomic_uint rounds;
};

/*
 * Seals and opens all the time. A key wrapped just before its master key was retired may
 * be refused; it never opens to other bytes, and its number is then an old one.
 */
static void *
work(void *arg)
{
	struct worker *wk = arg;
	struct data_key k, back;
	struct wrapped_key w;
	uint8_t sealed[200 + VAULT_OVERHEAD], plain[200] = { 1 }, out[200], first[32], mac[32];

	vault_mac(wk->v, "d", STR("v"), first);
	while (!atomic_load(&wk->stop)) {
		vault_key_new(wk->v, CONTEXT, &k, &w);
		vault_seal(&k, CONTEXT, plain, sizeof(plain), sealed);
		if (vault_key_unwrap(wk->v, CONTEXT, wrapped_str(&w), &back) != SOUK_OK) {
			if (vault_wrapped_number(wrapped_str(&w)) >= vault_current(wk->v))
				abort();
			continue;
		}
		if (memcmp(k.b, back.b, sizeof(k.b)) != 0 ||
		    vault_unseal(&back, CONTEXT,
			(struct str){ (const char *)sealed, sizeof(sealed) }, out) != SOUK_OK ||
		    memcmp(out, plain, sizeof(out)) != 0)
			abort();
		vault_mac(wk->v, "d", STR("v"), mac);
		if (memcmp(mac, first, sizeof(mac)) != 0)
			abort();
		atomic_fetch_add(&wk->rounds, 1);
	}
	return NULL;
}

static void
test_threads_during_rotation(void **state)
{
	struct world *w = *state;
	struct vault *cli = open_again(w);
	struct worker wk = { .v = w->vault };
	struct fail f = { 0 };
	pthread_t t[4];

	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, work, &wk), 0);
	for (unsigned round = 0; round < 60; round++) {
		unsigned before = atomic_load(&wk.rounds);

		/* In turn here and in the other process, so that refresh is met as well. */
		assert_int_equal(vault_ring_add(round % 2 ? cli : w->vault, &f), SOUK_OK);
		assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
		assert_int_equal(vault_refresh(cli, &f), SOUK_OK);
		while (atomic_load(&wk.rounds) == before)
			clock_sleep_ms(1);
		assert_int_equal(vault_ring_retire(round % 2 ? cli : w->vault, &f), SOUK_OK);
		assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
	}
	atomic_store(&wk.stop, true);
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(vault_current(w->vault), 61);
	vault_close(cli);
}

struct adder {
	struct world *w;
	enum souk_err err;
};

static void *
add_ten(void *arg)
{
	struct adder *a = arg;
	struct vault *v = open_again(a->w);

	for (int i = 0; i < 10 && a->err == SOUK_OK; i++)
		a->err = vault_ring_add(v, NULL);
	vault_close(v);
	return NULL;
}

/* The file's lock: no addition overwrites another one. */
static void
test_additions_at_once(void **state)
{
	struct world *w = *state;
	struct adder a[3];
	pthread_t t[3];
	struct fail f = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		a[i] = (struct adder){ .w = w };
		assert_int_equal(pthread_create(&t[i], NULL, add_ten, &a[i]), 0);
	}
	for (size_t i = 0; i < COUNT(t); i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(a[i].err, SOUK_OK);
	}
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_current(w->vault), 31);
}

/* What a killed rotation left beside the file holds keys: the next one takes it away. */
static void
test_leftover_goes(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	char part[128];
	struct stat st;

	(void)snprintf(part, sizeof(part), "%s.part", w->path);
	assert_int_equal(symlink("/nowhere/else", part), 0);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	assert_int_equal(lstat(part, &st), -1);
	assert_int_equal(lstat(w->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(link(w->path, part), 0);
	assert_int_equal(vault_ring_retire(w->vault, &f), SOUK_OK);
	assert_int_equal(lstat(part, &st), -1);
	assert_int_equal(vault_refresh(w->vault, &f), SOUK_OK);
}

static void
test_full_ring(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };

	for (unsigned i = 1; i < RING_KEYS_MAX; i++)
		assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_E_LIMIT);
	assert_int_equal(vault_current(w->vault), RING_KEYS_MAX);
	assert_int_equal(vault_ring_retire(w->vault, &f), SOUK_OK);
	assert_int_equal(vault_ring_add(w->vault, &f), SOUK_OK);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_rotation),
		IN_WORLD(test_other_process_notices),
		IN_WORLD(test_steps),
		IN_WORLD(test_command_again),
		IN_WORLD(test_wrapping_looks_first),
		IN_WORLD(test_two_rotations_meet),
		IN_WORLD(test_refresh_keeps_the_ring),
		IN_WORLD(test_threads_during_rotation),
		IN_WORLD(test_additions_at_once),
		IN_WORLD(test_leftover_goes),
		IN_WORLD(test_full_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
