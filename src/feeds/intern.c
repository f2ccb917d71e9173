/* SPDX-License-Identifier: Apache-2.0 */
/* Sharded by the hash: each shard has its lock, its table and its texts. */
#include "feeds/intern.h"

#include "base/array.h"

#include <stdlib.h>
#include <sys/random.h>

#define FIRST_SLOTS 64U
#define TEXT_BLOCK ((size_t)64 * 1024)

/* ---- hash ------------------------------------------------------------------------------------------------ */

static uint64_t hash_key[4];
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void
draw_key(void)
{
	if (getrandom(hash_key, sizeof(hash_key), 0) != (ssize_t)sizeof(hash_key))
		abort();
	hash_key[3] |= 1;
}

static inline uint64_t
word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Fewer than 16 bytes as two words. */
static inline void
short_words(struct str s, uint64_t *ret_x, uint64_t *ret_y)
{
	char bytes[16] = { 0 };

	for (size_t i = 0; i < s.n; i++)
		bytes[i] = s.p[i];
	*ret_x = word(bytes);
	*ret_y = word(bytes + 8);
}

/* Folds 16 bytes in: the halves of a 128-bit product, each with one of the words. */
static inline void
mix(uint64_t *a, uint64_t *b, uint64_t x, uint64_t y)
{
	unsigned __int128 m = (unsigned __int128)(x ^ *a) * (y ^ *b);

	*a = (uint64_t)m ^ (y + hash_key[2]);
	*b = (uint64_t)(m >> 64) ^ (x * hash_key[3]);
}

struct text_hash
text_hash(struct str s)
{
	uint64_t a, b, x, y;
	size_t i = 0;

	(void)pthread_once(&hash_once, draw_key);
	a = hash_key[0] ^ s.n;
	b = hash_key[1];
	for (; i + 16 < s.n; i += 16)
		mix(&a, &b, word(s.p + i), word(s.p + i + 8));
	if (s.n >= 16) { /* the last 16, some of them once more */
		mix(&a, &b, word(s.p + s.n - 16), word(s.p + s.n - 8));
	} else {
		short_words(s, &x, &y);
		mix(&a, &b, x, y);
	}
	mix(&a, &b, hash_key[2], s.n);
	mix(&a, &b, hash_key[0], hash_key[1]);
	return (struct text_hash){ a, (uint32_t)(b >> 32) };
}

/* ---- table ----------------------------------------------------------------------------------------------- */

struct hash_slot *
hash_table_at(const struct hash_table *t, struct text_hash h)
{
	/* The low bits chose the shard. */
	uint32_t i = (uint32_t)(h.a >> 32) & t->mask;

	while (t->slot[i].value != INTERN_NONE && (t->slot[i].a != h.a || t->slot[i].b != h.b))
		i = (i + 1) & t->mask;
	return &t->slot[i];
}

bool
hash_table_grow(struct hash_table *t)
{
	struct hash_table to = { .n = t->n };
	size_t n = t->slot ? 2 * ((size_t)t->mask + 1) : FIRST_SLOTS;

	if (t->slot && t->n < (t->mask + 1) / 4 * 3)
		return true;
	if (n > UINT32_MAX || !(to.slot = array_large(n, sizeof(*to.slot))))
		return false;
	memset(to.slot, 0xff, n * sizeof(*to.slot));
	to.mask = (uint32_t)(n - 1);
	for (size_t i = 0; t->slot && i <= t->mask; i++) {
		const struct hash_slot *s = &t->slot[i];

		if (s->value != INTERN_NONE)
			*hash_table_at(&to, (struct text_hash){ s->a, s->b }) = *s;
	}
	free(t->slot);
	*t = to;
	return true;
}

bool
hash_table_reserve(struct hash_table *t, uint64_t n)
{
	uint64_t slots = FIRST_SLOTS;

	while (slots / 4 * 3 <= n && slots < UINT32_MAX / 2)
		slots *= 2;
	if (!t->slot || slots > (uint64_t)t->mask + 1) {
		hash_table_done(t);
		if (!(t->slot = array_large(slots, sizeof(*t->slot))))
			return false;
		t->mask = (uint32_t)(slots - 1);
	}
	memset(t->slot, 0xff, ((size_t)t->mask + 1) * sizeof(*t->slot));
	t->n = 0;
	return true;
}

