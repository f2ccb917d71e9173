/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data set requests from their acceptance to their end, and the delivery log.
 *
 * A request is waiting, then delivered or failed; only a failed one goes back to
 * waiting, when its seller asks to try again.
 */
#include "delivery/request_int.h"

#include "audit/audit.h"
#include "delivery/announce.h"
#include "delivery/job_view.h"
#include "delivery/object.h"
#include "delivery/scope.h"

static enum souk_err
put_job(struct db_tx *tx, const struct data_set_request *r, const char *kind, struct str payload)
{
	struct job_new j = { .kind = kind,
		.seller_id = str_c(r->seller_id),
		.request_id = &r->id,
		.payload = payload };
	struct guid id;

	return job_put(tx, &j, &id);
}

static enum souk_err
check_room(struct db_tx *tx, const char *seller_id)
{
	int64_t n = 0;
	enum souk_err err = request_row_waiting(tx, str_c(seller_id), &n);

	return err == SOUK_OK && n >= REQUESTS_WAITING_MAX ? SOUK_E_LIMIT : err;
}

enum souk_err
request_accept(struct db_tx *tx, struct data_set_request *r, const char *job_kind)
{
	enum souk_err err = check_room(tx, r->seller_id);

	if (err != SOUK_OK)
		return err;
	if (guid_is_zero(&r->id))
		r->id = guid_new();
	if ((err = request_row_insert(tx, r, job_kind)) != SOUK_OK)
		return err;
	return put_job(tx, r, job_kind, STR("{}"));
}

enum souk_err
request_load(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct data_set_request *ret)
{
	return request_row_load(tx, seller_id, id, mem, ret);
}

enum souk_err
request_delivered(struct db_tx *tx, const struct data_set_request *r)
{
	return request_row_delivered(tx, r);
}

/* ---- the word about it ---- */

static void
location(struct jw *w, const char *name, struct str bucket, struct str key)
{
	jw_open(w, name, '{');
	jw_str(w, "bucketName", bucket);
	jw_str(w, "key", key);
	jw_close(w, '}');
}

void
request_message(const struct data_set_request *r, bool success, struct str reason, struct buf *ret)
{
	struct jw w;

	jw_init(&w, ret);
	jw_open(&w, NULL, '{');
	if (success) {
		location(&w, "dataSetS3Location", r->bucket, r->csv_key);
		location(&w, "dataSetMetaDataS3Location", r->bucket, r->meta_key);
	}
	jw_guid(&w, "dataSetRequestId", &r->id);
	jw_bool(&w, "success", success);
	if (!success)
		jw_str(&w, "message", reason);
	if (r->customer_values.n > 0 && !str_eq(r->customer_values, STR("{}")))
		jw_raw(&w, "customerDefinedValues", r->customer_values);
	jw_close(&w, '}');
}

enum souk_err
request_failed(struct db_tx *tx, const struct data_set_request *r, struct str reason)
{
	enum souk_err err;

	if ((err = request_row_failed(tx, r, reason)) != SOUK_OK)
		return err;
	err = announce_check(tx, r, NULL);
	if (err == SOUK_E_NOT_FOUND || err == SOUK_E_DENIED)
		return SOUK_OK; /* the delivery log has the reason */
	return err == SOUK_OK ? announce(tx, r, false, reason) : err;
}

/* ---- delivery log ---- */

enum souk_err
request_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f)
{
	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	return request_rows_page(tx, seller_id, p, mem, out, f);
}

enum souk_err
request_get_json(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct guid *id, struct arena *mem, struct jw *out)
{
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	jw_open(out, NULL, '{');
	if ((err = request_row_json(tx, seller_id, id, out)) != SOUK_OK ||
	    (err = jobs_json(tx, seller_id, id, mem, out)) != SOUK_OK)
		return err;
	jw_close(out, '}');
	return SOUK_OK;
}

/* ---- once more ---- */

