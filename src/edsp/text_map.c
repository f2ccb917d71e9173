/* SPDX-License-Identifier: Apache-2.0 */
/* Text to number; see text_map.h. */
#include "edsp/text_map.h"

#include "base/guid.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_once_t salted = PTHREAD_ONCE_INIT;
static uint64_t salt;

static void
make_salt(void)
{
	random_bytes(&salt, sizeof(salt));
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t
text_map_hash(struct str s)
{
	uint64_t h, word;

	(void)pthread_once(&salted, make_salt);
	h = salt ^ s.n * UINT64_C(0x9e3779b97f4a7c15);
	while (s.n >= 8) {
		memcpy(&word, s.p, 8);
		h = mix(h ^ word, UINT64_C(0xa0761d6478bd642f) ^ salt);
		s.p += 8;
		s.n -= 8;
	}
	word = 0;
	if (s.n > 0)
		memcpy(&word, s.p, s.n);
	h = mix(h ^ word, UINT64_C(0xe7037ed1a0b428db));
	h = mix(h, UINT64_C(0x8ebc6af09c88c6e3));
	return h != 0 ? h : 1;
}

enum souk_err
text_map_init(struct text_map *m, size_t expected)
{
	size_t size = 16;

	while (size < 2 * expected)
		size *= 2;
	*m = (struct text_map){ .slots = calloc(size, sizeof(*m->slots)), .mask = size - 1 };
	return m->slots != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

void
text_map_done(struct text_map *m)
{
	free(m->slots);
	*m = (struct text_map){ 0 };
}

static void
insert(struct text_map *m, struct text_slot s)
{
	size_t i = s.hash & m->mask;

	while (m->slots[i].hash != 0)
		i = (i + 1) & m->mask;
	m->slots[i] = s;
	m->n++;
}

static bool
grow(struct text_map *m)
{
	struct text_map bigger;

	if (text_map_init(&bigger, m->mask + 1) != SOUK_OK)
		return false;
	for (size_t i = 0; i <= m->mask; i++)
		if (m->slots[i].hash != 0)
			insert(&bigger, m->slots[i]);
	text_map_done(m);
	*m = bigger;
	return true;
}

uint32_t
text_map_put(struct text_map *m, struct str key, uint64_t hash, uint32_t value)
{
	uint32_t old = text_map_find(m, key, hash);

	if (old != TEXT_MAP_NONE)
		return old;
	if (2 * (m->n + 1) > m->mask + 1 && !grow(m))
		return TEXT_MAP_NONE;
	insert(m, (struct text_slot){ hash, key.p, (uint32_t)key.n, value });
	return value;
}
