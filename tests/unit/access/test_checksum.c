/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums against published values, in pieces and whole. */
#include "access/checksum.h"

#include "check.h"

/* The check values of the catalogues of CRCs and of FIPS 180, for "123456789". */
static const struct {
	enum checksum_kind kind;
	const char *name, *header, *text;
} known[] = {
	{ CHECKSUM_CRC32, "CRC32", "x-amz-checksum-crc32", "y/Q5Jg==" },
	{ CHECKSUM_CRC32C, "CRC32C", "x-amz-checksum-crc32c", "4waSgw==" },
	{ CHECKSUM_CRC64NVME, "CRC64NVME", "x-amz-checksum-crc64nvme", "rosUhgp5mIg=" },
	{ CHECKSUM_SHA1, "SHA1", "x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=" },
	{ CHECKSUM_SHA256, "SHA256", "x-amz-checksum-sha256",
	    "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=" },
};

static void
test_known_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct checksum c;
		uint8_t sum[CHECKSUM_MAX], want[CHECKSUM_MAX];
		size_t size = checksum_size(known[i].kind);

		checksum_init(&c, known[i].kind);
		checksum_update(&c, "1234", 4);
		checksum_update(&c, "", 0);
		checksum_update(&c, "56789", 5);
		checksum_digest(&c, sum);
		assert_row(i, checksum_parse(known[i].kind, str_c(known[i].text), want));
		assert_row(i, memcmp(sum, want, size) == 0);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(COUNT(known), CHECKSUM__COUNT - 1);
	for (size_t i = 0; i < COUNT(known); i++) {
		assert_string_equal(checksum_name(known[i].kind), known[i].name);
		assert_string_equal(checksum_header(known[i].kind), known[i].header);
		assert_row(i, checksum_of_name(str_c(known[i].name)) == known[i].kind);
		assert_row(i, checksum_of_header(str_c(known[i].header)) == known[i].kind);
	}
	assert_int_equal(checksum_of_header(STR("X-Amz-Checksum-CRC32")), CHECKSUM_CRC32);
	assert_int_equal(checksum_of_header(STR("x-amz-checksum-")), CHECKSUM_NONE);
	assert_int_equal(checksum_of_header(STR("x-amz-checksum-crc3")), CHECKSUM_NONE);
	assert_int_equal(checksum_of_header(STR("x-amz-checksum-type")), CHECKSUM_NONE);
	assert_int_equal(checksum_of_name(STR("")), CHECKSUM_NONE);
	assert_int_equal(checksum_of_header(STR("")), CHECKSUM_NONE);
}

static void
test_refused_texts(void **state)
{
	static const char *const bad[] = { "", "y/Q5Jg", "y/Q5J===", "y/Q5", "y/Q5JgAA", "=",
		"y-Q5Jg==", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
		"FeKw08M4kehJZWr2CYZ/EQMAFlmejVfUxc4HGH3QvSIFeKw08M4kehJZWr2CYZ" };
	uint8_t out[CHECKSUM_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !checksum_parse(CHECKSUM_CRC32, str_c(bad[i]), out));
	assert_false(checksum_parse(CHECKSUM_NONE, STR(""), out));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
