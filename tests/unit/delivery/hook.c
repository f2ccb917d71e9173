/* SPDX-License-Identifier: Apache-2.0 */
#include "hook.h"

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct hook {
	int listener;
	int wake[2]; /* closed to stop */
	int port;
	char url[64];
	const int *script;
	size_t n_script;
	pthread_t thread;
	atomic_size_t count;
	struct hook_seen seen[HOOK_SEEN_MAX];
};

/* False when there is nothing more to read, or when the hook is being stopped. */
static bool
wait_for(struct hook *h, int fd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = h->wake[0], .events = POLLIN } };

	return poll(p, 2, 20000) > 0 && p[1].revents == 0;
}

static bool
read_request(struct hook *h, int fd, struct hook_seen *s)
{
	size_t n = 0, length, have;
	char *end = NULL;
	const char *value;
	ssize_t got;

	while (!end && n < sizeof(s->head) - 1) {
		if (!wait_for(h, fd) ||
		    (got = recv(fd, s->head + n, sizeof(s->head) - 1 - n, 0)) <= 0)
			return false;
		n += (size_t)got;
		s->head[n] = '\0';
		end = strstr(s->head, "\r\n\r\n");
	}
	if (!end)
		return false;
	*end = '\0';
	value = hook_header(s, "Content-Length");
	length = value ? strtoul(value, NULL, 10) : 0;
	have = n - (size_t)(end + 4 - s->head);
	s->body = calloc(1, length + 1);
	memcpy(s->body, end + 4, have);
	while (have < length) {
		if (!wait_for(h, fd) || (got = recv(fd, s->body + have, length - have, 0)) <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

static void
say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void
pour(int fd)
{
	static const char chunk[16384];

	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
	while (send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
		;
}

static void
answer(struct hook *h, int fd, int step)
{
	char text[256];

	switch (step) {
	case HOOK_HANG:
		(void)wait_for(h, fd); /* until the client gives up */
		break;
	case HOOK_CLOSE:
		break;
	case HOOK_HUGE:
		pour(fd);
		break;
	case HOOK_REDIRECT:
		(void)snprintf(text, sizeof(text),
		    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/elsewhere\r\n"
		    "Content-Length: 0\r\nConnection: close\r\n\r\n",
		    h->port);
		say(fd, text);
		break;
	default:
		(void)snprintf(text, sizeof(text),
		    "HTTP/1.1 %d Whatever\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		    step);
		say(fd, text);
	}
}

static void *
serve(void *arg)
{
	struct hook *h = arg;
	size_t n;
	int fd;

	while (wait_for(h, h->listener)) {
		if ((fd = accept(h->listener, NULL, NULL)) < 0)
			continue;
		n = atomic_load(&h->count);
		if (n < HOOK_SEEN_MAX && read_request(h, fd, &h->seen[n])) {
			atomic_store(&h->count, n + 1);
			answer(h, fd, h->script[n < h->n_script ? n : h->n_script - 1]);
		}
		(void)close(fd);
	}
	return NULL;
}

struct hook *
hook_start(const int *script, size_t n)
{
	struct hook *h = calloc(1, sizeof(*h));
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	assert_non_null(h);
	h->script = script;
	h->n_script = n;
	assert_int_equal(pipe(h->wake), 0);
	h->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(h->listener >= 0);
	assert_int_equal(bind(h->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(h->listener, 16), 0);
	assert_int_equal(getsockname(h->listener, (struct sockaddr *)&a, &len), 0);
	h->port = ntohs(a.sin_port);
	(void)snprintf(h->url, sizeof(h->url), "http://127.0.0.1:%d/hook", h->port);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
	return h;
}

void
hook_stop(struct hook *h)
{
	(void)close(h->wake[1]);
	(void)pthread_join(h->thread, NULL);
	(void)close(h->wake[0]);
	(void)close(h->listener);
	for (size_t i = 0; i < HOOK_SEEN_MAX; i++)
		free(h->seen[i].body);
	free(h);
}

int
hook_port(const struct hook *h)
{
	return h->port;
}

const char *
hook_url(const struct hook *h)
{
	return h->url;
}

size_t
hook_count(struct hook *h)
{
	return atomic_load(&h->count);
}

const struct hook_seen *
hook_seen(struct hook *h, size_t i)
{
	assert_true(i < hook_count(h));
	return &h->seen[i];
}

const char *
hook_header(const struct hook_seen *s, const char *name)
{
	static char value[1024];
	size_t n = strlen(name), i = 0;

	for (const char *line = s->head; (line = strstr(line, "\r\n"));) {
		line += 2;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		for (line += n + 1; *line == ' '; line++)
			;
		while (line[i] && line[i] != '\r' && i < sizeof(value) - 1) {
			value[i] = line[i];
			i++;
		}
		value[i] = '\0';
		return value;
	}
	return NULL;
}
