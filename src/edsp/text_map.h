/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to number: an open hash table, salted, because buyers choose part of the texts. Keys are
 * borrowed. Nothing that is printed may depend on its order.
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
	size_t mask, n; /* mask + 1 slots, n in use */
};

/* Room for `expected` keys; grows. */
SOUK_MUST enum souk_err text_map_init(struct text_map *m, size_t expected);
void text_map_done(struct text_map *m);

/* Never 0. The same for the same bytes within a process. */
uint64_t text_map_hash(struct str s);

static inline uint32_t
text_map_find(const struct text_map *m, struct str key, uint64_t hash)
{
	for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
		const struct text_slot *s = &m->slots[i];

		if (s->hash == 0)
			return TEXT_MAP_NONE;
		if (s->hash == hash && s->n == key.n && memcmp(s->p, key.p, key.n) == 0)
			return s->value;
	}
}

/* What the key has after the call: `value` when it is new, else what it had. TEXT_MAP_NONE when out of memory. */
uint32_t text_map_put(struct text_map *m, struct str key, uint64_t hash, uint32_t value);

#endif
