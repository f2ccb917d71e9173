/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request for a data set up to its acceptance: the members' rules that all programs share
 * (specs/psc.md 3.2, 3.3, edsp 2), and its job.
 *
 * What is wrong with role, bucket, topic or enrolment is not said here but in the
 * notification (psc 3.5): it may be mended, or broken, before the job runs.
 */
#include "delivery/request_start.h"

#include "base/utf8.h"
#include "delivery/remote.h"
#include "delivery/role.h"

#include <stdio.h>

#define ARN_MAX 2048
#define BUCKET_MAX 255
#define CUSTOMER_VALUES_MAX 5
#define CUSTOMER_TEXT_MAX 255

/* All that is wrong, in the sentences AWS services use. */
struct problems {
	char text[200]; /* as many as fit into fail.detail; all are counted */
	size_t n;
	struct fail *f;
};

static void
problem(struct problems *p, const char *member, const char *value, const char *constraint)
{
	size_t used = strlen(p->text);
	char one[200];
	int n = snprintf(one, sizeof(one), "%sValue %sat '%s' failed to satisfy constraint: %s",
	    p->n > 0 ? "; " : "", value, member, constraint);

	if (n > 0 && used + (size_t)n < sizeof(p->text))
		memcpy(p->text + used, one, (size_t)n + 1);
	p->n++;
	(void)fail_field(p->f, member, "failed a constraint of the API", constraint);
}

/* A required (or present) text member of at most `max` code points. */
static void
check_text(struct problems *p, const char *member, struct str s, bool required, size_t max)
{
	char limit[80];

	if (!s.p) {
		if (required)
			problem(p, member, "null ", "Member must not be null");
	} else if (!utf8_valid(s) || utf8_has_control(s)) {
		problem(p, member, "", "Member must be text without control characters");
	} else if (required && s.n == 0) {
		problem(p, member, "'' ", "Member must have length greater than or equal to 1");
	} else if (utf8_length(s) > max) {
		(void)snprintf(
		    limit, sizeof(limit), "Member must have length less than or equal to %zu", max);
		problem(p, member, "", limit);
	}
}

static void
check_type(struct problems *p, const struct request_rules *rules, struct str type)
{
	if (!type.p)
		problem(p, "dataSetType", "null ", "Member must not be null");
	else if (!rules->known(type))
		problem(p, "dataSetType", "", rules->types);
}

static void
check_at(struct problems *p, const struct request_rules *rules, const struct request_params *x,
    instant_t *ret)
{
	if (x->at_number.n > 0 ? instant_parse_epoch(x->at_number, ret)
			       : x->at_text.n > 0 && instant_parse(x->at_text, ret))
		return;
	if (x->at_number.n == 0 && x->at_text.n == 0)
		problem(p, rules->instant, "null ", "Member must not be null");
	else
		problem(p, rules->instant, "",
		    "Member must be a timestamp: epoch seconds, or RFC 3339 such as "
		    "2026-01-31T00:00:00Z");
}

static bool
customer_text(struct str s)
{
	size_t n = utf8_valid(s) ? utf8_length(s) : 0;

	return n >= 1 && n <= CUSTOMER_TEXT_MAX;
}

static void
check_customer_values(struct problems *p, const json_t *values)
{
	static const char member[] = "customerDefinedValues";
	const char *key;
	json_t *v;
	bool fine = true;
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = values };

	if (!values)
		return;
	if (!json_is_object(values)) {
		problem(p, member, "", "Member must be a map of strings");
		return;
	}
	if (json_object_size(values) < 1 || json_object_size(values) > CUSTOMER_VALUES_MAX)
		problem(p, member, "", "Member must have between 1 and 5 entries");
	json_object_foreach(all.out, key, v)
	{
		fine = fine && customer_text(str_c(key)) && json_is_string(v) &&
		       customer_text((struct str){ json_string_value(v), json_string_length(v) });
	}
	if (!fine)
		problem(p, member, "",
		    "Map keys and values must be strings with length between 1 and 255");
}

