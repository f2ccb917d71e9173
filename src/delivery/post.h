/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends a body to a URL that somebody else chose, or gets what is there: one POST or GET, no redirects, no proxies, no
 * private addresses, bounded time and answer.
 *
 * The address is checked when the socket is made, on what the name led to at that
 * moment: a name that changes its address meanwhile gains nothing. Reasons are words of
 * ours; they never hold the URL, whose query may be a secret.
 */
#ifndef SOUK_DELIVERY_POST_H
#define SOUK_DELIVERY_POST_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define POST_URL_MAX 2048
#define POST_TIMEOUT_MS 15000
#define POST_ANSWER_MAX 65536 /* bytes read of an answer's body, unless more is asked for */

struct post_rules {
	/* Private, loopback and link-local addresses too, and plain http on loopback. */
	bool allow_private;
	const char *ca_file; /* more trusted certificates; "" none */
	int64_t timeout_ms;
};

/*
 * May this URL be posted to, as far as the text tells? https (http on a loopback host when
 * private addresses are allowed), a host, no user information, no fragment. Names field "url".
 */
SOUK_MUST enum souk_err post_url_check(struct str url, bool allow_private, struct fail *f);

/* Thread-safe; keeps connections open between calls. */
struct poster;
SOUK_MUST enum souk_err poster_new(const struct post_rules *r, struct poster **ret);
void poster_free(struct poster *p); /* nobody may be sending */

struct post {
	const char *url;
	const char *const *headers; /* "Name: value", NULL at the end */
	const char *user_agent;
	struct str body;
	bool
	    allow_private; /* for this one too, whatever the rules say: the operator chose the URL */
	struct buf *ret_body; /* gets the answer's body; NULL: thrown away */
	bool get;             /* a GET: no body, no headers but `headers` */
	size_t
	    answer_max; /* bytes; 0: POST_ANSWER_MAX. Of a longer one at least so many are read */
	const char *connect_to; /* HOST:PORT that stands in for the URL's host; NULL: none does */
};

enum post_outcome {
	POST_DONE,  /* 2xx */
	POST_LATER, /* may work another time: no connection, no answer in time, 3xx, 429, 5xx */
	POST_NEVER  /* refused: 4xx, an address or URL that is not allowed */
};

struct post_answer {
	enum post_outcome outcome;
	long status; /* 0 without an answer */
	char reason[96];
};

void poster_send(struct poster *p, const struct post *what, struct post_answer *ret);

#endif
