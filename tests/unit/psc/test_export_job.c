/* SPDX-License-Identifier: Apache-2.0 */
/* The job: files, metadata, message, permissions, lost leases, and being killed at any moment. */
#include "world.h"

#include "unit/database.h"

#include "audit/audit.h"
#include "base/digest.h"
#include "base/log.h"
#include "delivery/role.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define BUCKET "exports-700"
#define ROLE "arn:aws:iam::" SELLER ":role/Delivery"
#define TOPIC "arn:aws:sns:us-east-1:" SELLER ":ready"
#define GOOD_POLICY                                                                                \
	"{\"Version\":\"2012-10-17\",\"Statement\":["                                              \
	"{\"Effect\":\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::" BUCKET    \
	"/*\"},"                                                                                   \
	"{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"" TOPIC "\"}]}"

/* ---- a seller that is ready for deliveries ---- */

struct setup {
	struct world *w;
	const char *policy;
};

static enum souk_err
setup_tx(struct db_tx *tx, void *arg)
{
	struct setup *s = arg;
	struct world *w = s->w;
	struct fail f = { 0 };
	int64_t revision;
	struct tenant_scope other = w->seller;

	(void)snprintf(other.account_id, sizeof(other.account_id), "%s", OTHER_SELLER);
	assert_ok(bucket_create(tx, &w->seller, STR(SELLER), STR(BUCKET), &f));
	assert_ok(bucket_create(tx, &other, STR(OTHER_SELLER), STR("exports-701"), &f));
	assert_ok(topic_create(tx, &w->seller, STR(SELLER), STR("ready"), &f));
	assert_ok(topic_create(tx, &other, STR(OTHER_SELLER), STR("theirs"), &f));
	assert_ok(role_put(tx, &w->seller, STR(SELLER), STR("Delivery"), str_c(s->policy), 0, true,
	    &revision, &f));
	return SOUK_OK;
}

static struct world *
ready(const char *policy)
{
	struct setup s = { world_new(), policy };

	assert_ok(db_write(s.w->db, setup_tx, &s));
	return s.w;
}

static enum souk_err
policy_tx(struct db_tx *tx, void *arg)
{
	struct setup *s = arg;
	struct fail f = { 0 };
	int64_t revision;

	return role_put(tx, &s->w->seller, STR(SELLER), STR("Delivery"), str_c(s->policy), 0, false,
	    &revision, &f);
}

/* ---- requests ---- */

struct asked {
	struct world *w;
	struct request_params p;
	struct guid id;
	struct data_set_request r;
	struct arena *mem;
};

static enum souk_err
start_tx(struct db_tx *tx, void *arg)
{
	struct asked *x = arg;
	struct fail f = { 0 };

	return psc_export_start(tx, x->w->vault, &x->w->seller, &x->p, &x->id, &f);
}

static enum souk_err
load_tx(struct db_tx *tx, void *arg)
{
	struct asked *x = arg;

	return request_load(tx, STR(SELLER), &x->id, x->mem, &x->r);
}

static struct asked
asked_of(struct world *w)
{
	return (struct asked){ .w = w,
		.mem = arena_new(1 << 20),
		.p = { .data_set_type = STR("customer_support_contacts_data"),
		    .role_arn = STR(ROLE),
		    .bucket = STR(BUCKET),
		    .topic_arn = STR(TOPIC),
		    .at_text = STR("2000-01-01T00:00:00Z"),
		    .prefix = STR("psc"),
		    .has_prefix = true } };
}

static void
ask(struct asked *x)
{
	assert_ok(db_write(x->w->db, start_tx, x));
	assert_ok(db_read(x->w->db, load_tx, x));
}

/* What the job runner calls; `before` (may be NULL) runs between taking the job and the handler. */
struct runner {
	struct request_job_ctx ctx;
	struct world *w;
	void (*before)(struct world *w, const struct job *j);
	enum job_outcome outcome;
	struct fail fail;
};

static enum job_outcome
run_job(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct runner *r = ctx;

	if (r->before)
		r->before(r->w, j);
	r->outcome = psc_job_export(&r->ctx, db, j, f);
	r->fail = *f;
	return r->outcome;
}

