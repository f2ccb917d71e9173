/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery roles: what they are, who may touch them, what they answer. */
#include "delivery/role.h"

#include "world.h"

#define POLICY                                                                                     \
	"{\"Version\":\"2012-10-17\",\"Statement\":["                                              \
	"{\"Effect\":\"Allow\",\"Action\":[\"s3:PutObject\",\"s3:GetBucketLocation\"],"            \
	"\"Resource\":\"arn:aws:s3:::exports/*\"},"                                                \
	"{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\","                                        \
	"\"Resource\":\"arn:aws:sns:us-east-1:000000000101:ready\"},"                              \
	"{\"Effect\":\"Deny\",\"Action\":\"s3:PutObject\","                                        \
	"\"Resource\":\"arn:aws:s3:::exports/private/*\"}]}"
#define ARN "arn:aws:iam::000000000101:role/Exporter"

struct call {
	struct world *w;
	const struct tenant_scope *scope;
	struct str seller, name, policy, arn, resource;
	const char *action;
	int64_t seen, revision;
	bool create;
	struct buf out;
	struct fail f;
};

static enum souk_err
put(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return role_put(
	    tx, c->scope, c->seller, c->name, c->policy, c->seen, c->create, &c->revision, &c->f);
}

static enum souk_err
drop(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return role_delete(tx, c->scope, c->seller, c->name);
}

static enum souk_err
get(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	return role_get(tx, c->scope, c->seller, c->name, &w, &c->revision);
}

static enum souk_err
list(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct jw w;

	buf_clear(&c->out);
	jw_init(&w, &c->out);
	return role_list(tx, c->scope, c->seller, &w);
}

static enum souk_err
may(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return role_may(tx, c->seller, c->arn, c->action, c->resource, &c->f);
}

static struct call
call_of(struct world *w)
{
	return (struct call){ .w = w,
		.scope = &w->seller,
		.seller = SELLER,
		.name = STR("Exporter"),
		.policy = STR(POLICY),
		.create = true };
}

static void
test_decisions(void **state)
{
	static const struct {
		const char *arn, *action, *resource;
		enum souk_err want;
	} cases[] = {
		{ ARN, "s3:PutObject", "arn:aws:s3:::exports/psc/a.csv", SOUK_OK },
		{ ARN, "s3:PutObject", "arn:aws:s3:::exports/private/a.csv", SOUK_E_DENIED },
		{ ARN, "s3:PutObject", "arn:aws:s3:::exports2/a.csv", SOUK_E_DENIED },
		{ ARN, "s3:PutObject", "arn:aws:s3:::other/a.csv", SOUK_E_DENIED },
		{ ARN, "s3:DeleteObject", "arn:aws:s3:::exports/a.csv", SOUK_E_DENIED },
		{ ARN, "sns:Publish", "arn:aws:sns:us-east-1:000000000101:ready", SOUK_OK },
		{ ARN, "sns:Publish", "arn:aws:sns:us-east-1:000000000101:ready2", SOUK_E_DENIED },
		/* a path before the name */
		{ "arn:aws:iam::000000000101:role/service-role/x/Exporter", "s3:PutObject",
		    "arn:aws:s3:::exports/a", SOUK_OK },
		{ "arn:aws:iam::000000000101:role/Other", "s3:PutObject", "arn:aws:s3:::exports/a",
		    SOUK_E_NOT_FOUND },
		{ "arn:aws:iam::000000000202:role/Exporter", "s3:PutObject",
		    "arn:aws:s3:::exports/a", SOUK_E_NOT_FOUND },
		{ "arn:aws:iam::000000000101:user/Exporter", "s3:PutObject",
		    "arn:aws:s3:::exports/a", SOUK_E_NOT_FOUND },
		{ "arn:aws:iam::000000000101:role/", "s3:PutObject", "arn:aws:s3:::exports/a",
		    SOUK_E_NOT_FOUND },
		{ "arn:aws:iam::000000000101:role", "s3:PutObject", "arn:aws:s3:::exports/a",
		    SOUK_E_NOT_FOUND },
		{ "arn:aws:iam::000000000101", "s3:PutObject", "arn:aws:s3:::exports/a",
		    SOUK_E_NOT_FOUND },
		{ "Exporter", "s3:PutObject", "arn:aws:s3:::exports/a", SOUK_E_NOT_FOUND },
		{ "", "s3:PutObject", "arn:aws:s3:::exports/a", SOUK_E_NOT_FOUND },
	};
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, put, &c);
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum souk_err err;

		c.arn = str_c(cases[i].arn);
		c.action = cases[i].action;
		c.resource = str_c(cases[i].resource);
		err = db_read(w->db, may, &c);
		if (err != cases[i].want)
			fail_msg("%s %s %s: %s", cases[i].arn, cases[i].action, cases[i].resource,
			    souk_err_word(err));
		if (err != SOUK_OK) {
			assert_true(strlen(c.f.detail) > 10);
			assert_non_null(strstr(c.f.detail, "role"));
		}
	}
	/* the same ARN asked on another seller's behalf */
	c.seller = OTHER;
	c.arn = STR(ARN);
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, may, &c));
}

