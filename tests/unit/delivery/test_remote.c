/* SPDX-License-Identifier: Apache-2.0 */
/* Remotes of roles: whose credentials reach what, and what becomes of secrets. */
#include "delivery/remote_int.h"

#include "delivery/role.h"
#include "unit/database.h"
#include "world.h"

#define POLICY                                                                                     \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","       \
	"\"Resource\":\"*\"}]}"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"
#define TOPIC "arn:aws:sns:eu-central-1:123456789012:ready"

static const struct remote_rules rules = {
	.ca_file = "",
	.operator_key = { [REMOTE_S3] = { "OPKEY", "opsecret" }, [REMOTE_SNS] = { "", "" } },
};

struct call {
	struct world *w;
	const struct tenant_scope *scope;
	struct str seller, name;
	struct remote_new n;
	struct remote got;
	struct buf out;
	struct fail f;
};

static struct call
call_of(struct world *w)
{
	return (struct call){ .w = w,
		.scope = &w->seller,
		.seller = SELLER,
		.n = { .kind = REMOTE_S3,
		    .endpoint = STR("https://s3.example.com"),
		    .region = STR("eu-1"),
		    .path_style = true,
		    .encryption = STR("none"),
		    .access_key_id = STR("AKID"),
		    .secret = STR(SECRET) } };
}

static struct call
lent_of(struct world *w)
{
	struct call c = call_of(w);

	c.scope = &w->operator_;
	c.n.by_operator = true;
	c.n.access_key_id = STR("");
	c.n.secret = (struct str){ NULL, 0 };
	c.n.names[0] = STR("bucket-b");
	c.n.names[1] = STR("bucket-a");
	c.n.n_names = 2;
	return c;
}

static enum souk_err
roles(struct db_tx *tx, void *arg)
{
	struct world *w = arg;
	int64_t revision;
	enum souk_err err;

	err = role_put(tx, &w->seller, SELLER, STR("Away"), STR(POLICY), 0, true, &revision, NULL);
	if (err == SOUK_OK)
		err = role_put(
		    tx, &w->other, OTHER, STR("Away"), STR(POLICY), 0, true, &revision, NULL);
	return err;
}

static enum souk_err
put(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return remote_put(tx, c->w->vault, &rules, c->scope, c->seller, STR("Away"), &c->n, &c->f);
}

static enum souk_err
load(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return remote_load(
	    tx, c->w->vault, &rules, c->seller, STR("Away"), c->n.kind, c->name, &c->got, &c->f);
}

static enum souk_err
show(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	if (remotes_json(tx, c->seller, STR("Away"), &w) != SOUK_OK)
		return SOUK_E_INTERNAL;
	jw_close(&w, '}');
	return SOUK_OK;
}

static enum souk_err
drop_role(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return role_delete(tx, c->scope, c->seller, STR("Away"));
}

static void
test_secret_comes_back_to_us_alone(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, roles, w);
	c.n.endpoint = STR("https://s3.example.com/"); /* a final slash is dropped */
	IN_WRITE(w, put, &c);
	IN_READ(w, load, &c);
	assert_string_equal(c.got.endpoint, "https://s3.example.com");
	assert_string_equal(c.got.access_key_id, "AKID");
	assert_int_equal(c.got.secret.n, strlen(SECRET));
	assert_memory_equal(c.got.secret.p, SECRET, c.got.secret.n);
	remote_done(&c.got);
	IN_READ(w, show, &c);
	assert_non_null(strstr(c.out.p, "\"accessKeyId\":\"AKID\""));
	assert_null(strstr(c.out.p, "wJalr"));
	assert_false(world_db_holds(w, SECRET, strlen(SECRET)));
	c.seller = OTHER;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, load, &c));
	buf_done(&c.out);
}

/* A secret that is kept unseen must not be pointed at another place. */
static void
test_secret_stays_with_its_endpoint(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, roles, w);
	IN_WRITE(w, put, &c);
	c.n.secret = (struct str){ NULL, 0 };
	c.n.region = STR("eu-2");
	IN_WRITE(w, put, &c);
	IN_READ(w, load, &c);
	assert_string_equal(c.got.region, "eu-2");
	assert_memory_equal(c.got.secret.p, SECRET, c.got.secret.n);
	remote_done(&c.got);
	c.n.endpoint = STR("https://elsewhere.example.com");
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	assert_string_equal(c.f.entry[0].field, "s3.secretAccessKey");
	c.n.endpoint = STR("https://s3.example.com");
	c.n.access_key_id = STR("AKID2");
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	/* nor does the row's place in the database help who can write there */
	world_sql(w, "UPDATE delivery_remote SET endpoint = 'https://elsewhere.example.com'");
	assert_err(SOUK_E_INTERNAL, db_read(w->db, load, &c));
}