static enum souk_err
dead_job(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct runner *r = ctx;

	return psc_job_export_dead(&r->ctx, tx, j, f);
}

/* A lease that a killed process leaves runs out at once. */
static const struct job_kind kinds[] = {
	{ .kind = "psc-export",
	    .attempts = 1000,
	    .backoff_ms = 1,
	    .backoff_max_ms = 1,
	    .lease_ms = 1,
	    .run = run_job,
	    .dead = dead_job },
};

static struct runner
runner_of(struct world *w)
{
	return (struct runner){ .ctx = { .vault = w->vault,
				    .to = { .vault = w->vault, .objects = w->objects } },
		.w = w };
}

static size_t
run_due(struct world *w, struct runner *r)
{
	size_t n = 0;

	log_setup(LOG_OFF, 0);
	assert_ok(job_run_due(w->db, kinds, 1, 3, r, &n));
	return n;
}

/* ---- objects and messages ---- */

struct fetched {
	struct world *w;
	struct str key;
	struct buf *ret;
};

static enum souk_err
fetch_tx(struct db_tx *tx, void *arg)
{
	struct fetched *x = arg;
	struct arena *mem = arena_new(65536);
	struct object o;
	struct object_reader *reader = NULL;
	enum souk_err err = object_get(tx, &x->w->seller, STR(BUCKET), x->key, mem, &o);
	char bytes[5000];
	size_t n = 0;

	if (err == SOUK_OK)
		err = object_reader_open(x->w->objects, &o, &reader);
	do {
		if (err == SOUK_OK)
			err = object_read(reader, (int64_t)x->ret->n, bytes, sizeof(bytes), &n);
		if (err == SOUK_OK)
			buf_add(x->ret, bytes, n);
	} while (err == SOUK_OK && n > 0);
	object_reader_free(reader);
	arena_free(mem);
	return err;
}

static struct buf
fetch(struct world *w, struct str key)
{
	struct buf b = { 0 };
	struct fetched x = { w, key, &b };

	assert_ok(db_read(w->db, fetch_tx, &x));
	return b;
}

enum { T_MESSAGE, T_LEASE, T_WITHDRAW, T__COUNT = T_WITHDRAW + 4 };
static const char *const texts_sql[T__COUNT] = {
	[T_MESSAGE] = "SELECT body FROM message ORDER BY created_at DESC LIMIT 1",
	[T_LEASE] = "UPDATE job SET lease = $1, lease_until = $2 WHERE state = 1",
	[T_WITHDRAW] = "UPDATE enrolment SET state = 'withdrawn'",
	"DELETE FROM delivery_role",
	"DELETE FROM bucket",
	"DELETE FROM topic",
};
static struct db_texts texts = { .component = "psc.job", .sql = texts_sql, .n = T__COUNT };

static enum souk_err
message_tx(struct db_tx *tx, void *arg)
{
	struct db_stmt *st = db_stmt(tx, &texts, T_MESSAGE);
	enum souk_err err = db_one(st);

	if (err == SOUK_OK)
		buf_add_str(arg, db_text(st, 0));
	db_reset(st);
	return err;
}

static json_t *
last_message(struct world *w)
{
	struct buf b = { 0 };
	struct fail f = { 0 };
	json_t *o = NULL;

	assert_ok(db_read(w->db, message_tx, &b));
	assert_ok(json_read(buf_str(&b), &o, &f));
	buf_done(&b);
	return o;
}

static const char *
text(const json_t *o, const char *a, const char *b)
{
	const json_t *v = b ? json_object_get(json_object_get(o, a), b) : json_object_get(o, a);

	if (!json_is_string(v))
		fail_msg("%s %s: no text", a, b ? b : "");
	return json_string_value(v);
}

static void
three_contacts(struct world *w)
{
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct contact_fields c = world_fields(3);
	struct contact made;

	assert_ok(world_add(w, &sub, &c, w->base + 1000, &made, NULL));
	assert_ok(world_add(w, &sub, &c, w->base + 2000, &made, NULL));
	assert_ok(world_add(w, &sub, &c, w->base + 3000, &made, NULL));
	assert_ok(world_delete(w, &sub, &made.id, w->base + 4000, NULL));
}

