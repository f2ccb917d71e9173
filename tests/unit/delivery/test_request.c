/* SPDX-License-Identifier: Apache-2.0 */
/* Data set requests: their states, their messages, the delivery log, re-sending. */
#include "delivery/request.h"

#include "audit/audit.h"
#include "base/digest.h"
#include "delivery/role.h"
#include "world.h"

#define TOPIC_ARN "arn:aws:sns:us-east-1:000000000101:ready"
#define ROLE_ARN "arn:aws:iam::000000000101:role/Exporter"
#define POLICY                                                                                     \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sns:"       \
	"Publish\","                                                                               \
	"\"Resource\":\"" TOPIC_ARN "\"}]}"

struct call {
	struct world *w;
	const struct tenant_scope *scope;
	struct data_set_request r;
	struct str seller, reason;
	struct guid id;
	struct page page;
	struct buf out;
	instant_t oldest;
	struct fail f;
};

static struct call
call_of(struct world *w)
{
	struct call c = { .w = w, .scope = &w->seller, .seller = SELLER };

	c.r = (struct data_set_request){
		.seller_id = "000000000101",
		.data_set_type = STR("test_customer_support_contacts_data"),
		.from_at = 1000,
		.coverage_start = 1000,
		.coverage_end = 2000,
		.role_arn = STR(ROLE_ARN),
		.bucket = STR("exports"),
		.topic_arn = STR(TOPIC_ARN),
		.customer_values = STR("{}"),
		.requested_by = STR("key:SOUKAAAAAAAAAAAAAAAA"),
		.received_at = 3000,
	};
	return c;
}

/* Bucket, topic with one confirmed endpoint, role. */
static enum souk_err
make_places(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	int64_t revision;
	enum souk_err err;

	if ((err = bucket_create(tx, c->scope, SELLER, STR("exports"), NULL)) != SOUK_OK ||
	    (err = topic_create(tx, c->scope, SELLER, STR("ready"), NULL)) != SOUK_OK)
		return err;
	return role_put(
	    tx, c->scope, SELLER, STR("Exporter"), STR(POLICY), 0, true, &revision, NULL);
}

#define ADD_ENDPOINT                                                                               \
	"INSERT INTO topic_endpoint (seller_id, endpoint_id, topic, url, state, token_hash,"       \
	" token_until, created_at) VALUES ('000000000101', CAST('0123456789abcdef' AS {guid}),"    \
	" 'ready', 'https://hooks.example.com/', 'confirmed', CAST('0' AS {blob}), 0, 1)"

static enum souk_err
accept(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return request_accept(tx, &c->r, "psc-export");
}

static enum souk_err
load(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return request_load(tx, c->seller, &c->r.id, c->w->mem, &c->r);
}

static enum souk_err
delivered(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return request_delivered(tx, &c->r);
}

static enum souk_err
failed(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return request_failed(tx, &c->r, c->reason);
}

static enum souk_err
get(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	return request_get_json(tx, c->scope, c->seller, &c->r.id, c->w->mem, &w);
}

static enum souk_err
list(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;
	enum souk_err err;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '[');
	err = request_list(tx, c->scope, c->seller, &c->page, c->w->mem, &w, &c->f);
	jw_close(&w, ']');
	return err;
}

static enum souk_err
resend(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return request_resend(tx, c->w->vault, c->scope, c->seller, &c->r.id, c->w->mem, &c->f);
}

static enum souk_err
oldest(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return request_oldest_coverage(tx, "psc-export", "psc-export-s3", &c->oldest);
}

static enum souk_err
publish(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct buf body = { 0 };
	enum souk_err err;

	request_message(&c->r, true, STR(""), &body);
	err = topic_publish(tx, SELLER, STR("ready"), &c->r.id, buf_str(&body), &c->id);
	buf_done(&body);
	return err;
}

/* ---- the message ---- */