static enum souk_err
check_params(const struct request_rules *rules, const struct request_params *x, instant_t *ret_at,
    struct fail *f)
{
	struct problems p = { .f = f };

	check_type(&p, rules, x->data_set_type);
	check_at(&p, rules, x, ret_at);
	check_text(&p, "roleNameArn", x->role_arn, true, ARN_MAX);
	check_text(&p, "destinationS3BucketName", x->bucket, true, BUCKET_MAX);
	if (x->has_prefix)
		check_text(&p, "destinationS3Prefix", x->prefix, false, REQUEST_PREFIX_MAX);
	if (x->has_prefix && x->prefix.n > REQUEST_PREFIX_MAX && utf8_valid(x->prefix) &&
	    utf8_length(x->prefix) <= REQUEST_PREFIX_MAX)
		problem(&p, "destinationS3Prefix", "", "Member must be at most 900 bytes long");
	check_text(&p, "snsTopicArn", x->topic_arn, true, ARN_MAX);
	check_customer_values(&p, x->customer_values);
	if (p.n == 0)
		return SOUK_OK;
	return fail_set(f, SOUK_E_INVALID, "ValidationException",
	    "%zu validation error%s detected: %s", p.n, p.n == 1 ? "" : "s", p.text);
}

enum souk_err
request_params_check(const struct tenant_scope *s, const struct request_rules *rules,
    const struct request_params *p, instant_t *ret_at, struct fail *f)
{
	if (!tenant_is_seller(s) || tenant_account(s).n != ACCOUNT_ID_LEN)
		return fail_set(f, SOUK_E_DENIED, "AccessDeniedException",
		    "Only seller accounts may request data sets.");
	return check_params(rules, p, ret_at, f);
}

/* Those that wait for others get fewer workers. What the role says when the job runs decides where it goes. */
static const char *
kind_of(struct db_tx *tx, const struct data_set_request *r, const struct request_kinds *kinds)
{
	struct str seller, role;

	if (role_arn_parse(r->role_arn, &seller, &role) && str_eq_c(seller, r->seller_id) &&
	    remote_check(tx, seller, role, REMOTE_S3, r->bucket, NULL) == SOUK_OK)
		return kinds->away;
	return kinds->here;
}

/* Keeps the request with its customer values as text. */
static enum souk_err
accept(struct db_tx *tx, struct data_set_request *r, const json_t *values,
    const struct request_kinds *kinds)
{
	struct buf text = { 0 };
	struct jw w;
	enum souk_err err = SOUK_E_NOMEM;

	jw_init(&w, &text);
	if (values)
		jw_value(&w, NULL, values);
	else
		buf_add_c(&text, "{}");
	r->customer_values = buf_str(&text);
	if (buf_ok(&text))
		err = request_accept(tx, r, kind_of(tx, r, kinds));
	r->customer_values = STR("");
	buf_done(&text);
	return err;
}

void
request_from_params(
    const struct tenant_scope *s, const struct request_params *p, struct data_set_request *ret)
{
	memcpy(ret->seller_id, tenant_account(s).p, ACCOUNT_ID_LEN);
	ret->data_set_type = p->data_set_type;
	ret->role_arn = p->role_arn;
	ret->bucket = p->bucket;
	ret->topic_arn = p->topic_arn;
	ret->prefix = p->has_prefix ? p->prefix : (struct str){ NULL, 0 };
	ret->requested_by = tenant_actor(s);
}

enum souk_err
request_start(struct db_tx *tx, struct data_set_request *r, const json_t *customer_values,
    const struct request_kinds *kinds, struct fail *f)
{
	enum souk_err err = accept(tx, r, customer_values, kinds);

	if (err == SOUK_E_LIMIT)
		return fail_set(f, err, "ThrottlingException",
		    "Rate exceeded: %d data sets of yours are being made already.",
		    REQUESTS_WAITING_MAX);
	return err;
}
