/* SPDX-License-Identifier: Apache-2.0 */
/* Published check values, and pieces against the whole. */
#include "base/digest.h"
#include "base/guid.h"

#include "check.h"

static void
assert_hex(const uint8_t *got, size_t n, const char *want)
{
	char text[129];

	hex_encode(got, n, text);
	assert_string_equal(text, want);
}

static void
test_sha256(void **state)
{
	uint8_t out[SHA256_LEN];

	(void)state;
	sha256("", 0, out);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256(NULL, 0, out);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256("abc", 3, out);
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
test_hmac_sha256(void **state)
{
	uint8_t out[SHA256_LEN], key[131];

	(void)state;
	/* RFC 4231, cases 2 and 6. */
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(
	    key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
test_crc_check_values(void **state)
{
	(void)state;
	assert_true(crc32_update(0, "123456789", 9) == 0xcbf43926);
	assert_true(crc32c_update(0, "123456789", 9) == 0xe3069283);
	assert_true(crc64nvme_update(0, "123456789", 9) == UINT64_C(0xae8b14860a799888));
	assert_true(crc32_update(0, NULL, 0) == 0);
	assert_true(crc32c_update(0, NULL, 0) == 0);
	assert_true(crc64nvme_update(0, NULL, 0) == 0);
}

/* Bit by bit, the definition: what the tables and the processor must agree with. */
static uint64_t
crc_slow(uint64_t poly, uint64_t crc, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ poly : crc >> 1;
	}
	return crc;
}

static void
test_crc_in_pieces(void **state)
{
	struct prng r = { 5 };
	unsigned char p[257];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t n = prng_below(&r, sizeof(p) + 1), cut = prng_below(&r, n + 1);

		for (size_t i = 0; i < n; i++)
			p[i] = (unsigned char)prng_next(&r);
		assert_true(crc32_update(crc32_update(0, p, cut), p + cut, n - cut) ==
			    (uint32_t)~crc_slow(0xedb88320, 0xffffffff, p, n));
		assert_true(crc32c_update(crc32c_update(0, p, cut), p + cut, n - cut) ==
			    (uint32_t)~crc_slow(0x82f63b78, 0xffffffff, p, n));
		assert_true(crc64nvme_update(crc64nvme_update(0, p, cut), p + cut, n - cut) ==
			    ~crc_slow(UINT64_C(0x9a6c9329ac4bc9b5), UINT64_MAX, p, n));
	}
}

static void
test_secret_equal(void **state)
{
	(void)state;
	assert_true(secret_equal("abc", 3, "abc", 3));
	assert_false(secret_equal("abc", 3, "abd", 3));
	assert_false(secret_equal("abc", 3, "abc", 2));
	assert_false(secret_equal("abc", 3, NULL, 0));
	assert_true(secret_equal(NULL, 0, "", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac_sha256),
		cmocka_unit_test(test_crc_check_values),
		cmocka_unit_test(test_crc_in_pieces),
		cmocka_unit_test(test_secret_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
