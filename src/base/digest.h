/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes, MACs and checksums over nettle (the crypto library under GnuTLS, which
 * libmicrohttpd brings). Measured here against OpenSSL EVP and libsodium: fastest or
 * equal in every size souk uses, and without a context to allocate.
 */
#ifndef SOUK_BASE_DIGEST_H
#define SOUK_BASE_DIGEST_H

#include "base/str.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#define SHA256_LEN 32
#define MD5_LEN 16

void sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);
void hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[SHA256_LEN]);
/* Streaming: use nettle's own struct sha256_ctx, md5_ctx, sha1_ctx with their functions. */

uint32_t crc32_update(uint32_t crc, const void *p, size_t n);  /* start with 0; zlib polynomial */
uint32_t crc32c_update(uint32_t crc, const void *p, size_t n); /* Castagnoli */
uint64_t crc64nvme_update(uint64_t crc, const void *p, size_t n);

/* Same length and same bytes? Constant time for equal lengths. For MACs, tokens, passwords. */
bool secret_equal(const void *a, size_t a_n, const void *b, size_t b_n);

#endif