/* ---- delivered ---- */

static void
instant_is(const json_t *o, const char *a, const char *b, instant_t want)
{
	char s[INSTANT_TEXT_LEN + 1];

	instant_format(want, s);
	assert_string_equal(text(o, a, b), s);
}

static void
check_meta(struct world *w, const struct asked *x, const struct buf *csv)
{
	struct buf b = fetch(w, x->r.meta_key);
	struct fail f = { 0 };
	json_t *o = NULL, *counts;
	char hash[65], id[37];
	uint8_t sha[32];

	assert_ok(json_read(buf_str(&b), &o, &f));
	guid_format(&x->id, id);
	sha256(csv->p, csv->n, sha);
	hex_encode(sha, 32, hash);
	assert_string_equal(text(o, "dataSetRequestId", NULL), id);
	instant_is(o, "dataSetCoverageRange", "startDateTime", INT64_C(946684800000));
	instant_is(o, "dataSetCoverageRange", "endDateTime", x->r.received_at - PSC_LAG_MS);
	instant_is(o, "dataSetRequestParameters", "fromDate", INT64_C(946684800000));
	assert_string_equal(text(o, "dataSetRequestParameters", "sellerAccountId"), SELLER);
	assert_string_equal(
	    text(o, "dataSetRequestParameters", "dataSetType"), "customer_support_contacts_data");
	assert_string_equal(text(o, "dataSetRequestParameters", "roleNameArn"), ROLE);
	assert_string_equal(text(o, "dataSetRequestParameters", "destinationS3BucketName"), BUCKET);
	assert_string_equal(text(o, "dataSetRequestParameters", "destinationS3Prefix"), "psc");
	assert_string_equal(text(o, "dataSetRequestParameters", "snsTopicArn"), TOPIC);
	assert_string_equal(
	    text(json_object_get(o, "dataSetRequestParameters"), "customerDefinedValues", "who"),
	    "me");
	assert_string_equal(text(o, "dataSetS3Location", "bucketName"), BUCKET);
	assert_string_equal(text(o, "dataSetS3Location", "key"), x->r.csv_key.p);
	assert_string_equal(text(o, "dataSetMetaDataS3Location", "key"), x->r.meta_key.p);
	instant_is(o, "requestReceivedDateTime", NULL, x->r.received_at);
	instant_is(o, "requestCompletedDateTime", NULL, x->r.completed_at);
	assert_string_equal(text(o, "schemaId", NULL), PSC_SCHEMA_ID);
	assert_string_equal(text(o, "sha256", NULL), hash);
	assert_memory_equal(sha, x->r.csv_sha256, 32);
	counts = json_object_get(o, "rowCounts");
	assert_int_equal(json_integer_value(json_object_get(counts, "create")), 2);
	assert_int_equal(json_integer_value(json_object_get(counts, "update")), 0);
	assert_int_equal(json_integer_value(json_object_get(counts, "delete")), 1);
	assert_null(json_object_get(o, "emptyReason"));
	json_decref(o);
	buf_done(&b);
}

