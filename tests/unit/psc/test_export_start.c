/* SPDX-License-Identifier: Apache-2.0 */
/* StartSupportDataExport up to its answer; names and the test data set. */
#include "world.h"

#include "base/csv.h"
#include "delivery/request.h"
#include "psc/export_names.h"

#include <pthread.h>
#include <stdatomic.h>

struct start {
	struct world *w;
	const struct tenant_scope *s;
	struct request_params p;
	json_t *values;
	struct guid id;
	struct data_set_request r;
	struct arena *mem;
	struct fail f;
};

static enum souk_err
start_tx(struct db_tx *tx, void *arg)
{
	struct start *x = arg;
	enum souk_err err = psc_export_start(tx, x->w->vault, x->s, &x->p, &x->id, &x->f);

	if (err != SOUK_OK)
		return err;
	assert_ok(request_load(tx, STR(SELLER), &x->id, x->mem, &x->r));
	return SOUK_OK;
}

static struct request_params
good_params(void)
{
	return (struct request_params){ .data_set_type = STR("customer_support_contacts_data"),
		.role_arn = STR("arn:aws:iam::" SELLER ":role/R"),
		.bucket = STR("exports"),
		.topic_arn = STR("arn:aws:sns:us-east-1:" SELLER ":t"),
		.at_text = STR("2020-01-01T00:00:00Z") };
}

static struct start
start_of(struct world *w)
{
	return (
	    struct start){ .w = w, .s = &w->seller, .mem = arena_new(1 << 20), .p = good_params() };
}

static void
start_done(struct start *x)
{
	arena_free(x->mem);
	json_decref(x->values);
}

static enum souk_err
start(struct start *x)
{
	x->f = (struct fail){ 0 };
	return db_write(x->w->db, start_tx, x);
}

static void
keeps_the_request_and_the_window(void **state)
{
	struct world *w = world_new();
	struct start x = start_of(w);
	instant_t before = clock_now(), first;

	(void)state;
	x.values = json_pack("{s:s, s:s}", "z", "Ümlaut \"q\"", "a", "2");
	x.p.customer_values = x.values;
	x.p.has_prefix = true;
	x.p.prefix = STR("in/here");
	assert_ok(start(&x));
	assert_true(x.r.received_at >= before && x.r.received_at <= clock_now());
	assert_int_equal(x.r.coverage_end, x.r.received_at - 15 * MINUTE_MS);
	assert_int_equal(x.r.coverage_start, INT64_C(1577836800000));
	assert_int_equal(x.r.from_at, x.r.coverage_start);
	assert_true(str_eq(x.r.prefix, STR("in/here")));
	assert_true(str_eq(x.r.customer_values, STR("{\"z\":\"Ümlaut \\\"q\\\"\",\"a\":\"2\"}")));
	assert_true(str_eq(x.r.state, STR("waiting")));
	assert_true(str_eq(x.r.requested_by, STR("token:test")));
	first = x.r.coverage_end;
	assert_int_equal(world_covered(w), first);
	/* The clock was set back since: what an export told is not taken back by a later one. */
	world_cover(w, first + DAY_MS);
	x.p.has_prefix = false;
	x.p.prefix = (struct str){ NULL, 0 };
	x.p.customer_values = NULL;
	assert_ok(start(&x));
	assert_int_equal(world_covered(w), first + DAY_MS);
	assert_int_equal(x.r.coverage_end, first + DAY_MS);
	assert_null(x.r.prefix.p);
	assert_true(str_eq(x.r.customer_values, STR("{}")));
	start_done(&x);
	world_free(w);
}

static void
test_set_covers_nothing(void **state)
{
	struct world *w = world_new();
	struct start x = start_of(w);

	(void)state;
	world_enrol(w, SELLER, false, 1);
	x.p.data_set_type = STR("test_customer_support_contacts_data");
	assert_ok(start(&x));
	assert_int_equal(world_covered(w), 0);
	x.p.data_set_type = STR("customer_support_contacts_data");
	assert_ok(start(&x)); /* not enrolled: accepted, and told by its notification */
	start_done(&x);
	world_free(w);
}

