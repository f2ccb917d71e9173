/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a token or a key id to a principal, through the cache.
 *
 * Two tables: `known` holds who was recognised; `absent`, small and apart so that guesses
 * cannot push anybody out of `known`, holds key ids that are nobody's. Thus the second
 * request with an unknown key takes the course of the second request with a known one.
 */
#include "access/access_int.h"
#include "access/access_store.h"
#include "access/sigv4.h"

#include "base/secret.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define KNOWN_MAX 8192
#define ABSENT_MAX 512

struct access {
	struct access_source source;
	struct db *db;
	struct vault *vault;
	struct cache *known, *absent;
	struct secret nobody; /* the secret of keys that do not exist */
	_Atomic int64_t generation;
};

_Static_assert(SECRET_KEY_LEN == CACHE_SECRET_LEN, "a secret fits the cache");

/* ---- the database as source ---- */

struct load {
	struct access *access;
	const uint8_t *token_hash; /* NULL: by key */
	struct str access_key_id;
	struct principal *who;
	uint8_t secret[SECRET_KEY_LEN];
	int64_t generation;
};

static enum souk_err
row_principal(const struct access_row *row, const char *actor, struct principal **ret)
{
	const struct principal_facts f = { .user_id = row->user_id,
		.user_name = row->user_name,
		.account_id = row->account_id,
		.actor = str_c(actor),
		.user_policy = row->user_policy,
		.own_policy = row->own_policy,
		.is_operator = row->is_operator,
		.is_buyer = row->is_buyer,
		.is_seller = row->is_seller,
		.expires_at = row->expires_at };

	return row->active ? principal_new(&f, ret) : SOUK_E_UNAUTHENTICATED;
}

static enum souk_err
secret_open(struct vault *v, struct str id, const struct access_row *row, uint8_t *out)
{
	struct data_key key;
	enum souk_err err;

	if (row->secret.n != SECRET_KEY_LEN + VAULT_OVERHEAD)
		return SOUK_E_INTERNAL;
	if ((err = vault_key_unwrap(v, id, row->data_key, &key)) != SOUK_OK)
		return err;
	err = vault_unseal(&key, id, row->secret, out);
	wipe(&key, sizeof(key));
	return err;
}

static enum souk_err
load_tx(struct db_tx *tx, void *arg)
{
	struct load *l = arg;
	struct access_row row;
	char actor[64], id[GUID_TEXT_LEN + 1];
	enum souk_err err = l->token_hash ? access_row_by_token(tx, l->token_hash, &row)
					  : access_row_by_key(tx, l->access_key_id, &row);

	principal_release(l->who); /* of an earlier run */
	l->who = NULL;
	if (err != SOUK_OK)
		return err == SOUK_E_NOT_FOUND ? SOUK_E_UNAUTHENTICATED : err;
	if (l->token_hash) {
		guid_format(&row.token_id, id);
		(void)snprintf(actor, sizeof(actor), "token:%s", id);
	} else {
		(void)snprintf(
		    actor, sizeof(actor), "key:%.*s", (int)l->access_key_id.n, l->access_key_id.p);
		err = secret_open(l->access->vault, l->access_key_id, &row, l->secret);
	}
	if (err == SOUK_OK)
		err = row_principal(&row, actor, &l->who);
	access_row_done(&row);
	return err;
}

static enum souk_err
source_by_token(void *ctx, const uint8_t token_hash[SHA256_LEN], struct principal **ret)
{
	struct access *a = ctx;
	struct load l = { .access = a, .token_hash = token_hash };
	enum souk_err err = db_read(a->db, load_tx, &l);

	if (err == SOUK_OK)
		*ret = l.who;
	else
		principal_release(l.who);
	return err;
}

/* SOUK and 16 of base 32: nothing else was ever given out. */
static bool
is_access_key_id(struct str s)
{
	if (s.n != ACCESS_KEY_ID_LEN || !str_starts(s, STR("SOUK")))
		return false;
	for (size_t i = 4; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '2' && s.p[i] <= '7')))
			return false;
	return true;
}

