/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are refused: where, what, how to mend; everything at once. And waivers, titles, contexts. */
#include "check.h"
#include "vectors.h"

#include "proserv/listing_int.h"
#include "proserv/review.h"
#include "proserv/shape_int.h"
#include "proserv/title.h"
#include "proserv/waiver.h"

#include <stdio.h>
#include <stdlib.h>

static enum souk_err
read_text(const char *text, struct arena *a, struct listing *l, struct fail *f)
{
	*f = (struct fail){ 0 };
	return listing_read(str_c(text), a, l, f);
}

static const struct {
	const char *text, *at, *what;
} refusals[] = {
	{ "[]", "", "no object" },
	{ "{", "body", "ends too early" },
	{ "{\"id\":\"a\",\"id\":\"b\"}", "body", "a member twice" },
	{ "{\"titel\":\"x\"}", "/titel", "no member" },
	{ "{\"seller\":{\"email\":\"x\"}}", "/seller/email", "no member" },
	{ "{\"offers\":[{},{\"buyers\":[{\"mail\":1}]}]}", "/offers/1/buyers/0/mail", "no member" },
	/* what looks like a value is not repeated */
	{ "{\"seller\":{\"Ana Example, 5 High Street\":1}}", "/seller", "no member" },
	{ "{\"title\":1}", "/title", "no text" },
	{ "{\"title\":[\"x\"]}", "/title", "no text" },
	{ "{\"seller\":[]}", "/seller", "no object" },
	{ "{\"highlights\":\"x\"}", "/highlights", "no list" },
	{ "{\"highlights\":[\"x\",null]}", "/highlights/1", "no text" },
	{ "{\"highlights\":{\"0\":\"x\"}}", "/highlights", "no list" },
	{ "{\"resources\":[\"x\"]}", "/resources/0", "no object" },
	{ "{\"needs_resources\":\"true\"}", "/needs_resources", "neither true nor false" },
	{ "{\"needs_resources\":1}", "/needs_resources", "neither true nor false" },
	{ "{\"edition\":\"G23\"}", "/edition", "none of the words" },
	{ "{\"edition\":\"g21\"}", "/edition", "none of the words" },
	{ "{\"visibility\":\"public\"}", "/visibility", "none of the words" },
	{ "{\"seller\":{\"account_status\":\"gold\"}}", "/seller/account_status",
	    "none of the words" },
	{ "{\"docs\":[{\"kind\":\"manual\"}]}", "/docs/0/kind", "none of the words" },
	{ "{\"offers\":[{\"total\":100}]}", "/offers/0/total", "no text" },
	{ "{\"offers\":[{\"total\":\"1e3\"}]}", "/offers/0/total", "" },
	{ "{\"offers\":[{\"total\":\"1,000\"}]}", "/offers/0/total", "" },
	{ "{\"offers\":[{\"agreement_end\":\"2026-02-29\"}]}", "/offers/0/agreement_end",
	    "no date" },
	{ "{\"offers\":[{\"expires\":\"2026-02-28T00:00:00Z\"}]}", "/offers/0/expires", "no date" },
	{ "{\"offers\":[{\"accepted_at\":\"yesterday\"}]}", "/offers/0/accepted_at", "no instant" },
	{ "{\"offers\":[{\"accepted_at\":1700000000}]}", "/offers/0/accepted_at", "no instant" },
	{ "{\"offers\":[{\"approval\":7}]}", "/offers/0/approval", "wrong type" },
	{ "{\"fulfilments\":[{\"calendar\":{\"open\":\"9:00\"}}]}", "/fulfilments/0/calendar/open",
	    "no time of day" },
	{ "{\"fulfilments\":[{\"calendar\":{\"close\":\"24:01\"}}]}",
	    "/fulfilments/0/calendar/close", "no time of day" },
	{ "{\"fulfilments\":[{\"calendar\":{\"weekend\":[\"Saturday\"]}}]}",
	    "/fulfilments/0/calendar/weekend/0", "none of the words" },
	{ "{\"fulfilments\":[{\"calendar\":{\"holidays\":[\"2026-13-01\"]}}]}",
	    "/fulfilments/0/calendar/holidays/0", "no date" },
	{ "{\"fulfilments\":[{\"events\":[{\"kind\":\"call\"}]}]}", "/fulfilments/0/events/0/kind",
	    "none of the words" },
	{ "{\"title\":\"\xff\"}", "body", "UTF-8" },
	{ "{\"title\":\"a\\u0000b\"}", "body", "NUL" },
};

