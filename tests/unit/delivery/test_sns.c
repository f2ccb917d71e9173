/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing at an SNS service: the request on the wire, and what answers mean. */
#include "delivery/sns_publish.h"

#include "check.h"
#include "hook.h"

#define TOPIC "arn:aws:sns:eu-central-1:123456789012:ready"

static void
test_answers(void **state)
{
	static const struct {
		long status;
		enum post_outcome before, want;
		const char *body, *reason;
	} cases[] = {
		{ 200, POST_DONE, POST_DONE,
		    "<PublishResponse><PublishResult><MessageId>a</MessageId>", "" },
		{ 200, POST_DONE, POST_NEVER, "<html>Welcome</html>", "does not answer as SNS" },
		{ 200, POST_DONE, POST_NEVER, "", "does not answer as SNS" },
		{ 404, POST_NEVER, POST_NEVER, "<Error><Code>NotFound</Code>", "no such topic" },
		{ 403, POST_NEVER, POST_NEVER, "<Code>AuthorizationError</Code>", "sns:Publish" },
		{ 403, POST_NEVER, POST_NEVER, "<Code>InvalidClientTokenId</Code>",
		    "sns.accessKeyId" },
		{ 403, POST_NEVER, POST_NEVER, "<Code>SignatureDoesNotMatch</Code>",
		    "sns.secretAccessKey" },
		{ 400, POST_NEVER, POST_LATER, "<Code>Throttling</Code>", "throttling" },
		{ 400, POST_NEVER, POST_LATER, "<Code>RequestExpired</Code>", "clock" },
		{ 429, POST_LATER, POST_LATER, "<Code>ThrottlingException</Code>", "throttling" },
		{ 500, POST_LATER, POST_LATER, "<Code>InternalError</Code>", "internal error" },
		/* a service that is ill may say anything */
		{ 503, POST_LATER, POST_LATER, "<Code>NotFound</Code>", "" },
		{ 502, POST_LATER, POST_LATER, "<html>", "" },
		{ 400, POST_NEVER, POST_NEVER, "<Code>Strange</Code>", "SNS answers Strange" },
		/* nothing that is no word gets into the log */
		{ 400, POST_NEVER, POST_NEVER, "<Code>a@b.example said</Code>", "" },
		{ 400, POST_NEVER, POST_NEVER,
		    "<Code>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "" },
		{ 0, POST_LATER, POST_LATER, "", "" },
		{ 302, POST_LATER, POST_LATER, "<Code>NotFound</Code>", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct post_answer a = { .status = cases[i].status, .outcome = cases[i].before };

		sns_judge(&a, str_c(cases[i].body));
		if (a.outcome != cases[i].want)
			fail_msg("case %zu: outcome %d", i, (int)a.outcome);
		if (!strstr(a.reason, cases[i].reason) || strchr(a.reason, '@'))
			fail_msg("case %zu: %s", i, a.reason);
	}
}

static struct remote
remote_of(const struct hook *h)
{
	struct remote r = { .region = "eu-central-1", .access_key_id = "AKIDEXAMPLE" };

	(void)snprintf(r.endpoint, sizeof(r.endpoint), "http://127.0.0.1:%d", hook_port(h));
	assert_ok(secret_init(&r.secret, 6));
	memcpy(r.secret.p, "secret", 6);
	return r;
}

/* The signature itself is verified, by another implementation, in the end-to-end tests. */
static void
test_request(void **state)
{
	static const int script[] = { 200 };
	const struct post_rules rules = {
		.allow_private = true, .ca_file = "", .timeout_ms = 3000
	};
	struct hook *h = hook_start(script, 1);
	struct remote r = remote_of(h);
	struct guid id = guid_new();
	struct post_answer a;
	struct poster *p;
	const struct hook_seen *s;

	(void)state;
	assert_ok(poster_new(&rules, &p));
	sns_publish(p, &r, STR(TOPIC), STR("{\"a\":\"b & c=d+\xc3\xbc\"}"), &id,
	    INT64_C(1440938160000), &a);
	assert_int_equal(a.outcome, POST_NEVER); /* the hook answers without a message id */
	s = hook_seen(h, 0);
	assert_string_equal(s->body,
	    "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%"
	    "3A123456789012%3Aready&Message=%7B%22a%22%3A%22b%20%26%20c%3Dd%2B%C3%BC%22%7D");
	assert_string_equal(hook_header(s, "X-Amz-Date"), "20150830T123600Z");
	assert_string_equal(
	    hook_header(s, "Content-Type"), "application/x-www-form-urlencoded; charset=utf-8");
	assert_non_null(strstr(hook_header(s, "Authorization"),
	    "Credential=AKIDEXAMPLE/20150830/eu-central-1/sns/aws4_request, "
	    "SignedHeaders=content-type;host;x-amz-date, Signature="));
	sns_publish(p, &r, STR(TOPIC ".fifo"), STR("m"), &id, INT64_C(1440938160000), &a);
	assert_non_null(strstr(hook_seen(h, 1)->body, "&MessageDeduplicationId="));
	assert_non_null(strstr(hook_seen(h, 1)->body, "&MessageGroupId="));
	poster_free(p);
	remote_done(&r);
	hook_stop(h);
}

/* A seller's endpoint must be public; the operator's own need not. */
static void
test_addresses(void **state)
{
	static const int script[] = { 200 };
	const struct post_rules rules = { .ca_file = "", .timeout_ms = 3000 };
	struct hook *h = hook_start(script, 1);
	struct remote r = remote_of(h);
	struct guid id = guid_new();
	struct post_answer a;
	struct poster *p;

	(void)state;
	assert_ok(poster_new(&rules, &p));
	sns_publish(p, &r, STR(TOPIC), STR("m"), &id, 0, &a);
	assert_int_equal(a.outcome, POST_NEVER);
	assert_int_equal(hook_count(h), 0);
	r.by_operator = true;
	sns_publish(p, &r, STR(TOPIC), STR("m"), &id, 0, &a);
	assert_int_equal(hook_count(h), 1);
	poster_free(p);
	remote_done(&r);
	hook_stop(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
