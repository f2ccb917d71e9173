/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links in topic messages (specs/sigv4-and-s3.md 4.3): confirm, unsubscribe, and the
 * certificate that signatures are checked with. The token in a link is the permission;
 * a wrong one, an old one and an unknown topic look alike.
 */
#include "server/families.h"

struct link {
	bool confirm; /* else unsubscribe */
	struct str arn, token;
};

static enum souk_err
bad_parameter(struct call *c, const char *name)
{
	return fail_set(&c->fail, SOUK_E_INVALID, "InvalidParameter",
	    "Invalid parameter: %s is missing or unknown.", name);
}

static enum souk_err
link_read(struct call *c)
{
	struct str action = call_query(c, "Action");
	struct link *l = ARENA_NEW(c->arena, struct link);

	if (!l)
		return SOUK_E_LIMIT;
	c->input = l;
	l->confirm = str_eq(action, STR("ConfirmSubscription"));
	if (!l->confirm && !str_eq(action, STR("Unsubscribe")))
		return bad_parameter(c, "Action");
	l->arn = call_query(c, l->confirm ? "TopicArn" : "SubscriptionArn");
	l->token = call_query(c, "Token");
	if (!l->arn.p)
		return bad_parameter(c, l->confirm ? "TopicArn" : "SubscriptionArn");
	return l->token.p ? SOUK_OK : bad_parameter(c, "Token");
}

static void
add_answer(struct call *c, const char *action, struct str arn)
{
	buf_printf(
	    &c->out, "<%sResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n", action);
	if (arn.n > 0) {
		buf_printf(&c->out, "  <%sResult>\n    <SubscriptionArn>", action);
		buf_add_xml(&c->out, arn);
		buf_printf(&c->out, "</SubscriptionArn>\n  </%sResult>\n", action);
	}
	buf_printf(&c->out,
	    "  <ResponseMetadata>\n    <RequestId>%s</RequestId>\n  </ResponseMetadata>\n"
	    "</%sResponse>\n",
	    c->request_id, action);
}

static enum souk_err
link_follow(struct call *c, struct db_tx *tx)
{
	const struct link *l = c->input;
	struct buf arn = { 0 };
	enum souk_err r;

	r = l->confirm ? endpoint_confirm(tx, l->arn, l->token, &arn)
		       : endpoint_unsubscribe(tx, c->svc->topics, l->arn, l->token);
	if (r == SOUK_OK)
		add_answer(c, l->confirm ? "ConfirmSubscription" : "Unsubscribe", buf_str(&arn));
	buf_done(&arn);
	return r;
}

static enum souk_err
certificate(struct call *c, struct db_tx *tx)
{
	struct str name = c->params[0], want = str_c(topics_cert_name(c->svc->topics));

	(void)tx;
	if (!str_ends(name, STR(".pem")) || !str_eq((struct str){ name.p, name.n - 4 }, want))
		return SOUK_E_NOT_FOUND;
	buf_add_c(&c->out, topics_cert_pem(c->svc->topics));
	c->content_type = "application/x-pem-file";
	return SOUK_OK;
}

static const struct op ops[] = {
	{ "GET", "/sns", NULL, 0, OP_PUBLIC | OP_WRITE | OP_NO_BODY, link_read, link_follow },
	{ "GET", "/sns/{name}", NULL, 0, OP_PUBLIC | OP_NO_DB | OP_NO_BODY, NULL, certificate },
};

static const struct op *
sns_find(struct call *c)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		/* Not HEAD: whoever only looks at a link must not follow it. */
		if (call_match(c, ops[i].pattern) && str_eq_c(c->req->method, ops[i].method))
			return &ops[i];
	(void)fail_set(&c->fail, SOUK_E_NOT_FOUND, "NotFound", "There is nothing here.");
	return NULL;
}

static void
sns_fail(struct call *c, enum souk_err err)
{
	const char *type = "Sender", *code = "InternalFailure", *message = "Try again later.";

	c->response.status = 503;
	if (err == SOUK_E_INVALID) {
		c->response.status = 400;
		code = c->fail.code;
		message = c->fail.detail;
	} else if (err == SOUK_E_NOT_FOUND) {
		c->response.status = 404;
		code = "NotFound";
		message = "The link is wrong, was used up or is too old.";
	} else {
		type = "Receiver"; /* clients try again what is not their own doing */
	}
	buf_printf(&c->out,
	    "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n"
	    "  <Error>\n    <Type>%s</Type>\n    <Code>",
	    type);
	buf_add_xml(&c->out, str_c(code));
	buf_add_c(&c->out, "</Code>\n    <Message>");
	buf_add_xml(&c->out, str_c(message));
	buf_printf(&c->out,
	    "</Message>\n  </Error>\n  <RequestId>%s</RequestId>\n</ErrorResponse>\n",
	    c->request_id);
}

const struct api_family api_sns = {
	.name = "sns",
	.metric = FAM_SNS,
	.id_header = "x-amzn-RequestId",
	.content_type = "text/xml",
	.find = sns_find,
	.fail = sns_fail,
};