struct seen {
	struct call *c;
	struct remote_row row;
};

static enum souk_err
see(struct db_tx *tx, void *arg)
{
	struct seen *x = arg;

	return remote_row_load(tx, x->c->seller, STR("Away"), x->c->n.kind, &x->row);
}

static void
assert_gone(struct world *w, const struct remote_row *row)
{
	assert_true(db_scrub_wait(w->db, 5000));
	/* past format byte and key number: nonce, sealed key and tag */
	assert_false(world_db_holds(w, row->data_key + 4, sizeof(row->data_key) - 4));
	assert_false(world_db_holds(w, row->secret, row->secret_n));
}

/* Of a credential that was replaced, removed or went with its role not even the seal stays. */
static void
test_replaced_is_destroyed(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), lent = lent_of(w);
	struct seen x = { .c = &c };

	IN_WRITE(w, roles, w);
	IN_WRITE(w, put, &c);
	IN_READ(w, see, &x);
	assert_true(db_scrub_wait(w->db, 5000)); /* nothing moves while we look */
	assert_true(test_on_postgres() || world_db_holds(w, x.row.secret, x.row.secret_n));
	IN_WRITE(w, put, &c);
	assert_gone(w, &x.row);
	IN_READ(w, see, &x);
	IN_WRITE(w, put, &lent);
	assert_gone(w, &x.row);
	IN_WRITE(w, put, &c);
	IN_READ(w, see, &x);
	IN_WRITE(w, drop_role, &c);
	assert_gone(w, &x.row);
	assert_int_equal(world_int(w, "SELECT count(*) FROM delivery_remote"), 0);
}

static void
test_lending(void **state)
{
	struct world *w = *state;
	struct call c = lent_of(w), own = call_of(w);

	IN_WRITE(w, roles, w);
	/* a seller cannot take them */
	c.scope = &w->seller;
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	assert_string_equal(c.f.code, "operator_credentials");
	assert_int_equal(world_int(w, "SELECT count(*) FROM delivery_remote"), 0);
	/* the operator lends them, for two buckets */
	c.scope = &w->operator_;
	IN_WRITE(w, put, &c);
	IN_READ(w, show, &c);
	assert_non_null(strstr(c.out.p, "\"buckets\":[\"bucket-a\",\"bucket-b\"]"));
	c.name = STR("bucket-a");
	IN_READ(w, load, &c);
	assert_string_equal(c.got.access_key_id, "OPKEY");
	assert_memory_equal(c.got.secret.p, "opsecret", 8);
	assert_true(c.got.by_operator);
	remote_done(&c.got);
	c.name = STR("bucket-c");
	assert_err(SOUK_E_DENIED, db_read(w->db, load, &c));
	assert_string_equal(c.f.code, "not_reached");
	/* giving them up for one's own is the seller's right, and ends the reach */
	IN_WRITE(w, put, &own);
	assert_int_equal(world_int(w, "SELECT count(*) FROM delivery_reach"), 0);
	/* as is nothing else */
	c.scope = &w->seller;
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	buf_done(&c.out);
}

static void
test_what_is_lent_is_not_the_sellers_to_change(void **state)
{
	struct world *w = *state;
	struct call c = lent_of(w);

	IN_WRITE(w, roles, w);
	IN_WRITE(w, put, &c);
	c.scope = &w->seller;
	IN_WRITE(w, put, &c); /* as it is */
	c.n.names[1] = STR("bucket-c");
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	c = lent_of(w);
	c.scope = &w->seller;
	c.n.n_names = 1;
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	c.n.names[1] = STR("bucket-a");
	c.n.names[2] = STR("bucket-c");
	c.n.n_names = 3;
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	c = lent_of(w);
	c.scope = &w->seller;
	c.n.endpoint = STR("https://mine.example.com");
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	c = lent_of(w);
	c.scope = &w->seller;
	c.n.path_style = false;
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	assert_int_equal(world_int(w, "SELECT count(*) FROM delivery_reach"), 2);
}

