/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUIDs and random bytes.
 *
 * The danger is handing out the same bytes twice: consumed bytes are wiped from
 * the thread's buffer at once, and a forked child starts with an empty buffer.
 */
#include "base/guid.h"

#include "base/secret.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>

#define POOL_SIZE 512

struct pool {
	unsigned char b[POOL_SIZE];
	size_t left; /* unread bytes, at the end of b */
};

static _Thread_local struct pool pool;

static void
pool_forget(void)
{
	wipe(&pool, sizeof(pool));
}

static void
pool_once(void)
{
	int sodium = sodium_init();
	int atfork = pthread_atfork(NULL, NULL, pool_forget);

	assert(sodium >= 0 && atfork == 0);
}

void
random_bytes(void *p, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned char *from;

	(void)pthread_once(&once, pool_once);
	if (n > POOL_SIZE / 2) {
		randombytes_buf(p, n);
		return;
	}
	if (n > pool.left) {
		randombytes_buf(pool.b, sizeof(pool.b));
		pool.left = sizeof(pool.b);
	}
	from = pool.b + (sizeof(pool.b) - pool.left);
	memcpy(p, from, n);
	wipe(from, n);
	pool.left -= n;
}

void
random_text(char *out, size_t n, const char *alphabet)
{
	size_t len = strlen(alphabet);
	size_t fair = 256 - 256 % len; /* bytes from here on would favour the first letters */

	assert(len > 0 && len <= 256);
	for (size_t i = 0; i < n;) {
		unsigned char c;

		random_bytes(&c, 1);
		if (c < fair)
			out[i++] = alphabet[c % len];
	}
	out[n] = '\0';
}

static struct guid
guid_mark_v4(struct guid g)
{
	g.b[6] = (uint8_t)((g.b[6] & 0x0f) | 0x40);
	g.b[8] = (uint8_t)((g.b[8] & 0x3f) | 0x80);
	return g;
}

struct guid
guid_new(void)
{
	struct guid g;

	random_bytes(g.b, sizeof(g.b));
	return guid_mark_v4(g);
}

bool
guid_is_zero(const struct guid *g)
{
	static const struct guid zero;

	return guid_eq(g, &zero);
}

bool
guid_eq(const struct guid *a, const struct guid *b)
{
	return guid_cmp(a, b) == 0;
}

int
guid_cmp(const struct guid *a, const struct guid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

static bool
hyphen_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void
guid_format(const struct guid *g, char out[GUID_TEXT_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(g->b); i++) {
		if (hyphen_before(i))
			*out++ = '-';
		*out++ = hex[g->b[i] >> 4];
		*out++ = hex[g->b[i] & 15];
	}
	*out = '\0';
}

bool
guid_parse(struct str s, struct guid *ret)
{
	struct guid g;
	size_t n;

	if (s.n != GUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < sizeof(g.b); i++) {
		if (hyphen_before(i) && *s.p++ != '-')
			return false;
		if (!hex_decode((struct str){ s.p, 2 }, &g.b[i], 1, &n))
			return false;
		s.p += 2;
	}
	*ret = g;
	return true;
}

uint64_t
prng_next(struct prng *r)
{
	uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
prng_below(struct prng *r, uint64_t n)
{
	uint64_t unfair = (0 - n) % n; /* 2^64 mod n: that many values would favour the low end */
	uint64_t v;

	while ((v = prng_next(r)) < unfair)
		;
	return v % n;
}

struct guid
prng_guid(struct prng *r)
{
	struct guid g;

	for (size_t i = 0; i < sizeof(g.b); i += 8) {
		uint64_t v = prng_next(r);

		for (size_t k = 0; k < 8; k++) /* byte by byte: the same on any machine */
			g.b[i + k] = (uint8_t)(v >> (8 * k));
	}
	return guid_mark_v4(g);
}
