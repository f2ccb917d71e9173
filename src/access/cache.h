/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded table of who was recognised lately: id -> principal and 40 secret bytes.
 *
 * Sharded, a read-write lock each; a full set gives up its entries in turn, so that the
 * worst anybody can do by asking for many things is to make others be looked up again.
 * Secrets lie in locked memory.
 */
#ifndef SOUK_ACCESS_CACHE_H
#define SOUK_ACCESS_CACHE_H

#include "access/access.h"

#define CACHE_ID_MAX 127
#define CACHE_SECRET_LEN 40

struct cache;

struct cache_id {
	uint8_t n;
	char b[CACHE_ID_MAX];
};

/* Concatenates the parts, with a byte between that no part holds. False: too long to be cached. */
SOUK_MUST bool cache_id_make(char kind, const struct str *parts, size_t n, struct cache_id *ret);

/* `entries` is rounded up. */
SOUK_MUST enum souk_err cache_new(size_t entries, struct cache **ret);
void cache_free(struct cache *c); /* accepts NULL */
/* *ret is retained for the caller; NULL when NULL was put. */
SOUK_MUST bool cache_find(struct cache *c, const struct cache_id *id, struct principal **ret,
    uint8_t ret_secret[CACHE_SECRET_LEN]);
/*
 * What was loaded may be put only if nothing was cleared since before it was loaded: note
 * the epoch, load, put. A stale put is dropped. Retains `who`.
 */
uint64_t cache_epoch(const struct cache *c);
void cache_put(struct cache *c, const struct cache_id *id, struct principal *who,
    const uint8_t secret[CACHE_SECRET_LEN], uint64_t epoch);
void cache_clear(struct cache *c);
size_t cache_count(struct cache *c); /* for tests */

#endif
