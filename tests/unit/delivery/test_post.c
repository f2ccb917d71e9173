/* SPDX-License-Identifier: Apache-2.0 */
/* Posting: what is refused before and while connecting, and what an answer means. */
#include "delivery/post.h"

#include "base/clock.h"
#include "check.h"
#include "hook.h"
#include "tls_hook.h"

#include <curl/curl.h>
#include <unistd.h>

static struct post_answer
send_with(const struct post_rules *rules, const char *url)
{
	static const char *const headers[] = { "Content-Type: text/plain; charset=UTF-8", NULL };
	struct post what = {
		.url = url, .headers = headers, .user_agent = "agent", .body = STR("{\"a\":1}")
	};
	struct post_answer a;
	struct poster *p;

	assert_ok(poster_new(rules, &p));
	poster_send(p, &what, &a);
	poster_free(p);
	return a;
}

static const struct post_rules open_rules = {
	.allow_private = true, .ca_file = "", .timeout_ms = 3000
};
static const struct post_rules closed_rules = { .ca_file = "", .timeout_ms = 3000 };

static void
test_urls(void **state)
{
	static const struct {
		const char *url;
		bool closed, open; /* accepted without and with private addresses */
	} cases[] = {
		{ "https://hooks.example.com/souk", true, true },
		{ "https://hooks.example.com", true, true },
		{ "HTTPS://hooks.example.com:8443/a?b=c&d=%20", true, true },
		{ "https://8.8.8.8/", true, true },
		{ "https://[2606:4700::1]/", true, true },
		{ "https://127.0.0.1/", false, true },
		{ "https://localhost/", false, true },
		{ "https://LOCALHOST:444/x", false, true },
		{ "https://[::1]/", false, true },
		{ "https://10.1.2.3/", false, true },
		{ "https://[::ffff:10.1.2.3]/", false, true },
		{ "https://169.254.169.254/latest", false, true },
		{ "https://0x7f000001/", false, true },
		{ "https://2130706433/", false, true },
		{ "https://017700000001/", false, true },
		{ "https://127.1/", false, true },
		{ "http://127.0.0.1:8080/x", false, true },
		{ "http://localhost/x", false, true },
		{ "HTTP://[::1]/x", false, true },
		{ "http://10.1.2.3/", false, false },
		{ "http://hooks.example.com/souk", false, false },
		{ "https://0.0.0.0/", false, false },
		{ "https://224.0.0.1/", false, false },
		{ "https://[ff02::1]/", false, false },
		{ "https://user@hooks.example.com/", false, false },
		{ "https://user:word@hooks.example.com/", false, false },
		{ "https://@hooks.example.com/", false, false },
		{ "https://hooks.example.com/#part", false, false },
		{ "https://[fe80::1%25eth0]/", false, false },
		{ "https:///path", false, false },
		{ "https:/hooks.example.com/", false, false },
		{ "https:hooks.example.com/", false, false },
		{ "https://", false, false },
		{ "", false, false },
		{ "hooks.example.com/souk", false, false },
		{ "//hooks.example.com/souk", false, false },
		{ "ftp://hooks.example.com/", false, false },
		{ "file:///etc/passwd", false, false },
		{ "gopher://127.0.0.1:25/", false, false },
		{ "https://hooks.example.com/a b", false, false },
		{ "https://hooks.example.com/a\nb", false, false },
		{ "https://hooks.example.com\\@10.0.0.1/", false, false },
		{ "https://h\xc3\xb6oks.example/", false, false },
		{ "https://hooks.example.com:99999/", false, false },
		{ "https://hooks.example.com:x/", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fail f = { 0 };
		enum souk_err closed = post_url_check(str_c(cases[i].url), false, &f);
		enum souk_err open = post_url_check(str_c(cases[i].url), true, NULL);

		if ((closed == SOUK_OK) != cases[i].closed || (open == SOUK_OK) != cases[i].open)
			fail_msg("%s: closed %s, open %s", cases[i].url, souk_err_word(closed),
			    souk_err_word(open));
		if (closed != SOUK_OK)
			assert_string_equal(f.entry[0].field, "url");
	}
}

static void
test_url_length(void **state)
{
	char url[POST_URL_MAX + 2];

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "https://hooks.example.com/", 26);
	assert_ok(post_url_check((struct str){ url, POST_URL_MAX }, false, NULL));
	assert_err(
	    SOUK_E_INVALID, post_url_check((struct str){ url, POST_URL_MAX + 1 }, false, NULL));
}

