/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that are refused: where, what, how to mend; all faults in one go. */
#include "made.h"

#define ALL_KINDS "\"revenue\":[\"hourly\",\"monthly\",\"annual\",\"metered\"]"
#define RATE(id, more)                                                                             \
	"{\"id\":\"" id "\"," ALL_KINDS                                                            \
	",\"base\":\"gross\",\"payOn\":\"billed\",\"clawback\":[]," more "}"
#define ACCOUNT(id, digits, more) "{\"id\":\"" id "\",\"accounts\":[\"" digits "\"]," more "}"
#define ACME "111122223333"

struct refusal {
	const char *representatives, *territories, *overlays, *rates;
	const char *at, *what;
};

static const struct refusal refusals[] = {
	/* splits */
	{ ANA "," BEN,
	    ACCOUNT("a", ACME,
		"\"credits\":[{\"representative\":\"ana\",\"percent\":\"59\"},{\"representative\":"
		"\"ben\","
		"\"percent\":\"40\"}]"),
	    NULL, FLAT, "/territories/0/credits", "sum to 99%" },
	{ ANA "," BEN,
	    ACCOUNT("a", ACME,
		"\"credits\":[{\"representative\":\"ana\",\"percent\":\"60.0001\"},{"
		"\"representative\":\"ben\","
		"\"percent\":\"40\"}]"),
	    NULL, FLAT, "/territories/0/credits", "sum to 100.0001%" },
	{ ANA, ACCOUNT("a", ACME, "\"credits\":[{\"representative\":\"ana\",\"percent\":99.5}]"),
	    NULL, FLAT, "/territories/0/credits/0/percent", "no number" },
	{ ANA,
	    ACCOUNT("a", ACME,
		"\"credits\":[{\"representative\":\"ana\",\"percent\":50},{\"representative\":"
		"\"ana\","
		"\"percent\":50}]"),
	    NULL, FLAT, "/territories/0/credits/1/representative", "credited twice" },
	/* references */
	{ ANA, ACCOUNT("a", ACME, TO("eve")), NULL, FLAT, "/territories/0/credits/0/representative",
	    "names no representative" },
	{ "{\"id\":\"ana\",\"name\":\"A\",\"manager\":\"eve\"}", ACCOUNT("a", ACME, TO("ana")),
	    NULL, FLAT, "/representatives/0/manager", "names no representative" },
	{ "{\"id\":\"ana\",\"name\":\"A\",\"manager\":\"ben\"},{\"id\":\"ben\",\"name\":\"B\","
	  "\"manager\":\"ana\"}",
	    ACCOUNT("a", ACME, TO("ana")), NULL, FLAT, "/representatives/1/manager", "managed by" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    FLAT "," RATE("x", "\"percent\":1,\"teams\":[\"none\"]"), "/rates/1/teams/0",
	    "names no team" },
	{ ANA "," ANA, ACCOUNT("a", ACME, TO("ana")), NULL, FLAT, "/representatives/1/id",
	    "is the id of" },
	/* overlaps */
	{ ANA "," BEN, ACCOUNT("a", ACME, TO("ana")) "," ACCOUNT("b", ACME, TO("ben")), NULL, FLAT,
	    "/territories/1/accounts/0", "matches the same lines as /territories/0/accounts/0" },
	{ ANA "," BEN,
	    ACCOUNT("a", ACME, "\"until\":\"2026-03-31\"," TO("ana")) "," ACCOUNT(
		"b", ACME, "\"from\":\"2026-03-31\"," TO("ben")),
	    NULL, FLAT, "/territories/1/accounts/0", "from 2026-03-31 until 2026-03-31" },
	{ ANA "," BEN,
	    "{\"id\":\"a\",\"company\":{\"names\":[\"Globex GmbH\"]}," TO(
		"ana") "},"
		       "{\"id\":\"b\",\"company\":{\"names\":[\"GLOBEX, Inc.\"]}," TO("ben") "}",
	    NULL, FLAT, "/territories/1/company/names/0", "matches the same lines" },
	{ ANA "," BEN,
	    "{\"id\":\"a\",\"geography\":[{\"country\":\"DE\",\"postalCodes\":{\"from\":\"80000\","
	    "\"to\":\"82000\"}}]," TO("ana") "},{\"id\":\"b\",\"geography\":[{\"country\":\"DE\","
					     "\"postalCodes\":{\"from\":\"82000\",\"to\":"
					     "\"83000\"}}]," TO("ben") "}",
	    NULL, FLAT, "/territories/1/geography/0", "matches the same lines" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")),
	    "{\"id\":\"o\",\"everything\":true," TO(
		"ana") "},{\"id\":\"p\",\"everything\":true," TO("ana") "}",
	    FLAT, "/overlays/1", "matches the same lines" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL, FLAT "," RATE("x", "\"percent\":1"), "/rates/1",
	    "pays the same revenue" },
	/* gaps */
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    "{\"id\":\"r\",\"revenue\":[\"hourly\",\"monthly\",\"annual\"],\"base\":\"gross\","
	    "\"payOn\":\"billed\","
	    "\"percent\":1,\"clawback\":[]}",
	    "/representatives/0", "has no rate for metered revenue" },
	{ ANA, ACCOUNT("a", ACME, "\"from\":\"2026-01-01\"," TO("ana")), NULL,
	    RATE("r", "\"percent\":1,\"until\":\"2026-06-30\"") "," RATE(
		"s", "\"percent\":1,\"from\":\"2026-07-02\""),
	    "/representatives/0", "from 2026-07-01 on" },
	{ "{\"id\":\"ana\",\"name\":\"A\",\"from\":\"2026-02-01\"}", ACCOUNT("a", ACME, TO("ana")),
	    NULL, FLAT, "/territories/0/credits/0/representative",
	    "is there from 2026-02-01 until ..." },
	/* what rules match */
	{ ANA, "{\"id\":\"a\",\"company\":{\"domains\":[\"gmail.com\"]}," TO("ana") "}", NULL, FLAT,
	    "/territories/0/company/domains/0", "free mail" },
	{ ANA, "{\"id\":\"a\",\"company\":{\"domains\":[\"co.uk\"]}," TO("ana") "}", NULL, FLAT,
	    "/territories/0/company/domains/0", "public suffix" },
	{ ANA, "{\"id\":\"a\",\"company\":{\"domains\":[\"mail.globex.example\"]}," TO("ana") "}",
	    NULL, FLAT, "/territories/0/company/domains/0", "more than the registrable domain" },
	{ ANA, ACCOUNT("a", "12345678901", TO("ana")), NULL, FLAT, "/territories/0/accounts/0",
	    "no account number" },
	{ ANA, "{\"id\":\"a\",\"geography\":[{\"country\":\"XX\"}]," TO("ana") "}", NULL, FLAT,
	    "/territories/0/geography/0", "no country" },
	{ ANA,
	    "{\"id\":\"a\",\"geography\":[{\"country\":\"DE\",\"postalCodes\":{\"from\":\"82000\","
	    "\"to\":\"81000\"}}]," TO("ana") "}",
	    NULL, FLAT, "/territories/0/geography/0", "end before they begin" },
	{ ANA,
	    "{\"id\":\"a\",\"geography\":[{\"country\":\"DE\",\"postalCodes\":{\"from\":\"8\","
	    "\"to\":\"81000\"}}]," TO("ana") "}",
	    NULL, FLAT, "/territories/0/geography/0", "not equally long" },
	{ ANA, "{\"id\":\"a\"," TO("ana") "}", NULL, FLAT, "/territories/0", "matches nothing" },
	{ ANA, "{\"id\":\"a\",\"everything\":true,\"accounts\":[\"" ACME "\"]," TO("ana") "}", NULL,
	    FLAT, "/territories/0", "more than one way" },
	{ ANA, ACCOUNT("a", ACME, "\"from\":\"2026-02-30\"," TO("ana")), NULL, FLAT,
	    "/territories/0/from", "no date" },
	{ ANA, ACCOUNT("a", ACME, "\"from\":\"2026-02-02\",\"until\":\"2026-02-01\"," TO("ana")),
	    NULL, FLAT, "/territories/0/until", "before" },
	{ ANA, ACCOUNT("a", ACME, "\"acount\":1," TO("ana")), NULL, FLAT, "/territories/0/acount",
	    "not known" },
	{ ANA, "{\"accounts\":[\"" ACME "\"]," TO("ana") "}", NULL, FLAT, "/territories/0/id",
	    "missing" },
	{ "{\"id\":\"../ana\",\"name\":\"A\"}", ACCOUNT("a", ACME, TO("ana")), NULL, FLAT,
	    "/representatives/0/id", "no id" },
	/* rates */
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    RATE("r", "\"currency\":\"USD\",\"over\":\"year\",\"tiers\":[{\"above\":\"10\","
		      "\"percent\":1}]"),
	    "/rates/0/tiers/0/above", "is not 0" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    RATE("r", "\"currency\":\"USD\",\"over\":\"year\",\"tiers\":[{\"above\":0,\"percent\":"
		      "1},{\"above\":10,\"percent\":2},"
		      "{\"above\":10,\"percent\":3}]"),
	    "/rates/0/tiers/2/above", "not above" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    RATE("r", "\"over\":\"year\",\"tiers\":[{\"above\":0,\"percent\":1},{\"above\":10,"
		      "\"percent\":2}]"),
	    "/rates/0/currency", "currencies are never added" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    RATE("r", "\"currency\":\"USD\",\"tiers\":[{\"above\":0,\"percent\":1},{\"above\":10,"
		      "\"percent\":2}]"),
	    "/rates/0/over", "missing" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
	    RATE("r", "\"currency\":\"USD\",\"percent\":1,\"cap\":{\"amount\":\"1.005\",\"over\":"
		      "\"year\"}"),
	    "/rates/0/cap/amount", "finer" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL, RATE("r", "\"percent\":\"1e1\""),
	    "/rates/0/percent", "no number" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL, RATE("r", "\"percent\":\"-1\""),
	    "/rates/0/percent", "no number" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL, RATE("r", "\"percent\":\"1.00001\""),
	    "/rates/0/percent", "no number" },
	{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL, RATE("r", "\"percent\":1,\"currency\":\"usd\""),
	    "/rates/0/currency", "no currency" },
};

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct made m = { 0 };

		assert_row(i, made_refused(&m, plan_text(&m, r->representatives, r->territories,
						   r->overlays, r->rates)) == SOUK_E_INVALID);
		assert_fault(&m, r->at, r->what);
		made_done(&m);
	}
}

