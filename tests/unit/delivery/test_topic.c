/* SPDX-License-Identifier: Apache-2.0 */
/* Topics: handshake, envelopes and their signatures, retries, re-sending. */
#include "delivery/topic.h"

#include "hook.h"
#include "world.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#define REGION STR("us-east-1")
#define ARN "arn:aws:sns:us-east-1:000000000101:ready"
#define PUBLIC_URL "https://souk.example"

static const struct job_kind kinds[] = {
	{ .kind = "notify",
	    .attempts = 4,
	    .backoff_ms = 1,
	    .backoff_max_ms = 1,
	    .lease_ms = 60000,
	    .run = topic_job_notify },
	{ .kind = "confirm",
	    .attempts = 4,
	    .backoff_ms = 1,
	    .backoff_max_ms = 1,
	    .lease_ms = 60000,
	    .run = topic_job_confirm },
};

static struct topics *
open_topics(struct world *w, bool allow_private)
{
	struct topics *t;

	assert_ok(config_set(
	    w->config, SET_TOPIC_PRIVATE_ADDRESSES, allow_private ? "true" : "false", NULL));
	assert_ok(topics_open(w->db, w->vault, w->config, &t, NULL));
	topics_set_public_url(t, PUBLIC_URL "/");
	return t;
}

static void
run_jobs(struct world *w, struct topics *t)
{
	size_t ran;

	do {
		assert_ok(job_run_due(w->db, kinds, COUNT(kinds), 4, t, &ran));
		clock_sleep_ms(3);
	} while (world_int(w, "SELECT count(*) FROM job WHERE state < 2") > 0);
}

/* ---- calls as the transaction functions they need ---- */

struct call {
	struct world *w;
	struct topics *t;
	const struct tenant_scope *scope;
	struct str seller, topic, text, token;
	struct guid id, request;
	struct buf out;
	size_t n;
	bool confirmed;
	struct fail f;
};

static enum souk_err
create(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return topic_create(tx, c->scope, c->seller, c->topic, &c->f);
}

static enum souk_err
drop(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return topic_delete(tx, c->scope, c->seller, c->topic, &c->f);
}

static enum souk_err
list_topics(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	return topic_list(tx, c->scope, c->seller, REGION, &w);
}

static enum souk_err
list_endpoints(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	return endpoint_list(tx, c->scope, c->seller, c->topic, &w);
}

static enum souk_err
show_endpoint(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	return endpoint_get(tx, c->scope, c->seller, c->topic, &c->id, c->w->mem, &w);
}

static enum souk_err
add(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return endpoint_add(
	    tx, c->t, c->scope, c->seller, c->topic, c->text, &c->id, &c->confirmed, &c->f);
}

static enum souk_err
take_away(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return endpoint_remove(tx, c->scope, c->seller, c->topic, &c->id);
}

static enum souk_err
confirm(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return endpoint_confirm(tx, c->text, c->token, &c->out);
}

static enum souk_err
unsubscribe(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return endpoint_unsubscribe(tx, c->t, c->text, c->token);
}

static enum souk_err
publish(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return topic_publish(tx, c->seller, c->topic, &c->request, c->text, &c->id);
}

static enum souk_err
republish(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return topic_republish(tx, c->seller, &c->request, c->text, &c->n);
}

static struct call
call_of(struct world *w, struct topics *t)
{
	return (struct call){ .w = w,
		.t = t,
		.scope = &w->seller,
		.seller = SELLER,
		.topic = STR("ready"),
		.request = guid_new() };
}

/* A topic with one confirmed endpoint, behind the handshake's back. */
static void
have_endpoint(struct world *w, struct topics *t, const char *url)
{
	struct call c = call_of(w, t);

	c.text = str_c(url);
	IN_WRITE(w, create, &c);
	IN_WRITE(w, add, &c);
	world_sql(w, "UPDATE topic_endpoint SET state = 'confirmed', confirmed_at = 1");
	world_sql(w, "DELETE FROM job");
}

static void
publish_text(struct world *w, struct topics *t, const char *text)
{
	struct call c = call_of(w, t);

	c.text = str_c(text);
	IN_WRITE(w, publish, &c);
}

/* ---- envelopes ---- */

