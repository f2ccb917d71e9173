/* SPDX-License-Identifier: Apache-2.0 */
/* Kept answers: found by the same request only, for a day, until their subject is erased. */
#include "place.h"

#include "access/idempotency.h"
#include "access/idempotency_store.h"

#define BODY "{\"companyName\":\"Kept Answer Ltd\"}"
#define ANSWER "{\"contactId\":\"1\",\"companyName\":\"Kept Answer Ltd\"}"

static struct guid subject = { { 7 } };

static struct idempotency
request(struct place *p, const char *key, const char *path, const char *body)
{
	struct idempotency i;

	assert_int_equal(idempotency_make(p->vault, str_c(key), STR("POST"), str_c(path),
			     str_c(body), &i, &p->f),
	    SOUK_OK);
	return i;
}

static enum souk_err
find(struct place *p, const struct tenant_scope *s, const struct idempotency *i)
{
	struct buf answer = { 0 };
	bool found = false;
	int status = 0;
	enum souk_err err =
	    idempotency_find(p->tx, p->vault, s, i, &found, &status, &answer, &p->f);

	if (err == SOUK_OK && !found)
		err = SOUK_E_NOT_FOUND;
	if (err == SOUK_OK) {
		assert_int_equal(status, 201);
		assert_true(str_eq_c(buf_str(&answer), ANSWER));
	} else {
		assert_int_equal(status, 0);
		assert_int_equal(answer.n, 0);
	}
	buf_done(&answer);
	return err;
}

static void
keep_one(struct place *p)
{
	struct idempotency i = request(p, "k1", "/a", BODY);

	assert_int_equal(find(p, &p->seller, &i), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    idempotency_keep(p->tx, p->vault, &p->seller, &i, &subject, 201, STR(ANSWER)), SOUK_OK);
	assert_int_equal(find(p, &p->seller, &i), SOUK_OK);
}

static void
look(struct place *p)
{
	struct idempotency same = request(p, "k1", "/a", BODY);
	struct idempotency other_key = request(p, "k2", "/a", BODY);
	const struct idempotency others[] = { request(p, "k1", "/b", BODY),
		request(p, "k1", "/a", BODY " "), request(p, "k1", "/a", "") };

	assert_int_equal(find(p, &p->seller, &same), SOUK_OK);
	assert_int_equal(find(p, &p->seller, &other_key), SOUK_E_NOT_FOUND);
	/* Another account's key of the same name is another key. */
	assert_int_equal(find(p, &p->seller_b, &same), SOUK_E_NOT_FOUND);
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(find(p, &p->seller, &others[i]), SOUK_E_CONFLICT);
		assert_string_equal(p->f.code, "idempotency_key_reused");
	}
}

/* One who did not look first. */
static enum souk_err
keep_again(struct db_tx *tx, void *arg)
{
	struct place *p = arg;
	struct idempotency same = request(p, "k1", "/a", BODY);

	return idempotency_keep(tx, p->vault, &p->seller, &same, NULL, 201, STR(ANSWER));
}

static void
test_find(void **state)
{
	struct place *p = *state;

	place_run(p, keep_one);
	place_run(p, look);
	assert_int_equal(db_bulk(p->db, keep_again, p), SOUK_E_CONFLICT);
	assert_false(place_has_bytes(p, "Kept Answer", 11));
}

static void
forget(struct place *p)
{
	struct guid none = { { 8 } };

	assert_int_equal(idempotency_forget(p->tx, &none), SOUK_OK);
	assert_int_equal(idempotency_forget(p->tx, &subject), SOUK_OK);
	assert_int_equal(idempotency_forget(p->tx, &subject), SOUK_OK);
}

static void
look_erased(struct place *p)
{
	struct idempotency same = request(p, "k1", "/a", BODY), other = request(p, "k1", "/a", "");

	assert_int_equal(find(p, &p->seller, &same), SOUK_E_CONFLICT);
	assert_string_equal(p->f.code, "subject_erased");
	assert_int_equal(find(p, &p->seller, &other), SOUK_E_CONFLICT);
	assert_string_equal(p->f.code, "idempotency_key_reused");
}

/* The sealed answer of the only row. */
static struct buf sealed, wrapped;

static void
note_sealed(struct place *p)
{
	struct idempotency i = request(p, "k1", "/a", BODY);
	struct idempotency_row row;

	buf_clear(&sealed);
	buf_clear(&wrapped);
	assert_int_equal(idempotency_row_find(p->tx, STR(SELLER), i.key_hash, 0, &row), SOUK_OK);
	buf_add_str(&sealed, row.answer);
	buf_add_str(&wrapped, row.data_key);
	idempotency_row_done(&row);
}

static void
test_forget(void **state)
{
	struct place *p = *state;

	place_run(p, keep_one);
	place_run(p, note_sealed);
	assert_true(place_has_bytes(p, wrapped.p, wrapped.n));
	place_run(p, forget);
	place_run(p, look_erased);
	/* The wrapped key is nowhere in the files any more. */
	assert_true(db_scrub_wait(p->db, 10000));
	assert_false(place_has_bytes(p, wrapped.p, wrapped.n));
	assert_false(place_has_bytes(p, sealed.p, sealed.n));
	buf_done(&sealed);
	buf_done(&wrapped);
}

static int64_t pruned;
static instant_t before;

static void
prune(struct place *p)
{
	assert_int_equal(idempotency_prune(p->tx, before, &pruned), SOUK_OK);
}

