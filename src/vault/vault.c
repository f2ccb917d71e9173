/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data keys, sealed records and chunks, keyed indexes.
 *
 * The danger is a key left behind: what is expanded on the stack is wiped before return.
 */
#include "vault/vault.h"

#include "base/digest.h"
#include "base/secret.h"
#include "vault/box.h"
#include "vault/vault_ring.h"

#include <assert.h>

/* Places in a wrapped key. */
#define WRAP_FORMAT 1
#define WRAP_NONCE 4
#define WRAP_BODY (WRAP_NONCE + BOX_NONCE_LEN)

_Static_assert(WRAP_BODY + VAULT_KEY_LEN + BOX_TAG_LEN == VAULT_WRAPPED_LEN, "header vault.h");
_Static_assert(BOX_NONCE_LEN + BOX_TAG_LEN == VAULT_OVERHEAD, "header vault.h");
_Static_assert(BOX_TAG_LEN == VAULT_CHUNK_OVERHEAD, "header vault.h");

/* ---- data keys ---- */

uint32_t
vault_wrapped_number(struct str wrapped)
{
	const uint8_t *b = (const uint8_t *)wrapped.p;

	if (wrapped.n != VAULT_WRAPPED_LEN || b[0] != WRAP_FORMAT)
		return 0;
	return (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void
wrap(struct vault *v, struct str context, const struct data_key *k, struct wrapped_key *ret)
{
	struct inside in;
	uint32_t number;
	int at;

	random_bytes(ret->b + WRAP_NONCE, BOX_NONCE_LEN);
	ring_keep_fresh(v);
	in = ring_enter(v);
	number = in.ring->keys->current;
	at = ring_find(in.ring, number);
	assert(at >= 0);
	box_seal(&in.ring->box[at], ret->b + WRAP_NONCE, BOX_WRAP, context, k->b, VAULT_KEY_LEN,
	    ret->b + WRAP_BODY);
	ring_leave(in);
	ret->b[0] = WRAP_FORMAT;
	ret->b[1] = (uint8_t)(number >> 16);
	ret->b[2] = (uint8_t)(number >> 8);
	ret->b[3] = (uint8_t)number;
}

void
vault_key_new(
    struct vault *v, struct str context, struct data_key *ret_key, struct wrapped_key *ret_wrapped)
{
	random_bytes(ret_key->b, VAULT_KEY_LEN);
	wrap(v, context, ret_key, ret_wrapped);
}

/* Opens with the ring as it is. *ret_known: the ring has that master key. */
static bool
unwrap(
    struct vault *v, struct str context, struct str wrapped, struct data_key *ret, bool *ret_known)
{
	const uint8_t *b = (const uint8_t *)wrapped.p;
	struct str body = { wrapped.p + WRAP_BODY, VAULT_KEY_LEN + BOX_TAG_LEN };
	struct inside in = ring_enter(v);
	int at = ring_find(in.ring, vault_wrapped_number(wrapped));
	bool ok =
	    at >= 0 && box_open(&in.ring->box[at], b + WRAP_NONCE, BOX_WRAP, context, body, ret->b);

	ring_leave(in);
	*ret_known = at >= 0;
	return ok;
}

enum souk_err
vault_key_unwrap(struct vault *v, struct str context, struct str wrapped, struct data_key *ret)
{
	struct data_key k;
	bool ok, known;

	if (vault_wrapped_number(wrapped) == 0)
		return SOUK_E_INTERNAL;
	ok = unwrap(v, context, wrapped, &k, &known);
	/* Another process may have added the key a moment ago. */
	if (!known && vault_read_again(v, NULL) == SOUK_OK)
		ok = unwrap(v, context, wrapped, &k, &known);
	if (ok)
		*ret = k;
	wipe(&k, sizeof(k));
	return ok ? SOUK_OK : SOUK_E_INTERNAL;
}

enum souk_err
vault_key_rewrap(struct vault *v, struct str context, struct str wrapped, struct wrapped_key *ret,
    bool *ret_changed)
{
	struct data_key k;
	struct wrapped_key w;
	enum souk_err r;

	if ((r = vault_key_unwrap(v, context, wrapped, &k)) != SOUK_OK)
		return r;
	*ret_changed = vault_wrapped_number(wrapped) != vault_current(v);
	if (*ret_changed)
		wrap(v, context, &k, &w);
	else
		memcpy(w.b, wrapped.p, sizeof(w.b));
	*ret = w;
	wipe(&k, sizeof(k));
	return SOUK_OK;
}

/* ---- records and chunks ---- */

void
vault_seal(const struct data_key *k, struct str context, const void *plain, size_t n, uint8_t *out)
{
	struct box_key box;

	random_bytes(out, BOX_NONCE_LEN);
	box_key_set(&box, k->b);
	box_seal(&box, out, BOX_RECORD, context, plain, n, out + BOX_NONCE_LEN);
	wipe(&box, sizeof(box));
}

enum souk_err
vault_unseal(const struct data_key *k, struct str context, struct str sealed, uint8_t *out)
{
	struct box_key box;
	bool ok;

	if (sealed.n < VAULT_OVERHEAD)
		return SOUK_E_INTERNAL;
	box_key_set(&box, k->b);
	ok = box_open(&box, (const uint8_t *)sealed.p, BOX_RECORD, context,
	    (struct str){ sealed.p + BOX_NONCE_LEN, sealed.n - BOX_NONCE_LEN }, out);
	wipe(&box, sizeof(box));
	return ok ? SOUK_OK : SOUK_E_INTERNAL;
}

/* The index and whether it ends the object: no two chunks of an object share a nonce. */
static void
chunk_nonce(uint64_t index, bool last, uint8_t out[BOX_NONCE_LEN])
{
	memset(out, 0, BOX_NONCE_LEN);
	for (int i = 7; i >= 0; i--, index >>= 8)
		out[i] = (uint8_t)index;
	out[8] = last;
}

void
vault_seal_chunk(
    const struct data_key *k, uint64_t index, bool last, const void *plain, size_t n, uint8_t *out)
{
	uint8_t nonce[BOX_NONCE_LEN];
	struct box_key box;

	assert(n <= VAULT_CHUNK);
	chunk_nonce(index, last, nonce);
	box_key_set(&box, k->b);
	box_seal(&box, nonce, BOX_CHUNK, STR(""), plain, n, out);
	wipe(&box, sizeof(box));
}

enum souk_err
vault_unseal_chunk(
    const struct data_key *k, uint64_t index, bool last, struct str sealed, uint8_t *out)
{
	uint8_t nonce[BOX_NONCE_LEN];
	struct box_key box;
	bool ok;

	if (sealed.n < VAULT_CHUNK_OVERHEAD || sealed.n > VAULT_CHUNK + VAULT_CHUNK_OVERHEAD)
		return SOUK_E_INTERNAL;
	chunk_nonce(index, last, nonce);
	box_key_set(&box, k->b);
	ok = box_open(&box, nonce, BOX_CHUNK, STR(""), sealed, out);
	wipe(&box, sizeof(box));
	return ok ? SOUK_OK : SOUK_E_INTERNAL;
}

/* ---- keyed indexes and MACs ---- */

/* HMAC-SHA-256 of the domain, its length before it, and the data; uses up `c`. */
static void
mac(struct hmac_sha256_ctx *c, const char *domain, struct str data, size_t out_n, uint8_t *out)
{
	size_t n = strlen(domain);
	uint8_t len = (uint8_t)n;

	assert(n <= UINT8_MAX);
	hmac_sha256_update(c, 1, &len);
	hmac_sha256_update(c, n, (const uint8_t *)domain);
	hmac_sha256_update(c, data.n, (const uint8_t *)data.p);
	hmac_sha256_digest(c, out_n, out);
	wipe(c, sizeof(*c));
}

void
vault_blind(
    const struct vault *v, const char *domain, struct str value, uint8_t out[VAULT_BLIND_LEN])
{
	struct inside in = ring_enter(v);
	struct hmac_sha256_ctx c = in.ring->blind;

	ring_leave(in);
	mac(&c, domain, value, VAULT_BLIND_LEN, out);
}

void
vault_mac(const struct vault *v, const char *domain, struct str data, uint8_t out[32])
{
	struct inside in = ring_enter(v);
	struct hmac_sha256_ctx c = in.ring->audit;

	ring_leave(in);
	mac(&c, domain, data, SHA256_LEN, out);
}

void
vault_fingerprint(const struct vault *v, char out[33])
{
	uint8_t print[VAULT_BLIND_LEN];

	vault_blind(v, "vault.fingerprint", STR("souk"), print);
	hex_encode(print, sizeof(print), out);
}
