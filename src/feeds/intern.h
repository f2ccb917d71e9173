/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts as small numbers, from several threads at once.
 *
 * Texts are told apart by 96 bits of a keyed hash: two of a thousand million texts would be taken for one with a
 * chance of 10^-11. Numbers depend on hash and threads: never sort or print by them.
 */
#ifndef SOUK_FEEDS_INTERN_H
#define SOUK_FEEDS_INTERN_H

#include "base/str.h"

#include <pthread.h>

#define INTERN_NONE UINT32_MAX
#define INTERN_SHARDS 32

struct text_hash {
	uint64_t a;
	uint32_t b;
};

/* Keyed by random numbers of the process, so that nobody can prepare texts that collide. */
struct text_hash text_hash(struct str s);

struct hash_slot {
	uint64_t a;
	uint32_t b;
	uint32_t value; /* INTERN_NONE: free */
};

/* Open addressing; not thread-safe by itself. Zeroed before first use. */
struct hash_table {
	struct hash_slot *slot;
	uint32_t mask; /* slots - 1 */
	uint32_t n;
};

/* Room for one more entry than there are; false when out of memory. */
SOUK_MUST bool hash_table_grow(struct hash_table *t);
/* Empties a table and makes room for `n` entries at once; false when out of memory. */
SOUK_MUST bool hash_table_reserve(struct hash_table *t, uint64_t n);
/* The slot of `h`, or the free one where it belongs. The table must have room. */
struct hash_slot *hash_table_at(const struct hash_table *t, struct text_hash h);
void hash_table_done(struct hash_table *t);
void hash_table_prefetch(const struct hash_table *t, struct text_hash h);

/*
 * The numbers 0 .. n - 1 ordered by shard (the hash modulo `shards`, a power of two) of their hashes, which stand `stride` bytes
 * apart; shard k has [from[k], from[k + 1]): `from` has room for shards + 1.
 */
#define HASH_SHARDS_MAX 128
void hash_order(const struct text_hash *h, size_t stride, size_t n, unsigned shards,
    uint32_t *order, uint32_t *from);

struct intern;

SOUK_MUST struct intern *intern_new(void);
void intern_free(struct intern *in); /* accepts NULL */
/* Room for about `n` texts at once, before the first. */
SOUK_MUST bool intern_reserve(struct intern *in, uint64_t n);
/* INTERN_NONE for the empty text; *ret_new (may be NULL) tells whether it was new. False when out of memory. */
SOUK_MUST bool intern_put(
    struct intern *in, struct str s, struct text_hash h, uint32_t *ret, bool *ret_new);
/*
 * Many at once: the shards' locks and cache misses are shared. Empty texts must not be among them. `order` is room for
 * n numbers. ret_new (may be NULL) as above.
 */
SOUK_MUST bool intern_put_many(struct intern *in, size_t n, const struct str *s,
    const struct text_hash *h, uint32_t *order, uint32_t *ret, bool *ret_new);
/* INTERN_NONE when absent. Only while nobody puts. */
uint32_t intern_find(const struct intern *in, struct str s);
/* The same by the hash of a text that is not empty. */
uint32_t intern_peek(const struct intern *in, struct text_hash h);
/* {"", 0} for INTERN_NONE. Only while nobody puts. */
struct str intern_text(const struct intern *in, uint32_t id);
/* Fetches ahead what intern_text needs: first where the text is, some calls later the text. */
void intern_prefetch_place(const struct intern *in, uint32_t id);
void intern_prefetch_text(const struct intern *in, uint32_t id);
/* Every number is below it, though not each is in use (empty text). */
uint32_t intern_bound(const struct intern *in);
size_t intern_count(const struct intern *in);

#endif