static void
test_no_json(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"a\":1,\"a\":2}", "null" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct made m = { 0 };

		assert_row(i, made_refused(&m, texts[i]) == SOUK_E_INVALID && m.faults.n > 0);
		made_done(&m);
	}
}

/* Three faults of different kinds: three entries. And ten thousand: counted, a thousand kept. */
static void
test_all_faults(void **state)
{
	struct made m = { 0 };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(
	    made_refused(&m, plan_text(&m, ANA,
				 ACCOUNT("a", ACME, TO("eve")) "," ACCOUNT(
				     "b", ACME, TO("ana")) "," ACCOUNT("c", "444455556666",
				     "\"credits\":[{\"representative\":\"ana\",\"percent\":99}]"),
				 NULL, FLAT)),
	    SOUK_E_INVALID);
	assert_fault(&m, "/territories/0/credits/0/representative", "names no");
	assert_fault(&m, "/territories/1/accounts/0", "matches the same");
	assert_fault(&m, "/territories/2/credits", "sum to 99%");
	made_done(&m);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%s{\"id\":\"t%d\",\"accounts\":[\"%012d\"]," TO("eve") "}",
		    i > 0 ? "," : "", i, i);
	assert_int_equal(made_refused(&m, plan_text(&m, ANA, b.p, NULL, FLAT)), SOUK_E_INVALID);
	assert_int_equal(m.faults.n, PLAN_FAULTS_KEPT);
	assert_true(m.faults.n_total >= 10000);
	made_done(&m);
	buf_done(&b);
}

