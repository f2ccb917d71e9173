/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP seam over libmicrohttpd 0.9.75: epoll threads, suspend and resume.
 *
 * An exchange is embedded in its connection and reused on keep-alive, with its arena and
 * body buffer, so that a request costs no allocation of ours. The danger here is the
 * hand-over between the connection's thread and whoever answers: `park` decides, by one
 * atomic exchange, who resumes the connection (see settle and http_answer).
 *
 * What the library does on its own: Date, HEAD, 100-continue, chunking, the limits on
 * the request line and headers (its pool of memory per connection).
 */
#include "server/http.h"

#include "base/secret.h"
#include "server/http_linger.h"
#include "server/http_listen.h"
#include "server/http_pace.h"

#include <assert.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADERS_MAX 100
#define CONNECTION_MEMORY                                                                          \
	((size_t)16 * 1024) /* request line, headers, read buffer; zeroed per request */
/*
 * Request and answer share that memory: a request's head may take so much of it, with what the
 * library keeps per header, and an answer's head what is left. Past that it would say nothing.
 */
#define HEAD_MAX ((size_t)14 * 1024)
#define HEADER_OVERHEAD ((size_t)64)
#define ANSWER_HEAD ((size_t)256)     /* status line, Date, Content-Length, Connection */
#define BODY_KEEP ((size_t)64 * 1024) /* a larger body buffer is not kept for reuse */
#define UNWANTED_KEEP                                                                              \
	((uint64_t)64 * 1024) /* unwanted bodies up to this are read, to keep the connection */
#define UNWANTED_MAX ((uint64_t)16 * 1024 * 1024)
#define PATIENCE 2 /* a head may take so many times as long as silence may */
#define STREAM_BLOCK ((size_t)64 * 1024)
#define EXCHANGE_MAGIC 0x5e0ac4a1u

enum phase {
	PHASE_IDLE,  /* between exchanges */
	PHASE_HEAD,  /* the request line is there */
	PHASE_BODY,  /* begun; the body is coming */
	PHASE_ANSWER /* the app answers, or has */
};

enum park {
	PARK_RUNNING, /* the connection's thread is at work */
	PARK_PARKED,  /* suspended: who answers resumes */
	PARK_ANSWERED
};

struct http_exchange {
	unsigned magic;
	enum phase phase;
	_Atomic int park;
	bool too_many_headers;
	bool bad_header; /* no name, a continued line or bytes that no value has */
	bool refused;    /* begin did not want the body */
	bool unread;     /* the body is not read to its end: linger */
	bool chunked;
	enum souk_err body_err;
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct http_paced paced;
	struct arena *arena;
	struct http_request req;
	const char *line_end; /* of the header seen last */
	size_t head_bytes;    /* of the library's memory that request line and headers take */
	uint64_t length;      /* Content-Length, 0 when none */
	uint64_t got;
	struct http_body_plan plan;
	struct buf body;
	void *state;
	const struct http_response *answer;
	struct sigv4_header headers[HEADERS_MAX];
	max_align_t memory[];
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_linger *linger;
	struct http_pace *pace;
	struct http_app app;
	size_t arena_limit, memory;
	void (*memory_done)(void *);
	bool is_tls;
	uint16_t port;
	struct buf cert, key;
	int listener; /* the daemon's */
	_Atomic bool stopping;
	_Atomic bool closing;    /* nobody may be suspended any more */
	_Atomic int64_t running; /* begun and not over */
	_Atomic int64_t parked;  /* suspended: the library must not stop meanwhile */
};

/* Connections of the calling thread: the library opens and closes each one on its own thread. */
static _Thread_local unsigned connections_here;

/* ---- the application's side ------------------------------------------------------------ */

struct str
http_header(const struct http_request *r, const char *name)
{
	struct str want = str_c(name);

	for (size_t i = 0; i < r->n_headers; i++)
		if (r->headers[i].name.n == want.n && str_eq_nocase(r->headers[i].name, want))
			return r->headers[i].value;
	return (struct str){ NULL, 0 };
}

void
http_response_header(struct http_response *r, const char *name, const char *value)
{
	if (r->n_headers == HTTP_RESPONSE_HEADERS || !value || value[0] == '\0')
		return;
	r->headers[r->n_headers].name = name;
	r->headers[r->n_headers++].value = value;
}

