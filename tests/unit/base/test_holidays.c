/* SPDX-License-Identifier: Apache-2.0 */
/* Holidays out of iCalendar files: what counts as one, and what hostile files cost. */
#include "check.h"

#include "base/holidays.h"

#include <stdio.h>

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Holidays//EN\r\n"
#define TAIL "END:VCALENDAR\r\n"
#define EVENT(lines) HEAD "BEGIN:VEVENT\r\nUID:1@example.com\r\n" lines "END:VEVENT\r\n" TAIL
#define ROOM (HOLIDAYS_ARENA + ((size_t)1 << 20))

static day_t
on(const char *text)
{
	day_t d = 0;

	assert_true(day_parse(str_c(text), &d));
	return d;
}

/* The days of 2026 and 2027 for a seller in Berlin, 09:00 to 17:00, as "2026-01-01 2026-12-25". */
static enum souk_err
read_days(struct str text, const char *zone, char *out, size_t size, struct fail *f)
{
	struct holidays_window w = { .from = on("2026-01-01"),
		.to = on("2027-12-31"),
		.zone = str_c(zone),
		.open = 9 * 60,
		.close = 17 * 60 };
	struct arena *mem = arena_new(ROOM);
	const struct holiday *h = NULL;
	size_t n = 0, used = 0;
	enum souk_err r = holidays_read(text, &w, mem, &h, &n, f);

	out[0] = '\0';
	for (size_t i = 0; r == SOUK_OK && i < n && used + 12 < size; i++) {
		char day[DAY_TEXT_LEN + 1];

		day_write(h[i].day, day);
		used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? " " : "", day);
	}
	arena_free(mem);
	return r;
}

static const struct {
	const char *lines, *days;
} events[] = {
	{ "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n", "2026-12-25 2026-12-26" },
	{ "DTSTART;VALUE=DATE:20261225\r\n", "2026-12-25" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261225\r\n", "2026-12-25" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDURATION:P1W\r\n",
	    "2026-12-25 2026-12-26 2026-12-27 2026-12-28 2026-12-29 2026-12-30 2026-12-31" },
	/* Rules, from long ago, with an end, with a number, without some days. */
	{ "DTSTART;VALUE=DATE:19900501\r\nRRULE:FREQ=YEARLY\r\n", "2026-05-01 2027-05-01" },
	{ "DTSTART;VALUE=DATE:19900501\r\nRRULE:FREQ=YEARLY;UNTIL=20260501\r\n", "2026-05-01" },
	{ "DTSTART;VALUE=DATE:19900501\r\nRRULE:FREQ=YEARLY;UNTIL=20260430\r\n", "" },
	{ "DTSTART;VALUE=DATE:20260501\r\nRRULE:FREQ=YEARLY;COUNT=1\r\n", "2026-05-01" },
	{ "DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20260501\r\n",
	    "2027-05-01" },
	{ "DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY\r\n"
	  "EXDATE;VALUE=DATE:20250501,20260501,20270501\r\n",
	    "" },
	{ "DTSTART;VALUE=DATE:20160905\r\nRRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO\r\n",
	    "2026-09-07 2027-09-06" },
	{ "DTSTART;VALUE=DATE:20261001\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20261231\r\n",
	    "2026-10-31 2026-11-30 2026-12-31" },
	/* A leap day comes every four years, of which these two have none. */
	{ "DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\n", "" },
	{ "DTSTART;VALUE=DATE:20260101\r\nRDATE;VALUE=DATE:20260106,20270106\r\n",
	    "2026-01-01 2026-01-06 2027-01-06" },
	/* Times close the days whose hours they cover. */
	{ "DTSTART:20261225T000000\r\nDTEND:20261226T000000\r\n", "2026-12-25" },
	{ "DTSTART;TZID=Europe/Berlin:20261225T000000\r\nDTEND;TZID=Europe/"
	  "Berlin:20261227T000000\r\n",
	    "2026-12-25 2026-12-26" },
	{ "DTSTART:20261225T080000Z\r\nDTEND:20261225T160000Z\r\n", "2026-12-25" },
	{ "DTSTART:20261225T080001Z\r\nDTEND:20261225T160000Z\r\n", "" },
	{ "DTSTART:20261225T080000Z\r\nDTEND:20261225T155959Z\r\n", "" },
	{ "DTSTART:20260703T070000Z\r\nDTEND:20260703T150000Z\r\n", "2026-07-03" }, /* summer */
	{ "DTSTART;TZID=America/New_York:20261225T000000\r\nDTEND;TZID=America/New_York:"
	  "20261226T000000\r\n",
	    "2026-12-25" },
	{ "DTSTART;TZID=America/New_York:20261225T000000\r\nDTEND;TZID=America/New_York:"
	  "20261227T000000\r\n",
	    "2026-12-25 2026-12-26" },
	{ "DTSTART;TZID=Europe/Berlin:20200501T000000\r\nDURATION:PT24H\r\nRRULE:FREQ=YEARLY;UNTIL="
	  "20260430T220000Z\r\n",
	    "2026-05-01" },
	{ "DTSTART;TZID=Europe/Berlin:20200501T000000\r\nDURATION:PT24H\r\nRRULE:FREQ=YEARLY\r\n"
	  "EXDATE:20260430T220000Z\r\n",
	    "2027-05-01" },
	{ "DTSTART;VALUE=DATE:20261225\r\nSTATUS:CANCELLED\r\n", "" },
	{ "DTSTART;VALUE=DATE:20261225\r\nTRANSP:TRANSPARENT\r\n", "2026-12-25" },
	/* An alarm's lines are its own. */
	{ "DTSTART;VALUE=DATE:20261225\r\nBEGIN:VALARM\r\nDURATION:P99D\r\nEND:VALARM\r\n",
	    "2026-12-25" },
	{ "dtstart;value=date:20261225\r\n", "2026-12-25" },
	{ "DTSTART;VALUE\r\n =DATE:2026\r\n\t1225\r\n", "2026-12-25" },
};

