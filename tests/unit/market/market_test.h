/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A marketplace to test the market layer in: a database of its own for each test, an
 * operator, two sellers, two buyers, one who does both, a product and a subscription.
 *
 * The body of a test runs inside one transaction on the test's own thread, so that a
 * failed assertion finds its way out; its database is then left as it is.
 */
#ifndef SOUK_TESTS_MARKET_TEST_H
#define SOUK_TESTS_MARKET_TEST_H

#include "market/market.h"
#include "market/tenant_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define SELLER "000000000101"
#define SELLER_B "000000000102"
#define BUYER "000000000201"
#define BUYER_B "000000000202"
#define BOTH "000000000301"
#define NOBODY "999999999999"
#define CODE "abcdefghijklmnopqrstuvwx1"
#define PRODUCT_ID "11111111-1111-4111-8111-111111111111"
#define SUB_ID "22222222-2222-4222-8222-222222222222"

struct world {
	char dir[64], path[1024];
	struct db *db;
	struct db_tx *tx;
	struct arena *mem;
	struct tenant_scope op, seller, seller_b, buyer, buyer_b, both;
	struct fail f;      /* cleared by W_FAIL */
	json_t *kept[4096]; /* parsed documents: structs borrow from them */
	size_t n_kept;
	struct buf out;
	void (*body)(struct world *w);
	bool populated, inside;
	bool undone;     /* set by a body that breaks a constraint: the server undoes it all */
	instant_t noted; /* from one body to the next */
};

int world_setup(void **state);
int world_teardown(void **state);
/* Runs `body` in a transaction of the world; the clock stands still in it. */
void world_run(void **state, void (*body)(struct world *w));

/* As though the seller had exported contacts up to `until`. */
void world_exported(struct world *w, const char *seller, instant_t until);

/* Parses text with ' for "; the document lives as long as the world. */
json_t *world_json(struct world *w, const char *text);
/* A cleared failure to give to a call. */
struct fail *world_fail(struct world *w);
/* Does the last failure name this field? */
void assert_field(const struct world *w, const char *field);
void assert_code(const struct world *w, const char *code);
/* `text` is in what was written into w->out, or is not. */
void assert_out(const struct world *w, const char *text, bool want);

/* Makes one from JSON as the operator, and expects it to work. */
struct account world_account(struct world *w, const char *text);
struct product world_product(struct world *w, const char *text);
struct offer world_offer(struct world *w, const char *text);
struct subscription world_subscription(struct world *w, const char *text);
struct guid world_guid(const char *text);

/* `n` letters, in the world's arena. */
const char *letters(struct world *w, size_t n);

/* Starts an array in w->out; world_list_end ends it and returns the number of its entries. */
struct jw world_list_begin(struct world *w);
size_t world_list_end(struct world *w, struct jw *out);

/* A test that runs in a world; `name` is a static void (struct world *). */
#define WORLD_TEST(name)                                                                           \
	static void run_##name(void **state)                                                       \
	{                                                                                          \
		world_run(state, name);                                                            \
	}
#define UNIT(name) cmocka_unit_test_setup_teardown(run_##name, world_setup, world_teardown)

#endif
