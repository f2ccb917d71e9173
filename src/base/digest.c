/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes and checksums. The CRCs protect against accidents only (S3 object
 * checksums); whatever must resist an attacker uses SHA-256.
 */
#include "base/digest.h"

#include <pthread.h>
#include <sodium.h>
#include <zlib.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

void
sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, n, p);
	sha256_digest(&c, SHA256_LEN, out);
}

void
hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	struct hmac_sha256_ctx c;

	hmac_sha256_set_key(&c, key_n, key);
	hmac_sha256_update(&c, n, p);
	hmac_sha256_digest(&c, SHA256_LEN, out);
	sodium_memzero(&c, sizeof(c));
}

uint32_t
crc32_update(uint32_t crc, const void *p, size_t n)
{
	return n > 0 ? (uint32_t)crc32_z(crc, p, n) : crc;
}

#define CRC32C_POLY UINT64_C(0x82f63b78)            /* Castagnoli, bits reversed */
#define CRC64NVME_POLY UINT64_C(0x9a6c9329ac4bc9b5) /* NVMe, bits reversed */

/* [0] is the byte table; [k] moves a byte k places further (slicing by eight). */
static uint64_t crc32c_tab[8][256];
static uint64_t crc64_tab[8][256];

static void
table_make(uint64_t tab[8][256], uint64_t poly)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t v = i;

		for (int k = 0; k < 8; k++)
			v = v & 1 ? v >> 1 ^ poly : v >> 1;
		tab[0][i] = v;
	}
	for (unsigned i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			tab[k][i] = tab[k - 1][i] >> 8 ^ tab[0][tab[k - 1][i] & 255];
}

static void
tables_make(void)
{
	table_make(crc32c_tab, CRC32C_POLY);
	table_make(crc64_tab, CRC64NVME_POLY);
}

static uint64_t
crc_by_table(const uint64_t tab[8][256], uint64_t crc, const unsigned char *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w = 0;

		for (unsigned k = 0; k < 8; k++)
			w |= (uint64_t)p[k] << (8 * k);
		w ^= crc;
		crc = 0;
		for (unsigned k = 0; k < 8; k++)
			crc ^= tab[7 - k][w >> (8 * k) & 255];
	}
	for (; n > 0; p++, n--)
		crc = crc >> 8 ^ tab[0][(crc ^ *p) & 255];
	return crc;
}

static void
tables_ready(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, tables_make);
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32c_by_cpu(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t wide = crc, w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, sizeof(w));
		wide = _mm_crc32_u64(wide, w);
	}
	crc = (uint32_t)wide;
	for (; n > 0; p++, n--)
		crc = _mm_crc32_u8(crc, *p);
	return crc;
}
#endif

uint32_t
crc32c_update(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_by_cpu(~crc, p, n);
#endif
	tables_ready();
	return ~(uint32_t)crc_by_table(crc32c_tab, (uint32_t)~crc, p, n);
}

uint64_t
crc64nvme_update(uint64_t crc, const void *p, size_t n)
{
	tables_ready();
	return ~crc_by_table(crc64_tab, ~crc, p, n);
}

bool
secret_equal(const void *a, size_t a_n, const void *b, size_t b_n)
{
	return a_n == b_n && (a_n == 0 || sodium_memcmp(a, b, a_n) == 0);
}
