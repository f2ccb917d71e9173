/* SPDX-License-Identifier: Apache-2.0 */
/* The bitemporal rules 1 to 7 of data-feeds 2, and that order and files do not matter. */
#include "folder.h"

#include "feeds/history.h"

#define ACCOUNTS "account_v1/year=2024/month=05/data.csv"

struct row {
	const char *id, *number, *from, *update, *deleted;
};

/* Rows in the order that `turn` gives, spread over two months. */
static void
write_rows(const char *dir, const struct row *rows, size_t n, size_t turn)
{
	struct buf b[2] = { { 0 }, { 0 } };

	folder_clear(dir);
	buf_add_c(&b[0], ACCOUNT_HEADER);
	buf_add_c(&b[1], ACCOUNT_HEADER);
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[(i * 7 + turn) % n];

		buf_printf(&b[(i + turn) % 2], "%s,%s,,,,,,%s,%s,%s,%s\n", r->id, r->number,
		    r->from, r->update, r->update, r->deleted ? r->deleted : "");
	}
	folder_write(dir, ACCOUNTS, b[0].p, b[0].n);
	folder_write(dir, "account_v1/year=2024/month=06/data.csv", b[1].p, b[1].n);
	buf_done(&b[0]);
	buf_done(&b[1]);
}

static instant_t
at(const char *text)
{
	instant_t t = 0;

	assert_true(instant_parse(str_c(text), &t));
	return t;
}

static struct history *
load(const char *dir, const char *known_at, struct feed_source **ret)
{
	struct history_query q = { .feed = FEED_ACCOUNT,
		.columns = COLUMN(ACC_AWS_ACCOUNT_ID),
		.known_at = known_at ? at(known_at) : INSTANT_NONE };
	struct history *h = NULL;

	q.source = *ret = folder_source(dir);
	assert_int_equal(history_load(&q, &h, NULL), SOUK_OK);
	return h;
}

/* Account number as of `t`, or of the latest version for NULL; "" for none. */
static void
expect(const char *dir, const char *known_at, const char *id, const char *t, const char *want)
{
	struct feed_source *s;
	struct history *h = load(dir, known_at, &s);
	struct str key = str_c(id);
	uint32_t k = history_key(h, &key);
	const struct version *v = t ? history_asof(h, k, at(t)) : history_latest(h, k);
	struct str got = v ? history_cell(h, v, ACC_AWS_ACCOUNT_ID) : STR("");

	if (!str_eq_c(got, want))
		fail_msg("%s as of %s known at %s: %.*s, not %s", id, t ? t : "now",
		    known_at ? known_at : "now", (int)got.n, got.p, want);
	history_free(h);
	feed_source_free(s);
}

static void
test_rules(void **state)
{
	static const struct row rows[] = {
		/* The worked example: creation, change, correction of the change. */
		{ "a", "1", "2018-12-12T02:00:00Z", "2018-12-12T02:00:00Z", NULL },
		{ "a", "2", "2019-03-29T03:00:00Z", "2019-03-29T03:00:00Z", NULL },
		{ "a", "3", "2019-03-29T03:00:00Z", "2019-04-28T03:00:00Z", NULL },
		/* Taken back: the version before goes on. */
		{ "b", "4", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", NULL },
		{ "b", "5", "2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z", NULL },
		{ "b", "5", "2021-01-01T00:00:00Z", "2021-02-01T00:00:00Z",
		    "2021-02-01T00:00:00Z" },
		/* Taken back and given again. */
		{ "c", "6", "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z",
		    "2020-02-01T00:00:00Z" },
		{ "c", "7", "2020-01-01T00:00:00Z", "2020-03-01T00:00:00Z", NULL },
		/* A tie: the greater row. */
		{ "d", "8", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", NULL },
		{ "d", "9", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", NULL },
		{ "d", "80", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", NULL },
		{ "e", "gone", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z",
		    "2020-01-01T00:00:00Z" },
	};
	static const struct {
		const char *known, *id, *t, *want;
	} asked[] = {
		{ NULL, "a", NULL, "3" },
		{ NULL, "a", "2019-03-29T02:59:59Z", "1" },
		{ NULL, "a", "2019-03-29T03:00:00Z", "3" },
		{ "2019-04-01T00:00:00Z", "a", NULL, "2" },
		{ "2019-04-28T03:00:00Z", "a", NULL, "3" },
		{ "2019-01-01T00:00:00Z", "a", "2019-06-01T00:00:00Z", "1" },
		{ "2018-12-12T01:59:59Z", "a", NULL, "" },
		/* The first period of an account begins a day earlier (rule 7), and no more than that. */
		{ NULL, "a", "2018-12-11T02:00:00Z", "1" },
		{ NULL, "a", "2018-12-11T01:59:59Z", "" },
		{ NULL, "a", "9998-12-31T00:00:00Z", "3" },
		{ NULL, "a", "9999-01-01T00:00:00Z", "" },
		{ NULL, "b", NULL, "4" },
		{ "2021-01-15T00:00:00Z", "b", NULL, "5" },
		{ NULL, "b", "2021-06-01T00:00:00Z", "4" },
		{ NULL, "c", NULL, "7" },
		{ "2020-02-15T00:00:00Z", "c", NULL, "" },
		{ NULL, "d", NULL, "9" },
		{ NULL, "e", NULL, "" },
		{ NULL, "nobody", NULL, "" },
	};
	const char *dir = *state;

	for (size_t turn = 0; turn < 4; turn++) {
		write_rows(dir, rows, COUNT(rows), turn * 5);
		for (size_t i = 0; i < COUNT(asked); i++)
			expect(dir, asked[i].known, asked[i].id, asked[i].t, asked[i].want);
	}
}

/* Keys of several columns are not run together. */
static void
test_keys(void **state)
{
	const char *dir = *state;
	struct history_query q = {
		.feed = FEED_ADDRESS, .columns = COLUMN(ADR_CITY), .known_at = INSTANT_NONE
	};
	struct history *h = NULL;
	struct str ab[2] = { STR("a"), STR("b1") }, other[2] = { STR("ab"), STR("1") };

	folder_clear(dir);
	folder_text(dir, "address_v1/year=2024/month=05/data.csv",
	    ADDRESS_HEADER "a,b1,,,,,One,,,,,2024-01-01,,,2024-01-01,\nab,1,,,,,Two,,,,,2024-01-01,"
			   ",,2024-01-01,\n");
	q.source = folder_source(dir);
	assert_int_equal(history_load(&q, &h, NULL), SOUK_OK);
	assert_true(
	    str_eq_c(history_cell(h, history_latest(h, history_key(h, ab)), ADR_CITY), "One"));
	assert_true(
	    str_eq_c(history_cell(h, history_latest(h, history_key(h, other)), ADR_CITY), "Two"));
	assert_int_equal(history_cell(h, history_latest(h, 0), ADR_COUNTRY).n, 0);
	history_free(h);
	feed_source_free(q.source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests_name("feeds.history", tests, folder_make, folder_remove);
}
