/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 client against a server that answers as told: what a store cannot be made to say. What
 * real stores say is in tests/e2e (object-home).
 */
#include "base/digest.h"
#include "check.h"
#include "delivery/s3_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define SECRET "the-secret-of-the-test"

/* ---- the server ---- */

struct request {
	char head[8192];
	char *body;
	size_t body_n;
};

struct server;
/* Gives the whole answer; "" closes the connection without one. */
typedef const char *(*answer_fn)(struct server *s, const struct request *r);

struct server {
	int listener, wake[2];
	char endpoint[64];
	answer_fn answer;
	const char *fixed; /* of answer_fixed */
	pthread_t thread;
	atomic_uint count;
	char seen[64][160]; /* request lines */
	char text[4096];    /* an answer being made */
	unsigned parts;
};

static bool
wait_for(struct server *s, int fd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = s->wake[0], .events = POLLIN } };

	return poll(p, 2, 20000) > 0 && p[1].revents == 0;
}

static const char *
header(const struct request *r, const char *name)
{
	static char value[1024];
	const char *p = strstr(r->head, "\r\n");
	size_t n = strlen(name);

	for (; p; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
			(void)snprintf(
			    value, sizeof(value), "%.*s", (int)strcspn(p + n + 2, "\r"), p + n + 2);
			return value;
		}
	}
	return NULL;
}

static bool
read_request(struct server *s, int fd, struct request *r)
{
	size_t n = 0, have;
	char *end = NULL;
	const char *length;
	ssize_t got;

	while (!end && n < sizeof(r->head) - 1) {
		if (!wait_for(s, fd) ||
		    (got = recv(fd, r->head + n, sizeof(r->head) - 1 - n, 0)) <= 0)
			return false;
		n += (size_t)got;
		r->head[n] = '\0';
		end = strstr(r->head, "\r\n\r\n");
	}
	if (!end)
		return false;
	end[2] = '\0';
	length = header(r, "Content-Length");
	r->body_n = length ? strtoul(length, NULL, 10) : 0;
	r->body = malloc(r->body_n + 1);
	have = n - (size_t)(end + 4 - r->head);
	memcpy(r->body, end + 4, have);
	for (; have < r->body_n; have += (size_t)got)
		if (!wait_for(s, fd) || (got = recv(fd, r->body + have, r->body_n - have, 0)) <= 0)
			return false;
	r->body[r->body_n] = '\0';
	return true;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	struct request r;
	const char *answer;
	size_t done;
	ssize_t n;
	int fd;

	while (wait_for(s, s->listener) && (fd = accept(s->listener, NULL, NULL)) >= 0) {
		r = (struct request){ .body = NULL };
		if (read_request(s, fd, &r)) {
			(void)snprintf(s->seen[s->count % 64], sizeof(s->seen[0]), "%.*s",
			    (int)strcspn(r.head, "\r"), r.head);
			answer = s->answer(s, &r);
			atomic_fetch_add(&s->count, 1);
			for (done = 0; done < strlen(answer); done += (size_t)n)
				if ((n = send(fd, answer + done, strlen(answer) - done,
					 MSG_NOSIGNAL)) <= 0)
					break;
		}
		free(r.body);
		(void)close(fd);
	}
	return NULL;
}

static const char *
answer_fixed(struct server *s, const struct request *r)
{
	(void)r;
	return s->fixed;
}

static struct server *
server_start(answer_fn answer)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct server *s = calloc(1, sizeof(*s));
	socklen_t n = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->answer = answer;
	assert_int_equal(pipe(s->wake), 0);
	assert_true((s->listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->listener, 16), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &n), 0);
	(void)snprintf(s->endpoint, sizeof(s->endpoint), "http://127.0.0.1:%d", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return s;
}

static void
server_stop(struct server *s)
{
	(void)close(s->wake[1]);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->wake[0]);
	(void)close(s->listener);
	free(s);
}

static struct s3_target
target(const struct server *s)
{
	return (struct s3_target){ .endpoint = s ? s->endpoint : "https://store.example",
		.region = "us-east-1",
		.bucket = "the-bucket",
		.path_style = true,
		.access_key_id = "KEYID",
		.secret = STR(SECRET),
		.allow_private = true,
		.stall_ms = 2000,
		.names = { .endpoint = "set-endpoint",
		    .region = "set-region",
		    .bucket = "set-bucket",
		    .access_key_id = "set-id",
		    .secret = "set-secret",
		    .ca_file = "set-ca" } };
}

static struct s3_client *
client(const struct server *s)
{
	struct s3_target t = target(s);
	struct s3_client *c;
	struct s3_error e;

	assert_ok(s3_client_new(&t, &c, &e));
	return c;
}