static void
test_messages(void **state)
{
	struct data_set_request r = { .seller_id = "000000000101",
		.id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
		.bucket = STR("exports"),
		.csv_key = STR("p/a.csv"),
		.meta_key = STR("p/a.meta.json"),
		.customer_values = STR("{}") };
	struct buf b = { 0 };

	(void)state;
	request_message(&r, true, STR("ignored"), &b);
	assert_string_equal(b.p,
	    "{\"dataSetS3Location\":{\"bucketName\":\"exports\",\"key\":\"p/a.csv\"},"
	    "\"dataSetMetaDataS3Location\":{\"bucketName\":\"exports\",\"key\":\"p/a.meta.json\"},"
	    "\"dataSetRequestId\":\"01020304-0506-0708-090a-0b0c0d0e0f10\",\"success\":true}");
	buf_clear(&b);
	r.customer_values = STR("{\"a\":\"b \\\"c\\\"\"}");
	request_message(&r, false, STR("The role does not exist."), &b);
	assert_string_equal(b.p,
	    "{\"dataSetRequestId\":\"01020304-0506-0708-090a-0b0c0d0e0f10\",\"success\":false,"
	    "\"message\":\"The role does not exist.\","
	    "\"customerDefinedValues\":{\"a\":\"b \\\"c\\\"\"}}");
	buf_done(&b);
}

/* ---- states ---- */

static void
test_accept_and_load(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);
	struct guid id;

	c.r.customer_values = STR("");
	IN_WRITE(w, accept, &c);
	assert_false(guid_is_zero(&c.r.id));
	id = c.r.id;
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE kind = 'psc-export'"), 1);
	memset(&c.r, 0, sizeof(c.r));
	c.r.id = id;
	IN_READ(w, load, &c);
	assert_string_equal(c.r.seller_id, "000000000101");
	assert_true(str_eq_c(c.r.state, "waiting"));
	assert_null(c.r.prefix.p);
	assert_true(str_eq_c(c.r.customer_values, "{}"));
	assert_int_equal(c.r.coverage_end, 2000);
	assert_int_equal(c.r.completed_at, 0);
	c.seller = OTHER;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, load, &c));
	c = call_of(w);
	c.r.prefix = STR("");
	IN_WRITE(w, accept, &c);
	IN_READ(w, load, &c);
	assert_non_null(c.r.prefix.p); /* empty is not absent */
	assert_int_equal(c.r.prefix.n, 0);
}

static void
test_end_only_once(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, accept, &c);
	c.r.csv_key = STR("a.csv");
	c.r.meta_key = STR("a.meta.json");
	c.r.rows_create = 3;
	c.r.csv_bytes = 99;
	IN_WRITE(w, delivered, &c);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, delivered, &c));
	c.reason = STR("late");
	assert_err(SOUK_E_CONFLICT, db_write(w->db, failed, &c));
	IN_READ(w, get, &c);
	assert_non_null(strstr(c.out.p, "\"state\":\"delivered\""));
	assert_non_null(strstr(c.out.p, "\"rowCounts\":{\"create\":3,\"update\":0,\"delete\":0}"));
	assert_non_null(strstr(c.out.p, "\"csvKey\":\"a.csv\""));
	assert_non_null(strstr(c.out.p, "\"jobs\":[{\"jobId\":"));
	assert_null(strstr(c.out.p, "\"reason\""));
	assert_null(strstr(c.out.p, "destinationS3Prefix"));
	buf_done(&c.out);
}

static void
test_oldest_coverage(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), d = call_of(w);

	IN_READ(w, oldest, &c);
	assert_int_equal(c.oldest, INSTANT_MAX);
	IN_WRITE(w, accept, &c);
	d.r.coverage_end = 1500;
	IN_WRITE(w, accept, &d);
	IN_READ(w, oldest, &c);
	assert_int_equal(c.oldest, 1500);
	IN_WRITE(w, delivered, &d);
	IN_READ(w, oldest, &c);
	assert_int_equal(c.oldest, 2000);
}

/* ---- failing ---- */

static int64_t
messages(struct world *w)
{
	return world_int(w, "SELECT count(*) FROM message");
}

static void
test_failure_is_announced(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, make_places, &c);
	world_sql(w, ADD_ENDPOINT);
	IN_WRITE(w, accept, &c);
	c.reason = STR("There is no such bucket.");
	IN_WRITE(w, failed, &c);
	assert_int_equal(messages(w), 1);
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM message WHERE body LIKE"
			 " '%\"success\":false,\"message\":\"There is no such bucket.\"%'"),
	    1);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE kind = 'notify'"), 1);
}