const struct http_request *
http_request(const struct http_exchange *x)
{
	return &x->req;
}

struct arena *
http_arena(struct http_exchange *x)
{
	return x->arena;
}

void *
http_memory(struct http_exchange *x)
{
	return x->memory;
}

bool
http_alone(const struct http_exchange *x)
{
	/* On a thread of the application's own there is none. */
	return connections_here == 1 && x->phase == PHASE_ANSWER;
}

/* From here on the connection's thread may send, end and reuse the exchange. */
static void
unpark(struct http_exchange *x)
{
	struct http_server *s = x->server;

	if (atomic_exchange(&x->park, PARK_ANSWERED) == PARK_PARKED) {
		MHD_resume_connection(x->mhd);
		atomic_fetch_sub(&s->parked, 1);
	}
}

void
http_answer(struct http_exchange *x, const struct http_response *r)
{
	assert(x->magic == EXCHANGE_MAGIC && !x->answer);
	x->answer = r;
	unpark(x);
}

void
http_more(struct http_exchange *x)
{
	assert(x->magic == EXCHANGE_MAGIC && x->answer);
	unpark(x);
}

/*
 * Suspends the connection until unpark. While the library is being stopped its thread waits
 * itself, and this is false: whoever is to unpark always does.
 */
static bool
park(struct http_exchange *x)
{
	struct http_server *s = x->server;
	int running = PARK_RUNNING;

	/* Counted before `closing` is looked at, as http_server_stop does it the other way round. */
	atomic_fetch_add(&s->parked, 1);
	if (atomic_load(&s->closing)) {
		atomic_fetch_sub(&s->parked, 1);
		while (atomic_load(&x->park) != PARK_ANSWERED)
			clock_sleep_ms(1);
		return false;
	}
	/* Suspended first: an answer may come between any two lines, and resumes what is suspended. */
	MHD_suspend_connection(x->mhd);
	if (!atomic_compare_exchange_strong(&x->park, &running, PARK_PARKED)) {
		MHD_resume_connection(x->mhd);
		atomic_fetch_sub(&s->parked, 1);
	}
	return true;
}

/* ---- answering ------------------------------------------------------------------------- */

