/* SPDX-License-Identifier: Apache-2.0 */
/* Action=Publish of SNS, and what its answers mean. */
#include "delivery/sns_publish.h"

#include "access/sigv4.h"
#include "base/digest.h"

#include <stdio.h>

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
static const char form_line[] = "Content-Type: " FORM_TYPE;

#define SIGNED "content-type;host;x-amz-date"

/* ---- the request ---- */

static void
add_field(struct buf *b, const char *name, struct str value)
{
	if (b->n > 0)
		buf_add_char(b, '&');
	buf_add_c(b, name);
	buf_add_char(b, '=');
	buf_add_percent(b, value, "");
}

static void
form(struct str topic_arn, struct str message, const struct guid *id, struct buf *ret)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	add_field(ret, "Action", STR("Publish"));
	add_field(ret, "Version", STR("2010-03-31"));
	add_field(ret, "TopicArn", topic_arn);
	add_field(ret, "Message", message);
	if (str_ends(topic_arn, STR(".fifo"))) {
		add_field(ret, "MessageGroupId", STR("souk"));
		add_field(ret, "MessageDeduplicationId", str_c(text));
	}
}

/* As libcurl would write it: the port is left out when it is the scheme's own. */
static struct str
host_of(const char *endpoint)
{
	const char *at = strstr(endpoint, "://");
	struct str host = str_c(at ? at + 3 : endpoint);

	if (str_starts(str_c(endpoint), STR("https:")) && str_ends(host, STR(":443")))
		host.n -= 4;
	else if (str_starts(str_c(endpoint), STR("http:")) && str_ends(host, STR(":80")))
		host.n -= 3;
	return host;
}

static enum souk_err
authorize(
    const struct remote *r, struct str host, const char *amz_date, struct str body, struct buf *ret)
{
	struct sigv4_header headers[] = { { STR("Content-Type"), STR(FORM_TYPE) },
		{ STR("Host"), host }, { STR("X-Amz-Date"), str_c(amz_date) } };
	struct sigv4_req req = { .method = STR("POST"),
		.path = STR("/"),
		.query = STR(""),
		.headers = headers,
		.n_headers = 3 };
	struct buf canonical = { 0 }, scope = { 0 }, to_sign = { 0 };
	char hash[65], signature[65];
	uint8_t sha[SHA256_LEN], key[32];
	enum souk_err err;

	sha256(body.p, body.n, sha);
	hex_encode(sha, sizeof(sha), hash);
	buf_printf(&scope, "%.8s/%s/sns/aws4_request", amz_date, r->region);
	err = sigv4_canonical(&req, false, STR(SIGNED), str_c(hash), &canonical);
	sigv4_to_sign(str_c(amz_date), buf_str(&scope), buf_str(&canonical), &to_sign);
	if (err == SOUK_OK && (!buf_ok(&scope) || !buf_ok(&to_sign)))
		err = SOUK_E_NOMEM;
	if (err == SOUK_OK) {
		sigv4_signing_key((struct str){ (const char *)r->secret.p, r->secret.n },
		    (struct str){ amz_date, 8 }, str_c(r->region), STR("sns"), key);
		sigv4_signature(key, buf_str(&to_sign), signature);
		wipe(key, sizeof(key));
		buf_printf(ret, "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, ",
		    r->access_key_id, scope.p);
		buf_printf(ret, "SignedHeaders=%s, Signature=%s", SIGNED, signature);
	}
	buf_done(&canonical);
	buf_done(&scope);
	buf_done(&to_sign);
	return err;
}

/* ---- the answer ---- */

/* The text of the first element of this name, when it is a plain word; else "". */
static void
element_word(struct str body, const char *open, char *out, size_t out_size)
{
	const char *at = body.n > 0 ? memmem(body.p, body.n, open, strlen(open)) : NULL;
	size_t n = 0;

	if (at)
		for (at += strlen(open); at < body.p + body.n && *at != '<'; at++) {
			bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
				      (*at >= '0' && *at <= '9') || *at == '.';

			if (!letter || n + 1 >= out_size) {
				n = 0;
				break;
			}
			out[n++] = *at;
		}
	out[n] = '\0';
}

