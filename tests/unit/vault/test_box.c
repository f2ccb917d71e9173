/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM against published answers and against nettle's all-in-one interface. */
#include "check.h"

#include "vault/box.h"

/* Test case 16 of the specification of GCM by McGrew and Viega (20 bytes of associated data). */
static const char kat_key[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char kat_nonce[] = "cafebabefacedbaddecaf888";
static const char kat_data[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char kat_plain[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
				"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const char kat_sealed[] = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
				 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
				 "76fc6ece0f4e1768cddf8853bb2d551b";

static size_t
unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;

	assert_true(hex_decode(str_c(hex), out, size, &n));
	return n;
}

static void
test_known_answer(void **state)
{
	uint8_t key[BOX_KEY_LEN], nonce[BOX_NONCE_LEN], data[20], plain[60], want[76], got[76];
	struct box_key k;
	struct str context = { (const char *)data + 1, sizeof(data) - 1 };

	(void)state;
	(void)unhex(kat_key, key, sizeof(key));
	(void)unhex(kat_nonce, nonce, sizeof(nonce));
	(void)unhex(kat_data, data, sizeof(data));
	(void)unhex(kat_plain, plain, sizeof(plain));
	(void)unhex(kat_sealed, want, sizeof(want));
	box_key_set(&k, key);
	box_seal(&k, nonce, data[0], context, plain, sizeof(plain), got);
	assert_memory_equal(got, want, sizeof(want));
	memset(got, 0, sizeof(got));
	assert_true(box_open(
	    &k, nonce, data[0], context, (struct str){ (const char *)want, sizeof(want) }, got));
	assert_memory_equal(got, plain, sizeof(plain));
}

/* The associated data is handed over in two parts: each length around a block comes out the same. */
static void
test_context_lengths(void **state)
{
	uint8_t key[BOX_KEY_LEN] = { 7 }, nonce[BOX_NONCE_LEN] = { 9 }, data[65], plain[33],
		want[49], got[49];
	struct gcm_aes256_ctx all;
	struct box_key k;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + 2);
	memset(plain, 0x5a, sizeof(plain));
	box_key_set(&k, key);
	gcm_aes256_set_key(&all, key);
	for (size_t n = 1; n <= sizeof(data); n++) {
		gcm_aes256_set_iv(&all, BOX_NONCE_LEN, nonce);
		gcm_aes256_update(&all, n, data);
		gcm_aes256_encrypt(&all, sizeof(plain), want, plain);
		gcm_aes256_digest(&all, BOX_TAG_LEN, want + sizeof(plain));
		box_seal(&k, nonce, data[0], (struct str){ (const char *)data + 1, n - 1 }, plain,
		    sizeof(plain), got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
test_refused_output_is_zeroed(void **state)
{
	uint8_t key[BOX_KEY_LEN] = { 1 }, nonce[BOX_NONCE_LEN] = { 2 }, sealed[4 + BOX_TAG_LEN],
		out[4];
	static const uint8_t zero[4];
	struct box_key k;
	struct str s = { (const char *)sealed, sizeof(sealed) };

	(void)state;
	box_key_set(&k, key);
	box_seal(&k, nonce, BOX_RECORD, STR("a"), "text", 4, sealed);
	memset(out, 0xff, sizeof(out));
	assert_false(box_open(&k, nonce, BOX_CHUNK, STR("a"), s, out));
	assert_memory_equal(out, zero, sizeof(out));
	memset(out, 0xff, sizeof(out));
	assert_false(box_open(&k, nonce, BOX_RECORD, STR("b"), s, out));
	assert_memory_equal(out, zero, sizeof(out));
	assert_false(
	    box_open(&k, nonce, BOX_RECORD, STR("a"), (struct str){ s.p, BOX_TAG_LEN - 1 }, out));
	assert_false(box_open(&k, nonce, BOX_RECORD, STR("a"), (struct str){ s.p, 0 }, out));
	assert_true(box_open(&k, nonce, BOX_RECORD, STR("a"), s, out));
	assert_memory_equal(out, "text", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_context_lengths),
		cmocka_unit_test(test_refused_output_is_zeroed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