static void
test_events(void **state)
{
	char text[2048], days[256];

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct fail f = { .err = SOUK_OK };

		(void)snprintf(text, sizeof(text), "%s%s%s", HEAD "BEGIN:VEVENT\r\n",
		    events[i].lines, "END:VEVENT\r\n" TAIL);
		if (read_days(str_c(text), "Europe/Berlin", days, sizeof(days), &f) != SOUK_OK)
			fail_msg("row %zu: %s: %s", i, f.entry[0].field, f.entry[0].what);
		if (strcmp(days, events[i].days) != 0)
			fail_msg("row %zu: %s", i, days);
	}
}

/* Lines of an event, the line that is named, a word of what is said. */
static const struct {
	const char *lines;
	unsigned line;
	const char *what;
} wrong[] = {
	{ "SUMMARY:x\r\n", 4, "no DTSTART" },
	{ "DTSTART;VALUE=DATE:20261399\r\n", 4, "no date" },
	{ "DTSTART;VALUE=DATE:20260230\r\n", 4, "no date" },
	{ "DTSTART;VALUE=DATE:16010101\r\n", 4, "1900" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDTSTART;VALUE=DATE:20261226\r\n", 4, "more than one" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261224\r\n", 4, "before it begins" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20280101\r\n", 4, "year later" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDTEND:20261226T000000\r\n", 4, "ends with a time" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDURATION:-P1D\r\n", 4, "moment and a year" },
	{ "DTSTART;VALUE=DATE:20261225\r\nDURATION:P900D\r\n", 4, "moment and a year" },
	{ "DTSTART;TZID=Middle Earth:20261225T000000\r\n", 4, "time zone" },
	{ "DTSTART;TZID=../../etc/passwd:20261225T000000\r\n", 4, "time zone" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=WEEKLY\r\n", 4, "yearly nor monthly" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=SECONDLY\r\n", 4, "yearly nor monthly" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;BYHOUR=1,2\r\n", 4, "within a day" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=NEVER\r\n", 4, "" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY\r\nRRULE:FREQ=MONTHLY\r\n", 4,
	    "more than one RRULE" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRECURRENCE-ID;VALUE=DATE:20261225\r\n", 4,
	    "RECURRENCE-ID" },
	{ "DTSTART;VALUE=DATE:20261225\r\nRDATE:20261225T000000\r\n", 4, "mixes" },
	{ "DTSTART;VALUE=DATE:20261225\r\nSUMMARY:\xff\xfe\r\n", 4, "UTF-8" },
	{ "DTSTART;VALUE=DATE:20261225\r\nnonsense\r\n", 6, "no line" },
	{ "DTSTART;VALUE=DATE:20261225\r\nEND:VTODO\r\n", 6, "did not begin" },
};

static void
test_faults(void **state)
{
	char text[2048], days[256], field[40];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fail f = { .err = SOUK_OK };
		enum souk_err r;

		(void)snprintf(text, sizeof(text), "%s%s%s", HEAD "BEGIN:VEVENT\r\n",
		    wrong[i].lines, "END:VEVENT\r\n" TAIL);
		(void)snprintf(field, sizeof(field), "icalendar line %u", wrong[i].line);
		r = read_days(str_c(text), "Europe/Berlin", days, sizeof(days), &f);
		if (r != SOUK_E_INVALID || strcmp(f.entry[0].field, field) != 0 ||
		    strstr(f.entry[0].what, wrong[i].what) == NULL || f.entry[0].fix[0] == '\0')
			fail_msg("row %zu: %d %s %s", i, r, f.entry[0].field, f.entry[0].what);
	}
}

