/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds that somebody cut, edited, merged or made up. The check names place and fix; both readers refuse
 * what cannot be read, or with a fault sink set just that row aside.
 */
#include "feeds/check.h"

#include "../base/check.h"
#include "feed_dir.h"
#include "feeds/events.h"
#include "feeds/read.h"

#define B "billing_event_v1/year=2024/month=02/data.csv"
#define M3 "billing_event_v1/year=2024/month=03/data.csv"
/* Sets a column (from 1) of the fifth line. */
#define CELL(column, value)                                                                        \
	"awk -F, -v OFS=, -v v='" value "' 'NR == 5 { $" column " = v } { print }' " B             \
	" > x && mv x " B

#define LAST UINT64_MAX /* the file's last line, as it is after the change */

enum reader {
	READS,   /* though it is not as it should be */
	REFUSES, /* the row; with a sink it is set aside */
	STOPS,   /* the file as a whole: never read */
	NO_LIST  /* the folder */
};

static const struct hostile {
	const char *name, *command;
	enum reader reader;
	enum check_rule rule;
	uint64_t line;
	const char *column, *what;
	uint64_t count; /* findings of the rule */
} cases[] = {
	{ "cut within a row", "truncate -s -100 " B, REFUSES, CHECK_ROW, LAST, "",
	    "fewer columns than the header", 1 },
	{ "cut within the last cell", "truncate -s -1 " B, READS, CHECK_FILE, 0, "",
	    "ends within a line", 1 },
	{ "nothing at all", ": > " B, STOPS, CHECK_FILE, 0, "", "is empty", 1 },
	{ "semicolons", "sed -i 's/,/;/g' " B, STOPS, CHECK_FILE, 1, "billing_event_id",
	    "is missing from the header", 1 },
	{ "tabs", "sed -i 's/,/\\t/g' " B, STOPS, CHECK_FILE, 1, "billing_event_id",
	    "is missing from the header", 1 },
	{ "a quote in the middle", "sed -i '5s/,/x\"y,/' " B, REFUSES, CHECK_ROW, 5, "", "quote",
	    1 },
	{ "text behind a quote", "sed -i '5s/^/\"a\"b/' " B, REFUSES, CHECK_ROW, 5, "", "quote",
	    1 },
	{ "a NUL byte", "sed -i '5s/^/\\x00/' " B, REFUSES, CHECK_ROW, 5, "", "NUL", 1 },
	{ "a line of 100 MB",
	    "{ head -4 " B "; head -c 100000000 /dev/zero | tr '\\0' x; tail -n +5 " B
	    "; } > x && mv x " B,
	    REFUSES, CHECK_ROW, 5, "", "long", 1 },
	{ "no UTF-8", "sed -i '5s/AWS_INC\\|AWS_EUROPE/AWS_\\xff/' " B, READS, CHECK_ROW, 5, "",
	    "UTF-8", 1 },
	{ "a byte order mark", "sed -i '1s/^/\\xef\\xbb\\xbf/' " B, READS, CHECK_FILE, 1, "",
	    "byte order mark", 1 },
	{ "CR LF", "sed -i 's/$/\\r/' " B, READS, CHECK_FILE, 1, "", "CR LF", 1 },
	{ "columns moved",
	    "awk -F, -v OFS=, '{ t = $1; $1 = $2; $2 = t; print }' " B " > x && mv x " B, READS,
	    CHECK_DF8, 1, "", "is not the header", 1 },
	{ "a column renamed", "sed -i '1s/,amount,/,amounts,/' " B, STOPS, CHECK_FILE, 1, "amount",
	    "is missing from the header", 1 },
	{ "a column doubled", "sed -i '1s/,bank_trace_id,/,amount,/' " B, STOPS, CHECK_FILE, 1,
	    "amount", "is named twice", 1 },
	{ "a column left out", "cut -d, -f1-9,11- " B " > x && mv x " B, STOPS, CHECK_FILE, 1,
	    "amount", "is missing from the header", 1 },
	{ "a file twice", "cp " B " " M3, READS, CHECK_FILE, 0, "",
	    "has the rows of another month's file", 1 },
	{ "plain and compressed", "gzip -k " B, NO_LIST, CHECK_FILE, 0, "", "is there twice", 1 },
	{ "two folders of a feed", "cp -r billing_event_v1 billingeventfeed_v1", NO_LIST,
	    CHECK_FILE, 0, "", "under another name", 1 },
	{ "a month that is none",
	    "mkdir -p offer_v1/year=2024/month=13; cp " B " offer_v1/year=2024/month=13/data.csv",
	    NO_LIST, CHECK_FILE, 0, "", "is not in a folder of a month", 1 },
	{ "a broken archive", "gzip " B "; truncate -s -20 " B ".gz", STOPS, CHECK_FILE, 0, "",
	    "ends early", 1 },
	{ "two months in one file", "tail -n 1 " M3 " >> " B, READS, CHECK_MONTH, LAST,
	    "update_date", "is not in the month", 1 },
	{ "a header between rows", "head -1 " M3 " >> " B, REFUSES, CHECK_ROW, LAST, "action",
	    "is not an action", 1 },
	{ "eleven decimals", CELL("10", "1.12345678901"), REFUSES, CHECK_ROW, 5, "amount",
	    "decimals", 1 },
	{ "an exponent", CELL("10", "1e3"), REFUSES, CHECK_ROW, 5, "amount", "", 1 },
	{ "a plus", CELL("10", "+1"), REFUSES, CHECK_ROW, 5, "amount", "", 1 },
	{ "a decimal comma", CELL("10", "\"1,5\""), REFUSES, CHECK_ROW, 5, "amount", "", 1 },
	{ "beyond all amounts", CELL("10", "1000000000000000000"), REFUSES, CHECK_ROW, 5, "amount",
	    "", 1 },
	{ "no amount", CELL("10", ""), REFUSES, CHECK_ROW, 5, "amount", "is empty", 1 },
	{ "an unknown currency", CELL("11", "XXQ"), REFUSES, CHECK_ROW, 5, "currency",
	    "is not a currency", 1 },
	{ "a currency in small letters", CELL("11", "usd"), REFUSES, CHECK_ROW, 5, "currency",
	    "is not a currency", 1 },
	{ "before 1970", CELL("13", "1969-12-31T23:59:59Z"), REFUSES, CHECK_ROW, 5, "invoice_date",
	    "", 1 },
	{ "after 9999", CELL("13", "10000-01-01T00:00:00Z"), REFUSES, CHECK_ROW, 5, "invoice_date",
	    "", 1 },
	{ "the 30th of February", CELL("13", "2024-02-30T00:00:00Z"), REFUSES, CHECK_ROW, 5,
	    "invoice_date", "is not an instant", 1 },
	{ "an unknown action", CELL("6", "PAID"), REFUSES, CHECK_ROW, 5, "action",
	    "is not an action", 1 },
	{ "an unknown type", CELL("7", "SELLER_REVSHARE"), REFUSES, CHECK_ROW, 5,
	    "transaction_type", "is not a transaction type", 1 },
	{ "neither yes nor no", CELL("12", "true"), REFUSES, CHECK_ROW, 5, "balance_impacting",
	    "neither 0 nor 1", 1 },
	{ "one cell more", CELL("25", ",x"), REFUSES, CHECK_ROW, 5, "", "more columns", 1 },
	{ "one cell less", "sed -i '5s/,//' " B, REFUSES, CHECK_ROW, 5, "", "fewer columns", 1 },
};

