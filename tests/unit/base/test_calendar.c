/* SPDX-License-Identifier: Apache-2.0 */
/* Business days across weekends, holidays, zones and changes of the clocks. */
#include "check.h"

#include "base/calendar.h"

#include <stdio.h>

#define SAT_SUN 0x41

static instant_t
at(const char *text)
{
	instant_t t = 0;

	assert_true(instant_parse(str_c(text), &t));
	return t;
}

static day_t
on(const char *text)
{
	day_t d = 0;

	assert_true(day_parse(str_c(text), &d));
	return d;
}

static struct calendar *
open_calendar(const char *zone, uint8_t weekend, const char *open, const char *close)
{
	struct calendar_spec spec = { .zone = str_c(zone), .weekend = weekend };
	struct calendar *c = NULL;

	assert_true(minute_parse(str_c(open), &spec.open));
	assert_true(minute_parse(str_c(close), &spec.close));
	assert_int_equal(calendar_new(&spec, &c, NULL), SOUK_OK);
	return c;
}

static void
test_days(void **state)
{
	char text[DAY_TEXT_LEN + 1];
	day_t d;

	(void)state;
	assert_int_equal(on("1970-01-01"), 0);
	assert_int_equal(on("1969-12-31"), -1);
	assert_int_equal(on("2024-02-29") + 1, on("2024-03-01"));
	assert_int_equal(day_weekday(on("1970-01-01")), 4);
	assert_int_equal(day_weekday(on("2026-03-01")), 0);
	assert_int_equal(day_weekday(on("0001-01-01")), 1);
	assert_int_equal(day_of(at("1969-12-31T23:59:59.999Z")), -1);
	day_write(on("0001-01-01"), text);
	assert_string_equal(text, "0001-01-01");
	assert_false(day_parse(STR("2026-02-29"), &d));
	assert_false(day_parse(STR("2026-1-01"), &d));
	assert_false(day_parse(STR("2026-01-01T00:00:00Z"), &d));
	assert_false(day_parse(STR(""), &d));
}

static void
test_minutes(void **state)
{
	static const char *const wrong[] = { "24:01", "25:00", "9:00", "09:60", "09-00", "0900", "",
		"09:000", "+9:00" };
	int m = -1;

	(void)state;
	assert_true(minute_parse(STR("00:00"), &m));
	assert_int_equal(m, 0);
	assert_true(minute_parse(STR("24:00"), &m));
	assert_int_equal(m, 1440);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(minute_parse(str_c(wrong[i]), &m));
}

