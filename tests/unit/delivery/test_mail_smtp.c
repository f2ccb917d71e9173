/* SPDX-License-Identifier: Apache-2.0 */
/* Mail handed to a real server: TLS, logins, and whose fault a refusal is. */
#include "delivery/mail_smtp.h"

#include "smtp.h"

#include "base/clock.h"

static struct mail_answer
send_to(const struct mail_rules *r, const char *to)
{
	struct mail_envelope e = { .from = STR("market@example.com"),
		.to = str_c(to),
		.message = STR("From: market@example.com\r\nSubject: x\r\n\r\n.\r\nhello\r\n") };
	struct mail_answer a;
	struct mailer *m;

	for (const char *c = to; *c; c++)
		e.utf8 |= (unsigned char)*c >= 0x80;
	assert_ok(mailer_new(r, &m));
	mailer_send(m, &e, &a);
	mailer_free(m);
	return a;
}

static void
tells_refusals_apart(void **state)
{
	static const struct {
		const char *to;
		enum mail_outcome outcome;
		long status;
	} cases[] = {
		{ "buyer@example.com", MAIL_DONE, 250 },
		{ "k\xc3\xa4ufer@example.com", MAIL_DONE, 250 },
		{ "later@example.com", MAIL_LATER, 451 },
		{ "never@example.com", MAIL_REFUSED, 550 },
		{ "full@example.com", MAIL_REFUSED, 552 }, { "drop@example.com", MAIL_LATER, 0 },
		{ "lost@example.com", MAIL_LATER, 0 }, /* kept by the server, and we cannot know */
	};
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 30000 };
	struct mail_answer a;

	(void)state;
	server_start(&s, "smtp", NULL);
	r.url = s.url;
	r.ca_file = s.cert;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = send_to(&r, cases[i].to);
		assert_int_equal(a.outcome, cases[i].outcome);
		assert_int_equal(a.status, cases[i].status);
		assert_null(strstr(a.reason, "@"));
	}
	assert_int_equal(server_stop(&s), 3);
}

static void
does_not_wait_for_ever(void **state)
{
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 1000 };
	struct mail_answer a;

	(void)state;
	server_start(&s, "smtp", NULL);
	r.url = s.url;
	r.ca_file = s.cert;
	uint64_t began = clock_mono_ns();
	a = send_to(&r, "slow@example.com");
	assert_int_equal(a.outcome, MAIL_LATER);
	assert_string_equal(a.reason, "no answer of the mail server in time");
	/* Nor for an answer to QUIT. */
	assert_true(clock_mono_ns() - began < UINT64_C(10000000000));
	(void)server_stop(&s);
}

static void
a_late_answer_is_not_the_next_mails(void **state)
{
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 1000 };
	struct mail_envelope e = { .from = STR("market@example.com"),
		.to = STR("slow@example.com"),
		.message = STR("Subject: x\r\n\r\nhello\r\n") };
	struct mail_answer a;
	struct mailer *m;

	(void)state;
	server_start(&s, "smtp", NULL);
	r.url = s.url;
	r.ca_file = s.cert;
	assert_ok(mailer_new(&r, &m));
	mailer_send(m, &e, &a);
	assert_int_equal(a.outcome, MAIL_LATER);
	e.to = STR("never@example.com");
	mailer_send(m, &e, &a);
	assert_int_equal(a.outcome, MAIL_REFUSED);
	e.to = STR("buyer@example.com");
	for (int i = 0; i < 3; i++) {
		mailer_send(m, &e, &a);
		assert_int_equal(a.outcome, MAIL_DONE);
	}
	mailer_free(m);
	assert_int_equal(server_stop(&s), 4);
}

static void
refuses_what_the_server_cannot(void **state)
{
	static const char *const servers[] = { "--no-utf8", "--quiet-utf8" };
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 30000 };
	struct mail_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(servers); i++) {
		server_start(&s, "smtp", servers[i]);
		r.url = s.url;
		r.ca_file = s.cert;
		a = send_to(&r, "k\xc3\xa4ufer@example.com");
		assert_int_equal(a.outcome, MAIL_REFUSED);
		assert_non_null(strstr(a.reason, "SMTPUTF8"));
		assert_int_equal(send_to(&r, "buyer@example.com").outcome, MAIL_DONE);
		assert_int_equal(server_stop(&s), 1);
	}
}

static void
goes_only_over_tls_and_with_the_login(void **state)
{
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 30000 };
	struct mail_answer a;

	(void)state;
	server_start(&s, "smtp", NULL);
	r.url = s.url;
	r.ca_file = "";
	a = send_to(&r, "buyer@example.com"); /* whose certificate is that? */
	assert_int_equal(a.outcome, MAIL_LATER);
	r.ca_file = s.cert;
	r.password = "wrong";
	a = send_to(&r, "buyer@example.com");
	assert_int_equal(a.outcome, MAIL_LATER);
	assert_string_equal(a.reason, "the mail server refused the login");
	r.user = "";
	a = send_to(&r, "buyer@example.com");
	assert_int_equal(a.outcome, MAIL_LATER);
	assert_int_equal(server_stop(&s), 0);

	server_start(&s, "smtp", "--no-auth"); /* and no STARTTLS */
	r.url = s.url;
	a = send_to(&r, "buyer@example.com");
	assert_int_equal(a.outcome, MAIL_LATER);
	assert_string_equal(a.reason, "the mail server does not offer STARTTLS");
	r.plain = true;
	assert_int_equal(send_to(&r, "buyer@example.com").outcome, MAIL_DONE);
	assert_int_equal(server_stop(&s), 1);
	a = send_to(&r, "buyer@example.com");
	assert_int_equal(a.outcome, MAIL_LATER);
	assert_string_equal(a.reason, "no connection to the mail server");
}

static void
speaks_tls_from_the_start(void **state)
{
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 30000 };

	(void)state;
	server_start(&s, "smtps", "--implicit-tls");
	r.url = s.url;
	r.ca_file = s.cert;
	assert_int_equal(send_to(&r, "buyer@example.com").outcome, MAIL_DONE);
	assert_int_equal(server_stop(&s), 1);
}

static void
refuses_rules(void **state)
{
	static const struct {
		const char *url;
		bool plain, ok;
	} cases[] = {
		{ "smtp://mail.example.com:587", false, true },
		{ "smtps://mail.example.com", false, true },
		{ "smtp://127.0.0.1:25", true, true },
		{ "smtp://[::1]", true, true },
		{ "smtp://mail.example.com", true, false },
		{ "http://mail.example.com", false, false },
		{ "mail.example.com:587", false, false },
		{ "smtp://user:pw@mail.example.com", false, false },
		{ "smtp://mail.example.com/other.example", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    mail_rules_check(
			&(struct mail_rules){ .url = cases[i].url, .plain = cases[i].plain }, NULL),
		    cases[i].ok ? SOUK_OK : SOUK_E_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_refusals_apart),
		cmocka_unit_test(does_not_wait_for_ever),
		cmocka_unit_test(a_late_answer_is_not_the_next_mails),
		cmocka_unit_test(refuses_what_the_server_cannot),
		cmocka_unit_test(goes_only_over_tls_and_with_the_login),
		cmocka_unit_test(speaks_tls_from_the_start),
		cmocka_unit_test(refuses_rules),
	};

	return cmocka_run_group_tests_name("delivery.mail_smtp", tests, NULL, NULL);
}