static const char *dir;
static uint64_t sound_rows;

static uint64_t
last_line(void)
{
	struct feed_text t;
	uint64_t n;

	feed_load(dir, FEED_BILLING_EVENT, 2, &t);
	n = t.n;
	feed_text_free(&t);
	return n;
}

static void
check_names_it(const struct hostile *h)
{
	struct check_options o = { .dir = dir, .limit = 100 };
	struct check_result x;
	struct fail f = { 0 };
	bool named = false;
	uint64_t line = h->line == LAST ? last_line() : h->line;

	if (feeds_check(&o, &x, &f) != SOUK_OK)
		fail_msg("%s: check: %s", h->name, f.detail);
	for (size_t i = 0; i < x.n && !named; i++) {
		const struct check_finding *a = &x.findings[i];

		named = a->rule == h->rule && a->line == line &&
			strcmp(a->column, h->column) == 0 && strstr(a->what, h->what) != NULL &&
			strlen(a->fix) > 5 && strstr(a->file, "month=") != NULL;
	}
	for (size_t i = 0; i < x.n && !named; i++)
		print_message("%s:%llu:%s: %s [%s]\n", x.findings[i].file,
		    (unsigned long long)x.findings[i].line, x.findings[i].column,
		    x.findings[i].what, check_rule_id(x.findings[i].rule));
	if (!named || x.count[h->rule] != h->count)
		fail_msg("%s: %s, %llu findings", h->name, named ? "named" : "not named",
		    (unsigned long long)x.count[h->rule]);
	feeds_check_free(&x);
}

