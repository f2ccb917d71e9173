/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP seam, spoken to over a bare socket: what a well-behaved client library would
 * hide (a body cut off early, requests in one packet, half a request) is the point here.
 */
#include "server/http.h"
#include "server/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define LONG_LENGTH ((size_t)24 << 20) /* more than sockets hold */

/* ---- an application that does what the path says -------------------------------------- */

struct app {
	struct http_server *server;
	_Atomic int begun, over, streams_done;
	_Atomic uint64_t streamed;
	struct sink stream;
};

struct exchange {
	struct http_response r;
	struct http_exchange *x;
	pthread_t answerer;
	bool has_answerer;
	int pause_ms;
};

static enum souk_err
count_bytes(struct sink *s, const void *p, size_t n)
{
	struct app *a = (struct app *)((char *)s - offsetof(struct app, stream));

	(void)p;
	if (atomic_fetch_add(&a->streamed, n) + n > 1000000)
		return SOUK_E_STORAGE;
	return SOUK_OK;
}

static enum souk_err
begin(void *ctx, struct http_exchange *x, struct http_body_plan *plan, void **ret_state)
{
	struct app *a = ctx;
	struct exchange *e = http_memory(x);
	const struct http_request *q = http_request(x);

	atomic_fetch_add(&a->begun, 1);
	*e = (struct exchange){ .x = x, .r = { .status = 200 }, .pause_ms = 1 };
	*ret_state = e;
	plan->cap = 1000;
	if (str_eq_c(q->path, "/stream")) {
		plan->cap = 1 << 30;
		plan->stream = &a->stream;
	}
	if (str_eq_c(q->path, "/refuse")) {
		e->r.status = 401;
		http_answer(x, &e->r);
		return SOUK_E_UNAUTHENTICATED;
	}
	return SOUK_OK;
}

static void *
answer_later(void *arg)
{
	struct exchange *e = arg;

	/* Sometimes before the connection is parked, sometimes after. */
	if (e->pause_ms > 1 || prng_below(&(struct prng){ .s = clock_mono_ns() }, 2))
		clock_sleep_ms(e->pause_ms);
	http_answer(e->x, &e->r);
	return NULL;
}

static enum souk_err
read_letters(void *ctx, uint64_t offset, void *p, size_t n, size_t *ret_n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((char *)p)[i] = (char)('a' + (offset + i) % 26);
	*ret_n = n;
	return SOUK_OK;
}

static void
letters_done(void *ctx)
{
	atomic_fetch_add(&((struct app *)ctx)->streams_done, 1);
}

static void
complete(void *ctx, struct http_exchange *x, void *state, enum souk_err err)
{
	struct app *a = ctx;
	struct exchange *e = state;
	const struct http_request *q = http_request(x);

	if (err != SOUK_OK)
		e->r.status = err == SOUK_E_LIMIT ? 413 : 500;
	else if (str_eq_c(q->path, "/echo"))
		e->r.body = q->body;
	else if (str_eq_c(q->path, "/query"))
		e->r.body = q->query;
	else if (str_eq_c(q->path, "/letters") || str_eq_c(q->path, "/long")) {
		e->r.read = read_letters;
		e->r.read_done = letters_done;
		e->r.read_ctx = a;
		e->r.length = str_eq_c(q->path, "/long") ? LONG_LENGTH : 300000;
		e->r.head_only = str_eq_c(q->method, "HEAD");
	} else if (str_eq_c(q->path, "/header"))
		http_response_header(&e->r, "X-Seen",
		    arena_strndup(
			http_arena(x), http_header(q, "x-SEEN").p, http_header(q, "x-seen").n));
	else if (str_eq_c(q->path, "/alone"))
		e->r.body = http_alone(x) ? STR("alone") : STR("in company");
	else if (str_eq_c(q->path, "/slow"))
		clock_sleep_ms(100);
	else if (str_eq_c(q->path, "/later") || str_eq_c(q->path, "/latest")) {
		e->pause_ms = str_eq_c(q->path, "/later") ? 1 : 300;
		e->r.body = STR("late");
		e->has_answerer = pthread_create(&e->answerer, NULL, answer_later, e) == 0;
		return;
	}
	http_answer(x, &e->r);
}

