/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends prepared HTTP requests over keep-alive connections and measures.
 *
 *   load PORT CONNECTIONS SECONDS RATE FILE
 *
 * FILE holds raw requests one after the other, each behind a line with its length in bytes. They are sent
 * in turn over all connections. RATE is requests a second over all connections (0: as fast as answers
 * come); with a rate, latency counts from the time a request was due, so that a stall shows
 * in the tail. Prints `name value unit` lines. One thread, epoll.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define ANSWER_MAX 65536
#define LOOK_NS 100000000U /* nothing due: look at the clock again */

struct request {
	const char *p;
	size_t n;
};

struct connection {
	int fd;
	bool busy;
	uint64_t due;
	size_t got;
	char answer[ANSWER_MAX];
};

struct load {
	struct request *requests;
	size_t n_requests, next;
	struct connection *connections;
	unsigned n_connections;
	double rate;
	uint64_t began, ends, sent;
	uint64_t *latencies;
	size_t n_latencies, cap;
	uint64_t by_class[6];
	int epoll;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
read_requests(struct load *l, const char *path)
{
	FILE *in = fopen(path, "re");
	char line[64];
	size_t cap = 0;

	if (in == NULL)
		die(path);
	while (fgets(line, sizeof(line), in) != NULL) {
		size_t n = strtoul(line, NULL, 10);
		char *p = malloc(n);

		if (l->n_requests == cap) {
			cap = cap == 0 ? 1024 : cap * 2;
			l->requests = realloc(l->requests, cap * sizeof(*l->requests));
		}
		if (p == NULL || l->requests == NULL || fread(p, 1, n, in) != n)
			die("a request is cut short");
		l->requests[l->n_requests++] = (struct request){ .p = p, .n = n };
	}
	(void)fclose(in);
	if (l->n_requests == 0)
		die("no requests");
}

static void
open_connection(struct load *l, unsigned i, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->connections[i].fd = fd;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll");
}

static void
send_next(struct load *l, struct connection *c, uint64_t due)
{
	const struct request *r = &l->requests[l->next++ % l->n_requests];

	c->busy = true;
	c->due = due;
	c->got = 0;
	l->sent++;
	if (send(c->fd, r->p, r->n, MSG_NOSIGNAL) != (ssize_t)r->n)
		die("send");
}

/* Length of the whole answer when its headers are there, 0 otherwise. */
static size_t
answer_length(struct connection *c)
{
	const char *end, *length;

	c->answer[c->got] = '\0';
	end = strstr(c->answer, "\r\n\r\n");
	if (end == NULL)
		return 0;
	length = strcasestr(c->answer, "\r\ncontent-length:");
	return (size_t)(end - c->answer) + 4 +
	       (length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void
note_latency(struct load *l, uint64_t ns)
{
	if (l->n_latencies == l->cap) {
		l->cap = l->cap == 0 ? 1 << 16 : l->cap * 2;
		l->latencies = realloc(l->latencies, l->cap * sizeof(*l->latencies));
		if (l->latencies == NULL)
			die("memory");
	}
	l->latencies[l->n_latencies++] = ns;
}

static void
receive(struct load *l, struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->got, ANSWER_MAX - 1 - c->got, 0);
	size_t whole;

	if (n <= 0)
		die("the server closed a connection");
	c->got += (size_t)n;
	whole = answer_length(c);
	if (whole == 0 || c->got < whole)
		return;
	c->busy = false;
	l->by_class[c->answer[9] >= '1' && c->answer[9] <= '5' ? c->answer[9] - '0' : 0]++;
	note_latency(l, now_ns() - c->due);
}

/* Sends what is due on idle connections; returns how long to wait, in nanoseconds. */
static uint64_t
send_due(struct load *l)
{
	for (unsigned i = 0; i < l->n_connections; i++) {
		uint64_t t = now_ns();
		uint64_t due =
		    l->rate > 0 ? l->began + (uint64_t)((double)l->sent * 1e9 / l->rate) : t;

		if (l->connections[i].busy)
			continue;
		if (due > t)
			return due - t;
		send_next(l, &l->connections[i], due);
	}
	return LOOK_NS;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
report(struct load *l)
{
	double seconds = (double)(now_ns() - l->began) / 1e9;
	size_t n = l->n_latencies;

	qsort(l->latencies, n, sizeof(*l->latencies), by_value);
	(void)printf("requests %zu count\nrate %.0f 1/s\n", n, (double)n / seconds);
	if (n > 0)
		(void)printf("p50 %.3f ms\np99 %.3f ms\nmax %.3f ms\n",
		    (double)l->latencies[n / 2] / 1e6, (double)l->latencies[n * 99 / 100] / 1e6,
		    (double)l->latencies[n - 1] / 1e6);
	for (int i = 0; i < 6; i++)
		if (l->by_class[i] > 0)
			(void)printf(
			    "status_%dxx %llu count\n", i, (unsigned long long)l->by_class[i]);
}

int
main(int argc, char **argv)
{
	struct load l = { 0 };
	struct epoll_event events[256];

	if (argc != 6) {
		(void)fprintf(stderr, "load PORT CONNECTIONS SECONDS RATE FILE\n");
		return 2;
	}
	l.n_connections = (unsigned)strtoul(argv[2], NULL, 10);
	l.rate = strtod(argv[4], NULL);
	l.connections = calloc(l.n_connections, sizeof(*l.connections));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.n_connections == 0 || l.n_connections > CONNECTIONS_MAX || l.connections == NULL ||
	    l.epoll < 0)
		die("set-up");
	read_requests(&l, argv[5]);
	for (unsigned i = 0; i < l.n_connections; i++)
		open_connection(&l, i, (uint16_t)strtoul(argv[1], NULL, 10));
	l.began = now_ns();
	l.ends = l.began + (uint64_t)(strtod(argv[3], NULL) * 1e9);
	while (now_ns() < l.ends) {
		uint64_t ns = send_due(&l);
		const struct timespec wait = { .tv_sec = (time_t)(ns / 1000000000U),
			.tv_nsec = (long)(ns % 1000000000U) };
		int n = epoll_pwait2(l.epoll, events, 256, &wait, NULL);

		for (int i = 0; i < n; i++)
			receive(&l, &l.connections[events[i].data.u32]);
	}
	report(&l);
	return 0;
}