static void
test_answers(void **state)
{
	static const struct {
		int step;
		enum post_outcome outcome;
		long status;
		const char *reason;
	} cases[] = {
		{ 200, POST_DONE, 200, "HTTP status 200" },
		{ 204, POST_DONE, 204, "HTTP status 204" },
		{ 299, POST_DONE, 299, "HTTP status 299" },
		{ 300, POST_LATER, 300, "HTTP status 300, redirects are not followed" },
		{ 400, POST_NEVER, 400, "HTTP status 400" },
		{ 404, POST_NEVER, 404, "HTTP status 404" },
		{ 410, POST_NEVER, 410, "HTTP status 410" },
		{ 429, POST_LATER, 429, "HTTP status 429" },
		{ 499, POST_NEVER, 499, "HTTP status 499" },
		{ 500, POST_LATER, 500, "HTTP status 500" },
		{ 503, POST_LATER, 503, "HTTP status 503" },
		{ HOOK_CLOSE, POST_LATER, 0, "connection closed without an answer" },
		{ HOOK_REDIRECT, POST_LATER, 302, "HTTP status 302, redirects are not followed" },
		{ HOOK_HUGE, POST_DONE, 200, "HTTP status 200" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hook *h = hook_start(&cases[i].step, 1);
		struct post_answer a = send_with(&open_rules, hook_url(h));

		if (a.outcome != cases[i].outcome || a.status != cases[i].status ||
		    strcmp(a.reason, cases[i].reason) != 0)
			fail_msg("step %d: %d %ld %s", cases[i].step, (int)a.outcome, a.status,
			    a.reason);
		assert_int_equal(hook_count(h), 1);
		assert_string_equal(hook_seen(h, 0)->body, "{\"a\":1}");
		hook_stop(h);
	}
}

static void
test_request_as_sent(void **state)
{
	static const int ok = 200;
	struct hook *h = hook_start(&ok, 1);
	const struct hook_seen *s;

	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1/", 1), 0);
	assert_int_equal(send_with(&open_rules, hook_url(h)).outcome, POST_DONE);
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
	s = hook_seen(h, 0);
	assert_memory_equal(s->head, "POST /hook HTTP/1.1\r\n", 21);
	assert_string_equal(hook_header(s, "User-Agent"), "agent");
	assert_string_equal(hook_header(s, "Content-Type"), "text/plain; charset=UTF-8");
	assert_null(hook_header(s, "Expect"));
	hook_stop(h);
}

static void
test_hanging_endpoint(void **state)
{
	static const int hang = HOOK_HANG;
	struct post_rules rules = { .allow_private = true, .ca_file = "", .timeout_ms = 300 };
	struct hook *h = hook_start(&hang, 1);
	uint64_t start = clock_mono_ns();
	struct post_answer a = send_with(&rules, hook_url(h));

	(void)state;
	assert_true(clock_mono_ns() - start < UINT64_C(5000000000));
	assert_int_equal(a.outcome, POST_LATER);
	assert_int_equal(a.status, 0);
	assert_string_equal(a.reason, "no answer in time");
	hook_stop(h);
}

static void
test_refused_connection(void **state)
{
	static const int ok = 200;
	struct hook *h = hook_start(&ok, 1);
	char url[64];
	struct post_answer a;

	(void)state;
	(void)snprintf(url, sizeof(url), "%s", hook_url(h));
	hook_stop(h);
	a = send_with(&open_rules, url);
	assert_int_equal(a.outcome, POST_LATER);
	assert_string_equal(a.reason, "connection refused");
}

/* The check is made on the address, whatever the URL said: this one is never text-checked here. */
static void
test_private_address_refused(void **state)
{
	static const int ok = 200;
	static const char *const hosts[] = { "https://127.0.0.1", "https://localhost",
		"https://127.1", "https://[::ffff:127.0.0.1]" };
	struct hook *h = hook_start(&ok, 1);
	char url[96];

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct post_answer a;

		(void)snprintf(url, sizeof(url), "%s:%d/hook?key=word", hosts[i], hook_port(h));
		a = send_with(&closed_rules, url);
		if (a.outcome != POST_NEVER)
			fail_msg("%s: %d %s", url, (int)a.outcome, a.reason);
		assert_string_equal(a.reason, "the address is not public and not allowed");
	}
	assert_int_equal(hook_count(h), 0);
	hook_stop(h);
}

