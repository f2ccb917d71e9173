/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-256-GCM over nettle.
 *
 * The danger is plaintext of a message that failed its tag: nettle decrypts before the
 * tag is known, so the output is zeroed here and no caller can use it by mistake.
 */
#include "vault/box.h"

#include "base/digest.h"
#include "base/secret.h"

_Static_assert(BOX_NONCE_LEN == GCM_IV_SIZE, "GCM takes 12-byte nonces without hashing them");
_Static_assert(BOX_TAG_LEN == GCM_DIGEST_SIZE, "tags are not cut");

/* nettle's generic GCM takes the cipher as a function of an untyped context. */
static void
encrypt_blocks(const void *cipher, size_t n, uint8_t *dst, const uint8_t *src)
{
	aes256_encrypt(cipher, n, dst, src);
}

void
box_key_set(struct box_key *k, const uint8_t key[BOX_KEY_LEN])
{
	aes256_set_encrypt_key(&k->cipher, key);
	gcm_set_key(&k->hash, &k->cipher, encrypt_blocks);
}

/* Starts a message: the associated data is `domain` and then the context. */
static void
begin(struct gcm_ctx *c, const struct box_key *k, const uint8_t nonce[BOX_NONCE_LEN],
    uint8_t domain, struct str context)
{
	uint8_t first[GCM_BLOCK_SIZE] = { domain };
	size_t n = context.n < sizeof(first) - 1 ? context.n : sizeof(first) - 1;

	if (n > 0)
		memcpy(first + 1, context.p, n);
	gcm_set_iv(c, &k->hash, BOX_NONCE_LEN, nonce);
	/* nettle takes whole blocks, except in the last call. */
	gcm_update(c, &k->hash, 1 + n, first);
	if (context.n > n)
		gcm_update(c, &k->hash, context.n - n, (const uint8_t *)context.p + n);
}

void
box_seal(const struct box_key *k, const uint8_t nonce[BOX_NONCE_LEN], uint8_t domain,
    struct str context, const void *plain, size_t n, uint8_t *out)
{
	struct gcm_ctx c;

	begin(&c, k, nonce, domain, context);
	gcm_encrypt(&c, &k->hash, &k->cipher, encrypt_blocks, n, out, plain);
	gcm_digest(&c, &k->hash, &k->cipher, encrypt_blocks, BOX_TAG_LEN, out + n);
}

bool
box_open(const struct box_key *k, const uint8_t nonce[BOX_NONCE_LEN], uint8_t domain,
    struct str context, struct str sealed, uint8_t *out)
{
	const uint8_t *from = (const uint8_t *)sealed.p;
	uint8_t tag[BOX_TAG_LEN];
	struct gcm_ctx c;
	size_t n;

	if (sealed.n < BOX_TAG_LEN)
		return false;
	n = sealed.n - BOX_TAG_LEN;
	begin(&c, k, nonce, domain, context);
	gcm_decrypt(&c, &k->hash, &k->cipher, encrypt_blocks, n, out, from);
	gcm_digest(&c, &k->hash, &k->cipher, encrypt_blocks, BOX_TAG_LEN, tag);
	if (secret_equal(tag, BOX_TAG_LEN, from + n, BOX_TAG_LEN))
		return true;
	wipe(out, n);
	/* The right tag of forged bytes would help the forger. */
	wipe(tag, sizeof(tag));
	return false;
}