static json_t *
envelope(struct hook *h, size_t i)
{
	json_t *o;

	assert_ok(json_read(str_c(hook_seen(h, i)->body), &o, NULL));
	return o;
}

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* As a receiver does it: canonical string of its own, key from the published certificate. */
static bool
verifies(const struct topics *t, const json_t *o)
{
	static const char *const notification[] = { "Message", "MessageId", "Subject", "Timestamp",
		"TopicArn", "Type", NULL };
	static const char *const confirmation[] = { "Message", "MessageId", "SubscribeURL",
		"Timestamp", "Token", "TopicArn", "Type", NULL };
	const char *const *keys =
	    strcmp(member(o, "Type"), "Notification") == 0 ? notification : confirmation;
	const char *pem_text = topics_cert_pem(t);
	gnutls_datum_t pem = { .data = (unsigned char *)(uintptr_t)pem_text,
		.size = (unsigned)strlen(pem_text) };
	unsigned char raw[1024];
	gnutls_datum_t signature = { .data = raw }, data;
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t key;
	struct buf text = { 0 };
	size_t n;
	int rc;

	for (; *keys; keys++)
		if (json_object_get(o, *keys))
			buf_printf(&text, "%s\n%s\n", *keys, member(o, *keys));
	assert_true(base64_decode(str_c(member(o, "Signature")), raw, sizeof(raw), &n));
	signature.size = (unsigned)n;
	data = (gnutls_datum_t){ .data = (unsigned char *)text.p, .size = (unsigned)text.n };
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_x509(key, crt, 0), 0);
	rc = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_RSA_SHA256, 0, &data, &signature);
	gnutls_pubkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
	buf_done(&text);
	return rc >= 0;
}

/* A query member of a link, percent-decoded, in a static buffer. */
static struct str
of_link(const char *link, const char *name)
{
	static char out[4][512];
	static unsigned turn;
	char *to = out[turn++ % 4];
	char want[64];
	const char *at;
	size_t n;

	(void)snprintf(want, sizeof(want), "%s=", name);
	at = strstr(link, want);
	assert_non_null(at);
	at += strlen(want);
	n = strcspn(at, "&");
	assert_true(n < 512 && percent_decode((struct str){ at, n }, false, to, &n));
	return (struct str){ to, n };
}

/* ---- names ---- */

static void
test_arns(void **state)
{
	static const char *const bad[] = { "", "arn:aws:sns:us-east-1:000000000101",
		"arn:aws:sns:us-east-1:000000000101:", "arn:aws:sns::000000000101:ready",
		"arn:aws:sns:us-east-1:00000000010:ready",
		"arn:aws:sns:us-east-1:00000000010x:ready",
		"arn:aws:sqs:us-east-1:000000000101:ready",
		"arn:aws:sns:us-east-1:000000000101:a b", "arn:aws:sns:us-east-1:000000000101:a:b",
		"arn:aws:sns:us-east-1:000000000101:a.fifo", "ready" };
	struct topic_arn a;
	struct buf b = { 0 };
	char name[258];

	(void)state;
	assert_true(topic_arn_parse(STR(ARN), &a));
	assert_true(str_eq(a.region, REGION));
	assert_true(str_eq(a.seller_id, SELLER));
	assert_true(str_eq_c(a.name, "ready"));
	topic_arn_format(a.region, a.seller_id, a.name, &b);
	assert_string_equal(b.p, ARN);
	buf_done(&b);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (topic_arn_parse(str_c(bad[i]), &a))
			fail_msg("%s", bad[i]);
	memset(name, 'n', sizeof(name));
	assert_true(topic_name_valid((struct str){ name, 256 }));
	assert_false(topic_name_valid((struct str){ name, 257 }));
}

