/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thin seam over the HTTP library (design 4): requests in, responses out.
 *
 * Only http_mhd.c knows libmicrohttpd. An exchange is one request and its answer. The
 * application is told when the headers are there (and says what to do with the body),
 * when the body is there, and when all is over. It may answer at once or later, from any
 * thread; meanwhile the connection is suspended and costs no thread.
 */
#ifndef SOUK_SERVER_HTTP_H
#define SOUK_SERVER_HTTP_H

#include "access/sigv4.h" /* struct sigv4_header: one shape of headers for all */
#include "base/arena.h"
#include "base/io.h"

struct http_exchange;

struct http_request {
	struct str method;
	struct str path;  /* raw, percent-encoded, without the query */
	struct str query; /* raw, without '?'; "" when absent */
	const struct sigv4_header *headers;
	size_t n_headers;
	bool has_body;   /* a body was announced, its length may be unknown */
	struct str body; /* complete when http_app.complete is called, unless streamed */
	bool is_tls;
};
/* First header of a name (ASCII case ignored); p NULL when absent. */
struct str http_header(const struct http_request *r, const char *name);

/* What to do with a body. */
struct http_body_plan {
	uint64_t cap; /* more bytes than this: refused before they are read (413) */
	struct sink
	    *stream; /* NULL: collect; else every piece goes there (errors end the request) */
};

#define HTTP_RESPONSE_HEADERS 32

struct http_response {
	int status;
	struct {
		const char *name; /* literal or in the exchange's arena */
		const char *value;
	} headers[HTTP_RESPONSE_HEADERS];
	size_t n_headers;
	struct str body; /* in the exchange's arena, or static; not used with `read` */
	/* Streamed body of exactly `length` bytes: called in order; 0 or an error ends the connection. */
	enum souk_err (*read)(void *ctx, uint64_t offset, void *p, size_t n, size_t *ret_n);
	/*
	 * NULL, or asked before each `read`. False: reading would wait; the connection is suspended
	 * until the app calls http_more, which it must do, once for each false.
	 */
	bool (*read_ready)(void *ctx, uint64_t offset);
	void (*read_done)(void *ctx); /* called before `over`, also when nothing was read */
	void *read_ctx;
	uint64_t length;
	bool head_only; /* send the headers that `length`/body would have, and no body (HEAD) */
};
/* An empty value or one header too many is left out. */
void http_response_header(struct http_response *r, const char *name, const char *value);

/* The application behind the seam. */
struct http_app {
	void *ctx;
	/* Headers are there. Sets *ret_plan. SOUK_OK: read the body, then `complete`. Anything else: the app has
	 * answered already (http_answer) and the body is not wanted. *ret_state is the app's per-exchange state. */
	enum souk_err (*begin)(
	    void *ctx, struct http_exchange *x, struct http_body_plan *ret_plan, void **ret_state);
	/* The body is there, or not: SOUK_E_LIMIT when it is longer than the cap, the sink's error when
	 * that failed. The app calls http_answer now or later. */
	void (*complete)(void *ctx, struct http_exchange *x, void *state, enum souk_err err);
	/* The answer was sent, or the client went away: free the state. Called exactly once per begin. */
	void (*over)(void *ctx, struct http_exchange *x, void *state);
};

const struct http_request *http_request(const struct http_exchange *x);
struct arena *http_arena(
    struct http_exchange *x); /* lives until `over` has returned; not thread-safe */
/* http_options.memory bytes for the app; zeroed once per connection, then left as the last exchange left them. */
void *http_memory(struct http_exchange *x);
/* Does the calling thread serve this connection and no other? Then it may wait for the disk itself. */
bool http_alone(const struct http_exchange *x);
/* Gives the answer; exactly once per exchange, from any thread. `r` stays until `over`. Sends Date. */
void http_answer(struct http_exchange *x, const struct http_response *r);

/* What `read_ready` waited for is there, or failed. From any thread. */
void http_more(struct http_exchange *x);

struct http_options {
	const char *host;
	uint16_t port;                  /* 0 picks one */
	const char *tls_cert, *tls_key; /* PEM files; NULL or "": plain */
	unsigned threads;
	unsigned connections;
	unsigned per_peer; /* connections from one address; 0: as many as there are */
	/*
	 * A connection on which nothing happens that long is closed; so is one whose request's head
	 * is not there after twice that, or whose body comes slower than 1 KiB a second from then on.
	 */
	unsigned idle_seconds;
	size_t arena_limit; /* bytes of one exchange's arena; bodies are beside it */
	size_t memory;      /* of http_memory */
	/* Called as a connection ends, for what http_memory holds. May be NULL. */
	void (*memory_done)(void *memory);
};
struct http_server;
SOUK_MUST enum souk_err http_server_start(const struct http_options *o, const struct http_app *app,
    struct http_server **ret,
    struct fail *f); /* a port in use: says which and how to find who has it */
uint16_t http_server_port(const struct http_server *s);
/* Takes no new connections, lets running exchanges end for at most `ms`, then closes. Accepts NULL. */
void http_server_stop(struct http_server *s, int64_t ms);

#endif