static ssize_t
stream_read(void *cls, uint64_t offset, char *p, size_t n)
{
	struct http_exchange *x = cls;
	const struct http_response *r = x->answer;
	size_t got = 0;

	for (;;) {
		atomic_store(&x->park, PARK_RUNNING);
		if (!r->read_ready || r->read_ready(r->read_ctx, offset))
			break;
		if (park(x))
			return 0;
	}
	if (r->read(r->read_ctx, offset, p, n, &got) != SOUK_OK || got == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return (ssize_t)got;
}

static ssize_t
stream_nothing(void *cls, uint64_t offset, char *p, size_t n)
{
	(void)cls;
	(void)offset;
	(void)p;
	(void)n;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *
response_new(struct http_exchange *x)
{
	const struct http_response *r = x->answer;
	union {
		const char *in;
		void *out;
	} body = { .in = r->body.n ? r->body.p : "" };

	if (r->head_only)
		return MHD_create_response_from_callback(
		    r->read ? r->length : r->body.n, 1, stream_nothing, NULL, NULL);
	if (r->read)
		return MHD_create_response_from_callback(
		    r->length, STREAM_BLOCK, stream_read, x, NULL);
	return MHD_create_response_from_buffer(r->body.n, body.out, MHD_RESPMEM_PERSISTENT);
}

/* An answer of the seam itself, where the app has none or it cannot be sent. */
static enum MHD_Result
refuse(struct http_exchange *x, unsigned status)
{
	struct MHD_Response *m =
	    MHD_create_response_from_buffer(0, x->memory, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result done;

	if (!m)
		return MHD_NO;
	(void)MHD_add_response_header(m, "Connection", "close");
	x->unread = true;
	http_pace_rest(&x->paced);
	done = MHD_queue_response(x->mhd, status, m);
	MHD_destroy_response(m);
	return done;
}

/* Does the answer's head fit into what the request has left? */
static bool
has_room(const struct http_exchange *x, const struct http_response *r)
{
	size_t n = x->head_bytes + ANSWER_HEAD;

	for (size_t i = 0; i < r->n_headers; i++)
		n += strlen(r->headers[i].name) + strlen(r->headers[i].value) + 4;
	return n <= CONNECTION_MEMORY;
}

/* Hands the answer to the library. */
static enum MHD_Result
queue(struct http_exchange *x)
{
	const struct http_response *r = x->answer;
	struct MHD_Response *m;
	enum MHD_Result done;

	if (!has_room(x, r))
		return refuse(x, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
	if (!(m = response_new(x)))
		return MHD_NO;
	for (size_t i = 0; i < r->n_headers; i++)
		(void)MHD_add_response_header(m, r->headers[i].name, r->headers[i].value);
	if (atomic_load_explicit(&x->server->stopping, memory_order_relaxed))
		(void)MHD_add_response_header(m, "Connection", "close");
	done = MHD_queue_response(x->mhd, (unsigned)r->status, m);
	MHD_destroy_response(m);
	return done;
}

/* Sends the answer if there is one, else parks the connection until there is. */
static enum MHD_Result
settle(struct http_exchange *x)
{
	http_pace_rest(&x->paced);
	return atomic_load(&x->park) == PARK_ANSWERED || !park(x) ? queue(x) : MHD_YES;
}

/* ---- reading --------------------------------------------------------------------------- */

/* What a field name may hold (RFC 9110 5.1). "Content-Length " is one header to us and another to a proxy. */
static bool
is_field_name(const char *p, size_t n)
{
	static const bool token[256] = {
		['0' ... '9'] = true,
		['A' ... 'Z'] = true,
		['a' ... 'z'] = true,
		['!'] = true,
		['#'] = true,
		['$'] = true,
		['%'] = true,
		['&'] = true,
		['\''] = true,
		['*'] = true,
		['+'] = true,
		['-'] = true,
		['.'] = true,
		['^'] = true,
		['_'] = true,
		['`'] = true,
		['|'] = true,
		['~'] = true,
	};

	for (size_t i = 0; i < n; i++)
		if (!token[(unsigned char)p[i]])
			return false;
	return n > 0;
}

/*
 * Was the header's line continued on the next one (obs-fold, which servers refuse: RFC 9112
 * 5.2)? Up to 0.9.75 the library adds such a line to the header's name: "Content-Len: 5" and
 * " gth" become a Content-Length that nobody on the way has seen. It then moves the name,
 * which otherwise stands right before its value.
 */
static bool
is_folded(const char *name, size_t name_n, const char *value)
{
#if MHD_VERSION <= 0x00097502
	const char *p = name + name_n + 1;

	if (value < p || value - p > (ptrdiff_t)CONNECTION_MEMORY)
		return true;
	while (p < value && (*p == ' ' || *p == '\t'))
		p++;
	return p != value;
#else
	(void)name;
	(void)name_n;
	(void)value;
	return false;
#endif
}

/*
 * Do bytes stand between the end of the last value, as the library tells it, and `next`, that
 * are no line end? It ends a value at a NUL: "Content-Length: 0" and five bytes behind a NUL are
 * a length of 0 to us and whatever they like to others.
 */
static bool
is_cut(const struct http_exchange *x, const char *next)
{
#if MHD_VERSION <= 0x00097502
	return x->line_end && (next ? next - x->line_end > 2 : x->line_end[1] != '\0');
#else
	(void)x;
	(void)next;
	return false;
#endif
}

static enum MHD_Result
take_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
    size_t value_n)
{
	struct http_exchange *x = cls;

	(void)kind;
	if (x->req.n_headers == HEADERS_MAX) {
		x->too_many_headers = true;
		return MHD_NO;
	}
	if (!is_field_name(name, name_n) || !value || is_folded(name, name_n, value) ||
	    is_cut(x, name) || memchr(value, '\r', value_n)) {
		x->bad_header = true;
		return MHD_NO;
	}
	x->line_end = value + value_n;
	x->head_bytes += name_n + value_n + HEADER_OVERHEAD;
	x->headers[x->req.n_headers++] =
	    (struct sigv4_header){ { name, name_n }, { value, value_n } };
	return MHD_YES;
}

/*
 * Is there a body, and how long? False when that is said twice, in two ways or in a way
 * that somebody else could read otherwise: where the body ends, the next request begins.
 */
static bool
measure_body(struct http_exchange *x)
{
	static const struct str names[] = { STR("Host"), STR("Content-Length"),
		STR("Transfer-Encoding") };
	struct str length, coding;
	struct {
		struct str value;
		unsigned n;
	} found[3] = { 0 };

	for (size_t i = 0; i < x->req.n_headers; i++)
		for (size_t k = 0; k < 3; k++)
			if (x->headers[i].name.n == names[k].n &&
			    str_eq_nocase(x->headers[i].name, names[k])) {
				if (found[k].n++ > 0)
					return false;
				found[k].value = x->headers[i].value;
			}
	length = found[1].value;
	coding = found[2].value;
	x->chunked = found[2].n > 0;
	x->length = 0;
	if (x->chunked && (found[1].n > 0 || !str_eq_nocase(coding, STR("chunked"))))
		return false;
	if (found[1].n > 0 && !str_to_u64(length, INT64_MAX, &x->length))
		return false;
	x->req.has_body = x->chunked || x->length > 0;
	return true;
}

/* The app needs no body to answer: now when it is long or held back, else after reading it. */
static bool
answers_before_body(const struct http_exchange *x)
{
	return x->req.has_body && (x->chunked || x->length > UNWANTED_KEEP ||
				      http_header(&x->req, "Expect").p != NULL);
}

/* Headers are there. */
static enum MHD_Result
on_head(struct http_exchange *x, const char *method)
{
	struct http_server *s = x->server;
	enum souk_err r;

	http_pace_body(s->pace, &x->paced, 0);
	x->req.method = str_c(method);
	(void)MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, take_header, x);
	x->req.headers = x->headers;
	x->req.is_tls = s->is_tls;
	x->head_bytes += strlen(method) + x->req.path.n + x->req.query.n;
	if (x->too_many_headers || x->head_bytes > HEAD_MAX)
		return refuse(x, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
	if (!x->req.path.p || x->bad_header || is_cut(x, NULL) || !measure_body(x))
		return refuse(x, MHD_HTTP_BAD_REQUEST);
	atomic_fetch_add(&s->running, 1);
	x->phase = PHASE_BODY;
	r = s->app.begin(s->app.ctx, x, &x->plan, &x->state);
	x->refused = r != SOUK_OK;
	assert(!x->refused || x->answer);
	if (!x->refused && x->length > x->plan.cap) {
		x->refused = true;
		x->phase = PHASE_ANSWER;
		s->app.complete(s->app.ctx, x, x->state, SOUK_E_LIMIT);
	}
	if (!x->refused || !answers_before_body(x))
		return MHD_YES;
	x->phase = PHASE_ANSWER;
	x->unread = true;
	return settle(x);
}

/* A piece of the body. An answer cannot be given between pieces: what is unwanted is read past. */
static enum MHD_Result
on_piece(struct http_exchange *x, const char *p, size_t n)
{
	x->got += n;
	http_pace_body(x->server->pace, &x->paced, x->got);
	if (x->refused || x->body_err != SOUK_OK)
		return x->got <= UNWANTED_MAX ? MHD_YES : MHD_NO;
	if (x->got > x->plan.cap) {
		x->body_err = SOUK_E_LIMIT;
	} else if (x->plan.stream) {
		x->body_err = x->plan.stream->write(x->plan.stream, p, n);
	} else {
		buf_add(&x->body, p, n);
		x->body_err = buf_ok(&x->body) ? SOUK_OK : SOUK_E_NOMEM;
	}
	return MHD_YES;
}

/* The request is there to its end. */
static enum MHD_Result
on_end(struct http_exchange *x)
{
	struct http_server *s = x->server;

	if (x->phase == PHASE_BODY) {
		x->phase = PHASE_ANSWER;
		x->req.body = buf_str(&x->body);
		if (!x->refused)
			s->app.complete(s->app.ctx, x, x->state, x->body_err);
	}
	return settle(x);
}

static enum MHD_Result
on_call(void *cls, struct MHD_Connection *m, const char *url, const char *method,
    const char *version, const char *data, size_t *n, void **ctx)
{
	struct http_exchange *x = *ctx;
	enum MHD_Result r;

	(void)cls;
	(void)m;
	(void)url;
	(void)version;
	if (!x) /* out of memory as the connection came */
		return MHD_NO;
	assert(x->magic == EXCHANGE_MAGIC);
	if (x->phase == PHASE_HEAD)
		return on_head(x, method);
	if (*n == 0)
		return on_end(x);
	r = on_piece(x, data, *n);
	*n = 0;
	return r;
}

/* The request line, before the library takes the query apart. */
static void *
on_line(void *cls, const char *uri, struct MHD_Connection *m)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_exchange *x = info ? info->socket_context : NULL;
	struct str whole;

	(void)cls;
	if (!x)
		return NULL;
	x->phase = PHASE_HEAD;
	whole = arena_str(x->arena, str_c(uri ? uri : ""));
	if (!whole.p)
		return x;
	(void)str_split(&whole, '?', &x->req.path);
	x->req.query = whole.p ? whole : STR("");
	return x;
}

static void
on_over(void *cls, struct MHD_Connection *m, void **ctx, enum MHD_RequestTerminationCode how)
{
	struct http_exchange *x = *ctx;
	struct http_server *s = cls;
	const struct http_response *r;

	(void)m;
	(void)how;
	if (!x)
		return;
	r = x->answer;
	if (x->phase >= PHASE_BODY) {
		if (r && r->read_done)
			r->read_done(r->read_ctx);
		s->app.over(s->app.ctx, x, x->state);
		atomic_fetch_sub(&s->running, 1);
	}
	arena_reset(x->arena);
	if (x->body.cap > BODY_KEEP)
		buf_done(&x->body);
	else
		buf_clear(&x->body);
	x->phase = PHASE_IDLE;
	atomic_store(&x->park, PARK_RUNNING);
	x->too_many_headers = x->bad_header = x->refused = false;
	x->body_err = SOUK_OK;
	x->req = (struct http_request){ .n_headers = 0 };
	x->plan = (struct http_body_plan){ .cap = 0 };
	x->got = 0;
	x->line_end = NULL;
	x->head_bytes = 0;
	x->state = NULL;
	x->answer = NULL;
	http_pace_head(s->pace, &x->paced);
}

static struct http_exchange *
exchange_new(struct http_server *s, struct MHD_Connection *m)
{
	struct http_exchange *x = calloc(1, sizeof(*x) + s->memory);
	const union MHD_ConnectionInfo *info;

	if (!x || !(x->arena = arena_new(s->arena_limit))) {
		free(x);
		return NULL;
	}
	x->magic = EXCHANGE_MAGIC;
	x->server = s;
	x->mhd = m;
	if ((info = MHD_get_connection_info(m, MHD_CONNECTION_INFO_CONNECTION_FD)))
		http_pace_add(s->pace, &x->paced, info->connect_fd);
	return x;
}

static void
exchange_free(struct http_exchange *x)
{
	const union MHD_ConnectionInfo *info;
	int fd;

	http_pace_remove(x->server->pace, &x->paced);
	if (x->unread &&
	    (info = MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_CONNECTION_FD)) &&
	    (fd = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 3)) >= 0)
		http_linger_add(x->server->linger, fd);
	if (x->server->memory_done)
		x->server->memory_done(x->memory);
	buf_done(&x->body);
	arena_free(x->arena);
	x->magic = 0;
	free(x);
}