static void
test_refusals(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct listing l = { .n_docs = 77 };
		struct fail f;

		assert_int_equal(read_text(refusals[i].text, a, &l, &f), SOUK_E_INVALID);
		assert_int_equal(l.n_docs, 77);
		if (f.n != 1 || strcmp(f.entry[0].field, refusals[i].at) != 0 ||
		    strstr(f.entry[0].what, refusals[i].what) == NULL ||
		    f.entry[0].fix[0] == '\0' || strstr(f.entry[0].what, "Ana") != NULL)
			fail_msg("%s: %s: %s; %s", refusals[i].text, f.entry[0].field,
			    f.entry[0].what, f.entry[0].fix);
	}
	arena_free(a);
}

static void
test_all_at_once(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct listing l;
	struct fail f;

	(void)state;
	assert_int_equal(
	    read_text("{\"title\":1,\"sku\":2,\"x\":3,\"offers\":[{\"total\":4}]}", a, &l, &f),
	    SOUK_E_INVALID);
	assert_int_equal(f.n_total, 4);
	arena_free(a);
}

static void
test_absent(void **state)
{
	static const char *const same[] = { "{}",
		"{\"title\":null,\"seller\":null,\"offers\":null,\"logo\":null,\"terms\":null}",
		"{\"title\":\"\",\"seller\":{},\"offers\":[],\"edition\":\"\",\"logo\":{}}" };
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct listing l;
		struct fail f;

		assert_int_equal(read_text(same[i], a, &l, &f), SOUK_OK);
		assert_true(l.title.n == 0 && l.title.p != NULL && l.n_offers == 0);
		assert_int_equal(l.edition, EDITION_NONE);
		assert_int_equal(l.seller.data_use_terms.date, DAY_NONE);
	}
	arena_free(a);
}

static void
test_whole(void **state)
{
	json_t *doc = vectors_read("listing.json");
	char *text = json_dumps(doc, 0);
	struct arena *a = arena_new(1 << 20);
	struct listing l;
	struct fail f;

	(void)state;
	assert_int_equal(read_text(text, a, &l, &f), SOUK_OK);
	memset(text, '?', strlen(text)); /* nothing of it is kept */
	assert_true(str_eq(l.id, STR("prod-lift")));
	assert_int_equal(l.edition, EDITION_G21);
	assert_int_equal(l.seller.account_status, STATUS_PAID);
	assert_true(str_eq(l.associated_products.v[0], STR("prod-lake")));
	assert_int_equal(l.n_offers, 2);
	assert_true(l.offers[0].total.given && l.offers[0].total.value == 100000 * MONEY_ONE);
	assert_int_equal(l.offers[1].state, OFFER_DRAFT);
	assert_int_equal(l.offers[1].schedule[1].date - l.offers[1].schedule[0].date, 107);
	assert_int_equal(l.fulfilments[0].calendar.weekend, 0x41);
	assert_int_equal(l.fulfilments[0].calendar.close, 17 * 60);
	assert_true(l.fulfilments[0].events[1].has_promised);
	assert_true(str_eq(l.docs[0].text, STR("AWS Glue jobs, one S3 bucket, one KMS key.")));
	assert_true(l.needs_resources && l.deploys_agent);
	json_decref(doc);
	free(text);
	arena_free(a);
}

