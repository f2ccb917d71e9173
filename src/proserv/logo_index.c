/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known logos in memory; see logo_index.h.
 *
 * A search compares with all of them: of 256 bits up to 60 may differ, so no index by parts of the bits would leave fewer
 * than it costs to ask it. The words of 64 hashes stand side by side, as processors count many at once.
 */
#include "proserv/logo_index.h"

#include "proserv/logo_store.h"

#include <pthread.h>
#include <stdlib.h>

#define BLOCK 64 /* hashes */
#define PART                                                                                       \
	16 /* blocks that stay in the nearest cache while all searches of a call look at them */
#define LOOK_BACK (3 * MINUTE_MS) /* longer than a transaction takes to become visible */
#define FIRST_CAP 1024

struct block {
	uint64_t word[LOGO_HASH_WORDS][BLOCK];
};

struct entry {
	struct guid product_id;
	uint64_t seller; /* the account id as a number */
	bool shown;
};

struct logo_index {
	pthread_rwlock_t lock;
	instant_t seen; /* the time of the newest transaction that was read; 0: none */
	size_t n, cap;
	struct entry *entries;
	struct block *blocks;
	uint32_t *places; /* 2 * cap: hashed by product id, the entry plus one; 0: free */
};

enum souk_err
logo_index_new(struct logo_index **ret)
{
	struct logo_index *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return SOUK_E_NOMEM;
	(void)pthread_rwlock_init(&x->lock, NULL);
	*ret = x;
	return SOUK_OK;
}

void
logo_index_free(struct logo_index *x)
{
	if (x == NULL)
		return;
	(void)pthread_rwlock_destroy(&x->lock);
	free(x->entries);
	free(x->blocks);
	free(x->places);
	free(x);
}

/* ---- putting ---- */

static uint64_t
number_of(struct str account_id)
{
	uint64_t n = 0;

	for (size_t i = 0; i < account_id.n; i++)
		n = 10 * n + (uint64_t)(account_id.p[i] - '0');
	return n;
}

static void
write_number(uint64_t n, char out[static ACCOUNT_ID_LEN + 1])
{
	for (size_t i = ACCOUNT_ID_LEN; i > 0; i--, n /= 10)
		out[i - 1] = (char)('0' + n % 10);
	out[ACCOUNT_ID_LEN] = '\0';
}

/* Where the product's entry is named, or would be. Product ids are drawn by chance. */
static uint32_t *
place_of(const struct logo_index *x, const struct guid *product_id)
{
	size_t at;

	memcpy(&at, product_id->b, sizeof(at));
	for (at %= 2 * x->cap; x->places[at] != 0; at = (at + 1) % (2 * x->cap))
		if (guid_eq(&x->entries[x->places[at] - 1].product_id, product_id))
			break;
	return &x->places[at];
}

static enum souk_err
grow(struct logo_index *x)
{
	size_t cap = x->cap > 0 ? 2 * x->cap : FIRST_CAP;
	struct entry *entries = realloc(x->entries, cap * sizeof(*entries));
	struct block *blocks;
	uint32_t *places;

	if (entries == NULL)
		return SOUK_E_NOMEM;
	x->entries = entries;
	if ((blocks = realloc(x->blocks, cap / BLOCK * sizeof(*blocks))) == NULL)
		return SOUK_E_NOMEM;
	memset(blocks + x->cap / BLOCK, 0, (cap - x->cap) / BLOCK * sizeof(*blocks));
	x->blocks = blocks;
	if ((places = calloc(2 * cap, sizeof(*places))) == NULL)
		return SOUK_E_NOMEM;
	free(x->places);
	x->places = places;
	x->cap = cap;
	for (size_t i = 0; i < x->n; i++)
		*place_of(x, &x->entries[i].product_id) = (uint32_t)i + 1;
	return SOUK_OK;
}

