/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs that post to endpoints: "notify" and "confirm".
 *
 * At least once: the job is finished after the endpoint has answered, so a crash between
 * sends the message again, with the same MessageId.
 */
#include "delivery/topic_int.h"

#include "base/metrics.h"

#include <stdlib.h>

#define AGENT "Amazon Simple Notification Service Agent"

/* A job's business, read in one snapshot. */
struct errand {
	struct str seller_id;
	struct guid endpoint_id, message_id;
	enum sns_type type;
	struct endpoint to;
	struct buf body;
	const char *gone; /* why there is nothing to send any more */
};

static enum souk_err
load_errand(struct db_tx *tx, void *arg)
{
	struct errand *e = arg;
	enum souk_err err;

	e->gone = NULL;
	buf_clear(&e->body);
	err = endpoint_row_load(tx, e->seller_id, &e->endpoint_id, &e->to);
	if (err == SOUK_E_NOT_FOUND) {
		e->gone = "the endpoint was removed";
		return SOUK_OK;
	}
	if (err != SOUK_OK || e->type != SNS_NOTIFICATION)
		return err;
	err = message_row_body(tx, e->seller_id, &e->message_id, &e->body);
	if (err == SOUK_E_NOT_FOUND) {
		e->gone = "the message is not kept any more";
		err = SOUK_OK;
	}
	return err;
}

static void
check_state(struct errand *e)
{
	static const enum endpoint_state wanted[] = {
		[SNS_NOTIFICATION] = ENDPOINT_CONFIRMED,
		[SNS_SUBSCRIBE] = ENDPOINT_PENDING,
		[SNS_UNSUBSCRIBE] = ENDPOINT_UNSUBSCRIBED,
	};

	if (!e->gone && e->to.state != wanted[e->type])
		e->gone = "the endpoint is not subscribed any more";
}

static enum souk_err
finish(struct db_tx *tx, void *arg)
{
	return job_finish(tx, arg);
}

static enum job_outcome
end_job(struct db *db, const struct job *j, struct fail *f)
{
	struct job copy = *j;
	enum souk_err err;

	if ((err = db_write(db, finish, &copy)) == SOUK_OK)
		return JOB_DONE;
	(void)fail_set(f, err, "not_recorded", "sent, but it could not be recorded");
	return JOB_RETRY;
}

enum job_outcome
topic_settle(struct db *db, const struct job *j, const struct post_answer *a, struct fail *f)
{
	switch (a->outcome) {
	case POST_LATER:
		(void)fail_set(f, SOUK_E_UNAVAILABLE, "delivery_failed", "%s", a->reason);
		metric_add(MET_NOTIFICATIONS, OUT_RETRY, 1);
		return JOB_RETRY;
	case POST_NEVER:
		(void)fail_set(f, SOUK_E_UNAVAILABLE, "delivery_refused", "%s", a->reason);
		metric_add(MET_NOTIFICATIONS, OUT_DEAD, 1);
		return JOB_DEAD;
	case POST_DONE:
		break;
	}
	metric_add(MET_NOTIFICATIONS, OUT_DONE, 1);
	return end_job(db, j, f);
}

/* "Name: value" of a JSON text member; NULL when out of memory. */
static char *
header_of(const char *name, const json_t *envelope, const char *member, const char *more)
{
	struct buf b = { 0 };

	buf_printf(
	    &b, "%s: %s%s", name, json_string_value(json_object_get(envelope, member)), more);
	if (buf_ok(&b))
		return b.p;
	buf_done(&b);
	return NULL;
}

static void
post_envelope(
    struct topics *t, const struct errand *e, const json_t *envelope, struct post_answer *ret)
{
	char id[GUID_TEXT_LEN + 2] = ":";
	char *body = json_dumps(envelope, JSON_COMPACT);
	char *type = header_of("x-amz-sns-message-type", envelope, "Type", "");
	char *message = header_of("x-amz-sns-message-id", envelope, "MessageId", "");
	char *topic = header_of("x-amz-sns-topic-arn", envelope, "TopicArn", "");
	char *subscription;
	const char *headers[6] = { "Content-Type: text/plain; charset=UTF-8", type, message,
		topic };