/* A document in order is read straight; what is unusual or wrong is left to the exact way. */
static void
test_ways(void **state)
{
	static const char *const not_straight[] = { "", "{", "{}x", "{\"id\":\"a\",}",
		"{,\"id\":\"a\"}", "{\"id\" \"a\"}", "{\"id\":\"a\" \"sku\":\"b\"}",
		"{\"id\":\"a\",\"id\":\"a\"}", "{\"id\":null,\"id\":null}", "{\"id\":\"\\u0041\"}",
		"{\"id\":\"\xc3\"}", "{\"id\":\"\x01\"}", "{\"id\":\"\\x\"}", "{\"id\":\"\\",
		"{\"highlights\":[\"a\",]}", "{\"highlights\":[,\"a\"]}", "{\"highlights\":[\"a\"",
		"{\"needs_resources\":truex}", "{\"needs_resources\":True}", "{\"id\":nul}",
		"\xef\xbb\xbf{}", "{\"i\":\"a\"}", "{\"idd\":\"a\"}", "{\"\":\"a\"}",
		"{\"edition\":\"G2\"}", "{\"edition\":\"G211\"}" };
	struct arena *a = arena_new(1 << 20);
	json_t *doc = vectors_read("listing.json");
	char *text = json_dumps(doc, JSON_INDENT(3));
	struct listing l;

	(void)state;
	shape_set_absent(&listing_shape, (char *)&l);
	assert_true(
	    shape_read_straight(str_c(text), LISTING_ITEMS_MAX, &listing_shape, a, (char *)&l));
	for (size_t i = 0; i < sizeof(not_straight) / sizeof(not_straight[0]); i++)
		if (shape_read_straight(
			str_c(not_straight[i]), LISTING_ITEMS_MAX, &listing_shape, a, (char *)&l))
			fail_msg("%s", not_straight[i]);
	free(text);
	json_decref(doc);
	arena_free(a);
}

static void
test_limits(void **state)
{
	struct arena *a = arena_new(LISTING_ARENA(LISTING_BYTES_MAX));
	struct buf b = { 0 };
	struct listing l;
	struct fail f = { 0 };

	(void)state;
	for (size_t n = LISTING_ITEMS_MAX; n <= LISTING_ITEMS_MAX + 1; n++) {
		buf_clear(&b);
		buf_add_c(&b, "{\"keywords\":[\"\"");
		for (size_t i = 1; i < n; i++)
			buf_add_c(&b, ",\"\"");
		buf_add_c(&b, "]}");
		f = (struct fail){ 0 };
		assert_int_equal(listing_read(buf_str(&b), a, &l, &f),
		    n == LISTING_ITEMS_MAX ? SOUK_OK : SOUK_E_INVALID);
	}
	assert_string_equal(f.entry[0].field, "/keywords");
	buf_clear(&b);
	buf_add_c(&b, "{\"title\":\"");
	while (b.n < LISTING_BYTES_MAX - 2)
		buf_add_char(&b, 'x');
	buf_add_c(&b, "\"}");
	assert_int_equal(b.n, LISTING_BYTES_MAX);
	assert_int_equal(listing_read(buf_str(&b), a, &l, NULL), SOUK_OK);
	buf_add_char(&b, ' ');
	assert_int_equal(listing_read(buf_str(&b), a, &l, NULL), SOUK_E_LIMIT);
	buf_done(&b);
	arena_free(a);
	a = arena_new(64);
	assert_int_equal(read_text("{\"title\":\"0123456789012345678901234567890123456789\","
				   "\"sku\":\"0123456789012345678901234567890123456789\"}",
			     a, &l, &f),
	    SOUK_E_NOMEM);
	arena_free(a);
}

