/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the request's topic, souk's own or an SNS service's. */
#include "delivery/announce.h"

#include "delivery/remote.h"
#include "delivery/role.h"
#include "delivery/topic_int.h"

#include <stdio.h>

/* SOUK_E_NOT_FOUND: souk's own topics serve. */
static enum souk_err
check_remote(struct db_tx *tx, const struct data_set_request *r, struct fail *f)
{
	struct str seller, role;

	if (!role_arn_parse(r->role_arn, &seller, &role) || !str_eq_c(seller, r->seller_id))
		return SOUK_E_NOT_FOUND;
	return remote_check(tx, seller, role, REMOTE_SNS, r->topic_arn, f);
}

bool
announce_leaves(struct db_tx *tx, struct str seller_id, struct str role_arn)
{
	struct str owner, role;
	enum souk_err err;

	if (!role_arn_parse(role_arn, &owner, &role) || !str_eq(owner, seller_id))
		return false;
	err = remote_check(tx, seller_id, role, REMOTE_SNS, STR(""), NULL);
	return err == SOUK_OK || err == SOUK_E_DENIED;
}

static enum souk_err
check_own(struct db_tx *tx, const struct data_set_request *r, struct fail *f)
{
	struct topic_arn arn;
	enum souk_err err = SOUK_E_NOT_FOUND;

	if (topic_arn_parse(r->topic_arn, &arn) && str_eq_c(arn.seller_id, r->seller_id))
		err = topic_exists(tx, arn.seller_id, arn.name);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(f, err, "no_such_topic",
		    "The topic does not exist, or belongs to another account.");
	return err;
}

enum souk_err
announce_check(struct db_tx *tx, const struct data_set_request *r, struct fail *f)
{
	enum souk_err err = check_remote(tx, r, f);

	if (err == SOUK_E_NOT_FOUND)
		err = check_own(tx, r, f);
	else if (err == SOUK_OK && !sns_arn_valid(r->topic_arn))
		err = fail_set(f, SOUK_E_NOT_FOUND, "no_such_topic",
		    "snsTopicArn is not the ARN of an SNS topic.");
	if (err != SOUK_OK)
		return err;
	return role_may(tx, str_c(r->seller_id), r->role_arn, "sns:Publish", r->topic_arn, f);
}

static enum souk_err
put_publish(struct db_tx *tx, const struct data_set_request *r, const struct guid *message)
{
	char id[GUID_TEXT_LEN + 1], payload[64];
	struct job_new j = {
		.kind = "publish", .seller_id = str_c(r->seller_id), .request_id = &r->id
	};
	struct guid job;

	guid_format(message, id);
	(void)snprintf(payload, sizeof(payload), "{\"message\":\"%s\"}", id);
	j.payload = str_c(payload);
	return job_put(tx, &j, &job);
}

static enum souk_err
announce_remote(struct db_tx *tx, const struct data_set_request *r, struct str body)
{
	struct guid id = guid_new();
	enum souk_err err;

	if (body.n > MESSAGE_MAX)
		return SOUK_E_LIMIT;
	err = message_row_insert(tx, str_c(r->seller_id), &id, r->topic_arn, &r->id, body);
	return err == SOUK_OK ? put_publish(tx, r, &id) : err;
}

enum souk_err
announce(struct db_tx *tx, const struct data_set_request *r, bool success, struct str reason)
{
	struct topic_arn arn;
	struct buf body = { 0 };
	struct guid id;
	enum souk_err err = check_remote(tx, r, NULL);

	request_message(r, success, reason, &body);
	if (!buf_ok(&body))
		err = SOUK_E_NOMEM;
	else if (err == SOUK_OK)
		err = announce_remote(tx, r, buf_str(&body));
	else if (err == SOUK_E_NOT_FOUND)
		err = topic_arn_parse(r->topic_arn, &arn)
			  ? topic_publish(tx, arn.seller_id, arn.name, &r->id, buf_str(&body), &id)
			  : SOUK_E_INTERNAL;
	buf_done(&body);
	return err;
}

static enum souk_err
again(struct db_tx *tx, const struct data_set_request *r, struct str body, size_t *ret_jobs)
{
	struct message_ref m;
	enum souk_err err = check_remote(tx, r, NULL);

	if (err == SOUK_E_NOT_FOUND)
		return topic_republish(tx, str_c(r->seller_id), &r->id, body, ret_jobs);
	if (err != SOUK_OK ||
	    (err = message_row_of(tx, str_c(r->seller_id), &r->id, body, &m)) != SOUK_OK)
		return err;
	*ret_jobs = 1;
	return put_publish(tx, r, &m.id);
}

enum souk_err
announce_again(struct db_tx *tx, const struct data_set_request *r, size_t *ret_jobs)
{
	struct buf body = { 0 };
	enum souk_err err = SOUK_E_NOMEM;

	request_message(r, true, STR(""), &body);
	if (buf_ok(&body))
		err = again(tx, r, buf_str(&body), ret_jobs);
	buf_done(&body);
	if (err != SOUK_E_NOT_FOUND)
		return err;
	*ret_jobs = 1; /* it could not be published then */
	return announce(tx, r, true, STR(""));
}
