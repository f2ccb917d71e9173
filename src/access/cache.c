/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of principals. An entry's place follows from a keyed hash of its id, so that
 * nobody can choose ids that crowd out one another. Whole ids are compared: a hash is
 * never taken for who is calling.
 */
#include "access/cache.h"

#include "access/principal.h"
#include "base/secret.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SHARDS 32
#define WAYS 8 /* places an id may be in */

struct slot {
	uint64_t hash;
	struct principal *who;
	struct cache_id id; /* n 0: empty */
};

struct shard {
	alignas(64) pthread_rwlock_t lock;
	unsigned victim; /* which of the ways is given up next */
	struct slot *slots;
	uint8_t *secrets; /* of the slot of the same number */
};

struct cache {
	size_t sets; /* per shard, a power of two */
	_Atomic uint64_t epoch;
	unsigned char hash_key[crypto_shorthash_KEYBYTES];
	struct secret secrets;
	struct slot *slots;
	struct shard shards[SHARDS];
};

bool
cache_id_make(char kind, const struct str *parts, size_t n, struct cache_id *ret)
{
	size_t at = 0;

	ret->b[at++] = kind;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].n + 1 > sizeof(ret->b) - at)
			return false;
		if (i > 0)
			ret->b[at++] = '\n';
		if (parts[i].n > 0)
			memcpy(ret->b + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	ret->n = (uint8_t)at;
	return true;
}

enum souk_err
cache_new(size_t entries, struct cache **ret)
{
	struct cache *c = aligned_alloc(alignof(struct cache), sizeof(*c));
	size_t per_shard;

	if (!c)
		return SOUK_E_NOMEM;
	memset(c, 0, sizeof(*c));
	for (c->sets = 1; c->sets * WAYS * SHARDS < entries; c->sets *= 2)
		;
	per_shard = c->sets * WAYS;
	c->slots = calloc(SHARDS * per_shard, sizeof(*c->slots));
	if (!c->slots ||
	    secret_init(&c->secrets, SHARDS * per_shard * CACHE_SECRET_LEN) != SOUK_OK) {
		free(c->slots);
		free(c);
		return SOUK_E_NOMEM;
	}
	random_bytes(c->hash_key, sizeof(c->hash_key));
	for (size_t i = 0; i < SHARDS; i++) {
		(void)pthread_rwlock_init(&c->shards[i].lock, NULL);
		c->shards[i].slots = c->slots + i * per_shard;
		c->shards[i].secrets = c->secrets.p + i * per_shard * CACHE_SECRET_LEN;
	}
	*ret = c;
	return SOUK_OK;
}

void
cache_free(struct cache *c)
{
	if (!c)
		return;
	cache_clear(c);
	for (size_t i = 0; i < SHARDS; i++)
		(void)pthread_rwlock_destroy(&c->shards[i].lock);
	secret_done(&c->secrets);
	free(c->slots);
	free(c);
}

/* Where an id lives: its hash picks the shard and the first of its ways. */
static struct shard *
place(struct cache *c, const struct cache_id *id, uint64_t *ret_hash, size_t *ret_first)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t hash;

	assert(id->n > 0 && id->n <= CACHE_ID_MAX);
	(void)crypto_shorthash(out, (const unsigned char *)id->b, id->n, c->hash_key);
	memcpy(&hash, out, sizeof(hash));
	*ret_hash = hash;
	*ret_first = (size_t)(hash >> 8 & (c->sets - 1)) * WAYS;
	return &c->shards[hash % SHARDS];
}

static bool
slot_is(const struct slot *s, uint64_t hash, const struct cache_id *id)
{
	return s->hash == hash && s->id.n == id->n && memcmp(s->id.b, id->b, id->n) == 0;
}

bool
cache_find(struct cache *c, const struct cache_id *id, struct principal **ret,
    uint8_t ret_secret[CACHE_SECRET_LEN])
{
	uint64_t hash;
	size_t first;
	struct shard *sh = place(c, id, &hash, &first);
	bool found = false;

	(void)pthread_rwlock_rdlock(&sh->lock);
	for (size_t i = first; i < first + WAYS && !found; i++) {
		if (!slot_is(&sh->slots[i], hash, id))
			continue;
		found = true;
		principal_retain(sh->slots[i].who);
		*ret = sh->slots[i].who;
		memcpy(ret_secret, sh->secrets + i * CACHE_SECRET_LEN, CACHE_SECRET_LEN);
	}
	(void)pthread_rwlock_unlock(&sh->lock);
	return found;
}

uint64_t
cache_epoch(const struct cache *c)
{
	return atomic_load(&c->epoch);
}

static void
slot_empty(struct shard *sh, size_t i)
{
	principal_release(sh->slots[i].who);
	sh->slots[i] = (struct slot){ 0 };
	wipe(sh->secrets + i * CACHE_SECRET_LEN, CACHE_SECRET_LEN);
}

void
cache_put(struct cache *c, const struct cache_id *id, struct principal *who,
    const uint8_t secret[CACHE_SECRET_LEN], uint64_t epoch)
{
	uint64_t hash;
	size_t first, at = SIZE_MAX;
	struct shard *sh = place(c, id, &hash, &first);

	(void)pthread_rwlock_wrlock(&sh->lock);
	/* Looked at under the lock: cache_clear moves the epoch before it comes to this shard. */
	if (atomic_load(&c->epoch) != epoch)
		goto out;
	for (size_t i = first; i < first + WAYS; i++) {
		if (slot_is(&sh->slots[i], hash, id))
			goto out; /* another thread was first */
		if (sh->slots[i].id.n == 0 && at == SIZE_MAX)
			at = i;
	}
	if (at == SIZE_MAX) {
		at = first + sh->victim++ % WAYS;
		slot_empty(sh, at);
	}
	principal_retain(who);
	sh->slots[at] = (struct slot){ .hash = hash, .who = who, .id = *id };
	memcpy(sh->secrets + at * CACHE_SECRET_LEN, secret, CACHE_SECRET_LEN);
out:
	(void)pthread_rwlock_unlock(&sh->lock);
}

void
cache_clear(struct cache *c)
{
	atomic_fetch_add(&c->epoch, 1);
	for (size_t k = 0; k < SHARDS; k++) {
		struct shard *sh = &c->shards[k];

		(void)pthread_rwlock_wrlock(&sh->lock);
		for (size_t i = 0; i < c->sets * WAYS; i++)
			if (sh->slots[i].id.n > 0)
				slot_empty(sh, i);
		(void)pthread_rwlock_unlock(&sh->lock);
	}
}

size_t
cache_count(struct cache *c)
{
	size_t n = 0;

	for (size_t k = 0; k < SHARDS; k++) {
		(void)pthread_rwlock_rdlock(&c->shards[k].lock);
		for (size_t i = 0; i < c->sets * WAYS; i++)
			n += c->shards[k].slots[i].id.n > 0;
		(void)pthread_rwlock_unlock(&c->shards[k].lock);
	}
	return n;
}