static void
delivers_files_and_message(void **state)
{
	struct world *w = ready(GOOD_POLICY);
	struct asked x = asked_of(w);
	struct runner r = runner_of(w);
	struct audit_report report;
	struct buf csv, want;
	json_t *values = json_pack("{s:s}", "who", "me"), *m;
	int64_t entries;
	char name[300], from[21], end[21];

	(void)state;
	three_contacts(w);
	x.p.customer_values = values;
	ask(&x);
	entries = world_count(w, "audit");
	assert_int_equal(run_due(w, &r), 1);
	assert_int_equal(r.outcome, JOB_DONE);
	assert_ok(db_read(w->db, load_tx, &x));
	assert_true(str_eq(x.r.state, STR("delivered")));
	instant_format_name(x.r.coverage_start, from);
	instant_format_name(x.r.coverage_end, end);
	(void)snprintf(
	    name, sizeof(name), "psc/customer_support_contacts_data_%s_to_%s", from, end);
	assert_int_equal(x.r.csv_key.n, strlen(name) + 4);
	assert_memory_equal(x.r.csv_key.p, name, strlen(name));
	assert_string_equal(x.r.csv_key.p + strlen(name), ".csv");
	assert_memory_equal(x.r.meta_key.p, name, strlen(name));
	assert_string_equal(x.r.meta_key.p + strlen(name), ".meta.json");
	csv = fetch(w, x.r.csv_key);
	want = world_export(w, x.r.coverage_start, x.r.coverage_end, 1, NULL);
	assert_int_equal(csv.n, want.n);
	assert_memory_equal(csv.p, want.p, want.n);
	assert_int_equal(x.r.csv_bytes, csv.n);
	check_meta(w, &x, &csv);
	m = last_message(w);
	assert_string_equal(text(m, "dataSetS3Location", "key"), x.r.csv_key.p);
	assert_true(json_is_true(json_object_get(m, "success")));
	assert_string_equal(text(m, "customerDefinedValues", "who"), "me");
	json_decref(m);
	assert_int_equal(world_count(w, "audit"), entries + 1);
	assert_ok(audit_verify(w->db, w->vault, NULL, &report));
	audit_report_done(&report);
	assert_null(report.what);
	/* Nothing is left to do, and nothing is delivered twice. */
	assert_int_equal(run_due(w, &r), 0);
	assert_int_equal(world_count(w, "messages"), 1);
	assert_int_equal(world_count(w, "objects"), 2);
	buf_done(&csv);
	buf_done(&want);
	arena_free(x.mem);
	json_decref(values);
	world_free(w);
}

static void
empty_file_says_why(void **state)
{
	struct world *w = ready(GOOD_POLICY);
	struct asked x = asked_of(w);
	struct runner r = runner_of(w);
	struct buf csv, meta;

	(void)state;
	ask(&x);
	(void)run_due(w, &r);
	assert_ok(db_read(w->db, load_tx, &x));
	csv = fetch(w, x.r.csv_key);
	meta = fetch(w, x.r.meta_key);
	assert_string_equal(strstr(csv.p, "\r\n"), "\r\n");
	assert_non_null(strstr(meta.p,
	    "\"emptyReason\":\"no contact was created, changed or deleted in the window\""));
	assert_true(x.r.reason.n > 0);
	buf_done(&csv);
	buf_done(&meta);
	arena_free(x.mem);
	world_free(w);
}

static void
test_set_needs_no_enrolment(void **state)
{
	struct world *w = ready(GOOD_POLICY);
	struct asked x = asked_of(w);
	struct runner r = runner_of(w);
	struct buf_sink s = buf_sink_make();
	struct psc_export_stats stats;
	struct buf csv, meta;
	struct fail f = { 0 };
	json_t *o = NULL;

	(void)state;
	world_enrol(w, SELLER, false, 1);
	x.p.data_set_type = STR("test_customer_support_contacts_data");
	x.p.prefix = STR("");
	ask(&x);
	clock_sleep_ms(5);
	(void)run_due(w, &r);
	assert_int_equal(r.outcome, JOB_DONE);
	assert_ok(db_read(w->db, load_tx, &x));
	csv = fetch(w, x.r.csv_key);
	assert_ok(psc_test_set_write(&s.sink, &stats));
	assert_true(str_eq(buf_str(&csv), buf_str(&s.buf)));
	meta = fetch(w, x.r.meta_key);
	assert_ok(json_read(buf_str(&meta), &o, &f));
	/* It ends when it was made, neither when it was asked for nor fifteen minutes before. */
	assert_true(strcmp(text(o, "dataSetCoverageRange", "endDateTime"),
			text(o, "requestReceivedDateTime", NULL)) > 0);
	assert_string_equal(text(o, "dataSetCoverageRange", "endDateTime"),
	    text(o, "requestCompletedDateTime", NULL));
	assert_true(str_starts(x.r.csv_key, STR("test_customer_support_contacts_data_2000-")));
	json_decref(o);
	buf_done(&csv);
	buf_done(&meta);
	buf_done(&s.buf);
	arena_free(x.mem);
	world_free(w);
}

/* ---- refused ---- */

