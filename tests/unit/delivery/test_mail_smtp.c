/* SPDX-License-Identifier: Apache-2.0 */
/* Mail handed to a real server: TLS, logins, and whose fault a refusal is. */
#include "delivery/mail_smtp.h"

#include "check.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* tests/services/smtp, which ends with its standard input. */
struct server {
	pid_t pid;
	int in;
	char dir[64], url[64], cert[96];
};

static void
server_start(struct server *s, const char *scheme, const char *option)
{
	char template[] = "/tmp/souk-smtp-XXXXXX", port[16] = "";
	uint64_t number;
	int in[2], out[2];

	(void)snprintf(s->dir, sizeof(s->dir), "%s", mkdtemp(template));
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	if ((s->pid = fork()) == 0) {
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		(void)close(in[1]);
		(void)execl(SOUK_SMTP_SERVICE, "smtp", s->dir, option, (char *)NULL);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	s->in = in[1];
	assert_true(read(out[0], port, sizeof(port) - 1) > 0);
	(void)close(out[0]);
	assert_true(str_to_u64(str_trim(str_c(port)), 65535, &number));
	(void)snprintf(
	    s->url, sizeof(s->url), "%s://localhost:%llu", scheme, (unsigned long long)number);
	(void)snprintf(s->cert, sizeof(s->cert), "%s/cert.pem", s->dir);
}

static size_t
server_stop(struct server *s)
{
	char path[128], line[4096];
	size_t n = 0;
	FILE *f;

	(void)close(s->in);
	(void)waitpid(s->pid, NULL, 0);
	(void)snprintf(path, sizeof(path), "%s/messages", s->dir);
	if ((f = fopen(path, "r"))) {
		while (fgets(line, sizeof(line), f))
			n += strchr(line, '\n') != NULL;
		(void)fclose(f);
		(void)unlink(path);
	}
	(void)unlink(s->cert);
	(void)snprintf(path, sizeof(path), "%s/key.pem", s->dir);
	(void)unlink(path);
	(void)rmdir(s->dir);
	return n;
}

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
	struct server s;
	struct mail_rules r = { .user = "souk", .password = "pw", .timeout_ms = 30000 };
	struct mail_answer a;

	(void)state;
	server_start(&s, "smtp", "--no-utf8");
	r.url = s.url;
	r.ca_file = s.cert;
	a = send_to(&r, "k\xc3\xa4ufer@example.com");
	assert_int_equal(a.outcome, MAIL_REFUSED);
	assert_non_null(strstr(a.reason, "SMTPUTF8"));
	assert_int_equal(send_to(&r, "buyer@example.com").outcome, MAIL_DONE);
	assert_int_equal(server_stop(&s), 1);
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