void
hash_table_done(struct hash_table *t)
{
	free(t->slot);
	*t = (struct hash_table){ 0 };
}

/* ---- texts ----------------------------------------------------------------------------------------------- */

struct text_block {
	struct text_block *next;
	char bytes[];
};

struct shard {
	pthread_mutex_t lock;
	struct hash_table table;
	const char **text; /* by the number within the shard: 4 bytes of length, then the text */
	uint32_t n, cap;
	struct text_block *blocks;
	size_t at, size; /* in the first block */
} __attribute__((aligned(64)));

struct intern {
	struct shard shard[INTERN_SHARDS];
};

struct intern *
intern_new(void)
{
	struct intern *in = aligned_alloc(64, sizeof(*in));

	if (!in)
		return NULL;
	memset(in, 0, sizeof(*in));
	for (size_t i = 0; i < INTERN_SHARDS; i++)
		(void)pthread_mutex_init(&in->shard[i].lock, NULL);
	return in;
}

void
intern_free(struct intern *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < INTERN_SHARDS; i++) {
		struct shard *s = &in->shard[i];

		for (struct text_block *b = s->blocks, *next; b; b = next) {
			next = b->next;
			free(b);
		}
		hash_table_done(&s->table);
		free(s->text);
		(void)pthread_mutex_destroy(&s->lock);
	}
	free(in);
}

bool
intern_reserve(struct intern *in, uint64_t n)
{
	bool ok = true;

	for (size_t i = 0; i < INTERN_SHARDS; i++)
		ok = hash_table_reserve(&in->shard[i].table, n / INTERN_SHARDS) && ok;
	return ok;
}

static const char *
keep_text(struct shard *s, struct str text)
{
	uint32_t n = (uint32_t)text.n;
	size_t need = sizeof(n) + text.n;
	char *p;

	if (!s->blocks || s->size - s->at < need) {
		size_t size = need > TEXT_BLOCK ? need : TEXT_BLOCK;
		struct text_block *b = malloc(sizeof(*b) + size);

		if (!b)
			return NULL;
		b->next = s->blocks;
		s->blocks = b;
		s->at = 0;
		s->size = size;
	}
	p = s->blocks->bytes + s->at;
	memcpy(p, &n, sizeof(n));
	memcpy(p + sizeof(n), text.p, text.n);
	s->at += need;
	return p;
}

static bool
add_text(
    struct shard *s, uint32_t number, struct str text, struct hash_slot *slot, struct text_hash h)
{
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 64;
		const char **more = reallocarray(s->text, cap, sizeof(*more));

		if (!more)
			return false;
		s->text = more;
		s->cap = cap;
	}
	if (!(s->text[s->n] = keep_text(s, text)))
		return false;
	s->n++;
	s->table.n++;
	*slot = (struct hash_slot){ h.a, h.b, number };
	return true;
}

/* With the shard's lock held. */
static bool
put_locked(struct shard *shard, uint32_t which, struct str s, struct text_hash h, uint32_t *ret,
    bool *ret_new)
{
	struct hash_slot *slot;

	if (!hash_table_grow(&shard->table) || shard->n >= UINT32_MAX / INTERN_SHARDS - 1)
		return false;
	slot = hash_table_at(&shard->table, h);
	*ret_new = slot->value == INTERN_NONE;
	if (*ret_new && !add_text(shard, shard->n * INTERN_SHARDS + which, s, slot, h))
		return false;
	*ret = slot->value;
	return true;
}

bool
intern_put(struct intern *in, struct str s, struct text_hash h, uint32_t *ret, bool *ret_new)
{
	struct shard *shard = &in->shard[h.a % INTERN_SHARDS];
	bool ok, fresh = false;

	*ret = INTERN_NONE;
	if (ret_new)
		*ret_new = false;
	if (s.n == 0)
		return true;
	(void)pthread_mutex_lock(&shard->lock);
	ok = put_locked(shard, h.a % INTERN_SHARDS, s, h, ret, &fresh);
	(void)pthread_mutex_unlock(&shard->lock);
	if (ret_new)
		*ret_new = fresh;
	return ok;
}