static void
test_topics_of_one_seller(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w, NULL);
	const struct tenant_scope *strangers[] = { &w->other, &w->buyer };

	IN_WRITE(w, create, &c);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, create, &c));
	assert_string_equal(c.f.code, "topic_exists");
	IN_READ(w, list_topics, &c);
	assert_non_null(strstr(c.out.p, "\"topicArn\":\"" ARN "\""));
	for (size_t i = 0; i < COUNT(strangers); i++) {
		c.scope = strangers[i];
		assert_err(SOUK_E_NOT_FOUND, db_write(w->db, create, &c));
		assert_err(SOUK_E_NOT_FOUND, db_write(w->db, drop, &c));
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list_topics, &c));
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list_endpoints, &c));
		c.text = STR("https://hooks.example.com/");
		assert_err(SOUK_E_NOT_FOUND, db_write(w->db, add, &c));
	}
	c.scope = &w->operator_;
	c.seller = BUYER;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, create, &c));
	c.seller = SELLER;
	c.topic = STR("no blanks");
	assert_err(SOUK_E_INVALID, db_write(w->db, create, &c));
	c.topic = STR("ready");
	IN_WRITE(w, drop, &c);
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, drop, &c));
	buf_done(&c.out);
}

/* ---- canonical strings ---- */

static void
assert_canonical(const char *json, const char *want)
{
	json_t *o;
	struct buf b = { 0 };

	assert_ok(json_read(str_c(json), &o, NULL));
	topic_canonical(o, &b);
	assert_string_equal(b.p, want);
	buf_done(&b);
	json_decref(o);
}

static void
test_canonical_strings(void **state)
{
	(void)state;
	assert_canonical("{\"Type\":\"Notification\",\"MessageId\":\"m\",\"TopicArn\":\"t\","
			 "\"Message\":\"hello\",\"Timestamp\":\"ts\",\"UnsubscribeURL\":\"u\","
			 "\"SigningCertURL\":\"c\",\"SignatureVersion\":\"2\"}",
	    "Message\nhello\nMessageId\nm\nTimestamp\nts\nTopicArn\nt\nType\nNotification\n");
	assert_canonical(
	    "{\"Type\":\"Notification\",\"MessageId\":\"m\",\"TopicArn\":\"t\","
	    "\"Subject\":\"s\\u00fc\",\"Message\":\"one\\ntwo\\n\",\"Timestamp\":\"ts\"}",
	    "Message\none\ntwo\n\nMessageId\nm\nSubject\ns\xc3\xbc\nTimestamp\nts\nTopicArn\nt\n"
	    "Type\nNotification\n");
	assert_canonical("{\"Type\":\"SubscriptionConfirmation\",\"MessageId\":\"m\","
			 "\"Token\":\"k\",\"TopicArn\":\"t\",\"Message\":\"q\","
			 "\"SubscribeURL\":\"https://x\",\"Timestamp\":\"ts\"}",
	    "Message\nq\nMessageId\nm\nSubscribeURL\nhttps://x\nTimestamp\nts\nToken\nk\n"
	    "TopicArn\nt\nType\nSubscriptionConfirmation\n");
}

/* ---- the handshake ---- */