static const struct {
	const char *code;
	enum post_outcome outcome;
	const char *reason;
} codes[] = {
	{ "NotFound", POST_NEVER,
	    "no such topic at sns.endpoint: check snsTopicArn and sns.region" },
	{ "AuthorizationError", POST_NEVER,
	    "sns.accessKeyId may not publish: allow sns:Publish on the topic" },
	{ "AccessDenied", POST_NEVER,
	    "sns.accessKeyId may not publish: allow sns:Publish on the topic" },
	{ "InvalidClientTokenId", POST_NEVER, "sns.accessKeyId is not known at sns.endpoint" },
	{ "UnrecognizedClientException", POST_NEVER,
	    "sns.accessKeyId is not known at sns.endpoint" },
	{ "SignatureDoesNotMatch", POST_NEVER, "sns.secretAccessKey or sns.region is wrong" },
	{ "InvalidSignatureException", POST_NEVER, "sns.secretAccessKey or sns.region is wrong" },
	{ "OptInRequired", POST_NEVER, "the account of sns.accessKeyId is not enabled for SNS" },
	{ "InvalidParameter", POST_NEVER,
	    "SNS takes no such request: check snsTopicArn against sns.region" },
	{ "EndpointDisabled", POST_NEVER, "the topic is disabled at SNS" },
	{ "KMSAccessDenied", POST_NEVER, "sns.accessKeyId may not use the topic's KMS key" },
	{ "KMSDisabled", POST_NEVER, "the topic's KMS key is disabled" },
	{ "KMSNotFound", POST_NEVER, "the topic's KMS key is gone" },
	{ "KMSInvalidState", POST_NEVER, "the topic's KMS key cannot be used" },
	{ "RequestExpired", POST_LATER, "SNS finds the clock of this machine wrong" },
	{ "Throttling", POST_LATER, "SNS is throttling" },
	{ "ThrottlingException", POST_LATER, "SNS is throttling" },
	{ "Throttled", POST_LATER, "SNS is throttling" },
	{ "KMSThrottling", POST_LATER, "the topic's KMS key is throttled" },
	{ "InternalError", POST_LATER, "SNS has an internal error" },
	{ "InternalFailure", POST_LATER, "SNS has an internal error" },
	{ "ServiceUnavailable", POST_LATER, "SNS is unavailable" },
};

static void
answer(struct post_answer *a, enum post_outcome outcome, const char *reason)
{
	a->outcome = outcome;
	(void)snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

void
sns_judge(struct post_answer *a, struct str body)
{
	char code[48];

	if (a->status == 0 || (a->status >= 300 && a->status < 400))
		return; /* no answer, or nothing of SNS's */
	if (a->outcome == POST_DONE) {
		/* A page that says "200 OK" to anything has told nobody. */
		if (body.n == 0 || !memmem(body.p, body.n, "<MessageId>", 11))
			answer(a, POST_NEVER, "sns.endpoint does not answer as SNS does");
		return;
	}
	element_word(body, "<Code>", code, sizeof(code));
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i].code) == 0) {
			/* The service knows best, but for what is its own trouble. */
			answer(
			    a, a->status >= 500 ? POST_LATER : codes[i].outcome, codes[i].reason);
			return;
		}
	if (code[0])
		(void)snprintf(a->reason, sizeof(a->reason), "SNS answers %s, HTTP status %ld",
		    code, a->status);
}

void
sns_publish(struct poster *p, const struct remote *r, struct str topic_arn, struct str message,
    const struct guid *id, instant_t now, struct post_answer *ret)
{
	char amz[INSTANT_AMZ_LEN + 1];
	struct str host = host_of(r->endpoint);
	struct buf body = { 0 }, url = { 0 }, got = { 0 };
	struct buf host_line = { 0 }, date_line = { 0 }, auth_line = { 0 };
	bool ok;

	instant_format_amz(now, amz);
	form(topic_arn, message, id, &body);
	buf_printf(&url, "%s/", r->endpoint);
	buf_printf(&host_line, "Host: %.*s", (int)host.n, host.p);
	buf_printf(&date_line, "X-Amz-Date: %s", amz);
	ok = buf_ok(&body) && buf_ok(&url) && buf_ok(&host_line) && buf_ok(&date_line) &&
	     authorize(r, host, amz, buf_str(&body), &auth_line) == SOUK_OK && buf_ok(&auth_line);
	if (ok) {
		const char *headers[] = { form_line, host_line.p, date_line.p, auth_line.p, NULL };

		poster_send(p,
		    &(struct post){ .url = url.p,
			.headers = headers,
			.user_agent = "souk",
			.body = buf_str(&body),
			.allow_private = r->by_operator,
			.ret_body = &got },
		    ret);
		sns_judge(ret, buf_str(&got));
	} else {
		*ret = (struct post_answer){ .outcome = POST_LATER, .reason = "out of memory" };
	}
	buf_done(&body);
	buf_done(&url);
	buf_done(&got);
	buf_done(&host_line);
	buf_done(&date_line);
	buf_done(&auth_line);
}