static void
every_encoding_of_from(void **state)
{
	static const struct {
		const char *number, *text;
		instant_t want;
	} rows[] = { { "1470366890", "", INT64_C(1470366890000) },
		{ "1470366890.334", "", INT64_C(1470366890334) },
		{ "1470366890.3349", "", INT64_C(1470366890334) },
		{ "1.470366890E9", "", INT64_C(1470366890000) },
		{ "1470366890.000", "", INT64_C(1470366890000) }, { "0", "", 0 },
		{ "-1", "", -1000 }, { "", "2016-08-05T03:14:50.334Z", INT64_C(1470366890334) },
		{ "", "2016-08-05T03:14:50", INT64_C(1470366890000) },
		{ "", "2016-08-05T05:14:50.334+02:00", INT64_C(1470366890334) },
		{ "4102444800", "", INT64_C(4102444800000) } /* in the future: accepted */ };
	struct world *w = world_new();
	struct start x = start_of(w);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		x.p.at_number = str_c(rows[i].number);
		x.p.at_text = str_c(rows[i].text);
		assert_row(i, start(&x) == SOUK_OK);
		assert_row(i, x.r.coverage_start == rows[i].want);
	}
	start_done(&x);
	world_free(w);
}

static void
one(struct start *x, const char *what)
{
	char want[300];

	(void)snprintf(want, sizeof(want), "1 validation error detected: %s", what);
	assert_int_equal(start(x), SOUK_E_INVALID);
	assert_string_equal(x->f.code, "ValidationException");
	/* The same without a transaction. */
	x->f = (struct fail){ 0 };
	assert_int_equal(psc_export_check(x->s, &x->p, &x->f), SOUK_E_INVALID);
	assert_string_equal(x->f.code, "ValidationException");
	assert_string_equal(x->f.detail, want);
	assert_int_equal(x->f.n_total, 1);
}

#define NOT_NULL " failed to satisfy constraint: Member must not be null"
#define MIN_1 " failed to satisfy constraint: Member must have length greater than or equal to 1"

static void
members_are_required(void **state)
{
	struct world *w = world_new();
	struct start x = start_of(w);
	const struct str null = { NULL, 0 };

	(void)state;
	x.p.data_set_type = null;
	one(&x, "Value null at 'dataSetType'" NOT_NULL);
	x.p = good_params();
	x.p.at_text = null;
	one(&x, "Value null at 'fromDate'" NOT_NULL);
	x.p = good_params();
	x.p.role_arn = null;
	one(&x, "Value null at 'roleNameArn'" NOT_NULL);
	x.p.role_arn = STR("");
	one(&x, "Value '' at 'roleNameArn'" MIN_1);
	x.p = good_params();
	x.p.bucket = null;
	one(&x, "Value null at 'destinationS3BucketName'" NOT_NULL);
	x.p.bucket = STR("");
	one(&x, "Value '' at 'destinationS3BucketName'" MIN_1);
	x.p = good_params();
	x.p.topic_arn = null;
	one(&x, "Value null at 'snsTopicArn'" NOT_NULL);
	x.p.topic_arn = STR("");
	one(&x, "Value '' at 'snsTopicArn'" MIN_1);
	x.p = (struct request_params){ 0 };
	assert_int_equal(start(&x), SOUK_E_INVALID);
	assert_int_equal(x.f.n_total, 5);
	assert_int_equal(strncmp(x.f.detail, "5 validation errors detected: Value null at", 43), 0);
	start_done(&x);
	world_free(w);
}

static struct str
repeat(const char *c, size_t n)
{
	static char text[8][9000];
	static unsigned next;
	char *out = text[next++ % 8];

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * strlen(c), c, strlen(c));
	return (struct str){ out, n * strlen(c) };
}

