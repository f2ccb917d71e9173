/* SPDX-License-Identifier: Apache-2.0 */
/* Instants to and from text, against the C library's calendar; waiting. */
#include "base/clock.h"
#include "base/guid.h"

#include "check.h"

#include <time.h>

static void
test_now_moves_on(void **state)
{
	instant_t a = clock_now();
	uint64_t m = clock_mono_ns();

	(void)state;
	clock_sleep_ms(20);
	assert_true(clock_mono_ns() - m >= 20000000);
	assert_true(clock_now() >= a);
	assert_true(a > INT64_C(1600000000000) && a < INSTANT_MAX);
	clock_sleep_ms(-5);
}

static void
test_wait_runs_out(void **state)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c;
	uint64_t t;

	(void)state;
	clock_cond_init(&c);
	(void)pthread_mutex_lock(&m);
	t = clock_mono_ns();
	while (clock_cond_wait_ms(&c, &m, 30)) /* only a spurious wake-up returns true */
		;
	assert_true(clock_mono_ns() - t >= 30000000);
	assert_false(clock_cond_wait_ms(&c, &m, -1));
	(void)pthread_mutex_unlock(&m);
	(void)pthread_cond_destroy(&c);
}

struct signal_arg {
	pthread_mutex_t m;
	pthread_cond_t c;
	bool done;
};

static void *
signal_later(void *arg)
{
	struct signal_arg *s = arg;

	(void)pthread_mutex_lock(&s->m);
	s->done = true;
	(void)pthread_cond_signal(&s->c);
	(void)pthread_mutex_unlock(&s->m);
	return NULL;
}

static void
test_wait_is_woken(void **state)
{
	struct signal_arg s = { .m = PTHREAD_MUTEX_INITIALIZER };
	pthread_t t;
	bool in_time = true;

	(void)state;
	clock_cond_init(&s.c);
	(void)pthread_mutex_lock(&s.m);
	assert_int_equal(pthread_create(&t, NULL, signal_later, &s), 0);
	while (!s.done && in_time)
		in_time =
		    clock_cond_wait_ms(&s.c, &s.m, INT64_MAX); /* a year at most, no overflow */
	(void)pthread_mutex_unlock(&s.m);
	assert_true(s.done);
	(void)pthread_join(t, NULL);
	(void)pthread_cond_destroy(&s.c);
}

/* The C library's calendar is the referee. */
static void
test_formats_agree_with_the_c_library(void **state)
{
	struct prng r = { 7 };

	(void)state;
	for (int i = 0; i < 100000; i++) {
		instant_t t = INSTANT_MIN +
			      (instant_t)prng_below(&r, (uint64_t)(INSTANT_MAX - INSTANT_MIN) + 1);
		int64_t ms = ((t % 1000) + 1000) % 1000;
		time_t s = (time_t)((t - ms) / 1000);
		struct tm tm;
		char want[64], got[64];

		assert_non_null(gmtime_r(&s, &tm));
		(void)snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    (int)ms);
		instant_format(t, got);
		assert_string_equal(got, want);
		(void)strftime(want, sizeof(want), "%a, %d %b ", &tm);
		instant_format_http(t, got);
		assert_memory_equal(got, want, 12);
	}
}

static void
test_every_format_reads_back(void **state)
{
	struct prng r = { 8 };
	char text[INSTANT_TEXT_LEN + 1], http[INSTANT_HTTP_LEN + 1], amz[INSTANT_AMZ_LEN + 1];
	char epoch[40];
	instant_t back = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		instant_t t = INSTANT_MIN +
			      (instant_t)prng_below(&r, (uint64_t)(INSTANT_MAX - INSTANT_MIN) + 1);
		instant_t whole = t - ((t % 1000) + 1000) % 1000;

		instant_format(t, text);
		assert_true(instant_parse(str_c(text), &back) && back == t);
		instant_format_http(t, http);
		assert_true(instant_parse_http(str_c(http), &back) && back == whole);
		instant_format_amz(t, amz);
		assert_true(instant_parse_amz(str_c(amz), &back) && back == whole);
		(void)snprintf(epoch, sizeof(epoch), "%jde-3", (intmax_t)t);
		assert_true(instant_parse_epoch(str_c(epoch), &back) && back == t);
	}
}