/* ---- the target's text ---- */

static void
refuses_targets_that_cannot_work(void **state)
{
	static const struct {
		const char *endpoint, *bucket, *id, *secret;
		bool virtual_host, no_private, plain;
		const char *words;
	} cases[] = {
		{ "", "b-b", "K", "s", 0, 0, 0, "set-endpoint" },
		{ "store.example", "b-b", "K", "s", 0, 0, 0, "set-endpoint" },
		{ "ftp://store.example", "b-b", "K", "s", 0, 0, 0, "set-endpoint" },
		{ "https://u:p@store.example", "b-b", "K", "s", 0, 0, 0, "set-endpoint" },
		{ "https://store.example/x", "b-b", "K", "s", 0, 0, 0, "leave out what follows" },
		{ "https://store.example?x=1", "b-b", "K", "s", 0, 0, 0, "leave out what follows" },
		{ "http://store.example", "b-b", "K", "s", 0, 0, 0, "https://" },
		{ "http://127.0.0.1:1", "b-b", "K", "s", 0, 1, 0, "not public" },
		{ "https://169.254.169.254", "b-b", "K", "s", 0, 1, 0, "not public" },
		{ "https://0.0.0.0", "b-b", "K", "s", 0, 0, 0, "not public" },
		{ "http://10.0.0.7", "b-b", "K", "s", 0, 0, 0, "https://" },
		{ "https://10.0.0.7", "b-b", "K", "s", 1, 0, 0, "path style" },
		{ "https://store.example", "b.b", "K", "s", 1, 0, 0, "set-bucket" },
		{ "https://store.example", "b/b", "K", "s", 0, 0, 0, "set-bucket" },
		{ "https://store.example", "bb", "K", "s", 0, 0, 0, "set-bucket" },
		{ "https://store.example", "a..b", "K", "s", 0, 0, 0, "set-bucket" },
		{ "https://store.example", "b-b", "", "s", 0, 0, 0, "set-id" },
		{ "https://store.example", "b-b", "K\r\nx: y", "s", 0, 0, 0, "set-id" },
		{ "https://store.example", "b-b", "K/K", "s", 0, 0, 0, "set-id" },
		{ "https://store.example", "b-b", "K", "", 0, 0, 0, "set-secret" },
	};
	struct s3_client *c;
	struct s3_error e;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct s3_target t = target(NULL);

		t.endpoint = cases[i].endpoint;
		t.bucket = cases[i].bucket;
		t.access_key_id = cases[i].id;
		t.secret = str_c(cases[i].secret);
		t.path_style = !cases[i].virtual_host;
		t.allow_private = !cases[i].no_private;
		t.allow_plain = cases[i].plain;
		assert_err(SOUK_E_INVALID, s3_client_new(&t, &c, &e));
		assert_int_equal(e.fault, S3_BAD_TARGET);
		if (!strstr(e.words, cases[i].words))
			fail_msg("%zu: %s", i, e.words);
	}
}

/* ---- refusals ---- */

#define XML(status, body)                                                                          \
	"HTTP/1.1 " status "\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n" body
#define ERROR(status, code) XML(status, "<Error><Code>" code "</Code><Message></Message></Error>")

