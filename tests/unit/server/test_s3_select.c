/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and ranges, as tables: which bytes come, with which outcome. */
#include "server/s3_select.h"

#include "check.h"

#define ETAG "9e107d9d372bb6826bd81d3542a419d6"
#define OTHER "d41d8cd98f00b204e9800998ecf8427e"
/* Sun, 06 Nov 1994 08:49:37.250 GMT: dates in headers have no fraction. */
#define MODIFIED INT64_C(784111777250)
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACTLY "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static struct s3_selection
chosen(const struct s3_conditions *c, uint64_t size)
{
	struct s3_selection s;

	s3_select(c, STR(ETAG), MODIFIED, size, &s);
	return s;
}

static const struct {
	const char *range;
	uint64_t size;
	enum s3_outcome outcome;
	uint64_t from, length;
} ranges[] = {
	{ "bytes=0-0", 10, S3_PART, 0, 1 },
	{ "bytes=0-9", 10, S3_PART, 0, 10 },
	{ "bytes=0-10", 10, S3_PART, 0, 10 },
	{ "bytes=9-", 10, S3_PART, 9, 1 },
	{ "bytes=0-", 10, S3_PART, 0, 10 },
	{ "bytes=3-5", 10, S3_PART, 3, 3 },
	{ "Bytes=3-5", 10, S3_PART, 3, 3 },
	{ " bytes=3-5 ", 10, S3_PART, 3, 3 },
	{ "bytes=3-99999999999999999999999", 10, S3_PART, 3, 7 },
	{ "bytes=3-18446744073709551615", 10, S3_PART, 3, 7 },
	{ "bytes=-1", 10, S3_PART, 9, 1 },
	{ "bytes=-10", 10, S3_PART, 0, 10 },
	{ "bytes=-11", 10, S3_PART, 0, 10 },
	{ "bytes=-99999999999999999999999", 10, S3_PART, 0, 10 },
	{ "bytes=8388608-16777215", 20971520, S3_PART, 8388608, 8388608 },
	{ "bytes=10-", 10, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=10-20", 10, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=99999999999999999999999-", 10, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=-0", 10, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=0-", 0, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=0-0", 0, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=-5", 0, S3_UNSATISFIABLE, 0, 0 },
	{ "bytes=5-3", 10, S3_WHOLE, 0, 10 },
	{ "bytes=0-1,3-4", 10, S3_WHOLE, 0, 10 },
	{ "bytes=0-1,", 10, S3_WHOLE, 0, 10 },
	{ "bytes=", 10, S3_WHOLE, 0, 10 },
	{ "bytes=-", 10, S3_WHOLE, 0, 10 },
	{ "bytes=a-b", 10, S3_WHOLE, 0, 10 },
	{ "bytes=1", 10, S3_WHOLE, 0, 10 },
	{ "bytes=--1", 10, S3_WHOLE, 0, 10 },
	{ "bytes=+1-2", 10, S3_WHOLE, 0, 10 },
	{ "bytes=0x1-2", 10, S3_WHOLE, 0, 10 },
	{ "bytes", 10, S3_WHOLE, 0, 10 },
	{ "items=0-1", 10, S3_WHOLE, 0, 10 },
	{ "", 10, S3_WHOLE, 0, 10 },
	{ NULL, 10, S3_WHOLE, 0, 10 },
	{ NULL, 0, S3_WHOLE, 0, 0 },
};

static void
test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++) {
		struct s3_conditions c = { .range = str_c(ranges[i].range) };
		struct s3_selection s = chosen(&c, ranges[i].size);

		assert_row(i, s.outcome == ranges[i].outcome);
		assert_row(i, s.from == ranges[i].from && s.length == ranges[i].length);
	}
}

