/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets: names, owners, limits. */
#include "world.h"

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "abc", true },
		{ "a-b", true },
		{ "a.b", true },
		{ "1a2", true },
		{ "exports.seller-1.example", true },
		{ "a1234567890123456789012345678901234567890123456789012345678901b", true },
		{ "1.2.3", true },
		{ "1.2.3.4.5", true },
		{ "1.2.3.a", true },
		{ "", false },
		{ "ab", false },
		{ "a1234567890123456789012345678901234567890123456789012345678901bc", false },
		{ "Abc", false },
		{ "a_b", false },
		{ "a b", false },
		{ "a/b", false },
		{ "-ab", false },
		{ "ab-", false },
		{ ".ab", false },
		{ "ab.", false },
		{ "a..b", false },
		{ "a.-b", false },
		{ "a-.b", false },
		{ "192.168.5.4", false },
		{ "1.2.3.4", false },
		{ "xn--abc", false },
		{ "sthree-abc", false },
		{ "abc-s3alias", false },
		{ "abc--ol-s3", false },
		{ "b\xc3\xbc"
		  "cher",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (bucket_name_valid(str_c(cases[i].name)) != cases[i].valid)
			fail_msg("%s", cases[i].name);
	assert_false(bucket_name_valid((struct str){ "ab\0c", 4 }));
}

struct creation {
	struct world *w;
	const struct tenant_scope *scope;
	struct str seller, name;
	struct fail f;
};

static enum souk_err
create(struct db_tx *tx, void *arg)
{
	struct creation *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return bucket_create(tx, c->scope, c->seller, c->name, &c->f);
}

static enum souk_err
make(struct world *w, const struct tenant_scope *s, struct str seller, const char *name,
    const char **ret_code)
{
	static char code[32];
	struct creation c = { .w = w, .scope = s, .seller = seller, .name = str_c(name) };
	enum souk_err err = db_write(w->db, create, &c);

	(void)snprintf(code, sizeof(code), "%s", c.f.code ? c.f.code : "");
	*ret_code = code;
	return err;
}

static void
test_create(void **state)
{
	struct world *w = *state;
	const char *code;

	assert_ok(make(w, &w->seller, SELLER, "mine", &code));
	assert_err(SOUK_E_CONFLICT, make(w, &w->seller, SELLER, "mine", &code));
	assert_string_equal(code, "bucket_owned");
	assert_err(SOUK_E_CONFLICT, make(w, &w->other, OTHER, "mine", &code));
	assert_string_equal(code, "bucket_exists");
	assert_ok(make(w, &w->operator_, OTHER, "made-by-operator", &code));
	assert_err(SOUK_E_INVALID, make(w, &w->seller, SELLER, "No", &code));
	/* for somebody else, for nobody, for a buyer: all alike */
	assert_err(SOUK_E_NOT_FOUND, make(w, &w->other, SELLER, "another", &code));
	assert_string_equal(code, "no_such_seller");
	assert_err(SOUK_E_NOT_FOUND, make(w, &w->operator_, STR("999999999999"), "another", &code));
	assert_string_equal(code, "no_such_seller");
	assert_err(SOUK_E_NOT_FOUND, make(w, &w->operator_, BUYER, "another", &code));
	assert_err(SOUK_E_NOT_FOUND, make(w, &w->buyer, BUYER, "another", &code));
}

static void
test_limit(void **state)
{
	struct world *w = *state;
	const char *code;
	char name[32];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "bucket-%d", i);
		assert_ok(make(w, &w->seller, SELLER, name, &code));
	}
	assert_err(SOUK_E_LIMIT, make(w, &w->seller, SELLER, "one-more", &code));
	assert_ok(make(w, &w->other, OTHER, "one-more", &code));
}

struct look {
	struct world *w;
	const struct tenant_scope *scope;
	struct str name, seller;
	struct bucket b, *list;
	size_t n;
	struct fail f;
};

static enum souk_err
get(struct db_tx *tx, void *arg)
{
	struct look *l = arg;

	return bucket_get(tx, l->scope, l->name, &l->b);
}

static enum souk_err
list(struct db_tx *tx, void *arg)
{
	struct look *l = arg;

	return bucket_list(tx, l->scope, l->seller, l->w->mem, &l->list, &l->n);
}

static enum souk_err
drop(struct db_tx *tx, void *arg)
{
	struct look *l = arg;

	return bucket_delete(tx, l->scope, l->name, &l->f);
}

static void
test_owners_only(void **state)
{
	struct world *w = *state;
	struct look l = { .w = w, .name = STR("mine"), .seller = SELLER };
	const char *code;

	assert_ok(make(w, &w->seller, SELLER, "mine", &code));
	assert_ok(make(w, &w->seller, SELLER, "also-mine", &code));
	l.scope = &w->seller;
	assert_ok(db_read(w->db, get, &l));
	assert_string_equal(l.b.seller_id, "000000000101");
	assert_string_equal(l.b.name, "mine");
	assert_ok(db_read(w->db, list, &l));
	assert_int_equal(l.n, 2);
	assert_string_equal(l.list[0].name, "also-mine");
	l.scope = &w->operator_;
	assert_ok(db_read(w->db, get, &l));
	for (int i = 0; i < 2; i++) {
		l.scope = i == 0 ? &w->other : &w->buyer;
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &l));
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list, &l));
		assert_err(SOUK_E_NOT_FOUND, db_write(w->db, drop, &l));
	}
	l.scope = &w->seller;
	assert_ok(db_write(w->db, drop, &l));
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, drop, &l));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_create, world_make, world_remove),
		cmocka_unit_test_setup_teardown(test_limit, world_make, world_remove),
		cmocka_unit_test_setup_teardown(test_owners_only, world_make, world_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