static enum souk_err
put(struct logo_index *x, const struct logo_shown *v)
{
	enum souk_err r = x->n == x->cap ? grow(x) : SOUK_OK;
	uint32_t *place;
	size_t i;

	if (r != SOUK_OK)
		return r;
	place = place_of(x, &v->product_id);
	if (*place == 0 && !v->shown)
		return SOUK_OK;
	if (*place == 0)
		*place = (uint32_t)++x->n;
	i = *place - 1;
	x->entries[i] = (struct entry){ v->product_id, number_of(str_c(v->seller_id)), v->shown };
	for (size_t k = 0; k < LOGO_HASH_WORDS; k++)
		x->blocks[i / BLOCK].word[k][i % BLOCK] = v->hash.bits[k];
	return SOUK_OK;
}

enum souk_err
logo_index_put(struct logo_index *x, const struct logo_shown *v, size_t n)
{
	enum souk_err r = SOUK_OK;

	(void)pthread_rwlock_wrlock(&x->lock);
	for (size_t i = 0; r == SOUK_OK && i < n; i++)
		r = put(x, &v[i]);
	(void)pthread_rwlock_unlock(&x->lock);
	return r;
}

/* ---- reading ---- */

struct changed {
	struct logo_shown *v;
	size_t n, cap;
};

static enum souk_err
add(struct changed *c, struct db_stmt *st)
{
	struct str seller = db_text(st, 0);
	struct logo_shown *v;

	if (c->n == c->cap) {
		size_t cap = c->cap > 0 ? 2 * c->cap : FIRST_CAP;

		if ((v = realloc(c->v, cap * sizeof(*v))) == NULL)
			return SOUK_E_NOMEM;
		c->v = v;
		c->cap = cap;
	}
	v = &c->v[c->n++];
	*v = (struct logo_shown){ .product_id = db_guid(st, 1), .shown = db_int(st, 3) != 0 };
	if (seller.n == ACCOUNT_ID_LEN)
		memcpy(v->seller_id, seller.p, seller.n);
	v->shown = logo_hash_read(db_text(st, 2), &v->hash) && v->shown;
	return SOUK_OK;
}

static enum souk_err
read_changed(struct db_tx *tx, instant_t since, struct changed *ret)
{
	struct db_stmt *st = logo_rows_changed(tx, since);
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row)
		if ((r = add(ret, st)) != SOUK_OK) {
			db_reset(st);
			break;
		}
	return r;
}

enum souk_err
logo_index_refresh(struct logo_index *x, struct db_tx *tx)
{
	instant_t now = db_now(tx), seen;
	struct changed c = { NULL, 0, 0 };
	enum souk_err r;

	(void)pthread_rwlock_rdlock(&x->lock);
	seen = x->seen;
	(void)pthread_rwlock_unlock(&x->lock);
	r = read_changed(tx, seen > LOOK_BACK ? seen - LOOK_BACK : 0, &c);
	(void)pthread_rwlock_wrlock(&x->lock);
	/* Who read later may have been faster. */
	if (r == SOUK_OK && now >= x->seen) {
		for (size_t i = 0; r == SOUK_OK && i < c.n; i++)
			r = put(x, &c.v[i]);
		if (r == SOUK_OK)
			x->seen = now;
	}
	(void)pthread_rwlock_unlock(&x->lock);
	free(c.v);
	return r;
}

/* ---- searching ---- */

struct best {
	size_t at;
	uint64_t distance;
};

_Static_assert(LOGO_HASH_WORDS == 4, "see measure");

static inline __attribute__((always_inline)) uint64_t
count(uint64_t bits)
{
	return (uint64_t)__builtin_popcountll(bits);
}

static inline __attribute__((always_inline)) uint64_t
measure(const struct block *b, const struct logo_hash *h, uint64_t out[BLOCK])
{
	uint64_t least = LOGO_HASH_BITS;
	const uint64_t w[4] = { h->bits[0], h->bits[1], h->bits[2], h->bits[3] };

	for (size_t i = 0; i < BLOCK; i++) {
		uint64_t d = count(b->word[0][i] ^ w[0]) + count(b->word[1][i] ^ w[1]) +
			     count(b->word[2][i] ^ w[2]) + count(b->word[3][i] ^ w[3]);

		out[i] = d;
		least = d < least ? d : least;
	}
	return least;
}