#define POLICY(a, b, c, d)                                                                         \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"" a         \
	"\",\"Resource\":\"" b "\"},{\"Effect\":\"" c "\",\"Action\":\"*\",\"Resource\":\"" d      \
	"\"}]}"
#define ARN_BUCKET "arn:aws:s3:::" BUCKET

static void
failures_are_told(void **state)
{
	static const struct {
		const char *what, *policy, *role, *bucket, *topic;
		bool enrolled, told; /* is there a success:false message? */
	} rows[] = {
		{ "no such role", GOOD_POLICY, "arn:aws:iam::" SELLER ":role/Nobody", BUCKET, TOPIC,
		    true, false },
		{ "another's role", GOOD_POLICY, "arn:aws:iam::" OTHER_SELLER ":role/Delivery",
		    BUCKET, TOPIC, true, false },
		{ "no role at all", GOOD_POLICY, "role", BUCKET, TOPIC, true, false },
		{ "no such bucket", GOOD_POLICY, ROLE, "nowhere", TOPIC, true, true },
		{ "another's bucket", POLICY("*", "*", "Allow", "*"), ROLE, "exports-701", TOPIC,
		    true, true },
		{ "a bucket's name that is none", POLICY("*", "*", "Allow", "*"), ROLE, "A b/*",
		    TOPIC, true, true },
		{ "bucket denied", POLICY("*", "*", "Deny", ARN_BUCKET "/*"), ROLE, BUCKET, TOPIC,
		    true, true },
		{ "metadata file denied", POLICY("*", "*", "Deny", ARN_BUCKET "/*.meta.json"), ROLE,
		    BUCKET, TOPIC, true, true },
		{ "data file denied", POLICY("*", "*", "Deny", ARN_BUCKET "/*.csv"), ROLE, BUCKET,
		    TOPIC, true, true },
		{ "topic denied", POLICY("*", "*", "Deny", TOPIC), ROLE, BUCKET, TOPIC, true,
		    false },
		{ "no such topic", GOOD_POLICY, ROLE, BUCKET,
		    "arn:aws:sns:us-east-1:" SELLER ":none", true, false },
		{ "another's topic", POLICY("*", "*", "Allow", "*"), ROLE, BUCKET,
		    "arn:aws:sns:us-east-1:" OTHER_SELLER ":theirs", true, false },
		{ "no topic at all", POLICY("*", "*", "Allow", "*"), ROLE, BUCKET, "topic", true,
		    false },
		{ "not enrolled", GOOD_POLICY, ROLE, BUCKET, TOPIC, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world *w = ready(rows[i].policy);
		struct asked x = asked_of(w);
		struct runner r = runner_of(w);
		int64_t entries;

		three_contacts(w);
		world_enrol(w, SELLER, rows[i].enrolled, 1);
		x.p.role_arn = str_c(rows[i].role);
		x.p.bucket = str_c(rows[i].bucket);
		x.p.topic_arn = str_c(rows[i].topic);
		ask(&x);
		entries = world_count(w, "audit");
		assert_row(i, run_due(w, &r) == 1);
		if (r.outcome != JOB_DEAD)
			fail_msg("%s: not refused for good", rows[i].what);
		assert_ok(db_read(w->db, load_tx, &x));
		assert_row(i, str_eq(x.r.state, STR("failed")));
		assert_row(i, x.r.reason.n > 10 && str_eq(x.r.reason, str_c(r.fail.detail)));
		assert_row(i, world_count(w, "objects") == 0);
		assert_row(i, world_count(w, "audit") == entries + 1);
		if (world_count(w, "messages") != rows[i].told)
			fail_msg("%s: %s", rows[i].what, rows[i].told ? "not told" : "told");
		if (rows[i].told) {
			json_t *m = last_message(w);

			assert_true(json_is_false(json_object_get(m, "success")));
			assert_string_equal(text(m, "message", NULL), r.fail.detail);
			assert_null(json_object_get(m, "dataSetS3Location"));
			json_decref(m);
		}
		assert_row(i, run_due(w, &r) == 0);
		arena_free(x.mem);
		world_free(w);
	}
}

/* ---- once more ---- */

/* Another worker has the job's lease, until then. */
static enum souk_err
lease_tx(struct db_tx *tx, void *arg)
{
	const instant_t *until = arg;
	struct db_stmt *st = db_stmt(tx, &texts, T_LEASE);
	struct guid other = guid_new();

	db_bind_guid(st, 1, &other);
	db_bind_int(st, 2, *until);
	return db_run(st, NULL);
}

static void
lose_lease(struct world *w, const struct job *j)
{
	instant_t until = INSTANT_MAX;

	(void)j;
	assert_ok(db_write(w->db, lease_tx, &until));
}

static void
a_lost_lease_delivers_nothing(void **state)
{
	struct world *w = ready(GOOD_POLICY);
	struct asked x = asked_of(w);
	struct runner r = runner_of(w);
	instant_t over = 1;

	(void)state;
	three_contacts(w);
	ask(&x);
	r.before = lose_lease;
	assert_int_equal(run_due(w, &r), 1);
	assert_int_equal(r.outcome, JOB_RETRY);
	assert_ok(db_read(w->db, load_tx, &x));
	assert_true(str_eq(x.r.state, STR("waiting")));
	assert_int_equal(world_count(w, "objects"), 0);
	assert_int_equal(world_count(w, "messages"), 0);
	r.before = NULL;
	assert_int_equal(run_due(w, &r), 0);
	/* Whoever has the lease now lets it run out; the next run delivers. */
	assert_ok(db_write(w->db, lease_tx, &over));
	assert_int_equal(run_due(w, &r), 1);
	assert_ok(db_read(w->db, load_tx, &x));
	assert_true(str_eq(x.r.state, STR("delivered")));
	assert_int_equal(world_count(w, "objects"), 2);
	assert_int_equal(world_count(w, "messages"), 1);
	arena_free(x.mem);
	world_free(w);
}

static void
deny_topic(struct world *w, const struct job *j)
{
	struct setup s = { w, POLICY("s3:*", "*", "Deny", TOPIC) };

	(void)j;
	assert_ok(db_write(w->db, policy_tx, &s));
}

/* What happens once the file is written, at the first word of the metadata file; NULL: nothing. */
static struct {
	struct world *w;
	unsigned statement;
} meanwhile;

static enum souk_err
meanwhile_tx(struct db_tx *tx, void *arg)
{
	const unsigned *statement = arg;

	return db_run(db_stmt(tx, &texts, *statement), NULL);
}

/* The linker leads the job here (meson.build), and from here to the real one. */
void __real_request_meta_file(
    const struct data_set_request *r, const char *why_empty, struct jw *w);
void
__wrap_request_meta_file(const struct data_set_request *r, const char *why_empty, struct jw *w)
{
	if (meanwhile.w)
		assert_ok(db_write(meanwhile.w->db, meanwhile_tx, &meanwhile.statement));
	meanwhile.w = NULL;
	__real_request_meta_file(r, why_empty, w);
}

/* What is withdrawn while the job is at work must not be delivered upon. */
static void
withdrawn_meanwhile(void **state)
{
	(void)state;
	for (unsigned statement = T_WITHDRAW; statement < T__COUNT; statement++) {
		struct world *w = ready(GOOD_POLICY);
		struct asked x = asked_of(w);
		struct runner r = runner_of(w);

		three_contacts(w);
		ask(&x);
		meanwhile.w = w;
		meanwhile.statement = statement;
		assert_row(statement, run_due(w, &r) == 1);
		assert_row(statement, !meanwhile.w);
		assert_row(statement, r.outcome == JOB_DEAD);
		assert_ok(db_read(w->db, load_tx, &x));
		assert_row(statement, str_eq(x.r.state, STR("failed")));
		assert_row(statement, world_count(w, "objects") == 0);
		arena_free(x.mem);
		world_free(w);
	}
}

/* Failed for want of a permission, mended, tried again: the same window, the same bytes. */
static enum souk_err
resend_tx(struct db_tx *tx, void *arg)
{
	struct asked *x = arg;
	struct fail f = { 0 };

	return request_resend(tx, x->w->vault, &x->w->seller, STR(SELLER), &x->id, x->mem, &f);
}

static void
a_failed_request_can_be_tried_again(void **state)
{
	struct world *w = ready(GOOD_POLICY);
	struct asked x = asked_of(w);
	struct runner r = runner_of(w);
	struct setup good = { w, GOOD_POLICY };
	struct buf want, csv;
	instant_t end;

	(void)state;
	three_contacts(w);
	ask(&x);
	end = x.r.coverage_end;
	want = world_export(w, x.r.coverage_start, end, 1, NULL);
	r.before = deny_topic;
	(void)run_due(w, &r);
	assert_int_equal(r.outcome, JOB_DEAD);
	assert_ok(db_write(w->db, policy_tx, &good));
	assert_ok(db_write(w->db, resend_tx, &x));
	r.before = NULL;
	assert_int_equal(run_due(w, &r), 1);
	assert_ok(db_read(w->db, load_tx, &x));
	assert_true(str_eq(x.r.state, STR("delivered")));
	assert_int_equal(x.r.coverage_end, end);
	csv = fetch(w, x.r.csv_key);
	assert_true(str_eq(buf_str(&csv), buf_str(&want)));
	buf_done(&csv);
	buf_done(&want);
	arena_free(x.mem);
	world_free(w);
}

/* ---- killed ---- */

/* Whoever waits for a byte in *ret_open learns that the child has its database open and begins with the job. */
static pid_t
run_in_child(struct world *w, int *ret_open)
{
	int ends[2];
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if ((child = fork()) == 0) {
		struct runner r;

		world_open(w, false);
		r = runner_of(w);
		if (write(ends[1], "", 1) == 1)
			(void)run_due(w, &r);
		_exit(0);
	}
	(void)close(ends[1]);
	*ret_open = ends[0];
	return child;
}

static void
killed_at_any_moment(void **state)
{
	struct world *w = ready(GOOD_POLICY);
	struct asked x = asked_of(w);
	struct prng random = { 20261121 };
	int64_t step = test_on_postgres() ? 10 : 1, took;
	struct buf want, csv;
	uint64_t began;
	int kills = 0;

	(void)state;
	world_fill(w, 3000, false);
	ask(&x);
	began = clock_mono_ns();
	want = world_export(w, x.r.coverage_start, x.r.coverage_end, 1, NULL);
	took = (int64_t)((clock_mono_ns() - began) / 1000000);
	if (step < took / 40) /* a busy machine: or no round were long enough */
		step = took / 40;
	for (int round = 0; round < 200 && str_eq(x.r.state, STR("waiting")); round++) {
		int status, open;
		pid_t child;
		char byte;

		world_close(w); /* no thread of ours is there when we fork */
		child = run_in_child(w, &open);
		/* Ever later, until it gets through; one in four times already while it opens the database. */
		if (prng_below(&random, 4) > 0)
			assert_int_equal(read(open, &byte, 1), 1);
		clock_sleep_ms((int64_t)prng_below(&random, 2 + (uint64_t)round) * step);
		(void)kill(child, SIGKILL);
		(void)waitpid(child, &status, 0);
		(void)close(open);
		kills += WIFSIGNALED(status);
		world_open(w, false);
		assert_ok(db_read(w->db, load_tx, &x));
		if (str_eq(x.r.state, STR("waiting"))) { /* then nothing of it is to be seen */
			assert_int_equal(world_count(w, "objects"), 0);
			assert_int_equal(world_count(w, "messages"), 0);
		}
	}
	assert_true(kills > 3);
	assert_true(str_eq(x.r.state, STR("delivered")));
	assert_int_equal(world_count(w, "objects"), 2);
	assert_int_equal(world_count(w, "messages"), 1);
	csv = fetch(w, x.r.csv_key);
	assert_true(str_eq(buf_str(&csv), buf_str(&want)));
	buf_done(&csv);
	buf_done(&want);
	arena_free(x.mem);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivers_files_and_message),
		cmocka_unit_test(empty_file_says_why),
		cmocka_unit_test(test_set_needs_no_enrolment),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(a_lost_lease_delivers_nothing),
		cmocka_unit_test(withdrawn_meanwhile),
		cmocka_unit_test(a_failed_request_can_be_tried_again),
		cmocka_unit_test(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