/* What lies just beside a refusal is taken. */
static void
test_accepted(void **state)
{
	static const struct refusal rows[] = {
		{ ANA "," BEN,
		    ACCOUNT("a", ACME, "\"until\":\"2026-03-31\"," TO("ana")) "," ACCOUNT(
			"b", ACME, "\"from\":\"2026-04-01\"," TO("ben")),
		    NULL, FLAT, NULL, NULL },
		{ ANA "," BEN,
		    ACCOUNT("a", ACME, TO("ana")) "," ACCOUNT(
			"b", ACME, "\"products\":[\"prod-1\"]," TO("ben")),
		    NULL, FLAT, NULL, NULL },
		{ ANA "," BEN,
		    "{\"id\":\"a\",\"geography\":[{\"country\":\"DE\",\"postalCodes\":{\"from\":"
		    "\"8\",\"to\":\"8\"}}]," TO(
			"ana") "},{\"id\":\"b\",\"geography\":[{\"country\":\"DE\",\"postalCodes\":"
			       "{\"from\":\"80000\","
			       "\"to\":\"80999\"}}]," TO("ben") "}",
		    NULL, FLAT, NULL, NULL },
		{ ANA "," BEN, ACCOUNT("a", ACME, TO("ana")),
		    "{\"id\":\"o\",\"everything\":true," TO(
			"ana") "},{\"id\":\"p\",\"everything\":true," TO("ben") "}",
		    FLAT, NULL, NULL },
		{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
		    RATE("r", "\"percent\":1,\"until\":\"2026-06-30\"") "," RATE(
			"s", "\"percent\":1,\"from\":\"2026-07-01\""),
		    NULL, NULL },
		{ ANA, ACCOUNT("a", ACME, TO("ana")), NULL,
		    FLAT "," RATE("x", "\"percent\":1,\"currency\":\"EUR\""), NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct made m = { 0 };

		made_plan(&m, plan_text(&m, rows[i].representatives, rows[i].territories,
				  rows[i].overlays, rows[i].rates));
		made_done(&m);
	}
}

static void
test_periods(void **state)
{
	static const struct {
		const char *day;
		int32_t month, quarter, year;
	} rows[] = {
		{ "1970-01-01", 1970 * 12, 1970 * 4, 1970 },
		{ "2024-02-29", 2024 * 12 + 1, 2024 * 4, 2024 },
		{ "2024-03-01", 2024 * 12 + 2, 2024 * 4, 2024 },
		{ "2026-12-31", 2026 * 12 + 11, 2026 * 4 + 3, 2026 },
		{ "2027-01-01", 2027 * 12, 2027 * 4, 2027 },
		{ "9999-12-31", 9999 * 12 + 11, 9999 * 4 + 3, 9999 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		day_t d = 0;

		assert_row(i, day_parse(str_c(rows[i].day), &d));
		assert_row(i, plan_period_of(PERIOD_MONTH, d) == rows[i].month);
		assert_row(i, plan_period_of(PERIOD_QUARTER, d) == rows[i].quarter);
		assert_row(i, plan_period_of(PERIOD_YEAR, d) == rows[i].year);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_all_faults),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_periods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
