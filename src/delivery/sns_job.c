/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing a kept message on a topic of an SNS service. */
#include "delivery/sns_job.h"

#include "base/metrics.h"
#include "delivery/announce.h"
#include "delivery/role.h"
#include "delivery/sns_publish.h"
#include "delivery/topic_int.h"

#include <stdlib.h>

#define ARENA_MAX ((size_t)256 * 1024)

struct sns_sender {
	struct vault *vault;
	struct remote_rules rules; /* borrowed from the settings */
	struct poster *poster;
};

enum souk_err
sns_sender_new(struct vault *v, const struct config *c, struct sns_sender **ret, struct fail *f)
{
	struct sns_sender *s = calloc(1, sizeof(*s));
	struct post_rules rules = {
		.allow_private = config_bool(c, SET_DELIVERY_PRIVATE_ADDRESSES),
		.ca_file = config_text(c, SET_DELIVERY_CA_FILE),
		.timeout_ms = POST_TIMEOUT_MS,
	};

	if (!s || poster_new(&rules, &s->poster) != SOUK_OK) {
		free(s);
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for SNS topics");
	}
	s->vault = v;
	s->rules = remote_rules_of(c);
	*ret = s;
	return SOUK_OK;
}

void
sns_sender_free(struct sns_sender *s)
{
	if (!s)
		return;
	poster_free(s->poster);
	free(s);
}

/* A job's business, read in one snapshot. */
struct errand {
	const struct sns_sender *sender;
	const struct job *job;
	struct guid message_id;
	struct arena *mem;
	struct fail *fail;
	struct data_set_request r;
	struct remote remote;
	struct buf body;
};

static enum souk_err
load_errand(struct db_tx *tx, void *arg)
{
	struct errand *e = arg;
	struct str seller = str_c(e->job->seller_id), owner, role;
	enum souk_err err;

	buf_clear(&e->body);
	remote_done(&e->remote);
	if ((err = request_load(tx, seller, &e->job->request_id, e->mem, &e->r)) != SOUK_OK ||
	    (err = message_row_body(tx, seller, &e->message_id, &e->body)) != SOUK_OK)
		return err == SOUK_E_NOT_FOUND ? fail_set(e->fail, err, "nothing_to_send",
						     "the message is not kept any more")
					       : err;
	if ((err = announce_check(tx, &e->r, e->fail)) != SOUK_OK)
		return err;
	if (!role_arn_parse(e->r.role_arn, &owner, &role))
		return SOUK_E_INTERNAL; /* announce_check has parsed it */
	err = remote_load(tx, e->sender->vault, &e->sender->rules, seller, role, REMOTE_SNS,
	    e->r.topic_arn, &e->remote, e->fail);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(e->fail, err, "nothing_to_send",
		    "the delivery role has no SNS service any more");
	return err;
}

static bool
read_payload(const struct job *j, struct guid *ret)
{
	struct json_member m = { .name = "message", .kind = JSON_K_STR, .required = true };
	json_t *o = NULL;
	bool ok = json_read(j->payload, &o, NULL) == SOUK_OK &&
		  json_take(o, &m, 1, NULL) == SOUK_OK && guid_parse(json_member_str(&m), ret);

	json_decref(o);
	return ok;
}

static enum job_outcome
run(struct errand *e, struct db *db, struct fail *f)
{
	struct post_answer a = { 0 };
	enum souk_err err = db_read(db, load_errand, e);

	if (err == SOUK_E_NOT_FOUND || err == SOUK_E_DENIED) {
		metric_add(MET_NOTIFICATIONS, OUT_DEAD, 1);
		return JOB_DEAD;
	}
	if (err != SOUK_OK) {
		(void)fail_set(f, err, "not_loaded", "the message could not be read");
		return JOB_RETRY;
	}
	sns_publish(e->sender->poster, &e->remote, e->r.topic_arn, buf_str(&e->body),
	    &e->message_id, clock_now(), &a);
	return topic_settle(db, e->job, &a, f);
}

enum job_outcome
sns_job_publish(void *sender, struct db *db, const struct job *j, struct fail *f)
{
	struct errand e = { .sender = sender, .job = j, .fail = f };
	enum job_outcome outcome;

	if (!read_payload(j, &e.message_id)) {
		(void)fail_set(f, SOUK_E_INTERNAL, "bad_payload", "the job says nothing to send");
		return JOB_DEAD;
	}
	if (!(e.mem = arena_new(ARENA_MAX))) {
		(void)fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the message");
		return JOB_RETRY;
	}
	outcome = run(&e, db, f);
	remote_done(&e.remote);
	buf_done(&e.body);
	arena_free(e.mem);
	return outcome;
}
