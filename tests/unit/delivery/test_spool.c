/* SPDX-License-Identifier: Apache-2.0 */
/* Spools: what goes in comes out, at every chunk's edge, and nothing is left or readable on disk. */
#include "delivery/spool.h"

#include "base/digest.h"
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct into {
	struct sink sink;
	struct buf got;
	size_t stop_at; /* fails once so much is there; 0 never */
};

static enum souk_err
into_write(struct sink *s, const void *p, size_t n)
{
	struct into *x = (struct into *)s;

	buf_add(&x->got, p, n);
	return x->stop_at > 0 && x->got.n >= x->stop_at ? SOUK_E_UNAVAILABLE : SOUK_OK;
}

static char
byte_at(size_t i)
{
	return (char)(i * 31 + (i >> 16));
}

static struct spool *
spool_of(struct world *w, size_t n, size_t step)
{
	char *all = malloc(n + 1);
	struct spool *s;

	for (size_t i = 0; i < n; i++)
		all[i] = byte_at(i);
	assert_ok(spool_new(w->vault, w->dir, &s));
	for (size_t at = 0; at < n; at += step)
		assert_ok(
		    spool_sink(s)->write(spool_sink(s), all + at, step < n - at ? step : n - at));
	assert_ok(spool_close(s));
	free(all);
	return s;
}

static void
test_edges(void **state)
{
	static const size_t sizes[] = { 0, 1, VAULT_CHUNK - 1, VAULT_CHUNK, VAULT_CHUNK + 1,
		2 * VAULT_CHUNK, 3 * VAULT_CHUNK + 7 };
	static const size_t steps[] = { 1000, VAULT_CHUNK, 5 * VAULT_CHUNK };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(sizes) * COUNT(steps); i++) {
		size_t n = sizes[i / COUNT(steps)];
		struct spool *s = spool_of(w, n, steps[i % COUNT(steps)]);
		struct into x = { .sink = { into_write } };
		uint8_t want[32], got[32];

		assert_int_equal(spool_size(s), n);
		for (int twice = 0; twice < 2; twice++) {
			buf_clear(&x.got);
			assert_ok(spool_send(s, &x.sink, NULL, NULL));
			assert_int_equal(x.got.n, n);
			for (size_t k = 0; k < n; k++)
				if (x.got.p[k] != byte_at(k))
					fail_msg("byte %zu of %zu", k, n);
		}
		sha256(x.got.p, n, want);
		spool_sha256(s, got);
		assert_memory_equal(want, got, 32);
		buf_done(&x.got);
		spool_free(s);
	}
}

static enum souk_err
no_more(void *arg)
{
	int *left = arg;

	return (*left)-- > 0 ? SOUK_OK : SOUK_E_LIMIT;
}

static void
test_ends_when_told(void **state)
{
	struct world *w = *state;
	struct spool *s = spool_of(w, 5 * VAULT_CHUNK, VAULT_CHUNK);
	struct into x = { .sink = { into_write } };
	int left = 2;

	assert_err(SOUK_E_LIMIT, spool_send(s, &x.sink, no_more, &left));
	assert_int_equal(x.got.n, 2 * VAULT_CHUNK);
	buf_clear(&x.got);
	x.stop_at = VAULT_CHUNK;
	assert_err(SOUK_E_UNAVAILABLE, spool_send(s, &x.sink, NULL, NULL));
	assert_int_equal(x.got.n, VAULT_CHUNK);
	buf_done(&x.got);
	spool_free(s);
}

/* The file through /proc, whose name nobody else has: -1 when there is none. */
static int
open_nameless(struct world *w)
{
	DIR *d = opendir("/proc/self/fd");
	char path[300], to[512];
	int fd = -1;

	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		if (n <= 0)
			continue;
		to[n] = '\0';
		if (strncmp(to, w->dir, strlen(w->dir)) == 0 && strstr(to, "(deleted)"))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	(void)closedir(d);
	return fd;
}

static void
test_sealed_and_nameless(void **state)
{
	static const char text[] = "person@example.com, a name and a telephone number";
	struct world *w = *state;
	struct into x = { .sink = { into_write } };
	struct spool *s;
	char bytes[512];
	ssize_t n;
	int fd;

	assert_ok(spool_new(w->vault, w->dir, &s));
	assert_ok(spool_sink(s)->write(spool_sink(s), text, sizeof(text)));
	assert_ok(spool_close(s));
	assert_true((fd = open_nameless(w)) >= 0);
	n = pread(fd, bytes, sizeof(bytes), 0);
	assert_int_equal(n, sizeof(text) + VAULT_CHUNK_OVERHEAD);
	assert_null(memmem(bytes, (size_t)n, "person", 6));
	bytes[3] ^= 1;
	assert_int_equal(pwrite(fd, bytes, (size_t)n, 0), n);
	assert_err(SOUK_E_STORAGE, spool_send(s, &x.sink, NULL, NULL));
	assert_int_equal(x.got.n, 0);
	(void)close(fd);
	spool_free(s);
	assert_err(SOUK_E_STORAGE, spool_new(w->vault, "/nonexistent/dir", &s));
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_edges),
		WORLD_TEST(test_ends_when_told),
		WORLD_TEST(test_sealed_and_nameless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
