/* SPDX-License-Identifier: Apache-2.0 */
/* A Bloom filter of blocks of one cache line, eight bits a key; bits are set atomically. */
#include "feeds/event_store.h"

#include <stdlib.h>

#define WORDS 8 /* of a block: 512 bits */
#define BITS_A_KEY 64

struct bloom {
	uint64_t mask; /* blocks - 1 */
	uint64_t *words;
};

struct bloom *
bloom_new(uint64_t keys, uint64_t bytes_max)
{
	struct bloom *b = malloc(sizeof(*b));
	uint64_t blocks = 1;

	while (blocks * WORDS * 64 < keys * BITS_A_KEY && 2 * blocks * WORDS * 8 <= bytes_max)
		blocks *= 2;
	if (!b || !(b->words = aligned_alloc(64, blocks * WORDS * sizeof(uint64_t)))) {
		free(b);
		return NULL;
	}
	memset(b->words, 0, blocks * WORDS * sizeof(uint64_t));
	b->mask = blocks - 1;
	return b;
}

void
bloom_free(struct bloom *b)
{
	if (!b)
		return;
	free(b->words);
	free(b);
}

/* The block comes from the high half of `a`; nine bits of the rest choose each of the eight bits. */
static uint64_t *
block_of(const struct bloom *b, struct text_hash h)
{
	return b->words + (((h.a >> 36) ^ h.b) & b->mask) * WORDS;
}

void
bloom_prefetch(const struct bloom *b, struct text_hash h)
{
	__builtin_prefetch(block_of(b, h), 1);
}

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

	/* One bit in each word: six bits of choice each. */
	for (unsigned i = 0; i < WORDS; i++, c >>= 6)
		__atomic_fetch_or(&w[i], UINT64_C(1) << (c & 63), __ATOMIC_SEQ_CST);
}

void
bloom_add_alone(struct bloom *b, struct text_hash h)
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
		if (!(__atomic_load_n(&w[i], __ATOMIC_SEQ_CST) >> (c & 63) & 1))
			return false;
	return true;
}