static inline uint64_t
hash_in(const struct text_hash *h, size_t stride, size_t i)
{
	return ((const struct text_hash *)(const void *)((const char *)h + i * stride))->a;
}

void
hash_order(const struct text_hash *h, size_t stride, size_t n, unsigned shards, uint32_t *order,
    uint32_t *from)
{
	uint32_t at[HASH_SHARDS_MAX] = { 0 };
	uint64_t mask = shards - 1;

	for (size_t i = 0; i < n; i++)
		at[hash_in(h, stride, i) & mask]++;
	for (uint32_t k = 0, sum = 0; k < shards; k++) {
		uint32_t here = at[k];

		from[k] = at[k] = sum;
		sum += here;
	}
	from[shards] = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		order[at[hash_in(h, stride, i) & mask]++] = (uint32_t)i;
}

void
hash_table_prefetch(const struct hash_table *t, struct text_hash h)
{
	if (t->slot)
		__builtin_prefetch(&t->slot[(uint32_t)(h.a >> 32) & t->mask], 1);
}

bool
intern_put_many(struct intern *in, size_t n, const struct str *s, const struct text_hash *h,
    uint32_t *order, uint32_t *ret, bool *ret_new)
{
	uint32_t from[INTERN_SHARDS + 1];
	bool ok = true, fresh = false;

	hash_order(h, sizeof(*h), n, INTERN_SHARDS, order, from);
	for (uint32_t k = 0; ok && k < INTERN_SHARDS; k++) {
		struct shard *shard = &in->shard[k];

		if (from[k] == from[k + 1])
			continue;
		(void)pthread_mutex_lock(&shard->lock);
		for (uint32_t i = from[k]; i < from[k + 1]; i++)
			hash_table_prefetch(&shard->table, h[order[i]]);
		for (uint32_t i = from[k]; ok && i < from[k + 1]; i++) {
			uint32_t j = order[i];

			ok = put_locked(shard, k, s[j], h[j], &ret[j], &fresh);
			if (ret_new)
				ret_new[j] = fresh;
		}
		(void)pthread_mutex_unlock(&shard->lock);
	}
	return ok;
}

uint32_t
intern_peek(const struct intern *in, struct text_hash h)
{
	const struct shard *shard = &in->shard[h.a % INTERN_SHARDS];

	return shard->table.slot ? hash_table_at(&shard->table, h)->value : INTERN_NONE;
}

uint32_t
intern_find(const struct intern *in, struct str s)
{
	return s.n > 0 ? intern_peek(in, text_hash(s)) : INTERN_NONE;
}

struct str
intern_text(const struct intern *in, uint32_t id)
{
	const struct shard *shard = &in->shard[id % INTERN_SHARDS];
	const char *p;
	uint32_t n;

	if (id == INTERN_NONE || id / INTERN_SHARDS >= shard->n)
		return STR("");
	p = shard->text[id / INTERN_SHARDS];
	memcpy(&n, p, sizeof(n));
	return (struct str){ p + sizeof(n), n };
}

void
intern_prefetch_place(const struct intern *in, uint32_t id)
{
	const struct shard *shard = &in->shard[id % INTERN_SHARDS];

	if (id != INTERN_NONE && id / INTERN_SHARDS < shard->n)
		__builtin_prefetch(&shard->text[id / INTERN_SHARDS]);
}

void
intern_prefetch_text(const struct intern *in, uint32_t id)
{
	const struct shard *shard = &in->shard[id % INTERN_SHARDS];

	if (id != INTERN_NONE && id / INTERN_SHARDS < shard->n)
		__builtin_prefetch(shard->text[id / INTERN_SHARDS]);
}

uint32_t
intern_bound(const struct intern *in)
{
	uint32_t most = 0;

	for (size_t i = 0; i < INTERN_SHARDS; i++)
		if (in->shard[i].n > most)
			most = in->shard[i].n;
	return most * INTERN_SHARDS;
}

size_t
intern_count(const struct intern *in)
{
	size_t n = 0;

	for (size_t i = 0; i < INTERN_SHARDS; i++)
		n += in->shard[i].n;
	return n;
}