static void
on_connection(
    void *cls, struct MHD_Connection *m, void **ctx, enum MHD_ConnectionNotificationCode what)
{
	struct http_exchange *x = *ctx;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connections_here++;
		*ctx = exchange_new(cls, m);
		return;
	}
	connections_here--;
	if (x)
		exchange_free(x);
}

/* Paths and arguments are decoded where they are used, from the raw request line. */
static size_t
keep_escapes(void *cls, struct MHD_Connection *m, char *s)
{
	(void)cls;
	(void)m;
	return strlen(s);
}

static void
say_nothing(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

/* ---- start and stop -------------------------------------------------------------------- */

static enum souk_err
load_tls(struct http_server *s, const struct http_options *o, struct fail *f)
{
	enum souk_err r;

	if (!o->tls_cert || o->tls_cert[0] == '\0')
		return SOUK_OK;
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return fail_set(f, SOUK_E_UNAVAILABLE, "no_tls",
		    "this libmicrohttpd was built without TLS; put a proxy in front");
	s->is_tls = true;
	if ((r = io_read_file(o->tls_cert, (size_t)1 << 20, &s->cert, f)) != SOUK_OK)
		return r;
	return io_read_file(o->tls_key, (size_t)1 << 20, &s->key, f);
}

static struct MHD_Daemon *
daemon_start(struct http_server *s, const struct http_options *o, int fd)
{
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert.p },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, s->key.p },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
			 MHD_USE_ERROR_LOG | (s->is_tls ? MHD_USE_TLS : 0u);

	/* A pool of one is refused: one thread is the daemon's own. */
	return MHD_start_daemon(flags, 0, NULL, NULL, on_call, s, MHD_OPTION_EXTERNAL_LOGGER,
	    say_nothing, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
	    o->threads > 1 ? o->threads : 0u, MHD_OPTION_CONNECTION_LIMIT, o->connections,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_peer, MHD_OPTION_CONNECTION_TIMEOUT,
	    o->idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
	    MHD_OPTION_URI_LOG_CALLBACK, on_line, s, MHD_OPTION_NOTIFY_COMPLETED, on_over, s,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY,
	    s->is_tls ? tls : &tls[3], MHD_OPTION_END);
}

