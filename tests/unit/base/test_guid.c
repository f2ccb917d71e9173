/* SPDX-License-Identifier: Apache-2.0 */
/* Ids and random bytes: never the same twice, evenly drawn, across threads and forks. */
#include "base/guid.h"

#include "check.h"

#include <pthread.h>
#include <sys/wait.h>

static void
test_text_round_trip(void **state)
{
	struct prng r = { 3 };
	char text[GUID_TEXT_LEN + 1], upper[GUID_TEXT_LEN + 1];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct guid g = prng_guid(&r), back;

		guid_format(&g, text);
		assert_int_equal(strlen(text), GUID_TEXT_LEN);
		for (size_t k = 0; k <= GUID_TEXT_LEN; k++)
			upper[k] = (char)(text[k] >= 'a' ? text[k] - 32 : text[k]);
		assert_true(guid_parse(str_c(text), &back) && guid_eq(&g, &back));
		assert_true(guid_parse(str_c(upper), &back) && guid_eq(&g, &back));
	}
}

static void
test_parse_refusals(void **state)
{
	static const char *const bad[] = { "", "123e4567-e89b-12d3-a456-42661417400",
		"123e4567-e89b-12d3-a456-4266141740000", "123e4567e89b12d3a456426614174000",
		"123e4567-e89b-12d3-a456_426614174000", "123e4567-e89b-12d3-a456-42661417400g",
		"{23e4567-e89b-12d3-a456-42661417400}", "123e456-7e89b-12d3-a456-426614174000",
		"-123e456-e89b-12d3-a456-426614174000" };
	struct guid g = { { 1, 2, 3 } };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !guid_parse(str_c(bad[i]), &g) && g.b[1] == 2);
}

static void
test_order_is_that_of_the_text(void **state)
{
	struct prng r = { 4 };
	char ta[GUID_TEXT_LEN + 1], tb[GUID_TEXT_LEN + 1];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct guid a = prng_guid(&r), b = prng_guid(&r);

		if (i % 2)
			memcpy(b.b, a.b, 8);
		guid_format(&a, ta);
		guid_format(&b, tb);
		assert_true((guid_cmp(&a, &b) < 0) == (strcmp(ta, tb) < 0));
	}
}

static void
test_new_is_version_4(void **state)
{
	struct guid last = { { 0 } };

	(void)state;
	assert_true(guid_is_zero(&last));
	for (int i = 0; i < 1000; i++) {
		struct guid g = guid_new();

		assert_int_equal(g.b[6] >> 4, 4);
		assert_int_equal(g.b[8] >> 6, 2);
		assert_false(guid_eq(&g, &last));
		assert_false(guid_is_zero(&g));
		last = g;
	}
}

/* Every size around the buffer's, and no eight bytes seen twice. */
static void
test_random_bytes_do_not_repeat(void **state)
{
	static unsigned char all[64 * 1100];
	unsigned char guard[1100 + 1];
	size_t n = 0;

	(void)state;
	for (size_t size = 0; size <= 1100; size += 23) {
		guard[size] = 0x5a;
		random_bytes(guard, size);
		assert_int_equal(guard[size], 0x5a);
		memcpy(all + n, guard, size);
		n += size;
	}
	for (size_t i = 0; i + 8 <= n; i++)
		assert_null(memmem(all + i + 1, n - i - 1, all + i, 8));
}

static void *
draw(void *out)
{
	random_bytes(out, 16);
	return NULL;
}

static void
test_threads_and_children_draw_their_own(void **state)
{
	unsigned char a[16], b[16], c[16], d[16] = { 0 };
	pthread_t t;
	pid_t child;
	int fd[2], status = 1;

	(void)state;
	random_bytes(a, 16); /* leaves bytes in this thread's buffer */
	assert_int_equal(pthread_create(&t, NULL, draw, b), 0);
	(void)pthread_join(t, NULL);
	assert_int_equal(pipe(fd), 0);
	assert_true((child = fork()) >= 0);
	if (child == 0) {
		random_bytes(c, 16);
		_exit(write(fd[1], c, 16) == 16 ? 0 : 1);
	}
	random_bytes(c, 16);
	assert_int_equal(read(fd[0], d, 16), 16);
	assert_true(waitpid(child, &status, 0) == child && status == 0);
	assert_memory_not_equal(a, b, 16);
	assert_memory_not_equal(c, d, 16);
	assert_memory_not_equal(b, c, 16);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void
test_random_text_is_even(void **state)
{
	static char text[60000 + 1];
	char alphabet[201];
	size_t seen[3] = { 0 }, low = 0;

	(void)state;
	/* 256 is not a multiple of 200: a plain remainder draws the first 56 twice as often. */
	for (size_t i = 0; i < 200; i++)
		alphabet[i] = (char)(i + 1);
	alphabet[200] = '\0';
	random_text(text, 60000, alphabet);
	for (size_t i = 0; i < 60000; i++)
		low += (unsigned char)text[i] <= 56;
	assert_in_range(low, 16800 - 1000, 16800 + 1000);
	random_text(text, 60000, "abc");
	assert_int_equal(strlen(text), 60000);
	for (size_t i = 0; i < 60000; i++)
		seen[text[i] - 'a']++;
	for (size_t i = 0; i < 3; i++) /* nine standard deviations */
		assert_in_range(seen[i], 19000, 21000);
	random_text(text, 5, "x");
	assert_string_equal(text, "xxxxx");
	random_text(text, 0, "x");
	assert_string_equal(text, "");
}

static void
test_prng_is_fixed_and_even(void **state)
{
	struct prng r = { 1234567 };
	size_t seen[7] = { 0 };

	(void)state;
	/* splitmix64 reference output for this seed. */
	assert_true(prng_next(&r) == UINT64_C(6457827717110365317));
	assert_true(prng_next(&r) == UINT64_C(3203168211198807973));
	for (int i = 0; i < 70000; i++)
		seen[prng_below(&r, 7)]++;
	for (size_t i = 0; i < 7; i++)
		assert_in_range(seen[i], 9000, 11000);
	assert_int_equal(prng_below(&r, 1), 0);
	for (int i = 0; i < 100; i++)
		assert_true(prng_below(&r, UINT64_MAX) < UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_parse_refusals),
		cmocka_unit_test(test_order_is_that_of_the_text),
		cmocka_unit_test(test_new_is_version_4),
		cmocka_unit_test(test_random_bytes_do_not_repeat),
		cmocka_unit_test(test_threads_and_children_draw_their_own),
		cmocka_unit_test(test_random_text_is_even),
		cmocka_unit_test(test_prng_is_fixed_and_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