/* zone, weekend, accepted, business days, deadline at 17:00 local */
static const struct {
	const char *zone;
	uint8_t weekend;
	const char *from;
	unsigned days;
	const char *deadline;
} rows[] = {
	/* a Thursday: Friday, Monday */
	{ "UTC", SAT_SUN, "2026-02-19T10:00:00Z", 2, "2026-02-23T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-19T00:00:00Z", 2, "2026-02-23T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-19T17:00:00Z", 2, "2026-02-23T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-19T17:00:00.001Z", 2, "2026-02-24T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-20T17:00:00.001Z", 2, "2026-02-25T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-21T12:00:00Z", 2, "2026-02-25T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-22T23:59:59.999Z", 2, "2026-02-25T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-19T10:00:00Z", 0, "2026-02-19T17:00:00Z" },
	{ "UTC", SAT_SUN, "2026-02-19T10:00:00Z", 1, "2026-02-20T17:00:00Z" },
	/* the day is the zone's: still Thursday evening in Los Angeles, after close; already Friday in Auckland */
	{ "America/Los_Angeles", SAT_SUN, "2026-02-20T01:00:00Z", 2, "2026-02-24T01:00:00Z" },
	{ "America/Los_Angeles", SAT_SUN, "2026-02-20T01:00:00.001Z", 2, "2026-02-25T01:00:00Z" },
	{ "Pacific/Auckland", SAT_SUN, "2026-02-19T12:00:00Z", 2, "2026-02-24T04:00:00Z" },
	{ "Asia/Kathmandu", SAT_SUN, "2026-02-19T06:00:00Z", 2, "2026-02-23T11:15:00Z" },
	/* clocks go forward on 2026-03-29 and back on 2026-10-25 */
	{ "Europe/Berlin", SAT_SUN, "2026-03-27T10:00:00Z", 2, "2026-03-31T15:00:00Z" },
	{ "Europe/Berlin", SAT_SUN, "2026-10-23T10:00:00Z", 2, "2026-10-27T16:00:00Z" },
	/* past what the files list one by one */
	{ "Europe/Berlin", SAT_SUN, "2060-07-01T10:00:00Z", 2, "2060-07-05T15:00:00Z" },
	/* over a leap day, and over none; the whole of it closed by holidays is test_holidays' */
	{ "UTC", SAT_SUN, "2028-02-28T10:00:00Z", 2, "2028-03-01T17:00:00Z" },
	{ "UTC", SAT_SUN, "2028-02-28T17:00:00.001Z", 2, "2028-03-02T17:00:00Z" },
	{ "UTC", SAT_SUN, "2027-02-26T10:00:00Z", 2, "2027-03-02T17:00:00Z" },
	/* south of the equator, where they go back in April and forward in October */
	{ "Australia/Sydney", SAT_SUN, "2026-04-02T22:00:00Z", 2, "2026-04-07T07:00:00Z" },
	{ "Australia/Sydney", SAT_SUN, "2026-10-01T22:00:00Z", 2, "2026-10-06T06:00:00Z" },
	/* Friday and Saturday closed: Sunday is day 1 of what comes on a Thursday */
	{ "Africa/Cairo", 0x60, "2026-01-08T10:00:00Z", 2, "2026-01-12T15:00:00Z" },
	{ "Africa/Cairo", 0x60, "2026-01-09T10:00:00Z", 2, "2026-01-13T15:00:00Z" },
	/* other weeks */
	{ "Asia/Dubai", 0x60, "2026-02-19T10:00:00Z", 2, "2026-02-23T13:00:00Z" },
	{ "UTC", 0, "2026-02-20T10:00:00Z", 2, "2026-02-22T17:00:00Z" },
	{ "UTC", 0x7e, "2026-02-20T10:00:00Z", 2, "2026-03-08T17:00:00Z" },
};

static void
test_deadlines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct calendar *c = open_calendar(rows[i].zone, rows[i].weekend, "09:00", "17:00");
		char got[INSTANT_TEXT_LEN + 1] = "", want[INSTANT_TEXT_LEN + 1];
		instant_t t = 0;

		assert_true(calendar_deadline(c, at(rows[i].from), rows[i].days, &t));
		instant_format(t, got);
		instant_format(at(rows[i].deadline), want);
		if (strcmp(got, want) != 0)
			fail_msg("row %zu: %s, not %s", i, got, want);
		calendar_free(c);
	}
}

static void
test_holidays(void **state)
{
	day_t days[] = { on("2026-02-24"), on("2026-02-20"), on("2026-02-20") };
	struct calendar_spec spec = { .zone = STR("UTC"),
		.weekend = SAT_SUN,
		.holidays = days,
		.n_holidays = 3,
		.open = 540,
		.close = 1440 };
	struct calendar *c = NULL;
	instant_t t = 0;

	(void)state;
	assert_int_equal(calendar_new(&spec, &c, NULL), SOUK_OK);
	days[0] = 0; /* copied */
	assert_false(calendar_is_open_day(c, on("2026-02-20")));
	assert_false(calendar_is_open_day(c, on("2026-02-24")));
	assert_true(calendar_is_open_day(c, on("2026-02-23")));
	assert_true(calendar_deadline(c, at("2026-02-19T10:00:00Z"), 2, &t));
	assert_true(
	    t == at("2026-02-26T00:00:00Z")); /* Monday, Wednesday; 24:00 is the day's end */
	/* accepted on a holiday */
	assert_true(calendar_deadline(c, at("2026-02-20T10:00:00Z"), 2, &t));
	assert_true(t == at("2026-02-27T00:00:00Z"));
	calendar_free(c);
}

