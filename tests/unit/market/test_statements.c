/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements themselves: all prepare on the schema, and number their parameters in the
 * order in which they first appear, without which SQLite would bind them swapped.
 */
#include "market_test.h"
#include "unit/database.h"

#include "market/charge_store.h"
#include "market/market_store.h"
#include "market/usage_store.h"

static struct db_texts *const all[] = { &account_texts, &user_texts, &product_texts, &offer_texts,
	&subscription_texts, &enrolment_texts, &id_owner_texts, &usage_texts, &rate_texts,
	&fee_texts };

/* The number of parameters. */
static int
assert_numbered(const char *sql)
{
	long highest = 0;

	for (const char *p = sql; (p = strchr(p, '$')) != NULL;) {
		long n = strtol(p + 1, NULL, 10);

		if (n < 1 || n > highest + 1)
			fail_msg("$%ld comes too early: %s", n, sql);
		highest = n > highest ? n : highest;
		p++;
	}
	return (int)highest;
}

static void
test_parameters_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned q = 0; q < all[i]->n; q++)
			assert_in_range(assert_numbered(all[i]->sql[q]), 1, 18);
}

/*
 * With 0 for every parameter nothing is found, and an insert breaks the schema's rules. A server is
 * stricter with types and ends a transaction at the first failure: there they are only prepared.
 */
static void
they_prepare(struct world *w)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && test_on_postgres(); i++)
		for (unsigned q = 0; q < all[i]->n; q++)
			assert_true(test_database_prepares(w->dir, all[i]->sql[q]));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !test_on_postgres(); i++)
		for (unsigned q = 0; q < all[i]->n; q++) {
			struct db_stmt *st = db_stmt(w->tx, all[i], q);
			int n = assert_numbered(all[i]->sql[q]);
			enum souk_err r;

			for (int k = 1; k <= n; k++)
				db_bind_int(st, k, 0);
			r = db_run(st, NULL);
			if (r != SOUK_OK && r != SOUK_E_CONFLICT)
				fail_msg("%s: %s", all[i]->component, all[i]->sql[q]);
			assert_true(r == SOUK_OK || strncmp(all[i]->sql[q], "INSERT", 6) == 0);
		}
}
WORLD_TEST(they_prepare)

static const struct guid id = { { 1 } }, none = { { 2 } };

static void
takes_ids(struct world *w)
{
	assert_int_equal(id_owner_put(w->tx, ID_OFFER, &id, SELLER), SOUK_OK);
	assert_int_equal(id_owner_put(w->tx, ID_PRODUCT, &id, SELLER_B), SOUK_OK);
}

static void
takes_its_own_again(struct world *w)
{
	assert_int_equal(id_owner_put(w->tx, ID_OFFER, &id, SELLER), SOUK_E_CONFLICT);
	w->undone = true;
}

static void
takes_anothers(struct world *w)
{
	assert_int_equal(id_owner_put(w->tx, ID_OFFER, &id, SELLER_B), SOUK_E_CONFLICT);
	w->undone = true;
}

static void
finds_owners(struct world *w)
{
	struct id_owner owner = { "" };

	assert_int_equal(id_owner_find(w->tx, ID_SUBSCRIPTION, &id, &owner), SOUK_E_NOT_FOUND);
	assert_int_equal(id_owner_find(w->tx, ID_OFFER, &none, &owner), SOUK_E_NOT_FOUND);
	assert_string_equal(owner.seller_id, "");
	assert_int_equal(id_owner_find(w->tx, ID_OFFER, &id, &owner), SOUK_OK);
	assert_string_equal(owner.seller_id, SELLER);
	assert_int_equal(id_owner_find(w->tx, ID_PRODUCT, &id, &owner), SOUK_OK);
	assert_string_equal(owner.seller_id, SELLER_B);
}

/* An id that somebody else took since one looked is refused by its key, whosever it is. */
static void
run_ids_are_one_sellers(void **state)
{
	world_run(state, takes_ids);
	world_run(state, takes_its_own_again);
	world_run(state, takes_anothers);
	world_run(state, finds_owners);
}

/* The first text that has `words`. */
static const char *
text_with(const struct db_texts *t, const char *words)
{
	for (unsigned q = 0; q < t->n; q++)
		if (strstr(t->sql[q], words))
			return t->sql[q];
	fail_msg("%s: no %s", t->component, words);
	return "";
}

/* The only step of the plan begins so on the embedded engine; what PostgreSQL looks up, not filters, is so. */
static void
assert_plan(struct world *w, const char *sql, const char *embedded, const char *pg)
{
	const char *explain = arena_printf(w->mem, "EXPLAIN QUERY PLAN %s", sql);
	struct db_texts plan = { .component = "plan", .sql = &explain, .n = 1 };
	struct db_stmt *st;

	if (test_on_postgres()) {
		char *steps = test_database_plan(w->dir, sql, assert_numbered(sql));
		char *found = strstr(steps, pg), *filter = strstr(steps, "Filter:");

		if (!found || (filter && filter < found))
			fail_msg("%s: %s", sql, steps);
		free(steps);
		return;
	}
	st = db_stmt(w->tx, &plan, 0);
	assert_int_equal(db_one(st), SOUK_OK);
	if (!str_starts(db_text(st, 3), str_c(embedded)))
		fail_msg("%s: %.*s", sql, (int)db_text(st, 3).n, db_text(st, 3).p);
	db_reset(st);
}

/* Large sellers would wait for ever: what they sold is no way to what a buyer bought. */
static void
they_use_their_index(struct world *w)
{
	assert_plan(w, text_with(&product_texts, "FROM subscription"),
	    "SEARCH subscription USING INDEX subscription_by_buyer (buyer_id=?",
	    "Index Cond: (buyer_id = $");
	assert_plan(w, text_with(&id_owner_texts, "SELECT seller_id FROM id_owner"),
	    "SEARCH id_owner USING PRIMARY KEY (kind=? AND id=?)",
	    "Index Cond: ((kind = $1) AND (id = $2))");
	assert_plan(w,
	    text_with(&subscription_texts, " FROM subscription WHERE seller_id = $1 AND subsc"),
	    "SEARCH subscription USING PRIMARY KEY (seller_id=? AND subscription_id=?)",
	    "(subscription_id = $2)");
	assert_plan(w, text_with(&usage_texts, "FROM subscription s WHERE"),
	    "SEARCH s USING INDEX subscription_by_buyer (buyer_id=?",
	    "Index Scan using subscription_by_buyer on subscription s");
	assert_plan(w, text_with(&usage_texts, "FROM usage_record"),
	    "SEARCH usage_record USING PRIMARY KEY (seller_id=? AND hour=? AND product_id=? AND "
	    "buyer_id=? AND dimension=?)",
	    "Index Cond: ((seller_id = $1)");
	assert_plan(w, text_with(&fee_texts, "ORDER BY fee_id"),
	    "SEARCH fee USING INDEX fee_by_subscription (seller_id=? AND subscription_id=? AND "
	    "fee_id>?)",
	    "Index Cond: ((seller_id = $1) AND (subscription_id = $2)");
	assert_plan(w, text_with(&rate_texts, "rate_id = $3"),
	    "SEARCH offer_rate USING PRIMARY KEY (seller_id=? AND offer_id=?)",
	    "Index Cond: ((seller_id = $1) AND (offer_id = $2)");
}
WORLD_TEST(they_use_their_index)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_in_order),
		UNIT(they_prepare),
		UNIT(ids_are_one_sellers),
		UNIT(they_use_their_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