static enum souk_err
source_by_key(
    void *ctx, struct str access_key_id, struct principal **ret, uint8_t ret_secret[SECRET_KEY_LEN])
{
	struct access *a = ctx;
	struct load l = { .access = a, .access_key_id = access_key_id };
	enum souk_err err =
	    is_access_key_id(access_key_id) ? db_read(a->db, load_tx, &l) : SOUK_E_UNAUTHENTICATED;

	if (err == SOUK_OK) {
		*ret = l.who;
		memcpy(ret_secret, l.secret, SECRET_KEY_LEN);
	} else {
		principal_release(l.who);
	}
	wipe(l.secret, sizeof(l.secret));
	return err;
}

static enum souk_err
generation_tx(struct db_tx *tx, void *arg)
{
	struct load *l = arg;

	return access_store_generation(tx, &l->generation);
}

static enum souk_err
source_generation(void *ctx, int64_t *ret)
{
	struct access *a = ctx;
	struct load l = { .access = a };
	enum souk_err err = db_read(a->db, generation_tx, &l);

	if (err == SOUK_OK)
		*ret = l.generation;
	return err;
}

void
access_forget(struct access *a)
{
	cache_clear(a->known);
	cache_clear(a->absent);
}

static void
forget_on_commit(void *arg)
{
	access_forget(arg);
}

/* ---- life ---- */

/* `a->source` is set; owns `a` also on failure. */
static enum souk_err
access_start(struct access *a, struct access **ret)
{
	int64_t generation = 0;
	enum souk_err err;

	if ((err = cache_new(KNOWN_MAX, &a->known)) != SOUK_OK ||
	    (err = cache_new(ABSENT_MAX, &a->absent)) != SOUK_OK ||
	    (err = secret_init(&a->nobody, SECRET_KEY_LEN)) != SOUK_OK ||
	    (err = a->source.generation(a->source.ctx, &generation)) != SOUK_OK) {
		access_free(a);
		return err;
	}
	random_bytes(a->nobody.p, a->nobody.n);
	atomic_init(&a->generation, generation);
	*ret = a;
	return SOUK_OK;
}

enum souk_err
access_new_from(const struct access_source *source, struct access **ret)
{
	struct access *a = calloc(1, sizeof(*a));

	if (!a)
		return SOUK_E_NOMEM;
	a->source = *source;
	return access_start(a, ret);
}

enum souk_err
access_new(struct db *db, struct vault *v, struct access **ret)
{
	struct access *a = calloc(1, sizeof(*a));
	enum souk_err err;

	if (!a)
		return SOUK_E_NOMEM;
	a->db = db;
	a->vault = v;
	a->source = (struct access_source){ .by_token = source_by_token,
		.by_key = source_by_key,
		.generation = source_generation,
		.ctx = a };
	if ((err = access_start(a, ret)) == SOUK_OK)
		db_listen(db, DB_NEWS_ACCESS, forget_on_commit, a);
	return err;
}

void
access_free(struct access *a)
{
	if (!a)
		return;
	if (a->db)
		db_listen(a->db, DB_NEWS_ACCESS, NULL, NULL);
	cache_free(a->known);
	cache_free(a->absent);
	secret_done(&a->nobody);
	free(a);
}

struct vault *
access_vault(const struct access *a)
{
	return a->vault;
}

size_t
access_cached(struct access *a)
{
	return cache_count(a->known);
}

enum souk_err
access_changed(struct db_tx *tx, struct access *a)
{
	int64_t generation = 0;
	enum souk_err err = lock_subject(tx, "access", sizeof("access"));

	if (err != SOUK_OK || (err = access_store_generation(tx, &generation)) != SOUK_OK ||
	    (err = access_store_generation_put(tx, generation + 1)) != SOUK_OK)
		return err;
	db_on_commit(tx, forget_on_commit, a);
	return db_tell(tx, DB_NEWS_ACCESS);
}

void
access_refresh(struct access *a)
{
	int64_t generation = 0;

	/* A database that cannot be read now will be asked again in a second. */
	if (a->source.generation(a->source.ctx, &generation) == SOUK_OK &&
	    atomic_exchange(&a->generation, generation) != generation)
		access_forget(a);
}

/* ---- recognising ---- */

