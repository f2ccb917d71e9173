/* SPDX-License-Identifier: Apache-2.0 */
/* A Bloom filter of blocks of one cache line, eight bits a key. */
#include "feeds/event_store.h"

#include <stdlib.h>
#include <sys/mman.h>

#define WORDS 8 /* of a block: 512 bits */
#define BITS_A_KEY 64

struct bloom {
	uint64_t mask; /* blocks of a shard - 1 */
	size_t bytes;
	uint64_t *words;
};

struct bloom *
bloom_new(uint64_t keys, uint64_t bytes_max)
{
	struct bloom *b = malloc(sizeof(*b));
	uint64_t blocks = EVENT_SHARDS;

	while (blocks * WORDS * 64 < keys * BITS_A_KEY && 2 * blocks * WORDS * 8 <= bytes_max)
		blocks *= 2;
	if (!b)
		return NULL;
	*b = (struct bloom){ .mask = blocks / EVENT_SHARDS - 1, .bytes = blocks * WORDS * 8 };
	b->words = mmap(NULL, b->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->words == MAP_FAILED) {
		free(b);
		return NULL;
	}
	(void)madvise(b->words, b->bytes, MADV_HUGEPAGE);
	return b;
}

void
bloom_free(struct bloom *b)
{
	if (!b)
		return;
	(void)munmap(b->words, b->bytes);
	free(b);
}

/* The block comes from the high half of `a`; the rest chooses the eight bits. */
static uint64_t *
block_of(const struct bloom *b, struct text_hash h)
{
	uint64_t shard = h.a % EVENT_SHARDS;

	return b->words + (shard * (b->mask + 1) + (((h.a >> 36) ^ h.b) & b->mask)) * WORDS;
}

void
bloom_prefetch(const struct bloom *b, struct text_hash h)
{
	__builtin_prefetch(block_of(b, h), 1);
}

/* One bit in each word: six bits of choice each. */
static uint64_t
choice(struct text_hash h)
{
	return (h.a ^ (uint64_t)h.b << 32) * UINT64_C(0x9e3779b97f4a7c15) ^ h.a;
}

void
bloom_add(struct bloom *b, struct text_hash h)
{
	uint64_t *w = block_of(b, h);
	uint64_t c = choice(h);

	for (unsigned i = 0; i < WORDS; i++, c >>= 6)
		w[i] |= UINT64_C(1) << (c & 63);
}

bool
bloom_may_have(const struct bloom *b, struct text_hash h)
{
	const uint64_t *w = block_of(b, h);
	uint64_t c = choice(h);

	for (unsigned i = 0; i < WORDS; i++, c >>= 6)
		if (!(w[i] >> (c & 63) & 1))
			return false;
	return true;
}
