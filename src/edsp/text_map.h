/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to number: an open hash table, salted, because buyers choose part of the texts. Keys are
 * borrowed. Nothing that is printed may depend on its order. Most texts that are looked for are not
 * there: a byte for each slot says so within the nearest cache.
 */
#ifndef SOUK_EDSP_TEXT_MAP_H
#define SOUK_EDSP_TEXT_MAP_H

#include "base/str.h"

#define TEXT_MAP_NONE UINT32_MAX

struct text_slot {
	uint64_t hash; /* 0: free */
	const char *p;
	uint32_t n, value;
};

struct text_map {
	struct text_slot *slots;
	uint8_t *tags;  /* of each slot a byte of its hash, 0: free */
	size_t mask, n; /* mask + 1 slots, n in use */
};

/* Room for `expected` keys; grows. */
SOUK_MUST enum souk_err text_map_init(struct text_map *m, size_t expected);
void text_map_done(struct text_map *m);

extern uint64_t text_map_salt; /* random; of text_map.c */

static inline uint64_t
text_map_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Never 0. The same for the same bytes within a process. */
static inline uint64_t
text_map_hash(struct str s)
{
	uint64_t h = text_map_salt ^ s.n * UINT64_C(0x9e3779b97f4a7c15), a = 0, b = 0;
	const char *p = s.p;
	size_t n = s.n;

	for (; n > 16; p += 8, n -= 8) {
		memcpy(&a, p, 8);
		h = text_map_mix(h ^ a, UINT64_C(0xa0761d6478bd642f) ^ text_map_salt);
	}
	if (n >= 8) { /* two words that may overlap */
		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
	} else if (n >= 4) {
		uint32_t x, y;

		memcpy(&x, p, 4);
		memcpy(&y, p + n - 4, 4);
		a = x;
		b = y;
	} else if (n > 0) {
		a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 |
		    (unsigned char)p[n - 1];
	}
	h = text_map_mix(h ^ a, b ^ UINT64_C(0xe7037ed1a0b428db));
	h = text_map_mix(h, UINT64_C(0x8ebc6af09c88c6e3) ^ text_map_salt);
	return h != 0 ? h : 1;
}

static inline uint8_t
text_map_tag(uint64_t hash)
{
	return (uint8_t)(hash >> 56 | 1);
}

static inline uint32_t
text_map_find(const struct text_map *m, struct str key, uint64_t hash)
{
	for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
		const struct text_slot *s = &m->slots[i];

		if (m->tags[i] == 0)
			return TEXT_MAP_NONE;
		if (m->tags[i] == text_map_tag(hash) && s->hash == hash && s->n == key.n &&
		    memcmp(s->p, key.p, key.n) == 0)
			return s->value;
	}
}

/* What the key has after the call: `value` when it is new, else what it had. TEXT_MAP_NONE when out of memory. */
uint32_t text_map_put(struct text_map *m, struct str key, uint64_t hash, uint32_t value);

#endif