static void
test_format_edges(void **state)
{
	char out[64];

	(void)state;
	instant_format(INSTANT_MIN, out);
	assert_string_equal(out, "0001-01-01T00:00:00.000Z");
	instant_format(INSTANT_MAX, out);
	assert_string_equal(out, "9999-12-31T23:59:59.999Z");
	instant_format(INT64_MAX, out);
	assert_string_equal(out, "9999-12-31T23:59:59.999Z");
	instant_format(INT64_MIN, out);
	assert_string_equal(out, "0001-01-01T00:00:00.000Z");
	instant_format(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999Z");
	instant_format_name(1470366890334, out);
	assert_string_equal(out, "2016-08-05T03-14-50Z");
	instant_format_amz(1470366890334, out);
	assert_string_equal(out, "20160805T031450Z");
	instant_format_http(784111777000, out);
	assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		instant_t t;
	} good[] = {
		{ "2016-08-05T03:14:50.334Z", 1470366890334 },
		{ "2016-08-05T03:14:50.3349999Z", 1470366890334 },
		{ "2016-08-05T03:14:50.334999999", 1470366890334 },
		{ "2016-08-05T03:14:50.3Z", 1470366890300 },
		{ "2016-08-05T03:14:50", 1470366890000 },
		{ "2016-08-05 03:14:50Z", 1470366890000 },
		{ "2016-08-05t03:14:50z", 1470366890000 },
		{ "2016-08-05T03:14:50.5+05:30", 1470366890500 - 19800000 },
		{ "2016-08-05T03:14:50-23:59", 1470366890000 + 86340000 },
		{ "2016-08-05T03:14:50+00:00", 1470366890000 },
		{ "2016-08-05", 1470355200000 },
		{ "2016-02-29", 1456704000000 },
		{ "2000-02-29", 951782400000 },
		{ "0001-01-01T00:00:00Z", INSTANT_MIN },
		{ "9999-12-31T23:59:59.999999999Z", INSTANT_MAX },
		{ "1969-12-31T23:59:59.9999Z", -1 },
	};
	static const char *const bad[] = { "", "2016", "2016-08", "2016-8-5", "2015-02-29",
		"1900-02-29", "2016-00-01", "2016-13-01", "2016-01-00", "2016-04-31", "0000-01-01",
		"2016-08-05T", "2016-08-05T03:14", "2016-08-05T03:14:50.", "2016-08-05T24:00:00Z",
		"2016-08-05T03:60:00Z", "2016-08-05T03:14:60Z", "2016-08-05T03:14:50.1234567890Z",
		"2016-08-05T03:14:50Zx", "2016-08-05T03:14:50 Z", "2016-08-05T03:14:50+0530",
		"2016-08-05T03:14:50+24:00", "2016-08-05T03:14:50+05:60",
		"2016-08-05T03:14:50+5:30", "2016-08-05T03:14:50+05:30Z", "2016-08-05Z",
		"+2016-08-05", " 2016-08-05", "2016-08-05 ", "2016/08/05", "20160805T031450Z",
		"2016-08-05T03:14:50,5Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
		"2016-08-05T-1:14:50Z" };
	instant_t t;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_row(i, instant_parse(str_c(good[i].text), &t) && t == good[i].t);
	t = 42;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !instant_parse(str_c(bad[i]), &t) && t == 42);
	assert_false(instant_parse((struct str){ "2016-08-05\0", 11 }, &t));
}

static void
test_parse_fixed_forms(void **state)
{
	static const char *const bad_http[] = { "", "Mon, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:60 GMT",
		"Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT " };
	static const char *const bad_amz[] = { "", "20160805T031450", "20160805T031450z",
		"20160805 031450Z", "20160805T031450ZZ", "2016-08-05T03:14:50Z", "20161305T031450Z",
		"20160805T031460Z", "20160805T240000Z" };
	instant_t t = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_http); i++)
		assert_row(i, !instant_parse_http(str_c(bad_http[i]), &t) && t == 42);
	for (size_t i = 0; i < COUNT(bad_amz); i++)
		assert_row(i, !instant_parse_amz(str_c(bad_amz[i]), &t) && t == 42);
	assert_true(instant_parse_http(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &t));
	assert_true(t == 784111777000);
	assert_true(instant_parse_amz(STR("20160805T031450Z"), &t));
	assert_true(t == 1470366890000);
}

static void
test_parse_epoch(void **state)
{
	static const struct {
		const char *text;
		instant_t t;
	} good[] = {
		{ "1470366890", 1470366890000 },
		{ "1470366890.334", 1470366890334 },
		{ "1470366890.3349999999999999999999999", 1470366890334 },
		{ "1.470366890E9", 1470366890000 },
		{ "1.470366890334e+9", 1470366890334 },
		{ "1470366890.000", 1470366890000 },
		{ "1470366890334e-3", 1470366890334 },
		{ "14703668903349e-4", 1470366890334 },
		{ "0.000000000147036689e19", 1470366890000 },
		{ "0", 0 },
		{ "-0", 0 },
		{ "-0.0e5", 0 },
		{ "0e999999", 0 },
		{ "1e-999999", 0 },
		{ "-1e-999999", -1 },
		{ "-1", -1000 },
		{ "-0.0001", -1 },
		{ "-0.001", -1 },
		{ "-0.0011", -2 },
		{ "253402300799.999999", INSTANT_MAX },
		{ "-62135596800", INSTANT_MIN },
		{ "-62135596800.000", INSTANT_MIN },
		{ "0.001", 1 },
		{ "0.0009", 0 },
	};
	static const char *const bad[] = { "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+",
		"1e--1", "1e1.5", "0x1", "1 ", " 1", "NaN", "Infinity", "1e9999999", "253402300800",
		"-62135596800.001", "1e20", "1e999999", "99999999999999999999999", "1,5", "1_0" };
	instant_t t;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_row(i, instant_parse_epoch(str_c(good[i].text), &t) && t == good[i].t);
	t = 42;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(i, !instant_parse_epoch(str_c(bad[i]), &t) && t == 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now_moves_on),
		cmocka_unit_test(test_wait_runs_out),
		cmocka_unit_test(test_wait_is_woken),
		cmocka_unit_test(test_formats_agree_with_the_c_library),
		cmocka_unit_test(test_every_format_reads_back),
		cmocka_unit_test(test_format_edges),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_fixed_forms),
		cmocka_unit_test(test_parse_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