static void
tells_what_to_mend(void **state)
{
	static const struct {
		const char *answer;
		enum s3_fault fault;
		unsigned tries;
		const char *words;
	} cases[] = {
		{ ERROR("403 F", "InvalidAccessKeyId"), S3_CREDENTIALS, 1, "set-id" },
		{ ERROR("403 F", "SignatureDoesNotMatch"), S3_CREDENTIALS, 1, "set-secret" },
		{ ERROR("400 B", "ExpiredToken"), S3_CREDENTIALS, 1, "new ones" },
		{ ERROR("403 F", "AccessDenied"), S3_DENIED, 1, "set-bucket" },
		{ ERROR("404 N", "NoSuchBucket"), S3_NO_BUCKET, 1, "set-bucket" },
		{ ERROR("404 N", "NoSuchKey"), S3_NO_KEY, 1, "no such object" },
		{ XML("404 N", "<html>not here</html>"), S3_PROTOCOL, 1, "set-endpoint" },
		{ ERROR("403 F", "RequestTimeTooSkewed"), S3_CLOCK, 1, "clock" },
		{ ERROR("412 P", "PreconditionFailed"), S3_PRECONDITION, 1, "expected" },
		{ ERROR("403 F", "QuotaExceeded"), S3_REFUSED, 1, "quota" },
		{ ERROR("501 N", "NotImplemented"), S3_REFUSED, 1, "NotImplemented" },
		{ ERROR("503 S", "SlowDown"), S3_BUSY, S3_TRIES, "503 SlowDown" },
		{ ERROR("400 B", "RequestTimeout"), S3_BUSY, S3_TRIES, "RequestTimeout" },
		{ XML("500 I", ""), S3_BUSY, S3_TRIES, "500" },
		{ XML("429 T", "slow down"), S3_BUSY, S3_TRIES, "429" },
		{ "", S3_CONNECTION, S3_TRIES, "broke off" },
		{ XML("400 B",
		      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-9</Region>"
		      "</Error>"),
		    S3_REGION, 1, "in region eu-west-9; set set-region" },
		{ "HTTP/1.1 301 M\r\nx-amz-bucket-region: eu-west-9\r\nLocation: "
		  "http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		    S3_REGION, 1, "in region eu-west-9" },
		{ "HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		    S3_REDIRECT, 1, "not followed" },
		/* Nothing of a store's text but one plain word comes through. */
		{ ERROR("400 B", "Some thing&lt;b&gt;"), S3_REFUSED, 1, "HTTP status 400" },
		{ XML("403 F", "<!DOCTYPE x [<!ENTITY a 'AccessDenied'>]><Error><Code>&a;</Code>"
			       "</Error>"),
		    S3_DENIED, 1, "set-bucket" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", S3_PROTOCOL, 1,
		    "set-endpoint" },
		{ "HTTP/1.1 200 OK\r\nETag: \"00000000000000000000000000000000\"\r\n"
		  "Content-Length: 0\r\n\r\n",
		    S3_CHECKSUM, 1, "not what was written" },
		{ XML("200 OK", "<Error><Code>InternalError</Code></Error>"), S3_BUSY, S3_TRIES,
		    "InternalError" },
	};
	struct server *s = server_start(answer_fixed);
	struct s3_client *c = client(s);
	const struct s3_put_facts o = { .key = STR("k") };
	struct s3_error e;
	struct fail f = { .err = SOUK_OK };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned before = atomic_load(&s->count);

		s->fixed = cases[i].answer;
		assert_err(s3_fault_err(cases[i].fault), s3_put(c, &o, STR("body"), &e));
		if (e.fault != cases[i].fault || !strstr(e.words, cases[i].words))
			fail_msg("%zu: %s: %s", i, s3_fault_word(e.fault), e.words);
		assert_int_equal(atomic_load(&s->count) - before, cases[i].tries);
		assert_null(strstr(e.words, SECRET));
		assert_null(strstr(e.words, "<b>"));
		assert_int_equal(s3_error_fail(&e, &f), s3_fault_err(e.fault));
		assert_string_equal(f.detail, e.words);
		assert_string_equal(f.code + 3, s3_fault_word(e.fault));
	}
	s3_client_free(c);
	server_stop(s);
}

/* ---- what is sent ---- */

static const char *
answer_echo(struct server *s, const struct request *r)
{
	uint8_t sum[SHA256_LEN];
	struct md5_ctx md5;
	char hex[65];

	sha256(r->body, r->body_n, sum);
	hex_encode(sum, sizeof(sum), hex);
	if (!header(r, "x-amz-content-sha256") ||
	    strcmp(header(r, "x-amz-content-sha256"), hex) != 0 || strstr(r->head, SECRET))
		return ERROR("400 B", "XAmzContentSHA256Mismatch");
	md5_init(&md5);
	md5_update(&md5, r->body_n, (const uint8_t *)r->body);
	md5_digest(&md5, MD5_LEN, sum);
	hex_encode(sum, MD5_LEN, hex);
	(void)snprintf(s->text, sizeof(s->text),
	    "HTTP/1.1 200 OK\r\nETag: \"%s\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	    hex);
	return s->text;
}

static void
sends_keys_as_they_are(void **state)
{
	static const struct {
		const char *key, *line;
	} cases[] = {
		{ "a/b", "PUT /the-bucket/a/b HTTP/1.1" },
		{ "a//b/../c", "PUT /the-bucket/a//b/../c HTTP/1.1" },
		{ "s p+\xc3\xbc?#%2F", "PUT /the-bucket/s%20p%2B%C3%BC%3F%23%252F HTTP/1.1" },
	};
	struct server *s = server_start(answer_echo);
	struct s3_client *c = client(s);
	struct s3_error e;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct s3_put_facts o = { .key = str_c(cases[i].key) };

		assert_ok(s3_put(c, &o, STR("body"), &e));
		assert_string_equal(s->seen[i], cases[i].line);
	}
	s3_client_free(c);
	server_stop(s);
}

/* ---- reading ---- */

static void
gives_exactly_what_was_asked_for(void **state)
{
	struct server *s = server_start(answer_fixed);
	struct s3_client *c = client(s);
	struct s3_error e;
	char p[4];

	(void)state;
	s->fixed = "HTTP/1.1 206 P\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd";
	assert_ok(s3_get(c, STR("k"), STR(""), 10, p, 4, &e));
	assert_memory_equal(p, "abcd", 4);
	s->fixed = "HTTP/1.1 206 P\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
	assert_err(SOUK_E_STORAGE, s3_get(c, STR("k"), STR(""), 10, p, 4, &e));
	assert_int_equal(e.fault, S3_CHECKSUM);
	s->fixed = "HTTP/1.1 206 P\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde";
	assert_err(SOUK_E_STORAGE, s3_get(c, STR("k"), STR(""), 10, p, 4, &e));
	assert_int_equal(e.fault, S3_PROTOCOL);
	/* The whole object instead of the range. */
	s->fixed = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd";
	assert_err(SOUK_E_STORAGE, s3_get(c, STR("k"), STR(""), 10, p, 4, &e));
	assert_int_equal(e.fault, S3_PROTOCOL);
	assert_ok(s3_get(c, STR("k"), STR(""), 0, p, 4, &e));
	/* Cut off: asked again, then given up. */
	s->fixed = "HTTP/1.1 206 P\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab";
	assert_err(SOUK_E_UNAVAILABLE, s3_get(c, STR("k"), STR(""), 10, p, 4, &e));
	assert_int_equal(e.fault, S3_CONNECTION);
	assert_true(s3_fault_passes(e.fault));
	s3_client_free(c);
	server_stop(s);
}

static void
reads_listings_and_nothing_like_them(void **state)
{
	static const char *const strange[] = {
		XML("200 OK", "<html><body>hello</body></html>"),
		XML("200 OK", "<ListBucketResult><Contents><Key>a</Key>"),
		XML("200 OK", "<ListBucketResult><Contents><Size>1</Size></Contents>"
			      "</ListBucketResult>"),
		XML("200 OK", "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents>"
			      "</ListBucketResult>"),
		XML("200 OK",
		    "<ListBucketResult><Contents><Key>a</Key></Contents><Contents><Key>b</Key>"
		    "</Contents><Contents><Key>c</Key></Contents></ListBucketResult>"),
		XML("200 OK",
		    "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
	};
	struct server *s = server_start(answer_fixed);
	struct s3_client *c = client(s);
	struct arena *mem = arena_new(MIB);
	struct s3_page page;
	struct s3_error e;

	(void)state;
	s->fixed = XML("200 OK",
	    "<?xml version=\"1.0\"?><x:ListBucketResult xmlns:x=\"y\"><IsTruncated>true"
	    "</IsTruncated><Contents><Key>a&amp;b</Key><Size>7</Size><ETag>&quot;0a&quot;</"
	    "ETag><LastModified>"
	    "1970-01-01T00:00:01.000Z</LastModified><Owner><ID>me</ID></Owner></Contents>"
	    "</x:ListBucketResult>");
	assert_ok(s3_list(c, STR("p/"), STR("p/x y"), 2, mem, &page, &e));
	assert_string_equal(s->seen[0],
	    "GET /the-bucket?list-type=2&max-keys=2&prefix=p%2F&start-after=p%2Fx%20y HTTP/1.1");
	assert_int_equal(page.n, 1);
	assert_true(str_eq_c(page.items[0].key, "a&b"));
	assert_int_equal(page.items[0].size, 7);
	assert_true(str_eq_c(page.items[0].etag, "0a"));
	assert_int_equal(page.items[0].modified_at, 1000);
	assert_true(str_eq_c(page.next, "a&b"));
	for (size_t i = 0; i < COUNT(strange); i++) {
		s->fixed = strange[i];
		assert_err(SOUK_E_STORAGE, s3_list(c, STR(""), STR(""), 2, mem, &page, &e));
		assert_int_equal(e.fault, S3_PROTOCOL);
	}
	arena_free(mem);
	s3_client_free(c);
	server_stop(s);
}

/* ---- uploads ---- */

static bool
is(const struct request *r, const char *method, const char *query)
{
	return strncmp(r->head, method, strlen(method)) == 0 &&
	       memmem(r->head, strcspn(r->head, "\r"), query, strlen(query));
}

/* Takes parts, then says 200 to completing, with an error in it. */
static const char *
answer_late_error(struct server *s, const struct request *r)
{
	if (is(r, "POST", "?uploads="))
		return XML("200 OK", "<InitiateMultipartUploadResult><UploadId>u/1</UploadId>"
				     "</InitiateMultipartUploadResult>");
	if (is(r, "PUT", "partNumber=")) {
		s->parts++;
		return answer_echo(s, r);
	}
	if (is(r, "POST", "uploadId=u%2F1"))
		return XML("200 OK", "<Error><Code>InvalidPart</Code></Error>");
	if (is(r, "DELETE", "uploadId=u%2F1"))
		return "HTTP/1.1 204 N\r\nConnection: close\r\n\r\n";
	return "HTTP/1.1 404 N\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

static void
fill(struct s3_upload *u, size_t n)
{
	static const char block[MIB];

	for (size_t take; n > 0; n -= take) {
		take = n < sizeof(block) ? n : sizeof(block);
		assert_ok(s3_upload_sink(u)->write(s3_upload_sink(u), block, take));
	}
}

static void
an_error_after_200_is_one_and_the_upload_is_aborted(void **state)
{
	struct server *s = server_start(answer_late_error);
	struct s3_client *c = client(s);
	const struct s3_put_facts o = { .key = STR("k") };
	struct s3_upload *u;
	struct s3_error e;
	unsigned n;

	(void)state;
	assert_ok(s3_upload_begin(c, &o, &u, &e));
	fill(u, S3_PART + 1);
	assert_ok(s3_upload_close(u, &e));
	assert_int_equal(s3_upload_size(u), S3_PART + 1);
	assert_int_equal(s->parts, 2);
	assert_err(SOUK_E_STORAGE, s3_upload_complete(u, &e));
	assert_int_equal(e.fault, S3_CHECKSUM);
	assert_string_equal(e.code, "InvalidPart");
	s3_upload_free(u);
	n = atomic_load(&s->count);
	assert_string_equal(s->seen[n - 1], "DELETE /the-bucket/k?uploadId=u%2F1 HTTP/1.1");
	s3_client_free(c);
	server_stop(s);
}

static void
a_part_and_less_is_one_request(void **state)
{
	static const size_t sizes[] = { 0, 1, S3_PART };
	struct server *s = server_start(answer_echo);
	struct s3_client *c = client(s);
	const struct s3_put_facts o = { .key = STR("k") };
	struct s3_upload *u;
	struct s3_error e;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		assert_ok(s3_upload_begin(c, &o, &u, &e));
		fill(u, sizes[i]);
		assert_ok(s3_upload_close(u, &e));
		assert_int_equal(atomic_load(&s->count), i); /* nothing visible yet */
		assert_ok(s3_upload_complete(u, &e));
		assert_ok(s3_upload_complete(u, &e));
		assert_int_equal(atomic_load(&s->count), i + 1);
		assert_int_equal(strlen(s3_upload_etag(u)), 32);
		s3_upload_free(u);
	}
	s3_client_free(c);
	server_stop(s);
}

static void
a_failed_part_ends_the_upload(void **state)
{
	struct server *s = server_start(answer_fixed);
	struct s3_client *c = client(s);
	const struct s3_put_facts o = { .key = STR("k") };
	struct s3_upload *u;
	struct s3_error e;
	unsigned n;

	(void)state;
	s->fixed = ERROR("403 F", "AccessDenied");
	assert_ok(s3_upload_begin(c, &o, &u, &e));
	fill(u, S3_PART);
	assert_err(SOUK_E_DENIED, s3_upload_sink(u)->write(s3_upload_sink(u), "x", 1));
	n = atomic_load(&s->count);
	assert_err(SOUK_E_DENIED, s3_upload_sink(u)->write(s3_upload_sink(u), "x", 1));
	assert_err(SOUK_E_DENIED, s3_upload_close(u, &e));
	assert_int_equal(e.fault, S3_DENIED);
	s3_upload_free(u);
	assert_int_equal(atomic_load(&s->count), n); /* nothing more was sent */
	s3_client_free(c);
	server_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_targets_that_cannot_work),
		cmocka_unit_test(tells_what_to_mend),
		cmocka_unit_test(sends_keys_as_they_are),
		cmocka_unit_test(gives_exactly_what_was_asked_for),
		cmocka_unit_test(reads_listings_and_nothing_like_them),
		cmocka_unit_test(an_error_after_200_is_one_and_the_upload_is_aborted),
		cmocka_unit_test(a_part_and_less_is_one_request),
		cmocka_unit_test(a_failed_part_ends_the_upload),
	};

	return cmocka_run_group_tests_name("delivery.s3_client", tests, NULL, NULL);
}