static void
test_titles(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct buf b = { 0 };
	struct str key[TITLE_KEYS];
	size_t n = 9;

	(void)state;
	assert_int_equal(title_keys(STR(" \u200b\u00a0"), a, key, &n), SOUK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(title_keys(STR("plain"), a, key, &n), SOUK_OK);
	assert_int_equal(n, 1);
	/* Long and hostile: what folds to many times its size, what is broken, what is cut within a character. */
	for (int i = 0; i < 100000; i++)
		buf_add_c(&b, "\xef\xb7\xba");
	assert_int_equal(title_keys(buf_str(&b), a, key, &n), SOUK_OK);
	assert_int_equal(title_keys((struct str){ b.p, TITLE_KEYED_MAX + 1 }, a, key, &n), SOUK_OK);
	assert_int_equal(title_keys(STR("a\xff\xff"), a, key, &n), SOUK_OK);
	buf_done(&b);
	arena_free(a);
}

static void
test_waivers(void **state)
{
	static const struct {
		const char *text, *at;
	} wrong[] = {
		{ "{}", "" },
		{ "[{\"rule\":\"PS-DET-99\",\"owner\":\"a\",\"reason\":\"b\",\"until\":\"2026-01-"
		  "01\"}]",
		    "/0/rule" },
		{ "[{\"rule\":\"PS-DET-01\",\"reason\":\"b\",\"until\":\"2026-01-01\"}]",
		    "/0/owner" },
		{ "[{\"rule\":\"PS-DET-01\",\"owner\":\"a\",\"reason\":\" "
		  "\",\"until\":\"2026-01-01\"}]",
		    "/0/reason" },
		{ "[{\"rule\":\"PS-DET-01\",\"owner\":\"a\",\"reason\":\"b\"}]", "/0/until" },
		{ "[{\"rule\":\"PS-DET-01\",\"owner\":\"a\",\"reason\":\"b\",\"until\":\"soon\"}]",
		    "/0/until" },
		{ "[{\"rules\":\"PS-DET-01\"}]", "/0/rules" },
	};
	struct arena *a = arena_new(1 << 20);
	struct waivers w;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fail f = { 0 };

		assert_int_equal(waivers_read(str_c(wrong[i].text), a, &w, &f), SOUK_E_INVALID);
		assert_string_equal(f.entry[0].field, wrong[i].at);
	}
	arena_free(a);
}

/* On the last day it holds, the day after not; narrowed to a listing and a place. */
static void
test_waived(void **state)
{
	static const char *const text =
	    "[{\"rule\":\"PS-DET-01\",\"owner\":\"a\",\"reason\":\"b\",\"until\":\"2026-01-31\"},"
	    "{\"rule\":\"PS-DET-17\",\"listing\":\"other\",\"owner\":\"a\",\"reason\":\"b\","
	    "\"until\":"
	    "\"2026-01-31\"},"
	    "{\"rule\":\"PS-DET-13\",\"pointer\":\"/categories/"
	    "0\",\"owner\":\"a\",\"reason\":\"b\","
	    "\"until\":\"2026-01-31\"}]";
	struct arena *a = arena_new(FINDINGS_ARENA);
	struct listing l;
	struct fail f;
	struct waivers w;
	day_t last;

	(void)state;
	assert_true(day_parse(STR("2026-01-31"), &last));
	assert_int_equal(waivers_read(str_c(text), a, &w, NULL), SOUK_OK);
	assert_int_equal(read_text("{\"id\":\"mine\"}", a, &l, &f), SOUK_OK);
	for (day_t today = last; today <= last + 1; today++) {
		struct review_input in = { .listing = &l };
		struct findings found;
		bool used[3] = { false };
		size_t waived = 0;

		findings_init(&found, a);
		assert_int_equal(review_run(&in, NULL, &found), SOUK_OK);
		waivers_apply(&w, today, l.id, &found, used);
		for (size_t i = 0; i < found.n; i++) {
			waived += found.v[i].waiver != NULL;
			if (found.v[i].waiver != NULL)
				assert_string_equal(found.v[i].rule->id, "PS-DET-01");
		}
		assert_int_equal(waived, today == last ? 1 : 0);
		assert_true(used[0] && !used[1] && !used[2]);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_waivers),
		cmocka_unit_test(test_waived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
