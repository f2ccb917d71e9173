/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends connections whose client takes forever to say what it wants.
 *
 * The library's timeout is for silence: a byte now and then keeps a connection, and
 * with enough of them one machine holds all that there are. Here a request's head has to
 * be there in a given time, and a body has to come at a pace.
 */
#ifndef SOUK_SERVER_HTTP_PACE_H
#define SOUK_SERVER_HTTP_PACE_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdint.h>

struct http_pace;

/* One connection; lives in what the caller keeps of it. */
struct http_paced {
	struct http_paced *next, **link;
	int fd;
	_Atomic uint64_t until_s; /* 0: the client is waited for no more */
	uint64_t body_s;          /* until_s of a body of which nothing has come yet */
};

SOUK_MUST enum souk_err http_pace_start(unsigned patience_s, struct http_pace **ret);
/* `fd` stays open until http_pace_remove. The head is awaited. */
void http_pace_add(struct http_pace *p, struct http_paced *c, int fd);
void http_pace_remove(struct http_pace *p, struct http_paced *c);
/* The next request's head, its body (call again as it comes: `got` bytes so far), nothing. */
void http_pace_head(struct http_pace *p, struct http_paced *c);
void http_pace_body(struct http_pace *p, struct http_paced *c, uint64_t got);
void http_pace_rest(struct http_paced *c);
/* Ends every connection there is and that comes yet; returns when all are removed. What was sent arrives. */
void http_pace_end(struct http_pace *p);
void http_pace_stop(struct http_pace *p); /* after the last connection; accepts NULL */

#endif