/* Of a block in which something is near enough. */
static __attribute__((noinline)) void
choose(
    const struct logo_index *x, size_t first, const uint64_t *d, uint64_t seller, struct best *io)
{
	for (size_t i = 0; i < BLOCK && first + i < x->n; i++) {
		const struct entry *e = &x->entries[first + i];

		if (d[i] > io->distance || !e->shown || e->seller == seller)
			continue;
		if (d[i] < io->distance || io->at == SIZE_MAX ||
		    guid_cmp(&e->product_id, &x->entries[io->at].product_id) < 0)
			*io = (struct best){ first + i, d[i] };
	}
}

static inline __attribute__((always_inline)) void
look(const struct logo_index *x, size_t from, size_t to, const struct logo_search *q,
    struct best *io)
{
	uint64_t seller = number_of(q->seller_id), d[BLOCK];

	if (q->seller_id.n == 0)
		seller = UINT64_MAX;
	for (size_t b = from; b < to; b++)
		if (measure(&x->blocks[b], &q->hash, d) <= io->distance)
			choose(x, b * BLOCK, d, seller, io);
}

static void
look_plain(const struct logo_index *x, size_t from, size_t to, const struct logo_search *q,
    struct best *io)
{
	look(x, from, to, q, io);
}

typedef void look_fn(const struct logo_index *x, size_t from, size_t to,
    const struct logo_search *q, struct best *io);

#if defined(__x86_64__)
/* The same for processors that count bits, eight words at once or one: not all of the architecture do. */
static __attribute__((target("avx512f,avx512vl,avx512vpopcntdq,popcnt"))) void
look_wide(const struct logo_index *x, size_t from, size_t to, const struct logo_search *q,
    struct best *io)
{
	look(x, from, to, q, io);
}

static __attribute__((target("popcnt"))) void
look_popcnt(const struct logo_index *x, size_t from, size_t to, const struct logo_search *q,
    struct best *io)
{
	look(x, from, to, q, io);
}

static look_fn *
fastest(void)
{
	if (__builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vl"))
		return look_wide;
	return __builtin_cpu_supports("popcnt") ? look_popcnt : look_plain;
}
#else
static look_fn *
fastest(void)
{
	return look_plain;
}
#endif

#define AT_ONCE 32 /* searches */

static void
search_some(const struct logo_index *x, look_fn *fn, struct logo_search *v, size_t n)
{
	size_t blocks = (x->n + BLOCK - 1) / BLOCK;
	struct best best[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		best[i] = (struct best){ SIZE_MAX, LOGO_LIKE_MAX };
	for (size_t from = 0; from < blocks; from += PART)
		for (size_t i = 0; i < n; i++)
			fn(x, from, from + PART < blocks ? from + PART : blocks, &v[i], &best[i]);
	for (size_t i = 0; i < n; i++) {
		const struct entry *e;

		v[i].found = best[i].at != SIZE_MAX;
		if (!v[i].found)
			continue;
		e = &x->entries[best[i].at];
		v[i].nearest = (struct logo_shown){ .product_id = e->product_id, .shown = true };
		write_number(e->seller, v[i].nearest.seller_id);
		for (size_t k = 0; k < LOGO_HASH_WORDS; k++)
			v[i].nearest.hash.bits[k] =
			    x->blocks[best[i].at / BLOCK].word[k][best[i].at % BLOCK];
	}
}

void
logo_index_search(struct logo_index *x, struct logo_search *v, size_t n)
{
	look_fn *fn = fastest();

	(void)pthread_rwlock_rdlock(&x->lock);
	for (size_t i = 0; i < n; i += AT_ONCE)
		search_some(x, fn, v + i, n - i < AT_ONCE ? n - i : AT_ONCE);
	(void)pthread_rwlock_unlock(&x->lock);
}