static void
over(void *ctx, struct http_exchange *x, void *state)
{
	struct app *a = ctx;
	struct exchange *e = state;

	(void)x;
	if (e->has_answerer)
		(void)pthread_join(e->answerer, NULL);
	atomic_fetch_add(&a->over, 1);
}

static int
start_with(void **state, struct http_options o)
{
	struct app *a = calloc(1, sizeof(*a));
	struct fail f = { .err = SOUK_OK };

	a->stream.write = count_bytes;
	if (http_server_start(&o,
		&(struct http_app){ .ctx = a, .begin = begin, .complete = complete, .over = over },
		&a->server, &f) != SOUK_OK)
		return -1;
	*state = a;
	return 0;
}

static int
start(void **state)
{
	return start_with(state, (struct http_options){ .host = "127.0.0.1",
				     .threads = 2,
				     .connections = 64,
				     .idle_seconds = 30,
				     .arena_limit = 1 << 20,
				     .memory = sizeof(struct exchange) });
}

static int
start_impatient(void **state)
{
	return start_with(state, (struct http_options){ .host = "127.0.0.1",
				     .threads = 1,
				     .connections = 16,
				     .per_peer = 6,
				     .idle_seconds = 1,
				     .arena_limit = 1 << 20,
				     .memory = sizeof(struct exchange) });
}

static int
stop(void **state)
{
	struct app *a = *state;
	int ok;

	http_server_stop(a->server, 2000);
	ok = atomic_load(&a->begun) == atomic_load(&a->over);
	free(a);
	return ok ? 0 : -1;
}

/* ---- a client ------------------------------------------------------------------------------ */

/* -1: nobody listens there. */
static int
dial_port(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	(void)close(fd); /* errno stays connect's */
	return -1;
}

static int
dial(struct app *a)
{
	int fd = dial_port(http_server_port(a->server));

	assert_true(fd >= 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads one answer; the body's length is told by Content-Length. */
static void
hear(int fd, struct buf *b, bool is_head)
{
	char piece[4096];
	const char *end, *length;
	size_t want = SIZE_MAX;

	buf_clear(b);
	while (b->n < want) {
		size_t most = want == SIZE_MAX ? 1 : want - b->n;
		ssize_t n = recv(fd, piece, most < sizeof(piece) ? most : sizeof(piece), 0);

		if (n <= 0)
			return;
		buf_add(b, piece, (size_t)n);
		if (want != SIZE_MAX || !(end = strstr(b->p, "\r\n\r\n")))
			continue;
		length = strcasestr(b->p, "Content-Length: ");
		want = (size_t)(end + 4 - b->p);
		if (length && !is_head)
			want += strtoul(length + 16, NULL, 10);
	}
}

/* Does the other side end the connection, whatever it still has to say? */
static bool
closes(int fd)
{
	char rest[4096];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(fd, rest, sizeof(rest), 0)) > 0 && all < sizeof(rest))
		all += (size_t)n;
	return n <= 0;
}