static void
test_prune(void **state)
{
	struct place *p = *state;

	before = clock_now() - 1000;
	place_run(p, keep_one);
	place_run(p, prune);
	assert_int_equal(pruned, 0);
	before = clock_now() + 1000;
	place_run(p, note_sealed);
	assert_true(place_has_bytes(p, wrapped.p, wrapped.n));
	place_run(p, prune);
	assert_int_equal(pruned, 1);
	/* A day is over for the files as well. */
	assert_true(db_scrub_wait(p->db, 10000));
	assert_false(place_has_bytes(p, wrapped.p, wrapped.n));
	assert_false(place_has_bytes(p, sealed.p, sealed.n));
	buf_done(&sealed);
	buf_done(&wrapped);
	place_run(p, keep_one);
}

/* An answer older than a day is no answer, and makes room. */
static instant_t kept_at, replaced_before;

static void
keep_and_age(struct place *p)
{
	struct idempotency i = request(p, "k1", "/a", BODY);
	struct idempotency_row found;

	keep_one(p);
	kept_at = db_now(p->tx);
	assert_int_equal(
	    idempotency_row_find(p->tx, STR(SELLER), i.key_hash, kept_at - 1, &found), SOUK_OK);
	idempotency_row_done(&found);
	assert_int_equal(idempotency_row_find(p->tx, STR(SELLER), i.key_hash, kept_at, &found),
	    SOUK_E_NOT_FOUND);
}

static enum souk_err
replace(struct db_tx *tx, void *arg)
{
	struct idempotency i = request(arg, "k1", "/a", BODY);
	const struct idempotency_new row = { .account_id = STR(SELLER),
		.key = &i,
		.status = 201,
		.data_key = STR("x"),
		.answer = STR("y") };

	return idempotency_row_add(tx, &row, replaced_before);
}

static void
test_age(void **state)
{
	struct place *p = *state;

	place_run(p, keep_and_age);
	replaced_before = kept_at - 1;
	assert_int_equal(db_bulk(p->db, replace, p), SOUK_E_CONFLICT);
	replaced_before = kept_at;
	assert_int_equal(db_bulk(p->db, replace, p), SOUK_OK);
}

static void
test_make(void **state)
{
	struct place *p = *state;
	char longest[256];
	struct idempotency i, same = request(p, "k", "/a", "b");
	static const char *const bad[] = { "", "a b", "a\n", "\xc3\xa4", "\x7f" };

	memset(longest, 'k', sizeof(longest));
	assert_int_equal(idempotency_make(p->vault, (struct str){ longest, 255 }, STR("POST"),
			     STR("/"), STR(""), &i, NULL),
	    SOUK_OK);
	assert_int_equal(idempotency_make(p->vault, (struct str){ longest, 256 }, STR("POST"),
			     STR("/"), STR(""), &i, NULL),
	    SOUK_E_INVALID);
	for (size_t k = 0; k < COUNT(bad); k++) {
		memset(&p->f, 0, sizeof(p->f));
		assert_row(k, idempotency_make(p->vault, str_c(bad[k]), STR("POST"), STR("/"),
				  STR(""), &i, &p->f) == SOUK_E_INVALID);
		assert_string_equal(p->f.entry[0].field, "Idempotency-Key");
	}
	i = request(p, "k", "/a", "b");
	assert_memory_equal(&i, &same, sizeof(i));
	i = request(p, "k", "/ab", "");
	assert_memory_equal(i.key_hash, same.key_hash, 32);
	assert_memory_not_equal(i.request_hash, same.request_hash, 32);
	i = request(p, "K", "/a", "b");
	assert_memory_not_equal(i.key_hash, same.key_hash, 32);
}

static void
keep_many(struct place *p)
{
	for (int n = 0; n < 5; n++) {
		char key[16];
		struct idempotency i;

		(void)snprintf(key, sizeof(key), "m%d", n);
		i = request(p, key, "/a", BODY);
		assert_int_equal(
		    idempotency_keep(p->tx, p->vault, n % 2 ? &p->seller : &p->seller_b, &i,
			n == 4 ? &subject : NULL, 201, STR(ANSWER)),
		    SOUK_OK);
	}
	assert_int_equal(idempotency_forget(p->tx, &subject), SOUK_OK);
}

static struct buf cursor;
static int64_t changed;
static bool done;

static void
rewrap_three(struct place *p)
{
	assert_int_equal(idempotency_rewrap(p->tx, p->vault, &cursor, 3, &changed, &done), SOUK_OK);
}

static void
look_all(struct place *p)
{
	for (int n = 0; n < 4; n++) {
		char key[16];
		struct idempotency i;

		(void)snprintf(key, sizeof(key), "m%d", n);
		i = request(p, key, "/a", BODY);
		assert_int_equal(find(p, n % 2 ? &p->seller : &p->seller_b, &i), SOUK_OK);
	}
}

/* Every kept answer but the erased one, across accounts, in batches. */
static void
test_rotation(void **state)
{
	struct place *p = *state;

	place_run(p, keep_many);
	assert_int_equal(vault_ring_add(p->vault, &p->f), SOUK_OK);
	place_run(p, rewrap_three);
	assert_int_equal(changed, 3);
	assert_false(done);
	place_run(p, rewrap_three);
	assert_int_equal(changed, 1);
	assert_true(done);
	buf_clear(&cursor);
	place_run(p, rewrap_three);
	assert_int_equal(changed, 0);
	buf_done(&cursor);
	assert_int_equal(vault_ring_retire(p->vault, &p->f), SOUK_OK);
	place_run(p, look_all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_find),
		IN_PLACE(test_forget),
		IN_PLACE(test_prune),
		IN_PLACE(test_age),
		IN_PLACE(test_make),
		IN_PLACE(test_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