static void
test_taking_back(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, put, &c);
	c.arn = STR(ARN);
	c.action = "s3:PutObject";
	c.resource = STR("arn:aws:s3:::exports/a");
	IN_READ(w, may, &c);
	c.create = false;
	c.policy = STR("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
		       "\"Action\":\"sns:Publish\",\"Resource\":\"*\"}]}");
	IN_WRITE(w, put, &c);
	assert_err(SOUK_E_DENIED, db_read(w->db, may, &c));
	IN_WRITE(w, drop, &c);
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, may, &c));
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, drop, &c));
}

static void
test_revisions(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	c.create = false;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, put, &c));
	c.create = true;
	IN_WRITE(w, put, &c);
	assert_int_equal(c.revision, 1);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, put, &c));
	assert_string_equal(c.f.code, "role_exists");
	c.create = false;
	c.seen = 1;
	IN_WRITE(w, put, &c);
	assert_int_equal(c.revision, 2);
	assert_err(SOUK_E_PRECONDITION, db_write(w->db, put, &c));
	c.seen = 0;
	IN_WRITE(w, put, &c);
	IN_READ(w, get, &c);
	assert_int_equal(c.revision, 3);
	assert_non_null(strstr(c.out.p, "\"roleArn\":\"" ARN "\""));
	assert_non_null(strstr(c.out.p, "\"policy\":{\"Version\":"));
	IN_READ(w, list, &c);
	assert_non_null(strstr(c.out.p, "\"name\":\"Exporter\""));
	buf_done(&c.out);
}

static void
test_refusals(void **state)
{
	static const char *const names[] = { "", "a b", "a/b", "a:b", "\xc3\xbc",
		"n1234567890123456789012345678901234567890123456789012345678901234" };
	struct world *w = *state;
	struct call c = call_of(w);
	char *long_policy = malloc(6200);

	for (size_t i = 0; i < COUNT(names); i++) {
		c.name = str_c(names[i]);
		assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
		assert_string_equal(c.f.entry[0].field, "name");
	}
	c.name = (struct str){ "a\0b", 3 };
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	c.name = STR("a+=,.@_-9");
	IN_WRITE(w, put, &c);
	c.name = STR("Exporter");
	c.policy = STR(
	    "{\"Statement\":[{\"Effect\":\"Allow\",\"NotAction\":\"s3:*\",\"Resource\":\"*\"}]}");
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	c.policy = STR("not json");
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	memset(long_policy, ' ', 6200);
	memcpy(long_policy, POLICY, strlen(POLICY));
	c.policy = (struct str){ long_policy, 6145 };
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	c.policy.n = 6144;
	IN_WRITE(w, put, &c);
	free(long_policy);
}

static void
test_strangers(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);
	const struct tenant_scope *strangers[] = { &w->other, &w->buyer };

	IN_WRITE(w, put, &c);
	for (size_t i = 0; i < COUNT(strangers); i++) {
		c.scope = strangers[i];
		assert_err(SOUK_E_NOT_FOUND, db_write(w->db, put, &c));
		assert_err(SOUK_E_NOT_FOUND, db_write(w->db, drop, &c));
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &c));
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list, &c));
	}
	c.scope = &w->operator_;
	IN_READ(w, get, &c);
	c.seller = BUYER;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, put, &c));
	buf_done(&c.out);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_decisions),
		WORLD_TEST(test_taking_back),
		WORLD_TEST(test_revisions),
		WORLD_TEST(test_refusals),
		WORLD_TEST(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
