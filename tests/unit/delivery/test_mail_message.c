/* SPDX-License-Identifier: Apache-2.0 */
/* Mails as bytes, and what comes back. */
#include "delivery/mail_message.h"

#include "check.h"

#include <stdlib.h>

static struct mail_message
a_mail(void)
{
	struct mail_message m = { .date = INT64_C(1795780800123),
		.from = { STR("The M\xc3\xa4rket"), STR("market@m\xc3\xa4rkt.example") },
		.to = { STR("Buyer, Example"), STR("buyer@example.com") },
		.parts = { STR("Zugang: gew\xc3\xa4hrt"), STR("Guten Tag,\nweiter geht es so.\n"),
		    STR("<p>Guten Tag</p>") } };

	assert_true(guid_parse(STR("0123abcd-0000-4000-8000-00000000beef"), &m.id));
	return m;
}

static void
assert_lines(const struct buf *b)
{
	struct str rest = buf_str(b), line;

	while (rest.p && str_split(&rest, '\n', &line)) {
		assert_true(line.n <= 999);
		if (rest.p)
			assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
	}
}

static void
builds_the_same_bytes(void **state)
{
	struct mail_message m = a_mail();
	struct buf a = { 0 }, b = { 0 };
	bool utf8 = true;

	(void)state;
	assert_ok(mail_message_build(&m, &a, &utf8, NULL));
	assert_ok(mail_message_build(&m, &b, &utf8, NULL));
	assert_true(str_eq(buf_str(&a), buf_str(&b)));
	assert_false(utf8);
	assert_lines(&a);
	assert_non_null(strstr(a.p, "From: The =?"));
	assert_non_null(strstr(a.p, "<market@xn--mrkt-loa.example>"));
	assert_non_null(strstr(a.p, "To: \"Buyer, Example\" <buyer@example.com>\r\n"));
	assert_non_null(strstr(a.p, "<0123abcd-0000-4000-8000-00000000beef@xn--mrkt-loa.example>"));
	assert_non_null(strstr(a.p, "Date: Fri, 27 Nov 2026 "));
	assert_non_null(strstr(a.p, "Auto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(a.p, "multipart/alternative"));
	assert_null(strstr(a.p, "gew\xc3\xa4hrt"));
	assert_null(strstr(a.p, "Reply-To"));
	buf_done(&a);
	buf_done(&b);
}

static void
long_lines_are_wrapped(void **state)
{
	struct mail_message m = a_mail();
	char *text = malloc(100001);
	struct buf b = { 0 };
	bool utf8;

	(void)state;
	memset(text, 'x', 100000);
	text[100000] = '\0';
	m.parts.text = str_c(text);
	m.parts.html = STR("");
	assert_ok(mail_message_build(&m, &b, &utf8, NULL));
	assert_lines(&b);
	assert_null(strstr(b.p, "multipart"));
	free(text);
	buf_done(&b);
}

static void
knows_who_needs_smtputf8(void **state)
{
	struct mail_message m = a_mail();
	struct buf b = { 0 };
	bool utf8 = false;

	(void)state;
	m.to.mailbox = STR("k\xc3\xa4ufer@example.com");
	assert_ok(mail_message_build(&m, &b, &utf8, NULL));
	assert_true(utf8);
	assert_non_null(strstr(b.p, "k\xc3\xa4ufer@example.com"));
	buf_done(&b);
}

static void
no_line_break_gets_in(void **state)
{
	static const char *const bad[] = { "a@example.com\r\nBcc: b@example.com", "a@b", "",
		"a@example.com>", "a@example.com, b@example.com", "a b@example.com" };
	struct mail_message m;
	struct buf b = { 0 };
	struct fail f;
	bool utf8;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m = a_mail();
		f = (struct fail){ .err = SOUK_OK };
		m.to.mailbox = str_c(bad[i]);
		assert_int_equal(mail_message_build(&m, &b, &utf8, &f), SOUK_E_INVALID);
		assert_string_equal(f.entry[0].field, "to");
	}
	m = a_mail();
	m.to.name = STR("Buyer\r\nBcc: b@example.com");
	f = (struct fail){ .err = SOUK_OK };
	assert_int_equal(mail_message_build(&m, &b, &utf8, &f), SOUK_E_INVALID);
	m = a_mail();
	m.from.mailbox = STR("nobody");
	f = (struct fail){ .err = SOUK_OK };
	assert_int_equal(mail_message_build(&m, &b, &utf8, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, "from");
	buf_done(&b);
}

/* ---- what comes back ---- */

#define ID "0123abcd-0000-4000-8000-00000000beef"
#define BOUNCE(action, returned)                                                                   \
	"From: MAILER-DAEMON@example.com\r\nTo: market@example.com\r\nMIME-Version: 1.0\r\n"       \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"      \
	"--b\r\nContent-Type: text/plain\r\n\r\nCould not.\r\n"                                    \
	"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "                 \
	"mx.example.com\r\n\r\nFinal-Recipient: rfc822; buyer@example.com\r\n" action              \
	"--b\r\n" returned "--b--\r\n"
#define WHOLE                                                                                      \
	"Content-Type: message/rfc822\r\n\r\nMessage-ID: <" ID "@market.example>\r\n"              \
	"Subject: x\r\n\r\nbody\r\n"
#define HEAD                                                                                       \
	"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" ID "@market.example>\r\n"         \
	"Subject: x\r\n\r\n"

static void
reads_reports(void **state)
{
	static const struct {
		const char *text;
		enum mail_report_kind kind;
		const char *status;
		bool has_id;
	} cases[] = {
		{ BOUNCE("Action: failed\r\nStatus: 5.1.1\r\n", WHOLE), MAIL_REPORT_FAILED, "5.1.1",
		    true },
		{ BOUNCE("Action: FAILED\r\nStatus: 5.1.1\r\n", HEAD), MAIL_REPORT_FAILED, "5.1.1",
		    true },
		{ BOUNCE("Action: delayed\r\nStatus: 4.4.1\r\n", HEAD), MAIL_REPORT_DELAYED,
		    "4.4.1", true },
		{ BOUNCE("Action: relayed\r\nStatus: 2.0.0\r\n", HEAD), MAIL_REPORT_NONE, "2.0.0",
		    true },
		{ BOUNCE("Action: failed\r\nStatus: 5.1.1 (buyer@example.com)\r\n",
		      "Content-Type: text/plain\r\n\r\nx\r\n"),
		    MAIL_REPORT_FAILED, "5.1.1", false },
		{ "From: a@example.com\r\nIn-Reply-To: <" ID
		  "@market.example>\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n",
		    MAIL_REPORT_NONE, "", true },
		{ "From: a@example.com\r\nIn-Reply-To: <other@example.com>\r\n\r\nHello\r\n",
		    MAIL_REPORT_NONE, "", false },
	};
	struct mail_report r;
	char id[GUID_TEXT_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ok(mail_report_read(str_c(cases[i].text), &r, NULL));
		assert_int_equal(r.kind, cases[i].kind);
		assert_string_equal(r.status, cases[i].status);
		assert_int_equal(r.has_id, cases[i].has_id);
		if (r.has_id) {
			guid_format(&r.id, id);
			assert_string_equal(id, ID);
		}
	}
}

static void
rounds_go_out_and_come_back(void **state)
{
	static const struct {
		const char *local;
		bool ok;
		int round;
	} cases[] = {
		{ ID, true, 1 },
		{ ID ".2", true, 2 },
		{ ID ".17", true, 17 },
		{ ID ".x", false, 0 },
		{ ID "x", false, 0 },
		{ ID ".99999999999", false, 0 },
	};
	struct mail_message m = { .date = 1767225600000,
		.round = 3,
		.from = { STR(""), STR("market@market.example") },
		.to = { STR(""), STR("buyer@example.com") },
		.parts = { STR("x"), STR("y"), STR("") } };
	struct buf out = { 0 };
	struct mail_report r;
	char text[256];
	bool utf8;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "From: a@example.com\r\nIn-Reply-To: <%s@market.example>\r\n\r\nx\r\n",
		    cases[i].local);
		assert_ok(mail_report_read(str_c(text), &r, NULL));
		assert_int_equal(r.has_id, cases[i].ok);
		if (cases[i].ok)
			assert_int_equal(r.round, cases[i].round);
	}
	assert_true(guid_parse(STR(ID), &m.id));
	assert_ok(mail_message_build(&m, &out, &utf8, NULL));
	assert_non_null(strstr(out.p, "Message-Id: <" ID ".3@market.example>\r\n"));
	buf_done(&out);
}