static void
test_handshake(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	const struct hook_seen *s;
	char token[128];
	const char *link;
	json_t *o;

	c.text = str_c(hook_url(h));
	IN_WRITE(w, create, &c);
	IN_WRITE(w, add, &c);
	publish_text(w, t, "{\"early\":1}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 1); /* nothing but the confirmation before it is answered */
	s = hook_seen(h, 0);
	o = envelope(h, 0);
	assert_string_equal(hook_header(s, "x-amz-sns-message-type"), "SubscriptionConfirmation");
	assert_string_equal(hook_header(s, "x-amz-sns-message-id"), member(o, "MessageId"));
	assert_string_equal(hook_header(s, "x-amz-sns-topic-arn"), ARN);
	assert_null(hook_header(s, "x-amz-sns-subscription-arn"));
	assert_string_equal(hook_header(s, "Content-Type"), "text/plain; charset=UTF-8");
	assert_string_equal(
	    hook_header(s, "User-Agent"), "Amazon Simple Notification Service Agent");
	assert_string_equal(member(o, "Type"), "SubscriptionConfirmation");
	assert_string_equal(member(o, "SignatureVersion"), "2");
	assert_string_equal(member(o, "UnsubscribeURL"), "");
	assert_true(verifies(t, o));
	link = member(o, "SubscribeURL");
	assert_memory_equal(link, PUBLIC_URL "/sns?Action=ConfirmSubscription&TopicArn=", 59);
	assert_string_equal(of_link(link, "Token").p ? member(o, "Token") : "", member(o, "Token"));
	(void)snprintf(token, sizeof(token), "%s", member(o, "Token"));
	assert_int_equal(strlen(token), 64);
	assert_false(world_db_holds(w, token, 64)); /* the database gives none away */

	c.text = of_link(link, "TopicArn");
	assert_true(str_eq_c(c.text, ARN));
	c.token = str_c(token);
	token[5] ^= 1;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, confirm, &c));
	token[5] ^= 1;
	c.text = STR("arn:aws:sns:us-east-1:000000000202:ready");
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, confirm, &c));
	c.text = STR("arn:aws:sns:us-east-1:000000000101:other");
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, confirm, &c));
	c.token.n--;
	c.text = STR(ARN);
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, confirm, &c));
	c.token.n++;
	IN_WRITE(w, confirm, &c);
	assert_memory_equal(c.out.p, ARN ":", strlen(ARN) + 1);
	assert_int_equal(c.out.n, strlen(ARN) + 1 + GUID_TEXT_LEN);
	IN_WRITE(w, confirm, &c); /* following the link twice is the same as once */
	json_decref(o);

	publish_text(w, t, "{\"dataSetRequestId\":\"x\"}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 2);
	s = hook_seen(h, 1);
	o = envelope(h, 1);
	assert_string_equal(member(o, "Type"), "Notification");
	assert_string_equal(member(o, "Message"), "{\"dataSetRequestId\":\"x\"}");
	assert_string_equal(hook_header(s, "x-amz-sns-subscription-arn"), c.out.p);
	assert_null(json_object_get(o, "Subject"));
	assert_null(json_object_get(o, "Token"));
	assert_true(verifies(t, o));
	json_object_set_new(o, "Message", json_string("{\"dataSetRequestId\":\"y\"}"));
	assert_false(verifies(t, o));
	json_decref(o);
	buf_done(&c.out);
	hook_stop(h);
	topics_close(t);
}

static void
test_certificate(void **state)
{
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	char name[128], pem[4096], dn[128];
	gnutls_x509_crt_t crt;
	gnutls_datum_t d = { .data = (unsigned char *)pem };
	size_t n = sizeof(dn);
	unsigned bits;

	(void)snprintf(name, sizeof(name), "%s", topics_cert_name(t));
	(void)snprintf(pem, sizeof(pem), "%s", topics_cert_pem(t));
	topics_close(t);
	world_reopen(w);
	t = open_topics(w, true);
	assert_string_equal(topics_cert_name(t), name);
	assert_string_equal(topics_cert_pem(t), pem);
	topics_close(t);
	d.size = (unsigned)strlen(pem);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_get_dn(crt, dn, &n), 0);
	assert_string_equal(dn, "CN=sns.us-east-1.souk");
	assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, &bits), GNUTLS_PK_RSA);
	assert_int_equal(bits, 2048);
	assert_true(gnutls_x509_crt_check_issuer(crt, crt));
	gnutls_x509_crt_deinit(crt);
}

static enum souk_err
rewrap(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	int64_t changed;
	enum souk_err err = topics_rewrap(tx, c->w->vault, &changed);

	c->n = (size_t)changed;
	return err;
}

static void
test_rotation(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w, NULL);
	struct topics *t;

	IN_WRITE(w, rewrap, &c); /* before there is a key */
	assert_int_equal(c.n, 0);
	t = open_topics(w, true);
	topics_close(t);
	assert_ok(vault_ring_add(w->vault, NULL));
	IN_WRITE(w, rewrap, &c);
	assert_int_equal(c.n, 1);
	IN_WRITE(w, rewrap, &c);
	assert_int_equal(c.n, 0);
	assert_ok(vault_ring_retire(w->vault, NULL));
	world_reopen(w);
	t = open_topics(w, true);
	topics_close(t);
}

static void
test_old_token(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	json_t *o;

	c.text = str_c(hook_url(h));
	IN_WRITE(w, create, &c);
	IN_WRITE(w, add, &c);
	run_jobs(w, t);
	o = envelope(h, 0);
	world_sql(w, "UPDATE topic_endpoint SET token_until = token_until - 259201000");
	c.text = STR(ARN);
	c.token = str_c(member(o, "Token"));
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, confirm, &c));
	world_sql(w, "UPDATE topic_endpoint SET token_until = token_until + 60000");
	IN_WRITE(w, confirm, &c);
	json_decref(o);
	buf_done(&c.out);
	hook_stop(h);
	topics_close(t);
}