static void
test_failure_without_a_usable_topic(void **state)
{
	static const char *const topics[] = { "arn:aws:sns:us-east-1:000000000202:ready",
		"arn:aws:sns:us-east-1:000000000101:absent", "nonsense" };
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, make_places, &c);
	for (size_t i = 0; i < COUNT(topics); i++) {
		c = call_of(w);
		c.r.topic_arn = str_c(topics[i]);
		c.reason = STR("no");
		IN_WRITE(w, accept, &c);
		IN_WRITE(w, failed, &c);
	}
	c = call_of(w);
	c.r.role_arn = STR("arn:aws:iam::000000000101:role/Absent");
	c.reason = STR("no");
	IN_WRITE(w, accept, &c);
	IN_WRITE(w, failed, &c);
	world_sql(w, "UPDATE delivery_role SET policy = '{\"Version\":\"2012-10-17\",\"Statement\":"
		     "[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}'");
	c = call_of(w);
	c.reason = STR("no");
	IN_WRITE(w, accept, &c);
	IN_WRITE(w, failed, &c);
	assert_int_equal(messages(w), 0);
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM data_set_request WHERE state = 'failed'"), 5);
	IN_READ(w, get, &c);
	assert_non_null(strstr(c.out.p, "\"state\":\"failed\",\"reason\":\"no\""));
	buf_done(&c.out);
}

/* ---- the log ---- */

static void
test_log_pages(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);
	char all[512] = "", *at;
	size_t pages = 0;

	for (int i = 0; i < 7; i++) {
		struct call one = call_of(w);

		/* three at the same moment: the page must not cut between them */
		one.r.received_at = 5000 + (i < 3 ? 0 : i);
		IN_WRITE(w, accept, &one);
	}
	c.page.limit = 2;
	do {
		c.page.next = STR("");
		IN_READ(w, list, &c);
		for (at = c.out.p; (at = strstr(at, "\"dataSetRequestId\":\"")); at++) {
			char id[10];

			(void)snprintf(id, sizeof(id), "%.8s ", at + 20);
			assert_null(strstr(all, id));
			(void)strncat(all, id, 10);
		}
		c.page.cursor = c.page.next;
		pages++;
	} while (c.page.next.n > 0);
	assert_int_equal(strlen(all), 7 * 9);
	assert_int_equal(pages, 4);
	c.page.cursor = STR("bad cursor");
	assert_err(SOUK_E_INVALID, db_read(w->db, list, &c));
	assert_string_equal(c.f.entry[0].field, "cursor");
	c.scope = &w->other;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list, &c));
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &c));
	c.seller = OTHER;
	c.page.cursor = STR("");
	IN_READ(w, list, &c);
	assert_string_equal(c.out.p, "[]");
	buf_done(&c.out);
}

/* ---- re-sending ---- */

struct put {
	struct object_writer *writer;
	struct str key;
};

static enum souk_err
put_row(struct db_tx *tx, void *arg)
{
	struct put *p = arg;
	struct object_facts o = { .bucket = STR("exports"), .key = p->key };

	return object_commit(tx, p->writer, &o, false, STR(""), NULL);
}

static void
put(struct world *w, struct object_store *os, const char *key, const char *text)
{
	struct put p = { .key = str_c(key) };

	assert_ok(object_writer_new(os, SELLER, &p.writer));
	assert_ok(
	    object_writer_sink(p.writer)->write(object_writer_sink(p.writer), text, strlen(text)));
	assert_ok(object_writer_close(p.writer));
	IN_WRITE(w, put_row, &p);
	object_writer_free(p.writer);
}

static void
deliver(struct world *w, struct call *c, struct object_store *os)
{
	IN_WRITE(w, accept, c);
	put(w, os, "a.csv", "csv");
	put(w, os, "a.meta.json", "meta");
	c->r.csv_key = STR("a.csv");
	c->r.meta_key = STR("a.meta.json");
	sha256("csv", 3, c->r.csv_sha256);
	IN_WRITE(w, delivered, c);
}

static int64_t
notifies(struct world *w)
{
	return world_int(w, "SELECT count(*) FROM job WHERE kind = 'notify'");
}

static void
test_resend_delivered(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct call c = call_of(w);

	IN_WRITE(w, make_places, &c);
	world_sql(w, ADD_ENDPOINT);
	deliver(w, &c, os);
	IN_WRITE(w, publish, &c);
	assert_int_equal(notifies(w), 1);
	IN_WRITE(w, resend, &c);
	IN_WRITE(w, resend, &c);
	assert_int_equal(notifies(w), 3);
	assert_int_equal(messages(w), 1); /* the same MessageId */
	assert_int_equal(
	    world_int(w, "SELECT count(DISTINCT payload) FROM job WHERE kind = 'notify'"), 1);
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM audit_entry WHERE action = 'delivery:Resend'"
			 " AND seller_id = '000000000101' AND actor = 'token:test'"),
	    2);
	c.scope = &w->other;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, resend, &c));
	c.seller = OTHER;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, resend, &c));
	assert_int_equal(notifies(w), 3);
	object_store_close(os);
}

