/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aliases: a permutation of blocks, so nothing is stored and no two ids share one. The rest of
 * the block is a mark: what was made up opens to something without it.
 */
#include "vault/alias.h"

#include "base/digest.h"
#include "base/secret.h"

#include <nettle/aes.h>

#define MARK "souk"

_Static_assert(AES_BLOCK_SIZE == ALIAS_VALUE_LEN + sizeof(MARK) - 1, "a value and its mark");
_Static_assert(ALIAS_TEXT_LEN == 2 * AES_BLOCK_SIZE, "an alias is a block in hexadecimal");

void
vault_alias(const struct vault *v, const char *domain, struct str owner,
    const char value[static ALIAS_VALUE_LEN], char out[static ALIAS_TEXT_LEN + 1])
{
	uint8_t key[AES256_KEY_SIZE], block[AES_BLOCK_SIZE];
	struct aes256_ctx cipher;

	vault_mac(v, domain, owner, key);
	aes256_set_encrypt_key(&cipher, key);
	memcpy(block, value, ALIAS_VALUE_LEN);
	memcpy(block + ALIAS_VALUE_LEN, MARK, sizeof(MARK) - 1);
	aes256_encrypt(&cipher, sizeof(block), block, block);
	hex_encode(block, sizeof(block), out);
	wipe(key, sizeof(key));
	wipe(&cipher, sizeof(cipher));
}

bool
vault_alias_open(const struct vault *v, const char *domain, struct str owner, struct str alias,
    char out[static ALIAS_VALUE_LEN + 1])
{
	uint8_t key[AES256_KEY_SIZE], block[AES_BLOCK_SIZE];
	struct aes256_ctx cipher;
	size_t n = 0;

	if (alias.n != ALIAS_TEXT_LEN || !hex_decode(alias, block, sizeof(block), &n))
		return false;
	vault_mac(v, domain, owner, key);
	aes256_set_decrypt_key(&cipher, key);
	aes256_decrypt(&cipher, sizeof(block), block, block);
	wipe(key, sizeof(key));
	wipe(&cipher, sizeof(cipher));
	if (!secret_equal(block + ALIAS_VALUE_LEN, sizeof(MARK) - 1, MARK, sizeof(MARK) - 1))
		return false;
	memcpy(out, block, ALIAS_VALUE_LEN);
	out[ALIAS_VALUE_LEN] = '\0';
	return true;
}