static void
assert_answer(const struct buf *b, int status, const char *body)
{
	char line[32];

	assert_non_null(b->p);
	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	assert_memory_equal(b->p, line, strlen(line));
	assert_non_null(strcasestr(b->p, "\r\nDate: "));
	if (body)
		assert_string_equal(strstr(b->p, "\r\n\r\n") + 4, body);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void
keeps_connections_and_raw_text(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd = dial(a);

	/* Three requests in one packet, answered in order on one connection. */
	say(fd, "GET /query?a=%20b&c=+d HTTP/1.1\r\nHost: x\r\n\r\n"
		"GET /header HTTP/1.1\r\nHost: x\r\nX-SeEn:   one two \r\n\r\n"
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
	hear(fd, &b, false);
	assert_answer(&b, 200, "a=%20b&c=+d");
	hear(fd, &b, false);
	assert_answer(&b, 200, "");
	assert_non_null(strstr(b.p, "X-Seen: one two"));
	hear(fd, &b, false);
	assert_answer(&b, 200, "abc");
	say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
	hear(fd, &b, false);
	assert_answer(&b, 200, "abcde");
	(void)close(fd);
	buf_done(&b);
}

static void
answers_from_other_threads(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd[8];

	for (int i = 0; i < 8; i++)
		fd[i] = dial(a);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 8; i++)
			say(fd[i], "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
		for (int i = 0; i < 8; i++) {
			hear(fd[i], &b, false);
			assert_answer(&b, 200, "late");
		}
	}
	for (int i = 0; i < 8; i++)
		(void)close(fd[i]);
	buf_done(&b);
}

/* Does the connection's thread say that it serves no other one? */
static bool
is_alone(int fd)
{
	struct buf b = { 0 };
	bool is;

	say(fd, "GET /alone HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(fd, &b, false);
	is = b.n > 5 && strcmp(b.p + b.n - 5, "alone") == 0;
	assert_answer(&b, 200, is ? "alone" : "in company");
	buf_done(&b);
	return is;
}

static void
knows_a_lone_connection(void **state)
{
	struct app *a = *state;
	int one = dial(a), two;

	assert_true(is_alone(one));
	two = dial(a);
	assert_false(is_alone(two));
	assert_false(is_alone(one));
	(void)close(two);
	/* The thread learns of it when it looks next. */
	for (int i = 0; i < 500 && !is_alone(one); i++)
		clock_sleep_ms(10);
	assert_true(is_alone(one));
	(void)close(one);
}

static void
refuses_long_bodies_unread(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd = dial(a);

	/* Announced: refused though not a byte of it was sent, and the connection closed. */
	say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n");
	hear(fd, &b, false);
	assert_answer(&b, 413, "");
	assert_true(closes(fd));
	(void)close(fd);
	/* Not announced: noticed on the way. */
	fd = dial(a);
	say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
	for (int i = 0; i < 100; i++)
		say(fd, "0123456789");
	say(fd, "\r\n1\r\nx\r\n0\r\n\r\n");
	hear(fd, &b, false);
	assert_answer(&b, 413, "");
	/* 1000 bytes are within the cap. */
	say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
	for (int i = 0; i < 100; i++)
		say(fd, "0123456789");
	hear(fd, &b, false);
	assert_answer(&b, 200, NULL);
	say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
	for (int i = 0; i < 100; i++)
		say(fd, "0123456789");
	say(fd, "x");
	hear(fd, &b, false);
	assert_answer(&b, 413, "");
	(void)close(fd);
	buf_done(&b);
}

static void
the_answer_survives_a_client_that_sends_on(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	char block[65536];
	int fd = dial(a), full = 0;

	memset(block, 'x', sizeof(block));
	say(fd, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n");
	/* A client that reads only after it has written all. */
	for (int i = 0; i < 160; i++)
		full += send(fd, block, sizeof(block), MSG_NOSIGNAL) == (ssize_t)sizeof(block);
	hear(fd, &b, false);
	assert_answer(&b, 401, "");
	assert_int_equal(full, 160);
	(void)close(fd);
	buf_done(&b);
}

static void
a_refusal_of_a_short_body_keeps_the_connection(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd = dial(a);

	for (int i = 0; i < 3; i++) {
		say(fd, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde");
		hear(fd, &b, false);
		assert_answer(&b, 401, "");
	}
	(void)close(fd);
	buf_done(&b);
}

static void
continues_only_when_it_wants_the_body(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd = dial(a);

	say(fd,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	hear(fd, &b, false);
	assert_memory_equal(b.p, "HTTP/1.1 100 ", 13);
	say(fd, "ok");
	hear(fd, &b, false);
	assert_answer(&b, 200, "ok");
	say(fd, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: "
		"100-continue\r\n\r\n");
	hear(fd, &b, false);
	assert_answer(&b, 401, "");
	(void)close(fd);
	buf_done(&b);
}

static void
streams_both_ways(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	char block[1000];
	int fd = dial(a);

	say(fd, "GET /letters HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(fd, &b, false);
	assert_answer(&b, 200, NULL);
	const char *body = strstr(b.p, "\r\n\r\n") + 4;
	assert_int_equal(b.n - (size_t)(body - b.p), 300000);
	for (size_t i = 0; i < 300000; i++)
		if (body[i] != (char)('a' + i % 26))
			fail_msg("byte %zu", i);
	say(fd, "HEAD /letters HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(fd, &b, true);
	assert_answer(&b, 200, "");
	assert_non_null(strcasestr(b.p, "Content-Length: 300000"));
	memset(block, 'x', sizeof(block));
	say(fd, "PUT /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
	for (int i = 0; i < 900; i++)
		assert_int_equal(send(fd, block, 1000, MSG_NOSIGNAL), 1000);
	hear(fd, &b, false);
	assert_answer(&b, 200, "");
	assert_int_equal(atomic_load(&a->streamed), 900000);
	/* A sink that fails ends the request, not the server. */
	say(fd, "PUT /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
	for (int i = 0; i < 900; i++)
		assert_int_equal(send(fd, block, 1000, MSG_NOSIGNAL), 1000);
	hear(fd, &b, false);
	assert_answer(&b, 500, "");
	assert_int_equal(atomic_load(&a->streams_done), 2);
	(void)close(fd);
	/* A client that goes away in the middle of its body. */
	fd = dial(a);
	say(fd, "PUT /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nxxx");
	(void)close(fd);
	buf_done(&b);
}

static void
refuses_what_is_no_request(void **state)
{
	static const char *const bad[] = {
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
		"chunked\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n",
		"GET /echo HTTP/1.1\r\n\r\n",
		/* Where the body ends must be clear to everybody on the way. */
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: "
		"30\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: "
		"3\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
		"identity\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \vchunked\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Len: 3\r\n gth\r\n\r\nabc",
		"GET /header HTTP/1.1\r\nHost: x\r\nX-Se: a\r\n\ten\r\n\r\n",
		"GET /header HTTP/1.1\r\nHost: x\r\nX-Seen:\r\n a\r\n\r\n",
		"GET /header HTTP/1.1\r\nHost: x\r\nX-Seen: a\r\n b\r\n c\r\n\r\n",
		/* Some end a line at a bare CR. */
		"GET /header HTTP/1.1\r\nHost: x\r\nX-Seen: a\rContent-Length: 5\r\n\r\n",
	};
	struct app *a = *state;
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = dial(a);

		say(fd, bad[i]);
		hear(fd, &b, false);
		if (!b.p || memcmp(b.p, "HTTP/1.1 400 ", 13) != 0)
			fail_msg("request %zu: %.40s", i, b.p ? b.p : "");
		if (!closes(fd))
			fail_msg("request %zu keeps its connection: %s", i, b.p);
		(void)close(fd);
	}
	int fd = dial(a);
	say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 120; i++)
		say(fd, "X-Many: 1\r\n");
	say(fd, "\r\n");
	hear(fd, &b, false);
	assert_memory_equal(b.p, "HTTP/1.1 431 ", 13);
	(void)close(fd);
	buf_done(&b);
}

/* The library takes a NUL for the end of a value: what stands behind it is there for others. */
static void
refuses_values_with_nul(void **state)
{
#define TEXT(t)                                                                                    \
	{                                                                                          \
		.p = (t), .n = sizeof(t) - 1                                                       \
	}
	static const struct str bad[] = {
		TEXT("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\0005\r\n\r\n"),
		TEXT("POST /echo HTTP/1.1\r\nContent-Length: 0\0005\r\nHost: x\r\n\r\n"),
		TEXT("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\0x\r\nHost: x\r\n\r\n"),
		TEXT("GET /header HTTP/1.1\r\nX-Seen: a\0\0b\r\nHost: x\r\n\r\n"),
	};
	static const char good[] = "GET /header HTTP/1.1\nX-Seen:  a b \nHost: x\n\n";
#undef TEXT
	struct app *a = *state;
	struct buf b = { 0 };
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = dial(a);
		assert_int_equal(send(fd, bad[i].p, bad[i].n, MSG_NOSIGNAL), (ssize_t)bad[i].n);
		hear(fd, &b, false);
		if (!b.p || memcmp(b.p, "HTTP/1.1 400 ", 13) != 0)
			fail_msg("request %zu: %.40s", i, b.p ? b.p : "");
		(void)close(fd);
	}
	fd = dial(a);
	say(fd, good);
	hear(fd, &b, false);
	assert_memory_equal(b.p, "HTTP/1.1 200 ", 13);
	(void)close(fd);
	buf_done(&b);
}

/* Request and answer share the library's memory: what does not fit is told, not cut. */
static void
answers_also_when_there_is_no_room(void **state)
{
	static const size_t lengths[] = { 1000, 6000, 8500, 12000, 14000, 15000, 20000 };
	struct app *a = *state;
	struct buf b = { 0 }, ask = { 0 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int fd = dial(a);

		buf_clear(&ask);
		buf_add_c(&ask, "GET /header HTTP/1.1\r\nHost: x\r\nX-Seen: ");
		for (size_t n = 0; n < lengths[i]; n++)
			buf_add_char(&ask, 'a');
		buf_add_c(&ask, "\r\n\r\n");
		assert_true(buf_ok(&ask));
		say(fd, ask.p);
		hear(fd, &b, false);
		if (!b.p || memcmp(b.p, i < 2 ? "HTTP/1.1 200 " : "HTTP/1.1 431 ", 13) != 0)
			fail_msg("%zu bytes: %.40s", lengths[i], b.p ? b.p : "");
		(void)close(fd);
	}
	buf_done(&ask);
	buf_done(&b);
}

/* Megabytes that wait in a socket must not make the connection look idle. */
static void
a_slow_reader_gets_all(void **state)
{
	struct app *a = *state;
	size_t all = 0, most = LONG_LENGTH;
	static char piece[65536];
	int fd = dial(a);
	ssize_t n = 1;

	say(fd, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 30 && n > 0; i++) {
		n = recv(fd, piece, sizeof(piece) / 2, 0);
		all += n > 0 ? (size_t)n : 0;
		clock_sleep_ms(100);
	}
	while (all < most && (n = recv(fd, piece, sizeof(piece), 0)) > 0)
		all += (size_t)n;
	assert_true(all >= most);
	(void)close(fd);
}

/* A byte now and then is no silence, but no request either. */
static void
ends_who_drips(void **state)
{
	static const struct {
		const char *head, *drop;
		bool stays;
	} cases[] = {
		{ "GET /half HTTP/1.1\r\nHost: x\r\nX-Seen: ", "a", false },
		{ "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", "a", false },
		{ "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n", "a", false },
		{ "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", NULL, true },
		{ "", "GET /query HTTP/1.1\r\nHost: x\r\n\r\n", true },
	};
	struct app *a = *state;
	char much[1001] = "";
	int fd[5];

	memset(much, 'm', sizeof(much) - 1);
	for (size_t i = 0; i < 5; i++) {
		fd[i] = dial(a);
		say(fd[i], cases[i].head);
	}
	for (int n = 0; n < 25; n++) {
		for (size_t i = 0; i < 5; i++) {
			const char *drop = cases[i].drop ? cases[i].drop : much;

			(void)!send(fd[i], drop, strlen(drop), MSG_NOSIGNAL);
		}
		clock_sleep_ms(200);
	}
	for (size_t i = 0; i < 5; i++) {
		const char *drop = cases[i].drop ? cases[i].drop : much;
		bool stays = send(fd[i], drop, strlen(drop), MSG_NOSIGNAL) > 0;

		if (stays != cases[i].stays)
			fail_msg("case %zu %s", i, stays ? "stays" : "is gone");
		(void)close(fd[i]);
	}
}

static void
one_peer_does_not_get_all(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd[8];
	size_t answered = 0;

	for (size_t i = 0; i < 8; i++) {
		fd[i] = dial(a);
		(void)!send(fd[i], "GET /query HTTP/1.1\r\nHost: x\r\n\r\n", 33, MSG_NOSIGNAL);
		hear(fd[i], &b, false);
		answered += b.n > 0;
	}
	assert_int_equal(answered, 6);
	for (size_t i = 0; i < 8; i++)
		(void)close(fd[i]);
	buf_done(&b);
}

static void
closes_idle_connections(void **state)
{
	struct app *a = *state;
	int fd = dial(a);

	say(fd, "GET /half HTTP/1.1\r\nHo");
	assert_true(closes(fd));
	(void)close(fd);
}

static void
lets_running_exchanges_end(void **state)
{
	struct app *a = *state;
	struct buf b = { 0 };
	int fd = dial(a);

	say(fd, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
	while (atomic_load(&a->begun) == 0)
		clock_sleep_ms(1);
	http_server_stop(a->server, 5000);
	hear(fd, &b, false);
	assert_answer(&b, 200, "");
	assert_non_null(strcasestr(b.p, "Connection: close"));
	assert_true(closes(fd));
	(void)close(fd);
	assert_int_equal(atomic_load(&a->begun), atomic_load(&a->over));
	a->server = NULL;
	buf_done(&b);
}

/*
 * A request that comes while the server stops, after it was last looked whether one waits
 * for its answer: the library ends the process when it is stopped with one that does.
 */
static void
stops_though_a_request_is_about_to_wait(void **state)
{
	struct app *a = *state;
	int busy = dial(a), slow = dial(a), later = dial(a);

	/* Both are found together once the only thread is free again, the slow one first. */
	say(busy, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
	clock_sleep_ms(30);
	say(slow, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
	say(later, "GET /latest HTTP/1.1\r\nHost: x\r\n\r\n");
	clock_sleep_ms(110);
	http_server_stop(a->server, 0);
	a->server = NULL;
	(void)close(busy);
	(void)close(slow);
	(void)close(later);
}

struct asker {
	pthread_t thread;
	uint16_t port;
	bool malformed;
	_Atomic bool enough; /* somebody else may listen there by now */
};

/* Asks over and over until nobody listens; the malformed way on a new connection each time. */
static void *
keep_asking(void *arg)
{
	static const char text[] = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n";
	struct asker *k = arg;
	ssize_t n = (ssize_t)sizeof(text) - (k->malformed ? 0 : 1);
	char b[512];
	int fd;

	while (!atomic_load(&k->enough) && (fd = dial_port(k->port)) >= 0) {
		while (!atomic_load(&k->enough) && send(fd, text, (size_t)n, MSG_NOSIGNAL) == n &&
		       recv(fd, b, sizeof(b), 0) > 0)
			;
		(void)close(fd);
	}
	return NULL;
}

/*
 * Threads that are awake when the server stops, again and again. The library ends the process
 * when it is quiesced while a thread looks at the listening socket, and when it finds a
 * malformed request after it was told to stop.
 */
static void
stops_while_its_threads_work(void **state)
{
	struct app *a = *state;

	http_server_stop(a->server, 0);
	a->server = NULL;
	for (int i = 0; i < 100; i++) {
		struct asker k[2] = { { .malformed = false }, { .malformed = true } };
		void *again;

		assert_int_equal(start(&again), 0);
		for (int j = 0; j < 2; j++) {
			k[j].port = http_server_port(((struct app *)again)->server);
			assert_int_equal(pthread_create(&k[j].thread, NULL, keep_asking, &k[j]), 0);
		}
		clock_sleep_ms(1 + i % 3);
		assert_int_equal(stop(&again), 0);
		for (int j = 0; j < 2; j++) {
			atomic_store(&k[j].enough, true);
			(void)pthread_join(k[j].thread, NULL);
		}
	}
}

static void *
stop_patiently(void *arg)
{
	struct app *a = arg;

	http_server_stop(a->server, 30000);
	return NULL;
}

static void
refuses_connections_while_it_stops(void **state)
{
	struct app *a = *state;
	uint16_t port = http_server_port(a->server);
	struct buf b = { 0 };
	int fd = dial(a), late;
	pthread_t t;

	/* An exchange that lasts until the rest of its body is sent. */
	say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
	while (atomic_load(&a->begun) == 0)
		clock_sleep_ms(1);
	assert_int_equal(pthread_create(&t, NULL, stop_patiently, a), 0);
	for (int i = 0; (late = dial_port(port)) >= 0; i++) {
		(void)close(late);
		assert_true(i < 5000);
		clock_sleep_ms(1);
	}
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(atomic_load(&a->over), 0);
	say(fd, "llo");
	hear(fd, &b, false);
	assert_answer(&b, 200, "hello");
	(void)pthread_join(t, NULL);
	(void)close(fd);
	a->server = NULL;
	buf_done(&b);
}

static void
says_who_cannot_listen(void **state)
{
	struct app *a = *state;
	struct fail f = { .err = SOUK_OK };
	uint16_t port;
	int fd;

	assert_int_equal(
	    listen_open("127.0.0.1", http_server_port(a->server), &fd, &port, &f), SOUK_E_CONFLICT);
	assert_string_equal(f.code, "port_in_use");
	assert_int_equal(listen_open("192.0.2.1", 0, &fd, &port, &f), SOUK_E_INVALID);
	assert_string_equal(f.code, "no_such_address");
}

static void
reads_listen_addresses(void **state)
{
	static const struct {
		const char *text, *host;
		int port; /* -1: refused */
	} cases[] = {
		{ "127.0.0.1:8080", "127.0.0.1", 8080 },
		{ "localhost:0", "localhost", 0 },
		{ "[::1]:65535", "::1", 65535 },
		{ "127.0.0.1", "", -1 },
		{ "127.0.0.1:", "", -1 },
		{ "127.0.0.1:65536", "", -1 },
		{ "127.0.0.1:80x", "", -1 },
		{ "::1:8080", "", -1 },
		{ ":8080", "", -1 },
		{ "", "", -1 },
	};
	char host[64];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fail f = { .err = SOUK_OK };
		enum souk_err r = listen_parse(str_c(cases[i].text), host, sizeof(host), &port, &f);

		if ((r == SOUK_OK) != (cases[i].port >= 0) ||
		    (r == SOUK_OK && (port != cases[i].port || strcmp(host, cases[i].host) != 0)))
			fail_msg("case %zu: %s", i, cases[i].text);
	}
	assert_true(listen_is_loopback("127.0.0.1"));
	assert_true(listen_is_loopback("::1"));
	assert_false(listen_is_loopback("0.0.0.0"));
	assert_false(listen_is_loopback("::"));
	assert_false(listen_is_loopback("192.0.2.1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_connections_and_raw_text, start, stop),
		cmocka_unit_test_setup_teardown(answers_from_other_threads, start, stop),
		cmocka_unit_test_setup_teardown(knows_a_lone_connection, start_impatient, stop),
		cmocka_unit_test_setup_teardown(refuses_long_bodies_unread, start, stop),
		cmocka_unit_test_setup_teardown(
		    the_answer_survives_a_client_that_sends_on, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_refusal_of_a_short_body_keeps_the_connection, start, stop),
		cmocka_unit_test_setup_teardown(continues_only_when_it_wants_the_body, start, stop),
		cmocka_unit_test_setup_teardown(streams_both_ways, start, stop),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_request, start, stop),
		cmocka_unit_test_setup_teardown(refuses_values_with_nul, start, stop),
		cmocka_unit_test_setup_teardown(answers_also_when_there_is_no_room, start, stop),
		cmocka_unit_test_setup_teardown(a_slow_reader_gets_all, start_impatient, stop),
		cmocka_unit_test_setup_teardown(ends_who_drips, start_impatient, stop),
		cmocka_unit_test_setup_teardown(one_peer_does_not_get_all, start_impatient, stop),
		cmocka_unit_test_setup_teardown(closes_idle_connections, start_impatient, stop),
		cmocka_unit_test_setup_teardown(lets_running_exchanges_end, start, stop),
		cmocka_unit_test_setup_teardown(
		    stops_though_a_request_is_about_to_wait, start_impatient, stop),
		cmocka_unit_test_setup_teardown(stops_while_its_threads_work, start, stop),
		cmocka_unit_test_setup_teardown(refuses_connections_while_it_stops, start, stop),
		cmocka_unit_test_setup_teardown(says_who_cannot_listen, start, stop),
		cmocka_unit_test(reads_listen_addresses),
	};

	return cmocka_run_group_tests_name("server.http", tests, NULL, NULL);
}