static enum souk_err
try_again(struct db_tx *tx, const struct data_set_request *r, struct fail *f)
{
	struct buf kind = { 0 };
	enum souk_err err;

	if (r->completed_at <= db_now(tx) - REQUEST_RETRY_MS)
		return fail_set(f, SOUK_E_CONFLICT, "expired",
		    "it failed more than a day ago; start a new export");
	err = check_room(tx, r->seller_id);
	if (err == SOUK_E_LIMIT)
		return fail_set(f, SOUK_E_CONFLICT, "too_many_waiting",
		    "%d data sets are being made already; wait for them", REQUESTS_WAITING_MAX);
	if (err != SOUK_OK)
		return err;
	if ((err = request_row_kind(tx, str_c(r->seller_id), &r->id, &kind)) == SOUK_OK &&
	    (err = request_row_again(tx, r)) == SOUK_OK)
		err = put_job(tx, r, kind.p, STR("{}"));
	buf_done(&kind);
	return err;
}

/* Both objects must be there, and the file the one that was delivered. */
static enum souk_err
check_objects(struct db_tx *tx, const struct data_set_request *r, struct arena *mem, struct fail *f)
{
	struct str seller = str_c(r->seller_id);
	struct object csv, meta;
	enum souk_err err;

	if ((err = object_find(tx, seller, r->bucket, r->csv_key, mem, &csv)) == SOUK_OK)
		err = object_find(tx, seller, r->bucket, r->meta_key, mem, &meta);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(f, SOUK_E_CONFLICT, "expired",
		    "the objects are no longer kept; start a new export");
	if (err == SOUK_OK && memcmp(csv.sha256, r->csv_sha256, sizeof(csv.sha256)) != 0)
		return fail_set(f, SOUK_E_CONFLICT, "expired",
		    "another file has taken the object's name; start a new export");
	return err;
}

/* No transaction waits for somebody's store: its job looks, then announces. */
static enum souk_err
look_and_notify(struct db_tx *tx, const struct data_set_request *r)
{
	struct buf kind = { 0 };
	enum souk_err err = request_row_kind(tx, str_c(r->seller_id), &r->id, &kind);

	if (err == SOUK_OK)
		err = put_job(tx, r, kind.p, STR(REQUEST_ANNOUNCE));
	buf_done(&kind);
	return err;
}

static enum souk_err
notify_again(struct db_tx *tx, const struct data_set_request *r, struct arena *mem, struct fail *f)
{
	size_t n = 0;
	enum souk_err err = r->store.n > 0 ? SOUK_OK : check_objects(tx, r, mem, f);

	if (err != SOUK_OK)
		return err;
	err = announce_check(tx, r, f);

	if (err == SOUK_E_NOT_FOUND || err == SOUK_E_DENIED) {
		if (f)
			f->err = SOUK_E_CONFLICT;
		return SOUK_E_CONFLICT;
	}
	if (err == SOUK_OK && r->store.n > 0)
		return look_and_notify(tx, r);
	if (err == SOUK_OK && (err = announce_again(tx, r, &n)) == SOUK_OK && n == 0)
		return fail_set(f, SOUK_E_CONFLICT, "no_endpoint",
		    "no endpoint of the topic is confirmed; subscribe one first");
	return err;
}

static enum souk_err
note(struct db_tx *tx, const struct vault *v, const struct tenant_scope *s,
    const struct data_set_request *r)
{
	char id[GUID_TEXT_LEN + 1];

	guid_format(&r->id, id);
	return audit_append(tx, v,
	    &(struct audit_entry){
		.account_id = tenant_account(s),
		.actor = tenant_actor(s),
		.action = "delivery:Resend",
		.resource = str_c(id),
		.seller_id = str_c(r->seller_id),
		.purpose = STR("delivery"),
		.count = 1,
		.request_id = tenant_request(s),
	    });
}

enum souk_err
request_resend(struct db_tx *tx, const struct vault *v, const struct tenant_scope *s,
    struct str seller_id, const struct guid *id, struct arena *mem, struct fail *f)
{
	struct data_set_request r;
	enum souk_err err = SOUK_E_NOT_FOUND;

	if (scope_manages(s, seller_id) && (err = lock_owner(tx, seller_id)) == SOUK_OK)
		err = request_row_load(tx, seller_id, id, mem, &r);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(f, err, "no_such_request", "there is no such request");
	if (err != SOUK_OK)
		return err;
	if (str_eq_c(r.state, "waiting"))
		return fail_set(f, SOUK_E_CONFLICT, "not_delivered",
		    "the data set is still being made; wait until it is delivered");
	if (str_eq_c(r.state, "failed"))
		err = try_again(tx, &r, f);
	else
		err = notify_again(tx, &r, mem, f);
	return err == SOUK_OK ? note(tx, v, s, &r) : err;
}
