/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StartSupportDataExport up to its answer: the members' rules (specs/psc.md 3.2, 3.3),
 * the window (4), the request and its job.
 *
 * What is wrong with role, bucket, topic or enrolment is not said here but in the
 * notification (3.5): it may be mended, or broken, before the job runs.
 */
#include "psc/export.h"

#include "base/utf8.h"
#include "delivery/remote.h"
#include "delivery/role.h"
#include "psc/contact_store.h"
#include "psc/export_names.h"
#include "psc/export_store.h"

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
check_type(struct problems *p, struct str type)
{
	if (!type.p)
		problem(p, "dataSetType", "null ", "Member must not be null");
	else if (!export_type_known(type))
		problem(p, "dataSetType", "",
		    "Member must satisfy enum value set: "
		    "[customer_support_contacts_data, test_customer_support_contacts_data]");
}

static void
check_from(struct problems *p, const struct psc_export_params *x, instant_t *ret)
{
	if (x->from_number.n > 0 ? instant_parse_epoch(x->from_number, ret)
				 : x->from_text.n > 0 && instant_parse(x->from_text, ret))
		return;
	if (x->from_number.n == 0 && x->from_text.n == 0)
		problem(p, "fromDate", "null ", "Member must not be null");
	else
		problem(p, "fromDate", "",
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
check_params(const struct psc_export_params *x, instant_t *ret_from, struct fail *f)
{
	struct problems p = { .f = f };

	check_type(&p, x->data_set_type);
	check_from(&p, x, ret_from);
	check_text(&p, "roleNameArn", x->role_arn, true, ARN_MAX);
	check_text(&p, "destinationS3BucketName", x->bucket, true, BUCKET_MAX);
	if (x->has_prefix)
		check_text(&p, "destinationS3Prefix", x->prefix, false, EXPORT_PREFIX_MAX);
	if (x->has_prefix && x->prefix.n > EXPORT_PREFIX_MAX && utf8_valid(x->prefix) &&
	    utf8_length(x->prefix) <= EXPORT_PREFIX_MAX)
		problem(&p, "destinationS3Prefix", "", "Member must be at most 900 bytes long");
	check_text(&p, "snsTopicArn", x->topic_arn, true, ARN_MAX);
	check_customer_values(&p, x->customer_values);
	if (p.n == 0)
		return SOUK_OK;
	return fail_set(f, SOUK_E_INVALID, "ValidationException",
	    "%zu validation error%s detected: %s", p.n, p.n == 1 ? "" : "s", p.text);
}

static enum souk_err
check(const struct tenant_scope *s, const struct psc_export_params *p, instant_t *ret_from,
    struct fail *f)
{
	if (!tenant_is_seller(s) || tenant_account(s).n != ACCOUNT_ID_LEN)
		return fail_set(f, SOUK_E_DENIED, "AccessDeniedException",
		    "Only seller accounts may request data sets.");
	return check_params(p, ret_from, f);
}

enum souk_err
psc_export_check(const struct tenant_scope *s, const struct psc_export_params *p, struct fail *f)
{
	instant_t from;

	return check(s, p, &from, f);
}

/* Those that wait for others get fewer workers. What the role says when the job runs decides where it goes. */
static const char *
kind_of(struct db_tx *tx, const struct data_set_request *r)
{
	struct str seller, role;

	if (role_arn_parse(r->role_arn, &seller, &role) && str_eq_c(seller, r->seller_id) &&
	    remote_check(tx, seller, role, REMOTE_S3, r->bucket, NULL) == SOUK_OK)
		return PSC_EXPORT_AWAY_JOB;
	return PSC_EXPORT_JOB;
}

/* Keeps the request with its customer values as text. */
static enum souk_err
accept(struct db_tx *tx, struct data_set_request *r, const json_t *values)
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
		err = request_accept(tx, r, kind_of(tx, r));
	r->customer_values = STR("");
	buf_done(&text);
	return err;
}

enum souk_err
psc_export_window(struct db_tx *tx, struct str seller_id, instant_t *ret_end)
{
	instant_t end = db_now(tx) - PSC_LAG_MS, until = INSTANT_MIN;
	/* Whoever changes a contact of this seller is waited for, whatever holds its commit up. */
	enum souk_err err = lock_owner(tx, seller_id);

	if (err == SOUK_OK)
		err = contact_store_exported_until(tx, seller_id, &until);
	/* Of a clock that was set back: to end earlier than the last one would take back what it told. */
	if (err == SOUK_OK && until > end)
		end = until;
	if (err != SOUK_OK || (err = export_store_cover(tx, seller_id, end)) != SOUK_OK)
		return err;
	*ret_end = end;
	return SOUK_OK;
}

enum souk_err
psc_export_start(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct psc_export_params *p, struct guid *ret_request_id, struct fail *f)
{
	struct data_set_request r = { .received_at = db_now(tx) };
	struct str seller = tenant_account(s);
	instant_t from = 0;
	enum souk_err err;

	(void)v;
	if ((err = check(s, p, &from, f)) != SOUK_OK)
		return err;
	if ((err = lock_owner(tx, seller)) != SOUK_OK)
		return err;
	memcpy(r.seller_id, seller.p, ACCOUNT_ID_LEN);
	r.data_set_type = p->data_set_type;
	r.from_at = r.coverage_start = from;
	/* The test set covers nothing; it ends when it is made (8), which is not known yet. */
	r.coverage_end = r.received_at;
	r.role_arn = p->role_arn;
	r.bucket = p->bucket;
	r.topic_arn = p->topic_arn;
	r.prefix = p->has_prefix ? p->prefix : (struct str){ NULL, 0 };
	r.requested_by = tenant_actor(s);
	if (export_type_is_real(p->data_set_type) &&
	    (err = psc_export_window(tx, seller, &r.coverage_end)) != SOUK_OK)
		return err;
	err = accept(tx, &r, p->customer_values);
	if (err == SOUK_E_LIMIT)
		return fail_set(f, err, "ThrottlingException",
		    "Rate exceeded: %d data sets of yours are being made already.",
		    REQUESTS_WAITING_MAX);
	if (err != SOUK_OK)
		return err;
	*ret_request_id = r.id;
	return SOUK_OK;
}