/* ---- the readers ---- */

struct set_aside {
	struct fault_sink sink;
	uint64_t line;
	char column[64];
};

static enum souk_err
note(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	struct set_aside *a = (struct set_aside *)s;

	(void)row;
	(void)f;
	a->line = fault->line;
	(void)snprintf(a->column, sizeof(a->column), "%s", fault->column);
	return SOUK_OK;
}

static enum souk_err
count_row(void *arg, const struct feed_row *row, struct fail *f)
{
	(void)row;
	(void)f;
	(*(uint64_t *)arg)++;
	return SOUK_OK;
}

/* Row after row. */
static enum souk_err
read_slowly(struct feed_source *s, struct fault_sink *sink, uint64_t *rows, struct fail *f)
{
	const struct feed_reading r = { .source = s,
		.feed = FEED_BILLING_EVENT,
		.columns = COLUMNS_ALL(BE__COUNT),
		.faults = sink,
		.row = count_row,
		.arg = rows };

	return feed_read(&r, f);
}

/* As reports do. */
static enum souk_err
read_fast(struct feed_source *s, struct fault_sink *sink, uint64_t *rows, struct fail *f)
{
	const struct events_query q = { .source = s,
		.known_at = INSTANT_NONE,
		.month_from = MONTHS_FROM,
		.month_to = MONTHS_TO,
		.actions = ACTIONS_ALL,
		.types = TYPES_ALL,
		.flags = EVENTS_MORE,
		.faults = sink,
		.threads = 2 };
	struct feeds *feeds = NULL;
	enum souk_err r = feeds_load(&q, &feeds, f);

	if (r == SOUK_OK)
		*rows = feeds->rows;
	feeds_free(feeds);
	return r;
}

typedef enum souk_err reader_fn(
    struct feed_source *s, struct fault_sink *sink, uint64_t *rows, struct fail *f);