static void
members_have_limits(void **state)
{
	struct world *w = world_new();
	struct start x = start_of(w);

	(void)state;
	x.p.data_set_type = STR("customer_support_contacts");
	one(&x, "Value at 'dataSetType' failed to satisfy constraint: Member must satisfy enum "
		"value set: "
		"[customer_support_contacts_data, test_customer_support_contacts_data]");
	x.p = good_params();
	x.p.at_text = STR("yesterday");
	assert_int_equal(start(&x), SOUK_E_INVALID);
	assert_string_equal(x.f.entry[0].field, "fromDate");
	x.p.at_text = STR("");
	x.p.at_number = STR("1e99");
	assert_int_equal(start(&x), SOUK_E_INVALID);
	x.p = good_params();
	x.p.role_arn = repeat("r", 2048);
	assert_ok(start(&x));
	x.p.role_arn = repeat("r", 2049);
	one(&x, "Value at 'roleNameArn' failed to satisfy constraint: Member must have length less "
		"than "
		"or equal to 2048");
	x.p.role_arn = STR("a\nb");
	assert_int_equal(start(&x), SOUK_E_INVALID);
	x.p.role_arn = STR("a\xff");
	assert_int_equal(start(&x), SOUK_E_INVALID);
	x.p = good_params();
	x.p.has_prefix = true;
	x.p.prefix = repeat("p", 900);
	assert_ok(start(&x));
	x.p.prefix = repeat("p", 901);
	assert_int_equal(start(&x), SOUK_E_INVALID);
	x.p.prefix = repeat("\xc3\xa9", 450);
	assert_ok(start(&x));
	x.p.prefix =
	    repeat("\xc3\xa9", 451); /* counts as bytes: it becomes part of an object's name */
	assert_int_equal(start(&x), SOUK_E_INVALID);
	assert_int_equal(x.f.n_total, 1);
	x.p.prefix = STR("");
	assert_ok(start(&x));
	start_done(&x);
	world_free(w);
}

static enum souk_err
with_values(struct start *x, json_t *values)
{
	enum souk_err err;

	assert_non_null(values);
	x->p.customer_values = values;
	err = start(x);
	x->p.customer_values = NULL;
	json_decref(values);
	return err;
}

static json_t *
pairs(size_t n, size_t key_n, size_t value_n, const char *c)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++) {
		char key[2000];
		struct str k = repeat(c, key_n), v = repeat(c, value_n);

		(void)snprintf(key, sizeof(key), "%.*s", (int)k.n, k.p);
		if (n > 1)
			key[0] = (char)('a' + i);
		(void)json_object_set_new(o, key, json_stringn(v.p, v.n));
	}
	return o;
}

static void
customer_values_are_few_and_short(void **state)
{
	struct world *w = world_new();
	struct start x = start_of(w);

	(void)state;
	assert_ok(with_values(&x, pairs(1, 1, 1, "k")));
	assert_ok(with_values(&x, pairs(5, 255, 255, "k")));
	assert_ok(with_values(&x, pairs(1, 255, 255, "\xe6\xa0\xaa")));
	assert_int_equal(with_values(&x, pairs(0, 1, 1, "k")), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, pairs(6, 1, 1, "k")), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, pairs(1, 256, 1, "k")), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, pairs(1, 1, 256, "k")), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, pairs(1, 1, 0, "k")), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, json_pack("{s:s}", "", "v")), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, json_pack("{s:i}", "k", 1)), SOUK_E_INVALID);
	assert_int_equal(with_values(&x, json_array()), SOUK_E_INVALID);
	assert_string_equal(x.f.entry[0].field, "customerDefinedValues");
	start_done(&x);
	world_free(w);
}

static void
only_sellers(void **state)
{
	struct world *w = world_new();
	struct start x = start_of(w);
	const struct tenant_scope *others[] = { &w->buyer, &w->op };

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		x.s = others[i];
		assert_row(i, start(&x) == SOUK_E_DENIED);
		assert_row(i, psc_export_check(x.s, &x.p, &x.f) == SOUK_E_DENIED);
		assert_string_equal(x.f.code, "AccessDeniedException");
	}
	assert_int_equal(world_covered(w), 0);
	start_done(&x);
	world_free(w);
}

static void
changes_stay_behind_what_was_started(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct start x = start_of(w);
	struct contact_fields c = world_fields(1);

	(void)state;
	assert_ok(start(&x));
	assert_int_equal(world_add(w, &sub, &c, x.r.coverage_end - 1, NULL, NULL), SOUK_E_CONFLICT);
	assert_ok(world_add(w, &sub, &c, x.r.coverage_end, NULL, NULL));
	start_done(&x);
	world_free(w);
}

/* Versions that a waiting export still needs are kept; one that waits no more needs none. */
static enum souk_err
prune_tx(struct db_tx *tx, void *arg)
{
	return contact_prune(tx, 100, arg);
}

static const char *const texts_sql[] = {
	"UPDATE data_set_request SET coverage_end = $1 WHERE seller_id = $2 AND request_id = $3",
	"UPDATE data_set_request SET state = 'delivered' WHERE seller_id = $1 AND request_id = $2"
};
static struct db_texts texts = { .component = "psc.start", .sql = texts_sql, .n = 2 };