static void
server_free(struct http_server *s)
{
	http_linger_stop(s->linger);
	http_pace_stop(s->pace);
	if (s->key.p)
		wipe(s->key.p, s->key.n);
	buf_done(&s->key);
	buf_done(&s->cert);
	free(s);
}

enum souk_err
http_server_start(const struct http_options *o, const struct http_app *app,
    struct http_server **ret, struct fail *f)
{
	struct http_server *s = calloc(1, sizeof(*s));
	enum souk_err r;
	int fd = -1;

	if (!s)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory to start the server");
	s->app = *app;
	s->arena_limit = o->arena_limit;
	s->memory = o->memory;
	s->memory_done = o->memory_done;
	if ((r = load_tls(s, o, f)) != SOUK_OK)
		goto out;
	if ((r = http_linger_start(&s->linger)) != SOUK_OK ||
	    (r = http_pace_start(PATIENCE * o->idle_seconds, &s->pace)) != SOUK_OK) {
		(void)fail_set(f, r, "threads", "the server's threads cannot be started");
		goto out;
	}
	if ((r = listen_open(o->host, o->port, &fd, &s->port, f)) != SOUK_OK)
		goto out;
	s->daemon = daemon_start(s, o, fd);
	if (!s->daemon) {
		(void)close(fd);
		r = fail_set(f, SOUK_E_INVALID, "http",
		    s->is_tls ? "the HTTPS server cannot be started; are certificate and key a "
				"pair, both in PEM?"
			      : "the HTTP server cannot be started; is the limit of open files "
				"(ulimit -n) too low?");
		goto out;
	}
	s->listener = fd;
	*ret = s;
	return SOUK_OK;
out:
	server_free(s);
	return r;
}

uint16_t
http_server_port(const struct http_server *s)
{
	return s->port;
}

void
http_server_stop(struct http_server *s, int64_t ms)
{
	uint64_t end;

	if (!s)
		return;
	end = clock_mono_ns() + (uint64_t)ms * 1000000;
	atomic_store(&s->stopping, true);
	/*
	 * Not MHD_quiesce_daemon(): it and an awake thread both take the socket out of that
	 * thread's epoll, and who comes second ends the process. The daemon closes it later.
	 */
	(void)shutdown(s->listener, SHUT_RDWR);
	while (atomic_load(&s->running) > 0 && clock_mono_ns() < end)
		clock_sleep_ms(2);
	/* The library cannot stop with suspended connections; who is to answer them always does. */
	atomic_store(&s->closing, true);
	while (atomic_load(&s->parked) > 0)
		clock_sleep_ms(2);
	/* A malformed request found while the library stops would end the process. */
	http_pace_end(s->pace);
	MHD_stop_daemon(s->daemon);
	server_free(s);
}