	guid_format(&e->to.id, id + 1);
	subscription = header_of("x-amz-sns-subscription-arn", envelope, "TopicArn", id);
	if (e->type == SNS_NOTIFICATION)
		headers[4] = subscription; /* absent in confirmations (4.1) */
	if (body && type && message && topic && subscription)
		poster_send(t->poster,
		    &(struct post){ .url = e->to.url,
			.headers = headers,
			.user_agent = AGENT,
			.body = str_c(body) },
		    ret);
	else
		*ret = (struct post_answer){ .outcome = POST_LATER, .reason = "out of memory" };
	free(body);
	free(type);
	free(message);
	free(topic);
	free(subscription);
}

static enum job_outcome
run_errand(struct topics *t, struct db *db, const struct job *j, struct errand *e, struct fail *f)
{
	struct sns_message m = { .type = e->type,
		.id = e->message_id,
		.seller_id = e->seller_id,
		.to = &e->to,
		.at = j->created_at };
	struct post_answer a;
	json_t *envelope;
	enum souk_err err;

	if ((err = db_read(db, load_errand, e)) != SOUK_OK) {
		(void)fail_set(f, err, "not_loaded", "the message could not be read");
		return JOB_RETRY;
	}
	check_state(e);
	if (e->gone && e->type != SNS_NOTIFICATION)
		return end_job(db, j, f); /* answered or removed: nobody waits for it */
	if (e->gone) {
		(void)fail_set(f, SOUK_E_NOT_FOUND, "nothing_to_send", "%s", e->gone);
		return JOB_DEAD;
	}
	/* The setting may have changed since the URL was accepted. */
	if (post_url_check(str_c(e->to.url), t->allow_private, NULL) != SOUK_OK) {
		(void)fail_set(f, SOUK_E_DENIED, "url_refused", "the URL is not allowed any more");
		return JOB_DEAD;
	}
	m.body = buf_str(&e->body);
	if ((err = sns_envelope(t, &m, &envelope)) != SOUK_OK) {
		(void)fail_set(f, err, "not_signed", "the message could not be signed");
		return JOB_RETRY;
	}
	post_envelope(t, e, envelope, &a);
	json_decref(envelope);
	return topic_settle(db, j, &a, f);
}

static bool
member_guid(const struct json_member *m, struct guid *ret)
{
	return guid_parse(json_member_str(m), ret);
}

enum { M_ENDPOINT, M_MESSAGE, M_TYPE, M__COUNT };

static bool
read_payload(const struct job *j, struct errand *e)
{
	struct json_member m[M__COUNT] = {
		[M_ENDPOINT] = { .name = "endpoint", .kind = JSON_K_STR, .required = true },
		[M_MESSAGE] = { .name = "message", .kind = JSON_K_STR },
		[M_TYPE] = { .name = "type", .kind = JSON_K_STR },
	};
	json_t *o = NULL;
	bool ok = json_read(j->payload, &o, NULL) == SOUK_OK &&
		  json_take(o, m, M__COUNT, NULL) == SOUK_OK &&
		  member_guid(&m[M_ENDPOINT], &e->endpoint_id);

	if (ok && m[M_MESSAGE].got) {
		e->type = SNS_NOTIFICATION;
		ok = member_guid(&m[M_MESSAGE], &e->message_id);
	} else if (ok) {
		e->type = str_eq_c(json_member_str(&m[M_TYPE]), sns_type_word(SNS_UNSUBSCRIBE))
			      ? SNS_UNSUBSCRIBE
			      : SNS_SUBSCRIBE;
		e->message_id = j->id; /* the same on every retry */
	}
	json_decref(o);
	return ok;
}

static enum job_outcome
run(struct topics *t, struct db *db, const struct job *j, struct fail *f)
{
	struct errand e = { .seller_id = str_c(j->seller_id) };
	enum job_outcome outcome;

	if (!read_payload(j, &e)) {
		(void)fail_set(f, SOUK_E_INTERNAL, "bad_payload", "the job says nothing to send");
		return JOB_DEAD;
	}
	outcome = run_errand(t, db, j, &e, f);
	buf_done(&e.body);
	return outcome;
}

enum job_outcome
topic_job_notify(void *topics, struct db *db, const struct job *j, struct fail *f)
{
	return run(topics, db, j, f);
}

enum job_outcome
topic_job_confirm(void *topics, struct db *db, const struct job *j, struct fail *f)
{
	return run(topics, db, j, f);
}