static enum souk_err
accept_earlier_tx(struct db_tx *tx, void *arg)
{
	const struct start *x = arg;
	struct db_stmt *st = db_stmt(tx, &texts, 0);

	db_bind_int(st, 1, x->r.coverage_end);
	db_bind_c(st, 2, SELLER);
	db_bind_guid(st, 3, &x->id);
	return db_run(st, NULL);
}

static enum souk_err
answer_tx(struct db_tx *tx, void *arg)
{
	const struct start *x = arg;
	struct db_stmt *st = db_stmt(tx, &texts, 1);

	db_bind_c(st, 1, SELLER);
	db_bind_guid(st, 2, &x->id);
	return db_run(st, NULL);
}

static void
pruning_leaves_what_exports_need(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct start x = start_of(w);
	struct contact_fields c = world_fields(1);
	struct contact old, young;
	instant_t edge = clock_now() - 16 * MINUTE_MS;
	int64_t n = 0;

	(void)state;
	assert_ok(world_add(w, &sub, &c, w->base, &old, NULL));
	assert_ok(world_edit(w, &sub, &old.id, &c, edge - 60 * MINUTE_MS, NULL));
	assert_ok(world_add(w, &sub, &c, w->base, &young, NULL));
	assert_ok(world_edit(w, &sub, &young.id, &c, edge + 60000, NULL));
	assert_ok(db_write(w->db, prune_tx, &n));
	assert_int_equal(n, 1);
	assert_int_equal(world_count(w, "versions"), 3);
	/* An export that was accepted an hour ago and still waits, or one that was answered. */
	assert_ok(world_edit(w, &sub, &old.id, &c, edge - 30 * MINUTE_MS, NULL));
	assert_ok(world_edit(w, &sub, &old.id, &c, edge - 20 * MINUTE_MS, NULL));
	assert_ok(start(&x));
	x.r.coverage_end = edge - 30 * MINUTE_MS; /* what was replaced then still held at its end */
	assert_ok(db_write(w->db, accept_earlier_tx, &x));
	assert_ok(db_write(w->db, prune_tx, &n));
	assert_int_equal(n, 0);
	assert_int_equal(world_count(w, "versions"), 5);
	assert_ok(db_write(w->db, answer_tx, &x));
	assert_ok(db_write(w->db, prune_tx, &n));
	assert_int_equal(n, 2);
	assert_int_equal(world_count(w, "versions"), 3);
	start_done(&x);
	world_free(w);
}

/* ---- names, test set ---- */

static void
names(void **state)
{
	static const struct {
		const char *prefix, *want;
	} rows[] = { { "", "T_2015-01-18T19-40-00Z_to_2016-08-18T23-43-50Z.csv" },
		{ "a", "a/T_2015-01-18T19-40-00Z_to_2016-08-18T23-43-50Z.csv" },
		{ "a/", "a/T_2015-01-18T19-40-00Z_to_2016-08-18T23-43-50Z.csv" },
		{ "a/b//", "a/b/T_2015-01-18T19-40-00Z_to_2016-08-18T23-43-50Z.csv" },
		{ "/", "T_2015-01-18T19-40-00Z_to_2016-08-18T23-43-50Z.csv" },
		{ "/a", "/a/T_2015-01-18T19-40-00Z_to_2016-08-18T23-43-50Z.csv" } };
	struct arena *mem = arena_new(65536);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str key = export_key(mem, str_c(rows[i].prefix), STR("T"),
		    INT64_C(1421610000000), INT64_C(1471563830334), ".csv");

		assert_string_equal(key.p, rows[i].want);
	}
	arena_free(mem);
}