static void
test_files(void **state)
{
	static const char *const broken[] = { "", "\r\n\r\n", "hello",
		"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "BEGIN:VCALENDAR\r\n",
		HEAD "BEGIN:VEVENT\r\n" TAIL, "END:VCALENDAR\r\n", HEAD TAIL "X:1\r\n", "BEGIN",
		":" };
	char days[256];

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct fail f = { .err = SOUK_OK };

		if (read_days(str_c(broken[i]), "Europe/Berlin", days, sizeof(days), &f) !=
			SOUK_E_INVALID ||
		    f.n == 0)
			fail_msg("row %zu", i);
	}
	/* None at all is fine, and so are a byte order mark, bare line feeds, two calendars, a zone that is passed over. */
	assert_int_equal(
	    read_days(STR(HEAD TAIL), "Europe/Berlin", days, sizeof(days), NULL), SOUK_OK);
	assert_int_equal(
	    read_days(STR("\xef\xbb\xbf" HEAD "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:"
			  "16010101T000000\nRRULE:FREQ=SECONDLY\nEND:STANDARD\nEND:"
			  "VTIMEZONE\n" TAIL
			  "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n"
			  "END:VEVENT\nEND:VCALENDAR"),
		"Europe/Berlin", days, sizeof(days), NULL),
	    SOUK_OK);
	assert_string_equal(days, "2026-12-25");
	assert_int_equal(
	    read_days(STR(HEAD "X\0Y:1\r\n" TAIL), "Europe/Berlin", days, sizeof(days), NULL),
	    SOUK_E_INVALID);
}

static void
test_names(void **state)
{
	static const char text[] = EVENT("DTSTART;VALUE=DATE:20261225\r\n"
					 "SUMMARY:Erster Weihnachtstag\\, Feiertag\\n(Bund)\r\n");
	struct holidays_window w = { .from = on("2026-12-25"),
		.to = on("2026-12-25"),
		.zone = STR("Asia/Riyadh"),
		.close = 1440 };
	struct arena *mem = arena_new(ROOM);
	const struct holiday *h = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(holidays_read(STR(text), &w, mem, &h, &n, NULL), SOUK_OK);
	assert_int_equal(n, 1);
	assert_true(str_eq_c(h[0].name, "Erster Weihnachtstag, Feiertag (Bund)"));
	w.from = w.to = on("2026-12-26");
	assert_int_equal(holidays_read(STR(text), &w, mem, &h, &n, NULL), SOUK_OK);
	assert_int_equal(n, 0);
	arena_free(mem);
}

