/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One AES-256-GCM message, with the key schedule kept apart from the message, so that
 * threads share a key. The layer's own: callers outside use vault.h.
 */
#ifndef SOUK_VAULT_BOX_H
#define SOUK_VAULT_BOX_H

#include "base/str.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>

#define BOX_KEY_LEN 32
#define BOX_NONCE_LEN 12
#define BOX_TAG_LEN 16

/* An expanded key: as secret as the key itself. Read-only once set. */
struct box_key {
	struct gcm_key hash;
	struct aes256_ctx cipher;
};

/* What a sealed message is for: the first byte of the associated data, never reused. */
enum box_domain {
	BOX_WRAP = 1, /* a data key under a master key */
	BOX_RECORD = 2,
	BOX_CHUNK = 3
};

void box_key_set(struct box_key *k, const uint8_t key[BOX_KEY_LEN]);
/*
 * Seals `n` bytes into out (n + BOX_TAG_LEN; may be `plain` itself). A nonce must never
 * serve twice under one key: that gives away both messages and the power to forge.
 */
void box_seal(const struct box_key *k, const uint8_t nonce[BOX_NONCE_LEN], uint8_t domain,
    struct str context, const void *plain, size_t n, uint8_t *out);
/*
 * Opens into out (sealed.n - BOX_TAG_LEN bytes). False when shorter than a tag (out
 * untouched), or when key, nonce, domain, context or any byte differs (out zeroed).
 */
SOUK_MUST bool box_open(const struct box_key *k, const uint8_t nonce[BOX_NONCE_LEN], uint8_t domain,
    struct str context, struct str sealed, uint8_t *out);

#endif