static void
test_one_seller_each(void **state)
{
	struct world *w = *state;
	struct call c = lent_of(w), d = lent_of(w);

	IN_WRITE(w, roles, w);
	IN_WRITE(w, put, &c);
	d.seller = OTHER;
	d.n.names[0] = STR("bucket-z");
	assert_err(SOUK_E_CONFLICT, db_write(w->db, put, &d));
	assert_string_equal(d.f.code, "reached_by_another");
	d.n.n_names = 1;
	IN_WRITE(w, put, &d);
	/* what is not lent any more is free */
	c.n.n_names = 1;
	IN_WRITE(w, put, &c);
	d.n.names[0] = STR("bucket-a");
	IN_WRITE(w, put, &d);
}

static void
test_operator_without_credentials(void **state)
{
	struct world *w = *state;
	struct call c = lent_of(w);

	IN_WRITE(w, roles, w);
	c.n.kind = REMOTE_SNS;
	c.n.names[0] = STR(TOPIC);
	c.n.n_names = 1;
	IN_WRITE(w, put, &c);
	c.name = STR(TOPIC);
	assert_err(SOUK_E_DENIED, db_read(w->db, load, &c));
	assert_non_null(strstr(c.f.detail, "delivery.sns-access-key-id"));
}

static enum souk_err
rewrap(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct buf cursor = { 0 };
	int64_t changed, total = 0;
	bool done = false;
	enum souk_err err = SOUK_OK;

	while (!done && err == SOUK_OK) {
		err = remote_rewrap(tx, c->w->vault, &cursor, 1, &changed, &done);
		total += changed;
	}
	buf_done(&cursor);
	c->n.n_names = (size_t)total;
	return err;
}

static void
test_rotation(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), sns = call_of(w), other = call_of(w), count = { .w = w };

	IN_WRITE(w, roles, w);
	IN_WRITE(w, put, &c);
	sns.n.kind = REMOTE_SNS;
	IN_WRITE(w, put, &sns);
	other.seller = OTHER;
	other.scope = &w->other;
	IN_WRITE(w, put, &other);
	assert_ok(vault_ring_add(w->vault, NULL));
	IN_WRITE(w, rewrap, &count);
	assert_int_equal(count.n.n_names, 3);
	IN_WRITE(w, rewrap, &count);
	assert_int_equal(count.n.n_names, 0);
	assert_ok(vault_ring_retire(w->vault, NULL));
	IN_READ(w, load, &c);
	remote_done(&c.got);
	IN_READ(w, load, &sns);
	assert_memory_equal(sns.got.secret.p, SECRET, sns.got.secret.n);
	remote_done(&sns.got);
	IN_READ(w, load, &other);
	remote_done(&other.got);
}

static void
test_arns(void **state)
{
	static const struct {
		const char *arn;
		bool ok;
	} cases[] = {
		{ TOPIC, true },
		{ TOPIC ".fifo", true },
		{ "arn:aws-cn:sns:cn-north-1:123456789012:a_b-C9", true },
		{ "arn:aws:sns:eu-central-1:123456789012:", false },
		{ "arn:aws:sns:eu-central-1:12345678901:ready", false },
		{ "arn:aws:sns::123456789012:ready", false },
		{ "arn:aws:sqs:eu-central-1:123456789012:ready", false },
		{ "arn:aws:sns:eu-central-1:123456789012:rea dy", false },
		{ "arn:aws:sns:eu-central-1:123456789012:rea&y", false },
		{ "ready", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (sns_arn_valid(str_c(cases[i].arn)) != cases[i].ok)
			fail_msg("%s", cases[i].arn);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_secret_comes_back_to_us_alone),
		WORLD_TEST(test_secret_stays_with_its_endpoint),
		WORLD_TEST(test_replaced_is_destroyed),
		WORLD_TEST(test_lending),
		WORLD_TEST(test_what_is_lent_is_not_the_sellers_to_change),
		WORLD_TEST(test_one_seller_each),
		WORLD_TEST(test_operator_without_credentials),
		WORLD_TEST(test_rotation),
		cmocka_unit_test(test_arns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
