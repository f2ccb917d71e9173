/* SPDX-License-Identifier: Apache-2.0 */
/* SNS envelopes: their members, and the text that is signed (sigv4-and-s3 4.1, 4.2). */
#include "delivery/topic_int.h"

#include "base/secret.h"

const char *
sns_type_word(enum sns_type t)
{
	static const char *const words[] = {
		[SNS_NOTIFICATION] = "Notification",
		[SNS_SUBSCRIBE] = "SubscriptionConfirmation",
		[SNS_UNSUBSCRIBE] = "UnsubscribeConfirmation",
	};

	return words[t];
}

void
topic_canonical(const json_t *envelope, struct buf *ret)
{
	/* One order serves all types: what a type does not have is absent. */
	static const char *const keys[] = { "Message", "MessageId", "Subject", "SubscribeURL",
		"Timestamp", "Token", "TopicArn", "Type" };
	const json_t *v;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!(v = json_object_get(envelope, keys[i])))
			continue;
		buf_add_c(ret, keys[i]);
		buf_add_char(ret, '\n');
		buf_add(ret, json_string_value(v), json_string_length(v));
		buf_add_char(ret, '\n');
	}
}

void
topic_arn_of(const struct topics *t, struct str seller_id, struct str name, struct buf *ret)
{
	topic_arn_format(str_c(t->region), seller_id, name, ret);
}

/* The texts of one envelope while it is put together. */
struct draft {
	struct buf arn, subscription, message, subscribe_url, unsubscribe_url, cert_url, signature;
	char id[GUID_TEXT_LEN + 1], at[INSTANT_TEXT_LEN + 1];
	struct topic_token token;
};

static void
draft_done(struct draft *d)
{
	buf_done(&d->arn);
	buf_done(&d->subscription);
	buf_done(&d->message);
	buf_done(&d->subscribe_url);
	buf_done(&d->unsubscribe_url);
	buf_done(&d->cert_url);
	buf_done(&d->signature);
	wipe(&d->token, sizeof(d->token));
}

static bool
draft_ok(const struct draft *d)
{
	return buf_ok(&d->arn) && buf_ok(&d->subscription) && buf_ok(&d->message) &&
	       buf_ok(&d->subscribe_url) && buf_ok(&d->unsubscribe_url) && buf_ok(&d->cert_url);
}

static void
add_link(struct buf *b, const struct topics *t, const char *action, const char *arn_name,
    const struct buf *arn, const struct topic_token *token)
{
	buf_printf(b, "%s/sns?Action=%s&%s=", t->public_url, action, arn_name);
	buf_add_percent(b, buf_str(arn), "");
	buf_printf(b, "&Token=%s", token->text);
}

static void
draft_message(struct draft *d, const struct sns_message *m)
{
	switch (m->type) {
	case SNS_NOTIFICATION:
		buf_add_str(&d->message, m->body);
		break;
	case SNS_SUBSCRIBE:
		buf_printf(&d->message,
		    "You have chosen to subscribe to the topic %s.\n"
		    "To confirm the subscription, visit the SubscribeURL included in this message.",
		    d->arn.p);
		break;
	case SNS_UNSUBSCRIBE:
		buf_printf(&d->message,
		    "You have chosen to deactivate subscription %s.\nTo cancel this operation and "
		    "restore the subscription, visit the SubscribeURL included in this message.",
		    d->subscription.p);
		break;
	}
}

static void
draft_texts(struct draft *d, const struct topics *t, const struct sns_message *m)
{
	char endpoint[GUID_TEXT_LEN + 1];

	guid_format(&m->id, d->id);
	guid_format(&m->to->id, endpoint);
	instant_format(m->at, d->at);
	topic_arn_of(t, m->seller_id, str_c(m->to->topic), &d->arn);
	buf_add_str(&d->subscription, buf_str(&d->arn));
	buf_printf(&d->subscription, ":%s", endpoint);
	if (!draft_ok(d))
		return;
	draft_message(d, m);
	buf_printf(&d->cert_url, "%s/sns/%s.pem", t->public_url, signer_cert_name(t->signer));
	if (m->type == SNS_NOTIFICATION) {
		topic_token_unsubscribe(t->vault, &m->to->id, &d->token);
		add_link(&d->unsubscribe_url, t, "Unsubscribe", "SubscriptionArn", &d->subscription,
		    &d->token);
	} else {
		topic_token_confirm(t->vault, &m->to->id, m->to->token_until, &d->token);
		add_link(
		    &d->subscribe_url, t, "ConfirmSubscription", "TopicArn", &d->arn, &d->token);
	}
}

/* False when out of memory, or when the text is not UTF-8. */
static bool
put(json_t *o, const char *name, const char *text, size_t n)
{
	return json_object_set_new(o, name, json_stringn(text, n)) == 0;
}

static bool
put_buf(json_t *o, const char *name, const struct buf *b)
{
	return put(o, name, buf_str(b).p, b->n);
}

static bool
put_signed_members(json_t *o, const struct draft *d, const struct sns_message *m)
{
	bool confirms = m->type != SNS_NOTIFICATION;
	const char *type = sns_type_word(m->type);

	return put(o, "Type", type, strlen(type)) && put(o, "MessageId", d->id, GUID_TEXT_LEN) &&
	       (!confirms || put(o, "Token", d->token.text, TOPIC_TOKEN_LEN)) &&
	       put_buf(o, "TopicArn", &d->arn) && put_buf(o, "Message", &d->message) &&
	       (!confirms || put_buf(o, "SubscribeURL", &d->subscribe_url)) &&
	       put(o, "Timestamp", d->at, INSTANT_TEXT_LEN);
}

static enum souk_err
put_signature(json_t *o, struct topics *t, struct draft *d)
{
	struct buf text = { 0 };
	enum souk_err err;

	topic_canonical(o, &text);
	err = buf_ok(&text) ? signer_sign(t->signer, buf_str(&text), &d->signature) : SOUK_E_NOMEM;
	buf_done(&text);
	if (err != SOUK_OK)
		return err;
	return put(o, "SignatureVersion", "2", 1) && put_buf(o, "Signature", &d->signature) &&
		       put_buf(o, "SigningCertURL", &d->cert_url)
		   ? SOUK_OK
		   : SOUK_E_NOMEM;
}

enum souk_err
sns_envelope(struct topics *t, const struct sns_message *m, json_t **ret)
{
	struct draft d = { 0 };
	json_t *o = json_object();
	enum souk_err err = SOUK_E_NOMEM;

	draft_texts(&d, t, m);
	if (!o || !draft_ok(&d) || !put_signed_members(o, &d, m) ||
	    (err = put_signature(o, t, &d)) != SOUK_OK)
		goto out;
	if (m->type == SNS_NOTIFICATION && !put_buf(o, "UnsubscribeURL", &d.unsubscribe_url)) {
		err = SOUK_E_NOMEM;
		goto out;
	}
	*ret = o;
	o = NULL;
out:
	json_decref(o);
	draft_done(&d);
	return err;
}