static void
bounds_hostile_reports(void **state)
{
	static const char bounce[] = BOUNCE("Action: failed\r\nStatus: 5.1.1\r\n", WHOLE);
	char *big = calloc(1, MAIL_REPORT_MAX + 2);
	struct mail_report r;
	struct buf deep = { 0 };

	(void)state;
	assert_int_equal(mail_report_read(STR(""), &r, NULL), SOUK_E_INVALID);
	assert_int_equal(mail_report_read((struct str){ big, 100 }, &r, NULL), SOUK_E_INVALID);
	assert_int_equal(
	    mail_report_read((struct str){ big, MAIL_REPORT_MAX + 1 }, &r, NULL), SOUK_E_INVALID);
	free(big);
	/* Cut anywhere it is read to the end or refused. */
	for (size_t n = 1; n < sizeof(bounce); n++) {
		char *cut = malloc(n);

		memcpy(cut, bounce, n);
		(void)!mail_report_read((struct str){ cut, n }, &r, NULL);
		free(cut);
	}
	/* A mail in a mail in a mail. */
	while (deep.n < MAIL_REPORT_MAX - 64)
		buf_add_c(&deep, "Content-Type: message/rfc822\r\n\r\n");
	buf_add_c(&deep, "Subject: x\r\n\r\n");
	(void)!mail_report_read(buf_str(&deep), &r, NULL);
	buf_clear(&deep);
	for (int i = 0; deep.n < MAIL_REPORT_MAX - 128; i++)
		buf_printf(&deep,
		    "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i);
	(void)!mail_report_read(buf_str(&deep), &r, NULL);
	buf_done(&deep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_the_same_bytes),
		cmocka_unit_test(long_lines_are_wrapped),
		cmocka_unit_test(knows_who_needs_smtputf8),
		cmocka_unit_test(no_line_break_gets_in),
		cmocka_unit_test(reads_reports),
		cmocka_unit_test(rounds_go_out_and_come_back),
		cmocka_unit_test(bounds_hostile_reports),
	};

	return cmocka_run_group_tests_name("delivery.mail_message", tests, NULL, NULL);
}