static void
test_unsubscribe_and_back(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	const char *link;
	json_t *o, *goodbye;

	have_endpoint(w, t, hook_url(h));
	publish_text(w, t, "{}");
	run_jobs(w, t);
	o = envelope(h, 0);
	link = member(o, "UnsubscribeURL");
	assert_memory_equal(link, PUBLIC_URL "/sns?Action=Unsubscribe&SubscriptionArn=", 58);
	c.text = of_link(link, "SubscriptionArn");
	c.token = STR("0000000000000000000000000000000000000000000000000000000000000000");
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, unsubscribe, &c));
	c.token = of_link(link, "Token");
	IN_WRITE(w, unsubscribe, &c);
	IN_WRITE(w, unsubscribe, &c);
	publish_text(w, t, "{}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 2); /* one goodbye, no notification */
	goodbye = envelope(h, 1);
	assert_string_equal(member(goodbye, "Type"), "UnsubscribeConfirmation");
	assert_true(verifies(t, goodbye));
	link = member(goodbye, "SubscribeURL");
	c.text = of_link(link, "TopicArn");
	c.token = of_link(link, "Token");
	IN_WRITE(w, confirm, &c);
	publish_text(w, t, "{}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 3);
	json_decref(o);
	json_decref(goodbye);
	buf_done(&c.out);
	hook_stop(h);
	topics_close(t);
}

static void
test_subscribing_again(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	struct guid first;
	json_t *o;

	c.text = str_c(hook_url(h));
	IN_WRITE(w, create, &c);
	IN_WRITE(w, add, &c);
	first = c.id;
	run_jobs(w, t);
	clock_sleep_ms(2);
	world_sql(w, "UPDATE job SET created_at = created_at - 60000");
	IN_WRITE(w, add, &c); /* still pending: asked once more, with a new token */
	assert_true(guid_eq(&first, &c.id));
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 2);
	o = envelope(h, 0);
	c.token = str_c(member(o, "Token"));
	c.text = STR(ARN);
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, confirm, &c));
	json_decref(o);
	o = envelope(h, 1);
	c.token = str_c(member(o, "Token"));
	IN_WRITE(w, confirm, &c);
	json_decref(o);
	c.text = str_c(hook_url(h));
	IN_WRITE(w, add, &c); /* confirmed: nothing to ask */
	assert_true(guid_eq(&first, &c.id));
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 2);
	buf_clear(&c.out);
	IN_READ(w, list_endpoints, &c);
	assert_non_null(strstr(c.out.p, "\"state\":\"confirmed\""));
	buf_done(&c.out);
	hook_stop(h);
	topics_close(t);
}

/* A topic is no way to make souk post to somebody again and again. */
static void
test_owner_is_not_asked_over_and_over(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	json_t *o;

	c.text = str_c(hook_url(h));
	IN_WRITE(w, create, &c);
	IN_WRITE(w, add, &c);
	world_sql(w, "UPDATE job SET created_at = created_at - 3600000");
	IN_WRITE(w, add, &c); /* old, but it waits still */
	assert_int_equal(world_int(w, "SELECT count(*) FROM job"), 1);
	run_jobs(w, t);
	world_sql(w, "UPDATE job SET created_at = created_at + 3600000 - 58000");
	IN_WRITE(w, add, &c); /* sent, but just now */
	assert_false(c.confirmed);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job"), 1);
	o = envelope(h, 0);
	c.text = STR(ARN);
	c.token = str_c(member(o, "Token"));
	IN_WRITE(w, confirm, &c); /* what was sent counts */
	json_decref(o);
	c.text = str_c(hook_url(h));
	world_sql(w, "UPDATE topic_endpoint SET state = 'pending', token_until = 1");
	IN_WRITE(w, add, &c); /* nobody could confirm with the old one */
	assert_int_equal(world_int(w, "SELECT count(*) FROM job"), 2);
	buf_done(&c.out);
	hook_stop(h);
	topics_close(t);
}

