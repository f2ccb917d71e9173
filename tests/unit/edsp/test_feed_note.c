/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of a kept feed file, and which days count as those of a payout. */
#include "../feeds/folder.h"

#include "edsp/feed_note.h"
#include "edsp/from_feeds.h"

#define EVENTS "billing_event_v1/year=2026/month=01/data.csv"
#define PAID(id, action, type, day)                                                                \
	id ",a,b,,," action "," type ",,,"                                                         \
	   "1.00,USD,0," day ",,,,,,,,AWS_INC," day "," day "," day ",\n"

static const char *
text(instant_t t)
{
	static char out[INSTANT_TEXT_LEN + 1];

	instant_format(t, out);
	out[10] = '\0';
	return out;
}

static void
test_days_of_payouts(void **state)
{
	static const char rows[] =
	    EVENT_HEADER PAID("e1", "DISBURSED", "DISBURSEMENT", "2026-01-20T23:59:59Z")
		PAID("e2", "DISBURSED", "DISBURSEMENT", "2026-01-05T00:00:00Z")
		    PAID("e3", "DISBURSED", "DISBURSEMENT", "2026-01-20T01:00:00Z")
			PAID("e4", "INVOICED", "DISBURSEMENT", "2026-01-25T00:00:00Z")
			    PAID("e5", "DISBURSED", "DISBURSEMENT_FAILURE", "2026-01-26T00:00:00Z")
				PAID("e6", "DISBURSED", "SELLER_REV_SHARE", "2026-01-27T00:00:00Z")
				    PAID("e7", "DISBURSED", "DISBURSEMENT", "some day");
	struct feed_note n = { .set_aside = 7 }, back;
	struct buf json = { 0 };
	struct fail f = { 0 };
	struct feed_source *s;

	folder_text(*state, EVENTS, rows);
	folder_text(*state, "product_v1/year=2026/month=01/data.csv", PRODUCT_HEADER);
	s = folder_source(*state);
	for (size_t i = 0; i < s->n; i++)
		assert_int_equal(feed_note_payouts(s, i, &n, &f), SOUK_OK);
	assert_int_equal(n.n_payouts, 2);
	assert_string_equal(text(n.payouts[0]), "2026-01-05");
	assert_string_equal(text(n.payouts[1]), "2026-01-20");
	feed_note_write(&n, &json);
	assert_int_equal(feed_note_read(buf_str(&json), &back), SOUK_OK);
	assert_int_equal(back.set_aside, 7);
	assert_int_equal(back.n_payouts, 2);
	assert_memory_equal(back.payouts, n.payouts, 2 * sizeof(*n.payouts));
	feed_note_done(&back);
	feed_note_done(&n);
	buf_done(&json);
	feed_source_free(s);
}

static void
test_a_request_finds_payouts_only(void **state)
{
	static const char rows[] = EVENT_HEADER PAID("e1", "DISBURSED", "DISBURSEMENT",
	    "2026-01-20T12:00:00Z") PAID("e2", "INVOICED", "DISBURSEMENT", "2026-01-25T00:00:00Z");
	struct payout_days days;
	struct fail f = { 0 };
	struct feed_source *s;
	instant_t asked;

	folder_text(*state, EVENTS, rows);
	s = folder_source(*state);
	assert_true(instant_parse(STR("2026-01-31"), &asked));
	assert_int_equal(from_feeds_payout(s, asked, &days, &f), SOUK_OK);
	assert_string_equal(text(days.latest), "2026-01-20");
	assert_int_equal(days.before, INSTANT_MIN);
	feed_source_free(s);
}

static void
test_notes_of_others(void **state)
{
	struct feed_note n = { 0 };
	struct buf json = { 0 };

	(void)state;
	feed_note_write(&n, &json);
	assert_int_equal(json.n, 0);
	assert_int_equal(feed_note_read(STR(""), &n), SOUK_OK);
	assert_int_equal(feed_note_read(STR("{}"), &n), SOUK_OK);
	assert_true(n.set_aside == 0 && n.n_payouts == 0);
	assert_int_equal(
	    feed_note_read(STR("{\"souk-payout-days\":\"2026-01-05 x\"}"), &n), SOUK_E_INTERNAL);
	assert_int_equal(feed_note_read(STR("{"), &n), SOUK_E_INTERNAL);
}

static void
test_days_in_any_order(void **state)
{
	struct feed_note n = { 0 };

	(void)state;
	for (int64_t i = 0; i < 100; i++)
		assert_true(feed_note_add(&n, (i * 37 % 50) * DAY_MS));
	assert_int_equal(n.n_payouts, 50);
	for (int64_t i = 0; i < 50; i++)
		assert_int_equal(n.payouts[i], i * DAY_MS);
	feed_note_done(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_days_of_payouts, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(
		    test_a_request_finds_payouts_only, folder_make, folder_remove),
		cmocka_unit_test(test_notes_of_others),
		cmocka_unit_test(test_days_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