static void
test_resend_what_could_not_be_published(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct call c = call_of(w);

	IN_WRITE(w, make_places, &c);
	deliver(w, &c, os);
	world_sql(w, ADD_ENDPOINT);
	IN_WRITE(w, resend, &c);
	assert_int_equal(messages(w), 1);
	assert_int_equal(notifies(w), 1);
	object_store_close(os);
}

static void
assert_refused(struct call *c, const char *code)
{
	assert_err(SOUK_E_CONFLICT, db_write(c->w->db, resend, c));
	assert_string_equal(c->f.code, code);
	assert_err(SOUK_E_CONFLICT, c->f.err);
}

static void
test_resend_refused(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct call c = call_of(w);

	IN_WRITE(w, make_places, &c);
	IN_WRITE(w, accept, &c);
	assert_refused(&c, "not_delivered");
	c = call_of(w);
	deliver(w, &c, os);
	IN_WRITE(w, publish, &c);
	assert_refused(&c, "no_endpoint");
	world_sql(w, ADD_ENDPOINT);
	world_sql(w, "UPDATE delivery_role SET policy = '{\"Version\":\"2012-10-17\",\"Statement\":"
		     "[{\"Effect\":\"Deny\",\"Action\":\"sns:*\",\"Resource\":\"*\"}]}'");
	assert_refused(&c, "role_denied");
	put(w, os, "a.csv", "another");
	assert_refused(&c, "expired");
	put(w, os, "a.csv", "csv");
	world_sql(w, "UPDATE object SET expires_at = 1 WHERE object_key = 'a.meta.json'");
	assert_refused(&c, "expired");
	assert_int_equal(world_int(w, "SELECT count(*) FROM audit_entry"), 0);
	assert_int_equal(notifies(w), 0);
	object_store_close(os);
}

static void
test_failed_is_tried_again(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);
	struct guid id;

	IN_WRITE(w, make_places, &c);
	IN_WRITE(w, accept, &c);
	id = c.r.id;
	c.reason = STR("no");
	IN_WRITE(w, failed, &c);
	world_sql(w, "DELETE FROM job"); /* pruned since */
	IN_WRITE(w, resend, &c);
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM job WHERE kind = 'psc-export' AND state = 0"), 1);
	IN_READ(w, load, &c);
	assert_true(guid_eq(&id, &c.r.id));
	assert_true(str_eq_c(c.r.state, "waiting"));
	assert_int_equal(c.r.reason.n, 0);
	assert_int_equal(c.r.coverage_end, 2000);
	assert_refused(&c, "not_delivered");
}

/* What a failed request needs is kept for as long as it can be tried again, and a little longer. */
static void
test_failed_keeps_its_coverage_for_a_day(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, make_places, &c);
	IN_WRITE(w, accept, &c);
	c.reason = STR("no");
	IN_WRITE(w, failed, &c);
	IN_READ(w, oldest, &c);
	assert_int_equal(c.oldest, 2000);
	world_sql(w, "UPDATE data_set_request SET completed_at = completed_at - 86400000");
	assert_refused(&c, "expired");
	IN_READ(w, oldest, &c);
	assert_int_equal(c.oldest, 2000);
	world_sql(w, "UPDATE data_set_request SET completed_at = completed_at - 3600001");
	IN_READ(w, oldest, &c);
	assert_int_equal(c.oldest, INSTANT_MAX);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		WORLD_TEST(test_accept_and_load),
		WORLD_TEST(test_end_only_once),
		WORLD_TEST(test_oldest_coverage),
		WORLD_TEST(test_failure_is_announced),
		WORLD_TEST(test_failure_without_a_usable_topic),
		WORLD_TEST(test_log_pages),
		WORLD_TEST(test_resend_delivered),
		WORLD_TEST(test_resend_what_could_not_be_published),
		WORLD_TEST(test_resend_refused),
		WORLD_TEST(test_failed_is_tried_again),
		WORLD_TEST(test_failed_keeps_its_coverage_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
