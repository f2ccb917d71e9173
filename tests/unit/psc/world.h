/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small marketplace in a temporary directory, for the tests of psc/: one seller, its
 * products, two buyers. Facts are put by plain statements, so that these tests choose
 * every instant and do not depend on the rules of market/.
 */
#ifndef SOUK_TESTS_PSC_WORLD_H
#define SOUK_TESTS_PSC_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "market/tenant_make.h"
#include "psc/contact.h"
#include "psc/contact_store.h"
#include "psc/export.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define assert_ok(x) assert_int_equal((x), SOUK_OK)
#define assert_row(row, condition)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(row), #condition);                        \
	} while (0)

#define SELLER "000000000700"
#define OTHER_SELLER "000000000701"
#define BUYER "000000000042"
#define OTHER_BUYER "000000000043"
#define SECRET_MARK "Zanzibarbara" /* stands in personal fields; must not be found after erasure */

struct world {
	char dir[64];
	struct config *config;
	struct db *db;
	struct vault *vault;
	struct object_store *objects;
	struct tenant_scope op, seller, buyer, other_buyer;
	struct guid product;
	instant_t base; /* 100 days ago, midnight UTC */
};

struct world *world_new(void);
void world_free(struct world *w);
/* Closes and opens the database and what stands on it, for tests with more than one process. */
void world_close(struct world *w);
void world_open(struct world *w, bool create);
/* "DIR/NAME"; static storage. */
const char *world_path(const struct world *w, const char *name);

/* Code is made from the id: 25 letters and digits. */
struct guid world_product(
    struct world *w, const char *seller, instant_t enabled_since /* 0: not */);
void world_enable(struct world *w, const struct guid *product, instant_t since /* 0: disable */);
void world_enrol(struct world *w, const char *seller, bool enrolled, instant_t since);
struct guid world_subscription(
    struct world *w, const struct guid *product, const char *seller, const char *buyer);
void world_agree_end(struct world *w, const struct guid *sub, instant_t ends_at);
void world_cover(struct world *w, instant_t until);
instant_t world_covered(struct world *w);               /* 0: nothing */
int64_t world_count(struct world *w, const char *what); /* see world.c */

/* A valid contact; `n` makes it one of many. Slices are static until the 64th next call. */
struct contact_fields world_fields(unsigned n);

/* One change in a transaction of its own, by the operator, at `at` (0: now). */
enum souk_err world_add(struct world *w, const struct guid *sub, const struct contact_fields *c,
    instant_t at, struct contact *ret, struct fail *f);
enum souk_err world_edit(struct world *w, const struct guid *sub, const struct guid *id,
    const struct contact_fields *c, instant_t at, struct fail *f);
enum souk_err world_delete(
    struct world *w, const struct guid *sub, const struct guid *id, instant_t at, struct fail *f);
enum souk_err world_end(struct world *w, const struct guid *sub, instant_t at, struct fail *f);

/*
 * Many versions at once, straight into the table, in the order of their times: every tenth
 * a tombstone, every seventh an update. `large`: fields of all lengths, full of quotes.
 */
void world_fill(struct world *w, unsigned n, bool large);
struct contact_row world_fill_row(const struct world *w, unsigned i); /* without slices */
struct contact_fields world_fill_fields(unsigned i, bool large);
/* Gives a product to another seller as well, as no program of ours would. */
void world_move(struct world *w, const struct guid *product, const char *seller);

/* A sink that keeps what it gets. */
struct buf_sink {
	struct sink sink;
	struct buf buf;
	size_t fail_after; /* bytes after which writing fails; 0: never */
};
struct buf_sink buf_sink_make(void);
/* The file of a window; asserts success. The caller buf_done()s. */
struct buf world_export(
    struct world *w, instant_t from, instant_t end, unsigned threads, struct psc_export_stats *ret);

#endif