static void
test_plain_http_stays_on_loopback(void **state)
{
	struct post_answer a = send_with(&open_rules, "http://10.255.255.1/hook");

	(void)state;
	assert_int_equal(a.outcome, POST_NEVER);
	a = send_with(&closed_rules, "http://10.255.255.1/hook");
	assert_int_equal(a.outcome, POST_NEVER);
	assert_string_equal(a.reason, "the URL is not https");
	a = send_with(&open_rules, "HTTP://10.255.255.1/hook");
	assert_int_equal(a.outcome, POST_NEVER);
}

static struct post_answer
send_tls(const struct tls_hook *h, const char *host, const char *ca_file)
{
	struct post_rules rules = { .allow_private = true, .ca_file = ca_file, .timeout_ms = 5000 };
	char url[96];

	(void)snprintf(url, sizeof(url), "https://%s:%d/hook", host, tls_hook_port(h));
	return send_with(&rules, url);
}

static void
test_certificates(void **state)
{
	char pem[] = "/tmp/souk_test_post.XXXXXX";
	struct tls_hook *h;
	struct post_answer a;
	int fd = mkstemp(pem);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	h = tls_hook_start(pem);
	a = send_tls(h, "localhost", "");
	assert_int_equal(a.outcome, POST_LATER);
	assert_string_equal(a.reason, "the host's certificate is not trusted");
	a = send_tls(h, "127.0.0.1", pem); /* trusted, but another's name */
	assert_int_equal(a.outcome, POST_LATER);
	assert_string_equal(a.reason, "the host's certificate is not trusted");
	assert_int_equal(tls_hook_count(h), 0);
	a = send_tls(h, "localhost", pem);
	assert_string_equal(a.reason, "HTTP status 200");
	assert_int_equal(a.outcome, POST_DONE);
	assert_int_equal(tls_hook_count(h), 1);
	a = send_tls(h, "localhost", "/nonexistent/ca.pem");
	assert_int_equal(a.outcome, POST_LATER);
	assert_int_equal(tls_hook_count(h), 1);
	tls_hook_stop(h);
	(void)unlink(pem);
}

static void
test_endpoint_without_tls(void **state)
{
	static const int ok = 200;
	struct hook *h = hook_start(&ok, 1);
	char url[64];
	struct post_answer a;

	(void)state;
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/hook", hook_port(h));
	a = send_with(
	    &(struct post_rules){ .allow_private = true, .ca_file = "", .timeout_ms = 1000 }, url);
	assert_int_equal(a.outcome, POST_LATER);
	assert_int_equal(hook_count(h), 0);
	hook_stop(h);
}

/* The system's certificates stay trusted beside topic.ca-file: libcurl must have a directory of them. */
static void
test_system_certificates_stay(void **state)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	(void)state;
	assert_non_null(v->capath);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_url_length),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_request_as_sent),
		cmocka_unit_test(test_hanging_endpoint),
		cmocka_unit_test(test_refused_connection),
		cmocka_unit_test(test_private_address_refused),
		cmocka_unit_test(test_plain_http_stays_on_loopback),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_endpoint_without_tls),
		cmocka_unit_test(test_system_certificates_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