enum souk_err
access_by_token(struct access *a, struct str token, struct principal **ret)
{
	uint8_t hash[SHA256_LEN], none[CACHE_SECRET_LEN] = { 0 };
	struct principal *who = NULL;
	struct cache_id id = { .n = 0 };
	uint64_t epoch = cache_epoch(a->known);
	bool short_enough;
	instant_t expires;
	enum souk_err err;

	if (token.n != TOKEN_LEN || !str_starts(token, STR("souk_")))
		return SOUK_E_UNAUTHENTICATED;
	sha256(token.p, token.n, hash);
	short_enough =
	    cache_id_make('t', &(struct str){ (const char *)hash, sizeof(hash) }, 1, &id);
	assert(short_enough);
	if (!cache_find(a->known, &id, &who, none)) {
		if ((err = a->source.by_token(a->source.ctx, hash, &who)) != SOUK_OK)
			return err;
		cache_put(a->known, &id, who, none, epoch);
	}
	expires = principal_expires(who);
	if (expires != 0 && clock_now() >= expires) {
		principal_release(who);
		return SOUK_E_UNAUTHENTICATED;
	}
	*ret = who;
	return SOUK_OK;
}

/* What is cached under an id. Both tables are looked at in any case: it takes the same time. */
static bool
cached(struct access *a, const struct cache_id *id, struct principal **ret, uint8_t *ret_secret)
{
	struct principal *nobody = NULL;
	uint8_t none[CACHE_SECRET_LEN];
	bool known = cache_find(a->known, id, ret, ret_secret);
	bool absent = cache_find(a->absent, id, known ? &nobody : ret, known ? none : ret_secret);

	return known || absent;
}

static void
keep(struct access *a, const struct cache_id *id, struct principal *who, const uint8_t *secret,
    uint64_t epoch)
{
	/* Both tables are cleared together, `known` first: its epoch serves for both. */
	cache_put(who ? a->known : a->absent, id, who, secret, epoch);
}

/* *ret NULL and nobody's secret when there is no such key. */
static enum souk_err
secret_find(struct access *a, struct str access_key_id, struct principal **ret, uint8_t *ret_secret)
{
	struct cache_id id = { .n = 0 };
	uint64_t epoch = cache_epoch(a->known);
	bool short_enough = cache_id_make('k', &access_key_id, 1, &id);
	enum souk_err err;

	if (short_enough && cached(a, &id, ret, ret_secret))
		return SOUK_OK;
	*ret = NULL;
	err = a->source.by_key(a->source.ctx, access_key_id, ret, ret_secret);
	if (err == SOUK_E_UNAUTHENTICATED) {
		memcpy(ret_secret, a->nobody.p, SECRET_KEY_LEN);
		err = SOUK_OK;
	}
	if (err == SOUK_OK && short_enough)
		keep(a, &id, *ret, ret_secret, epoch);
	return err;
}

enum souk_err
access_by_key(struct access *a, struct str access_key_id, struct principal **ret,
    struct access_secret *ret_secret)
{
	struct principal *who = NULL;
	uint8_t secret[SECRET_KEY_LEN];
	enum souk_err err = secret_find(a, access_key_id, &who, secret);

	if (err == SOUK_OK && !who)
		err = SOUK_E_UNAUTHENTICATED;
	if (err == SOUK_OK) {
		*ret = who;
		memcpy(ret_secret->secret, secret, sizeof(secret));
		ret_secret->secret[SECRET_KEY_LEN] = '\0';
	}
	wipe(secret, sizeof(secret));
	return err;
}

enum souk_err
access_signing_key(struct access *a, struct str access_key_id, struct str date, struct str region,
    struct str service, struct principal **ret, uint8_t ret_key[32])
{
	const struct str parts[] = { access_key_id, date, region, service };
	struct principal *who = NULL;
	uint8_t secret[CACHE_SECRET_LEN] = { 0 };
	struct cache_id id = { .n = 0 };
	uint64_t epoch = cache_epoch(a->known);
	bool short_enough = cache_id_make('s', parts, 4, &id);
	enum souk_err err = SOUK_OK;

	if (!short_enough || !cached(a, &id, &who, secret)) {
		if ((err = secret_find(a, access_key_id, &who, secret)) != SOUK_OK)
			goto out;
		sigv4_signing_key((struct str){ (const char *)secret, SECRET_KEY_LEN }, date,
		    region, service, secret);
		if (short_enough)
			keep(a, &id, who, secret, epoch);
	}
	memcpy(ret_key, secret, 32);
	*ret = who;
out:
	wipe(secret, sizeof(secret));
	return err;
}