static const struct {
	const char *if_match, *if_unmodified, *if_none_match, *if_modified;
	enum s3_outcome outcome;
	const char *condition;
} conditions[] = {
	/* If-Match */
	{ "\"" ETAG "\"", NULL, NULL, NULL, S3_WHOLE, NULL },
	{ ETAG, NULL, NULL, NULL, S3_WHOLE, NULL },
	{ "*", NULL, NULL, NULL, S3_WHOLE, NULL },
	{ "\"" OTHER "\", \"" ETAG "\"", NULL, NULL, NULL, S3_WHOLE, NULL },
	{ "\"" OTHER "\"", NULL, NULL, NULL, S3_PRECONDITION, "If-Match" },
	{ "W/\"" ETAG "\"", NULL, NULL, NULL, S3_PRECONDITION, "If-Match" },
	{ "", NULL, NULL, NULL, S3_PRECONDITION, "If-Match" },
	{ "\"", NULL, NULL, NULL, S3_PRECONDITION, "If-Match" },
	/* If-Unmodified-Since, passed over when If-Match is there */
	{ NULL, AFTER, NULL, NULL, S3_WHOLE, NULL },
	{ NULL, EXACTLY, NULL, NULL, S3_WHOLE, NULL },
	{ NULL, BEFORE, NULL, NULL, S3_PRECONDITION, "If-Unmodified-Since" },
	{ NULL, "yesterday", NULL, NULL, S3_WHOLE, NULL },
	{ "\"" ETAG "\"", BEFORE, NULL, NULL, S3_WHOLE, NULL },
	{ "\"" OTHER "\"", AFTER, NULL, NULL, S3_PRECONDITION, "If-Match" },
	/* If-None-Match */
	{ NULL, NULL, "\"" ETAG "\"", NULL, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, "W/\"" ETAG "\"", NULL, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, ETAG, NULL, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, "*", NULL, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, "\"" OTHER "\",\"" ETAG "\"", NULL, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, "\"" OTHER "\"", NULL, S3_WHOLE, NULL },
	/* If-Modified-Since, passed over when If-None-Match is there */
	{ NULL, NULL, NULL, AFTER, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, NULL, EXACTLY, S3_NOT_MODIFIED, NULL },
	{ NULL, NULL, NULL, BEFORE, S3_WHOLE, NULL },
	{ NULL, NULL, NULL, "1994", S3_WHOLE, NULL },
	{ NULL, NULL, "\"" OTHER "\"", AFTER, S3_WHOLE, NULL },
	{ NULL, NULL, "\"" ETAG "\"", BEFORE, S3_NOT_MODIFIED, NULL },
	/* both kinds: the first to fail decides */
	{ "\"" OTHER "\"", NULL, "\"" ETAG "\"", NULL, S3_PRECONDITION, "If-Match" },
	{ "\"" ETAG "\"", NULL, "\"" ETAG "\"", NULL, S3_NOT_MODIFIED, NULL },
	{ NULL, BEFORE, NULL, AFTER, S3_PRECONDITION, "If-Unmodified-Since" },
};

static void
test_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(conditions); i++) {
		struct s3_conditions c = { .if_match = str_c(conditions[i].if_match),
			.if_unmodified_since = str_c(conditions[i].if_unmodified),
			.if_none_match = str_c(conditions[i].if_none_match),
			.if_modified_since = str_c(conditions[i].if_modified) };
		struct s3_selection s = chosen(&c, 10);

		assert_row(i, s.outcome == conditions[i].outcome);
		assert_row(i, s.length == (s.outcome == S3_WHOLE ? 10u : 0u));
		assert_row(i, !s.condition == !conditions[i].condition);
		if (s.condition)
			assert_string_equal(s.condition, conditions[i].condition);
	}
}

/* A condition that fails comes before a range that cannot be had. */
static void
test_condition_before_range(void **state)
{
	struct s3_conditions c = { .if_match = STR(OTHER), .range = STR("bytes=99-") };

	(void)state;
	assert_int_equal(chosen(&c, 10).outcome, S3_PRECONDITION);
	c = (struct s3_conditions){ .if_none_match = STR(ETAG), .range = STR("bytes=0-1") };
	assert_int_equal(chosen(&c, 10).outcome, S3_NOT_MODIFIED);
	c = (struct s3_conditions){ .if_match = STR(ETAG), .range = STR("bytes=0-1") };
	assert_int_equal(chosen(&c, 10).outcome, S3_PART);
}

static void
test_if_range(void **state)
{
	static const struct {
		const char *if_range;
		enum s3_outcome outcome;
	} rows[] = {
		{ "\"" ETAG "\"", S3_PART },
		{ ETAG, S3_PART },
		{ "W/\"" ETAG "\"", S3_WHOLE },
		{ "\"" OTHER "\"", S3_WHOLE },
		{ "\"" ETAG "\", \"" OTHER "\"", S3_WHOLE }, /* takes one tag only */
		{ "*", S3_WHOLE },
		{ EXACTLY, S3_PART },
		{ BEFORE, S3_WHOLE },
		{ AFTER, S3_WHOLE }, /* a date is a validator here, not a limit */
		{ "", S3_WHOLE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct s3_conditions c = { .if_range = str_c(rows[i].if_range),
			.range = STR("bytes=2-3") };

		assert_row(i, chosen(&c, 10).outcome == rows[i].outcome);
	}
	/* What is passed over cannot be out of range. */
	assert_int_equal(
	    chosen(&(struct s3_conditions){ .if_range = STR(OTHER), .range = STR("bytes=99-") }, 10)
		.outcome,
	    S3_WHOLE);
}

static void
test_parts(void **state)
{
	static const struct {
		uint64_t part, size;
		enum s3_outcome outcome;
		uint64_t length;
	} rows[] = {
		{ 1, 10, S3_PART, 10 },
		{ 1, 0, S3_WHOLE, 0 },
		{ 2, 10, S3_UNSATISFIABLE, 0 },
		{ 2, 0, S3_UNSATISFIABLE, 0 },
		{ 10000, 10, S3_UNSATISFIABLE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct s3_selection s =
		    chosen(&(struct s3_conditions){ .part = rows[i].part }, rows[i].size);

		assert_row(i, s.outcome == rows[i].outcome);
		assert_row(i, s.from == 0 && s.length == rows[i].length);
	}
	assert_int_equal(
	    chosen(&(struct s3_conditions){ .part = 2, .if_match = STR(OTHER) }, 10).outcome,
	    S3_PRECONDITION);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_condition_before_range),
		cmocka_unit_test(test_if_range),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