static bool
ends_with(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

static void
strict(const struct hostile *h, reader_fn *reader, struct feed_source *s)
{
	struct fail f = { 0 };
	uint64_t rows = 0, line = h->line == LAST ? last_line() : h->line;
	char place[128];
	enum souk_err r = reader(s, NULL, &rows, &f);

	if (h->reader == READS) {
		if (r != SOUK_OK)
			fail_msg("%s: refused: %s: %s", h->name, f.entry[0].field, f.entry[0].what);
		return;
	}
	if (r != SOUK_E_INVALID || f.n != 1 || strlen(f.entry[0].fix) < 5)
		fail_msg("%s: not refused", h->name);
	if (line > 0)
		(void)snprintf(place, sizeof(place), "data.csv:%llu%s%s", (unsigned long long)line,
		    h->column[0] != '\0' ? ":" : "", h->column);
	else
		(void)snprintf(place, sizeof(place), "data.csv");
	if (!ends_with(f.entry[0].field, place) && strstr(f.entry[0].field, ".gz") == NULL)
		fail_msg("%s: refused at %s, not %s", h->name, f.entry[0].field, place);
}

static void
lenient(const struct hostile *h, reader_fn *reader, struct feed_source *s)
{
	struct set_aside aside = { .sink = { .take = note } };
	struct fail f = { 0 };
	uint64_t rows = 0, line = h->line == LAST ? last_line() : h->line;
	enum souk_err r = reader(s, &aside.sink, &rows, &f);

	if (h->reader == STOPS) {
		assert_int_equal(r, SOUK_E_INVALID);
		return;
	}
	if (r != SOUK_OK)
		fail_msg("%s: lenient: %s: %s", h->name, f.entry[0].field, f.entry[0].what);
	if (aside.sink.n != (h->reader == REFUSES))
		fail_msg("%s: %llu rows set aside", h->name, (unsigned long long)aside.sink.n);
	if (h->reader == REFUSES && (aside.line != line || strcmp(aside.column, h->column) != 0))
		fail_msg("%s: set aside at %llu:%s", h->name, (unsigned long long)aside.line,
		    aside.column);
	/* Just that row is missing: one that was there, or one that was added. */
	if (h->reader == REFUSES && rows + 1 != sound_rows && rows != sound_rows)
		fail_msg("%s: %llu rows", h->name, (unsigned long long)rows);
}

static void
test_each_is_named_and_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct hostile *h = &cases[i];
		static reader_fn *const readers[] = { read_slowly, read_fast };
		struct feed_source *s = NULL;
		struct fail f = { 0 };

		dir = feed_dir_made(2000, 9);
		feed_dir_run(dir, h->command);
		check_names_it(h);
		for (size_t k = 0; k < COUNT(readers); k++) {
			enum souk_err r = feed_source_folder(dir, &s, &f);

			if ((r == SOUK_E_INVALID) != (h->reader == NO_LIST))
				fail_msg("%s: the folder was%s listed", h->name,
				    r != SOUK_OK ? " not" : "");
			if (r == SOUK_OK)
				strict(h, readers[k], s);
			if (r == SOUK_OK)
				lenient(h, readers[k], s);
			feed_source_free(s);
			s = NULL;
		}
		feed_dir_remove(dir);
	}
}

static int
count_sound_rows(void **state)
{
	struct feed_source *s = NULL;
	struct fail f = { 0 };

	(void)state;
	dir = feed_dir_made(2000, 9);
	if (feed_source_folder(dir, &s, &f) != SOUK_OK ||
	    read_slowly(s, NULL, &sound_rows, &f) != SOUK_OK)
		return -1;
	feed_source_free(s);
	feed_dir_remove(dir);
	return 0;
}

/* A row set aside stands in a reject file with its place, and the rest is there. */
static void
test_reject_file_says_what_was_set_aside(void **state)
{
	struct reject_file reject;
	struct feed_source *s = NULL;
	struct fail f = { 0 };
	uint64_t rows = 0;
	char path[128];

	(void)state;
	dir = feed_dir_made(2000, 9);
	feed_dir_run(dir, CELL("10", "1e3"));
	(void)snprintf(path, sizeof(path), "%s/rejects.csv", dir);
	reject_file_init(&reject, path);
	assert_int_equal(feed_source_folder(dir, &s, &f), SOUK_OK);
	assert_int_equal(read_fast(s, &reject.sink, &rows, &f), SOUK_OK);
	assert_int_equal(reject_file_close(&reject, true, &f), SOUK_OK);
	assert_int_equal(rows, sound_rows - 1);
	feed_dir_run(
	    dir, "test $(wc -l < rejects.csv) = 2 && grep -q '^" B ",5,amount,.*1e3' rejects.csv");
	feed_source_free(s);
	feed_dir_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_named_and_refused),
		cmocka_unit_test(test_reject_file_says_what_was_set_aside),
	};

	return cmocka_run_group_tests(tests, count_sound_rows, NULL);
}