/* `n` times the same piece. */
static void
add_times(struct buf *b, size_t n, const char *piece)
{
	for (size_t i = 0; i < n; i++)
		buf_add_c(b, piece);
}

/* Each answers in well under a second. */
static void
test_hostile(void **state)
{
	static const struct {
		size_t n;
		const char *piece;
		enum souk_err want;
	} files[] = {
		{ 5000, "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\n", SOUK_OK },
		{ 5001, "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\n",
		    SOUK_E_LIMIT },
		{ 40,
		    "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:"
		    "20261231\r\nEND:"
		    "VEVENT\r\n",
		    SOUK_E_LIMIT },
		{ 201,
		    "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY\r\nEND:"
		    "VEVENT\r\n",
		    SOUK_E_LIMIT },
		{ 200,
		    "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:19000226\r\nRRULE:FREQ=MONTHLY;BYMONTH=2;"
		    "BYDAY=MO;"
		    "BYSETPOS=5\r\nEND:VEVENT\r\n",
		    SOUK_OK },
		/* Rules that never come to a day. */
		{ 3000,
		    "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:19000101\r\nRRULE:FREQ=YEARLY;BYMONTH=2;"
		    "BYMONTHDAY=30\r\nEND:VEVENT\r\n",
		    SOUK_E_INVALID },
		{ 3000,
		    "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:19000131\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY="
		    "31"
		    ";BYMONTH=2\r\nEND:VEVENT\r\n",
		    SOUK_E_INVALID },
		{ 700,
		    "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:19000131\r\nRRULE:FREQ=YEARLY;BYMONTH=1,2,"
		    "3,4,"
		    "5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU\r\nEND:VEVENT\r\n",
		    SOUK_E_LIMIT },
		{ 30000, "BEGIN:VEVENT\r\n", SOUK_E_LIMIT },
		{ 50000, "X-A:1\r\n ", SOUK_E_INVALID },
		{ 400000, " ", SOUK_E_INVALID },
		{ 400000, "A", SOUK_E_INVALID },
		{ 524288, "A", SOUK_E_LIMIT },
	};
	char days[256];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct buf b = { 0 };
		enum souk_err r;

		buf_add_c(&b, HEAD);
		add_times(&b, files[i].n, files[i].piece);
		buf_add_c(&b, TAIL);
		r = read_days(buf_str(&b), "Europe/Berlin", days, sizeof(days), NULL);

		if (r != files[i].want)
			fail_msg("row %zu: %d", i, r);
		buf_done(&b);
	}
}

/* A line of 8 KB passes, one more does not; 500 days without, one more does not. */
static void
test_bounds(void **state)
{
	char days[256];

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct buf b = { 0 };

		buf_add_c(&b, HEAD "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nSUMMARY:");
		add_times(&b, 8192 - 8 + over, "x");
		buf_add_c(&b, "\r\nEND:VEVENT\r\n" TAIL);
		assert_int_equal(read_days(buf_str(&b), "UTC", days, sizeof(days), NULL),
		    over ? SOUK_E_LIMIT : SOUK_OK);
		buf_clear(&b);
		buf_add_c(&b, HEAD "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\n");
		add_times(&b, 500 + over, "EXDATE;VALUE=DATE:20201225\r\n");
		buf_add_c(&b, "END:VEVENT\r\n" TAIL);
		assert_int_equal(read_days(buf_str(&b), "UTC", days, sizeof(days), NULL),
		    over ? SOUK_E_LIMIT : SOUK_OK);
		buf_done(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
