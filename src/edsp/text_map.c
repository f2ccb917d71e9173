/* SPDX-License-Identifier: Apache-2.0 */
/* Text to number; see text_map.h. */
#include "edsp/text_map.h"

#include "base/guid.h"

#include <stdlib.h>

uint64_t text_map_salt;

/* Before any thread begins: the salt is read without a lock. */
__attribute__((constructor)) static void
make_salt(void)
{
	random_bytes(&text_map_salt, sizeof(text_map_salt));
}

enum souk_err
text_map_init(struct text_map *m, size_t expected)
{
	size_t size = 16;

	while (size < 2 * expected)
		size *= 2;
	/* One block: the tags behind the slots. */
	*m = (struct text_map){ .slots = calloc(size, sizeof(*m->slots) + 1), .mask = size - 1 };
	if (m->slots == NULL)
		return SOUK_E_NOMEM;
	m->tags = (uint8_t *)(m->slots + size);
	return SOUK_OK;
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
	m->tags[i] = text_map_tag(s.hash);
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