static void
test_set_is_a_file_like_any(void **state)
{
	struct buf_sink a = buf_sink_make(), b = buf_sink_make();
	struct psc_export_stats stats;
	int64_t counts[3] = { 0 };
	struct csv_reader *reader;
	struct fail f = { 0 };
	struct str *fields;
	size_t n;
	bool more;
	FILE *in;

	(void)state;
	assert_ok(psc_test_set_write(&a.sink, &stats));
	assert_ok(psc_test_set_write(&b.sink, &stats));
	assert_int_equal(a.buf.n, b.buf.n);
	assert_memory_equal(a.buf.p, b.buf.p, a.buf.n);
	in = fmemopen(a.buf.p, a.buf.n, "r");
	assert_ok(csv_reader_new(in, 65536, &reader));
	assert_ok(csv_read(reader, &fields, &n, &more, &f));
	assert_int_equal(n, 16);
	while (csv_read(reader, &fields, &n, &more, &f) == SOUK_OK && more) {
		struct contact_fields c = { fields[5], fields[7], fields[8], fields[9], fields[10],
			fields[11], fields[12], fields[13] };
		struct guid g;
		instant_t t;

		assert_int_equal(n, 16);
		assert_true(guid_parse(fields[0], &g) && guid_parse(fields[2], &g) &&
			    guid_parse(fields[3], &g));
		assert_int_equal(fields[1].n, 25);
		assert_true(account_id_valid(fields[6]));
		assert_true(instant_parse(fields[4], &t) && instant_parse(fields[14], &t));
		if (str_eq(fields[15], STR("DELETE"))) {
			counts[2]++;
			assert_int_equal(c.organization.n + c.email.n + c.title.n + c.zip.n, 0);
			continue;
		}
		counts[str_eq(fields[15], STR("UPDATE"))]++;
		if (contact_validate(&c, &f) != SOUK_OK)
			fail_msg("%s %s", f.entry[0].field, f.entry[0].what);
	}
	assert_int_equal(counts[0], stats.rows_create);
	assert_int_equal(counts[1], stats.rows_update);
	assert_int_equal(counts[2], stats.rows_delete);
	assert_null(stats.empty_reason);
	csv_reader_free(reader);
	(void)fclose(in);
	buf_done(&a.buf);
	buf_done(&b.buf);
}

/* ---- a change whose commit is held up ---- */

static const char *const count_sql[] = {
	"SELECT count(*) FROM contact_version WHERE seller_id = $1"
};
static struct db_texts count_texts = { .component = "test", .sql = count_sql, .n = 1 };

struct held {
	struct world *w;
	struct guid sub;
	_Atomic bool at_work;
	enum souk_err err;
};

static enum souk_err
add_slowly(struct db_tx *tx, void *arg)
{
	struct held *h = arg;
	struct contact_fields c = world_fields(1);
	struct contact_preset preset = { 0 };
	struct contact made;
	struct fail f = { 0 };
	enum souk_err err =
	    contact_add(tx, h->w->vault, &h->w->op, &h->sub, &c, &preset, &made, &f);

	atomic_store(&h->at_work, true);
	clock_sleep_ms(700);
	return err;
}

static void *
add_main(void *arg)
{
	struct held *h = arg;

	h->err = db_write(h->w->db, add_slowly, h);
	return NULL;
}

/* What the window's caller sees once it has the window. */
static enum souk_err
window_and_count(struct db_tx *tx, void *arg)
{
	struct db_stmt *st;
	instant_t end;
	enum souk_err err = psc_export_window(tx, STR(SELLER), &end);

	if (err != SOUK_OK)
		return err;
	st = db_stmt(tx, &count_texts, 0);
	db_bind_c(st, 1, SELLER);
	if ((err = db_one(st)) == SOUK_OK)
		*(int64_t *)arg = db_int(st, 0);
	db_reset(st);
	return err;
}

/* Invariant 2: a change that is under way is in the database before a window is closed beside it. */
static void
a_window_waits_for_changes_under_way(void **state)
{
	struct world *w = world_new();
	struct guid product = world_product(w, SELLER, w->base);
	struct held h = { .w = w };
	int64_t n = 0;
	pthread_t t;

	(void)state;
	h.sub = world_subscription(w, &product, SELLER, BUYER);
	assert_int_equal(pthread_create(&t, NULL, add_main, &h), 0);
	while (!atomic_load(&h.at_work))
		clock_sleep_ms(2);
	assert_ok(db_write(w->db, window_and_count, &n));
	assert_int_equal(n, 1);
	(void)pthread_join(t, NULL);
	assert_ok(h.err);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_request_and_the_window),
		cmocka_unit_test(test_set_covers_nothing),
		cmocka_unit_test(every_encoding_of_from),
		cmocka_unit_test(members_are_required),
		cmocka_unit_test(members_have_limits),
		cmocka_unit_test(customer_values_are_few_and_short),
		cmocka_unit_test(only_sellers),
		cmocka_unit_test(changes_stay_behind_what_was_started),
		cmocka_unit_test(pruning_leaves_what_exports_need),
		cmocka_unit_test(a_window_waits_for_changes_under_way),
		cmocka_unit_test(names),
		cmocka_unit_test(test_set_is_a_file_like_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
