/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole server on a data directory of its own, inside the test: one operator, two
 * buyers, a seller, a subscription of each buyer. And a small HTTP client.
 */
#ifndef SOUK_TESTS_SERVER_PLACE_H
#define SOUK_TESTS_SERVER_PLACE_H

#include "check.h"

#include "server/dispatch.h"
#include "server/health.h"
#include "server/upkeep.h"

#define BUYER "000000000042"
#define OTHER_BUYER "000000000043"
#define SELLER "000000000700"

struct login {
	char token[TOKEN_LEN + 1];
	struct new_key key;
	struct guid user;
};

struct place {
	char dir[64];
	struct config *config;
	struct services svc;
	struct health health;
	struct dispatcher *dispatcher;
	struct http_server *http;
	struct login op, buyer, other_buyer, seller;
	struct guid product, sub, other_sub;
	char contacts[128]; /* path of the buyer's contacts */
};

int place_setup(void **state);
int place_setup_limited(void **state); /* three requests a second */
int place_teardown(void **state);

struct reply {
	long status;
	struct buf head, body;
	json_t *json; /* NULL when it is none */
};
/*
 * `as` NULL: without a token. `body` NULL: none; JSON unless the first header says another
 * Content-Type. `headers` ends with NULL; NULL: none.
 */
struct reply ask(struct place *p, const struct login *as, const char *method, const char *path,
    const char *body, const char *const *headers);
void reply_done(struct reply *r);
/* The value of a header, "" when absent; in static memory until the next call. */
const char *reply_header(const struct reply *r, const char *name);
/* A string member of the answer; fails the test when there is none. */
const char *reply_text(const struct reply *r, const char *member);

#define assert_status(r, want)                                                                     \
	do {                                                                                       \
		if ((r).status != (want))                                                          \
			fail_msg("status %ld: %s", (r).status, (r).body.p ? (r).body.p : "");      \
	} while (0)

#endif