static void
test_never_opens(void **state)
{
	static day_t days[CALENDAR_SEARCH_DAYS + 10];
	struct calendar_spec spec = { .zone = STR("UTC"),
		.holidays = days,
		.n_holidays = CALENDAR_SEARCH_DAYS + 10,
		.open = 0,
		.close = 1440 };
	struct calendar *c = NULL;
	instant_t t = 7;

	(void)state;
	for (size_t i = 0; i < spec.n_holidays; i++)
		days[i] = on("2026-01-01") + (day_t)i;
	assert_int_equal(calendar_new(&spec, &c, NULL), SOUK_OK);
	assert_false(calendar_deadline(c, at("2026-01-01T10:00:00Z"), 2, &t));
	assert_int_equal(t, 7);
	assert_false(calendar_deadline(c, INSTANT_MAX, 2, &t));
	calendar_free(c);
}

static void
test_jumps(void **state)
{
	struct calendar *c = open_calendar("Europe/Berlin", 0, "00:00", "02:30");
	int minute = 0;

	(void)state;
	/* 02:30 is left out on that day: the moment of the jump, which is 03:00. */
	assert_true(calendar_instant(c, on("2026-03-29"), 150) == at("2026-03-29T01:00:00Z"));
	/* shown twice: the later */
	assert_true(calendar_instant(c, on("2026-10-25"), 150) == at("2026-10-25T01:30:00Z"));
	assert_true(calendar_local(c, at("2026-10-25T00:30:00Z"), &minute) == on("2026-10-25"));
	assert_int_equal(minute, 150);
	assert_true(calendar_local(c, at("2026-12-31T23:00:00Z"), &minute) == on("2027-01-01"));
	assert_int_equal(minute, 0);
	calendar_free(c);
	/* Where summer time is said to be the standard. */
	c = open_calendar("Europe/Dublin", 0, "00:00", "01:30");
	assert_true(calendar_instant(c, on("2026-10-25"), 90) == at("2026-10-25T01:30:00Z"));
	calendar_free(c);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *zone;
		uint8_t weekend;
		int open, close;
		const char *field;
	} wrong[] = {
		{ "", 0, 0, 60, "zone" },
		{ "Europe/Atlantis", 0, 0, 60, "zone" },
		{ "/etc/passwd", 0, 0, 60, "zone" },
		{ "../zoneinfo/UTC", 0, 0, 60, "zone" },
		{ "Europe", 0, 0, 60, "zone" },
		{ "UTC+3", 0, 0, 60, "zone" },
		{ "+03:00", 0, 0, 60, "zone" },
		{ "UTC", 0x7f, 0, 60, "weekend" },
		{ "UTC", 0, -1, 60, "open" },
		{ "UTC", 0, 1440, 1440, "open" },
		{ "UTC", 0, 0, -1, "close" },
		{ "UTC", 0, 60, 60, "close" },
		{ "UTC", 0, 0, 1441, "close" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct calendar_spec spec = { .zone = str_c(wrong[i].zone),
			.weekend = wrong[i].weekend,
			.open = wrong[i].open,
			.close = wrong[i].close };
		struct calendar *c = NULL;
		struct fail f = { 0 };

		assert_int_equal(calendar_new(&spec, &c, &f), SOUK_E_INVALID);
		assert_null(c);
		assert_string_equal(f.entry[0].field, wrong[i].field);
		assert_true(f.entry[0].fix[0] != '\0');
	}
	calendar_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_minutes),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_holidays),
		cmocka_unit_test(test_never_opens),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