/* The seller sees why nobody was asked, and nothing that the endpoint would not want told. */
static void
test_unanswered_endpoint_says_why(void **state)
{
	static const int script[] = { 404 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	json_t *o, *asked, *job;
	char url[128];

	(void)snprintf(url, sizeof(url), "%s?key=secretword", hook_url(h));
	c.text = str_c(url);
	IN_WRITE(w, create, &c);
	IN_WRITE(w, add, &c);
	run_jobs(w, t);
	asked = envelope(h, 0);
	IN_READ(w, show_endpoint, &c);
	assert_null(strstr(c.out.p, member(asked, "Token")));
	assert_ok(json_read(buf_str(&c.out), &o, NULL));
	assert_string_equal(member(o, "state"), "pending");
	assert_int_equal(json_array_size(json_object_get(o, "jobs")), 1);
	job = json_array_get(json_object_get(o, "jobs"), 0);
	assert_string_equal(member(job, "jobId"), member(asked, "MessageId"));
	assert_string_equal(member(job, "kind"), "confirm");
	assert_string_equal(member(job, "state"), "failed");
	assert_int_equal(json_integer_value(json_object_get(job, "attempts")), 1);
	assert_non_null(strstr(member(job, "reason"), "HTTP status 404"));
	assert_null(strstr(member(job, "reason"), "secretword"));
	assert_non_null(json_object_get(job, "createdAt"));
	assert_non_null(json_object_get(job, "finishedAt"));
	IN_READ(w, list_endpoints, &c);
	assert_null(strstr(c.out.p, "jobs")); /* of one endpoint only */
	c.scope = &w->other;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, show_endpoint, &c));
	json_decref(asked);
	json_decref(o);
	buf_done(&c.out);
	hook_stop(h);
	topics_close(t);
}

static void
test_limits(void **state)
{
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct call c = call_of(w, t);
	char url[64];
	char *body = malloc(262145);

	IN_WRITE(w, create, &c);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(url, sizeof(url), "https://hooks.example.com/%d", i);
		c.text = str_c(url);
		IN_WRITE(w, add, &c);
	}
	c.text = STR("https://hooks.example.com/one-more");
	assert_err(SOUK_E_LIMIT, db_write(w->db, add, &c));
	assert_string_equal(c.f.code, "endpoint_limit");
	/* who never answered makes room, whoever did stays */
	world_sql(w, "UPDATE topic_endpoint SET state = 'confirmed' WHERE url LIKE '%/7'");
	world_sql(w, "UPDATE topic_endpoint SET token_until = 1");
	IN_WRITE(w, add, &c);
	assert_int_equal(world_int(w, "SELECT count(*) FROM topic_endpoint"), 2);
	memset(body, 'x', 262145);
	c.text = (struct str){ body, 262144 };
	IN_WRITE(w, publish, &c);
	c.text.n++;
	assert_err(SOUK_E_LIMIT, db_write(w->db, publish, &c));
	c.text = STR("");
	assert_err(SOUK_E_INVALID, db_write(w->db, publish, &c));
	c.text = STR("\xff");
	assert_err(SOUK_E_INVALID, db_write(w->db, publish, &c));
	c.text = STR("{}");
	c.topic = STR("other");
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, publish, &c));
	free(body);
	topics_close(t);
}

/* ---- deliveries ---- */

static void
test_retry_keeps_the_message_id(void **state)
{
	static const int script[] = { 500, 429, HOOK_CLOSE, 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, COUNT(script));
	json_t *first;

	have_endpoint(w, t, hook_url(h));
	publish_text(w, t, "{\"a\":\"line\\nbreak\"}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 4);
	first = envelope(h, 0);
	for (size_t i = 1; i < 4; i++) {
		json_t *o = envelope(h, i);

		assert_string_equal(member(o, "MessageId"), member(first, "MessageId"));
		assert_string_equal(member(o, "Timestamp"), member(first, "Timestamp"));
		json_decref(o);
	}
	assert_int_equal(world_int(w, "SELECT state FROM job"), JOB_S_DONE);
	json_decref(first);
	hook_stop(h);
	topics_close(t);
}

static void
test_refusal_is_final(void **state)
{
	static const int script[] = { 404 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);

	have_endpoint(w, t, hook_url(h));
	publish_text(w, t, "{}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 1);
	assert_int_equal(world_int(w, "SELECT state FROM job"), JOB_S_DEAD);
	assert_int_equal(world_int(w, "SELECT attempts FROM job"), 1);
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM job WHERE reason LIKE '%HTTP status 404%'"), 1);
	hook_stop(h);
	topics_close(t);
}

static void
test_given_up_after_the_last_attempt(void **state)
{
	static const int script[] = { 503 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	char url[128];

	(void)snprintf(url, sizeof(url), "%s?key=secretword", hook_url(h));
	have_endpoint(w, t, url);
	publish_text(w, t, "{}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 4);
	assert_int_equal(world_int(w, "SELECT state FROM job"), JOB_S_DEAD);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE reason LIKE '%503%'"), 1);
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM job WHERE reason LIKE '%secretword%'"), 0);
	hook_stop(h);
	topics_close(t);
}

static void
test_private_endpoints(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);

	have_endpoint(w, t, hook_url(h));
	topics_close(t);
	t = open_topics(w, false); /* the operator thought better of it */
	c.t = t;
	c.text = str_c(hook_url(h));
	assert_err(SOUK_E_INVALID, db_write(w->db, add, &c));
	assert_string_equal(c.f.entry[0].field, "url");
	publish_text(w, t, "{}");
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 0);
	assert_int_equal(world_int(w, "SELECT state FROM job"), JOB_S_DEAD);
	hook_stop(h);
	topics_close(t);
}

static void
test_nobody_left(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);

	c.text = str_c(hook_url(h));
	have_endpoint(w, t, hook_url(h));
	IN_WRITE(w, add, &c);
	publish_text(w, t, "{}");
	c.scope = &w->other;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, take_away, &c));
	c.scope = &w->seller;
	IN_WRITE(w, take_away, &c);
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, take_away, &c));
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 0);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE reason LIKE '%removed%'"), 1);
	IN_WRITE(w, drop, &c);
	hook_stop(h);
	topics_close(t);
}

static void
test_republish(void **state)
{
	static const int script[] = { 200 };
	struct world *w = *state;
	struct topics *t = open_topics(w, true);
	struct hook *h = hook_start(script, 1);
	struct call c = call_of(w, t);
	json_t *a, *b;

	have_endpoint(w, t, hook_url(h));
	c.text = STR("{\"success\":false}");
	IN_WRITE(w, publish, &c);
	c.text = STR("{\"success\":true}");
	IN_WRITE(w, publish, &c);
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 2);
	clock_sleep_ms(2);
	IN_WRITE(w, republish, &c);
	assert_int_equal(c.n, 1);
	run_jobs(w, t);
	assert_int_equal(hook_count(h), 3);
	a = envelope(h, strstr(hook_seen(h, 0)->body, "true") ? 0 : 1);
	b = envelope(h, 2);
	assert_string_equal(member(b, "Message"), "{\"success\":true}");
	assert_string_equal(member(a, "MessageId"), member(b, "MessageId"));
	/* receivers refuse what is older than an hour: a re-send says when it was sent */
	assert_true(strcmp(member(a, "Timestamp"), member(b, "Timestamp")) < 0);
	c.text = STR("{\"other\":true}");
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, republish, &c));
	json_decref(a);
	json_decref(b);
	hook_stop(h);
	topics_close(t);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arns),
		cmocka_unit_test(test_canonical_strings),
		WORLD_TEST(test_topics_of_one_seller),
		WORLD_TEST(test_handshake),
		WORLD_TEST(test_certificate),
		WORLD_TEST(test_rotation),
		WORLD_TEST(test_old_token),
		WORLD_TEST(test_unsubscribe_and_back),
		WORLD_TEST(test_subscribing_again),
		WORLD_TEST(test_owner_is_not_asked_over_and_over),
		WORLD_TEST(test_unanswered_endpoint_says_why),
		WORLD_TEST(test_limits),
		WORLD_TEST(test_retry_keeps_the_message_id),
		WORLD_TEST(test_refusal_is_final),
		WORLD_TEST(test_given_up_after_the_last_attempt),
		WORLD_TEST(test_private_endpoints),
		WORLD_TEST(test_nobody_left),
		WORLD_TEST(test_republish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
